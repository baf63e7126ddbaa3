"""A 96-well plate of five kinds of cells over five days with 200 donors each: time, memory, floor, and SciPy beside it.

python benchmarks/culture.py [--wells 96] [--donors 200] [--threads 2] [--peer-lanes 3] [--without-peer] [--markdown]
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from dataclasses import dataclass

import numpy as np
from floor import floor_rows, workspace_bytes
from scipy.integrate import solve_ivp
from scipy.sparse import csr_array
from table import Table, count
from tapes import rates_function

from il2.cell import lanes
from il2.cell.culture import culture
from il2.cell.well import Antigen, Cells, Well
from il2.engine.compile import compiled, lane_width
from il2.engine.evaluate import prepare
from il2.engine.solve import solve

TIMES_h = np.arange(0, 121, 3)
MIX = {"Th": 50_000, "CD8": 25_000, "Treg": 25_000, "NK": 10_000, "B_activated": 10_000}
ROWS = "ABCDEFGH"
LANES = 64  # of the engine on one core, for the ratio
PEERS = ("BDF", "LSODA")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wells", type=int, default=96)
    parser.add_argument("--donors", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer-lanes", type=int, default=3)
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    program = lanes.lowered(lanes.setup(next(iter(plate(1).values()))))[1]
    start = time.perf_counter()
    compiled(program)
    compile_s = time.perf_counter() - start
    whole = grown(plate(options.wells), options.donors, options.threads)
    tables = [time_table(whole, options, compile_s), floor_table(program, whole, options.threads)]
    if not options.without_peer:
        tables.append(peer_table(program, options.peer_lanes))
    for each in tables:
        print(each.markdown() if options.markdown else each.text())


def plate(wells: int) -> dict[str, Well]:
    """Antigen rises over the columns, and regulatory T cells over the rows."""
    out = {}
    for i in range(wells):
        row, column = divmod(i, 12)
        numbers = MIX | {"Treg": MIX["Treg"] * row / 4}
        cells = tuple(Cells(kind, number) for kind, number in numbers.items())
        antigen = (Antigen(1e7 * 10 ** (column / 4)),)
        out[f"{ROWS[row]}{column + 1}"] = Well(cells=cells, antigen=antigen, costimulation=1.0)
    return out


@dataclass
class Grown:
    """seconds of wall and of processor time, steps and lanes that failed over all lanes, most memory (bytes)."""

    seconds: float
    processor: float
    steps: int
    lanes: int
    failed: int
    memory: int


def grown(wells: dict[str, Well], donors: int, threads: int) -> Grown:
    """Solve all with a progress bar; the steps are counted at the door of the engine."""
    from rich.console import Console
    from rich.progress import Progress

    found = Grown(0.0, 0.0, 0, 0, 0, 0)
    plain = lanes.run

    def counted(*given, **named):
        solved = plain(*given, **named)
        found.steps += int(solved.steps.sum())
        found.lanes += len(solved.steps)
        found.failed += int((solved.status != "done").sum())
        return solved

    lanes.run = counted
    start, used = time.perf_counter(), time.process_time()
    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task("cultures", total=len(wells) * (1 + donors))
        culture(
            wells, TIMES_h, donors=donors, bands=True, threads=threads, on_done=lambda n: bars.update(task, advance=n)
        )
    found.seconds, found.processor = time.perf_counter() - start, time.process_time() - used
    lanes.run = plain
    found.memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found


def time_table(whole: Grown, options: argparse.Namespace, compile_s: float) -> Table:
    cores = whole.processor / whole.seconds
    rows = [
        ("cultures (wells times donors and the typical one)", count(whole.lanes)),
        ("wall time", f"{whole.seconds:.0f} s"),
        ("threads; cores that the system gave", f"{options.threads}; {cores:.2f}"),
        ("per culture and core", f"{1e3 * whole.processor / whole.lanes:.2f} ms"),
        ("steps per culture", f"{whole.steps / whole.lanes:.0f}"),
        ("cultures that failed", count(whole.failed)),
        ("most memory", f"{whole.memory / 1e6:.0f} MB"),
        ("compiling, or loading what was compiled", f"{compile_s:.1f} s"),
        ("load average", f"{os.getloadavg()[0]:.2f}"),
    ]
    title = f"{options.wells} wells of {len(MIX)} kinds of cells, 5 days, {options.donors} donors each"
    return Table(title, ("what", "value"), rows)


def floor_table(program, whole: Grown, threads: int) -> Table:
    width = lane_width(program)
    held = workspace_bytes(program, width) / width
    rate = stream_rate()
    moved = whole.steps * held / rate
    rows = [
        *floor_rows(program, width, whole.steps, whole.processor, threads),
        ("bytes that a lane holds in a step", count(held)),
        ("copying in memory, one core", f"{rate / 1e9:.1f} GB/s"),
        (f"floor by bytes, if each were moved once a step, {threads} cores", f"{moved / threads:.1f} s"),
    ]
    note = "Operations are additions, multiplications and divisions; the peak is a loop of fused multiply-adds."
    return Table("Floor", ("what", "value"), rows, note)


def stream_rate() -> float:
    """Bytes a second that one core reads and writes in a copy larger than its caches."""
    from_, to = np.ones(2**25), np.empty(2**25)
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(to, from_)
        best = min(best, time.perf_counter() - start)
    return 2 * from_.nbytes / best


def peer_table(program, peer_lanes: int) -> Table:
    """The same lanes by SciPy with compiled rates: BDF with the pattern of the Jacobian, and LSODA."""
    import numba

    well = list(plate(96).values())[-1]
    found = lanes.setup(well)
    network = lanes.lowered(found)[0]
    row = lanes._parameters(network, [lanes.values_of(well, found)], {}, np.zeros(1, int), np.zeros(1, int))
    parameters = np.repeat(row, LANES, axis=0)
    at = network.parameter_names.index("Th:IL2RA_count")
    parameters[:, at] *= np.linspace(0.5, 2, LANES)
    constants, initial = prepare(program, parameters)
    initial[:, program.states.index("antigen@APC")] = well.antigen[0].molecules
    times = TIMES_h * lanes.HOUR
    start = time.process_time()
    own = solve(program, parameters, times, initial=initial, tolerances=lanes.TOLERANCES, threads=1).y
    engine = (time.process_time() - start) / LANES
    rates = numba.njit(fastmath={"contract"}, error_model="numpy")(rates_function(program))
    n, out = program.n_states, np.empty(program.n_states)

    def f(t, y, k):
        rates(t, y, out, k)
        return out.copy()

    f(0.0, initial[0], constants[0])
    places = tuple(np.array([p[i] for p in program.jacobian]) for i in (0, 1))
    pattern = csr_array((np.ones(len(places[0])), places), (n, n))
    picked = np.linspace(0, LANES - 1, peer_lanes).round().astype(int)
    cells = [i for i, s in enumerate(program.states) if s.endswith(":cells")]
    rows = [("il2 engine, rtol 1e-6", f"{1e3 * engine:.1f} ms", "1", "-")]
    for name in PEERS:
        more = {"jac_sparsity": pattern} if name == "BDF" else {}
        used, worst = 0.0, 0.0
        for lane in picked:
            start = time.process_time()
            solved = solve_ivp(
                f, (0, times[-1]), initial[lane], name, times, args=(constants[lane],), rtol=1e-6, atol=1e-8, **more
            )
            used += time.process_time() - start
            worst = np.fmax(worst, np.abs(solved.y.T[:, cells] / own[lane][:, cells] - 1).max())
        each = used / len(picked)
        rows.append((f"SciPy {name}", f"{1e3 * each:.0f} ms", f"{each / engine:.0f}", f"{worst:.1e}"))
    head = ("solver", "processor time per culture", "ratio", "largest difference of cell numbers")
    note = (
        f"One core; {LANES} lanes of the engine, {peer_lanes} of SciPy, whose rates are compiled by Numba beforehand."
    )
    return Table("Beside SciPy", head, rows, note)


if __name__ == "__main__":
    main()
