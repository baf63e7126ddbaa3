"""What is asked of each virtual patient, in words: `fold_Treg peak`, `count_Treg day 28`, `aldesleukin AUC_last`,
`weight_kg`; and criteria that a patient meets or not: `fold_Treg peak >= 2`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.person import PER_UL, person
from il2.patient.cohort import COURSE, END, FOLDS, PEAK
from il2.patient.people import covariates, factors
from il2.patient.sequels import EOSINOPHILS

Arrays = Mapping[str, np.ndarray]
Read = Callable[[Collection[str]], dict[str, np.ndarray]]
"""Arrays over all patients by name, of the names that are asked for: `il2.runs.collect.Finished.arrays`."""
SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
SIGN = re.compile(r"\s*(>=|<=|>|<)\s*")
DAY = "day"
EXPOSURES = ("AUC", "AUC_first", "Cmax_first", "AUC_last", "Cmax_last")
LEAK_NAMES = ("capillary_leak_index peak", "capillary_leak_index end")
SEEN = ("fold_", "count_")
HOW = "Write it like 'fold_Treg peak', 'count_Treg day 28' or 'aldesleukin AUC_last'."


@dataclass(frozen=True)
class Variable:
    """A number of each patient. day: of a course, d; None where the number stands in an array of its own; infinity is
    the last day."""

    text: str
    name: str
    day: float | None

    @property
    def readouts(self) -> tuple[str, ...]:
        """Readouts whose courses it needs."""
        return () if self.day is None else (_course_of(self.name),)

    @property
    def days(self) -> tuple[float, ...]:
        """Days of the courses that it needs, but for the last."""
        return () if self.day is None or math.isinf(self.day) else (self.day,)

    def arrays(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Arrays that it is made of; Il2Error for what a run with these settings does not hold."""
        if self.day is None:
            known = scalars(settings["drugs"])
            if self.name not in known:
                raise Il2Error(f"nothing is known of {self.text!r}", where="population", how=near(self.text, settings))
            return (self.name,)
        readout = _course_of(self.name)
        if readout not in settings["readouts"]:
            raise Il2Error(f"no course of {self.name!r}", where=self.text, how=near(self.name, settings))
        if self.days and self.day not in settings["report_d"]:
            raise Il2Error(f"day {self.day:g} was not kept", where=self.text, how="Name the day before the run.")
        return (COURSE + readout, *([_baseline(self.name)] if self.name in FOLDS else []))

    def of(self, arrays: Arrays, settings: Mapping[str, Any]) -> np.ndarray:
        """The number of each patient (n,) out of `arrays(settings)`."""
        names = self.arrays(settings)
        if self.day is None:
            return arrays[names[0]]
        at = len(settings["report_d"]) - 1 if math.isinf(self.day) else settings["report_d"].index(self.day)
        found = arrays[names[0]][:, at].astype(float)
        return found / arrays[names[1]] if len(names) > 1 else found


@dataclass(frozen=True)
class Criterion:
    """What a responder shows: a variable and a limit."""

    variable: Variable
    sign: str
    limit: float

    @property
    def text(self) -> str:
        return f"{self.variable.text} {self.sign} {self.limit:g}"

    def met(self, arrays: Arrays, settings: Mapping[str, Any]) -> np.ndarray:
        """Who meets it, (n,); a patient without the number does not."""
        with np.errstate(invalid="ignore"):
            return np.asarray(SIGNS[self.sign](self.variable.of(arrays, settings), self.limit))


def variable(text: str) -> Variable:
    """The variable that a text names; Il2Error for what is none."""
    words = text.split()
    if len(words) == 3 and words[1] == DAY:
        try:
            day = float(words[2])
        except ValueError:
            day = math.nan
        if not 0 <= day < math.inf:
            raise Il2Error(f"{words[2]!r} is no day", where=text, how="Give a number from 0 up.")
        return Variable(" ".join(words), words[0], day)
    if len(words) == 2 and words[1] == END and words[0] not in FOLDS and f"{words[0]} {END}" not in LEAK_NAMES:
        return Variable(" ".join(words), words[0], math.inf)
    if not 1 <= len(words) <= 2:
        raise Il2Error(f"{text!r} names no number of a patient", where="population", how=HOW)
    return Variable(" ".join(words), " ".join(words), None)


def criterion(text: str) -> Criterion:
    """The criterion that a text says; Il2Error for what is none."""
    parts = SIGN.split(text.strip())
    how = "Write it like 'fold_Treg peak >= 2'."
    if len(parts) != 3 or not parts[0]:
        raise Il2Error(f"{text!r} is no criterion", where="population", how=how)
    try:
        limit = float(parts[2])
    except ValueError:
        limit = math.nan
    if not math.isfinite(limit) or "_" in parts[2]:
        raise Il2Error(f"{parts[2]!r} is no number", where=text, how=how)
    return Criterion(variable(parts[0]), parts[1], limit)


def is_criterion(text: str) -> bool:
    return SIGN.search(text) is not None


def scalars(drugs: Sequence[str]) -> list[str]:
    """Names of what is one number a patient: covariates, exposures, folds and the index of leak."""
    noted = covariates(person("healthy"), factors(0, np.arange(1)))
    exposures = [f"{drug} {what}" for drug in drugs for what in EXPOSURES]
    return [*noted, *exposures, *(f"{name} {when}" for name in FOLDS for when in (PEAK, END)), *LEAK_NAMES]


def near(text: str, settings: Mapping[str, Any]) -> str:
    """A sentence that suggests what might be meant."""
    return did_you_mean(text, [*scalars(settings["drugs"]), *settings["readouts"]])


def _course_of(name: str) -> str:
    """The readout behind a name: of a fold, the count."""
    if name not in FOLDS:
        return name
    kind = name.removeprefix(SEEN[0])
    return EOSINOPHILS if FOLDS[name] == EOSINOPHILS else SEEN[1] + kind


def _baseline(name: str) -> str:
    return name.removeprefix(SEEN[0]) + PER_UL
