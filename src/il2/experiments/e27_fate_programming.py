"""E27: IL-2 while T cells are primed makes effectors of them, and memory that can grow again."""

from __future__ import annotations

import numpy as np

from il2.cell.population import GENERATIONS, stopped
from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Change, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

KINDS, MEMORY = ("CD8", "Th"), "CD8_mem"
CELLS, ANTIGEN, DOSE_nM, ANTIBODY_nM = 1e5, 1e9, 1.0, 100.0
PRIMED_h, RESTED_h, RECALL_h = 72.0, 96.0, 96.0
WITH, WITHOUT = "with IL-2", "without IL-2"
GIVEN = {WITH: (Addition("IL2", DOSE_nM),), WITHOUT: (Addition("anti_IL2", ANTIBODY_nM),)}
STOPPED = tuple(stopped(g) for g in range(1, GENERATIONS + 1))
FEWEST = 1.0  # one cell: fewer cannot be seeded


def primed(kind: str, arm: str) -> Well:
    """Cells with antigen, which is washed out together with what was given."""
    return Well(
        cells=(Cells(kind, CELLS),), antigen=(Antigen(ANTIGEN), Antigen(0.0, PRIMED_h)), costimulation=1.0,
        additions=GIVEN[arm], medium_changes=(Change(PRIMED_h),),
    )  # fmt: skip


def recalled(arm: str) -> Well:
    """Memory cells of a priming, as many as there are, with antigen and IL-2."""
    cells = Cells(MEMORY, CELLS, changes={"cells_at_start": _memory(arm)})
    return Well(cells=(cells,), antigen=(Antigen(ANTIGEN),), costimulation=1.0, additions=GIVEN[WITH])


def _memory(arm: str) -> str:
    return f"memory cells primed {arm}"


PRIMING = {f"{kind} {arm}": primed(kind, arm) for kind in KINDS for arm in GIVEN}
RECALL = {arm: recalled(arm) for arm in GIVEN}


def run(sample: Sample) -> Outcome:
    times = np.array([0.0, PRIMED_h, RESTED_h])
    first = grown(sample, PRIMING, times, ("effector", "cells", *STOPPED), products=("effector",))
    share = {name: np.clip(c[f"{name.split()[0]}:effector"][:, 1], 0.0, 1.0) for name, c in first.items()}
    done = {name: sum(c[f"{name.split()[0]}:{s}"][:, 2] for s in STOPPED) for name, c in first.items()}
    memory = {arm: np.maximum(done[f"CD8 {arm}"] * (1 - share[f"CD8 {arm}"]), FEWEST) for arm in GIVEN}
    seeded = sample.changed({_memory(arm): np.nan_to_num(n, nan=FEWEST) for arm, n in memory.items()})
    hours = np.array([0.0, 24, 48, 72, RECALL_h])
    second = grown(seeded, RECALL, hours, ("cells", "effector"), products=("effector",))
    grew = {arm: second[arm][f"{MEMORY}:cells"] + 0 * memory[arm][:, None] for arm in GIVEN}
    odds = {name: ratio(s, 1 - s) for name, s in share.items()}
    return Outcome(
        {
            **{f"fate_odds_{k}": ratio(odds[f"{k} {WITH}"], odds[f"{k} {WITHOUT}"]) for k in KINDS},
            **{f"differentiation_without_IL2_{k}": ratio(share[f"{k} {WITHOUT}"], share[f"{k} {WITH}"]) for k in KINDS},
            "effector_share_gain_CD8": share[f"CD8 {WITH}"] - share[f"CD8 {WITHOUT}"],
            "secondary_expansion_without_IL2": ratio(grew[WITHOUT][:, -1], grew[WITH][:, -1]),
            "effector_share_CD8": share[f"CD8 {WITH}"],
            "memory_without_IL2": ratio(memory[WITHOUT], memory[WITH]),
            "fold_per_memory_cell_without_IL2": ratio(grew[WITHOUT][:, -1], memory[WITHOUT]),
            "fold_per_memory_cell": ratio(grew[WITH][:, -1], memory[WITH]),
        },
        {f"recall of cells primed {arm}": (hours, y / CELLS) for arm, y in grew.items()},
    )


def ranges() -> tuple[Range, ...]:
    found = (*culture_ranges(PRIMING.values(), products=("effector",)), *culture_ranges(RECALL.values()))
    return tuple({r.name: r for r in found}.values())


EXPERIMENT = Experiment(
    id="E27",
    title="T-cell fate programming",
    question="Does IL-2 during priming decide how many T cells become effectors, and how many can grow again?",
    claims={
        "S000-024": ("fate_odds_CD8", "fate_odds_Th"),
        "S001-101": ("effector_share_gain_CD8",),
        "S001-102": ("secondary_expansion_without_IL2",),
        "S001-105": ("differentiation_without_IL2_CD8", "differentiation_without_IL2_Th"),
    },
    setup="100 000 CD8 or CD4 T cells with antigen and CD28 for 72 h, in 1 nM IL-2 or with an antibody that holds all "
    "IL-2; antigen and medium are then taken away. Cells that have divided and stopped are effectors by the share of "
    "the effector programme at 72 h, the rest is memory; the CD8 memory alive at 96 h is seeded again, with IL-2.",
    observable="Effector programme at 72 h, odds of effector against memory, and cells 96 h after recall from the same "
    "number of cells at the start.",
    criterion="IL-2 raises the odds at least 1.5-fold and the share of effectors; without it the programme and the "
    "cells after recall are at most half. Memory cells differ in number alone: no lasting mark is left on each.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "T cells without IL2RA and IL2RB: IL-2 at priming changes nothing",
        lambda sample: sample.changed(
            {
                f"{kind} {what}": 0.0
                for kind in KINDS
                for what in ("IL2RA", "IL2RB", "IL2RA_induced", "IL2RB_made_activated")
            }
        ),
        breaks=("effector_share_gain_CD8", "secondary_expansion_without_IL2"),
    ),
    reported=dict.fromkeys(
        ("effector_share_CD8", "memory_without_IL2", "fold_per_memory_cell_without_IL2", "fold_per_memory_cell"),
        "dimensionless",
    ),
    axes=("time after recall (h)", "cells per cell primed"),
)  # fmt: skip
