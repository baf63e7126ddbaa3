"""The knowledge graph: entities, values and sources as nodes, statements as edges that carry their evidence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from il2.knowledge.claim import Claim, claims
from il2.knowledge.entity import RELATIONS, Entity, entities, find, named
from il2.knowledge.source import sources
from il2.knowledge.table import keyed, listed, rows

VALUE, SOURCE = "value", "source"
STRUCTURE = RELATIONS


@dataclass(frozen=True)
class Node:
    """An entity, a source, or a value: what a document states that is no entity, such as a length or a page."""

    id: str
    name: str
    kind: str
    synonyms: tuple[str, ...] = ()
    xrefs: tuple[str, ...] = ()
    definition: str = ""
    flag: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """A statement. claim: the row it comes from, empty where a table of the package says it.

    polarity: + or - where the predicate has a sign. context: under which conditions it is stated. check: whether
    it is a fact or asks for an experiment. flag: why it is not taken at its word.
    """

    id: str
    subject: str
    predicate: str
    object: str
    sources: tuple[str, ...]
    claim: str = ""
    polarity: str = ""
    context: str = ""
    grade: str = ""
    check: str = ""
    experiment: str = ""
    flag: str = ""
    conflicts: tuple[str, ...] = ()
    text: str = ""


@cache
def nodes() -> dict[str, Node]:
    """All nodes by id."""
    found = [*map(_entity, entities().values())]
    found += [
        Node(f"il2:source-{s.id}", s.citation, SOURCE, (s.id,), _xrefs(s.doi, s.pmid)) for s in sources().values()
    ]
    known = {node.id for node in found}
    for edge, text in _ends():
        if edge not in known:
            known.add(edge)
            found.append(Node(edge, text, VALUE))
    return {node.id: node for node in found}


@cache
def edges() -> tuple[Edge, ...]:
    """Every claim as an edge to each of its objects, and what the tables say of parts, kinds and binding."""
    stated = [e for c in claims().values() for e in _stated(c)]
    return (*stated, *_structure(), *_binding())


def node_id(text: str) -> str:
    """Id of the entity that a word stands for, or of the value that it is."""
    entity = named(text)
    return entity.id if entity else f"il2:value-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _entity(e: Entity) -> Node:
    return Node(e.id, e.name, e.kind, e.synonyms, e.xrefs, e.definition, e.flag, e.sources)


def _xrefs(doi: str, pmid: str) -> tuple[str, ...]:
    return tuple(f"{prefix}:{value}" for prefix, value in (("DOI", doi), ("PMID", pmid)) if value)


def _ends() -> list[tuple[str, str]]:
    """Ids and texts of both ends of every claim."""
    return [(node_id(text), text) for c in claims().values() for text in (*c.subjects, *c.objects)]


def _stated(c: Claim) -> list[Edge]:
    polarity = keyed("predicates", "name")[c.predicate]["polarity"]
    pairs = [(s, o) for s in c.subjects for o in c.objects]
    return [
        Edge(
            f"il2:{c.id}" if len(pairs) == 1 else f"il2:{c.id}-{n}",
            node_id(s),
            c.predicate,
            node_id(o),
            (c.document,),
            c.id,
            polarity,
            c.qualifier,
            "stated",
            c.check,
            c.experiment,
            c.flag,
            c.conflicts,
            c.statement,
        )
        for n, (s, o) in enumerate(pairs, start=1)
    ]


def _structure() -> list[Edge]:
    return [
        Edge(f"il2:{relation}-{e.id}-{node_id(name)}", e.id, relation, node_id(name), e.sources, grade="curated")
        for e in entities().values()
        for relation, name in e.parents
    ]


def _binding() -> list[Edge]:
    """Which chains the molecules of the model bind, and through which STAT they signal."""
    found = []
    for row in rows("heads"):
        ends = [("binds", chain) for chain in listed(row["chains"])]
        ends += [("signals_through", row["stat"])] if row["stat"] else []
        for predicate, text in ends:
            pair = named(row["name"].replace("_", "-")) or named(row["name"]), named(text)
            if pair[0] and pair[1]:
                found.append(
                    Edge(
                        f"il2:model-{row['name']}-{predicate}-{text}",
                        pair[0].id,
                        predicate,
                        pair[1].id,
                        listed(row["sources"]),
                        grade=row["grade"],
                        text=f"in the receptor model: {row['name']} {text}",
                    )
                )
    return found


def part(about: str = "", with_sources: bool = True) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """The whole graph, or an entity with all that it is linked with, and the sources of what is left."""
    if not about:
        return tuple(nodes().values()), edges()
    own = find(about).entity.id
    kept = tuple(e for e in edges() if own in (e.subject, e.object))
    ids = {own, *(i for e in kept for i in (e.subject, e.object))}
    if with_sources:
        cited = {s for e in kept for s in e.sources} | {s for i in ids for s in nodes()[i].sources}
        ids |= {f"il2:source-{name}" for name in cited}
    return tuple(n for n in nodes().values() if n.id in ids), kept
