"""What the tables say of a claim, an experiment, a conflict, a published result, a source, an entity or a column."""

from __future__ import annotations

from il2.atlas.fact import MANY, Fact, Told, some
from il2.atlas.modelled import rests
from il2.atlas.status import claim_table, experiment_table, status
from il2.atlas.usage import mechanisms, numbers
from il2.knowledge.claim import claim, claims
from il2.knowledge.conflict import conflict, conflicts
from il2.knowledge.entity import entities, find, warnings
from il2.knowledge.planned import plan
from il2.knowledge.result import published
from il2.knowledge.source import source
from il2.knowledge.table import listed, rows


def tell_claim(name: str) -> Told:
    c = claim(name)
    state = status(c)
    carried = [m for m in mechanisms() if m.claim == c.id]
    facts = [
        Fact("says", c.statement, (c.document,)),
        Fact("place", f"{source(c.document).citation}; {c.section}"),
        Fact("triple", f"{c.subject} | {c.predicate} | {c.object}" + (f" | {c.qualifier}" if c.qualifier else "")),
        Fact("flag", c.flag and f"{c.flag}: not used as canonical"),
        Fact("note", c.note),
        Fact("status", f"{state.word}{' (stale)' if state.stale else ''}: {state.reason}"),
        Fact("experiment", c.experiment and f"{c.experiment} {plan(c.experiment).title}"),
        Fact("expected", c.observable),
        *(Fact("conflict", f"{i} {conflict(i).topic}; canonical: {conflict(i).canonical}") for i in c.conflicts),
        *(
            Fact("carried by", f"{m.model}: {r} ({m.role})", rests(m.model, r))
            for m in carried
            for r in m.reactions[:MANY]
        ),
    ]
    return "claim", c.id, facts


def tell_experiment(name: str) -> Told:
    p = plan(name)
    state = next(row for row in experiment_table() if row["id"] == p.id)
    words = [f"{c.id} {status(c).word}" for c in map(claim, p.claims)]
    facts = [
        Fact("measures", p.observable),
        Fact("expected", p.expected),
        Fact("layers", ", ".join(p.layers)),
        Fact("status", f"{state['status']}{' (stale)' if state['stale'] else ''}: {state['reason']}"),
        Fact("grade", str(state["grade"]) and f"{state['grade']}: the weakest of the numbers that it rests on"),
        *(
            Fact(
                "criterion",
                f"{row['name']} {row['comparison']} {row['threshold']} {row['unit']}: {row['note']}",
                listed(row["source"]),
            )
            for row in rows("criteria")
            if row["experiment"] == p.id
        ),
        Fact("claims", ", ".join(words), tuple(dict.fromkeys(claim(c).document for c in p.claims))),
        Fact("published", ", ".join(t.id for t in published().values() if p.id in t.experiments)),
        Fact("note", p.note),
    ]
    return "experiment", f"{p.id} {p.title}", facts


def tell_conflict(name: str) -> Told:
    c = conflict(name)
    stated = [
        Fact("position", f"{p.text} [{', '.join(p.claims)}]", tuple(dict.fromkeys(claim(i).document for i in p.claims)))
        for p in c.positions
    ]
    rest = [Fact("canonical", c.canonical), Fact("resolution", c.resolution), Fact("reason", c.reason)]
    return "conflict", f"{c.id} {c.topic}", [*stated, *rest, Fact("about", ", ".join(c.about))]


def tell_result(name: str) -> Told:
    t = published()[name]
    span = "" if t.low is None or t.high is None else f" ({t.low:g} to {t.high:g})"
    value = "a sign or a text" if t.value is None else f"{t.value:g}{span} {t.unit}"
    checked = [row["id"] for row in rows("target_runs") if row["target"] == t.id]
    facts = [
        Fact("published", f"{t.quantity}: {value}", t.sources),
        Fact("condition", t.condition),
        Fact("check", f"{t.kind}: {t.check}"),
        Fact("confirmed", t.confirmed),
        Fact("grade", t.grade),
        Fact("runs", f"{', '.join(checked)}: il2 targets {t.layer}" if checked else "no run of the model shows it yet"),
        Fact("experiments", ", ".join(t.experiments)),
        Fact("note", t.note),
    ]
    return "published result", t.id, facts


def tell_source(name: str) -> Told:
    s = source(name)
    counts = {
        "claims": [c.id for c in claims().values() if c.document == name],
        "numbers": [q.name for q in numbers().values() if name in q.sources],
        "published results": [t.id for t in published().values() if name in t.sources],
        "entities": [e.name for e in entities().values() if name in e.sources],
    }
    facts = [Fact("reference", s.citation), Fact("at", s.url), Fact("read", s.read), Fact("note", s.note)]
    facts += [Fact(what, f"{len(found)}: {some(found)}") for what, found in counts.items() if found]
    if stated := counts["claims"]:
        facts.append(Fact("all claims", f"il2 claims --seed {claim(stated[0]).seed}"))
    return f"source ({s.kind})", s.id, facts


def tell_entity(text: str) -> Told:
    found = find(text)
    e = found.entity
    stated = claim_table(about=e.name)
    facts = [
        *(Fact("warning", w) for w in found.warnings),
        Fact("is", e.definition, e.sources),
        Fact("kind", e.kind),
        Fact("identifiers", ", ".join((e.id, *e.xrefs))),
        Fact("also called", ", ".join(e.synonyms)),
        *(Fact(relation.replace("_", " "), name) for relation, name in e.parents),
        Fact("in the model", ", ".join(e.model)),
        Fact("flag", e.flag),
        Fact("note", e.note),
        *(
            Fact("conflict", f"{c.id} {c.topic}; canonical: {c.canonical}")
            for c in conflicts().values()
            if e.name in c.about
        ),
        *(Fact("stated", f"{row['id']} {row['text']}", (str(row["source"]),)) for row in stated[: 2 * MANY]),
    ]
    if len(stated) > 2 * MANY:
        facts.append(Fact("more", f"{len(stated) - 2 * MANY} further claims: il2 claims --about '{e.name}'"))
    return f"entity ({e.kind})", e.name, facts


def tell_misused(text: str) -> Told:
    return "word that stands for no entity", text, [Fact("warning", w) for w in warnings(text)]


def tell_column(name: str) -> Told:
    facts = [
        Fact("in", f"{row['table']}: {row['meaning']}" + (f" ({row['unit']})" if row["unit"] else ""))
        for row in rows("columns")
        if row["column"] == name
    ]
    return "column", name, facts
