"""Benchmark of the engine against other solvers of the same SBML network: `python benchmarks/engine.py`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import llvmlite.binding as llvm
import numpy as np
from floor import peak_rate, prepare_operations, step_operations, total, workspace_bytes
from latency import REPEATS, latencies
from printed import tables
from problem import ATOL, MODEL, RTOL, TIGHT_ATOL, TIGHT_RTOL, TIMES, Problem, errors, problem
from solvers import (
    ENGINE,
    SOLVERS,
    constant_places,
    installed,
    numba_equations,
    package_version,
    sbml_runner,
    species_places,
)

from il2.engine.compile import build, lane_width
from il2.engine.solve import Solution, Tolerances, solve

PACKAGES = ("il2", "libroadrunner", "numbalsoda", "scipy", "numba", "numpy", "llvmlite")
PRECISIONS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
WIDTHS = (8, 4, 2)
LEAST_SECONDS = 0.25  # a fast solver repeats the batch for this long in a round


def main() -> None:
    options = _options()
    whole = problem(options.lanes)
    shared = whole.first(options.peer_lanes)
    figures: dict = {"machine": machine(), "settings": settings(options, shared)}
    with one_core():
        figures["derivative"] = derivative_check(shared)
        reference = _solve(whole, Tolerances(rtol=TIGHT_RTOL, atol=TIGHT_ATOL))
        active = whole.active(reference.y)
        solvers = {name: kind.setup(shared) for name, kind in SOLVERS.items() if installed(name)}
        figures["reference"] = reference_check(solvers, shared, active)
        figures["solvers"] = compare(solvers, shared, active[: options.peer_lanes], options.rounds)
        states = {name: ("cold", "warm") if name == ENGINE else ("cold",) for name in solvers}
        figures["latency"] = {name: latencies(name, REPEATS, states[name]) for name in solvers}
        figures["precision"] = [precision(whole, active, rtol, options.rounds) for rtol in PRECISIONS]
        figures["widths"] = widths(whole, options.rounds)
    figures["threads"] = two_threads(whole, options.rounds)
    figures["floor"] = floor(whole, figures["widths"])
    report = [table.markdown() if options.markdown else table.text() for table in tables(figures)]
    print("\n".join(report))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (7)")
    parser.add_argument("--lanes", type=int, default=20_000, help="lanes of the engine's own tables (20000)")
    parser.add_argument("--peer-lanes", type=int, default=400, help="lanes that all solvers share (400)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    options = parser.parse_args()
    if not 1 <= options.peer_lanes <= options.lanes or options.rounds < 1:
        parser.error("rounds and lanes start at 1, and --peer-lanes is at most --lanes")
    return options


# --- where and what -------------------------------------------------------------------------------------------
def machine() -> dict:
    return {
        "cpu": _cpu_name(),
        "llvm_cpu": llvm.get_host_cpu_name(),
        "cores": _cores(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "packages": {name: package_version(name) for name in PACKAGES},
    }


def _cpu_name() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def settings(options: argparse.Namespace, case: Problem) -> dict:
    return {
        "model": MODEL,
        "states": case.program.n_states,
        "lanes": options.lanes,
        "peer_lanes": options.peer_lanes,
        "rounds": options.rounds,
        "rtol": RTOL,
        "atol": ATOL,
        "times": TIMES.tolist(),
        "width": lane_width(case.program),
    }


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process (and those that it starts) on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


# --- is it the same problem? ----------------------------------------------------------------------------------
def derivative_check(case: Problem, states: int = 100) -> float | None:
    """Largest relative difference of dy/dt, as the peers use it, to libroadrunner's of the SBML model."""
    if not (installed("libroadrunner") and installed("SciPy odeint")):
        return None
    runner, (f, _) = sbml_runner(case), numba_equations(case)
    places, species = constant_places(runner, case), species_places(runner, case)
    draws = 10.0 ** np.random.Generator(np.random.Philox(key=1)).uniform(-3, 4, (states, case.program.n_states))
    worst = 0.0
    for i, y in enumerate(draws):
        lane = i % len(case.parameters)
        runner.model.setGlobalParameterValues(places, case.constants[lane])
        runner.model.setFloatingSpeciesAmounts(species, y)
        expected = np.asarray(runner.getRatesOfChange())[species]
        found = f(0.0, y, case.prepared[0][lane])
        worst = max(worst, float(np.max(np.abs(found - expected) / np.abs(expected))))
    return worst


def reference_check(solvers: dict, case: Problem, active: np.ndarray) -> dict:
    """The tight reference is the engine's; how far LSODA with tight tolerances is from it, where installed."""
    if "SciPy odeint" not in solvers:
        return {}
    lanes = min(50, len(case.parameters))
    few = case.first(lanes)
    return errors(few.active(solvers["SciPy odeint"](few, TIGHT_RTOL, TIGHT_ATOL)), active[:lanes])


# --- throughput -----------------------------------------------------------------------------------------------
def compare(solvers: dict[str, Callable], case: Problem, active: np.ndarray, rounds: int) -> dict:
    """Interleaved rounds of all solvers on the same lanes."""
    found = {name: {"errors": errors(case.active(run(case, RTOL, ATOL)), active)} for name, run in solvers.items()}
    rates: dict[str, list[float]] = {name: [] for name in solvers}
    for _ in range(rounds):
        for name, run in solvers.items():
            rates[name].append(_rate(lambda run=run: run(case, RTOL, ATOL), len(case.parameters)))
    best = max((name for name in solvers if name != ENGINE), key=lambda name: median(rates[name]), default=None)
    for name in solvers:
        ratios = [a / b for a, b in zip(rates[name], rates[best], strict=True)] if best else []
        found[name] |= {"rates": rates[name], "ratios": ratios, "best_peer": name == best}
    return found


def _rate(work: Callable[[], object], lanes: int) -> float:
    """Lanes a second, over as many repetitions as fill LEAST_SECONDS."""
    start, done = time.perf_counter(), 0
    while True:
        work()
        done += 1
        spent = time.perf_counter() - start
        if spent >= LEAST_SECONDS:
            return done * lanes / spent


def _solve(case: Problem, tolerances: Tolerances | None = None, threads: int = 1, width: int | None = None) -> Solution:
    return solve(case.program, case.parameters, TIMES, tolerances=tolerances, threads=threads, width=width)


def precision(case: Problem, active: np.ndarray, rtol: float, rounds: int) -> dict:
    tolerances = Tolerances(rtol=rtol, atol=rtol * ATOL / RTOL)
    found = _solve(case, tolerances)
    rates = [_rate(lambda: _solve(case, tolerances), len(case.parameters)) for _ in range(min(rounds, 3))]
    steps = found.accepted + found.rejected
    rejected = float(found.rejected.sum() / steps.sum())
    failed = int((found.status != 0).sum())
    return {
        "rtol": rtol,
        "rates": rates,
        "steps": float(steps.mean()),
        "rejected": rejected,
        "failed": failed,
        "repivoted": int(found.repivoted.sum()),
        "errors": errors(case.active(found.y), active),
    }


def widths(case: Problem, rounds: int) -> dict:
    """Interleaved rounds at each lane width, with the time to compile and the peak of the core at that width."""
    found: dict[int, dict] = {}
    for width in WIDTHS:
        start = time.perf_counter()
        build(case.program, width)
        found[width] = {"compile": time.perf_counter() - start, "rates": []}
        _solve(case.first(8 * width), width=width)
    for _ in range(rounds):
        for width in WIDTHS:
            found[width]["rates"].append(_rate(lambda width=width: _solve(case, width=width), len(case.parameters)))
    for width in WIDTHS:
        found[width] |= {"peak": peak_rate(width), "bytes": workspace_bytes(case.program, width)}
    return found


def two_threads(case: Problem, rounds: int) -> dict | None:
    """Interleaved rounds with one and two threads, and the share of two cores that was had; None on a single core."""
    if _cores() < 2:
        return None
    one, two = (_solve(case, threads=threads) for threads in (1, 2))
    same = all(getattr(one, a).tobytes() == getattr(two, a).tobytes() for a in ("y", "status", "accepted", "rejected"))
    rates: dict[int, list[float]] = {1: [], 2: []}
    had = []
    for _ in range(rounds):
        rates[1].append(_rate(lambda: _solve(case), len(case.parameters)))
        start, used = time.perf_counter(), time.process_time()
        rates[2].append(_rate(lambda: _solve(case, threads=2), len(case.parameters)))
        had.append((time.process_time() - used) / (2 * (time.perf_counter() - start)))
    scaling = [b / a for a, b in zip(rates[1], rates[2], strict=True)]
    return {"lanes": len(case.parameters), "rates": rates, "scaling": scaling, "had": had, "same_bits": same}


def floor(case: Problem, by_width: dict) -> dict:
    """Counted operations, and how far the engine is from a core that does nothing else."""
    width = lane_width(case.program)
    found = _solve(case)
    parts = step_operations(case.program)
    step = sum(total(counts) for counts in parts.values())
    steps = float((found.accepted + found.rejected).mean())
    each = steps * step + prepare_operations(case.program)
    measured = by_width.get(width) or {"rates": [], "peak": peak_rate(width)}
    rate = median(measured["rates"])
    return {
        "width": width,
        "parts": {name: dict(counts) for name, counts in parts.items()},
        "per_step": step,
        "steps": steps,
        "per_solve": each,
        "bytes": workspace_bytes(case.program, width),
        "peak": measured["peak"],
        "rate": rate,
        "achieved": rate * each,
        "floor_seconds": each / measured["peak"],
        "share": rate * each / measured["peak"],
    }


if __name__ == "__main__":
    main()
