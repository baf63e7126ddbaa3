"""Receptor counts of your own cells: a CSV with the columns cell, IL2RA, IL2RB, IL2RG and, if known, IL15RA."""

from __future__ import annotations

import csv
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
            for name in ("cell", "IL2RA", "IL2RB", "IL2RG"):
                if name not in columns:
                    raise Il2Error(f"the column {name!r} is missing", where=str(path), how=did_you_mean(name, columns))
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
