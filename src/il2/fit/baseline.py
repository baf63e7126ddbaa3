"""What a prediction has to beat, and what none can beat: naive baselines and one run of an experiment as the
prediction of another."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas

from il2.fit.measured import RFU
from il2.fit.measured import frame as measured_frame
from il2.fit.score import CURVE, score
from il2.knowledge.table import rows
from il2.receptor.affinity import reference
from il2.receptor.ligand import FC, KDS, is_ligand, ligand

PARENT = "IL2"
PRIVATE = {"IL2": "IL2RA", "IL15": "IL15RA"}
COLUMN_OF = {interface: column for column, interface in KDS.items()}

WELL = ["set", "ligand", "valency", "cell", "time_min", "dose_nM"]


def dose_ramp(frame: pandas.DataFrame) -> np.ndarray:
    """No biology: zero at the lowest dose of the table, one at the highest, straight in log dose, the same for every
    ligand, cell and time."""
    out = np.full(len(frame), np.nan)
    for where in frame.groupby("set", sort=False).indices.values():
        dose = frame["dose_nM"].to_numpy(float)[where]
        given = dose > 0
        if given.any():
            low, high = np.log(dose[given].min()), np.log(dose[given].max())
            with np.errstate(divide="ignore"):
                out[where] = np.clip((np.log(dose) - low) / max(high - low, 1e-9), 0.0, 1.0)
    return out


def other_run(frame: pandas.DataFrame) -> np.ndarray:
    """The noise ceiling: the same well in the other replicates (mean), NaN where there is none."""
    known = frame[_usable(frame)]
    totals = known.groupby(WELL)["value"].agg(["sum", "count"])
    own = frame.join(totals, on=WELL)
    mine = np.where(_usable(frame), frame["value"], 0.0)
    left = own["count"].fillna(0.0).to_numpy() - _usable(frame).to_numpy()
    total = own["sum"].fillna(0.0).to_numpy() - mine
    several = frame.groupby(WELL)["replicate"].transform("nunique").to_numpy() > 1
    good = several & (left > 0) & _usable(frame).to_numpy()
    return np.where(good, total / np.where(left > 0, left, 1.0), np.nan)


def _usable(frame: pandas.DataFrame) -> pandas.Series:
    return (frame["flag"] == "") & (frame["unit"] == RFU)


def wild_type_reused(frame: pandas.DataFrame) -> np.ndarray:
    """The curve of the parent in the same cell and at the same time: of a fusion the wild-type fusion of the compiled
    tables, of anything else IL-2, of the parent itself the other runs."""
    return _reused(frame, lambda _: 1.0)


def shifted_by_private_chain(frame: pandas.DataFrame) -> np.ndarray:
    """The curve of the parent, its doses times the ratio of the KDs to the private chain, IL2RA or IL15RA."""
    return _reused(frame, lambda row: _kd(row, PRIVATE[row["base"]]))


def shifted_by_heterodimer(frame: pandas.DataFrame) -> np.ndarray:
    """The curve of the parent, its doses times the ratio of the KDs to IL2RB:IL2RG."""
    return _reused(frame, lambda row: _kd(row, "IL2RBG"))


def _kd(row: pandas.Series, interface: str) -> float:
    """Measured KD in nM, else that of the wild type in the same format."""
    own = row[COLUMN_OF[interface]]
    fused = row["format"].startswith(FC)
    return own if own > 0 else reference(row["kd_assay"] or "solution", fused, row["base"], interface).kd


def _reused(frame: pandas.DataFrame, kd: Callable[[pandas.Series], float]) -> np.ndarray:
    """Curves of the parents in units of their plates, read at the doses over the ratio of `kd` to the parent's."""
    pool = _pool()
    out = np.full(len(frame), np.nan)
    for where in frame.groupby(CURVE, sort=False, dropna=False).indices.values():
        row = _based(frame.iloc[where[0]])
        if row is None or row["unit"] != RFU:
            continue
        parent = _parent(row)
        curves = pool.get((parent, row["cell"], row["time_min"]))
        if curves is not None and row["ligand"] == parent:
            curves = curves[(curves["date"] != row["date"]) | (curves["replicate"] != row["replicate"])]
        if curves is None or curves.empty:
            continue
        told = curves.groupby("dose_nM")["measured"].mean()
        source = _based(curves.iloc[0])
        ratio = kd(row) / kd(source) if source is not None else 1.0
        with np.errstate(divide="ignore"):
            log_dose = np.log(frame["dose_nM"].to_numpy(float)[where] / ratio)
        out[where] = np.interp(log_dose, np.log(told.index.to_numpy(float)), told.to_numpy(float))
    return out


def _based(row: pandas.Series) -> pandas.Series | None:
    """The row with the cytokine that its ligand derives from; None for a ligand of which nothing is known."""
    if is_ligand(row["ligand"]):
        base = ligand(row["ligand"]).base
    elif any(row[column] > 0 for column in KDS):
        base = "IL15" if row[COLUMN_OF["IL15RA"]] > 0 else "IL2"
    else:
        return None
    return pandas.concat([row, pandas.Series({"base": base})]) if base in PRIVATE else None


def _parent(row: pandas.Series) -> str:
    """Name of the ligand whose curve is reused."""
    if not row["format"].startswith(FC):
        return PARENT
    wild = next(r["reference"] for r in rows("assay_references") if r["format"] == FC and r["reference"] != "default")
    return PARENT if row["ligand"] == wild and row["valency"] == 1 else wild


@cache
def _pool() -> dict[tuple, pandas.DataFrame]:
    """Measured points of the compiled plates, over background and in units of their plates, by ligand, cell, time."""
    compiled = measured_frame()
    points = score(compiled.assign(predicted=compiled["value"])).points
    return {tuple(key): part for key, part in points.groupby(["label", "cell", "time_min"])}  # type: ignore[arg-type]
