"""Turn a `Program` into machine code: print, verify, optimise, keep on disk, load."""

from __future__ import annotations

import ctypes
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from il2.engine import backward, driver, kernel, sparse, store
from il2.engine.elimination import eliminate
from il2.engine.lanes import Layout
from il2.network.program import Program
from il2.network.tape import Tape

L1_BYTES = 32 * 1024


@dataclass(frozen=True)
class Compiled:
    """A loaded `drive` function and the layout of the workspace that it expects.

    `note` is empty, or says why the object code on disk was not used or not kept.
    """

    drive: Callable
    layout: Layout
    from_disk: bool
    note: str
    owner: object


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


FORWARD, BACKWARD, STRAIGHT, LOOPED = "forward", "backward", "straight", "looped"


def compiled(program: Program, width: int | None = None, kind: str = FORWARD) -> Compiled:
    """The machine code of a program, from this process, from disk, or compiled now; of its solve or its adjoint."""
    return _compiled(program, width or lane_width(program), store.place(), kind)


LAYOUTS = {FORWARD: Layout, STRAIGHT: Layout, LOOPED: Layout, BACKWARD: backward.BackwardLayout}
_LOADED: dict[tuple, Compiled] = {}


def _compiled(program: Program, width: int, folder: str, kind: str) -> Compiled:
    key = digest(program, width, kind)
    if (key, folder) not in _LOADED:
        facts, code, note = store.read(key)
        from_disk = facts is not None
        if facts is None:
            facts, code = build(program, width, kind)
            note = store.write(key, facts, code) or note
        if note:
            logging.getLogger("il2").warning("object code on disk was not used: %s", note)
        layout = LAYOUTS[kind](**facts)
        _LOADED[key, folder] = _load(layout, code, from_disk, note)
    return _LOADED[key, folder]


def digest(program: Program, width: int, kind: str = FORWARD) -> str:
    """Key of the object code: equations, this CPU, LLVM, and the code generator itself."""
    parts = (
        program.fingerprint,
        width,
        kind,
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        llvm.get_process_triple(),
        store.MAGIC,
        llvmlite.__version__,
        llvm.llvm_version_info,
        _generator(),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@cache
def _generator() -> str:
    names = (
        "backward", "chunks", "compile", "driver", "elimination", "kernel", "lanes", "loops", "rodas5p", "sparse",
        "step", "traverse",
    )  # fmt: skip
    text = b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in names)
    return hashlib.sha256(text).hexdigest()


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
    module = llvm.parse_assembly(driving)
    for text in kernels:
        module.link_in(llvm.parse_assembly(text))
    module.verify()
    for function in module.functions:
        if not function.is_declaration and function.name != "drive":
            function.linkage = "internal"
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    llvm.create_pass_builder(_machine(), options).getModulePassManager().run(
        module, llvm.create_pass_builder(_machine(), options)
    )
    facts = {name: getattr(layout, name) for name in layout.__dataclass_fields__}
    return facts, _machine().emit_object(module)


@cache
def _machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )


def modules(program: Program, width: int) -> tuple[str, str, Layout]:
    """IR text of the kernels and of the driver, and the layout that they share."""
    elimination = eliminate(program)
    layout = Layout(program.n_states, len(program.constants), len(elimination.entries), len(program.parameters), width)
    rates = Tape(list(program.rates.ops), dict(program.rates.known))
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


def _load(layout: Layout, code: bytes, from_disk: bool, note: str) -> Compiled:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine_for_engine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    drive = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("drive"))
    return Compiled(drive, layout, from_disk, note, engine)


def _machine_for_engine() -> llvm.TargetMachine:
    _machine()  # the engine takes ownership of the machine that it is given
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(jit=True)
