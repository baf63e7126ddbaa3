"""A fact of an explanation: what is said, and the sources that it ends in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MANY, FEW = 6, 3  # names listed before the rest is counted


@dataclass(frozen=True)
class Fact:
    label: str
    text: str
    sources: tuple[str, ...] = ()


Told = tuple[str, str, list[Fact]]
"""Kind, title and facts of a term."""


def some(names: Iterable[str], most: int = MANY) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")
