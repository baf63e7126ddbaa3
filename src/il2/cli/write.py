"""Files that commands write: endings are checked before any work, and a table is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from il2.errors import Il2Error

if TYPE_CHECKING:
    import pandas

TABLES, FIGURES, PAGES = (".csv", ".parquet"), (".png", ".svg"), (".html", ".htm")


def check_endings(*files: tuple[Path | None, tuple[str, ...]]) -> None:
    """Refuse files, each with the endings that it may have, that could not be written."""
    for path, endings in files:
        if path is None:
            continue
        _check_ending(path, endings)
        if not path.parent.is_dir():
            raise Il2Error(
                "cannot be written: no such folder", where=str(path), how="Make the folder, or choose another."
            )
        if not os.access(path.parent, os.W_OK):
            raise Il2Error(
                "cannot be written: the folder is read-only", where=str(path), how="Choose another file or folder."
            )


def write_frame(frame: pandas.DataFrame, path: Path) -> None:
    """A table as CSV or Parquet, as the ending says."""
    from il2.files import whole_file

    _check_ending(path, TABLES)
    with whole_file(path) as temporary:
        if path.suffix.lower() == ".csv":
            frame.to_csv(temporary, index=False, float_format="%.8g")
            return
        try:
            frame.to_parquet(temporary, index=False)
        except ImportError as error:
            raise Il2Error("Parquet needs pyarrow", where=str(path), how="Install il2[parquet].") from error


def _check_ending(path: Path, endings: tuple[str, ...]) -> None:
    if path.suffix.lower() not in endings:
        raise Il2Error(f"unknown ending {path.suffix!r}", where=str(path), how=f"Use {' or '.join(endings)}.")


def told(warnings: Iterable[str], *paths: Path | None) -> None:
    """Warnings, and what was written, beside the output."""
    for text in warnings:
        typer.echo(f"warning: {text}", err=True)
    for path in filter(None, paths):
        typer.echo(f"wrote {path}", err=True)
