"""A tumour under T and NK cells: what must hold for any patient, and what must be possible either way."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from il2.engine.batch import parameter_rows
from il2.engine.event import Switch
from il2.engine.observe import readouts
from il2.engine.schedule import run
from il2.errors import Il2Error
from il2.knowledge.quantity import quantities, quantity
from il2.network.dimensions import check_units
from il2.network.expression import sym, symbols
from il2.network.network import Network, Observable, Parameter, compose, right_hand_side
from il2.patient.outcome import calibrated, outcome, outcomes, through
from il2.patient.tumour import (
    BLOCK,
    BURDEN,
    CONTROL,
    DIAMETER,
    EXHAUSTION,
    INFILTRATE,
    KILLING,
    NORMAL,
    ROOM,
    in_tumour,
    responded,
    tumour,
    tumour_patients,
    tumour_values,
)

DAYS = np.linspace(0, 84, 29)
SHARE = "dimensionless"
OBSERVED = (BURDEN, DIAMETER, KILLING)


def stub():
    """Pools, programmes and checkpoint block as parameters, at rest."""
    pools = tuple(Parameter(f"pool_{j}", 1.0, SHARE) for j in INFILTRATE)
    programmes = tuple(Parameter(f"excess_{j}", 0.0, SHARE) for j in INFILTRATE)
    return Network("stub", parameters=(*pools, *programmes, Parameter(BLOCK, 0.0, SHARE)))


@pytest.fixture(scope="module")
def network():
    return compose("patient", stub(), tumour({j: sym(f"excess_{j}") for j in INFILTRATE}))


def course(network, values, events=(), days=DAYS):
    """Readouts by name (lanes, times), and those states that have names."""
    rows = parameter_rows(network, values)
    found = run(network, rows, days, events, threads=1)
    assert set(found.status) == {"done"}, found.reason(0)
    seen = readouts(network, OBSERVED, found.y, rows)
    out = {name: seen[..., i] for i, name in enumerate(OBSERVED)}
    return out | {name: found.y[..., i] for i, name in enumerate(network.species_names)}


def high_dose(network, values=None, block=0.0, **pools):
    """Two courses of 5 d, 14 d apart: programmes at once, pools for 4 weeks."""
    programme = {"CD8": 0.8, "NK": 0.9, "Treg": 0.9}
    grown = {"CD8": 4.0, "NK": 4.0, "Treg": 4.0} | pools
    events = [Switch(start, f"excess_{j}", x) for j, x in programme.items() for start in (0.0, 14.0)]
    events += [Switch(start + 5, f"excess_{j}", 0.0) for j in programme for start in (0.0, 14.0)]
    events += [Switch(2.0, f"pool_{j}", x) for j, x in grown.items()]
    events += [Switch(30.0, f"pool_{j}", 1.0) for j in grown]
    return course(network, {BLOCK: block} | dict(values or {BLOCK: np.array([block])}), events)


def test_units_and_names(network):
    check_units(network)


def test_it_names_only_what_the_patient_has():
    part = tumour({j: sym(f"excess_{j}") for j in INFILTRATE})
    named = set().union(*(symbols(r.rate) for r in part.reactions), *(symbols(o.expr) for o in part.observables))
    free = named - set(part.parameter_names) - set(part.species_names) - {d.name for d in part.derived}
    assert free == {"pool_CD8", "pool_NK", "pool_Treg", *(f"excess_{j}" for j in INFILTRATE)}


def test_every_untreated_tumour_grows(network):
    patients = tumour_patients(200, 1)
    seen = course(network, patients)
    assert (np.diff(seen[BURDEN], axis=1) > 0).all()
    assert np.allclose(seen[DIAMETER] ** 3, seen[BURDEN] / seen[BURDEN][:, :1])
    assert (seen[DIAMETER][:, 0] == 1).all() and not responded(seen[DIAMETER]).any()


def test_a_second_solver_agrees(network):
    """The equations of the docstring, written anew, with pools and programmes raised throughout."""
    q = {name: quantity(name).value for name in network.parameter_names if name in quantities()}
    pool, x, block, z = {"CD8": 3.0, "NK": 2.0, "Treg": 2.5}, {"CD8": 0.6, "NK": 0.7, "Treg": 0.8}, 0.2, 1.0
    f = 1 / (1 + np.exp(-(q["tumour_control_intercept"] + q["tumour_control_spread"] * z)))
    K, N0, h = (q[n] for n in ("tumour_capacity", "tumour_burden_at_start", "tumour_killing_half"))
    w, s, r = (q[n] for n in ("tumour_killing_by_NK", "tumour_Treg_weight", "exhaustion_lifted_by_PD1_block"))
    X0 = N0 / (N0 + q["tumour_exhaustion_half"])

    def rates(_, y):
        n, exhausted, cd8, nk, treg = np.exp(y[0]), *y[1:]
        a8, ank = cd8 * np.exp(q["killing_per_programme"] * x["CD8"]), nk * np.exp(q["killing_per_programme"] * x["NK"])
        at = treg * np.exp(q["Treg_activity_per_programme"] * x["Treg"])
        effect = (1 - w) * a8 * (1 - exhausted * (1 - r * block)) / (1 - X0) + w * ank
        held = (1 + s) / (1 + s * at / ((1 - w) * a8 + w * ank))
        kill = f * q["tumour_growth_rate"] * (1 - N0 / K) * effect * held * (h + N0) / (h + n) * (1 - 1 / n)
        tau = q["tumour_infiltration_time"]
        return [q["tumour_growth_rate"] * (1 - n / K) - kill,
                (n / (n + q["tumour_exhaustion_half"]) - exhausted) / q["tumour_exhaustion_time"],
                *((pool[j] - v) / tau for j, v in (("CD8", cd8), ("NK", nk), ("Treg", treg)))]  # fmt: skip

    other = solve_ivp(rates, (0, 25), [np.log(N0), X0, 1, 1, 1], method="LSODA", rtol=1e-9, atol=1e-9)
    values = {f"pool_{j}": v for j, v in pool.items()} | {f"excess_{j}": v for j, v in x.items()}
    ours = course(network, values | {BLOCK: block, NORMAL: np.array([z])}, days=np.array([0.0, 25.0]))
    assert ours[BURDEN][0, -1] == pytest.approx(np.exp(other.y[0, -1]), rel=1e-4)
    assert ours[BURDEN][0, -1] < 0.7 * N0


def test_states_stay_in_their_bounds_under_any_pools_and_doses(network):
    rng = np.random.default_rng(3)
    values = tumour_patients(64, 5) | {f"pool_{j}": np.exp(rng.normal(0, 2, 64)) for j in INFILTRATE}
    values |= {f"excess_{j}": rng.uniform(-0.3, 1, 64) for j in INFILTRATE} | {BLOCK: rng.uniform(0, 1, 64)}
    values[NORMAL] += 3
    seen = course(network, values, days=np.linspace(0, 730, 40))
    assert (seen[ROOM] >= 0).all() and (seen[BURDEN] >= quantity("fewest_tumour_cells").value).all()
    assert (seen[BURDEN] <= quantity("tumour_capacity").value).all()
    assert ((seen[EXHAUSTION] >= 0) & (seen[EXHAUSTION] <= 1)).all()
    assert all((seen[in_tumour(j)] > 0).all() for j in INFILTRATE)
    assert seen[BURDEN].min() < 10, "no lane comes near one cell, so the guard is not tried"


@pytest.mark.parametrize("name", ["pool_CD8", "pool_NK", "pool_Treg", "excess_CD8", "excess_NK", "excess_Treg",
                                  BLOCK, NORMAL])  # fmt: skip
def test_burden_moves_one_way_with_each_cause(network, name):
    sign = 1 if name.endswith("Treg") else -1
    levels = np.linspace(0.1, 1.0, 7) * (5 if name.startswith("pool") else 1)
    last = course(network, {name: levels})[BURDEN][:, -1]
    assert (sign * np.diff(last) > 0).all()


def test_exhaustion_grows_with_antigen_and_knows_no_IL2(network):
    values = {"tumour_burden_at_start": np.geomspace(1e8, 1e12, 5)}
    assert (np.diff(course(network, values)[EXHAUSTION], axis=0) > 0).all()
    rate = right_hand_side(network)[EXHAUSTION]
    assert not {s for s in symbols(rate) if s.startswith(("pool", "excess", "programme", "tumour_CD8"))}


def test_the_combination_can_bring_benefit_and_can_bring_none(network):
    """Added to checkpoint block: effectors that grow with Treg help; Treg that outgrow them undo the help."""
    block = {BLOCK: np.ones(1), NORMAL: 1.0}
    alone = course(network, block)[BURDEN][0, -1]
    good = high_dose(network, block)[BURDEN][0, -1]
    none = high_dose(network, block, CD8=1.5, NK=1.5, Treg=14.0)[BURDEN][0, -1]
    assert good < 0.6 * alone
    assert none > 0.99 * alone


def test_benefit_is_lost_without_a_jump_and_its_zero_is_inside(network):
    """Between benefit and harm lies a growth of Treg at which IL-2 beside checkpoint block changes nothing."""
    treg = np.linspace(1, 12, 12)
    values = {"pool_CD8": np.full(12, 1.5), "pool_NK": np.full(12, 1.5), "pool_Treg": treg, BLOCK: 1.0}
    with_IL2, alone = course(network, values)[BURDEN][:, -1], course(network, {BLOCK: np.ones(1)})[BURDEN][0, -1]
    assert with_IL2[0] < alone < with_IL2[-1]
    at = np.interp(0.0, np.log(with_IL2 / alone), treg)
    s = quantity("tumour_Treg_weight").value
    assert at == pytest.approx(1.5 * (1.5 * (1 + s) - 1) / s, rel=0.35)


def test_more_Treg_alone_speeds_the_tumour(network):
    """What a low dose does that reaches Treg and no effector."""
    last = course(network, {"pool_Treg": np.array([1.0, 2.0, 8.0]), NORMAL: 1.0})[BURDEN][:, -1]
    assert (np.diff(last) > 0).all()


def test_no_antigen_control_no_answer_to_anything(network):
    values = {NORMAL: np.array([-8.0]), BLOCK: 1.0}
    assert not responded(high_dose(network, values, block=1.0)[DIAMETER]).any()


def test_frequency_of_response_can_be_set_by_the_intercept_alone(network):
    """15 % is a calibration: the intercept moves the share of patients who answer from none to most."""
    patients = tumour_patients(200, 7)
    treated = {}

    def share(intercept):
        values = patients | {"tumour_control_intercept": np.full(200, intercept)}
        treated[intercept] = responded(high_dose(network, values)[DIAMETER]).mean()
        return treated[intercept]

    low, high = share(-6.0), share(3.0)
    assert low < 0.02 and high > 0.5
    set_to = calibrated(share, 0.15, -6.0, 3.0)
    assert share(set_to) == pytest.approx(0.15, abs=0.011)
    assert "CALIBRATION" in quantity("tumour_control_intercept").note


def test_a_patient_does_not_depend_on_the_others():
    few, many = tumour_patients(5, 11), tumour_patients(50, 11)
    assert all((many[name][:5] == few[name]).all() for name in few)
    assert all((tumour_patients(5, 12)[name] != few[name]).all() for name in few if name != "tumour_burden_at_start")
    with pytest.raises(Il2Error):
        tumour_patients(0, 1)


def test_a_drawn_burden_stays_below_the_capacity():
    drawn = tumour_values({name: np.full(1, 9.0) for name in tumour_patients(1, 1)})
    assert drawn["tumour_burden_at_start"] < quantity("tumour_capacity").value


def test_response_is_told_by_the_diameter_not_the_burden():
    """30 % off the diameter is 66 % off the burden."""
    burdens = np.array([[1, 0.36, 1.0], [1, 0.34, 2.0], [1, 1.2, 1.5]])
    assert responded(np.cbrt(burdens)).tolist() == [False, True, False]
    for bad in ([[1, np.nan]], [[1, -0.1]], [1, 0.5]):
        with pytest.raises(Il2Error):
            responded(np.array(bad))


def test_links_are_calibrations_and_the_tumour_link_is_the_one_in_the_network(network):
    assert set(outcomes()) >= {"tumour response", "SRI-4"}
    assert {o.label for o in outcomes().values()} == {"calibration"}
    z = np.array([-1.0, 0.0, 2.0])
    rows = parameter_rows(network, {NORMAL: z})
    named = replace(network, observables=(Observable("control", sym(CONTROL), SHARE),))
    state = run(network, rows, np.zeros(1), threads=1).y
    assert readouts(named, ("control",), state, rows)[:, 0, 0] == pytest.approx(outcome("tumour response").of(z))


def test_links_give_the_trials_they_are_set_on():
    lupus = outcome("SRI-4")
    assert lupus.of(0.0) == pytest.approx(0.300, abs=0.001) and lupus.of(0.183) == pytest.approx(0.552, abs=0.002)
    intercept, slope = through(0.183, 0.300, 0.552)
    assert (intercept, slope) == pytest.approx(
        (quantity("SRI4_intercept").value, quantity("SRI4_slope").value), rel=5e-3
    )


@pytest.mark.parametrize("bad", [(0.0, 0.3, 0.5), (0.4, 0.0, 0.5), (0.4, 0.3, 1.0), (np.nan, 0.3, 0.5)])
def test_a_link_through_nothing_is_refused(bad):
    with pytest.raises(Il2Error):
        through(*bad)


def test_a_frequency_out_of_reach_is_refused():
    with pytest.raises(Il2Error, match="is not reached"):
        calibrated(lambda x: x, 2.0, 0.0, 1.0)
    with pytest.raises(Il2Error, match="Did you mean 'SRI-4'"):
        outcome("SRI4")
