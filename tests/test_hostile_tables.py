"""Broken tables are one finding with file and line, never a traceback; hostile text stays text on the page."""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from il2.atlas.card import Card, Section
from il2.atlas.line import Line
from il2.atlas.lint import lint
from il2.atlas.primer import Paragraph
from il2.knowledge import source
from il2.knowledge.claim import claims
from il2.knowledge.source import Source
from il2.knowledge.table import tables_folder
from il2.report import card_html
from il2.report.card_html import as_html
from il2.report.svg import Link, around

TAGS = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'><svg onload=alert(1)>", "</style></title><b>")
HOSTILE = "".join(TAGS)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(tables_folder(), tmp_path / "t")


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def missing(path):
    path.unlink()


def a_folder(path):
    path.unlink()
    path.mkdir()


def empty(path):
    path.write_bytes(b"")


def header_alone(path):
    path.write_text(lines_of(path)[0])


def column_twice(path):
    header, *rest = lines_of(path)
    path.write_text("".join([header.replace("note", "flag"), *rest]))


def column_gone(path):
    with path.open(newline="", encoding="utf-8") as file:
        table = [[text for n, text in enumerate(row) if n != 9] for row in csv.reader(file)]  # 9 is `check`
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)


def row_too_long(path):
    table = lines_of(path)
    table[3] = table[3].rstrip("\n") + ",more\n"
    path.write_text("".join(table))


def row_too_short(path):
    table = lines_of(path)
    table[3] = "S000-003,scidex_il2\n"
    path.write_text("".join(table))


def not_utf8(path):
    table = path.read_bytes().split(b"\n")
    table[3] = table[3].replace(b"NCBI", b"NCB\xff")
    path.write_bytes(b"\n".join(table))


def of_100_MB(path):
    with path.open("r+b") as file:
        file.truncate(100_000_000)


def open_quote(path):
    table = lines_of(path)
    path.write_text("".join([*table[:-1], 'S999-001,"open\n']))


def text_after_a_quote(path):
    table = lines_of(path)
    table[3] = '"S000-003"x' + table[3].removeprefix("S000-003")
    path.write_text("".join(table))


def huge_field(path):
    table = lines_of(path)
    table[3] = table[3].replace("scidex_il2", "x" * 200_000)
    path.write_text("".join(table))


UNREADABLE = [  # what is done to claims.csv, end of the place, and a word of the reason
    (missing, "claims.csv", "missing"),
    (a_folder, "claims.csv", "missing"),
    (empty, "claims.csv:1", "empty"),
    (header_alone, "claims.csv:1", "no rows"),
    (column_twice, "claims.csv:1", "twice"),
    (column_gone, "claims.csv:1", "no column check"),
    (row_too_long, "claims.csv:4", "as many fields"),
    (row_too_short, "claims.csv:4", "as many fields"),
    (not_utf8, "claims.csv:4", "not UTF-8"),
    (of_100_MB, "claims.csv", "100 MB is no table"),
    (open_quote, "claims.csv:406", "end of data"),
    (text_after_a_quote, "claims.csv:4", "no CSV"),
    (huge_field, "claims.csv:4", "larger than field limit"),
]


@pytest.mark.parametrize(("broken", "place", "reason"), UNREADABLE, ids=lambda v: getattr(v, "__name__", ""))
def test_an_unreadable_table_is_one_finding(folder, broken, place, reason):
    broken(folder / "claims.csv")
    (found,) = (f for f in lint(folder) if "claims.csv" in f.where)
    assert found.id == ("missing-table" if reason == "missing" else "unreadable") and found.severity == "error"
    assert found.where == str(folder / place) and reason in found.why and found.fix


def test_without_a_list_of_columns_a_missing_column_is_still_a_finding(folder):
    column_gone(folder / "claims.csv")
    missing(folder / "columns.csv")
    found = lint(folder)
    assert {f.id for f in found} >= {"missing-table", "unreadable"}
    assert any(f.why.startswith("no column 'check'") for f in found)


def il2(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "il2", "lint", *words],
        cwd=folder, capture_output=True, text=True, env=os.environ | {"COLUMNS": "160"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def test_the_command_prints_one_line_a_finding_and_fails(folder):
    row_too_long(folder / "claims.csv")
    (folder / "kinds.csv").unlink()
    done = il2(folder.parent, "t")
    header, first, second, count = done.stdout.splitlines()
    assert done.returncode == 1 and not done.stderr and count == "2 findings"
    assert header.split() == ["id", "severity", "where", "why", "fix"]
    assert "t/claims.csv:4" in first and "t/kinds.csv" in second


def test_the_command_gives_a_list_of_objects(folder):
    row_too_long(folder / "claims.csv")
    done = il2(folder.parent, "t", "--format", "json")
    (found,) = json.loads(done.stdout)
    assert done.returncode == 1 and set(found) == {"id", "severity", "where", "why", "fix"}
    assert found["where"] == "t/claims.csv:4"


def test_a_warning_does_not_fail_and_hostile_text_is_shown_as_text(folder):
    text = (folder / "primer.csv").read_text(encoding="utf-8")
    (folder / "primer.csv").write_text(text.replace("Interleukin-2, IL-2 for short", "[red]<script>", 1))
    done = il2(folder.parent, "t", "--format", "json")
    (found,) = json.loads(done.stdout)
    assert done.returncode == 0 and found["id"] == "markup" and found["where"] == "t/primer.csv:2"
    assert "<script>" in found["why"] and "text holds markup" in found["why"]


def test_a_sound_folder_gives_an_empty_list(folder):
    done = il2(folder.parent, "t", "--format", "json")
    assert done.returncode == 0 and json.loads(done.stdout) == []


def test_no_folder_is_one_message(tmp_path):
    (tmp_path / "file").write_text("x")
    for name in ("NOFOLDER", "file"):
        done = il2(tmp_path, name)
        assert done.returncode == 2 and not done.stdout
        assert done.stderr.strip().splitlines() == [f"il2: {name}: is no folder. Name a folder of CSV tables."]


class Page(HTMLParser):
    """Elements and attributes of a page, and all its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text += data


def is_harmless(html: str) -> Page:
    page = Page(html)
    assert not page.tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "b"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "srcdoc", "action")]
    assert all(value.startswith(("#", "https://")) for name, value in page.attributes if name in ("href", "xlink:href"))
    assert "<script" not in html and "<img" not in html
    return page


@pytest.mark.parametrize("text", [*TAGS, HOSTILE])
def test_a_hostile_card_stays_text(monkeypatch, text):
    statement = replace(claims()["S000-001"], statement=text)
    monkeypatch.setattr(card_html, "claims", lambda: {text: statement})
    monkeypatch.setattr(card_html, "paragraphs", lambda: (Paragraph(text, True, text, (text,), (text, "assumed")),))
    step = {"start": text, "end": "IL2", "label": text, "claims": text}
    monkeypatch.setattr(card_html, "rows", lambda name: (step,))
    hostile = Source(text, text, text, "", "javascript:alert(1)", "no", text)
    monkeypatch.setattr(source, "sources", lambda: {text: hostile})
    line = Line(text, (text, "nobody"), (text,), text, text)
    card = Card("IL2", text, text, (text,), (Section(text, (line, line)),))
    page = is_harmless(as_html(card))
    assert page.text.count(text) >= 10  # warning, definition, section, its line, remark, status, paragraph, sources
    assert text in [value for name, value in page.attributes if name == "title"]  # the claim behind a line
    assert "javascript:alert(1)" in page.text


@pytest.mark.parametrize("text", [*TAGS, HOSTILE])
def test_a_hostile_drawing_stays_text(text):
    link = Link(text, text, "+", text)
    is_harmless(around(text, {text: [link]}, {text: [link]}, text))


def test_the_page_of_the_package_loads_nothing():
    from il2.atlas.card import card

    is_harmless(as_html(card()))
