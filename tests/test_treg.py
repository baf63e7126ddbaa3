"""The long-term balance of Treg: turnover, what each knock-out leaves, and a second opinion on the numbers."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from il2.cell.lanes import solve_wells
from il2.cell.simulate import simulate
from il2.cell.treg import (
    CTLA4_NORMAL,
    DEPLETION,
    FOR_DIVISION,
    FOR_SURVIVAL,
    GIVEN,
    IL2,
    IL15,
    KNOCKOUTS,
    MADE,
    MEMORY,
    NAIVE,
    PSTAT5,
    SUPPRESSION,
    TREG,
    UPTAKE,
    at_rest,
    balance,
    deaths,
    share,
    treg_cell,
)
from il2.cell.treg_course import Turn, balance_ranges, follow
from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run as evaluated
from il2.engine.steady import steady
from il2.errors import Il2Error
from il2.experiments.e26_treg_upkeep import SUPPLIES
from il2.experiments.sample import draw
from il2.experiments.suppression import ALONE, NO_CAPTURE, WITH_IL2, wells
from il2.knowledge.quantity import quantity
from il2.network.dimensions import check_units
from il2.network.expression import sym
from il2.network.program import lower_expressions
from il2.receptor.model import dose, system
from il2.receptor.trafficking import count

DAYS = np.array([0.0, 14, 28, 84, 730])
START, WEEKS_2, WEEKS_4, WEEKS_12, YEARS_2 = range(5)
PLANS = {
    "normal": (),
    **{gene: (Turn(change),) for gene, change in KNOCKOUTS.items()},
    "IL2 and IL15": (Turn(KNOCKOUTS["IL2"] | KNOCKOUTS["IL15"]),),
    "block": (Turn({share("IL2RA"): quantity("IL2RA_free_under_block").value}),),
    "given": (Turn({GIVEN: 1e-5}),),
    "depleted": (Turn({DEPLETION: 2.0}),),
    "back": (Turn({DEPLETION: 2.0}), Turn({DEPLETION: 0.0}, 84.0)),
    **{f"{x:g}": (Turn({MADE: x}),) for x in SUPPLIES},
}
WANTED = (TREG, MEMORY, NAIVE, IL2, SUPPRESSION, *(deaths(n) for n in (TREG, MEMORY, NAIVE)))


@pytest.fixture(scope="module")
def courses():
    found = follow(PLANS, DAYS, WANTED)
    return {plan: {name: values[0] for name, values in c.items()} for plan, c in found.items()}


def treg(courses, plan, when):
    return courses[plan][TREG][when]


def test_units_agree():
    check_units(balance())


def test_the_normal_state_rests(courses):
    for name in (TREG, MEMORY, NAIVE):
        assert courses["normal"][name] == pytest.approx(1.0, abs=0.005)
    assert courses["normal"][IL2] == pytest.approx(1e-3 * quantity("tissue_IL2_at_rest").value, rel=0.01)


def test_the_normal_state_rests_in_draws():
    sample = draw(balance_ranges(), 20, seed=1, probe=False)
    found = follow({"normal": ()}, np.array([0.0, 365]), (TREG, MEMORY), sample.values)["normal"]
    assert found[TREG].shape == (21, 2)
    assert found[TREG] == pytest.approx(1.0, abs=0.05)
    assert found[MEMORY] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("name", "days", "low", "high"), [(TREG, 8, 6, 12), (MEMORY, 24, 18, 32), (NAIVE, 199, 140, 1500)]
)
def test_turnover_is_that_of_labelling(courses, name, days, low, high):
    """T083 to T085: doubling times of vukmanovic_stejic2006."""
    doubling = np.log(2) / courses["normal"][deaths(name)][YEARS_2]
    assert low <= doubling <= high
    assert doubling == pytest.approx(days, rel=0.3)


def test_neutralising_IL2_costs_treg_and_spares_others(courses):
    """T087: 30 to 70 % of Treg, less than 10 % of the other CD4 T cells."""
    assert 0.3 <= treg(courses, "IL2", WEEKS_2) <= 0.7
    for name in (MEMORY, NAIVE):
        assert courses["IL2"][name][WEEKS_2] == pytest.approx(1.0, abs=0.1)


def test_order_of_loss(courses):
    """T088: IL2RB before IL2, and IL2RA no worse than IL2, at each time."""
    for when in (WEEKS_2, WEEKS_4, WEEKS_12, YEARS_2):
        assert treg(courses, "IL2RB", when) < treg(courses, "IL2", when) <= treg(courses, "IL2RA", when) < 1


def test_treg_persist_without_IL2_or_IL2RA_alone(courses):
    """T089; every other way to silence IL2RB ends them."""
    assert treg(courses, "IL2", YEARS_2) > 0.05
    assert treg(courses, "IL2RA", YEARS_2) > 0.3
    for gone in ("IL2RB", "IL2RG", "JAK1", "JAK3", "IL2 and IL15"):
        assert treg(courses, gone, YEARS_2) < 1e-3, gone


def test_IL15_alone_is_not_needed_for_good(courses):
    assert treg(courses, "IL2 and IL15", WEEKS_4) < treg(courses, "IL2", WEEKS_4)
    assert treg(courses, "IL15", YEARS_2) > treg(courses, "IL2", YEARS_2)


def test_weeks_of_IL2RA_block_cost_less_than_half(courses):
    """T090."""
    assert 0.5 < treg(courses, "block", WEEKS_4) < 1


def test_IL2_that_IL2RA_would_take_is_left(courses):
    assert courses["IL2RA"][IL2][WEEKS_2] > 5 * courses["normal"][IL2][WEEKS_2]
    assert courses["IL2"][IL2][WEEKS_2] < 1e-3 * courses["normal"][IL2][WEEKS_2]


def test_more_IL2_more_treg(courses):
    found = [treg(courses, f"{x:g}", WEEKS_4) for x in SUPPLIES] + [courses["IL2"][TREG][WEEKS_4]]
    assert found == sorted(found, reverse=True)
    assert treg(courses, "given", WEEKS_4) > 1.1
    assert courses["given"][SUPPRESSION][WEEKS_2] > 1 > courses["0.5"][SUPPRESSION][WEEKS_2]


def test_treg_hold_effector_cells_and_come_back(courses):
    assert courses["depleted"][MEMORY][WEEKS_12] > 1.4
    assert courses["depleted"][IL2][WEEKS_4] > 5 * courses["normal"][IL2][WEEKS_4]
    assert treg(courses, "back", WEEKS_12) < 0.1
    assert treg(courses, "back", YEARS_2) == pytest.approx(1.0, abs=0.02)
    assert courses["back"][MEMORY][YEARS_2] < 1.05


def test_pSTAT5_is_that_of_the_receptor_layer():
    normal = at_rest()
    of = system("IL2")
    doses = np.array([quantity(q).value for q in ("tissue_IL2_at_rest", "Treg_survival_EC50")]) / 1e3
    values = {count(c): normal[count(c)] for c in of.chains} | {dose("IL2"): doses}
    late = simulate(of, values, np.array([1e5])).pstat5[:, 0]
    assert [normal[PSTAT5][0], normal[FOR_SURVIVAL][0]] == pytest.approx(late, rel=1e-4)


def test_second_opinion_with_receptors_at_rest(courses):
    """Three numbers and quasi-steady IL-2, solved by SciPy, on a table of uptake and pSTAT5 over the dose."""
    network = treg_cell()
    doses = np.concatenate([[1e-9], np.logspace(-6, -1, 120)])
    known = at_rest()
    rows = {name: np.broadcast_to(v, doses.shape) for name, v in known.items() if name.endswith("_count")}
    parameters = parameter_rows(network, rows | {dose("IL2"): doses})
    expressions = {o.name: o.expr for o in network.observables}
    tape, places = lower_expressions(network, [expressions["pstat5"], expressions["uptake"], sym("CTLA4")])
    p, uptake, ctla4 = evaluated(tape, {"y": steady(network, parameters).y, "p": parameters}, places).T

    q = {name: quantity(name).value for name in (
        "Treg_death_rate", "Treg_thymic_share", "Treg_development_without_IL2", "Treg_survival_without_IL2",
        "Treg_division_by_IL2_share", "CD4_memory_death_rate", "CD4_memory_by_activation_share",
        "Treg_contact_suppression", "Treg_per_presenting_cell", "T_zone_cell_density", "blood_Treg_count",
        "blood_CD4_count", "blood_CD8_count", "avogadro", "extracellular_IL2_decay", "tissue_IL2_at_rest",
    )}  # fmt: skip
    p0, half, half_division, u0, c0 = (
        known[n][0] for n in (PSTAT5, FOR_SURVIVAL, FOR_DIVISION, UPTAKE, CTLA4_NORMAL)
    )  # fmt: skip
    crowd = q["blood_Treg_count"] / (q["blood_CD4_count"] + q["blood_CD8_count"])
    density = q["T_zone_cell_density"] * crowd / q["avogadro"]
    decay = q["extracellular_IL2_decay"] / 60
    making = density * u0 + decay * q["tissue_IL2_at_rest"] / 1e3
    contact = q["Treg_contact_suppression"] * q["Treg_per_presenting_cell"]
    supply, f = 0.5, q["Treg_survival_without_IL2"]

    def rates(_t, y):
        treg, memory = y
        level = np.interp(supply * making * memory, density * treg * uptake + decay * doses, doses)
        x, c = np.interp(level, doses, p), np.interp(level, doses, ctla4)
        h, h0 = x / (x + half), p0 / (p0 + half)
        r = (x / (x + half_division)) / (p0 / (p0 + half_division))
        d, new = q["Treg_death_rate"], q["Treg_thymic_share"]
        highest = d / (1 - f - (1 - f) * h0)
        base, driven = q["Treg_development_without_IL2"], q["Treg_division_by_IL2_share"]
        dt = d * new * (base + (1 - base) * h / h0) + d * (1 - new) * (1 - driven + driven * r) * treg
        dt -= highest * (1 - f - (1 - f) * h) * treg
        helped = (1 + contact * c0) / (1 + contact * treg * c)
        old = q["CD4_memory_death_rate"] * q["CD4_memory_by_activation_share"]
        return [dt, old * (helped - memory)]

    found = solve_ivp(rates, (0, 730), [1.0, 1.0], t_eval=DAYS, method="LSODA", rtol=1e-8).y
    assert found[0] == pytest.approx(courses["0.5"][TREG], rel=0.02)
    assert found[1] == pytest.approx(courses["0.5"][MEMORY], rel=0.02)


def test_a_variant_that_cannot_be_solved_is_missing_and_the_others_are_kept():
    values = {"Treg_death_rate": np.array([0.087, np.nan, 0.1])}
    found = follow({"normal": ()}, np.array([0.0, 1.0]), (TREG,), values)["normal"][TREG]
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[[0, 2]]).all()


def test_unknown_names_are_told():
    with pytest.raises(Il2Error, match="no readout 'Tregs'"):
        follow({"normal": ()}, DAYS, ("Tregs",))
    with pytest.raises(Il2Error, match="no parameter 'IL2RA'"):
        follow({"x": (Turn({"IL2RA": 0.0}),)}, DAYS, (TREG,))


def test_suppression_of_CD4_T_cells_in_a_well():
    """T095 and the assay, for CD4: it rises with Treg, is lost in part with IL-2, and is kept without capture."""
    every = wells("Th")
    found = solve_wells(list(every.values()), np.array([0.0, 72]), ["cells"])
    left = {name: c["Th:cells"][0, -1] for name, c in zip(every, found, strict=True)}
    dose_ = [1 - left[name] / left[ALONE] for name in (ALONE, "0.25", "0.5", "1")]
    assert dose_ == sorted(dose_)
    assert dose_[-1] > 0.3
    assert 1 - left[WITH_IL2] / left[f"{ALONE}, {WITH_IL2}"] < 0.6 * dose_[-1]
    assert 1 - left[NO_CAPTURE] / left[ALONE] > 0.5 * dose_[-1]


def test_names():
    assert share("IL2RA") in balance().parameter_names
    assert {MADE, GIVEN, IL15, DEPLETION} <= set(balance().parameter_names)
