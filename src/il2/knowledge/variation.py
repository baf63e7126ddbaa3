"""How people differ: standard deviations of lognormal parameters and the correlations between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity
from il2.knowledge.table import rows

TABLE = "correlations.csv"
Pair = tuple[str, str, float]


@dataclass(frozen=True)
class Variation:
    """What differs between people, as factors whose logarithms are normal with mean 0.

    names: (n,) of the parameters. varies: (n,) what each factor multiplies: a quantity, a value of a person, or a count
    as cell and chain. sd: (n,) of the natural logarithm. correlation: (n, n) of the logarithms, positive definite.
    """

    names: tuple[str, ...]
    varies: tuple[str, ...]
    sd: np.ndarray
    correlation: np.ndarray

    def only(self, names: Sequence[str]) -> Variation:
        """The same for some parameters, in the order asked for; an unknown one is an Il2Error."""
        at = [_place(name, self.names, "") for name in names]
        return Variation(tuple(names), tuple(self.varies[i] for i in at), self.sd[at], self.correlation[np.ix_(at, at)])


@cache
def variation() -> Variation:
    """Parameters of a virtual population, in the order of variation.csv."""
    table = rows("variation")
    names = tuple(row["parameter"] for row in table)
    sd = np.array([quantity(row["variation"]).value for row in table])
    pairs = [(row["parameter"], row["other"], float(row["correlation"])) for row in rows("correlations")]
    correlation = correlation_matrix(names, pairs)
    sd.flags.writeable = correlation.flags.writeable = False
    return Variation(names, tuple(row["varies"] for row in table), sd, correlation)


def correlation_matrix(names: Sequence[str], pairs: Sequence[Pair]) -> np.ndarray:
    """The matrix (n, n) of the correlations of pairs, 0 for a pair that is not named.

    An unknown name, a pair with itself or twice, a value outside -1 to 1, and pairs that cannot be together (the matrix
    is then not positive definite) are Il2Errors that name the pair; of the last, one of those at odds.
    """
    matrix = np.eye(len(names))
    seen: set[frozenset[str]] = set()
    for one, other, value in pairs:
        where = _where(one, other)
        i, j = _place(one, names, where), _place(other, names, where)
        if i == j:
            raise Il2Error("a parameter is paired with itself", where=where, how="Remove the row.")
        if frozenset((one, other)) in seen:
            raise Il2Error("the pair stands here twice", where=where, how="Remove one.")
        if not -1 < value < 1:
            raise Il2Error(f"{value} is no correlation", where=where, how="Give a number between -1 and 1.")
        seen.add(frozenset((one, other)))
        matrix[i, j] = matrix[j, i] = value
    if not _positive_definite(matrix):
        one, other, value = _furthest(names, pairs, _repaired(matrix) - matrix)
        raise Il2Error(
            f"a correlation of {value:g} cannot be",
            where=_where(one, other),
            why="with the others of these two the matrix is not positive definite",
            how="Bring these nearer to 0, or give the third side of a triangle of strong ones.",
        )
    return matrix


def _where(one: str, other: str) -> str:
    return f"{TABLE}: {one} and {other}"


def _furthest(names: Sequence[str], pairs: Sequence[Pair], change: np.ndarray) -> Pair:
    """The pair that would have to change most; of several alike the last."""
    at = {name: i for i, name in enumerate(names)}
    return max(reversed(pairs), key=lambda pair: round(abs(change[at[pair[0]], at[pair[1]]]), 9))


def _repaired(matrix: np.ndarray) -> np.ndarray:
    """A correlation matrix near to one that is none: negative eigenvalues set to 0, the diagonal brought back to 1."""
    values, vectors = np.linalg.eigh(matrix)
    near = (vectors * values.clip(min=0)) @ vectors.T
    scale = np.sqrt(np.diag(near))
    return near / np.outer(scale, scale)


def _place(name: str, names: Sequence[str], where: str) -> int:
    if name not in names:
        raise Il2Error(f"{name!r} does not vary between people", where=where, how=did_you_mean(name, names))
    return tuple(names).index(name)


def _positive_definite(matrix: np.ndarray) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True
