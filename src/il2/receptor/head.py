"""Binding sites as data: which partners a site can hold at once, and with which constants.

A site bound to a set of partners has a formation constant, the product of the dissociation constants along any
path that assembles it. Every step X + c <-> Xc has KD = formation[Xc] / formation[X], so that detailed balance
holds for every cycle by construction. An affinity change of one interface multiplies the formation constant of
every complex that holds this interface, once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.calibrated import chosen
from il2.knowledge.table import number, rows
from il2.network.expression import Expr, num, product, sym
from il2.network.network import Derived, Parameter

COMMON = "IL2RG"
NEIGHBOUR = "_neighbour"
BLOCKED = "blocked"
Complex = frozenset


@dataclass(frozen=True)
class Constant:
    """The KD of one step from `before`; `scales` names affinity changes that its binder brings to what is held."""

    before: frozenset
    name: str
    kd: float
    unit: str
    scales: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """A binding site.

    chains: of the membrane, in the order of names. partners: of the solution. steps: complex -> its last step.
    signalling: the chains that a complex needs to signal, none if it never does. half_activation: the quantity that
    holds how many of them drive its STAT at half of the largest rate. association: the quantity that
    holds the rate of binding from solution. recruitment: that of the rate at which it takes further chains.
    """

    name: str
    kind: str
    chains: tuple[str, ...]
    signalling: frozenset
    stat: str
    half_activation: str
    association: str
    recruitment: str
    steps: dict[frozenset, Constant]
    partners: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.name, self.chains, self.partners, tuple(self.steps)))

    @property
    def private(self) -> str:
        """The chain that is the head's own: not IL2RG and, for IL-2 and IL-15, not IL2RB."""
        own = [c for c in self.chains if c != COMMON and not (c == "IL2RB" and len(self.chains) > 1)]
        return own[0]

    @property
    def complexes(self) -> tuple[frozenset, ...]:
        """Sets of chains and partners that the site can hold at once, smallest first."""
        order = (*self.partners, *self.chains)
        return tuple(sorted(self.steps, key=lambda s: (len(s), [order.index(c) for c in self.ordered(s)])))

    def bound(self, held: frozenset) -> bool:
        """Whether a complex hangs on a membrane."""
        return not held <= set(self.partners)

    def ordered(self, held: frozenset) -> list[str]:
        return [c for c in (*self.partners, *self.chains) if c in held]

    def chains_of(self, held: frozenset) -> list[str]:
        return [c for c in self.chains if c in held]

    def signals(self, held: frozenset) -> bool:
        """A complex signals when it holds every chain that signalling needs, here or on a neighbouring cell."""
        return bool(self.signalling) and self.signalling <= {c.removesuffix(NEIGHBOUR) for c in held}


def cytokines() -> tuple[str, ...]:
    """Names of the wild-type cytokines with affinities in the tables."""
    return tuple(row["name"] for row in rows("heads") if row["kind"] == "cytokine")


@cache
def head(name: str) -> Head:
    """The site of a wild-type cytokine or of an antibody against a chain, from the tables."""
    found = next((row for row in rows("heads") if row["name"] == name), None)
    if found is None:
        raise Il2Error(
            f"no affinities are known for {name!r}", how=did_you_mean(name, [r["name"] for r in rows("heads")])
        )
    steps = {}
    for row in rows("affinities"):
        if row["ligand"] == name:
            chains = Complex(row["product"].split("+"))
            before = Complex(c for c in row["step"].split(">")[0].strip().split("+") if c not in ("", "ligand"))
            constant = f"KD_{name}_{row['product'].replace('+', '_')}"
            steps[chains] = Constant(before, constant, chosen(constant, float(row["kd"])), row["unit"])
    return Head(
        name,
        found["kind"],
        tuple(found["chains"].split(";")),
        Complex(filter(None, found["signalling"].split(";"))),
        found["stat"],
        found["half_activation"],
        found["association"],
        found["recruitment"],
        steps,
    )


def restricted(site: Head, chains: tuple[str, ...]) -> Head:
    """The same site where it can reach only some of its chains; it signals only if they suffice."""
    kept = {held: step for held, step in site.steps.items() if held <= set(chains)}
    order = tuple(c for c in site.chains if c in chains)
    return replace(site, chains=order, steps=kept)


def presented(site: Head) -> Head:
    """The site where its private chain may also stand on a neighbouring cell, with the same constants."""
    own, other = site.private, site.private + NEIGHBOUR
    swap = {own: other}
    steps = dict(site.steps)
    for held, step in site.steps.items():
        if own in held:
            there = Complex(swap.get(c, c) for c in held)
            before = Complex(swap.get(c, c) for c in step.before)
            steps[there] = replace(step, before=before)
    return replace(site, chains=(own, other, *(c for c in site.chains if c != own)), steps=steps)


def in_solution(site: Head, partner: str) -> Head:
    """The site where a partner of the table may hold it too, in solution and on the membrane."""
    row = partner_row(partner)
    steps = dict(site.steps)
    for held in (Complex(), *site.steps):
        if any(partner_effect(row, c) == BLOCKED for c in held):
            continue
        scales = tuple(f"{partner}_factor_{c}" for c in site.ordered(held) if affinity_effect(row, c) is not None)
        constant = Constant(held, f"KD_{partner}", float(row["kd_nM"]), "nM", scales)
        steps[held | {partner}] = constant
    return replace(site, partners=(*site.partners, partner), steps=steps)


def partner_row(name: str) -> dict[str, str]:
    """The row of a partner in solution: a soluble receptor, or an antibody against a cytokine."""
    return next(row for row in rows("partners") if row["name"] == name)


def partner_effect(row: dict[str, str], held: str) -> str:
    """What a partner does to a chain: `blocked`, a factor on the KD as text, or nothing; two partners exclude."""
    return row.get(held.removesuffix(NEIGHBOUR), BLOCKED)


def affinity_effect(row: dict[str, str], held: str) -> float | None:
    """The factor of a partner on the KD of a chain, None where it blocks it or leaves it as it is."""
    effect = partner_effect(row, held)
    return None if effect == BLOCKED else number(effect)


def factor(label: str, chain: str) -> str:
    """Name of the affinity factor of one interface; 1 is wild type."""
    return f"{label}_factor_{chain.removesuffix(NEIGHBOUR)}"


def recruitment_rate(site: Head) -> str:
    """Name of the derived rate at which a bound head takes further chains in the confinement volume at hand."""
    return site.recruitment.replace("surface_association", "recruitment")


def formation(label: str, site: Head, held: frozenset) -> Expr:
    """Formation constant of a complex of the heads `label`; 1 for the empty site."""
    return sym(f"formation_{label}_{'_'.join(site.ordered(held))}") if held else num(1.0)


def parameters(label: str, site: Head) -> tuple[Parameter, ...]:
    """Dissociation constants, one affinity factor per interface, and what partners change."""
    kds = {step.name: Parameter(step.name, step.kd, step.unit) for step in site.steps.values()}
    factors = {factor(label, c): Parameter(factor(label, c), 1.0, "dimensionless") for c in site.chains}
    effects = {}
    for partner in site.partners:
        row = partner_row(partner)
        for chain in site.chains:
            if (effect := affinity_effect(row, chain)) is not None:
                name = f"{partner}_factor_{chain}"
                effects[name] = Parameter(name, effect, "dimensionless")
    return (*kds.values(), *factors.values(), *effects.values())


def formations(label: str, site: Head, crowding: Expr) -> tuple[Derived, ...]:
    """Formation constants, nM^(things bound from solution) * (molecule/cell)^(chains recruited on the membrane).

    Two-dimensional constants scale with `crowding`, the confinement volume over the volume at which they were
    determined.
    """
    out = []
    for held in site.complexes:
        step = site.steps[held]
        added = [c for c in held - step.before if c in site.chains]
        value = (
            sym(step.name) * product([sym(factor(label, c)) for c in added]) * product([sym(s) for s in step.scales])
        )
        if step.before:
            value = formation(label, site, step.before) * value
        if step.unit != "nM":
            value = value * crowding
        chains, solved = len(site.chains_of(held)), len(held & set(site.partners))
        unit = "*".join(["nM"] * (solved + bool(chains)) + ["molecule/cell"] * max(0, chains - 1))
        out.append(Derived(f"formation_{label}_{'_'.join(site.ordered(held))}", value, unit))
    return tuple(out)
