"""Published measurements on blood cells beside the model's curves: points, EC50s and one scale per population."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from il2.cell.ec50 import ec50
from il2.knowledge.table import measurements

if TYPE_CHECKING:
    import xarray


GONNORD = "CD4_naive_Gonnord"
ORIGINS = {"farhat2021": "Farhat 2021", "orcutt_jahns2023": "Orcutt-Jahns 2023", "gonnord2018": "Gonnord 2018"}


@cache
def points(ligand: str, cell: str) -> dict[tuple[str, float], tuple[np.ndarray, np.ndarray]]:
    """(replicate or date, time in min) -> (doses in nM, fluorescence over background); excluded wells left out.

    The background is the untreated well; Fc fusions, IL-4 and IL-7 have none, and their least value stands in.
    """
    table: dict[tuple[str, float], list[tuple[float, float]]] = {}
    for row in measurements("pbmc_pstat5"):
        if row["ligand"] == ligand and row["cell"] == cell and not row["excluded"] and float(row["dose_nM"]) > 0:
            key = row["replicate"], float(row["time_min"])
            table.setdefault(key, []).append((float(row["dose_nM"]), float(row["pstat5_rfu"])))
    fusions = [r for r in measurements("fc_fusion_pstat5") if r["ligand"] == ligand and r["cell"] == cell]
    least = min((float(row["pstat5_rfu"]) for row in fusions), default=0.0)
    for row in fusions:
        key = row["experiment_date"], float(row["time_min"])
        table.setdefault(key, []).append((float(row["dose_nM"]), float(row["pstat5_rfu"]) - least))
    family = [r for r in measurements("il4_il7_dose_response") if r["ligand"] == ligand and cell == GONNORD]
    least = min((float(row["signal_au"]) for row in family), default=0.0)
    for row in family:
        key = row["curve"], float(row["time_min"])
        table.setdefault(key, []).append((float(row["dose_nM"]), float(row["signal_au"]) - least))
    return {key: tuple(np.array(sorted(values)).T) for key, values in table.items()}  # type: ignore[misc]


@cache
def origin(ligand: str, cell: str) -> str:
    """Source of the `points` of a ligand and cell, one of `ORIGINS`."""
    if cell == GONNORD:
        return "gonnord2018"
    fusions = {row["ligand"] for row in measurements("fc_fusion_pstat5")}
    return "orcutt_jahns2023" if ligand in fusions else "farhat2021"


def comparable(data: xarray.Dataset, ligand: str, cell: str) -> bool:
    """Whether measurements of this ligand and cell speak of the same things as the data: no values of a user's own,
    nothing added and nothing turned down."""
    if data.attrs.get("added") or data.attrs.get("dial"):
        return False
    return ligand not in data.attrs.get("own_ligands", ()) and cell not in data.attrs.get("own_cells", ())


def measured_ec50(ligand: str, cell: str, time_min: float) -> tuple[float, float, float]:
    """(geometric mean, lowest, highest) EC50 in nM over replicates; NaN where nothing was measured."""
    found = [ec50(*xy) for (_, t), xy in points(ligand, cell).items() if t == time_min]
    found = [value for value in found if math.isfinite(value)]
    if not found:
        return (math.nan,) * 3
    return math.exp(sum(map(math.log, found)) / len(found)), min(found), max(found)


def scale(predicted: np.ndarray, measured: np.ndarray) -> float:
    """The factor that brings fluorescence closest to the predicted fraction (least squares)."""
    return float(predicted @ measured / (measured @ measured)) if np.any(measured) else math.nan
