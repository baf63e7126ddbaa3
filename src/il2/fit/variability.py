"""What differences of receptors between cells alone make of the mean and variance of pSTAT5, against measured ones.

Every cell of a population answers on its own with its own numbers of receptors (`il2.fit.population`). Nothing is
fitted: predictions are compared up to the one scale of a plate, taken from the means, and the variance of the wells at
background is taken for noise that every well has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from il2.cell.inputs import known_counts
from il2.cell.simulate import lane_values, simulate
from il2.errors import Il2Error
from il2.fit.hill import fit, rising
from il2.fit.population import CELLS, VALUE, factors, spread
from il2.fit.score import EXCEEDS, FITS, PERCENTILE, PLATE, UNIT, backgrounds, r2
from il2.knowledge.cell import cell
from il2.knowledge.table import measurements
from il2.receptor.addition import mixture
from il2.receptor.ligand import ligand

if TYPE_CHECKING:
    import pandas

NEEDED = ("ligand", "cell", "time_min", "dose_nM")
MOMENTS = ("mean", "variance", "median", "of_median_cell")
SET = "single_cell_pstat5"
SAMPLE = ["ligand", "cell"]
PARTS = {"low": (0.1, 0.5), "top": (0.8, 1.0)}  # of the highest mean of a curve
LEAVES = 0.8  # a maximum lies inside the doses if the variance at the highest is at most this share of it


def predict_moments(
    wells: pandas.DataFrame, *, cells: int = CELLS, end: str = VALUE, threads: int | None = None
) -> pandas.DataFrame:
    """The wells with moments over cells of the phosphorylated share of STAT5.

    wells: columns ligand, cell, time_min, dose_nM; names of the catalogue. Adds `mean`, `variance` and `median` over
    cells, and `of_median_cell`, the answer of the cell with the median number of every chain. cells: per population.
    end: of the assumed spreads, see `il2.fit.population.spread`.
    """
    if missing := [name for name in NEEDED if name not in wells.columns]:
        raise Il2Error(f"the column {missing[0]!r} is missing", where="predict_moments")
    out = {name: np.full(len(wells), np.nan) for name in MOMENTS}
    doses, times = wells["dose_nM"].to_numpy(float), wells["time_min"].to_numpy(float)
    which = wells.groupby(SAMPLE, sort=False).ngroup().to_numpy()
    for group in np.unique(which):
        where = np.flatnonzero(which == group)
        item, own = ligand(wells["ligand"].iloc[where[0]]), cell(wells["cell"].iloc[where[0]])
        mix = mixture(item)
        medians = {chain: n.value for chain, n in known_counts(own.name, own.counts, mix, item).items()}
        chains = tuple(medians)
        every = np.vstack([np.ones(len(chains)), factors(spread(own.name, chains, end), cells)])
        levels, level = np.unique(doses[where], return_inverse=True)
        stops, stop = np.unique(times[where], return_inverse=True)
        counts = {chain: np.tile(medians[chain] * every[:, k], len(levels)) for k, chain in enumerate(chains)}
        lanes = lane_values(mix, np.repeat(levels, len(every)), counts)
        found = simulate(mix.system, lanes, stops, threads=threads).pstat5
        share = found.reshape(len(levels), len(every), len(stops))
        over = share[:, 1:]
        shown = over.mean(axis=1), over.var(axis=1), np.median(over, axis=1), share[:, 0]
        for column, values in zip(out.values(), shown, strict=True):
            column[where] = values[level, stop]
    return wells.assign(**out)


def measured_moments() -> pandas.DataFrame:
    """Wells of the table of single cells that may enter, with the median of the same well where another table has it.

    Columns: set, date, replicate, cell, ligand, valency, time_min, dose_nM, mean_rfu, variance_rfu2, median_rfu.
    """
    import pandas

    from il2.fit.measured import frame

    table = pandas.DataFrame(measurements(SET))
    rename = {"experiment_date": "date", "mean_pstat5_rfu": "mean_rfu", "variance_pstat5_rfu2": "variance_rfu2"}
    table = table[table["excluded"] == ""].rename(columns=rename).drop(columns="excluded")
    numbers = ["time_min", "dose_nM", "mean_rfu", "variance_rfu2"]
    table[numbers] = table[numbers].astype(float)
    plates = frame()
    plates = plates[(plates["unit"] == UNIT) & (plates["flag"] == "")].copy()
    plates["replicate"] = plates["replicate"].where(plates["replicate"] != "", "1")
    keys = ["ligand", "cell", "replicate", "time_min", "dose_nM"]
    medians = plates[[*keys, "value"]].rename(columns={"value": "median_rfu"})
    out = table.merge(medians, on=keys, how="left", validate="one_to_one").assign(set=SET, valency=1)
    return out.sort_values([*PLATE, "ligand", "time_min", "dose_nM"], ignore_index=True)


def aligned(cells: int = CELLS, end: str = VALUE, threads: int | None = None) -> pandas.DataFrame:
    """Measured and predicted moments in the unit of their plate, the 97th percentile of its means over background.

    Adds to `predict_moments(measured_moments())`: `seen_mean`, `seen_variance`, `seen_median`, `noise` (variance at
    background), `told_mean`, `told_variance` (noise included), `told_median`, `told_median_cell`. One scale a plate,
    fitted to the means.
    """
    frame = predict_moments(measured_moments(), cells=cells, end=end, threads=threads)
    seen = {"seen_mean": "mean_rfu", "seen_variance": "variance_rfu2", "seen_median": "median_rfu"}
    told = {"told_mean": "mean", "told_variance": "variance", "told_median": "median", "told_median_cell": MOMENTS[3]}
    out = {name: frame[column].to_numpy(float, copy=True) for name, column in (seen | told).items()}
    noise = np.zeros(len(frame))
    for sample, dark in backgrounds(frame):
        noise[sample] = np.median(out["seen_variance"][dark])
        for name, values in out.items():
            if name != "seen_variance":
                values[sample] -= np.nanmedian(values[dark])
    for plate in frame.groupby(PLATE, sort=False).indices.values():
        unit = np.percentile(out["seen_mean"][plate], PERCENTILE)
        y, f = out["seen_mean"][plate] / unit, out["told_mean"][plate]
        scale = max(float(f @ y) / float(f @ f), 0.0)
        for name, power in (("seen_mean", 1), ("seen_median", 1), ("seen_variance", 2)):
            out[name][plate] /= unit**power
        noise[plate] /= unit**2
        for name in told:
            out[name][plate] *= scale**2 if name == "told_variance" else scale
    out["told_variance"] = np.maximum(out["told_variance"] + noise, 0.0)
    return frame.assign(**out, noise=noise)


def compare(table: pandas.DataFrame | None = None) -> pandas.DataFrame:
    """One row per ligand and cell over all runs and times; `table` as `aligned()` gives it.

    wells, r2_mean; r2_sd, r_sd: R2 and correlation of standard deviations over cells; r2_sd_naive: R2 where every cell
    is the measured mean times one random factor, whose spread is fitted per plate.
    wells_cv, r_cv, cv_ratio: wells whose means exceed a fifth of the unit, the correlation of their log CV, and the
    median of predicted over measured CV. cv_low_*, cv_top_*: CV over background of wells with 10 to 50 % and with more
    than 80 % of the highest mean of their curve, measured and predicted.
    height: median over curves of predicted over measured largest variance over background. peaks: curves whose
    predicted variance has its maximum inside the doses, of those whose measured one has; peak_log10: median log10 of
    the ratio of their doses.
    shifts: curves with EC50s; shift_seen, shift_told, shift_median_cell: medians of log10 EC50 of mean over median,
    measured and predicted, and of predicted median over median cell.
    """
    import pandas

    table = aligned() if table is None else table
    table = table.assign(naive=_naive(table))
    return pandas.DataFrame(
        [dict(zip(SAMPLE, key, strict=True)) | _row(own) for key, own in table.groupby(SAMPLE, sort=False)]
    )


def _naive(table: pandas.DataFrame) -> np.ndarray:
    """Variance if spread goes with the measured mean: noise plus the mean squared times a factor fitted per plate."""
    out = table["noise"].to_numpy(float, copy=True)
    square = np.maximum(table["seen_mean"].to_numpy(), 0.0) ** 2
    over = table["seen_variance"].to_numpy() - out
    for plate in table.groupby(PLATE, sort=False).indices.values():
        out[plate] += square[plate] * max(float(square[plate] @ over[plate] / (square[plate] @ square[plate])), 0.0)
    return out


def _row(own: pandas.DataFrame) -> dict[str, object]:
    seen, told, naive = (np.sqrt(own[name].to_numpy()) for name in ("seen_variance", "told_variance", "naive"))
    high = ((own["seen_mean"] > EXCEEDS) & (own["told_mean"] > EXCEEDS)).to_numpy()
    cv = [np.log10(sd[high] / own.loc[high, mean]) for sd, mean in ((seen, "seen_mean"), (told, "told_mean"))]
    return {
        "wells": len(own), "r2_mean": r2(own["seen_mean"].to_numpy(), own["told_mean"].to_numpy()),
        "r2_sd": r2(seen, told), "r_sd": _correlation(seen, told), "r2_sd_naive": r2(seen, naive),
        "wells_cv": int(high.sum()), "r_cv": _correlation(*cv),
        "cv_ratio": float(10 ** np.median(cv[1] - cv[0])) if high.any() else np.nan,
    } | _ratios(own) | _peaks(own) | _shifts(own)  # fmt: skip


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 and np.ptp(a) > 0 and np.ptp(b) > 0 else np.nan


def _curves(own: pandas.DataFrame) -> list[pandas.DataFrame]:
    return [curve.sort_values("dose_nM") for _, curve in own.groupby([*PLATE, "time_min"], sort=False)]


def _ratios(own: pandas.DataFrame) -> dict[str, float]:
    """Medians over wells of the CV over background, where cells answer weakly and where they answer fully."""
    found: dict[str, list[np.ndarray]] = {}
    for curve in _curves(own):
        for side in ("seen", "told"):
            mean = curve[f"{side}_mean"].to_numpy()
            over = np.sqrt(np.maximum((curve[f"{side}_variance"] - curve["noise"]).to_numpy(), 0.0))
            share = mean / mean.max()
            for part, (low, high) in PARTS.items():
                inside = (share >= low) & (share <= high)
                found.setdefault(f"cv_{part}_{side}", []).append(over[inside] / mean[inside])
    return {name: float(np.median(np.concatenate(values))) for name, values in found.items()}


def _peaks(own: pandas.DataFrame) -> dict[str, object]:
    """Heights over all curves, and places of the maxima of those that have one inside the doses. Stray wells are many:
    the median of three neighbours stands for each."""
    heights, places = [], []
    for curve in _curves(own):
        over = [_smooth((curve[name] - curve["noise"]).to_numpy()) for name in ("seen_variance", "told_variance")]
        heights.append([values.max() for values in over])
        places.append([_inside(curve["dose_nM"].to_numpy(), values) for values in over])
    seen, told = np.array(places).T
    measured = np.isfinite(seen)
    error = np.log10(told / seen)
    top = np.array([pair for pair in heights if pair[0] > 0])
    return {
        "height": float(np.median(top[:, 1] / top[:, 0])) if len(top) else np.nan,
        "peaks": f"{np.isfinite(told[measured]).sum()} of {measured.sum()}",
        "peak_log10": float(np.nanmedian(error)) if np.isfinite(error).any() else np.nan,
    }


def _smooth(values: np.ndarray) -> np.ndarray:
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)


def _inside(doses: np.ndarray, values: np.ndarray) -> float:
    """Dose of the maximum, NaN where the values do not fall again by the highest dose."""
    return float(doses[values.argmax()]) if values.max() > 0 and values[-1] <= LEAVES * values.max() else np.nan


def _shifts(own: pandas.DataFrame) -> dict[str, object]:
    """EC50s of means against those of medians, and of the median over cells against that of the median cell."""
    names = ("seen_mean", "seen_median", "told_mean", "told_median", "told_median_cell")
    found = []
    for curve in _curves(own):
        curve = curve[np.isfinite(curve["seen_median"])]
        if len(curve) < 4:
            continue
        dose = np.log10(curve["dose_nM"].to_numpy())
        hills = fit(np.tile(dose, (len(names), 1)), rising(curve[list(names)].to_numpy().T))
        fits = (hills.r2 > FITS).all() and (hills.log10_ec50 > dose[0]).all() and (hills.log10_ec50 < dose[-1]).all()
        if fits and curve["seen_mean"].max() > EXCEEDS:
            found.append(hills.log10_ec50)
    if not found:
        return {"shifts": 0, "shift_seen": np.nan, "shift_told": np.nan, "shift_median_cell": np.nan}
    seen_mean, seen_median, told_mean, told_median, median_cell = np.array(found).T
    shifts = seen_mean - seen_median, told_mean - told_median, told_median - median_cell
    return {"shifts": len(found)} | {
        name: float(np.median(values))
        for name, values in zip(("shift_seen", "shift_told", "shift_median_cell"), shifts, strict=True)
    }
