"""`il2 respond`: how cells answer ligands, alone or on a plate."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show
from il2.cli.write import FIGURES, PAGES, TABLES, check_endings, write_frame
from il2.errors import Il2Error

if TYPE_CHECKING:
    import pandas
    import xarray

FIGURE, REPORT = Path("il2-respond.png"), Path("il2-respond.html")


@app.command()
def respond(
    context: typer.Context,
    ligand: list[str] = typer.Option(
        ["IL2"],
        "--ligand",
        "-l",
        help="A name (IL2, IL4, IL7, IL9, IL15, IL21, 'WT N-term') or a YAML file with KDs; repeat for several.",
    ),
    cells: list[str] = typer.Option(
        [],
        "--cells",
        "-c",
        help="A cell name (Treg, NK), or a CSV of counts (cell,IL2RA,IL2RB,IL2RG,...); repeat.",
    ),
    added: list[str] = typer.Option(
        [], "--with", metavar="NAME=AMOUNT", help="Add a molecule: 'daclizumab=10 ug/mL', 'IL7=1 nM'; repeat."
    ),
    with_before: str = typer.Option("", help="How long additions act before the ligand, such as '60 min'. Default: 0."),
    dial: list[str] = typer.Option(
        [],
        "--dial",
        metavar="NAME=SHARE",
        help="Share of a chain, JAK1 or JAK3 that is left: IL2RG=0 is a knock-out; repeat.",
    ),
    doses: str = typer.Option(
        "", help="Doses with a unit: '10 pM, 1 nM' or '1 pM..100 nM'. Default: 12 from 84 nM down."
    ),
    dose_count: int = typer.Option(12, min=1, max=1000, help="How many doses a range has."),
    times: str = typer.Option("30, 60, 120, 240 min", help="Times with a unit, rising."),
    cells_per_ml: str = typer.Option(
        "", "--cells-per-mL", help="Density such as '1e6 cells/mL': the cells use up the ligand. Default: clamped."
    ),
    uncertainty: bool = typer.Option(
        False,
        "--uncertainty",
        "--receptor-spread",
        help="Bands from draws of the calibrated set, and from ranges of what it does not hold.",
    ),
    parameters: str = typer.Option(
        "", metavar="SET", help="2026.1, the set before the calibration, or a file that `il2 fit` wrote."
    ),
    draws: int = typer.Option(200, min=2, max=10_000, help="Draws of the bands."),
    seed: int = typer.Option(0, min=0, help="Seed of the draws."),
    plate: Path | None = typer.Option(None, help="A CSV with one well a row; needs --out."),
    out: Path | None = typer.Option(None, help="Table of results, .csv or .parquet."),
    figure: Path | None = typer.Option(None, help="Figure, .png or .svg."),
    report: Path | None = typer.Option(None, help="Self-contained HTML report."),
    threads: int | None = typer.Option(None, min=1, help="Threads; default all cores. Results do not depend on it."),
    format: Format = FORMAT,
) -> None:
    """How immune cells answer cytokines and muteins. Example: il2 respond --ligand IL15 --cells NK --dial JAK3=0.5

    Without options: ten human PBMC populations, IL-2, 12 doses, 4 times; an EC50 table beside measured values,
    il2-respond.png and il2-respond.html in this folder. With --plate FILE --out FILE every row is a well.
    """
    given = _given(context)
    if plate is not None:
        extra = [option for name, option in given.items() if name not in ("plate", "out", "threads", "parameters")]
        _refuse(extra, "on a plate", "--plate", "Leave it out, or make it a column.")
        _plate(plate, out, parameters, threads)
        return
    idle = [given[name] for name in ("draws", "seed") if name in given and not uncertainty]
    _refuse(idle, "alone", "il2 respond", "Add --uncertainty.")
    check_endings((out, TABLES), (figure, FIGURES), (report, PAGES))
    from il2.cell import respond as predict
    from il2.cell.table import ec50_table
    from il2.cli import respond_input as read
    from il2.report.conditions import assumed, sentences
    from il2.units import parse_many, quantity_in

    asked = read.ligands(ligand, added)
    chosen = read.parameters(parameters)
    data = predict.respond(
        asked.ligands,
        read.cells(cells),
        parse_many(doses, "nM", count=dose_count, where="--doses") if doses else predict.DEFAULT_DOSES_nM,
        parse_many(times, "min", count=dose_count, where="--times"),
        spread_draws=draws * uncertainty,
        seed=seed,
        cells_per_mL=quantity_in(cells_per_ml, "cell/mL", where="--cells-per-mL") if cells_per_ml else None,
        added=asked.added,
        before_min=read.before(with_before, asked.added),
        dial=read.dials(dial),
        parameters=chosen.values,
        parameter_set=chosen.name,
        threads=threads,
    )
    data.attrs["warnings"] = [*asked.notes, *chosen.notes, *data.attrs["warnings"]]
    data.attrs["command"] = "il2 " + shlex.join(sys.argv[1:])
    table = ec50_table(data)
    title = "EC50 in nM: dose at half of maximum minus minimum on the rising limb"
    records = _records(table)
    if format is Format.json:
        records = [record | {"parameter_set": chosen.name} for record in records]
    show(records, format, title)
    if format is Format.table:
        state = (
            f"Status {data.attrs['status']}, parameter set {data.attrs['parameter_set']}; fold is EC50 over measured"
        )
        typer.echo(f"{state}. {predict.HEIGHTS}.")
        for text in (*assumed(data), *sentences(data)):
            typer.echo(text)
    plain = not given.keys() - {"threads", "format"}
    written = _write(data, table, out, FIGURE if plain else figure, REPORT if plain else report)
    for text in data.attrs["warnings"]:
        typer.echo(f"warning: {text}", err=True)
    for path in written:
        typer.echo(f"wrote {path}", err=True)


def _given(context: typer.Context) -> dict[str, str]:
    """Names of the options that the user gave, and how they are written."""
    written = {p.name: next(o for o in p.opts if o.startswith("--")) for p in context.command.params}
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {n: written[n] for n, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


def _refuse(idle: list[str], why: str, where: str, how: str) -> None:
    if idle:
        raise Il2Error(f"{sorted(idle)[0]} has no effect {why}", where=where, how=how)


def _records(table: pandas.DataFrame) -> list[dict]:
    return [{k: v.item() if hasattr(v, "item") else v for k, v in row.items()} for row in table.to_dict("records")]


def _write(data, table, out: Path | None, figure: Path | None, report: Path | None) -> list[Path]:
    if out is not None:
        write_table(data, out)
    if figure is not None:
        from il2.report.figure import comparison_figure, response_figure, save

        save(comparison_figure(data) if data.sizes["ligand"] > 1 else response_figure(data), figure)
    if report is not None:
        from il2.files import write_text
        from il2.report.html import response_html

        write_text(report, response_html(data, table, data.attrs["command"]))
    return [path for path in (out, figure, report) if path is not None]


def write_table(data: xarray.Dataset, path: Path) -> None:
    """The Dataset as one row per ligand, cell, dose and time, as CSV or Parquet."""
    frame = data.drop_dims("receptor").drop_vars("base", errors="ignore").to_dataframe().reset_index()
    write_frame(frame, path)


def _plate(plate: Path, out: Path | None, parameters: str, threads: int | None) -> None:
    import time

    from il2.cell.plate_file import predict_file
    from il2.cell.respond import HEIGHTS
    from il2.cli import respond_input as read

    if out is None:
        raise Il2Error("--plate needs --out", where="il2 respond", how="For example --out predictions.csv.")
    chosen = read.parameters(parameters)
    start = time.monotonic()

    def progress(wells: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - start > 1:
            print(f"\r{wells:,} wells", end="", file=sys.stderr)

    wells, bad = predict_file(plate, out, parameters=chosen.values, threads=threads, progress=progress)
    typer.echo(f"{wells:,} wells, {bad:,} not answered (see the column status); wrote {out}", err=True)
    for text in chosen.notes:
        typer.echo(f"warning: {text}", err=True)
    typer.echo(f"Parameter set {chosen.name}.", err=True)
    typer.echo(f"{HEIGHTS}.", err=True)
