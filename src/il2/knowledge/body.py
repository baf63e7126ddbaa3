"""Cells of the body: how many of a kind a healthy adult has in blood and in the whole body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity, weakest
from il2.knowledge.table import keyed, listed

PER_BLOOD = "cell/uL"


@dataclass(frozen=True)
class BloodCount:
    """Cells per uL of blood with the range, and how well it is known."""

    value: float
    low: float
    high: float
    grade: str
    sources: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class BodyCell:
    """A kind of cell. blood: its count. body, low, high: cells in the whole body of the reference adult.

    by_blood: the rival number in the body, from the count and the share of lymphocytes that is in blood; None where no
    share is known.
    """

    name: str
    blood: BloodCount
    body: float
    low: float
    high: float
    by_blood: float | None
    grade: str
    sources: tuple[str, ...]
    note: str


@cache
def body_cells() -> dict[str, BodyCell]:
    """Cells of the reference adult by name, in the order of body_cells.csv."""
    table = keyed("body_cells", "cell")
    return {name: _cell(row, table) for name, row in table.items()}


def body_cell(name: str) -> BodyCell:
    """One kind of cell; an unknown name is an Il2Error that suggests the nearest."""
    if name not in body_cells():
        raise Il2Error(f"no number of {name!r} in the body is known", how=did_you_mean(name, body_cells()))
    return body_cells()[name]


def _cell(row: dict[str, str], table: dict[str, dict[str, str]]) -> BodyCell:
    blood = _blood(row, table)
    by_blood = None
    if row["blood_share"]:
        uL_of_blood = quantity("adult_blood_volume").value / quantity("L_per_uL").value
        by_blood = blood.value * uL_of_blood / quantity(row["blood_share"]).value
    numbers = (float(row["body_cells"]), float(row["low"]), float(row["high"]))
    return BodyCell(row["cell"], blood, *numbers, by_blood, row["grade"], listed(row["sources"]), row["note"])


def _blood(row: dict[str, str], table: dict[str, dict[str, str]]) -> BloodCount:
    """The count that the row names, less that of the cell counted apart; the range keeps its width in the logarithm."""
    whole = quantity(row["blood_count"])
    if whole.unit != PER_BLOOD or whole.low is None or whole.high is None:
        where = f"body_cells.csv: {row['cell']}"
        raise Il2Error(f"{whole.name} is no count with a range", where=where, how=f"Give it in {PER_BLOOD}.")
    if not row["without"]:
        return BloodCount(whole.value, whole.low, whole.high, whole.grade, whole.sources, whole.note)
    apart = _blood(table[row["without"]], table)
    left = whole.value - apart.value
    if left <= 0:
        what = f"{row['without']} are as many as {whole.name}"
        raise Il2Error(what, where=f"body_cells.csv: {row['cell']}", why="none are left", how="Mend one of the counts.")
    share = left / whole.value
    return BloodCount(
        left,
        whole.low * share,
        whole.high * share,
        weakest([whole.grade, apart.grade]),
        tuple(dict.fromkeys((*whole.sources, *apart.sources))),
        f"{whole.name} less {row['without']}",
    )
