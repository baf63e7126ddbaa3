"""Scores of predicted IL-2 time courses: errors in log10 that honour the limits of the assay, peaks and their ranks.

A prediction below the floor of a value that is censored there is no error, nor is one above a ceiling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from il2.errors import Il2Error
from il2.fit.antigen_data import LEFT, RIGHT, drug_class

if TYPE_CHECKING:
    import pandas

NEEDED = ("condition", "time_h", "il2_nM", "floor_nM", "ceiling_nM", "censored")
FAINTEST = 1e-3  # of the floor: a prediction of nothing counts as this much
TWO, TEN = np.log10(2.0), 1.0
CLASSES = ("peptide", "peptide_concentration_nM", "t_cell_number", "treatment", "experiment")


def errors(frame: pandas.DataFrame, predicted: np.ndarray) -> np.ndarray:
    """log10 of predicted over measured (n,), 0 on the right side of a limit, NaN where nothing is predicted.

    predicted: IL-2 in nM for the rows of `frame`. Raises Il2Error for another number of values, or negative ones.
    """
    told = np.asarray(predicted, float)
    if missing := [name for name in NEEDED if name not in frame.columns]:
        raise Il2Error(f"the column {missing[0]!r} is missing", where="score", how="Start from `antigen_data.read`.")
    if told.shape != (len(frame),):
        raise Il2Error(f"{told.shape} predicted values for {len(frame)} rows", where="score")
    if np.isinf(told).any() or (told < 0).any():
        raise Il2Error("a predicted concentration is negative or infinite", where="score")
    floor, ceiling = frame["floor_nM"].to_numpy(float), frame["ceiling_nM"].to_numpy(float)
    side = frame["censored"].to_numpy()
    measured = np.select([side == LEFT, side == RIGHT], [floor, ceiling], frame["il2_nM"].to_numpy(float))
    off = np.log10(np.maximum(told, FAINTEST * floor) / measured)
    return np.select([side == LEFT, side == RIGHT], [np.maximum(off, 0.0), np.minimum(off, 0.0)], off)


def peaks(frame: pandas.DataFrame, predicted: np.ndarray) -> pandas.DataFrame:
    """One row a condition, in order: measured and predicted peak (nM) and its time (h), and how the peak is censored:
    left where the whole course lies at the floor, right where it touches the ceiling.

    At a ceiling the time is the middle of the samples there. Predictions are read at the measured times.
    """
    import pandas

    given = frame[list(NEEDED)].assign(predicted=np.asarray(predicted, float))
    records = []
    for condition, own in given.groupby("condition", sort=False):
        side, value, time, told = (own[c].to_numpy() for c in ("censored", "il2_nM", "time_h", "predicted"))
        at_top = side == RIGHT
        record = {"condition": condition, "floor_nM": own["floor_nM"].iloc[0], "ceiling_nM": own["ceiling_nM"].iloc[0]}
        record["censored"] = RIGHT if at_top.any() else LEFT if (side == LEFT).all() else ""
        record["peak_nM"] = record["ceiling_nM"] if at_top.any() else value.max()
        whole = np.isfinite(told).all()
        record["predicted_peak_nM"] = told.max() if whole else np.nan
        record["time_of_peak_h"] = float(np.median(time[at_top])) if at_top.any() else time[value.argmax()]
        if record["censored"] == LEFT:
            record["time_of_peak_h"] = np.nan
        record["predicted_time_of_peak_h"] = time[told.argmax()] if whole and told.max() > 0 else np.nan
        records.append(record)
    return pandas.DataFrame(records).set_index("condition", drop=False).rename_axis(None)


def conditions(frame: pandas.DataFrame, predicted: np.ndarray) -> pandas.DataFrame:
    """One row a condition: what it is, points and how many are censored, median absolute error (log10), the same within
    the limits of the assay alone, median error with its sign, log10 of the ratio of peaks (0 on the right side of a
    limit), and both times of the peak."""
    off = errors(frame, predicted)
    seen = np.where(frame["censored"] == "", np.abs(off), np.nan)
    given = frame.assign(off=off, absolute=np.abs(off), seen=seen, treatment=treatment(frame))
    out = given.groupby("condition", sort=False).agg(
        **{name: (name, "first") for name in CLASSES},
        points=("off", "count"), at_floor=("censored", lambda s: int((s == LEFT).sum())),
        at_ceiling=("censored", lambda s: int((s == RIGHT).sum())), error=("absolute", "median"),
        error_within_limits=("seen", "median"), bias=("off", "median"),
    )  # fmt: skip
    top = peaks(frame, predicted)
    side = top["censored"].to_numpy()
    told = np.maximum(top["predicted_peak_nM"], FAINTEST * top["floor_nM"])
    ratio = np.log10(told / top["peak_nM"]).to_numpy()
    ratio = np.select([side == LEFT, side == RIGHT], [np.maximum(ratio, 0.0), np.minimum(ratio, 0.0)], ratio)
    shown = ["peak_nM", "predicted_peak_nM", "time_of_peak_h", "predicted_time_of_peak_h"]
    return out.join(top[shown]).assign(log10_peak_ratio=ratio, peak_censored=side).reset_index()


def treatment(frame: pandas.DataFrame) -> list[str]:
    """Class of the drug and when it was added, or none."""
    return [
        f"{kind} at {hour:g} h" if (kind := drug_class(drug)) else "none"
        for drug, hour in zip(frame["drug"], frame["drug_addition_time_h"], strict=True)
    ]


def groups(frame: pandas.DataFrame, predicted: np.ndarray) -> pandas.DataFrame:
    """One row a level of each class of conditions (`CLASSES`) and one of all: conditions, points; medians over
    conditions of the error, the error within the limits of the assay alone, the error with its sign (bias), log10 of
    the peak ratio (with its sign, and absolute); shares of points within 2- and 10-fold; median difference of peak
    times (h); rank correlation of the peaks."""
    import pandas

    each = conditions(frame, predicted)
    off = pandas.Series(errors(frame, predicted), index=frame["condition"].to_numpy())
    top = peaks(frame, predicted)
    records = [{"class": "all", "level": "all"} | _summary(each, off, top)]
    for name in CLASSES:
        for level, part in each.groupby(name, sort=True):
            shown = f"{level:g}" if isinstance(level, float) else str(level)
            records.append({"class": name, "level": shown} | _summary(part, off, top))
    return pandas.DataFrame(records)


def _summary(part: pandas.DataFrame, off: pandas.Series, top: pandas.DataFrame) -> dict[str, float]:
    part = part[part["points"] > 0]
    own = off[off.index.isin(part["condition"])].abs().dropna()
    ratio = part["log10_peak_ratio"]
    late = part["predicted_time_of_peak_h"] - part["time_of_peak_h"]
    return {
        "conditions": len(part), "points": len(own), "error": part["error"].median(),
        "error_within_limits": part["error_within_limits"].median(), "bias": part["bias"].median(),
        "peak_bias": ratio.median(), "peak_error": ratio.abs().median(),
        "within_2_fold": float((own <= TWO).mean()) if len(own) else np.nan,
        "within_10_fold": float((own <= TEN).mean()) if len(own) else np.nan,
        "peak_later_h": late.median(), "spearman": spearman(top.loc[part["condition"]]),
    }  # fmt: skip


def spearman(top: pandas.DataFrame) -> float:
    """Rank correlation of measured and predicted peaks; a prediction beyond a limit of the assay stands at the limit,
    as a measured value would. NaN for fewer than three, or where either does not vary."""
    from scipy.stats import spearmanr

    known = top[np.isfinite(top["predicted_peak_nM"])]
    told = known["predicted_peak_nM"].clip(known["floor_nM"], known["ceiling_nM"]).to_numpy()
    measured = known["peak_nM"].to_numpy()
    if len(known) < 3 or not (np.ptp(told) and np.ptp(measured)):
        return float("nan")
    return float(spearmanr(measured, told).statistic)
