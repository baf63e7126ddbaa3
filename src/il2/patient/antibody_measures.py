"""Measures of targets on antibodies to IL2RA: how much of the chain a level covers, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from il2.cell.answers import Row, in_unit
from il2.patient.kinetics_measures import level, sampled, time_above
from il2.patient.measures_arms import COVERED, arm, asked, days, reading, texts
from il2.units import quantity_in


def _course(row: Row) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, level (ug/mL) and percent of IL2RA covered of the only arm, each (times,)."""
    (text,) = texts(row)
    times = sampled(float(days(row)[-1]))
    mass = arm(text).drug.mass_kDa * quantity_in("1 ug/L", "ug/mL")
    return times, mass * level(text, times), reading(text, times, COVERED)


def covered_above(row: Row) -> float:
    """Least percent of IL2RA that is covered while the level is at `above` (ug/mL) or more."""
    _, found, covered = _course(row)
    return float(covered[found >= asked(row, "above")].min())


def free_above(row: Row) -> float:
    """Largest percent of IL2RA that is free while the level is at `above` (ug/mL) or more."""
    return 100 - covered_above(row)


def time_above_level(row: Row) -> float:
    """Time for which the level is above `above` (ug/mL)."""
    times, found, _ = _course(row)
    return in_unit(time_above(times, found, asked(row, "above")), "d", row)


MEASURES: Sequence[Callable[[Row], float]] = (covered_above, free_above, time_above_level)
