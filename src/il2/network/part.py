"""Parts of a network that name quantities freely: what is declared nowhere is taken from the knowledge base."""

from __future__ import annotations

from dataclasses import replace

from il2.knowledge.quantity import quantities, quantity
from il2.network.expression import Expr, num, sym, symbols
from il2.network.network import Compartment, Network, Parameter, Reaction, Species

HOURLY, CELL = "minutes_per_hour", "cytoplasm"


def known(name: str) -> Parameter:
    """A parameter with the value and unit of a quantity."""
    q = quantity(name)
    return Parameter(name, q.value, q.unit, q.context)


def with_quantities(network: Network) -> Network:
    """The same part with a parameter for every quantity that its expressions name."""
    exprs = [d.expr for d in network.derived] + [s.initial for s in network.species]
    exprs += [e for r in network.reactions for e in (r.forward, r.reverse)] + [o.expr for o in network.observables]
    named = set().union(*(symbols(e) for e in exprs)) if exprs else set()
    declared = set(network.parameter_names)
    found = tuple(known(name) for name in sorted((named - declared) & quantities().keys()))
    return replace(network, parameters=(*network.parameters, *found))


def hourly(name: str) -> Expr:
    """A rate (1/h) of the knowledge base as 1/min."""
    return sym(name) / sym(HOURLY)


def lasting(name: str) -> Expr:
    """The rate (1/min) of a process with this time constant (h)."""
    return num(1.0) / (sym(name) * sym(HOURLY))


def half(value: Expr, level: Expr | str, steepness: float = 1.0) -> Expr:
    """A rising Hill function from 0 to 1, one half at `level`; the unit is that of neither."""
    level = sym(level) if isinstance(level, str) else level
    if steepness == 1.0:
        return value / (value + level)
    return value**steepness / (value**steepness + level**steepness)


def follows(name: str, target: Expr, rate: Expr, unit: str = "dimensionless", start: Expr | None = None) -> Network:
    """A species that approaches `target` at `rate` (1/min), from `start`, by default none."""
    per = "1/min" if unit == "dimensionless" else f"{unit.replace('/cell', '/(cell*min)')}"
    return Network(
        name,
        (Compartment(CELL, 3),),
        species=(Species(name, CELL, num(0.0) if start is None else start, unit),),
        reactions=(Reaction(f"{name} follows", {name: 1}, rate * target, rate * sym(name), per),),
    )
