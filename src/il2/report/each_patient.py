"""The table of all patients of a population, chunk by chunk, so that a million need no more memory than a few."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from il2.errors import Il2Error
from il2.files import whole_file
from il2.patient.cohort import ARM, COURSE, STATUS, STATUSES
from il2.patient.notice import RESEARCH_USE

if TYPE_CHECKING:
    import pandas

    from il2.runs.collect import Finished

CSV = ".csv"
USE = "use"


def frames(read: Finished, settings: dict[str, Any]) -> Iterator[pandas.DataFrame]:
    """A row a patient: arm, number, status, covariates, exposures, folds, and each readout on each day."""
    import pandas

    names = [one["name"] for one in settings["arms"]]
    for _, _, arrays in read:
        flat: dict[str, Any] = {}
        for name, array in arrays.items():
            if name == ARM:
                flat[name] = [names[i] for i in array]
            elif name == STATUS:
                flat[name] = [STATUSES[i] for i in array]
            elif name.startswith(COURSE):
                days = zip(settings["report_d"], array.T, strict=True)
                flat |= {f"{name.removeprefix(COURSE)} day {day:g}": column for day, column in days}
            else:
                flat[name] = array
        yield pandas.DataFrame(flat).assign(**{USE: RESEARCH_USE.partition(":")[0]})


def write_frames(parts: Iterator[pandas.DataFrame], path: Path) -> None:
    """Tables one after another into a CSV or Parquet file, which is there whole or not at all."""
    with whole_file(path) as temporary:
        if path.suffix.lower() == CSV:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                for n, part in enumerate(parts):
                    part.to_csv(file, index=False, header=n == 0, float_format="%.8g", lineterminator="\n")
            return
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise Il2Error("Parquet needs pyarrow", where=str(path), how="Install il2[parquet].") from error
        writer = None
        for part in parts:
            table = pyarrow.Table.from_pandas(part, preserve_index=False)
            writer = writer or parquet.ParquetWriter(str(temporary), table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()
