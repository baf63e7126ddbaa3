"""E10: a T-cell lymphoma line that makes IL-2 without a stimulus grows on its own IL-2."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range, count_name
from il2.cell.well import Addition, Cells, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

LINE, START = "T_lymphoma", 1e4
ANTIBODY_nM = 100.0
DAYS_h = np.linspace(0.0, 120.0, 21)
DAY = int(np.searchsorted(DAYS_h, 24.0))
WELLS = {
    "alone": Well((Cells(LINE, START),)),
    "anti-IL-2": Well((Cells(LINE, START),), additions=(Addition("anti_IL2", ANTIBODY_nM),)),
    "without IL2": Well((Cells(LINE, START, without=("IL2",)),)),
}


def run(sample: Sample) -> Outcome:
    found = grown(sample, WELLS, DAYS_h, ("IL2@medium", "cells", "births"))
    cells = {name: found[name][f"{LINE}:cells"] for name in WELLS}
    births = {name: found[name][f"{LINE}:births"].max(axis=-1) for name in WELLS}
    return Outcome(
        {
            "IL2_nM": found["alone"]["IL2@medium"][:, DAY],
            "growth": cells["alone"].max(axis=-1) / START,
            "growth_without_IL2": cells["without IL2"][:, -1] / START,
            "anti_IL2_over_alone": ratio(cells["anti-IL-2"][:, -1], cells["alone"][:, -1]),
            "without_IL2_over_alone": ratio(cells["without IL2"][:, -1], cells["alone"][:, -1]),
            "division_with_anti_IL2": ratio(births["anti-IL-2"], births["alone"]),
        },
        {name: (DAYS_h, course / START) for name, course in cells.items()},
    )


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values())


EXPERIMENT = Experiment(
    id="E10",
    title="Constitutive lymphoma line",
    question="Does a line that makes IL-2 without a stimulus grow on it?",
    claims={"S004-015": ("IL2_nM", "growth", "anti_IL2_over_alone", "without_IL2_over_alone")},
    setup="10 000 cells of a line whose IL2 promoter is active without any signal, in 200 uL for 5 days, no antigen: "
    "alone, with 100 nM anti-IL-2, and with its IL2 knocked out. That it makes IL-2 is built in.",
    observable="IL-2 in the medium at 24 h, and living cells.",
    criterion="At least 1 pM IL-2; more cells than at the start; fewer with anti-IL-2 or without IL2.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "a promoter that needs its stimulus, as in other T cells: no IL-2, no growth",
        lambda sample: sample.changed({count_name(LINE, "constitutive_drive"): 0.0}),
        breaks=("IL2_nM", "growth"),
    ),
    reported={"growth_without_IL2": "dimensionless", "division_with_anti_IL2": "dimensionless"},
    axes=("time (h)", "living cells over those at the start"),
)
