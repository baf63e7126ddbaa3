"""Axes of the figures of a fit: panels laid out in inches, ticks of doses and of values, one look."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.report.panel import GRID, INK, MARKERS, PALE, concentration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL, TINY = 8.5, 7.5


def panels(
    rows: int,
    columns: int,
    wide: float,
    high: float,
    *,
    below: float,
    left: float = 0.75,
    gap: float = 0.7,
    top: float = 0.62,
) -> tuple[Figure, list[Axes]]:
    """A figure laid out in inches, and its axes row by row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = 0.6
    width = left + columns * wide + (columns - 1) * across + 0.3
    height = top + rows * high + (rows - 1) * gap + below
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = [
        figure.add_axes(
            (
                (left + c * (wide + across)) / width,
                (height - top - (r + 1) * high - r * gap) / height,
                wide / width,
                high / height,
            )
        )
        for r in range(rows)
        for c in range(columns)
    ]
    return figure, axes


def title(figure: Figure, text: str) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=11, weight="bold", color=INK)


def style(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    axes.tick_params(which="both", labelsize=TINY, colors=PALE, labelcolor=INK)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def dot(colour: Any, rank: int) -> dict[str, Any]:
    """The first replicate is filled, others are open."""
    face = colour if rank == 0 else "white"
    marker = MARKERS[rank % len(MARKERS)]
    look: dict[str, Any] = {"linestyle": "none", "marker": marker, "markersize": 3.6, "color": colour}
    return look | {"markerfacecolor": face, "markeredgewidth": 0.8}


def shades(n: int) -> list[Any]:
    from matplotlib import colormaps

    return list(colormaps["viridis"](np.linspace(0.0, 0.82, n) if n > 1 else [0.25]))


def dose_ticks(axes: Axes, doses: np.ndarray, untreated: float | None) -> None:
    """Labelled decades, and a place for the untreated wells."""
    first, last = math.ceil(math.log10(doses.min())), math.floor(math.log10(doses.max()))
    ticks = [10.0**d for d in range(first, last + 1, max(1, -(-(last - first + 1) // 4)))] or [float(doses.min())]
    zero = [] if untreated is None else [untreated]
    axes.set_xticks([*zero, *ticks], ["0"] * len(zero) + [concentration(d) for d in ticks])
    axes.minorticks_off()


def value_axis(axes: Axes, scale: str, values: np.ndarray) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

    if scale == "log10":
        axes.set_xscale("log")
        low, high = float(values.min()), float(values.max())
        steps = [
            m * 10.0**d for d in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)
        ]
        even = [t for t in MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high) if low <= t <= high]
        ticks = [t for t in steps if low <= t <= high] if high > 12 * low else even
        ticks = ticks[:: -(-len(ticks) // 4)] or [low, high]
        axes.set_xticks(ticks)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.3g}"))


def log_values(axes: Axes) -> None:
    """A vertical log scale with a few plain numbers on it, also within one decade."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wide = high > 100 * low
    ticks = [m * 10.0**d for d in decades for m in ((1,) if wide else (1, 2, 5)) if low <= m * 10.0**d <= high]
    axes.yaxis.set_major_locator(FixedLocator(ticks[:: -(-len(ticks) // 6)] if len(ticks) > 1 else [low, high]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.3g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def ratio_axis(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 3.0), numticks=9))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
