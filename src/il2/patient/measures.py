"""What a target of patients and diseases is compared with: one function a measure, by name.

A measure is given a row of `target_runs.csv` as text and returns a number in the unit of the row. Measures of one topic
have modules of their own; treatments are read by `il2.patient.measures_arms`.
"""

from __future__ import annotations

from collections.abc import Callable

from il2.cell.answers import Row
from il2.patient import (
    antibody_measures,
    disease_measures,
    dose_measures,
    kinetics_measures,
    pool_measures,
    tumour_measures,
)

MEASURES: dict[str, Callable[[Row], float]] = {
    f.__name__: f
    for part in (
        kinetics_measures,
        pool_measures,
        dose_measures,
        antibody_measures,
        disease_measures,
        tumour_measures,
    )
    for f in part.MEASURES
}
