"""Identifiability in words: what the data determine of each free number, alone or only together with others."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from il2.errors import Il2Error
from il2.fit.free import Free, bounds, native
from il2.fit.intervals import covariance, data_information, prior_deviations
from il2.fit.problem import Problem
from il2.fit.profile import Profile

NORMAL_95 = 1.959964
DETERMINED = 0.5  # standard deviation after over before data: at most this, and the data determine the number
NOTHING = 0.9  # more than this, and the data added nothing
SHARPER = 0.5  # a combination whose deviation is at most this share of the number's own is what is determined
PARTNERS = 3
AT_BOUND = 1e-3
POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


@dataclass(frozen=True)
class Verdict:
    """What is known of a free number. low, high: 95 % interval in its unit, within its bounds; text: a sentence."""

    name: str
    determined: bool
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class _Widths:
    """Standard deviations on the scales (n,): with the rest free, with the rest held, before data; and covariance."""

    free: np.ndarray
    held: np.ndarray
    before: np.ndarray
    covariance: np.ndarray


def verdicts(problem: Problem, x: np.ndarray, profiles: Iterable[Profile] = ()) -> tuple[Verdict, ...]:
    """A verdict on each free number at an optimum x (n,), by the curvature there; by the profile where one is given.

    A number counts as determined if data at least halve the standard deviation of its prior (of its bounds, if it has
    no prior). An optimum that cannot be solved is an Il2Error.
    """
    information = data_information(problem, x)
    if not np.isfinite(information).all():
        raise Il2Error("a lane could not be solved at the optimum", where=problem.name, how="Judge another start.")
    before = prior_deviations(problem.free)
    spread = covariance(problem, x)
    held = 1 / np.sqrt(np.diag(information) + before**-2.0)
    widths = _Widths(np.sqrt(np.diag(spread)), held, before, spread)
    known = {found.name: found for found in profiles}
    return tuple(_verdict(problem, x, j, widths, known.get(f.name)) for j, f in enumerate(problem.free))


def _verdict(problem: Problem, x: np.ndarray, j: int, widths: _Widths, profile: Profile | None) -> Verdict:
    free = problem.free[j]
    low, high = _interval(free, x[j], widths.free[j])
    if profile is not None:
        low = free.low if profile.low is None else profile.low
        high = free.high if profile.high is None else profile.high
        width = (free.to_scale(high) - free.to_scale(low)) / (2 * NORMAL_95)
        ratio = width / widths.before[j] if (profile.low, profile.high) != (None, None) else math.inf
    else:
        ratio = widths.free[j] / widths.before[j]
    span = f"95 % range {_number(low)} to {_number(high)}{_unit(free)}"
    open_side = profile is not None and (profile.low is None) != (profile.high is None)
    closed = profile is None or not (profile.low is None or profile.high is None)
    determined = bool(ratio <= DETERMINED and closed)
    if determined:
        alone = _interval(free, x[j], widths.held[j])
        text = f"determined {_precision(free, low, high)}; {span}; with the rest held {_precision(free, *alone)}"
    elif together := _together(problem, x, j, widths):
        text = f"{together}; {span}"
    elif open_side and profile is not None:
        limit = f"at most {_number(high)}" if profile.low is None else f"at least {_number(low)}"
        text = f"{limit}{_unit(free)}; the data give no limit on the other side; {span}"
    elif ratio > NOTHING:
        decides = "the prior decides" if math.isfinite(free.spread) else "its bounds decide"
        text = f"not determined by the data: {decides}; {span}"
    else:
        text = f"weakly determined: the data narrow what was known before by {100 * (1 - ratio):.0f} %; {span}"
    edge = AT_BOUND * np.subtract(*bounds((free,))[::-1])[0]
    if min(x[j] - free.to_scale(free.low), free.to_scale(free.high) - x[j]) <= edge:
        text += "; the optimum lies at a bound"
    return Verdict(free.name, determined, low, high, f"{free.name}: {text}.")


def _interval(free: Free, x: float, deviation: float) -> tuple[float, float]:
    ends = np.clip(x + NORMAL_95 * deviation * np.array([-1.0, 1.0]), free.to_scale(free.low), free.to_scale(free.high))
    low, high = native((free, free), ends)
    return float(low), float(high)


def _precision(free: Free, low: float, high: float) -> str:
    if free.scale == "log10":
        return f"within a factor {_number(max(math.sqrt(high / low), 1.0))}"
    return f"within {_number((high - low) / 2)}{_unit(free)}"


def _number(value: float) -> str:
    """Three digits, with separators of thousands; powers of ten only far from one."""
    return f"{float(f'{value:.3g}'):,.10g}"


def _unit(free: Free) -> str:
    return "" if free.unit in ("", "dimensionless") else f" {free.unit}"


def _together(problem: Problem, x: np.ndarray, j: int, widths: _Widths) -> str:
    """The combination with other numbers that the data determine where they do not determine the number; "" if none.

    A partner is who narrows the number most when held; one partner gives a product or quotient, more are listed.
    """
    spread = widths.covariance.copy()
    partners: list[int] = []
    while len(partners) < PARTNERS:
        own = np.diag(spread)
        worth = np.where(own > 1e-12 * widths.free**2, spread[j] ** 2 / np.maximum(own, 1e-300), 0.0)
        worth[[j, *partners]] = 0.0
        k = int(np.argmax(worth))
        if worth[k] < 0.1 * own[j]:
            break
        partners.append(k)
        spread = spread - np.outer(spread[:, k], spread[k]) / spread[k, k]
        if spread[j, j] <= (SHARPER * widths.free[j]) ** 2:
            break
    known = math.sqrt(max(spread[j, j], 0.0))
    if not partners or known > SHARPER * widths.free[j] or known > DETERMINED * widths.before[j]:
        return ""
    if len(partners) == 1:
        return _pair(problem, x, j, partners[0], widths.covariance)
    names = [problem.free[k].name for k in partners]
    return f"determined only in combination with {', '.join(names[:-1])} and {names[-1]}"


def _pair(problem: Problem, x: np.ndarray, j: int, k: int, spread: np.ndarray) -> str:
    """The sum of positions `x_j + power * x_k` that is known best, as a product, quotient, sum or difference."""
    free, other = problem.free[j], problem.free[k]
    if free.scale != other.scale:
        return f"determined only together with {other.name}"
    power = -spread[j, k] / spread[k, k]
    power = next((p for p in POWERS if abs(power / p - 1) <= 0.15), power)
    deviation = math.sqrt(max(spread[j, j] + 2 * power * spread[j, k] + power**2 * spread[k, k], 0.0))
    ends = x[j] + power * x[k] + NORMAL_95 * deviation * np.array([-1.0, 1.0])
    times = "" if abs(power) == 1 else f"{abs(power):.2g}"
    if free.scale == "lin":
        kind = "sum" if power > 0 else "difference"
        partner = f"{times} times {other.name}" if times else other.name
        return f"only its {kind} with {partner} is determined ({_number(ends[0])} to {_number(ends[1])})"
    kind = "product" if power > 0 else "quotient"
    partner = f"{other.name}^{times}" if times else other.name
    return f"only its {kind} with {partner} is determined ({_number(10 ** ends[0])} to {_number(10 ** ends[1])})"
