"""E07: activation opens the promoters of IL2 and CSF2; CREM closes that of IL2 and opens that of IL17A."""

from __future__ import annotations

import numpy as np

from il2.cell.cohort import named
from il2.cell.lanes import Courses
from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Antigen, Cells, Well, traits
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
from il2.gene.promoter import CLOSES, OPENS, strength
from il2.gene.transcription import methylation, mrna, on

ANTIGEN, CELLS, LABEL, MORE_CREM = 1e9, 1e5, "T", 3.0
GENES, OPENED = ("CSF2", "IL17A"), ("IL2", "CSF2")
MEMORY = "effector_memory"
PRODUCTS = ("effector", MEMORY)
TIMES_h = np.array([*range(0, 37, 2), 48, 72, 96, 120, 144, 168], float)
DAY2, DAY3, DAY7 = (TIMES_h.tolist().index(t) for t in (48.0, 72.0, 168.0))
RECEPTORS = float(traits("Th")["TCR_count"]["value"])
CLOSED = {strength(gene, "primed", OPENS): 0.0 for gene in OPENED}


def _well(kind: str, given: dict[str, float], changes: dict[str, float]) -> Well:
    cells = Cells(kind, CELLS, LABEL, changes=given)
    return Well((cells,), antigen=(Antigen(ANTIGEN),), presenting_cells=CELLS, costimulation=1.0, changes=changes)


WELLS = {
    "Th": _well("Th", {}, {}),
    "closed": _well("Th", {}, CLOSED),
    "CREM": _well("Th", {"CREM": MORE_CREM}, {}),
    "B": _well("B_activated", {"TCR_count": RECEPTORS}, {}),
    "macrophage": _well("macrophage", {"TCR_count": RECEPTORS}, {}),
}


def run(sample: Sample) -> Outcome:
    wanted = [f(gene) for f in (methylation, mrna, on) for gene in ("IL2", *GENES)]
    course = grown(sample, WELLS, TIMES_h, (*wanted, MEMORY), GENES, PRODUCTS)

    def at(well: str, readout: str, k: int) -> np.ndarray:
        found: np.ndarray = course[well][named(LABEL, readout)][:, k]
        return found

    def made(well: str, gene: str) -> np.ndarray:
        total: np.ndarray = np.trapezoid(course[well][named(LABEL, mrna(gene))], TIMES_h)
        return total

    values = {}
    for gene in OPENED:
        values[f"{gene}_methylation_at_peak"] = _at_peak(course["Th"], gene)
        values[f"{gene}_left_without_opening"] = ratio(made("closed", gene), made("Th", gene))
        values |= {f"{gene}_methylation_{cell}": at(cell, methylation(gene), DAY2) for cell in ("B", "macrophage")}
    for gene in ("IL2", "IL17A"):
        by_crem = [at(well, methylation(gene), DAY3) for well in ("CREM", "Th")]
        values[f"{gene}_methylation_by_CREM"] = ratio(*by_crem)
        values[f"{gene}_by_CREM"] = ratio(made("CREM", gene), made("Th", gene))
    values["effector_memory_by_CREM"] = ratio(*(at(well, MEMORY, DAY7) for well in ("CREM", "Th")))
    values["peak_IL2_h"] = TIMES_h[course["Th"][named(LABEL, on("IL2"))].argmax(axis=-1)]
    curves = {f"{gene}, {well}": (TIMES_h, course[well][named(LABEL, methylation(gene))])
              for gene, well in (("IL2", "Th"), ("IL2", "CREM"), ("IL17A", "Th"), ("IL17A", "CREM"))}  # fmt: skip
    return Outcome(values, curves)


def _at_peak(course: Courses, gene: str) -> np.ndarray:
    """Methylation of a promoter when most of its alleles are transcribed; NaN where a lane failed."""
    active = course[named(LABEL, on(gene))]
    left: np.ndarray = np.take_along_axis(
        course[named(LABEL, methylation(gene))], active.argmax(axis=-1)[:, None], axis=-1
    )
    return left[:, 0]


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values(), GENES, PRODUCTS)


def still(sample: Sample) -> Sample:
    """Nothing acts on the DNA of a promoter, and no programme reads CREM."""
    crem = {strength("IL2", "CREM", CLOSES): 0.0, strength("IL17A", "CREM", OPENS): 0.0}
    return sample.changed(CLOSED | crem | {"effector_memory_by_CREM": 1.0})


EXPERIMENT = Experiment(
    id="E07",
    title="Epigenetic opening and CREM closing",
    question="Does activation open the promoters of IL2 and CSF2, and does CREM close that of IL2 and open that of "
    "IL17A?",
    claims={
        "S001-103": ("IL2_methylation_at_peak", "IL2_left_without_opening", "IL2_methylation_B",
                     "IL2_methylation_macrophage"),
        "S001-104": ("CSF2_methylation_at_peak", "CSF2_left_without_opening", "CSF2_methylation_B",
                     "CSF2_methylation_macrophage"),
        "S001-124": ("IL2_methylation_by_CREM", "IL2_by_CREM"),
        "S001-125": ("IL17A_methylation_by_CREM", "IL17A_by_CREM"),
        "S001-126": ("effector_memory_by_CREM",),
    },
    setup="CD4 T cells (1e5 in 200 uL) with antigen and CD28 for 7 days: as they are, with promoters that cannot lose "
    "methylation, and with three times as much CREM. B cells and macrophages are activated by as many receptors as a "
    "T cell, which stand for their own, and open their promoters by the same rule: that part is built in. So are the "
    "signs of CREM on both promoters and on effector memory; what it does to IL-2, and thereby to IL17A, follows.",
    observable="Methylation of the promoters, transcripts of IL2, CSF2 and IL17A, programme of effector memory.",
    criterion="Half of the methylation of IL2 and CSF2 is gone at the peak of their transcription, and less is made "
    "without the loss; more CREM: IL2 more methylated and less of it, IL17A the other way, more effector memory.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "nothing acts on the DNA of the promoters, and no programme reads CREM",
        still,
        breaks=("IL2_methylation_at_peak", "IL2_left_without_opening", "CSF2_methylation_at_peak",
                "CSF2_left_without_opening", "IL2_methylation_by_CREM", "IL17A_methylation_by_CREM"),
    ),
    reported={"peak_IL2_h": "h"},
    axes=("time (h)", "share of methylated sites of a promoter"),
)  # fmt: skip
