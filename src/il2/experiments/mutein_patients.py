"""Complexes of IL-2 in a mouse, and a weaker IL-2 on Fc in a mouse and in a healthy adult, over IL-2 itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from il2.cell.spread import Range
from il2.experiments.lanes import ratio
from il2.experiments.patients import Arm, Found, area, followed, half_life_d, patient_ranges
from il2.experiments.sample import Sample
from il2.knowledge.person import person
from il2.patient.course import body_of
from il2.patient.dose import dose
from il2.patient.regimen import Course, Regimen, doses

FREE = "aldesleukin"
COMPLEXES = {"JES6_1": "IL-2/JES6-1", "S4B6": "IL-2/S4B6"}
FUSION, MUTEIN = "Fc.IL-2", "Fc.IL-2 mutein"
PEOPLE = ("mouse", "healthy")
MOUSE = PEOPLE[0]
AMOUNT, PER_WEIGHT = "0.065 nmol", "0.1 mg/kg"
INJECTIONS, DAY_h = 3, 24.0
END_d, FIRST_d, LIMIT_nM = 21.0, 1e-4, 1e-3
FUSION_DRAWS = 20  # enough for a spread of what no criterion tests
TIMES_d = np.append(0.0, np.geomspace(FIRST_d, END_d, 100))
HARM, EFFECTS = {"JES6_1": "pool_NK", "S4B6": "capillary_leak_index"}, {"JES6_1": "pool_Treg", "S4B6": "pool_CD8"}
KINDS = ("Treg", "CD8", "NK")
READ = ("pool_Treg", "pool_CD8", "pool_NK", "capillary_leak_index", "pSTAT5_Treg", "pSTAT5_NK")
MEASURED = tuple(f"mutein_{what}_{who}" for who in PEOPLE for what in ("Treg", "eaten", "exposure"))
REPORTED = (
    *MEASURED, "window_JES6_1_by_leak",
    *(f"{what}_{name}" for name in COMPLEXES for what in (*(f"{kind}_rise" for kind in KINDS), "leak")),
)  # fmt: skip


def complexes() -> dict[str, Arm]:
    """A mouse that gets one dose into the vein, and doses on three days under the skin, of each."""
    found = {}
    for drug in (FREE, *COMPLEXES.values()):
        found[f"{drug} once"] = Regimen(drug, "", (Course(drug, dose(AMOUNT), "iv"),))
        daily = Course(drug, dose(AMOUNT), "sc", every_h=DAY_h, doses=INJECTIONS)
        found[drug] = Regimen(drug, "", (daily,))
    return {label: Arm(of, MOUSE, TIMES_d) for label, of in found.items()}


def fusions(who: str) -> dict[str, Arm]:
    """A person that gets one dose under the skin of IL-2 on Fc or of the weaker one."""
    given = {drug: Regimen(drug, "", (Course(drug, dose(PER_WEIGHT), "sc"),)) for drug in (FUSION, MUTEIN)}
    return {drug: Arm(of, who, TIMES_d) for drug, of in given.items()}


def followed_complexes(sample: Sample) -> dict[str, np.ndarray]:
    """What complexes do over free IL-2, at one dose, by measurement (variants,)."""
    levels = [f"{drug}_nM" for drug in (FREE, *COMPLEXES.values())]
    found = followed(sample, complexes(), (*READ, *levels))
    values: dict[str, np.ndarray] = {}
    for name, drug in COMPLEXES.items():
        one, free = found[drug], found[FREE]
        values |= {
            f"half_life_{name}": ratio(_half_life(found, drug), _half_life(found, FREE)),
            f"patient_bias_{name}": ratio(_bias(one), _bias(free)),
            f"window_{name}": ratio(*(ratio(_rise(arm, EFFECTS[name]), _rise(arm, HARM[name])) for arm in (one, free))),
            f"leak_{name}": ratio(*(_rise(arm, "capillary_leak_index") for arm in (one, free))),
            **{f"{kind}_rise_{name}": ratio(*(_rise(arm, f"pool_{kind}") for arm in (one, free))) for kind in KINDS},
        }
    values["window_JES6_1_by_leak"] = ratio(values["Treg_rise_JES6_1"], values["leak_JES6_1"])
    return values


def followed_fusions(sample: Sample) -> dict[str, np.ndarray]:
    """What the weaker IL-2 on Fc does over IL-2 on Fc, in the default set and the first draws; NaN in all others."""
    drawn = 1 + min(sample.draws, FUSION_DRAWS)
    part = sample.chosen(np.arange(drawn))
    values: dict[str, np.ndarray] = {}
    for who in PEOPLE:
        arms = fusions(who)
        flows = [f"{drug}_{what}" for drug in (FUSION, MUTEIN) for what in ("uptake", "nM")]
        found = followed(part, arms, ("pool_Treg", *flows))
        body = body_of(person(who))
        amounts = {drug: doses(arm.regimen, body)[0].amount_nmol for drug, arm in arms.items()}
        areas = {
            "Treg": [area(TIMES_d, found[drug]["pool_Treg"] - 1) for drug in (MUTEIN, FUSION)],
            "eaten": [area(TIMES_d, found[drug][f"{drug}_uptake"]) / amounts[drug] for drug in (MUTEIN, FUSION)],
            "exposure": [area(TIMES_d, found[drug][f"{drug}_nM"]) for drug in (MUTEIN, FUSION)],
        }
        for what, (weaker, wild) in areas.items():
            values[f"mutein_{what}_{who}"] = np.append(ratio(weaker, wild), np.full(sample.size - drawn, np.nan))
    return values


def patients(sample: Sample) -> dict[str, np.ndarray]:
    return followed_complexes(sample) | followed_fusions(sample)


def patients_ranges() -> tuple[Range, ...]:
    given = ([arm.regimen for arm in arms.values()] for arms in (complexes(), fusions(MOUSE)))
    return tuple(r for regimens in given for r in patient_ranges(regimens))


def _half_life(found: Mapping[str, Found], drug: str) -> np.ndarray:
    """Terminal half-life (variants,) after one dose into the vein, d; NaN where a lane failed."""
    level = np.maximum(found[f"{drug} once"][f"{drug}_nM"], 0.0)
    return half_life_d(TIMES_d, level, route="bolus", limit_nM=LIMIT_nM)


def _bias(arm: Found) -> np.ndarray:
    """pSTAT5 of Treg over that of NK, each above rest and summed over time."""
    return ratio(*(area(TIMES_d, arm[name] - arm[name][:, :1]) for name in ("pSTAT5_Treg", "pSTAT5_NK")))


def _rise(arm: Found, name: str) -> np.ndarray:
    """Highest reading less the first."""
    found: np.ndarray = arm[name].max(axis=-1) - arm[name][:, 0]
    return found
