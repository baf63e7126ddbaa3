"""Drawings of links as SVG: a pathway in columns, and one thing between what acts on it and what it acts on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from il2.report.markup import Markup, Piece, tag

UP, DOWN, PLAIN = "#0072B2", "#D55E00", "#777777"  # of Okabe and Ito: safe for the colour-blind
WIDTH, GAP_X, ROW, PAD = 148, 56, 46, 12
LETTERS = 21  # of a box of that width
LINE = 15


@dataclass(frozen=True)
class Link:
    """sign: + raises, - lowers, empty neither; told: what a pointer over the line says."""

    start: str
    end: str
    sign: str
    told: str


def columns(links: Sequence[Link]) -> dict[str, int]:
    """Column of every name: one past the longest chain that leads to it; a start stands beside what it leads to."""
    names = list(dict.fromkeys(n for link in links for n in (link.start, link.end)))
    depth = dict.fromkeys(names, 0)
    for _ in names:
        for link in links:
            depth[link.end] = max(depth[link.end], depth[link.start] + 1)
    for name in names:
        if not any(link.end == name for link in links):
            depth[name] = min(depth[link.end] for link in links if link.start == name) - 1
    return depth


def pathway(links: Sequence[Link], title: str) -> Markup:
    """Links between boxes in columns, from left to right; the links must not run in a circle."""
    key = "pathway"
    column = columns(links)
    by_column: dict[int, list[str]] = {}
    for name, n in column.items():
        by_column.setdefault(n, []).append(name)
    height = max(len(names) for names in by_column.values()) * (ROW + PAD) + PAD
    place = {
        name: (PAD + n * (WIDTH + GAP_X), (i + 0.5) * height / len(names))
        for n, names in by_column.items()
        for i, name in enumerate(names)
    }
    lines = [_curve(link, place[link.start], place[link.end], key) for link in links]
    boxes = [_box(name, *place[name]) for name in place]
    width = PAD * 2 + (max(by_column) + 1) * (WIDTH + GAP_X) - GAP_X
    return _drawing(width, height, title, [lines, boxes], key)


def around(name: str, before: Mapping[str, Sequence[Link]], after: Mapping[str, Sequence[Link]], title: str) -> Markup:
    """A name in the middle; left the links that end in it, right those that start from it, in groups with headings."""
    key = "around"
    sides = [_rows(before, lambda link: link.start), _rows(after, lambda link: link.end)]
    height = max(len(rows) for rows in sides) * LINE + 2 * PAD
    left, middle, right = 250, 400, 550
    parts: list[Piece] = []
    for rows, x, anchor, near in ((sides[0], left, "end", middle - 50), (sides[1], right, "start", middle + 50)):
        top = (height - len(rows) * LINE) / 2 + LINE
        for n, (text, link) in enumerate(rows):
            y = top + n * LINE
            if link is None:
                parts.append(tag("text", text, x=f"{x}", y=f"{y:.0f}", text_anchor=anchor, font_weight="bold"))
                continue
            edge = x + (4 if anchor == "end" else -4)
            bend = (edge + near) / 2
            path = f"M{edge} {y - 4:.0f} C{bend} {y - 4:.0f} {bend} {height / 2:.0f} {near} {height / 2:.0f}"
            parts.append(tag("path", tag("title", link.told), d=path, **_stroke(link.sign, key)))
            parts.append(tag("text", _short(text), tag("title", link.told), x=f"{x}", y=f"{y:.0f}", text_anchor=anchor))
    parts.append(_box(name, middle - WIDTH / 2, height / 2))
    return _drawing(800, height, title, parts, key)


def _rows(groups: Mapping[str, Sequence[Link]], end) -> list[tuple[str, Link | None]]:
    rows: list[tuple[str, Link | None]] = []
    for heading, links in groups.items():
        rows += [(heading, None), *((end(link), link) for link in links)]
    return rows


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _drawing(width: float, height: float, title: str, parts: Iterable[Piece], key: str) -> Markup:
    """The whole drawing; key: what the ids of its arrowheads begin with, for a page may hold several."""
    arrows = [
        tag("marker", tag("path", d="M0 0 L8 4 L0 8 z", fill=UP), id=f"{key}-up", **_marker()),
        tag("marker", tag("path", d="M4 0 L4 8", stroke=DOWN, stroke_width="2"), id=f"{key}-down", **_marker()),
        tag("marker", tag("path", d="M0 0 L8 4 L0 8 z", fill=PLAIN), id=f"{key}-plain", **_marker()),
    ]
    return tag(
        "svg", tag("title", title), tag("defs", arrows), list(parts), xmlns="http://www.w3.org/2000/svg", role="img",
        viewBox=f"0 0 {width:.0f} {height:.0f}", style=f"min-width:{width:.0f}px", font_size="12",
        font_family="system-ui, sans-serif",
    )  # fmt: skip


def _marker() -> dict[str, str]:
    return {"viewBox": "0 0 8 8", "refX": "7", "refY": "4", "markerWidth": "8", "markerHeight": "8", "orient": "auto"}


def _stroke(sign: str, key: str) -> dict[str, str]:
    colour, marker = {"+": (UP, "up"), "-": (DOWN, "down")}.get(sign, (PLAIN, "plain"))
    look = {
        "stroke": colour,
        "fill": "none",
        "stroke_width": "1.3",
        "stroke_opacity": "0.75",
        "marker_end": f"url(#{key}-{marker})",
    }
    return look | ({"stroke_dasharray": "5 3"} if sign == "-" else {})


def _curve(link: Link, a: tuple[float, float], b: tuple[float, float], key: str) -> Markup:
    x1, y1, x2, y2 = a[0] + WIDTH, a[1], b[0], b[1]
    bend = (x1 + x2) / 2
    path = f"M{x1:.0f} {y1:.0f} C{bend:.0f} {y1:.0f} {bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return tag("path", tag("title", link.told), d=path, **_stroke(link.sign, key))


def _box(name: str, x: float, y: float) -> Markup:
    lines = wrap(name, LETTERS) or [name]
    high = LINE * len(lines) + 10
    shape = tag(
        "rect", x=f"{x:.0f}", y=f"{y - high / 2:.0f}", width=f"{WIDTH}", height=f"{high}", rx="6", fill="#ffffff",
        stroke="#333333",
    )  # fmt: skip
    first = y - (len(lines) - 1) * LINE / 2 + 4
    texts = [
        tag("text", line, x=f"{x + WIDTH / 2:.0f}", y=f"{first + i * LINE:.0f}", text_anchor="middle")
        for i, line in enumerate(lines)
    ]
    return tag("g", shape, texts)
