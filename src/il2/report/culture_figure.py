"""The figure of a culture: IL-2, cells, divisions and pSTAT5 over time, with bands, as small multiples."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.report.figure import DISTINCT
from il2.report.ground import ground
from il2.report.panel import DASHES, INK, PALE

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from il2.cell.culture_file import Plate

MOST_SIDE_BY_SIDE, MOST_LINES = 4, 12
LEFT, RIGHT, TOP, BELOW, GAP_X, GAP_Y, HIGH, LINE = 0.85, 0.25, 0.75, 0.55, 0.85, 0.5, 1.55, 0.17  # inches
WIDE, DECADES, DAY = 2.5, 4, 24
ROWS = (
    ("IL2_nM", "Free IL-2"),
    ("cells", "Living cells\nper well"),
    ("divisions", "Mean divisions\nof living cells"),
    ("pstat5", "pSTAT5\n(% of STAT5)"),
)


@dataclass(frozen=True)
class Style:
    """How the curve of a well or a kind of cell is drawn."""

    label: str
    colour: Any
    dash: Any


def culture_figure(data: xarray.Dataset, asked: Plate) -> Figure:
    """Up to four wells: columns are wells with a curve per kind of cell; more: columns are kinds of cells with a curve
    per well.

    data: what `culture` returns with bands, or its typical donor (`il2.cell.culture_store.bands`).
    """
    wells, cohorts = ([str(v) for v in data[name].values] for name in ("well", "cohort"))
    side_by_side = len(wells) <= MOST_SIDE_BY_SIDE
    shown = wells if side_by_side else _some(wells)
    names = cohorts if side_by_side else [asked.labels.get(w, w) for w in shown]
    styles = _styles(names)
    columns = shown if side_by_side else cohorts
    notes = _notes(data, len(wells) - len(shown))
    square = len(columns) == 1  # one column of four would be a tower
    wide, high = (2, 2) if square else (len(columns), len(ROWS))
    width = LEFT + wide * WIDE + (wide - 1) * GAP_X + RIGHT
    room = width - LEFT - WIDE - GAP_X - RIGHT  # beside the one panel of IL-2
    per_line, lines = _in_lines(names, room)
    beside = not side_by_side and not square and lines * LINE <= HIGH
    if not beside:
        per_line, lines = _in_lines(names, width - LEFT)
    wrapped = textwrap.wrap(notes, int(14.5 * width))
    below = BELOW + (0 if beside else LINE * lines) + 0.15 * len(wrapped) + 0.15
    height = TOP + high * HIGH + (high - 1) * GAP_Y + below
    figure = _blank(width, height)
    title = textwrap.shorten(asked.title, int(11 * width), placeholder="...")
    figure.text(0.15 / width, 1 - 0.15 / height, title, fontsize=12, weight="bold", va="top", color=INK)
    factor, unit = _unit(data, shown)
    for r, (variable, said) in enumerate(ROWS):
        limits = _limits(data, variable, shown, factor)
        medium = variable == "IL2_nM"
        for c, column in enumerate(columns):
            if medium and not side_by_side and c:
                continue  # all cells of a well share its IL-2
            row, place = divmod(r, 2) if square else (r, c)
            at = LEFT + place * (WIDE + GAP_X), height - TOP - (row + 1) * HIGH - row * GAP_Y
            axes = figure.add_axes((at[0] / width, at[1] / height, WIDE / width, HIGH / height))
            if side_by_side:
                each = [(s, column, k) for s, k in zip(styles, cohorts, strict=True)]
                own = [(Style("", INK, "-"), column, "")] if medium else each
            else:
                own = [(s, well, "" if medium else column) for s, well in zip(styles, shown, strict=True)]
            for style, well, cohort in own:
                _curve(axes, data, (variable, well, cohort), style, factor, 0.16 if len(own) < 5 else 0.09)
            _dress(axes, limits, data.time_h.values)
            if r == (0 if side_by_side or square else 1):
                axes.set_title(_heading(asked, column) if side_by_side else column, fontsize=9.5, color=INK, loc="left")
            if c == 0:
                axes.set_ylabel(f"{said}\n({unit})" if medium else said, fontsize=8.5, color=INK)
            if row == high - 1:
                axes.set_xlabel("Time (h)", fontsize=8.5, color=INK)
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=s.colour, linestyle=s.dash, linewidth=1.8, label=s.label) for s in styles]
    at = (LEFT + WIDE + GAP_X, height - TOP) if beside else (LEFT, below - 0.42)
    anchor = (at[0] / width, at[1] / height)
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=anchor, ncol=per_line, fontsize=8, frameon=False,
        borderaxespad=0, borderpad=0, handlelength=2.2, columnspacing=1.4, labelcolor=INK,
    )  # fmt: skip
    foot = (0.1 + 0.15 * len(wrapped)) / height
    figure.text(0.15 / width, foot, "\n".join(wrapped), fontsize=7.5, color=PALE, va="top", linespacing=1.35)
    return figure


def _in_lines(names: Sequence[str], room: float) -> tuple[int, int]:
    """Names on a line of a legend that is `room` inches wide, and how many lines that makes."""
    per_line = max(1, int(room / (0.55 + 0.075 * max(len(n) for n in names))))
    return per_line, -(-len(names) // per_line)


def _blank(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _some(names: Sequence[str]) -> list[str]:
    """At most twelve of the wells, evenly chosen, the first and the last among them."""
    if len(names) <= MOST_LINES:
        return list(names)
    return [names[i] for i in np.linspace(0, len(names) - 1, MOST_LINES).round().astype(int)]


def _styles(names: Sequence[str]) -> list[Style]:
    """Colours of Okabe and Ito; beyond seven, shades that stay apart for every kind of colour vision."""
    if len(names) <= len(DISTINCT):
        colours: list[Any] = list(DISTINCT)
    else:
        from matplotlib import colormaps

        colours = list(colormaps["viridis"](np.linspace(0, 0.9, len(names))))
    return [Style(name, colours[i], DASHES[i % len(DASHES)]) for i, name in enumerate(names)]


def _heading(asked: Plate, well: str) -> str:
    label = asked.labels.get(well, well)
    return textwrap.shorten(label, 34, placeholder="...") if label != well else well


def _unit(data: xarray.Dataset, wells: Sequence[str]) -> tuple[float, str]:
    """What multiplies nM so that the peak is a number that is easy to read, and the unit."""
    peak = float(np.nan_to_num(data.IL2_nM.sel(well=list(wells)).values).max())
    return (1.0, "nM") if peak >= 1 else (1e3, "pM")


def _values(data: xarray.Dataset, name: str, well: str, cohort: str, factor: float) -> np.ndarray:
    own = data[name].sel(well=well)
    values = (own.sel(cohort=cohort) if cohort else own).values
    return values * (100.0 if name.startswith("pstat5") else factor if name.startswith("IL2_nM") else 1.0)


def _curve(
    axes: Axes, data: xarray.Dataset, what: tuple[str, str, str], style: Style, factor: float, band: float
) -> None:
    """The line and the band of a variable of a well and its cells."""
    name, well, cohort = what
    times, values = data.time_h.values, _values(data, name, well, cohort, factor)
    absent = cohort and not data.cells.sel(well=well, cohort=cohort).values[0] > 0
    if absent or np.isnan(values).all():
        return
    axes.plot(times, values, color=style.colour, linestyle=style.dash, linewidth=1.6)
    if f"{name}_low" in data:
        low, high = (_values(data, f"{name}_{end}", well, cohort, factor) for end in ("low", "high"))
        axes.fill_between(times, low, high, color=style.colour, alpha=band, linewidth=0)


def _limits(data: xarray.Dataset, name: str, wells: Sequence[str], factor: float) -> tuple[str, float, float]:
    """Scale and ends of an axis that all panels of a row share; it is logarithmic where IL-2 or cells span decades."""
    names = [n for n in (name, f"{name}_low", f"{name}_high") if n in data]
    scale = 100.0 if name == "pstat5" else factor if name == "IL2_nM" else 1.0
    found = np.concatenate([data[n].sel(well=list(wells)).values.ravel() for n in names]) * scale
    top = float(np.nanmax(found)) if np.isfinite(found).any() else 1.0
    if top <= 0:
        return "linear", 0.0, 1.0
    above = found[np.isfinite(found) & (found > top / 10**DECADES)]
    low = float(above.min())
    if name in ("IL2_nM", "cells") and top / low > 30:
        return "log", low / 1.5, top * 1.6
    return "linear", 0.0, top * 1.08


def _dress(axes: Axes, limits: tuple[str, float, float], times: np.ndarray) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    scale, low, high = limits
    first, last = float(times[0]), float(times[-1])
    axes.set_yscale(scale)
    axes.set_ylim(low, high)
    axes.set_xlim(first, last)
    step = DAY * max(1, round(last / DAY / 5))
    axes.set_xticks(np.arange(0, last + 1, step) if last >= 2 * DAY else np.linspace(0, last, 5))
    drawn = [np.asarray(line.get_ydata()) for line in axes.lines]
    if drawn and scale == "log" and all(np.nanmax(y) < low for y in drawn):
        axes.text(0.5, 0.08, "below the axis", transform=axes.transAxes, fontsize=8, color=PALE, ha="center")
    if scale == "linear":
        thousands = high >= 10**4
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda v, _: f"{v / 1e3:,.4g}k" if thousands and v else f"{v:.4g}")
        )
    ground(axes)


def _notes(data: xarray.Dataset, left_out: int) -> str:
    attrs = data.attrs
    band = f"Lines: the typical donor; bands: {attrs['band']} ({attrs['donors']} donors, {attrs['draws']} draws). "
    told = band if attrs.get("band") else "Lines: the typical donor of the default set. "
    more = f"{left_out} more wells are in the table. " if left_out > 0 else ""
    return (
        f"{told}{more}Parameter set {attrs['parameter_set']} ({attrs['parameter_hash']}), {attrs['species']}, seed "
        f"{attrs['seed']}, weakest grade {attrs['weakest_grade']}."
    )
