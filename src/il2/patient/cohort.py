"""Treat virtual patients by the chunk: the task of long runs (`il2.runs`).

Every patient is one lane. Kept are the covariates, exposure to each drug, peak and end of each kind of cell, readouts
at the days that are asked for (32-bit), and why a patient failed. The bits of a patient are the same in any chunk.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run as evaluated
from il2.engine.march import DONE, FAILED, NO_NUMBER, NO_STEADY
from il2.engine.schedule import Run, run
from il2.engine.solve import Tolerances
from il2.knowledge.person import PER_UL
from il2.network.expression import Expr, num, sym
from il2.network.network import Network, Reaction, Species, check
from il2.network.program import Program, lower, lower_expressions
from il2.patient.amounts import events, given
from il2.patient.answer import CELLS
from il2.patient.arm import Arm, arms_of, levels, spans
from il2.patient.course import lowered
from il2.patient.patient import Plan
from il2.patient.people import covariates, factors, values
from il2.patient.pharmacokinetics import BODY, concentration
from il2.patient.pools import blood
from il2.patient.regimen import Given
from il2.patient.sequels import EOSINOPHILS, LEAK

Arrays = dict[str, np.ndarray]
STATUSES = (DONE, FAILED, NO_STEADY, NO_NUMBER)
COURSE, STATUS, REASON, ARM, PATIENT = "course ", "status", "reason", "arm", "patient"
PEAK, END = "peak", "end"
TOLERANCES = Tolerances(rtol=1e-4, atol=1e-8, first_step=1e-2)  # counts and areas come out right to 1e-3
TOGETHER = 1000  # patients that are solved at once, for memory
POINTS, BEND = 32, 3  # of a window, denser after the dose


def fold(kind: str) -> str:
    """Name of a count in blood over that at the start."""
    return f"fold_{kind}"


FOLDS = {fold(kind): blood(kind) for kind in CELLS} | {fold("eosinophil"): EOSINOPHILS}


@dataclass(frozen=True)
class Window:
    """From the first or the last dose of a drug to the next, or to the end: the places (n,) of its times, those before
    the next dose and that of the end."""

    name: str
    drug: str
    at: np.ndarray
    end: int


def treat(settings: dict[str, Any], first: int, last: int) -> Arrays:
    """Arrays (last - first, ...) by name of the patients from first up to last over all arms.

    settings: of `il2.patient.arm.settings`. Names: `arm`, `patient` (number of its stream), covariates,
    `DRUG AUC_first` (nM*d) and so on, `fold_CELL peak` and `fold_CELL end`, `course READOUT` (n, days), `status` (place
    in `STATUSES`) and `reason`.
    """
    arms, parts = arms_of(settings), []
    for arm, places in spans([a.number for a in arms], first, last):
        for begin in range(0, len(places), TOGETHER):
            found = _treated(arms[arm], places[begin : begin + TOGETHER] + arms[arm].first, settings)
            parts.append({ARM: np.full(len(found[PATIENT]), arm, np.int16)} | found)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _treated(arm: Arm, patients: np.ndarray, settings: dict[str, Any]) -> Arrays:
    drawn, plan, end = factors(settings["seed"], patients), arm.plan, settings["days"]
    doses_given = [pair for pair in given(arm.regimen, arm.person, drawn) if pair[0].time_d < end]
    times, windows = sampled([one for one, _ in doses_given], [d.name for d in plan.drugs], settings["report_d"], end)
    network, program = with_areas(plan)
    rows = parameter_rows(network, values(plan, arm.person, drawn) | dict(arm.changes))
    alone = multiprocessing.parent_process() is None  # a process among others leaves the other cores to them
    solved = run(
        network, rows, times, events(doses_given), tolerances=TOLERANCES, program=program,
        threads=None if alone else 1,
    )  # fmt: skip
    noted = covariates(arm.person, drawn)
    out: Arrays = {PATIENT: patients.astype(np.int64)} | noted
    out |= _exposures(network, rows, solved, windows, settings["drugs"])
    out |= _folds(network, solved, noted)
    out |= _courses(network, rows, solved, np.searchsorted(times, settings["report_d"]), settings)
    failed = np.array([s != DONE for s in solved.status])
    for name, array in out.items():
        if name != PATIENT and name not in noted:
            array[failed] = np.nan
    out[STATUS] = np.array([STATUSES.index(s) for s in solved.status], np.int8)
    out[REASON] = np.array([solved.reason(lane) for lane in range(len(rows))])
    return out


@lru_cache(maxsize=64)
def with_areas(plan: Plan) -> tuple[Network, Program]:
    """The network of a plan with the area under the level of each drug as one more state, and its program."""
    network, _ = lowered(plan)
    network = check(
        replace(
            network,
            species=(
                *network.species,
                *(Species(area(d.name), BODY, num(0.0), "nM*d", controlled=False) for d in plan.drugs),
            ),
            reactions=(
                *network.reactions,
                *(Reaction(area(d.name), {area(d.name): 1}, concentration(d.name), num(0.0), "nM") for d in plan.drugs),
            ),
        )
    )
    return network, lower(network)


def area(name: str) -> str:
    """Name of the area under the level of a drug since the start (nM*d)."""
    return f"{name}_area"


def sampled(
    doses_given: Sequence[Given], drugs: Sequence[str], report_d: Sequence[float], end: float
) -> tuple[np.ndarray, list[Window]]:
    """Times (times,) at which states are needed: each day, the days asked for, and densely after the first and the last
    dose of each drug; and these windows."""
    spans_d: list[tuple[str, str, float, float, list[float]]] = []
    for name in drugs:
        own = [g for g in doses_given if g.drug.partition("/")[0] == name]
        at = sorted({g.time_d for g in own})
        if not at:
            continue
        ends = [g.time_d + g.duration_d for g in own]
        after = at[1] if len(at) > 1 else end
        before = at[-1] - at[-2] if len(at) > 1 else end - at[-1]
        spans_d += [("first", name, at[0], after, ends), ("last", name, at[-1], min(end, at[-1] + before), ends)]
    share = (np.arange(POINTS + 1) / POINTS) ** BEND
    grids = [np.append(a + (b - a) * share[:-1], [b, *(e for e in ends if a < e < b)]) for _, _, a, b, ends in spans_d]
    times = np.unique(np.concatenate([np.arange(0.0, end), [end], report_d, *grids]))
    windows = [
        Window(name, drug, np.flatnonzero((times >= a) & (times < b)), int(np.searchsorted(times, b)))
        for name, drug, a, b, _ in spans_d
    ]
    return times, windows


def _exposures(network: Network, rows: np.ndarray, solved: Run, windows: list[Window], drugs: list[str]) -> Arrays:
    """AUC and highest level of the first and the last dose of each drug, and AUC to the end; 0 where there is none."""
    out: Arrays = {}
    for drug in drugs:
        area_name = area(drug)
        for what in ("AUC", "AUC_first", "Cmax_first", "AUC_last", "Cmax_last"):
            out[f"{drug} {what}"] = np.zeros(len(rows))
        if area_name not in network.species_names:
            continue
        areas = solved.y[..., network.species_names.index(area_name)]
        (level,) = _read(network, [_readout(network, f"{drug}_nM")], solved.y, rows)
        out[f"{drug} AUC"] = areas[:, -1].copy()
        for w in windows:
            if w.drug == drug:
                out[f"{drug} AUC_{w.name}"] = areas[:, w.end] - areas[:, w.at[0]]
                out[f"{drug} Cmax_{w.name}"] = level[:, w.at].max(axis=1)
    return out


def _folds(network: Network, solved: Run, noted: Arrays) -> Arrays:
    out: Arrays = {}
    for name, species in FOLDS.items():
        if species in network.species_names:
            course = solved.y[..., network.species_names.index(species)]
            if species == EOSINOPHILS:
                course = course / noted["eosinophil" + PER_UL][:, None]
            out[f"{name} {PEAK}"], out[f"{name} {END}"] = course.max(axis=1), course[:, -1].copy()
    leak = solved.y[..., network.species_names.index(LEAK)]
    return out | {f"capillary_leak_index {PEAK}": leak.max(axis=1), f"capillary_leak_index {END}": leak[:, -1].copy()}


def _courses(network: Network, rows: np.ndarray, solved: Run, at: np.ndarray, settings: dict[str, Any]) -> Arrays:
    """Readouts (n, days) at the places `at` of the times; the level of a drug that an arm does not give is 0."""
    known = {o.name for o in network.observables} | set(network.species_names)
    wanted = [name for name in settings["readouts"] if name in known]
    found = _read(network, [_readout(network, name) for name in wanted], solved.y[:, at], rows)
    found = [np.maximum(c, 0.0) if n in levels(settings["drugs"]) else c for n, c in zip(wanted, found, strict=True)]
    out = {COURSE + name: np.zeros((len(rows), len(at)), np.float32) for name in settings["readouts"]}
    for name, course in zip(wanted, found, strict=True):
        out[COURSE + name] = course.astype(np.float32)
    return out


def _readout(network: Network, name: str) -> Expr:
    own = {o.name: o.expr for o in network.observables}
    return own.get(name, sym(name))


def _read(network: Network, exprs: list[Expr], y: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """Readouts (n, times) of states (n, times, states)."""
    if not exprs:
        return []
    tape, places = lower_expressions(network, exprs)
    found = evaluated(tape, {"y": y, "p": rows[:, None, :]}, places)
    return [np.ascontiguousarray(found[..., i]) for i in range(len(exprs))]


def standard_readouts(drugs: Sequence[str]) -> list[str]:
    """What is kept of every population: levels, counts, and what IL-2 does beside them."""
    cells = [f"count_{kind}" for kind in CELLS]
    return [*levels(drugs), *cells, EOSINOPHILS, "soluble_IL2RA", "IL2_nM", "IL2RA_free", "capillary_leak_index"]
