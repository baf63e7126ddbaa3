"""Where steady states vanish or lose their stability as one parameter is varied, found by bisection.

Steady states are found by the Newton iteration in logarithms of `il2.engine.steady` from many starts at once; their
stability is read from the eigenvalues of the exact Jacobian. Nothing is continued from a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from il2.engine.evaluate import prepare
from il2.engine.reduced import Reduced
from il2.engine.steady import Search, newton
from il2.errors import Il2Error

SEARCH = Search(rtol=1e-10, atol=1e-10, most_iterations=100)
SAME = 1e-4  # log distance below which two solutions are one state
WHERE = "bifurcation"


@dataclass(frozen=True, eq=False)
class State:
    """A steady state: level by species, and the eigenvalues of the Jacobian there, the leading one first.

    Eigenvalues are per unit of time of the network, and complex.
    """

    levels: dict[str, float]
    eigenvalues: np.ndarray

    @property
    def stable(self) -> bool:
        return bool(self.eigenvalues[0].real < 0)

    @property
    def turns(self) -> bool:
        """Whether small deviations turn around the state, so that they oscillate."""
        return bool(self.eigenvalues[0].imag != 0)


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where something changes: between `low` and `high`, `value` in their middle; the states on either side."""

    value: float
    low: float
    high: float
    below: tuple[State, ...]
    above: tuple[State, ...]


At = Callable[[float], tuple[State, ...]]


def steady_states(
    equations: Reduced, parameters: np.ndarray, starts: np.ndarray, within: Sequence[str] = ()
) -> tuple[State, ...]:
    """The distinct steady states that Newton reaches, sorted by their levels in the order of the species.

    parameters: (parameters,); starts: (starts, states), of which zeros stay zero. within: species to which
    deviations are confined; all of them without it. A network with conserved sums is an Il2Error.
    """
    if len(equations.laws):
        raise Il2Error("the network has conserved sums", where=WHERE, how="Take one that makes and loses everything.")
    names = equations.program.states
    k = np.broadcast_to(prepare(equations.program, parameters)[0], (len(starts), len(equations.program.constants)))
    with np.errstate(all="ignore"):
        y, converged, _ = newton(equations, starts, k, equations.totals(starts), SEARCH)
    found: list[np.ndarray] = []
    for state in sorted(y[converged], key=tuple):
        if not any(_same(state, other) for other in found):
            found.append(state)
    kept = [i for i, name in enumerate(names) if not within or name in within]
    matrices = equations.jacobian(np.array(found).reshape(-1, len(names)), k[: len(found)])
    out = []
    for state, matrix in zip(found, matrices, strict=True):
        values = np.linalg.eigvals(matrix[np.ix_(kept, kept)]).astype(complex)
        leading_first = values[np.argsort(-values.real)]
        out.append(State(dict(zip(names, state.tolist(), strict=True)), leading_first))
    return tuple(out)


def bisect(holds: Callable[[float], bool], low: float, high: float, rtol: float = 1e-6) -> tuple[float, float]:
    """The bracket, narrower than `rtol`, in which `holds` turns from what it is at `low` > 0 to its opposite.

    Halves are taken in logarithms. One that is the same at both ends is an Il2Error.
    """
    if not 0 < low < high:
        raise Il2Error(f"{low:g} to {high:g} is no bracket", where=WHERE, how="Give 0 < low < high.")
    first = holds(low)
    if holds(high) == first:
        raise Il2Error(f"nothing changes between {low:g} and {high:g}", where=WHERE, how="Widen the bracket.")
    while high > low * (1 + rtol):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if holds(middle) == first else (low, middle)
    return low, high


def fold(at: At, low: float, high: float) -> Crossing:
    """Where the number of steady states changes: two of them meet and vanish; see `bisect`."""
    number = len(at(low))
    return _crossing(at, *bisect(lambda value: len(at(value)) == number, low, high))


def loss_of_stability(at: At, low: float, high: float) -> Crossing:
    """Where the only steady state turns from stable to unstable, or back; several states are an Il2Error."""
    return _crossing(at, *bisect(lambda value: _only(at(value), value).stable, low, high))


def hopf(at: At, low: float, high: float) -> Crossing:
    """Where the only steady state gains or loses its stability by oscillations; any other way is an Il2Error."""
    found = loss_of_stability(at, low, high)
    if not (found.below[0].turns and found.above[0].turns):
        raise Il2Error(f"no oscillation begins at {found.value:g}", where=WHERE, why="the leading eigenvalue is real")
    return found


def _crossing(at: At, low: float, high: float) -> Crossing:
    return Crossing(float(np.sqrt(low * high)), low, high, at(low), at(high))


def _only(states: tuple[State, ...], value: float) -> State:
    if len(states) != 1:
        raise Il2Error(f"{len(states)} steady states at {value:g}", where=WHERE, how="Choose a bracket with one.")
    return states[0]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    alive = (a > 0) & (b > 0)
    return bool(((a > 0) == (b > 0)).all() and np.abs(np.log(a[alive] / b[alive])).max(initial=0.0) < SAME)
