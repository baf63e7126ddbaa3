"""E39: block of IL2RA in asthma helps by Th2 cells and costs Treg."""

from __future__ import annotations

import numpy as np

from il2.cell.spread import Range
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio, setting
from il2.experiments.patients import Arm, followed, patient_ranges
from il2.experiments.sample import Sample
from il2.patient.asthma import BEARING, CHANGE, FREE_TIME, TH2, WITH_IL2RA, WITHOUT
from il2.patient.notice import RESEARCH_USE
from il2.patient.regimen_file import regimen

PERSON, MODULES = "asthma", ("asthma",)
BLOCK, PLACEBO = "daclizumab", "placebo"
NAMES = {BLOCK: "daclizumab_monthly", PLACEBO: "no_treatment"}
END_d = 84
TIMES_d = np.linspace(0, END_d, END_d + 1)
TREG, TH = "pool_Treg", "pool_Th"
TREG_GROWTH = "Treg_proliferation_highest"


def run(sample: Sample) -> Outcome:
    arms = {label: Arm(regimen(name), PERSON, TIMES_d) for label, name in NAMES.items()}
    wanted = (TH2, WITH_IL2RA, CHANGE, WITHOUT, FREE_TIME, TREG, TH, "IL2RA_free")
    found = followed(sample, arms, wanted, MODULES)
    one, other = found[BLOCK], found[PLACEBO]

    def over_placebo(name: str) -> np.ndarray:
        return ratio(one[name][:, -1], other[name][:, -1])

    return Outcome(
        {
            "Th2_with_free_IL2RA": over_placebo(WITH_IL2RA) if _borne(sample) else over_placebo(TH2),
            "Th2": over_placebo(TH2),
            "FEV1_gain": one[CHANGE][:, -1] - other[CHANGE][:, -1],
            "exacerbations": ratio(1 - one[WITHOUT][:, -1], 1 - other[WITHOUT][:, -1]),
            "time_without_exacerbation": over_placebo(FREE_TIME),
            "Treg_left": over_placebo(TREG),
            "Th_left": over_placebo(TH),
            "IL2RA_free_at_end": one["IL2RA_free"][:, -1],
        },
        {
            "Th2 of the airways": (TIMES_d, one[TH2]),
            "Treg": (TIMES_d, one[TREG]),
            "FEV1": (TIMES_d, 1 + one[CHANGE]),
            "Th2 of the airways, placebo": (TIMES_d, other[TH2]),
        },
    )


def _borne(sample: Sample) -> bool:
    """Whether Th2 cells bear IL2RA at all."""
    return bool(sample[BEARING].all())


def ranges() -> tuple[Range, ...]:
    return (*patient_ranges(map(regimen, NAMES.values()), MODULES), setting(BEARING, 1.0))


EXPERIMENT = Experiment(
    id="E39",
    title="Daclizumab in asthma",
    question="Does cover of IL2RA help in asthma by way of Th2 cells, and what does it cost in Treg?",
    claims={
        "S003-045": ("Th2_with_free_IL2RA", "Th2", "FEV1_gain", "exacerbations", "time_without_exacerbation"),
        "S003-046": ("Treg_left",),
    },
    setup="A person with asthma for 12 weeks, with 150 mg of daclizumab under the skin every 4 weeks or with a "
    "placebo, which does nothing here. How much Th2 cells of the airways need IL-2, and how FEV1 and "
    f"exacerbations follow them, is assumed: sizes are not predicted, directions are. {RESEARCH_USE}",
    observable="On day 84, over placebo: Th2 cells of the airways, all and with free IL2RA, gain of FEV1 as a share of "
    "that at start, share with an exacerbation and mean time without one; Treg of the whole body.",
    criterion="Th2 cells with free IL2RA at most half, all at most 0.95; FEV1 up by at least 1 %; at most 0.95 of the "
    "exacerbations, later; at least 10 % of the Treg lost.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "Th2 cells of the airways without IL2RA, and Treg whose number does not follow IL-2",
        lambda sample: sample.changed({BEARING: 0.0, TREG_GROWTH: 0.0}),
        breaks=("Th2_with_free_IL2RA", "Th2", "FEV1_gain", "exacerbations", "time_without_exacerbation", "Treg_left"),
    ),
    reported=dict.fromkeys(("Th_left", "IL2RA_free_at_end"), "dimensionless"),
    axes=("time (d)", "share of that at start"),
)
