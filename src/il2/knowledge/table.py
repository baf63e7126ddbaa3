"""Read the tables: CSV files that a biologist can edit and a reviewer can diff."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from il2.errors import Il2Error

LARGEST_MB = 20
_BETWEEN = re.compile(r";(?![^(]*\))")


@dataclass(frozen=True)
class Row:
    """A row as text, and the line of the file on which it ends."""

    line: int
    fields: dict[str, str]


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Rows of `knowledge/tables/NAME.csv` as dictionaries of text."""
    return read(tables_folder() / f"{name}.csv")


@cache
def keyed(name: str, key: str) -> dict[str, dict[str, str]]:
    """Rows of a table by a column whose values are unique; one that repeats is an error."""
    path = tables_folder() / f"{name}.csv"
    table: dict[str, dict[str, str]] = {}
    for row in numbered(path):
        value = row.fields[key]
        if value in table:
            raise Il2Error(
                f"{key} {value!r} stands here twice", where=f"{path}:{row.line}", how="Rename or remove one."
            )
        table[value] = row.fields
    return table


@cache
def aliases(name: str) -> dict[str, str]:
    """Case-folded names and aliases of a table with the columns `name` and `aliases`, and the name they stand for."""
    return {alias.casefold(): row["name"] for row in rows(name) for alias in (row["name"], *listed(row["aliases"]))}


@cache
def measurements(name: str) -> tuple[dict[str, str], ...]:
    """Rows of a table of published measurements, `data/NAME.csv`."""
    return read(data_folder() / f"{name}.csv")


def tables_folder() -> Path:
    """Where the tables of knowledge stand."""
    return Path(str(files("il2.knowledge") / "tables"))


def data_folder() -> Path:
    """Where the tables of measurements stand: inside an installed package, or beside src/ in a checkout."""
    installed = Path(str(files("il2"))) / "data"
    return installed if installed.is_dir() else Path(str(files("il2"))).parents[1] / "data"


def read(path: Path) -> tuple[dict[str, str], ...]:
    """Rows of a CSV file; a row that is too short or too long is an error."""
    return tuple(row.fields for row in numbered(path))


def numbered(path: Path) -> tuple[Row, ...]:
    """Rows of a CSV file with their lines. What is no table is an Il2Error that names file and line."""
    try:
        size = path.stat().st_size / 1e6
        if size > LARGEST_MB:
            raise Il2Error(f"{size:.0f} MB is no table", where=str(path), why=f"the largest read is {LARGEST_MB} MB")
        text = io.StringIO(path.read_bytes().decode("utf-8"), newline="")
        reader = csv.DictReader(text, restkey="+", restval=None, strict=True)
        header = reader.fieldnames or []
        if not header or len(set(header)) < len(header) or not all(header):
            raise Il2Error("the header is empty or names a column twice", where=f"{path}:1")
        return tuple(_whole(Row(reader.line_num, fields), path) for fields in reader)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        how = "Save it as UTF-8."
        raise Il2Error(f"is not UTF-8 text: {error.reason}", where=f"{path}:{line}", how=how) from error
    except csv.Error as error:
        line = reader.line_num + 1  # on which the row begins; those before it were read
        raise Il2Error(f"is no CSV: {error}", where=f"{path}:{line}", how="Mend the quotes there.") from error
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(path), how="Check the path.") from error


def _whole(row: Row, path: Path) -> Row:
    if "+" in row.fields or None in row.fields.values():
        raise Il2Error("the row has not as many fields as the header", where=f"{path}:{row.line}")
    return row


def listed(text: str) -> tuple[str, ...]:
    """The items of a field that holds a list, `a;b`; a semicolon inside parentheses, t(4;16), parts nothing."""
    return tuple(item for part in _BETWEEN.split(text) if (item := part.strip()))


def number(text: str) -> float | None:
    """A float, or None for an empty field."""
    return float(text) if text.strip() else None
