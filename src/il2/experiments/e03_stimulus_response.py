"""E03: T cells make IL-2 when antigen or a lectin stimulates them, by degrees of the dose, and not at rest."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Antigen, Cells, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.genes import ungated
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

T_CELLS = (Cells("Th", 1e5),)
REST = (*T_CELLS, Cells("CD8", 5e4), Cells("NK", 1e4), Cells("B", 1e4))
ANTIGEN = (1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
LECTIN = (1e5, 1e7, 1e9)
APC, AT_ONCE = 1e5, 1e6  # a lectin finds every T cell without a presenting cell: as if these were everywhere
TIMES_h = np.array([0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 36.0, 48.0])
DAY = int(np.searchsorted(TIMES_h, 24.0))
HIGH = f"antigen {ANTIGEN[-1]:g}"


def well(cells: tuple[Cells, ...], molecules: float, costimulation: float = 1.0, presenting: float = APC) -> Well:
    antigen = (Antigen(molecules),) if molecules else ()
    return Well(cells, antigen=antigen, presenting_cells=presenting, costimulation=costimulation)


WELLS = {
    "at rest": well(REST, 0.0, 0.0),
    "no antigen": well(T_CELLS, 0.0),
    **{f"antigen {dose:g}": well(T_CELLS, dose) for dose in ANTIGEN},
    **{f"lectin {dose:g}": well(T_CELLS, dose, presenting=AT_ONCE) for dose in LECTIN},
    "TCR alone": well(T_CELLS, ANTIGEN[-1], 0.0),
}


def run(sample: Sample) -> Outcome:
    found = grown(sample, WELLS, TIMES_h, ("IL2@medium", "IL2_mRNA"))
    peak = {name: found[name]["Th:IL2_mRNA"].max(axis=-1) for name in WELLS}
    medium = {name: found[name]["IL2@medium"][:, DAY] for name in WELLS}
    series = {what: [f"{what} {dose:g}" for dose in doses] for what, doses in
              {"antigen": ANTIGEN, "lectin": LECTIN}.items()}  # fmt: skip
    curves = {what: np.stack([medium[n] for n in ("no antigen", *names)], axis=-1) for what, names in series.items()}
    rises = {what: np.stack([peak[n] for n in ("no antigen", *names)], axis=-1) for what, names in series.items()}
    by_decade = rises["antigen"][:, 2:] / rises["antigen"][:, 1:-1]
    at_rest = np.maximum(peak["at rest"], peak["no antigen"])
    return Outcome(
        {
            "mRNA_rest_over_peak": ratio(at_rest, peak[HIGH]),
            "IL2_at_rest_nM": medium["at rest"],
            "activated_over_rest": ratio(medium[HIGH], medium["at rest"]),
            "lectin_over_rest": ratio(medium[f"lectin {LECTIN[-1]:g}"], medium["at rest"]),
            "top_over_bottom": ratio(medium[HIGH], medium[f"antigen {ANTIGEN[0]:g}"]),
            "least_step_antigen": np.minimum(_least_step(curves["antigen"]), _least_step(rises["antigen"])),
            "least_step_lectin": np.minimum(_least_step(curves["lectin"]), _least_step(rises["lectin"])),
            "last_over_steepest": ratio(by_decade[:, -1], by_decade.max(axis=-1)),
            "CD28_gain": ratio(medium[HIGH], medium["TCR alone"]),
            "CD28_gain_of_mRNA": ratio(peak[HIGH], peak["TCR alone"]),
            "IL2_activated_nM": medium[HIGH],
        },
        {
            "antigen": (np.array(ANTIGEN), curves["antigen"][:, 1:]),
            "lectin": (np.array(LECTIN), curves["lectin"][:, 1:]),
        },
    )


def _least_step(series: np.ndarray) -> np.ndarray:
    """Smallest ratio of neighbours (variants,) of a series (variants, doses)."""
    steps: np.ndarray = ratio(series[:, 1:], series[:, :-1]).min(axis=-1)
    return steps


def ranges() -> tuple[Range, ...]:
    return culture_ranges((WELLS["at rest"], WELLS[HIGH]))


EXPERIMENT = Experiment(
    id="E03",
    title="Stimulus-response of IL2",
    question="Do T cells make IL-2 when antigen or a lectin stimulates them, and none at rest?",
    claims={
        "S000-090": ("mRNA_rest_over_peak", "IL2_at_rest_nM"),
        "S001-134": (
            "mRNA_rest_over_peak", "top_over_bottom", "least_step_antigen", "least_step_lectin", "last_over_steepest",
            "CD28_gain",
        ),
        "S002-021": ("IL2_at_rest_nM", "activated_over_rest", "lectin_over_rest"),
        "S004-001": ("activated_over_rest",),
        "S004-010": ("least_step_lectin", "lectin_over_rest"),
        "S004-011": ("least_step_antigen", "activated_over_rest"),
        "S004-014": ("mRNA_rest_over_peak", "activated_over_rest"),
    },
    setup="100 000 CD4 T cells that know the antigen in 200 uL with 100 000 presenting cells: none, or 10^4 to 10^9 "
    "molecules of it with CD28, or the most without CD28; at rest also with CD8 T, NK and B cells. A lectin is the "
    "same stimulus at three doses that finds every T cell within the hour: that it hits all clones is built in.",
    observable="IL-2 in the medium at 24 h, and the peak of IL2 mRNA of the CD4 T cells within 48 h.",
    criterion="mRNA at rest at most 1 % of the peak, IL-2 at rest below 1 pM and at least 100 times below that of "
    "activated cells; rising at every step of the dose by 100 times in all and less at the end; CD28 gains 5-fold.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "an IL2 promoter that reads no factor and needs no opening: IL-2 at rest as well",
        lambda sample: ungated(sample, "IL2"),
        breaks=("mRNA_rest_over_peak", "activated_over_rest"),
    ),
    reported={"CD28_gain_of_mRNA": "dimensionless", "IL2_activated_nM": "nM"},
    axes=("antigen or lectin (molecules in the well)", "IL-2 in the medium at 24 h (nM)"),
)  # fmt: skip
