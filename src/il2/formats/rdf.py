"""The knowledge graph as RDF, in Turtle, written by rdflib.

Every edge is an rdf:Statement with its sources (prov:wasDerivedFrom) and its claim, polarity, context, grade, check,
experiment, flag and conflicts, in terms of `urn:il2:term:`. The triple that it states stands beside it, so that a
query can go the short way; not so where the statement is flagged as wrong. Queries to begin with: docs/sparql.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

from il2.errors import Il2Error, did_you_mean
from il2.formats.biolink import WRONG, category, check, predicate
from il2.formats.graph_fields import EDGE_FIELDS, NODE_FIELDS, library
from il2.knowledge.graph import SOURCE, Edge, Node
from il2.knowledge.table import keyed

TERM = "urn:il2:term:"
_VOCABULARIES = {
    "bibo": "http://purl.org/ontology/bibo/",
    "dcterms": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "term": TERM,
}
_BIBO = {"DOI": "bibo:doi", "PMID": "bibo:pmid"}


def to_turtle(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """A Turtle document; an id or cross-reference whose prefix is in no table of prefixes is an Il2Error."""
    check(nodes, edges)
    writer = _Writer()
    for node in nodes:
        writer.node(node)
    for edge in edges:
        writer.edge(edge)
    for name in dict.fromkeys(edge.predicate for edge in edges):
        writer.predicate(name)
    return str(writer.graph.serialize(format="turtle"))


def iri(curie: str, where: str = "") -> str:
    """The IRI of a CURIE; what an IRI cannot hold is percent-encoded."""
    prefix, colon, local = curie.partition(":")
    starts = _starts()
    if not colon or prefix not in starts:
        raise Il2Error(f"{curie!r} has no known prefix", where=where, how=did_you_mean(prefix, starts))
    return starts[prefix] + quote(local, safe="/:;()@!$,*+=~-._")


class _Writer:
    """Fills one rdflib graph."""

    def __init__(self) -> None:
        self.lib = library("rdflib")
        self.graph = self.lib.Graph(bind_namespaces="none")
        for name, start in _starts().items():
            self.graph.bind(name, start)

    def node(self, node: Node) -> None:
        where = f"node {node.id!r}"
        self.link(node.id, "rdf:type", [category(node.kind)], where)
        self.text(node.id, "rdfs:label", [node.name], where)
        self.text(node.id, "dcterms:identifier", [node.id], where)
        self.text(node.id, "skos:altLabel", node.synonyms, where)
        self.text(node.id, "skos:definition", [node.definition], where)
        self.link(node.id, "skos:exactMatch", node.xrefs, where)
        self.link(node.id, "prov:wasDerivedFrom", map(_source, node.sources), where)
        self.own(node, where)
        if node.kind == SOURCE:
            self.link(node.id, "rdf:type", ["bibo:Document", "prov:Entity"], where)
            self.text(node.id, "dcterms:bibliographicCitation", [node.name], where)
            for xref in node.xrefs:
                prefix, _, local = xref.partition(":")
                if prefix in _BIBO:
                    self.text(node.id, _BIBO[prefix], [local], where)

    def edge(self, edge: Edge) -> None:
        where = f"edge {edge.id!r}"
        relation = f"term:{edge.predicate}"
        self.link(edge.id, "rdf:type", ["rdf:Statement", "biolink:Association", "prov:Entity"], where)
        for name, value in (("rdf:subject", edge.subject), ("rdf:predicate", relation), ("rdf:object", edge.object)):
            self.link(edge.id, name, [value], where)
        self.text(edge.id, "dcterms:identifier", [edge.id], where)
        self.text(edge.id, "rdfs:comment", [edge.text], where)
        self.link(edge.id, "prov:wasDerivedFrom", map(_source, edge.sources), where)
        self.own(edge, where)
        if edge.flag != WRONG:
            self.link(edge.subject, relation, [edge.object], where)

    def predicate(self, name: str) -> None:
        relation, row = f"term:{name}", keyed("predicates", "name")[name]
        self.link(relation, "rdf:type", ["rdf:Property"])
        self.text(relation, "rdfs:label", [row["label"] or name])
        self.link(relation, "skos:closeMatch", [predicate(name)])

    def own(self, item: Node | Edge, where: str) -> None:
        """The fields that no vocabulary has a term for; their attribute begins with il2_."""
        for f in NODE_FIELDS if isinstance(item, Node) else EDGE_FIELDS:
            value = getattr(item, f.name)
            if f.attribute.startswith("il2_") and f.name not in ("predicate", "sources"):
                self.text(item.id, f"term:{f.attribute[4:]}", value if f.many else [value], where)

    def link(self, subject: str, name: str, objects: Iterable[str], where: str = "") -> None:
        ref = self.lib.URIRef
        for o in objects:
            self.graph.add((ref(iri(subject, where)), ref(iri(name)), ref(iri(o, where))))

    def text(self, subject: str, name: str, texts: Iterable[str], where: str = "") -> None:
        ref: Any = self.lib.URIRef
        for text in texts:
            if text:
                self.graph.add((ref(iri(subject, where)), ref(iri(name)), self.lib.Literal(text)))


@cache
def _starts() -> dict[str, str]:
    """Prefixes, and the IRIs that they stand for."""
    return {name: row["iri"] for name, row in keyed("prefixes", "prefix").items()} | _VOCABULARIES


def _source(name: str) -> str:
    return f"il2:source-{name}"
