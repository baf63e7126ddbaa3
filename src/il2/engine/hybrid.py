"""Few copies stochastic, the rest deterministic: a network as a piecewise-deterministic Markov process.

Reactions that change a promoter species are jumps. Between jumps all others follow their rate equations, solved by
the package's own engine together with the total propensity of the jumps; the next jump comes when that integral
reaches an exponential variate (Davis 1984, J R Stat Soc B 46:353). The result has the noise of the promoter and not
that of births and deaths of single molecules: for mRNA of a two-state promoter the exact variance is larger by
the mean.
"""

from __future__ import annotations

import math
import time as clock
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from il2.engine import evaluate
from il2.engine.philox import uniforms
from il2.engine.solve import Tolerances, solve
from il2.engine.ssa import State, Trajectories
from il2.engine.ssa_driver import (
    DONE,
    NEGATIVE_COUNT,
    NEGATIVE_PROPENSITY,
    NOT_A_NUMBER,
    NOT_SOLVED,
    OUT_OF_TIME,
    TOO_MANY_EVENTS,
)
from il2.engine.ssa_input import check_events, check_times, rows, starting_counts
from il2.errors import ModelError, did_you_mean
from il2.network.expression import add, num
from il2.network.network import Network, Reaction, Species
from il2.network.program import Program, lower, lower_expressions
from il2.network.propensity import COUNTS, Jump, jumps_of
from il2.network.tape import Tape

HAZARD = "#hazard"
CLOSE = 1e-8  # with rtol: how near the integral of the propensities must come to its variate


@dataclass(frozen=True)
class Hybrid:
    """`program` has the species, and last the integral of the jumps' propensities, which `tape` gives one by one."""

    program: Program
    n: int
    promoter: tuple[int, ...]
    names: tuple[str, ...]
    change: np.ndarray
    tape: Tape
    propensities: tuple[int, ...]


def lower_hybrid(network: Network, promoter: Iterable[str]) -> Hybrid:
    """Split a checked network by the names of its promoter species; powers of these become falling factorials."""
    chosen = list(promoter)
    for name in chosen:
        if name not in network.species_names:
            raise ModelError(f"{network.name} has no species {name!r}", how=did_you_mean(name, network.species_names))
    for s in network.species:
        if s.name in chosen and s.unit not in COUNTS:
            raise ModelError(f"promoter species {s.name!r} is in {s.unit}, not a count", where=network.name)
    jumping = [r for r in network.reactions if any(r.change.get(name) for name in chosen)]
    jumps: list[Jump] = jumps_of(replace(network, reactions=tuple(jumping)), set(chosen))
    if not jumps:
        raise ModelError("no reaction changes a promoter species", where=network.name)
    total = add(num(0.0), *(j.propensity for j in jumps))
    whole = replace(
        network,
        species=(*network.species, Species(HAZARD, network.species[0].compartment, num(0.0))),
        reactions=(
            *(r for r in network.reactions if r not in jumping),
            Reaction(HAZARD, {HAZARD: 1}, total),
        ),
        observables=(),
    )
    tape, outputs = lower_expressions(whole, [j.propensity for j in jumps])
    index = {name: i for i, name in enumerate(network.species_names)}
    change = np.zeros((len(jumps), len(index)))
    for row, j in zip(change, jumps, strict=True):
        for name, n in j.change.items():
            row[index[name]] = n
    return Hybrid(
        lower(whole), len(index), tuple(sorted(index[c] for c in set(chosen))), tuple(j.name for j in jumps), change,
        tape, tuple(outputs),
    )  # fmt: skip


def simulate_hybrid(
    network: Network | Hybrid,
    promoter: Iterable[str],
    parameters: np.ndarray | None,
    times: np.ndarray,
    *,
    seed: int = 0,
    lanes: int | np.ndarray | None = None,
    initial: np.ndarray | None = None,
    tolerances: Tolerances | None = None,
    most_events: int = 1_000_000,
    threads: int | None = None,
) -> Trajectories:
    """Trajectories with stochastic `promoter` species and deterministic others, from t = 0 to each output time.

    Arguments, output and random streams are those of `il2.engine.ssa.simulate`; only promoter species must start
    at whole numbers, `events` are the jumps, and a run cannot be resumed. `tolerances` are those of the equations,
    and their `most_seconds` those of the whole call.
    Raises `ModelError` for unknown promoter species, `Il2Error` for malformed input. A lane whose equations fail ends
    with the status NOT_SOLVED.
    """
    hybrid = network if isinstance(network, Hybrid) else lower_hybrid(network, promoter)
    if parameters is None:
        if isinstance(network, Hybrid):
            raise ModelError("no parameters are given", where="simulate_hybrid", how="Give rows, or the Network.")
        parameters = np.array(list(network.defaults().values()))
    times = np.ascontiguousarray(times, dtype=np.float64)
    check_events(most_events)
    parameters, stream = rows(hybrid.program, parameters, times, lanes)
    y = starting_counts(hybrid.program, hybrid.n, parameters, initial, hybrid.promoter)
    run = Run(hybrid, parameters, stream, seed, np.broadcast_to(times, (len(stream), times.shape[-1])), y)
    check_times(times, run.t)
    chosen = tolerances or Tolerances()
    deadline = clock.monotonic() + chosen.most_seconds
    while (active := run.active()).size:
        if clock.monotonic() > deadline:
            run.end(active, OUT_OF_TIME)
            break
        run.advance(active, chosen, most_events, threads)
    state = State(run.y, run.t, run.events, stream, seed)
    states = hybrid.program.states[: hybrid.n]
    return Trajectories(run.out, run.status, run.events, run.reached, run.fault, state, states, hybrid.names)


@dataclass
class Run:
    """Lanes on their way: state `y` at time `t`, integral `spent` since the last jump, the variate that it is to reach.

    `beyond` is a time known to lie after the jump (infinite where none is known), `excess` and `slope` what the
    integral has too much there, and its derivative.
    """

    hybrid: Hybrid
    parameters: np.ndarray
    stream: np.ndarray
    seed: int
    times: np.ndarray
    y: np.ndarray
    t: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        lanes, n_times = self.times.shape
        self.t, self.spent, self.reached = (np.zeros(lanes) for _ in range(3))
        self.events, self.index, self.tries, self.status = (np.zeros(lanes, dtype=np.int64) for _ in range(4))
        self.beyond, self.excess, self.slope = (np.full(lanes, np.inf) for _ in range(3))
        self.fault = np.full(lanes, -1)
        self.out = np.full((lanes, n_times, self.hybrid.n), np.nan)
        self.variate, self.choice = np.empty(lanes), np.empty(lanes)
        self.draw(np.arange(lanes))

    def active(self) -> np.ndarray:
        return np.flatnonzero((self.status == DONE) & (self.index < self.times.shape[1]))

    def draw(self, lanes: np.ndarray) -> None:
        """The variate and the choice of the next jump; `math.log`, whose bits do not depend on the size of a batch."""
        first, self.choice[lanes] = uniforms(self.seed, self.stream[lanes], self.events[lanes])
        self.variate[lanes] = [-math.log(u) for u in first]

    def propensities(self, lanes: np.ndarray, y: np.ndarray) -> np.ndarray:
        padded = np.pad(y, ((0, 0), (0, 1)))
        return evaluate.run(self.hybrid.tape, {"y": padded, "p": self.parameters[lanes]}, self.hybrid.propensities)

    def end(self, lanes: np.ndarray, status: int, fault: np.ndarray | int = -1) -> None:
        self.status[lanes], self.fault[lanes] = status, fault

    def advance(self, lanes: np.ndarray, tolerances: Tolerances, most_events: int, threads: int | None) -> None:
        """Solve every lane up to its next output or the best guess of its next jump, whichever comes first."""
        a = self.propensities(lanes, self.y[lanes])
        odd, negative = ~np.isfinite(a).all(axis=1), (a < 0).any(axis=1)
        spent = self.events[lanes] >= most_events
        self.end(lanes[spent], TOO_MANY_EVENTS)
        self.end(lanes[negative], NEGATIVE_PROPENSITY, a[negative].argmin(axis=1))
        self.end(lanes[odd], NOT_A_NUMBER, (~np.isfinite(a[odd])).argmax(axis=1))
        good = ~(odd | negative | spent)
        lanes, rate = lanes[good], a[good].sum(axis=1)
        if not lanes.size:
            return
        due = self.times[lanes, self.index[lanes]]
        goal = self.guess(lanes, rate, due)
        start = np.pad(self.y[lanes], ((0, 0), (0, 1)))
        found = solve(
            self.hybrid.program, self.parameters[lanes], (goal - self.t[lanes])[:, None], initial=start,
            tolerances=tolerances, threads=threads,
        )  # fmt: skip
        failed = found.status != 0
        self.end(lanes[failed], NOT_SOLVED)
        lanes, due, goal, y = lanes[~failed], due[~failed], goal[~failed], found.y[~failed, 0]
        missing = self.variate[lanes] - (self.spent[lanes] + y[:, -1])
        close = (CLOSE + tolerances.rtol) * np.maximum(1.0, self.variate[lanes])
        with np.errstate(invalid="ignore"):
            narrow = self.slope[lanes] * (self.beyond[lanes] - goal) <= close
        jumps = np.abs(missing) <= close
        jumps |= (missing > 0) & narrow & (goal < due)
        jumps &= self.propensities(lanes, y[:, :-1]).sum(axis=1) > 0  # no jump where nothing can happen
        late = ~jumps & (missing < -close)
        self.tries[lanes] += late
        self.beyond[lanes[late]], self.excess[lanes[late]] = goal[late], -missing[late]
        self.slope[lanes[late]] = self.propensities(lanes[late], y[late, :-1]).sum(axis=1)
        moved = lanes[~late]
        self.t[moved], self.y[moved] = goal[~late], y[~late, :-1]
        self.reached[moved] = goal[~late]
        self.spent[moved] += y[~late, -1]
        arrived = ~late & ~jumps & (goal == due)
        self.out[lanes[arrived], self.index[lanes[arrived]]] = self.y[lanes[arrived]]
        self.index[lanes[arrived]] += 1
        self.jump(lanes[jumps])

    def guess(self, lanes: np.ndarray, rate: np.ndarray, due: np.ndarray) -> np.ndarray:
        """Newton's guess of the time of the jump, from the left or from a time beyond it; at most the next output."""
        t, beyond = self.t[lanes], self.beyond[lanes]
        with np.errstate(divide="ignore", invalid="ignore"):
            left = t + (self.variate[lanes] - self.spent[lanes]) / rate
            right = beyond - self.excess[lanes] / self.slope[lanes]
        inside = (right > t) & (right < beyond) & (self.tries[lanes] % 4 != 3)
        left = np.where(rate > 0, left, np.inf)
        goal = np.where(np.isinf(beyond), left, np.where(inside, right, 0.5 * (t + beyond)))
        return np.minimum(goal, due)

    def jump(self, lanes: np.ndarray) -> None:
        """Choose and make the jump of lanes that stand at its time."""
        if not lanes.size:
            return
        sums = np.cumsum(self.propensities(lanes, self.y[lanes]), axis=1)
        chosen = (self.choice[lanes, None] * sums[:, -1:] >= sums).sum(axis=1)
        new = self.y[lanes] + self.hybrid.change[chosen]
        lacks = (new[:, list(self.hybrid.promoter)] < 0).any(axis=1)
        self.end(lanes[lacks], NEGATIVE_COUNT, chosen[lacks])
        lanes = lanes[~lacks]
        self.y[lanes] = new[~lacks]
        self.events[lanes] += 1
        self.spent[lanes], self.beyond[lanes], self.tries[lanes] = 0.0, np.inf, 0
        self.draw(lanes)
