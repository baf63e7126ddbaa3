"""Virtual trials: arms and endpoints from a YAML file, and what the arms come to beside the first of them.

title: Low dose or none
days: 56
common: no                       # yes: the same virtual patients in every arm
level: 95                        # of intervals, %
arms:
  - {name: none, regimen: no_treatment, patient: cGVHD, number: 60}
  - name: low dose
    regimen: cGVHD_daily         # of the package, or a .yaml file
    patient: cGVHD
    number: 60
    values: {weight_kg: 80}      # of the typical person, in its units
    disease: chronic GVHD        # of diseases.csv
    modules: []                  # other parts of diseases
    changes: {}                  # parameters of the network
endpoints:
  - fold_Treg peak >= 2          # a share of responders
  - count_NK day 28              # a mean
  - outcome SRI-4                # a link of outcomes.csv: a calibration, no prediction
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from il2.cell.culture_item import number as number_of
from il2.cell.culture_item import placed, whether
from il2.cell.yaml_tree import Item, read_tree
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.person import person
from il2.patient.arm import Arm, LONGEST_d, refuse_days, refuse_readout, refuse_two_sets
from il2.patient.binomial import LEVEL, difference, exact, mean_difference, percent
from il2.patient.cohort import ARM, PATIENT, STATUS
from il2.patient.course import body_of, lowered
from il2.patient.module import modules
from il2.patient.outcome import LABEL, Outcome, outcome
from il2.patient.people import MOST, refuse_number, uniform
from il2.patient.population import Record, Settings
from il2.patient.regimen import LONGEST_NAME
from il2.patient.regimen_file import SUFFIXES, regimen
from il2.patient.variable import Criterion, Read, Variable, criterion, is_criterion, variable

TOP = ("title", "days", "common", "level", "arms", "endpoints")
ARM_KEYS = ("name", "regimen", "patient", "number", "values", "disease", "modules", "changes")
LINK = "outcome "
LARGEST, FEWEST_ARMS, MOST_ARMS = 10**9, 2, 20
SHARE, MEAN = "share", "mean"
LONGEST_COUNT = 9  # digits
HINTS = {  # what the reader of trees, which serves cultures too, advises
    "Describe one plate.": "Describe one trial.",
    "Give at least the cells of a well.": "Give at least 'days', 'arms' and 'endpoints'.",
}


@dataclass(frozen=True)
class Endpoint:
    """A share of responders, a mean, or a link (`outcome`), in which each patient responds with its probability."""

    text: str
    of: Criterion | Variable | Outcome

    @property
    def variable(self) -> Variable:
        if isinstance(self.of, Criterion):
            return self.of.variable
        return variable(f"{self.of.index} end") if isinstance(self.of, Outcome) else self.of


@dataclass(frozen=True)
class Trial:
    """level: of intervals, %. common: whether the arms have the same people."""

    title: str
    days: float
    arms: tuple[Arm, ...]
    endpoints: tuple[Endpoint, ...]
    common: bool
    level: float


def read_trial(path: Path) -> Trial:
    """The trial of a YAML file; Il2Error with file, line and key for what cannot be done."""
    try:
        root = read_tree(path)
    except Il2Error as error:
        how = HINTS.get(error.how, error.how)
        raise Il2Error(error.what, where=error.where, why=error.why, how=how) from error
    top = root.keys(TOP)
    for name in ("days", "arms", "endpoints"):
        if name not in top:
            root.wrong(f"{name!r} is missing", f"Write '{name}: ...'.")
    common = whether(top["common"]) if "common" in top else False
    arms: list[Arm] = []
    for item in top["arms"].items:
        arm = _arm(item, path)
        if arm.name in {a.name for a in arms}:
            item.wrong(f"two arms are called {arm.name!r}", "Give each a name of its own.")
        arms.append(arm if common else replace(arm, first=sum(a.number for a in arms)))
    if not FEWEST_ARMS <= len(arms) <= MOST_ARMS:
        top["arms"].wrong(f"{len(arms)} arms are given", f"Give {FEWEST_ARMS} to {MOST_ARMS}.")
    if common and len({a.number for a in arms}) > 1:
        top["arms"].wrong("arms with the same people have different numbers", "Give all the same number.")
    level = LEVEL
    if "level" in top:
        with placed(top["level"]):
            level = percent(number_of(top["level"], most=LARGEST), "level")
    with placed(top["days"]):
        days = number_of(top["days"], most=LONGEST_d)
        refuse_days(days)
    endpoints = tuple(_endpoint(item, arms, days) for item in top["endpoints"].items)
    if not endpoints:
        top["endpoints"].wrong("no endpoint is given", "Give at least one, such as 'fold_Treg peak >= 2'.")
    return Trial(top["title"].text if "title" in top else path.stem, days, tuple(arms), endpoints, common, level)


def compare(read: Read, settings: Settings, trial: Trial) -> list[Record]:
    """A row an endpoint and arm: its share or mean over patients who were solved, with interval, and the difference to
    the first arm with interval; of the same people pair by pair. label: `calibration` for links."""
    out: list[Record] = []
    for endpoint in trial.endpoints:
        names = endpoint.variable.arrays(settings)
        found = read([ARM, STATUS, PATIENT, *names])
        values = _values(endpoint, found, settings)
        good = found[STATUS] == 0
        groups = [(found[PATIENT], values, good & (found[ARM] == i)) for i in range(len(trial.arms))]
        kind = MEAN if isinstance(endpoint.of, Variable) else SHARE
        label = LABEL if isinstance(endpoint.of, Outcome) else ""
        for i, arm in enumerate(trial.arms):
            mine = values[groups[i][2]]
            row: Record = {"endpoint": endpoint.text, "arm": arm.name, "patients": len(mine), "kind": kind}
            row |= _estimate(mine, kind, trial.level)
            row |= dict.fromkeys(("difference", "difference_low", "difference_high"), np.nan)
            if i:
                d = _difference(*groups[0], groups[i][2], kind, trial)
                row |= dict(zip(("difference", "difference_low", "difference_high"), d, strict=True))
            out.append(row | {"level_percent": trial.level, "same_people": trial.common, "label": label})
    return out


def _estimate(mine: np.ndarray, kind: str, level: float) -> Record:
    if kind == SHARE:
        low, high = exact(int(mine.sum()), len(mine), level)
    else:
        _, low, high = mean_difference(np.zeros_like(mine), mine, True, level) if len(mine) > 1 else (0, np.nan, np.nan)
    return {"estimate": float(mine.mean()) if len(mine) else np.nan, "low": low, "high": high}


def _difference(
    patients: np.ndarray, values: np.ndarray, first: np.ndarray, other: np.ndarray, kind: str, trial: Trial
) -> tuple[float, float, float]:
    """An arm less the first, with interval."""
    if trial.common:  # those who were solved in both arms
        both = np.intersect1d(patients[first], patients[other])
        one, two = (values[which][np.isin(patients[which], both)] for which in (first, other))
        if len(both) < 2:
            return np.nan, np.nan, np.nan
        middle, low, high = mean_difference(one, two, True, trial.level)
        return (middle, max(-1.0, low), min(1.0, high)) if kind == SHARE else (middle, low, high)
    one, two = values[first], values[other]
    if min(len(one), len(two)) < 2:
        return np.nan, np.nan, np.nan
    if kind == SHARE:
        return difference((int(one.sum()), int(two.sum())), (len(one), len(two)), trial.level)
    return mean_difference(one, two, False, trial.level)


def _values(endpoint: Endpoint, found: Mapping[str, np.ndarray], settings: Settings) -> np.ndarray:
    """The endpoint of each patient (n,): 0 or 1 of a share."""
    if isinstance(endpoint.of, Criterion):
        return endpoint.of.met(found, settings).astype(float)
    index = endpoint.variable.of(found, settings)
    if not isinstance(endpoint.of, Outcome):
        return index
    drawn = uniform(settings["seed"], found[PATIENT], endpoint.text)
    return (drawn < endpoint.of.of(index)).astype(float)


def _endpoint(item: Item, arms: Sequence[Arm], days: float) -> Endpoint:
    """What an item asks for; refused with its line where the patients of an arm do not have it."""
    with placed(item):
        if item.text.startswith(LINK):
            found = Endpoint(item.text, outcome(item.text.removeprefix(LINK).strip()))
        else:
            found = Endpoint(item.text, criterion(item.text) if is_criterion(item.text) else variable(item.text))
        v, drugs = found.variable, list(dict.fromkeys(d.name for arm in arms for d in arm.plan.drugs))
        if any(day > days for day in v.days):
            item.wrong(f"day {max(v.days):g} is not among the {days:g} days", "Name an earlier day, or follow longer.")
        for arm in arms:
            for name in v.readouts:
                refuse_readout(arm, name, drugs)
        if not v.readouts:
            v.arrays({"drugs": drugs, "readouts": [], "report_d": []})
    return found


def _arm(item: Item, path: Path) -> Arm:
    keys = item.keys(ARM_KEYS)
    for name in ("name", "regimen", "patient", "number"):
        if name not in keys:
            item.wrong(f"the {name} of an arm is missing", f"Write '{name}: ...'.")
    name, text = keys["name"].text, keys["number"].text
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        keys["name"].wrong(f"{name[:40]!r} is no name", f"Give one line of 1 to {LONGEST_NAME} letters.")
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_COUNT):
        keys["number"].wrong(f"{text[:40]!r} is no whole number", f"Give 10 to {MOST:,}.")
    with placed(keys["number"]):
        refuse_number(int(text), "")
    with placed(keys["regimen"]):
        given = keys["regimen"].text
        found = regimen(str(path.parent / given) if Path(given).suffix.lower() in SUFFIXES else given)
    with placed(keys["patient"]):
        of = person(keys["patient"].text)
    for key, value in (keys["values"].keys() if "values" in keys else {}).items():
        with placed(value):
            of = of.having(**{key: number_of(value, most=LARGEST)})
    with placed(keys.get("values", keys["patient"])):
        body_of(of)  # refuses a size that no body has
    parts = [i.text for i in keys["modules"].items] if "modules" in keys else []
    for part in parts:
        if part not in modules():
            keys["modules"].wrong(f"unknown part {part!r}", did_you_mean(part, modules()))
    changes = keys["changes"].keys() if "changes" in keys else {}
    changed = {key: number_of(value, most=LARGEST) for key, value in changes.items()}
    arm = Arm(name, found, of, int(text), tuple(parts), tuple(changed.items()))
    if "disease" in keys:
        with placed(keys["disease"]):
            arm = arm.diseased(keys["disease"].text)
    with placed(keys["regimen"]):
        refuse_two_sets(arm.plan, name, "Give one of them in an arm.")
        known = lowered(arm.plan)[0].parameter_names
    for key, value in changes.items():
        if key not in known:
            value.wrong(f"a patient has no number {key!r}", did_you_mean(key, known))
    return arm
