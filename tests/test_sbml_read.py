"""SBML as networks: the same trajectories as libroadrunner, and precise refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from il2.engine.batch import parameter_rows
from il2.engine.observe import readouts
from il2.engine.solve import Tolerances, solve
from il2.errors import Il2Error
from il2.formats.sbml import to_sbml
from il2.formats.sbml_read import Imported, read_sbml
from il2.network.network import Observable, check
from il2.network.program import lower
from il2.signalling.models import model

libsbml = pytest.importorskip("libsbml", reason="python-libsbml is not installed (extra il2[sbml])")
TIGHT = Tolerances(rtol=1e-10, atol=1e-12)
TIMES = [0.0, 0.5, 2.0, 5.0]
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'


def ast(formula: str) -> str:
    """The formula as MathML."""
    node = libsbml.parseL3Formula(formula)
    assert node is not None, libsbml.getLastParseL3Error()
    text = libsbml.writeMathMLToString(node)
    return text[text.index("<math") :]


def law(formula: str) -> str:
    return f"<kineticLaw>{ast(formula)}</kineticLaw>"


def document(
    rules: str = "", reactions: str = "", more: str = "", starts: str = "", parameters: str = "",
    species: str = "", model_more: str = "",
) -> str:  # fmt: skip
    """A level 3 document of two compartments that are not of size one, with what is given put in."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
<model id="m" {model_more}>{more}
<listOfCompartments>
  <compartment id="cell" spatialDimensions="3" size="2.5" constant="true"/>
  <compartment id="bath" spatialDimensions="3" size="40" constant="true"/>
</listOfCompartments>
<listOfSpecies>
  <species id="A" compartment="cell" initialConcentration="3" hasOnlySubstanceUnits="false"
    boundaryCondition="false" constant="false"/>
  <species id="B" compartment="bath" initialAmount="8" hasOnlySubstanceUnits="false"
    boundaryCondition="false" constant="false"/>
  <species id="C" compartment="bath" initialAmount="5" hasOnlySubstanceUnits="true"
    boundaryCondition="false" constant="false"/>
  <species id="F" compartment="cell" initialConcentration="2" hasOnlySubstanceUnits="false"
    boundaryCondition="true" constant="false"/>{species}
</listOfSpecies>
<listOfParameters>
  <parameter id="k" value="0.3" constant="true"/><parameter id="n" value="2" constant="true"/>
  <parameter id="K" value="1.5" constant="true"/>{parameters}
</listOfParameters>
{f"<listOfInitialAssignments>{starts}</listOfInitialAssignments>" if starts else ""}
{f"<listOfRules>{rules}</listOfRules>" if rules else ""}
{f"<listOfReactions>{reactions}</listOfReactions>" if reactions else ""}
</model></sbml>"""


def reaction(name: str, formula: str, change: Mapping[str, float], local: str = "") -> str:
    sides = {
        "Reactants": {s: -n for s, n in change.items() if n < 0},
        "Products": {s: n for s, n in change.items() if n > 0},
    }
    text = "".join(
        f"<listOf{side}>"
        + "".join(f'<speciesReference species="{s}" stoichiometry="{n}" constant="true"/>' for s, n in parts.items())
        + f"</listOf{side}>"
        for side, parts in sides.items()
        if parts
    )
    used = [s for s in "ABCF" if s not in change and f"{s} " in f"{formula} "]
    if used:
        modifiers = "".join(f'<modifierSpeciesReference species="{s}"/>' for s in used)
        text += f"<listOfModifiers>{modifiers}</listOfModifiers>"
    text += f"<kineticLaw>{ast(formula)}{local}</kineticLaw>"
    return f'<reaction id="{name}" reversible="false" fast="false">{text}</reaction>'


def start(symbol: str, formula: str) -> str:
    return f'<initialAssignment symbol="{symbol}">{ast(formula)}</initialAssignment>'


def rule(kind: str, symbol: str, formula: str) -> str:
    return f'<{kind}Rule variable="{symbol}">{ast(formula)}</{kind}Rule>'


FUNCTION = f"""<listOfFunctionDefinitions><functionDefinition id="hill"><math {MATH}><lambda>
<bvar><ci>s</ci></bvar><bvar><ci>h</ci></bvar><bvar><ci>p</ci></bvar>
<apply><divide/><apply><power/><ci>s</ci><ci>p</ci></apply><apply><plus/>
<apply><power/><ci>h</ci><ci>p</ci></apply><apply><power/><ci>s</ci><ci>p</ci></apply></apply></apply>
</lambda></math></functionDefinition></listOfFunctionDefinitions>"""
LOCAL = '<listOfLocalParameters><localParameter id="k" value="0.07"/></listOfLocalParameters>'
EVERYTHING = document(
    more=FUNCTION,
    parameters=(
        '<parameter id="twice" constant="true"/><parameter id="total" constant="false"/>'
        '<parameter id="x" value="0.4" constant="false"/><parameter id="wave" constant="false"/>'
    ),
    starts=start("twice", "2 * k + A / 10") + start("C", "twice * 4 + total + move / 3"),
    rules=(
        rule("assignment", "wave", "1 + exp(-k * time) * total / 20") + rule("assignment", "total", "A + B")
        + rule("rate", "x", "k * (1 - x) * tanh(A)") + rule("rate", "F", "-0.1 * F * sqrt(F)")
    ),
    reactions=(
        reaction("move", "k * A * cell * wave", {"A": -1, "B": 1})
        + reaction("bind", "0.02 * hill(B , K, n) * C * x", {"C": -1, "B": -2, "A": 1})
        + reaction("half", "k * C * piecewise(1, n > 1, 0)", {"C": -0.5, "A": 0.25}, LOCAL)
        + reaction("feed", "move * F * log10(10 + ln(3 + B ))", {"F": -1, "C": 1})
    ),
)  # fmt: skip


def trajectories(found: Imported, names: list[str], values: Mapping[str, float] | None = None) -> np.ndarray:
    """What names of the file stand for (times, names), by the engine."""
    network = check(replace(
        found.network, observables=tuple(Observable(n, found.meaning[n], "dimensionless") for n in names)
    ))  # fmt: skip
    rows = parameter_rows(network, values or {})
    solved = solve(lower(network), rows, np.array(TIMES), tolerances=TIGHT)
    assert solved.reason(0) == ""
    return readouts(network, names, solved.y, rows)[0]


def runner(text: str):
    roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner is not installed")
    found = roadrunner.RoadRunner(text)
    found.integrator.relative_tolerance, found.integrator.absolute_tolerance = 1e-10, 1e-13
    return found


def test_every_form_runs_as_in_roadrunner():
    names = ["A", "B", "C", "F", "x", "total", "wave", "twice"]
    found = trajectories(read_sbml(EVERYTHING), names)
    other = runner(EVERYTHING)
    other.timeCourseSelections = [f"[{n}]" if n in ("A", "B", "F") else n for n in names]
    expected = np.array(other.simulate(times=TIMES))
    assert np.ptp(expected, axis=0)[:-1].min() > 0.01
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def edited(text: str, given: Mapping[str, float]) -> str:
    """The document with other values in the place of its own, initial assignments included."""
    whole = libsbml.readSBMLFromString(text)
    found = whole.getModel()
    for name, value in given.items():
        found.removeInitialAssignment(name)
        item = found.getElementBySId(name)
        setter = {"A": "InitialConcentration", "C": "InitialAmount", "bath": "Size"}.get(name, "Value")
        assert getattr(item, f"set{setter}")(value) == libsbml.LIBSBML_OPERATION_SUCCESS
    return libsbml.writeSBMLToString(whole)


def test_what_a_caller_sets_stands_for_what_the_file_says():
    """Initial values, sizes, and constants with initial assignments, given in the units of the file."""
    given = {"A": 1.7, "C": 2.0, "bath": 11.0, "twice": 0.9, "k": 0.5, "x": 0.1}
    found = read_sbml(EVERYTHING, changing=given, given=given)
    values: dict[str, float] = {}
    for name, (takes, keeps) in found.given.items():
        values |= {takes: given[name]} | ({keeps: 0.0} if keeps else {})
    names = ["A", "B", "C", "F", "x", "total", "twice"]
    other = runner(edited(EVERYTHING, given))
    other.timeCourseSelections = [f"[{n}]" if n in ("A", "B", "F") else n for n in names]
    np.testing.assert_allclose(trajectories(found, names, values), np.array(other.simulate(times=TIMES)), rtol=1e-6)
    plain = trajectories(read_sbml(EVERYTHING), names)
    np.testing.assert_allclose(trajectories(found, names), plain, rtol=1e-8)
    assert np.abs(trajectories(found, names, values) / plain - 1).max() > 0.1


@pytest.mark.parametrize("name", ["response-IL2", "receptor-IL2-IL15"])
def test_our_own_export_comes_back(name: str):
    network = model(name).build()
    back = read_sbml(to_sbml(network))
    assert len(back.network.species) == len(network.species)
    dosed = {"IL2_dose": 1.0, "IL2RA_count": 3000.0, "IL2RB_count": 900.0, "IL2RG_count": 1500.0}
    mine, theirs = (
        solve(lower(n), parameter_rows(n, dosed), np.array([0.0, 30.0, 240.0]), tolerances=TIGHT).y[0]
        for n in (network, back.network)
    )
    assert mine.max() > 100
    np.testing.assert_allclose(theirs, mine, rtol=1e-7, atol=1e-7)


def test_an_exponent_that_changes_is_written_out():
    """x^n with n free to change: its value and its derivative by n are those of the power."""
    text = document(reactions=reaction("go", "k * pow(A, n)", {"A": -1, "B": 1}))
    fixed, free = read_sbml(text, {"n": 1.3}), read_sbml(text, changing=["n"])
    assert "exp" not in str(fixed.network.reactions[0].forward) and "exp" in str(free.network.reactions[0].forward)
    np.testing.assert_allclose(trajectories(free, ["A"], {"n": 1.3}), trajectories(fixed, ["A"]), rtol=1e-8)


def test_older_levels_are_read():
    old = libsbml.readSBMLFromString(document(reactions=reaction("go", "k * A", {"A": -1, "B": 1})))
    assert old.setLevelAndVersion(2, 4, False)
    assert read_sbml(libsbml.writeSBMLToString(old)).network.species_names == ("A", "B", "C", "F")


EVENT = f"""<listOfEvents><event useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">
{ast("time > 1")}</trigger><listOfEventAssignments><eventAssignment variable="A">{ast("1")}</eventAssignment>
</listOfEventAssignments></event></listOfEvents>"""
ONE = {"A": -1.0}
REFUSED = [
    (document().replace("</model>", EVENT + "</model>"), "events"),
    (document(rules=f"<algebraicRule>{ast('A - B')}</algebraicRule>"), "algebraic rules"),
    (document(reactions=reaction("go", "delay(A , 2)", ONE)), "delay"),
    (document(reactions=reaction("go", "k * abs(A )", ONE)), "abs"),
    (document(reactions=reaction("go", "k * A / (1 - 1)", ONE)), "rate of go: a formula has no value"),
    (document(reactions=reaction("go", "piecewise(k, A > 1, 0)", ONE)), "piecewise depends on what changes"),
    (document(reactions=reaction("go", "piecewise(k, time > 1, 0)", ONE)), "piecewise depends on what changes"),
    (document(reactions=reaction("go", "k * A", ONE).replace('fast="false"', 'fast="true"')), "fast reactions"),
    (document(rules=rule("rate", "cell", "k")).replace('size="2.5" constant="true"', 'size="2.5" constant="false"'),
     "compartments of changing size"),
    (document(parameters='<parameter id="f" value="2" constant="true"/>', model_more='conversionFactor="f"'),
     "conversion factors"),
    (document(parameters='<parameter id="f" constant="true"/>'), "'f' has no value"),
    (document(parameters='<parameter id="f" constant="true"/>', starts=start("f", "2 * f")), "defined by itself"),
    (document().replace('initialAmount="5"', ""), "'C' has no initial value"),
    (document(reactions=reaction("go", "k", ONE).replace(law("k"), "")), "no kinetic law"),
    (document(parameters='<parameter id="time" value="1" constant="true"/>'), "something is named 'time'"),
    ("<sbml", "SBML, line"), ("", "SBML, line"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[w for _, w in REFUSED])
def test_refused_in_words(text: str, words: str):
    with pytest.raises(Il2Error) as caught:
        read_sbml(text)
    assert words in str(caught.value)


def test_a_rule_and_a_caller_cannot_both_set_a_value():
    text = document(rules=rule("assignment", "r", "2 * k"), parameters='<parameter id="r" constant="false"/>')
    with pytest.raises(Il2Error, match="rule of the model and by a condition"):
        read_sbml(text, given=["r"])
    with pytest.raises(Il2Error, match="no 'Kd' in the model"):
        read_sbml(text, given=["Kd"])
