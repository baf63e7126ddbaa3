"""What a figure of a treatment shows: panels with their curves and marks, without knowing how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.report.figure import DISTINCT
from il2.report.panel import DASHES

if TYPE_CHECKING:
    import xarray

MOST_SIDE_BY_SIDE = 4
CELLS = ("Treg", "Th", "CD8", "NK", "NK_CD56bright", "B", "ILC2")
LABELS = {"Th": "Tconv", "NK_CD56bright": "NK CD56bright"}
SIGNAL = ("Treg", "NK")
FALL = "disease_index_change"
HALF_TO_DOUBLE = (1 / 2, 2)
APART = 1.5  # times the usual interval; a longer pause parts two stretches of treatment
COLOUR = dict(zip(CELLS, DISTINCT, strict=True))
PLAIN = "#000000"


@dataclass(frozen=True)
class Line:
    """A curve (times,) with its band (2, times) or none."""

    label: str
    colour: Any
    dash: Any
    values: np.ndarray
    band: np.ndarray | None = None


@dataclass(frozen=True)
class Mark:
    """A level to read curves against."""

    label: str
    colour: Any
    value: float


@dataclass(frozen=True)
class TreatPanel:
    """scale: linear or log. empty: what is said where there is nothing to draw. second: what one unit of the axis is in
    a second unit, and its name. reaches: values that the axis holds at least."""

    title: str
    axis: str
    scale: str
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    empty: str = ""
    second: tuple[float, str] | None = None
    reaches: tuple[float, float] | None = None


@dataclass(frozen=True)
class TreatColumn:
    """Panels from top to bottom. given: when doses are given (d), each with its length and colour."""

    heading: str
    panels: tuple[TreatPanel, ...]
    given: tuple[tuple[float, float, Any], ...] = field(default=())


def columns(data: xarray.Dataset) -> tuple[TreatColumn, ...]:
    """A column per regimen with a curve per cell; of more than four regimens one column with a curve per regimen."""
    names = [str(n) for n in data.regimen.values]
    if len(names) > MOST_SIDE_BY_SIDE:
        return (_together(data, names),)
    titles = data.attrs.get("titles", names)
    return tuple(_column(data, name, str(title)) for name, title in zip(names, titles, strict=True))


def stretches(given: tuple[tuple[float, float, Any], ...]) -> list[tuple[float, float]]:
    """First and last day of each stretch of treatment."""
    times = np.unique([t for t, _, _ in given])
    if not len(times):
        return []
    gaps = np.diff(times)
    cut = np.flatnonzero(gaps > APART * np.median(gaps)) if len(gaps) else np.array([], int)
    starts, ends = times[np.concatenate([[0], cut + 1])], times[np.concatenate([cut, [len(times) - 1]])]
    return [(float(a), float(b)) for a, b in zip(starts, ends, strict=True)]


def _column(data: xarray.Dataset, name: str, title: str) -> TreatColumn:
    one = data.sel(regimen=name)
    kinds = [k for k in CELLS if k in data.cell.values]
    panels = [_levels(data, one)]
    if float(np.nanmax(data.IL2RA_covered.values)) > 0:
        panels.append(_simple(one, "IL2RA covered by antibody", "% of IL2RA", "IL2RA_covered", 100.0, reaches=(0, 100)))
    panels += [
        TreatPanel(
            "Signal in Treg and NK cells", "pSTAT5 (% of STAT5)", "linear",
            tuple(_of_cell(one, "pSTAT5", k, 100.0) for k in SIGNAL if k in kinds),
        ),
        TreatPanel(
            "Cells in blood", "fold of the start", "log",
            tuple(_of_cell(one, "fold", k, band=k in SIGNAL) for k in kinds),
            marks=(Mark("", "#999999", 1.0),), reaches=HALF_TO_DOUBLE,
        ),
        _simple(one, "Eosinophils in blood", "cell/uL", "eosinophils_per_uL"),
        _relative(one),
        _simple(one, "Capillary leak: a direction, no size", "index", "capillary_leak_index", reaches=(0, 1)),
    ]  # fmt: skip
    if FALL in one:
        panels.append(_simple(one, "Fall of disease index: above 0 is better", "% of the start", FALL, 100.0, (0, 10)))
    return TreatColumn(title, tuple(panels), _given(one))


def _together(data: xarray.Dataset, names: list[str]) -> TreatColumn:
    """Curves of regimens on top of one another."""
    shades: list[Any] = list(DISTINCT)
    if len(names) > len(DISTINCT):
        from matplotlib import colormaps

        shades = list(colormaps["viridis"](np.linspace(0, 0.9, len(names))))
    looks = [(n, shades[i], DASHES[i % len(DASHES)]) for i, n in enumerate(names)]

    def panel(title: str, axis: str, variable: str, scale: str, kind: str = "", factor: float = 1.0) -> TreatPanel:
        of = {n: data.sel(regimen=n, cell=kind) if kind else data.sel(regimen=n) for n in names}
        lines = tuple(_line(of[n], variable, n, c, d, factor) for n, c, d in looks)
        return TreatPanel(title, axis, scale, lines, reaches=HALF_TO_DOUBLE if scale == "log" else None)

    panels = []
    for drug in map(str, data.drug.values):
        own = [
            _line(data.sel(regimen=n, drug=drug), "level_nM", n, c, d)
            for n, c, d in looks
            if np.isfinite(data.dose_time_d.sel(regimen=n, drug=drug).values).any()
        ]
        panels.append(TreatPanel(f"{drug} in plasma", "nM", "log", tuple(own)))
    if float(np.nanmax(data.IL2RA_covered.values)) > 0:
        panels.append(panel("IL2RA covered by antibody", "% of IL2RA", "IL2RA_covered", "linear", factor=100.0))
    panels += [
        panel("Treg in blood", "fold of the start", "fold", "log", "Treg"),
        panel("NK cells in blood", "fold of the start", "fold", "log", "NK"),
        panel("Treg over Tconv", "ratio", "Treg_per_Th", "linear"),
        panel("Eosinophils", "cell/uL", "eosinophils_per_uL", "linear"),
        panel("Capillary leak (direction)", "index", "capillary_leak_index", "linear"),
    ]
    if FALL in data:
        panels.append(panel("Fall of disease index: above 0 is better", "% of the start", FALL, "linear", factor=100.0))
    return TreatColumn("", tuple(panels))


def _levels(data: xarray.Dataset, one: xarray.Dataset) -> TreatPanel:
    """Levels of the drugs of a regimen with the levels that half-activate Treg and NK cells or half-cover IL2RA."""
    lines, marks, units = [], [], set()
    drugs = [str(d) for d in data.drug.values] if "level_nM" in data else []
    for i, drug in enumerate(drugs):
        own = one.sel(drug=drug)
        if not np.isfinite(own.dose_time_d.values).any():
            continue
        colour = (PLAIN, "#7f3b08", "#542788", "#666666")[i % 4]
        lines.append(_line(own, "level_nM", drug, colour, DASHES[i % len(DASHES)]))
        for kind in SIGNAL:
            if kind in data.cell.values and np.isfinite(level := float(own.EC50_nM.sel(cell=kind))):
                marks.append(Mark(f"EC50 {LABELS.get(kind, kind)}", COLOUR[kind], level))
        if np.isfinite(level := float(own.half_cover_nM)):
            marks.append(Mark("half of IL2RA covered", COLOUR["Th"], level))
        level, counted = own.level_nM.values, own.level_IU_per_mL.values
        top = int(np.nanargmax(level)) if np.isfinite(level).any() else 0
        units.add(float(counted[top] / level[top]) if level[top] > 0 else np.nan)
    title = f"{lines[0].label} in plasma" if len(lines) == 1 else "Drugs in plasma"
    if len(lines) > 1:
        marks = []  # of which drug they are could not be told
    per = units.pop() if len(units) == 1 else np.nan
    second = (per, "IU/mL") if np.isfinite(per) else None
    return TreatPanel(
        title if lines else "Drug in plasma",
        "nM",
        "log",
        tuple(lines),
        tuple(marks),
        "" if lines else "no drug is given",
        second,
    )


def _relative(one: xarray.Dataset) -> TreatPanel:
    """What tells of effect on Treg and of activation, over its own start."""
    lines = [
        _line(one, "Treg_per_Th_fold", "Treg : Tconv", COLOUR["Treg"], "-"),
        _line(one, "soluble_IL2RA_fold", "soluble IL2RA", COLOUR["B"], DASHES[1]),
    ]
    return TreatPanel("Treg over Tconv, and soluble IL2RA", "fold of the start", "linear", tuple(lines), reaches=(0, 2))


def _simple(
    one: xarray.Dataset,
    title: str,
    axis: str,
    variable: str,
    factor: float = 1.0,
    reaches: tuple[float, float] | None = None,
) -> TreatPanel:
    return TreatPanel(title, axis, "linear", (_line(one, variable, "", PLAIN, "-", factor),), reaches=reaches)


def _of_cell(one: xarray.Dataset, variable: str, kind: str, factor: float = 1.0, band: bool = True) -> Line:
    dash = DASHES[CELLS.index(kind) % 2]
    found = _line(one.sel(cell=kind), variable, LABELS.get(kind, kind), COLOUR[kind], dash, factor)
    return found if band else replace(found, band=None)


def _line(one: xarray.Dataset, variable: str, label: str, colour: Any, dash: Any, factor: float = 1.0) -> Line:
    band = None
    if f"{variable}_low" in one:
        band = factor * np.stack([one[f"{variable}_{end}"].values for end in ("low", "high")])
    return Line(label, colour, dash, factor * one[variable].values, band)


def _given(one: xarray.Dataset) -> tuple[tuple[float, float, Any], ...]:
    if "dose_time_d" not in one:
        return ()
    out = []
    for i in range(one.sizes["drug"]):
        times, lasts = one.dose_time_d.values[i], one.dose_lasts_d.values[i]
        out += [(float(t), float(d), i) for t, d in zip(times, lasts, strict=True) if np.isfinite(t)]
    return tuple(out)
