"""Solve patients: regimens, persons and variants in, courses of every readout out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run as evaluated
from il2.engine.event import Action, Bolus, Event, Infusion, SteadyStart
from il2.engine.inputs import with_inputs
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.drug import drug
from il2.knowledge.person import Person
from il2.network.expression import Expr, sym
from il2.network.network import Network
from il2.network.program import Program, lower, lower_expressions
from il2.patient.answer import CELLS
from il2.patient.body import Body
from il2.patient.numbers import Values, numbers
from il2.patient.patient import Plan, patient
from il2.patient.pharmacokinetics import DEPOT, PLASMA, at, inert
from il2.patient.regimen import Given, Regimen, doses

TOLERANCES = Tolerances(rtol=1e-5, atol=1e-9)
INTO_VEIN = "iv"


@dataclass(frozen=True)
class Course:
    """Readouts (lanes, times) by name, and why a lane failed, empty for a good one. times_d: (times,)."""

    times_d: np.ndarray
    values: Mapping[str, np.ndarray]
    reasons: tuple[str, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.values:
            raise Il2Error(f"no readout {name!r}", where="patient", how=did_you_mean(name, self.values))
        return self.values[name]


@lru_cache(maxsize=64)
def lowered(plan: Plan) -> tuple[Network, Program]:
    """The network of a plan with infusions into plasma, and its program."""
    network = patient(plan)
    entries = tuple(entry(d.name, d.inert_forms, INTO_VEIN) for d in plan.drugs)
    network = with_inputs(network, *entries) if entries else network
    return network, lower(network)


def entry(name: str, inert_forms: int, route: str) -> str:
    """The species that a dose enters."""
    if route != INTO_VEIN:
        return at(name, DEPOT)
    return inert(name, 1) if inert_forms else at(name, PLASMA)


def plan_of(regimens: Sequence[Regimen], modules: tuple[str, ...] = (), cells: tuple[str, ...] = CELLS) -> Plan:
    """The plan with every drug of some regimens."""
    names = dict.fromkeys(name for r in regimens for name in r.drugs)
    return Plan(tuple(drug(name) for name in names), modules, cells)


def body_of(person: Person) -> Body:
    return Body(person["weight_kg"].value, person["height_cm"].value, person["eGFR"].value, person.species)


def events_of(given: Sequence[Given]) -> list[Event]:
    """Events of the doses of one body. A steady dose, given for ever before, makes a steady start.

    Il2Error for an infusion under the skin, and for steady doses that begin after day 0 or at unlike intervals.
    """
    steady = [g for g in given if g.steady]
    out: list[Event] = []
    if steady:
        interval = steady[0].interval_d
        if any(g.time_d > 0 or g.interval_d != interval for g in steady):
            why = "the state that repeats is that before day 0"
            how = "Let steady doses begin on day 0, at one interval."
            raise Il2Error("a steady dose cannot begin there", where="regimen", why=why, how=how)
        out.append(SteadyStart(interval, [_event(g) for g in steady]))
    return [*out, *(_event(g) for g in given)]


def _event(g: Given) -> Action:
    d = drug(g.drug)
    if g.duration_d > 0 and g.route != INTO_VEIN:
        raise Il2Error(f"{d.name} cannot be infused {g.route}", where="regimen", how="Give a bolus, or infuse iv.")
    where = entry(d.name, d.inert_forms, g.route)
    if g.duration_d > 0:
        return Infusion(g.time_d, g.duration_d, where, amount=g.amount_nmol)
    return Bolus(g.time_d, where, g.amount_nmol)


def follow(
    regimen: Regimen,
    person: Person,
    times_d: np.ndarray,
    wanted: Sequence[str],
    variants: Mapping[str, np.ndarray] | None = None,
    *,
    plan: Plan | None = None,
    changes: Values | None = None,
    threads: int | None = None,
) -> Course:
    """Treat a person and read `wanted` (observables or species) at `times_d`, rising from 0 up.

    variants: values (size,) by name of quantities, dissociation constants and counts; lanes are variants. plan: by
    default the drugs of the regimen. changes: parameters of the network that stand before all others.
    """
    plan = plan or plan_of([regimen])
    network, _ = lowered(plan)
    values = numbers(plan, person, variants) | (changes or {})
    unknown = set(changes or {}) - set(network.parameter_names)
    if unknown:
        name = min(unknown)
        raise Il2Error(
            f"a patient has no number {name!r}", where="changes", how=did_you_mean(name, network.parameter_names)
        )
    return solved(plan, values, events_of(doses(regimen, body_of(person))), times_d, wanted, threads=threads)


def solved(
    plan: Plan,
    values: Values,
    events: Sequence[Event],
    times_d: np.ndarray,
    wanted: Sequence[str],
    *,
    tolerances: Tolerances = TOLERANCES,
    threads: int | None = None,
) -> Course:
    """Solve lanes of parameter values (`il2.patient.numbers`) under events that all share."""
    network, program = lowered(plan)
    readouts = _readouts(network, wanted)
    tape, places = lower_expressions(network, list(readouts.values()))
    rows = parameter_rows(network, values)
    found = run(
        network, rows, np.asarray(times_d, float), events, tolerances=tolerances, program=program, threads=threads
    )
    out = evaluated(tape, {"y": found.y, "p": rows[:, None, :]}, places)
    reasons = tuple(found.reason(lane) for lane in range(len(rows)))
    return Course(np.asarray(times_d, float), {n: out[..., i] for i, n in enumerate(readouts)}, reasons)


def _readouts(network: Network, wanted: Sequence[str]) -> dict[str, Expr]:
    every = {o.name: o.expr for o in network.observables} | {s: sym(s) for s in network.species_names}
    for name in wanted:
        if name not in every:
            raise Il2Error(f"no readout {name!r}", where="patient", how=did_you_mean(name, every))
    return {name: every[name] for name in wanted}
