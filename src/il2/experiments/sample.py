"""Variants of the model as lanes of one batch: the default set, draws from the ranges, and one-at-a-time probes.

A draw is keyed by (seed, name), so that every experiment, and `respond`, draws the same value of the same
parameter. A probe moves one assumed parameter across its range and leaves the rest at the default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from il2.cell.spread import Range
from il2.errors import Il2Error, did_you_mean

LEVELS = 5  # values of a probe, from the low to the high end of the range, evenly spaced on a log scale


@dataclass(frozen=True)
class Sample:
    """Values (size,) by name. Lane 0 is the default set, then `draws` draws, then one lane per name in `probes`."""

    values: Mapping[str, np.ndarray]
    draws: int
    probes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return 1 + self.draws + len(self.probes)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.values:
            raise Il2Error(f"the experiment has no range for {name!r}", how=did_you_mean(name, self.values))
        return self.values[name]

    def changed(self, values: Mapping[str, np.ndarray | float]) -> Sample:
        """The same variants with some values replaced or added."""
        new = {name: np.broadcast_to(np.asarray(v, float), (self.size,)) for name, v in values.items()}
        return replace(self, values={**self.values, **new})

    def chosen(self, lanes: np.ndarray) -> Sample:
        """Chosen variants; the first takes the place of the default set, the others those of draws."""
        return Sample({name: value[lanes] for name, value in self.values.items()}, len(lanes) - 1)


def draw(ranges: Iterable[Range], draws: int, seed: int, probe: bool = True) -> Sample:
    """The sample of an experiment; without `probe` it holds the default set and the draws alone."""
    table = {r.name: r for r in ranges}
    probed = [r for r in table.values() if probe and r.probed]
    probes = tuple(r.name for r in probed for _ in range(LEVELS))
    values = {}
    for r in table.values():
        rest = np.full(len(probes), r.value)
        if r in probed:
            rest[[name == r.name for name in probes]] = np.geomspace(r.low, r.high, LEVELS)
        values[r.name] = np.concatenate([[r.value], r.drawn(draws, seed), rest])
    return Sample(values, draws, probes)
