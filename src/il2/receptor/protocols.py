"""Bench protocols on the receptor network: binding in the cold, wash, chase at 37 C, equilibrium doses, turnover."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import prepare
from il2.engine.solve import Tolerances, solve
from il2.network.network import Network
from il2.network.program import Program, lower
from il2.receptor.addition import ARMS
from il2.receptor.head import head
from il2.receptor.membrane import ENDOSOME, SURFACE, at
from il2.receptor.model import dose, receptor
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import count

TIGHT = Tolerances(rtol=1e-8, atol=1e-10)
LONG_min = 1e5  # binding is at equilibrium long before
FIRST_min = 1e-3  # so short that nothing taken up has come back
RISE_min = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 241)])


def bench_molecule(name: str) -> Molecule:
    """A cytokine with its one head, or an antibody against a chain with two arms."""
    site = head(name)
    return Molecule(name, (site,), (ARMS,) if site.kind == "antibody" else (1,))


@cache
def audited(ligand: str) -> tuple[Network, Program]:
    """Receptor network of one clamped ligand with cumulative pools, and its program."""
    network = receptor(bench_molecule(ligand), audit=True)
    return network, lower(network)


def without_trafficking(network: Network) -> dict[str, float]:
    """Values that stop every uptake: binding in the cold, or a closed box."""
    return {name: 0.0 for name in network.parameter_names if name.startswith("internalisation_")}


def counted(counts: dict[str, float]) -> dict[str, float]:
    """Parameters that hold counts by chain."""
    return {count(chain): value for chain, value in counts.items()}


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
    still = without_trafficking(network)
    warm = parameter_rows(network, counted(counts) | ({} if trafficking else still))
    bound = _equilibrium(ligand, counts, np.array([dose_nM]))
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
    single = bench_molecule(ligand)
    held = {single.species(form, place) for form in single.forms}
    return np.isin(names, list(held))


def _equilibrium(ligand: str, counts: dict[str, float], doses_nM: np.ndarray) -> np.ndarray:
    """States (doses, states) at binding equilibrium, without trafficking."""
    network, program = audited(ligand)
    rows = parameter_rows(network, counted(counts) | without_trafficking(network) | {dose(ligand): doses_nM})
    return solve(program, rows, np.array([LONG_min]), tolerances=TIGHT).y[:, 0]


def _complex(ligand: str, chains: frozenset) -> int:
    """Place among the states of the surface complex of a cytokine with some chains."""
    return audited(ligand)[1].states.index(bench_molecule(ligand).species((chains,), SURFACE))


def occupancy(ligand: str, counts: dict[str, float], doses_nM: np.ndarray, chains: frozenset) -> np.ndarray:
    """Molecules per cell of one surface complex at binding equilibrium, without trafficking, per dose."""
    return _equilibrium(ligand, counts, doses_nM)[:, _complex(ligand, chains)]


def bound(ligand: str, counts: dict[str, float], doses_nM: np.ndarray) -> np.ndarray:
    """Molecules of ligand per cell on the surface in any complex at binding equilibrium, per dose."""
    names = np.array(audited(ligand)[1].states)
    return _equilibrium(ligand, counts, doses_nM)[:, _carrying(ligand, names, SURFACE)].sum(axis=1)


def association_rate(
    ligand: str, counts: dict[str, float], dose_nM: float, doses_nM: np.ndarray, chains: frozenset
) -> float:
    """Effective association rate (1/(nM*min)) of a receptor, without trafficking.

    The steepest rise of its complex at a low dose, over this dose and over the number of receptors: the largest
    number of the complex at equilibrium over `doses_nM`.
    """
    network, program = audited(ligand)
    row = parameter_rows(network, counted(counts) | without_trafficking(network) | {dose(ligand): dose_nM})
    rise = solve(program, row, RISE_min, tolerances=TIGHT).y[0][:, _complex(ligand, chains)]
    receptors = occupancy(ligand, counts, doses_nM, chains).max()
    return float((np.diff(rise) / np.diff(RISE_min)).max() / (dose_nM * receptors))


def uptake_of_bound(ligand: str, counts: dict[str, float], dose_nM: float) -> float:
    """Rate (1/min) at which ligand bound in the cold is taken up in the first moment at 37 C."""
    chase = pulse_chase(ligand, counts, dose_nM, np.array([0.0, FIRST_min]))
    return float(chase.inside[1] / (chase.surface.mean() * FIRST_min))


def uptake_of_chain(ligand: str, counts: dict[str, float], chain: str) -> float:
    """Rate (1/min) at which a chain of an untreated cell is taken up, from what enters first."""
    y, names = _untreated(ligand, counts, np.array([0.0, FIRST_min]), empty=at(chain, ENDOSOME))
    surface, inside = (y[:, names.index(at(chain, place))] for place in (SURFACE, ENDOSOME))
    return float((inside[1] - inside[0]) / (surface.mean() * FIRST_min))


def chain_left(ligand: str, counts: dict[str, float], chain: str, times_min: np.ndarray) -> np.ndarray:
    """Surface chain of an untreated cell over time after synthesis has stopped (cycloheximide)."""
    y, names = _untreated(ligand, counts, times_min)
    return y[:, names.index(at(chain, SURFACE))]


def _untreated(
    ligand: str, counts: dict[str, float], times_min: np.ndarray, empty: str = ""
) -> tuple[np.ndarray, tuple[str, ...]]:
    """States of a cell without ligand and without synthesis; `empty`: a state that starts at zero."""
    network, program = audited(ligand)
    start = prepare(program, parameter_rows(network, counted(counts)))[1]
    if empty:
        start[:, program.states.index(empty)] = 0.0
    stopped = parameter_rows(network, counted(dict.fromkeys(counts, 0.0)))  # synthesis follows the count
    return solve(program, stopped, times_min, initial=start, tolerances=TIGHT).y[0], tuple(program.states)


def half_time(times_min: np.ndarray, values: np.ndarray) -> float:
    """Time at which a falling curve reaches half of its first value, interpolated in log value; NaN if never."""
    share = values / values[0]
    below = np.flatnonzero(share <= 0.5)
    if not len(below) or below[0] == 0:
        return float("nan")
    j = below[0]
    x, y = times_min[j - 1 : j + 1], np.log(share[j - 1 : j + 1])
    return float(x[0] + (np.log(0.5) - y[0]) / (y[1] - y[0]) * (x[1] - x[0]))


@dataclass(frozen=True)
class Biphasic:
    """Two exponentials: their half-times and the share of the slow one."""

    fast_min: float
    slow_min: float
    slow_share: float


def two_phases(times_min: np.ndarray, values: np.ndarray) -> Biphasic:
    """The two exponentials that fit the share left of a falling curve best, least squares."""
    from scipy.optimize import least_squares

    share = values / values[0]

    def phases(x: np.ndarray) -> tuple[np.ndarray, float]:
        return np.sort(np.exp(x[:2])), 1.0 / (1.0 + math.exp(-x[2]))

    def misfit(x: np.ndarray) -> np.ndarray:
        (fast, slow), part = phases(x)
        return (1 - part) * 0.5 ** (times_min / fast) + part * 0.5 ** (times_min / slow) - share

    middle = half_time(times_min, values)
    starts = [np.array([np.log(middle / 10), np.log(middle * s), 0.0]) for s in (1.0, 10.0, 100.0)]
    best = min((least_squares(misfit, start) for start in starts), key=lambda found: found.cost)
    (fast, slow), part = phases(best.x)
    return Biphasic(float(fast), float(slow), float(part))
