"""Drugs as the body sees them: mass, activity, and the quantities that hold their pharmacokinetics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity
from il2.knowledge.table import listed, number, rows

CYTOKINE, PRODRUG, COMPLEX, ANTIBODY = "cytokine", "prodrug", "complex", "antibody"
KINETICS = (
    "central_volume", "clearance", "half_life", "to_peripheral", "from_peripheral", "fast_half_life",
    "slow_half_life", "bioavailability", "absorption",
    "delay", "IL2RA_weaker", "IL2RB_weaker", "release_half_life",
)  # fmt: skip
SEPARATOR = "/"


@dataclass(frozen=True)
class Drug:
    """mass_kDa: in which doses are counted. size_kDa: that the kidneys see. kinetics: names of quantities by what they
    are (`KINETICS`). set: which of several sets of constants it is. inert_forms: of a prodrug, before the active form.
    ligand: what it is in the receptor layer."""

    name: str
    set: str
    kind: str
    ligand: str
    mass_kDa: float
    size_kDa: float
    MIU_per_mg: float | None
    kinetics: Mapping[str, str] = field(hash=False)
    inert_forms: int
    species: str
    sources: tuple[str, ...]
    note: str

    @property
    def grades(self) -> tuple[str, ...]:
        """Grades of the quantities that its pharmacokinetics rest on."""
        return tuple(quantity(name).grade for name in self.kinetics.values())


@cache
def drugs() -> tuple[Drug, ...]:
    """Every drug with every set of constants, in the order of the table."""
    return tuple(_drug(row) for row in rows("drugs"))


def drug(name: str, set: str = "") -> Drug:
    """A drug by name or alias with a set of constants, by default its first; an unknown one is an Il2Error.

    `aldesleukin/label` names drug and set in one.
    """
    wanted = _named().get(name.casefold().strip())
    if wanted is None and SEPARATOR in name and not set:
        name, set = name.rsplit(SEPARATOR, 1)
        wanted = _named().get(name.casefold().strip())
    if wanted is None:
        known = dict.fromkeys(d.name for d in drugs())
        raise Il2Error(f"unknown drug {name!r}", where="drugs", how=did_you_mean(name, known))
    own = [d for d in drugs() if d.name == wanted]
    found = [d for d in own if set in ("", d.set)]
    if not found:
        raise Il2Error(f"{wanted} has no set {set!r}", where="drugs", how=did_you_mean(set, [d.set for d in own]))
    return found[0]


@cache
def _named() -> dict[str, str]:
    return {alias.casefold(): row["name"] for row in rows("drugs") for alias in (row["name"], *listed(row["aliases"]))}


def _drug(row: dict[str, str]) -> Drug:
    kinetics = {key: row[key] for key in KINETICS if row[key]}
    for key in ("central_volume", "bioavailability", "absorption", "delay"):
        if key not in kinetics:
            raise Il2Error(f"{row['name']} has no {key}", where="drugs.csv", how="Name a quantity there.")
    if not {"clearance", "half_life"} & set(kinetics):
        how = "Name a quantity for one of the two."
        raise Il2Error(f"{row['name']} has neither a clearance nor a half-life", where="drugs.csv", how=how)
    return Drug(
        row["name"], row["set"], row["kind"], row["ligand"], _mass(row), _size(row), number(row["MIU_per_mg"]),
        kinetics, int(row["inert_forms"] or 0), row["species"], listed(row["sources"]), row["note"],
    )  # fmt: skip


def _mass(row: dict[str, str]) -> float:
    if row["mass"]:
        return quantity(row["mass"]).value
    for molecule in rows("molecules"):
        if molecule["name"] == row["name"] and molecule["mass_kDa"]:
            return float(molecule["mass_kDa"])
    raise Il2Error(f"the mass of {row['name']} is not known", where="drugs.csv", how="Name a quantity in 'mass'.")


def _size(row: dict[str, str]) -> float:
    return quantity(row["size"]).value if row["size"] else _mass(row)
