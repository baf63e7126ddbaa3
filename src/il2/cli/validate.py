"""`il2 validate`: measured sets against the default parameter set, the published model, baselines and replicates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show

if TYPE_CHECKING:
    import pandas

    from il2.fit.antigen_report import AntigenReport
    from il2.fit.validate import Validation

LEGEND = (
    "R2: pooled over wells, one scale per date, replicate and cell. EC50: median error in log10 of the curves that "
    "count. early: up to 60 min. in 2x, in 3x: share of EC50s within 2- and 3-fold. core: Treg, Th, CD8, NK. "
    "A dose ramp has no biology, so read no R2 alone."
)

ANTIGEN_LEGEND = (
    "IL-2 over time of T cells with peptide. error, bias, peak_error, peak_bias: medians over conditions, log10; "
    "beyond a limit of the assay nothing is an error. peak_later_h: predicted minus measured. exponent: slope of log10 "
    "peak; exponent_censored: the same with peaks at a limit as bounds. Nothing is fitted."
)


@app.command()
def validate(
    data: Path = typer.Option(None, help="Score every set found in this folder too; ligands may be unseen."),
    figures: Path = typer.Option(None, help="Write the figures (PNG) into this folder."),
    out: Path = typer.Option(None, help="Write all scores to this CSV."),
    markdown: bool = typer.Option(False, "--markdown", help="Print the tables as a page of the docs."),
    held: bool = typer.Option(False, "--held", help="Score the IL-2 time courses that are kept aside; look once."),
    format: Format = FORMAT,
) -> None:
    """How well measured sets are predicted, beside baselines and replicates. Example: il2 validate --out scores.csv"""
    from rich.console import Console

    from il2.errors import Il2Error
    from il2.files import write_text
    from il2.fit.validate import DEFAULT
    from il2.fit.validate import validate as validated
    from il2.report.validation import draw

    if out is not None and out.suffix.lower() != ".csv":
        raise Il2Error(f"unknown ending {out.suffix!r}", where=str(out), how="Scores are a .csv file.")
    with Console(stderr=True).status("predicting and scoring"):
        found = validated(data, held=True) if held else validated(data)
        written = draw(found.scores[DEFAULT], figures) if figures is not None else []
    if out is not None:
        write_text(out, records(found).to_csv(index=False, float_format="%.4g", lineterminator="\n"))
        written.append(out)
    if format is Format.json:
        show(records(found).to_dict("records"), format)
    elif markdown:
        typer.echo(page(found), nl=False)
    else:
        _tables(found)
    for path in written:
        typer.echo(f"wrote {path}", err=True)


def records(found: Validation) -> pandas.DataFrame:
    """All scores below one another; `view` says of what: groups, populations, small sets or, of antigen-driven IL-2
    time courses, antigen groups, exponents, conditions and left out."""
    import pandas

    parts = [("groups", found.table), ("populations", found.detail), ("small sets", found.small)]
    for of in found.antigen:
        own = {"groups": of.groups, "exponents": of.exponents, "conditions": of.conditions, "left out": of.left_out}
        part = "kept aside" if of.held else "in use"
        parts += [(f"antigen {name}", table.assign(set=str(of.folder), part=part)) for name, table in own.items()]
    return pandas.concat([part.assign(view=name) for name, part in parts if len(part)], ignore_index=True)


def _blocks(found: Validation) -> Iterator[tuple[str, pandas.DataFrame]]:
    """(title, one row a prediction) per set, group of ligands and group of cells."""
    from il2.fit.validate import wide

    for (source, ligands, cells, use), part in wide(found.table).groupby(
        ["set", "ligands", "cells", "use"], sort=False
    ):
        yield f"{source}: {ligands}, {cells} ({use})", part.iloc[:, 4:]


def _small(found: Validation) -> pandas.DataFrame:
    names = [
        "set",
        "readout",
        "ligand",
        "valency",
        "cell",
        "points",
        "r2",
        "rms_percent",
        "ec50_nM",
        "ec50_predicted_nM",
    ]
    return found.small[names].astype({"valency": int, "points": int}) if len(found.small) else found.small


def _tables(found: Validation) -> None:
    from il2.knowledge.parameters import CURRENT, fingerprint

    typer.echo(f"Parameter set {CURRENT} ({fingerprint()})\n{LEGEND}\n")
    for title, part in _blocks(found):
        show(part.to_dict("records"), Format.table, title)
        typer.echo("")
    if len(found.small):
        show(_small(found).to_dict("records"), Format.table, "small digitised sets, default set")
        typer.echo("")
    for line in verdicts(found):
        typer.echo(line)
    show(found.left_out.to_dict("records"), Format.table, "left out")
    for of in found.antigen:
        _antigen(of)


def antigen_blocks(of: AntigenReport) -> Iterator[tuple[str, pandas.DataFrame]]:
    """(title, table) of a report on antigen-driven IL-2 time courses."""
    from il2.fit.antigen_report import DEFAULT, shown_exponents, summary

    yield "conditions that the model can answer", of.counted
    yield "beside one another, all conditions", summary(of)
    shown = of.groups[of.groups["prediction"] == DEFAULT]
    if len(shown):
        yield f"{DEFAULT}, by class of conditions", shown.drop(columns="prediction")
    yield "exponents of the IL-2 maximum, data and models", shown_exponents(of)
    yield "left out of the time courses", of.left_out


def _antigen(of: AntigenReport) -> None:
    for title, table in antigen_blocks(of):
        typer.echo("")
        show(table.to_dict("records"), Format.table, title)
    for line in antigen_words(of):
        typer.echo(line)


def antigen_words(of: AntigenReport) -> list[str]:
    """What the tables say, and which part of the set they are of."""
    from il2.fit.antigen_report import verdicts as told

    part = "the experiments kept aside" if of.held else "the experiments in use; those kept aside were not scored"
    return [ANTIGEN_LEGEND, f"Scored: {part}.", *told(of), *of.notes]


def verdicts(found: Validation) -> list[str]:
    """Where the default set does not beat every naive baseline, in words."""
    from il2.fit.validate import best_baselines

    out = []
    for row in best_baselines(found.table).to_dict("records"):
        missed = [name for name, key in (("R2", "beats_r2"), ("EC50", "beats_ec50")) if not row[key]]
        if missed:
            place = f"{row['set']}, {row['ligands']}, {row['cells']}"
            out.append(f"{place}: a naive baseline is as good or better by {' and by '.join(missed)}.")
    return out or ["The default set beats every naive baseline by R2 and by EC50 in every group."]


def page(found: Validation) -> str:
    """The tables as Markdown."""
    from il2.knowledge.parameters import CURRENT, fingerprint

    lines = [f"Parameter set {CURRENT} ({fingerprint()}). {LEGEND}", ""]
    for title, part in _blocks(found):
        lines += [f"### {title}", "", *_markdown(part), ""]
    lines += ["### Per population", "", *_markdown(_populations(found)), ""]
    if len(found.small):
        lines += ["### Small digitised sets", "", *_markdown(_small(found)), ""]
    lines += ["### Against naive baselines", "", *(f"- {line}" for line in verdicts(found)), ""]
    lines += ["### Left out", "", *_markdown(found.left_out), ""]
    for of in found.antigen:
        lines += ["### Antigen-driven IL-2 over time", "", *(f"- {line}" for line in antigen_words(of)), ""]
        for title, part in antigen_blocks(of):
            lines += [f"#### {title[0].upper()}{title[1:]}", "", *_markdown(part), ""]
    return "\n".join(lines)


def _populations(found: Validation) -> pandas.DataFrame:
    from il2.fit.validate import DEFAULT, wide

    table = wide(found.detail[found.detail["prediction"] == DEFAULT])
    return table.drop(columns=["prediction", "points", "bias"])


def _markdown(table: pandas.DataFrame) -> list[str]:
    def text(name: str, value: object) -> str:
        if isinstance(value, float):
            missing = not math.isfinite(value)
            return "–" if missing else f"{value:.3g}" if name.endswith("_nM") else f"{value:.2f}"
        return str(value).replace("|", "\\|")

    def line(values: Iterable[str]) -> str:
        return "| " + " | ".join(values) + " |"

    names = list(table.columns)
    rows = [line(text(n, v) for n, v in zip(names, row, strict=True)) for row in table.itertuples(index=False)]
    return [line(names), line("---" for _ in names), *rows]
