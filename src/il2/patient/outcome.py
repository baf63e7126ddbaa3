"""Links from what the model computes to what trials count. Every link is a calibration: it predicts nothing.

A link is logistic: 1/(1 + exp(-(intercept + slope index))), with numbers that are set on the very trials it names, so
that it cannot be judged by them. Gains in CD4 cells of people with HIV have no link, and none may be added: two trials
gained cells and no clinical benefit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity
from il2.knowledge.table import keyed, listed

LABEL = "calibration"
BISECTIONS = 40
UNLINKED = ("hiv", "cd4", "aids")


@dataclass(frozen=True)
class Outcome:
    """A row of outcomes.csv. intercept, slope: names of quantities. targets: what they are set on."""

    name: str
    gives: str
    index: str
    intercept: str
    slope: str
    targets: tuple[str, ...]
    label: str
    sources: tuple[str, ...]
    note: str

    def of(self, index: np.ndarray | float) -> np.ndarray:
        """What the link gives (0 to 1) for values of its index, of the same shape."""
        logit = quantity(self.intercept).value + quantity(self.slope).value * np.asarray(index, float)
        return 1 / (1 + np.exp(-logit))


@cache
def outcomes() -> dict[str, Outcome]:
    """All links by name; one that is not labelled a calibration, or that rests on a CD4 count, is refused."""
    out = {}
    for name, row in keyed("outcomes", "name").items():
        where = f"outcomes.csv: {name}"
        if row["label"] != LABEL:
            raise Il2Error(f"the label is {row['label']!r}", where=where, how=f"A link is a {LABEL}, and says so.")
        if _unlinked(name) or _unlinked(row["index"]):
            raise _no_link(where)
        out[name] = Outcome(
            name, row["gives"], row["index"], row["intercept"], row["slope"], listed(row["targets"]), row["label"],
            listed(row["sources"]), row["note"],
        )  # fmt: skip
    return out


def outcome(name: str) -> Outcome:
    """A link by name; Il2Error for an unknown one, and for HIV, which has none."""
    if name not in outcomes():
        if _unlinked(name):
            raise _no_link(name)
        raise Il2Error(f"unknown outcome {name!r}", how=did_you_mean(name, outcomes()))
    return outcomes()[name]


def through(change: float, without: float, treated: float) -> tuple[float, float]:
    """Intercept and slope of the link that gives `without` at an index of 0 and `treated` at `change`."""
    for value in (without, treated):
        if not 0 < value < 1:
            raise Il2Error(f"a share of {value:g}", where="outcome", how="Give shares between 0 and 1.")
    if change == 0 or not np.isfinite(change):
        raise Il2Error(f"a change of {change:g} fixes no slope", where="outcome")
    intercept = float(np.log(without / (1 - without)))
    return intercept, float((np.log(treated / (1 - treated)) - intercept) / change)


def calibrated(share: Callable[[float], float], target: float, low: float, high: float) -> float:
    """The value between low and high at which `share`, which does not fall, comes to `target`, by bisection.

    Raises Il2Error where the target lies outside what the two ends give.
    """
    first, last = share(low), share(high)
    if not first <= target <= last:
        raise Il2Error(
            f"a share of {target:g} is not reached", where="outcome", why=f"the ends give {first:g} and {last:g}"
        )
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) < target else (low, middle)
    return (low + high) / 2


def _unlinked(text: str) -> bool:
    return any(word in text.casefold() for word in UNLINKED)


def _no_link(where: str) -> Il2Error:
    return Il2Error(
        "no clinical outcome is linked to the CD4 count",
        where=where,
        why="two trials of IL-2 in HIV gained CD4 cells and no benefit (insight_esprit2009)",
        how="Report the count itself.",
    )
