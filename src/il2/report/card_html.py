"""A card as one HTML page: contents, page for newcomers, pathway, graph, sections, references; all text is escaped."""

from __future__ import annotations

import re
from itertools import groupby

from il2.atlas.card import Card
from il2.atlas.line import Line
from il2.atlas.primer import paragraphs
from il2.knowledge.claim import SUBJECT, claims
from il2.knowledge.entity import entities
from il2.knowledge.graph import SOURCE, STRUCTURE, VALUE, edges, nodes
from il2.knowledge.table import keyed, rows
from il2.report.evidence import Sources
from il2.report.markup import Markup, Piece, tag
from il2.report.page import page, section
from il2.report.svg import Link, around
from il2.report.svg import pathway as drawn

NEWCOMERS, PATHWAY, GRAPH, REFERENCES = "Read this first", "Pathway", "Knowledge graph", "References"
LEGEND = (
    "Blue arrows raise or activate, dashed orange lines lower or block, grey ones have no stated sign. "
    "Rest the pointer on a line to see who says so."
)
SIGNS = {
    "blocks": "-",
    "represses": "-",
    "suppresses": "-",
    "activates": "+",
    "binds": "+",
    "engages": "+",
    "makes": "+",
}


def as_html(card: Card) -> str:
    """The page; that of IL2 opens with the page for newcomers and the pathway."""
    sources = Sources()
    parts: dict[str, Piece] = {}
    if card.name == SUBJECT:
        parts[NEWCOMERS] = _newcomers(sources)
        parts[PATHWAY] = _pathway()
    parts |= {s.title: tag("ul", [_line(line, sources) for line in s.lines], class_="lines") for s in card.sections}
    if graph := _graph(card.name):
        parts[GRAPH] = graph
    parts[REFERENCES] = sources.listing([])
    head = tag(
        "header", tag("h1", card.name), *(_warning(w) for w in card.warnings), tag("p", card.definition, class_="lede")
    )
    links = [tag("li", tag("a", title, href=f"#{_anchor(title)}")) for title in parts]
    contents = tag("nav", tag("ul", links), aria_label="Contents", class_="contents")
    body = [head, contents, *(section(t, content, anchor=_anchor(t)) for t, content in parts.items()), _foot()]
    return page(f"{card.name}: what is known, and who says so", body)


def _foot() -> Markup:
    text = (
        "Assembled by il2 from its tables; flagged statements are kept as stated and never used. For research use only."
    )
    return tag("footer", tag("p", text))


def _warning(text: str) -> Markup:
    return tag("p", tag("strong", "Beware: "), text)


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.casefold()).strip("-")


def _line(line: Line, sources: Sources) -> Markup:
    remark = tag("div", line.remark, class_="note") if line.remark else ""
    said = [
        piece for c in line.claims for piece in (", ", tag("span", c, title=claims()[c].statement, class_="claim"))
    ][1:]
    state = [" ", tag("span", line.status, class_="status")] if line.status else []
    return tag("li", line.text, " ", tag("span", said), " " if said else "", sources.cite(line.sources), *state, remark)


def _newcomers(sources: Sources) -> list[Markup]:
    out = []
    for heading, group in groupby(paragraphs(), key=lambda p: p.heading):
        out.append(tag("h3", heading))
        for p in group:
            out.append(
                tag("p", p.text, " ", tag("span", ", ".join(p.rests_on), class_="claim"), " ", sources.cite(p.sources))
            )
    return out


def _pathway() -> list[Markup]:
    links = [
        Link(
            r["start"],
            r["end"],
            SIGNS.get(r["label"].split()[0], ""),
            f"{r['start']} {r['label']} {r['end']} [{r['claims'].replace(';', ', ')}]",
        )
        for r in rows("pathway")
    ]
    told = [tag("li", link.told) for link in links]
    wide = tag("div", drawn(links, "Pathway of IL-2"), class_="wide", tabindex="0", role="region", aria_label=PATHWAY)
    words = tag("details", tag("summary", "The pathway in words"), tag("ul", told))
    return [tag("p", LEGEND), wide, words]


def _graph(name: str) -> list[Markup]:
    """What acts on an entity and what it acts on, by the kind of the other."""
    own = entities()[name].id
    sides: tuple[dict[str, list[Link]], dict[str, list[Link]]] = ({}, {})
    seen = set()
    for e in edges():
        if own not in (e.subject, e.object) or e.subject == e.object or e.predicate in STRUCTURE:
            continue
        other = nodes()[e.object if e.subject == own else e.subject]
        side = int(e.subject == own)
        if other.kind in (VALUE, SOURCE) or (key := (other.id, side)) in seen:
            continue
        seen.add(key)
        label = keyed("predicates", "name")[e.predicate]["label"]
        said = f"[{e.claim or ', '.join(e.sources)}]{' ' + e.flag if e.flag else ''}"
        told = f"{nodes()[e.subject].name} {label} {nodes()[e.object].name} {said}"
        heading = keyed("kinds", "kind")[other.kind]["label"]
        link = Link(nodes()[e.subject].name, nodes()[e.object].name, e.polarity, told)
        sides[side].setdefault(heading, []).append(link)
    if not any(sides):
        return []
    before, after = (
        {k: sorted(v, key=lambda link: (link.start, link.end)) for k, v in sorted(side.items())} for side in sides
    )
    drawing = around(name, before, after, f"Statements about {name}")
    wide = tag("div", drawing, class_="wide", tabindex="0", role="region", aria_label=GRAPH)
    return [tag("p", f"Left what is said to act on {name}, right what it is said to act on. {LEGEND}"), wide]
