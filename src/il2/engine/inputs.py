"""Networks that can be fed: input rates of species, a clock, and parameters that follow a curve in time.

The engine solves autonomous equations. What depends on time is therefore a state: a clock is a species with the rate
of change one, outside the error control, and a curve is a polynomial in a clock of its own that starts again at each
point of the curve.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from il2.errors import Il2Error, ModelError, did_you_mean
from il2.network.dimensions import time_unit
from il2.network.expression import num, substitute, sym, symbols
from il2.network.network import Network, Parameter, Reaction, Species, check
from il2.units import parse_unit, unit_text

DEGREE = 3  # of the polynomials of an input
KINDS = ("linear", "pchip")


def input_rate(species: str) -> str:
    """Name of the parameter that feeds a species."""
    return f"{species}_input"


def with_inputs(network: Network, *species: str) -> Network:
    """The network with a constant input to each of some species: a parameter, zero unless an `Infusion` raises it."""
    units = {s.name: s.unit for s in network.species}
    time = unit_text(time_unit(network))
    for name in species:
        if name not in units:
            raise ModelError(
                f"the network {network.name} has no species {name!r}", how=did_you_mean(name, network.species_names)
            )
    per_time = {name: unit_text(parse_unit(f"{units[name]}/{time}")) for name in species}
    return check(
        replace(
            network,
            parameters=(*network.parameters, *(Parameter(input_rate(s), 0.0, per_time[s]) for s in species)),
            reactions=(
                *network.reactions,
                *(Reaction(f"{s}: input", {s: 1}, sym(input_rate(s)), unit=per_time[s]) for s in species),
            ),
        )
    )


def with_clock(network: Network, name: str = "time") -> Network:
    """The network with a species that is the time since the start, in the network's unit of time."""
    if not network.compartments:
        raise ModelError(f"{network.name}: a clock needs a compartment to stand in, and there is none")
    unit = unit_text(time_unit(network))
    clock = Species(name, network.compartments[0].name, num(0.0), unit, controlled=False)
    running = Reaction(f"{name}: runs", {name: 1}, num(1.0), unit="dimensionless")
    return check(replace(network, species=(*network.species, clock), reactions=(*network.reactions, running)))


def clock_of(parameter: str) -> str:
    """Name of the clock of a time-varying input."""
    return f"{parameter}_clock"


def coefficients_of(parameter: str) -> tuple[str, ...]:
    """Names of the coefficients of a time-varying input, constant term first."""
    return tuple(f"{parameter}_{k}" for k in range(DEGREE + 1))


def with_input(network: Network, parameter: str) -> Network:
    """The network with a parameter turned into an input that varies in time (`Interpolant`).

    It keeps its value as long as no interpolant sets it. Rates and observables may use it; derived constants and
    initial values may not, as they are worked out once.
    """
    known = {p.name: p for p in network.parameters}
    if parameter not in known:
        how = did_you_mean(parameter, known)
        raise ModelError(f"the network {network.name} has no parameter {parameter!r}", how=how)
    fixed = {f"the derived constant {d.name}": d.expr for d in network.derived}
    fixed |= {f"the initial value of {s.name}": s.initial for s in network.species}
    for what, expr in fixed.items():
        if parameter in symbols(expr):
            raise ModelError(f"{parameter!r} cannot vary in time", where=network.name, why=f"{what} depends on it")
    clock, names, old = clock_of(parameter), coefficients_of(parameter), known[parameter]
    network = with_clock(network, clock)
    time = unit_text(time_unit(network))
    curve = sym(names[-1])
    for name in reversed(names[:-1]):
        curve = sym(name) + sym(clock) * curve
    table = {parameter: curve}
    parts = tuple(
        Parameter(name, old.value if k == 0 else 0.0, _over(old.unit, time, k), old.note if k == 0 else "")
        for k, name in enumerate(names)
    )
    return check(
        replace(
            network,
            parameters=tuple(q for p in network.parameters for q in (parts if p is old else (p,))),
            reactions=tuple(
                replace(r, forward=substitute(r.forward, table), reverse=substitute(r.reverse, table))
                for r in network.reactions
            ),
            observables=tuple(replace(o, expr=substitute(o.expr, table)) for o in network.observables),
        )
    )


def _over(unit: str, time: str, power: int) -> str:
    return unit_text(parse_unit(unit + f"/{time}" * power))


def within(network: Network, compartment: str) -> tuple[str, ...]:
    """Names of the species in a compartment, for wash-out and change of medium."""
    if compartment not in {c.name for c in network.compartments}:
        known = [c.name for c in network.compartments]
        raise ModelError(f"the network {network.name} has no compartment {compartment!r}",
                         how=did_you_mean(compartment, known))  # fmt: skip
    return tuple(s.name for s in network.species if s.compartment == compartment)


def pieces(times: np.ndarray, values: np.ndarray, kind: str) -> np.ndarray:
    """Coefficients (points, DEGREE + 1), constant term first, in the time since each point; constant after the last."""
    out = np.zeros((len(times), DEGREE + 1))
    out[:, 0] = values
    if kind == "pchip" and len(times) > 2:
        from scipy.interpolate import PchipInterpolator

        out[:-1] = PchipInterpolator(times, values).c[::-1].T
    elif kind in KINDS:
        out[:-1, 1] = np.diff(values) / np.diff(times)
    else:
        raise Il2Error(f"{kind!r} is no kind of interpolant", how=did_you_mean(kind, KINDS))
    return out
