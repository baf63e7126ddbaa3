"""Properties of expressions and of lowering: derivatives, substitution, text, and equality with direct evaluation."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from helpers import constants, equations, examples, model, values_at
from hypothesis import assume, given
from hypothesis import strategies as st

from il2.engine.evaluate import equations as program_equations
from il2.engine.evaluate import prepare, run
from il2.errors import ModelError
from il2.network.expression import Expr, add, diff, evaluate, exp, log, mul, num, power, show, substitute, sym, symbols
from il2.network.network import jacobian, rename, right_hand_side
from il2.network.program import lower, lower_expressions
from il2.receptor.model import receptor
from il2.signalling.response import response

NAMES = ("x", "y", "a", "b")
VALUES = st.fixed_dictionaries({name: st.floats(0.3, 3.0) for name in NAMES})


def _grow(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    exponents = st.sampled_from([-2.0, -1.0, -0.5, 0.5, 2.0, 2.5, 3.0])
    return st.one_of(
        st.builds(add, inner, inner),
        st.builds(mul, inner, inner),
        st.builds(power, inner, exponents),
        st.builds(lambda e: exp(-e), inner),
        st.builds(lambda e: log(1 + e), inner),
        st.builds(lambda e, f: e / (1 + f), inner, inner),
    )


# Positive for positive symbols, so that every power and logarithm is defined; a difference has either sign.
POSITIVE = st.recursive(
    st.one_of(st.sampled_from(NAMES).map(sym), st.floats(0.1, 4.0).map(lambda v: num(round(v, 3)))), _grow, max_leaves=7
)
ANY = st.one_of(
    POSITIVE, st.builds(lambda e, f: e - f, POSITIVE, POSITIVE),
    st.builds(lambda e, f, n: (e - f) ** n, POSITIVE, POSITIVE, st.sampled_from([1, 2, 3])),
)  # fmt: skip


def value(expr: Expr, values: dict[str, float]) -> float:
    """The value of an expression; draws that overflow, divide by zero or are ill-scaled are dropped."""
    try:
        out = evaluate(expr, values)
    except (OverflowError, ZeroDivisionError):
        out = math.inf
    assume(math.isfinite(out) and abs(out) < 1e8)
    return out


# --- derivatives -----------------------------------------------------------------------------------------------
@examples(200)
@given(ANY, VALUES, st.sampled_from(NAMES))
def test_derivative_equals_the_complex_step(expr: Expr, values: dict[str, float], name: str):
    value(expr, values)
    exact = value(diff(expr, name), values)
    step = 1e-30
    moved = {k: complex(v, step if k == name else 0.0) for k, v in values.items()}
    found = complex(evaluate(expr, moved)).imag / step
    assert exact == pytest.approx(found, rel=1e-7, abs=1e-9)


def test_derivatives_of_known_functions():
    x = sym("x")
    cases = [
        (x**3, 12.0),
        (power(x, -2.0), -0.25),
        (power(x, 0.5), 0.5 / math.sqrt(2)),
        (exp(-3 * x), -3 * math.exp(-6)),
        (log(5 * x), 0.5),
        (x / (1 + x), 1 / 9),
        (1 - x, -1.0),
        (sym("y") * 7, 0.0),
    ]
    for expr, expected in cases:
        assert evaluate(diff(expr, "x"), {"x": 2.0, "y": 5.0}) == pytest.approx(expected, rel=1e-14), show(expr)


@examples(60)
@given(ANY, VALUES)
def test_second_derivatives_commute(expr: Expr, values: dict[str, float]):
    one, other = (value(diff(diff(expr, p), q), values) for p, q in (("x", "y"), ("y", "x")))
    assert one == pytest.approx(other, rel=1e-7, abs=1e-7)


# --- building, substitution, text ------------------------------------------------------------------------------
@examples(100)
@given(VALUES, st.integers(-3, 3), st.floats(-2, 2))
def test_operators_mean_what_they_say(values: dict[str, float], n: int, c: float):
    x, y, a, b = (values[name] for name in NAMES)
    ex, ey, ea, eb = (sym(name) for name in NAMES)
    pairs = [
        (ex + ey * ea - eb, x + y * a - b),
        (c - ex / ey / ea, c - x / y / a),
        (c / (ex + 1) ** n, c / (x + 1) ** n),
        (-(ex * c) * (ey - c) + ex * 0 + 0, -(x * c) * (y - c)),
        ((ex**2) ** 0.5 + (ex**-1) ** -2 + ex**0, x + x**2 + 1),
        (exp(ea) * log(eb), math.exp(a) * math.log(b)),
    ]
    for expr, expected in pairs:
        assert evaluate(expr, values) == pytest.approx(expected, rel=1e-12, abs=1e-12), show(expr)


def test_square_root_of_a_square_is_the_absolute_value():
    assert evaluate(power(power(sym("x"), 2.0), 0.5), {"x": -3.0}) == 3.0


@examples(100)
@given(ANY, POSITIVE, VALUES)
def test_substitution_is_evaluation_at_the_value(expr: Expr, put: Expr, values: dict[str, float]):
    moved = values | {"x": value(put, values)}
    found = substitute(expr, {"x": put})
    assert value(found, values) == pytest.approx(value(expr, moved), rel=1e-7, abs=1e-9)
    assert symbols(found) <= (symbols(expr) - {"x"}) | symbols(put)


def test_substitution_is_simultaneous():
    x, y = sym("x"), sym("y")
    assert substitute(x - 2 * y, {"x": y, "y": x}) == y - 2 * x


@examples(200)
@given(ANY, VALUES)
def test_text_evaluates_to_the_expression(expr: Expr, values: dict[str, float]):
    text = show(expr).replace("^", "**")
    found = eval(text, {"__builtins__": {}}, {"exp": cmath.exp, "log": cmath.log, **values})
    assert found == pytest.approx(value(expr, values), rel=1e-6, abs=1e-9), show(expr)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (sym("a") * sym("x") / (sym("b") + sym("x")), "a*x/(b + x)"),
        (sym("a") - sym("b") * sym("x"), "a - b*x"),
        (1 / sym("x"), "1/x"),
        (sym("x") ** 2.5, "x^2.5"),
        (exp(-sym("x")), "exp(-1*x)"),
    ],
)
def test_text_reads_like_a_formula(expr: Expr, text: str):
    assert show(expr) == text


@pytest.mark.parametrize(
    ("expr", "at"),
    [
        (power(power(sym("x"), 2.0), 0.5), 3.0),
        (power(power(sym("x"), -0.5), 0.5), 3.0),
        (power(sym("x"), 1 / 3), 1e12),
    ],
)
def test_text_of_nested_and_fractional_powers_keeps_their_meaning(expr: Expr, at: float):
    found = eval(show(expr).replace("^", "**"), {"x": at})
    assert found == pytest.approx(evaluate(expr, {"x": at}), rel=1e-8), show(expr)


@pytest.mark.parametrize("bad", [lambda: num(1.0) / 0.0, lambda: power(num(-8.0), 1 / 3)])
def test_constants_without_a_real_value_are_refused(bad):
    with pytest.raises((ModelError, ZeroDivisionError)):
        bad()


# --- lowering --------------------------------------------------------------------------------------------------
@examples(60)
@given(st.lists(ANY, min_size=2, max_size=2), VALUES, VALUES)
def test_program_equals_direct_evaluation(laws: list[Expr], values: dict[str, float], start: dict[str, float]):
    names = {name: values[name] for name in ("a", "b")}
    network = equations(dict(zip("xy", laws, strict=True)), {"x": start["x"], "y": sym("a") / sym("b")}, names)
    program, at = lower(network), values
    k, y0 = prepare(program, np.array([at["a"], at["b"]]))
    assert y0.tolist() == pytest.approx([start["x"], at["a"] / at["b"]], rel=1e-14)
    f, j = program_equations(program, k)
    state = np.array([at["x"], at["y"]])
    expected = [value(e, at) for e in right_hand_side(network).values()]
    assert f(0.0, state).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    if program.jacobian:
        dense = np.zeros((2, 2))
        for (row, column), e in jacobian(network).items():
            dense["xy".index(row), "xy".index(column)] = value(e, at)
        np.testing.assert_allclose(j(0.0, state), dense, rtol=1e-7, atol=1e-8)


def test_rate_law_with_a_constant_function_is_lowered():
    """log(2) / 2 is a constant that is no plain number."""
    program = lower(equations({"x": -0.5 * log(2.0) * sym("x")}, {"x": 4.0}))
    k, y = prepare(program, np.zeros(0))
    f, j = program_equations(program, k)
    assert f(0.0, y)[0] == pytest.approx(-2 * math.log(2), rel=1e-14)
    assert j(0.0, y)[0, 0] == pytest.approx(-math.log(2) / 2, rel=1e-14)


def test_jacobian_of_a_constant_right_hand_side_is_zero():
    program = lower(equations({"x": 2.0, "y": sym("a")}, {"x": 0.0, "y": 0.0}, {"a": 3.0}))
    k, y = prepare(program, np.array([3.0]))
    f, j = program_equations(program, k)
    assert f(0.0, y).tolist() == [2.0, 3.0]
    assert j(0.0, y).tolist() == [[0.0, 0.0], [0.0, 0.0]]


NETWORKS = [receptor("IL2"), receptor("IL2", "IL15", audit=True), response("IL15")]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
def test_lowered_network_equals_direct_evaluation(network):
    program, draw = lower(network), np.random.default_rng(5)
    doses = {p: 10 ** draw.uniform(-2, 2) for p in network.parameter_names if p.endswith(("_dose", "_count"))}
    k, _ = prepare(program, model(network).lanes(doses)[0])
    f, j = program_equations(program, k)
    for _ in range(3):
        y = 10 ** draw.uniform(-2, 4, program.n_states)
        at = values_at(network, y, doses)
        # Fluxes cancel in the sums: what matters is the error relative to the largest flux of the species.
        size = {s: sum(abs(n * evaluate(part, at)) for r in network.reactions for part in (r.forward, r.reverse)
                       if (n := r.change.get(s, 0))) for s in program.states}  # fmt: skip
        for found, (name, e) in zip(f(0.0, y), right_hand_side(network).items(), strict=True):
            assert found == pytest.approx(evaluate(e, at), abs=1e-13 * size[name] + 1e-300), name
        dense = np.zeros((len(y), len(y)))
        for (row, column), e in jacobian(network).items():
            dense[program.states.index(row), program.states.index(column)] = evaluate(e, at)
        scale = abs(dense).max(axis=1, keepdims=True) + 1e-300  # the rows of the ledger are empty
        np.testing.assert_allclose(j(0.0, y) / scale, dense / scale, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
def test_jacobian_equals_finite_differences(network):
    program = lower(network)
    k, _ = prepare(program, model(network).lanes({"IL2RB_count": 100.0, "IL2RG_count": 50.0})[0])
    f, j = program_equations(program, k)
    y = np.random.default_rng(6).uniform(1, 100, program.n_states)
    for i, matrix_column in enumerate(j(0.0, y).T):
        step = np.where(np.arange(len(y)) == i, 1e-5 * y[i], 0.0)
        found = (f(0.0, y + step) - f(0.0, y - step)) / (2e-5 * y[i])
        np.testing.assert_allclose(found, matrix_column, rtol=1e-5, atol=1e-6, err_msg=program.states[i])


def test_observables_of_lanes_equal_direct_evaluation():
    network = response("IL2")
    m, draw = model(network), np.random.default_rng(7)
    y, values = draw.uniform(0, 100, (3, 2, m.program.n_states)), [{"IL2_dose": d} for d in (0.1, 1.0, 10.0)]
    tape, outputs = lower_expressions(network, [o.expr for o in network.observables])
    found = run(tape, {"y": y, "p": m.lanes(*values)[:, None, :]}, outputs)
    assert found.shape == (3, 2, len(network.observables))
    for lane, v in enumerate(values):
        expected = [evaluate(o.expr, values_at(network, y[lane, 1], v)) for o in network.observables]
        assert found[lane, 1].tolist() == pytest.approx(expected, rel=1e-12)


def test_renaming_carries_values_and_names():
    network = receptor("IL2")
    table = {name: f"{name}_new" for name in (*network.species_names, *network.parameter_names)}
    renamed = rename(network, table)
    assert set(renamed.species_names) == {table[s] for s in network.species_names}
    assert set(constants(renamed, {}).values()) == set(constants(network, {}).values())
    assert all(c.volume in ("", *renamed.parameter_names) for c in renamed.compartments)


def test_swapping_two_names_is_its_own_inverse():
    network, table = receptor("IL2"), {"IL2RB@surface": "IL2RG@surface", "IL2RG@surface": "IL2RB@surface"}
    assert rename(network, table) != network
    assert rename(rename(network, table), table) == network
