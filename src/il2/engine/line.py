"""The line of time of all lanes: what acts when, on which state or parameter, by how much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from il2.engine.event import SteadyStart, Trigger
from il2.engine.watch import Watch
from il2.network.network import Network

ADD, MIX, SET, RATE = "add", "mix", "set", "rate"


@dataclass(frozen=True, eq=False)
class Item:
    """One act: add to a state, move a state towards a value by a share, set a parameter, or renew a rate.

    at: index of the state or parameter; value and share: (lanes,), or a `Watch` for a value that is worked out.
    """

    kind: str
    at: int
    value: np.ndarray | Watch
    share: np.ndarray | None = None


class Held(Protocol):
    """Of all lanes: states, parameters in force and which of them events have set, and parameters without events."""

    y: np.ndarray
    p: np.ndarray
    switched: np.ndarray
    base: np.ndarray


@dataclass(eq=False)
class Line:
    """Items and when they are due (items, lanes); those of triggers are due at infinity until the trigger acts.

    rates: per parameter that is fed, (item that starts, item that stops, rate (lanes,)) of each infusion.
    shots: per trigger and shot, (item, time after the crossing) of all items. fired: (lanes, triggers, most) times.
    """

    network: Network
    lanes: int
    items: list[Item] = field(default_factory=list)
    due: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    rates: dict[int, list[tuple[int, int, np.ndarray]]] = field(default_factory=dict)
    shots: list[list[list[tuple[int, np.ndarray]]]] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    start: SteadyStart | None = None
    watch: Watch | None = None
    fired: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))

    def following(self, after: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """The first time after `after` at which something is due, per lane; infinity if nothing is."""
        if not self.items:
            return np.full(len(lanes), np.inf)
        due = self.due[:, lanes]
        return np.where(due > after, due, np.inf).min(axis=0)

    def open(self, lanes: np.ndarray) -> np.ndarray:
        """Which triggers (lanes, triggers) may still act."""
        most = np.array([t.most for t in self.triggers], dtype=int)
        return np.isfinite(self.fired[lanes]).sum(axis=2) < most

    def fire(self, fires: np.ndarray, lanes: np.ndarray, now: np.ndarray) -> np.ndarray:
        """Let triggers (lanes, triggers) act at `now`; returns which items (items, lanes) are due at once."""
        at_once = np.zeros((len(self.items), len(lanes)), dtype=bool)
        for i, j in zip(*np.nonzero(fires), strict=True):
            lane = lanes[i]
            shot = int(np.isfinite(self.fired[lane, j]).sum())
            self.fired[lane, j, shot] = now[i]
            for item, delay in self.shots[j][shot]:
                self.due[item, lane] = now[i] + delay[lane]
                at_once[item, i] = self.due[item, lane] == now[i]
        return at_once

    def act(self, which: np.ndarray, lanes: np.ndarray, now: np.ndarray, on: Held) -> None:
        """Let items (items, lanes) act in their order on what is held of all lanes."""
        y, p = on.y, on.p
        for e in np.flatnonzero(which.any(axis=1)):
            item, some = self.items[e], lanes[which[e]]
            at = item.at
            if item.kind == RATE:
                t = now[which[e]]
                p[some, at] = on.base[some, at] + sum(
                    (
                        np.where((self.due[start, some] <= t) & (t < self.due[stop, some]), rate[some], 0.0)
                        for start, stop, rate in self.rates[at]
                    ),
                    np.zeros(len(some)),
                )
                on.switched[some, at] = p[some, at] != on.base[some, at]
                continue
            value = item.value
            new = value.values(y[some], p[some])[:, 0] if isinstance(value, Watch) else value[some]
            if item.kind == ADD:
                y[some, at] += new
            elif item.kind == SET:
                p[some, at], on.switched[some, at] = new, True
            else:
                share = item.share[some] if item.share is not None else np.ones(len(some))
                y[some, at] = np.where(share == 1.0, new, (1.0 - share) * y[some, at] + share * new)
