"""PEtab version 2: one sheet for each of the models of a file; an experiment of one period is a condition."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from il2.errors import Il2Error
from il2.formats.petab_tables import LIN, LOG, Measured, Number, Sheet, Watched, preequilibrated, real


def version_2(path: Path) -> list[Sheet]:
    """Sheets of a YAML file."""
    from petab import v2

    problem = v2.Problem.from_yaml(path)
    issues = problem.validate()
    bad = [str(issue.message) for issue in issues if issue.level >= v2.lint.ValidationIssueSeverity.ERROR]
    if bad:
        raise Il2Error(f"the linter of petab refuses it: {' '.join('; '.join(bad).split())}", where=str(path))
    if any(table.mappings for table in problem.mapping_tables):
        raise Il2Error("a mapping table is not read", where=str(path), how="Use the names of the model.")
    numbers = tuple(
        Number(p.id, "", real(p.lb), real(p.ub), real(p.nominal_value), p.estimate,
               str(getattr(p.prior_distribution, "value", p.prior_distribution) or ""), tuple(p.prior_parameters))
        for p in problem.parameters
    )  # fmt: skip
    observables = {o.id: _observable(o) for o in problem.observables}
    conditions = {c.id: {change.target_id: change.target_value for change in c.changes} for c in problem.conditions}
    experiments = {e.id: _single(path.stem, e, conditions) for e in problem.experiments} | {"": {}}
    names = [m.model_id for m in problem.models]
    out = []
    for model in problem.models:
        rows = tuple(
            Measured(m.observable_id, m.experiment_id or "", m.time, m.measurement, tuple(m.observable_parameters),
                     tuple(m.noise_parameters))
            for m in problem.measurements
            if m.model_id == model.model_id or (len(names) == 1 and not m.model_id)
        )  # fmt: skip
        title = path.stem if len(names) == 1 else f"{path.stem}_{model.model_id}"
        out.append(Sheet(title, model.to_sbml_str(), numbers, observables, experiments, rows))
    return out


def _observable(o: Any) -> Watched:
    law = str(getattr(o.noise_distribution, "value", o.noise_distribution))
    logs = law.startswith("log-")
    noise = o.noise_formula
    return Watched(
        o.id, o.formula, noise, LOG if logs else LIN, law.removeprefix("log-"),
        tuple(s.name for s in o.observable_placeholders), tuple(s.name for s in o.noise_placeholders),
    )  # fmt: skip


def _single(where: str, experiment: Any, conditions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What an experiment of one period from time zero sets."""
    if experiment.has_preequilibration:
        raise preequilibrated(where, experiment.id)
    times = [period.time for period in experiment.periods]
    if times not in ([], [0.0]):
        told = ", ".join(f"{t:g}" for t in times)
        raise Il2Error(
            f"the experiment {experiment.id!r} has periods from {told}", where=where,
            how="Give one period that starts at 0; changes in between are not read.",
        )  # fmt: skip
    ids = experiment.periods[0].condition_ids if experiment.periods else []
    return {target: value for id in ids for target, value in conditions[id].items()}
