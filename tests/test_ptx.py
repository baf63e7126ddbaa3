"""The program printed for NVIDIA GPUs: it is valid PTX, assembles for two generations, and runs on the CPU as one lane.

No GPU back end ships: nothing of this has run on a GPU. The test keeps the printed program ready for one.
"""

import shutil
import subprocess
import sys
from importlib import metadata

import llvmlite.binding as llvm
import numpy as np
import pytest

from il2.engine.compile import modules
from il2.engine.solve import solve
from il2.network.program import lower
from il2.signalling.models import MODELS

TRIPLE = "nvptx64-nvidia-cuda"
GENERATIONS = ("sm_80", "sm_90")


def assembler() -> str | None:
    """ptxas of the system, or of the package nvidia-cuda-nvcc-cu12."""
    if found := shutil.which("ptxas"):
        return found
    try:
        files = metadata.files("nvidia-cuda-nvcc-cu12") or []
    except metadata.PackageNotFoundError:
        return None
    return next((str(f.locate()) for f in files if f.name == "ptxas"), None)


def printed(name: str, generation: str) -> str:
    """PTX of the whole solve of a network, one lane a thread, with the driver as its kernel."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    kernels, driving, _ = modules(lower(MODELS[name].build()), 1)
    module = llvm.parse_assembly(driving.replace('define void @"drive"', 'define ptx_kernel void @"drive"'))
    module.link_in(llvm.parse_assembly(kernels))
    module.verify()
    module.triple = TRIPLE
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu=generation, opt=3)
    return machine.emit_assembly(module)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_program_is_printed_and_assembled(tmp_path, generation):
    text = printed("receptor-IL2-IL15", generation)
    assert f".target {generation}" in text and ".visible .entry drive" in text and "fma.rn.f64" in text
    ptxas = assembler()
    if ptxas is None:
        pytest.skip("ptxas is not there: pip install nvidia-cuda-nvcc-cu12")
    (tmp_path / "il2.ptx").write_text(text)
    words = [ptxas, f"-arch={generation}", "-v", str(tmp_path / "il2.ptx"), "-o", str(tmp_path / "il2.cubin")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "il2.cubin").stat().st_size > 10_000 and "registers" in done.stderr


def test_one_lane_a_thread_gives_the_same_bits_on_the_cpu():
    network = MODELS["response-IL2"].build()
    network = network.with_values({"IL2RA_count": 3000.0, "IL2RB_count": 700.0, "IL2RG_count": 9000.0, "IL2_dose": 0.1})
    program = lower(network)
    p = np.tile([network.defaults()[n] for n in program.parameters], (5, 1))
    times = np.array([1.0, 30.0])
    one, wide = (solve(program, p, times, width=w) for w in (1, 4))
    assert (one.y == wide.y).all() and (one.accepted == wide.accepted).all()


def test_what_is_printed_says_that_there_is_no_gpu_back_end():
    done = subprocess.run([sys.executable, "-m", "il2", "--version"], capture_output=True, text=True)
    assert "no GPU back end yet" in done.stdout
