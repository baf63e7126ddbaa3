"""The parameters of an experiment with the evidence for them, and the criteria that each decides alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from il2.cell.cohort import TRAITS
from il2.cell.spread import Range, count_name
from il2.experiments.result import Measurement, Parameter
from il2.gene.promoter import strength
from il2.knowledge.calibrated import calibrated
from il2.knowledge.cell import CHAINS, cells
from il2.knowledge.quantity import GRADES, quantities
from il2.knowledge.table import listed, rows

QUANTITY, AFFINITY, PARTNER, COUNT, SET_UP, OTHER = "quantity", "affinity", "partner", "count", "set-up", "other"
TRAIT, PROMOTER, PRODUCT = "trait", "promoter", "product"
NO_UNIT = "dimensionless"


@dataclass(frozen=True)
class Known:
    """What the tables hold of a number besides its range; value: the default, where an experiment may set another."""

    kind: str
    unit: str
    sources: tuple[str, ...]
    note: str = ""
    value: float | None = None


@cache
def known() -> dict[str, Known]:
    """Everything that has a range in the tables, by the name under which a sample holds it."""
    found = {
        count_name(cell.name, chain): Known(COUNT, "molecule/cell", count.sources)
        for cell in cells().values()
        for chain, count in cell.counts.items()
    }
    for row in rows("affinities"):
        name = f"KD_{row['ligand']}_{row['product'].replace('+', '_')}"
        found[name] = Known(AFFINITY, row["unit"], listed(row["sources"]), row["note"])
    for row in rows("partners"):
        found[f"KD_{row['name']}"] = Known(PARTNER, "nM", listed(row["sources"]), row["note"])
        for chain in CHAINS:
            name = f"{row['name']}_factor_{chain}"
            found[name] = Known(PARTNER, "dimensionless", listed(row["sources"]), row["note"])
    for row in rows("cell_traits"):
        _, unit = TRAITS.get(row["trait"], (0.0, NO_UNIT))
        found[count_name(row["cell"], row["trait"])] = _of(row, TRAIT, unit)
    for row in rows("promoters"):
        found[strength(row["gene"], row["factor"], row["effect"])] = _of(row, PROMOTER, NO_UNIT)
    for row in rows("outputs"):
        found[f"{row['product']}_half_life"] = _of(row, PRODUCT, "h")
    for row in rows("output_inputs"):
        found[f"{row['product']}_by_{row['input']}"] = _of(row, PRODUCT, NO_UNIT)
        found[f"{row['product']}_half_{row['input']}"] = _of(row, PRODUCT, row["unit"])
    for q in quantities().values():
        note = "; ".join(filter(None, (q.context, q.note, f"rivals: {q.rivals}" if q.rivals else "")))
        found[q.name] = Known(QUANTITY, q.unit, q.sources, note, q.value)
    return found


def _of(row: dict[str, str], kind: str, unit: str) -> Known:
    return Known(kind, unit, listed(row["sources"]), row["note"])


def parameters(ranges: Iterable[Range], measurements: Iterable[Measurement] = ()) -> tuple[Parameter, ...]:
    """Every range once, in the order given, with the criteria among the measurements that it decides."""
    tested = tuple(measurements)
    return tuple(_parameter(r, tested) for r in {r.name: r for r in ranges}.values())


def _parameter(r: Range, tested: tuple[Measurement, ...]) -> Parameter:
    of = known().get(r.name, Known(OTHER, "", ()))
    decides = tuple(m.name for m in tested if r.name in m.decided_by)
    if r.low == r.value == r.high and (of.kind == OTHER or of.value not in (None, r.value)):
        return Parameter(r.name, r.value, of.unit, r.low, r.high, "", SET_UP, decides=decides)
    fitted = calibrated().get(r.name)
    joint = fitted is not None and fitted.value == r.value
    return Parameter(
        r.name, r.value, of.unit, r.low, r.high, r.grade, of.kind, of.sources, of.note, decides, joint,
    )  # fmt: skip


def counted(grades: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """How many there are of each grade, from the strongest to the weakest."""
    found = tuple(grades)
    return tuple((grade, found.count(grade)) for grade in GRADES if grade in found)
