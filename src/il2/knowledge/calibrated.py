"""The calibrated parameter set: values that the joint fit chose, with draws from what it leaves open.

A value here stands before that of the table it belongs to, which stays as it was and is the older set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.knowledge.table import listed, rows

NAME, EARLIER = "2026.2", "2026.1"


@dataclass(frozen=True)
class Calibrated:
    """A calibrated number: value at the optimum, 95 % interval of the draws, widened
    where the optimum lies outside it, and draws (n,), in `unit`. The draws of all numbers
    belong together, row by row."""

    name: str
    unit: str
    value: float
    low: float
    high: float
    draws: np.ndarray


@cache
def calibrated() -> dict[str, Calibrated]:
    """All calibrated numbers by name: parameters of networks, counts `CELL CHAIN`, errors `LIGAND INTERFACE`."""
    return {
        row["name"]: Calibrated(
            row["name"], row["unit"], float(row["value"]), float(row["low"]), float(row["high"]),
            np.array([float(item) for item in listed(row["draws"])]),
        )
        for row in rows("calibrated")
    }  # fmt: skip


def chosen(name: str, otherwise: float) -> float:
    """The calibrated value of a number, or the one that its own table holds."""
    found = calibrated().get(name)
    return found.value if found else otherwise


def drawn(name: str, value: float, index: np.ndarray) -> np.ndarray | None:
    """Draws of a number at the rows `index`, or None where it is not calibrated or not at its calibrated `value`."""
    found = calibrated().get(name)
    if not found or not len(found.draws) or value != found.value:
        return None
    taken: np.ndarray = found.draws[index % len(found.draws)]
    return taken
