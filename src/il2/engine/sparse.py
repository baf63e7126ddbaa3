"""Kernels of large programs: rates and Jacobian in short functions, factorisation and solves as loops over tables.

The pattern of L and U is computed once (`elimination.symbolic`) and stored as index tables in the module; the
numbers live in the array `lu`: L by rows, U by rows, reciprocal pivots, a working row, the entries of the matrix.
Rows are those of `order`. The elimination is that of the straight-line code, in another order of the sums.
"""

from __future__ import annotations

import numpy as np

from il2.engine import chunks, driver, kernel
from il2.engine.elimination import symbolic
from il2.engine.lanes import Layout
from il2.engine.loops import Loops, Pattern
from il2.network.program import Program
from il2.network.reverse import copied

LARGE = 50_000


def large(program: Program) -> bool:
    """Whether a program gets looped code: more than `LARGE` operations of rates, Jacobian and factorisation.

    Straight-line code is 1.2 to 2.5 times as fast up to there, and slower from some 150,000 operations on, but takes
    0.2 to 0.3 ms an operation to compile.
    """
    return operations(program) > LARGE


def operations(program: Program) -> int:
    """Operations of rates and Jacobian, and two for each product that the factorisation subtracts."""
    fill = sum(len(below) * len(right) for _, below, right in symbolic(program.n_states, set(program.jacobian)))
    return len(program.rates.ops) + 2 * fill


def pattern(program: Program) -> Pattern:
    """Symbolic factorisation of the program's step matrix."""
    n = program.n_states
    steps = symbolic(n, set(program.jacobian))
    rank = {p: r for r, (p, _, _) in enumerate(steps)}
    left: list[list[int]] = [[] for _ in range(n)]
    upper = []
    for r, (_, below, right) in enumerate(steps):
        for i in below:
            left[rank[i]].append(r)
        upper.append(sorted(right, key=rank.__getitem__))
    entries: list[list[tuple[int, int]]] = [[(p, p)] for p, _, _ in steps]
    for i, j in sorted(program.jacobian):
        if i != j:
            entries[rank[i]].append((i, j))
    return Pattern(
        np.array([p for p, _, _ in steps], dtype=np.int32),
        *_compressed(left),
        *_compressed(upper),
        np.cumsum([0, *map(len, entries)]).astype(np.int32),
        tuple(at for row in entries for at in row),
    )


def _compressed(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    return starts, np.array([c for row in rows for c in row], dtype=np.int32)


def modules(program: Program, width: int) -> tuple[str, str, str, Layout]:
    """IR text of the kernels, of their loops and of the driver (that of small programs), and the layout."""
    found = pattern(program)
    rates = copied(program.rates)
    added = tuple(rates.add(rates.load("x", i), v) for i, v in enumerate(program.derivative))
    d, matrix = rates.load("d", 0), []
    for i, j in found.entries:
        entry = program.jacobian.get((i, j))
        if i == j:
            matrix.append(d if entry is None else rates.sub(d, entry))
        elif entry is not None:
            matrix.append(rates.neg(entry))
    n_constants = len(program.constants)
    free = ("k", n_constants)
    pieces = [
        chunks.function("prepare", program.prepare, {"p": 1, "k": width, "y": width},
                        {"k": program.constants, "y": program.initial}, 1, free),
        chunks.function("rates", rates, dict.fromkeys("ykx", width), {"x": added}, width, free),
        chunks.function("matrix", rates, dict.fromkeys(("y", "k", "d", "a"), width), {"a": tuple(matrix)}, width, free),
    ]  # fmt: skip
    layout = Layout(
        program.n_states, n_constants + max(used for _, used in pieces), found.stored, len(program.parameters), width
    )
    loops = Loops(layout, found)
    loops.factor()
    loops.solve()
    printed = "\n".join([kernel.declarations({1, width}), *(text for text, _ in pieces)])
    return printed, str(loops.lanes.module), driver.build(layout, program.controlled), layout
