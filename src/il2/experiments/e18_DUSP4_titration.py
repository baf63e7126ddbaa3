"""E18: the phosphatase DUSP4 lowers pSTAT5 per receptor, and with it the divisions of CD4 T cells."""

from __future__ import annotations

import numpy as np

from il2.cell.cohort import named
from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.experiments.divisions import DIVIDED, mean_divisions
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
from il2.receptor.model import SURFACE_ACTIVE

CELLS, FEW, LABEL, ANTIGEN, IL2_nM = 1e5, 1e3, "T", 1e9, 1.0
LEVELS = (0.0, 0.5, 1.0, 2.0, 4.0)
TIMES_h = np.array([0.0, 0.5, 24.0, 72.0, 120.0])
EARLY, DAY1, DAY5 = 1, 2, 4


def _titrated(level: float) -> Well:
    cells = Cells("T_blast", FEW, LABEL, changes={"DUSP4": level})
    return Well((cells,), additions=(Addition("IL2", IL2_nM),))


def _stimulated(kind: str, without: tuple[str, ...] = (), il2_nM: float = 0.0) -> Well:
    return Well(
        (Cells(kind, CELLS, LABEL, without=without),), antigen=(Antigen(ANTIGEN),), presenting_cells=CELLS,
        costimulation=1.0, additions=(Addition("IL2", il2_nM),),
    )  # fmt: skip


TITRATION = {f"DUSP4 {level:g}": _titrated(level) for level in LEVELS}
GROWN = {
    name: _stimulated(kind, gone, dose)
    for label, kind, dose in (("CD4", "Th", 0.0), ("CD8", "CD8", 0.0), ("CD4 given IL-2", "Th", IL2_nM))
    for name, gone in ((label, ()), (f"{label} without", ("DUSP4",)))
}
WELLS = TITRATION | GROWN


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, ("pstat5", SURFACE_ACTIVE, *DIVIDED, "IL2RA@surface"))

    def at(well: str, readout: str, k: int) -> np.ndarray:
        found: np.ndarray = course[well][named(LABEL, readout)][:, k]
        return found

    each = np.stack([ratio(at(w, "pstat5", EARLY), at(w, SURFACE_ACTIVE, EARLY)) for w in TITRATION], axis=-1)
    divisions = {name: mean_divisions(course[name], LABEL)[:, DAY5] for name in GROWN}
    return Outcome(
        {
            "largest_step": ratio(each[:, 1:], each[:, :-1]).max(axis=-1),
            "CD4_divisions_without_DUSP4": ratio(divisions["CD4 without"], divisions["CD4"]),
            "CD8_divisions_without_DUSP4": ratio(divisions["CD8 without"], divisions["CD8"]),
            "pSTAT5_left_by_DUSP4_4": ratio(each[:, -1], each[:, 0]),
            "CD4_pSTAT5_without_DUSP4": ratio(at("CD4 without", "pstat5", DAY1), at("CD4", "pstat5", DAY1)),
            "CD4_divisions": divisions["CD4"],
            "CD4_divisions_given_IL2": ratio(divisions["CD4 given IL-2 without"], divisions["CD4 given IL-2"]),
        },
        {"pSTAT5 per receptor": (np.array(LEVELS), ratio(each, each[:, :1]))},
    )


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values())


EXPERIMENT = Experiment(
    id="E18",
    title="DUSP4 titration",
    question="Does DUSP4 lower pSTAT5 per receptor, and the divisions of CD4 but not of CD8 T cells?",
    claims={
        "S001-115": ("CD4_divisions_without_DUSP4", "CD8_divisions_without_DUSP4"),
        "S001-116": ("largest_step",),
    },
    setup="1000 activated T cells with 1 nM IL-2 for 30 min at DUSP4 of 0 to 4 times its full effect. CD4 and CD8 T "
    "cells (1e5 in 200 uL) with antigen and CD28 for 5 days, with and without DUSP4, CD4 also with 1 nM IL-2. CD8 T "
    "cells have no DUSP4 here, by the paper behind the claim, so that nothing changes in them: built in.",
    observable="pSTAT5 over active receptors at the surface; divisions per cell of the start that lives on.",
    criterion="pSTAT5 per receptor falls at each step of DUSP4; without DUSP4 CD4 T cells divide more and CD8 T cells "
    "as before.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "DUSP4 does not act on STAT5",
        lambda sample: sample.changed({"DUSP4_effect_on_STAT5_dephosphorylation": 1.0}),
        breaks=("largest_step", "CD4_divisions_without_DUSP4"),
    ),
    reported=dict.fromkeys(
        ("pSTAT5_left_by_DUSP4_4", "CD4_pSTAT5_without_DUSP4", "CD4_divisions", "CD4_divisions_given_IL2"),
        "dimensionless",
    ),
    axes=("DUSP4, relative", "pSTAT5 per active receptor, over that without DUSP4"),
)  # fmt: skip
