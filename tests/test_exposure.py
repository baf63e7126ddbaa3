"""Non-compartmental analysis: another package, exact solutions, quadrature, rules for low levels, refusals."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from il2.errors import Il2Error
from il2.patient.exposure import ROUTES, accumulation, dosing_interval, exposure, terminal
from il2.patient.sampled import BELOW_LIMIT, METHODS, course, segments

REFERENCE = Path(__file__).parent / "reference"
DOSE, INFUSION = 50.0, 0.25  # of the reference profiles
DAYS = np.array([0.0, 0.1, 0.3, 0.7, 1.0, 1.6, 2.5, 4.0, 6.0])


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def profiles() -> dict[str, np.ndarray]:
    """Times and levels (2, times) by name."""
    out = defaultdict(list)
    for row in rows("exposure_profiles"):
        out[row["profile"]].append((float(row["time_d"]), float(row["level_nM"])))
    return {name: np.array(points).T for name, points in out.items()}


def single_dose(row: dict[str, str], times: np.ndarray, level: np.ndarray) -> float:
    found = exposure(
        times, level, DOSE, route=row["route"], infusion_d=INFUSION if row["route"] == "infusion" else 0.0,
        method=row["method"], limit_nM=float(row["limit_nM"]), below="ICH_M13A", peak_in_terminal=row["peak"] == "1",
    )  # fmt: skip
    return float(getattr(found, row["name"]) if hasattr(found, row["name"]) else getattr(found.terminal, row["name"]))


def seventh_interval(row: dict[str, str], times: np.ndarray, level: np.ndarray) -> float:
    last = dosing_interval(times, level, 6.0, 1.0, method=row["method"])
    if row["name"].endswith("_ratio"):
        first = dosing_interval(times, level, 0.0, 1.0, method=row["method"])
        return float(getattr(accumulation(first, last), row["name"].removesuffix("_ratio")))
    return float(getattr(last, row["name"]))


@pytest.mark.parametrize("package", ["pkpdutils", "pynca"])
def test_another_package_gives_the_same(package):
    of, seen = profiles(), set()
    for row in rows("exposure_values"):
        if row["package"] == package:
            measure = seventh_interval if row["profile"] == "repeated" else single_dose
            value = measure(row, *of[row["profile"]])
            assert value == pytest.approx(float(row["value"]), rel=1e-9), row
            seen.add((row["profile"], row["name"]))
    assert len(seen) >= {"pkpdutils": 70, "pynca": 30}[package]


def test_one_compartment_after_a_bolus_is_exact():
    rate, volume = 0.8, 6.0
    found = exposure(DAYS[1:], DOSE / volume * np.exp(-rate * DAYS[1:]), DOSE, route="bolus")
    assert found.level_at_dose_nM == pytest.approx(DOSE / volume, rel=1e-12)
    assert found.auc == pytest.approx(DOSE / (rate * volume), rel=1e-12)
    assert found.extrapolated_share == pytest.approx(np.exp(-rate * DAYS[-1]), rel=1e-9)
    assert found.terminal.half_life_d == pytest.approx(np.log(2) / rate, rel=1e-12)
    assert found.clearance_L_per_d == pytest.approx(rate * volume, rel=1e-12)
    assert found.residence_d == pytest.approx(1 / rate, rel=1e-12)
    assert found.volume_z_L == pytest.approx(volume, rel=1e-12)
    assert found.volume_steady_L == pytest.approx(volume, rel=1e-12)


def test_two_compartments_after_a_bolus():
    k10, k12, k21, volume = 2.0, 1.5, 0.9, 4.0
    total, product = k10 + k12 + k21, k10 * k21
    fast, slow = ((total + sign * np.sqrt(total**2 - 4 * product)) / 2 for sign in (1, -1))
    a, b = (fast - k21) / (fast - slow), (k21 - slow) / (fast - slow)
    days = np.concatenate([np.linspace(0, 3, 601), np.linspace(3, 25, 221)[1:]])
    level = DOSE / volume * (a * np.exp(-fast * days) + b * np.exp(-slow * days))
    found = exposure(days, level, DOSE, route="bolus")
    assert found.terminal.rate_per_d == pytest.approx(slow, rel=5e-3)  # the window reaches into the first phase
    assert found.clearance_L_per_d == pytest.approx(k10 * volume, rel=1e-4)
    assert found.volume_steady_L == pytest.approx(volume * (1 + k12 / k21), rel=1e-3)
    assert found.volume_z_L == pytest.approx(k10 * volume / slow, rel=5e-3)
    assert found.volume_z_L > found.volume_steady_L > volume


def test_an_infusion_takes_half_its_length_off_the_residence():
    rate, volume, lasting = 1.2, 5.0, 0.5
    days = np.concatenate([np.linspace(0, lasting, 41), np.linspace(lasting, 8, 161)[1:]])
    during = (1 - np.exp(-rate * np.minimum(days, lasting))) * np.exp(-rate * np.maximum(days - lasting, 0))
    level = DOSE / lasting / (rate * volume) * during
    found = exposure(days, level, DOSE, route="infusion", infusion_d=lasting)
    assert found.peak_at_d == lasting
    assert found.residence_d == pytest.approx(1 / rate, rel=1e-3)
    assert found.volume_steady_L == pytest.approx(volume, rel=1e-3)
    assert found.terminal.from_d > lasting


def test_after_absorption_the_residence_holds_it_too():
    rise, fall, volume = 6.0, 0.7, 3.0
    days = np.linspace(0, 12, 961)
    level = DOSE / volume * rise / (rise - fall) * (np.exp(-fall * days) - np.exp(-rise * days))
    found = exposure(days, level, DOSE)
    assert found.peak_at_d == pytest.approx(np.log(rise / fall) / (rise - fall), abs=0.0125)
    assert found.residence_d == pytest.approx(1 / rise + 1 / fall, rel=1e-3)
    assert found.clearance_L_per_d == pytest.approx(fall * volume, rel=1e-4)
    assert np.isnan(found.volume_steady_L) and np.isnan(found.level_at_dose_nM)


def test_repeated_boluses_accumulate_as_superposition_says():
    rate, tau, volume, doses = 0.5, 1.0, 4.0, 40
    days = np.arange(doses * 10 + 1) / 10
    at_end = np.nextafter(np.arange(1, doses + 1) * tau, 0)  # just before a dose
    days = np.union1d(days, at_end)
    given = np.floor(days / tau).clip(max=doses - 1)
    level = DOSE / volume * np.exp(-rate * (days - given * tau))
    level = level * (1 - np.exp(-rate * tau * (given + 1))) / (1 - np.exp(-rate * tau))
    first = dosing_interval(days, level, 0.0, at_end[0])
    start = (doses - 1) * tau
    last = dosing_interval(days, level, start, at_end[-1] - start)
    by = accumulation(first, last)
    expected = 1 / (1 - np.exp(-rate * tau))
    assert by.auc == pytest.approx(expected, rel=1e-8) == by.peak
    assert by.trough == pytest.approx(expected, rel=1e-8)
    assert last.mean_nM == pytest.approx(DOSE / (rate * volume * tau), rel=1e-8)
    assert last.swing == pytest.approx(np.exp(rate * tau) - 1, rel=1e-8)
    assert last.fluctuation == pytest.approx(rate * tau, rel=1e-8)


def test_ends_of_an_interval_between_samples():
    level = 3 * np.exp(-0.4 * DAYS)
    found = dosing_interval(DAYS, level, 0.2, 1.9)
    assert found.auc == pytest.approx(3 / 0.4 * (np.exp(-0.08) - np.exp(-0.84)), rel=1e-12)
    assert found.trough_nM == pytest.approx(3 * np.exp(-0.84), rel=1e-12) == found.lowest_nM
    assert found.peak_nM == pytest.approx(3 * np.exp(-0.08), rel=1e-12) and found.peak_at_d == 0


@given(
    levels=st.lists(st.floats(0, 1e4, allow_subnormal=False), min_size=9, max_size=9), method=st.sampled_from(METHODS)
)
@settings(max_examples=40, deadline=None)
def test_areas_are_integrals_of_the_course_between_samples(levels, method):
    level = np.array(levels).round(6)
    area, moment = (part[1:] for part in segments(course(DAYS, level), method))

    def between(t: float, i: int) -> float:
        (a, b), share = level[i : i + 2], (t - DAYS[i]) / (DAYS[i + 1] - DAYS[i])
        if method == METHODS[0] and 0 < b < a:
            return a ** (1 - share) * b**share
        return a + share * (b - a)

    for i in range(8):
        whole = quad(between, DAYS[i], DAYS[i + 1], args=(i,))[0]
        assert area[i] == pytest.approx(whole, rel=1e-6, abs=1e-9)
        if method == METHODS[0] and 0 < level[i + 1] < level[i]:  # the linear rule is no integral of the moment
            whole = quad(lambda t, i=i: t * between(t, i), DAYS[i], DAYS[i + 1])[0]
            assert moment[i] == pytest.approx(whole, rel=1e-6, abs=1e-9)


def test_a_level_that_hardly_falls_keeps_its_moment():
    for fall in 10.0 ** np.arange(-15, -1):
        level = 2 * np.exp(-fall * DAYS)
        moment = segments(course(DAYS, level), METHODS[0])[1].sum()
        by_series = 2 * sum((-fall) ** n * DAYS[-1] ** (n + 2) / (n + 2) / np.prod(np.arange(1, n + 1)) for n in (0, 1))
        assert moment == pytest.approx(by_series, rel=max(1e-6, (fall * DAYS[-1]) ** 2)) or fall * DAYS[-1] > 0.3


def test_lanes_are_those_of_each_alone_and_scale():
    draw = np.random.default_rng(2)
    shape = np.exp(-0.9 * DAYS) - np.exp(-9 * DAYS)
    level = shape * np.exp(draw.normal(0, 0.2, (3, 4, len(DAYS))))
    level[0, 0, -1] = 0.0
    for route in ROUTES:
        extra = {"route": route, "infusion_d": 0.2 if route == "infusion" else 0.0}
        every = exposure(DAYS, level, np.full((3, 4), DOSE), **extra)
        one, twice = exposure(DAYS, level[1, 2], DOSE, **extra), exposure(DAYS, 2 * level[1, 2], DOSE, **extra)
        for f in fields(every):
            if f.name != "terminal":
                assert getattr(every, f.name).shape == (3, 4)
                np.testing.assert_array_equal(getattr(every, f.name)[1, 2], getattr(one, f.name))
        assert twice.auc == pytest.approx(2 * one.auc) and twice.residence_d == pytest.approx(one.residence_d)
        assert twice.terminal.rate_per_d == pytest.approx(one.terminal.rate_per_d)
        linear = exposure(DAYS, level, DOSE, method="linear", **extra)
        assert (linear.auc_last >= every.auc_last).all()  # a chord lies above a falling exponential


def test_the_terminal_window_leaves_a_distribution_phase_and_takes_more_points_of_equal_ones():
    days = np.arange(10.0)
    level = 20 * np.exp(-2.5 * days) + 5 * np.exp(-0.3 * days)
    level[0] = 0.0
    found = terminal(course(days, level))
    assert found.rate_per_d == pytest.approx(0.3, rel=0.02) and 5 <= found.points <= 8
    straight = terminal(course(days, 5 * np.exp(-0.3 * days)))
    assert straight.points == 9 and straight.from_d == 1 and straight.adjusted_r2 == pytest.approx(1)
    assert straight.half_lives == pytest.approx(8 * 0.3 / np.log(2))
    assert terminal(course(days, 5 * np.exp(-0.3 * days)), with_peak=True).points == 10
    infused = course(days, 5 * np.exp(-0.3 * np.abs(days - 2)))
    assert terminal(infused, after_d=2.0, with_peak=True).from_d == 3  # the end of the infusion is left out


@pytest.mark.parametrize(
    "level",
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
        [0, 1, 2, 3, 4, 5, 6, 5, 4],
        [0, 3, 1, 1, 1, 1, 1, 1, 1],
        [0, 9, 1, 2, 3, 4, 5, 6, 7],
    ],
)
def test_without_a_falling_terminal_phase_what_rests_on_it_is_unknown(level):
    found = exposure(DAYS, np.array(level, float), DOSE)
    assert np.isfinite(found.auc_last) and found.peak_nM == max(level)
    for value in (found.auc, found.terminal.half_life_d, found.clearance_L_per_d, found.volume_z_L, found.residence_d):
        assert np.isnan(value)


def test_rules_for_levels_below_the_limit():
    days = np.arange(9.0)
    level = np.array([0.02, 0.4, 4.0, 2.0, 0.05, 1.0, 0.5, 0.03, 0.02])
    used = {rule: course(days, level, 0.1, rule) for rule in BELOW_LIMIT}
    assert [list(np.flatnonzero(c.used)) for c in used.values()] == [
        [1, 2, 3, 5, 6], [0, 1, 2, 3, 5, 6], [0, 1, 2, 3, 5, 6, 7, 8],
    ]  # fmt: skip
    assert all((c.level_nM[c.used & ~c.measurable] == 0).all() for c in used.values())
    found = {rule: exposure(days, level, DOSE, limit_nM=0.1, below=rule) for rule in BELOW_LIMIT}
    assert {float(f.last_nM) for f in found.values()} == {0.5}
    assert found["ICH_M13A"].auc_last == found["zero_then_drop"].auc_last  # what is after the last one counts nowhere
    assert found["ICH_M13A"].terminal.points == 3
    bare = exposure(days[[0, 1, 2, 3, 5, 6]], np.where(level < 0.1, 0, level)[[0, 1, 2, 3, 5, 6]], DOSE)
    assert bare.auc_last == found["ICH_M13A"].auc_last and bare.auc == found["ICH_M13A"].auc
    nothing = exposure(days, level, DOSE, limit_nM=10.0)
    assert np.isnan(nothing.peak_nM) and np.isnan(nothing.auc) and nothing.auc_last == 0


def test_back_to_the_dose_of_a_bolus():
    rising = exposure(DAYS[1:], np.array([2.0, 3, 2, 1.5, 1, 0.6, 0.3, 0.1]), DOSE, route="bolus")
    assert rising.level_at_dose_nM == 2.0
    sampled = exposure(DAYS, 3 * np.exp(-DAYS), DOSE, route="bolus")
    assert sampled.level_at_dose_nM == pytest.approx(3.0)
    before = exposure(DAYS, np.where(DAYS == 0, 0, 3 * np.exp(-DAYS)), DOSE, route="bolus")  # sampled before the dose
    assert before.auc == pytest.approx(3.0, rel=1e-12)


LEVEL = 3 * np.exp(-DAYS)


def changed(place: int, value: float, of: np.ndarray = LEVEL) -> np.ndarray:
    return np.where(np.arange(len(of)) == place, value, of)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: exposure(DAYS, changed(2, np.nan)), "level 3 is not a number: nan. Leave the sample out"),
        (lambda: exposure(DAYS, np.stack([LEVEL, changed(2, -1.0)])), "level 3 of lane 1 is negative: -1"),
        (lambda: exposure(changed(3, np.inf, DAYS), LEVEL), "time 4 is not a number"),
        (lambda: exposure(changed(0, -1.0, DAYS), LEVEL), "time 1 is before the dose: -1"),
        (lambda: exposure(changed(3, 0.3, DAYS), LEVEL), "time 4 is not after the one before: 0.3. Sort"),
        (lambda: exposure(DAYS[:2], LEVEL[:2]), "2 samples are too few. Give at least 3"),
        (lambda: exposure(DAYS, LEVEL[:4]), r"times have shape \(9,\) and levels \(4,\)"),
        (lambda: exposure(DAYS, LEVEL, 0.0), "a dose is not above 0"),
        (lambda: exposure(DAYS, LEVEL, limit_nM=-1), "limit of quantification is -1"),
        (lambda: exposure(DAYS, LEVEL, below="zero"), "unknown rule for levels below the limit 'zero'"),
        (lambda: exposure(DAYS, LEVEL, route="iv"), "unknown route 'iv'"),
        (lambda: exposure(DAYS, LEVEL, method="log"), "unknown method 'log'"),
        (lambda: exposure(DAYS, LEVEL, route="infusion"), "route is infusion and the infusion lasts 0"),
        (lambda: exposure(DAYS, LEVEL, infusion_d=1.0), "nothing else, has a length"),
        (lambda: dosing_interval(DAYS, LEVEL, 0, 0), "the interval is 0 d"),
        (lambda: dosing_interval(DAYS, LEVEL, 5, 2), "from 5 to 7 d reaches outside the samples, which go from 0 to 6"),
        (lambda: dosing_interval(DAYS[1:], LEVEL[1:], 0, 1), "reaches outside the samples"),
    ],
)
def test_refused(call, message):
    with pytest.raises(Il2Error, match=message):
        call()
