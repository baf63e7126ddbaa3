"""Runs with events: each lane is cut at its own events, and all lanes are solved together from cut to cut.

The step control stops at each event exactly, so no step sees both sides of it. An output at the time of an event is
the state after it, as NONMEM has it; ask for the number just below (`numpy.nextafter`) for the state before. What is
due after the last output of a lane does not happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from il2.engine.event import Event, SteadyStart, title
from il2.engine.march import DONE, NO_STEADY, March
from il2.engine.solve import Tolerances, solve
from il2.engine.state import State
from il2.engine.timeline import numbers, timeline
from il2.errors import Il2Error
from il2.network.network import Network
from il2.network.program import Program, lower


@dataclass(frozen=True, eq=False)
class Run:
    """y (lanes, times, states) at times (lanes, times); states that a failed lane did not reach are NaN.

    status (lanes,): "done", "integration failed", "steady start not reached" or "trigger is not a number"; reached
    (lanes,): the time up to which a lane came. fired: by trigger, when it acted (lanes, most), NaN where it did not.
    steps (lanes,): accepted and rejected together. state: what to go on from.
    """

    times: np.ndarray
    y: np.ndarray
    status: np.ndarray
    reached: np.ndarray
    fired: dict[str, np.ndarray]
    steps: np.ndarray
    state: State
    why: tuple[str, ...]

    def reason(self, lane: int) -> str:
        """Why a lane failed, when, and after which event; empty for a good lane."""
        if self.status[lane] == DONE:
            return ""
        return f"{self.status[lane]} at t = {self.reached[lane]:.6g}: {self.why[lane]}"


def run(
    network: Network,
    parameters: np.ndarray,
    times: np.ndarray,
    events: Sequence[Event] = (),
    *,
    initial: np.ndarray | State | None = None,
    tolerances: Tolerances | None = None,
    threads: int | None = None,
    program: Program | None = None,
) -> Run:
    """Integrate lanes with events from t = 0, or from a saved state, to their output times.

    parameters: (lanes, parameters); times: (times,) or (lanes, times), rising, >= 0; initial: (lanes, states), or None
    for the initial values of the network, or a `State`: then give the same events again; those up to its time
    are not repeated, and parameters that they have set stay set. `program` is `lower(network)` where the caller has it.
    The result of a lane has the same bits for any number of threads, any order and any batch size.
    """
    program = program or lower(network)
    parameters = np.ascontiguousarray(parameters, dtype=float)
    here = solve(program, parameters, np.zeros(1), initial=None if isinstance(initial, State) else initial)
    lanes = len(parameters)
    wanted = _checked(times, lanes)
    line = timeline(network, events, lanes)
    march = March(network, program, line, parameters, tolerances or Tolerances(), threads)
    march.begin(here.y[:, 0], here.status)
    if isinstance(initial, State):
        skip = march.restore(initial, wanted)
        out = march.go(np.concatenate([skip, wanted], axis=1))[:, skip.shape[1] :]
    else:
        if line.start is not None:
            find_steady(march, line.start)
        out = march.go(wanted, fresh=True)
    times_fired = np.where(np.isfinite(line.fired), line.fired, np.nan)
    fired = {t.name: times_fired[:, i, : t.most] for i, t in enumerate(line.triggers)}
    return Run(wanted, out, march.status, march.now, fired, march.steps, march.state(), tuple(march.why))


def find_steady(lanes: March, start: SteadyStart) -> None:
    """Repeat a regimen until the state repeats, each lane for itlanes."""
    where = title(start)
    interval = numbers(start.interval, len(lanes.y), "interval", where, least=0.0)
    if (interval <= 0).any() or start.most < 1 or not (start.rtol >= 0 and start.atol > 0):
        raise Il2Error("the interval, atol and most must be above zero, and rtol not below it", where=where)
    line = timeline(lanes.network, start.events, len(lanes.y))
    if line.triggers or line.start is not None:
        raise Il2Error("triggers and steady starts cannot be repeated", where=where)
    if (np.isfinite(line.due) & (line.due > interval)).any():
        raise Il2Error("an event is beyond the interval", where=where, how="Count times from its start.")
    begins, counted = lanes.y.copy(), np.array(lanes.program.controlled)
    left, size = lanes.status == DONE, np.full(len(lanes.y), np.inf)
    for _ in range(start.most):
        period = March(lanes.network, lanes.program, line, lanes.base, lanes.tolerances, lanes.threads)
        period.begin(lanes.y, np.zeros(len(lanes.y), dtype=int))
        period.go(interval[:, None], fresh=True, alive=left)
        failed = left & (period.status != DONE)
        for lane in np.flatnonzero(failed):
            lanes.status[lane], lanes.why[lane] = period.status[lane], f"in the steady start: {period.why[lane]}"
        left &= ~failed
        scale = start.atol + start.rtol * np.abs(period.y[left])
        moved = np.abs(period.y[left] - lanes.y[left]) / scale
        now = moved[:, counted].max(axis=1, initial=0.0)
        with np.errstate(all="ignore"):
            ratio = np.nan_to_num(now / size[left], nan=0.0).clip(0.0, 0.99)
        reached = now * ratio / (1 - ratio) + (size[left] == np.inf) * now <= 1.0
        lanes.y[left], size[left] = period.y[left], now
        lanes.steps[left] += period.steps[left]
        left[np.flatnonzero(left)[reached]] = False
        if not left.any():
            break
    lanes.fail(np.flatnonzero(left), NO_STEADY, f"the state still changes after {start.most} intervals")
    lanes.y[left] = np.nan
    lanes.y[:, ~counted] = begins[:, ~counted]
    lanes.anchor = lanes.y.copy()


def _checked(times: np.ndarray, lanes: int) -> np.ndarray:
    """Output times as (lanes, times)."""
    times = np.asarray(times, dtype=float)
    if times.ndim not in (1, 2) or (times.ndim == 2 and len(times) != lanes):
        raise Il2Error(f"times have shape {times.shape}, expected (times,) or ({lanes}, times)", where="run")
    if not (np.isfinite(times).all() and (times >= 0).all() and (np.diff(times) >= 0).all()):
        raise Il2Error("output times must be finite, not negative, and rising", where="run")
    return np.ascontiguousarray(np.broadcast_to(times, (lanes, times.shape[-1])))
