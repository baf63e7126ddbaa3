"""Properties of the engine: order, agreement with second opinions, same bits, failures of single lanes, bad input."""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from helpers import TIGHT, equations, examples, model, slope
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from il2.engine import driver, evaluate, pivoting, rodas5p
from il2.engine.failure import named
from il2.engine.reference import solve_reference
from il2.engine.solve import Solution, Tolerances, solve
from il2.errors import Il2Error
from il2.network.expression import exp, log, power, sym
from il2.network.network import Network
from il2.network.program import Program, lower
from il2.signalling.response import response

X, Y, Z, A, B = (sym(name) for name in "xyzab")
ORBIT = equations({"x": X - X * Y, "y": X * Y - Y}, {"x": 1.5, "y": 0.6})
DECAY = equations({"x": -A * X}, {"x": B}, {"a": 1.0, "b": 1.0})
BLOW_UP = equations({"x": A * X * X}, {"x": 1.0}, {"a": 1.0})
TOLERANCES = Tolerances(rtol=1e-9, atol=1e-12)
RESPONSE = response("IL2")
COUNTS = ("IL2RA_count", "IL2RB_count", "IL2RG_count")


def kaps(stiffness: float) -> Network:
    """Kaps' problem; x = exp(-2 t), y = exp(-t) for any stiffness."""
    return equations({"x": -(stiffness + 2) * X + stiffness * Y * Y, "y": X - Y - Y * Y}, {"x": 1.0, "y": 1.0})


def fixed_steps(network: Network, end: float, steps: int) -> np.ndarray:
    """The state at `end` after equal steps of the NumPy path."""
    f, j, y = right_hand_side(network)
    for _ in range(steps):
        y, _ = pivoting.step(f, j, y, end / steps)
    return y


def right_hand_side(network: Network) -> tuple[Callable, Callable, np.ndarray]:
    """f, its Jacobian and the initial state of a network without parameters."""
    program = lower(network)
    k, y = evaluate.prepare(program, np.zeros(0))
    return *evaluate.equations(program, k), y


def response_lanes(lanes: int, seed: int = 1) -> np.ndarray:
    """Random doses and counts for the response network."""
    draw = np.random.default_rng(seed)
    return model(RESPONSE).lanes(*(
        {"IL2_dose": 10 ** draw.uniform(-4, 2), **{c: 10 ** draw.uniform(1, 5) for c in COUNTS}}
        for _ in range(lanes)
    ))  # fmt: skip


def same_bits(one: Solution, other: Solution) -> bool:
    """Equal in every bit of every result, NaN included."""
    names = ("y", "status", "accepted", "rejected", "reached", "repivoted")
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)


def part(solution: Solution, lanes: list[int] | np.ndarray) -> Solution:
    """Some lanes of a solution."""
    return Solution(**{name: getattr(solution, name)[lanes] for name in solution.__dataclass_fields__})


# --- the method ----------------------------------------------------------------------------------------------
def test_order_is_five_on_a_nonstiff_problem():
    exact = solve_ivp(right_hand_side(ORBIT)[0], (0, 4), [1.5, 0.6], "DOP853", rtol=1e-13, atol=1e-14).y[:, -1]
    counts = np.array([10, 20, 40, 80])
    errors = [abs(fixed_steps(ORBIT, 4.0, n) - exact).max() for n in counts]
    assert slope(1 / counts, errors) == pytest.approx(5, abs=0.3)


def test_order_is_five_on_a_stiff_problem_once_steps_resolve_it():
    counts = np.array([32, 64, 128])
    exact = np.exp([-2.0, -1.0])
    errors = [abs(fixed_steps(kaps(10.0), 1.0, n) - exact).max() for n in counts]
    assert errors[0] < 1e-8
    assert slope(1 / counts, errors) == pytest.approx(5, abs=0.3)


def test_error_stays_bounded_on_a_very_stiff_problem():
    assert abs(fixed_steps(kaps(1e8), 1.0, 10) - np.exp([-2.0, -1.0])).max() < 1e-5


def test_embedded_estimate_has_order_four():
    f, j, y = right_hand_side(ORBIT)
    sizes = np.array([0.1, 0.05, 0.025, 0.0125])
    estimates = [abs(pivoting.step(f, j, y, h)[1]).max() for h in sizes]
    assert slope(sizes, estimates) == pytest.approx(5, abs=0.3)  # the local error of order 4


def test_local_error_is_smaller_than_its_estimate():
    f, j, y = right_hand_side(ORBIT)
    new, estimate = pivoting.step(f, j, y, 0.2)
    exact = solve_ivp(f, (0, 0.2), y, "DOP853", rtol=1e-13, atol=1e-14).y[:, -1]
    assert 0 < abs(new - exact).max() < abs(estimate).max()


@pytest.mark.parametrize("z", [-1e4, -1e8, -1e12])
def test_stability_function_vanishes_at_infinity(z: float):
    new, _ = pivoting.step(lambda _t, y: z * y, lambda _t, _y: np.array([[z]]), np.ones(1), 1.0)
    assert abs(new[0]) < 20 / abs(z) + 1e-12


def test_stability_function_is_bounded_by_one_on_the_left():
    for z in -np.logspace(-3, 6, 60):
        new, _ = pivoting.step(lambda _t, y, z=z: z * y, lambda _t, _y, z=z: np.array([[z]]), np.ones(1), 1.0)
        assert abs(new[0]) <= 1.0


# --- second opinions -------------------------------------------------------------------------------------------
def test_compiled_code_takes_the_steps_of_the_numpy_path():
    program, times = model(RESPONSE).program, np.array([0.0, 5.0, 60.0])
    parameters = response_lanes(4)
    found = solve(program, parameters, times)
    for lane, p in enumerate(parameters):
        y, status, accepted, rejected, reached, _ = pivoting.solve_lane(program, p, None, times, Tolerances())
        assert (status, accepted, rejected, reached) == (0, found.accepted[lane], found.rejected[lane], 60.0)
        np.testing.assert_allclose(found.y[lane], y, rtol=1e-8, atol=1e-13 * abs(y).max())  # rounding is near 1e-9


@examples(6)
@given(st.floats(-4, 3), st.lists(st.floats(0, 1e5), min_size=3, max_size=3))
def test_response_equals_scipy(log_dose: float, counts: list[float]):
    values = [{"IL2_dose": 10**log_dose, **dict(zip(COUNTS, counts, strict=True))}]
    m, times = model(RESPONSE), np.array([2.0, 30.0, 240.0])
    found = m.observe(m.solve(values, times, TOLERANCES).y, values)
    expected = m.observe(solve_reference(m.program, m.lanes(*values), times, rtol=1e-9, atol=1e-12), values)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-9, err_msg=name)


def test_robertson_equals_another_method():
    """Eleven decades of time; the values are those of SciPy's Radau at rtol 1e-10 and atol 1e-16."""
    slow, fast, quadratic = 0.04 * X, 1e4 * Y * Z, 3e7 * Y * Y
    network = equations(
        {"x": fast - slow, "y": slow - fast - quadratic, "z": quadratic}, {"x": 1.0, "y": 0.0, "z": 0.0}
    )
    tolerances = Tolerances(rtol=1e-10, atol=1e-16)
    y = solve(lower(network), np.zeros((1, 0)), np.array([40.0, 4e4, 1e11]), tolerances=tolerances).y[0]
    np.testing.assert_allclose(y[0], [7.15827069e-1, 9.18553476e-6, 2.84163746e-1], rtol=1e-6)
    np.testing.assert_allclose(y[1], [3.89833771e-2, 1.62176832e-7, 9.61016461e-1], rtol=1e-6)
    np.testing.assert_allclose(y[2], [2.08334015e-8, 8.33336077e-14, 9.99999979e-1], rtol=1e-6)
    np.testing.assert_allclose(y.sum(axis=1), 1.0, rtol=1e-12)


def test_general_rate_laws_equal_scipy():
    network = equations(
        {
            "x": A / (1 + power(Y / B, 2.7)) - power(X, 0.5),
            "y": exp(-X) * log(1 + X * Z) - 0.3 * Y / (0.2 + Y),
            "z": 0.1 * exp(0.5 * log(1 + Y)) - Z * power(1 + X, -1.3),
        },
        {"x": 1.0, "y": 0.5, "z": log(B) + 2},
        {"a": 2.0, "b": 0.8},
    )
    m, times = model(network), np.array([0.0, 1.0, 10.0, 50.0])
    lanes = [{}, {"a": 5.0, "b": 0.3}, {"a": 0.5}]
    expected = solve_reference(m.program, m.lanes(*lanes), times, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(m.solve(lanes, times, TIGHT).y, expected, rtol=1e-7, atol=1e-10)
    assert m.solve([{"b": 0.8}], [0.0]).y[0, 0, 2] == pytest.approx(np.log(0.8) + 2, rel=1e-15)


def test_tighter_tolerance_gives_smaller_error():
    exact = solve_ivp(right_hand_side(ORBIT)[0], (0, 20), [1.5, 0.6], "DOP853", rtol=1e-13, atol=1e-14).y[:, -1]
    errors, steps = [], []
    for rtol in 10.0 ** -np.arange(3, 11):
        found = solve(lower(ORBIT), np.zeros((1, 0)), np.array([20.0]), tolerances=Tolerances(rtol, rtol))
        errors.append(abs(found.y[0, 0] - exact).max())
        steps.append(found.accepted[0])
    assert all(after < 0.7 * before for before, after in pairwise(errors))
    assert errors[-1] < 1e-9 and steps == sorted(steps)
    assert steps[-1] < 60 * steps[0]  # order 5: seven decades cost a factor of 10 ** (7 / 5) = 25


# --- same bits -------------------------------------------------------------------------------------------------
LANES, TIMES = 100, np.array([0.0, 1.0, 20.0, 90.0])


def test_result_has_the_same_bits_for_any_number_of_threads():
    program, parameters = model(RESPONSE).program, response_lanes(LANES)
    one = solve(program, parameters, TIMES, threads=1)
    assert not one.status.any()
    assert all(same_bits(one, solve(program, parameters, TIMES, threads=n)) for n in (2, 3, 7))


def test_result_has_the_same_bits_in_any_order_and_batch():
    program, parameters = model(RESPONSE).program, response_lanes(LANES)
    together = solve(program, parameters, TIMES)
    order = np.random.default_rng(2).permutation(LANES)
    assert same_bits(part(together, order), solve(program, parameters[order], TIMES))
    for lane in (0, 7, 99):
        assert same_bits(part(together, [lane]), solve(program, parameters[[lane]], TIMES))


@pytest.mark.parametrize("network", [RESPONSE, kaps(100.0)], ids=["response", "kaps"])
def test_result_has_the_same_bits_for_any_vector_width(network: Network):
    program = lower(network)
    parameters = response_lanes(9) if network is RESPONSE else np.zeros((9, 0))
    found = [solve(program, parameters, TIMES, width=w) for w in (2, 4, 8)]
    assert all(same_bits(found[0], other) for other in found[1:])


# --- lanes that fail -------------------------------------------------------------------------------------------
def test_lane_with_nan_fails_alone():
    program, parameters = model(RESPONSE).program, response_lanes(20)
    good = solve(program, parameters, TIMES)
    bad = parameters.copy()
    bad[[3, 11]] = np.nan
    found = solve(program, bad, TIMES)
    assert np.flatnonzero(found.status).tolist() == [3, 11]
    assert "not a number" in found.reason(3) and "t = 0" in found.reason(3) and found.reason(4) == ""
    assert np.isnan(found.y[[3, 11], 1:]).all()
    others = np.delete(np.arange(20), [3, 11])
    assert same_bits(part(found, others), part(good, others))


def test_lane_that_blows_up_fails_alone_and_says_when():
    program, times = model(BLOW_UP).program, np.array([0.5, 0.9, 2.0, 3.0])
    a = np.array([[0.1], [1.0], [0.2], [-1.0], [0.3]])  # x = 1 / (1 - a t)
    found = solve(program, a, times, tolerances=TIGHT)
    assert found.status.tolist() == [0, driver.BLOW_UP, 0, 0, 0] and found.blamed[1] == "x"
    assert found.reached[1] == pytest.approx(1.0, abs=1e-6)
    assert "grows without bound (x)" in found.reason(1) and "t = 1" in found.reason(1)
    np.testing.assert_allclose(found.y[1, :2, 0], [2.0, 10.0], rtol=1e-6)
    assert np.isnan(found.y[1, 2:]).all()
    others = [0, 2, 3, 4]
    np.testing.assert_allclose(found.y[others, :, 0], 1 / (1 - a[others] * times), rtol=1e-7)
    assert same_bits(part(found, others), solve(program, a[others], times, tolerances=TIGHT))


def test_state_outside_error_control_that_is_not_a_number_is_never_reported_as_good():
    """dz/dt = log(x - 1/2) is not a number once x has fallen below 1/2; z takes no part in error control."""
    network = equations({"x": -X, "z": log(X - 0.5)}, {"x": 1.0, "z": 0.0})
    species = tuple(s if s.name == "x" else type(s)(s.name, s.compartment, s.initial, s.unit, False)
                    for s in network.species)  # fmt: skip
    network = Network(network.name, network.compartments, species, (), (), network.reactions)
    found = solve(lower(network), np.zeros((1, 0)), np.array([0.2, 5.0]))
    assert found.status[0] != driver.DONE or np.isfinite(found.y).all()


@pytest.mark.parametrize("most", [1, 5])
def test_most_steps_is_a_limit(most: int):
    program, times = model(DECAY).program, np.array([0.0, 1e-6, 50.0])
    parameters = np.array([[1.0, 1.0], [2.0, 3.0]])
    found = solve(program, parameters, times, tolerances=Tolerances(most_steps=most))
    assert found.status.tolist() == [driver.TOO_MANY_STEPS] * 2
    assert "number of steps" in found.reason(0)
    assert (found.accepted + found.rejected <= most).all()
    assert np.isfinite(found.y[:, 0]).all() and np.isnan(found.y[:, 2]).all()
    assert (found.reached < 50).all()


def test_most_steps_holds_when_every_step_lands_on_an_output():
    times = np.linspace(0, 1e-3, 1000)
    found = solve(model(DECAY).program, np.ones((1, 2)), times, tolerances=Tolerances(most_steps=10))
    assert found.status[0] == driver.TOO_MANY_STEPS and found.accepted[0] <= 10


def test_a_rate_that_is_not_a_number_names_its_state():
    network = equations({"x": -X, "z": log(X - 0.5)}, {"x": 1.0, "z": 0.0})
    found = solve(lower(network), np.zeros((1, 0)), np.array([0.2, 5.0]))
    assert found.status[0] == driver.NOT_A_NUMBER and found.reached[0] == pytest.approx(np.log(2), abs=1e-3)
    assert found.blamed[0] == "z" and "a rate is not a number (z) at t = 0.69" in found.reason(0)


@pytest.mark.parametrize(
    ("law", "when", "said"),
    [
        (power(X, 0.5) * -1.0 - 1, 2 - 2 * np.log(2), "a rate is not a number (x)"),  # a root of what turns negative
        (power(X, -1.0) * -1.0, 0.5, "(x)"),  # a rate without bound at a finite state
        (X * X * X, 0.5, "grows without bound (x)"),
        (power(1 + exp((X - 1) * -1e5), -1.0), 0.0, "a rate is not a number (x)"),  # exp overflows
    ],
    ids=["root", "pole", "blow-up", "overflow"],
)
def test_what_cannot_be_solved_is_named_with_time_and_state(law, when, said):
    start = 0.0 if when == 0.0 else 1.0
    found = solve(lower(equations({"x": law}, {"x": start})), np.zeros((1, 0)), np.array([0.25, 9.0]))
    assert found.status[0] != driver.DONE and said in found.reason(0) and "t = " in found.reason(0)
    assert found.reached[0] == pytest.approx(when, abs=2e-3) and np.isnan(found.y[0, 1]).all()


def test_a_steep_switch_is_crossed():
    """dy/dt turns from 0 to 1 within 1 % of a time unit."""
    network = equations({"x": X * 0 + 1, "y": power(1 + exp((X - 1) * -300.0), -1.0)}, {"x": 0.0, "y": 0.0})
    found = solve(lower(network), np.zeros((1, 0)), np.array([0.5, 2.0]))
    assert found.status[0] == driver.DONE and found.y[0, :, 1] == pytest.approx([0.0, 1.0], abs=1e-5)


def test_a_singular_matrix_is_told_from_stiffness():
    """D I - J vanishes at the smallest step: J = D there."""
    h = 1e-6
    network = equations({"x": A * X, "y": X}, {"x": 1.0, "y": 0.0}, {"a": 1 / (rodas5p.GAMMA * h)})
    program = lower(network)
    p = np.array([1 / (rodas5p.GAMMA * h)])
    assert named(program, p, np.array([1.0, 0.0]), driver.STEP_TOO_SMALL, h)[0] == driver.SINGULAR
    assert named(program, p, np.array([1.0, 0.0]), driver.STEP_TOO_SMALL, 2 * h)[0] == driver.STEP_TOO_SMALL


def test_too_stiff_a_lane_names_the_state_that_changes_fastest():
    network = equations({"x": A * (Y - X), "y": Y * 0.0}, {"x": 0.0, "y": 1.0}, {"a": 1e3})
    hard = Tolerances(rtol=1e-9, atol=1e-12, first_step=1e-2, smallest_step=2e-3)
    found = solve(lower(network), np.array([[1e3]]), np.array([1.0]), tolerances=hard)
    assert found.status[0] == driver.STEP_TOO_SMALL and "too stiff (x)" in found.reason(0)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_time_for_all_lanes_is_a_limit(threads: int):
    """A fast oscillation that would take minutes; lanes that were not begun say so as well."""
    network = equations({"x": A * Y, "y": -A * X}, {"x": 1.0, "y": 0.0}, {"a": 1.0})
    short = Tolerances(rtol=1e-10, atol=1e-10, most_steps=10**9, most_seconds=0.3)
    begin = time.monotonic()
    found = solve(lower(network), np.full((60, 1), 1e6), np.array([1e-9, 1e3]), tolerances=short, threads=threads)
    assert time.monotonic() - begin < 20
    assert (found.status == driver.OUT_OF_TIME).all() and "ran out" in found.reason(0)
    assert np.isnan(found.y[:, 1]).all() and found.reached[0] > 0 and (found.reached[30:] == 0).all()


def test_the_pivoting_path_has_the_same_time_limit():
    network = equations({"x": A * Y, "y": -A * X}, {"x": 1.0, "y": 0.0}, {"a": 1.0})
    short = Tolerances(rtol=1e-10, atol=1e-10, most_steps=10**9, most_seconds=0.3, smallest_pivot=1e9)
    begin = time.monotonic()
    found = solve(lower(network), np.full((3, 1), 1e6), np.array([1e3]), tolerances=short)
    assert time.monotonic() - begin < 20 and (found.status == driver.OUT_OF_TIME).all()


# --- pivots ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("off", [0.0, 1e-12, -1e-12])
def test_vanishing_static_pivot_goes_to_the_pivoting_path(off: float):
    """J = [[a, 1], [1, 0]]: the pivot 1 / (GAMMA h) - a vanishes at the first step, which is not cut by an output."""
    network = equations({"x": A * X + Y, "y": X}, {"x": 1.0, "y": 0.0}, {"a": 1.0})
    m = model(network)
    first = Tolerances(rtol=1e-9, atol=1e-9, first_step=(1 + off) / rodas5p.GAMMA)
    found = m.solve([{"a": 1.0}, {"a": -0.5}], [10.0, 12.0], first)
    assert found.repivoted.tolist() == [True, False]
    expected = solve_reference(m.program, m.lanes({"a": 1.0}, {"a": -0.5}), np.array([10.0, 12.0]), atol=1e-9)
    np.testing.assert_allclose(found.y, expected, rtol=1e-6)
    assert same_bits(part(found, [1]), m.solve([{"a": -0.5}], [10.0, 12.0], first))


def test_vanishing_pivot_behind_a_good_one_is_seen():
    """The same block behind a state that is eliminated first; here the second pivot vanishes."""
    m = model(equations({"z": -Z, "x": X + Y, "y": X}, {"z": 1.0, "x": 1.0, "y": 0.0}))
    found = m.solve([{}], [10.0], Tolerances(rtol=1e-9, atol=1e-9, first_step=1 / rodas5p.GAMMA))
    assert found.repivoted[0]
    np.testing.assert_allclose(found.y, solve_reference(m.program, m.lanes({}), np.array([10.0])), rtol=1e-6, atol=1e-9)


def test_singular_step_matrix_is_survived_without_a_warning():
    """J = [[a]] with a = 1 / (GAMMA h): the whole step matrix is singular, so the step has to shrink."""
    m = model(equations({"x": A * X}, {"x": 1.0}, {"a": 1.0}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = m.solve([{}], [12.0], Tolerances(rtol=1e-9, atol=1e-9, first_step=1 / rodas5p.GAMMA))
    assert found.repivoted[0]
    assert found.y[0, 0, 0] == pytest.approx(np.exp(12.0), rel=1e-6)


# --- output times, shapes, settings ----------------------------------------------------------------------------
def decay(parameters: object, times: object, **settings: object) -> Solution:
    return solve(model(DECAY).program, np.asarray(parameters), np.asarray(times), **settings)


def test_initial_values_and_repeated_times_are_returned_exactly():
    y = decay([[1.0, 3.0]], [0.0, 0.0, 1.0, 1.0, 1.0]).y[0, :, 0]
    assert (y[:2] == 3.0).all() and (y[2:] == y[2]).all()
    assert y[2] == pytest.approx(3 * np.exp(-1.0), rel=1e-5)


def test_each_lane_can_have_times_of_its_own():
    times = np.array([[0.0, 1.0, 2.0], [0.5, 0.5, 7.0], [3.0, 4.0, 5.0]])
    found = decay(np.ones((3, 2)), times, tolerances=TIGHT)
    np.testing.assert_allclose(found.y[:, :, 0], np.exp(-times), rtol=1e-7)
    assert found.reached.tolist() == [2.0, 7.0, 5.0]
    assert same_bits(part(found, [1]), decay(np.ones((1, 2)), times[1], tolerances=TIGHT))


def test_denser_output_changes_nothing_but_errors_below_tolerance():
    few = decay([[1.0, 1.0]], [8.0], tolerances=TOLERANCES).y[0, -1, 0]
    many = decay([[1.0, 1.0]], np.linspace(0, 8, 500), tolerances=TOLERANCES).y[0, :, 0]
    assert many[-1] == pytest.approx(few, rel=1e-7)
    np.testing.assert_allclose(many, np.exp(-np.linspace(0, 8, 500)), rtol=1e-7)


@pytest.mark.parametrize(("lanes", "n_times"), [(0, 3), (2, 0), (0, 0)])
def test_empty_requests_give_empty_results(lanes: int, n_times: int):
    found = decay(np.ones((lanes, 2)), np.arange(n_times, dtype=float))
    assert found.y.shape == (lanes, n_times, 1)
    assert found.status.tolist() == [0] * lanes


@pytest.mark.parametrize(
    "times", [[1.0, 0.5], [-1.0, 1.0], [0.0, np.nan], [0.0, np.inf], [[0.0, 1.0], [2.0, 1.0]]], ids=str
)
def test_times_that_are_not_finite_rising_and_positive_are_refused(times: list):
    with pytest.raises(Il2Error, match="finite, not negative, and rising"):
        decay(np.ones((2, 2)), times)


@pytest.mark.parametrize(
    ("parameters", "times", "settings"),
    [
        (np.ones(2), np.ones(1), {}),
        (np.ones((1, 3)), np.ones(1), {}),
        (np.ones((2, 2)), np.ones((3, 1)), {}),
        (np.ones((2, 2)), np.ones((2, 1, 1)), {}),
        (np.ones((2, 2)), np.ones(1), {"initial": np.ones((2, 2))}),
        (np.ones((2, 2)), np.ones(1), {"initial": np.ones(2)}),
    ],
    ids=["flat parameters", "too many parameters", "rows of times", "deep times", "wide", "flat"],
)  # fmt: skip
def test_wrong_shapes_are_refused(parameters: np.ndarray, times: np.ndarray, settings: dict):
    with pytest.raises(Il2Error):
        decay(parameters, times, **settings)


@pytest.mark.parametrize("threads", [0, -1])
def test_less_than_one_thread_is_refused(threads: int):
    with pytest.raises(Il2Error, match="threads"):
        decay(np.ones((1, 2)), np.ones(1), threads=threads)


@pytest.mark.parametrize("bad", [{"rtol": -1e-3}, {"atol": -1.0}, {"first_step": 0.0}, {"first_step": -1.0},
                                 {"rtol": np.nan}, {"most_steps": 0}], ids=str)  # fmt: skip
def test_tolerances_that_make_no_sense_are_refused(bad: dict):
    with pytest.raises(Il2Error):
        decay(np.ones((1, 2)), np.ones(1), tolerances=Tolerances(**bad))


def test_network_that_cannot_be_solved_is_refused():
    with pytest.raises(Il2Error):
        solve(lower(Network("empty")), np.zeros((1, 0)), np.ones(1))


def test_state_without_reactions_stays():
    network = equations({"x": 0.0, "y": X}, {"x": 2.0, "y": 0.0})
    y = solve(lower(network), np.zeros((1, 0)), np.array([1.0, 10.0])).y[0]
    np.testing.assert_allclose(y, [[2.0, 2.0], [2.0, 20.0]], rtol=1e-12)


# --- restart from a state --------------------------------------------------------------------------------------
def test_solving_in_two_parts_equals_solving_at_once():
    m, values = model(RESPONSE), [{"IL2_dose": 0.5, "IL2RA_count": 1e4, "IL2RB_count": 3e3, "IL2RG_count": 2e3}] * 2
    at_once = m.solve(values, [60.0], TIGHT).y[:, -1]
    half = m.solve(values, [30.0], TIGHT).y[:, -1]
    assert abs(half - at_once).max() > 1  # the two times differ
    np.testing.assert_allclose(m.solve(values, [30.0], TIGHT, half).y[:, -1], at_once, rtol=1e-7, atol=1e-7)


def test_given_initial_values_replace_those_of_the_network():
    y = decay([[1.0, 3.0], [1.0, 3.0]], [0.0, 1.0], initial=np.array([[5.0], [7.0]])).y[:, :, 0]
    np.testing.assert_allclose(y, np.array([[5.0], [7.0]]) * np.exp([[0.0, -1.0]]), rtol=1e-5)


def test_program_type_is_plain_data():
    assert isinstance(model(DECAY).program, Program) and model(DECAY).program.n_states == 1


def test_the_engine_needs_numpy_and_llvmlite_alone():
    """A host with a GPU has these; pint, SciPy, pandas and xarray it may lack."""
    code = (
        "import sys, numpy\n"
        "for name in ('scipy', 'pint', 'pandas', 'xarray', 'matplotlib', 'yaml', 'rich', 'typer'):\n"
        "    sys.modules[name] = None\n"
        "from il2.engine import event, gradient, hybrid, observe, schedule, solve, ssa, steady\n"
        "from il2.network.expression import sym\n"
        "from il2.network.network import Compartment, Network, Parameter, Species, reaction\n"
        "from il2.network.program import lower\n"
        "net = Network('d', (Compartment('c', 3),), (Species('x', 'c', sym('x0')),),\n"
        "    (Parameter('k', 0.5, '1/min'), Parameter('x0', 2.0, 'molecule/cell')), (),\n"
        "    (reaction('decay', ['x'], [], sym('k')),))\n"
        "p, t = numpy.array([[0.5, 2.0]]), numpy.array([1.0])\n"
        "found = gradient.gradient(lower(net), p, t, lambda y, _: (y.sum((1, 2)), numpy.ones_like(y)))\n"
        "print(found.value[0], found.parameters[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[0]) == pytest.approx(2 * np.exp(-0.5), rel=1e-6)
