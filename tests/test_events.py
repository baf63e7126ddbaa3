"""Events: each kind against an analytic solution, nothing ahead of its time, restarts, and what is refused."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from helpers import equations, examples
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.interpolate import PchipInterpolator
from stiff import robertson

from il2.engine import crossing, march
from il2.engine.batch import parameter_rows
from il2.engine.crossing import located
from il2.engine.event import (
    Bolus,
    Exchange,
    Infusion,
    Interpolant,
    SteadyStart,
    Switch,
    Trigger,
    Washout,
    repeated,
    title,
)  # fmt: skip
from il2.engine.inputs import input_rate, with_clock, with_input, with_inputs, within
from il2.engine.schedule import run
from il2.engine.solve import Tolerances, solve
from il2.engine.state import State
from il2.errors import Il2Error, ModelError
from il2.network.dimensions import check_units
from il2.network.expression import log, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Species, check, reaction
from il2.network.program import lower
from il2.receptor.membrane import MEDIUM
from il2.signalling.response import response

TIGHT = Tolerances(rtol=1e-11, atol=1e-13)
X, Y, K, V, A = (sym(name) for name in ("x", "y", "k", "v", "a"))
DRUG = equations({"x": -K * X}, {"x": "start"}, {"k": 0.5, "start": 0.0})
FED = with_inputs(DRUG, "x")
FALL = equations({"x": V, "v": -sym("g")}, {"x": 10.0, "v": 0.0}, {"g": 9.81})
VARIED = with_input(equations({"x": A - K * X}, {"x": 0.0}, {"a": 2.0, "k": 0.5}), "a")
TWO = equations({"x": -K * X * Y, "y": K * X * Y - Y}, {"x": 3.0, "y": 0.1}, {"k": 1.0})
TIMES = np.linspace(0.0, 12.0, 49)


def rows(network: Network, **values) -> np.ndarray:
    return parameter_rows(network, values)


def go(network: Network, events, times=TIMES, values=None, tolerances=TIGHT, **options):
    """Run; every lane must succeed."""
    parameters = rows(network, **(values or {}))
    found = run(network, parameters, np.asarray(times), events, tolerances=tolerances, **options)
    assert (found.status == march.DONE).all(), [found.reason(i) for i in range(len(parameters))]
    return found


def x_of(found) -> np.ndarray:
    return found.y[..., 0]


def after(times, at: float, k: float = 0.5) -> np.ndarray:
    """exp(-k (t - at)) from `at` on, else 0."""
    since = np.asarray(times) - at
    return np.where(since >= 0, np.exp(-k * np.maximum(since, 0)), 0.0)


def infused(times, start: float, stop: float, rate: float, k: float = 0.5) -> np.ndarray:
    t = np.asarray(times)
    held = np.clip(t, start, stop) - start
    return rate / k * (1 - np.exp(-k * held)) * np.exp(-k * np.maximum(t - stop, 0))


def same_bits(one, other) -> bool:
    return one.y.tobytes() == other.y.tobytes()


# --- doses -----------------------------------------------------------------------------------------------------
def test_a_short_infusion_late_gives_its_whole_amount():
    network = with_inputs(equations({"x": -sym("k") * sym("x")}, {"x": 2.0}, {"k": 0.0}), "x")
    rows = np.array([[network.defaults()[n] for n in network.parameter_names]])
    for duration in (1e-10, 1e-12):
        found = run(network, rows, [1000.0, 1001.0], [Infusion(1000.0, duration, "x", amount=5.0)])
        assert found.y[0, 1, 0] == pytest.approx(7.0, rel=1e-9)
    with pytest.raises(Il2Error, match="shorter than the clock"):
        run(network, rows, [1001.0], [Infusion(1000.0, 1e-15, "x", amount=5.0)])


def test_without_events_a_run_is_a_solution_bit_by_bit():
    p = rows(TWO, k=np.array([0.5, 1.0, 2.0]))
    found = run(TWO, p, TIMES)
    assert found.y.tobytes() == solve(lower(TWO), p, TIMES).y.tobytes()


def test_bolus_and_repeated_doses_superpose():
    doses = [*repeated(Bolus(1.0, "x", 10.0), 2.5, 4), Bolus(0.0, "x", 3.0)]
    exact = 3 * after(TIMES, 0) + sum(10 * after(TIMES, 1 + 2.5 * i) for i in range(4))
    assert x_of(go(DRUG, doses))[0] == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_output_at_the_time_of_a_dose_is_after_it_and_just_below_is_before_it():
    times = [np.nextafter(2.0, 0), 2.0, np.nextafter(2.0, 3)]
    y = x_of(go(DRUG, [Bolus(0.0, "x", 1.0), Bolus(2.0, "x", 5.0)], times))[0]
    assert y == pytest.approx([np.exp(-1), np.exp(-1) + 5, np.exp(-1) + 5], rel=1e-10)


@pytest.mark.parametrize("of", [{"amount": 6.0}, {"rate": 3.0}])
@pytest.mark.parametrize("into", ["x", input_rate("x")])
def test_infusion(of, into):
    y = x_of(go(FED, [Infusion(1.3, 2.0, into, **of)]))[0]
    assert y == pytest.approx(infused(TIMES, 1.3, 3.3, 3.0), rel=1e-9, abs=1e-12)


def test_infusions_that_overlap_add_up_on_top_of_the_rate_of_the_lane_and_leave_no_trace():
    parts = ((0, 99, 0.7), (1, 4, 0.1), (2, 6, 0.2), (5, np.inf, 0.3))
    events = [Infusion(start, stop - start, "x", rate=rate) for start, stop, rate in parts[1:]]
    exact = sum(infused(TIMES, *part) for part in parts)
    found = go(FED, events, values={input_rate("x"): 0.7})
    assert x_of(found)[0] == pytest.approx(exact, rel=1e-9)
    over = go(FED, events[:2], values={input_rate("x"): 0.7}).state
    assert over.parameters[0, -1] == 0.7 and not over.switched.any()


def test_accumulation_of_repeated_doses_and_the_steady_start():
    k, tau, dose = 0.5, 2.0, 10.0
    ratio = 1 / (1 - np.exp(-k * tau))
    doses = repeated(Bolus(0.0, "x", dose), tau, 30)
    late = x_of(go(DRUG, doses, [0.0, 58.0]))[0]
    assert late[1] / late[0] == pytest.approx(ratio, rel=1e-9)
    start = SteadyStart(tau, [Bolus(0.0, "x", dose)], rtol=1e-10, atol=1e-10)
    y = x_of(go(DRUG, [start, *doses], [0.0, np.nextafter(tau, 0), tau, 3.0]))[0]
    peak = dose * ratio
    assert y == pytest.approx([peak, peak * np.exp(-k * tau), peak, peak * np.exp(-k)], rel=1e-8)


def test_steady_start_of_infusions_with_lanes_of_their_own():
    k, tau, lasts = np.array([0.5, 0.1]), np.array([2.0, 3.0]), np.array([2.0, 0.5])
    events = [SteadyStart(tau, [Infusion(0.0, lasts, "x", rate=1.0)], rtol=1e-8, atol=1e-10)]
    found = go(FED, events, [0.0], {"k": k})
    trough = (1 - np.exp(-k * lasts)) / k * np.exp(-k * (tau - lasts)) / (1 - np.exp(-k * tau))
    assert x_of(found)[:, 0] == pytest.approx(trough, rel=2e-8)
    for lane in range(2):
        alone = [SteadyStart(tau[lane], [Infusion(0.0, lasts[lane], "x", rate=1.0)], rtol=1e-8, atol=1e-10)]
        assert (go(FED, alone, [0.0], {"k": k[lane]}).y[0] == found.y[lane]).all()


def test_a_steady_start_that_is_not_reached_has_a_name_and_leaves_the_others():
    events = [SteadyStart(1.0, [Bolus(0.0, "x", 1.0)], most=50)]
    found = run(DRUG, rows(DRUG, k=np.array([0.0, 1.0])), TIMES, events)
    assert list(found.status) == [march.NO_STEADY, march.DONE]
    assert "after 50 intervals" in found.reason(0) and found.reason(1) == ""
    assert np.isnan(found.y[0]).all() and np.isfinite(found.y[1]).all()


def test_a_clock_is_not_asked_to_repeat_and_starts_at_zero():
    network = with_clock(DRUG)
    found = go(network, [SteadyStart(2.0, [Bolus(0.0, "x", 1.0)])], [0.0, 3.0])
    assert found.y[0, :, 1] == pytest.approx([0.0, 3.0], abs=1e-12)
    assert found.y[0, 0, 0] == pytest.approx(np.exp(-1) / (1 - np.exp(-1)), rel=1e-5)


# --- wash-out, change of medium, switches --------------------------------------------------------------------------
def binding() -> Network:
    """A ligand in excess of its receptor binds it; the ligand is not used up by it."""
    return check(
        Network(
            "binding",
            (Compartment(MEDIUM, 3), Compartment("surface", 2)),
            (
                Species("ligand", MEDIUM, num(2.0)),
                Species("free", "surface", num(100.0)),
                Species("bound", "surface", num(0.0)),
            ),
            (Parameter("on", 0.3, "1/(molecule/cell*min)"), Parameter("off", 0.2, "1/min")),
            reactions=(
                reaction("binds", ["ligand", "free"], ["ligand", "bound"], "on"),
                reaction("leaves", ["bound"], ["free"], "off"),
            ),
            observables=(Observable("share", sym("bound") / (sym("bound") + sym("free")), "dimensionless"),),
        )
    )


def bound(t, start: float, ligand: float) -> np.ndarray:
    """Receptors bound at a constant ligand."""
    rate = 0.3 * ligand + 0.2
    end = 100 * 0.3 * ligand / rate
    return end + (start - end) * np.exp(-rate * np.asarray(t))


def test_wash_out_and_change_of_medium_of_a_bound_ligand():
    network = binding()
    washed = go(network, [Washout(4.0, within(network, MEDIUM))]).y[0]
    held = bound(4.0, 0.0, 2.0)
    exact = np.where(TIMES < 4, bound(TIMES, 0.0, 2.0), held * np.exp(-0.2 * np.maximum(TIMES - 4, 0)))
    assert washed[:, 2] == pytest.approx(exact, rel=1e-9, abs=1e-11)
    assert (washed[TIMES >= 4, 0] == 0).all() and (washed[TIMES < 4, 0] == 2).all()
    halved = go(network, [Exchange(4.0, {"ligand": 0.4}, 0.75)]).y[0]
    exact = np.where(TIMES < 4, bound(TIMES, 0.0, 2.0), bound(np.maximum(TIMES - 4, 0), held, 0.8))
    assert halved[:, 2] == pytest.approx(exact, rel=1e-9, abs=1e-11)
    assert go(network, [Exchange(4.0, {"ligand": 0.4})]).y[0, -1, 0] == 0.4


def test_switch_of_a_rate_and_expressions_as_values():
    events = [Bolus(0.0, "x", 4.0), Switch(3.0, "k", 0.1), Switch(5.0, "k", 2 * K + 0.1 * X)]
    y = x_of(go(DRUG, events))[0]
    at3 = 4 * np.exp(-1.5)
    at5 = at3 * np.exp(-0.2)
    later = np.maximum(TIMES - 5, 0)
    exact = np.select([TIMES < 3, TIMES < 5], [4 * np.exp(-0.5 * TIMES), at3 * np.exp(-0.1 * (TIMES - 3))],
                      at5 * np.exp(-(0.2 + 0.1 * at5) * later))  # fmt: skip
    assert y == pytest.approx(exact, rel=1e-9)
    doubled = x_of(go(DRUG, [Bolus(0.0, "x", 4.0), Bolus(3.0, "x", X)]))[0]
    assert doubled == pytest.approx(4 * np.exp(-0.5 * TIMES) * np.where(TIMES < 3, 1, 2), rel=1e-9)


def test_events_at_one_time_act_in_the_order_of_the_list():
    one = x_of(go(DRUG, [Bolus(1.0, "x", 2.0), Washout(1.0, "x"), Bolus(1.0, "x", 1.0)], [1.0]))[0, 0]
    other = x_of(go(DRUG, [Bolus(1.0, "x", 2.0), Bolus(1.0, "x", 1.0), Washout(1.0, "x", to=X + 4)], [1.0]))[0, 0]
    assert one == 1.0 and other == pytest.approx(7.0)


# --- triggers -----------------------------------------------------------------------------------------------------
def test_the_crossing_of_an_exponential_is_located_and_acts_at_most_n_times():
    k = np.array([0.5, 0.3, 1.7])
    events = [Bolus(0.0, "x", 10.0), Trigger("low", X - 5.0, [Bolus(0.0, "x", 5.0)], "down", 3)]
    found = go(DRUG, events, values={"k": k})
    exact = np.log(2) / k[:, None] * np.array([1, 2, 3])
    assert found.fired["low"][exact < 12] == pytest.approx(exact[exact < 12], rel=1e-9)
    assert np.isnan(found.fired["low"][exact > 12]).all()
    cycles = np.minimum(np.floor(k[:, None] * TIMES / np.log(2) + 1e-12), 3)
    assert x_of(found) == pytest.approx(10 * np.exp(-k[:, None] * TIMES) * 2**cycles, rel=1e-8)


def test_the_state_at_a_crossing_is_on_the_far_side_by_rounding_alone():
    found = go(DRUG, [Bolus(0.0, "x", 10.0), Trigger("low", X - 5.0, [Switch(0.0, "k", 0.0)], "down")])
    y = x_of(found)[0]
    assert y[-1] <= 5.0 and y[-1] == pytest.approx(5.0, rel=1e-12)
    assert x_of(go(DRUG, [Bolus(0.0, "x", 10.0)], found.fired["low"][0]))[0, 0] == pytest.approx(5.0, rel=1e-9)


def test_a_bouncing_ball():
    bounce = Trigger("ground", X, [Exchange(0.0, {"v": -0.8 * V, "x": 0.0})], "down", 12)
    found = go(FALL, [bounce], [0.0, 12.0])
    first = np.sqrt(2 * 10 / 9.81)
    exact = first * (1 + 2 * np.concatenate([[0], np.cumsum(0.8 ** np.arange(1, 12))]))
    assert found.fired["ground"][0] == pytest.approx(exact, rel=1e-9)


def test_a_second_opinion_on_triggers_by_scipy():
    """The predator-prey-like pair with a harvest whenever the second one rises through a level."""
    level, take = 0.6, 0.3
    events = [Trigger("harvest", Y - level, [Exchange(0.0, {"y": take}), Bolus(0.5, "x", 0.4)], "up", 20)]
    found = go(TWO, events, [0.0, 10.0])

    def through(_t, y):
        return y[1] - level

    through.terminal, through.direction = True, 1
    t, y, doses, fired = 0.0, np.array([3.0, 0.1]), [], []
    while t < 10:
        end = min([10.0, *doses])
        out = solve_ivp(lambda _t, y: [-y[0] * y[1], y[0] * y[1] - y[1]], (t, end), y, "DOP853", events=through,
                        rtol=1e-12, atol=1e-13)  # fmt: skip
        t, y = out.t[-1], out.y[:, -1].copy()
        if out.status == 1:
            fired.append(t)
            doses.append(t + 0.5)
            y[1] = take
        elif doses and t == doses[0]:
            y[0] += 0.4
            doses.pop(0)
    times = found.fired["harvest"][0]
    assert len(fired) >= 4 and np.isfinite(times).sum() == len(fired)
    assert times[: len(fired)] == pytest.approx(fired, rel=1e-9)
    assert found.y[0, -1] == pytest.approx(y, rel=1e-8)


def test_a_dip_within_a_step_is_not_missed():
    """A loose tolerance takes a parabola in one step; it is below zero for a small part of it."""
    loose = Tolerances(rtol=1e-2, atol=1e-2, first_step=3.0)
    depth = 10 - 9.81 * 1.0**2 / 2  # thrown up from here it comes back after two
    network = equations({"x": V, "v": sym("g")}, {"x": depth, "v": -9.81}, {"g": 9.81})
    for gap in (1e-3, 0.1, 0.5):
        low = depth - 9.81 / 2 + gap
        trigger = Trigger("dip", X - low, [Switch(0.0, "g", 9.81)], "down")
        found = go(network, [trigger], [0.0, 10.0], tolerances=loose)
        assert found.fired["dip"][0, 0] == pytest.approx(1 - np.sqrt(2 * gap / 9.81), rel=1e-9)


def test_triggers_that_start_past_zero_wait_and_jumps_carry_others_across():
    up = Trigger("high", X - 5.0, [Bolus(0.0, "y", 1.0)], "up", 5)
    chain = Trigger("second", Y - 0.5, [Washout(1.0, "y")], "up", 5)
    network = equations({"x": -K * X, "y": num(0.0)}, {"x": 8.0, "y": 0.0}, {"k": 0.5})
    found = go(network, [up, chain, Bolus(4.0, "x", 7.0)])
    assert found.fired["high"][0, 0] == 4.0 and np.isnan(found.fired["high"][0, 1:]).all()
    assert found.fired["second"][0, 0] == 4.0
    assert (found.y[0, :, 1] == np.where((TIMES >= 4) & (TIMES < 5), 1.0, 0.0)).all()


def test_two_triggers_the_earlier_goes_first_and_an_observable_can_be_watched():
    network = binding()
    events = [
        Trigger("half", sym("share") - 0.5, [Washout(0.0, "ligand")], "up"),
        Trigger("quarter", sym("share") - 0.25, [Switch(1.0, "off", 0.4)], "down"),
    ]
    found = go(network, events)
    half = -np.log(1 - 50 / 75) / 0.8
    assert found.fired["half"][0, 0] == pytest.approx(half, rel=1e-9)
    quarter = half + np.log(2) / 0.2
    assert found.fired["quarter"][0, 0] == pytest.approx(quarter, rel=1e-9)
    t = np.maximum(TIMES - quarter, 0)
    late = 25 * np.exp(-0.2 * np.minimum(t, 1) - 0.4 * np.maximum(t - 1, 0))
    assert found.y[0, TIMES > quarter, 2] == pytest.approx(late[TIMES > quarter], rel=1e-8)


def test_an_infusion_by_a_trigger_ends():
    events = [Bolus(0.0, "x", 10.0), Trigger("low", X - 5.0, [Infusion(0.5, 2.0, "x", rate=1.0)], "down", 1)]
    start = np.log(2) / 0.5 + 0.5
    exact = 10 * np.exp(-0.5 * TIMES) + infused(TIMES, start, start + 2, 1.0)
    assert x_of(go(FED, events))[0] == pytest.approx(exact, rel=1e-8)


def test_a_trigger_prevents_a_blow_up_and_one_that_is_no_number_is_reported():
    burst = equations({"x": A * X * X}, {"x": 1.0}, {"a": 1.0})
    stop = Trigger("stop", X - 4.0, [Switch(0.0, "a", 0.0)], "up")
    found = run(burst, rows(burst, a=np.array([1.0, 2.0])), TIMES, [stop], tolerances=TIGHT)
    assert found.fired["stop"][:, 0] == pytest.approx([0.75, 0.375], rel=1e-9)
    assert found.y[:, -1, 0] == pytest.approx(4.0)
    bad = run(DRUG, rows(DRUG, start=np.array([-1.0, 1.0])), TIMES, [Trigger("log", log(X) + 9, [Washout(0.0, "x")])])
    assert list(bad.status) == [march.NO_NUMBER, march.DONE]


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6))
@examples(50)
def test_roots_of_cubics_are_located(roots):
    roots = np.array(roots)

    def f(x, which):
        return (x - roots[which]) + 0.3 * (x - roots[which]) ** 3

    low, high, every = np.full(len(roots), -4.0), np.full(len(roots), 5.0), np.arange(len(roots))
    found = located(f, low, high, f(low, every), f(high, every), np.full(len(roots), 1e-14))
    assert found == pytest.approx(roots, abs=1e-13)
    assert (f(found, every) >= 0).all()


def test_a_crossing_of_a_stiff_problem_by_scipy():
    network, end = robertson(), 1e4
    found = go(network, [Trigger("fell", sym("y1") - 0.5, [Bolus(0.0, "y1", 0.25)], "down", 2)], [0.0, end])

    def f(_t, y):
        slow, fast, back = 0.04 * y[0], 3e7 * y[1] ** 2, 1e4 * y[1] * y[2]
        return [back - slow, slow - back - fast, fast]

    def fell(_t, y):
        return y[0] - 0.5

    fell.terminal = True
    t, y = 0.0, np.array([1.0, 0.0, 0.0])
    for time in found.fired["fell"][0]:
        out = solve_ivp(f, (t, end), y, "Radau", events=fell, rtol=1e-10, atol=1e-14)
        t, y = out.t[-1], out.y[:, -1] + [0.25, 0, 0]
        assert time == pytest.approx(t, rel=1e-7)


# --- inputs that vary -----------------------------------------------------------------------------------------------
def test_a_clock_is_the_time():
    assert go(with_clock(DRUG), []).y[0, :, 1] == pytest.approx(TIMES, abs=1e-13)


@pytest.mark.parametrize("kind", ["linear", "pchip"])
def test_an_interpolated_input_against_its_integral(kind):
    knots, values = np.array([1.0, 2.5, 4.0, 7.0]), np.array([[1.0, 3.0, 0.5, 2.0], [0.0, 1.0, 1.0, 4.0]])
    network = with_input(equations({"x": A}, {"x": 0.0}, {"a": 1.0}), "a")
    found = x_of(go(network, [Interpolant("a", knots, values, kind)], values={"a_0": np.array([7.0, 8.0])}))
    for lane, v in enumerate(values):
        curve = PchipInterpolator(knots, v) if kind == "pchip" else lambda t, v=v: np.interp(t, knots, v)
        fine = [np.linspace(lo, hi, 400) for lo, hi in zip([0.0, *knots], [*knots, 12.0], strict=True)]
        total, exact = 0.0, {}
        nodes, weights = np.polynomial.legendre.leggauss(4)
        for piece in fine:
            for lo, hi in pairwise(piece):
                at = np.clip((lo + hi) / 2 + (hi - lo) / 2 * nodes, knots[0], knots[-1])
                total += (hi - lo) / 2 * float(weights @ curve(at))
            exact[piece[-1]] = total
        for t, value in exact.items():
            assert found[lane, np.argmin(abs(TIMES - t))] == pytest.approx(value, rel=1e-10)


def test_a_linear_input_with_decay_and_its_value_before_the_points():
    y = x_of(go(VARIED, [Interpolant("a", [0.0, 6.0], [0.0, 3.0])]))[0]
    k, s = 0.5, 0.5
    ramp = s / k * TIMES - s / k**2 * (1 - np.exp(-k * TIMES))
    at6 = s / k * 6 - s / k**2 * (1 - np.exp(-k * 6))
    held = 3 / k + (at6 - 3 / k) * np.exp(-k * (TIMES - 6))
    assert y == pytest.approx(np.where(TIMES < 6, ramp, held), rel=1e-9, abs=1e-12)
    assert x_of(go(VARIED, []))[0] == pytest.approx(4 * (1 - np.exp(-0.5 * TIMES)), rel=1e-9, abs=1e-12)


def test_the_steady_start_of_an_input_that_repeats():
    curve = Interpolant("a", [0.0, 1.0, 3.0], [0.0, 2.0, 0.0])
    found = go(VARIED, [SteadyStart(3.0, [curve], rtol=1e-9), curve], [0.0, 3.0])
    assert found.y[0, 1, 0] == pytest.approx(found.y[0, 0, 0], rel=1e-8)
    cold = go(VARIED, [curve], [3.0]).y[0, 0, 0]
    assert found.y[0, 0, 0] == pytest.approx(cold / (1 - np.exp(-1.5)), rel=1e-8)


def test_units_of_fed_networks_agree():
    network = with_clock(with_inputs(response("IL2"), response("IL2").species_names[0]))
    check_units(network)
    clamped = response("IL2")
    free = [p.name for p in clamped.parameters if p.name.endswith("phosphorylation_rate")]
    check_units(with_input(clamped, free[0]))


# --- nothing leaks ---------------------------------------------------------------------------------------------------
@given(st.floats(0.1, 9.9), st.floats(0.5, 100.0))
@examples(30)
def test_no_event_acts_before_its_time(at, size):
    times = np.unique([0.0, 0.05, at / 3, at / 2, np.nextafter(at, 0), at, 10.0])
    before = times < at
    plain = go(TWO, [], times).y[0, before]
    exchange = Exchange(at, {"y": size}, 0.5)
    for event in (Bolus(at, "x", size), Washout(at, ["x", "y"]), Switch(at, "k", size), exchange):
        found = go(TWO, [event], times).y[0]
        assert found[before].tobytes() == plain.tobytes()
        assert found[~before].tobytes() != go(TWO, [], times).y[0, ~before].tobytes()


def test_no_input_leaks_across_its_points():
    times = [1.0, np.nextafter(3.0, 0), 3.0, 5.0]
    one = go(VARIED, [Interpolant("a", [0.0, 3.0, 4.0], [1.0, 2.0, 9.0])], times).y[0, :, 0]
    other = go(VARIED, [Interpolant("a", [0.0, 3.0, 4.0], [1.0, 2.0, -5.0])], times).y[0, :, 0]
    assert one[:3].tobytes() == other[:3].tobytes() and one[3] != other[3]


def test_events_after_the_last_output_or_never_do_not_happen():
    late = go(DRUG, [Bolus(0.0, "x", 1.0), Bolus(13.0, "x", 5.0), Bolus(np.inf, "x", 5.0)])
    assert same_bits(late, go(DRUG, [Bolus(0.0, "x", 1.0)]))
    assert x_of(go(DRUG, [Bolus(12.0, "x", 5.0)]))[0, -1] == 5.0


# --- lanes -----------------------------------------------------------------------------------------------------------
def regimen(at, amount, k_new):
    return [
        *repeated(Bolus(at, "x", amount), 2.0, 3),
        Infusion(at + 0.5, 1.5, "x", rate=amount),
        Switch(2 * at, "k", k_new),
        Trigger("low", X - 0.3, [Bolus(0.1, "x", 0.7)], "down", 4),
        Washout(9.0, "x"),
    ]


def test_lanes_with_their_own_times_equal_runs_of_one_lane_bit_by_bit():
    draw = np.random.default_rng(5)
    lanes = 21
    at, amount, new = draw.uniform(0, 4, lanes), draw.uniform(0.1, 9, lanes), draw.uniform(0.1, 2, lanes)
    at[3], k = np.inf, draw.uniform(0.2, 2, lanes)
    times = np.sort(draw.uniform(0, 12, (lanes, 9)), axis=1)
    together = go(FED, regimen(at, amount, new), times, {"k": k}, Tolerances())
    turned = go(FED, regimen(at[::-1], amount[::-1], new[::-1]), times[::-1], {"k": k[::-1]}, Tolerances(), threads=1)
    assert (turned.y[::-1] == together.y).all()
    assert np.isfinite(together.fired["low"]).sum() > lanes
    for i in range(lanes):
        alone = go(FED, regimen(at[i], amount[i], new[i]), times[i], {"k": k[i]}, Tolerances())
        assert alone.y[0].tobytes() == together.y[i].tobytes()
        assert alone.fired["low"][0].tobytes() == together.fired["low"][i].tobytes()


def test_no_lanes_no_times_and_times_of_almost_nothing():
    nobody = run(FED, rows(FED)[:0], TIMES, [SteadyStart(1.0, []), *regimen(1.0, 3.0, 0.4)])
    assert nobody.y.shape == (0, len(TIMES), 1)
    assert go(FED, regimen(1.0, 3.0, 0.4), []).y.shape == (1, 0, 1)
    doses = [Bolus(0.0, "x", 3.0), Bolus(5e-324, "x", 1.0)]
    assert go(FED, doses, [0.0, 5e-324, 1e-310]).y[0, :, 0].tolist() == [3, 4, 4]


def test_parts_of_lanes_and_more_steps_than_room(monkeypatch):
    k = np.linspace(0.3, 2, 7)
    whole = go(FED, regimen(1.0, 3.0, 0.4), values={"k": k})
    monkeypatch.setattr(crossing, "FIRST_CAPACITY", 3)
    monkeypatch.setattr(crossing, "LOG_BYTES", 1000)
    assert same_bits(go(FED, regimen(1.0, 3.0, 0.4), values={"k": k}), whole)


def test_a_lane_that_is_solved_with_pivoting_keeps_its_triggers():
    network = equations({"z": -K * sym("z")}, {"z": 1.0}, {"k": 1.0})
    pivots = Tolerances(rtol=1e-8, atol=1e-8, smallest_pivot=1e3)  # refuse what is good, to go the other way
    assert solve(lower(network), rows(network), np.array([2.0]), tolerances=pivots).repivoted.all()
    events = [Trigger("half", sym("z") - 0.5, [Bolus(0.0, "z", 1.0)], "down", 1)]
    found = go(network, events, [0.0, 2.0], tolerances=pivots)
    assert found.fired["half"][0, 0] == pytest.approx(np.log(2), rel=1e-6)
    assert found.y[0, -1, 0] == pytest.approx(1.5 * np.exp(-(2 - np.log(2))), rel=1e-6)


def test_a_lane_that_fails_says_when_and_after_what_and_the_others_go_on():
    burst = equations({"x": A * X * X}, {"x": 1.0}, {"a": 0.0})
    found = run(burst, rows(burst), TIMES, [Switch(2.0, "a", 1.0)])
    assert found.status[0] == march.FAILED and found.reached[0] == pytest.approx(3.0, abs=1e-2)
    assert "t = 2.99" in found.reason(0) or "t = 3" in found.reason(0)
    assert "last event was at t = 2" in found.reason(0)
    assert np.isfinite(found.y[0, TIMES < 3]).all() and np.isnan(found.y[0, TIMES > 3.01]).all()
    clocked = with_clock(burst)
    trigger = Trigger("two", sym("time") - 2.0, [Switch(0.0, "a", 1.0), Bolus(6.0, "x", 1.0)])
    found = run(clocked, rows(clocked), TIMES, [trigger])
    assert found.status[0] == march.FAILED and np.isnan(found.y[0, TIMES > 3.01]).all()
    lost = run(DRUG, rows(DRUG, k=np.array([0.5, 0.1])), TIMES, [Bolus(1.0, "x", log(K - 0.2))])
    assert lost.status[0] == march.DONE and lost.status[1] == march.FAILED and "event" in lost.reason(1)


def test_receptors_are_washed_by_an_event_as_by_a_new_start():
    """The protocol of a pulse and a wash, by an event and by two solutions with a hand-made start."""
    network = response("IL2")
    program = lower(network)
    p = rows(network, IL2_dose=1.0)
    names = program.parameters
    times = np.array([0.0, 10.0, 30.0, 45.0, 60.0])
    y = run(network, p, times, [Switch(30.0, "IL2_dose", 0.0)], program=program)
    assert y.status[0] == march.DONE
    first = solve(program, p, times[:3]).y
    after_wash = p.copy()
    after_wash[:, names.index("IL2_dose")] = 0.0
    second = solve(program, after_wash, times[3:] - 30.0, initial=first[:, -1]).y
    assert y.y[0].tobytes() == np.concatenate([first, second], axis=1)[0].tobytes()


# --- states -----------------------------------------------------------------------------------------------------------
EVENTS = [
    *repeated(Bolus(0.7, "x", np.array([4.0, 2.0])), np.array([2.0, 3.1]), 3), Infusion(3.0, 4.0, "x", amount=2.0),
    Switch(5.0, "k", 0.2), Trigger("low", X - 1.5, [Switch(0.0, "k", 0.4), Bolus(1.0, "x", 1.0)], "down", 3),
]  # fmt: skip


@given(st.integers(1, 47))
@examples(40)
def test_a_restart_has_the_bits_of_the_run_without_a_pause(tmp_path_factory, cut):
    path = tmp_path_factory.getbasetemp() / "state.npz"
    values = {"k": np.array([0.5, 0.9])}
    whole = go(FED, EVENTS, TIMES, values, Tolerances())
    first = go(FED, EVENTS, TIMES[:cut], values, Tolerances())
    first.state.save(path)
    rest = go(FED, EVENTS, TIMES[cut:], values, Tolerances(), initial=State.load(path))
    assert np.concatenate([first.y, rest.y], axis=1).tobytes() == whole.y.tobytes()
    for field in dataclasses.fields(State):
        one, other = (np.asarray(getattr(s, field.name)) for s in (whole.state, rest.state))
        if field.name != "stops":
            assert one.tobytes() == other.tobytes(), field.name
    assert whole.fired["low"].tobytes() == rest.fired["low"].tobytes()


@given(st.floats(0.0, 11.9))
@examples(20)
def test_a_restart_at_any_time_agrees_with_a_run_that_does_not_stop_there(at):
    values, tight = {"k": np.array([0.5, 0.9])}, Tolerances(rtol=1e-13, atol=1e-15)
    whole = go(FED, EVENTS, [12.0], values, tight)
    first = go(FED, EVENTS, [at], values, tight)
    rest = go(FED, EVENTS, [12.0], values, tight, initial=first.state)
    assert rest.y == pytest.approx(whole.y, rel=1e-11)


def test_a_restart_from_a_state_at_an_event_needs_no_steps_of_before():
    first = go(FED, EVENTS[3:5], [3.0])
    assert first.state.anchor_time[0] == 3.0 and (first.state.stops == 3.0).all()
    assert (first.state.anchor == first.state.y).all()
    rest = go(FED, EVENTS[3:5], [3.0, 12.0], initial=first.state)
    assert rest.y.tobytes() == go(FED, EVENTS[3:5], [3.0, 12.0]).y.tobytes()


def test_a_state_goes_on_with_other_parameters_from_where_it_is():
    first = go(DRUG, [Bolus(0.0, "x", 8.0)], [2.0])
    rest = go(DRUG, [Bolus(0.0, "x", 8.0)], [2.0, 4.0], {"k": 0.1}, initial=first.state)
    assert rest.y[0, :, 0] == pytest.approx(8 * np.exp(-1) * np.array([1, np.exp(-0.2)]), rel=1e-9)
    switched = go(DRUG, [Bolus(0.0, "x", 8.0), Switch(1.0, "k", 0.5)], [2.0]).state
    kept = go(DRUG, [], [4.0], {"k": 0.1}, initial=switched)
    assert kept.y[0, 0, 0] == pytest.approx(8 * np.exp(-2), rel=1e-9)


def test_a_failed_lane_stays_failed():
    burst = equations({"x": A * X * X}, {"x": 1.0}, {"a": 0.0})
    p = rows(burst, a=np.array([1.0, 0.01]))
    first = run(burst, p, TIMES[:20])
    rest = run(burst, p, TIMES[20:], initial=first.state)
    assert list(rest.status) == [march.FAILED, march.DONE] == list(first.status)
    assert np.isnan(rest.y[0]).all()


def test_states_of_other_networks_lanes_triggers_and_times_are_refused():
    state = go(FED, EVENTS, TIMES[:9], {"k": np.array([0.5, 0.9])}).state
    p = rows(FED, k=np.array([0.5, 0.9]))
    for network, lanes, events, times, words in (
        (DRUG, rows(DRUG, k=np.array([0.5, 0.9])), [], TIMES[9:], "another network"),
        (FED, p[:1], [], TIMES[9:], "2 lanes, not 1"),
        (FED, p, [], TIMES[9:], "other triggers"),
        (FED, p, EVENTS, TIMES, "before the time"),
    ):
        with pytest.raises(Il2Error, match=words):
            run(network, lanes, times, events, initial=state)


def damaged(path, how: str) -> None:
    raw = path.read_bytes()
    if how == "truncated":
        path.write_bytes(raw[: len(raw) // 2])
    elif how == "text":
        path.write_text("time,x\n0,1\n", encoding="utf-8")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif how == "flipped":
        path.write_bytes(raw[:200] + bytes(b ^ 0xFF for b in raw[200:400]) + raw[400:])
    else:
        with np.load(path) as file:
            held = dict(file)
        if how == "version":
            held["version"] = np.array(99)
        elif how == "format":
            held["format"] = np.array("another")
        elif how == "missing":
            del held["anchor"]
        elif how == "shape":
            held["y"] = held["y"][:, :-1]
        elif how == "kind":
            held["y"] = held["y"].astype(str)
        elif how == "pickle":
            held["y"] = np.array([{}], dtype=object)
        else:
            held["anchor_time"] = held["time"] + 1
        with path.open("wb") as file:
            np.savez(file, **held)


DAMAGE = "truncated text empty npy flipped version format missing shape kind pickle order"


@pytest.mark.parametrize("how", DAMAGE.split())
def test_a_damaged_or_foreign_file_is_one_error(tmp_path, how):
    path = tmp_path / "state.npz"
    go(FED, EVENTS, TIMES[:9], {"k": np.array([0.5, 0.9])}).state.save(path)
    damaged(path, how)
    with pytest.raises(Il2Error, match=r"state|version"):
        State.load(path)


def test_a_file_that_is_not_there_or_cannot_be_written(tmp_path):
    with pytest.raises(Il2Error, match="no such file"):
        State.load(tmp_path / "nothing.npz")
    with pytest.raises(Il2Error, match="cannot be written"):
        go(DRUG, [], [1.0]).state.save(tmp_path / "no" / "folder.npz")


# --- what is refused ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Bolus(0.0, "xx", 1.0), "unknown species 'xx'.*Did you mean 'x'"),
        (Bolus(-1.0, "x", 1.0), "the time is -1"),
        (Bolus(np.nan, "x", 1.0), "the time is nan"),
        (Bolus(1.0, "x", np.nan), "the amount is nan"),
        (Bolus(1.0, "x", np.inf), "the amount is inf"),
        (Bolus(1.0, "x", "much"), "the amount is 'much'"),
        (Bolus(1.0, "x", np.ones(3)), "shape"),
        (Bolus(1.0, "x", sym("kk")), "unknown name 'kk'.*Did you mean 'k'"),
        (Switch(1.0, "kk", 1.0), "unknown parameter 'kk'.*Did you mean 'k'"),
        (Switch(1.0, "start", 1.0), "initial values alone"),
        (Washout(1.0, ["x", "z"]), "unknown species 'z'"),
        (Exchange(1.0, {"x": 1.0}, 1.5), "fraction is above 1"),
        (Exchange(1.0, {"x": 1.0}, -0.5), "fraction is -0.5"),
        (Infusion(1.0, 0.0, "k", amount=1.0), "duration is zero"),
        (Infusion(1.0, 1.0, "k"), "amount or its rate"),
        (Infusion(1.0, 1.0, "k", amount=1.0, rate=1.0), "amount or its rate"),
        (Infusion(1.0, np.inf, "k", amount=1.0), "without end"),
        (Infusion(1.0, 1.0, "x", amount=1.0), "with_inputs"),
        (Infusion(1.0, 1.0, "kx", amount=1.0), "unknown species or parameter 'kx'"),
        (Interpolant("k", [0.0, 1.0], [1.0, 2.0]), "with_input"),
        (Trigger("t", X, [Bolus(0.0, "z", 1.0)]), "unknown species 'z'"),
        (Trigger("t", sym("z"), []), "unknown name 'z'"),
        (Trigger("t", X, [], "sideways"), "direction"),
        (Trigger("t", X, [], most=0), "most is 0"),
        (Trigger("t", X, [Trigger("u", X, [])]), "no event that can stand here"),
        (SteadyStart(0.0, []), "above zero"),
        (SteadyStart(1.0, [Bolus(1.5, "x", 1.0)]), "beyond the interval"),
        (SteadyStart(1.0, [Trigger("t", X, [])]), "cannot be repeated"),
        ("a dose", "no event"),
    ],
    ids=lambda v: v if isinstance(v, str) else title(v),
)
def test_mistakes_are_named(event, words):
    with pytest.raises(Il2Error, match=words) as caught:
        run(DRUG, rows(DRUG), TIMES, [event])
    assert caught.value.where


def test_mistakes_of_several_events_and_of_points():
    with pytest.raises(Il2Error, match="both switched and infused"):
        run(FED, rows(FED), TIMES, [Switch(1.0, input_rate("x"), 1.0), Infusion(2.0, 1.0, "x", rate=1.0)])
    with pytest.raises(Il2Error, match="two triggers"):
        run(DRUG, rows(DRUG), TIMES, [Trigger("t", X, []), Trigger("t", X, [])])
    with pytest.raises(Il2Error, match="one steady start"):
        run(DRUG, rows(DRUG), TIMES, [SteadyStart(1.0, []), SteadyStart(1.0, [])])
    for times, values, kind, words in (
        ([0.0, 0.0], [1.0, 2.0], "linear", "rise"), ([0.0, 1.0], [1.0, np.nan], "linear", "not finite"),
        ([0.0, 1.0], [1.0], "linear", "shapes"), ([0.0, 1.0], [1.0, 2.0], "linaer", "Did you mean 'linear'"),
        ([-1.0, 1.0], [1.0, 2.0], "pchip", "from 0"), ([], [], "pchip", "shapes"),
    ):  # fmt: skip
        with pytest.raises(Il2Error, match=words):
            run(VARIED, rows(VARIED), TIMES, [Interpolant("a", times, values, kind)])
    for times in ([1.0, 0.0], [-1.0], [np.nan], [[[1.0]]]):
        with pytest.raises(Il2Error, match="times"):
            run(DRUG, rows(DRUG), np.array(times))


@pytest.mark.parametrize("count", [0, -1, 1.5, "two"])
def test_counts_and_intervals_of_repeated_events(count):
    with pytest.raises(Il2Error, match="count"):
        repeated(Bolus(0.0, "x", 1.0), 1.0, count)
    with pytest.raises(Il2Error, match="Trigger of t has no time"):
        repeated(Trigger("t", X, []), 1.0, 2)
    for interval in (0.0, -1.0, np.nan, np.array([1.0, 0.0])):
        with pytest.raises(Il2Error, match="interval"):
            repeated(Bolus(0.0, "x", 1.0), interval, 2)


def test_networks_that_cannot_be_fed():
    with pytest.raises(ModelError, match="Did you mean 'x'"):
        with_inputs(DRUG, "X1")
    with pytest.raises(ModelError, match="no parameter 'kk'"):
        with_input(DRUG, "kk")
    with pytest.raises(ModelError, match="initial value of x"):
        with_input(DRUG, "start")
    with pytest.raises(ModelError, match="no compartment 'bocks'"):
        within(DRUG, "bocks")
    with pytest.raises(ModelError, match="compartment"):
        with_clock(Network("nothing"))
