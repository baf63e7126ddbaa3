"""Events, checked against a network, on one line of time for all lanes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np

from il2.engine.event import (
    DOWN,
    UP,
    Action,
    Bolus,
    Event,
    Infusion,
    Interpolant,
    SteadyStart,
    Switch,
    Trigger,
    Value,
    Washout,
    title,
)  # fmt: skip
from il2.engine.inputs import clock_of, coefficients_of, input_rate, pieces
from il2.engine.line import ADD, MIX, RATE, SET, Item, Line
from il2.engine.watch import Watch
from il2.errors import Il2Error, did_you_mean
from il2.network.expression import Expr, symbols
from il2.network.network import Network

LARGEST_MOST = 10_000  # times that one trigger may act


def timeline(network: Network, events: Sequence[Event], lanes: int) -> Line:
    """Check events against a network and put them on one line; errors name the event."""
    line, due = Line(network, lanes), []
    for n, event in enumerate(events):
        where = f"event {n}, {title(event)}" if isinstance(event, Event) else f"event {n}"
        if isinstance(event, SteadyStart):
            if line.start is not None:
                raise Il2Error("there can be one steady start only", where=where)
            line.start = event
        elif isinstance(event, Trigger):
            _check_trigger(event, line, where)
            line.triggers.append(event)
            line.shots.append([])
            for _ in range(event.most):
                first = len(line.items)
                delays = [d for action in event.then for d in _add(line, action, where)]
                line.shots[-1].append([(first + i, delay) for i, delay in enumerate(delays)])
                due += [np.full(lanes, np.inf)] * len(delays)
        else:
            due += _add(line, event, where)
    line.due = np.array(due).reshape(len(line.items), lanes)
    line.fired = np.full((lanes, len(line.triggers), max((t.most for t in line.triggers), default=0)), np.inf)
    if line.triggers:
        line.watch = Watch(network, [t.when if t.direction == UP else -t.when for t in line.triggers], "a trigger")
    switched = {item.at for item in line.items if item.kind == SET} & line.rates.keys()
    if switched:
        name = network.parameter_names[switched.pop()]
        raise Il2Error(f"{name!r} is both switched and infused", where="events", how="Use one of the two for it.")
    return line


def _check_trigger(event: Trigger, line: Line, where: str) -> None:
    if event.direction not in (UP, DOWN):
        raise Il2Error(f"the direction is {event.direction!r}", where=where, how="Give 'up' or 'down'.")
    if not (isinstance(event.most, Integral) and 1 <= event.most <= LARGEST_MOST):
        raise Il2Error(f"most is {event.most!r}", where=where, how=f"Give a whole number from 1 to {LARGEST_MOST}.")
    if event.name in {t.name for t in line.triggers}:
        raise Il2Error(f"two triggers are called {event.name!r}", where=where)


def _add(line: Line, event: Action, where: str) -> list[np.ndarray]:
    """Append the items of an event; returns when each is due (lanes,)."""
    network = line.network
    if isinstance(event, Interpolant):
        return _add_curve(line, event, where)
    if not isinstance(event, Action):
        raise Il2Error(f"{type(event).__name__} is no event that can stand here", where=where)
    time = numbers(event.time, line.lanes, "time", where, least=0.0, infinite=True)
    if isinstance(event, Infusion):
        return _add_infusion(line, event, time, where)
    before = len(line.items)
    if isinstance(event, Switch):
        at = place(event.parameter, network.parameter_names, "parameter", where)
        if event.parameter not in _acting(network):
            raise Il2Error(f"{event.parameter!r} acts through initial values alone", where=where, how="Use a Bolus.")
        line.items.append(Item(SET, at, amount(line, event.value, "value", where)))
    elif isinstance(event, Bolus):
        at = place(event.species, network.species_names, "species", where)
        line.items.append(Item(ADD, at, amount(line, event.amount, "amount", where)))
    elif isinstance(event, Washout):
        for name in [event.species] if isinstance(event.species, str) else event.species:
            at = place(name, network.species_names, "species", where)
            line.items.append(Item(MIX, at, amount(line, event.to, "value", where)))
    else:
        share = numbers(event.fraction, line.lanes, "fraction", where, least=0.0)
        if (share > 1).any():
            raise Il2Error("a fraction is above 1", where=where, how="Give the share of the medium that is replaced.")
        for name, value in event.fresh.items():
            at = place(name, network.species_names, "species", where)
            line.items.append(Item(MIX, at, amount(line, value, "value", where), share))
    return [time] * (len(line.items) - before)


def _add_infusion(line: Line, event: Infusion, time: np.ndarray, where: str) -> list[np.ndarray]:
    known = line.network.parameter_names
    name = input_rate(event.into) if event.into in line.network.species_names else event.into
    if name not in known and event.into in line.network.species_names:
        how = f"Build the network with `with_inputs(network, {event.into!r})`."
        raise Il2Error(f"{event.into!r} has no input rate", where=where, how=how)
    at = place(name, known, "species or parameter", where)
    lasts = numbers(event.duration, line.lanes, "duration", where, least=0.0, infinite=True)
    if (lasts == 0).any():
        raise Il2Error("a duration is zero", where=where, how="Use a Bolus.")
    if (event.amount is None) == (event.rate is None):
        raise Il2Error("an infusion needs its amount or its rate", where=where, how="Give one of the two.")
    if event.amount is not None:
        if np.isinf(lasts).any():
            raise Il2Error("an amount is given over a time without end", where=where, how="Give the rate.")
        held = np.where(np.isinf(time), lasts, time + lasts - time)  # the duration that the clock can resolve
        if (held <= 0).any():
            raise Il2Error("a duration is shorter than the clock resolves there", where=where, how="Use a Bolus.")
        rate = numbers(event.amount, line.lanes, "amount", where) / held
    else:
        rate = numbers(event.rate, line.lanes, "rate", where)  # type: ignore[arg-type]
    start = len(line.items)
    line.items += [Item(RATE, at, rate), Item(RATE, at, rate)]
    line.rates.setdefault(at, []).append((start, start + 1, rate))
    return [time, time + lasts]


def _add_curve(line: Line, event: Interpolant, where: str) -> list[np.ndarray]:
    known, names = line.network.parameter_names, coefficients_of(event.parameter)
    if names[0] not in known or clock_of(event.parameter) not in line.network.species_names:
        inputs = [p[: -len("_0")] for p in known if p.endswith("_0")] or known
        how = did_you_mean(event.parameter, inputs) + f" Or use `with_input(network, {event.parameter!r})`."
        raise Il2Error(f"{event.parameter!r} is no time-varying input", where=where, how=how)
    times, values = (np.atleast_2d(np.asarray(v, float)) for v in (event.times, event.values))
    points, rows = times.shape[1], max(len(times), len(values))
    fits = times.ndim == 2 and points and values.shape[1:] == (points,)
    if not (fits and {len(times), len(values)} <= {1, line.lanes}):
        what = f"the points have shapes {np.shape(event.times)} (times) and {np.shape(event.values)} (values)"
        raise Il2Error(what, where=where, how="Give (points,) or (lanes, points) for both.")
    if not (np.isfinite(times).all() and (times >= 0).all() and (np.diff(times) > 0).all()):
        raise Il2Error("times of points must be finite, and rise from 0 up", where=where)
    if not np.isfinite(values).all():
        raise Il2Error("a value of a point is not finite", where=where)
    times, values = np.broadcast_to(times, (rows, points)), np.broadcast_to(values, (rows, points))
    curve = np.stack([pieces(t, v, event.kind) for t, v in zip(times, values, strict=True)])
    first = np.zeros_like(curve[:, :1])
    first[..., 0] = values[:, :1]
    curve = np.concatenate([first, curve], axis=1)  # constant before the first point
    times = np.concatenate([np.zeros((rows, 1)), times], axis=1)
    columns = [known.index(name) for name in names]
    clock = line.network.species_names.index(clock_of(event.parameter))
    due = []
    for i in range(points + 1):
        for k, at in enumerate(columns):
            line.items.append(Item(SET, at, np.broadcast_to(curve[:, i, k], (line.lanes,))))
        line.items.append(Item(MIX, clock, np.zeros(line.lanes)))
        due += [np.broadcast_to(times[:, i], (line.lanes,))] * (len(columns) + 1)
    return due


def place(name: str, known: Sequence[str], what: str, where: str) -> int:
    """Index of a name; an unknown one is an error that suggests known ones."""
    if name not in known:
        raise Il2Error(f"unknown {what} {name!r}", where=where, how=did_you_mean(str(name), known))
    return list(known).index(name)


def amount(line: Line, value: Value, what: str, where: str) -> np.ndarray | Watch:
    """A number or array as (lanes,), or an expression that is worked out when the event acts."""
    return Watch(line.network, [value], where) if isinstance(value, Expr) else numbers(value, line.lanes, what, where)


def numbers(
    value: float | np.ndarray, lanes: int, what: str, where: str, least: float = -np.inf, infinite: bool = False
) -> np.ndarray:
    """A number or array as (lanes,), checked."""
    try:
        found = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Il2Error(f"the {what} is {value!r}", where=where, how="Give a number, or one a lane.") from None
    if found.shape not in ((), (1,), (lanes,)):
        raise Il2Error(f"the {what} has shape {found.shape}", where=where, how=f"Give a number, or {lanes} of them.")
    bad = ~(found >= least) | (np.isinf(found) & (not infinite))
    if bad.any():
        how = "Give a finite number" + (f" from {least:g} up." if np.isfinite(least) else ".")
        raise Il2Error(f"the {what} is {found[bad][0]:g}", where=where, how=how)
    return np.broadcast_to(found, (lanes,))


def _acting(network: Network) -> set[str]:
    """Names on which rates and observables depend, through derived constants too."""
    names = {s for r in network.reactions for s in symbols(r.rate)}
    names |= {s for o in network.observables for s in symbols(o.expr)}
    for d in reversed(network.derived):
        if d.name in names:
            names |= symbols(d.expr)
    return names
