"""Where a dose goes: lost at the site, eaten by receptors, cleared otherwise, still in the body; receptors at work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from il2.cell.ec50 import ec50
from il2.engine.evaluate import run
from il2.knowledge.drug import ANTIBODY, Drug
from il2.knowledge.quantity import quantity
from il2.network.expression import sym
from il2.network.network import Network
from il2.network.program import lower_expressions
from il2.patient.answer import BARE, WHOLE, CURVE_nM, signal_basis, uptake_basis
from il2.patient.numbers import Values
from il2.patient.patient import OWN_TERMS, Plan, terms_of, weaker
from il2.patient.pharmacokinetics import DEPOT, LYMPH, PERIPHERY, PLASMA, at, inert, own
from il2.patient.regimen import Given
from il2.patient.sampled import METHODS, course, segments
from il2.patient.signal import signal_name, uptake_name

FATES = {
    "not_absorbed": "share of the dose lost where it was injected",
    "eaten_by_receptors": "share of the dose taken up by IL-2 receptors of cells",
    "cleared": "share of the dose lost otherwise, in proportion to its level: kidneys and other linear loss",
    "left": "share of the dose still in the body at the end",
}


def places(of: Drug, network: Network) -> tuple[str, ...]:
    """Species that hold a drug on its way, in nmol."""
    every = (at(of.name, place) for place in (DEPOT, LYMPH, PLASMA, PERIPHERY))
    forms = (inert(of.name, i) for i in range(1, of.inert_forms + 1))
    return tuple(name for name in (*every, *forms) if name in network.species_names)


def fate(
    of: Drug, times_d: np.ndarray, read: Mapping[str, np.ndarray], given: Sequence[Given], values: Values,
    network: Network,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Shares (lanes,) of what was given by the end, by `FATES`, and `missed`, the share that the sum of all misses.

    read: courses (lanes, times) by readout. given: doses of this drug. NaN where nothing was given.
    """
    into_vein = into_skin = 0.0
    for g in given:
        done = 1.0 if g.duration_d == 0 else min(1.0, (times_d[-1] - g.time_d) / g.duration_d)
        if g.time_d <= times_d[-1]:
            into_vein, into_skin = (
                into_vein + done * g.amount_nmol * (g.route == "iv"), into_skin + g.amount_nmol * (g.route != "iv")
            )  # fmt: skip
    total = into_vein + into_skin or np.nan
    left = sum(read[name][:, -1] for name in places(of, network))
    absorbed = np.asarray(values[own(of.name, "bioavailability")], float)
    lost = (1 - absorbed) * (into_skin - read[at(of.name, DEPOT)][:, -1])
    level = read[f"{of.name}_nM"]
    eaten = _area(times_d, read[f"{of.name}_uptake"]) if of.kind != ANTIBODY else np.zeros(len(level))
    hourly = clearance(of, network, values) * quantity("hours_per_day").value
    cleared = hourly * _area(times_d, level)
    shares = {"not_absorbed": lost, "eaten_by_receptors": eaten, "cleared": cleared, "left": left}
    found = {name: np.broadcast_to(amount / total, (len(level),)) for name, amount in shares.items()}
    return found | {"missed": 1 - np.sum(list(found.values()), axis=0)}


def clearance(of: Drug, network: Network, values: Values) -> np.ndarray:
    """Clearance (lanes,) of a person without receptors, L/h."""
    from il2.engine.batch import parameter_rows

    tape, found = lower_expressions(network, [sym(own(of.name, "clearance"))])
    rows = parameter_rows(network, values)
    return run(tape, {"y": np.zeros((len(rows), len(network.species_names))), "p": rows}, found)[..., 0]


def _area(times_d: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Area (lanes,) under a course; a lane that failed is NaN."""
    good = np.isfinite(values).all(axis=-1)
    out = np.full(len(values), np.nan)
    if good.any():
        out[good] = segments(course(times_d, np.maximum(values[good], 0.0)), METHODS[0])[0].sum(axis=-1)
    return out


def at_work(plan: Plan, read: Mapping[str, np.ndarray], values: Values) -> dict[str, np.ndarray]:
    """Share (lanes, times) of its receptors that a kind of cell has at work: its uptake over the most that it can do.

    All ligands count, each over its own most; uptake is in proportion to the receptors that hold a ligand.
    """
    free = 1 - read["IL2_bound_to_soluble_IL2RA"]
    felt = [(OWN_TERMS, read["IL2_nM"])]
    for d in plan.drugs:
        if d.kind != ANTIBODY:
            felt.append((terms_of(d), read[f"{d.name}_nM"] * free / _column(values[weaker(d)])))
    blocked = any(d.kind == ANTIBODY for d in plan.drugs)
    uncovered = read["IL2RA_free"]
    out = {}
    for kind in plan.cells:
        busy: np.ndarray | float = 0.0
        for terms, c in felt:
            whole = _terms(values, terms, kind, WHOLE)
            most = whole.sum(axis=-1)
            most = np.where(most > 0, most, np.inf)
            every = np.sum([x for _, x in felt], axis=0)
            if blocked:
                bare = _terms(values, terms, kind, BARE)
                taken = _taken(bare, c, every)
                taken = taken + _taken(whole - bare, c * uncovered, every * uncovered)
            else:
                taken = _taken(whole, c, every)
            busy = busy + taken / most
        out[kind] = np.asarray(busy)
    return out


def _column(value: np.ndarray | float) -> np.ndarray:
    return np.atleast_1d(np.asarray(value, float))[:, None]


def _terms(values: Values, terms: str, kind: str, share: str) -> np.ndarray:
    """Terms of uptake (lanes, 1, classes)."""
    size = uptake_basis(np.zeros(1)).shape[-1]
    found = [np.atleast_1d(np.asarray(values[uptake_name(terms, kind, share, k)], float)) for k in range(size)]
    return np.stack(np.broadcast_arrays(*found), axis=-1)[:, None, :]


def _taken(terms: np.ndarray, c: np.ndarray, every: np.ndarray) -> np.ndarray:
    """Uptake (lanes, times) of a ligand at c beside all that share its receptors."""
    with np.errstate(all="ignore"):
        share = np.where(every > 0, c / every, 0.0)
    return share * (terms * uptake_basis(np.maximum(every, 0.0))).sum(axis=-1)


def half_signal(of: Drug, kind: str, values: Values) -> float:
    """Level (nM) of a drug that brings half of the most pSTAT5 of a kind of cell; NaN for an antibody."""
    if of.kind == ANTIBODY:
        return float("nan")
    size = signal_basis(np.zeros(1)).shape[-1]
    terms = [np.ravel(values[signal_name(terms_of(of), kind, WHOLE, k)])[0] for k in range(size)]
    return float(np.ravel(values[weaker(of)])[0]) * ec50(CURVE_nM, signal_basis(CURVE_nM) @ np.array(terms))
