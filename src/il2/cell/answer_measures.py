"""Measures of targets on the gene of IL-2 in single cells: share of producers, amount per producer, graded or not.

Cells are lanes of one gene network under held signals (`il2.gene.cells`), each with its own threshold of NFAT and with
alleles that open and close one by one. A producer makes more than `GATE` of what the cells make on average at the
highest dose. The doses are engaged receptors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from il2.cell.answers import Row
from il2.cell.culture_arms import courses, hours, own, spans, wells
from il2.cell.well import Antigen
from il2.errors import Il2Error
from il2.gene.cells import CONTACT, ENGAGED, HELP, answers, followed, gene_network, jumped, population
from il2.gene.signal import REL_IN
from il2.gene.transcription import on

MADE = "IL2@secretory"
CELLS = 100
GATE = 0.1  # share of the mean at the highest dose above which a cell counts as positive
SATURATED = 0.9  # of the largest share; doses above count as saturated
SHARE = 0.5
FEWEST = 0.01  # share of producers below which a mean of them means nothing
DOSES = np.geomspace(0.01, 1000, 26)


def _values(row: Row) -> dict[str, np.ndarray | float]:
    items = dict(item.strip().split("=") for item in row["with"].split(";"))
    fixed = {"costimulation": HELP, "contact_time": CONTACT}
    return {ENGAGED: DOSES} | {fixed.get(name, name): float(value) for name, value in items.items()}


def _made(row: Row) -> np.ndarray:
    """IL-2 on its way out of each cell (doses, cells) at the time of the row."""
    network = gene_network(single=True)
    found = jumped(network, population(network, _values(row), CELLS), np.array([0.0, hours(row)[-1]]), cells=1)
    if any(found.reasons):
        raise Il2Error("a cell of a target could not be solved", where="targets", why=max(found.reasons))
    return found[MADE][:, -1].reshape(len(DOSES), CELLS)


def _answers(made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of producers and mean amount per producer (doses,)."""
    return answers(made, np.full(len(made), GATE * made[-1].mean()))


def _unsaturated(row: Row) -> tuple[np.ndarray, np.ndarray]:
    share, amount = _answers(_made(row))
    kept = (share > FEWEST) & (share <= SATURATED * share.max())
    if kept.sum() < 2:
        raise Il2Error("fewer than two doses below saturation", where=row["id"])
    return share[kept], amount[kept]


def producers_fold(row: Row) -> float:
    """Largest over smallest share of producers at the doses below saturation."""
    share, _ = _unsaturated(row)
    return float(share.max() / share.min())


def amount_fold(row: Row) -> float:
    """Largest over smallest amount per producer at the doses below saturation."""
    _, amount = _unsaturated(row)
    return float(amount.max() / amount.min())


def most_producers(row: Row) -> float:
    """Largest share of producers over the doses, percent."""
    share, _ = _answers(_made(row))
    return 100 * float(share.max())


def _cell(row: Row, name: str) -> np.ndarray:
    """A species of one cell with the middle threshold (doses,) at the time of the row."""
    found = followed(gene_network(single=True), _values(row), np.array([0.0, hours(row)[-1]]))
    return found[name][:, -1]


def _fold(doses: np.ndarray, values: np.ndarray) -> float:
    """Dose at 90 % over that at 10 % of the rise, each between its neighbours in log dose."""
    rise = (values - values[0]) / (values.max() - values[0])
    climbing = slice(0, int(rise.argmax()) + 1)
    low, high = np.interp([1 - SATURATED, SATURATED], rise[climbing], np.log(doses[climbing]))
    return float(np.exp(high - low))


def rel_range(row: Row) -> float:
    """Dose at which REL in the nucleus of one cell is at 90 % over that at 10 % of its most."""
    return _fold(DOSES, _cell(row, REL_IN))


def bimodality(row: Row) -> float:
    """Sarle's bimodality coefficient of log(1 + IL-2) over cells, at the dose whose share of producers is nearest half.

    It is 1 for two points, 1/3 for a normal and 5/9 for an even distribution.
    """
    made = _made(row)
    share, _ = _answers(made)
    x = np.log1p(made[np.abs(share - SHARE).argmin()])
    z = (x - x.mean()) / x.std()
    return float((np.mean(z**3) ** 2 + 1) / np.mean(z**4))


def receptor_range(row: Row) -> float:
    """Antigen in a culture at which IL2RA per cell is at 90 % over that at 10 % of its rise."""
    base, ends = spans(row)
    given = np.geomspace(*ends["antigen"], len(DOSES))
    found = [replace(well, antigen=(Antigen(a),)) for well in wells(base) for a in given]
    done = courses(found, np.array([0.0, hours(row)[-1]]), (row["readout"],))
    return _fold(given, np.array([own(c, row["readout"])[-1] for c in done]))


def one_allele_share(row: Row) -> float:
    """Percent of the cells with an open IL2 allele that have one alone open, at the time of the row."""
    done = courses(wells(row), np.array([0.0, hours(row)[-1]]), (on("IL2"),))
    open_ = own(done[0], on("IL2"))[-1] / 2
    return float(100 * 2 * open_ * (1 - open_) / (1 - (1 - open_) ** 2))


MEASURES: Sequence[Callable[[Row], float]] = (
    producers_fold, amount_fold, most_producers, rel_range, bimodality, receptor_range, one_allele_share,
)  # fmt: skip
