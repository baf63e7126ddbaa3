"""Unit checks: networks with one wrong unit each, and the message that names the place and both units."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from il2.errors import ModelError, UnitError
from il2.network.dimensions import check_units, time_unit, unit_of
from il2.network.expression import exp, log, num, sym
from il2.network.network import (
    Compartment,
    Derived,
    Network,
    Observable,
    Parameter,
    Reaction,
    Species,
    check,
    compose,
    reaction,
    rename,
)  # fmt: skip
from il2.receptor.model import receptor
from il2.units import parse_unit, unit_text


def small(**changes: tuple) -> Network:
    """A + A <-> AA with a derived constant and observables; parts are replaced by name."""
    parts: dict[str, tuple] = {
        "compartments": (Compartment("surface", 2),),
        "species": (Species("A", "surface", sym("count")), Species("AA", "surface", num(0.0))),
        "parameters": (
            Parameter("on", 1e-3, "cell/(molecule*min)"), Parameter("KD", 50.0, "molecule/cell"),
            Parameter("count", 100.0, "molecule/cell"), Parameter("hill", 2.0, "dimensionless"),
        ),
        "derived": (Derived("off", sym("on") * sym("KD"), "1/min"),),
        "reactions": (reaction("dimerise", ["A", "A"], ["AA"], "on", "off"),),
        "observables": (
            Observable("total", sym("A") + 2 * sym("AA"), "molecule/cell"),
            Observable("bound", exp(sym("hill") * log(sym("AA") / sym("KD"))), "dimensionless"),
        ),
    }  # fmt: skip
    return check(Network("small", **{**parts, **changes}))


def parameter(name: str, unit: str) -> tuple[Parameter, ...]:
    return tuple(replace(p, unit=unit) if p.name == name else p for p in small().parameters)


def test_a_consistent_network_passes():
    check_units(small())
    assert time_unit(small()) == parse_unit("min")


@pytest.mark.parametrize(
    ("broken", "place", "units"),
    [
        ({"parameters": parameter("KD", "nM")}, "derived off", ("cell*nM/(molecule*min)", "1/min")),
        ({"parameters": parameter("on", "cell/(molecule*h)")}, "derived off", ("1/h", "1/min")),
        ({"parameters": parameter("count", "nM")}, "initial value of species A", ("nM", "molecule/cell")),
        ({"parameters": parameter("hill", "min")}, "observable bound", ("min", "dimensionless")),
        ({"derived": (Derived("off", sym("on") * sym("KD"), "1/h"),)}, "derived off", ("1/min", "1/h")),
        ({"observables": (Observable("x", sym("A") + 1, "molecule/cell"),)}, "observable x", ("dimensionless",)),
        ({"observables": (Observable("x", sym("A") + sym("on"), "1/min"),)}, "observable x", ("cell/(molecule*min)",)),
        ({"observables": (Observable("x", log(sym("A")), "dimensionless"),)}, "observable x", ("molecule/cell",)),
        ({"observables": (Observable("x", sym("A") ** 0.5, "molecule/cell"),)}, "observable x", ("molecule^(1/2)",)),
        ({"reactions": (reaction("r", ["A"], [], sym("on")),)}, "forward rate of reaction r", ("molecule/(cell*min)",)),
        ({"reactions": (reaction("r", ["A"], ["AA"], "off", "on"),)}, "reverse rate of reaction r", ("1/min",)),
        ({"reactions": (reaction("r", ["A"], [], "off", unit="molecule/(cell*h)"),)}, "reaction r", ("(cell*h)",)),
        ({"reactions": (Reaction("r", {"A": 1}, sym("off"), unit="1/min"),)}, "reaction r", ("1/min", "molecule/cell")),
    ],
)  # fmt: skip
def test_names_the_place_and_the_units(broken: dict, place: str, units: tuple[str, ...]):
    with pytest.raises(ModelError) as caught:
        check_units(small(**broken))
    assert place in caught.value.where
    told = f"{caught.value.what} {caught.value.why}"
    assert all(unit in told for unit in units), told


def test_one_unit_of_time():
    slow = Parameter("slow", 1.0, "1/h")
    mixed = small(
        parameters=(*small().parameters, slow),
        reactions=(*small().reactions, reaction("loss", ["A"], [], "slow", unit="molecule/(cell*h)")),
    )
    with pytest.raises(ModelError, match="reaction loss") as caught:
        check_units(mixed)
    assert "min" in str(caught.value) and "molecule/(cell*h)" in str(caught.value)


def test_unknown_unit_says_where():
    with pytest.raises(UnitError, match="small: parameter KD") as caught:
        check_units(small(parameters=parameter("KD", "molecul/cell")))
    assert "molecule" in caught.value.how


def test_zero_fits_every_unit_and_numbers_have_none():
    units = {"A": parse_unit("nM")}
    assert unit_of(num(0.0), units) is None
    assert unit_text(unit_of(num(2.0) * sym("A") / 4, units) or {}) == "nM"
    with pytest.raises(UnitError, match="nM and dimensionless"):
        unit_of(sym("A") + 1, units)


def test_hostile_names_and_renaming_change_nothing():
    names = {"A": "a + b\n<x>", "on": '"; --', "AA": "exp(A)"}
    check_units(rename(small(), names))
    with pytest.raises(ModelError, match="derived off"):
        check_units(rename(small(parameters=parameter("KD", "nM")), names))


@pytest.mark.parametrize("form", [{}, {"audit": True}, {"depleted": True}, {"depleted": True, "audit": True}])
def test_receptor_networks(form: dict):
    check_units(receptor("IL2", "IL15", **form))


def test_fast_and_sees_every_part():
    network = receptor("IL2", "IL15")
    check_units(network)
    start = time.perf_counter()
    check_units(network)
    assert time.perf_counter() - start < 0.15
    for r in network.reactions[::9]:
        doubled = replace(r, forward=r.forward * r.forward)
        wrong = replace(network, reactions=tuple(doubled if x is r else x for x in network.reactions))
        with pytest.raises(ModelError) as caught:
            check_units(wrong)
        assert r.name in caught.value.where


def test_composed_parts_are_checked_together():
    part = Network("part", observables=(Observable("ratio", sym("A") / sym("AA"), "percent"),))
    with pytest.raises(ModelError, match="observable ratio"):
        check_units(compose("joined", small(), part))
