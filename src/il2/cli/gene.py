"""`il2 gene`: everything known of the gene, or of another entity, as a card."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

import typer

from il2.cli.app import app
from il2.errors import Il2Error


class Look(StrEnum):
    text = "text"
    markdown = "markdown"
    html = "html"
    json = "json"


ENDINGS = {".md": Look.markdown, ".html": Look.html, ".htm": Look.html, ".json": Look.json, ".txt": Look.text}


@app.command()
def gene(
    term: str = typer.Argument(
        "IL2", metavar="ENTITY", help="A name, synonym or identifier: IL2RA, CD25, aldesleukin."
    ),
    format: Look | None = typer.Option(
        None, "--format", help="text, markdown, html or json; by default that of --out."
    ),
    out: Path | None = typer.Option(None, help="File to write, .md, .html, .json or .txt; default the terminal."),
) -> None:
    """The card of IL2 or of another entity: all that is known, with sources. Example: il2 gene --out IL2.html"""
    from il2.atlas.card import card, has_enough

    kind = ENDINGS.get(out.suffix.lower()) if out is not None else None
    if kind and format and kind is not format:
        raise Il2Error(f"--format {format} does not fit {out}", where="--out", how="Leave one of them out.")
    if out is not None and format is None and kind is None:
        raise Il2Error(f"unknown ending {out.suffix!r}", where=str(out), how=f"Use {', '.join(ENDINGS)}.")
    look = format or (ENDINGS[out.suffix.lower()] if out else Look.text)
    found = card(term)
    text = _written(found, look)
    for warning in found.warnings if out else ():  # else the card itself says so
        typer.echo(f"warning: {warning}", err=True)
    if not has_enough(found):
        typer.echo(
            f"note: the documents say little of {found.name}; il2 explain '{found.name}' says the rest", err=True
        )
    if out is None:
        typer.echo(text)
        return
    from il2.files import write_text

    write_text(out, text if text.endswith("\n") else text + "\n")
    typer.echo(f"wrote {out}", err=True)


def _written(found, look: Look) -> str:
    from dataclasses import asdict

    if look is Look.json:
        return json.dumps([asdict(found) | {"references": list(found.references)}], indent=1, ensure_ascii=False)
    if look is Look.html:
        from il2.report.card_html import as_html

        return as_html(found)
    from il2.report.card_text import as_markdown, as_text

    return as_markdown(found) if look is Look.markdown else as_text(found)
