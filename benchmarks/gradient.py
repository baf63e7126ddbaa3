"""Gradients a second and core of the engine and of peers: `python benchmarks/gradient.py [--markdown]`.

The gradient is that of one number a lane, the sum of the observable over the output times, by all parameters and all
initial values of the 34-state benchmark network. Peers and engine take turns on one core.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median

import numpy as np
from engine import machine, one_core
from floor import peak_rate, prepare_operations, step_operations, total
from gradient_peers import (
    AMICI_PYTHON,
    STEP,
    Amici,
    Run,
    adjoint,
    casadi_adjoint,
    casadi_forward,
    differences,
    timed,
)
from gradient_peers import total as summed
from networks import _parameters as lanes_of
from problem import ATOL, MODEL, RTOL, TIMES, Problem, problem
from solvers import package_version
from table import Table, count, seconds, spread
from tapes import operations

from il2.engine import rodas5p
from il2.engine.backward import modules
from il2.engine.compile import BACKWARD, FORWARD, build, lane_width
from il2.engine.elimination import eliminate, transposed
from il2.engine.gradient import gradient
from il2.engine.observe import observed
from il2.engine.sideways import through_jacobian, through_rates
from il2.engine.solve import Tolerances, solve
from il2.network.program import Program, lower
from il2.signalling.models import model

TIGHT = (1e-11, 1e-13)
NETWORKS, WIDTHS = (MODEL, "response-IL2", "response-family"), (2, 4, 8)
OURS, CASADI_FORWARD, AMICI = "il2, discrete adjoint", "CasADi CVODES, forward", "AMICI, adjoint (parameters only)"


@dataclass
class Way:
    """A way to the gradient on the first lanes of the batch, and what was found of it."""

    version: str
    run: Run
    case: Problem
    error: float = float("nan")
    rates: tuple[float, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--lanes", type=int, default=2000, help="lanes of the engine (2000)")
    parser.add_argument("--peer-lanes", type=int, default=40, help="lanes of the peers (40, or a tenth)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    options = parser.parse_args()
    about = machine()
    with one_core():
        case = problem(options.lanes)
        found = [compare(case, options.peer_lanes, options.rounds), floor(case, options.rounds)]
        found.append(networks(options.rounds))
    load = f"{about['load']:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
    print(f"{about['cpu']} ({about['llvm_cpu']}), {about['cores']} cores, {about['system']}; load average {load}\n")
    print("\n".join(table.markdown() if options.markdown else table.text() for table in found))


# --- peers ----------------------------------------------------------------------------------------------------
def compare(whole: Problem, peer_lanes: int, rounds: int) -> Table:
    case = whole.first(peer_lanes)
    reference = adjoint(case, *TIGHT)
    scale = scales(case)
    ways, notes = _ways(whole, case, scale)
    for way in ways.values():
        way.error = error(way.run(way.case, RTOL, ATOL)[0], reference, case, scale)
    for _ in range(rounds):
        for way in ways.values():
            way.rates += (len(way.case.parameters) / way.run(way.case, RTOL, ATOL)[1],)
    few = case.first(4)
    moved = differences(few, *TIGHT, scale[:4], 1e-4)
    checks = [f"central differences {error(moved, reference, few, scale):.1e}"]
    if CASADI_FORWARD in ways:
        tight, _ = ways[CASADI_FORWARD].run(few, 1e-10, 1e-12)
        checks.append(f"CasADi's forward sensitivities at rtol 1e-10 {error(tight, reference, few, scale):.1e}")
    if AMICI in ways:
        amici = ways[AMICI].run
        tight, _ = amici(case, 1e-10, 1e-12)
        checks.append(f"AMICI's adjoint at rtol 1e-10 {error(tight, reference, case, scale):.1e}")
        amici.close()
    ours = ways[OURS].rates
    rows = [
        (
            name, way.version, str(len(way.case.parameters)),
            spread(list(way.rates), ",.1f" if max(way.rates) < 100 else ",.0f"),
            spread([a / b for a, b in zip(ours, way.rates, strict=True)], ",.0f"), f"{way.error:.1e}",
        )
        for name, way in ways.items()
    ]  # fmt: skip
    note = (
        f"{len(whole.program.parameters)} parameters and {whole.program.n_states} initial values; rtol {RTOL:g}, "
        f"atol {ATOL:g}; {rounds} interleaved rounds. Error: the largest difference of an elasticity to the engine's "
        f"at rtol {TIGHT[0]:g}, of the largest elasticity of the lane, on {peer_lanes} lanes or those of the row. "
        f"Seconds are those of the processor. The reference and tight {', '.join(checks)}. {' '.join(notes)}"
    )
    head = ("gradient by", "version", "lanes", "gradients/s and core, median (range)", "engine / this (range)", "error")
    return Table(f"Gradients, {MODEL}", head, rows, note)


def _ways(whole: Problem, case: Problem, scale: np.ndarray) -> tuple[dict[str, Way], list[str]]:
    ours = package_version("il2")
    ways = {
        OURS: Way(ours, timed(adjoint), whole),
        f"il2, central differences (step {STEP:g})": Way(ours, timed(lambda *a: differences(*a, scale)), case),
    }
    notes = []
    if find_spec("casadi"):
        known = package_version("casadi")
        ways["CasADi CVODES, adjoint"] = Way(known, casadi_adjoint(case), case)
        few = case.first(max(1, len(case.parameters) // 10))
        ways[CASADI_FORWARD] = Way(known, casadi_forward(case), few)
    else:
        notes.append("CasADi is not installed.")
    if os.environ.get(AMICI_PYTHON):
        amici = Amici(case)
        ways[AMICI] = Way(amici.version, amici, case)
    else:
        notes.append(f"AMICI was left out: {AMICI_PYTHON} is not set.")
    return ways, notes


def scales(case: Problem) -> np.ndarray:
    """How large each state gets (lanes, states): what a derivative by an initial value is multiplied with."""
    y = solve(case.program, case.parameters, np.array([0.0, 1.0, 10.0, *TIMES]), threads=1).y
    return np.abs(y).max(1)


def error(found, reference, case: Problem, scale: np.ndarray) -> float:
    """Largest difference of an elasticity over the largest elasticity of the lane."""
    lanes = min(len(found[0]), len(reference[0]), len(case.parameters))
    worst, largest = np.zeros(lanes), np.zeros(lanes)
    for mine, other, size in zip(found, reference, (case.parameters, scale), strict=True):
        elasticity = np.abs(other[:lanes] * size[:lanes]).max(1)
        largest = np.maximum(largest, elasticity)
        if mine is not None:
            worst = np.maximum(worst, np.abs((mine[:lanes] - other[:lanes]) * size[:lanes]).max(1))
    return float((worst / largest).max())


# --- the engine by network and width --------------------------------------------------------------------------
def networks(rounds: int) -> Table:
    rows = [row for name in NETWORKS for row in by_width(name, rounds)]
    head = (
        "network", "states", "lanes a vector", "solves/s", "gradients/s", "solve / gradient",
        "compile: solve, backward pass",
        "working set of the backward step",
    )  # fmt: skip
    note = f"{rounds} interleaved rounds of the widths; medians (range). Compiled without a cache."
    return Table("Gradients of the engine by network and lane width", head, rows, note)


def by_width(name: str, rounds: int) -> list[tuple[str, ...]]:
    network = model(name).build()
    program = lower(network)
    p = problem(2000).parameters if name == MODEL else lanes_of(network)
    loss = observed(network, [network.observables[0].name], p, summed)
    options = {"tolerances": Tolerances(rtol=RTOL, atol=ATOL), "threads": 1}
    kinds = [(w, kind) for w in WIDTHS for kind in (FORWARD, BACKWARD)]
    compile = {(w, kind): _spent(lambda w=w, kind=kind: build(program, w, kind)) for w, kind in kinds}
    solves, gradients = ({w: [] for w in WIDTHS} for _ in range(2))
    for turn in range(rounds + 1):
        for w in WIDTHS:
            forward = len(p) / _spent(lambda w=w: solve(program, p, TIMES, width=w, **options))
            both = len(p) / _spent(lambda w=w: gradient(program, p, TIMES, loss, width=w, **options))
            if turn:
                solves[w].append(forward)
                gradients[w].append(both)
    return [
        (
            name, str(program.n_states), f"{w} (chosen)" if w == lane_width(program) else str(w),
            count(median(solves[w])),
            spread(gradients[w]), f"{median(a / b for a, b in zip(solves[w], gradients[w], strict=True)):.1f}",
            f"{seconds(compile[w, FORWARD])}, {seconds(compile[w, BACKWARD])}",
            f"{8 * modules(program, w)[2].doubles / 1024:.0f} KiB",
        )
        for w in WIDTHS
    ]  # fmt: skip


def _spent(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


# --- the floor ------------------------------------------------------------------------------------------------
def backward_operations(program: Program) -> dict[str, Counter]:
    """Operations of one backward step of one lane by part, as in `floor.step_operations`."""
    elimination, n, stages, stored = eliminate(program), program.n_states, rodas5p.STAGES, len(rodas5p.A)
    solution_tape, solution = transposed(elimination)
    rates, jacobian = through_rates(program), through_jacobian(program)
    pairs, own = sum(range(stages)), sum(range(stored))
    forward = step_operations(program)
    again = Counter(add=n * (pairs + own + stages - stored), mul=n * (pairs + own) + 2 * pairs)
    back = Counter(add=n * (pairs + own + stages - stored + stored - 1), mul=n * (pairs + own))
    return {
        "rates, again": forward["rates"],
        "Jacobian and factorisation, again": forward["Jacobian and factorisation"],
        "triangular solves, again": forward["triangular solves"],
        "stage combinations, there and back": again + back,
        "transposed triangular solves": _times(stages, operations(solution_tape, solution)),
        "through the rates": _times(stages, operations(rates.tape, (*rates.states, *rates.constants))),
        "through the Jacobian": operations(jacobian.tape, (*jacobian.states, *jacobian.constants)),
    }


def _times(n: int, counts: Counter) -> Counter:
    return Counter({kind: n * value for kind, value in counts.items()})


def floor(case: Problem, rounds: int) -> Table:
    program = case.program
    found = solve(program, case.parameters, TIMES, tolerances=Tolerances(rtol=RTOL, atol=ATOL), threads=1)
    parts = backward_operations(program)
    back = sum(total(counts) for counts in parts.values())
    ahead = sum(total(counts) for counts in step_operations(program).values())
    taken, tried = float(found.accepted.mean()), float((found.accepted + found.rejected).mean())
    each = tried * ahead + taken * back + 3 * prepare_operations(program)
    run = timed(adjoint)
    spent = median(run(case, RTOL, ATOL)[1] for _ in range(rounds)) / len(case.parameters)
    peak = peak_rate(lane_width(program))
    sizes = {name: total(counts) for name, counts in parts.items()}
    rows = [(f"backward step: {name}", f"{size:,} ({100 * size / back:.0f} %)") for name, size in sizes.items()]
    rows += [
        ("operations of a backward step", f"{back:,}"),
        ("operations of a forward step", f"{ahead:,}"),
        ("steps a lane, backward and forward", f"{taken:.1f}, {tried:.1f}"),
        ("operations of a gradient", count(each)),
        ("peak of the core (fused multiply-adds)", f"{peak / 1e9:.1f} GFlop/s"),
        ("floor of a gradient at that peak", f"{1e6 * each / peak:.0f} µs"),
        ("measured", f"{1e6 * spent:.0f} µs, {each / spent / 1e9:.1f} GFlop/s"),
        ("share of the peak", f"{100 * each / spent / peak:.0f} %"),
    ]
    return Table("The floor of a gradient", ("what", "value"), rows)


if __name__ == "__main__":
    main()
