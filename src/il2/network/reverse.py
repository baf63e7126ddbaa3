"""Reverse differentiation of tapes: from how much outputs matter to how much every value matters."""

from __future__ import annotations

from collections.abc import Mapping

from il2.errors import ModelError
from il2.network.tape import Tape


def copied(tape: Tape) -> Tape:
    """A tape that can be written on without changing the first; value numbers stay."""
    return Tape(list(tape.ops), dict(tape.known))


def reverse(tape: Tape, seeds: Mapping[int, int]) -> dict[int, int]:
    """Write the adjoints of values onto `tape`: value number to the number of its adjoint.

    seeds: value number of an output to the value number of what it is multiplied with; the adjoint of a value x is the
    derivative of the sum of output times seed with respect to x. Values that do not matter have none.
    """
    adjoint = dict(seeds)

    def send(v: int, value: int) -> None:
        adjoint[v] = tape.add(adjoint[v], value) if v in adjoint else value

    for v in range(max(seeds, default=-1), -1, -1):
        if v not in adjoint:
            continue
        g, (op, *args) = adjoint[v], tape.ops[v]
        if op in ("const", "load"):
            continue
        a = args[0]
        if op == "add":
            send(a, g)
            send(args[1], g)
        elif op == "sub":
            send(a, g)
            send(args[1], tape.neg(g))
        elif op == "mul":
            send(a, tape.mul(g, args[1]))
            send(args[1], tape.mul(g, a))
        elif op == "div":
            share = tape.div(g, args[1])
            send(a, share)
            send(args[1], tape.neg(tape.mul(share, v)))
        elif op == "neg":
            send(a, tape.neg(g))
        elif op == "exp":
            send(a, tape.mul(g, v))
        elif op == "log":
            send(a, tape.div(g, a))
        elif op == "pow":
            send(a, _power(tape, g, a, args[1]))
        else:
            raise ModelError(f"the operation {op!r} has no derivative")
    return adjoint


def _power(tape: Tape, g: int, base: int, exponent: int) -> int:
    n = tape.value(exponent)
    if n is None:
        raise ModelError("a power needs a constant exponent")
    return tape.mul(g, tape.mul(tape.const(n), tape.emit("pow", base, tape.const(n - 1.0))))


def gradient(tape: Tape, seeds: Mapping[int, int], array: str, size: int) -> tuple[int, ...]:
    """Adjoints of the inputs `array[0]` to `array[size - 1]`, written onto the tape; zero where they do not matter."""
    adjoint = reverse(tape, seeds)
    zero = tape.const(0.0)
    return tuple(adjoint.get(tape.load(array, i), zero) for i in range(size))
