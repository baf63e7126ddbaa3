"""Gradients by the discrete adjoint: against finite differences, a complex step, and a second implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stiff import PROBLEMS

from il2.engine import rodas5p
from il2.engine.evaluate import run
from il2.engine.gradient import gradient, value_and_grad
from il2.engine.observe import observed, readouts
from il2.engine.pivoting import adjoint_lane
from il2.engine.solve import Tolerances, solve
from il2.errors import Il2Error
from il2.network.program import lower
from il2.network.reverse import gradient as tape_gradient
from il2.network.tape import Tape
from il2.signalling.models import MODELS

OPS = ["add", "sub", "mul", "div", "neg", "exp", "log", "pow"]
TIMES = np.array([0.0, 10.0, 30.0, 60.0])


def receptor_lanes(name: str, lanes: int, seed: int = 0):
    network = MODELS[name].build()
    program = lower(network)
    p = np.tile([network.defaults()[n] for n in program.parameters], (lanes, 1))
    rng = np.random.default_rng(seed)
    for j, parameter in enumerate(program.parameters):
        if parameter.endswith("_count"):
            p[:, j] = 10 ** rng.uniform(2, 4, lanes)
        elif parameter.endswith("_dose") and not parameter.startswith("JAK"):
            p[:, j] = 10 ** rng.uniform(-3, 1, lanes)
    return program, p


def weighted(weights: np.ndarray):
    """A loss that is linear in the states, and one that is not, summed."""

    def loss(y, lanes):
        return (y * weights).sum((1, 2)) + 0.5 * (y**2 * weights**2).sum((1, 2)), weights + y * weights**2

    return loss


def differences(program, p, times, loss, tolerances, relative=2e-4) -> np.ndarray:
    """Elasticities by central differences of order four."""
    out = np.zeros(len(p))
    for j in np.flatnonzero(p):
        h = relative * abs(p[j])
        rows = np.tile(p, (4, 1))
        rows[:, j] += h * np.array([1, -1, 2, -2])
        v = loss(solve(program, rows, times, tolerances=tolerances).y, slice(0, 4))[0]
        out[j] = (8 * (v[0] - v[1]) - (v[2] - v[3])) / (12 * h) * p[j]
    return out


@pytest.mark.parametrize("name", ["receptor-IL2-IL15", "response-IL2", "response-IL4-IL7", "response-IL2-depleted"])
def test_receptor_and_stat_networks_against_differences(name):
    program, p = receptor_lanes(name, 3)
    scale = np.abs(solve(program, p, TIMES).y).max((0, 1)) + 1e-9
    loss = weighted(np.random.default_rng(1).normal(size=(len(TIMES), program.n_states)) / scale)
    tight = Tolerances(rtol=1e-10, atol=1e-12)
    found = gradient(program, p, TIMES, loss, tolerances=tight)
    assert not found.status.any()
    for lane in range(3):
        expected = differences(program, p[lane], TIMES, loss, tight)
        assert found.parameters[lane] * p[lane] == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("name", PROBLEMS)
def test_stiff_problems_are_solved_and_differentiated(name):
    make, end, atol, known = PROBLEMS[name]
    network = make()
    program = lower(network)
    p = np.array([network.defaults()[n] for n in program.parameters])
    times = np.array([end / 3, end])
    tight = Tolerances(rtol=1e-11, atol=atol, first_step=1e-10)
    y = solve(program, p[None], times, tolerances=tight).y[0]
    for species, value in known.items():
        assert y[-1, program.states.index(species)] == pytest.approx(value, rel=1e-8)
    weights = np.random.default_rng(2).uniform(0.5, 1.5, size=y.shape) / (np.abs(y) + 1e-3 * np.abs(y).max())

    def loss(states, lanes):
        return (states * weights).sum((1, 2)), np.broadcast_to(weights, states.shape)

    found = gradient(program, p[None], times, loss, tolerances=tight)
    steepest = np.abs(found.parameters[0] * p).max()  # HIRES turns sharply just there
    expected = differences(program, p, times, loss, tight, min(2e-4, 0.01 / steepest))
    assert found.parameters[0] * p == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


def replay(program, p, start, steps) -> np.ndarray:
    """The states after steps of frozen sizes, written anew and in complex arithmetic where p or start is complex."""
    k, y = prepare_complex(program, p)
    y = y if start is None else start
    n = program.n_states
    for h in steps:
        arrays = {"y": y, "k": k}
        matrix = np.eye(n, dtype=complex) / (rodas5p.GAMMA * h)
        for (i, j), value in program.jacobian.items():
            matrix[i, j] -= run(program.rates, arrays, [value])[0]
        u = []
        for s in range(rodas5p.STAGES):
            a = rodas5p.A[min(s, 5)] + (1.0,) * max(0, s - 5)
            stage = y + sum((c * v for c, v in zip(a, u, strict=True)), np.zeros(n))
            right = run(program.rates, {"y": stage, "k": k}, program.derivative)
            right = right + sum((c / h * v for c, v in zip(rodas5p.C[s], u, strict=True)), np.zeros(n))
            u.append(np.linalg.solve(matrix, right))
        y = y + sum(c * v for c, v in zip((*rodas5p.A[5], 1.0, 1.0, 1.0), u, strict=True))
    return y


def prepare_complex(program, p):
    both = run(program.prepare, {"p": p}, program.constants + program.initial)
    return both[: len(program.constants)], both[len(program.constants) :]


def test_complex_step_over_frozen_steps_gives_the_same_gradient():
    program, p = receptor_lanes("response-IL2", 1)
    times, weights = np.array([20.0]), np.random.default_rng(3).normal(size=program.n_states)
    log = np.zeros((1, 400, program.n_states + 2))
    y = solve(program, p, times, log=log).y[0, 0]
    steps = log[0, :, 0][log[0, :, 0] > 0]
    assert replay(program, p[0], None, steps).real == pytest.approx(y, rel=1e-9)
    found = gradient(program, p, times, lambda s, _: ((s[:, 0] * weights).sum(1), np.broadcast_to(weights, s.shape)))
    for j in (0, 1, 5, 18, 22, 33):
        shifted = p[0].astype(complex)
        shifted[j] += 1e-30j * abs(p[0, j])
        expected = (replay(program, shifted, None, steps) @ weights).imag / (1e-30 * abs(p[0, j]))
        assert found.parameters[0, j] == pytest.approx(expected, rel=1e-9)


def test_gradient_with_respect_to_initial_states():
    program, p = receptor_lanes("receptor-IL2-IL15", 1)
    start = solve(program, p, np.array([5.0])).y[:, 0]
    loss = weighted(np.random.default_rng(4).normal(size=(len(TIMES), program.n_states)) * 1e-3)
    tight = Tolerances(rtol=1e-10, atol=1e-12)
    found = gradient(program, p, TIMES, loss, initial=start, tolerances=tight)
    for i in (0, 3, 9, 20):
        h = max(1e-4 * start[0, i], 1e-3)  # less of a small state drowns in rounding
        rows = np.tile(start, (2, 1))
        rows[:, i] += (h, -h)
        v = loss(solve(program, np.tile(p, (2, 1)), TIMES, initial=rows, tolerances=tight).y, slice(0, 2))[0]
        assert found.initial[0, i] == pytest.approx((v[0] - v[1]) / (2 * h), rel=1e-6)


def test_lanes_do_not_see_one_another():
    program, p = receptor_lanes("response-IL2", 37)
    loss = weighted(np.full((len(TIMES), program.n_states), 1e-3))
    one, two = (gradient(program, p, TIMES, loss, threads=t) for t in (1, 2))
    turned = gradient(program, p[::-1], TIMES, loss)
    for other, order in ((two, slice(None)), (turned, slice(None, None, -1))):
        assert (other.parameters[order] == one.parameters).all() and (other.value[order] == one.value).all()
    alone = gradient(program, p[11:12], TIMES, loss)
    assert (alone.parameters[0] == one.parameters[11]).all()


def test_more_steps_than_room_was_made_for(monkeypatch):
    program, p = receptor_lanes("response-IL2", 5)
    loss = weighted(np.full((len(TIMES), program.n_states), 1e-3))
    whole = gradient(program, p, TIMES, loss)
    monkeypatch.setattr("il2.engine.gradient.FIRST_CAPACITY", 3)
    monkeypatch.setattr("il2.engine.gradient.LOG_BYTES", 40_000)
    assert (gradient(program, p, TIMES, loss).parameters == whole.parameters).all()


def test_pivoting_adjoint_is_a_second_opinion():
    program, p = receptor_lanes("response-IL2", 1)
    seeds = np.random.default_rng(5).normal(size=(len(TIMES), program.n_states))
    k_bar, y_bar = adjoint_lane(program, p[0], None, TIMES, seeds, Tolerances())
    found = gradient(program, p, TIMES, lambda y, _: ((y * seeds).sum((1, 2)), np.broadcast_to(seeds, y.shape)))
    assert found.initial[0] == pytest.approx(y_bar, rel=1e-7, abs=1e-9 * np.abs(y_bar).max())
    assert len(k_bar) == len(program.constants)


def test_lanes_that_need_pivoting_have_a_gradient():
    program, p = receptor_lanes("response-IL2", 2)
    loss = weighted(np.full((len(TIMES), program.n_states), 1e-3))
    every = Tolerances(smallest_pivot=1e9)  # every lane is solved again
    assert solve(program, p, TIMES, tolerances=every).repivoted.all()
    straight, again = gradient(program, p, TIMES, loss), gradient(program, p, TIMES, loss, tolerances=every)
    assert again.parameters == pytest.approx(straight.parameters, rel=1e-6, abs=1e-9)


def test_a_failed_lane_has_no_gradient_and_says_so():
    program, p = receptor_lanes("response-IL2", 2)
    loss = weighted(np.full((len(TIMES), program.n_states), 1e-3))
    p[1, 0] = np.nan
    found = gradient(program, p, TIMES, loss)
    assert found.status[0] == 0 and found.status[1] != 0
    assert np.isnan(found.parameters[1]).all() and np.isfinite(found.parameters[0]).all()


def test_a_loss_of_the_wrong_shape_is_refused():
    program, p = receptor_lanes("response-IL2", 2)
    with pytest.raises(Il2Error, match="shape"):
        gradient(program, p, TIMES, lambda y, _: (y.sum(), y))


@pytest.mark.parametrize("loss", [lambda y, _: None, lambda y, _: (y.sum((1, 2)),)])
def test_a_loss_without_derivatives_is_refused(loss):
    program, p = receptor_lanes("response-IL2", 1)
    with pytest.raises(Il2Error, match="no values and derivatives"):
        gradient(program, p, TIMES, loss)


@pytest.mark.parametrize("width", [0, 3, -1, 1000])
def test_a_width_that_cannot_be_printed_is_refused(width):
    program, p = receptor_lanes("response-IL2", 1)
    with pytest.raises(Il2Error, match="no number of lanes"):
        solve(program, p, TIMES, width=width)


def test_a_flat_array_of_the_wrong_size_is_refused():
    program, _ = receptor_lanes("response-IL2", 1)
    with pytest.raises(Il2Error, match="numbers for 1 lanes"):
        value_and_grad(program, TIMES, weighted(np.ones(1)))(np.zeros(3))


def test_losses_of_observables_hold_parameters_themselves():
    network = MODELS["response-IL2"].build()
    program, p = receptor_lanes("response-IL2", 2)
    weights = np.array([0.0, 1.0, -2.0, 3.0])

    def of(values, lanes):
        return (values[..., 0] ** 2 @ weights), 2 * values * weights[:, None]

    tight = Tolerances(rtol=1e-10, atol=1e-12)
    found = gradient(program, p, TIMES, observed(network, ["pstat5"], p, of), tolerances=tight)
    y = solve(program, p, TIMES, tolerances=tight).y
    assert found.value == pytest.approx(readouts(network, ["pstat5"], y, p)[..., 0] ** 2 @ weights)

    j = program.parameters.index("STAT5_total")  # the readout divides by it
    for lane, row in enumerate(p):
        values = []
        for sign in (1, -1):
            shifted = row.copy()
            shifted[j] *= 1 + sign * 1e-4
            states = solve(program, shifted[None], TIMES, tolerances=tight).y
            values.append(of(readouts(network, ["pstat5"], states, shifted[None]), slice(0, 1))[0][0])
        slope = (values[0] - values[1]) / (2e-4 * row[j])
        assert found.parameters[lane, j] == pytest.approx(slope, rel=1e-6)
    with pytest.raises(Il2Error, match="Did you mean 'pstat5'"):
        observed(network, ["pstat6"], p, of)


def test_an_optimiser_of_scipy_recovers_a_constant():
    from scipy.optimize import minimize

    program, p = receptor_lanes("response-IL2", 1)
    j, readout = program.parameters.index("STAT5_phosphorylation_rate"), program.states.index("pSTAT5.pSTAT5@nucleus")
    target = solve(program, p, TIMES).y[0, :, readout]

    def loss(y, lanes):
        gap = (y[:, :, readout] - target) / target.max()
        seeds = np.zeros_like(y)
        seeds[:, :, readout] = 2 * gap / target.max()
        return (gap**2).sum(1), seeds

    of = value_and_grad(program, TIMES, loss)

    def of_log(x):
        full = p[0].copy()
        full[j] = np.exp(x[0])
        value, grad = of(full)
        return value, [grad[j] * full[j]]

    found = minimize(of_log, [np.log(3 * p[0, j])], jac=True, method="BFGS", options={"gtol": 1e-12})
    assert np.exp(found.x[0]) == pytest.approx(p[0, j], rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(OPS), min_size=1, max_size=12), st.data())
def test_adjoints_of_random_tapes_are_their_derivatives(ops, data):
    tape = Tape()
    values = [tape.load("x", i) for i in range(3)]
    for op in ops:
        a, b = (data.draw(st.sampled_from(values)) for _ in range(2))
        if op in ("neg", "exp", "log"):
            inner = tape.emit("mul", *sorted((a, tape.const(0.1)))) if op == "exp" else a
            values.append(tape.emit(op, inner) if op != "neg" else tape.neg(a))
        elif op == "pow":
            values.append(tape.emit("pow", a, tape.const(1.7)))
        else:
            values.append(getattr(tape, op)(a, b))
    x = np.array([0.7, 1.3, 2.1])
    out = values[-1]
    at = run(tape, {"x": x.astype(complex)}, [out])[0]
    bars = tape_gradient(tape, {out: tape.const(1.0)}, "x", 3)
    found = np.broadcast_to(run(tape, {"x": x}, bars), (3,))
    if not (np.isfinite(found).all() and np.isfinite(at) and np.abs(found).max() < 1e6) or abs(at.imag) > 0:
        return
    for i in range(3):
        shifted = x.astype(complex)
        shifted[i] += 1e-30j
        assert found[i] == pytest.approx(run(tape, {"x": shifted}, [out])[0].imag / 1e-30, rel=1e-9, abs=1e-12)
