"""Is the posterior honest? Ranks of known truths among their draws, and how often intervals hold what was kept back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from il2.errors import Il2Error
from il2.fit.block import Block
from il2.fit.free import native
from il2.fit.noise import drawn, law
from il2.fit.posterior import Posterior, sample
from il2.fit.problem import Problem
from il2.fit.search import FAILURES, from_prior, polished

LEVELS = (0.5, 0.9)
MOST_DRAWS = 200  # predictive intervals need no more


@dataclass(frozen=True)
class Ranks:
    """Ranks (runs, n) of the truth among `kept` draws, 0 to kept, and p values (n,) of their uniformity.

    p: of all numbers together (Bonferroni). failed: runs that gave no draws. rhat: the largest of each run (runs,).
    """

    names: tuple[str, ...]
    ranks: np.ndarray
    kept: int
    p_values: np.ndarray
    p: float
    failed: int
    rhat: np.ndarray
    divergences: int


def simulated(problem: Problem, x: np.ndarray, random: np.random.Generator) -> Problem:
    """The same problem with values drawn at a position x (n,).

    A point that was censored has its limit: a drawn value beyond it is censored again, another one is measured.
    """
    blocks, values = [], native(problem.free, x)
    for of, told in zip(problem.blocks, problem.predictions(x), strict=True):
        points = of.points
        value = told + noise(problem, of, values) * drawn(random, problem.degrees, len(points))
        beyond = points.censored * (value - points.value) >= 0
        kept = (points.censored != 0) & beyond
        found = {"value": np.where(kept, points.value, value), "censored": np.where(kept, points.censored, 0)}
        blocks.append(replace(of, points=replace(points, **found)))
    return replace(problem, blocks=tuple(blocks))


def noise(problem: Problem, of: Block, values: np.ndarray) -> np.ndarray:
    """Noise (m,) of the points of a block for values (n,) of the free numbers."""
    return np.array([values[problem.place[name]] if name else 1.0 for name in of.points.noise.tolist()])


def simulate_and_rank(
    problem: Problem, runs: int, seed: int, *, kept: int = 31, thin: int = 4, tune: int = 200, chains: int = 2,
    bins: int = 8, on_done: Callable[[int], None] | None = None,
) -> Ranks:  # fmt: skip
    """Simulation-based calibration: truths from the prior, data from truths, draws from data, ranks of the truths.

    Of the draws every `thin`-th is kept, `kept` in all, so that ranks hardly feel their correlation. The test is
    chi-square on `bins` bins, into which kept + 1 must divide.
    """
    if (kept + 1) % bins:
        how = "Let kept + 1 be a multiple of bins."
        raise Il2Error(f"{kept + 1} ranks in {bins} bins", where=problem.name, how=how)
    ranks, rhat, lost, failed = [], [], 0, 0
    per_chain = -(-kept * thin // chains)
    for run in range(runs):
        random = np.random.default_rng([seed, run])
        truth = from_prior(problem.free, random.random(len(problem.free)))
        try:
            data = simulated(problem, truth, random)
            optimum = polished(data, truth)[0]
            found = sample(data, optimum, draws=per_chain, tune=tune, chains=chains, seed=int(random.integers(2**31)))
        except FAILURES:
            failed += 1
            continue
        ranks.append((found.flat[::thin][:kept] < truth).sum(axis=0))
        rhat.append(found.rhat.max())
        lost += found.divergences
        if on_done:
            on_done(run)
    if not ranks:
        raise Il2Error("no run gave draws", where=problem.name, how="Check the prior: its draws cannot be fitted.")
    table = np.array(ranks)
    p_values = np.array([uniformity(column, kept, bins) for column in table.T])
    together = min(1.0, len(p_values) * float(p_values.min()))
    return Ranks(problem.names, table, kept, p_values, together, failed, np.array(rhat), lost)


def uniformity(ranks: np.ndarray, kept: int, bins: int) -> float:
    """p value of chi-square that ranks (runs,) from 0 to kept are uniform."""
    counts = np.bincount(ranks * bins // (kept + 1), minlength=bins)
    return float(stats.chisquare(counts).pvalue)


def parted(problem: Problem, held: Sequence[np.ndarray]) -> tuple[Problem, tuple[Block, ...]]:
    """The problem without the points that masks (m,), one for each block, mark, and blocks of those points alone."""

    def only(of: Block, which: np.ndarray) -> Block:
        names = of.points.__dataclass_fields__
        return replace(of, points=replace(of.points, **{n: getattr(of.points, n)[which] for n in names}))

    rest = tuple(only(of, ~mask) for of, mask in zip(problem.blocks, held, strict=True))
    return replace(problem, blocks=rest), tuple(only(of, m) for of, m in zip(problem.blocks, held, strict=True))


def quantiles(problem: Problem, posterior: Posterior, held: Sequence[Block]) -> np.ndarray:
    """Quantile (m,) of each measured point of the blocks `held` in its posterior predictive law, noise included."""
    asked = replace(problem, blocks=tuple(held))
    draws = posterior.flat
    draws = draws[np.unique(np.linspace(0, len(draws) - 1, MOST_DRAWS).astype(int))]
    total = np.zeros(asked.n_points)
    for x in draws:
        values = native(asked.free, x)
        z = [
            (of.points.value - told) / noise(asked, of, values)
            for of, told in zip(asked.blocks, asked.predictions(x), strict=True)
        ]
        total += law(problem.degrees).cdf(np.concatenate(z))
    measured = np.concatenate([of.points.censored == 0 for of in asked.blocks])
    return (total / len(draws))[measured]


def coverage(problem: Problem, posterior: Posterior, held: Sequence[Block]) -> dict[float, float]:
    """Share of held-back points inside their central predictive intervals, by level; censored points do not count."""
    found = quantiles(problem, posterior, held)
    if not len(found):
        raise Il2Error("no measured point was held back", where=problem.name, how="Hold back some replicates.")
    return {level: float((abs(found - 0.5) <= level / 2).mean()) for level in LEVELS}
