"""What happens to a model at points in time: doses, wash-out, change of medium, switches, inputs, triggers.

Events are plain data on names. Times and values are numbers for all lanes, or arrays (lanes,); a time of infinity is
never, so that a lane can be left out. Times are in the time unit of the network, amounts in the unit of the species.
Amounts and values of species and of parameters may also be expressions over species, parameters, derived constants
and observables; they are worked out just before the event acts. Events at one time act in the order of the list.
`il2.engine.schedule.run` takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TypeVar

import numpy as np

from il2.errors import Il2Error
from il2.network.expression import Expr

Value = float | np.ndarray | Expr
Times = float | np.ndarray

UP, DOWN = "up", "down"


@dataclass(frozen=True, eq=False)
class Bolus:
    """Add an amount to a species at once; a negative one takes away, and nothing stops it at zero."""

    time: Times
    species: str
    amount: Value


@dataclass(frozen=True, eq=False)
class Infusion:
    """Raise a rate for a while: give the amount of all of it, or the rate.

    into: a species with an input rate (`il2.engine.inputs.with_inputs`), or a parameter that is a rate. Infusions that
    overlap add up; outside them the rate is what the parameters of the lane say, exactly.
    """

    time: Times
    duration: Times
    into: str
    amount: Times | None = None
    rate: Times | None = None


@dataclass(frozen=True, eq=False)
class Washout:
    """Set species to a value, zero if none is given."""

    time: Times
    species: str | Sequence[str]
    to: Value = 0.0


@dataclass(frozen=True, eq=False)
class Exchange:
    """Replace a share of the medium by fresh medium: each species moves that share of the way to its fresh value."""

    time: Times
    fresh: Mapping[str, Value]
    fraction: Times = 1.0


@dataclass(frozen=True, eq=False)
class Switch:
    """Give a parameter another value from now on. One that acts through initial values alone is refused."""

    time: Times
    parameter: str
    value: Value


@dataclass(frozen=True, eq=False)
class Interpolant:
    """A time-varying input through points: `parameter` must have been made one by `il2.engine.inputs.with_input`.

    times: (points,) or (lanes, points), rising; values the same. kind: "linear", or "pchip", which is smooth and has no
    new extrema. Before the first and after the last point the input is constant. Each point is a stop of the
    integration, so that no step straddles a kink.
    """

    parameter: str
    times: np.ndarray
    values: np.ndarray
    kind: str = "linear"


Action = Bolus | Infusion | Washout | Exchange | Switch | Interpolant


@dataclass(frozen=True, eq=False)
class Trigger:
    """Act when an expression crosses zero: `up` from below zero to zero or more, `down` from above to zero or less.

    The times of the actions in `then` count from the crossing. It acts `most` times a lane at most. It does not act
    at the start where the expression is past zero already, and it acts at once where another event carries the
    expression across. It acts again only after the expression has been back on the other side.
    """

    name: str
    when: Expr
    then: Sequence[Action]
    direction: str = UP
    most: int = 1


@dataclass(frozen=True, eq=False)
class SteadyStart:
    """Start at the periodic steady state of a regimen, just before what it does at the start of an interval.

    events: what happens in each interval, at times from its start to its end. It is repeated until the estimated
    distance to the state that repeats is at most atol + rtol |y| for all species, at most `most` times. Doses
    from time zero on are events of their own. Each interval starts with the parameters of the lane. Species outside
    the error control (clocks, cumulative pools) are not asked to repeat, and start from their initial values.
    """

    interval: Times
    events: Sequence[Action]
    rtol: float = 1e-5
    atol: float = 1e-8
    most: int = 1000


Event = Action | Trigger | SteadyStart
Timed = TypeVar("Timed", Bolus, Infusion, Washout, Exchange, Switch)


def repeated(event: Timed, interval: Times, count: int) -> list[Timed]:
    """`count` copies of an event, the first at its own time, then one each `interval` (a number or (lanes,))."""
    if not hasattr(event, "time"):
        raise Il2Error(f"{title(event)} has no time", where="repeated", how="Repeat doses, wash-outs or switches.")
    if not (isinstance(count, Integral) and count >= 1):
        raise Il2Error(f"the count is {count!r}", where="repeated", how="Give a whole number from 1 up.")
    if not (np.isfinite(interval).all() and np.greater(interval, 0).all()):
        raise Il2Error(f"the interval is {interval}", where="repeated", how="Give a finite time above zero.")
    return [replace(event, time=event.time + i * np.asarray(interval)[()]) for i in range(count)]


def title(event: Event) -> str:
    """An event in words, for messages."""
    kind = type(event).__name__
    if isinstance(event, SteadyStart):
        return kind
    if isinstance(event, Washout):
        names: object = event.species if isinstance(event.species, str) else ", ".join(event.species)
    elif isinstance(event, Exchange):
        names = ", ".join(event.fresh)
    else:
        field = {Bolus: "species", Infusion: "into", Switch: "parameter", Interpolant: "parameter", Trigger: "name"}
        names = getattr(event, field[type(event)])
    return f"{kind} of {names}"
