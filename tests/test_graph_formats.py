"""Exports of the knowledge graph: read back by other people's software, with every statement's evidence."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import pytest
from helpers import examples
from hypothesis import given
from hypothesis import strategies as st

from il2.errors import Il2Error
from il2.formats import kgx
from il2.formats.biolink import publications, records
from il2.formats.cx2 import to_cx2
from il2.formats.graph_fields import EDGE_FIELDS, MANY, NODE_FIELDS, Record, packed, restore, unpacked
from il2.formats.graphml import to_graphml
from il2.formats.mermaid import to_mermaid
from il2.formats.rdf import iri, to_turtle
from il2.knowledge.graph import SOURCE, Edge, Node, edges, nodes
from il2.knowledge.table import keyed, rows

nx = pytest.importorskip("networkx", reason="the extra il2[graph] is not installed")
pytest.importorskip("rdflib", reason="the extra il2[graph] is not installed")
oxigraph = pytest.importorskip("pyoxigraph", reason="pyoxigraph is not installed (extra il2[test])")
ndex = pytest.importorskip("ndex2.cx2", reason="ndex2 is not installed (extra il2[test])")
bmt = pytest.importorskip("bmt", reason="bmt is not installed (extra il2[test])")

QUERIES = Path(__file__).parents[1] / "docs" / "sparql"
HOSTILE = (
    "<script>alert('x')</script> &amp; \"quoted\" a|b \\n \\ tab\there\nline\r\nnext ]]> %3C $(x) `y` {z} [w] #35; "
    "β–γ 中 😀 \u2028\x85 end"
)
XREFS = ("NCBIGene:3558", "UniProtKB:P60568")
Graph = tuple[tuple[Node, ...], tuple[Edge, ...]]


def small() -> Graph:
    """Every kind of end, and text that has a meaning in one of the formats."""
    found = (
        Node("HGNC:6001", "IL2", "gene", ("TCGF", HOSTILE), XREFS, HOSTILE, "", ("paper",)),
        Node("il2:drug-X", HOSTILE, "drug", flag="doubtful", sources=("assumed",)),
        Node("GO:0042110", "T cell activation", "process"),
        Node("il2:value-0123456789ab", "133 aa", "value"),
        Node("il2:source-paper", "A paper, 1999", SOURCE, ("paper",), ("DOI:10.1/a<b>(c)", "PMID:123")),
        Node("il2:source-assumed", "Assumption", SOURCE, ("assumed",)),
        Node("il2:source-page", HOSTILE, SOURCE, ("page",)),
    )
    stated = (
        Edge(
            "il2:S000-001", "HGNC:6001", "promotes", "GO:0042110", ("page", "paper"), "S000-001", "+", HOSTILE,
            "stated", "both", "E16", "doubtful", ("C01", "C02"), HOSTILE,
        ),
        Edge("il2:S001-001", "il2:drug-X", "inhibits", "GO:0042110", ("paper",), "S001-001", "-", conflicts=("C01",)),
        Edge("il2:S001-002", "HGNC:6001", "promotes", "GO:0042110", ("paper",), "S001-002", "+", grade="stated"),
        Edge("il2:S001-003", "HGNC:6001", "has_length", "il2:value-0123456789ab", ("page",), flag="wrong"),
        Edge("il2:binds IL-2 <receptor>", "il2:drug-X", "binds", "HGNC:6001", ("assumed",), grade="assumed"),
        Edge("il2:self", "HGNC:6001", "binds", "HGNC:6001", ("paper",), grade="curated"),
    )  # fmt: skip
    return found, stated


def whole() -> Graph:
    return tuple(nodes().values()), edges()


GRAPHS = pytest.mark.parametrize("graph", [small, whole])


@GRAPHS
@pytest.mark.parametrize("form", ["tsv", "jsonl"])
def test_kgx_gives_back_what_was_written(graph: Callable[[], Graph], form: str, tmp_path: Path) -> None:
    written = kgx.write(tmp_path / "deep" / "folder", *graph())
    assert [p.name for p in written] == ["nodes.tsv", "nodes.jsonl", "edges.tsv", "edges.jsonl"]
    assert kgx.read(tmp_path / "deep" / "folder", form) == graph()
    again = kgx.write(tmp_path / "again", *kgx.read(tmp_path / "deep" / "folder", form))
    assert [p.read_bytes() for p in again] == [p.read_bytes() for p in written]


def test_kgx_reads_the_form_that_is_there(tmp_path: Path) -> None:
    kgx.write(tmp_path, *small())
    (tmp_path / "edges.jsonl").unlink()
    assert kgx.read(tmp_path) == small()
    with pytest.raises(Il2Error, match="no KGX files are here"):
        kgx.read(tmp_path, "jsonl")
    with pytest.raises(Il2Error, match="unknown form 'xml'"):
        kgx.read(tmp_path, "xml")


@GRAPHS
def test_kgx_tables_are_tables_for_pandas(graph: Callable[[], Graph], tmp_path: Path) -> None:
    """As the KGX package reads them: without quotes, split at bars."""
    import pandas as pd

    kgx.write(tmp_path, *graph())
    for name, items in zip(("nodes", "edges"), graph(), strict=True):
        table = pd.read_csv(
            tmp_path / f"{name}.tsv", sep="\t", quoting=3, dtype=str, keep_default_na=False, lineterminator="\n"
        )
        assert list(table["id"]) == [packed([item.id]) for item in items]
        assert {c for c in table if table[c].str.contains("|", regex=False).any()} <= MANY
        lines = (tmp_path / f"{name}.jsonl").read_text().split("\n")[:-1]
        assert [json.loads(line)["id"] for line in lines] == [item.id for item in items]


@GRAPHS
def test_kgx_is_valid_biolink(graph: Callable[[], Graph]) -> None:
    """Categories and predicates are of the model, and every slot that it requires is there, of its type."""
    toolkit = bmt.Toolkit(
        schema=str(files("biolink_model") / "schema" / "biolink_model.yaml"), predicate_map={"predicate mappings": []}
    )
    node_records, edge_records = records(*graph())
    for record in node_records + edge_records:
        (category,) = record["category"]
        element = toolkit.get_element(category)
        assert element is not None and not element.abstract and not element.mixin, category
        for slot in toolkit.view.class_induced_slots(element.name):
            value = record.get(slot.name.replace(" ", "_"))
            assert value or not slot.required or slot.name == "name", (record["id"], slot.name)
            assert value is None or isinstance(value, list) == bool(slot.multivalued), (record["id"], slot.name)
            if value and slot.range in toolkit.view.all_enums():
                assert value in toolkit.view.get_enum(slot.range).permissible_values
    for record in edge_records:
        assert toolkit.is_predicate(record["predicate"]), record["predicate"]
        if direction := record.get("object_direction_qualifier"):
            assert direction in toolkit.view.get_enum("DirectionQualifierEnum").permissible_values
    for kind in rows("kinds"):
        assert toolkit.is_category(kind["biolink"]), kind


def test_every_field_is_in_the_table_once() -> None:
    """A field added to the graph cannot be forgotten in the exports."""
    for kind, table in ((Node, NODE_FIELDS), (Edge, EDGE_FIELDS)):
        assert [f.name for f in fields(kind)] == [f.name for f in table]
        assert len({f.attribute for f in table}) == len(table)
        assert {f.name for f in fields(kind) if "tuple" in str(f.type)} == {f.name for f in table if f.many}


def test_publications_are_pubmed_ids_before_dois_before_our_own() -> None:
    found = publications(small()[0])
    assert found == {"paper": "PMID:123", "assumed": "il2:source-assumed", "page": "il2:source-page"}
    assert records(*small())[1][0]["publications"] == ["il2:source-page", "PMID:123"]


def test_what_is_wrong_is_no_assertion_in_biolink() -> None:
    found, stated = small()
    wrong = replace(stated[0], flag="wrong")
    _, (plain, flagged) = records(found, [stated[2], replace(wrong, id="il2:x")])
    assert (plain["predicate"], plain["object_direction_qualifier"]) == ("biolink:affects", "increased")
    assert (plain["knowledge_level"], plain["agent_type"]) == ("knowledge_assertion", "not_provided")
    assert (flagged["predicate"], flagged["knowledge_level"]) == ("biolink:related_to", "not_provided")
    assert flagged["il2_predicate"] == "promotes" and "object_direction_qualifier" not in flagged


@pytest.mark.parametrize("items", [["a"], ["a|b", "c"], ["\\", "\\n", "\n\r\t\x00\x85\u2028", HOSTILE], []])
def test_lists_in_one_line_are_read_back(items: list[str]) -> None:
    assert unpacked(packed(items)) == items
    assert len(packed(items).splitlines()) <= 1


@GRAPHS
def test_graphml_is_read_back_by_networkx(graph: Callable[[], Graph]) -> None:
    read = nx.parse_graphml(to_graphml(*graph()), force_multigraph=True)
    ours = graph()
    assert read.is_directed() and set(read.nodes) == {n.id for n in ours[0]}
    assert read.number_of_edges() == len(ours[1])

    def lists(record: dict[str, str]) -> Record:
        return {key: unpacked(value) if key in MANY else value for key, value in record.items()}

    assert same(ours, [lists(d) for _, d in read.nodes(data=True)], [lists(d) for *_, d in read.edges(data=True)])
    assert {(s, o, key) for s, o, key in read.edges(keys=True)} == {(e.subject, e.object, e.id) for e in ours[1]}


def test_graphml_replaces_what_xml_cannot_hold() -> None:
    found, stated = small()
    bad = replace(found[0], definition="a\x00\x1b\ufffeb")
    read = nx.parse_graphml(to_graphml([bad, *found[1:]], stated), force_multigraph=True)
    assert read.nodes["HGNC:6001"]["description"] == "a\ufffd\ufffd\ufffdb"


@GRAPHS
def test_cx2_is_read_back_by_ndex_into_networkx(graph: Callable[[], Graph]) -> None:
    document = json.loads(to_cx2(*graph()))
    network = ndex.RawCX2NetworkFactory().get_cx2network(document)
    read = ndex.CX2NetworkXFactory().get_graph(network)
    ours = graph()
    assert same(ours, [d for _, d in read.nodes(data=True)], [d for *_, d in read.edges(data=True)])
    ids = {n: d["id"] for n, d in read.nodes(data=True)}
    assert all((ids[s], ids[o]) == (d["subject"], d["object"]) for s, o, d in read.edges(data=True))
    assert network.get_name() == "il2 knowledge graph" and network.get_status() == {"success": True}
    sizes = {m["name"]: m["elementCount"] for m in document[1]["metaData"]}
    assert sizes["nodes"] == len(ours[0]) and sizes["edges"] == len(ours[1])


def same(graph: Graph, node_records: list[Record], edge_records: list[Record]) -> bool:
    """Whether records hold the graph and no more: equal nodes, edges and sources, in any order."""
    ours = {n.id: n for n in graph[0]}, {e.id: e for e in graph[1]}
    found = [restore(r, Node, "here") for r in node_records]
    stated = [restore(r, Edge, "here") for r in edge_records]
    assert len(found) == len(graph[0]) and len(stated) == len(graph[1])
    assert sum(n.kind == SOURCE for n in found) == sum(n.kind == SOURCE for n in graph[0])
    return ({n.id: n for n in found}, {e.id: e for e in stated}) == ours


@lru_cache(4)
def store(graph: Graph) -> oxigraph.Store:
    """The graph in an independent triple store, through its Turtle."""
    found = oxigraph.Store()
    found.load(to_turtle(*graph).encode(), format=oxigraph.RdfFormat.TURTLE)
    return found


def table(database: oxigraph.Store, query: str) -> list[dict[str, str]]:
    solutions = database.query(query)
    names = [v.value for v in solutions.variables]
    return [{n: s[n].value for n in names if s[n] is not None} for s in solutions]


PREFIXES = """PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX bibo: <http://purl.org/ontology/bibo/>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX term: <urn:il2:term:>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> """


@GRAPHS
def test_rdf_holds_every_node_edge_source_and_its_evidence(graph: Callable[[], Graph]) -> None:
    database, (found, stated) = store(graph()), graph()
    kinds = table(database, PREFIXES + "SELECT ?id ?kind { ?n term:kind ?kind ; dcterms:identifier ?id }")
    assert sorted((r["id"], r["kind"]) for r in kinds) == sorted((n.id, n.kind) for n in found)
    assert len(table(database, PREFIXES + "SELECT ?s { ?s a bibo:Document }")) == sum(n.kind == SOURCE for n in found)
    ends = (
        PREFIXES
        + """SELECT ?id ?s ?p ?o { ?e a rdf:Statement ; dcterms:identifier ?id ; rdf:predicate ?p ;
        rdf:subject/dcterms:identifier ?s ; rdf:object/dcterms:identifier ?o }"""
    )
    assert sorted((r["id"], r["s"], r["p"], r["o"]) for r in table(database, ends)) == sorted(
        (e.id, e.subject, f"urn:il2:term:{e.predicate}", e.object) for e in stated
    )
    for name, term in (
        ("claim", "term:claim"), ("polarity", "term:polarity"), ("context", "term:context"), ("grade", "term:grade"),
        ("check", "term:check"), ("experiment", "term:experiment"), ("flag", "term:flag"), ("text", "rdfs:comment"),
    ):  # fmt: skip
        query = f"{PREFIXES}SELECT ?id ?v {{ ?e a rdf:Statement ; dcterms:identifier ?id ; {term} ?v }}"
        assert {r["id"]: r["v"] for r in table(database, query)} == {e.id: v for e in stated if (v := getattr(e, name))}
    conflicts = table(database, PREFIXES + "SELECT ?id ?c { ?e dcterms:identifier ?id ; term:conflict ?c }")
    assert {(r["id"], r["c"]) for r in conflicts} == {(e.id, c) for e in stated for c in e.conflicts}
    sources = PREFIXES + "SELECT ?id ?s { ?e a rdf:Statement ; dcterms:identifier ?id ; prov:wasDerivedFrom ?s }"
    assert {(r["id"], r["s"]) for r in table(database, sources)} == {
        (e.id, f"urn:il2:source-{s}") for e in stated for s in e.sources
    }


def test_rdf_of_a_node() -> None:
    database = store(small())
    found = table(
        database,
        PREFIXES
        + """SELECT * { <http://identifiers.org/hgnc/6001> a ?type ; rdfs:label ?label ;
            skos:definition ?text ; skos:altLabel ?word ; prov:wasDerivedFrom/bibo:doi ?doi .
            FILTER (?word != "TCGF") }""",
    )
    assert found == [
        {
            "type": "https://w3id.org/biolink/vocab/Gene", "label": "IL2", "text": HOSTILE, "word": HOSTILE,
            "doi": "10.1/a<b>(c)",
        }
    ]  # fmt: skip
    same_as = table(database, PREFIXES + "SELECT ?x { <http://identifiers.org/hgnc/6001> skos:exactMatch ?x }")
    assert {r["x"] for r in same_as} == {
        "http://identifiers.org/ncbigene/3558", "http://purl.uniprot.org/uniprot/P60568"
    }  # fmt: skip


def test_rdf_states_the_triple_itself_unless_it_is_wrong() -> None:
    database = store(small())
    short = {(r["p"], r["o"]) for r in table(database, PREFIXES + 'SELECT ?p ?o { ?s rdfs:label "IL2" ; ?p ?o }')}
    assert ("urn:il2:term:promotes", "http://purl.obolibrary.org/obo/GO_0042110") in short
    assert not [p for p, _ in short if p == "urn:il2:term:has_length"]


def test_rdf_needs_prefixes_that_it_knows() -> None:
    with pytest.raises(Il2Error, match="node 'javascript:alert"):
        to_turtle([Node("javascript:alert(1)", "x", "gene")], [])
    with pytest.raises(Il2Error, match="'no colon' has no known prefix"):
        to_turtle([Node("HGNC:1", "x", "gene", xrefs=("no colon",))], [])
    assert iri('il2:a <b> %20"\n') == "urn:il2:a%20%3Cb%3E%20%2520%22%0A"
    assert iri("term:<b>") == "urn:il2:term:%3Cb%3E"


def test_turtle_is_the_same_in_every_run() -> None:
    assert to_turtle(*small()) == to_turtle(*small())


@examples(60)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Every character that UTF-8 can hold, in a list and alone, through KGX, CX2, GraphML and Turtle."""
    node = Node("HGNC:6001", text, "gene", (text, "x"), definition=text)
    graph = (node,), (Edge("il2:e", node.id, "binds", node.id, ("s",), context=text, conflicts=(text,), text=text),)
    folder = tmp_path_factory.mktemp("kgx")
    kgx.write(folder, *graph)
    assert kgx.read(folder, "tsv") == kgx.read(folder, "jsonl") == graph
    network = ndex.RawCX2NetworkFactory().get_cx2network(json.loads(to_cx2(*graph)))
    assert restore(network.get_edge(0)["v"], Edge, "here") == graph[1][0]
    read = nx.parse_graphml(to_graphml(*graph), force_multigraph=True)
    plain = "".join(c if c in "\t\n\r" or (" " <= c and c not in "\ufffe\uffff") else "\ufffd" for c in text)
    assert read.nodes[node.id]["name"] == plain and unpacked(read.nodes[node.id]["synonym"])[-1] == "x"
    query = PREFIXES + "SELECT ?v { ?e rdfs:label|skos:altLabel|rdfs:comment|term:context|term:conflict ?v }"
    assert {r["v"] for r in table(store(graph), query)} == {text, "x", "binds"}


def query(name: str, graph: Graph) -> list[dict[str, str]]:
    return table(store(graph), (QUERIES / f"{name}.rq").read_text())


def test_example_queries_say_what_they_answer() -> None:
    for path in QUERIES.glob("*.rq"):
        assert path.read_text().startswith("# "), path


def test_query_evidence() -> None:
    found = query("evidence", small())
    assert [r["statement"] for r in found] == [
        "urn:il2:S000-001", "urn:il2:S000-001", "urn:il2:S001-002", "urn:il2:S001-003", "urn:il2:self"
    ]  # fmt: skip
    assert {r["citation"] for r in found[:2]} == {HOSTILE, "A paper, 1999"}
    assert found[0].items() >= {"claim": "S000-001", "polarity": "+", "context": HOSTILE, "flag": "doubtful"}.items()


def test_query_conflicts() -> None:
    found, stated = small()
    pair = [stated[0], replace(stated[1], text="No.")]
    assert query("conflicts", (found, tuple(pair))) == [
        {"conflict": "C01", "first": "urn:il2:S000-001", "says": HOSTILE, "second": "urn:il2:S001-001", "but": "No."}
    ]


def test_query_flagged() -> None:
    found = query("flagged", small())
    assert [(r["flag"], r["statement"][8:]) for r in found] == [
        ("doubtful", "S000-001"), ("doubtful", "S000-001"), ("wrong", "S001-003")
    ]  # fmt: skip


def test_query_opposed() -> None:
    found = query("opposed", small())
    assert {(r["what"], r["raised_by"], r["lowered_by"]) for r in found} == {("T cell activation", "IL2", HOSTILE)}
    assert [r["raising"] for r in found] == ["urn:il2:S000-001", "urn:il2:S001-002"]


def test_query_sources() -> None:
    found = query("sources", small())
    assert [(r["source"], r["statements"], r["tested"]) for r in found] == [
        ("urn:il2:source-paper", "4", "1"), ("urn:il2:source-page", "2", "1"), ("urn:il2:source-assumed", "1", "0")
    ]  # fmt: skip


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.rq")), ids=lambda p: p.stem)
def test_queries_answer_on_the_whole_graph(path: Path) -> None:
    assert query(path.stem, whole())


def test_queries_agree_with_the_whole_graph() -> None:
    found, stated = whole()
    counts = {r["source"]: int(r["statements"]) for r in query("sources", (found, stated))}
    assert counts == {
        f"urn:il2:source-{(id := n.id.removeprefix('il2:source-'))}": sum(id in e.sources for e in stated)
        for n in found
        if n.kind == SOURCE
    }
    assert {r["statement"][8:] for r in query("flagged", (found, stated))} == {
        e.id.removeprefix("il2:") for e in stated if e.flag
    }


@GRAPHS
def test_mermaid_has_every_node_edge_and_its_evidence(graph: Callable[[], Graph]) -> None:
    first, *lines = to_mermaid(*graph()).splitlines()
    found, stated = graph()
    assert first == "flowchart LR" and len(lines) == len(found) + len(stated)
    node = re.compile(r'  n(\d+)(?:\["[^"<>`]*"\]|\("[^"<>`]*"\)|\[\("[^"<>`]*"\)\])')
    edge = re.compile(r'  n\d+ (?:-->|--x|-\.->|-\.-x)\|"[^"<>`]*"\| n\d+')
    plain = [line.replace("<br/>", " ") for line in lines]
    assert all(node.fullmatch(line) for line in plain[: len(found)])
    assert all(edge.fullmatch(line) for line in plain[len(found) :])
    for e, line in zip(stated, lines[len(found) :], strict=True):
        text = re.sub(r"#(\d+);", lambda m: chr(int(m[1])), line)
        context = " ".join(e.context.split())
        assert all(part in text for part in (e.predicate, e.claim, e.grade, e.flag, context, *e.sources, *e.conflicts))
    assert sum('[("' in line for line in lines) == sum(n.kind == SOURCE for n in found)


def test_mermaid_draws_signs_and_doubts() -> None:
    lines = to_mermaid(*small()).splitlines()
    assert any(re.search(r'n0 -\.->\|"promotes<br/>id: il2:S000-001<br/>.*polarity: \+', line) for line in lines)
    assert any(line.startswith('  n1 --x|"inhibits') for line in lines)


@pytest.mark.parametrize("export", [to_turtle, to_cx2, to_graphml, to_mermaid])
def test_an_empty_graph_is_a_graph(export: Callable[..., str], tmp_path: Path) -> None:
    assert export((), ())
    kgx.write(tmp_path, (), ())
    assert kgx.read(tmp_path, "tsv") == kgx.read(tmp_path, "jsonl") == ((), ())


@pytest.mark.parametrize("export", [to_turtle, to_cx2, to_graphml, to_mermaid, records])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda n, e: ([*n, n[0]], e), "node 'HGNC:6001': the id 'HGNC:6001' stands here twice"),
        (lambda n, e: (n, [*e, e[0]]), "edge 'il2:S000-001': the id"),
        (lambda n, e: (n[1:], e), "no node has the id 'HGNC:6001'"),
        (lambda n, e: ([replace(n[0], kind="genes"), *n[1:]], e), "unknown kind 'genes'.*Did you mean 'gene'"),
        (lambda n, e: (n, [replace(e[0], predicate="promote")]), "unknown predicate 'promote'.* 'promotes'"),
        (lambda n, e: ([replace(n[0], name="\ud800"), *n[1:]], e), "name holds half a character"),
        (lambda n, e: ([replace(n[0], synonyms=("",)), *n[1:]], e), "synonym is empty or holds an empty text"),
        (lambda n, e: ([replace(n[0], id=""), *n[1:]], e), "id is empty"),
    ],
)
def test_what_is_no_graph_is_refused(export: Callable[..., object], change: Callable[..., Graph], message: str) -> None:
    with pytest.raises(Il2Error, match=message):
        export(*change(*small()))


BROKEN = {
    "tsv": [
        (b"", "nodes.tsv:1: the header has no column id"),
        (b"id\tid\n", "nodes.tsv:1: the header .* names a column twice"),
        (b"id\til2_kind\nHGNC:1\n", "nodes.tsv:2: 1 fields, and the header has 2"),
        (b"id\til2_kind\nHGNC:1\tgene", "nodes.tsv:2: the last line has no end"),
        (b"id\til2_kind\nHGNC:1\t\xff\n", "nodes.tsv:2: is not UTF-8"),
        (b"id\til2_kind\nHGNC:1\tgene|cell\n", "nodes.tsv:2: il2_kind is a list"),
        (b"id\til2_kind\nHGNC:1\tg\\x\n", "nodes.tsv:2: a backslash begins no escape"),
        (b"id\til2_kind\nHGNC:1\t\\ud800\n", "nodes.tsv:2: il2_kind holds half a character"),
        (b"id\til2_kind\nHGNC:1\t<script>\n", "nodes.tsv:2: unknown kind '<script>'"),
        (b"id\til2_kind\n\tgene\n", "nodes.tsv:2: id is empty"),
        (b"id\tname\nHGNC:1\tx\n", "nodes.tsv:2: il2_kind is empty"),
        (b"id\til2_kind\tsynonym\nHGNC:1\tgene\ta||b\n", "nodes.tsv:2: synonym is empty or holds an empty text"),
        (b"id\til2_kind\nHGNC:1\tgene\nHGNC:1\tgene\n", "nodes.tsv:3: the id 'HGNC:1' stands here twice"),
    ],
    "jsonl": [
        (b"{\n", "nodes.jsonl:1: is no JSON"),
        (b"\n", "nodes.jsonl:1: is no JSON"),
        (b"[" * 100_000 + b"\n", "nodes.jsonl:1: is no JSON"),
        (b"[1]\n", "nodes.jsonl:1: is no JSON object"),
        (b'{"id": 1, "il2_kind": "gene"}\n', "nodes.jsonl:1: id is no text"),
        (b'{"id": "HGNC:1", "il2_kind": null}\n', "nodes.jsonl:1: il2_kind is no text"),
        (b'{"id": "HGNC:1", "il2_kind": "gene", "xref": "a"}\n', "nodes.jsonl:1: xref is no list of texts"),
        (b'{"id": "HGNC:1", "il2_kind": "gene", "xref": [{}]}\n', "nodes.jsonl:1: xref is no list of texts"),
        (b'{"id": "HGNC:1", "il2_kind": "gene", "name": "\\ud800"}\n', "nodes.jsonl:1: name holds half a character"),
    ],
}


@pytest.mark.parametrize(("form", "data", "message"), [(f, *case) for f, cases in BROKEN.items() for case in cases])
def test_broken_kgx_is_an_error_with_its_line(form: str, data: bytes, message: str, tmp_path: Path) -> None:
    kgx.write(tmp_path, *small())
    (tmp_path / f"nodes.{form}").write_bytes(data)
    with pytest.raises(Il2Error, match=message):
        kgx.read(tmp_path, form)


def test_an_edge_without_its_node_is_an_error_with_its_line(tmp_path: Path) -> None:
    paths = dict(zip(("nodes", "nodes.jsonl", "edges", "edges.jsonl"), kgx.write(tmp_path, *small()), strict=True))
    paths["edges"].write_text(paths["edges"].read_text().replace("il2:drug-X\tbinds", "il2:drug-Y\tbinds"))
    with pytest.raises(Il2Error, match=r"edges\.tsv:6: no node has the id 'il2:drug-Y'"):
        kgx.read(tmp_path, "tsv")


def test_folders_that_cannot_be_made_or_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Il2Error, match="cannot be made"):
        kgx.write(tmp_path / "file" / "folder", *small())
    with pytest.raises(Il2Error, match="no KGX files are here"):
        kgx.read(tmp_path / "nowhere")
    kgx.write(tmp_path, *small())
    (tmp_path / "nodes.jsonl").unlink()
    (tmp_path / "nodes.jsonl").mkdir()
    with pytest.raises(Il2Error, match="cannot be read"):
        kgx.read(tmp_path, "jsonl")
    monkeypatch.setattr(kgx, "LARGEST_MB", 1e-6)
    with pytest.raises(Il2Error, match="too large"):
        kgx.read(tmp_path, "tsv")


@pytest.mark.parametrize(("export", "package"), [(to_turtle, "rdflib"), (to_graphml, "networkx")])
def test_a_missing_package_is_told(export: Callable[..., str], package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Il2Error, match=rf'needs the package {package}. Install the extra: pip install "il2\[graph\]"'):
        export(*small())


def test_every_kind_and_source_of_the_whole_graph_is_known() -> None:
    found, stated = whole()
    assert {n.kind for n in found} <= keyed("kinds", "kind").keys()
    known = {n.id for n in found}
    assert {f"il2:source-{s}" for item in (*found, *stated) for s in item.sources} <= known
