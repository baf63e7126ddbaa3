"""Molecules of any number of heads, followed as pairs of heads.

A molecule of f heads holds f (f - 1) / 2 pairs. The species are the pairs of which at least one head is bound, over
f - 1, so that every bound head stands in one of them with one random other head of its molecule; and the molecules
on the membrane. Pairs obey the rules of a molecule with two heads, for which nothing is lost. For more, two things
are not seen by a pair: whether a head is the last one that holds its molecule, taken as if the other heads were
independent of one another; and the uptake by the heads outside the pair, taken as what each of its bound heads meets
on average. At equilibrium the first is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement

from il2.network.expression import Expr, add, mul, num, sym
from il2.network.network import Network, Observable, Reaction, Species, net_change
from il2.receptor.head import Head, recruitment_rate
from il2.receptor.membrane import ENDOSOME, SURFACE, Membrane, at, step_constant
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import degradation, ledger, recycling, uptake

FLOOR = "smallest_bound_count"
FREE: frozenset = frozenset()
Item = tuple[int, frozenset]  # a head: its kind and what it holds
Pair = tuple[Item, Item]


@dataclass(frozen=True)
class Lump:
    """The species of one molecule at one place."""

    molecule: Molecule
    place: str

    @property
    def heads(self) -> int:
        return sum(self.molecule.numbers)

    @property
    def items(self) -> list[Item]:
        return [(k, held) for k, site in enumerate(self.molecule.sites) for held in (FREE, *site.complexes)]

    @property
    def pairs(self) -> list[Pair]:
        """Every pair with a bound head that the molecule can hold."""
        every = combinations_with_replacement(self.items, 2)
        return [(a, b) for a, b in every if (a[1] or b[1]) and self.others(a[0], b[0])]

    def others(self, kind: int, other: int) -> int:
        """How many other heads of a kind a head meets in its molecule."""
        return self.molecule.numbers[other] - (kind == other)

    def pair(self, a: Item, b: Item) -> Pair:
        return (a, b) if self.items.index(a) <= self.items.index(b) else (b, a)

    def name(self, pair: Pair) -> str:
        left, right = ([self.molecule.labels[k], *self.molecule.sites[k].ordered(held)] for k, held in pair)
        return ".".join([*left, "|", *right]) + "@" + self.place

    @property
    def attached(self) -> str:
        """Molecules on the membrane."""
        return f"{self.molecule.name}.molecules@{self.place}"

    def bound(self, item: Item) -> Expr:
        """Heads of a kind that hold a complex."""
        return add(*(float(p.count(item)) * sym(self.name(p)) for p in self.pairs if item in p))

    def idle(self, kind: int, other: int) -> Expr:
        """Pairs of two free heads on attached molecules."""
        n = self.molecule.numbers
        every = n[kind] * self.others(kind, other) / (self.heads - 1) / (2 if kind == other else 1)
        mine = [sym(self.name(p)) for p in self.pairs if sorted(k for k, _ in p) == sorted((kind, other))]
        return every * sym(self.attached) - add(*mine)

    def alone(self, item: Item) -> Expr:
        """Heads that hold their molecule alone."""
        total, shares = self.bound(item), []
        for other in range(len(self.molecule.sites)):
            if n := self.others(item[0], other):
                free = sym(self.name(self.pair(item, (other, FREE)))) * ((self.heads - 1) / n)
                shares.append((free, n))
        if len(shares) == 1:  # W (W / N)^(f - 2): without a division for two heads
            (free, n) = shares[0]
            return free * (free / (total + sym(FLOOR))) ** (n - 1)
        return mul(total, *((free / (total + sym(FLOOR))) ** n for free, n in shares))

    def species(self) -> list[str]:
        return [*(self.name(p) for p in self.pairs), self.attached]


def species(molecule: Molecule) -> tuple[Species, ...]:
    """Pairs and molecules on the surface and in the endosome."""
    return tuple(Species(n, p, num(0.0)) for p in (SURFACE, ENDOSOME) for n in Lump(molecule, p).species())


def binding(molecule: Molecule, membrane: Membrane) -> tuple[Reaction, ...]:
    """Attachment from solution, assembly on the membrane, bridging by free heads, and release."""
    lump, out = Lump(molecule, membrane.place), []
    for kind, held in lump.items:
        site = molecule.sites[kind]
        for chain in site.chains:
            fuller = held | {chain}
            if chain in held or fuller not in site.steps:
                continue
            if not held:
                out += _attachment(lump, membrane, kind, chain)
            for other in lump.items:
                if lump.others(kind, other[0]):
                    out.append(_step(lump, membrane, (kind, held), (kind, fuller), other, chain))
    return tuple(out)


def _step(lump: Lump, membrane: Membrane, before: Item, after: Item, other: Item, chain: str) -> Reaction:
    """One head of a pair takes a chain; the other head of the pair looks on."""
    kind, held = before
    source, target = lump.pair(before, other), lump.pair(after, other)
    forward, reverse = float(source.count(before)), float(target.count(after))
    kd = step_constant(lump.molecule, kind, held, after[1]) * membrane.dissociation
    here, left = lump.name(target), sym(lump.name(target))
    if held:
        rate, name = sym(recruitment_rate(lump.molecule.sites[kind])), "recruits"
        near = membrane.density
    else:
        rate, name = sym(lump.molecule.sites[kind].association), "is bridged to"
        near = sym("tether_concentration") * membrane.density
    if held or other[1]:
        start, change = sym(lump.name(source)), net_change([lump.name(source), at(chain, lump.place)], [here])
    else:
        start, change = lump.idle(kind, other[0]), net_change([at(chain, lump.place)], [here])
        left = left - lump.others(kind, other[0]) / (lump.heads - 1) * lump.alone(after)
    label = (
        f"{here}: {name} {chain} as {lump.molecule.labels[kind]}.{'.'.join(lump.molecule.sites[kind].ordered(held))}"
    )
    on = forward * rate * near * start * sym(at(chain, lump.place))
    return Reaction(label, change, on, reverse * rate * kd * left)


def _attachment(lump: Lump, membrane: Membrane, kind: int, chain: str) -> list[Reaction]:
    """A molecule in solution takes a chain with a first head, and lets go with the last."""
    molecule, item = lump.molecule, (kind, frozenset({chain}))
    dissolved = at(molecule.name, membrane.supply or lump.place)
    rate = sym(molecule.sites[kind].association)
    kd = step_constant(molecule, kind, FREE, item[1]) * membrane.dissociation
    on = float(molecule.numbers[kind]) * rate * membrane.concentration(dissolved) * sym(at(chain, lump.place))
    off = rate * kd * lump.alone(item)
    change = net_change([*([dissolved] if membrane.supply else []), at(chain, lump.place)], [lump.attached])
    name = f"{molecule.labels[kind]}@{lump.place}: binds {chain}"
    made = []
    for other in range(len(molecule.sites)):
        if share := lump.others(kind, other) / (lump.heads - 1):
            made.append((lump.name(lump.pair(item, (other, FREE))), share))
    if len(made) == 1:
        return [Reaction(name, {**change, made[0][0]: 1}, on, off)]
    return [
        Reaction(name, change, on, off),
        *(Reaction(f"{name} in {pair}", {pair: 1}, share * on, share * off) for pair, share in made),
    ]


def turnover(molecule: Molecule, audit: bool) -> Network:
    """Every bound head leaves at the rate of what it holds and takes its molecule along; see `trafficking`."""
    surface, endosome = Lump(molecule, SURFACE), Lump(molecule, ENDOSOME)
    reactions = [
        *_leaving("internalisation", surface, endosome, uptake, audit),
        *_leaving("recycling", endosome, surface, recycling, audit),
        *_leaving("degradation", endosome, None, degradation, audit),
    ]
    free = at(molecule.name, ENDOSOME)
    gone = {f"{molecule.name}_degraded": 1} if audit else {}
    reactions.append(Reaction(f"{free}: degradation", {free: -1, **gone}, sym("degradation_rate") * sym(free)))
    return Network(molecule.name, species=ledger(*gone), reactions=tuple(reactions))


def _leaving(
    name: str, here: Lump, there: Lump | None, rate: Callable[[Head, frozenset], Expr], audit: bool
) -> list[Reaction]:
    """Molecules leave at the sum of the rates of their bound heads, and with them their pairs."""
    molecule = here.molecule
    pull = [
        here.bound((k, held)) * rate(site, held) for k, site in enumerate(molecule.sites) for held in site.complexes
    ]
    attached = {here.attached: -1} | _arrival(there.attached if there else "", audit, [molecule.name])
    out = [Reaction(f"{here.attached}: {name}", attached, add(*pull))]
    for pair in here.pairs:
        own = add(*(rate(molecule.sites[k], held) for k, held in pair if held), _company(here, pair, rate))
        lost = [c for _, held in pair for c in held]
        change = {here.name(pair): -1} | _arrival(there.name(pair) if there else "", audit, lost)
        if own != num(0.0):
            out.append(Reaction(f"{here.name(pair)}: {name}", change, sym(here.name(pair)) * own))
    return out


def _company(lump: Lump, pair: Pair, rate: Callable[[Head, frozenset], Expr]) -> Expr:
    """Expected pull of the heads of a molecule outside a pair, from what each bound head of the pair meets."""
    witnesses, terms = [item for item in pair if item[1]], []
    for kind, site in enumerate(lump.molecule.sites):
        rest = lump.molecule.numbers[kind] - [k for k, _ in pair].count(kind)
        for item in witnesses if rest else ():
            met = lump.others(item[0], kind) / (lump.heads - 1)
            for held in site.complexes:
                seen = lump.pair(item, (kind, held))
                share = float(seen.count(item)) * sym(lump.name(seen)) / (lump.bound(item) + sym(FLOOR))
                terms.append(rest / len(witnesses) / met * share * rate(site, held))
    return add(*terms)


def _arrival(species: str, audit: bool, lost: list[str]) -> dict[str, int]:
    if species:
        return {species: 1}
    return {f"{c}_degraded": lost.count(c) for c in lost} if audit else {}


def signalling(molecule: Molecule, stat: str, place: str) -> Expr:
    """Number of signalling heads at a place."""
    lump = Lump(molecule, place)
    sites = molecule.sites
    found = [(p, sum(sites[k].stat == stat and sites[k].signals(h) for k, h in p)) for p in lump.pairs]
    return add(*(float(n) * sym(lump.name(p)) for p, n in found if n))


def on_surface(molecule: Molecule) -> Observable:
    """Molecules that hang on the surface by any number of heads."""
    return Observable(f"{molecule.name}_on_surface", sym(Lump(molecule, SURFACE).attached), "molecule/cell")
