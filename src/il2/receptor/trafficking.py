"""Uptake, recycling, degradation and synthesis, specific for each chain."""

from __future__ import annotations

from il2.network.expression import Expr, num, sym
from il2.network.network import Derived, Network, Parameter, Reaction, Species, reaction
from il2.receptor.cytokine import Cytokine
from il2.receptor.membrane import ENDOSOME, SURFACE, chain_at, ligand_at


def governing(chains: frozenset, ligand: Cytokine) -> str:
    """The chain whose trafficking an inactive complex follows: IL2RB before IL2RG before the private chain."""
    return next(c for c in ("IL2RB", "IL2RG", ligand.private) if c in chains)


def count(chain: str) -> str:
    """Name of the parameter that holds the unstimulated surface count of a chain."""
    return f"{chain}_count"


def chain_turnover(chain: str, audit: bool) -> Network:
    """One free chain: synthesis such that `count` is the unstimulated surface number, uptake, recycling, loss."""
    uptake, sorting = sym(f"internalisation_{chain}"), sym(f"sorting_{chain}")
    recycling = sym("recycling_rate") * (1 - sorting)
    degradation = sym("degradation_rate") * sorting
    at_rest, synthesis = f"{chain}_endosomal_at_rest", f"{chain}_synthesis"
    surface, endosome = chain_at(chain, SURFACE), chain_at(chain, ENDOSOME)
    made, lost = ([f"{chain}_made"], [f"{chain}_degraded"]) if audit else ([], [])
    return Network(
        chain,
        species=(
            Species(surface, "surface", sym(count(chain))),
            Species(endosome, "endosome", sym(at_rest)),
            *ledger(*made, *lost),
        ),
        parameters=(Parameter(count(chain), 0.0, "molecule/cell"),),
        derived=(
            Derived(at_rest, sym(count(chain)) * uptake / (recycling + degradation), "molecule/cell"),
            Derived(synthesis, sym(at_rest) * degradation, "molecule/(cell*min)"),
        ),
        reactions=(
            Reaction(f"{chain} synthesis", {surface: 1, **dict.fromkeys(made, 1)}, sym(synthesis)),
            reaction(f"{chain} internalisation", [surface], [endosome], uptake),
            reaction(f"{chain} recycling", [endosome], [surface], recycling),
            reaction(f"{chain} degradation", [endosome], lost, degradation),
        ),
    )


def ligand_turnover(ligand: Cytokine, audit: bool) -> Network:
    """Uptake, recycling and degradation of every complex of a ligand, and of what it frees in the endosome."""
    reactions: list[Reaction] = []
    for chains in ligand.complexes:
        surface, endosome = (ligand.species(chains, place) for place in (SURFACE, ENDOSOME))
        chain = governing(chains, ligand)
        uptake, sorting = sym(f"internalisation_{chain}"), sym(f"sorting_{chain}")
        lost = [f"{ligand.name}_degraded", *(f"{c}_degraded" for c in ligand.ordered(chains))] if audit else []
        if ligand.signals(chains):
            uptake = uptake + sym("internalisation_signalling")
            sorting = num(1.0)
        loss: Expr = sym("degradation_rate") * sorting
        reactions.append(reaction(f"{surface}: internalisation", [surface], [endosome], uptake))
        if not ligand.signals(chains):
            back = sym("recycling_rate") * (1 - sorting)
            reactions.append(reaction(f"{endosome}: recycling", [endosome], [surface], back))
        reactions.append(reaction(f"{endosome}: degradation", [endosome], lost, loss))
    free = ligand_at(ligand, ENDOSOME)
    gone = [f"{ligand.name}_degraded"] if audit else []
    reactions.append(reaction(f"{free}: degradation", [free], gone, sym("degradation_rate")))
    return Network(ligand.name, species=ledger(*gone), reactions=tuple(reactions))


def ledger(*names: str) -> tuple[Species, ...]:
    """Cumulative pools for mass balance; they act on nothing and stay outside error control."""
    return tuple(Species(name, "ledger", num(0.0), controlled=False) for name in names)
