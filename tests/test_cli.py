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
    write_files(ROOT / "docs" / "respond.md", tmp_path)
    found = re.findall(r"^\| `(il2 [^`]+)`", text, re.MULTILINE)
    assert len(found) == 16
    for line in found:
        words = shlex.split(line)[1:]
        if words[0] == "fit":  # needs measured values; one start is quick
            write_files(ROOT / "docs" / "fit.md", tmp_path, ("plate.csv",))
            words += ["--starts", "1"]
        il2(tmp_path, *words)
    assert (tmp_path / "il2-respond.png").stat().st_size > 10_000
    assert "measured" in (tmp_path / "il2-respond.html").read_text(encoding="utf-8")


def test_python_examples_run(tmp_path):
    for example in blocks(ROOT / "README.md", "python"):
        done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "EC50_nM" in done.stdout


def test_questions_of_the_knowledge_guide_are_answered(tmp_path):
    import shlex

    guide = ROOT / "docs" / "knowledge.md"
    il2(tmp_path, "respond", "--cells", "NK", "--report", "il2-respond.html")
    lines = re.findall(r"`(il2 [^`]+)`", guide.read_text("utf-8").split("## ")[0])
    assert len(lines) == 10
    for line in lines:
        il2(tmp_path, *shlex.split(line)[1:])
    (example,) = blocks(guide, "python")
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "decreases" in done.stdout and "4q27" in done.stdout, done.stderr


def test_the_example_of_the_engine_guide_runs(tmp_path):
    (example,) = blocks(ROOT / "docs" / "engine.md", "python")
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.split()) == 2, done.stderr


def write_files(document: Path, folder: Path, tables: tuple[str, ...] = ("counts.csv", "plate.csv")) -> None:
    """The files that a document shows: YAML by the name in its first line, then tables in this order."""
    for text in blocks(document, "yaml"):
        (folder / text.splitlines()[0].removeprefix("# ")).write_text(text)
    for name, text in zip(tables, blocks(document, "csv"), strict=False):
        (folder / name).write_text(text)


@pytest.mark.parametrize("name", ["respond.md", "additions.md", "knowledge.md"])
def test_documented_files_and_commands_run(tmp_path, name):
    import shlex

    guide = ROOT / "docs" / name
    write_files(guide, tmp_path)
    for line in commands(guide):
        il2(tmp_path, *shlex.split(line)[1:])
        for written in re.findall(r"--(?:out|figure|report) (\S+)", line):
            assert (tmp_path / written).stat().st_size > 100
    if name == "respond.md":
        plate = pd.read_csv(tmp_path / "predictions.csv")
        assert set(plate["status"]) == {"ok"} and plate["pstat5"][3] < 0.5 * plate["pstat5"][0]
        assert "my NK" in (tmp_path / "own.html").read_text(encoding="utf-8")
        assert "daclizumab 67 nM, 60 min before the ligand" in (tmp_path / "daclizumab.html").read_text("utf-8")
        il4 = pd.read_csv(tmp_path / "il4.csv").groupby("ligand")[["pstat5", "pstat6"]].max()
        assert il4.loc["IL4", "pstat6"] > 0.1 and il4.loc["IL7", "pstat5"] > 0.001


VERBS = [
    "cite", "claims", "culture", "experiment", "experiments", "explain", "export", "fit", "gene", "lint", "molecules",
    "path", "population", "respond", "targets", "treat", "validate",
]  # fmt: skip


def test_help_is_a_map_of_what_works(tmp_path):
    listed = re.findall(r"^  (\w+)  ", il2(tmp_path, "--help").stdout.split("Commands:")[1], re.MULTILINE)
    assert sorted(listed) == VERBS
    for verb in listed:
        text = " ".join(il2(tmp_path, verb, "--help").stdout.split())
        assert f"Example: il2 {verb}" in text
    assert "parameter set 2026." in il2(tmp_path, "--version").stdout


def test_listing_verbs_speak_json(tmp_path):
    verbs = (("respond", "--cells", "NK"), ("targets",), ("experiments",), ("export",), ("molecules",), ("claims",))
    for words in (*verbs, ("molecules", "IL7")):
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
        (("respond", "--ligand", "IL3"), "Did you mean"),
        (("respond", "--ligand", "IL4"), "no IL4R count of Treg"),
        (("respond", "--ligand", "bempeg"), "cannot be simulated"),
        (("respond", "--with", "daclizumab"), "--with: 'daclizumab' is no name=amount"),
        (("respond", "--with", "daclizumab=10"), "--with daclizumab: '10' has no unit"),
        (("respond", "--with", "daclizumap=1 nM"), "Did you mean 'daclizumab'"),
        (("respond", "--with", "baricitinib=1 nM"), "--with: baricitinib cannot be simulated"),
        (("respond", "--with", "tofacitinib=1 ug/mL"), "molar mass"),
        (("respond", "--with", "IL7=1 nM", "--with", "IL-7=1 nM"), "added twice"),
        (("respond", "--with", "JES6-1=1 nM", "--ligand", "IL15"), "nothing to bind"),
        (("respond", "--with-before", "60 min"), "--with-before has no effect alone"),
        (("respond", "--with", "IL7=1 nM", "--with-before", "60"), "--with-before: '60' has no unit"),
        (("respond", "--with", "IL7=1 nM", "--with-before", "-1 min"), "below zero"),
        (("respond", "--dial", "IL2RG"), "--dial: 'IL2RG' is no name=share"),
        (("respond", "--dial", "IL2RX=0"), "Did you mean"),
        (("respond", "--dial", "IL2RG=0", "--dial", "il2rg=1"), "dialled twice"),
        (("respond", "--plate", "p.csv", "--out", "o.csv", "--with", "IL7=1 nM"), "--with has no effect on a plate"),
        (("respond", "--plate", "p.csv", "--out", "o.csv", "--cells-per-mL", "1 cell/mL"), "--cells-per-mL has no"),
        (("molecules", "daclizumap"), "Did you mean 'daclizumab'"),
        (("molecules", "--kind", "antibodies"), "Did you mean 'antibody'"),
        (("molecules", "IL2", "--kind", "cytokine"), "no effect"),
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
        (("respond", "--draws", "50"), "--draws has no effect alone"),
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
    ("base: IL2\nvalency: 0", "valency is 0"),
    ("heads: 2", "no list of heads"),
    ("heads: []", "no list of heads"),
    ("base: IL2\nheads: [{number: 1}, {number: two}]", "item 2: number"),
    ("base: IL2\nheads: [{numbre: 1}]", "Did you mean 'number'"),
    ("base: IL2\nheads: [{number: 1}, {kd_il2ra: 12}]", "item 2: kd_il2ra: '12' has no unit"),
    ("base: IL2\nheads: [{binds: IL2RA only}]", "first head binds some chains only"),
    ("base: IL2\nheads: [{}, {binds: IL2RX only}]", "Did you mean"),
    ("base: IL2\nheads: [{}, {binds: IL2RG only}]", "Name at least one of IL2RA, IL2RB"),
    ("base: IL2\nheads: [{}, {binds: IL2RA only, kd_il2rbg: 1 nM}]", "kd_il2rbg of a head that does not bind it"),
    ("valency: 2\nheads: [{kd_il2ra: 1 nM}]", "both heads and valency"),
    ("kd_il2ra: 1 nM\nheads: [{}]", "Move kd_il2ra into heads"),
    ("base: IL2\nformat: Fc fusion, bivalent\nheads: [{}, {}]", "Write 'Fc fusion'"),
    ("heads: [{number: 2}]", "needs at least one KD"),
    ("base: IL2\ninert_forms: 2", "PEG prodrug"),
    ("base: IL2\nformat: PEG prodrug", "needs inert_forms"),
    ("base: IL2\nformat: PEG prodrug\ninert_forms: 1000", "from 1 to 20"),
    ("base: IL2\nformat: PEG prodrug\ninert_forms: 2\nrelease_half_life: 20", "has no unit"),
    ("base: IL2\nformat: PEG prodrug\ninert_forms: 2\nrelease_half_life: 0 h", "above zero"),
    ("base: IL2\nrelease_half_life: 2 h", "without inert_forms"),
    ("kd_il2ra: 1 nM\nkd_il2ra: 2 nM", "stands twice"),
    ("base: IL2\nwith: daclizumab", "m.yaml: with: 'daclizumab' is no name=amount"),
    ("base: IL2\nwith: [daclizumab=1 nM, daclizumab=2 nM]", "added twice"),
    ("base: IL2\nwith: {daclizumab: 1 nM}", "is no text"),
    ("a: b: c", "no valid YAML"),
    ("name: 2020-99-99", "no valid YAML"),
    ("name: " + "[" * 50_000, "no valid YAML"),
    ("!!python/object/apply:os.system ['touch owned']", "no valid YAML"),
]
COUNT_FILES = [
    ("", "'cell' is missing"),
    ("cell,IL2RA,IL2RB,IL2RG\n", "no cells"),
    ("cell,IL2RA,IL2RB\nx,1,1\n", "no IL2RG count of x"),
    ("cell,sd\nx,1\n", "no column holds a chain"),
    ("cell,IL2RA,IL2Rb,IL2RG\nx,1,1,1\n", "Did you mean 'IL2RB'"),
    ("cell,IL2RA,IL2RB,IL2RG,IL-7R\nx,1,1,1,1\n", "Did you mean 'IL7R'"),
    ("cell,IL2RA,IL2RA,IL2RB,IL2RG\nx,1,1,1,1\n", "'IL2RA' stands twice"),
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


def test_a_file_of_heads_with_an_addition_is_the_same_as_its_options(tmp_path):
    heads = "name: d\nbase: IL2\nheads:\n  - {kd_il2ra: 10 nM}\n  - {kd_il2ra: 2 nM, binds: IL2RA only}\n"
    (tmp_path / "with.yaml").write_text(heads + "with: [IL7=1 nM, daclizumab=1 ug/mL]\n")
    (tmp_path / "alone.yaml").write_text(heads)
    words = ("respond", "--cells", "Treg", "--times", "30 min", "--with-before", "1 h", "--format", "json")
    inside = il2(tmp_path, *words, "--ligand", "with.yaml").stdout
    assert inside == il2(tmp_path, *words, "--ligand", "alone.yaml", "--with", "IL7=1nM; daclizumab=1 ug/mL").stdout
    refused = il2(tmp_path, *words, "--ligand", "with.yaml", "--ligand", "IL2", fails=True).stderr
    assert "with.yaml adds IL7, and there are other ligands" in refused
    twice = il2(tmp_path, *words, "--ligand", "with.yaml", "--with", "IL7=2 nM", fails=True).stderr
    assert "'IL7' is added twice" in twice and "with.yaml" in twice


def test_additions_and_dials_change_the_answer_and_are_said(tmp_path):
    words = ("respond", "--cells", "Treg", "--times", "30 min", "--format")
    (plain,) = json.loads(il2(tmp_path, *words, "json").stdout)
    (blocked,) = json.loads(il2(tmp_path, *words, "json", "--with", "Zenapax=10 ug/mL").stdout)
    assert plain["measured_EC50_nM"] and blocked["measured_EC50_nM"] is None
    assert blocked["EC50_nM"] > 10 * plain["EC50_nM"]
    said = il2(tmp_path, *words, "table", "--with", "IL7=1 nM", "--with-before", "1 h", "--dial", "JAK3=0.5").stdout
    assert "Added: IL7 1 nM, 60 min before the ligand." in said and "Changed: JAK3 to 0.5 of normal." in said
    (none,) = json.loads(il2(tmp_path, *words, "json", "--dial", "IL2RG=0").stdout)
    assert none["EC50_nM"] is None


def test_counts_need_only_the_chains_of_the_ligand(tmp_path):
    (tmp_path / "c.csv").write_text("cell,IL4R,IL2RG,IL6R,donor\nmine,1000,2000,5,A\n")
    (row,) = json.loads(
        il2(tmp_path, "respond", "--ligand", "IL4", "--cells", "c.csv", "--times", "30 min", "--format", "json").stdout
    )
    assert row["readout"] == "pstat6" and row["EC50_nM"] > 0


def test_the_catalogue_says_what_each_molecule_is(tmp_path):
    every = json.loads(il2(tmp_path, "molecules", "--format", "json").stdout)
    assert len(every) > 25 and {row["simulated"] for row in every} == {"yes", "no"}
    kinds = json.loads(il2(tmp_path, "molecules", "--kind", "antibody", "--format", "json").stdout)
    assert {row["kind"] for row in kinds} == {"antibody"}
    for row in every:
        (found,) = json.loads(il2(tmp_path, "molecules", row["name"], "--format", "json").stdout)
        assert found["network"] and found["sources"] and bool(found["use"]) == (row["simulated"] == "yes")
        assert bool(found["constants"]) == (row["simulated"] == "yes")
    text = il2(tmp_path, "molecules", "Zenapax").stdout
    assert "takes IL2RA from the cytokine" in text and "0.3 nM (0.1 to 0.5), assumed" in text
    assert "Wang HM, Smith KA" in il2(tmp_path, "molecules", "IL2").stdout
    assert "no measured affinity" in il2(tmp_path, "molecules", "bempeg").stdout


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
