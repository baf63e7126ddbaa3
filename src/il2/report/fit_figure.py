"""Figures of a fit: curves with measured wells, waterfall of the starts, profiles, residuals, estimates and priors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.fit.free import DYNAMIC, native
from il2.fit.predictive import noise_of
from il2.fit.problem import DEGREES
from il2.fit.profile import RISE
from il2.fit.run import SAME
from il2.report.figure import DISTINCT
from il2.report.fit_axes import (
    SMALL,
    TINY,
    dose_ticks,
    dot,
    panels,
    ratio_axis,
    shades,
    style,
    title,
    value_axis,
)
from il2.report.panel import DASHES, GRID, INK, MARKERS, PALE, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from il2.fit.run import Fit

MOST_CELLS, MOST_LIGANDS = 12, 8
CLIP = 6.0  # residuals further out are drawn at the edge


def curves(of: Fit) -> list[tuple[str, Figure]]:
    """A figure a ligand with a panel a cell: wells over scale without background, curves and bands."""
    ligands = list(dict.fromkeys(of.tidy.ligands.tolist()))
    return [(name, _ligand(of, name)) for name in ligands[:MOST_LIGANDS]]


def _ligand(of: Fit, name: str) -> Figure:
    wells = of.tidy.wells
    cells = list(dict.fromkeys(wells.cell[of.tidy.ligands == name].tolist()))[:MOST_CELLS]
    times = sorted(set(wells.time[of.tidy.ligands == name].tolist()))
    columns = min(len(cells), 4)
    rows = -(-len(cells) // columns)
    figure, grid = panels(rows, columns, 2.45, 2.15, below=0.95)
    figure.suptitle(f"{plain(name, 40)}: measured and fitted", x=0.01, ha="left", fontsize=11, weight="bold", color=INK)
    shown, _ = shares(of)
    for place, axes in enumerate(grid):
        if place >= len(cells):
            axes.set_visible(False)
            continue
        here = (of.tidy.ligands == name) & (wells.cell == cells[place])
        _cell(of, axes, here, times, shown)
        axes.set_title(plain(cells[place], 28), fontsize=9.5, loc="left", color=INK, weight="bold")
        if place + columns >= len(cells):
            axes.set_xlabel("dose (log scale)", fontsize=SMALL, color=INK)
        if place % columns == 0:
            axes.set_ylabel(f"{_readout(of, name)} (share)", fontsize=SMALL, color=INK)
    _legend(figure, of, times, wells.replicate[of.tidy.ligands == name])
    return figure


def _readout(of: Fit, name: str) -> str:
    from il2.receptor.head import head

    first = int(np.flatnonzero(of.tidy.ligands == name)[0])
    return "p" + head(of.tidy.wells.kinds[of.tidy.wells.which[first]].base).stat


def shares(of: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Measured wells as shares of phosphorylated STAT (n,): without background, over scale; and their noise (n,)."""
    values = dict(zip(of.tidy.problem.names, of.values, strict=True))
    scale, background = np.ones(len(of.tidy.wells)), np.zeros(len(of.tidy.wells))
    for block, rows in zip(of.tidy.problem.blocks, of.tidy.rows, strict=True):
        scale[rows] = [values[name] for name in block.points.scale.tolist()]
        background[rows] = [values[name] for name in block.points.background.tolist()]
    return (of.tidy.wells.value - background) / scale, noise_of(of.tidy, of.x) / scale


def _cell(of: Fit, axes: Axes, here: np.ndarray, times: list[float], shown: np.ndarray) -> None:
    wells, colours = of.tidy.wells, shades(len(times))
    replicates = sorted(set(wells.replicate.tolist()))
    doses = wells.dose[here & (wells.dose > 0)]
    untreated = doses.min() / 4
    for found in of.curves:
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


def _legend(figure: Figure, of: Fit, times: list[float], replicates: np.ndarray) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=c, linewidth=1.5, label=f"{t:g} min")
        for t, c in zip(times, shades(len(times)), strict=True)
    ]
    names = sorted(set(of.tidy.wells.replicate.tolist()))
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


def waterfall(of: Fit) -> Figure:
    """Costs of the starts above the best, sorted."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    figure, (axes,) = panels(1, 1, 4.6, 2.2, below=0.75, top=0.42)
    above = np.array([s.cost - of.starts[0].cost for s in of.starts])
    good = np.isfinite(above)
    rank = np.arange(1, len(above) + 1)
    same = good & (above <= SAME)
    axes.axhspan(0, SAME, color=GRID, linewidth=0)
    axes.plot(rank[good], above[good], color=PALE, linewidth=0.8)
    axes.plot(rank[same], above[same], "o", color=DISTINCT[0], markersize=5, label="same optimum")
    axes.plot(rank[good & ~same], above[good & ~same], "s", color=DISTINCT[1], markersize=5, label="other optimum")
    highest = max(float(above[good].max()), 3 * SAME)
    axes.plot(rank[~good], np.full((~good).sum(), highest), "x", color=DISTINCT[4], markersize=6, label="failed")
    axes.set_yscale("symlog", linthresh=SAME)
    axes.set_ylim(-0.2, highest * 1.5)
    axes.yaxis.set_major_locator(
        FixedLocator([0, *(SAME * 10.0**d for d in range(math.ceil(math.log10(highest)) + 1))])
    )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axes.set_xlim(0.4, len(above) + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style(axes)
    axes.set_xlabel("start, by its cost", fontsize=SMALL, color=INK)
    axes.set_ylabel("cost above the best", fontsize=SMALL, color=INK)
    title(figure, "Starts")
    if not same.all():
        present = (True, (good & ~same).any(), (~good).any())
        lines = axes.get_lines()[-3:]
        shown = [line for line, there in zip(lines, present, strict=True) if there]
        figure.legend(handles=shown, loc="lower left", ncols=3, fontsize=TINY, frameon=False, labelcolor=INK)
    return figure


def profiles(of: Fit) -> Figure | None:
    """A panel a profile: the lowest cost at each value of a number; None where none was asked for."""
    if not of.profiles:
        return None
    columns = min(len(of.profiles), 4)
    figure, grid = panels(-(-len(of.profiles) // columns), columns, 2.3, 1.7, below=0.5, gap=0.85)
    free = {f.name: f for f in of.tidy.problem.free}
    for axes, found in zip(grid, of.profiles, strict=False):
        f = free[found.name]
        rise = found.costs - found.costs.min()
        axes.axhline(RISE, color=PALE, linewidth=0.8, linestyle=DASHES[1])
        if math.isfinite(f.spread) and found.values.min() <= f.centre <= found.values.max():
            axes.axvline(f.centre, color=DISTINCT[1], linewidth=1, linestyle=DASHES[3])
        axes.plot(found.values, rise, color=DISTINCT[0], marker="o", markersize=2.8, linewidth=1.3)
        axes.set_ylim(-0.15, min(max(3 * RISE, float(rise.max()) * 1.05), 4 * RISE))
        value_axis(axes, f.scale, found.values)
        style(axes)
        axes.set_title(plain(found.name, 32), fontsize=SMALL, loc="left", color=INK, weight="bold")
        axes.set_xlabel(plain(f.unit, 30), fontsize=TINY, color=INK)
    for k, axes in enumerate(grid):
        axes.set_visible(k < len(of.profiles))
        if k % columns == 0:
            axes.set_ylabel("rise of the cost", fontsize=SMALL, color=INK)
    title(figure, "Profiles")
    return figure


def estimates(of: Fit) -> Figure:
    """Numbers of the network: value and 95 % interval beside the prior, over the prior median."""
    chosen = [k for k, f in enumerate(of.tidy.problem.free) if f.kind == DYNAMIC]
    figure, (axes,) = panels(1, 1, 4.4, max(0.235 * len(chosen), 0.7), below=0.85, left=2.3, top=0.42)
    for row, k in enumerate(chosen):
        f, told = of.tidy.problem.free[k], of.verdicts[k]
        y = len(chosen) - row
        if math.isfinite(f.spread):
            ends = native((f, f), f.to_scale(f.centre) + 1.96 * f.spread * np.array([-1.0, 1.0])) / f.centre
            axes.plot(ends, [y, y], color="#c9ced3", linewidth=7, solid_capstyle="butt", zorder=1)
        colour = DISTINCT[0] if told.determined else DISTINCT[1]
        axes.plot([told.low / f.centre, told.high / f.centre], [y, y], color=colour, linewidth=1.8, zorder=2)
        face = colour if told.determined else "white"
        axes.plot(of.values[k] / f.centre, y, "o", color=colour, markerfacecolor=face, markersize=4.5, zorder=3)
    axes.axvline(1, color=PALE, linewidth=0.8, linestyle=DASHES[3])
    axes.set_yticks(range(len(chosen), 0, -1), [plain(of.tidy.problem.free[k].name, 34) for k in chosen], fontsize=TINY)
    axes.set_ylim(0.4, len(chosen) + 0.6)
    axes.set_xscale("log")
    ratio_axis(axes)
    style(axes)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("value over prior median (log scale)", fontsize=SMALL, color=INK)
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=DISTINCT[0], marker="o", markersize=4.5, label="determined, 95 %"),
        Line2D([], [], color=DISTINCT[1], marker="o", markersize=4.5, markerfacecolor="white", label="not determined"),
        Line2D([], [], color="#c9ced3", linewidth=7, label="prior, 95 %"),
    ]
    figure.legend(handles=handles, loc="lower left", ncols=3, fontsize=TINY, frameon=False, labelcolor=INK)
    title(figure, "Estimates and priors")
    return figure


def residuals(of: Fit) -> Figure:
    """Residuals over noise by dose and by time, and their quantiles beside those of the noise law."""
    from scipy import stats

    wells = of.tidy.wells
    z = (wells.value - of.check.expected) / noise_of(of.tidy, of.x)
    cells = list(dict.fromkeys(wells.cell.tolist()))
    figure, (left, middle, right) = panels(1, 3, 2.75, 2.3, below=0.8, top=0.42)
    treated = wells.dose > 0
    x = np.where(treated, wells.dose, wells.dose[treated].min() / 4)
    rng = np.random.default_rng(0)
    times = sorted(set(wells.time.tolist()))
    at_time = np.searchsorted(times, wells.time) + rng.uniform(-0.25, 0.25, len(wells))
    for k, name in enumerate(cells):
        own = wells.cell == name
        look: dict[str, Any] = {"linestyle": "none", "marker": MARKERS[k % len(MARKERS)], "markersize": 3, "alpha": 0.7}
        look |= {"color": DISTINCT[k % len(DISTINCT)], "markeredgewidth": 0}
        left.plot(x[own] * np.exp(rng.uniform(-0.12, 0.12, own.sum())), np.clip(z[own], -CLIP, CLIP), **look)
        middle.plot(at_time[own], np.clip(z[own], -CLIP, CLIP), label=plain(name, 20), **look)
    left.set_xscale("log")
    dose_ticks(left, wells.dose[treated], None if treated.all() else float(x.min()))
    middle.set_xticks(range(len(times)), [f"{t:g}" for t in times])
    middle.set_xlim(-0.6, len(times) - 0.4)
    for axes in (left, middle):
        axes.axhline(0, color=PALE, linewidth=0.8)
        axes.set_ylim(-CLIP * 1.06, CLIP * 1.06)
    sorted_z = np.sort(z)
    theory = stats.t.ppf((np.arange(len(z)) + 0.5) / len(z), DEGREES)
    limit = min(max(float(np.abs(sorted_z).max()), float(np.abs(theory).max())) * 1.05, 12.0)
    right.plot([-limit, limit], [-limit, limit], color=PALE, linewidth=0.8)
    right.plot(theory, np.clip(sorted_z, -limit, limit), "o", markersize=2.6, color=DISTINCT[0], markeredgewidth=0)
    right.set_xlim(-limit, limit)
    right.set_ylim(-limit, limit)
    for axes, label in ((left, "dose (log scale)"), (middle, "time (min)"), (right, f"Student's t, {DEGREES:g} d.f.")):
        style(axes)
        axes.set_xlabel(label, fontsize=SMALL, color=INK)
    left.set_ylabel("residual over noise", fontsize=SMALL, color=INK)
    right.set_ylabel("residual, sorted", fontsize=SMALL, color=INK)
    handles, names = middle.get_legend_handles_labels()
    figure.legend(
        handles, names, loc="lower left", ncols=min(len(names), 6), fontsize=TINY, frameon=False, labelcolor=INK
    )
    title(figure, "Residuals")
    return figure
