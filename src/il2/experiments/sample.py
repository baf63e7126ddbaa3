"""Variants of the model as lanes of one batch: the default set, draws from the ranges, and one-at-a-time probes.

A draw is keyed by (seed, name), so that every experiment, and `respond`, draws the same value of the same
parameter. A probe moves one assumed parameter across its range and leaves the rest at the default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import cell
from il2.knowledge.parameters import generator, split_lognormal
from il2.knowledge.quantity import quantity
from il2.knowledge.table import number, rows
from il2.receptor.cytokine import constant, cytokine
from il2.signalling.response import response

LEVELS = 5  # values of a probe, from the low to the high end of the range, evenly spaced on a log scale


@dataclass(frozen=True)
class Range:
    """A parameter with its default, its range and its grade; `stream` names its random stream."""

    name: str
    value: float
    low: float
    high: float
    grade: str
    stream: str

    @property
    def probed(self) -> bool:
        return self.grade == "assumed" and 0 < self.low < self.high


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


def draw(ranges: Iterable[Range], draws: int, seed: int, probe: bool = True) -> Sample:
    """The sample of an experiment; without `probe` it holds the default set and the draws alone."""
    table = {r.name: r for r in ranges}
    probed = [r for r in table.values() if probe and r.probed]
    probes = tuple(r.name for r in probed for _ in range(LEVELS))
    values = {}
    for r in table.values():
        z = generator(seed, r.stream).standard_normal(draws)
        rest = np.full(len(probes), r.value)
        if r in probed:
            rest[[name == r.name for name in probes]] = np.geomspace(r.low, r.high, LEVELS)
        values[r.name] = np.concatenate([[r.value], split_lognormal(r.value, r.low, r.high, z), rest])
    return Sample(values, draws, probes)


def quantity_ranges(*names: str) -> tuple[Range, ...]:
    """Ranges of quantities by name; a missing bound is the value itself."""
    found = (quantity(name) for name in names)
    return tuple(_range(q.name, q.value, q.low, q.high, q.grade, q.name) for q in found)


def network_ranges(base: str) -> tuple[Range, ...]:
    """Ranges of the response network of a cytokine: its quantities and its dissociation constants."""
    names = {row["name"] for row in rows("quantities")}
    family = cytokine(base)
    affinities = tuple(
        _range(
            constant(family, frozenset(row["product"].split("+"))), float(row["kd"]), number(row["low"]),
            number(row["high"]), row["grade"], f"{base} {row['product']}",
        )
        for row in rows("affinities")
        if row["ligand"] == base
    )  # fmt: skip
    return (*quantity_ranges(*(n for n in response(base).parameter_names if n in names)), *affinities)


def count_name(kind: str, chain: str) -> str:
    """Name under which a sample holds the count of a chain on a cell type."""
    return f"{kind} {chain}"


def count_ranges(kind: str, base: str) -> tuple[Range, ...]:
    """Ranges of the counts (molecules per cell) of the chains that a cytokine binds."""
    counts, out = cell(kind).counts, []
    for chain in cytokine(base).chains:
        name = count_name(kind, chain)
        if chain not in counts:
            raise Il2Error(f"no count of {chain} on {kind} is known", how="Add a row to receptor_counts.csv.")
        count = counts[chain]
        out.append(_range(name, count.value, count.low, count.high, count.grade, name))
    return tuple(out)


def _range(name: str, value: float, low: float | None, high: float | None, grade: str, stream: str) -> Range:
    low, high = value if low is None else low, value if high is None else high
    return Range(name, value, min(low, value), max(high, value), grade, stream)
