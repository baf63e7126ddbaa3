"""What `respond` is asked: ligands, cells with counts, doses and times, each checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from il2.cell.override import counts_of, counts_with
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import CHAINS, Count, cell, default_cells, is_cell
from il2.receptor.addition import Mixture, dials
from il2.receptor.head import head
from il2.receptor.ligand import Ligand

NOTHING: Mapping[str, float] = MappingProxyType({})


def listed(value) -> list:
    """One name or ligand as a list of one; several as a list."""
    return [value] if isinstance(value, (str, Ligand)) else list(value)


def inventory(cells, values: Mapping[str, float] = NOTHING) -> dict[str, dict[str, Count]]:
    """Counts per cell and chain: of the default cells, of cells by name, or of a user's own mapping.

    Those of a set, `values` by `CELL CHAIN`, stand before what is known of a cell, and fill in what a mapping leaves
    out of a cell that is not known.
    """
    if isinstance(cells, Mapping):
        distinct("cell", list(cells))
        more = {name: {} if is_cell(name) else counts_of(name, values) for name in cells}
        return {name: more[name] | _own_counts(name, counts) for name, counts in cells.items()}
    names = default_cells() if cells is None else listed(cells)
    found = {}
    for name in names:
        known = is_cell(name) or not counts_of(name, values)
        found[cell(name).name if known else name] = dict(cell(name).counts) if known else {}
    distinct("cell", [cell(name).name if is_cell(name) else name for name in names])
    return {name: counts_with(name, counts, values) for name, counts in found.items()}


def known_counts(name: str, counts: Mapping[str, Count], mix: Mixture, item: Ligand) -> dict[str, Count]:
    """Counts of the chains of a mixture; what is not known is none, unless the ligand itself needs it."""
    none = Count(0.0, 0.0, 0.0, "assumed", ())
    for chain in head(item.base).chains:
        if chain not in counts and chain != "IL15RA":
            how = "Give a CSV of counts, or choose a cell for which it is known."
            raise Il2Error(f"no {chain} count of {name} is known, and {item.name} binds it", how=how)
    return {c: counts.get(c, none) for c in mix.system.chains if c in CHAINS}


def checked_dials(dial: Mapping[str, float]) -> dict[str, float]:
    """Shares of chains and kinases given as a mapping, checked as text is."""
    return dials("; ".join(f"{name}={share!r}" for name, share in dial.items()), CHAINS)


def distinct(what: str, names: list[str]) -> None:
    """Refuse no names, and a name that stands twice."""
    if not names:
        raise Il2Error(f"no {what} is named", where="respond", how="Give at least one.")
    if len(set(names)) < len(names):
        raise Il2Error(f"the {what} {max(names, key=names.count)!r} is named twice", how="Give every one its own name.")


def _own_counts(name: str, counts: Mapping[str, float]) -> dict[str, Count]:
    out = {}
    if unknown := set(counts) - set(CHAINS):
        raise Il2Error(f"unknown chain {min(unknown)!r} of {name!r}", how=did_you_mean(min(unknown), CHAINS))
    for chain, value in counts.items():
        if not (np.isfinite(value) and value >= 0):
            raise Il2Error(f"{chain} of {name!r} is {value:g} per cell", how="Give a finite number from 0 up.")
        out[chain] = Count(float(value), float(value), float(value), "high", ("user",))
    return out


def numbers(values: Sequence[float], name: str, positive: bool) -> np.ndarray:
    """Finite numbers above zero (`positive`) or from zero up, as an array (n,); else an error that says which."""
    array = np.atleast_1d(np.asarray(values, dtype=float))
    if array.ndim != 1 or not len(array):
        raise Il2Error(f"{name} is empty", where="respond", how="Give at least one number.")
    bad = array[~np.isfinite(array) | ((array <= 0) if positive else (array < 0))]
    if len(bad):
        limit = "above zero" if positive else "from zero up"
        raise Il2Error(f"{name} holds {bad[0]:g}", where="respond", how=f"Give finite numbers {limit}.")
    return array


def overriding(cells, values: Mapping[str, float] = NOTHING) -> Iterator[str]:
    """Warnings for cells of a user's own: known names whose counts are replaced, cells that are not known, and cells
    of which a set of values has other counts."""
    for name in cells if isinstance(cells, Mapping) else ():
        own = {chain: count.value for chain, count in counts_of(name, values).items()}
        if not is_cell(name) and any(cells[name].get(chain, value) != value for chain, value in own.items()):
            yield f"the given counts of {name} stand before those of the parameter set"
        if is_cell(name):
            yield f"the given counts override those known for {name}"
        else:
            yield _pooled(name)
    for name in () if isinstance(cells, Mapping) or cells is None else listed(cells):
        if not is_cell(name):
            yield _pooled(name)


def _pooled(name: str) -> str:
    return f"{name} is not in the knowledge base: pooled cell parameters"
