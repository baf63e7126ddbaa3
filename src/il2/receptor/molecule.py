"""Molecules: heads that each hold their own set of chains, enumerated, or followed as pairs (see `lumped`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import comb, prod

from il2.errors import Il2Error
from il2.receptor.head import Head

Form = tuple[frozenset, ...]
MOST_FORMS, MOST_WITH_PARTNERS = 60, 150  # more would compile for minutes


@dataclass(frozen=True)
class Molecule:
    """A molecule under the name that it has in a network.

    sites: its distinct kinds of heads. numbers: how many of each. lumped: followed as pairs of heads instead of as
    forms of the whole. release: inert forms that turn into the active molecule one after the other (a prodrug that
    sheds its PEG chains). complexed: the partner that holds every head at the start.
    """

    name: str
    sites: tuple[Head, ...]
    numbers: tuple[int, ...] = (1,)
    lumped: bool = False
    release: int = 0
    complexed: str = ""

    def __post_init__(self) -> None:
        too_many = self.lumped or how_many_forms(self.sites, self.numbers) > MOST_WITH_PARTNERS
        if too_many and any(site.partners for site in self.sites):
            raise Il2Error(
                f"the heads of {self.name} and their partner in solution can combine in too many ways",
                where="with",
                why="which heads the partner covers is only followed where every form is",
                how="Leave the partner out, or give a valency of 1 or 2.",
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """One name per kind of head, for its affinity factors and formation constants."""
        return tuple(self.name if k == 0 else f"{self.name}_{k + 1}" for k in range(len(self.sites)))

    @property
    def slots(self) -> tuple[int, ...]:
        """The kind of each head."""
        return tuple(k for k, n in enumerate(self.numbers) for _ in range(n))

    @property
    def chains(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for site in self.sites for c in site.chains))

    @property
    def partners(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p for site in self.sites for p in site.partners))

    @property
    def forms(self) -> tuple[Form, ...]:
        """Every way the heads may hold chains and partners; forms that differ by the order of equal heads are one."""
        states = [(frozenset(), *self.sites[k].complexes) for k in self.slots]
        return tuple(dict.fromkeys(self.canonical(form) for form in product(*states)))

    @property
    def on_membrane(self) -> tuple[Form, ...]:
        return tuple(form for form in self.forms if self.bound(form))

    @property
    def dissolved(self) -> tuple[Form, ...]:
        if self.lumped:
            return ((frozenset(),) * len(self.slots),)
        return tuple(form for form in self.forms if not self.bound(form))

    def canonical(self, form: Form) -> Form:
        """Equal heads in one order, fullest first."""
        out: list[frozenset] = []
        for k in range(len(self.sites)):
            mine = [held for held, slot in zip(form, self.slots, strict=True) if slot == k]
            order = (frozenset(), *self.sites[k].complexes)
            out += sorted(mine, key=order.index, reverse=True)
        return tuple(out)

    def bound(self, form: Form) -> bool:
        return any(self.sites[k].bound(held) for k, held in zip(self.slots, form, strict=True))

    def signalling(self, form: Form, stat: str) -> int:
        """How many heads of a form signal through a STAT."""
        pairs = zip(self.slots, form, strict=True)
        return sum(self.sites[k].signals(held) for k, held in pairs if self.sites[k].stat == stat)

    def species(self, form: Form, place: str) -> str:
        held = ["|"] * (len(form) - 1)
        parts = [self.sites[k].ordered(h) for k, h in zip(self.slots, form, strict=True)]
        if not any(parts):
            return f"{self.name}@{place}"
        joined = [x for i, p in enumerate(parts) for x in (*held[:1] * bool(i), *p)]
        return ".".join([self.name, *joined]) + "@" + place

    def contents(self, form: Form) -> Counter:
        """How often a form holds each chain and partner."""
        return Counter(c for held in form for c in held)


def too_many_forms(sites: tuple[Head, ...], numbers: tuple[int, ...]) -> bool:
    """Whether the heads of a molecule are better followed as pairs."""
    return how_many_forms(sites, numbers) > MOST_FORMS


def how_many_forms(sites: tuple[Head, ...], numbers: tuple[int, ...]) -> int:
    """Number of ways the heads of a molecule may hold chains and partners."""
    return prod(comb(len(site.steps) + n, n) for site, n in zip(sites, numbers, strict=True))


@dataclass(frozen=True)
class Step:
    """One head takes up `added`. ways: of how many heads it may be done, and undone."""

    before: Form
    after: Form
    kind: int
    held: frozenset
    added: str
    ways: tuple[int, int]


def steps(molecule: Molecule) -> Iterator[Step]:
    """Every pair of forms that differ by one chain or partner of one head."""
    for form in molecule.forms:
        for k, held in dict.fromkeys(zip(molecule.slots, form, strict=True)):
            site = molecule.sites[k]
            for added in (*site.partners, *site.chains):
                fuller = held | {added}
                if added in held or fuller not in site.steps:
                    continue
                slot = next(i for i, h in enumerate(form) if h == held and molecule.slots[i] == k)
                after = molecule.canonical((*form[:slot], fuller, *form[slot + 1 :]))
                ways = _many(molecule, form, k, held), _many(molecule, after, k, fuller)
                yield Step(form, after, k, held, added, ways)


def _many(molecule: Molecule, form: Form, kind: int, held: frozenset) -> int:
    return sum(h == held and k == kind for h, k in zip(form, molecule.slots, strict=True))
