"""`il2 lint`: check the body of knowledge."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show


@app.command()
def lint(
    folder: Path | None = typer.Argument(
        None, help="A folder of tables; by default those of the package, with its models."
    ),
    format: Format = FORMAT,
) -> None:
    """Check the tables of knowledge, their links, and the numbers of the models. Example: il2 lint"""
    from il2.atlas.lint import lint as findings

    found = findings(folder)
    show([asdict(f) for f in found], format)
    if format is Format.table:
        typer.echo("no findings" if not found else f"{len(found)} findings")
    if any(f.severity == "error" for f in found):
        raise typer.Exit(1)
