"""Simulation-based calibration of the posterior on receptor data: `python benchmarks/calibration.py [--runs 64]`.

Truths are drawn from the prior, doses by times by replicates are simulated from them with heavy-tailed noise, and the
ranks of the truths among the draws are tested for uniformity. Replicates that were not fitted give the coverage.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from il2.fit.block import Points, Use, block
from il2.fit.calibration import LEVELS, coverage, parted, simulate_and_rank, simulated
from il2.fit.free import NOISE, OBSERVATION, Free
from il2.fit.posterior import sample
from il2.fit.problem import Problem
from il2.fit.search import from_prior, polished
from il2.network.expression import as_expr, sym
from il2.network.network import COUNT, Compartment, Network, Observable, Parameter, Species, check, reaction
from il2.network.program import lower

DOSES_NM = 10.0 ** np.linspace(-2, 2, 7)
TIMES_MIN = (15.0, 240.0)
CELLS = 3
REPLICATES = 4
FREE = (
    Free("KD of the first chain", "nM", 1e-3, 1e3, 1.0, 0.5),
    Free("KD of the second chain", "molecule/cell", 1.0, 1e6, 1e3, 0.5),
    *(Free(f"second chains of cell {i}", "", 0.01, 100.0, 1.0, 0.3) for i in range(CELLS)),
    *(Free(f"scale of replicate {i}", "", 0.01, 100.0, 1.0, 0.3, kind=OBSERVATION) for i in range(2)),
    Free("noise", "molecule/cell", 1.0, 1e3, 100.0, 0.2, kind=NOISE),
)


def two_chains() -> Network:
    """A ligand that binds one chain, then recruits another; the ternary complex is what is seen."""
    second = sym("kon2")
    return check(
        Network(
            "two chains",
            (Compartment("cell", 2),),
            (
                Species("A", "cell", as_expr(2000.0)), Species("B", "cell", sym("chains")),
                Species("LA", "cell", as_expr(0.0)), Species("LAB", "cell", as_expr(0.0)),
            ),
            (
                Parameter("dose", 1.0, "nM"), Parameter("chains", 1000.0, COUNT),
                Parameter("kon", 0.1, "1/(nM*min)"), Parameter("koff", 0.1, "1/min"),
                Parameter("kon2", 1e-3, "1/(molecule/cell*min)"), Parameter("koff2", 1e-3, "1/min"),
            ),
            reactions=(
                reaction("bind", ["A"], ["LA"], sym("kon") * sym("dose"), "koff"),
                reaction("recruit", ["LA", "B"], ["LAB"], second, "koff2"),
            ),
            observables=(Observable("active", sym("LAB"), COUNT),),
        )
    )  # fmt: skip


def problem(replicates: int = REPLICATES) -> Problem:
    """Cells by doses by times by replicates; the two scales take turns."""
    network = two_chains()
    lanes = CELLS * len(DOSES_NM)
    lane, time_, replicate = (
        a.ravel() for a in np.meshgrid(np.arange(lanes), [0, 1], np.arange(replicates), indexing="ij")
    )
    m = len(lane)
    points = Points(
        lane, time_, np.zeros(m, int), np.zeros(m),
        np.array([f"scale of replicate {r % 2}" for r in replicate], object),
        np.full(m, "", object), np.full(m, "noise", object), np.zeros(m, int), np.ones(m),
    )  # fmt: skip
    every = np.arange(lanes)
    uses = [
        Use("koff", FREE[0].name, every), Use("koff2", FREE[1].name, every),
        *(Use("chains", FREE[2 + i].name, every[every // len(DOSES_NM) == i]) for i in range(CELLS)),
    ]  # fmt: skip
    of = block(network, TIMES_MIN, ("active",), {"dose": np.tile(DOSES_NM, CELLS)}, uses, points, lower(network))
    return Problem("two chains", FREE, (of,))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    found = simulate_and_rank(
        problem(), options.runs, options.seed, on_done=lambda run: print(f"\r{run + 1} of {options.runs}", end="")
    )
    print(f"\n{len(found.ranks)} runs, {found.failed} failed, {found.divergences} divergences, "
          f"largest R-hat {found.rhat.max():.3f}, {time.perf_counter() - began:.0f} s")  # fmt: skip
    for name, p, ranks in zip(found.names, found.p_values, found.ranks.T, strict=True):
        print(f"{name:28s} p = {p:.3f}   mean rank {ranks.mean() / found.kept:.2f}")
    print(f"together p = {found.p:.3f}")
    many, random = problem(REPLICATES + 20), np.random.default_rng(options.seed)
    data = simulated(many, from_prior(FREE, random.random(len(FREE))), random)
    fitted, held = parted(data, [np.arange(data.n_points) % (REPLICATES + 20) >= REPLICATES])
    drawn = sample(fitted, polished(fitted, fitted.start())[0], draws=250, tune=200, chains=2, seed=options.seed)
    shares = coverage(fitted, drawn, held)
    print(", ".join(f"{100 * level:.0f} % intervals hold {100 * shares[level]:.1f} %" for level in LEVELS))


if __name__ == "__main__":
    main()
