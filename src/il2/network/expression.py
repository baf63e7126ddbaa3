"""Algebraic expressions of rate laws: built with Python operators, differentiated exactly.

Six node kinds are enough for mass action and general rate laws: numbers, symbols, sums, products,
powers with a constant exponent, and the functions exp and log. Differences and quotients are written
as sums and powers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Union

from il2.errors import ModelError

Number = Union["Expr", float, int]


@dataclass(frozen=True)
class Expr:
    """One node: `kind` is num, sym, add, mul, pow, exp or log; `args` are numbers, names or nodes."""

    kind: str
    args: tuple

    @cached_property
    def names(self) -> frozenset[str]:
        """All names in the expression."""
        if self.kind == "sym":
            return frozenset((self.args[0],))
        return frozenset().union(*(c.names for c in children(self)))

    @cached_property
    def _hash(self) -> int:
        return hash((self.kind, self.args))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple:
        return Expr, (self.kind, self.args)  # hashes of names differ between processes

    def __add__(self, other: Number) -> Expr:
        return add(self, as_expr(other))

    def __radd__(self, other: Number) -> Expr:
        return add(as_expr(other), self)

    def __sub__(self, other: Number) -> Expr:
        return add(self, mul(num(-1.0), as_expr(other)))

    def __rsub__(self, other: Number) -> Expr:
        return add(as_expr(other), mul(num(-1.0), self))

    def __mul__(self, other: Number) -> Expr:
        return mul(self, as_expr(other))

    def __rmul__(self, other: Number) -> Expr:
        return mul(as_expr(other), self)

    def __truediv__(self, other: Number) -> Expr:
        return mul(self, power(as_expr(other), -1.0))

    def __rtruediv__(self, other: Number) -> Expr:
        return mul(as_expr(other), power(self, -1.0))

    def __pow__(self, exponent: float) -> Expr:
        return power(self, float(exponent))

    def __neg__(self) -> Expr:
        return mul(num(-1.0), self)

    def __str__(self) -> str:
        return show(self)


def num(value: float) -> Expr:
    return Expr("num", (float(value),))


def sym(name: str) -> Expr:
    return Expr("sym", (name,))


def as_expr(value: Number | str) -> Expr:
    """Turn a number or a name into an expression; expressions pass through."""
    if isinstance(value, Expr):
        return value
    return sym(value) if isinstance(value, str) else num(value)


def add(*terms: Expr) -> Expr:
    """Sum with nested sums flattened, constants folded and zeros dropped."""
    flat, constant = [], 0.0
    for term in terms:
        for part in term.args if term.kind == "add" else (term,):
            if part.kind == "num":
                constant += part.args[0]
            else:
                flat.append(part)
    if constant != 0.0 or not flat:
        flat.append(num(constant))
    return flat[0] if len(flat) == 1 else Expr("add", tuple(flat))


def mul(*factors: Expr) -> Expr:
    """Product with nested products flattened, constants folded, ones dropped and zero absorbing."""
    flat, constant = [], 1.0
    for factor in factors:
        for part in factor.args if factor.kind == "mul" else (factor,):
            if part.kind == "num":
                constant *= part.args[0]
            else:
                flat.append(part)
    if constant == 0.0:
        return num(0.0)
    if constant != 1.0 or not flat:
        flat.insert(0, num(constant))
    return flat[0] if len(flat) == 1 else Expr("mul", tuple(flat))


def power(base: Expr, exponent: float) -> Expr:
    if exponent == 0.0:
        return num(1.0)
    if exponent == 1.0:
        return base
    if base.kind == "num":
        if base.args[0] < 0 and not float(exponent).is_integer():
            raise ModelError(f"{base.args[0]:g} to the power {exponent:g} is not a real number")
        return num(base.args[0] ** exponent)
    if base.kind == "pow" and float(exponent).is_integer():
        return power(base.args[0], base.args[1] * exponent)
    return Expr("pow", (base, float(exponent)))


def exp(value: Number) -> Expr:
    return Expr("exp", (as_expr(value),))


def log(value: Number) -> Expr:
    return Expr("log", (as_expr(value),))


def product(items: list[Expr]) -> Expr:
    return mul(num(1.0), *items)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The sub-expressions of a node."""
    return tuple(a for a in expr.args if isinstance(a, Expr))


def symbols(expr: Expr) -> frozenset[str]:
    """All names in the expression."""
    return expr.names


def substitute(expr: Expr, table: Mapping[str, Expr]) -> Expr:
    """Replace names by expressions."""
    if expr.kind == "sym":
        return table.get(expr.args[0], expr)
    return _rebuild(expr, lambda c: substitute(c, table))


def _rebuild(expr: Expr, f: Callable[[Expr], Expr]) -> Expr:
    if expr.kind == "add":
        return add(*(f(c) for c in expr.args))
    if expr.kind == "mul":
        return mul(*(f(c) for c in expr.args))
    if expr.kind == "pow":
        return power(f(expr.args[0]), expr.args[1])
    if expr.kind in ("exp", "log"):
        return Expr(expr.kind, (f(expr.args[0]),))
    return expr


def diff(expr: Expr, name: str) -> Expr:
    """Exact derivative with respect to a name."""
    if name not in expr.names:
        return num(0.0)
    if expr.kind == "sym":
        return num(1.0)
    if expr.kind == "add":
        return add(num(0.0), *(diff(c, name) for c in expr.args))
    if expr.kind == "mul":
        terms = [mul(*(diff(g, name) if i == j else g for j, g in enumerate(expr.args))) for i in range(len(expr.args))]
        return add(num(0.0), *terms)
    inner = expr.args[0]
    if expr.kind == "pow":
        exponent = expr.args[1]
        return mul(num(exponent), power(inner, exponent - 1.0), diff(inner, name))
    if expr.kind == "exp":
        return mul(expr, diff(inner, name))
    return mul(power(inner, -1.0), diff(inner, name))


def evaluate(expr: Expr, values: Mapping[str, float]):
    """Numerical value (floats or NumPy arrays) of the expression for named values."""
    if expr.kind == "num":
        return expr.args[0]
    if expr.kind == "sym":
        return values[expr.args[0]]
    if expr.kind == "add":
        return sum(evaluate(c, values) for c in expr.args)
    if expr.kind == "mul":
        out = 1.0
        for c in expr.args:
            out = out * evaluate(c, values)
        return out
    inner = evaluate(expr.args[0], values)
    if expr.kind == "pow":
        return inner ** expr.args[1]
    if isinstance(inner, (int, float)):
        return math.exp(inner) if expr.kind == "exp" else math.log(inner)
    import numpy as np

    return np.exp(inner) if expr.kind == "exp" else np.log(inner)


def show(expr: Expr) -> str:
    """Readable infix text."""
    if expr.kind == "num":
        return f"{expr.args[0]:.10g}"
    if expr.kind == "sym":
        return str(expr.args[0])
    if expr.kind == "add":
        text = " + ".join(show(c) for c in expr.args)
        return text.replace("+ -1*", "- ").replace("+ -", "- ")
    if expr.kind == "mul":
        above = [c for c in expr.args if not (c.kind == "pow" and c.args[1] < 0)]
        below = [power(c.args[0], -c.args[1]) for c in expr.args if c.kind == "pow" and c.args[1] < 0]
        text = "*".join(_factor(c) for c in above) or "1"
        return text + "".join("/" + _factor(c) for c in below)
    if expr.kind == "pow":
        if expr.args[1] < 0:
            return "1/" + _factor(power(expr.args[0], -expr.args[1]))
        return f"{_base(expr.args[0])}^{expr.args[1]:.10g}"
    return f"{expr.kind}({show(expr.args[0])})"


def _base(expr: Expr) -> str:
    return f"({show(expr)})" if expr.kind == "pow" else _factor(expr)


def _factor(expr: Expr) -> str:
    return f"({show(expr)})" if expr.kind in ("add", "mul") else show(expr)
