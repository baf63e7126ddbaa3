"""Figures of a fit: waterfall of the starts, profiles, residuals, estimates and priors; and which curves are drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.fit.free import native
from il2.fit.noise import law
from il2.fit.predictive import over_noise
from il2.fit.profile import RISE
from il2.fit.run import SAME
from il2.fit.tidy import Tidy
from il2.report.figure import DISTINCT
from il2.report.fit_axes import SMALL, TINY, dose_ticks, panels, ratio_axis, style, title, value_axis
from il2.report.fit_doses import over_doses
from il2.report.fit_times import over_times
from il2.report.panel import DASHES, GRID, INK, MARKERS, PALE, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from il2.fit.free import Free
    from il2.fit.made import Made
    from il2.fit.run import Fit

CLIP = 6.0  # residuals further out are drawn at the edge
MOST_GROUPS = 12  # in a legend
MOST_TICKS, FEW_CONDITIONS = 8, 4
PRIOR = "#c9ced3"


def curves(of: Fit) -> list[tuple[str, Figure]]:
    """What a figure shows, and the figure: measured beside fitted."""
    return over_doses(of, of.made) if isinstance(of.made, Tidy) else over_times(of)


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
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
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
    free = {f.name: f for f in of.made.problem.free}
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
        axes.set_xlabel(plain(unit(f), 30) or "value", fontsize=TINY, color=INK)
    for k, axes in enumerate(grid):
        axes.set_visible(k < len(of.profiles))
        if k % columns == 0:
            axes.set_ylabel("rise of the cost", fontsize=SMALL, color=INK)
    title(figure, "Profiles")
    return figure


def estimates(of: Fit) -> Figure:
    """Numbers that the fit is for: value and 95 % interval beside the prior; over the prior median where each is on a
    log scale and has a prior, else as places between the bounds."""
    free = of.made.problem.free
    chosen = [k for k, shown in enumerate(of.made.shown) if shown]
    ratio = all(free[k].scale == "log10" for k in chosen) and isinstance(of.made, Tidy)
    figure, (axes,) = panels(1, 1, 4.4, max(0.235 * len(chosen), 0.7), below=0.85, left=2.3, top=0.42)

    def place(f: Free, *values: float) -> list[float]:
        if ratio:
            return [value / f.centre for value in values]
        low, high = f.to_scale(f.low), f.to_scale(f.high)
        return [(f.to_scale(value) - low) / (high - low) for value in values]

    for row, k in enumerate(chosen):
        f, told = free[k], of.verdicts[k]
        y = len(chosen) - row
        if math.isfinite(f.spread):
            ends = native((f, f), f.to_scale(f.centre) + 1.96 * f.spread * np.array([-1.0, 1.0]))
            axes.plot(place(f, *ends), [y, y], color=PRIOR, linewidth=7, solid_capstyle="butt", zorder=1)
        colour = DISTINCT[0] if told.determined else DISTINCT[1]
        axes.plot(place(f, told.low, told.high), [y, y], color=colour, linewidth=1.8, zorder=2)
        face = colour if told.determined else "white"
        axes.plot(place(f, of.values[k]), [y], "o", color=colour, markerfacecolor=face, markersize=4.5, zorder=3)
    axes.set_yticks(range(len(chosen), 0, -1), [plain(free[k].name, 34) for k in chosen], fontsize=TINY)
    axes.set_ylim(0.4, len(chosen) + 0.6)
    if ratio:
        axes.axvline(1, color=PALE, linewidth=0.8, linestyle=DASHES[3])
        axes.set_xscale("log")
        ratio_axis(axes)
    else:
        axes.set_xlim(-0.02, 1.02)
    style(axes)
    axes.grid(axis="y", visible=False)
    label = "value over prior median (log scale)" if ratio else "place between lower (0) and upper bound (1)"
    axes.set_xlabel(label, fontsize=SMALL, color=INK)
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=DISTINCT[0], marker="o", markersize=4.5, label="determined, 95 %"),
        Line2D([], [], color=DISTINCT[1], marker="o", markersize=4.5, markerfacecolor="white", label="not determined"),
    ]
    if any(math.isfinite(free[k].spread) for k in chosen):
        handles.append(Line2D([], [], color=PRIOR, linewidth=7, label="prior, 95 %"))
    figure.legend(handles=handles, loc="lower left", ncols=3, fontsize=TINY, frameon=False, labelcolor=INK)
    title(figure, "Estimates and priors" if len(handles) > 2 else "Estimates")
    return figure


def unit(f: Free) -> str:
    """Its unit, nothing for a number without one."""
    return "" if f.unit == "dimensionless" else f.unit


def residuals(of: Fit) -> Figure:
    """Residuals over noise by dose or condition and by time, and their quantiles beside those of the noise law."""
    z = over_noise(of.made, of.x, of.check.expected)
    groups = list(dict.fromkeys(of.made.groups.tolist()))
    figure, (left, middle, right) = panels(1, 3, 2.75, 2.3, below=0.8, top=0.42)
    rng = np.random.default_rng(0)
    times = sorted(set(of.made.time.tolist()))
    at_time = np.searchsorted(times, of.made.time) + rng.uniform(-0.25, 0.25, len(z))
    at_left = _by_dose(of.made, left, rng) if isinstance(of.made, Tidy) else _by_condition(of.made, left, rng)
    for k, name in enumerate(groups):
        own = of.made.groups == name
        look: dict[str, Any] = {"linestyle": "none", "marker": MARKERS[k % len(MARKERS)], "markersize": 3, "alpha": 0.7}
        look |= {"color": DISTINCT[k % len(DISTINCT)], "markeredgewidth": 0}
        left.plot(at_left[own], np.clip(z[own], -CLIP, CLIP), **look)
        middle.plot(at_time[own], np.clip(z[own], -CLIP, CLIP), label=plain(str(name), 20), **look)
    step = -(-len(times) // MOST_TICKS)
    middle.set_xticks(range(0, len(times), step), [f"{t:g}" for t in times[::step]])
    middle.set_xlim(-0.6, len(times) - 0.4)
    for axes in (left, middle):
        axes.axhline(0, color=PALE, linewidth=0.8)
        axes.set_ylim(-CLIP * 1.06, CLIP * 1.06)
    sorted_z, degrees = np.sort(z), of.made.problem.degrees
    theory = law(degrees).ppf((np.arange(len(z)) + 0.5) / len(z))
    limit = min(max(float(np.abs(sorted_z).max()), float(np.abs(theory).max())) * 1.05, 12.0)
    right.plot([-limit, limit], [-limit, limit], color=PALE, linewidth=0.8)
    right.plot(theory, np.clip(sorted_z, -limit, limit), "o", markersize=2.6, color=DISTINCT[0], markeredgewidth=0)
    right.set_xlim(-limit, limit)
    right.set_ylim(-limit, limit)
    wells = isinstance(of.made, Tidy)
    labels = (
        "dose (log scale)" if wells else "condition, by its first row", "time (min)" if wells else "time",
        "normal law" if math.isinf(degrees) else f"Student's t, {degrees:g} d.f.",
    )  # fmt: skip
    for axes, label in zip((left, middle, right), labels, strict=True):
        style(axes)
        axes.set_xlabel(label, fontsize=SMALL, color=INK)
    left.set_ylabel("residual over noise", fontsize=SMALL, color=INK)
    right.set_ylabel("residual, sorted", fontsize=SMALL, color=INK)
    handles, names = middle.get_legend_handles_labels()
    figure.legend(
        handles[:MOST_GROUPS], names[:MOST_GROUPS], loc="lower left", ncols=min(len(names), 6), fontsize=TINY,
        frameon=False, labelcolor=INK,
    )  # fmt: skip
    title(figure, "Residuals")
    return figure


def _by_dose(made: Tidy, axes: Axes, rng: np.random.Generator) -> np.ndarray:
    """Where points lie by their dose (n,), untreated wells apart."""
    doses = made.wells.dose
    treated = doses > 0
    x = np.where(treated, doses, doses[treated].min() / 4)
    axes.set_xscale("log")
    dose_ticks(axes, doses[treated], None if treated.all() else float(x.min()))
    return x * np.exp(rng.uniform(-0.12, 0.12, len(x)))


def _by_condition(made: Made, axes: Axes, rng: np.random.Generator) -> np.ndarray:
    """Where points lie by their condition (n,), in the order of the file."""
    names = list(dict.fromkeys(made.labels["condition"].tolist()))
    place = {name: k for k, name in enumerate(names, 1)}
    if len(names) <= FEW_CONDITIONS:
        axes.set_xticks(range(1, len(names) + 1), [plain(str(name), 12) or "–" for name in names])
    axes.set_xlim(0.4, len(names) + 0.6)
    return np.array([place[name] for name in made.labels["condition"]]) + rng.uniform(-0.25, 0.25, len(made))
