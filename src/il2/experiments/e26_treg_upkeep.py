"""E26: regulatory T cells come, stay and work by IL-2, and hold effector T cells (cell part)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range
from il2.cell.treg import CTLA4, DEPLETION, FOXP3, KNOCKOUTS, MADE, MEMORY, NAIVE, SUPPRESSION, TREG, deaths
from il2.cell.treg_course import Turn, balance_ranges, follow
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.suppression import MEASURES, WELLS, assay

DAYS = np.array([0.0, 7, 14, 28, 84, 168, 252])
WEEKS_2, WEEKS_4, WEEKS_24, WEEKS_36 = 2, 3, 5, 6
SUPPLIES = (1.0, 0.5, 0.25, 0.0)
GONE_per_d = 2.0
PLANS = {f"IL-2 x{x:g}": (Turn({MADE: x}),) for x in SUPPLIES} | {
    "without Treg": (Turn({DEPLETION: GONE_per_d}),),
    "Treg come back": (Turn({DEPLETION: GONE_per_d}), Turn({DEPLETION: 0.0}, float(DAYS[WEEKS_24]))),
    **{f"without {gene}": (Turn(KNOCKOUTS[gene]),) for gene in ("IL2RA", "IL2RB")},
}
NORMAL, OFF = "IL-2 x1", "IL-2 x0"
TISSUE = "niches of IL-2, inflammation and disease in a tissue"

CLAIMS = {
    "S000-025": ("Treg_over_Teff_step", "suppression_step", "Teff_step"),
    "S000-036": ("new_Treg_without_IL2",),
    "S000-037": ("Treg_after_2_weeks", "Tconv_after_2_weeks"),
    "S000-038": ("suppression_per_Treg", "FOXP3_per_Treg"),
    "S000-041": ("Th_without_Treg", "Teff_after_depletion", "Teff_after_return"),
    "S001-098": ("suppression_per_Treg",),
    "S001-138": ("Th_without_Treg", "Teff_after_depletion"),
    "S003-023": ("new_Treg_without_IL2",),
    "S003-024": ("Treg_death_rate_fold",),
}


def run(sample: Sample) -> Outcome:
    wanted = (TREG, MEMORY, NAIVE, CTLA4, FOXP3, SUPPRESSION, "Treg_output", deaths(TREG))
    found = follow(PLANS, DAYS, wanted, sample.values)
    assayed, _ = assay(sample)

    def changed(plan: str, name: str, k: int) -> np.ndarray:
        return ratio(found[plan][name][:, k], found[NORMAL][name][:, k])

    series = [found[f"IL-2 x{x:g}"] for x in SUPPLIES]
    balance = [ratio(s[TREG][:, WEEKS_4], s[MEMORY][:, WEEKS_4]) for s in series]
    held = [s[TREG][:, WEEKS_4] * s[CTLA4][:, WEEKS_4] for s in series]
    freed = [s[MEMORY][:, WEEKS_4] for s in series]
    others = np.minimum(changed(OFF, MEMORY, WEEKS_2), changed(OFF, NAIVE, WEEKS_2))
    return Outcome(
        {
            "Treg_over_Teff_step": _steps(balance).max(axis=0),
            "suppression_step": _steps(held).max(axis=0),
            "Teff_step": _steps(freed).min(axis=0),
            "new_Treg_without_IL2": changed(OFF, "Treg_output", WEEKS_2),
            "Treg_after_2_weeks": changed(OFF, TREG, WEEKS_2),
            "Tconv_after_2_weeks": others,
            "suppression_per_Treg": changed(OFF, SUPPRESSION, WEEKS_2),
            "FOXP3_per_Treg": changed(OFF, FOXP3, WEEKS_2),
            "Treg_death_rate_fold": changed(OFF, deaths(TREG), WEEKS_2),
            "Th_without_Treg": 1 / (1 - assayed["suppression_Th"]),
            "Teff_after_depletion": changed("without Treg", MEMORY, WEEKS_24),
            "Teff_after_return": ratio(
                found["Treg come back"][MEMORY][:, WEEKS_36], found["without Treg"][MEMORY][:, WEEKS_36]
            ),
            "Treg_without_IL2RA": changed("without IL2RA", TREG, WEEKS_24),
            "Treg_without_IL2RB": changed("without IL2RB", TREG, WEEKS_24),
        }
        | assayed,
        {plan: (DAYS, found[plan][TREG]) for plan in (OFF, "without IL2RA", "without IL2RB")}
        | {f"Teff, {plan}": (DAYS, found[plan][MEMORY]) for plan in (OFF, "without Treg", "Treg come back")},
    )


def _steps(values: list[np.ndarray]) -> np.ndarray:
    """What each is of the one before it, (steps, variants)."""
    return np.stack([ratio(b, a) for a, b in pairwise(values)])


def ranges() -> tuple[Range, ...]:
    found = {r.name: r for r in (*culture_ranges(WELLS.values()), *balance_ranges())}
    return tuple(found.values())


EXPERIMENT = Experiment(
    id="E26",
    title="Treg development, upkeep, function",
    question="Do regulatory T cells need IL-2 to come, to stay and to work, and do they hold effector T cells?",
    claims=CLAIMS,
    setup="The long-term balance of Treg in a lymph node, where conventional cells make IL-2 and Treg take it up: the "
    "making of IL-2 at 1, 0.5, 0.25 and 0 of normal, Treg depleted, or depleted for 24 weeks and left to come back. "
    "In wells: 100 000 responders with antigen and CD28 for 72 h, alone and with Treg.",
    observable="Treg, what they suppress, their output and death, and memory and effector CD4 T cells (Teff) over "
    "those of the normal state; responders without Treg over those with as many Treg.",
    criterion="Without IL-2 at most half of the output at once and of the number in 2 weeks, other CD4 T cells spared; "
    "suppression per Treg and FOXP3 down, death up; steps of IL-2 supply have one sign; without Treg at least 1.5 "
    "times the Teff though IL-2 is there, and fewer again when Treg come back. Not built: the tissue part.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "Treg that come, live and divide without IL-2, and do not hold CD28 help down",
        lambda sample: sample.changed(
            {
                "Treg_development_without_IL2": 1.0,
                "Treg_division_by_IL2_share": 0.0,
                "Treg_survival_EC50": 1e4,
                "Treg_contact_suppression": 0.0,
            }
        ),
        breaks=("new_Treg_without_IL2", "Treg_after_2_weeks", "Teff_after_depletion"),
    ),
    reported=dict.fromkeys(("Treg_without_IL2RA", "Treg_without_IL2RB", *MEASURES), "dimensionless"),
    axes=("time (d)", "cells, share of normal"),
    not_built=dict.fromkeys(CLAIMS, TISSUE),
)
