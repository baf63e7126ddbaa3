"""Patients under every variant of a sample: one call a regimen and person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from il2.cell.spread import Range, count_ranges, network_ranges, quantity_ranges
from il2.experiments.sample import Sample
from il2.knowledge.person import person
from il2.knowledge.quantity import quantities
from il2.patient.course import body_of, events_of, lowered, plan_of, solved
from il2.patient.numbers import numbers
from il2.patient.patient import Plan
from il2.patient.regimen import Regimen, doses
from il2.patient.regimen_file import regimen as named

Changes = Mapping[str, np.ndarray | float]
FIXED = "units"


def treated(
    sample: Sample,
    regimen: str | Regimen,
    who: str,
    times_d: np.ndarray,
    wanted: Sequence[str],
    modules: tuple[str, ...] = (),
    changes: Changes | None = None,
) -> dict[str, np.ndarray]:
    """Readouts (variants, times) by name of a person under a regimen; NaN where a lane failed.

    modules: diseases. changes: parameters of the patient that stand before all others, one number or (variants,).
    """
    plan = plan_of([_regimen(regimen)], modules)
    return followed(sample, plan, regimen, who, times_d, wanted, changes)


def followed(
    sample: Sample,
    plan: Plan,
    regimen: str | Regimen,
    who: str,
    times_d: np.ndarray,
    wanted: Sequence[str],
    changes: Changes | None = None,
) -> dict[str, np.ndarray]:
    """The same with a plan at hand, which holds the drugs of the regimen and may hold more."""
    of, someone = _regimen(regimen), person(who)
    given = {name: np.asarray(v, float) for name, v in sample.values.items()}
    values = numbers(plan, someone, given) | dict(changes or {})
    found = solved(plan, values, events_of(doses(of, body_of(someone))), times_d, wanted)
    good = np.array([not reason for reason in found.reasons])
    out = {}
    for name, value in found.values.items():
        every = np.broadcast_to(value, (sample.size, len(times_d))).copy()
        every[~np.broadcast_to(good, (sample.size,))] = np.nan
        out[name] = every
    return out


def _regimen(of: str | Regimen) -> Regimen:
    return named(of) if isinstance(of, str) else of


def patient_ranges(regimens: Iterable[str | Regimen], modules: tuple[str, ...] = ()) -> tuple[Range, ...]:
    """Ranges of all that patients under these regimens rest on: quantities, affinities of IL-2, counts of receptors."""
    found: dict[str, Range] = {}
    for of in regimens:
        plan = plan_of([_regimen(of)], modules)
        network, _ = lowered(plan)
        known = quantities()
        names = {n for n in network.parameter_names if n in known}
        names |= {n for d in plan.drugs for n in d.kinetics.values()} | {"quasi_steady_time"}
        names = {n for n in names if known[n].layer != FIXED}
        out = [*network_ranges("IL2"), *quantity_ranges(*sorted(names))]
        out += [r for kind in plan.cells for r in count_ranges(kind, "IL2")]
        found |= {r.name: r for r in out}
    return tuple(found.values())
