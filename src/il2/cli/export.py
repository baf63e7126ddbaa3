"""`il2 export`: networks as SBML, readable text, Mermaid or LaTeX."""

from __future__ import annotations

from pathlib import Path

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show
from il2.errors import Il2Error


@app.command()
def export(
    model: str = typer.Argument("", help="Name of a model; without it the models are listed."),
    sbml: bool = typer.Option(False, "--sbml", help="SBML Level 3 Version 2, with units."),
    text: bool = typer.Option(False, "--text", help="Reactions as readable text."),
    mermaid: bool = typer.Option(False, "--mermaid", help="Mermaid flow chart."),
    latex: bool = typer.Option(False, "--latex", help="LaTeX tables and equations."),
    out: Path | None = typer.Option(None, help="File to write; default the terminal."),
    format: Format = FORMAT,
) -> None:
    """Print or write a network. Example: il2 export response-IL2 --sbml --out response-IL2.xml"""
    from il2.signalling.models import MODELS
    from il2.signalling.models import model as named

    if not model:
        show([{"model": m.name, "what": m.summary} for m in MODELS.values()], format)
        return
    network = named(model).build()
    chosen = [name for name, given in (("sbml", sbml), ("text", text), ("mermaid", mermaid), ("latex", latex)) if given]
    if len(chosen) > 1:
        raise Il2Error(
            "more than one form asked for", where="il2 export", how="Give one of --sbml, --text, --mermaid, --latex."
        )
    if chosen == ["sbml"]:
        from il2.formats.sbml import to_sbml

        content = to_sbml(network)
    else:
        from il2.network import show as forms

        content = {"mermaid": forms.as_mermaid, "latex": forms.as_latex}.get("".join(chosen), forms.as_text)(network)
    if out is None:
        typer.echo(content)
        return
    from il2.files import write_text

    write_text(out, content)
    typer.echo(f"wrote {out}", err=True)
