"""E40: a person without IL-2 has T cells, which answer a mitogen only with IL-2 from outside."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range, count_name
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.patient import deficiency
from il2.patient.deficiency import GENES
from il2.patient.mitogen import division_rates, mitogen_well, pulse

KIND, CELLS, MITOGEN, GIVEN_nM = "Th", 1e5, 1e9, 1.0
TIMES_h = np.array([0.0, 12, 24, 36, 48, 56, 60, 64, 68, 72])
PULSE_h = 56.0
WELLS = {
    "normal": mitogen_well(KIND, CELLS, MITOGEN),
    "normal with IL-2": mitogen_well(KIND, CELLS, MITOGEN, IL2_nM=GIVEN_nM),
    "without": mitogen_well(KIND, CELLS, MITOGEN, without=("IL2",)),
    "without with IL-2": mitogen_well(KIND, CELLS, MITOGEN, without=("IL2",), IL2_nM=GIVEN_nM),
    "without mitogen": mitogen_well(KIND, CELLS, 0.0),
}
TABLE = tuple(f"{cell}_without_{gene}" for gene in GENES for cell in ("T", "NK", "B", "Treg", "Treg_function"))
TESTED = ("T_without_IL2", "NK_without_IL2", "proliferation_without_IL2", "proliferation_restored")


def run(sample: Sample) -> Outcome:
    rates = division_rates(WELLS, TIMES_h, sample.values)
    counts = {name: pulse(rate, TIMES_h, PULSE_h) for name, rate in rates.items()}
    people = deficiency.numbers({gene: deficiency.lost(gene) for gene in GENES}, sample.values)
    return Outcome(
        {
            "proliferation_without_IL2": ratio(counts["without"], counts["normal"]),
            "proliferation_restored": ratio(counts["without with IL-2"], counts["normal"]),
            "proliferation_normal_with_IL2": ratio(counts["normal with IL-2"], counts["normal"]),
            "proliferation_without_mitogen": ratio(counts["without mitogen"], counts["normal"]),
        }
        | {name: people[gene][cell] for name in TABLE for cell, gene in [name.split("_without_")]},
        {name: (TIMES_h, rate) for name, rate in rates.items()},
    )


def ranges() -> tuple[Range, ...]:
    return (*culture_ranges(WELLS.values()), *deficiency.ranges())


def without_IL2RB(sample: Sample) -> Sample:
    """T cells in culture that answer no IL-2."""
    return sample.changed({count_name(KIND, name): 0.0 for name in ("IL2RB", "IL2RB_made_activated")})


EXPERIMENT = Experiment(
    id="E40",
    title="IL2-deficiency SCID",
    question="Does a person without IL-2 have T cells that answer a mitogen only when IL-2 is given?",
    claims={"S001-018": TESTED},
    setup="Persons without IL2, IL2RA, IL2RB, IL2RG, JAK3 or IL7R: pSTAT5 of T and NK cells to the IL-7, IL-15 and "
    "IL-2 of a healthy tissue sets a steady balance of output and loss; Treg from their long-term balance. CD4 T cells "
    "(1e5 in 200 uL) with a mitogen and CD28 help for 3 days: normal or without the IL2 gene, each with and without 1 "
    "nM IL-2. The claim rests on two case reports of 1990 in which T cells were there and made no IL-2; no mutation of "
    "IL2 that explains them is known.",
    observable="Numbers of T and NK cells as shares of normal; divisions in the last 16 h of 72 h, as labelled "
    "thymidine counts them, over those of normal cells.",
    criterion="T cells near normal (within 1.25 times), NK cells there (half or more), response to the mitogen at "
    "most 10 %, with IL-2 from outside at least half of normal.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "T cells in culture without IL2RB: loss of IL-2 changes nothing, for normal cells do not use it either",
        without_IL2RB,
        breaks=("proliferation_without_IL2",),
    ),
    reported=dict.fromkeys(
        (
            "proliferation_normal_with_IL2",
            "proliferation_without_mitogen",
            *(name for name in TABLE if name not in TESTED),
        ),
        "dimensionless",
    ),
    axes=("time (h)", "divisions per h and well"),
)
