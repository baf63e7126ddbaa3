"""E23: IL-2 makes NK cells divide and kill, at doses far above those of regulatory T cells."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range, count_name
from il2.cell.well import Addition, Cells, Well
from il2.experiments.divisions import DIVIDED, largest_fall, mean_divisions
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import half_dose, ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

CELLS, LABEL, KINDS = 1e4, "cells", ("NK", "Treg")
DOSES_nM = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
AT_10pM, AT_1nM = DOSES_nM.index(0.01), DOSES_nM.index(1.0)
TIMES_h = np.array([0.0, 24, 72, 96])
DAY1, DAY3, DAY4 = 1, 2, 3
LYSIS, LAK, MARKER = "GZMB", "LAK_activity", "IL2RA_programme"
PRODUCTS = (LYSIS, LAK)
WELLS = {
    (kind, dose): Well((Cells(kind, CELLS, LABEL, without=("IL2",)),), additions=(Addition("IL2", dose),))
    for kind in KINDS
    for dose in DOSES_nM
}


def run(sample: Sample) -> Outcome:
    labels = {f"{kind} {dose:g}": well for (kind, dose), well in WELLS.items()}
    course = grown(sample, labels, TIMES_h, (*DIVIDED, "cells", "pstat5", MARKER, *PRODUCTS), products=PRODUCTS)

    def series(kind: str, readout: str, day: int) -> np.ndarray:
        return np.stack([course[f"{kind} {dose:g}"][f"{LABEL}:{readout}"][:, day] for dose in DOSES_nM], axis=-1)

    divisions = {
        kind: np.stack([mean_divisions(course[f"{kind} {dose:g}"], LABEL)[:, DAY4] for dose in DOSES_nM], axis=-1)
        for kind in KINDS
    }
    lysis = series("NK", LYSIS, DAY3) * series("NK", "cells", DAY3)
    lak, marker = series("NK", LAK, DAY3), series("NK", MARKER, DAY3)
    given = np.array(DOSES_nM[1:])
    half = {kind: half_dose(given, divisions[kind][:, 1:]) for kind in KINDS}
    return Outcome(
        {
            "lysis_gain": ratio(lysis[:, -1], lysis[:, 0]),
            "lysis_fall": largest_fall(lysis),
            "division_gain": divisions["NK"][:, -1] - divisions["NK"][:, 0],
            "division_fall": largest_fall(divisions["NK"]),
            "NK_over_Treg": ratio(half["NK"], half["Treg"]),
            "pSTAT5_NK": series("NK", "pstat5", DAY1)[:, -1],
            "activation_gain": ratio(marker[:, -1], marker[:, 1]),
            "activation_fall": largest_fall(marker),
            "LAK_share_1nM": ratio(lak[:, AT_1nM], lak[:, -1]),
            "LAK_share_10pM": ratio(lak[:, AT_10pM], lak[:, -1]),
            "LAK_fall": largest_fall(lak),
            "half_dose_NK_nM": half["NK"],
            "half_dose_Treg_nM": half["Treg"],
            "lysis_per_cell_gain": ratio(series("NK", LYSIS, DAY3)[:, -1], series("NK", LYSIS, DAY3)[:, 0]),
        },
        {f"divisions of {kind}": (given, divisions[kind][:, 1:]) for kind in KINDS}
        | {"LAK activity": (given, lak[:, 1:]), "granzyme B per NK cell": (given, series("NK", LYSIS, DAY3)[:, 1:])},
    )  # fmt: skip


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values(), products=PRODUCTS)


EXPERIMENT = Experiment(
    id="E23",
    title="NK and LAK",
    question="Does IL-2 make NK cells divide and kill, and at how much more than Treg need?",
    claims={
        "S000-039": ("lysis_gain", "lysis_fall"),
        "S000-040": ("division_gain", "division_fall", "NK_over_Treg"),
        "S001-095": ("LAK_share_1nM", "LAK_share_10pM"),
        "S001-096": ("pSTAT5_NK", "division_gain", "lysis_gain"),
        "S002-026": ("LAK_share_1nM", "LAK_share_10pM", "LAK_fall"),
        "S002-027": ("lysis_gain", "lysis_fall"),
        "S003-025": ("division_gain", "division_fall"),
        "S003-026": ("activation_gain", "activation_fall", "lysis_gain"),
        "S004-006": ("pSTAT5_NK",),
        "S004-017": ("lysis_gain",),
    },
    setup="NK cells or Treg (1e4 in 200 uL, so that little IL-2 is used up) for 4 days at each dose of IL-2, with "
    "nothing else. Targets are not in the well: lytic activity is granzyme B and perforin per cell times cells; LAK "
    "activity is a product that resting NK cells lack, made by STAT5 as granzyme is.",
    observable="Divisions on day 4; lytic activity, LAK activity and the IL2RA programme on day 3; pSTAT5 on day 1.",
    criterion="All rise with the dose, with no fall above 5 %; NK cells need 10 to 100 times the dose of Treg for half "
    "of their divisions; LAK activity from 1 nM and not at 10 pM.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "NK cells without IL2RB: no division, no killing",
        lambda sample: sample.changed({count_name("NK", "IL2RB"): 0.0, count_name("NK", "IL2RB_made_activated"): 0.0}),
        breaks=("lysis_gain", "division_gain", "pSTAT5_NK"),
    ),
    reported={"half_dose_NK_nM": "nM", "half_dose_Treg_nM": "nM", "lysis_per_cell_gain": "dimensionless"},
    axes=("IL-2 (nM)", "divisions; activity, 1 is the most"),
)
