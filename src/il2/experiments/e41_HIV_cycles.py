"""E41: cycles of IL-2 raise CD4 T cells of people with HIV under therapy; nothing follows for their health."""

from __future__ import annotations

import numpy as np

from il2.cell.spread import Range, quantity_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.patients import Arm, followed, patient_ranges, person_grades
from il2.experiments.sample import Sample
from il2.patient import hiv
from il2.patient.notice import RESEARCH_USE
from il2.patient.outcome import UNLINKED, outcomes
from il2.patient.regimen_file import regimen

MODULES, UNTREATED = ("HIV",), "no_treatment"
CYCLE_d = 56.0
TRIALS = {"ESPRIT": 3, "SILCAAT": 6}  # cycles of the regimen


def run(sample: Sample) -> Outcome:
    arms = {}
    for trial, cycles in TRIALS.items():
        who, times = regimen_name(trial), CYCLE_d * np.arange(cycles + 1)
        start = {hiv.AT_START: sample[at_start(trial)]}
        arms[trial] = Arm(regimen(who), who, times, start)
        arms[alone(trial)] = Arm(regimen(UNTREATED), who, times, start)
    found = followed(sample, arms, (hiv.COUNT, hiv.LONG_LIVED), MODULES)
    gained = {trial: found[trial][hiv.COUNT] - found[alone(trial)][hiv.COUNT] for trial in TRIALS}
    linked = sum(any(word in f"{o.name} {o.index}".casefold() for word in UNLINKED) for o in outcomes().values())
    return Outcome(
        {f"CD4_gained_{trial}": value[:, 1:].mean(axis=-1) for trial, value in gained.items()}
        | {f"long_lived_{trial}": found[trial][hiv.LONG_LIVED][:, -1] for trial in TRIALS}
        | {"outcomes_linked": np.full(sample.size, float(linked))},
        {trial: (arms[trial].times_d, gained[trial]) for trial in TRIALS},
    )


def alone(trial: str) -> str:
    """Name of the arm without IL-2."""
    return f"{trial}, no IL-2"


def regimen_name(trial: str) -> str:
    """Name of the regimen of a trial, and of its typical person."""
    return f"HIV_{trial}"


def at_start(trial: str) -> str:
    return f"{hiv.AT_START}_{trial}"


def ranges() -> tuple[Range, ...]:
    given = (regimen(regimen_name(trial)) for trial in TRIALS)
    return (*patient_ranges(given, MODULES), *quantity_ranges(*map(at_start, TRIALS)))


EXPERIMENT = Experiment(
    id="E41",
    title="HIV + IL-2 cycles",
    question="Do cycles of IL-2 raise the CD4 count over antiretroviral therapy alone?",
    claims={"S000-088": ("CD4_gained_ESPRIT", "CD4_gained_SILCAAT", "outcomes_linked")},
    setup="Two typical persons with HIV under antiretroviral therapy, without IL-2 and with it: 7.5 MIU twice a day "
    "for 5 d, three cycles (ESPRIT), and 4.5 MIU, six cycles (SILCAAT), eight weeks apart. Calibration: how fast IL-2 "
    "makes long-lived cells was set on the 159 cells/uL of ESPRIT over years, with cycles throughout; SILCAAT set "
    f"nothing. No clinical outcome is linked to the count, and a link is refused. {RESEARCH_USE}",
    observable="CD4 cells of blood less those of the same person under antiretroviral therapy alone, mean of the "
    "readings at the end of each cycle of eight weeks; links from the count to an outcome.",
    criterion="At least 10 cells/uL are gained in both; no outcome is linked.",
    run=run,
    ranges=ranges,
    grades=lambda: person_grades(map(regimen_name, TRIALS)),
    ablation=Ablation(
        "Th that neither divide nor become long-lived under IL-2",
        lambda sample: sample.changed({hiv.MADE: 0.0, "Th_proliferation_highest": 0.0}),
        breaks=("CD4_gained_ESPRIT", "CD4_gained_SILCAAT"),
    ),
    reported=dict.fromkeys((f"long_lived_{trial}" for trial in TRIALS), "cell/uL"),
    axes=("time (d)", "CD4 cells gained (cell/uL)"),
)
