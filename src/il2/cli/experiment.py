"""`il2 experiment`: run a virtual experiment and judge its claims."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show


@app.command()
def experiment(
    id: str = typer.Argument("", help="For example E12; without it the experiments are listed."),
    draws: int = typer.Option(200, min=1, max=10_000, help="Draws from the parameter ranges; `shown` needs 200."),
    seed: int = typer.Option(0, min=0, help="Seed of the draws."),
    figure: Path | None = typer.Option(None, help="Figure, .png or .svg."),
    format: Format = FORMAT,
) -> None:
    """Run a virtual experiment and judge its claims. Example: il2 experiment E12"""
    from il2.experiments import experiment as runner
    from il2.experiments import show as forms

    if not id:
        show(
            [{"id": e.id, "title": e.title, "claims": ", ".join(e.claims)} for e in runner.experiments().values()],
            format,
        )
        return
    result = runner.perform(runner.experiment(id), draws=draws, seed=seed)
    typer.echo(json.dumps([forms.as_dict(result)], indent=1) if format is Format.json else forms.as_text(result))
    if figure is not None:
        from il2.report.figure import save

        save(forms.figure(result), figure)
        typer.echo(f"wrote {figure}", err=True)
