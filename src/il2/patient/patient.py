"""A patient as a network: drugs in plasma, IL-2 of tissue, receptor-bearing cells that answer both and take both up.

Cells see the free drug of plasma and the IL-2 of their tissue, which T cells make at a constant rate and all cells
take up; it stands at `tissue_IL2_at_rest` before treatment. An antibody to IL2RA covers a share of the chain. All
uptake and all pSTAT5 come from the receptor layer (`il2.patient.answer`). Time is d, plasma nM, drugs nmol.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.knowledge.drug import ANTIBODY, Drug
from il2.network.expression import Expr, add, num, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Reaction, Species, check, join
from il2.network.part import with_quantities
from il2.patient.answer import CELLS
from il2.patient.module import Seen, modules
from il2.patient.pharmacokinetics import BODY, PLASMA, WEIGHT, at, concentration, pharmacokinetics, weight
from il2.patient.pools import MARGINATION, drive, excess, pool, pools
from il2.patient.receptors import receptors
from il2.patient.sequels import SOLUBLE, sequels
from il2.patient.signal import NEED, Ligand, Senses, sensing, term_parameters

TISSUE = "IL2@tissue"
MADE = "IL2_made"
OWN_TERMS = "IL2"
HELD = "KD_soluble_IL2RA"


@dataclass(frozen=True)
class Plan:
    """What is in the network of a patient. drugs: with their sets of constants. modules: parts of diseases, by name
    (`il2.patient.module`). full: whether every kind of cell has its receptor network in the patient
    (`il2.patient.receptors`), instead of the terms read from it."""

    drugs: tuple[Drug, ...] = ()
    modules: tuple[str, ...] = ()
    cells: tuple[str, ...] = CELLS
    full: bool = False


def terms_of(of: Drug) -> str:
    """Name under which the terms of a drug stand: aldesleukin shares those of IL-2."""
    plain = of.ligand == OWN_TERMS and not {"IL2RA_weaker", "IL2RB_weaker"} & set(of.kinetics)
    return OWN_TERMS if plain else of.name


def weaker(of: Drug) -> str:
    """Name of the parameter that tells how much weaker a drug binds IL2RB."""
    return f"{of.name} weaker"


def half_occupied(of: Drug) -> str:
    """Name of the parameter with the concentration (nM) at which an antibody covers half of IL2RA."""
    return f"{of.name} half_occupied"


@cache
def patient(plan: Plan) -> Network:
    """The network of a plan; its numbers come from `il2.patient.numbers`."""
    antibodies = tuple(d for d in plan.drugs if d.kind == ANTIBODY)
    others = tuple(d for d in plan.drugs if d.kind != ANTIBODY)
    free = _free(antibodies)
    bound = sym(SOLUBLE) / (sym(SOLUBLE) + sym(HELD))
    ligands = (
        Ligand(TISSUE, OWN_TERMS, sym(TISSUE)),
        *(
            Ligand(d.name, terms_of(d), concentration(d.name) * (1 - bound) / sym(weaker(d)))
            for d in others
        ),
    )  # fmt: skip
    senses, resting, extra = _senses(plan, ligands, free if antibodies else None)
    high = drive(senses.pstat5(MARGINATION)) - drive(resting.pstat5(MARGINATION))
    exposure = add(num(0.0), *(concentration(d.name) / sym(weaker_IL2RA(d)) for d in others)) * free
    parts = [
        *(pharmacokinetics(d) for d in plan.drugs),
        *(pools(kind, senses.pstat5(kind), resting.pstat5(kind), high) for kind in plan.cells),
        *extra,
        _own(plan, others),
        _tissue(plan, senses, resting, ligands),
        _taken_up(plan, senses, ligands, others),
        with_quantities(sequels(plan.cells, exposure)),
        Network(
            "antibodies",
            parameters=tuple(Parameter(half_occupied(d), 1.0, "nM") for d in antibodies),
            observables=(
                Observable("IL2RA_free", free, "dimensionless"),
                Observable("IL2_nM", sym(TISSUE), "nM"),
                Observable("IL2_bound_to_soluble_IL2RA", bound, "dimensionless"),
            ),
        ),
    ]
    seen = add(sym(TISSUE), *(concentration(d.name) * (1 - bound) for d in others))
    parts += [modules()[name](Seen({k: excess(k) for k in plan.cells}, seen, free)) for name in plan.modules]
    return check(with_quantities(join("patient", *parts)))


def _senses(plan: Plan, ligands: tuple[Ligand, ...], free: Expr | None) -> tuple[Senses, Senses, list[Network]]:
    """What cells sense now and at rest, and the parts that this needs."""
    if plan.full:
        return receptors(plan.cells, ligands, free)
    names = dict.fromkeys(item.terms for item in ligands)
    terms = Network(
        "terms",
        parameters=tuple(
            p for name in names for kind in plan.cells for p in term_parameters(name, kind, free is not None)
        ),
    )
    return sensing(ligands, free), sensing((Ligand(TISSUE, OWN_TERMS, _resting()),)), [terms]


def _free(antibodies: tuple[Drug, ...]) -> Expr:
    covered = add(num(1.0), *(concentration(d.name) / sym(half_occupied(d)) for d in antibodies))
    return num(1.0) / covered


def weaker_IL2RA(of: Drug) -> str:
    """Name of the parameter that tells how much weaker a drug binds IL2RA."""
    return f"{of.name} weaker_IL2RA"


def _own(plan: Plan, others: tuple[Drug, ...]) -> Network:
    """Parameters of the person and of what the drugs bind."""
    return Network(
        "person",
        parameters=(
            *(Parameter(weaker(d), 1.0, "dimensionless") for d in others),
            *(Parameter(weaker_IL2RA(d), 1.0, "dimensionless") for d in others),
            *(Parameter(body_cells(kind), 0.0, "cell") for kind in plan.cells),
            weight(),
            Parameter(HELD, 1.0, "nM"),
            Parameter(NEED, 1.0, "dimensionless", "IL-2 that cells of this person need, over that of a typical one"),
        ),
    )


def body_cells(kind: str) -> str:
    """Name of the number of cells of a kind in the whole body at rest."""
    return f"body_cells_{kind}"


def _resting() -> Expr:
    return sym("tissue_IL2_at_rest") / sym("pM_per_nM")


def _uptake(plan: Plan, senses: Senses, item: Ligand, resting: bool = False) -> Expr:
    """Uptake of a ligand by all cells, nmol/d."""
    per_nmol = sym("hours_per_day") / sym("molecules_per_nmol")
    total = []
    for kind in plan.cells:
        number = sym(body_cells(kind)) * (num(1.0) if resting else sym(pool(kind)))
        total.append(number * senses.uptake(item, kind))
    return per_nmol * add(*total)


def _tissue(plan: Plan, senses: Senses, resting: Senses, ligands: tuple[Ligand, ...]) -> Network:
    room = sym("tissue_IL2_volume") * sym(WEIGHT) / sym("adult_body_weight")
    decay = sym("hours_per_day") * sym("extracellular_IL2_decay")
    normal = _uptake(plan, resting, ligands[0], resting=True) / room + decay * _resting()
    return Network(
        "tissue",
        (Compartment(BODY, 3),),
        (Species(TISSUE, BODY, _resting() * sym(MADE), "nM"),),
        (Parameter(MADE, 1.0, "dimensionless", "IL-2 that T cells make, over normal"),),
        (Derived("IL2_production", normal, "nM/d"),),
        (
            Reaction("T cells make IL-2", {TISSUE: 1}, sym(MADE) * sym("IL2_production"), num(0.0), "nM/d"),
            Reaction("IL-2 of tissue decays", {TISSUE: -1}, decay * sym(TISSUE), num(0.0), "nM/d"),
            Reaction(
                "cells take IL-2 of tissue", {TISSUE: -1}, _uptake(plan, senses, ligands[0]) / room, num(0.0), "nM/d"
            ),
        ),
    )


def _taken_up(plan: Plan, senses: Senses, ligands: tuple[Ligand, ...], others: tuple[Drug, ...]) -> Network:
    reactions, observables = [], []
    for item, d in zip(ligands[1:], others, strict=True):
        flux = _uptake(plan, senses, item)
        reactions.append(Reaction(f"cells take {d.name}", {at(d.name, PLASMA): -1}, flux, num(0.0), "nmol/d"))
        observables.append(Observable(f"{d.name}_uptake", flux, "nmol/d"))
    return Network("uptake by cells", reactions=tuple(reactions), observables=tuple(observables))
