"""How long a user waits for the first answer: measured in fresh processes, since only those start cold.

Run as a script with the name of a solver, it prints the seconds of each part as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PARTS = ("imports", "network", "setup", "first", "process")

REPEATS = 3


def latencies(name: str, repeats: int, states: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Median seconds of each part by state of the disk cache: "cold", then "warm" (filled by the cold run)."""
    runs: dict[str, list[dict[str, float]]] = {state: [] for state in states}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for state in states:
                runs[state].append(_fresh(name, folder))
    return {state: {part: median(run[part] for run in found) for part in PARTS} for state, found in runs.items()}


def _fresh(name: str, folder: str) -> dict[str, float]:
    start = time.perf_counter()
    found = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), name],
        env={**os.environ, "IL2_CACHE": folder},
        capture_output=True,
        text=True,
        check=True,
    )
    return {**json.loads(found.stdout.splitlines()[-1]), "process": time.perf_counter() - start}


def measure(name: str) -> dict[str, float]:
    """Seconds of importing, building the network, setting up the solver (compiling), and the first lane."""
    marks = [time.perf_counter()]
    from problem import ATOL, RTOL, problem
    from solvers import SOLVERS, installed

    installed(name)
    marks.append(time.perf_counter())
    case = problem(1)
    _ = case.prepared, case.constants
    marks.append(time.perf_counter())
    solve = SOLVERS[name].setup(case)
    marks.append(time.perf_counter())
    solve(case, RTOL, ATOL)
    marks.append(time.perf_counter())
    return {part: after - before for part, before, after in zip(PARTS, marks, marks[1:], strict=False)}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
