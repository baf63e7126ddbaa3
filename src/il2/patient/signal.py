"""Uptake and pSTAT5 of the cells of a patient as expressions over the concentrations of its ligands.

Ligands share receptors: every saturable term of one has the sum of all in its denominator. An antibody to IL2RA leaves
a share of the chain free, by which the part that needs IL2RA sees a lower concentration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from il2.network.expression import Expr, add, num, sym
from il2.network.network import Parameter
from il2.patient.answer import BARE, STEPS, WHOLE, SIGNAL_nM, UPTAKE_nM

UPTAKE_UNIT = "molecule/(cell*h)"
NEED = "IL2_need"  # of a person: the concentration of a signal over that of a typical one


@dataclass(frozen=True)
class Ligand:
    """A ligand in one place. terms: the name under which its terms stand (ligands of one kind share them).
    concentration: nM, free, over how much weaker it binds."""

    name: str
    terms: str
    concentration: Expr


def uptake_name(terms: str, kind: str, share: str, k: int) -> str:
    return f"uptake_{terms}_{kind}{share}_{k}"


def signal_name(terms: str, kind: str, share: str, k: int) -> str:
    return f"pSTAT5_{terms}_{kind}{share}_{k}"


def term_parameters(terms: str, kind: str, blocked: bool) -> tuple[Parameter, ...]:
    """Parameters of the terms of a ligand on a kind of cell; those without IL2RA where an antibody may cover it."""
    out = []
    for share in (WHOLE, BARE) if blocked else (WHOLE,):
        out += [Parameter(uptake_name(terms, kind, share, k), 0.0, UPTAKE_UNIT) for k in range(len(UPTAKE_nM))]
        size = len(STEPS) * len(SIGNAL_nM)
        out += [Parameter(signal_name(terms, kind, share, k), 0.0, "dimensionless") for k in range(size)]
    return tuple(out)


@dataclass(frozen=True)
class Basis:
    """Saturable terms of every ligand at hand: by name of the ligand, one expression a class."""

    uptake: Mapping[str, tuple[Expr, ...]]
    signal: Mapping[str, tuple[Expr, ...]]


def basis(ligands: tuple[Ligand, ...], free: Expr) -> Basis:
    """The terms at concentrations times `free`, the share of IL2RA that is not covered."""
    c = {item.name: item.concentration * free / sym("one_nM") for item in ligands}
    uptake = {name: tuple(x / (add(*c.values()) + k) for k in UPTAKE_nM) for name, x in c.items()}
    signal: dict[str, tuple[Expr, ...]] = dict.fromkeys(c, ())
    needed = {name: x / sym(NEED) for name, x in c.items()}
    every = add(*needed.values())
    for s in STEPS:
        for name, x in needed.items():
            signal[name] += tuple(x * every ** (s - 1) / (every**s + k**s) for k in SIGNAL_nM)
    return Basis(uptake, signal)


class Senses(Protocol):
    """How cells answer the ligands of a patient."""

    def uptake(self, item: Ligand, kind: str) -> Expr:
        """Uptake of one ligand by a kind of cell, molecule/(cell*h)."""
        ...

    def pstat5(self, kind: str) -> Expr:
        """Share of STAT5 that is phosphorylated in a kind of cell."""
        ...


@dataclass(frozen=True)
class Sensing:
    """What the cells of a patient sense. open: at all IL2RA free; bound: at the share of IL2RA that is left, where an
    antibody is at hand."""

    ligands: tuple[Ligand, ...]
    open: Basis
    bound: Basis | None

    def uptake(self, item: Ligand, kind: str) -> Expr:
        """Uptake of one ligand by a kind of cell, molecule/(cell*h)."""
        return self._sum(item, kind, "uptake", uptake_name)

    def pstat5(self, kind: str) -> Expr:
        """Share of STAT5 that is phosphorylated in a kind of cell."""
        return add(num(0.0), *(self._sum(item, kind, "signal", signal_name) for item in self.ligands))

    def _sum(self, item: Ligand, kind: str, what: str, name) -> Expr:
        def weighted(of: Basis, share: str) -> Expr:
            terms = getattr(of, what)[item.name]
            return add(*(sym(name(item.terms, kind, share, k)) * term for k, term in enumerate(terms)))

        if self.bound is None:
            return weighted(self.open, WHOLE)
        return weighted(self.open, BARE) + weighted(self.bound, WHOLE) - weighted(self.bound, BARE)


def sensing(ligands: tuple[Ligand, ...], free: Expr | None = None) -> Sensing:
    """free: the share of IL2RA that no antibody covers; None where no antibody is given."""
    return Sensing(ligands, basis(ligands, num(1.0)), None if free is None else basis(ligands, free))
