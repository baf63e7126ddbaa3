"""`il2 claims`: what the five documents state, and whether a simulation shows it."""

from __future__ import annotations

import typer

from il2.cli.app import app
from il2.cli.print import FORMAT, Format, show


@app.command()
def claims(
    about: str = typer.Option("", help="An entity by any of its names or identifiers: IL2RA, CD25, P01589."),
    kind: str = typer.Option("", help="For example regulation, receptor, therapy."),
    seed: str = typer.Option("", help="Number of the document, 000 to 004."),
    status: str = typer.Option("", help="shown, contradicted, undecided, fact or unmodelled."),
    conflicts: bool = typer.Option(
        False, "--conflicts", help="The conflicts between documents; as JSON the claims in them."
    ),
    format: Format = FORMAT,
) -> None:
    """What five documents state, and what a simulation shows. Example: il2 claims --about CD25 --status shown"""
    from il2.atlas.status import claim_table, conflict_table

    found = claim_table(about, kind, seed.zfill(3) if seed.isdigit() else seed, status, conflicts)
    if format is Format.json:
        show(found, format)
        return
    if conflicts:
        differing = conflict_table({str(row["id"]) for row in found})
        show(differing, format)
        typer.echo(f"{len(differing)} conflicts; il2 explain C01 says more")
        return
    show([_short(row) for row in found], format)
    stale = any(row["stale"] for row in found)
    typer.echo(f"{len(found)} claims; il2 explain ID says more" + ("; verdicts marked * are stale" if stale else ""))


def _short(row: dict) -> dict[str, object]:
    return {
        "id": row["id"], "text": row["text"], "status": f"{row['status']}{'*' if row['stale'] else ''}",
        "experiment": ", ".join(row["experiments"]), "source": row["source"], "flag": row["flag"],
        "conflicts": ", ".join(row["conflicts"]),
    }  # fmt: skip
