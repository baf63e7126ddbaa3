"""Dose-response curves of many variants and conditions in one batch of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from il2.cell.ec50 import ec50
from il2.cell.simulate import TOLERANCES, simulate
from il2.cell.spread import Range, count_name
from il2.engine.batch import parameter_rows
from il2.engine.solve import solve
from il2.errors import Il2Error, did_you_mean
from il2.experiments.sample import Sample
from il2.knowledge.quantity import quantity
from il2.network.network import Network
from il2.network.program import Program, lower
from il2.receptor.addition import Mixture, mixture
from il2.receptor.head import head
from il2.receptor.ligand import ligand
from il2.receptor.model import System, build, dose
from il2.receptor.trafficking import count
from il2.signalling.response import response_of

Condition = Mapping[str, np.ndarray | float]
"""What a condition sets: molecules per cell by chain (absent: none) and parameters by name, over those of the
variants. A value is one number, one for each variant (size,), or one for each dose (1 or size, doses)."""


def setting(name: str, value: float) -> Range:
    """A value of the set-up that no draw moves, so that an ablation can change it."""
    return Range(name, value, value, value, "high", name)


def inventory(sample: Sample, kind: str, base: str = "IL2") -> dict[str, np.ndarray | float]:
    """Counts of the chains of a cytokine on a cell type, per variant."""
    return {chain: sample[count_name(kind, chain)] for chain in head(base).chains}


def signal(
    sample: Sample,
    conditions: Mapping[str, Condition],
    doses_nM: np.ndarray,
    time_min: float,
    mix: Mixture | str = "IL2",
    before_min: float = 0.0,
) -> dict[str, np.ndarray]:
    """Phosphorylated share of the STAT of a ligand (variants, doses) per condition; NaN where a lane failed.

    mix: a wild-type cytokine by name, or a ligand with additions, which act `before_min` before it is given.
    """
    mix = alone(mix) if isinstance(mix, str) else mix
    values = _lanes(sample, conditions, doses_nM, mix, response_of(mix.system))
    found = simulate(mix.system, values, np.array([time_min]), before_min=before_min, slot=mix.slot)
    own = found.shares[mix.system.molecules[0].sites[0].stat]
    return dict(zip(conditions, own.reshape(len(conditions), sample.size, len(doses_nM)), strict=True))


def bound(
    sample: Sample,
    conditions: Mapping[str, Condition],
    doses_nM: np.ndarray,
    time_min: float,
    species: Mapping[str, str],
    mix: Mixture | str = "IL2",
) -> dict[str, np.ndarray]:
    """Molecules per cell (variants, doses) of one species of the receptor network per condition."""
    mix = alone(mix) if isinstance(mix, str) else mix
    network, program = _receptor(mix.system)
    values = _lanes(sample, conditions, doses_nM, mix, network)
    y = solve(program, parameter_rows(network, values), np.array([time_min]), tolerances=TOLERANCES).y
    y = y.reshape(len(conditions), sample.size, len(doses_nM), -1)
    return {key: y[i, ..., program.states.index(species[key])] for i, key in enumerate(conditions)}


def alone(base: str) -> Mixture:
    """A wild-type cytokine without additions."""
    return mixture(ligand(base))


@cache
def _receptor(of: System) -> tuple[Network, Program]:
    network = build(of)
    return network, lower(network)


def half_dose(doses: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Dose of half of the maximum per curve (variants, doses); infinite where none rises, NaN where a lane failed."""
    found = np.array([ec50(doses, curve) for curve in curves])
    return np.where(np.isnan(curves).any(axis=-1), np.nan, np.where(np.isnan(found), np.inf, found))


def reaching(doses: np.ndarray, curves: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Lowest dose at which each curve (variants, doses) comes up to its level (variants,), interpolated in log dose;
    infinite where it never does, NaN where a lane failed."""
    above = curves >= levels[:, None]
    j = np.argmax(above, axis=-1)
    k, rows = np.maximum(j - 1, 0), np.arange(len(curves))
    before, after, x = curves[rows, k], curves[rows, j], np.log10(doses)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(j == 0, 0.0, (levels - before) / (after - before))
        found = np.where(above.any(axis=-1), 10 ** (x[k] + share * (x[j] - x[k])), np.inf)
    missing: np.ndarray = np.isnan(curves).any(axis=-1) | np.isnan(levels)
    return np.where(missing, np.nan, found)


def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b; NaN where both are infinite or both are zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        quotient: np.ndarray = a / b
    return quotient


def fold(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many times they differ, in either direction."""
    found: np.ndarray = np.maximum(ratio(a, b), ratio(b, a))
    return found


def normalised(curves: np.ndarray) -> np.ndarray:
    """Each curve (variants, doses) over its maximum; a flat zero stays zero."""
    shares: np.ndarray = curves / np.maximum(curves.max(axis=-1, keepdims=True), np.finfo(float).tiny)
    return shares


def _lanes(
    sample: Sample, conditions: Mapping[str, Condition], doses: np.ndarray, mix: Mixture, network: Network
) -> dict[str, np.ndarray]:
    """Values of the lanes (condition, variant, dose) by parameter name: condition over variant over mixture."""
    chains = mix.system.chains
    given = [{count(k) if k in chains else k: v for k, v in set_by.items()} for set_by in conditions.values()]
    named = {name for condition in given for name in condition}
    values: dict[str, np.ndarray | float] = {p.name: p.value for p in network.parameters if p.name in named}
    values |= {count(c): 0.0 for c in chains} | mix.values
    if mix.system.depleted:
        values["cells_per_mL"] = quantity("dilute_culture").value
    values |= {name: v for name, v in sample.values.items() if name in network.parameter_names}
    for name in sorted(named - set(network.parameter_names)):
        raise Il2Error(f"no chain or parameter {name!r}", where=network.name, how=did_you_mean(name, values))
    shape = (sample.size, len(doses))

    def lanes(name: str) -> np.ndarray:
        columns = [np.asarray(condition.get(name, values[name]), float) for condition in given]
        wide = [np.broadcast_to(c[:, None] if c.ndim == 1 else c, shape).ravel() for c in columns]
        return np.concatenate(wide)

    return {name: lanes(name) for name in values} | {dose(mix.slot): np.tile(doses, len(given) * sample.size)}
