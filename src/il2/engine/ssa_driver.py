"""Gillespie's direct method for W lanes, built as LLVM IR around the printed propensities.

Every lane owns its counts, the time of its last jump and the number of its jumps; nothing else is its state, since
the random numbers of a jump follow from seed, stream and number. Lanes are drawn from a shared queue, as in
`il2.engine.driver`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llvmlite import ir

from il2.engine.lanes import BOOL, DOUBLE, INT, POINTER, Lanes, Layout, integer, pointer_at
from il2.engine.philox import draw, negative_log

# Arguments of `drive`, one 8-byte slot each: pointers and counts.
ARGUMENTS = (
    "queue", "lanes", "parameters", "counts", "time", "events", "streams", "times", "time_stride", "n_times", "out",
    "status", "reached", "keys", "most_events", "stop", "workspace",
)  # fmt: skip
DONE, TOO_MANY_EVENTS, NEGATIVE_PROPENSITY, NOT_A_NUMBER, NEGATIVE_COUNT, OUT_OF_TIME, NOT_SOLVED = range(7)
CROSSED, EMPTY = -1, -2
INFINITY = float("inf")


@dataclass(frozen=True)
class JumpLayout(Layout):
    """The workspace: n species, `entries` jumps; `c` are the running sums of the propensities."""

    def sizes(self) -> Iterator[tuple[str, int]]:
        yield from (("y", self.n), ("k", self.constants), ("c", self.entries), ("least", 1))
        for name in ("t", "after", "due", "events", "limit", "active", "lane", "index", "stream"):
            yield name, 1


class JumpLanes(Lanes):
    """A module under construction with the kernels `prepare` and `propensities`."""

    def __init__(self, layout: JumpLayout) -> None:
        super().__init__(layout, (), {"prepare": 3, "propensities": 4})
        self.integers = ir.VectorType(INT, self.w)

    def broadcast_integer(self, b: ir.IRBuilder, scalar: ir.Value) -> ir.Value:
        return b.bitcast(self.broadcast(b, b.bitcast(scalar, DOUBLE)), self.integers)

    def get_integers(self, b: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
        return b.load(pointer, align=8 * self.w, typ=self.integers)

    def any(self, b: ir.IRBuilder, mask: ir.Value) -> ir.Value:
        return b.icmp_unsigned("!=", self.bits(b, mask), INT(0))

    def bits(self, b: ir.IRBuilder, mask: ir.Value) -> ir.Value:
        return b.zext(b.bitcast(mask, ir.IntType(self.w)), INT)


def build(layout: JumpLayout, change: tuple[tuple[tuple[int, int], ...], ...], unguarded: tuple[int, ...]) -> str:
    """IR text of `drive` and its parts; the kernels `prepare` and `propensities` are declared."""
    lanes = JumpLanes(layout)
    drive(lanes, settle(lanes), change, unguarded)
    return str(lanes.module)


def settle(lanes: JumpLanes) -> ir.Function:
    """settle(arguments, workspace, slot, code): CROSSED records outputs, 0.. ends the lane with that status."""
    f, b, argument = lanes.settling(ARGUMENTS)
    _, workspace, slot, code = f.args
    state = {
        name: b.gep(lanes.array(b, workspace, name), [slot], source_etype=DOUBLE)
        for name in ("y", "k", "t", "after", "due", "events", "limit", "active", "lane", "index", "stream")
    }
    n, n_times = lanes.layout.n, integer(b, argument["n_times"])
    head, check, record, complete, finish, fetch, load, idle, leave = (
        f.append_basic_block(name)
        for name in ("head", "check", "record", "complete", "finish", "fetch", "load", "idle", "leave")
    )

    def at(name: str, index: ir.Value) -> ir.Value:
        return b.gep(argument[name], [index], source_etype=DOUBLE)

    def copy(source: ir.Value, target: ir.Value, from_lanes: bool) -> None:
        """Counts between the workspace, where they stand W apart, and a row of an array."""
        with lanes.loop(b, n) as i:
            apart = b.mul(i, INT(lanes.w))
            value = b.load(b.gep(source, [apart if from_lanes else i], source_etype=DOUBLE), typ=DOUBLE)
            b.store(value, b.gep(target, [i if from_lanes else apart], source_etype=DOUBLE))

    lane = b.load(state["lane"], typ=INT)
    ended, reached = b.alloca(INT), b.alloca(DOUBLE)
    b.store(code, ended)
    b.store(b.load(state["t"], typ=DOUBLE), reached)
    first = b.mul(lane, integer(b, argument["time_stride"]))
    switch = b.switch(code, finish)
    switch.add_case(INT(CROSSED), head)
    switch.add_case(INT(EMPTY), fetch)

    b.position_at_end(head)  # is there an output left?
    index = b.load(state["index"], typ=INT)
    b.cbranch(b.icmp_signed("<", index, n_times), check, complete)

    b.position_at_end(check)  # is it before the next jump?
    due = b.load(at("times", b.add(first, index)), typ=DOUBLE)
    b.store(due, state["due"])
    b.cbranch(b.fcmp_ordered("<", due, b.load(state["after"], typ=DOUBLE)), record, leave)

    b.position_at_end(record)
    copy(state["y"], at("out", b.mul(b.add(b.mul(lane, n_times), index), INT(n))), True)
    b.store(due, reached)
    b.store(b.add(index, INT(1)), state["index"])
    b.branch(head)

    b.position_at_end(complete)
    b.store(INT(DONE), ended)
    b.branch(finish)

    b.position_at_end(finish)
    b.store(b.load(ended, typ=INT), at("status", lane))
    b.store(b.load(reached, typ=DOUBLE), at("reached", lane))
    b.store(b.load(state["t"], typ=DOUBLE), at("time", lane))
    b.store(b.load(state["events"], typ=INT), at("events", lane))
    copy(state["y"], at("counts", b.mul(lane, INT(n))), True)
    b.branch(fetch)

    b.position_at_end(fetch)
    drawn = b.atomic_rmw("add", argument["queue"], INT(1), "monotonic")
    b.store(drawn, state["lane"])
    b.store(DOUBLE(INFINITY), state["after"])
    b.cbranch(b.icmp_signed("<", drawn, integer(b, argument["lanes"])), load, idle)

    b.position_at_end(load)
    p = at("parameters", b.mul(drawn, INT(lanes.layout.parameters)))
    b.call(lanes.kernels["prepare"], [p, state["k"], state["y"]])
    copy(at("counts", b.mul(drawn, INT(n))), state["y"], False)
    for name, source in (("t", "time"), ("events", "events"), ("stream", "streams")):
        b.store(b.load(at(source, drawn), typ=INT), state[name])
    most = b.add(b.load(state["events"], typ=INT), integer(b, argument["most_events"]))
    b.store(most, state["limit"])
    b.store(INT(0), state["index"])
    start = b.mul(drawn, integer(b, argument["time_stride"]))
    b.store(b.load(at("times", start), typ=DOUBLE), state["due"])
    b.store(DOUBLE(1.0), state["active"])
    b.branch(leave)

    b.position_at_end(idle)
    b.store(DOUBLE(0.0), state["active"])
    b.store(DOUBLE(-INFINITY), state["due"])
    b.branch(leave)

    b.position_at_end(leave)
    b.ret_void()
    return f


def drive(
    lanes: JumpLanes,
    settle_lane: ir.Function,
    change: tuple[tuple[tuple[int, int], ...], ...],
    unguarded: tuple[int, ...],
) -> None:
    f = ir.Function(lanes.module, ir.FunctionType(ir.VoidType(), [POINTER]), "drive")
    (arguments,) = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    workspace, keys, stop = (pointer_at(b, arguments, ARGUMENTS.index(name)) for name in ("workspace", "keys", "stop"))
    y, k, c, least, t, after, due, active, drawn, counter, limit, streams = (
        lanes.array(b, workspace, name)
        for name in ("y", "k", "c", "least", "t", "after", "due", "active", "lane", "events", "limit", "stream")
    )
    zero, infinity = lanes.splat(0.0), lanes.splat(INFINITY)
    with lanes.loop(b, lanes.w) as slot:
        b.store(INT(-1), b.gep(drawn, [slot], source_etype=INT))
        b.call(settle_lane, [arguments, workspace, slot, INT(EMPTY)])
    begin, again, jump, special, leave = (
        f.append_basic_block(name) for name in ("begin", "again", "jump", "special", "leave")
    )
    b.branch(begin)

    b.position_at_end(begin)
    is_active = b.fcmp_ordered("!=", lanes.get(b, active), zero)
    b.cbranch(lanes.any(b, is_active), again, leave)

    b.position_at_end(again)  # when would each lane jump?
    b.call(lanes.kernels["propensities"], [y, k, c, least])
    events = lanes.get_integers(b, counter)
    first, second = draw(lanes, b, keys, lanes.get_integers(b, streams), events)
    total = lanes.get(b, lanes.element(b, c, len(change) - 1))
    then = b.fadd(lanes.get(b, t), b.fdiv(negative_log(lanes, b, first), total))
    lanes.put(b, then, after)
    is_active = b.fcmp_ordered("!=", lanes.get(b, active), zero)
    negative = b.fcmp_ordered("<", lanes.get(b, least), zero)
    broken = b.or_(negative, b.not_(b.fcmp_ordered("<", total, infinity)))
    crossed = b.fcmp_ordered(">", then, lanes.get(b, due))
    spent = b.icmp_signed(">=", events, lanes.get_integers(b, limit))
    stopped = b.icmp_signed("!=", b.load_atomic(stop, "monotonic", 8, typ=INT), INT(0))
    stopped = lanes.broadcast_integer(b, b.select(stopped, INT(1), INT(0)))
    halted = b.or_(spent, b.icmp_signed("!=", stopped, ir.Constant(lanes.integers, [0] * lanes.w)))
    event = b.and_(is_active, b.or_(b.or_(broken, crossed), halted))
    b.cbranch(lanes.any(b, event), special, jump)

    b.position_at_end(special)
    flags = [lanes.bits(b, m) for m in (event, negative, broken, crossed, spent)]
    with lanes.loop(b, lanes.w) as slot:
        is_event, is_negative, is_broken, is_crossed, is_spent = (b.trunc(b.lshr(m, slot), BOOL) for m in flags)
        code = b.select(is_spent, INT(TOO_MANY_EVENTS), INT(OUT_OF_TIME))
        code = b.select(is_crossed, INT(CROSSED), code)
        code = b.select(is_broken, b.select(is_negative, INT(NEGATIVE_PROPENSITY), INT(NOT_A_NUMBER)), code)
        with b.if_then(is_event):
            b.call(settle_lane, [arguments, workspace, slot, code])
    still = b.fcmp_ordered("!=", lanes.get(b, active), zero)
    b.cbranch(lanes.any(b, still), jump, leave)

    b.position_at_end(jump)  # lanes whose jump comes before their next output make it
    then = lanes.get(b, after)
    goes = b.and_(b.fcmp_ordered("<=", then, lanes.get(b, due)), b.not_(halted))
    target = b.select(goes, b.fmul(second, total), infinity)
    chosen, below = [], None
    for j in range(len(change)):
        reaches = b.fcmp_ordered("<", target, lanes.get(b, lanes.element(b, c, j)))
        chosen.append(reaches if below is None else b.and_(reaches, b.not_(below)))
        below = reaches
    new: dict[int, ir.Value] = {}
    for mask, pairs in zip(chosen, change, strict=True):
        for i, by in pairs:
            value = new[i] if i in new else lanes.get(b, lanes.element(b, y, i))
            new[i] = b.select(mask, b.fadd(value, lanes.splat(float(by))), value)
    lacks = None
    for i in unguarded:
        below_zero = b.fcmp_ordered("<", new[i], zero)
        lacks = below_zero if lacks is None else b.or_(lacks, below_zero)
    if lacks is not None:
        lacks = b.and_(goes, lacks)
        goes = b.and_(goes, b.not_(lacks))
    for i, value in new.items():
        at = lanes.element(b, y, i)
        lanes.put(b, value if lacks is None else b.select(lacks, lanes.get(b, at), value), at)
    lanes.put(b, b.select(goes, then, lanes.get(b, t)), t)
    lanes.put(b, b.add(lanes.get_integers(b, counter), b.zext(goes, lanes.integers)), counter)
    if lacks is not None:
        refused = f.append_basic_block("refused")
        b.cbranch(lanes.any(b, lacks), refused, again)
        b.position_at_end(refused)
        flag = lanes.bits(b, lacks)
        with lanes.loop(b, lanes.w) as slot, b.if_then(b.trunc(b.lshr(flag, slot), BOOL)):
            b.call(settle_lane, [arguments, workspace, slot, INT(NEGATIVE_COUNT)])
        b.branch(begin)
    else:
        b.branch(again)

    b.position_at_end(leave)
    b.ret_void()
