"""Where triggers cross zero: the first crossing in the steps of a solution, located on the solver itself.

The state inside a step is one step of the same method over a part of it, from the same start. That is as accurate as
the step, continuous, safe for stiff components (an interpolant on derivatives at the ends is not), and ends in the
state from which the run goes on. A trigger is looked at at the ends and the middle of each step, and where the
parabola through these three comes near zero. What crosses and comes back between these is not seen: an oscillation
that is shorter than half a step, which error control leaves to species outside it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from il2.engine import driver
from il2.engine.pivoting import solve_lane
from il2.engine.solve import Solution, Tolerances, solve
from il2.engine.watch import Watch
from il2.network.program import Program

LOG_BYTES = 256 * 2**20  # of the logged steps that are held at once
FIRST_CAPACITY = 256
AT_ONCE = 1e300  # a first step that no span exceeds: a span is tried in one step
NEAR = 0.5  # the parabola is followed where its extremum comes this near to zero, over the values that it goes through
MOST_ITERATIONS = 200


@dataclass(frozen=True)
class Crossing:
    """Per lane the first crossing: time since the start of the steps (infinity: none), state then, which triggers.

    broken: lanes in which an open trigger was not a number.
    """

    time: np.ndarray
    y: np.ndarray
    which: np.ndarray
    broken: np.ndarray


@dataclass(frozen=True)
class Search:
    """What it takes to evaluate triggers inside steps."""

    program: Program
    watch: Watch
    tolerances: Tolerances
    threads: int | None

    def inside(self, start: np.ndarray, p: np.ndarray, span: np.ndarray) -> np.ndarray:
        """States (rows, states) a `span` (rows,) after states `start`."""
        at_once = replace(self.tolerances, first_step=AT_ONCE)
        return solve(
            self.program, p, span[:, None], initial=start, tolerances=at_once, threads=self.threads
        ).y[:, 0]  # fmt: skip

    def values(self, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        return self.watch.values(y, p)


def solve_to_crossing(
    search: Search, p: np.ndarray, y: np.ndarray, due: np.ndarray, open_: np.ndarray
) -> tuple[Solution, Crossing]:
    """Solve lanes from y to their times `due` (lanes, times), and find the first crossing of triggers that are open.

    open_: (lanes, triggers).
    """
    parts, capacity, start = [], FIRST_CAPACITY, 0
    while start < len(p):
        size = max(1, LOG_BYTES // (8 * capacity * (y.shape[1] + driver.HEAD)))
        some = slice(start, start + size)
        log = np.zeros((len(p[some]), capacity, y.shape[1] + driver.HEAD))
        found = solve(
            search.program, p[some], due[some], initial=y[some], tolerances=search.tolerances,
            threads=search.threads, log=log,
        )  # fmt: skip
        most = int(found.accepted.max(initial=0))
        if most > capacity:
            capacity = most + most // 4
            continue
        for lane in np.flatnonzero(found.repivoted):
            rows: list[tuple[float, float, np.ndarray]] = []
            i = start + lane
            solve_lane(search.program, p[i], y[i], due[i], search.tolerances, rows)
            log[lane, : len(rows)] = [[h, t, *state] for h, t, state in rows]
        parts.append((found, first_crossing(search, p[some], log, found.accepted.astype(int), open_[some])))
        start += size
    solution, crossing = (
        type(found[0])(**{f: np.concatenate([getattr(x, f) for x in found]) for f in found[0].__dataclass_fields__})
        for found in zip(*parts, strict=True)
    )
    return solution, crossing  # type: ignore[return-value]


def first_crossing(search: Search, p: np.ndarray, log: np.ndarray, steps: np.ndarray, open_: np.ndarray) -> Crossing:
    """The first crossing per lane in logged steps (lanes, capacity, 2 + states), of which `steps` (lanes,) are used."""
    lanes, n = len(p), log.shape[2] - driver.HEAD
    out = Crossing(np.full(lanes, np.inf), np.full((lanes, n), np.nan), np.zeros_like(open_), np.zeros(lanes, bool))
    watched = np.where(open_.any(axis=1), steps, 0)
    lane = np.repeat(np.arange(lanes), watched)
    if not len(lane):
        return out
    order = np.arange(len(lane)) - np.repeat(np.cumsum(watched) - watched, watched)  # of a step in its lane
    h, y = log[lane, order, 0], np.ascontiguousarray(log[lane, order, driver.HEAD :])
    before = np.where(order > 0, log[lane, order - 1, 1], 0.0)
    end, last = np.empty_like(y), order == watched[lane] - 1
    end[:-1] = y[1:]
    end[last] = search.inside(y[last], p[lane[last]], h[last])
    middle = search.inside(y, p[lane], h / 2)
    g = np.stack([search.values(x, p[lane]) for x in (y, middle, end)], axis=-1)  # (steps, triggers, 3)
    where, g = _with_extrema(search, p[lane], y, h, g)
    crosses = (g[..., :-1] < 0) & (g[..., 1:] >= 0) & open_[lane][..., None]
    rows = np.flatnonzero(crosses.any(axis=(1, 2)))
    rows = rows[np.unique(lane[rows], return_index=True)[1]]  # the first such step of each lane
    unknown = np.isnan(g).any(axis=2) & open_[lane]
    np.logical_or.at(out.broken, lane[unknown.any(axis=1)], True)
    if not len(rows):
        return out
    row, trigger = np.nonzero(crosses[rows].any(axis=2))
    row = rows[row]
    part = crosses[row, trigger].argmax(axis=1)
    low, high = (where[row, trigger, part + i] * h[row] for i in (0, 1))

    def value(x: np.ndarray, of: np.ndarray) -> np.ndarray:
        at = row[of]
        return search.values(search.inside(y[at], p[lane[at]], x), p[lane[at]])[np.arange(len(of)), trigger[of]]

    ends = g[row, trigger, part], g[row, trigger, part + 1]
    after = located(value, low, high, *ends, 4 * np.finfo(float).eps * (before[row] + high))
    first = np.full(lanes, np.inf)
    np.minimum.at(first, lane[row], after)
    at = lane[rows]
    out.time[at] = before[rows] + first[at]
    out.y[at] = search.inside(y[rows], p[at], first[at])
    past = search.values(out.y[at], p[at]) >= 0
    out.which[at] = past & crosses[rows].any(axis=2)
    exact = after == first[lane[row]]
    out.which[lane[row[exact]], trigger[exact]] = True
    out.broken[at] = False
    return out


def _with_extrema(
    search: Search, p: np.ndarray, y: np.ndarray, h: np.ndarray, g: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Places in steps as shares, and values there (steps, triggers, 4): ends, middle, extremum of the parabola.

    Where there is no extremum near zero the middle stands twice.
    """
    left, mid, right = (g[..., i] for i in range(3))
    with np.errstate(all="ignore"):
        square, slope = 2 * (left + right - 2 * mid), 4 * mid - 3 * left - right
        top = -slope / (2 * square)
        sign = np.where(mid < 0, -1.0, 1.0)
        nearest = np.abs(g).min(axis=-1)
        alike = (np.sign(left) == np.sign(right)) & (np.sign(left) == np.sign(mid))
        wanted = alike & (top > 0) & (top < 1) & (sign * (left + slope * top / 2) <= NEAR * nearest)
    place, value = np.full_like(mid, 0.5), mid.copy()
    for k in range(g.shape[1]):
        rows = np.flatnonzero(wanted[:, k])
        if len(rows):
            place[rows, k] = top[rows, k]
            value[rows, k] = search.values(search.inside(y[rows], p[rows], top[rows, k] * h[rows]), p[rows])[:, k]
    early = place < 0.5
    half = np.full_like(mid, 0.5)
    places = [np.zeros_like(mid), np.where(early, place, half), np.where(early, half, place), np.ones_like(mid)]
    values = [left, np.where(early, value, mid), np.where(early, mid, value), right]
    return np.stack(places, axis=-1), np.stack(values, axis=-1)


def located(
    f: Callable, low: np.ndarray, high: np.ndarray, f_low: np.ndarray, f_high: np.ndarray, width: np.ndarray
) -> np.ndarray:
    """Where functions pass from below zero to zero or more, from brackets to `width`; the end at which they have.

    Chandrupatla's method (inverse quadratic interpolation where it is safe, else bisection) on all brackets at once;
    f(x, which) gives the values of some of them. A value that is not a number counts as past zero.
    """
    x1, x2, f1, f2 = high.copy(), low.copy(), f_high.copy(), f_low.copy()
    share, active = np.full(len(low), 0.5), np.arange(len(low))
    for _ in range(MOST_ITERATIONS):
        active = active[(np.abs(x2 - x1) > width)[active]]
        if not len(active):
            break
        a, b, fa, fb = x1[active], x2[active], f1[active], f2[active]
        x = a + share[active] * (b - a)
        fx = np.nan_to_num(f(x, active), nan=np.inf)
        same = (fx < 0) == (fa < 0)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        with np.errstate(all="ignore"):
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
            quadratic = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            least = np.minimum(0.5, 0.5 * width[active] / np.abs(b - a))
        t = np.where(safe & np.isfinite(quadratic), quadratic, 0.5)
        x1[active], x2[active], f1[active], f2[active] = a, b, fa, fb
        share[active] = np.clip(t, least, 1 - least)
        exact = active[fa == 0]
        x2[exact] = x1[exact]
        f2[exact] = f1[exact]
    return np.where(f1 >= 0, x1, x2)
