"""Donors and draws: what varies from person to person, and what is uncertain of the numbers of the model.

A donor has receptors and cell numbers of its own, lognormal around those of the typical donor. Receptors that
activation adds vary with those at rest. Each stream is keyed by (seed, name), so that a donor is the same whatever else
is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from il2.cell.ranges import culture_ranges
from il2.cell.spread import count_name
from il2.cell.well import Well, chains, traits
from il2.knowledge.cell import cell
from il2.knowledge.parameters import generator
from il2.knowledge.quantity import quantity
from il2.knowledge.species import species_values

ACTIVATED = {"IL2RA": "IL2RA_induced", "IL2RB": "IL2RB_made_activated", "IL2RG": "IL2RG_made_activated"}
LINE = "line"


def is_line(kind: str) -> bool:
    """Whether a kind is a cell line, which has no donors."""
    return cell(kind).lineage.endswith(LINE)


def factors(name: str, spread: str, donors: int, seed: int) -> np.ndarray:
    """Factors (1 + donors,) of a number over that of the typical donor, who comes first. spread: a quantity."""
    z = generator(seed, f"donor {name}").standard_normal(donors)
    return np.concatenate([np.ones(1), np.exp(quantity(spread).value * z)])


def receptor_variants(wells: Iterable[Well], donors: int, seed: int) -> dict[str, tuple[float, np.ndarray]]:
    """Default and factors (1 + donors,) of every receptor count and induced receptor, by the name of its range."""
    out: dict[str, tuple[float, np.ndarray]] = {}
    for well in wells:
        own = species_values(well.species)
        for kind in {cell(c.kind).name for c in well.cells if not is_line(c.kind)}:
            found = traits(kind)
            for chain in chains(well.molecules):
                name = count_name(kind, chain)
                spread = factors(name, "donor_receptor_spread", donors, seed)
                known = cell(kind).counts.get(chain)
                value = own[name].value if name in own else known.value if known else 0.0
                out[name] = (value, spread)
                if row := found.get(ACTIVATED.get(chain, "")):
                    induced = count_name(row["cell"], row["trait"])
                    like = factors(count_name(row["cell"], chain), "donor_receptor_spread", donors, seed)
                    out[induced] = (float(row["value"]), like)
    return out


def numbered(wells: Mapping[str, Well], donors: int, seed: int) -> tuple[dict[str, Well], dict[str, np.ndarray]]:
    """Wells whose numbers of cells vary by donor, and those numbers (1 + donors,) by the names that they got."""
    out, values = {}, {}
    for key, well in wells.items():
        cells = []
        for c in well.cells:
            if is_line(c.kind):
                cells.append(c)
                continue
            name = f"{key} {c.label} cells"
            values[name] = c.number * factors(f"{cell(c.kind).name} cells", "donor_number_spread", donors, seed)
            cells.append(replace(c, changes={**c.changes, "cells_at_start": name}))
        out[key] = replace(well, cells=tuple(cells))
    return out, values


def variants(
    wells: Mapping[str, Well],
    donors: int,
    draws: int,
    seed: int,
    genes: tuple[str, ...] = (),
    products: tuple[str, ...] = (),
) -> tuple[dict[str, Well], dict[str, np.ndarray]]:
    """Wells and values ((1 + draws) * (1 + donors),) by name for `solve_wells`: each draw with each donor.

    The first draw is the default set, and the first donor the typical one.
    """
    people, sets = 1 + donors, 1 + draws
    out: dict[str, np.ndarray] = {}
    if draws:
        for r in culture_ranges(wells.values(), genes, products):
            drawn = np.concatenate([[r.value], r.drawn(draws, seed)])
            out[r.name] = np.repeat(drawn, people)
    if not donors:
        return dict(wells), out
    for name, (value, spread) in receptor_variants(wells.values(), donors, seed).items():
        base = out.get(name, np.full(sets * people, value))
        out[name] = base * np.tile(spread, sets)
    several, numbers = numbered(wells, donors, seed)
    return several, out | {name: np.tile(values, sets) for name, values in numbers.items()}
