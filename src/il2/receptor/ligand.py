"""Ligands as users give them: a name, a format, heads, and dissociation constants measured in some assay."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.calibrated import calibrated
from il2.knowledge.table import aliases, number, rows
from il2.receptor.head import NEIGHBOUR, cytokines, head, restricted

MOST_HEADS, MOST_INERT = 100, 20
ASSAYS = ("solution", "spr", "octet_bli", "cell")
UNFUSED, FC, PRODRUG = "unfused", "Fc fusion", "PEG prodrug"
FORMATS = {
    UNFUSED: 1, FC: 1, "Fc fusion, monovalent": 1, "Fc fusion, bivalent": 2, "Fc fusion, tetravalent": 4, PRODRUG: 1,
}  # fmt: skip
ALPHA_ONLY = ("IL2RA",)
ERRING = ("IL2RA", "IL2RBG")  # interfaces whose measured KD the joint fit corrects by ligand
KDS = {"kd_il2ra_nM": "IL2RA", "kd_il2rbg_nM": "IL2RBG", "kd_il2rb_nM": "IL2RB", "kd_il15ra_nM": "IL15RA"}


@dataclass(frozen=True)
class Heads:
    """More heads of a molecule, unlike its first: how many, their KDs, and the chains they reach (none: all)."""

    number: int
    kds: tuple[tuple[str, float], ...] = ()
    chains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ligand:
    """A ligand; checked when made.

    kds: pairs of an interface (IL2RA, IL15RA, IL2RB, or IL2RBG for the IL2RB:IL2RG heterodimer) and a KD in nM
    measured in `assay`. What is not given is wild type in the same format. valency: the heads with these KDs;
    others: further heads. complexed: the partner in solution that it is mixed with beforehand. inert_forms: of a
    prodrug, which lose one chain after the other with a half-life of `release_half_life_min` each. errors: pairs of an
    interface and what the calibration multiplies its KD with, where the KDs are those of the catalogue.
    """

    name: str
    base: str = "IL2"
    format: str = UNFUSED
    valency: int = 1
    kds: tuple[tuple[str, float], ...] = ()
    assay: str = "solution"
    sources: tuple[str, ...] = ()
    note: str = ""
    others: tuple[Heads, ...] = ()
    complexed: str = ""
    inert_forms: int = 0
    release_half_life_min: float = 0.0
    errors: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.base not in cytokines():
            raise Il2Error(f"unknown base {self.base!r}", how=did_you_mean(self.base, cytokines()))
        check_assay(self.assay)
        if self.format not in FORMATS:
            raise Il2Error(f"unknown format {self.format!r}", how=did_you_mean(self.format, FORMATS))
        for n in (self.valency, *(kind.number for kind in self.others)):
            if not (1 <= n <= MOST_HEADS and n == int(n)):
                raise Il2Error(f"valency is {n:g}", how=f"Give a whole number from 1 to {MOST_HEADS}.")
        for chain in (c for kind in self.others for c in kind.chains):
            if chain not in head(self.base).chains:
                raise Il2Error(f"{self.base} does not bind {chain}", how="Leave out the heads that should.")
        for kind in self.others:
            if kind.chains and not restricted(head(self.base), kind.chains).steps:
                raise Il2Error(
                    f"a head that reaches {' and '.join(kind.chains)} binds nothing", how="Name other chains."
                )
        if self.complexed and self.complexed not in {row["name"] for row in rows("partners")}:
            known = [row["name"] for row in rows("partners")]
            raise Il2Error(f"unknown partner {self.complexed!r}", how=did_you_mean(self.complexed, known))
        for interface, kd in (*self.kds, *(pair for kind in self.others for pair in kind.kds)):
            self._check_kd(interface, kd)
        if (self.format == PRODRUG) != bool(self.inert_forms):
            raise Il2Error(f"{self.inert_forms} inert forms of the format {self.format!r}", how=RELEASE_HOW)
        if not (0 <= self.inert_forms <= MOST_INERT and self.inert_forms == int(self.inert_forms)):
            raise Il2Error(f"inert_forms is {self.inert_forms}", how=f"Give a whole number from 1 to {MOST_INERT}.")
        if not (math.isfinite(self.release_half_life_min) and self.release_half_life_min >= 0):
            raise Il2Error(f"the half-life of release is {self.release_half_life_min:g} min", how="Give it above zero.")

    def _check_kd(self, interface: str, kd: float) -> None:
        if interface not in KDS.values():
            raise Il2Error(f"unknown interface {interface!r}", how=did_you_mean(interface, KDS.values()))
        if not (math.isfinite(kd) and kd > 0):
            raise Il2Error(f"KD of {interface} is {kd:g} nM", how="Give a finite number above zero.")
        if interface.removesuffix("G") not in head(self.base).chains:
            raise Il2Error(f"{self.name} does not bind {interface}", how="Remove that KD, or change the base.")

    @property
    def is_fc(self) -> bool:
        return self.format.startswith(FC)

    @property
    def heads(self) -> int:
        return self.valency + sum(kind.number for kind in self.others)


RELEASE_HOW = f"The format {PRODRUG!r} needs inert_forms, a whole number from 1 up; other formats have none."


def check_assay(assay: str) -> None:
    """Refuse an assay that is not known."""
    if assay not in ASSAYS:
        raise Il2Error(f"unknown kd_assay {assay!r}", how=did_you_mean(assay, ASSAYS))


@cache
def ligands() -> dict[str, Ligand]:
    """Ligands of the catalogue by name. The wild-type cytokines carry no KDs of their own: they are the scale."""
    table = {}
    for row in rows("molecules"):
        if row["base"] and row["network"]:
            kds = tuple((KDS[k], v) for k in KDS if (v := number(row[k])) is not None)
            is_fusion = row["format"] == FC
            table[row["name"]] = Ligand(
                row["name"],
                row["base"],
                FC if is_fusion else UNFUSED,
                int(row["valency"] or 1) if is_fusion else 1,
                kds if is_fusion else (),
                row["kd_assay"] or "solution",
                tuple(row["sources"].split(";")),
                row["note"],
                complexed=row["network"] if row["kind"] == "complex" else "",
                errors=tuple((c, e.value) for c in ERRING if (e := calibrated().get(f"{row['name']} {c}"))),
            )
    return table


def catalogued(name: str) -> dict[str, str] | None:
    """The row of the catalogue for a name or alias."""
    known = aliases("molecules").get(name.casefold())
    return next((row for row in rows("molecules") if row["name"] == known), None)


def is_ligand(name: str) -> bool:
    row = catalogued(name)
    return row is not None and row["name"] in ligands()


def ligand(name: str) -> Ligand:
    """A ligand of the catalogue by name or alias; one without a measured affinity is refused."""
    row = catalogued(name)
    if row is not None and row["name"] in ligands():
        return ligands()[row["name"]]
    if row is not None and not row["network"]:
        raise Il2Error(
            f"{row['name']} cannot be simulated",
            why="no measured affinity or potency of it is known here",
            how="Describe it in a YAML file with KDs of your own." if row["base"] else "See `il2 molecules`.",
        )
    if row is not None:
        amount = "1000/cell" if row["network"].endswith(NEIGHBOUR) else "10 nM"
        raise Il2Error(f"{row['name']} is no cytokine", how=f"Add it to one: --with '{row['name']}={amount}'.")
    raise Il2Error(
        f"unknown ligand {name!r}",
        how=did_you_mean(name, ligands()) + " A ligand of your own needs at least one KD, or a base.",
    )


def describe(
    name: str,
    kds: dict[str, float],
    assay: str = "",
    format: str = "",
    valency: int | None = None,
    base: str = "",
    others: tuple[Heads, ...] = (),
    inert_forms: int = 0,
    release_half_life_min: float = 0.0,
) -> tuple[Ligand, list[str]]:
    """A ligand from a user's own values, and warnings. Empty means not given.

    Given KDs replace all that are known for the name; an assay that is not given is `solution`. Raises Il2Error
    for an unknown name without KDs and for what `Ligand` refuses.
    """
    assay, format = assay.lower(), {form.lower(): form for form in FORMATS}.get(format.lower(), format)
    known = ligand(name) if is_ligand(name) or not (kds or base) else None
    more = {"others": others, "inert_forms": inert_forms, "release_half_life_min": release_half_life_min}
    if "IL15RA" in kds and "IL2RA" in kds:
        raise Il2Error("KDs of both IL2RA and IL15RA are given", why="a ligand binds one private chain")
    form = format or (known.format if known else UNFUSED)
    if valency is not None and format in FORMATS and "," in format and valency != FORMATS[format]:
        raise Il2Error(f"valency {valency} contradicts the format {format!r}", how="Give one of them.")
    heads = valency if valency is not None else FORMATS[form] if form in FORMATS and (format or not known) else 1
    if known and not kds:
        check_assay(assay or known.assay)
        return replace(known, format=form, valency=heads, **more), []  # type: ignore[arg-type]
    warnings = []
    if known:
        warnings.append(f"the given KDs override those known for {known.name}; what is not given is wild type")
    elif not base and not kds.keys() & {"IL2RA", "IL15RA"}:
        warnings.append("taken as an IL-2 mutein, since no KD of a private chain is given")
    origin = base or (known.base if known else "IL15" if "IL15RA" in kds else "IL2")
    return Ligand(name, origin, form, heads, tuple(kds.items()), assay or "solution", **more), warnings  # type: ignore[arg-type]
