"""Forward sensitivities: a network that carries the derivatives of its states by some of its parameters as states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from il2.errors import ModelError, did_you_mean
from il2.network.expression import Expr, add, diff, mul, num, sym, symbols
from il2.network.network import Derived, Network, Observable, Reaction, Species


def tangent(state: str, parameter: str) -> str:
    """Name of the derivative of a state, a derived constant or an observable by a parameter."""
    return f"d({state})/d({parameter})"


def with_sensitivities(network: Network, parameters: Iterable[str], controlled: bool = False) -> Network:
    """The network with `d(state)/d(parameter)` as further species, and the derivatives of its observables.

    They follow from the same rate laws and start with the derivatives of the initial values. controlled: whether the
    step control heeds them; without it the steps are those of the network alone. Units are those of the states, over
    the parameters as numbers. Unknown parameters are a ModelError.
    """
    names = list(dict.fromkeys(parameters))
    for name in names:
        if name not in network.parameter_names:
            raise ModelError(
                f"{network.name} has no parameter {name!r}", how=did_you_mean(name, network.parameter_names)
            )
    states = {s.name for s in network.species}
    if any(tangent(state, name) in states for state in states for name in names):
        raise ModelError(f"{network.name} has these sensitivities already", how="Ask for all of them in one call.")
    constants = {d.name for d in network.derived}

    def total(expr: Expr, by: str) -> Expr:
        """Derivative of an expression by a parameter, through states and derived constants."""
        parts = [diff(expr, by)]
        for name in sorted(symbols(expr) & (states | constants)):
            parts.append(mul(diff(expr, name), sym(tangent(name, by))))
        return add(num(0.0), *parts)

    return replace(
        network,
        species=(
            *network.species,
            *(
                Species(tangent(s.name, by), s.compartment, total(s.initial, by), s.unit, controlled)
                for by in names
                for s in network.species
            ),
        ),
        derived=(
            *network.derived,
            *(Derived(tangent(d.name, by), total(d.expr, by), d.unit) for by in names for d in network.derived),
        ),
        reactions=(
            *network.reactions,
            *(
                Reaction(tangent(r.name, by), _tangents(r.change, by), total(r.rate, by), unit=r.unit)
                for by in names
                for r in network.reactions
            ),
        ),
        observables=(
            *network.observables,
            *(Observable(tangent(o.name, by), total(o.expr, by), o.unit) for by in names for o in network.observables),
        ),
    )  # fmt: skip


def _tangents(change: Mapping[str, int], by: str) -> dict[str, int]:
    return {tangent(state, by): n for state, n in change.items()}
