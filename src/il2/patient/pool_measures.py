"""Measures of targets on cells of a treated patient: one reading (`readout`) of the arms of a row (`with`).

Readings are those of `il2.patient.measures_arms`, times are in `time_min`; what is normal is the reading before the
first dose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from il2.cell.answers import Row, in_unit
from il2.patient.kinetics_measures import level, time_above
from il2.patient.measures_arms import arm, asked, days, reading, steps, texts

PER_DAY = 24
LEVELS = "plasma"  # reading: level of the drug of the arm, nM


def readings(row: Row) -> tuple[np.ndarray, list[np.ndarray]]:
    """Times (times,) and the reading (times,) of every arm, up to the last time of the row."""
    times = steps(float(days(row)[-1]), PER_DAY)
    name = row["readout"]
    return times, [level(text, times) if name == LEVELS else reading(text, times, name) for text in texts(row)]


def _first(row: Row) -> tuple[np.ndarray, np.ndarray]:
    times, found = readings(row)
    return times, found[0]


def _within(row: Row, times: np.ndarray) -> np.ndarray:
    """Times from the first of the row on, or all where it has one."""
    found = days(row)
    return times >= (found[0] if len(found) > 1 else 0.0)


def reading_fold(row: Row) -> float:
    """Reading at the time of the row over normal."""
    _, found = _first(row)
    return float(found[-1] / found[0])


def reading_rise(row: Row) -> float:
    """Percent by which the reading at the time of the row is above normal."""
    return 100 * (reading_fold(row) - 1)


def reading_highest(row: Row) -> float:
    """Highest reading, in its own unit."""
    times, found = _first(row)
    return float(found[_within(row, times)].max())


def highest_fold(row: Row) -> float:
    """Highest reading over normal, of the most that a reading of `a;b` gives."""
    every = []
    for name in row["readout"].split(";"):
        times, found = _first(row | {"readout": name})
        every.append(float(found[_within(row, times)].max() / found[0]))
    return max(every)


def least_highest_fold(row: Row) -> float:
    """Highest reading over normal, of the least that a reading of `a;b` gives."""
    return min(highest_fold(row | {"readout": name}) for name in row["readout"].split(";"))


def reading_fold_most(row: Row) -> float:
    """Reading at the time of the row over normal, of the most that a reading of `a;b` gives."""
    return max(reading_fold(row | {"readout": name}) for name in row["readout"].split(";"))


def highest_at(row: Row) -> float:
    """Time of the highest reading."""
    times, found = _first(row)
    return in_unit(float(times[int(found.argmax())]), "d", row)


def highest_at_ratio(row: Row) -> float:
    """Time of the highest reading of `a` over that of `b`, of `a;b`."""
    one, other = (highest_at(row | {"readout": name, "unit": "d"}) for name in row["readout"].split(";"))
    return one / other


def fold_time_above(row: Row) -> float:
    """Time for which the reading over normal is above the number `above` in `with`."""
    times, found = _first(row)
    return in_unit(time_above(times, found / found[0], asked(row, "above")), "d", row)


def interval_ratio(row: Row) -> float:
    """Mean reading between the third and the fourth time of the row over that between the first and the second."""
    times, found = _first(row)
    first, second = (found[(times >= a) & (times <= b)].mean() for a, b in days(row).reshape(2, 2))
    return float(second / first)


def last_over_highest(row: Row) -> float:
    """Mean reading of the last day over that of the day on which it is highest."""
    _, found = _first(row)
    daily = found[1:].reshape(-1, PER_DAY).mean(axis=1)
    return float(daily[-1] / daily.max())


def least_step(row: Row) -> float:
    """Least ratio of the highest reading of an arm over that of the arm before."""
    _, found = readings(row)
    highest = np.array([course.max() for course in found])
    return float((highest[1:] / highest[:-1]).min())


def arms_fold(row: Row) -> float:
    """Reading over normal, at the time of the row, of the first arm over that of the second."""
    _, (one, other) = readings(row)
    return float(one[-1] / one[0] / (other[-1] / other[0]))


def arms_area(row: Row) -> float:
    """Area of the reading under the first arm over that under the second."""
    times, (one, other) = readings(row)
    return float(np.trapezoid(one, times) / np.trapezoid(other, times))


def share_taken_up(row: Row) -> float:
    """Share of what is given that receptors take up by the time of the row, of the first arm over the second."""
    times = steps(float(days(row)[-1]), PER_DAY)
    taken = []
    for text in texts(row):
        one = arm(text)
        taken.append(float(np.trapezoid(reading(text, times, f"{one.drug.name}_uptake"), times)) / one.nmol)
    return taken[0] / taken[1] if len(taken) > 1 else taken[0]


MEASURES: Sequence[Callable[[Row], float]] = (
    reading_fold, reading_rise, reading_highest, highest_fold, least_highest_fold, reading_fold_most, highest_at,
    highest_at_ratio, fold_time_above, interval_ratio, last_over_highest, least_step, arms_fold, arms_area,
    share_taken_up,
)  # fmt: skip
