"""What is solved: the 34-state IL-2/IL-15 network, a fixed random batch of cells, and the error of an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import prepare, run
from il2.network.expression import sym
from il2.network.network import Network
from il2.network.program import Program, lower, lower_expressions
from il2.receptor.model import ACTIVE, dose
from il2.signalling.models import model

MODEL, SEED = "receptor-IL2-IL15", 20190418
TIMES = np.array([30.0, 60.0, 120.0, 240.0])
RTOL, ATOL = 1e-6, 1e-8
TIGHT_RTOL, TIGHT_ATOL = 1e-11, 1e-13
SMALLEST = 1e-3  # of the observable, for a relative error to be meant
RANGES = {
    dose("IL2"): (1e-4, 1e2),
    dose("IL15"): (1e-4, 1e2),
    "IL2RA_count": (1e2, 3e4),
    "IL2RB_count": (1e2, 1e4),
    "IL2RG_count": (1e3, 2e4),
    "IL15RA_count": (30.0, 3000.0),
}


@dataclass(frozen=True)
class Problem:
    """A network and the parameters of its lanes; what a solver is given for nothing is kept here."""

    network: Network
    program: Program
    parameters: np.ndarray

    def first(self, lanes: int) -> Problem:
        return replace(self, parameters=self.parameters[:lanes])

    @cached_property
    def prepared(self) -> tuple[np.ndarray, np.ndarray]:
        """Constants of the rate laws and initial states of all lanes."""
        return prepare(self.program, self.parameters)

    @cached_property
    def constants(self) -> np.ndarray:
        """Values of all parameters and derived constants, in the order of `constant_names`."""
        return self._values(tuple(sym(name) for name in self.constant_names))

    @property
    def constant_names(self) -> tuple[str, ...]:
        return (*self.network.parameter_names, *(d.name for d in self.network.derived))

    def active(self, y: np.ndarray) -> np.ndarray:
        """The observable (lanes, times) of states (lanes, times, states)."""
        formula = next(o.expr for o in self.network.observables if o.name == ACTIVE)
        tape, places = lower_expressions(self.network, [formula])
        return run(tape, {"y": y, "p": self.parameters[:, None, :]}, places)[..., 0]

    def _values(self, expressions: tuple) -> np.ndarray:
        tape, places = lower_expressions(self.network, list(expressions))
        found = run(tape, {"y": np.zeros((len(self.parameters), self.program.n_states)), "p": self.parameters}, places)
        return np.ascontiguousarray(np.broadcast_to(found, (len(self.parameters), len(expressions))))


def problem(lanes: int) -> Problem:
    """Doses and receptor counts drawn log-uniformly; lane i is the same for every number of lanes."""
    network = model(MODEL).build()
    program = lower(network)
    draws = np.random.Generator(np.random.Philox(key=SEED)).random((lanes, len(RANGES)))
    values = {name: low * (high / low) ** u for (name, (low, high)), u in zip(RANGES.items(), draws.T, strict=True)}
    return Problem(network, program, parameter_rows(network, values))


def errors(found: np.ndarray, reference: np.ndarray) -> dict:
    """Relative errors of the observable where the reference exceeds `SMALLEST`; unfinished lanes count as inf."""
    counted = reference > SMALLEST
    relative = np.abs(found[counted] / reference[counted] - 1)
    relative[np.isnan(relative)] = np.inf
    return {"max": float(relative.max()), "median": float(np.median(relative)), "values": int(counted.sum())}
