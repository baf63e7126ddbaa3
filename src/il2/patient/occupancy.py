"""How much of an antibody covers half of IL2RA, by the receptor layer: two arms, avidity, turnover of the chain."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from il2.cell.ec50 import ec50
from il2.cell.simulate import TOLERANCES
from il2.cell.spread import count_name
from il2.engine.batch import parameter_rows
from il2.engine.solve import solve
from il2.knowledge.cell import cell
from il2.knowledge.drug import Drug
from il2.knowledge.quantity import quantity
from il2.network.network import Network
from il2.network.program import Program, lower
from il2.receptor.addition import ARMS
from il2.receptor.head import head
from il2.receptor.membrane import SURFACE, at
from il2.receptor.model import build, dose, system
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import count

KIND, CHAIN = "Treg", "IL2RA"
DOSES_nM = np.geomspace(1e-4, 1e3, 29)


@cache
def _antibody(name: str) -> tuple[Network, Program]:
    network = build(system(Molecule(name, (head(name),), (ARMS,))))
    return network, lower(network)


def half_occupancy(of: Drug, variants: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """Concentration (size,) in nM at which half of the IL2RA at the surface of a Treg is covered, after a day."""
    variants = dict(variants or {})
    network, program = _antibody(of.ligand)
    size = max((len(v) for v in variants.values()), default=1)
    shape = (size, len(DOSES_nM))
    every = {n: np.broadcast_to(np.asarray(v, float), (size,)) for n, v in variants.items()}
    values = {n: np.repeat(v, len(DOSES_nM)) for n, v in every.items()}
    here = every.get(count_name(KIND, CHAIN), np.full(size, cell(KIND).counts[CHAIN].value))
    values[count(CHAIN)] = np.repeat(here, len(DOSES_nM))
    values[dose(of.ligand)] = np.tile(DOSES_nM, size)
    minutes = quantity("minutes_per_day").value
    y = solve(program, parameter_rows(network, values), np.array([minutes]), tolerances=TOLERANCES).y[:, 0]
    free = y[:, program.states.index(at(CHAIN, SURFACE))].reshape(shape)
    covered = 1 - free / here[:, None]
    return np.array([ec50(DOSES_nM, line) for line in covered])
