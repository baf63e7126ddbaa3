"""What `il2 respond` is asked, from text: ligands, cells, doses, times, what is added and what is turned down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from il2.errors import Il2Error

if TYPE_CHECKING:
    from il2.receptor.addition import Addition
    from il2.receptor.ligand import Ligand


@dataclass
class Asked:
    """Ligands, with what their files add to them and warn of."""

    ligands: list[str | Ligand] = field(default_factory=list)
    added: tuple[Addition, ...] = ()
    notes: list[str] = field(default_factory=list)


def ligands(items: Sequence[str], with_: Sequence[str]) -> Asked:
    """Names and YAML files, and the additions of the command line with those of a file."""
    from il2.formats.ligand_yaml import read_ligand

    asked = Asked()
    for item in items:
        if not item.lower().endswith((".yaml", ".yml")):
            asked.ligands.append(item)
            continue
        own, added, warnings = read_ligand(Path(item))
        if added and len(items) > 1:
            raise Il2Error(
                f"{item} adds {added[0].name}, and there are other ligands",
                where="--ligand",
                why="what is added is added to every ligand",
                how="Ask for it alone, or leave it out of the file and give --with.",
            )
        asked.ligands.append(own)
        asked.added += added
        asked.notes += [f"{own.name}: {w}" for w in warnings]
    given = _additions(with_)
    if twice := {a.name for a in asked.added} & {a.name for a in given}:
        raise Il2Error(
            f"{min(twice)!r} is added twice",
            where="--with",
            why=f"{items[0]} adds it too",
            how="Give its whole amount once.",
        )
    asked.added += given
    return asked


def before(text: str, added: Sequence[Addition]) -> float:
    """How many minutes additions act before the ligand."""
    from il2.units import quantity_in

    if not text:
        return 0.0
    if not added:
        raise Il2Error("--with-before has no effect alone", where="il2 respond", how="Add --with NAME=AMOUNT.")
    value = quantity_in(text, "min", where="--with-before")
    if value < 0:
        raise Il2Error(f"{text!r} is below zero", where="--with-before", how="Give a time from 0 up.")
    return value


def dials(items: Sequence[str]) -> dict[str, float]:
    """Shares of chains and kinases that are left."""
    from il2.knowledge.cell import CHAINS
    from il2.receptor.addition import dials as read

    try:
        return read("; ".join(items), CHAINS)
    except Il2Error as error:
        raise _of_option(error, "dial") from error


def cells(items: Sequence[str]):
    """Counts of a CSV, names, or None for the default."""
    from il2.formats.counts_csv import read_counts

    files = [c for c in items if c.lower().endswith(".csv")]
    if files and len(items) > 1:
        raise Il2Error("a CSV of counts stands alone", where="--cells", how="Put all cells into the file.")
    return read_counts(Path(files[0])) if files else list(items) or None


def _additions(items: Sequence[str]) -> tuple[Addition, ...]:
    from il2.receptor.addition import additions

    try:
        return additions("; ".join(items))
    except Il2Error as error:
        raise _of_option(error, "with") from error


def _of_option(error: Il2Error, name: str) -> Il2Error:
    """The same error, said of the option --`name`."""
    where = f"--{error.where}" if error.where.split(" ")[0] == name else f"--{name}"
    return Il2Error(error.what, where=where, why=error.why, how=error.how)


@dataclass(frozen=True)
class Chosen:
    """A parameter set: its name, the values that stand in for those of the default, and warnings."""

    name: str
    values: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def parameters(text: str) -> Chosen:
    """A parameter set by name, or from a file of `il2 fit` with the set that it rests on; empty is the default."""
    from il2.knowledge.calibrated import EARLIER, NAME

    if text in ("", NAME):
        return Chosen(NAME)
    if text == EARLIER:
        from il2.cell.override import earlier

        return Chosen(EARLIER, earlier())
    from il2.fit.parameter_set import SUFFIXES, load

    path = Path(text)
    if path.suffix.lower() not in SUFFIXES:
        raise Il2Error(
            f"unknown parameter set {text!r}",
            where="--parameters",
            how=f"Give {EARLIER}, {NAME} or a file ending in {', '.join(SUFFIXES)}.",
        )
    found = load(path)
    rest, notes = _beneath(found.based_on, found.based_on_hash)
    return Chosen(f"{found.name} ({found.hash})", rest | found.values, notes)


def _beneath(name: str, told: str) -> tuple[dict[str, float], tuple[str, ...]]:
    """Values of the set that a file rests on, and a warning where these are not those that it was fitted with."""
    from il2.cell.override import earlier
    from il2.knowledge.calibrated import EARLIER, NAME
    from il2.knowledge.parameters import fingerprint

    if name == EARLIER:
        return earlier(), ()
    if name not in ("", NAME):
        return {}, (f"the parameter file rests on the set {name[:100]!r}, which is not here: {NAME} stands in",)
    if told and told != fingerprint():
        return {}, (f"the parameter file rests on another state of {NAME}: its values may not fit the rest",)
    return {}, ()
