"""Visual predictive check: percentiles of what was measured, beside bands of the same percentiles over virtual trials
of as many patients; and the share of measurements within what the model gives to most patients.

The model has no error of measurement. One that is known of an assay can be added: lognormal, as a coefficient of
variation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from il2.patient.binomial import exact
from il2.patient.cohort import ARM, PATIENT, STATUS
from il2.patient.observed import Measured
from il2.patient.people import uniform
from il2.patient.population import Record, Settings
from il2.patient.variable import Read, Variable, variable

PERCENTS = (5.0, 50.0, 95.0)
BAND = (5.0, 95.0)  # of a percentile over virtual trials
WITHIN = (5.0, 95.0)
FEWEST_TRIALS = 20  # behind a band
MOST_TRIALS = 2000


def variables(data: Sequence[Measured]) -> list[Variable]:
    """What the check needs of each patient: each readout on each day of the data."""
    return list(dict.fromkeys(_variable(m.readout, m.time_d) for m in data))


def check(read: Read, settings: Settings, data: Sequence[Measured], error_percent: float = 0.0) -> list[Record]:
    """A row an arm, readout and day: percentiles measured and simulated, the band of each over virtual trials (NaN
    where there are too few patients for `FEWEST_TRIALS`), and the share of measurements within the 5 to 95 % of
    patients with its exact 95 % interval; `share_expected` is what a right model gives.
    """
    groups: dict[tuple[str, str, float], list[float]] = defaultdict(list)
    for m in data:
        groups[m.arm, m.readout, m.time_d].append(m.value)
    arms = [one["name"] for one in settings["arms"]]
    out: list[Record] = []
    found: dict[str, np.ndarray] = {}
    order = sorted(groups, key=lambda key: (arms.index(key[0]), key[1], key[2]))
    for arm, readout, day in order:
        seen, v = np.array(groups[arm, readout, day]), _variable(readout, day)
        names = v.arrays(settings)
        if any(name not in found for name in names):  # days of one course come one after another
            found = read([ARM, STATUS, PATIENT, *names])
        mine = (found[ARM] == arms.index(arm)) & (found[STATUS] == 0)
        told = v.of(found, settings)[mine] * _noise(settings["seed"], found[PATIENT][mine], v.text, error_percent)
        out.append({"arm": arm, "readout": readout, "time_d": day} | _compared(seen, told))
    return out


def coverage(rows: Sequence[Record]) -> Record:
    """All rows together: how many measurements lie within the 5 to 95 % of patients."""
    inside, number = sum(r["within"] for r in rows), sum(r["measured"] for r in rows)
    low, high = exact(inside, number)
    return {
        "measured": number, "within": inside, "share": inside / number if number else np.nan, "low": low, "high": high,
        "share_expected": _expected(),
    }  # fmt: skip


def _compared(seen: np.ndarray, told: np.ndarray) -> Record:
    row: Record = {"measured": len(seen), "patients": len(told)}
    trials = min(len(told) // len(seen), MOST_TRIALS)
    of_trials = None
    if trials >= FEWEST_TRIALS:
        split = told[: trials * len(seen)].reshape(trials, len(seen))
        of_trials = np.percentile(split, PERCENTS, axis=1)
    for i, p in enumerate(PERCENTS):
        band = np.percentile(of_trials[i], BAND) if of_trials is not None else (np.nan, np.nan)
        row |= {
            f"measured_p{p:g}": float(np.percentile(seen, p)),
            f"simulated_p{p:g}": float(np.percentile(told, p)) if len(told) else np.nan,
            f"simulated_p{p:g}_low": float(band[0]), f"simulated_p{p:g}_high": float(band[1]),
        }  # fmt: skip
    ends = np.percentile(told, WITHIN) if len(told) else (np.nan, np.nan)
    inside = int(((seen >= ends[0]) & (seen <= ends[1])).sum())
    low, high = exact(inside, len(seen))
    return row | {
        "trials": trials, "within": inside, "share": inside / len(seen), "low": low, "high": high,
        "share_expected": _expected(),
    }  # fmt: skip


def _expected() -> float:
    return (WITHIN[1] - WITHIN[0]) / 100


def _noise(seed: int, patients: np.ndarray, text: str, error_percent: float) -> np.ndarray | float:
    """Error of measurement (n,), lognormal with median 1; each patient and variable has its own."""
    if not error_percent:
        return 1.0
    z = ndtri(uniform(seed, patients, f"measured {text}"))
    return np.exp(np.sqrt(np.log1p((error_percent / 100) ** 2)) * z)


def _variable(readout: str, day: float) -> Variable:
    return variable(f"{readout} day {day!r}")
