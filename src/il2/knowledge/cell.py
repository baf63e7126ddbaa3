"""Cell types and their receptor numbers: one value and the range over quantifications that disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.calibrated import calibrated
from il2.knowledge.quantity import weakest
from il2.knowledge.table import aliases, number, rows

# Three quantifications of the same stainings of April 2019; the default is their geometric mean.
POOLED = ("farhat2021", "gcsolver", "single_cell_moments")
# Where they are missing, the first of these that was done is the default; the range still spans all.
SINGLE = (
    "calibrated",
    "measured_yt1",
    "literature",
    "run_2019_04_08",
    "preliminary_2019_03",
    "gonnord2018",
    "posterior_yt1",
)
CHAINS = ("IL2RA", "IL2RB", "IL2RG", "IL15RA", "IL4R", "IL7R", "IL9R", "IL21R")


@dataclass(frozen=True)
class Count:
    """Receptors per cell with the range over quantifications."""

    value: float
    low: float
    high: float
    grade: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    name: str
    parent: str
    lineage: str
    definition: str
    in_default_run: bool
    note: str
    counts: dict[str, Count]


@cache
def cells() -> dict[str, Cell]:
    """All cell types by name."""
    return {
        row["name"]: Cell(
            row["name"],
            row["parent"],
            row["lineage"],
            row["definition"],
            row["in_default_run"] == "yes",
            row["note"],
            {c: count for c in CHAINS if (count := pooled(row["name"], row["parent"], c))},
        )
        for row in rows("cells")
    }


def is_cell(name: str) -> bool:
    return name.casefold() in aliases("cells")


def cell(name: str) -> Cell:
    """A cell type by name or alias; an unknown one is an error that suggests the nearest."""
    if not is_cell(name):
        raise Il2Error(
            f"unknown cell {name!r}",
            how=did_you_mean(name, cells()) + " A cell of your own needs IL2RA, IL2RB and IL2RG counts.",
        )
    return cells()[aliases("cells")[name.casefold()]]


def default_cells() -> tuple[str, ...]:
    """The ten PBMC populations of the default run."""
    return tuple(c.name for c in cells().values() if c.in_default_run)


def pooled(name: str, parent: str, chain: str) -> Count | None:
    """Default count and range of a chain, or None where nothing is known: calibrated, or else quantified."""
    measured, fitted = _pooled(name, parent, chain), calibrated().get(f"{name} {chain}")
    if not fitted:
        return measured
    if not measured:
        return Count(fitted.value, fitted.low, fitted.high, "low", ("farhat2021",))
    ends = min(measured.low, fitted.value), max(measured.high, fitted.value)
    return Count(fitted.value, *ends, measured.grade, measured.sources)


def quantified(name: str, chain: str) -> Count:
    """The count of a chain before any calibration, from the stainings alone; an Il2Error where there is none."""
    kind = cell(name)
    found = _pooled(kind.name, kind.parent, chain)
    if found is None:
        raise Il2Error(f"no count of {chain} on {name} is known", how="Add a row to receptor_counts.csv.")
    return found


def _pooled(name: str, parent: str, chain: str) -> Count | None:
    """The geometric mean of the three April quantifications; for a subset that only one of them has, the
    parent's value times subset over parent within that one; else the best single determination.
    """
    found = _quantifications(name, chain)
    if not found:
        return None
    if set(POOLED) <= found.keys():
        return _count(math.prod(found[q]["value"] for q in POOLED) ** (1 / len(POOLED)), list(found.values()))
    above = _quantifications(parent, chain) if parent else {}
    if POOLED[0] in found and set(POOLED) <= above.keys():
        share = found[POOLED[0]]["value"] / above[POOLED[0]]["value"]
        base = _pooled(parent, "", chain)
        assert base is not None
        low = min(base.low * share, *(f["low"] for f in found.values()))
        high = max(base.high * share, *(f["high"] for f in found.values()))
        return Count(base.value * share, low, high, base.grade, base.sources)
    first = next(q for q in (*POOLED, *SINGLE) if q in found)
    return _count(found[first]["value"], list(found.values()))


def _count(value: float, found: list[dict]) -> Count:
    return Count(
        value,
        min(f["low"] for f in found),
        max(f["high"] for f in found),
        weakest([f["grade"] for f in found]),
        tuple(dict.fromkeys(s for f in found for s in f["sources"])),
    )


def _quantifications(name: str, chain: str) -> dict[str, dict]:
    return {
        row["quantification"]: {
            "value": float(row["count_per_cell"]),
            "low": _or(row["low"], row["count_per_cell"]),
            "high": _or(row["high"], row["count_per_cell"]),
            "grade": row["grade"],
            "sources": row["sources"].split(";"),
        }
        for row in rows("receptor_counts")
        if row["cell"] == name and row["receptor"] == chain
    }


def _or(text: str, other: str) -> float:
    value = number(text)
    return float(other) if value is None else value
