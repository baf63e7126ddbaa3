"""Laws of the noise: Student's t with some degrees of freedom, normal for infinitely many."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy import stats

DEGREES = 4.0


@cache
def law(degrees: float):
    """The law of noise in units of itself, as SciPy has it."""
    return stats.norm() if math.isinf(degrees) else stats.t(degrees)


def log_density(z: np.ndarray, censored: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Log density of residuals in units of the noise, or log probability beyond a bound, and derivatives by z.

    z is expected minus measured; a point at or below its value (-1) has the probability that the noise is below -z.
    """
    own = law(degrees)
    density, by_z = own.logpdf(z), -z * trust(z, degrees)
    for side in (-1, 1):
        here = censored == side
        if here.any():
            tail = own.logcdf(side * z[here])
            density[here] = tail
            by_z[here] = side * np.exp(own.logpdf(z[here]) - tail)
    return density, by_z


def trust(z: np.ndarray, degrees: float) -> np.ndarray:
    """Weights of squared residuals that give least squares the slope of the log density; 1 for normal noise."""
    return np.ones_like(z) if math.isinf(degrees) else (degrees + 1) / (degrees + z**2)


def drawn(random: np.random.Generator, degrees: float, size: int) -> np.ndarray:
    """Noise (size,) in units of itself."""
    return random.standard_normal(size) if math.isinf(degrees) else random.standard_t(degrees, size)


def of_location(degrees: float) -> float:
    """Fisher information of a point on its expected value, in units of the noise."""
    return 1.0 if math.isinf(degrees) else (degrees + 1) / (degrees + 3)


def of_width(degrees: float) -> float:
    """Fisher information of a point on the logarithm of the noise."""
    return 2.0 if math.isinf(degrees) else 2 * degrees / (degrees + 3)
