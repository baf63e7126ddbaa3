"""Measured points of every kind of table in one frame, from the compiled tables or from a folder of a user's own.

A table is recognised by its columns, never by its name or by the names in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from il2.errors import Il2Error
from il2.fit.kds import bounds, has_kds, known_format, unreadable, with_kds
from il2.knowledge.cell import CHAINS, cell, cells, is_cell
from il2.knowledge.table import data_folder, rows
from il2.receptor.ligand import KDS, is_ligand

if TYPE_CHECKING:
    import pandas

RFU, PERCENT, AU = "rfu", "percent", "au"
GONNORD, PREDICTION = "CD4_naive_Gonnord", "prediction"
PSTAT5, IL2RB, IL2RG, BOUND = "pSTAT5", "surface IL2RB", "surface IL2RG", "bound"
TEXT = ("date", "replicate", "ligand", "cell", "readout", "format", "kd_assay")
NUMBERS = ("time_min", "dose_nM", "value", "valency", *KDS, "kd_nM", "receptors_per_cell", *CHAINS)
SIGNED = ("value",)  # a background may have been subtracted
COLUMNS = (
    "set", "date", "replicate", "ligand", "cell", "time_min", "dose_nM", "value", "unit", "readout", "flag", "use",
    *KDS, "kd_assay", "format", "valency", "kd_nM", "receptors_per_cell", *CHAINS,
)  # fmt: skip
ALIASES = {
    "date": ("experiment_date",),
    "replicate": ("curve",),
    "cell": ("cell_type", "cell_line"),
    "ligand": ("clone", "fibronectin_clone"),
    "dose_nM": ("nanoring_concentration_nM",),
    "kd_nM": ("monomer_kd_nM",),
    "receptors_per_cell": ("receptor_per_cell",),
}
FLAGS = {"suspect_well": "suspect well", "is_zero_treatment_well": "zero-treatment well"}
SYMBOLS = {"IL2Ra": "IL2RA", "IL2Rb": "IL2RB", "gc": "IL2RG", "IL15Ra": "IL15RA"}


@dataclass(frozen=True)
class Kind:
    """A kind of table: names of the column of values, what they are, the columns that it must have besides, and the
    compiled tables of the kind."""

    values: tuple[str, ...]
    unit: str
    readout: str
    needs: tuple[str, ...]
    compiled: tuple[str, ...]
    cell: str = ""  # where there is no column of cells


DOSED, TIMED = ("ligand", "cell", "dose_nM"), ("ligand", "cell", "time_min", "dose_nM")
RINGS = ("ligand", "kd_nM", "valency", "receptors_per_cell", "dose_nM")
KINDS = (
    Kind(("pstat5_rfu", "median_pstat5_rfu"), RFU, PSTAT5, TIMED, ("pbmc_pstat5", "fc_fusion_pstat5")),
    Kind(("pstat5_percent", "pstat5_pct_max"), PERCENT, PSTAT5, DOSED, ("yt1_pstat5",)),
    Kind(("surface_il2rb_percent", "surface_il2rb_pct"), PERCENT, IL2RB, TIMED, ("yt1_surface_il2rb",)),
    Kind(("surface_il2rg_percent", "surface_gc_pct"), PERCENT, IL2RG, TIMED, ("yt1_surface_il2rg",)),
    Kind(("signal_au", "median_signal_au"), AU, "", ("ligand", "time_min", "dose_nM", "readout"),
         ("il4_il7_dose_response",), GONNORD),
    Kind(("fluorescence_au",), AU, BOUND, RINGS, ("multivalent_binding",), "MCF-7"),
)  # fmt: skip


def frame(folder: Path | str | None = None) -> pandas.DataFrame:
    """One row a data point, columns `COLUMNS`: the compiled tables, or every table that is recognised in a folder.

    value: in `unit` (rfu: fluorescence; percent; au: arbitrary); time_min: NaN where none is recorded. flag: why a row
    is left out, or empty. use: what the default parameter set made of it. kd_*: measured KDs in nM of `kd_assay`.
    Raises Il2Error for a folder that cannot be read or that holds no such table.
    """
    import pandas

    place = data_folder() if folder is None else Path(folder)
    if not place.is_dir():
        what = "is no folder" if place.exists() else "the folder does not exist"
        raise Il2Error(what, where=str(place), how="Give a folder that holds CSV tables.")
    try:
        paths = sorted(p for p in (*place.glob("*.csv"), *place.glob("*/*.csv")) if p.parent.name != "raw")
        tables = {path: _read(path) for path in paths}
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(error.filename or place)) from error
    found = {path: kind for path, table in tables.items() if (kind := recognised(list(table.columns)))}
    if not found:
        raise Il2Error(
            "no table of measurements is recognised",
            where=str(place),
            why=f"{len(tables)} CSV files, none with the columns of a kind that is known",
            how="See docs/validation.md for the columns.",
        )
    parts = []
    for path, kind in found.items():
        beside = [other for other in found if other.parent == path.parent]
        name = path.stem if path.parent == place else path.parent.name + (f"/{path.stem}" if len(beside) > 1 else "")
        affinities = {p: t for p, t in tables.items() if p.parent == path.parent and p not in found and has_kds(t)}
        parts.append(_points(path, name, kind, tables[path], affinities))
    return pandas.concat(parts, ignore_index=True)


def recognised(columns: list[str]) -> Kind | None:
    """The kind of table with these columns, or None."""
    have = {*columns, *(name for name, others in ALIASES.items() if {*others} & {*columns})}
    return next((k for k in KINDS if {*k.values} & have and {*k.needs} <= have), None)


def _read(path: Path) -> pandas.DataFrame:
    import pandas

    try:
        return pandas.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except pandas.errors.EmptyDataError:
        return pandas.DataFrame()
    except (UnicodeDecodeError, pandas.errors.ParserError) as error:
        raise Il2Error(
            "is no regular CSV", where=str(path), why=str(error).strip(), how="Mend or remove it."
        ) from error


def _points(path: Path, name: str, kind: Kind, table: pandas.DataFrame, affinities: dict) -> pandas.DataFrame:
    import pandas

    if table.empty:
        raise Il2Error("there are no rows below the header", where=str(path), how="Fill or remove it.")
    out = pandas.DataFrame(index=table.index)
    for column in (*TEXT, *NUMBERS):
        source = next((c for c in (column, *ALIASES.get(column, ())) if c in table.columns), None)
        out[column] = table[source].str.strip() if source else ""
    out["value"] = table[next(v for v in kind.values if v in table.columns)]
    if {"cell_line", "il2ra_status"} <= {*table.columns}:
        out["cell"] = table["cell_line"] + " " + table["il2ra_status"]
    out["cell"] = out["cell"].where(out["cell"] != "", kind.cell)
    out["cell"] = [cell(c).name if is_cell(c) else c for c in out["cell"]]
    if kind.readout == BOUND:
        out["ligand"] = out["ligand"] + " nanoring"
    out["readout"] = kind.readout or out["readout"]
    for old, new in SYMBOLS.items():
        out["ligand"] = out["ligand"].str.replace(rf"\b{old}\b", new, regex=True)
    for source, given in affinities.items():
        out = with_kds(out, given, source)
    unread = out[list(KDS)].apply(unreadable).any(axis=1)
    out[list(KDS)] = out[list(KDS)].apply(bounds)
    for column in (c for c in NUMBERS if c not in KDS):
        out[column] = _numbers(out[column], path, column, needed=column in kind.needs)
    return out.assign(
        set=name, unit=kind.unit, format=out["format"].map(known_format),
        valency=out["valency"].fillna(1.0), flag=_flags(out, table, kind, unread),
        use=_use(out, kind),
    )[list(COLUMNS)]  # fmt: skip


def _use(out: pandas.DataFrame, kind: Kind) -> list[str]:
    """What the default set made of the compiled points of the same kind, ligand and cell: none, of several heads."""
    table = {(r["ligand"], r["cell"]): r["use"] for r in rows("data_use") if r["measurements"] in kind.compiled}
    several = (out["valency"] > 1) & (kind.readout != BOUND)
    return [
        PREDICTION if more else table.get((name, place), table.get((name, "all"), PREDICTION))
        for name, place, more in zip(out["ligand"], out["cell"], several, strict=True)
    ]


def _numbers(values: pandas.Series, path: Path, column: str, needed: bool) -> pandas.Series:
    import pandas

    numbers = pandas.to_numeric(values, errors="coerce")
    bad = numbers.isna() & ((values != "") | needed)
    if bad.any():
        row = int(bad.to_numpy().argmax())
        text = values.iloc[row]
        raise Il2Error(f"{column} is {text!r}, not a number", where=f"{path}:{row + 2}", how="Mend that row.")
    numbers = numbers.astype(float)
    bad = (numbers.abs() == float("inf")) | ((numbers < 0) & (column not in SIGNED))
    if bad.any():
        row = int(bad.to_numpy().argmax())
        what = f"{column} is {values.iloc[row]!r}, not a finite number{'' if column in SIGNED else ' from 0 up'}"
        raise Il2Error(what, where=f"{path}:{row + 2}", how="Mend that row.")
    return numbers


def _flags(out: pandas.DataFrame, table: pandas.DataFrame, kind: Kind, unread: pandas.Series) -> pandas.Series:
    """Why rows are left out; the first reason stands."""
    import numpy as np
    import pandas

    flag = table["excluded"].copy() if "excluded" in table.columns else pandas.Series("", index=table.index)

    def mark(where, reason: str) -> None:
        flag[where & (flag == "")] = reason

    for column, reason in FLAGS.items():
        if column in table.columns:
            mark(table[column].str.casefold().isin(("true", "yes", "1")), reason)
    mark(out["value"].isna(), "no value")
    mark(unread, "KD that is no number")
    if kind.readout == BOUND:
        return flag
    mark(out["dose_nM"] == 0, "untreated well")
    measured = out[list(KDS)].notna().any(axis=1)
    mark(~measured & ~out["ligand"].map(is_ligand), "no measured affinity")
    counted = out[["IL2RB", "IL2RG"]].notna().all(axis=1)
    mark(~counted & ~out["cell"].map(is_cell), "no receptor counts")
    if kind.unit == RFU:
        highest = out["value"].abs().groupby([out["ligand"], out["cell"]]).transform("max")
        mark(highest == 0, "values of zero only")
        mark(np.isin(out["cell"], _poor()), "subset without counts of its own staining")
    return flag


def _poor() -> list[str]:
    """Subsets of the default populations that do not belong to the default run."""
    table = cells()
    return [k.name for k in table.values() if k.parent and not k.in_default_run and table[k.parent].in_default_run]
