"""The reference model of a tumour: published bifurcations and thresholds, roots by NumPy, courses by LSODA."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import prepare
from il2.engine.reduced import reduced
from il2.engine.steady import STEADY, UNSTABLE, Search, steady
from il2.errors import Il2Error
from il2.knowledge.quantity import quantity
from il2.knowledge.result import published
from il2.network.dimensions import check_units, time_unit
from il2.patient import tumour_measures
from il2.patient.bifurcation import bisect, fold, hopf, loss_of_stability, steady_states
from il2.patient.kirschner_panetta import (
    ANTIGENICITY,
    EFFECTORS,
    IL2,
    INFUSION,
    TRANSFER,
    TUMOUR,
    coexisting,
    cycle_onset,
    follow,
    infusion_threshold,
    intermediate_antigenicity,
    large_tumour_fold,
    logarithmic,
    model,
    small_tumour,
    transfer_threshold,
)
from il2.units import unit_text

MU2, P1, G1 = 0.03, 0.1245, 2e7
R2, B, A, G2 = 0.18, 1e-9, 1.0, 1e5
P2, G3, MU3 = 5.0, 1e3, 10.0


def rates(y: np.ndarray, c: float, s1: float = 0.0, s2: float = 0.0) -> np.ndarray:
    """The published equations over E, T, I, written anew."""
    e, t, i = y
    return np.array(
        [
            c * t - MU2 * e + P1 * e * i / (G1 + i) + s1,
            R2 * t * (1 - B * t) - A * e * t / (G2 + t),
            P2 * e * t / (G3 + t) - MU3 * i + s2,
        ]
    )


def log_rates(_t: float, y: np.ndarray, c: float, s1: float = 0.0) -> list[float]:
    """The same over log E, log T, I; the ratio T/E is taken in logarithms."""
    t, e, i = np.exp(y[1]), np.exp(y[0]), y[2]
    return [
        c * np.exp(y[1] - y[0]) - MU2 + P1 * i / (G1 + i) + s1 * np.exp(-y[0]),
        R2 * (1 - B * t) - A * e / (G2 + t),
        P2 * e * t / (G3 + t) - MU3 * i,
    ]


def roots(c: float) -> np.ndarray:
    """Tumours of all steady states from one polynomial: E and I are put in from the other two equations."""
    t = np.polynomial.Polynomial([0, 1])
    e = R2 / A * (1 - B * t) * (G2 + t)
    top, below = P2 * e * t, MU3 * (G3 + t)  # I = top / below
    whole = (c * t - MU2 * e) * (G1 * below + top) + P1 * e * top
    scaled = whole(np.polynomial.Polynomial([0, 1e4]))
    found = scaled.roots() * 1e4
    real = found.real[(np.abs(found.imag) < 1e-6 * np.abs(found)) & (found.real > 1)]
    return np.sort(real[real < 1 / B])


def test_networks_are_sound():
    for network in (model(), logarithmic()):
        check_units(network)
        assert unit_text(time_unit(network)) == "d"
    assert model().species_names == (EFFECTORS, TUMOUR, IL2)


@pytest.mark.parametrize(("c", "s1", "s2"), [(0.04, 0.0, 0.0), (1e-3, 300.0, 0.0), (0.02, 0.0, 1e7), (0.05, 50.0, 1e5)])
def test_rates_are_those_published_in_cells_and_in_logarithms(c, s1, s2):
    draw = np.random.default_rng(1)
    y = 10 ** draw.uniform([2, 2, 2], [7, 9, 8], (20, 3))
    given = {ANTIGENICITY: c, TRANSFER: s1, INFUSION: s2}
    expected = np.array([rates(state, c, s1, s2) for state in y])
    scale = np.abs(expected) + y  # terms cancel
    for network, states in ((model(), y), (logarithmic(), np.column_stack([np.log(y[:, :2]), y[:, 2]]))):
        equations = reduced(network)
        k = prepared(network, given, len(y))
        found = equations.rates(states, k)
        if network is logarithmic():
            found = found * np.column_stack([y[:, :2], np.ones(len(y))])
        assert np.abs((found - expected) / scale).max() < 1e-12


def prepared(network, given, lanes):
    rows = np.repeat(parameter_rows(network, given), lanes, axis=0)
    return prepare(reduced(network).program, rows)[0]


@pytest.mark.parametrize("c", [1e-6, 5e-5, 8.5e-5, 8.6e-5, 1e-3, 0.02, 0.04, 0.05])
def test_steady_states_are_the_roots_of_the_polynomial(c):
    found = np.sort([state.levels[TUMOUR] for state in coexisting(c)])
    assert found == pytest.approx(roots(c), rel=1e-5)
    for state in coexisting(c):
        y = np.array([state.levels[name] for name in (EFFECTORS, TUMOUR, IL2)])
        assert np.abs(rates(y, c) / (y * 0.01)).max() < 1e-6


@pytest.mark.parametrize("c", [5e-5, 1e-3, 0.02, 0.04])
def test_eigenvalues_are_those_of_finite_differences_and_of_logarithms(c):
    for state in coexisting(c):
        y = np.array([state.levels[name] for name in (EFFECTORS, TUMOUR, IL2)])
        matrix = np.zeros((3, 3))
        for i in range(3):
            step = np.zeros(3)
            step[i] = 1e-5 * y[i]
            matrix[:, i] = (rates(y + step, c) - rates(y - step, c)) / (2 * step[i])
        by_differences = np.linalg.eigvals(matrix)
        assert np.sort_complex(state.eigenvalues) == pytest.approx(np.sort_complex(by_differences), abs=1e-6)
        other = np.concatenate([np.log(y[:2]), y[2:]])[None]
        k = prepared(logarithmic(), {ANTIGENICITY: c}, 1)
        in_logs = np.linalg.eigvals(reduced(logarithmic()).jacobian(other, k)[0])
        assert np.sort_complex(state.eigenvalues) == pytest.approx(np.sort_complex(in_logs), abs=1e-9)


def test_T174_the_large_tumour_vanishes_in_a_fold():
    found, result = large_tumour_fold(), published()["T174"]
    assert 8.5e-5 < found.low < found.value < found.high < 8.6e-5 and found.high / found.low < 1 + 1e-5
    assert result.low <= found.value <= result.high
    assert len(found.below) == 3 and len(found.above) == 1
    node, saddle = sorted((s for s in found.below if s.levels[TUMOUR] > 5e8), key=lambda s: -s.levels[TUMOUR])
    assert node.stable and not saddle.stable
    assert abs(node.eigenvalues[0]) < 1e-4 > abs(saddle.eigenvalues[0])  # an eigenvalue goes through zero
    assert node.eigenvalues[1].real < -0.1
    assert not found.above[0].stable
    assert len(roots(found.low)) == 3 and len(roots(found.high)) == 1
    below = [s.levels[TUMOUR] for s in coexisting(8.0e-5) if s.stable]
    assert below == [pytest.approx(9.7e8, rel=0.01)]


def test_T174_steady_states_reached_in_time_agree():
    lanes = np.concatenate([parameter_rows(model(), {ANTIGENICITY: c}) for c in (5e-5, 8.5e-5, 0.04, 0.05)])
    near = np.array([[1e6, 9.9e8, 1e6], [5e6, 9.7e8, 2e6], [2e4, 1.6e4, 1e4], [2e4, 1.2e4, 1e4]])
    found = steady(model(), lanes, initial=near, search=Search(longest=1e5))
    assert (found.status == STEADY).all()
    expected = [max(s.levels[TUMOUR] for s in coexisting(c) if s.stable) for c in (5e-5, 8.5e-5, 0.04, 0.05)]
    assert found.y[:, 1] == pytest.approx(expected, rel=1e-6)
    saddle = coexisting(1e-3)[0]
    at = np.array([list(saddle.levels.values())])
    refused = steady(model(), parameter_rows(model(), {ANTIGENICITY: 1e-3}), initial=at, search=Search(longest=1e-3))
    assert refused.status[0] == UNSTABLE


def test_T175_cycles_begin_in_a_hopf_point():
    found = cycle_onset()
    assert 0.032 < found.low < found.high < 0.033
    assert found.value == pytest.approx(0.03246, rel=5e-4)
    unstable, stable = found.below[0], found.above[0]
    assert unstable.levels[TUMOUR] == pytest.approx(2.0e4, rel=0.01)
    assert unstable.levels[EFFECTORS] == pytest.approx(2.2e4, rel=0.02)
    assert not unstable.stable and stable.stable and stable.turns
    assert abs(stable.eigenvalues[0].real) < 1e-6 and abs(stable.eigenvalues[0].imag) > 0.05


@pytest.mark.parametrize(("share", "grows"), [(0.97, True), (1.03, False)])
def test_T175_small_deviations_grow_below_it_and_fade_above(share, grows):
    c = share * cycle_onset().value
    (state,) = coexisting(c)
    y = np.array([state.levels[name] for name in (EFFECTORS, TUMOUR, IL2)])
    start = [np.log(y[0]), np.log(y[1]) + 1e-3, y[2]]
    found = solve_ivp(log_rates, (0, 2500), start, "LSODA", args=(c,), rtol=1e-9, atol=1e-10, dense_output=True)
    swings = [np.ptp(found.sol(np.linspace(t, t + 100, 500))[1]) for t in (100, 2400)]
    assert (swings[1] > 1.5 * swings[0]) == grows and (swings[1] < swings[0] / 1.5) == (not grows)


@pytest.mark.parametrize(("c", "cells"), [(0.04, 1.56e4), (0.05, 1.21e4)])
def test_T176_small_tumour(c, cells):
    assert small_tumour(c) == pytest.approx(cells, rel=0.01)


def test_T177_transfer_threshold():
    analytic = R2 * G2 * MU2 / A
    for c in (None, 0.0, 0.001):
        found = transfer_threshold(c)
        assert found.low < analytic * (1 + 1e-5) and found.high > analytic * (1 - 1e-5)
        assert found.value == pytest.approx(540, rel=1e-5)
        assert not found.below[0].stable and found.above[0].stable
        assert found.above[0].levels[TUMOUR] == 0
        assert found.above[0].levels[EFFECTORS] == pytest.approx(540 / MU2, rel=1e-5)


@pytest.mark.parametrize(("transfer", "clears"), [(530.0, False), (550.0, True)])
def test_T177_a_transfer_below_fails_and_one_above_clears(transfer, clears):
    start = [np.log(transfer / MU2), 0.0, 0.0]  # the effectors of the state without a tumour, one tumour cell
    times = np.array([200.0, 400.0])
    found = solve_ivp(log_rates, (0, 400), start, "LSODA", times, args=(0.0, transfer), rtol=1e-9, atol=1e-9)
    assert (found.y[1, 1] < found.y[1, 0] < 0) == clears
    expected = found.y[1, 1] - found.y[1, 0]
    assert expected == pytest.approx(200 * (R2 - A * transfer / MU2 / G2), rel=0.01)


def test_T178_infusion_threshold():
    found = infusion_threshold()
    assert found.value == pytest.approx(6.349e7, rel=1e-4)
    assert found.value == pytest.approx(MU3 * G1 * MU2 / (P1 - MU2), rel=1e-5)
    assert found.below[0].stable and not found.above[0].stable


@pytest.mark.parametrize("c", [0.02, 0.01])
def test_T179_minima_below_one_cell_are_reported(c):
    found = follow(c, days=400.0)
    other = solve_ivp(log_rates, (0, 400), [0.0, 0.0, 0.0], "LSODA", found.days, args=(c,), rtol=1e-10, atol=1e-10)
    least = other.y[1][other.y[1].argmax() :].min() / np.log(10)
    assert found.least_log10 == pytest.approx(least, rel=1e-3) and least < -4
    assert found.below_one_cell and "below one cell" in found.note


def test_T179_above_the_onset_there_is_nothing_to_report():
    found = follow(0.04)
    assert not found.below_one_cell and found.note == ""
    assert found.log10_tumour[-1] == pytest.approx(np.log10(small_tumour(0.04)), abs=0.01)
    assert large_tumour_fold().value < intermediate_antigenicity() < cycle_onset().value


def test_measures_of_targets():
    found = {
        "T174": tumour_measures.tumour_fold({"id": "T174"}),
        "T175": tumour_measures.tumour_cycle_onset({"id": "T175"}),
        "T176": tumour_measures.stable_small_tumour({"id": "T176", "with": "0.04"}),
        "T177": tumour_measures.effector_transfer_threshold({"id": "T177"}),
        "T178": tumour_measures.IL2_infusion_threshold({"id": "T178"}),
    }
    for name, value in found.items():
        assert published()[name].low <= float(f"{value:.3g}") <= published()[name].high
    assert tumour_measures.large_tumour({"id": "T174", "with": "8e-5"}) == pytest.approx(9.7e8, rel=0.01)
    assert tumour_measures.large_tumour({"id": "T174", "with": "0.001"}) == 0
    assert tumour_measures.least_tumour({"id": "T179"}) < -100
    assert {f.__name__ for f in tumour_measures.MEASURES} >= {"tumour_fold", "least_tumour"}


def test_the_table_holds_the_published_set():
    names = {"effector_death": MU2, "effector_growth": P1, "effector_growth_half_saturation": G1, "tumour_growth": R2,
             "inverse_capacity": B, "kill_rate": A, "kill_half_saturation": G2, "IL2_production": P2,
             "IL2_production_half_saturation": G3, "IL2_loss": MU3}  # fmt: skip
    assert {name: quantity(f"Kirschner_Panetta_{name}").value for name in names} == names


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: small_tumour(5e-3), "0 stable tumours at an antigenicity of 0.005"),
        (lambda: fold(coexisting, 1e-3, 1e-2), "nothing changes between 0.001 and 0.01"),
        (lambda: bisect(bool, 0.0, 1.0), "0 to 1 is no bracket"),
        (lambda: loss_of_stability(coexisting, 5e-5, 0.04), "3 steady states at 5e-05"),
        (lambda: tumour_measures.large_tumour({"id": "T174a", "with": "much"}), "T174a: no antigenicity in 'much'"),
    ],
)
def test_refused(call, message):
    with pytest.raises(Il2Error, match=message):
        call()


def test_a_loss_of_stability_without_oscillation_is_no_hopf_point():
    start = np.array([[1.0, 0.0, 0.0]])

    def without_tumour(transfer: float):
        return steady_states(reduced(model()), parameter_rows(model(), {TRANSFER: transfer})[0], start)

    with pytest.raises(Il2Error, match="no oscillation begins at 540"):
        hopf(without_tumour, 100.0, 1000.0)
