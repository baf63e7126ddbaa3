"""Exact stochastic simulation against other packages on the same models: `python benchmarks/ssa.py [--markdown]`.

Every solver runs the same number of trajectories to the same end on one core, in turns, and gives the counts at the
end; its mean must agree with the mean of all il2 trajectories within 5 standard errors. Compilation is not counted.
Peers do not say how many events they had: their events per second are trajectories per second times the events of
an il2 trajectory. GillesPy2's C++ solver needs g++ at run time and is left out where there is none.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from engine import one_core
from floor import peak_rate
from solvers import package_version
from table import Table, spread

from il2.engine import kernel
from il2.engine.ssa import simulate
from il2.engine.ssa_compile import build, lane_width
from il2.engine.ssa_driver import JumpLayout
from il2.engine.ssa_driver import build as driver
from il2.formats.sbml import sbml_ids, to_sbml
from il2.network.expression import num
from il2.network.network import Compartment, Network, Parameter, Species, check, reaction
from il2.network.propensity import Jumps, lower_jumps

ENGINE = "il2 engine"
ARITHMETIC = {
    "fadd", "fsub", "fmul", "fdiv", "fneg", "fcmp", "icmp", "select", "add", "sub", "mul", "and", "or", "xor", "shl",
    "lshr", "ashr",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A model, the time at its end, the species compared, trajectories of the engine and of its peers."""

    network: Network
    end: float
    species: str
    lanes: int
    peer_lanes: int


def birth_death() -> Case:
    made = reaction("birth", [], ["X"], "make"), reaction("death", ["X"], [], "lose")
    return Case(_network("birth-death", {"X": 0}, {"make": 10.0, "lose": 0.1}, made), 50.0, "X", 40_000, 4000)


def ring(size: int = 10) -> Case:
    """Molecules that step around a ring either way: 2 `size` reactions of first order."""
    values = {f"k{i}": 0.5 + 0.1 * i for i in range(2 * size)}
    made = [
        reaction(f"r{i}", [f"s{i % size}"], [f"s{(i + (1 if i < size else -1)) % size}"], f"k{i}")
        for i in range(2 * size)
    ]  # fmt: skip
    start = {f"s{i}": 20 if i else 100 for i in range(size)}
    return Case(_network(f"ring of {2 * size} reactions", start, values, tuple(made)), 1.0, "s0", 20_000, 4000)


def _network(name: str, start: dict[str, int], values: dict[str, float], reactions: tuple) -> Network:
    birth = {"make": "molecule/(cell*min)"}
    return check(
        Network(
            name,
            (Compartment("surface", 2),),
            tuple(Species(s, "surface", num(n)) for s, n in start.items()),
            tuple(Parameter(p, v, birth.get(p, "1/min")) for p, v in values.items()),
            (),
            reactions,
        )
    )


# --- solvers: set up once, then (lanes) -> counts of the species at the end -------------------------------------
Run = Callable[[int], np.ndarray]


def engine(case: Case) -> Run:
    jumps, row = lower_jumps(case.network), np.array(list(case.network.defaults().values()))
    return lambda lanes: simulate(jumps, row, np.array([case.end]), lanes=lanes, threads=1).of(case.species)[:, 0]


def roadrunner(case: Case) -> Run:
    from roadrunner import RoadRunner

    runner = RoadRunner(to_sbml(case.network))
    runner.setIntegrator("gillespie")
    runner.integrator.seed, runner.integrator.variable_step_size = 1, False
    runner.timeCourseSelections = [sbml_ids(case.network)["species", case.species]]

    def run(lanes: int) -> np.ndarray:
        out = np.empty(lanes)
        for lane in range(lanes):
            runner.reset()
            out[lane] = runner.simulate(0, case.end, 2)[-1, 0]
        return out

    return run


def gillespy(solver: str) -> Callable[[Case], Run]:
    def setup(case: Case) -> Run:
        import gillespy2

        if solver == "SSACSolver" and not shutil.which("g++"):
            raise OSError("g++ is not installed")
        os.environ["PYTHONPATH"] = str(Path(gillespy2.__file__).parents[1])  # its build starts another interpreter
        model = gillespy2.Model(name="model")
        model.add_species([gillespy2.Species(s.name, int(s.initial.args[0])) for s in case.network.species])
        model.add_parameter([gillespy2.Parameter(p.name, str(p.value)) for p in case.network.parameters])
        for r in case.network.reactions:
            taken = {s: -n for s, n in r.change.items() if n < 0}
            made = {s: n for s, n in r.change.items() if n > 0}
            rate = next(a.args[0] for a in (r.forward, *r.forward.args) if getattr(a, "args", [""])[0] in
                        case.network.parameter_names)  # fmt: skip
            model.add_reaction(gillespy2.Reaction(name=r.name, reactants=taken, products=made, rate=rate))
        model.timespan(gillespy2.TimeSpan(np.array([0.0, case.end])))
        ready = getattr(gillespy2, solver)(model=model)

        def run(lanes: int) -> np.ndarray:
            found = model.run(solver=ready, number_of_trajectories=lanes, seed=1)
            return np.array([trajectory[case.species][-1] for trajectory in found])

        return run

    return setup


PEERS: dict[str, tuple[str, Callable[[Case], Run], int]] = {
    "GillesPy2 SSACSolver (C++)": ("gillespy2", gillespy("SSACSolver"), 1),
    "libroadrunner gillespie": ("roadrunner", roadrunner, 4),
    "GillesPy2 NumPySSASolver": ("gillespy2", gillespy("NumPySSASolver"), 100),
}


# --- measuring ----------------------------------------------------------------------------------------------------
def compare(case: Case, rounds: int) -> tuple[Table, list[str]]:
    """One table of a model: trajectories and events a second, and the ratio of the engine to each solver."""
    jumps, row = lower_jumps(case.network), np.array(list(case.network.defaults().values()))
    whole = simulate(jumps, row, np.array([case.end]), lanes=case.lanes, seed=9)
    events, sample = float(whole.events.mean()), whole.of(case.species)[:, 0]
    runs, missing = {ENGINE: (engine(case), case.lanes)}, []
    for name, (module, setup, fewer) in PEERS.items():
        try:
            importlib.import_module(module)
            runs[name] = setup(case), max(20, case.peer_lanes // fewer)
        except Exception as error:  # a peer that cannot be built here is left out, and named
            missing.append(f"{name}: {str(error).splitlines()[0]}")
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for name, (run, lanes) in runs.items():
        found = run(lanes)
        off = abs(found.mean() - sample.mean()) / np.sqrt(sample.var() * (1 / lanes + 1 / case.lanes))
        if off > 5:
            raise SystemExit(f"{name} does not simulate {case.network.name}: its mean is {off:.1f} errors away")
    for _ in range(rounds):
        for name, (run, lanes) in runs.items():
            start = time.perf_counter()
            run(lanes)
            rates[name].append(lanes / (time.perf_counter() - start))
    rows = []
    for name, each in rates.items():
        ratios = [a / b for a, b in zip(rates[ENGINE], each, strict=True)]
        rows.append((name, spread(each), f"{median(each) * events / 1e6:.2f} M", spread(ratios, ",.1f")))
    best = max(rates[ENGINE])
    per_event, width = operations(jumps), lane_width(jumps)
    # A fused pair counts twice in the peak and issues once; integers and sums have as many units again.
    floor = per_event / peak_rate(min(width, 8))
    note = (
        f"{events:.0f} events a trajectory. Floor: {per_event} vector operations an event as printed, "
        f"{1e9 * floor:.1f} ns at twice this core's measured rate of fused multiply-adds; best round "
        f"{1e9 / (best * events):.1f} ns, {100 * floor * best * events:.0f} % of that."
    )
    title = f"{case.network.name}, one core, median and range of {rounds} rounds in turns"
    head = ("solver", "trajectories/s", "events/s", "il2 is faster by")
    return Table(title, head, rows, note), missing


def operations(jumps: Jumps) -> int:
    """Arithmetic on vectors in one turn of the generated loop: what one event of a lane costs."""
    tape, sums, least = jumps.cumulative()
    layout = JumpLayout(len(jumps.species), len(jumps.program.constants), len(sums), 0, lane_width(jumps))
    outputs = {"c": sums, "least": (least,)}
    printed = kernel.function("f", tape, dict.fromkeys(("y", "k", "c", "least"), 1), outputs, layout.width)
    loop = driver(layout, jumps.change, jumps.unguarded).split('@"drive"')[1]
    lines = (printed + loop).splitlines()
    vector = f"<{layout.width} x "
    return sum(vector in line and any(f"= {op} " in line for op in ARITHMETIC) for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(", ".join(f"{p} {package_version(p)}" for p in ("il2", "gillespy2", "libroadrunner", "numpy", "llvmlite")))
    for case in (birth_death(), ring()):
        start = time.perf_counter()
        jumps = lower_jumps(case.network)
        build(jumps, lane_width(jumps))
        compiled = time.perf_counter() - start
        with one_core():
            table, missing = compare(case, options.rounds)
        print(table.markdown() if options.markdown else table.text())
        print(f"Compiling anew: {compiled:.2f} s.", *(f"Left out: {m}." for m in missing))


if __name__ == "__main__":
    main()
