"""Solutions as a function that JAX can differentiate: the compiled solve, with the adjoint as its derivative.

Needs JAX (`pip install 'il2[jax]'`) with 64-bit numbers. The call leaves JAX for the engine, so that it runs on the CPU
and does not fuse with what is around it; batches belong into the lanes, since `vmap` makes one call after another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from il2.engine.gradient import gradient
from il2.engine.solve import solve
from il2.errors import Il2Error
from il2.network.program import Program


def states(program: Program, times: np.ndarray, **options: Any) -> Callable:
    """A JAX function from parameters (lanes, n_parameters) to states (lanes, times, states).

    times and options as for `il2.engine.solve.solve`. States of a lane that failed, and derivatives through them, are
    NaN. Raises Il2Error without JAX or with 32-bit numbers.
    """
    try:
        import jax
    except ImportError as error:
        raise Il2Error("JAX is not installed", how="pip install 'il2[jax]'") from error
    if jax.numpy.zeros(1).dtype != np.float64:
        raise Il2Error("JAX has 32-bit numbers", how="jax.config.update('jax_enable_x64', True) before any array.")
    due = np.atleast_1d(np.asarray(times, dtype=float))
    if not np.isfinite(due).all() or (due < 0).any() or (np.diff(due) < 0).any():
        raise Il2Error("output times must be finite, not negative, and rising", where="states")

    def shape(p: Any) -> Any:
        if p.ndim != 2 or p.shape[1] != len(program.parameters):
            expected = f"(lanes, {len(program.parameters)})"
            raise Il2Error(f"parameters have shape {p.shape}, expected {expected}", where="states")
        return jax.ShapeDtypeStruct((p.shape[0], due.shape[-1], program.n_states), np.float64)

    def solved(p: np.ndarray) -> np.ndarray:
        return solve(program, np.asarray(p), due, **options).y

    def pulled(p: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        fixed = np.asarray(seeds)
        return gradient(program, np.asarray(p), due, lambda y, at: (np.zeros(len(y)), fixed[at]), **options).parameters

    @jax.custom_vjp
    def function(p: Any) -> Any:
        return jax.pure_callback(solved, shape(p), p, vmap_method="sequential")

    def forward(p: Any) -> tuple[Any, Any]:
        return function(p), p

    def backward(p: Any, seeds: Any) -> tuple[Any]:
        result = jax.ShapeDtypeStruct(p.shape, np.float64)
        return (jax.pure_callback(pulled, result, p, seeds, vmap_method="sequential"),)

    function.defvjp(forward, backward)
    return function
