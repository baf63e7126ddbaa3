"""Treatments that a row of `target_runs.csv` describes in its column `with`, and their courses.

`with` has parts parted by `|`: first what all arms share, then one part an arm; a single part is a single arm. A part
is a list `name=value; ...` of a regimen of the package (`regimen=cGVHD_daily`) or of the numbers of a course (drug,
dose, route, start_d, every_h, doses, duration_h, cycles, cycle_d, percent), of `person`, by default the healthy adult,
of `drugs` that the network has whether they are given or not, of `modules`, both parted by `+`, with a `disease` of
diseases.csv, of `uptake=0`, which takes the uptake by cells away, of quantities and of parameters of the network that
are set to a number or to that of a quantity. What a measure itself asks for (`MEASURED`) is no part of a treatment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from il2.cell.answers import Row, times_of
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.drug import Drug, drug
from il2.knowledge.person import HEALTHY, Person, person
from il2.knowledge.quantity import quantities, quantity
from il2.patient.answer import CELLS
from il2.patient.autoimmunity import disease
from il2.patient.body import Body
from il2.patient.course import body_of, follow, lowered, plan_of
from il2.patient.dose import dose
from il2.patient.numbers import Values
from il2.patient.patient import Plan
from il2.patient.regimen import Course, Regimen, doses
from il2.patient.regimen_file import regimen

MEASURED = ("above",)
NUMBERS = ("start_d", "every_h", "duration_h", "cycle_d", "percent")
COUNTS = ("doses", "cycles")
UPTAKE, LEVEL = "uptake", "_nM"
SHARE, COVERED, RISE = "Treg_share_of_CD4", "IL2RA_covered", "rise_of_"
SUMS = {"lymphocytes": CELLS, "all_NK": ("NK", "NK_CD56bright")}


@dataclass(frozen=True)
class Arm:
    """A regimen for a person. plan: what the network holds. values: quantities and parameters that are set, by name."""

    regimen: Regimen
    person: Person
    plan: Plan
    values: Mapping[str, float]

    @property
    def body(self) -> Body:
        return body_of(self.person)

    @property
    def drug(self) -> Drug:
        return drug(self.regimen.drugs[0])

    @property
    def nmol(self) -> float:
        """All that is given, nmol."""
        return sum(g.amount_nmol for g in doses(self.regimen, self.body))

    @property
    def infused_d(self) -> float:
        """Length of the first infusion, d; 0 for a bolus."""
        return doses(self.regimen, self.body)[0].duration_d


def texts(row: Row) -> list[str]:
    """The arms of a row, each with what all share before it."""
    shared, *own = row["with"].split("|")
    return [f"{shared}; {part}" for part in own] or [shared]


def items(text: str, where: str = "") -> dict[str, str]:
    """Names and values of a part; what cannot be read is an Il2Error."""
    found = {}
    for item in text.split(";"):
        name, separator, value = (piece.strip() for piece in item.partition("="))
        if item.strip() and not (name and separator and value):
            raise Il2Error(f"cannot read {item!r}", where=f"target_runs.csv: {where}", how="Write name=value.")
        if item.strip():
            found[name] = value
    return found


def asked(row: Row, name: str) -> float:
    """A number that the measure of a row asks for (`MEASURED`)."""
    found = items(texts(row)[0], row["id"])
    if name not in found:
        raise Il2Error(f"{name} is missing", where=f"target_runs.csv: {row['id']}", how=f"Write {name}=... in `with`.")
    return float(found[name])


def arm(text: str, where: str = "") -> Arm:
    """The arm that a text describes; an unknown name is an Il2Error."""
    left = items(text, where)
    for name in MEASURED:
        left.pop(name, None)
    who = person(left.pop("person", HEALTHY))
    modules, drugs = (tuple(filter(None, left.pop(name, "").split("+"))) for name in ("modules", "drugs"))
    given = regimen(left.pop("regimen")) if "regimen" in left else Regimen(where or "arm", "", (_course(left),))
    plan = plan_of([given], modules)
    plan = replace(plan, drugs=tuple(dict.fromkeys((*map(drug, drugs), *plan.drugs))))
    network, _ = lowered(plan)
    values = disease(left.pop("disease")).values if "disease" in left else {}
    if float(left.pop(UPTAKE, "1")) == 0:
        values |= {name: 0.0 for name in network.parameter_names if name.startswith(f"{UPTAKE}_")}
    known = {*quantities(), *network.parameter_names}
    for name, value in left.items():
        if name not in known:
            raise Il2Error(f"no number {name!r}", where=f"target_runs.csv: {where}", how=did_you_mean(name, known))
        values[name] = quantity(value).value if value in quantities() else float(value)
    return Arm(given, who, plan, values)


def _course(left: dict[str, str]) -> Course:
    of, amount, route = (left.pop(name) for name in ("drug", "dose", "route"))
    found: dict[str, Any] = {name: float(left.pop(name)) for name in NUMBERS if name in left}
    found |= {name: int(left.pop(name)) for name in COUNTS if name in left}
    return Course(of, dose(amount), route, **found)


def days(row: Row) -> np.ndarray:
    """Times (times,) of a row in d."""
    found: np.ndarray = times_of(row) / quantity("minutes_per_day").value
    return found


def steps(end_d: float, per_day: float) -> np.ndarray:
    """Even times (times,) from 0 to an end, d."""
    return np.linspace(0.0, end_d, round(end_d * per_day) + 1)


def reading(text: str, times_d: np.ndarray, name: str) -> np.ndarray:
    """A reading (times,) of one arm. name: a readout of a patient, `a/b`, a derived one (`Treg_share_of_CD4`, percent;
    `lymphocytes` and `all_NK`, cell/uL of blood; `IL2RA_covered`, percent), or `rise_of_` one, less its first value."""
    if "/" in name:
        one, other = name.split("/")
        return reading(text, times_d, one) / reading(text, times_d, other)
    if name.startswith(RISE):
        found = reading(text, times_d, name.removeprefix(RISE))
        return found - found[0]
    parts = _parts(name)
    read = [_followed(text, tuple(times_d), part) for part in parts]
    if name == SHARE:
        return 100 * read[0] / (read[0] + read[1])
    return 100 * (1 - read[0]) if name == COVERED else np.sum(read, axis=0)


def _parts(name: str) -> tuple[str, ...]:
    if name == SHARE:
        return ("count_Treg", "count_Th")
    if name in SUMS:
        return tuple(f"count_{kind}" for kind in SUMS[name])
    return ("IL2RA_free",) if name == COVERED else (name,)


EVERY = (
    *(f"{what}_{kind}" for kind in CELLS for what in ("count", "pool", "programme")),
    "IL2RA_free", "IL5", "eosinophils", "capillary_leak_index",
)  # fmt: skip


def _followed(text: str, times_d: tuple[float, ...], name: str) -> np.ndarray:
    """Readouts that are often asked for are read together, so that an arm is solved once."""
    often = name in EVERY or name in levels(arm(text))
    return _courses(text, times_d, "" if often else name)[name]


def levels(one: Arm) -> tuple[str, ...]:
    """Readouts of the levels of all drugs of an arm."""
    return tuple(of.name + LEVEL for of in one.plan.drugs)


@lru_cache(maxsize=100)
def _courses(text: str, times_d: tuple[float, ...], more: str) -> Mapping[str, np.ndarray]:
    one = arm(text)
    network, _ = lowered(one.plan)
    own = set(network.parameter_names)
    changes: Values = {name: value for name, value in one.values.items() if name in own}
    variants = {name: np.array([value]) for name, value in one.values.items() if name not in own}
    wanted = tuple(dict.fromkeys((*EVERY, *levels(one), *filter(None, [more]))))
    done = follow(
        one.regimen, one.person, np.array(times_d), wanted, variants or None, plan=one.plan, changes=changes or None
    )
    if done.reasons[0]:
        raise Il2Error("a treatment of a target could not be solved", where="targets", why=done.reasons[0])
    return {name: values[0] for name, values in done.values.items()}
