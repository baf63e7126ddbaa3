"""Ligands as users give them: a name, a format, and dissociation constants measured in some assay.

Only ratios to wild type within one assay and format transfer to cells. A ratio is a free energy of one
interface and enters the cycle once: as a factor on every formation constant that holds this interface.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity
from il2.knowledge.table import aliases, number, rows
from il2.receptor.cytokine import Cytokine, cytokine, cytokines

MOST_HEADS = 100
ASSAYS = ("solution", "spr", "octet_bli", "cell")
UNFUSED, FC = "unfused", "Fc fusion"
FORMATS = {UNFUSED: 1, FC: 1, "Fc fusion, monovalent": 1, "Fc fusion, bivalent": 2, "Fc fusion, tetravalent": 4}
KDS = {"kd_il2ra_nM": "IL2RA", "kd_il2rbg_nM": "IL2RBG", "kd_il2rb_nM": "IL2RB", "kd_il15ra_nM": "IL15RA"}


@dataclass(frozen=True)
class Ligand:
    """A ligand; checked when made.

    kds: pairs of an interface (IL2RA, IL15RA, IL2RB, or IL2RBG for the IL2RB:IL2RG heterodimer) and a KD in nM
    measured in `assay`. What is not given is wild type in the same format.
    """

    name: str
    base: str = "IL2"
    format: str = UNFUSED
    valency: int = 1
    kds: tuple[tuple[str, float], ...] = ()
    assay: str = "solution"
    sources: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.base not in cytokines():
            raise Il2Error(f"unknown base {self.base!r}", how=did_you_mean(self.base, cytokines()))
        check_assay(self.assay)
        if self.format not in FORMATS:
            raise Il2Error(f"unknown format {self.format!r}", how=did_you_mean(self.format, FORMATS))
        if not 1 <= self.valency <= MOST_HEADS:
            raise Il2Error(f"valency is {self.valency:g}", how=f"Give a whole number from 1 to {MOST_HEADS}.")
        for interface, kd in self.kds:
            if interface not in KDS.values():
                raise Il2Error(f"unknown interface {interface!r}", how=did_you_mean(interface, KDS.values()))
            if not (math.isfinite(kd) and kd > 0):
                raise Il2Error(f"KD of {interface} is {kd:g} nM", how="Give a finite number above zero.")
        other = {"IL2": "IL15RA", "IL15": "IL2RA"}[self.base]
        if other in dict(self.kds):
            raise Il2Error(f"{self.name} does not bind {other}", how="Remove that KD, or change the base.")

    @property
    def is_fc(self) -> bool:
        return self.format.startswith(FC)


def check_assay(assay: str) -> None:
    """Refuse an assay that is not known."""
    if assay not in ASSAYS:
        raise Il2Error(f"unknown kd_assay {assay!r}", how=did_you_mean(assay, ASSAYS))


@cache
def ligands() -> dict[str, Ligand]:
    """Ligands of the table by name. The wild-type cytokines carry no KDs of their own: they are the scale."""
    table = {}
    for row in rows("ligands"):
        name = row["name"]
        kds = tuple((KDS[k], v) for k in KDS if (v := number(row[k])) is not None)
        table[name] = Ligand(
            name,
            row["base"],
            row["format"],
            int(row["valency"]),
            () if name in cytokines() else kds,
            row["kd_assay"],
            tuple(row["sources"].split(";")),
            row["note"],
        )
    return table


def is_ligand(name: str) -> bool:
    return name.casefold() in aliases("ligands")


def ligand(name: str) -> Ligand:
    """A ligand of the table by name or alias."""
    if not is_ligand(name):
        raise Il2Error(
            f"unknown ligand {name!r}",
            how=did_you_mean(name, ligands()) + " A ligand of your own needs at least one KD.",
        )
    return ligands()[aliases("ligands")[name.casefold()]]


def describe(
    name: str,
    kds: dict[str, float],
    assay: str = "",
    format: str = "",
    valency: int | None = None,
    base: str = "",
) -> tuple[Ligand, list[str]]:
    """A ligand from a user's own values, and warnings. Empty means not given.

    Given KDs replace all that are known for the name; an assay that is not given is `solution`. Raises Il2Error
    for an unknown name without KDs and for what `Ligand` refuses.
    """
    assay, format = assay.lower(), {form.lower(): form for form in FORMATS}.get(format.lower(), format)
    known = ligand(name) if is_ligand(name) or not kds else None
    if "IL15RA" in kds and "IL2RA" in kds:
        raise Il2Error("KDs of both IL2RA and IL15RA are given", why="a ligand binds one private chain")
    form = format or (known.format if known else UNFUSED)
    if valency is not None and format in FORMATS and FORMATS[format] > 1 and valency != FORMATS[format]:
        raise Il2Error(f"valency {valency} contradicts the format {format!r}", how="Give one of them.")
    heads = valency if valency is not None else FORMATS[form] if form in FORMATS and (format or not known) else 1
    if known and not kds:
        check_assay(assay or known.assay)
        return replace(known, format=form, valency=heads), []
    warnings = []
    if known:
        warnings.append(f"the given KDs override those known for {known.name}; what is not given is wild type")
    elif not base and not kds.keys() & {"IL2RA", "IL15RA"}:
        warnings.append("taken as an IL-2 mutein, since no KD of a private chain is given")
    origin = base or (known.base if known else "IL15" if "IL15RA" in kds else "IL2")
    return Ligand(name, origin, form, heads, tuple(kds.items()), assay or "solution"), warnings


@dataclass(frozen=True)
class Reference:
    """A wild-type KD (nM) with its range; `fc` is the format that it was measured in, `note` what stands in."""

    kd: float
    low: float
    high: float
    fc: bool
    note: str


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
    ratio = wild_type_kd(cytokine(base), interface) / wild_type_kd(cytokine(origin), interface)
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


def wild_type_kd(of: Cytokine, interface: str) -> float:
    """KD of a chain, or for IL2RBG the product of the two steps (nM times molecules per cell)."""
    if interface == "IL2RBG":
        return of.steps[frozenset({"IL2RB"})][1] * of.steps[frozenset({"IL2RB", "IL2RG"})][1]
    return of.steps[frozenset({interface})][1]


def fusion_factor_applies(given: Ligand) -> bool:
    """Whether the loss of IL2RB affinity in an Fc fusion is still to be counted.

    A KD of IL2RB or of the heterodimer that is compared with an unfused wild type already holds it.
    """
    beta = [i for i, _ in given.kds if i in ("IL2RB", "IL2RBG")]
    return given.is_fc and all(reference(given.assay, True, given.base, i).fc for i in beta)


def interface_factors(given: Ligand) -> tuple[dict[str, float], list[str]]:
    """Affinity factor per chain (1 is wild type on a cell), and warnings.

    The heterodimer KD measures the product of the IL2RB and IL2RG factors; alone it is given to IL2RB.
    """
    warnings: list[str] = []
    ratio: dict[str, float] = {}
    for interface, kd in given.kds:
        wild = reference(given.assay, given.is_fc, given.base, interface)
        ratio[interface] = kd / wild.kd
        warnings += [wild.note] if wild.note else []
    kds = dict(given.kds)
    if "IL2RB" in kds and kds["IL2RB"] < kds.get("IL2RBG", 0.0):
        warnings.append("the heterodimer KD is weaker than that of IL2RB alone: IL2RG then opposes binding")
    private = cytokine(given.base).private
    beta = ratio.get("IL2RB", ratio.get("IL2RBG", 1.0))
    factors = {private: ratio.get(private, 1.0), "IL2RB": beta, "IL2RG": ratio.get("IL2RBG", beta) / beta}
    if fusion_factor_applies(given):
        factors["IL2RB"] *= quantity("Fc_fusion_IL2RB_factor").value
        if given.base != "IL2":
            warnings.append(f"the effect of an Fc fusion is known for IL-2 and taken over for {given.base}")
    if given.valency > 1:
        warnings.append(f"valency {given.valency} is answered as monovalent at the same molecule dose (no avidity yet)")
    return factors, warnings
