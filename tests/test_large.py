"""Networks beyond straight-line code: which code is chosen, that both agree, and that 1,000 species solve."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from helpers import equations
from scipy.integrate import solve_ivp
from scipy.sparse import csc_array

from il2.engine import chunks, evaluate, kernel, rodas5p, sparse
from il2.engine.compile import build, compiled, lane_width
from il2.engine.elimination import eliminate, markowitz, symbolic
from il2.engine.solve import Solution, Tolerances, solve
from il2.errors import Il2Error
from il2.network.expression import exp, log, power, sym
from il2.network.network import Network
from il2.network.program import Program, lower
from il2.network.synthetic import synthetic
from il2.signalling.response import response

TIMES = np.array([0.0, 1.0, 10.0])
X, Y, A, B = (sym(name) for name in ("x", "y", "a", "b"))
GENERAL = equations(
    {"x": A / (1 + power(Y / B, 2.7)) - power(X, 0.5), "y": exp(-X) * log(1 + X * B) - 0.3 * Y / (0.2 + Y), "z": 0.0},
    {"x": log(A) + B, "y": 0.5, "z": 2.0}, {"a": 2.0, "b": 0.8},
)  # fmt: skip


@cache
def program(species: int, reactions: int, reach: int | None = None, conserved: bool = True) -> Program:
    return lower(synthetic(species, reactions, reach=reach, conserved=conserved))


def rows(lanes: int, size: int = 5) -> np.ndarray:
    return 10 ** np.random.default_rng(7).uniform(-0.5, 0.5, (lanes, size))


def close(one: Solution, other: Solution) -> None:
    """Equal to rounding: the same steps, and states that agree far below the tolerance."""
    assert not one.status.any() and not other.status.any()
    assert (one.accepted == other.accepted).all() and (one.rejected == other.rejected).all()
    np.testing.assert_allclose(one.y, other.y, rtol=1e-11, atol=1e-13 * np.abs(other.y).max())


# --- the two forms agree -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("conserved", [True, False])
@pytest.mark.parametrize("width", [2, 4, 8])
def test_looped_code_equals_straight_code_to_rounding(width: int, conserved: bool):
    p = program(40, 80, None, conserved)
    one, two = (solve(p, rows(11), TIMES, width=width, form=form) for form in ("straight", "looped"))
    close(one, two)


def test_looped_code_equals_straight_code_on_the_response_network():
    network = response("IL2")
    p, row = lower(network), np.array([list(network.defaults().values())])
    close(*(solve(p, row.repeat(5, axis=0), TIMES, form=form) for form in ("straight", "looped")))


def test_general_rate_laws_and_idle_states_work_in_loops():
    values = np.array([[2.0, 0.8], [5.0, 0.3], [0.5, 2.0]])
    close(*(solve(lower(GENERAL), values, TIMES, form=form) for form in ("straight", "looped")))


def test_network_without_jacobian_works_in_loops():
    network = equations({"x": A, "y": 0.0}, {"x": 0.0, "y": 1.0}, {"a": 2.0})
    found = solve(lower(network), np.array([[2.0]]), TIMES, form="looped")
    np.testing.assert_allclose(found.y[0], np.stack([2 * TIMES, np.ones(3)], axis=-1), rtol=1e-12)


def test_looped_results_have_the_same_bits_for_any_width_and_number_of_threads():
    p = program(40, 80)
    found = [solve(p, rows(40), TIMES, form="looped", width=w, threads=t) for w, t in ((2, 1), (4, 1), (4, 3), (8, 2))]
    assert all(found[0].y.tobytes() == other.y.tobytes() for other in found[1:])


@pytest.mark.parametrize("off", [0.0, 1e-12, -1e-12])
def test_vanishing_pivot_of_looped_code_goes_to_the_pivoting_path(off: float):
    network = equations({"x": A * X + Y, "y": X}, {"x": 1.0, "y": 0.0}, {"a": 1.0})
    first = Tolerances(rtol=1e-9, atol=1e-9, first_step=(1 + off) / rodas5p.GAMMA)
    found = solve(lower(network), np.array([[1.0], [-0.5]]), np.array([10.0]), tolerances=first, form="looped")
    assert found.repivoted.tolist() == [True, False] and not found.status.any()


def test_unknown_form_is_refused():
    with pytest.raises(Il2Error, match="form"):
        solve(program(40, 80), rows(1), TIMES, form="round")


# --- the parts -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("length", [1, 7, 100, 10**6])
def test_chunks_compute_the_tape(length: int):
    """Chunks run one after another, by NumPy: every operation once, each in a chunk after what it needs."""
    p = program(40, 80)
    found = list(chunks.cut(p.rates, {"x": p.derivative}, length))
    done: set[int] = set()
    for chunk in found:
        for v in chunk.values:
            needed = [a for a in kernel.operands(p.rates.ops[v]) if p.rates.ops[a][0] not in ("const", "load")]
            assert v not in done and done.issuperset(needed)
            done.add(v)
    bounds = [chunk.outputs["x"] for chunk in found if "x" in chunk.outputs]
    assert [lo for lo, _ in bounds] == [0, *(hi for _, hi in bounds[:-1])] and bounds[-1][1] == p.n_states
    assert (len(found) == 1) == (length > len(p.rates.ops))


def test_pattern_holds_what_the_straight_elimination_stores():
    p = program(40, 80)
    found = sparse.pattern(p)
    assert tuple(found.order) == markowitz(p.n_states, set(p.jacobian)) == eliminate(p).order
    assert len(found.left) + len(found.upper) + p.n_states == len(eliminate(p).entries)


def test_order_of_a_full_remainder_is_that_of_the_count():
    steps = symbolic(5, {(i, j) for i in range(1, 5) for j in range(1, 5)} | {(0, 1)})
    assert [p for p, _, _ in steps] == [0, 1, 2, 3, 4]
    assert [len(below) for _, below, _ in steps] == [0, 3, 2, 1, 0]


# --- the choice by size, and large networks ------------------------------------------------------------------------
def test_form_is_chosen_by_the_number_of_operations(monkeypatch: pytest.MonkeyPatch):
    small = program(40, 80)
    assert not sparse.large(small) and sparse.large(program(200, 600)) and sparse.large(program(200, 600, 30))
    width = lane_width(small)
    assert build(small, width) == build(small, width, "straight")
    monkeypatch.setattr(sparse, "LARGE", 100)
    assert build(small, width) == build(small, width, "looped")


def mass_action(network: Network, row: np.ndarray) -> tuple[Callable, Callable, np.ndarray]:
    """f and sparse Jacobian for SciPy, from the program by NumPy."""
    p = lower(network)
    k, y = evaluate.prepare(p, row)
    f, _ = evaluate.equations(p, k)
    at = np.array(list(p.jacobian)).T

    def j(_t: float, y: np.ndarray) -> csc_array:
        values = evaluate.run(p.rates, {"y": y, "k": k}, list(p.jacobian.values()))
        return csc_array((values, tuple(at)), shape=(p.n_states, p.n_states))

    return f, j, y


@pytest.mark.parametrize("reach", [None, 30])
def test_200_species_and_600_reactions_compile_and_solve(
    reach: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("IL2_CACHE", str(tmp_path))
    network = synthetic(200, 600, reach=reach)
    started = time.perf_counter()
    p = lower(network)
    assert not compiled(p).from_disk
    assert time.perf_counter() - started < 20
    found = solve(p, rows(6), TIMES)
    assert not found.status.any()
    units = np.array([2 if i % 3 == 2 else 1 for i in range(200)])
    np.testing.assert_allclose(found.y @ units, (found.y[:, :1] @ units).repeat(3, 1), rtol=1e-10)
    f, j, y = mass_action(network, rows(6)[2])
    expected = solve_ivp(f, (0, 10), y, "BDF", t_eval=TIMES, jac=j, rtol=1e-5, atol=1e-7).y.T
    np.testing.assert_allclose(found.y[2], expected, rtol=1e-3, atol=1e-4)


def test_1000_species_and_3000_reactions_compile_and_solve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IL2_CACHE", str(tmp_path))
    started = time.perf_counter()
    p = lower(synthetic(1000, 3000, reach=30))
    assert sparse.large(p) and not compiled(p).from_disk
    assert time.perf_counter() - started < 60
    found = solve(p, rows(2), np.array([10.0]))
    assert not found.status.any()
    units = np.array([2 if i % 3 == 2 else 1 for i in range(1000)])
    _, start = evaluate.prepare(p, rows(2))
    np.testing.assert_allclose(found.y[:, 0] @ units, start @ units, rtol=1e-10)
    tight = solve(p, rows(2)[:1], np.array([10.0]), tolerances=Tolerances(1e-9, 1e-11)).y[0, 0]
    np.testing.assert_allclose(found.y[0, 0], tight, rtol=1e-4)
