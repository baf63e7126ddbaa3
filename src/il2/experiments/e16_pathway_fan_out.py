"""E16: one receptor, three branches: STAT5, PI3K and ERK, each with its own part in what a cell does."""

from __future__ import annotations

import numpy as np

from il2.cell.cohort import named
from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Cells, Well
from il2.experiments.divisions import DIVIDED, mean_divisions, precursors
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import fold, ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
from il2.knowledge.quantity import quantity

CELLS, LABEL, IL2_nM = 1e3, "T", 1.0  # so few cells leave the IL-2 as it is
BLOCKS = {"PI3K_block": "PI3K_inhibitor", "MEK_block": "MEK_inhibitor", "rapamycin": "rapamycin"}
BLOCK_nM, LATE_h = 1000.0, 72.0
TIMES_h = np.array([0.0, 1 / 12, 1 / 6, 0.25, 0.5, 1.0, 2.0, 4.0, 24.0, LATE_h, LATE_h + 24.0])
EARLY, DAY1, DAY3, DAY4 = slice(0, 8), 8, 9, 10
PRODUCTS = ("growth", "effector")
SIGNALS = ("pstat5", "pAKT", "pERK")
OTHERS = {"IL4": "pstat6", "IL21": "pstat3"}
BRANCHES = ("STAT5_half_activation", "PI3K_half_activation", "ERK_half_activation")


def _well(*additions: Addition, without: tuple[str, ...] = ()) -> Well:
    cells = Cells("T_blast", CELLS, LABEL, without=without)
    return Well((cells,), additions=(Addition("IL2", IL2_nM), *additions))


WELLS = {
    "control": _well(),
    "without_JAK1": _well(without=("JAK1",)),
    "without_JAK3": _well(without=("JAK3",)),
    "with_JAK_inhibitor": _well(Addition("JAK_inhibitor", quantity("saturating_JAK_inhibitor").value)),
    **{name: _well(Addition(drug, BLOCK_nM)) for name, drug in BLOCKS.items()},
    "late_block": _well(Addition(BLOCKS["PI3K_block"], BLOCK_nM, LATE_h)),
}
BESIDE = {"every STAT": _well(*(Addition(name, 0.0) for name in OTHERS))}  # their receptors, and none of them given


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, (*SIGNALS, *DIVIDED, *PRODUCTS, "BCL2"), products=PRODUCTS)
    beside = grown(sample, BESIDE, TIMES_h, ("pstat5", *OTHERS.values()))["every STAT"]

    def of(well: str, readout: str) -> np.ndarray:
        found: np.ndarray = course[well][named(LABEL, readout)]
        return found

    def peak(well: str, readout: str) -> np.ndarray:
        highest: np.ndarray = of(well, readout)[:, EARLY].max(axis=-1)
        return highest

    def left(well: str, readout: str, k: int) -> np.ndarray:
        return ratio(of(well, readout)[:, k], of("control", readout)[:, k])

    living, divisions = ({name: f(course[name], LABEL) for name in WELLS} for f in (precursors, mean_divisions))
    lasting = {name: ratio(living[name][:, DAY4], living[name][:, DAY3]) for name in ("late_block", "control")}
    stat5, *others = (beside[named(LABEL, name)][:, EARLY].max(axis=-1) for name in ("pstat5", *OTHERS.values()))
    early = fold(peak("PI3K_block", "pstat5"), peak("control", "pstat5"))
    jak = [name for name in WELLS if "JAK" in name]
    values = {f"{name.replace('pstat', 'pSTAT')}_peak": peak("control", name) for name in SIGNALS}
    values |= {f"pSTAT5_left_{name}": ratio(peak(name, "pstat5"), peak("control", "pstat5")) for name in jak}
    values |= {
        "other_over_STAT5": ratio(np.max(others, axis=0), stat5),
        "pAKT_left_PI3K_block": ratio(peak("PI3K_block", "pAKT"), peak("control", "pAKT")),
        "pSTAT5_PI3K_block": np.maximum(early, _fold1(left("late_block", "pstat5", DAY4))),
        "survival_left_PI3K_block": ratio(lasting["late_block"], lasting["control"]),
        "growth_left_PI3K_block": left("PI3K_block", "growth", DAY1),
        "growth_left_rapamycin": left("rapamycin", "growth", DAY1),
        "pERK_left_MEK_block": ratio(peak("MEK_block", "pERK"), peak("control", "pERK")),
        "divisions_left_MEK_block": ratio(divisions["MEK_block"][:, DAY3], divisions["control"][:, DAY3]),
        "effector_left_MEK_block": left("MEK_block", "effector", DAY3),
        "survival_left_early_block": ratio(living["PI3K_block"][:, DAY3], living["control"][:, DAY3]),
        "BCL2_left_PI3K_block": left("late_block", "BCL2", DAY4),
        "pAKT_left_without_JAK1": ratio(peak("without_JAK1", "pAKT"), peak("control", "pAKT")),
    }
    minutes = TIMES_h[EARLY] * 60
    return Outcome(values, {name: (minutes, of("control", name)[:, EARLY]) for name in SIGNALS})


def _fold1(value: np.ndarray) -> np.ndarray:
    return fold(value, np.ones_like(value))


def ranges() -> tuple[Range, ...]:
    return (*culture_ranges(WELLS.values(), products=PRODUCTS), *culture_ranges(BESIDE.values()))


EXPERIMENT = Experiment(
    id="E16",
    title="Pathway fan-out and node deletion",
    question="Does IL-2 drive STAT5, PI3K and ERK, through JAK1 and JAK3, and what is each branch for?",
    claims={
        "S000-062": ("pSTAT5_peak", "pAKT_peak", "pERK_peak"),
        "S000-063": ("pSTAT5_left_without_JAK1",),
        "S000-064": ("pSTAT5_left_without_JAK3",),
        "S000-065": ("other_over_STAT5",),
        "S000-066": ("pAKT_peak", "pAKT_left_PI3K_block", "pSTAT5_PI3K_block"),
        "S000-067": ("survival_left_PI3K_block", "pSTAT5_PI3K_block"),
        "S000-068": ("growth_left_PI3K_block", "growth_left_rapamycin"),
        "S000-069": ("pERK_peak", "pERK_left_MEK_block"),
        "S000-070": ("divisions_left_MEK_block",),
        "S000-071": ("effector_left_MEK_block",),
        "S003-011": ("pSTAT5_left_with_JAK_inhibitor",),
    },
    setup="1000 activated T cells in 200 uL with 1 nM IL-2 and no antigen: as they are, without JAK1 or JAK3, with a "
    "JAK inhibitor, and with a block of PI3K, of MEK, or of MTOR by rapamycin. Survival is judged where PI3K is "
    "blocked on day 3 only, since cells that are kept from dividing live longer for that alone. AKT and ERK are "
    "relative scales. That both JAK are needed, and that IL-2 drives no STAT but STAT5, is wired: built in.",
    observable="Peaks of pSTAT5, pAKT and pERK in 4 h; growth after a day; divisions and effector programme on day 3; "
    "cells that live on from day 3 to day 4.",
    criterion="All three rise; without JAK1 or JAK3 at most 10 % of pSTAT5; other STATs at most a fifth; a block of "
    "PI3K or MEK takes its branch and leaves pSTAT5; then less survival and growth, or fewer divisions and effectors.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "receptors that no branch reads: nothing rises",
        lambda sample: sample.changed(dict.fromkeys(BRANCHES, 1e12)),
        breaks=("pSTAT5_peak", "pAKT_peak", "pERK_peak"),
    ),
    reported=dict.fromkeys(
        ("survival_left_early_block", "BCL2_left_PI3K_block", "pAKT_left_without_JAK1"), "dimensionless"
    ),
    axes=("time (min)", "phosphorylated share, or relative activity"),
)
