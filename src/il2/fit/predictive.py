"""What a fit predicts, with the uncertainty of its numbers and of the noise, and whether the data lie where it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from il2.fit.block import Block, Points, Use
from il2.fit.free import NOISE, bounds, native
from il2.fit.intervals import covariance
from il2.fit.noise import law, of_location, trust
from il2.fit.problem import Problem, Residuals, variable
from il2.fit.tidy import Tidy
from il2.receptor.model import dose

SHARES = (0.5, 0.9)  # of the predictive intervals that are checked
BAND = (2.5, 97.5)
DOSES = 40  # of a drawn curve
QUANTILES = 40  # of the noise, in a band
AT_ONCE = 1000  # wells; bounds memory
STEPS = 3  # of a draw, back to what fits
BEYOND = 1.5  # a curve goes beyond the doses by this factor


@dataclass(frozen=True)
class Check:
    """expected, low, high (n,) by well, at the best position and as 90 % predictive interval; inside (2, n): whether a
    well lies in the 50 and 90 % intervals."""

    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    inside: np.ndarray

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(float(row.mean()) for row in self.inside)


@dataclass(frozen=True)
class Curves:
    """Curves of one block: dose (k,) in nM; signal, and bands of the signal and of what would be measured, over scale
    and without background (lanes, k, times); wells: a well of each curve."""

    dose: np.ndarray
    times: np.ndarray
    wells: np.ndarray
    signal: np.ndarray
    low: np.ndarray
    high: np.ndarray
    low_measured: np.ndarray
    high_measured: np.ndarray


def draws_around(problem: Problem, x: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Positions (draws, n) around an optimum, each the optimum of data and priors with other noise on them.

    Where signals are straight in the numbers these are draws from the curvature; where they are not, a few steps bring
    each back to what fits. The noise numbers are drawn from the curvature.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, 6]))
    spread = np.sqrt(np.diag(covariance(problem, x)))
    noisy = variable(problem, (NOISE,))
    first = problem.residuals(x)
    weight = np.ones(len(first.values))
    weight[: first.data] = np.sqrt(trust(first.values[: first.data], problem.degrees))
    width = np.ones(len(first.values))
    width[: first.data] /= np.sqrt(of_location(problem.degrees))
    out = np.tile(x, (draws, 1))
    for k in range(draws):
        shaken = width * rng.standard_normal(len(first.values))
        out[k] = np.where(noisy, x, _returned(problem, x, first, weight, shaken, noisy))
        out[k] += np.where(noisy, spread * rng.standard_normal(len(x)), 0.0)
    return np.clip(out, *bounds(problem.free))


def _returned(
    problem: Problem, x: np.ndarray, first: Residuals, weight: np.ndarray, shaken: np.ndarray, held: np.ndarray
) -> np.ndarray:
    """The position of least squares for residuals that are shaken, after a few steps; the best of those tried."""
    low, high = bounds(problem.free)
    ridge = np.diag(np.where(held, 1.0, 1e-6))
    best, found, lowest = x, first, float(np.sum((weight * first.values + shaken) ** 2))
    shrink = 1.0
    for _ in range(STEPS):
        slopes = weight[:, None] * found.jacobian * ~held
        step = np.linalg.solve(slopes.T @ slopes + ridge, -slopes.T @ (weight * found.values + shaken))
        tried = _rescaled(problem, np.clip(best + shrink * step, low, high), weight, shaken)
        there = problem.residuals(tried)
        cost = float(np.sum((weight * there.values + shaken) ** 2))
        if cost < lowest:
            best, found, lowest, shrink = tried, there, cost, 1.0
        else:
            shrink *= 0.3
    return best


def _rescaled(problem: Problem, x: np.ndarray, weight: np.ndarray, shaken: np.ndarray) -> np.ndarray:
    """The position with scales and backgrounds at their best for its signals, in which they are straight."""
    points = [of.points for of in problem.blocks]
    signal, noise = np.concatenate(problem.signals(x)), np.concatenate(_noises(problem, x))
    weight, shaken = (part[: len(signal)] for part in (weight, shaken))
    target = np.concatenate([p.value for p in points]) - noise * shaken / weight
    pairs = [pair for p in points for pair in zip(p.scale.tolist(), p.background.tolist(), strict=True)]
    low, high = bounds(problem.free)
    out = x.copy()
    for pair in dict.fromkeys(pairs):
        own = np.array([other == pair for other in pairs]) & np.isfinite(signal)
        trust = weight[own] / noise[own]
        matrix = np.stack([signal[own], np.ones(own.sum())], axis=1) * trust[:, None]
        (slope, offset), *_ = np.linalg.lstsq(matrix, target[own] * trust, rcond=None)
        if slope > 0:
            out[[problem.place[name] for name in pair]] = np.log10(slope), offset
    return np.clip(out, low, high)


def check(of: Tidy, x: np.ndarray, positions: np.ndarray) -> Check:
    """Predictive intervals of the fitted wells from positions (draws, n), and which wells they hold."""
    value = of.wells.value
    told = np.array([_by_well(of, of.problem.predictions(at)) for at in positions])
    noise = np.array([_by_well(of, _noises(of.problem, at)) for at in positions])
    good = np.isfinite(told).all(axis=1)
    levels = [level for share in SHARES for level in (50 - 50 * share, 50 + 50 * share)]
    parts = [
        _with_noise(told[good, k : k + AT_ONCE], noise[good, k : k + AT_ONCE], levels, of.problem.degrees)
        for k in range(0, len(value), AT_ONCE)
    ]
    ends = np.concatenate(parts, axis=1)
    inside = np.array([(ends[2 * k] <= value) & (value <= ends[2 * k + 1]) for k in range(len(SHARES))])
    return Check(_by_well(of, of.problem.predictions(x)), ends[-2], ends[-1], inside)


def curves(of: Tidy, x: np.ndarray, positions: np.ndarray) -> tuple[Curves, ...]:
    """Curves over the doses with bands from positions (draws, n), a Curves a block."""
    parts = [_dense(of, k) for k in range(len(of.problem.blocks))]
    dense = replace(of.problem, blocks=tuple(part[0] for part in parts))
    best, drawn = dense.signals(x), [dense.signals(at) for at in positions]
    out = []
    for k, (block, levels, wells) in enumerate(parts):
        shape = (len(wells), len(levels), len(block.times_min))
        place = of.problem.place
        scale, background, noise = (
            np.array([place[name] for name in kind.tolist()])
            for kind in (block.points.scale, block.points.background, block.points.noise)
        )
        own = native(of.problem.free, x)
        signal, width = [], []
        for at, found in zip(positions, drawn, strict=True):
            values = native(of.problem.free, at)
            told = values[background] + values[scale] * found[k]
            if np.isfinite(told).all():
                signal.append(((told - own[background]) / own[scale]).reshape(shape))
                width.append((values[noise] / own[scale]).reshape(shape))
        low, high = np.percentile(signal, BAND, axis=0)
        drawn_signal, drawn_width, degrees = np.array(signal), np.array(width), of.problem.degrees
        bands = [_with_noise(drawn_signal[:, i], drawn_width[:, i], BAND, degrees) for i in range(len(wells))]
        out.append(
            Curves(
                levels, block.times_min, wells, best[k].reshape(shape), low, high,
                np.array([band[0] for band in bands]), np.array([band[1] for band in bands]),
            )
        )  # fmt: skip
    return tuple(out)


def _with_noise(signal: np.ndarray, width: np.ndarray, levels: Sequence[float], degrees: float) -> np.ndarray:
    """Percentiles (levels, ...) of measurements from signals and noises (draws, ...): the mixture over the draws, with
    the noise at even quantiles of its law instead of drawn, so that bands are smooth."""
    noise = law(degrees).ppf((np.arange(QUANTILES) + 0.5) / QUANTILES)
    every = signal[:, None] + width[:, None] * noise.reshape(1, -1, *[1] * (signal.ndim - 1))
    return np.percentile(every.reshape(-1, *signal.shape[1:]), levels, axis=0)


def _dense(of: Tidy, k: int) -> tuple[Block, np.ndarray, np.ndarray]:
    """A block with many doses for each ligand, cell and condition, its doses, and a well of each."""
    block, wells, first = of.problem.blocks[k], of.wells, of.lanes[k]
    column = next(j for j, n in enumerate(block.network.parameter_names) if n == _dose_of(of, k))
    given = wells.dose[of.rows[k]]
    levels = np.geomspace(given[given > 0].min() / BEYOND, given.max() * BEYOND, DOSES)
    without = np.delete(block.base, column, axis=1)
    keys: dict[tuple, int] = {}
    for lane, i in enumerate(first):
        if wells.dose[i] > 0:
            keys.setdefault((of.ligands[i], wells.cell[i], *without[lane].tolist()), lane)
    source = np.repeat(list(keys.values()), len(levels))
    base = block.base[source].copy()
    base[:, column] = np.tile(levels, len(keys))
    uses = tuple(Use(u.parameter, u.free, np.flatnonzero(np.isin(source, u.lanes)), u.power) for u in block.uses)
    point_of = {int(lane): j for j, lane in reversed(list(enumerate(block.points.lane)))}
    from_point = np.array([point_of[int(lane)] for lane in source])
    times = len(block.times_min)
    place, time = (part.ravel() for part in np.indices((len(source), times)))
    pick = from_point[place]
    old = block.points
    points = Points(
        place, time, old.readout[pick], np.zeros(len(place)), old.scale[pick], old.background[pick], old.noise[pick],
        np.zeros(len(place), int), np.ones(len(place)),
    )  # fmt: skip
    return replace(block, base=base, uses=uses, points=points), levels, first[list(keys.values())]


def _dose_of(of: Tidy, k: int) -> str:
    """The parameter that holds the dose: that of the base of the block's ligands."""
    return dose(of.wells.kinds[of.wells.which[of.lanes[k][0]]].base)


def _by_well(of: Tidy, parts: list[np.ndarray]) -> np.ndarray:
    out = np.full(len(of.wells), np.nan)
    for rows, part in zip(of.rows, parts, strict=True):
        out[rows] = part
    return out


def _noises(problem: Problem, x: np.ndarray) -> list[np.ndarray]:
    values = native(problem.free, x)
    return [values[[problem.place[name] for name in of.points.noise.tolist()]] for of in problem.blocks]


def noise_of(of: Tidy, x: np.ndarray) -> np.ndarray:
    """Noise (n,) of each well, in its unit."""
    return _by_well(of, _noises(of.problem, x))
