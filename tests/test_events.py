"""Events: each kind against an analytic solution, nothing ahead of its time, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from dosing import DRUG, FED, TIMES, TWO, VARIED, A, K, X, after, binding, go, infused, rows, same_bits, x_of
from helpers import equations, examples
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from il2.engine import crossing, march
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
from il2.errors import Il2Error, ModelError
from il2.network.dimensions import check_units
from il2.network.expression import log, sym
from il2.network.network import Network
from il2.network.program import lower
from il2.receptor.membrane import MEDIUM
from il2.signalling.response import response


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
