"""Cost against size: `python benchmarks/scaling.py [SPECIES ...] [--threads N ...] [--straight] [--markdown]`.

Random mass-action networks (`il2.network.synthetic`) with three reactions a species, partners within 30 places, or with
`--reach 0` anywhere (the factors then fill up); rate constants and initial values vary tenfold between lanes; to t = 10
at rtol 1e-6 and atol 1e-8. Compilation is done anew. Bytes are the workspace of a thread and the object code.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from table import Table, count, seconds

from il2.engine import sparse
from il2.engine.compile import LOOPED, STRAIGHT, build, compiled, lane_width
from il2.engine.solve import solve
from il2.network.program import Program, lower
from il2.network.synthetic import synthetic

SIZES = (34, 100, 200, 400, 1000)
END = 10.0
SECONDS = 2.0  # that a measurement of speed takes, about


def measure(species: int, reach: int, threads: list[int], forms: list[str | None], lanes: int) -> list[tuple[str, ...]]:
    start = time.perf_counter()
    program = lower(synthetic(species, 3 * species, reach=reach or None))
    operations = sparse.operations(program)
    lowered = time.perf_counter() - start
    rows = []
    for form in forms:
        kind = form or (LOOPED if sparse.large(program) else STRAIGHT)
        start = time.perf_counter()
        _, code = build(program, lane_width(program), kind)
        spent = lowered + time.perf_counter() - start
        doubles = compiled(program, kind=kind).layout.doubles
        rates = [_rate(program, kind, n, lanes) for n in threads]
        rows.append(
            (str(species), str(3 * species), kind, count(operations), seconds(spent), *(f"{r:,.1f}" for r, _ in rates),
             f"{rates[0][1]:.0f}", count(8 * doubles), count(len(code)))
        )  # fmt: skip
    return rows


def _rate(program: Program, form: str, threads: int, most: int) -> tuple[float, float]:
    """Solves a second and steps of a solve, on as many lanes as take about `SECONDS`; every lane must succeed."""
    lanes = 2 * threads * lane_width(program)
    while True:
        draw = np.random.default_rng(1).uniform(-0.5, 0.5, (lanes, len(program.parameters)))
        start = time.perf_counter()
        found = solve(program, 10**draw, np.array([END]), threads=threads, form=form)
        spent = time.perf_counter() - start
        if found.status.any():
            raise SystemExit(f"a lane failed: {found.reason(int(found.status.argmax()))}")
        if spent > SECONDS / 2 or lanes >= most:
            return lanes / spent, float((found.accepted + found.rejected).mean())
        lanes = min(most, int(lanes * min(20.0, SECONDS / spent)))


def head(threads: list[int]) -> tuple[str, ...]:
    return (
        "states", "reactions", "code", "operations of a step matrix", "network to code",
        *(f"solves/s, {n} thread{'s' * (n > 1)}" for n in threads), "steps", "workspace, bytes", "code, bytes",
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("species", nargs="*", type=int, default=SIZES, help="numbers of states (34 100 200 400 1000)")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="numbers of threads (1 2)")
    parser.add_argument("--reach", type=int, default=30, help="places between partners; 0 is any (30)")
    parser.add_argument("--lanes", type=int, default=20_000, help="most lanes of a measurement (20000)")
    parser.add_argument("--straight", action="store_true", help="both forms of the code, straight and looped")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    forms = [STRAIGHT, LOOPED] if options.straight else [None]
    rows = [r for n in options.species for r in measure(n, options.reach, options.threads, forms, options.lanes)]
    table = Table("Cost against size", head(options.threads), rows)
    print(table.markdown() if options.markdown else table.text())


if __name__ == "__main__":
    main()
