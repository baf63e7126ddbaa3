"""Patients under every variant of a sample: who is given what, in one network, and what is read of the courses.

What the cells answer rests on no person and on no dose. It is read from the receptor layer once for all arms.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from il2.cell.spread import Range, count_ranges, network_ranges, quantity_ranges
from il2.errors import Il2Error
from il2.experiments.sample import Sample
from il2.knowledge.person import person
from il2.knowledge.quantity import quantities
from il2.patient.course import body_of, events_of, lowered, plan_of, solved
from il2.patient.exposure import exposure
from il2.patient.numbers import Values, numbers, person_numbers
from il2.patient.patient import Plan
from il2.patient.regimen import Regimen, doses

FIXED = "units"

Changes = Mapping[str, np.ndarray | float]
"""Parameters of the patient that stand before all others, one number or (variants,)."""
Found = Mapping[str, np.ndarray]
"""Readouts (variants, times) by name; NaN where a lane failed."""
Label = TypeVar("Label", bound=Hashable)


@dataclass(frozen=True)
class Arm:
    """A regimen, who gets it, when to read (times,) in d, rising from 0, and what is changed in the patient."""

    regimen: Regimen
    who: str
    times_d: np.ndarray
    changes: Changes = field(default_factory=dict)


@dataclass(frozen=True)
class Patients:
    """The variants of a sample in the network of a plan. values: what no person sets, by parameter name."""

    sample: Sample
    plan: Plan
    values: Values

    def chosen(self, lanes: np.ndarray) -> Patients:
        """Chosen variants, one lane each; a variant may stand in several."""
        every = {name: np.asarray(value, float) for name, value in self.values.items()}
        own = {name: v[lanes] if v.shape == (self.sample.size,) else v for name, v in every.items()}
        return Patients(self.sample.chosen(lanes), self.plan, own)


def patients(
    sample: Sample, regimens: Iterable[Regimen], people: Sequence[str], modules: tuple[str, ...] = ()
) -> Patients:
    """Read the cells of some people for the drugs of all regimens. modules: diseases.

    All people must be of one species and have all genes, else Il2Error; one person alone may be any.
    """
    every = [person(who) for who in people]
    if len({p.species for p in every}) > 1 or (len(every) > 1 and any(p.lost_genes for p in every)):
        raise Il2Error("these persons do not share their cells", where="arms", how="Follow them one by one.")
    plan = plan_of(list(regimens), modules)
    return Patients(sample, plan, numbers(plan, every[0], sample.values))


def course(of: Patients, arm: Arm, wanted: Sequence[str]) -> Found:
    """Readouts of one arm, whose drugs are among those of the patients."""
    someone, size = person(arm.who), of.sample.size
    values = of.values | person_numbers(of.plan, someone, of.sample.values) | dict(arm.changes)
    found = solved(of.plan, values, events_of(doses(arm.regimen, body_of(someone))), arm.times_d, wanted)
    bad = np.array([bool(reason) for reason in found.reasons])[:, None]
    shape = (size, len(arm.times_d))
    return {name: np.broadcast_to(np.where(bad, np.nan, value), shape) for name, value in found.values.items()}


def followed(
    sample: Sample, arms: Mapping[Label, Arm], wanted: Sequence[str], modules: tuple[str, ...] = ()
) -> dict[Label, Found]:
    """Readouts by arm, all in one network; errors and modules as in `patients`."""
    people = list(dict.fromkeys(arm.who for arm in arms.values()))
    every = patients(sample, (arm.regimen for arm in arms.values()), people, modules)
    return {label: course(every, arm, wanted) for label, arm in arms.items()}


def patient_ranges(regimens: Iterable[Regimen], modules: tuple[str, ...] = ()) -> tuple[Range, ...]:
    """Ranges of all that patients under these regimens rest on: quantities, affinities of IL-2, counts of receptors."""
    plan = plan_of(list(regimens), modules)
    network, _ = lowered(plan)
    known = quantities()
    names = {n for n in network.parameter_names if n in known}
    names |= {n for d in plan.drugs for n in d.kinetics.values()} | {"quasi_steady_time"}
    names = {n for n in names if known[n].layer != FIXED}
    counts = (r for kind in plan.cells for r in count_ranges(kind, "IL2"))
    found = (*network_ranges("IL2"), *quantity_ranges(*sorted(names)), *counts)
    return tuple({r.name: r for r in found}.values())


def person_grades(people: Iterable[str]) -> tuple[str, ...]:
    """Grades of what is known of some persons."""
    return tuple(value.grade for who in people for value in person(who).values.values())


def area(times_d: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum over time (variants,) of readings (variants, times)."""
    found: np.ndarray = np.trapezoid(values, times_d, axis=-1)
    return found


def mean(times_d: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean over time (variants,) of readings (variants, times)."""
    found: np.ndarray = area(times_d, values) / (times_d[-1] - times_d[0])
    return found


def half_life_d(times_d: np.ndarray, level_nM: np.ndarray, **given: Any) -> np.ndarray:
    """Terminal half-life (variants,) of a level (variants, times) after one dose; NaN where a lane failed.

    given: route and limits, as `il2.patient.exposure.exposure` takes them.
    """
    good = np.isfinite(level_nM).all(axis=-1)
    found = np.full(len(level_nM), np.nan)
    found[good] = exposure(times_d, level_nM[good], **given).terminal.half_life_d
    return found
