"""The report on antigen-driven IL-2 time courses: what was read, errors, exponents, baselines. Nothing is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from il2.errors import Il2Error
from il2.fit.antigen_baseline import BASELINES, CEILING
from il2.fit.antigen_data import answerable, counted, left_out, read
from il2.fit.antigen_scaling import ALL, DATA, exponents
from il2.fit.antigen_score import conditions, groups

Predictor = Callable[[pandas.DataFrame], np.ndarray]
DEFAULT = "default set"


@dataclass(frozen=True)
class AntigenReport:
    """folder: that was read. held: whether the part kept aside was scored. counted: conditions of both parts.
    left_out: reason, experiments, conditions, rows. groups: a row per prediction, class and level of conditions.
    exponents: a row per quantity, peptide and source of peaks. conditions: a row per prediction and condition.
    notes: what to keep in mind, in words."""

    folder: Path
    held: bool
    counted: pandas.DataFrame
    left_out: pandas.DataFrame
    groups: pandas.DataFrame
    exponents: pandas.DataFrame
    conditions: pandas.DataFrame
    notes: tuple[str, ...]


def antigen_report(
    folder: Path | str, *, held: bool = False, models: Mapping[str, Predictor] | None = None
) -> AntigenReport:
    """Score models and baselines on the set in `folder`.

    held: score the experiments that are kept aside, and no others; baselines read the others. models: rows of
    `antigen_data.answerable` to IL-2 in nM, NaN where there is no answer, by name; default those of `antigen_predict`.
    Raises Il2Error for a folder that cannot be read.
    """
    from il2.fit.antigen_predict import NOTES, predictors

    frame = read(folder)
    points, known = answerable(frame, kept_aside=held), answerable(frame)
    if points.empty:
        part = "of the experiments kept aside" if held else "of the experiments in use"
        raise Il2Error(f"no condition {part} can be answered", where=str(folder), how="See the reasons in the docs.")
    told = {name: predict(points) for name, predict in (predictors() if models is None else models).items()}
    beside = {name: predict(points, known) for name, predict in (BASELINES | CEILING).items()}
    every = told | beside
    return AntigenReport(
        Path(folder),
        held,
        counted(frame),
        left_out(frame),
        pandas.concat([groups(points, v).assign(prediction=name) for name, v in every.items()], ignore_index=True),
        exponents(points, told),
        pandas.concat([conditions(points, v).assign(prediction=name) for name, v in every.items()], ignore_index=True),
        NOTES,
    )


def summary(found: AntigenReport) -> pandas.DataFrame:
    """One row a prediction, over all conditions."""
    whole = found.groups[found.groups["class"] == "all"]
    return whole[["prediction", *(c for c in whole.columns if c not in ("prediction", "class", "level"))]]


def shown_exponents(found: AntigenReport) -> pandas.DataFrame:
    """Data and default set by peptide, and every other prediction over all peptides."""
    table = found.exponents
    return table[(table["peptide"] == ALL) | table["of"].isin((DATA, DEFAULT))]


def verdicts(found: AntigenReport) -> list[str]:
    """Against baselines and exponents, in words."""
    table = summary(found).set_index("prediction")
    if DEFAULT not in table.index or not table["points"].gt(0)[DEFAULT]:
        return ["The default set gives no prediction here; data and baselines stand alone."]
    none = found.conditions.query("prediction == @DEFAULT and points == 0")
    out = [f"The default set gives no answer for {len(none)} conditions."] if len(none) else []
    for column, name, sign in (
        ("error", "the error", 1.0),
        ("error_within_limits", "the error within the limits of the assay", 1.0),
        ("peak_error", "the error of the peaks", 1.0),
        ("spearman", "the ranks of the peaks", -1.0),
    ):
        scores = (sign * table[column].astype(float)).fillna(np.inf)
        worse = [other for other in BASELINES if scores[DEFAULT] >= scores[other]]
        says = "is no better than: " + ", ".join(worse) if worse else "beats every baseline"
        out.append(f"By {name} the default set {says}.")
    return out + _exponents(found.exponents)


def _exponents(table: pandas.DataFrame) -> list[str]:
    whole = table[table["peptide"] == ALL].to_dict("records")
    model = {row["quantity"]: row["exponent"] for row in whole if row["of"] == DEFAULT}
    out = []
    for row in whole:
        if row["of"] == DATA and row["quantity"] in model:
            told = model[row["quantity"]]
            place = "inside" if row["low"] <= told <= row["high"] else "outside"
            interval = f"{row['exponent']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
            out.append(f"Exponent with {row['quantity']}: data {interval}, default set {told:.2f}, {place}.")
    return out
