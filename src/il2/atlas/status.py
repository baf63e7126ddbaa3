"""The status of claims and experiments: what the recorded verdicts say, and what has no model yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from il2.errors import Il2Error, did_you_mean
from il2.experiments.criterion import CONTRADICTED, NOT_BUILT, PARTIAL, SHOWN, UNDECIDED
from il2.experiments.record import Record, recorded
from il2.knowledge.claim import FACT, Claim, claims
from il2.knowledge.conflict import conflicts
from il2.knowledge.entity import find, named
from il2.knowledge.planned import planned

UNMODELLED = "unmodelled"
STATUSES = (SHOWN, CONTRADICTED, UNDECIDED, FACT, UNMODELLED)


@dataclass(frozen=True)
class Status:
    """Status of a claim, why, and whether the verdict was recorded with other code or numbers."""

    word: str
    reason: str
    stale: bool = False


def status(claim: Claim, records: Mapping[str, Record] | None = None) -> Status:
    """A fact is stored; what a model must show has the verdict of its experiment, undecided where it holds in part."""
    if claim.check == FACT:
        return Status(FACT, "stored with its source; no simulation can show it")
    record = (recorded() if records is None else records).get(claim.experiment)
    if record is None:
        return Status(UNMODELLED, f"experiment {claim.experiment} is not built")
    verdict, reason = record.claims.get(claim.id, (NOT_BUILT, f"experiment {claim.experiment} does not test it yet"))
    if verdict == NOT_BUILT:
        return Status(UNMODELLED, reason, record.stale)
    return Status(UNDECIDED if verdict == PARTIAL else verdict, reason, record.stale)


def claim_table(
    about: str = "", kind: str = "", seed: str = "", wanted: str = "", conflicting: bool = False
) -> list[dict[str, object]]:
    """Claims as records, in the order of the documents; every filter that is given must hold."""
    every = list(claims().values())
    _known(kind, {c.kind for c in every}, "kind")
    _known(seed, {c.seed for c in every}, "seed")
    _known(wanted, STATUSES, "status")
    name = find(about).entity.name if about else ""
    chosen = [
        c
        for c in every
        if kind in ("", c.kind) and seed in ("", c.seed) and (c.conflicts or not conflicting) and touches(c, name)
    ]
    records = [(c, status(c)) for c in chosen]
    return [_record(c, s) for c, s in records if wanted in ("", s.word)]


def touches(claim: Claim, name: str) -> bool:
    """Whether a claim concerns an entity; the empty name touches all."""
    return not name or name in concerned(claim)


def concerned(claim: Claim) -> set[str]:
    """Names of the entities that are subject or object of a claim, and of the cells and organs in which these occur."""
    ends = [found for text in (*claim.subjects, *claim.objects) if (found := named(text))]
    return {e.name for e in ends} | {name for e in ends for relation, name in e.parents if relation == "occurs_in"}


def _record(c: Claim, s: Status) -> dict[str, object]:
    return {
        "id": c.id, "text": c.statement, "status": s.word, "experiments": [c.experiment] if c.experiment else [],
        "source": c.document, "section": c.section, "kind": c.kind, "subject": c.subject, "predicate": c.predicate,
        "object": c.object, "qualifier": c.qualifier, "check": c.check, "expected": c.observable,
        "conflicts": list(c.conflicts), "flag": c.flag, "note": c.note, "reason": s.reason, "stale": s.stale,
    }  # fmt: skip


def conflict_table(among: set[str]) -> list[dict[str, object]]:
    """Conflicts that any of the claims `among` takes part in, with their positions."""
    return [
        {
            "id": c.id, "topic": c.topic, "stated": "\n".join(f"{p.text} [{', '.join(p.claims)}]" for p in c.positions),
            "canonical": c.canonical, "reason": c.reason,
        }
        for c in conflicts().values()
        if among & set(c.claims)
    ]  # fmt: skip


def experiment_table(records: Mapping[str, Record] | None = None) -> list[dict[str, object]]:
    """All planned experiments as records; grade is the weakest of the numbers that a built one rests on."""
    known = recorded() if records is None else records
    found = []
    for plan in planned().values():
        record = known.get(plan.id)
        found.append({
            "id": plan.id, "title": plan.title, "claims": list(plan.claims), "grade": record.grade if record else "",
            "status": record.verdict if record else NOT_BUILT, "stale": bool(record and record.stale),
            "reason": record.reason if record else "no model of it exists yet", "layers": list(plan.layers),
            "observable": plan.observable, "expected": plan.expected,
        })  # fmt: skip
    return found


def _known(value: str, values, what: str) -> None:
    if value and value not in values:
        raise Il2Error(f"unknown {what} {value!r}", where=f"--{what}", how=did_you_mean(value, sorted(values)))
