"""Measures of targets on entry into the cycle, divisions and death in cultures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from il2.cell.answers import Row, in_unit
from il2.cell.culture_arms import courses, hours, own, wells
from il2.cell.lanes import Courses
from il2.cell.population import GENERATIONS, STAGES, dividing, stopped
from il2.knowledge.quantity import quantity

DEAD, CELLS, RESTING = "dead", "cells", "resting"
STEPS = 481  # of a time course


def _last(row: Row, names: tuple[str, ...]) -> list[dict[str, float]]:
    done = courses(wells(row), np.array([0.0, float(hours(row)[-1])]), names)
    return [{name: float(own(c, name)[-1]) for name in names} for c in done]


def divided_ratio(row: Row) -> float:
    """Share of the cells of the start that have divided by the time of the row, first arm over second."""
    names = tuple(f"generation_{g}" for g in range(GENERATIONS + 1))
    shares = []
    for well, found in zip(wells(row), _last(row, names), strict=True):
        shares.append(sum(found[f"generation_{g}"] / 2**g for g in range(1, GENERATIONS + 1)) / well.cells[0].number)
    return shares[0] / shares[1]


def entered_ratio(row: Row) -> float:
    """Share of living cells that have left rest by the time of the row, first arm over second."""
    first, second = (1 - found[RESTING] / found[CELLS] for found in _last(row, (RESTING, CELLS)))
    return first / second


def death_ratio(row: Row) -> float:
    """Dead cells over all there ever were by the time of the row, first arm over second."""
    first, second = (_dead(found) for found in _last(row, (DEAD, CELLS)))
    return first / second


def _dead(found: dict[str, float]) -> float:
    return found[DEAD] / (found[DEAD] + found[CELLS])


def death_by_cause_ratio(row: Row) -> float:
    """Dead share that goes with a cause, of arms: first, first without the cause, second, second without it."""
    with_, without, other, other_without = (_dead(found) for found in _last(row, (DEAD, CELLS)))
    return (with_ - without) / (other - other_without)


def _division_time(course: Courses, times: np.ndarray) -> float:
    """Mean hours between the first and the second division: cells on the way over those that get there."""
    stages = [float(np.trapezoid(own(course, dividing(1, s)), times)) for s in range(1, STAGES + 1)]
    per_stage = quantity("subsequent_division_time").value / STAGES
    return sum(stages) * per_stage / stages[-1]


def division_time(row: Row) -> float:
    """Mean time between the first and the second division."""
    times = np.linspace(0.0, float(hours(row)[-1]), STEPS)
    return in_unit(_division_time(courses(wells(row), times, _stages())[0], times), "h", row)


def division_time_change(row: Row) -> float:
    """Percent by which the time between the first and the second division of the first arm differs from the second."""
    times = np.linspace(0.0, float(hours(row)[-1]), STEPS)
    first, second = (_division_time(c, times) for c in courses(wells(row), times, _stages()))
    return 100 * abs(first / second - 1)


def _stages() -> tuple[str, ...]:
    return tuple(dividing(1, s) for s in range(1, STAGES + 1))


def hazard_rise(row: Row) -> float:
    """Death rate without survival signals after five divisions over that after one; nothing is simulated."""
    per_division, basic = (quantity(f"death_rate_{name}").value for name in ("per_division", "dividing"))
    return (basic + 5 * per_division) / (basic + per_division)


def destiny_sum(row: Row) -> float:
    """Divisions that two inputs add together over the sum of those that each adds, of arms: none, one, other, both."""
    names = tuple(stopped(g) for g in range(1, GENERATIONS + 1))
    none, one, other, both = (_destiny([found[n] for n in names]) for found in _last(row, names))
    return (both - none) / (one + other - 2 * none)


def _destiny(cells: list[float]) -> float:
    """Mean number of divisions of those that have stopped, by cells of the start."""
    divisions = np.arange(1, GENERATIONS + 1)
    weights = np.array(cells) / 2.0**divisions
    return float((weights * divisions).sum() / weights.sum())


MEASURES: Sequence[Callable[[Row], float]] = (
    divided_ratio, entered_ratio, death_ratio, death_by_cause_ratio, division_time, division_time_change, hazard_rise,
    destiny_sum,
)  # fmt: skip
