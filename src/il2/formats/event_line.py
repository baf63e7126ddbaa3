"""Lines of an event table: where a table holds what, in which units, and what a line says."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import NoReturn

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import Row
from il2.patient.dose import dose
from il2.units import base_form, parse_unit, quantity_in

EVENTS = ("ID", "TIME", "AMT", "RATE", "II", "ADDL", "EVID", "CMT", "SS", "DUR", "DRUG")
WITH_UNIT = ("TIME", "AMT", "RATE", "II", "DUR")
CLOCK = ("DATE", "DAT1", "DAT2", "DAT3")
MISSING = ("", ".")
DOSE_EVENT, PASSED = 1, (0, 2)
RESETS = {3: "reset", 4: "reset and dose"}
ALIKE = 0.8  # likeness of a column that is misspelt
SAME = 1e-6  # relative; lengths of an infusion that are one


def converted(value: float, unit: str, other: str) -> float:
    """A time in another unit, exact but for the last rounding."""
    return float(Fraction(repr(float(value))) * _ratio(unit, other))


@cache
def _ratio(unit: str, other: str) -> Fraction:
    quantity_in(f"1 {unit}", other)  # refuses what is no time
    return Fraction(base_form(parse_unit(unit))[0]) / Fraction(base_form(parse_unit(other))[0])


@dataclass(frozen=True)
class Layout:
    """names: of the columns, by what they hold. units: in which they are, empty where it is that of TIME. amount, per:
    unit of a dose, as in `Dose`."""

    names: Mapping[str, str]
    time: str
    amount: str
    per: str
    units: Mapping[str, str]


def layout_of(header: Iterable[str], where: str, time: str = "", amount: str = "") -> Layout:
    """What the columns hold; `time` and `amount` are units that their names do not say."""
    names: dict[str, str] = {}
    units: dict[str, str] = {}
    for name in header:
        bare, _, unit = name.strip().lstrip("\ufeff").partition("_")
        if bare in CLOCK:
            how = "Count TIME from one start, in hours or days."
            raise Il2Error(f"the column {name!r} is not read", where=where, why="TIME would depend on it", how=how)
        if bare in EVENTS and (not unit or bare in WITH_UNIT):
            if bare in names:
                raise Il2Error(f"{names[bare]!r} and {name!r} are the same", where=where, how="Keep one of them.")
            names[bare], units[bare] = name, unit
        elif near := difflib.get_close_matches(bare.upper(), EVENTS, n=1, cutoff=ALIKE):
            how = f"Did you mean {near[0]!r}? Else give it another name."
            raise Il2Error(f"the column {name!r} is not known", where=where, how=how)
    for bare in ("TIME", "AMT"):
        if bare not in names:
            raise Il2Error(f"the column {bare} is missing", where=where, how=did_you_mean(bare, header))
    given = {"TIME": time, "AMT": amount}
    for bare, option in given.items():
        if option and units[bare] and option != units[bare]:
            what = f"{names[bare]!r} is said to be in {option}"
            raise Il2Error(what, where=where, how="Leave the unit away in one of the two places.")
        if not (option or units[bare]):
            example = "TIME_h" if bare == "TIME" else "AMT_nmol, AMT_mg or AMT_MIU/m2"
            how = f"Name the column {example}, or say the unit."
            raise Il2Error(f"the unit of {bare} is not given", where=where, how=how)
        units[bare] = units[bare] or option
    try:
        for bare in ("TIME", "II", "DUR"):
            converted(1.0, units.get(bare) or units["TIME"], "h")
        counted = dose(f"1 {units['AMT']}")
    except Il2Error as error:
        raise Il2Error(error.what, where=where, why=error.why, how=error.how) from error
    rate = f"{units['AMT']}/{units['TIME']}"
    if units.get("RATE") and units["RATE"] != rate:
        how = f"Give it in the unit of AMT over that of TIME, {rate}."
        raise Il2Error(f"{names['RATE']!r} is in another unit", where=where, how=how)
    return Layout(names, units["TIME"], counted.unit, counted.per, units)


@dataclass(frozen=True)
class Line:
    """A line of the table, read by column."""

    row: Row
    layout: Layout
    path: str

    def wrong(self, column: str, what: str, how: str = "", why: str = "") -> NoReturn:
        name = self.layout.names.get(column, column)
        raise Il2Error(what, where=f"{self.path}:{self.row.line}: {name}", why=why, how=how)

    def text(self, column: str) -> str:
        """What stands there; nothing for a dot or where the column is missing."""
        found = self.row.fields[self.layout.names[column]].strip() if column in self.layout.names else ""
        return "" if found in MISSING else found

    def number(self, column: str) -> float:
        """A finite number, 0 where none is given."""
        text = self.text(column)
        try:
            value = float(text or 0)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:
            self.wrong(column, f"{text!r} is no finite number", "Give a number, or a dot where there is none.")
        return value

    def whole(self, column: str, default: int = 0) -> int:
        value = self.number(column) if self.text(column) else default
        if value != int(value):
            self.wrong(column, f"{value:g} is no whole number")
        return int(value)

    def hours(self, column: str) -> float:
        """A time from zero up, h."""
        value = self.number(column)
        if value < 0:
            self.wrong(column, f"the time {value:g} is below zero", "Give times from zero up.")
        return converted(value, self.layout.units.get(column) or self.layout.time, "h")

    def person(self) -> str:
        """The ID; 1 in a table without."""
        found = self.text("ID") if "ID" in self.layout.names else "1"
        return found or self.wrong("ID", "the ID is missing", "Give every line its ID.")

    def time_h(self) -> float:
        if not self.text("TIME"):
            self.wrong("TIME", "the time is missing", "Give the time of every event.")
        return self.hours("TIME")

    def is_dose(self) -> bool:
        """Whether the event is a dose; without the column EVID, whether it has an amount."""
        amount = self.number("AMT")
        event = self.whole("EVID", DOSE_EVENT if amount else 0)
        if event in RESETS:
            why = "the body cannot be emptied in the middle of a regimen"
            self.wrong("EVID", f"EVID {event} ({RESETS[event]}) is not supported", "Give an ID of its own.", why)
        if event != DOSE_EVENT and event not in PASSED:
            self.wrong("EVID", f"EVID {event} is not known", "Give 1 for a dose, 0 or 2 for what is no dose.")
        if event == DOSE_EVENT and amount <= 0:
            what = f"the amount is {amount:g}"
            self.wrong("AMT", what, "Give an amount above zero, or EVID 0 for an observation.")
        if event in PASSED and amount:
            self.wrong("AMT", f"EVID {event} has an amount of {amount:g}", "Give EVID 1 for a dose.")
        return event == DOSE_EVENT

    def duration_h(self) -> float:
        """Length of the infusion by RATE or DUR, h; 0 is a bolus."""
        rate, told = self.number("RATE"), self.hours("DUR")
        if rate in (-1, -2):
            why = "the rate or duration would be worked out by a model"
            self.wrong("RATE", f"RATE {rate:g} is not supported", "Give the rate itself.", why)
        if rate < 0:
            self.wrong("RATE", f"the rate {rate:g} is below zero", "Give the rate of the infusion, 0 for a bolus.")
        if not rate:
            return told
        length = self.number("AMT") / rate
        if math.isinf(length):
            self.wrong("RATE", f"the infusion at the rate {rate:g} never ends", "Give a higher rate.")
        found = converted(length, self.layout.time, "h")
        if told and not math.isclose(found, told, rel_tol=SAME):
            what = f"the infusion takes {told:g} h, but {found:g} h by AMT and RATE"
            self.wrong("DUR", what, "Give one of DUR and RATE.")
        return found
