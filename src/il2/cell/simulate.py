"""Lanes of the response network: values by parameter name in, phosphorylated STAT and active complexes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import prepare, run
from il2.engine.solve import Tolerances, solve
from il2.knowledge.quantity import quantity
from il2.network.program import lower_expressions
from il2.receptor.addition import Mixture
from il2.receptor.model import System, active, dose
from il2.receptor.trafficking import count
from il2.signalling.response import program_of, response_of
from il2.signalling.stat import phosphorylated

LANES_AT_ONCE = 20_000  # bounds memory; lanes do not depend on one another
TOLERANCES = Tolerances(rtol=1e-6, atol=1e-8)


@dataclass(frozen=True)
class Responses:
    """Phosphorylated share of each STAT and active complexes (molecules per cell) that drive it, (lanes, times);
    reason per lane."""

    shares: dict[str, np.ndarray]
    complexes: dict[str, np.ndarray]
    reasons: tuple[str, ...]

    @property
    def pstat5(self) -> np.ndarray:
        return self.shares["STAT5"]

    @property
    def active(self) -> np.ndarray:
        """Active complexes of every kind."""
        return sum(self.complexes.values(), np.zeros(()))


def lane_values(mix: Mixture, doses_nM: np.ndarray, counts: Mapping) -> dict[str, np.ndarray | float]:
    """Parameter values of lanes from doses of the ligand and counts by chain; a chain without a count is absent."""
    table: dict[str, np.ndarray | float] = dict(mix.values)
    table |= {count(c): counts.get(c, 0.0) for c in mix.system.chains if count(c) not in table}
    return table | {dose(mix.slot): doses_nM}


def simulate(
    of: System,
    values: Mapping[str, np.ndarray | float],
    times_min: np.ndarray,
    *,
    before_min: float = 0.0,
    slot: str = "",
    tolerances: Tolerances = TOLERANCES,
    threads: int | None = None,
) -> Responses:
    """Solve lanes of the response network of a system.

    values: arrays (lanes,) or scalars by parameter name; the rest stays at its default. times_min: (times,) or
    (lanes, times), rising. before_min: how long additions act before the ligand of the name `slot` is given.
    """
    network, program = response_of(of), program_of(of)
    table = dict(values)
    if of.depleted and "cells_per_mL" not in table:
        table["cells_per_mL"] = quantity("dilute_culture").value
    every = parameter_rows(network, table)
    wanted = {o.name: o.expr for o in network.observables}
    readouts = [wanted[name(stat)] for stat in of.stats for name in (phosphorylated, active)]
    tape, places = lower_expressions(network, readouts)
    pieces, reasons = [], []
    for start in range(0, len(every), LANES_AT_ONCE):
        piece = slice(start, start + LANES_AT_ONCE)
        parameters = every[piece]
        times = times_min if np.ndim(times_min) == 1 else times_min[piece]
        initial, early = None, ["" for _ in parameters]
        if before_min > 0:
            initial, early = _pretreated(network, program, parameters, slot, before_min, tolerances, threads)
        solution = solve(program, parameters, times, initial=initial, tolerances=tolerances, threads=threads)
        pieces.append(run(tape, {"y": solution.y, "p": parameters[:, None, :]}, places))
        reasons += [early[i] or solution.reason(i) for i in range(len(parameters))]
    out = np.concatenate(pieces)
    shares = {stat: np.clip(out[..., 2 * k], 0.0, 1.0) for k, stat in enumerate(of.stats)}
    complexes = {stat: np.maximum(out[..., 2 * k + 1], 0.0) for k, stat in enumerate(of.stats)}
    return Responses(shares, complexes, tuple(reasons))


def _pretreated(network, program, parameters, slot, before_min, tolerances, threads) -> tuple[np.ndarray, list[str]]:
    """States after additions alone, to which the ligand is then added, and reasons of lanes that failed."""
    without = parameters.copy()
    without[:, network.parameter_names.index(dose(slot))] = 0.0
    first = solve(program, without, np.array([before_min]), tolerances=tolerances, threads=threads)
    added = prepare(program, parameters)[1] - prepare(program, without)[1]
    return first.y[:, 0] + added, [first.reason(i) for i in range(len(parameters))]
