"""E11: calcitriol lowers IL-2, and through it IL-10 and interferon gamma, of T cells that have the IL2 gene."""

from __future__ import annotations

import numpy as np

from il2.cell.cohort import named
from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.experiments.divisions import largest_fall
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import half_dose, ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
from il2.gene.transcription import mrna
from il2.knowledge.quantity import quantity

ANTIGEN, CELLS, LABEL, GENES = 1e9, 1e5, "T", ("IL10", "IFNG")
DOSES_nM = np.array([0.001, 0.01, 0.1, 1.0, 10.0, 100.0])
SATURATING_nM, IL2_nM, OUT_OF_REACH_nM = 100.0, 1.0, 1e12
DIETS_nM = {"Dminus": 0.0, "Dplus": 0.01}  # calcitriol that the cells bring along
TIMES_h = np.linspace(0.0, 72.0, 19)
SECRETED = "IL2_secreted"


def _well(calcitriol_nM: float, without: tuple[str, ...] = (), il2_nM: float = 0.0) -> Well:
    return Well(
        (Cells("Th", CELLS, LABEL, without=without),), antigen=(Antigen(ANTIGEN),), presenting_cells=CELLS,
        costimulation=1.0, additions=(Addition("calcitriol", calcitriol_nM), Addition("IL2", il2_nM)), species="mouse",
        changes={"antigen_loss": quantity("mitogen_loss").value},
    )  # fmt: skip


ARMS: dict[str, tuple[float, tuple[str, ...], float]] = {
    **{diet: (dose, (), 0.0) for diet, dose in DIETS_nM.items()},
    "without_IL2": (0.0, ("IL2",), 0.0),
    "given_IL2": (0.0, ("IL2",), IL2_nM),
    "without_VDR": (0.0, ("VDR",), 0.0),
}
PAIRS = {
    f"{arm} {what}": _well(before + added, without, il2)
    for arm, (before, without, il2) in ARMS.items()
    for what, added in (("without", 0.0), ("with", SATURATING_nM))
}
SERIES = {f"{dose:g} nM": _well(dose) for dose in DOSES_nM}
WELLS = PAIRS | SERIES


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, (SECRETED, *(mrna(g) for g in ("IL2", *GENES))), GENES)

    def left(arm: str, gene: str) -> np.ndarray:
        """Transcripts per cell over the culture with calcitriol, over those without."""
        wells = (course[f"{arm} {w}"] for w in ("with", "without"))
        return ratio(*(np.trapezoid(c[named(LABEL, mrna(gene))], TIMES_h) for c in wells))

    none = course["Dminus without"][SECRETED][:, -1]
    made = np.stack([none, *(course[name][SECRETED][:, -1] for name in SERIES)], axis=-1)
    lost = none[:, None] - made[:, 1:]
    values = {
        "IL2_left": ratio(made[:, -1], none),
        "IL2_largest_rise": largest_fall(-made + made.max(axis=-1, keepdims=True)),
        "half_dose_nM": half_dose(DOSES_nM, lost),
        "IL2_mRNA_left": left("Dminus", "IL2"),
        "IL2_mRNA_left_without_VDR": left("without_VDR", "IL2"),
    }
    values |= {f"{gene}_left_{arm}": left(arm, gene) for gene in GENES for arm in ARMS if arm != "without_VDR"}
    values["IL2_made_nM"] = none
    shown = {name: (TIMES_h, course[name][named(LABEL, mrna("IFNG"))]) for name in WELLS if name.startswith(
        ("Dminus", "without_IL2", "given_IL2"))}  # fmt: skip
    return Outcome(values, shown)


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values(), GENES)


EXPERIMENT = Experiment(
    id="E11",
    title="Calcitriol in vitro, with and without the IL2 gene",
    question="Does calcitriol lower IL-10 and interferon gamma of T cells only where they can make IL-2?",
    claims={
        "S004-021": ("IL2_left", "IL2_largest_rise", "half_dose_nM"),
        "S004-032": ("IL10_left_Dminus", "IL10_left_Dplus"),
        "S004-033": ("IFNG_left_Dminus", "IFNG_left_Dplus"),
        "S004-034": ("IFNG_left_without_IL2",),
        "S004-035": ("IL10_left_without_IL2",),
        "S004-037": ("IFNG_left_without_IL2", "IL10_left_without_IL2", "IFNG_left_given_IL2", "IL10_left_given_IL2"),
        "S004-038": ("IL2_mRNA_left", "IL2_mRNA_left_without_VDR"),
    },
    setup="CD4 T cells (1e5 in 200 uL, mouse set) with a mitogen and CD28 for 3 days, with and without 100 nM "
    "calcitriol: cells of D- mice, and of D+ mice, which bring 0.01 nM along; without the IL2 gene, alone and with 1 "
    "nM IL-2; without VDR. A dose series from 0.001 nM. Transcripts per cell stand for the output of IL-10 and "
    "interferon gamma: calcitriol also slows the cycle, with or without the gene, which is left out so.",
    observable="IL-2 secreted, transcripts of IL2, IL10 and IFNG over 72 h, with calcitriol over without.",
    criterion="With the gene: IL-2 more than 10 % down, half of that by 0.01 to 1 nM, IL-10 and interferon gamma more "
    "than 10 % down in both diets; without it no more than 10 % changed, and IL2 unchanged without VDR. A prediction "
    "that comes with S004-037: IL-2 given to cells without the gene brings the answer back.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "calcitriol does not reach VDR",
        lambda sample: sample.changed({"calcitriol_half_repression": OUT_OF_REACH_nM}),
        breaks=("IL2_left", "IL2_mRNA_left", "IL10_left_Dminus", "IL10_left_Dplus", "IFNG_left_Dminus",
                "IFNG_left_Dplus"),
    ),
    reported={"IL2_made_nM": "nM"},
    axes=("time (h)", "transcripts of IFNG (molecule/cell)"),
)  # fmt: skip
