"""E28: an allergen makes its Th2 clone secrete IL-2 and carry IL2RA, and so the clone alone grows."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

CLONE, OTHERS = "specific", "bystander"
CELLS = {CLONE: 2e3, OTHERS: 1e5}
ALLERGEN, PRESENTING, ANTIBODY_nM = 1e8, 1e5, 100.0
TIMES_h = np.array([0.0, 12, 18, 24, 36, 48, 72, 96, 120])
BEFORE_DIVISION, DAY_1, DAY_5 = 2, 3, 8


def _well(allergen: float, additions: tuple[Addition, ...] = ()) -> Well:
    clone = Cells("Th2", CELLS[CLONE], name=CLONE)
    others = Cells("Th2", CELLS[OTHERS], name=OTHERS, specific=False)
    return Well(
        cells=(clone, others), antigen=(Antigen(allergen),), presenting_cells=PRESENTING, costimulation=1.0,
        additions=additions,
    )  # fmt: skip


WELLS = {
    "allergen": _well(ALLERGEN),
    "no allergen": _well(0.0),
    "allergen, daclizumab": _well(ALLERGEN, (Addition("daclizumab", ANTIBODY_nM),)),
}


def run(sample: Sample) -> Outcome:
    wanted = ("IL2@medium", "cells", "IL2RA@surface", "generation_0")
    found = grown(sample, WELLS, TIMES_h, wanted)
    allergen, nothing, blocked = (found[name] for name in WELLS)
    folds = {(well, who): found[well][f"{who}:cells"] / CELLS[who] for well in WELLS for who in CELLS}
    growth = folds["allergen", CLONE][:, DAY_5] - 1
    early = BEFORE_DIVISION
    raised, whole = (allergen[f"{CLONE}:{name}"][:, early] for name in ("IL2RA@surface", "cells"))
    return Outcome(
        {
            "IL2_fold": ratio(allergen["IL2@medium"][:, DAY_1], nothing["IL2@medium"][:, DAY_1]),
            "IL2RA_fold": ratio(raised, nothing[f"{CLONE}:IL2RA@surface"][:, early]),
            "undivided_share": ratio(allergen[f"{CLONE}:generation_0"][:, early], whole),
            "specific_fold": folds["allergen", CLONE][:, DAY_5],
            "bystander_fold": folds["allergen", OTHERS][:, DAY_5],
            "gain_with_daclizumab": ratio(folds["allergen, daclizumab", CLONE][:, DAY_5] - 1, growth),
            "specific_over_no_allergen": ratio(
                folds["allergen", CLONE][:, DAY_5], folds["no allergen", CLONE][:, DAY_5]
            ),
            "IL2_with_daclizumab_nM": blocked["IL2@medium"][:, DAY_5],
        },
        {f"{who}, {well}": (TIMES_h, y) for (well, who), y in folds.items() if who == CLONE or well == "allergen"},
    )


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values())


EXPERIMENT = Experiment(
    id="E28",
    title="Allergen to Th2 clone",
    question="Does an allergen expand the Th2 clone that knows it, and that clone alone, through IL-2 and IL2RA?",
    claims={
        "S003-029": ("IL2_fold",),
        "S003-030": ("IL2RA_fold", "undivided_share"),
        "S003-031": ("specific_fold", "bystander_fold", "gain_with_daclizumab"),
    },
    setup="2000 Th2 cells of one clone among 100 000 Th2 cells of other clones, with 100 million allergen peptides on "
    "100 000 presenting cells and CD28 help, without allergen, and with 100 nM daclizumab.",
    observable="IL-2 of the medium at 24 h and free IL2RA of the clone at 18 h over those without allergen, the share "
    "that has not divided at 18 h, and living cells of the clone and of the others at day 5 "
    "over their numbers at the start.",
    criterion="IL-2 at least 10 times and IL2RA at least 3 times up before the first division; the clone at least 5 "
    "times its number at day 5, the others no more than 1.5 times theirs; with daclizumab at most a fifth of the gain.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "Th2 cells without IL2RA: allergen signals and IL-2 stay, growth goes",
        lambda sample: sample.changed({"Th2 IL2RA": 0.0, "Th2 IL2RA_induced": 0.0}),
        breaks=("specific_fold", "gain_with_daclizumab"),
    ),
    reported={"specific_over_no_allergen": "dimensionless", "IL2_with_daclizumab_nM": "nM"},
    axes=("time (h)", "living cells over those at the start"),
)
