"""Naive predictions of IL-2 time courses, and another experiment as the prediction of one.

Each reads other experiments only, and never those kept aside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from il2.fit.antigen_score import treatment

if TYPE_CHECKING:
    import pandas

AMOUNT = "peptide_concentration_nM"
SAME = ["system", "peptide", AMOUNT, "t_cell_number"]
Reference = Callable[["pandas.DataFrame", "pandas.DataFrame"], np.ndarray]


def nothing(frame: pandas.DataFrame, known: pandas.DataFrame) -> np.ndarray:
    """No IL-2 above the floor of the assay: what a prediction earns where most values are censored."""
    return frame["floor_nM"].to_numpy(float)


def mean_course(frame: pandas.DataFrame, known: pandas.DataFrame) -> np.ndarray:
    """IL-2 in nM for the rows of `frame`: the geometric mean course of all conditions of the other experiments."""
    return _by_experiment(frame, known, lambda own, courses, first: courses.mean(axis=0))


def scaled_by_dose(frame: pandas.DataFrame, known: pandas.DataFrame) -> np.ndarray:
    """The mean course times a power of the peptide concentration; the power is the slope over the other experiments,
    whatever the peptide."""

    def told(own: pandas.DataFrame, courses: np.ndarray, first: pandas.DataFrame) -> np.ndarray:
        dose, level = np.log10(first[AMOUNT].to_numpy(float)), courses.mean(axis=1)
        centred = dose - dose.mean()
        power = (centred @ level) / (centred @ centred) if np.ptp(dose) > 0 else 0.0
        return courses.mean(axis=0) + power * (np.log10(own[AMOUNT].to_numpy(float)) - dose.mean())

    return _by_experiment(frame, known, told)


def other_experiment(frame: pandas.DataFrame, known: pandas.DataFrame) -> np.ndarray:
    """The geometric mean course of the same peptide, dose, number of T cells and treatment in other experiments; NaN
    where there is none. No model can be expected to do better."""

    def told(own: pandas.DataFrame, courses: np.ndarray, first: pandas.DataFrame) -> np.ndarray:
        keys, mine = _keys(first), _keys(own)
        out = np.full(len(own), np.nan)
        for key in set(mine) & set(keys):
            rows = np.array([k == key for k in mine])
            out[rows] = courses[[k == key for k in keys]][:, rows].mean(axis=0)
        return out

    return _by_experiment(frame, known, told)


BASELINES: dict[str, Reference] = {
    "no IL-2": nothing,
    "mean course": mean_course,
    "mean course, scaled by dose": scaled_by_dose,
}
CEILING: dict[str, Reference] = {"other experiment (ceiling)": other_experiment}


def _keys(frame: pandas.DataFrame) -> list[tuple]:
    return [(*key, way) for key, way in zip(frame[SAME].itertuples(index=False), treatment(frame), strict=True)]


def _by_experiment(
    frame: pandas.DataFrame,
    known: pandas.DataFrame,
    told: Callable[[pandas.DataFrame, np.ndarray, pandas.DataFrame], np.ndarray],
) -> np.ndarray:
    """Per experiment: rows of it, log10 courses of the conditions of the others at the times of those rows, and the
    first row of each of those conditions, to log10 IL-2."""
    courses = {
        c: (own["time_h"].to_numpy(float), np.log10(own["il2_nM"].to_numpy(float)))
        for c, own in known.sort_values("time_h", kind="stable").groupby("condition", sort=False)
    }
    first = known.drop_duplicates("condition").set_index("condition", drop=False)
    out = np.full(len(frame), np.nan)
    for experiment, places in frame.groupby("experiment", sort=False).indices.items():
        others = first[first["experiment"] != experiment]
        own = frame.iloc[places]
        if len(others):
            times = own["time_h"].to_numpy(float)
            table = np.array([np.interp(times, *courses[c]) for c in others["condition"]])
            out[places] = 10 ** told(own, table, others)
    return out
