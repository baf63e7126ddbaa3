"""Everything side by side: the default parameter set, the published model, naive baselines and the noise ceiling, on
every measured set, by one set of scoring rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas

from il2.errors import Il2Error
from il2.fit import baseline
from il2.fit.antigen_data import folders
from il2.fit.antigen_report import AntigenReport, antigen_report
from il2.fit.measured import RFU, frame, recognised
from il2.fit.predicted import by_name, default_set
from il2.fit.score import Scores, score, shape
from il2.fit.small import small_sets

Predictor = Callable[[pandas.DataFrame], np.ndarray]
DEFAULT, SHAPE, PUBLISHED, CEILING = "default set", "default set, shape", "published model", "other run (ceiling)"
RAMP = "dose ramp"
NAMED = "default set, errors of the assay fitted"
BASELINES: dict[str, Predictor] = {
    RAMP: baseline.dose_ramp,
    "wild type reused": baseline.wild_type_reused,
    "shifted by KD, IL2RA": baseline.shifted_by_private_chain,
    "shifted by KD, IL2RB:IL2RG": baseline.shifted_by_heterodimer,
}
PUBLISHED_MODULE = "il2.fit.published"
KEYS = ["set", "ligands", "cells", "times", "prediction", "use"]


@dataclass(frozen=True)
class Validation:
    """What was measured and what each prediction gives.

    frame: measured points with a column per prediction. scores: of the predictions of plates. table: a row per set,
    group of ligands, group of cells, window of time and prediction. detail: the same per ligand and cell. small: a row
    per curve of the small sets and prediction. left_out: set, ligand, reason, rows. antigen: reports on sets of
    antigen-driven IL-2 time courses.
    """

    frame: pandas.DataFrame
    scores: Mapping[str, Scores]
    table: pandas.DataFrame
    detail: pandas.DataFrame
    small: pandas.DataFrame
    left_out: pandas.DataFrame
    antigen: tuple[AntigenReport, ...] = ()


def predictors() -> dict[str, Predictor]:
    """Predictions by name: rows of `il2.fit.measured.frame` to pSTAT5 up to a scale, NaN where there is none."""
    found: dict[str, Predictor] = {DEFAULT: default_set, NAMED: by_name}
    if find_spec(PUBLISHED_MODULE):
        found[PUBLISHED] = _published
    return found | BASELINES | {CEILING: baseline.other_run}


def _published(points: pandas.DataFrame) -> np.ndarray:
    """The published model where it has numbers: blood cells that its authors counted, one head, IL-2, IL-15 or a fusion
    with both KDs."""
    model = import_module(PUBLISHED_MODULE)
    kds = points[list(model.KDS)].notna().sum(axis=1)
    known = (kds == len(model.KDS)) | ((kds == 0) & points["ligand"].isin(model.RATES))
    known &= _plates(points) & (points["valency"] == 1) & points["cell"].isin(model.counts())
    out = np.full(len(points), np.nan)
    if known.any():
        out[known] = model.predict(points[known])
    return out


def validate(
    folder: Path | str | None = None, predictions: Mapping[str, Predictor] | None = None, *, held: bool = False
) -> Validation:
    """Score predictions on the compiled sets, and on every set found in `folder` too.

    predictions: by name; default `predictors()`. held: of antigen-driven IL-2 time courses score the experiments that
    are kept aside, and no others. Raises Il2Error for a folder without tables that are recognised.
    """
    driven = folders(folder) if folder is not None else []
    if held and not driven:
        how = "Name a folder of antigen-driven IL-2 time courses with --data."
        raise Il2Error("nothing is kept aside here", where="--held", how=how)
    reports = tuple(antigen_report(place, held=held) for place in driven)
    points = frame()
    if folder is not None and (not driven or _has_responses(Path(folder))):
        own = frame(folder)
        own["set"] = [f"{name} (data)" if name in set(points["set"]) else name for name in own["set"]]
        points = pandas.concat([points, own], ignore_index=True)
    chosen = predictors() if predictions is None else dict(predictions)
    scores, small = {}, []
    for name, predict in chosen.items():
        told = np.asarray(predict(points), float)
        if told.shape != (len(points),):
            raise Il2Error(f"{name} gives {told.shape} values for {len(points)} rows", where="validate")
        points[name] = told
        given = points.assign(predicted=told)
        if np.isfinite(told[_plates(points)]).any():
            scores[name] = score(given)
            if name == DEFAULT:
                scores[SHAPE] = shape(given)
        if name in (DEFAULT, PUBLISHED):
            small.append(small_sets(given).assign(prediction=name))
    return Validation(
        points,
        scores,
        _beside({name: of.table() for name, of in scores.items()}, points, scores),
        _beside({name: of.detail() for name, of in scores.items()}, points, scores),
        pandas.concat(small, ignore_index=True) if small else pandas.DataFrame(),
        _left_out(points, chosen),
        reports,
    )


def _has_responses(folder: Path) -> bool:
    """Whether a table of responses stands beside what was read already."""
    for path in (*folder.glob("*.csv"), *folder.glob("*/*.csv")):
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            if recognised(file.readline().strip().split(",")):
                return True
    return False


def _plates(points: pandas.DataFrame) -> np.ndarray:
    return ((points["unit"] == RFU) & (points["flag"] == "")).to_numpy()


def _beside(tables: dict[str, pandas.DataFrame], points: pandas.DataFrame, scores: dict) -> pandas.DataFrame:
    """Tables below one another, sorted so that the predictions of one thing stand together."""
    if not tables:
        return pandas.DataFrame()
    every = pandas.concat([table.assign(prediction=name) for name, table in tables.items()], ignore_index=True)
    uses: dict[tuple[str, str], str] = {}
    for of in scores.values():
        for label in ("group", "label"):
            for key, part in of.points.groupby(["set", label])["use"]:
                uses[key] = "; ".join(sorted(set(part)))
    every["use"] = [uses[key] for key in zip(every["set"], every["ligands"], strict=True)]
    order = {name: n for n, name in enumerate(tables)}
    names = ["set", "ligands", "cells", "times", "prediction"]
    ranks = {c: {v: n for n, v in enumerate(dict.fromkeys(every[c]))} for c in names[:4]} | {"prediction": order}
    place = pandas.DataFrame({c: every[c].map(ranks[c]) for c in names}).sort_values(names, kind="stable").index
    every = every.loc[place]
    return every[KEYS + [c for c in every.columns if c not in KEYS]].reset_index(drop=True)


def _left_out(points: pandas.DataFrame, chosen: Mapping[str, Predictor]) -> pandas.DataFrame:
    """Rows that do not enter: flagged, or without a prediction of the default set."""
    reason = points["flag"].copy()
    if DEFAULT in chosen:
        reason[(reason == "") & points[DEFAULT].isna()] = "not predicted"
    out = points.assign(reason=reason)[reason != ""]
    return out.groupby(["set", "ligand", "reason"], sort=False).size().rename("rows").reset_index()


def wide(table: pandas.DataFrame) -> pandas.DataFrame:
    """A row per set, ligands, cells and prediction, with the windows of time side by side."""
    named = {
        "r2": "R2", "median_abs_log10_ec50": "EC50", "within_2_fold": "in 2x", "within_3_fold": "in 3x",
        "bias_log10_ec50": "bias",
    }  # fmt: skip
    keys = ["set", "ligands", "cells", "use", "prediction"]
    whole = table[table["times"] == "all"].set_index(keys)
    out = whole[["points", "counted", *named]].rename(columns=named)
    for window in ("early", "late"):
        part = table[table["times"] == window].set_index(keys)
        for column in ("r2", "median_abs_log10_ec50"):
            out[f"{named[column]} {window}"] = part[column].reindex(out.index)
    order = [
        "points",
        "R2",
        "R2 early",
        "R2 late",
        "counted",
        "EC50",
        "EC50 early",
        "EC50 late",
        "bias",
        "in 2x",
        "in 3x",
    ]
    return out[order].reset_index()


def best_baselines(table: pandas.DataFrame) -> pandas.DataFrame:
    """Per set, ligands and cells: whether the default set beats every naive baseline by R2 and by EC50, at all times.

    A curve of the parent reused for the parent itself is another run of it and no baseline.
    """
    out = []
    for key, rows in table[table["times"] == "all"].groupby(["set", "ligands", "cells"], sort=False):
        against = [RAMP] if key[1] == baseline.PARENT else [*BASELINES]
        own, naive = rows[rows["prediction"] == DEFAULT], rows[rows["prediction"].isin(against)]
        if len(own) and len(naive):
            r2, error = own["r2"].iloc[0], own["median_abs_log10_ec50"].iloc[0]
            beats = r2 > naive["r2"].max(), error < naive["median_abs_log10_ec50"].min()
            out.append(dict(zip(("set", "ligands", "cells"), key, strict=True), beats_r2=beats[0], beats_ec50=beats[1]))
    return pandas.DataFrame(out)
