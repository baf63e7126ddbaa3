"""Figures of responses: a panel per cell, the model as lines and published measurements as markers."""

from __future__ import annotations

import io
import math
import os
import secrets
import textwrap
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.cell.ec50 import ec50
from il2.cell.measured import measured_ec50, points, scale
from il2.cell.respond import BAND
from il2.errors import Il2Error, did_you_mean

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
PREFIXES = ((1e6, "mM"), (1e3, "µM"), (1.0, "nM"), (1e-3, "pM"), (1e-6, "fM"), (1e-9, "aM"))
MARKERS, DASHES = "os^DvPX*", ("-", (0, (5, 1.5)), (0, (3, 1, 1, 1)), (0, (1, 1)))
DISTINCT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")  # Okabe and Ito 2008
EC50_TIME_min = 30.0
SCALING = (
    "Measured values are fluorescence over the untreated well, brought to the model by one factor per cell and replicate "
    "over all its doses and times: shapes and EC50s can be compared, heights cannot."
)
INK, PALE = "#222222", "#555555"


@dataclass(frozen=True)
class Curve:
    """One line in percent of STAT5 over doses in nM, with its band and its scaled measurements by replicate."""

    label: str
    style: dict[str, Any]
    marker: str
    doses: np.ndarray
    percent: np.ndarray
    band: tuple[np.ndarray, np.ndarray] | None
    measured: dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Panel:
    title: str
    note: str
    curves: list[Curve]


def response_figure(data: xarray.Dataset, *, ligand: str | None = None) -> Figure:
    """A panel per cell and a line per time for one ligand of what `respond` returns (default: the first).

    Raises Il2Error for a ligand that the data do not hold.
    """
    names = [str(name) for name in data.ligand.values]
    if ligand is not None and ligand not in names:
        raise Il2Error(f"no ligand {ligand!r} in the data", how=did_you_mean(ligand, names))
    i = names.index(ligand) if ligand else 0
    times = data.time_min.values
    styles = [{"color": colour, "linestyle": DASHES[k % len(DASHES)]} for k, colour in enumerate(_shades(len(times)))]
    panels = []
    for j, cell in enumerate(data.cell.values):
        measured = _measured(data, i, j)
        curves = [_curve(data, (i, j, k), f"{t:g} min", styles[k], measured) for k, t in enumerate(times)]
        panels.append(Panel(str(cell), _ec50_note(data, i, j), curves))
    return _figure(data, panels, names[i], f"{names[i]}: STAT5 phosphorylation by cell")


def comparison_figure(data: xarray.Dataset, *, time_min: float | None = None) -> Figure:
    """A panel per cell and a line per ligand at one time (default: the first)."""
    times = [float(t) for t in data.time_min.values]
    if time_min is not None and time_min not in times:
        raise Il2Error(f"no time {time_min:g} min in the data", how="Known: " + ", ".join(f"{t:g}" for t in times))
    k = times.index(time_min) if time_min is not None else 0
    panels = []
    for j, cell in enumerate(data.cell.values):
        curves = []
        for i, name in enumerate(data.ligand.values):
            style = {"color": DISTINCT[i % len(DISTINCT)], "linestyle": DASHES[i % len(DASHES)]}
            curves.append(_curve(data, (i, j, k), str(name), style, _measured(data, i, j)))
        panels.append(Panel(str(cell), "", curves))
    return _figure(data, panels, "ligand", f"{len(data.ligand)} ligands at {times[k]:g} min: STAT5 phosphorylation by cell")


def save(figure: Figure, path: str | Path) -> None:
    """Write PNG or SVG, as the suffix of `path` says, all or nothing."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise Il2Error(f"no figure format {suffix or Path(path).name!r}", where=str(path), how="Use .png or .svg.")
    write_bytes(path, render(figure, suffix[1:]))


def render(figure: Figure, format: str = "png", dpi: int = 150) -> bytes:
    """The figure as PNG or SVG; the same figure gives the same bytes."""
    from matplotlib import rc_context

    out = io.BytesIO()
    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "il2"}):
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")  # a name in a script that the font lacks
        figure.savefig(out, format=format, dpi=dpi, metadata={"Date": None} if format == "svg" else None)
    return out.getvalue()


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file through a temporary one beside it, so that no reader ever sees half of it."""
    path = Path(path)
    temporary = path.with_name(f".il2-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        how = "Give a file in a folder that exists and can be written."
        raise Il2Error("cannot be written", where=str(path), why=error.strerror or str(error), how=how) from error


def concentration(nM: float) -> str:
    """Two significant digits and the unit that suits: 0.0512 is '51 pM'. NaN is an en dash."""
    if not math.isfinite(nM):
        return "–"
    size, unit = next((p for p in PREFIXES if nM >= 0.995 * p[0]), PREFIXES[-1])
    return f"{float(f'{nM / size:.2g}'):g} {unit}"


def _shades(n: int) -> list[tuple[float, ...]]:
    """Colours from dark to light that stay apart for every kind of colour vision and in grey."""
    from matplotlib import colormaps

    return [tuple(c) for c in colormaps["viridis"](np.linspace(0.0, 0.82, n) if n > 1 else [0.25])]


def _measured(data: xarray.Dataset, i: int, j: int) -> dict[tuple[str, float], tuple[np.ndarray, np.ndarray]]:
    """(replicate, time) -> doses and scaled measurements in percent, within the doses and times of the model."""
    order = np.argsort(data.dose_nM.values)
    doses, model = data.dose_nM.values[order], 100 * data.pstat5.values[i, j][order]
    times = [float(t) for t in data.time_min.values]
    found: dict[str, list] = {}
    for (replicate, time), (x, y) in points(str(data.ligand.values[i]), str(data.cell.values[j])).items():
        inside = (x >= 0.99 * doses[0]) & (x <= 1.01 * doses[-1])
        if time in times and inside.any():
            curve = np.interp(np.log(x[inside]), np.log(doses), model[:, times.index(time)])
            found.setdefault(replicate, []).append((time, x[inside], y[inside], curve))
    out = {}
    for replicate, series in found.items():
        y, curve = (np.concatenate([s[n] for s in series]) for n in (2, 3))
        known = np.isfinite(curve)
        factor = scale(curve[known], y[known])
        if math.isfinite(factor) and factor > 0:
            out |= {(replicate, time): (x, factor * y) for time, x, y, _ in series}
    return out


def _curve(data: xarray.Dataset, at: tuple[int, int, int], label: str, style: dict, measured: dict) -> Curve:
    i, j, k = at
    order = np.argsort(data.dose_nM.values)
    values = {name: 100 * data[name].values[i, j, order, k] for name in ("pstat5", "pstat5_low", "pstat5_high") if name in data}
    bounds = values.get("pstat5_low"), values.get("pstat5_high")
    band = bounds if bounds[0] is not None and np.isfinite(bounds).any() else None
    time = float(data.time_min.values[k])
    own = {replicate: xy for (replicate, t), xy in measured.items() if t == time}
    marker = MARKERS[(k if len(data.time_min) > 1 else i) % len(MARKERS)]
    return Curve(label, style, marker, data.dose_nM.values[order], values["pstat5"], band, own)  # type: ignore[arg-type]


def _ec50_note(data: xarray.Dataset, i: int, j: int) -> str:
    times = [float(t) for t in data.time_min.values]
    time = EC50_TIME_min if EC50_TIME_min in times else times[0]
    model = ec50(data.dose_nM.values, data.pstat5.values[i, j, :, times.index(time)])
    measured, _, _ = measured_ec50(str(data.ligand.values[i]), str(data.cell.values[j]), time)
    if math.isnan(model) and math.isnan(measured):
        return ""
    note = f"EC50 at {time:g} min: {concentration(model)}"
    return note if math.isnan(measured) else f"{note}, measured {concentration(measured)}"


def _figure(data: xarray.Dataset, panels: list[Panel], ligand: str, title: str) -> Figure:
    """Panels on a grid laid out in inches, legends and footnote below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n = len(panels)
    columns = n if n <= 5 else min((5, 4, 3), key=lambda c: -n % c)
    rows = -(-n // columns)
    wide, high, gap_x, gap_y, left = max(2.25, (7.2 - 0.45 * columns) / columns), 1.8, 0.5, 0.95, 0.7
    width = left + columns * wide + (columns - 1) * gap_x + 0.2
    footnote = textwrap.wrap(_footnote(data, panels), int(15.5 * width))
    keys = _legend_rows(_curve_handles(panels), width), _legend_rows(_kind_handles(data, panels), width)
    below = 0.75 + 0.24 * sum(rows for _, rows, _ in keys) + 0.17 * len(footnote)
    height = 0.95 + rows * high + (rows - 1) * gap_y + below
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.15 / width, 1 - 0.15 / height, _plain(title, 70), fontsize=12, weight="bold", va="top", color=INK)
    for n_th, panel in enumerate(panels):
        row, column = divmod(n_th, columns)
        x, y = left + column * (wide + gap_x), height - 0.95 - (row + 1) * high - row * gap_y
        axes = figure.add_axes((x / width, y / height, wide / width, high / height))
        _draw(axes, panel)
        if n_th + columns >= n:
            axes.set_xlabel(_plain(f"{ligand} dose (fM to mM, log)", 40), fontsize=8.5, color=INK)
        if column == 0:
            axes.set_ylabel("pSTAT5 (% of STAT5)", fontsize=8.5, color=INK)
    y = below - 0.6
    for handles, lines, per_line in keys:
        if handles:
            figure.legend(
                handles=handles, ncols=per_line, loc="upper left", bbox_to_anchor=(0.1 / width, y / height), frameon=False,
                fontsize=8.5, handlelength=2.6, columnspacing=1.6, borderaxespad=0, borderpad=0.2, labelspacing=0.4,
            )  # fmt: skip
        y -= 0.24 * lines
    figure.text(0.15 / width, 0.1 / height, "\n".join(footnote), fontsize=7.5, va="bottom", color=PALE, linespacing=1.25)
    return figure
