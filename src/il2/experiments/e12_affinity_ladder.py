"""E12: three affinities from three chains."""

from __future__ import annotations

import numpy as np

from il2.cell.spread import Range, count_ranges, network_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import bound, half_dose, inventory, normalised, ratio, signal
from il2.experiments.sample import Sample
from il2.receptor.head import head
from il2.receptor.membrane import SURFACE
from il2.receptor.model import receptor
from il2.receptor.molecule import Molecule
from il2.receptor.protocols import without_trafficking

CELL = "T_blast"
DOSES_nM = np.logspace(-5, 4, 28)
EQUILIBRIUM_min, STIMULUS_min = 1e6, 30.0
SETS = {
    "IL2RA alone": ("IL2RA",),
    "dimer IL2RB, IL2RG": ("IL2RB", "IL2RG"),
    "trimer": ("IL2RA", "IL2RB", "IL2RG"),
    "without IL2RB": ("IL2RA", "IL2RG"),
    "without IL2RG": ("IL2RA", "IL2RB"),
}
ALONE, DIMER, TRIMER, NO_B, NO_G = SETS


def run(sample: Sample) -> Outcome:
    everything = inventory(sample, CELL)
    cells = {name: {c: everything[c] for c in chains} for name, chains in SETS.items()}
    whole = {
        name: Molecule("IL2", (head("IL2"),)).species((frozenset(chains),), SURFACE) for name, chains in SETS.items()
    }
    still = sample.changed(without_trafficking(receptor("IL2")))
    curves = bound(still, cells, DOSES_nM, EQUILIBRIUM_min, whole)
    kd = {name: half_dose(DOSES_nM, curve) for name, curve in curves.items()}
    pstat5 = signal(sample, {name: cells[name] for name in (ALONE, DIMER, TRIMER)}, DOSES_nM, STIMULUS_min)
    without = np.minimum.reduce([kd[DIMER], kd[NO_B], kd[NO_G]])
    return Outcome(
        {
            "kd_IL2RA_nM": kd[ALONE],
            "kd_dimer_nM": kd[DIMER],
            "kd_trimer_nM": kd[TRIMER],
            "dimer_over_trimer": ratio(kd[DIMER], kd[TRIMER]),
            "IL2RA_over_dimer": ratio(kd[ALONE], kd[DIMER]),
            "kd_without_one_chain_nM": without,
            "pstat5_IL2RA_alone": pstat5[ALONE].max(axis=-1),
            "pstat5_dimer": pstat5[DIMER].max(axis=-1),
            "pstat5_trimer": pstat5[TRIMER].max(axis=-1),
            "kd_without_IL2RB_nM": kd[NO_B],
            "kd_without_IL2RG_nM": kd[NO_G],
        },
        {name: (DOSES_nM, normalised(curve)) for name, curve in curves.items()},
    )


def ranges() -> tuple[Range, ...]:
    return (*network_ranges("IL2"), *count_ranges(CELL, "IL2"))


EXPERIMENT = Experiment(
    id="E12",
    title="Receptor affinity ladder",
    question="Do three classes of affinity follow from three chains, and which of them signal?",
    claims={
        "S000-049": (
            "kd_IL2RA_nM", "kd_dimer_nM", "kd_trimer_nM", "dimer_over_trimer", "IL2RA_over_dimer",
            "pstat5_IL2RA_alone", "pstat5_dimer",
        ),
        "S000-050": ("kd_IL2RA_nM",),
        "S000-051": ("pstat5_IL2RA_alone",),
        "S000-052": ("kd_dimer_nM", "pstat5_dimer"),
        "S000-055": ("kd_trimer_nM", "dimer_over_trimer"),
        "S002-012": ("kd_trimer_nM", "kd_without_one_chain_nM"),
        "S003-007": ("kd_trimer_nM", "kd_without_one_chain_nM"),
    },
    setup="An activated T cell with all of its chains or some of them. Binding: uptake off, IL-2 held at each dose "
    "until equilibrium. Signal: uptake on, 30 min.",
    observable="Dose at which the complex that holds every chain of the set reaches half of its maximum; largest "
    "pSTAT5 over 10 fM to 10 uM.",
    criterion="IL2RA near 10 nM, dimer near 1 nM, trimer near 10 pM and at least 50 times tighter than the dimer; "
    "no high-affinity class without any one chain; no pSTAT5 through IL2RA alone.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "IL-2 that binds IL2RA 10 000 times more weakly: the ladder loses its top step",
        lambda sample: sample.changed({"IL2_factor_IL2RA": 1e4}),
        breaks=("kd_IL2RA_nM", "kd_trimer_nM", "dimer_over_trimer"),
    ),
    reported=dict.fromkeys(("kd_without_IL2RB_nM", "kd_without_IL2RG_nM"), "nM") | {"pstat5_trimer": "dimensionless"},
    axes=("IL-2 (nM)", "bound, fraction of maximum"),
)  # fmt: skip
