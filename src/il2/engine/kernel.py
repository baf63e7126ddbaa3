"""Print tapes as LLVM IR functions on <W x double>: W lanes of the batch in one value."""

from __future__ import annotations

import struct

from il2.network.tape import Tape

_BINARY = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_CALLS = {"pow": "pow", "exp": "exp", "log": "log", "abs": "fabs"}


def hexadecimal(value: float) -> str:
    """A double as LLVM prints it exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def function(name: str, tape: Tape, arrays: dict[str, int], outputs: dict[str, tuple[int, ...]], width: int) -> str:
    """A function `name(ptr arrays...)` that stores `outputs[array][i]` as element i of an array.

    `arrays` gives per array the distance of its elements in doubles; arrays do not overlap.
    """
    vector = f"<{width} x double>"
    align = 8 * width
    lines: list[str] = []
    done: set[int] = set()

    def address(label: str, array: str, index: int) -> str:
        lines.append(f"  %{label} = getelementptr double, ptr %{array}, i64 {index * arrays[array]}")
        return f"%{label}"

    def operand(v: int) -> str:
        op = tape.ops[v]
        return f"splat (double {hexadecimal(op[1])})" if op[0] == "const" else f"%v{v}"

    def write(v: int) -> None:
        op = tape.ops[v]
        if op[0] == "load":
            at = address(f"a{v}", op[1], op[2])
            lines.append(f"  %v{v} = load {vector}, ptr {at}, align {align}")
        elif op[0] in _BINARY:
            a, b = operand(op[1]), operand(op[2])
            lines.append(f"  %v{v} = {_BINARY[op[0]]} contract {vector} {a}, {b}")
        elif op[0] == "neg":
            lines.append(f"  %v{v} = fneg {vector} {operand(op[1])}")
        elif op[0] == "min":
            a, b = operand(op[1]), operand(op[2])
            lines.append(f"  %c{v} = fcmp olt {vector} {a}, {b}")
            lines.append(f"  %v{v} = select <{width} x i1> %c{v}, {vector} {a}, {vector} {b}")
        elif op[0] in _CALLS:
            given = ", ".join(f"{vector} {operand(a)}" for a in op[1:])
            lines.append(f"  %v{v} = call {vector} @llvm.{_CALLS[op[0]]}.v{width}f64({given})")

    def need(v: int) -> None:
        """Write what `v` depends on, then `v`; loads thus stand next to their first use."""
        stack = [v]
        while stack:
            top = stack[-1]
            missing = [a for a in operands(tape.ops[top]) if a not in done]
            if top in done:
                stack.pop()
            elif missing:
                stack.extend(reversed(missing))
            else:
                done.add(stack.pop())
                write(top)

    for array, values in outputs.items():
        for i, v in enumerate(values):
            need(v)
            at = address(f"o{array}{i}", array, i)
            lines.append(f"  store {vector} {operand(v)}, ptr {at}, align {align}")
    given = ", ".join(f"ptr noalias %{a}" for a in arrays)
    return f"define void @{name}({given}) noinline nounwind {{\n" + "\n".join(lines) + "\n  ret void\n}\n"


def operands(op: tuple) -> tuple[int, ...]:
    """Value numbers that an operation reads."""
    return () if op[0] in ("const", "load") else tuple(op[1:])


def declarations(widths: set[int]) -> str:
    """Declarations of the intrinsics that `function` may call."""
    lines = []
    for width in sorted(widths):
        vector = f"<{width} x double>"
        for name in _CALLS.values():
            given = ", ".join([vector] * (2 if name == "pow" else 1))
            lines.append(f"declare {vector} @llvm.{name}.v{width}f64({given})")
    return "\n".join(lines)
