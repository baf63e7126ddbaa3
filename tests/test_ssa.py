"""Stochastic simulation: exact distributions, second opinions, same bits, resumed runs, statuses of single lanes.

Seeds are fixed. Bounds on means and variances are 4 standard errors, distributions are tested at p > 0.001.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from il2.engine import philox, ssa_driver
from il2.engine.hybrid import lower_hybrid, simulate_hybrid
from il2.engine.solve import Tolerances, solve
from il2.engine.ssa import State, Trajectories, simulate
from il2.errors import Il2Error, ModelError
from il2.network.conserve import conservation_laws
from il2.network.expression import as_expr, evaluate, exp, log, num, sym
from il2.network.network import Compartment, Network, Parameter, Reaction, Species, check, reaction
from il2.network.program import lower
from il2.network.propensity import lower_jumps, propensity

X = sym("X")
LANES = 20_000


def network(start: Mapping[str, float], values: Mapping[str, float], *reactions: Reaction) -> Network:
    """Species with their initial counts, parameters, reactions."""
    species = tuple(Species(name, "box", num(n)) for name, n in start.items())
    parameters = tuple(Parameter(name, value, "1/min") for name, value in values.items())
    return check(Network("jumps", (Compartment("box", 3),), species, parameters, (), reactions))


BIRTH_DEATH = network(
    {"X": 0}, {"make": 10.0, "lose": 0.5}, reaction("birth", [], ["X"], "make"), reaction("death", ["X"], [], "lose")
)
DIMER = network(
    {"A": 30, "B": 0}, {"bind": 0.01, "part": 0.5}, reaction("dimer", ["A", "A"], ["B"], sym("bind"), sym("part"))
)
BURST = network(
    {"off": 1, "on": 0, "M": 0},
    {"k_on": 0.3, "k_off": 0.6, "make": 20.0, "lose": 1.0},
    reaction("switch", ["off"], ["on"], "k_on", "k_off"),
    reaction("transcribe", ["on"], ["on", "M"], "make"),
    reaction("decay", ["M"], [], "lose"),
)
CHAIN = network(
    {"A": 40, "B": 5, "C": 0},
    {"a": 0.4, "b": 0.03, "c": 0.2, "d": 3.0},
    reaction("ab", ["A"], ["B"], "a", "c"),
    reaction("abc", ["A", "B"], ["C"], "b"),
    reaction("in", [], ["B"], "d"),
)
LOSE = network({"X": 1}, {"lose": 0.7}, reaction("death", ["X"], [], "lose"))


def run(model: Network, times: Sequence[float], lanes: int = LANES, **options) -> Trajectories:
    """Simulate the defaults of a network; every lane must succeed."""
    found = simulate(model, None, np.array(times), lanes=lanes, **options)
    assert not found.status.any(), found.reason(int(np.flatnonzero(found.status)[0]))
    return found


def assert_moments(sample: np.ndarray, mean: float, variance: float) -> None:
    """Mean and variance within 4 standard errors, the latter with the fourth moment of the sample."""
    n = len(sample)
    fourth = np.mean((sample - sample.mean()) ** 4)
    assert abs(sample.mean() - mean) < 4 * np.sqrt(variance / n)
    assert abs(sample.var() - variance) < 4 * np.sqrt((fourth - variance**2) / n)


def assert_distribution(sample: np.ndarray, probability: np.ndarray) -> None:
    """Chi-square of whole numbers against their probabilities; cells that expect under 10 are joined at either end."""
    expected = len(sample) * probability
    seen = np.bincount(sample.astype(int), minlength=len(expected))[: len(expected)].astype(float)
    keep = np.flatnonzero(expected >= 10)
    inner = slice(keep[0], keep[-1] + 1)
    cells = [
        np.concatenate([[table[: keep[0]].sum()], table[inner], [total - table[: keep[-1] + 1].sum()]])
        for table, total in ((seen, len(sample)), (expected, len(sample)))
    ]
    used = cells[1] > 1
    statistic = ((cells[0] - cells[1])[used] ** 2 / cells[1][used]).sum()
    assert stats.chi2.sf(statistic, used.sum() - 1) > 1e-3


# --- random numbers ---------------------------------------------------------------------------------------------
def general_philox(counter: int, key: int, bits: int) -> list[int]:
    """Philox-4 with words of 32 or 64 bits, in whole numbers, as the paper writes it."""
    multipliers = {32: (0xD2511F53, 0xCD9E8D57), 64: (0xD2E7470EE14C6C93, 0xCA5A826395121157)}[bits]
    weyl = {32: (0x9E3779B9, 0xBB67AE85), 64: (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)}[bits]
    mask = (1 << bits) - 1
    c = [(counter >> bits * i) & mask for i in range(4)]
    k = [key & mask, key >> bits]
    for _ in range(10):
        p0, p1 = multipliers[0] * c[0], multipliers[1] * c[2]
        c = [(p1 >> bits) ^ c[1] ^ k[0], p1 & mask, (p0 >> bits) ^ c[3] ^ k[1], p0 & mask]
        k = [(a + w) & mask for a, w in zip(k, weyl, strict=True)]
    return c


@pytest.mark.parametrize(("counter", "key"), [(1, 0), (2**200 + 7, 2**100 + 3), (0x243F6A88 << 96 | 5, 0xA4093822)])
def test_the_written_out_philox_is_numpys_at_64_bits(counter: int, key: int) -> None:
    generator = np.random.Philox(counter=counter - 1, key=key)
    assert general_philox(counter, key, 64) == generator.random_raw(4).tolist()


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        (0, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (2**128 - 1, 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (0x0370734413198A2E85A308D3243F6A88, 0x299F31D0A4093822, "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_known_answers_at_32_bits(counter: int, key: int, expected: str) -> None:
    found = philox.words(key, np.array(counter >> 64, np.uint64), np.array(counter % 2**64, np.uint64))
    assert " ".join(f"{w:08x}" for w in found) == expected
    assert found.tolist() == general_philox(counter, key, 32)


def test_generated_code_draws_the_same_numbers_and_takes_their_logarithm() -> None:
    streams = np.concatenate([np.arange(5000), np.arange(2**40, 2**40 + 5000)])
    found = simulate(LOSE, None, np.array([1e6]), seed=2**63 + 17, lanes=streams)
    first, _ = philox.uniforms(2**63 + 17, streams, 0)
    assert np.allclose(found.state.time, -np.log(first) / 0.7, rtol=1e-15, atol=0)


def test_uniform_numbers_are_uniform_and_open_where_they_must_be() -> None:
    first, second = philox.uniforms(3, np.arange(1000)[:, None], np.arange(100))
    for u in (first, second):
        assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-3
    assert 0 < first.min() and first.max() < 1 and second.min() >= 0 and second.max() < 1


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_out_of_range(seed: int) -> None:
    with pytest.raises(Il2Error, match="seed"):
        simulate(LOSE, None, np.array([1.0]), seed=seed)


# --- propensities -------------------------------------------------------------------------------------------------
K, A, B = sym("k"), sym("A"), sym("B")


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (K * A, K * A),
        (K * A * A, K * A * (A - 1)),
        (2 * K * A**3 * B, 2 * K * A * (A - 1) * (A - 2) * B),
        (K**2 * A * A + K * B, K**2 * A * (A - 1) + K * B),
        (K * A * (A - 1), K * A * (A - 1)),
        (K * A**2 - K * A, K * A**2 - K * A),
        (K * A**2 / (1 + A**2), K * A**2 / (1 + A**2)),
        (K * A**1.5, K * A**1.5),
        (exp(A), exp(A)),
    ],
)
def test_propensity_of_a_rate_law(law, expected) -> None:
    found = propensity(law, {"A", "B"})
    for a, b in ((0.0, 3.0), (1.0, 2.0), (2.0, 0.0), (7.0, 5.0)):
        values = {"A": a, "B": b, "k": 1.7}
        assert evaluate(found, values) == pytest.approx(evaluate(expected, values), rel=1e-15)


def test_forward_and_reverse_are_jumps_of_their_own() -> None:
    jumps = lower_jumps(DIMER)
    assert jumps.names == ("dimer", "reverse of dimer")
    assert jumps.change == (((0, -2), (1, 1)), ((0, 2), (1, -1)))
    assert jumps.unguarded == ()


def test_which_species_a_jump_may_take_below_zero() -> None:
    lossy = network({"X": 5, "Y": 5}, {"k": 1.0}, Reaction("off", {"X": -2, "Y": -1}, sym("k") * X * sym("Y")))
    assert lower_jumps(lossy).unguarded == (0,)


def test_a_concentration_is_refused() -> None:
    model = replace(LOSE, species=(Species("X", "box", num(1.0), "nM"),))
    with pytest.raises(ModelError, match="'X' is in nM, not a count"):
        simulate(model, None, np.array([1.0]))


def test_a_network_without_change_is_refused() -> None:
    with pytest.raises(ModelError, match="no reaction changes"):
        lower_jumps(network({"X": 1}, {"k": 1.0}, reaction("idle", ["X"], ["X"], "k")))


# --- exact results ------------------------------------------------------------------------------------------------
def test_birth_death_is_poisson_at_all_times() -> None:
    times = [0.0, 0.5, 2.0, 20.0]
    found = run(BIRTH_DEATH, times)
    assert not found.of("X")[:, 0].any()
    for i, t in enumerate(times[1:], 1):
        mean = 20.0 * (1 - np.exp(-0.5 * t))
        assert_moments(found.of("X")[:, i], mean, mean)
        assert_distribution(found.of("X")[:, i], stats.poisson.pmf(np.arange(80), mean))


def test_dimerisation_by_enumeration() -> None:
    """Detailed balance: p(b + 1)/p(b) = bind a (a - 1) / (part (b + 1)) with a = 30 - 2 b."""
    b = np.arange(16)
    a = 30 - 2 * b
    weight = np.cumprod(np.concatenate([[1.0], (0.01 * a * (a - 1))[:-1] / (0.5 * (b[:-1] + 1))]))
    probability = weight / weight.sum()
    found = run(DIMER, [40.0]).of("B")[:, 0]
    mean = probability @ b
    assert_moments(found, mean, probability @ b**2 - mean**2)
    assert_distribution(found, probability)


def test_two_state_bursting() -> None:
    """Stationary mean and Fano factor 1 + make k_off / ((k_on + k_off)(k_on + k_off + lose))."""
    found = run(BURST, [40.0], 2 * LANES).of("M")[:, 0]
    mean = 20.0 * 0.3 / 0.9
    assert_moments(found, mean, mean * (1 + 20.0 * 0.6 / (0.9 * 1.9)))


def test_waiting_times_are_exponential() -> None:
    found = run(LOSE, [1e6])
    assert (found.events == 1).all()
    assert stats.kstest(found.state.time, "expon", (0, 1 / 0.7)).pvalue > 1e-3


def test_the_choice_of_the_reaction_follows_the_propensities() -> None:
    rates = {"a": 1.0, "b": 2.0, "c": 0.0, "d": 5.0}
    model = network({"X": 1, **dict.fromkeys("ABCD", 0)}, rates,
                    *(reaction(k, ["X"], [k.upper()], k) for k in rates))  # fmt: skip
    ends = run(model, [1e6]).counts[:, 0, 1:].sum(axis=0)
    assert ends[2] == 0
    assert stats.chisquare(ends[[0, 1, 3]], LANES * np.array([1, 2, 5]) / 8).pvalue > 1e-3


def test_mean_of_a_linear_network_is_that_of_its_equations() -> None:
    times = np.array([0.5, 2.0, 8.0])
    found = run(BURST, list(times))
    program = lower(BURST)
    expected = solve(program, np.array([list(BURST.defaults().values())]), times).y[0]
    error = found.counts.std(axis=0) / np.sqrt(LANES)
    assert (np.abs(found.counts.mean(axis=0) - expected) < 4 * error + 1e-5).all()


def gillespie(rng: np.random.Generator, times: Sequence[float]) -> np.ndarray:
    """CHAIN once more, written out by hand."""
    change = np.array([[-1, 1, 0], [1, -1, 0], [-1, -1, 1], [0, 1, 0]])
    x, t, out = np.array([40, 5, 0]), 0.0, []
    for due in times:
        while True:
            a = np.array([0.4 * x[0], 0.2 * x[1], 0.03 * x[0] * x[1], 3.0])
            then = t + rng.exponential(1 / a.sum())
            if then > due:
                t = due  # the next waiting time has no memory of the past
                break
            t, x = then, x + change[np.searchsorted(np.cumsum(a), rng.random() * a.sum(), side="right")]
        out.append(x)
    return np.array(out)


def test_a_second_opinion_in_plain_numpy() -> None:
    times = [0.5, 3.0]
    rng = np.random.default_rng(5)
    other = np.array([gillespie(rng, times) for _ in range(1500)])
    found = run(CHAIN, times).counts
    for i in range(len(times)):
        for s in range(3):
            a, b = found[:, i, s], other[:, i, s]
            assert abs(a.mean() - b.mean()) < 4 * np.sqrt(a.var() / len(a) + b.var() / len(b))
            fourth = np.mean((a - a.mean()) ** 4) - a.var() ** 2
            assert abs(a.var() - b.var()) < 4 * np.sqrt(fourth * (1 / len(a) + 1 / len(b)))


def test_conservation_in_every_trajectory() -> None:
    model = network(
        {"A": 30, "B": 20, "C": 4, "D": 0}, {"k": 0.02, "r": 0.3},
        reaction("dimer", ["A", "A"], ["B"], "k", "r"), reaction("bind", ["B", "C"], ["D"], "k", "r"),
    )  # fmt: skip
    laws = conservation_laws(model)
    assert len(laws) == 2
    counts = run(model, [0.0, 0.1, 1.0, 10.0, 100.0], 2000).counts
    for law in laws:
        held = sum(n * counts[..., model.species_names.index(s)] for s, n in law.items())
        assert (held == held[0, 0]).all()
    assert counts.min() >= 0 and (counts == np.rint(counts)).all()


# --- same bits ------------------------------------------------------------------------------------------------
def same(a: Trajectories, b: Trajectories, rows: slice | np.ndarray = slice(None)) -> bool:
    """Whether the lanes `rows` of `a` are the lanes of `b`, to the last bit."""
    pairs = [(a.counts, b.counts), (a.status, b.status), (a.events, b.events), (a.state.time, b.state.time)]
    return all(x[rows].tobytes() == y.tobytes() for x, y in pairs)


TIMES = np.array([0.3, 1.0, 4.0, 9.0])
DRAWN = np.random.default_rng(1).uniform(0.5, 2.0, (500, 4)) * np.array(list(CHAIN.defaults().values()))


def test_same_bits_for_any_threads_batch_order_and_width() -> None:
    whole = simulate(CHAIN, DRAWN, TIMES, threads=1)
    assert same(whole, simulate(CHAIN, DRAWN, TIMES, threads=2))
    order = np.random.default_rng(2).permutation(500)[:137]
    assert same(whole, simulate(CHAIN, DRAWN[order], TIMES, lanes=order, threads=2), order)
    assert same(whole, simulate(CHAIN, DRAWN[41:42], TIMES, lanes=np.array([41])), slice(41, 42))
    assert (simulate(CHAIN, DRAWN, TIMES, width=4).counts == whole.counts).all()


def test_a_trajectory_does_not_depend_on_its_output_times() -> None:
    whole = simulate(CHAIN, DRAWN, TIMES)
    few = simulate(CHAIN, DRAWN, np.broadcast_to(TIMES[[1, 3]], (500, 2)))
    assert (whole.counts[:, [1, 3]] == few.counts).all()
    assert (whole.state.time == few.state.time).all()


def test_seeds_and_streams_differ() -> None:
    a, b = run(BIRTH_DEATH, [5.0], 5000), run(BIRTH_DEATH, [5.0], 5000, seed=1)
    assert abs(np.corrcoef(a.of("X")[:, 0], b.of("X")[:, 0])[0, 1]) < 4 / np.sqrt(5000)
    assert abs(np.corrcoef(a.of("X")[:-1, 0], a.of("X")[1:, 0])[0, 1]) < 4 / np.sqrt(5000)


def test_a_saved_run_goes_on_bit_by_bit(tmp_path: Path) -> None:
    whole = simulate(CHAIN, DRAWN, TIMES)
    first = simulate(CHAIN, DRAWN, TIMES[:2])
    np.savez(tmp_path / "state.npz", **vars(first.state))
    with np.load(tmp_path / "state.npz") as kept:
        state = State(**kept)
    second = simulate(CHAIN, DRAWN, TIMES[2:], resume=state)
    assert np.concatenate([first.counts, second.counts], axis=1).tobytes() == whole.counts.tobytes()
    assert same(replace(whole, counts=second.counts), second)


def test_a_resumed_run_cannot_look_back() -> None:
    state = simulate(CHAIN, DRAWN, TIMES).state
    with pytest.raises(Il2Error, match="before its last jump"):
        simulate(CHAIN, DRAWN, TIMES, resume=state)


def test_counts_changed_on_the_way_take_a_fresh_draw() -> None:
    """Molecules renewed at t = 1: the waiting time from there has no memory."""
    start = run(LOSE, [1.0])
    later = simulate(LOSE, None, np.array([1e6]), resume=start.state.changed(1.0, np.array([1.0])))
    assert stats.kstest(later.state.time - 1.0, "expon", (0, 1 / 0.7)).pvalue > 1e-3
    with pytest.raises(Il2Error, match=r"jumped after t = 0\.1"):
        start.state.changed(0.1, np.array([1.0]))


# --- statuses ---------------------------------------------------------------------------------------------------
def test_too_many_events_and_going_on_from_there() -> None:
    whole = run(BIRTH_DEATH, [20.0], 50)
    cut = simulate(BIRTH_DEATH, None, np.array([0.0, 20.0]), lanes=50, most_events=100)
    assert (cut.status == ssa_driver.TOO_MANY_EVENTS).all() and (cut.events == 100).all()
    assert (cut.reached == cut.state.time).all()
    assert not cut.counts[:, 0].any() and np.isnan(cut.counts[:, 1]).all()
    assert cut.reason(3) == f"lane 3: the largest number of events was reached at t = {cut.reached[3]:.6g}"
    assert (simulate(BIRTH_DEATH, None, np.array([20.0]), resume=cut.state).counts == whole.counts).all()


def test_the_time_budget_stops_a_call_that_can_be_resumed() -> None:
    fast = BIRTH_DEATH.with_values({"make": 1e5})
    times = np.array([1e5])
    cut = simulate(fast, None, times, lanes=40, seconds=0.05)
    assert (cut.status == ssa_driver.OUT_OF_TIME).all()
    assert "time budget" in cut.reason(0)
    going = simulate(fast, None, times, resume=cut.state, most_events=1000)
    straight = simulate(fast, None, times, lanes=40, most_events=int(cut.events[0]) + 1000)
    assert going.state.counts[0] == straight.state.counts[0] and going.state.time[0] == straight.state.time[0]


def test_other_lanes_are_kept_where_one_fails() -> None:
    falling = network({"X": 0}, {"make": 10.0, "less": 0.0}, Reaction("in", {"X": 1}, sym("make") - sym("less") * X),
                      reaction("death", ["X"], [], num(0.5)))  # fmt: skip
    found = simulate(falling, np.array([[10.0, 0.0], [10.0, 1.0], [10.0, 3.3]]), np.array([0.0, 30.0]))
    assert found.status.tolist()[0] == ssa_driver.DONE and found.status[2] == ssa_driver.NEGATIVE_PROPENSITY
    assert np.isfinite(found.counts[0]).all() and np.isnan(found.counts[2, 1]).all()
    assert found.state.counts[2, 0] == 4
    assert found.reason(2) == f"lane 2: the propensity of reaction 'in' is negative at t = {found.reached[2]:.6g}"
    assert found.reason(0) == ""


@pytest.mark.parametrize("law", [log(3.5 - X), 1.0 / (3.0 - X)])
def test_not_a_number(law) -> None:
    model = network({"X": 0}, {"k": 1.0}, reaction("up", [], ["X"], "k"), Reaction("odd", {"X": 1}, law * law))
    found = simulate(model, None, np.array([1e3]), lanes=3)
    assert (found.status == ssa_driver.NOT_A_NUMBER).all()
    assert "reaction 'odd' is not a finite number" in found.reason(1)


def test_a_count_never_falls_below_zero() -> None:
    drain = Reaction("drain", {"X": -2}, num(1.0))
    model = network({"X": 5, "Y": 0}, {"k": 1.0}, reaction("up", [], ["Y"], "k"), drain)
    found = simulate(model, None, np.array([1e3]), lanes=100)
    assert (found.status == ssa_driver.NEGATIVE_COUNT).all() and (found.state.counts[:, 0] == 1).all()
    assert found.reason(7).startswith("lane 7: a count would fall below zero by reaction 'drain' at t = ")


def test_nothing_left_to_happen_is_no_failure() -> None:
    assert (run(LOSE, [1e9, 2e9], 100).counts == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial": np.array([1.5])}, "initial count of 'X' is 1.5"),
        ({"initial": np.array([-1.0])}, "initial count of 'X' is -1"),
        ({"initial": np.array([np.nan])}, "initial count of 'X' is nan"),
        ({"initial": np.zeros((3, 1))}, "initial counts have shape"),
        ({"lanes": np.array([-1, 2])}, "stream numbers"),
        ({"lanes": np.array([0.5, 1.0])}, "stream numbers"),
        ({"most_events": 0}, "most_events is 0"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_bad_input(options: dict, message: str) -> None:
    with pytest.raises(Il2Error, match=message):
        simulate(LOSE, None, np.array([1.0]), **({"lanes": 2} | options))


@pytest.mark.parametrize("times", [[-1.0], [2.0, 1.0], [np.inf], [[1.0], [2.0], [3.0]]])
def test_bad_times(times: list) -> None:
    with pytest.raises(Il2Error, match="times"):
        simulate(LOSE, None, np.array(times), lanes=2)


def test_parameters_of_the_wrong_shape() -> None:
    with pytest.raises(Il2Error, match="parameters have shape"):
        simulate(LOSE, np.ones((2, 3)), np.array([1.0]))
    with pytest.raises(Il2Error, match="3 rows of parameters for 2 lanes"):
        simulate(LOSE, np.ones((3, 1)), np.array([1.0]), lanes=2)


def test_no_lanes_and_no_times() -> None:
    assert simulate(LOSE, np.ones((0, 1)), np.array([1.0])).counts.shape == (0, 1, 1)
    assert simulate(LOSE, None, np.zeros(0), lanes=3).counts.shape == (3, 0, 1)


# --- hybrid -----------------------------------------------------------------------------------------------------
def test_hybrid_has_the_noise_of_the_promoter() -> None:
    """The variance of the two-state model without its Poisson part."""
    found = simulate_hybrid(BURST, ["on", "off"], None, np.array([0.0, 30.0]), lanes=5000)
    assert not found.status.any()
    on = 0.3 / 0.9
    assert_moments(found.of("M")[:, 1], 20.0 * on, 20.0**2 * on * (1 - on) / 1.9)
    assert_moments(found.of("on")[:, 1], on, on * (1 - on))
    assert (found.of("on") + found.of("off") == 1).all()


def test_hybrid_against_the_full_simulation_on_the_way() -> None:
    times = np.array([0.5, 2.0, 5.0])
    found, full = simulate_hybrid(BURST, ["on", "off"], None, times, lanes=5000), run(BURST, list(times), 40_000)
    for i in range(len(times)):
        a, b = found.of("M")[:, i], full.of("M")[:, i]
        assert abs(a.mean() - b.mean()) < 4 * np.sqrt(a.var() / len(a) + b.var() / len(b))
        assert a.var() == pytest.approx(b.var() - b.mean(), rel=0.1)


def test_hybrid_jumps_come_when_a_moving_hazard_says() -> None:
    """off -> on at rate M with M = make t: the waiting time has the survival exp(-make t^2 / 2)."""
    model = network({"off": 1, "on": 0, "M": 0}, {"make": 0.4}, reaction("rise", [], ["M"], "make"),
                    reaction("switch", ["off", "M"], ["on", "M"], num(1.0)))  # fmt: skip
    times = np.linspace(0.0, 6.0, 13)
    found = simulate_hybrid(model, ["on", "off"], None, times, lanes=4000)
    on = found.of("on").mean(axis=0)
    expected = 1 - np.exp(-0.2 * times**2)
    assert (np.abs(on - expected) <= 4 * np.sqrt(expected * (1 - expected) / 4000)).all()


def test_hybrid_gives_the_same_bits_for_any_threads_and_batch() -> None:
    rows = np.array(list(BURST.defaults().values())) * np.random.default_rng(3).uniform(0.5, 2, (60, 4))
    whole = simulate_hybrid(BURST, ["on", "off"], rows, TIMES, threads=1)
    assert same(whole, simulate_hybrid(BURST, ["on", "off"], rows, TIMES, threads=2))
    some = np.array([7, 3, 50])
    assert same(whole, simulate_hybrid(BURST, ["on", "off"], rows[some], TIMES, lanes=some), some)


def test_hybrid_keeps_powers_of_deterministic_species() -> None:
    law = sym("make") * sym("off") * X**2
    model = network({"off": 2, "X": 3}, {"make": 1.0}, Reaction("switch", {"off": -2}, law * sym("off")))
    hybrid = lower_hybrid(model, ["off"])
    assert hybrid.names == ("switch",)
    found = simulate_hybrid(hybrid, (), np.array([1.0]), np.array([1e3]), lanes=5)
    assert (found.of("off") == 0).all() and (found.of("X") == 3).all()


def test_hybrid_has_a_time_budget() -> None:
    cut = simulate_hybrid(
        BURST, ["on", "off"], None, np.array([1e7]), lanes=9, most_events=10**9, tolerances=Tolerances(most_seconds=0.2)
    )
    assert (cut.status == ssa_driver.OUT_OF_TIME).all() and (cut.reached < 1e7).all()


def test_hybrid_statuses_and_errors() -> None:
    with pytest.raises(ModelError, match=r"has no species 'onn'.*'on'"):
        lower_hybrid(BURST, ["onn"])
    with pytest.raises(ModelError, match="promoter"):
        lower_hybrid(network({"X": 1, "Y": 1}, {"k": 1.0}, reaction("r", ["X"], [], "k")), ["Y"])
    cut = simulate_hybrid(BURST, ["on", "off"], None, np.array([1e3]), lanes=3, most_events=5)
    assert (cut.status == ssa_driver.TOO_MANY_EVENTS).all() and (cut.events == 5).all()
    blow = network({"off": 1, "X": 1}, {"k": 1e-9}, Reaction("up", {"X": 1}, X * X), reaction("s", ["off"], [], "k"))
    found = simulate_hybrid(blow, ["off"], None, np.array([0.5, 2.0]), lanes=2)
    assert (found.status == ssa_driver.NOT_SOLVED).all() and np.isfinite(found.counts[:, 0]).all()
    falling = network({"on": 1, "X": 0}, {"k": 1.0}, reaction("up", [], ["X"], "k"),
                      Reaction("s", {"on": -1}, num(1e-3) - num(1e-3) * X))  # fmt: skip
    found = simulate_hybrid(falling, ["on"], None, np.array([0.5, 2.0, 3.0]), lanes=2)
    assert (found.status == ssa_driver.NEGATIVE_PROPENSITY).all()
    assert "reaction 's' is negative" in found.reason(1)


# --- shared stochastic cases --------------------------------------------------------------------------------------
def growth(start: int, birth: float = 0.1, death: float = 0.11) -> Network:
    return network({"X": start}, {"k": 1.0}, reaction("b", ["X"], ["X", "X"], birth), reaction("d", ["X"], [], death))


def immigration(alpha: float, mu: float = 0.1, size: int = 1) -> Network:
    return network({"X": 0}, {"k": 1.0}, Reaction("in", {"X": size}, num(alpha)), Reaction("d", {"X": -1}, mu * X))


P, P2 = sym("P"), sym("P2")
PAIRS = network({"P": 100, "P2": 0}, {"k": 1.0}, Reaction("dimer", {"P": -2, "P2": 1}, 0.0005 * P * (P - 1)),
                Reaction("part", {"P": 2, "P2": -1}, 0.01 * P2))  # fmt: skip
PAIRS_BY_POWER = network({"P": 100, "P2": 0}, {"k": 1.0}, reaction("dimer", ["P", "P"], ["P2"], 0.0005, 0.01))
ONE_OF_PAIR = network({"P2": 0}, {"k": 1.0}, Reaction("dimer", {"P2": 1}, 0.0005 * (100 - 2 * P2) * (99 - 2 * P2)),
                      Reaction("part", {"P2": -1}, 0.01 * P2))  # fmt: skip
# case -> (network, counts that an event sets at t = 25)
CASES: dict[str, tuple[Network, dict[str, float]]] = {
    "00002": (growth(100), {}),
    "00004": (growth(10), {}),
    "00006": (growth(100), {}),
    "00008": (growth(100), {}),
    "00010": (growth(100), {}),
    "00012": (growth(100), {}),
    "00014": (growth(100), {}),
    "00016": (growth(100), {}),
    "00018": (growth(100, 0.05, 0.055), {}),
    "00020": (immigration(1.0), {}),
    "00022": (immigration(5.0), {}),
    "00024": (immigration(10.0), {}),
    "00026": (immigration(10.0), {}),
    "00028": (immigration(1.0), {"X": 50.0}),
    "00030": (PAIRS, {}),
    "00032": (PAIRS_BY_POWER, {"P": 100.0, "P2": 0.0}),
    "00034": (ONE_OF_PAIR, {}),
    "00036": (ONE_OF_PAIR, {}),
    "00038": (immigration(1.0, 0.4, 10), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_shared_stochastic_cases(case: str) -> None:
    """10,000 trajectories; standardised means in (-3, 3) and variances in (-5, 5) at all 50 times."""
    shared = os.environ.get("IL2_CONFORMANCE", "")
    folder = Path(shared) / "sbml_stochastic" / case
    if not shared or not folder.is_dir():
        pytest.skip("IL2_CONFORMANCE does not name the folder of the shared cases")
    model, event = CASES[case]
    with (folder / f"{case}-results.csv").open(newline="") as file:
        table = {k: np.array([float(row[k]) for row in rows]) for rows in [list(csv.DictReader(file))] for k in rows[0]}
    times, lanes = table["time"], 10_000
    before = times < (25 if event else np.inf)
    found = run(model, list(times[before]), lanes)
    counts = found.counts
    if event:
        state = found.state.changed(25.0, np.array([event[name] for name in found.species]))
        counts = np.concatenate([counts, simulate(model, None, times[~before], resume=state).counts], axis=1)
    for i, name in enumerate(found.species):
        mean, sd = table[f"{name}-mean"], table[f"{name}-sd"]
        moving = sd > 0
        assert (counts[:, ~moving, i] == mean[~moving]).all()
        sample, mean, sd = counts[:, moving, i], mean[moving], sd[moving]
        assert np.abs(np.sqrt(lanes) * (sample.mean(axis=0) - mean) / sd).max() < 3
        assert np.abs(np.sqrt(lanes / 2) * (sample.var(axis=0, ddof=1) / sd**2 - 1)).max() < 5


def test_initial_values_may_depend_on_parameters() -> None:
    model = replace(LOSE, species=(Species("X", "box", as_expr("lose") * 10),))
    assert simulate(model, np.array([[0.3], [0.7]]), np.array([0.0])).counts.ravel().tolist() == [3.0, 7.0]
