"""The published model of 2021 on its own data: sums of squares recorded with its posterior, and re-run on this engine.

python benchmarks/published.py [--draws 40] [--markdown]
"""

from __future__ import annotations

import argparse

import numpy as np
from table import Table

from il2.fit.published import RECORDED, draws, sums_of_squares

WHAT = {"Y_15": "pSTAT5", "Y_int": "surface IL2RB", "Y_gc": "surface IL2RG"}


def main() -> None:
    every = draws()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=len(every), help=f"how many of the draws ({len(every)})")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if not 1 <= options.draws <= len(every):
        parser.error(f"--draws: give 1 to {len(every)}")
    table = compare([every[i] for i in np.linspace(0, len(every) - 1, options.draws).round().astype(int)])
    print(table.markdown() if options.markdown else table.text())


def compare(chosen: list[dict[str, float]]) -> Table:
    """One row a draw: recorded and re-run sums of squares; the largest relative difference below."""
    head = ("chain, draw", *(f"{WHAT[name]}, {which}" for name in RECORDED for which in ("recorded", "re-run")))
    body, worst = [], dict.fromkeys(RECORDED, 0.0)
    for draw in chosen:
        again = sums_of_squares(draw)
        numbers = (f"{value:.5f}" for name in RECORDED for value in (draw[name], again[name]))
        body.append((f"{draw['chain']:.0f}, {draw['draw']:.0f}", *numbers))
        worst = {name: max(worst[name], abs(again[name] / draw[name] - 1)) for name in RECORDED}
    largest = ", ".join(f"{WHAT[name]} {off:.1e}" for name, off in worst.items())
    return Table("Sums of squares on YT-1 cells", head, body, f"Largest relative difference: {largest}.")


if __name__ == "__main__":
    main()
