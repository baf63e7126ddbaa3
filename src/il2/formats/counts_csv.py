"""Receptor counts of your own cells: a CSV with the column cell and the chains that are known, IL2RA, IL2RB and so on.

Which chains a ligand needs is not known here: what is missing for one is found when it is asked for.
"""

from __future__ import annotations

import csv
import difflib
import math
from pathlib import Path

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import CHAINS

MOST_CELLS = 10_000


def read_counts(path: Path) -> dict[str, dict[str, float]]:
    """Counts per cell and chain by name of the cell; the whole file is refused for any bad row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            _check_columns(columns, str(path))
            table: dict[str, dict[str, float]] = {}
            for row in reader:
                where = f"{path}:{reader.line_num}"
                name = (row["cell"] or "").strip()
                if not name.isprintable():
                    raise Il2Error(f"the name {name!r} is not a text of one line", where=where)
                if not name or name in table:
                    raise Il2Error("the cell has no name" if not name else f"{name!r} stands twice", where=where)
                table[name] = {c: _count(row[c], c, where) for c in CHAINS if c in columns and (row[c] or "").strip()}
                if len(table) > MOST_CELLS:
                    raise Il2Error(f"more than {MOST_CELLS:,} cells", where=str(path), how="Use a plate.")
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(path), how="Check the path.") from error
    except UnicodeDecodeError as error:
        raise Il2Error("the file is not UTF-8", where=str(path), how="Save it as CSV UTF-8.") from error
    if not table:
        raise Il2Error("the file has no cells", where=str(path), how="Give at least one row below the header.")
    return table


def _check_columns(columns: list[str], where: str) -> None:
    """Refuse a file without cells or chains, with a column twice, or with a chain misspelt; others pass."""
    if "cell" not in columns:
        raise Il2Error("the column 'cell' is missing", where=where, how=did_you_mean("cell", columns))
    for name in columns:
        if name in ("cell", *CHAINS) and columns.count(name) > 1:
            raise Il2Error(f"the column {name!r} stands twice", where=where, how="Keep one of them.")
        if meant := _misspelt(name, columns):
            raise Il2Error(f"the column {name!r} is not known", where=where, how=f"Did you mean {meant!r}?")
    if not set(columns) & set(CHAINS):
        raise Il2Error("no column holds a chain", where=where, how=f"Give at least one of {', '.join(CHAINS)}.")


def _misspelt(name: str, columns: list[str]) -> str:
    """The chain without a column that a name was meant for: the same number in it and nearly the same letters."""
    if name in CHAINS:
        return ""
    absent = {_bare(c): c for c in CHAINS if c not in columns and _digits(c) == _digits(name)}
    near = difflib.get_close_matches(_bare(name), absent, n=1, cutoff=0.8) if "r" in _bare(name) else []
    return absent[near[0]] if near else ""


def _bare(name: str) -> str:
    """A column name without case and punctuation."""
    return "".join(c for c in name.casefold() if c.isalnum())


def _digits(name: str) -> str:
    return "".join(c for c in name if c.isdigit())


def _count(text: str, chain: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise Il2Error(
            f"{chain} is {text.strip()!r}", where=where, how="Give a finite number of receptors per cell, from 0 up."
        )
    return value
