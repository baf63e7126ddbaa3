"""Measurements of patients from a CSV file: time_d, readout, value, unit and, if there are any, id and arm."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.drug import drug
from il2.network.network import Network
from il2.patient.arm import levels
from il2.patient.cohort import FOLDS
from il2.patient.dose import level_nM
from il2.units import quantity_in

NEEDED, OPTIONAL = ("time_d", "readout", "value", "unit"), ("id", "arm")
LARGEST_BYTES, MOST_ROWS = 50_000_000, 500_000
SHARES = ("pSTAT5_", "programme_", "IL2RA_free")
WRITTEN = {"%": "percent", "": "dimensionless", "cells/uL": "cell/uL", "cells/mL": "cell/mL"}


@dataclass(frozen=True)
class Measured:
    """One measurement in the unit of its readout. arm: "" where the file names none."""

    time_d: float
    readout: str
    value: float
    id: str
    arm: str


def read_measured(
    path: Path, network: Network, arms: Sequence[str], drugs: Sequence[str], days: float
) -> list[Measured]:
    """The measurements of a file; Il2Error with the line for what cannot be read or compared.

    network: of the patients, for readouts and their units. days: how long patients are followed.
    """
    table = csv.reader(io.StringIO(_text(path)), strict=True)
    units = {o.name: o.unit for o in network.observables} | {s.name: s.unit for s in network.species}
    units |= dict.fromkeys(FOLDS, "dimensionless") | dict.fromkeys(levels(drugs), "nM")
    header: list[str] = []
    out: list[Measured] = []
    try:
        for words in table:
            where = f"{path}:{table.line_num}"
            cells = [w.strip() for w in words]
            if not any(cells):
                continue
            if not header:
                header = _header(cells, where)
                continue
            if len(cells) != len(header):
                how = f"Give {len(header)}, as the first line has."
                raise Il2Error(f"{len(cells)} values stand here", where=where, how=how)
            row = dict(zip(header, cells, strict=True))
            out.append(_measured(row, where, units, list(arms), levels(drugs), days))
            if len(out) > MOST_ROWS:
                raise Il2Error("the table is too long", where=where, how=f"Give at most {MOST_ROWS:,} rows.")
    except csv.Error as error:
        raise Il2Error("is no CSV", where=f"{path}:{table.line_num}", why=str(error)) from error
    if not out:
        raise Il2Error("no measurement is here", where=str(path), how=f"Give a line of names: {', '.join(NEEDED)}.")
    return out


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise Il2Error(f"has more than {LARGEST_BYTES:,} bytes", where=str(path), how="Give fewer rows.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(path), how="Check the path.") from error
    except UnicodeDecodeError as error:
        raise Il2Error("the file is not UTF-8", where=str(path), how="Save it as UTF-8.") from error


def _header(cells: list[str], where: str) -> list[str]:
    for name in cells:
        if name not in (*NEEDED, *OPTIONAL):
            raise Il2Error(f"unknown column {name!r}", where=where, how=did_you_mean(name, (*NEEDED, *OPTIONAL)))
        if cells.count(name) > 1:
            raise Il2Error(f"the column {name!r} stands twice", where=where, how="Remove one.")
    for name in NEEDED:
        if name not in cells:
            raise Il2Error(f"the column {name!r} is missing", where=where, how=f"Give {', '.join(NEEDED)}.")
    return cells


def _measured(
    row: dict[str, str], where: str, units: dict[str, str], arms: list[str], drugs: dict[str, str], days: float
) -> Measured:
    time, arm, readout = _number(row, "time_d", where), row.get("arm", ""), row["readout"]
    if not 0 <= time <= days:
        raise Il2Error(f"day {time:g} is not among the {days:g} days", where=where, how="Follow patients for longer.")
    if arm and arm not in arms:
        raise Il2Error(f"unknown arm {arm!r}", where=where, how=did_you_mean(arm, arms))
    if not arm and len(arms) > 1:
        raise Il2Error("the arm is missing", where=where, how=f"Name one: {', '.join(arms)}.")
    if readout not in units:
        raise Il2Error(f"unknown readout {readout!r}", where=where, how=did_you_mean(readout, units))
    value, unit = _number(row, "value", where), WRITTEN.get(row["unit"], row["unit"])
    try:
        if readout in drugs:
            value = level_nM(f"{value!r} {unit}", drug(drugs[readout]))
        else:
            value = quantity_in(f"{value!r} {unit}", units[readout])
    except Il2Error as error:
        how = error.how or f"The readout is in {units[readout]}."
        raise Il2Error(error.what, where=where, why=error.why, how=how) from error
    if value < 0:
        raise Il2Error(f"{row['value']} is below 0", where=where, how="Give a level from 0 up.")
    if readout.startswith(SHARES) and value > 1:
        how = "A share is at most 100 %: check value and unit."
        raise Il2Error(f"{row['value']} {row['unit']}".strip() + " is more than all", where=where, how=how)
    return Measured(time, readout, value, row.get("id", ""), arm or arms[0])


def _number(row: dict[str, str], name: str, where: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in row[name]:
        raise Il2Error(f"the {name} is {row[name][:40]!r}", where=where, how="Give a finite number.")
    return value
