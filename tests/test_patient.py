"""The core of the patient: drugs are conserved, cells sense through the receptor layer, both forms agree."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import equations, prepare
from il2.engine.solve import Tolerances, solve
from il2.errors import Il2Error
from il2.knowledge.drug import drug, drugs
from il2.knowledge.person import person
from il2.network.dimensions import check_units
from il2.network.expression import evaluate, num, sym
from il2.network.network import Compartment, Network, Parameter, Reaction, Species, check, right_hand_side
from il2.network.program import lower
from il2.patient.agreement import agreement
from il2.patient.answer import BARE, CELLS, WHOLE, CURVE_nM, answers, curves, signal_basis, uptake_basis
from il2.patient.course import follow, lowered, plan_of
from il2.patient.dose import dose
from il2.patient.module import modules
from il2.patient.numbers import numbers
from il2.patient.occupancy import half_occupancy
from il2.patient.patient import Plan, patient
from il2.patient.pharmacokinetics import from_half_lives, kinetic_values, passing
from il2.patient.pools import blood, pool
from il2.patient.regimen import Course, Regimen
from il2.patient.regimen_file import regimen

DAYS_28 = np.arange(0, 28.01, 0.25)


def once(name, amount, route="sc", **more):
    return Regimen("once", "one course", (Course(name, dose(amount), route, **more),))


@pytest.mark.parametrize("names", [("aldesleukin",), ("basiliximab", "aldesleukin"), ("bempegaldesleukin",)])
def test_units_hold_in_every_kind_of_patient(names):
    check_units(patient(Plan(tuple(drug(n) for n in names))))


@pytest.mark.parametrize("module", sorted(modules()))
def test_every_disease_joins_a_patient_with_and_without_an_antibody(module):
    for names in (("aldesleukin",), ("daclizumab",)):
        check_units(patient(Plan(tuple(drug(n) for n in names), (module,))))


def test_a_person_at_rest_stays_as_they_are():
    readouts = [*(blood(k) for k in CELLS), *(pool(k) for k in CELLS), "eosinophils", "IL2_nM", "soluble_IL2RA", "IL5"]
    found = follow(regimen("no_treatment"), person("healthy"), np.array([0.0, 1, 30, 300]), readouts)
    for name in readouts:
        assert found[name][0] == pytest.approx(found[name][0, 0], rel=1e-4), name


@pytest.mark.parametrize("name", ["aldesleukin", "bempegaldesleukin", "Fc.IL-2", "basiliximab"])
def test_what_is_given_is_somewhere_cleared_lost_at_the_site_or_taken_up(name):
    """The amounts of a drug change by nothing but its losses, at any state."""
    network, _ = lowered(Plan((drug(name),)))
    own = {s for s in network.species_names if s.startswith(name) and "@" in s}
    rng = np.random.default_rng(0)
    values = {n: float(rng.uniform(0.2, 2)) for n in (*network.species_names, *network.parameter_names)}
    for d in network.derived:
        values[d.name] = evaluate(d.expr, values)
    falls = right_hand_side(network)
    lost = [r for r in network.reactions if set(r.change) & own and sum(r.change.values()) == -1]
    inputs = [r for r in network.reactions if r.name.endswith(": input") and set(r.change) & own]
    total = sum(evaluate(falls[s], values) for s in own)
    balance = sum(evaluate(r.rate, values) for r in inputs) - sum(evaluate(r.rate, values) for r in lost)
    assert {r.name for r in lost} >= {f"{name} is cleared", f"{name} is lost at the site"}
    assert total == pytest.approx(balance, rel=1e-9)


def test_an_independent_solver_gives_the_same_patient():
    plan = plan_of([regimen("cGVHD_daily")])
    network, program = lowered(plan)
    values = numbers(plan, person("cGVHD"))
    row = parameter_rows(network, values)
    k, start = prepare(program, row[0])
    start[program.states.index("aldesleukin@depot")] = 7.0
    f, j = equations(program, k)
    times = np.array([0.05, 0.3, 1.0])
    other = solve_ivp(f, (0, 1), start, method="LSODA", jac=j, t_eval=times, rtol=1e-7, atol=1e-10)
    ours = solve(program, row, times, initial=start[None], tolerances=Tolerances(rtol=1e-8, atol=1e-12))
    assert ours.y[0] == pytest.approx(other.y.T, rel=1e-5, abs=1e-9)


def test_half_lives_in_the_vein_are_those_of_the_source_where_receptors_take_up_little():
    """12.9 to 13 and 85 min (konrad1990), for a dose far above what receptors can hold."""
    times = np.concatenate([np.linspace(0, 10, 11), np.linspace(150, 240, 10)]) / 1440
    found = follow(once("aldesleukin", "6 MIU/m2", "iv"), person("healthy"), times, ["aldesleukin_nM"])
    y = np.log(found["aldesleukin_nM"][0])
    slow = -np.polyfit(times[11:], y[11:], 1)
    half_min = np.log(2) / slow[0] * 1440
    rest = np.exp(y[:11]) - np.exp(np.polyval(-slow, times[:11]))
    fast_min = np.log(2) / -np.polyfit(times[:11], np.log(rest), 1)[0] * 1440
    assert 78 < half_min < 90
    assert 11.5 < fast_min < 14


def test_ligands_of_one_kind_add_up():
    """Aldesleukin and IL-2 of tissue are one molecule: half and half is as the whole of one."""
    plan = plan_of([regimen("cGVHD_daily")])
    network, _ = lowered(plan)
    values = network.defaults() | {n: float(np.ravel(v)[0]) for n, v in numbers(plan, person("healthy")).items()}
    state = dict.fromkeys(network.species_names, 0.0) | {f"pool_{k}": 1.0 for k in CELLS}
    for d in network.derived:
        values[d.name] = evaluate(d.expr, values)
    shown = {o.name: o.expr for o in network.observables}

    def p(tissue, plasma):
        here = state | {"IL2@tissue": tissue, "aldesleukin@plasma": plasma * values["aldesleukin volume"]}
        return [evaluate(shown[f"pSTAT5_{k}"], values | here) for k in CELLS]

    assert p(0.02, 0.0) == pytest.approx(p(0.01, 0.01), rel=1e-12)
    assert p(0.0, 0.02) == pytest.approx(p(0.01, 0.01), rel=1e-12)


def test_terms_follow_the_receptor_layer_and_say_how_far_they_are_off():
    found, terms = curves(drug("aldesleukin")), answers(drug("aldesleukin"))
    for key, curve in found.items():
        up, p = uptake_basis(CURVE_nM) @ terms[key].uptake[0], signal_basis(CURVE_nM) @ terms[key].pstat5[0]
        off = [
            np.abs(up - curve.uptake[0]).max() / curve.uptake.max(),
            np.abs(p - curve.pstat5[0]).max() / curve.pstat5.max(),
        ]
        assert off == pytest.approx(list(terms[key].error[0]), abs=1e-9)
    whole = np.array([terms[k, WHOLE].error[0] for k in ("Treg", "CD8", "NK_CD56bright")])
    assert whole[:, 1].max() < 0.35
    assert (terms["Treg", WHOLE].uptake >= 0).all() and (terms["Treg", WHOLE].pstat5 >= 0).all()


def test_only_what_a_cell_rests_on_makes_its_answer_vary():
    same = answers(drug("aldesleukin"), ("Treg",), {"Treg_return_rate": np.array([0.1, 0.2])})["Treg", WHOLE]
    other = answers(drug("aldesleukin"), ("Treg",), {"Treg IL2RA": np.array([1000.0, 6000.0])})["Treg", WHOLE]
    assert (same.pstat5[0] == same.pstat5[1]).all()
    at_10_pM = signal_basis(np.array([0.01])) @ other.pstat5.T
    assert at_10_pM[0, 1] > 1.5 * at_10_pM[0, 0]


def test_receptors_bring_exposure_down_week_by_week_and_nothing_does_without_them():
    plan = plan_of([regimen("cGVHD_daily")])
    network, _ = lowered(plan)
    spared = {n: 0.0 for n in network.parameter_names if n.startswith("uptake_IL2_")}
    times = np.arange(0, 28.001, 1 / 48)

    def weeks(changes):
        level = follow(regimen("cGVHD_daily"), person("healthy"), times, ["aldesleukin_nM"], changes=changes)
        y = level["aldesleukin_nM"][0]
        return [np.trapezoid(y[a : a + 337], times[a : a + 337]) for a in (0, 1008)]

    first, fourth = weeks(None)
    first_spared, fourth_spared = weeks(spared)
    assert fourth < 0.95 * first
    assert fourth_spared > 0.99 * first_spared > first


def test_a_covered_receptor_is_a_missing_one_and_tissue_keeps_more_IL2():
    half = half_occupancy(drug("basiliximab"))[0]
    found = follow(
        regimen("basiliximab_renal"), person("kidney_graft"), np.array([0.0, 5, 10, 30]),
        ["basiliximab_nM", "IL2RA_free", "IL2_nM", "pool_Treg"],
    )  # fmt: skip
    assert found["IL2RA_free"][0] == pytest.approx(1 / (1 + found["basiliximab_nM"][0] / half), rel=1e-9)
    assert found["IL2RA_free"][0, 1] < 0.01
    assert (found["IL2_nM"][0, 1:] > 2 * found["IL2_nM"][0, 0]).all()
    assert found["pool_Treg"][0, 3] < 0.9
    bare = answers(drug("aldesleukin"), ("Treg",))["Treg", BARE].pstat5 @ signal_basis(np.array([0.01])).T
    whole = answers(drug("aldesleukin"), ("Treg",))["Treg", WHOLE].pstat5 @ signal_basis(np.array([0.01])).T
    assert bare[0, 0] < 0.1 * whole[0, 0]


@pytest.mark.parametrize(
    ("name", "who", "days"), [("DILfrequency", "T1D", 14), ("high_dose_aldesleukin", "melanoma", 6)]
)
def test_short_and_full_form_agree_in_exposure(name, who, days):
    found = agreement(regimen(name), person(who), days)
    assert found.area == pytest.approx(1, abs=0.05)
    assert found.peak == pytest.approx(1, abs=0.15)
    assert all(0.7 < v < 1.4 for v in found.rise.values())


FAST = {"kon": 1000.0, "koff": 20.0, "kint": 1.0, "ke": 0.2, "total": 0.03}
SLOW = {"kon": 1.0, "koff": 0.02, "kint": 0.05, "ke": 1.0, "total": 3.0}


@pytest.mark.parametrize(("rates", "agree"), [(FAST, True), (SLOW, False)])
def test_the_quasi_steady_rule_holds_where_binding_is_fast_and_not_where_it_is_slow(rates, agree):
    """A drug, one kind of receptor: kon, koff and uptake of the complex against uptake at half-saturation."""
    units = {"kon": "1/(nM*h)", "koff": "1/h", "kint": "1/h", "ke": "1/h", "total": "nM"}
    parameters = (Parameter("dose", 1.0, "nM"), *(Parameter(n, v, units[n]) for n, v in rates.items()))
    box = (Compartment("plasma", 3),)
    c, r, k = sym("C"), sym("RC"), {p.name: sym(p.name) for p in parameters}
    full = Network(
        "full", box, (Species("C", "plasma", k["dose"], "nM"), Species("RC", "plasma", num(0.0), "nM")), parameters,
        reactions=(
            Reaction("binds", {"C": -1, "RC": 1}, k["kon"] * c * (k["total"] - r), k["koff"] * r, "nM/h"),
            Reaction("taken up, chain made again", {"RC": -1}, k["kint"] * r, num(0.0), "nM/h"),
            Reaction("cleared", {"C": -1}, k["ke"] * c, num(0.0), "nM/h"),
        ),
    )  # fmt: skip
    half = (k["koff"] + k["kint"]) / k["kon"]
    short = Network(
        "short", box, (Species("C", "plasma", k["dose"], "nM"),), parameters,
        reactions=(
            Reaction("taken up", {"C": -1}, k["kint"] * k["total"] * c / (c + half), num(0.0), "nM/h"),
            Reaction("cleared", {"C": -1}, k["ke"] * c, num(0.0), "nM/h"),
        ),
    )  # fmt: skip
    times = np.linspace(0, 60, 2001)
    areas = []
    for network in (full, short):
        program = lower(check(network))
        y = solve(program, parameter_rows(network, {}), times).y[0, :, 0]
        areas.append(np.trapezoid(y, times))
    off = abs(areas[1] / areas[0] - 1)
    assert (off < 0.05) if agree else (off > 0.25)


def test_sets_of_constants_are_consistent_and_those_that_are_mixed_are_refused():
    for of in drugs():
        assert all(np.all(np.asarray(v) > 0) for v, _ in kinetic_values(of).values())
    there, back = from_half_lives(2.8, 7.2, 13 / 60, 85 / 60)
    assert there == pytest.approx(0.507, rel=0.03) and back == pytest.approx(0.607, rel=0.03)
    with pytest.raises(Il2Error) as error:
        from_half_lives(2.8, 16.1, 13 / 60, 85 / 60)
    assert "k12 is -" in str(error.value) and "central volume from 5.03" in str(error.value)


def test_impossible_numbers_of_a_drug_are_refused_by_name():
    with pytest.raises(Il2Error, match="aldesleukin_subcutaneous_bioavailability is 120 %"):
        kinetic_values(drug("aldesleukin"), {"aldesleukin_subcutaneous_bioavailability": 1.2})
    with pytest.raises(Il2Error, match=r"aldesleukin_central_to_peripheral is -0\.1"):
        kinetic_values(drug("aldesleukin"), {"aldesleukin_central_to_peripheral": -0.1})
    with pytest.raises(Il2Error, match="unknown drug 'proleukine'"):
        drug("proleukine")
    with pytest.raises(Il2Error, match="the full form holds IL-2 alone"):
        patient(replace(Plan((drug("basiliximab"),)), full=True))


def test_kidneys_pass_small_proteins_and_hold_antibodies():
    assert passing(15.3) > 0.95
    assert passing(149) < 1e-3
    sick = follow(
        once("aldesleukin", "1 MIU"), person("healthy").having(eGFR=30.0), DAYS_28[:9], ["aldesleukin_nM"]
    )["aldesleukin_nM"].max()  # fmt: skip
    well = follow(once("aldesleukin", "1 MIU"), person("healthy"), DAYS_28[:9], ["aldesleukin_nM"])["aldesleukin_nM"]
    assert sick > 1.8 * well.max()


def test_a_lost_gene_acts_through_the_receptor_layer():
    plan = plan_of([regimen("no_treatment")])
    whole, null = (numbers(plan, person(n)) for n in ("healthy", "IL2RB_null"))
    assert max(np.max(v) for n, v in null.items() if n.startswith("pSTAT5_IL2_")) == pytest.approx(0, abs=1e-12)
    assert max(np.max(v) for n, v in whole.items() if n.startswith("pSTAT5_IL2_Treg")) > 0.05
    found = follow(regimen("no_treatment"), person("IL2_null"), np.array([0.0, 60]), ["pool_Treg", "IL2_nM"])
    assert found["IL2_nM"][0, 1] == 0 and found["pool_Treg"][0, 1] < 0.8


def test_a_mouse_clears_IL2_in_minutes():
    times = np.linspace(0, 20, 81) / 1440
    level = follow(once("aldesleukin", "0.1 nmol", "iv"), person("mouse"), times, ["aldesleukin_nM"])["aldesleukin_nM"][
        0
    ]
    half = np.interp(np.log(level[0] / 2) * -1, -np.log(level), times) * 1440
    assert 1 < half < 10


def test_a_steady_course_starts_where_many_doses_lead_to():
    many = once("aldesleukin", "1 MIU", every_h=24.0, doses=100)
    ever = once("aldesleukin", "1 MIU", every_h=24.0, doses=3, steady=True)
    wanted = ["aldesleukin_nM", "blood_Treg", "eosinophils"]
    late = follow(many, person("healthy"), 97 + np.linspace(0, 2, 9), wanted)
    start = follow(ever, person("healthy"), np.linspace(0, 2, 9), wanted)
    for name in wanted:
        assert start[name] == pytest.approx(late[name], rel=2e-3), name
    with pytest.raises(Il2Error, match="a steady dose cannot begin there"):
        follow(once("aldesleukin", "1 MIU", every_h=24.0, start_d=1.0, steady=True), person("healthy"), DAYS_28, wanted)


def test_the_set_of_the_label_gives_its_half_lives_and_refuses_the_volume_of_the_other():
    label = drug("aldesleukin/label")
    rates = {what: float(v) for what, (v, _) in kinetic_values(label).items()}
    k10 = rates["reference_clearance"] / rates["central_volume"]
    total, product = k10 + rates["to_peripheral"] + rates["from_peripheral"], k10 * rates["from_peripheral"]
    slopes = np.roots([1, -total, product])
    assert sorted(60 * np.log(2) / slopes) == pytest.approx([13, 85])
    with pytest.raises(Il2Error, match=r"k12 is -.*central volume from 5\.03"):
        kinetic_values(label, {"aldesleukin_central_volume_label": 2.8})
