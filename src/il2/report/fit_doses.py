"""Figures of a fit to wells: measured and fitted curves over the doses, a panel a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from il2.fit.dose_curves import Curves
from il2.fit.tidy import Tidy
from il2.report.fit_axes import SMALL, TINY, dose_ticks, dot, panels, shades, style, title
from il2.report.panel import INK, PALE, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from il2.fit.run import Fit
    from il2.fit.wells import Wells

MOST_CELLS, MOST_LIGANDS = 12, 8


def over_doses(of: Fit, made: Tidy) -> list[tuple[str, Figure]]:
    """A figure a ligand with a panel a cell: wells over scale without background, curves and bands."""
    ligands = list(dict.fromkeys(made.ligands.tolist()))
    return [(name, _ligand(of, made, name)) for name in ligands[:MOST_LIGANDS]]


def _ligand(of: Fit, made: Tidy, name: str) -> Figure:
    wells = made.wells
    cells = list(dict.fromkeys(wells.cell[made.ligands == name].tolist()))[:MOST_CELLS]
    times = sorted(set(wells.time[made.ligands == name].tolist()))
    columns = min(len(cells), 4)
    rows = -(-len(cells) // columns)
    figure, grid = panels(rows, columns, 2.45, 2.15, below=0.95)
    title(figure, f"{plain(name, 40)}: measured and fitted")
    shown = shares(of)
    for place, axes in enumerate(grid):
        if place >= len(cells):
            axes.set_visible(False)
            continue
        here = (made.ligands == name) & (wells.cell == cells[place])
        _cell(of, made.wells, axes, here, times, shown)
        axes.set_title(plain(cells[place], 28), fontsize=9.5, loc="left", color=INK, weight="bold")
        if place + columns >= len(cells):
            axes.set_xlabel("dose (log scale)", fontsize=SMALL, color=INK)
        if place % columns == 0:
            axes.set_ylabel(f"{_readout(made, name)} (share)", fontsize=SMALL, color=INK)
    _legend(figure, wells, times, wells.replicate[made.ligands == name])
    return figure


def _readout(made: Tidy, name: str) -> str:
    from il2.receptor.head import head

    first = int(np.flatnonzero(made.ligands == name)[0])
    return "p" + head(made.wells.kinds[made.wells.which[first]].base).stat


def shares(of: Fit) -> np.ndarray:
    """Measured wells as shares of phosphorylated STAT (n,): without background, over scale."""
    values = dict(zip(of.made.problem.names, of.values, strict=True))
    points = [block.points for block in of.made.problem.blocks]
    scale, background = (
        of.made.by_point([np.array([values[name] for name in kind.tolist()]) for kind in kinds])
        for kinds in ([p.scale for p in points], [p.background for p in points])
    )
    return (of.made.value - background) / scale


def _cell(of: Fit, wells: Wells, axes: Axes, here: np.ndarray, times: list[float], shown: np.ndarray) -> None:
    colours = shades(len(times))
    replicates = sorted(set(wells.replicate.tolist()))
    doses = wells.dose[here & (wells.dose > 0)]
    untreated = doses.min() / 4
    for found in of.curves:
        assert isinstance(found, Curves)
        for lane, well in enumerate(found.wells):
            if not here[well]:
                continue
            for k, time in enumerate(found.times):
                if time not in times:
                    continue
                colour = colours[times.index(time)]
                low, high = found.low_measured[lane, :, k], found.high_measured[lane, :, k]
                axes.fill_between(found.dose, low, high, color=colour, alpha=0.13, linewidth=0)
                axes.plot(found.dose, found.signal[lane, :, k], color=colour, linewidth=1.5)
    for colour, time in zip(colours, times, strict=True):
        for rank, replicate in enumerate(replicates):
            own = here & (wells.time == time) & (wells.replicate == replicate)
            x = np.where(wells.dose[own] > 0, wells.dose[own], untreated)
            axes.plot(x, shown[own], clip_on=False, zorder=3, **dot(colour, rank))
    style(axes)
    axes.set_xscale("log")
    axes.set_xlim(untreated / 1.6, doses.max() * 1.7)
    dose_ticks(axes, doses, untreated if (wells.dose[here] == 0).any() else None)


def _legend(figure: Figure, wells: Wells, times: list[float], replicates: np.ndarray) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=c, linewidth=1.5, label=f"{t:g} min")
        for t, c in zip(times, shades(len(times)), strict=True)
    ]
    names = sorted(set(wells.replicate.tolist()))
    several = len(names) > 1
    handles += [
        Line2D([], [], label=plain(f"replicate {r}", 20) if several else "measured", **dot(PALE, rank))
        for rank, r in enumerate(names) if r in set(replicates.tolist())
    ]  # fmt: skip
    handles.append(Patch(color=PALE, alpha=0.2, linewidth=0, label="95 % of measurements"))
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.0), ncols=min(len(handles), 5), fontsize=TINY,
        frameon=False, labelcolor=INK, handlelength=1.6, columnspacing=1.2,
    )  # fmt: skip
