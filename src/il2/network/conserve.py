"""Conservation laws: sums of species that no reaction changes."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import gcd, lcm

from il2.network.network import Network

Law = dict[str, int]


def conservation_laws(network: Network) -> list[Law]:
    """An integer basis of the left null space of the net stoichiometric matrix.

    Each law maps species to coefficients, in the order of the network's species; the sum of coefficient
    times species is constant. The elimination is exact. The basis is made readable: negative coefficients
    are avoided where the laws allow it, then coefficients are made small.
    """
    names = network.species_names
    index = {name: i for i, name in enumerate(names)}
    columns = {frozenset((index[name], n) for name, n in r.change.items()) for r in network.reactions}
    laws = _readable(_null_space([dict(c) for c in sorted(columns, key=sorted)], len(names)))
    laws.sort(key=lambda law: [i for i, n in enumerate(law) if n])
    return [{names[i]: n for i, n in enumerate(law) if n} for law in laws]


def law_text(law: Law) -> str:
    """The law as a sum, e.g. 'A + 2*AA - A_made'."""
    text = ""
    for name, n in sorted(law.items(), key=lambda item: item[1] < 0):
        sign = (" - " if n < 0 else " + ") if text else ("-" if n < 0 else "")
        text += sign + (name if abs(n) == 1 else f"{abs(n)}*{name}")
    return text or "0"


def _null_space(equations: list[dict[int, int]], size: int) -> list[list[int]]:
    """Integer solutions of sparse homogeneous equations, one for each free variable."""
    solved: dict[int, dict[int, Fraction]] = {}
    for equation in equations:
        row = {i: Fraction(n) for i, n in equation.items()}
        for pivot in [i for i in row if i in solved]:
            row = _subtract(row, solved[pivot], row[pivot])
        if not row:
            continue
        # The last species is eliminated, so that the first ones (free chains, ligands) stay free variables.
        pivot = max(row)
        row = {i: n / row[pivot] for i, n in row.items()}
        solved = {p: _subtract(r, row, r[pivot]) if pivot in r else r for p, r in solved.items()}
        solved[pivot] = row
    basis = []
    for free in (i for i in range(size) if i not in solved):
        vector = [Fraction(0)] * size
        vector[free] = Fraction(1)
        for pivot, row in solved.items():
            vector[pivot] = -row.get(free, Fraction(0))
        scale = lcm(*(v.denominator for v in vector))
        basis.append(_primitive([int(v * scale) for v in vector]))
    return basis


def _subtract(row: dict[int, Fraction], other: dict[int, Fraction], factor: Fraction) -> dict[int, Fraction]:
    out = {i: row.get(i, Fraction(0)) - factor * other.get(i, Fraction(0)) for i in row.keys() | other.keys()}
    return {i: n for i, n in out.items() if n}


def _primitive(vector: list[int]) -> list[int]:
    """Divided by the common divisor, and with the sign that leaves fewer negative coefficients."""
    divisor = gcd(*vector) or 1
    vector = [n // divisor for n in vector]
    return min(vector, [-n for n in vector], key=_burden)


def _burden(vector: list[int]) -> tuple[int, int]:
    """What makes a law hard to read: negative coefficients first, then large ones."""
    return sum(-n for n in vector if n < 0), sum(abs(n) for n in vector)


def _readable(basis: list[list[int]]) -> list[list[int]]:
    """Add and subtract laws pairwise as long as one becomes lighter; every step keeps the basis a basis."""
    improved = True
    while improved:
        improved = False
        for i, j in permutations(range(len(basis)), 2):
            for sign in (1, -1):
                changed = _primitive([a + sign * b for a, b in zip(basis[i], basis[j], strict=True)])
                if _burden(changed) < _burden(basis[i]):
                    basis[i], improved = changed, True
    return basis
