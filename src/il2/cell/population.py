"""Cells of one kind in a well: entry into the cycle by what a cell has summed up, divisions up to a destiny, death.

A cell enters once the sum of internalised signalling complexes and of antigen signals passes its own threshold;
thresholds are log-logistic over cells, so that the share that has entered is a Hill function of the sum. The first
division takes longer than the later ones, and neither time depends on IL-2. After g divisions a cell goes on with a
probability that falls around its destiny, to which antigen, CD28 and IL-2 add, and which needs the proteins of the
cycle. Numbers are cells per well.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from il2.knowledge.quantity import quantity
from il2.network.expression import Expr, add, exp, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species
from il2.network.part import half, hourly, with_quantities

CELLS, RESTING, DEAD, SUM_IL2, SUM_ALL, START = "cells", "resting", "dead", "summed_IL2", "summed", "cells_at_start"
PLACE, STAGES, ENTRY_STAGES, GENERATIONS = "well", 2, 3, 8
CELL, PER_MIN = "cell", "cell/min"


@dataclass(frozen=True)
class Cues:
    """What a population reads, all expressions.

    il2: internalised signalling complexes (molecule/(cell*min)). tcr: antigen signal, 0 to 1. costimulation: 0 to 1.
    competence: 0 to 1, of proteins that the cycle needs. survival: 0 to 1. killing: death rate by FAS, 0 to 1.
    """

    il2: Expr
    tcr: Expr
    costimulation: Expr
    competence: Expr
    survival: Expr
    killing: Expr


@dataclass(frozen=True)
class Population:
    """births: divisions per cell and min. deaths: deaths per cell and min, the mean over the cells."""

    network: Network
    births: Expr
    deaths: Expr


def dividing(generation: int, stage: int) -> str:
    return f"dividing_{generation}_{stage}"


def stopped(generation: int) -> str:
    return f"stopped_{generation}"


def population(cues: Cues) -> Population:
    """The population as a part of a cohort; `cells_at_start` rest at first."""
    steep = quantity("cycle_entry_steepness").value
    total, threshold = sym(SUM_ALL), sym("cycle_entry_threshold")
    antigen = sym("TCR_entry_signal") * cues.tcr * (
        sym("TCR_entry_without_CD28") + (1 - sym("TCR_entry_without_CD28")) * cues.costimulation
    )  # fmt: skip
    summing = cues.il2 + antigen
    entry = cues.competence * summing * steep * total ** (steep - 1) / (threshold**steep + total**steep)
    destiny = cues.competence * (
        sym("division_destiny_by_TCR") * half(total - sym(SUM_IL2), "division_destiny_half")
        + sym("division_destiny_by_CD28") * half(total - sym(SUM_IL2), "division_destiny_half") * cues.costimulation
        + sym("division_destiny_by_IL2") * half(sym(SUM_IL2), "division_destiny_half")
        + sym("division_destiny_innate")
        + sym("destiny_added")
    )
    first = ENTRY_STAGES / (sym("first_division_time") * sym("first_division_factor") * sym("minutes_per_hour"))
    later = STAGES / (sym("subsequent_division_time") * sym("minutes_per_hour"))
    chain = [f"entering_{i}" for i in range(1, ENTRY_STAGES + 1)]
    species = [RESTING, *chain]
    reactions = [_move(RESTING, chain[0], entry)]
    reactions += [_move(a, b, first) for a, b in pairwise(chain)]
    reactions += _divide(chain[-1], 1, first, destiny)
    divisions = [first * sym(chain[-1])]
    for g in range(1, GENERATIONS + 1):
        stages = [dividing(g, s) for s in range(1, STAGES + 1)]
        species += [*stages, stopped(g)]
        reactions += [_move(a, b, later) for a, b in pairwise(stages)]
        if g < GENERATIONS:
            reactions += _divide(stages[-1], g + 1, later, destiny)
            divisions.append(later * sym(stages[-1]))
        else:
            reactions.append(_move(stages[-1], stopped(g), later))
    rested = hourly("death_rate_resting") * (1 - cues.survival)
    active = hourly("death_rate_dividing") * (1 - cues.survival) + hourly("FAS_death_rate") * cues.killing
    later_deaths, all_deaths = [], [rested * sym(RESTING)]
    for name in species[1:]:
        g = _generation(name)
        hazard = active + hourly("death_rate_per_division") * float(g) * (1 - cues.survival)
        later_deaths.append(_die(name, hazard))
        all_deaths.append(hazard * sym(name))
    reactions += [_die(RESTING, rested), *later_deaths]
    cells = sym(CELLS) + sym("fewest_cells")
    counted = {g: [n for n in species if _generation(n) == g] for g in range(GENERATIONS + 1)}
    network = Network(
        "population",
        (Compartment(PLACE, 3),),
        (
            *(Species(n, PLACE, sym(START) if n == RESTING else num(0.0), CELL) for n in species),
            Species(CELLS, PLACE, sym(START), CELL),
            Species(DEAD, PLACE, num(0.0), CELL),
            Species(SUM_ALL, PLACE, num(0.0), "molecule/cell"),
            Species(SUM_IL2, PLACE, num(0.0), "molecule/cell"),
        ),
        (Parameter(START, 0.0, CELL),),
        reactions=(
            Reaction("signals sum up", {SUM_ALL: 1}, summing, num(0.0), "molecule/(cell*min)"),
            Reaction("IL-2 signals sum up", {SUM_IL2: 1}, cues.il2, num(0.0), "molecule/(cell*min)"),
            *reactions,
        ),
        observables=tuple(
            Observable(f"generation_{g}", add(*(sym(n) for n in names)), CELL) for g, names in counted.items()
        ),
    )
    return Population(with_quantities(network), add(*divisions) / cells, add(*all_deaths) / cells)


def _generation(name: str) -> int:
    return int(name.split("_")[1]) if name.startswith(("dividing", "stopped")) else 0


def _move(before: str, after: str, rate: Expr) -> Reaction:
    return Reaction(f"{before} to {after}", {before: -1, after: 1}, rate * sym(before), num(0.0), PER_MIN)


def _divide(before: str, generation: int, rate: Expr, destiny: Expr) -> list[Reaction]:
    """One cell becomes two, which go on or stop for good."""
    going = num(1.0) / (1 + exp((float(generation) - destiny) / sym("division_destiny_width")))
    flux = rate * sym(before)
    on, end = dividing(generation, 1), stopped(generation)
    return [
        Reaction(f"{before} divides", {before: -1, on: 2, CELLS: 1}, flux * going, num(0.0), PER_MIN),
        Reaction(f"{before} divides and stops", {before: -1, end: 2, CELLS: 1}, flux * (1 - going), num(0.0), PER_MIN),
    ]


def _die(name: str, hazard: Expr) -> Reaction:
    return Reaction(f"{name} dies", {name: -1, CELLS: -1, DEAD: 1}, hazard * sym(name), num(0.0), PER_MIN)
