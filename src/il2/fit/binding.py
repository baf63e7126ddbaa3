"""Bench protocols of binding and uptake as blocks of a fit: shares of receptors or ligand, from the table of binding.

Equilibrium: the share of IL2RB in a complex at a dose, in the cold. Wash-out: the share of ligand still on the surface,
in the cold. Chase: the share inside or degraded at 37 C. The last two begin with a trace of ligand on a complex.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from il2.knowledge.table import number, rows
from il2.network.expression import add, sym
from il2.network.network import Network, Observable, Parameter
from il2.receptor.membrane import ENDOSOME, SURFACE, at
from il2.receptor.model import receptor
from il2.receptor.protocols import without_trafficking
from il2.receptor.trafficking import count

if TYPE_CHECKING:
    import pandas

SET, BASE = "binding", "IL2"
EQUILIBRIUM, WASHOUT, CHASE = "equilibrium", "washout", "chase"
SHARE, LEFT, INSIDE = "share_of_IL2RB", "share_on_surface", "share_inside"
READOUTS = {EQUILIBRIUM: SHARE, WASHOUT: LEFT, CHASE: INSIDE}
TRACE = 1e-3  # molecules per cell, too few to fill receptors


def points() -> pandas.DataFrame:
    """The table with numbers as numbers."""
    import pandas

    table = pandas.DataFrame(rows("binding"))
    numeric = ("IL2RA", "IL2RB", "IL2RG", "dose_nM", "time_min", "share", "noise", "weight")
    return table.assign(**{name: table[name].map(number) for name in numeric})


@cache
def bench(protocol: str, held: str) -> Network:
    """The receptor network with the read-out of a protocol on the complex `A+B`, where a wash-out or chase begins."""
    base = receptor(BASE, audit=True)
    bound = at(f"{BASE}.{held.replace('+', '.')}", SURFACE)
    if protocol == EQUILIBRIUM:
        shown = Observable(SHARE, sym(bound) / sym(count("IL2RB")), "dimensionless")
        return replace(base, observables=(*base.observables, shown))
    forms = [s.name for s in base.species if s.name.startswith(BASE + ".")]
    left = [sym(name) for name in forms if name.endswith("@" + SURFACE)]
    inside = [sym(name) for name in forms if name.endswith("@" + ENDOSOME)]
    inside += [sym(at(BASE, ENDOSOME)), sym(f"{BASE}_degraded")]
    whole = {LEFT: left, INSIDE: inside}[READOUTS[protocol]]
    return replace(
        base,
        name=f"{base.name}_{protocol}",
        species=tuple(replace(s, initial=sym("trace")) if s.name == bound else s for s in base.species),
        parameters=(*base.parameters, Parameter("trace", TRACE, "molecule/cell")),
        observables=(*base.observables, Observable(READOUTS[protocol], add(*whole) / sym("trace"), "dimensionless")),
    )


def fixed(protocol: str, network: Network) -> dict[str, float]:
    """Values that stop uptake where the protocol is done in the cold."""
    return {} if protocol == CHASE else without_trafficking(network)
