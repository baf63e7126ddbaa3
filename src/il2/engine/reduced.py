"""The equations of a steady state, made square: rates of change, with one replaced by each conservation law."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from il2.engine.evaluate import prepare, run
from il2.engine.tangent import tangents
from il2.network.conserve import conservation_laws
from il2.network.network import Network
from il2.network.program import Program, lower


@dataclass(frozen=True)
class Reduced:
    """`laws` (laws, states) holds the conserved sums; the equations of the states `given_up` follow from the others."""

    program: Program
    laws: np.ndarray
    given_up: np.ndarray

    @property
    def kept(self) -> np.ndarray:
        return np.setdiff1d(np.arange(self.program.n_states), self.given_up)

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = zip(*self.program.jacobian, strict=True) if self.program.jacobian else ((), ())
        return np.array(rows, dtype=int), np.array(columns, dtype=int)

    def totals(self, y: np.ndarray) -> np.ndarray:
        """Conserved sums (lanes, laws) of states (lanes, states)."""
        return y @ self.laws.T

    def rates(self, y: np.ndarray, k: np.ndarray) -> np.ndarray:
        """dy/dt (lanes, states)."""
        return np.array(np.broadcast_to(run(self.program.rates, {"y": y, "k": k}, self.program.derivative), y.shape))

    def jacobian(self, y: np.ndarray, k: np.ndarray) -> np.ndarray:
        """d(dy/dt)/dy (lanes, states, states), before the replacement."""
        matrix = np.zeros((*y.shape, y.shape[-1]))
        if self.program.jacobian:
            values = run(self.program.rates, {"y": y, "k": k}, list(self.program.jacobian.values()))
            matrix[:, self._places[0], self._places[1]] = values
        return matrix

    def system(self, y: np.ndarray, k: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What should vanish (lanes, states) and its derivative; each row is scaled to a largest entry of 1."""
        value, matrix = self.rates(y, k), self.jacobian(y, k)
        value[:, self.given_up] = self.totals(y) - totals
        matrix[:, self.given_up] = self.laws
        size = np.abs(matrix).max(axis=-1)
        size[size == 0] = 1.0
        return value / size, matrix / size[..., None]

    def correction(self, y: np.ndarray, k: np.ndarray, totals: np.ndarray) -> np.ndarray:
        """The Newton correction (lanes, states): how far, to first order, the steady state is from `y`.

        Where the equations do not determine it, it is the smallest that satisfies them, or infinite if none does.
        """
        return solved(*self.system(y, k, totals))

    def unstable(self, y: np.ndarray, k: np.ndarray) -> np.ndarray:
        """Whether small deviations that keep the conserved sums, and zeros, grow, (lanes,)."""
        matrix, kept, gone = self.jacobian(y, k), self.kept, self.given_up
        if not (len(y) and len(kept)):
            return np.zeros(len(y), dtype=bool)
        follow = -np.linalg.solve(self.laws[:, gone], self.laws[:, kept])  # of what was given up, by what was kept
        own = matrix[:, kept[:, None], kept] + matrix[:, kept[:, None], gone] @ follow
        alive = y[:, kept] != 0
        values = np.linalg.eigvals(np.where(alive[:, :, None] & alive[:, None, :], own, 0.0))
        return values.real.max(axis=-1) > 1e-9 * np.abs(values).max(axis=-1)

    def sensitivities(self, parameters: np.ndarray, y: np.ndarray, given: bool) -> np.ndarray:
        """dy/dp (lanes, states, parameters) at steady states `y`; NaN where they are not isolated.

        With `given` initial values the conserved sums do not depend on the parameters.
        """
        program, lanes = self.program, len(parameters)
        each = np.broadcast_to(np.eye(len(program.parameters)), (lanes, *[len(program.parameters)] * 2))
        n_constants = len(program.constants)
        both = tangents(program.prepare, {"p": parameters}, {"p": each}, program.constants + program.initial)
        k, _ = prepare(program, parameters)
        moved = tangents(program.rates, {"y": y, "k": k}, {"k": both[:, :n_constants]}, program.derivative)
        totals = self.laws @ both[:, n_constants:]
        moved[:, self.given_up] = 0 * totals if given else -totals
        matrix = self.jacobian(y, k)
        matrix[:, self.given_up] = self.laws
        size = np.abs(matrix).max(axis=-1, keepdims=True)
        size[size == 0] = 1.0
        found = np.full(moved.shape, np.nan)
        for lane in range(lanes):
            found[lane] = _isolated(matrix[lane] / size[lane], moved[lane] / size[lane])
        return found


def reduced(network: Network, program: Program | None = None) -> Reduced:
    """Find the conservation laws, and the states whose equations they replace."""
    from scipy.linalg import qr

    program = program or lower(network)
    found = conservation_laws(network)
    laws = np.array([[float(law.get(s, 0)) for s in program.states] for law in found]).reshape(-1, program.n_states)
    order = qr(laws, mode="r", pivoting=True)[1] if len(laws) else np.zeros(0, dtype=int)
    return Reduced(program, laws, np.sort(np.asarray(order[: len(laws)], dtype=int)))


def solved(value: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Minus the solution of each lane; see `Reduced.correction` for singular ones."""
    finite = np.isfinite(value).all(axis=-1) & np.isfinite(matrix).all(axis=(-1, -2))
    out = np.full(value.shape, np.inf)
    try:
        out[finite] = -np.linalg.solve(matrix[finite], value[finite][..., None])[..., 0]
    except np.linalg.LinAlgError:
        for lane in np.flatnonzero(finite):
            out[lane] = _smallest(matrix[lane], value[lane])
    return out


def _smallest(matrix: np.ndarray, value: np.ndarray) -> np.ndarray:
    try:
        return -np.linalg.solve(matrix, value)
    except np.linalg.LinAlgError:
        found = -np.linalg.lstsq(matrix, value, rcond=None)[0]
        left = np.abs(matrix @ found + value).max()
        return found if left <= 1e-9 * np.abs(value).max() else np.full(value.shape, np.inf)


def _isolated(matrix: np.ndarray, moved: np.ndarray) -> np.ndarray:
    if not (np.isfinite(matrix).all() and np.isfinite(moved).all()) or np.linalg.cond(matrix) > 1e15:
        return np.full(moved.shape, np.nan)
    return -np.linalg.solve(matrix, moved)
