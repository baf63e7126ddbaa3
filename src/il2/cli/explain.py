"""`il2 explain` and `il2 path`: what a term is, and how two entities are connected."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show


@app.command(context_settings={"ignore_unknown_options": True})
def explain(
    term: str = typer.Argument(..., help="An entity, number, reaction, claim, experiment, option or column."),
    format: Format = FORMAT,
) -> None:
    """What a term is, who says so, and where the model uses it. Example: il2 explain CD25"""
    from il2.atlas.explain import Explanation
    from il2.atlas.explain import explain as told
    from il2.atlas.fact import Fact

    option = term.startswith("--")
    found = (Explanation(term, "option", term, tuple(Fact(*o) for o in _option(term))),) if option else told(term)
    if format is Format.json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        return
    for one in found:
        title = f"{one.title}: {one.kind}"
        show([{"": f.label, "what": f.text, "sources": ", ".join(f.sources)} for f in one.facts], format, title)


def _option(name: str) -> list[tuple[str, str]]:
    """What the verbs say of an option."""
    from il2.errors import Il2Error, did_you_mean

    command = typer.main.get_command(app)
    options = [(verb, p) for verb, one in command.commands.items() for p in one.params]  # type: ignore[attr-defined]
    found = [(f"il2 {verb}", p.help or "") for verb, p in options if name in p.opts]
    if not found:
        known = {o for _, p in options for o in p.opts if o.startswith("--")}
        raise Il2Error(f"no verb has the option {name!r}", where="il2 explain", how=did_you_mean(name, known))
    return found


@app.command()
def path(
    start: str = typer.Argument(..., metavar="A", help="An entity by any of its names or identifiers."),
    end: str = typer.Argument(..., metavar="B", help="Another one."),
    count: int = typer.Option(3, min=1, max=20, help="How many of the shortest chains."),
    format: Format = FORMAT,
) -> None:
    """How two entities are connected, with the evidence on each link. Example: il2 path calcitriol IL10"""
    from il2.atlas.path import paths, warned

    chains = paths(start, end, count)
    records = [_link(n, step) for n, chain in enumerate(chains, start=1) for step in chain]
    show(records, format)
    for text in warned(start, end):
        typer.echo(f"warning: {text}", err=True)


def _link(number: int, step) -> dict[str, object]:
    from il2.atlas.path import evidence, phrase

    return {"chain": number, "link": phrase(step), "evidence": evidence(step)}
