"""Gradients of losses of solutions with respect to all parameters and initial values, by the discrete adjoint.

The steps that the forward pass accepted are taken as they were, and so is what the gradient is of: the computed
solution, not the exact one. What it leaves out is how the step sizes depend on the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from il2.engine import driver, traverse
from il2.engine.compile import BACKWARD, compiled
from il2.engine.evaluate import run
from il2.engine.sideways import through_prepare
from il2.engine.solve import Solution, Tolerances, launch, solve, workers
from il2.errors import Il2Error
from il2.network.program import Program

LOG_BYTES = 64 * 2**20  # of the logged steps that are held at once
FIRST_CAPACITY = 256  # steps per lane for which room is made at first

Loss = Callable[[np.ndarray, slice], tuple[np.ndarray, ...]]
"""loss(y, lanes): values (lanes,) and their derivatives (lanes, times, states), for the states y (lanes, times, states)
of the lanes in the slice; and, where the loss holds parameters itself, its derivatives by them (lanes, n_parameters).
`il2.engine.observe` makes such losses of observables."""


@dataclass(frozen=True)
class Gradient:
    """Per lane the value of the loss and its derivatives; NaN where the lane failed, as `solution` says.

    parameters: (lanes, n_parameters); initial: (lanes, n_states), with respect to the initial state, which is part of
    `parameters` already where the network's own initial values were used.
    """

    value: np.ndarray
    parameters: np.ndarray
    initial: np.ndarray
    status: np.ndarray
    steps: np.ndarray


def gradient(
    program: Program,
    parameters: np.ndarray,
    times: np.ndarray,
    loss: Loss,
    *,
    initial: np.ndarray | None = None,
    tolerances: Tolerances | None = None,
    threads: int | None = None,
    width: int | None = None,
) -> Gradient:
    """Solve, and differentiate a loss of the states at the output times. Arguments as for `solve`.

    The result of a lane has the same bits for any number of threads, any order and any batch size. The time budget of
    the tolerances is that of each chunk of lanes on its way forward; the way back takes a bounded number of steps.
    """
    tolerances = tolerances or Tolerances()
    parameters = np.ascontiguousarray(parameters, dtype=np.float64)
    times = np.ascontiguousarray(times, dtype=np.float64)
    lanes, n = len(parameters), program.n_states
    value, steps = np.full(lanes, np.nan), np.zeros(lanes)
    status = np.zeros(lanes, dtype=np.int64)
    p_bar, y_bar = np.full((lanes, len(program.parameters)), np.nan), np.full((lanes, n), np.nan)
    capacity, start = FIRST_CAPACITY, 0
    while start < lanes:
        size = max(1, LOG_BYTES // (8 * capacity * (n + driver.HEAD)))
        chosen = slice(start, min(start + size, lanes))
        part = parameters[chosen]
        begin = None if initial is None else initial[chosen]
        due = times[chosen] if times.ndim == 2 else times
        log = np.empty((len(part), capacity, n + driver.HEAD))
        found = solve(program, part, due, initial=begin, tolerances=tolerances, threads=threads, width=width, log=log)
        most = int(found.accepted[found.status == driver.DONE].max(initial=0))
        if most > capacity:
            capacity = most + most // 4
            continue
        value[chosen], seeds, direct = _judged(loss, found, chosen, part.shape)
        back = _back(program, part, begin, due, found, log, seeds, tolerances, threads, width)
        p_bar[chosen], y_bar[chosen] = _chained(program, part, *back, own_start=initial is None)
        p_bar[chosen] += direct
        status[chosen], steps[chosen] = found.status, found.accepted
        start = chosen.stop
    failed = status != driver.DONE
    value[failed], p_bar[failed], y_bar[failed] = np.nan, np.nan, np.nan
    return Gradient(value, p_bar, y_bar, status, steps)


def value_and_grad(
    program: Program, times: np.ndarray, loss: Loss, *, lanes: int = 1, **options
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """A function of a flat array of parameters (lanes * n_parameters) to the summed loss and its gradient.

    It is what `scipy.optimize.minimize(..., jac=True)` takes. A failed lane makes the value infinite and its gradient
    zero, so that a line search steps back.
    """

    def of(x: np.ndarray) -> tuple[float, np.ndarray]:
        if np.size(x) != lanes * len(program.parameters):
            wanted = f"{lanes} lanes of {len(program.parameters)} parameters"
            raise Il2Error(f"{np.size(x)} numbers for {wanted}", where="value_and_grad")
        found = gradient(program, np.reshape(x, (lanes, len(program.parameters))), times, loss, **options)
        total = float(np.where(found.status == driver.DONE, found.value, np.inf).sum())
        return total, np.nan_to_num(found.parameters, nan=0.0).ravel()

    return of


def _judged(
    loss: Loss, found: Solution, chosen: slice, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    given = loss(found.y, chosen)
    if not isinstance(given, tuple) or len(given) not in (2, 3):
        raise Il2Error("the loss gave no values and derivatives", where="gradient", how="Return (values, derivatives).")
    value, seeds, *rest = (np.asarray(part, float) for part in given)
    direct = rest[0] if rest else np.zeros(shape)
    if (value.shape, seeds.shape, direct.shape) != (found.y.shape[:1], found.y.shape, shape):
        raise Il2Error(
            f"the loss gave values of shape {value.shape} and derivatives of shapes {seeds.shape} and {direct.shape}",
            where="gradient", how=f"Give shapes {found.y.shape[:1]}, {found.y.shape} and, if any, {shape}.",
        )  # fmt: skip
    return value, np.ascontiguousarray(seeds), direct


def _back(
    program: Program,
    parameters: np.ndarray,
    initial: np.ndarray | None,
    times: np.ndarray,
    found: Solution,
    log: np.ndarray,
    seeds: np.ndarray,
    tolerances: Tolerances,
    threads: int | None,
    width: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Adjoints of the constants (lanes, constants) and of the initial state (lanes, states)."""
    lanes = len(parameters)
    k_bar, y_bar = np.zeros((lanes, len(program.constants))), np.zeros((lanes, program.n_states))
    good = (found.status == driver.DONE) & ~found.repivoted
    code = compiled(program, width, BACKWARD)
    values = {
        "queue": np.zeros(1, dtype=np.int64), "lanes": lanes, "parameters": parameters, "log": log,
        "capacity": log.shape[1], "steps": np.where(good, found.accepted, 0.0), "times": times,
        "time_stride": times.shape[-1] if times.ndim == 2 else 0, "n_times": times.shape[-1], "seeds": seeds,
        "initial_bar": y_bar, "constants_bar": k_bar,
    }  # fmt: skip
    launch(code, traverse.ARGUMENTS, values, workers(threads, lanes, code.layout.width))
    again = np.flatnonzero(found.repivoted & (found.status == driver.DONE))
    if len(again):
        from il2.engine.pivoting import adjoint_lane
    for lane in again:
        start = None if initial is None else initial[lane]
        due = times[lane] if times.ndim == 2 else times
        k_bar[lane], y_bar[lane] = adjoint_lane(program, parameters[lane], start, due, seeds[lane], tolerances)
    return k_bar, y_bar


def _chained(
    program: Program, parameters: np.ndarray, k_bar: np.ndarray, y_bar: np.ndarray, own_start: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Adjoints of the parameters, through the constants and, if it is the network's own, the initial state."""
    back = through_prepare(program)
    start = y_bar if own_start else np.zeros_like(y_bar)
    p_bar = run(back.tape, {"p": parameters, "kbar": k_bar, "ybar": start}, back.constants)
    return np.broadcast_to(p_bar, parameters.shape), y_bar
