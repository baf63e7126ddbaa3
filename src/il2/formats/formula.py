"""Formulas of SBML and of PEtab as expressions: arithmetic, powers, exponentials and logarithms.

An expression has no branches. A `piecewise` is read where its conditions are settled by numbers that never change, and
refused elsewhere. A power has a constant exponent; one that changes is written as an exponential of a logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from il2.errors import Il2Error
from il2.network.expression import Expr, add, evaluate, exp, log, mul, num, power, symbols

Meaning = Callable[[str], Expr]
Fixed = Mapping[str, float]


def of_sbml(node: Any, meaning: Meaning, fixed: Fixed, where: str) -> Expr:
    """A libSBML tree as an expression.

    meaning: what a name stands for; `time` is asked for by that name. fixed: values of names that never change, which
    settle exponents and conditions. Raises `Il2Error`, which names `where`, for what an expression cannot hold.
    """
    return _valued(lambda: _Sbml(meaning, fixed, where).read(node), where)


def of_sympy(formula: Any, meaning: Meaning, fixed: Fixed, where: str) -> Expr:
    """A SymPy formula as an expression; arguments and errors as for `of_sbml`."""

    def read(part: Any) -> Expr:
        if part.is_number:
            value = complex(part)
            if value.imag or not math.isfinite(value.real):
                raise Il2Error(f"{part} is not a real number", where=where)
            return num(value.real)
        if part.is_Symbol:
            return meaning(part.name)
        if part.is_Add:
            return add(*(read(c) for c in part.args))
        if part.is_Mul:
            return mul(*(read(c) for c in part.args))
        kind = type(part).__name__
        if kind == "exp":
            return exp(read(part.args[0]))
        if kind == "log":
            return log(read(part.args[0]))
        if part.is_Pow:
            return raised(read(part.base), read(part.exp), fixed)
        raise _refused(kind, where)

    return _valued(lambda: read(formula), where)


def _valued(read: Callable[[], Expr], where: str) -> Expr:
    """What is read, where its numbers alone are not out of bounds."""
    try:
        return read()
    except (ArithmeticError, TypeError, ValueError) as error:
        raise Il2Error("a formula has no value", where=where, why=str(error)) from error


def raised(base: Expr, exponent: Expr, fixed: Fixed) -> Expr:
    """A power; an exponent that never changes becomes a number."""
    value = settled(exponent, fixed)
    return exp(exponent * log(base)) if value is None else power(base, value)


def settled(expr: Expr, fixed: Fixed) -> float | None:
    """The value of an expression of numbers that never change, else None."""
    return float(evaluate(expr, fixed)) if symbols(expr) <= fixed.keys() else None


def _refused(kind: str, where: str) -> Il2Error:
    why = "a model here is made of arithmetic, powers, exponentials and logarithms"
    return Il2Error(f"{kind} cannot be read", where=where, why=why)


class _Sbml:
    """Reads one tree; `where` is named in errors."""

    def __init__(self, meaning: Meaning, fixed: Fixed, where: str) -> None:
        import libsbml

        self.lib, self.meaning, self.fixed, self.where = libsbml, meaning, fixed, where

    def read(self, node: Any) -> Expr:
        lib, kind = self.lib, node.getType()
        parts = [node.getChild(i) for i in range(node.getNumChildren())]
        if kind == lib.AST_NAME:
            return self.meaning(node.getName())
        if kind == lib.AST_NAME_TIME:
            return self.meaning("time")
        if node.isNumber() or kind == lib.AST_NAME_AVOGADRO:
            return num(node.getValue())
        if kind in (lib.AST_CONSTANT_E, lib.AST_CONSTANT_PI):
            return num(math.e if kind == lib.AST_CONSTANT_E else math.pi)
        if kind == lib.AST_PLUS:
            return add(num(0.0), *map(self.read, parts))
        if kind == lib.AST_TIMES:
            return mul(num(1.0), *map(self.read, parts))
        if kind == lib.AST_MINUS:
            return -self.read(parts[0]) if len(parts) == 1 else self.read(parts[0]) - self.read(parts[1])
        if kind == lib.AST_DIVIDE:
            return self.read(parts[0]) / self.read(parts[1])
        if kind in (lib.AST_POWER, lib.AST_FUNCTION_POWER):
            return raised(self.read(parts[0]), self.read(parts[1]), self.fixed)
        if kind == lib.AST_FUNCTION_PIECEWISE:
            return self.piecewise(parts)
        return self.function(node, kind, parts)

    def function(self, node: Any, kind: int, parts: list[Any]) -> Expr:
        lib = self.lib
        if kind == lib.AST_FUNCTION_EXP:
            return exp(self.read(parts[0]))
        if kind == lib.AST_FUNCTION_LN:
            return log(self.read(parts[0]))
        if kind == lib.AST_FUNCTION_LOG:
            base = self.read(parts[0]) if len(parts) == 2 else num(10.0)
            return log(self.read(parts[-1])) / log(base)
        if kind == lib.AST_FUNCTION_ROOT:
            degree = self.read(parts[0]) if len(parts) == 2 else num(2.0)
            return raised(self.read(parts[-1]), 1 / degree, self.fixed)
        if kind == lib.AST_FUNCTION_TANH:
            grown = exp(2 * self.read(parts[0]))
            return (grown - 1) / (grown + 1)
        raise _refused(node.getName() or self.lib.formulaToL3String(node), self.where)

    def piecewise(self, parts: list[Any]) -> Expr:
        for value, condition in zip(parts[::2], parts[1::2], strict=False):
            if self.truth(condition):
                return self.read(value)
        if len(parts) % 2:
            return self.read(parts[-1])
        raise Il2Error("a piecewise has no value", where=self.where)

    def truth(self, node: Any) -> bool:
        lib, kind = self.lib, node.getType()
        parts = [node.getChild(i) for i in range(node.getNumChildren())]
        if kind in (lib.AST_CONSTANT_TRUE, lib.AST_CONSTANT_FALSE):
            return bool(kind == lib.AST_CONSTANT_TRUE)
        if kind == lib.AST_LOGICAL_NOT:
            return not self.truth(parts[0])
        if kind in (lib.AST_LOGICAL_AND, lib.AST_LOGICAL_OR):
            return (all if kind == lib.AST_LOGICAL_AND else any)([self.truth(p) for p in parts])
        compared = {
            lib.AST_RELATIONAL_LT: float.__lt__, lib.AST_RELATIONAL_LEQ: float.__le__,
            lib.AST_RELATIONAL_GT: float.__gt__, lib.AST_RELATIONAL_GEQ: float.__ge__,
            lib.AST_RELATIONAL_EQ: float.__eq__, lib.AST_RELATIONAL_NEQ: float.__ne__,
        }  # fmt: skip
        sides = [settled(self.read(p), self.fixed) for p in parts] if kind in compared else [None]
        values = [side for side in sides if side is not None]
        if len(values) < len(sides):
            raise Il2Error(
                "a piecewise depends on what changes", where=self.where, why=lib.formulaToL3String(node),
                how="Write it as a smooth function, or give its conditions fixed numbers.",
            )  # fmt: skip
        return all(compared[kind](a, b) for a, b in pairwise(values))
