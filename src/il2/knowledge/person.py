"""Persons by name: a healthy adult, and what is otherwise in a patient or where a gene is lost.

A person has the values `weight_kg`, `height_cm` and `eGFR` (mL/min per 1.73 m^2), `CELL_per_uL` for every cell of
body_cells.csv, and `GENE_gene`, the share of the normal function of a gene that is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.body import PER_BLOOD, body_cell, body_cells
from il2.knowledge.quantity import quantity
from il2.knowledge.species import SPECIES
from il2.knowledge.table import listed, number, rows

HEALTHY, TABLE = "healthy", "patients.csv"
PER_UL, GENE = "_per_uL", "_gene"
SIZE = {"weight_kg": "adult_body_weight", "height_cm": "adult_height", "eGFR": "adult_glomerular_filtration"}
GIVEN = "as given"


@dataclass(frozen=True)
class PersonValue:
    """One value of a person with unit and range. person: whose row it is, `healthy` where nothing else is known."""

    name: str
    value: float
    unit: str
    low: float | None
    high: float | None
    grade: str
    sources: tuple[str, ...]
    note: str
    person: str


@dataclass(frozen=True)
class Person:
    name: str
    values: Mapping[str, PersonValue]

    def __getitem__(self, name: str) -> PersonValue:
        """A value by name; an unknown one is an Il2Error that suggests the nearest."""
        if name not in self.values:
            raise Il2Error(f"a person has no {name!r}", where=self.name, how=did_you_mean(name, self.values))
        return self.values[name]

    @property
    def species(self) -> str:
        """Species of the person: a mouse is called so, all others are human."""
        return self.name if self.name in SPECIES else SPECIES[0]

    @property
    def counts(self) -> dict[str, float]:
        """Cells per uL of blood, by cell."""
        return {cell: self[cell + PER_UL].value for cell in body_cells()}

    @property
    def lost_genes(self) -> tuple[str, ...]:
        """Genes of which no function is left."""
        return tuple(n.removesuffix(GENE) for n, v in self.values.items() if n.endswith(GENE) and v.value == 0)

    @property
    def differs(self) -> tuple[PersonValue, ...]:
        """Values that are not those of a healthy adult."""
        return tuple(v for v in self.values.values() if v.person != HEALTHY)

    def body_cells(self, cell: str) -> float:
        """Cells of a kind in the whole body: the number of the reference adult, times what blood has of its count."""
        reference = body_cell(cell)
        return reference.body * self[cell + PER_UL].value / reference.blood.value

    def having(self, **values: float) -> Person:
        """The person with other values, in the units of the person, as a user gives them.

        An unknown name and an impossible value are Il2Errors.
        """
        given = {
            name: replace(
                self[name], value=value, low=None, high=None, grade="assumed", sources=(), note=GIVEN, person=self.name
            )
            for name, value in values.items()
        }
        for item in given.values():
            _possible(item, f"{self.name}: {item.name}")
        return Person(self.name, {**self.values, **given})


@cache
def persons() -> dict[str, Person]:
    """All persons by name, the healthy adult first; a row of patients.csv that cannot be read is an Il2Error."""
    return read_persons(rows("patients"))


def person(name: str) -> Person:
    """A person by name; an unknown one is an Il2Error that suggests the nearest."""
    if name not in persons():
        raise Il2Error(f"unknown person {name!r}", how=did_you_mean(name, persons()))
    return persons()[name]


def read_persons(table: tuple[dict[str, str], ...]) -> dict[str, Person]:
    """Persons from rows like those of patients.csv: health over the default set, and every other over health."""
    healthy = {**_sizes(), **_counts(), **{row["name"]: _value(row) for row in table if row["patient"] == HEALTHY}}
    own: dict[str, dict[str, PersonValue]] = {HEALTHY: {}}
    for row in table:
        where = f"{TABLE}: {row['patient']} {row['name']}"
        item, usual, values = _value(row), healthy.get(row["name"]), own.setdefault(row["patient"], {})
        if usual is None:
            raise Il2Error(f"a person has no {row['name']!r}", where=where, how=did_you_mean(row["name"], healthy))
        if item.unit != usual.unit:
            raise Il2Error(f"the unit is {item.unit!r}", where=where, how=f"Give it in {usual.unit}.")
        if item.name in values:
            raise Il2Error("the value stands here twice", where=where, how="Remove one.")
        values[item.name] = item
    return {name: Person(name, {**healthy, **values}) for name, values in own.items()}


def _sizes() -> dict[str, PersonValue]:
    found = {name: quantity(source) for name, source in SIZE.items()}
    return {
        name: PersonValue(name, q.value, q.unit, q.low, q.high, q.grade, q.sources, q.note, HEALTHY)
        for name, q in found.items()
    }


def _counts() -> dict[str, PersonValue]:
    named = {cell + PER_UL: c.blood for cell, c in body_cells().items()}
    return {
        name: PersonValue(name, b.value, PER_BLOOD, b.low, b.high, b.grade, b.sources, b.note, HEALTHY)
        for name, b in named.items()
    }


def _value(row: dict[str, str]) -> PersonValue:
    where = f"{TABLE}: {row['patient']} {row['name']}"
    try:
        value, low, high = float(row["value"]), number(row["low"]), number(row["high"])
    except ValueError as error:
        raise Il2Error("is no number", where=where, why=str(error), how="Write a number.") from error
    sources = listed(row["sources"])
    item = PersonValue(row["name"], value, row["unit"], low, high, row["grade"], sources, row["note"], row["patient"])
    _possible(item, where)
    return item


def _possible(item: PersonValue, where: str) -> None:
    """Sizes are above 0, counts at least 0, and of a gene at most all is left."""
    if not math.isfinite(item.value):
        raise Il2Error(f"{item.value} is not finite", where=where, how="Give a finite number.")
    if item.name in SIZE and item.value <= 0:
        raise Il2Error(f"{item.value:g} {item.unit} is impossible", where=where, how="Give a number above 0.")
    if item.value < 0:
        raise Il2Error(f"{item.value:g} {item.unit} is impossible", where=where, how="Give 0 or more.")
    if item.name.endswith(GENE) and item.value > 1:
        raise Il2Error(f"{item.value:g} is more than the whole gene", where=where, how="Give a share from 0 to 1.")
