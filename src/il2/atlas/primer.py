"""The page that a newcomer reads from top to bottom, each paragraph with the rows that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.knowledge.claim import claim
from il2.knowledge.conflict import conflict
from il2.knowledge.quantity import quantity
from il2.knowledge.result import published
from il2.knowledge.table import listed, rows


@dataclass(frozen=True)
class Paragraph:
    """opens: it is the first under its heading. rests_on: rows of the tables; sources: who stands behind them."""

    heading: str
    opens: bool
    text: str
    rests_on: tuple[str, ...]
    sources: tuple[str, ...]


@cache
def paragraphs() -> tuple[Paragraph, ...]:
    """All paragraphs in their order."""
    found: list[Paragraph] = []
    for row in rows("primer"):
        rests = listed(row["rests_on"])
        opens = not found or found[-1].heading != row["heading"]
        sources = tuple(dict.fromkeys(s for item in rests for s in _sources(item)))
        found.append(Paragraph(row["heading"], opens, row["text"], rests, sources))
    return tuple(found)


def _sources(item: str) -> tuple[str, ...]:
    kind, _, name = item.rpartition(":")
    if kind == "quantity":
        return quantity(name).sources
    if kind == "target":
        return published()[name].sources
    if kind == "conflict":
        return tuple(claim(c).document for c in conflict(name).claims)
    return (claim(name).document,)
