"""`il2 culture`: a virtual well or plate over days."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, cell, show
from il2.cli.write import FIGURES, PAGES, TABLES, check_endings, told, write_frame
from il2.errors import Il2Error

if TYPE_CHECKING:
    from il2.cell.culture_file import Plate


@app.command()
def culture(
    what: str = typer.Argument("", metavar="PRESET|FILE.yaml", help="A preset of --list, or a file of your own."),
    presets: bool = typer.Option(False, "--list", help="List the presets."),
    hours: float | None = typer.Option(None, help="How long the culture lasts; default what the file says."),
    donors: int = typer.Option(0, min=0, help="People beside the typical one, for bands."),
    draws: int = typer.Option(0, min=0, help="Parameter sets beside the default one, each with every donor."),
    seed: int = typer.Option(0, min=0, help="Seed of donors and draws."),
    without: list[str] = typer.Option([], metavar="GENE", help="Knock a gene out of all cells; repeat."),
    add: list[str] = typer.Option(
        [], metavar="NAME=DOSE@TIME", help="Add to every well: 'daclizumab=10 nM@24h', 'IL2=20 IU/mL'; repeat."
    ),
    gene: list[str] = typer.Option([], help="mRNA of one more gene, such as CSF2; repeat."),
    product: list[str] = typer.Option([], help="One more product, such as CD86 or GZMB; repeat."),
    out: Path | None = typer.Option(None, help="Table of the courses, .csv or .parquet."),
    each_donor: bool = typer.Option(False, "--each-donor", help="Write every donor and draw to --out, not bands."),
    figure: Path | None = typer.Option(None, help="Figure, .png or .svg."),
    html: Path | None = typer.Option(None, help="Self-contained page."),
    threads: int | None = typer.Option(None, min=1, help="Threads; default all cores. Results do not depend on it."),
    format: Format = FORMAT,
) -> None:
    """A well or plate over days: IL-2, divisions, numbers. Example: il2 culture treg_suppression --donors 20"""
    if presets:
        _list(format)
        return
    if not what:
        raise Il2Error("no culture is named", where="il2 culture", how="Give a preset of --list, or a .yaml file.")
    if each_donor and out is None:
        raise Il2Error("--each-donor has no effect alone", where="il2 culture", how="Add --out.")
    from il2.cell.culture import culture as grow
    from il2.cell.culture_store import bands
    from il2.cell.culture_summary import frame, summary
    from il2.cell.presets import plate

    check_endings((out, TABLES), (figure, FIGURES), (html, PAGES))
    asked = _changed(plate(what), hours, without, add)
    lanes = len(asked.wells) * (1 + donors) * (1 + draws)
    with _progress(lanes) as tell:
        data = grow(
            asked.wells, asked.times_h, donors=donors, draws=draws, seed=seed, genes=(*asked.genes, *gene),
            products=(*asked.products, *product), bands=not each_donor, threads=threads, on_done=tell,
        )  # fmt: skip
    data.attrs["command"] = "il2 " + shlex.join(sys.argv[1:])
    table = frame(data, asked.labels) if out is not None else None
    if each_donor:
        data = bands(data)
    records = summary(data, asked.labels)
    if format is Format.json:
        show([r | {"parameter_set": data.attrs["parameter_set"]} for r in records], format)
    else:
        _print(asked, data, records)
    if out is not None and table is not None:
        write_frame(table, out)
    if figure is not None:
        from il2.report.culture_figure import culture_figure
        from il2.report.figure import save

        save(culture_figure(data, asked), figure)
    if html is not None:
        from il2.files import write_text
        from il2.report.culture import culture_html

        write_text(html, culture_html(data, asked, data.attrs["command"]))
    told(data.attrs["warnings"], out, figure, html)


def _list(format: Format) -> None:
    from il2.cell.presets import preset, presets

    records = []
    for name in presets():
        found = preset(name)
        records.append(
            {
                "preset": name, "wells": len(found.wells), "hours": float(found.times_h[-1]), "about": found.about,
                "sources of the numbers": ", ".join(found.sources),
            }
        )  # fmt: skip
    show(records, format)


def _changed(asked: Plate, hours: float | None, without: list[str], add: list[str]) -> Plate:
    """The plate with what the options change."""
    from il2.cell.culture import LONGEST_h
    from il2.cell.culture_item import addition, genes_of
    from il2.cell.yaml_tree import Item

    if hours is not None and not (math.isfinite(hours) and 0 < hours <= LONGEST_h):
        raise Il2Error(f"{hours:g} h", where="--hours", how=f"Give more than 0, at most {LONGEST_h} h.")
    genes = genes_of(Item([Item(g, "--without", 0, "") for g in without], "--without", 0, ""))
    added = tuple(addition(Item(text, "--add", 0, "")) for text in add)
    return asked.changed(hours=hours, without=genes, added=added)


@contextmanager
def _progress(lanes: int) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal, of cultures that are done."""
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("cultures"), progress.BarColumn(), progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(), progress.TimeRemainingColumn(),
    )  # fmt: skip
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("cultures", total=lanes)
        yield lambda n: bars.update(task, advance=n)


def _print(asked: Plate, data, records: list[dict]) -> None:
    """The summary that people read: one row per well and kind of cell."""
    if not records:
        raise Il2Error("no well holds a cell", where="il2 culture", how="Give a number of cells above zero.")
    typer.echo(asked.title)
    if asked.about:
        typer.echo(asked.about)
    rows, before = [], ""
    for r in records:
        first, banded = r["well"] != before, "cells_end_low" in r
        before = r["well"]
        ends = [cell(1000 * r[f"IL2_peak_nM_{end}"]) for end in ("low", "high")] if banded else []
        peak = f"{cell(1000 * r['IL2_peak_nM'])}{_span(ends)} at {r['IL2_peak_h']:g} h"
        ends = [f"{r[f'cells_end_{end}']:,.0f}" for end in ("low", "high")] if banded else []
        end = f"{r['cells_end']:,.0f}{_span(ends)}"
        rows.append(
            {
                "well": r["well"] if first else "", "label": r["label"] if first and r["label"] != r["well"] else "",
                "IL-2 peak (pM)": peak if first else "", "cells": r["cells"], "at start": f"{r['cells_start']:,.0f}",
                "at end": end, "fold": cell(r["fold"]), "divisions": cell(r["divisions"]), "dead": f"{r['dead']:,.0f}",
            }
        )  # fmt: skip
    attrs = data.attrs
    hours = float(data.time_h.values[-1])
    show(rows, Format.table, f"After {hours:g} h; divisions are the mean of living cells")
    people = f"{attrs['donors']} donors, {attrs['draws']} draws, seed {attrs['seed']}; in parentheses {attrs['band']}. "
    worst = max(r["balance_error"] for r in records)
    typer.echo(
        f"{people if attrs['band'] else ''}IL-2 mass balance closes to {worst:.1e}. Parameter set "
        f"{attrs['parameter_set']} ({attrs['parameter_hash']}), {attrs['species']}, weakest grade "
        f"{attrs['weakest_grade']}."
    )


def _span(ends: list[str]) -> str:
    return f" ({'–'.join(ends)})" if ends else ""
