"""Conflicts: where the documents differ, who holds which position, and what the package takes and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import keyed, listed

_POSITION = re.compile(r"(?P<text>.+?)\s*\[(?P<claims>[^\[\]]+)\]")


@dataclass(frozen=True)
class Position:
    text: str
    claims: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """about: names of the entities on whose card it is shown. canonical: what the package takes."""

    id: str
    topic: str
    about: tuple[str, ...]
    positions: tuple[Position, ...]
    canonical: str
    resolution: str
    reason: str

    @property
    def claims(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for p in self.positions for c in p.claims))


@cache
def conflicts() -> dict[str, Conflict]:
    """All conflicts by id."""
    return {
        name: Conflict(**row | {"about": listed(row["about"]), "positions": positions(row["positions"], name)})  # type: ignore[arg-type]
        for name, row in keyed("conflicts", "id").items()
    }


def positions(text: str, where: str = "") -> tuple[Position, ...]:
    """Read `text [S000-004] | text [S001-019,S001-061]`."""
    found = []
    for part in text.split(" | "):
        match = _POSITION.fullmatch(part.strip())
        if not match:
            raise Il2Error(f"{part!r} is no position", where=where, how="Write: text [S000-004,S001-019].")
        found.append(Position(match["text"], tuple(c.strip() for c in match["claims"].split(","))))
    return tuple(found)


def conflict(name: str) -> Conflict:
    """One conflict; an unknown id is an error that suggests the nearest."""
    table = conflicts()
    if name.upper() not in table:
        raise Il2Error(f"unknown conflict {name!r}", how=did_you_mean(name, table))
    return table[name.upper()]
