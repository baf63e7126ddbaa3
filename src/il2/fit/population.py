"""How the numbers of receptors differ between cells of one population.

Numbers of each chain are lognormal over cells, with the default count as their median. Spread and correlation come from
moments of the staining where a few extreme cells do not make them, else spreads are assumed and correlations nought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, qmc

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import keyed, measurements

CELLS = 64
MOST_SKEWNESS = 5.0  # of a staining whose variance is not made by a few extreme cells
MOST_CORRELATION = 0.9
VALUE = "spread"
ENDS = ("low", VALUE, "high")


@dataclass(frozen=True)
class Spread:
    """Standard deviations of the natural logarithm of the numbers of chains (k,) and correlations (k, k) over cells;
    which deviations are measured (k,)."""

    chains: tuple[str, ...]
    deviations: np.ndarray
    correlations: np.ndarray
    measured: np.ndarray


def spread(kind: str, chains: Sequence[str], end: str = VALUE) -> Spread:
    """How the numbers of chains differ between cells of a population.

    end: which of the assumed values stands in, `spread` or an end of their range, `low` or `high`. A chain whose spread
    no table knows is an Il2Error.
    """
    if end not in ENDS:
        raise Il2Error(f"unknown end {end!r} of assumed spreads", how=did_you_mean(end, ENDS))
    table = keyed("count_spreads", "receptor")
    measured = {chain: _deviation(kind, chain) for chain in chains}
    if unknown := [c for c, found in measured.items() if found is None and c not in table]:
        raise Il2Error(f"no spread of {unknown[0]} between cells is known", how="Add a row to count_spreads.csv.")
    deviations = [float(table[c][end]) if found is None else found for c, found in measured.items()]
    return Spread(tuple(chains), np.array(deviations), _correlations(kind, measured, deviations), _known(measured))


def _correlations(kind: str, measured: dict[str, float | None], deviations: list[float]) -> np.ndarray:
    """Of pairs that were stained together, at least one of them with a usable variance; else nought."""
    chains = list(measured)
    table = np.eye(len(chains))
    for i, first in enumerate(chains):
        for j, second in enumerate(chains[:i]):
            together = _covariance(kind, first, second)
            if together is not None and (measured[first] is not None or measured[second] is not None):
                share = together / (deviations[i] * deviations[j])
                table[i, j] = table[j, i] = np.clip(share, -MOST_CORRELATION, MOST_CORRELATION)
    return table


def _known(measured: dict[str, float | None]) -> np.ndarray:
    return np.array([found is not None for found in measured.values()])


def _deviation(kind: str, chain: str) -> float | None:
    """Of a lognormal with the variance over mean squared of the stainings; None where all are skewed by a few cells."""
    found = [_log_moment(row) for row in _moments(kind, chain, chain) if abs(float(row["skewness"])) <= MOST_SKEWNESS]
    return float(np.sqrt(np.median(found))) if found else None


def _covariance(kind: str, first: str, second: str) -> float | None:
    """Of the logarithms, as the median over stainings."""
    found = [_log_moment(row) for row in (*_moments(kind, first, second), *_moments(kind, second, first))]
    return float(np.median(found)) if found else None


def _log_moment(row: dict[str, str]) -> float:
    own, other, together = (float(row[name]) for name in ("mean_per_cell", "other_mean_per_cell", "covariance_count2"))
    return float(np.log1p(together / (own * other)))


def _moments(kind: str, chain: str, other: str) -> list[dict[str, str]]:
    return [
        row
        for row in measurements("receptor_moments")
        if (row["cell"], row["receptor"], row["other_receptor"]) == (kind, chain, other)
    ]


def factors(of: Spread, cells: int = CELLS) -> np.ndarray:
    """Numbers of chains in cells of a population over their medians (cells, k), spread evenly over the distribution.

    The same normal scores serve every population. cells: a power of two.
    """
    if cells < 2 or cells & (cells - 1):
        raise Il2Error(f"{cells} cells of a population", how="Give a power of two, such as 64.")
    even = qmc.Sobol(len(of.chains), scramble=False).random_base2(cells.bit_length() - 1) + 0.5 / cells
    return np.exp(norm.ppf(even) @ np.linalg.cholesky(of.correlations).T * of.deviations)
