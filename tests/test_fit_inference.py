"""Search, profiles, posterior, verdicts and calibration on a ligand that binds one receptor, with known answers."""

import math
import re
from dataclasses import replace
from importlib.metadata import requires

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import approx_fprime, least_squares, minimize

from il2.engine.solve import Tolerances
from il2.errors import Il2Error
from il2.fit.block import Points, Use, block
from il2.fit.calibration import coverage, parted, quantiles, simulate_and_rank, simulated, uniformity
from il2.fit.free import NOISE, OBSERVATION, Free, bounds
from il2.fit.identify import verdicts
from il2.fit.intervals import covariance, data_information
from il2.fit.posterior import Posterior, diagnostics, sample
from il2.fit.predictive import draws_around
from il2.fit.problem import DEGREES, Problem
from il2.fit.profile import RISE, profile
from il2.fit.search import climb, from_prior, polished, positions, search, with_noise
from il2.network.expression import as_expr, sym
from il2.network.network import COUNT, Compartment, Network, Observable, Parameter, Species, check, reaction
from il2.network.program import lower

DOSES_NM = 10.0 ** np.linspace(-2, 2, 7)
TIMES_MIN = (15.0, 240.0)
COUNT_OF_CELL = 1000.0
KD = Free("KD", "nM", 1e-3, 1e3, 1.0, 1.0)
SCALE = Free("scale", "", 1e-3, 1e3, 1.0, 1.0, kind=OBSERVATION)
NUMBER = Free("number", "", 1e-3, 1e3, 1.0, 1.0)
BACKGROUND = Free("background", "", -1e3, 1e3, 0.0, scale="lin", kind=OBSERVATION)
SPREAD = Free("noise", "", 1.0, 1e3, 30.0, 0.5, kind=NOISE)
TRUTH = {"KD": 0.5, "scale": 2.0, "number": 1.0, "noise": 20.0, "aside": 1.0, "background": 50.0}


def binding() -> Network:
    """R + L <-> C with the ligand constant: bound receptors have a closed form."""
    count = sym("count")
    return check(
        Network(
            "binding",
            (Compartment("cell", 2),),
            (Species("R", "cell", count), Species("C", "cell", as_expr(0.0))),
            (
                Parameter("dose", 1.0, "nM"), Parameter("count", COUNT_OF_CELL, COUNT),
                Parameter("kon", 0.05, "1/(nM*min)"), Parameter("koff", 0.05, "1/min"),
            ),
            reactions=(reaction("bind", ["R"], ["C"], sym("kon") * sym("dose"), "koff"),),
            observables=(Observable("bound", sym("C"), COUNT),),
        )
    )  # fmt: skip


BINDING = binding()
PROGRAM = lower(BINDING)


def exact(dose, time, kd, number=1.0):
    """Bound receptors by the closed form."""
    rate = 0.05 * (dose + kd)
    return number * COUNT_OF_CELL * dose / (dose + kd) * (1 - np.exp(-rate * time))


def problem(*free: Free, replicates: int = 2, seed: int = 0, noise: str = "noise", degrees: float = DEGREES) -> Problem:
    """Doses by times by replicates, drawn at TRUTH; the free numbers that are not asked for stay at 1."""
    names = {f.name for f in free}
    lanes = np.arange(len(DOSES_NM))
    lane, time = (a.ravel() for a in np.meshgrid(np.repeat(lanes, replicates), [0, 1], indexing="ij"))
    m = len(lane)

    def told(name: str) -> np.ndarray:
        return np.full(m, name if name in names else "", dtype=object)

    points = Points(
        lane, time, np.zeros(m, int), np.zeros(m), told("scale"), told("background"), told(noise), np.zeros(m, int),
        np.ones(m),
    )  # fmt: skip
    uses = [Use("koff", "KD", lanes)] if "KD" in names else []
    uses += [Use("count", "number", lanes)] if "number" in names else []
    of = block(BINDING, TIMES_MIN, ("bound",), {"dose": DOSES_NM}, uses, points, PROGRAM)
    empty = Problem("binding", free, (of,), threads=1)
    x = np.array([f.to_scale(TRUTH[f.name]) for f in free])
    return simulated(replace(empty, degrees=degrees), x, np.random.default_rng(seed))


@pytest.fixture
def closed_form(monkeypatch):
    """Readouts and derivatives by the closed form in place of the engine, which makes thousands of them quick."""
    told = {"fails_above": math.inf}

    def shown(of, p):
        dose, count, kon, koff = (c[:, None, None] for c in p.T)
        out = exact(dose, of.times_min[None, :, None], koff / kon, count / COUNT_OF_CELL)
        return np.where(koff / kon > told["fails_above"], np.nan, out)

    def weighed(of, p, weigh, threads=None):
        found, by = shown(of, p), np.zeros_like(p)
        weights = weigh(found, slice(0, len(p)))
        by[:, 1] = (weights * found).sum((1, 2)) / p[:, 1]
        step = 1e-5 * p[:, 3:]
        ends = [shown(of, p + sign * np.pad(step, ((0, 0), (3, 0)))) for sign in (1, -1)]
        by[:, 3] = (weights * (ends[0] - ends[1])).sum((1, 2)) / (2 * step[:, 0])
        return found, by

    for module in ("block", "problem"):
        monkeypatch.setattr(f"il2.fit.{module}.predicted", lambda of, p, threads=None: shown(of, p))
        monkeypatch.setattr(f"il2.fit.{module}.weighed", weighed)
    return told


TWO = problem(KD, SCALE, SPREAD)
BEST = search(TWO, 3, 1)[0]


def log_posterior(x: np.ndarray) -> float:
    """The log density of TWO by the closed form."""
    kd, scale, noise = 10.0**x
    points = TWO.blocks[0].points
    told = scale * exact(DOSES_NM[points.lane], np.array(TIMES_MIN)[points.time], kd)
    data = stats.t.logpdf((points.value - told) / noise, DEGREES).sum() - len(points) * math.log(noise)
    prior = sum(-0.5 * ((xi - f.to_scale(f.centre)) / f.spread) ** 2 for xi, f in zip(x, TWO.free, strict=True))
    return data + prior


def on_grid(nodes: int = 41) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean and standard deviation by quadrature on the closed form."""
    deviations = np.sqrt(np.diag(covariance(TWO, BEST.x)))
    axes = [np.linspace(-7, 7, nodes) * s + c for s, c in zip(deviations, BEST.x, strict=True)]
    every = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    points = TWO.blocks[0].points
    kd, scale, noise = 10.0 ** every.T[:, :, None]
    told = scale * exact(DOSES_NM[points.lane], np.array(TIMES_MIN)[points.time], kd)
    logs = stats.t.logpdf((points.value - told) / noise, DEGREES).sum(1) - len(points) * np.log(noise[:, 0])
    for k, f in enumerate(TWO.free):
        logs = logs - 0.5 * ((every[:, k] - f.to_scale(f.centre)) / f.spread) ** 2
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    mean = weight @ every
    return mean, np.sqrt(weight @ (every - mean) ** 2)


def test_the_closed_form_is_what_the_engine_finds(closed_form, monkeypatch):
    x = BEST.x + 0.1
    by_hand = [*TWO.log_density(x)[1], *TWO.residuals(x).jacobian.ravel()]
    monkeypatch.undo()
    by_engine = [*TWO.log_density(x)[1], *TWO.residuals(x).jacobian.ravel()]
    np.testing.assert_allclose(by_hand, by_engine, rtol=1e-4, atol=1e-4)


def test_positions_begin_at_the_medians_and_follow_the_prior():
    free = (KD, replace(SCALE, spread=math.inf, low=0.01), replace(SPREAD, low=29.0, spread=1.0))
    found = positions(free, 257, 3)
    np.testing.assert_allclose(found[0], [0.0, 0.0, math.log10(30)])
    low, high = bounds(free)
    assert ((found >= low) & (found <= high)).all()
    assert stats.kstest(found[1:, 0], stats.truncnorm(-3, 3).cdf).pvalue > 0.1
    assert stats.kstest(found[1:, 1], stats.uniform(-2, 5).cdf).pvalue > 0.1
    assert np.array_equal(found[:20], positions(free, 20, 3))
    assert not np.allclose(found[1:20], positions(free, 20, 4)[1:])


def test_the_search_finds_the_optimum_of_a_second_opinion():
    other = minimize(lambda x: -log_posterior(x), BEST.x + 0.1, method="Nelder-Mead", options={"xatol": 1e-6})
    assert BEST.cost == pytest.approx(-TWO.log_density(BEST.x)[0], abs=1e-9)
    np.testing.assert_allclose(BEST.x, other.x, atol=1e-3)
    assert BEST.message == "converged"
    assert np.abs(TWO.log_density(BEST.x)[1]).max() < 0.5


def flat(free: Free) -> Free:
    return replace(free, spread=math.inf)


def test_normal_noise_gives_the_optimum_and_the_errors_of_least_squares():
    normal = problem(flat(KD), flat(SCALE), BACKGROUND, flat(SPREAD), replicates=3, degrees=math.inf)
    points = normal.blocks[0].points
    value = points.value.copy()
    value[7] += 150.0  # pulls normal noise, and hardly Student's t
    normal = replace(normal, blocks=(replace(normal.blocks[0], points=replace(points, value=value)),))
    dose, time = DOSES_NM[points.lane], np.array(TIMES_MIN)[points.time]

    def off(x):
        return 10 ** x[1] * exact(dose, time, 10 ** x[0]) + x[2] - value

    other = least_squares(off, [0.0, 0.0, 0.0], x_scale="jac")
    noise = math.sqrt((other.fun**2).mean())
    known = [*other.x[:2], other.x[2], math.log10(noise)]
    best = search(normal, 2, 1)[0]
    np.testing.assert_allclose(best.x, known, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(with_noise(normal, np.array([*known[:3], 0.5]))[3], known[3], atol=1e-4)
    deviations = np.sqrt(np.diag(np.linalg.inv(other.jac.T @ other.jac))) * noise
    told = np.sqrt(np.diag(covariance(normal, best.x)))
    np.testing.assert_allclose(told, [*deviations, 1 / math.log(10) / math.sqrt(2 * len(value))], rtol=0.01)
    density = stats.norm.logpdf(off(known) / noise).sum() - len(value) * math.log(noise)
    assert best.cost == pytest.approx(-density, abs=1e-3)
    assert climb(replace(normal, degrees=DEGREES), 0, best.x).x[3] < known[3] - 0.1
    wide = draws_around(normal, best.x, 60, 0)
    np.testing.assert_allclose(np.std(wide, axis=0), told, rtol=0.4)  # 60 draws know a deviation to 9 %


def test_normal_noise_is_simulated_and_judged_as_normal(closed_form):
    normal = problem(KD, SCALE, SPREAD, replicates=100, degrees=math.inf)
    x = np.log10([0.5, 2.0, 20.0])
    z = (normal.blocks[0].points.value - normal.predictions(x)[0]) / 20.0
    assert stats.kstest(z, stats.norm.cdf).pvalue > 0.01 > stats.kstest(z, stats.t(DEGREES).cdf).pvalue
    at_truth = Posterior(normal.names, x[None, None], np.zeros((1, 1)), 0, x, x, 0.0)
    np.testing.assert_allclose(quantiles(normal, at_truth, normal.blocks), stats.norm.cdf(z))


def test_lanes_in_parts_have_the_density_of_all_at_once(monkeypatch):
    x = BEST.x + 0.1
    whole = TWO.log_density(x)
    monkeypatch.setattr("il2.engine.gradient.LOG_BYTES", 1)  # a lane at a time
    parts = TWO.log_density(x)
    assert parts[0] == pytest.approx(whole[0], rel=1e-12)
    np.testing.assert_allclose(parts[1], whole[1], rtol=1e-9)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_a_linear_number_may_be_zero(power):
    lanes = np.arange(len(DOSES_NM))
    number, other = (Free(name, "", -5.0, 5.0, 1.0, 2.0, scale="lin") for name in ("number", "other"))
    uses = (Use("koff", "KD", lanes), Use("count", "number", lanes, power), Use("count", "other", lanes[2:]))
    of = replace(problem(KD, number, SCALE, SPREAD).blocks[0], uses=uses)
    two = Problem("binding", (KD, number, other, SCALE, SPREAD), (of,), threads=1)
    for values in ([0.0, 1.5], [0.0, 0.0], [0.7, 0.0], [-0.7, 1.5]):
        x = np.array([-0.3, *values, 0.3, 2.5])
        density, slope = two.log_density(x)
        assert math.isfinite(density)
        np.testing.assert_allclose(slope, approx_fprime(x, lambda y: two.log_density(y)[0], 1e-6), rtol=1e-3, atol=2e-3)


def test_starts_agree_are_sorted_and_repeat():
    found = search(TWO, 3, 1)
    assert [s.cost for s in found] == sorted(s.cost for s in found)
    assert all(s.cost == pytest.approx(BEST.cost, abs=0.01) for s in found)
    assert all(np.array_equal(a.x, b.x) for a, b in zip(found, search(TWO, 3, 1), strict=True))


def test_stray_wells_pull_little_and_the_priors_stay_normal():
    points = TWO.blocks[0].points
    value = points.value.copy()
    value[[3, 17]] += 3000.0
    stray = replace(TWO, blocks=(replace(TWO.blocks[0], points=replace(points, value=value)),))
    found = climb(stray, 0, stray.start())
    assert found.x[:2] == pytest.approx(BEST.x[:2], abs=0.05)
    far = replace(TWO, free=(replace(KD, centre=900.0, spread=0.01), SCALE, SPREAD))
    assert climb(far, 0, far.start()).x[0] > 2.8


def test_a_search_resumes_where_it_stopped():
    seen: list[int] = []
    first = search(TWO, 2, 1)
    whole = search(TWO, 3, 1, done=first, on_done=lambda s: seen.append(s.index))
    assert seen == [2]
    assert {s.index: s.cost for s in whole} == {s.index: s.cost for s in search(TWO, 3, 1)}


def test_starts_that_fail_say_so_and_raise_nothing():
    lost = replace(TWO, blocks=(replace(TWO.blocks[0], tolerances=Tolerances(most_steps=2)),))
    found = search(lost, 2, 1)
    assert [s.cost for s in found] == [math.inf, math.inf]
    assert all("could not be solved" in s.message for s in found)
    for of in (lambda: sample(lost, BEST.x, draws=5, tune=5, chains=1, seed=0), lambda: verdicts(lost, BEST.x)):
        with pytest.raises(Il2Error, match="could not be solved"):
            of()
    with pytest.raises(Il2Error, match="starts"):
        search(TWO, 0, 1)


def test_a_region_that_fails_stops_neither_search_nor_sampler(closed_form):
    closed_form["fails_above"] = 0.55  # nM; the optimum lies below, the prior median above
    found = search(TWO, 8, 1)
    assert found[0].cost == pytest.approx(BEST.cost, abs=0.01)
    assert any(math.isinf(s.cost) for s in found) and found[-1].cost == math.inf
    drawn = sample(TWO, found[0].x, draws=60, tune=60, chains=1, seed=0)
    assert np.isfinite(drawn.log_density).all() and (drawn.draws[..., 0] <= math.log10(0.55)).all()


def test_the_information_predicts_how_estimates_scatter(closed_form):
    found = []
    for seed in range(40):
        data = problem(KD, SCALE, SPREAD, seed=100 + seed)
        found.append(polished(data, BEST.x)[0])
    scatter = np.std(found, axis=0, ddof=1)
    predicted = np.sqrt(np.diag(np.linalg.inv(data_information(TWO, np.log10([0.5, 2.0, 20.0])))))
    np.testing.assert_allclose(scatter, predicted, rtol=0.4)  # 40 draws know a deviation to 11 %


def test_profiles_agree_with_a_scan_of_the_closed_form():
    found = profile(TWO, BEST.x, "KD")
    assert found.low is not None and found.high is not None

    def rise(kd: float) -> float:
        rest = minimize(lambda r: -log_posterior(np.array([math.log10(kd), *r])), BEST.x[1:], method="Nelder-Mead")
        return float(rest.fun + log_posterior(BEST.x))

    assert rise(found.low) == pytest.approx(RISE, abs=0.05)
    assert rise(found.high) == pytest.approx(RISE, abs=0.05)
    assert (np.diff(found.x) > 0).all() and found.costs.min() == pytest.approx(BEST.cost, abs=1e-3)
    with pytest.raises(Il2Error, match="Did you mean 'KD'"):
        profile(TWO, BEST.x, "Kd")


def test_a_profile_that_never_rises_is_open():
    flat = problem(KD, SCALE, SPREAD, Free("aside", "", 0.1, 10.0, 1.0))
    found = profile(flat, np.append(BEST.x, 0.0), "aside")
    assert found.low is None and found.high is None
    assert found.x[0] == pytest.approx(-1.0) and found.x[-1] == pytest.approx(1.0)
    assert np.ptp(found.costs) < 0.01


def test_draws_have_the_moments_of_quadrature(closed_form):
    steps: list[tuple[int, int]] = []
    found = sample(TWO, BEST.x, draws=200, tune=80, chains=2, seed=5, on_progress=lambda c, d: steps.append((c, d)))
    mean, deviation = on_grid()
    error = deviation / np.sqrt(found.ess)
    assert (np.abs(found.flat.mean(0) - mean) < 4 * error).all()
    np.testing.assert_allclose(found.flat.std(0), deviation, rtol=0.2)
    assert found.rhat.max() < 1.03 and found.ess.min() > 150 and found.divergences == 0
    assert steps == [(c, d) for c in range(2) for d in range(280)]
    here = found.draws[1, 7]
    assert found.log_density[1, 7] == pytest.approx(TWO.log_density(here)[0], abs=1e-6)


def test_draws_stay_inside_bounds_and_repeat_with_the_seed(closed_form):
    tight = replace(TWO, free=(replace(KD, low=0.55, spread=math.inf), SCALE, SPREAD))
    best = climb(tight, 0, tight.start()).x
    a, b, c = (sample(tight, best, draws=60, tune=60, chains=1, seed=s) for s in (1, 1, 2))
    assert np.array_equal(a.draws, b.draws) and not np.array_equal(a.draws, c.draws)
    assert (a.draws[..., 0] >= math.log10(0.55)).all()
    assert a.draws[..., 0].min() < math.log10(0.57)
    assert np.isnan(a.rhat).all() and (a.ess > 5).all()


def test_chains_that_disagree_are_told():
    draws = np.random.default_rng(0).standard_normal((2, 200, 2))
    draws[1, :, 1] += 2
    rhat, ess = diagnostics(draws)
    assert rhat[0] < 1.02 < 1.2 < rhat[1] and ess[1] < 20 < 200 < ess[0]


def test_verdicts_name_the_product_and_what_the_data_leave_open():
    three = problem(KD, SCALE, NUMBER, SPREAD, Free("aside", "nM", 0.1, 10.0, 1.0, 0.3), replicates=3)
    best = climb(three, 0, three.start()).x
    found = {v.name: v for v in verdicts(three, best)}
    assert found["KD"].determined and found["noise"].determined
    assert found["KD"].low < 0.5 < found["KD"].high
    assert "within a factor 1." in found["KD"].text
    assert not found["scale"].determined and not found["number"].determined
    assert "only its product with number is determined" in found["scale"].text
    assert "only its product with scale is determined" in found["number"].text
    ends = [float(t) for t in found["scale"].text.split("(")[1].split(")")[0].split(" to ")]
    assert ends[0] < 2.0 < ends[1] < 1.2 * ends[0]
    assert not found["aside"].determined
    assert "the prior decides" in found["aside"].text
    assert found["aside"].low == pytest.approx(10 ** (-1.96 * 0.3), rel=1e-3)


def test_verdicts_name_a_quotient_and_use_the_profile():
    first = replace(TWO.blocks[0], uses=(Use("koff", "KD", np.arange(len(DOSES_NM))),
                                         Use("koff", "assay", np.arange(len(DOSES_NM)), -1.0)))  # fmt: skip
    both = Problem("binding", (KD, Free("assay", "", 1e-3, 1e3, 1.0, 1.0), SCALE, SPREAD), (first,), threads=1)
    best = climb(both, 0, both.start()).x
    assert "only its quotient with assay is determined" in verdicts(both, best)[0].text
    weak = Free("aside", "", 0.1, 10.0, 1.0)
    flat = problem(KD, SCALE, SPREAD, weak)
    at = np.append(BEST.x, 0.0)
    told = verdicts(flat, at, [profile(flat, at, "aside")])[3]
    assert (told.low, told.high, told.determined) == (0.1, 10.0, False)
    assert "its bounds decide" in told.text


def test_verdicts_are_in_plain_numbers_and_units():
    free = (replace(KD, unit="dimensionless"), SCALE, replace(NUMBER, unit="molecule/cell", low=1.0, high=1e6), SPREAD)
    three = problem(*free, replicates=3)
    told = [v.text for v in verdicts(three, np.array([-0.3, 0.3, 3.5, 1.3]))]
    assert not any("dimensionless" in text or "e+0" in text for text in told)
    assert re.search(r"95 % range \d+(\.\d+)? to \d{1,3}(,\d{3})+ molecule/cell", told[2])


def test_a_bound_that_one_side_lacks_is_told():
    low = problem(replace(KD, spread=math.inf, high=1e6, low=1e-6), SCALE, replace(SPREAD, low=0.1))
    points = low.blocks[0].points
    told = 2.0 * exact(DOSES_NM[points.lane], np.array(TIMES_MIN)[points.time], 1e-6)
    noisy = told + 20 * np.random.default_rng(1).standard_t(4, len(points))
    tight = replace(low, blocks=(replace(low.blocks[0], points=replace(points, value=noisy)),))
    best = search(tight, 2, 0)[0].x
    found = profile(tight, best, "KD")
    assert found.low is None and found.high is not None and found.high < 0.1
    told = verdicts(tight, best, [found])[0]
    assert not told.determined and "KD: at most" in told.text


def test_uniformity_tells_level_ranks_from_a_narrow_posterior():
    random = np.random.default_rng(0)
    assert uniformity(random.integers(0, 32, 400), 31, 8) > 0.01
    narrow = np.array([(random.normal(0, 0.6, 31) < t).sum() for t in random.standard_normal(400)])
    assert uniformity(narrow, 31, 8) < 1e-6


def test_simulation_based_calibration_of_a_small_problem(closed_form):
    small = problem(replace(KD, spread=0.3), replace(SCALE, spread=0.2), replicates=1, noise="")
    found = simulate_and_rank(small, 12, 7, kept=7, thin=3, tune=40, chains=1, bins=4)
    assert found.ranks.shape == (12, 2) and found.failed == 0
    assert found.p > 0.01
    assert ((found.ranks >= 0) & (found.ranks <= 7)).all()
    with pytest.raises(Il2Error, match="multiple of bins"):
        simulate_and_rank(small, 1, 0, kept=30, bins=8)


@pytest.mark.parametrize(("width", "honest"), [(1.0, True), (0.5, False), (2.0, False)])
def test_calibration_tells_a_posterior_of_the_wrong_width(closed_form, monkeypatch, width, honest):
    def normal(problem, x, *, draws, tune, chains, seed):
        z = np.random.default_rng(seed).standard_normal((chains, draws, len(x)))
        found = x + width * z @ np.linalg.cholesky(covariance(problem, x)).T
        return Posterior(problem.names, found, z[..., 0], 0, np.ones(len(x)), np.ones(len(x)), 0.0)

    monkeypatch.setattr("il2.fit.calibration.sample", normal)
    small = problem(replace(KD, spread=0.3), replace(SCALE, spread=0.2), replace(SPREAD, spread=0.1))
    found = simulate_and_rank(small, 80, 7, kept=15, thin=1, tune=0, chains=1, bins=4)
    assert (found.p > 0.01) == honest


def test_censored_points_are_simulated_at_their_limit():
    points = TWO.blocks[0].points
    limit = replace(points, value=np.full(len(points), 500.0), censored=np.full(len(points), -1))
    capped = replace(TWO, blocks=(replace(TWO.blocks[0], points=limit),))
    drawn = simulated(capped, BEST.x, np.random.default_rng(0)).blocks[0].points
    assert set(drawn.censored.tolist()) == {-1, 0}
    assert (drawn.value[drawn.censored < 0] == 500.0).all() and (drawn.value[drawn.censored == 0] > 500.0).all()


def test_intervals_hold_their_share_of_replicates_that_were_held_back(closed_form):
    shares, means = [], []
    for seed in range(3):  # the noise of one set is known to 8 %, which moves all of its shares together
        many = problem(KD, SCALE, SPREAD, replicates=40, seed=seed)
        fitted, held = parted(many, [np.arange(many.n_points) % 40 >= 12])
        assert fitted.n_points + len(held[0].points) == many.n_points
        drawn = sample(fitted, climb(fitted, 0, fitted.start()).x, draws=50, tune=60, chains=1, seed=1)
        found = coverage(many, drawn, held)
        shares.append([found[0.5], found[0.9]])
        means.append(quantiles(many, drawn, held).mean())
    assert np.mean(shares, axis=0) == pytest.approx([0.5, 0.9], abs=0.06)
    assert np.mean(means) == pytest.approx(0.5, abs=0.05)
    shrunk = replace(drawn, draws=drawn.draws - np.array([0, 0, 0.5]))
    assert coverage(many, shrunk, held)[0.9] < 0.75
    with pytest.raises(Il2Error, match="held back"):
        coverage(many, drawn, parted(many, [np.zeros(many.n_points, bool)])[1])


def test_prior_draws_at_quantiles():
    shares = np.array([0.5, 0.9])
    np.testing.assert_allclose(from_prior((KD, SCALE), shares), stats.truncnorm(-3, 3).ppf(shares), atol=1e-12)


def test_a_search_needs_no_extra():
    plain = [re.split(r"[<>=;\[ ]", line)[0] for line in requires("il2") or () if "extra ==" not in line]
    assert "fides" in plain
