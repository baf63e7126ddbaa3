"""Figures of a fit without doses: measured and fitted values over time, a panel an observable and condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from il2.fit.made import LIN
from il2.fit.time_curves import TimeCurve
from il2.report.figure import DISTINCT
from il2.report.fit_axes import SMALL, TINY, dot, log_values, panels, style, title
from il2.report.panel import INK, MARKERS, PALE, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from il2.fit.run import Fit

A_FIGURE, MOST_FIGURES = 12, 8  # panels; the rest stands in the tables alone
HEADINGS = ("model", "observable", "condition")


def over_times(of: Fit) -> list[tuple[str, Figure]]:
    """Figures of up to 12 panels each, in the order of the measurement table."""
    grouped: dict[tuple[str, ...], list[TimeCurve]] = {}
    for found in of.curves:
        assert isinstance(found, TimeCurve)
        labels = of.made.labels
        key = tuple(str(labels[name][found.points[0]]) for name in HEADINGS if name in labels)
        grouped.setdefault(key, []).append(found)
    keys = sorted(grouped, key=lambda key: min(int(curve.points.min()) for curve in grouped[key]))
    parts = [keys[k : k + A_FIGURE] for k in range(0, len(keys), A_FIGURE)]
    out = []
    for k, part in enumerate(parts[:MOST_FIGURES]):
        first = k * A_FIGURE + 1
        text = f"Panels {first} to {first + len(part) - 1} of {len(keys)}" if len(keys) > 1 else "One panel"
        out.append((text, _figure(of, {key: grouped[key] for key in part}, len(keys) > A_FIGURE, first)))
    return out


def _figure(of: Fit, parts: dict[tuple[str, ...], list[TimeCurve]], several: bool, first: int) -> Figure:
    columns = min(len(parts), 4)
    rows = -(-len(parts) // columns)
    figure, grid = panels(rows, columns, 2.45, 1.9, below=0.85, gap=0.75, top=0.75)
    for place, axes in enumerate(grid):
        axes.set_visible(place < len(parts))
        if place + columns >= len(parts):
            axes.set_xlabel("time", fontsize=SMALL, color=INK)
        if place % columns == 0:
            axes.set_ylabel("measured", fontsize=SMALL, color=INK)
    for (key, found), axes in zip(parts.items(), grid, strict=False):
        _panel(of, axes, found)
        axes.set_title(plain(", ".join(filter(None, key)), 34), fontsize=SMALL, loc="left", color=INK, weight="bold")
    title(figure, "Measured and fitted" + (f", {first} to {first + len(parts) - 1}" if several else ""))
    _legend(figure)
    return figure


def _panel(of: Fit, axes: Axes, found: list[TimeCurve]) -> None:
    measured = of.made.measured(of.made.value)
    for k, curve in enumerate(found):
        colour, own = DISTINCT[k % len(DISTINCT)], curve.points
        axes.fill_between(curve.time, curve.low_measured, curve.high_measured, color=colour, alpha=0.13, linewidth=0)
        axes.plot(curve.time, curve.signal, color=colour, linewidth=1.5)
        look = dot(colour, 1) | {"marker": MARKERS[k % len(MARKERS)]}
        axes.plot(of.made.time[own], measured[own], zorder=3, clip_on=False, **look)
    every = np.concatenate([curve.points for curve in found])
    if (of.made.transformation[every] != LIN).all():
        log_values(axes)
    axes.margins(x=0.04)
    style(axes)


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], label="measured", **dot(PALE, 1) | {"marker": MARKERS[0]}),
        Line2D([], [], color=PALE, linewidth=1.5, label="fitted"),
        Patch(color=PALE, alpha=0.2, linewidth=0, label="95 % of measurements"),
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.0), ncols=3, fontsize=TINY, frameon=False,
        labelcolor=INK,
    )  # fmt: skip
