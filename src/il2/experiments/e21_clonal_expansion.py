"""E21: T cells divide and live on IL-2, and only those that carry its receptor."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range, count_name
from il2.cell.well import CYTOKINES, Addition, Antigen, Cells, Change, Well
from il2.experiments.divisions import DIVIDED, largest_fall, mean_divisions
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

ANTIGEN, CELLS, LABEL, OTHER = 1e9, 1e5, "T", "other"
OUT_h, KEPT_nM, EQUAL_nM, NEUTRALISING_nM = 72, 1.0, 0.1, 70
DOSES_nM = (0.0, 0.001, 0.01, 0.1, 1.0)
TIMES_h = np.array([0.0, 24, 48, 72, 84, 96, 108, 120])
AFTER, DAY4, DAY5 = slice(4, None), 5, 7
RIVALS = ("IL7", "IL15", "IL21")
WANTED = (*DIVIDED, "cells", "deaths", "BCL2", "pstat5")


def _well(*cells: Cells, antigen: tuple[Antigen, ...] = (Antigen(ANTIGEN),), **given) -> Well:
    return Well(cells, antigen=antigen, presenting_cells=CELLS, costimulation=1.0, **given)


def _expanded(fresh_nM: dict[str, float]) -> Well:
    """Cells without the IL2 gene, expanded with antigen and IL-2 until both are washed out."""
    return _well(
        Cells("Th", CELLS, LABEL, without=("IL2",)),
        antigen=(Antigen(ANTIGEN), Antigen(0.0, OUT_h)),
        additions=(Addition("IL2", KEPT_nM),),
        medium_changes=(Change(OUT_h, 1.0, fresh_nM),),
    )


def _blasts(doses_nM: dict[str, float]) -> Well:
    """Blasts that make no IL-2, with cytokines and without antigen."""
    given = tuple(Addition(name, dose) for name, dose in doses_nM.items())
    return Well((Cells("T_blast", CELLS / 10, LABEL, without=("IL2",)),), additions=given)


ALONE = {
    "intact": _well(Cells("Th", CELLS, LABEL)),
    "without": _well(Cells("Th", CELLS, LABEL, without=("IL2",))),
    "neutralised": _well(Cells("Th", CELLS, LABEL), additions=(Addition("anti_IL2", NEUTRALISING_nM),)),
    "kept": _expanded({"IL2": KEPT_nM}),
    "withdrawn": _expanded({}),
} | {f"{dose:g} nM": _blasts({"IL2": dose}) for dose in DOSES_nM}
CONSUMERS = Cells("Th", CELLS, OTHER, without=("IL2",))
BESIDE = {
    "bystander": _well(Cells("Th", CELLS, LABEL), Cells("Th", CELLS, OTHER, specific=False)),
    "paracrine": _well(Cells("Th", CELLS, LABEL), CONSUMERS),
    "not secreted": _well(Cells("Th", CELLS, LABEL), CONSUMERS, changes={"IL2_export_rate": 0.0}),
}
DEPRIVED = {f"-{gone}": _blasts({c: EQUAL_nM * (c != gone) for c in CYTOKINES}) for gone in CYTOKINES}
SINGLE = {only: _blasts({c: EQUAL_nM * (c == only) for c in CYTOKINES}) for only in ("IL2", *RIVALS)}
WELLS = ALONE | BESIDE | DEPRIVED | SINGLE


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, WANTED)
    divisions = {name: mean_divisions(c, LABEL) for name, c in course.items()}
    day5 = {name: d[:, DAY5] for name, d in divisions.items()}
    own, other = f"{LABEL}:", f"{OTHER}:"

    def cells(name: str) -> np.ndarray:
        return course[name][f"{own}cells"][:, DAY5]

    def withdrawal(readout: str) -> np.ndarray:
        return ratio(*(course[name][own + readout] for name in ("withdrawn", "kept")))

    def strongest(name: str) -> np.ndarray:
        found: np.ndarray = course[name][f"{other}pstat5"].max(axis=-1)
        return found

    doses = np.stack([day5[f"{dose:g} nM"] for dose in DOSES_nM], axis=-1)
    fewest = np.min([day5[f"-{gone}"] for gone in CYTOKINES if gone != "IL2"], axis=0)
    return Outcome(
        {
            "divisions_without_IL2": ratio(day5["without"], day5["intact"]),
            "divisions_with_anti_IL2": ratio(day5["neutralised"], day5["intact"]),
            "cells_without_IL2": ratio(cells("without"), cells("intact")),
            "death_after_withdrawal": withdrawal("deaths")[:, AFTER].max(axis=-1),
            "death_a_day_after_withdrawal": withdrawal("deaths")[:, DAY4],
            "BCL2_after_withdrawal": withdrawal("BCL2")[:, DAY4],
            "burst_over_best_other": ratio(cells("IL2"), np.max([cells(name) for name in RIVALS], axis=0)),
            "consumer_pSTAT5": strongest("paracrine"),
            "consumer_pSTAT5_without_secretion": strongest("not secreted"),
            "blast_divisions_gain": doses[:, -1] - doses[:, 0],
            "blast_divisions_fall": largest_fall(doses),
            "specific_divisions": day5["bystander"],
            "bystander_divisions": mean_divisions(course["bystander"], OTHER)[:, DAY5],
            "left_without_IL2_over_others": ratio(day5["-IL2"], fewest),
        },
        {f"{name} IL-2": (TIMES_h, divisions[name]) for name in ("intact", "without", "neutralised")},
    )  # fmt: skip


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values())


def without_IL2RB(sample: Sample) -> Sample:
    """T cells that answer neither IL-2 nor IL-15."""
    lost = {count_name(cell, "IL2RB"): 0.0 for cell in ("Th", "T_blast")}
    return sample.changed(lost | {count_name(cell, "IL2RB_made_activated"): 0.0 for cell in ("Th", "T_blast")})


EXPERIMENT = Experiment(
    id="E21",
    title="Clonal expansion with and without IL-2",
    question="Do activated T cells need IL-2 to divide and to live, and only those that bear its receptor?",
    claims={
        "S000-022": ("divisions_without_IL2",),
        "S000-023": ("death_after_withdrawal", "BCL2_after_withdrawal"),
        "S000-034": ("burst_over_best_other",),
        "S001-090": ("consumer_pSTAT5", "consumer_pSTAT5_without_secretion"),
        "S001-091": ("divisions_without_IL2", "divisions_with_anti_IL2"),
        "S002-010": ("divisions_without_IL2",),
        "S002-022": ("divisions_without_IL2",),
        "S003-020": ("blast_divisions_gain", "blast_divisions_fall"),
        "S003-032": ("specific_divisions", "bystander_divisions"),
        "S004-003": ("left_without_IL2_over_others",),
    },
    setup="CD4 T cells (1e5 in 200 uL) with antigen and CD28 for 5 days: intact, without the IL2 gene, with antibody "
    "to IL-2, beside a clone that does not know the antigen, and as producers beside cells without the gene, with and "
    "without export of IL-2. Cells expanded in 1 nM for 3 days, then washed. Blasts without antigen: IL-2 by dose; six "
    "cytokines at 0.1 nM less one; one at 0.1 nM. IL-4 and IL-21 drive other STATs, which no fate reads here.",
    observable="Divisions per cell of the start that lives on, cells, death rate, BCL2, pSTAT5.",
    criterion="Without IL-2 at most half of the divisions and twice the death; IL-2 ahead of each other cytokine, "
    "alone and when taken away; only the specific clone divides; neighbours answer only to IL-2 that is secreted.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "T cells without IL2RB: loss of IL-2 changes neither divisions nor death",
        without_IL2RB,
        breaks=("divisions_without_IL2", "death_after_withdrawal", "burst_over_best_other", "consumer_pSTAT5",
                "blast_divisions_gain", "left_without_IL2_over_others"),
    ),
    reported={"cells_without_IL2": "dimensionless", "death_a_day_after_withdrawal": "dimensionless"},
    axes=("time (h)", "divisions per cell of the start that lives on"),
)  # fmt: skip
