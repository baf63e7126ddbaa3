"""Measures of targets on the level of a drug in plasma, read as a trial reads it (`il2.patient.exposure`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from il2.cell.answers import Row, ec50_nM, in_unit
from il2.knowledge.quantity import quantity
from il2.patient.exposure import Exposure, exposure
from il2.patient.measures_arms import LEVEL, Arm, arm, days, reading, steps, texts

PER_DAY = 24 * 60  # a sample a minute
LONG_d, PER_LONG_DAY = 3.0, 24  # beyond this a sample an hour
STEADY_SHARE = 0.01  # of the phase that is stripped, below which rounding leads


def _only(row: Row) -> tuple[str, Arm]:
    (text,) = texts(row)
    return text, arm(text, row["id"])


def level(text: str, times_d: np.ndarray) -> np.ndarray:
    """Level (times,) of the drug of an arm in plasma, nM."""
    return reading(text, times_d, arm(text).drug.name + LEVEL)


def sampled(end_d: float) -> np.ndarray:
    """Times of samples (times,) up to an end, d."""
    return steps(end_d, PER_DAY if end_d <= LONG_d else PER_LONG_DAY)


def analysed(row: Row) -> Exposure:
    """Non-compartmental analysis of the only arm, sampled up to the time of the row."""
    text, one = _only(row)
    times = sampled(float(days(row)[-1]))
    infused = one.infused_d
    route = "infusion" if infused else "bolus" if one.regimen.courses[0].route == "iv" else "extravascular"
    return exposure(times, level(text, times), one.nmol, route=route, infusion_d=infused)


def terminal_half_life(row: Row) -> float:
    """Half-life of the terminal phase."""
    return in_unit(float(analysed(row).terminal.half_life_d), "d", row)


def distribution_half_life(row: Row) -> float:
    """Half-life of what is left of the level after an infusion when the terminal phase is taken off."""
    text, one = _only(row)
    times = sampled(float(days(row)[-1]))
    found, end = level(text, times), analysed(row).terminal
    place = int(np.argmin(np.abs(times - end.from_d)))
    above = found - found[place] * np.exp(-end.rate_per_d * (times - times[place]))
    kept = (times > one.infused_d) & (above > STEADY_SHARE * above.max())
    slope = np.polyfit(times[kept], np.log(above[kept]), 1)[0]
    return in_unit(float(np.log(2) / -slope), "d", row)


def clearance(row: Row) -> float:
    """What is given over the area under the level (CL, or CL/F under the skin)."""
    return in_unit(float(analysed(row).clearance_L_per_d), "L/d", row)


def steady_volume(row: Row) -> float:
    """Volume at steady state (Vss)."""
    return in_unit(float(analysed(row).volume_steady_L), "L", row)


def peak_level(row: Row) -> float:
    """Highest level, as a substance or as a mass per volume."""
    text, _ = _only(row)
    found = level(text, sampled(float(days(row)[-1])))
    return in_level(float(found.max()), row)


def in_level(nM: float, row: Row) -> float:
    """A level of the drug of a row in the unit of the row."""
    of = _only(row)[1].drug
    if row["unit"].endswith("M"):
        return in_unit(nM, "nM", row)
    return in_unit(nM * of.mass_kDa, "ug/L", row)


def peak_time(row: Row) -> float:
    """Time of the highest level."""
    return in_unit(float(analysed(row).peak_at_d), "d", row)


def level_over_dose(row: Row) -> float:
    """Level at the time of the row over what is given, 1/L, or over what is given per surface, m^2/L."""
    text, one = _only(row)
    (end,) = days(row)
    found = float(level(text, sampled(end))[-1]) / one.nmol
    return found * one.body.surface_m2 if row["unit"].startswith("m") else found


def plateau_share(row: Row) -> float:
    """Percent that the mean level of the first arm between two times is of the highest of the second."""
    one, other = texts(row)
    times = sampled(float(days(row)[-1]))
    kept = times >= days(row)[0]
    return float(100 * level(one, times)[kept].mean() / level(other, times).max())


def bioavailability(row: Row) -> float:
    """Percent that the area under the level of the first arm is of that of the second, at one dose."""
    times = sampled(float(days(row)[-1]))
    one, other = (float(np.trapezoid(level(text, times), times)) for text in texts(row))
    return 100 * one / other


def activity_area(row: Row) -> float:
    """Area under the level up to the time of the row, as activity per volume and time."""
    text, one = _only(row)
    times = sampled(float(days(row)[-1]))
    area = float(np.trapezoid(level(text, times), times)) * one.drug.mass_kDa * (one.drug.MIU_per_mg or np.nan)
    return in_unit(area, "IU*d/mL", row)


def area_per_dose(row: Row) -> float:
    """Area under the level per dose of the first arm over that of the second."""
    times = sampled(float(days(row)[-1]))
    one, other = (float(np.trapezoid(level(text, times), times)) / arm(text).nmol for text in texts(row))
    return one / other


def peak_over_EC50(row: Row) -> float:
    """Highest level of the only arm over the EC50 of pSTAT5 of the cells of the row after an hour."""
    text, _ = _only(row)
    return float(level(text, sampled(float(days(row)[-1]))).max()) / _EC50(row)


def time_above_EC50(row: Row) -> float:
    """Time for which the level of the only arm is above the EC50 of pSTAT5 of the cells of the row after an
    hour."""
    text, _ = _only(row)
    times = sampled(float(days(row)[-1]))
    return in_unit(time_above(times, level(text, times), _EC50(row)), "d", row)


def _EC50(row: Row) -> float:
    """EC50 after an hour, at which those of all three cells are published."""
    return ec50_nM("IL2", row["cells"], quantity("minutes_per_hour").value)


def time_above(times_d: np.ndarray, values: np.ndarray, limit: float) -> float:
    """Time (d) for which a course is above a limit, each step counted by its share above the line between samples."""
    low, high = (f(values[:-1], values[1:]) for f in (np.minimum, np.maximum))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, (high - limit) / (high - low), high > limit)
    return float(np.sum(np.diff(times_d) * np.clip(share, 0.0, 1.0)))


MEASURES: Sequence[Callable[[Row], float]] = (
    terminal_half_life, distribution_half_life, clearance, steady_volume, peak_level, peak_time, level_over_dose,
    plateau_share, bioavailability, activity_area, area_per_dose, peak_over_EC50, time_above_EC50,
)  # fmt: skip
