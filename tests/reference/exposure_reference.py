"""Makes exposure_profiles.csv and exposure_values.csv, which tests/test_exposure.py compares with.

Run by hand, with pkpdutils 1.3.0 (MIT, Python 3.13 or later) and pynca 1.2.3 (a port of the R package NonCompart) from
PyPI: `python exposure_reference.py`. The stored values were made with Python 3.11, for which the one function of
pkpdutils with a type parameter (`stats.sample.coerce`) was written without it; nothing that computes was touched.
Profiles are made here, from known models with noise of a fixed seed, rounded as an assay would.
"""

from __future__ import annotations

import csv
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pkpdutils import Dose, Dosing, NCAOptions, Route, Timecourse, nca_single
from pkpdutils.nca import AUCMethod, BLQRules, TerminalPhase
from pynca.tools import sNCA

HERE = Path(__file__).parent
DOSE, DOSES, INFUSION, LIMIT = 50.0, 7, 0.25, 0.05  # nmol, one a day, d, nM
TIMES = np.array([0, 0.04, 0.08, 0.17, 0.25, 0.33, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0])


def profiles() -> dict[str, tuple[str, np.ndarray, np.ndarray]]:
    """Route, times and levels by name."""
    draw = np.random.default_rng(8)

    def measured(level: np.ndarray, share: float = 0.08) -> np.ndarray:
        return np.round(level * np.exp(draw.normal(0, share, level.shape)), 4)

    rise, fall = 9.0, 0.9
    oral = 5.0 * rise / (rise - fall) * (np.exp(-fall * TIMES) - np.exp(-rise * TIMES))
    two = 7.0 * np.exp(-6.0 * TIMES) + 2.0 * np.exp(-0.6 * TIMES)
    during = np.where(TIMES <= INFUSION, 1 - np.exp(-1.1 * TIMES), 0.0)
    after = np.where(TIMES > INFUSION, (1 - np.exp(-1.1 * INFUSION)) * np.exp(-1.1 * (TIMES - INFUSION)), 0.0)
    return {
        "oral": ("extravascular", TIMES, measured(oral)),
        "oral_noisy": ("extravascular", TIMES, measured(oral, 0.25)),
        "bolus": ("bolus", TIMES[1:], measured(two[1:])),
        "bolus_at_0": ("bolus", TIMES, measured(two)),
        "infusion": ("infusion", TIMES, measured(40.0 * (during + after))),
        "oral_below": ("extravascular", TIMES, measured(oral * np.exp(-0.6 * TIMES), 0.15)),
    }


def by_pkpdutils(route: str, times: np.ndarray, level: np.ndarray, method: str, limit: float, peak: bool) -> dict:
    given = {"bolus": Route.IV_BOLUS, "infusion": Route.IV_INFUSION, "extravascular": Route.ORAL}[route]
    lasting = {"duration": INFUSION, "duration_unit": "day"} if route == "infusion" else {}
    dose = Dose(amount=DOSE, unit="nmol", route=given, time=0.0, time_unit="day", **lasting)
    options = NCAOptions(
        auc_method=AUCMethod.LINEAR if method == "linear" else AUCMethod.LINEAR_LOG,
        terminal=TerminalPhase(exclude_cmax=not peak),
        lloq=limit or None,
        blq=BLQRules.ich_m13a() if limit else BLQRules(),
    )
    course = Timecourse(time=times, value=level, time_unit="day", unit="nmol/l", dose=dose)
    found = nca_single(course, options=options).ds
    names = {
        "peak_nM": "cmax", "peak_at_d": "tmax", "auc_last": "auc_last", "auc": "auc_inf_obs", "rate_per_d": "lambda_z",
        "points": "lambda_z_n_points", "adjusted_r2": "lambda_z_r2_adj", "residence_d": "mrt",
        "clearance_L_per_d": "cl_f" if route == "extravascular" else "cl",
        "volume_z_L": "vz_f" if route == "extravascular" else "vz",
    }  # fmt: skip
    if route != "extravascular":
        names["volume_steady_L"] = "vss"
    if route == "bolus":
        names["level_at_dose_nM"] = "c0"
    hourly = {"clearance_L_per_d": 24.0}  # pkpdutils gives clearance in L/h
    return {ours: float(found[theirs]) * hourly.get(ours, 1.0) for ours, theirs in names.items()}


def repeated() -> tuple[np.ndarray, np.ndarray]:
    """Times and levels of the first and the last interval of seven daily doses, and after."""
    early = np.array([0, 0.1, 0.25, 0.5, 0.75, 1.0])
    times = np.concatenate([early, 6 + early, [8.0, 9.0, 10.0]])
    level = np.array([0, 3.1, 4.8, 4.1, 3.0, 2.2, 2.7, 5.3, 7.2, 6.1, 4.4, 3.2, 0.9, 0.32, 0.11])
    return times, level


def intervals_by_pkpdutils(method: str) -> dict:
    times, level = repeated()
    dosing = Dosing(
        amounts=[DOSE] * DOSES, times=[float(i) for i in range(DOSES)], unit="nmol", time_unit="day", route=Route.ORAL
    )
    options = NCAOptions(auc_method=AUCMethod.LINEAR if method == "linear" else AUCMethod.LINEAR_LOG)
    course = Timecourse(time=times, value=level, time_unit="day", unit="nmol/l", dosing=dosing)
    found = nca_single(course, options=options).ds
    last = {
        "auc": "auc_tau", "peak_nM": "cmax_ss", "lowest_nM": "cmin_ss", "trough_nM": "ctrough", "mean_nM": "cavg",
        "fluctuation": "fluctuation", "swing": "swing", "auc_ratio": "accumulation_ratio_obs",
        "peak_ratio": "accumulation_ratio_cmax_obs", "trough_ratio": "accumulation_ratio_ctrough_obs",
    }  # fmt: skip
    return {ours: float(found[theirs]) for ours, theirs in last.items()}


def by_pynca(route: str, times: np.ndarray, level: np.ndarray, method: str) -> dict:
    found, _ = sNCA(
        times, level, dose=DOSE, adm=route, dur=0.0, down="Linear" if method == "linear" else "Log", R2ADJ=0,
        doseUnit="mg", timeUnit="h", concUnit="mg/L",
    )  # fmt: skip
    names = {
        "peak_nM": "CMAX", "peak_at_d": "TMAX", "auc_last": "AUCLST", "auc": "AUCIFO", "rate_per_d": "LAMZ",
        "points": "LAMZNPT", "adjusted_r2": "R2ADJ",
        "residence_d": "MRTEVIFO" if route == "extravascular" else "MRTIVIFO",
        "clearance_L_per_d": "CLFO" if route == "extravascular" else "CLO",
        "volume_z_L": "VZFO" if route == "extravascular" else "VZO",
    }  # fmt: skip
    if route == "bolus":
        names |= {"volume_steady_L": "VSSO", "level_at_dose_nM": "C0"}
    return {ours: float(found[theirs]) for ours, theirs in names.items()}


def main() -> None:
    made, values = [], []
    for name, (route, times, level) in profiles().items():
        made += [(name, f"{t:g}", f"{c:g}") for t, c in zip(times, level, strict=True)]
        limit = LIMIT if name == "oral_below" else 0.0
        for method in ("linear_up_log_down", "linear"):
            runs = [("pkpdutils", peak, by_pkpdutils(route, times, level, method, limit, peak)) for peak in (0, 1)]
            if name in ("oral", "oral_noisy", "bolus"):  # pynca 1.2.3 fails on the others, and knows no limit
                runs.append(("pynca", int(route == "bolus"), by_pynca(route, times, level, method)))
            for package, peak, found in runs:
                head = (name, route, method, limit, peak, package, version(package))
                values += [(*head, key, repr(value)) for key, value in found.items()]
    made += [("repeated", f"{t:g}", f"{c:g}") for t, c in zip(*repeated(), strict=True)]
    for method in ("linear_up_log_down", "linear"):
        head = ("repeated", "extravascular", method, 0.0, 0, "pkpdutils", version("pkpdutils"))
        values += [(*head, key, repr(value)) for key, value in intervals_by_pkpdutils(method).items()]
    tables = {
        "exposure_profiles": (("profile", "time_d", "level_nM"), made),
        "exposure_values": (
            ("profile", "route", "method", "limit_nM", "peak", "package", "version", "name", "value"),
            values,
        ),
    }
    for name, (header, lines) in tables.items():
        with (HERE / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(lines)


if __name__ == "__main__":
    main()
