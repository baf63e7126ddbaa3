"""Fit problems as PEtab version 1.

Each block is a whole PEtab problem in a folder of its own: SBML, tables and a YAML file that every tool of version 1
can take. With several blocks these are sub-folders, and a YAML file above them joins them over one parameter table: a
parameter of one name is one number in all of them. Version 2 can hold several models in one file, but tells no scale of
a parameter, on which the priors here are normal.

A condition is a lane. A parameter on which free numbers act by multiplication becomes `base * factor^power` in the
SBML, with base and factors set by the conditions, since a condition of version 1 sets a number or a parameter and no
formula. Scale, background and noise of a point are overrides in the measurement table.

What version 1 cannot say: noise has no Student's t, so normal noise of the same scale is written, and the degrees stand
in a further column that our reader takes; a weight divides the noise by its root; censored points are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from il2.errors import Il2Error
from il2.files import write_text
from il2.fit.block import Block
from il2.fit.free import Free, centres, native
from il2.fit.problem import Problem
from il2.formats.petab_state import Cell, Stated, state
from il2.formats.petab_tables import DEGREES_COLUMN
from il2.formats.sbml import RESERVED, _identifiers, sbml_ids, to_sbml
from il2.network.network import Network


def write(problem: Problem, folder: Path, x: np.ndarray | None = None) -> list[Path]:
    """Write a problem into a folder, which is made if need be; returns the files, the YAML file of the whole first.

    x: positions (n,) on the scales that become nominal values; prior medians if None.
    Raises `Il2Error` where python-libsbml is missing or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Il2Error(f"no folder can be made: {error.strerror}", where=str(folder), how="Choose another.") from error
    nominal = native(problem.free, centres(problem.free) if x is None else np.asarray(x, float))
    stated = [state(of) for of in problem.blocks]
    ids = identifiers(problem.free, [s.network for s in stated])
    labels = _identifiers(list(range(len(stated))), [of.network.name for of in problem.blocks], RESERVED)
    texts: dict[Path, str] = {}
    parts, used = [], set[str]()
    for i, (of, one) in enumerate(zip(problem.blocks, stated, strict=True)):
        place = Path() if len(stated) == 1 else Path(labels[i])
        own = _used(of)
        used |= own
        files = {
            "model.xml": to_sbml(one.network),
            "conditions.tsv": _conditions(of, one, ids),
            "observables.tsv": _observables(of, one, problem.degrees),
            "measurements.tsv": _measurements(of, one, ids),
            "parameters.tsv": _parameters(problem.free, nominal, ids, own),
        }
        files["problem.yaml"] = _yaml([Path()])
        texts |= {place / name: text for name, text in files.items()}
        parts.append(place)
    if len(parts) > 1:
        texts[Path("parameters.tsv")] = _parameters(problem.free, nominal, ids, used)
        texts[Path("problem.yaml")] = _yaml(parts)
    texts[Path("README.txt")] = _readme(problem)
    for path, text in texts.items():
        (folder / path).parent.mkdir(exist_ok=True)
        write_text(folder / path, text)
    order = sorted(texts, key=lambda path: (path != Path("problem.yaml"), str(path)))
    return [folder / path for path in order]


def identifiers(free: Iterable[Free], networks: Iterable[Network]) -> dict[str, str]:
    """PEtab identifiers of free numbers, different from all identifiers of the models."""
    taken = {id.casefold() for network in networks for id in sbml_ids(network).values()}
    names = [f.name for f in free]
    texts = [f"fitted {n}" if _identifiers([0], [n], frozenset())[0].casefold() in taken else n for n in names]
    return _identifiers(names, texts, RESERVED | taken)


def _used(of: Block) -> set[str]:
    lanes = set(_measured(of.points.lane, of).tolist())
    names = {use.free for use in of.uses if lanes & set(np.arange(of.lanes)[use.lanes].tolist())}
    for kind in (of.points.scale, of.points.background, of.points.noise):
        names |= {n for n in _measured(kind, of).tolist() if n}
    return names


def _measured(column: np.ndarray, of: Block) -> np.ndarray:
    return column[of.points.censored == 0]


def _conditions(of: Block, one: Stated, ids: dict[str, str]) -> str:
    names = sbml_ids(one.network)
    lanes = sorted(set(_measured(of.points.lane, of).tolist()))
    rows: list[list[Cell]] = [["conditionId", *(names["constant", c] for c in one.columns)]]
    for lane in lanes:
        cells = [column[lane] for column in one.columns.values()]
        rows.append([_condition(lane), *(ids[c] if isinstance(c, str) else c for c in cells)])
    return _table(rows)


def _condition(lane: int) -> str:
    return f"condition_{lane + 1}"


def _shape(of: Block, readout: int) -> tuple[bool, bool, bool]:
    """Whether points of a readout have a scale, a background and weights."""
    here = (of.points.readout == readout) & (of.points.censored == 0)
    return (
        any(of.points.scale[here].tolist()), any(of.points.background[here].tolist()),
        bool((of.points.weight[here] != 1).any()),
    )  # fmt: skip


def _observables(of: Block, one: Stated, degrees: float) -> str:
    rows: list[list[Cell]] = [
        ["observableId", "observableName", "observableFormula", "noiseFormula", "observableTransformation",
         "noiseDistribution", DEGREES_COLUMN]
    ]  # fmt: skip
    table = sbml_ids(one.network)
    for r in sorted(set(_measured(of.points.readout, of).tolist())):
        signal = table["observable", of.readouts[r]]
        name = _watched(signal)
        scaled, raised, weighted = _shape(of, r)
        formula = f"observableParameter1_{name} * {signal}" if scaled else signal
        if raised:
            formula += f" + observableParameter{2 if scaled else 1}_{name}"
        noise = f"noiseParameter1_{name}" + (f" * noiseParameter2_{name}" if weighted else "")
        rows.append([name, of.readouts[r], formula, noise, "lin", "normal", degrees])
    return _table(rows)


def _watched(signal: str) -> str:
    return f"observed_{signal}"


def _measurements(of: Block, one: Stated, ids: dict[str, str]) -> str:
    table, points = sbml_ids(one.network), of.points
    shapes = {r: _shape(of, r) for r in range(len(of.readouts))}
    rows: list[list[Cell]] = [
        ["observableId", "simulationConditionId", "time", "measurement", "observableParameters", "noiseParameters"]
    ]
    for i in np.flatnonzero(points.censored == 0):
        scaled, raised, weighted = shapes[int(points.readout[i])]
        of_signal = [ids[points.scale[i]] if points.scale[i] else 1.0] if scaled else []
        of_signal += [ids[points.background[i]] if points.background[i] else 0.0] if raised else []
        of_noise: list[Cell] = [ids[points.noise[i]] if points.noise[i] else 1.0]
        of_noise += [1 / math.sqrt(points.weight[i])] if weighted else []
        rows.append(
            [
                _watched(table["observable", of.readouts[points.readout[i]]]), _condition(int(points.lane[i])),
                float(of.times_min[points.time[i]]), float(points.value[i]),
                ";".join(map(_text, of_signal)), ";".join(map(_text, of_noise)),
            ]
        )  # fmt: skip
    return _table(rows)


def _parameters(free: tuple[Free, ...], nominal: np.ndarray, ids: dict[str, str], used: set[str]) -> str:
    rows: list[list[Cell]] = [
        ["parameterId", "parameterName", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate",
         "objectivePriorType", "objectivePriorParameters"]
    ]  # fmt: skip
    for f, value in zip(free, nominal, strict=True):
        if f.name not in used:
            continue
        kind, prior = "parameterScaleUniform", [f.to_scale(f.low), f.to_scale(f.high)]
        if math.isfinite(f.spread):
            kind, prior = "parameterScaleNormal", [f.to_scale(f.centre), f.spread]
        cells: list[Cell] = [ids[f.name], f.name, f.scale, f.low, f.high, float(value), "1"]
        rows.append([*cells, kind, ";".join(map(_text, prior))])
    return _table(rows)


def _yaml(parts: list[Path]) -> str:
    files = {"sbml": "model.xml", "condition": "conditions.tsv", "observable": "observables.tsv",
             "measurement": "measurements.tsv"}  # fmt: skip
    problems: list[dict[str, Any]] = [
        {f"{kind}_files": [(part / name).as_posix()] for kind, name in files.items()} | {"visualization_files": []}
        for part in parts
    ]
    whole = {"format_version": 1, "parameter_file": "parameters.tsv", "problems": problems}
    return yaml.safe_dump(whole, sort_keys=False)


def _readme(problem: Problem) -> str:
    censored = sum(int((of.points.censored != 0).sum()) for of in problem.blocks)
    weighted = any((of.points.weight != 1).any() for of in problem.blocks)
    lines = [f"{problem.name}: a PEtab version 1 problem of {len(problem.blocks)} model(s); start at problem.yaml."]
    if len(problem.blocks) > 1:
        lines.append(
            "Each sub-folder is a PEtab problem of its own. Parameters of one name are one number: problem.yaml here "
            "joins the sub-folders over the parameter table here."
        )
    if math.isfinite(problem.degrees):
        lines.append(
            f"The noise was Student's t with {problem.degrees:g} degrees of freedom, which PEtab cannot say. Normal "
            f"noise of the same scale is written; the degrees stand in the column {DEGREES_COLUMN}."
        )
    if weighted:
        lines.append("Points with a weight have their noise divided by its root.")
    if censored:
        lines.append(f"{censored} censored points are left out, which PEtab cannot say.")
    lines.append("Derived constants are initial assignments: a simulator must evaluate them after a condition is set.")
    return "\n".join(lines) + "\n"


def _table(rows: list[list[Cell]]) -> str:
    return "".join("\t".join(_text(cell) for cell in row) + "\n" for row in rows)


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return " ".join(cell.split())
    return repr(int(cell)) if math.isfinite(cell) and cell == int(cell) and abs(cell) < 1e15 else repr(float(cell))
