"""`il2 cite`: references of exactly what was used."""

from __future__ import annotations

from enum import StrEnum

import typer

from il2.cli.app import app


class Style(StrEnum):
    text = "text"
    bibtex = "bibtex"
    json = "json"


@app.command()
def cite(
    what: str = typer.Argument("", help="A report (.html) of a run, or any term of il2 explain; without it all."),
    format: Style = typer.Option(Style.text, "--format", help="text, bibtex, or json (CSL-JSON)."),
) -> None:
    """References of exactly what was used. Example: il2 cite response-IL2 --format bibtex"""
    from il2.atlas.cite import cite as found
    from il2.atlas.cite import form

    typer.echo(form(found(what), format))
