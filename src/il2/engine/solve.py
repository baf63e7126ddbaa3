"""Solve many copies of a program at once: the one place in the package where ODEs are integrated."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

import numpy as np

from il2.engine import driver
from il2.engine.compile import FORWARD, LOOPED, STRAIGHT, compiled
from il2.engine.failure import named
from il2.engine.machine import Compiled
from il2.errors import Il2Error
from il2.network.program import Program

LONGEST_SECONDS = 1e8  # what every system can wait for
REASONS = {
    driver.DONE: "",
    driver.BAD_PIVOT: "a pivot of the step matrix is too small for elimination without pivoting",
    driver.TOO_MANY_STEPS: "the largest number of steps was reached",
    driver.STEP_TOO_SMALL: "the step size fell below its smallest value: too stiff",
    driver.OUT_OF_TIME: "the time for all lanes ran out",
    driver.NOT_A_NUMBER: "a rate is not a number",
    driver.BLOW_UP: "a state grows without bound",
    driver.SINGULAR: "the matrix of the step is singular",
}


@dataclass(frozen=True)
class Tolerances:
    """Error control: the root mean square over states of err / (atol + rtol |y|) is at most 1; limits of the steps.

    most_seconds: of wall time for all lanes of a call; lanes that are not done by then say so.
    """

    rtol: float = 1e-6
    atol: float = 1e-8
    first_step: float = 1e-4
    smallest_step: float = 1e-12
    most_steps: int = 100_000
    smallest_pivot: float = 1e-9
    most_seconds: float = 3600.0


@dataclass(frozen=True)
class Solution:
    """y[lane, time, state]; per lane the status (0 is good), steps taken and rejected, and time reached.

    States of outputs that a failed lane did not reach are NaN. `repivoted` marks lanes that were solved
    again with a pivoting factorisation. last: (lanes, states) where each lane ended. blamed: the state that a failed
    lane failed at.
    """

    y: np.ndarray
    status: np.ndarray
    accepted: np.ndarray
    rejected: np.ndarray
    reached: np.ndarray
    repivoted: np.ndarray
    last: np.ndarray
    blamed: np.ndarray

    def reason(self, lane: int) -> str:
        """Why a lane failed, at which state, and when; empty for a good lane."""
        code = int(self.status[lane])
        at = f" ({self.blamed[lane]})" if self.blamed[lane] else ""
        return f"{REASONS[code]}{at} at t = {self.reached[lane]:.4g}" if code else ""


def solve(
    program: Program,
    parameters: np.ndarray,
    times: np.ndarray,
    *,
    initial: np.ndarray | None = None,
    tolerances: Tolerances | None = None,
    threads: int | None = None,
    width: int | None = None,
    log: np.ndarray | None = None,
    form: str | None = None,
) -> Solution:
    """Integrate from t = 0 to each output time.

    parameters: (lanes, n_parameters); times: (n_times,) for all lanes or (lanes, n_times), rising, >= 0.
    initial: (lanes, n_states), or None for the initial values of the network.
    log: None, or an array (lanes, capacity, 2 + n_states) that takes step size, time after the step and state before
    it of each accepted step; steps beyond its capacity are not kept. A lane that is solved again is not in it.
    form: "straight" or "looped" code of the step; None leaves it to the size (`il2.engine.sparse.large`).
    The result of a lane has the same bits for any number of threads, any order and any batch size.
    """
    if form not in (None, STRAIGHT, LOOPED):
        raise Il2Error(f"the form {form!r} of the code is unknown", where="solve", how="Give straight, looped or None.")
    tolerances = tolerances or Tolerances()
    for name in (*driver.SETTINGS, "most_seconds"):
        setting = getattr(tolerances, name)
        if not (
            np.isfinite(setting) and (setting > 0 or (setting == 0 and name in ("rtol", "atol", "smallest_pivot")))
        ):
            raise Il2Error(f"the tolerance {name} is {setting}", where="solve", how="Give a finite number above zero.")
    parameters = np.ascontiguousarray(parameters, dtype=np.float64)
    times = np.ascontiguousarray(times, dtype=np.float64)
    _check(program, parameters, times)
    if initial is not None:
        initial = np.ascontiguousarray(initial, dtype=np.float64)
        if initial.shape != (len(parameters), program.n_states):
            raise Il2Error(f"initial values have shape {initial.shape}", where="solve")
    lanes, n_times = len(parameters), times.shape[-1]
    y = np.full((lanes, n_times, program.n_states), np.nan)
    status = np.full(lanes, driver.OUT_OF_TIME if lanes and n_times else driver.DONE, dtype=np.int64)
    last = np.full((lanes, program.n_states), np.nan)
    stop = np.zeros(1, dtype=np.int64)
    accepted, rejected, reached = (np.zeros(lanes) for _ in range(3))
    if lanes and n_times:
        code = compiled(program, width, form or FORWARD)
        settings = np.array([float(getattr(tolerances, name)) for name in driver.SETTINGS])
        queue = np.zeros(1, dtype=np.int64)
        stride = n_times if times.ndim == 2 else 0
        values = {
            "queue": queue,
            "lanes": lanes,
            "parameters": parameters,
            "initial": 0 if initial is None else initial,
            "times": times,
            "time_stride": stride,
            "n_times": n_times,
            "out": y,
            "status": status,
            "accepted": accepted,
            "rejected": rejected,
            "reached": reached,
            "settings": settings,
            "log": 0 if log is None else log,
            "capacity": 0 if log is None else log.shape[1],
            "last": last,
            "stop": stop,
        }
        timer = threading.Timer(min(tolerances.most_seconds, LONGEST_SECONDS), stop.fill, (1,))
        timer.daemon = True
        timer.start()
        launch(code, driver.ARGUMENTS, values, workers(threads, lanes, code.layout.width))
        timer.cancel()
    repivoted, blamed = np.zeros(lanes, dtype=bool), np.full(lanes, "", dtype=object)
    solution = Solution(y, status, accepted, rejected, reached, repivoted, last, blamed)
    solution = _repivot(program, parameters, initial, times, tolerances, solution)
    for lane in np.flatnonzero(solution.status > driver.BAD_PIVOT):
        found = named(
            program, parameters[lane], solution.last[lane], int(solution.status[lane]), tolerances.smallest_step
        )
        solution.status[lane], solution.blamed[lane] = found
    return solution


def launch(code: Compiled, names: tuple[str, ...], values: dict, threads: int) -> None:
    """Run compiled lanes on threads; `names` is the order in which they take their arguments."""

    def work() -> None:
        workspace = aligned(code.layout.doubles)
        slots = [(values | {"workspace": workspace})[name] for name in names]
        arguments = np.array([s.ctypes.data if isinstance(s, np.ndarray) else s for s in slots], dtype=np.int64)
        code.drive(arguments.ctypes.data)

    others = [threading.Thread(target=work) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()


def aligned(doubles: int, boundary: int = 64) -> np.ndarray:
    """Zeroed doubles that start at a multiple of `boundary` bytes."""
    raw = np.zeros(doubles + boundary // 8)
    offset = (-raw.ctypes.data % boundary) // 8
    return raw[offset : offset + doubles]


def workers(asked: int | None, lanes: int, width: int) -> int:
    """How many threads to use: those asked for, at most all cores and what there is work for."""
    if asked is None:
        asked = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if asked < 1:
        raise Il2Error(f"threads is {asked}", how="Give a whole number from 1 up.")
    return min(asked, max(1, lanes // (2 * width)))


def _check(program: Program, parameters: np.ndarray, times: np.ndarray) -> None:
    if parameters.ndim != 2 or parameters.shape[1] != len(program.parameters):
        raise Il2Error(
            f"parameters have shape {parameters.shape}, expected (lanes, {len(program.parameters)})", where="solve"
        )
    if not program.n_states:
        raise Il2Error("the network has no species", where="solve")
    if times.ndim > 2:
        raise Il2Error(f"times have shape {times.shape}, expected (n_times,) or (lanes, n_times)", where="solve")
    if times.ndim == 2 and len(times) != len(parameters):
        raise Il2Error(f"{len(times)} rows of times for {len(parameters)} lanes", where="solve")
    if times.size and not (np.isfinite(times).all() and (times >= 0).all() and (np.diff(times) >= 0).all()):
        raise Il2Error("output times must be finite, not negative, and rising", where="solve")


def _repivot(
    program: Program,
    parameters: np.ndarray,
    initial: np.ndarray | None,
    times: np.ndarray,
    tolerances: Tolerances,
    solution: Solution,
) -> Solution:
    lanes = np.flatnonzero(solution.status == driver.BAD_PIVOT)
    if len(lanes):
        from il2.engine.pivoting import solve_lane

        deadline = time.monotonic() + tolerances.most_seconds

        for lane in lanes:
            due = times[lane] if times.ndim == 2 else times
            start = None if initial is None else initial[lane]
            y, code, good, bad, t, last = solve_lane(
                program, parameters[lane], start, due, tolerances, deadline=deadline
            )
            solution.y[lane], solution.status[lane], solution.last[lane] = y, code, last
            solution.accepted[lane], solution.rejected[lane], solution.reached[lane] = good, bad, t
            solution.repivoted[lane] = True
    return solution
