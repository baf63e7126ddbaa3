"""CD4 cells in treated HIV infection under courses of IL-2: gain, the one number that is set, no outcome."""

import numpy as np
import pytest

from il2.engine.batch import parameter_rows
from il2.engine.event import Switch
from il2.engine.observe import readouts
from il2.engine.schedule import run
from il2.errors import Il2Error
from il2.knowledge.quantity import quantity
from il2.network.dimensions import check_units
from il2.network.expression import sym
from il2.network.network import Network, Parameter, compose
from il2.patient.hiv import AT_START, COUNT, GAINED, LONG_LIVED, MADE, UNDER_THERAPY, hiv
from il2.patient.outcome import UNLINKED, outcome, outcomes

YEAR, WEEK = 365.0, 7.0
SHARE = "dimensionless"


@pytest.fixture(scope="module")
def network():
    stub = Network("stub", parameters=(Parameter("excess_Th", 0.0, SHARE), Parameter("blood_Th", 1.0, SHARE)))
    return compose("patient", stub, hiv(sym("excess_Th")))


def course(network, programme, values, years=7.0, weeks=8.0, length=5.0):
    """Count and gain (lanes, times) under courses, with `programme` (lanes,) during each and fewer cells in blood."""
    days = np.arange(0, years * YEAR, 14.0)
    starts = np.arange(0, years * YEAR, weeks * WEEK)
    events = [Switch(t, "excess_Th", np.asarray(programme)) for t in starts]
    events += [Switch(t + length, "excess_Th", 0.0) for t in starts]
    rows = parameter_rows(network, {**values, "blood_Th": np.ones(len(programme))})
    found = run(network, rows, days, events, threads=1)
    assert set(found.status) == {"done"}
    seen = readouts(network, (COUNT, GAINED), found.y, rows)
    states = {n: found.y[..., network.species_names.index(n)] for n in (UNDER_THERAPY, LONG_LIVED)}
    return {COUNT: seen[..., 0], GAINED: seen[..., 1]} | states


def trials(making=None):
    start = [quantity(f"CD4_at_start_{t}").value for t in ("ESPRIT", "SILCAAT")]
    return {AT_START: np.array(start)} | ({} if making is None else {MADE: making})


def test_units(network):
    check_units(network)


def test_without_IL2_nothing_is_gained_and_the_count_moves_to_its_set_point(network):
    seen = course(network, [0.0], {AT_START: 400.0}, years=14)
    assert (seen[GAINED] == 0).all()
    assert (np.diff(seen[COUNT]) > 0).all()
    assert seen[COUNT][0, -1] == pytest.approx(400 * quantity("CD4_set_point_share").value, rel=0.01)
    assert seen[COUNT][0, 0] == 400


def test_counts_are_positive_and_rise_with_programme_and_courses(network):
    seen = course(network, [0.1, 0.3, 0.6, 1.0], {AT_START: 300.0})
    assert (seen[COUNT] > 0).all() and (seen[LONG_LIVED] >= 0).all()
    assert (np.diff(seen[GAINED].mean(axis=1)) > 0).all()
    often = course(network, [0.6], {AT_START: 300.0}, weeks=6)[GAINED].mean()
    seldom = course(network, [0.6], {AT_START: 300.0}, weeks=16)[GAINED].mean()
    assert often > seen[GAINED][2].mean() > seldom


def test_the_gain_is_in_proportion_to_the_number_that_is_set(network):
    """So that it is set on one trial by one division."""
    one, two = (course(network, [0.5, 0.4], trials(k))[GAINED].mean(axis=1) for k in (0.01, 0.02))
    assert two == pytest.approx(2 * one, rel=1e-4)


def test_set_on_one_trial_the_other_follows_from_its_lower_count_and_dose(network):
    """159 cells/uL are put in; the second trial is a prediction for any programme of 70 to 100 % of the first."""
    k = quantity(MADE).value
    for share in (0.7, 0.85, 1.0):
        first = course(network, [0.5, 0.5 * share], trials())[GAINED].mean(axis=1)[0]
        gained = course(network, [0.5, 0.5 * share], trials(k * 159 / first))[GAINED].mean(axis=1)
        assert gained[0] == pytest.approx(159, rel=1e-3) and 30 <= gained[1] <= 80


def test_the_gain_outlasts_the_courses_by_its_half_life(network):
    days = np.array([0.0, 200.0, 200 + quantity("CD4_long_lived_half_life").value])
    events = [Switch(0.0, "excess_Th", 1.0), Switch(200.0, "excess_Th", 0.0)]
    found = run(network, parameter_rows(network, {AT_START: np.array([300.0])}), days, events, threads=1)
    lived = found.y[0, :, network.species_names.index(LONG_LIVED)]
    assert lived[2] == pytest.approx(lived[1] / 2, rel=1e-4) and lived[1] > 0


def test_cells_that_leave_the_blood_show_in_the_count_at_once(network):
    rows = parameter_rows(network, {"blood_Th": np.array([0.5]), AT_START: 400.0})
    found = run(network, rows, np.zeros(1), threads=1)
    assert readouts(network, (COUNT, GAINED), found.y, rows)[0, 0] == pytest.approx([200, -200])


@pytest.mark.parametrize("name", ["HIV", "CD4_count", "AIDS or death"])
def test_no_outcome_of_HIV_is_linked(name):
    """The negative control: a count must not become an outcome."""
    with pytest.raises(Il2Error, match="no clinical outcome is linked"):
        outcome(name)
    assert not any(word in o.index.casefold() for o in outcomes().values() for word in UNLINKED)
    assert not any({"T149", "T150"} & set(o.targets) for o in outcomes().values())


def test_the_number_that_is_set_says_so():
    assert "CALIBRATION on ESPRIT" in quantity(MADE).note and "prediction" in quantity(MADE).note
