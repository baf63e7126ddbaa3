"""`il2 molecules`: the catalogue of cytokines, fusions, antibodies, complexes and inhibitors."""

from __future__ import annotations

import json

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show


@app.command()
def molecules(
    name: str = typer.Argument("", help="A name or alias, for everything known of it; without it all are listed."),
    kind: str = typer.Option("", help="Only one kind: cytokine, Fc fusion, antibody, complex, inhibitor and so on."),
    format: Format = FORMAT,
) -> None:
    """The catalogue of molecules, and which can be simulated. Example: il2 molecules daclizumab"""
    from il2.errors import Il2Error
    from il2.report.catalogue import described, listing

    if not name:
        show(listing(kind), format)
        if format is Format.table:
            typer.echo("simulated: yes for --ligand or --with of il2 respond; il2 molecules NAME says how, or why not")
        return
    if kind:
        raise Il2Error("--kind has no effect on one molecule", where="il2 molecules", how="Leave it out.")
    found = described(name)
    if format is Format.json:
        typer.echo(json.dumps([found], indent=1, ensure_ascii=False))
        return
    show([{"field": key, str(found["name"]): _text(value)} for key, value in found.items() if value], format)


def _text(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
