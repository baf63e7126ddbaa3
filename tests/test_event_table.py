"""Event tables in the manner of NONMEM: from tables to regimens and back, and what is refused, with its line."""

import math

import pytest
from helpers import examples
from hypothesis import given
from hypothesis import strategies as st

from il2.errors import Il2Error
from il2.formats.event_line import EVENTS
from il2.formats.events import event_rows, read_events, write_events
from il2.knowledge.table import rows
from il2.patient.body import Body
from il2.patient.dose import Dose, dose
from il2.patient.regimen import Course, Regimen, doses
from il2.patient.regimen_file import regimen, regimens

ADULT = Body()
TABLE = """\
ID,TIME_h,AMT_MIU,RATE,II,ADDL,EVID,CMT,SS,DV
1,0,42,168,8,13,1,2,0,.
1,4,.,.,.,.,0,.,.,3.2
1,336,42,168,8,13,1,2,0,.
2,0,1,0,24,4,1,1,1,.
"""


def read(folder, text, **options):
    path = folder / "events.csv"
    path.write_text(text, encoding="utf-8")
    return read_events(path, **{"drug": "aldesleukin", **options})


def unrolled(text):
    """Doses of a table without units in its names, (hours, amount, length in h), by another reading of the rules."""
    found = []
    for line in text.splitlines()[1:]:
        field = dict(zip(text.splitlines()[0].split(","), line.split(","), strict=True))
        if field["EVID"] == "1":
            amount, rate = float(field["AMT"]), float(field["RATE"])
            for n in range(int(field["ADDL"]) + 1):
                time = float(field["TIME"]) + n * float(field["II"])
                found.append((time, amount, amount / rate if rate else 0.0))
    return sorted(found)


# ---- table to regimen ----------------------------------------------------------------------------------------------


def test_high_dose_as_a_table_is_the_preset(tmp_path):
    table = read(tmp_path, TABLE)
    assert list(table) == ["1", "2"]
    preset, got = (doses(r, ADULT) for r in (regimen("high_dose_aldesleukin"), table["1"]))
    for field in ("time_d", "amount_nmol", "duration_d"):
        assert [getattr(g, field) for g in got] == pytest.approx([getattr(g, field) for g in preset])
    assert {g.route for g in got} == {"iv"} and {g.route for g in doses(table["2"], ADULT)} == {"sc"}
    assert [(g.steady, g.interval_d) for g in doses(table["2"], ADULT)][:2] == [(True, 1.0), (False, 0.0)]


@pytest.mark.parametrize(
    ("header", "line", "options"),
    [
        ("TIME_h,AMT_nmol,CMT", "24,3,2", {}),
        ("TIME_d,AMT_pmol,CMT", "1,3000,2", {}),
        ("TIME_min,AMT_ug,CMT", "1440,45.9,2", {}),
        ("TIME,AMT,CMT", "24,3,2", {"time": "h", "amount": "nmol"}),
        ("TIME_h,AMT", "24,3", {"amount": "nmol", "route": "iv"}),
        ("TIME,AMT_nmol/kg,CMT", f"1,{3 / 70!r},1", {"time": "d", "compartments": {1: "iv"}}),
        ("\ufeffTIME_h,AMT_nmol,CMT", "24,3,2", {}),
        ("TIME_h,AMT_nmol,CMT,DRUG", "24,3,2,Proleukin", {"drug": ""}),
        ("CMT,WT,AMT_nmol,AGE,RACE,TIME_h", "2,70,3,33,x,24", {}),
    ],
)
def test_units_drugs_and_routes_are_said_in_several_ways(tmp_path, header, line, options):
    (got,) = doses(read(tmp_path, f"{header}\n{line}\n", **options)["1"], ADULT)
    assert (got.drug, got.route, got.time_d, got.duration_d) == ("aldesleukin", "iv", pytest.approx(1), 0)
    assert got.amount_nmol == pytest.approx(3)


def test_lengths_of_infusions(tmp_path):
    header = "TIME_d,AMT_nmol,{},CMT\n0,6,{},2\n"
    for column, value in (("RATE", 48), ("RATE_nmol/d", 48), ("DUR", 0.125), ("DUR_h", 3), ("DUR_min", 180)):
        (got,) = doses(read(tmp_path, header.format(column, value))["1"], ADULT)
        assert got.duration_d == pytest.approx(0.125)
    both = read(tmp_path, "TIME_d,AMT_nmol,RATE,DUR_h,CMT\n0,6,48,3,2\n")["1"]
    assert both.courses[0].duration_h == pytest.approx(3)


def test_who_is_observed_only_gets_nothing(tmp_path):
    table = read(tmp_path, "ID,TIME_h,AMT_mg,EVID,CMT\n7,0,0,0,1\n7,4,.,2,.\n8,0,1,1,1\n")
    assert table["7"].courses == () and len(table["8"].courses) == 1


# ---- regimen to table ----------------------------------------------------------------------------------------------


def test_a_preset_as_a_table(tmp_path):
    path = tmp_path / "out.csv"
    write_events(path, event_rows(regimen("HCV_vasculitis"), amount="MIU"))
    assert path.read_text() == (
        "ID,TIME_h,AMT_MIU,RATE_MIU/h,II_h,ADDL,EVID,CMT,SS\n"
        "1,0,1.5,0,24,4,1,1,0\n1,504,3,0,24,4,1,1,0\n1,1008,3,0,24,4,1,1,0\n1,1512,3,0,24,4,1,1,0\n"
    )


def test_even_cycles_become_one_line():
    weekly = Course("aldesleukin", dose("1 mg"), "sc", cycles=6, cycle_d=7.0)
    joined = Course("aldesleukin", dose("1 mg"), "sc", every_h=24.0, doses=5, cycles=2, cycle_d=5.0)
    for course, line in ((weekly, ("168", "5")), (joined, ("24", "9"))):
        (row,) = event_rows(Regimen("x", "x", (course,)))
        assert (row["II_h"], row["ADDL"]) == line


def test_the_names_of_NONMEM_and_numbers_alone():
    for row in event_rows(regimen("high_dose_aldesleukin"), named=False, time="d", amount="mg"):
        assert list(row) == ["ID", "TIME", "AMT", "RATE", "II", "ADDL", "EVID", "CMT", "SS"]
        assert all(math.isfinite(float(text)) for text in row.values())
        assert float(row["RATE"]) == pytest.approx(float(row["AMT"]) * 96)  # 15 min are 1/96 d


def test_bodies_by_ID_and_drugs_by_name(tmp_path):
    plans = {"a": regimen("high_dose_aldesleukin"), "b": regimen("basiliximab_renal"), "c": regimen("no_treatment")}
    bodies = {"a": Body(weight_kg=100)}
    path = tmp_path / "out.csv"
    write_events(path, event_rows(plans, bodies, amount="mg"))
    table = read_events(path)
    assert list(table) == ["a", "b", "c"] and table["c"].courses == ()
    for who, plan in plans.items():
        same(doses(table[who], ADULT), doses(plan, bodies.get(who, ADULT)))


def same(one, other):
    assert [(g.drug, g.route, g.steady) for g in one] == [(g.drug, g.route, g.steady) for g in other]
    for field in ("time_d", "amount_nmol", "duration_d", "interval_d"):
        wanted = [getattr(g, field) for g in other]
        assert [getattr(g, field) for g in one] == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", regimens())
def test_every_preset_goes_round(name, tmp_path):
    path, plan = tmp_path / "out.csv", regimen(name)
    for options in ({}, {"amount": "mg", "time": "d"}):
        write_events(path, event_rows(plan, **options))
        same(doses(read_events(path, drug=(plan.drugs or ("aldesleukin",))[0])["1"], ADULT), doses(plan, ADULT))


@st.composite
def tables(draw):
    """A sound table in h and nmol, and some that were steady."""
    lines, time = [], 0.0
    for n in range(draw(st.integers(1, 5))):
        time += draw(st.floats(0, 500))
        more, steady = draw(st.integers(0, 5)), draw(st.booleans()) and n == 0
        every = draw(st.floats(4, 200)) if more or steady else 0.0
        amount = draw(st.floats(0.01, 500))
        rate = draw(st.one_of(st.just(0.0), st.floats(amount / 4, 10 * amount)))
        lines.append(
            (time, amount, rate, every, more, draw(st.sampled_from((1, 1, 0, 2))), draw(st.integers(1, 2)), steady)
        )
    text = "TIME,AMT,RATE,II,ADDL,EVID,CMT,SS\n"
    for time, amount, rate, every, more, event, compartment, steady in lines:
        amount, rate, every, more, steady = (amount, rate, every, more, steady) if event == 1 else (0, 0, 0, 0, False)
        text += f"{time!r},{amount!r},{rate!r},{every!r},{more},{event},{compartment},{int(steady)}\n"
    return text


def by_time(items):
    """Doses in an order that rounding does not change."""
    return sorted(items, key=lambda item: [round(number, 6) for number in item])


@examples(80)
@given(tables())
def test_table_regimen_table(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    first = read(folder, text, time="h", amount="nmol")["1"]
    got = doses(first, ADULT)
    assert by_time((24 * g.time_d, g.amount_nmol, 24 * g.duration_d) for g in got) == [
        pytest.approx(e, rel=1e-9, abs=1e-9) for e in by_time(unrolled(text))
    ]
    write_events(folder / "again.csv", event_rows(first))
    second = read_events(folder / "again.csv", drug="aldesleukin")["1"]
    same(doses(second, ADULT), got)
    assert event_rows(second) == event_rows(first)


def test_what_cannot_be_written(tmp_path):
    muscle = Regimen("x", "x", (Course("aldesleukin", Dose(1.0, "mg"), "im"),))
    with pytest.raises(Il2Error, match=r"no compartment is given for the route 'im'. Name it, as in \{1: 'sc'"):
        event_rows(muscle)
    assert event_rows(muscle, compartments={3: "im"})[0]["CMT"] == "3"
    with pytest.raises(Il2Error, match="basiliximab is not given in MIU"):
        event_rows(regimen("basiliximab_renal"), amount="MIU")
    with pytest.raises(Il2Error, match="measures no dose"):
        event_rows(regimen("basiliximab_renal"), amount="mg/kg")
    with pytest.raises(Il2Error, match="there is no regimen to write"):
        write_events(tmp_path / "out.csv", event_rows({}))
    with pytest.raises(Il2Error, match="cannot be written"):
        write_events(tmp_path / "none" / "out.csv", event_rows(regimen("cGVHD_daily")))


# ---- refused, with the line ----------------------------------------------------------------------------------------

HEADER = "ID,TIME_h,AMT_nmol,RATE,II,ADDL,EVID,CMT,SS"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "1,24,1,0,0,0,1,1,0\n1,12,1,0,0,0,1,1,0",
            "3: TIME_h: the time 12 h comes after 24 h. Order the lines of an ID by time.",
        ),
        (
            "1,0,1,0,0,0,1,1,0\n2,0,1,0,0,0,1,1,0\n1,5,1,0,0,0,1,1,0",
            "4: ID: the ID '1' comes back after others. Let the lines of an ID stand together.",
        ),
        (".,0,1,0,0,0,1,1,0", "2: ID: the ID is missing. Give every line its ID."),
        ("1,-1,1,0,0,0,1,1,0", "2: TIME_h: the time -1 is below zero. Give times from zero up."),
        ("1,.,1,0,0,0,1,1,0", "2: TIME_h: the time is missing. Give the time of every event."),
        ("1,8:30,1,0,0,0,1,1,0", "2: TIME_h: '8:30' is no finite number. Give a number, or a dot where there is none."),
        ("1,0,nan,0,0,0,1,1,0", "2: AMT_nmol: 'nan' is no finite number. Give a number, or a dot where there is none."),
        ("1,0,inf,0,0,0,1,1,0", "2: AMT_nmol: 'inf' is no finite number. Give a number, or a dot where there is none."),
        (
            "1,0,-5,0,0,0,1,1,0",
            "2: AMT_nmol: the amount is -5. Give an amount above zero, or EVID 0 for an observation.",
        ),
        ("1,0,0,0,0,0,1,1,0", "2: AMT_nmol: the amount is 0. Give an amount above zero, or EVID 0 for an observation."),
        ("1,0,5,0,0,0,0,1,0", "2: AMT_nmol: EVID 0 has an amount of 5. Give EVID 1 for a dose."),
        (
            "1,0,1e9,0,0,0,1,1,0",
            "2: AMT_nmol: 1000000000 nmol of aldesleukin are 1e+09 nmol (the largest dose is 100000 nmol). "
            "Check amount and unit.",
        ),
        (
            "1,0,1,0,0,0,3,1,0",
            "2: EVID: EVID 3 (reset) is not supported "
            "(the body cannot be emptied in the middle of a regimen). Give an ID of its own.",
        ),
        (
            "1,0,1,0,0,0,4,1,0",
            "2: EVID: EVID 4 (reset and dose) is not supported "
            "(the body cannot be emptied in the middle of a regimen). Give an ID of its own.",
        ),
        ("1,0,1,0,0,0,9,1,0", "2: EVID: EVID 9 is not known. Give 1 for a dose, 0 or 2 for what is no dose."),
        ("1,0,1,0,0,0,1.5,1,0", "2: EVID: 1.5 is no whole number"),
        ("1,0,1,0,0,3,1,1,0", "2: II: the interval is missing for ADDL. Give II, the time between doses."),
        ("1,0,1,0,0,0,1,1,1", "2: II: the interval is missing for SS. Give II, the time between doses."),
        ("1,0,1,0,-8,3,1,1,0", "2: II: the time -8 is below zero. Give times from zero up."),
        ("1,0,1,0,8,-3,1,1,0", "2: ADDL: -3 more doses cannot be given. Give 0 to 999,999."),
        ("1,0,1,0,8,1000000,1,1,0", "2: ADDL: 1e+06 more doses cannot be given. Give 0 to 999,999."),
        (
            "1,0,1,0,1,600000,1,1,0\n1,0,1,0,1,600000,1,1,0",
            "3: ADDL: 1,200,002 doses are given. Give at most 1,000,000.",
        ),
        (
            "1,0,1,-1,0,0,1,2,0",
            "2: RATE: RATE -1 is not supported (the rate or duration would be worked out by a model). "
            "Give the rate itself.",
        ),
        (
            "1,0,1,-2,0,0,1,2,0",
            "2: RATE: RATE -2 is not supported (the rate or duration would be worked out by a model). "
            "Give the rate itself.",
        ),
        ("1,0,1,-3,0,0,1,2,0", "2: RATE: the rate -3 is below zero. Give the rate of the infusion, 0 for a bolus."),
        (
            "1,0,10,1,8,2,1,2,0",
            "2: RATE: the infusion takes 10 h, longer than its interval of 8 h. "
            "Shorten the infusion or lengthen the interval.",
        ),
        (
            "1,0,10,1,8,0,1,2,1",
            "2: RATE: the infusion takes 10 h, longer than its interval of 8 h. "
            "Shorten the infusion or lengthen the interval.",
        ),
        ("1,0,1,1e-320,0,0,1,2,0", "2: RATE: the infusion at the rate 9.99989e-321 never ends. Give a higher rate."),
        (
            "1,0,1,0,0,0,1,3,0",
            "2: CMT: compartment 3 is not known. Known: 1 = sc, 2 = iv; name others by `compartments`.",
        ),
        (
            "1,0,1,0,0,0,1,-2,0",
            "2: CMT: compartment -2 is not known. Known: 1 = sc, 2 = iv; name others by `compartments`.",
        ),
        ("1,0,1,0,0,0,1,.,0", "2: CMT: the compartment is missing. Give CMT, or the route for all lines."),
        ("1,0,1,0,8,0,1,1,2", "2: SS: SS 2 is not supported. Give 0, or 1 for a dose that had been repeated for ever."),
        (
            "1,0,1,0,0,0,1,1,0\n1,24,1,0,8,0,1,1,1",
            "3: SS: aldesleukin was given before its SS 1 (it stands for all doses before it). "
            "Give SS 1 to its first dose.",
        ),
        ("1,1e9,1,0,0,0,1,1,0", "2: TIME_h: the last dose ends on day 4.16667e+07. End by day 100000."),
        ("1,0,1,0,0,0,1,1", "2: the row has not as many fields as the header"),
    ],
)
def test_impossible_lines(tmp_path, lines, message):
    with pytest.raises(Il2Error) as error:
        read(tmp_path, f"{HEADER}\n{lines}\n")
    assert str(error.value) == f"{tmp_path / 'events.csv'}:{message}"


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        ("TIME,AMT_mg,CMT", {}, ":1: the unit of TIME is not given. Name the column TIME_h, or say the unit."),
        (
            "TIME_h,AMT,CMT",
            {},
            ":1: the unit of AMT is not given. Name the column AMT_nmol, AMT_mg or AMT_MIU/m2, or say the unit.",
        ),
        (
            "TIME_h,AMT_mg,CMT",
            {"time": "d"},
            ":1: 'TIME_h' is said to be in d. Leave the unit away in one of the two places.",
        ),
        ("TIME_mg,AMT_mg,CMT", {}, ":1: 'mg' is no unit of the same kind as 'h'. Give it in h."),
        (
            "TIME_h,AMT_h,CMT",
            {},
            ":1: 'h' measures no dose (a dose is a mass, a substance or an activity). "
            "Write it like '1 MIU', '600000 IU/kg', '1 MIU/m2', '20 mg' or '3 nmol'.",
        ),
        (
            "TIME_h,AMT_MU,CMT",
            {},
            ":1: 'MU' is a unit of no name (papers of the 1980s counted Cetus units of about 6 IU, "
            "and others their own). Give IU or MIU if international units are meant, else mg or nmol.",
        ),
        (
            "TIME_h,AMT_mg,RATE_mg/d,CMT",
            {},
            ":1: 'RATE_mg/d' is in another unit. Give it in the unit of AMT over that of TIME, mg/h.",
        ),
        ("TIME_h,CMT", {}, ":1: the column AMT is missing. Did you mean 'CMT'?"),
        ("AMT_mg,CMT", {}, ":1: the column TIME is missing. Known: AMT_mg, CMT."),
        (
            "time_h,AMT_mg,CMT",
            {},
            ":1: the column 'time_h' is not known. Did you mean 'TIME'? Else give it another name.",
        ),
        (
            "TIME_h,AMT_mg,CMT,ADL",
            {},
            ":1: the column 'ADL' is not known. Did you mean 'ADDL'? Else give it another name.",
        ),
        ("TIME_h,TIME_d,AMT_mg,CMT", {}, ":1: 'TIME_h' and 'TIME_d' are the same. Keep one of them."),
        (
            "TIME_h,DATE,AMT_mg,CMT",
            {},
            ":1: the column 'DATE' is not read (TIME would depend on it). Count TIME from one start, in hours or days.",
        ),
        ("TIME_h,AMT_mg", {}, ":1: no route is given. Give the route, or a column CMT with 1 = sc, 2 = iv."),
        ("TIME_h,AMT_mg,CMT", {"drug": ""}, ":1: no drug is named. Name the drug, or give a column DRUG."),
        ("TIME_h,AMT_mg,CMT", {"route": "po"}, ": unknown route 'po'. Known: im, iv, sc."),
        ("TIME_h,AMT_mg,CMT,CMT", {}, ":1: the header is empty or names a column twice"),
    ],
)
def test_impossible_headers(tmp_path, header, options, message):
    with pytest.raises(Il2Error) as error:
        read(tmp_path, f"{header}\n{','.join(['1'] * len(header.split(',')))}\n", **options)
    assert str(error.value) == f"{tmp_path / 'events.csv'}{message}"


def test_a_drug_that_is_not_known_or_not_counted_so(tmp_path):
    with pytest.raises(Il2Error, match=r"events.csv:2: DRUG: unknown drug 'aldesleukn'. Did you mean 'aldesleukin'"):
        read(tmp_path, "TIME_h,AMT_mg,CMT,DRUG\n0,1,1,aldesleukn\n")
    with pytest.raises(Il2Error, match=r"events.csv:2: AMT_MIU: daclizumab is not given in MIU"):
        read(tmp_path, "TIME_h,AMT_MIU,CMT\n0,1,1\n", drug="daclizumab")
    with pytest.raises(Il2Error, match=r"events.csv:2: DUR_h: the infusion takes 9 h, longer than its interval of 8 h"):
        read(tmp_path, "TIME_h,AMT_mg,DUR_h,II,ADDL,CMT\n0,1,9,8,2,2\n")
    with pytest.raises(Il2Error, match=r"events.csv:2: DUR_h: the infusion takes 9 h, but 2 h by AMT and RATE"):
        read(tmp_path, "TIME_h,AMT_mg,DUR_h,RATE,CMT\n0,2,9,1,2\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "the file is empty"), (HEADER, "the table has no events"), ("\n\n", "header is empty|no events")],
)
def test_files_without_events(tmp_path, text, message):
    with pytest.raises(Il2Error, match=message):
        read(tmp_path, text)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(Il2Error, match="cannot be read"):
        read_events(tmp_path / "none.csv", drug="aldesleukin")
    (tmp_path / "events.csv").write_bytes(b"TIME_h,AMT_mg,CMT\n\xff\xfe,1,1\n")
    with pytest.raises(Il2Error, match=r"events.csv:2: is not UTF-8 text"):
        read_events(tmp_path / "events.csv", drug="aldesleukin")


def test_every_column_is_explained():
    assert {row["column"] for row in rows("columns") if row["table"] == "event table"} == set(EVENTS)
