"""The command line as a user drives it: in its own process, in an empty folder."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


def il2(folder: Path, *words: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "il2", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "160"},
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def commands(document: Path) -> list[str]:
    """Lines of shell blocks that call il2, without comments."""
    lines = [line.split("  #")[0].strip() for block in blocks(document, "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("il2 ")]


@pytest.mark.parametrize("line", commands(ROOT / "README.md"))
def test_readme_commands_run_as_pasted(tmp_path, line):
    import shlex

    before = set(tmp_path.iterdir())
    il2(tmp_path, *shlex.split(line)[1:])
    named = re.findall(r"--(?:out|figure|report) (\S+)", line)
    assert {p.name for p in set(tmp_path.iterdir()) - before} == set(named)


def test_commands_of_the_readme_table_run(tmp_path):
    import shlex

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (tmp_path / "plate.csv").write_text(blocks(ROOT / "docs" / "respond.md", "csv")[1])
    found = re.findall(r"^\| `(il2 [^`]+)`", text, re.MULTILINE)
    assert len(found) == 5
    for line in found:
        il2(tmp_path, *shlex.split(line)[1:])
    assert (tmp_path / "il2-respond.png").stat().st_size > 10_000
    assert "measured" in (tmp_path / "il2-respond.html").read_text(encoding="utf-8")


def test_python_examples_run(tmp_path):
    for example in blocks(ROOT / "README.md", "python"):
        done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "EC50_nM" in done.stdout


def test_documented_files_and_commands_of_respond_run(tmp_path):
    import shlex

    guide = ROOT / "docs" / "respond.md"
    counts, plate = blocks(guide, "csv")
    (tmp_path / "mutein.yaml").write_text(blocks(guide, "yaml")[0])
    (tmp_path / "counts.csv").write_text(counts)
    (tmp_path / "plate.csv").write_text(plate)
    for line in commands(guide):
        il2(tmp_path, *shlex.split(line)[1:])
    assert set(pd.read_csv(tmp_path / "predictions.csv")["status"]) == {"ok"}
    assert "my NK" in (tmp_path / "own.html").read_text(encoding="utf-8")


def test_help_is_a_map_of_what_works(tmp_path):
    listed = re.findall(r"^  (\w+)  ", il2(tmp_path, "--help").stdout.split("Commands:")[1], re.MULTILINE)
    assert sorted(listed) == ["experiment", "export", "respond", "targets"]
    for verb in listed:
        text = " ".join(il2(tmp_path, verb, "--help").stdout.split())
        assert f"Example: il2 {verb}" in text
    assert "2026.1" in il2(tmp_path, "--version").stdout


def test_listing_verbs_speak_json(tmp_path):
    for words in (("respond", "--cells", "NK"), ("targets",), ("experiment",), ("export",)):
        found = json.loads(il2(tmp_path, *words, "--format", "json").stdout)
        assert found and all(isinstance(row, dict) for row in found)


def test_table_and_parquet_hold_the_dataset(tmp_path):
    il2(tmp_path, "respond", "--cells", "NK", "--out", "a.csv")
    il2(tmp_path, "respond", "--cells", "NK", "--out", "a.parquet")
    assert len(pd.read_csv(tmp_path / "a.csv")) == 12 * 4
    text, binary = pd.read_csv(tmp_path / "a.csv"), pd.read_parquet(tmp_path / "a.parquet")
    assert len(text) == len(binary) and {"cell", "dose_nM", "time_min", "pstat5"} <= set(text)
    assert text["pstat5"].to_numpy() == pytest.approx(binary["pstat5"].to_numpy(), rel=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("respond", "--ligand", "IL3"), "Did you mean 'IL2'"),
        (("respond", "--cells", "Tregg"), "Did you mean 'Treg'"),
        (("respond", "--doses", "1,2,3"), "unit"),
        (("respond", "--doses", "1 ng/mL"), "molar mass"),
        (("respond", "--doses", "1 U"), "U"),
        (("respond", "--doses", "-1 nM"), "-1"),
        (("respond", "--doses", "0 nM"), "0"),
        (("respond", "--doses", "nan nM"), "nan"),
        (("respond", "--doses", "inf nM"), "inf"),
        (("respond", "--times", "30 nM"), "min"),
        (("respond", "--times", "60, 30 min"), "rising"),
        (("respond", "--cells-per-mL", "1e6"), "unit"),
        (("respond", "--out", "a.xlsx"), ".csv or .parquet"),
        (("respond", "--figure", "a.gif"), ".gif"),
        (("respond", "--figure", "missing/a.png"), "cannot be written"),
        (("respond", "--report", "missing/a.html"), "cannot be written"),
        (("respond", "--plate", "none.csv", "--out", "b.csv"), "cannot be read"),
        (("respond", "--plate", "none.csv"), "--out"),
        (("respond", "--plate", "none.csv", "--out", "b.parquet"), ".csv"),
        (("respond", "--plate", "none.csv", "--out", "b.csv", "--report", "r.html"), "--report has no effect"),
        (("respond", "--out", "a.csv", "--figure", "a.pdf"), ".png or .svg"),
        (("respond", "--draws", "50"), "--receptor-spread"),
        (("respond", "--ligand", "none.yaml"), "cannot be read"),
        (("respond", "--cells", "none.csv"), "cannot be read"),
        (("experiment", "E99"), "E99"),
        (("export", "response-IL3"), "Did you mean"),
        (("export", "response-IL2", "--sbml", "--text"), "more than one"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_nothing(tmp_path, words, message):
    done = il2(tmp_path, *words, fails=True)
    assert message in done.stderr and done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


LIGAND_FILES = [
    ("", "holds no keys"),
    ("[1, 2]", "holds no keys"),
    ("kd_il2ra: 12", "has no unit"),
    ("kd_il2ra: -1 nM", "-1"),
    ("kd_il2raa: 1 nM", "Did you mean 'kd_il2ra'"),
    ("kd_il2ra: 1 nM\nkd_assay: elisa", "elisa"),
    ("kd_il2ra: 1 nM\nvalency: two", "valency"),
    ("a: b: c", "no valid YAML"),
    ("!!python/object/apply:os.system ['touch owned']", "no valid YAML"),
]
COUNT_FILES = [
    ("", "'cell' is missing"),
    ("cell,IL2RA,IL2RB,IL2RG\n", "no cells"),
    ("cell,IL2RA,IL2RB\nx,1,1\n", "'IL2RG' is missing"),
    ("cell,IL2RA,IL2RB,IL2RG\nx,1,-1,1\n", "IL2RB is '-1'"),
    ("cell,IL2RA,IL2RB,IL2RG\nx,1,,1\n", "no IL2RB count"),
    ("cell,IL2RA,IL2RB,IL2RG\nx,1,1,1\nx,1,1,1\n", "stands twice"),
]


@pytest.mark.parametrize(
    ("option", "name", "text", "message"),
    [("--ligand", "m.yaml", *case) for case in LIGAND_FILES] + [("--cells", "c.csv", *case) for case in COUNT_FILES],
)
def test_a_bad_file_is_one_message(tmp_path, option, name, text, message):
    (tmp_path / name).write_text(text)
    assert message in il2(tmp_path, "respond", option, name, fails=True).stderr
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_damaged_cache_is_one_note_and_no_other_result(tmp_path, monkeypatch):
    monkeypatch.setenv("IL2_CACHE", str(tmp_path / "cache"))
    words = ("respond", "--cells", "NK", "--format", "json")
    first = il2(tmp_path, *words)
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    second = il2(tmp_path, *words)
    assert second.stdout == first.stdout and second.stderr.count("object code on disk was not used") == 1
    assert il2(tmp_path, *words).stderr == first.stderr


def test_import_takes_under_a_second(tmp_path):
    """Counted in CPU seconds of a process of its own, so that a busy machine does not matter."""
    program = "import il2, time; il2.respond; print(time.process_time())"
    done = subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, capture_output=True, text=True)
    assert float(done.stdout) < 1


def test_figures_of_the_confidence_page_are_those_of_its_command():
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "accuracy.py"), "--markdown"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in (ROOT / "docs" / "confidence.md").read_text(encoding="utf-8")
