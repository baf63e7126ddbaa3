"""The numbers of a patient: pharmacokinetics, answers of the cells, counts of the person, by parameter name.

A number may be an array (size,) over variants: draws from the ranges of knowledge, or virtual patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from il2.cell.spread import count_name
from il2.knowledge.cell import cell
from il2.knowledge.drug import ANTIBODY, COMPLEX, Drug, drug
from il2.knowledge.person import Person
from il2.knowledge.quantity import quantity
from il2.knowledge.species import species_values
from il2.patient.answer import BARE, IL2RA, WHOLE, Answer, answers, curves, weakness
from il2.patient.body import Body
from il2.patient.occupancy import half_occupancy
from il2.patient.patient import HELD, MADE, OWN_TERMS, Plan, body_cells, half_occupied, terms_of, weaker, weaker_IL2RA
from il2.patient.pharmacokinetics import KIDNEY, WEIGHT, kinetic_values, own
from il2.patient.pools import started
from il2.patient.receptors import named, pstat5_at_rest, uptake_at_rest
from il2.patient.sequels import EOSINOPHILS_AT_START, shedding_share
from il2.patient.signal import signal_name, uptake_name
from il2.receptor.affinity import partners
from il2.receptor.head import BLOCKED, affinity_effect, partner_effect, partner_row
from il2.receptor.ligand import ligand
from il2.receptor.trafficking import count

Values = dict[str, np.ndarray | float]
REST_h = 240  # at rest, after which a cell no longer changes
CHAIN_GENES = ("IL2RA", "IL2RB", "IL2RG")


def numbers(plan: Plan, person: Person, variants: Mapping[str, np.ndarray] | None = None) -> Values:
    """Values by parameter name of the network of a plan for a person.

    variants: values (size,) by name that stand before those of knowledge: quantities, dissociation constants, counts
    `CELL CHAIN`. Genes that the person lacks take their chains or their IL-2 away.
    """
    own_species = {name: np.array([v.value]) for name, v in species_values(person.species).items()}
    variants = own_species | dict(variants or {})
    out: Values = dict(variants)
    for d in plan.drugs:
        out |= {own(d.name, what): value for what, (value, _) in kinetic_values(d, variants).items()}
    out |= _receptors(plan, variants) if plan.full else _terms(plan, person, variants)
    for d in plan.drugs:
        if d.kind == ANTIBODY:
            out[half_occupied(d)] = half_occupancy(d, variants)
        else:
            out[weaker(d)] = weakness(d, variants)
            out[weaker_IL2RA(d)] = _weaker_at_IL2RA(d, variants)
    out[HELD] = variants.get("KD_soluble_IL2RA", float(partner_row("soluble_IL2RA")["kd_nM"]))
    return out | person_numbers(plan, person, variants)


def _weaker_at_IL2RA(of: Drug, variants: Mapping[str, np.ndarray]) -> np.ndarray | float:
    """How much weaker a drug binds IL2RA alone; infinite where the antibody of a complex covers that side."""
    name = of.kinetics.get("IL2RA_weaker")
    if name:
        return variants.get(name, quantity(name).value)
    weaker_by: np.ndarray | float = 1.0
    for partner in partners(ligand(of.ligand)) if of.kind == COMPLEX else ():
        row = partner_row(partner)
        effect = affinity_effect(row, IL2RA)
        covered = partner_effect(row, IL2RA) == BLOCKED
        weaker_by = np.inf if covered else variants.get(f"{partner}_factor_{IL2RA}", 1.0 if effect is None else effect)
    return weaker_by


def person_numbers(plan: Plan, person: Person, variants: Mapping[str, np.ndarray]) -> Values:
    """What a person's size, kidneys, counts and genes set."""
    body = Body(person["weight_kg"].value, person["height_cm"].value, person["eGFR"].value, person.species)
    out: Values = {WEIGHT: body.weight_kg, KIDNEY: body.GFR_mL_min / Body().GFR_mL_min}
    out[EOSINOPHILS_AT_START] = person.counts["eosinophil"]
    out[MADE] = _left(person, "IL2")
    for kind in plan.cells:
        out[started(kind)] = person.counts[kind]
        out[body_cells(kind)] = person.body_cells(kind) * body.weight_kg / Body().weight_kg
    return out | shedding(plan, {kind: out[body_cells(kind)] for kind in plan.cells}, variants)


def _receptors(plan: Plan, variants: Mapping[str, np.ndarray]) -> Values:
    """Receptor counts of every kind of cell in the full form, and its uptake and pSTAT5 at rest."""
    out: Values = {}
    for kind in plan.cells:
        for chain, known in cell(kind).counts.items():
            out[named(kind, count(chain))] = variants.get(count_name(kind, chain), known.value)
    level = quantity("tissue_IL2_at_rest").value / quantity("pM_per_nM").value
    rest = curves(drug("aldesleukin"), plan.cells, variants, np.array([level]), REST_h)
    for kind in plan.cells:
        out[uptake_at_rest(kind)] = rest[kind, WHOLE].uptake[:, 0]
        out[pstat5_at_rest(kind)] = rest[kind, WHOLE].pstat5[:, 0]
    return out


def shedding(plan: Plan, bodies: Mapping[str, np.ndarray | float], variants: Mapping[str, np.ndarray]) -> Values:
    """Share of all IL2RA of the body that each kind of cell bears."""
    borne: Values = {}
    for kind in plan.cells:
        name = count_name(kind, IL2RA)
        borne[kind] = bodies[kind] * np.asarray(variants.get(name, cell(kind).counts[IL2RA].value), float)
    total = sum(borne.values())
    return {shedding_share(kind): value / total for kind, value in borne.items()}


def _left(person: Person, gene: str) -> float:
    """Share of the normal function of a gene that the person has."""
    name = f"{gene}_gene"
    return person.values[name].value if name in person.values else 1.0


def _terms(plan: Plan, person: Person, variants: Mapping[str, np.ndarray]) -> Values:
    """Terms of every ligand on every cell."""
    sources = {OWN_TERMS: drug("aldesleukin")} | {terms_of(d): d for d in plan.drugs if d.kind != ANTIBODY}
    genes = {chain: _left(person, chain) for chain in CHAIN_GENES}
    given = dict(variants)
    for kind in plan.cells if min(genes.values()) < 1 else ():
        for chain, left in genes.items():
            name = count_name(kind, chain)
            known = cell(kind).counts.get(chain)
            given[name] = left * np.atleast_1d(np.asarray(given.get(name, known.value if known else 0.0), float))
    size = max((np.size(v) for v in given.values()), default=1)
    given = {name: np.broadcast_to(v, (size,)) for name, v in given.items()}
    signalling = _left(person, "JAK3")
    blocked = any(d.kind == ANTIBODY for d in plan.drugs)
    out: Values = {}
    for terms, d in sources.items():
        found = _default(d, plan.cells) if not given else answers(d, plan.cells, given)
        for (kind, share), answer in found.items():
            if share == WHOLE or (blocked and share == BARE):
                out |= {uptake_name(terms, kind, share, k): u for k, u in enumerate(answer.uptake.T)}
                signals = (signalling * answer.pstat5).T
                out |= {signal_name(terms, kind, share, k): e for k, e in enumerate(signals)}
    return out


@lru_cache(maxsize=64)
def _kept(name: str, set: str, kinds: tuple[str, ...]) -> dict[tuple[str, str], Answer]:
    return answers(drug(name, set), kinds)


def _default(of: Drug, kinds: tuple[str, ...]) -> dict[tuple[str, str], Answer]:
    return _kept(of.name, of.set, kinds)
