"""Published results of the receptor and STAT5 layers, each next to what the default parameter set gives.

A target is a row of `targets.csv`: its `measure` names a function of this module, and the other columns are
what that function is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.cell.ec50 import ec50
from il2.cell.respond import DEFAULT_DOSES_nM, respond
from il2.engine.batch import parameter_rows
from il2.engine.solve import solve
from il2.knowledge.cell import cell
from il2.knowledge.quantity import quantity
from il2.knowledge.table import number, rows
from il2.receptor.head import head
from il2.receptor.membrane import SURFACE
from il2.receptor.model import dose
from il2.receptor.protocols import audited, half_time, occupancy, pulse_chase
from il2.receptor.trafficking import count, governing

Row = dict[str, str]
DOSES_nM = tuple(np.geomspace(1e-5, 1e3, 65))  # wide enough for every EC50 here
CHASE_min = np.linspace(0.0, 240.0, 241)


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
        bound = self.low if self.value < self.low else self.high
        if not (math.isfinite(self.value) and self.value > 0 and bound > 0):
            return "missed"
        return f"missed by a factor of {max(self.value / bound, bound / self.value):.2g}"


def targets() -> list[Outcome]:
    """Every target that this layer can show, in the order of the table."""
    out = []
    for row in rows("targets"):
        target, low, high = (number(row[k]) for k in ("value", "low", "high"))
        assert target is not None and low is not None and high is not None
        what = row["id"], row["quantity"], row["condition"], row["unit"]
        out.append(Outcome(*what, target, low, high, float(MEASURES[row["measure"]](row)), row["use"], row["source"]))
    return out


def counts_of(name: str) -> dict[str, float]:
    """Default receptor counts of a cell as plain numbers."""
    return {chain: c.value for chain, c in cell(name).counts.items()}


@cache
def _ec50_nM(ligand: str, name: str, time_min: float) -> float:
    """EC50 on the doses of the plate data, or on wider ones for a cell that they do not hold."""
    data = respond(ligand, name, DEFAULT_DOSES_nM if cell(name).in_default_run else DOSES_nM, [time_min])
    return ec50(data.dose_nM.values, data.pstat5.values.squeeze())


def _scale(row: Row) -> float:
    """From nM to the unit of the target."""
    return {"nM": 1.0, "pM": 1e3}[row["unit"]]


def _times(row: Row) -> np.ndarray:
    return np.array([float(t) for t in row["time_min"].split(";")])


def _chase(row: Row, times: np.ndarray, trafficking: bool = True):
    return pulse_chase(row["ligand"], counts_of(row["cells"]), float(row["dose_nM"]), times, trafficking)


def half_occupancy(row: Row) -> float:
    """Dose at which half of the largest number of a complex stands at binding equilibrium."""
    chains = frozenset(row["chains"].split("+"))
    found = occupancy(row["ligand"], counts_of(row["cells"]), np.array(DOSES_nM), chains)
    return _scale(row) * ec50(np.array(DOSES_nM), found)


def pstat5_ec50(row: Row) -> float:
    return _scale(row) * _ec50_nM(row["ligand"], row["cells"], float(row["time_min"]))


def ec50_ratio(row: Row) -> float:
    """Smallest EC50 of the cells over that of the reference cell."""
    time = float(row["time_min"])
    least = min(_ec50_nM(row["ligand"], name, time) for name in row["cells"].split(";"))
    return least / _ec50_nM(row["ligand"], row["reference_cell"], time)


def washout_rate(row: Row) -> float:
    """Rate (1/s) that gives the half-life of bound ligand after a wash, without trafficking."""
    return math.log(2) / (60 * half_time(CHASE_min, _chase(row, CHASE_min, trafficking=False).surface))


def uptake_half_life(row: Row) -> float:
    """Half-life (min) of a signalling complex by uptake alone."""
    family = head(row["ligand"])
    follows = governing(frozenset(family.chains), family)
    rate = quantity("internalisation_signalling").value + quantity(f"internalisation_{follows}").value
    return math.log(2) / rate


def inside_share(row: Row) -> float:
    """Percent of the ligand bound in the cold that is inside, or degraded, after a time at 37 C."""
    return 100 * float(_chase(row, _times(row)).inside[0])


def degradation_half_life(row: Row) -> float:
    """Half-life (min) of ligand inside the cell, from its fall between two times after a pulse."""
    first, last = _times(row)
    chase = _chase(row, np.array([first, last]))
    inside = chase.inside - chase.degraded
    return math.log(2) * (last - first) / math.log(inside[0] / inside[1])


def surface_share(row: Row) -> float:
    """Surface chain left, free and bound, after a time in ligand, relative to the start."""
    network, program = audited(row["ligand"])
    values = {count(c): v for c, v in counts_of(row["cells"]).items()} | {dose(row["ligand"]): float(row["dose_nM"])}
    y = solve(program, parameter_rows(network, values), np.array([0.0, float(row["time_min"])])).y[0]
    chain, ending = row["chains"], "@" + SURFACE
    held = [chain in name.split("@")[0].split(".") and name.endswith(ending) for name in program.states]
    return float(y[1, held].sum() / y[0, held].sum())


def late_share(row: Row) -> float:
    """pSTAT5 at the later over that at the earlier time, at one dose."""
    data = respond(row["ligand"], row["cells"], [float(row["dose_nM"])], list(_times(row)))
    early, late = data.pstat5.values.squeeze()
    return float(late / early)


MEASURES: dict[str, Callable[[Row], float]] = {
    "half_occupancy": half_occupancy,
    "ec50": pstat5_ec50,
    "ec50_ratio": ec50_ratio,
    "washout_rate": washout_rate,
    "uptake_half_life": uptake_half_life,
    "inside_share": inside_share,
    "degradation_half_life": degradation_half_life,
    "surface_share": surface_share,
    "late_share": late_share,
}
