"""Profile of one free number: the lowest cost at each of its values, and the 95 % interval that follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.fit.free import bounds, native
from il2.fit.intervals import covariance
from il2.fit.problem import Problem
from il2.fit.search import FAILURES, polished

RISE = 1.9207  # half the 95 % quantile of chi-square with one degree of freedom
ROOT = math.sqrt(2 * RISE)
STRIDE = 0.7  # wanted growth of the root of twice the rise from point to point
OVERSHOOT = 1.2  # a point whose root is further beyond is too coarse to interpolate to
GROWTH = 3.0


@dataclass(frozen=True)
class Profile:
    """Positions x (k,) of a free number on its scale, rising; its values (k,) in its unit; the lowest costs (k,).

    low, high: 95 % interval in its unit; None where the cost does not rise enough before the bound.
    """

    name: str
    x: np.ndarray
    values: np.ndarray
    costs: np.ndarray
    low: float | None
    high: float | None


def profile(
    problem: Problem, x: np.ndarray, name: str, *, points: int = 15,
    on_done: Callable[[float, float], None] | None = None,
) -> Profile:  # fmt: skip
    """Profile of a free number from an optimum x (n,), priors included.

    points: most values on each side. `on_done` takes position and cost of each. An unknown name is an Il2Error.
    """
    if name not in problem.place:
        raise Il2Error(f"no free number {name!r}", where=problem.name, how=did_you_mean(name, problem.names))
    j = problem.place[name]
    spread = covariance(problem, x)
    if not np.isfinite(spread).all():
        raise Il2Error("a lane could not be solved at the optimum", where=problem.name, how="Profile another start.")
    direction = spread[:, j] / spread[j, j]
    best = [(x, -problem.log_density(x)[0])]
    sides = [
        _side(problem, best[0], j, direction, end, math.sqrt(spread[j, j]), points, on_done)
        for end in (bounds(problem.free)[0][j], bounds(problem.free)[1][j])
    ]
    found = sorted(dict([(float(x[j]), best[0][1]), *sides[0], *sides[1]]).items())
    places, costs = np.array([at for at, _ in found]), np.array([cost for _, cost in found])
    values = native((problem.free[j],) * len(places), places)
    ends = [_crossing(places, costs, side) for side in (-1, 1)]
    low, high = (None if end is None else float(native((problem.free[j],), np.array([end]))[0]) for end in ends)
    return Profile(name, places, values, costs, low, high)


def _side(
    problem: Problem, best: tuple[np.ndarray, float], j: int, direction: np.ndarray, end: float, deviation: float,
    points: int, on_done: Callable[[float, float], None] | None,
) -> list[tuple[float, float]]:  # fmt: skip
    """Positions and costs towards one bound: steps by the slope of the root, each optimum starting from the last."""
    sign = math.copysign(1.0, end - best[0][j])
    moving = np.arange(len(direction)) != j
    here, lowest = best[0], best[1]
    inner, outer = (here[j], 0.0), None
    step, out = STRIDE * deviation, []
    for _ in range(points):
        target = inner[0] + sign * step
        if outer is not None:
            target = inner[0] + (outer - inner[0]) / 2
        at = end if sign * (target - end) >= 0 else target
        guess = np.clip(here + direction * (at - here[j]), *bounds(problem.free))
        guess[j] = at
        try:
            whole, cost, _, _ = polished(problem, guess, moving)
        except FAILURES:
            cost = math.inf
        if math.isfinite(cost):
            out.append((float(at), cost))
            if on_done:
                on_done(float(at), cost)
        lowest = min(lowest, cost)
        root = math.sqrt(2 * max(cost - lowest, 0.0))
        if root > OVERSHOOT * ROOT:
            outer = at
            continue
        if root >= ROOT or at == end:
            break
        if abs(at - here[j]) > 0:
            direction = (whole - here) / (at - here[j])
        slope = max(root - inner[1], 1e-9) / abs(at - inner[0])
        step, inner, here = min(STRIDE / slope, GROWTH * abs(at - inner[0])), (at, root), whole
    return out


def _crossing(places: np.ndarray, costs: np.ndarray, side: int) -> float | None:
    """Where the root of twice the rise crosses its bound on a side of the minimum; None where it does not.

    The root is straight for a parabola, so that it is interpolated rather than the cost.
    """
    order = np.argsort(side * places)
    x, roots = places[order], np.sqrt(2 * (costs[order] - costs.min()))
    start = int(np.argmin(roots))
    for i in range(start + 1, len(x)):
        if roots[i] >= ROOT:
            share = (ROOT - roots[i - 1]) / (roots[i] - roots[i - 1])
            return float(x[i - 1] + share * (x[i] - x[i - 1]))
    return None
