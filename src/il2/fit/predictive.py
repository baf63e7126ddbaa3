"""What a fit predicts, with the uncertainty of its numbers and of the noise, and whether the data lie where it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from il2.fit.free import NOISE, bounds, native
from il2.fit.intervals import covariance
from il2.fit.made import Made
from il2.fit.noise import law, of_location, trust
from il2.fit.problem import Problem, Residuals, variable

SHARES = (0.5, 0.9)  # of the predictive intervals that are checked
BAND = (2.5, 97.5)
QUANTILES = 40  # of the noise, in a band
AT_ONCE = 1000  # points; bounds memory
STEPS = 3  # of a draw, back to what fits


@dataclass(frozen=True)
class Check:
    """expected, low, high (n,) by point, at the best position and as 90 % predictive interval, as blocks have values;
    inside (2, n): whether a point lies in the 50 and 90 % intervals."""

    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    inside: np.ndarray

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(float(row.mean()) for row in self.inside)


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
    """The position with scales and backgrounds at their best for its signals, in which they are straight.

    Left alone are those that more than one group of points shares, and those that are searched on another scale.
    """
    points = [of.points for of in problem.blocks]
    signal, noise = np.concatenate(problem.signals(x)), np.concatenate(noises(problem, x))
    weight, shaken = (part[: len(signal)] for part in (weight, shaken))
    target = np.concatenate([p.value for p in points]) - noise * shaken / weight
    pairs = [pair for p in points for pair in zip(p.scale.tolist(), p.background.tolist(), strict=True)]
    acting = {use.free for of in problem.blocks for use in of.uses}
    low, high = bounds(problem.free)
    out = x.copy()
    different = dict.fromkeys(pairs)
    for pair in different:
        shared = acting | {name for other in different if other != pair for name in other}
        if "" in pair or shared & set(pair) or [problem.free[problem.place[n]].scale for n in pair] != ["log10", "lin"]:
            continue
        own = np.array([other == pair for other in pairs]) & np.isfinite(signal)
        trust = weight[own] / noise[own]
        matrix = np.stack([signal[own], np.ones(own.sum())], axis=1) * trust[:, None]
        (slope, offset), *_ = np.linalg.lstsq(matrix, target[own] * trust, rcond=None)
        if slope > 0:
            out[[problem.place[name] for name in pair]] = np.log10(slope), offset
    return np.clip(out, low, high)


def check(of: Made, x: np.ndarray, positions: np.ndarray) -> Check:
    """Predictive intervals of the fitted points from positions (draws, n), and which points they hold."""
    value = of.value
    told = np.array([of.by_point(of.problem.predictions(at)) for at in positions])
    noise = np.array([of.by_point(noises(of.problem, at)) for at in positions])
    good = np.isfinite(told).all(axis=1)
    levels = [level for share in SHARES for level in (50 - 50 * share, 50 + 50 * share)]
    parts = [
        with_noise(told[good, k : k + AT_ONCE], noise[good, k : k + AT_ONCE], levels, of.problem.degrees)
        for k in range(0, len(value), AT_ONCE)
    ]
    ends = np.concatenate(parts, axis=1)
    inside = np.array([(ends[2 * k] <= value) & (value <= ends[2 * k + 1]) for k in range(len(SHARES))])
    return Check(of.by_point(of.problem.predictions(x)), ends[-2], ends[-1], inside)


def with_noise(signal: np.ndarray, width: np.ndarray, levels: Sequence[float], degrees: float) -> np.ndarray:
    """Percentiles (levels, ...) of measurements from signals and noises (draws, ...): the mixture over the draws, with
    the noise at even quantiles of its law instead of drawn, so that bands are smooth."""
    noise = law(degrees).ppf((np.arange(QUANTILES) + 0.5) / QUANTILES)
    every = signal[:, None] + width[:, None] * noise.reshape(1, -1, *[1] * (signal.ndim - 1))
    return np.percentile(every.reshape(-1, *signal.shape[1:]), levels, axis=0)


def noises(problem: Problem, x: np.ndarray) -> list[np.ndarray]:
    """Noise of each point of each block, as the block has it; 1 where none is named."""
    values = dict(zip(problem.names, native(problem.free, x).tolist(), strict=True)) | {"": 1.0}
    return [np.array([values[name] for name in of.points.noise.tolist()]) for of in problem.blocks]


def over_noise(of: Made, x: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Residuals (n,), measured minus expected (n,), in units of the noise."""
    return (of.value - expected) / of.by_point(noises(of.problem, x))
