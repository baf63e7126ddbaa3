"""E13: the chains that a cell carries set the dose it answers."""

from __future__ import annotations

import numpy as np

from il2.cell.spread import Range, count_name, count_ranges, network_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import fold, half_dose, inventory, normalised, ratio, signal
from il2.experiments.sample import Sample

CELLS = ("Treg", "T_blast", "NK", "Th_mem", "CD8_mem", "CD8")
BLOCKED = ("NK", "Th_mem", "CD8_mem")
FAR = ("NK", "CD8", "CD8_mem", "Th_mem")
DOSES_nM = np.logspace(-4, 2, 25)
STIMULUS_min = 30.0


def run(sample: Sample) -> Outcome:
    cells = {name: inventory(sample, name) for name in CELLS}
    blocked = {f"{name} blocked": cells[name] | {"IL2RA": 0.0} for name in BLOCKED}
    swapped = {"Treg as CD8": cells["CD8"], "CD8 as Treg": cells["Treg"]}
    given = {"CD8 with IL2RA of Treg": cells["CD8"] | {"IL2RA": cells["Treg"]["IL2RA"]}}
    curves = signal(sample, cells | blocked | swapped | given, DOSES_nM, STIMULUS_min)
    ec50 = {name: half_dose(DOSES_nM, curve) for name, curve in curves.items()}
    return Outcome(
        {f"ec50_{name}_nM": ec50[name] for name in CELLS}
        | {f"blocked_fold_{name}": fold(ec50[f"{name} blocked"], ec50[name]) for name in BLOCKED}
        | {f"{name}_over_Treg": ratio(ec50[name], ec50["Treg"]) for name in FAR}
        | {
            "swap_distance": np.maximum(
                _distance(curves["Treg as CD8"], curves["CD8"]), _distance(curves["CD8 as Treg"], curves["Treg"])
            ),
            "CD8_with_IL2RA_of_Treg_over_Treg": ratio(ec50["CD8 with IL2RA of Treg"], ec50["Treg"]),
            "T_blast_over_Treg": ratio(ec50["T_blast"], ec50["Treg"]),
        },
        {name: (DOSES_nM, normalised(curves[name])) for name in CELLS},
    )


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    largest: np.ndarray = np.abs(a - b).max(axis=-1)
    return largest


def equal_IL2RA(sample: Sample) -> Sample:
    """Every cell carries as much IL2RA as Treg."""
    return sample.changed({count_name(name, "IL2RA"): sample[count_name("Treg", "IL2RA")] for name in CELLS})


def ranges() -> tuple[Range, ...]:
    return (*network_ranges("IL2"), *(r for name in CELLS for r in count_ranges(name, "IL2")))


EXPERIMENT = Experiment(
    id="E13",
    title="Cell sensitivity from chain inventory",
    question="Do the chains that a cell carries explain the dose of IL-2 that it answers?",
    claims={
        "S000-053": ("ec50_NK_nM", "blocked_fold_NK"),
        "S000-054": ("ec50_Th_mem_nM", "ec50_CD8_mem_nM", "blocked_fold_Th_mem", "blocked_fold_CD8_mem"),
        "S000-056": ("ec50_T_blast_nM",),
        "S000-057": ("ec50_Treg_nM", "NK_over_Treg", "CD8_over_Treg", "CD8_mem_over_Treg", "Th_mem_over_Treg"),
        "S000-061": ("swap_distance", "CD8_over_Treg"),
    },
    setup="IL-2 held at each dose for 30 min on cells that differ in their receptor counts and in nothing else; "
    "the same with IL2RA blocked (count 0) and with the counts of Treg and CD8 swapped.",
    observable="EC50 of pSTAT5 at 30 min by cell type.",
    criterion="Treg and activated T cells below 1 nM; NK and memory T cells from 1 nM up, no more than 1.5-fold "
    "changed when IL2RA is blocked; at least 10 times the EC50 of Treg; swapped counts swap the curves.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "every cell carries as much IL2RA as Treg: the distance between cells vanishes",
        equal_IL2RA,
        breaks=("NK_over_Treg", "CD8_over_Treg", "CD8_mem_over_Treg", "Th_mem_over_Treg"),
    ),
    reported={"ec50_CD8_nM": "nM", "CD8_with_IL2RA_of_Treg_over_Treg": "dimensionless",
              "T_blast_over_Treg": "dimensionless"},
    axes=("IL-2 (nM)", "pSTAT5 at 30 min, fraction of maximum"),
)  # fmt: skip
