"""Tables of a PEtab problem in one plain shape for both versions of the format."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from il2.errors import Il2Error

LIN, LOG, LOG10 = "lin", "log", "log10"
NORMAL = "normal"
DEGREES_COLUMN = "noiseDegrees"  # of the observable table; the format has no Student's t


@dataclass(frozen=True)
class Number:
    """A row of the parameter table. scale: lin, log or log10, "" where the format tells none. nominal: NaN for none.

    prior: its name in the format, "" for none; on_scale: whether it speaks of the position on the scale.
    """

    name: str
    scale: str
    low: float
    high: float
    nominal: float
    estimated: bool
    prior: str = ""
    of_prior: tuple[float, ...] = ()
    on_scale: bool = False
    title: str = ""


@dataclass(frozen=True)
class Watched:
    """A row of the observable table; formulas are SymPy's, placeholders their names in the order of the overrides.

    degrees: of freedom of the noise, from a column of our own; infinity for normal noise.
    """

    name: str
    formula: Any
    noise: Any
    transformation: str
    distribution: str
    placeholders: tuple[str, ...]
    noise_placeholders: tuple[str, ...]
    degrees: float = math.inf


@dataclass(frozen=True)
class Measured:
    """A row of the measurement table; overrides are SymPy formulas."""

    observable: str
    condition: str
    time: float
    value: float
    overrides: tuple[Any, ...] = ()
    noise_overrides: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """One model with its tables. conditions: what each sets, a formula by name."""

    name: str
    sbml: str
    numbers: tuple[Number, ...]
    observables: Mapping[str, Watched]
    conditions: Mapping[str, Mapping[str, Any]]
    measurements: tuple[Measured, ...]


def preequilibrated(where: str, what: str) -> Il2Error:
    """The error for an experiment that starts from a steady state."""
    return Il2Error(
        f"preequilibration in {what!r} is not read", where=where,
        why="a lane starts from the initial values of the model",
        how="Give the state before the experiment as initial values.",
    )  # fmt: skip


def absent(value: Any) -> bool:
    """Whether a cell is empty."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def text(value: Any) -> str:
    """A cell as text, "" where it is empty."""
    return "" if absent(value) else str(value)


def real(value: Any) -> float:
    """A cell as a number, NaN where it is empty."""
    return math.nan if absent(value) else float(value)
