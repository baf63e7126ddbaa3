"""Claims: what the five documents state, one row a statement, as a triple with its document, flag and test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import keyed, listed

SUBJECT = "IL2"  # what the five documents are about, so that its card holds all that they state
FACT = "fact"  # stored and queried; the other checks, `model` and `both`, ask for an experiment


@dataclass(frozen=True)
class Claim:
    """A statement of a document. flag: why it is not taken at its word (wrong, outdated, doubtful and so on)."""

    id: str
    document: str
    section: str
    statement: str
    subject: str
    predicate: str
    object: str
    qualifier: str
    kind: str
    check: str
    experiment: str
    observable: str
    conflicts: tuple[str, ...]
    flag: str
    note: str

    @property
    def seed(self) -> str:
        """Number of the document, `000` to `004`."""
        return self.id[1:4]

    @property
    def subjects(self) -> tuple[str, ...]:
        return listed(self.subject)

    @property
    def objects(self) -> tuple[str, ...]:
        return listed(self.object)


@cache
def claims() -> dict[str, Claim]:
    """All claims by id, in the order of the documents."""
    return {
        name: Claim(**row | {"conflicts": listed(row["conflicts"])})  # type: ignore[arg-type]
        for name, row in keyed("claims", "id").items()
    }


def claim(name: str) -> Claim:
    """One claim; an unknown id is an error that suggests the nearest."""
    table = claims()
    if name.upper() not in table:
        raise Il2Error(
            f"unknown claim {name!r}", how=did_you_mean(name, table) if len(name) > 2 else "For example S000-001."
        )
    return table[name.upper()]
