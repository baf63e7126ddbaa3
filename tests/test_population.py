"""Numbers of cells: books that close, times by their closed form, what IL-2 changes and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import factorial

import numpy as np
import pytest
from helpers import Model, examples, log_uniform, model
from hypothesis import given
from hypothesis import strategies as st

from il2.cell.cohort import named
from il2.cell.lanes import Courses, solve_wells
from il2.cell.population import (
    CELLS,
    DEAD,
    ENTRY_STAGES,
    GENERATIONS,
    RESTING,
    STAGES,
    START,
    Cues,
    dividing,
    population,
    stopped,
)
from il2.cell.well import Addition, Antigen, Cells, Well
from il2.engine.reference import solve_reference
from il2.experiments.divisions import DIVIDED, largest_fall, mean_divisions, precursors
from il2.knowledge.quantity import quantity
from il2.network.expression import num, sym
from il2.network.network import Observable, Parameter, Reaction, Species, check
from il2.network.part import with_quantities

NAMES = {
    "il2": "molecule/(cell*min)", "tcr": "dimensionless", "costimulation": "dimensionless",
    "competence": "dimensionless", "survival": "dimensionless", "killing": "dimensionless",
    "first_division_factor": "dimensionless", "destiny_added": "dimensionless",
}  # fmt: skip
CUES = tuple(NAMES)[:6]
FULL = dict.fromkeys(NAMES, 1.0) | {"il2": 20.0, "killing": 0.0, "destiny_added": 0.0, START: 1e5}
EARLY = [f"entering_{i}" for i in range(1, ENTRY_STAGES + 1)]
DAY_min, HOUR_min = 1440.0, 60.0
DAYS = DAY_min * np.array([0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0])


@cache
def alone() -> Model:
    """A population whose cues are parameters, with a count of all births and of all deaths as its rates tell them."""
    part = population(Cues(*(sym(name) for name in CUES)))
    cells = sym(CELLS) + sym("fewest_cells")
    n = part.network
    place = n.species[0].compartment
    counts = {"born": part.births, "died": part.deaths}
    whole = with_quantities(
        replace(
            n,
            species=(*n.species, *(Species(name, place, num(0.0), "cell") for name in counts)),
            parameters=(*n.parameters, *(Parameter(name, FULL[name], unit) for name, unit in NAMES.items())),
            reactions=(
                *n.reactions,
                *(Reaction(k, {k: 1}, v * cells, num(0.0), "cell/min") for k, v in counts.items()),
            ),
            observables=(*n.observables, Observable("death rate", part.deaths, "1/min")),
        )
    )
    return model(check(whole))


def values(**given: float) -> dict[str, float]:
    return FULL | given


def course(*lanes: dict[str, float], times: np.ndarray = DAYS) -> dict[str, np.ndarray]:
    """Species and observables (lanes, times) by name."""
    m = alone()
    y = m.solve(lanes, times).y
    return {name: m.state(y, name) for name in m.program.states} | m.observe(y, lanes)


def attained(found: dict[str, np.ndarray]) -> np.ndarray:
    """Divisions per cell of the start at the end, where none has died."""
    left = [found[f"generation_{g}"][:, -1] / 2.0**g for g in range(GENERATIONS + 1)]
    assert np.allclose(sum(left), FULL[START], rtol=1e-6)
    return sum(g * x for g, x in enumerate(left)) / FULL[START]


shares = st.floats(0.0, 1.0)


@given(log_uniform(-2, 3), shares, shares, shares, shares, shares, log_uniform(0, 6))
@examples(25)
def test_the_books_close(il2, tcr, costimulation, competence, survival, killing, start):
    cues = dict(zip(CUES, (il2, tcr, costimulation, competence, survival, killing), strict=True))
    found = course(values(**cues, **{START: start}))
    total = sum(found[f"generation_{g}"] for g in range(GENERATIONS + 1))
    ever = start + found["born"]
    assert np.allclose(total, found[CELLS], rtol=1e-9, atol=1e-9 * ever.max())
    assert np.allclose(found[CELLS] + found[DEAD], ever, rtol=1e-8)
    assert np.allclose(found[DEAD], found["died"], rtol=1e-6, atol=1e-6 * ever.max())
    assert all((x >= -1e-7 * ever.max()).all() for x in found.values())


def test_every_living_state_is_counted_in_one_generation():
    m = alone()
    every = {RESTING, *EARLY, *(stopped(g) for g in range(1, GENERATIONS + 1))}
    every |= {dividing(g, s) for g in range(1, GENERATIONS + 1) for s in range(1, STAGES + 1)}
    rng = np.random.default_rng(1)
    y = np.zeros((1, 1, len(m.program.states)))
    for name in every:
        y[..., m.program.states.index(name)] = rng.uniform(1, 9)
    seen = m.observe(y, [FULL])
    assert sum(float(seen[f"generation_{g}"][0, 0]) for g in range(GENERATIONS + 1)) == pytest.approx(y.sum())
    assert len(every) == 1 + ENTRY_STAGES + GENERATIONS * (STAGES + 1)


def test_an_independent_solver_agrees():
    m, lanes = alone(), [values(survival=0.6, killing=0.3), values(il2=0.5, tcr=0.0, costimulation=0.0, survival=0.3)]
    own = m.solve(lanes, DAYS).y
    other = solve_reference(m.program, m.lanes(*lanes), DAYS, rtol=1e-8, atol=1e-5, method="LSODA")
    assert np.allclose(own, other, rtol=1e-5, atol=0.1)


@pytest.mark.parametrize(
    ("first", "stages", "mean"),
    [(EARLY[0], ENTRY_STAGES, "first_division_time"), (dividing(1, 1), STAGES, "subsequent_division_time")],
)
@pytest.mark.parametrize("il2", [0.1, 100.0])
def test_times_to_division_are_erlang_whatever_the_dose(first, stages, mean, il2):
    """One cell at the first stage: the chance that it has not divided by a time, and its mean time."""
    m, hours = alone(), np.linspace(0.0, 400.0, 801)
    lane = [values(il2=il2, **{START: 0.0}) | {"division_destiny_innate": 20.0}]
    start = np.zeros((1, len(m.program.states)))
    start[0, [m.program.states.index(name) for name in (first, CELLS)]] = 1.0
    y = m.solve(lane, hours * HOUR_min, initial=start).y
    stage_names = EARLY if first == EARLY[0] else [dividing(1, s) for s in range(1, STAGES + 1)]
    waiting = m.state(y, *stage_names)[0]
    x = stages * hours / quantity(mean).value
    assert np.allclose(waiting, np.exp(-x) * sum(x**i / factorial(i) for i in range(stages)), atol=1e-7)
    assert np.trapezoid(waiting, hours) == pytest.approx(quantity(mean).value, rel=0.01)


def test_entry_follows_the_dose_and_is_the_share_of_thresholds_passed():
    """Without death the share that has entered is a Hill function of the sum of signals."""
    lanes = [values(il2=dose, tcr=0.0) for dose in (0.5, 2.0, 8.0, 32.0)]
    found = course(*lanes)
    entered = 1 - found[RESTING] / FULL[START]
    summed = np.array([lane["il2"] for lane in lanes])[:, None] * DAYS
    steep = quantity("cycle_entry_steepness").value
    passed = (summed / quantity("cycle_entry_threshold").value) ** steep
    assert np.allclose(entered, passed / (1 + passed), atol=1e-6)
    assert (np.diff(entered[:, 1:], axis=0) > 0).all()
    assert entered[-1, 2] > 2 * entered[0, 2]


def test_equal_sums_of_signals_bring_equal_shares_into_cycle():
    found = course(values(il2=30.0, tcr=0.0), values(il2=10.0, tcr=0.0), times=np.array([0.0, 500.0, 1500.0]))
    assert found[RESTING][0, 1] == pytest.approx(found[RESTING][1, 2], rel=1e-6)


@pytest.mark.parametrize(("innate", "within"), [(None, 0.15), (2.0, 0.05)])
def test_destiny_adds_up(innate, within):
    """Mean destiny by antigen with CD28, by IL-2, and by all of them (Marchingo 2014). Each cell that has entered
    divides once, so that what is small on its own looks larger; above that floor the sum is closer."""
    given = {} if innate is None else {"division_destiny_innate": innate}
    nothing = dict.fromkeys((f"division_destiny_by_{name}" for name in ("TCR", "CD28", "IL2")), 0.0)
    base, antigen, il2, both = attained(
        course(
            values(**nothing, **given), values(il2=0.0, **given), values(tcr=0.0, costimulation=0.0, **given),
            values(**given), times=DAY_min * np.array([0.0, 30.0]),
        )
    )  # fmt: skip
    assert both == pytest.approx(antigen + il2 - base, rel=within)
    assert both > max(antigen, il2) > min(antigen, il2) > base


def test_what_is_added_to_the_destiny_is_as_innate_and_needs_competence():
    added, innate, half = attained(
        course(
            values(destiny_added=1.5),
            values(division_destiny_innate=quantity("division_destiny_innate").value + 1.5),
            values(destiny_added=1.5, competence=0.5), times=DAY_min * np.array([0.0, 30.0]),
        )
    )  # fmt: skip
    (none,) = attained(course(values(), times=DAY_min * np.array([0.0, 30.0])))
    assert added == pytest.approx(innate, rel=1e-9)
    assert none + 1 < added < none + 2
    assert half < added - 1


def test_without_competence_no_cell_enters():
    found = course(values(competence=0.0))
    assert np.allclose(found[CELLS], FULL[START], rtol=1e-9)
    assert np.allclose(found["born"], 0.0)


def test_death_without_survival_signals_rises_with_division_number():
    """Cells of later generations die faster, and no cell dies under full survival without FAS (Ganusov 2007)."""
    m = alone()
    rates = []
    for name in (RESTING, EARLY[0], *(stopped(g) for g in (1, 3, 6))):
        y = np.zeros((1, 1, len(m.program.states)))
        y[..., [m.program.states.index(n) for n in (name, CELLS)]] = 1e6
        rates.append([float(m.observe(y, [values(survival=s)])["death rate"][0, 0]) for s in (0.0, 0.5, 1.0)])
    none, half, full = np.array(rates).T
    assert (np.diff(none) > 0).all()
    assert np.allclose(half, none / 2)
    assert (full == 0).all()
    hourly = quantity("death_rate_dividing").value + 3 * quantity("death_rate_per_division").value
    assert none[3] * HOUR_min == pytest.approx(hourly, rel=1e-6)


def test_FAS_kills_cells_in_cycle_whatever_their_survival_signals():
    found = course(values(), values(killing=1.0))
    assert found[DEAD][0, -1] == pytest.approx(0.0, abs=1e-6 * FULL[START])
    assert found[CELLS][1, -1] < found[CELLS][0, -1] / 5


@pytest.fixture(scope="module")
def cultures() -> dict[str, Courses]:
    """Blasts on little and on much IL-2, and T cells with antigen."""
    wells = {
        dose: Well((Cells("T_blast", 1e4, "T", without=("IL2",)),), additions=(Addition("IL2", dose),))
        for dose in (0.0001, 0.001, 1.0)
    }
    antigen = Well((Cells("Th", 1e5, "T"),), antigen=(Antigen(1e9),), presenting_cells=1e5, costimulation=1.0)
    times = np.array([0.0, 24.0, 48.0, 72.0, 120.0])
    found = solve_wells([*wells.values(), antigen], times, [*DIVIDED, CELLS])
    return dict(zip((*map(str, wells), "antigen"), found, strict=True))


def test_cells_of_a_culture_are_the_sum_of_their_generations(cultures):
    for found in cultures.values():
        total = sum(found[named("T", name)] for name in DIVIDED)
        assert np.allclose(total, found[named("T", CELLS)], rtol=1e-9)


def test_IL2_lets_more_blasts_in_and_keeps_more_alive(cultures):
    three = [cultures[dose] for dose in ("0.0001", "0.001", "1.0")]
    undivided = [(c[named("T", DIVIDED[0])] / precursors(c, "T"))[0, 2] for c in three]
    assert undivided == sorted(undivided, reverse=True)
    assert undivided[0] > 2 * undivided[-1]
    alive = [precursors(c, "T")[0, -1] for c in three]
    assert alive[-1] > 1.2 * alive[0]
    divisions = [mean_divisions(c, "T")[0, -1] for c in three]
    assert divisions == sorted(divisions)


def test_divisions_are_told_from_a_dye():
    """One cell that stays, one that became two of generation 1, half of one as four of generation 3."""
    counts = {0: 1.0, 1: 2.0, 3: 4.0}
    made = Courses({named("T", n): np.full((2, 3), counts.get(g, 0.0)) for g, n in enumerate(DIVIDED)}, ("", ""))
    assert np.allclose(precursors(made, "T"), 2.5)
    assert np.allclose(mean_divisions(made, "T"), (1 * 1 + 3 * 0.5) / 2.5)


def test_largest_fall_of_a_dose_series():
    curves = np.array([[0.0, 1.0, 2.0], [0.0, 4.0, 3.0], [2.0, 1.0, 0.0], [0.0, np.nan, 1.0]])
    assert largest_fall(curves)[:3] == pytest.approx([0.0, 0.25, 0.5])
    assert np.isnan(largest_fall(curves)[3])
