"""Measures of targets that are read from pSTAT5, and the counts that cells carry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from il2.cell.ec50 import ec50
from il2.cell.respond import DEFAULT_DOSES_nM, respond
from il2.cell.simulate import simulate
from il2.knowledge.cell import Count, cell
from il2.receptor.head import factor, head
from il2.receptor.model import dose, system
from il2.receptor.trafficking import count
from il2.units import quantity_in

Row = dict[str, str]
DOSES_nM = np.geomspace(1e-5, 1e5, 81)  # wide enough for every EC50 here
WEAKER = 2.0  # step of an affinity for the sign of its effect


def default_counts(name: str, base: str = "IL2") -> dict[str, float]:
    """Default counts of a cell, of the chains that a cytokine binds, as plain numbers."""
    return {chain: c.value for chain, c in cell(name).counts.items() if chain in head(base).chains}


def changes_of(row: Row) -> dict[str, float]:
    """Counts that replace those of the cell: `IL2RB=0; IL2RG=0`."""
    items = [item.split("=") for item in row["counts"].split(";") if item.strip()]
    return {chain.strip(): float(value) for chain, value in items}


def counts_of(row: Row) -> dict[str, float]:
    """Counts of the cell of a row, of every chain that it has, with those of the row put in."""
    return {chain: c.value for chain, c in cell(row["cells"]).counts.items()} | changes_of(row)


def times_of(row: Row) -> np.ndarray:
    return np.array([float(t) for t in row["time_min"].split(";")])


def in_unit(value: float, unit: str, row: Row) -> float:
    """A number in the unit of the row; NaN stays NaN."""
    return value * quantity_in(f"1 {unit}", row["unit"])


@cache
def ec50_nM(ligand: str, name: str, time_min: float, changes: tuple = (), added: str = "") -> float:
    """EC50 on the doses of the plate data, or on wider ones for a cell that they do not hold."""
    doses = DEFAULT_DOSES_nM if cell(name).in_default_run else tuple(DOSES_nM)
    cells = {name: default_counts(name) | dict(changes)} if changes else name
    data = respond(ligand, cells, doses, [time_min], added=added)
    return ec50(data.dose_nM.values, data.pstat5.values.squeeze())


def pstat5_ec50(row: Row) -> float:
    return in_unit(ec50_nM(row["ligand"], row["cells"], float(row["time_min"])), "nM", row)


def ec50_ratio(row: Row) -> float:
    """Smallest EC50 of the cells over that of the reference cell."""
    time = float(row["time_min"])
    least = min(ec50_nM(row["ligand"], name, time) for name in row["cells"].split(";"))
    return least / ec50_nM(row["ligand"], row["reference_cell"], time)


def late_ec50_ratio(row: Row) -> float:
    """EC50 at the later over that at the earlier time."""
    early, late = (ec50_nM(row["ligand"], row["cells"], time) for time in times_of(row))
    return late / early


def ec50_change(row: Row) -> float:
    """EC50 with the counts of the row over that with the counts of the cell, with the same additions."""
    what = row["ligand"], row["cells"], float(row["time_min"])
    return ec50_nM(*what, tuple(changes_of(row).items()), row["with"]) / ec50_nM(*what, (), row["with"])


def late_share(row: Row) -> float:
    """pSTAT5 at the later over that at the earlier time, at one dose."""
    data = respond(row["ligand"], row["cells"], [float(row["dose_nM"])], list(times_of(row)))
    early, late = data.pstat5.values.squeeze()
    return float(late / early)


def most_signal(row: Row) -> float:
    """Largest pSTAT5 over all doses at one time."""
    cells = {row["cells"]: default_counts(row["cells"]) | changes_of(row)}
    return float(respond(row["ligand"], cells, list(DOSES_nM), list(times_of(row))).pstat5.max())


def selectivity_change(row: Row) -> float:
    """pSTAT5 of the cell over that of the reference with a weaker interface, over the same of wild type."""
    return _selectivity(row, WEAKER) / _selectivity(row, 1.0)


def _selectivity(row: Row, weaker: float) -> float:
    ligand = row["ligand"]
    names = [row["cells"], row["reference_cell"]]
    lanes = {chain: np.array([default_counts(name)[chain] for name in names]) for chain in head(ligand).chains}
    values: dict[str, np.ndarray | float] = {count(chain): counts for chain, counts in lanes.items()}
    values |= {dose(ligand): float(row["dose_nM"]), factor(ligand, row["chains"]): weaker}
    one, other = simulate(system(ligand), values, times_of(row)).pstat5[:, 0]
    return float(one / other)


def kept_ratio(row: Row) -> float:
    """Share of the pSTAT5 of free IL-2 that is kept with the antibody: least of the cells over the reference cell."""
    shares = {name: _kept(row, name) for name in (*row["cells"].split(";"), row["reference_cell"])}
    reference = shares.pop(row["reference_cell"])
    return min(shares.values()) / reference


def _kept(row: Row, name: str) -> float:
    doses, times = [float(row["dose_nM"])], list(times_of(row))
    with_antibody = respond(row["ligand"], name, doses, times, added=row["with"]).pstat5
    return float(with_antibody.squeeze() / respond("IL2", name, doses, times).pstat5.squeeze())


def _used(row: Row) -> list[Count]:
    return [cell(name).counts[row["chains"]] for name in row["cells"].split(";")]


def count_used_least(row: Row) -> float:
    return min(used.value for used in _used(row))


def count_used_most(row: Row) -> float:
    return max(used.value for used in _used(row))


def count_spread_least(row: Row) -> float:
    """Highest over lowest count of the quantifications, for the cell where it is least."""
    return min(used.high / used.low for used in _used(row))


MEASURES: Sequence[Callable[[Row], float]] = (
    pstat5_ec50, ec50_ratio, late_ec50_ratio, ec50_change, late_share, most_signal, selectivity_change, kept_ratio,
    count_used_least, count_used_most, count_spread_least,
)  # fmt: skip
