"""Dose-response curves of many variants and conditions in one batch of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from il2.cell.ec50 import ec50
from il2.cell.simulate import TOLERANCES, simulate
from il2.cell.spread import count_name
from il2.engine.batch import parameter_rows
from il2.engine.solve import solve
from il2.experiments.sample import Sample
from il2.network.network import Network
from il2.network.program import Program, lower
from il2.receptor.head import head
from il2.receptor.model import dose, receptor, system
from il2.receptor.trafficking import count
from il2.signalling.response import response

Counts = Mapping[str, np.ndarray | float]
"""Molecules per cell by chain, one for all variants or one each."""


def inventory(sample: Sample, kind: str, base: str = "IL2") -> dict[str, np.ndarray | float]:
    """Counts of the chains of a cytokine on a cell type, per variant."""
    return {chain: sample[count_name(kind, chain)] for chain in head(base).chains}


def pstat5(
    sample: Sample, conditions: Mapping[str, Counts], doses_nM: np.ndarray, time_min: float, base: str = "IL2"
) -> dict[str, np.ndarray]:
    """pSTAT5 (fraction; variants, doses) per condition; NaN where a lane failed."""
    values = _spread(sample, conditions, doses_nM, base, response(base))
    found = simulate(system(base), values, np.array([time_min])).pstat5
    return dict(zip(conditions, found.reshape(len(conditions), sample.size, len(doses_nM)), strict=True))


def bound(
    sample: Sample,
    conditions: Mapping[str, Counts],
    doses_nM: np.ndarray,
    time_min: float,
    species: Mapping[str, str],
    base: str = "IL2",
) -> dict[str, np.ndarray]:
    """Molecules per cell (variants, doses) of one species of the receptor network per condition."""
    network, program = receptor(base), _receptor_program(base)
    values = _spread(sample, conditions, doses_nM, base, network)
    y = solve(program, parameter_rows(network, values), np.array([time_min]), tolerances=TOLERANCES).y
    y = y.reshape(len(conditions), sample.size, len(doses_nM), -1)
    return {key: y[i, ..., program.states.index(species[key])] for i, key in enumerate(conditions)}


@cache
def _receptor_program(base: str) -> Program:
    return lower(receptor(base))


def half_dose(doses: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Dose of half of the maximum per curve (variants, doses); infinite where none rises, NaN where a lane failed."""
    found = np.array([ec50(doses, curve) for curve in curves])
    return np.where(np.isnan(curves).any(axis=-1), np.nan, np.where(np.isnan(found), np.inf, found))


def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b; NaN where both are infinite."""
    with np.errstate(invalid="ignore"):
        quotient: np.ndarray = a / b
    return quotient


def normalised(curves: np.ndarray) -> np.ndarray:
    """Each curve (variants, doses) over its maximum; a flat zero stays zero."""
    shares: np.ndarray = curves / np.maximum(curves.max(axis=-1, keepdims=True), np.finfo(float).tiny)
    return shares


def _spread(
    sample: Sample, conditions: Mapping[str, Counts], doses: np.ndarray, base: str, network: Network
) -> dict[str, np.ndarray]:
    """Values of the lanes (condition, variant, dose) by parameter name."""

    def lanes(per_condition: list[np.ndarray | float]) -> np.ndarray:
        columns = [np.repeat(np.broadcast_to(v, (sample.size,)), len(doses)) for v in per_condition]
        return np.concatenate(columns).astype(float)

    n = len(conditions)
    values = {name: lanes([v] * n) for name, v in sample.values.items() if name in network.parameter_names}
    values |= {count(c): lanes([counts.get(c, 0.0) for counts in conditions.values()]) for c in head(base).chains}
    return values | {dose(base): np.tile(doses, n * sample.size)}
