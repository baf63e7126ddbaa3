"""Measures of targets on the diseases of a patient. What they give for outcomes is calibrated and predicts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from il2.cell.answers import Row
from il2.errors import Il2Error
from il2.patient.autoimmunity import CHANGE
from il2.patient.course import follow
from il2.patient.graft import REJECTION
from il2.patient.measures_arms import arm, days, reading, steps, texts
from il2.patient.outcome import outcome
from il2.patient.pool_measures import readings
from il2.patient.tumour import DIAMETER, responded, tumour_patients

PATIENTS, SEED, VISITS = 500, 1, 13
ALIKE = 1.0  # hazard ratio of what no link tells apart


def CD4_gained(row: Row) -> float:
    """Mean of the CD4 T cells gained over antiretroviral therapy alone, read every day up to the time of the row."""
    (text,) = texts(row)
    return float(reading(text, steps(float(days(row)[-1]), 1), "CD4_gained").mean())


def linked_hazard_ratio(row: Row) -> float:
    """Hazard ratio that follows from the count in `readout`: 1 where no link is, NaN where one was added."""
    try:
        outcome(row["readout"])
    except Il2Error:
        return ALIKE
    return float("nan")


def _answering(text: str, end_d: float) -> float:
    """Percent of virtual patients whose tumour comes to shrink by 30 % or more."""
    one = arm(text)
    drawn = tumour_patients(PATIENTS, SEED)
    done = follow(
        one.regimen,
        one.person,
        np.linspace(0.0, end_d, VISITS),
        (DIAMETER,),
        plan=one.plan,
        changes={**one.values, **drawn},
    )
    if failed := [reason for reason in done.reasons if reason]:
        raise Il2Error("a virtual patient of a target could not be solved", where="targets", why=failed[0])
    return float(100 * responded(done[DIAMETER]).mean())


def tumour_answers(row: Row) -> float:
    """Percent of virtual patients who answer."""
    (text,) = texts(row)
    return _answering(text, float(days(row)[-1]))


def left_without_answer(row: Row) -> float:
    """Patients who do not answer under the first arm over those under the second."""
    one, other = (100 - _answering(text, float(days(row)[-1])) for text in texts(row))
    return one / other


def SRI4_answers(row: Row) -> float:
    """Percent of patients with SRI-4 by the calibrated link."""
    (text,) = texts(row)
    change = reading(text, steps(float(days(row)[-1]), 1), CHANGE)[-1]
    return float(100 * outcome("SRI-4").of(change))


def relative_rejection(row: Row) -> float:
    """Share of patients with a rejection by the time of the row under the first arm over that under the second."""
    times = steps(float(days(row)[-1]), 1)
    one, other = (reading(text, times, REJECTION)[-1] for text in texts(row))
    return float(one / other)


def arms_at_end(row: Row) -> float:
    """Reading at the time of the row of the first arm over that of the second."""
    _, (one, other) = readings(row)
    return float(one[-1] / other[-1])


def leak_at_equal_effect(row: Row) -> float:
    """Highest index of capillary leak of the first arm over that of the second at the highest `readout` of the first.

    The further arms are doses of the second drug, rising, between which both are interpolated in logarithms. Il2Error
    where none of them has that effect.
    """
    times, effects = readings(row)
    effect = np.array([e.max() - e[0] for e in effects])
    leak = np.array([reading(text, times, "capillary_leak_index").max() for text in texts(row)])
    if not effect[1:].min() < effect[0] < effect[1:].max():
        raise Il2Error("no dose has the same effect", where=f"target_runs.csv: {row['id']}")
    same = np.exp(np.interp(np.log(effect[0]), np.log(effect[1:]), np.log(leak[1:])))
    return float(leak[0] / same)


MEASURES: Sequence[Callable[[Row], float]] = (
    CD4_gained, linked_hazard_ratio, tumour_answers, left_without_answer, SRI4_answers, relative_rejection, arms_at_end,
    leak_at_equal_effect,
)  # fmt: skip
