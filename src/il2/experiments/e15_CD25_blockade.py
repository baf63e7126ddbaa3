"""E15: antibodies against IL2RA take the high-affinity response away and leave the other."""

from __future__ import annotations

from functools import cache

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import Range, count_ranges, network_ranges
from il2.cell.well import Addition as Given
from il2.cell.well import Antigen, Cells, Well
from il2.experiments.divisions import DIVIDED, mean_divisions
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import Condition, bound, fold, half_dose, inventory, normalised, ratio, reaching, signal
from il2.experiments.sample import Sample
from il2.experiments.wells import grown
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
LOW_nM, BLASTS, HELPERS, PMHC = 0.01, 2e4, 5e4, 1e8
TIMES_h, DAY2, DAY3 = np.array([0.0, 48.0, 72.0]), 1, 2
GENES = ("IFNG", "IL4")


def _grown(*additions: Given) -> Well:
    """Blasts in little IL-2."""
    return Well((Cells("T_blast", BLASTS),), additions=(Given("IL2", LOW_nM), *additions))


def _stimulated(*additions: Given, without: tuple[str, ...] = ()) -> Well:
    """CD4 T cells with antigen and CD28, on the IL-2 that they make."""
    cells = (Cells("Th", HELPERS, without=without),)
    return Well(cells, antigen=(Antigen(PMHC),), costimulation=1.0, additions=additions)


WELLS = {"pM": _grown(), "own": _stimulated(), "none": _stimulated(without=("IL2",))}
WELLS |= {f"pM {name}": _grown(Given(name, SATURATING_nM)) for name in ANTIBODIES}
WELLS |= {f"own {name}": _stimulated(Given(name, SATURATING_nM)) for name in ANTIBODIES}


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
    values |= cultured(sample)
    values["basiliximab_over_daclizumab"] = ratio(values["shift_basiliximab"], values["shift_daclizumab"])
    return Outcome(values, curves)


def cultured(sample: Sample) -> dict[str, np.ndarray]:
    """Divisions at pM IL-2 and output of cytokines, with an antibody over without, and without IL-2."""
    wanted = (*DIVIDED, "cells", *(f"{gene}_mRNA" for gene in GENES))
    course = grown(sample, WELLS, TIMES_h, wanted, genes=GENES)
    divided = {label: mean_divisions(c, "T_blast")[:, DAY3] for label, c in course.items() if label.startswith("pM")}
    made = {
        (label, gene): c[f"Th:{gene}_mRNA"][:, DAY2] * c["Th:cells"][:, DAY2]
        for label, c in course.items()
        for gene in GENES
        if not label.startswith("pM")
    }
    values = {f"divisions_{name}": ratio(divided[f"pM {name}"], divided["pM"]) for name in ANTIBODIES}
    for gene in GENES:
        values[f"{gene}_without_IL2"] = ratio(made["none", gene], made["own", gene])
        for name in ANTIBODIES:
            values[f"{gene}_{name}"] = ratio(made[f"own {name}", gene], made["own", gene])
    return values


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
    counts = (r for name in CELLS for r in count_ranges(name, "IL2"))
    return (*culture_ranges(WELLS.values(), GENES), *networks, *counts)


EXPERIMENT = Experiment(
    id="E15",
    title="CD25 blockade",
    question="Do antibodies against IL2RA take away the answer to pM IL-2 and leave that to nM IL-2?",
    claims={
        "S003-021": ("IFNG_without_IL2", "IL4_without_IL2", "IFNG_daclizumab", "IL4_daclizumab"),
        "S003-035": ("occupancy_daclizumab",),
        "S003-038": ("occupancy_daclizumab", "shift_daclizumab", "fold_NK_daclizumab", "kept_84nM_daclizumab"),
        "S003-039": ("shift_daclizumab", "divisions_daclizumab"),
        "S003-040": ("IL4_daclizumab",),
        "S003-041": ("IFNG_daclizumab",),
        "S003-047": (
            "occupancy_basiliximab", "shift_basiliximab", "basiliximab_over_daclizumab", "divisions_basiliximab",
            "IFNG_basiliximab", "IL4_basiliximab",
        ),
    },
    setup="Activated T cells, Treg and NK cells, 60 min with an antibody of two arms held at up to 100 nM (about "
    "15 ug/mL, some hundred times its KD), then IL-2 with it for 30 min. Blasts for three days in 10 pM IL-2; "
    "CD4 T cells for two days with antigen, CD28 and the IL-2 that they make; each with and without 100 nM of an "
    "antibody, the latter also without the IL2 gene.",
    observable="Share of surface IL2RA that is no longer free, EC50 of pSTAT5 with the antibody over that without, and "
    "pSTAT5 with it over that without at 10 and 84 nM. Divisions per cell of the start that lives on; mRNA of IFNG and "
    "IL4 in all living cells.",
    criterion="Occupancy at least 95 %, EC50 of the activated T cell at least 10 times up, by both antibodies alike; "
    "NK no more than 1.5-fold changed, pSTAT5 at 84 nM as well. Divisions in 10 pM at most 20 %, cytokines at most 70 "
    "% with the antibody, and lower without IL-2.",
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
)  # fmt: skip
