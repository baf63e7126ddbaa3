"""`respond`: how cells answer doses of ligands over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from il2 import __version__
from il2.cell.simulate import lane_values, simulate
from il2.cell.spread import count_draws, factor_draws, parameter_draws
from il2.errors import Il2Error
from il2.knowledge.cell import CHAINS, Count, cell, default_cells
from il2.knowledge.parameters import CURRENT, fingerprint
from il2.knowledge.quantity import quantities, weakest
from il2.knowledge.table import rows
from il2.receptor.ligand import Ligand, interface_factors, ligand
from il2.receptor.ligand import ligands as known_ligands
from il2.signalling.response import response

if TYPE_CHECKING:
    import pandas
    import xarray

DEFAULT_DOSES_nM = tuple(84.0 / 3.0**k for k in range(11, -1, -1))
DEFAULT_TIMES_min = (30.0, 60.0, 120.0, 240.0)
MOST_VALUES = 20_000_000
BAND = (5.0, 95.0)


def respond(
    ligands: str | Ligand | Sequence[str | Ligand] = "IL2",
    cells: str | Sequence[str] | Mapping[str, Mapping[str, float]] | None = None,
    doses_nM: Sequence[float] = DEFAULT_DOSES_nM,
    times_min: Sequence[float] = DEFAULT_TIMES_min,
    *,
    spread_draws: int = 0,
    seed: int = 0,
    cells_per_mL: float | None = None,
    threads: int | None = None,
) -> xarray.Dataset:
    """pSTAT5 and active complexes of cells under single ligands.

    ligands: names, or `Ligand` values with KDs of your own. cells: names, or a mapping of a name to counts
    of IL2RA, IL2RB, IL2RG (and IL15RA) per cell; default the ten PBMC populations. doses_nM: molecules, above
    zero. times_min: rising. spread_draws: number of draws from the ranges of counts and parameters for the
    bands. cells_per_mL: take up the ligand by so many cells of each kind alone; default clamped.

    Returns a Dataset with dims ligand, cell, dose_nM, time_min and variables `pstat5` (fraction of STAT5),
    `active_complexes` (molecules per cell) and, with draws, `pstat5_low` and `pstat5_high`; units, sources,
    grade, parameter set and warnings in attrs. Raises Il2Error for what cannot be answered.
    """
    import xarray

    chosen = [ligand(item) if isinstance(item, str) else item for item in _listed(ligands)]
    inventory = _inventory(cells)
    _distinct("ligand", [item.name for item in chosen])
    doses = _numbers(doses_nM, "doses_nM", positive=True)
    times = _numbers(times_min, "times_min", positive=False)
    if (np.diff(times) <= 0).any():
        raise Il2Error("times_min are not rising", where="respond")
    if cells_per_mL is not None and not (np.isfinite(cells_per_mL) and cells_per_mL > 0):
        raise Il2Error(
            f"cells_per_mL is {cells_per_mL:g}", how="Give a number above zero, or none to clamp the ligand."
        )
    lanes = len(chosen) * len(inventory) * len(doses) * max(1, spread_draws)
    if lanes * len(times) > MOST_VALUES:
        raise Il2Error(
            f"{lanes * len(times):,} values asked for",
            why=f"the limit of one call is {MOST_VALUES:,}",
            how="Ask for fewer doses, times, cells or draws, or use a plate.",
        )
    depleted = cells_per_mL is not None
    extra = {} if cells_per_mL is None else {"cells_per_mL": cells_per_mL}
    shape = (len(chosen), len(inventory), len(doses), len(times))
    pstat5, active = np.empty(shape), np.empty(shape)
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    warnings: list[str] = []
    for i, item in enumerate(chosen):
        factors, notes = interface_factors(item)
        warnings += [f"{item.name}: {note}" for note in notes]
        for j, (name, counts) in enumerate(inventory.items()):
            values = lane_values(item.base, doses, {c: counts[c].value for c in CHAINS}, factors) | extra
            out = simulate(item.base, values, times, depleted=depleted, threads=threads)
            pstat5[i, j], active[i, j] = out.pstat5, out.active
            warnings += [f"{item.name} on {name} at {doses[k]:g} nM: {r}" for k, r in enumerate(out.reasons) if r]
            if spread_draws:
                spread = _spread(item, name, counts, doses, spread_draws, seed) | extra
                drawn = simulate(item.base, spread, times, depleted=depleted, threads=threads).pstat5
                drawn = drawn.reshape(spread_draws, len(doses), len(times))
                low[i, j], high[i, j] = np.nanpercentile(drawn, BAND, axis=0)
    dims = ("ligand", "cell", "dose_nM", "time_min")
    variables: dict[str, tuple] = {
        "pstat5": (dims, pstat5, {"units": "fraction of STAT5", "long_name": "phosphorylated STAT5"}),
        "active_complexes": (dims, active, {"units": "molecules per cell", "long_name": "active receptor complexes"}),
        "receptors_per_cell": (
            ("cell", "receptor"),
            [[counts[chain].value for chain in CHAINS] for counts in inventory.values()],
            {"units": "molecules per cell", "long_name": "receptors per cell"},
        ),
    }
    if spread_draws:
        text = {"units": "fraction of STAT5", "draws": spread_draws, "seed": seed}
        variables["pstat5_low"] = (dims, low, text | {"long_name": f"{BAND[0]:g} % quantile over draws"})
        variables["pstat5_high"] = (dims, high, text | {"long_name": f"{BAND[1]:g} % quantile over draws"})
    return xarray.Dataset(
        variables,
        coords={
            "ligand": [item.name for item in chosen],
            "cell": list(inventory),
            "dose_nM": ("dose_nM", doses, {"units": "nM", "long_name": "dose, molecules"}),
            "time_min": ("time_min", times, {"units": "min", "long_name": "time"}),
            "receptor": list(CHAINS),
        },
        attrs=_attributes(chosen, inventory, warnings, cells_per_mL)
        | {"own_cells": list(inventory) if isinstance(cells, Mapping) else []},
    )


def ec50_table(data: xarray.Dataset) -> pandas.DataFrame:
    """EC50 (nM) per ligand, cell and time, next to the measured value and their quotient.

    An EC50 is that of the doses asked for; the quotient is left out where they do not span the measured EC50.
    """
    import pandas

    from il2.cell.ec50 import ec50
    from il2.cell.measured import comparable, measured_ec50

    doses = data.dose_nM.values
    records = []
    for name in data.ligand.values:
        for kind in data.cell.values:
            for time in data.time_min.values:
                one = data.pstat5.sel(ligand=name, cell=kind, time_min=time).values
                known = comparable(data, str(name), str(kind))
                measured, lowest, highest = measured_ec50(str(name), str(kind), float(time)) if known else (np.nan,) * 3
                predicted = ec50(doses, one)
                fold = predicted / measured if doses.min() <= measured <= doses.max() else np.nan
                records.append((name, kind, time, predicted, measured, lowest, highest, fold))
    columns = [
        "ligand",
        "cell",
        "time_min",
        "EC50_nM",
        "measured_EC50_nM",
        "measured_low_nM",
        "measured_high_nM",
        "fold",
    ]
    return pandas.DataFrame(records, columns=columns)


def _spread(item: Ligand, name, counts, doses, draws, seed):
    """Values of lanes (draw, dose): every draw of counts, affinities and parameters at every dose."""
    chains, factors = (
        {chain: np.repeat(v, len(doses)) for chain, v in table.items()}
        for table in (count_draws(name, counts, draws, seed), factor_draws(item, draws, seed))
    )
    values = lane_values(item.base, np.tile(doses, draws), chains, factors)
    return values | {n: np.repeat(v, len(doses)) for n, v in parameter_draws(item.base, draws, seed).items()}


def _listed(value) -> list:
    return [value] if isinstance(value, (str, Ligand)) else list(value)


def _inventory(cells) -> dict[str, dict[str, Count]]:
    if isinstance(cells, Mapping):
        _distinct("cell", list(cells))
        return {name: _own_counts(name, counts) for name, counts in cells.items()}
    names = default_cells() if cells is None else _listed(cells)
    kinds = [cell(name) for name in names]
    _distinct("cell", [kind.name for kind in kinds])
    table = {}
    for kind in kinds:
        missing = Count(0.0, 0.0, 0.0, "assumed", ())
        table[kind.name] = {c: kind.counts.get(c, missing) for c in CHAINS}
    return table


def _distinct(what: str, names: list[str]) -> None:
    if not names:
        raise Il2Error(f"no {what} is named", where="respond", how="Give at least one.")
    if len(set(names)) < len(names):
        raise Il2Error(f"the {what} {max(names, key=names.count)!r} is named twice", how="Give every one its own name.")


def _own_counts(name: str, counts: Mapping[str, float]) -> dict[str, Count]:
    out = {}
    for chain in CHAINS:
        value = counts.get(chain, 0.0 if chain == "IL15RA" else None)
        if value is None:
            raise Il2Error(
                f"no {chain} count for {name!r}", how="Give IL2RA, IL2RB and IL2RG per cell (IL15RA: 0 if left out)."
            )
        if not (np.isfinite(value) and value >= 0):
            raise Il2Error(f"{chain} of {name!r} is {value:g} per cell", how="Give a finite number from 0 up.")
        out[chain] = Count(float(value), float(value), float(value), "high", ("user",))
    return out


def _numbers(values: Sequence[float], name: str, positive: bool) -> np.ndarray:
    array = np.atleast_1d(np.asarray(values, dtype=float))
    if array.ndim != 1 or not len(array):
        raise Il2Error(f"{name} is empty", where="respond", how="Give at least one number.")
    bad = array[~np.isfinite(array) | ((array <= 0) if positive else (array < 0))]
    if len(bad):
        limit = "above zero" if positive else "from zero up"
        raise Il2Error(f"{name} holds {bad[0]:g}", where="respond", how=f"Give finite numbers {limit}.")
    return array


def _attributes(chosen: list[Ligand], inventory, warnings: list[str], cells_per_mL) -> dict[str, object]:
    used = [c for counts in inventory.values() for c in counts.values()]
    bases = {item.base for item in chosen}
    known = [q for name, q in quantities().items() if any(name in response(base).parameter_names for base in bases)]
    tables = [row for row in rows("affinities") if row["ligand"] in bases]
    tables += [row for row in rows("ligands") if row["name"] in {item.name for item in chosen}]
    tables += [row for row in rows("assay_references") if row["assay"] in {item.assay for item in chosen if item.kds}]
    sources = {s for x in (*used, *known) for s in x.sources} | {s for row in tables for s in row["sources"].split(";")}
    return {
        "title": "pSTAT5 response predicted by il2",
        "il2_version": __version__,
        "parameter_set": CURRENT,
        "parameter_hash": fingerprint(),
        "ligand_supply": "clamped" if cells_per_mL is None else f"depleted by {cells_per_mL:g} cells/mL of one kind",
        "weakest_grade": weakest([x.grade for x in (*used, *known)] + [row["grade"] for row in tables]),
        "status": "band",
        "sources": "; ".join(sorted(sources - {"assumed", "user"})),
        "own_ligands": [item.name for item in chosen if known_ligands().get(item.name) != item],
        "warnings": list(dict.fromkeys(warnings)),
    }
