"""Parameter sets: a name and a hash for every number that a prediction rests on, and draws from their ranges."""

from __future__ import annotations

import hashlib
import math
from functools import cache

import numpy as np

from il2.knowledge.calibrated import NAME
from il2.knowledge.table import rows

CURRENT = NAME


@cache
def fingerprint() -> str:
    """Hash over every value that enters a prediction: quantities, affinities, counts, promoters, products, traits."""
    names = (
        "quantities", "affinities", "assay_references", "receptor_counts", "heads", "molecules", "partners", "cells",
        "calibrated", "promoters", "outputs", "output_inputs", "cell_traits", "species", "body_cells", "patients",
        "variation", "correlations", "drugs", "diseases", "outcomes",
    )  # fmt: skip
    text = repr([[sorted(row.items()) for row in rows(name)] for name in names])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def generator(seed: int, name: str) -> np.random.Generator:
    """A counter-based random stream keyed by (seed, name): the same bits on any number of threads."""
    stream = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.Philox(key=[seed, stream]))


def split_lognormal(value: float, low: float | None, high: float | None, z: np.ndarray) -> np.ndarray:
    """Draws whose median is `value` and whose 2.5 and 97.5 percentiles are `low` and `high` (z: standard normal).

    A value of 0 stays 0; a missing bound is the value itself.
    """
    if value <= 0:
        return np.full_like(z, value)
    below = math.log(value / low) / 1.96 if low and low < value else 0.0
    above = math.log(high / value) / 1.96 if high and high > value else 0.0
    return value * np.exp(np.where(z < 0, below, above) * np.clip(z, -1.96, 1.96))


def rows_drawn(seed: int, draws: int) -> np.ndarray:
    """Which draws (draws,) of the calibrated set a seed takes: the same for every number, which belong together."""
    return generator(seed, "calibrated").integers(0, 2**31, draws)
