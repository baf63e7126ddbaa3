"""A card as text for the terminal and as Markdown; every line ends in its sources."""

from __future__ import annotations

from textwrap import fill

from il2.atlas.card import Card
from il2.atlas.line import Line
from il2.atlas.primer import paragraphs
from il2.knowledge.claim import SUBJECT
from il2.knowledge.source import ASSUMED, Source, source, sources

WIDTH = 110


def as_text(card: Card) -> str:
    """The card for a terminal, wrapped, without the page for newcomers."""
    out = [f"{card.name} ({card.kind})", *(f"warning: {w}" for w in card.warnings)]
    out += [fill(card.definition, WIDTH, break_on_hyphens=False)] if card.definition else []
    for section in card.sections:
        out += ["", section.title.upper()]
        out += [_wrapped(line) for line in section.lines]
    return "\n".join([*out, "", "REFERENCES", *(_wrapped_reference(name) for name in card.references)])


def _wrapped(line: Line) -> str:
    remark = f" ({line.remark})" if line.remark else ""
    return _filled(f"{line.text}{remark} [{_evidence(line)}]")


def _filled(text: str) -> str:
    return fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _evidence(line: Line) -> str:
    parts = [", ".join(line.claims), ", ".join(line.sources), line.status]
    return "; ".join(filter(None, parts))


def _wrapped_reference(name: str) -> str:
    s = source(name)
    return _filled(f"{s.id}: {s.citation.rstrip('.')}.{f' {s.url}' if s.url else ''}{_read(s)}")


def _read(s: Source) -> str:
    return "" if s.id == ASSUMED else f" ({s.read})"


def as_markdown(card: Card) -> str:
    """The card as Markdown; that of IL2 opens with the page for newcomers."""
    out = [f"# {card.name}", "", *(f"> {_plain(w)}" for w in card.warnings), _plain(card.definition), ""]
    if card.name == SUBJECT:
        out += ["## Read this first", "", primer_markdown(), ""]
    for section in card.sections:
        out += [f"## {section.title}", ""]
        out += [f"- {_plain(line.text)}{_remark(line)} [{_evidence(line)}]" for line in section.lines]
        out.append("")
    cited = {s for p in paragraphs() for s in p.sources} if card.name == SUBJECT else set()
    return (
        "\n".join([*out, "## References", "", *(_reference(n) for n in sources() if n in {*card.references, *cited})])
        + "\n"
    )


def primer_markdown() -> str:
    """The page for newcomers, each paragraph with what it rests on."""
    out: list[str] = []
    for p in paragraphs():
        out += [f"### {p.heading}", ""] if p.opens else []
        out += [f"{_plain(p.text)} [{', '.join(p.rests_on)}]", ""]
    return "\n".join(out).rstrip()


def _remark(line: Line) -> str:
    return f" *{_plain(line.remark)}*" if line.remark else ""


def _reference(name: str) -> str:
    s = source(name)
    place = f" <{s.url}>" if s.url.startswith("https://") else f" {s.url}" if s.url else ""
    return f"- **{s.id}**: {_plain(s.citation).rstrip('.')}.{place}{_read(s)}"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    for mark in "\\`*_<>[]|":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
