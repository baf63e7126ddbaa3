"""A culture in rows: a summary by well and kind of cell, and the whole as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.cell.culture_readout import BALANCE
from il2.cell.culture_store import ENDS

if TYPE_CHECKING:
    import pandas
    import xarray


def summary(data: xarray.Dataset, labels: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """A row per well and cohort of what `culture` returned with bands.

    Highest free IL-2 (nM) and when (h), numbers of cells at the start and the end, their expansion, mean divisions,
    dead cells and the largest pSTAT5; `_low` and `_high` where there is a band; the largest miss of the mass balance.
    """
    out = []
    banded = "cells_low" in data
    times = data.time_h.values
    for well in map(str, data.well.values):
        one = data.sel(well=well)
        free = one.IL2_nM.values
        at = int(np.nanargmax(free)) if np.isfinite(free).any() else 0
        head: dict[str, Any] = {"well": well, "label": (labels or {}).get(well, well), "IL2_peak_nM": float(free[at])}
        if banded:
            head |= {f"IL2_peak_nM_{end}": float(one[f"IL2_nM_{end}"].values[at]) for end in ENDS}
        head["IL2_peak_h"] = float(times[at])
        head["IL2_end_nM"] = float(free[-1])
        balance = max(float(one[name]) for name in map(str, data.data_vars) if name.endswith(BALANCE))
        for cohort in map(str, data.cohort.values):
            own = one.sel(cohort=cohort)
            cells = own.cells.values
            if not cells[0] > 0:
                continue
            row = head | {"cells": cohort, "cells_start": float(cells[0]), "cells_end": float(cells[-1])}
            if banded:
                row |= {f"cells_end_{end}": float(own[f"cells_{end}"].values[-1]) for end in ENDS}
            row |= {
                "fold": float(own.fold.values[-1]),
                "divisions": float(own.divisions.values[-1]),
                "dead": float(own.dead.values[-1]),
                "pstat5_peak": float(np.nanmax(own.pstat5.values)),
                "balance_error": balance,
            }
            out.append(row)
    return out


def frame(data: xarray.Dataset, labels: Mapping[str, str] | None = None) -> pandas.DataFrame:
    """A row per well, time and cohort (and draw and donor, where they are kept), a column per variable.

    Cells by generation are the columns cells_generation_0 and so on; what belongs to the medium stands in the rows of
    every cohort. Cohorts that a well lacks are left out.
    """
    import xarray

    variables = {}
    for name, values in data.data_vars.items():
        if "generation" not in values.dims:
            variables[str(name)] = values
            continue
        stem, _, end = str(name).rpartition("_")
        ending = f"_{end}" if end in ENDS else ""
        stem = "cells_generation"
        for g in data.generation.values:
            variables[f"{stem}_{g}{ending}"] = values.sel(generation=g, drop=True)
    table = xarray.Dataset(variables).to_dataframe().reset_index()
    table = table[table["cells"].notna()].reset_index(drop=True)
    keys = [k for k in ("well", "draw", "donor", "time_h", "cohort") if k in table]
    order = [*keys, *(name for name in variables)]
    table = table[order]
    if labels:
        table.insert(1, "label", [labels.get(w, w) for w in table["well"]])
    return table.sort_values(keys, kind="stable").reset_index(drop=True)
