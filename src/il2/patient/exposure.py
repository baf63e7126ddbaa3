"""Non-compartmental analysis: what a course of concentrations tells of exposure, without a model of the body.

Areas follow the linear trapezoid where the level rises and the logarithmic one where it falls, or the linear one
throughout. The terminal rate is that of the log-linear regression over the last points after the peak, at least
three, with the best adjusted r2; of windows that come near it the one with most points is taken. Beyond the last
measurable level the course falls with that rate. Times are days after the dose, levels nM, doses nmol, so that
areas are nM*d, clearances L/d and volumes L. Lanes lead: levels are (..., times), what is found is (...,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from il2.errors import Il2Error
from il2.patient.sampled import (
    FEWEST,
    WHERE,
    Course,
    at,
    course,
    from_dose,
    last_place,
    one_of,
    pick,
    segments,
)

ROUTES = ("extravascular", "bolus", "infusion")
TIE = 1e-4  # of adjusted r2: windows this near to the best are as good


@dataclass(frozen=True, eq=False)
class Terminal:
    """The terminal phase per lane (...,); NaN where no three points after the peak fall, with the points found.

    half_lives: how many of them the window spans.
    """

    rate_per_d: np.ndarray
    half_life_d: np.ndarray
    adjusted_r2: np.ndarray
    points: np.ndarray
    from_d: np.ndarray
    half_lives: np.ndarray


@dataclass(frozen=True, eq=False)
class Exposure:
    """Exposure after one dose, per lane (...,).

    level_at_dose_nM is extrapolated back, after a bolus alone. Clearance and volume_z_L are over the bioavailability
    (CL/F, Vz/F) after an extravascular dose, where volume_steady_L (Vss) is NaN and residence_d (MRT) holds the time
    of absorption too. What rests on the terminal phase is NaN without one.
    """

    peak_nM: np.ndarray
    peak_at_d: np.ndarray
    last_nM: np.ndarray
    last_at_d: np.ndarray
    level_at_dose_nM: np.ndarray
    auc_last: np.ndarray
    auc: np.ndarray
    extrapolated_share: np.ndarray
    terminal: Terminal
    residence_d: np.ndarray
    clearance_L_per_d: np.ndarray
    volume_z_L: np.ndarray
    volume_steady_L: np.ndarray


@dataclass(frozen=True, eq=False)
class Interval:
    """A dosing interval per lane (...,): auc over it, peak, lowest level, trough at its end, mean level.

    peak_at_d counts from the start of the interval. fluctuation is (peak - lowest) / mean, swing (peak - lowest) /
    lowest.
    """

    auc: np.ndarray
    peak_nM: np.ndarray
    peak_at_d: np.ndarray
    lowest_nM: np.ndarray
    trough_nM: np.ndarray
    mean_nM: np.ndarray
    fluctuation: np.ndarray
    swing: np.ndarray


@dataclass(frozen=True, eq=False)
class Accumulation:
    """What an interval at steady state has over the first one, per lane (...,)."""

    auc: np.ndarray
    peak: np.ndarray
    trough: np.ndarray


def exposure(
    times_d,
    level_nM,
    dose_nmol=np.nan,
    *,
    route: str = "extravascular",
    infusion_d: float = 0.0,
    method: str = "linear_up_log_down",
    limit_nM: float = 0.0,
    below: str = "zero_then_drop",
    peak_in_terminal: bool = False,
) -> Exposure:
    """Exposure after one dose at time 0; see `course` for the arrays and their errors.

    dose_nmol: (...,) or a number; without it clearance and volumes are NaN. infusion_d: length of the infusion, which
    is taken off the residence time and holds no terminal point. Where no sample stands at the dose, the level there
    is 0, and after a bolus that of the line through the logarithms of the first two levels if they fall, else the
    first. peak_in_terminal: whether the terminal window may begin at the peak, as some do after a bolus.
    """
    one_of(route, ROUTES, "route")
    if (route == "infusion") != (infusion_d > 0):
        raise Il2Error(f"the route is {route} and the infusion lasts {infusion_d} d", where=WHERE,
                       how="An infusion, and nothing else, has a length above 0.")  # fmt: skip
    dose = np.asarray(dose_nmol, dtype=float)
    if (dose <= 0).any():
        raise Il2Error("a dose is not above 0", where=WHERE, how="Give doses in nmol, or none.")
    of = course(times_d, level_nM, limit_nM, below)
    start = level_at_dose(of) if route == "bolus" else np.full(of.level_nM.shape[:-1], np.nan)
    peak, last = np.where(of.measurable, of.level_nM, -1.0).argmax(axis=-1), last_place(of.measurable)
    none = last < 0
    peak_nM, last_nM = (np.where(none, np.nan, pick(of.level_nM, i)) for i in (peak, last))
    peak_at, last_at = (np.where(none, np.nan, of.times_d[i]) for i in (peak, last))
    end = terminal(of, infusion_d, peak_in_terminal)
    whole = from_dose(of, start)
    counted = whole._replace(used=whole.used & (whole.times_d <= np.nan_to_num(last_at)[..., None]))
    area, moment = (part.sum(axis=-1) for part in segments(counted, method))
    beyond = last_nM / end.rate_per_d
    auc = area + beyond
    residence = (moment + beyond * (last_at + 1 / end.rate_per_d)) / auc - infusion_d / 2
    clearance = dose / auc
    steady = np.nan if route == "extravascular" else 1.0
    return Exposure(
        peak_nM, peak_at, last_nM, last_at, start, area, auc, beyond / auc, end, residence, clearance,
        clearance / end.rate_per_d, clearance * residence * steady,
    )  # fmt: skip


def terminal(of: Course, after_d: float = 0.0, with_peak: bool = False) -> Terminal:
    """The terminal phase, of measurable samples after the peak and after `after_d`, the end of an infusion."""
    times, level = of.times_d, of.level_nM
    peak = np.where(of.measurable, level, -1.0).argmax(axis=-1)[..., None]
    index = np.arange(len(times))
    usable = of.measurable & ((index >= peak) if with_peak else (index > peak)) & (times > after_d if after_d else True)
    last = last_place(usable)
    with np.errstate(all="ignore"):
        x = np.where(usable, times - times[last][..., None], 0.0)
        y = np.where(usable, np.log(level) - np.log(pick(level, last))[..., None], 0.0)
        n, sx, sy, sxx, sxy, syy = (_sums_to_end(v) for v in (usable, x, y, x * x, x * y, y * y))
        cxx, cxy, cyy = sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n
        adjusted = 1 - (1 - cxy**2 / (cxx * cyy)) * (n - 1) / (n - 2)
        adjusted = np.where(usable & (n >= FEWEST) & (cyy > 0), adjusted, -np.inf)
        near = np.isfinite(adjusted) & (adjusted >= adjusted.max(axis=-1, keepdims=True) - TIE)
        first = near.argmax(axis=-1)
        rate = pick(-cxy / cxx, first)
    found = near.any(axis=-1) & (rate > 0)
    rate = np.where(found, rate, np.nan)
    half_life = np.log(2) / rate
    r2, begin = np.where(found, pick(adjusted, first), np.nan), np.where(found, times[first], np.nan)
    points = np.where(found, pick(n, first), usable.sum(axis=-1)).astype(int)
    return Terminal(rate, half_life, r2, points, begin, (times[last] - begin) / half_life)


def level_at_dose(of: Course) -> np.ndarray:
    """The level (...,) at time 0 after a bolus, from the first two measurable ones; NaN without two, in nM."""
    first = of.measurable.argmax(axis=-1)
    later = of.measurable & (np.arange(len(of.times_d)) > first[..., None])
    second = later.argmax(axis=-1)
    a, b, at = pick(of.level_nM, first), pick(of.level_nM, second), of.times_d
    with np.errstate(all="ignore"):
        back = np.exp(np.log(a) + (np.log(a) - np.log(b)) * at[first] / (at[second] - at[first]))
    return np.where(later.any(axis=-1), np.where(b < a, back, a), np.nan)


def dosing_interval(
    times_d, level_nM, start_d: float, interval_d: float, *, method: str = "linear_up_log_down"
) -> Interval:
    """Exposure from `start_d` over `interval_d` (tau); ends between samples are interpolated as the area is.

    An interval that is not above 0 or reaches outside the samples is an Il2Error; see `course` for the others.
    """
    of = course(times_d, level_nM)
    ends = np.array([start_d, start_d + interval_d])
    if not interval_d > 0:
        raise Il2Error(f"the interval is {interval_d} d", where=WHERE, how="Give it above 0.")
    if ends[0] < of.times_d[0] or ends[1] > of.times_d[-1]:
        raise Il2Error(
            f"the interval from {ends[0]:g} to {ends[1]:g} d reaches outside the samples, "
            f"which go from {of.times_d[0]:g} to {of.times_d[-1]:g} d",
            where=WHERE,
            how="Give levels over the whole interval.",
        )
    times = np.union1d(of.times_d, ends)
    level = np.stack([at(of, t, method) for t in times], axis=-1)
    within = (times >= ends[0]) & (times <= ends[1])
    times, level = times[within], level[..., within]
    part = Course(times, level, np.ones(level.shape, dtype=bool), level > 0)
    auc = segments(part, method)[0].sum(axis=-1)
    peak, lowest, mean = level.max(axis=-1), level.min(axis=-1), auc / interval_d
    with np.errstate(all="ignore"):
        fluctuation, swing = (peak - lowest) / mean, (peak - lowest) / lowest
    peak_at = times[level.argmax(axis=-1)] - start_d
    return Interval(auc, peak, peak_at, lowest, level[..., -1], mean, fluctuation, swing)


def accumulation(first: Interval, steady: Interval) -> Accumulation:
    """Accumulation from the first dosing interval to one at steady state: ratios of area, peak and trough."""
    with np.errstate(all="ignore"):
        return Accumulation(steady.auc / first.auc, steady.peak_nM / first.peak_nM, steady.trough_nM / first.trough_nM)


def _sums_to_end(values: np.ndarray) -> np.ndarray:
    return np.cumsum(values[..., ::-1].astype(float), axis=-1)[..., ::-1]
