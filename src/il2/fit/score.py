"""Scoring rules for predictions of plates: fluorescence of cells over doses and times, up to one scale per plate.

Background: the median of four wells, the two lowest doses at the two first times, per plate, ligand and cell; the same
wells are subtracted from the prediction. Scale: one least-squares factor through the origin per date, replicate and
cell over all ligands. Unit: the 97th percentile of the measured curves that a scale was found on. EC50: a Hill fit of
the rising part. Flagged rows do not enter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from il2.errors import Il2Error
from il2.fit.hill import fit, rising
from il2.knowledge.cell import cells

if TYPE_CHECKING:
    import pandas

UNIT = "rfu"  # the rules are for fluorescence
PERCENTILE, EXCEEDS, FITS, FLAT, FLAT_COUNTS = 97.0, 0.2, 0.8, 0.05, 3.0
BACKGROUND_WELLS = (2, 2)  # doses from below, times from the first
LATEST_EARLY_min = 60.0
PLATE = ["set", "date", "replicate", "cell"]
SAMPLE = [*PLATE, "ligand", "valency"]
CURVE = [*SAMPLE, "time_min"]
NEEDED = [*CURVE, "dose_nM", "value", "unit", "format", "flag", "predicted"]
WINDOWS = {"all": (-np.inf, np.inf), "early": (-np.inf, LATEST_EARLY_min), "late": (LATEST_EARLY_min, np.inf)}
FC = "Fc fusion"


@dataclass(frozen=True)
class Scores:
    """Points that entered (`measured`, `expected` in units of the reference, one row a well), and curves with
    `ec50_nM`, `ec50_predicted_nM`, `log10_error` (predicted over measured) and `counted`."""

    points: pandas.DataFrame
    curves: pandas.DataFrame

    def table(self) -> pandas.DataFrame:
        """One row per group of ligands, group of cells and window of time: n and R2 of the points, n of the counted
        curves, median error and bias (median with its sign) of the EC50 in log10, shares within 2- and 3-fold."""
        groups = cell_groups()
        others = tuple(name for name in self.points["cell"].unique() if name not in groups["ten"])
        return _rows(self, "group", groups | ({"other": others} if others else {}))

    def detail(self) -> pandas.DataFrame:
        """The same per ligand and per cell."""
        return _rows(self, "label", {name: (name,) for name in self.points["cell"].unique()})


def score(frame: pandas.DataFrame) -> Scores:
    """Scores of the column `predicted` (pSTAT5 up to a scale) of a frame of `il2.fit.measured.frame`."""
    return _score(frame, PLATE)


def shape(frame: pandas.DataFrame) -> Scores:
    """As `score`, with a scale per ligand too: what is then compared is the shape alone."""
    return _score(frame, SAMPLE)


def cell_groups() -> dict[str, tuple[str, ...]]:
    """The core populations, and all of the default run."""
    default = [kind for kind in cells().values() if kind.in_default_run]
    core = tuple(kind.name for kind in default if not kind.parent)
    return {"core": core, "ten": tuple(kind.name for kind in default)}


def kept(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Rows that may enter, by curve and dose, with the names of their ligand and of its group."""
    if missing := [name for name in NEEDED if name not in frame.columns]:
        raise Il2Error(
            f"the column {missing[0]!r} is missing", where="score", how="Start from `il2.fit.measured.frame`."
        )
    finite = np.isfinite(frame["value"]) & np.isfinite(frame["predicted"].astype(float)) & (frame["dose_nM"] > 0)
    rows = frame[(frame["unit"] == UNIT) & (frame["flag"] == "") & finite]
    if rows.empty:
        raise Il2Error("no row can be scored", where="score", why="all are flagged, not fluorescence or not predicted")
    heads = rows["valency"].fillna(1).astype(int)
    several = np.where(heads > 1, ", valency " + heads.astype(str), "")
    group = np.where(rows["format"].str.startswith(FC), FC + "s", rows["ligand"])
    rows = rows.assign(valency=heads, group=group + several, label=rows["ligand"] + several)
    return rows.sort_values([*CURVE, "dose_nM"], kind="stable").reset_index(drop=True)


def _score(frame: pandas.DataFrame, scaled: list[str]) -> Scores:
    import pandas

    rows = kept(frame)
    measured, expected = (rows[name].to_numpy(float, copy=True) for name in ("value", "predicted"))
    for wells in backgrounds(rows):
        sample, dark = wells
        measured[sample] -= np.median(measured[dark])
        expected[sample] -= np.median(expected[dark])
    for plate in rows.groupby(scaled, sort=False).indices.values():
        y, f = measured[plate], expected[plate]
        reference = np.percentile(y, PERCENTILE)
        if not reference > 0:
            reference = np.nan  # nothing rises above the background: there is no unit
        size = f @ f
        factor = max(float(f @ y) / size, 0.0) if size > 0 else 0.0
        measured[plate], expected[plate] = y / reference, factor * f / reference
    points = rows.assign(measured=measured, expected=expected)
    points = points[np.isfinite(points["measured"])].reset_index(drop=True)
    number = points.groupby(CURVE, sort=False).ngroup().to_numpy()
    first = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
    keys = points.loc[first, [*CURVE, "group", "label"]].reset_index(drop=True)
    found = _ec50s(points, number, first)
    return Scores(points, pandas.concat([keys, pandas.DataFrame(found)], axis=1))


def backgrounds(rows: pandas.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row numbers of each sample and of its background wells."""
    doses, times = BACKGROUND_WELLS
    time, number = rows["time_min"].to_numpy(), rows.groupby(CURVE, sort=False).cumcount().to_numpy()
    for members in rows.groupby(SAMPLE, sort=False).indices.values():
        sample = np.asarray(members)
        first = np.unique(time[sample])[:times]
        yield sample, sample[np.isin(time[sample], first) & (number[sample] < doses)]


def _ec50s(points: pandas.DataFrame, number: np.ndarray, first: np.ndarray) -> dict[str, np.ndarray]:
    place = np.arange(len(number)) - first[number]
    dose, seen, told = (np.full((len(first), place.max() + 1), np.nan) for _ in range(3))
    dose[number, place] = np.log10(points["dose_nM"])
    seen[number, place], told[number, place] = points["measured"], points["expected"]
    n = len(first)
    hills = fit(np.concatenate([dose, dose]), np.concatenate([rising(seen), rising(told)]))
    lowest, highest = np.nanmin(dose, axis=1), np.nanmax(dose, axis=1)
    inside = (hills.log10_ec50[:n] >= lowest) & (hills.log10_ec50[:n] <= highest)
    counted = (np.nanmax(seen, axis=1) > EXCEEDS) & (hills.r2[:n] > FITS) & inside
    flat = ~(np.nanmax(told, axis=1) - np.nanmin(told, axis=1) > FLAT)
    beyond = np.log10(FLAT_COUNTS)
    expected = np.where(flat, highest + beyond, np.clip(hills.log10_ec50[n:], lowest - beyond, highest + beyond))
    error = np.where(counted, expected - hills.log10_ec50[:n], np.nan)
    return {
        "ec50_nM": 10.0 ** hills.log10_ec50[:n], "ec50_predicted_nM": 10.0**expected, "hill_r2": hills.r2[:n],
        "flat": flat, "counted": counted, "log10_error": error,
    }  # fmt: skip


def r2(measured: np.ndarray, expected: np.ndarray) -> float:
    """Share of the variance of pooled points that is explained; NaN for fewer than two or equal points."""
    spread = float(((measured - measured.mean()) ** 2).sum()) if len(measured) else 0.0
    return 1.0 - float(((measured - expected) ** 2).sum()) / spread if spread > 0 else np.nan


def _rows(of: Scores, by: str, groups: dict[str, tuple[str, ...]]) -> pandas.DataFrame:
    import pandas

    out = []
    for source, ligand in of.points[["set", by]].drop_duplicates().itertuples(index=False):
        own = [frame[(frame["set"] == source) & (frame[by] == ligand)] for frame in (of.points, of.curves)]
        for cell, members in groups.items():
            own_cells = [frame[frame["cell"].isin(members)] for frame in own]
            for window, (after, to) in WINDOWS.items():
                points, curves = (f[(f["time_min"] > after) & (f["time_min"] <= to)] for f in own_cells)
                if len(points):
                    out.append(
                        {"set": source, "ligands": ligand, "cells": cell, "times": window} | _row(points, curves)
                    )
    return pandas.DataFrame(out)


def _row(points: pandas.DataFrame, curves: pandas.DataFrame) -> dict[str, float]:
    error = curves["log10_error"].to_numpy()[curves["counted"].to_numpy()]
    size = np.abs(error)
    some = len(error) > 0
    return {
        "points": len(points),
        "r2": r2(points["measured"].to_numpy(), points["expected"].to_numpy()),
        "curves": len(curves),
        "counted": len(error),
        "median_abs_log10_ec50": float(np.median(size)) if some else np.nan,
        "bias_log10_ec50": float(np.median(error)) if some else np.nan,
        "within_2_fold": float((size <= np.log10(2)).mean()) if some else np.nan,
        "within_3_fold": float((size <= np.log10(3)).mean()) if some else np.nan,
    }
