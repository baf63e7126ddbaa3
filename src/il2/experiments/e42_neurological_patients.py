"""E42: low doses, high doses and block in patients with Alzheimer disease, Parkinson disease, multiple sclerosis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from il2.cell.spread import Range
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.patients import Arm, Found, followed, mean, patient_ranges
from il2.experiments.sample import Sample
from il2.patient.autoimmunity import EFFECTORS, INDEX, NEURONS, disease
from il2.patient.notice import RESEARCH_USE
from il2.patient.regimen import Regimen
from il2.patient.regimen_file import regimen

DISEASES = {"AD": "Alzheimer disease", "PD": "Parkinson disease", "MS": "multiple sclerosis"}
NEURAL = ("AD", "PD")
MODULES = ("autoimmunity",)
END_d, CYCLE_d, CYCLES = 84, 28, 3
TIMES_d = np.linspace(0, END_d, 2 * END_d + 1)
NONE, LOW, HIGH, BLOCK = "no treatment", "low dose", "high dose", "daclizumab"
TREG, TH = "count_Treg", "count_Th"
STILL = (
    "Treg_proliferation_highest", "Th_proliferation_highest", "CD8_proliferation_highest",
    "Treg_activity_per_programme", "effector_activity_per_programme",
)  # fmt: skip


def low_dose() -> Regimen:
    """Five days of 1 MIU a day every four weeks, for twelve weeks."""
    five_days = regimen("T1D_1_MIU")
    courses = tuple(replace(c, cycles=CYCLES, cycle_d=float(CYCLE_d)) for c in five_days.courses)
    return replace(five_days, name="cycles of low doses", courses=courses)


def regimens(who: str) -> dict[str, Regimen]:
    found = {NONE: regimen("no_treatment"), LOW: low_dose()}
    if who == "MS":
        found |= {HIGH: regimen("high_dose_aldesleukin"), BLOCK: regimen("daclizumab_monthly")}
    return found


def arms(who: str) -> dict[str, Arm]:
    changes = disease(DISEASES[who]).values
    return {label: Arm(of, who, TIMES_d, changes) for label, of in regimens(who).items()}


def run(sample: Sample) -> Outcome:
    wanted = (TREG, TH, INDEX, NEURONS, EFFECTORS)
    values: dict[str, np.ndarray] = {}
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for who in DISEASES:
        found = followed(sample, arms(who), wanted, MODULES)
        values |= {
            f"{who}_Treg": _highest_share(found),
            f"{who}_index": _over_none(found, LOW, INDEX),
        }
        if who in NEURAL:
            values[f"{who}_neuron_loss"] = ratio(*(1 - found[arm][NEURONS][:, -1] for arm in (LOW, NONE)))
        curves |= {f"{who}, {arm}": (TIMES_d, one[INDEX]) for arm, one in found.items() if arm != NONE}
    start = found[NONE][EFFECTORS][:, 0]
    values |= {
        "MS_Teff_high_dose": ratio(found[HIGH][EFFECTORS].max(axis=-1), start),
        "MS_Teff_low_dose": ratio(found[LOW][EFFECTORS].max(axis=-1), start),
        "MS_Teff_block": _over_none(found, BLOCK, EFFECTORS),
        "MS_index_high_dose": _over_none(found, HIGH, INDEX),
        "MS_index_block": _over_none(found, BLOCK, INDEX),
    }
    return Outcome(values, curves)


def _over_none(found: Mapping[str, Found], arm: str, name: str) -> np.ndarray:
    """Mean over the twelve weeks, over that without treatment."""
    return ratio(*(mean(TIMES_d, found[a][name]) for a in (arm, NONE)))


def _highest_share(found: Mapping[str, Found]) -> np.ndarray:
    """Highest share of Treg in CD4 T cells of blood under low doses, over that at start."""
    one = found[LOW]
    share = one[TREG] / (one[TREG] + one[TH])
    return ratio(share.max(axis=-1), share[:, 0])


def ranges() -> tuple[Range, ...]:
    return patient_ranges(regimens("MS").values(), MODULES)


EXPERIMENT = Experiment(
    id="E42",
    title="AD, PD, MS virtual patients",
    question="What do low doses, high doses and a block of IL2RA do to Treg, effector T cells and inflammation here?",
    claims={
        "S000-075": ("AD_Treg", "AD_index"),
        "S000-078": ("PD_index",),
        "S000-079": ("PD_neuron_loss",),
        "S000-080": ("MS_Teff_high_dose", "MS_Teff_block"),
    },
    setup="Persons with Alzheimer disease, Parkinson disease and multiple sclerosis for 12 weeks: 1 MIU a day for five "
    "days every four weeks, or nothing; with multiple sclerosis also high doses as in the label, and 150 mg of "
    "daclizumab every four weeks. Nothing is known of these diseases under IL-2 but direction: sizes are assumed, and "
    f"none says that a treatment works. {RESEARCH_USE}",
    observable="Highest share of Treg in CD4 T cells of blood over that at start; means over 12 weeks of the index of "
    "inflammation and of effector activity, and neurons lost, over no treatment; highest effector activity under high "
    "doses over that at start.",
    criterion="Low doses: Treg at least 1.5 times, inflammation at most 0.99, loss of neurons not above that without "
    "treatment. High doses: effector activity at least 1.05 times; block: at most 0.95.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "Treg and effector T cells that neither grow nor work harder under IL-2",
        lambda sample: sample.changed(dict.fromkeys(STILL, 0.0)),
        breaks=("AD_Treg", "AD_index", "PD_index", "MS_Teff_high_dose", "MS_Teff_block"),
    ),
    reported=dict.fromkeys(
        (
            "AD_neuron_loss", "PD_Treg", "MS_Treg", "MS_index", "MS_Teff_low_dose", "MS_index_high_dose",
            "MS_index_block",
        ),
        "dimensionless",
    ),
    axes=("time (d)", "index of inflammation"),
)  # fmt: skip
