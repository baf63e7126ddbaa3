"""A course of sampled concentrations: checked, levels below the limit of quantification settled, and its areas.

Times are days after the dose (times,), levels nM (..., times): lanes lead.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from il2.errors import Il2Error, did_you_mean

METHODS = ("linear_up_log_down", "linear")
DROP, ZERO = "drop", "zero"
BELOW_LIMIT = {"drop": (DROP, DROP, DROP), "zero_then_drop": (ZERO, DROP, DROP), "ICH_M13A": (ZERO, DROP, ZERO)}
"""What becomes of a level below the limit of quantification: before the first measurable one, between, after."""
FEWEST = 3  # points of a terminal regression
NEARLY_FLAT = float(np.sqrt(np.finfo(float).eps))  # log ratio below which both trapezoids agree
WHERE = "non-compartmental analysis"


class Course(NamedTuple):
    """A checked course: times_d (times,), level_nM (..., times), used and measurable (..., times), both bool."""

    times_d: np.ndarray
    level_nM: np.ndarray
    used: np.ndarray
    measurable: np.ndarray


def course(times_d, level_nM, limit_nM: float = 0.0, below: str = "zero_then_drop") -> Course:
    """Check a course and apply a rule of `BELOW_LIMIT` to levels below the limit of quantification.

    times_d (times,), level_nM (..., times). A number that is missing or not finite, times that do not rise, one below
    zero, a negative level, fewer than three samples or an unknown rule is an Il2Error.
    """
    times, level = np.asarray(times_d, dtype=float), np.asarray(level_nM, dtype=float)
    if times.ndim != 1 or level.ndim < 1 or level.shape[-1] != len(times):
        raise Il2Error(f"times have shape {times.shape} and levels {level.shape}", where=WHERE,
                       how="Give times (times,) and levels (..., times).")  # fmt: skip
    if len(times) < FEWEST:
        raise Il2Error(f"{len(times)} samples are too few", where=WHERE, how=f"Give at least {FEWEST}.")
    _refuse(~np.isfinite(times), times, "time", "is not a number", "Leave the sample out.")
    _refuse(times < 0, times, "time", "is before the dose", "Count days from the dose.")
    _refuse(np.diff(times, prepend=-1.0) <= 0, times, "time", "is not after the one before", "Sort the samples.")
    _refuse(~np.isfinite(level), level, "level", "is not a number", "Leave the sample out, or name a limit.")
    _refuse(level < 0, level, "level", "is negative", "Give 0 or a limit of quantification.")
    if not (np.isfinite(limit_nM) and limit_nM >= 0):
        raise Il2Error(f"the limit of quantification is {limit_nM}", where=WHERE, how="Give it as 0 nM or more.")
    rule = BELOW_LIMIT[one_of(below, tuple(BELOW_LIMIT), "rule for levels below the limit")]
    measurable = (level > 0) & (level >= limit_nM)
    seen = np.logical_or.accumulate(measurable, axis=-1)
    coming = np.logical_or.accumulate(measurable[..., ::-1], axis=-1)[..., ::-1]
    unmeasured = level < limit_nM
    kept = np.select([~seen, coming], [rule[0] == ZERO, rule[1] == ZERO], rule[2] == ZERO)
    return Course(times, np.where(unmeasured, 0.0, level), ~unmeasured | kept, measurable)


def segments(of: Course, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Area and first moment (..., times) from the sample before to each one, over samples in use; 0 at the first."""
    logarithmic = one_of(method, METHODS, "method") == METHODS[0]
    before, follows = _before(of.used)
    t1, t2 = of.times_d[before], of.times_d
    c1, c2 = np.take_along_axis(of.level_nM, before, axis=-1), of.level_nM
    span = t2 - t1
    area, moment = span * (c1 + c2) / 2, span * (t1 * c1 + t2 * c2) / 2
    if logarithmic:
        with np.errstate(all="ignore"):
            ratio = np.log1p((c1 - c2) / c2)
            falls = (c2 > 0) & (ratio > NEARLY_FLAT)
            log_area = span * (c1 - c2) / ratio
            log_moment = t1 * log_area + (log_area - span * c2) * span / ratio
        area, moment = np.where(falls, log_area, area), np.where(falls, log_moment, moment)
    return np.where(follows, area, 0.0), np.where(follows, moment, 0.0)


def _before(used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place (..., times) of the sample in use before each one, and whether both are there."""
    place = np.maximum.accumulate(np.where(used, np.arange(used.shape[-1]), -1), axis=-1)
    before = np.concatenate([np.full_like(place[..., :1], -1), place[..., :-1]], axis=-1)
    return before.clip(min=0), used & (before >= 0)


def at(of: Course, time: float, method: str) -> np.ndarray:
    """The level (...,) at a time between samples."""
    right = int(np.searchsorted(of.times_d, time))
    b = of.level_nM[..., right]
    if of.times_d[right] == time:
        return b
    a = of.level_nM[..., right - 1]
    share = (time - of.times_d[right - 1]) / (of.times_d[right] - of.times_d[right - 1])
    with np.errstate(all="ignore"):
        falling = a * (b / a) ** share
    return np.where((b > 0) & (b < a) & (method == METHODS[0]), falling, a + share * (b - a))


def from_dose(of: Course, start: np.ndarray) -> Course:
    """The course with a level at time 0: `start` where it is a number, else the sample there, else 0."""
    if of.times_d[0] > 0:
        shape = (*of.level_nM.shape[:-1], 1)
        parts = (np.zeros(1), np.zeros(shape), np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool))
        of = Course(*(np.concatenate([new, old], axis=-1) for new, old in zip(parts, of, strict=True)))
    level, used, known = of.level_nM.copy(), of.used.copy(), np.isfinite(start)
    level[..., 0] = np.where(known, start, level[..., 0])
    used[..., 0] = True
    return of._replace(level_nM=level, used=used)


def last_place(marked: np.ndarray) -> np.ndarray:
    """Place (...,) of the last mark, -1 where there is none."""
    return np.where(marked, np.arange(marked.shape[-1]), -1).max(axis=-1)


def pick(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, np.asarray(place)[..., None], axis=-1)[..., 0]


def one_of(name: str, known: tuple[str, ...], what: str) -> str:
    if name not in known:
        raise Il2Error(f"unknown {what} {name!r}", where=WHERE, how=did_you_mean(name, known))
    return name


def _refuse(bad: np.ndarray, values: np.ndarray, what: str, why: str, how: str) -> None:
    """Raise for the first bad value, with its place."""
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        lane = f" of lane {', '.join(map(str, place[:-1]))}" if len(place) > 1 else ""
        raise Il2Error(f"{what} {place[-1] + 1}{lane} {why}: {values[place]:g}", where=WHERE, how=how)
