"""`il2 population`: virtual patients, dose-response, predictive checks and virtual trials."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show
from il2.cli.write import FIGURES, PAGES, TABLES, check_endings, write_frame
from il2.errors import Il2Error

if TYPE_CHECKING:
    from il2.knowledge.person import Person
    from il2.patient.arm import Arm
    from il2.patient.results import Asked, Results
    from il2.patient.trial import Trial
    from il2.runs.collect import Finished
    from il2.runs.job import Job

WHERE = "il2 population"
EVENTS = ".csv"
RUN = "run"
CHUNK = 2000
DEFAULT_NUMBER, DEFAULT_d = 1000, 56.0


@app.command()
def population(
    what: str = typer.Argument("", metavar="REGIMEN", help="A regimen of the package, or a .yaml file of your own."),
    patient: str = typer.Option("", help="The typical person, around whom patients are drawn; default healthy."),
    number: int | None = typer.Option(None, help="Patients of each arm, 10 to 1,000,000; default 1000."),
    days: float | None = typer.Option(None, help="How long they are followed; default 56 days."),
    covariate: list[str] = typer.Option([], metavar="NAME=VALUE", help="A value of the typical person; repeat."),
    disease: str = typer.Option("", help="A disease of the table of diseases, whose index is then followed."),
    dose: list[str] = typer.Option([], help="Arms with this dose instead, such as '0.5 MIU/m2'; repeat."),
    independent: bool = typer.Option(False, "--independent", help="Other people at each --dose, not the same."),
    trial: Path | None = typer.Option(None, help="A virtual trial: YAML of arms and endpoints."),
    data: Path | None = typer.Option(None, help="Measurements (CSV) for a visual predictive check."),
    assay_error: float = typer.Option(0.0, help="Coefficient of variation (%) of the assay of --data."),
    responder: list[str] = typer.Option([], help="Who responds, such as 'fold_Treg peak >= 2'; repeat."),
    exposure: str = typer.Option("", help="For exposure-response; default AUC_first of the first drug."),
    at: str = typer.Option("", metavar="DAYS", help="Days that are kept, such as 0,7,28; default each week."),
    readout: list[str] = typer.Option([], help="One more readout that is kept; repeat."),
    level: float = typer.Option(95.0, help="Level of intervals, %."),
    seed: int = typer.Option(0, min=0, help="Seed: the same one gives the same patients."),
    out: Path | None = typer.Option(None, help="Folder of the run, its tables and figures; the same command goes on."),
    each: Path | None = typer.Option(None, "--each-patient", help="Table of all patients, .csv or .parquet."),
    html: Path | None = typer.Option(None, help="Self-contained page."),
    workers: int = typer.Option(1, min=1, help="Processes; one uses all cores by threads."),
    cluster: str = typer.Option("", help="tcp://HOST:PORT of a Dask scheduler, or local:N."),
    chunk: int = typer.Option(CHUNK, min=1, help="Patients that are kept at once; a kill costs at most these."),
    format: Format = FORMAT,
) -> None:
    """Virtual patients and trials. Example: il2 population cGVHD_daily --patient cGVHD --number 1000 --out folder"""
    check_endings((_beside(each, out), TABLES), (_beside(html, out), PAGES))
    from il2.patient.arm import TASK, lanes, settings
    from il2.patient.results import results
    from il2.runs.collect import finished
    from il2.runs.job import Job
    from il2.runs.run import run

    arms, plan_days, asked = _plan(
        what, patient, number, days, covariate, disease, dose, independent, trial, responder, exposure, level
    )
    drugs = list(dict.fromkeys(d.name for arm in arms for d in arm.plan.drugs))
    if data is not None:
        asked = _with_data(asked, data, arms, drugs, plan_days, assay_error)
    elif assay_error:
        raise Il2Error("--assay-error has no effect alone", where=WHERE, how="Add --data.")
    kept = asked.days(plan_days, _days(at))
    given = settings(arms, plan_days, kept, asked.readouts(drugs, readout), seed)
    for v in asked.variables:
        v.arrays(given)
    _refuse_few(asked, lanes(arms))
    job = Job(TASK, given, lanes(arms), chunk)
    with _folder(out) as folder:
        with _progress(job.chunks) as tell:
            run(job, folder / RUN, workers=workers, cluster=cluster, on_done=tell)
        read = finished(folder / RUN, job)
        found = results(read.arrays, given, asked)
        if each is not None:
            _write_each(read, job, each)
    for text in _undosed(arms, plan_days):
        typer.echo(f"warning: {text}", err=True)
    written = [each] if each is not None else []
    _print(found, format)
    if out is not None:
        written += _write(found, out)
    if html is not None:
        from il2.files import write_text
        from il2.report.population import population_html

        write_text(html, population_html(found, arms, "il2 " + shlex.join(sys.argv[1:])))
        written.append(html)
    for path in written:
        typer.echo(f"wrote {path}", err=True)


def _plan(
    what: str, patient: str, number: int | None, days: float | None, covariate: list[str], disease: str,
    dose: list[str], independent: bool, trial: Path | None, responder: list[str], exposure: str, level: float,
) -> tuple[list[Arm], float, Asked]:  # fmt: skip
    """Arms, days and what is asked, of options or of the file of a trial."""
    from il2.patient.arm import Arm, refuse_days
    from il2.patient.binomial import percent
    from il2.patient.dose import dose as dose_of
    from il2.patient.people import refuse_number
    from il2.patient.regimen_file import regimen
    from il2.patient.results import RESPONDER, Asked, at_doses
    from il2.patient.trial import read_trial
    from il2.patient.variable import criterion, variable

    criteria = tuple(criterion(text) for text in responder or [RESPONDER])
    percent(level, "--level")
    planned: Trial | None = None
    if trial is not None:
        if what or patient or number or days or covariate or disease or dose or independent:
            raise Il2Error("a trial says its arms itself", where=WHERE, how="Leave regimen, number, days and the like.")
        planned = read_trial(trial)
        arms, until, doses = list(planned.arms), planned.days, []
    else:
        if not what:
            raise Il2Error("no regimen is named", where=WHERE, how="Name one, a .yaml file, or --trial.")
        if independent and not dose:
            raise Il2Error("--independent has no effect alone", where=WHERE, how="Add --dose.")
        if Path(what).suffix.lower() == EVENTS:
            how = "Give a .yaml file; il2 treat reads event tables."
            raise Il2Error("an event table is no regimen of a population", where=what, how=how)
        who = _person(patient, covariate)
        size = DEFAULT_NUMBER if number is None else number
        refuse_number(size, "--number")
        until = DEFAULT_d if days is None else days
        refuse_days(until)
        chosen = regimen(what)
        arm = Arm(chosen.name, chosen, who, size)
        arm = arm.diseased(disease) if disease else arm
        with _of_option("--dose"):
            doses = [dose_of(text) for text in dose]
        if len(set(doses)) < len(doses):
            raise Il2Error("a dose is given twice", where="--dose", how="Give each once.")
        arms = at_doses(arm, doses, not independent) if doses else [arm]
    drugs = [d.name for arm in arms for d in arm.plan.drugs]
    by_default = f"{drugs[0]} AUC_first" if drugs and sum(a.number for a in arms) >= 100 else ""
    seen = variable(exposure or by_default) if exposure or by_default else None
    return arms, until, Asked(criteria, seen, trial=planned, dosed=tuple(doses), level=level)


def _with_data(asked: Asked, data: Path, arms: Sequence[Arm], drugs: list[str], days: float, error: float) -> Asked:
    from dataclasses import replace

    from il2.patient.course import lowered
    from il2.patient.observed import read_measured

    if not 0 <= error <= 100:
        raise Il2Error(f"an error of {error:g} %", where="--assay-error", how="Give 0 to 100.")
    network, _ = lowered(arms[0].plan)
    found = read_measured(data, network, [arm.name for arm in arms], drugs, days)
    return replace(asked, data=tuple(found), error_percent=error)


def _person(name: str, covariates: list[str]) -> Person:
    """The typical person with what is given instead."""
    from il2.knowledge.person import HEALTHY, person
    from il2.patient.course import body_of

    given = [_covariate(text) for text in covariates]
    for key, _ in given:
        if [k for k, _ in given].count(key) > 1:
            raise Il2Error(f"{key} is given twice", where="--covariate", how="Give each once.")
    with _of_option("--patient"):
        who = person(name or HEALTHY)
    with _of_option("--covariate"):
        who = who.having(**dict(given))
        body_of(who)  # refuses a size that no body has
    return who


@contextmanager
def _of_option(name: str) -> Iterator[None]:
    """Errors of what an option says name the option."""
    try:
        yield
    except Il2Error as error:
        where = f"{name}: {error.where}" if error.where else name
        raise Il2Error(error.what, where=where, why=error.why, how=error.how) from error


def _covariate(text: str) -> tuple[str, float]:
    name, sign, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not sign or not math.isfinite(number):
        raise Il2Error(f"{text!r} is no covariate", where="--covariate", how="Write it like weight_kg=80.")
    return name.strip(), number


def _days(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")] if text.strip() else []
    except ValueError as error:
        raise Il2Error(f"{text!r} are no days", where="--at", how="Write them like 0,7,28.") from error


def _beside(path: Path | None, out: Path | None) -> Path | None:
    """A file as it is judged before the run: one in the folder of the run, which may yet be made, by its name alone."""
    return Path(path.name) if path is not None and path.parent == out else path


def _refuse_few(asked: Asked, patients: int) -> None:
    """Refuse an exposure-response of fewer patients than its bins need, before they are solved."""
    from il2.patient.population import FEWEST_EXPOSED

    if asked.exposure is not None and patients < FEWEST_EXPOSED:
        how = f"Give at least {FEWEST_EXPOSED} patients, or leave --exposure."
        raise Il2Error(f"{patients} patients are too few for exposure-response", where="--exposure", how=how)


def _undosed(arms: Sequence[Arm], days: float) -> list[str]:
    """A warning where doses of a regimen are due after the end."""
    late = [arm.name for arm in arms if arm.regimen.courses and arm.regimen.end_d > days]
    return [f"{', '.join(late)}: doses due after day {days:g}, the end, are not given"] if late else []


def _made(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Il2Error(f"cannot be made: {error.strerror}", where=str(out), how="Choose another folder.") from error


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """The folder of the run; without one, a temporary one that is gone in the end."""
    if out is not None:
        new = not out.exists()
        _made(out)
        try:
            yield out
        finally:
            if new:
                with suppress(OSError):  # it stays unless a run was refused before it began
                    out.rmdir()
        return
    with TemporaryDirectory(prefix="il2-population-") as folder:
        yield Path(folder)


@contextmanager
def _progress(chunks: int) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal, of chunks of patients that are done."""
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("chunks of patients"), progress.BarColumn(), progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(), progress.TimeRemainingColumn(),
    )  # fmt: skip
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("chunks", total=chunks)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _print(found: Results, format: Format) -> None:
    """What people read; as JSON, every table by its name."""
    from il2.patient.notice import RESEARCH_USE

    if format is Format.json:
        show([{"table": name} | row for name, rows in found.tables().items() for row in rows], format)
        return
    typer.echo(RESEARCH_USE + "\n")
    show(found.failures, format, "Patients")
    show(_last(found), format, "At the end: percentiles over patients")
    show(found.responders, format, "Responders, with exact intervals")
    for title, rows in (
        ("Exposure-response", found.exposure_response), ("Visual predictive check", _brief(found.check)),
        ("Trial; the difference is to the first arm", found.trial),
    ):  # fmt: skip
        if rows:
            show(rows, format, title)


def _last(found: Results) -> list[dict]:
    end = found.settings["report_d"][-1]
    return [row for row in found.percentiles if row["time_d"] == end]


def _brief(rows: list[dict]) -> list[dict]:
    names = ("arm", "readout", "time_d", "measured", "measured_p50", "simulated_p50", "share", "low", "high")
    return [{name: row[name] for name in names} for row in rows]


def _write(found: Results, out: Path) -> list[Path]:
    """Tables and figures into the folder of the run."""
    import pandas

    from il2.patient.notice import RESEARCH_USE
    from il2.report.figure import save
    from il2.report.population_figure import figures

    written = []
    for name, rows in found.tables().items():
        path = out / f"{name}.csv"
        write_frame(pandas.DataFrame(rows).assign(use=RESEARCH_USE), path)
        written.append(path)
    for name, figure in figures(found).items():
        path = out / f"{name}{FIGURES[0]}"
        save(figure, path)
        written.append(path)
    return written


def _write_each(read: Finished, job: Job, path: Path) -> None:
    """All patients, a row each, chunk by chunk."""
    from il2.report.each_patient import frames, write_frames

    write_frames(frames(read, job.settings), path)
