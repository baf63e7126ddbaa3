"""Maximum a posteriori from many starts: robust least squares from afar, then a trust-region method on the density.

Least squares are reweighted from the residuals of the data alone, which leaves the priors normal. The noise is fitted
between rounds. The last steps maximise the log density in all free numbers with its exact gradient.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import least_squares, minimize_scalar
from scipy.stats import qmc

from il2.errors import Il2Error
from il2.fit.free import NOISE, Free, bounds, centres, native, spreads
from il2.fit.intervals import data_information, inside, prior_information
from il2.fit.noise import log_density, trust
from il2.fit.problem import Problem, variable

ROUNDS = 3
SETTLED = 0.1  # a round that lowers the cost by less is the last
NEAR = 1.0  # a step may be kept whose cost is this much above the lowest seen
UNSOLVED = "a lane could not be solved at the first position"
FAILURES = (ArithmeticError, ValueError, RuntimeError, np.linalg.LinAlgError, Il2Error)


@dataclass(frozen=True)
class Start:
    """Where a start began and ended, on the scales (n,); cost is minus the log density at x, infinite if it failed."""

    index: int
    x0: np.ndarray
    x: np.ndarray
    cost: float
    evaluations: int
    message: str


def search(
    problem: Problem, starts: int, seed: int, *, done: Iterable[Start] = (),
    on_done: Callable[[Start], None] | None = None, most_evaluations: int = 60,
) -> tuple[Start, ...]:  # fmt: skip
    """Local optima, the best first. Start 0 begins at the prior medians, others are drawn from the prior.

    The draws of a seed do not depend on the number of starts. `done`: starts found earlier, which are not run again.
    `on_done` is called after each new start. most_evaluations: of a start, over all of its steps.
    """
    if starts < 1:
        raise Il2Error(f"{starts} starts", where=problem.name, how="Give one start or more.")
    found = {start.index: start for start in done}
    for index, x0 in enumerate(positions(problem.free, starts, seed)):
        if index not in found:
            found[index] = climb(problem, index, x0, most_evaluations)
            if on_done:
                on_done(found[index])
    return tuple(sorted(found.values(), key=lambda start: (start.cost, start.index)))


def positions(free: tuple[Free, ...], count: int, seed: int) -> np.ndarray:
    """First positions (count, n) on the scales: the prior medians, then a shifted Sobol sequence through the prior."""
    sequence = qmc.Sobol(len(free), scramble=False).random_base2(max(count - 1, 1).bit_length())
    shares = (sequence[:count] + np.random.default_rng(seed).random(len(free))) % 1.0
    out = np.array([from_prior(free, share) for share in shares])
    out[0] = centres(free)
    return out


def from_prior(free: tuple[Free, ...], shares: np.ndarray) -> np.ndarray:
    """Positions (n,) at these quantiles (n,) of the prior within the bounds; uniform where there is no prior."""
    low, high = bounds(free)
    known = np.isfinite(spreads(free))
    spread = np.where(known, spreads(free), 1.0)
    cut = [stats.norm.cdf((end - centres(free)) / spread) for end in (low, high)]
    drawn = centres(free) + spread * stats.norm.ppf(cut[0] + shares * (cut[1] - cut[0]))
    return np.clip(np.where(known, drawn, low + shares * (high - low)), low, high)


def climb(problem: Problem, index: int, x0: np.ndarray, most_evaluations: int = 60) -> Start:
    """The optimum that is reached from x0 (n,). A start that fails has an infinite cost and a message that says why."""
    spent = 0
    with np.errstate(all="ignore"):
        try:
            x = with_noise(problem, inside(problem.free, x0))
            cost = -problem.log_density(x)[0]
            if not math.isfinite(cost):
                return Start(index, x0, x0, math.inf, 1, UNSOLVED)
            for _ in range(ROUNDS):
                moved, evaluations = _least_squares(problem, x, max(most_evaluations // 4, 2))
                moved = with_noise(problem, moved)
                spent += evaluations
                new = -problem.log_density(moved)[0]
                gained = cost - new
                if gained > 0:
                    x, cost = moved, new
                if not gained > SETTLED:
                    break
            x, cost, evaluations, message = polished(problem, x, most_evaluations=max(most_evaluations - spent, 5))
            return Start(index, x0, x, cost, spent + evaluations, message)
        except FAILURES as failure:
            return Start(index, x0, x0, math.inf, spent, f"failed: {failure}"[:300])


def polished(
    problem: Problem, x: np.ndarray, moving: np.ndarray | None = None, most_evaluations: int = 60
) -> tuple[np.ndarray, float, int, str]:
    """Position, cost, evaluations and message of the optimum near x (n,) in the numbers that `moving` (n,) marks."""
    free = np.ones(len(x), bool) if moving is None else moving
    whole, best, spent = inside(problem.free, x), math.inf, 0
    whole[~free] = x[~free]
    known, curved = prior_information(problem.free), np.eye(int(free.sum()))

    def cost(part: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        nonlocal best, spent, curved
        spent += 1
        here = whole.copy()
        here[free] = part
        value, slope = problem.log_density(here)
        if -value < best + NEAR:  # a step that is surely refused needs no curvature
            best = min(best, -value)
            found = (data_information(problem, here) + known)[np.ix_(free, free)]
            curved = found if np.isfinite(found).all() else curved
        return -value, -slope[free], curved

    low, high = bounds(problem.free)
    part, value, message = minimise(cost, whole[free], low[free], high[free], most_evaluations)
    whole[free] = part
    return whole, value, spent, message


def minimise(
    cost: Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]], x: np.ndarray, low: np.ndarray,
    high: np.ndarray, most_evaluations: int,
) -> tuple[np.ndarray, float, str]:  # fmt: skip
    """Position, cost and message of the minimum of a function that gives cost, gradient and curvature (fides)."""
    from fides import Optimizer

    if not len(x):
        return x, cost(x)[0], "converged"
    options = {"maxiter": most_evaluations, "fatol": 1e-5, "frtol": 1e-9, "gatol": 1e-4, "subspace_solver": "full"}
    solver = Optimizer(cost, ub=high, lb=low, verbose=logging.CRITICAL, options=options)
    with np.errstate(all="ignore"):
        solver.minimize(x)
    ended = "converged" if solver.converged else f"stopped after {solver.iteration} steps"
    return np.array(solver.x_min), float(solver.fval_min), ended


def with_noise(problem: Problem, x: np.ndarray) -> np.ndarray:
    """The position with each noise number at its best for the predictions there."""
    noisy = np.flatnonzero(variable(problem, (NOISE,)))
    if not len(noisy):
        return x
    out, told = x.copy(), problem.predictions(x)
    low, high = bounds(problem.free)
    for k in noisy:
        parts = []
        for of, expected in zip(problem.blocks, told, strict=True):
            own = of.points.noise == problem.free[k].name
            parts.append([(expected - of.points.value)[own], of.points.censored[own], of.points.weight[own]])
        off, censored, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        cost = _noise_cost(problem.free[k], off, censored, weight, problem.degrees)
        out[k] = minimize_scalar(cost, bounds=(low[k], high[k]), method="bounded").x
    return out


def _noise_cost(
    free: Free, off: np.ndarray, censored: np.ndarray, weight: np.ndarray, degrees: float
) -> Callable[[float], float]:
    def cost(x: float) -> float:
        noise = native((free,), np.array([x]))[0]
        density, _ = log_density(off / noise, censored, degrees)
        prior = 0.5 * ((x - free.to_scale(free.centre)) / free.spread) ** 2
        return prior - float(weight @ (density - math.log(noise) * (censored == 0)))

    return cost


def _least_squares(problem: Problem, x: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """Position after least squares in all but the noise with the weights that the residuals at x earn."""
    moving = ~variable(problem, (NOISE,))
    first = problem.residuals(x)
    weights = np.concatenate([of.points.weight for of in problem.blocks])
    z = first.values[: first.data] / np.sqrt(np.maximum(weights, np.finfo(float).tiny))
    earned = np.ones(len(first.values))
    earned[: first.data] = np.sqrt(trust(z, problem.degrees))
    kept = {x[moving].tobytes(): first}

    def at(part: np.ndarray):
        if part.tobytes() not in kept:
            kept.clear()
            whole = x.copy()
            whole[moving] = part
            kept[part.tobytes()] = problem.residuals(whole)
        return kept[part.tobytes()]

    low, high = (end[moving] for end in bounds(problem.free))
    found = least_squares(
        lambda part: at(part).values * earned, x[moving], lambda part: at(part).jacobian[:, moving] * earned[:, None],
        bounds=(low, high), x_scale="jac", method="trf", max_nfev=most, ftol=1e-4, xtol=1e-5, gtol=1e-6,
    )  # fmt: skip
    out = x.copy()
    out[moving] = np.clip(found.x, low, high)
    return inside(problem.free, out), found.nfev
