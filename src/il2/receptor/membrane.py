"""Binding and assembly on one membrane and in the solution before it: rules over molecules and chains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from il2.network.expression import Expr, sym
from il2.network.network import Reaction, net_change
from il2.receptor.head import formation, recruitment_rate
from il2.receptor.molecule import Molecule, Step, steps

SURFACE, ENDOSOME, MEDIUM = "surface", "endosome", "medium"
PARTNER_RATE = "antibody_association_rate"


@dataclass(frozen=True)
class Membrane:
    """A place where chains meet.

    density: how much denser chains lie than on the plasma membrane (two-dimensional on-rates scale with it).
    dissociation: factor on every dissociation rate (acid pH in the endosome). concentration: of a species of the
    solution before it (nM). supply: the place of this solution, None where it is held constant.
    """

    place: str
    density: Expr
    dissociation: Expr
    concentration: Callable[[str], Expr]
    supply: str | None


def at(name: str, place: str) -> str:
    return f"{name}@{place}"


def binding(molecule: Molecule, membrane: Membrane) -> tuple[Reaction, ...]:
    """Every step between forms that differ by one chain or partner.

    A head takes a chain from the solution at its concentration there; on the membrane at the two-dimensional
    rate; and a free head of a bound molecule meets chains at the concentration that its tether gives them. The
    reverse rate is the forward constant of the plasma membrane times the KD of the step, times
    `membrane.dissociation`.
    """
    return tuple(_reaction(molecule, membrane, step) for step in steps(molecule) if molecule.bound(step.after))


def in_solution(molecule: Molecule, membrane: Membrane) -> tuple[Reaction, ...]:
    """Partners that bind a molecule while it is free in the solution before a membrane."""
    out, place = [], membrane.supply or membrane.place
    for step in steps(molecule):
        if not molecule.bound(step.after):
            before, after = (molecule.species(form, place) for form in (step.before, step.after))
            partner = at(step.added, place)
            on, off = _partner_rates(molecule, step, membrane.concentration(partner))
            off = off * membrane.dissociation
            change = net_change([before, partner], [after])
            out.append(Reaction(f"{after}: forms{_origin(step, before)}", change, on * sym(before), off * sym(after)))
    return tuple(out)


def _reaction(molecule: Molecule, membrane: Membrane, step: Step) -> Reaction:
    place = membrane.place
    after = molecule.species(step.after, place)
    first = not molecule.bound(step.before)
    before = molecule.species(step.before, membrane.supply or place) if first else molecule.species(step.before, place)
    if step.added in molecule.partners:
        partner = at(step.added, membrane.supply or place)
        on, off = _partner_rates(molecule, step, membrane.concentration(partner))
        change = net_change([before, partner], [after])
        off = off * membrane.dissociation
        return Reaction(
            f"{after}: takes up {step.added}{_origin(step, before)}", change, on * sym(before), off * sym(after)
        )
    site = molecule.sites[step.kind]
    chain = at(step.added, place)
    kd = step_constant(molecule, step.kind, step.held, step.held | {step.added})
    lost = [] if first and membrane.supply is None else [before]
    if first:
        name, on, off = "binds", sym(site.association) * membrane.concentration(before), sym(site.association)
    elif site.bound(step.held):
        name, off = "recruits", sym(recruitment_rate(site))
        on = off * membrane.density * sym(before)
    else:
        name, off = "is bridged to", sym(site.association)
        on = off * sym("tether_concentration") * membrane.density * sym(before)
    forward, reverse = (float(n) for n in step.ways)
    return Reaction(
        f"{after}: {name} {step.added}{_origin(step, before)}",
        net_change([*lost, chain], [after]),
        forward * on * sym(chain),
        reverse * off * kd * membrane.dissociation * sym(after),
    )


def _origin(step: Step, before: str) -> str:
    """Two heads may reach one form by several ways, which need names of their own."""
    return "" if len(step.before) == 1 else f" from {before}"


def _partner_rates(molecule: Molecule, step: Step, concentration: Expr) -> tuple[Expr, Expr]:
    forward, reverse = (float(n) for n in step.ways)
    kd = step_constant(molecule, step.kind, step.held, step.held | {step.added})
    return forward * sym(PARTNER_RATE) * concentration, reverse * sym(PARTNER_RATE) * kd


def step_constant(molecule: Molecule, kind: int, held: frozenset, fuller: frozenset) -> Expr:
    """KD of one step of one head: a quotient of two formation constants."""
    label, site = molecule.labels[kind], molecule.sites[kind]
    return formation(label, site, fuller) / formation(label, site, held)
