"""PEtab version 1: one sheet for each of the problems of a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from il2.errors import Il2Error
from il2.formats.petab_tables import (
    DEGREES_COLUMN,
    LIN,
    NORMAL,
    Measured,
    Number,
    Sheet,
    Watched,
    absent,
    preequilibrated,
    real,
    text,
)  # fmt: skip


def version_1(path: Path, config: dict, errors: list[str]) -> list[Sheet]:
    """Sheets of a YAML file that was read as `config`; `errors` is where petab's linter leaves its messages."""
    from petab import v1

    parts = config["problems"]
    table = v1.get_parameter_df([path.parent / p for p in _listed(config["parameter_file"])])
    out = []
    for i, part in enumerate(parts):
        files = {kind: [path.parent / f for f in _listed(part.get(f"{kind}_files", []))] for kind in
                 ("sbml", "condition", "measurement", "observable")}  # fmt: skip
        if len(files["sbml"]) != 1:
            raise Il2Error(f"{len(files['sbml'])} SBML files in a problem", where=str(path), how="Give one in each.")
        problem = v1.Problem.from_files(
            sbml_file=files["sbml"][0], condition_file=files["condition"], measurement_file=files["measurement"],
            observable_files=files["observable"],
        )  # fmt: skip
        problem.parameter_df = table if len(parts) == 1 else _own(table, problem)
        if v1.lint_problem(problem):
            what = " ".join("; ".join(e for e in dict.fromkeys(errors) if e != "Not OK").split())
            raise Il2Error(f"the linter of petab refuses it: {what}", where=str(path))
        name = path.stem if len(parts) == 1 else f"{path.stem}_{i + 1}"
        out.append(_sheet(name, files["sbml"][0].read_text(encoding="utf-8"), problem))
    return out


def _own(table: Any, problem: Any) -> Any:
    """Rows of a shared parameter table that a problem knows."""
    from petab.v1.parameters import get_valid_parameters_for_parameter_table as valid

    known = valid(problem.model, problem.condition_df, problem.observable_df, problem.measurement_df)
    return table[table.index.isin(known)]


def _sheet(name: str, sbml: str, problem: Any) -> Sheet:
    from petab.v1.math import sympify_petab
    from petab.v1.measurements import split_parameter_replacement_list as split

    observables = {}
    for key, row in problem.observable_df.iterrows():
        formula, noise = str(row["observableFormula"]), str(row.get("noiseFormula", 1.0))
        observables[str(key)] = Watched(
            str(key), sympify_petab(formula), sympify_petab(noise),
            text(row.get("observableTransformation")) or LIN, text(row.get("noiseDistribution")) or NORMAL,
            _numbered("observableParameter", str(key)), _numbered("noiseParameter", str(key)),
            math.inf if absent(row.get(DEGREES_COLUMN)) else float(row[DEGREES_COLUMN]),
        )  # fmt: skip
    conditions = {
        str(key): {
            str(column): sympify_petab(value)
            for column, value in row.items()
            if column != "conditionName" and not absent(value)
        }
        for key, row in problem.condition_df.iterrows()
    }
    rows = []
    for _, row in problem.measurement_df.iterrows():
        if before := text(row.get("preequilibrationConditionId")):
            raise preequilibrated(name, before)
        rows.append(
            Measured(
                str(row["observableId"]), str(row["simulationConditionId"]), float(row["time"]),
                float(row["measurement"]),
                tuple(sympify_petab(v) for v in split(row.get("observableParameters"))),
                tuple(sympify_petab(v) for v in split(row.get("noiseParameters"))),
            )
        )  # fmt: skip
    numbers = tuple(_number(str(key), row) for key, row in problem.parameter_df.iterrows())
    return Sheet(name, sbml, numbers, observables, conditions, tuple(rows))


def _number(name: str, row: Any) -> Number:
    kind = text(row.get("objectivePriorType"))
    given = text(row.get("objectivePriorParameters"))
    of_prior = tuple(float(v) for v in given.split(";")) if given else ()
    on_scale = kind.startswith("parameterScale")
    short = kind.removeprefix("parameterScale") if on_scale else kind
    return Number(
        name, str(row["parameterScale"]), real(row.get("lowerBound")), real(row.get("upperBound")),
        real(row.get("nominalValue")), bool(int(row["estimate"])),
        {"logNormal": "log-normal"}.get(short, short.casefold()), of_prior, on_scale, text(row.get("parameterName")),
    )  # fmt: skip


def _numbered(word: str, observable: str) -> tuple[str, ...]:
    return tuple(f"{word}{i}_{observable}" for i in range(1, 100))


def _listed(value: Any) -> list:
    return value if isinstance(value, list) else [value]
