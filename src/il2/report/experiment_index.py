"""The page that lists all experiments: verdict, origin, grade and claims of each, and how many there are of which."""

from __future__ import annotations

from collections.abc import Sequence

from il2.experiments.result import Result
from il2.experiments.tally import Tally
from il2.knowledge.planned import plan
from il2.report.experiment_words import RESEARCH_USE, badge, meanings
from il2.report.markup import Markup, Piece, table, tag
from il2.report.page import page

INDEX, TITLE = "index.html", "Virtual experiments"
STALE = "Recorded with other code or numbers: {}. il2 experiments --run computes them anew."


def file_name(name: str) -> str:
    """The file of the page of an experiment."""
    return f"{name}.html"


def index_html(results: Sequence[Result], counts: Tally, stale: Sequence[str] = ()) -> str:
    """A self-contained page with a row for each result; stale: ids of experiments whose verdict is older than the
    code."""
    header = ["Id", "Title", "Layer", "Verdict", "Origin", "Weakest grade", "Claims"]
    body = [
        tag("header", tag("h1", TITLE), tag("p", counts.text, class_="lede")),
        meanings(),
        *([tag("div", STALE.format(", ".join(stale)), class_="notice")] if stale else []),
        table("All experiments", header, [_row(r) for r in results]),
        tag("footer", tag("p", tag("strong", RESEARCH_USE))),
    ]
    return page(TITLE, body)


def _row(r: Result) -> tuple[Piece, ...]:
    address = file_name(r.experiment)
    links: list[Markup | str] = [tag("a", c.id, href=f"{address}#{c.id}", class_="whole") for c in r.claims]
    claims = [piece for link in links for piece in (", ", link)][1:]
    title = [tag("a", r.title, href=address), tag("div", r.question, class_="note") if r.question else ""]
    layers = ", ".join(plan(r.experiment).layers)
    counted = f"{len(r.claims)}: "
    return (
        tag("a", r.experiment, href=address), title, layers, badge(r.verdict), r.origin or "–",
        r.weakest_grade or "–", [counted, tag("span", claims, class_="claim")],
    )  # fmt: skip
