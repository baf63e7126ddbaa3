"""Print a long tape as a chain of functions of bounded length: compilers take more than linear time on long ones.

A value that a later function needs is passed on through scratch memory; constants and loads are written again.
The arithmetic is that of the whole tape, operation by operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from il2.engine import kernel
from il2.network.tape import Tape

LENGTH = 600  # operations of one function


@dataclass
class Chunk:
    """Operations in the order of evaluation, and per output array the outputs [first, last) that are ready here."""

    values: list[int] = field(default_factory=list)
    outputs: dict[str, tuple[int, int]] = field(default_factory=dict)


def function(
    name: str,
    tape: Tape,
    arrays: dict[str, int],
    outputs: dict[str, tuple[int, ...]],
    width: int,
    scratch: tuple[str, int],
    length: int = LENGTH,
) -> tuple[str, int]:
    """IR text of `name`, called as what `kernel.function` prints, and the elements of scratch memory that it uses.

    `scratch` names the array, and the element of it, from where on the array is free. An array that is both read
    and written has each element i read by nothing but output i.
    """
    chunks = list(cut(tape, outputs, length))
    home = {v: c for c, chunk in enumerate(chunks) for v in chunk.values}
    passed: list[dict[int, int]] = [{} for _ in chunks]  # per chunk: value -> place in scratch memory
    used = 0
    readers: dict[int, int] = {}
    for c, chunk in enumerate(chunks):
        for v in (*(a for v in chunk.values for a in kernel.operands(tape.ops[v])), *_stored(chunk, outputs)):
            if home.get(v, c) != c:
                readers[v] = c
    for c, chunk in enumerate(chunks):
        for v in chunk.values:
            if v in readers:
                passed[c][v] = used
                used += 1
    places = {v: at for table in passed for v, at in table.items()}
    base, free = scratch
    texts, calls = [], []
    first = 0
    for c, chunk in enumerate(chunks):
        text = _print(f"{name}_{c}", tape, arrays, outputs, width, chunk, passed[c], places, home, c, arrays[base])
        pointers = []
        for array, stride in arrays.items():
            pointers.append((array, chunk.outputs[array][0] * stride if array in chunk.outputs else 0))
        pointers += [(base, free * arrays[base]), (base, (free + first) * arrays[base])]
        given = []
        for i, (array, offset) in enumerate(pointers):
            calls.append(f"  %g{c}_{i} = getelementptr double, ptr %{array}, i64 {offset}")
            given.append(f"ptr %g{c}_{i}")
        calls.append(f"  call void @{name}_{c}({', '.join(given)})")
        first += len(passed[c])
        texts.append(text)
    header = ", ".join(f"ptr noalias %{a}" for a in arrays)
    texts.append(f"define void @{name}({header}) noinline nounwind {{\n" + "\n".join(calls) + "\n  ret void\n}\n")
    return "\n".join(texts), used


def cut(tape: Tape, outputs: dict[str, tuple[int, ...]], length: int) -> Iterator[Chunk]:
    """Outputs in their order with the operations that each adds; a new chunk starts once one is long enough."""
    done: set[int] = set()
    chunk = Chunk()
    for array, values in outputs.items():
        for i, v in enumerate(values):
            if len(chunk.values) + sum(hi - lo for lo, hi in chunk.outputs.values()) >= length:
                yield chunk
                chunk = Chunk()
            chunk.values += _needed(tape, v, done)
            chunk.outputs[array] = (chunk.outputs.get(array, (i, i))[0], i + 1)
    yield chunk


def _needed(tape: Tape, v: int, done: set[int]) -> list[int]:
    """What is not yet computed of the operations behind `v`, in the order of evaluation."""
    order: list[int] = []
    stack = [v]
    while stack:
        top = stack[-1]
        if top in done or tape.ops[top][0] in ("const", "load"):
            stack.pop()
            continue
        missing = [a for a in kernel.operands(tape.ops[top]) if a not in done and tape.ops[a][0] not in ("const", "load")]
        if missing:
            stack.extend(reversed(missing))
        else:
            done.add(stack.pop())
            order.append(top)
    return order


def _stored(chunk: Chunk, outputs: dict[str, tuple[int, ...]]) -> list[int]:
    return [v for array, (lo, hi) in chunk.outputs.items() for v in outputs[array][lo:hi]]


def _print(name, tape, arrays, outputs, width, chunk, passed, places, home, number, stride) -> str:
    """One function: the chunk as a tape of its own, with what comes from before read from scratch memory."""
    own = Tape()
    known: dict[int, int] = {}

    def value(v: int) -> int:
        if v not in known:
            op = tape.ops[v]
            if op[0] == "load":
                shift = chunk.outputs[op[1]][0] if op[1] in chunk.outputs else 0
                known[v] = own.emit("load", op[1], op[2] - shift)
            elif op[0] == "const":
                known[v] = own.emit(*op)
            else:
                known[v] = own.emit("load", "scratch", places[v])
        return known[v]

    for v in chunk.values:
        op = tape.ops[v]
        known[v] = own.emit(op[0], *(value(a) for a in op[1:]))
    stores = {array: tuple(value(v) for v in outputs[array][lo:hi]) for array, (lo, hi) in chunk.outputs.items()}
    stores["passed"] = tuple(known[v] for v in passed)
    return kernel.function(name, own, arrays | {"scratch": stride, "passed": stride}, stores, width)
