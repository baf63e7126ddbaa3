"""E22: IL-2 keeps T cells alive at a first stimulus, and readies them to die by FAS at a second."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Change, Well
from il2.experiments.divisions import DIVIDED, precursors
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

ANTIGEN, CELLS, LABEL = 1e9, 1e5, "T"
MUCH_nM, LITTLE_nM = 10.0, 0.05
REST_h, AGAIN_h = 48, 120
TIMES_h = np.array([0.0, 12, 24, 36, 48, 60, 72, 120, 144])
NEGLIGIBLE = 1e-9
DAY3, DAY5, DAY6 = 6, 7, 8
WANTED = (*DIVIDED, "cells", "dead", "FASLG", "CFLAR")


def _well(dose_nM: float, *without: str, again: bool = True) -> Well:
    """Cells that make no IL-2: first stimulus, rest in the same IL-2, second stimulus."""
    antigen = (Antigen(ANTIGEN), Antigen(0.0, REST_h), *((Antigen(ANTIGEN, AGAIN_h),) if again else ()))
    return Well(
        (Cells("Th", CELLS, LABEL, without=("IL2", *without)),),
        antigen=antigen,
        presenting_cells=CELLS,
        costimulation=1.0,
        additions=(Addition("IL2", dose_nM),),
        medium_changes=tuple(Change(time, 1.0, {"IL2": dose_nM}) for time in (REST_h, AGAIN_h)),
    )


WELLS = {
    "none": _well(0.0),
    "little": _well(LITTLE_nM),
    "much": _well(MUCH_nM),
    "little without FAS": _well(LITTLE_nM, "FAS"),
    "much without FAS": _well(MUCH_nM, "FAS"),
    "much, rested": _well(MUCH_nM, again=False),
}


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, WANTED)
    alive = {name: c[f"{LABEL}:cells"] for name, c in course.items()}
    dead = {name: c[f"{LABEL}:dead"] for name, c in course.items()}
    first = {name: _per_cell_time(dead[name], alive[name]) for name in ("none", "much")}
    left = {name: precursors(course[name], LABEL) for name in ("none", "much")}
    died = {name: dead[name][:, DAY6] - dead[name][:, DAY5] for name in WELLS}
    again = {name: ratio(died[name], died[name] + alive[name][:, DAY6]) for name in WELLS}
    by_FAS = {arm: again[arm] - again[f"{arm} without FAS"] for arm in ("much", "little")}
    return Outcome(
        {
            "first_death_ratio": ratio(first["much"], first["none"]),
            "first_survival_ratio": ratio(left["much"][:, DAY3], left["none"][:, DAY3]),
            "FAS_death_ratio": ratio(by_FAS["much"], by_FAS["little"]),
            "restimulation_death_ratio": ratio(again["much"], again["little"]),
            "restimulation_death_ratio_without_FAS": ratio(again["much without FAS"], again["little without FAS"]),
            "death_after_much": again["much"],
            "death_after_little": again["little"],
            "death_after_much_without_antigen": again["much, rested"],
            "death_without_IL2": again["none"],
        },
        {
            f"{name} IL-2": (TIMES_h, ratio(dead[name], dead[name] + alive[name]))
            for name in ("none", "little", "much", "much without FAS")
        },
    )


def _per_cell_time(dead: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Deaths until day 3 per cell and h: a share of dead cells would also fall by births alone."""
    early = slice(DAY3 + 1)
    return ratio(dead[:, DAY3], np.trapezoid(alive[:, early], TIMES_h[early], axis=-1))


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values())


EXPERIMENT = Experiment(
    id="E22",
    title="Survival against activation-induced death",
    question="Does IL-2 keep T cells alive at the first stimulus and have FAS kill them at the second, in one set?",
    claims={
        "S001-108": ("first_death_ratio",),
        "S003-022": ("FAS_death_ratio", "restimulation_death_ratio", "restimulation_death_ratio_without_FAS"),
        "S003-033": ("first_survival_ratio",),
    },
    setup="CD4 T cells without the IL2 gene (1e5 in 200 uL), so that they have the IL-2 that is given: none, 0.05 or "
    "10 nM. Antigen with CD28 for 48 h, rest until day 5 in fresh medium with the same IL-2, then antigen again for "
    "24 h; the same without FAS, and without a second stimulus. 0.05 nM is used up within two days.",
    observable="Deaths per cell and time until day 3, and cells of the start that live on; share of the cells "
    "of day 5 and their daughters that die within 24 h.",
    criterion="First stimulus: less death with 10 nM than without. Second: the death that FAS adds is at least 1.5 "
    "times as large after 10 nM as after 0.05 nM; without FAS, IL-2 adds none.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "IL-2 reaches neither BCL2 nor CFLAR, and FASLG needs antigen alone: IL-2 neither saves nor readies to die",
        lambda sample: sample.changed(
            {"BCL2_by_pSTAT5": 0.0, "BCL2_by_AKT": 0.0, "FASLG_half_pSTAT5": NEGLIGIBLE, "CFLAR_by_pSTAT5": 0.0}
        ),
        breaks=("first_death_ratio", "first_survival_ratio", "FAS_death_ratio"),
    ),
    reported=dict.fromkeys(
        (
            "death_after_much",
            "death_after_little",
            "death_after_much_without_antigen",
            "death_without_IL2",
        ),
        "dimensionless",
    ),
    axes=("time (h)", "share of dead cells"),
)
