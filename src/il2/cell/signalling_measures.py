"""Measures of targets on pSTAT5, its cycles and the doses of half an effect in cultures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from il2.cell.answers import Row, default_counts, in_unit
from il2.cell.culture_arms import courses, hours, own, spans, wells
from il2.cell.ec50 import ec50
from il2.cell.well import Addition, Well
from il2.knowledge.quantity import quantity
from il2.receptor.protocols import occupancy

DOSES_PER_DECADE = 4
STEPS = 121  # of a time course
FULL = frozenset(("IL2RA", "IL2RB", "IL2RG"))


def pstat5_peak(row: Row) -> float:
    """Time of the highest pSTAT5 after IL-2 is given."""
    times = np.linspace(0.0, float(hours(row)[-1]), STEPS)
    (course,) = courses(wells(row), times, ("pstat5",))
    return in_unit(float(times[own(course, "pstat5").argmax()]), "h", row)


def stat5_cycles(row: Row) -> float:
    """Nuclear STAT5 that was dephosphorylated there, first arm over second, summed up to the time of the row."""
    times, (nuclear,) = np.linspace(0.0, float(hours(row)[-1]), STEPS), ("pSTAT5.pSTAT5@nucleus",)
    first, second = (np.trapezoid(own(c, nuclear), times) for c in courses(wells(row), times, (nuclear,)))
    return float(first / second)


def doses(row: Row) -> np.ndarray:
    """Doses (doses,) in nM of the ligand, over the range `name=low..high` of a row."""
    low, high = spans(row)[1][row["ligand"]]
    return np.geomspace(low, high, round(np.log10(high / low) * DOSES_PER_DECADE) + 1)


def curves(row: Row) -> list[np.ndarray]:
    """The reading of each arm of a row at its time, by dose of its ligand."""
    return [_curve(row, well) for well in wells(spans(row)[0])]


def _curve(row: Row, well: Well) -> np.ndarray:
    others = tuple(a for a in well.additions if a.what != row["ligand"])
    given = [replace(well, additions=(*others, Addition(row["ligand"], d))) for d in doses(row)]
    done = courses(given, np.array([0.0, float(hours(row)[-1])]), (row["readout"],))
    return np.array([own(c, row["readout"])[-1] for c in done])


def half_effect(row: Row) -> float:
    """Dose of half the rise of a reading."""
    return in_unit(ec50(doses(row), curves(row)[0]), "nM", row)


def half_inhibition(row: Row) -> float:
    """Dose of half the fall of a reading."""
    return in_unit(ec50(doses(row), -curves(row)[0]), "nM", row)


def half_effect_ratio(row: Row) -> float:
    """Dose of half the rise in the first arm over that in the second."""
    first, second = (ec50(doses(row), curve) for curve in curves(row))
    return first / second


def top_steps(row: Row) -> float:
    """Largest ratio of the top of the dose response of an arm over that of the arm before."""
    tops = [curve.max() for curve in curves(row)]
    return float(max(after / before for before, after in pairwise(tops)))


def half_effect_over_occupancy(row: Row) -> float:
    """Dose of half the rise over the dose at which half of the full receptors of the cells are occupied at rest."""
    bound = occupancy(row["ligand"], default_counts(row["cells"]), doses(row), FULL)
    return ec50(doses(row), curves(row)[0]) / ec50(doses(row), bound)


def half_life(row: Row) -> float:
    """Half-life that belongs to the rate of the quantity in `readout`; nothing is simulated."""
    q = quantity(row["readout"])
    return in_unit(float(np.log(2)) / q.value, q.unit.removeprefix("1/"), row)


def share_per_time(row: Row) -> float:
    """The rate of the quantity in `readout` in percent; nothing is simulated."""
    return 100 * quantity(row["readout"]).value


MEASURES: Sequence[Callable[[Row], float]] = (
    pstat5_peak, stat5_cycles, half_effect, half_inhibition, half_effect_ratio, top_steps, half_effect_over_occupancy,
    half_life, share_per_time,
)  # fmt: skip
