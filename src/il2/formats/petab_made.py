"""PEtab problems made ready for a fit: names of the points, and the parameter table with estimated values."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from il2.engine.solve import Tolerances
from il2.errors import Il2Error
from il2.files import whole_file
from il2.fit.block import Block
from il2.fit.made import LIN, LOG10, Made
from il2.formats.petab_read import read_petab
from il2.formats.petab_sheets import sheets
from il2.formats.petab_tables import Measured, Sheet

SUFFIXES = (".yaml", ".yml")
PARAMETERS = "parameters.tsv"
EXACT = Tolerances(rtol=1e-7, atol=1e-16)


def petab_made(path: Path, threads: int | None = None) -> Made:
    """The fit problem of a PEtab YAML file, whose points are named by observable, condition (experiment in version 2)
    and time. Raises `Il2Error` as `il2.formats.petab_read.read_petab`."""
    found = read_petab(path, threads)
    # amounts of others may be of any size, so that the absolute tolerance must be far below all
    problem = replace(found.problem, blocks=tuple(replace(of, tolerances=EXACT) for of in found.problem.blocks))
    told = sheets(path)
    rows = [row for sheet in told for row in sheet.measurements]
    ends = np.cumsum([0, *(len(sheet.measurements) for sheet in told)])
    several = {"model": np.repeat([sheet.name for sheet in told], np.diff(ends))} if len(told) > 1 else {}
    observables = np.array([row.observable for row in rows], object)
    transformation = [s.observables[row.observable].transformation for s in told for row in s.measurements]
    widths = [_widths(s, of) for s, of in zip(told, found.problem.blocks, strict=True)]
    labels = several | {
        "row": np.arange(1, len(rows) + 1), "observable": observables,
        "condition": np.array([row.condition for row in rows], object), "time": np.array([row.time for row in rows]),
    }  # fmt: skip
    return Made(
        problem, path.name, _key(path), tuple(map(np.arange, ends[:-1], ends[1:])), labels, observables,
        np.array(transformation, object), np.concatenate(widths), constant=found.constant,
    )  # fmt: skip


def _widths(sheet: Sheet, of: Block) -> np.ndarray:
    """What values of the points are over, the fixed part of their noise: told by the values, and where a value is
    zero by others of the same noise."""
    known: dict[tuple[str, str], float] = {}
    keys = [(row.observable, str(row.noise_overrides)) for row in sheet.measurements]
    for key, row, value in zip(keys, sheet.measurements, of.points.value.tolist(), strict=True):
        if value:
            known[key] = _transformed(sheet, row) / value
    for key, row in zip(keys, sheet.measurements, strict=True):
        if key not in known:
            known[key] = _fixed(sheet, row)
    return np.array([known[key] for key in keys])


def _transformed(sheet: Sheet, row: Measured) -> float:
    scale = sheet.observables[row.observable].transformation
    return row.value if scale == LIN else math.log10(row.value) if scale == LOG10 else math.log(row.value)


def _fixed(sheet: Sheet, row: Measured) -> float:
    """The noise of a point with 1 for what is estimated."""
    watched = sheet.observables[row.observable]
    numbers = {n.name: 1.0 if n.estimated else n.nominal for n in sheet.numbers}
    table = dict(zip(watched.noise_placeholders, row.noise_overrides, strict=False))
    formula = watched.noise.subs({s: table[s.name] for s in watched.noise.free_symbols if s.name in table})
    left = {s: numbers.get(s.name, 1.0) for s in formula.free_symbols}
    return float(formula.subs(left))


def write_parameters(of: Path, values: Mapping[str, float], path: Path) -> None:
    """Write the parameter table of a problem, with values by name in the column nominalValue.

    of: the YAML file of the problem. All else of the table stays as it is.
    """
    import pandas

    parts = [pandas.read_csv(of.parent / name, sep="\t", dtype=str, keep_default_na=False) for name in _tables(of)]
    table = pandas.concat(parts, ignore_index=True).fillna("")
    before = table["nominalValue"] if "nominalValue" in table else [""] * len(table)
    names = [name.strip() for name in table["parameterId"]]
    table["nominalValue"] = [
        f"{values[name]:.10g}" if name in values else old for name, old in zip(names, before, strict=True)
    ]
    with whole_file(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False)


def _tables(path: Path) -> list[str]:
    config = _config(path)
    found = config.get("parameter_file") or config.get("parameter_files") or []
    return found if isinstance(found, list) else [found]


def _key(path: Path) -> str:
    """A hash of the problem's files and of their names."""
    found = hashlib.sha256()
    for name in sorted({text for text in _texts(_config(path)) if text}):
        with suppress(OSError, ValueError):  # not every text is the name of a file
            content = (path.parent / name).read_bytes()
            found.update(f"{name} {len(content)}\n".encode() + content)
    found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _config(path: Path) -> dict[str, Any]:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Il2Error("cannot be read", where=str(path), why=str(error)[:200]) from error
