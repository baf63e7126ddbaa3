"""Virtual patients: a typical person, and how each differs from it, drawn from streams of random numbers of their own.

Patient i of a seed is the same in any chunk and beside any other patients: each number comes from the counter-based
stream of (seed, i, parameter), and every step from there on is done lane by lane.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from il2.cell.spread import count_name
from il2.engine.philox import uniforms
from il2.errors import Il2Error
from il2.knowledge.cell import cell
from il2.knowledge.drug import ANTIBODY
from il2.knowledge.person import PER_UL, Person, person
from il2.knowledge.quantity import quantity
from il2.knowledge.variation import Variation, variation
from il2.network.network import Parameter
from il2.patient.answer import IL2RA
from il2.patient.numbers import Values, numbers, shedding
from il2.patient.patient import OWN_TERMS, Plan, body_cells, terms_of
from il2.patient.pharmacokinetics import KIDNEY, WEIGHT, own
from il2.patient.pools import started
from il2.patient.sequels import EOSINOPHILS_AT_START
from il2.patient.signal import NEED, term_parameters

FEWEST, MOST = 10, 1_000_000
TREG, EOSINOPHIL = "Treg", "eosinophil"
SIZE = ("weight_kg", "height_cm", "eGFR")
OF_DRUGS = {"V1": "central_volume", "CL": "reference_clearance", "F": "bioavailability", "ka": "absorption"}
FACTORS = (*OF_DRUGS, "IL2RA", "EC50")
BEYOND_SD, PER_SD = 6, 4  # the grid of IL2RA: one person in a billion lies beyond its ends, and is taken to the end

Factors = dict[str, np.ndarray]
Given = tuple[tuple[str, float], ...]


def factors(seed: int, patients: np.ndarray, of: Variation | None = None) -> Factors:
    """Factors (n,) by parameter of variation.csv, lognormal around 1, of the patients of these numbers (n,)."""
    of = of or variation()
    z = [ndtri(uniform(seed, patients, name)) for name in of.names]
    lower = np.linalg.cholesky(of.correlation)
    out = {}
    for i, name in enumerate(of.names):
        mixed = np.zeros(len(patients))
        for j in range(i + 1):  # no product of matrices: its last bits depend on how many patients there are
            if lower[i, j]:
                mixed = mixed + lower[i, j] * z[j]
        out[name] = np.exp(of.sd[i] * mixed)
    return out


def uniform(seed: int, patients: np.ndarray, name: str) -> np.ndarray:
    """A uniform number in (0, 1) of each patient (n,) for what a name says: the same in any chunk."""
    stream = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return uniforms(seed, np.asarray(patients, np.uint64), np.array(stream, np.uint64))[0]


def covariates(of: Person, drawn: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is noted of each patient, (n,) by name: size, surface_m2, kidneys, counts of cells, and the factors of
    what cannot be seen, `V1_factor` and so on."""
    out = {name: of[name].value * drawn[name] for name in SIZE}
    out["surface_m2"] = np.sqrt(out["height_cm"] * out["weight_kg"] / quantity("body_surface_divisor").value)
    out |= {name: of[name].value * f for name, f in drawn.items() if name.endswith(PER_UL)}
    return out | {f"{name}_factor": drawn[name] for name in FACTORS}


def values(plan: Plan, of: Person, drawn: Mapping[str, np.ndarray]) -> Values:
    """Values by parameter name of the network of a plan: numbers for what all share, arrays (n,) for what differs.

    Volume, clearance, absorption and bioavailability (at most 1) of every drug take the factors of aldesleukin; the
    factor of clearance is on all of it, and leaves the share of the kidneys.
    """
    _all_are_used()
    out = dict(typical(plan, of.name, _given(of)))
    for d in plan.drugs:
        for factor, what in OF_DRUGS.items():
            found = out[own(d.name, what)] * drawn[factor]
            out[own(d.name, what)] = np.minimum(found, 1.0) if factor == "F" else found
    weight = drawn["weight_kg"]
    out[WEIGHT] = out[WEIGHT] * weight
    out[KIDNEY] = out[KIDNEY] * (drawn["eGFR"] * np.sqrt(weight * drawn["height_cm"]))
    out[NEED] = drawn["EC50"]
    out[EOSINOPHILS_AT_START] = out[EOSINOPHILS_AT_START] * drawn[EOSINOPHIL + PER_UL]
    for kind in plan.cells:
        out[started(kind)] = out[started(kind)] * drawn[kind + PER_UL]
        out[body_cells(kind)] = out[body_cells(kind)] * (weight * drawn[kind + PER_UL])
    if TREG in plan.cells:
        out |= _terms_of_Treg(plan, of, drawn["IL2RA"])
    usual = cell(TREG).counts[IL2RA].value
    bodies = {kind: out[body_cells(kind)] for kind in plan.cells}
    return out | shedding(plan, bodies, {count_name(TREG, IL2RA): usual * drawn["IL2RA"]})


@lru_cache(maxsize=64)
def typical(plan: Plan, name: str, given: Given) -> Values:
    """Values of the typical person of this name, with what is given instead."""
    return numbers(plan, person(name).having(**dict(given)))


def _terms_of_Treg(plan: Plan, of: Person, IL2RA_factor: np.ndarray) -> Values:
    """Terms of Treg with more or less IL2RA, between those of a grid by a line over the logarithm of the factor."""
    step, table = _grid(plan, of.name, _given(of))
    last = 2 * BEYOND_SD * PER_SD
    place = np.clip(np.log(IL2RA_factor) / step + last / 2, 0.0, float(last))
    below = np.minimum(place.astype(int), last - 1)
    up = place - below
    return {name: (1 - up) * known[below] + up * known[below + 1] for name, known in table.items()}


@lru_cache(maxsize=64)
def _grid(plan: Plan, name: str, given: Given) -> tuple[float, dict[str, np.ndarray]]:
    """Step of the logarithm of the grid of IL2RA, and terms of Treg by parameter name, (points,)."""
    step, end = float(variation().only(["IL2RA"]).sd[0]) / PER_SD, BEYOND_SD * PER_SD
    fold = np.exp(step * np.arange(-end, end + 1))
    usual = cell(TREG).counts[IL2RA].value
    found = numbers(
        replace(plan, cells=(TREG,)), person(name).having(**dict(given)), {count_name(TREG, IL2RA): usual * fold}
    )
    table = {p.name: np.broadcast_to(found[p.name], fold.shape) for p in _term_parameters(plan) if p.name in found}
    return step, table


def _term_parameters(plan: Plan) -> list[Parameter]:
    blocked = any(d.kind == ANTIBODY for d in plan.drugs)
    names = dict.fromkeys((OWN_TERMS, *(terms_of(d) for d in plan.drugs if d.kind != ANTIBODY)))
    return [p for name in names for p in term_parameters(name, TREG, blocked)]


def _given(of: Person) -> Given:
    """Values of a person that are not those of its name."""
    usual = person(of.name)
    return tuple((n, v.value) for n, v in sorted(of.values.items()) if v.value != usual[n].value)


def _all_are_used() -> None:
    unused = [n for n in variation().names if n not in (*SIZE, *FACTORS) and not n.endswith(PER_UL)]
    if unused:
        raise Il2Error(f"{unused[0]!r} varies, and no patient takes it", where="variation.csv")


def refuse_number(number: int, where: str) -> None:
    """Refuse fewer or more people than a population has."""
    if not isinstance(number, int) or isinstance(number, bool) or not FEWEST <= number <= MOST:
        how = f"Give {FEWEST} to {MOST:,}."
        raise Il2Error(f"{number!r} is no number of virtual patients", where=where, how=how)
