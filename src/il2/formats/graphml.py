"""The knowledge graph as GraphML, written by NetworkX: a directed graph with several edges between two nodes.

Lists are one text, `a|b`, as in the KGX tables. Characters that XML cannot hold become U+FFFD.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from il2.formats.biolink import records
from il2.formats.graph_fields import Record, library, packed
from il2.knowledge.graph import Edge, Node

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_graphml(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """A GraphML document; node ids and edge ids are those of the graph."""
    nx = library("networkx")
    graph = nx.MultiDiGraph(name="il2")
    node_records, edge_records = records(nodes, edges)
    for record in node_records:
        found = _plain(record)
        graph.add_node(found["id"], **found)
    for record in edge_records:
        found = _plain(record)
        graph.add_edge(found["subject"], found["object"], found["id"], **found)
    out = io.BytesIO()
    nx.write_graphml_xml(graph, out, named_key_ids=True)
    return out.getvalue().decode().replace("\r", "&#13;")


def _plain(record: Record) -> dict[str, str]:
    return {key: _NO_XML.sub("\ufffd", packed(v) if isinstance(v, list) else v) for key, v in record.items()}
