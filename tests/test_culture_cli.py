"""`il2 culture` as a user drives it: presets, files, tables, figures, pages, and mistakes."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from test_cli import ROOT, blocks, il2
from typer.testing import CliRunner

from il2.cell.presets import presets
from il2.cli import culture as _culture  # noqa: F401  adds its verb
from il2.cli import gene as _gene  # noqa: F401  so that the app has several verbs
from il2.cli.app import app
from il2.errors import Il2Error

DOCUMENT = ROOT / "docs" / "culture.md"
QUICK = """
title: Quick <b>&
time: 1 d
step: 6 h
base:
  cells: {Th: 50000}
  antigen: 1e8
  CD28: 1
wells:
  A1: {label: "<script>alert(1)</script>"}
  A2: {label: no antigen, antigen: 0}
"""


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    path = tmp_path / "quick.yaml"
    path.write_text(QUICK)
    return path


def run(*words: str):
    return CliRunner().invoke(app, ["culture", *words], catch_exceptions=True, env={"COLUMNS": "160"})


def test_presets_are_listed():
    done = run("--list", "--format", "json")
    listed = {r["preset"]: r for r in json.loads(done.stdout)}
    assert set(listed) == set(presets()) and listed["treg_suppression"]["wells"] == 7


def test_a_file_gives_a_summary_a_table_a_figure_and_a_page(tmp_path, quick):
    names = {"out": "t.csv", "figure": "f.png", "html": "p.html"}
    options = [word for option, name in names.items() for word in (f"--{option}", name)]
    done = il2(tmp_path, "culture", "quick.yaml", "--donors", "3", "--threads", "1", *options)
    assert "After 24 h" in done.stdout and "mass balance closes to" in done.stdout
    assert "warning: pathway readouts" in done.stderr and "wrote p.html" in done.stderr
    table = pd.read_csv(tmp_path / "t.csv")
    assert len(table) == 2 * 5 and {"label", "IL2_nM", "IL2_nM_low", "cells_high", "cells_generation_8"} <= set(table)
    assert (table.IL2_nM[table.well == "A2"].max()) < 0.01 * table.IL2_nM[table.well == "A1"].max()
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "p.html").read_text()
    assert "<script>" not in page and "&lt;script&gt;" in page and "Quick &lt;b&gt;&amp;" in page
    assert not re.search(r'(?:src|href)="(?!data:|#|https://)', page)
    for words in (
        "semi-quantitative",
        "assumed",
        "Numbers and their grades",
        "5 to 95 %",
        "Mass balance",
        "quick.yaml",
    ):
        assert words in page
    assert not {p.name for p in tmp_path.iterdir()} - {*names.values(), "quick.yaml"}


def test_options_change_the_culture(quick):
    def records(*words: str) -> dict:
        done = run(str(quick), "--format", "json", "--threads", "1", *words)
        assert done.exit_code == 0, done.output
        return {r["well"]: r for r in json.loads(done.stdout)}

    plain = records()
    assert plain["A1"]["cells_start"] == 50_000 and plain["A1"]["balance_error"] < 1e-6
    without = records("--without", "IL2")
    assert without["A1"]["IL2_peak_nM"] < 1e-6 * plain["A1"]["IL2_peak_nM"]
    given = records("--add", "IL2=100 IU/mL", "--hours", "12")
    assert given["A2"]["IL2_peak_nM"] == pytest.approx(0.3994) and given["A2"]["IL2_peak_h"] == 0
    late = run(str(quick), "--add", "daclizumab=10 nM@30h", "--threads", "1")
    assert "A1, A2: what is due after 24 h, the end, does not happen" in late.output
    assert records("--donors", "2", "--seed", "1") != records("--donors", "2", "--seed", "2")


def test_each_donor_can_be_written(tmp_path, quick):
    out = tmp_path / "t.parquet"
    done = run(str(quick), "--donors", "2", "--draws", "1", "--each-donor", "--out", str(out), "--threads", "1")
    assert done.exit_code == 0, done.output
    table = pd.read_parquet(out)
    assert len(table) == 2 * 5 * 3 * 2 and set(table.donor) == {0, 1, 2} and set(table.draw) == {0, 1}
    assert "–" in done.stdout  # the summary has bands all the same


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "il2 culture: no culture is named. Give a preset of --list, or a .yaml file."),
        (("treg",), "unknown preset 'treg'. Did you mean 'treg_suppression'?"),
        (("no.yaml",), "no.yaml: cannot be read: No such file or directory. Check the path."),
        (("PHA_blasts", "--hours", "-3"), "--hours: -3 h. Give more than 0, at most 2000 h."),
        (("PHA_blasts", "--hours", "nan"), "--hours: nan h"),
        (("PHA_blasts", "--without", "IL2RZ"), "--without: no knock-out of 'IL2RZ'. Did you mean 'IL2R"),
        (("PHA_blasts", "--add", "IL2"), "--add: 'IL2' adds nothing. Write it like 'daclizumab = 10 nM @ 24 h'."),
        (("PHA_blasts", "--add", "IL2=20 U/mL"), "--add: 'U' is a unit of activity"),
        (("PHA_blasts", "--add", "IL2=2 nM@3 kg"), "--add: 'kg' is no unit of the same kind as 'h'"),
        (("PHA_blasts", "--out", "t.xlsx"), "t.xlsx: unknown ending '.xlsx'"),
        (("PHA_blasts", "--each-donor"), "--each-donor has no effect alone. Add --out."),
        (("PHA_blasts", "--donors", "999999"), "donors is 999999. Give a whole number from 0 to 10,000."),
        (("PHA_blasts", "--donors", "9000", "--draws", "9000"), "cultures asked for (the limit is 200,000)"),
        (("PHA_blasts", "--gene", "TP53"), "unknown gene 'TP53'"),
    ],
)
def test_mistakes_are_one_message(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert isinstance(done.exception, Il2Error)
    assert message in str(done.exception) and "\n" not in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_a_mistake_has_no_traceback(tmp_path):
    done = il2(tmp_path, "culture", "nothing", fails=True)
    assert done.returncode == 2 and done.stderr.startswith("il2: il2 culture: unknown preset 'nothing'.")


def test_the_file_of_the_document_is_read():
    from il2.cell.culture_file import TOP, WELL, plate_of
    from il2.cell.yaml_tree import tree_of

    (text,) = blocks(DOCUMENT, "yaml")
    plate = plate_of(tree_of(text, "doc"), "doc")
    assert list(plate.wells) == ["A1", "A2", "A3", "A4"]
    assert plate.wells["A4"].cells[1].without == ("IL2RA",) and plate.wells["A4"].cells[1].number == 12500
    page = DOCUMENT.read_text(encoding="utf-8")
    for key in (*TOP, *WELL):
        assert f"`{key}`" in page, key
    for name in presets():
        assert f"`{name}`" in page
