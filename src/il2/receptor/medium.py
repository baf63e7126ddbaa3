"""What floats in the medium: free molecules, partners that bind them there, and prodrugs that release them."""

from __future__ import annotations

from itertools import pairwise

from il2.network.expression import num, sym
from il2.network.network import Network, Parameter, Species, reaction
from il2.receptor.head import partner_row
from il2.receptor.membrane import ENDOSOME, MEDIUM, PARTNER_RATE, at
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import SOLUBLE, ledger

RATE = PARTNER_RATE


def soluble(chain: str) -> str:
    """Name of the partner that is a chain cut from the cell."""
    return SOLUBLE + chain


def dissolved(molecule: Molecule, dose: str) -> tuple[Species, ...]:
    """Free forms in the medium; the dose starts as the free molecule, or as the first inert form of a prodrug."""
    added = sym(dose) * sym("avogadro") * sym("medium_volume")
    names = [molecule.species(form, MEDIUM) for form in molecule.dissolved] + _inert(molecule)
    start = tuple(frozenset(filter(None, [molecule.complexed])) for _ in molecule.slots)
    first = _inert(molecule)[0] if molecule.release else molecule.species(start, MEDIUM)
    return tuple(Species(name, MEDIUM, added if name == first else num(0.0)) for name in names)


def release(molecule: Molecule, dose: str) -> Network:
    """A prodrug loses one chain after the other, each at the same rate; the last loss makes it active."""
    if not molecule.release:
        return Network(molecule.name)
    names = [*_inert(molecule), at(molecule.name, MEDIUM)]
    rate = release_rate(molecule.name)
    return Network(
        molecule.name,
        parameters=(Parameter(rate, 0.0, "1/min"),),
        reactions=tuple(
            reaction(f"{before}: loses a chain", [before], [after], sym(rate)) for before, after in pairwise(names)
        ),
    )


def release_rate(name: str) -> str:
    return f"{name}_release_rate"


def _inert(molecule: Molecule) -> list[str]:
    return [f"{molecule.name}.inert_{k}@{MEDIUM}" for k in range(molecule.release, 0, -1)]


def partner(name: str, dose: str, audit: bool) -> Network:
    """A partner in the medium and, freed from what was taken up, in the endosome, where it is degraded.

    The dose counts molecules, and each of its arms binds one cytokine without regard to the other.
    """
    arms = float(partner_row(name)["arms"])
    outside, inside = at(name, MEDIUM), at(name, ENDOSOME)
    gone = [f"{name}_degraded"] if audit else []
    return Network(
        name,
        species=(
            Species(outside, MEDIUM, arms * sym(dose) * sym("avogadro") * sym("medium_volume")),
            Species(inside, ENDOSOME, num(0.0)),
            *ledger(*gone),
        ),
        parameters=(Parameter(dose, 0.0, "nM"),),
        reactions=(reaction(f"{inside}: degradation", [inside], gone, sym("degradation_rate")),),
    )
