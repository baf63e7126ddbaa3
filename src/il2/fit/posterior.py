"""Draws from the posterior by the No-U-Turn sampler, in coordinates where it is round.

Bounds are taken away by a logit between them; what is left is whitened by the information of data and priors at the
optimum, so that short trajectories do. What the draws show of other correlations is learnt while tuning.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from il2.errors import Il2Error
from il2.fit.free import bounds
from il2.fit.intervals import data_information, inside, inverse, prior_information
from il2.fit.problem import Problem
from il2.fit.search import FAILURES, UNSOLVED, minimise

DEPTH = 6
ACCEPT = 0.8
EDGE = 1e-3  # share of the range that the centre keeps off the bounds, beyond which the logit is steep


@dataclass(frozen=True)
class Posterior:
    """Draws (chains, draws, n) on the scales with their log density (chains, draws), and how far to trust them.

    rhat, ess: split rank-normalised R-hat (NaN for one chain) and bulk effective sample size (n,). divergences: draws
    whose trajectory was lost, out of all after tuning.
    """

    names: tuple[str, ...]
    draws: np.ndarray
    log_density: np.ndarray
    divergences: int
    rhat: np.ndarray
    ess: np.ndarray
    seconds: float

    @property
    def flat(self) -> np.ndarray:
        """All draws (chains * draws, n)."""
        return self.draws.reshape(-1, self.draws.shape[-1])


@dataclass(frozen=True)
class Whitening:
    """Positions x = low + width * logistic(centre + matrix @ z), with z (n,) about standard normal."""

    low: np.ndarray
    width: np.ndarray
    centre: np.ndarray
    matrix: np.ndarray

    def position(self, z: np.ndarray) -> np.ndarray:
        return self.low + self.width * _logistic(self.centre + z @ self.matrix.T)

    def log_volume(self, z: np.ndarray) -> np.ndarray:
        """Log determinant of the positions by z, up to a constant; the last axis of z is taken away."""
        y = self.centre + z @ self.matrix.T
        return -(np.logaddexp(0, y) + np.logaddexp(0, -y)).sum(axis=-1)


class Lost(Exception):
    """A lane failed on the way; the sampler counts a divergence and goes on."""

    is_recoverable = True


def sample(
    problem: Problem, x: np.ndarray, *, draws: int, tune: int, chains: int, seed: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> Posterior:  # fmt: skip
    """Draws from the posterior, begun around an optimum x (n,). The same seed gives the same draws.

    `on_progress` takes chain and draw (tuning draws counted in) and is called after each. Chains run one by one, since
    the lanes of a chain share the cores. An optimum that cannot be solved is an Il2Error.
    """
    if min(draws, chains) < 1 or tune < 0:
        raise Il2Error(f"{chains} chains of {draws} draws", where=problem.name, how="Give one or more of each.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ArviZ announces its next version on import
        try:
            import nutpie
            from nutpie.compiled_pyfunc import from_pyfunc
        except ImportError as error:
            raise Il2Error("draws need nutpie", where=problem.name, how="Install il2[fit].") from error
    began, n = time.perf_counter(), len(problem.free)
    space = whitening(problem, x)

    def density(z: np.ndarray) -> tuple[float, np.ndarray]:
        y = space.centre + space.matrix @ z
        share = _logistic(y)
        with np.errstate(all="ignore"):
            value, slope = problem.log_density(space.low + space.width * share)
        if not math.isfinite(value):
            raise Lost
        by_y = slope * space.width * share * (1 - share) + 1 - 2 * share
        return value + float(space.log_volume(z)), space.matrix.T @ by_y

    told = 0

    def expand(z: np.ndarray) -> dict[str, np.ndarray]:
        nonlocal told
        if on_progress:
            on_progress(*divmod(told, tune + draws))
        told += 1
        return {"z": z}

    def first(chain_seed: int) -> np.ndarray:
        return np.random.default_rng(chain_seed).standard_normal(n)

    compiled = from_pyfunc(
        n, lambda: density, lambda *_: expand, [np.dtype("float64")], [(n,)], ["z"], make_initial_point_fn=first
    )  # fmt: skip
    try:
        trace = nutpie.sample(
            compiled, draws=draws, tune=tune, chains=chains, cores=1, seed=seed, progress_bar=False,
            save_warmup=False, maxdepth=DEPTH, target_accept=ACCEPT, low_rank_modified_mass_matrix=True,
        )  # fmt: skip
    except RuntimeError as failure:
        why = str(failure).split("\n")[0]
        how = "Start from another optimum."
        raise Il2Error("the sampler stopped", where=problem.name, why=why, how=how) from failure
    z = trace.posterior["z"].to_numpy()
    if z.shape != (chains, draws, n):
        raise KeyboardInterrupt  # the library keeps it to itself and hands out what it has
    logs = trace.sample_stats["logp"].to_numpy() - space.log_volume(z)
    found = space.position(z)
    return Posterior(
        problem.names, found, logs, int(trace.sample_stats["diverging"].to_numpy().sum()), *diagnostics(found),
        time.perf_counter() - began,
    )  # fmt: skip


def diagnostics(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R-hat and bulk effective sample size (n,) of draws (chains, draws, n); NaN under four draws, R-hat also for one
    chain."""
    none, every = np.full(draws.shape[-1], np.nan), range(draws.shape[-1])
    if draws.shape[1] < 4:
        return none, none
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz
    ess = np.array([float(arviz.ess(draws[..., k], method="bulk")) for k in every])
    if len(draws) < 2:
        return none, ess
    return np.array([float(arviz.rhat(draws[..., k], method="rank")) for k in every]), ess


def whitening(problem: Problem, x: np.ndarray, most_evaluations: int = 60) -> Whitening:
    """Coordinates around the highest density in the logits, which is sought from the position x (n,)."""
    low, high = bounds(problem.free)
    width = high - low
    share = (inside(problem.free, x, EDGE) - low) / width
    known = prior_information(problem.free)

    def cost(y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        share = _logistic(y)
        here, slope_of_x = low + width * share, width * share * (1 - share)
        value, slope = problem.log_density(here)
        information = data_information(problem, here) + known if math.isfinite(value) else np.eye(len(y))
        curved = information * np.outer(slope_of_x, slope_of_x) + np.diag(2 * share * (1 - share))
        volume = float(np.log(share * (1 - share)).sum())
        return -value - volume, -slope * slope_of_x - 1 + 2 * share, curved

    furthest = np.full(len(x), math.log(1 / EDGE))
    try:
        centre, _, _ = minimise(cost, np.log(share / (1 - share)), -furthest, furthest, most_evaluations)
        matrix = np.linalg.cholesky(inverse(cost(centre)[2]))
    except FAILURES as failure:
        raise Il2Error("no posterior around this position", where=problem.name, why=UNSOLVED) from failure
    return Whitening(low, width, centre, matrix)


def _logistic(y: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * y))
