"""Free numbers held at a value: the same problem without them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from il2.errors import Il2Error
from il2.fit.block import Block
from il2.fit.free import DYNAMIC, bounds, native
from il2.fit.problem import Problem

EDGE = 5e-3  # share of the range between the bounds that counts as the end of it


def at_bounds(problem: Problem, x: np.ndarray) -> tuple[str, ...]:
    """Names of numbers of the network that end at a bound at the position x (n,)."""
    low, high = bounds(problem.free)
    near = np.minimum(x - low, high - x) < EDGE * (high - low)
    return tuple(f.name for f, end in zip(problem.free, near, strict=True) if end and f.kind == DYNAMIC)


def pinned(problem: Problem, x: np.ndarray, names: Collection[str]) -> Problem:
    """The problem with numbers of the network held at their values at x (n,); they are free no more."""
    values = dict(zip(problem.names, native(problem.free, x), strict=True))
    for name in names:
        if name not in values or problem.free[problem.place[name]].kind != DYNAMIC:
            raise Il2Error(f"{name!r} is no free number of the network", where=problem.name)
    kept = tuple(f for f in problem.free if f.name not in names)
    return replace(problem, free=kept, blocks=tuple(_pinned(of, values, names) for of in problem.blocks))


def _pinned(of: Block, values: dict[str, float], names: Collection[str]) -> Block:
    base = of.base.copy()
    place = {name: j for j, name in enumerate(of.network.parameter_names)}
    for use in of.uses:
        if use.free in names:
            base[use.lanes, place[use.parameter]] *= values[use.free] ** use.power
    return replace(of, base=base, uses=tuple(use for use in of.uses if use.free not in names))
