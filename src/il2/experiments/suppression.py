"""Suppression in a well: how many of the responders that grow alone do not with regulatory T cells beside them.

Treg without capture lack IL2RA and IL2RB and have STAT5 that signals without them, as in the mouse genetics that
parted capture of IL-2 from the STAT5-dependent functions of Treg.
"""

from __future__ import annotations

import numpy as np

from il2.cell.well import Addition, Antigen, Cells, Well
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.experiments.wells import grown

RESPONDERS = ("Th", "CD8")
RATIOS = (0.25, 0.5, 1.0)
CELLS, ANTIGEN, EXCESS_nM, READ_h = 1e5, 1e9, 10.0, 72.0
CAPTURE, CONSTITUTIVE = ("IL2RA", "IL2RB"), 0.3
ALONE, NO_CAPTURE, WITH_IL2 = "alone", "without capture", "with IL-2"


def wells(responder: str) -> dict[str, Well]:
    """A kind of responder alone, with Treg at each ratio, with Treg that do not capture, and both in excess IL-2."""
    most = CELLS * RATIOS[-1]
    excess = (Addition("IL2", EXCESS_nM),)
    others = {ALONE: Cells("Treg", 0.0)}
    others |= {f"{r:g}": Cells("Treg", CELLS * r) for r in RATIOS}
    others |= {NO_CAPTURE: Cells("Treg", most, without=CAPTURE, changes={"STAT5_constitutive": CONSTITUTIVE})}
    found = {name: _well(responder, treg) for name, treg in others.items()}
    return found | {
        f"{ALONE}, {WITH_IL2}": _well(responder, others[ALONE], excess),
        WITH_IL2: _well(responder, Cells("Treg", most), excess),
    }


def _well(responder: str, treg: Cells, additions: tuple[Addition, ...] = ()) -> Well:
    return Well(
        cells=(Cells(responder, CELLS), treg), antigen=(Antigen(ANTIGEN),), costimulation=1.0, additions=additions
    )  # fmt: skip


MEASURES = tuple(
    f"{what}_{r}"
    for r in RESPONDERS
    for what in ("suppression", "smallest_step", "left_with_IL2", "kept_without_capture")
)
WELLS = {(r, name): well for r in RESPONDERS for name, well in wells(r).items()}


def assay(sample: Sample) -> tuple[dict[str, np.ndarray], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Measurements (variants,) by name, and curves of suppression over the ratio of Treg to responders.

    suppression: at the highest ratio. smallest_step: least rise from one ratio to the next. left_with_IL2,
    kept_without_capture: suppression in excess IL-2, or by Treg that do not capture, over that of Treg.
    """
    found = grown(sample, {f"{r} {name}": w for (r, name), w in WELLS.items()}, np.array([0.0, READ_h]), ["cells"])
    values: dict[str, np.ndarray] = {}
    curves = {}
    for r in RESPONDERS:
        left = {name: found[f"{r} {name}"][f"{r}:cells"][:, -1] for who, name in WELLS if who == r}
        dose = np.stack([1 - left[f"{x:g}"] / left[ALONE] for x in RATIOS], axis=-1)
        excess = 1 - left[WITH_IL2] / left[f"{ALONE}, {WITH_IL2}"]
        values |= {
            f"suppression_{r}": dose[:, -1],
            f"smallest_step_{r}": np.diff(np.insert(dose, 0, 0.0, axis=-1), axis=-1).min(axis=-1),
            f"left_with_IL2_{r}": ratio(excess, dose[:, -1]),
            f"kept_without_capture_{r}": ratio(1 - left[NO_CAPTURE] / left[ALONE], dose[:, -1]),
        }
        curves[r] = (np.array(RATIOS), dose)
    return values, curves
