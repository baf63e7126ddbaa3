"""Uptake, recycling, degradation and synthesis, specific for each chain.

Every bound head leaves a place at the rate of the chains that it holds and takes its molecule along, so that the
rates of the heads of one molecule add up.
"""

from __future__ import annotations

from il2.network.expression import Expr, add, num, sym
from il2.network.network import Derived, Network, Parameter, Reaction, Species, reaction
from il2.receptor.head import COMMON, Head
from il2.receptor.membrane import ENDOSOME, MEDIUM, SURFACE, at
from il2.receptor.molecule import Form, Molecule

SOLUBLE = "soluble_"


def governing(held: frozenset, site: Head) -> str:
    """The chain whose trafficking a complex follows: IL2RB before IL2RG before the private chain."""
    order = ("IL2RB", COMMON, *site.chains)
    return next(c for c in order if c in held)


def count(chain: str) -> str:
    """Name of the parameter that holds the unstimulated surface count of a chain."""
    return f"{chain}_count"


def chain_turnover(chain: str, audit: bool, shed: bool = False) -> Network:
    """One free chain: synthesis such that `count` is the unstimulated surface number, uptake, recycling, loss.

    shed: the chain is also cut from the surface into the medium, as the partner `soluble_CHAIN`.
    """
    uptake, sorting = sym(f"internalisation_{chain}"), sym(f"sorting_{chain}")
    recycling = sym("recycling_rate") * (1 - sorting)
    degradation = sym("degradation_rate") * sorting
    at_rest, synthesis = f"{chain}_endosomal_at_rest", f"{chain}_synthesis"
    surface, endosome = at(chain, SURFACE), at(chain, ENDOSOME)
    made, lost = ([f"{chain}_made"], [f"{chain}_degraded"]) if audit else ([], [])
    cut = sym(f"{chain}_shedding") if shed else num(0.0)
    freed = reaction(f"{chain} shedding", [surface], [at(SOLUBLE + chain, MEDIUM)], cut)
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
            Derived(
                synthesis, sym(at_rest) * degradation + (sym(count(chain)) * cut if shed else 0.0),
                "molecule/(cell*min)",
            ),
        ),
        reactions=(
            Reaction(f"{chain} synthesis", {surface: 1, **dict.fromkeys(made, 1)}, sym(synthesis)),
            reaction(f"{chain} internalisation", [surface], [endosome], uptake),
            reaction(f"{chain} recycling", [endosome], [surface], recycling),
            reaction(f"{chain} degradation", [endosome], lost, degradation),
            *((freed,) if shed else ()),
        ),
    )  # fmt: skip


def uptake(site: Head, held: frozenset) -> Expr:
    """Rate (1/min) at which a bound head is taken up."""
    rate = sym(f"internalisation_{governing(held, site)}")
    return rate + sym("internalisation_signalling") if site.signals(held) else rate


def recycling(site: Head, held: frozenset) -> Expr:
    """Rate (1/min) at which a bound head in the endosome returns; none while it signals."""
    if site.signals(held):
        return num(0.0)
    return sym("recycling_rate") * (1 - sym(f"sorting_{governing(held, site)}"))


def degradation(site: Head, held: frozenset) -> Expr:
    """Rate (1/min) at which a bound head in the endosome is degraded."""
    sorting = num(1.0) if site.signals(held) else sym(f"sorting_{governing(held, site)}")
    return sym("degradation_rate") * sorting


def turnover(molecule: Molecule, audit: bool) -> Network:
    """Uptake, recycling and degradation of every bound form of a molecule, and of what it frees in the endosome."""
    reactions: list[Reaction] = []
    for form in molecule.on_membrane:
        surface, endosome = (molecule.species(form, place) for place in (SURFACE, ENDOSOME))
        lost = degraded(molecule, form) if audit else []
        for name, rate, before, after in (
            ("internalisation", uptake, surface, [endosome]),
            ("recycling", recycling, endosome, [surface]),
            ("degradation", degradation, endosome, lost),
        ):
            bound = [(molecule.sites[k], h) for k, h in zip(molecule.slots, form, strict=True)]
            total = add(*(rate(site, held) for site, held in bound if site.bound(held)))
            if total != num(0.0):
                reactions.append(reaction(f"{before}: {name}", [before], after, total))
    for form in molecule.dissolved:
        free = molecule.species(form, ENDOSOME)
        gone = degraded(molecule, form) if audit else []
        reactions.append(reaction(f"{free}: degradation", [free], gone, sym("degradation_rate")))
    return Network(
        molecule.name, species=ledger(f"{molecule.name}_degraded") if audit else (), reactions=tuple(reactions)
    )


def degraded(molecule: Molecule, form: Form) -> list[str]:
    """The pools of the ledger that count what is lost with a form."""
    return [f"{molecule.name}_degraded", *(f"{c}_degraded" for c in molecule.contents(form).elements())]


def ledger(*names: str) -> tuple[Species, ...]:
    """Cumulative pools for mass balance; they act on nothing and stay outside error control."""
    return tuple(Species(name, "ledger", num(0.0), controlled=False) for name in names)
