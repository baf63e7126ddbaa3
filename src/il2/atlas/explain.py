"""What a term is: an entity, number, reaction, model, claim, experiment, conflict, published result, source or column.

Every fact ends in its sources, and names what can be explained in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from il2.atlas.status import claim_table, experiment_table, status
from il2.atlas.usage import homes, mechanisms, network, numbers, parameters, reaction_names, resolved, uses
from il2.errors import Il2Error
from il2.knowledge.claim import claim, claims
from il2.knowledge.conflict import conflict, conflicts
from il2.knowledge.entity import entities, find, folded, near, words
from il2.knowledge.planned import plan, planned
from il2.knowledge.quantity import Quantity
from il2.knowledge.result import published
from il2.knowledge.source import source, sources
from il2.knowledge.table import listed, rows
from il2.signalling.models import MODELS

MANY, FEW = 6, 3  # names listed before the rest is counted


@dataclass(frozen=True)
class Fact:
    label: str
    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    term: str
    kind: str
    title: str
    facts: tuple[Fact, ...]


def explain(term: str) -> Explanation:
    """Everything known of a term; an unknown one is an Il2Error that offers the nearest."""
    text = term.strip()
    for known, teller in TELLERS:
        name = known(text)
        if name is not None:
            kind, title, facts = teller(name)
            return Explanation(text, kind, title, tuple(f for f in facts if f.text))
    raise Il2Error(f"nothing is known of {term!r}", where="il2 explain", how=_offered(text))


Told = tuple[str, str, list[Fact]]


def _among(names: Callable[[], Iterable[str]]) -> Callable[[str], str | None]:
    """A reader of names that are equal but for case."""

    def known(text: str) -> str | None:
        if text in (every := names()):
            return text
        return next((n for n in every if n.casefold() == text.casefold()), None)

    return known


def _claim(name: str) -> Told:
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
            Fact("carried by", f"{m.model}: {r} ({m.role})", _rests(m.model, r))
            for m in carried
            for r in m.reactions[:MANY]
        ),
    ]
    return "claim", c.id, facts


def _rests(model: str, name: str) -> tuple[str, ...]:
    """Sources of the numbers of a reaction."""
    found = next(r for r in network(model).reactions if r.name == name)
    rows = [resolved(p) for p in parameters(network(model), found)]
    return tuple(dict.fromkeys(s for q in rows if isinstance(q, Quantity) for s in q.sources))


def _experiment(name: str) -> Told:
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
            Fact("criterion", f"{row['name']} {row['comparison']} {row['threshold']} {row['unit']}: {row['note']}", listed(row["source"]))
            for row in rows("criteria")
            if row["experiment"] == p.id
        ),
        Fact("claims", ", ".join(words), tuple(dict.fromkeys(claim(c).document for c in p.claims))),
        Fact("published", ", ".join(t.id for t in published().values() if p.id in t.experiments)),
        Fact("note", p.note),
    ]
    return "experiment", f"{p.id} {p.title}", facts


def _conflict(name: str) -> Told:
    c = conflict(name)
    stated = [
        Fact("position", f"{p.text} [{', '.join(p.claims)}]", tuple(dict.fromkeys(claim(i).document for i in p.claims)))
        for p in c.positions
    ]
    rest = [Fact("canonical", c.canonical), Fact("resolution", c.resolution), Fact("reason", c.reason)]
    return "conflict", f"{c.id} {c.topic}", [*stated, *rest, Fact("about", ", ".join(c.about))]


def _result(name: str) -> Told:
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


def _number(name: str) -> Told:
    q = numbers()[name]
    span = "" if q.low is None or q.high is None else f", range {q.low:g} to {q.high:g}"
    facts = [
        Fact("value", f"{q.value:g} {q.unit}{span}", q.sources),
        Fact("symbol", q.symbol),
        Fact("context", q.context),
        Fact("grade", q.grade),
        Fact("rivals", q.rivals),
        Fact("note", q.note),
        *(Fact("used by", f"{u.model}: {_some(u.reactions, FEW)}") for u in uses().get(name, ())),
    ]
    if name not in uses():
        facts.append(Fact("used by", "no reaction of a named model"))
    carried = [m.claim for m in mechanisms() if any(u.model == m.model and set(u.reactions) & set(m.reactions) for u in uses().get(name, ()))]
    facts.append(Fact("carries", ", ".join(dict.fromkeys(carried))))
    return "number", name, facts


def _parameter(name: str) -> Told:
    facts = [Fact("set by", str(resolved(name)))]
    facts += [Fact("used by", f"{u.model}: {_some(u.reactions, FEW)}") for u in uses()[name]]
    return "input of a model", name, facts


def _reaction(name: str) -> Told:
    found = homes(name)
    model, r = found[0]
    change = ", ".join(f"{n:+d} {s}" for s, n in r.change.items())
    facts = [Fact("changes", change), Fact("unit", r.unit)]
    for parameter in parameters(network(model), r):
        row = resolved(parameter)
        if isinstance(row, Quantity):
            facts.append(Fact("rests on", f"{parameter} = {row.value:g} {row.unit}, {row.grade}", row.sources))
        else:
            facts.append(Fact("rests on", f"{parameter}: {row}"))
    facts.append(Fact("in models", ", ".join(m for m, _ in found)))
    for m in mechanisms():
        if any(m.model == home and r.name in m.reactions for home, _ in found):
            c = claim(m.claim)
            facts.append(Fact("carries", f"{c.id} {c.statement} ({m.role}; {c.experiment})", (c.document,)))
    return "reaction", f"{model}: {r.name}", facts


def _model(name: str) -> Told:
    m, net = MODELS[name], network(name)
    used = [q for p in net.parameter_names if isinstance(q := resolved(p), Quantity)]
    facts = [
        Fact("what", m.summary),
        Fact("size", f"{len(net.species)} species, {len(net.reactions)} reactions, {len(net.parameters)} parameters"),
        Fact("rests on", f"{len(used)} sourced numbers", tuple(dict.fromkeys(s for q in used for s in q.sources))),
        Fact("print", f"il2 export {name} --text"),
    ]
    return "model", name, facts


def _source(name: str) -> Told:
    s = source(name)
    counts = {
        "claims": [c.id for c in claims().values() if c.document == name],
        "numbers": [q.name for q in numbers().values() if name in q.sources],
        "published results": [t.id for t in published().values() if name in t.sources],
        "entities": [e.name for e in entities().values() if name in e.sources],
    }
    facts = [Fact("reference", s.citation), Fact("at", s.url), Fact("read", s.read), Fact("note", s.note)]
    facts += [Fact(what, f"{len(found)}: {_some(found)}") for what, found in counts.items() if found]
    return f"source ({s.kind})", s.id, facts


def _entity(text: str) -> Told:
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
        *(Fact("conflict", f"{c.id} {c.topic}; canonical: {c.canonical}") for c in conflicts().values() if e.name in c.about),
        *(Fact("stated", f"{row['id']} {row['text']}", (str(row["source"]),)) for row in stated[: 2 * MANY]),
    ]
    if len(stated) > 2 * MANY:
        facts.append(Fact("more", f"{len(stated) - 2 * MANY} further claims: il2 claims --about '{e.name}'"))
    return f"entity ({e.kind})", e.name, facts


def _column(name: str) -> Told:
    facts = [
        Fact("in", f"{row['table']}: {row['meaning']}" + (f" ({row['unit']})" if row["unit"] else ""))
        for row in rows("columns")
        if row["column"] == name
    ]
    return "column", name, facts


def _entity_word(text: str) -> str | None:
    return text if folded(text) in words() else None


def _some(names: Iterable[str], most: int = MANY) -> str:
    every = list(names)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")


TELLERS: tuple[tuple[Callable[[str], str | None], Callable[[str], Told]], ...] = (
    (_among(claims), _claim),
    (_among(planned), _experiment),
    (_among(conflicts), _conflict),
    (_among(published), _result),
    (_entity_word, _entity),
    (_among(numbers), _number),
    (_among(MODELS.keys), _model),
    (_among(uses), _parameter),
    (lambda text: text if homes(text) else None, _reaction),
    (_among(sources), _source),
    (_among(lambda: {row["column"]: "" for row in rows("columns")}), _column),
)


def _offered(text: str) -> str:
    names = [*numbers(), *MODELS, *reaction_names(), *sources(), *(row["column"] for row in rows("columns"))]
    return near(text, names) or "Name an entity, a number, a reaction, a claim, an experiment or a column."
