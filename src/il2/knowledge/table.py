"""Read the tables: CSV files that a biologist can edit and a reviewer can diff."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from pathlib import Path

from il2.errors import Il2Error


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Rows of `knowledge/tables/NAME.csv` as dictionaries of text."""
    return read(Path(str(files("il2.knowledge") / "tables" / f"{name}.csv")))


@cache
def aliases(name: str) -> dict[str, str]:
    """Case-folded names and aliases of a table with the columns `name` and `aliases`, and the name they stand for."""
    return {
        alias.casefold(): row["name"]
        for row in rows(name)
        for alias in (row["name"], *filter(None, row["aliases"].split(";")))
    }


@cache
def measurements(name: str) -> tuple[dict[str, str], ...]:
    """Rows of a table of published measurements, `data/NAME.csv`."""
    return read(data_folder() / f"{name}.csv")


def data_folder() -> Path:
    """Where the tables of measurements stand: inside an installed package, or beside src/ in a checkout."""
    installed = Path(str(files("il2"))) / "data"
    return installed if installed.is_dir() else Path(str(files("il2"))).parents[1] / "data"


def read(path: Path) -> tuple[dict[str, str], ...]:
    """Rows of a CSV file; a row that is too short or too long is an error."""
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file, restkey="+", restval=None))
    for number, row in enumerate(table, start=2):
        if "+" in row or None in row.values():
            raise Il2Error("the row has not as many fields as the header", where=f"{path}:{number}")
    return tuple(table)


def number(text: str) -> float | None:
    """A float, or None for an empty field."""
    return float(text) if text.strip() else None
