"""The lane driver, built as LLVM IR around the step and the printed kernels.

W lanes advance together, each with its own time and step size. A lane that is finished or has failed is
refilled at once from a shared queue; the queue is an atomic counter, so any number of threads can draw
from it, and because lanes never read one another the result of a lane does not depend on its neighbours.
"""

from __future__ import annotations

from llvmlite import ir

from il2.engine.lanes import BOOL, DOUBLE, INT, POINTER, Lanes, Layout, integer, pointer_at
from il2.engine.step import mean_square_error, rosenbrock_step, tenth_root_inverse

# Arguments of `drive`, one 8-byte slot each (pointers, counts; settings are doubles).
ARGUMENTS = (
    "queue",
    "lanes",
    "parameters",
    "initial",
    "times",
    "time_stride",
    "n_times",
    "out",
    "status",
    "accepted",
    "rejected",
    "reached",
    "settings",
    "log",
    "capacity",
    "last",
    "stop",
    "workspace",
)
SETTINGS = ("rtol", "atol", "first_step", "smallest_step", "most_steps", "smallest_pivot")

# The driver ends lanes with the first five; `failure` tells the rest apart from STEP_TOO_SMALL.
DONE, BAD_PIVOT, TOO_MANY_STEPS, STEP_TOO_SMALL, OUT_OF_TIME, NOT_A_NUMBER, BLOW_UP, SINGULAR = range(8)
HEAD = 2  # of a row of the log, before the state: step size, time after the step
SAFETY, SHRINK, GROW, AFTER_NAN = 0.9, 0.2, 6.0, 0.1


def build(layout: Layout, controlled: tuple[bool, ...]) -> str:
    """IR text of `drive` and its parts; the kernels `prepare`, `rates`, `factor`, `solve` are declared."""
    lanes = Lanes(layout, controlled, {"prepare": 3, "rates": 3, "factor": 5, "solve": 2})
    drive(lanes, rosenbrock_step(lanes), settle(lanes), log(lanes))
    return str(lanes.module)


def settle(lanes: Lanes) -> ir.Function:
    """settle(arguments, workspace, lane, code): code -1 continues a lane, 0.. ends it with that status."""
    f, b, argument = lanes.settling(ARGUMENTS)
    _, workspace, slot, code = f.args
    state = {
        name: b.gep(lanes.array(b, workspace, name), [slot], source_etype=DOUBLE)
        for name in ("y", "k", "t", "h", "next", "good", "bad", "after", "active", "lane", "index")
    }
    head, check, record, advance, finish, fetch, load, idle, leave = (
        f.append_basic_block(name)
        for name in ("head", "check", "record", "advance", "finish", "fetch", "load", "idle", "leave")
    )
    ended = b.alloca(INT)
    b.store(code, ended)
    started = b.icmp_signed("!=", b.load(state["lane"], typ=INT), INT(-1))
    ends = b.icmp_signed(">=", code, INT(0))
    b.cbranch(ends, f.append_basic_block("ends"), head)
    b.position_at_end(f.blocks[-1])
    b.cbranch(started, finish, fetch)

    b.position_at_end(head)  # is there an output left?
    index = b.load(state["index"], typ=INT)
    lane = b.load(state["lane"], typ=INT)
    b.store(INT(DONE), ended)
    b.cbranch(b.icmp_signed("<", index, integer(b, argument["n_times"])), check, finish)

    b.position_at_end(check)  # is it due?
    at = b.add(b.mul(lane, integer(b, argument["time_stride"])), index)
    due = b.load(b.gep(argument["times"], [at], source_etype=DOUBLE), typ=DOUBLE)
    b.cbranch(b.fcmp_ordered("<=", due, b.load(state["t"], typ=DOUBLE)), record, advance)

    b.position_at_end(advance)
    b.store(due, state["next"])
    steps = b.fadd(b.load(state["good"], typ=DOUBLE), b.load(state["bad"], typ=DOUBLE))
    spent = b.fcmp_ordered(">=", steps, _setting(b, argument["settings"], "most_steps"))
    b.store(b.select(spent, INT(TOO_MANY_STEPS), INT(DONE)), ended)
    b.cbranch(spent, finish, leave)

    b.position_at_end(record)
    n = lanes.layout.n
    row = b.add(b.mul(lane, integer(b, argument["n_times"])), index)
    target = b.gep(argument["out"], [b.mul(row, INT(n))], source_etype=DOUBLE)
    with lanes.loop(b, n) as i:
        value = b.load(b.gep(state["y"], [b.mul(i, INT(lanes.w))], source_etype=DOUBLE), typ=DOUBLE)
        b.store(value, b.gep(target, [i], source_etype=DOUBLE))
    b.store(b.add(index, INT(1)), state["index"])
    b.branch(head)

    b.position_at_end(finish)
    lane = b.load(state["lane"], typ=INT)
    b.store(b.load(ended, typ=INT), b.gep(argument["status"], [lane], source_etype=INT))
    for name, source in (("accepted", "good"), ("rejected", "bad"), ("reached", "t")):
        b.store(b.load(state[source], typ=DOUBLE), b.gep(argument[name], [lane], source_etype=DOUBLE))
    with lanes.loop(b, n) as i:
        value = b.load(b.gep(state["y"], [b.mul(i, INT(lanes.w))], source_etype=DOUBLE), typ=DOUBLE)
        b.store(value, b.gep(argument["last"], [b.add(b.mul(lane, INT(n)), i)], source_etype=DOUBLE))
    b.branch(fetch)

    b.position_at_end(fetch)
    stopped = b.icmp_signed("!=", b.load_atomic(argument["stop"], "monotonic", 8, typ=INT), INT(0))
    draw = f.append_basic_block("draw")
    b.cbranch(stopped, idle, draw)
    b.position_at_end(draw)
    lane = b.atomic_rmw("add", argument["queue"], INT(1), "monotonic")
    b.store(lane, state["lane"])
    for name, value in (("t", 0.0), ("good", 0.0), ("bad", 0.0), ("after", 0.0)):
        b.store(DOUBLE(value), state[name])
    b.store(INT(0), state["index"])
    b.cbranch(b.icmp_signed("<", lane, integer(b, argument["lanes"])), load, idle)

    b.position_at_end(load)
    p = b.gep(argument["parameters"], [b.mul(lane, INT(lanes.layout.parameters))], source_etype=DOUBLE)
    b.call(lanes.kernels["prepare"], [p, state["k"], state["y"]])
    given = b.icmp_unsigned("!=", integer(b, argument["initial"]), INT(0))
    with b.if_then(given):
        start = b.gep(argument["initial"], [b.mul(lane, INT(lanes.layout.n))], source_etype=DOUBLE)
        with lanes.loop(b, lanes.layout.n) as i:
            value = b.load(b.gep(start, [i], source_etype=DOUBLE), typ=DOUBLE)
            b.store(value, b.gep(state["y"], [b.mul(i, INT(lanes.w))], source_etype=DOUBLE))
    b.store(_setting(b, argument["settings"], "first_step"), state["h"])
    b.store(DOUBLE(1.0), state["active"])
    b.branch(head)

    b.position_at_end(idle)
    b.store(DOUBLE(0.0), state["active"])
    b.store(DOUBLE(float("inf")), state["next"])
    b.branch(leave)

    b.position_at_end(leave)
    b.ret_void()
    return f


def log(lanes: Lanes) -> ir.Function:
    """log(arguments, workspace, slot, h, t): keep the state before a step of a lane, as long as there is room."""
    f = ir.Function(lanes.module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, INT, DOUBLE, DOUBLE]), "keep_step")
    f.linkage, f.attributes = "internal", ir.FunctionAttributes(("noinline",))
    arguments, workspace, slot, h, t = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    n = lanes.layout.n

    def own(name: str, kind: ir.Type) -> ir.Value:
        return b.load(b.gep(lanes.array(b, workspace, name), [slot], source_etype=DOUBLE), typ=kind)

    capacity = integer(b, pointer_at(b, arguments, ARGUMENTS.index("capacity")))
    taken = b.fptosi(own("good", DOUBLE), INT)
    with b.if_then(b.icmp_signed("<", taken, capacity)):
        row = b.mul(b.add(b.mul(own("lane", INT), capacity), taken), INT(n + HEAD))
        place = b.gep(pointer_at(b, arguments, ARGUMENTS.index("log")), [row], source_etype=DOUBLE)
        b.store(h, place)
        b.store(t, b.gep(place, [INT(1)], source_etype=DOUBLE))
        with lanes.loop(b, n) as i:
            at = b.add(b.mul(i, INT(lanes.w)), slot)
            value = b.load(b.gep(lanes.array(b, workspace, "y"), [at], source_etype=DOUBLE), typ=DOUBLE)
            b.store(value, b.gep(place, [b.add(i, INT(HEAD))], source_etype=DOUBLE))
    b.ret_void()
    return f


def _setting(b: ir.IRBuilder, settings: ir.Value, name: str) -> ir.Value:
    at = b.gep(settings, [INT(SETTINGS.index(name))], source_etype=DOUBLE)
    return b.load(at, typ=DOUBLE)


def drive(lanes: Lanes, take_step: ir.Function, settle_lane: ir.Function, log_step: ir.Function) -> None:
    f = ir.Function(lanes.module, ir.FunctionType(ir.VoidType(), [POINTER]), "drive")
    (arguments,) = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    workspace = pointer_at(b, arguments, ARGUMENTS.index("workspace"))
    settings = pointer_at(b, arguments, ARGUMENTS.index("settings"))
    rtol, atol, smallest, most, least_pivot = (
        lanes.broadcast(b, _setting(b, settings, name))
        for name in ("rtol", "atol", "smallest_step", "most_steps", "smallest_pivot")
    )
    logs = b.icmp_unsigned("!=", integer(b, pointer_at(b, arguments, ARGUMENTS.index("log"))), INT(0))
    at = {name: lanes.array(b, workspace, name) for name in ("t", "h", "next", "good", "bad", "after", "active")}
    drawn = lanes.array(b, workspace, "lane")
    with lanes.loop(b, lanes.w) as slot:
        b.store(INT(-1), b.gep(drawn, [slot], source_etype=INT))
        b.call(settle_lane, [arguments, workspace, slot, INT(DONE)])
    again, leave, look, stopped = (f.append_basic_block(name) for name in ("again", "leave", "look", "stopped"))
    advance, settle_all = f.append_basic_block("advance"), f.append_basic_block("settle_all")
    b.branch(again)

    b.position_at_end(again)
    active = b.fcmp_ordered("!=", lanes.get(b, at["active"]), lanes.splat(0.0))
    b.cbranch(_any(lanes, b, active), look, leave)

    b.position_at_end(look)  # has the time for all lanes run out?
    stop = b.load_atomic(pointer_at(b, arguments, ARGUMENTS.index("stop")), "monotonic", 8, typ=INT)
    b.cbranch(b.icmp_signed("!=", stop, INT(0)), stopped, advance)

    b.position_at_end(stopped)
    flags = _bits(lanes, b, active)
    with lanes.loop(b, lanes.w) as slot, b.if_then(_bit(b, flags, slot)):
        b.call(settle_lane, [arguments, workspace, slot, INT(OUT_OF_TIME)])
    b.branch(leave)

    b.position_at_end(advance)
    t, h, due = (lanes.get(b, at[name]) for name in ("t", "h", "next"))
    left = b.fsub(due, t)
    lands = b.fcmp_ordered("<=", left, h)
    halves = b.fcmp_ordered("<", left, b.fmul(h, lanes.splat(2.0)))
    step = b.select(lands, left, b.select(halves, b.fmul(left, lanes.splat(0.5)), h))
    b.call(take_step, [workspace, step])
    error = mean_square_error(lanes, b, workspace, rtol, atol)
    broken = b.fcmp_unordered(">", error, lanes.splat(1e300))
    good = b.fcmp_ordered("<=", error, lanes.splat(1.0))
    bounded = lanes.choose_min(b, lanes.choose_max(b, error, lanes.splat(1e-30)), lanes.splat(1e30))
    factor = b.fmul(lanes.splat(SAFETY), tenth_root_inverse(lanes, b, bounded))
    factor = lanes.choose_max(b, lanes.choose_min(b, factor, lanes.splat(GROW)), lanes.splat(SHRINK))
    after_rejection = b.fcmp_ordered("!=", lanes.get(b, at["after"]), lanes.splat(0.0))
    factor = b.select(after_rejection, lanes.choose_min(b, factor, lanes.splat(1.0)), factor)
    factor = b.select(broken, lanes.splat(AFTER_NAN), factor)
    following = b.fmul(step, factor)
    following = b.select(b.and_(good, b.fcmp_ordered("<", step, h)), lanes.choose_max(b, following, h), following)
    after_step = b.select(good, b.select(lands, due, b.fadd(t, step)), t)
    kept = _bits(lanes, b, b.and_(active, good))
    with b.if_then(logs), lanes.loop(b, lanes.w) as slot, b.if_then(_bit(b, kept, slot)):
        at_slot = b.trunc(slot, ir.IntType(32))
        given = [b.extract_element(v, at_slot) for v in (step, after_step)]
        b.call(log_step, [arguments, workspace, slot, *given])
    one, zero = lanes.splat(1.0), lanes.splat(0.0)
    count_good = b.fadd(lanes.get(b, at["good"]), b.select(good, one, zero))
    count_bad = b.fadd(lanes.get(b, at["bad"]), b.select(good, zero, one))
    lanes.put(b, after_step, at["t"])
    lanes.put(b, following, at["h"])
    lanes.put(b, count_good, at["good"])
    lanes.put(b, count_bad, at["bad"])
    lanes.put(b, b.select(good, zero, one), at["after"])
    y, new = lanes.array(b, workspace, "y"), lanes.array(b, workspace, "new")
    with lanes.loop(b, lanes.layout.n) as i:
        old = lanes.element(b, y, i)
        lanes.put(b, b.select(good, lanes.get(b, lanes.element(b, new, i)), lanes.get(b, old)), old)

    landed = b.and_(good, lands)
    pivotless = b.fcmp_ordered("<", lanes.get(b, lanes.array(b, workspace, "pivot")), least_pivot)
    too_many = b.fcmp_ordered(">=", b.fadd(count_good, count_bad), most)
    too_small = b.fcmp_ordered("<", following, smallest)
    failed = b.or_(pivotless, b.or_(too_many, too_small))
    event = b.and_(active, b.or_(landed, failed))
    b.cbranch(_any(lanes, b, event), settle_all, again)

    b.position_at_end(settle_all)
    flags = [_bits(lanes, b, m) for m in (event, landed, pivotless, too_many)]
    with lanes.loop(b, lanes.w) as slot:
        is_event, is_landed, is_pivotless, is_many = (_bit(b, m, slot) for m in flags)
        code = b.select(is_many, INT(TOO_MANY_STEPS), INT(STEP_TOO_SMALL))
        code = b.select(is_landed, INT(-1), code)
        code = b.select(is_pivotless, INT(BAD_PIVOT), code)
        with b.if_then(is_event):
            b.call(settle_lane, [arguments, workspace, slot, code])
    b.branch(again)

    b.position_at_end(leave)
    b.ret_void()


def _bits(lanes: Lanes, b: ir.IRBuilder, mask: ir.Value) -> ir.Value:
    bits = b.bitcast(mask, ir.IntType(lanes.w))
    return b.zext(bits, INT)


def _bit(b: ir.IRBuilder, bits: ir.Value, slot: ir.Value) -> ir.Value:
    return b.trunc(b.lshr(bits, slot), BOOL)


def _any(lanes: Lanes, b: ir.IRBuilder, mask: ir.Value) -> ir.Value:
    return b.icmp_unsigned("!=", _bits(lanes, b, mask), INT(0))
