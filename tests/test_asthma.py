"""Asthma under block of IL2RA: the directions, and what they need."""

import numpy as np
import pytest

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run as evaluated
from il2.engine.event import Switch
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.knowledge.quantity import quantity
from il2.network.dimensions import check_units
from il2.network.expression import num, sym
from il2.network.network import Compartment, Network, Parameter, Reaction, Species, compose
from il2.network.program import lower_expressions
from il2.patient.asthma import BEARING, CHANGE, FREE_TIME, HAZARD, TH2, TREG_LOST, WITH_IL2RA, WITHOUT, asthma

WEEKS_12_d = 84.0
DAYS = np.array([0.0, 14, 28, 56, WEEKS_12_d, 120, 200, 400])
END = 4
TREG = "pool_Treg"
STUB = Network(
    "a patient whose Treg fall while IL2RA is covered",
    (Compartment("body", 3),),
    (Species(TREG, "body", num(1.0), "dimensionless"),),
    (
        Parameter("IL2_nM", 0.001, "nM"),
        Parameter("IL2RA_free", 1.0, "dimensionless"),
        Parameter("Treg_return", 0.05, "1/d"),
    ),
    reactions=(
        Reaction(
            "Treg follow", {TREG: 1}, sym("Treg_return") * sym("IL2RA_free"), sym("Treg_return") * sym(TREG), "1/d"
        ),
    ),
)  # fmt: skip
NETWORK = compose("asthmatic", STUB, asthma(sym("IL2_nM"), sym("IL2RA_free")))
NAMES = (TH2, WITH_IL2RA, CHANGE, HAZARD, WITHOUT, FREE_TIME, TREG_LOST)


def course(**values: np.ndarray | float) -> dict[str, np.ndarray]:
    """Readouts (lanes, times); the antibody has gone after 12 weeks."""
    rows = parameter_rows(NETWORK, values)
    ends = [Switch(np.full(len(rows), WEEKS_12_d), "IL2RA_free", np.ones(len(rows)))]
    y = run(NETWORK, rows, DAYS, ends, tolerances=Tolerances(rtol=1e-9, atol=1e-12)).y
    own = {o.name: o.expr for o in NETWORK.observables}
    tape, places = lower_expressions(NETWORK, [own.get(n, sym(n)) for n in NAMES])
    read = evaluated(tape, {"y": y, "p": rows[:, None, :]}, places)
    return {name: read[..., k] for k, name in enumerate(NAMES)}


def test_units() -> None:
    check_units(NETWORK)


def test_without_a_drug_the_person_stays_as_he_is() -> None:
    found = course(IL2RA_free=1.0)
    np.testing.assert_allclose(found[TH2], 1.0, rtol=1e-9)
    np.testing.assert_allclose(found[CHANGE], 0.0, atol=1e-9)
    rate = quantity("exacerbation_rate").value
    np.testing.assert_allclose(found[WITHOUT][0], np.exp(-rate * DAYS), rtol=1e-7)
    np.testing.assert_allclose(found[FREE_TIME][0], (1 - np.exp(-rate * DAYS)) / rate, rtol=1e-7)


def test_block_lowers_th2_raises_fev1_delays_exacerbations_and_costs_treg() -> None:
    found = course(IL2RA_free=np.array([1.0, 0.3, 0.05, 0.01]))
    at_end = {name: v[:, END - 1] for name, v in found.items()}
    for name, sign in (
        (TH2, -1),
        (WITH_IL2RA, -1),
        (CHANGE, 1),
        (HAZARD, -1),
        (WITHOUT, 1),
        (FREE_TIME, 1),
        (TREG_LOST, 1),
    ):
        assert (sign * np.diff(at_end[name]) > 0).all(), name
    assert (at_end[WITH_IL2RA][1:] < at_end[TH2][1:]).all()  # those that are left are covered too


def test_fev1_follows_th2_late_and_both_come_back() -> None:
    found = course(IL2RA_free=0.05)
    fell, rose = 1 - found[TH2][0], found[CHANGE][0]
    gain = quantity("FEV1_gain_without_Th2").value
    assert (rose[1:END] < gain * fell[1:END]).all()
    assert rose[-1] == pytest.approx(0.0, abs=1e-3) and fell[-1] == pytest.approx(0.0, abs=1e-3)


def test_without_il2ra_on_th2_the_antibody_changes_treg_alone() -> None:
    found = course(IL2RA_free=np.array([1.0, 0.05]), **{BEARING: 0.0})
    for name in (TH2, CHANGE, HAZARD, WITHOUT, FREE_TIME):
        np.testing.assert_allclose(found[name][1], found[name][0], rtol=1e-7, atol=1e-9)
    assert found[TREG_LOST][1, END - 1] > 0.5


def test_th2_that_need_no_il2_are_not_touched() -> None:
    assert course(IL2RA_free=0.05, Th2_kept_by_IL2=0.0)[TH2] == pytest.approx(1.0)


def test_no_fewer_than_those_that_come_in_are_left() -> None:
    th2 = course(IL2RA_free=0.0)[TH2][0]
    assert th2.min() > 1 - quantity("Th2_kept_by_IL2").value


def test_th2_stay_below_the_highest_pool_under_much_il2() -> None:
    th2 = course(IL2RA_free=1.0, IL2_nM=100.0, Th2_kept_by_IL2=0.8)[TH2][0]
    assert 1 < th2[-1] < quantity("pool_highest").value
