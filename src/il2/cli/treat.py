"""`il2 treat`: a virtual patient under one regimen or several."""

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
from il2.cli.print import FORMAT, Format, show
from il2.cli.write import FIGURES, PAGES, TABLES, check_endings, told, write_frame
from il2.errors import Il2Error

if TYPE_CHECKING:
    import xarray

WHERE = "il2 treat"


@app.command()
def treat(
    regimens: list[str] = typer.Argument(
        None, metavar="REGIMEN...", help="Regimens of --list, files .yaml of your own, or event tables .csv."
    ),
    listing: bool = typer.Option(False, "--list", help="List regimens, patients, drugs and modules."),
    patient: str = typer.Option("healthy", help="Who is treated, a patient of --list."),
    weight: str = typer.Option("", metavar="'80 kg'", help="Body weight with its unit."),
    height: str = typer.Option("", metavar="'180 cm'", help="Height with its unit."),
    egfr: str = typer.Option("", "--eGFR", metavar="'60 mL/min'", help="Filtration per 1.73 m2, as laboratories give."),
    count: list[str] = typer.Option([], metavar="'Treg=20 cell/uL'", help="Cells in blood at the start; repeat."),
    set_: list[str] = typer.Option(
        [], "--set", metavar="'NAME=VALUE UNIT'", help="Put another value in the place of a quantity; repeat."
    ),
    drug: str = typer.Option("", help="Drug of an event table without the column DRUG."),
    route: str = typer.Option("", help="Route of an event table without the column CMT: iv, sc or im."),
    days: float | None = typer.Option(None, help="How long to follow; default four weeks after the last dose."),
    step: float | None = typer.Option(None, help="Days between the times that are read; default 0.25."),
    draws: int = typer.Option(0, min=0, help="Parameter sets beside the default one, for bands."),
    seed: int = typer.Option(0, min=0, help="Seed of the draws."),
    module: list[str] = typer.Option([], help="A disease to join, one of --list; repeat."),
    out: Path | None = typer.Option(None, help="Table of the courses, .csv or .parquet."),
    figure: Path | None = typer.Option(None, help="Figure, .png or .svg; with --html a .png beside the page."),
    html: Path | None = typer.Option(None, help="Self-contained page."),
    threads: int | None = typer.Option(None, min=1, help="Threads; default all cores. Results do not depend on it."),
    format: Format = FORMAT,
) -> None:
    """A virtual patient under regimens: levels, cells, harm. Example: il2 treat cGVHD_daily --patient cGVHD"""
    if listing:
        _list(format)
        return
    if not regimens:
        raise Il2Error("no regimen is named", where=WHERE, how="Give one of --list, or a file .yaml or .csv.")
    figure = html.with_suffix(".png") if html is not None and figure is None else figure
    check_endings((out, TABLES), (figure, FIGURES), (html, PAGES))
    from il2.cli.treat_input import changes_of, person_of, regimens_of
    from il2.patient.treat import STEP_d
    from il2.patient.treat import treat as follow
    from il2.patient.treat_summary import frame

    chosen = regimens_of(regimens, drug, route)
    who = person_of(
        patient, {"weight": (weight, "weight_kg"), "height": (height, "height_cm"), "eGFR": (egfr, "eGFR")}, count
    )
    with _progress(len(chosen) * (1 + draws)) as tell:
        data = follow(
            chosen, who, days, STEP_d if step is None else step, draws=draws, seed=seed, modules=module,
            changes=changes_of(set_), threads=threads, on_done=tell,
        )  # fmt: skip
    data.attrs["command"] = "il2 " + shlex.join(sys.argv[1:])
    if format is Format.json:
        _json(data)
    else:
        _print(data)
    if out is not None:
        write_frame(frame(data), out)
    if figure is not None:
        from il2.report.figure import save
        from il2.report.treat_figure import treat_figure

        save(treat_figure(data), figure)
    if html is not None:
        from il2.files import write_text
        from il2.report.treat import treat_html

        write_text(html, treat_html(data, chosen, who, data.attrs["command"]))
    told(data.attrs["warnings"], out, figure, html)


def _list(format: Format) -> None:
    """Regimens, patients, drugs and modules."""
    from il2.knowledge.drug import drugs
    from il2.knowledge.person import HEALTHY, persons
    from il2.patient.autoimmunity import diseases
    from il2.patient.module import modules
    from il2.patient.regimen_file import regimen, regimens

    records = []
    for name in regimens():
        found = regimen(name)
        told = ", ".join(found.drugs) or "nothing"
        records.append(("regimen", name, f"{told}; {found.title}", found.sources))
    for name, who in persons().items():
        differs = ", ".join(f"{v.name} {v.value:g}" for v in who.differs) if name != HEALTHY else "the reference adult"
        sources = {s for v in who.differs for s in v.sources}
        records.append(("patient", name, differs, tuple(sorted(sources))))
    for d in drugs():
        counted = "mg, nmol, MIU" if d.MIU_per_mg else "mg, nmol"
        said = f"{d.kind}, {d.species}; set {d.set}; doses in {counted}"
        records.append(("drug", f"{d.name}/{d.set}" if _several(d.name) else d.name, said, d.sources))
    records += [("module", name, "a part that --module joins to a patient", ()) for name in modules()]
    records += [("module", n, f"autoimmunity; evidence: {d.evidence}", d.sources) for n, d in diseases().items()]
    keys = ("what", "name", "about", "sources")
    rows = [dict(zip(keys, (*r[:3], ", ".join(r[3])), strict=True)) for r in records]
    if format is Format.json:
        show(rows, format)
        return
    for what in ("regimen", "patient", "drug", "module"):
        own = [{k: v for k, v in r.items() if k not in ("what", "sources")} for r in rows if r["what"] == what]
        show(own, format, f"{what.capitalize()}s")


def _several(name: str) -> bool:
    from il2.knowledge.drug import drugs

    return sum(d.name == name for d in drugs()) > 1


@contextmanager
def _progress(lanes: int) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal, of courses that are done; it leaves no trace."""
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("courses"), progress.BarColumn(), progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(), progress.TimeRemainingColumn(),
    )  # fmt: skip
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("courses", total=lanes)
        yield lambda n: bars.update(task, advance=n)


def _json(data: xarray.Dataset) -> None:
    from il2.patient.treat_exposure import exposures
    from il2.patient.treat_summary import effects, fates

    records = [
        {
            "table": table,
            **row,
            "parameter_set": data.attrs["parameter_set"],
            "research_use": data.attrs["research_use"],
        }
        for table, rows in (("exposure", exposures(data)), ("fate", fates(data)), ("effects", effects(data)))
        for row in rows
    ]
    show(records, Format.json)


def _print(data: xarray.Dataset) -> None:
    """What people read: exposure, where the dose went, effects and harm with their days."""
    from il2.patient.treat_exposure import exposures
    from il2.patient.treat_summary import effects, mechanism

    attrs = data.attrs
    typer.echo(attrs["research_use"])
    typer.echo(f"{'; '.join(attrs['titles'])}. Patient: {attrs['person']}, {float(data.time_d.values[-1]):g} d.")
    if found := exposures(data):
        rows = [
            {
                "regimen": r["regimen"], "drug": r["drug"], "doses": r["doses"], "first (nmol)": r["first_dose_nmol"],
                "peak (nM)": r["first_peak_nM"], "at (h)": r["first_peak_h"], "area (nM*h)": r["first_AUC_nM_h"],
                "highest (IU/mL)": r["peak_IU_per_mL"], "last peak (nM)": r["last_peak_nM"],
                "last area (nM*h)": r["last_AUC_nM_h"], "half-life (h)": r["half_life_h"],
            }
            for r in found
        ]  # fmt: skip
        show(rows, Format.table, "Exposure: after the first dose, and over the last whole interval")
        for text in mechanism(data):
            typer.echo(text)
    rows, before = [], ""
    for r in effects(data):
        band = f" ({_value(r['highest_low'])}–{_value(r['highest_high'])})" if "highest_low" in r else ""
        rows.append(
            {
                "regimen": r["regimen"] if r["regimen"] != before else "", "readout": r["readout"], "unit": r["unit"],
                "start": _value(r["start"]), "lowest": _value(r["lowest"]), "on day": _day(r["lowest_d"]),
                "highest": _value(r["highest"]) + band, "on day ": _day(r["highest_d"]), "end": _value(r["end"]),
            }
        )  # fmt: skip
        before = r["regimen"]
    show(rows, Format.table, "Effects and harm")
    people = f"{attrs['draws']} draws, seed {attrs['seed']}; in parentheses {attrs['band']}. " if attrs["band"] else ""
    least = attrs["weakest_numbers"].count("; ") + 1
    typer.echo(
        f"{people}Parameter set {attrs['parameter_set']} ({attrs['parameter_hash']}); weakest grade "
        f"{attrs['weakest_grade']}, of {least} numbers; all by grade: {attrs['grades']}."
    )
    typer.echo(attrs["research_use"])


def _value(value: float) -> str:
    from il2.report.evidence import number_text

    return "–" if math.isnan(value) else number_text(value)


def _day(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}".removesuffix(".0")
