"""Published results of the receptor and STAT5 layers, each next to what the default parameter set gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.cell.ec50 import ec50
from il2.cell.respond import respond
from il2.knowledge.cell import cell
from il2.knowledge.table import number, rows
from il2.receptor.protocols import half_time, occupancy, pulse_chase

BETA_GAMMA = frozenset({"IL2RB", "IL2RG"})
TRIMER = BETA_GAMMA | {"IL2RA"}
WIDE_nM = tuple(np.geomspace(5e-4, 5e2, 25))
YT_TIME_min = 30.0


@dataclass(frozen=True)
class Outcome:
    """A target and the value of the model in its unit; `verdict` is reproduced or missed, with the factor."""

    id: str
    quantity: str
    condition: str
    unit: str
    target: float
    low: float
    high: float
    value: float
    use: str
    source: str

    @property
    def reproduced(self) -> bool:
        return self.low <= self.value <= self.high

    @property
    def verdict(self) -> str:
        if self.reproduced:
            return "reproduced"
        if not math.isfinite(self.value) or self.value <= 0:
            return "missed"
        bound = self.low if self.value < self.low else self.high
        if bound <= 0:
            return "missed"
        return f"missed by a factor of {max(self.value / bound, bound / self.value):.2g}"


def targets() -> list[Outcome]:
    """Every target that this layer can show, in the order of the table."""
    out = []
    for row in rows("targets"):
        value = float(CALCULATIONS[row["id"]]())
        target, low, high = (number(row[k]) for k in ("value", "low", "high"))
        assert target is not None and low is not None and high is not None
        out.append(
            Outcome(
                row["id"],
                row["quantity"],
                row["condition"],
                row["unit"],
                target,
                low,
                high,
                value,
                row["use"],
                row["source"],
            )
        )
    return out


def counts_of(name: str) -> dict[str, float]:
    """Default receptor counts of a cell as plain numbers."""
    return {chain: c.value for chain, c in cell(name).counts.items()}


@cache
def _pbmc(ligand: str):
    return respond(ligand, ["Treg", "NK", "CD8", "Th"], times_min=(30, 60, 120, 240))


def _ec50(ligand: str, name: str, time: float) -> float:
    data = _pbmc(ligand)
    return ec50(data.dose_nM.values, data.pstat5.sel(ligand=ligand, cell=name, time_min=time).values)


@cache
def _yt(ligand: str, name: str) -> float:
    data = respond(ligand, name, WIDE_nM, [YT_TIME_min])
    return ec50(data.dose_nM.values, data.pstat5.values.squeeze())


def _half_occupancy(counts: dict[str, float], chains: frozenset, doses: np.ndarray) -> float:
    """Dose of half occupancy by `chains` on the rising limb (nM)."""
    return ec50(doses, occupancy("IL2", counts, doses, chains))


def _chase(times: np.ndarray, **options):
    return pulse_chase("IL2", counts_of("T_blast"), 0.01, times, **options)


def _degradation() -> float:
    """Half-life of intracellular ligand in min, from its fall between 1 and 2 h after a pulse."""
    chase = _chase(np.array([60.0, 120.0]))
    inside = chase.inside - chase.degraded
    return math.log(2) * 60 / math.log(inside[0] / inside[1])


def _surface_uptake() -> float:
    """Half-life of a signalling complex by uptake alone: ln 2 over its rate."""
    from il2.knowledge.quantity import quantity

    rate = quantity("internalisation_signalling").value + quantity("internalisation_IL2RB").value
    return math.log(2) / rate


def _left(chain: str, dose_nM: float, time_min: float) -> float:
    """Surface chain left, free and bound, of YT-1 without IL2RA after a time in ligand, relative to the start."""
    from il2.engine.solve import solve
    from il2.receptor.membrane import SURFACE
    from il2.receptor.model import dose
    from il2.receptor.protocols import audited, parameters
    from il2.receptor.trafficking import count

    network, program = audited("IL2")
    values = {count(c): v for c, v in counts_of("YT-1 IL2Ra-").items()} | {dose("IL2"): dose_nM}
    y = solve(program, parameters(network, values), np.array([0.0, time_min])).y[0]
    held = [chain in name.split("@")[0].split(".") and name.endswith("@" + SURFACE) for name in program.states]
    return float(y[1, held].sum() / y[0, held].sum())


def _late_share() -> float:
    one = _pbmc("IL2").pstat5.sel(ligand="IL2", cell="CD8").isel(dose_nM=-1)
    return float(one.sel(time_min=240) / one.sel(time_min=30))


def _selectivity() -> float:
    return min(_ec50("IL2", name, 30) for name in ("NK", "CD8", "Th")) / _ec50("IL2", "Treg", 30)


_CHASE_min = np.linspace(0.0, 240.0, 241)
CALCULATIONS: dict[str, Callable[[], float]] = {
    "T008": lambda: _half_occupancy({"IL2RB": 1e3, "IL2RG": 1e4}, BETA_GAMMA, np.geomspace(1e-3, 1e2, 40)),
    "T009": lambda: 1e3 * _half_occupancy(counts_of("T_blast"), TRIMER, np.geomspace(1e-5, 1, 40)),
    "T010": lambda: _yt("IL2", "YT-1 IL2Ra-") / _yt("IL2", "YT-1 IL2Ra+"),
    "T012": lambda: math.log(2) / (60 * half_time(_CHASE_min, _chase(_CHASE_min, trafficking=False).surface)),
    "T018": _surface_uptake,
    "T019": lambda: 100 * float(_chase(np.array([10.0])).inside[0]),
    "T020": _degradation,
    "T024": lambda: _left("IL2RB", 1.0, 90.0),
    "T025": lambda: _left("IL2RG", 1000.0, 60.0),
    "T026": lambda: 1e3 * _yt("IL2", "YT-1 IL2Ra+"),
    "T027": lambda: 1e3 * _yt("IL2", "YT-1 IL2Ra-"),
    "T028": lambda: _yt("IL15", "YT-1 IL2Ra-"),
    "T029": lambda: 1e3 * _ec50("IL2", "Treg", 30),
    "T030": lambda: 1e3 * _ec50("IL2", "Treg", 60),
    "T031": lambda: _ec50("IL2", "NK", 30),
    "T032": lambda: _ec50("IL2", "CD8", 30),
    "T033": lambda: _ec50("IL2", "Th", 30),
    "T034": _selectivity,
    "T037": lambda: _ec50("IL15", "Treg", 30) / _ec50("IL15", "NK", 30),
    "T038": _late_share,
}
