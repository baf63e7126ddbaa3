"""Every number of a culture that has a range: quantities, affinities, counts, traits, promoters and products."""

from __future__ import annotations

from collections.abc import Iterable

from il2.cell.lanes import network_of, receptors, setup
from il2.cell.spread import Range, count_name, network_ranges, quantity_ranges
from il2.cell.well import Well, chains, traits
from il2.gene.promoter import strength
from il2.knowledge.cell import cell
from il2.knowledge.quantity import quantities
from il2.knowledge.species import SpeciesValue, species_values
from il2.knowledge.table import number, rows


def culture_ranges(
    wells: Iterable[Well], genes: tuple[str, ...] = (), products: tuple[str, ...] = ()
) -> tuple[Range, ...]:
    """Ranges of all wells, each name once; those of a species stand before the shared ones."""
    wells = tuple(wells)
    found: dict[str, Range] = {}
    for well in wells:
        network = network_of(setup(well, genes, products))
        names = set(network.parameter_names)
        own = species_values(well.species)
        out = [
            *network_ranges(receptors(well.molecules)),
            *quantity_ranges(*(n for n in sorted(names) if n in quantities())),
        ]
        out += [r for c in well.cells for r in cell_ranges(c.kind, chains(well.molecules))]
        out = [_replaced(r, own) if r.name in own else r for r in out]
        out += [r for r in (*promoter_ranges(), *output_ranges()) if r.name in names]
        found |= {r.name: r for r in out}
    return tuple(found.values())


def _replaced(shared: Range, own: dict[str, SpeciesValue]) -> Range:
    v = own[shared.name]
    low, high = (v.value if end is None else end for end in (v.low, v.high))
    return Range(shared.name, v.value, low, high, v.grade, shared.name)


def cell_ranges(kind: str, wanted: Iterable[str]) -> list[Range]:
    """Counts of chains (molecules per cell) and traits of a kind of cell."""
    out = []
    for chain in wanted:
        n = cell(kind).counts.get(chain)
        if n is not None:
            name = count_name(cell(kind).name, chain)
            out.append(Range(name, n.value, n.low, n.high, n.grade, name))
    for trait, row in traits(kind).items():
        name = count_name(row["cell"], trait)
        out.append(_row(name, row, "value", "low", "high"))
    return out


def promoter_ranges() -> list[Range]:
    """Strengths of promoter rows, under the names of their parameters."""
    return [
        _row(strength(row["gene"], row["factor"], row["effect"]), row, "strength", "low", "high")
        for row in rows("promoters")
    ]  # fmt: skip


def output_ranges() -> list[Range]:
    """Half-lives, weights and half-levels of products."""
    out = [
        _row(f"{r['product']}_half_life", r, "half_life_h", "half_life_low", "half_life_high") for r in rows("outputs")
    ]
    for r in rows("output_inputs"):
        out.append(_row(f"{r['product']}_by_{r['input']}", r, "weight", "weight_low", "weight_high"))
        out.append(_row(f"{r['product']}_half_{r['input']}", r, "half", "half_low", "half_high"))
    return out


def _row(name: str, row: dict[str, str], value: str, low: str, high: str) -> Range:
    middle = float(row[value])
    ends = number(row[low]), number(row[high])
    lowest, highest = (middle if end is None else end for end in ends)
    return Range(name, middle, min(lowest, middle), max(highest, middle), row["grade"], name)
