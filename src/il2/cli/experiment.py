"""`il2 experiments` and `il2 experiment`: all virtual experiments with their verdicts, and one run."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show
from il2.errors import Il2Error


@app.command()
def experiments(
    run: bool = typer.Option(
        False, "--run", help="Run every experiment that is built, instead of the recorded verdicts."
    ),
    save: Path | None = typer.Option(None, help="With --run: keep the verdicts in this JSON file."),
    format: Format = FORMAT,
) -> None:
    """All 42 virtual experiments, the claims they test, and their verdicts. Example: il2 experiments"""
    from il2.atlas.status import experiment_table

    records = None
    if run:
        records = _run()
        if save is not None:
            from il2.experiments.record import save as keep

            keep(save, records.values())
            typer.echo(f"wrote {save}", err=True)
    elif save is not None:
        raise Il2Error("--save has no effect alone", where="il2 experiments", how="Add --run.")
    table = experiment_table(records)
    if format is Format.json:
        show(table, format)
        return
    show([_short(row) for row in table], format)
    if any(row["stale"] for row in table):
        typer.echo("stale: recorded with other code or numbers; il2 experiments --run computes them anew")


def _run() -> dict:
    from rich.console import Console
    from rich.progress import track

    from il2.experiments.experiment import experiments as built
    from il2.experiments.run_all import run_all

    progress = track(run_all(), "experiments", len(built()), console=Console(stderr=True), transient=True)
    return {record.id: record for record in progress}


def _short(row: dict) -> dict[str, object]:
    state = f"{row['status']}{' (stale)' if row['stale'] else ''}"
    return {
        "id": row["id"],
        "title": row["title"],
        "claims": len(row["claims"]),
        "grade": row["grade"] or "–",
        "status": state,
    }


@app.command()
def experiment(
    id: str = typer.Argument(..., help="For example E12; il2 experiments lists all."),
    draws: int = typer.Option(200, min=1, max=10_000, help="Draws from the parameter ranges; `shown` needs 200."),
    seed: int = typer.Option(0, min=0, help="Seed of the draws."),
    figure: Path | None = typer.Option(None, help="Figure, .png or .svg."),
    format: Format = FORMAT,
) -> None:
    """Run a virtual experiment and judge its claims. Example: il2 experiment E12"""
    from il2.experiments import experiment as runner
    from il2.experiments import show as forms
    from il2.knowledge.planned import plan

    if id.upper() not in runner.experiments():
        p = plan(id)
        raise Il2Error(
            f"{p.id} {p.title} is not built", where="il2 experiment", how=f"il2 explain {p.id} says what it is to show."
        )
    result = runner.perform(runner.experiment(id), draws=draws, seed=seed)
    typer.echo(json.dumps([forms.as_dict(result)], indent=1) if format is Format.json else forms.as_text(result))
    if figure is not None:
        from il2.report.figure import save

        save(forms.figure(result), figure)
        typer.echo(f"wrote {figure}", err=True)
