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
INPUTS = ("const", "load")


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
    read = {v for c, chunk in enumerate(chunks) for v in _read(tape, chunk, outputs) if home.get(v, c) != c}
    passed = [[v for v in chunk.values if v in read] for chunk in chunks]
    places = {v: place for place, v in enumerate(v for values in passed for v in values)}
    base, free = scratch
    texts, calls = [], []
    first = 0
    for c, chunk in enumerate(chunks):
        own, stores = _tape(tape, outputs, chunk, passed[c], places)
        strides = arrays | {"scratch": arrays[base], "passed": arrays[base]}
        texts.append(kernel.function(f"{name}_{c}", own, strides, stores, width))
        pointers = [(a, chunk.outputs[a][0] * stride if a in chunk.outputs else 0) for a, stride in arrays.items()]
        pointers += [(base, free * arrays[base]), (base, (free + first) * arrays[base])]
        given = []
        for i, (array, offset) in enumerate(pointers):
            calls.append(f"  %g{c}_{i} = getelementptr double, ptr %{array}, i64 {offset}")
            given.append(f"ptr %g{c}_{i}")
        calls.append(f"  call void @{name}_{c}({', '.join(given)})")
        first += len(passed[c])
    header = ", ".join(f"ptr noalias %{a}" for a in arrays)
    texts.append(f"define void @{name}({header}) noinline nounwind {{\n" + "\n".join(calls) + "\n  ret void\n}\n")
    return "\n".join(texts), len(places)


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
        missing = [a for a in kernel.operands(tape.ops[top]) if a not in done and tape.ops[a][0] not in INPUTS]
        if top in done or tape.ops[top][0] in INPUTS:
            stack.pop()
        elif missing:
            stack.extend(reversed(missing))
        else:
            done.add(stack.pop())
            order.append(top)
    return order


def _read(tape: Tape, chunk: Chunk, outputs: dict[str, tuple[int, ...]]) -> Iterator[int]:
    """Values that the operations and the outputs of a chunk read."""
    for v in chunk.values:
        yield from kernel.operands(tape.ops[v])
    for array, (first, last) in chunk.outputs.items():
        yield from outputs[array][first:last]


def _tape(
    tape: Tape, outputs: dict[str, tuple[int, ...]], chunk: Chunk, passed: list[int], places: dict[int, int]
) -> tuple[Tape, dict[str, tuple[int, ...]]]:
    """A chunk as a tape of its own, which reads earlier values from scratch memory, and what it stores."""
    own = Tape()
    known: dict[int, int] = {}

    def value(v: int) -> int:
        if v not in known:
            op = tape.ops[v]
            if op[0] == "load":
                shift = chunk.outputs[op[1]][0] if op[1] in chunk.outputs else 0
                known[v] = own.load(op[1], op[2] - shift)
            else:
                known[v] = own.const(op[1]) if op[0] == "const" else own.load("scratch", places[v])
        return known[v]

    for v in chunk.values:
        op, *operands = tape.ops[v]
        known[v] = own.emit(op, *(value(a) for a in operands))
    stores = {array: tuple(value(v) for v in outputs[array][lo:hi]) for array, (lo, hi) in chunk.outputs.items()}
    return own, stores | {"passed": tuple(known[v] for v in passed)}
