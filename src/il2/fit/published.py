"""The model published in 2021 as a baseline: its posterior re-run on this engine, on its own data and on blood cells.

Farhat et al., Cell Reports 2021;35:109044; draws in `data/published_posterior.csv`, network in
`il2.receptor.published`. The fit saw YT-1 cells alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from il2.engine.batch import parameter_rows
from il2.engine.observe import readouts
from il2.engine.solve import Tolerances, solve
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import measurements, rows
from il2.network.network import Network
from il2.network.program import Program, lower
from il2.receptor.head import head
from il2.receptor.model import ACTIVE, dose
from il2.receptor.published import (
    BETA,
    COMMON,
    RATES,
    Draw,
    Number,
    constant,
    fusion_factors,
    on_surface,
    parameters,
    published,
)
from il2.receptor.trafficking import count

RECORDED = ("Y_15", "Y_int", "Y_gc")
QUANTIFICATION = "farhat2021"
PLUS, MINUS = "YT-1 IL2Ra+", "YT-1 IL2Ra-"
KDS = ("kd_il2ra_nM", "kd_il2rbg_nM")
TOLERANCES = Tolerances(rtol=1e-8, atol=1e-8)


@cache
def draws() -> tuple[dict[str, float], ...]:
    """All compiled draws of the published posterior, by the columns of `data/published_posterior.csv`."""
    return tuple({name: float(text) for name, text in row.items()} for row in measurements("published_posterior"))


def sums_of_squares(draw: Draw) -> dict[str, float]:
    """The three sums of squares of the published fit, run again; the draw holds what was recorded under the same names.

    Y_15: pSTAT5 after 500 min of IL-2 or IL-15 at eight doses, active complexes over the same plus `scale_C5`, divided
    by the largest of all four curves. Y_int: surface IL2RB, Y_gc: surface IL2RG, both relative to the start. The
    preformed complex of IL-15 and IL15RA was not in the fit.
    """
    return {"Y_15": _pstat5(draw), "Y_int": _surface_il2rb(draw), "Y_gc": _surface_il2rg(draw)}


def _pstat5(draw: Draw) -> float:
    table = _measured("yt1_pstat5")
    curves = [(ligand, cell) for ligand in RATES for cell in (PLUS, MINUS)]
    seen = [_curve(table, ligand, cell).sort_values("dose_nM").pstat5_percent.to_numpy() for ligand, cell in curves]
    doses = np.geomspace(constant("YT1_lowest_dose"), constant("YT1_highest_dose"), len(seen[0]))
    active = np.stack(
        [_yt1(ligand, cell, draw, doses, [constant("YT1_pstat5_time")], ACTIVE)[:, 0] for ligand, cell in curves]
    )
    shown = active / (active + draw["scale_C5"])
    return float(np.sum((shown / shown.max() - np.stack(seen) / 100) ** 2))


def _surface_il2rb(draw: Draw) -> float:
    table, total = _measured("yt1_surface_il2rb"), 0.0
    for ligand in RATES:
        for cell in (PLUS, MINUS):
            total += _loss(ligand, cell, draw, _levels(table, ligand, cell, "surface_il2rb_percent"), on_surface(BETA))
    return total


def _surface_il2rg(draw: Draw) -> float:
    seen = _levels(_measured("yt1_surface_il2rg"), "IL2", MINUS, "surface_il2rg_percent")
    return _loss("IL2", MINUS, draw, seen, on_surface(COMMON))


def _levels(table: pd.DataFrame, ligand: str, cell: str, level: str) -> pd.DataFrame:
    return _curve(table, ligand, cell).pivot(index="dose_nM", columns="time_min", values=level)


def _loss(ligand: str, cell: str, draw: Draw, seen: pd.DataFrame, observable: str) -> float:
    """Sum of squares of a surface level relative to its start; `seen` in percent (doses x times, the first time 0)."""
    found = _yt1(ligand, cell, draw, seen.index.to_numpy(), seen.columns.to_numpy(float), observable)
    return float(np.sum((found / found[:, :1] - seen.to_numpy() / 100) ** 2))


def _measured(name: str) -> pd.DataFrame:
    table = pd.DataFrame(measurements(name))
    numbers = table.columns.difference(["ligand", "cell"])
    return table.astype(dict.fromkeys(numbers, float))


def _curve(table: pd.DataFrame, ligand: str, cell: str) -> pd.DataFrame:
    return table[(table.ligand == ligand) & (table.cell == cell)]


def _yt1(
    ligand: str, cell: str, draw: Draw, doses: np.ndarray, times: Sequence[float] | np.ndarray, observable: str
) -> np.ndarray:
    """An observable (doses, times) of YT-1 cells under a draw."""
    values = parameters(ligand, draw) | {dose(ligand): doses}
    if cell == MINUS and ligand == "IL2":
        values[count("IL2RA")] = 0.0
    return run(ligand, values, times, observable)


def run(
    ligand: str, values: dict[str, Number], times: Sequence[float] | np.ndarray, observable: str = ACTIVE
) -> np.ndarray:
    """An observable (lanes, times) of the published network of a ligand; times in min; NaN where a lane failed."""
    network, program = _lowered(ligand)
    p = parameter_rows(network, values)
    found = solve(program, p, np.asarray(times, float), tolerances=TOLERANCES)
    return readouts(network, [observable], found.y, p)[..., 0]


@cache
def _lowered(ligand: str) -> tuple[Network, Program]:
    network = published(ligand)
    return network, lower(network)


@cache
def counts() -> dict[str, dict[str, float]]:
    """Receptors per cell as the authors used them: geometric means of their stainings, and no IL15RA."""
    out: dict[str, dict[str, float]] = {}
    for row in rows("receptor_counts"):
        if row["quantification"] == QUANTIFICATION:
            out.setdefault(row["cell"], {"IL15RA": constant("PBMC_IL15RA_count")})
            out[row["cell"]][row["receptor"]] = float(row["count_per_cell"])
    return out


def predict(frame: pd.DataFrame, how_many: int | None = None, saturated: bool = False) -> np.ndarray:
    """Predicted responses (rows of the frame,) of blood cells: active complexes per cell, mean over draws.

    frame: columns `ligand`, `cell`, `time_min`, `dose_nM` and, for fusions, `kd_il2ra_nM` and `kd_il2rbg_nM`, empty for
    IL2 and IL15. A row with both KDs is an IL-2 fusion, whatever its name. how_many: draws, evenly spaced over those
    compiled; None for all. Eight of them differ from all by up to a fifth. NaN where a lane failed; what the model has
    no numbers for is an Il2Error.

    There is no STAT layer. As the authors compared blood cells, the response is in proportion to the active complexes;
    with `saturated` it is active over active plus `scale_C5` of the draw, as in their fit to YT-1 cells.

    Documented weakness: a KD of the heterodimer becomes k5rev = kfbnd * KD, and every other dissociation of IL2RB and
    IL2RG is scaled alike (see `il2.receptor.published.fusion_factors`). This equates a KD in solution with a rate on a
    membrane and makes the fusions of the paper 20 to 40 times weaker than IL-2 at each of both chains.
    """
    wells = _wells(frame)
    chosen = _spaced(draws(), how_many)
    out = np.full(len(frame), np.nan)
    times = np.unique(wells.time_min.to_numpy(float))
    for base, mine in wells.groupby("base"):
        lanes = mine[["cell", "dose_nM", *KDS]].drop_duplicates(ignore_index=True)
        lane = mine.merge(lanes.reset_index(), how="left", on=list(lanes.columns))["index"].to_numpy()
        shown = _mean(str(base), lanes, times, chosen, saturated)
        out[mine.index] = shown[lane, np.searchsorted(times, mine.time_min.to_numpy(float))]
    return out


def _mean(base: str, lanes: pd.DataFrame, times: np.ndarray, chosen: Sequence[Draw], saturated: bool) -> np.ndarray:
    """Mean response (lanes, times) over draws, all solved in one batch."""
    many = {name: np.repeat([draw[name] for draw in chosen], len(lanes)) for name in chosen[0]}

    def tiled(values: Sequence[float] | pd.Series) -> np.ndarray:
        return np.tile(np.asarray(values, float), len(chosen))

    values = parameters(base, many) | {dose(base): tiled(lanes.dose_nM)}
    for chain in head(base).chains:
        values[count(chain)] = tiled([counts()[cell][chain] for cell in lanes.cell])
    if base == "IL2":
        measured = tiled(lanes[KDS[0]].notna()) > 0
        factors = fusion_factors(many, tiled(lanes[KDS[0]]), tiled(lanes[KDS[1]]))
        values |= {name: np.where(measured, factor, 1.0) for name, factor in factors.items()}
    shown = run(base, values, times)
    if saturated:
        shown = shown / (shown + many["scale_C5"][:, None])
    return shown.reshape(len(chosen), len(lanes), len(times)).mean(axis=0)


def _wells(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, indexed from 0, with both KD columns and the ligand of the network, `base`."""
    wells = frame.reset_index(drop=True).reindex(columns=["ligand", "cell", "time_min", "dose_nM", *KDS])
    for cell in wells.cell.unique():
        if cell not in counts():
            how = did_you_mean(str(cell), counts())
            raise Il2Error(f"no receptor counts of {cell!r}", where=QUANTIFICATION, how=how)
    given = wells[list(KDS)].notna().sum(axis=1)
    plain = (given == 0) & wells.ligand.isin(RATES)
    for ligand in wells.ligand[~plain & (given < len(KDS))].unique():
        how = f"Give {' and '.join(KDS)}, or leave the row out."
        raise Il2Error(f"the published model has no affinities of {ligand!r}", where="predict", how=how)
    return wells.assign(base=wells.ligand.where(plain, "IL2"))


def _spaced(every: Sequence[Draw], how_many: int | None) -> list[Draw]:
    if how_many is None:
        return list(every)
    if not 1 <= how_many <= len(every):
        raise Il2Error(f"{how_many} draws are asked for", where="predict", how=f"Give 1 to {len(every)}.")
    return [every[i] for i in np.linspace(0, len(every) - 1, how_many).round().astype(int)]
