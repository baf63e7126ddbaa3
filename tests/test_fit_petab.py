"""`il2 fit problem.yaml` as a user drives it: against an independent fit, killed and resumed, refused and reported."""

from __future__ import annotations

import math
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from petab_synthetic import NUMBERS, START, TIMES, TRUTH, measured, write_1, write_2
from scipy.optimize import minimize
from scipy.stats import norm
from test_cli import ROOT, blocks, commands, il2
from test_petab import V1, folder
from typer.testing import CliRunner

from il2.cli import fit as _fit  # noqa: F401  adds its verb
from il2.cli import gene as _gene  # noqa: F401  so that the app has several verbs
from il2.cli.app import app
from il2.errors import Il2Error
from il2.fit import run
from il2.fit.predictive import over_noise
from il2.formats.petab_made import petab_made
from il2.formats.petab_read import read_petab

NAMES = [name for name, _, _ in NUMBERS]
DOSES = {"low": 0.5, "high": 2.0}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(run, "BAND_DRAWS", 12)


def fitted(*words: str) -> None:
    done = CliRunner().invoke(app, ["fit", *words, "--threads", "1"])
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def problem(tmp_path_factory) -> Path:
    return write_1(tmp_path_factory.mktemp("one") / "in")


@pytest.fixture(scope="module")
def out(problem, tmp_path_factory) -> Path:
    """What a user gets, in a process of its own."""
    where = tmp_path_factory.mktemp("out")
    told = il2(
        where, "fit", str(problem), "--starts", "2", "--profiles", "k1", "--threads", "1", "--out", "found"
    )  # fmt: skip
    assert "Of the measurements" in told.stdout and "dimensionless" not in told.stdout
    assert not re.search(r"\de[+-]\d", told.stdout) and "parameters.tsv" in told.stderr
    return where / "found"


def signals(v: dict[str, float], dose: float, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected fluorescence and whole, in closed form."""
    fast, slow = v["k1"] * dose, v["k2"]
    a = START * np.exp(-fast * at)
    b = START * fast / (slow - fast) * (np.exp(-fast * at) - np.exp(-slow * at))
    return v["floor"] + v["gain"] * b, a + b


def by_hand(v: dict[str, float]) -> float:
    """The log likelihood from the definitions of PEtab."""
    total = 0.0
    for observable, condition, at, value in measured():
        linear, whole = signals(v, DOSES[condition], np.array(at))
        if observable == "fluorescence":
            total += norm.logpdf(value, linear, v["sd"])
        else:
            total += norm.logpdf(math.log10(value), math.log10(whole), v["error"]) - math.log(value * math.log(10))
    return float(total)


def curvature(cost: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Second derivatives by central differences."""
    steps = step * np.eye(len(x))
    return np.array(
        [
            [
                (cost(x + a + b) - cost(x + a - b) - cost(x - a + b) + cost(x - a - b)) / (4 * step**2)
                for b in steps
            ]
            for a in steps
        ]
    )  # fmt: skip


def test_estimates_are_those_of_an_independent_fit(out):
    def cost(x: np.ndarray) -> float:
        return -by_hand(dict(zip(NAMES, np.exp(x), strict=True)))

    best = minimize(cost, np.log([TRUTH[name] for name in NAMES]), method="BFGS", options={"gtol": 1e-4})
    table = pd.read_csv(out / "estimates.csv").set_index("name")
    np.testing.assert_allclose(table.value[NAMES], np.exp(best.x), rtol=3e-3)
    spread = np.sqrt(np.diag(np.linalg.inv(curvature(cost, best.x))))
    width = np.log(table.high_95 / table.low_95)[NAMES] / (2 * norm.ppf(0.975))
    np.testing.assert_allclose(width, spread, rtol=0.1)
    inside = [table.low_95[n] <= v <= table.high_95[n] for n, v in TRUTH.items()]
    assert sum(inside) >= 4 and table.determined.all()
    assert table.interval_from["k1"] == "profile" and table.interval_from["k2"] == "curvature"
    told = float(re.search(r"Log likelihood</dt><dd>(-?[\d.]+)", (out / "report.html").read_text()).group(1))
    assert told == pytest.approx(-best.fun, abs=0.01)


def test_residuals_and_curves_are_in_the_units_of_the_measurement(out, problem):
    values = pd.read_csv(out / "estimates.csv").set_index("name").value.to_dict()
    table, raw = pd.read_csv(out / "residuals.csv"), pd.read_csv(problem.parent / "measurements.tsv", sep="\t")
    assert table.row.tolist() == list(range(1, len(raw) + 1))
    assert (table.observable == raw.observableId).all() and (table.condition == raw.simulationConditionId).all()
    np.testing.assert_allclose(table.value, raw.measurement, rtol=1e-6)
    for kind, column in (("fluorescence", 0), ("whole", 1)):
        own = table[table.observable == kind]
        expected = [float(signals(values, DOSES[c], t)[column]) for c, t in zip(own.condition, own.time, strict=True)]
        np.testing.assert_allclose(own.expected, expected, rtol=1e-4)
        off = np.log10(own.value / own.expected) if column else own.value - own.expected
        np.testing.assert_allclose(own.residual_over_noise, off / values["error" if column else "sd"], atol=2e-3)
    assert (table.low_90 < table.expected).all() and (table.expected < table.high_90).all()
    assert 0.8 < table.inside_90.mean() <= 1
    curves = pd.read_csv(out / "predictions.csv")
    assert set(map(tuple, curves[["observable", "condition"]].values)) == {
        (o, c) for o in ("fluorescence", "whole") for c in DOSES
    }
    own = curves[(curves.observable == "whole") & (curves.condition == "high")]
    np.testing.assert_allclose(own.expected, signals(values, 2.0, own.time.values)[1], rtol=1e-4)
    assert set(TIMES) <= set(own.time) and (curves.low_95 <= curves.expected).mean() > 0.9


def test_the_parameter_table_goes_on_in_petab(out, problem, tmp_path):
    import petab.v1 as petab

    values = pd.read_csv(out / "estimates.csv").set_index("name").value
    again = write_1(tmp_path / "again")
    (again.parent / "parameters.tsv").write_bytes((out / "parameters.tsv").read_bytes())
    assert not petab.lint_problem(petab.Problem.from_yaml(str(again)))
    table = petab.get_parameter_df(str(again.parent / "parameters.tsv"))
    np.testing.assert_allclose(table.nominalValue[NAMES], values[NAMES], rtol=1e-7)
    before = petab.get_parameter_df(str(problem.parent / "parameters.tsv"))
    pd.testing.assert_frame_equal(table.drop(columns="nominalValue"), before.drop(columns="nominalValue"))
    found = read_petab(again, threads=1)
    assert found.log_likelihood(found.nominal) == pytest.approx(by_hand(values.to_dict()), abs=1e-3)


def test_the_report_is_whole_and_says_what_is_left_out(out):
    page = (out / "report.html").read_text("utf-8")
    assert not re.search(r'(?:src|href)="(?!data:|#)', page) and "<script" not in page
    for words in ("64 measurements of fluorescence, whole", "no dose-response curves", "parameters.tsv", "Profiles",
                  "Points inside their predictive intervals", "k2 of the chain"):  # fmt: skip
        assert words in page
    for words in ("parameters.yaml", "Ligand", "wells", "dimensionless", "phosphorylated"):
        assert words not in page
    assert {p.name for p in out.iterdir()} == {
        "report.html", "estimates.csv", "starts.csv", "residuals.csv", "predictions.csv", "figures", "parameters.tsv",
        "fit.json", "state",
    }  # fmt: skip
    assert all(p.stat().st_size > 5000 for p in (out / "figures").iterdir())


def test_version_2_gives_the_same(out, tmp_path):
    fitted(str(write_2(tmp_path / "in")), "--starts", "1", "--out", str(tmp_path / "found"))
    one, two = (pd.read_csv(p / "estimates.csv").set_index("name").value for p in (out, tmp_path / "found"))
    np.testing.assert_allclose(two[NAMES[:5]], one[NAMES[:5]], rtol=2e-3)
    assert two["error"] == pytest.approx(one["error"] * math.log(10), rel=2e-3)
    table = pd.read_csv(tmp_path / "found" / "parameters.tsv", sep="\t").set_index("parameterId")
    np.testing.assert_allclose(table.nominalValue[NAMES], two[NAMES], rtol=1e-6)
    residuals = pd.read_csv(tmp_path / "found" / "residuals.csv")
    np.testing.assert_allclose(residuals.expected, pd.read_csv(out / "residuals.csv").expected, rtol=2e-3)


def test_a_killed_fit_resumes_and_ends_with_the_same_result(problem, tmp_path):
    words = [str(problem), "--starts", "3", "--profiles", "gain", "--threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "il2", "fit", *words, "--out", "killed"], cwd=tmp_path, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    first = tmp_path / "killed" / "state" / "start-00000.json"
    until = time.monotonic() + 60
    while not first.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and first.exists()
    assert not (tmp_path / "killed" / "estimates.csv").exists()
    kept = first.stat().st_mtime_ns
    fitted(*words, "--out", str(tmp_path / "killed"), "--resume")
    assert first.stat().st_mtime_ns == kept  # it was not run again
    fitted(*words, "--out", str(tmp_path / "whole"))
    for name in ("estimates.csv", "starts.csv", "residuals.csv", "predictions.csv", "parameters.tsv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_another_problem_is_refused_in_the_folder(problem, tmp_path):
    made = petab_made(problem, threads=1)
    run.fit_made(made, out=tmp_path / "out", starts=1)
    with pytest.raises(Il2Error, match="--seed differs"):
        run.fit_made(made, out=tmp_path / "out", starts=1, seed=1)
    with pytest.raises(Il2Error, match=r"no free number 'k3'. Known: all-determined, error"):
        run.fit_made(made, profiles=["k3"])
    for table, old, new in (("measurements", "\t0.5\t", "\t0.6\t"), ("parameters", "0.01\t10\t", "0.01\t11\t")):
        other = write_1(tmp_path / table)
        path = other.parent / f"{table}.tsv"
        path.write_text(path.read_text().replace(old, new, 1))
        with pytest.raises(Il2Error, match="the data differ from those of the fit in this folder"):
            run.fit_made(petab_made(other, threads=1), out=tmp_path / "out", starts=1)


REFUSED = [
    ((), {"chain.yaml": "a: [1\n"}, "not a PEtab problem"),
    ((), {"chain.yaml": "- 1\n"}, "has no format_version"),
    ((), {"conditions.tsv": None}, "conditions.tsv"),
    ((), {"model.xml": None}, "model.xml"),
    ((), {"measurements.tsv": "observableId\ttime\nwhole\t1\n"}, "chain.yaml"),
    ((), {"observables.tsv": "observableId\tobservableFormula\tnoiseFormula\nwhole\tA + C\terror\n"},
     "linter of petab refuses it"),
    (("--free", "k1"), {}, "--free does not apply to a PEtab problem"),
    (("--fix", "k1", "--model", "response-IL2", "--value", "x"), {},
     "--fix and --model and --value do not apply to a PEtab problem"),
    (("--profiles", "k3"), {}, "no free number 'k3'"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "files", "told"), REFUSED, ids=[r[2] for r in REFUSED])
def test_a_user_error_is_one_message(tmp_path, monkeypatch, words, files, told):
    path = write_1(tmp_path / "in")
    for name, text in files.items():
        if text is None:
            (path.parent / name).unlink()
        else:
            (path.parent / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["fit", str(path), *words])
    assert isinstance(done.exception, Il2Error), done.exception
    assert told in str(done.exception) and "\n" not in str(done.exception)
    assert not (tmp_path / "il2-fit").exists()


def test_a_missing_file_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["fit", "absent.yaml"])
    assert str(done.exception) == "absent.yaml: no such file. Give the YAML file of a PEtab problem."


def test_fixed_noise_is_taken_out_of_the_values(tmp_path):
    """Noise that is a number stands in the values of the points; what is reported is what was measured."""
    lines = V1["measurements"].replace("\t1.2\tgain;floor\tsd", "\t0\tgain;floor\t0.7")
    made = petab_made(folder(tmp_path, V1 | {"measurements": lines}), threads=1)
    raw = pd.read_csv(tmp_path / "measurements.tsv", sep="\t")
    np.testing.assert_allclose(made.measured(made.value), raw.measurement, rtol=1e-12)
    np.testing.assert_allclose(made.width, [0.7, 0.4, 1.0, 0.15, 0.15, 0.05, 0.05], rtol=1e-12)
    x = made.problem.start()
    sd = 10 ** x[made.problem.place["sd"]]
    expected = made.by_point(made.problem.predictions(x))
    told = made.measured(expected)
    z = over_noise(made, x, expected)
    np.testing.assert_allclose(z[:3], (raw.measurement - told)[:3] / [0.7, 0.4, sd], rtol=1e-9)
    np.testing.assert_allclose(z[3:5], np.log10((raw.measurement / told)[3:5]) / (0.15 * sd), rtol=1e-9)
    np.testing.assert_allclose(z[5:], np.log((raw.measurement / told)[5:]) / 0.05, rtol=1e-9)


def test_amounts_may_be_of_any_size(tmp_path):
    """The same problem in nanomolar and in molar units."""
    path = write_1(tmp_path / "in")
    one = petab_made(path, threads=1).problem
    for name, old, new in (
        ("conditions", "\t3\n", "\t3e-9\n"), ("observables", "gain * B", "1e9 * gain * B"),
        ("observables", "A + B", "1e9 * (A + B)"),
    ):  # fmt: skip
        table = path.parent / f"{name}.tsv"
        assert old in table.read_text()
        table.write_text(table.read_text().replace(old, new))
    other = petab_made(path, threads=1).problem
    np.testing.assert_allclose(other.predictions(other.start())[0], one.predictions(one.start())[0], rtol=1e-5)
    np.testing.assert_allclose(
        other.log_density(other.start())[1], one.log_density(one.start())[1], rtol=1e-4, atol=1e-3
    )  # fmt: skip


def test_hostile_names_are_escaped(tmp_path):
    path = write_1(tmp_path / "in")
    table = path.parent / "parameters.tsv"
    table.write_text(table.read_text().replace("k1 of the chain", "<script>alert(1)</script>"))
    fitted(str(path), "--starts", "1", "--out", str(tmp_path / "found"))
    page = (tmp_path / "found" / "report.html").read_text("utf-8")
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_several_models_and_shared_scales(tmp_path):
    """Two models of one parameter table, in which both observables of one share their scale."""
    one, two = (write_1(tmp_path / name) for name in ("a", "b"))
    for path in (one, two):
        observables = path.parent / "observables.tsv"
        observables.write_text(observables.read_text().replace("\tA + B\terror\tlog10", "\tgain * A\tsd\tlin"))
        parameters = path.parent / "parameters.tsv"
        parameters.write_text("".join(x for x in parameters.read_text().splitlines(True) if not x.startswith("error")))
        rows = (path.parent / "measurements.tsv").read_text().splitlines(keepends=True)
        kept = [row for row in rows if not row.startswith("whole")]
        kept += ["whole\tlow\t0\t88\n", "whole\tlow\t4\t41\n"]
        (path.parent / "measurements.tsv").write_text("".join(kept))
    parts = [
        {"sbml_files": [f"{n}/model.xml"], "condition_files": [f"{n}/conditions.tsv"],
         "observable_files": [f"{n}/observables.tsv"], "measurement_files": [f"{n}/measurements.tsv"]}
        for n in ("a", "b")
    ]  # fmt: skip
    whole = {"format_version": 1, "parameter_file": "a/parameters.tsv", "problems": parts}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(whole))
    fitted(str(tmp_path / "both.yaml"), "--starts", "1", "--out", str(tmp_path / "found"))
    table = pd.read_csv(tmp_path / "found" / "residuals.csv")
    assert set(table.model) == {"both_1", "both_2"} and len(table) == 2 * 34
    assert table.expected[:34].tolist() == pytest.approx(table.expected[34:].tolist())
    assert (
        pd.read_csv(tmp_path / "found" / "predictions.csv").groupby(["model", "observable", "condition"]).ngroups == 6
    )


def test_the_guide_runs_as_pasted(tmp_path, monkeypatch):
    guide = ROOT / "docs" / "fit.md"
    names = ("parameters", "conditions", "observables", "measurements")
    (model,), (whole,), tables = blocks(guide, "xml"), blocks(guide, "yaml"), blocks(guide, "tsv")
    (tmp_path / "model.xml").write_text(model)
    (tmp_path / "problem.yaml").write_text(whole)
    for name, text in zip(names, tables, strict=True):
        (tmp_path / f"{name}.tsv").write_text(text)
    (line,) = (line for line in commands(guide) if "problem.yaml" in line)
    monkeypatch.chdir(tmp_path)
    fitted(*shlex.split(line)[2:])
    table = pd.read_csv(tmp_path / "uptake" / "estimates.csv").set_index("name")
    assert table.determined.all() and table.low_95["rate"] < 0.06 < table.high_95["rate"]
    assert table.interval_from["rate"] == "profile"
