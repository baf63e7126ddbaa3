"""Run every experiment that is built, and what is kept of the results as a record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from il2.experiments.experiment import experiment, experiments, perform
from il2.experiments.record import Record, key
from il2.experiments.result import ClaimStatus, Result


def run_all(names: Iterable[str] = (), draws: int = 200, seed: int = 0) -> Iterator[Result]:
    """Results of the named experiments, by default of all, one at a time as they finish."""
    for name in tuple(names) or tuple(experiments()):
        yield perform(experiment(name), draws=draws, seed=seed)


def _why(claim: ClaimStatus) -> str:
    return f"{claim.reason}; {claim.origin}" if claim.origin else claim.reason


def record(result: Result) -> Record:
    """What is kept of a result."""
    return Record(
        result.experiment, result.verdict, result.reason, None if math.isnan(result.share) else result.share,
        result.draws, result.seed, result.weakest_grade, result.origin,
        {c.id: (c.verdict, _why(c)) for c in result.claims}, result.il2_version, result.parameter_set, key(),
    )  # fmt: skip
