"""The figures of a run as tables."""

from __future__ import annotations

from statistics import median

from latency import REPEATS
from problem import SMALLEST
from solvers import ENGINE, SOLVERS
from table import Table, count, seconds, spread

ABSENT = "not installed"


def tables(figures: dict) -> list[Table]:
    return [
        _machine_table(figures),
        _check_table(figures),
        _solver_table(figures),
        _latency_table(figures),
        _thread_table(figures),
        _floor_table(figures["floor"]),
        _operations_table(figures["floor"]),
        _precision_table(figures["precision"]),
        _width_table(figures),
    ]


def _machine_table(figures: dict) -> Table:
    about = figures["machine"]
    packages = [(name, found) for name, found in about["packages"].items()]
    rows = [("CPU", f"{about['cpu']} ({about['llvm_cpu']}), {about['cores']} cores"), ("system", about["system"])]
    if about["load"] is not None:
        rows.append(("load average at the start", f"{about['load']:.2f}"))
    return Table("Machine and versions", ("what", "value"), [*rows, *packages])


def _check_table(figures: dict) -> Table:
    s, derivative, reference = figures["settings"], figures["derivative"], figures["reference"]
    rows = [
        ("network", f"{s['model']}, {s['states']} states"),
        ("tolerances", f"rtol {s['rtol']:g}, atol {s['atol']:g}"),
        ("outputs (min)", ", ".join(f"{t:g}" for t in s["times"])),
        ("rates of change against libroadrunner's", ABSENT if derivative is None else _verdict(derivative)),
        ("tight LSODA against the reference, max error", f"{reference['max']:.1e}" if reference else ABSENT),
    ]
    return Table("The problem", ("what", "value"), rows)


def _verdict(difference: float) -> str:
    return f"{difference:.1e} ({'same' if difference <= 1e-9 else 'DIFFERENT'}, limit 1e-9)"


def _solver_table(figures: dict) -> Table:
    found, s = figures["solvers"], figures["settings"]
    head = ("solver", "solves/s, median (range)", "max error", "median error", "ratio to best peer (range)")
    rows = []
    for name in SOLVERS:
        if name in found:
            f = found[name]
            label = name + (" (best peer)" if f["best_peer"] else "")
            ratio = spread(f["ratios"], ".2f") if f["ratios"] else "-"
            rows.append((label, spread(f["rates"]), _error(f, "max"), _error(f, "median"), ratio))
        else:
            rows.append((name, ABSENT, "-", "-", "-"))
    scipy = [name for name in found if name.startswith("SciPy")]
    best = max(scipy, key=lambda name: median(found[name]["rates"]), default="none installed")
    values = found[ENGINE]["errors"]["values"]
    note = (
        f"{s['rounds']} interleaved rounds of the same {s['peer_lanes']} lanes on one core. Best of SciPy: {best}. "
        f"Errors: |active_complexes / reference - 1| over the {values} values (lane, time) where the reference "
        f"exceeds {SMALLEST:g}."
    )
    return Table("Solvers", head, rows, note)


def _error(figures: dict, which: str) -> str:
    return f"{figures['errors'][which]:.1e}"


def _latency_table(figures: dict) -> Table:
    head = ("solver", "compile, cold", "first solve, cold", "first call, warm", "process, cold", "process, warm")
    rows = []
    for name in SOLVERS:
        if name not in figures["latency"]:
            rows.append((name, ABSENT, "-", "-", "-", "-"))
            continue
        cold, warm = figures["latency"][name]["cold"], figures["latency"][name].get("warm")
        first = seconds(warm["setup"] + warm["first"]) if warm else "no disk cache"
        process = seconds(warm["process"]) if warm else "-"
        rows.append(
            (name, *(seconds(cold[part]) for part in ("setup", "first")), first, seconds(cold["process"]), process)
        )
    note = (
        f"Fresh processes, one lane, median of {REPEATS}. Numba compiles in part at the first solve. "
        "A process also starts Python, imports, and builds the network."
    )
    return Table("Latency", head, rows, note)


def _thread_table(figures: dict) -> Table:
    found = figures["threads"]
    if found is None:
        return Table("Two threads", ("what", "value"), [("scaling", "not measured: one core")])
    rows = [
        ("lanes", count(found["lanes"])),
        ("solves/s, one thread", spread(found["rates"][1])),
        ("solves/s, two threads", spread(found["rates"][2])),
        ("scaling", spread(found["scaling"], ".2f")),
        ("share of two cores had from the system", spread(found["had"], ".0%")),
        ("same bits", "yes" if found["same_bits"] else "NO"),
    ]
    note = "Where the share is below 100 %, other processes used the cores and the scaling means little."
    return Table("Two threads", ("what", "value"), rows, note)


def _floor_table(f: dict) -> Table:
    rows = [
        ("operations a step and lane", count(f["per_step"])),
        ("steps a solve, rejected ones included", f"{f['steps']:.1f}"),
        ("operations a solve", count(f["per_solve"])),
        (f"working set of a vector of {f['width']} lanes", f"{count(f['bytes'])} bytes"),
        ("peak of the core (fused multiply-adds)", f"{f['peak'] / 1e9:.1f} GFlop/s"),
        ("floor of a solve at that peak", f"{1e6 * f['floor_seconds']:.1f} us"),
        ("measured", f"{1e6 / f['rate']:.1f} us, {f['achieved'] / 1e9:.1f} GFlop/s"),
        ("share of the peak", f"{f['share']:.1%}, {1 / f['share']:.1f} times the floor"),
    ]
    return Table("The floor", ("what", "value"), rows)


def _operations_table(f: dict) -> Table:
    rows = []
    for name, counts in f["parts"].items():
        numbers = [counts.get(kind, 0) for kind in ("add", "mul", "div")]
        rows.append((name, *(count(n) for n in numbers), count(sum(numbers)), f"{sum(numbers) / f['per_step']:.0%}"))
    return Table("Operations of one step", ("part", "add", "mul", "div", "all", "share"), rows)


def _precision_table(found: list[dict]) -> Table:
    head = ("rtol", "solves/s", "steps", "rejected", "max error", "median error", "failed", "pivoted")
    rows = [
        (
            f"{f['rtol']:.0e}", count(median(f["rates"])), f"{f['steps']:.1f}", f"{f['rejected']:.1%}",
            _error(f, "max"), _error(f, "median"), str(f["failed"]), str(f["repivoted"]),
        )
        for f in found
    ]  # fmt: skip
    return Table("Work and precision of the engine", head, rows, "atol is rtol / 100.")


def _width_table(figures: dict) -> Table:
    head = ("lanes a vector", "solves/s, median (range)", "working set, bytes", "peak, GFlop/s", "share", "compile")
    each, chosen = figures["floor"]["per_solve"], figures["settings"]["width"]
    rows = [
        (
            f"{width} (chosen)" if width == chosen else str(width), spread(f["rates"]), count(f["bytes"]),
            f"{f['peak'] / 1e9:.1f}", f"{median(f['rates']) * each / f['peak']:.1%}", seconds(f["compile"]),
        )
        for width, f in figures["widths"].items()
    ]  # fmt: skip
    return Table("Lane width", head, rows)
