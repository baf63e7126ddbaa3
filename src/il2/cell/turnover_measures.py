"""Measures of targets on the long-term balance of regulatory T cells (`il2.cell.treg`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from il2.cell.answers import Row, times_of
from il2.cell.treg import KNOCKOUTS, MEMORY, TREG, at_rest, balance
from il2.engine.batch import parameter_rows
from il2.engine.schedule import run
from il2.errors import Il2Error, did_you_mean
from il2.network.program import lower

STEPS = 57


def numbers(row: Row, changes: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Numbers of cells (times,) over the normal ones, from the normal state up to the time of the row."""
    network = balance()
    parameters = parameter_rows(network, at_rest() | dict(changes))
    times = np.linspace(0.0, float(times_of(row)[-1]), STEPS)
    done = run(network, parameters, times, program=lower(network))
    if done.reason(0):
        raise Il2Error("the balance of Treg could not be solved", where=row["id"], why=done.reason(0))
    return {name: done.y[0, :, i] for i, name in enumerate(network.species_names)}


def _without(gene: str, row: Row) -> Mapping[str, float]:
    if gene not in KNOCKOUTS:
        raise Il2Error(f"no knock-out of {gene!r}", where=row["id"], how=did_you_mean(gene, KNOCKOUTS))
    return KNOCKOUTS[gene]


def treg_left(row: Row) -> float:
    """Treg without the gene in `with`, over normal ones, at the time of the row."""
    return float(numbers(row, _without(row["with"], row))[TREG][-1])


def treg_loss(row: Row) -> float:
    """Percent of the Treg that are lost by the time of the row without the gene in `with`."""
    return 100 * (1 - treg_left(row))


def memory_loss(row: Row) -> float:
    """Percent of the memory CD4 T cells that are lost, or gained, by the time of the row."""
    return 100 * abs(1 - float(numbers(row, _without(row["with"], row))[MEMORY][-1]))


def treg_left_ratio(row: Row) -> float:
    """Treg left without the first gene over those left without the second, `a/b`."""
    first, second = (treg_left(row | {"with": gene}) for gene in row["with"].split("/"))
    return first / second


MEASURES: Sequence[Callable[[Row], float]] = (treg_left, treg_loss, memory_loss, treg_left_ratio)
