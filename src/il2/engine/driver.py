"""The lane driver and the Rosenbrock step, built as LLVM IR around the printed kernels.

W lanes advance together, each with its own time and step size. A lane that is finished or has failed is
refilled at once from a shared queue; the queue is an atomic counter, so any number of threads can draw
from it, and because lanes never read one another the result of a lane does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llvmlite import ir

from il2.engine import rodas5p

DOUBLE, INT, BOOL = ir.DoubleType(), ir.IntType(64), ir.IntType(1)
POINTER = ir.PointerType()

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
    "workspace",
)
SETTINGS = ("rtol", "atol", "first_step", "smallest_step", "most_steps", "smallest_pivot")

DONE, BAD_PIVOT, TOO_MANY_STEPS, STEP_TOO_SMALL = 0, 1, 2, 3
SAFETY, SHRINK, GROW, AFTER_NAN = 0.9, 0.2, 6.0, 0.1


@dataclass(frozen=True)
class Layout:
    """Where each array of W-lane values starts in the workspace, in units of W doubles."""

    n: int
    constants: int
    entries: int
    parameters: int
    width: int

    def offset(self, name: str) -> int:
        at = 0
        for key, size in self.sizes():
            if key == name:
                return at * self.width
            at += size
        raise KeyError(name)

    def sizes(self) -> Iterator[tuple[str, int]]:
        yield from (("y", self.n), ("k", self.constants), ("new", self.n), ("d", 1), ("lu", self.entries))
        yield from (("u", self.n * rodas5p.STAGES), ("pivot", 1))
        for name in ("t", "h", "next", "good", "bad", "after", "active", "lane", "index"):
            yield name, 1

    @property
    def doubles(self) -> int:
        return sum(size for _, size in self.sizes()) * self.width


def build(layout: Layout, controlled: tuple[bool, ...]) -> str:
    """IR text of `drive` and its parts; the kernels `prepare`, `rates`, `factor`, `solve` are declared."""
    return str(_Driver(layout, controlled).module)


class _Driver:
    def __init__(self, layout: Layout, controlled: tuple[bool, ...]) -> None:
        self.layout, self.controlled, self.w = layout, controlled, layout.width
        self.module = ir.Module("il2_driver")
        self.vector = ir.VectorType(DOUBLE, self.w)
        self.mask = ir.VectorType(BOOL, self.w)
        self.kernels = {
            name: ir.Function(self.module, ir.FunctionType(ir.VoidType(), [POINTER] * count), name)
            for name, count in (("prepare", 3), ("rates", 3), ("factor", 5), ("solve", 2))
        }
        one = ir.FunctionType(self.vector, [self.vector])
        self.absolute = ir.Function(self.module, one, f"llvm.fabs.v{self.w}f64")
        self.step = self._step()
        self.settle = self._settle()
        self._drive()

    # --- small helpers -------------------------------------------------------------------------------
    def splat(self, value: float) -> ir.Constant:
        return ir.Constant(self.vector, [value] * self.w)

    def broadcast(self, b: ir.IRBuilder, scalar: ir.Value) -> ir.Value:
        one = b.insert_element(ir.Constant(self.vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.w), [0] * self.w)
        return b.shuffle_vector(one, one, zeros)

    def array(self, b: ir.IRBuilder, workspace: ir.Value, name: str, index: ir.Value | int = 0) -> ir.Value:
        """Pointer to W-lane element `index` of a workspace array."""
        base = b.gep(workspace, [INT(self.layout.offset(name))], source_etype=DOUBLE)
        return base if index == 0 else self.element(b, base, index)

    def element(self, b: ir.IRBuilder, base: ir.Value, index: ir.Value | int) -> ir.Value:
        if isinstance(index, int):
            return b.gep(base, [INT(index * self.w)], source_etype=DOUBLE)
        return b.gep(base, [b.mul(index, INT(self.w))], source_etype=DOUBLE)

    def get(self, b: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
        return b.load(pointer, align=8 * self.w, typ=self.vector)

    def put(self, b: ir.IRBuilder, value: ir.Value, pointer: ir.Value) -> None:
        b.store(value, pointer, align=8 * self.w)

    def fma(self, b: ir.IRBuilder, total: ir.Value, factor: ir.Value, value: ir.Value) -> ir.Value:
        return b.fadd(total, b.fmul(factor, value, flags=("contract",)), flags=("contract",))

    def choose_max(self, b: ir.IRBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
        return b.select(b.fcmp_ordered(">", x, y), x, y)

    def choose_min(self, b: ir.IRBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
        return b.select(b.fcmp_ordered("<", x, y), x, y)

    @contextmanager
    def loop(self, b: ir.IRBuilder, count: int) -> Iterator[ir.Value]:
        """`for i in range(count)`; yields i, leaves the builder behind the loop."""
        before = b.block
        body, after = b.append_basic_block("body"), b.append_basic_block("after")
        b.branch(body)
        b.position_at_end(body)
        i = b.phi(INT)
        i.add_incoming(INT(0), before)
        yield i
        following = b.add(i, INT(1))
        i.add_incoming(following, b.block)
        b.cbranch(b.icmp_signed("<", following, INT(count)), body, after)
        b.position_at_end(after)

    # --- one Rosenbrock step of W lanes ----------------------------------------------------------------
    def _step(self) -> ir.Function:
        """step(workspace): from y, k, h writes new and the error estimate u[7]; pivot gets the smallest."""
        f = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [POINTER, self.vector]), "step")
        f.linkage = "internal"
        workspace, h = f.args
        b = ir.IRBuilder(f.append_basic_block("entry"))
        n = self.layout.n
        y, k, lu, d = (self.array(b, workspace, a) for a in ("y", "k", "lu", "d"))
        new, pivot = self.array(b, workspace, "new"), self.array(b, workspace, "pivot")
        u = [self.array(b, workspace, "u", s * n) for s in range(rodas5p.STAGES)]
        inverse_h = b.fdiv(self.splat(1.0), h)
        self.put(b, b.fmul(inverse_h, self.splat(1.0 / rodas5p.GAMMA)), d)
        b.call(self.kernels["factor"], [y, k, d, lu, pivot])

        for s in range(rodas5p.STAGES):
            c_over_h = [b.fmul(self.splat(c), inverse_h) for c in rodas5p.C[s]]
            with self.loop(b, n) as i:
                before = [self.get(b, self.element(b, u[j], i)) for j in range(s)]
                if s == 0:
                    start = self.splat(0.0)
                else:
                    start = b.fmul(c_over_h[0], before[0])
                    for c, value in zip(c_over_h[1:], before[1:], strict=True):
                        start = self.fma(b, start, c, value)
                    if s < len(rodas5p.A):
                        stage = self.get(b, self.element(b, y, i))
                        for a, value in zip(rodas5p.A[s], before, strict=True):
                            stage = self.fma(b, stage, self.splat(a), value)
                    else:
                        stage = b.fadd(self.get(b, self.element(b, new, i)), before[-1])
                    self.put(b, stage, self.element(b, new, i))
                self.put(b, start, self.element(b, u[s], i))
            b.call(self.kernels["rates"], [new if s else y, k, u[s]])
            b.call(self.kernels["solve"], [lu, u[s]])
        with self.loop(b, n) as i:
            at = self.element(b, new, i)
            self.put(b, b.fadd(self.get(b, at), self.get(b, self.element(b, u[-1], i))), at)
        b.ret_void()
        return f

    def _error(self, b: ir.IRBuilder, workspace: ir.Value, rtol: ir.Value, atol: ir.Value) -> ir.Value:
        """Mean square of the scaled error over the controlled states."""
        y, new = self.array(b, workspace, "y"), self.array(b, workspace, "new")
        e = self.array(b, workspace, "u", (rodas5p.STAGES - 1) * self.layout.n)
        total = self.splat(0.0)
        for i, controlled in enumerate(self.controlled):
            if controlled:
                before, after, err = (self.get(b, self.element(b, p, i)) for p in (y, new, e))
                size = self.choose_max(b, b.call(self.absolute, [before]), b.call(self.absolute, [after]))
                scaled = b.fdiv(err, self.fma(b, atol, rtol, size))
                total = self.fma(b, total, scaled, scaled)
            else:  # only whether it is a number
                err = self.get(b, self.element(b, e, i))
                total = b.fadd(total, b.fmul(err, self.splat(0.0)))
        return b.fmul(total, self.splat(1.0 / sum(self.controlled)))

    def _tenth_root_inverse(self, b: ir.IRBuilder, x: ir.Value) -> ir.Value:
        """x ** -0.1 for positive finite x: a guess from the exponent bits, then three Newton steps."""
        integers = ir.VectorType(INT, self.w)
        bits = b.sitofp(b.bitcast(x, integers), self.vector)
        guess = b.fsub(self.splat(1.1 * 1023.0 * 2.0**52), b.fmul(self.splat(0.1), bits))
        r = b.bitcast(b.fptosi(guess, integers), self.vector)
        for _ in range(3):
            r2 = b.fmul(r, r)
            r4 = b.fmul(r2, r2)
            r10 = b.fmul(b.fmul(r4, r4), r2)
            r = b.fmul(r, b.fsub(self.splat(1.1), b.fmul(self.splat(0.1), b.fmul(x, r10))))
        return r

    # --- one lane: record, advance to the next output, finish, refill ------------------------------------
    def _settle(self) -> ir.Function:
        """settle(arguments, workspace, lane, code): code -1 continues a lane, 0.. ends it with that status."""
        f = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, INT, INT]), "settle")
        f.linkage, f.attributes = "internal", ir.FunctionAttributes(("noinline",))
        arguments, workspace, slot, code = f.args
        b = ir.IRBuilder(f.append_basic_block("entry"))
        argument = {name: self._argument(b, arguments, i) for i, name in enumerate(ARGUMENTS)}
        state = {
            name: b.gep(self.array(b, workspace, name), [slot], source_etype=DOUBLE)
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
        b.cbranch(b.icmp_signed("<", index, self._integer(b, argument["n_times"])), check, finish)

        b.position_at_end(check)  # is it due?
        at = b.add(b.mul(lane, self._integer(b, argument["time_stride"])), index)
        due = b.load(b.gep(argument["times"], [at], source_etype=DOUBLE), typ=DOUBLE)
        b.cbranch(b.fcmp_ordered("<=", due, b.load(state["t"], typ=DOUBLE)), record, advance)

        b.position_at_end(advance)
        b.store(due, state["next"])
        steps = b.fadd(b.load(state["good"], typ=DOUBLE), b.load(state["bad"], typ=DOUBLE))
        spent = b.fcmp_ordered(">=", steps, self._setting(b, argument["settings"], "most_steps"))
        b.store(b.select(spent, INT(TOO_MANY_STEPS), INT(DONE)), ended)
        b.cbranch(spent, finish, leave)

        b.position_at_end(record)
        n = self.layout.n
        row = b.add(b.mul(lane, self._integer(b, argument["n_times"])), index)
        target = b.gep(argument["out"], [b.mul(row, INT(n))], source_etype=DOUBLE)
        with self.loop(b, n) as i:
            value = b.load(b.gep(state["y"], [b.mul(i, INT(self.w))], source_etype=DOUBLE), typ=DOUBLE)
            b.store(value, b.gep(target, [i], source_etype=DOUBLE))
        b.store(b.add(index, INT(1)), state["index"])
        b.branch(head)

        b.position_at_end(finish)
        lane = b.load(state["lane"], typ=INT)
        b.store(b.load(ended, typ=INT), b.gep(argument["status"], [lane], source_etype=INT))
        for name, source in (("accepted", "good"), ("rejected", "bad"), ("reached", "t")):
            b.store(b.load(state[source], typ=DOUBLE), b.gep(argument[name], [lane], source_etype=DOUBLE))
        b.branch(fetch)

        b.position_at_end(fetch)
        lane = b.atomic_rmw("add", argument["queue"], INT(1), "monotonic")
        b.store(lane, state["lane"])
        for name, value in (("t", 0.0), ("good", 0.0), ("bad", 0.0), ("after", 0.0)):
            b.store(DOUBLE(value), state[name])
        b.store(INT(0), state["index"])
        b.cbranch(b.icmp_signed("<", lane, self._integer(b, argument["lanes"])), load, idle)

        b.position_at_end(load)
        p = b.gep(argument["parameters"], [b.mul(lane, INT(self.layout.parameters))], source_etype=DOUBLE)
        b.call(self.kernels["prepare"], [p, state["k"], state["y"]])
        given = b.icmp_unsigned("!=", self._integer(b, argument["initial"]), INT(0))
        with b.if_then(given):
            start = b.gep(argument["initial"], [b.mul(lane, INT(self.layout.n))], source_etype=DOUBLE)
            with self.loop(b, self.layout.n) as i:
                value = b.load(b.gep(start, [i], source_etype=DOUBLE), typ=DOUBLE)
                b.store(value, b.gep(state["y"], [b.mul(i, INT(self.w))], source_etype=DOUBLE))
        b.store(self._setting(b, argument["settings"], "first_step"), state["h"])
        b.store(DOUBLE(1.0), state["active"])
        b.branch(head)

        b.position_at_end(idle)
        b.store(DOUBLE(0.0), state["active"])
        b.store(DOUBLE(float("inf")), state["next"])
        b.branch(leave)

        b.position_at_end(leave)
        b.ret_void()
        return f

    def _argument(self, b: ir.IRBuilder, arguments: ir.Value, i: int) -> ir.Value:
        return b.load(b.gep(arguments, [INT(i)], source_etype=INT), typ=POINTER)

    def _integer(self, b: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
        return b.ptrtoint(pointer, INT)

    def _setting(self, b: ir.IRBuilder, settings: ir.Value, name: str) -> ir.Value:
        at = b.gep(settings, [INT(SETTINGS.index(name))], source_etype=DOUBLE)
        return b.load(at, typ=DOUBLE)

    # --- the loop ----------------------------------------------------------------------------------------
    def _drive(self) -> None:
        f = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [POINTER]), "drive")
        (arguments,) = f.args
        b = ir.IRBuilder(f.append_basic_block("entry"))
        workspace = self._argument(b, arguments, ARGUMENTS.index("workspace"))
        settings = self._argument(b, arguments, ARGUMENTS.index("settings"))
        rtol, atol, smallest, most, least_pivot = (
            self.broadcast(b, self._setting(b, settings, name))
            for name in ("rtol", "atol", "smallest_step", "most_steps", "smallest_pivot")
        )
        at = {name: self.array(b, workspace, name) for name in ("t", "h", "next", "good", "bad", "after", "active")}
        lanes = self.array(b, workspace, "lane")
        with self.loop(b, self.w) as slot:
            b.store(INT(-1), b.gep(lanes, [slot], source_etype=INT))
            b.call(self.settle, [arguments, workspace, slot, INT(DONE)])
        again, leave = f.append_basic_block("again"), f.append_basic_block("leave")
        advance, settle_all = f.append_basic_block("advance"), f.append_basic_block("settle_all")
        b.branch(again)

        b.position_at_end(again)
        active = b.fcmp_ordered("!=", self.get(b, at["active"]), self.splat(0.0))
        b.cbranch(self._any(b, active), advance, leave)

        b.position_at_end(advance)
        t, h, due = (self.get(b, at[name]) for name in ("t", "h", "next"))
        left = b.fsub(due, t)
        lands = b.fcmp_ordered("<=", left, h)
        halves = b.fcmp_ordered("<", left, b.fmul(h, self.splat(2.0)))
        step = b.select(lands, left, b.select(halves, b.fmul(left, self.splat(0.5)), h))
        b.call(self.step, [workspace, step])
        error = self._error(b, workspace, rtol, atol)
        broken = b.fcmp_unordered(">", error, self.splat(1e300))
        good = b.fcmp_ordered("<=", error, self.splat(1.0))
        bounded = self.choose_min(b, self.choose_max(b, error, self.splat(1e-30)), self.splat(1e30))
        factor = b.fmul(self.splat(SAFETY), self._tenth_root_inverse(b, bounded))
        factor = self.choose_max(b, self.choose_min(b, factor, self.splat(GROW)), self.splat(SHRINK))
        after_rejection = b.fcmp_ordered("!=", self.get(b, at["after"]), self.splat(0.0))
        factor = b.select(after_rejection, self.choose_min(b, factor, self.splat(1.0)), factor)
        factor = b.select(broken, self.splat(AFTER_NAN), factor)
        following = b.fmul(step, factor)
        following = b.select(b.and_(good, b.fcmp_ordered("<", step, h)), self.choose_max(b, following, h), following)
        one, zero = self.splat(1.0), self.splat(0.0)
        count_good = b.fadd(self.get(b, at["good"]), b.select(good, one, zero))
        count_bad = b.fadd(self.get(b, at["bad"]), b.select(good, zero, one))
        self.put(b, b.select(good, b.select(lands, due, b.fadd(t, step)), t), at["t"])
        self.put(b, following, at["h"])
        self.put(b, count_good, at["good"])
        self.put(b, count_bad, at["bad"])
        self.put(b, b.select(good, zero, one), at["after"])
        y, new = self.array(b, workspace, "y"), self.array(b, workspace, "new")
        with self.loop(b, self.layout.n) as i:
            old = self.element(b, y, i)
            self.put(b, b.select(good, self.get(b, self.element(b, new, i)), self.get(b, old)), old)

        landed = b.and_(good, lands)
        pivotless = b.fcmp_ordered("<", self.get(b, self.array(b, workspace, "pivot")), least_pivot)
        too_many = b.fcmp_ordered(">=", b.fadd(count_good, count_bad), most)
        too_small = b.fcmp_ordered("<", following, smallest)
        failed = b.or_(pivotless, b.or_(too_many, too_small))
        event = b.and_(active, b.or_(landed, failed))
        b.cbranch(self._any(b, event), settle_all, again)

        b.position_at_end(settle_all)
        flags = [self._bits(b, m) for m in (event, landed, pivotless, too_many)]
        with self.loop(b, self.w) as slot:
            is_event, is_landed, is_pivotless, is_many = (
                b.trunc(b.lshr(m, b.trunc(slot, m.type) if m.type != INT else slot), BOOL) for m in flags
            )
            code = b.select(is_many, INT(TOO_MANY_STEPS), INT(STEP_TOO_SMALL))
            code = b.select(is_landed, INT(-1), code)
            code = b.select(is_pivotless, INT(BAD_PIVOT), code)
            with b.if_then(is_event):
                b.call(self.settle, [arguments, workspace, slot, code])
        b.branch(again)

        b.position_at_end(leave)
        b.ret_void()

    def _bits(self, b: ir.IRBuilder, mask: ir.Value) -> ir.Value:
        bits = b.bitcast(mask, ir.IntType(self.w))
        return b.zext(bits, INT)

    def _any(self, b: ir.IRBuilder, mask: ir.Value) -> ir.Value:
        return b.icmp_unsigned("!=", self._bits(b, mask), INT(0))
