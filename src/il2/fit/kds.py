"""Measured affinities of ligands, from tables that lie beside a table of responses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from il2.errors import Il2Error
from il2.receptor.ligand import FC, FORMATS, KDS

if TYPE_CHECKING:
    import pandas

ASSAYS = {"octet": "octet_bli", "bli": "octet_bli", "biolayer": "octet_bli", "spr": "spr", "plasmon": "spr"}
TERMINI = {"fc_terminus", "terminus"}
BOUND_SIGNS = "<>≤≥~ "


def has_kds(table: pandas.DataFrame) -> bool:
    """Whether a table is one of affinities: ligands and at least one column of KDs."""
    return "ligand" in table.columns and bool({*KDS} & {*table.columns})


def with_kds(points: pandas.DataFrame, given: pandas.DataFrame, path: Path) -> pandas.DataFrame:
    """Points (columns of text) with KDs, assay and format of a table of affinities, for ligands that have none yet.

    Rows are joined by ligand, and by valency where both tables have it. A ligand that stands twice is an Il2Error.
    """
    keys = ["ligand"]
    if "valency" in given.columns and (points["valency"] != "").all():
        keys.append("valency")
    if (twice := given.duplicated(keys)).any():
        line = int(twice.to_numpy().argmax()) + 2
        name = given["ligand"].iloc[line - 2]
        raise Il2Error(f"the affinities of {name!r} stand here twice", where=f"{path}:{line}", how="Keep one row.")
    columns = {name: given[name] for name in (*KDS, "kd_assay") if name in given.columns}
    if "kd_assay" not in columns and "basis" in given.columns:
        columns["kd_assay"] = given["basis"].map(_assay)
    columns["format"] = (
        given["format"].map(known_format) if "format" in given.columns else given["ligand"].map(lambda _: "")
    )
    if TERMINI & {*given.columns}:
        columns["format"] = columns["format"].where(columns["format"] != "", FC)
    table = given[keys].assign(**columns)
    joined = points[keys].merge(table, how="left", on=keys).set_index(points.index)
    without = (points[list(KDS)] == "").all(axis=1) & joined[[*columns]].notna().any(axis=1)
    out = points.copy()
    for name in columns:
        taken = without & (out[name] == "")
        out.loc[taken, name] = joined.loc[taken, name].str.strip()
    return out


def known_format(text: str) -> str:
    """A format of the package; the number of heads stands in the valency. Empty for one that is not known."""
    if "fc" in text.casefold().replace("-", " ").split():
        return FC
    return next((form for form in FORMATS if form.casefold() == text.casefold()), "")


def unreadable(texts: pandas.Series) -> pandas.Series:
    """Which texts are there and are no KD."""
    return (texts != "") & bounds(texts).isna()


def bounds(texts: pandas.Series) -> pandas.Series:
    """KDs as numbers; of a bound, such as `>1000`, its value."""
    import pandas

    values = pandas.to_numeric(texts.str.lstrip(BOUND_SIGNS), errors="coerce").astype(float)
    return values.where(values > 0)


def _assay(basis: str) -> str:
    """The assay that a sentence names."""
    words = {word.strip(";:,.()").casefold() for word in basis.split()}
    return next((assay for word, assay in ASSAYS.items() if word in words), "")
