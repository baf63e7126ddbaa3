"""E17: the T cell receptor raises calcium; IL-2 does not, unless a doubtful branch is switched on."""

from __future__ import annotations

import numpy as np

from il2.cell.cohort import named
from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
from il2.signalling.pathway import CALCIUM

CELLS, LABEL, ANTIGEN, IL2_nM = 1e5, "T", 1e9, 10.0
TIMES_h = np.array([0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0])
IL2 = (Addition("IL2", IL2_nM),)


def _well(switch: float, **given) -> Well:
    cells = Cells("T_blast", CELLS, LABEL, without=("IL2",), changes={"IL2_to_calcium": switch})
    return Well((cells,), presenting_cells=CELLS, **given)


WELLS = {
    "TCR": _well(0.0, antigen=(Antigen(ANTIGEN),), costimulation=1.0),
    "IL-2": _well(0.0, additions=IL2),
    "IL-2, branch on": _well(1.0, additions=IL2),
}


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, (CALCIUM,))
    rise = {name: c[named(LABEL, CALCIUM)] for name, c in course.items()}
    peak = {name: values.max(axis=-1) for name, values in rise.items()}
    by_il2 = ratio(peak["IL-2"], peak["TCR"])
    return Outcome(
        {
            "calcium_TCR": peak["TCR"],
            "IL2_over_TCR": by_il2,
            "IL2_over_TCR_as_claimed": by_il2,
            "IL2_over_TCR_branch_on": ratio(peak["IL-2, branch on"], peak["TCR"]),
        },
        {name: (TIMES_h, values) for name, values in rise.items()},
    )


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values())


EXPERIMENT = Experiment(
    id="E17",
    title="PLC-gamma and calcium switch",
    question="Does IL-2 alone raise calcium, as the T cell receptor does?",
    claims={
        "S000-072": ("IL2_over_TCR_as_claimed",),
        "S000-073": ("calcium_TCR", "IL2_over_TCR"),
    },
    setup="Activated T cells (1e5 in 200 uL) that make no IL-2, with antigen and CD28, or with 10 nM IL-2 alone. The "
    "branch from IL-2 to calcium is off in the default set, because direct tests found no such signal (Mills 1986, "
    "PMID 3082978, not read): so that S000-072 fails is built in. It is run switched on beside.",
    observable="Highest calcium signal in 24 h, a relative scale.",
    criterion="The T cell receptor raises calcium, and IL-2 alone does not by more than 1 % of that; S000-072 would "
    "need a rise that an assay sees.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "T cell receptors that no pathway reads",
        lambda sample: sample.changed({"TCR_half_activation": 1e12}),
        breaks=("calcium_TCR",),
    ),
    reported={"IL2_over_TCR_branch_on": "dimensionless"},
    axes=("time (h)", "calcium signal, relative"),
)
