"""Factorisation and solves of a sparse matrix as loops over index tables, in LLVM IR on W lanes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from llvmlite import ir

from il2.engine.lanes import INT, POINTER, Lanes, Layout

SHORT = ir.IntType(32)


@dataclass(frozen=True)
class Pattern:
    """Rows of the factors in the order of elimination, as compressed rows.

    order: state of each row. left: ranks of the columns of L; upper: states of the columns of U; both without
    the diagonal and rising in rank. entries: the matrix by rows, as (row state, column state).
    """

    order: np.ndarray
    left_start: np.ndarray
    left: np.ndarray
    upper_start: np.ndarray
    upper: np.ndarray
    entry_start: np.ndarray
    entries: tuple[tuple[int, int], ...]

    @property
    def stored(self) -> int:
        """Numbers that the array `lu` holds."""
        return len(self.left) + len(self.upper) + 2 * len(self.order) + len(self.entries)


class Loops:
    """The module of `factor` and `solve`."""

    def __init__(self, layout: Layout, found: Pattern) -> None:
        self.lanes, self.found, self.n = Lanes(layout, (), {"factor": 5, "solve": 2}), found, layout.n
        self.lanes.module.name = "il2_loops"
        self.left, self.upper = 0, len(found.left)
        self.inverse = self.upper + len(found.upper)
        self.row = self.inverse + self.n
        self.matrix = self.row + self.n
        self.tables = {
            "order": self._table("order", found.order),
            "left_start": self._table("left_start", found.left_start),
            "left": self._table("left", found.left),
            "left_state": self._table("left_state", found.order[found.left]),
            "upper_start": self._table("upper_start", found.upper_start),
            "upper": self._table("upper", found.upper),
            "entry_start": self._table("entry_start", found.entry_start),
            "entry": self._table("entry", np.array([j for _, j in found.entries], dtype=np.int32)),
        }

    def _table(self, name: str, values: np.ndarray) -> ir.GlobalVariable:
        data = bytearray(np.append(values, 0).astype(np.int32).tobytes())  # never empty
        kind = ir.ArrayType(ir.IntType(8), len(data))
        table = ir.GlobalVariable(self.lanes.module, kind, f"table_{name}")
        table.initializer, table.global_constant = ir.Constant(kind, data), True
        table.linkage, table.align = "internal", 64
        return table

    def at(self, b: ir.IRBuilder, name: str, i: ir.Value) -> ir.Value:
        """Entry i of a table."""
        return b.zext(b.load(b.gep(self.tables[name], [i], source_etype=SHORT), typ=SHORT, align=4), INT)

    def part(self, b: ir.IRBuilder, lu: ir.Value, start: int) -> ir.Value:
        return self.lanes.element(b, lu, start)

    def bounds(self, b: ir.IRBuilder, name: str, r: ir.Value) -> tuple[ir.Value, ir.Value]:
        return self.at(b, f"{name}_start", r), self.at(b, f"{name}_start", b.add(r, INT(1)))

    @contextmanager
    def span(self, b: ir.IRBuilder, start: ir.Value, stop: ir.Value, stride: int = 1) -> Iterator[ir.Value]:
        """`i = start; while i + stride <= stop: ...; i += stride`; leaves the builder behind the loop."""
        before = b.block
        head, body, after = (b.append_basic_block(name) for name in ("head", "body", "after"))
        b.branch(head)
        b.position_at_end(head)
        i = b.phi(INT)
        i.add_incoming(start, before)
        following = b.add(i, INT(stride))
        b.cbranch(b.icmp_signed("<=", following, stop), body, after)
        b.position_at_end(body)
        yield i
        i.add_incoming(following, b.block)
        b.branch(head)
        b.position_at_end(after)

    def define(self, name: str) -> tuple[ir.Function, ir.IRBuilder]:
        f = self.lanes.kernels[name]
        f.attributes.add("noinline")
        for argument in f.args:
            argument.add_attribute("noalias")
        return f, ir.IRBuilder(f.append_basic_block("entry"))

    def minus(self, b: ir.IRBuilder, total: ir.Value, x: ir.Value, y: ir.Value) -> ir.Value:
        flags = ("contract",)
        return b.fsub(total, b.fmul(x, y, flags=flags), flags=flags)

    def factor(self) -> None:
        """factor(y, k, d, lu, pivot): row by row; a row is worked on in a full vector of the states."""
        lanes = self.lanes
        f, b = self.define("factor")
        y, k, d, lu, pivot = f.args
        matrix = ir.Function(lanes.module, ir.FunctionType(ir.VoidType(), [POINTER] * 4), "matrix")
        left, upper, inverse, row, entries = (
            self.part(b, lu, at) for at in (self.left, self.upper, self.inverse, self.row, self.matrix)
        )
        b.call(matrix, [y, k, d, entries])
        zero = lanes.splat(0.0)
        lanes.put(b, lanes.splat(float("inf")), pivot)
        with self.span(b, INT(0), INT(self.n)) as r:
            own = lanes.element(b, row, self.at(b, "order", r))
            left_of, upper_of, entries_of = (self.bounds(b, name, r) for name in ("left", "upper", "entry"))
            for name, (start, stop) in (("left_state", left_of), ("upper", upper_of)):
                with self.span(b, start, stop) as e:
                    lanes.put(b, zero, lanes.element(b, row, self.at(b, name, e)))
            with self.span(b, *entries_of) as e:
                lanes.put(b, lanes.get(b, lanes.element(b, entries, e)), lanes.element(b, row, self.at(b, "entry", e)))
            with self.span(b, *left_of) as e:
                q = self.at(b, "left", e)
                value = lanes.get(b, lanes.element(b, row, self.at(b, "left_state", e)))
                value = b.fmul(value, lanes.get(b, lanes.element(b, inverse, q)))
                lanes.put(b, value, lanes.element(b, left, e))
                with self.span(b, *self.bounds(b, "upper", q)) as g:
                    at = lanes.element(b, row, self.at(b, "upper", g))
                    changed = self.minus(b, lanes.get(b, at), value, lanes.get(b, lanes.element(b, upper, g)))
                    lanes.put(b, changed, at)
            with self.span(b, *upper_of) as e:
                value = lanes.get(b, lanes.element(b, row, self.at(b, "upper", e)))
                lanes.put(b, value, lanes.element(b, upper, e))
            value = lanes.get(b, own)
            lanes.put(b, b.fdiv(lanes.splat(1.0), value), lanes.element(b, inverse, r))
            size = b.call(lanes.absolute, [value])
            least = lanes.get(b, pivot)
            lanes.put(b, b.select(b.fcmp_ordered("<", least, size), least, size), pivot)
        lanes.put(b, b.fdiv(lanes.get(b, pivot), lanes.get(b, d)), pivot)
        b.ret_void()

    def solve(self) -> None:
        """solve(lu, x): x becomes the solution."""
        lanes = self.lanes
        f, b = self.define("solve")
        lu, x = f.args
        left, upper, inverse = (self.part(b, lu, at) for at in (self.left, self.upper, self.inverse))
        sums = [b.alloca(lanes.vector) for _ in range(4)]
        with self.span(b, INT(0), INT(self.n)) as r:
            own = lanes.element(b, x, self.at(b, "order", r))
            lanes.put(b, self.remainder(b, own, left, x, "left_state", self.bounds(b, "left", r), sums), own)
        with self.span(b, INT(0), INT(self.n)) as i:
            r = b.sub(INT(self.n - 1), i)
            own = lanes.element(b, x, self.at(b, "order", r))
            value = self.remainder(b, own, upper, x, "upper", self.bounds(b, "upper", r), sums)
            lanes.put(b, b.fmul(value, lanes.get(b, lanes.element(b, inverse, r))), own)
        b.ret_void()

    def remainder(self, b, own, numbers, x, table: str, bounds, sums: list) -> ir.Value:
        """What is at `own` minus the products of a row with x: four sums at a time, which shortens the chain."""
        lanes = self.lanes
        start, stop = bounds

        def subtract(e: ir.Value, total: ir.Value) -> None:
            known = lanes.get(b, lanes.element(b, x, self.at(b, table, e)))
            b.store(self.minus(b, b.load(total, typ=lanes.vector), lanes.get(b, lanes.element(b, numbers, e)), known),
                    total)  # fmt: skip

        b.store(lanes.get(b, own), sums[0])
        for total in sums[1:]:
            b.store(lanes.splat(0.0), total)
        whole = b.add(start, b.and_(b.sub(stop, start), INT(-4)))
        with self.span(b, start, whole, 4) as e:
            for i, total in enumerate(sums):
                subtract(b.add(e, INT(i)), total)
        with self.span(b, whole, stop) as e:
            subtract(e, sums[0])
        one, two, three, four = (b.load(total, typ=lanes.vector) for total in sums)
        return b.fadd(b.fadd(one, two), b.fadd(three, four))
