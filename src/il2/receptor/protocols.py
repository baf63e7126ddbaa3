"""Bench protocols on the receptor network: binding in the cold, wash, chase at 37 C, equilibrium doses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import prepare
from il2.engine.solve import Tolerances, solve
from il2.network.network import Network
from il2.network.program import Program, lower
from il2.receptor.head import head
from il2.receptor.membrane import ENDOSOME, SURFACE
from il2.receptor.model import dose, receptor
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import count

TIGHT = Tolerances(rtol=1e-8, atol=1e-10)
LONG_min = 1e5  # binding is at equilibrium long before


@cache
def audited(ligand: str) -> tuple[Network, Program]:
    """Receptor network of one clamped ligand with cumulative pools, and its program."""
    network = receptor(ligand, audit=True)
    return network, lower(network)


def without_trafficking(network: Network) -> dict[str, float]:
    """Values that stop every uptake: binding in the cold, or a closed box."""
    return {name: 0.0 for name in network.parameter_names if name.startswith("internalisation_")}


@dataclass(frozen=True)
class Chase:
    """Share of the ligand bound at the start of a chase that is where (times, in min)."""

    times_min: np.ndarray
    surface: np.ndarray
    inside: np.ndarray
    degraded: np.ndarray


def pulse_chase(
    ligand: str, counts: dict[str, float], dose_nM: float, times_min: np.ndarray, trafficking: bool = True
) -> Chase:
    """Bind to equilibrium in the cold, wash, and follow the bound ligand at 37 C."""
    network, program = audited(ligand)
    cell = {count(chain): value for chain, value in counts.items()}
    still = without_trafficking(network)
    cold = parameter_rows(network, cell | still | {dose(ligand): dose_nM})
    warm = parameter_rows(network, cell | ({} if trafficking else still))
    bound = solve(program, cold, np.array([LONG_min]), tolerances=TIGHT).y[:, 0]
    start = prepare(program, warm)[1]
    at_surface = [i for i, name in enumerate(program.states) if name.endswith("@" + SURFACE)]
    start[:, at_surface] = bound[:, at_surface]
    y = solve(program, warm, times_min, initial=start, tolerances=TIGHT).y[0]
    names = np.array(program.states)
    surface, inside = (_carrying(ligand, names, place) for place in (SURFACE, ENDOSOME))
    total = start[0][surface].sum()
    gone = y[:, names == f"{ligand}_degraded"].sum(axis=1)
    return Chase(times_min, y[:, surface].sum(axis=1) / total, (y[:, inside].sum(axis=1) + gone) / total, gone / total)


def _carrying(ligand: str, names: np.ndarray, place: str) -> np.ndarray:
    """Which states hold the ligand at a place."""
    single = Molecule(ligand, (head(ligand),))
    held = {single.species(form, place) for form in single.forms}
    return np.isin(names, list(held))


def occupancy(ligand: str, counts: dict[str, float], doses_nM: np.ndarray, chains: frozenset) -> np.ndarray:
    """Molecules per cell of one surface complex at binding equilibrium, without trafficking, per dose."""
    network, program = audited(ligand)
    single = Molecule(ligand, (head(ligand),))
    base = {count(chain): value for chain, value in counts.items()} | without_trafficking(network)
    rows = parameter_rows(network, base | {dose(ligand): doses_nM})
    y = solve(program, rows, np.array([LONG_min]), tolerances=TIGHT).y[:, 0]
    return y[:, program.states.index(single.species((chains,), SURFACE))]


def half_time(times_min: np.ndarray, values: np.ndarray) -> float:
    """Time at which a falling curve reaches half of its first value, interpolated in log value; NaN if never."""
    share = values / values[0]
    below = np.flatnonzero(share <= 0.5)
    if not len(below) or below[0] == 0:
        return float("nan")
    j = below[0]
    x, y = times_min[j - 1 : j + 1], np.log(share[j - 1 : j + 1])
    return float(x[0] + (np.log(0.5) - y[0]) / (y[1] - y[0]) * (x[1] - x[0]))
