"""Regimens: their doses, files both ways, the presets, and what cannot be given."""

import math
from dataclasses import replace

import pytest
from helpers import examples
from hypothesis import given
from hypothesis import strategies as st

from il2.errors import Il2Error
from il2.knowledge.drug import drug
from il2.knowledge.source import ASSUMED
from il2.knowledge.table import keyed
from il2.patient.body import Body
from il2.patient.dose import Dose, dose
from il2.patient.regimen import MOST_DOSES, Course, Regimen, doses
from il2.patient.regimen_file import plain, read_regimen, regimen, regimen_text, regimens, time_text, write_regimen
from il2.units import quantity_in

ADULT = Body()
ONE = Dose(1.0, "MIU")
APART = "Let a cycle begin after the last dose of the one before."


def of(*courses):
    return Regimen("test", "Test", courses)


def course(**changes):
    return replace(Course("aldesleukin", ONE, "sc"), **changes)


# ---- doses ---------------------------------------------------------------------------------------------------------


def test_high_dose_by_hand():
    """Label: 600,000 IU/kg over 15 min every 8 h, 14 doses, nine days of rest, once more."""
    got = doses(regimen("high_dose_aldesleukin"), ADULT)
    first = [n / 3 for n in range(14)]
    assert [g.time_d for g in got] == pytest.approx([*first, *(14 + t for t in first)])
    assert {g.route for g in got} == {"iv"} and {round(24 * 60 * g.duration_d, 9) for g in got} == {15}
    assert got[0].amount_nmol == pytest.approx(168, rel=0.005) and len({g.amount_nmol for g in got}) == 1
    heavy = doses(regimen("high_dose_aldesleukin"), Body(weight_kg=105))
    assert heavy[0].amount_nmol == pytest.approx(1.5 * got[0].amount_nmol)


def test_two_weeks_on_two_weeks_off():
    got = [g.time_d for g in doses(regimen("SLE_alternate_days"), ADULT)]
    assert got == [28 * cycle + 2 * n for cycle in range(3) for n in range(7)]


def test_courses_follow_one_another():
    got = doses(regimen("HCV vasculitis"), ADULT)
    assert [g.time_d for g in got] == [*range(5), *range(21, 26), *range(42, 47), *range(63, 68)]
    low, high = dose("1.5 MIU").nmol, dose("3 MIU").nmol
    assert [g.amount_nmol for g in got] == pytest.approx(
        [low(drug("IL-2"), ADULT)] * 5 + [high(drug("IL-2"), ADULT)] * 15
    )


def test_doses_of_several_drugs_are_sorted_and_named():
    both = of(course(drug="Proleukin", every_h=24.0, doses=3), Course("Zenapax", dose("1 mg/kg"), "iv", start_d=1.0))
    assert [(g.drug, g.time_d) for g in doses(both, ADULT)] == [
        ("aldesleukin", 0), ("aldesleukin", 1), ("daclizumab", 1), ("aldesleukin", 2),
    ]  # fmt: skip
    assert both.drugs == ("aldesleukin", "daclizumab") and both.end_d == 2


def test_another_set_of_constants_keeps_its_name():
    assert doses(of(course(drug="aldesleukin/label")), ADULT)[0].drug == "aldesleukin/label"
    assert doses(of(course(drug="aldesleukin/konrad")), ADULT)[0].drug == "aldesleukin"


def test_a_cut_dose_and_none():
    whole, half = (doses(of(course(percent=p)), ADULT)[0].amount_nmol for p in (100.0, 50.0))
    assert half == pytest.approx(whole / 2)
    assert doses(of(), ADULT) == () and of().end_d == 0


def test_a_steady_course_says_so_once():
    got = doses(of(course(every_h=12.0, doses=3, steady=True)), ADULT)
    assert [(g.steady, g.interval_d) for g in got] == [(True, 0.5), (False, 0.0), (False, 0.0)]


COURSES = st.builds(
    Course,
    drug=st.sampled_from(("aldesleukin", "Proleukin")),
    dose=st.builds(Dose, st.floats(1e-3, 10), st.sampled_from(("MIU", "mg", "nmol")), st.sampled_from(("", "m2"))),
    route=st.sampled_from(("iv", "sc", "im")),
    start_d=st.floats(0, 100),
    every_h=st.floats(1, 100),
    doses=st.integers(1, 6),
    duration_h=st.floats(0, 1),
    cycles=st.integers(1, 3),
    cycle_d=st.floats(26, 60),
    percent=st.floats(1, 100),
)


@examples(60)
@given(st.lists(COURSES, max_size=3))
def test_doses_are_counted_sorted_and_start_with_the_courses(courses):
    plan = of(*courses)
    got = doses(plan, ADULT)
    times = [g.time_d for g in got]
    assert len(got) == sum(c.doses * c.cycles for c in courses) and times == sorted(times)
    assert not courses or times[0] == min(c.start_d for c in courses)
    assert max((g.time_d + g.duration_d for g in got), default=0) == pytest.approx(plan.end_d)
    amounts = sum(g.amount_nmol for g in got)
    heavier = sum(g.amount_nmol for g in doses(plan, Body(weight_kg=140)))
    assert amounts <= heavier * (1 + 1e-12) and (heavier <= amounts * math.sqrt(2) * (1 + 1e-12))


# ---- what cannot be given ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"every_h": 8.0, "doses": 3, "duration_h": 9.0},
            "duration_h: the infusion takes 9 h, longer than its interval of 8 h. "
            "Shorten the infusion or lengthen the interval.",
        ),
        (
            {"every_h": 24.0, "doses": 7, "cycles": 2, "cycle_d": 5.0},
            f"cycle_d: 2 cycles of 144 h begin every 120 h and overlap. {APART}",
        ),
        (
            {"every_h": 24.0, "doses": 6, "cycles": 2, "cycle_d": 5.0},
            f"cycle_d: 2 cycles of 120 h begin every 120 h and overlap. {APART}",
        ),
        (
            {"cycles": 2},
            f"cycle_d: 2 cycles of 0 h begin every 0 h and overlap. {APART}",
        ),
        ({"doses": 3}, "every_h: the interval of 3 doses is missing. Give the time between doses."),
        ({"steady": True}, "every_h: the interval before a steady dose is missing. Give the time between doses."),
        (
            {"steady": True, "every_h": 8.0, "cycles": 2, "cycle_d": 5.0},
            "cycles: a course that is steady has no cycles (it never rested). Give the doses as one course.",
        ),
        ({"start_d": -1.0}, "start_d: -1.0 is no time. Give a time from zero up."),
        ({"every_h": math.nan}, "every_h: nan is no time. Give a time from zero up."),
        ({"duration_h": math.inf}, "duration_h: inf is no time. Give a time from zero up."),
        ({"doses": 0}, "doses: 0 is no number of doses. Give a whole number from 1 up."),
        ({"cycles": 1.5}, "cycles: 1.5 is no number of cycles. Give a whole number from 1 up."),
        ({"percent": 101.0}, "percent: 101.0 is no percentage of a dose. Give more than 0, at most 100."),
        ({"percent": math.nan}, "percent: nan is no percentage of a dose. Give more than 0, at most 100."),
        ({"route": "po"}, "route: unknown route 'po'. Known: im, iv, sc."),
        (
            {"every_h": 1.0, "doses": MOST_DOSES + 1},
            "doses: 1,000,001 doses are given. Give at most 1,000,000.",
        ),
        ({"start_d": 1e6}, "start_d: the last dose ends on day 1e+06. End by day 100000."),
    ],
)
def test_impossible_courses(changes, message):
    with pytest.raises(Il2Error) as error:
        course(**changes)
    assert str(error.value) == message


def test_cycles_may_follow_one_another_at_once():
    end_to_end = course(every_h=24.0, doses=5, cycles=2, cycle_d=5.0)
    assert [g.time_d for g in doses(of(end_to_end), ADULT)] == list(range(10))
    assert course(every_h=8.0, doses=3, duration_h=8.0).duration_h == 8  # one infusion passes into the next


def test_impossible_regimens():
    with pytest.raises(Il2Error, match=r"courses: 1,200,000 doses are given\. Give at most 1,000,000"):
        of(*[course(every_h=1.0, doses=600_000, cycles=1)] * 2)
    with pytest.raises(Il2Error, match="aldesleukin is steady on day 3 and was given on day 0"):
        of(course(), course(start_d=3.0, every_h=8.0, steady=True))
    with pytest.raises(Il2Error, match="two courses of aldesleukin are steady"):
        of(*[course(every_h=8.0, steady=True)] * 2)
    for name in ("", "  ", "a\nb", "x" * 81):
        with pytest.raises(Il2Error, match="is no name"):
            Regimen(name, "", ())


# ---- files ---------------------------------------------------------------------------------------------------------


@examples(60)
@given(
    st.lists(COURSES, max_size=3),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=30),
    st.lists(st.sampled_from(("koreth2011", "assumed", "no", "1", "null", "[a]", "# b")), max_size=2),
)
def test_a_regimen_is_read_back_exactly_and_its_text_is_stable(tmp_path_factory, courses, title, words):
    path = tmp_path_factory.getbasetemp() / "one.yaml"
    plan = Regimen("one", title or "one", tuple(courses), tuple(words), title, tuple(words))
    write_regimen(plan, path)
    assert read_regimen(path) == plan
    assert regimen_text(read_regimen(path)) == path.read_text("utf-8") == regimen_text(plan)


@examples(100)
@given(st.floats(0, 1e5), st.sampled_from(("h", "d")))
def test_times_are_written_exactly(value, unit):
    assert quantity_in(time_text(value, unit), unit) == value


def test_times_are_written_shortly():
    assert [time_text(*t) for t in ((8.0, "h"), (504.0, "h"), (0.25, "h"), (1 / 24, "d"), (0.0, "d"))] == [
        "8 h", "21 d", "0.25 h", "1 h", "0 d",
    ]  # fmt: skip
    assert plain(600000.0) == "600000" and plain(0.1) == "0.1"


GOOD = """\
title: Mine
courses:
  - drug: Proleukin
    dose: 1 MIU/m2
    route: sc
    every: 1 d
    doses: 5
    cycles: 2
    cycle: 3 weeks
"""


def read(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return read_regimen(path)


def test_a_file_in_other_words_is_the_same(tmp_path):
    one = read(tmp_path, GOOD.replace("3 weeks", "21 d"))
    other = read(tmp_path, GOOD.replace("every: 1 d", "every_h: 24").replace("cycle: 3 weeks", "cycle_d: 21"))
    alone = read(tmp_path, GOOD.replace("  - drug", "    drug").replace("3 weeks", "504 h"))
    assert one == other == alone and one.name == "mine" and len(doses(one, ADULT)) == 10


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("1 MIU/m2", "1 MU/m2", "4: courses[1].dose", "'MU' is a unit of no name"),
        ("1 MIU/m2", "-1 MIU", "4: courses[1].dose", "a dose of -1 MIU cannot be given"),
        ("1 MIU/m2", "1e9 mg", "4: courses[1].dose", "the largest dose is"),
        ("Proleukin", "daclizumab", "4: courses[1].dose", "daclizumab is not given in MIU"),
        ("Proleukin", "aldesleukine", "3: courses[1].drug", "Did you mean 'aldesleukin'"),
        ("sc", "oral", "5: courses[1].route", "unknown route 'oral'"),
        ("every: 1 d", "every: -1 d", "6: courses[1].every", "'-1 d' is below zero"),
        ("every: 1 d", "every: 1", "6: courses[1].every", "'1' has no unit"),
        ("every: 1 d", "every: 1 mg", "6: courses[1].every", "is no unit of the same kind"),
        ("every: 1 d", "every: 1 d\n    every_h: 24", "7: courses[1].every_h", "both every and every_h are given"),
        ("every: 1 d", "evry: 1 d", "6: courses[1].evry", "unknown key 'evry'. Did you mean 'every'"),
        ("every: 1 d", "start: 0 d", "3: courses[1]", "the interval of 5 doses is missing"),
        ("every: 1 d", "every: 1 d\n    duration: 25 h", "7: courses[1].duration", "longer than its interval of 24 h"),
        ("every: 1 d", "every: 1 d\n    duration_h: 25", "7: courses[1].duration_h", "longer than its interval"),
        ("every: 1 d", "every: 1 d\n    percent: 120 %", "7: courses[1].percent", "120.0 is no percentage"),
        ("every: 1 d", "every: 1 d\n    percent: 120", "7: courses[1].percent", "120.0 is no percentage of a dose"),
        ("every: 1 d", "every: 1 d\n    steady: maybe", "7: courses[1].steady", "neither yes nor no"),
        ("doses: 5", "doses: 5.5", "7: courses[1].doses", "'5.5' is no whole number"),
        ("doses: 5", "doses: 900000", "7: courses[1].doses", "1,800,000 doses are given"),
        ("3 weeks", "3 d", "9: courses[1].cycle", "2 cycles of 96 h begin every 72 h and overlap"),
        ("title: Mine", "title: Mine\ntitle: Yours", "2: title", "stands twice"),
        ("courses:", "course:", "2: course", "Did you mean 'courses'"),
    ],
)
def test_what_a_file_cannot_say_is_refused_with_line_and_key(tmp_path, old, new, place, message):
    with pytest.raises(Il2Error) as error:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert str(error.value).startswith(f"{tmp_path / 'mine.yaml'}:{place}: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty. Give at least 'courses'."),
        ("title: x", "no courses are given. Give 'courses'"),
        ("- a", "a value stands where keys are expected"),
        ("courses: [5]", "a value stands where keys are expected"),
        ("courses:\n  - {dose: 1 mg, route: iv}", "the drug of a course is missing"),
        ("courses: [" * 30, "no valid YAML|nested"),
        ("courses: &a [*a]", "anchors and aliases are not read"),
        ("courses: !!python/object/apply:os.system [ls]", "is not read"),
        ("x" * 300_000, "more than 200,000 bytes. Describe one regimen."),
    ],
)
def test_files_that_are_no_regimen(tmp_path, text, message):
    with pytest.raises(Il2Error, match=message):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(Il2Error, match="cannot be read"):
        regimen(str(tmp_path / "none.yaml"))


# ---- presets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", regimens())
def test_presets_are_whole(name, tmp_path):
    plan = regimen(name)
    known = keyed("sources", "id")
    assert plan.name == name and plan.title and plan.about and set(plan.sources) <= set(known)
    assert bool(plan.courses) == bool(plan.sources)
    unread = [s for s in plan.sources if s != ASSUMED and known[s]["retrieved"] == "no"]
    assert (ASSUMED in plan.sources or not unread) and (not plan.assumed or ASSUMED in plan.sources)
    assert len(doses(plan, ADULT)) == sum(c.total for c in plan.courses)
    write_regimen(plan, tmp_path / f"{name}.yaml")
    assert regimen(str(tmp_path / f"{name}.yaml")) == plan


@pytest.mark.parametrize(
    ("name", "target", "text"),
    [
        ("DILT1D_10_percent", "T129", "0.101 MIU/m2"),
        ("DILT1D_20_percent", "T130", "0.497 MIU/m2"),
        ("DILfrequency", "T131", "0.26 MIU/m2"),
    ],
)
def test_presets_give_the_doses_of_the_targets(name, target, text):
    row = keyed("targets", "id")[target]
    assert row["value"] in text and [str(c.dose) for c in regimen(name).courses] == [text]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cGVHD_daily", "1 MIU/m2"),
        ("basiliximab_renal", "20 mg"),
        ("rezpegaldesleukin_single", "28 ug/kg"),
        ("bempegaldesleukin_every_3_weeks", "0.006 mg/kg"),
        ("HIV_ESPRIT", "7.5 MIU"),
        ("HIV_SILCAAT", "4.5 MIU"),
        ("daclizumab_monthly", "150 mg"),
    ],
)
def test_presets_give_the_doses_of_the_trials(name, expected):
    assert {str(c.dose) for c in regimen(name).courses} == {expected}


def test_presets_are_found_in_any_case_and_the_nearest_is_named():
    assert regimen("High-Dose Aldesleukin") == regimen("high_dose_aldesleukin")
    with pytest.raises(Il2Error, match=r"unknown regimen 'high_dos'.*Did you mean 'high_dose_aldesleukin'"):
        regimen("high_dos")
    with pytest.raises(Il2Error, match="'HIV_ESPRIT'"):
        regimen("esprit")
    with pytest.raises(Il2Error, match="unknown regimen"):
        regimen("../../secrets")


def test_no_treatment_is_a_regimen():
    assert doses(regimen("no_treatment"), ADULT) == ()
