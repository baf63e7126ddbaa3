"""From measured dissociation constants to affinity factors on a cell, and to a molecule of a network.

Only ratios to wild type within one assay and format transfer to cells. A ratio is a free energy of one interface and
enters the cycle once: as a factor on every formation constant that holds this interface.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from il2.errors import Il2Error
from il2.knowledge.quantity import quantity
from il2.knowledge.table import number, rows
from il2.receptor.head import Head, factor, head, partner_row, restricted
from il2.receptor.ligand import FC, UNFUSED, Ligand
from il2.receptor.medium import release_rate
from il2.receptor.molecule import Molecule, too_many_forms


@dataclass(frozen=True)
class Reference:
    """A wild-type KD (nM) with its range; `fc` is the format that it was measured in, `note` what stands in."""

    kd: float
    low: float
    high: float
    fc: bool
    note: str


@cache
def reference(assay: str, fc: bool, base: str, interface: str) -> Reference:
    """Wild-type KD in an assay and format; where none is known, the nearest, with a note that says so."""
    table = {
        (row["assay"], row["format"] == FC, row["ligand"], row["interface"]): row
        for row in rows("assay_references")
        if row["reference"] == "default"
    }
    for place in dict.fromkeys((assay, "solution")):
        for form in (fc, not fc):
            for origin in dict.fromkeys((base, "IL2") if interface != "IL15RA" else (base,)):
                if row := table.get((place, form, origin, interface)):
                    return _reference(row, (assay, fc, base, interface), (place, form, origin))
    raise Il2Error(f"no wild-type KD of {base} to {interface} is known")


def _reference(row: dict[str, str], wanted: tuple[str, bool, str, str], found: tuple[str, bool, str]) -> Reference:
    assay, fc, base, interface = wanted
    place, form, origin = found
    ratio = wild_type_kd(head(base), interface) / wild_type_kd(head(origin), interface)
    kd, low, high = (ratio * (number(row[k]) or float(row["kd_nM"])) for k in ("kd_nM", "low", "high"))
    stands_in = []
    if place != assay:
        stands_in.append("the solution value")
    if form != fc:
        stands_in.append(f"the value of the format {FC if form else UNFUSED}")
    if origin != base:
        stands_in.append(f"the value of {origin}, scaled")
    if row["grade"] == "assumed":
        stands_in.append("an assumed value")
    note = f"no wild-type {interface} KD by {assay} is known here: {', '.join(stands_in)} is used" if stands_in else ""
    return Reference(kd, low, high, form, note)


def wild_type_kd(of: Head, interface: str) -> float:
    """KD of a chain, or for IL2RBG the product of the two steps (nM times molecules per cell)."""
    if interface == "IL2RBG":
        return of.steps[frozenset({"IL2RB"})].kd * of.steps[frozenset({"IL2RB", "IL2RG"})].kd
    return of.steps[frozenset({interface})].kd


FUSION_FACTORS = {"IL2RA": "Fc_fusion_IL2RA_factor", "IL2RB": "Fc_fusion_IL2RB_factor"}
"""Interface -> the quantity that tells what an Fc fusion changes of its affinity."""
TELLS = {"IL2RA": ("IL2RA",), "IL2RB": ("IL2RB", "IL2RBG")}


def fusion_factors(given: Ligand) -> dict[str, str]:
    """The quantities, by chain, of what an Fc fusion changes and is still to be counted.

    A KD of the interface that is compared with an unfused wild type already holds it.
    """
    if not given.is_fc:
        return {}
    known = {i: reference(given.assay, True, given.base, i).fc for i, _ in given.kds}
    chains = [c for c in FUSION_FACTORS if c in head(given.base).chains]
    return {c: FUSION_FACTORS[c] for c in chains if all(known.get(i, True) for i in TELLS[c])}


def told_of(interface: str) -> str:
    """The chain whose factor a KD tells: that of the heterodimer is given to IL2RB."""
    return "IL2RB" if interface == "IL2RBG" else interface


def interface_factors(
    given: Ligand, kds: tuple[tuple[str, float], ...] | None = None
) -> tuple[dict[str, float], list[str]]:
    """Affinity factor per chain (1 is wild type on a cell), and warnings; of other heads with their `kds`.

    The heterodimer KD measures the product of the IL2RB and IL2RG factors; alone it is given to IL2RB.
    """
    own = given if kds is None else replace(given, kds=kds, others=(), errors=())
    warnings: list[str] = []
    ratio: dict[str, float] = {}
    for interface, kd in own.kds:
        wild = reference(own.assay, own.is_fc, own.base, interface)
        ratio[interface] = kd / wild.kd
        warnings += [wild.note] if wild.note else []
    table = dict(own.kds)
    if "IL2RB" in table and table["IL2RB"] < table.get("IL2RBG", 0.0):
        warnings.append("the heterodimer KD is weaker than that of IL2RB alone: IL2RG then opposes binding")
    site = head(own.base)
    factors = {c: ratio.get(c, 1.0) for c in site.chains}
    if "IL2RB" in site.chains:
        beta = ratio.get("IL2RB", ratio.get("IL2RBG", 1.0))
        factors |= {"IL2RB": beta, "IL2RG": ratio.get("IL2RBG", beta) / beta}
        for chain, name in fusion_factors(own).items():
            factors[chain] *= quantity(name).value
        for interface, error in own.errors:
            factors[told_of(interface)] *= error
        if fusion_factors(own) and own.base != "IL2":
            warnings.append(f"the effect of an Fc fusion is known for IL-2 and taken over for {own.base}")
    if kds is None:
        warnings += [note for kind in given.others for note in interface_factors(given, kind.kds)[1]]
        warnings = list(dict.fromkeys(warnings)) + _notes(given)
    return factors, warnings


def _notes(given: Ligand) -> list[str]:
    """What a user must know of the shape of a molecule."""
    notes = []
    if given.heads > 1:
        notes.append("avidity is a prediction from an assumed tether; no data on bivalent IL-2 were used")
    if molecule(given, given.base).lumped:
        notes.append("more than two heads are followed as pairs, an approximation")
    if given.complexed:
        notes.append(f"the complex may fall apart as {given.complexed} dissociates; its KD and its effects are assumed")
    if given.inert_forms:
        notes.append("the dose counts the prodrug; what it releases acts as given")
    return notes


def all_factors(given: Ligand) -> list[dict[str, float]]:
    """Affinity factors per chain of every kind of head."""
    return [interface_factors(given)[0], *(interface_factors(given, kind.kds)[0] for kind in given.others)]


def molecule(given: Ligand, slot: str) -> Molecule:
    """The molecule of a ligand under the name `slot` of a network."""
    others = tuple((kind.number, kind.chains) for kind in given.others)
    return _molecule(given.base, slot, given.valency, others, given.inert_forms, given.complexed)


@cache
def _molecule(base: str, slot: str, valency: int, others: tuple, inert: int, complexed: str) -> Molecule:
    site = head(base)
    sites = (site, *(restricted(site, chains) if chains else site for _, chains in others))
    numbers = (valency, *(number for number, _ in others))
    return Molecule(slot, sites, numbers, too_many_forms(sites, numbers), inert, complexed)


def values(given: Ligand, slot: str, factors: list[dict] | None = None) -> dict[str, Any]:
    """Parameters of a ligand in a network where it has the name `slot`: affinity factors and rate of release."""
    of = molecule(given, slot)
    out: dict[str, Any] = {}
    for label, site, kind in zip(of.labels, of.sites, factors or all_factors(given), strict=True):
        out |= {factor(label, c): kind[c] for c in site.chains}
    if given.inert_forms:
        half = given.release_half_life_min or quantity("PEG_release_half_life").value
        out[release_rate(slot)] = math.log(2) / half
    return out


def partners(given: Ligand) -> tuple[str, ...]:
    """Partners in solution that a ligand comes with."""
    return (partner_row(given.complexed)["name"],) if given.complexed else ()
