"""The long-term balance of regulatory T cells: development, division and death on the IL-2 that a tissue leaves them.

Around the receptors and STAT5 of one regulatory T cell stand the free IL-2 of a lymph node, which conventional cells
make and Treg take up, and the numbers of Treg, memory and naive CD4 T cells as shares of the normal ones:

    dTreg/dt = input (f_dev + (1 - f_dev) H / H0) + (r0 + r1 H_division) Treg - d (1 - f - (1 - f) H) Treg

H and H_division are Hill functions of pSTAT5 with one half at what the doses `Treg_survival_EC50` and
`Treg_proliferation_EC50` give; f and f_dev are what IL-15 gives through IL2RB. Turnover at rest is that of labelling,
so that d, r0, r1 and the making of IL-2 follow from the normal state (`at_rest`). Treg hold CD28 help down, as in a
culture, and help sets how many naive cells become memory and effector cells. Time is in min.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run
from il2.engine.steady import STEADY, steady
from il2.knowledge.cell import cell
from il2.knowledge.quantity import quantity
from il2.network.expression import Expr, add, num, substitute, sym, symbols
from il2.network.network import (
    Compartment,
    Network,
    Observable,
    Parameter,
    Reaction,
    Species,
    compose,
)
from il2.network.part import half, hourly, with_quantities
from il2.network.program import lower, lower_expressions
from il2.receptor.membrane import at
from il2.receptor.model import System, dose, system
from il2.receptor.trafficking import count
from il2.signalling.output import outputs
from il2.signalling.response import response_of
from il2.signalling.stat import JAK1, JAK3, attainable, phosphorylated

KIND, TISSUE = "Treg", "tissue"
TREG, MEMORY, NAIVE, IL2 = "Treg", "CD4_memory", "CD4_naive", at("IL2", TISSUE)
NUMBERS = (TREG, MEMORY, NAIVE)
CTLA4, FOXP3 = "CTLA4", "FOXP3_protein"
PSTAT5, FOR_SURVIVAL, FOR_DIVISION = "pSTAT5_normal", "pSTAT5_for_survival", "pSTAT5_for_division"
UPTAKE, CTLA4_NORMAL = "IL2_uptake_normal", "CTLA4_normal"
DOSES = {PSTAT5: "tissue_IL2_at_rest", FOR_SURVIVAL: "Treg_survival_EC50", FOR_DIVISION: "Treg_proliferation_EC50"}
MADE, GIVEN, IL15, DEPLETION = "IL2_making", "IL2_given", "IL15_present", "Treg_depletion"
SUPPRESSION = "suppression_per_Treg"
SHARE, PER_MIN, UPTAKE_UNIT = "dimensionless", "1/min", "molecule/(cell*min)"


def share(chain: str) -> str:
    """Name of the share of a chain that Treg have: 1 in a normal cell, 0 in a knock-out."""
    return f"{chain}_share"


def deaths(name: str) -> str:
    """Name of the readout of deaths per cell and day: at rest the turnover that labelling tells."""
    return f"{name}_deaths"


KNOCKOUTS = {
    "IL2": {MADE: 0.0},
    "IL15": {IL15: 0.0},
    **{c: {share(c): 0.0} for c in ("IL2RA", "IL2RB", "IL2RG")},
    **{j: {j: 0.0} for j in (JAK1, JAK3)},
}
"""What a knock-out sets, by gene."""


@cache
def treg_cell() -> Network:
    """One Treg at a dose of IL-2 that is held: receptors, STAT5, and CTLA4 and FOXP3 that follow it."""
    of = _system()
    response = response_of(of)
    pstat5 = response.observable(phosphorylated("STAT5"))
    network = compose("Treg", response, outputs((CTLA4, FOXP3), {"pSTAT5": pstat5 / attainable()}))
    return replace(network, observables=(*network.observables, Observable("uptake", _uptake(network), UPTAKE_UNIT)))


@cache
def balance() -> Network:
    """The network. Its parameters of `at_rest` have no default that means anything: take them from there."""
    one, of = treg_cell(), _system()
    table = {count(c): sym(share(c)) * sym(count(c)) for c in of.chains} | {dose("IL2"): sym(IL2)}
    inner = replace(
        one,
        species=tuple(replace(s, initial=substitute(s.initial, table)) for s in one.species),
        parameters=tuple(p for p in one.parameters if p.name != dose("IL2")),
        derived=tuple(replace(d, expr=substitute(d.expr, table)) for d in one.derived),
        reactions=tuple(
            replace(r, forward=substitute(r.forward, table), reverse=substitute(r.reverse, table))
            for r in one.reactions
        ),
        observables=tuple(replace(o, expr=substitute(o.expr, table)) for o in one.observables),
    )
    shares = Network("shares", parameters=tuple(Parameter(share(c), 1.0, SHARE) for c in of.chains))
    tissue = with_quantities(_tissue(inner.observable("pstat5"), inner.observable("uptake"), of))
    return compose("Treg-balance", inner, shares, tissue)


def _tissue(pstat5: Expr, uptake: Expr, of: System) -> Network:
    treg, memory, naive, free = (sym(name) for name in (TREG, MEMORY, NAIVE, IL2))
    per_day = 1 / sym("minutes_per_day")
    others = sym(IL15) * sym(share("IL2RB")) * sym(share("IL2RG")) * sym(JAK1) * sym(JAK3)
    survival, at_rest = half(pstat5, FOR_SURVIVAL), half(sym(PSTAT5), FOR_SURVIVAL)
    dividing = half(pstat5, FOR_DIVISION) / half(sym(PSTAT5), FOR_DIVISION)
    without, basic = sym("Treg_survival_without_IL2"), sym("Treg_development_without_IL2")
    turnover = sym("Treg_death_rate") * per_day
    saved = without * others + (1 - without) * survival
    lost = turnover * (1 - saved) / ((1 - without) * (1 - at_rest)) + sym(DEPLETION) * per_day
    made = turnover * sym("Treg_thymic_share") * (basic * others + (1 - basic) * survival / at_rest)
    driven = sym("Treg_division_by_IL2_share")
    divided = turnover * (1 - sym("Treg_thymic_share")) * (1 - driven + driven * dividing)
    old, new = (sym(f"{name}_death_rate") * per_day for name in (MEMORY, NAIVE))
    activated = sym("CD4_memory_by_activation_share")
    contact = sym("Treg_contact_suppression") * sym("Treg_per_presenting_cell")
    helped = (1 + contact * sym(CTLA4_NORMAL)) / (1 + contact * treg * sym(CTLA4))
    crowd = sym("blood_Treg_count") / (sym("blood_CD4_count") + sym("blood_CD8_count"))
    density = sym("T_zone_cell_density") * crowd / sym("avogadro")
    decay, level = hourly("extracellular_IL2_decay"), sym("tissue_IL2_at_rest") / sym("pM_per_nM")
    made_IL2 = sym(MADE) * memory * (density * sym(UPTAKE) + decay * level)
    units = {PSTAT5: SHARE, FOR_SURVIVAL: SHARE, FOR_DIVISION: SHARE, UPTAKE: UPTAKE_UNIT, CTLA4_NORMAL: SHARE}
    return Network(
        "tissue",
        (Compartment(TISSUE, 3),),
        (
            *(Species(name, TISSUE, num(1.0), SHARE) for name in NUMBERS),
            Species(IL2, TISSUE, level, "nM"),
        ),
        (
            *(Parameter(name, 1.0, unit, "of the normal state") for name, unit in units.items()),
            Parameter(MADE, 1.0, SHARE, "0 without IL2, or while it is neutralised as it is made"),
            Parameter(GIVEN, 0.0, "nM/min"),
            Parameter(IL15, 1.0, SHARE),
            Parameter(DEPLETION, 0.0, "1/d"),
        ),
        reactions=(
            Reaction("new Treg", {TREG: 1}, made, num(0.0), PER_MIN),
            Reaction("Treg divide", {TREG: 1}, divided * treg, num(0.0), PER_MIN),
            Reaction("Treg die", {TREG: -1}, lost * treg, num(0.0), PER_MIN),
            Reaction("naive become memory", {MEMORY: 1}, old * activated * naive * helped, num(0.0), PER_MIN),
            Reaction("memory divide", {MEMORY: 1}, old * (1 - activated) * memory, num(0.0), PER_MIN),
            Reaction("memory die", {MEMORY: -1}, old * memory, num(0.0), PER_MIN),
            Reaction("new naive", {NAIVE: 1}, new, num(0.0), PER_MIN),
            Reaction("naive die", {NAIVE: -1}, new * naive, num(0.0), PER_MIN),
            Reaction("IL2 is made", {IL2: 1}, made_IL2 + sym(GIVEN), num(0.0), "nM/min"),
            Reaction("Treg take IL2", {IL2: -1}, density * treg * uptake, num(0.0), "nM/min"),
            Reaction("IL2 decays", {IL2: -1}, decay * free, num(0.0), "nM/min"),
        ),
        observables=(
            Observable(deaths(TREG), lost / per_day, "1/d"),
            Observable(deaths(MEMORY), old / per_day, "1/d"),
            Observable(deaths(NAIVE), new / per_day, "1/d"),
            Observable("Treg_divisions", divided / per_day, "1/d"),
            Observable("Treg_output", made / per_day, "1/d"),
            Observable(SUPPRESSION, sym(CTLA4) / sym(CTLA4_NORMAL), SHARE),
            Observable("CD28_help", helped, SHARE),
        ),
    )  # fmt: skip


def at_rest(values: Mapping[str, np.ndarray | float] | None = None) -> dict[str, np.ndarray | float]:
    """Values (lanes,) by parameter name for `balance`, with those of the normal state added.

    values: of quantities, dissociation constants and counts (`IL2RA_count`), (lanes,) or numbers; the default set
    without them. NaN where a Treg finds no steady state at a dose.
    """
    network, of = treg_cell(), _system()
    known = cell(KIND).counts
    given = {count(c): known[c].value for c in of.chains} | dict(values or {})
    lanes = max((np.size(v) for v in given.values()), default=1)
    doses = [np.broadcast_to(given.get(q, quantity(q).value), (lanes,)) for q in DOSES.values()]
    rows = {name: np.tile(np.broadcast_to(v, (lanes,)), len(DOSES)) for name, v in given.items()}
    rows[dose("IL2")] = np.concatenate(doses) / quantity("pM_per_nM").value
    parameters = parameter_rows(network, rows)
    found = steady(network, parameters, program=lower(network))
    state = np.where((found.status == STEADY)[:, None], found.y, np.nan)
    wanted = [network.observable("pstat5"), network.observable("uptake"), sym(CTLA4)]
    tape, places = lower_expressions(network, wanted)
    read = run(tape, {"y": state, "p": parameters}, places).reshape(len(DOSES), lanes, len(wanted))
    normal = {name: read[k, :, 0] for k, name in enumerate(DOSES)}
    return given | normal | {UPTAKE: read[0, :, 1], CTLA4_NORMAL: read[0, :, 2]}


@cache
def _system() -> System:
    return system("IL2")


def _uptake(network: Network) -> Expr:
    """IL-2 that a cell binds out of the medium, net."""
    return add(*(r.rate for r in network.reactions if dose("IL2") in symbols(r.rate)))
