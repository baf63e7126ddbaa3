"""The response network: receptor and JAK-STAT5 joined, from free ligand to phosphorylated STAT5."""

from __future__ import annotations

from functools import cache

from il2.network.network import Network, compose
from il2.network.program import Program, lower
from il2.receptor.model import ACTIVE, receptor
from il2.signalling.stat5 import stat5


@cache
def response(*ligands: str, depleted: bool = False, audit: bool = False) -> Network:
    """Receptor network of `ligands` (see `receptor`) with STAT5 driven by its active complexes."""
    base = receptor(*ligands, depleted=depleted, audit=audit)
    active = next(o.expr for o in base.observables if o.name == ACTIVE)
    return compose(base.name.replace("receptor", "response"), base, stat5(active))


@cache
def response_program(*ligands: str, depleted: bool = False) -> Program:
    """The lowered response network."""
    return lower(response(*ligands, depleted=depleted))
