"""The floor of the engine: operations that the generated code must do, memory it touches, and what a core can do."""

from __future__ import annotations

import ctypes
import time
from collections import Counter

import llvmlite.binding as llvm
import numpy as np
from table import count
from tapes import COUNTED, operations

from il2.engine import rodas5p
from il2.engine.compile import modules
from il2.engine.elimination import eliminate
from il2.engine.solve import aligned
from il2.network.program import Program

CHAINS, TURNS = 12, 4_000_000


def step_operations(program: Program) -> dict[str, Counter]:
    """Operations of one step of one lane by part; the step control itself (some 40) is left out."""
    elimination, stages = eliminate(program), rodas5p.STAGES
    factor = operations(elimination.factor, (*elimination.entries, elimination.least_pivot))
    return {
        "rates": _times(stages, operations(program.rates, program.derivative)),
        "Jacobian and factorisation": factor,
        "triangular solves": _times(stages, operations(elimination.solve, elimination.solution)),
        "stage combinations": _combinations(program.n_states),
        "error norm": _error_norm(program.controlled),
    }


def _times(n: int, counts: Counter) -> Counter:
    return Counter({kind: n * count for kind, count in counts.items()})


def _combinations(n: int) -> Counter:
    """Sums of A and C times earlier stages for every state, C / h once a step, and the new state."""
    stored, stages = len(rodas5p.A), rodas5p.STAGES
    start = Counter(mul=sum(range(1, stages)), add=sum(range(stages - 1)))
    stage = Counter(mul=sum(range(1, stored)), add=sum(range(1, stored)) + (stages - stored) + 1)
    counts = _times(n, start + stage)
    counts.update(mul=sum(range(1, stages)) + 1, div=1)
    return counts


def _error_norm(controlled: tuple[bool, ...]) -> Counter:
    scaled, watched = sum(controlled), len(controlled) - sum(controlled)
    return Counter(add=2 * scaled + watched, mul=2 * scaled + watched + 1, div=scaled)


def total(counts: Counter) -> int:
    return sum(counts[kind] for kind in COUNTED)


def prepare_operations(program: Program) -> int:
    """Operations that a lane needs once."""
    return total(operations(program.prepare, program.constants + program.initial))


def workspace_bytes(program: Program, width: int) -> int:
    """Bytes that one vector of lanes reads and writes in a step."""
    return 8 * modules(program, width)[2].doubles


def peak_rate(width: int, rounds: int = 5) -> float:
    """Floating-point operations a second of one core in a loop of independent fused multiply-adds."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )
    module = llvm.parse_assembly(_fma_loop(width))
    module.verify()
    code = llvm.create_mcjit_compiler(module, machine)
    code.finalize_object()
    loop = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)(code.get_function_address("loop"))
    values = aligned(3 * width)
    values[: 2 * width] = np.repeat([0.5, 1.0], width)
    loop(TURNS, values.ctypes.data)
    best = min(_seconds(lambda: loop(TURNS, values.ctypes.data)) for _ in range(rounds))
    return 2.0 * width * CHAINS * TURNS / best


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _fma_loop(width: int) -> str:
    """loop(turns, values): CHAINS chains of x = x * values[0] + values[1]; their sum goes to values[2]."""
    vector, align = f"<{width} x double>", f"align {8 * width}"
    start = [", ".join([f"double {j + 1}.0"] * width) for j in range(CHAINS)]
    phis = [f"  %x{j} = phi {vector} [<{start[j]}>, %entry], [%z{j}, %turn]" for j in range(CHAINS)]
    fmas = [
        f"  %z{j} = call {vector} @llvm.fma.v{width}f64({vector} %x{j}, {vector} %a, {vector} %b)"
        for j in range(CHAINS)
    ]
    sums = [f"  %s{j} = fadd {vector} %{'z0' if j == 1 else f's{j - 1}'}, %z{j}" for j in range(1, CHAINS)]
    return "\n".join([
        f"declare {vector} @llvm.fma.v{width}f64({vector}, {vector}, {vector})",
        "define void @loop(i64 %turns, ptr %values) {",
        "entry:",
        f"  %pb = getelementptr double, ptr %values, i64 {width}",
        f"  %ps = getelementptr double, ptr %values, i64 {2 * width}",
        f"  %a = load {vector}, ptr %values, {align}",
        f"  %b = load {vector}, ptr %pb, {align}",
        "  br label %turn",
        "turn:",
        "  %i = phi i64 [0, %entry], [%next, %turn]",
        *phis,
        *fmas,
        "  %next = add i64 %i, 1",
        "  %more = icmp slt i64 %next, %turns",
        "  br i1 %more, label %turn, label %done",
        "done:",
        *sums,
        f"  store {vector} %s{CHAINS - 1}, ptr %ps, {align}",
        "  ret void",
        "}",
    ])  # fmt: skip


def floor_rows(program: Program, width: int, steps: int, processor: float, threads: int) -> list[tuple[str, str]]:
    """Operations of a step by part, what a core can do, and how far the processor time (s) of some steps is from it."""
    parts = {name: total(counts) for name, counts in step_operations(program).items()}
    peak = peak_rate(width)
    least = steps * sum(parts.values()) / peak
    return [
        ("states", count(program.n_states)),
        *((f"operations of a step: {name}", count(n)) for name, n in parts.items()),
        ("operations of a step", count(sum(parts.values()))),
        (f"peak of a core, {width} lanes", f"{peak / 1e9:.1f} Gflop/s"),
        (f"floor by operations, {threads} cores", f"{least / threads:.1f} s"),
        ("processor time over the floor by operations", f"{processor / least:.1f}"),
    ]
