"""Virtual patients over eight weeks of daily dosing: rate, floor, and libroadrunner on the same system beside it.

python benchmarks/patients.py [--patients 100000] [--threads 2] [--peer-patients 12] [--without-peer] [--markdown]
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from types import SimpleNamespace

import numpy as np
from floor import floor_rows
from solvers import constant_places, sbml_runner
from table import Table, count

from il2.engine.batch import parameter_rows
from il2.engine.compile import compiled, lane_width
from il2.engine.evaluate import prepare
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.formats.sbml import sbml_ids
from il2.knowledge.person import person
from il2.network.expression import evaluate
from il2.patient.amounts import events, given
from il2.patient.course import TOLERANCES, lowered, plan_of
from il2.patient.people import factors, values
from il2.patient.regimen_file import regimen

REGIMEN, WHO, DAYS, TOGETHER = "cGVHD_daily", "cGVHD", 56, 2000
READ_d = np.arange(0.0, DAYS + 1, 7)
TIGHT = Tolerances(rtol=1e-9, atol=1e-12)
DEPOT = "aldesleukin@depot"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer-patients", type=int, default=12)
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    plan = plan_of([regimen(REGIMEN)])
    network, program = lowered(plan)
    compiled(program)
    start, used = time.perf_counter(), time.process_time()
    steps, failed = 0, 0
    for first in range(0, options.patients, TOGETHER):
        last = min(first + TOGETHER, options.patients)
        found = treated(plan, network, program, np.arange(first, last), TOLERANCES, options.threads)
        steps += int(found.steps.sum())
        failed += int((found.status != "done").sum())
    wall, processor = time.perf_counter() - start, time.process_time() - used
    whole = SimpleNamespace(wall=wall, processor=processor, steps=steps, failed=failed, patients=options.patients)
    tables = [time_table(whole, options), floor_table(program, whole, options.threads)]
    if not options.without_peer:
        tables.append(peer_table(plan, network, program, options.peer_patients, whole))
    for each in tables:
        print(each.markdown() if options.markdown else each.text())


def treated(plan, network, program, patients, tolerances, threads):
    """Solve patients of these numbers, drawn from the variation between people."""
    drawn = factors(0, patients)
    rows = parameter_rows(network, values(plan, person(WHO), drawn))
    doses = given(regimen(REGIMEN), person(WHO), drawn)
    return run(network, rows, READ_d, events(doses), tolerances=tolerances, program=program, threads=threads)


def time_table(whole, options) -> Table:
    rows = [
        ("patients, each with a dose a day", count(whole.patients)),
        ("wall time", f"{whole.wall:.1f} s"),
        ("patients a second", f"{whole.patients / whole.wall:.0f}"),
        ("threads; cores that the system gave", f"{options.threads}; {whole.processor / whole.wall:.2f}"),
        ("per patient and core", f"{1e3 * whole.processor / whole.patients:.2f} ms"),
        ("steps per patient", f"{whole.steps / whole.patients:.0f}"),
        ("patients that failed", count(whole.failed)),
        ("most memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB"),
        ("load average", f"{os.getloadavg()[0]:.2f}"),
    ]
    return Table(f"{DAYS} days of 1 MIU/m2 a day, relative tolerance {TOLERANCES.rtol:g}", ("what", "value"), rows)


def floor_table(program, whole, threads: int) -> Table:
    rows = floor_rows(program, lane_width(program), whole.steps, whole.processor, threads)
    return Table("Floor", ("what", "value"), rows)


def peer_table(plan, network, program, patients: int, whole) -> Table:
    """libroadrunner (CVODE, stiff) patient by patient, told of each dose; errors against a tight run of the engine."""
    numbers = np.arange(patients)
    tight = treated(plan, network, program, numbers, TIGHT, 1).y
    own = treated(plan, network, program, numbers, TOLERANCES, 1).y
    drawn = factors(0, numbers)
    rows_ = parameter_rows(network, values(plan, person(WHO), drawn))
    _, initial = prepare(program, rows_)
    problem = SimpleNamespace(network=network, program=program)
    runner = sbml_runner(problem)
    names = constant_names(network)
    problem.constant_names = names
    places = constant_places(runner, problem)
    ids = sbml_ids(network)
    states = [ids["species", name] for name in program.states]
    derived, depot = constants_of(network, rows_), ids["species", DEPOT]
    doses = given(regimen(REGIMEN), person(WHO), drawn)
    amounts = np.array([np.broadcast_to(a, (patients,)) for _, a in doses])
    days = np.array([round(g.time_d) for g, _ in doses])
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = TOLERANCES.rtol, TOLERANCES.atol
    out, model = np.full_like(own, np.nan), runner.model

    def one(lane: int) -> None:
        model.setTime(0.0)
        model.setGlobalParameterValues(places, derived[lane])
        for name, value in zip(states, initial[lane], strict=True):
            model.setValue(name, value)
        for day in range(DAYS):
            for n in np.flatnonzero(days == day):
                model.setValue(depot, model.getValue(depot) + amounts[n, lane])
            runner.simulate(float(day), float(day + 1), 2)
            if (day + 1) % 7 == 0:
                out[lane, (day + 1) // 7] = [model.getValue(name) for name in states]

    one(0)
    start = time.process_time()
    for lane in range(patients):
        one(lane)
    each = (time.process_time() - start) / patients
    kept = [i for i, s in enumerate(program.states) if s.startswith("blood_")]
    engine = whole.processor / whole.patients

    def worst(y) -> str:
        return f"{np.abs(y[:, 1:, kept] / tight[:, 1:, kept] - 1).max():.1e}"

    rows = [
        ("il2 engine", f"{1e3 * engine:.2f} ms", "1", worst(own)),
        ("libroadrunner", f"{1e3 * each:.1f} ms", f"{each / engine:.0f}", worst(out)),
    ]
    note = (
        "Processor time of a patient on one core; error: largest relative deviation of blood counts from a tight run."
    )
    return Table("Peer", ("solver", "per patient", "times slower", "error"), rows, note)


def constant_names(network) -> list[str]:
    return [*network.parameter_names, *(d.name for d in network.derived)]


def constants_of(network, rows: np.ndarray) -> np.ndarray:
    """Parameters and derived constants of every lane."""
    out = []
    for row in rows:
        table = dict(zip(network.parameter_names, row, strict=True))
        for d in network.derived:
            table[d.name] = evaluate(d.expr, table)
        out.append([table[name] for name in constant_names(network)])
    return np.array(out)


if __name__ == "__main__":
    main()
