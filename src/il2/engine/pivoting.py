"""The same Rosenbrock method with a dense, pivoting factorisation: for lanes whose static order failed."""

from __future__ import annotations

import math
import time

import numpy as np

from il2.engine import driver, rodas5p
from il2.engine.evaluate import equations, prepare, run
from il2.engine.sideways import Back, through_jacobian, through_rates
from il2.network.program import Program


class Matrix:
    """A matrix with its inverse, by pivoting; solutions are refined once. Those of a singular matrix are NaN."""

    def __init__(self, entries: np.ndarray) -> None:
        self.entries = entries
        try:
            self.inverse = np.linalg.inv(entries)
        except np.linalg.LinAlgError:
            self.inverse = np.full_like(entries, np.nan)

    def solved(self, right: np.ndarray) -> np.ndarray:
        x = self.inverse @ right
        return x + self.inverse @ (right - self.entries @ x)

    def transposed(self, right: np.ndarray) -> np.ndarray:
        x = right @ self.inverse
        return x + (right - x @ self.entries) @ self.inverse


def step(f, j, y: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
    """One step of size h from y: the new state and the error estimate."""
    matrix = Matrix(np.eye(len(y)) / (rodas5p.GAMMA * h) - j(0.0, y))
    stages, u = _stages(f, matrix, y, h)
    return stages[-1] + u[-1], u[-1]


def solve_lane(
    program: Program,
    parameters: np.ndarray,
    initial: np.ndarray | None,
    times: np.ndarray,
    tolerances,
    log: list[tuple[float, float, np.ndarray]] | None = None,
    deadline: float = math.inf,
) -> tuple[np.ndarray, int, int, int, float, np.ndarray]:
    """(states at `times`, status, accepted, rejected, time reached, last state) of one lane; steps as the driver.

    log: takes step size, time after the step and state before it of each accepted step. deadline: of the clock
    `time.monotonic` (s).
    """
    k, y = prepare(program, parameters)
    y = y if initial is None else np.array(initial, dtype=float)
    f, j = equations(program, k)
    controlled = np.array(program.controlled)
    out = np.full((len(times), program.n_states), np.nan)
    t, h, good, bad, after = 0.0, tolerances.first_step, 0, 0, False
    for index, due in enumerate(times):
        while t < due:
            if good + bad >= tolerances.most_steps:
                return out, driver.TOO_MANY_STEPS, good, bad, t, y
            if time.monotonic() > deadline:
                return out, driver.OUT_OF_TIME, good, bad, t, y
            if h < tolerances.smallest_step:
                return out, driver.STEP_TOO_SMALL, good, bad, t, y
            left = due - t
            size = left if left <= h else left / 2 if left < 2 * h else h
            with np.errstate(all="ignore"):
                new, e = step(f, j, y, size)
                scale = tolerances.atol + tolerances.rtol * np.maximum(np.abs(y), np.abs(new))
                error = float(np.mean(np.square(e / scale)[controlled]) + 0.0 * e[~controlled].sum())
            factor = driver.AFTER_NAN
            if np.isfinite(error):
                root = max(error, 1e-30) ** (-0.5 / rodas5p.ORDER)
                factor = min(max(driver.SAFETY * root, driver.SHRINK), 1.0 if after else driver.GROW)
            following = size * factor
            after = not error <= 1.0
            if after:
                bad += 1
            else:
                good += 1
                if log is not None:
                    log.append((size, due if size == left else t + size, y))
                y, t = new, due if size == left else t + size
                following = max(following, h) if size < h else following
            h = following
        out[index] = y
    return out, driver.DONE, good, bad, t, y


def adjoint_lane(
    program: Program,
    parameters: np.ndarray,
    initial: np.ndarray | None,
    times: np.ndarray,
    seeds: np.ndarray,
    tolerances,
) -> tuple[np.ndarray, np.ndarray]:
    """Adjoints of constants and of the initial state of one lane, for seeds (times, states); see `backward`."""
    log: list[tuple[float, float, np.ndarray]] = []
    solve_lane(program, parameters, initial, times, tolerances, log)
    k, _ = prepare(program, parameters)
    rates, jacobian = through_rates(program), through_jacobian(program)
    bar, k_bar, left = np.zeros(program.n_states), np.zeros(len(k)), len(times)
    for h, after, y in reversed(log):
        while left and times[left - 1] >= after:
            left -= 1
            bar = bar + seeds[left]
        bar, k_bar = step_back(program, rates, jacobian, k, y, h, bar, k_bar)
    return k_bar, bar + seeds[:left].sum(axis=0)


def step_back(
    program: Program, rates: Back, jacobian: Back, k: np.ndarray, y: np.ndarray, h: float, bar: np.ndarray, k_bar
) -> tuple[np.ndarray, np.ndarray]:
    """Adjoints of the state before a step of size h from y, and of the constants, from `bar` after it."""
    f, j = equations(program, k)
    matrix = Matrix(np.eye(len(y)) / (rodas5p.GAMMA * h) - j(0.0, y))
    stages, u = _stages(f, matrix, y, h)
    v = [np.zeros_like(y) for _ in u]
    v[-1], carried, y_bar = bar.copy(), bar.copy(), np.zeros_like(y)
    for s in reversed(range(len(u))):
        v[s] = matrix.transposed(v[s])
        arrays = {"y": stages[s], "k": k, "v": v[s], "ybar": carried if s else y_bar, "kbar": k_bar}
        through = run(rates.tape, arrays, rates.states)
        k_bar = run(rates.tape, arrays, rates.constants) if len(k) else k_bar
        follows = s >= len(rodas5p.A)
        for i in range(s):
            weight = float(i == s - 1) if follows else rodas5p.A[s][i]
            v[i] = v[i] + rodas5p.C[s][i] / h * v[s] + weight * through
        if follows:
            carried = through
        else:
            y_bar, carried = (y_bar + through if s else through), np.zeros_like(y)
    arrays = {"y": y, "k": k, "u": np.concatenate(u), "v": np.concatenate(v), "ybar": y_bar, "kbar": k_bar}
    after = run(jacobian.tape, arrays, jacobian.states)
    return after, run(jacobian.tape, arrays, jacobian.constants) if len(k) else k_bar


def _stages(f, matrix: Matrix, y: np.ndarray, h: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Where the rates were evaluated in a step, and its increments."""
    stages: list[np.ndarray] = []
    u: list[np.ndarray] = []
    for s in range(rodas5p.STAGES):
        if s >= len(rodas5p.A):
            stage = stages[-1] + u[-1]
        else:
            stage = y + sum((a * v for a, v in zip(rodas5p.A[s], u, strict=True)), np.zeros_like(y))
        start = sum((c / h * v for c, v in zip(rodas5p.C[s], u, strict=True)), np.zeros_like(y))
        stages.append(stage)
        u.append(matrix.solved(f(0.0, stage) + start))
    return stages, u
