"""`il2 fit` as a user drives it: a plate whose truth is known, stopped by force and resumed, changed, and reported."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_plate import AWAY, LIGANDS, synthetic, true_count, write
from test_cli import ROOT, blocks, commands, il2
from typer.testing import CliRunner

from il2.cli import fit as _fit  # noqa: F401  adds its verb
from il2.cli import gene as _gene  # noqa: F401  so that the app has several verbs
from il2.cli.app import app
from il2.errors import Il2Error
from il2.fit import parameter_set, run, tables
from il2.fit.intervals import covariance
from il2.fit.parameter_set import ParameterSet
from il2.knowledge.quantity import quantity
from il2.receptor.affinity import interface_factors
from il2.receptor.ligand import describe
from il2.report import fit as report

SMALL = {"ligands": ("IL2",), "cells": ("NK",), "doses": 5, "times": (30,), "replicates": 2}


@pytest.fixture(scope="module")
def plate(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("plate") / "plate.csv", cells=("Treg", "NK"), doses=6, times=(30, 120), seed=4)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Bands are tested on `found` alone."""
    monkeypatch.setattr(run, "BAND_DRAWS", 6)


@pytest.fixture(scope="module")
def found(plate) -> run.Fit:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "BAND_DRAWS", 16)
        return run.fit(plate, starts=1, profiles=["NK IL2RG"], threads=1)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("small") / "small.csv", **SMALL)


def truth() -> dict[str, float]:
    true = {k: v for k, v in LIGANDS["A7"][1].items() if k != "kd_assay"}
    names = {"kd_il2ra_nM": "IL2RA", "kd_il2rbg_nM": "IL2RBG"}
    factors, _ = interface_factors(describe("A7", {names[k]: v for k, v in true.items()}, "spr")[0])
    out = {f"{kind} {chain}": true_count(kind, chain) for kind in ("Treg", "NK") for chain in AWAY}
    out |= {f"A7 {chain} factor": factors[chain] for chain in ("IL2RA", "IL2RB")}
    return out | {"STAT5_half_activation": quantity("STAT5_half_activation").value}


def test_estimates_recover_the_truth(found):
    table = tables.estimates(found).set_index("name")
    true = truth()
    inside = [table.low_95[name] <= value <= table.high_95[name] for name, value in true.items()]
    assert len(inside) == 11 and sum(inside) >= 9  # of 95 % intervals; chance gives fewer in one of 60
    sharp = table.loc[["A7 IL2RB factor", "NK IL2RG"]]
    assert sharp.determined.all() and (sharp.high_95 / sharp.low_95 < 2.5).all()
    assert table.interval_from["NK IL2RG"] == "profile" and table.interval_from["NK IL2RB"] == "curvature"
    # the told KDs were wrong, and the wells say so
    assert abs(np.log(table.value["A7 IL2RB factor"] / true["A7 IL2RB factor"])) < 0.5 * np.log(0.55 / 0.4)


def test_the_predictive_check_is_calibrated_on_noise_of_the_model(found):
    assert found.check.shares[0] == pytest.approx(0.5, abs=0.12)
    assert found.check.shares[1] == pytest.approx(0.9, abs=0.06)
    wells = tables.residuals(found)
    assert len(wells) == len(found.made.wells) and wells.line.tolist() == list(range(2, len(wells) + 2))
    assert wells.inside_90.mean() == pytest.approx(found.check.shares[1])


def test_bands_hold_the_true_curves(found):
    drawn = tables.predictions(found)
    assert (
        (drawn.low_95 <= drawn.phosphorylated + 1e-9) & (drawn.phosphorylated <= drawn.high_95 + 1e-9)
    ).mean() > 0.98
    for of in found.curves:
        assert (of.low_measured <= of.low).all() and (of.high <= of.high_measured).all()


def test_draws_for_bands_lie_where_the_data_allow(found):
    """By the log density a draw of n numbers lies about n / 2 below the best, and bands hold the best curve."""
    problem, n = found.made.problem, len(found.x)
    below = [problem.log_density(found.x)[0] - problem.log_density(at)[0] for at in found.positions[:12]]
    assert 0.2 * n < np.median(below) < n
    spread = np.std(found.positions, axis=0) / np.sqrt(np.diag(covariance(problem, found.x)))
    assert 0.7 < np.median(spread) < 1.4


def test_a_killed_fit_resumes_and_ends_with_the_same_result(small, tmp_path):
    words = [
        "fit",
        str(small),
        "--starts",
        "2",
        "--fix",
        "counts",
        "--profiles",
        "scale NK replicate 1",
        "--threads",
        "1",
    ]
    options = {"starts": 2, "fix": ["counts"], "profiles": ["scale NK replicate 1"], "threads": 1}
    tables.write(run.fit(small, out=tmp_path / "whole", **options), tmp_path / "whole")
    command = [sys.executable, "-m", "il2", *words, "--out", "killed"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = tmp_path / "killed" / "state" / "start-00000.json"
    until = time.monotonic() + 60
    while not first.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and first.exists()
    assert not (tmp_path / "killed" / "estimates.csv").exists()
    kept = first.stat().st_mtime_ns
    tables.write(run.fit(small, out=tmp_path / "killed", resume=True, **options), tmp_path / "killed")
    assert first.stat().st_mtime_ns == kept  # it was not run again
    for name in ("estimates.csv", "starts.csv", "residuals.csv", "predictions.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    one, other = (parameter_set.load(tmp_path / name / "parameters.yaml") for name in ("killed", "whole"))
    assert one.values == other.values and one.hash == other.hash
    assert not list((tmp_path / "killed").glob("**/.new-*"))


def test_ctrl_c_is_one_line_and_goes_on(small, tmp_path):
    command = [sys.executable, "-m", "il2", "fit", str(small), "--starts", "50", "--threads", "1", "--out", "stopped"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = tmp_path / "stopped" / "state" / "start-00000.json"
    until = time.monotonic() + 60
    while not first.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in told
    assert "the same command goes on from there" in told


def test_a_changed_fit_is_refused_and_more_of_the_same_is_not(small, tmp_path):
    out = tmp_path / "out"
    run.fit(small, out=out, starts=1, threads=1)
    more = run.fit(small, out=out, starts=2, threads=1)
    assert {s.index for s in more.starts} == {0, 1}
    for changed, told in (
        ({"seed": 1}, r"--seed differs .* \(it was 0 and is now 1\)"),
        ({"fix": ["NK IL2RA"]}, r"--fix differs .* \(it was nothing and is now NK IL2RA\)"),
        ({"free": ["recycling_rate"]}, "--free differs"),
    ):
        with pytest.raises(Il2Error, match=told):
            run.fit(small, out=out, starts=1, threads=1, **changed)
    other = tmp_path / "other.csv"
    other.write_text(small.read_text().replace("0.001,30,", "0.0012,30,"))
    with pytest.raises(Il2Error, match=r"the data differ from those of the fit in this folder.*--fresh"):
        run.fit(other, out=out, starts=1, threads=1)
    again = run.fit(other, out=out, starts=1, threads=1, fresh=True)
    assert len(again.starts) == 1 and len(list((out / "state").glob("start-*"))) == 1
    with pytest.raises(Il2Error, match="no fit to resume"):
        run.fit(small, out=tmp_path / "none", resume=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("mine")
    with pytest.raises(Il2Error, match="not empty and holds no fit"):
        run.fit(small, out=tmp_path / "full", fresh=True)
    short = '{"index": 0, "x0": [1], "x": [1], "cost": 1, "evaluations": 1, "message": ""}'
    for broken in ("{", "[]", '{"index": 0}', short):
        (out / "state" / "start-00000.json").write_text(broken)
        with pytest.raises(Il2Error, match=r"cannot be read.*Remove it"):
            run.fit(other, out=out, starts=1, threads=1)
    (out / "fit.json").write_text("[]")
    with pytest.raises(Il2Error, match=r"cannot be read.*--fresh"):
        run.fit(other, out=out, starts=1, threads=1)


def test_results_do_not_depend_on_threads(small):
    one, two = (run.fit(small, starts=1, threads=n) for n in (1, 2))
    assert one.x.tolist() == two.x.tolist()


def test_a_user_error_is_one_message(tmp_path):
    (tmp_path / "bad.csv").write_text("ligand,cell,dose,time_min,value\nIL2,NK,1,30,5\n")
    told = il2(tmp_path, "fit", "bad.csv", fails=True).stderr
    assert told.strip() == (
        "il2: bad.csv, header: the column 'dose' has no unit. Name it dose_nM, or for example 'dose [pM]'."
    )
    assert not (tmp_path / "il2-fit").exists()
    with pytest.raises(Il2Error, match=r"no free number 'NK IL2RX'. Did you mean 'NK IL2R"):
        run.fit(write(tmp_path / "p.csv", **SMALL), profiles=["NK IL2RX"])


def test_misfit_is_said(tmp_path):
    """A signal that the model cannot make: the noise of the fit is far above that of the replicates."""
    frame = synthetic(**SMALL | {"noise": 0.01})
    rank = np.searchsorted(np.sort(frame.dose_nM.unique()), frame.dose_nM)
    frame["value"] += np.where(rank % 2 == 1, 2000.0, 0.0)
    frame.to_csv(tmp_path / "p.csv", index=False)
    made = run.fit(tmp_path / "p.csv", starts=1, threads=1)
    assert any("the model leaves something out" in text for text in made.warnings)


def test_the_report_is_whole_and_escapes(found, tmp_path):
    from dataclasses import replace

    paths = report.write(found, tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert {p.name for p in paths} >= {"curves-01.png", "profiles.png", "waterfall.png", "residuals.png", "report.html"}
    assert all(p.stat().st_size > 5000 for p in paths)
    assert not re.search(r'(?:src|href)="(?!data:|#)', page) and "<script" not in page
    assert "A7 IL2RB factor" in page and "Predictive check" in page and "Wells inside" in page
    ligands = found.made.ligands.copy()
    ligands[ligands == "A7"] = "<script>alert(1)</script>"
    drawn = dict.fromkeys(("curves-01", "estimates", "waterfall", "residuals"), report.Drawn("<script>", b"", 1.0))
    hostile = report.fit_html(replace(found, made=replace(found.made, ligands=ligands)), drawn)
    assert "<script>" not in hostile and "&lt;script&gt;" in hostile


def test_hostile_names_never_become_paths(tmp_path):
    frame = synthetic(**SMALL | {"replicates": 1})
    for chain in ("IL2RA", "IL2RB", "IL2RG"):
        frame[chain] = 2000
    frame["cell"] = "../../<b>x</b>"
    frame.to_csv(tmp_path / "p.csv", index=False)
    out = tmp_path / "a" / "b"
    made = run.fit(tmp_path / "p.csv", out=out, starts=1, threads=1)
    tables.write(made, out)
    report.write(made, out)
    assert {p.name for p in tmp_path.iterdir()} == {"p.csv", "a"} and "<b>" not in (out / "report.html").read_text(
        "utf-8"
    )
    assert parameter_set.load(out / "parameters.yaml").values == made.parameters.values


def test_parameter_sets_keep_their_values_and_refuse_what_is_wrong(found, tmp_path):
    for name in ("set.yaml", "set.json"):
        parameter_set.save(found.parameters, tmp_path / name)
        assert parameter_set.load(tmp_path / name) == found.parameters
    assert set(found.parameters.values) == set(truth())
    spread = np.array(found.parameters.covariance)
    assert spread.shape == (11, 11) and np.linalg.eigvalsh(spread).min() > -1e-6
    text = (tmp_path / "set.json").read_text()
    held = json.loads(text)
    held["values"]["NK IL2RB"]["value"] *= 1.01
    (tmp_path / "changed.json").write_text(json.dumps(held))
    with pytest.raises(Il2Error, match=r"changed.json: the values do not fit the hash"):
        parameter_set.load(tmp_path / "changed.json")
    del held["hash"]
    (tmp_path / "own.json").write_text(json.dumps(held))
    assert parameter_set.load(tmp_path / "own.json").hash != found.parameters.hash
    for bad, told in (
        ('{"format": "x"}', "is no parameter set"),
        ("[1]", "is no parameter set"),
        ("{", "cannot be parsed"),
        (text.replace('"NK IL2RB": {', '"NK IL2RX": {'), "unknown parameter 'NK IL2RX'"),
        (text.replace('"STAT5_half_activation": {', '"STAT5_half": {'), "or 'STAT5_half_activation'"),
        (re.sub(r'"value": [0-9.]+', '"value": -1', text, count=1), "Give a finite number above zero"),
        (re.sub(r'"value": [0-9.]+', '"value": "x"', text, count=1), "no number"),
        (text.replace('"data":', '"dat":'), "unknown key 'dat'"),
    ):
        (tmp_path / "bad.json").write_text(bad)
        with pytest.raises(Il2Error, match=told):
            parameter_set.load(tmp_path / "bad.json")
    (tmp_path / "bad.yaml").write_text("values: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(Il2Error, match="cannot be parsed"):
        parameter_set.load(tmp_path / "bad.yaml")
    assert ParameterSet("a", {"recycling_rate": 0.1}).hash == ParameterSet("b", {"recycling_rate": 0.1}).hash


def test_the_guide_runs_as_pasted(tmp_path, monkeypatch, capsys):
    guide = ROOT / "docs" / "fit.md"
    (plate,) = blocks(guide, "csv")
    (tmp_path / "plate.csv").write_text(plate)
    *lines, of_petab = commands(guide)
    assert len(lines) == 2 and "problem.yaml" in of_petab  # tests/test_fit_petab.py runs that one
    monkeypatch.chdir(tmp_path)
    for line in lines:
        done = CliRunner().invoke(app, [*shlex.split(line)[1:], "--threads", "1"])
        assert done.exit_code == 0, done.output
        folder = tmp_path / line.split("--out ")[1]
        written = {p.name for p in folder.iterdir()}
        assert written == {
            "report.html", "estimates.csv", "starts.csv", "residuals.csv", "predictions.csv", "figures",
            "parameters.yaml", "fit.json", "state",
        }  # fmt: skip
    assert "recycling_rate" in set(pd.read_csv(tmp_path / "freed" / "estimates.csv").name)
    (example,) = blocks(guide, "python")
    exec(compile(example, str(guide), "exec"), {})
    assert "A7 IL2RB factor" in capsys.readouterr().out
    assert parameter_set.load(tmp_path / "mine.yaml").values
