"""Small real tasks for the tests of long runs, and a program that runs one: run_task.py FOLDER SETTINGS [WORKERS]."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.solve import solve
from il2.errors import Il2Error
from il2.knowledge.parameters import generator
from il2.network.program import lower
from il2.network.synthetic import synthetic
from il2.runs.job import Job
from il2.runs.run import run

PREFIX = "run_task:"
NETWORK = synthetic(12, 16)
TIMES = np.linspace(0.0, 20.0, 5)


def solve_lanes(settings: dict, first: int, last: int) -> dict[str, np.ndarray]:
    """A network of 12 species; rate constants of each lane are drawn from the stream of its number."""
    draws = np.stack([generator(settings["seed"], f"lane {lane}").normal(size=4) for lane in range(first, last)])
    values = {f"k{i}": np.exp(0.3 * draws[:, i]) for i in range(4)}
    solved = solve(lower(NETWORK), parameter_rows(NETWORK, values), TIMES, threads=1)
    time.sleep(settings.get("pause_s", 0.0))
    name = np.array([f"lane {lane}" for lane in range(first, last)])
    return {"y": solved.y, "status": solved.status, "draws": draws, "name": name}


def dies(settings: dict, first: int, last: int) -> dict[str, np.ndarray]:
    """As solve_lanes; the process that gets lane `fatal` is killed while there are fewer than `deaths` marks."""
    marks = Path(settings["marks"])
    if first <= settings["fatal"] < last and len(list(marks.iterdir())) < settings["deaths"]:
        (marks / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return solve_lanes(settings, first, last)


def refuses(settings: dict, first: int, last: int) -> dict[str, np.ndarray]:
    """Fails from the lane `bad` on."""
    if last > settings["bad"]:
        raise Il2Error(f"lane {settings['bad']} is impossible", where="patient", how="Give another.")
    return solve_lanes(settings, first, last)


def breaks(settings: dict, first: int, last: int) -> dict[str, np.ndarray]:
    """A mistake of the programmer: a file that is not there."""
    return {"text": np.array([Path(settings["nowhere"]).read_text()])}


def too_short(settings: dict, first: int, last: int) -> dict[str, np.ndarray]:
    """Gives a row too few."""
    return {"x": np.zeros(last - first - 1)}


def numbers(settings: dict, first: int, last: int) -> dict[str, np.ndarray]:
    """Types and widths that differ from array to array, and of text from chunk to chunk."""
    lane = np.arange(first, last)
    text = np.array([f"{n}" for n in lane])
    grid = np.asfortranarray(np.outer(lane, [1, 2]))
    return {
        "big": lane.astype(">f4"),
        "odd": lane % 2 == 1,
        "grid": grid,
        "text": text,
        "none": np.zeros((len(lane), 0)),
    }


def job(settings: dict, task: str = "solve_lanes", lanes: int = 230, chunk: int = 8) -> Job:
    """29 chunks, the last of them shorter."""
    return Job(f"{PREFIX}{task}", {"seed": 3} | settings, lanes, chunk)


if __name__ == "__main__":
    try:
        run(job(json.loads(sys.argv[2])), Path(sys.argv[1]), workers=int((sys.argv[3:] or ["1"])[0]), prefix=PREFIX)
    except Il2Error as error:
        sys.exit(f"il2: {error}")
