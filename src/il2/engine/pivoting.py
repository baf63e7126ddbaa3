"""The same Rosenbrock method with a dense, pivoting factorisation: for lanes whose static order failed."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from il2.engine import driver, rodas5p
from il2.engine.evaluate import equations, prepare
from il2.network.program import Program


def step(f, j, y: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
    """One step of size h from y: the new state and the error estimate."""
    factors = lu_factor(np.eye(len(y)) / (rodas5p.GAMMA * h) - j(0.0, y), check_finite=False)
    u: list[np.ndarray] = []
    stage = y
    for s in range(rodas5p.STAGES):
        if s >= len(rodas5p.A):
            stage = stage + u[-1]
        elif s:
            stage = y + sum(a * v for a, v in zip(rodas5p.A[s], u, strict=True))
        start = sum((c / h * v for c, v in zip(rodas5p.C[s], u, strict=True)), np.zeros_like(y))
        u.append(lu_solve(factors, f(0.0, stage) + start, check_finite=False))
    return stage + u[-1], u[-1]


def solve_lane(
    program: Program, parameters: np.ndarray, initial: np.ndarray | None, times: np.ndarray, tolerances
) -> tuple[np.ndarray, int, int, int, float]:
    """(states at `times`, status, accepted, rejected, time reached) of one lane; the driver's step control."""
    k, y = prepare(program, parameters)
    y = y if initial is None else np.array(initial, dtype=float)
    f, j = equations(program, k)
    controlled = np.array(program.controlled)
    out = np.full((len(times), program.n_states), np.nan)
    t, h, good, bad, after = 0.0, tolerances.first_step, 0, 0, False
    for index, due in enumerate(times):
        while t < due:
            if good + bad >= tolerances.most_steps:
                return out, driver.TOO_MANY_STEPS, good, bad, t
            if h < tolerances.smallest_step:
                return out, driver.STEP_TOO_SMALL, good, bad, t
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
                y, t = new, due if size == left else t + size
                following = max(following, h) if size < h else following
            h = following
        out[index] = y
    return out, driver.DONE, good, bad, t
