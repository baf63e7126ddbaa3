"""What a target is compared with: one function a measure, from the bench protocols and from pSTAT5.

A measure is given a row of `targets.csv` as text and returns a number in the unit of the row. Bench measures
(binding, wash-out, uptake) use the receptor network alone; the rest, in `il2.cell.answers`, the response.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from il2.cell import answers, culture_measures
from il2.cell.answers import DOSES_nM, Row, counts_of, in_unit, times_of
from il2.cell.ec50 import ec50
from il2.engine.batch import parameter_rows
from il2.engine.solve import solve
from il2.receptor import protocols
from il2.receptor.membrane import SURFACE
from il2.receptor.model import dose

CHASE_min = np.linspace(0.0, 240.0, 241)
WASH_min = np.concatenate([[0.0], np.geomspace(1e-3, 240.0, 401)])
TURNOVER_min = np.concatenate([[0.0], np.geomspace(1e-1, 1e8, 2001)])  # until the slowest chain has halved


def _dose(row: Row) -> float:
    return float(row["dose_nM"])


def _chains(text: str) -> frozenset[str]:
    return frozenset(text.strip().split("+"))


def _only(counts: dict[str, float], chains: frozenset[str]) -> dict[str, float]:
    """A cell that carries only some of its chains."""
    return {chain: value if chain in chains else 0.0 for chain, value in counts.items()}


def _chase(row: Row, times: np.ndarray, trafficking: bool = True) -> protocols.Chase:
    return protocols.pulse_chase(row["ligand"], counts_of(row), _dose(row), times, trafficking)


def half_occupancy(row: Row) -> float:
    """Dose at which half of the largest number of a complex stands at binding equilibrium."""
    found = protocols.occupancy(row["ligand"], counts_of(row), DOSES_nM, _chains(row["chains"]))
    return in_unit(ec50(DOSES_nM, found), "nM", row)


def half_occupancy_fall(row: Row) -> float:
    """By which factor the half-occupancy dose falls at least from one count to the next of `a>b>c`."""
    chain, steps = row["counts"].split("=")
    found = [half_occupancy(row | {"counts": f"{chain}={step}", "unit": "nM"}) for step in steps.split(">")]
    return min(before / after for before, after in pairwise(found))


def most_bound(row: Row) -> float:
    """Largest number of ligands bound per cell at binding equilibrium over all doses."""
    return float(protocols.bound(row["ligand"], counts_of(row), DOSES_nM).max())


def _association(row: Row, chains: frozenset[str]) -> float:
    cell = _only(counts_of(row), chains)
    return protocols.association_rate(row["ligand"], cell, _dose(row), DOSES_nM, chains)


def association_rate(row: Row) -> float:
    """Effective association rate of the receptor made of some chains, on a cell that has only these."""
    return in_unit(_association(row, _chains(row["chains"])), "1/(nM*min)", row)


def association_ratio(row: Row) -> float:
    """Association rate of one receptor over that of another, `a+b+c / a+b`."""
    one, other = (_association(row, _chains(text)) for text in row["chains"].split("/"))
    return one / other


def _washout_min(row: Row, chains: frozenset[str]) -> float:
    counts = _only(counts_of(row), chains)
    left = protocols.pulse_chase(row["ligand"], counts, _dose(row), WASH_min, False).surface
    return protocols.half_time(WASH_min, left)


def washout_half_life(row: Row) -> float:
    """Half-life of bound ligand after a wash, without trafficking."""
    return in_unit(_washout_min(row, frozenset(counts_of(row))), "min", row)


def washout_rate(row: Row) -> float:
    """Rate (1/s) that gives the half-life of bound ligand after a wash, without trafficking."""
    return math.log(2) / (60 * protocols.half_time(CHASE_min, _chase(row, CHASE_min, trafficking=False).surface))


def washout_ratio(row: Row) -> float:
    """Dissociation rate from one receptor over that from another, `a+b+c / a+b`."""
    one, other = (_washout_min(row, _chains(text)) for text in row["chains"].split("/"))
    return other / one


def _phases(row: Row) -> protocols.Biphasic:
    return protocols.two_phases(WASH_min, _chase(row, WASH_min, trafficking=False).surface)


def washout_fast(row: Row) -> float:
    """Half-life of the fast one of two exponentials fitted to a wash-out without trafficking."""
    return in_unit(_phases(row).fast_min, "min", row)


def washout_slow(row: Row) -> float:
    """Half-life of the slow one of two exponentials fitted to a wash-out without trafficking."""
    return in_unit(_phases(row).slow_min, "min", row)


def _uptake(row: Row) -> float:
    return protocols.uptake_of_bound(row["ligand"], counts_of(row), _dose(row))


def uptake_half_life(row: Row) -> float:
    """Half-life of bound ligand by its first uptake alone."""
    return in_unit(math.log(2) / _uptake(row), "min", row)


def uptake_over_chain(row: Row) -> float:
    """Uptake of a bound ligand over that of the chain when nothing is bound to it."""
    return _uptake(row) / protocols.uptake_of_chain(row["ligand"], counts_of(row), row["chains"])


def uptake_over_ligand(row: Row) -> float:
    """Uptake of one bound ligand over that of another, `a;b` at doses `a;b`."""
    pairs = zip(row["ligand"].split(";"), row["dose_nM"].split(";"), strict=True)
    one, other = (_uptake(row | {"ligand": ligand, "dose_nM": dose_nM}) for ligand, dose_nM in pairs)
    return one / other


def inside_share(row: Row) -> float:
    """Percent of the ligand bound in the cold that is inside, or degraded, after a time at 37 C."""
    return 100 * float(_chase(row, times_of(row)).inside[0])


def degradation_half_life(row: Row) -> float:
    """Half-life (min) of ligand inside the cell, from its fall between two times after a pulse."""
    first, last = times_of(row)
    chase = _chase(row, np.array([first, last]))
    inside = chase.inside - chase.degraded
    return math.log(2) * (last - first) / math.log(inside[0] / inside[1])


def _chain_min(row: Row, chain: str) -> float:
    left = protocols.chain_left(row["ligand"], counts_of(row), chain, TURNOVER_min)
    return protocols.half_time(TURNOVER_min, left)


def chain_half_life(row: Row) -> float:
    """Half-life of a surface chain of an untreated cell after synthesis has stopped."""
    return in_unit(_chain_min(row, row["chains"]), "min", row)


def chain_half_life_ratio(row: Row) -> float:
    """Surface half-life of the first chain over the longest of the others, `a / b+c`."""
    one, others = row["chains"].split("/")
    return _chain_min(row, one.strip()) / max(_chain_min(row, chain) for chain in _chains(others))


def surface_share(row: Row) -> float:
    """Surface chain left, free and bound, after a time in ligand, relative to the start."""
    network, program = protocols.audited(row["ligand"])
    values = protocols.counted(counts_of(row)) | {dose(row["ligand"]): _dose(row)}
    y = solve(program, parameter_rows(network, values), np.concatenate([[0.0], times_of(row)])).y[0]
    chain, ending = row["chains"], "@" + SURFACE
    held = [chain in name.split("@")[0].split(".") and name.endswith(ending) for name in program.states]
    return float(y[1, held].sum() / y[0, held].sum())


def surface_share_ratio(row: Row) -> float:
    """Surface chain left on the cell over that left on the reference cell."""
    return surface_share(row) / surface_share(row | {"cells": row["reference_cell"]})


MEASURES: dict[str, Callable[[Row], float]] = {
    f.__name__: f
    for f in (
        half_occupancy, half_occupancy_fall, most_bound, association_rate, association_ratio, washout_half_life,
        washout_rate, washout_ratio, washout_fast, washout_slow, uptake_half_life, uptake_over_chain,
        uptake_over_ligand, inside_share, degradation_half_life, chain_half_life, chain_half_life_ratio,
        surface_share, surface_share_ratio, *answers.MEASURES, *culture_measures.MEASURES,
    )
}  # fmt: skip
