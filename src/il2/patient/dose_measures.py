"""Measures of targets that ask for a dose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from il2.cell.answers import Row
from il2.errors import Il2Error
from il2.patient.measures_arms import asked, texts
from il2.patient.pool_measures import highest_fold
from il2.patient.regimen_file import regimen

RANGE = (0.001, 100.0)  # of doses that are searched, in the unit of the row
HALVINGS = 14


def dose_for_rise(row: Row) -> float:
    """Dose, in the unit of the row, at which the highest reading is `above` percent over normal, by bisection.

    A rise that no dose of `RANGE` gives, or that the lowest passes, is an Il2Error.
    """
    wanted = asked(row, "above")
    unit = row["unit"].replace("^", "")

    def rise(dose: float) -> float:
        return 100 * (highest_fold(row | {"with": f"{texts(row)[0]}; dose={dose!r} {unit}"}) - 1)

    low, high = RANGE
    if not rise(low) < wanted < rise(high):
        raise Il2Error(f"no dose raises {row['readout']} by {wanted:g} %", where=f"target_runs.csv: {row['id']}")
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if rise(middle) < wanted else (low, middle)
    return float(np.sqrt(low * high))


def preset_dose(row: Row) -> float:
    """Dose of the first course of the regimen in `with`, which is given in the unit of the row."""
    given = regimen(texts(row)[0].split("=")[1].strip()).courses[0].dose
    if f"{given.unit}/{given.per}" != row["unit"]:
        raise Il2Error(f"the dose is in {given.unit}/{given.per}", where=f"target_runs.csv: {row['id']}")
    return given.amount


MEASURES: Sequence[Callable[[Row], float]] = (dose_for_rise, preset_dose)
