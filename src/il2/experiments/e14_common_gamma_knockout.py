"""E14: without the common gamma chain six cytokines fall silent, and a patient has neither T nor NK cells."""

from __future__ import annotations

import numpy as np

from il2.cell.spread import Range, count_ranges, network_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import Condition, inventory, ratio, setting, signal
from il2.experiments.sample import Sample
from il2.patient import deficiency
from il2.receptor.head import COMMON, head
from il2.signalling.stat import JAK3

CELLS = {"IL2": "Treg", "IL4": "CD4_naive_Gonnord", "IL7": "Th", "IL9": "Th", "IL15": "NK", "IL21": "Th"}
STAND_IN = {"IL9": "IL7", "IL21": "IL7"}  # IL9R and IL21R were not counted: the cell gets as many as it has IL7R
DOSES_nM = np.logspace(-4, 3, 15)
STIMULUS_min = 30.0
LEFT = f"{COMMON} left"
COUNTED, OTHERS = ("T", "NK", "B"), (JAK3, "IL7R")


def run(sample: Sample) -> Outcome:
    values, curves = {}, {}
    for name in CELLS:
        whole = chains(sample, name)
        without = whole | {COMMON: whole[COMMON] * sample[LEFT]}
        conditions: dict[str, Condition] = {"whole": whole, "without": without, "no JAK3": whole | {JAK3: 0.0}}
        found = signal(sample, conditions, DOSES_nM, STIMULUS_min, name)
        most = {key: curve.max(axis=-1) for key, curve in found.items()}
        values[f"left_{name}"] = ratio(most["without"], most["whole"])
        values[f"left_without_JAK3_{name}"] = ratio(most["no JAK3"], most["whole"])
        values[f"normal_{name}"] = most["whole"]
        curves[f"{name}: {head(name).stat}"] = (DOSES_nM, found["whole"])
    return Outcome(values | patients(sample), curves)


def patients(sample: Sample) -> dict[str, np.ndarray]:
    """Lymphocytes of patients without IL2RG, JAK3 or IL7R, as shares of the normal numbers."""
    defects = {COMMON: {COMMON: sample[LEFT]}} | {gene: deficiency.lost(gene) for gene in OTHERS}
    found = deficiency.numbers(defects, sample.values)
    values = {f"{cell}_left": found[COMMON][cell] for cell in COUNTED}
    return values | {f"{cell}_without_{gene}": found[gene][cell] for gene in OTHERS for cell in COUNTED}


def chains(sample: Sample, name: str) -> dict[str, np.ndarray | float]:
    """Counts of the chains of a cytokine on its cell; a private chain that was not counted has a stand-in."""
    base = STAND_IN.get(name, name)
    counts = inventory(sample, CELLS[name], base)
    return {(head(name).private if chain == head(base).private else chain): n for chain, n in counts.items()}


def ranges() -> tuple[Range, ...]:
    return (
        *(r for name in CELLS for r in network_ranges(name)),
        *(r for name, cell in CELLS.items() for r in count_ranges(cell, STAND_IN.get(name, name))),
        *deficiency.ranges(),
        setting(LEFT, 0.0),
    )


EXPERIMENT = Experiment(
    id="E14",
    title="Common gamma-chain knock-out",
    question="Do the six cytokines that share IL2RG lose their response without it, and a patient T and NK cells?",
    claims={
        "S002-013": ("left_IL4",),
        "S002-014": ("left_IL7",),
        "S003-012": ("left_IL2",),
        "S003-013": ("left_IL4",),
        "S003-014": ("left_IL7",),
        "S003-015": ("left_IL9",),
        "S003-016": ("left_IL15",),
        "S003-017": ("left_IL21",),
        "S003-018": ("T_left", "NK_left", "B_left"),
    },
    setup="Each cytokine held at each dose for 30 min on a cell with its chains: IL-2 on Treg, IL-4 on the naive CD4 "
    f"T cells of Gonnord, IL-15 on NK, the rest on Th; {COMMON} whole or off, JAK3 whole or off. IL9R and IL21R were "
    "not counted on any cell: the count of IL7R stands in for them. IL-4 has the type I receptor alone; the type II "
    "receptor (IL13RA1), which does without IL2RG, is not in the model. Patients: output and survival of T cells "
    "follow their pSTAT5 to the IL-7, IL-15 and IL-2 of a healthy tissue, those of NK cells to IL-15 and IL-2, in a "
    "steady balance. That B cells need none of them, and how few T and NK cells come and live without a signal, is "
    "assumed.",
    observable="Largest phosphorylated share of the STAT of each cytokine over 0.1 pM to 1 uM, as a share of that "
    "with IL2RG; numbers of lymphocytes as shares of those of a normal person.",
    criterion="Without IL2RG no more than 10 % of the response is left, for each of the six; in a patient T and NK "
    "cells at no more than 5 %, B cells at no less than 80 %.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "half of IL2RG is left instead of none: the loss vanishes",
        lambda sample: sample.changed({LEFT: 0.5}),
        breaks=(*(f"left_{name}" for name in CELLS), "T_left", "NK_left"),
    ),
    reported={f"{what}_{name}": "dimensionless" for what in ("left_without_JAK3", "normal") for name in CELLS}
    | {f"{cell}_without_{gene}": "dimensionless" for gene in OTHERS for cell in COUNTED},
    axes=("cytokine (nM)", "phosphorylated share of its STAT at 30 min, with IL2RG"),
)  # fmt: skip
