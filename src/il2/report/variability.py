"""A figure of the spread of pSTAT5 over the cells of a population, measured and predicted from receptors alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from il2.fit.score import cell_groups
from il2.receptor.ligand import ligand
from il2.report.figure import DISTINCT
from il2.report.panel import GRID, INK, PALE

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

WIDE, HIGH, GAP, LEFT, TOP, BELOW = 1.5, 1.2, 0.36, 0.75, 0.75, 1.1  # inches
COLOURS, MARKERS = (DISTINCT[0], DISTINCT[1]), ("o", "^")
NOTE = (
    "Lines: predicted from receptors per cell and the variance at background; one scale per plate, by its means.\n"
    "Markers: measured; filled and solid: first run, open and dashed: second. Every panel has its own vertical scale. "
    "Unit: 97th percentile of the means of the plate."
)


def figure(table: pandas.DataFrame, times_min: tuple[float, float] = (60.0, 240.0)) -> Figure:
    """A row per cell type and a column per ligand: standard deviation over cells against dose at two times.

    table: as `il2.fit.variability.aligned` gives it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [n for n in cell_groups()["ten"] if n in set(table["cell"])]
    ligands = sorted(dict.fromkeys(table["ligand"]), key=lambda name: ligand(name).is_fc)
    width = LEFT + len(ligands) * (WIDE + GAP) + 0.1
    height = TOP + len(names) * (HIGH + GAP) + BELOW
    out = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(out)
    title = "Spread of pSTAT5 over cells: measured, and predicted from receptors alone"
    out.text(0.12 / width, 1 - 0.15 / height, title, fontsize=11, weight="bold", va="top", color=INK)
    for row, name in enumerate(names):
        for column, given in enumerate(ligands):
            x, y = LEFT + column * (WIDE + GAP), height - TOP - (row + 1) * HIGH - row * GAP
            axes = out.add_axes((x / width, y / height, WIDE / width, HIGH / height))
            own = table[(table["cell"] == name) & (table["ligand"] == given)]
            for colour, marker, time in zip(COLOURS, MARKERS, times_min, strict=True):
                _draw(axes, own[own["time_min"] == time], colour, marker)
            axes.set_xscale("log")
            axes.set_ylim(bottom=0)
            _dress(axes, given if row == 0 else "", name if column == 0 else "", row == len(names) - 1)
    _legend(out, times_min)
    out.text(0.12 / width, 0.1 / height, NOTE, fontsize=7, color=PALE, va="bottom")
    return out


def _draw(axes, own: pandas.DataFrame, colour: str, marker: str) -> None:
    for _, curve in own.groupby("replicate"):
        curve = curve.sort_values("dose_nM")
        second = curve["replicate"].iloc[0] == "2"
        axes.plot(
            curve["dose_nM"], np.sqrt(curve["seen_variance"]), marker, color=colour, markersize=3,
            markerfacecolor="white" if second else colour, markeredgewidth=0.7,
        )  # fmt: skip
        look = "--" if second else "-"
        axes.plot(curve["dose_nM"], np.sqrt(curve["told_variance"]), look, color=colour, linewidth=1.2)


def _dress(axes, above: str, left: str, last: bool) -> None:
    axes.set_title(above, fontsize=8.5, weight="bold", loc="left", color=INK, pad=4)
    axes.set_ylabel(f"{left}\nSD over cells" if left else "", fontsize=8, color=INK)
    axes.set_xlabel("dose (nM)" if last else "", fontsize=8, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    axes.tick_params(which="both", labelsize=7, colors=PALE, labelbottom=last)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def _legend(out: Figure, times_min: tuple[float, float]) -> None:
    from matplotlib.lines import Line2D

    looks = zip(COLOURS, MARKERS, times_min, strict=True)
    handles = [Line2D([], [], color=c, marker=m, markersize=4, label=f"{t:g} min") for c, m, t in looks]
    out.legend(handles=handles, loc="lower left", ncols=2, frameon=False, fontsize=8,
               bbox_to_anchor=(0.0, 0.4 / out.get_size_inches()[1]))  # fmt: skip
