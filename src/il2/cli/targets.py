"""`il2 targets`: published results next to what the default parameter set gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show

if TYPE_CHECKING:
    from il2.patient.targets import Outcome

WIDTH, INDENT = 120, " " * 7
PATIENT = "patient"


@app.command()
def targets(
    layer: str = typer.Argument("", help="For example receptor; without it every layer that has targets."),
    format: Format = FORMAT,
) -> None:
    """Published results beside the model: reproduced, missed or not applicable. Example: il2 targets receptor"""
    from il2.patient.targets import targets as outcomes

    found = outcomes(layer)
    if format is Format.json:
        show([_record(o) for o in found], format)
        return
    from il2.knowledge.parameters import CURRENT, fingerprint

    typer.echo(f"Parameter set {CURRENT} ({fingerprint()})\n")
    for outcome in found:
        typer.echo(_block(outcome))
    typer.echo("\n".join(_summary(found)))


def _record(o: Outcome) -> dict[str, object]:
    return {
        "id": o.id, "result": o.of, "layer": o.layer, "quantity": o.quantity, "condition": o.condition, "unit": o.unit,
        "published": o.target, "low": o.low, "high": o.high, "accepted": o.accepted, "il2": o.value,
        "verdict": o.verdict, "reason": o.reason, "confirmed": o.confirmed, "use": o.use, "run": o.run,
        "command": o.command, "sources": o.source, "note": o.note,
    }  # fmt: skip


def _block(o: Outcome) -> str:
    """One target: what was found, what il2 gives, and the run that shows it."""
    unit = "" if o.unit == "dimensionless" else f" {o.unit}"
    published = "published as a sign or in words" if math.isnan(o.target) else f"published {o.target:g}{unit}"
    marks = f"(confirmed: {o.confirmed}; {o.use})"
    if o.applicable:
        head = f"{published}, accepted {o.accepted}; il2 gives {_digits(o.value)}{unit}: {o.verdict} {marks}"
    else:
        head = f"{published}: {o.verdict} (confirmed: {o.confirmed}). {o.reason}. {o.note}"
    lines = [_wrapped(f"{o.quantity}; {o.condition}", f"{o.id:<{len(INDENT)}}"), _wrapped(head)]
    lines += [_wrapped(f"run: {o.run}")] if o.run else []
    lines += [f"{INDENT}{o.command}"] if o.command else []
    return "\n".join(lines) + "\n"


def _digits(value: float) -> str:
    """Three digits, 3620 rather than 3.62e+03."""
    return f"{float(f'{value:.3g}'):g}"


def _wrapped(text: str, first: str = INDENT) -> str:
    return fill(text, WIDTH, initial_indent=first, subsequent_indent=INDENT, break_on_hyphens=False)


def _summary(found: Sequence[Outcome]) -> list[str]:
    from il2.patient.targets import NOT_RUN, conflicts, score

    every = score(found)
    unrun = sum(o.verdict == NOT_RUN for o in found)
    waiting = [f"{unrun} published results have no run of the model yet."] if unrun else []
    if not every.every:
        return waiting
    tested = [name for name in every.tested if name in every.reproduced]
    text = (
        f"{len(every.reproduced)} of {len(every.every)} confirmed and applicable targets reproduced, each with all of "
        f"its rows ({len(tested)} of {len(every.tested)} without those that are counts put in). "
        f"Missed: {', '.join(every.missed) or 'none'}. "
        "Rows of use calibration entered a fit, or a prior, of this set or of an earlier one."
    )
    return [fill(part, WIDTH) for part in (text, *_judged(found), *conflicts(found), *waiting) if part]


def _judged(found: Sequence[Outcome]) -> list[str]:
    """The share of what could be missed, for results of patients, and that none of it is advice."""
    from il2.patient.notice import RESEARCH_USE
    from il2.patient.targets import judged

    of_patients = [o for o in found if o.layer == PATIENT]
    if not of_patients:
        return []
    known = judged(of_patients)
    return [
        f"Patients: {len(known.reproduced)} of {len(known.every)} ({known.share:.0%}) of the confirmed and applicable "
        "results are reproduced, where rows that are inputs, calibrations or negative controls count in neither. "
        f"Missed: {', '.join(known.missed) or 'none'}.",
        RESEARCH_USE,
    ]
