"""A network in lanes, and what was measured of it: the link between free numbers and data points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.gradient import gradient
from il2.engine.observe import observed, readouts
from il2.engine.solve import Tolerances, solve
from il2.errors import Il2Error, did_you_mean
from il2.network.network import Network
from il2.network.program import Program, lower

TOLERANCES = Tolerances(rtol=1e-6, atol=1e-6)

Weigh = Callable[[np.ndarray, slice], np.ndarray]
"""(readouts (lanes, times, readouts), lanes) to their weights, of the same shape, for the lanes in the slice."""


@dataclass(frozen=True)
class Use:
    """A free number multiplies a parameter of some lanes: `parameter` times value to the `power`."""

    parameter: str
    free: str
    lanes: np.ndarray
    power: float = 1.0


@dataclass(frozen=True)
class Points:
    """Data points of a block, arrays (m,).

    lane, time, readout: where in the solution. value: measured, in units of `unit`, in which the noise is told.
    scale, background, noise: names of free numbers, "" for a scale of 1, a background of 0 and a noise of 1.
    censored: -1 at or below the value, 1 at or above it, 0 measured. weight: of the point, 1 for an independent one.
    """

    lane: np.ndarray
    time: np.ndarray
    readout: np.ndarray
    value: np.ndarray
    scale: np.ndarray
    background: np.ndarray
    noise: np.ndarray
    censored: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True)
class Block:
    """Lanes of one network with their data.

    base: rows (lanes, n_parameters) in the order of the network, on which the free numbers act by `uses`.
    """

    network: Network
    program: Program
    times_min: np.ndarray
    readouts: tuple[str, ...]
    base: np.ndarray
    uses: tuple[Use, ...]
    points: Points
    tolerances: Tolerances = field(default=TOLERANCES)

    @property
    def lanes(self) -> int:
        return len(self.base)


def block(
    network: Network, times_min: Iterable[float], readouts: Iterable[str], values: Mapping[str, np.ndarray | float],
    uses: Iterable[Use], points: Points, program: Program | None = None, tolerances: Tolerances = TOLERANCES,
) -> Block:  # fmt: skip
    """A block from values of lanes by parameter name; the rest stays at the default of the network."""
    base = parameter_rows(network, values)
    uses = tuple(uses)
    for use in uses:
        if use.parameter not in network.parameter_names:
            how = did_you_mean(use.parameter, network.parameter_names)
            raise Il2Error(f"no parameter {use.parameter!r} in {network.name}", where=use.free, how=how)
    times, program = np.asarray(list(times_min), float), program or lower(network)
    return Block(network, program, times, tuple(readouts), base, uses, points, tolerances)


def rows(of: Block, place: Mapping[str, int], values: np.ndarray) -> np.ndarray:
    """Parameters (lanes, n_parameters) for values of the free numbers, which `place` finds by name."""
    out = of.base.copy()
    names = of.network.parameter_names
    for use in of.uses:
        out[use.lanes, names.index(use.parameter)] *= values[place[use.free]] ** use.power
    return out


def chained(of: Block, place: Mapping[str, int], values: np.ndarray, p: np.ndarray, p_bar: np.ndarray) -> np.ndarray:
    """Derivatives (lanes, n_free) by the free numbers, from those by the parameters (lanes, n_parameters)."""
    out = np.zeros((of.lanes, len(values)))
    names = of.network.parameter_names
    for use in of.uses:
        j, k = names.index(use.parameter), place[use.free]
        if values[k]:
            slope = p[use.lanes, j] * use.power / values[k]
        else:
            slope = _rest(of, use, place, values)[use.lanes, j] * use.power * values[k] ** (use.power - 1)
        out[use.lanes, k] += p_bar[use.lanes, j] * slope
    return out


def _rest(of: Block, use: Use, place: Mapping[str, int], values: np.ndarray) -> np.ndarray:
    """Parameters (lanes, n_parameters) of which one use is left out."""
    return rows(replace(of, uses=tuple(other for other in of.uses if other is not use)), place, values)


def predicted(of: Block, p: np.ndarray, threads: int | None = None) -> np.ndarray:
    """Readouts (lanes, times, readouts); NaN where a lane failed."""
    found = solve(of.program, p, of.times_min, tolerances=of.tolerances, threads=threads)
    return readouts(of.network, of.readouts, found.y, p)


def weighed(of: Block, p: np.ndarray, weigh: Weigh, threads: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Readouts (lanes, times, readouts), and derivatives (lanes, n_parameters) of their sum with the weights that they
    are given, which are not differentiated. Each lane is weighed once."""
    shown = np.full((len(p), len(of.times_min), len(of.readouts)), np.nan)

    def loss(found: np.ndarray, lanes: slice) -> tuple[np.ndarray, np.ndarray]:
        shown[lanes] = found
        weights = weigh(found, lanes)
        return (found * weights).sum(axis=(1, 2)), weights

    of_states = observed(of.network, of.readouts, p, loss)
    back = gradient(of.program, p, of.times_min, of_states, tolerances=of.tolerances, threads=threads)
    return shown, back.parameters


def sensitivities(
    of: Block, place: Mapping[str, int], values: np.ndarray, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Readouts (lanes, times, readouts), and derivatives (m, n_free) of the signals of points by the free numbers."""
    p, points = rows(of, place, values), of.points
    cells = sorted(set(zip(points.time.tolist(), points.readout.tolist(), strict=True)))
    time, readout = (np.array([cell[side] for cell in cells], int).repeat(of.lanes) for side in (0, 1))

    def weigh(found: np.ndarray, lanes: slice) -> np.ndarray:
        weights = np.zeros_like(found)
        weights[np.arange(len(found)), time[lanes], readout[lanes]] = 1.0
        return weights

    # every lane once for each cell, all solved at once: that is faster than one cell after another
    shown, p_bar = weighed(of, np.tile(p, (len(cells), 1)), weigh, threads)
    out = np.zeros((len(points), len(values)))
    for i, (t, r) in enumerate(cells):
        here = (points.time == t) & (points.readout == r)
        part = p_bar[i * of.lanes : (i + 1) * of.lanes]
        out[here] = chained(of, place, values, p, part)[points.lane[here]]
    return shown[: of.lanes], out
