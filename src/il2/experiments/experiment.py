"""The runner of virtual experiments: a claim is a test.

An experiment measures numbers on every variant of the model at once (see `sample`). Criteria from the table
say which of them hold. The runner adds the share of draws in which they hold, the ablation that must undo
them, the assumed parameters that decide them alone, and the status of each claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import numpy as np

import il2.experiments
from il2.cell.spread import Range
from il2.errors import Il2Error, did_you_mean
from il2.experiments.criterion import ENOUGH_SHARE, NOT_BUILT, Criterion, Evidence, criteria, verdict, with_gap
from il2.experiments.parameter import counted, parameters
from il2.experiments.result import NAN, ClaimStatus, Curve, Measurement, Result
from il2.experiments.sample import Sample, draw
from il2.knowledge.parameters import fingerprint
from il2.knowledge.quantity import weakest
from il2.knowledge.table import rows

MODULE = re.compile(r"e\d\d_\w+")
EMERGENT, BUILT_IN = "emergent", "built in"
BAND = (5.0, 95.0)


@dataclass(frozen=True)
class Outcome:
    """values: (size,) or one number per measurement; infinite where there is none such, NaN where a lane failed.

    curves: label to (x, y); y has the shape (size, len(x)).
    """

    values: Mapping[str, np.ndarray]
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ablation:
    """What is taken away, and the criteria that must fail without it."""

    text: str
    change: Callable[[Sample], Sample]
    breaks: tuple[str, ...]


@dataclass(frozen=True)
class Experiment:
    """claims: id to the names of the criteria that test it. reported: unit of measurements without criterion.

    Without `run` the experiment is described and not built. not_built: what of a claim has no model yet, by id; a
    claim without criteria is not built as a whole. `tests` are the criteria, by default those of criteria.csv.
    grades: of what `run` reads from tables and no range holds.
    """

    id: str
    title: str
    question: str
    claims: Mapping[str, tuple[str, ...]]
    setup: str
    observable: str
    criterion: str
    run: Callable[[Sample], Outcome] | None = None
    ranges: Callable[[], tuple[Range, ...]] = tuple
    grades: Callable[[], tuple[str, ...]] = tuple
    ablation: Ablation | None = None
    reported: Mapping[str, str] = field(default_factory=dict)
    axes: tuple[str, str] = ("", "")
    tests: tuple[Criterion, ...] = ()
    not_built: Mapping[str, str] = field(default_factory=dict)


def perform(experiment: Experiment, draws: int = 200, seed: int = 0) -> Result:
    """Run an experiment on the default set, on `draws` draws and on its probes, then its ablation."""
    if draws < 1:
        raise Il2Error(f"draws is {draws}", where=experiment.id, how="Give 1 or more; a verdict needs 200.")
    tests = experiment.tests or criteria(experiment.id)
    statements = {row["id"]: row["statement"] for row in rows("claims")}
    _check(experiment, tests, statements)
    what = experiment.id, experiment.title, experiment.question
    how = experiment.setup, experiment.observable, experiment.criterion
    if experiment.run is None:
        reason = "no model of it exists yet"
        claims = tuple(
            ClaimStatus(c, statements[c], names, NOT_BUILT, NAN, "", reason) for c, names in experiment.claims.items()
        )
        return Result(
            *what, NOT_BUILT, reason, *how, claims=claims, parameter_hash=fingerprint(), seed=seed,
        )  # fmt: skip
    ranges = experiment.ranges()
    grades = [*(r.grade for r in ranges), *experiment.grades()]
    sample = draw(ranges, draws, seed)
    names = tuple(t.name for t in tests)
    outcome = _measure(experiment, sample, {*names, *experiment.reported})
    reverses, ablation_share, ablated = _ablate(experiment, tests, ranges, draws, seed)
    measurements = (
        *(_tested(t, outcome.values[t.name], sample, ablated.get(t.name, NAN), bool(ranges)) for t in tests),
        *(Measurement(n, *_summary(outcome.values[n], u, draws)) for n, u in experiment.reported.items()),
    )
    table = {m.name: m for m in measurements}

    def judge(chosen: tuple[str, ...], gap: str) -> tuple[str, str, float]:
        if not chosen:
            return NOT_BUILT, f"no model exists yet: {gap}", NAN
        parts = [_evidence((n,), tests, outcome, draws) for n in chosen]
        whole = _evidence(chosen, tests, outcome, draws)
        return *with_gap(*verdict(parts, whole, draws, reverses), gap), whole.share

    status, reason, share = judge(names, "; ".join(dict.fromkeys(experiment.not_built.values())))
    values = np.array([outcome.values[n][1 : 1 + draws] for n in names])
    return Result(
        *what, status, reason, *how, share, draws,
        failed_draws=int(np.isnan(values).any(axis=0).sum()),
        measurements=measurements,
        claims=tuple(
            _claim(c, statements[c], chosen, judge(chosen, experiment.not_built.get(c, "")), [table[n] for n in chosen])
            for c, chosen in experiment.claims.items()
        ),
        ablation=experiment.ablation.text if experiment.ablation else "",
        ablation_reverses=reverses,
        ablation_share=ablation_share,
        origin=_origin([table[n] for n in names]),
        decided_by=tuple(dict.fromkeys(p for n in names for p in table[n].decided_by)),
        weakest_grade=weakest(grades) if grades else "high",
        parameter_hash=fingerprint(),
        seed=seed,
        axes=experiment.axes,
        curves=tuple(_curve(label, x, y, draws) for label, (x, y) in outcome.curves.items()),
        parameters=parameters(ranges, measurements),
        read=counted(experiment.grades()),
    )  # fmt: skip


def _ablate(
    experiment: Experiment, tests: tuple[Criterion, ...], ranges: tuple[Range, ...], draws: int, seed: int
) -> tuple[bool, float, dict[str, float]]:
    """Whether the ablation breaks what it must, the share of draws in which it does, and its default values."""
    ablation = experiment.ablation
    if ablation is None:
        return False, NAN, {}
    sample = ablation.change(draw(ranges, draws, seed, probe=False))
    values = _measure(experiment, sample, {t.name for t in tests} | set(experiment.reported)).values
    broken = [~t.holds(values[t.name]) & ~np.isnan(values[t.name]) for t in tests if t.name in ablation.breaks]
    all_broken = np.logical_and.reduce(broken)
    share = float(all_broken[1:].mean())
    return bool(all_broken[0]) and share >= ENOUGH_SHARE, share, {name: float(v[0]) for name, v in values.items()}


def _evidence(names: tuple[str, ...], tests: tuple[Criterion, ...], outcome: Outcome, draws: int) -> Evidence:
    chosen = [(t.holds(outcome.values[t.name]), np.isnan(outcome.values[t.name])) for t in tests if t.name in names]
    holds = np.logical_and.reduce([h for h, _ in chosen])
    against = np.logical_or.reduce([~h & ~missing for h, missing in chosen])
    drawn = slice(1, 1 + draws)
    return Evidence(names[0], bool(holds[0]), float(holds[drawn].mean()), float(against[drawn].mean()))


def _tested(test: Criterion, values: np.ndarray, sample: Sample, ablated: float, varied: bool) -> Measurement:
    holds = test.holds(values)
    probes, known = holds[1 + sample.draws :], ~np.isnan(values[1 + sample.draws :])
    flipped = [p for p, h, k in zip(sample.probes, probes, known, strict=True) if k and h != holds[0]]
    return Measurement(
        test.name, *_summary(values, test.unit, sample.draws), test.text, test.source, bool(holds[0]),
        float(holds[1 : 1 + sample.draws].mean()), ablated, tuple(dict.fromkeys(flipped)),
        varied and bool((values == values[0]).all()), test.note,
    )  # fmt: skip


def _summary(values: np.ndarray, unit: str, draws: int) -> tuple[float, str, float, float]:
    drawn = values[1 : 1 + draws]
    known = drawn[~np.isnan(drawn)]
    low, high = np.percentile(known, BAND, method="nearest") if len(known) else (np.nan, np.nan)
    return float(values[0]), unit, float(low), float(high)


def _origin(measurements: list[Measurement]) -> str:
    """Built in where one assumed parameter flips a criterion, or where the wiring decides all of them."""
    decided = any(m.decided_by for m in measurements)
    return BUILT_IN if decided or all(m.structural for m in measurements) else EMERGENT


def _claim(
    name: str, statement: str, chosen: tuple[str, ...], judged: tuple[str, str, float], found: list[Measurement]
) -> ClaimStatus:
    status, reason, share = judged
    return ClaimStatus(name, statement, chosen, status, share, _origin(found) if found else "", reason)


def _curve(label: str, x: np.ndarray, y: np.ndarray, draws: int) -> Curve:
    drawn = y[1 : 1 + draws]
    known = drawn[~np.isnan(drawn).any(axis=-1)]
    low, high = np.percentile(known, BAND, axis=0) if len(known) else np.full((2, len(x)), np.nan)
    return Curve(label, *(tuple(map(float, values)) for values in (x, y[0], low, high)))


def _check(experiment: Experiment, tests: tuple[Criterion, ...], statements: Mapping[str, str]) -> None:
    names = [t.name for t in tests]
    if not names and experiment.run is not None:
        raise Il2Error("the experiment has no criterion", where=experiment.id, how="Add rows to criteria.csv.")
    if experiment.ablation and not experiment.ablation.breaks:
        raise Il2Error("the ablation breaks nothing", where=experiment.id, how="Name the criteria that must fail.")
    used = [n for chosen in experiment.claims.values() for n in chosen]
    for name in (*used, *(experiment.ablation.breaks if experiment.ablation else ())):
        if name not in names:
            raise Il2Error(f"unknown criterion {name!r}", where=experiment.id, how=did_you_mean(name, names))
    for claim in (*experiment.claims, *experiment.not_built):
        if claim not in statements:
            raise Il2Error(f"unknown claim {claim!r}", where=experiment.id, how=did_you_mean(claim, statements))
    for claim in experiment.not_built:
        if claim not in experiment.claims:
            raise Il2Error(f"{claim} is not built and no claim of it", where=experiment.id, how="Add it to the claims.")
    for claim, chosen in experiment.claims.items():
        if not chosen and claim not in experiment.not_built:
            raise Il2Error(f"{claim} has no criterion", where=experiment.id, how="Name one, or say what is not built.")


def _measure(experiment: Experiment, sample: Sample, wanted: set[str]) -> Outcome:
    assert experiment.run is not None
    outcome = experiment.run(sample)
    for name in sorted(wanted ^ set(outcome.values)):
        what = "was not measured" if name in wanted else "has neither a criterion nor a unit"
        raise Il2Error(f"{name!r} {what}", where=experiment.id, how=did_you_mean(name, wanted | set(outcome.values)))
    return replace(
        outcome, values={n: np.broadcast_to(np.asarray(v, float), (sample.size,)) for n, v in outcome.values.items()}
    )


@cache
def experiments() -> dict[str, Experiment]:
    """All experiments by id: one of every module e??_*.py of this folder, in the order of their names."""
    names = sorted(m.name for m in iter_modules(il2.experiments.__path__) if MODULE.fullmatch(m.name))
    found = [import_module(f"il2.experiments.{name}").EXPERIMENT for name in names]
    return {e.id: e for e in found}


def experiment(name: str) -> Experiment:
    """An experiment by id; an unknown one is an error that suggests the nearest."""
    table = experiments()
    if name.upper() not in table:
        raise Il2Error(f"unknown experiment {name!r}", how=did_you_mean(name, table))
    return table[name.upper()]
