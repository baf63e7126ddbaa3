"""Under what a response was asked, in words: its readouts, what was added, and what was turned down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from il2.cell.table import readout
from il2.receptor.head import head
from il2.receptor.ligand import is_ligand, ligand
from il2.report.panel import concentration
from il2.signalling.stat import phosphorylated

if TYPE_CHECKING:
    import xarray

MOST_IN_TITLE = 2
UNCOMPARED = "Measurements were made without these additions and changes, so none are shown."


def label(name: str) -> str:
    """The readout `pstat6` as people write it: pSTAT6."""
    return "pSTAT" + name.removeprefix("pstat")


def labels(names: Iterable[str]) -> str:
    """Several readouts in words, each once: pSTAT5 or pSTAT6."""
    return " or ".join(dict.fromkeys(map(label, names)))


def readouts(data: xarray.Dataset) -> list[str]:
    """The readout of every ligand of the data, in their order."""
    return [readout(data, str(name)) for name in data.ligand.values]


def unread(data: xarray.Dataset) -> list[str]:
    """Readouts by which additions signal and no ligand of the data does."""
    bases = [ligand(name).base for name in amounts(data) if is_ligand(name)]
    return [name for name in dict.fromkeys(phosphorylated(head(b).stat) for b in bases) if name not in readouts(data)]


def assumed(data: xarray.Dataset) -> list[str]:
    """A sentence on the ligands whose half-activation is not the one that was calibrated with IL-2."""
    bases = {str(name): ligand(str(name)).base for name in data.ligand.values if is_ligand(str(name))}
    weak = [name for name, base in bases.items() if head(base).half_activation != head("IL2").half_activation]
    return [f"How many active complexes of {' or '.join(weak)} half-activate a STAT is assumed."] if weak else []


def amounts(data: xarray.Dataset) -> dict[str, str]:
    """What was added, and how much of it."""
    out = {}
    for item in filter(None, str(data.attrs.get("added", "")).split("; ")):
        name, _, amount = item.rpartition("=")
        number, _, unit = amount.partition(" ")
        out[name] = concentration(float(number)) if unit == "nM" else f"{number} {unit}"
    return out


def shares(data: xarray.Dataset) -> dict[str, str]:
    """What was turned down, and the share that is left."""
    parts = (item.partition("=") for item in str(data.attrs.get("dial", "")).split("; ") if item)
    return {name: share for name, _, share in parts}


def added(data: xarray.Dataset) -> str:
    """What was added and when; empty if nothing was."""
    found = ", ".join(f"{name} {amount}" for name, amount in amounts(data).items())
    before = float(data.attrs.get("before_min", 0.0))
    when = f"{before:g} min before the ligand" if before else "together with the ligand"
    return f"{found}, {when}" if found else ""


def dialled(data: xarray.Dataset) -> str:
    """What was turned down; empty if nothing was."""
    return ", ".join(
        f"{name} to {share} of normal" if float(share) else f"no {name}" for name, share in shares(data).items()
    )


def sentences(data: xarray.Dataset) -> list[str]:
    """What was added and turned down, as sentences for below a figure."""
    out = [f"Added: {text}." for text in [added(data)] if text]
    return out + [f"Changed: {text}." for text in [dialled(data)] if text]


def brief(data: xarray.Dataset) -> str:
    """What was added and turned down, for a title; it starts with a space unless empty."""
    names, left = list(amounts(data)), [f"{name}={share}" for name, share in shares(data).items()]
    with_ = " and ".join(names) if len(names) <= MOST_IN_TITLE else f"{len(names)} additions"
    at = ", ".join(left) if len(left) <= MOST_IN_TITLE else f"{len(left)} changes"
    return (f" with {with_}" if names else "") + (f" ({at})" if left else "")
