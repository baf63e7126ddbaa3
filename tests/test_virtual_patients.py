"""Virtual patients: the same in any chunk, as different as the table says, and counted as statistics counts."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import binomtest
from test_cli import ROOT, commands, write_files
from typer.testing import CliRunner

from il2.cli import population as _population  # noqa: F401  adds its verb
from il2.cli import treat as _treat  # noqa: F401  so that the app has several verbs
from il2.cli.app import app
from il2.engine.solve import Tolerances
from il2.errors import Il2Error
from il2.knowledge.cell import cell
from il2.knowledge.person import person
from il2.knowledge.variation import variation
from il2.patient.amounts import events, given
from il2.patient.arm import TASK, Arm, arms_of, lanes, settings
from il2.patient.binomial import difference, exact, logistic, mean_difference
from il2.patient.body import Body
from il2.patient.cohort import COURSE, STATUS, treat
from il2.patient.course import follow, lowered, plan_of
from il2.patient.dose import dose
from il2.patient.notice import RESEARCH_USE
from il2.patient.numbers import numbers
from il2.patient.observed import read_measured
from il2.patient.people import factors, values
from il2.patient.population import exposure_response, failures, percentiles, responders
from il2.patient.predictive import check, coverage, variables
from il2.patient.regimen import doses
from il2.patient.regimen_file import regimen
from il2.patient.results import Asked, at_doses, results
from il2.patient.trial import compare, read_trial
from il2.patient.variable import criterion, variable
from il2.report.population import population_html
from il2.runs.collect import finished
from il2.runs.job import Job
from il2.runs.run import run

DOCUMENT = ROOT / "docs" / "patient.md"
DAILY, WHO = regimen("cGVHD_daily"), person("cGVHD")
PLAN = plan_of([DAILY])
DAYS = 8.0
REPORT = [0.0, 4.0, 8.0]
READOUTS = ["aldesleukin_nM", "count_Treg", "count_NK", "eosinophils"]
RESPONDS = criterion("fold_Treg peak >= 2")


def arm(number: int = 40, name: str = "daily", **more) -> Arm:
    return Arm(name, DAILY, WHO, number, **more)


def asked(*arms: Arm, seed: int = 3, days: float = DAYS) -> dict:
    return json.loads(json.dumps(settings(arms, days, REPORT, READOUTS, seed)))


def reader(given: dict):
    """Arrays of all patients, computed at once."""
    whole = treat(given, 0, sum(one["number"] for one in given["arms"]))
    return lambda names: {name: whole[name] for name in names}


@pytest.fixture(scope="module")
def cohort():
    given = asked(arm(600))
    return reader(given), given


def invoke(*words: str):
    return CliRunner().invoke(app, ["population", *words], env={"COLUMNS": "200"})


def refused(*words: str) -> str:
    done = invoke(*words)
    assert isinstance(done.exception, Il2Error), (done.output, done.exception)
    return str(done.exception)


# --- who is drawn --------------------------------------------------------------------------------------------------
def test_people_differ_as_the_table_says():
    of = variation()
    drawn = np.log(np.stack(list(factors(11, np.arange(20_000)).values())))
    assert np.abs(drawn.mean(axis=1) / of.sd).max() < 0.035
    assert np.abs(drawn.std(axis=1) / of.sd - 1).max() < 0.025
    assert np.abs(np.corrcoef(drawn) - of.correlation).max() < 0.03


def test_a_person_does_not_depend_on_its_neighbours():
    whole, few = factors(5, np.arange(1000)), factors(5, np.array([7, 901, 13]))
    assert all(np.array_equal(whole[name][[7, 901, 13]], few[name]) for name in whole)
    assert not np.array_equal(factors(6, np.arange(10))["CL"], whole["CL"][:10])


def test_a_drawn_person_has_the_numbers_of_a_given_one():
    drawn = factors(2, np.arange(3))
    found = values(PLAN, WHO, drawn)
    for i in range(3):
        one = {name: float(f[i]) for name, f in drawn.items()}
        own = WHO.having(**{name: WHO[name].value * f for name, f in one.items() if name in WHO.values})
        usual = cell("Treg").counts["IL2RA"].value
        told = numbers(PLAN, own, {"Treg IL2RA": np.array([usual * one["IL2RA"]])})
        typical = numbers(PLAN, WHO)
        for name, value in found.items():
            mine = np.broadcast_to(value, (3,))[i]
            if name == "IL2_need":
                assert mine == one["EC50"]
            elif name == "aldesleukin bioavailability":
                assert mine == min(1.0, typical[name] * one["F"])
            elif name in ("aldesleukin central_volume", "aldesleukin reference_clearance", "aldesleukin absorption"):
                assert mine != typical[name]
            elif "Treg" in name and name.startswith(("uptake_", "pSTAT5_")):
                continue  # interpolated; judged by the course below
            else:
                assert mine == pytest.approx(float(np.ravel(told[name])[0]), rel=1e-12), name
    assert max(found["aldesleukin bioavailability"]) <= 1


def test_terms_between_grid_points_give_the_course_of_exact_ones():
    drawn = {name: np.ones(5) for name in variation().names}
    drawn["IL2RA"] = np.array([0.55, 0.83, 1.0, 1.31, 2.2])
    found = values(PLAN, WHO, drawn)
    usual = cell("Treg").counts["IL2RA"].value
    times = np.array([0.0, 7.0, 14.0])
    exact_one = follow(DAILY, WHO, times, ["count_Treg", "count_NK"], {"Treg IL2RA": usual * drawn["IL2RA"]})
    near = follow(
        DAILY, WHO, times, ["count_Treg", "count_NK"],
        changes={n: v for n, v in found.items() if n in lowered(PLAN)[0].parameter_names},
    )  # fmt: skip
    for name in ("count_Treg", "count_NK"):
        assert near[name] == pytest.approx(exact_one[name], rel=0.01)


def test_doses_go_by_size_where_they_should():
    drawn = factors(2, np.arange(4))
    for name in ("cGVHD_daily", "high_dose_aldesleukin", "basiliximab_renal"):
        chosen = regimen(name)
        found = given(chosen, WHO, drawn)
        for i in range(4):
            body = Body(*(WHO[n].value * float(drawn[n][i]) for n in ("weight_kg", "height_cm", "eGFR")))
            told = doses(chosen, body)
            amounts = [np.broadcast_to(amount, (4,))[i] for _, amount in found]
            assert amounts == pytest.approx([g.amount_nmol for g in told], rel=1e-12)
            assert [one.time_d for one, _ in found] == [g.time_d for g in told]
        assert np.ndim(found[0][1]) == (name != "basiliximab_renal") and len(events(found)) == len(found)


# --- the same bits ------------------------------------------------------------------------------------------------
def test_a_patient_has_the_same_bits_in_any_chunk():
    arms = (arm(30), Arm("high", regimen("high_dose_aldesleukin"), person("healthy"), 20, first=30))
    given = asked(*arms)
    whole = treat(given, 0, 50)
    for first, last in ((0, 7), (25, 34), (49, 50)):
        part = treat(given, first, last)
        for name, array in part.items():
            assert array.tobytes() == whole[name][first:last].astype(array.dtype).tobytes(), name
    assert set(whole[STATUS]) == {0} and whole[COURSE + "count_Treg"].dtype == np.float32


def test_a_run_that_was_stopped_ends_with_the_same_bytes(tmp_path):
    job = Job(TASK, asked(arm(36)), 36, 7)

    class Stop(Exception):
        pass

    def stop(done: int, _: int) -> None:
        if done == 3:
            raise Stop

    run(job, tmp_path / "whole")
    with pytest.raises(Stop):
        run(job, tmp_path / "twice", on_done=stop)
    told: list[tuple[int, int]] = []
    run(job, tmp_path / "twice", on_done=lambda *at: told.append(at))
    assert told[0] == (3, 6) and told[-1] == (6, 6)
    assert finished(tmp_path / "twice", job).digest() == finished(tmp_path / "whole", job).digest()


def test_settings_hold_the_arms():
    changed = replace(arm(12), person=WHO.having(weight_kg=91.0), changes=(("IL2_made", 0.5),), first=9)
    (back,) = arms_of(asked(changed))
    assert back.person["weight_kg"].value == 91 and back.changes == (("IL2_made", 0.5),) and back.first == 9
    assert back.regimen.courses == DAILY.courses and lanes([back, arm(3)]) == 15


def test_patients_are_solved_well_enough(monkeypatch):
    given = asked(arm(20), Arm("high", regimen("high_dose_aldesleukin"), person("healthy"), 20))
    found = treat(given, 0, 40)
    monkeypatch.setattr("il2.patient.cohort.TOLERANCES", Tolerances(rtol=1e-8, atol=1e-12))
    told = treat(given, 0, 40)
    for name in ("aldesleukin AUC", "aldesleukin Cmax_last", "fold_Treg peak", "fold_eosinophil end"):
        assert found[name] == pytest.approx(told[name], rel=1e-3)
    for name in ("count_Treg", "count_NK", "eosinophils"):
        assert found[COURSE + name] == pytest.approx(told[COURSE + name], rel=1e-3)


def test_exposure_is_that_of_a_dense_course(cohort):
    read, given = cohort
    found = read(["aldesleukin AUC_first", "aldesleukin Cmax_first", "aldesleukin AUC", "fold_Treg peak"])
    drawn = factors(given["seed"], np.arange(3))
    own = {n: v for n, v in values(PLAN, WHO, drawn).items() if n in lowered(PLAN)[0].parameter_names}
    for i in range(3):
        flat = dose(f"{float(given_amount(drawn, i))!r} nmol")
        alone = replace(DAILY, courses=(replace(DAILY.courses[0], dose=flat, doses=8),))
        times = np.unique(np.concatenate([np.arange(0, 8, 0.005), [8.0]]))
        changes = {n: np.broadcast_to(v, (3,))[i : i + 1] for n, v in own.items()}
        course = follow(alone, WHO, times, ["aldesleukin_nM", "blood_Treg"], changes=changes)
        level = course["aldesleukin_nM"][0]
        first = times <= 1
        assert found["aldesleukin AUC_first"][i] == pytest.approx(np.trapezoid(level[first], times[first]), rel=2e-3)
        assert found["aldesleukin AUC"][i] == pytest.approx(np.trapezoid(level, times), rel=2e-3)
        assert found["aldesleukin Cmax_first"][i] == pytest.approx(level[first].max(), rel=0.01)
        assert found["fold_Treg peak"][i] == pytest.approx(course["blood_Treg"][0].max(), rel=1e-3)


def given_amount(drawn: dict, i: int) -> float:
    return np.broadcast_to(given(DAILY, WHO, drawn)[0][1], (3,))[i]


def test_a_patient_who_fails_counts_nowhere_and_says_why():
    worse = asked(arm(10, changes=(("tissue_IL2_volume", 0.0),)))
    found = treat(worse, 0, 10)
    assert (found[STATUS] != 0).all() and all(found["reason"])
    assert np.isnan(found["fold_Treg peak"]).all() and np.isfinite(found["weight_kg"]).all()
    (row,) = responders(lambda names: {n: found[n] for n in names}, worse, [RESPONDS])
    assert (row["patients"], row["responders"]) == (0, 0) and (row["low"], row["high"]) == (0.0, 1.0)
    assert failures(lambda names: {n: found[n] for n in names}, worse)[0]["failed"] == 10


# --- statistics -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("met", "number"), [(0, 12), (12, 12), (3, 10), (271, 1000), (1, 10**6)])
@pytest.mark.parametrize("level", [80.0, 95.0, 99.0])
def test_exact_intervals_are_those_of_scipy(met, number, level):
    told = binomtest(met, number).proportion_ci(level / 100, method="exact")
    assert exact(met, number, level) == pytest.approx((told.low, told.high), abs=1e-10)


def test_the_difference_of_shares_is_that_of_newcombe():
    found = difference((48, 56), (80, 70))  # example a of Newcombe 1998, method 10
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    same = np.array([1.0, 2.0, 4.0])
    assert mean_difference(same, same + 1, paired=True) == pytest.approx((1.0, 1.0, 1.0))
    assert mean_difference(same, same + 1, paired=False)[1] < 1 < mean_difference(same, same + 1, paired=False)[2]


def test_the_logistic_curve_is_the_likeliest_one():
    rng = np.random.default_rng(4)
    x = np.exp(rng.normal(-4, 0.6, 400))
    met = rng.uniform(size=400) < 1 / (1 + np.exp(-(8 + 1.9 * np.log(x))))
    found = logistic(x, met)

    def less(b):
        logit = b[0] + b[1] * np.log(x)
        return float(np.logaddexp(0, logit).sum() - logit[met].sum())

    told = minimize(less, [0.0, 0.0], method="BFGS").x
    assert (found.intercept, found.slope) == pytest.approx(tuple(told), rel=1e-3)
    middle, low, high = found.odds_per_doubling()
    assert low < 2**1.9 < high and low < middle < high
    for alike in (np.zeros(400, bool), np.ones(400, bool), x > np.median(x)):
        assert np.isnan(logistic(x, alike).slope)


def test_percentiles_are_those_of_all_patients(cohort):
    read, given = cohort
    rows = percentiles(read, given)
    course = read([COURSE + "count_NK"])[COURSE + "count_NK"].astype(float)
    own = next(r for r in rows if r["readout"] == "count_NK" and r["time_d"] == 4)
    assert own["p5"] == np.percentile(course[:, 1], 5) and own["patients"] == 600
    assert [r["readout"] for r in rows[:4:3]] == ["aldesleukin_nM", "count_Treg"]
    with pytest.raises(Il2Error, match="120 % is no percentage"):
        percentiles(read, given, [50, 120])


def test_exposure_response_counts_every_patient_once(cohort):
    read, given = cohort
    table, curve = exposure_response(read, given, variable("aldesleukin AUC_first"), criterion("fold_NK peak > 1.2"))
    met = (read(["fold_NK peak"])["fold_NK peak"] > 1.2).sum()
    assert sum(r["patients"] for r in table) == 600 and sum(r["responders"] for r in table) == met
    assert table[-1]["share"] > table[0]["share"] and curve.slope > 0


def test_more_drug_moves_more_cells():
    arms = at_doses(arm(60), [dose("0.1 MIU/m2"), dose("3 MIU/m2")], common=True)
    given = asked(*arms)
    read = reader(given)
    low, high = (r["share"] for r in responders(read, given, [criterion("fold_NK end > 1.2")]))
    whole = read(["arm", "patient", "weight_kg", "fold_NK end"])
    first, other = (whole["arm"] == i for i in (0, 1))
    assert np.array_equal(whole["weight_kg"][first], whole["weight_kg"][other]) and high > low
    assert (whole["fold_NK end"][other] > whole["fold_NK end"][first]).mean() > 0.8
    apart = at_doses(arm(60), [dose("0.1 MIU/m2"), dose("3 MIU/m2")], common=False)
    assert apart[1].first == 60


# --- predictive check ---------------------------------------------------------------------------------------------
def measured(path: Path, text: str, arms=("daily",)):
    path.write_text(text)
    return read_measured(path, lowered(PLAN)[0], list(arms), ["aldesleukin"], DAYS)


def simulated_data(seed: int, people: int = 80) -> str:
    found = treat(asked(arm(people), seed=seed), 0, people)
    lines = ["id,time_d,readout,value,unit"]
    for i in range(people):
        for k, day in enumerate(REPORT):
            lines.append(f"{i},{day},count_Treg,{found[COURSE + 'count_Treg'][i, k] * 1e3},cell/mL")
            lines.append(f"{i},{day},eosinophils,{found[COURSE + 'eosinophils'][i, k]},cell/uL")
    return "\n".join(lines)


def test_data_of_the_model_lie_where_it_says(tmp_path):
    data = measured(tmp_path / "data.csv", simulated_data(77))
    given = asked(arm(2000))
    read = reader(given)
    rows = check(read, given, data)
    whole = coverage(rows)
    assert whole["measured"] == 480 and 0.83 < whole["share"] < 0.97
    inside = [
        row[f"simulated_{p}_low"] <= row[f"measured_{p}"] <= row[f"simulated_{p}_high"]
        for row in rows
        for p in ("p5", "p50", "p95")
    ]
    assert np.mean(inside) > 0.7 and all(row["trials"] == 25 for row in rows)
    wrong = [replace(m, value=3 * m.value) for m in data]
    assert coverage(check(read, given, wrong))["share"] < 0.6
    wider = check(read, given, data, error_percent=80.0)
    assert coverage(wider)["share"] > whole["share"]


def test_measurements_in_other_units_are_converted(tmp_path):
    text = "time_d,readout,value,unit\n0,aldesleukin_nM,20,pM\n1,aldesleukin_nM,15.5,ng/mL\n4,fold_Treg,250,%\n"
    found = measured(tmp_path / "d.csv", "\ufeff" + text)
    assert [m.value for m in found] == pytest.approx([0.02, 1.0, 2.5], rel=0.02)
    assert {v.text for v in variables(found)} >= {"fold_Treg day 4.0"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("time_d,readout,value\n1,count_Treg,3", 1, "'unit' is missing"),
        ("time_d,readout,value,unit,who\n", 1, "unknown column 'who'"),
        ("time_d,readout,value,unit,unit\n", 1, "stands twice"),
        ("time_d,readout,value,unit\n1,count_Treg,3", 2, "3 values stand here"),
        ("time_d,readout,value,unit\n1,count_Treg,abc,cell/uL", 2, "the value is 'abc'"),
        ("time_d,readout,value,unit\n1,count_Treg,nan,cell/uL", 2, "finite"),
        ("time_d,readout,value,unit\n\n-1,count_Treg,3,cell/uL", 3, "day -1 is not among"),
        ("time_d,readout,value,unit\n99,count_Treg,3,cell/uL", 2, "day 99"),
        ("time_d,readout,value,unit\n1,count_Tregs,3,cell/uL", 2, "Did you mean 'count_Treg'"),
        ("time_d,readout,value,unit\n1,count_Treg,3,nM", 2, "cell/uL"),
        ("time_d,readout,value,unit\n1,count_Treg,-3,cell/uL", 2, "below 0"),
        ("time_d,readout,value,unit\n1,pSTAT5_Treg,150,%", 2, "more than all"),
        ("time_d,readout,value,unit\n1,aldesleukin_nM,3,U/mL", 2, "unit of no name"),
        ("time_d,readout,value,unit,arm\n1,count_Treg,3,cell/uL,dailly", 2, "Did you mean 'daily'"),
        ('time_d,readout,value,unit\n1,"count_Treg,3,cell/uL', 2, "is no CSV"),
        ("time_d,readout,value,unit\n", 0, "no measurement"),
        ("", 0, "no measurement"),
    ],
)
def test_hostile_measurements_are_refused_with_their_line(tmp_path, text, line, says):
    with pytest.raises(Il2Error) as error:
        measured(tmp_path / "d.csv", text)
    assert says in str(error.value) and (not line or f"d.csv:{line}" in str(error.value)), str(error.value)


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    for name, says in (("b.csv", "not UTF-8"), ("none.csv", "cannot be read")):
        with pytest.raises(Il2Error, match=says):
            read_measured(tmp_path / name, lowered(PLAN)[0], ["daily"], [], DAYS)


# --- trials --------------------------------------------------------------------------------------------------------
TRIAL = """
title: None or low <b>
days: 8
common: {common}
arms:
  - {{name: none, regimen: no_treatment, patient: cGVHD, number: 30, disease: lupus}}
  - {{name: low, regimen: cGVHD_daily, patient: cGVHD, number: 30, disease: lupus, values: {{weight_kg: 80}}}}
endpoints: [fold_Treg peak >= 2, count_Treg end, outcome SRI-4]
"""


TWO_SETS = """
courses:
  - {drug: aldesleukin, dose: 1 MIU, route: sc}
  - {drug: aldesleukin/label, dose: 1 MIU, route: sc}
"""


def trial_file(folder: Path, text: str) -> Path:
    path = folder / "trial.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("common", ["no", "yes"])
def test_a_trial_compares_its_arms(tmp_path, common):
    planned = read_trial(trial_file(tmp_path, TRIAL.format(common=common)))
    told = Asked(trial=planned)
    assert [a.first for a in planned.arms] == ([0, 0] if common == "yes" else [0, 30])
    kept = settings(planned.arms, planned.days, told.days(8), told.readouts(["aldesleukin"]), 1)
    found = results(reader(kept), kept, told)
    rows = {(r["endpoint"], r["arm"]): r for r in found.trial}
    gain = rows["fold_Treg peak >= 2", "low"]
    assert gain["difference"] == gain["estimate"] - rows["fold_Treg peak >= 2", "none"]["estimate"] > 0.3
    assert -1 <= gain["difference_low"] < gain["difference"] <= gain["difference_high"] <= 1
    mean = rows["count_Treg end", "low"]
    assert mean["low"] < mean["estimate"] < mean["high"] and mean["difference"] > 0
    assert rows["outcome SRI-4", "low"]["label"] == "calibration" and not mean["label"]
    assert np.isnan(rows["count_Treg end", "none"]["difference"])
    if common == "no":
        page = population_html(found, planned.arms, "il2 population '<i>'")
        assert "None or low &lt;b&gt;" in page and "<i>" not in page and page.count(RESEARCH_USE) >= 2
    if common == "yes":
        apart = compare(reader(kept), kept, replace(planned, common=False))
        wide = next(r for r in apart if (r["endpoint"], r["arm"]) == ("count_Treg end", "low"))
        assert mean["difference_high"] - mean["difference_low"] < wide["difference_high"] - wide["difference_low"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("days: 8", "days: never", "trial.yaml:3: days"),
        ("days: 8", "", "'days' is missing"),
        ("common: no", "common: perhaps", "neither yes nor no"),
        ("common: no", "level: 120", "120 % is no percentage"),
        ("number: 30", "number: 0", "no number of virtual patients"),
        ("number: 30", "number: 1000000000", "Give 10 to 1,000,000"),
        ("number: 30", "number: many", "no whole number"),
        ("regimen: cGVHD_daily", "regimen: cGVHD_dayly", "unknown regimen"),
        ("patient: cGVHD", "patient: cGVHT", "unknown person"),
        ("weight_kg: 80", "wieght_kg: 80", "Did you mean 'weight_kg'"),
        ("weight_kg: 80", "weight_kg: -80", "no number"),
        ("disease: lupus", "disease: lupis", "Did you mean 'lupus'"),
        ("disease: lupus", "sickness: lupus", "unknown key"),
        ("name: low", "name: none", "two arms are called"),
        ("endpoints: [", "endpoints: [fold_Treg peak >> 2, ", "is no criterion"),
        ("outcome SRI-4", "outcome CD4 in HIV", "no clinical outcome is linked"),
        ("outcome SRI-4", "outcome SRI-5", "Did you mean 'SRI-4'"),
        ("number: 30", "number: 1" + "0" * 5000, "no whole number"),
        ("days: 8", "days: 0", "trial.yaml:3: days: 0 days"),
        ("days: 8", "days: nan", "trial.yaml:3: days"),
        ("weight_kg: 80", "weight_kg: 8e8", "trial.yaml:7: arms[2].values: 800000000.0 is no size of a body"),
        ("name: low", "name: ''", "trial.yaml:7: arms[2].name: '' is no name"),
        ("name: low", "name: " + "x" * 200, "is no name. Give one line of 1 to 80 letters"),
        (
            "values: {{weight_kg: 80}}",
            "changes: {{IL2_mode: 1}}",
            "arms[2].changes.IL2_mode: a patient has no",
        ),
        ("count_Treg end", "count_Treg day 30", "trial.yaml:8: endpoints[2]: day 30 is not among the 8 days"),
        ("count_Treg end", "count_Trex end", "trial.yaml:8: endpoints[2]: no readout 'count_Trex'"),
        ("count_Treg end", "nonsense", "trial.yaml:8: endpoints[2]: nothing is known of 'nonsense'"),
        ("regimen: cGVHD_daily", "regimen: two_sets.yaml", "stands with the sets of constants konrad and label"),
        ("arms:", "arms: &a", "anchors"),
        ("title: ", "title: !!python/object:os.system ", "tag"),
    ],
)
def test_hostile_trials_are_refused_with_their_line(tmp_path, old, new, says):
    text = TRIAL.format(common="no")
    old, new = old.replace("{{", "{").replace("}}", "}"), new.replace("{{", "{").replace("}}", "}")
    assert old in text
    (tmp_path / "two_sets.yaml").write_text(TWO_SETS)
    with pytest.raises(Il2Error) as error:
        read_trial(trial_file(tmp_path, text.replace(old, new)))
    assert says in str(error.value) and "trial.yaml" in str(error.value), str(error.value)


def test_a_link_needs_its_disease(tmp_path):
    with pytest.raises(Il2Error, match=r"trial.yaml:8: endpoints\[3\]: no readout 'disease_index_change'"):
        read_trial(trial_file(tmp_path, TRIAL.format(common="no").replace(", disease: lupus", "")))


def test_an_empty_trial_says_what_a_trial_needs(tmp_path):
    with pytest.raises(Il2Error, match="Give at least 'days', 'arms' and 'endpoints'"):
        read_trial(trial_file(tmp_path, ""))


# --- the command ----------------------------------------------------------------------------------------------------
def test_the_command_writes_tables_figures_and_a_page_and_goes_on(tmp_path):
    words = ["cGVHD_daily", "--patient", "cGVHD", "--number", "100", "--days", "8", "--chunk", "40"]
    words += ["--out", str(tmp_path / "out"), "--responder", "fold_Treg day 4 >= 1.5", "--exposure", "aldesleukin AUC"]
    more = ["--html", str(tmp_path / "p.html"), "--each-patient", str(tmp_path / "each.csv")]
    (tmp_path / "d.csv").write_text("time_d,readout,value,unit\n2,count_Treg,14,cell/uL\n")
    words += ["--data", str(tmp_path / "d.csv")]
    done = invoke(*words, *more)
    assert done.exit_code == 0, done.output
    assert RESEARCH_USE in done.stdout and "fold_Treg day 4 >= 1.5" in done.stdout
    page = (tmp_path / "p.html").read_text()
    assert page.count(RESEARCH_USE) >= 2 and "http-equiv" not in page and "<script" not in page
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names >= {"run", "bands.png", "predictive_check.png", "exposure_response.png", "responders.csv"}
    table = pd.read_csv(tmp_path / "out" / "percentiles.csv")
    assert set(table["use"]) == {RESEARCH_USE} and set(table["time_d"]) >= {0, 2, 4, 8}
    assert dict(zip(table["readout"], table["unit"], strict=True))["count_Treg"] == "cell/uL"
    each = pd.read_csv(tmp_path / "each.csv")
    assert len(each) == 100 and {"weight_kg", "fold_Treg peak", "count_Treg day 4", "aldesleukin AUC"} <= set(each)
    chunks = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "run" / "chunks").iterdir()}
    before = (tmp_path / "out" / "percentiles.csv").read_bytes()
    assert invoke(*words).exit_code == 0
    assert chunks == {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "run" / "chunks").iterdir()}
    assert (tmp_path / "out" / "percentiles.csv").read_bytes() == before
    assert "another run is here: settings.seed differs" in refused(*words, "--seed", "4")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["cGVHD_daily", "--number", "0"], "0 is no number of virtual patients"),
        (["cGVHD_daily", "--number", "1000000000"], "Give 10 to 1,000,000"),
        (["cGVHD_daily", "--dose", "1 MIU", "--dose", "2 MIU", "--number", "600000"], "in all arms"),
        (["cGVHD_daily", "--covariate", "wieght_kg=80"], "Did you mean 'weight_kg'"),
        (["cGVHD_daily", "--covariate", "weight_kg"], "no covariate"),
        (["cGVHD_daily", "--covariate", "weight_kg=-4"], "impossible"),
        (["cGVHD_daily", "--level", "150"], "150 % is no percentage"),
        (["cGVHD_daily", "--days", "-1"], "-1 days"),
        (["cGVHD_daily", "--days", "nan"], "nan days"),
        (["cGVHD_daily", "--days", "inf"], "inf days"),
        (["cGVHD_daily", "--days", "0"], "0 days"),
        (["cGVHD_daily", "--patient", "nobody"], "--patient: unknown person 'nobody'"),
        (["cGVHD_daily", "--covariate", "weight_kg=8e8"], "--covariate: weight_kg: 800000000.0 is no size of a body"),
        (["cGVHD_daily", "--covariate", "eGFR=80", "--covariate", "eGFR=70"], "--covariate: eGFR is given twice"),
        (
            ["cGVHD_daily", "--number", "10", "--exposure", "weight_kg"],
            "too few for exposure-response. Give at",
        ),
        (["events.csv"], "an event table is no regimen of a population. Give a .yaml"),
        (["no_treatment", "--dose", "1 MIU"], "no_treatment gives no dose to change"),
        (["cGVHD_daily", "--dose", "1"], "--dose: '1' is no dose"),
        (["--trial", "x.yaml", "--patient", "cGVHD"], "says its arms itself"),
        (["--trial", "x.yaml", "--independent"], "says its arms itself"),
        (["cGVHD_daily", "--at", "0,x"], "are no days"),
        (["cGVHD_daily", "--at", "0,90"], "do not fit"),
        (["cGVHD_daily", "--readout", "count_Tregs"], "Did you mean 'count_Treg'"),
        (["cGVHD_daily", "--responder", "fold_Treg peak"], "is no criterion"),
        (["cGVHD_daily", "--responder", "fold_Trex peak >= 2"], "fold_Treg peak"),
        (["cGVHD_daily", "--exposure", "aldesleukin AUC_frist"], "aldesleukin AUC_first"),
        (["cGVHD_daily", "--dose", "3 U"], "unit of no name"),
        (["cGVHD_daily", "--dose", "-3 MIU"], "cannot be given"),
        (["cGVHD_daily", "--dose", "1 MIU", "--dose", "1 MIU"], "given twice"),
        (["cGVHD_daily", "--assay-error", "20"], "no effect alone"),
        (["cGVHD_daily", "--independent"], "no effect alone"),
        (["cGVHD_daily", "--cluster", "nonsense"], "is no cluster"),
        (["cGVHD_daily", "--disease", "lupis"], "Did you mean 'lupus'"),
        (["--number", "10"], "no regimen is named"),
        (["cGVHD_daily", "--trial", "x.yaml"], "says its arms itself"),
    ],
)
def test_what_cannot_be_is_refused_with_the_fix(words, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert says in refused(*words, "--out", "folder")
    assert not list(tmp_path.iterdir())


def test_files_beside_the_tables_need_no_folder_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["cGVHD_daily", "--number", "10", "--days", "3", "--out", "new"]
    done = invoke(*words, "--html", "new/page.html", "--each-patient", "new/each.parquet")
    assert done.exit_code == 0 and {"page.html", "each.parquet"} <= {p.name for p in Path("new").iterdir()}
    assert "doses due after day 3, the end, are not given" in done.stderr


def test_figures_take_any_name(tmp_path):
    name = '"<img src=x>$x_{$ \\\\frac"'
    text = TRIAL.format(common="no").replace("name: low", f"name: {name}").replace("None or low <b>", "'$x_{$'")
    planned = read_trial(trial_file(tmp_path, text))
    told = Asked(trial=planned)
    kept = settings(planned.arms, planned.days, told.days(8), told.readouts(["aldesleukin"]), 1)
    page = population_html(results(reader(kept), kept, told), planned.arms)
    assert page.index(RESEARCH_USE) < page.index("Figures") and 'class="notice"' in page
    assert "<img src=x>" not in page and "&lt;img src=x&gt;" in page


def test_documented_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(DOCUMENT, tmp_path, ("events.csv", "measured.csv"))
    lines = [line for line in commands(DOCUMENT) if line.startswith("il2 population")]
    assert len(lines) == 8
    for line in lines:
        done = invoke(*shlex.split(line)[2:])
        assert done.exit_code == 0, (line, done.output, done.exception)
        assert RESEARCH_USE in done.stdout
    assert {"percentiles.csv", "responders.csv", "exposure_response.png"} <= {
        p.name for p in Path("low_dose").iterdir()
    }
    assert "calibration" in Path("trial.html").read_text("utf-8")


def test_a_percentage_of_a_dose_over_100_is_refused_with_its_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("courses:\n  - {drug: aldesleukin, dose: 1 MIU, route: sc, percent: 150}\n")
    told = refused(str(path), "--number", "10")
    assert "mine.yaml:2" in told and "percent" in told
