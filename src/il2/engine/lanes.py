"""Values of W lanes in LLVM IR: the workspace layout, and the few operations that the driver is written in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llvmlite import ir

from il2.engine import rodas5p

DOUBLE, INT, BOOL = ir.DoubleType(), ir.IntType(64), ir.IntType(1)
POINTER = ir.PointerType()


def pointer_at(b: ir.IRBuilder, arguments: ir.Value, i: int) -> ir.Value:
    """Slot i of the arguments of a driver, as a pointer."""
    return b.load(b.gep(arguments, [INT(i)], source_etype=INT), typ=POINTER)


def integer(b: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
    """A slot that holds a count."""
    return b.ptrtoint(pointer, INT)


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


class Lanes:
    """A module under construction, its vector type, and the kernels that it calls: name to number of arrays."""

    def __init__(self, layout: Layout, controlled: tuple[bool, ...], kernels: dict[str, int]) -> None:
        self.layout, self.controlled, self.w = layout, controlled, layout.width
        self.module = ir.Module("il2_driver")
        self.vector = ir.VectorType(DOUBLE, self.w)
        self.kernels = {
            name: ir.Function(self.module, ir.FunctionType(ir.VoidType(), [POINTER] * count), name)
            for name, count in kernels.items()
        }
        one = ir.FunctionType(self.vector, [self.vector])
        self.absolute = ir.Function(self.module, one, f"llvm.fabs.v{self.w}f64")

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

    def settling(self, names: tuple[str, ...]) -> tuple[ir.Function, ir.IRBuilder, dict[str, ir.Value]]:
        """Begin `settle(arguments, workspace, slot, code)`: the function, its builder, and the arguments by name."""
        f = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, INT, INT]), "settle")
        f.linkage, f.attributes = "internal", ir.FunctionAttributes(("noinline",))
        b = ir.IRBuilder(f.append_basic_block("entry"))
        return f, b, {name: pointer_at(b, f.args[0], i) for i, name in enumerate(names)}

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
