"""Experiments on patients under low and high doses, with HIV, and with less IL-2 of their own: signs, not sizes.

The default set and two draws; what all of them find on 200 draws is on record.
"""

import math
from functools import cache
from importlib import import_module

import numpy as np
import pytest

from il2.errors import Il2Error
from il2.experiments import e33_graded_IL2_deficiency as e33
from il2.experiments import e35_high_dose_and_checkpoint as e35
from il2.experiments import e36_low_dose as e36
from il2.experiments import e41_HIV_cycles as e41
from il2.experiments.criterion import criteria
from il2.experiments.experiment import Outcome
from il2.experiments.patients import Arm, course, followed, patients
from il2.experiments.sample import Sample, draw
from il2.knowledge.table import rows
from il2.patient import hiv
from il2.patient.autoimmunity import INDEX
from il2.patient.notice import RESEARCH_USE
from il2.patient.outcome import outcome
from il2.patient.regimen_file import regimen
from il2.patient.tumour import BLOCK, DIAMETER, NORMAL, responded, tumour_patients

MODULES = {e.EXPERIMENT.id: e for e in (e33, e35, e36, e41)}
CASES = tuple(MODULES)
DISEASES = tuple(e36.DISEASES)


@cache
def sample(name: str) -> Sample:
    return draw(MODULES[name].ranges(), 2, 3, probe=False)


@cache
def found(name: str) -> Outcome:
    return MODULES[name].run(sample(name))


@cache
def ablated(name: str) -> Outcome:
    return MODULES[name].run(MODULES[name].EXPERIMENT.ablation.change(sample(name)))


def value(name: str, measurement: str) -> float:
    return float(found(name).values[measurement][0])


@pytest.mark.parametrize("name", CASES)
def test_every_claim_of_the_plan_has_a_criterion_and_research_use_is_said(name):
    of = MODULES[name].EXPERIMENT
    planned = {row["id"] for row in rows("claims") if name in row["experiment"].split(";")}
    tested = {c.name for c in criteria(name)}
    assert set(of.claims) == planned and all(of.claims.values())
    assert {n for chosen in of.claims.values() for n in chosen} <= tested
    assert set(found(name).values) == tested | set(of.reported)
    assert RESEARCH_USE in of.setup


@pytest.mark.parametrize("name", CASES)
def test_all_is_measured_and_the_ablation_breaks_what_it_must(name):
    of, tests = MODULES[name].EXPERIMENT, {c.name: c for c in criteria(name)}
    assert all(np.isfinite(v).all() for v in found(name).values.values())
    for broken in of.ablation.breaks:
        assert not tests[broken].holds(np.asarray(ablated(name).values[broken]))[0], broken


def test_arms_solved_together_are_those_solved_alone():
    few, wanted = sample("E36"), (INDEX, "pool_Treg")
    arms = {k: arm for k, arm in e36.arms(few).items() if k in ("GVHD", "vasculitis")}
    together = followed(few, arms, wanted, e36.MODULES)
    for name, arm in arms.items():
        alone = followed(few, {name: arm}, wanted, e36.MODULES)[name]
        assert alone[INDEX].shape == (few.size, len(arm.times_d))
        assert all(np.allclose(together[name][what], alone[what], rtol=1e-12) for what in wanted)


def test_chosen_variants_follow_their_own_courses():
    few = sample("E36")
    arm = Arm(regimen("cGVHD_daily"), "cGVHD", np.array([0.0, 14]))
    every = patients(few, [arm.regimen], ["cGVHD"], e36.MODULES)
    lanes = np.array([2, 0, 2])
    whole, part = (course(of, arm, ("pool_Treg",))["pool_Treg"] for of in (every, every.chosen(lanes)))
    assert np.ptp(whole[:, 1]) > 0
    np.testing.assert_allclose(part, whole[lanes], rtol=1e-12)


def test_less_IL2_means_less_of_Treg_and_more_autoimmunity():
    assert value("E33", "Treg_step") < 1 and value("E33", "suppression_step") < 1 < value("E33", "index_step")
    assert max(value("E33", f"{name}_at_half") for name in ("suppression", "Treg")) < 1
    assert value("E33", "Treg_without_IL2") < value("E33", "Treg_at_half")
    assert value("E33", "index_without_IL2") > value("E33", "index_at_half") > 1
    assert ablated("E33").values["Treg_at_half"] == pytest.approx(np.ones(3), abs=1e-6)


def test_a_person_with_all_IL2_stays_healthy():
    days, index = found("E33").curves["index, IL-2 x1"]
    assert len(days) == index.shape[1] and np.allclose(index, 1, atol=1e-4)


@pytest.mark.parametrize("name", DISEASES)
def test_low_doses_raise_Treg_before_all_others_and_calm_the_disease(name):
    treg, *others = (value("E36", f"{kind}_{name}") for kind in ("Treg", "Th", "CD8", "NK"))
    assert treg > 1.3 * max(others)
    assert value("E36", f"Treg_over_Th_{name}") > 1.3 and value("E36", f"index_{name}") < 1
    assert value("E36", f"Teff_{name}") == pytest.approx(max(others[:2]))
    assert ablated("E36").values[f"index_{name}"][0] > value("E36", f"index_{name}")


def test_the_window_closes_as_the_dose_rises():
    doses, treg = found("E36").curves["Treg"]
    _, effectors = found("E36").curves["Th or CD8"]
    gain = (effectors[0] - 1) / (treg[0] - 1)
    assert (np.diff(doses) > 0).all() and (np.diff(effectors[0]) > 0).all()
    assert 0 < gain[0] < 0.15 and gain[-1] > 3 * gain[0]


def test_the_dose_decides_the_target_cell():
    assert value("E36", "NK_over_Treg_low") < 0.5 * value("E36", "NK_over_Treg_high")
    assert value("E36", "CD8_over_Treg_low") < 0.5 * value("E36", "CD8_over_Treg_high")
    assert value("E36", "NK_over_Treg_low") < 1


def test_high_doses_raise_effectors_and_slow_a_tumour():
    assert min(value("E35", f"{kind}_fold") for kind in e35.CELLS) > 1.1
    assert value("E35", "burden_over_untreated") < 1 < ablated("E35").values["burden_over_untreated"][0]
    assert ablated("E35").values["CD8_fold"] == pytest.approx(np.ones(3), abs=1e-6)
    assert 0 <= value("E35", "answered_melanoma") <= value("E35", "answered_renal_cell_carcinoma") < 100
    days, untreated = found("E35").curves["no treatment"]
    assert untreated[0, 0] == 1 and (np.diff(untreated, axis=1) > 0).all() and days[-1] == 84


@pytest.mark.parametrize("who", e35.PERSONS)
def test_the_level_of_blood_falls_by_half_in_one_to_two_hours(who):
    assert 1 < value("E35", f"half_life_h_{who}") < 2


def test_a_half_life_that_is_known_is_found_and_a_failed_lane_stays_out():
    given = regimen(e35.HIGH)
    times = np.linspace(0, 1 / 3, 17)
    hours = np.array([0.7, 1.4])
    level = np.exp(-math.log(2) * times * 24 / hours[:, None])
    read = e35.half_life(times, np.vstack([level, np.full((1, 17), np.nan)]), given)
    assert read[:2] == pytest.approx(hours, rel=1e-6) and np.isnan(read[2])


def test_shares_who_answer_are_those_of_single_patients():
    """A second count: patients drawn at their places, typical in all else."""
    places = tumour_patients(400, 5)[NORMAL]
    one = Sample({}, len(places) - 1)
    arm = Arm(regimen(e35.UNTREATED), e35.MELANOMA, e35.VISITS, {BLOCK: 1.0, NORMAL: places})
    seen = followed(one, {"block": arm}, (DIAMETER,), e35.MODULES)["block"][DIAMETER]
    assert 100 * responded(seen).mean() == pytest.approx(value("E35", "answered_PD1_block"), abs=5)


@pytest.mark.parametrize(("least", "percent"), [((0.8, 0.9), 0.0), ((0.1, 0.2), 100.0), ((0.7, 0.9), 10.0)])
def test_the_share_is_read_where_the_limit_is_crossed(least, percent):
    assert e35._percent(np.array(least), (0.1, 0.5)) == pytest.approx(percent)


def test_cycles_gain_CD4_cells_more_of_them_with_the_higher_dose_and_nothing_follows():
    assert value("E41", "CD4_gained_ESPRIT") > value("E41", "CD4_gained_SILCAAT") > 0
    assert value("E41", "long_lived_ESPRIT") > 0.5 * value("E41", "CD4_gained_ESPRIT") > 0
    assert abs(ablated("E41").values["CD4_gained_ESPRIT"]).max() < 2
    assert value("E41", "outcomes_linked") == 0
    with pytest.raises(Il2Error, match="no clinical outcome"):
        outcome("CD4 count")


def test_the_gain_of_the_default_set_is_that_over_therapy_alone():
    """The comparison of two arms and the formula of the part agree where blood is at rest without IL-2."""
    name = e41.regimen_name("ESPRIT")
    few, times = sample("E41"), np.array([0.0, 56, 112, 168])
    arm = Arm(regimen(name), name, times, {hiv.AT_START: few[e41.at_start("ESPRIT")]})
    seen = followed(few, {name: arm}, (hiv.GAINED,), e41.MODULES)[name]
    assert seen[hiv.GAINED][0, 1:].mean() == pytest.approx(value("E41", "CD4_gained_ESPRIT"), rel=0.02)


def test_modules_are_found_by_their_names():
    assert all(import_module(m.__name__).EXPERIMENT.id == name for name, m in MODULES.items())
