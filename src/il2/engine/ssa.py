"""Exact stochastic simulation of a network: many trajectories at once, each with its own random stream."""

from __future__ import annotations

import ctypes
import threading
import time as clock
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from il2.engine import evaluate, ssa_driver
from il2.engine.philox import round_keys, uniforms
from il2.engine.solve import aligned, workers
from il2.engine.ssa_compile import compiled
from il2.engine.ssa_input import check_events, check_times, rows, starting_counts
from il2.errors import Il2Error
from il2.network.network import Network
from il2.network.propensity import Jumps, lower_jumps

REASONS = {
    ssa_driver.DONE: "",
    ssa_driver.TOO_MANY_EVENTS: "the largest number of events was reached",
    ssa_driver.NEGATIVE_PROPENSITY: "the propensity is negative",
    ssa_driver.NOT_A_NUMBER: "the propensity is not a finite number",
    ssa_driver.NEGATIVE_COUNT: "a count would fall below zero",
    ssa_driver.OUT_OF_TIME: "the time budget was spent",
    ssa_driver.NOT_SOLVED: "the equations between two jumps could not be solved",
}
FAULTS = (ssa_driver.NEGATIVE_PROPENSITY, ssa_driver.NOT_A_NUMBER, ssa_driver.NEGATIVE_COUNT)  # of one reaction


@dataclass(frozen=True)
class State:
    """Where trajectories stand: all that a later run needs to go on bit by bit.

    counts (lanes, species); time of the last jump (lanes,); events so far (lanes,), which is the counter of the
    random stream; stream (lanes,); seed. Plain arrays: `numpy.savez(file, **vars(state))` keeps them and
    `State(**numpy.load(file))` reads them.
    """

    counts: np.ndarray
    time: np.ndarray
    events: np.ndarray
    stream: np.ndarray
    seed: int

    def changed(self, time: float, counts: np.ndarray) -> State:
        """The state with other counts, (lanes, species) or (species,), from `time` on: a dose, a wash.

        The jump that was pending is skipped in the random streams: that it had not come before `time` is known, so
        its draw is no longer a fair one.
        """
        if not np.isfinite(time):
            raise Il2Error(f"the time {time} is not finite", where="changed", how="Give a finite time.")
        if (self.time > time).any():
            raise Il2Error(f"some lanes have jumped after t = {time:g}", where="changed", how="Run to that time only.")
        whole = np.broadcast_to(np.asarray(counts, dtype=np.float64), self.counts.shape).copy()
        return replace(self, counts=whole, time=np.full(len(whole), float(time)), events=self.events + 1)


@dataclass(frozen=True)
class Trajectories:
    """counts[lane, time, species]; per lane the status (0 is good), number of events and time reached.

    Counts of outputs that a failed lane did not reach are NaN. `fault` is the place in `jumps` of what failed, or
    -1. `state` is where the lanes stand after their last jump.
    """

    counts: np.ndarray
    status: np.ndarray
    events: np.ndarray
    reached: np.ndarray
    fault: np.ndarray
    state: State
    species: tuple[str, ...]
    jumps: tuple[str, ...]

    def of(self, name: str) -> np.ndarray:
        """Counts (lanes, times) of a species."""
        return self.counts[..., self.species.index(name)]

    def reason(self, lane: int) -> str:
        """Which lane failed, why, when, and at which reaction; empty for a good lane."""
        code, fault = int(self.status[lane]), int(self.fault[lane])
        if not code:
            return ""
        where = f" of reaction {self.jumps[fault]!r}" if fault >= 0 else ""
        text = REASONS[code].replace("the propensity", f"the propensity{where}")
        if code == ssa_driver.NEGATIVE_COUNT:
            text += f" by reaction {self.jumps[fault]!r}"
        return f"lane {lane}: {text} at t = {self.reached[lane]:.6g}"


def simulate(
    network: Network | Jumps,
    parameters: np.ndarray | None,
    times: np.ndarray,
    *,
    seed: int = 0,
    lanes: int | np.ndarray | None = None,
    initial: np.ndarray | None = None,
    resume: State | None = None,
    most_events: int = 1_000_000_000,
    seconds: float | None = 3600.0,
    threads: int | None = None,
    width: int | None = None,
) -> Trajectories:
    """Trajectories by Gillespie's direct method (1977, J Phys Chem 81:2340), from t = 0 to each output time.

    network: or its `lower_jumps`, which saves lowering it again. parameters: (n_parameters,), (1, n_parameters) for
    all lanes or (lanes, n_parameters); None takes the defaults of a `Network`. times: (n_times,) or (lanes, n_times),
    rising, >= 0, in the unit of time of the rates; an output is the state just after the jumps up to its time.
    lanes: how many, or the stream number of each; streams are otherwise 0, 1, 2... initial: counts
    (n_species,) or (lanes, n_species), else the initial values of the network.
    resume: go on from a `State` (its seed, streams, counts); output times then lie after its last jumps.
    most_events bounds the events of a lane in this call; `seconds` bounds the whole call, whose unfinished lanes
    end with the status OUT_OF_TIME and can be resumed.

    A trajectory depends on the network, its parameters, seed and stream alone: not on threads, batch size or
    order, nor on the output times. Raises `Il2Error` for malformed input or counts that are not whole numbers.
    """
    jumps = network if isinstance(network, Jumps) else lower_jumps(network)
    if parameters is None:
        if isinstance(network, Jumps):
            raise Il2Error("no parameters are given", where="simulate", how="Give rows, or the Network.")
        parameters = np.array(list(network.defaults().values()))
    times = np.ascontiguousarray(times, dtype=np.float64)
    parameters, stream = rows(jumps.program, parameters, times, lanes if resume is None else resume.stream)
    start = initial if resume is None else resume.counts
    counts = starting_counts(jumps.program, len(jumps.species), parameters, start)
    time, events = np.zeros(len(stream)), np.zeros(len(stream), dtype=np.int64)
    if resume is not None:
        if initial is not None or lanes is not None:
            raise Il2Error("a resumed run has its own lanes and counts", where="simulate")
        seed, time, events = int(resume.seed), resume.time.astype(float), resume.events.astype(np.int64)
    check_times(times, time)
    check_events(most_events)
    n_times = times.shape[-1]
    out = np.full((len(stream), n_times, len(jumps.species)), np.nan)
    status, reached = np.zeros(len(stream), dtype=np.int64), time.copy()
    if len(stream) and n_times:
        code = compiled(jumps, width)
        stop = np.zeros(1, dtype=np.int64)
        values = {
            "queue": np.zeros(1, dtype=np.int64), "lanes": len(stream), "parameters": parameters, "counts": counts,
            "time": time, "events": events, "streams": stream, "times": times,
            "time_stride": n_times if times.ndim == 2 else 0, "n_times": n_times, "out": out, "status": status,
            "reached": reached, "keys": round_keys(seed), "most_events": most_events, "stop": stop,
        }  # fmt: skip

        def work() -> None:
            own = values | {"workspace": aligned(code.layout.doubles, 8 * code.layout.width)}
            slots = [own[name] for name in ssa_driver.ARGUMENTS]
            arguments = np.array([s.ctypes.data if isinstance(s, np.ndarray) else s for s in slots], dtype=np.int64)
            code.drive(ctypes.c_void_p(arguments.ctypes.data))

        _run(work, workers(threads, len(stream), code.layout.width), stop, seconds)
    state = State(counts, time, events, stream, seed)
    fault = _faults(jumps, parameters, state, status)
    return Trajectories(out, status, events, reached, fault, state, jumps.species, jumps.names)


def _run(work: Callable[[], None], threads: int, stop: np.ndarray, seconds: float | None) -> None:
    """Run `work` in threads; the deadline, or an interrupt, tells them to stop and waits until they have."""
    deadline = None if seconds is None else clock.monotonic() + seconds
    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        for thread in running:
            thread.join(None if deadline is None else max(0.0, deadline - clock.monotonic()))
    finally:
        stop[0] = any(thread.is_alive() for thread in running)
        for thread in running:
            thread.join()


def next_jump(jumps: Jumps, parameters: np.ndarray, state: State) -> tuple[np.ndarray, np.ndarray]:
    """Propensities (lanes, jumps), and the jump that each lane would make next, by NumPy."""
    k, _ = evaluate.prepare(jumps.program, parameters)
    padded = np.pad(state.counts, ((0, 0), (0, len(jumps.names))))
    a = evaluate.run(jumps.program.rates, {"y": padded, "k": k}, jumps.propensities)
    sums = np.cumsum(a, axis=-1)
    _, second = uniforms(state.seed, state.stream, state.events)
    return a, (second[:, None] * sums[:, -1:] >= sums).sum(axis=-1)


def _faults(jumps: Jumps, parameters: np.ndarray, state: State, status: np.ndarray) -> np.ndarray:
    """The jump that failed per lane, or -1, found again from the state that the lane was left in."""
    fault = np.full(len(status), -1)
    bad = np.flatnonzero(np.isin(status, FAULTS))
    if bad.size:
        left = State(state.counts[bad], state.time[bad], state.events[bad], state.stream[bad], state.seed)
        a, chosen = next_jump(jumps, parameters[bad], left)
        lowest = np.argmin(np.where(np.isfinite(a), a, np.inf), axis=-1)
        odd = np.argmax(~np.isfinite(a), axis=-1)
        kinds = [status[bad] == c for c in FAULTS[:2]]
        fault[bad] = np.select(kinds, [lowest, odd], chosen)
    return fault
