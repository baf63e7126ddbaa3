"""A well or a plate from a YAML file: cells, antigen, help, what is added and when, and changes of medium.

title: Suppression by regulatory T cells
time: 5 d                        # or time_h: 120
step: 2 h
base:                            # what all wells share
  volume: 200 uL                 # or volume_uL: 200
  cells: {Th: 50000, Treg: 25000}
  antigen: 1e9                   # molecules; a list with times for several: [{molecules: 1e9, time: 0 h}]
  presenting_cells: 1e5
  CD28: 1                        # help, 0 to 1
  add:                           # what, how much, and when; without a time at the start
    - IL2 = 20 IU/mL
    - {what: daclizumab, dose_nM: 10, time_h: 24}
  medium_changes: [{time: 48 h, fraction: 0.5, fresh: {IL2: 1 nM}}]
  without: [IL2RA]               # knock-outs in all cells
wells:                           # A1 to H12, each with what differs from the base; left out for one well
  A1: {label: no Treg, cells: {Treg: 0}}
  A2: {label: without CD25, cells: {Th: {number: 50000, without: [IL2RA]}}}

Cells of one kind may stand twice under names of their own: `bystander: {kind: Th, number: 1e5, specific: no}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from il2.cell.culture import LONGEST_h
from il2.cell.culture_item import LARGEST_CELLS, addition, amount, genes_of, moment, name_of, number, placed, whether
from il2.cell.well import Addition, Antigen, Cells, Change, Well
from il2.cell.yaml_tree import Item, read_tree
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import cell
from il2.knowledge.species import SPECIES

WELL_NAME = re.compile(r"[A-H](?:[1-9]|1[0-2])")
LARGEST_uL, LARGEST_ANTIGEN, MOST_TIMES = 10**6, 10**15, 2_000
DEFAULT_h, DEFAULT_STEP_h = 120, 2
TOP = ("title", "about", "sources", "species", "time", "time_h", "step", "step_h", "genes", "products", "base", "wells")
WELL = (
    "label", "volume", "volume_uL", "cells", "antigen", "presenting_cells", "CD28", "costimulation", "add",
    "medium_changes", "without",
)  # fmt: skip
CELLS = ("kind", "number", "specific", "without")


@dataclass(frozen=True)
class Plate:
    """Wells by name with what is asked of them. labels: by name, what to call them. about: a sentence. sources: of the
    numbers, by id."""

    title: str
    wells: Mapping[str, Well]
    labels: Mapping[str, str]
    times_h: np.ndarray
    about: str = ""
    sources: tuple[str, ...] = ()
    genes: tuple[str, ...] = ()
    products: tuple[str, ...] = ()

    def changed(
        self, *, hours: float | None = None, without: tuple[str, ...] = (), added: tuple[Addition, ...] = ()
    ) -> Plate:
        """The plate over other hours, with genes knocked out of all cells and something more given to all wells."""
        wells = {}
        for key, well in self.wells.items():
            cells = tuple(replace(c, without=tuple(dict.fromkeys((*c.without, *without)))) for c in well.cells)
            wells[key] = replace(well, cells=cells, additions=(*well.additions, *added))
        times = self.times_h
        if hours is not None:
            times = grid(hours, times[1] - times[0] if len(times) > 1 else hours)
        return replace(self, wells=wells, times_h=times)


def grid(hours: float, step: float) -> np.ndarray:
    """Times from 0 to `hours`, both among them."""
    steps = np.arange(int(np.floor(hours / step)) + 1) * step
    return steps if np.isclose(steps[-1], hours) else np.append(steps, hours)


def read_plate(path: Path) -> Plate:
    """The plate of a YAML file; Il2Error with file, line and key for what cannot be read."""
    return plate_of(read_tree(path), path.stem)


def plate_of(root: Item, name: str) -> Plate:
    """The plate that a tree describes."""
    top = root.keys(TOP)
    hours, step = amount(top, "time", "h"), amount(top, "step", "h")
    hours, step = DEFAULT_h if hours is None else hours, DEFAULT_STEP_h if step is None else step
    if not 0 < hours <= LONGEST_h:
        _of(top, root, "time", "time_h").wrong(f"the time is {hours:g} h", f"Give more than 0, at most {LONGEST_h} h.")
    if not hours / MOST_TIMES <= step <= hours:
        _of(top, root, "step", "step_h").wrong(f"the step is {step:g} h", f"Give 1 to {MOST_TIMES} steps.")
    species = top["species"].text if "species" in top else SPECIES[0]
    if species not in SPECIES:
        top["species"].wrong(f"unknown species {species!r}", did_you_mean(species, SPECIES))
    base = top["base"].keys(WELL) if "base" in top else {}
    if "label" in base:
        base["label"].wrong("the base has no label", "Give labels to the wells.")
    given = top["wells"].keys() if "wells" in top else {}
    if not given and "base" not in top:
        root.wrong("no cells are given", "Give 'base' with 'cells', and 'wells' for a plate.")
    wells, labels = {}, {}
    for key, item in given.items() or {"A1": top["base"]}.items():
        if not WELL_NAME.fullmatch(key):
            item.wrong(f"no well is named {key!r}", "Name wells A1 to H12.")
        own = item.keys(WELL)
        wells[key] = _well(item, base, own if given else {}, species)
        labels[key] = own["label"].text if "label" in own and given else key
    asked = {n: tuple(i.text for i in top[n].items) for n in ("genes", "products", "sources") if n in top}
    told = {n: top[n].text for n in ("title", "about") if n in top}
    return Plate(
        told.get("title", name), wells, labels, grid(hours, step), told.get("about", ""), asked.get("sources", ()),
        asked.get("genes", ()), asked.get("products", ()),
    )  # fmt: skip


def _of(top: Mapping[str, Item], other: Item, *names: str) -> Item:
    return next((top[n] for n in names if n in top), other)


@dataclass(frozen=True)
class _Kind:
    """Cells of a name as they were found: in the base, then in the well."""

    item: Item
    kind: str
    number: float | None = None
    specific: bool = True
    without: tuple[str, ...] = field(default=())


def _well(item: Item, base: Mapping[str, Item], own: Mapping[str, Item], species: str) -> Well:
    for one, other in (("volume", "volume_uL"), ("CD28", "costimulation")):
        if one in own or other in own:  # what the well says replaces either spelling of the base
            base = {k: v for k, v in base.items() if k not in (one, other)}
    every = {**base, **own}
    kinds: dict[str, _Kind] = {}
    for found in (base, own):
        for label, entry in found["cells"].keys().items() if "cells" in found else ():
            kinds[label] = _kind(label, entry, kinds.get(label))
    if not kinds:
        item.wrong("the well holds no cells", "Give 'cells', such as {Th: 100000}.")
    missing = next((k for k in kinds.values() if k.number is None), None)
    if missing:
        missing.item.wrong("the number of cells is missing", "Write 'number: 1e5'.")
    everywhere = genes_of(every.get("without"))
    cells = tuple(
        Cells(k.kind, k.number or 0.0, label, k.specific, tuple(dict.fromkeys((*k.without, *everywhere))))
        for label, k in kinds.items()
    )
    volume = amount(every, "volume", "uL")
    if volume is not None and not 0 < volume <= LARGEST_uL:
        _of(every, item, "volume", "volume_uL").wrong(f"the volume is {volume:g} uL", "Give more than 0, at most 1 L.")
    if "CD28" in every and "costimulation" in every:
        every["CD28"].wrong("both CD28 and costimulation are given", "Give one: they are the same.")
    help_ = _of(every, item, "CD28", "costimulation")
    strength = number(help_, most=1) if help_ is not item else None
    presenting = number(every["presenting_cells"], most=LARGEST_CELLS) if "presenting_cells" in every else None
    if presenting == 0:
        every["presenting_cells"].wrong("presenting_cells is 0", "Give a number above 0; no antigen needs no key.")
    changes = every["medium_changes"].items if "medium_changes" in every else ()
    with placed(item):
        well = Well(
            cells=cells,
            antigen=tuple(_antigen(i) for i in every["antigen"].items) if "antigen" in every else (),
            additions=tuple(addition(i) for i in every["add"].items) if "add" in every else (),
            medium_changes=tuple(_change(i) for i in changes),
            species=species,
        )
    return replace(
        well,
        volume_uL=well.volume_uL if volume is None else volume,
        costimulation=well.costimulation if strength is None else strength,
        presenting_cells=well.presenting_cells if presenting is None else presenting,
    )


def _kind(label: str, item: Item, before: _Kind | None) -> _Kind:
    """Cells of a name, where the base may already say something of them."""
    if isinstance(item.content, dict):
        keys = item.keys(CELLS)
        kind = keys.get("kind")
        known = kind.text if kind else before.kind if before else label
        found = _Kind(
            item,
            known,
            number(keys["number"], most=LARGEST_CELLS) if "number" in keys else before.number if before else None,
            whether(keys["specific"]) if "specific" in keys else before.specific if before else True,
            genes_of(keys["without"]) if "without" in keys else before.without if before else (),
        )
    else:
        known = before.kind if before else label
        found = replace(before or _Kind(item, known), item=item, number=number(item, most=LARGEST_CELLS))
    if not re.fullmatch(r"\w[\w +.-]{0,39}", label):
        item.wrong(f"{label!r} is no name of cells", "Use letters, digits, spaces and _ + - . only.")
    try:
        return replace(found, kind=cell(found.kind).name)
    except Il2Error as error:
        how = error.how.partition(" A cell of your own")[0]
        raise Il2Error(error.what, where=item.where, how=f"{how} Or name the kind: {{kind: Th, ...}}.") from error


def _antigen(item: Item) -> Antigen:
    if isinstance(item.content, str):
        return Antigen(number(item, most=LARGEST_ANTIGEN))
    keys = item.keys(("molecules", "time", "time_h"))
    if "molecules" not in keys:
        item.wrong("the amount of antigen is missing", "Write 'molecules: 1e9'.")
    return Antigen(number(keys["molecules"], most=LARGEST_ANTIGEN), moment(keys))


def _change(item: Item) -> Change:
    keys = item.keys(("time", "time_h", "fraction", "fresh"))
    if "time" not in keys and "time_h" not in keys:
        item.wrong("the time of the change is missing", "Write 'time: 48 h'.")
    fraction = number(keys["fraction"], most=1) if "fraction" in keys else 1.0
    if fraction == 0:
        keys["fraction"].wrong("the fraction is 0", "Give a share above 0, at most 1.")
    fresh = {}
    for name, dose in keys["fresh"].keys().items() if "fresh" in keys else ():
        what = name_of(name, dose, cytokine=True)
        fresh[what] = amount({what: dose}, what, "nM", of=what) or 0.0
    return Change(moment(keys), fraction, fresh)
