"""Machine code of the direct method for one network: print, verify, optimise, keep on disk, load."""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from il2.engine import kernel, ssa_driver, store
from il2.engine.compile import Compiled, _load, _machine
from il2.engine.ssa_driver import JumpLayout
from il2.network.propensity import Jumps

_LOADED: dict[tuple, Compiled] = {}


FEW = 16


def lane_width(jumps: Jumps) -> int:
    """Lanes in a vector: what a register holds; twice that for few jumps: one half works while the other waits.

    On a Zen 4 core 2 jumps gain 1.6 times by it, and 40 lose a quarter, since the chosen jumps no longer fit the masks.
    """
    features = llvm.get_host_cpu_features()
    held = 8 if features.get("avx512f") else 4 if features.get("avx2") else 2
    return 2 * held if len(jumps.names) <= FEW else held


def compiled(jumps: Jumps, width: int | None = None) -> Compiled:
    """The machine code of a network's jumps, from this process, from disk, or compiled now."""
    width = width or lane_width(jumps)
    key, folder = digest(jumps, width), store.place()
    if (key, folder) not in _LOADED:
        facts, code, note = store.read(key)
        from_disk = facts is not None
        if facts is None:
            facts, code = build(jumps, width)
            note = store.write(key, facts, code) or note
        if note:
            logging.getLogger("il2").warning("object code on disk was not used: %s", note)
        _LOADED[key, folder] = _load(JumpLayout(**facts), code, from_disk, note)
    return _LOADED[key, folder]


def digest(jumps: Jumps, width: int) -> str:
    """Key of the object code: jumps, this CPU, LLVM, and the code generator itself."""
    program = jumps.program
    parts = (
        "ssa", program.prepare.ops, program.constants, jumps.initial, program.rates.ops, jumps.propensities,
        jumps.change, jumps.unguarded, len(jumps.species), len(program.parameters), width,
        llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.get_process_triple(),
        store.MAGIC, llvmlite.__version__, llvm.llvm_version_info, _generator(),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@cache
def _generator() -> str:
    names = ("compile", "driver", "kernel", "lanes", "philox", "ssa_compile", "ssa_driver")
    text = b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in names)
    return hashlib.sha256(text).hexdigest()


def build(jumps: Jumps, width: int) -> tuple[dict, bytes]:
    """Compile to object code; returns the layout as a dictionary and the code."""
    program = jumps.program
    tape, sums, least = jumps.cumulative()
    layout = JumpLayout(len(jumps.species), len(program.constants), len(sums), len(program.parameters), width)
    prepared = {"k": program.constants, "y": jumps.initial}
    texts = [
        kernel.declarations({1, width}),
        kernel.function("prepare", program.prepare, {"p": 1, "k": width, "y": width}, prepared, 1),
        kernel.function(
            "propensities", tape, dict.fromkeys(("y", "k", "c", "least"), width), {"c": sums, "least": (least,)}, width
        ),
    ]
    module = llvm.parse_assembly(ssa_driver.build(layout, jumps.change, jumps.unguarded))
    module.link_in(llvm.parse_assembly("\n".join(texts)))
    module.verify()
    for function in module.functions:
        if not function.is_declaration and function.name != "drive":
            function.linkage = "internal"
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    passes = llvm.create_pass_builder(_machine(), options)
    passes.getModulePassManager().run(module, passes)
    facts = {name: getattr(layout, name) for name in layout.__dataclass_fields__}
    return facts, _machine().emit_object(module)
