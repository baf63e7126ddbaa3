"""Persons in several arms: every variant of a sample under each regimen, in one network.

What the cells answer rests on no person, and is read from the receptor layer once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from il2.cell.spread import Range
from il2.errors import Il2Error
from il2.experiments.patients import Changes, patient_ranges
from il2.experiments.sample import Sample
from il2.knowledge.person import person
from il2.patient.course import body_of, events_of, plan_of, solved
from il2.patient.numbers import numbers, person_numbers
from il2.patient.regimen import Regimen, doses

Found = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Arms:
    """What one person is given, by the name of the arm. changes: parameters of the patient that stand before all
    others, one number or (variants,)."""

    person: str
    regimens: Mapping[str, Regimen]
    changes: Changes = field(default_factory=dict)


def followed(
    sample: Sample, people: Sequence[Arms], times_d: np.ndarray, wanted: Sequence[str], modules: tuple[str, ...] = ()
) -> list[Found]:
    """Readouts (variants, times) by arm and name, of each person; NaN where a lane failed. modules: diseases.

    All must be of one species and have all genes, else Il2Error.
    """
    plan = plan_of([_all(people)], modules)
    given = {name: np.asarray(v, float) for name, v in sample.values.items()}
    every = [person(p.person) for p in people]
    if len({p.species for p in every}) > 1 or (len(every) > 1 and any(p.lost_genes for p in every)):
        raise Il2Error("these persons do not share their cells", where="arms", how="Follow them one by one.")
    shared = numbers(plan, every[0], given)
    out = []
    for one, of in zip(people, every, strict=True):
        values = shared | person_numbers(plan, of, given) | dict(one.changes)
        found: Found = {}
        for label, regimen in one.regimens.items():
            course = solved(plan, values, events_of(doses(regimen, body_of(of))), times_d, wanted)
            bad = np.array([bool(reason) for reason in course.reasons])
            found[label] = {n: _known(v, bad, (sample.size, len(times_d))) for n, v in course.values.items()}
        out.append(found)
    return out


def arm_ranges(people: Iterable[Arms], modules: tuple[str, ...] = ()) -> tuple[Range, ...]:
    """Ranges of all that the arms rest on."""
    return patient_ranges([_all(people)], modules)


def _all(people: Iterable[Arms]) -> Regimen:
    """A regimen with the drugs of all arms, so that one network serves them."""
    return Regimen("all arms", "", tuple(c for p in people for one in p.regimens.values() for c in one.courses))


def _known(values: np.ndarray, bad: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    out = np.broadcast_to(values, shape).copy()
    out[np.broadcast_to(bad, shape[:1])] = np.nan
    return out


def mean(times_d: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean over time (variants,) of readings (variants, times)."""
    found: np.ndarray = np.trapezoid(values, times_d, axis=-1) / (times_d[-1] - times_d[0])
    return found
