"""Triggers: when they fire, how exactly, and how often."""

from __future__ import annotations

import numpy as np
import pytest
from dosing import DRUG, FALL, FED, TIGHT, TIMES, TWO, A, K, V, X, Y, binding, go, infused, rows, x_of
from helpers import equations, examples
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from stiff import robertson

from il2.engine import march
from il2.engine.crossing import located
from il2.engine.event import (
    Bolus,
    Exchange,
    Infusion,
    Switch,
    Trigger,
    Washout,
)  # fmt: skip
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.network.expression import log, num, sym


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
