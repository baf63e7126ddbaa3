"""Lanes of the response network: values by parameter name in, pSTAT5 and active complexes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run
from il2.engine.solve import Tolerances, solve
from il2.network.program import lower_expressions
from il2.receptor.cytokine import cytokine, factor
from il2.receptor.model import ACTIVE, dose
from il2.receptor.trafficking import count
from il2.signalling.response import response, response_program
from il2.signalling.stat5 import PSTAT5

LANES_AT_ONCE = 20_000  # bounds memory; lanes do not depend on one another
TOLERANCES = Tolerances(rtol=1e-6, atol=1e-8)


@dataclass(frozen=True)
class Responses:
    """pstat5 (fraction) and active complexes (molecules per cell), both (lanes, times); reason per lane."""

    pstat5: np.ndarray
    active: np.ndarray
    reasons: tuple[str, ...]


def lane_values(base: str, doses_nM: np.ndarray, counts: Mapping, factors: Mapping) -> dict[str, np.ndarray | float]:
    """Parameter values of lanes of one base cytokine from doses, counts by chain and factors by chain."""
    family = cytokine(base)
    values: dict[str, np.ndarray | float] = {dose(base): doses_nM}
    values |= {count(chain): counts[chain] for chain in family.chains}
    return values | {factor(family, chain): factors[chain] for chain in family.chains if chain in factors}


def simulate(
    base: str,
    values: Mapping[str, np.ndarray | float],
    times_min: np.ndarray,
    *,
    depleted: bool = False,
    tolerances: Tolerances = TOLERANCES,
    threads: int | None = None,
) -> Responses:
    """Solve lanes of the response network of one base cytokine (IL2 or IL15).

    values: arrays (lanes,) or scalars by parameter name; the rest stays at its default.
    times_min: (times,) or (lanes, times), rising.
    """
    network, program = response(base, depleted=depleted), response_program(base, depleted=depleted)
    every = parameter_rows(network, values)
    wanted = {o.name: o.expr for o in network.observables}
    tape, places = lower_expressions(network, [wanted[PSTAT5], wanted[ACTIVE]])
    pieces, reasons = [], []
    for start in range(0, len(every), LANES_AT_ONCE):
        piece = slice(start, start + LANES_AT_ONCE)
        parameters = every[piece]
        times = times_min if np.ndim(times_min) == 1 else times_min[piece]
        solution = solve(program, parameters, times, tolerances=tolerances, threads=threads)
        pieces.append(run(tape, {"y": solution.y, "p": parameters[:, None, :]}, places))
        reasons += [solution.reason(i) for i in range(len(parameters))]
    out = np.concatenate(pieces)
    return Responses(np.clip(out[..., 0], 0.0, 1.0), np.maximum(out[..., 1], 0.0), tuple(reasons))
