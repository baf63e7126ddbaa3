"""Sparse LDU of D I - J with a static, fill-reducing order, written onto a tape.

L and U have unit diagonals, so that the triangular solves are chains of multiply-adds and the diagonal is one
independent multiplication a row.

Diagonal pivots are chosen by the Markowitz count on the pattern; there is no pivoting by size, so the
smallest pivot (relative to D) is reported and a lane where it is tiny is solved again with pivoting.
"""

from __future__ import annotations

from dataclasses import dataclass

from il2.network.program import Program
from il2.network.tape import Tape


@dataclass(frozen=True)
class Elimination:
    """`factor` loads y, k and ("d", 0); `entries` go to the array lu, `pivots` are the diagonal of U.

    `solve` loads lu and x and overwrites x with `solution`.
    """

    order: tuple[int, ...]
    factor: Tape
    entries: tuple[int, ...]
    least_pivot: int
    solve: Tape
    solution: tuple[int, ...]


def markowitz(n: int, pattern: set[tuple[int, int]]) -> tuple[int, ...]:
    """Order of diagonal pivots that keeps (row count - 1) * (column count - 1) smallest at each step."""
    rows = {i: {i} for i in range(n)}
    columns = {i: {i} for i in range(n)}
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)
    order: list[int] = []
    while rows:
        best = min(rows, key=lambda i: ((len(rows[i]) - 1) * (len(columns[i]) - 1), i))
        below, right = columns.pop(best) - {best}, rows.pop(best) - {best}
        for i in below:
            rows[i] |= right
            rows[i].discard(best)
        for j in right:
            columns[j] |= below
            columns[j].discard(best)
        order.append(best)
    return tuple(order)


def eliminate(program: Program) -> Elimination:
    """Write the factorisation and the triangular solves of `program`'s step matrix."""
    n = program.n_states
    order = markowitz(n, set(program.jacobian))
    tape = Tape(list(program.rates.ops), dict(program.rates.known))
    d = tape.load("d", 0)
    zero = tape.const(0.0)
    matrix = {at: tape.neg(v) for at, v in program.jacobian.items()}
    for i in range(n):
        matrix[i, i] = tape.sub(d, program.jacobian[i, i]) if (i, i) in program.jacobian else d

    rank = {p: r for r, p in enumerate(order)}
    reciprocal: dict[int, int] = {}
    for p in order:
        reciprocal[p] = tape.div(tape.const(1.0), matrix[p, p])
        below = [i for i in range(n) if rank[i] > rank[p] and (i, p) in matrix]
        right = [j for j in range(n) if rank[j] > rank[p] and (p, j) in matrix]
        for j in right:
            matrix[p, j] = tape.mul(matrix[p, j], reciprocal[p])
            for i in below:
                matrix[i, j] = tape.sub(matrix.get((i, j), zero), tape.mul(matrix[i, p], matrix[p, j]))
        for i in below:
            matrix[i, p] = tape.mul(matrix[i, p], reciprocal[p])

    entries: list[int] = []
    solve = Tape()
    x = {i: solve.load("x", i) for i in range(n)}
    ready = dict.fromkeys(range(n), 0)

    def stored(value: int) -> int:
        entries.append(value)
        return solve.load("lu", len(entries) - 1)

    def subtract(p: int, columns: list[int]) -> None:
        """x[p] minus the products of a row; what is known first comes first, which shortens the chain."""
        for j in sorted(columns, key=ready.__getitem__):
            x[p] = solve.sub(x[p], solve.mul(stored(matrix[p, j]), x[j]))
            ready[p] = max(ready[p], ready[j]) + 1

    for p in order:
        subtract(p, [j for j in order[: rank[p]] if (p, j) in matrix])
    for p in order:
        x[p] = solve.mul(x[p], stored(reciprocal[p]))
        ready[p] += 1
    for p in reversed(order):
        subtract(p, [j for j in order[rank[p] + 1 :] if (p, j) in matrix])

    least = tape.emit("abs", matrix[order[0], order[0]])
    for p in order[1:]:
        least = tape.emit("min", least, tape.emit("abs", matrix[p, p]))
    return Elimination(
        order=order,
        factor=tape,
        entries=tuple(entries),
        least_pivot=tape.div(least, d),
        solve=solve,
        solution=tuple(x[i] for i in range(n)),
    )
