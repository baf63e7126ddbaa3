"""Which numbers of a network may be estimated from wells, what was known of them before, and what a user chooses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.cell.spread import Range, count_name, factor_draws, network_ranges
from il2.errors import Il2Error, did_you_mean
from il2.fit.free import Free
from il2.fit.wells import Wells
from il2.knowledge.cell import CHAINS, cell, cells, is_cell
from il2.knowledge.source import ASSUMED
from il2.receptor.affinity import all_factors
from il2.receptor.ligand import Ligand
from il2.receptor.model import System
from il2.signalling.response import response_of

NORMAL_95 = 3.92  # standard deviations of a normal between its 2.5th and 97.5th percentiles
LEAST_WIDTH = 3.0  # bounds lie at least by this factor beyond the range
UNKNOWN_DECADES = 3.0  # to either side of wild type, for an affinity of which nothing is known
SHARES = "sorting_"  # quantities that are shares of a flow
DRAWS = 4000  # for the spread of an affinity factor by its reference
ALL, DEFAULT, COUNTS, FACTORS = "all", "default", "counts", "factors"
GROUPS = (ALL, DEFAULT, COUNTS, FACTORS)


@dataclass(frozen=True)
class Candidate:
    """A number that may be free. group: `counts`, `factors` or `network`; default: whether it is free unless held."""

    free: Free
    group: str
    default: bool


@dataclass(frozen=True)
class Choice:
    """Numbers that are estimated, and those that are held at another value than their default."""

    free: tuple[Free, ...]
    held: dict[str, float]


def prior(of: Range, unit: str, note: str = "") -> Free:
    """A log-normal prior whose median is the value and whose spread is that of the range, in wider bounds."""
    width = math.log10(of.high / of.low)
    beyond = max(10 ** (width / 2), LEAST_WIDTH)
    high = min(of.high * beyond, 0.999) if of.name.startswith(SHARES) else of.high * beyond
    return Free(of.name, unit, of.low / beyond, high, of.value, width / NORMAL_95, note=note)


@cache
def typical_width(chain: str) -> float:
    """Decades between the ends of the range of a chain's count: the median over cells where it was measured, or else
    over all where it is known."""
    every = [c.counts[chain] for c in cells().values() if chain in c.counts]
    known = [k for k in every if k.grade != ASSUMED] or every
    found = [math.log10(k.high / k.low) for k in known if 0 < k.low < k.high]
    return float(np.median(found)) if found else 2 * math.log10(LEAST_WIDTH)


def count_candidates(wells: Wells, used: Mapping[str, set[str]]) -> Iterable[Candidate]:
    """Counts of the chains that each cell uses; a chain of which the cell has none stays at none."""
    for kind, chains in used.items():
        here = wells.cell == kind
        for chain in (c for c in CHAINS if c in chains):
            values = wells.counts[chain][here]
            values = values[np.isfinite(values) & (values > 0)]
            if not len(values):
                continue
            value, name = float(values[0]), count_name(kind, chain)
            known = cell(kind).counts.get(chain) if is_cell(kind) else None
            if known and not (wells.given[chain] & here).any() and known.low < known.high:
                found, note = Range(name, value, known.low, known.high, known.grade, name), "range over quantifications"
            else:
                half = 10 ** (typical_width(chain) / 2)
                found = Range(name, value, value / half, value * half, "user", name)
                note = "given; as uncertain as counts of this chain are"
            yield Candidate(prior(found, "molecule/cell", note), COUNTS, True)


def ligand_names(wells: Wells) -> dict[tuple[str, int], str]:
    """A name for each ligand and description, numbered where one name stands for several."""
    keys = list(dict.fromkeys(zip(wells.ligand.tolist(), wells.which.tolist(), strict=True)))
    every = [label for label, _ in keys]
    rank = {key: [k for k in keys if k[0] == key[0]].index(key) + 1 for key in keys}
    return {k: k[0] if every.count(k[0]) == 1 else f"{k[0]} {rank[k]}" for k in keys}


def factor_name(ligand: str, chain: str) -> str:
    return f"{ligand} {chain} factor"


def factor_candidates(wells: Wells) -> Iterable[Candidate]:
    """Affinity factors of ligands that are not wild type: within their assay's uncertainty, or from nothing."""
    for (label, which), name in ligand_names(wells).items():
        given = wells.kinds[which]
        unknown = bool(wells.unknown[(wells.ligand == label) & (wells.which == which)].any())
        measured = {i.removesuffix("G") if i == "IL2RBG" else i for i, _ in given.kds}
        deviations = _deviations(given)
        for chain, value in all_factors(given)[0].items():
            spread = deviations.get(chain, 0.0)
            if unknown:
                low, high = value / 10**UNKNOWN_DECADES, value * 10**UNKNOWN_DECADES
                own = Free(factor_name(name, chain), "dimensionless", low, high, value, note="affinity not known")
                yield Candidate(own, FACTORS, chain != "IL2RG")
            elif given.kds:
                wide = spread or _widest(deviations)
                span = max(10 ** (NORMAL_95 * wide), LEAST_WIDTH)
                note = "KD over wild type in its assay" if chain in measured else "KD not given, so wild type"
                own = Free(
                    factor_name(name, chain), "dimensionless", value / span, value * span, value, wide, note=note
                )
                yield Candidate(own, FACTORS, bool(spread))


def _deviations(given: Ligand) -> dict[str, float]:
    """Standard deviations (decades) of the factors of the first heads, from what they are compared with."""
    drawn = factor_draws(given, DRAWS, 0)[0]
    return {c: round(float(np.log10(v).std()), 4) for c, v in drawn.items() if np.ptp(v) > 0}


def _widest(deviations: Mapping[str, float]) -> float:
    return max(deviations.values(), default=math.log10(LEAST_WIDTH))


def network_candidates(systems: Iterable[System]) -> Iterable[Candidate]:
    """Quantities and dissociation constants of the networks that have a range; the half-activation is the default."""
    seen = set()
    for of in systems:
        network = response_of(of)
        units = {p.name: p.unit for p in network.parameters}
        halves = {site.half_activation for m in of.molecules for site in m.sites}
        for found in network_ranges(of):
            if found.name not in seen and 0 < found.low < found.high:
                seen.add(found.name)
                yield Candidate(
                    prior(found, units[found.name], f"range of the literature, grade {found.grade}"),
                    "network",
                    found.name in halves,
                )


def chosen(
    candidates: Iterable[Candidate], free: Iterable[str], fix: Iterable[str], defaults: Mapping[str, float]
) -> Choice:
    """The Choice of a user. free: names or groups to add to the default; fix: `NAME`, `GROUP` or `NAME=value` to hold.

    defaults: values of everything that can be held. Raises Il2Error for an unknown name or a bad value.
    """
    every = {c.free.name: c for c in candidates}
    wanted = {name for name, c in every.items() if c.default}
    for name in free:
        wanted |= _named(name, every, "--free")
    held: dict[str, float] = {}
    for text in fix:
        name, equals, value = (part.strip() for part in (text.rpartition("=") if "=" in text else (text, "", "")))
        if equals:
            if name not in every and name not in defaults:
                raise Il2Error(f"unknown number {name!r}", where="--fix", how=did_you_mean(name, [*every, *defaults]))
            held[name] = _positive(value, name)
            wanted.discard(name)
        else:
            wanted -= _named(name, every, "--fix")
    numbers = tuple(c.free for c in every.values() if c.free.name in wanted)
    return Choice(numbers, held)


def _named(name: str, every: Mapping[str, Candidate], where: str) -> set[str]:
    if name == ALL:
        return set(every)
    if name in GROUPS:
        return {n for n, c in every.items() if (c.default if name == DEFAULT else c.group == name)}
    if name not in every:
        raise Il2Error(f"unknown number {name!r}", where=where, how=did_you_mean(name, [*GROUPS, *every]))
    return {name}


def _positive(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise Il2Error(f"{name}={text} is no number", where="--fix", how="Give a finite number above zero.")
    return value
