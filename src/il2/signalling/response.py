"""The response network: receptor and JAK-STAT joined, from free ligand to phosphorylated STAT."""

from __future__ import annotations

from functools import cache

from il2.network.network import Network, compose
from il2.network.program import Program, lower
from il2.receptor.model import System, build, drive, half_activations, system
from il2.signalling.stat import stat


@cache
def response_of(of: System) -> Network:
    """Receptor network of a system with every STAT that its molecules drive."""
    base = build(of)
    parts = [stat(name, drive(of, name), half_activations(of, name)) for name in of.stats]
    return compose(base.name.replace("receptor", "response"), base, *parts)


@cache
def program_of(of: System) -> Program:
    """The lowered response network of a system."""
    return lower(response_of(of))


def response(*ligands: str, **options) -> Network:
    """The response network of named cytokines; options as in `il2.receptor.model.system`."""
    return response_of(system(*ligands, **options))
