"""E30: who makes the IL-2, per cell and of all (cell part)."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range, count_name, quantity_ranges
from il2.cell.well import Antigen, Cells, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
from il2.knowledge.quantity import quantity

BLOOD = {"Th": "blood_CD4_count", "CD8": "blood_CD8_count", "NK": "blood_NK_count"}
NERVOUS = ("neuron", "astrocyte")
BLOOD_uL, NERVOUS_CELLS, STIMULUS = 100.0, 1e5, 1e10
TIMES_h = np.arange(0.0, 25.0, 2.0)
RECEPTORS = count_name("Th", "TCR_count")
EVERY_CELL = {"TCR_count": RECEPTORS}  # a lectin, or a phorbol ester with an ionophore, needs no antigen receptor
MINUTES = quantity("minutes_per_hour").value


def _at_start(kind: str) -> str:
    return f"{kind} at the start"


def _blood(kind: str) -> Cells:
    changes: dict[str, float | str] = {"cells_at_start": _at_start(kind)}
    return Cells(kind, quantity(BLOOD[kind]).value * BLOOD_uL, changes=changes | EVERY_CELL)


WELLS = {
    "blood": Well(cells=tuple(_blood(k) for k in BLOOD), antigen=(Antigen(STIMULUS),), costimulation=1.0),
    "nervous system": Well(cells=tuple(Cells(k, NERVOUS_CELLS) for k in NERVOUS)),
}


def run(sample: Sample) -> Outcome:
    numbers = {k: sample[q] * BLOOD_uL for k, q in BLOOD.items()} | {k: np.full(1, NERVOUS_CELLS) for k in NERVOUS}
    seeded = sample.changed({_at_start(k): numbers[k] for k in BLOOD})
    found = grown(seeded, WELLS, TIMES_h, ("IL2_secretion", "cells"))
    courses, total = {}, {}
    for kind in numbers:
        c = found["blood" if kind in BLOOD else "nervous system"]
        rate = c[f"{kind}:IL2_secretion"]
        total[kind] = np.trapezoid(rate * c[f"{kind}:cells"], TIMES_h * MINUTES, axis=-1)
        courses[kind] = (TIMES_h, rate)
    each = {k: total[k] / numbers[k] for k in numbers}
    t_cells = total["Th"] + total["CD8"]
    every = t_cells + total["NK"]
    return Outcome(
        {
            "CD4_over_CD8": ratio(each["Th"], each["CD8"]),
            "CD8_over_CD4": ratio(each["CD8"], each["Th"]),
            "CD8_over_NK": ratio(each["CD8"], each["NK"]),
            **{f"NK_over_{k}": ratio(each["NK"], each[k]) for k in NERVOUS},
            "neuron_over_astrocyte": ratio(each["neuron"], each["astrocyte"]),
            "least_of_neuron_and_astrocyte": np.minimum(each["neuron"], each["astrocyte"]),
            "T_cell_share": ratio(t_cells, every),
            "T_cell_share_over_others": ratio(t_cells, total["NK"]),
            "CD4_share": ratio(total["Th"], every),
            "IL2_of_a_CD4_T_cell": each["Th"],
        },
        courses,
    )


def ranges() -> tuple[Range, ...]:
    found = (*culture_ranges(WELLS.values()), *quantity_ranges(*BLOOD.values()))
    return tuple({r.name: r for r in found}.values())


def weak_T_cells(sample: Sample) -> Sample:
    """T cells secrete no more than neurons can."""
    least = sample[count_name(NERVOUS[0], "IL2_capacity")]
    return sample.changed({count_name(kind, "IL2_capacity"): least for kind in ("Th", "CD8")})


NUMBERS_TEXT = "Numbers of blood; regulatory T cells, B cells and monocytes make none here and are left out"

EXPERIMENT = Experiment(
    id="E30",
    title="Producer ranking",
    question="Which cells make the IL-2, per cell and of all?",
    claims={
        "S000-007": ("CD4_over_CD8", "CD8_over_NK"),
        "S000-008": ("CD8_over_CD4", "CD4_share"),
        "S000-009": ("CD8_over_NK", "NK_over_neuron", "NK_over_astrocyte"),
        "S000-010": ("NK_over_neuron", "neuron_over_astrocyte", "least_of_neuron_and_astrocyte"),
        "S000-011": ("NK_over_astrocyte", "neuron_over_astrocyte", "least_of_neuron_and_astrocyte"),
        "S001-080": ("T_cell_share",),
        "S001-082": ("T_cell_share_over_others",),
        "S002-020": ("T_cell_share_over_others",),
        "S003-005": ("T_cell_share",),
        "S003-006": ("CD4_share",),
        "S004-007": ("CD4_share",),
    },
    setup="CD4 and CD8 T cells and NK cells of 100 uL of blood with a stimulus that reaches every cell and CD28 for "
    f"24 h; neurons and astrocytes without any stimulus in a well of their own. {NUMBERS_TEXT}.",
    observable="IL-2 secreted in 24 h per cell at the start, and shares of what the cells of blood secrete.",
    criterion="Per cell CD4 at least CD8, CD8 at least 0.3 of CD4, both above NK, NK above neuron and astrocyte, which "
    "are alike and not nought; T cells at least 80 % and CD4 above 50 % of all. What a kind of cell can secrete is an "
    "input; levels of NK, neuron and astrocyte are disputed.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "T cells can secrete no more than neurons",
        weak_T_cells,
        breaks=("CD8_over_NK", "T_cell_share"),
    ),
    reported={"IL2_of_a_CD4_T_cell": "molecule/cell"},
    axes=("time (h)", "IL-2 secretion, molecules per cell and min"),
    not_built=dict.fromkeys(
        (
            "S000-007", "S000-008", "S000-009", "S000-010", "S000-011", "S001-080", "S001-082", "S002-020",
            "S003-005", "S003-006", "S004-007",
        ),
        "cells where they live in a tissue, and how far their IL-2 reaches",
    ),
)  # fmt: skip
