"""Rejection of a kidney graft: a risk below one by the mechanism alone, and a size that is calibrated."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run as evaluated
from il2.engine.event import Switch
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.knowledge.quantity import quantity
from il2.network.dimensions import check_units
from il2.network.expression import sym
from il2.network.network import Network, Parameter, compose
from il2.network.program import lower_expressions
from il2.patient.expansion import growth_signal
from il2.patient.graft import ACTIVATED, BEARING, CALIBRATED, EFFECTOR, HAZARD, REJECTION, SIGNAL, graft

COVER_d, HALF_YEAR_d = 36.0, 180.0
DAYS = np.array([0.0, 7, 14, 28, 60, HALF_YEAR_d])
REST_nM = 0.001
TIGHT = Tolerances(rtol=1e-9, atol=1e-12)
STUB = Network(
    "a patient of two numbers",
    parameters=(Parameter("IL2_nM", REST_nM, "nM"), Parameter("IL2RA_free", 1.0, "dimensionless")),
)
NETWORK = compose("recipient", STUB, graft(sym("IL2_nM"), sym("IL2RA_free")))
NAMES = (REJECTION, HAZARD, SIGNAL, ACTIVATED, EFFECTOR)


def course(**values: np.ndarray | float) -> dict[str, np.ndarray]:
    """Readouts (lanes, times); an antibody that covers a share of IL2RA has gone after 36 days."""
    rows = parameter_rows(NETWORK, values)
    ends = [Switch(np.full(len(rows), COVER_d), "IL2RA_free", np.ones(len(rows)))]
    y = run(NETWORK, rows, DAYS, ends, tolerances=TIGHT).y
    own = {o.name: o.expr for o in NETWORK.observables}
    tape, places = lower_expressions(NETWORK, [own.get(n, sym(n)) for n in NAMES])
    read = evaluated(tape, {"y": y, "p": rows[:, None, :]}, places)
    return {name: read[..., k] for k, name in enumerate(NAMES)}


def test_units() -> None:
    check_units(NETWORK)


def test_the_signal_moves_from_one_ec50_to_the_other() -> None:
    network = compose(
        "signal", STUB,
        Network("p", parameters=tuple(Parameter(n, quantity(n).value, quantity(n).unit) for n in (
            "pM_per_nM", "activated_T_IL2_EC50", "activated_T_IL2_EC50_without_IL2RA"))),
    )  # fmt: skip
    tape, places = lower_expressions(network, [growth_signal(sym("IL2_nM"), sym("IL2RA_free"))])
    pm = quantity("pM_per_nM").value
    high, bare = (quantity(n).value / pm for n in ("activated_T_IL2_EC50", "activated_T_IL2_EC50_without_IL2RA"))

    def at(il2: float, free: float) -> float:
        rows = parameter_rows(network, {"IL2_nM": il2, "IL2RA_free": free})
        return float(np.ravel(evaluated(tape, {"y": np.zeros((1, 0)), "p": rows}, places))[0])

    assert at(high, 1.0) == pytest.approx(0.5) and at(bare, 0.0) == pytest.approx(0.5)
    assert at(high, 1.0) > at(high, 0.5) > at(high, 0.05) > at(high, 0.0) > 0
    assert at(0.0, 1.0) == 0.0


def test_the_more_is_covered_the_fewer_are_rejected() -> None:
    rejected = course(IL2RA_free=np.array([1.0, 0.3, 0.1, 0.03, 0.0]))[REJECTION][:, -1]
    assert (np.diff(rejected) < 0).all() and 0 < rejected[-1]


def test_without_il2ra_an_antibody_changes_nothing() -> None:
    found = course(IL2RA_free=np.array([1.0, 0.05, 0.0]), **{BEARING: 0.0})
    for name in (REJECTION, HAZARD, EFFECTOR):
        np.testing.assert_allclose(found[name][1:], found[name][[0, 0]], rtol=1e-7)


def test_no_alloantigen_left_to_see_and_no_naive_cells_reject_nothing() -> None:
    assert (course(alloreactive_activation_rate=0.0)[REJECTION] == 0).all()


def test_growth_that_needs_no_il2_leaves_no_benefit_and_full_need_the_most() -> None:
    others = np.array([0.0, 0.5, 0.87, 1.0])
    with_it = course(clonal_growth_without_IL2=others, IL2RA_free=0.05)[REJECTION][:, -1]
    risk = with_it / course(clonal_growth_without_IL2=others)[REJECTION][:, -1]
    assert max(risk[:2]) < 0.5 < risk[2] < 1 and risk[3] == pytest.approx(1.0, rel=1e-7)


def test_much_plasma_il2_overcomes_the_block() -> None:
    found = course(IL2RA_free=0.05, IL2_nM=np.array([REST_nM, 0.05, 5.0]))[REJECTION][:, -1]
    assert (np.diff(found) > 0).all()


def test_the_size_is_a_calibration_and_says_so() -> None:
    free = quantity("IL2RA_free_under_block").value
    without, treated = course(IL2RA_free=np.array([1.0, free]))[REJECTION][:, -1]
    assert 0.59 < treated / without < 0.74  # T161: an input, not a test of the model; set in the whole patient
    assert without == pytest.approx(0.35, abs=0.005)
    for name in CALIBRATED:
        assert quantity(name).note.startswith("Calibrated, no prediction")


def test_hazard_is_highest_in_the_first_two_months() -> None:
    hazard = course(IL2RA_free=1.0)[HAZARD][0]
    peak = DAYS[hazard.argmax()]
    assert hazard[0] == 0 and 7 < peak < 60 and hazard[-1] < hazard.max() / 20


def test_against_another_integrator() -> None:
    q = {p.name: p.value for p in NETWORK.parameters}

    def rates(_: float, y: np.ndarray) -> list[float]:
        antigen, naive, activated, effector, _total = y
        il2 = 1000 * REST_nM + q["graft_local_IL2"] * antigen
        free = 0.05
        felt = il2 * (free / q["activated_T_IL2_EC50"] + (1 - free) / q["activated_T_IL2_EC50_without_IL2RA"])
        other = q["clonal_growth_without_IL2"]
        grown = q["clonal_growth_rate"] * antigen * (other + (1 - other) * felt / (1 + felt)) * activated
        new = q["alloreactive_activation_rate"] * antigen * naive
        turned = q["activated_to_effector_rate"] * activated
        return [
            q["graft_presenting_cell_loss"] * (q["graft_antigen_left"] - antigen),
            q["CD4_naive_death_rate"] * (1 - naive) - new,
            new + grown - turned,
            turned - q["alloreactive_effector_loss"] * effector,
            q["rejection_hazard_per_effector"] * effector,
        ]

    early = DAYS[DAYS < COVER_d]
    other = solve_ivp(rates, (0, early[-1]), [1, 1, 0, 0, 0], t_eval=early, rtol=1e-10, atol=1e-13, method="LSODA")
    found = course(IL2RA_free=0.05)
    np.testing.assert_allclose(found[REJECTION][0, : len(early)], 1 - np.exp(-other.y[4]), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found[EFFECTOR][0, : len(early)], other.y[3], rtol=1e-6, atol=1e-10)
