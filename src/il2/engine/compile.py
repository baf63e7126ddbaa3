"""Turn a `Program` into machine code: of its solve, straight-line or looped, or of its adjoint."""

from __future__ import annotations

from collections.abc import Callable

import llvmlite.binding as llvm

from il2.engine import backward, driver, kernel, sparse
from il2.engine.elimination import eliminate
from il2.engine.lanes import Layout
from il2.engine.machine import Compiled, checked, key_of, loaded, optimised
from il2.network.program import Program
from il2.network.reverse import copied

L1_BYTES = 32 * 1024
FORWARD, BACKWARD, STRAIGHT, LOOPED = "forward", "backward", "straight", "looped"
GENERATORS = (
    "backward", "chunks", "compile", "driver", "elimination", "loops", "rodas5p", "sideways", "sparse", "step",
    "traverse",
)  # fmt: skip


def lane_width(program: Program) -> int:
    """Lanes in a vector: 8 with AVX-512, 4 with AVX, else 2; half of 8 where 8 would leave the L1 cache.

    The step reads its factors and stages many times, so that a working set beyond L1 costs more than the
    wider vector gains (4 lanes are 1.4 times as fast as 8 on the 34-state benchmark and a Zen 4 core).
    """
    features = llvm.get_host_cpu_features()
    doubles = 11 * program.n_states + len(program.constants) + 2 * len(program.jacobian)
    if features.get("avx512f") and 8 * 8 * doubles <= L1_BYTES:
        return 8
    return 4 if features.get("avx") else 2


def compiled(program: Program, width: int | None = None, kind: str = FORWARD) -> Compiled:
    """The machine code of a program, from this process, from disk, or compiled now; of its solve or its adjoint."""
    wide = lane_width(program) if width is None else checked(width)
    layout = backward.BackwardLayout if kind == BACKWARD else Layout
    return loaded(digest(program, wide, kind), layout, lambda: build(program, wide, kind))


def digest(program: Program, width: int, kind: str = FORWARD) -> str:
    """Key of the object code."""
    return key_of((program.fingerprint, width, kind), GENERATORS)


def build(program: Program, width: int, kind: str = FORWARD) -> tuple[dict, bytes]:
    """Compile to object code; returns the layout as a dictionary and the code."""
    if kind == FORWARD:
        kind = LOOPED if sparse.large(program) else STRAIGHT
    makers: dict[str, Callable[[Program, int], tuple]] = {
        STRAIGHT: modules,
        LOOPED: sparse.modules,
        BACKWARD: backward.modules,
    }
    *kernels, driving, layout = makers[kind](program, width)
    return optimised(driving, kernels, layout)


def modules(program: Program, width: int) -> tuple[str, str, Layout]:
    """IR text of the kernels and of the driver, and the layout that they share."""
    elimination = eliminate(program)
    layout = Layout(program.n_states, len(program.constants), len(elimination.entries), len(program.parameters), width)
    rates = copied(program.rates)
    added = tuple(rates.add(rates.load("x", i), v) for i, v in enumerate(program.derivative))
    prepared = {"k": program.constants, "y": program.initial}
    factored = {"lu": elimination.entries, "pivot": (elimination.least_pivot,)}
    texts = [
        kernel.function("prepare", program.prepare, {"p": 1, "k": width, "y": width}, prepared, 1),
        kernel.function("rates", rates, dict.fromkeys("ykx", width), {"x": added}, width),
        kernel.function(
            "factor", elimination.factor, dict.fromkeys(("y", "k", "d", "lu", "pivot"), width), factored, width
        ),
        kernel.function(
            "solve", elimination.solve, dict.fromkeys(("lu", "x"), width), {"x": elimination.solution}, width
        ),
    ]
    return "\n".join([kernel.declarations({1, width}), *texts]), driver.build(layout, program.controlled), layout
