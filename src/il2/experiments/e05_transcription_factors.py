"""E05: what IL2, CSF2 and IL4 lose or gain with each factor of their promoters."""

from __future__ import annotations

from functools import partial

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Antigen, Cells, Change, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.genes import BOTH, area, expressed, gene_ranges, ungated
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
from il2.gene.cells import gene_network
from il2.gene.transcription import mrna

GENES = ("IL2", "CSF2", "IL4")
TIMES_h = np.linspace(0.0, 24.0, 25)
LESS = {
    "REL": ("REL",), "NFkB": ("REL", "NFKB1"), "NFKB1": ("NFKB1",), "IRF4": ("IRF4",), "ETS1": ("ETS1",),
    "JUNB": ("JUNB",), "FOXK2": ("FOXK2",), "NFAT": ("NFATC2",), "NFAT and ETS1": ("NFATC2", "ETS1"),
    "IRF4 and REL": ("IRF4", "REL"),
}  # fmt: skip
SECOND_h, END_h = 72.0, 120.0
EXPANSION_nM = 0.4  # 100 IU/mL, as T cells are expanded before they are stimulated again
CULTURE_h = np.linspace(0.0, END_h, 31)
WELLS = {
    name: Well(
        (Cells("Th", 1e5, without=less),),
        antigen=(Antigen(1e9), Antigen(1e9, SECOND_h)),
        additions=(Addition("IL2", EXPANSION_nM, 24.0),),
        medium_changes=(Change(SECOND_h),),
        costimulation=1.0,
    )
    for name, less in {"normal": (), "without PRDM1": ("PRDM1",)}.items()
}
network = partial(gene_network, GENES)


def run(sample: Sample) -> Outcome:
    conditions = {"normal": BOTH, "JUNB twice": {**BOTH, "JUNB": 2.0}}
    conditions |= {f"no {name}": {**BOTH, **dict.fromkeys(factors, 0.0)} for name, factors in LESS.items()}
    courses = expressed(sample, network(), conditions, TIMES_h)
    made = {g: {name: area(TIMES_h, c[mrna(g)]) for name, c in courses.items()} for g in GENES}
    il2, normal = made["IL2"], made["IL2"]["normal"]
    lost = {name: ratio(il2[f"no {name}"], normal) for name in LESS}
    grew = grown(sample, WELLS, CULTURE_h, (mrna("IL2"), "PRDM1"))
    first, second = (
        {name: area(CULTURE_h[span], c[f"Th:{mrna('IL2')}"][:, span]) for name, c in grew.items()}
        for span in (CULTURE_h < SECOND_h, CULTURE_h >= SECOND_h)
    )
    kept = {f"left_without_{name}": lost[name] for name in ("REL", "NFkB", "NFKB1", "IRF4", "ETS1", "JUNB", "FOXK2")}
    return Outcome(
        {
            **kept,
            "ETS1_drop_without_NFAT": lost["NFAT"] - lost["NFAT and ETS1"],
            "ETS1_fold_without_NFAT": ratio(lost["NFAT and ETS1"], lost["NFAT"]),
            "JUNB_twice": ratio(il2["JUNB twice"], normal),
            "FOXK2_effect": np.abs(np.log2(lost["FOXK2"])),
            "IRF4_REL_interaction": interaction(il2),
            "IL4_interaction": interaction(made["IL4"]),
            "CSF2_left_without_NFkB": ratio(made["CSF2"]["no NFkB"], made["CSF2"]["normal"]),
            "CSF2_left_without_NFKB1": ratio(made["CSF2"]["no NFKB1"], made["CSF2"]["normal"]),
            "PRDM1_gain_second": ratio(second["without PRDM1"], second["normal"]),
            "PRDM1_gain_first": ratio(first["without PRDM1"], first["normal"]),
            "PRDM1_at_second": grew["normal"]["Th:PRDM1"][:, int(np.searchsorted(CULTURE_h, SECOND_h))],
        },
        {name: (TIMES_h, courses[name][mrna("IL2")]) for name in ("normal", "no REL", "no IRF4", "no ETS1", "no JUNB")},
    )


def interaction(made: dict[str, np.ndarray]) -> np.ndarray:
    """Rise by IRF4 and REL together over the sum of what each gives alone."""
    neither, both = made["no IRF4 and REL"], made["normal"]
    alone = (made["no REL"] - neither) + (made["no IRF4"] - neither)
    return ratio(both - neither, alone)


def ranges() -> tuple[Range, ...]:
    table = {r.name: r for r in (*gene_ranges(network()), *culture_ranges(WELLS.values()))}
    return tuple(table.values())


EXPERIMENT = Experiment(
    id="E05",
    title="Transcription-factor panel",
    question="Which factors does the IL2 promoter need, and which hold it down?",
    claims={
        "S001-034": ("FOXK2_effect",),
        "S001-112": ("PRDM1_gain_second",),
        "S001-113": ("IRF4_REL_interaction", "left_without_IRF4", "left_without_REL"),
        "S001-114": ("IL4_interaction",),
        "S001-127": ("left_without_NFkB",),
        "S001-128": ("CSF2_left_without_NFkB",),
        "S001-129": ("left_without_ETS1", "ETS1_drop_without_NFAT"),
        "S001-132": ("JUNB_twice", "left_without_JUNB"),
    },
    setup="Gene network with 1000 engaged TCR and CD28 held for 24 h, without IL-2, one factor taken away at a time. "
    "For PRDM1, which IL-2 induces late, CD4 T cells in culture with antigen and CD28, expanded in 0.4 nM IL-2 from "
    "24 h on, washed and stimulated again at 72 h.",
    observable="Area under the mRNA without a factor over that with it; PRDM1: of the second answer, over 48 h.",
    criterion="At most 50 % without REL, NF-kB, IRF4, ETS1 or JUNB, and 1.5 times without PRDM1. IRF4 and REL together "
    "more than the sum; ETS1 matters only with NFAT (any NFAT: the claim names NFATC1, its source does not). The sign "
    "of FOXK2 is an assumption: any change counts.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "promoters that read no factor",
        lambda sample: ungated(sample, *GENES),
        breaks=("left_without_REL", "left_without_NFkB", "left_without_IRF4", "left_without_ETS1", "left_without_JUNB",
                "CSF2_left_without_NFkB", "FOXK2_effect", "PRDM1_gain_second"),
    ),
    reported=dict.fromkeys(
        ("left_without_NFKB1", "CSF2_left_without_NFKB1", "left_without_FOXK2", "ETS1_fold_without_NFAT",
         "PRDM1_gain_first", "PRDM1_at_second"),
        "dimensionless",
    ),
    axes=("time (h)", "IL2 mRNA (molecules per cell)"),
)  # fmt: skip
