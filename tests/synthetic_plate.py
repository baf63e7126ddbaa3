"""Plates whose truth is known: `il2 respond --plate` answers them with true counts and KDs, then noise is added."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas

from il2.cell.plate import predict_plate
from il2.knowledge.cell import cell

CELLS = ("Treg", "Th", "CD8", "NK")
AWAY = {"IL2RA": 0.7, "IL2RB": -0.4, "IL2RG": 0.4, "IL15RA": -0.3}  # of true counts, in deviations of what is known
LIGANDS = {
    "IL2": ({}, {}),
    "IL15": ({}, {}),
    "A7": (
        {"kd_il2ra_nM": 30.0, "kd_il2rbg_nM": 0.4, "kd_assay": "spr"},
        {"kd_il2ra_nM": 40.0, "kd_il2rbg_nM": 0.55, "kd_assay": "spr"},
    ),
}
SCALE = {"Treg": 9000.0, "Th": 7000.0, "CD8": 5000.0, "NK": 4000.0}
BACKGROUND = 120.0


def true_count(name: str, chain: str) -> float:
    """Molecules per cell: within the range that is known, so that a prior from it is fair."""
    known = cell(name).counts[chain]
    return known.value * (known.high / known.low) ** (AWAY[chain] / 3.92)


def synthetic(
    ligands=tuple(LIGANDS), cells=CELLS, doses=8, times=(30, 120), replicates=2, noise=0.04, seed=0, untreated=True
) -> pandas.DataFrame:  # fmt: skip
    """Told KDs beside noisy values of the true ones. noise: of the largest true signal of a cell."""
    levels = np.geomspace(1e-3, 50.0, doses)
    wells = pandas.DataFrame(
        product(ligands, cells, [0.0, *levels] if untreated else levels, times),
        columns=["ligand", "cell", "dose_nM", "time_min"],
    )
    true = wells.copy()
    for column in ("kd_il2ra_nM", "kd_il2rbg_nM", "kd_assay"):
        wells[column] = [LIGANDS[name][0].get(column, "") for name in wells.ligand]
        true[column] = [LIGANDS[name][1].get(column, "") for name in wells.ligand]
    for chain in AWAY:
        true[chain] = [true_count(name, chain) for name in wells.cell]
    answer = predict_plate(true, threads=1)
    assert (answer.status == "ok").all()
    rng = np.random.default_rng(seed)
    parts = []
    for replicate in range(1, replicates + 1):
        scale = wells.cell.map(SCALE) * (1 + 0.2 * (replicate - 1))
        clean = scale * answer.pstat5
        sd = noise * clean.groupby(wells.cell).transform("max")
        value = BACKGROUND + clean + sd * rng.standard_normal(len(wells))
        parts.append(wells.assign(replicate=replicate, value=value.round(2)))
    out = pandas.concat(parts)
    return out if "A7" in ligands else out.drop(columns=["kd_il2ra_nM", "kd_il2rbg_nM", "kd_assay"])


def write(path: Path, **options) -> Path:
    synthetic(**options).to_csv(path, index=False)
    return path
