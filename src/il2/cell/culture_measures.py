"""What a target of cultures is compared with: one reading of two arms of a run set against one another, and the like.

The arms are in the column `with` (`il2.cell.culture_arms`), the reading in `readout` (`births*cells` is a product,
`a/b` a quotient), the time or the two ends of a time in `time_min`. Measures of one topic have modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from re import findall, split

import numpy as np

from il2.cell import answer_measures, population_measures, secretion_measures, signalling_measures, turnover_measures
from il2.cell.answers import Row
from il2.cell.culture_arms import courses, hours, own, wells

STEPS_PER_HOUR = 4
GENES = ("CSF2",)  # beside IL2


def grid(row: Row) -> np.ndarray:
    """Times (times,) in hours from 0 to the last time of the row, even."""
    end = float(hours(row)[-1])
    return np.linspace(0.0, end, round(end * STEPS_PER_HOUR) + 1)


def readings(row: Row) -> tuple[np.ndarray, list[np.ndarray]]:
    """Times (times,) and the reading (times,) of every arm of a row."""
    names, signs = split(r"[*/]", row["readout"]), findall(r"[*/]", "*" + row["readout"])
    genes = tuple(gene for gene in GENES if any(name.startswith(gene) for name in names))
    times = grid(row)
    wanted = tuple(dict.fromkeys(name.rpartition(":")[2] for name in names))
    done = courses(wells(row), times, wanted, genes=genes)
    with np.errstate(divide="ignore", invalid="ignore"):
        return times, [
            prod(
                (own(c, name) ** (1 if sign == "*" else -1) for name, sign in zip(names, signs, strict=True)),
                start=np.ones(len(times)),
            )
            for c in done
        ]


def arms_at(row: Row) -> float:
    """Reading of the first arm over that of the second, at one time."""
    _, (first, second) = readings(row)
    return float(first[-1] / second[-1])


def arms_highest(row: Row) -> float:
    """Highest reading of the first arm over that of the second, up to a time."""
    _, (first, second) = readings(row)
    return float(first.max() / second.max())


def arms_sum(row: Row) -> float:
    """Reading of the first arm over that of the second, summed over time (from the first time of the row, or 0)."""
    times, arms = readings(row)
    first, second = (_sum(row, times, arm) for arm in arms)
    return first / second


def arms_interaction(row: Row) -> float:
    """Summed reading of the first arm over that of the second, over the same of the third and the fourth."""
    times, arms = readings(row)
    first, second, third, fourth = (_sum(row, times, arm) for arm in arms)
    return first / second / (third / fourth)


def arms_loss(row: Row) -> float:
    """Percent by which the reading of the first arm is below that of the second, at one time."""
    return 100 * (1 - arms_at(row))


def arms_rescue(row: Row) -> float:
    """Percent of a loss that is undone, of arms: lowered, rescued, lowered without the cause, rescued without it."""
    _, (lowered, rescued, control, control_rescued) = readings(row)
    before, after = 1 - lowered[-1] / control[-1], 1 - rescued[-1] / control_rescued[-1]
    return float(100 * (1 - after / before))


def _sum(row: Row, times: np.ndarray, values: np.ndarray) -> float:
    start = hours(row)[0] if len(hours(row)) > 1 else 0.0
    kept = times >= start
    return float(np.trapezoid(values[kept], times[kept]))


MEASURES: Sequence[Callable[[Row], float]] = (
    arms_at, arms_highest, arms_sum, arms_interaction, arms_loss, arms_rescue,
    *answer_measures.MEASURES, *secretion_measures.MEASURES, *signalling_measures.MEASURES,
    *population_measures.MEASURES, *turnover_measures.MEASURES,
)  # fmt: skip
