"""`il2 treat` as a user drives it, and `treat` from Python: comparisons, bands, fates of a dose, figures, mistakes."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_cli import ROOT, blocks, commands, il2, write_files
from typer.testing import CliRunner

from il2.cli import gene as _gene  # noqa: F401  so that the app has several verbs
from il2.cli import treat as _treat  # noqa: F401  adds its verb
from il2.cli.app import app
from il2.errors import Il2Error
from il2.knowledge.drug import drugs
from il2.knowledge.person import person, persons
from il2.knowledge.quantity import quantity
from il2.patient.autoimmunity import disease, diseases
from il2.patient.course import follow, plan_of
from il2.patient.dose import dose
from il2.patient.module import modules
from il2.patient.notice import RESEARCH_USE
from il2.patient.numbers import numbers
from il2.patient.regimen import Course, Regimen
from il2.patient.regimen_file import regimen, regimens
from il2.patient.treat import treat
from il2.patient.treat_exposure import exposures
from il2.patient.treat_summary import effects, fates, frame, mechanism
from il2.report.treat import treat_html
from il2.report.treat_figure import treat_figure
from il2.report.treat_panels import columns, stretches

DOCUMENT = ROOT / "docs" / "patient.md"
FEW = ["DILfrequency", "T1D_1_MIU"]  # one drug: one network for most tests
SHARES = ("not_absorbed", "eaten_by_receptors", "cleared", "left")
PAIR = [
    Regimen(name, name, (Course(drug, dose("1 mg"), "sc"),))
    for name, drug in (("wild", "Fc.IL-2"), ("weak", "Fc.IL-2 mutein"))
]
HOSTILE = 'title: "<script>alert(1)</script> & <b>"\ncourses:\n  - {drug: aldesleukin, dose: 1 MIU, route: sc}\n'


def run(*words: str):
    return CliRunner().invoke(app, ["treat", *words], catch_exceptions=True, env={"COLUMNS": "160"})


@pytest.fixture(scope="module")
def compared():
    return treat(FEW, "T1D", 20, draws=12)


def test_regimens_patients_and_drugs_are_listed():
    rows = json.loads(run("--list", "--format", "json").stdout)
    named = {
        what: {r["name"].partition("/")[0] for r in rows if r["what"] == what}
        for what in ("regimen", "patient", "drug")
    }
    assert named["regimen"] == set(regimens()) and named["patient"] == set(persons())
    assert named["drug"] == {d.name.partition("/")[0] for d in drugs()}
    assert {r["name"] for r in rows if r["what"] == "module"} == {*modules(), *diseases()}
    assert "basiliximab_renal" in run("--list").stdout


def test_a_comparison_shares_one_network_and_each_regimen_is_what_it_is_alone():
    both, alone = treat(PAIR, "healthy", 10), treat(PAIR[0], "healthy", 10)
    assert list(both.drug.values) == ["Fc.IL-2", "Fc.IL-2 mutein"] and list(alone.drug.values) == ["Fc.IL-2"]
    own = both.sel(regimen="wild")
    assert own.level_nM.sel(drug="Fc.IL-2 mutein").max() == 0 and own.IL2RA_covered.max() == 0
    for name, other in (("count_per_uL", {"cell": "Treg"}), ("receptors_at_work", {"cell": "NK"})):
        there = np.interp(alone.time_d.values, own.time_d.values, own[name].sel(other).values)
        assert there == pytest.approx(alone[name].sel(other).values[0], rel=5e-3, abs=1e-4)


def test_an_antibody_covers_and_idles_receptors():
    data = treat("basiliximab_renal", "healthy", 10).sel(regimen="basiliximab_renal")
    assert float(data.IL2RA_covered.max()) > 0.95
    assert np.isnan(data.EC50_nM.sel(drug="basiliximab").values).all() and data.half_cover_nM[0] > 0
    late = data.time_d.values > 1
    assert data.pSTAT5.sel(cell="Treg").values[late].max() < 0.3 * data.pSTAT5.sel(cell="Treg").values[0]
    assert 0 <= float(data.receptors_at_work.min()) and float(data.receptors_at_work.max()) <= 1
    assert float(data.eaten_by_receptors[0]) == 0 and float(abs(data.missed[0])) < 0.01


def test_courses_are_those_of_the_patient(compared):
    times = compared.time_d.values
    found = follow(regimen("T1D_1_MIU"), person("T1D"), times, ["aldesleukin_nM", "count_NK", "IL2RA_free"])
    own = compared.sel(regimen="T1D_1_MIU")
    assert own.level_nM.sel(drug="aldesleukin").values == pytest.approx(found["aldesleukin_nM"][0], rel=1e-2, abs=1e-8)
    assert own.count_per_uL.sel(cell="NK").values == pytest.approx(found["count_NK"][0], rel=1e-3)
    counted = own.level_IU_per_mL / own.level_nM
    mass = next(d for d in drugs() if d.name == "aldesleukin")
    assert float(counted.max()) == pytest.approx(mass.MIU_per_mg * mass.mass_kDa, rel=1e-6)  # IU/mL in 1 nM


def test_the_dose_is_accounted_for(compared):
    """Cleared by a second way: clearance from the numbers of the patient times the area by a fine trapezoid."""
    for name in FEW:
        one = compared.sel(regimen=name, drug="aldesleukin")
        assert sum(float(one[s]) for s in SHARES) == pytest.approx(1, abs=0.01) and abs(float(one.missed)) < 0.01
    who, plan = person("T1D"), plan_of([regimen("T1D_1_MIU")])
    values = numbers(plan, who)
    size = who["weight_kg"].value / quantity("adult_body_weight").value
    reference, renal = (float(np.ravel(values[f"aldesleukin {n}"])[0]) for n in ("reference_clearance", "renal_share"))
    exponent = quantity("allometric_exponent_clearance").value
    clearance = reference * ((1 - renal) * size**exponent + renal * values["kidney_function"])
    fine = np.arange(0, 20, 0.005)
    level = follow(regimen("T1D_1_MIU"), who, fine, ["aldesleukin_nM"])["aldesleukin_nM"][0]
    given = float(np.nansum(compared.dose_nmol.sel(regimen="T1D_1_MIU").values))
    by_hand = 24 * clearance * np.trapezoid(level, fine) / given
    assert float(compared.cleared.sel(regimen="T1D_1_MIU", drug="aldesleukin")) == pytest.approx(by_hand, rel=0.02)


def test_bands_stand_in_order_and_with_more_draws_the_first_stay(compared):
    for name in ("fold", "pSTAT5", "eosinophils_per_uL", "level_nM", "eaten_by_receptors", "capillary_leak_index"):
        low, high = compared[f"{name}_low"].values, compared[f"{name}_high"].values
        assert (low <= high + 1e-12).all() and (high > low).any(), name
    again = treat(FEW, "T1D", 20, draws=12)
    assert again.equals(compared)
    assert not treat(FEW, "T1D", 20, draws=12, seed=1).fold_high.equals(compared.fold_high)
    plain = treat(FEW, "T1D", 20)
    assert "fold_low" not in plain and plain.fold.values == pytest.approx(compared.fold.values, rel=1e-3)


def test_draws_without_a_drug_stay_at_rest():
    data = treat("no_treatment", "healthy", 30, draws=12)
    assert data.fold_low.values == pytest.approx(1, abs=0.02) and data.fold_high.values == pytest.approx(1, abs=0.02)
    assert data.eosinophils_per_uL_high.values == pytest.approx(data.eosinophils_per_uL.values, rel=0.02)


def test_receptors_at_work_rise_with_the_level_and_stay_shares(compared):
    busy = compared.receptors_at_work
    assert float(busy.min()) >= 0 and float(busy.max()) <= 1
    treg = busy.sel(regimen="T1D_1_MIU", cell="Treg").values
    level = compared.level_nM.sel(regimen="T1D_1_MIU", drug="aldesleukin").values
    assert treg[level.argmax()] > 3 * treg[0]


def test_a_weaker_drug_on_Fc_is_eaten_less_and_gives_more():
    data = treat(PAIR, "healthy", 42)
    wild, weak = fates(data)
    assert weak["Treg_EC50_nM"] > 10 * wild["Treg_EC50_nM"]
    assert weak["eaten_of_absorbed"] < wild["eaten_of_absorbed"] and weak["Treg_gain_fold_d"] > wild["Treg_gain_fold_d"]
    told = mechanism(data)[-1]
    assert "the weaker one" in told and "more of it stays to act" in told
    assert any("constants are those of a mouse" in w for w in data.attrs["warnings"])


def test_exposure_and_effects(compared):
    rows = {r["regimen"]: r for r in exposures(compared)}
    low, daily = rows["DILfrequency"], rows["T1D_1_MIU"]
    assert low["doses"] == 7 and daily["doses"] == 5 and 2 <= daily["first_peak_h"] <= 8
    assert 2 < daily["half_life_h"] < 12 and low["accumulation"] == pytest.approx(1, abs=0.15)
    assert daily["first_AUC_nM_h"] > low["first_AUC_nM_h"] > 0
    for r in effects(compared):
        assert r["lowest"] <= min(r["start"], r["end"]) <= max(r["start"], r["end"]) <= r["highest"]
    single = exposures(treat("DILT1D_10_percent", "T1D", 10))[0]
    assert np.isnan(single["last_peak_nM"]) and single["first_AUC_nM_h"] > 0


def test_a_table_says_units_and_research_use(compared):
    table = frame(compared)
    assert len(table) == 2 * compared.sizes["time_d"] * compared.sizes["cell"]
    assert {"aldesleukin_nM", "aldesleukin_nM_low", "aldesleukin_IU_per_mL", "pSTAT5_percent", "count_per_uL"} <= set(
        table
    )
    assert set(table.research_use_only) == {"no medical advice"} and RESEARCH_USE in table.attrs["research_use"]
    explained = set(re.findall(r"`([\w]+)`", DOCUMENT.read_text("utf-8")))
    stems = {re.sub("_(low|high)$", "", c).replace("aldesleukin", "DRUG") for c in table}
    assert stems <= explained, stems - explained
    for variable in compared.data_vars.values():
        assert variable.attrs["units"] and variable.attrs["long_name"]


def test_a_fall_of_a_disease_says_which_way_is_better():
    told = DOCUMENT.read_text("utf-8")
    assert "above 0 is better, below 0 is worse" in told
    assert "better" in treat("cGVHD_daily", "cGVHD", 3, modules=("lupus",)).disease_index_change.attrs["long_name"]


def test_nothing_given_and_an_unknown_drug_level():
    data = treat("no_treatment", "healthy", 5)
    assert float(abs(data.fold - 1).max()) < 0.01 and exposures(data) == [] == fates(data) == mechanism(data)
    assert treat_figure(data) and "No drug is given." in treat_html(data, [regimen("no_treatment")], person("healthy"))


def test_changes_and_genes():
    plain = treat("T1D_1_MIU", "healthy", 20)
    fast = treat("T1D_1_MIU", "healthy", 20, changes={"aldesleukin_subcutaneous_bioavailability": 0.6})
    assert float(fast.level_nM.max()) > 1.4 * float(plain.level_nM.max())
    assert float(fast.not_absorbed[0, 0]) == pytest.approx(0.4)
    far = treat("T1D_1_MIU", "healthy", 5, changes={"eosinophil_loss": 90.0})
    assert any("outside its range" in w for w in far.attrs["warnings"])


def test_a_disease_adds_its_readouts():
    data = treat("cGVHD_daily", "cGVHD", 30, modules=("chronic GVHD",))
    rows = [r["readout"] for r in effects(data)]
    assert (
        "fall of the disease index (above 0 is better)" in rows
        and data.disease_index_change.attrs["units"] == "dimensionless"
    )
    changes = disease("chronic GVHD").values
    plan = plan_of([regimen("cGVHD_daily")], ("autoimmunity",))
    wanted, times = ["disease_index_change"], data.time_d.values
    found = follow(regimen("cGVHD_daily"), person("cGVHD"), times, wanted, plan=plan, changes=changes)[wanted[0]]
    assert data.disease_index_change.values[0] == pytest.approx(found[0], abs=1e-6)
    (column,) = columns(data)
    assert column.panels[-1].title == "Fall of disease index: above 0 is better"
    assert column.panels[-1].lines[0].values == pytest.approx(100 * found[0], abs=1e-4)
    assert data.attrs["modules"] == "chronic GVHD" and abs(found[0, -1]) > 0.01
    page = treat_html(data, [regimen("cGVHD_daily")], person("cGVHD"))
    assert "autoantigen drive GVHD" in page and "fall of the disease index (above 0 is better)" in page


def test_dense_treatment_is_shaded_in_stretches():
    course = tuple((float(t), 0.0, 0) for t in (0, 1, 2, 3, 14, 15, 16, 17))
    assert stretches(course) == [(0, 3), (14, 17)] and stretches(()) == []
    data = treat(FEW, "T1D", 1)
    shown = columns(data)
    assert [c.heading for c in shown] == data.attrs["titles"] and len(shown[0].given) == 20
    assert len(columns(treat([*FEW, "T1D_3_MIU", "T1D_0.33_MIU", "cGVHD_daily"], "T1D", 1))) == 1


def test_files_are_written_and_names_are_escaped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("hostile.yaml").write_text(HOSTILE)
    done = run("hostile.yaml", "T1D_1_MIU", "--days", "6", "--html", "p.html", "--out", "t.parquet", "--threads", "1")
    assert done.exit_code == 0, done.output
    page = Path("p.html").read_text("utf-8")
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert not re.search(r'(?:src|href)="(?!data:|#|https://)', page)
    for words in ("Where the dose goes", "Numbers and their grades", "hash", "T1D_1_MIU", "eaten by IL-2 receptors"):
        assert words in page
    body = page.index("<main>")
    assert page.count(RESEARCH_USE, body) == 2 and page.rindex(RESEARCH_USE) > page.index("References")
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")
    table = pd.read_parquet("t.parquet")
    assert "research_use_only" in table and list(table.columns[:3]) == ["regimen", "time_d", "cell"]
    assert done.stdout.count(RESEARCH_USE) == 2
    rows = json.loads(run("T1D_1_MIU", "--days", "3", "--format", "json").stdout)
    assert {r["table"] for r in rows} == {"exposure", "fate", "effects"}
    assert all(r["research_use"] == RESEARCH_USE for r in rows)


def test_a_person_is_changed_with_units():
    def rows(*words: str) -> list[dict]:
        done = run("T1D_1_MIU", "--days", "3", "--format", "json", *words)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    plain, other = rows(), rows("--weight", "110 kg", "--eGFR", "30 mL/min/1.73 m2", "--count", "Treg=20 cell/uL")
    peak = [next(r["first_peak_nM"] for r in found if r["table"] == "exposure") for found in (plain, other)]
    treg = [next(r["start"] for r in found if r.get("readout") == "Treg") for found in (plain, other)]
    assert peak[0] != pytest.approx(peak[1], rel=0.05) and treg == [50, 20]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "il2 treat: no regimen is named. Give one of --list, or a file .yaml or .csv."),
        (("cGVHD",), "unknown regimen 'cGVHD'. Did you mean 'cGVHD_daily'?"),
        (("cGVHD_daily", "--patient", "cGVH"), "unknown person 'cGVH'. Did you mean 'cGVHD'?"),
        (("drug.yaml",), "drug.yaml:2: courses[1].drug: unknown drug 'aldesleukine'. Did you mean 'aldesleukin'"),
        (("minus.yaml",), "a dose of -1 MIU cannot be given. Give an amount above zero."),
        (("unit.yaml",), "unit.yaml:2: courses[1].dose: 'm' measures no dose"),
        (("nameless.yaml",), "is a unit of no name"),
        (("long.yaml",), "longer than its interval of 1 h. Shorten the infusion or lengthen the interval."),
        (("steady.yaml",), "begins with doses that were given for ever before"),
        (("cGVHD_daily", "cGVHD_daily"), "the regimen 'cGVHD_daily' is given twice"),
        (("cGVHD_daily", "--weight", "80"), "--weight: '80' has no unit. Write the unit, for example '80 kg'."),
        (("cGVHD_daily", "--weight", "80 cm"), "--weight: 'cm' is no unit of the same kind as 'kg'"),
        (("cGVHD_daily", "--height", "1.8 cm"), "is no size of a body"),
        (("cGVHD_daily", "--count", "Tregs=3 cell/uL"), "--count: no count of 'Tregs'. Did you mean 'Treg'?"),
        (("cGVHD_daily", "--days", "-3"), "days: -3 d. Give more than 0, at most 3650 d."),
        (("cGVHD_daily", "--days", "nan"), "days: nan d"),
        (("cGVHD_daily", "--step", "1e-9"), "times (the limit is 20,000). Give a longer step"),
        (("cGVHD_daily", "--draws", "2", "--seed", "9" * 30), "Give a whole number from 0 to 2^64 - 1."),
        (("skin.yaml",), "skin: courses[1].duration: aldesleukin cannot be infused sc. Give a bolus"),
        (("skin.csv", "--drug", "aldesleukin"), "skin 1: courses[1].duration: aldesleukin cannot be infused sc."),
        (("huge.yaml",), "huge.yaml:2: courses[1].dose: a dose of 1e+300 MIU cannot be given. Give at most 1e+15"),
        (("blank.yaml",), "blank.yaml:1: courses: no courses are given. Give a list; an empty one"),
        (("cGVHD_daily", "--patient", "nobody"), "--patient: unknown person 'nobody'."),
        (("cGVHD_daily", "--count", "Treg=1e12 cell/uL"), "1e+12 cells of Treg stand in one uL. Give at most"),
        (("cGVHD_daily", "--count", "NK=9 cell/uL", "--count", "NK=8 cell/uL"), "--count: NK is given twice."),
        (("cGVHD_daily", "--set", "eosinophil_loss=1 1/d", "--set", "eosinophil_loss=2 1/d"), "loss is given twice"),
        (("cGVHD_daily", "--draws", "99999"), "draws is 99999. Give a whole number from 0 to 9,999."),
        (("cGVHD_daily", "--draws", "9999"), "values asked for (the limit is 100,000,000)"),
        (("cGVHD_daily", "--module", "asthmaa"), "unknown module 'asthmaa'"),
        (("cGVHD_daily", "--drug", "aldesleukin"), "--drug has no effect without an event table"),
        (("cGVHD_daily", "--out", "t.xlsx"), "t.xlsx: unknown ending '.xlsx'"),
        (("cGVHD_daily", "--set", "eosinophil_los=1 1/d"), "--set: unknown quantity 'eosinophil_los'. Did you mean"),
        (("cGVHD_daily", "--set", "eosinophil_loss=1 nM"), "--set eosinophil_loss: 'nM' is no unit of the same kind"),
        (
            ("cGVHD_daily", "--set", "aldesleukin_central_to_peripheral=-1 1/h"),
            "aldesleukin, set konrad: aldesleukin_central_to_peripheral is -1 1/h (to_peripheral must be above zero)",
        ),
        (("late.csv", "--drug", "aldesleukin"), "late.csv:3: "),
        (("late.csv",), "late.csv:1: no drug is named. Name the drug, or give a column DRUG."),
        (("units.csv", "--drug", "aldesleukin"), "units.csv:1"),
        (("none.csv",), "none.csv"),
    ],
)  # fmt: skip
def test_mistakes_are_one_message(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = "courses:\n  - {{drug: {0}, dose: {1}, route: {2}}}\n"
    for name, parts in {
        "drug": ("aldesleukine", "1 MIU", "sc"), "minus": ("aldesleukin", "-1 MIU", "sc"),
        "unit": ("aldesleukin", "1 m", "sc"), "nameless": ("aldesleukin", "1 MU", "sc"),
        "long": ("aldesleukin", "1 MIU", "iv, duration: 2 h, every: 1 h, doses: 3"),
        "steady": ("aldesleukin", "1 MIU", "sc, every: 24 h, doses: 3, steady: yes"),
    }.items():  # fmt: skip
        Path(f"{name}.yaml").write_text(line.format(*parts))
    Path("huge.yaml").write_text(line.format("aldesleukin", "1e300 MIU", "sc"))
    Path("skin.yaml").write_text(line.format("aldesleukin", "1 MIU", "sc, duration: 2 h"))
    Path("skin.csv").write_text("TIME_h,AMT_MIU,RATE,CMT\n0,1,0.5,1\n")
    Path("blank.yaml").write_text("courses:\n")
    Path("late.csv").write_text("TIME_h,AMT_MIU,CMT\n24,1,1\n0,1,1\n")
    Path("units.csv").write_text("TIME,AMT,CMT\n0,1,1\n")
    before = set(tmp_path.iterdir())
    done = run(*words)
    assert isinstance(done.exception, Il2Error), done.output
    assert message in str(done.exception) and "\n" not in str(done.exception)
    assert set(tmp_path.iterdir()) == before


def test_sets_of_one_drug_are_not_mixed():
    pair = [Regimen(n, n, (Course(n, dose("1 MIU"), "sc"),)) for n in ("aldesleukin", "aldesleukin/label")]
    with pytest.raises(Il2Error, match=r"konrad and label\. Compare them in two runs"):
        treat(pair)


def test_a_mistake_has_no_traceback(tmp_path):
    done = il2(tmp_path, "treat", "nothing", fails=True)
    assert done.returncode == 2 and done.stderr.startswith("il2: unknown regimen 'nothing'.")


def test_documented_commands_and_example_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_files(DOCUMENT, tmp_path, ("events.csv",))
    lines = [line for line in commands(DOCUMENT) if line.startswith("il2 treat")]
    assert len(lines) == 6
    for line in lines:
        done = run(*shlex.split(line)[2:])
        assert done.exit_code == 0, (line, done.output, done.exception)
        assert RESEARCH_USE in done.stdout or "--list" in line
    assert "the weaker one" in Path("paradox.html").read_text("utf-8")
    assert pd.read_csv("compare.csv").regimen.unique().tolist() == ["DILfrequency", "cGVHD_daily"]
    (example,) = (b for b in blocks(DOCUMENT, "python") if "patient.treat" in b)
    exec(compile(example, "patient.md", "exec"), {})
    assert "Research use only" in capsys.readouterr().out
