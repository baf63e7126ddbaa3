"""What a culture rests on: grades and sources of its numbers, and what a reader should be warned of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from il2.cell.donors import is_line
from il2.cell.lanes import lowered, setup
from il2.cell.ranges import culture_ranges
from il2.cell.well import CYTOKINES, Well, chains, traits
from il2.knowledge.cell import cell
from il2.knowledge.quantity import GRADES, quantities, quantity, weakest
from il2.knowledge.table import listed, rows

SEMI_QUANTITATIVE = (
    "pathway readouts (TCR, AKT, MTOR, ERK, calcium) and products are relative and semi-quantitative: read their "
    "direction and order, not their size"
)
TOO_LITTLE = (
    "free IL-2 of T cells with antigen was predicted about fourfold too low at its peak where it was measured "
    "(docs/validation.md)"
)


@dataclass(frozen=True)
class Evidence:
    """Numbers by grade, the weakest of them, and the sources by id."""

    grades: Mapping[str, int]
    weakest: str
    sources: tuple[str, ...]


def evidence(wells: Mapping[str, Well], genes: tuple[str, ...] = (), products: tuple[str, ...] = ()) -> Evidence:
    """Grades and sources of every number that wells rest on."""
    unlike = {(setup(w, genes, products), tuple(c.kind for c in w.cells), w.species): w for w in wells.values()}
    grades: Counter[str] = Counter(r.grade for r in culture_ranges(unlike.values(), genes, products))
    names = {n for found, *_ in unlike for n in lowered(found)[0].parameter_names}
    sources = {s for name, q in quantities().items() if name in names for s in q.sources}
    for well in unlike.values():
        sources |= {s for row in rows("affinities") if row["ligand"] in well.molecules for s in listed(row["sources"])}
        sources |= {s for row in rows("species") if row["species"] == well.species for s in listed(row["sources"])}
        for c in well.cells:
            known = cell(c.kind).counts
            sources |= {s for chain in chains(well.molecules) if chain in known for s in known[chain].sources}
            sources |= {s for row in traits(c.kind).values() for s in listed(row["sources"])}
    for name, column in (("promoters", "gene"), ("outputs", "product"), ("output_inputs", "product")):
        kept = {"promoters": ("IL2", *genes)}.get(name)
        sources |= {s for row in rows(name) if kept is None or row[column] in kept for s in listed(row["sources"])}
    by_grade = {g: grades[g] for g in GRADES if grades[g]}
    return Evidence(by_grade, weakest(list(by_grade)), tuple(sorted(sources - {"assumed", ""})))


def warnings_before(wells: Mapping[str, Well], donors: int, last_h: float) -> list[str]:
    """Warnings that the set-up alone gives rise to."""
    out = [SEMI_QUANTITATIVE]
    out += [TOO_LITTLE] if any(a.molecules > 0 for w in wells.values() for a in w.antigen) else []
    kinds = list(dict.fromkeys(cell(c.kind).name for w in wells.values() for c in w.cells))
    if donors:
        spreads = [quantity(name) for name in ("donor_receptor_spread", "donor_number_spread")]
        told = " and ".join(f"{q.value:g}" for q in spreads)
        out.append(
            f"donors differ in receptors and cell numbers alone; the standard deviations of ln, {told}, are assumed"
        )
        lines = [k for k in kinds if is_line(k)]
        out += [f"{', '.join(lines)}: a line has no donors and does not vary"] if lines else []
    guessed = [k for k in kinds if all(n.grade == "assumed" for n in cell(k).counts.values())]
    out += [f"receptor counts of {', '.join(guessed)} are assumed"] if guessed else []
    unknown = dict.fromkeys(
        f"{chain} of {cell(c.kind).name}"
        for w in wells.values()
        for c in w.cells
        for chain in chains(w.molecules)
        if chain not in cell(c.kind).counts and chain in ("IL2RA", "IL2RB", "IL2RG")
    )
    out += [f"not known and taken as none: {', '.join(unknown)}"] if unknown else []
    added = dict.fromkeys(a.what for w in wells.values() for a in w.additions if a.what not in CYTOKINES)
    due = {
        key: (x.time_h for given in (w.antigen, w.additions, w.medium_changes) for x in given)
        for key, w in wells.items()
    }
    late = [key for key, times_h in due.items() if any(time_h > last_h for time_h in times_h)]
    out += [f"{', '.join(late)}: what is due after {last_h:g} h, the end, does not happen"] if late else []
    out += [f"effects of {', '.join(added)} on a culture were compared with no measurement"] if added else []
    return out
