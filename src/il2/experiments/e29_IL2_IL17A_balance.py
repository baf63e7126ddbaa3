"""E29: IL-2 holds IL-17A down, and either one alone in the field is out of balance (cell part)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
from il2.gene.promoter import strength

GENE = "IL17A"
DOSES_nM = np.logspace(-4, 0, 7)
TIMES_h = np.array([0.0, 6, 12, 18, 24, 36, 48])
CELLS, ANTIGEN = 1e5, 1e9


def _well(dose_nM: float) -> Well:
    return Well(
        cells=(Cells("Th", CELLS, without=("IL2",)),), antigen=(Antigen(ANTIGEN),), costimulation=1.0,
        additions=(Addition("IL2", dose_nM),),
    )  # fmt: skip


WELLS = {f"{dose_nM:.2g} nM": _well(float(dose_nM)) for dose_nM in DOSES_nM}


def run(sample: Sample) -> Outcome:
    found = grown(sample, WELLS, TIMES_h, (f"{GENE}_mRNA", "cells", "pstat5"), genes=(GENE,))
    courses = {n: np.stack([c[f"Th:{n}"] for c in found.values()], axis=1) for n in (f"{GENE}_mRNA", "cells", "pstat5")}
    output = np.trapezoid(courses[f"{GENE}_mRNA"], TIMES_h, axis=-1)
    effectors = courses["cells"][..., -1]
    score = np.hypot(from_middle(output), from_middle(effectors))
    ends = np.minimum(score[:, 0], score[:, -1])
    steps = np.stack([ratio(b, a) for a, b in pairwise(output.T)])
    return Outcome(
        {
            f"{GENE}_largest_step": steps.max(axis=0),
            f"{GENE}_lowest_over_highest_dose": ratio(output[:, 0], output[:, -1]),
            "score_of_ends_over_best": ratio(ends, score[:, 1:-1].min(axis=-1)),
            "best_dose_nM": DOSES_nM[1:-1][np.argmin(np.nan_to_num(score[:, 1:-1], nan=np.inf), axis=-1)],
            "pSTAT5_at_highest_dose": courses["pstat5"][:, -1, -1],
        },
        {
            "IL-17A mRNA over the most": (DOSES_nM, output / output.max(axis=-1, keepdims=True)),
            "T cells over the most": (DOSES_nM, effectors / effectors.max(axis=-1, keepdims=True)),
            "distance from the middle": (DOSES_nM, score),
        },
    )


def from_middle(values: np.ndarray) -> np.ndarray:
    """Distance (variants, doses) from the middle of the doses, on a log scale: 0 there, 1 at the most and the least.

    The set point of a body is not known, so that the middle of what the cells can do stands for it.
    """
    logs = np.log(values)
    low, high = logs.min(axis=-1, keepdims=True), logs.max(axis=-1, keepdims=True)
    half = (high - low) / 2
    return np.where(half > 0, np.abs(logs - (low + high) / 2) / np.where(half > 0, half, 1.0), 0.0)


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values(), (GENE,))


EXPERIMENT = Experiment(
    id="E29",
    title="IL-2 / IL-17A balance",
    question="Does more IL-2 mean less IL-17A, so that balance lies between the extremes?",
    claims={
        "S001-123": (f"{GENE}_largest_step", f"{GENE}_lowest_over_highest_dose", "score_of_ends_over_best"),
    },
    setup="100 000 CD4 T cells that make no IL-2 of their own, with antigen and CD28 for 48 h, and IL-2 at seven doses "
    "from 0.1 pM to 1 nM.",
    observable="IL17A mRNA over the 48 h, and living T cells at their end. Homeostasis score: distance of both outputs "
    "from the middle of their range over the doses on a log scale, each 1 at its extremes.",
    criterion="IL-17A falls at each step of the dose, at least 2-fold in all; the score is at least twice as far from "
    "balance at both extremes as at the best dose inside, which follows from the score once both outputs are monotone.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "IL17A without repression by STAT5",
        lambda sample: sample.changed({strength(GENE, "STAT5", "represses"): 0.0}),
        breaks=(f"{GENE}_lowest_over_highest_dose",),
    ),
    reported={"best_dose_nM": "nM", "pSTAT5_at_highest_dose": "dimensionless"},
    axes=("IL-2 (nM)", "share, and distance from the middle"),
    not_built={"S001-123": "Treg, neutrophils and barrier of a tissue, where the set point lies"},
)
