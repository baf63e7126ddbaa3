"""Figures of responses: a panel per cell, the model as lines and published measurements as markers."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.cell.ec50 import ec50
from il2.cell.measured import ORIGINS, comparable, measured_ec50, origin, points, scale
from il2.cell.respond import BAND
from il2.cell.table import readout
from il2.errors import Il2Error, did_you_mean
from il2.files import whole_file
from il2.report.conditions import UNCOMPARED, brief, label, labels, readouts, sentences
from il2.report.panel import Curve, Panel, Points, concentration, small_multiples

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

FORMATS = {".png": "png", ".svg": "svg"}
EC50_TIME_min = 30.0
LONGEST_IN_AXIS = 15
DISTINCT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")  # Okabe and Ito 2008
SCALING = (
    "Measured values ({}) are fluorescence over the untreated well, or over the least value where there is none, "
    "brought to the model by one factor per cell and replicate over all its doses and times shown: shapes and EC50s "
    "can be compared, heights cannot."
)
OWN_SCALE = "Every panel has its own vertical scale."
LOG_SCALE = "It is logarithmic, as the bands are wide; what lies below it is not shown."
UNMEASURED = (
    f"No measurements of these cells, ligands, doses and times are in the tables ({', '.join(ORIGINS.values())})."
)


def response_figure(data: xarray.Dataset, *, ligand: str | None = None) -> Figure:
    """A panel per cell and a line per time for one ligand of what `respond` returns; default the first.

    Raises Il2Error for a ligand that the data do not hold.
    """
    names = [str(name) for name in data.ligand.values]
    if ligand is not None and ligand not in names:
        raise Il2Error(f"no ligand {ligand!r} in the data", how=did_you_mean(ligand, names))
    i, times = 0 if ligand is None else names.index(ligand), data.time_min.values
    panels = []
    for j, cell in enumerate(data.cell.values):
        measured = scaled_points(data, i, j)
        curves = [
            _curve(data, (i, j, k), f"{time:g} min", colour, k, measured)
            for k, (time, colour) in enumerate(zip(times, _shades(len(times)), strict=True))
        ]
        panels.append(Panel(str(cell), _ec50_note(data, i, j), curves))
    shown = [readout(data, names[i])]
    dose = f"{names[i]} dose" if len(names[i]) <= LONGEST_IN_AXIS else "Ligand dose"
    return _figure(data, panels, f"{names[i]}{brief(data)}: {label(shown[0])} by cell", dose, shown)


def comparison_figure(data: xarray.Dataset, *, time_min: float | None = None) -> Figure:
    """A panel per cell and a line per ligand at one time; default the first.

    Raises Il2Error for a time that the data do not hold.
    """
    times = [float(time) for time in data.time_min.values]
    if time_min is not None and time_min not in times:
        raise Il2Error(f"no time {time_min:g} min in the data", how="Known: " + ", ".join(f"{t:g}" for t in times))
    k = 0 if time_min is None else times.index(time_min)
    panels, shown = [], readouts(data)
    several = len(set(shown)) > 1
    for j, cell in enumerate(data.cell.values):
        curves = [
            _curve(
                data,
                (i, j, k),
                f"{name}, {label(shown[i])}" if several else str(name),
                DISTINCT[i % len(DISTINCT)],
                i,
                scaled_points(data, i, j),
            )
            for i, name in enumerate(data.ligand.values)
        ]
        panels.append(Panel(str(cell), "", curves))
    what = "phosphorylated STAT" if several else label(shown[0])
    title = f"Ligands{brief(data)}, {times[k]:g} min: {what} by cell"
    return _figure(data, panels, title, "Ligand dose", shown)


def save(figure: Figure, path: str | Path) -> None:
    """Write PNG or SVG, as the suffix says, whole or not at all; Il2Error for another suffix or an unwritable place."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise Il2Error(f"unknown figure format {suffix!r}", where=str(path), how="End the name in .png or .svg.")
    content = render(figure, FORMATS[suffix])
    with whole_file(Path(path)) as temporary:
        temporary.write_bytes(content)


def render(figure: Figure, format: str = "png", dpi: int = 150) -> bytes:
    """The figure as PNG or SVG; the same figure gives the same bytes."""
    from matplotlib import rc_context

    out = io.BytesIO()
    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "il2"}):
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        options = {"metadata": {"Date": None}} if format == "svg" else {"pil_kwargs": {"compress_level": 2}}
        figure.savefig(out, format=format, dpi=dpi, **options)
    return out.getvalue()


def scaled_points(data: xarray.Dataset, i: int, j: int) -> dict[tuple[str, float], Points]:
    """(replicate, time) -> doses and measurements in percent of the STAT, within the doses and times of the model.

    A replicate has one factor over all its doses and times.
    """
    ligand, cell = str(data.ligand.values[i]), str(data.cell.values[j])
    doses, model = _rising(data, data[readout(data, ligand)].values[i, j])
    times = [float(time) for time in data.time_min.values]
    found: dict[str, list[tuple]] = {}
    measured = points(ligand, cell) if comparable(data, ligand, cell) else {}
    for (replicate, time), (x, y) in measured.items():
        inside = (x >= 0.99 * doses[0]) & (x <= 1.01 * doses[-1])
        if time in times and inside.any():
            predicted = np.interp(np.log(x[inside]), np.log(doses), model[:, times.index(time)])
            found.setdefault(replicate, []).append((time, x[inside], y[inside], predicted))
    out: dict[tuple[str, float], Points] = {}
    for replicate, series in found.items():
        observed, predicted = (np.concatenate([s[n] for s in series]) for n in (2, 3))
        known = np.isfinite(predicted)
        factor = scale(predicted[known], observed[known])
        if math.isfinite(factor) and factor > 0:
            out |= {(replicate, time): (x, factor * y) for time, x, y, _ in series}
    return out


def _rising(data: xarray.Dataset, fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Doses in rising order, and percent by dose on the first axis."""
    order = np.argsort(data.dose_nM.values)
    return data.dose_nM.values[order], 100 * fraction[order]


def _curve(data: xarray.Dataset, at: tuple, label: str, colour: Any, order: int, measured: dict) -> Curve:
    i, j, k = at
    doses, percent = _rising(data, data[readout(data, str(data.ligand.values[i]))].values[i, j, :, k])
    band = None
    if "pstat5_low" in data:
        low, high = (_rising(data, data[name].values[i, j, :, k])[1] for name in ("pstat5_low", "pstat5_high"))
        band = (low, high) if np.isfinite(low).any() else None
    own = {replicate: xy for (replicate, time), xy in measured.items() if time == data.time_min.values[k]}
    return Curve(label, colour, order, doses, percent, band, own)


def _ec50_note(data: xarray.Dataset, i: int, j: int) -> str:
    """EC50 of the model and the measured one at 30 min, else at the first time that was measured, else at the first."""
    ligand, cell = str(data.ligand.values[i]), str(data.cell.values[j])
    times = [float(time) for time in data.time_min.values]
    known = comparable(data, ligand, cell)
    measured = {time: measured_ec50(ligand, cell, time)[0] if known else math.nan for time in times}
    time = min(times, key=lambda t: (math.isnan(measured[t]), t != EC50_TIME_min, times.index(t)))
    model = ec50(data.dose_nM.values, data[readout(data, ligand)].values[i, j, :, times.index(time)])
    if math.isnan(model):
        return ""
    note = f"EC50 {time:g} min: {concentration(model)}"
    return note if math.isnan(measured[time]) else f"{note}, measured {concentration(measured[time])}"


def _shades(n: int) -> list[Any]:
    """Colours from dark to light that stay apart for every kind of colour vision and in grey."""
    from matplotlib import colormaps

    return list(colormaps["viridis"](np.linspace(0.0, 0.82, n) if n > 1 else [0.25]))


def _figure(data: xarray.Dataset, panels: list[Panel], title: str, x: str, shown: list[str]) -> Figure:
    curves = [curve for panel in panels for curve in panel.curves]
    changed = sentences(data)
    measured = UNCOMPARED if changed else UNMEASURED
    if any(curve.measured for curve in curves):
        found = {origin(str(name), str(cell)) for name in data.ligand.values for cell in data.cell.values}
        measured = SCALING.format(", ".join(text for key, text in ORIGINS.items() if key in found))
    notes = [*changed, measured, OWN_SCALE]
    draws = data.pstat5_low.attrs.get("draws", "") if "pstat5_low" in data else ""
    notes += [LOG_SCALE] if any(curve.band for curve in curves) else []
    notes += [f"Parameter set {data.attrs.get('parameter_set', '?')} ({data.attrs.get('parameter_hash', '?')})."]
    band = f"band: {BAND[0]:g} to {BAND[1]:g} % of {draws} draws"
    stats = labels(shown)
    y = f"{stats} (% of {stats[1:]})" if len(set(shown)) == 1 else f"{stats} (%)"
    return small_multiples(panels, title, x, y, band, " ".join(notes))
