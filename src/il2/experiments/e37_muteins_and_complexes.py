"""E37: muteins and antibody complexes of IL-2 move the balance between Treg and NK cells (cells and patients)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from il2.cell.spread import Range, count_ranges, network_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import Condition, half_dose, inventory, ratio, reaching, setting, signal
from il2.experiments.mutein_patients import AMOUNT, PER_WEIGHT, REPORTED, patients, patients_ranges
from il2.experiments.sample import Sample
from il2.patient.notice import RESEARCH_USE
from il2.receptor.addition import Addition, Mixture, mixture
from il2.receptor.head import factor, partner_row
from il2.receptor.ligand import ligand
from il2.receptor.model import dose

CELLS, SHOWN = ("Treg", "NK", "T_blast"), ("Treg", "NK")
LOW_nM = 0.038
DOSES_nM = np.sort(np.append(np.logspace(-4, 3, 22), LOW_nM))
STIMULUS_min = 30.0
MUTEINS = {"weak_IL2RB": "IL2RB", "weak_IL2RA": "IL2RA"}
WEAKENED, PARTLY = "weakening", 10.0
COMPLEXES = ("JES6_1", "S4B6")
CONTROL = "anti_IL2"  # covers every interface of IL-2: no bias; here with the KD of JES6-1
ARMS_PER_IL2, OTHER_RATIOS, CONSTANT_nM = 10.0, (1.0, 100.0), 1000.0
COMPLEX_LIFE, CUT = "IL2_antibody_complex_half_life", 0.01


@cache
def complex_with(partner: str) -> Mixture:
    """IL-2 of which every molecule is held by an arm beforehand, in antibody that a condition sets."""
    return mixture(replace(ligand("IL2"), complexed=partner), [Addition(partner, 0.0)])


def run(sample: Sample) -> Outcome:
    names = [r.name for r in cell_ranges()]
    _, first, place = np.unique(
        np.stack([sample[n] for n in names], axis=-1), axis=0, return_index=True, return_inverse=True
    )
    place = place.ravel()
    found = on_cells(sample.chosen(first))
    values = {name: np.asarray(v)[place] for name, v in found.values.items()}
    return Outcome(values | patients(sample), {label: (x, y[place]) for label, (x, y) in found.curves.items()})


def on_cells(sample: Sample) -> Outcome:
    """What muteins and complexes do to the pSTAT5 of single cells."""
    cells = {name: inventory(sample, name) for name in CELLS}
    free = signal(sample, cells, DOSES_nM, STIMULUS_min)
    wild = _reached(free, free)
    values = {
        "index_IL2": ratio(wild["NK"], wild["Treg"]),
        "ec50_index_IL2": _ec50_index(free),
        "low_dose_index_IL2": _low_dose_index(free),
    }
    top = {name: curve.max(axis=-1, keepdims=True) for name, curve in free.items()}
    shown = {f"{name}, IL-2": (DOSES_nM, free[name] / top[name]) for name in SHOWN}
    pair = {cell: cells[cell] for cell in SHOWN}
    for name, chain in MUTEINS.items():
        partly, curves = (_curves(sample, pair, {factor("IL2", chain): x}) for x in (PARTLY, sample[WEAKENED]))
        values |= {
            f"shift_{name}": _shift(_reached(curves, free), wild),
            f"shift_{name}_{PARTLY:g}x": _shift(_reached(partly, free), wild),
            f"ec50_shift_{name}": ratio(_ec50_index(curves), values["ec50_index_IL2"]),
            f"low_dose_shift_{name}": ratio(_low_dose_index(curves), values["low_dose_index_IL2"]),
            f"Treg_maximum_{name}": ratio(curves["Treg"].max(axis=-1), free["Treg"].max(axis=-1)),
        }
        shown |= {f"{cell}, {name}": (DOSES_nM, curves[cell] / top[cell]) for cell in SHOWN}
    for name in (*COMPLEXES, CONTROL):
        mix = complex_with(name)
        as_held: Condition = {f"KD_{CONTROL}": sample[f"KD_{COMPLEXES[0]}"]} if name == CONTROL else {}
        amounts = {_label(name, arms): _antibody(name, arms) for arms in (ARMS_PER_IL2, *OTHER_RATIOS)}
        amounts[f"{name}_{CONSTANT_nM:g}nM"] = np.array(CONSTANT_nM)
        for label, amount in amounts.items():
            chosen = cells if label == name else pair
            curves = _curves(sample, chosen, {**as_held, dose(name): amount}, mix)
            values[f"shift_{label}"] = _shift(_reached(curves, free), wild)
            if label == name:
                most = {cell: ratio(curves[cell].max(axis=-1), free[cell].max(axis=-1)) for cell in CELLS}
                values |= {f"{cell}_maximum_{name}": share for cell, share in most.items()}
                shown |= {f"{cell}, {name}": (DOSES_nM, curves[cell] / top[cell]) for cell in SHOWN if name != CONTROL}
    return Outcome(values, shown)


def _label(name: str, arms: float) -> str:
    return name if arms == ARMS_PER_IL2 else f"{name}_{arms:g}_arms"


def _reached(curves: dict[str, np.ndarray], free: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Dose at which each cell reaches half of what free wild-type IL-2 brings it to at most."""
    return {name: reaching(DOSES_nM, curves[name], free[name].max(axis=-1) / 2) for name in SHOWN}


def _shift(reached: dict[str, np.ndarray], wild: dict[str, np.ndarray]) -> np.ndarray:
    """Index over that of wild type; 1 where neither cell answers, since nothing is targeted then."""
    silent = np.isinf(reached["NK"]) & np.isinf(reached["Treg"])
    found = ratio(ratio(reached["NK"], reached["Treg"]), ratio(wild["NK"], wild["Treg"]))
    return np.where(silent, 1.0, found)


def _curves(sample: Sample, cells: dict, more: Condition, mix: Mixture | str = "IL2") -> dict[str, np.ndarray]:
    return signal(sample, {name: {**counts, **more} for name, counts in cells.items()}, DOSES_nM, STIMULUS_min, mix)


def _antibody(partner: str, arms_per_IL2: float) -> np.ndarray:
    """Antibody (nM) beside the arms that hold IL-2, mixed with it at one ratio and diluted together."""
    held: np.ndarray = (arms_per_IL2 - 1) / float(partner_row(partner)["arms"]) * DOSES_nM
    return held[None, :]


def _ec50_index(curves: dict[str, np.ndarray]) -> np.ndarray:
    """EC50 of NK over that of Treg, each at half of its own maximum."""
    return ratio(half_dose(DOSES_nM, curves["NK"]), half_dose(DOSES_nM, curves["Treg"]))


def _low_dose_index(curves: dict[str, np.ndarray]) -> np.ndarray:
    """pSTAT5 of Treg over that of NK at the low dose."""
    k = int(np.flatnonzero(DOSES_nM == LOW_nM)[0])
    return ratio(curves["Treg"][:, k], curves["NK"][:, k])


def ranges() -> tuple[Range, ...]:
    return (*cell_ranges(), *patients_ranges())


def cell_ranges() -> tuple[Range, ...]:
    networks = (r for name in COMPLEXES for r in network_ranges(complex_with(name).system))
    counts = (r for name in CELLS for r in count_ranges(name, "IL2"))
    return (*networks, *counts, setting(WEAKENED, 100.0))


def unbiased(sample: Sample) -> Sample:
    """Muteins that bind like wild type, and antibodies that hold nothing and do not last."""
    weak = {f"KD_{name}": 1e6 * sample[f"KD_{name}"] for name in COMPLEXES}
    return sample.changed(weak | {WEAKENED: 1.0, COMPLEX_LIFE: CUT * sample[COMPLEX_LIFE]})


LASTING = tuple(f"half_life_{name}" for name in COMPLEXES)
IN_PATIENTS = (*LASTING, *(f"{what}_{name}" for name in COMPLEXES for what in ("patient_bias", "window")))
TESTED = (*(f"shift_{name}" for name in MUTEINS), *(f"shift_{name}" for name in COMPLEXES))

EXPERIMENT = Experiment(
    id="E37",
    title="Muteins and IL-2 complexes",
    question="Do altered contacts and antibodies that hold IL-2 move the balance between Treg and NK cells?",
    claims={
        "S000-096": ("shift_weak_IL2RB", "shift_weak_IL2RA"),
        "S000-097": ("shift_JES6_1", "shift_S4B6", *IN_PATIENTS),
    },
    setup="Treg, NK and activated T cells, 30 min with IL-2, with IL-2 whose contact to IL2RB or IL2RA is 100 times "
    "weaker, or with IL-2 held by JES6-1 or S4B6, mixed at 10 arms for each IL-2 and diluted together. Both "
    "antibodies, against mouse IL-2, are taken over for human IL-2 with assumed constants. Beside them other ratios, a "
    "constant 1 uM, and as a control an antibody without bias: the KD of JES6-1, every contact of IL-2 covered. "
    f"Mice that get {AMOUNT} of IL-2, free or held, once into the vein or on three days under the skin; mice and "
    f"healthy adults that get {PER_WEIGHT} of IL-2 on Fc or of a mutein with a weaker contact to IL2RB. The index of "
    f"leak counts held IL-2 as if it bound IL2RA like free. {RESEARCH_USE}",
    observable="Selectivity: the dose at which NK reach half of what free wild-type IL-2 brings them to at most, over "
    "the same for Treg; its shift against free wild-type IL-2. In mice, held over free IL-2: terminal half-life; "
    "pSTAT5 of Treg over that of NK; efficacy over harm, rise of Treg over rise of NK (JES6-1), rise of CD8 T cells "
    "over capillary leak (S4B6). Measured beside them, mutein over wild type on Fc: Treg summed over 21 d, share taken "
    "up by receptors, exposure.",
    criterion="Up at least 5 times with the weaker contact to IL2RB and with JES6-1, down at least 5 times with that "
    "to IL2RA and with S4B6. In mice half-lives at least 2 times, bias to Treg with JES6-1 and to NK with S4B6, and "
    "more efficacy for the harm with both.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "muteins with the contacts of wild type and antibodies that hold nothing and do not last: every shift "
        "vanishes, and no half-life is longer",
        unbiased,
        breaks=(*TESTED, *LASTING),
    ),
    reported=dict.fromkeys(("index_IL2", "ec50_index_IL2", "low_dose_index_IL2"), "dimensionless")
    | {
        f"{what}_{name}{more}": "dimensionless"
        for name in MUTEINS
        for what, more in (
            ("shift", f"_{PARTLY:g}x"), ("ec50_shift", ""), ("low_dose_shift", ""), ("Treg_maximum", ""),
        )
    }
    | {
        what: "dimensionless"
        for name in (*COMPLEXES, CONTROL)
        for what in (
            *(f"{cell}_maximum_{name}" for cell in CELLS),
            *(f"shift_{_label(name, arms)}" for arms in OTHER_RATIOS),
            f"shift_{name}_{CONSTANT_nM:g}nM",
        )
    }
    | dict.fromkeys((f"shift_{CONTROL}", *REPORTED), "dimensionless"),
    axes=("IL-2 (nM)", "pSTAT5 at 30 min, share of the maximum with free IL-2"),
)  # fmt: skip
