"""How the fields of the knowledge graph are called in other formats: one table for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from il2.errors import Il2Error
from il2.knowledge.graph import Edge, Node

Record = dict[str, str | list[str]]  # a node or edge as attributes; empty ones are left out
Item = TypeVar("Item", Node, Edge)


@dataclass(frozen=True)
class Field:
    """name: of the field of `Node` or `Edge`. many: it is a list. needed: it is never empty."""

    name: str
    attribute: str
    many: bool = False
    needed: bool = False


NODE_FIELDS = (
    Field("id", "id", needed=True),
    Field("name", "name"),
    Field("kind", "il2_kind", needed=True),
    Field("synonyms", "synonym", many=True),
    Field("xrefs", "xref", many=True),
    Field("definition", "description"),
    Field("flag", "il2_flag"),
    Field("sources", "il2_source", many=True),
)
EDGE_FIELDS = (
    Field("id", "id", needed=True),
    Field("subject", "subject", needed=True),
    Field("predicate", "il2_predicate", needed=True),
    Field("object", "object", needed=True),
    Field("sources", "il2_source", many=True),
    Field("claim", "il2_claim"),
    Field("polarity", "il2_polarity"),
    Field("context", "il2_context"),
    Field("grade", "il2_grade"),
    Field("check", "il2_check"),
    Field("experiment", "il2_experiment"),
    Field("flag", "il2_flag"),
    Field("conflicts", "il2_conflict", many=True),
    Field("text", "description"),
)
# Attributes of Biolink and KGX that are computed when a graph is written, and not read back.
DERIVED = (
    "category", "publication_type", "predicate", "object_direction_qualifier", "knowledge_level", "agent_type",
    "primary_knowledge_source", "publications",
)  # fmt: skip
MANY = {f.attribute for f in (*NODE_FIELDS, *EDGE_FIELDS) if f.many} | {"category", "publication_type", "publications"}
EXTRA = 'Install the extra: pip install "il2[graph]".'


def restore(record: Mapping[str, Any], kind: type[Item], where: str) -> Item:
    """The node or edge of a record; what has the wrong type or is missing is an Il2Error."""
    fields: dict[str, Any] = {}
    for f in NODE_FIELDS if kind is Node else EDGE_FIELDS:
        value = record.get(f.attribute, [] if f.many else "")
        items = value if f.many else [value]
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise Il2Error(f"{f.attribute} is no {'list of texts' if f.many else 'text'}", where=where)
        fields[f.name] = tuple(items) if f.many else value
    return kind(**fields)


def library(name: str) -> Any:
    """A package of the extra `graph`, imported when it is needed."""
    try:
        return import_module(name)
    except ImportError:
        raise Il2Error(f"this format needs the package {name}", how=EXTRA) from None


_SHORT = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LONG = {escape: char for char, escape in _SHORT.items()}
_UNSAFE = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029|\\\\]")
_ESCAPE = re.compile(r"\\(?:[\\ntr]|u[0-9a-f]{4}|)")


def packed(items: Iterable[str]) -> str:
    """Texts in one line, `a|b`; bars, backslashes and control characters inside them are escaped."""
    return "|".join(_UNSAFE.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", item) for item in items)


def unpacked(text: str, where: str = "") -> list[str]:
    """The texts that `packed` made one line of."""

    def char(m: re.Match[str]) -> str:
        if m[0] == "\\":
            raise Il2Error("a backslash begins no escape", where=where, how=r"Write it as \\.")
        return _LONG.get(m[0]) or chr(int(m[0][2:], 16))

    return [_ESCAPE.sub(char, item) for item in text.split("|")] if text else []
