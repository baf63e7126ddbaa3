"""Regimens as plain data: courses of doses with intervals, infusions and cycles, and the single doses they come to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.drug import drug
from il2.knowledge.quantity import quantity
from il2.patient.body import Body
from il2.patient.dose import Dose

VEIN = "iv"
ROUTES = (VEIN, "sc", "im")
MOST_DOSES, LATEST_d = 10**6, 10**5
PERCENT = 100
SAME = 10**-9  # relative; times that differ by less are one time
LONGEST_NAME = 80


@dataclass(frozen=True)
class Course:
    """Doses of one drug at even intervals, and repeats of all of them.

    start_d: of the first dose, d. every_h: between doses, h. doses: in a cycle. duration_h: of an infusion, h; 0 is a
    bolus. cycles: how often the doses are given, each cycle_d (d) after the one before. percent: of the dose that is
    given, where a plan is cut. steady: the dose has been given every every_h for ever before the first one, which is
    what SS = 1 of an event table says; who solves it starts from the state that repeats. Il2Error, whose `where` is
    the field, for what cannot be given.
    """

    drug: str
    dose: Dose
    route: str
    start_d: float = 0.0
    every_h: float = 0.0
    doses: int = 1
    duration_h: float = 0.0
    cycles: int = 1
    cycle_d: float = 0.0
    percent: float = 100.0
    steady: bool = False

    def __post_init__(self) -> None:
        if self.route not in ROUTES:
            raise Il2Error(f"unknown route {self.route!r}", where="route", how=did_you_mean(self.route, ROUTES))
        for field in ("start_d", "every_h", "duration_h", "cycle_d"):
            _time(field, getattr(self, field))
        _count("doses", self.doses)
        _count("cycles", self.cycles)
        if not (isinstance(self.percent, Real) and 0 < self.percent <= PERCENT):
            what = f"{self.percent!r} is no percentage of a dose"
            raise Il2Error(what, where="percent", how=f"Give more than 0, at most {PERCENT}.")
        if self.total > MOST_DOSES:
            raise Il2Error(f"{self.total:,} doses are given", where="doses", how=f"Give at most {MOST_DOSES:,}.")
        self._check_times()

    def _check_times(self) -> None:
        if not self.every_h and (self.doses > 1 or self.steady):
            many = f"of {self.doses:,} doses" if self.doses > 1 else "before a steady dose"
            raise Il2Error(f"the interval {many} is missing", where="every_h", how="Give the time between doses.")
        if self.every_h and (self.doses > 1 or self.steady) and _above(self.duration_h, self.every_h):
            what = f"the infusion takes {self.duration_h:g} h, longer than its interval of {self.every_h:g} h"
            raise Il2Error(what, where="duration_h", how="Shorten the infusion or lengthen the interval.")
        if self.cycles > 1 and self.steady:
            what = "a course that is steady has no cycles"
            raise Il2Error(what, where="cycles", why="it never rested", how="Give the doses as one course.")
        if self.cycles > 1 and (not self.cycle_d or self._crowded):
            what = f"{self.cycles:,} cycles of {self.on_h:g} h begin every {self.cycle_d * _hours():g} h and overlap"
            raise Il2Error(what, where="cycle_d", how="Let a cycle begin after the last dose of the one before.")
        if self.end_d > LATEST_d:
            raise Il2Error(f"the last dose ends on day {self.end_d:g}", where="start_d", how=f"End by day {LATEST_d}.")

    @property
    def _crowded(self) -> bool:
        last_h, cycle_h = (self.doses - 1) * self.every_h, self.cycle_d * _hours()
        return not _above(cycle_h, last_h) or _above(self.on_h, cycle_h)

    @property
    def total(self) -> int:
        """Doses in all cycles."""
        return self.doses * self.cycles

    @property
    def on_h(self) -> float:
        """From the first dose of a cycle to the end of its last, h."""
        return (self.doses - 1) * self.every_h + self.duration_h

    @property
    def end_d(self) -> float:
        """End of the last dose, d."""
        return self.start_d + (self.cycles - 1) * self.cycle_d + self.on_h / _hours()


@dataclass(frozen=True)
class Regimen:
    """Courses that a person is given; none is no treatment. sources: ids of sources, and `assumed` where something of
    it was not read; assumed: what that is, in sentences."""

    name: str
    title: str
    courses: tuple[Course, ...]
    sources: tuple[str, ...] = ()
    about: str = ""
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > LONGEST_NAME or not self.name.isprintable():
            raise Il2Error(
                f"{self.name!r} is no name", where="name", how=f"Give one line of 1 to {LONGEST_NAME} letters."
            )
        if (total := sum(c.total for c in self.courses)) > MOST_DOSES:
            raise Il2Error(f"{total:,} doses are given", where="courses", how=f"Give at most {MOST_DOSES:,}.")
        for course in (c for c in self.courses if c.steady):
            if sum(c.steady and c.drug == course.drug for c in self.courses) > 1:
                what = f"two courses of {course.drug} are steady"
                raise Il2Error(what, where="courses", how="Let one be steady; the others begin on their day.")
            before = min(c.start_d for c in self.courses if c.drug == course.drug)
            if before < course.start_d:
                what = f"{course.drug} is steady on day {course.start_d:g} and was given on day {before:g}"
                why = "a steady course stands for all doses before it"
                raise Il2Error(what, where="courses", why=why, how=f"Give {course.drug} from then on only.")

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs, in the order in which they stand."""
        return tuple(dict.fromkeys(full_name(c.drug) for c in self.courses))

    @property
    def end_d(self) -> float:
        """End of the last dose, d; 0 without any."""
        return max((c.end_d for c in self.courses), default=0.0)


def refuse_infusions(regimen: Regimen) -> None:
    """Refuse infusions that go elsewhere than into a vein, which a patient is not computed for."""
    for place, course in enumerate(regimen.courses, start=1):
        if course.duration_h > 0 and course.route != VEIN:
            what = f"{course.drug} cannot be infused {course.route}"
            where = f"{regimen.name}: courses[{place}].duration"
            raise Il2Error(what, where=where, how=f"Give a bolus, or infuse {VEIN}.")


@dataclass(frozen=True)
class Given:
    """One dose as a body gets it. duration_d: of an infusion, d; 0 is a bolus. steady: the same dose was given every
    interval_d (d) for ever before; else interval_d is 0."""

    drug: str
    time_d: float
    amount_nmol: float
    duration_d: float
    route: str
    steady: bool = False
    interval_d: float = 0.0


def doses(regimen: Regimen, body: Body) -> tuple[Given, ...]:
    """Every dose that the body gets, by time; doses at one time stand in the order of the courses."""
    return tuple(sorted((g for course in regimen.courses for g in _given(course, body)), key=lambda g: g.time_d))


def full_name(name: str) -> str:
    """The name of a drug without aliases; with its set of constants where that is not the default."""
    found = drug(name)
    return found.name if found == drug(found.name) else f"{found.name}/{found.set}"


def _given(course: Course, body: Body) -> Iterator[Given]:
    amount = course.dose.nmol(drug(course.drug), body) * course.percent / PERCENT
    name, hours = full_name(course.drug), _hours()
    for cycle in range(course.cycles):
        for n in range(course.doses):
            time = course.start_d + cycle * course.cycle_d + n * course.every_h / hours
            steady = course.steady and n == 0
            interval = course.every_h / hours if steady else 0.0
            yield Given(name, time, amount, course.duration_h / hours, course.route, steady, interval)


def _hours() -> float:
    """Hours in a day."""
    return quantity("hours_per_day").value


def _above(one: float, other: float) -> bool:
    return one > other and not math.isclose(one, other, rel_tol=SAME)


def _time(field: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < math.inf:
        raise Il2Error(f"{value!r} is no time", where=field, how="Give a time from zero up.")


def _count(field: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Il2Error(f"{value!r} is no number of {field}", where=field, how="Give a whole number from 1 up.")
