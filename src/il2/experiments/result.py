"""What an experiment found: plain data, ready for a table, a figure or a file."""

from __future__ import annotations

from dataclasses import dataclass

from il2 import __version__
from il2.knowledge.parameters import CURRENT

NAN = float("nan")


@dataclass(frozen=True)
class Measurement:
    """`value`, and `low` to `high` (5 to 95 % of the draws). The rest is empty for a number without criterion.

    source, note: of the criterion, why its threshold is what it is. decided_by: assumed parameters that alone change
    whether it holds. structural: no draw moves it, so the wiring of the model and none of its numbers decides it.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    criterion: str = ""
    source: str = ""
    holds: bool | None = None
    share: float = NAN
    ablated: float = NAN
    decided_by: tuple[str, ...] = ()
    structural: bool = False
    note: str = ""


@dataclass(frozen=True)
class Parameter:
    """A number that was varied within `low` to `high`, in `unit`, and the evidence for it.

    kind: quantity, affinity, partner, count, other, or set-up for a value that the experiment sets itself, which has
    no grade. decides: criteria that it alone turns. calibrated: its draws belong to those of the calibrated set.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    grade: str
    kind: str = "other"
    sources: tuple[str, ...] = ()
    note: str = ""
    decides: tuple[str, ...] = ()
    calibrated: bool = False


@dataclass(frozen=True)
class ClaimStatus:
    id: str
    statement: str
    criteria: tuple[str, ...]
    verdict: str
    share: float
    origin: str
    reason: str


@dataclass(frozen=True)
class Curve:
    """The curve of the default set and the band of 5 to 95 % of the draws."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Result:
    """parameters: all that were varied. read: how many numbers of each grade were read from tables besides."""

    experiment: str
    title: str
    question: str
    verdict: str
    reason: str
    setup: str = ""
    observable: str = ""
    criterion: str = ""
    share: float = NAN
    draws: int = 0
    failed_draws: int = 0
    measurements: tuple[Measurement, ...] = ()
    claims: tuple[ClaimStatus, ...] = ()
    ablation: str = ""
    ablation_reverses: bool = False
    ablation_share: float = NAN
    origin: str = ""
    decided_by: tuple[str, ...] = ()
    weakest_grade: str = ""
    parameter_set: str = CURRENT
    parameter_hash: str = ""
    seed: int = 0
    il2_version: str = __version__
    axes: tuple[str, str] = ("", "")
    curves: tuple[Curve, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    read: tuple[tuple[str, int], ...] = ()
