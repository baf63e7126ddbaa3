"""E35: high doses of IL-2 against tumours: the level in blood, effectors, the burden, and block of PD-1 beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.stats import norm

from il2.cell.spread import Range, quantity_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.patients import (
    Arm,
    Found,
    Patients,
    course,
    half_life_d,
    patient_ranges,
    patients,
    person_grades,
)
from il2.experiments.sample import Sample
from il2.knowledge.quantity import quantity
from il2.network.expression import sym
from il2.patient.notice import RESEARCH_USE
from il2.patient.regimen import Regimen
from il2.patient.regimen_file import regimen
from il2.patient.tumour import BLOCK, BURDEN, DIAMETER, NORMAL, tumour

MODULES = ("tumour",)
HIGH, LONG, UNTREATED = "high_dose_aldesleukin", "bempegaldesleukin_every_3_weeks", "no_treatment"
PERSONS = ("renal_cell_carcinoma", "melanoma")
MELANOMA = PERSONS[1]
SAMPLES_PER_INTERVAL = 16
DAYS = np.array([1.0, 5, 7, 14, 19, 21, 28, 56, 84])
VISITS = np.linspace(0.0, DAYS[-1], 13)
LEVEL = "aldesleukin_nM"
CELLS = ("CD8", "NK", "Treg")
WANTED = (LEVEL, *(f"pool_{kind}" for kind in CELLS), BURDEN)
SHARES, MORE = (0.02, 0.1, 0.25, 0.5), 0.8
"""Of patients, those who surpass a virtual patient in what immunity takes away of the growth of the tumour; one more
where many answer."""
WHOLE = 100.0


def run(sample: Sample) -> Outcome:
    high, long = regimen(HIGH), regimen(LONG)
    every = patients(sample, (high, long), PERSONS, MODULES)
    levels = _levels_d(high)
    times = np.union1d(levels, DAYS)

    def followed(who: str, given: Regimen, block: float = 0.0) -> Found:
        return course(every, Arm(given, who, times, {BLOCK: block}), WANTED)

    def answered(who: str, given: Regimen, block: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        shares = (*SHARES, MORE) if block else SHARES
        return cohort(every, Arm(given, who, VISITS, {BLOCK: block}), shares)

    alone = {who: followed(who, high) for who in PERSONS}
    without = {who: followed(who, regimen(UNTREATED)) for who in PERSONS}
    blocked, both = (followed(MELANOMA, given, 1.0) for given in (regimen(UNTREATED), high))
    burden = {who: alone[who][BURDEN][:, -1] for who in PERSONS}
    shares, best = zip(*(answered(who, high) for who in PERSONS), strict=True)
    by_block, _ = answered(MELANOMA, regimen(UNTREATED), 1.0)
    by_long, _ = answered(MELANOMA, long, 1.0)
    better = np.minimum(burden[MELANOMA], blocked[BURDEN][:, -1])
    values = {
        **{f"half_life_h_{who}": half_life(levels, alone[who][LEVEL][:, : len(levels)], high) for who in PERSONS},
        **{f"{kind}_fold": _least(alone, f"pool_{kind}") for kind in CELLS},
        "burden_in_responder": np.maximum(*best),
        "burden_over_untreated": np.maximum(*(ratio(burden[who], without[who][BURDEN][:, -1]) for who in PERSONS)),
        **{f"answered_{who}": share for who, share in zip(PERSONS, shares, strict=True)},
        "combination_over_better_alone": ratio(both[BURDEN][:, -1], better),
        "PIVOT_left_without_answer": np.where(by_long == by_block, 1.0, ratio(WHOLE - by_long, WHOLE - by_block)),
        "answered_PD1_block": by_block,
        "answered_PIVOT": by_long,
        "peak_nM": alone[MELANOMA][LEVEL].max(axis=-1),
    }
    shown = {"no treatment": without[MELANOMA], "high dose": alone[MELANOMA], "PD-1 block": blocked, "both": both}
    return Outcome(values, {name: (times, ratio(y[BURDEN], y[BURDEN][:, :1])) for name, y in shown.items()})


def _levels_d(given: Regimen) -> np.ndarray:
    """Times from the start of the first infusion to the next, d."""
    return np.linspace(0.0, given.courses[0].every_h / quantity("hours_per_day").value, SAMPLES_PER_INTERVAL + 1)


def half_life(times_d: np.ndarray, level_nM: np.ndarray, given: Regimen) -> np.ndarray:
    """Terminal half-life (variants,) in h of the level (variants, times) after the first infusion."""
    hours = quantity("hours_per_day").value
    return hours * half_life_d(times_d, level_nM, route="infusion", infusion_d=given.courses[0].duration_h / hours)


def cohort(of: Patients, arm: Arm, shares: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Percent of patients (variants,) whose tumour comes to shrink as an answer asks, and the burden at the end over
    the start in the first of `shares`.

    Patients differ in their place alone, and an answer goes with it: the share is read where the least diameter
    crosses the limit, 0 or 100 outside of `shares`. Variants are the default set, the draws and the probes of what a
    tumour rests on; NaN in other probes, for time.
    """
    own = tumour({kind: sym(kind) for kind in CELLS}).parameter_names
    sample = of.sample
    rows = np.array(
        [*range(1 + sample.draws), *(1 + sample.draws + i for i, p in enumerate(sample.probes) if p in own)]
    )
    places = np.tile(norm.isf(shares), len(rows))
    given = replace(arm, changes={**arm.changes, NORMAL: places})
    found = course(of.chosen(np.repeat(rows, len(shares))), given, (DIAMETER, BURDEN))
    least = found[DIAMETER].min(axis=-1).reshape(len(rows), len(shares))
    end = ratio(found[BURDEN][:, -1], found[BURDEN][:, 0]).reshape(len(rows), len(shares))[:, 0]
    percent, burden = np.full((2, sample.size), np.nan)
    percent[rows], burden[rows] = [_percent(row, shares) for row in least], end
    return percent, burden


def _percent(least: np.ndarray, shares: tuple[float, ...]) -> float:
    """Percent of patients whose least diameter, a share of that at the start, lies below the limit of an answer."""
    limit = 1 - quantity("RECIST_fall").value
    place = np.interp(limit, least, -norm.isf(shares), left=-np.inf, right=np.inf)
    return float(WHOLE * norm.cdf(place)) if np.isfinite(least).all() else np.nan


def _least(found: Mapping[str, Found], name: str) -> np.ndarray:
    """Highest reading over the course, the least of the persons."""
    value: np.ndarray = np.min([found[who][name].max(axis=-1) for who in PERSONS], axis=0)
    return value


def ranges() -> tuple[Range, ...]:
    return patient_ranges([regimen(HIGH), regimen(LONG)], MODULES)


EXPERIMENT = Experiment(
    id="E35",
    title="High-dose aldesleukin +/- checkpoint block",
    question="Do high doses of IL-2 raise effectors and shrink tumours of a few, and more so beside block of PD-1?",
    claims={
        "S000-027": ("CD8_fold", "NK_fold", "burden_in_responder"),
        "S000-083": (
            "burden_in_responder",
            "burden_over_untreated",
            "answered_renal_cell_carcinoma",
            "answered_melanoma",
        ),
        "S000-093": ("answered_renal_cell_carcinoma",),
        "S000-094": ("answered_melanoma",),
        "S000-098": ("combination_over_better_alone", "PIVOT_left_without_answer"),
        "S001-083": tuple(f"half_life_h_{who}" for who in PERSONS),
        "S003-051": ("answered_renal_cell_carcinoma",),
        "S003-052": ("answered_melanoma",),
    },
    setup="600 000 IU/kg into the vein in 15 min every 8 h, 14 doses, and again after 9 d, in typical persons with "
    "metastatic renal cell carcinoma and melanoma, alone and beside full block of PD-1. Calibration: how much of the "
    "growth of tumours immunity takes away, and how patients differ in it, was set on the answers in these very "
    "trials, so that the share who answer is no prediction. In the cohort patients differ in that alone; growth, "
    "burden and exhaustion are typical. Negative control: 0.006 mg/kg bempegaldesleukin every 3 weeks beside block of "
    f"PD-1 in melanoma, on which nothing was set; what adds to what is left to numbers. {RESEARCH_USE}",
    observable="Terminal half-life in plasma after the first infusion; highest CD8 and NK cells of the body over "
    "before; burden on day 84; percent of patients whose tumour comes to shrink by 30 % in diameter.",
    criterion="Half-life of 1 to 2 h; CD8 and NK at least 1.5-fold; the burden falls in a responder and is below that "
    "without treatment in the patient in the middle; 10 to 25 % answer; both treatments leave the least burden. "
    "Negative control: bempegaldesleukin beside block of PD-1 leaves no fewer without an answer than 0.88 of those "
    "whom block alone leaves.",
    run=run,
    ranges=ranges,
    grades=lambda: (*person_grades(PERSONS), *(r.grade for r in quantity_ranges("RECIST_fall"))),
    ablation=Ablation(
        "CD8 and NK cells that neither divide nor kill more under IL-2",
        lambda sample: sample.changed(
            {"CD8_proliferation_highest": 0.0, "NK_proliferation_highest": 0.0, "killing_per_programme": 0.0}
        ),
        breaks=("CD8_fold", "NK_fold", "burden_in_responder", "burden_over_untreated", "combination_over_better_alone"),
    ),
    reported={"answered_PD1_block": "percent", "answered_PIVOT": "percent", "peak_nM": "nM"}
    | {"Treg_fold": "dimensionless"},
    axes=("time (d)", "burden of melanoma, patient in the middle, share of the start"),
)
