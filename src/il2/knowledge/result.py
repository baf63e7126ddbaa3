"""Published results that the package is held against, with tolerance, source, and whether they were confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.knowledge.table import keyed, listed, number


@dataclass(frozen=True)
class PublishedResult:
    """kind: identity, guard, band or direction; check: how it is to be tested. value, low, high in `unit`."""

    id: str
    layer: str
    quantity: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    condition: str
    kind: str
    check: str
    experiments: tuple[str, ...]
    grade: str
    sources: tuple[str, ...]
    confirmed: str
    note: str


@cache
def published() -> dict[str, PublishedResult]:
    """All published results by id."""
    numbers, lists = ("value", "low", "high"), ("experiments", "sources")
    return {
        name: PublishedResult(
            **row | {k: number(row[k]) for k in numbers} | {k: listed(row[k]) for k in lists}  # type: ignore[arg-type]
        )
        for name, row in keyed("targets", "id").items()
    }
