"""E33: the less IL-2 T cells make, the less regulatory T cells hold down, and the more autoimmunity (patient part)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from il2.cell.spread import Range
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.patients import Arm, followed, patient_ranges, person_grades
from il2.experiments.sample import Sample
from il2.knowledge.person import HEALTHY
from il2.patient.autoimmunity import EFFECTORS, INDEX, SUPPRESSION
from il2.patient.notice import RESEARCH_USE
from il2.patient.patient import MADE
from il2.patient.regimen_file import regimen

MODULES, UNTREATED = ("autoimmunity",), "no_treatment"
SUPPLIES = (1.0, 0.5, 0.25, 0.0)
HALF = SUPPLIES.index(0.5)
DAYS = np.array([0.0, 14, 28, 84, 168, 365])
TREG = "pool_Treg"
TISSUE = "niches of IL-2, inflammation and disease in a tissue"
CLAIMS = {
    "S000-026": ("suppression_step", "index_step"),
    "S001-099": ("suppression_at_half", "index_at_half"),
    "S001-136": ("suppression_at_half",),
    "S001-137": ("Treg_step", "suppression_step"),
    "S002-029": ("suppression_at_half", "index_at_half"),
}


def run(sample: Sample) -> Outcome:
    arms = {f"IL-2 x{x:g}": Arm(regimen(UNTREATED), HEALTHY, DAYS, {MADE: x}) for x in SUPPLIES}
    found = followed(sample, arms, (TREG, SUPPRESSION, EFFECTORS, INDEX), MODULES)
    at_end = {name: [found[arm][name][:, -1] for arm in arms] for name in (TREG, SUPPRESSION, EFFECTORS, INDEX)}
    half = {name: ratio(ends[HALF], ends[0]) for name, ends in at_end.items()}
    return Outcome(
        {
            "Treg_step": _steps(at_end[TREG]).max(axis=0),
            "suppression_step": _steps(at_end[SUPPRESSION]).max(axis=0),
            "index_step": _steps(at_end[INDEX]).min(axis=0),
            "suppression_at_half": half[SUPPRESSION],
            "index_at_half": half[INDEX],
            "Treg_at_half": half[TREG],
            "effectors_at_half": half[EFFECTORS],
            "Treg_without_IL2": ratio(at_end[TREG][-1], at_end[TREG][0]),
            "index_without_IL2": ratio(at_end[INDEX][-1], at_end[INDEX][0]),
        },
        {f"index, {name}": (DAYS, found[name][INDEX]) for name in arms},
    )


def _steps(values: list[np.ndarray]) -> np.ndarray:
    """What each is of the one before it, (steps, variants)."""
    return np.stack([ratio(b, a) for a, b in pairwise(values)])


def ranges() -> tuple[Range, ...]:
    return patient_ranges([regimen(UNTREATED)], MODULES)


EXPERIMENT = Experiment(
    id="E33",
    title="Graded IL-2 deficiency",
    question="Does less IL-2 weaken Treg and raise autoimmunity, step by step, and half of it already?",
    claims=CLAIMS,
    setup="A healthy adult whose T cells make all, half, a quarter or none of the normal IL-2 from day 0, read after a "
    "year. The index of autoimmunity, 1 in health, is one rule of effectors over Treg with chosen numbers; it is that "
    "of no disease, and joints are not in it. All cells, effectors too, lose the signal of the IL-2 that is not made. "
    f"{RESEARCH_USE}",
    observable="Treg of the body, what they hold down together (suppression), and the index of autoimmunity, over "
    "those with all IL-2.",
    criterion="Treg and suppression fall and the index rises at each step; at half of the IL-2 suppression is at least "
    "5 % down and the index up. Not built: the tissue part.",
    run=run,
    ranges=ranges,
    grades=lambda: person_grades([HEALTHY]),
    ablation=Ablation(
        "Treg that neither divide nor work by IL-2",
        lambda sample: sample.changed({"Treg_proliferation_highest": 0.0, "Treg_activity_per_programme": 0.0}),
        breaks=tuple(dict.fromkeys(name for chosen in CLAIMS.values() for name in chosen)),
    ),
    reported=dict.fromkeys(
        ("Treg_at_half", "effectors_at_half", "Treg_without_IL2", "index_without_IL2"), "dimensionless"
    ),
    axes=("time (d)", "index of autoimmunity"),
    not_built=dict.fromkeys(CLAIMS, TISSUE),
)
