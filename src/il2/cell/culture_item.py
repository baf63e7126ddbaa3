"""Items of a culture file: numbers, amounts with units, times, genes, and what is added."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from il2.cell.culture import LONGEST_h
from il2.cell.well import CYTOKINES, EVERYTHING, KNOCKOUTS, Addition
from il2.cell.yaml_tree import Item
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity
from il2.knowledge.table import number as number_in
from il2.receptor.ligand import UNFUSED, catalogued
from il2.units import quantity_in

LARGEST_nM, LARGEST_CELLS = 10**6, 10**10
ACTIVITY = re.compile(r"(?i:\b[kM]?IU\b)")
YES, NO = ("yes", "true"), ("no", "false")
HOW_TO_ADD = "Write it like 'daclizumab = 10 nM @ 24 h'."


@contextmanager
def placed(item: Item) -> Iterator[None]:
    """Errors of what is made of an item name its place, unless they name one of the file already."""
    try:
        yield
    except Il2Error as error:
        if error.where.startswith(item.file):
            raise
        raise Il2Error(error.what, where=item.where, why=error.why, how=error.how) from error


def number(item: Item, *, most: float) -> float:
    """A plain number from 0 to `most`."""
    try:
        value = float(item.text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 0 <= value <= most) or "_" in item.text:
        item.wrong(f"{item.text!r} is no number from 0 to {most:g}", "Give a finite number in that range.")
    return value


def whether(item: Item) -> bool:
    if item.text.casefold() not in (*YES, *NO):
        item.wrong(f"{item.text!r} is neither yes nor no")
    return item.text.casefold() in YES


def amount(keys: Mapping[str, Item], name: str, unit: str, *, of: str = "") -> float | None:
    """The value of `name` with a unit (`volume: 200 uL`) or of `name_unit` without (`volume_uL: 200`), in `unit`.

    of: a molecule, whose mass and activity convert the amount. None where neither key is there.
    """
    bare = f"{name}_{unit}"
    if name in keys and bare in keys:
        keys[bare].wrong(f"both {name} and {bare} are given", "Give one.")
    if bare in keys:
        item = keys[bare]
        value = quantity_in(item.text, unit, where=item.where, bare_ok=True)
    elif name in keys:
        item = keys[name]
        value = dose(item.text, of, item.where) if of else quantity_in(item.text, unit, where=item.where)
    else:
        return None
    if value < 0:
        item.wrong(f"{item.text!r} is below zero", "Give an amount from 0 up.")
    if of and value > LARGEST_nM:
        item.wrong(f"{item.text!r} of {of} is more than 1 mM", "Give at most 1 mM.")
    return value


def dose(text: str, of: str, where: str) -> float:
    """A dose of a molecule in nM, from an amount, a mass, or the activity of IL-2 in IU."""
    if of == "IL2" and ACTIVITY.search(text):
        per_IU = quantity("aldesleukin_molarity_per_activity")
        activity = quantity_in(text, "IU/mL", where=where)
        return quantity_in(f"{activity * per_IU.value!r} pM", "nM", where=where)
    row = catalogued(of)
    mass = number_in(row["mass_kDa"]) if row else None
    grams = None if mass is None else 1000 * mass
    return quantity_in(text, "nM", molar_mass_g_per_mol=grams, where=where)


def moment(keys: Mapping[str, Item]) -> float:
    """A time in h, 0 where none is given."""
    value = amount(keys, "time", "h") or 0.0
    if value > LONGEST_h:
        item = keys["time"] if "time" in keys else keys["time_h"]
        item.wrong(f"{item.text!r} is later than {LONGEST_h} h", f"Give at most {LONGEST_h} h.")
    return value


def name_of(text: str, item: Item, *, cytokine: bool = False) -> str:
    """What is added, by the name that wells use: a name, an alias (IL-2, tofacitinib) or an error."""
    known = CYTOKINES if cytokine else EVERYTHING
    folded = {n.casefold(): n for n in known}
    row = catalogued(text)
    alias = row["network"] if row and row["format"] in ("", "IgG", UNFUSED) else ""
    found = folded.get(text.casefold()) or folded.get(alias.casefold())
    if found is None:
        item.wrong(f"nothing named {text!r} can be added", did_you_mean(text, known))
    return found


def addition(item: Item) -> Addition:
    """`IL2 = 2 nM`, `IL2 = 2 nM @ 24 h`, or the keys what, dose or dose_nM, time or time_h."""
    if isinstance(item.content, dict):
        keys = item.keys(("what", "dose", "dose_nM", "time", "time_h"))
        if "what" not in keys:
            item.wrong("what is added is missing", "Write 'what: IL2'.")
        what = name_of(keys["what"].text, keys["what"])
    else:
        found = re.fullmatch(r"\s*([^=@]+?)\s*=\s*([^=@]+?)\s*(?:@\s*([^=@]+?)\s*)?", item.text)
        if not found:
            item.wrong(f"{item.text!r} adds nothing", HOW_TO_ADD)
        what = name_of(found[1], item)
        parts = {"dose": found[2], "time": found[3]}
        keys = {key: Item(text, item.file, item.line, item.path) for key, text in parts.items() if text}
    given = amount(keys, "dose", "nM", of=what)
    if given is None:
        item.wrong(f"the dose of {what} is missing", HOW_TO_ADD)
    return Addition(what, given, moment(keys))


def genes_of(item: Item | None) -> tuple[str, ...]:
    """Genes that are knocked out."""
    found = item.items if item else []
    for gene in found:
        if gene.text not in KNOCKOUTS:
            gene.wrong(f"no knock-out of {gene.text!r}", did_you_mean(gene.text, KNOCKOUTS))
    return tuple(gene.text for gene in found)
