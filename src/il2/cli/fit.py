"""`il2 fit`: estimate numbers of the model from a table of wells."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show


@app.command()
def fit(
    data: Path = typer.Argument(..., help="A CSV with one well a row: ligand, cell, dose_nM, time_min, value."),
    model: str = typer.Option("auto", help="Network: auto (that of each ligand), or a name of il2 export."),
    free: list[str] = typer.Option(
        [], metavar="NAME", help="Free one more number, or a group: counts, factors, default, all; repeat."
    ),
    fix: list[str] = typer.Option(
        [], metavar="NAME[=VALUE]", help="Hold a number or group, at its default or a value; repeat."
    ),
    value: str = typer.Option(
        "", metavar="COLUMN", help="The column of measured values. Default: value, or pstat5_..."
    ),
    starts: int = typer.Option(8, min=1, max=1000, help="Starts of the search."),
    seed: int = typer.Option(0, min=0, help="Seed of starts and draws."),
    out: Path = typer.Option(Path("il2-fit"), help="Folder of the results; a stopped fit goes on from it."),
    profiles: list[str] = typer.Option(
        [], metavar="NAME", help="Profile a number, or all-determined, for exact intervals; repeat."
    ),
    draws: int = typer.Option(0, min=0, max=100_000, help="Posterior draws of each of 4 chains; slow."),
    resume: bool = typer.Option(False, "--resume", help="Refuse to begin anew: there must be a fit to go on with."),
    fresh: bool = typer.Option(False, "--fresh", help="Drop an earlier fit in the folder."),
    threads: int | None = typer.Option(None, min=1, help="Threads; default all cores. Results do not depend on it."),
    format: Format = FORMAT,
) -> None:
    """Estimate receptor counts and affinities from your own plates. Example: il2 fit plate.csv --starts 4 --out my-fit

    Writes estimates with 95 % intervals and verdicts, residuals, curves, figures, report.html and parameters.yaml.
    Stop it at any time: the same command goes on where it was, and ends with the same result.
    """
    from il2.errors import Il2Error

    if resume and fresh:
        raise Il2Error("--resume and --fresh contradict each other", where="il2 fit", how="Give one of them.")
    from il2.fit import run, tables
    from il2.report import fit as report

    command = "il2 " + shlex.join(sys.argv[1:])
    with _progress() as tell:
        try:
            found = run.fit(
                data, out=out, model=model, free=free, fix=fix, value=value, starts=starts, seed=seed,
                profiles=profiles, draws=draws, resume=resume, fresh=fresh, threads=threads, command=command,
                progress=tell,
            )  # fmt: skip
            tables.write(found, out)
            report.write(found, out)
        except KeyboardInterrupt:
            typer.echo(f"what is done is kept in {out}: the same command goes on from there", err=True)
            raise
    show(_records(found), format, "Estimates of the model's numbers, with 95 % intervals")
    if format is Format.table:
        inside = " and ".join(f"{100 * share:.0f} %" for share in found.check.shares)
        typer.echo(f"Of the wells, {inside} lie in their 50 % and 90 % predictive intervals.")
    for text in found.warnings:
        typer.echo(f"warning: {text}", err=True)
    typer.echo(f"wrote {out / report.REPORT}, and tables, figures and parameters.yaml beside it", err=True)


def _records(found) -> list[dict]:
    from il2.fit.free import DYNAMIC

    return [
        {
            "name": f.name,
            "value": float(value),
            "low_95": told.low,
            "high_95": told.high,
            "unit": f.unit,
            "determined": "yes" if told.determined else "no",
        }
        for f, value, told in zip(found.tidy.problem.free, found.values, found.verdicts, strict=True)
        if f.kind == DYNAMIC
    ]


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Bars on the terminal, one for each kind of work."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done)

        yield tell
