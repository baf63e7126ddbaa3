"""Quantities: a value with unit, range, context, grade, sources and rivals. Code asks for them by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.calibrated import chosen
from il2.knowledge.table import keyed, listed, number

GRADES = ("high", "medium", "low", "assumed")


@dataclass(frozen=True)
class Quantity:
    name: str
    layer: str
    symbol: str
    value: float
    unit: str
    low: float | None
    high: float | None
    context: str
    grade: str
    sources: tuple[str, ...]
    rivals: str
    note: str


@cache
def quantities() -> dict[str, Quantity]:
    """All quantities by name, with the calibrated value where there is one; ranges are those of the table, widened
    where the value lies outside."""
    return {
        name: Quantity(
            name,
            row["layer"],
            row["symbol"],
            value := chosen(name, float(row["value"])),
            row["unit"],
            low if (low := number(row["low"])) is None else min(low, value),
            high if (high := number(row["high"])) is None else max(high, value),
            row["context"],
            row["grade"],
            listed(row["sources"]),
            row["rivals"],
            row["note"],
        )
        for name, row in keyed("quantities", "name").items()
    }


def quantity(name: str) -> Quantity:
    """One quantity; an unknown name is an error that suggests the nearest."""
    table = quantities()
    if name not in table:
        raise Il2Error(f"unknown quantity {name!r}", how=did_you_mean(name, table))
    return table[name]


def weakest(grades: list[str]) -> str:
    """The weakest of some grades: what a result that rests on all of them can claim."""
    return max(grades, key=GRADES.index) if grades else "assumed"
