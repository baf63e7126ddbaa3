"""EC50s as a table, next to measured ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from il2.cell.ec50 import ec50, rises_at_the_end
from il2.cell.measured import comparable, measured_ec50

if TYPE_CHECKING:
    import pandas
    import xarray

DEFAULT = "pstat5"


def readout(data: xarray.Dataset, ligand: str) -> str:
    """The variable that answers a ligand: `pstat5`, or `pstat6` or `pstat3` where it signals through these."""
    name = str(data.readout.sel(ligand=ligand).item()) if "readout" in data.coords else DEFAULT
    return name if name in data else DEFAULT


def ec50_table(data: xarray.Dataset) -> pandas.DataFrame:
    """EC50 (nM) of the `readout` per ligand, cell and time, next to the measured value and their quotient.

    An EC50 is that of the doses asked for: `note` says where the curve still rises at the highest dose or the
    doses are too few, and the quotient is left out where they do not span the measured EC50. With bands in the
    data, `EC50_low_nM` and `EC50_high_nM` are those of the draws.
    """
    import pandas

    doses = data.dose_nM.values
    records = []
    for name in map(str, data.ligand.values):
        variable = readout(data, name)
        for kind in map(str, data.cell.values):
            for time in map(float, data.time_min.values):
                at = {"ligand": name, "cell": kind, "time_min": time}
                curve = data[variable].sel(at).values
                predicted = ec50(doses, curve)
                record = {**at, "readout": variable, "EC50_nM": predicted}
                if "EC50_low_nM" in data:
                    record |= {key: float(data[key].sel(at)) for key in ("EC50_low_nM", "EC50_high_nM")}
                known = comparable(data, name, kind)
                measured, lowest, highest = measured_ec50(name, kind, time) if known else (np.nan,) * 3
                record |= {"measured_EC50_nM": measured, "measured_low_nM": lowest, "measured_high_nM": highest}
                record["fold"] = predicted / measured if doses.min() <= measured <= doses.max() else np.nan
                records.append(record | {"note": _note(doses, curve)})
    return pandas.DataFrame(records)


def _note(doses: np.ndarray, curve: np.ndarray) -> str:
    if len(doses) < 4:
        return "too few doses"
    return "still rising at the highest dose" if rises_at_the_end(doses, curve) else ""
