"""The driver of the backward pass: every lane walks its logged steps from the last to the first.

W lanes walk together and are refilled from a queue as in the forward driver. At the time of an output its seed, how
much the loss changes with the state there, is added to the adjoint.
"""

from __future__ import annotations

from llvmlite import ir

from il2.engine.driver import HEAD
from il2.engine.lanes import DOUBLE, INT, POINTER, Lanes, pointer_at

# Arguments of `traverse`, one 8-byte slot each, as those of `drive`.
ARGUMENTS = (
    "queue", "lanes", "parameters", "log", "capacity", "steps", "times", "time_stride", "n_times", "seeds",
    "initial_bar", "constants_bar", "workspace",
)  # fmt: skip


def traverse(lanes: Lanes, step_back: ir.Function) -> None:
    """Build `drive(arguments)` of the backward pass around `step_back`."""
    fetch = next_step(lanes)
    f = ir.Function(lanes.module, ir.FunctionType(ir.VoidType(), [POINTER]), "drive")
    (arguments,) = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    workspace = pointer_at(b, arguments, ARGUMENTS.index("workspace"))
    drawn = lanes.array(b, workspace, "lane")
    active = lanes.array(b, workspace, "active")
    with lanes.loop(b, lanes.w) as slot:
        b.store(INT(-1), b.gep(drawn, [slot], source_etype=INT))
        b.store(DOUBLE(1.0), b.gep(active, [slot], source_etype=DOUBLE))
        b.store(DOUBLE(1.0), b.gep(lanes.array(b, workspace, "h"), [slot], source_etype=DOUBLE))
        b.call(fetch, [arguments, workspace, slot])
    again, step, leave = (f.append_basic_block(name) for name in ("again", "step", "leave"))
    b.branch(again)
    b.position_at_end(again)
    busy = b.fcmp_ordered("!=", lanes.get(b, active), lanes.splat(0.0))
    bits = b.zext(b.bitcast(busy, ir.IntType(lanes.w)), INT)
    b.cbranch(b.icmp_unsigned("!=", bits, INT(0)), step, leave)
    b.position_at_end(step)
    b.call(step_back, [workspace])
    with lanes.loop(b, lanes.w) as slot:
        walking = b.load(b.gep(active, [slot], source_etype=DOUBLE), typ=DOUBLE)
        with b.if_then(b.fcmp_ordered("!=", walking, DOUBLE(0.0))):
            b.call(fetch, [arguments, workspace, slot])
    b.branch(again)
    b.position_at_end(leave)
    b.ret_void()


def next_step(lanes: Lanes) -> ir.Function:
    """next_step(arguments, workspace, slot): load the step before, or finish the lane and draw another."""
    f = ir.Function(lanes.module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, INT]), "next_step")
    f.linkage, f.attributes = "internal", ir.FunctionAttributes(("noinline",))
    arguments, workspace, slot = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    n, constants, w = lanes.layout.n, lanes.layout.constants, lanes.w
    given = {name: pointer_at(b, arguments, ARGUMENTS.index(name)) for name in ARGUMENTS}
    own = {
        name: b.gep(lanes.array(b, workspace, name), [slot], source_etype=DOUBLE)
        for name in ("y", "k", "lam", "kbar", "h", "active", "lane", "step", "index")
    }
    integer = {name: b.ptrtoint(given[name], INT) for name in ("lanes", "capacity", "time_stride", "n_times")}

    def strided(name: str, i: ir.Value) -> ir.Value:
        return b.gep(own[name], [b.mul(i, INT(w))], source_etype=DOUBLE)

    def copy(name: str, target: ir.Value, row: ir.Value, size: int) -> None:
        with lanes.loop(b, size) as i:
            b.store(b.load(strided(name, i), typ=DOUBLE), b.gep(target, [b.add(row, i)], source_etype=DOUBLE))

    def clear(name: str, size: int) -> None:
        with lanes.loop(b, size) as i:
            b.store(DOUBLE(0.0), strided(name, i))

    head, walk, ends, store, draw, load, idle, leave = (
        f.append_basic_block(x) for x in ("head", "walk", "ends", "store", "draw", "load", "idle", "leave")
    )
    b.cbranch(b.icmp_signed("==", b.load(own["lane"], typ=INT), INT(-1)), draw, head)

    b.position_at_end(head)
    left = b.load(own["step"], typ=INT)
    b.cbranch(b.icmp_signed(">", left, INT(0)), walk, ends)

    b.position_at_end(walk)
    before = b.sub(left, INT(1))
    b.store(before, own["step"])
    lane = b.load(own["lane"], typ=INT)
    at = b.mul(b.add(b.mul(lane, integer["capacity"]), before), INT(n + HEAD))
    row = b.gep(given["log"], [at], source_etype=DOUBLE)
    b.store(b.load(row, typ=DOUBLE), own["h"])
    with lanes.loop(b, n) as i:
        value = b.load(b.gep(row, [b.add(i, INT(HEAD))], source_etype=DOUBLE), typ=DOUBLE)
        b.store(value, strided("y", i))
    _seeded(lanes, b, given, integer, own, strided, b.load(b.gep(row, [INT(1)], source_etype=DOUBLE), typ=DOUBLE))
    b.branch(leave)

    b.position_at_end(ends)  # outputs at the start itself
    _seeded(lanes, b, given, integer, own, strided, DOUBLE(float("-inf")))
    b.branch(store)

    b.position_at_end(store)
    lane = b.load(own["lane"], typ=INT)
    copy("lam", given["initial_bar"], b.mul(lane, INT(n)), n)
    if constants:
        copy("kbar", given["constants_bar"], b.mul(lane, INT(constants)), constants)
    b.branch(draw)

    b.position_at_end(draw)
    lane = b.atomic_rmw("add", given["queue"], INT(1), "monotonic")
    b.store(lane, own["lane"])
    b.cbranch(b.icmp_signed("<", lane, integer["lanes"]), load, idle)

    b.position_at_end(load)
    p = b.gep(given["parameters"], [b.mul(lane, INT(lanes.layout.parameters))], source_etype=DOUBLE)
    b.call(lanes.kernels["prepare"], [p, own["k"], own["y"]])
    clear("lam", n)
    if constants:
        clear("kbar", constants)
    steps = b.load(b.gep(given["steps"], [lane], source_etype=DOUBLE), typ=DOUBLE)
    b.store(b.fptosi(steps, INT), own["step"])
    b.store(b.sub(integer["n_times"], INT(1)), own["index"])
    b.branch(head)

    b.position_at_end(idle)
    b.store(DOUBLE(0.0), own["active"])
    b.branch(leave)
    b.position_at_end(leave)
    b.ret_void()
    return f


def _seeded(lanes: Lanes, b: ir.IRBuilder, given, integer, own, strided, since: ir.Value) -> None:
    """Add the seeds of every output at or after the time `since` that was not added before."""
    f, n = b.function, lanes.layout.n
    check, due, add, done = (f.append_basic_block(x) for x in ("check", "due", "add", "done"))
    b.branch(check)
    b.position_at_end(check)
    index, lane = (b.load(own[name], typ=INT) for name in ("index", "lane"))
    b.cbranch(b.icmp_signed(">=", index, INT(0)), due, done)
    b.position_at_end(due)
    at = b.add(b.mul(lane, integer["time_stride"]), index)
    time = b.load(b.gep(given["times"], [at], source_etype=DOUBLE), typ=DOUBLE)
    b.cbranch(b.fcmp_ordered(">=", time, since), add, done)
    b.position_at_end(add)
    row = b.mul(b.add(b.mul(lane, integer["n_times"]), index), INT(n))
    with lanes.loop(b, n) as i:
        seed = b.load(b.gep(given["seeds"], [b.add(row, i)], source_etype=DOUBLE), typ=DOUBLE)
        b.store(b.fadd(b.load(strided("lam", i), typ=DOUBLE), seed), strided("lam", i))
    b.store(b.sub(index, INT(1)), own["index"])
    b.branch(check)
    b.position_at_end(done)
