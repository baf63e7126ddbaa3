"""Tables that print as aligned text or as Markdown, and numbers in a form that is short and honest."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Table:
    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""

    def text(self) -> str:
        widths = [max(len(row[i]) for row in [self.head, *self.rows]) for i in range(len(self.head))]
        lines = [self._line(row, widths) for row in [self.head, *self.rows]]
        return "\n".join(["", self.title, "-" * len(self.title), *lines, *([self.note] if self.note else [])])

    def markdown(self) -> str:
        rule = ("---", *("---:" for _ in self.head[1:]))
        lines = ["| " + " | ".join(row) + " |" for row in [self.head, rule, *self.rows]]
        return "\n".join([f"**{self.title}**", "", *lines, *(["", self.note] if self.note else []), ""])

    def _line(self, row: tuple[str, ...], widths: list[int]) -> str:
        first, *others = (
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join([first, *others]).rstrip()


def count(value: float) -> str:
    return f"{value:,.0f}"


def spread(values: list[float], form: str = ",.0f") -> str:
    """Median and range."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def seconds(value: float) -> str:
    return f"{value:.3f} s" if value >= 0.1 else f"{1e3 * value:.1f} ms"
