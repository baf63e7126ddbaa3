"""Measures of targets on the long-term balance of regulatory T cells (`il2.cell.treg_course`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from il2.cell.answers import Row
from il2.cell.culture_arms import hours
from il2.cell.treg import KNOCKOUTS, MEMORY, TREG
from il2.cell.treg_course import Turn, follow
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity


def left(row: Row, gene: str, cells: str) -> float:
    """Cells without a gene at the time of the row, over those of the normal state; an unknown gene is an Il2Error."""
    if gene not in KNOCKOUTS:
        raise Il2Error(f"no knock-out of {gene!r}", where=row["id"], how=did_you_mean(gene, KNOCKOUTS))
    days = np.array([0.0, hours(row)[-1] * quantity("minutes_per_hour").value / quantity("minutes_per_day").value])
    found = follow({gene: (Turn(KNOCKOUTS[gene]),)}, days, (cells,))[gene][cells][0]
    return float(found[-1] / found[0])


def treg_left(row: Row) -> float:
    """Treg without the gene in `with`, over normal ones, at the time of the row."""
    return left(row, row["with"], TREG)


def treg_loss(row: Row) -> float:
    """Percent of the Treg that are lost by the time of the row without the gene in `with`."""
    return 100 * (1 - treg_left(row))


def memory_change(row: Row) -> float:
    """Percent by which memory CD4 T cells have changed by the time of the row without the gene in `with`."""
    return 100 * abs(1 - left(row, row["with"], MEMORY))


def treg_left_ratio(row: Row) -> float:
    """Treg left without the first gene over those left without the second, `a/b`."""
    first, second = (left(row, gene, TREG) for gene in row["with"].split("/"))
    return first / second


MEASURES: Sequence[Callable[[Row], float]] = (treg_left, treg_loss, memory_change, treg_left_ratio)
