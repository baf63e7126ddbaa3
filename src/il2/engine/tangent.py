"""Forward derivatives of tapes by NumPy: what outputs do when the inputs move in given directions."""

from __future__ import annotations

import numpy as np

from il2.engine import evaluate
from il2.errors import ModelError
from il2.network.tape import Tape


def tangents(
    tape: Tape,
    arrays: dict[str, np.ndarray],
    directions: dict[str, np.ndarray],
    outputs: tuple[int, ...] | list[int],
) -> np.ndarray:
    """Derivatives (lanes, outputs, directions) of `outputs`.

    arrays: (lanes, elements); directions: (lanes, elements, directions) of the arrays that move.
    """
    values = [np.broadcast_to(v, _lanes(arrays)) for v in _values(tape, arrays)]
    moved: list[np.ndarray | None] = []

    def chain(v: int, factor: np.ndarray) -> np.ndarray | None:
        part = moved[v]
        return None if part is None else factor[:, None] * part

    with np.errstate(all="ignore"):
        for v, (op, *args) in enumerate(tape.ops):
            if op == "const" or (op == "load" and args[0] not in directions):
                moved.append(None)
            elif op == "load":
                moved.append(directions[args[0]][:, args[1]])
            else:
                x = [values[a] for a in args]
                partial = _partial(op, x, values[v])
                moved.append(_sum([chain(a, factor) for a, factor in zip(args, partial, strict=True)]))
    shape = (_lanes(arrays)[0], next(iter(directions.values())).shape[-1])
    parts = [moved[v] for v in outputs]
    return np.stack([np.zeros(shape) if part is None else part for part in parts], axis=1)


def _lanes(arrays: dict[str, np.ndarray]) -> tuple[int]:
    return (len(next(iter(arrays.values()))),)


def _values(tape: Tape, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    return list(evaluate.run(tape, arrays, list(range(len(tape.ops)))).T)


def _sum(parts: list[np.ndarray | None]) -> np.ndarray | None:
    held = [part for part in parts if part is not None]
    return sum(held[1:], held[0]) if held else None


def _partial(op: str, x: list[np.ndarray], value: np.ndarray) -> list[np.ndarray]:
    """Derivatives of one operation with respect to its operands."""
    one = np.ones_like(value)
    if op == "add":
        return [one, one]
    if op == "sub":
        return [one, -one]
    if op == "mul":
        return [x[1], x[0]]
    if op == "div":
        return [1 / x[1], -value / x[1]]
    if op == "neg":
        return [-one]
    if op == "exp":
        return [value]
    if op == "log":
        return [1 / x[0]]
    if op == "pow":
        return [x[1] * x[0] ** (x[1] - 1), 0 * one]  # exponents are constants
    raise ModelError(f"the operation {op!r} has no derivative")
