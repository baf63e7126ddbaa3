"""Arms: a regimen, a typical person and a number of virtual patients; as plain data for long runs, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from il2.cell.yaml_tree import tree_of
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.person import Person, person
from il2.patient.autoimmunity import disease
from il2.patient.course import lowered, plan_of
from il2.patient.patient import Plan
from il2.patient.people import MOST, refuse_number
from il2.patient.regimen import Regimen, refuse_infusions
from il2.patient.regimen_file import regimen_of, regimen_text

TASK = "il2.patient.cohort:treat"
AUTOIMMUNITY = "autoimmunity"
LONGEST_d, MOST_TIMES = 3650, 400
LARGEST_SEED = 2**64 - 1


@dataclass(frozen=True)
class Arm:
    """number: of patients. modules: parts of diseases. changes: parameters of the network that stand before all
    others. first: number of the stream of its first patient; arms with the same one have the same people."""

    name: str
    regimen: Regimen
    person: Person
    number: int
    modules: tuple[str, ...] = ()
    changes: tuple[tuple[str, float], ...] = ()
    first: int = 0

    @property
    def plan(self) -> Plan:
        return plan_of([self.regimen], self.modules)

    def diseased(self, name: str) -> Arm:
        """The arm with a disease of diseases.csv; numbers that were given before stand before those of the disease."""
        modules = tuple(dict.fromkeys((*self.modules, AUTOIMMUNITY)))
        return replace(self, modules=modules, changes=tuple((disease(name).values | dict(self.changes)).items()))


def settings(arms: Sequence[Arm], days: float, report_d: Sequence[float], readouts: Sequence[str], seed: int) -> dict:
    """Settings of the task `TASK`, whose lanes are the patients of all arms one after another.

    days: how long they are followed. report_d: days at which `readouts` (observables or species) are kept. Il2Error for
    what cannot be computed, so that a run does not begin with it.
    """
    for arm in arms:
        refuse_number(arm.number, arm.name)
    if (total := lanes(arms)) > MOST:
        raise Il2Error(f"{total:,} patients in all arms", where="population", how=f"Give at most {MOST:,}.")
    refuse_days(days)
    times = sorted({float(t) for t in report_d})
    if not times or not 0 <= times[0] <= times[-1] <= days or len(times) > MOST_TIMES:
        how = f"Give 1 to {MOST_TIMES} days from 0 to {days:g}."
        raise Il2Error("the days that are kept do not fit", where="population", how=how)
    if not 0 <= seed <= LARGEST_SEED:
        raise Il2Error(f"the seed is {seed}", where="population", how="Give a whole number from 0 to 2^64 - 1.")
    for arm in arms:
        refuse_infusions(arm.regimen)
        refuse_two_sets(arm.plan, arm.name, "Give one of them in an arm.")
    drugs = tuple(dict.fromkeys(d.name for arm in arms for d in arm.plan.drugs))
    for arm in arms:
        _known(arm, readouts, drugs)
    return {
        "arms": [_written(arm) for arm in arms], "days": float(days), "report_d": times, "readouts": list(readouts),
        "drugs": list(drugs), "seed": seed,
    }  # fmt: skip


def refuse_days(days: float) -> None:
    """Refuse a time that nobody can be followed for."""
    if not 0 < days <= LONGEST_d:
        raise Il2Error(f"{days:g} days", where="population", how=f"Give more than 0, at most {LONGEST_d}.")


def refuse_two_sets(plan: Plan, where: str, how: str) -> None:
    """Refuse a plan in which one drug stands with two sets of constants."""
    drugs = [d.name for d in plan.drugs]
    for d in plan.drugs:
        if drugs.count(d.name) > 1:
            sets = " and ".join(other.set for other in plan.drugs if other.name == d.name)
            raise Il2Error(f"{d.name} stands with the sets of constants {sets}", where=where, how=how)


def lanes(arms: Sequence[Arm]) -> int:
    """Patients of all arms."""
    return sum(arm.number for arm in arms)


def arms_of(given: Mapping[str, Any]) -> list[Arm]:
    """The arms that settings describe."""
    return [
        Arm(
            one["name"], regimen_of(tree_of(one["regimen"]["text"], one["name"]), one["regimen"]["name"]),
            person(one["person"]["name"]).having(**one["person"]["values"]), one["number"], tuple(one["modules"]),
            tuple((name, value) for name, value in one["changes"]), one["first"],
        )
        for one in given["arms"]
    ]  # fmt: skip


def units(given: Mapping[str, Any]) -> dict[str, str]:
    """Unit by readout of the arms that settings describe, in words that people read; "" of a plain number."""
    out = dict.fromkeys(levels(given["drugs"]), "nM")
    for arm in arms_of(given):
        network, _ = lowered(arm.plan)
        out |= {o.name: o.unit for o in network.observables} | {s.name: s.unit for s in network.species}
    return {name: "" if unit == "dimensionless" else unit for name, unit in out.items()}


def spans(numbers: Sequence[int], first: int, last: int) -> list[tuple[int, np.ndarray]]:
    """Arm, and the places (n,) in it of its patients, of the lanes from first up to last."""
    out, begin = [], 0
    for arm, number in enumerate(numbers):
        low, high = max(first, begin), min(last, begin + number)
        if low < high:
            out.append((arm, np.arange(low - begin, high - begin)))
        begin += number
    return out


def levels(drugs: Sequence[str]) -> dict[str, str]:
    """Drug by the name of the readout of its level in plasma."""
    return {f"{name}_nM": name for name in drugs}


def _written(arm: Arm) -> dict[str, Any]:
    usual = person(arm.person.name)
    own = {n: v.value for n, v in arm.person.values.items() if v.value != usual[n].value}
    return {
        "name": arm.name, "regimen": {"name": arm.regimen.name, "text": regimen_text(arm.regimen)},
        "person": {"name": arm.person.name, "values": own}, "number": arm.number, "modules": list(arm.modules),
        "changes": [list(pair) for pair in arm.changes], "first": arm.first,
    }  # fmt: skip


def refuse_readout(arm: Arm, name: str, drugs: Sequence[str]) -> None:
    """Refuse a readout that patients of an arm do not have; the level of any of the drugs is one."""
    network, _ = lowered(arm.plan)
    every = [o.name for o in network.observables] + list(network.species_names)
    if name not in every and name not in levels(drugs):
        raise Il2Error(f"no readout {name!r}", where=arm.name, how=did_you_mean(name, every))


def _known(arm: Arm, readouts: Sequence[str], drugs: Sequence[str]) -> None:
    """Refuse readouts and changes that the network of an arm does not have."""
    network, _ = lowered(arm.plan)
    for name in readouts:
        refuse_readout(arm, name, drugs)
    for name, _value in arm.changes:
        if name not in network.parameter_names:
            how = did_you_mean(name, network.parameter_names)
            raise Il2Error(f"a patient has no number {name!r}", where=arm.name, how=how)
