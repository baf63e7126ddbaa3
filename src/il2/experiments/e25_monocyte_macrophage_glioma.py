"""E25: monocytes and macrophages answer nM IL-2; glioma cells answer where they bear the receptor."""

from __future__ import annotations

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range, count_name
from il2.cell.well import Addition, Cells, Well
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import fold, half_dose, ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

CELLS, LABEL, ACTIVATION = 1e4, "cells", "myeloid_activation"
MYELOID, GLIOMA = ("monocyte", "macrophage"), ("glioma_IL2RA", "glioma_IL2R_negative")
DOSES_nM = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
LOW, HIGH = DOSES_nM.index(0.01), DOSES_nM.index(10.0)
TIMES_h = np.array([0.0, 48, 120])
DAY2, DAY5 = 1, 2


def _well(kind: str, dose_nM: float) -> Well:
    return Well((Cells(kind, CELLS, LABEL, without=("IL2",)),), additions=(Addition("IL2", dose_nM),))


WELLS = {f"{kind} {dose:g}": _well(kind, dose) for kind in MYELOID for dose in DOSES_nM}
WELLS |= {f"{kind} {dose:g}": _well(kind, dose) for kind in GLIOMA for dose in (0.0, 10.0)}


def run(sample: Sample) -> Outcome:
    course = grown(sample, WELLS, TIMES_h, ("cells", ACTIVATION), products=(ACTIVATION,))
    values: dict[str, np.ndarray] = {}
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    given = np.array(DOSES_nM[1:])
    for kind in MYELOID:
        level = np.stack([course[f"{kind} {dose:g}"][f"{LABEL}:{ACTIVATION}"][:, DAY2] for dose in DOSES_nM], axis=-1)
        rise = level - level[:, :1]
        values |= {
            f"{kind}_gain": ratio(level[:, HIGH], level[:, 0]),
            f"{kind}_share_10pM": ratio(rise[:, LOW], rise[:, -1]),
            f"{kind}_half_dose_nM": half_dose(given, rise[:, 1:]),
        }
        curves[kind] = (given, level[:, 1:])
    for kind in GLIOMA:
        with_IL2, without = (course[f"{kind} {dose:g}"][f"{LABEL}:cells"][:, DAY5] for dose in (10.0, 0.0))
        values |= {f"{kind}_fold": fold(with_IL2, without), f"{kind}_change": ratio(with_IL2, without)}
    return Outcome(values, curves)


def ranges() -> tuple[Range, ...]:
    return culture_ranges(WELLS.values(), products=(ACTIVATION,))


def without_IL2RB(sample: Sample) -> Sample:
    """Cells that IL-2 cannot signal to."""
    kinds = (*MYELOID, GLIOMA[0])
    return sample.changed({count_name(k, name): 0.0 for k in kinds for name in ("IL2RB", "IL2RB_made_activated")})


EXPERIMENT = Experiment(
    id="E25",
    title="Monocyte, macrophage, glioma",
    question="Do monocytes and macrophages answer nM IL-2, and glioma cells only with its receptor?",
    claims={
        "S001-094": ("monocyte_gain", "monocyte_share_10pM"),
        "S001-097": ("glioma_IL2RA_fold", "glioma_IL2R_negative_fold"),
        "S002-025": ("monocyte_gain",),
        "S002-028": ("glioma_IL2RA_fold", "glioma_IL2R_negative_fold"),
        "S004-005": ("macrophage_gain", "macrophage_share_10pM"),
    },
    setup="Monocytes, macrophages (2 days) and glioma cells (5 days) at each dose of IL-2, 1e4 in 200 uL. Monocytes "
    "and macrophages differ in nothing but their draws. Two virtual glioma lines, with and without the receptor: "
    "whether gliomas bear it is doubtful, and growth of their own is not built, so that both decline without IL-2.",
    observable="Activation on day 2, share of the most; cells on day 5 at 10 nM over none.",
    criterion="Activation up at 10 nM, and at 10 pM at most a tenth of the rise at the highest dose; glioma cells "
    "change by a tenth or more with the receptor and not without it.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "no cell bears IL2RB: no answer",
        without_IL2RB,
        breaks=("monocyte_gain", "macrophage_gain", "glioma_IL2RA_fold"),
    ),
    reported={f"{kind}_half_dose_nM": "nM" for kind in MYELOID}
    | {f"{kind}_change": "dimensionless" for kind in GLIOMA},
    axes=("IL-2 (nM)", "activation on day 2, share of the most"),
)
