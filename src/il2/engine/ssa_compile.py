"""Machine code of the direct method for one network."""

from __future__ import annotations

import llvmlite.binding as llvm

from il2.engine import kernel, ssa_driver
from il2.engine.machine import Compiled, checked, key_of, loaded, optimised
from il2.engine.ssa_driver import JumpLayout
from il2.network.propensity import Jumps

FEW = 16  # jumps up to which a vector of twice a register pays


def lane_width(jumps: Jumps) -> int:
    """Lanes in a vector: what a register holds; twice that for few jumps: one half works while the other waits.

    On a Zen 4 core 2 jumps gain 1.6 times by it, and 40 lose a quarter, since the chosen jumps no longer fit the masks.
    """
    features = llvm.get_host_cpu_features()
    held = 8 if features.get("avx512f") else 4 if features.get("avx2") else 2
    return 2 * held if len(jumps.names) <= FEW else held


def compiled(jumps: Jumps, width: int | None = None) -> Compiled:
    """The machine code of a network's jumps, from this process, from disk, or compiled now."""
    wide = lane_width(jumps) if width is None else checked(width)
    return loaded(digest(jumps, wide), JumpLayout, lambda: build(jumps, wide))


def digest(jumps: Jumps, width: int) -> str:
    """Key of the object code."""
    program = jumps.program
    parts = (
        "ssa", program.prepare.ops, program.constants, jumps.initial, program.rates.ops, jumps.propensities,
        jumps.change, jumps.unguarded, len(jumps.species), len(program.parameters), width,
    )  # fmt: skip
    return key_of(parts, ("philox", "ssa_compile", "ssa_driver"))


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
    driving = ssa_driver.build(layout, jumps.change, jumps.unguarded)
    return optimised(driving, ["\n".join(texts)], layout)
