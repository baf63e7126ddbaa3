"""How far the model is from measured EC50s: fold errors in words, and what each measurement was used for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import TYPE_CHECKING

from il2.knowledge.cell import cell, is_cell
from il2.knowledge.table import rows

if TYPE_CHECKING:
    import pandas

CLOSE, FAR = 2.0, 5.0
CALIBRATION, PREDICTION = "calibration", "prediction"


@dataclass(frozen=True)
class Comparison:
    """Model and measured EC50 in nM of one ligand, cell and time; NaN where there is none."""

    ligand: str
    cell: str
    time_min: float
    model: float
    measured: float
    low: float
    high: float
    note: str = ""
    spanned: bool = True
    model_low: float = math.nan
    model_high: float = math.nan
    readout: str = "pstat5"

    @property
    def fold(self) -> float:
        """Model over measured; NaN where the doses do not span the measured EC50."""
        return self.model / self.measured if self.spanned else math.nan

    @property
    def error(self) -> float:
        """The factor by which they differ, from 1 up; NaN where one is missing."""
        return max(self.fold, 1 / self.fold) if self.fold > 0 else math.nan

    @property
    def known(self) -> bool:
        return math.isfinite(self.error)

    @property
    def side(self) -> str:
        return "too sensitive" if self.fold < 1 else "not sensitive enough"

    @property
    def level(self) -> str:
        if not self.known:
            return "none"
        return "good" if self.error <= CLOSE else "fair" if self.error <= FAR else "poor"

    @property
    def words(self) -> str:
        if math.isnan(self.measured):
            return "not measured"
        if not self.spanned:
            return "measured outside these doses"
        if not self.known:
            return "no EC50 of the model"
        if self.error <= CLOSE:
            return f"within {CLOSE:g}-fold"
        size = f"{CLOSE:g} to {FAR:g}-fold" if self.error <= FAR else f"more than {FAR:g}-fold"
        return f"{size}, {self.side}"

    @property
    def use(self) -> str:
        """What the measurement served for: calibration (also of the whole that a subset belongs to) or prediction."""
        if math.isnan(self.measured):
            return "–"
        if CALIBRATION in (uses().get((self.ligand, self.cell)), uses().get((self.ligand, "all"))):
            return CALIBRATION
        parent = cell(self.cell).parent if is_cell(self.cell) else ""
        return f"{CALIBRATION}, as part of {parent}" if uses().get((self.ligand, parent)) == CALIBRATION else PREDICTION


def comparisons(table: pandas.DataFrame) -> list[Comparison]:
    """Rows of what `ec50_table` returns."""
    return [
        Comparison(
            str(row["ligand"]), str(row["cell"]), float(row["time_min"]), float(row["EC50_nM"]),
            float(row["measured_EC50_nM"]), float(row["measured_low_nM"]), float(row["measured_high_nM"]),
            str(row["note"]), not math.isnan(row["fold"]) or math.isnan(row["EC50_nM"]),
            float(row.get("EC50_low_nM", math.nan)), float(row.get("EC50_high_nM", math.nan)),
            str(row.get("readout", "pstat5")),
        )
        for row in table.to_dict("records")
    ]  # fmt: skip


COMPARED = ("pbmc_pstat5", "fc_fusion_pstat5", "yt1_pstat5", "il4_il7_dose_response")


@cache
def uses() -> dict[tuple[str, str], str]:
    """(ligand, cell or all) -> calibration or prediction, of the sets whose points and EC50s are compared."""
    return {(row["ligand"], row["cell"]): row["use"] for row in rows("data_use") if row["measurements"] in COMPARED}


def summary(found: Iterable[Comparison]) -> str:
    """Counts by closeness and the median fold error, in words."""
    errors = [c.error for c in found if c.known]
    if not errors:
        return "none measured"
    near, far = sum(e <= CLOSE for e in errors), sum(e > FAR for e in errors)
    parts = [f"{near} of {len(errors)} within {CLOSE:g}-fold"]
    parts += [f"{between} from {CLOSE:g} to {FAR:g}-fold"] if (between := len(errors) - near - far) else []
    parts += [f"{far} more than {FAR:g}-fold"] if far else []
    return f"{', '.join(parts)}; median {median(errors):.2g}-fold, largest {max(errors):.2g}-fold"


def misses(found: Iterable[Comparison], most: int = 6) -> list[Comparison]:
    """The largest fold errors beyond `CLOSE`, largest first."""
    return sorted((c for c in found if c.known and c.error > CLOSE), key=lambda c: -c.error)[:most]
