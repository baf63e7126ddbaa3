"""Wall time of whole commands, each in a process of its own: import, `il2 respond` cold and warm, look-ups, a plate.

python benchmarks/commands.py [--wells 100000] [--markdown]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LOOKUPS = (
    ("gene",), ("explain", "CD25"), ("explain", "KD_IL2_IL2RA"), ("explain", "S000-051"), ("path", "IL2", "STAT5"),
    ("claims", "--about", "CD25"), ("claims", "--format", "json"), ("claims",), ("experiments",), ("cite", "CD25"),
)  # fmt: skip
KNOWN = ("Treg", "NK", "CD8", "Th", "YT-1 IL2Ra+")


def seconds(folder: Path, *words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def write_plate(path: Path, wells: int) -> None:
    """Wells of two cytokines and of muteins with KDs of their own, drawn by a counter-based generator."""
    rng = np.random.Generator(np.random.Philox(key=1))
    with path.open("w", encoding="utf-8") as file:
        file.write("ligand,cell,dose_nM,time_min,kd_il2ra_nM,kd_il2rbg_nM,kd_assay,well\n")
        for i in range(wells):
            dose, time_min, cell = 10 ** rng.uniform(-4, 1.9), rng.choice((30, 60, 120, 240)), rng.choice(KNOWN)
            own = rng.random() < 0.25
            kds = f"{10 ** rng.uniform(0, 3):.4g},{10 ** rng.uniform(-1, 2):.4g},spr" if own else ",,"
            name = "mutein" if own else rng.choice(("IL2", "IL15"))
            file.write(f"{name},{cell},{dose:.6g},{time_min},{kds},{i}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wells", type=int, default=100_000)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["IL2_CACHE"] = str(folder / "cache")
        rows = [("il2 respond, empty cache", seconds(folder, "-m", "il2", "respond"))]
        warm = [seconds(folder, "-m", "il2", "respond") for _ in range(5)]
        rows.append(("il2 respond, warm cache, median of 5", statistics.median(warm)))
        rows.append(("import il2; il2.respond, median of 5", statistics.median(
            seconds(folder, "-c", "import il2; il2.respond") for _ in range(5)
        )))  # fmt: skip
        for words in LOOKUPS:
            found = statistics.median(seconds(folder, "-m", "il2", *words) for _ in range(5))
            rows.append((f"il2 {' '.join(words)}, median of 5", found))
        floor = statistics.median(seconds(folder, "-c", "import typer, rich.table, numpy") for _ in range(5))
        rows.append(("of these the imports of typer, rich and numpy", floor))
        write_plate(folder / "plate.csv", options.wells)
        words = ("-m", "il2", "respond", "--plate", "plate.csv", "--out", "predictions.csv")
        rows.append((f"il2 respond --plate, {options.wells:,} wells", seconds(folder, *words)))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    lines = [(what, f"{value:.2f} s") for what, value in rows] + [("largest memory of these", f"{memory:.0f} MiB")]
    if options.markdown:
        print("| command | wall time |\n|---|---|")
    for what, value in lines:
        print(f"| {what} | {value} |" if options.markdown else f"{what:45s} {value}")


if __name__ == "__main__":
    main()
