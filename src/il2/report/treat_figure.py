"""The figure of a treatment: drug level, receptors, cells and harm over time, one column of panels per regimen."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.knowledge.quantity import quantity
from il2.report.ground import ground
from il2.report.panel import INK, PALE, plain
from il2.report.treat_panels import TreatColumn, TreatPanel, columns, stretches

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT, TOP, BELOW, GAP_X, GAP_Y, HIGH = 0.8, 1.6, 0.75, 0.75, 0.45, 0.5, 1.3  # inches
HEADING = 0.28  # inches, above columns of several regimens
WIDTHS = {1: 5.6, 2: 4.0, 3: 3.1, 4: 2.7}  # of a panel, by the number of columns
DECADES, SHORT_d, SHADE = 4, 3, "#eef1f4"
BELOW_LOG, ABOVE_LOG, ABOVE_MARK = 1.6, 1.8, 4
STEPS, MOST_TICKS = (1, 2, 3, 4, 6, 7, 14, 28, 56, 84, 168, 364, 728), 8  # of the axis of time: whole weeks
CLEAR = 0.135  # between direct labels, share of the height of a panel


def treat_figure(data: xarray.Dataset) -> Figure:
    """A column of panels per regimen, or of more than four regimens one column with a curve for each.

    data: what `treat` returns. Bands are drawn where it has them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = columns(data)
    wide, rows = WIDTHS[len(shown)], max(len(c.panels) for c in shown)
    width = LEFT + len(shown) * wide + (len(shown) - 1) * GAP_X + RIGHT
    notes = textwrap.wrap(_notes(data, any(c.given for c in shown)), int(14.5 * width))
    below = BELOW + 0.15 * len(notes)
    top = TOP + (HEADING if len(shown) > 1 else 0)
    height = top + rows * HIGH + (rows - 1) * GAP_Y + below
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    title = _title(data)
    figure.text(
        0.15 / width, 1 - 0.13 / height, plain(title, int(11 * width)), fontsize=12, weight="bold", va="top", color=INK
    )
    times, unit = _times(data)
    limits = [_limits([c.panels[r] for c in shown]) for r in range(rows)]
    for c, column in enumerate(shown):
        for r, panel in enumerate(column.panels):
            at = LEFT + c * (wide + GAP_X), height - top - (r + 1) * HIGH - r * GAP_Y
            axes = figure.add_axes((at[0] / width, at[1] / height, wide / width, HIGH / height))
            _shade(axes, column, times, data, first=r == 0)
            _draw(axes, panel, times, limits[r], last=c == len(shown) - 1)
            _dress(axes, times)
            if c == 0:
                axes.set_ylabel("\n".join(textwrap.wrap(panel.axis, 18)), fontsize=8, color=INK)
            else:
                axes.tick_params(labelleft=False)
            axes.set_title(panel.title, fontsize=9, color=INK, loc="left", pad=12 if r == 0 and column.given else 4)
            if r == 0 and len(shown) > 1:
                heading = plain(column.heading, int(wide / 0.085))
                axes.text(0, 1.32, heading, transform=axes.transAxes, fontsize=9.5, weight="bold", color=INK)
            if r == len(column.panels) - 1:
                axes.set_xlabel(f"Time ({unit})", fontsize=8.5, color=INK)
            else:
                axes.tick_params(labelbottom=False)
    foot = (0.1 + 0.15 * len(notes)) / height
    figure.text(0.15 / width, foot, "\n".join(notes), fontsize=7.5, color=PALE, va="top", linespacing=1.35)
    return figure


def _title(data: xarray.Dataset) -> str:
    titles = data.attrs.get("titles", [])
    said = str(titles[0]) if len(titles) == 1 else f"{len(titles)} regimens"
    return f"{said} · virtual patient: {data.attrs['person']}"


def _times(data: xarray.Dataset) -> tuple[np.ndarray, str]:
    """Times in days, or in hours of a short run."""
    days = data.time_d.values
    short = days[-1] <= SHORT_d
    return (days * quantity("hours_per_day").value, "h") if short else (days, "d")


def _limits(panels: Sequence[TreatPanel]) -> tuple[float, float]:
    """Ends of an axis that the panels of a row share."""
    found = [line.values for p in panels for line in p.lines]
    found += [line.band.ravel() for p in panels for line in p.lines if line.band is not None]
    values = np.concatenate(found) if found else np.zeros(1)
    values = values[np.isfinite(values)]
    top = float(values.max()) if len(values) else 0.0
    log = panels[0].scale == "log"
    marks = [m.value for p in panels for m in p.marks]
    if not log:
        least = max((p.reaches[1] for p in panels if p.reaches), default=0.0)
        return min(0.0, float(values.min(initial=0.0))), max(1.06 * top, 1.04 * least) or 1.0
    if top <= 0:
        return 0.1, 10.0
    above = values[values > top / 10**DECADES]
    low, high = float(above.min()), top
    near = [m for m in marks if low / 10**DECADES < m < top * 10**DECADES]
    near += [end for p in panels for end in p.reaches or ()]
    above_marks = ABOVE_MARK if any(p.marks[0].label for p in panels if p.marks) else 1.0  # room for their labels
    return min([low, *near]) / BELOW_LOG, max([high, *(above_marks * m for m in near)]) * ABOVE_LOG


def _shade(axes: Axes, column: TreatColumn, times: np.ndarray, data: xarray.Dataset, first: bool) -> None:
    """Stretches of treatment behind the curves, and a tick above the first panel for every dose."""
    scale = times[-1] / data.time_d.values[-1]
    thin = 0.004 * times[-1]
    for a, b in stretches(column.given):
        axes.axvspan(a * scale, max(b * scale, a * scale + thin), color=SHADE, linewidth=0, zorder=0)
    if first and column.given:
        for when, lasts, _ in column.given:
            if when < data.time_d.values[-1]:
                end = max((when + lasts) * scale, when * scale)
                axes.plot(
                    [when * scale, end], [1.05, 1.05], transform=axes.get_xaxis_transform(), color=PALE, marker="|",
                    markersize=5, markeredgewidth=0.8, linewidth=3 if lasts else 0, clip_on=False,
                    solid_capstyle="butt",
                )  # fmt: skip


def _draw(axes: Axes, panel: TreatPanel, times: np.ndarray, limits: tuple[float, float], last: bool) -> None:
    axes.set_yscale(panel.scale)
    axes.set_ylim(*limits)
    axes.set_xlim(float(times[0]), float(times[-1]))
    labels: list[tuple[float, str, Any]] = []
    for line in panel.lines:
        y = np.where(line.values > 0, line.values, np.nan) if panel.scale == "log" else line.values
        if line.band is not None:
            low, high = np.maximum(line.band, limits[0]) if panel.scale == "log" else line.band
            axes.fill_between(times, low, high, color=line.colour, alpha=0.14, linewidth=0)
        axes.plot(times, y, color=line.colour, linestyle=line.dash, linewidth=1.4)
        if line.label and np.isfinite(y).any():
            labels.append((float(y[np.isfinite(y)][-1]), line.label, line.colour))
    for mark in panel.marks:
        inside = limits[0] < mark.value < limits[1]
        if inside:
            axes.axhline(mark.value, color=mark.colour, linewidth=0.9, linestyle=(0, (2, 2)), zorder=4)
    if panel.empty:
        axes.text(0.5, 0.5, panel.empty, transform=axes.transAxes, fontsize=9, color=PALE, ha="center", va="center")
    _name_marks(axes, panel, limits)
    if last and len(labels) > 1:
        _label(axes, labels, limits, panel.scale)
    if panel.second is not None and last:
        _second(axes, *panel.second)


def _place(value: float, limits: tuple[float, float], scale: str) -> float:
    """Where a value lies on an axis, 0 to 1."""
    low, high = limits
    v = min(max(value, low), high)
    return float(np.log(v / low) / np.log(high / low)) if scale == "log" else (v - low) / (high - low)


def _name_marks(axes: Axes, panel: TreatPanel, limits: tuple[float, float]) -> None:
    """Names of levels at the right end within the panel, above their lines; near ones share a line of text."""
    rows = sorted((_place(m.value, limits, panel.scale), m) for m in panel.marks if m.label and m.value < limits[1])
    groups: list[list[Any]] = []
    for at, mark in rows:
        if groups and at - groups[-1][-1][0] < CLEAR:
            groups[-1].append((at, mark))
        else:
            groups.append([(at, mark)])
    for group in groups:
        text = " and ".join(plain(m.label, 30) for _, m in group)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
        axes.text(
            0.995, group[-1][0] + 0.025, text, transform=axes.transAxes, fontsize=7.5, ha="right", va="bottom",
            color=group[0][1].colour if len(group) == 1 else INK, bbox=box, zorder=5,
        )  # fmt: skip


def _label(axes: Axes, labels: list[tuple[float, str, Any]], limits: tuple[float, float], scale: str) -> None:
    """Labels at the right end of curves, moved apart, each tied to its curve."""
    rows = sorted((_place(value, limits, scale), text, colour) for value, text, colour in labels)
    at = [y for y, _, _ in rows]
    for i in range(1, len(at)):
        at[i] = max(at[i], at[i - 1] + CLEAR)
    at[-1] = min(at[-1], 1.02)
    for i in range(len(at) - 2, -1, -1):
        at[i] = min(at[i], at[i + 1] - CLEAR)
    for (y, text, colour), moved in zip(rows, at, strict=True):
        axes.plot([1.0, 1.04], [y, moved], transform=axes.transAxes, color=colour, linewidth=0.7, clip_on=False)
        axes.text(1.05, moved, plain(text, 22), transform=axes.transAxes, fontsize=8, color=colour, va="center")


def _second(axes: Axes, per: float, unit: str) -> None:
    other = axes.secondary_yaxis("right", functions=(lambda y: np.multiply(y, per), lambda y: np.divide(y, per)))
    from matplotlib.ticker import FuncFormatter, NullLocator

    other.set_ylabel(unit, fontsize=8, color=INK, labelpad=2)
    other.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    other.yaxis.set_minor_locator(NullLocator())
    other.tick_params(labelsize=8, colors=INK, length=3)
    other.spines["right"].set_visible(False)


def _dress(axes: Axes, times: np.ndarray) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    last = float(times[-1])
    step = next((s for s in STEPS if last / s <= MOST_TICKS), last / MOST_TICKS)
    axes.set_xticks(np.arange(0, last + step / 100, step))
    if axes.get_yscale() == "log":
        low, high = axes.get_ylim()
        near = high / low < 100
        axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if near else (1,), numticks=8))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.4g}"))
    ground(axes)


def _notes(data: xarray.Dataset, marked: bool) -> str:
    attrs = data.attrs
    bands = (
        f"Lines: the default set; bands: {attrs['band']} ({attrs['draws']}, seed {attrs['seed']}), of cells those of "
        "Treg and NK. "
    )
    marks = (
        "Ticks above: doses; shaded: from the first to the last dose of a stretch. Dotted: level for half of the most "
        "pSTAT5 of a cell, or that covers half of IL2RA. "
    )
    return (
        f"{attrs['research_use']} {bands if attrs['band'] else ''}{marks if marked else ''}Parameter set "
        f"{attrs['parameter_set']} ({attrs['parameter_hash']}), weakest grade {attrs['weakest_grade']}."
    )
