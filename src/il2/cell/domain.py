"""The calibrated domain: doses, times, counts, affinities, heads and cells that the parameters were chosen on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from il2.knowledge.calibrated import calibrated
from il2.knowledge.cell import CHAINS, cell, is_cell
from il2.knowledge.quantity import quantity
from il2.receptor.affinity import all_factors, interface_factors
from il2.receptor.ligand import Ligand, ligands

ROUNDING = 1e-9  # doses and counts may have been rounded on their way
MOST_HEADS = 1
CALIBRATED_CHAINS = ("IL2RA", "IL2RB", "IL2RG", "IL15RA")
OUTSIDE = "outside the calibrated domain"


def outside(name: str, values: np.ndarray) -> list[tuple[np.ndarray, str]]:
    """Where doses (nM) or times (min) lie beyond those of the data, and the warnings."""
    highest = quantity(f"calibrated_{name}_highest")
    out = [(values > highest.value * (1 + ROUNDING), f"{name} above {highest.value:g} {highest.unit}, {OUTSIDE}")]
    if name == "time":
        lowest = quantity("calibrated_time_lowest")
        early = (values > 0) & (values < lowest.value * (1 - ROUNDING))
        out.append((early, f"time below {lowest.value:g} {lowest.unit}, {OUTSIDE}"))
    return out


def counts_outside(chain: str, values: np.ndarray) -> tuple[np.ndarray, str]:
    """Where counts (molecules per cell) lie beyond those of the calibrated cells, and the warning; none is inside."""
    low, high = count_domain().get(chain, (0.0, np.inf))
    beyond = (values > 0) & ((values < low * (1 - ROUNDING)) | (values > high * (1 + ROUNDING)))
    return beyond, f"{chain} per cell beyond {low:.3g} to {high:.3g}, {OUTSIDE}"


def warned_counts(counts: Mapping[str, float], chains: Iterable[str]) -> list[str]:
    """Warnings for counts (molecules per cell) of the chains that the ligands bind."""
    found = [counts_outside(chain, np.array([counts[chain]])) for chain in chains if chain in counts]
    return [text for beyond, text in found if beyond.any()]


@cache
def count_domain() -> dict[str, tuple[float, float]]:
    """Least and largest calibrated count of a chain."""
    out = {}
    for chain in CHAINS:
        found = [
            n.value
            for n in calibrated().values()
            if n.name.endswith(f" {chain}") and is_cell(n.name[: -len(chain) - 1])
        ]
        if found:
            out[chain] = (min(found), max(found))
    return out


def cell_outside(name: str) -> str:
    """The warning for a known cell that no calibrated data are of, or nothing."""
    if not count_domain() or not is_cell(name) or any(f"{cell(name).name} {c}" in calibrated() for c in CHAINS):
        return ""
    return f"{cell(name).name} is no cell of the calibration data, {OUTSIDE}"


@cache
def affinity_domain() -> dict[str, tuple[float, float]]:
    """Least and largest affinity factor of a chain among the calibrated ligands; wild type is 1."""
    found = [interface_factors(item)[0] for item in ligands().values() if item.errors]
    every = {c: [1.0, *(f.get(c, 1.0) for f in found)] for c in CALIBRATED_CHAINS}
    return {c: (min(values), max(values)) for c, values in every.items()}


def ligand_outside(item: Ligand) -> list[str]:
    """Warnings for a ligand whose affinities or heads lie beyond those of the calibrated ones."""
    if not calibrated():
        return []
    out = []
    for factors in all_factors(item):
        for chain, (low, high) in affinity_domain().items():
            value = factors.get(chain, 1.0)
            if not low * (1 - ROUNDING) <= value <= high * (1 + ROUNDING):
                out.append(
                    f"affinity to {chain} {value:.2g} times the wild-type KD, beyond {low:.2g} to {high:.2g}, {OUTSIDE}"
                )
    if item.heads > MOST_HEADS:
        out.append(f"{item.heads} heads, {OUTSIDE} of one")
    return list(dict.fromkeys(out))
