"""Cytokines of the common gamma chain as data: which chains they bind and with which constants.

A ligand bound to a set of chains has a formation constant, the product of the dissociation constants along
any path that assembles it. Every step X + c <-> Xc has KD = formation[Xc] / formation[X], so that detailed
balance holds for every cycle by construction. An affinity change of one interface multiplies the formation
constant of every complex that holds this interface, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import rows
from il2.network.expression import Expr, product, sym
from il2.network.network import Derived, Parameter

SHARED = ("IL2RB", "IL2RG")
Complex = frozenset


@dataclass(frozen=True)
class Cytokine:
    """`private` is the alpha chain. `steps` maps a complex to (precursor complex, KD, unit)."""

    name: str
    private: str
    steps: dict[frozenset, tuple[frozenset, float, str]]

    @property
    def chains(self) -> tuple[str, ...]:
        return (self.private, *SHARED)

    @property
    def complexes(self) -> tuple[frozenset, ...]:
        """Sets of chains that the ligand can hold at once, smallest first."""
        return tuple(sorted(self.steps, key=lambda s: (len(s), [self.chains.index(c) for c in self.ordered(s)])))

    def ordered(self, chains: frozenset) -> list[str]:
        return [c for c in self.chains if c in chains]

    def signals(self, chains: frozenset) -> bool:
        """A complex signals when it holds both IL2RB and IL2RG."""
        return set(SHARED) <= chains

    def species(self, chains: frozenset, place: str) -> str:
        return ".".join([self.name, *self.ordered(chains)]) + "@" + place


def cytokines() -> tuple[str, ...]:
    """Names of the wild-type cytokines with affinities in the tables."""
    return tuple(dict.fromkeys(row["ligand"] for row in rows("affinities")))


@cache
def cytokine(name: str) -> Cytokine:
    """A wild-type cytokine from the table of affinities."""
    steps = {}
    for row in rows("affinities"):
        if row["ligand"] == name:
            chains = Complex(row["product"].split("+"))
            before = Complex(c for c in row["step"].split(">")[0].strip().split("+") if c not in ("", name))
            steps[chains] = (before if before < chains else Complex(), float(row["kd"]), row["unit"])
    if not steps:
        raise Il2Error(f"no affinities are known for {name!r}", how=did_you_mean(name, cytokines()))
    (private,) = {c for s in steps for c in s} - set(SHARED)
    return Cytokine(name, private, steps)


def constant(ligand: Cytokine, chains: frozenset) -> str:
    return f"KD_{ligand.name}_{'_'.join(ligand.ordered(chains))}"


def factor(ligand: Cytokine, chain: str) -> str:
    """Name of the affinity factor of one interface; 1 is wild type."""
    return f"{ligand.name}_factor_{chain}"


def formation(ligand: Cytokine, chains: frozenset) -> str:
    return f"formation_{ligand.name}_{'_'.join(ligand.ordered(chains))}"


def parameters(ligand: Cytokine) -> tuple[Parameter, ...]:
    """Independent dissociation constants and one affinity factor per interface."""
    kds = tuple(Parameter(constant(ligand, s), ligand.steps[s][1], ligand.steps[s][2]) for s in ligand.complexes)
    factors = tuple(Parameter(factor(ligand, c), 1.0, "dimensionless") for c in ligand.chains)
    return kds + factors


def formations(ligand: Cytokine, crowding: Expr) -> tuple[Derived, ...]:
    """Formation constants, nM * (molecule/cell)^(chains - 1).

    Two-dimensional constants scale with `crowding`, the confinement volume over the volume at which
    they were determined.
    """
    out = []
    for chains in ligand.complexes:
        before, _, _ = ligand.steps[chains]
        step = sym(constant(ligand, chains)) * product([sym(factor(ligand, c)) for c in chains - before])
        value = sym(formation(ligand, before)) * step * crowding if before else step
        unit = "nM" + "*molecule/cell" * (len(chains) - 1)
        out.append(Derived(formation(ligand, chains), value, unit))
    return tuple(out)
