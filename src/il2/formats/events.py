"""Regimens as NONMEM-style event tables, CSV files with one line for each event, and back.

TIME, AMT, RATE, II, ADDL, EVID, CMT and SS mean what they mean in NONMEM; DUR (length of an infusion), ID and DRUG may
stand beside them, and other columns are passed over. Units are said: in the names (TIME_h, AMT_nmol, AMT_MIU/m2,
II_h, DUR_min) or by the caller; RATE is in the unit of AMT over that of TIME. Supported are doses (EVID 1), with
observations and other events (0, 2) passed over; SS 1 on the first dose of a drug, which is kept as `Course.steady`.
Not supported, and refused: resets (EVID 3, 4), SS 2, rates that a model works out (RATE -1, -2), DATE, clock times.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from il2.errors import Il2Error, did_you_mean
from il2.files import write_text
from il2.formats.event_line import DOSE_EVENT, MISSING, Line, converted, layout_of
from il2.knowledge.drug import drug as drug_named
from il2.knowledge.table import numbered
from il2.patient.body import Body
from il2.patient.dose import Dose, amount_in
from il2.patient.regimen import (
    LONGEST_NAME,
    MOST_DOSES,
    PERCENT,
    ROUTES,
    SAME,
    Course,
    Regimen,
    full_name,
)

COMPARTMENTS = {1: "sc", 2: "iv"}  # depot and centre, by number
WRITTEN = ("ID", "TIME", "AMT", "RATE", "II", "ADDL", "EVID", "CMT", "SS")
COLUMN = {"start_d": "TIME", "every_h": "II", "doses": "ADDL", "duration_h": "RATE"}  # by field of a course


def read_events(
    path: Path, *, drug: str = "", time: str = "", amount: str = "", route: str = "",
    compartments: Mapping[int, str] = COMPARTMENTS,
) -> dict[str, Regimen]:  # fmt: skip
    """Regimens by ID; a table without the column ID is of the ID 1.

    drug: where no column DRUG says it. time, amount: units (`h`, `mg/kg`) where the names of the columns do not say
    them. route: where no column CMT says it. compartments: routes by number of CMT. Il2Error with the line for what is
    out of order, not supported or impossible.
    """
    if path.is_file() and not path.stat().st_size:
        raise Il2Error("the file is empty", where=str(path), how="Give a header and one line for each event.")
    rows = numbered(path)
    if not rows:
        raise Il2Error("the table has no events", where=str(path), how="Give one line for each event.")
    layout = layout_of(rows[0].fields, f"{path}:1", time, amount)
    if not drug and "DRUG" not in layout.names:
        raise Il2Error("no drug is named", where=f"{path}:1", how="Name the drug, or give a column DRUG.")
    if not route and "CMT" not in layout.names:
        numbers = ", ".join(f"{number} = {name}" for number, name in compartments.items())
        how = f"Give the route, or a column CMT with {numbers}."
        raise Il2Error("no route is given", where=f"{path}:1", how=how)
    for name in (route, *compartments.values()):
        if name and name not in ROUTES:
            raise Il2Error(f"unknown route {name!r}", where=str(path), how=did_you_mean(name, ROUTES))
    found: dict[str, list[Course]] = {}
    last, before, given = "", -math.inf, 0
    for row in rows:
        line = Line(row, layout, str(path))
        who, now = line.person(), line.time_h()
        if who != last:
            if who in found:
                line.wrong("ID", f"the ID {who!r} comes back after others", "Let the lines of an ID stand together.")
            last, before, given = who, -math.inf, 0
        if now < before:
            line.wrong("TIME", f"the time {now:g} h comes after {before:g} h", "Order the lines of an ID by time.")
        before = now
        courses = found.setdefault(who, [])
        if line.is_dose():
            course = _course(line, now, drug, route, compartments)
            given += course.doses
            if given > MOST_DOSES:
                line.wrong("ADDL", f"{given:,} doses are given", f"Give at most {MOST_DOSES:,}.")
            if course.steady and any(c.drug == course.drug for c in courses):
                why = "it stands for all doses before it"
                line.wrong("SS", f"{course.drug} was given before its SS 1", "Give SS 1 to its first dose.", why)
            courses.append(course)
    return {who: _regimen(path, who, courses) for who, courses in found.items()}


def _course(line: Line, time_h: float, drug: str, route: str, compartments: Mapping[int, str]) -> Course:
    """The course that one line gives: a dose and its ADDL repeats."""
    more, steady, every = line.whole("ADDL"), line.whole("SS"), line.hours("II")
    if more < 0 or more >= MOST_DOSES:
        line.wrong("ADDL", f"{more:g} more doses cannot be given", f"Give 0 to {MOST_DOSES - 1:,}.")
    if steady not in (0, 1):
        line.wrong("SS", f"SS {steady} is not supported", "Give 0, or 1 for a dose that had been repeated for ever.")
    if (more or steady) and not every:
        line.wrong("II", f"the interval is missing for {'ADDL' if more else 'SS'}", "Give II, the time between doses.")
    if line.text("CMT") not in ("", "0"):
        number = line.whole("CMT")
        if number not in compartments:
            known = ", ".join(f"{key} = {name}" for key, name in compartments.items())
            line.wrong("CMT", f"compartment {number} is not known", f"Known: {known}; name others by `compartments`.")
        route = compartments[number]
    if not route:
        line.wrong("CMT", "the compartment is missing", "Give CMT, or the route for all lines.")
    every = every if more or steady else 0.0
    try:
        name = full_name(line.text("DRUG") or drug)
    except Il2Error as error:
        line.wrong("DRUG", error.what, error.how, error.why)
    try:
        given = Dose(line.number("AMT"), line.layout.amount, line.layout.per)
        given.nmol(drug_named(name), Body())
        start = converted(time_h, "h", "d")
        return Course(name, given, route, start, every, more + 1, line.duration_h(), steady=bool(steady))
    except Il2Error as error:
        if error.where.startswith(line.path):
            raise
        column = COLUMN.get(error.where, "AMT")
        if column == "RATE" and not line.text("RATE"):
            column = "DUR"
        line.wrong(column, error.what, error.how, error.why)


def _regimen(path: Path, who: str, courses: list[Course]) -> Regimen:
    name = f"{path.stem} {who}"[:LONGEST_NAME]
    try:
        return Regimen(name, name, tuple(courses))
    except Il2Error as error:
        raise Il2Error(error.what, where=f"{path}: ID {who!r}", why=error.why, how=error.how) from error


def event_rows(
    regimens: Regimen | Mapping[str, Regimen], body: Body | Mapping[str, Body] | None = None, *, amount: str = "nmol",
    time: str = "h", compartments: Mapping[int, str] = COMPARTMENTS, named: bool = True,
) -> list[dict[str, str]]:  # fmt: skip
    """Lines of the event table of a regimen (ID 1) or of several by ID, with even intervals as II and ADDL.

    body: of all or by ID; default that of the reference adult. amount: a unit such as nmol, mg or MIU; doses per kg or
    m2 are worked out. named: units stand in the names of the columns; else the names are those of NONMEM. The column
    DRUG is there where drugs differ. Who gets nothing has one line with EVID 2.
    """
    every = {"1": regimens} if isinstance(regimens, Regimen) else regimens
    several = len({name for regimen in every.values() for name in regimen.drugs}) > 1
    numbers = {compartments[number]: number for number in sorted(compartments, reverse=True)}
    units = {"TIME": time, "AMT": amount, "RATE": f"{amount}/{time}", "II": time} if named else {}
    found = []
    for who, regimen in every.items():
        own = (body.get(who) if isinstance(body, Mapping) else body) or Body()
        lines = [line for course in regimen.courses for line in _lines(course, own, amount, time, numbers)]
        lines.sort(key=lambda line: (line["TIME"], not line["SS"]))
        for line in lines or [{"TIME": 0.0, "EVID": 2, "CMT": min(compartments)}]:
            names = {**dict.fromkeys(WRITTEN, 0), "ID": who, **line}
            if several:
                names.setdefault("DRUG", MISSING[1])
            else:
                names.pop("DRUG", None)
            texts = {key: value if isinstance(value, str) else f"{value:.12g}" for key, value in names.items()}
            found.append({f"{k}_{units[k]}" if k in units else k: text for k, text in texts.items()})
    return found


def write_events(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write the lines of `event_rows` as CSV, whole or not at all."""
    if not rows:
        raise Il2Error("there is no regimen to write", where=str(path), how="Give at least one.")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _lines(
    course: Course, body: Body, amount: str, time: str, numbers: Mapping[str, int]
) -> Iterator[dict[str, float | str]]:
    """Numbers of the lines of a course: one where its doses are evenly spaced, else one for each cycle."""
    if course.route not in numbers:
        how = "Name it, as in {1: 'sc', 2: 'iv', 3: 'im'}."
        raise Il2Error(f"no compartment is given for the route {course.route!r}", where="compartments", how=how)
    known = drug_named(course.drug)
    value = amount_in(course.dose.nmol(known, body) * course.percent / PERCENT, amount, known)
    length = converted(course.duration_h, "h", time)
    cycle_h = converted(course.cycle_d, "d", "h")
    count, every, starts = course.doses, course.every_h, course.cycles
    if starts > 1 and (count == 1 or math.isclose(cycle_h, count * every, rel_tol=SAME)):
        count, every, starts = count * starts, every if count > 1 else cycle_h, 1
    repeats = count > 1 or course.steady
    for n in range(starts):
        yield {
            "TIME": converted(course.start_d + n * course.cycle_d, "d", time),
            "AMT": value,
            "RATE": value / length if length else 0,
            "II": converted(every, "h", time) if repeats else 0,
            "ADDL": count - 1,
            "EVID": DOSE_EVENT,
            "CMT": numbers[course.route],
            "SS": int(course.steady),
            "DRUG": full_name(course.drug),
        }
