"""What a dye that halves at each division tells of a cohort, and how a dose series runs."""

from __future__ import annotations

import numpy as np

from il2.cell.cohort import named
from il2.cell.lanes import Courses
from il2.cell.population import GENERATIONS
from il2.experiments.lanes import ratio

DIVIDED = tuple(f"generation_{g}" for g in range(GENERATIONS + 1))
"""Readouts that `mean_divisions` and `precursors` need."""


def precursors(course: Courses, cohort: str) -> np.ndarray:
    """Cells of the start (variants, times) that live on, in themselves or in daughters: those of a generation g count
    one over 2^g each."""
    return _weighted(course, cohort, np.zeros(GENERATIONS + 1))[1]


def mean_divisions(course: Courses, cohort: str) -> np.ndarray:
    """Divisions (variants, times) per cell of the start that lives on."""
    return ratio(*_weighted(course, cohort, np.arange(GENERATIONS + 1.0)))


def _weighted(course: Courses, cohort: str, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    left = np.stack([course[named(cohort, name)] / 2.0**g for g, name in enumerate(DIVIDED)])
    return np.tensordot(weights, left, 1), left.sum(axis=0)


def largest_fall(curves: np.ndarray) -> np.ndarray:
    """Largest fall between neighbouring doses over the highest value, per curve (variants, doses); 0 where it rises."""
    falls: np.ndarray = np.maximum(-np.diff(curves, axis=-1).min(axis=-1), 0.0)
    return ratio(falls, curves.max(axis=-1))
