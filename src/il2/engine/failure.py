"""What a lane failed of, and at which state: told from where it ended."""

from __future__ import annotations

import numpy as np

from il2.engine import driver, rodas5p
from il2.engine.evaluate import equations, prepare
from il2.network.program import Program

AHEAD = 1e-3  # share of the largest state by which a look ahead moves, to find a rate that breaks off there
GROWN = 1e3  # times the largest initial state, or 1, beyond which a state that still grows is without bound


def named(program: Program, parameters: np.ndarray, last: np.ndarray, status: int, h: float) -> tuple[int, str]:
    """Status and state to blame of a lane that ended at `last`; `h` is the smallest step.

    A step size that became too small is told apart: a rate that is not a number, growth without bound, a singular
    matrix, or stiffness. The state to blame is the one whose rate is not a number, that has grown most, or that
    changes fastest against its size.
    """
    k, start = prepare(program, parameters)
    f, j = equations(program, k)
    rate = f(0.0, last)
    names = program.states
    if not np.isfinite(last).all() or not np.isfinite(rate).all():
        first = int(np.argmax(~np.isfinite(last) | ~np.isfinite(rate)))
        return (driver.NOT_A_NUMBER if status == driver.STEP_TOO_SMALL else status), names[first]
    size = np.abs(last)
    scale = max(float(size.max()), float(np.abs(start).max()), 1e-30)
    reach = AHEAD * scale / max(float(np.abs(rate).max()), 1e-300)
    if status == driver.STEP_TOO_SMALL and not np.isfinite(ahead := f(0.0, last + reach * rate)).all():
        return driver.NOT_A_NUMBER, names[int(np.argmax(~np.isfinite(ahead)))]
    swiftest = names[int(np.argmax(np.abs(rate) / (size + 1e-30 + 1e-12 * size.max())))]
    if status != driver.STEP_TOO_SMALL:
        return status, swiftest
    largest = int(np.argmax(size))
    if size[largest] > GROWN * max(1.0, float(np.abs(start).max())) and rate[largest] * last[largest] > 0:
        return driver.BLOW_UP, names[largest]
    jacobian = j(0.0, last)
    if not np.isfinite(jacobian).all():
        return driver.NOT_A_NUMBER, names[int(np.argmax(~np.isfinite(jacobian).all(axis=1)))]
    pivots = np.linalg.svd(np.eye(len(last)) / (rodas5p.GAMMA * h) - jacobian, compute_uv=False)
    if pivots[-1] < np.finfo(float).eps * pivots[0]:
        return driver.SINGULAR, swiftest
    return driver.STEP_TOO_SMALL, swiftest
