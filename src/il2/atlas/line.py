"""A line of a card: one statement, and the sources that it ends in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """claims: the rows that state it. remark: flag, note or conflict that a reader must see with it."""

    text: str
    sources: tuple[str, ...]
    claims: tuple[str, ...] = ()
    status: str = ""
    remark: str = ""
