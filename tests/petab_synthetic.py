"""A small PEtab problem whose truth is known: A turns into B, B is lost; written as version 1 or version 2."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from test_petab import folder, folder_2

TRUTH = {"k1": 0.4, "k2": 0.15, "gain": 30.0, "floor": 5.0, "sd": 1.2, "error": 0.05}
TIMES = (0.0, 0.5, 1.0, 2.0, 4.0, 7.0, 10.0, 15.0)
CONDITIONS = {"low": 0.5, "high": 2.0}
START = 3.0
OBSERVABLES = {"fluorescence": "lin", "whole": "log10"}
NUMBERS = (
    ("k1", 0.01, 10.0), ("k2", 0.01, 10.0), ("gain", 1.0, 1000.0), ("floor", -20.0, 50.0), ("sd", 0.1, 20.0),
    ("error", 0.005, 1.0),
)  # fmt: skip


def state(dose: float, time: float) -> tuple[float, float]:
    """A and B in closed form."""
    fast, slow = TRUTH["k1"] * dose, TRUTH["k2"]
    a = START * math.exp(-fast * time)
    return a, START * fast / (slow - fast) * (math.exp(-fast * time) - math.exp(-slow * time))


def measured(seed: int = 1, replicates: int = 2) -> list[tuple[str, str, float, float]]:
    """Observable, condition, time and value; noise is normal, of `whole` on log10."""
    random, rows = np.random.default_rng(seed), []
    for condition, dose in CONDITIONS.items():
        for time in TIMES:
            a, b = state(dose, time)
            for _ in range(replicates):
                shown = TRUTH["floor"] + TRUTH["gain"] * b + TRUTH["sd"] * random.standard_normal()
                rows.append(("fluorescence", condition, time, shown))
                rows.append(("whole", condition, time, (a + b) * 10 ** (TRUTH["error"] * random.standard_normal())))
    return sorted(rows, key=lambda row: row[0])


def _table(head: str, rows: list[str]) -> str:
    return "\n".join([head.replace(" ", "\t"), *rows]) + "\n"


def write_1(path: Path, seed: int = 1) -> Path:
    """Version 1; returns the YAML file."""
    rows = [f"{o}\t{c}\t{t:g}\t{v:.8g}" for o, c, t, v in measured(seed)]
    own = [
        f"{n}\t{n} of the chain\t{'lin' if low < 0 else 'log10'}\t{low:g}\t{high:g}\t1\t1" for n, low, high in NUMBERS
    ]
    tables = {
        "conditions": _table("conditionId dose A", [f"{c}\t{d:g}\t{START:g}" for c, d in CONDITIONS.items()]),
        "parameters": _table(
            "parameterId parameterName parameterScale lowerBound upperBound nominalValue estimate", own
        ),
        "observables": _table(
            "observableId observableFormula noiseFormula observableTransformation noiseDistribution",
            ["fluorescence\tgain * B + floor\tsd\tlin\tnormal", "whole\tA + B\terror\tlog10\tnormal"],
        ),
        "measurements": _table("observableId simulationConditionId time measurement", rows),
    }
    return folder(path, tables)


def write_2(path: Path, seed: int = 1) -> Path:
    """Version 2 of the same data, in which `error` is on the natural logarithm; returns the YAML file."""
    rows = [f"{o}\t{c}\t{t:g}\t{v:.8g}" for o, c, t, v in measured(seed)]
    own = [f"{n}\t{low:g}\t{high:g}\t1\ttrue" for n, low, high in NUMBERS]
    set_by = [f"at_{c}\t{t}\t{v:g}" for c, d in CONDITIONS.items() for t, v in (("dose", d), ("A", START))]
    tables = {
        "conditions": _table("conditionId targetId targetValue", set_by),
        "experiments": _table("experimentId time conditionId", [f"{c}\t0\tat_{c}" for c in CONDITIONS]),
        "parameters": _table("parameterId lowerBound upperBound nominalValue estimate", own),
        "observables": _table(
            "observableId observableFormula noiseFormula noiseDistribution",
            ["fluorescence\tgain * B + floor\tsd\tnormal", "whole\tA + B\terror\tlog-normal"],
        ),
        "measurements": _table("observableId experimentId time measurement", rows),
    }
    return folder_2(path, tables)
