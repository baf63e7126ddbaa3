"""E15: antibodies against IL2RA take the high-affinity response away and leave the other (receptor part)."""

from __future__ import annotations

from functools import cache

import numpy as np

from il2.cell.spread import Range, count_ranges, network_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import Condition, bound, fold, half_dose, inventory, normalised, ratio, reaching, signal
from il2.experiments.sample import Sample
from il2.receptor.addition import Addition, Mixture, mixture
from il2.receptor.head import factor
from il2.receptor.ligand import ligand
from il2.receptor.membrane import SURFACE, at
from il2.receptor.model import dose

ANTIBODIES = ("daclizumab", "basiliximab")
CELLS = ("T_blast", "Treg", "NK")
TARGET = "IL2RA"
DOSES_nM = np.append(np.logspace(-4, 3, 29), 84.0)
DOSES_nM.sort()
ANTIBODY_nM = np.logspace(-3, 2, 21)
SATURATING_nM, LOWER_nM, KEPT_nM = 100.0, (1.0, 10.0), (10.0, 84.0)
BEFORE_min, STIMULUS_min = 60.0, 30.0
GAPS = {
    "S003-039": "divisions at pM IL-2",
    "S003-021": "output of Th1 and Th2 cytokines",
    "S003-040": "output of Th2 cytokines",
    "S003-041": "output of Th1 cytokines",
}


@cache
def with_antibody(name: str) -> Mixture:
    """IL-2 with an antibody whose amount a condition sets."""
    return mixture(ligand("IL2"), [Addition(name, 0.0)])


def run(sample: Sample) -> Outcome:
    cells: dict[str, Condition] = {name: inventory(sample, name) for name in CELLS}
    free = signal(sample, cells | {f"without {TARGET}": {**cells["T_blast"], TARGET: 0.0}}, DOSES_nM, STIMULUS_min)
    ec50 = {name: half_dose(DOSES_nM, curve) for name, curve in free.items()}
    values: dict[str, np.ndarray] = {"ec50_T_blast_nM": ec50["T_blast"]}
    curves = {name: (DOSES_nM, normalised(free[name])) for name in ("T_blast", "NK")}
    for name in ANTIBODIES:
        mix = with_antibody(name)
        shares = occupancy(sample, cells["T_blast"], name)
        values[f"occupancy_{name}"] = shares[:, -1]
        values[f"half_occupancy_{name}_nM"] = reaching(ANTIBODY_nM, shares, np.full(sample.size, 0.5))
        given: dict[str, Condition] = {cell: {**cells[cell], dose(name): SATURATING_nM} for cell in CELLS}
        given |= {f"{low:g} nM": {**cells["T_blast"], dose(name): low} for low in LOWER_nM}
        blocked = signal(sample, given, DOSES_nM, STIMULUS_min, mix, BEFORE_min)
        half = {key: half_dose(DOSES_nM, curve) for key, curve in blocked.items()}
        values |= {
            f"shift_{name}": ratio(half["T_blast"], ec50["T_blast"]),
            f"shift_{name}_Treg": ratio(half["Treg"], ec50["Treg"]),
            f"fold_NK_{name}": fold(half["NK"], ec50["NK"]),
            f"blocked_over_without_IL2RA_{name}": ratio(half["T_blast"], ec50[f"without {TARGET}"]),
        }
        values |= {f"shift_{name}_{low:g}nM": ratio(half[f"{low:g} nM"], ec50["T_blast"]) for low in LOWER_nM}
        for at_nM in KEPT_nM:
            k = int(np.flatnonzero(np.isclose(DOSES_nM, at_nM))[0])
            values[f"kept_{at_nM:g}nM_{name}"] = ratio(blocked["T_blast"][:, k], free["T_blast"][:, k])
        curves |= {f"{cell}, {name}": (DOSES_nM, normalised(blocked[cell])) for cell in ("T_blast", "NK")}
    values["basiliximab_over_daclizumab"] = ratio(values["shift_basiliximab"], values["shift_daclizumab"])
    return Outcome(values, curves)


def occupancy(sample: Sample, counts: Condition, name: str) -> np.ndarray:
    """Share of surface IL2RA that is no longer free after the pre-treatment, per dose of the antibody."""
    titrated = {**counts, dose(name): np.append(0.0, ANTIBODY_nM)[None, :]}
    nothing = np.zeros(len(ANTIBODY_nM) + 1)
    (unbound,) = bound(
        sample, {"": titrated}, nothing, BEFORE_min, {"": at(TARGET, SURFACE)}, with_antibody(name)
    ).values()  # fmt: skip
    shares: np.ndarray = 1 - unbound[:, 1:] / unbound[:, :1]
    return shares


def ranges() -> tuple[Range, ...]:
    networks = (r for name in ANTIBODIES for r in network_ranges(with_antibody(name).system))
    return (*networks, *(r for name in CELLS for r in count_ranges(name, "IL2")))


EXPERIMENT = Experiment(
    id="E15",
    title="CD25 blockade",
    question="Do antibodies against IL2RA take away the answer to pM IL-2 and leave that to nM IL-2?",
    claims={
        "S003-021": (),
        "S003-035": ("occupancy_daclizumab",),
        "S003-038": ("occupancy_daclizumab", "shift_daclizumab", "fold_NK_daclizumab", "kept_84nM_daclizumab"),
        "S003-039": ("shift_daclizumab",),
        "S003-040": (),
        "S003-041": (),
        "S003-047": ("occupancy_basiliximab", "shift_basiliximab", "basiliximab_over_daclizumab"),
    },
    setup="Activated T cells, Treg and NK cells, 60 min with an antibody of two arms held at up to 100 nM (about "
    "15 ug/mL, some hundred times its KD), then IL-2 with it for 30 min.",
    observable="Share of surface IL2RA that is no longer free, EC50 of pSTAT5 with the antibody over that without, and "
    "pSTAT5 with it over that without at 10 and 84 nM.",
    criterion="Occupancy at least 95 %, EC50 of the activated T cell at least 10 times up, by both antibodies alike; "
    "NK no more than 1.5-fold changed, pSTAT5 at 84 nM as well. Not built: divisions, Th1 and Th2 cytokines.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "antibodies that bind IL2RA 10 000 times more weakly: occupancy and shift vanish",
        lambda sample: sample.changed({factor(name, TARGET): 1e4 for name in ANTIBODIES}),
        breaks=("occupancy_daclizumab", "occupancy_basiliximab", "shift_daclizumab", "shift_basiliximab"),
    ),
    reported={"ec50_T_blast_nM": "nM"}
    | {f"half_occupancy_{name}_nM": "nM" for name in ANTIBODIES}
    | {
        text.format(name): "dimensionless"
        for name in ANTIBODIES
        for text in (
            "shift_{}_Treg", "shift_{}_1nM", "shift_{}_10nM", "kept_10nM_{}", "blocked_over_without_IL2RA_{}",
        )
    },
    axes=("IL-2 (nM)", "pSTAT5 at 30 min, fraction of maximum"),
    not_built=GAPS,
)  # fmt: skip
