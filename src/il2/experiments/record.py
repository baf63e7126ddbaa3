"""Recorded verdicts: what the experiments found, keyed by a hash of the code and the tables that decide it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from il2.errors import Il2Error
from il2.files import write_text
from il2.knowledge.table import tables_folder

FILE = "verdicts.json"
LAYERS = ("network", "engine", "gene", "receptor", "signalling", "cell", "patient", "experiments")
TABLES = (
    "affinities", "assay_references", "bands", "body_cells", "calibrated", "cell_traits", "cells", "coordinates",
    "correlations", "criteria", "diseases", "drugs", "heads", "loci", "molecules", "outcomes", "output_inputs",
    "outputs", "partners", "patients", "priors", "promoters", "quantities", "receptor_counts", "residues",
    "sequence_features", "sequences", "species", "variation",
)  # fmt: skip


@dataclass(frozen=True)
class Record:
    """The outcome of one experiment. claims: id to verdict and reason. key: of the code and tables it was run with."""

    id: str
    verdict: str
    reason: str
    share: float | None
    draws: int
    seed: int
    grade: str
    origin: str
    claims: dict[str, tuple[str, str]]
    il2_version: str
    parameter_set: str
    key: str

    @property
    def stale(self) -> bool:
        """Whether code or tables have changed since."""
        return self.key != key()


@cache
def key() -> str:
    """Hash of every file that can change a verdict."""
    root = Path(str(files("il2")))
    paths = [path for layer in LAYERS for path in sorted((root / layer).glob("*.py"))]
    digest = hashlib.sha256()
    regimens = sorted((tables_folder().parent / "regimens").glob("*.yaml"))
    for path in (*paths, *regimens, *(tables_folder() / f"{name}.csv" for name in TABLES)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:12]


@cache
def recorded() -> dict[str, Record]:
    """The verdicts that come with the package, by experiment."""
    path = Path(str(files("il2.experiments"))) / FILE
    if not path.is_file():
        return {}
    return load(path)


def load(path: Path) -> dict[str, Record]:
    """Verdicts from a file that `save` wrote; what is none is an Il2Error."""
    try:
        found = [
            Record(**r | {"claims": {c: tuple(v) for c, v in r["claims"].items()}})
            for r in json.loads(path.read_text("utf-8"))
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Il2Error(
            "is no file of verdicts",
            where=str(path),
            why=str(error),
            how="Write it with il2 experiments --run --save FILE.",
        ) from error
    return {r.id: r for r in found}


def save(path: Path, records: Iterable[Record]) -> None:
    """Write verdicts as JSON, whole or not at all."""
    write_text(path, json.dumps([asdict(r) for r in records], indent=1, ensure_ascii=False) + "\n")
