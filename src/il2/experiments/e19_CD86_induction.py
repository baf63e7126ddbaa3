"""E19: IL-2 raises CD86 on T cells, through its receptor and MTOR; the part of NFAT is doubtful."""

from __future__ import annotations

import numpy as np

from il2.cell.cohort import named
from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import fold, half_dose, ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

CELLS, LABEL, ANTIGEN, PRODUCT = 1e4, "T", 1e8, "CD86"
IL2, MORE_IL2 = Addition("IL2", 0.1), Addition("IL2", 1.0)  # below 1 nM the answer needs IL2RA (E15)
BLOCKS = {
    "CD25_block": ("daclizumab", 100.0),
    "ciclosporin": ("ciclosporin", 1000.0),
    "rapamycin": ("rapamycin", 100.0),
}
TIMES_h = np.array([0.0, 4, 8, 12, 16, 20, 24, 30, 36, 42, 48, 60, 72])
DAY1 = 6


def _well(kind: str, *additions: Addition, antigen: float = 0.0) -> Well:
    return Well(
        (Cells(kind, CELLS, LABEL),), antigen=(Antigen(antigen),), presenting_cells=CELLS, costimulation=1.0,
        additions=additions,
    )  # fmt: skip


BLOCKED = {name: _well("Th", IL2, Addition(drug, dose)) for name, (drug, dose) in BLOCKS.items()}
ACTIVATED = {
    "activated": _well("Th", IL2, antigen=ANTIGEN),
    "activated, ciclosporin": _well("Th", IL2, Addition("ciclosporin", BLOCKS["ciclosporin"][1]), antigen=ANTIGEN),
}
REST = {
    f"{kind} {what}": _well(kind, *given) for kind in ("Th", "CD8") for what, given in (("none", ()), ("IL-2", (IL2,)))
}
MORE = {"more": _well("Th", MORE_IL2), "more, CD25_block": _well("Th", MORE_IL2, Addition(*BLOCKS["CD25_block"]))}
WELLS = REST | BLOCKED | ACTIVATED | MORE


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, (PRODUCT,), products=(PRODUCT,))
    level = {name: c[named(LABEL, PRODUCT)] for name, c in course.items()}
    rise = {kind: level[f"{kind} IL-2"] - level[f"{kind} none"] for kind in ("Th", "CD8")}
    when = {kind: half_dose(TIMES_h[1:], values[:, 1:]) for kind, values in rise.items()}
    left = {name: ratio((level[name] - level["Th none"])[:, -1], rise["Th"][:, -1]) for name in BLOCKS}
    with_antigen = ratio(level["activated, ciclosporin"][:, DAY1], level["activated"][:, DAY1])
    at_more = ratio(*((level[name] - level["Th none"])[:, -1] for name in ("more, CD25_block", "more")))
    return Outcome(
        {
            "CD4_fold": ratio(level["Th IL-2"], level["Th none"])[:, -1],
            "CD8_fold": ratio(level["CD8 IL-2"], level["CD8 none"])[:, -1],
            "time_apart": fold(when["CD8"], when["Th"]),
            "half_time_CD4_h": when["Th"],
            "half_time_CD8_h": when["CD8"],
            "activated_left_ciclosporin": with_antigen,
            "rise_left_CD25_block_1nM": at_more,
        }
        | {f"rise_left_{name}": value for name, value in left.items()},
        {name: (TIMES_h, level[name]) for name in (*REST, *BLOCKED)},
    )


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values(), products=(PRODUCT,))


EXPERIMENT = Experiment(
    id="E19",
    title="CD86 induction",
    question="Does IL-2 raise CD86 on CD4 and CD8 T cells, and by which pathways?",
    claims={
        "S001-117": ("CD4_fold",),
        "S001-118": ("CD8_fold", "time_apart"),
        "S001-119": tuple(f"rise_left_{name}" for name in BLOCKS),
    },
    setup="Resting T cells (1e4 in 200 uL) with 0.1 nM IL-2 for 72 h, CD4 also with daclizumab (100 nM), ciclosporin "
    "(1 uM) or rapamycin (100 nM); the same without IL-2. The claims name no stimulus but IL-2, and a block of CD25 "
    "can only tell where the answer needs it, below 1 nM (E15); 1 nM is run beside. That CD86 needs MTOR and NFAT is "
    "built in; IL-2 gives no calcium signal (E17), so that a resting cell has no NFAT for ciclosporin to take: with "
    "antigen it has, for a day.",
    observable="CD86, relative, with IL-2 over that without; the rise left by each block.",
    criterion="At least 2 times after 72 h, CD8 in another time than CD4; CD25 block, ciclosporin and rapamycin each "
    "take at least half of the rise.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "STAT5 does not act on CD86",
        lambda sample: sample.changed({"CD86_by_pSTAT5": 0.0, "CD86_by_MTOR": 1.0}),
        breaks=("CD4_fold", "CD8_fold"),
    ),
    reported={"half_time_CD4_h": "h", "half_time_CD8_h": "h"}
    | dict.fromkeys(("activated_left_ciclosporin", "rise_left_CD25_block_1nM"), "dimensionless"),
    axes=("time (h)", "CD86, relative"),
)
