"""Tapes read a second time: as Python source for the peers, and as counts of floating-point operations."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable

from il2.engine.kernel import operands
from il2.network.program import Program
from il2.network.tape import Tape

FORMS = {
    "add": "v{} + v{}",
    "sub": "v{} - v{}",
    "mul": "v{} * v{}",
    "div": "v{} / v{}",
    "neg": "-v{}",
    "pow": "v{} ** v{}",
    "exp": "exp(v{})",
    "log": "log(v{})",
}
COUNTED = ("add", "mul", "div")


def needed(tape: Tape, outputs: Iterable[int]) -> list[int]:
    """Values that the outputs depend on, in the order of the tape."""
    found: set[int] = set()
    stack = list(outputs)
    while stack:
        v = stack.pop()
        if v not in found:
            found.add(v)
            stack.extend(operands(tape.ops[v]))
    return sorted(found)


def operations(tape: Tape, outputs: Iterable[int]) -> Counter:
    """Additions (with subtractions), multiplications and divisions of one evaluation; signs are free."""
    kinds = Counter(tape.ops[v][0] for v in needed(tape, outputs))
    kinds["add"] += kinds["sub"]
    return Counter({kind: kinds[kind] for kind in COUNTED})


def rates_function(program: Program) -> Callable:
    """rates(t, y, out, k): plain Python for a compiler, writes dy/dt into `out`."""
    stores = {f"out[{i}]": v for i, v in enumerate(program.derivative)}
    return _function("rates", "t, y, out, k", program.rates, stores)


def jacobian_function(program: Program) -> Callable:
    """jacobian(t, y, out, k): writes the entries of the pattern into the matrix `out`, which starts at zero."""
    stores = {f"out[{i}, {j}]": v for (i, j), v in program.jacobian.items()}
    return _function("jacobian", "t, y, out, k", program.rates, stores)


def _function(name: str, arguments: str, tape: Tape, stores: dict[str, int]) -> Callable:
    lines = [f"    v{v} = {_text(tape.ops[v])}" for v in needed(tape, stores.values())]
    lines += [f"    {place} = v{v}" for place, v in stores.items()]
    found: dict = {"exp": math.exp, "log": math.log}
    exec(f"def {name}({arguments}):\n" + "\n".join(lines), found)
    return found[name]


def _text(op: tuple) -> str:
    if op[0] == "const":
        return repr(op[1])
    if op[0] == "load":
        return f"{op[1]}[{op[2]}]"
    return FORMS[op[0]].format(*op[1:])
