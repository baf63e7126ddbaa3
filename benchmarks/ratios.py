"""All ratios to named peers in one table, with the curves of work against precision and the cost against size.

python benchmarks/ratios.py [--rounds 5] [--write docs]

--write FOLDER writes the page FOLDER/benchmarks.md and its figure FOLDER/precision.png from the same run.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from statistics import median

import engine as solving
import gradient as gradients
import scaling
import ssa
from problem import ATOL, RTOL, TIGHT_ATOL, TIGHT_RTOL, Problem, errors, problem
from solvers import ENGINE, SOLVERS, installed, package_version
from table import Table, count, spread

from il2.engine.solve import Tolerances

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")  # Okabe and Ito
MARKS = ("o", "s", "^", "D", "v", "P")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write the page and its figure here")
    options = parser.parse_args()
    if options.write and not options.write.is_dir():
        parser.error(f"{options.write} is no folder")
    warnings.simplefilter("ignore")
    about = solving.machine()
    with solving.one_core():
        ours, curves = solves(options.rounds)
        of_gradients = gradients.compare(problem(2000), 40, options.rounds)
        jumps = [ssa.compare(case, options.rounds) for case in (ssa.birth_death(), ssa.ring())]
    of_jumps = [table for table, _ in jumps]
    absent = sorted({text for _, missing in jumps for text in missing} | {n for n in SOLVERS if not installed(n)})
    threads = solving.two_threads(problem(20_000), options.rounds)
    by_size = Table("Cost against size", scaling.head([1, 2]), [r for n in scaling.SIZES for r in sizes(n)])
    ratios = Table("All ratios", ("what", "of", "ratio (range)"), rows(ours, of_gradients, of_jumps, threads))
    load = f", load {about['load']:.1f} at the start" if about["load"] is not None else ""
    note = f"{about['cpu']}, {about['cores']} cores{load}; {about['system']}; {options.rounds} interleaved rounds."
    note += f" Not installed: {', '.join(absent)}." if absent else ""
    tables = [ratios, curves, of_gradients, *of_jumps, by_size]
    print(note, *(table.text() for table in tables), sep="\n")
    if options.write:
        write(options.write, note, tables)


def solves(rounds: int) -> tuple[dict, Table]:
    """Rates of all solvers at the tolerances of the benchmark, and each at several tolerances."""
    shared = problem(400)
    tight = solving._solve(shared, Tolerances(rtol=TIGHT_RTOL, atol=TIGHT_ATOL))
    active = shared.active(tight.y)
    runs = {name: kind.setup(shared) for name, kind in SOLVERS.items() if installed(name)}
    found = solving.compare(runs, shared, active, rounds)
    body = [point(name, run, shared, active, rtol) for name, run in runs.items() for rtol in solving.PRECISIONS]
    head = ("solver", "rtol", "solves/s", "ms a solve", "max error", "median error")
    return found, Table("Work and precision", head, body, "Error of the observable, relative to the tight solution.")


def point(name: str, run, case: Problem, active, rtol: float) -> tuple[str, ...]:
    atol = rtol * ATOL / RTOL
    start = time.perf_counter()
    found = run(case, rtol, atol)
    spent = time.perf_counter() - start
    rate = len(case.parameters) / spent
    if name == ENGINE:  # too fast for one batch
        rate = solving._rate(lambda: run(case, rtol, atol), len(case.parameters))
    off = errors(case.active(found), active)
    return name, f"{rtol:g}", count(rate), f"{1e3 / rate:.3g}", f"{off['max']:.1e}", f"{off['median']:.1e}"


def sizes(species: int) -> list[tuple[str, ...]]:
    return scaling.measure(species, 30, [1, 2], [None], 20_000)


def rows(ours: dict, of_gradients: Table, of_jumps: list[Table], threads: dict | None) -> list[tuple[str, ...]]:
    found = [
        (
            "solves/s",
            f"il2 / {name}",
            spread([a / b for a, b in zip(ours[ENGINE]["rates"], each["rates"], strict=True)], ".1f"),
        )
        for name, each in ours.items()
        if name != ENGINE
    ]
    found += [("gradients/s", f"il2 / {row[0]}", row[4]) for row in of_gradients.rows if row[0] != gradients.OURS]
    found += [
        (f"trajectories/s, {table.title.split(',')[0]}", f"il2 / {row[0]}", row[3])
        for table in of_jumps
        for row in table.rows
        if row[0] != ssa.ENGINE
    ]
    if threads:
        same = "same bits" if threads["same_bits"] else "OTHER BITS"
        had = f"{same}; {100 * median(threads['had']):.0f} % of both cores were had"
        found.append(("solves/s, threads", f"two / one ({had})", spread(threads["scaling"], ".2f")))
    return found


def write(folder: Path, note: str, tables: list[Table]) -> None:
    figure(folder / "precision.png", tables[1])
    versions = ", ".join(f"{name} {package_version(name)}" for name in ("il2", *solving.PACKAGES[1:]))
    head = [
        "# Benchmarks", "",
        "Written by `python benchmarks/ratios.py --write docs`; every figure on this page is of that one run. "
        "[What is measured and how](../benchmarks/README.md).", "", note, versions + ".", "",
        "![Time of a solve against the error of the observable, per solver](precision.png)", "",
    ]  # fmt: skip
    (folder / "benchmarks.md").write_text("\n".join([*head, *(t.markdown() for t in tables)]), encoding="utf-8")


def figure(path: Path, curves: Table) -> None:
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(7, 4.5), layout="constrained")
    axes = drawing.subplots()
    for n, name in enumerate(dict.fromkeys(row[0] for row in curves.rows)):
        mine = [row for row in curves.rows if row[0] == name]
        look = {"color": COLOURS[n % len(COLOURS)], "marker": MARKS[n % len(MARKS)], "markersize": 5}
        axes.plot([float(row[4]) for row in mine], [float(row[3]) for row in mine], label=name, **look)
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel="largest relative error of the observable", ylabel="ms a solve, one core")
    axes.invert_xaxis()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small")
    span = f"{max(solving.PRECISIONS):g} to {min(solving.PRECISIONS):g}"
    axes.set_title(f"34-state network, rtol {span}", fontsize="medium")
    drawing.savefig(path, dpi=130)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
