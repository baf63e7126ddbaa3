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

ASSAYS = ("solution", "spr", "octet_bli", "cell")
UNFUSED, FC = "unfused", "Fc fusion"
FORMATS = {UNFUSED: 1, FC: 1, "Fc fusion, monovalent": 1, "Fc fusion, bivalent": 2, "Fc fusion, tetravalent": 4}
KDS = {"kd_il2ra_nM": "IL2RA", "kd_il2rbg_nM": "IL2RBG", "kd_il2rb_nM": "IL2RB", "kd_il15ra_nM": "IL15RA"}


@dataclass(frozen=True)
class Ligand:
    """`kds` maps IL2RA, IL2RBG (the IL2RB:IL2RG heterodimer), IL2RB or IL15RA to nM in `assay`."""

    name: str
    base: str
    format: str = UNFUSED
    valency: int = 1
    kds: tuple[tuple[str, float], ...] = ()
    assay: str = "solution"
    sources: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_fc(self) -> bool:
        return self.format.startswith(FC)

    @property
    def wild_type(self) -> bool:
        return self.name in cytokines()


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
) -> tuple[Ligand, list[str]]:
    """A ligand from a user's own values, and warnings; values override the table's.

    Raises Il2Error for an unknown name without KDs, an unknown assay or format, a KD or valency that is not
    a positive finite number, and for KDs of both private chains.
    """
    warnings: list[str] = []
    known = ligands()[aliases("ligands")[name.casefold()]] if is_ligand(name) else None
    if known is None and not kds:
        ligand(name)
    for interface, kd in kds.items():
        if not (math.isfinite(kd) and kd > 0):
            raise Il2Error(f"KD of {interface} is {kd:g} nM", how="Give a finite number above zero.")
    if assay and assay not in ASSAYS:
        raise Il2Error(f"unknown kd_assay {assay!r}", how=did_you_mean(assay, ASSAYS))
    if format and format not in FORMATS:
        raise Il2Error(f"unknown format {format!r}", how=did_you_mean(format, FORMATS))
    if "IL15RA" in kds and "IL2RA" in kds:
        raise Il2Error("KDs of both IL2RA and IL15RA are given", why="a ligand binds one private chain")
    base = known.base if known else "IL15" if "IL15RA" in kds else "IL2"
    if ("IL15RA" in kds and base == "IL2") or ("IL2RA" in kds and base == "IL15"):
        raise Il2Error(f"{name} does not bind {'IL15RA' if base == 'IL2' else 'IL2RA'}", how="Remove that KD.")
    form = format or (known.format if known else UNFUSED)
    heads = valency if valency is not None else FORMATS[form] if format or not known else known.valency
    if heads < 1:
        raise Il2Error(f"valency is {heads}", how="Give a whole number from 1 up.")
    if known and kds:
        warnings.append(f"the given KDs override those known for {known.name}")
    merged = dict(known.kds) if known and (not assay or assay == known.assay) else {}
    out = Ligand(
        name, base, form, heads, tuple((merged | kds).items()), assay or (known.assay if known else "solution")
    )
    if known and not kds:
        out = replace(known, format=form, valency=heads)
    if heads > 1:
        warnings.append(
            f"valency {heads} is answered as monovalent at the same molecule dose; avidity is not modelled yet"
        )
    return out, warnings


def reference(assay: str, fc: bool, base: str, interface: str) -> tuple[float, str]:
    """Wild-type KD (nM) in an assay and format, and a warning where another format or ligand stands in."""
    wanted = FC if fc else UNFUSED
    table = {
        (row["assay"], row["format"], row["ligand"], row["interface"]): float(row["kd_nM"])
        for row in rows("assay_references")
        if row["reference"] == "default"
    }
    for form in (wanted, UNFUSED if fc else FC):
        note = (
            ""
            if form == wanted
            else f"no wild-type {interface} KD of the format {wanted} is known by {assay}; that of {form} is used"
        )
        if (assay, form, base, interface) in table:
            return table[assay, form, base, interface], note
        if interface != "IL15RA" and (assay, form, "IL2", interface) in table:
            ratio = wild_type_kd(cytokine(base), interface) / wild_type_kd(cytokine("IL2"), interface)
            return table[assay, form, "IL2", interface] * ratio, note
    if assay != "solution":
        kd, _ = reference("solution", fc, base, interface)
        return kd, f"no wild-type {interface} KD is known by {assay}; the solution value is used"
    raise Il2Error(f"no wild-type KD of {base} to {interface} is known")


def wild_type_kd(of: Cytokine, interface: str) -> float:
    """KD of a chain, or for IL2RBG the product of the two steps (nM times molecules per cell)."""
    if interface == "IL2RBG":
        return of.steps[frozenset({"IL2RB"})][1] * of.steps[frozenset({"IL2RB", "IL2RG"})][1]
    return of.steps[frozenset({interface})][1]


def interface_factors(given: Ligand) -> tuple[dict[str, float], list[str]]:
    """Affinity factor per chain (1 is wild type on a cell), and warnings.

    The heterodimer KD measures the product of the IL2RB and IL2RG factors; alone it is given to IL2RB.
    """
    warnings: list[str] = []
    ratio: dict[str, float] = {}
    for interface, kd in given.kds:
        wild, note = reference(given.assay, given.is_fc, given.base, interface)
        ratio[interface] = kd / wild
        warnings += [note] if note else []
    private = cytokine(given.base).private
    beta = ratio.get("IL2RB", ratio.get("IL2RBG", 1.0))
    factors = {private: ratio.get(private, 1.0), "IL2RB": beta, "IL2RG": ratio.get("IL2RBG", beta) / beta}
    if given.is_fc:
        factors["IL2RB"] *= quantity("Fc_fusion_IL2RB_factor").value
    return factors, warnings
