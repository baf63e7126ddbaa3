"""The knowledge graph as CX2, the network format of Cytoscape and NDEx. Version 2.0 of CX; no library is needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from il2.formats.biolink import records
from il2.formats.graph_fields import MANY, Record
from il2.knowledge.graph import Edge, Node

NAME = "il2 knowledge graph"
DESCRIPTION = "Statements on the interleukin-2 system, each with claim, sources, polarity, context, grade, conflicts"


def to_cx2(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """A CX2 document. Nodes and edges have numbers in the order given; their ids are the attribute `id`."""
    node_records, edge_records = records(nodes, edges)
    number = {node.id: n for n, node in enumerate(nodes)}
    aspects: dict[str, list[Any]] = {
        "attributeDeclarations": [
            {
                "networkAttributes": {"name": {"d": "string"}, "description": {"d": "string"}},
                "nodes": _declared(node_records),
                "edges": _declared(edge_records),
            }
        ],
        "networkAttributes": [{"name": NAME, "description": DESCRIPTION}],
        "nodes": [{"id": n, "v": record} for n, record in enumerate(node_records)],
        "edges": [
            {"id": n, "s": number[edge.subject], "t": number[edge.object], "v": record}
            for n, (edge, record) in enumerate(zip(edges, edge_records, strict=True))
        ],
        "visualProperties": [_STYLE],
    }
    sizes = [{"name": name, "elementCount": len(items)} for name, items in aspects.items()]
    document = [
        {"CXVersion": "2.0", "hasFragments": False},
        {"metaData": sizes},
        *({name: items} for name, items in aspects.items()),
        {"status": [{"success": True}]},
    ]
    return json.dumps(document, ensure_ascii=False) + "\n"


def _declared(table: Sequence[Record]) -> dict[str, dict[str, str]]:
    names = dict.fromkeys(name for record in table for name in record)
    return {name: {"d": "list_of_string" if name in MANY else "string"} for name in names}


def _passed(attribute: str) -> dict[str, Any]:
    return {"type": "PASSTHROUGH", "definition": {"attribute": attribute, "type": "string"}}


_STYLE: dict[str, Any] = {
    "default": {
        "node": {"NODE_SHAPE": "round-rectangle", "NODE_BACKGROUND_COLOR": "#DDE7F0", "NODE_LABEL_FONT_SIZE": 10},
        "edge": {"EDGE_TARGET_ARROW_SHAPE": "triangle", "EDGE_LINE_COLOR": "#666666", "EDGE_LABEL_FONT_SIZE": 8},
    },
    "nodeMapping": {"NODE_LABEL": _passed("name")},
    "edgeMapping": {"EDGE_LABEL": _passed("il2_predicate")},
}
