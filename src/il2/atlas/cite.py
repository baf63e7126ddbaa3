"""References of exactly what was used: of a run, an experiment, a claim, an entity, a number or a model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from il2.atlas.explain import explain
from il2.errors import Il2Error
from il2.knowledge.source import ASSUMED, Source, source, sources

_USED = re.compile(r'id="source-([A-Za-z0-9_]+)"')
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_DATE = re.compile(r"\b((?:19|20)\d\d)-\d\d-\d\d\b")
_KINDS = {"article": "article-journal", "repository": "dataset", "database": "dataset", "document": "webpage"}


def cite(what: str = "") -> list[Source]:
    """Sources of a report file or a term, in the order of their ids; without a term, the package itself and all.

    A file is an HTML report of `il2 respond`. Assumptions are no sources and are left out.
    """
    if not what:
        return _known(sources())
    path = Path(what)
    if path.suffix.lower() in (".html", ".htm"):
        return _known(_USED.findall(_text(path)))
    if path.suffix.lower() in (".csv", ".parquet", ".png", ".svg"):
        raise Il2Error("holds no references", where=what, how="Give the HTML report of the run (--report).")
    return _known(name for one in explain(what) for fact in one.facts for name in fact.sources)


def _text(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise Il2Error(f"cannot be read: {why}", where=str(path), how="Give a report of il2 respond.") from error
    if not _USED.search(text):
        raise Il2Error("is no report of il2: it names no source", where=str(path))
    return text


def _known(names: Iterable[str]) -> list[Source]:
    found = {name: source(name) for name in names if name != ASSUMED}
    return [found[name] for name in sorted(found)]


def form(found: Iterable[Source], style: str) -> str:
    """Sources as text, bibtex or json (CSL-JSON); what a source does not record is left out, not invented."""
    if style == "bibtex":
        return "\n".join(map(_bibtex, found))
    if style == "json":
        return json.dumps([_csl(s) for s in found], indent=1, ensure_ascii=False)
    return "\n".join(f"{s.id}: {s.citation.rstrip('.')}. {s.url}".rstrip() + f" ({s.read})" for s in found)


def year(s: Source) -> str:
    """The first year that the citation of an article names, as later ones may be pages; of the rest that of a date."""
    found = (_YEAR if s.kind == "article" else _DATE).findall(s.citation)
    return found[0] if found else ""


def _bibtex(s: Source) -> str:
    fields = {"title": _escaped(s.citation), "year": year(s), "doi": s.doi, "url": s.url, "annote": s.read}
    lines = [f"  {key} = {{{value}}}" for key, value in fields.items() if value]
    return "\n".join((f"@misc{{{s.id},", ",\n".join(lines), "}"))


def _escaped(text: str) -> str:
    return re.sub(r"([{}&%#_$])", r"\\\1", text.replace("\\", ""))


def _csl(s: Source) -> dict[str, object]:
    record: dict[str, object] = {"id": s.id, "type": _KINDS.get(s.kind, "document"), "title": s.citation}
    if year(s):
        record["issued"] = {"date-parts": [[int(year(s))]]}
    return (
        record
        | {key: value for key, value in (("DOI", s.doi), ("PMID", s.pmid), ("URL", s.url)) if value}
        | {"note": s.read}
    )
