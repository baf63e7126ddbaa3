"""Losses of observables: from how much readouts matter to how much states and parameters matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from il2.engine.evaluate import run
from il2.engine.gradient import Loss
from il2.errors import Il2Error, did_you_mean
from il2.network.network import Network
from il2.network.program import lower_expressions
from il2.network.reverse import copied, gradient
from il2.network.tape import Tape

OfReadouts = Callable[[np.ndarray, slice], tuple[np.ndarray, np.ndarray]]
"""(readouts (lanes, times, names), lanes) to values (lanes,) and their derivatives, of the shape of the readouts."""


def readouts(network: Network, names: Iterable[str], y: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Observables (lanes, times, names) of states (lanes, times, states) of lanes with `parameters`."""
    tape, places = _written(network, names)
    return run(tape, {"y": y, "p": parameters[:, None, :]}, places)


def observed(network: Network, names: Iterable[str], parameters: np.ndarray, of: OfReadouts) -> Loss:
    """A loss of observables as `il2.engine.gradient` takes it, with what the readouts owe to the parameters directly.

    parameters: (lanes, n_parameters), the same as the gradient is asked for. Unknown names are an Il2Error.
    """
    forward, places = _written(network, names)
    tape = copied(forward)
    seeds: dict[int, int] = {}
    for i, value in enumerate(places):
        part = tape.load("g", i)
        seeds[value] = tape.add(seeds[value], part) if value in seeds else part
    of_states = gradient(tape, seeds, "y", len(network.species))
    of_parameters = gradient(tape, seeds, "p", len(network.parameters))

    def loss(y: np.ndarray, lanes: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        p = parameters[lanes][:, None, :]
        value, g = of(run(forward, {"y": y, "p": p}, places), lanes)
        arrays = {"y": y, "p": p, "g": np.asarray(g, float)}
        direct = run(tape, arrays, of_parameters)
        whole = np.broadcast_to(direct, (*y.shape[:2], len(of_parameters)))
        return value, np.broadcast_to(run(tape, arrays, of_states), y.shape), whole.sum(axis=1)

    return loss


def _written(network: Network, names: Iterable[str]) -> tuple[Tape, list[int]]:
    known = {o.name: o.expr for o in network.observables}
    wanted = list(names)
    if not wanted:
        raise Il2Error("no observable is named", where=network.name, how=did_you_mean("", known))
    for name in wanted:
        if name not in known:
            raise Il2Error(f"no observable {name!r} in {network.name}", how=did_you_mean(name, known))
    return lower_expressions(network, [known[name] for name in wanted])
