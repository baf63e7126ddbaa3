"""Straight-line programs: the common form in which equations reach every back end.

A `Tape` is a list of two-operand operations on numbered values. Values are hash-consed, so that what is
written twice is computed once. Names of inputs are (array, index) pairs, e.g. ("y", 3) or ("k", 0).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from il2.network.expression import Expr

Key = tuple


@dataclass
class Tape:
    """Operations (op, a, b); op is const, load, add, sub, mul, div, neg, pow, exp or log."""

    ops: list[Key] = field(default_factory=list)
    known: dict[Key, int] = field(default_factory=dict)

    def emit(self, *key) -> int:
        if key not in self.known:
            self.known[key] = len(self.ops)
            self.ops.append(key)
        return self.known[key]

    def const(self, value: float) -> int:
        return self.emit("const", float(value))

    def load(self, array: str, index: int) -> int:
        return self.emit("load", array, index)

    def value(self, v: int) -> float | None:
        op = self.ops[v]
        return op[1] if op[0] == "const" else None

    def add(self, a: int, b: int) -> int:
        if self.value(a) == 0.0:
            return b
        if self.value(b) == 0.0:
            return a
        if self.ops[b][0] == "neg":
            return self.sub(a, self.ops[b][1])
        if self.ops[a][0] == "neg":
            return self.sub(b, self.ops[a][1])
        return self.emit("add", min(a, b), max(a, b))

    def sub(self, a: int, b: int) -> int:
        if self.value(b) == 0.0:
            return a
        if self.value(a) == 0.0:
            return self.neg(b)
        return self.emit("sub", a, b)

    def mul(self, a: int, b: int) -> int:
        for x, y in ((a, b), (b, a)):
            if self.value(x) == 1.0:
                return y
            if self.value(x) == -1.0:
                return self.neg(y)
            if self.value(x) == 0.0:
                return x
        return self.emit("mul", min(a, b), max(a, b))

    def div(self, a: int, b: int) -> int:
        return a if self.value(b) == 1.0 else self.emit("div", a, b)

    def neg(self, a: int) -> int:
        return self.ops[a][1] if self.ops[a][0] == "neg" else self.emit("neg", a)

    def expression(self, expr: Expr, names: dict[str, int]) -> int:
        """Append an expression; `names` maps symbols to value numbers."""
        if expr.kind == "num":
            return self.const(expr.args[0])
        if expr.kind == "sym":
            return names[expr.args[0]]
        if expr.kind == "add":
            total = self.const(0.0)
            for part in expr.args:
                total = self.add(total, self.expression(part, names))
            return total
        if expr.kind == "mul":
            return self._product(expr, names)
        if expr.kind == "pow":
            return self._power(self.expression(expr.args[0], names), expr.args[1])
        return self.emit(expr.kind, self.expression(expr.args[0], names))

    def _product(self, expr: Expr, names: dict[str, int]) -> int:
        top, bottom = self.const(1.0), self.const(1.0)
        for part in expr.args:
            if part.kind == "pow" and part.args[1] < 0:
                bottom = self.mul(bottom, self._power(self.expression(part.args[0], names), -part.args[1]))
            else:
                top = self.mul(top, self.expression(part, names))
        return self.div(top, bottom)

    def _power(self, base: int, exponent: float) -> int:
        if exponent < 0:
            return self.div(self.const(1.0), self._power(base, -exponent))
        if not exponent.is_integer():
            return self.emit("pow", base, self.const(exponent))
        result, square, n = self.const(1.0), base, int(exponent)
        while n:
            if n & 1:
                result = self.mul(result, square)
            n >>= 1
            square = self.mul(square, square) if n else square
        return result
