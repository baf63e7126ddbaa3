"""`il2 fit`: estimate numbers from a table of wells or a PEtab problem."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show

if TYPE_CHECKING:
    from il2.fit.made import Made
    from il2.fit.run import Fit


@app.command()
def fit(
    data: Path = typer.Argument(
        ..., help="A CSV of wells (ligand, cell, dose_nM, time_min, value), or the YAML file of a PEtab problem."
    ),
    model: str = typer.Option("auto", help="Network: auto (that of each ligand), or a name of il2 export. CSV alone."),
    free: list[str] = typer.Option(
        [], metavar="NAME", help="Free one more number, or a group: counts, factors, default, all; repeat. CSV alone."
    ),
    fix: list[str] = typer.Option(
        [], metavar="NAME[=VALUE]", help="Hold a number or group, at its default or a value; repeat. CSV alone."
    ),
    value: str = typer.Option(
        "", metavar="COLUMN", help="The column of measured values. Default: value, or pstat5_... CSV alone."
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

    A PEtab problem (version 1 or 2) is fitted in the same way: il2 fit problem.yaml --starts 4 --out my-fit
    Writes estimates with 95 % intervals and verdicts, residuals, curves, figures, report.html and the numbers to go on
    with: parameters.yaml, of a PEtab problem parameters.tsv.
    Stop it at any time: the same command goes on where it was, and ends with the same result.
    """
    from il2.errors import Il2Error

    if resume and fresh:
        raise Il2Error("--resume and --fresh contradict each other", where="il2 fit", how="Give one of them.")
    from il2.fit import run, tables
    from il2.fit.tidy import AUTO, tidy
    from il2.formats import petab_made
    from il2.report import fit as report

    of_petab = data.suffix.casefold() in petab_made.SUFFIXES
    made: Made
    if of_petab:
        given = {"--free": free, "--fix": fix, "--model": model != AUTO, "--value": value}
        if wrong := [name for name, told in given.items() if told]:
            how = "Its parameter table says what is estimated (column estimate); leave the options out."
            what = f"{' and '.join(wrong)} {'do' if len(wrong) > 1 else 'does'} not apply to a PEtab problem"
            raise Il2Error(what, where=str(data), how=how)
        made = petab_made.petab_made(data, threads)
    else:
        made = tidy(data, free=free, fix=fix, model=model, value=value, threads=threads)
    command = "il2 " + shlex.join(sys.argv[1:])
    with _progress() as tell:
        try:
            found = run.fit_made(
                made, out=out, starts=starts, seed=seed, profiles=profiles, draws=draws, resume=resume, fresh=fresh,
                command=command, progress=tell,
            )  # fmt: skip
            tables.write(found, out)
            if of_petab:
                values = dict(zip(made.problem.names, found.values.tolist(), strict=True))
                petab_made.write_parameters(data, values, out / petab_made.PARAMETERS)
            report.write(found, out)
        except KeyboardInterrupt:
            typer.echo(f"what is done is kept in {out}: the same command goes on from there", err=True)
            raise
    show(_records(found, format), format, "Estimates, with 95 % intervals")
    if format is Format.table:
        inside = " and ".join(f"{100 * share:.0f} %" for share in found.check.shares)
        what = "measurements" if of_petab else "wells"
        typer.echo(f"Of the {what}, {inside} lie in their 50 % and 90 % predictive intervals.")
    for text in found.warnings:
        typer.echo(f"warning: {text}", err=True)
    last = petab_made.PARAMETERS if of_petab else tables.PARAMETERS
    typer.echo(f"wrote {out / report.REPORT}, and tables, figures and {last} beside it", err=True)


def _records(found: Fit, format: Format) -> list[dict]:
    """Rows of estimates; numbers and units as people read them in a table, as they are for programs."""
    from il2.report.fit_figure import unit

    plain = format is Format.table
    free = found.made.problem.free
    records: list[dict] = [
        {
            "name": f.name, **{key: _plain(v) if plain else float(v) for key, v in
                               (("value", value), ("low_95", told.low), ("high_95", told.high))},
            "unit": unit(f), "determined": "yes" if told.determined else "no",
        }
        for f, value, told, shown in zip(free, found.values, found.verdicts, found.made.shown, strict=True) if shown
    ]  # fmt: skip
    if plain:
        for key in ("value", "low_95", "high_95"):
            wide = max((len(record[key]) for record in records), default=0)
            records = [record | {key: record[key].rjust(wide)} for record in records]
        if not any(record["unit"] for record in records):
            records = [{key: v for key, v in record.items() if key != "unit"} for record in records]
    return records


def _plain(value: float) -> str:
    """Three digits, without powers of ten unless far from one."""
    return f"{float(f'{value:.3g}'):,.10g}"


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
