"""A user's CSV of wells as text in known columns: units from the header, and the line of every row."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from il2.cell.plate import ADDED, OPTIONAL, REQUIRED, check_columns
from il2.errors import Il2Error
from il2.units import quantity_in

if TYPE_CHECKING:
    import pandas

OWN = ("base", "replicate", "date", "plate", "panel", "unit", "excluded", "censored")
UNITS = {"dose": ("dose_nM", "nM"), "concentration": ("dose_nM", "nM"), "time": ("time_min", "min")}
LARGEST_MB = 50
MOST_WELLS = 100_000
_WITH_UNIT = re.compile(r"(dose|concentration|time)(?:\s*[\[(]\s*(.*?)\s*[\])]|_(.+))?", re.IGNORECASE)
_VALUE = re.compile(r"(value|pstat\d)(?:\s*[\[(]\s*(.*?)\s*[\])]|_(.+))?", re.IGNORECASE)


def text_of(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_MB * 1e6:
            raise Il2Error(f"the file is larger than {LARGEST_MB} MB", where=str(path), how="Fit a part of it.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(path), how="Check the path.") from error
    except UnicodeDecodeError as error:
        raise Il2Error("the file is not UTF-8", where=str(path), how="Save it as CSV UTF-8.") from error


def frame_of(text: str, path: Path, value: str) -> tuple[pandas.DataFrame, np.ndarray, str]:
    """The table as text with columns of known names and units, the line of each row, and the unit of the values."""
    import pandas

    reader = csv.reader(io.StringIO(text, newline=""))
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] = []
    try:
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            if not header:
                header = [name.strip() for name in row]
                continue
            if len(row) != len(header):
                where = f"{path}:{reader.line_num}"
                how = "Quote fields that hold commas; write decimals with a point."
                raise Il2Error(f"the row has {len(row)} fields, the header {len(header)}", where=where, how=how)
            if len(rows) == MOST_WELLS:
                raise Il2Error(f"the file has more than {MOST_WELLS:,} wells", where=str(path), how="Fit a part of it.")
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise Il2Error("the file is no regular CSV", where=f"{path}:{reader.line_num}", why=str(error)) from error
    if not header:
        raise Il2Error("the file is empty", where=str(path), how="Give a header and a row for each well.")
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise Il2Error("the fields are not separated by commas", where=f"{path}:1", how="Save it as a CSV with commas.")
    names, factors, unit = _columns(header, f"{path}, header", value)
    if not rows:
        raise Il2Error("the file has no wells", where=str(path), how="Give a row for each well below the header.")
    frame = pandas.DataFrame(rows, columns=names, dtype=object)
    for name, factor in factors.items():
        if factor != 1:
            frame[name] = [_times(text, factor) for text in frame[name]]
    return frame, np.array(lines), unit


def _times(text: str, factor: float) -> str:
    try:
        return repr(float(text) * factor)
    except ValueError:
        return text


def _columns(header: list[str], where: str, value: str) -> tuple[list[str], dict[str, float], str]:
    """Known names of the columns, factors to nM and min, and the unit of the values."""
    names, factors = list(header), {}
    for i, name in enumerate(header):
        if not (found := _WITH_UNIT.fullmatch(name)):
            continue
        known, unit = UNITS[found[1].lower()]
        own = (found[2] or found[3] or "").replace("_per_", "/")
        if not own:
            how = f"Name it {known}, or for example '{found[1].lower()} [{'pM' if unit == 'nM' else 'h'}]'."
            raise Il2Error(f"the column {name!r} has no unit", where=where, how=how)
        factors[known] = quantity_in(f"1 {own}", unit, where=f"{where}, column {name!r}")
        names[i] = known
    place, unit = _value_column(header, where, value)
    names[place] = "value"
    if twice := [name for name in names if names.count(name) > 1]:
        raise Il2Error(f"two columns hold {twice[0]}", where=where, how="Keep one of them.")
    try:
        check_columns([name for name in names if name not in (*OWN, *ADDED, "value")])
    except Il2Error as error:
        raise Il2Error(error.what, where=where, why=error.why, how=error.how) from error
    return names, factors, unit


def _value_column(header: list[str], where: str, value: str) -> tuple[int, str]:
    """Place of the column of measured values, and its unit, empty where none is told."""
    if value in {*OWN, *ADDED, *REQUIRED, *OPTIONAL}:
        how = "Name the column of measured values."
        raise Il2Error(f"--value {value}: that column has a meaning of its own", where=where, how=how)
    if value and value not in header:
        raise Il2Error(f"no column {value!r}", where=where, why=f"found: {', '.join(header)[:200]}")
    found = [i for i, name in enumerate(header) if (name == value if value else _VALUE.fullmatch(name))]
    if len(found) > 1 and len({header[i] for i in found}) == 1:
        raise Il2Error(f"the column {header[found[0]]!r} stands twice", where=where, how="Keep one of them.")
    if len(found) != 1:
        shown = ", ".join(header[i] for i in found) or ", ".join(header)
        what = "several columns may hold the measured values" if found else "no column holds the measured values"
        raise Il2Error(what, where=where, why=f"found: {shown[:200]}", how="Name it value, or say --value COLUMN.")
    match = _VALUE.fullmatch(header[found[0]])
    return found[0], ((match[2] or match[3] or "") if match else "")
