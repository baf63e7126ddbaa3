"""Plates on disk: read in pieces, answered, written to a new file that takes its name when all is done."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from il2.cell.plate import check_columns, predict_plate
from il2.errors import Il2Error
from il2.files import whole_file

if TYPE_CHECKING:
    import pandas

ROWS_AT_ONCE = 50_000


def predict_file(
    plate: Path,
    out: Path,
    *,
    parameters: Mapping[str, float] | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[int, int]:
    """Answer `plate` into `out` (CSV, UTF-8) in bounded memory; returns (wells, wells not answered).

    parameters: values that stand in for those of the default set. progress: called with the number of wells answered
    so far. Raises Il2Error for a bad file; `out` is then left as it was.
    """
    if out.suffix.lower() != ".csv":
        raise Il2Error(f"unknown ending {out.suffix!r}", where=str(out), how="Predictions of a plate are a .csv file.")
    if out.resolve() == plate.resolve():
        raise Il2Error("the plate and its predictions are one file", where=str(out), how="Choose another name.")
    wells = bad = 0
    try:
        with whole_file(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            for piece in _pieces(plate):
                done = predict_plate(piece, parameters=parameters, threads=threads)
                done.to_csv(file, index=False, header=wells == 0, float_format="%.6g")
                wells += len(done)
                bad += int((done["status"] != "ok").sum())
                if progress:
                    progress(wells)
            if not wells:
                raise Il2Error(
                    "the plate has no wells", where=str(plate), how="Give at least one row below the header."
                )
    except UnicodeDecodeError as error:
        raise Il2Error(
            "the file is not UTF-8",
            where=str(plate),
            why=f"it holds the byte {error.object[error.start]:#x}",
            how="Save it as CSV UTF-8.",
        ) from error
    except csv.Error as error:
        raise Il2Error("the file is no regular CSV", where=str(plate), why=str(error)) from error
    return wells, bad


def _pieces(plate: Path) -> Iterator[pandas.DataFrame]:
    import pandas

    try:
        file = plate.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(plate), how="Check the path.") from error
    with file:
        reader = csv.reader(file)
        names = [name.strip() for name in next((row for row in reader if any(row)), [])]
        if not names:
            raise Il2Error("the file is empty", where=str(plate), how="Give a header and at least one row.")
        try:
            check_columns(names)
        except Il2Error as error:
            raise Il2Error(error.what, where=f"{plate}, header", why=error.why, how=error.how) from error
        for rows in _batches(reader, len(names), plate):
            yield pandas.DataFrame(rows, columns=names, dtype=str)


def _batches(reader, width: int, plate: Path) -> Iterator[list[list[str]]]:
    """Rows in pieces of ROWS_AT_ONCE; blank lines are skipped, a row of another width refuses the file."""
    rows: list[list[str]] = []
    for row in reader:
        if not row:
            continue
        if len(row) != width:
            raise Il2Error(
                f"a row has {len(row)} fields, the header {width}",
                where=f"{plate}:{reader.line_num}",
                how="Quote fields that hold commas.",
            )
        rows.append(row)
        if len(rows) == ROWS_AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows
