"""Second opinions: the same programs integrated by SciPy, one lane at a time."""

from __future__ import annotations

import numpy as np

from il2.engine.evaluate import equations, prepare
from il2.errors import Il2Error
from il2.network.program import Program


def solve_reference(
    program: Program,
    parameters: np.ndarray,
    times: np.ndarray,
    *,
    rtol: float = 1e-9,
    atol: float = 1e-12,
    method: str = "LSODA",
    initial: np.ndarray | None = None,
) -> np.ndarray:
    """States (lanes, times, states) by `scipy.integrate.solve_ivp`; times as in `il2.engine.solve.solve`."""
    from scipy.integrate import solve_ivp

    parameters, times = np.atleast_2d(parameters), np.asarray(times, dtype=float)
    out = np.empty((len(parameters), times.shape[-1], program.n_states))
    for lane, p in enumerate(parameters):
        k, y = prepare(program, p)
        f, j = equations(program, k)
        start = y if initial is None else initial[lane]
        due = times[lane] if times.ndim == 2 else times
        found = solve_ivp(f, (0.0, float(due[-1])), start, method, t_eval=due, jac=j, rtol=rtol, atol=atol)
        if not found.success:
            raise Il2Error(f"SciPy's {method} failed on lane {lane}", why=found.message)
        out[lane] = found.y.T
    return out
