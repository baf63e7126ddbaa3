"""Figures of a population: bands over time, responders over dose and exposure, predictive check, arms of a trial."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.knowledge.parameters import CURRENT, fingerprint
from il2.patient.arm import levels
from il2.patient.cohort import PEAK
from il2.patient.notice import RESEARCH_USE
from il2.patient.results import Results, rising
from il2.report.figure import DISTINCT
from il2.report.ground import ground
from il2.report.panel import DASHES, INK, PALE, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from il2.patient.population import Record

LEFT, RIGHT, TOP, BELOW, GAP_X, GAP_Y, WIDE, HIGH, LINE = 0.75, 0.25, 0.8, 0.6, 0.75, 0.75, 2.4, 1.6, 0.165  # inches
COLUMNS, LONGEST = 3, 42
WORDS = {
    "eosinophils": "Eosinophils (cell/uL)", "soluble_IL2RA": "Soluble IL2RA (nM)", "IL2RA_free": "IL2RA free (share)",
    "disease_index_change": "Fall of disease index (above 0: better)",
    "capillary_leak_index": "Index of capillary leak (direction)", "IL2_nM": "IL-2 of tissue (nM)",
}  # fmt: skip
DAYS, SHARE = "Day", "Responders (%)"


def figures(found: Results) -> dict[str, Figure]:
    """Every figure that the tables allow, by the name of its file."""
    out = {"bands": bands(found)}
    if found.asked.dosed:
        out["dose_response"] = dose_response(found)
    if found.exposure_response:
        out["exposure_response"] = exposure_response(found)
    if found.check:
        out["predictive_check"] = predictive_check(found)
    if found.trial:
        out["trial"] = trial(found)
    return out


def bands(found: Results) -> Figure:
    """A panel a readout: the median of patients and the middle 50 and 90 % of them; of several arms the 90 % alone."""
    left_out = {*levels(found.settings["drugs"]), "IL2_nM"}
    names = [name for name in found.settings["readouts"] if name not in left_out and _moves(found, name)]
    arms = [one["name"] for one in found.settings["arms"]]
    note = "Points: medians over patients on the days that were kept; bands: the middle 90 %"
    note += " and 50 %." if len(arms) == 1 else " of each arm."
    figure, axes = _grid(names, "Virtual patients over time", arms, note)
    for panel, name in zip(axes, names, strict=True):
        for arm, colour, dash in _styles(arms):
            rows = [r for r in found.percentiles if r["arm"] == arm and r["readout"] == name]
            day = [r["time_d"] for r in rows]
            p5, p25, p50, p75, p95 = _columns(rows, "p5", "p25", "p50", "p75", "p95")
            panel.fill_between(day, p5, p95, color=colour, alpha=0.16, linewidth=0)
            if len(arms) == 1:
                panel.fill_between(day, p25, p75, color=colour, alpha=0.22, linewidth=0)
            panel.plot(day, p50, color=colour, linestyle=dash, linewidth=1.5, marker=".", markersize=4)
        _dress(panel, _word(name), DAYS)
        if panel.dataLim.y0 >= 0:
            panel.set_ylim(bottom=0)
    return figure


def dose_response(found: Results) -> Figure:
    """Responders and the peaks of cells over the dose."""
    doses, on_axis = found.asked.dosed, rising(found.asked.dosed)
    x = np.array([d.amount for d in doses]) if on_axis else np.arange(len(doses)) + 1.0
    unit = f"Dose ({doses[0].unit}{'/' if doses[0].per else ''}{doses[0].per})" if on_axis else "Dose"
    criteria = [c.text for c in found.asked.criteria]
    peaks = [f"fold_{c} {PEAK}" for c in ("Treg", "NK", "CD8", "eosinophil")]
    note = f"Bars: exact {found.asked.level:g} % intervals of shares; for folds the middle 90 % of patients."
    figure, axes = _grid([*criteria, *peaks], "Dose-response", [], note)
    by_arm = [str(d) for d in doses]
    for panel, text in zip(axes, criteria, strict=False):
        rows = _in_order(found.responders, "criterion", text, by_arm)
        _bars(panel, x, rows, ("share", "low", "high"), DISTINCT[0], 100)
        _dress(panel, text, unit)
        panel.set_ylabel(SHARE, fontsize=8.5, color=INK)
        panel.set_ylim(-2, 102)
    for panel, text in zip(axes[len(criteria) :], peaks, strict=True):
        rows = _in_order(found.spread, "variable", text, by_arm)
        _bars(panel, x, rows, ("p50", "p5", "p95"), DISTINCT[1])
        _dress(panel, _word(text), unit)
        panel.set_ylim(bottom=0)
    for panel in axes:
        _dose_axis(panel, x, by_arm if not on_axis else None)
    return figure


def exposure_response(found: Results) -> Figure:
    """Shares of responders in bins of exposure with the logistic curve."""
    rows = found.exposure_response
    note = f"Bars: exact {found.asked.level:g} % intervals in bins of equal numbers of patients."
    note += " Line: logistic in ln exposure."
    figure, (panel,) = _grid([""], "Exposure-response", [], note, columns=1, wide=4.2, high=2.7)
    x = np.array([r["median"] for r in rows])
    _bars(panel, x, rows, ("share", "low", "high"), DISTINCT[0], 100, joined=False)
    if found.curve is not None and np.isfinite(found.curve.slope):
        fine = np.geomspace(rows[0]["from"], rows[-1]["to"], 200)
        panel.plot(fine, 100 * found.curve.of(fine), color=DISTINCT[1], linewidth=1.6)
    panel.set_xscale("log")
    text = rows[0]["exposure"]
    name = re.sub("_(first|last)$", r", \1 dose", text)
    _dress(panel, rows[0]["criterion"], f"{name}{_unit(text)}")
    _ticks_within_decades(panel)
    panel.set_ylabel(SHARE, fontsize=8.5, color=INK)
    panel.set_ylim(-2, 102)
    return figure


def predictive_check(found: Results) -> Figure:
    """A panel an arm and readout: measured percentiles over bands of the same percentiles of virtual trials."""
    pairs = list(dict.fromkeys((r["arm"], r["readout"]) for r in found.check))
    note = (
        "Points: percentiles 5, 50 and 95 of the measurements (ends only from 10 up). Bands: the middle 90 % of the "
        "same percentiles over virtual trials of as many patients. Lines: percentiles of all virtual patients."
    )
    several = len({arm for arm, _ in pairs}) > 1
    figure, axes = _grid([str(p) for p in pairs], "Visual predictive check", [], note)
    for panel, (arm, readout) in zip(axes, pairs, strict=True):
        rows = [r for r in found.check if (r["arm"], r["readout"]) == (arm, readout)]
        day, enough = np.array([r["time_d"] for r in rows]), np.array([r["measured"] >= 10 for r in rows])
        for p, colour in (("p5", DISTINCT[0]), ("p50", DISTINCT[1]), ("p95", DISTINCT[0])):
            shown = enough if p != "p50" else np.ones_like(enough)
            low, high, middle = _columns(rows, f"simulated_{p}_low", f"simulated_{p}_high", f"simulated_{p}")
            wide = 0.35 if len(day) == 1 else 0.0
            panel.fill_between(
                _spread(day, wide), _double(low, wide), _double(high, wide), where=_double(shown, wide), color=colour,
                alpha=0.2, lw=0,
            )  # fmt: skip
            panel.plot(_spread(day, wide), _double(middle, wide), color=colour, linewidth=1.1)
            (seen,) = _columns(rows, f"measured_{p}")
            panel.plot(day[shown], seen[shown], "o", color=colour, ms=6, mec="white", mew=0.6, clip_on=False, zorder=4)
        _dress(panel, f"{arm}: {_word(readout)}" if several else _word(readout), DAYS)
        if len(day) == 1:
            panel.set_xticks(day)
        panel.set_ylim(bottom=0)
    return figure


def trial(found: Results) -> Figure:
    """A panel an endpoint: its estimate in each arm, with interval."""
    endpoints = list(dict.fromkeys(r["endpoint"] for r in found.trial))
    arms = [one["name"] for one in found.settings["arms"]]
    level = found.trial[0]["level_percent"]
    note = f"Bars: {level:g} % intervals. Links to outcomes are calibrations and predict nothing."
    high = max(0.9, 0.32 * len(arms) + 0.3)
    longest = max(len(a) for a in arms)
    left = min(2.2, 0.35 + 0.075 * longest)
    figure, axes = _grid(endpoints, "Virtual trial", [], note, columns=2, left=left, gap=left + 0.1, high=high)
    for panel, endpoint in zip(axes, endpoints, strict=True):
        rows = _in_order(found.trial, "endpoint", endpoint, arms)
        scale = 100.0 if rows[0]["kind"] == "share" else 1.0
        middle, low, high_ = (scale * c for c in _columns(rows, "estimate", "low", "high"))
        place = -np.arange(len(arms))
        panel.errorbar(middle, place, xerr=_errors(middle, low, high_), fmt="o", color=DISTINCT[0], ms=5, capsize=3)
        label = f" ({rows[0]['label']})" if rows[0]["label"] else ""
        _dress(panel, f"{endpoint}{label}", "Patients (%)" if scale > 1 else f"Mean{_unit(endpoint)}")
        panel.set_yticks(place, [plain(a, 26) for a in arms])
        panel.set_ylim(-len(arms) + 0.4, 0.6)
        if scale > 1:
            panel.set_xlim(-3, 103)
    return figure


def _grid(
    titles: Sequence[str], title: str, arms: Sequence[str], note: str, *, columns: int = COLUMNS, wide: float = WIDE,
    high: float = HIGH, left: float = LEFT, gap: float = GAP_X,
) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """A blank figure with a panel for each title, a legend of several arms, and the note."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    across = max(1, min(columns, len(titles)))
    down = -(-len(titles) // across) if titles else 1
    width = max(5.2, left + across * wide + (across - 1) * gap + RIGHT)
    told = f"{note} {RESEARCH_USE} Parameter set {CURRENT} ({fingerprint()})."
    wrapped = textwrap.wrap(told, int(14.5 * width))
    legend = list(arms) if len(arms) > 1 else []
    per_line = max(1, int((width - 0.4) / (0.6 + 0.075 * max((min(len(a), 40) for a in legend), default=1))))
    below = BELOW + LINE * (-(-len(legend) // per_line)) + 0.15 * len(wrapped) + 0.1
    height = TOP + down * high + (down - 1) * GAP_Y + below
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.15 / width, 1 - 0.15 / height, title, fontsize=12, weight="bold", va="top", color=INK)
    axes = []
    for n in range(len(titles)):
        row, column = divmod(n, across)
        x, y = left + column * (wide + gap), height - TOP - (row + 1) * high - row * GAP_Y
        axes.append(figure.add_axes((x / width, y / height, wide / width, high / height)))
    if legend:
        handles = [
            Line2D([], [], color=c, linestyle=d, linewidth=1.8, label=plain(a, 40)) for a, c, d in _styles(legend)
        ]
        at = (0.15 / width, (below - BELOW + 0.1) / height)
        figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=at, ncol=per_line, fontsize=8, frameon=False,
            borderpad=0, borderaxespad=0, handlelength=2.2, columnspacing=1.4, labelcolor=INK,
        )  # fmt: skip
    foot = (0.1 + 0.15 * len(wrapped)) / height
    figure.text(0.15 / width, foot, "\n".join(wrapped), fontsize=7.5, color=PALE, va="top", linespacing=1.35)
    return figure, axes


def _styles(arms: Sequence[str]) -> list[tuple[str, Any, Any]]:
    """Colours of Okabe and Ito; beyond seven, shades that stay apart for every kind of colour vision."""
    if len(arms) <= len(DISTINCT):
        colours: list[Any] = list(DISTINCT)
    else:
        from matplotlib import colormaps

        colours = list(colormaps["viridis"](np.linspace(0, 0.9, len(arms))))
    return [(arm, colours[i], DASHES[i % len(DASHES)]) for i, arm in enumerate(arms)]


def _dress(axes: Axes, title: str, x: str) -> None:
    axes.set_title(plain(title, LONGEST), fontsize=9, color=INK, loc="left")
    axes.set_xlabel(x, fontsize=8.5, color=INK)
    if x == DAYS:
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=(1, 2, 4, 7, 10), integer=True))
    ground(axes)


def _dose_axis(axes: Axes, x: np.ndarray, names: Sequence[str] | None) -> None:
    from matplotlib.ticker import NullLocator

    if names is None and x[-1] / x[0] > 3:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(x[0] / 1.25, x[-1] * 1.25)
    axes.set_xticks(x, names or [f"{v:g}" for v in x], rotation=30 if names else 0)


def _bars(
    axes: Axes, x: np.ndarray, rows: Sequence[Record], names: tuple[str, str, str], colour: str, scale: float = 1.0,
    *, joined: bool = True,
) -> None:  # fmt: skip
    """Points over x with bars; names: of the middle and the two ends."""
    middle, low, high = (scale * c for c in _columns(rows, *names))
    look = "o-" if joined else "o"
    axes.errorbar(x, middle, yerr=_errors(middle, low, high), fmt=look, color=colour, ms=4, lw=1.1, capsize=2.5)


def _errors(middle: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.maximum(np.stack([middle - low, high - middle]), 0.0)


def _spread(day: np.ndarray, wide: float) -> np.ndarray:
    """One day alone as a short stretch, so that its band can be seen."""
    return np.concatenate([day - wide, day + wide]) if wide else day


def _double(values: np.ndarray, wide: float) -> np.ndarray:
    return np.concatenate([values, values]) if wide else values


def _columns(rows: Sequence[Record], *names: str) -> list[np.ndarray]:
    return [np.array([r[name] for r in rows], float) for name in names]


def _in_order(rows: Sequence[Record], key: str, value: str, arms: Sequence[str]) -> list[Record]:
    own = {r["arm"]: r for r in rows if r[key] == value}
    return [own[arm] for arm in arms]


def _unit(text: str) -> str:
    """Unit of a number of a patient as it stands behind its name."""
    if "AUC" in text:
        return " (nM d)"
    if "Cmax" in text or text.split()[0].endswith("_nM"):
        return " (nM)"
    return " (cell/uL)" if text.startswith(("count_", "eosinophils")) else ""


def _ticks_within_decades(axes: Axes) -> None:
    """Labels at 1, 2 and 5 of each decade of a logarithmic axis, which do not run into each other."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _moves(found: Results, name: str) -> bool:
    """Whether a readout differs over time or people."""
    ends = [v for r in found.percentiles if r["readout"] == name for v in (r["p5"], r["p95"])]
    return bool(ends) and max(ends) > min(ends)


def _word(name: str) -> str:
    if name in WORDS:
        return WORDS[name]
    kind, _, rest = name.partition("_")
    if kind == "count":
        return f"{_plain(rest)} (cell/uL)"
    if kind == "fold":
        return f"{_plain(rest)}, over start"
    return _plain(name.replace("_nM", " (nM)"))


def _plain(name: str) -> str:
    text = name.replace("_", " ")
    return text if text.startswith("pSTAT") else text[:1].upper() + text[1:]
