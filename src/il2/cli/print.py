"""Tables on the terminal and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from enum import StrEnum

import typer


class Format(StrEnum):
    table = "table"
    json = "json"


FORMAT = typer.Option(Format.table, "--format", help="table for people, json for programs (a list of objects).")


def show(records: Sequence[dict], format: Format, title: str = "") -> None:
    """Print records as a table, or as JSON with NaN as null."""
    if format is Format.json:
        clean = [
            {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in r.items()} for r in records
        ]
        typer.echo(json.dumps(clean, indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for name in records[0] if records else ():
        numeric = all(isinstance(r[name], (int, float)) for r in records)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for record in records:
        table.add_row(*(cell(v) for v in record.values()))
    console = Console(width=None if _is_terminal() else 160, highlight=False, markup=False)
    console.print(table)


def cell(value: object) -> str:
    """A value as a person reads it: three significant digits, a dash for what was not measured."""
    if isinstance(value, float):
        return "–" if not math.isfinite(value) else f"{value:.3g}"
    return str(value)


def _is_terminal() -> bool:
    import sys

    return sys.stdout.isatty()
