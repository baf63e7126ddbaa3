"""Exposure of a treatment: non-compartmental analysis of the first and the last dosing interval of each drug."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from il2.knowledge.quantity import quantity
from il2.patient.exposure import accumulation, dosing_interval, exposure, terminal
from il2.patient.sampled import FEWEST, course

if TYPE_CHECKING:
    import xarray

LIMIT = 1e-4  # of the highest level: stands for the limit of an assay, below which no level is read
NAN = float("nan")


def exposures(data: xarray.Dataset) -> list[dict[str, Any]]:
    """A row per regimen and drug that it gives, of what `treat` returned, for the default set.

    doses given, the first dose (nmol), highest level (nM and IU/mL) after the first and the last dose and when (h after
    that dose), area (nM*h) over the first and the last interval, or to infinity after a single dose, trough (nM), what
    the last interval has over the first, and the terminal half-life (h) after the last dose. NaN where the course
    does not show it.
    """
    if "drug" not in data.dims or "level_nM" not in data:
        return []
    out = []
    for name in map(str, data.regimen.values):
        for drug in map(str, data.drug.values):
            one = data.sel(regimen=name, drug=drug)
            at, given = one.dose_time_d.values, one.dose_nmol.values
            kept = np.isfinite(at) & (at < data.time_d.values[-1])
            if kept.any():
                out.append({"regimen": name, "drug": drug, **_row(one, at[kept], given[kept])})
    return out


def _row(one: xarray.Dataset, at: np.ndarray, given: np.ndarray) -> dict[str, Any]:
    times, level = one.time_d.values, one.level_nM.values
    hours = quantity("hours_per_day").value
    row: dict[str, Any] = {"doses": len(at), "first_dose_nmol": float(given[0])}
    if not np.isfinite(level).all() or not level.max() > 0:
        none = {"accumulation": NAN, "half_life_h": NAN, "peak_IU_per_mL": NAN}
        return row | _interval("first", NAN, NAN, NAN, NAN) | _interval("last", NAN, NAN, NAN, NAN) | none
    level = np.where(level > 0, level, 0.0)
    per = one.level_IU_per_mL.values
    if len(at) == 1:
        found = exposure(times[times >= at[0]] - at[0], level[times >= at[0]], limit_nM=LIMIT * level.max())
        row |= _interval("first", found.peak_nM, found.peak_at_d * hours, found.auc * hours, NAN)
        row |= _interval("last", NAN, NAN, NAN, NAN) | {"accumulation": NAN}
    else:
        gap = float(at[1] - at[0])
        first = dosing_interval(times, level, float(at[0]), min(gap, float(times[-1] - at[0])))
        row |= _interval("first", first.peak_nM, first.peak_at_d * hours, first.auc * hours, first.trough_nM)
        whole = at[at + gap <= times[-1]]
        row |= _interval("last", NAN, NAN, NAN, NAN) | {"accumulation": NAN}
        if len(whole) > 1:
            last = dosing_interval(times, level, float(whole[-1]), gap)
            row |= _interval("last", last.peak_nM, last.peak_at_d * hours, last.auc * hours, last.trough_nM)
            row["accumulation"] = float(accumulation(first, last).auc)
    row["half_life_h"] = _half_life(times, level, float(at[-1])) * hours
    row["peak_IU_per_mL"] = float(per[level.argmax()])
    return row


def _interval(which: str, peak, peak_h, area, trough) -> dict[str, float]:
    names = ("peak_nM", "peak_h", "AUC_nM_h", "trough_nM")
    return {f"{which}_{n}": float(v) for n, v in zip(names, (peak, peak_h, area, trough), strict=True)}


def _half_life(times: np.ndarray, level: np.ndarray, last_d: float) -> float:
    """Terminal half-life after the last dose, d."""
    after = times >= last_d
    own = level[after]
    if after.sum() < FEWEST or not own.max() > 0:
        return NAN
    return float(terminal(course(times[after] - last_d, own, LIMIT * own.max())).half_life_d)
