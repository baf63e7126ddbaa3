"""HTML from nested calls: text is escaped unless it came from `tag`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


class Markup(str):
    """Text that is HTML already; only `tag` and constants of this package make it."""

    __slots__ = ()


Piece = str | Markup | Iterable


def tag(name: str, /, *children: Piece, **attributes: str | bool) -> Markup:
    """`tag("a", "text", href="#x")`. Children are text, markup, or lists of them; `class_` stands for class."""
    shown = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_escaped(str(value))}"')
        for key, value in attributes.items()
        if value is not False
    )
    return Markup(f"<{name}{shown}>{html(children)}</{name}>")


def void(name: str, /, **attributes: str) -> Markup:
    """An element without content, such as an image."""
    return Markup(tag(name, **attributes).removesuffix(f"</{name}>"))


def html(piece: Piece) -> str:
    """One string of markup."""
    if isinstance(piece, Markup):
        return piece
    if isinstance(piece, str):
        return _escaped(piece)
    return "".join(map(html, piece))


def _escaped(text: str) -> str:
    """Text for HTML; what cannot be printed, such as half a surrogate pair, becomes the replacement character."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text))


def table(caption: str, header: Sequence[str], body: Iterable[Sequence[Piece]], numbers: Iterable[int] = ()) -> Markup:
    """A table that scrolls by itself on a narrow screen; columns in `numbers` are set flush right."""
    right = set(numbers)

    def cell(kind: str, n: int, piece: Piece, scope: str) -> Markup:
        look = {"class_": "number"} if n in right else {}
        return tag(kind, piece, **look, **({"scope": scope} if scope else {}))

    head = tag("tr", [cell("th", n, text, "col") for n, text in enumerate(header)])
    rows = [
        tag("tr", [cell("td" if n else "th", n, piece, "" if n else "row") for n, piece in enumerate(row)])
        for row in body
    ]
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", rows))
    return tag("div", whole, class_="wide", tabindex="0", role="region", aria_label=caption)
