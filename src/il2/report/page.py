"""A page that needs nothing else: one HTML file with its style inside, in which every text is escaped."""

from __future__ import annotations

from importlib.resources import files

from il2.report.markup import Markup, Piece, tag, void


def page(title: str, body: Piece) -> str:
    """A whole page; it loads nothing."""
    style = (files("il2.report") / "templates" / "page.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        void("meta", charset="utf-8"),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    return "<!DOCTYPE html>\n" + tag("html", head, tag("body", tag("main", body)), lang="en") + "\n"


def section(title: str, *content: Piece, anchor: str = "") -> Markup:
    """A section with its heading; anchor: the id that a link jumps to."""
    return tag("section", tag("h2", title), *content, **({"id": anchor} if anchor else {}))
