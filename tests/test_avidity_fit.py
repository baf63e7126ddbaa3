"""The tether as a free number of a fit of measured rings: the networks, the data, and what comes back."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from il2.engine.batch import parameter_rows
from il2.errors import Il2Error
from il2.fit.avidity import LOG_BOUND, REACH, SCALE, TETHER, TOLERANCES, chosen, network, rings
from il2.fit.block import predicted, rows
from il2.fit.free import native
from il2.knowledge.quantity import quantity
from il2.network.dimensions import check_units
from il2.receptor.avidity import bound_molecules

DOSES = (0.25, 2.5, 12.5, 63.0)


def equilibrium(kd: float, heads: int, per_cell: float, level: float, tether: float, reach: float) -> float:
    """Bound rings by mass action alone: the free chains are the root of what is bound plus what is free."""
    near = 1 / (quantity("avogadro").value * quantity("confinement_volume").value * tether)

    def bound(free: float) -> list[float]:
        out = [heads * level * free / kd]
        for j in range(1, heads):
            out.append(out[-1] * (heads - j) / (j + 1) * near * reach ** (j - 1) * free / kd)
        return out

    free = brentq(lambda r: r + sum(j * b for j, b in enumerate(bound(r), 1)) - per_cell, 0, per_cell, xtol=1e-12)
    return sum(bound(free))


def wells(tether: float, noise: float = 0.0, valencies=(1, 2, 4), scale: float = 0.01) -> list[dict[str, str]]:
    random, out = np.random.default_rng(3), []
    for clone, kd in (("strong", 20.0), ("weak", 800.0)):
        for heads in valencies:
            told = bound_molecules(kd, heads, 1e6, np.array(DOSES), tether) * scale
            told *= 10 ** (noise * random.standard_normal(len(told)))
            for level, value in ((0.0, 1e-9), *zip(DOSES, told, strict=True)):
                out.append(
                    {
                        "clone": clone, "kd_nM": str(kd), "valency": str(heads), "receptors_per_cell": "1e6",
                        "dose_nM": str(level), "fluorescence_au": str(value),
                    }
                )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def problem():
    return rings(candidates=[REACH], threads=1)


@pytest.mark.parametrize("heads", [1, 2, 4, 8])
@pytest.mark.parametrize("reach", [1.0, 0.3])
def test_networks_are_at_the_equilibrium_of_mass_action(problem, heads, reach):
    of = problem.blocks[[1, 2, 4, 8].index(heads)]
    x = problem.start()
    x[problem.place[REACH]] = math.log10(reach)
    values = native(problem.free, x)
    p = rows(of, problem.place, values)
    names = of.network.parameter_names
    told = predicted(of, p, 1)[:, 0, 0]
    for lane in range(of.lanes):
        kd, per_cell, level = (p[lane, names.index(n)] for n in ("KD_target", "target_count", "molecule_dose"))
        again = equilibrium(kd, heads, per_cell, level, quantity(TETHER).value, reach)
        assert told[lane] == pytest.approx(math.log10(again), abs=1e-5)


def test_without_candidates_the_networks_are_those_of_the_package():
    of = rings(["C5"], threads=1)
    values = native(of.free, of.start())
    for block in of.blocks:
        p = rows(block, of.place, values)
        names = block.network.parameter_names
        levels = p[:, names.index("molecule_dose")]
        again = bound_molecules(17.0, int(block.network.name.split("_")[1]), 3.8e6, levels)
        assert 10 ** predicted(block, p, 1)[:, 0, 0] == pytest.approx(again, rel=1e-5)


def test_units_and_late_time():
    for heads in (1, 8):
        check_units(network(heads))
    found = parameter_rows(network(2), {REACH: 0.5})
    assert found.shape[0] == 1 and TOLERANCES.rtol <= 1e-8


def test_what_is_free_and_its_priors(problem):
    tether, known = problem.free[problem.place[TETHER]], quantity(TETHER)
    assert tether.centre == known.value
    assert 10 ** (2 * 1.959964 * tether.spread) == pytest.approx(known.high / known.low)
    assert rings(prior=False).free[0].spread == math.inf
    assert TETHER not in {use.free for use in problem.blocks[0].uses}  # rings of one head have no tether
    for clone in ("C5", "B22"):
        assert {f"KD error {clone}", f"{SCALE} {clone}", f"noise {clone}"} <= set(problem.names)
    assert rings(["C5"]).n_points == 20 and problem.n_points == 40


def test_a_reading_as_without_rings_is_a_bound(problem):
    censored = {of.network.name: int((of.points.censored < 0).sum()) for of in problem.blocks}
    assert censored == {"rings_1": 1, "rings_2": 0, "rings_4": 0, "rings_8": 0}


def test_gradient(problem):
    x = problem.start()
    x[problem.place[REACH]] = -0.4
    x[problem.place[f"{SCALE} C5"]] = x[problem.place[f"{SCALE} B22"]] = -2.0
    _, slope = problem.log_density(x)
    for j in range(len(x)):
        step = np.zeros(len(x))
        step[j] = 1e-4
        ends = problem.log_density(x + step)[0] - problem.log_density(x - step)[0]
        assert slope[j] == pytest.approx(ends / 2e-4, rel=2e-3, abs=2e-2), problem.names[j]


@pytest.mark.parametrize("tether", [4.0, 300.0])
def test_a_tether_that_made_the_data_comes_back(tether):
    outcome = chosen(rings(prior=False, threads=1, wells=wells(tether, noise=0.03)), starts=1, points=10)
    assert outcome.values[TETHER] == pytest.approx(tether, rel=0.3)
    assert outcome.tether.low < 1.1 * tether and outcome.tether.high > tether / 1.1
    assert outcome.tether.high / outcome.tether.low < 20
    assert outcome.values[f"{SCALE} weak"] == pytest.approx(-2, abs=0.2)


def test_rings_of_one_head_say_nothing_of_the_tether():
    outcome = chosen(rings(threads=1, wells=wells(16.0, noise=0.03, valencies=(1,))), starts=1, points=10)
    (verdict,) = (v for v in outcome.verdicts if v.name == TETHER)
    assert not verdict.determined and "the prior decides" in verdict.text
    known = quantity(TETHER)
    assert (verdict.low, verdict.high) == pytest.approx((known.low, known.high), rel=0.1)


def test_measured_rings_agree_with_the_prior_and_do_not_change_it():
    """B22 alone, without the prior: its interval overlaps the literature range."""
    before = quantity(TETHER)
    outcome = chosen(rings(["B22"], prior=False, threads=1), starts=1, points=6)
    assert outcome.tether.low < before.high and outcome.tether.high > before.low
    assert quantity(TETHER) == before


def test_errors():
    with pytest.raises(Il2Error, match="unknown clone or candidate 'C6'"):
        rings(["C6"])
    with pytest.raises(Il2Error, match="'raech'"):
        rings(candidates=["raech"])
    assert LOG_BOUND in {o.name for o in network(8).observables}
