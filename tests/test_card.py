"""Cards and references: every line ends in its sources, all are listed, and pages hold together without the net."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

import il2
from il2.atlas.card import Card, card, section_of
from il2.atlas.cite import cite, form, year
from il2.atlas.explain import explain
from il2.atlas.line import Line
from il2.atlas.primer import paragraphs
from il2.cli import cite as _cite  # noqa: F401  adds its verb
from il2.cli import gene as _gene  # noqa: F401  adds its verb
from il2.cli.app import app
from il2.knowledge.claim import claims
from il2.knowledge.conflict import conflicts
from il2.knowledge.entity import entities
from il2.knowledge.source import sources
from il2.knowledge.table import rows
from il2.report.card_html import as_html
from il2.report.card_text import as_markdown, as_text
from il2.report.svg import Link, columns, pathway

VOID = {"meta", "img", "wbr"}
CHOSEN = ("IL2", "IL2RA", "aldesleukin", "regulatory T cell", "daclizumab", "calcitriol", "STAT5", "ADAD1")
KEPT_APART = ("wrong", "doubtful", "disputed", "outdated", "inferred", "corrupt", "unverified")  # flags
DOUBT = re.compile(r"doubt|disput|outdated|inferred|wrong|corrupt|verified|in question", re.IGNORECASE)


def run(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.stdout


def lines(found: Card, title: str = "") -> list[Line]:
    return [line for s in found.sections if title in ("", s.title) for line in s.lines]


def said(found: Card, title: str = "") -> str:
    return "\n".join(f"{line.text} {line.remark}" for line in lines(found, title))


class Page(HTMLParser):
    """Ids, links and text of a page whose tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.used: set[str] = set()
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        table = {name: value or "" for name, value in attrs}
        self.open += [] if tag in VOID else [tag]
        self.ids += [table["id"]] if "id" in table else []
        self.links += [table["href"]] if tag == "a" else []
        self.loads += [value for name, value in table.items() if name in ("src", "srcset", "data", "xlink:href")]
        self.loads += [table["href"]] if "href" in table and tag != "a" else []
        self.loads += [tag] if tag in ("script", "iframe", "link", "object", "embed", "base") else []
        self.used |= {found for value in table.values() for found in re.findall(r"url\(#([\w-]+)\)", value)}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("chunk", range(4))
def test_every_line_of_every_card_ends_in_known_sources_that_are_listed(chunk):
    for name in list(entities())[chunk::4]:
        found = card(name)
        for line in lines(found):
            assert line.text and line.sources and set(line.sources) <= set(sources()), (name, line)
            assert {claims()[c].document for c in line.claims} <= set(line.sources), (name, line)
            assert bool(line.status) <= bool(line.claims)
        assert set(found.references) == {s for line in lines(found) for s in line.sources}


@pytest.mark.parametrize("name", CHOSEN)
def test_text_and_markdown_say_every_line_with_its_evidence(name):
    found = card(name)
    text, markdown = (" ".join(t.split()) for t in (as_text(found), as_markdown(found)))
    for line in lines(found):
        evidence = "; ".join(filter(None, (", ".join(line.claims), ", ".join(line.sources), line.status)))
        assert f"[{evidence}]" in text and f"[{evidence}]" in markdown, line
        assert " ".join(line.text.split()) in text
    listed = {row.split(":")[0].strip() for row in as_text(found).split("REFERENCES\n")[1].splitlines() if ": " in row}
    assert set(found.references) <= listed
    assert set(found.references) <= set(re.findall(r"^- \*\*(\w+)\*\*: ", as_markdown(found), re.MULTILINE))
    assert all(len(row) <= 110 or "http" in row for row in as_text(found).splitlines())


@pytest.mark.parametrize("name", CHOSEN)
def test_the_page_is_whole_and_loads_nothing(name):
    text = as_html(card(name))
    page = Page(text)
    assert len(page.ids) == len(set(page.ids)) and not page.loads
    assert {link[1:] for link in page.links if link.startswith("#")} | page.used <= set(page.ids)
    assert all(link.startswith(("#", "https://")) for link in page.links)
    assert "@import" not in text and "url(http" not in text
    cited = {s for line in lines(card(name)) for s in line.sources} - {"assumed"}
    assert {f"source-{s}" for s in cited} <= set(page.ids)
    for line in lines(card(name)):
        assert line.text in page.text, line


def test_every_page_can_be_written():
    for name in list(entities())[::7]:
        page = Page(as_html(card(name)))
        assert len(page.ids) == len(set(page.ids)) and not page.loads, name
        assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids), name


def test_hostile_text_is_escaped():
    link = Link("<b>&", '"x"', "+", "</title><script>")
    assert "<script>" not in pathway([link], "<i>") and "<b>" not in pathway([link], "<i>")
    assert columns([Link("a", "b", "", ""), Link("b", "c", "", ""), Link("d", "c", "", "")]) == {
        "a": 0, "b": 1, "c": 2, "d": 1,
    }  # fmt: skip


def test_the_location_of_the_gene_shows_who_said_which_band_and_why_one_is_taken():
    shown = next(line for line in lines(card("IL2"), "Location") if line.text.startswith("C01"))
    assert "Canonical: 4q27" in shown.text and "GRCh38" in shown.remark
    for band, claim in (("4q26", "S000-004"), ("4q27", "S001-019"), ("4q26-q27", "S001-061")):
        assert re.search(rf"{band} \[{claim} {claims()[claim].document}", shown.text), band
    assert "band 4q27" in said(card("IL2"), "Location")
    text = " ".join(run("gene").split("LOCATION")[1].split("NEIGHBOURS")[0].split())
    assert "4q26 [S000-004 scidex_il2]" in text and "Canonical: 4q27" in text


@pytest.mark.parametrize("conflict", conflicts())
def test_a_conflict_stands_on_the_card_of_everything_that_it_is_about(conflict):
    c = conflicts()[conflict]
    for name in c.about:
        (line,) = [line for line in lines(card(name)) if line.text.startswith(f"{c.id} ")]
        assert c.canonical in line.text and c.reason in line.remark, name
        assert all(p.text in line.text for p in c.positions) and all(i in line.text for i in c.claims), name


def test_the_card_of_the_gene_holds_every_claim_and_computed_masses():
    found = card()
    assert found.name == "IL2" and {c for line in lines(found) for c in line.claims} == set(claims())
    made = said(found, "Transcript and protein")
    assert re.search(r"133 residues, 15\.4\d kDa", made) and re.search(r"153 residues, 17\.6\d kDa", made)
    assert "15.4" in run("gene") and "462 nt" in made
    assert {row["title"] for row in rows("sections")} >= {section_of(c) for c in claims().values()}


def test_flagged_statements_say_so_on_the_card():
    for line in lines(card()):
        for c in line.claims if not line.text.startswith("E") else ():
            assert f"Flagged as {claims()[c].flag}." in line.remark or not claims()[c].flag, c


def test_cards_of_other_entities_answer_to_their_names():
    assert card("CD25") == card("IL2RA") and card("Treg").name == "regulatory T cell"
    drug = card("Proleukin")
    assert (drug.name, drug.kind) == ("aldesleukin", "drug") and "C12" in said(drug)
    assert "NCBI Gene 3559" in card("3559").warnings[0] and "NCBIGene:3559" in said(card("IL2RA"))
    assert "KD_IL2_IL2RA = " in said(card("IL2RA"), "Numbers of the model")
    assert "E12" in said(card("IL2RA"), "What a simulation shows")
    for name in ("IL2RA", "aldesleukin", "regulatory T cell"):
        assert run("gene", name).startswith(f"{name} (")


def test_the_card_is_written_in_four_forms(tmp_path):
    (record,) = json.loads(run("gene", "CD25", "--format", "json"))
    assert record["name"] == "IL2RA" and record["references"] == list(card("CD25").references)
    assert all(line["sources"] for s in record["sections"] for line in s["lines"])
    for ending, start in (("md", "# IL2RA"), ("html", "<!DOCTYPE html>"), ("json", "["), ("txt", "IL2RA (gene)")):
        run("gene", "IL2RA", "--out", str(tmp_path / f"a.{ending}"))
        assert (tmp_path / f"a.{ending}").read_text("utf-8").startswith(start)
    with pytest.raises(il2.Il2Error, match="unknown ending"):
        CliRunner().invoke(app, ["gene", "--out", str(tmp_path / "a.pdf")], catch_exceptions=False)


def test_the_page_for_newcomers_opens_the_card_of_the_gene():
    page = Page(as_html(card()))
    markdown = as_markdown(card())
    assert page.text.index("Read this first") < page.text.index("Names and identity")
    for p in paragraphs():
        assert p.text in page.text and p.heading in markdown
        assert all(f"**{s}**" in markdown for s in p.sources)
    assert "Read this first" not in as_html(card("IL2RA")) and page.ids.index("pathway") > 0
    assert len({p.heading for p in paragraphs()}) == sum(p.opens for p in paragraphs())


def test_paragraphs_for_newcomers_rest_on_rows_and_take_no_flagged_claim_without_a_word_of_doubt():
    assert len(paragraphs()) > 10
    for p in paragraphs():
        assert p.rests_on and p.sources and set(p.sources) <= set(sources()), p.text
        flagged = [i for i in p.rests_on if i in claims() and claims()[i].flag in KEPT_APART]
        assert not flagged or DOUBT.search(p.text), (flagged, p.text)


def entries(text: str) -> dict[str, dict[str, str]]:
    """Entries of BibTeX by key; every line of one is a closed field, and braces are balanced."""
    found = {}
    for key, body in re.findall(r"@misc\{(\w+),\n(.*?)\n\}", text, re.DOTALL):
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},?$", body, re.MULTILINE))
        assert len(fields) == len(body.splitlines()) and all(v.count("{") == v.count("}") for v in fields.values())
        found[key] = fields
    assert len(found) == text.count("@misc")
    return found


@pytest.mark.parametrize("term", ["S000-050", "IL2", "response-IL2", "Proleukin", "E12", "ligand_association_rate", ""])
def test_references_are_of_what_was_used_in_three_forms(term):
    used = {s for e in explain(term) for f in e.facts for s in f.sources} if term else set(sources())
    wanted = used - {"assumed"}
    assert {s.id for s in cite(term)} == wanted != set()
    words = ("cite", term) if term else ("cite",)
    assert {line.split(":")[0] for line in run(*words).splitlines()} == wanted
    bibtex = entries(run(*words, "--format", "bibtex"))
    records = {r["id"]: r for r in json.loads(run(*words, "--format", "json"))}
    assert set(bibtex) == set(records) == wanted
    for name in wanted:
        assert records[name]["type"] and records[name]["title"] == sources()[name].citation and bibtex[name]["title"]
        assert records[name].get("DOI", "") == bibtex[name].get("doi", "") == sources()[name].doi
        assert bibtex[name].get("year", "") == year(sources()[name])


def test_the_year_of_a_reference_is_neither_a_page_nor_that_of_another():
    years = {"koreth2011": "2011", "soper2007": "2007", "ghr_il2": "2016", "scidex_il2": "", "vendor_il2": ""}
    assert {name: year(sources()[name]) for name in years} == years
    assert "{2011}" in form([sources()["koreth2011"]], "bibtex")


def test_references_of_a_report_are_those_that_it_lists(tmp_path):
    command = [sys.executable, "-m", "il2", "respond", "--cells", "NK", "--report", "x.html"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    report = tmp_path / "x.html"
    listed = re.findall(r'<li id="source-(\w+)"', report.read_text("utf-8"))
    assert [s.id for s in cite(str(report))] == sorted(listed) and "farhat2021" in listed and "assumed" not in listed
    (tmp_path / "empty.html").write_text("<p>nothing</p>")
    for name, message in (("x.csv", "--report"), ("empty.html", "names no source"), ("none.html", "cannot be read")):
        with pytest.raises(il2.Il2Error) as refused:
            cite(str(tmp_path / name))
        assert message in str(refused.value)
