"""`il2 targets`: published results next to what the default parameter set gives."""

from __future__ import annotations

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show


@app.command()
def targets(format: Format = FORMAT) -> None:
    """Published results beside the model: reproduced or missed. Example: il2 targets"""
    from il2.cell.targets import targets as outcomes
    from il2.knowledge.parameters import CURRENT, fingerprint

    found = outcomes()
    records = [
        {
            "id": o.id, "quantity": o.quantity, "condition": o.condition, "unit": o.unit, "published": o.target,
            "accepted": f"{o.low:g} to {o.high:g}", "il2": o.value, "verdict": o.verdict, "use": o.use,
        }
        for o in found
    ]  # fmt: skip
    show(records, format, f"Parameter set {CURRENT} ({fingerprint()})")
    if format is Format.table:
        typer.echo(
            f"{sum(o.reproduced for o in found)} of {len(found)} reproduced; values were chosen on calibration rows"
        )
