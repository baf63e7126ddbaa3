"""One rule for autoimmune disease: signs that must hold for every preset, and harm that must be possible."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from il2.engine.batch import parameter_rows
from il2.engine.observe import readouts
from il2.engine.schedule import run
from il2.errors import Il2Error
from il2.knowledge.quantity import quantities, quantity
from il2.network.dimensions import check_units
from il2.network.expression import sym, symbols
from il2.network.network import Network, Parameter, compose
from il2.patient.autoimmunity import (
    ALLOANTIGEN,
    CHANGE,
    EFFECTORS,
    FUNCTION,
    INDEX,
    NEURONS,
    RATIO,
    SUPPRESSION,
    autoimmunity,
    disease,
    diseases,
)
from il2.patient.outcome import outcome

CELLS = ("Th", "CD8", "Treg")
SHARE = "dimensionless"
OBSERVED = (EFFECTORS, SUPPRESSION, RATIO, CHANGE)
DAYS = np.linspace(0, 168, 25)
WEAK = ("Alzheimer disease", "Parkinson disease", "multiple sclerosis", "ALS")


@pytest.fixture(scope="module")
def network():
    pools = tuple(Parameter(f"pool_{j}", 1.0, SHARE) for j in CELLS)
    programmes = tuple(Parameter(f"excess_{j}", 0.0, SHARE) for j in CELLS)
    stub = Network("stub", parameters=(*pools, *programmes))
    return compose("patient", stub, autoimmunity({j: sym(f"excess_{j}") for j in CELLS}))


def course(network, values, days=DAYS):
    rows = parameter_rows(network, values)
    found = run(network, rows, days, threads=1)
    assert set(found.status) == {"done"}, found.reason(0)
    seen = readouts(network, OBSERVED, found.y, rows)
    out = {name: seen[..., i] for i, name in enumerate(OBSERVED)}
    return out | {name: found.y[..., i] for i, name in enumerate(network.species_names)}


def doses(size=25):
    """Doses over the half-way dose of Treg, and what they do: Treg answer 30 times sooner than Th, 100 than CD8."""
    dose = np.concatenate([[0.0], np.geomspace(0.03, 1000, size - 1)])
    x = {j: dose / (dose + k) for j, k in (("Treg", 1.0), ("Th", 30.0), ("CD8", 100.0))}
    grown = {"Treg": 4.0, "Th": 2.0, "CD8": 3.0}
    return {f"excess_{j}": v for j, v in x.items()} | {f"pool_{j}": 1 + grown[j] * v for j, v in x.items()}


def test_units(network):
    check_units(network)


def test_it_names_only_what_the_patient_has():
    part = autoimmunity({j: sym(f"excess_{j}") for j in CELLS})
    named = set().union(*(symbols(r.rate) for r in part.reactions), *(symbols(o.expr) for o in part.observables))
    free = named - set(part.parameter_names) - set(part.species_names) - {d.name for d in part.derived}
    assert free == {*(f"pool_{j}" for j in CELLS), *(f"excess_{j}" for j in CELLS)}


def test_a_healthy_person_stays_at_one(network):
    seen = course(network, {ALLOANTIGEN: np.zeros(1)})
    assert np.allclose(seen[INDEX], 1) and np.allclose(seen[CHANGE], 0) and np.allclose(seen[NEURONS], 1)


@pytest.mark.parametrize("name", diseases())
def test_untreated_disease_rests_above_a_healthy_person(network, name):
    seen = course(network, {k: np.array([v]) for k, v in disease(name).values.items()})
    assert np.allclose(seen[INDEX], seen[INDEX][:, :1], rtol=1e-6) and seen[INDEX][0, 0] > 1.2


@pytest.mark.parametrize("name", diseases())
def test_low_doses_help_and_the_window_closes(network, name):
    index = course(network, disease(name).values | doses())[INDEX][:, -1]
    lowest = int(index.argmin())
    assert 0 < lowest < len(index) - 1
    assert index[lowest] < 0.8 * index[0], "the best dose lowers the index by a fifth or more"
    assert (np.diff(index[: lowest + 1]) < 0).all() and (np.diff(index[lowest:]) > 0).all()
    assert index[-1] > index[0], "the highest dose does harm"


def test_high_doses_raise_effectors_in_multiple_sclerosis(network):
    seen = course(network, disease("multiple sclerosis").values | doses())
    assert (np.diff(seen[EFFECTORS][:, -1]) > 0).all() and seen[EFFECTORS][-1, -1] > 2


@pytest.mark.parametrize("name", diseases())
def test_less_Treg_function_or_fewer_Treg_worsen_every_disease(network, name):
    """Halved function, and halved IL-2, which leaves fewer Treg, at rest or later."""
    levels = np.array([1.0, 0.75, 0.5, 0.25, 0.0])
    for change in ({FUNCTION: levels}, {"pool_Treg": levels}, {"excess_Treg": (levels - 1) / 5}):
        assert (np.diff(course(network, disease(name).values | change)[INDEX][:, -1]) > 0).all(), change


def test_alloantigen_turns_the_same_IL2_from_help_to_harm(network):
    """Complexes that reach Treg and CD8 cells: better without alloantigen, worse with it; alone it changes nothing."""
    given = {"pool_Treg": 4.0, "excess_Treg": 0.9, "pool_CD8": 1.5, "excess_CD8": 0.5}
    allo = np.linspace(0, 1, 5)
    base = disease("chronic GVHD").values
    index = course(network, base | given | {ALLOANTIGEN: allo})[INDEX][:, -1]
    start = course(network, base | {ALLOANTIGEN: allo})[INDEX][:, -1]
    assert np.allclose(start, start[0])
    assert index[0] < 0.8 * start[0] and index[-1] > 1.1 * start[0] and (np.diff(index) > 0).all()


def test_Treg_spared_of_CD8_drive_help_even_with_alloantigen(network):
    given = {"pool_Treg": np.array([4.0]), ALLOANTIGEN: 1.0} | disease("chronic GVHD").values
    assert course(network, given)[CHANGE][0, -1] > 0.3


def test_effector_activity_is_positive_below_rest(network):
    """Blocked IL-2 takes programmes below rest."""
    seen = course(network, {"excess_Th": np.array([-1.0]), "excess_CD8": -1.0, "excess_Treg": -1.0, "pool_Treg": 0.0})
    assert (seen[EFFECTORS] > 0).all() and (seen[INDEX] > 0).all() and (seen[SUPPRESSION] > 0).all()


@pytest.mark.parametrize("name", ["Alzheimer disease", "Parkinson disease", "ALS"])
def test_neurons_are_lost_with_the_index_and_low_doses_lose_no_more(network, name):
    seen = course(network, disease(name).values | doses(), np.array([0.0, 365.0, 730.0]))
    left = seen[NEURONS][:, -1]
    assert ((left > 0) & (left < 1)).all()
    assert np.corrcoef(seen[INDEX][:, -1], -np.log(left))[0, 1] > 0.95
    assert left[int(seen[INDEX][:, -1].argmin())] > left[0] > left[-1]


def test_the_index_moves_with_its_time_constant(network):
    values = disease("lupus").values | {"pool_Treg": np.array([3.0])}
    seen = course(network, values, np.array([0.0, disease("lupus").values["disease_time"], 1000.0]))[INDEX][0]
    assert (seen[0] - seen[1]) / (seen[0] - seen[2]) == pytest.approx(1 - np.exp(-1), rel=1e-3)


def test_a_second_solver_agrees(network):
    q = {n: quantity(n).value for n in network.parameter_names if n in quantities()} | disease("type 1 diabetes").values
    pool, x, allo = {"Th": 1.3, "CD8": 1.8, "Treg": 2.5}, {"Th": 0.2, "CD8": 0.3, "Treg": 0.7}, 0.4
    gain, w, c = q["effector_activity_per_programme"], q["Treg_weight"], q["CD8_share_of_damage"]
    treg = q["Treg_share_of_normal"] * pool["Treg"] * np.exp(q["Treg_activity_per_programme"] * x["Treg"])
    effect = (1 - c) * pool["Th"] * np.exp(gain * x["Th"]) + c * pool["CD8"] * np.exp(
        (gain + q["alloreactivity_per_programme"] * allo) * x["CD8"]
    )
    d, start = q["autoantigen_drive"] * (1 + w), 1 + w * q["Treg_share_of_normal"]
    other = solve_ivp(
        lambda _, y: (d * effect / (1 + w * treg) - y) / q["disease_time"], (0, 50), [d / start], rtol=1e-9
    )
    given = {f"pool_{j}": v for j, v in pool.items()} | {f"excess_{j}": np.array([v]) for j, v in x.items()}
    values = disease("type 1 diabetes").values | given | {ALLOANTIGEN: allo}
    assert course(network, values, np.array([0.0, 50.0]))[INDEX][0, -1] == pytest.approx(other.y[0, -1], rel=1e-4)


def test_what_is_weak_says_so():
    assert all(disease(name).evidence == "direction" for name in WEAK)
    named = {q for d in diseases().values() for q in d.quantities.values() if q}
    assert all(quantity(q).grade == "assumed" and quantity(q).layer == "disease" for q in named)


def test_an_unknown_disease_is_one_message():
    with pytest.raises(Il2Error, match="Did you mean 'lupus'"):
        disease("lupos")


def test_relief_of_lupus_feeds_the_link_in_the_right_direction(network):
    change = course(network, disease("lupus").values | {"pool_Treg": np.array([1.0, 2.0, 4.0])})[CHANGE][:, -1]
    assert (np.diff(outcome("SRI-4").of(change)) > 0).all()
