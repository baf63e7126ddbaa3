"""Lanes on their way through events: from stop to stop, all lanes together, each at its own stops."""

from __future__ import annotations

import numpy as np

from il2.engine.crossing import Search, solve_to_crossing
from il2.engine.evaluate import prepare
from il2.engine.evaluate import run as evaluated
from il2.engine.line import Line
from il2.engine.solve import Tolerances, solve
from il2.engine.state import State
from il2.errors import Il2Error
from il2.network.network import Network
from il2.network.program import Program

DONE, FAILED, NO_STEADY, NO_NUMBER = (
    "done",
    "integration failed",
    "steady start not reached",
    "trigger is not a number",
)
LEAST = 1e-290  # a time whose inverse is still a number; less is nothing


class March:
    """All lanes on their way: where each is, where it last stopped for an event, and the parameters in force."""

    def __init__(
        self, network: Network, program: Program, line: Line, parameters: np.ndarray, tolerances: Tolerances, threads
    ) -> None:
        self.network, self.program, self.line, self.tolerances, self.threads = (
            network, program, line, tolerances, threads,
        )  # fmt: skip
        self.base, self.p, lanes = parameters, parameters.copy(), len(parameters)
        self.switched = np.zeros(self.p.shape, dtype=bool)
        self.status, self.why = np.full(lanes, DONE, dtype=object), [""] * lanes
        self.now, self.anchor_time, self.steps = (np.zeros(lanes) for _ in range(3))
        self.stops: np.ndarray | None = None

    def begin(self, y: np.ndarray, status: np.ndarray) -> None:
        """Stand at t = 0 in states y."""
        self.y, self.anchor = y.copy(), y.copy()
        self.fail(np.flatnonzero(status), FAILED, "the start cannot be worked out")

    def fail(self, lanes: np.ndarray, status: str, why: str) -> None:
        for lane in lanes:
            self.status[lane], self.why[lane] = status, why

    def restore(self, state: State, wanted: np.ndarray) -> np.ndarray:
        """Stand where a state was saved; returns outputs (lanes, stops) to be repeated on the way there."""
        line = self.line
        self._fits(state, wanted)
        self.switched = state.switched.copy()
        self.p = np.where(state.switched, state.parameters, self.base)
        line.fired[...] = state.fired.reshape(line.fired.shape)
        line.due[self._slots()] = state.due.T
        same = (self.p == state.parameters).all(axis=1)
        self.y, self.now = state.y.copy(), state.time.copy()
        self.anchor = np.where(same[:, None], state.anchor, state.y)
        self.anchor_time = np.where(same, state.anchor_time, state.time)
        return np.where(same[:, None], state.stops, state.time[:, None])

    def _fits(self, state: State, wanted: np.ndarray) -> None:
        where, program = "restoring a state", self.program
        if (list(state.species), list(state.names)) != (list(program.states), list(program.parameters)):
            raise Il2Error("the state is of another network", where=where, why="its names are others")
        if len(state.time) != len(self.base):
            raise Il2Error(f"the state has {len(state.time)} lanes, not {len(self.base)}", where=where)
        if list(state.triggers) != self._triggers() or state.due.shape[1] != len(self._slots()):
            raise Il2Error("the state was saved with other triggers", where=where, how="Give the same events again.")
        if (wanted < state.time[:, None]).any():
            raise Il2Error("an output is before the time of the state", where=where, how="Give later times.")

    def _triggers(self) -> list[str]:
        return [f"{t.name}:{t.most}" for t in self.line.triggers]

    def _slots(self) -> list[int]:
        """Items that belong to triggers."""
        return [item for shots in self.line.shots for shot in shots for item, _ in shot]

    def state(self) -> State:
        """What is kept of all lanes, at their last outputs."""
        line, stops = self.line, np.zeros((len(self.y), 0)) if self.stops is None else self.stops
        return State(
            np.array(self.program.states, dtype=str), np.array(self.program.parameters, dtype=str), self.now.copy(),
            self.y.copy(), self.anchor_time.copy(), self.anchor.copy(), stops, self.p.copy(), self.switched.copy(),
            np.array(self._triggers(), dtype=str), line.fired.copy(), line.due[self._slots()].T.copy(),
        )  # fmt: skip

    def go(self, wanted: np.ndarray, fresh: bool = False, alive: np.ndarray | None = None) -> np.ndarray:
        """Move each lane to the last of its outputs `wanted` (lanes, times); returns the states at them."""
        lanes, n_wanted = wanted.shape
        out = np.full((lanes, n_wanted, self.program.n_states), np.nan)
        following = np.zeros(lanes, dtype=int)  # output
        alive = np.ones(lanes, dtype=bool) if alive is None else alive
        if fresh:
            at = np.flatnonzero(alive & (self.status == DONE))
            self._jump(at, np.zeros((len(at), len(self.line.triggers)), dtype=bool))
            self._arrive(at, wanted, out, following)
        while True:
            live = np.flatnonzero(alive & (self.status == DONE) & (following < n_wanted))
            if not len(live):
                break
            stopped, fires = self._segment(live, wanted, out, following)
            self._jump(live[stopped], fires[stopped])
            self._arrive(live[stopped], wanted, out, following)
        if n_wanted:
            since = np.where(wanted > self.anchor_time[:, None], wanted, self.anchor_time[:, None])
            self.stops = np.minimum(since, self.now[:, None])
        return out

    def _arrive(self, lanes: np.ndarray, wanted: np.ndarray, out: np.ndarray, following: np.ndarray) -> None:
        """After a jump: the steps start anew, and outputs of just now are those after it."""
        now = self.now[lanes]
        self.anchor_time[lanes], self.anchor[lanes] = now, self.y[lanes]
        row, column = np.nonzero(wanted[lanes] == now[:, None])
        good = self.status[lanes[row]] == DONE
        out[lanes[row[good]], column[good]] = self.y[lanes[row[good]]]
        following[lanes] = (wanted[lanes] <= now[:, None]).sum(axis=1)

    def _segment(
        self, lanes: np.ndarray, wanted: np.ndarray, out: np.ndarray, following: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Solve lanes to the next event of each, or the last output; returns which lanes stopped at an event, and
        which triggers (lanes, triggers) act there."""
        mine, begin, first = wanted[lanes], self.anchor_time[lanes], following[lanes]
        event, last = self.line.following(self.now[lanes], lanes), mine[:, -1]
        end = np.minimum(event, last)
        upto = np.where(event <= last, (mine < end[:, None]).sum(axis=1), mine.shape[1])
        columns = first[:, None] + np.arange(int((upto - first).max(initial=0)))
        inside = columns < upto[:, None]
        due = np.where(inside, np.take_along_axis(mine, np.minimum(columns, mine.shape[1] - 1), 1), end[:, None])
        due = np.concatenate([due, end[:, None]], axis=1)
        open_ = self.line.open(lanes)
        p, start, local = self.p[lanes], self.anchor[lanes], due - begin[:, None]
        local[local < LEAST] = 0.0
        stopped = event <= last
        fires = np.zeros_like(open_)
        if self.line.watch is not None and open_.any():
            search = Search(self.program, self.line.watch, self.tolerances, self.threads)
            found, crossing = solve_to_crossing(search, p, start, local, open_)
            hit = np.isfinite(crossing.time)
            fires[hit] = crossing.which[hit]
            after = np.maximum(begin + crossing.time, np.nextafter(self.now[lanes], np.inf))
            end = np.where(hit, np.minimum(after, end), end)
            stopped |= hit
            upto = np.where(hit, (mine < end[:, None]).sum(axis=1), upto)
            inside &= columns < upto[:, None]
            found.y[hit, -1], found.status[hit] = crossing.y[hit], 0
            self.fail(lanes[crossing.broken & (found.status == 0)], NO_NUMBER, "where it is not past its crossing")
        else:
            found = solve(self.program, p, local, initial=start, tolerances=self.tolerances, threads=self.threads)
        row, column = np.nonzero(inside)
        out[lanes[row], columns[row, column]] = found.y[row, column]
        self.steps[lanes] += found.accepted + found.rejected
        bad = found.status != 0
        for i in np.flatnonzero(bad):
            self.status[lanes[i]], self.why[lanes[i]] = FAILED, self._because(lanes[i], found.reason(int(i)))
        self.y[lanes] = found.y[:, -1]
        self.now[lanes] = np.where(bad, begin + found.reached, end)
        following[lanes] = upto
        return stopped & (self.status[lanes] == DONE), fires

    def _jump(self, lanes: np.ndarray, fires: np.ndarray) -> None:
        """Let all that is due at this time of each lane act, with the triggers (lanes, triggers) that act now, and with
        those that are carried across zero by it."""
        line, now = self.line, self.now[lanes]
        if not (len(lanes) and line.items):
            return
        which = line.due[:, lanes] == now
        while True:
            which |= line.fire(fires, lanes, now)
            before = line.watch.values(self.y[lanes], self.p[lanes]) if line.watch is not None else None
            line.act(which, lanes, now, self)
            if line.watch is None or before is None:
                break
            after = line.watch.values(self.y[lanes], self.p[lanes])
            fires = (before < 0) & (after >= 0) & line.open(lanes)
            which = np.zeros_like(which)
            if not fires.any():
                break
        lost = ~np.isfinite(self.y[lanes]).all(axis=1)
        self.fail(lanes[lost], FAILED, "an event has made a state that is not a finite number")

    def _because(self, lane: int, reason: str) -> str:
        """The reason of the engine without its own time, the states without a rate of change, and the last event."""
        k, _ = prepare(self.program, self.p[lane])
        rates = evaluated(self.program.rates, {"y": self.anchor[lane], "k": k}, self.program.derivative)
        bad = [name for name, rate in zip(self.program.states, rates, strict=True) if not np.isfinite(rate)]
        text = reason.rpartition(" at t = ")[0]
        text += f"; no finite rate of change of {', '.join(bad[:3])}" if bad else ""
        since = self.anchor_time[lane]
        return text + (f"; the last event was at t = {since:.6g}" if since > 0 else "")
