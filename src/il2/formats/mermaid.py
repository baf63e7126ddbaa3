"""The knowledge graph as a Mermaid flow chart, best a part of it: Mermaid draws at most 500 edges as it comes.

Entities are boxes, values are rounded, sources are cylinders. What raises ends in an arrow, what lowers in a cross,
and what is flagged is dotted. Every arrow carries its evidence, line by line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from il2.formats.biolink import check
from il2.formats.graph_fields import EDGE_FIELDS
from il2.knowledge.graph import SOURCE, VALUE, Edge, Node

SHAPES = {VALUE: ("(", ")"), SOURCE: ("[(", ")]")}
_EVIDENCE = ("id", "sources", "claim", "polarity", "context", "grade", "check", "experiment", "flag", "conflicts")
_UNSAFE = re.compile(r"[^\w .,:;/()+=?-]|[-+](?= )|(?<=\d)\.(?= )")


def to_mermaid(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """A flow chart of all nodes and edges given."""
    check(nodes, edges)
    number = {node.id: n for n, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    for node in nodes:
        left, right = SHAPES.get(node.kind, ("[", "]"))
        lines.append(f'  n{number[node.id]}{left}"{escaped(node.name or node.id)}<br/>{escaped(node.id)}"{right}')
    for edge in edges:
        lines.append(f'  n{number[edge.subject]} {_line(edge)}|"{_label(edge)}"| n{number[edge.object]}')
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text for a label: what is not plain becomes a character code, and line breaks become spaces."""
    return _UNSAFE.sub(lambda m: f"#{ord(m[0])};", " ".join(text.split()))


def _line(edge: Edge) -> str:
    end = "x" if edge.polarity == "-" else ">"
    return f"-.-{end}" if edge.flag else f"--{end}"


def _label(edge: Edge) -> str:
    parts = [escaped(edge.predicate)]
    for f in EDGE_FIELDS:
        value = getattr(edge, f.name)
        if f.name in _EVIDENCE and value:
            parts.append(f"{f.name}: {escaped(', '.join(value) if f.many else value)}")
    return "<br/>".join(parts)
