"""Free numbers: what a fit may change, on which scale, within which bounds, and what was known of it before."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from il2.errors import Il2Error

SCALES = ("log10", "lin")
DYNAMIC, OBSERVATION, NOISE = "dynamic", "observation", "noise"


@dataclass(frozen=True)
class Free:
    """One estimated number.

    scale: `log10` or `lin`, the scale on which it is searched and on which the prior is normal. low, high: bounds in
    `unit`. centre: prior median in `unit`; spread: standard deviation of the prior on the scale, infinite for none.
    kind: `dynamic` (in the network), `observation` (scale or background of a read-out) or `noise`.
    """

    name: str
    unit: str
    low: float
    high: float
    centre: float
    spread: float = math.inf
    scale: str = "log10"
    kind: str = DYNAMIC
    note: str = ""

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise Il2Error(f"unknown scale {self.scale!r}", where=self.name, how=f"Give one of {', '.join(SCALES)}.")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise Il2Error(f"bounds {self.low:g} to {self.high:g}", where=self.name, how="Give finite, rising bounds.")
        if self.scale == "log10" and self.low <= 0:
            raise Il2Error(f"a log scale from {self.low:g}", where=self.name, how="Give a lower bound above zero.")
        if not self.low <= self.centre <= self.high:
            where = f"{self.low:g} to {self.high:g}"
            raise Il2Error(f"{self.centre:g} lies outside {where}", where=self.name, how="Widen the bounds.")
        if not self.spread > 0:
            raise Il2Error(f"the spread is {self.spread:g}", where=self.name, how="Give a number above zero.")

    def to_scale(self, value: float) -> float:
        return math.log10(value) if self.scale == "log10" else value


def centres(free: tuple[Free, ...]) -> np.ndarray:
    """Prior medians on the scale (n,)."""
    return np.array([f.to_scale(f.centre) for f in free])


def bounds(free: tuple[Free, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Bounds on the scale, each (n,)."""
    return np.array([f.to_scale(f.low) for f in free]), np.array([f.to_scale(f.high) for f in free])


def spreads(free: tuple[Free, ...]) -> np.ndarray:
    return np.array([f.spread for f in free])


def native(free: tuple[Free, ...], x: np.ndarray) -> np.ndarray:
    """Values in their units (n,) of positions on the scales."""
    logs = logarithmic(free)
    return np.where(logs, 10.0 ** np.where(logs, x, 0.0), x)


def slopes(free: tuple[Free, ...], x: np.ndarray) -> np.ndarray:
    """Derivatives of the values by the positions on the scales (n,)."""
    return np.where(logarithmic(free), math.log(10) * native(free, x), 1.0)


def logarithmic(free: tuple[Free, ...]) -> np.ndarray:
    return np.array([f.scale == "log10" for f in free], dtype=bool)
