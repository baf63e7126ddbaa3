"""Steady states: second opinions, detailed balance, zeros, lanes that fail, sensitivities."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import equations, model
from scipy.integrate import solve_ivp
from scipy.optimize import root

from il2.engine import evaluate
from il2.engine.batch import parameter_rows
from il2.engine.reduced import reduced
from il2.engine.steady import Search, SteadyState, imbalance, steady
from il2.engine.tangent import tangents
from il2.errors import Il2Error
from il2.network.expression import exp, log, power, sym
from il2.network.network import Compartment, Derived, Network, Parameter, Species, check, reaction
from il2.network.program import lower
from il2.network.synthetic import synthetic
from il2.signalling.response import response

X, Y, A, B = (sym(name) for name in ("x", "y", "a", "b"))
RESPONSE = response("IL2")
NAMES = ("IL2_dose", "IL2RA_count", "IL2RB_count", "IL2RG_count")
TIGHT = Search(rtol=1e-12, atol=1e-14)


def rows(network: Network, lanes: int, seed: int = 3, decades: float = 1.0) -> np.ndarray:
    """Lanes whose parameters are drawn around the defaults, log-uniformly."""
    draw = np.random.default_rng(seed)
    return np.array(list(network.defaults().values())) * 10 ** draw.uniform(
        -decades / 2, decades / 2, (lanes, len(network.parameters))
    )


def response_rows(lanes: int) -> np.ndarray:
    draw = np.random.default_rng(1)
    values = [10 ** draw.uniform(-3, 1, lanes), *10 ** draw.uniform(2, 4, (3, lanes))]
    return parameter_rows(RESPONSE, dict(zip(NAMES, values, strict=True)))


def binding() -> Network:
    """L + R = LR, LR + C = LRC, C + R = RC, RC + L = LRC with detailed balance; the last KD is derived."""
    constants = {"KD_LR": 10.0, "KD_LRC": 2.0, "KD_RC": 50.0, "on": 0.1, "L0": 30.0, "R0": 20.0, "C0": 5.0}
    constants |= {"ratio": 0.5}
    last = sym("KD_LR") * sym("KD_LRC") / sym("KD_RC")  # of L from LRC
    start = {"L": sym("L0"), "R": sym("R0"), "C": sym("C0") * sym("ratio"), "LR": 0.0, "RC": 0.0, "LRC": 0.0}
    names = [(("L", "R"), "LR", sym("KD_LR")), (("LR", "C"), "LRC", sym("KD_LRC")), (("C", "R"), "RC", sym("KD_RC")),
             (("RC", "L"), "LRC", sym("KD_last"))]  # fmt: skip
    return check(Network(
        "binding", (Compartment("box", 3),),
        tuple(Species(name, "box", sym("zero") if value == 0.0 else value) for name, value in start.items()),
        (*(Parameter(name, value, "nM") for name, value in constants.items()), Parameter("zero", 0.0, "nM")),
        (Derived("KD_last", last, "nM"),),
        tuple(reaction(f"r{i}", a, [c], sym("on"), sym("on") * kd) for i, (a, c, kd) in enumerate(names)),
    ))  # fmt: skip


def pair() -> Network:
    """L + R = C from L = a, R = b and C = c."""
    start = {"L": "a", "R": "b", "C": "c"}
    return check(Network(
        "pair", (Compartment("box", 3),), tuple(Species(name, "box", sym(p)) for name, p in start.items()),
        tuple(Parameter(name, 1.0, "nM") for name in ("a", "b", "c", "kd")), (),
        (reaction("bind", ["L", "R"], ["C"], 1.0, sym("kd")),),
    ))  # fmt: skip


def good(found: SteadyState) -> SteadyState:
    assert (found.status == "steady").all(), [found.reason(i) for i in np.flatnonzero(found.status != "steady")]
    assert (found.residual <= 1).all() and all(found.reason(i) == "" for i in range(len(found.y)))
    return found


# --- second opinions -------------------------------------------------------------------------------------------
def test_newton_finds_what_long_integration_and_scipy_root_find():
    parameters = response_rows(6)
    found = good(steady(RESPONSE, parameters))
    assert (found.how == "newton").all() and (found.y >= 0).all()
    # One lane, where IL2RG runs short, succeeds from the third start, after two spells of integration.
    assert sum(found.iterations < 30) == 5 and found.iterations.max() < 100
    program, eq = found.equations.program, found.equations
    k, start = evaluate.prepare(program, parameters)
    for lane in range(6):
        f, j = evaluate.equations(program, k[lane])
        long = solve_ivp(f, (0, 1e6), start[lane], "BDF", jac=j, rtol=1e-7, atol=1e-9).y[:, -1]
        np.testing.assert_allclose(found.y[lane], long, rtol=1e-5, atol=1e-6)

        def g(y: np.ndarray, lane: int = lane) -> tuple[np.ndarray, np.ndarray]:
            value, matrix = eq.system(y[None], k[[lane]], eq.totals(start[[lane]]))
            return value[0], matrix[0]

        other = root(g, found.y[lane] * 1.01, jac=True, method="hybr", options={"xtol": 1e-12})
        np.testing.assert_allclose(found.y[lane], other.x, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("conserved", [True, False])
def test_random_networks_equal_long_integration(conserved: bool):
    network = synthetic(24, 60, seed=5, conserved=conserved)
    parameters = rows(network, 4)
    found = good(steady(network, parameters))
    assert len(found.equations.laws) == conserved
    program = found.equations.program
    k, start = evaluate.prepare(program, parameters)
    for lane in range(4):
        f, j = evaluate.equations(program, k[lane])
        long = solve_ivp(f, (0, 1e3), start[lane], "BDF", jac=j, rtol=1e-7, atol=1e-10).y[:, -1]
        np.testing.assert_allclose(found.y[lane], long, rtol=1e-5)


def test_conserved_sums_are_those_of_the_start():
    network = binding()
    parameters = rows(network, 20)
    found = good(steady(network, parameters))
    _, start = evaluate.prepare(lower(network), parameters)
    assert found.equations.laws.shape == (3, 6)
    np.testing.assert_allclose(found.y @ found.equations.laws.T, start @ found.equations.laws.T, rtol=1e-11)


def test_given_initial_values_set_the_conserved_sums():
    network, given = binding(), np.array([[1.0, 2.0, 3.0, 0.5, 0.0, 0.0]])
    found = good(steady(network, rows(network, 1), initial=given))
    np.testing.assert_allclose(found.y @ found.equations.laws.T, given @ found.equations.laws.T, rtol=1e-11)
    assert not np.allclose(found.y, good(steady(network, rows(network, 1))).y)


# --- equilibrium -----------------------------------------------------------------------------------------------
def test_binding_network_with_detailed_balance_has_no_net_rate_of_any_reaction():
    network = binding()
    parameters = rows(network, 50, decades=2)
    found = good(steady(network, parameters))
    assert (found.how == "newton").all()
    assert np.abs(imbalance(network, parameters, found.y)).max() < 1e-10


def test_one_receptor_equals_the_formula_of_the_quadratic():
    network = pair()
    parameters = np.array([[3.0, 2.0, 0.0, 0.7], [1e3, 1e-3, 0.0, 1e-4], [5.0, 5.0, 1.0, 1e3]])
    found = good(steady(network, parameters))
    ligand, receptor, kd = parameters[:, 0] + parameters[:, 2], parameters[:, 1] + parameters[:, 2], parameters[:, 3]
    s, product = ligand + receptor + kd, ligand * receptor
    np.testing.assert_allclose(found.y[:, 2], 2 * product / (s + np.sqrt(s * s - 4 * product)), rtol=1e-9)


def test_open_network_is_steady_without_detailed_balance():
    parameters = response_rows(2)
    assert np.abs(imbalance(RESPONSE, parameters, good(steady(RESPONSE, parameters)).y)).max() > 0.1


# --- zeros, and lanes that fail ----------------------------------------------------------------------------------
def test_states_that_stay_zero_do_not_stop_newton():
    parameters = response_rows(3)
    parameters[1, RESPONSE.parameter_names.index("IL2_dose")] = 0.0
    found = good(steady(RESPONSE, parameters))
    assert (found.how == "newton").all() and (found.y[1] == 0).sum() > 5


def test_states_that_vanish_are_left_to_integration():
    network = equations({"x": -A * X, "y": A * X - B * Y}, {"x": 3.0, "y": 0.0}, {"a": 0.5, "b": 0.01})
    found = good(steady(network, np.array([[0.5, 0.01], [2.0, 3.0]])))
    assert (found.how == "time").all() and np.abs(found.y).max() < 1e-8 and (found.time > 1).all()
    used = good(steady(pair(), np.array([[3.0, 2.0, 0.0, 0.0]])))  # without a way back all of R is used up
    np.testing.assert_allclose(used.y, [[1.0, 0.0, 2.0]], atol=1e-9)


def test_lanes_without_steady_state_say_so_and_leave_the_others_alone():
    network = equations({"x": A - B * X, "y": X - Y}, {"x": 1.0, "y": 1.0}, {"a": 1.0, "b": 1.0})
    found = steady(network, np.array([[1.0, 1.0], [1.0, 0.0], [2.0, 0.5]]), search=Search(longest=1e4))
    assert found.status.tolist() == ["steady", "not steady", "steady"] and found.time[1] == pytest.approx(1e4)
    assert "longest time" in found.reason(1)
    np.testing.assert_allclose(found.y[[0, 2]], [[1.0, 1.0], [4.0, 4.0]], rtol=1e-12)
    assert np.isnan(found.sensitivities()[1]).all() and np.isfinite(found.sensitivities()[[0, 2]]).all()


def test_lane_that_blows_up_is_named():
    network = equations({"x": A * X * X - B * X}, {"x": 1.0}, {"a": 1.0, "b": 2.0})
    found = steady(network, np.array([[1.0, 2.0], [1.0, 0.5]]))
    assert found.status.tolist() == ["steady", "integration failed"]
    assert found.how[0] == "time" and abs(found.y[0, 0]) < 1e-9  # Newton's root x = 2 is unstable and refused


def test_of_two_stable_states_the_one_that_the_start_leads_to_is_found():
    law = 0.05 + 2 * power(X, 4) / (1 + power(X, 4)) - X
    network = equations({"x": law}, {"x": sym("s")}, {"s": 1.0})
    start = np.array([[0.01], [0.5], [1.5], [9.0]])
    found = good(steady(network, start, search=Search(first=20.0)))
    assert (found.y[:2] < 0.1).all() and (found.y[2:] > 1.8).all()
    np.testing.assert_allclose(found.y[0], found.y[1], rtol=1e-9)


def test_start_on_an_unstable_state_is_not_called_steady():
    network = equations({"x": X - power(X, 3.0)}, {"x": 1.0}, {})
    assert good(steady(network, np.zeros((1, 0)))).y[0, 0] == pytest.approx(1.0)
    network = equations({"x": A * (X - 1.0)}, {"x": 1.0}, {"a": 1.0})
    found = steady(network, np.array([[1.0], [-1.0]]), search=Search(longest=100.0))
    assert found.status.tolist() == ["unstable", "steady"]


def test_bad_settings_and_shapes_are_refused():
    with pytest.raises(Il2Error, match="rtol"):
        steady(binding(), rows(binding(), 1), search=Search(rtol=0.0))
    with pytest.raises(Il2Error, match="shape"):
        steady(binding(), np.ones((2, 3)))
    with pytest.raises(Il2Error, match="shape"):
        steady(binding(), rows(binding(), 2), initial=np.ones((1, 6)))


def test_no_lanes_give_an_empty_result():
    found = steady(binding(), np.zeros((0, 9)))
    assert found.y.shape == (0, 6) and found.sensitivities().shape == (0, 6, 9)


# --- sensitivities ---------------------------------------------------------------------------------------------
def differences(network: Network, parameters: np.ndarray, initial: np.ndarray | None = None) -> np.ndarray:
    """dy/dp (states, parameters) of one lane by central differences of order four."""
    n = parameters.shape[1]
    size = 1e-3 * np.where(parameters[0] == 0, 1.0, np.abs(parameters[0]))
    moved = np.concatenate([parameters + np.diag(size) * times for times in (-2, -1, 1, 2)])
    y = good(steady(network, moved, search=TIGHT, initial=None if initial is None else np.repeat(initial, 4 * n, 0))).y
    a, b, c, d = y.reshape(4, n, -1)
    return ((a - 8 * b + 8 * c - d) / (12 * size[:, None])).T


@pytest.mark.parametrize("case", ["response", "binding", "binding from given values", "random"])
def test_sensitivities_equal_differences_of_tight_steady_states(case: str):
    network = {"response": RESPONSE, "random": synthetic(18, 40, seed=2)}.get(case, binding())
    parameters = response_rows(2)[[1]] if case == "response" else rows(network, 1)
    parameters[parameters == 0] = 0.2  # "zero" of the binding network: differences need states above zero
    given = np.array([[1.0, 2.0, 3.0, 0.5, 0.1, 0.2]]) if "given" in case else None
    found = good(steady(network, parameters, initial=given, search=TIGHT)).sensitivities()[0]
    expected = differences(network, parameters, given)
    scale = np.abs(expected).max(axis=0)
    assert (scale > 0).sum() >= 3
    for column in np.flatnonzero(scale > 1e-8 * scale.max()):
        np.testing.assert_allclose(found[:, column], expected[:, column], rtol=1e-6, atol=1e-6 * scale[column])


def test_sensitivity_at_a_zero_is_that_of_its_way_up():
    """Without ligand there are no complexes; d complex / d ligand is not zero, and known without a difference."""
    network = binding()
    parameters = rows(network, 1)
    parameters[0, list(network.parameter_names).index("L0")] = 0.0
    at = network.parameter_names.index("L0")
    zero = good(steady(network, parameters, search=TIGHT))
    parameters[0, at] = 1e-6
    little = good(steady(network, parameters, search=TIGHT))
    np.testing.assert_allclose(zero.sensitivities()[0, :, at], (little.y - zero.y)[0] / 1e-6, rtol=1e-5)


def test_tangents_of_every_operation_equal_complex_steps():
    network = equations(
        {"x": A / (1 + power(Y / B, 2.7)) - power(X, 0.5), "y": exp(-X * A) * log(1 + X * B) - 0.3 * Y / (B + Y)},
        {"x": log(A) + B, "y": A / B}, {"a": 2.0, "b": 0.8},
    )  # fmt: skip
    program, p = lower(network), np.array([[2.0, 0.8], [1.1, 3.0]])
    outputs = program.constants + program.initial
    each = np.broadcast_to(np.eye(2), (2, 2, 2))
    found = tangents(program.prepare, {"p": p}, {"p": each}, outputs)
    k, y = evaluate.prepare(program, p)
    rates = tangents(program.rates, {"y": y, "k": k}, {"k": found[:, : k.shape[1]]}, program.derivative)
    for j in range(2):
        moved = evaluate.run(program.prepare, {"p": p + 1e-30j * np.eye(2)[j]}, outputs)
        np.testing.assert_allclose(found[:, :, j], moved.imag / 1e-30, rtol=1e-13)
        f = evaluate.run(program.rates, {"y": y, "k": moved[:, : k.shape[1]]}, program.derivative)
        np.testing.assert_allclose(rates[:, :, j], f.imag / 1e-30, rtol=1e-12)


def test_a_law_is_kept_for_every_conserved_sum():
    m = model(binding())
    eq = reduced(m.network, m.program)
    assert np.linalg.matrix_rank(eq.laws[:, eq.given_up]) == 3 and len(eq.kept) == 3
