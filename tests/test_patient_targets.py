"""Published results of patients beside the model: what is judged and what is not, and that a broken model misses."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from il2.errors import Il2Error
from il2.knowledge.result import published
from il2.knowledge.table import rows
from il2.patient.kinetics_measures import time_above
from il2.patient.measures_arms import arm, items, reading, steps, texts
from il2.patient.notice import RESEARCH_USE
from il2.patient.targets import MEASURES, Outcome, conflicts, judged, score, targets

PATIENT = [f"T{n}" for n in range(111, 162)]
TUMOUR = [f"T{n}" for n in range(174, 180)]
NEVER_FITTED = {"T117", "T118", "T121"}
PREDICTED = {"T137", "T138", "T139", "T142", "T143", "T144"}
FITTED = {"T129", "T130", "T131", "T132", "T136", "T140", "T147", "T148", "T161"}
PUT_IN = {"T111", "T112", "T113", "T114", "T115", "T120", "T141", "T145", "T156", "T159"}
NEGATIVE = {"T146", "T150", "T155"}
USES = {
    "input", "calibration", "validation", "external validation", "prediction", "negative control", "beside",
}  # fmt: skip
ENOUGH = 0.7


@pytest.fixture(scope="module")
def found() -> dict[str, Outcome]:
    return {o.id: o for o in targets("patient")}


@pytest.fixture(scope="module")
def tumours() -> dict[str, Outcome]:
    return {o.id: o for o in targets("disease") if o.applicable}


def table() -> list[dict[str, str]]:
    return [row for row in rows("target_runs") if row["layer"] in ("patient", "disease")]


def row_of(name: str) -> dict[str, str]:
    return next(dict(row) for row in table() if row["id"] == name)


def used(use: str) -> set[str]:
    """Results that have only rows of a use."""
    every = {row["target"] for row in table() if row["use"] == use}
    return every - {row["target"] for row in table() if row["use"] not in (use, "beside")}


def test_every_result_has_a_verdict(found, tumours):
    assert sorted({o.of for o in found.values()}) == PATIENT
    assert sorted({o.of for o in tumours.values()}) == TUMOUR
    every = [*found.values(), *tumours.values()]
    assert all(math.isfinite(o.value) and o.run for o in every)
    assert all(o.verdict.startswith(("reproduced", "missed")) for o in every)


def test_use_is_as_told_before_any_run():
    assert {row["use"] for row in table()} == USES
    assert used("external validation") == NEVER_FITTED
    assert used("prediction") == PREDICTED
    assert used("calibration") == FITTED
    assert used("input") == PUT_IN
    assert used("negative control") == NEGATIVE


def test_a_row_says_of_its_result_what_the_table_of_results_says():
    for row in table():
        result = published()[row["target"]]
        assert (row["layer"], row["confirmed"], row["source"]) == (
            result.layer, result.confirmed, ";".join(result.sources),
        )  # fmt: skip
        assert row["low"] and row["high"] and float(row["low"]) <= float(row["high"])


def test_inputs_calibrations_and_negative_controls_count_in_neither(found):
    share = judged(found.values())
    assert not set(share.every) & (FITTED | PUT_IN | NEGATIVE)
    unconfirmed = {o.of for o in found.values() if o.confirmed != "yes"}
    assert {"T134", "T135", "T153", "T160"} <= unconfirmed and not unconfirmed & set(share.every)
    assert set(share.every) >= NEVER_FITTED | PREDICTED
    assert len(share.every) == 25 and set(share.reproduced) <= set(share.every)
    assert set(share.missed) == set(share.every) - set(share.reproduced)
    assert set(score(found.values()).every) > set(share.every)
    assert share.share >= ENOUGH


def outcome(name: str, value: float, use: str = "validation", confirmed: str = "yes", reason: str = "") -> Outcome:
    return Outcome(name, "q", "c", "nM", 2.0, 1.0, 4.0, value, use, "", confirmed, reason=reason, layer="patient")


def test_share_of_made_up_rows():
    known = [
        outcome("T1a", 2), outcome("T1b", 9), outcome("T2", 2), outcome("T3", 9, "input"),
        outcome("T4", 9, "calibration"), outcome("T5", 2, "negative control"), outcome("T6", 9, confirmed="partly"),
        outcome("T7", math.nan, reason="none"), outcome("T8a", 9, "calibration"), outcome("T8b", 2, "prediction"),
        outcome("T9", 9, "beside"),
    ]  # fmt: skip
    share = judged(known)
    assert (share.every, share.reproduced, share.missed) == (("T1", "T2", "T8"), ("T2", "T8"), ("T1",))
    assert share.share == pytest.approx(2 / 3)
    assert math.isnan(judged([]).share)


def test_what_was_put_in_comes_out(found):
    assert found["T113a"].value == pytest.approx(120, rel=0.1)
    assert found["T111"].value == pytest.approx(13, rel=0.1)
    assert found["T115"].value == pytest.approx(1.8 / 2.8, rel=0.15)
    assert found["T145"].value == 0.006
    for name, value in {"T156a": 7.2, "T156b": 41, "T156c": 8.6, "T156d": 7.1}.items():
        assert found[name].value == pytest.approx(value, rel=0.15) and found[name].use == "input"


def test_levels_under_infusion_follow_clearance(found):
    """Level over dose of a long infusion is 1/(CL hours): a second way to what the runs give, within the uptake."""
    by_hand = 1 / (found["T113b"].value * 60 / 1000 * 24)
    assert found["T117"].value == pytest.approx(by_hand, rel=0.1)
    assert found["T116"].value == pytest.approx(1.8 / (found["T113b"].value * 60 / 1000 * 6), rel=0.1)
    assert found["T118"].value > 5 * found["T117"].value


def test_antibodies_cover_what_the_receptor_layer_says(found):
    assert found["T157a"].value > 95 and 25 < found["T157b"].value < 50
    assert found["T158"].value < 5


def test_weaker_and_longer_lived_is_taken_up_less(found):
    assert found["T144b"].value < 1 < found["T144c"].value


def test_tumour_model_reproduces_its_thresholds(tumours):
    assert all(o.reproduced for o in tumours.values())


def test_a_broken_model_misses(found):
    """Twice the clearance, no uptake, and a dose ten times too low each turn a verdict."""
    clearance, faster = found["T116"], row_of("T116")
    faster["with"] += "; aldesleukin_clearance=14.4"
    broken = replace(clearance, value=MEASURES[faster["measure"]](faster))
    assert clearance.reproduced and not broken.reproduced and "factor" in broken.verdict
    low = row_of("T132c")
    low["with"] = "person=cGVHD; drug=aldesleukin; dose=0.01 MIU/m2; route=sc; every_h=24; doses=28"
    assert found["T132c"].value > 2 * MEASURES[low["measure"]](low)


def test_without_uptake_by_cells_exposure_does_not_fall(found):
    without = row_of("T138a")
    without["with"] += "; uptake=0"
    assert found["T138a"].value < 1
    assert MEASURES[without["measure"]](without) > found["T138a"].value
    assert found["T132e"].value > found["T132c"].value


def test_both_sides_of_conflicts_are_told(found):
    exposure, treg = conflicts(found.values())
    assert all(name in exposure for name in ("T120:", "T121:", "T122:", "missed"))
    assert all(name in treg for name in ("T132e:", "T136a:", "T136b:"))
    assert conflicts([found["T120"], found["T121"]]) == []


def test_no_row_sets_a_number_of_the_default_set_but_to_take_it_away_or_to_span_a_stated_range():
    """A conflict must not be solved by a constant for one regimen."""
    free = {
        "regimen", "person", "drug", "drugs", "dose", "route", "start_d", "every_h", "doses", "duration_h", "cycles",
        "cycle_d", "modules", "disease", "above", "uptake", "PD1_block", "alloantigen", "CD4_at_start",
        "Fc_mutein_IL2RB_weaker",
    }  # fmt: skip
    for row in table():
        if row["layer"] == "patient":
            assert {name for text in texts(row) for name in items(text)} <= free, row["id"]


def test_an_arm_is_what_the_row_says():
    one = arm("person=T1D; drug=aldesleukin; dose=2 MIU; route=sc; every_h=24; doses=3")
    assert (one.person.name, one.drug.name, one.infused_d) == ("T1D", "aldesleukin", 0)
    assert one.nmol == pytest.approx(3 * arm("person=T1D; drug=aldesleukin; dose=2 MIU; route=sc").nmol)
    assert [items(text) for text in texts({"with": "a=1 | b=2 | b=3"})] == [{"a": "1", "b": "2"}, {"a": "1", "b": "3"}]


@pytest.mark.parametrize(
    "text, message",
    [
        ("drug=aldesleukin; dose=1 MIU; route=sc; uptke=0", "T999: no number 'uptke'"),
        ("drug=aldesleukin; dose=1 MIU; route=sc; doses", "cannot read"),
        ("regimen=cGVHD_dayly", "unknown regimen"),
        ("drug=aldesleukin; dose=1 MIU; route=sc; person=nobody", "unknown person"),
    ],
)
def test_what_cannot_be_read_is_refused(text, message):
    with pytest.raises(Il2Error) as refused:
        arm(text, "T999")
    assert re.search(message, str(refused.value))


def test_readings_agree_with_one_another():
    text, times = "person=healthy; drug=aldesleukin; dose=3 MIU; route=sc", steps(3, 24)
    treg, th = (reading(text, times, f"count_{kind}") for kind in ("Treg", "Th"))
    assert reading(text, times, "Treg_share_of_CD4") == pytest.approx(100 * treg / (treg + th))
    assert reading(text, times, "count_Treg/count_Th") == pytest.approx(treg / th)
    assert reading(text, times, "rise_of_count_Treg")[0] == 0
    assert (reading(text, times, "lymphocytes") > treg + th).all()
    assert reading(text, times, "IL2RA_covered") == pytest.approx(0)
    assert 0 < reading(text, times, "IL2_nM")[0] < reading(text, times, "aldesleukin_nM").max()


def test_time_above_counts_parts_of_steps():
    times = np.array([0.0, 1.0, 2.0])
    assert time_above(times, np.array([0.0, 2.0, 0.0]), 1.0) == pytest.approx(1.0)
    assert time_above(times, np.array([3.0, 3.0, 3.0]), 1.0) == 2.0
    assert time_above(times, np.array([0.0, 0.0, 0.0]), 1.0) == 0.0


def test_the_command_prints_share_conflicts_and_that_it_is_no_advice(found, monkeypatch):
    from il2.cli import targets as _  # noqa: F401  adds its verb
    from il2.cli.app import app

    monkeypatch.setattr("il2.patient.targets.targets", lambda layer="": list(found.values()))
    text = " ".join(CliRunner().invoke(app, ["targets", "patient"]).output.split())
    share = judged(found.values())
    assert f"Patients: {len(share.reproduced)} of {len(share.every)} ({share.share:.0%})" in text
    assert "inputs, calibrations or negative controls count in neither" in text
    assert RESEARCH_USE in text and "Conflict: T120" in text and "Conflict: T132" in text
