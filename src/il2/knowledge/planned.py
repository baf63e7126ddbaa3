"""The 42 virtual experiments as they were planned: what each measures, what is expected, and the claims it tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.claim import claims
from il2.knowledge.table import keyed, listed


@dataclass(frozen=True)
class Planned:
    id: str
    title: str
    layers: tuple[str, ...]
    observable: str
    expected: str
    note: str

    @property
    def claims(self) -> tuple[str, ...]:
        """Ids of the claims that it is to show."""
        return tuple(c.id for c in claims().values() if c.experiment == self.id)


@cache
def planned() -> dict[str, Planned]:
    """All planned experiments by id, built or not."""
    return {
        name: Planned(**row | {"layers": listed(row["layers"])})  # type: ignore[arg-type]
        for name, row in keyed("experiments", "id").items()
    }


def plan(name: str) -> Planned:
    """One planned experiment; an unknown id is an error that suggests the nearest."""
    table = planned()
    if name.upper() not in table:
        raise Il2Error(f"unknown experiment {name!r}", how=did_you_mean(name.upper(), table))
    return table[name.upper()]
