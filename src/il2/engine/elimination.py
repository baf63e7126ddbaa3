"""Sparse LDU of D I - J with a static, fill-reducing order, written onto a tape.

L and U have unit diagonals, so that the triangular solves are chains of multiply-adds and the diagonal is one
independent multiplication a row.

Diagonal pivots are chosen by the Markowitz count on the pattern; there is no pivoting by size, so the
smallest pivot (relative to D) is reported and a lane where it is tiny is solved again with pivoting.
"""

from __future__ import annotations

from dataclasses import dataclass

from il2.network.program import Program
from il2.network.reverse import copied
from il2.network.tape import Tape


@dataclass(frozen=True)
class Elimination:
    """`factor` loads y, k and ("d", 0); `entries` go to the array lu, `pivots` are the diagonal of U.

    `solve` loads lu and x and overwrites x with `solution`. places: index in lu of an entry of L, D or U.
    """

    order: tuple[int, ...]
    factor: Tape
    entries: tuple[int, ...]
    least_pivot: int
    solve: Tape
    solution: tuple[int, ...]
    places: dict[tuple[int, int], int]


def symbolic(n: int, pattern: set[tuple[int, int]]) -> list[tuple[int, set[int], set[int]]]:
    """Pivots in an order that keeps (row count - 1) * (column count - 1) smallest, with the fill that they cause.

    Per step: the pivot, the rows below it and the columns right of it that hold an entry.
    """
    rows = {i: {i} for i in range(n)}
    columns = {i: {i} for i in range(n)}
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)
    steps: list[tuple[int, set[int], set[int]]] = []
    while rows:
        left = len(rows) - 1
        best, least = min(
            ((i, (len(row) - 1) * (len(columns[i]) - 1)) for i, row in rows.items()), key=lambda pair: pair[::-1]
        )
        if least == left * left:  # what is left is full
            rest = sorted(rows)
            return steps + [(p, set(rest[r + 1 :]), set(rest[r + 1 :])) for r, p in enumerate(rest)]
        below, right = columns.pop(best) - {best}, rows.pop(best) - {best}
        for i in below:
            rows[i] |= right
            rows[i].discard(best)
        for j in right:
            columns[j] |= below
            columns[j].discard(best)
        steps.append((best, below, right))
    return steps


def markowitz(n: int, pattern: set[tuple[int, int]]) -> tuple[int, ...]:
    """Order of diagonal pivots that keeps (row count - 1) * (column count - 1) smallest at each step."""
    return tuple(pivot for pivot, _, _ in symbolic(n, pattern))


def eliminate(program: Program) -> Elimination:
    """Write the factorisation and the triangular solves of `program`'s step matrix."""
    n = program.n_states
    order = markowitz(n, set(program.jacobian))
    tape = copied(program.rates)
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
    places: dict[tuple[int, int], int] = {}
    solve = Tape()
    x = {i: solve.load("x", i) for i in range(n)}
    ready = dict.fromkeys(range(n), 0)

    def stored(at: tuple[int, int], value: int) -> int:
        places[at] = len(entries)
        entries.append(value)
        return solve.load("lu", places[at])

    def subtract(p: int, columns: list[int]) -> None:
        """x[p] minus the products of a row; what is known first comes first, which shortens the chain."""
        for j in sorted(columns, key=ready.__getitem__):
            x[p] = solve.sub(x[p], solve.mul(stored((p, j), matrix[p, j]), x[j]))
            ready[p] = max(ready[p], ready[j]) + 1

    for p in order:
        subtract(p, [j for j in order[: rank[p]] if (p, j) in matrix])
    for p in order:
        x[p] = solve.mul(x[p], stored((p, p), reciprocal[p]))
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
        places=places,
    )


def transposed(elimination: Elimination) -> tuple[Tape, tuple[int, ...]]:
    """The solve with the transposed matrix: a tape that loads lu and x, and what overwrites x."""
    order, places = elimination.order, elimination.places
    rank = {p: r for r, p in enumerate(order)}
    tape = Tape()
    x = {i: tape.load("x", i) for i in order}

    def subtract(p: int, before: list[int]) -> None:
        for j in before:
            x[p] = tape.sub(x[p], tape.mul(tape.load("lu", places[j, p]), x[j]))

    column: dict[int, list[int]] = {p: [] for p in order}
    for i, p in places:
        if i != p:
            column[p].append(i)
    for p in order:
        subtract(p, sorted((j for j in column[p] if rank[j] < rank[p]), key=rank.__getitem__))
    for p in order:
        x[p] = tape.mul(x[p], tape.load("lu", places[p, p]))
    for p in reversed(order):
        subtract(p, sorted((j for j in column[p] if rank[j] > rank[p]), key=rank.__getitem__, reverse=True))
    return tape, tuple(x[i] for i in range(len(order)))
