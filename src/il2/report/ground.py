"""Axes as figures of courses have them: a faint grid behind, two sides, small ticks."""

from __future__ import annotations

from matplotlib.axes import Axes

from il2.report.panel import GRID, INK, PALE

SMALL = 8


def ground(axes: Axes) -> None:
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", labelsize=SMALL, colors=INK, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
