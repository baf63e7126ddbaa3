"""Arrays of a culture by well: filled well by well, whole or as the typical donor and two quantiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from il2.cell.culture_readout import BALANCE, DIMS, MEDIUM, attributes
from il2.cell.population import GENERATIONS

if TYPE_CHECKING:
    import xarray

BAND = (5, 95)
ENDS = ("low", "high")
WORDS = f"{BAND[0]} to {BAND[1]} % of donors and draws"


class Store:
    """Arrays that wells are put into: by variable (wells, lanes, ...), or the typical lane and two quantiles."""

    def __init__(self, wells: list[str], cohorts: list[str], times: np.ndarray, lanes: int, bands: bool) -> None:
        self.wells, self.cohorts, self.lanes, self.bands = wells, cohorts, lanes, bands
        self.sizes = {"time_h": len(times), "cohort": len(cohorts), "generation": GENERATIONS + 1}
        self.arrays: dict[str, np.ndarray] = {}
        self.dims: dict[str, tuple[str, ...]] = {}

    def put(self, well: str, found: dict[tuple[str, str], np.ndarray], reasons: Sequence[str]) -> None:
        """Readouts by (variable, cohort), the latter empty for the medium: (lanes, ...)."""
        w = self.wells.index(well)
        good = np.array([not r for r in reasons])
        for (name, cohort), values in found.items():
            dims = DIMS.get(name, MEDIUM if not cohort else ("time_h", "cohort"))
            self.dims[name] = dims
            at = (self.cohorts.index(cohort),) if cohort else ()
            for label, chosen in self._kept(name, values, good):
                if label not in self.arrays:
                    own = () if self.bands else (self.lanes,)
                    shape = (len(self.wells), *own, *(self.sizes[d] for d in dims))
                    self.arrays[label] = np.full(shape, np.nan)
                into = self.arrays[label][w, ...]
                if cohort:
                    into = np.moveaxis(into, dims.index("cohort") - len(dims), 0)[(*at, ...)]
                into[...] = chosen

    def _kept(self, name: str, values: np.ndarray, good: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        if not self.bands:
            yield name, values
            return
        if name.endswith(BALANCE):
            yield name, np.asarray(np.nanmax(values) if good.any() else np.nan)
            return
        yield name, values[0]
        if self.lanes > 1:
            some = good.any()
            ends = np.percentile(values[good], BAND, axis=0) if some else np.full((2, *values.shape[1:]), np.nan)
            for end, quantile in zip(ENDS, ends, strict=True):
                yield f"{name}_{end}", quantile

    def typical(self, name: str, well: str, cohort: str) -> np.ndarray:
        """A readout of the typical donor over time (and generations)."""
        values = self.arrays[name][self.wells.index(well)]
        own = values if self.bands else values[0]
        return own[:, self.cohorts.index(cohort)]

    def variables(self, sets: int, people: int) -> dict[str, tuple]:
        """Variables of the Dataset; with draws, lanes become draws and donors."""
        out = {}
        for label, values in self.arrays.items():
            stem, _, end = label.rpartition("_")
            name = stem if end in ENDS and stem in self.dims else label
            lead: tuple[str, ...] = ("well",)
            if not self.bands:
                lead = ("well", "draw", "donor") if sets else ("well", "donor")
                if sets:
                    values = values.reshape(len(values), sets, people, *values.shape[2:])
            facts = attributes(name)
            if label != name:
                facts["long_name"] += f", {BAND[ENDS.index(end)]} % quantile"
            out[label] = ((*lead, *self.dims[name]), values, facts)
        return out


def bands(data: xarray.Dataset) -> xarray.Dataset:
    """The typical donor and the quantiles of a Dataset that holds every donor and draw."""
    lanes = [d for d in ("draw", "donor") if d in data.dims]
    if not lanes:
        return data
    out = {}
    for name, values in data.data_vars.items():
        if str(name).endswith(BALANCE):
            out[name] = values.max(lanes, keep_attrs=True)
            continue
        out[name] = values.isel(dict.fromkeys(lanes, 0), drop=True)
        if all(data.sizes[d] == 1 for d in lanes):
            continue
        for end, percent in zip(ENDS, BAND, strict=True):
            out[f"{name}_{end}"] = values.quantile(percent / 100, lanes, skipna=True, keep_attrs=True).drop_vars(
                "quantile"
            )
    kept = data.drop_vars([*data.data_vars, *lanes]).coords
    return data.__class__(out, coords=kept, attrs=data.attrs | {"band": WORDS})
