"""Scores of the small digitised sets: dose-responses in percent or arbitrary units, surface chains, bound molecules.

They have one curve each and no wells for a background. Surface chains are percentages of the start and are compared as
they are. The rest gets one least-squares factor: pSTAT5 in percent of a plotted maximum one per set, since the maximum
is over all curves of a figure; arbitrary units one per curve, over the least value of the curve and the same well of
the prediction; bound molecules one per ligand.
"""

from __future__ import annotations

import numpy as np
import pandas

from il2.fit.hill import fit, rising
from il2.fit.measured import AU, BOUND, IL2RB, IL2RG, RFU
from il2.fit.score import FITS, r2

SURFACES = (IL2RB, IL2RG)
ROW = ["set", "readout", "ligand", "cell", "replicate", "valency"]


def small_sets(frame: pandas.DataFrame) -> pandas.DataFrame:
    """One row per curve, or per time course over all its doses: n, R2, root mean square error (percent of the largest
    value of the curve, or percentage points), measured and predicted EC50 in nM where both fit, and their log10 ratio.
    """
    finite = np.isfinite(frame["value"]) & np.isfinite(frame["predicted"].astype(float))
    rows = frame[(frame["unit"] != RFU) & (frame["flag"] == "") & finite].reset_index(drop=True)
    if rows.empty:
        return pandas.DataFrame()
    measured, expected = (rows[name].to_numpy(float, copy=True) for name in ("value", "predicted"))
    surface = rows["readout"].isin(SURFACES).to_numpy()
    over_least = ((rows["unit"] == AU) & (rows["readout"] != BOUND)).to_numpy()
    for where in rows.groupby(ROW, sort=False).indices.values():
        if over_least[where[0]]:
            least = where[measured[where].argmin()]
            measured[where] -= measured[least]
            expected[where] -= expected[least]
    per_curve = np.where(over_least, rows["replicate"], "")
    per_ligand = np.where(rows["unit"] == AU, rows["ligand"], "")
    for where in rows.groupby([rows["set"], rows["readout"], per_ligand, per_curve], sort=False).indices.values():
        size = expected[where] @ expected[where]
        if not surface[where[0]] and size > 0:
            expected[where] *= max(float(expected[where] @ measured[where]) / size, 0.0)
    rows = rows.assign(measured=measured, expected=expected)
    return pandas.DataFrame([_row(rows.loc[where]) for where in rows.groupby(ROW, sort=False).indices.values()])


def _row(curve: pandas.DataFrame) -> dict[str, object]:
    first = curve.iloc[0]
    measured, expected = (curve[name].to_numpy() for name in ("measured", "expected"))
    unit = 1.0 if first["readout"] in SURFACES else 100.0 / np.abs(measured).max()
    seen = told = np.nan
    dosed = curve[curve["dose_nM"] > 0].sort_values("dose_nM")
    if first["readout"] not in SURFACES and len(dosed) > 3:
        dose = np.tile(np.log10(dosed["dose_nM"].to_numpy()), (2, 1))
        hills = fit(dose, rising(np.stack([dosed["measured"], dosed["expected"]])))
        inside = (hills.log10_ec50 >= dose.min()) & (hills.log10_ec50 <= dose.max())
        if (hills.r2 > FITS).all() and inside[0]:
            seen, told = 10.0**hills.log10_ec50
    return {name: first[name] for name in ROW} | {
        "points": len(curve), "r2": r2(measured, expected),
        "rms_percent": unit * float(np.sqrt(((measured - expected) ** 2).mean())),
        "ec50_nM": seen, "ec50_predicted_nM": told, "log10_error": np.log10(told / seen),
    }  # fmt: skip
