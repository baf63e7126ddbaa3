"""A fit problem with what must be known of its data to run it and to report it, whatever file it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from il2.fit.problem import Problem

LIN, LOG, LOG10 = "lin", "log", "log10"


@dataclass(frozen=True)
class Made:
    """A problem whose points have names. Arrays are (n,), a place a point, in the order of the file.

    source: name of the file. key: a hash of what was read. rows: of each block, the place of each of its points.
    labels: columns that name a point, by their heading. groups: what points are counted by, such as the cell.
    transformation, width: a value of a block is the measured one as `lin`, `log` or `log10` tells, over the width.
    constant: what makes the log likelihood that of the format, see `il2.formats.petab_read`.
    """

    problem: Problem
    source: str
    key: str
    rows: tuple[np.ndarray, ...]
    labels: Mapping[str, np.ndarray]
    groups: np.ndarray
    transformation: np.ndarray
    width: np.ndarray
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    constant: float = field(default=0.0, kw_only=True)

    def __len__(self) -> int:
        return self.problem.n_points

    @property
    def value(self) -> np.ndarray:
        """Values (n,) as the blocks have them."""
        return self.by_point([of.points.value for of in self.problem.blocks])

    @property
    def time(self) -> np.ndarray:
        """Times (n,) as the blocks have them."""
        return self.by_point([of.times_min[of.points.time] for of in self.problem.blocks])

    @property
    def shown(self) -> tuple[bool, ...]:
        """Which free numbers are what the fit is for; the others are named apart."""
        return (True,) * len(self.problem.free)

    @property
    def asked(self) -> dict[str, object]:
        """What a reader was asked and must not change between a stop and going on."""
        return {}

    def by_point(self, parts: list[np.ndarray]) -> np.ndarray:
        """Parts of the blocks as one array (n,)."""
        out = np.full(len(self), np.nan)
        for rows, part in zip(self.rows, parts, strict=True):
            out[rows] = part
        return out

    def measured(self, told: np.ndarray) -> np.ndarray:
        """What is measured where a block has values told (n,)."""
        return native(told, self.transformation, self.width)


def native(told: np.ndarray, transformation: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Values in the unit of the measurement of what a block says, arrays of one shape."""
    wide = told * width
    with np.errstate(over="ignore"):
        return np.where(
            transformation == LOG, np.exp(np.where(transformation == LOG, wide, 0.0)),
            np.where(transformation == LOG10, 10.0 ** np.where(transformation == LOG10, wide, 0.0), wide),
        )  # fmt: skip
