"""The culture model as a prediction of antigen-driven IL-2 time courses.

A condition becomes a well of naive CD8 T cells of the mouse set. What the set does not give is assumed and stands in
the tables: volume, presenting cells, peptide that they present, help by CD28, doses of drugs. Nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from il2.cell.lanes import solve_wells
from il2.cell.medium import free
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.fit.antigen_data import drug_class
from il2.knowledge.quantity import quantity

if TYPE_CHECKING:
    import pandas

KIND, SPECIES, READ = "CD8_naive", "mouse", free("IL2")
VOLUME, PRESENTED, HALF = "peptide_culture_volume", "peptide_presented_highest", "peptide_presented_half_dose"
PRESENTING, HELP = "peptide_presenting_cells", "peptide_culture_costimulation"
ADDED = {
    "JAK inhibitor": ("JAK_inhibitor", "saturating_JAK_inhibitor"),
    "MEK inhibitor": ("MEK_inhibitor", "saturating_MEK_inhibitor"),
    "anti-IL-2": ("anti_IL2", "saturating_anti_IL2"),
}
"""Addition of a well and quantity of its dose, by class of drug."""
BLOCKS_ANTIGEN = "LCK inhibitor"
GIVEN = ("peptide_concentration_nM", "potency", "t_cell_number", "drug", "drug_addition_time_h")
NOTES = (
    "Assumed, since the set gives none: volume (shown over its range), presenting cells, peptide that they present "
    "(shown over its range), potencies of peptides, help by CD28, doses of drugs.",
    "The wells hold naive CD8 T cells alone; other cells among the splenocytes take no IL-2. An LCK inhibitor takes "
    "the antigen away. Read is free IL-2, also where an antibody neutralises it.",
)


def predictors() -> dict[str, Callable[[pandas.DataFrame], np.ndarray]]:
    """Predictions by name: rows of `antigen_data.answerable` to IL-2 in nM. The default set, and the same at both ends
    of the volume and of the peptide presented."""
    volume, presented = quantity(VOLUME), quantity(PRESENTED)
    return {
        "default set": predict,
        f"{volume.low:g} uL": partial(predict, volume_uL=volume.low),
        f"{volume.high:g} uL": partial(predict, volume_uL=volume.high),
        "little peptide presented": partial(predict, presented=presented.low),
        "much peptide presented": partial(predict, presented=presented.high),
    }


def predict(conditions: pandas.DataFrame, volume_uL: float | None = None, presented: float | None = None) -> np.ndarray:
    """IL-2 in nM (n,) for rows of `antigen_data.answerable`; NaN where the solver gave up.

    volume_uL, presented (peptide per presenting cell at the highest dose): by default those of the tables.
    """
    keys = list(conditions[list(GIVEN)].astype({"drug": object}).itertuples(index=False, name=None))
    keys = [tuple(None if value != value else value for value in key) for key in keys]
    place = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    times = np.unique(conditions["time_h"].to_numpy(float))
    wells = [well(dict(zip(GIVEN, key, strict=True)), volume_uL, presented) for key in place]
    courses = solve_wells(wells, times, [READ])
    table = np.array([np.nan if any(c.reasons) else 1.0 for c in courses])[:, None]
    table = table * np.array([c[READ][0] for c in courses])
    found = table[[place[key] for key in keys], np.searchsorted(times, conditions["time_h"].to_numpy(float))]
    return np.maximum(found, 0.0)


def well(condition: Mapping[str, object], volume_uL: float | None = None, presented: float | None = None) -> Well:
    """The well of a condition: fields `GIVEN`."""

    def number(name: str) -> float:
        return float(condition[name])  # type: ignore[arg-type]

    dose, time = number("peptide_concentration_nM"), condition["drug_addition_time_h"]
    highest = quantity(PRESENTED).value if presented is None else presented
    per_cell = highest * dose / (dose + quantity(HALF).value)
    antigen = [Antigen(quantity(PRESENTING).value * per_cell * number("potency"))]
    kind, additions = drug_class(str(condition["drug"])), []
    if kind == BLOCKS_ANTIGEN:
        antigen.append(Antigen(0.0, number("drug_addition_time_h")))
    elif kind:
        what, name = ADDED[kind]
        additions.append(Addition(what, quantity(name).value, 0.0 if time is None else number("drug_addition_time_h")))
    return Well(
        (Cells(KIND, number("t_cell_number")),),
        volume_uL=quantity(VOLUME).value if volume_uL is None else volume_uL,
        antigen=tuple(antigen),
        presenting_cells=quantity(PRESENTING).value,
        costimulation=quantity(HELP).value,
        additions=tuple(additions),
        species=SPECIES,
    )
