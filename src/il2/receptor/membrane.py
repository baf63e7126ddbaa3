"""Binding and assembly on one membrane: rules over ligands and chains, the same in every compartment."""

from __future__ import annotations

from dataclasses import dataclass

from il2.network.expression import Expr, sym
from il2.network.network import Reaction, reaction
from il2.receptor.cytokine import Cytokine, formation

SURFACE, ENDOSOME, MEDIUM = "surface", "endosome", "medium"


@dataclass(frozen=True)
class Membrane:
    """A place where chains meet.

    density: how much denser chains lie than on the plasma membrane (two-dimensional on-rates scale with it).
    dissociation: factor on every dissociation rate (acid pH in the endosome).
    """

    place: str
    density: Expr
    dissociation: Expr


def chain_at(chain: str, place: str) -> str:
    return f"{chain}@{place}"


def ligand_at(ligand: Cytokine, place: str) -> str:
    return f"{ligand.name}@{place}"


def binding(ligand: Cytokine, membrane: Membrane, concentration: Expr, pool: str | None) -> tuple[Reaction, ...]:
    """Every step between complexes that differ by one chain, at `concentration` (nM) of free ligand.

    The reverse rate is the plasma membrane's forward constant times the KD of the step, times
    `membrane.dissociation`. `pool` is the species that loses one ligand a binding event, None for a clamped
    ligand.
    """
    place, out = membrane.place, []
    for chains in ligand.complexes:
        bound = ligand.species(chains, place)
        for chain in ligand.ordered(chains):
            rest = chains - {chain}
            if not rest:
                on, off = sym("ligand_association_rate"), sym("ligand_association_rate")
                name, first = f"{bound}: binds {chain}", []
                kd = sym(formation(ligand, chains))
                on = on * concentration
            elif rest in ligand.steps:
                on, off = sym("recruitment_rate") * membrane.density, sym("recruitment_rate")
                name, first = f"{bound}: recruits {chain}", [ligand.species(rest, place)]
                kd = sym(formation(ligand, chains)) / sym(formation(ligand, rest))
            else:
                continue
            step = reaction(name, [*first, chain_at(chain, place)], [bound], on, off * kd * membrane.dissociation)
            lost = {pool: -1} if pool and not rest else {}
            out.append(Reaction(step.name, {**lost, **step.change}, step.forward, step.reverse))
    return tuple(out)
