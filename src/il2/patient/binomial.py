"""Shares of responders: exact intervals, intervals of differences, and a logistic curve over exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtri
from scipy.stats import t as student

from il2.errors import Il2Error

LEVEL = 95.0  # percent
ROUNDS, CLOSE = 50, 1e-10
LARGEST_LOGIT = 30.0  # beyond it, exposure parts responders from others


@dataclass(frozen=True)
class Logistic:
    """Share = 1 / (1 + exp(-(intercept + slope ln exposure))); its covariance (2, 2). Of no use where all respond, none
    does, or exposure parts them: all NaN."""

    intercept: float
    slope: float
    covariance: np.ndarray

    def of(self, exposure: np.ndarray) -> np.ndarray:
        """Share (n,) at an exposure (n,) above 0."""
        return 1 / (1 + np.exp(-(self.intercept + self.slope * np.log(exposure))))

    def odds_per_doubling(self, level: float = LEVEL) -> tuple[float, float, float]:
        """Odds ratio of a doubled exposure, and its interval."""
        z, error = quantile(level), float(np.sqrt(self.covariance[1, 1]))
        low, middle, high = (2.0 ** (self.slope + k * z * error) for k in (-1, 0, 1))
        return float(middle), float(low), float(high)


def percent(value: float, where: str) -> float:
    """A percentage between 0 and 100, neither included; Il2Error for another."""
    if not 0 < value < 100:
        raise Il2Error(f"{value:g} % is no percentage between 0 and 100", where=where, how="Give one in between.")
    return float(value)


def quantile(level: float) -> float:
    """Normal quantile of a two-sided interval of this level (%)."""
    return float(ndtri(0.5 + percent(level, "level") / 200))


def exact(met: int, number: int, level: float = LEVEL) -> tuple[float, float]:
    """The interval of Clopper and Pearson of a share; (0, 1) without anyone.

    Source: Clopper and Pearson 1934, Biometrika 26, 404.
    """
    if not 0 <= met <= number:
        raise Il2Error(f"{met} of {number} cannot be", where="exact interval")
    tail = (1 - percent(level, "level") / 100) / 2
    low = 0.0 if met == 0 else float(betaincinv(met, number - met + 1, tail))
    high = 1.0 if met == number else float(betaincinv(met + 1, number - met, 1 - tail))
    return low, high


def difference(met: tuple[int, int], number: tuple[int, int], level: float = LEVEL) -> tuple[float, float, float]:
    """Share of the second group less that of the first, with the interval of Newcombe's hybrid score.

    Source: Newcombe 1998, Statistics in Medicine 17, 873, method 10.
    """
    (l1, u1), (l2, u2) = (wilson(m, n, level) for m, n in zip(met, number, strict=True))
    p1, p2 = (m / n for m, n in zip(met, number, strict=True))
    d = p2 - p1
    low = d - float(np.hypot(p2 - l2, u1 - p1))
    high = d + float(np.hypot(u2 - p2, p1 - l1))
    return d, low, high


def wilson(met: int, number: int, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of a share."""
    z2, p = quantile(level) ** 2, met / number
    centre = (p + z2 / (2 * number)) / (1 + z2 / number)
    half = np.sqrt(z2 * (p * (1 - p) / number + z2 / (4 * number**2))) / (1 + z2 / number)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def mean_difference(
    one: np.ndarray, other: np.ndarray, paired: bool, level: float = LEVEL
) -> tuple[float, float, float]:
    """Mean of `other` less that of `one` with an interval by Student's t: of the differences where the same people are
    in both, else by Welch."""
    tail = 0.5 + percent(level, "level") / 200
    if paired:
        d = other - one
        error, freedom = d.std(ddof=1) / np.sqrt(len(d)), len(d) - 1.0
    else:
        parts = [x.var(ddof=1) / len(x) for x in (one, other)]
        error = np.sqrt(sum(parts))
        below = sum(p**2 / (len(x) - 1) for p, x in zip(parts, (one, other), strict=True))
        freedom = sum(parts) ** 2 / below if below > 0 else 1.0
    middle, half = float(other.mean() - one.mean()), float(student.ppf(tail, freedom) * error)
    return middle, middle - half, middle + half


def logistic(exposure: np.ndarray, met: np.ndarray) -> Logistic:
    """The curve of the largest likelihood through responders `met` (n,) over exposure (n,) above 0, by Newton steps."""
    none = Logistic(np.nan, np.nan, np.full((2, 2), np.nan))
    x, y = np.log(exposure), met.astype(float)
    spread = float(x.std())
    if len(x) < 3 or y.min() == y.max() or spread == 0:
        return none
    centre = float(x.mean())
    design = np.stack([np.ones_like(x), (x - centre) / spread], axis=1)
    beta = np.zeros(2)
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * (p * (1 - p))[:, None])
        if np.linalg.cond(information) > 1 / CLOSE:
            return none
        step = np.linalg.solve(information, design.T @ (y - p))
        beta = beta + step
        if np.abs(beta).max() > LARGEST_LOGIT:
            return none
        if np.abs(step).max() < CLOSE:
            break
    back = np.array([[1.0, -centre / spread], [0.0, 1 / spread]])
    intercept, slope = back @ beta
    return Logistic(float(intercept), float(slope), back @ np.linalg.inv(information) @ back.T)
