"""What stochastic simulation is given, checked: parameters and streams of lanes, whole counts, output times."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from il2.engine import evaluate
from il2.errors import Il2Error
from il2.network.program import Program

MOST_COUNT = 2.0**53  # counts are whole numbers held as doubles


def rows(
    program: Program, parameters: np.ndarray, times: np.ndarray, lanes: int | np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Parameter rows of every lane and the streams of the lanes, checked against one another."""
    parameters = np.atleast_2d(np.asarray(parameters, dtype=np.float64))
    n = len(program.parameters)
    if parameters.ndim != 2 or parameters.shape[1] != n:
        raise Il2Error(f"parameters have shape {parameters.shape}, expected (lanes, {n})", where="simulate")
    if lanes is None:
        lanes = len(times) if times.ndim == 2 and len(parameters) == 1 else len(parameters)
    if np.ndim(lanes) == 0 and not (isinstance(lanes, Integral) and lanes >= 0):
        raise Il2Error(f"lanes is {lanes!r}", where="simulate", how="Give a whole number from 0 up, or stream numbers.")
    streams = np.arange(lanes) if isinstance(lanes, Integral) else np.asarray(lanes)
    if streams.ndim != 1 or streams.dtype.kind not in "iu" or (streams.size and streams.min() < 0):
        raise Il2Error("lanes are neither a number nor whole stream numbers from 0 up", where="simulate")
    if len(parameters) not in (1, len(streams)):
        raise Il2Error(f"{len(parameters)} rows of parameters for {len(streams)} lanes", where="simulate")
    if times.ndim not in (1, 2) or (times.ndim == 2 and len(times) != len(streams)):
        raise Il2Error(f"times have shape {times.shape} for {len(streams)} lanes", where="simulate")
    whole = np.broadcast_to(parameters, (len(streams), n))
    return np.ascontiguousarray(whole), np.ascontiguousarray(streams, dtype=np.int64)


def check_events(most_events: int) -> None:
    """Refuse a limit of events that is none."""
    if not (isinstance(most_events, Integral) and 1 <= most_events < 2**62):
        raise Il2Error(f"most_events is {most_events}", where="simulate", how="Give a whole number from 1 up.")


def starting_counts(
    program: Program, n: int, parameters: np.ndarray, initial: np.ndarray | None, whole: tuple[int, ...] | None = None
) -> np.ndarray:
    """Counts (lanes, n) of the first n states, a copy; those of `whole` (all where None) must be whole numbers."""
    if initial is None:
        initial = evaluate.run(program.prepare, {"p": parameters}, program.initial[:n])
    shape = len(parameters), n
    given = np.shape(initial)
    if given[-1:] != shape[1:] or given[:-1] not in ((), (1,), shape[:1]):
        raise Il2Error(f"initial counts have shape {given}, expected {shape}", where="simulate")
    counts = np.broadcast_to(np.asarray(initial, dtype=np.float64), shape).copy()
    for i in range(shape[1]) if whole is None else whole:
        found, nearest = counts[:, i], np.rint(counts[:, i])
        good = (np.abs(found - nearest) <= 1e-9 * np.maximum(1.0, nearest)) & (nearest >= 0) & (nearest < MOST_COUNT)
        if not good.all():
            lane = int(np.flatnonzero(~good)[0])
            raise Il2Error(
                f"the initial count of {program.states[i]!r} is {found[lane]:g}",
                where=f"simulate, lane {lane}",
                why="a count is a whole number from 0 to 2^53",
                how="Round the initial values, or give counts as `initial`.",
            )
        counts[:, i] = nearest
    return counts


def check_times(times: np.ndarray, start: np.ndarray) -> None:
    """Output times are finite, not negative, rising, and not before the last jumps `start` (lanes,)."""
    if times.size and not (np.isfinite(times).all() and (times >= 0).all() and (np.diff(times) >= 0).all()):
        raise Il2Error("output times must be finite, not negative, and rising", where="simulate")
    if times.size and (late := np.flatnonzero(np.broadcast_to(times[..., 0], start.shape) < start)).size:
        raise Il2Error(
            f"the first output of lane {late[0]} lies before its last jump at t = {start[late[0]]:.6g}",
            where="simulate",
            why="a resumed trajectory does not know its past",
        )
