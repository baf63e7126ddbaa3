"""E20: interferon alpha slows the divisions that IL-2 and IL-7 drive, late and through AKT, and leaves pSTAT5."""

from __future__ import annotations

import numpy as np

from il2.cell.cohort import named
from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.well import Addition, Cells, Well
from il2.experiments.divisions import DIVIDED, mean_divisions
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

CELLS, LABEL, CYTOKINE_nM, IFNA1_nM = 1e4, "T", 1.0, 1.0
CYTOKINES = ("IL2", "IL7")
TIMES_h = np.array([0.0, 0.5, 24.0, 48.0, 120.0])
EARLY, DAY1, DAY2, DAY5 = 1, 2, 3, 4


def _well(cytokine: str, ifna1_nM: float) -> Well:
    """CD4 T cells at rest; both cytokines are named, so that all wells have the same receptors."""
    doses = {c: CYTOKINE_nM * (c == cytokine) for c in CYTOKINES} | {"IFNA1": ifna1_nM}
    return Well((Cells("Th", CELLS, LABEL),), additions=tuple(Addition(name, dose) for name, dose in doses.items()))


WELLS = {
    f"{cytokine} {what}": _well(cytokine, dose)
    for cytokine in CYTOKINES
    for what, dose in (("alone", 0.0), ("IFNA1", IFNA1_nM))
}


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, ("pstat5", "pAKT", *DIVIDED))
    divisions = {name: mean_divisions(c, LABEL) for name, c in course.items()}
    values: dict[str, np.ndarray] = {}
    for cytokine in CYTOKINES:
        with_, alone = f"{cytokine} IFNA1", f"{cytokine} alone"

        def left(readout: str, k: int, wells: tuple[str, str] = (with_, alone)) -> np.ndarray:
            return ratio(*(course[w][named(LABEL, readout)][:, k] for w in wells))

        values |= {
            f"divisions_left_{cytokine}": ratio(divisions[with_][:, DAY5], divisions[alone][:, DAY5]),
            f"pSTAT5_{cytokine}": left("pstat5", DAY1),
            f"late_pAKT_left_{cytokine}": left("pAKT", DAY2),
            f"early_pAKT_left_{cytokine}": left("pAKT", EARLY),
            f"divisions_{cytokine}": divisions[alone][:, DAY5],
        }
    return Outcome(values, {name: (TIMES_h, d) for name, d in divisions.items()})


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values())


EXPERIMENT = Experiment(
    id="E20",
    title="Interferon-alpha cross-inhibition",
    question="Does interferon alpha slow the divisions that IL-2 and IL-7 drive, without touching pSTAT5?",
    claims={
        "S001-130": ("divisions_left_IL7", "pSTAT5_IL7", "late_pAKT_left_IL7"),
        "S001-131": ("divisions_left_IL2", "pSTAT5_IL2", "late_pAKT_left_IL2"),
    },
    setup="CD4 T cells at rest (1e4 in 200 uL) with 1 nM IL-2 or IL-7 for 5 days, with and without 1 nM interferon "
    "alpha. That it brakes PI3K and not STAT5, and slowly, is built in; how much of the divisions that takes is not.",
    observable="Divisions per cell of the start that lives on, pSTAT5 after a day, pAKT after 30 min and two days.",
    criterion="20 to 60 % fewer divisions, pSTAT5 within 10 %, less pAKT after two days.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "interferon alpha does not brake PI3K",
        lambda sample: sample.changed({"IFNA_effect_on_PI3K": 0.0}),
        breaks=tuple(f"late_pAKT_left_{c}" for c in CYTOKINES),
    ),
    reported={f"{name}_{c}": "dimensionless" for c in CYTOKINES for name in ("early_pAKT_left", "divisions")},
    axes=("time (h)", "divisions per cell of the start that lives on"),
)
