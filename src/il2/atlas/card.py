"""The card of an entity: everything known of it, section by section, each line with its sources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from il2.atlas.line import Line
from il2.atlas.locus import beside_it, located, made
from il2.atlas.status import experiment_table, status, touches
from il2.atlas.usage import numbers
from il2.experiments.criterion import NOT_BUILT
from il2.knowledge.claim import SUBJECT, Claim, claims
from il2.knowledge.conflict import Position, conflicts
from il2.knowledge.entity import Entity, find, named
from il2.knowledge.source import sources
from il2.knowledge.table import keyed, listed, rows

ENOUGH = 3  # statements below which a card says that there is little to read
NAMES, PLACE, BESIDE, MADE = "Names and identity", "Location", "Neighbours on the chromosome", "Transcript and protein"
NUMBERS, SHOWN, OTHER = "Numbers of the model", "What a simulation shows", "Links and documents"
RELATIONS = {
    "is_a": "Belongs to:", "part_of": "Part of:", "has_part": "Has the part:", "derived_from": "Derived from:",
    "occurs_in": "Occurs in:",
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Card:
    """references: ids of every source that a line ends in."""

    name: str
    kind: str
    definition: str
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def references(self) -> tuple[str, ...]:
        cited = {s for section in self.sections for line in section.lines for s in line.sources}
        return tuple(s for s in sources() if s in cited)


def card(term: str = "IL2") -> Card:
    """The card of an entity, by name, synonym or identifier; an unknown one is an Il2Error that offers the nearest."""
    found = find(term)
    e = found.entity
    stated = _grouped(c for c in claims().values() if touches(c, e.name) or e.name == SUBJECT)
    parts = dict(stated)
    for title, lines in _tabled(e).items():
        told = {c for line in lines for c in line.claims} if title in (PLACE, BESIDE) else set()
        parts[title] = [*lines, *(line for line in parts.get(title, []) if not told.issuperset(line.claims))]
    order = [row["title"] for row in rows("sections")]
    titles = [*(t for t in order if t != OTHER), NUMBERS, SHOWN, OTHER]
    sections = tuple(Section(t, tuple(parts[t])) for t in titles if parts.get(t))
    return Card(e.name, e.kind, e.definition, found.warnings, sections)


def has_enough(card: Card) -> bool:
    """Whether documents state enough of it to be read as a card of its own."""
    return len({c for s in card.sections for line in s.lines for c in line.claims}) >= ENOUGH


def section_of(claim: Claim) -> str:
    """Title of the section in which a claim stands."""
    table = rows("sections")
    ends = {n.name for t in (*claim.subjects, *claim.objects) if (n := named(t))}
    for row in table:
        if claim.predicate in listed(row["predicates"]) or ends & set(listed(row["things"])):
            return row["title"]
    return next((row["title"] for row in table if claim.kind in listed(row["kinds"])), OTHER)


def _grouped(found: Iterable[Claim]) -> dict[str, list[Line]]:
    """Lines by section; documents that state the same triple share one."""
    same: dict[tuple[str, ...], list[Claim]] = {}
    for c in found:
        key = section_of(c), _name(c.subject), c.predicate, _object(c), c.qualifier
        same.setdefault(key, []).append(c)
    table: dict[str, list[Line]] = {}
    for (title, *_), group in same.items():
        table.setdefault(title, []).append(_line(group))
    return table


def _name(text: str) -> str:
    found = named(text)
    return found.name if found else text


def _object(c: Claim) -> str:
    """The entity that is the object; where a predicate takes words as they are, such as a synonym, the words."""
    return c.object if keyed("predicates", "name")[c.predicate]["object"] == "literal" else _name(c.object)


def _line(group: list[Claim]) -> Line:
    texts = " ".join(dict.fromkeys(c.statement for c in group))
    return Line(
        texts, tuple(dict.fromkeys(c.document for c in group)), tuple(c.id for c in group), _states(group),
        " ".join(dict.fromkeys(filter(None, (_remark(c, len(group) > 1) for c in group)))),
    )  # fmt: skip


def _states(group: Iterable[Claim]) -> str:
    return ", ".join(dict.fromkeys(status(c).word for c in group))


def _tested(lines: list[Line]) -> list[Line]:
    """Lines with status, flag and note of the claims in whose place they stand."""
    found = []
    for line in lines:
        held = [claims()[c] for c in line.claims]
        remarks = [line.remark and f"{line.remark.rstrip('.')}.", *(_remark(c, len(held) > 1) for c in held)]
        found.append(replace(line, status=_states(held), remark=" ".join(filter(None, remarks))))
    return found


def _remark(c: Claim, several: bool) -> str:
    parts = [f"Flagged as {c.flag}." if c.flag else "", c.note, *(f"See {i}." for i in c.conflicts)]
    text = " ".join(filter(None, parts))
    return f"{c.id}: {text}" if text and several else text


def _identity(e: Entity) -> list[Line]:
    lines = [Line(f"{e.name} ({e.kind}), {', '.join((e.id, *e.xrefs))}.", e.sources)]
    if e.synonyms:
        lines.append(Line(f"Also called {', '.join(e.synonyms)}.", e.sources))
    lines += [Line(f"{RELATIONS[relation]} {name}.", e.sources) for relation, name in e.parents]
    lines += [Line(f"{e.note.rstrip('.')}.", e.sources)] if e.note else []
    return lines


def _differences(e: Entity) -> dict[str, list[Line]]:
    """Conflicts about an entity, in the section where most of their claims stand."""
    table: dict[str, list[Line]] = {}
    for c in conflicts().values():
        if e.name in c.about:
            held = [claims()[i] for i in c.claims]
            places = [section_of(one) for one in held]
            positions = "; ".join(f"{p.text} [{_holders(p)}]" for p in c.positions)
            documents = _documents(c.claims)
            text = f"{c.id} {c.topic}. Canonical: {c.canonical}. Stated: {positions}."
            title = max(places, key=places.count)
            table.setdefault(title, []).append(Line(text, documents, remark=f"{c.reason} {c.resolution}"))
    return table


def _holders(p: Position) -> str:
    return ", ".join(f"{i} {claims()[i].document}" for i in p.claims)


def _tabled(e: Entity) -> dict[str, list[Line]]:
    """Lines that the tables of the package add, which stand before what the documents state."""
    table = {NAMES: _identity(e), PLACE: _tested(located(e.name)), MADE: made(e.name)}
    table |= {BESIDE: _tested(beside_it(e.name)), NUMBERS: _numbers(e), SHOWN: _shown(e)}
    for title, lines in _differences(e).items():
        own = table.get(title, [])
        table[title] = [*own, *lines] if title == NAMES else [*lines, *own]
    return table


def _numbers(e: Entity) -> list[Line]:
    """Numbers whose name has the entity as a part."""
    keys = {e.name, *(m.partition(":")[2] for m in e.model)}
    lines = []
    for q in numbers().values():
        if keys & set(re.split(r"[_\s]", q.name)) or keys & {q.name}:
            span = "" if q.low is None or q.high is None else f" ({q.low:g} to {q.high:g})"
            lines.append(
                Line(f"{q.name} = {q.value:g} {q.unit}{span}; {q.context}.", q.sources, remark=f"Grade {q.grade}.")
            )
    return lines


def _shown(e: Entity) -> list[Line]:
    """Built experiments one by one, then those that are not built in one line."""
    lines, waiting = [], []
    for row in experiment_table():
        mine = tuple(c for c in row["claims"] if touches(claims()[c], e.name))  # type: ignore[attr-defined]
        if mine and row["status"] == NOT_BUILT:
            waiting.append((f"{row['id']} {row['title']}", _documents(mine)))
        elif mine:
            state = f"{row['status']}{', stale' if row['stale'] else ''}"
            text = f"{row['id']} {row['title']}: {state}."
            lines.append(Line(text, _documents(mine), mine, remark=f"{row['reason']}."))
    if waiting:
        behind = tuple(dict.fromkeys(d for _, documents in waiting for d in documents))
        lines.append(Line(f"Not built yet: {'; '.join(text for text, _ in waiting)}.", behind))
    return lines


def _documents(held: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(claims()[c].document for c in held))
