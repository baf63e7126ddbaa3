"""E09: t(4;16) puts TNFRSF17 under the IL2 promoter."""

from __future__ import annotations

from functools import partial

import numpy as np

from il2.cell.spread import Range
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.genes import BOTH, REST, area, expressed, gene_ranges, ungated
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.gene.cells import FUSION, PARTNER, gene_network
from il2.gene.transcription import alleles, mrna, on

TIMES_h = np.linspace(0.0, 48.0, 25)
CELLS = {"fusion": {alleles("IL2"): 1.0, alleles(FUSION): 1.0}, "normal": {alleles("IL2"): 2.0, alleles(FUSION): 0.0}}
network = partial(gene_network, ("IL2",), fusion=True)


def run(sample: Sample) -> Outcome:
    stimuli = {"stimulated": BOTH, "at rest": REST}
    conditions = {f"{cell}, {name}": {**own, **s} for cell, own in CELLS.items() for name, s in stimuli.items()}
    courses = expressed(sample, network(), conditions, TIMES_h)
    protein = {name: course[PARTNER].max(axis=-1) for name, course in courses.items()}
    made = {name: area(TIMES_h, course[mrna("IL2")]) for name, course in courses.items()}
    hit = courses["fusion, stimulated"]
    return Outcome(
        {
            "fusion_follows_IL2": correlation(hit[on(FUSION)], hit[on("IL2")]),
            "IL2_left": ratio(made["fusion, stimulated"], made["normal, stimulated"]),
            "TNFRSF17_stimulated_over_rest": ratio(protein["fusion, stimulated"], protein["fusion, at rest"]),
            "TNFRSF17_normal": np.maximum(protein["normal, stimulated"], protein["normal, at rest"]),
            "TNFRSF17_fusion": protein["fusion, stimulated"],
        },
        {name: (TIMES_h, courses[name][PARTNER]) for name in conditions},
    )


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson correlation of courses (variants, times), per variant."""
    a, b = (x - x.mean(axis=-1, keepdims=True) for x in (a, b))
    return ratio((a * b).sum(axis=-1), np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1)))


def ranges() -> tuple[Range, ...]:
    return gene_ranges(network())


EXPERIMENT = Experiment(
    id="E09",
    title="t(4;16) fusion",
    question="Does TNFRSF17 follow the stimulus of a T cell once it stands under the IL2 promoter?",
    claims={
        "S002-031": ("fusion_follows_IL2", "IL2_left"),
        "S002-032": ("TNFRSF17_stimulated_over_rest", "TNFRSF17_normal"),
    },
    setup="Gene network of a T cell with one IL2 allele and one fusion allele, or with two IL2 alleles, at rest or "
    "under 1000 engaged TCR and CD28 for 48 h. The fusion reads the promoter of IL2 by the same rows; its mRNA ends as "
    "that of TNFRSF17 and has no protection by CD28. The own promoter of TNFRSF17 is taken as silent in T cells; "
    "that a normal T cell has none, and that the fusion follows IL2, is built in.",
    observable="Alleles transcribed over time, TNFRSF17 at its highest, and the area under IL2 mRNA.",
    criterion="The fusion follows the normal allele (correlation at least 0.99) and leaves half of IL2; TNFRSF17 100 "
    "times more with the stimulus than at rest, none in normal T cells.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "an IL2 promoter that reads no factor and needs no opening: TNFRSF17 at rest as well",
        lambda sample: ungated(sample, "IL2"),
        breaks=("TNFRSF17_stimulated_over_rest",),
    ),
    reported={"TNFRSF17_fusion": "dimensionless"},
    axes=("time (h)", "TNFRSF17, relative"),
)
