"""Agreement with measurements: dose-responses beside a baseline without biology, IL-4 and IL-7, avidity.

    python benchmarks/accuracy.py [--markdown]

Fluorescence has one free scale per population and replicate (or date). The baseline is a straight line in log
dose with the same free scale. R2 is over all points, each curve set divided by its own maximum.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import avidity
import family
import numpy as np
from table import Table

import il2
from il2.cell.ec50 import ec50
from il2.cell.measured import points
from il2.knowledge.cell import default_cells

TIMES = (30.0, 60.0, 120.0, 240.0)


@dataclass(frozen=True)
class Curves:
    """One population and replicate: (time, doses, measured) per curve."""

    cell: str
    series: list[tuple[float, np.ndarray, np.ndarray]]


def curves(ligand: str) -> Iterator[Curves]:
    for cell in default_cells():
        table: dict[str, list] = {}
        for (replicate, time), (x, y) in points(ligand, cell).items():
            table.setdefault(replicate, []).append((time, x, y))
        yield from (Curves(cell, series) for series in table.values())


def squares(predicted: list[np.ndarray], measured: list[np.ndarray]) -> tuple[float, float]:
    """Residual and total sum of squares with one free scale, in units of the largest measured value."""
    p, y = np.concatenate(predicted), np.concatenate(measured)
    y = y / y.max()
    residual = y - p * (p @ y) / (p @ p)
    return float(residual @ residual), float(np.sum((y - y.mean()) ** 2))


def judge(ligand: str, measured_curves: Iterator[Curves]) -> dict[str, float]:
    """Number of curves, R2 of model and ramp, median and bias of log10 EC50 errors."""
    sums = np.zeros(3)
    errors, count = [], 0
    for one in measured_curves:
        doses = np.unique(np.concatenate([x for _, x, _ in one.series]))
        data = il2.respond(ligand, one.cell, doses, TIMES)
        model = {t: data.pstat5.sel(time_min=t).values.squeeze() for t in TIMES}
        predicted = [np.interp(np.log(x), np.log(doses), model[t]) for t, x, _ in one.series]
        ramp = [np.log(x / doses[0]) for _, x, _ in one.series]
        measured = [y for _, _, y in one.series]
        residual, total = squares(predicted, measured)
        sums += residual, squares(ramp, measured)[0], total
        for (_, x, y), p in zip(one.series, predicted, strict=True):
            errors.append(np.log10(ec50(x, p) / ec50(x, y)))
            count += 1
    found = np.array(errors)[np.isfinite(errors)]
    return {
        "curves": count, "R2": 1 - sums[0] / sums[2], "R2 of a ramp": 1 - sums[1] / sums[2],
        "median absolute log10 EC50 error": float(np.median(np.abs(found))),
        "median log10 EC50 error": float(np.median(found)),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    markdown = parser.parse_args().markdown
    jobs = [(name, curves(name)) for name in ("IL2", "IL15", "WT N-term", "WT C-term", "R38Q N-term")]
    uses = {row["ligand"]: row["use"] for row in il2_uses()}
    rows = [{"ligand": name, "use": uses[name], **judge(name, curves)} for name, curves in jobs]
    cells = [[f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    head = list(rows[0])
    responses = Table("Dose-responses of PBMC populations", tuple(head), [tuple(line) for line in cells])
    for table in (responses, family.table(), avidity.table()):
        print(table.markdown() if markdown else table.text())


def il2_uses() -> list[dict[str, str]]:
    """What each data set served for; the first row of a ligand stands for it."""
    from il2.knowledge.table import rows

    return list(reversed(rows("data_use")))


if __name__ == "__main__":
    main()
