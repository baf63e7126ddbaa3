"""E38: antibodies to IL2RA against the rejection of a kidney graft."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from il2.cell.spread import Range
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio, setting
from il2.experiments.patients import Arm, Found, followed, mean, patient_ranges
from il2.experiments.sample import Sample
from il2.knowledge.drug import drug
from il2.knowledge.quantity import quantity
from il2.patient.autoimmunity import INDEX, disease
from il2.patient.graft import BEARING, EFFECTOR, REJECTION, SUMMED
from il2.patient.notice import RESEARCH_USE
from il2.patient.regimen_file import regimen
from il2.units import quantity_in

PERSON, DISEASE, MODULES = "kidney_graft", "chronic GVHD", ("graft", "autoimmunity")
NONE, RAISED = "no treatment", "low-dose IL-2"
BLOCKS = {"basiliximab": "basiliximab_renal", "daclizumab": "daclizumab_renal"}
NAMES = {NONE: "no_treatment", **BLOCKS, RAISED: "cGVHD_daily"}
END_d, STEP_d, COVERED = 180, 0.5, 0.95
RAISED_d = 28  # days of low doses
TIMES_d = np.linspace(0, END_d, round(END_d / STEP_d) + 1)
FREE, TREG = "IL2RA_free", "pool_Treg"


def run(sample: Sample) -> Outcome:
    levels = [f"{name}_nM" for name in BLOCKS]
    wanted = (FREE, TREG, EFFECTOR, REJECTION, SUMMED, INDEX, *levels)
    found = followed(sample, _arms(), wanted, MODULES)
    weeks, early = quantity_in("1 d", "week"), TIMES_d <= RAISED_d
    rejected = found[NONE][REJECTION][:, -1]
    values = {"rejected_without": rejected}
    for name in BLOCKS:
        one = found[name]
        values |= {
            f"hazard_ratio_{name}": ratio(one[SUMMED][:, -1], found[NONE][SUMMED][:, -1]),
            f"relative_risk_{name}": ratio(one[REJECTION][:, -1], found[NONE][REJECTION][:, -1]),
            f"relative_risk_set_anew_{name}": _risk(one, found[NONE], rejected[0]),
            f"weeks_covered_{name}": weeks * _days(one[FREE], 1 - one[FREE] >= COVERED),
            f"weeks_above_saturation_{name}": weeks * _days(one[FREE], one[f"{name}_nM"] >= _saturating(name)),
            f"Treg_lowest_{name}": one[TREG].min(axis=-1),
        }
    for label, name in ((RAISED, "low_dose"), ("basiliximab", "basiliximab")):
        one, none = found[label], found[NONE]
        values |= {
            f"clone_{name}": ratio(one[EFFECTOR].max(axis=-1), none[EFFECTOR].max(axis=-1)),
            f"GVHD_index_{name}": ratio(*(mean(TIMES_d[early], arm[INDEX][:, early]) for arm in (one, none))),
        }
    values["Treg_highest_low_dose"] = found[RAISED][TREG].max(axis=-1)
    return Outcome(values, {label: (TIMES_d, arm[EFFECTOR]) for label, arm in found.items()})


def _arms() -> dict[str, Arm]:
    regimens = {label: regimen(name) for label, name in NAMES.items()}
    (daily,) = regimens[RAISED].courses
    regimens[RAISED] = replace(regimens[RAISED], courses=(replace(daily, doses=RAISED_d),))
    return {label: Arm(of, PERSON, TIMES_d, disease(DISEASE).values) for label, of in regimens.items()}


def _risk(one: Found, none: Found, without: float) -> np.ndarray:
    """Relative risk (variants,) with the hazard of every variant set so that `without` antibody this share reject."""
    hazard = ratio(one[SUMMED][:, -1], none[SUMMED][:, -1])
    risk: np.ndarray = (1 - (1 - without) ** hazard) / without
    return risk


def _days(known: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Days (variants,) for which it is so; NaN where a lane failed."""
    return np.where(np.isnan(known).any(axis=-1), np.nan, STEP_d * above.sum(axis=-1))


def _saturating(name: str) -> float:
    """Level (nM) from which the label or a trial takes IL2RA as covered."""
    level = quantity(f"{name}_saturation")
    return quantity_in(f"{level.value} {level.unit}", "ug/L") / drug(name).mass_kDa


def ranges() -> tuple[Range, ...]:
    return (*patient_ranges((arm.regimen for arm in _arms().values()), MODULES), setting(BEARING, 1.0))


EXPERIMENT = Experiment(
    id="E38",
    title="Renal-graft prophylaxis",
    question="Does cover of IL2RA lower the hazard of rejection of a kidney graft, and for how long is it covered?",
    claims={
        "S000-089": ("hazard_ratio_basiliximab",),
        "S003-037": ("hazard_ratio_daclizumab", "weeks_covered_daclizumab"),
        "S003-043": ("relative_risk_daclizumab",),
        "S003-049": ("weeks_covered_basiliximab", "relative_risk_basiliximab"),
    },
    setup="A person with a new kidney graft without antibody, with 20 mg of basiliximab on days 0 and 4, or 1 mg/kg of "
    "daclizumab every two weeks, five times; beside them, for the joint test, daily IL-2 of 1 MIU/m2 for 4 weeks, in "
    "the same person and with the same numbers. CALIBRATION: the growth of the clone without IL-2 is set on the "
    "relative risk of 0.66 of basiliximab (T161), and the hazard on 35 % without antibody, so neither size is a "
    "prediction; the cover, and that fewer reject with it, are. Other draws of the growth bring up to all to "
    f"rejection; the risk with the hazard set anew on 35 % in each is reported beside. {RESEARCH_USE}",
    observable="IL2RA covered, hazard of rejection summed over 180 d and share with a rejection, over no antibody. "
    "For the joint test: the alloreactive clone, and the index of chronic graft-versus-host disease, which low doses "
    "lower by Treg. The graft has no Treg of its own, so that the two are not one measure.",
    criterion="Hazard and risk at most 0.95 of those without antibody; at least 95 % of IL2RA covered for about 4 to 6 "
    "weeks by basiliximab, and at least 4 weeks by daclizumab.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "a clone without IL2RA: the antibodies change nothing",
        lambda sample: sample.changed({BEARING: 0.0}),
        breaks=tuple(f"{what}_{name}" for name in BLOCKS for what in ("hazard_ratio", "relative_risk")),
    ),
    reported=dict.fromkeys(
        (
            "rejected_without", "clone_low_dose", "clone_basiliximab", "GVHD_index_low_dose", "GVHD_index_basiliximab",
            "Treg_highest_low_dose",
            *(f"{what}_{name}" for name in BLOCKS for what in ("Treg_lowest", "relative_risk_set_anew")),
        ),
        "dimensionless",
    )
    | dict.fromkeys((f"weeks_above_saturation_{name}" for name in BLOCKS), "week"),
    axes=("time (d)", "effector cells of the clone, over alloreactive cells at the graft"),
)  # fmt: skip
