"""Criteria: thresholds that are fixed in a table before the run, and the verdict that follows from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from il2.errors import Il2Error
from il2.knowledge.table import rows

ENOUGH_DRAWS, ENOUGH_SHARE = 200, 0.8
SHOWN, CONTRADICTED, UNDECIDED, PARTIAL, NOT_BUILT = "shown", "contradicted", "undecided", "partial", "not built"
_COMPARE = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_WITHIN = re.compile(r"within ([\d.]+)x")


@dataclass(frozen=True)
class Criterion:
    """`comparison` is <, <=, >, >= or 'within Nx' (no more than a factor of N from the threshold)."""

    name: str
    comparison: str
    threshold: float
    unit: str
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARE and not _WITHIN.fullmatch(self.comparison):
            raise Il2Error(
                f"unknown comparison {self.comparison!r}", where=f"criteria.csv: {self.name}",
                how="Write <, <=, >, >= or 'within 5x'.",
            )  # fmt: skip

    @property
    def text(self) -> str:
        unit = "" if self.unit == "dimensionless" else f" {self.unit}"
        return f"{self.comparison}{' of' if 'x' in self.comparison else ''} {self.threshold:g}{unit}"

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Whether it holds, per value; never for NaN, which stands for a measurement that could not be made."""
        within = _WITHIN.fullmatch(self.comparison)
        if within:
            fold = float(within[1])
            return (values >= self.threshold / fold) & (values <= self.threshold * fold)
        compared: np.ndarray = _COMPARE[self.comparison](values, self.threshold)
        return compared


def criteria(experiment: str) -> tuple[Criterion, ...]:
    """The criteria of an experiment, in the order of criteria.csv."""
    return tuple(
        Criterion(row["name"], row["comparison"], float(row["threshold"]), row["unit"], row["source"], row["note"])
        for row in rows("criteria")
        if row["experiment"] == experiment
    )


@dataclass(frozen=True)
class Evidence:
    """How one criterion or a set fared: with the default set, and the shares of draws for and against."""

    name: str
    holds: bool
    share: float
    against: float

    @property
    def met(self) -> bool:
        return self.holds and self.share >= ENOUGH_SHARE


def verdict(parts: Sequence[Evidence], whole: Evidence, draws: int, reverses: bool) -> tuple[str, str]:
    """Verdict and reason for a set of criteria: `parts` one by one, `whole` all at once.

    shown: it holds with the default set and in 80 % of at least 200 draws, and the ablation reverses it.
    partial: so much is true of parts alone, or with the default set some parts hold and others fail.
    contradicted: no part holds with the default set, and it fails in 80 % of the draws. Else undecided.
    """
    if draws < ENOUGH_DRAWS:
        return UNDECIDED, f"{draws} draws, {ENOUGH_DRAWS} are needed"
    met, held = (sum(p.met for p in parts), sum(p.holds for p in parts))
    missed = ", ".join(
        f"{p.name} ({'holds' if p.holds else 'fails'} by default, holds in {p.share:.0%})" for p in parts if not p.met
    )
    partial = met > 0 or 0 < held < len(parts)
    if (whole.met or partial) and not reverses:
        return UNDECIDED, "the ablation does not reverse it" + (f"; not met: {missed}" if missed else "")
    if whole.met:
        return SHOWN, f"holds in {whole.share:.0%} of the draws"
    if partial:
        return PARTIAL, f"not met: {missed}" if missed else f"each part is met, all at once in {whole.share:.0%} only"
    if not held and whole.against >= ENOUGH_SHARE:
        return CONTRADICTED, f"fails in {whole.against:.0%} of the draws: {missed}"
    return UNDECIDED, f"holds in {whole.share:.0%} of the draws: {missed}"


def with_gap(status: str, reason: str, gap: str) -> tuple[str, str]:
    """A verdict on what is built, where a part has no model: it says so, and is partial at best."""
    if not gap:
        return status, reason
    return PARTIAL if status == SHOWN else status, f"{reason}; not built: {gap}"
