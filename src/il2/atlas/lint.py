"""Check the body of knowledge: a list of small checks, each of which returns typed findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from il2.errors import Il2Error
from il2.knowledge.table import Row, numbered, tables_folder

ERROR, WARNING = "error", "warning"
KEYS = {  # columns that name a row
    "affinities": ("ligand", "product"),
    "assay_references": ("assay", "format", "ligand", "interface", "reference"),
    "bands": ("assembly", "chromosome", "band"),
    "binding": ("target", "protocol", "IL2RG"),
    "body_cells": ("cell",),
    "calibrated": ("name",),
    "cell_traits": ("cell", "trait"),
    "cells": ("name",),
    "claims": ("id",),
    "columns": ("table", "column"),
    "conflicts": ("id",),
    "coordinates": ("entity", "assembly", "what"),
    "correlations": ("parameter", "other"),
    "count_spreads": ("receptor",),
    "criteria": ("experiment", "name"),
    "data_use": ("measurements", "ligand", "cell"),
    "drugs": ("name", "set"),
    "diseases": ("name",),
    "entities": ("name",),
    "experiments": ("id",),
    "heads": ("name",),
    "kinds": ("kind",),
    "loci": ("slot",),
    "mechanisms": ("claim", "model", "reaction"),
    "misattributions": ("term", "stated_for"),
    "molecules": ("name",),
    "numbers_in_code": ("file", "number"),
    "outcomes": ("name",),
    "output_inputs": ("product", "input"),
    "outputs": ("product",),
    "partners": ("name",),
    "patients": ("patient", "name"),
    "pathway": ("start", "end", "label"),
    "peptides": ("peptide", "system"),
    "predicates": ("name",),
    "prefixes": ("prefix",),
    "primer": ("order",),
    "priors": ("name", "uptake"),
    "promoters": ("gene", "factor", "effect"),
    "published_model": ("name",),
    "quantities": ("name",),
    "receptor_counts": ("cell", "receptor", "quantification"),
    "residues": ("symbol",),
    "ring_priors": ("name",),
    "sections": ("order",),
    "sequence_features": ("sequence", "feature", "start"),
    "sequences": ("name",),
    "sources": ("id",),
    "species": ("species", "name"),
    "target_runs": ("id",),
    "targets": ("id",),
    "variation": ("parameter",),
}


@dataclass(frozen=True)
class Finding:
    """id: of the check. where: file and line, or file and name. fix: how to mend it."""

    id: str
    severity: str
    where: str
    why: str
    fix: str


@dataclass(frozen=True)
class Tables:
    """Tables as text, by name, and the folder in which they stand."""

    folder: Path
    rows: Mapping[str, tuple[Row, ...]]

    def __getitem__(self, name: str) -> tuple[Row, ...]:
        return self.rows.get(name, ())

    def column(self, name: str, column: str) -> set[str]:
        return {row.fields[column] for row in self[name] if column in row.fields}

    def where(self, name: str, row: Row) -> str:
        return f"{self.folder / name}.csv:{row.line}"


Problem = tuple[str, str, str]
"""Where, why, and how to mend it."""


@dataclass(frozen=True)
class Check:
    id: str
    severity: str
    what: str
    run: Callable[[Tables], Iterator[Problem]]


def lint(folder: Path | None = None) -> list[Finding]:
    """Findings of every check on the tables of a folder; by default those of the package, with models and code.

    A table that cannot be read is a finding, and what depends on it goes unchecked; so do the models on an error.
    """
    from il2.atlas.link_checks import CHECKS as ON_LINKS
    from il2.atlas.model_checks import CHECKS as ON_MODELS
    from il2.atlas.table_checks import CHECKS as ON_TABLES

    tables, found = opened(folder or tables_folder())
    for check in (*ON_TABLES, *ON_LINKS):
        found += _findings(check, tables)
    if not folder and all(f.severity != ERROR for f in found):
        for check in ON_MODELS:
            found += _findings(check, tables)
    return found


def _findings(check: Check, tables: Tables) -> list[Finding]:
    try:
        return [Finding(check.id, check.severity, *problem) for problem in check.run(tables)]
    except KeyError as error:
        why = f"no column {error}, so {check.id} goes unchecked"
        return [Finding("unreadable", ERROR, str(tables.folder), why, "Put the column back.")]


def opened(folder: Path) -> tuple[Tables, list[Finding]]:
    """The tables of a folder, and what could not be read."""
    if not folder.is_dir():
        raise Il2Error("is no folder", where=str(folder), how="Name a folder of CSV tables.")
    found, broken = {}, []
    explained: dict[str, list[str]] = {}  # columns that a table has, by columns.csv
    for name in sorted(KEYS, key=lambda name: name != "columns"):
        path = folder / f"{name}.csv"
        if not path.is_file():
            broken.append(Finding("missing-table", ERROR, str(path), "the table is missing", "Put it back."))
            continue
        try:
            rows = numbered(path)
        except Il2Error as error:
            broken.append(
                Finding("unreadable", ERROR, error.where, error.what, error.how or error.why or "Mend the file.")
            )
            continue
        needed = dict.fromkeys((*KEYS[name], *explained.get(name, ())))
        lacking = [c for c in needed if rows and c not in rows[0].fields]
        if lacking or not rows:
            why = f"no column {', '.join(lacking)}" if lacking else "the table has no rows"
            broken.append(Finding("unreadable", ERROR, f"{path}:1", why, "Put the column or the rows back."))
            continue
        found[name] = rows
        if name == "columns":
            for row in rows:
                explained.setdefault(row.fields["table"], []).append(row.fields["column"])
    return Tables(folder, found), broken
