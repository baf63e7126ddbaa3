"""The collective model: units, balances, a second solver, and the scaling of the source with and without its terms."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from il2.engine.reference import solve_reference
from il2.errors import Il2Error
from il2.gene.collective import BOOST, CONCENTRATION, ENGAGED, IL2, PRODUCERS, PSTAT5, SECRETED, TAKEN_UP, collective
from il2.gene.scaling import VARIANTS, exponents, il2_course, producer_decay, scaling
from il2.network.conserve import conservation_laws
from il2.network.dimensions import check_units
from il2.network.program import lower

DOCS = Path(__file__).parents[1] / "docs" / "collective.md"
HOURS = np.linspace(0.0, 100.0, 101)


@pytest.fixture(scope="module")
def course():
    """A grid of 3 antigen doses and 3 cell numbers."""
    antigen, cells = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 3), np.geomspace(1e3, 1e5, 3)))
    return il2_course(antigen, cells, HOURS)


@pytest.fixture(scope="module")
def scalings():
    return {name: scaling(name) for name in VARIANTS}


@pytest.mark.parametrize("terms", VARIANTS.values(), ids=list(VARIANTS))
def test_units_agree(terms):
    check_units(collective(3, *terms))


def test_il2_that_is_secreted_is_free_bound_or_taken_up(course):
    states = dict(zip(course.network.species_names, np.moveaxis(course.y, -1, 0), strict=True))
    held = states[IL2] + states[TAKEN_UP] + sum(v for name, v in states.items() if name.startswith("IL2_bound"))
    assert states[SECRETED][:, -1].min() > 1e3
    np.testing.assert_allclose(held, states[SECRETED], rtol=1e-9, atol=1e-9)
    law = next(law for law in conservation_laws(course.network) if SECRETED in law)
    assert len(law) == 3 + 12 and law[SECRETED] == -1


def test_nothing_is_negative_and_shares_are_shares(course):
    assert course.y.min() > -1e-8
    for share in (PRODUCERS, PSTAT5, BOOST):
        assert course.read(share).min() >= 0 and course.read(share).max() <= 1 + 1e-6
    antigen = course.y[..., course.network.species_names.index("antigen")]
    assert np.diff(antigen, axis=1).max() < 1e-6 and (antigen[:, -1] < antigen[:, 0]).all()
    assert (course.read(ENGAGED) <= antigen + 1e-9).all()


def test_a_second_solver_agrees():
    times = np.array([20.0, 35.0, 60.0])
    mine = il2_course(1e9, 1e5, times, cohorts=2)
    other = solve_reference(lower(mine.network), mine.parameters, times, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(mine.y, other, rtol=2e-3, atol=1e-4)


def test_a_lane_does_not_depend_on_its_batch(course):
    alone = il2_course(1e10, 1e4, HOURS)
    np.testing.assert_array_equal(alone.y[0], course.y[5])


def test_exponents_of_the_full_model(scalings):
    """Published 0.76 and -0.10; a port of the equations gives 0.92 and +0.01, saturated conditions included."""
    full = scalings["full"]
    assert 0.6 <= full.every.antigen <= 0.95 and abs(full.every.cells) < 0.2
    assert full.every.antigen == pytest.approx(0.92, abs=0.05) and full.every.cells == pytest.approx(0.01, abs=0.05)
    assert 0.6 <= full.unsaturated.antigen <= 1.0 and abs(full.unsaturated.cells) < 0.2
    assert full.unsaturated.points < full.every.points == 35


def test_without_crosstalk_and_boost_it_fails_as_published(scalings):
    """Published +0.25 for cells and a ceiling near 10 pM; the port +0.26, 0.16 for antigen and 4 to 15 pM."""
    bare = scalings["neither"]
    assert bare.every.cells == pytest.approx(0.26, abs=0.03) and bare.every.antigen == pytest.approx(0.16, abs=0.03)
    ceiling = 1000 * bare.peaks_nM[:, -1]
    assert 4 < ceiling.min() < 5 and 14 < ceiling.max() < 17
    assert scalings["full"].peaks_nM[:, -1].min() > 10 * bare.peaks_nM[:, -1].max()


def test_crosstalk_lifts_the_ceiling_and_the_boost_alone_does_not(scalings):
    top = {name: s.peaks_nM[:, -1].max() for name, s in scalings.items()}
    assert top["no crosstalk"] < 1.1 * top["neither"] < 0.1 * top["no boost"] < 0.1 * top["full"]


def test_more_cohorts_change_little(scalings):
    finer = {name: scaling(name, cohorts=24).every for name in ("full", "neither")}
    for name, found in finer.items():
        assert found.antigen == pytest.approx(scalings[name].every.antigen, abs=0.02)
        assert found.cells == pytest.approx(scalings[name].every.cells, abs=0.02)


@pytest.mark.parametrize("steepness", [20.0, 100.0])
def test_the_steepness_of_thresholds_changes_little(scalings, steepness):
    found, usual = scaling(values={"collective_switch_steepness": steepness}).every, scalings["full"].every
    assert found.antigen == pytest.approx(usual.antigen, abs=0.02)
    assert found.cells == pytest.approx(usual.cells, abs=0.02)


def test_a_JAK_inhibitor_raises_il2():
    both = il2_course(1e8, np.array([1e3, 1e4, 1e5, 1e3, 1e4, 1e5]), HOURS, values={"JAK1": np.repeat([1.0, 0.0], 3)})
    peaks = both.read(CONCENTRATION).max(axis=1)
    assert (peaks[3:] > 2 * peaks[:3]).all()


def test_secretion_speeds_up_ten_to_thirtyfold_with_lasting_antigen():
    grown = il2_course(1e9, 1e3, np.array([20.0, 40.0, 60.0])).read(BOOST)[0]
    assert grown[0] < 0.1 < grown[1] and 10 < 1 + 29 * grown[2] < 30


def test_producers_outlast_antigen_longer_without_JAK_but_for_no_time_of_their_own():
    for rate in (4.0, 40.0):
        with_feedback, without = producer_decay(1e9, 40.0, rate)
        assert 5 < rate * with_feedback < 8 and 14 < rate * without < 18
    assert np.isnan(producer_decay(1e8, 40.0, 4.0)[0])


def test_exponents_find_a_power_law():
    antigen, cells = np.meshgrid(np.geomspace(1e7, 1e10, 4), np.geomspace(1e3, 1e5, 3))
    found = exponents(antigen, cells, 3e-6 * antigen**0.7 * cells**-0.2)
    assert found.antigen == pytest.approx(0.7) and found.cells == pytest.approx(-0.2) and found.spread < 1e-12
    assert np.isnan(exponents(antigen[0], cells[0], antigen[0]).cells)


def test_wrong_input_is_said():
    with pytest.raises(Il2Error, match="Did you mean 'collective_TCR"):
        il2_course(1e8, 1e4, HOURS, values={"collective_TCRs": 1.0})
    with pytest.raises(Il2Error, match="no crosstalk"):
        scaling("none")
    with pytest.raises(Il2Error, match="cohorts is 0"):
        collective(0)


def test_the_documented_example_prints_its_table(tmp_path):
    text = DOCS.read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        name = next(n for n in VARIANTS if line.startswith(n))
        figures = re.findall(r"[+-]?\d\.\d\d(?=[ ,])", line)[:4]
        row = next(r for r in text.splitlines() if r.startswith(f"| {name} |"))
        assert [c.strip() for c in row.split("|")[2:6]] == figures, name
