"""Steady states of many lanes: damped Newton on the logarithms, and integration in time where that fails.

The equations are the rates of change with conservation laws in the place of those that follow from them
(`il2.engine.reduced`). Newton starts where the engine has come after a short time, so that it finds the state which
the initial values lead to; a state that it finds unstable is refused. A lane without success is integrated ten times
further, and so on. Equilibrium of a binding network is the special case in which `imbalance` vanishes too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from il2.engine.evaluate import prepare, run
from il2.engine.reduced import Reduced, reduced
from il2.engine.solve import Solution, Tolerances, solve
from il2.errors import Il2Error
from il2.network.network import Network
from il2.network.program import Program, lower_expressions

STEADY, NOT_STEADY, UNSTABLE, FAILED = "steady", "not steady", "unstable", "integration failed"
WHY = {
    STEADY: "",
    NOT_STEADY: "the rates of change are not small enough at the longest time",
    UNSTABLE: "the rates of change vanish, but small deviations grow",
    FAILED: "the integration in time failed",
}
BATCH = 4_000_000  # entries of the dense matrices that are worked on together


@dataclass(frozen=True)
class Search:
    """When a state is steady, and how long to look for it.

    A state is steady once the Newton correction of each state y is at most atol + rtol |y|. first and longest: time
    of the first integration, and of all together, in the time unit of the network. A Newton step changes no state by
    more than a factor of exp(largest_move).
    """

    rtol: float = 1e-9
    atol: float = 1e-9
    first: float = 1.0
    longest: float = 1e8
    most_iterations: int = 40
    largest_move: float = 3.0


@dataclass(frozen=True)
class SteadyState:
    """y (lanes, states) in the units of the states; per lane how it was found and what is left.

    status: "steady", "not steady", "unstable" or "integration failed"; the last state is given in any case. residual:
    largest Newton correction over atol + rtol |y| (steady: at most 1). how: "newton" or "time". iterations: Newton
    steps, all attempts together. time: what was integrated before the last attempt, in the unit of the network.
    """

    y: np.ndarray
    status: np.ndarray
    residual: np.ndarray
    how: np.ndarray
    iterations: np.ndarray
    time: np.ndarray
    equations: Reduced
    parameters: np.ndarray
    given: bool

    def reason(self, lane: int) -> str:
        """Why a lane is not steady; empty for a good lane."""
        why = WHY[str(self.status[lane])]
        return f"{why} (t = {self.time[lane]:.4g}, residual {self.residual[lane]:.3g})" if why else ""

    def sensitivities(self) -> np.ndarray:
        """dy/dp (lanes, states, parameters) by the implicit function theorem; NaN where a lane is not steady.

        Parameters act through the rates, through derived constants and, unless initial values were given, through
        the conserved sums.
        """
        out = np.full((*self.y.shape, len(self.equations.program.parameters)), np.nan)
        good = np.flatnonzero(self.status == STEADY)
        for part in _batches(good, len(self.equations.program.rates.ops) * out.shape[-1]):
            out[part] = self.equations.sensitivities(self.parameters[part], self.y[part], self.given)
        return out


def steady(
    network: Network,
    parameters: np.ndarray,
    *,
    initial: np.ndarray | None = None,
    search: Search | None = None,
    tolerances: Tolerances | None = None,
    program: Program | None = None,
    threads: int | None = None,
) -> SteadyState:
    """The steady states that the initial values lead to.

    parameters: (lanes, parameters); initial: (lanes, states), or None for the initial values of the network.
    tolerances are those of the integration in time; `program` is `lower(network)` where the caller has it.
    """
    search = search or Search()
    for name in Search.__dataclass_fields__:
        if not (np.isfinite(getattr(search, name)) and getattr(search, name) > 0):
            raise Il2Error(f"{name} of the search is {getattr(search, name)}", where="steady", how="Give it above 0.")
    parameters = np.ascontiguousarray(parameters, dtype=float)
    equations = reduced(network, program)
    here = solve(equations.program, parameters, np.zeros(1), initial=initial, threads=threads)  # checks the shapes
    y, lanes = here.y[:, 0], len(parameters)
    k, _ = prepare(equations.program, parameters)
    totals = equations.totals(y)
    status, how = np.full(lanes, NOT_STEADY, dtype=object), np.full(lanes, "time", dtype=object)
    residual, iterations, time = np.full(lanes, np.inf), np.zeros(lanes, dtype=int), np.zeros(lanes)
    left, span = np.arange(lanes), min(search.first, search.longest)
    while len(left) and span > 0:
        moved = _integrate(equations, parameters[left], y[left], span, tolerances, threads)
        ended = moved.status != 0
        status[left[ended]] = FAILED
        left = left[~ended]
        y[left], time[left] = moved.y[~ended, 0], time[left] + span
        for part in _batches(left, equations.program.n_states**2):
            found = attempt(equations, y[part], k[part], totals[part], search)
            y[part], status[part], residual[part], how[part] = found[:4]
            iterations[part] += found[4]
        left = left[status[left] != STEADY]
        total = time[left].max(initial=0.0)
        span = min(9 * total, search.longest - total)
    return SteadyState(y, status, residual, how, iterations, time, equations, parameters, initial is not None)


def attempt(
    equations: Reduced, start: np.ndarray, k: np.ndarray, totals: np.ndarray, search: Search
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Newton from `start` (lanes, states), and a verdict: y, status, residual, how, iterations.

    A lane where Newton fails comes back as it was, and may be steady as it is (how: "time").
    """
    y, converged, iterations = newton(equations, start, k, totals, search)
    y = np.where(converged[:, None], y, _polished(equations, start, k, totals, search))
    residual = _residual(equations.correction(y, k, totals), y, search)
    status = np.full(len(y), NOT_STEADY, dtype=object)
    still = np.flatnonzero(residual <= 1.0)
    status[still] = np.where(equations.unstable(y[still], k[still]), UNSTABLE, STEADY)
    refused = converged & (status != STEADY)
    how = np.where(converged & ~refused, "newton", "time").astype(object)
    return np.where(refused[:, None], start, y), status, residual, how, iterations


def newton(
    equations: Reduced, start: np.ndarray, k: np.ndarray, totals: np.ndarray, search: Search
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Damped Newton on log y from `start` (lanes, states); zeros stay. Returns y, whether it converged, iterations."""
    y = np.where(start < 0, 1e-14 * np.abs(start).max(axis=-1, keepdims=True, initial=0.0), start)
    converged, iterations = np.zeros(len(y), dtype=bool), np.zeros(len(y), dtype=int)
    active = np.arange(len(y))
    for _ in range(search.most_iterations):
        here, iterations[active] = y[active], iterations[active] + 1
        correction = equations.correction(here, k[active], totals[active])
        alive = here > 0
        with np.errstate(all="ignore"):
            move = np.where(alive, correction / here, 0.0)
            largest = np.abs(move).max(axis=-1, initial=0.0)
            damping = np.minimum(1.0, search.largest_move / np.maximum(largest, 1e-300))
            following = here * np.exp(damping[:, None] * move)
        ends = (_residual(correction, here, search) <= 1.0) & (largest < 0.5)
        usable = np.isfinite(following).all(axis=-1) & ((following > 1e-200) | ~alive).all(axis=-1) & ~ends
        y[active[ends]] = np.where(alive, here + correction, here)[ends]
        y[active[usable]] = following[usable]
        converged[active[ends]] = True
        active = active[usable]
        if not len(active):
            break
    return y, converged, iterations


def _polished(equations: Reduced, y: np.ndarray, k: np.ndarray, totals: np.ndarray, search: Search) -> np.ndarray:
    """States that are steady as they are, moved by their own correction where no state falls below zero."""
    correction = equations.correction(y, k, totals)
    with np.errstate(all="ignore"):
        moved = y + correction
    better = (_residual(correction, y, search) <= 1.0) & (moved >= -search.atol).all(axis=-1)
    return np.where(better[:, None], np.where(better[:, None], moved, 0.0).clip(min=0.0), y)


def _residual(correction: np.ndarray, y: np.ndarray, search: Search) -> np.ndarray:
    size = np.abs(correction) / (search.atol + search.rtol * np.abs(y))
    return np.where(np.isnan(size), np.inf, size).max(axis=-1, initial=0.0)


def _integrate(
    equations: Reduced, parameters: np.ndarray, y: np.ndarray, span: float, tolerances: Tolerances | None, threads
) -> Solution:
    program = equations.program
    return solve(program, parameters, np.array([span]), initial=y, tolerances=tolerances, threads=threads)


def _batches(lanes: np.ndarray, entries: int) -> list[np.ndarray]:
    """Parts of `lanes` of which each has few enough entries to hold in memory."""
    size = max(1, BATCH // max(1, entries))
    return [lanes[i : i + size] for i in range(0, len(lanes), size)]


def imbalance(network: Network, parameters: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(forward - reverse) / (forward + reverse) of each reaction (lanes, reactions); 0 where both vanish.

    It vanishes for all reactions at an equilibrium (detailed balance), and is 1 or -1 for one without a way back.
    """
    rates = [e for r in network.reactions for e in (r.forward, r.reverse)]
    tape, places = lower_expressions(network, rates)
    found = np.broadcast_to(run(tape, {"y": y, "p": parameters}, places), (len(y), len(places)))
    forward, reverse = found[:, 0::2], found[:, 1::2]
    total = np.abs(forward) + np.abs(reverse)
    return np.where(total > 0, (forward - reverse) / np.where(total > 0, total, 1.0), 0.0)
