"""E36: low doses of IL-2 raise regulatory T cells and calm lupus, vasculitis and GVHD; higher doses reach effectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from il2.cell.spread import Range, count_name, quantity_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.patients import Arm, Found, area, followed, patient_ranges, person_grades
from il2.experiments.sample import Sample
from il2.patient.autoimmunity import INDEX, disease
from il2.patient.dose import dose
from il2.patient.notice import RESEARCH_USE
from il2.patient.regimen import Course, Regimen
from il2.patient.regimen_file import regimen

MODULES = ("autoimmunity",)
DISEASES = {  # regimen, person, disease, times to read (d); the ratio of cells by week 4 in GVHD, throughout in others
    "GVHD": ("cGVHD_daily", "cGVHD", "chronic GVHD", (0, 7, 14, 21, 28, 56)),
    "lupus": ("SLE_alternate_days", "SLE", "lupus", (0, 7, 13, 14, 28, 41, 42, 69, 70, 84)),
    "vasculitis": ("HCV_vasculitis", "HCV_vasculitis", "vasculitis", (0, 5, 6, 26, 27, 47, 48, 68, 69, 84)),
}
BY_WEEK_4 = 28
SWEEP_MIU = (0.1, 0.3, 1, 3, 10, 30)
SWEEP_d, LOW_MIU, TOP_MIU = 14, 1, 30
PERSON, HIGH, HIGH_PERSON, HIGH_d = "SLE", "high_dose_aldesleukin", "melanoma", np.arange(0.0, 29.0, 2.0)
KINDS = ("Treg", "Th", "CD8", "NK")
WANTED = (*(f"{what}_{kind}" for kind in KINDS for what in ("pool", "blood")), INDEX)


def daily(amount_MIU: float, days: int) -> Regimen:
    """A dose under the skin every day."""
    of = Course("aldesleukin", dose(f"{amount_MIU:g} MIU"), "sc", every_h=24.0, doses=days)
    return Regimen(sweep_name(amount_MIU), f"{amount_MIU:g} MIU a day", (of,), ("assumed",))


def sweep_name(amount_MIU: float) -> str:
    return f"{amount_MIU:g} MIU"


def having(sample: Sample, name: str) -> dict[str, np.ndarray | float]:
    """Parameters of the part of a disease, under every variant."""
    return {p: sample[q] if q else 0.0 for p, q in disease(name).quantities.items()}


def arms(sample: Sample) -> dict[str, Arm]:
    treated = {
        name: Arm(regimen(given), who, np.array(times, float), having(sample, of))
        for name, (given, who, of, times) in DISEASES.items()
    }
    treated["lupus"] = replace(treated["lupus"], times_d=np.union1d(treated["lupus"].times_d, HIGH_d))
    swept = {sweep_name(x): Arm(daily(x, SWEEP_d), PERSON, np.array([0.0, SWEEP_d])) for x in SWEEP_MIU}
    return treated | swept | {HIGH: Arm(regimen(HIGH), HIGH_PERSON, HIGH_d)}


def run(sample: Sample) -> Outcome:
    given = arms(sample)
    found = followed(sample, given, WANTED, MODULES)
    values: dict[str, np.ndarray] = {}
    for name in DISEASES:
        course_of, times = found[name], given[name].times_d
        within = times <= BY_WEEK_4 if name == "GVHD" else times >= 0
        share = ratio(course_of["blood_Treg"], course_of["blood_Th"])
        values |= {
            f"Treg_over_Th_{name}": share[:, within].max(axis=-1),
            f"index_{name}": ratio(course_of[INDEX][:, -1], course_of[INDEX][:, 0]),
            f"Teff_{name}": _effectors(course_of).max(axis=-1),
        } | {f"{kind}_{name}": course_of[f"pool_{kind}"].max(axis=-1) for kind in KINDS}
    treg = np.stack([found[sweep_name(x)]["pool_Treg"][:, -1] for x in SWEEP_MIU], axis=-1)
    teff = np.stack([_effectors(found[sweep_name(x)])[:, -1] for x in SWEEP_MIU], axis=-1)
    over = ratio(teff - 1, treg - 1)
    low, top = SWEEP_MIU.index(LOW_MIU), SWEEP_MIU.index(TOP_MIU)
    values |= {
        "Treg_at_1_MIU": treg[:, low],
        "Teff_at_1_MIU": teff[:, low],
        "Teff_at_30_MIU": teff[:, top],
        "Teff_over_Treg_step": np.stack([ratio(b, a) for a, b in pairwise(over.T)]).min(axis=0),
        "Teff_over_Treg_rise": ratio(over[:, top], over[:, low]),
    }
    gains = {name: {k: _gained(found[name], given[name].times_d, k) for k in KINDS} for name in ("lupus", HIGH)}
    values |= {
        "NK_over_Treg_low": ratio(gains["lupus"]["NK"], gains["lupus"]["Treg"]),
        "NK_over_Treg_high": ratio(gains[HIGH]["NK"], gains[HIGH]["Treg"]),
        "CD8_over_Treg_high": ratio(gains[HIGH]["CD8"], gains[HIGH]["Treg"]),
        "CD8_over_Treg_low": ratio(gains["lupus"]["CD8"], gains["lupus"]["Treg"]),
    }
    curves = {"Treg": treg, "Th or CD8": teff}
    return Outcome(values, {name: (np.array(SWEEP_MIU, float), y) for name, y in curves.items()})


def _effectors(found: Found) -> np.ndarray:
    """Th or CD8 of the body, whichever is more of its normal number, (variants, times)."""
    return np.maximum(found["pool_Th"], found["pool_CD8"])


def _gained(found: Found, times_d: np.ndarray, kind: str) -> np.ndarray:
    """Area (variants,) of what a pool gains over `HIGH_d`, share of its normal number times d."""
    within = times_d <= HIGH_d[-1]
    return area(times_d[within], found[f"pool_{kind}"][:, within] - 1)


def disease_ranges(names: Sequence[str]) -> tuple[Range, ...]:
    """Ranges of what diseases rest on."""
    return quantity_ranges(*sorted({q for name in names for q in disease(name).quantities.values() if q}))


def ranges() -> tuple[Range, ...]:
    given = (regimen(name) for name, *_ in DISEASES.values())
    return (*patient_ranges(given, MODULES), *disease_ranges([of for *_, of, _ in DISEASES.values()]))


EXPERIMENT = Experiment(
    id="E36",
    title="Low-dose IL-2: lupus, vasculitis, GVHD",
    question="Do low doses of IL-2 raise Treg alone and calm disease, and do higher doses reach effector cells?",
    claims={
        "S000-086": ("Treg_over_Th_lupus", "index_lupus", "Teff_lupus"),
        "S000-087": ("Treg_over_Th_vasculitis", "index_vasculitis", "Teff_vasculitis"),
        "S000-095": ("Treg_at_1_MIU", "Teff_at_1_MIU", "Teff_at_30_MIU", "Teff_over_Treg_step"),
        "S003-054": ("Treg_over_Th_GVHD", "index_GVHD", "Teff_GVHD"),
    },
    setup="Aldesleukin under the skin: 1 MIU/m^2 a day for 8 weeks in chronic GVHD, 1 MIU every other day with breaks "
    "in lupus, courses of 1.5 and 3 MIU a day in vasculitis; 0.1 to 30 MIU a day for 14 d in lupus. For the joint test "
    "with E35, high doses of the label in melanoma. The index of a disease is one rule of effectors over Treg, with "
    "chosen numbers. Calibration: constants of Treg were chosen on the Treg of the trial in GVHD and of two trials in "
    f"type 1 diabetes; trials in lupus and vasculitis set none. No clinical answer is read. {RESEARCH_USE}",
    observable="Treg over Th of blood, index of the disease, and cells of the body, each over before; what effectors "
    "(Th or CD8, whichever rises more) gain over what Treg gain; areas of gains over 28 d.",
    criterion="Treg over Th at least doubled, in GVHD fivefold by week 4; the index falls; effectors up by 10 % at "
    "most. At 1 MIU a day Treg are up 20 % and effectors are not, at 30 MIU they are, and with each dose effectors "
    "gain more for each gain of Treg. Joint with E35: NK gain less than Treg at low doses, NK and CD8 more at high "
    "ones.",
    run=run,
    ranges=ranges,
    grades=lambda: person_grades([*(who for _, who, *_ in DISEASES.values()), HIGH_PERSON]),
    ablation=Ablation(
        "Treg that answer as Th do, with as few IL2RA and dividing no faster: low doses no longer find them",
        lambda sample: sample.changed(
            {
                count_name("Treg", "IL2RA"): sample[count_name("Th", "IL2RA")],
                "Treg_proliferation_highest": sample["Th_proliferation_highest"],
            }
        ),
        breaks=("Treg_over_Th_GVHD", "Treg_over_Th_lupus", "Treg_over_Th_vasculitis", "Treg_at_1_MIU"),
    ),
    reported=dict.fromkeys(
        (
            *(f"{kind}_{name}" for name in DISEASES for kind in KINDS),
            "Teff_over_Treg_rise",
            "CD8_over_Treg_low",
        ),
        "dimensionless",
    ),
    axes=("dose (MIU a day)", "cells of the body after 14 d, share of normal"),
)
