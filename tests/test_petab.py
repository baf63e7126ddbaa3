"""PEtab in and out: the likelihood of independent simulators, the linter of petab, and round trips."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from petab_example import example
from scipy import stats
from scipy.integrate import solve_ivp
from typer.testing import CliRunner

from il2.errors import Il2Error
from il2.fit.block import Block, Points, Use, block
from il2.fit.free import DYNAMIC, NOISE, OBSERVATION, Free
from il2.fit.problem import Problem
from il2.formats.petab_read import FromPetab, read_petab
from il2.formats.petab_write import write
from il2.network.expression import sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Species, check, reaction

pytest.importorskip("libsbml", reason="python-libsbml is not installed (extra il2[sbml])")
petab = pytest.importorskip("petab.v1", reason="petab is not installed (extra il2[petab])")

MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="chain">
<listOfCompartments><compartment id="cell" spatialDimensions="3" size="2" constant="true"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="cell" initialConcentration="1" hasOnlySubstanceUnits="false"
  boundaryCondition="false" constant="false"/>
<species id="B" compartment="cell" initialConcentration="0" hasOnlySubstanceUnits="false"
  boundaryCondition="false" constant="false"/>
</listOfSpecies>
<listOfParameters><parameter id="k1" value="7" constant="true"/><parameter id="k2" value="9" constant="true"/>
<parameter id="dose" value="1" constant="true"/></listOfParameters>
<listOfReactions>
<reaction id="there" reversible="false" fast="false">
  <listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
  <listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
  <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
  <apply><times/><ci>cell</ci><ci>k1</ci><ci>dose</ci><ci>A</ci></apply></math></kineticLaw></reaction>
<reaction id="gone" reversible="false" fast="false">
  <listOfReactants><speciesReference species="B" stoichiometry="1" constant="true"/></listOfReactants>
  <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
  <apply><times/><ci>cell</ci><ci>k2</ci><ci>B</ci></apply></math></kineticLaw></reaction>
</listOfReactions></model></sbml>"""
V1 = {
    "conditions": "conditionId\tdose\tA\nlow\t0.5\tstart\nhigh\tstrong\t3\n",
    "parameters": (
        "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\tobjectivePriorType"
        "\tobjectivePriorParameters\n"
        "k1\tlog10\t0.01\t10\t0.4\t1\tparameterScaleNormal\t-0.5;0.3\n"
        "k2\tlog\t0.01\t10\t0.2\t1\tparameterScaleNormal\t-1.5;0.5\n"
        "start\tlin\t0.1\t10\t2.5\t1\tnormal\t2;1\n"
        "strong\tlin\t0\t10\t1.5\t0\t\t\n"
        "gain\tlog10\t0.01\t100\t3\t1\t\t\nfloor\tlin\t-5\t5\t0.25\t1\t\t\n"
        "sd\tlog10\t0.01\t10\t0.3\t1\t\t\n"
    ),
    "observables": (
        "observableId\tobservableFormula\tnoiseFormula\tobservableTransformation\tnoiseDistribution\n"
        "scaled\tobservableParameter1_scaled * B + observableParameter2_scaled\tnoiseParameter1_scaled\tlin\tnormal\n"
        "logged\tgain * (A + B)\t0.15 * sd\tlog10\tnormal\n"
        "ratio\tA / (A + B)\t0.05\tlog\tnormal\n"
    ),
    "measurements": (
        "observableId\tsimulationConditionId\ttime\tmeasurement\tobservableParameters\tnoiseParameters\n"
        "scaled\tlow\t1\t1.2\tgain;floor\tsd\nscaled\tlow\t4\t2.1\tgain;0.5\t0.4\nscaled\thigh\t2\t4\t2;floor\tsd\n"
        "logged\tlow\t0\t7\t\t\nlogged\thigh\t3\t4.5\t\t\nratio\thigh\t2\t0.3\t\t\nratio\tlow\t6\t0.4\t\t\n"
    ),
}  # fmt: skip


def folder(path: Path, tables: dict[str, str] = V1, model: str = MODEL) -> Path:
    """The problem of the tables as files; returns its YAML file."""
    path.mkdir(exist_ok=True)
    (path / "model.xml").write_text(model)
    for name, text in tables.items():
        (path / f"{name}.tsv").write_text(text)
    whole = {
        "format_version": 1, "parameter_file": "parameters.tsv",
        "problems": [{"sbml_files": ["model.xml"], "condition_files": ["conditions.tsv"],
                      "observable_files": ["observables.tsv"], "measurement_files": ["measurements.tsv"]}],
    }  # fmt: skip
    (path / "chain.yaml").write_text(yaml.safe_dump(whole))
    return path / "chain.yaml"


def changed(path: Path, table: str, old: str, new: str) -> Path:
    assert old in V1[table]
    return folder(path, V1 | {table: V1[table].replace(old, new)})


def by_hand(v: dict[str, float]) -> float:
    """The log likelihood of the problem above, by SciPy and from the definitions of the format."""

    def state(dose: float, a: float, t: float) -> np.ndarray:
        def slope(_: float, y: np.ndarray) -> list[float]:
            return [-v["k1"] * dose * y[0], v["k1"] * dose * y[0] - v["k2"] * y[1]]

        return solve_ivp(slope, (0, max(t, 1e-9)), [a, 0.0], "LSODA", rtol=1e-10, atol=1e-12).y[:, -1]

    low, high = (0.5, v["start"]), (1.5, 3.0)

    def logs(measured: float, expected: float, sd: float, per: float) -> float:
        density = stats.norm.logpdf(math.log(measured) / per, math.log(expected) / per, sd)
        return density - math.log(measured * per)

    total = stats.norm.logpdf(1.2, v["gain"] * state(*low, 1)[1] + v["floor"], v["sd"])
    total += stats.norm.logpdf(2.1, v["gain"] * state(*low, 4)[1] + 0.5, 0.4)
    total += stats.norm.logpdf(4.0, 2 * state(*high, 2)[1] + v["floor"], v["sd"])
    total += logs(7.0, v["gain"] * state(*low, 0).sum(), 0.15 * v["sd"], math.log(10))
    total += logs(4.5, v["gain"] * state(*high, 3).sum(), 0.15 * v["sd"], math.log(10))
    a, b = state(*high, 2)
    total += logs(0.3, a / (a + b), 0.05, 1.0)
    a, b = state(*low, 6)
    return float(total + logs(0.4, a / (a + b), 0.05, 1.0))


def values(found: FromPetab, x: np.ndarray) -> dict[str, float]:
    return {f.name: 10**v if f.scale == "log10" else v for f, v in zip(found.problem.free, x, strict=True)}


NAMES = ("k1", "k2", "start", "gain", "floor", "sd")


def test_the_likelihood_is_that_of_scipy(tmp_path: Path):
    found = read_petab(folder(tmp_path), threads=1)
    assert found.problem.names == NAMES
    np.testing.assert_allclose(list(values(found, found.nominal).values()), [0.4, 0.2, 2.5, 3, 0.25, 0.3])
    for shift in (0.0, 0.1, -0.2):
        x = found.nominal + shift
        assert found.log_likelihood(x) == pytest.approx(by_hand(values(found, x)), rel=1e-4)


def test_what_was_read_can_be_written(tmp_path: Path):
    found = read_petab(folder(tmp_path / "in"), threads=1)
    path = write(found.problem, tmp_path / "out", found.nominal)[0]
    assert linted(path)
    back = read_petab(path, threads=1)
    assert [f.note or f.name for f in back.problem.free] == list(NAMES)
    assert back.log_likelihood(back.nominal) + found.constant == pytest.approx(
        by_hand(values(found, found.nominal)), 1e-4
    )


def test_a_number_of_the_model_can_be_the_noise(tmp_path: Path):
    """`dose` is a constant of the model here, of value 1 as the file says."""
    tables = V1 | {"conditions": "conditionId\tA\nlow\tstart\nhigh\t3\n"}
    tables["parameters"] = tables["parameters"].replace("strong\tlin\t0\t10\t1.5\t0\t\t\n", "")
    ones, named = (tables["observables"].replace("0.15 * sd", f"{noise} * sd") for noise in ("1", "dose"))
    both = [read_petab(folder(tmp_path / n[:5], tables | {"observables": n}), threads=1) for n in (ones, named + " ")]
    first, second = (found.log_likelihood(found.nominal) for found in both)
    assert first == pytest.approx(second, rel=1e-9)


def test_priors_bounds_and_kinds(tmp_path: Path):
    free = {f.name: f for f in read_petab(folder(tmp_path)).problem.free}
    assert free["k1"].centre == pytest.approx(10**-0.5) and free["k1"].spread == 0.3
    assert free["k2"].centre == pytest.approx(math.exp(-1.5)) and free["k2"].spread == pytest.approx(0.5 / math.log(10))
    assert (free["start"].scale, free["start"].centre, free["start"].spread) == ("lin", 2, 1)
    assert math.isinf(free["gain"].spread) and free["gain"].centre == 3
    assert (free["floor"].low, free["floor"].high) == (-5, 5)
    kinds = {name: f.kind for name, f in free.items()}
    assert kinds == {
        "k1": DYNAMIC, "k2": DYNAMIC, "start": DYNAMIC, "gain": OBSERVATION, "floor": OBSERVATION, "sd": NOISE
    }  # fmt: skip


def test_the_gradient_is_that_of_differences(tmp_path: Path):
    problem = read_petab(folder(tmp_path), threads=1).problem
    tight = tuple(replace(b, tolerances=replace(b.tolerances, rtol=1e-10, atol=1e-12)) for b in problem.blocks)
    problem = replace(problem, blocks=tight)
    x = problem.start() + 0.05
    _, slope = problem.log_density(x)
    step = 1e-5 * np.eye(len(x))
    differences = [(problem.log_density(x + s)[0] - problem.log_density(x - s)[0]) / 2e-5 for s in step]
    assert np.abs(slope).min() > 1e-3
    np.testing.assert_allclose(slope, differences, rtol=1e-4)


def test_simple_scales_and_backgrounds_stay_outside_the_network(tmp_path: Path):
    points = read_petab(folder(tmp_path)).problem.blocks[0].points
    assert points.background.tolist()[0] == "floor" and points.noise.tolist()[:3] == ["sd", "", "sd"]
    assert set(points.scale.tolist()) <= {"gain", ""}


REFUSED = [
    ("observables", "lin\tnormal\nlogged", "lin\tlaplace\nlogged", "scaled: laplace noise is not read"),
    ("observables", "0.15 * sd", "0.15 * sd + 0.1", "the noise"),
    ("observables", "0.15 * sd", "0.15 * A", "knows no prediction"),
    ("observables", "A / (A + B)", "max(A, B)", "cannot be read"),
    ("observables", "A / (A + B)", "A / 0", "ratio: zoo is not a real number"),
    ("parameters", "parameterScaleNormal\t-0.5;0.3", "laplace\t0.5;0.3", "chain: k1: the prior 'laplace'"),
    ("parameters", "log10\t0.01\t100\t3\t1", "log10\t0\t100\t3\t1", "linter of petab"),
    ("parameters", "sd\tlog10\t0.01\t10\t0.3\t1\t\t\n", "", "linter of petab refuses it: .*sd"),
    ("measurements", "ratio\tlow\t6\t", "ratio\tlow\tinf\t", "steady state"),
    ("measurements", "ratio\thigh\t2\t0.3", "ratio\thigh\t2\t-0.3", "must be positive"),
    ("measurements", "ratio\thigh\t2\t0.3", "ratio\thigh\t2\tinf", "is inf"),
    ("measurements", "ratio\tlow", "ratio\tmiddle", "linter of petab refuses it"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "words"), REFUSED, ids=[r[3] for r in REFUSED])
def test_refused_in_words(tmp_path: Path, table: str, old: str, new: str, words: str):
    with pytest.raises(Il2Error, match=words):
        read_petab(changed(tmp_path, table, old, new))


def test_preequilibration_and_missing_files_are_refused(tmp_path: Path):
    lines = V1["measurements"].splitlines()
    told = [lines[0] + "\tpreequilibrationConditionId", *(f"{line}\tlow" for line in lines[1:])]
    with pytest.raises(Il2Error, match="preequilibration in 'low' is not read"):
        read_petab(folder(tmp_path, V1 | {"measurements": "\n".join(told) + "\n"}))
    with pytest.raises(Il2Error, match="no such file"):
        read_petab(tmp_path / "absent.yaml")
    path = folder(tmp_path)
    (tmp_path / "conditions.tsv").unlink()
    with pytest.raises(Il2Error, match="not a PEtab problem"):
        read_petab(path)
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(Il2Error, match="no format_version"):
        read_petab(tmp_path / "list.yaml")


V2 = {
    "conditions": (
        "conditionId\ttargetId\ttargetValue\n"
        "low\tdose\t0.5\nstarted\tA\t2 * start\nhigh\tdose\tstrong\nhigh\tA\t3\n"
    ),
    "experiments": "experimentId\ttime\tconditionId\nweak\t0\tlow\nweak\t0\tstarted\nmuch\t0\thigh\n",
    "parameters": (
        "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\tpriorDistribution\tpriorParameters\n"
        "k1\t0.01\t10\t0.4\ttrue\tlog-normal\t-1;0.5\nk2\t0.01\t10\t0.2\ttrue\t\t\nstart\t0.1\t10\t1.25\ttrue\tnormal\t2;1\n"
        "strong\t\t\t1.5\tfalse\t\t\ngain\t0.01\t100\t3\ttrue\t\t\nfloor\t-5\t5\t0.25\ttrue\t\t\n"
        "sd\t0.01\t10\t0.3\ttrue\t\t\n"
    ),
    "observables": (
        "observableId\tobservableFormula\tnoiseFormula\tnoiseDistribution\tobservablePlaceholders\tnoisePlaceholders\n"
        "scaled\tslope * B + offset\tspread\tnormal\tslope;offset\tspread\n"
        "logged\tgain * (A + B)\t0.15 * sd * 2.302585092994046\tlog-normal\t\t\n"
        "ratio\tA / (A + B)\t0.05\tlog-normal\t\t\n"
    ),
    "measurements": V1["measurements"].replace("simulationConditionId", "experimentId").replace("\tlow\t", "\tweak\t")
    .replace("\thigh\t", "\tmuch\t"),
}  # fmt: skip


def folder_2(path: Path, tables: dict[str, str]) -> Path:
    folder(path, tables)
    whole = {
        "format_version": "2.0.0", "parameter_files": ["parameters.tsv"],
        "model_files": {"chain": {"location": "model.xml", "language": "sbml"}},
        **{f"{name[:-1]}_files": [f"{name}.tsv"] for name in tables if name != "parameters"},
    }  # fmt: skip
    (path / "chain.yaml").write_text(yaml.safe_dump(whole))
    return path / "chain.yaml"


def test_version_2_says_the_same(tmp_path: Path):
    """The same problem in version 2, where log10 noise is log noise of ln(10) times the size."""
    found = read_petab(folder_2(tmp_path, V2), threads=1)
    x = found.nominal + 0.1
    table = values(found, x)
    assert found.log_likelihood(x) == pytest.approx(by_hand(table | {"start": 2 * table["start"]}), rel=1e-4)
    free = {f.name: f for f in found.problem.free}
    assert free["k1"].spread == pytest.approx(0.5 / math.log(10)) and free["k1"].centre == pytest.approx(math.exp(-1))
    assert [free[n].scale for n in NAMES] == ["log10", "log10", "lin", "log10", "lin", "log10"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("weak\t0\tlow\n", "weak\t-inf\tlow\n", "preequilibration in 'weak'"), ("much\t0", "much\t1", "periods from 1")],
)
def test_version_2_refusals(tmp_path: Path, old: str, new: str, words: str):
    tables = V2 | {"experiments": V2["experiments"].replace(old, new)}
    with pytest.raises(Il2Error, match=words):
        read_petab(folder_2(tmp_path, tables))


SUITE = [f"{i:04d}" for i in range(1, 19)]
PREEQUILIBRATED = {"0009", "0010", "0017", "0018"}


@pytest.mark.parametrize("case", SUITE)
def test_the_test_suite_of_the_format(case: str):
    """Log likelihoods that the suite publishes, made with independent code."""
    suite = pytest.importorskip("petabtests", reason="petabtests is not installed")
    where = Path(suite.__file__).parent / "cases" / "v1.0.0" / "sbml" / case
    if not where.is_dir():
        pytest.skip("the cases did not come with petabtests")
    if case in PREEQUILIBRATED:
        with pytest.raises(Il2Error, match="preequilibration"):
            read_petab(where / f"_{case}.yaml")
        return
    expected = yaml.safe_load((where / f"_{case}_solution.yaml").read_text())
    found = read_petab(where / f"_{case}.yaml", threads=1)
    assert found.log_likelihood(found.nominal) == pytest.approx(expected["llh"], abs=1e-5)


def test_a_published_problem():
    """Boehm et al. 2014: negative log likelihood 138.222 at the nominal values."""
    collection = pytest.importorskip("benchmark_models_petab", reason="the benchmark collection is not installed")
    found = read_petab(Path(collection.get_problem_yaml_path("Boehm_JProteomeRes2014")), threads=1)
    assert -found.log_likelihood(found.nominal) == pytest.approx(138.222, abs=1e-2)


def linted(path: Path) -> bool:
    """Whether the linter of petab accepts a problem of one model."""
    logging.getLogger("petab").setLevel(logging.CRITICAL)
    return not petab.lint_problem(petab.Problem.from_yaml(str(path)))


@pytest.fixture(scope="module")
def ours() -> Problem:
    return example(("IL2",), ("Treg", "NK"), threads=1)


def test_our_problem_is_accepted_and_comes_back(ours: Problem, tmp_path: Path):
    files = write(ours, tmp_path / "out")
    assert files[0].name == "problem.yaml" and linted(files[0])
    back = read_petab(files[0], threads=1)
    assert back.problem.degrees == ours.degrees and back.problem.n_points == ours.n_points
    assert sorted(f.note for f in back.problem.free) == sorted(ours.names)
    order = [[f.note for f in back.problem.free].index(name) for name in ours.names]
    x = ours.start() + np.linspace(-0.1, 0.1, len(ours.free))
    y = np.empty_like(x)
    y[order] = x
    np.testing.assert_allclose(back.problem.predictions(y)[0], ours.predictions(x)[0], rtol=1e-9)
    (mine, slope), (theirs, back_slope) = ours.log_density(x), back.problem.log_density(y)
    assert theirs == pytest.approx(mine, rel=1e-9)
    np.testing.assert_allclose(back_slope[order], slope, rtol=1e-5, atol=1e-6 * np.abs(slope).max())


def test_the_linter_would_see_a_broken_table(ours: Problem, tmp_path: Path):
    path = write(ours, tmp_path)[0]
    table = tmp_path / "parameters.tsv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    assert not linted(path)


def simulated(path: Path, conditions: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Measurement rows of some conditions, and what libroadrunner predicts from the written files alone."""
    roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner is not installed")
    read = petab.Problem.from_yaml(str(path))
    nominal = read.parameter_df["nominalValue"].to_dict()

    def number(cell: object) -> float:
        return float(nominal.get(cell, cell) if isinstance(cell, str) else cell)  # type: ignore[arg-type]

    rows, told = [], []
    runner = roadrunner.RoadRunner(read.model.to_sbml_str())
    for condition in conditions:
        runner.resetToOrigin()
        for column, cell in read.condition_df.loc[condition].items():
            runner[f"init({column})"] = number(cell)
        runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, 1e-12
        mine = read.measurement_df[read.measurement_df["simulationConditionId"] == condition]
        watched = mine["observableId"].iloc[0]
        runner.timeCourseSelections = ["time", watched.removeprefix("observed_")]
        times = sorted({0.0, *mine["time"].astype(float)})
        signal = dict(np.array(runner.simulate(times=times)).tolist())
        for i, row in mine.iterrows():
            factors = [number(f) for f in str(row["observableParameters"]).split(";")] + [0.0]
            rows.append(i)
            told.append(factors[0] * signal[float(row["time"])] + factors[1])
    return np.array(rows), np.array(told)


def test_another_simulator_gives_our_predictions(ours: Problem, tmp_path: Path):
    x = ours.start() + np.linspace(-0.2, 0.2, len(ours.free))
    path = write(ours, tmp_path, x)[0]
    used = sorted(set(petab.Problem.from_yaml(str(path)).measurement_df["simulationConditionId"]))
    rows, told = simulated(path, used[::6])
    mine = ours.predictions(x)[0][rows]
    assert len(rows) > 25 and np.ptp(mine) > 1000
    np.testing.assert_allclose(told, mine, rtol=1e-4, atol=1e-4 * mine.max())


def test_several_networks_are_folders_of_one_table(tmp_path: Path):
    both = example(("IL2", "IL15"), ("Treg",), threads=1)
    files = write(both, tmp_path)
    parts = [f for f in files[1:] if f.name == "problem.yaml"]
    assert len(parts) == 2 and all(linted(f) for f in parts)
    whole = petab.CompositeProblem.from_yaml(str(files[0]))
    shared = set.intersection(*(set(petab.Problem.from_yaml(str(f)).parameter_df.index) for f in parts))
    assert len(whole.problems) == 2 and {"IL2RB_of_Treg", "IL2RG_of_Treg"} <= shared
    back = read_petab(files[0], threads=1)
    assert [b.network.name for b in back.problem.blocks] == [b.network.name for b in both.blocks]
    assert len(back.problem.free) == len(both.free)
    mine = sum(part.sum() for part in both.pointwise(both.start()))
    theirs = sum(part.sum() for part in back.problem.pointwise(back.nominal))
    assert theirs == pytest.approx(mine, rel=1e-9)


def small() -> Problem:
    """Powers, two free numbers on one parameter, a derived constant, a name that is taken, weights and censoring."""
    network = check(Network(
        "pair", (Compartment("cell", 2),),
        (Species("A", "cell", sym("count")), Species("AA", "cell", sym("count") * 0)),
        (Parameter("count", 50.0, "molecule/cell"), Parameter("on", 0.01, "cell/(molecule*min)"),
         Parameter("K", 5.0, "molecule/cell")),
        (Derived("off", sym("on") * sym("K"), "1/min"),), (reaction("pairs", ["A", "A"], ["AA"], "on", "off"),),
        (Observable("pairs", sym("AA"), "molecule/cell"), Observable("singles", sym("A"), "molecule/cell")),
    ))  # fmt: skip
    free = (
        Free("K", "", 0.1, 10, 1.5), Free("count of <A>", "", 1, 1000, 40, 0.3), Free("batch", "", 0.1, 10, 1.2, 0.1),
        Free("scale 1", "", 0.1, 1000, 20, kind=OBSERVATION), Free("base", "", -5, 50, 3, 4, "lin", OBSERVATION),
        Free("noise", "", 0.1, 100, 2, kind=NOISE),
    )  # fmt: skip
    some, every = np.array([0, 2]), np.arange(3)
    uses = [
        Use("K", "K", every),
        Use("K", "batch", some, -1.0),
        Use("on", "batch", some),
        Use("count", "count of <A>", some),
    ]
    points = Points(
        lane=np.array([0, 0, 1, 2, 2, 1]), time=np.array([0, 1, 1, 0, 1, 0]), readout=np.array([0, 1, 0, 0, 1, 0]),
        value=np.array([90.0, 25, 300, 100, 20, 15]),
        scale=np.array(["scale 1", "", "scale 1", "", "", "scale 1"], object),
        background=np.array(["base", "", "", "base", "", ""], object),
        noise=np.array(["noise", "noise", "noise", "", "noise", "noise"], object),
        censored=np.array([0, 0, 0, 0, 0, -1]), weight=np.array([1.0, 0.25, 1, 1, 1, 1]),
    )  # fmt: skip
    values = {"count": np.array([1.0, 60.0, 1.0]), "on": np.array([0.01, 0.02, 0.03])}
    of: Block = block(network, [1.0, 5.0], ["pairs", "singles"], values, uses, points)
    return Problem("small", free, (of,), 1, degrees=math.inf)


def test_products_of_free_numbers_weights_and_censored_points(tmp_path: Path):
    problem = small()
    path = write(problem, tmp_path)[0]
    assert linted(path)
    note = (tmp_path / "README.txt").read_text()
    assert "1 censored points are left out" in note and "weight" in note and "Student" not in note
    back = read_petab(path, threads=1)
    kept = problem.blocks[0].points.censored == 0
    np.testing.assert_allclose(
        np.concatenate(back.problem.predictions(back.nominal)) * _deviations(problem)[kept],
        problem.predictions(problem.start())[0][kept], rtol=1e-9,
    )  # fmt: skip
    free = {f.note: f for f in back.problem.free}
    assert set(free) == {f.name for f in problem.free}
    assert free["count of <A>"].centre == pytest.approx(40) and free["count of <A>"].spread == 0.3
    assert (free["base"].scale, free["base"].centre, free["base"].spread) == ("lin", 3, 4)
    assert free["K"].name not in ("K", "k")


def _deviations(problem: Problem) -> np.ndarray:
    """What divides values and readouts of points, so that their noise is one free number: the root of the weight."""
    return 1 / np.sqrt(problem.blocks[0].points.weight)


def test_free_numbers_act_on_the_sbml_as_on_the_network(tmp_path: Path):
    problem = small()
    rows, told = simulated_all(write(problem, tmp_path)[0])
    kept = np.flatnonzero(problem.blocks[0].points.censored == 0)
    np.testing.assert_allclose(told, problem.predictions(problem.start())[0][kept][rows], rtol=1e-4)


def simulated_all(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """As `simulated`, for formulas of any kind: petab's own parser says them."""
    roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner is not installed")
    from petab.v1.math import sympify_petab

    read = petab.Problem.from_yaml(str(path))
    nominal = read.parameter_df["nominalValue"].to_dict()
    rows, told = [], []
    for i, row in read.measurement_df.iterrows():
        runner = roadrunner.RoadRunner(read.model.to_sbml_str())
        for column, cell in read.condition_df.loc[row["simulationConditionId"]].items():
            runner[f"init({column})"] = float(nominal.get(cell, cell))
        runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, 1e-12
        runner.simulate(0, float(row["time"]), 2)
        formula = sympify_petab(read.observable_df.loc[row["observableId"], "observableFormula"])
        overrides = str(row["observableParameters"]).split(";")
        table = {f"observableParameter{n}_{row['observableId']}": v for n, v in enumerate(overrides, 1)}
        numbers = {
            s: float(nominal.get(table[s.name], table[s.name])) if s.name in table else float(runner[s.name])
            for s in formula.free_symbols
        }
        rows.append(i)
        told.append(float(formula.subs(numbers)))
    return np.array(rows), np.array(told)


def test_the_command_writes_what_the_linter_accepts(tmp_path: Path):
    import il2.cli.export  # noqa: F401  adds its verb
    from il2.cli.app import app

    result = CliRunner().invoke(app, ["export", "--petab", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert linted(tmp_path / "out" / "response_IL2" / "problem.yaml")
    assert CliRunner().invoke(app, ["export", "--petab", str(tmp_path), "--sbml"]).exit_code != 0


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(Il2Error, match="no folder can be made"):
        write(small(), tmp_path / "taken")
