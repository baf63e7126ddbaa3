"""Readouts of a culture: what is read of a well, what follows from it, and in what units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from il2.cell.cohort import PRODUCTS, named
from il2.cell.lanes import Courses, receptors
from il2.cell.medium import ANTIGEN, free
from il2.cell.population import GENERATIONS
from il2.cell.well import CYTOKINES, Well
from il2.knowledge.quantity import quantity
from il2.receptor.membrane import SURFACE, at

MEDIUM = ("time_h",)
BALANCE = "_balance_error"
RELATIVE = "relative, 1 is the most that the pathway gives"
COHORT = {
    "cells": ("cells", "cell", "living cells per well"),
    "dead": ("dead", "cell", "cells that have died, per well"),
    "pstat5": ("pstat5", "fraction of STAT5", "phosphorylated STAT5"),
    "active_surface": ("active_complexes", "molecule/cell", "active receptor complexes on the surface"),
    "IL2_secretion": ("IL2_secretion", "molecule/(cell*min)", "secretion of IL-2"),
    "TCR_signal": ("TCR_signal", RELATIVE, "signal of the T cell receptor"),
    "pAKT": ("pAKT", RELATIVE, "phosphorylated AKT"),
    "MTOR_activity": ("MTOR_activity", RELATIVE, "activity of mTOR"),
    "pERK": ("pERK", RELATIVE, "phosphorylated ERK"),
    "calcium": ("calcium", RELATIVE, "calcium"),
    "IL2_mRNA": ("IL2_mRNA", "molecule/cell", "mRNA of IL2"),
}
"""What is read of each cohort: name in the network -> variable, unit, long name."""

FOLLOWS = {
    "divisions": ("1", "mean number of divisions of living cells"),
    "division_index": ("1", "mean number of divisions of the cells that living cells stem from"),
    "dye": ("1", "mean dye of living cells over that of undivided ones"),
    "cells_by_generation": ("cell", "living cells per well by divisions done"),
    "fold": ("1", "living cells over those at the start"),
}
DIMS: dict[str, tuple[str, ...]] = {
    "cells_by_generation": ("time_h", "cohort", "generation"),
    **{f"{c}{BALANCE}": () for c in CYTOKINES},
}


def wanted_names(well: Well, genes: Sequence[str], products: Sequence[str]) -> tuple[str, ...]:
    """Names that `solve_wells` is asked for."""
    cytokines = _cytokines(well)
    out = [ANTIGEN, *(free(c) for c in cytokines), *(n for c in cytokines for n in balance_names(c))]
    out += [*COHORT, *(f"generation_{g}" for g in range(GENERATIONS + 1)), *PRODUCTS, *products]
    out += [f"{gene}_mRNA" for gene in genes]
    out += [name for forms in _surface(well).values() for name in forms]
    return tuple(dict.fromkeys(out))


def balance_names(cytokine: str) -> tuple[str, str]:
    return f"{cytokine}_found", f"{cytokine}_brought"


def derived(
    well: Well, found: Courses, genes: Sequence[str], products: Sequence[str]
) -> dict[tuple[str, str], np.ndarray]:
    """Arrays (lanes, ...) by variable and cohort; the cohort of the medium is empty."""
    out = {("antigen_molecules", ""): found[ANTIGEN]}
    for c in _cytokines(well):
        out[f"{c}_nM", ""] = found[free(c)]
        there, brought = (found[name] for name in balance_names(c))
        most = brought.max(axis=1)
        missed = np.abs(there - brought).max(axis=1)
        out[f"{c}{BALANCE}", ""] = np.divide(missed, most, out=np.where(np.isnan(most), np.nan, 0.0), where=most > 0)
    surface = _surface(well)
    generation = np.arange(GENERATIONS + 1)
    for label in (c.label for c in well.cells):
        out |= {(name, label): found[named(label, read)] for read, (name, *_) in COHORT.items()}
        out |= {(name, label): found[named(label, name)] for name in dict.fromkeys((*PRODUCTS, *products))}
        out |= {(f"{gene}_mRNA", label): found[named(label, f"{gene}_mRNA")] for gene in genes}
        for chain, forms in surface.items():
            each = [n * found[named(label, name)] for name, n in forms.items()]
            out[f"{chain}_per_cell", label] = np.sum(each, axis=0)
        cells = np.stack([found[named(label, f"generation_{g}")] for g in generation], axis=-1)
        stems = cells / 2.0**generation
        out["cells_by_generation", label] = cells
        out["divisions", label] = _mean(cells, generation)
        out["division_index", label] = _mean(stems, generation)
        out["dye", label] = _mean(cells, 1 / 2.0**generation)
        living = out["cells", label]
        start = living[:, :1]
        out["fold", label] = np.divide(living, start, out=np.full_like(living, np.nan), where=start > 0)
    return out


def _mean(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean over the last axis, NaN where there are no cells."""
    total = weights.sum(axis=-1)
    return np.divide((weights * values).sum(axis=-1), total, out=np.full_like(total, np.nan), where=total > 0)


def attributes(name: str) -> dict[str, str]:
    """Unit and long name of a variable."""
    known = {variable: (unit, long) for variable, unit, long in COHORT.values()} | FOLLOWS
    if name in known:
        unit, long = known[name]
    elif name.endswith(BALANCE):
        unit, long = "1", f"largest share of {name.removesuffix(BALANCE)} that the mass balance misses"
    elif name.endswith("_nM"):
        unit, long = "nM", f"free {name.removesuffix('_nM')} in the medium"
    elif name.endswith("_per_cell"):
        unit, long = "molecule/cell", f"{name.removesuffix('_per_cell')} on the surface, free and bound"
    elif name == "antigen_molecules":
        unit, long = "molecule", "antigen in the well"
    elif name.endswith("_mRNA"):
        unit, long = "molecule/cell", f"mRNA of {name.removesuffix('_mRNA')}"
    else:
        unit, long = "relative, semi-quantitative", f"product {name}"
    return {"units": unit, "long_name": long}


def notes_after(
    wells: Mapping[str, Well],
    typical: Callable[[str, str, str], np.ndarray],
    reasons: Mapping[str, Sequence[str]],
) -> list[str]:
    """Warnings that the courses give rise to: lanes that failed, crowded wells, cells beyond the last generation."""
    out = []
    most = quantity("culture_density_highest")
    crowded: dict[str, float] = {}
    last: dict[str, None] = {}
    for key, well in wells.items():
        if failed := [r for r in reasons[key] if r]:
            out.append(f"{key}: {len(failed)} of {len(reasons[key])} cultures failed: {failed[0]}")
        numbers = {c.label: typical("cells", key, c.label) for c in well.cells}
        total = np.sum(list(numbers.values()), axis=0)
        per_mL = 1000 * np.max(total, initial=0) / well.volume_uL
        if per_mL > most.value:
            crowded[key] = per_mL
        for label in numbers:
            old = typical("cells_by_generation", key, label)
            if (100 * old[:, -1] > total).any():
                last[label] = None
    if crowded:
        worst = max(crowded, key=crowded.__getitem__)
        out.append(
            f"{_few(list(crowded))} reach more than {most.value:.3g} {most.unit} ({worst}: {crowded[worst]:.2g}), more "
            "than medium feeds; the model has no nutrients"
        )
    if last:
        out.append(f"cells of {', '.join(last)} reach generation {GENERATIONS}, the last that divides no more")
    return out


def _few(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _cytokines(well: Well) -> list[str]:
    return [m for m in well.molecules if m in CYTOKINES]


def _surface(well: Well) -> dict[str, dict[str, int]]:
    """Species on the surface that hold a chain, and how many of it each, by chain."""
    of = receptors(well.molecules)
    out: dict[str, dict[str, int]] = {c: {at(c, SURFACE): 1} for c in of.chains}
    for m in of.molecules:
        for form in m.on_membrane:
            for chain, n in m.contents(form).items():
                out[chain][m.species(form, SURFACE)] = n
    return out
