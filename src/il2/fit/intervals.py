"""How sharply data and priors fix the free numbers near a position: Fisher information and standard deviations."""

from __future__ import annotations

import math

import numpy as np

from il2.fit.free import NOISE, Free, bounds, logarithmic, native, spreads
from il2.fit.noise import of_location, of_width
from il2.fit.problem import Problem, variable


def data_information(problem: Problem, x: np.ndarray) -> np.ndarray:
    """Expected Fisher information (n, n) of the data at a position x (n,), on the scales; NaN where a lane failed.

    The information on location and on noise do not mix, since the laws are symmetric: the matrix is never indefinite.
    """
    found = problem.residuals(x)
    slopes = found.jacobian[: found.data]
    out = of_location(problem.degrees) * slopes.T @ slopes
    logs, values = logarithmic(problem.free), native(problem.free, x)
    for of in problem.blocks:
        measured = of.points.censored == 0
        for k in np.flatnonzero(variable(problem, (NOISE,))):
            own = measured & (of.points.noise == problem.free[k].name)
            relative = math.log(10) if logs[k] else 1 / values[k]
            out[k, k] += of_width(problem.degrees) * of.points.weight[own].sum() * relative**2
    return out


def prior_information(free: tuple[Free, ...]) -> np.ndarray:
    """Information (n, n) of the normal priors; none for an infinite spread."""
    return np.diag(1 / spreads(free) ** 2)


def prior_deviations(free: tuple[Free, ...]) -> np.ndarray:
    """Standard deviations (n,) on the scales before data: of the prior, or of a uniform law between the bounds."""
    low, high = bounds(free)
    return np.where(np.isfinite(spreads(free)), spreads(free), (high - low) / math.sqrt(12))


def covariance(problem: Problem, x: np.ndarray) -> np.ndarray:
    """Covariance (n, n) of the free numbers on the scales by the information of data and priors; bounds stand in for
    a prior that is missing, so that nothing is infinite."""
    return inverse(data_information(problem, x) + np.diag(prior_deviations(problem.free) ** -2.0))


def inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix (n, n), scaled first, since entries differ by many orders."""
    size = np.sqrt(np.diag(matrix))
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    return (vectors / np.maximum(values, 1e-12)) @ vectors.T / np.outer(size, size)


def inside(free: tuple[Free, ...], x: np.ndarray, margin: float = 1e-6) -> np.ndarray:
    """Positions moved off their bounds by a share of the range."""
    low, high = bounds(free)
    return np.clip(x, low + margin * (high - low), high - margin * (high - low))
