"""How two entities are connected: the shortest chains of statements between them, with the evidence on each."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error
from il2.knowledge.entity import Entity, find
from il2.knowledge.graph import STRUCTURE, VALUE, Edge, edges, nodes
from il2.knowledge.table import keyed

LONGEST = 8
REFUTED = ("wrong", "corrupt")  # statements that join nothing


@dataclass(frozen=True)
class Step:
    """One link from entity to entity; forward: the statements read in this direction. edges: all that say so."""

    start: str
    predicate: str
    end: str
    forward: bool
    edges: tuple[Edge, ...]


@cache
def neighbours() -> dict[str, dict[str, tuple[Edge, ...]]]:
    """Edges between entities by either end: id, to the ids beside it, to the edges between."""
    table: dict[str, dict[str, list[Edge]]] = {}
    for edge in edges():
        pair = edge.subject, edge.object
        if pair[0] != pair[1] and edge.flag not in REFUTED and all(nodes()[i].kind != VALUE for i in pair):
            for a, b in (pair, pair[::-1]):
                table.setdefault(a, {}).setdefault(b, []).append(edge)
    return {a: {b: tuple(found) for b, found in sorted(beside.items())} for a, beside in table.items()}


def paths(start: str, end: str, count: int = 3) -> list[list[Step]]:
    """Up to `count` shortest chains between two entities, those that rest on most statements first.

    Statements that are flagged, or that only place things in a hierarchy, are used where nothing shorter is left.
    Unknown names and pairs without a chain are an Il2Error.
    """
    a, b = find(start).entity, find(end).entity
    if a.name == b.name:
        raise Il2Error(f"{start!r} and {end!r} are one thing, {a.name}", where="il2 path", how="Name two.")
    found = [_steps(ids) for ids in _shortest(a, b)]
    if not found:
        raise Il2Error(f"no chain of statements joins {a.name} and {b.name}", where="il2 path")
    return sorted(found, key=_weakness)[:count]


def _shortest(a: Entity, b: Entity) -> list[list[str]]:
    """Every shortest path, as ids, by breadth first."""
    before: dict[str, list[str]] = {a.id: []}
    depth, queue = {a.id: 0}, deque([a.id])
    while queue:
        here = queue.popleft()
        if here == b.id or depth[here] == LONGEST:
            continue
        for beside in neighbours().get(here, {}):
            if beside not in depth:
                depth[beside] = depth[here] + 1
                before[beside] = []
                queue.append(beside)
            if depth[beside] == depth[here] + 1:
                before[beside].append(here)
    return _unrolled(b.id, before) if b.id in before else []


def _unrolled(end: str, before: dict[str, list[str]]) -> list[list[str]]:
    if not before[end]:
        return [[end]]
    return [[*path, end] for previous in before[end] for path in _unrolled(previous, before)]


def _steps(ids: list[str]) -> list[Step]:
    return [_step(a, b) for a, b in itertools.pairwise(ids)]


def _step(a: str, b: str) -> Step:
    between = sorted(neighbours()[a][b], key=lambda e: (e.flag != "", e.predicate in STRUCTURE))
    first = between[0]
    forward = first.subject == a
    same = tuple(e for e in between if e.predicate == first.predicate and (e.subject == a) == forward)
    return Step(nodes()[a].name, first.predicate, nodes()[b].name, forward, same)


def _weakness(path: list[Step]) -> tuple[int, int, int]:
    first = [s.edges[0] for s in path]
    return (
        sum(e.flag != "" for e in first),
        sum(e.predicate in STRUCTURE for e in first),
        -sum(len(s.edges) for s in path),
    )


def phrase(step: Step) -> str:
    """A link in words, read from its start to its end."""
    row = keyed("predicates", "name")[step.predicate]
    return f"{step.start} {row['label'] if step.forward else row['inverse_label']} {step.end}"


def evidence(step: Step) -> str:
    """Who says so: claims with document and flag, or the tables of the package with their sources."""
    said = [
        f"{e.claim} {', '.join(e.sources)}" + (f", {e.flag}" if e.flag else "")
        if e.claim
        else f"{e.grade}: {', '.join(e.sources) or 'no source'}"
        for e in step.edges
    ]
    return "; ".join(dict.fromkeys(said))


def warned(*words: str) -> tuple[str, ...]:
    """What documents say of these words that is not so."""
    return tuple(w for word in words for w in find(word).warnings)
