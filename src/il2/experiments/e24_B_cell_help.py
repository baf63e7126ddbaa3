"""E24: IL-2 makes activated B cells divide and secrete, and memory T cells help them by it."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range, count_name
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.experiments.divisions import DIVIDED, largest_fall, mean_divisions
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

B, T, PLASMA = "B", "T", "plasma_programme"
ALONE, RECALLED, ANTIGEN = 1e4, 5e4, 1e9
DOSES_nM = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0)
RESTING_nM = (0.0, 0.01)
TIMES_h = np.array([0.0, 24, 72, 120, 168])
DAY1, DAY5, DAY7 = 1, 3, 4
WANTED = (*DIVIDED, "cells", "pstat5", PLASMA)


def _alone(kind: str, dose_nM: float) -> Well:
    return Well((Cells(kind, ALONE, B),), additions=(Addition("IL2", dose_nM),))


def _recall(*without: str, dose_nM: float = 0.0) -> Well:
    """Activated B cells present antigen to memory T cells, which have one channel to help them: IL-2."""
    return Well(
        (Cells("B_activated", RECALLED, B), Cells("Th_mem", RECALLED, T, without=without)),
        antigen=(Antigen(ANTIGEN),),
        presenting_cells=RECALLED,
        costimulation=1.0,
        additions=(Addition("IL2", dose_nM),),
    )


WELLS = (
    {f"{dose:g} nM": _alone("B_activated", dose) for dose in DOSES_nM}
    | {f"resting, {dose:g} nM": _alone("B", dose) for dose in RESTING_nM}
    | {"recall": _recall(), "recall without IL2": _recall("IL2"), "recall given IL-2": _recall("IL2", dose_nM=1.0)}
)


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, WANTED, products=(PLASMA,))

    def plasma_cells(name: str) -> np.ndarray:
        return course[name][f"{B}:{PLASMA}"] * course[name][f"{B}:cells"]

    def series(curves: dict[str, np.ndarray]) -> np.ndarray:
        return np.stack([curves[f"{dose:g} nM"][:, DAY5] for dose in DOSES_nM], axis=-1)

    divisions = series({name: mean_divisions(c, B) for name, c in course.items()})
    antibody = series({name: plasma_cells(name) for name in WELLS})
    recall = {name: plasma_cells(name)[:, DAY7] for name in WELLS if name.startswith("recall")}
    resting = [plasma_cells(f"resting, {dose:g} nM")[:, DAY5] for dose in RESTING_nM]
    return Outcome(
        {
            "pSTAT5_B": course[f"{DOSES_nM[-1]:g} nM"][f"{B}:pstat5"][:, DAY1],
            "division_gain": divisions[:, -1] - divisions[:, 0],
            "division_fall": largest_fall(divisions),
            "antibody_gain": ratio(antibody[:, -1], antibody[:, 0]),
            "antibody_fall": largest_fall(antibody),
            "plasma_cells_without_T_IL2": ratio(recall["recall without IL2"], recall["recall"]),
            "plasma_cells_with_IL2_given_instead": ratio(recall["recall given IL-2"], recall["recall"]),
            "antibody_gain_10pM": ratio(antibody[:, DOSES_nM.index(0.01)], antibody[:, 0]),
            "antibody_gain_10pM_resting": ratio(resting[1], resting[0]),
        },
        {name: (TIMES_h, plasma_cells(name)) for name in recall},
    )


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values(), products=(PLASMA,))


EXPERIMENT = Experiment(
    id="E24",
    title="B-cell and plasma-cell help",
    question="Does IL-2 make activated B cells divide and secrete antibody, and is the IL-2 of memory T cells needed?",
    claims={
        "S001-093": ("division_gain", "antibody_gain"),
        "S001-100": ("plasma_cells_without_T_IL2",),
        "S002-011": ("division_gain",),
        "S002-024": ("pSTAT5_B",),
        "S003-027": ("division_gain", "division_fall"),
        "S003-028": ("antibody_gain", "antibody_fall"),
        "S004-004": ("pSTAT5_B",),
    },
    setup="Activated B cells (1e4 in 200 uL) for 5 days at each dose of IL-2; resting ones at 10 pM. Recall: activated "
    "B cells and memory CD4 T cells (5e4 each) with antigen and CD28 for 7 days, the T cells with and without the IL2 "
    "gene. The B cells are taken to have met antigen and CD40 and to have switched to IgG in all wells; T cells help "
    "by IL-2 and nothing else, so that the loss is that of the arm of IL-2.",
    observable="pSTAT5 on day 1, divisions and antibody (cells times the share that has become plasma cells) on day 5, "
    "plasma cells on day 7.",
    criterion="All rise with the dose, with no fall above 5 %; without the IL2 gene of the T cells at most half of the "
    "plasma cells.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "B cells without IL2RB: IL-2 of no origin changes them",
        lambda sample: sample.changed(
            {count_name("B_activated", name): 0.0 for name in ("IL2RB", "IL2RB_made_activated")}
        ),
        breaks=("pSTAT5_B", "division_gain", "antibody_gain", "plasma_cells_without_T_IL2"),
    ),
    reported=dict.fromkeys(
        ("plasma_cells_with_IL2_given_instead", "antibody_gain_10pM", "antibody_gain_10pM_resting"), "dimensionless"
    ),
    axes=("time (h)", "plasma cells in the well"),
)  # fmt: skip
