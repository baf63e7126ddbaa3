"""What is known of an experiment before it is run: its plan, its criteria and ranges, and its recorded verdict."""

from __future__ import annotations

from dataclasses import replace

from il2.experiments.criterion import NOT_BUILT, criteria
from il2.experiments.experiment import BUILT_IN, EMERGENT, Experiment, experiments
from il2.experiments.parameter import counted, parameters
from il2.experiments.record import Record
from il2.experiments.result import NAN, ClaimStatus, Measurement, Result
from il2.knowledge.claim import claim
from il2.knowledge.parameters import fingerprint
from il2.knowledge.planned import Planned, plan

NO_MODEL = "no model of it exists yet"
NOT_RUN, NO_RECORD = "not run", "it is built, and no verdict of it is recorded"


def outline(name: str, record: Record | None = None) -> Result:
    """A result without numbers, for an experiment of the plan, built or not.

    The verdict is that of the record, else `not built` or `not run`; criteria have their thresholds, and no value.
    """
    planned = plan(name)
    built = experiments().get(planned.id)
    return _built(built, record) if built else _planned(planned)


def _planned(p: Planned) -> Result:
    claims = tuple(ClaimStatus(c, claim(c).statement, (), NOT_BUILT, NAN, "", NO_MODEL) for c in p.claims)
    return Result(
        p.id, p.title, "", NOT_BUILT, NO_MODEL, observable=p.observable, criterion=p.expected, claims=claims,
        parameter_hash=fingerprint(),
    )  # fmt: skip


def _built(e: Experiment, record: Record | None) -> Result:
    tests = e.tests or criteria(e.id)
    found = Result(
        e.id, e.title, e.question, NOT_RUN, NO_RECORD, e.setup, e.observable, e.criterion,
        measurements=tuple(Measurement(t.name, NAN, t.unit, NAN, NAN, t.text, t.source, note=t.note) for t in tests),
        claims=tuple(_claim(c, names, record) for c, names in e.claims.items()),
        ablation=e.ablation.text if e.ablation else "",
        parameter_hash=fingerprint(),
        parameters=parameters(e.ranges()),
        read=counted(e.grades()),
    )  # fmt: skip
    if record is None:
        return found
    return replace(
        found, verdict=record.verdict, reason=record.reason, share=NAN if record.share is None else record.share,
        draws=record.draws, seed=record.seed, weakest_grade=record.grade, origin=record.origin,
        il2_version=record.il2_version, parameter_set=record.parameter_set, parameter_hash="",
    )  # fmt: skip


def _claim(name: str, criteria: tuple[str, ...], record: Record | None) -> ClaimStatus:
    """The status of a claim as recorded; a record ends its reason with the origin."""
    verdict, why = record.claims.get(name, (NOT_RUN, NO_RECORD)) if record else (NOT_RUN, NO_RECORD)
    reason, _, origin = why.rpartition("; ")
    if origin not in (EMERGENT, BUILT_IN):
        reason, origin = why, ""
    return ClaimStatus(name, claim(name).statement, criteria, verdict, NAN, origin, reason)
