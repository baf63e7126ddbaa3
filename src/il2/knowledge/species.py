"""Species: the values that replace those of the default set, only where evidence of the species is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import CHAINS, cells
from il2.knowledge.quantity import quantities
from il2.knowledge.table import listed, number, rows

SPECIES = ("human", "mouse")
COUNT_UNIT = "molecule/cell"


@dataclass(frozen=True)
class SpeciesValue:
    """A quantity, or a count `CELL CHAIN`, of one species: value and range in `unit`, who says so, how well known."""

    name: str
    value: float
    unit: str
    low: float | None
    high: float | None
    grade: str
    sources: tuple[str, ...]
    note: str


@cache
def species_values(species: str) -> dict[str, SpeciesValue]:
    """Values by name that stand before those of the default set; human is the default set, so none.

    species: one of `SPECIES`; another is an Il2Error that suggests the nearest. A row of species.csv that names no
    quantity and no count, or has another unit than what it replaces, is an Il2Error too.
    """
    if species not in SPECIES:
        raise Il2Error(f"unknown species {species!r}", how=did_you_mean(species, SPECIES))
    return {row["name"]: _value(row) for row in rows("species") if row["species"] == species}


def _value(row: dict[str, str]) -> SpeciesValue:
    name, unit = row["name"], row["unit"]
    if (expected := _unit(name)) != unit:
        where, how = f"species.csv: {name}", f"Give it in {expected}."
        raise Il2Error(f"the unit is {unit!r}", where=where, how=how)
    low, high = number(row["low"]), number(row["high"])
    return SpeciesValue(name, float(row["value"]), unit, low, high, row["grade"], listed(row["sources"]), row["note"])


def _unit(name: str) -> str:
    """Unit of the number that a row replaces."""
    if name in quantities():
        return quantities()[name].unit
    kind, _, chain = name.rpartition(" ")
    if kind in cells() and chain in CHAINS:
        return COUNT_UNIT
    known = (*quantities(), *(f"{kind} {chain}" for kind in cells() for chain in CHAINS))
    what = f"{name!r} is neither a quantity nor a count"
    raise Il2Error(what, where="species.csv", how=did_you_mean(name, known))
