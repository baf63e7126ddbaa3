"""The knowledge graph as KGX: tables of nodes and edges, tab-separated and as JSON Lines, in the words of Biolink.

In the tab-separated form lists are `a|b`, and a bar, a backslash or a control character inside a text is escaped
with a backslash, so that a row is one line and every text is read back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from il2.errors import Il2Error
from il2.files import write_text
from il2.formats.biolink import check, records
from il2.formats.graph_fields import DERIVED, EDGE_FIELDS, MANY, NODE_FIELDS, Item, Record, packed, restore, unpacked
from il2.knowledge.graph import Edge, Node

FORMS = ("jsonl", "tsv")
LARGEST_MB = 200


def write(folder: Path, nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[Path, ...]:
    """Write nodes and edges as TSV and JSON Lines into a folder, which is made; the paths of the four files."""
    tables = dict(zip(("nodes", "edges"), records(nodes, edges), strict=True))
    own = {"nodes": NODE_FIELDS, "edges": EDGE_FIELDS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Il2Error(f"cannot be made: {error.strerror}", where=str(folder), how="Choose another folder.") from error
    paths = []
    for name, table in tables.items():
        columns = [*(f.attribute for f in own[name]), *(d for d in DERIVED if any(d in row for row in table))]
        for form, text in (("tsv", _tsv(table, columns)), ("jsonl", _jsonl(table))):
            write_text(paths_of(folder, form)[name], text)
            paths.append(paths_of(folder, form)[name])
    return tuple(paths)


def read(folder: Path, form: str = "") -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """The nodes and edges that `write` wrote, equal to those. form: `jsonl` or `tsv`; the first that is there."""
    if form and form not in FORMS:
        raise Il2Error(f"unknown form {form!r}", how="Choose jsonl or tsv.")
    found = [f for f in ((form,) if form else FORMS) if all(p.exists() for p in paths_of(folder, f).values())]
    if not found:
        raise Il2Error(
            "no KGX files are here", where=str(folder), why="nodes and edges, as .jsonl or as .tsv, are needed"
        )
    paths = paths_of(folder, found[0])
    rows = _jsonl_rows if found[0] == "jsonl" else _tsv_rows
    nodes, at = _items(rows(paths["nodes"]), Node)
    edges, edges_at = _items(rows(paths["edges"]), Edge)
    check(nodes, edges, at, edges_at)
    return tuple(nodes), tuple(edges)


def paths_of(folder: Path, form: str) -> dict[str, Path]:
    """The files of one form."""
    return {name: folder / f"{name}.{form}" for name in ("nodes", "edges")}


def _tsv(table: Sequence[Record], columns: Sequence[str]) -> str:
    rows = [[_cell(row.get(c, "")) for c in columns] for row in table]
    return "".join("\t".join(row) + "\n" for row in [list(columns), *rows])


def _cell(value: str | list[str]) -> str:
    return packed(value if isinstance(value, list) else [value])


def _jsonl(table: Sequence[Record]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table)


def _items(rows: Iterator[tuple[str, dict[str, Any]]], kind: type[Item]) -> tuple[list[Item], list[str]]:
    """The items of a table, and where each stands."""
    found = [(restore(row, kind, where), where) for where, row in rows]
    return [item for item, _ in found], [where for _, where in found]


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Lines of a UTF-8 file, with `file:line`; the last one has to be whole."""
    try:
        size = path.stat().st_size / 1e6
        if size > LARGEST_MB:
            raise Il2Error(f"{size:.0f} MB is too large", where=str(path), why=f"the largest read is {LARGEST_MB} MB")
        data = path.read_bytes()
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(path)) from error
    *whole, rest = data.split(b"\n")
    if rest:
        raise Il2Error("the last line has no end", where=f"{path}:{len(whole) + 1}", why="the file was cut off")
    for n, line in enumerate(whole, start=1):
        try:
            yield f"{path}:{n}", line.decode()
        except UnicodeDecodeError as error:
            raise Il2Error(f"is not UTF-8 text: {error.reason}", where=f"{path}:{n}") from error


def _jsonl_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, line in _lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Il2Error(f"is no JSON: {error}", where=where) from error
        if not isinstance(row, dict):
            raise Il2Error("is no JSON object", where=where)
        yield where, row


def _tsv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = _lines(path)
    columns = next(lines, ("", ""))[1].split("\t")
    if "id" not in columns or len(set(columns)) < len(columns):
        raise Il2Error("the header has no column id, or names a column twice", where=f"{path}:1")
    for where, line in lines:
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise Il2Error(f"{len(cells)} fields, and the header has {len(columns)}", where=where)
        row: dict[str, Any] = {}
        for column, cell in zip(columns, cells, strict=True):
            items = unpacked(cell, where)
            if column not in MANY and len(items) > 1:
                raise Il2Error(f"{column} is a list", where=where, how=r"Write a bar inside a text as \u007c.")
            row[column] = items if column in MANY else "".join(items)
        yield where, row
