"""T cells of a person in culture with a mitogen, and how labelled thymidine tells their divisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from il2.cell.cohort import named
from il2.cell.lanes import solve_wells
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.knowledge.quantity import quantity

BIRTHS = "births"


def mitogen_well(
    kind: str, cells: float, mitogen: float, *, without: Sequence[str] = (), IL2_nM: float = 0.0, **given
) -> Well:
    """T cells with a mitogen, which lasts longer than an antigen, and help for each cell. mitogen: ligands (molecules);
    without: genes knocked out; given: what else `Well` takes."""
    return Well(
        (Cells(kind, cells, without=tuple(without)),), antigen=(Antigen(mitogen),), presenting_cells=cells,
        costimulation=1.0, additions=(Addition("IL2", IL2_nM),),
        changes={"antigen_loss": quantity("mitogen_loss").value}, **given,
    )  # fmt: skip


def division_rates(
    wells: Mapping[str, Well], times_h: np.ndarray, values: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Divisions per h (variants, times) of all cells of each well at `times_h` (times,), rising from 0."""
    found = solve_wells(list(wells.values()), times_h, (BIRTHS, "cells"), variants=values)
    hour = quantity("minutes_per_hour").value
    return {
        label: hour * np.sum([course[named(c.label, BIRTHS)] * course[named(c.label, "cells")] for c in well.cells], 0)
        for (label, well), course in zip(wells.items(), found, strict=True)
    }


def pulse(rates: np.ndarray, times_h: np.ndarray, start_h: float) -> np.ndarray:
    """Divisions (variants,) from `start_h`, one of `times_h`, to the last time: what labelled thymidine counts."""
    kept = times_h >= start_h
    found: np.ndarray = np.trapezoid(rates[:, kept], times_h[kept], axis=-1)
    return found
