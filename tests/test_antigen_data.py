"""Antigen-driven IL-2 time courses: reading, censoring, scores, exponents, baselines, and the part kept aside.

All tables here are made up; the measured set is read where IL2_ANTIGEN_DATA names its folder.
"""

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest
from typer.testing import CliRunner

from il2.errors import Il2Error
from il2.fit import antigen_baseline, antigen_data, antigen_predict
from il2.fit.antigen_data import DESIGN, LEFT, LIMITS, RIGHT, TABLE, answerable, counted, held, left_out, read
from il2.fit.antigen_report import DEFAULT, antigen_report, summary, verdicts
from il2.fit.antigen_scaling import censored_slope, exponents, slope
from il2.fit.antigen_score import conditions, errors, groups, peaks, spearman

HEADER = (
    "experiment", "experiment_date", "species", "t_cell_number", "peptide", "peptide_concentration",
    "peptide_concentration_nM", "t_cell_type", "activation", "genotype", "tcr_antigen", "car_antigen", "apc_type",
    "apc", "tlr_agonist", "drug", "drug_addition_time_h", "donor", "replicate", "time_h", "il2_nM",
    "at_experiment_minimum", "at_experiment_maximum", "suspect",
)  # fmt: skip
BOUNDS = ("experiment", "n_values", "min_il2_nM", "max_il2_nM", "n_at_min", "lod_lower_nM", "lod_upper_nM")
NAMES = [f"made {i}" for i in range(40)]
USED, ASIDE = [n for n in NAMES if not held(n)][:3], [n for n in NAMES if held(n)][:2]
FLOOR, CEILING = 0.001, 1.0
TIMES = (3.0, 12.0, 24.0, 48.0)
SHAPE = np.array([0.1, 0.6, 1.0, 0.3])
HELD_OF_TEN = [2, 4, 8]
POTENCY = {"N4": 1.0, "Q4": 0.2, "V4": 0.02}
BY_ANTIGEN, BY_CELLS = 0.4, -0.2


def law(potency, dose_nM, cells):
    """A made-up culture with known exponents, IL-2 in nM at `TIMES`."""
    return 0.02 * potency**0.5 * dose_nM**BY_ANTIGEN * (cells / 1e5) ** BY_CELLS * SHAPE


def wells(experiment, **change):
    """Rows of one made-up experiment."""
    out = []
    for peptide, potency in POTENCY.items():
        for dose in (1, 10, 100, 1000):
            for cells in (3e3, 3e4, 1e5):
                for time, value in zip(TIMES, law(potency, dose, cells), strict=True):
                    row = dict.fromkeys(HEADER, "") | {
                        "experiment": experiment, "species": "mouse", "t_cell_number": cells, "peptide": peptide,
                        "peptide_concentration": f"{dose}nM", "peptide_concentration_nM": dose, "time_h": time,
                        "il2_nM": float(f"{min(max(value, FLOOR), CEILING):.6g}"), "suspect": False,
                        "at_experiment_minimum": value <= FLOOR, "at_experiment_maximum": value >= CEILING,
                    }  # fmt: skip
                    out.append(row | change)
    return out


def write(folder, rows, limits=None):
    folder.mkdir(exist_ok=True)
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, HEADER)
        table.writeheader()
        table.writerows(rows)
    with (folder / LIMITS).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, BOUNDS)
        table.writeheader()
        for name in dict.fromkeys(row["experiment"] for row in rows):
            known = {"min_il2_nM": FLOOR, "max_il2_nM": CEILING, "lod_lower_nM": FLOOR, "lod_upper_nM": CEILING}
            table.writerow({"experiment": name, "n_values": 1, "n_at_min": 1} | known | (limits or {}))
    return folder


def truth(frame):
    """The law itself as a prediction."""
    out = []
    for peptide, dose, cells, time in zip(
        frame["peptide"], frame["peptide_concentration_nM"], frame["t_cell_number"], frame["time_h"], strict=True
    ):
        out.append(law(POTENCY[peptide], dose, cells)[TIMES.index(time)])
    return np.array(out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("antigen") / "set", [row for name in (*USED, *ASIDE) for row in wells(name)])


@pytest.fixture(scope="module")
def frame(folder):
    return read(folder)


@pytest.fixture(scope="module")
def points(frame):
    return answerable(frame)


def test_a_third_is_kept_aside_by_name_alone():
    share = np.mean([held(f"experiment {i}") for i in range(3000)])
    assert 0.31 < share < 0.36
    assert [i for i in range(10) if held(f"experiment {i}")] == HELD_OF_TEN


def test_one_condition_is_one_well_of_the_design(frame, points):
    assert frame["condition"].nunique() == 5 * 36 and (frame.groupby("condition").size() == len(TIMES)).all()
    assert (frame.groupby("condition")[list(DESIGN)].nunique(dropna=False) == 1).all(axis=None)
    assert set(points["experiment"]) == set(USED)
    assert set(answerable(frame, kept_aside=True)["experiment"]) == set(ASIDE)
    table = counted(frame).set_index("part")
    assert table["conditions"].to_dict() == {"in use": 108, "kept aside": 72}
    assert np.isnan(table.loc["kept aside", "at_floor"])  # no value of that part is told


def test_values_at_a_limit_are_censored(points):
    assert (points["censored"] == LEFT).any() and not (points["censored"] == RIGHT).any()
    assert ((points["censored"] == LEFT) == (truth(points) <= FLOOR)).all()


def test_limits_are_those_of_the_assay_else_of_the_experiment(tmp_path):
    rows = wells(USED[0])
    known = read(write(tmp_path / "a", rows, {"lod_upper_nM": 0.1}))
    assert (known["ceiling_nM"] == 0.1).all() and ((known["censored"] == RIGHT) == (known["il2_nM"] >= 0.1)).all()
    rounded = {"lod_lower_nM": "", "lod_upper_nM": "", "min_il2_nM": FLOOR * (1 - 1e-7), "max_il2_nM": 0.2 * (1 + 1e-7)}
    rows[0] |= {"il2_nM": 0.2, "at_experiment_maximum": True}
    extremes = read(write(tmp_path / "b", rows, rounded))
    assert extremes["censored"].iloc[0] == RIGHT and (extremes["censored"] == LEFT).sum() > 1


@pytest.mark.parametrize(("change", "reason"), [
    ({"suspect": True}, "marked suspect"),
    ({"car_antigen": "CD19"}, "antigen on tumour cells or for a chimeric receptor"),
    ({"apc_type": "Tumor", "apc": "B16"}, "tumour cells present the peptide"),
    ({"peptide": "None"}, "no peptide"),
    ({"peptide": "N4", "peptide_concentration_nM": 0, "peptide_concentration": "0"}, "no peptide"),
    ({"peptide": "unheard of"}, "no potency is known for the peptide on this receptor"),
    ({"t_cell_type": "P14"}, "no potency is known for the peptide on this receptor"),
    ({"species": "human"}, "no potency is known for the peptide on this receptor"),
    ({"activation": "Blast"}, "T cells activated before"),
    ({"apc_type": "DC"}, "dendritic cells or macrophages present the peptide"),
    ({"tlr_agonist": "polyIC"}, "presenting cells stimulated"),
    ({"drug": "rhIL-2", "drug_addition_time_h": 4}, "human IL-2 added, which the assay does not read"),
    ({"drug": "Tenoxicam", "drug_addition_time_h": 4}, "a drug that the model does not hold"),
    ({"drug": "Ruxolitinib", "drug_addition_time_h": 4}, ""),
    ({"drug": "aIL-2", "drug_addition_time_h": 4}, ""),
    ({"drug": "DMSO", "drug_addition_time_h": 4}, ""),
    ({"t_cell_type": "OT1", "activation": "Naive", "apc_type": "Splenocyte", "tlr_agonist": "None"}, ""),
])  # fmt: skip
def test_what_cannot_be_answered_says_why(tmp_path, change, reason):
    row = wells(USED[0])[-1]
    out = read(write(tmp_path / "set", [row | {"replicate": "other"}, row | change]))
    assert list(out["left_out"]) == ["", reason]
    assert list(left_out(out)["reason"]) == ([reason] if reason else [])


def test_no_number_of_T_cells_is_the_usual_one(tmp_path):
    out = read(write(tmp_path / "set", [wells(USED[0])[0] | {"t_cell_number": ""}]))
    assert out["t_cell_number"][0] == 1e5 and out["t_cell_number_assumed"][0]


@pytest.mark.parametrize(("change", "column", "says"), [
    ({"il2_nM": "0.1 nM"}, "il2_nM", "not a number"),
    ({"il2_nM": ""}, "il2_nM", "not a number"),
    ({"il2_nM": "nan"}, "il2_nM", "not a finite number"),
    ({"il2_nM": "0"}, "il2_nM", "not a finite number"),
    ({"time_h": "-1"}, "time_h", "not a finite number"),
    ({"t_cell_number": "1e999"}, "t_cell_number", "not a finite number"),
    ({"species": "rat"}, "species", "not mouse or human"),
    ({"suspect": "maybe"}, "suspect", "not True or False"),
    ({"peptide_concentration": "1uM"}, "peptide_concentration", "but peptide_concentration_nM is '1'"),
])  # fmt: skip
def test_a_bad_value_is_one_message_with_file_line_and_column(tmp_path, change, column, says):
    rows = wells(USED[0])
    rows[2] |= change
    with pytest.raises(Il2Error, match=says) as caught:
        read(write(tmp_path / "set", rows))
    assert caught.value.where == f"{tmp_path / 'set' / TABLE}:4:{column}"


def test_hostile_folders_give_one_message(tmp_path, folder):
    with pytest.raises(Il2Error, match="the table is missing"):
        read(tmp_path)
    rows = wells(USED[0])
    with pytest.raises(Il2Error, match=r"\(24 h\) stand here twice"):
        read(write(tmp_path / "twice", [*rows, rows[2]]))
    with pytest.raises(Il2Error, match="is not below the ceiling"):
        read(write(tmp_path / "limits", rows, {"lod_upper_nM": FLOOR / 2}))
    with pytest.raises(Il2Error, match=r"lod_lower_nM is 'low', not a finite number above 0"):
        read(write(tmp_path / "words", rows, {"lod_lower_nM": "low"}))
    with pytest.raises(Il2Error, match="no rows below the header"):
        read(write(tmp_path / "none", []))
    whole = write(tmp_path / "whole", rows)
    text = (whole / TABLE).read_text()
    for broken, says in (
        (b"", "the header is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (text.replace("il2_nM", "il2", 1).encode(), "the column 'il2_nM' is missing"),
        ((text + "x\n").encode(), "not as many fields"),
    ):
        (whole / TABLE).write_bytes(broken)
        with pytest.raises(Il2Error, match=says) as caught:
            read(whole)
        assert TABLE in caught.value.where
    other = write(tmp_path / "other", rows)
    (other / LIMITS).write_text((folder / LIMITS).read_text().replace(USED[0], "somebody else"))
    with pytest.raises(Il2Error, match="has no row"):
        read(other)


def test_no_error_on_the_right_side_of_a_limit():
    given = pandas.DataFrame({
        "condition": 0, "time_h": range(6), "il2_nM": [0.001, 0.001, 1.0, 1.0, 0.1, 0.1], "floor_nM": 0.001,
        "ceiling_nM": 1.0, "censored": [LEFT, LEFT, RIGHT, RIGHT, "", ""],
    })  # fmt: skip
    told = np.array([0.0, 0.01, 7.0, 0.1, 1.0, 0.0])
    assert errors(given, told) == pytest.approx([0, 1, 0, -1, 1, -5])
    assert np.isnan(errors(given, np.full(6, np.nan))).sum() == 6
    for bad in (np.zeros(5), np.full(6, -1.0), np.full(6, np.inf)):
        with pytest.raises(Il2Error):
            errors(given, bad)


def test_the_law_itself_has_no_error(points):
    each = conditions(points, truth(points))
    assert each["error"].max() < 1e-5 and each["log10_peak_ratio"].abs().max() < 1e-5
    seen = each[each["peak_censored"] == ""]
    assert (seen["time_of_peak_h"] == 24).all() and (seen["predicted_time_of_peak_h"] == 24).all()
    row = groups(points, truth(points)).iloc[0]
    assert row["spearman"] == pytest.approx(1) and row["within_2_fold"] == 1 and row["conditions"] == 108


def test_errors_are_counted_in_decades(points):
    each = conditions(points, 10 * truth(points))
    seen = each[each["at_floor"] < each["points"]]
    assert seen["error_within_limits"].to_numpy() == pytest.approx(1, abs=1e-3)
    assert each[each["at_floor"] == each["points"]]["error_within_limits"].isna().all()
    tenfold = groups(points, 10 * truth(points)).set_index(["class", "level"])
    assert tenfold.loc[("peptide", "N4"), "error"] == pytest.approx(1, abs=1e-4)
    assert tenfold.loc[("all", "all"), "peak_bias"] == pytest.approx(1, abs=1e-4)
    assert set(tenfold.loc["t_cell_number"].index) == {"3000", "30000", "100000"}
    backwards = groups(points, 1e-4 / truth(points))
    assert backwards["spearman"].iloc[0] < -0.9


def test_peaks_at_a_ceiling_are_bounds(tmp_path):
    out = answerable(read(write(tmp_path / "set", wells(USED[0]), {"lod_upper_nM": 0.1})))
    top = peaks(out, truth(out))
    high = top[top["censored"] == RIGHT]
    assert len(high) and (high["peak_nM"] == 0.1).all() and (high["predicted_peak_nM"] >= 0.0999).all()
    each = conditions(out, 5 * truth(out)).set_index("condition")
    assert (each.loc[high.index, "log10_peak_ratio"] == 0).all()
    assert spearman(top) == pytest.approx(1)


def test_exponents_of_the_law_are_found(points):
    table = exponents(points, {"law": truth(points), "flat": np.full(len(points), 0.01)})
    table = table.set_index(["quantity", "peptide", "of"])
    for quantity, value in (("antigen", BY_ANTIGEN), ("T cells", BY_CELLS)):
        for of in ("data", "law"):
            row = table.loc[(quantity, "all", of)]
            assert row["exponent"] == pytest.approx(value, abs=1e-4)
            assert row["exponent_censored"] == pytest.approx(value, abs=2e-3)
        assert table.loc[(quantity, "all", "flat"), "exponent"] == pytest.approx(0, abs=1e-9)
        assert table.loc[(quantity, "N4", "data"), "points"] == 36
    assert table.loc[("antigen", "all", "data"), "decades"] == pytest.approx(3)


def test_drugs_do_not_enter_an_exponent(tmp_path):
    rows = wells(USED[0]) + [
        row | {"il2_nM": 0.5} for row in wells(USED[0], drug="Ruxolitinib", drug_addition_time_h=4)
    ]
    table = exponents(answerable(read(write(tmp_path / "set", rows))), {})
    assert table[table["peptide"] == "all"]["exponent"].tolist() == pytest.approx([BY_ANTIGEN, BY_CELLS], abs=1e-4)


def test_a_slope_is_that_of_a_regression_with_heights_of_their_own():
    draw = np.random.default_rng(1)
    series = np.repeat(np.arange(12), 5)
    amount = 10.0 ** draw.uniform(-2, 3, 60)
    value = 10.0 ** (0.7 * np.log10(amount) + draw.normal(0, 2, 12)[series] + draw.normal(0, 0.2, 60))
    found = slope(amount, value, series)
    design = np.column_stack([np.log10(amount), np.eye(12)[series]])
    assert found["exponent"] == pytest.approx(np.linalg.lstsq(design, np.log10(value), rcond=None)[0][0])
    assert found["low"] < 0.7 < found["high"] and found["high"] - found["low"] < 0.2
    assert slope(amount, np.zeros(60), series)["series"] == 0
    free = censored_slope(amount, value, series, np.full(60, 1e-99), np.full(60, 1e99))
    assert free == pytest.approx(found["exponent"], abs=1e-4)


def test_a_censored_regression_undoes_what_the_floor_cuts_off():
    """Against a direct search of the likelihood, and nearer to the truth than the slope of what is left."""
    from scipy.optimize import minimize
    from scipy.stats import norm

    draw = np.random.default_rng(2)
    series = np.repeat(np.arange(40), 4)
    x = np.tile(np.arange(4.0), 40)
    y = 0.5 * x + draw.normal(-1, 0.5, 40)[series] + draw.normal(0, 0.3, 160)
    floor, ceiling = np.full(160, 0.1), np.full(160, 5.0)
    value = np.clip(10.0**y, floor, ceiling)
    inside = (value > floor) & (value < ceiling)
    found = censored_slope(10.0**x, value, series, floor, ceiling)
    kept = np.isin(series, series[inside])
    codes = np.unique(series[kept], return_inverse=True)[1]
    at, left, right = np.log10(value[kept]), value[kept] <= 0.1, value[kept] >= 5.0

    def cost(p):
        z = (at - p[0] * x[kept] - p[2:][codes]) / np.exp(p[1])
        told = np.select([left, right], [norm.logcdf(z), norm.logsf(z)], norm.logpdf(z) - p[1])
        return -told.sum()

    start = np.r_[found, np.log(0.3), [at[codes == k].mean() - 1.5 * found for k in range(codes.max() + 1)]]
    best = minimize(cost, start, method="BFGS")
    assert found == pytest.approx(best.x[0], abs=0.01)
    plain = slope(10.0 ** x[inside], value[inside], series[inside])["exponent"]
    assert abs(found - 0.5) < abs(plain - 0.5) and found == pytest.approx(0.5, abs=0.06)


def test_baselines_read_other_experiments_alone(points):
    own = points[points["experiment"] == USED[0]]
    for predict in antigen_baseline.BASELINES.values():
        before = predict(own, points)
        changed = points.assign(il2_nM=points["il2_nM"].where(points["experiment"] != USED[0], 0.9))
        assert np.array_equal(before, predict(own, changed)) and len(before) == len(own)
    again = antigen_baseline.other_experiment(own, points)
    assert again == pytest.approx(own["il2_nM"].to_numpy())
    assert np.isnan(antigen_baseline.other_experiment(own, own)).all()
    mean = antigen_baseline.mean_course(own, points)
    assert pandas.Series(mean).groupby(own["time_h"].to_numpy()).nunique().eq(1).all()
    first = points[(points["experiment"] == USED[1]) & (points["time_h"] == 24)]["il2_nM"]
    assert mean[2] == pytest.approx(10 ** np.log10(first).mean())
    steep = own.assign(told=antigen_baseline.scaled_by_dose(own, points))
    by_dose = steep[steep["time_h"] == 24].groupby("peptide_concentration_nM")["told"].first()
    assert 0.1 < np.log10(by_dose[1000] / by_dose[1]) / 3 <= BY_ANTIGEN


def test_the_part_kept_aside_is_scored_on_demand_alone(folder):
    asked = []

    def model(rows):
        asked.append(set(rows["experiment"]))
        return truth(rows)

    used = antigen_report(folder, models={DEFAULT: model})
    aside = antigen_report(folder, held=True, models={DEFAULT: model})
    assert asked == [set(USED), set(ASIDE)]
    assert set(used.conditions["experiment"]) == set(USED) and set(aside.conditions["experiment"]) == set(ASIDE)
    table = summary(used).set_index("prediction")
    assert table.loc[DEFAULT, "error"] < 1e-5 and set(table.index) > set(antigen_baseline.BASELINES)
    assert "By the error the default set beats every baseline." in verdicts(used)
    assert sum("inside" in line for line in verdicts(used)) == 2
    none = antigen_report(folder, models={})
    assert "no prediction" in verdicts(none)[0]


def test_a_set_without_an_answer_says_so(tmp_path):
    place = write(tmp_path / "set", wells(USED[0], activation="ConA"))
    with pytest.raises(Il2Error, match="no condition of the experiments in use can be answered"):
        antigen_report(place, models={})
    with pytest.raises(Il2Error, match="kept aside"):
        antigen_report(write(tmp_path / "b", wells(USED[0])), held=True, models={})


def test_potencies_are_ordered_and_assumed():
    from il2.knowledge.table import rows

    table = {r["peptide"]: r for r in rows("peptides") if r["system"] == "OT1"}
    for row in table.values():
        assert float(row["low"]) <= float(row["relative_potency"]) <= float(row["high"])
        assert (row["grade"], row["sources"]) == ("assumed", "assumed")
    strength = [float(table[name]["relative_potency"]) for name in ("N4", "A2", "Q4", "T4", "V4", "E1")]
    assert strength == sorted(strength, reverse=True) and strength[0] == 1


def condition(**change):
    return {"peptide_concentration_nM": 100.0, "potency": 0.5, "t_cell_number": 3e4, "drug": "",
            "drug_addition_time_h": None} | change  # fmt: skip


def test_a_condition_becomes_a_well():
    from il2.knowledge.quantity import quantity

    plain = antigen_predict.well(condition())
    highest, half = quantity("peptide_presented_highest").value, quantity("peptide_presented_half_dose").value
    presenting = quantity("peptide_presenting_cells").value
    assert plain.species == "mouse" and plain.volume_uL == 200 and not plain.additions
    assert [(c.kind, c.number) for c in plain.cells] == [("CD8_naive", 3e4)]
    assert plain.antigen[0].molecules == pytest.approx(0.5 * presenting * highest * 100 / (100 + half))
    blocked = antigen_predict.well(condition(drug="Ruxolitinib", drug_addition_time_h=12.0)).additions[0]
    assert (blocked.what, blocked.time_h) == ("JAK_inhibitor", 12) and blocked.dose_nM > 0
    caught = antigen_predict.well(condition(drug="aIL-2", drug_addition_time_h=4.0)).additions[0]
    assert (caught.what, caught.time_h) == ("anti_IL2", 4)
    taken = antigen_predict.well(condition(drug="Dasatinib", drug_addition_time_h=24.0))
    assert not taken.additions and [(a.molecules > 0, a.time_h) for a in taken.antigen] == [(True, 0), (False, 24)]
    assert antigen_predict.well(condition(drug="DMSO", drug_addition_time_h=4.0)) == plain
    assert set(antigen_data.DRUGS.values()) == {*antigen_predict.ADDED, antigen_predict.BLOCKS_ANTIGEN}


def test_the_model_answers_dose_peptide_volume_and_drugs(points):
    one = points[points["experiment"] == USED[0]]
    one = one[(one["t_cell_number"] == 3e4) & one["peptide"].isin(["N4", "V4"]) & one["time_h"].isin([24.0, 48.0])]
    late = {"drug": "Ruxolitinib", "drug_addition_time_h": 4.0}
    told = antigen_predict.predict(pandas.concat([one, one.assign(**late)], ignore_index=True))
    plain, blocked = told[: len(one)], told[len(one) :]
    assert np.isfinite(told).all() and (told >= 0).all()
    peak = one.assign(told=plain).groupby(["peptide", "peptide_concentration_nM"])["told"].max()
    assert peak["N4"].is_monotonic_increasing and (peak["N4"] > peak["V4"]).all()
    assert blocked.max() > plain.max()
    smaller = antigen_predict.predict(one, volume_uL=100)
    assert smaller.max() > plain.max()
    again = antigen_predict.predict(one.iloc[::-1])
    assert again[::-1] == pytest.approx(plain, rel=1e-6)
    assert {DEFAULT, "100 uL", "300 uL"} < set(antigen_predict.predictors())


def test_validate_finds_the_set_and_prints_it(folder, monkeypatch, tmp_path):
    from il2.cli import validate as verb
    from il2.cli.app import app
    from il2.fit import validate as module
    from il2.fit.baseline import dose_ramp

    monkeypatch.setattr(antigen_predict, "predictors", lambda: {DEFAULT: truth})
    monkeypatch.setattr(module, "predictors", lambda: {"dose ramp": dose_ramp})
    found = module.validate(folder.parent)
    assert len(found.antigen) == 1 and not found.antigen[0].held
    with pytest.raises(Il2Error, match="nothing is kept aside"):
        module.validate(held=True)
    with pytest.raises(Il2Error, match="does not exist"):
        module.validate(tmp_path / "none")
    aside = replace(found, antigen=(antigen_report(folder, held=True),))
    monkeypatch.setattr(module, "validate", lambda data, held=False: aside if held else found)
    out = tmp_path / "scores.csv"
    done = CliRunner().invoke(app, ["validate", "--data", str(folder), "--out", str(out), "--format", "json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    views = {row["view"] for row in rows if row["view"].startswith("antigen")}
    assert views == {"antigen groups", "antigen exponents", "antigen conditions"}
    assert len(pandas.read_csv(out)) == len(rows) == len(verb.records(found))
    told = CliRunner().invoke(app, ["validate", "--data", str(folder)])
    assert (
        told.exit_code == 0 and "kept aside were not scored" in told.stdout and "Exponent with T cells" in told.stdout
    )
    other = CliRunner().invoke(app, ["validate", "--data", str(folder), "--held", "--markdown"])
    assert other.exit_code == 0 and "Scored: the experiments kept aside." in other.stdout
    assert "#### Exponents of the IL-2 maximum" in other.stdout


def test_the_measured_set_where_it_is_named():
    """Loose bounds, so that a change of the reading shows."""
    place = os.environ.get("IL2_ANTIGEN_DATA", "")
    if not place or not (Path(place) / antigen_data.TABLE).is_file():
        pytest.skip("IL2_ANTIGEN_DATA does not name a folder with il2_timeseries.csv")
    frame = read(place)
    points, aside = answerable(frame), answerable(frame, kept_aside=True)
    assert points["condition"].nunique() > 100 and not set(points["experiment"]) & set(aside["experiment"])
    assert 0.2 < aside["experiment"].nunique() / frame["experiment"].nunique() < 0.5
    table = exponents(points, {})
    whole = table[table["peptide"] == "all"]
    assert (whole["low"] < whole["exponent"]).all() and (whole["high"] - whole["low"] < 0.5).all()
    assert (whole["exponent_censored"] - whole["exponent"]).abs().max() < 0.2
