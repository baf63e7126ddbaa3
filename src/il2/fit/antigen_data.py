"""Time courses of IL-2 in cultures of T cells with peptide-pulsed cells: `il2_timeseries.csv` and
`detection_limits.csv` of a folder, checked, as one tidy frame.

A condition is one well of the design: everything that stands in `DESIGN`. Values at a limit of the assay are censored,
not measured. A third of the experiments is kept aside by a rule on their names.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from il2.errors import Il2Error
from il2.knowledge.table import Row, numbered, rows

if TYPE_CHECKING:
    import pandas

TABLE, LIMITS = "il2_timeseries.csv", "detection_limits.csv"
TEXT = (
    "experiment", "species", "peptide", "t_cell_type", "activation", "genotype", "tcr_antigen", "car_antigen",
    "apc_type", "apc", "tlr_agonist", "drug", "donor", "replicate",
)  # fmt: skip
NUMBERS = ("t_cell_number", "peptide_concentration_nM", "drug_addition_time_h")  # may be empty
VALUES = ("time_h", "il2_nM")
MARKS = ("at_experiment_minimum", "at_experiment_maximum", "suspect")
AMOUNT = "peptide_concentration"
BOUNDS = ("min_il2_nM", "max_il2_nM", "lod_lower_nM", "lod_upper_nM")
UNKNOWN_MAY_BE = BOUNDS[2:]
DESIGN = (*TEXT, *NUMBERS)
COLUMNS = (
    "condition", *DESIGN, "system", "potency", "t_cell_number_assumed", *VALUES, "floor_nM", "ceiling_nM", "censored",
    "held", "left_out",
)  # fmt: skip
USUAL_T_CELLS = 100_000.0  # convention of the source for runs that name no number
NONE = ("", "None")
TRUTH = {"true": True, "false": False}
ROUNDED = 1e-5  # values stand with six digits
KEPT_ASIDE = 3  # one experiment in so many
UNIT_NM = {"fM": 1e-6, "pM": 1e-3, "nM": 1.0, "uM": 1e3}
VEHICLES = ("", "Null", "DMSO")
DRUGS = {
    "JAK3i": "JAK inhibitor", "JAKi_AZD1480": "JAK inhibitor", "Ruxolitinib": "JAK inhibitor",
    "MEKi": "MEK inhibitor", "MEKi_AZD6244": "MEK inhibitor", "Dasatinib": "LCK inhibitor",
    "Dasatanib": "LCK inhibitor", "aIL-2": "anti-IL-2",
}  # fmt: skip
LEFT, RIGHT = "left", "right"


def held(experiment: str) -> bool:
    """Whether an experiment is kept aside: by the SHA-256 of its name, about one in three."""
    return int(hashlib.sha256(experiment.encode()).hexdigest(), 16) % KEPT_ASIDE == 0


def folders(place: Path | str) -> list[Path]:
    """The folder itself and its sub-folders, where they hold such a table."""
    place = Path(place)
    try:
        return sorted(path.parent for path in (*place.glob(TABLE), *place.glob(f"*/{TABLE}")))
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(place)) from error


def drug_class(drug: str) -> str:
    """What a drug of the set is to the model; empty for a vehicle or none, its own name where it is unknown."""
    return "" if drug in VEHICLES else DRUGS.get(drug, drug)


def read(folder: Path | str) -> pandas.DataFrame:
    """One row a measured value, columns `COLUMNS`.

    condition: number of the well of the design. il2_nM: as reported, between floor_nM and ceiling_nM unless it lies
    beyond the calibration. censored: left at or below the floor, right at or above the ceiling, else empty. potency:
    relative to the strongest peptide, NaN where it is not known. held: kept aside. left_out: why a row cannot be
    answered by the model, or empty. Raises Il2Error with file, line and column for what cannot be read.
    """
    import pandas

    path = Path(folder) / TABLE
    limits = _limits(Path(folder) / LIMITS)
    table = _table(path, (*TEXT, AMOUNT, *NUMBERS, *VALUES, *MARKS))
    records = [_record(path, row, limits) for row in table]
    frame = pandas.DataFrame(records)
    frame["condition"] = frame.groupby(list(DESIGN), sort=False, dropna=False).ngroup()
    twice = frame.duplicated(["condition", "time_h"])
    if twice.any():
        row = int(twice.to_numpy().argmax())
        what = f"the same well and time ({frame['time_h'][row]:g} h) stand here twice"
        raise Il2Error(what, where=f"{path}:{table[row].line}:time_h", how="Remove one, or name replicates.")
    frame["t_cell_number_assumed"] = frame["t_cell_number"].isna()
    frame["t_cell_number"] = frame["t_cell_number"].fillna(USUAL_T_CELLS)
    frame["censored"] = ""
    frame.loc[frame["il2_nM"] <= frame["floor_nM"] * (1 + ROUNDED), "censored"] = LEFT
    frame.loc[frame["il2_nM"] >= frame["ceiling_nM"] * (1 - ROUNDED), "censored"] = RIGHT
    known = {(r["system"], r["peptide"]): float(r["relative_potency"]) for r in rows("peptides")}
    frame["system"] = frame["t_cell_type"].where(~frame["t_cell_type"].isin(NONE), "OT1")
    frame.loc[frame["species"] == "human", "system"] = "human TCR"
    frame["potency"] = [
        known.get(key, math.nan) for key in zip(frame["system"], frame["peptide"], strict=True)
    ]  # fmt: skip
    frame["held"] = frame["experiment"].map({name: held(name) for name in frame["experiment"].unique()})
    frame["left_out"] = _left_out(frame)
    return frame[list(COLUMNS)]


REASONS: tuple[tuple[str, Callable[[pandas.DataFrame], pandas.Series]], ...] = (
    ("marked suspect", lambda f: f["suspect"]),
    ("antigen on tumour cells or for a chimeric receptor", lambda f: f["car_antigen"] != ""),
    ("tumour cells present the peptide", lambda f: f["apc_type"] == "Tumor"),
    ("no peptide", lambda f: f["peptide"].isin(NONE) | ~(f["peptide_concentration_nM"] > 0)),
    ("no potency is known for the peptide on this receptor", lambda f: f["potency"].isna()),
    ("T cells activated before", lambda f: ~f["activation"].isin(("", "Naive"))),
    ("dendritic cells or macrophages present the peptide", lambda f: ~f["apc_type"].isin(("", "Splenocyte"))),
    ("presenting cells stimulated", lambda f: ~f["tlr_agonist"].isin(NONE)),
    ("human IL-2 added, which the assay does not read", lambda f: f["drug"] == "rhIL-2"),
    ("a drug that the model does not hold", lambda f: ~f["drug"].isin((*VEHICLES, *DRUGS))),
)  # fmt: skip


def _left_out(frame: pandas.DataFrame) -> pandas.Series:
    """Why rows cannot be answered; the first reason stands."""
    import pandas

    out = pandas.Series("", index=frame.index)
    for reason, applies in REASONS:
        out[applies(frame) & (out == "")] = reason
    return out


def answerable(frame: pandas.DataFrame, *, kept_aside: bool = False) -> pandas.DataFrame:
    """Rows that the model can answer: of the experiments in use, or of those kept aside."""
    return frame[(frame["left_out"] == "") & (frame["held"] == kept_aside)].reset_index(drop=True)


def left_out(frame: pandas.DataFrame) -> pandas.DataFrame:
    """reason, experiments, conditions, rows of what does not enter. Of those kept aside nothing but these counts."""
    out = frame[frame["left_out"] != ""]
    counts = {"experiments": ("experiment", "nunique"), "conditions": ("condition", "nunique")}
    return out.groupby("left_out", sort=False).agg(**counts, rows=("time_h", "size")).reset_index(names="reason")


def counted(frame: pandas.DataFrame) -> pandas.DataFrame:
    """part (in use, kept aside), experiments, conditions, rows; of the part in use the censored shares, too."""
    records = []
    for name, aside in (("in use", False), ("kept aside", True)):
        part = answerable(frame, kept_aside=aside)
        record = {"part": name, "experiments": part["experiment"].nunique()}
        record |= {"conditions": part["condition"].nunique(), "rows": len(part)}
        shares = {side: math.nan if aside else float((part["censored"] == side).mean()) for side in (LEFT, RIGHT)}
        records.append(record | {"at_floor": shares[LEFT], "at_ceiling": shares[RIGHT]})
    import pandas

    return pandas.DataFrame(records)


def _table(path: Path, needed: tuple[str, ...]) -> tuple[Row, ...]:
    if not path.is_file():
        raise Il2Error("the table is missing", where=str(path), how=f"The folder must hold {TABLE} and {LIMITS}.")
    table = numbered(path)
    if not table:
        raise Il2Error("there are no rows below the header", where=f"{path}:1", how="Fill or remove it.")
    if missing := [name for name in needed if name not in table[0].fields]:
        raise Il2Error(f"the column {missing[0]!r} is missing", where=f"{path}:1", how=f"Needed: {', '.join(needed)}.")
    return table


def _record(path: Path, row: Row, limits: dict[str, tuple[float, float]]) -> dict[str, object]:
    text = {name: value.strip() for name, value in row.fields.items()}

    def fail(column: str, what: str, how: str = "Mend that row.") -> Il2Error:
        return Il2Error(f"{column} is {text[column]!r}, {what}", where=f"{path}:{row.line}:{column}", how=how)

    if text["experiment"] not in limits:
        raise fail("experiment", f"of which {LIMITS} has no row", "Add its limits.")
    if text["species"] not in ("mouse", "human"):
        raise fail("species", "not mouse or human")
    record: dict[str, object] = {name: text[name] for name in TEXT}
    for name in (*NUMBERS, *VALUES):
        if text[name] == "" and name in NUMBERS:
            record[name] = math.nan
            continue
        try:
            record[name] = value = float(text[name])
        except ValueError:
            raise fail(name, "not a number") from None
        if not math.isfinite(value) or value < 0 or (value == 0 and name in ("il2_nM", "t_cell_number")):
            raise fail(name, "not a finite number in range")
    for name in MARKS:
        if text[name].casefold() not in TRUTH:
            raise fail(name, "not True or False")
        record[name] = TRUTH[text[name].casefold()]
    written, given = _amount_nM(text[AMOUNT]), record["peptide_concentration_nM"]
    if written is not None and not (isinstance(given, float) and math.isclose(written, given, rel_tol=1e-6)):
        raise fail(AMOUNT, f"but peptide_concentration_nM is {text['peptide_concentration_nM']!r}")
    record["floor_nM"], record["ceiling_nM"] = limits[text["experiment"]]
    return record


def _amount_nM(text: str) -> float | None:
    """The concentration as it is written, 10pM, in nM; None where that cannot be told."""
    try:
        return float(text[:-2]) * UNIT_NM[text[-2:]]
    except (ValueError, KeyError):
        return None


def _limits(path: Path) -> dict[str, tuple[float, float]]:
    """Floor and ceiling per experiment: the known limits of the assay, else the extremes of the experiment."""
    out: dict[str, tuple[float, float]] = {}
    for row in _table(path, ("experiment", *BOUNDS)):
        name = row.fields["experiment"].strip()
        if name in out:
            raise Il2Error(f"{name!r} stands here twice", where=f"{path}:{row.line}:experiment", how="Remove one.")
        lowest, highest, floor, ceiling = (_bound(path, row, column) for column in BOUNDS)
        floor, ceiling = floor or lowest, ceiling or highest
        if floor >= ceiling:
            what = f"the floor, {floor:g} nM, is not below the ceiling, {ceiling:g} nM"
            raise Il2Error(what, where=f"{path}:{row.line}", how="Mend that row.")
        out[name] = floor, ceiling
    return out


def _bound(path: Path, row: Row, column: str) -> float:
    """A bound in nM; 0 for a limit of the assay that is not known."""
    text = row.fields[column].strip()
    if not text and column in UNKNOWN_MAY_BE:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        what = f"{column} is {text!r}, not a finite number above 0"
        raise Il2Error(what, where=f"{path}:{row.line}:{column}", how="Mend that row.")
    return value
