"""What is added to a ligand: other cytokines, antibodies, soluble receptors, complexes, inhibitors, and what is
taken away: chains and kinases turned down.

An addition is written `name=amount`, several with semicolons: `daclizumab=10 ug/mL; IL7=1 nM`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import number, rows
from il2.receptor.affinity import molecule, partners, values
from il2.receptor.head import NEIGHBOUR, head, partner_row
from il2.receptor.ligand import Ligand, catalogued, is_ligand, ligand
from il2.receptor.model import System, dose, system
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import count
from il2.units import quantity_in

ARMS = 2  # of an antibody
INHIBITOR, NEIGHBOUR_CHAIN = "JAK_inhibitor", "IL15RA" + NEIGHBOUR
KINASES = ("JAK1", "JAK3")
LARGEST_nM = 1e6


@dataclass(frozen=True)
class Addition:
    """One molecule and its amount, in nM (molecules per cell for what stands on a neighbouring cell)."""

    name: str
    amount: float

    def __post_init__(self) -> None:
        largest, words = (1e7, "1e7 per cell") if self.on_neighbour else (LARGEST_nM, "1 mM")
        if not (math.isfinite(self.amount) and 0 <= self.amount <= largest):
            how = f"Give a finite amount from 0 up, at most {words}."
            raise Il2Error(f"{self.name}={self.amount:g}", where="with", how=how)
        self.check()

    @property
    def known(self) -> str:
        """The name in the catalogue."""
        row = catalogued(self.name)
        return row["name"] if row else self.name

    @property
    def on_neighbour(self) -> bool:
        row = catalogued(self.name)
        return row is not None and row["network"] == NEIGHBOUR_CHAIN

    @property
    def network(self) -> str:
        """What the molecule is in a network."""
        row = catalogued(self.name)
        return row["network"] if row else ""

    def check(self) -> None:
        """Refuse an unknown molecule, and one without an affinity."""
        row = catalogued(self.name)
        if row is None:
            known = [r["name"] for r in rows("molecules") if r["network"]]
            raise Il2Error(f"unknown molecule {self.name!r}", where="with", how=did_you_mean(self.name, known))
        if not row["network"]:
            why, how = "no measured affinity or potency of it is known here", "See `il2 molecules`."
            raise Il2Error(f"{row['name']} cannot be simulated", where="with", why=why, how=how)


def additions(text: str) -> tuple[Addition, ...]:
    """Read `name=amount; name=amount`; amounts carry a unit (nM, ug/mL, or per cell)."""
    out = []
    for item in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, amount = (part.strip() for part in item.partition("="))
        if not (name and equals and amount):
            raise Il2Error(f"{item!r} is no name=amount", where="with", how="Write it like 'daclizumab=10 ug/mL'.")
        row = catalogued(name)
        if row is not None and row["network"] == NEIGHBOUR_CHAIN:
            plain = re.sub(r"\s*(molecules?)?\s*(/|per)\s*cell$", " molecule/cell", amount)
            cells = quantity_in(plain, "molecule/cell", where=f"with {name}")
            out.append(Addition(row["name"], cells))
            continue
        mass = number(row["mass_kDa"]) if row else None
        grams = None if mass is None else 1000 * mass
        nM = quantity_in(amount, "nM", molar_mass_g_per_mol=grams, where=f"with {name}")
        out.append(Addition(row["name"] if row else name, nM))
    distinct(out)
    return tuple(out)


def distinct(added: Sequence[Addition]) -> None:
    """Refuse a molecule that is added twice, under whatever names."""
    known = [item.known for item in added]
    if len(set(known)) < len(known):
        name = max(known, key=known.count)
        raise Il2Error(f"{name!r} is added twice", where="with", how="Give its whole amount once.")


def dials(text: str, chains: Sequence[str]) -> dict[str, float]:
    """Read `IL2RG=0; JAK3=0.5`: shares of chains and kinases that are left; 0 is a knock-out."""
    out: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(";"))):
        name, _, share = (part.strip() for part in item.partition("="))
        known = {n.casefold(): n for n in (*chains, *KINASES)}
        if name.casefold() not in known:
            raise Il2Error(f"unknown chain or kinase {name!r}", where="dial", how=did_you_mean(name, known.values()))
        try:
            value = float(share)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            raise Il2Error(
                f"{item!r} is no name=share", where="dial", how="Give a number from 0 up; 1 leaves it as is."
            )
        if known[name.casefold()] in out:
            raise Il2Error(f"{known[name.casefold()]} is dialled twice", where="dial", how="Give one share.")
        out[known[name.casefold()]] = value
    return out


@dataclass(frozen=True)
class Mixture:
    """A ligand with additions: its network, the name of its dose there, and parameters that do not vary by lane."""

    system: System
    slot: str
    values: dict[str, float]
    added: tuple[str, ...]  # parameters that hold amounts of additions
    names: tuple[str, ...]  # of the additions in the catalogue
    ligands: tuple[tuple[Ligand, str], ...]  # every ligand and its name in the network


def mixture(
    given: Ligand, added: Sequence[Addition] = (), depleted: bool = False, factors: list | None = None
) -> Mixture:
    """The network of a ligand with additions, and its parameters: factors of the ligand, amounts of the rest."""
    distinct(added)
    molecules: list[Molecule] = [molecule(given, given.base)]
    table = values(given, given.base, factors)
    names, amounts, neighbour = list(partners(given)), [], False
    inside = [(given, given.base)]
    for item in added:
        network = item.network
        if is_ligand(item.name):
            other = ligand(item.name)
            slot = _free_slot(other.base, molecules)
            molecules.append(molecule(other, slot))
            inside.append((other, slot))
            table |= values(other, slot)
            names += [p for p in partners(other) if p not in names]
            parameter = dose(slot)
        elif network == INHIBITOR:
            parameter = dose(INHIBITOR)
        elif network == NEIGHBOUR_CHAIN:
            neighbour, parameter = True, count(NEIGHBOUR_CHAIN)
        elif any(row["name"] == network for row in rows("partners")):
            names += [network] if network not in names else []
            parameter = dose(network)
        else:
            molecules.append(Molecule(network, (head(network),), (ARMS,)))
            parameter = dose(network)
        table[parameter] = item.amount
        amounts.append(parameter)
    bases = {site.name for m in molecules for site in m.sites}
    for name in names:
        if partner_row(name)["target"] not in bases:
            target = partner_row(name)["target"]
            how = f"Give it with {target} or one of its muteins."
            raise Il2Error(f"{name} has nothing to bind", where="with", why=f"no {target} is there", how=how)
    if neighbour and "IL15" not in bases:
        raise Il2Error("no IL-15 is there to be presented", where="with", how="Add IL15, or leave the neighbour out.")
    found = system(*molecules, partners=tuple(names), neighbour=neighbour, depleted=depleted)
    return Mixture(found, given.base, table, tuple(amounts), tuple(a.known for a in added), tuple(inside))


def _free_slot(base: str, molecules: list[Molecule]) -> str:
    """A name of the network for one more molecule of a base that may already be there."""
    taken, name = {m.name for m in molecules}, base
    while name in taken:
        name += "x"
    return name


def turned_down(counts: dict, shares: dict[str, float]) -> dict:
    """Counts with the chains of `shares` turned down; kinases are parameters of their own."""
    return {chain: value * shares.get(chain, 1.0) for chain, value in counts.items()}


def kinases(shares: dict[str, float]) -> dict[str, float]:
    return {k: v for k, v in shares.items() if k in KINASES}


__all__ = ["Addition", "Mixture", "additions", "dials", "kinases", "mixture", "turned_down"]
