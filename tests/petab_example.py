"""A fit problem of the response of blood cells: what `il2 export --petab` writes.

One block for each cytokine. Free are the receptor counts of each population, within the range that is known of them,
a factor of one parameter that all share, a scale for each population and replicate and the noise of each set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from il2.fit.block import Block, Points, Use, block
from il2.fit.free import NOISE, OBSERVATION, Free
from il2.fit.problem import Problem
from il2.knowledge.cell import cell
from il2.knowledge.table import measurements
from il2.receptor.model import dose, system
from il2.receptor.trafficking import count
from il2.signalling.response import program_of, response_of
from il2.signalling.stat import phosphorylated

LIGANDS, CELLS = ("IL2", "IL15"), ("Treg", "Th", "CD8", "NK")
SHARED = "STAT5_half_activation"
READOUT = phosphorylated("STAT5")
WIDE = 100.0  # scale and noise lie within this factor of what the data show
TABLE = "pbmc_pstat5"


def example(ligands: Sequence[str] = LIGANDS, cells: Sequence[str] = CELLS, threads: int | None = None) -> Problem:
    """The problem of named cytokines and populations; wells that were flagged and untreated wells are left out."""
    free: dict[str, Free] = {}
    blocks = [_block(ligand, cells, free) for ligand in ligands]
    return Problem(f"{TABLE} {' '.join(ligands)}", tuple(free.values()), tuple(blocks), threads)


def _block(ligand: str, cells: Sequence[str], free: dict[str, Free]) -> Block:
    rows = [
        r for r in measurements(TABLE)
        if r["ligand"] == ligand and r["cell"] in cells and not r["excluded"] and float(r["dose_nM"]) > 0
    ]  # fmt: skip
    of = system(ligand)
    network = response_of(of)
    lanes = list(dict.fromkeys((r["cell"], float(r["dose_nM"])) for r in rows))
    times = sorted({float(r["time_min"]) for r in rows})
    signals = np.array([float(r["pstat5_rfu"]) for r in rows])
    values: dict[str, np.ndarray | float] = {dose(ligand): np.array([d for _, d in lanes])}
    uses = []
    for chain in [c for c in of.chains if count(c) in network.parameter_names]:
        values[count(chain)] = np.ones(len(lanes))
        for name in cells:
            known = cell(name).counts[chain]
            own = _free(free, f"{chain} of {name}", "molecule/cell", known.value, known.high / known.low)
            uses.append(Use(count(chain), own, np.array([i for i, (c, _) in enumerate(lanes) if c == name])))
    uses.append(Use(SHARED, _free(free, f"factor of {SHARED}", "dimensionless", 1.0, 0), np.arange(len(lanes))))
    noise = _free(free, f"noise of {ligand}", "rfu", float(np.median(signals[signals > 0])) / math.sqrt(WIDE), 0, NOISE)
    scales = [
        _free(free, f"scale of {ligand}, {r['cell']}, {r['replicate']}", "rfu", float(signals.max()), 0, OBSERVATION)
        for r in rows
    ]
    points = Points(
        lane=np.array([lanes.index((r["cell"], float(r["dose_nM"]))) for r in rows]),
        time=np.array([times.index(float(r["time_min"])) for r in rows]), readout=np.zeros(len(rows), int),
        value=signals, scale=np.array(scales, object), background=np.full(len(rows), "", object),
        noise=np.full(len(rows), noise, object), censored=np.zeros(len(rows), int), weight=np.ones(len(rows)),
    )  # fmt: skip
    return block(network, times, [READOUT], values, uses, points, program_of(of))


def _free(free: dict[str, Free], name: str, unit: str, centre: float, ratio: float, kind: str = "dynamic") -> str:
    """The name of a free number, made if there is none. ratio: of the ends of its known range, 0 if none is known."""
    spread = math.log10(ratio) / 4 if ratio > 1 else math.inf
    wide = ratio if ratio > 1 else WIDE
    free.setdefault(name, Free(name, unit, centre / wide, centre * wide, centre, spread, "log10", kind))
    return name
