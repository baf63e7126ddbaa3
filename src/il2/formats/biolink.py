"""The knowledge graph in the words of the Biolink Model: categories, predicates, levels of knowledge, publications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from il2.errors import Il2Error, did_you_mean
from il2.formats.graph_fields import EDGE_FIELDS, NODE_FIELDS, Field, Record
from il2.knowledge.graph import SOURCE, Edge, Node
from il2.knowledge.table import keyed

WRONG = "wrong"  # the flag of what is kept as evidence and never taken as knowledge
WEAKEST = "biolink:related_to"
# Grade: knowledge level and agent type; `stated` is what a document says, which does not tell who found it.
LEVELS = {"stated": ("knowledge_assertion", "not_provided"), "assumed": ("not_provided", "manual_agent")}
# A sign of ours where the predicate of Biolink has none.
DIRECTIONS = {
    ("biolink:affects", "+"): "increased",
    ("biolink:affects", "-"): "decreased",
    ("biolink:regulates", "+"): "upregulated",
    ("biolink:regulates", "-"): "downregulated",
}
CURATED = ("knowledge_assertion", "manual_agent")
UNKNOWN = ("not_provided", "not_provided")


def records(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[list[Record], list[Record]]:
    """Nodes and edges as attributes, once they are found to be a graph."""
    check(nodes, edges)
    papers = publications(nodes)
    return [_node_record(n) for n in nodes], [_edge_record(e, papers) for e in edges]


def check(nodes: Sequence[Node], edges: Sequence[Edge], at: Sequence[str] = (), edges_at: Sequence[str] = ()) -> None:
    """Ids are unique, ends are nodes, kinds and predicates are known, texts can be written. at: where each stands."""
    known: set[str] = set()
    for n, node in enumerate(nodes):
        where = at[n] if at else f"node {node.id!r}"
        _whole(node, NODE_FIELDS, where)
        _unique(node.id, known, where)
        category(node.kind, where)
    used: set[str] = set()
    for n, edge in enumerate(edges):
        where = edges_at[n] if edges_at else f"edge {edge.id!r}"
        _whole(edge, EDGE_FIELDS, where)
        _unique(edge.id, used, where)
        predicate(edge.predicate, where)
        for end in (edge.subject, edge.object):
            if end not in known:
                raise Il2Error(f"no node has the id {end!r}", where=where)


def category(kind: str, where: str = "") -> str:
    """The Biolink category of a kind of node."""
    return _known("kinds", "kind", kind, where)["biolink"]


def predicate(name: str, where: str = "") -> str:
    """The Biolink predicate nearest to one of ours."""
    return f"biolink:{_known('predicates', 'name', name, where)['biolink'].removeprefix('biolink:')}"


def publications(nodes: Iterable[Node]) -> dict[str, str]:
    """Source ids, and the PubMed id or DOI of each, or where it has none the id of its node."""
    found = {}
    for node in nodes:
        if node.kind == SOURCE:
            best = sorted((x for x in node.xrefs if x.startswith(("PMID:", "DOI:"))), reverse=True)
            found[node.id.removeprefix("il2:source-")] = best[0] if best else node.id
    return found


def _node_record(node: Node) -> Record:
    kind = {"publication_type": ["bibo:Document"]} if node.kind == SOURCE else {}
    return _own(node, NODE_FIELDS) | {"category": [category(node.kind)]} | kind


def _edge_record(edge: Edge, papers: Mapping[str, str]) -> Record:
    level, agent = UNKNOWN if edge.flag == WRONG else LEVELS.get(edge.grade, CURATED)
    relation = WEAKEST if edge.flag == WRONG else predicate(edge.predicate)
    direction = DIRECTIONS.get((relation, edge.polarity))
    cited = [papers.get(s, f"il2:source-{s}") for s in edge.sources]
    return _own(edge, EDGE_FIELDS) | {
        "category": ["biolink:Association"],
        "predicate": relation,
        **({"object_direction_qualifier": direction} if direction else {}),
        "knowledge_level": level,
        "agent_type": agent,
        "primary_knowledge_source": "infores:il2",
        **({"publications": cited} if cited else {}),
    }


def _own(item: Node | Edge, fields: Sequence[Field]) -> Record:
    found = {f.attribute: getattr(item, f.name) for f in fields}
    return {a: list(value) if isinstance(value, tuple) else value for a, value in found.items() if value}


def _known(table: str, key: str, name: str, where: str) -> dict[str, str]:
    rows = keyed(table, key)
    if name not in rows:
        raise Il2Error(f"unknown {table.removesuffix('s')} {name!r}", where=where, how=did_you_mean(name, rows))
    return rows[name]


def _unique(id: str, known: set[str], where: str) -> None:
    if id in known:
        raise Il2Error(f"the id {id!r} stands here twice", where=where)
    known.add(id)


def _whole(item: Node | Edge, fields: Sequence[Field], where: str) -> None:
    for f in fields:
        value = getattr(item, f.name)
        if (f.needed and not value) or (f.many and not all(value)):
            raise Il2Error(f"{f.attribute} is empty or holds an empty text", where=where)
        try:
            "".join(value).encode()
        except UnicodeEncodeError:
            raise Il2Error(f"{f.attribute} holds half a character", where=where) from None
