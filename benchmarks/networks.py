"""Speed of every named network: `python benchmarks/networks.py [MODEL ...] [--markdown]`.

Compilation is done anew; solves are 2,000 lanes on one core with IL-2, IL-4 or IL-15 (whatever the network holds) from
1e-3 to 10 nM, 3,000 of each chain per cell and 0.1 nM of everything else, to 240 min. The floor is the counted
operations of the steps taken over the measured peak of the core.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from engine import one_core
from floor import peak_rate, prepare_operations, step_operations, total
from problem import ATOL, RTOL, TIMES
from table import Table, seconds

from il2.engine.batch import parameter_rows
from il2.engine.compile import build, lane_width
from il2.engine.solve import Tolerances, solve
from il2.network.program import lower
from il2.signalling.models import MODELS, model

LANES = 2000


def measure(name: str, rounds: int = 3) -> tuple[str, ...]:
    start = time.perf_counter()
    network = model(name).build()
    program = lower(network)
    width = lane_width(program)
    build(program, width)
    compiled = time.perf_counter() - start
    parameters = _parameters(network)
    tolerances = Tolerances(rtol=RTOL, atol=ATOL)
    rates = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        found = solve(program, parameters, TIMES, tolerances=tolerances, threads=1)
        rates.append(LANES / (time.perf_counter() - start))
    each = float((found.accepted + found.rejected).mean()) * sum(total(c) for c in step_operations(program).values())
    each += prepare_operations(program)
    rate, peak = max(rates[1:]), peak_rate(width)
    return (
        name, str(program.n_states), str(len(network.reactions)), seconds(compiled), f"{rate:,.0f}",
        f"{1e6 * each / peak:.0f} µs", f"{100 * rate * each / peak:.0f} %", str(int((found.status != 0).sum())),
    )  # fmt: skip


def _parameters(network) -> np.ndarray:
    names = network.parameter_names
    doses = [name for name in names if name.endswith("_dose") and not name.startswith("JAK")]
    values = {name: 3000.0 for name in names if name.endswith("_count")} | dict.fromkeys(doses, 0.1)
    return parameter_rows(network, values | {doses[0]: np.geomspace(1e-3, 10.0, LANES)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="names; default all")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    with one_core():
        rows = [measure(name) for name in options.models or MODELS]
    head = (
        "network", "states", "reactions", "compile", "solves/s", "floor of a solve", "share of the peak", "failed",
    )  # fmt: skip
    table = Table("Named networks, one core", head, rows)
    print(table.markdown() if options.markdown else table.text())


if __name__ == "__main__":
    main()
