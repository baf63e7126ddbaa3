"""How far pairs of heads are from every form of three heads: `python benchmarks/pairs.py [--markdown]`.

Three equal IL-2 heads, 13 doses, 1 to 240 min. Compiling every form takes about 80 s, which is why pairs are followed.
"""

from __future__ import annotations

import argparse

import numpy as np
from table import Table

from il2.cell.ec50 import ec50
from il2.cell.simulate import simulate
from il2.knowledge.cell import cell
from il2.receptor.head import head
from il2.receptor.model import dose, system
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import count

HEADS = 3
CELLS = ("Treg", "NK", "CD8", "T_blast")
DOSES_nM = np.geomspace(1e-4, 100, 13)
TIMES_min = np.array([1.0, 10.0, 30.0, 60.0, 240.0])


def responses(name: str, lumped: bool) -> np.ndarray:
    """pSTAT5 (doses, times) of a cell."""
    site = head("IL2")
    of = system(Molecule("IL2", (site,), (HEADS,), lumped=lumped))
    counts = {count(c): cell(name).counts[c].value for c in site.chains}
    return simulate(of, counts | {dose("IL2"): DOSES_nM}, TIMES_min).pstat5


def row(name: str) -> tuple[str, ...]:
    every, pairs = (responses(name, lumped) for lumped in (False, True))
    of_maximum = np.abs(pairs - every).max(axis=0) / every.max(axis=0)
    half = [np.array([ec50(DOSES_nM, curve) for curve in found.T]) for found in (every, pairs)]
    return name, f"{100 * of_maximum.max():.1f} %", f"{np.abs(half[1] / half[0] - 1).max() * 100:.0f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    markdown = parser.parse_args().markdown
    head_row = ("cell", "largest error of pSTAT5, of the largest response at the time", "largest error of an EC50")
    table = Table("Three heads: pairs against every form", head_row, [row(name) for name in CELLS])
    print(table.markdown() if markdown else table.text())


if __name__ == "__main__":
    main()
