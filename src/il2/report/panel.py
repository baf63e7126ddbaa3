"""Small multiples of dose-response curves, laid out in inches: what is drawn, without knowing where it came from."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS, DASHES = "os^DvPX*", ("-", (0, (5, 1.5)), (0, (4, 1, 1, 1)), (0, (1, 1)))
INK, PALE, GRID = "#222222", "#555555", "#e4e4e4"
TOP, LEFT, RIGHT, GAP_X, GAP_Y, HIGH, LINE = 0.85, 0.7, 0.25, 0.5, 0.9, 1.8, 0.185  # inches
BAR: dict[str, Any] = {"linestyle": "none", "marker": "_", "markersize": 14, "markeredgewidth": 2}
MOST_IN_LEGEND = 24
LEAST_SPAN = 0.01  # percent
UNITS = ((1e6, "mM"), (1e3, "µM"), (1.0, "nM"), (1e-3, "pM"), (1e-6, "fM"), (1e-9, "aM"))

Points = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Curve:
    """A line in percent over rising doses in nM; its band; its measurements by replicate."""

    label: str
    colour: Any
    order: int
    doses: np.ndarray
    percent: np.ndarray
    band: Points | None = None
    measured: dict[str, Points] = field(default_factory=dict)

    @property
    def marker(self) -> str:
        return MARKERS[self.order % len(MARKERS)]

    @property
    def dash(self) -> Any:
        """Line style of matplotlib."""
        return DASHES[self.order % len(DASHES)]


@dataclass(frozen=True)
class Panel:
    title: str
    note: str
    curves: list[Curve]


def small_multiples(panels: list[Panel], title: str, x: str, y: str, band: str, footnote: str) -> Figure:
    """A figure with one panel each, legends and a footnote below. `x` and `y` name the axes, `band` the bands."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n = len(panels)
    columns = n if n <= 5 else min((5, 4, 3), key=lambda c: -n % c)
    rows = -(-n // columns)
    wide = max(2.2, (6.6 - (columns - 1) * GAP_X) / columns)
    width = LEFT + columns * wide + (columns - 1) * GAP_X + RIGHT
    notes = textwrap.wrap(footnote, int(16 * width))
    legends = [(handles, *_layout(handles, width)) for handles in (_by_curve(panels), _by_kind(panels, band))]
    below = 0.8 + sum(0.06 + LINE * lines for _, lines, _ in legends) + 0.15 * len(notes)
    height = TOP + rows * HIGH + (rows - 1) * GAP_Y + below
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.15 / width, 1 - 0.15 / height, plain(title, 70), fontsize=12, weight="bold", va="top", color=INK)
    for place, panel in enumerate(panels):
        row, column = divmod(place, columns)
        at = LEFT + column * (wide + GAP_X), height - TOP - (row + 1) * HIGH - row * GAP_Y
        axes = figure.add_axes((at[0] / width, at[1] / height, wide / width, HIGH / height))
        units = _draw(axes, panel, wide, _ranks(panels))
        if place + columns >= n:
            axes.set_xlabel(f"{plain(x, 20)} ({units}, log scale)", fontsize=8.5, color=INK)
        if column == 0:
            axes.set_ylabel(y, fontsize=8.5, color=INK)
    at_y = below - 0.55
    for handles, lines, per_line in legends:
        figure.legend(
            handles=handles,
            ncols=per_line,
            loc="upper left",
            bbox_to_anchor=(0.1 / width, at_y / height),
            frameon=False,
            fontsize=8.5,
            handlelength=2.8,
            columnspacing=1.6,
            borderaxespad=0,
            labelcolor=INK,
        )
        at_y -= 0.06 + LINE * lines
    figure.text(0.15 / width, 0.1 / height, "\n".join(notes), fontsize=7.5, color=PALE, linespacing=1.3, va="bottom")
    return figure


def unit_of(nM: float) -> tuple[float, str]:
    """Size in nM and name of the unit in which a concentration is written."""
    return next((u for u in UNITS if nM >= 0.995 * u[0]), UNITS[-1])


def concentration(nM: float) -> str:
    """Two significant digits in the unit that suits: 0.0512 is '51 pM'. NaN is an en dash."""
    if not math.isfinite(nM):
        return "–"
    size, unit = unit_of(nM)
    return f"{float(f'{nM / size:.2g}'):g} {unit}"


def plain(text: str, most: int = 28) -> str:
    """Text of others for a figure: one line, no longer than `most`, nothing in it read as mathematics."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = text if len(text) <= most else text[: most - 1].rstrip() + "…"
    return text.replace("$", r"\$")


def _draw(axes: Axes, panel: Panel, wide: float, ranks: dict[str, int]) -> str:
    """Curves, bands and points on a panel `wide` inches wide; returns the units of the ticks."""
    for curve in panel.curves:
        single = len(curve.doses) == 1
        if curve.band is not None and single:
            axes.vlines(curve.doses, *curve.band, color=curve.colour, alpha=0.4, linewidth=4)
        elif curve.band is not None:
            axes.fill_between(curve.doses, *curve.band, color=curve.colour, alpha=0.12, linewidth=0)
        look = {"marker": "_", "markersize": 18, "markeredgewidth": 2} if single else {"linestyle": curve.dash}
        axes.plot(curve.doses, curve.percent, color=curve.colour, linewidth=1.5, **look)
        for replicate, (doses, percent) in curve.measured.items():
            axes.plot(doses, percent, linestyle="none", **_dot(curve, ranks[replicate]))
    axes.set_title(plain(panel.title, int(wide / 0.092)), fontsize=10, weight="bold", loc="left", pad=16, color=INK)
    axes.text(0, 1.045, panel.note, transform=axes.transAxes, fontsize=7.5, color=PALE)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    _response_axis(axes, panel)
    units = _dose_axis(axes, np.concatenate([c.doses for c in panel.curves]), most=int(wide / 0.7))
    axes.tick_params(which="both", labelsize=7.5, colors=PALE)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    return units


def _response_axis(axes: Axes, panel: Panel) -> None:
    """Linear from zero; logarithmic over what curves and bands span where there are bands, which are wide."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    found = [c.percent for c in panel.curves] + [y for c in panel.curves for _, y in c.measured.values()]
    bands = [y for c in panel.curves if c.band is not None for y in c.band]
    values = np.concatenate([np.zeros(1), *found, *bands])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), max(float(values.max()), LEAST_SPAN)
    tops = [float(np.nanmax(y)) for y in [*(c.percent for c in panel.curves), *bands] if (np.nan_to_num(y) > 0).any()]
    if bands and tops:
        axes.set_yscale("log")
        axes.set_ylim(max(0.05 * min(tops), 1e-5 * high), 1.5 * high)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(low - 0.03 * (high - low), high + 0.06 * (high - low))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10]))


def _dose_axis(axes: Axes, doses: np.ndarray, most: int) -> str:
    """A log axis with about `most` labelled decades, each with its unit; returns the units."""
    from matplotlib.ticker import FixedLocator, NullFormatter

    low, high = doses.min(), doses.max()
    edge = (high / low) ** 0.04 if high > low else 4.0
    axes.set_xscale("log")
    axes.set_xlim(low / edge, high * edge)
    decades = range(math.ceil(math.log10(low / edge)), math.floor(math.log10(high * edge)) + 1)
    every = -(-len(decades) // most)
    few = high / low < 10
    shown = [low, high] if high > 1.5 * low and few else [low] if few else [10.0**d for d in decades if d % every == 0]
    axes.xaxis.set_minor_locator(FixedLocator([] if few else [10.0**d for d in decades]))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(shown, [concentration(dose) for dose in shown])
    units = list(dict.fromkeys(unit_of(dose)[1] for dose in shown))
    return units[0] if len(units) == 1 else f"{units[0]} to {units[-1]}"


def _ranks(panels: list[Panel]) -> dict[str, int]:
    """Replicates of the whole figure, so that a marker means the same in every panel."""
    return {name: n for n, name in enumerate(sorted({r for p in panels for c in p.curves for r in c.measured}))}


def _dot(curve: Curve, rank: int) -> dict[str, Any]:
    """The first replicate is filled, the others are open."""
    size = 3.6 if curve.marker != "*" else 5.0
    look = {"marker": curve.marker, "markersize": size, "color": curve.colour, "markeredgewidth": 0.8}
    return look | {"markerfacecolor": "white" if rank else curve.colour}


def _by_curve(panels: list[Panel]) -> list[Artist]:
    """Legend: a line and a marker per curve; a marker or a bar alone where there is one dose."""
    from matplotlib.lines import Line2D

    curves = panels[0].curves
    measured = {c.label for p in panels for c in p.curves if c.measured}
    handles: list[Artist] = []
    for curve in curves[:: -(-len(curves) // MOST_IN_LEGEND)]:
        look = _dot(curve, 0) if curve.label in measured else {"color": curve.colour}
        if len(curve.doses) == 1:
            look = BAR | look | {"linestyle": "none"}
        label = plain(curve.label)
        label = "\u200a" + label if label.startswith("_") else label  # matplotlib hides labels that start so
        handles.append(Line2D([], [], linewidth=1.5, label=label, **({"linestyle": curve.dash} | look)))
    return handles


def _by_kind(panels: list[Panel], band: str) -> list[Artist]:
    """Legend: what lines, markers and bands are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    curves = [curve for panel in panels for curve in panel.curves]
    single = len(curves[0].doses) == 1
    look, label = (BAR, "bar: model") if single else ({}, "line: model")
    handles: list[Artist] = [Line2D([], [], color=PALE, linewidth=1.5, label=label, **look)]
    for replicate, rank in _ranks(panels).items():
        dot = _dot(curves[0], rank) | {"marker": "o", "color": PALE, "markerfacecolor": "white" if rank else PALE}
        label = f"{'open' if rank else 'filled'}: measured, replicate {replicate}"
        handles.append(Line2D([], [], linestyle="none", label=label, **dot))
    if any(c.band is not None for c in curves):
        handles.append(Patch(color=PALE, alpha=0.25, linewidth=0, label=band))
    return handles


def _layout(handles: list[Artist], width: float) -> tuple[int, int]:
    """(lines, entries per line) of a legend."""
    entries = [0.68 + 0.063 * len(str(handle.get_label())) for handle in handles]
    per_line = len(handles) if sum(entries) < width - 0.2 else max(1, int((width - 0.2) / max(entries)))
    return -(-len(handles) // per_line), per_line
