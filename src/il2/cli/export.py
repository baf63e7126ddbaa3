"""`il2 export`: networks as SBML, text, Mermaid or LaTeX, a fit problem as PEtab, and the knowledge graph."""

from __future__ import annotations

from pathlib import Path

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show
from il2.errors import Il2Error

KNOWLEDGE = "knowledge"
OF_MODELS, OF_KNOWLEDGE = ("sbml", "text", "mermaid", "latex"), ("kgx", "rdf", "cx2", "graphml", "mermaid")


@app.command()
def export(
    what: str = typer.Argument("", help="Name of a model, or knowledge for the graph; without it all are listed."),
    sbml: bool = typer.Option(False, "--sbml", help="A model as SBML Level 3 Version 2, with units."),
    text: bool = typer.Option(False, "--text", help="A model as readable text."),
    mermaid: bool = typer.Option(False, "--mermaid", help="A Mermaid flow chart of a model, or of --about."),
    latex: bool = typer.Option(False, "--latex", help="A model as LaTeX tables and equations."),
    kgx: bool = typer.Option(False, "--kgx", help="The graph as Biolink/KGX: TSV and JSON Lines in the folder --out."),
    rdf: bool = typer.Option(False, "--rdf", help="The graph as RDF (Turtle)."),
    cx2: bool = typer.Option(False, "--cx2", help="The graph as CX2, for Cytoscape and NDEx."),
    graphml: bool = typer.Option(False, "--graphml", help="The graph as GraphML."),
    petab: Path | None = typer.Option(None, "--petab", help="The fit problem of blood cells as PEtab, in this folder."),
    about: str = typer.Option("", help="Of the graph only an entity and what it is linked with."),
    out: Path | None = typer.Option(None, help="File, or for --kgx folder, to write; default the terminal."),
    format: Format = FORMAT,
) -> None:
    """Print or write a network, or the graph of knowledge. Example: il2 export response-IL2 --sbml --out IL2.xml"""
    if petab is not None:
        if what or about or out is not None or any((sbml, text, mermaid, latex, kgx, rdf, cx2, graphml)):
            raise Il2Error("--petab stands alone", where="il2 export", how="Give a folder and nothing else.")
        _petab(petab)
        return
    from il2.signalling.models import MODELS

    what = KNOWLEDGE if what.casefold() == KNOWLEDGE else what
    if not what and (any((sbml, text, mermaid, latex, kgx, rdf, cx2, graphml)) or out is not None):
        raise Il2Error("nothing is named", where="il2 export", how="Name a model, or knowledge.")
    if not what:
        graph = {"name": KNOWLEDGE, "what": "the graph of entities, statements and sources"}
        show([*({"name": m.name, "what": m.summary} for m in MODELS.values()), graph], format)
        return
    flags = {"sbml": sbml, "text": text, "mermaid": mermaid, "latex": latex}
    flags |= {"kgx": kgx, "rdf": rdf, "cx2": cx2, "graphml": graphml}
    allowed = OF_KNOWLEDGE if what == KNOWLEDGE else OF_MODELS
    form = _form([name for name, given in flags.items() if given], allowed, what)
    if about and what != KNOWLEDGE:
        raise Il2Error("--about has no effect on a model", where="il2 export", how="Leave it out.")
    if form == "kgx":
        _folder(about, out)
        return
    content = _graph(form, about) if what == KNOWLEDGE else _network(form, what)
    if out is None:
        typer.echo(content)
        return
    from il2.files import write_text

    write_text(out, content)
    typer.echo(f"wrote {out}", err=True)


def _form(chosen: list[str], allowed: tuple[str, ...], what: str) -> str:
    options = ", ".join(f"--{name}" for name in allowed)
    if len(chosen) > 1:
        raise Il2Error("more than one form asked for", where="il2 export", how=f"Give one of {options}.")
    if not chosen and what != KNOWLEDGE:
        return "text"
    if not chosen or chosen[0] not in allowed:
        why = f"{what} has no form --{chosen[0]}" if chosen else "no form asked for"
        raise Il2Error(why, where="il2 export", how=f"Give one of {options}.")
    return chosen[0]


def _network(form: str, what: str) -> str:
    from il2.network import show as forms
    from il2.signalling.models import model as named

    network = named(what).build()
    if form == "sbml":
        from il2.formats.sbml import to_sbml

        return to_sbml(network)
    return {"text": forms.as_text, "mermaid": forms.as_mermaid, "latex": forms.as_latex}[form](network)


def _graph(form: str, about: str) -> str:
    from importlib import import_module

    from il2.knowledge.graph import part

    if form == "mermaid" and not about:
        raise Il2Error("the whole graph is too large to draw", where="--mermaid", how="Add --about ENTITY.")
    module, name = {
        "rdf": ("rdf", "to_turtle"), "cx2": ("cx2", "to_cx2"), "graphml": ("graphml", "to_graphml"),
        "mermaid": ("mermaid", "to_mermaid"),
    }[form]  # fmt: skip
    text: str = getattr(import_module(f"il2.formats.{module}"), name)(*part(about, with_sources=form != "mermaid"))
    return text


def _folder(about: str, out: Path | None) -> None:
    from il2.formats.kgx import write
    from il2.knowledge.graph import part

    if out is None:
        raise Il2Error("KGX is four files", where="--kgx", how="Name a folder with --out.")
    for path in write(out, *part(about)):
        typer.echo(f"wrote {path}", err=True)


def _petab(folder: Path) -> None:
    from il2.fit.joint import joint, stored
    from il2.formats.petab_write import write

    problem = joint().problem
    for path in write(problem, folder, stored(problem)):
        typer.echo(f"wrote {path}", err=True)
