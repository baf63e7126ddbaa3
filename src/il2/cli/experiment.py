"""`il2 experiments` and `il2 experiment`: all virtual experiments with their verdicts, and one run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show
from il2.cli.write import FIGURES, PAGES, check_endings
from il2.errors import Il2Error

if TYPE_CHECKING:
    from il2.experiments.record import Record
    from il2.experiments.result import Result


@app.command()
def experiments(
    run: bool = typer.Option(
        False, "--run", help="Run every experiment that is built, instead of the recorded verdicts."
    ),
    save: Path | None = typer.Option(None, help="With --run: keep the verdicts in this JSON file."),
    html: Path | None = typer.Option(
        None, metavar="DIR", help="Folder for a page of each experiment and an index; with --run they have figures."
    ),
    format: Format = FORMAT,
) -> None:
    """All 42 virtual experiments, the claims they test, and their verdicts. Example: il2 experiments --html pages"""
    from il2.atlas.status import experiment_table
    from il2.experiments.record import recorded
    from il2.experiments.tally import tally

    if save is not None and not run:
        raise Il2Error("--save has no effect alone", where="il2 experiments", how="Add --run.")
    _folder(html)
    results: dict[str, Result] = {}
    records: Mapping[str, Record] = recorded()
    if run:
        results, records = _run()
        if save is not None:
            from il2.experiments.record import save as keep

            keep(save, records.values())
            typer.echo(f"wrote {save}", err=True)
    if html is not None:
        _write_all(html, results, records)
    table = experiment_table(records)
    for row in table:
        row["origin"] = records[str(row["id"])].origin if row["id"] in records else ""
    if format is Format.json:
        show(table, format)
        return
    show([_short(row) for row in table], format)
    typer.echo(tally((str(row["id"]) for row in table), records).text)
    if any(row["stale"] for row in table):
        typer.echo("stale: recorded with other code or numbers; il2 experiments --run computes them anew")


def _folder(path: Path | None) -> None:
    """Make the folder of the pages, before any work."""
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "a file stands there" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise Il2Error(
            "no folder can be made", where=str(path), why=str(why), how="Choose another folder for --html."
        ) from error
    if not os.access(path, os.W_OK):
        raise Il2Error("cannot be written", where=str(path), how="Choose another folder for --html.")


def _run() -> tuple[dict[str, Result], dict[str, Record]]:
    from rich.console import Console
    from rich.progress import track

    from il2.experiments.experiment import experiments as built
    from il2.experiments.run_all import record, run_all

    progress = track(run_all(), "experiments", len(built()), console=Console(stderr=True), transient=True)
    results = {result.experiment: result for result in progress}
    return results, {name: record(result) for name, result in results.items()}


def _write_all(folder: Path, results: Mapping[str, Result], records: Mapping[str, Record]) -> None:
    """A page of every planned experiment, and the index."""
    from il2.experiments.outline import outline
    from il2.experiments.tally import tally
    from il2.files import write_text
    from il2.knowledge.planned import planned
    from il2.report.experiment_html import experiment_html
    from il2.report.experiment_index import INDEX, file_name, index_html

    found = [results.get(name) or outline(name, records.get(name)) for name in planned()]
    stale = [name for name, record in records.items() if record.stale]
    for result in found:
        name = result.experiment
        write_text(folder / file_name(name), experiment_html(result, INDEX, name in stale))
    write_text(folder / INDEX, index_html(found, tally(planned(), records), stale))
    typer.echo(f"wrote {folder / INDEX} and {len(found)} pages beside it", err=True)


def _short(row: dict) -> dict[str, object]:
    state = f"{row['status']}{' (stale)' if row['stale'] else ''}"
    return {
        "id": row["id"],
        "title": row["title"],
        "claims": len(row["claims"]),
        "grade": row["grade"] or "–",
        "status": state,
        "origin": row["origin"] or "–",
    }


@app.command()
def experiment(
    id: str = typer.Argument(..., help="For example E12; il2 experiments lists all."),
    draws: int = typer.Option(200, min=1, max=10_000, help="Draws from the parameter ranges; `shown` needs 200."),
    seed: int = typer.Option(0, min=0, help="Seed of the draws."),
    figure: Path | None = typer.Option(None, help="Figure, .png or .svg."),
    html: Path | None = typer.Option(None, help="Self-contained page, .html."),
    format: Format = FORMAT,
) -> None:
    """Run a virtual experiment and judge its claims. Example: il2 experiment E12 --html E12.html"""
    from il2.experiments import experiment as runner
    from il2.experiments import show as forms
    from il2.knowledge.planned import plan

    if id.upper() not in runner.experiments():
        p = plan(id)
        raise Il2Error(
            f"{p.id} {p.title} is not built", where="il2 experiment", how=f"il2 explain {p.id} says what it is to show."
        )
    check_endings((figure, FIGURES), (html, PAGES))
    result = runner.perform(runner.experiment(id), draws=draws, seed=seed)
    typer.echo(json.dumps([forms.as_dict(result)], indent=1) if format is Format.json else forms.as_text(result))
    if figure is not None:
        from il2.report.figure import save

        save(forms.figure(result), figure)
    if html is not None:
        from il2.files import write_text
        from il2.report.experiment_html import experiment_html

        write_text(html, experiment_html(result))
    for path in (figure, html):
        if path is not None:
            typer.echo(f"wrote {path}", err=True)
