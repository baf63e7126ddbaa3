"""Networks and runs that the tests of events share."""

from __future__ import annotations

import numpy as np
from helpers import equations

from il2.engine import march
from il2.engine.batch import parameter_rows
from il2.engine.inputs import with_input, with_inputs
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.network.expression import num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Species, check, reaction
from il2.receptor.membrane import MEDIUM

TIGHT = Tolerances(rtol=1e-11, atol=1e-13)
X, Y, K, V, A = (sym(name) for name in ("x", "y", "k", "v", "a"))
DRUG = equations({"x": -K * X}, {"x": "start"}, {"k": 0.5, "start": 0.0})
FED = with_inputs(DRUG, "x")
FALL = equations({"x": V, "v": -sym("g")}, {"x": 10.0, "v": 0.0}, {"g": 9.81})
VARIED = with_input(equations({"x": A - K * X}, {"x": 0.0}, {"a": 2.0, "k": 0.5}), "a")
TWO = equations({"x": -K * X * Y, "y": K * X * Y - Y}, {"x": 3.0, "y": 0.1}, {"k": 1.0})
TIMES = np.linspace(0.0, 12.0, 49)


def rows(network: Network, **values) -> np.ndarray:
    return parameter_rows(network, values)


def go(network: Network, events, times=TIMES, values=None, tolerances=TIGHT, **options):
    """Run; every lane must succeed."""
    parameters = rows(network, **(values or {}))
    found = run(network, parameters, np.asarray(times), events, tolerances=tolerances, **options)
    assert (found.status == march.DONE).all(), [found.reason(i) for i in range(len(parameters))]
    return found


def x_of(found) -> np.ndarray:
    return found.y[..., 0]


def after(times, at: float, k: float = 0.5) -> np.ndarray:
    """exp(-k (t - at)) from `at` on, else 0."""
    since = np.asarray(times) - at
    return np.where(since >= 0, np.exp(-k * np.maximum(since, 0)), 0.0)


def infused(times, start: float, stop: float, rate: float, k: float = 0.5) -> np.ndarray:
    t = np.asarray(times)
    held = np.clip(t, start, stop) - start
    return rate / k * (1 - np.exp(-k * held)) * np.exp(-k * np.maximum(t - stop, 0))


def same_bits(one, other) -> bool:
    return one.y.tobytes() == other.y.tobytes()


def binding() -> Network:
    """A ligand in excess of its receptor binds it; the ligand is not used up by it."""
    return check(
        Network(
            "binding",
            (Compartment(MEDIUM, 3), Compartment("surface", 2)),
            (
                Species("ligand", MEDIUM, num(2.0)),
                Species("free", "surface", num(100.0)),
                Species("bound", "surface", num(0.0)),
            ),
            (Parameter("on", 0.3, "1/(molecule/cell*min)"), Parameter("off", 0.2, "1/min")),
            reactions=(
                reaction("binds", ["ligand", "free"], ["ligand", "bound"], "on"),
                reaction("leaves", ["bound"], ["free"], "off"),
            ),
            observables=(Observable("share", sym("bound") / (sym("bound") + sym("free")), "dimensionless"),),
        )
    )
