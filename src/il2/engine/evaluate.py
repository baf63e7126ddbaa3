"""A program evaluated by NumPy: the second opinion on the generated code, and the model of slow paths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from il2.network.program import Program
from il2.network.tape import Tape

_UNARY = {"neg": np.negative, "exp": np.exp, "log": np.log, "abs": np.abs}
_BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power, "min": np.minimum}


def run(tape: Tape, arrays: dict[str, np.ndarray], outputs: tuple[int, ...] | list[int]) -> np.ndarray:
    """Values of `outputs`; element i of an array is `array[..., i]`, so lanes come first. Shape (..., outputs)."""
    values: list = [None] * len(tape.ops)
    with np.errstate(all="ignore"):
        for v, op in enumerate(tape.ops):
            if op[0] == "const":
                values[v] = op[1]
            elif op[0] == "load":
                values[v] = arrays[op[1]][..., op[2]]
            elif op[0] in _UNARY:
                values[v] = _UNARY[op[0]](values[op[1]])
            else:
                values[v] = _BINARY[op[0]](values[op[1]], values[op[2]])
    shape = np.broadcast_shapes(*(np.shape(values[v]) for v in outputs))
    return np.stack([np.broadcast_to(values[v], shape) for v in outputs], axis=-1)


def prepare(program: Program, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Constants k and initial state y of lanes with `parameters` (..., n_parameters)."""
    both = run(program.prepare, {"p": np.asarray(parameters, float)}, program.constants + program.initial)
    shape = (*np.shape(parameters)[:-1], both.shape[-1])
    both = np.broadcast_to(both, shape)
    return both[..., : len(program.constants)], both[..., len(program.constants) :].copy()


def equations(program: Program, k: np.ndarray) -> tuple[Callable, Callable]:
    """Right-hand side f(t, y) and dense Jacobian j(t, y) of one lane with constants `k`."""
    n = program.n_states
    places = list(program.jacobian)
    rows, columns = (np.array([at[i] for at in places], dtype=int) for i in (0, 1))
    entries = [program.jacobian[at] for at in places]

    def f(_t: float, y: np.ndarray) -> np.ndarray:
        return run(program.rates, {"y": y, "k": k}, program.derivative)

    def j(_t: float, y: np.ndarray) -> np.ndarray:
        matrix = np.zeros((n, n))
        if entries:
            matrix[rows, columns] = run(program.rates, {"y": y, "k": k}, entries)
        return matrix

    return f, j
