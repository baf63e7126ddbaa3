"""All tables of a population at once: what is asked of it, what it needs kept, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from il2.errors import Il2Error
from il2.patient.arm import Arm, refuse_days, units
from il2.patient.binomial import LEVEL, Logistic
from il2.patient.cohort import FOLDS, PEAK, standard_readouts
from il2.patient.dose import Dose
from il2.patient.observed import Measured
from il2.patient.people import refuse_number
from il2.patient.population import (
    Record,
    Settings,
    exposure_response,
    failures,
    percentiles,
    responders,
    spread,
)
from il2.patient.predictive import check, coverage
from il2.patient.predictive import variables as compared
from il2.patient.regimen import Regimen
from il2.patient.trial import Trial, compare
from il2.patient.variable import Criterion, Read, Variable, criterion, variable

RESPONDER = "fold_Treg peak >= 2"
WEEK_d, STEPS = 7, 8


@dataclass(frozen=True)
class Asked:
    """exposure: None for none. data: what was measured; error_percent: of its assay. trial: None where there is none.
    dosed: the doses of the arms, where they are a dose-response."""

    criteria: tuple[Criterion, ...] = (criterion(RESPONDER),)
    exposure: Variable | None = None
    data: tuple[Measured, ...] = ()
    error_percent: float = 0.0
    trial: Trial | None = None
    dosed: tuple[Dose, ...] = ()
    level: float = LEVEL

    @property
    def variables(self) -> list[Variable]:
        """Every number of a patient that the tables are made of."""
        own = [c.variable for c in self.criteria] + ([self.exposure] if self.exposure else [])
        own += [e.variable for e in self.trial.endpoints] if self.trial else []
        return own + compared(self.data)

    def readouts(self, drugs: Sequence[str], more: Sequence[str] = ()) -> list[str]:
        """Readouts to be kept."""
        needed = [name for v in self.variables for name in v.readouts]
        return list(dict.fromkeys((*standard_readouts(drugs), *more, *needed)))

    def days(self, until: float, given: Sequence[float] = ()) -> list[float]:
        """Days to be kept: those that are given, or each week (or as many of a shorter time), and those needed."""
        refuse_days(until)
        step = WEEK_d if until >= 2 * WEEK_d else until / STEPS
        own = list(given) or [n * step for n in range(int(until / step + 0.5) + 1) if n * step < until]
        needed = [day for v in self.variables for day in v.days]
        return sorted({0.0, float(until), *map(float, own), *needed})


@dataclass(frozen=True)
class Results:
    """Tables (rows as name: value) of a population; those that were not asked for are empty."""

    settings: Settings
    asked: Asked
    failures: list[Record]
    percentiles: list[Record]
    spread: list[Record]
    responders: list[Record]
    exposure_response: list[Record] = field(default_factory=list)
    curve: Logistic | None = None
    check: list[Record] = field(default_factory=list)
    coverage: Record = field(default_factory=dict)
    trial: list[Record] = field(default_factory=list)

    def tables(self) -> dict[str, list[Record]]:
        """Tables that hold something, by the name of their file."""
        every = {
            "patients": self.failures, "trial": self.trial, "responders": self.responders,
            "exposure_response": self.exposure_response, "predictive_check": self.check, "spread": self.spread,
            "percentiles": self.percentiles,
        }  # fmt: skip
        return {name: rows for name, rows in every.items() if rows}


def results(read: Read, settings: Settings, asked: Asked) -> Results:
    """All that is asked of a finished population."""
    drugs = settings["drugs"]
    shown = [variable(f"{name} {PEAK}") for name in FOLDS] + [variable(f"capillary_leak_index {PEAK}")]
    shown += [variable(f"{d} {what}") for d in drugs for what in ("AUC_first", "Cmax_first", "AUC_last", "Cmax_last")]
    of = units(settings)
    courses = [
        {"arm": row["arm"], "readout": row["readout"], "unit": of[row["readout"]]} | row
        for row in percentiles(read, settings)
    ]
    found = Results(
        settings, asked, failures(read, settings), courses, spread(read, settings, shown),
        responders(read, settings, asked.criteria, asked.level),
    )  # fmt: skip
    if asked.exposure is not None:
        table, curve = exposure_response(read, settings, asked.exposure, asked.criteria[0], level=asked.level)
        found = replace(found, exposure_response=table, curve=curve)
    if asked.data:
        rows = check(read, settings, asked.data, asked.error_percent)
        found = replace(found, check=rows, coverage=coverage(rows))
    if asked.trial is not None:
        found = replace(found, trial=compare(read, settings, asked.trial))
    return found


def at_doses(arm: Arm, doses: Sequence[Dose], common: bool) -> list[Arm]:
    """The arm with each dose in the place of every dose of its regimen; common: with the same people."""
    refuse_number(arm.number, "population")
    if not arm.regimen.courses:
        raise Il2Error(f"{arm.regimen.name} gives no dose to change", where="--dose", how="Name a regimen with doses.")
    out = []
    for n, dose in enumerate(doses):
        courses = tuple(replace(course, dose=dose) for course in arm.regimen.courses)
        first = arm.first + (0 if common else n * arm.number)
        regimen: Regimen = replace(arm.regimen, courses=courses)
        out.append(replace(arm, name=str(dose), regimen=regimen, first=first))
    return out


def rising(doses: Sequence[Dose]) -> bool:
    """Whether doses can stand on one axis: of one unit, and rising."""
    alike = len({(d.unit, d.per) for d in doses}) == 1
    return alike and all(a.amount < b.amount for a, b in pairwise(doses))
