"""How the highest IL-2 of a culture scales with antigen and with the number of T cells: slopes of log on log.

A series holds everything fixed but one quantity. All series share one slope and each has a height of its own. The
slope is taken twice: over peaks within the limits of the assay alone, the same points for every prediction, with an
interval that resamples whole series; and over all peaks as a censored regression (Tobit), where data and predictions
are censored by the same limits. The first is flattened by what the floor cuts off, the second rests on a normal law.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from il2.fit.antigen_data import DESIGN, LEFT, RIGHT
from il2.fit.antigen_score import peaks

if TYPE_CHECKING:
    import pandas

AMOUNTS = {"antigen": "peptide_concentration_nM", "T cells": "t_cell_number"}
DRAWS, SEED, BAND = 1000, 0, (2.5, 97.5)
FEWEST_SERIES = 3  # for an interval
ROUNDS, SETTLED = 500, 1e-6  # of the censored regression
ALL, DATA = "all", "data"


def exponents(frame: pandas.DataFrame, predictions: Mapping[str, np.ndarray]) -> pandas.DataFrame:
    """One row a quantity (antigen, T cells), peptide (and all) and source of peaks (data, then each prediction).

    series, points, decades: what the slope rests on (decades: median span of a series). exponent, low, high: slope
    over uncensored peaks and 95 % interval. exponent_censored: slope by censored regression over all peaks.
    predictions: IL-2 in nM by name, for the rows of `frame`. Cultures with a drug do not enter.
    """
    import pandas

    plain = frame["drug_addition_time_h"].isna()
    tops = {name: peaks(frame[plain], np.asarray(told, float)[plain]) for name, told in predictions.items()}
    own = peaks(frame[plain], np.zeros(int(plain.sum())))
    design = frame[plain].drop_duplicates("condition").set_index("condition").loc[own.index, list(DESIGN)]
    inside = (own["censored"] == "").to_numpy()
    low, high = own["floor_nM"].to_numpy(float), own["ceiling_nM"].to_numpy(float)
    values = {DATA: np.select([own["censored"] == LEFT, own["censored"] == RIGHT], [low, high], own["peak_nM"])}
    values |= {name: top["predicted_peak_nM"].to_numpy(float) for name, top in tops.items()}
    records = []
    for quantity, column in AMOUNTS.items():
        fixed, amount = [name for name in DESIGN if name != column], design[column].to_numpy(float)
        series = design.groupby(fixed, sort=False, dropna=False).ngroup().to_numpy()
        for peptide in (ALL, *dict.fromkeys(design["peptide"])):
            chosen = (design["peptide"] == peptide).to_numpy() | (peptide == ALL)
            for name, value in values.items():
                use = chosen & inside
                found = slope(amount[use], value[use], series[use])
                whole = amount[chosen], value[chosen], series[chosen], low[chosen], high[chosen]
                found["exponent_censored"] = censored_slope(*whole)
                records.append({"quantity": quantity, "peptide": peptide, "of": name} | found)
    table = pandas.DataFrame(records)
    return table[table["series"] > 0].reset_index(drop=True)


def slope(amount: np.ndarray, value: np.ndarray, series: np.ndarray) -> dict[str, float]:
    """Common slope of log10 value on log10 amount over series with heights of their own, and its 95 % interval.

    amount, value, series: (n,). Series with one amount do not enter, nor values that are not above zero.
    """
    good = np.isfinite(value) & (value > 0) & (amount > 0)
    x, y = np.log10(amount[good]), np.log10(value[good])
    parts = []
    for one in dict.fromkeys(series[good].tolist()):
        own = series[good] == one
        if np.ptp(x[own]) > 0:
            dx, dy = x[own] - x[own].mean(), y[own] - y[own].mean()
            parts.append((dx @ dy, dx @ dx, own.sum(), np.ptp(x[own])))
    if not parts:
        return {"series": 0, "points": 0, "decades": np.nan, "exponent": np.nan, "low": np.nan, "high": np.nan}
    table = np.array(parts, float)
    low = high = np.nan
    if len(table) >= FEWEST_SERIES:
        drawn = table[np.random.default_rng(SEED).integers(len(table), size=(DRAWS, len(table)))].sum(axis=1)
        low, high = np.percentile(drawn[:, 0] / drawn[:, 1], BAND)
    return {
        "series": len(table), "points": int(table[:, 2].sum()), "decades": float(np.median(table[:, 3])),
        "exponent": float(table[:, 0].sum() / table[:, 1].sum()), "low": float(low), "high": float(high),
    }  # fmt: skip


def censored_slope(
    amount: np.ndarray, value: np.ndarray, series: np.ndarray, floor: np.ndarray, ceiling: np.ndarray
) -> float:
    """Common slope as in `slope`, with values at or beyond floor and ceiling censored there: the likeliest one under
    normal scatter of log10 value, found by expectation and maximisation. NaN where no series tells.

    amount, value, series, floor, ceiling: (n,).
    """
    from scipy.stats import norm

    known = np.isfinite(value) & (amount > 0)
    amount, value, series, floor, ceiling = (a[known] for a in (amount, value, series, floor, ceiling))
    left, right = value <= floor * (1 + SETTLED), value >= ceiling * (1 - SETTLED)
    inside = {s for s in dict.fromkeys(series[~(left | right)].tolist()) if np.ptp(amount[series == s]) > 0}
    use = np.isin(series, list(inside))
    if not inside or not (~(left | right))[use].any():
        return float("nan")
    left, right, codes = left[use], right[use], np.unique(series[use], return_inverse=True)[1]
    x, limit = np.log10(amount[use]), np.log10(np.where(left, floor[use], np.where(right, ceiling[use], value[use])))
    size = np.bincount(codes)
    x = x - (np.bincount(codes, x) / size)[codes]
    y, extra, power = limit.copy(), np.zeros_like(limit), np.nan
    for _ in range(ROUNDS):
        centre = (np.bincount(codes, y) / size)[codes]
        before, power = power, float(x @ y / (x @ x))
        fitted = centre + power * x
        spread = max(float(np.sqrt((((y - fitted) ** 2) + extra).mean())), SETTLED)
        if abs(power - before) < SETTLED:
            break
        side = np.where(left, -1.0, 1.0)
        z = side * (limit - fitted) / spread
        hazard = np.exp(norm.logpdf(z) - norm.logsf(z))
        off = left | right
        y = np.where(off, fitted + side * spread * hazard, limit)
        extra = np.where(off, spread**2 * np.maximum(1 + z * hazard - hazard**2, 0.0), 0.0)
    return power
