"""SBML: valid with units, names that survive, and the same trajectories in libroadrunner."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run
from il2.engine.solve import Tolerances, solve
from il2.errors import Il2Error
from il2.formats.sbml import sbml_ids, to_sbml, validate
from il2.network.expression import evaluate, exp, log, num, sym
from il2.network.network import (
    Compartment,
    Derived,
    Network,
    Observable,
    Parameter,
    Reaction,
    Species,
    check,
    reaction,
    rename,
)  # fmt: skip
from il2.network.program import lower, lower_expressions
from il2.receptor.head import head, restricted
from il2.receptor.model import receptor
from il2.receptor.molecule import Molecule
from il2.signalling.models import MODELS, model

libsbml = pytest.importorskip("libsbml", reason="python-libsbml is not installed (extra il2[sbml])")
TIMES = [0.0, 30.0, 60.0, 120.0, 240.0]
DOSED = {"IL2_dose": 1.0, "IL2RA_count": 3000.0, "IL2RB_count": 900.0, "IL2RG_count": 1500.0, "KD_IL2_IL2RB": 100.0}


def small() -> Network:
    """Every form there is: powers, exp and log, literals, an enzyme, a concentration, a delay, a volume."""
    decay = exp(sym("hill") * log(sym("A") / sym("KD"))) / (1 + (sym("A") / sym("KD")) ** 0.5)
    return check(
        Network(
            "small",
            (Compartment("surface", 2), Compartment("medium", 3, "room")),
            (
                Species("A", "surface", sym("count")), Species("AA", "surface", num(0.0)),
                Species("E", "surface", sym("count") * 2), Species("drug", "medium", sym("dose"), "nM"),
                Species("delay", "surface", num(1.0), "dimensionless"),
            ),
            (
                Parameter("on", 1e-3, "cell/(molecule*min)"), Parameter("KD", 50.0, "molecule/cell", 'a "note" <&>'),
                Parameter("count", 100.0, "molecule/cell"), Parameter("hill", 1.5, "dimensionless"),
                Parameter("room", 7.0, "fL/cell"), Parameter("dose", 3.0, "nM"), Parameter("out", 0.1, "1/min"),
            ),
            (Derived("off", sym("on") * sym("KD"), "1/min"),),
            (
                reaction("pair", ["A", "A"], ["AA"], "on", "off"),
                Reaction("fade", {"A": -1}, sym("on") * sym("E") * sym("A") * decay * sym("delay")),
                Reaction("clear", {"drug": -1}, sym("out") * sym("drug"), unit="nM/min"),
                Reaction("wait", {"delay": 1}, sym("out"), sym("out") * sym("delay"), "1/min"),
            ),
            (
                Observable("total", sym("A") + 2 * sym("AA"), "molecule/cell"),
                Observable("nothing", num(0.0), "molecule/cell"),
                Observable("A", sym("A") / sym("KD"), "dimensionless"),
            ),
        )
    )  # fmt: skip


def simulate(network: Network, values: Mapping[str, float]) -> np.ndarray:
    """States (species, times) by libroadrunner, with doses set the way the module says."""
    roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner is not installed")
    ids = sbml_ids(network)
    runner = roadrunner.RoadRunner(to_sbml(network))
    for name, value in values.items():
        runner[f"init({ids['constant', name]})"] = value
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, 1e-12
    runner.timeCourseSelections = ["time", *(ids["species", s] for s in network.species_names)]
    return np.array(runner.simulate(times=TIMES))[:, 1:].T


def integrate(network: Network, values: Mapping[str, float]) -> np.ndarray:
    """States (species, times) by SciPy from the rates of the network, as its expressions say."""
    table = {**network.defaults(), **values}
    for d in network.derived:
        table[d.name] = evaluate(d.expr, table)
    names = network.species_names
    change = np.array([[r.change.get(s, 0) for r in network.reactions] for s in names], dtype=float)
    rates = [r.rate for r in network.reactions]

    def derivative(_: float, y: np.ndarray) -> np.ndarray:
        state = {**table, **dict(zip(names, y.tolist(), strict=True))}
        return change @ [evaluate(rate, state) for rate in rates]

    start = [evaluate(s.initial, table) for s in network.species]
    solution = solve_ivp(derivative, (0, TIMES[-1]), start, "LSODA", t_eval=TIMES, rtol=1e-9, atol=1e-9)
    assert solution.success
    return solution.y


BIVALENT = Molecule("IL2", (head("IL2"),), (2,))
TWO_KINDS = Molecule("IL2", (head("IL2"), restricted(head("IL2"), ("IL2RA",))), (1, 1))
TO_IL2RA = Molecule("IL2", (restricted(head("IL2"), ("IL2RA",)),), (2,))
TRIVALENT = Molecule("IL7", (head("IL7"),), (3,), lumped=True)
SHAPES = [
    receptor(BIVALENT, partners=("anti_IL2",)),
    receptor(BIVALENT, "IL15", partners=("JES6_1", "soluble_IL2RA"), audit=True),
    receptor(TWO_KINDS, partners=("S4B6",)),
    receptor(Molecule("IL15", (head("IL15"),), (1,), release=2), "daclizumab", neighbour=True),
    receptor(TRIVALENT, "IL4", audit=True),
    receptor(TRIVALENT, depleted=True),
]
CASES = [
    (receptor("IL2", "IL15"), {**DOSED, "IL15_dose": 0.2, "IL15RA_count": 300.0}),
    (receptor("IL2", depleted=True), {**DOSED, "cells_per_mL": 2e6}),
    (model("response-IL2").build(), {**DOSED, "SOCS_strength": 0.5}),
    (small(), {"count": 80.0, "KD": 30.0}),
    (receptor(TO_IL2RA, partners=("anti_IL2",)), {**DOSED, "anti_IL2_dose": 0.5, "cells_per_mL": 2e6}),
    (receptor(TRIVALENT), {"IL7_dose": 0.1, "IL7R_count": 3000.0, "IL2RG_count": 500.0}),
]


@pytest.mark.parametrize(("network", "values"), CASES, ids=lambda x: x.name if isinstance(x, Network) else "")
def test_trajectories_agree_with_roadrunner(network: Network, values: Mapping[str, float]):
    values = {name: v for name, v in values.items() if name in network.parameter_names}
    expected = integrate(network, values)
    assert expected[:, -1].max() > 1
    np.testing.assert_allclose(simulate(network, values), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["receptor-IL2-IL15", "response-IL2", "response-IL15-depleted"])
def test_the_engine_agrees_with_roadrunner_on_the_exported_model(name: str):
    """Observables to 1e-5, both at rtol 1e-9 and atol 1e-12."""
    network = model(name).build()
    given = {**DOSED, "IL15_dose": 0.2, "IL15RA_count": 300.0, "cells_per_mL": 2e6}
    values = {key: v for key, v in given.items() if key in network.parameter_names}
    program = lower(network)
    row = parameter_rows(network, values)
    mine = solve(program, row, np.array(TIMES), tolerances=Tolerances(rtol=1e-9, atol=1e-12)).y[0].T
    tape, places = lower_expressions(network, [o.expr for o in network.observables])
    found, expected = (run(tape, {"y": y.T, "p": row[0]}, places) for y in (mine, simulate(network, values)))
    assert expected[-1].min() > 1e-6
    np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-5)


def test_the_comparison_would_see_a_wrong_constant():
    network, values = CASES[3]
    assert np.abs(simulate(network, values) - integrate(network, {**values, "KD": 31.0})).max() > 1e-3


@pytest.mark.parametrize(
    "network",
    [small(), *(receptor("IL2", "IL15", **f) for f in ({}, {"audit": True}, {"depleted": True})), *SHAPES],
    ids=lambda n: n.name,
)
def test_valid_without_a_warning(network: Network):
    assert validate(to_sbml(network)) == []


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_of_the_package_is_valid(name: str):
    assert validate(to_sbml(model(name).build())) == []


@pytest.mark.parametrize(("parameter", "unit"), [("on", "nM/min"), ("on", "cell/(molecule*h)"), ("count", "nM")])
def test_validation_sees_wrong_units(parameter: str, unit: str):
    network = small()
    parameters = tuple(replace(p, unit=unit) if p.name == parameter else p for p in network.parameters)
    assert validate(to_sbml(replace(network, parameters=parameters)))


def test_validation_reports_what_is_no_sbml():
    assert validate("<sbml") and validate("")
    assert any("undefined" in m or "does not" in m or "must" in m for m in validate(
        to_sbml(small()).replace('compartment="surface"', 'compartment="nowhere"')
    ))  # fmt: skip


def read(network: Network):
    document = libsbml.readSBMLFromString(to_sbml(network))
    return document, document.getModel()


def test_everything_has_a_unit_and_a_name():
    network = receptor("IL2", "IL15", audit=True)
    document, found = read(network)
    assert [found.getSpecies(i).getName() for i in range(found.getNumSpecies())] == list(network.species_names)
    assert [found.getReaction(i).getName() for i in range(found.getNumReactions())] == [
        r.name for r in network.reactions
    ]
    assert all(found.getParameter(i).getUnits() for i in range(found.getNumParameters()))
    assert all(found.getSpecies(i).getHasOnlySubstanceUnits() for i in range(found.getNumSpecies()))
    assert found.getNumParameters() == len(network.parameters) + len(network.derived) + len(network.observables)
    assert document.getLevel() == 3 and document.getVersion() == 2


def test_reactions_keep_direction_modifiers_and_terms():
    _, found = read(small())
    pair, fade = found.getReaction("pair"), found.getReaction("fade")
    assert pair.getReversible() and not fade.getReversible()
    assert pair.getReactant(0).getStoichiometry() == 2 and pair.getSBOTermID() == "SBO:0000177"
    assert [fade.getModifier(i).getSpecies() for i in range(fade.getNumModifiers())] == ["E"]
    assert found.getNumReactions() == 2 and found.getNumRules() == 2 + 3
    _, network = read(receptor("IL2"))
    terms = {r.getName(): r.getSBOTermID() for r in (network.getReaction(i) for i in range(network.getNumReactions()))}
    assert terms["IL2RA synthesis"] == "SBO:0000393" and terms["IL2RA degradation"] == "SBO:0000179"
    assert terms["IL2RA recycling"] == "SBO:0000185" and terms["IL2.IL2RA@surface: binds IL2RA"] == ""
    assert terms["IL2.IL2RB.IL2RG@surface: recruits IL2RG"] == "SBO:0000177"


def test_hostile_names_stay_apart_and_come_back():
    names = {
        "A": "x.y@z", "AA": "x_y_z", "E": "x y z", "on": "1<&>\"'", "off": "avogadro", "KD": "&amp;", "count": "Pi",
        "drug": "time", "delay": "µ 中", "hill": "", "dose": "x_y_z_2", "out": "a\x00b",
    }  # fmt: skip
    network = rename(small(), names)
    ids = sbml_ids(network)
    assert len(set(ids.values())) == len(ids)
    assert not {"avogadro", "pi", "time"} & {i.casefold() for i in ids.values()}
    assert validate(to_sbml(network)) == []
    _, found = read(network)
    for name in ("x.y@z", "x_y_z", "x y z"):
        assert found.getSpecies(ids["species", name]).getName() == name
    for name in ("1<&>\"'", "avogadro", "&amp;"):
        assert found.getParameter(ids["constant", name]).getName() == name
    assert found.getParameter(ids["constant", "a\x00b"]).getName() == "a\ufffdb"


def test_renaming_changes_no_number():
    network, values = CASES[3]
    names = {"A": "exp", "KD": "avogadro", "on": "S1 + 1", "count": "time", "drug": "inf", "off": "a;b"}
    renamed = simulate(rename(network, names), {names.get(k, k): v for k, v in values.items()})
    np.testing.assert_allclose(renamed, simulate(network, values), rtol=1e-9, atol=1e-9)


def test_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "libsbml", None)
    for call in (lambda: to_sbml(small()), lambda: validate("")):
        with pytest.raises(Il2Error, match=r"il2\[sbml\]"):
            call()
