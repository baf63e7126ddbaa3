"""Wells that a row of `target_runs.csv` describes: cells in its column `cells`, the rest in its column `with`.

`with` has parts parted by `|`: first what all arms share, then one part an arm; a single part is a single arm. A part
is a list `name=value; ...` of what a `Well` has (number, antigen, antigen_until_h, costimulation, presenting_cells,
volume_uL, wash_h, species, and kind for other cells than the row has), of additions (`IL2=1` nM,
`JAK_inhibitor=1000@24` from 24 h on), of knock-outs (`without=PRDM1+IL2`) and of parameters that are set. `Treg:`
before a name is for that cohort alone; numbers of several cohorts are given in their order (`number=1e5+5e4`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from re import sub

import numpy as np

from il2.cell.answers import Row, times_of
from il2.cell.cohort import SEPARATOR, named
from il2.cell.lanes import Courses, network_of, setup, solve_wells
from il2.cell.well import EVERYTHING, Addition, Antigen, Cells, Change, Well
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity

ONE = "cells"  # label of an only cohort, so that every kind of cell has the same network
PLAIN = ("volume_uL", "presenting_cells", "costimulation")
Items = Mapping[str, str]


def wells(row: Row) -> list[Well]:
    """The well of each arm of a row; what cannot be read is an Il2Error."""
    parts = [_items(part, row) for part in row["with"].split("|")]
    arms = [{**parts[0], **own} for own in parts[1:]] or [parts[0]]
    return [_well(row["cells"].split(";"), items, row["id"]) for items in arms]


def spans(row: Row) -> tuple[Row, dict[str, tuple[float, float]]]:
    """A row with the low end of every `name=low..high` of its `with`, and the ends by name."""
    found = {}
    for part in row["with"].replace("|", ";").split(";"):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if ".." in value:
            low, high = value.split("..")
            found[name] = float(low), float(high)
    text = row["with"]
    for name in found:
        text = sub(rf"\b{name}=(\S+?)\.\.[^;|]*", rf"{name}=\1", text)
    return row | {"with": text}, found


def hours(row: Row) -> np.ndarray:
    """Times (times,) of a row in hours."""
    found: np.ndarray = times_of(row) / quantity("minutes_per_hour").value
    return found


def courses(
    found: list[Well],
    times_h: np.ndarray,
    wanted: tuple[str, ...],
    products: tuple[str, ...] = (),
    genes: tuple[str, ...] = (),
) -> list[Courses]:
    """Courses of wells; a well that cannot be solved is an Il2Error."""
    done = solve_wells(found, times_h, wanted, products=products, genes=genes)
    for c in done:
        if c.reasons[0]:
            raise Il2Error("a well of a target could not be solved", where="targets", why=c.reasons[0])
    return done


def own(course: Courses, name: str) -> np.ndarray:
    """A readout (times,) of the only cohort, of a named one (`Treg:cells`), or of the medium."""
    label = named(ONE, name)
    return (course[label] if label in course.values else course[name])[0]


def _items(text: str, row: Row) -> dict[str, str]:
    found = {}
    for item in text.split(";"):
        name, separator, value = (part.strip() for part in item.partition("="))
        if item.strip() and not (name and separator and value):
            raise Il2Error(f"cannot read {item!r}", where=f"target_runs.csv: {row['id']}", how="Write name=value.")
        if item.strip():
            found[name] = value
    return found


def _well(kinds: list[str], items: Items, where: str) -> Well:
    left = dict(items)
    kinds = left.pop("kind", "").split() or kinds
    numbers = [float(n) for n in left.pop("number").split("+")]
    labels = kinds if len(kinds) > 1 else [ONE]
    cells = [_cells(kind, number, label, left) for kind, number, label in zip(kinds, numbers, labels, strict=True)]
    antigen, until, wash = left.pop("antigen", ""), left.pop("antigen_until_h", ""), left.pop("wash_h", "")
    plain = {name: float(left.pop(name)) for name in PLAIN if name in left}
    species = left.pop("species", "human")
    additions = tuple(_addition(name, left.pop(name)) for name in tuple(left) if name in EVERYTHING)
    well = Well(
        tuple(cells),
        antigen=tuple(Antigen(float(n), float(time)) for n, time in ((antigen, "0"), ("0", until)) if n and time),
        additions=additions,
        medium_changes=(Change(float(wash)),) if wash else (),
        species=species,
        **plain,  # type: ignore[arg-type]
    )
    values = {name: float(value) for name, value in left.items()}
    known = network_of(setup(well)).parameter_names
    for name in values:
        if name not in known and all(named(label, name) not in known for label in labels):
            raise Il2Error(f"no parameter {name!r}", where=f"target_runs.csv: {where}", how=did_you_mean(name, known))
    shared = {name: value for name, value in values.items() if name in known}
    of_cells = {name: value for name, value in values.items() if name not in known}
    return replace(
        well,
        cells=tuple(replace(c, changes={**of_cells, **c.changes}) for c in well.cells),
        changes=shared,
    )


def _cells(kind: str, number: float, label: str, left: dict[str, str]) -> Cells:
    own_items = {n.split(SEPARATOR)[1]: left.pop(n) for n in tuple(left) if n.startswith(f"{label}{SEPARATOR}")}
    gone = [g for g in (own_items.pop("without", ""), left.get("without", "")) if g]
    if label == ONE:
        left.pop("without", "")
    knocked = tuple(gene for text in gone for gene in text.split("+"))
    return Cells(kind, number, label, without=knocked, changes={n: float(v) for n, v in own_items.items()})


def _addition(name: str, text: str) -> Addition:
    amount, _, time = text.partition("@")
    return Addition(name, float(amount), float(time or 0))
