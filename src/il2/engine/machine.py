"""Machine code of IR modules: optimised for this CPU, kept on disk, loaded once per process."""

from __future__ import annotations

import ctypes
import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from il2.engine import store
from il2.engine.lanes import Layout
from il2.errors import Il2Error

WIDTHS = (1, 2, 4, 8, 16)
ENTRY = "drive"  # the one function of a module that is called from outside
_LOADED: dict[tuple[str, str], Compiled] = {}


@dataclass(frozen=True)
class Compiled:
    """A loaded `drive` function and the layout of the workspace that it expects.

    `note` is empty, or says why the object code on disk was not used or not kept.
    """

    drive: Callable
    layout: Any
    from_disk: bool
    note: str
    owner: object


def checked(width: int) -> int:
    """A number of lanes in a vector that can be printed."""
    if width not in WIDTHS:
        raise Il2Error(f"the width {width!r} is no number of lanes", how=f"Use {', '.join(map(str, WIDTHS))}, or None.")
    return width


def loaded(key: str, kind: type[Layout], make: Callable[[], tuple[dict, bytes]]) -> Compiled:
    """Code by its key, from this process, from disk, or made now; `make` gives facts of the layout and object code."""
    place = key, store.place()
    if place not in _LOADED:
        facts, code, note = store.read(key)
        from_disk = facts is not None
        if facts is None:
            facts, code = make()
            note = store.write(key, facts, code) or note
        if note:
            logging.getLogger("il2").warning("object code on disk was not used: %s", note)
        _LOADED[place] = _load(kind(**facts), code, from_disk, note)
    return _LOADED[place]


def key_of(parts: tuple, generators: Iterable[str]) -> str:
    """Key of object code: what it computes, this CPU, LLVM, and the modules of this folder that print it."""
    whole = (
        parts, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.get_process_triple(), store.MAGIC,
        llvmlite.__version__, llvm.llvm_version_info, _sources(("lanes", "kernel", "machine", *generators)),
    )  # fmt: skip
    return hashlib.sha256(repr(whole).encode()).hexdigest()


@cache
def _sources(names: tuple[str, ...]) -> str:
    text = b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in names)
    return hashlib.sha256(text).hexdigest()


def optimised(driving: str, kernels: Iterable[str], layout: Layout) -> tuple[dict, bytes]:
    """Object code of a driver linked with kernels, all given as IR text, and the facts of its layout."""
    module = llvm.parse_assembly(driving)
    for text in kernels:
        module.link_in(llvm.parse_assembly(text))
    module.verify()
    for function in module.functions:
        if not function.is_declaration and function.name != ENTRY:
            function.linkage = "internal"
    passes = llvm.create_pass_builder(machine(), llvm.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(module, passes)
    return {f.name: getattr(layout, f.name) for f in fields(layout)}, machine().emit_object(module)


@cache
def machine() -> llvm.TargetMachine:
    """This CPU, with all its features."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )


def _load(layout: Layout, code: bytes, from_disk: bool, note: str) -> Compiled:
    machine()
    own = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(jit=True)  # the engine takes it over
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), own)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    drive = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address(ENTRY))
    return Compiled(drive, layout, from_disk, note, engine)
