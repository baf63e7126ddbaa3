"""Priors of the joint calibration: the table of what was known of each free number before the fit."""

from __future__ import annotations

from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.fit.free import DYNAMIC, Free
from il2.knowledge.table import rows

HELD, FREE = "held", "free"
UPTAKES = (HELD, FREE)


@cache
def table(uptake: str) -> dict[str, dict[str, str]]:
    """Rows by name: those of both sets, and those of the one that is asked for."""
    if uptake not in UPTAKES:
        raise Il2Error(f"unknown set of priors {uptake!r}", how=did_you_mean(uptake, UPTAKES))
    return {row["name"]: row for row in rows("priors") if row["uptake"] in ("both", uptake)}


def prior(row_name: str, uptake: str, *, name: str = "", times: float = 1.0, kind: str = DYNAMIC) -> Free:
    """A free number from its row. name: of its own, where one row serves several; times: the unit of its values."""
    found = table(uptake)
    if row_name not in found:
        raise Il2Error(f"no prior of {row_name!r}", where="priors.csv", how=did_you_mean(row_name, found))
    row = found[row_name]
    low, high, centre = (times * float(row[key]) for key in ("low", "high", "centre"))
    return Free(name or row_name, row["unit"], low, high, centre, float(row["spread"]), kind=kind, note=row["note"])
