"""What the tests of the core share: lowered models, lanes, small networks, and settings of hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import HealthCheck, settings

from il2.engine.evaluate import run
from il2.engine.solve import Solution, Tolerances, solve
from il2.network.expression import Number, as_expr, evaluate
from il2.network.network import COUNT, Compartment, Network, Parameter, Reaction, Species, check
from il2.network.program import Program, lower, lower_expressions

TIGHT = Tolerances(rtol=1e-10, atol=1e-10)
Values = Mapping[str, float]


def examples(count: int) -> settings:
    """Reproducible hypothesis settings: the same `count` examples in every run, no deadline, nothing on disk."""
    return settings(
        max_examples=count, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A network with its program; lanes are given by name and results are read by name."""

    network: Network
    program: Program

    def lanes(self, *values: Values) -> np.ndarray:
        """Parameter rows: the defaults of the network with the given values replaced."""
        return np.array([list(self.network.with_values(v).defaults().values()) for v in values])

    def solve(
        self, values: Sequence[Values], times: Sequence[float], tolerances: Tolerances = TIGHT,
        initial: np.ndarray | None = None,
    ) -> Solution:  # fmt: skip
        """Solve; every lane must succeed."""
        solution = solve(self.program, self.lanes(*values), np.array(times), initial=initial, tolerances=tolerances)
        assert not solution.status.any(), [solution.reason(i) for i in range(len(values))]
        return solution

    def state(self, y: np.ndarray, *names: str) -> np.ndarray:
        """The sum of some states: the last axis of `y` is taken away."""
        return sum((y[..., self.program.states.index(name)] for name in names), np.zeros(y.shape[:-1]))

    def observe(self, y: np.ndarray, values: Sequence[Values]) -> dict[str, np.ndarray]:
        """Observables (lanes, times) by name."""
        tape, outputs = lower_expressions(self.network, [o.expr for o in self.network.observables])
        found = run(tape, {"y": y, "p": self.lanes(*values)[:, None, :]}, outputs)
        return {o.name: found[..., i] for i, o in enumerate(self.network.observables)}


def model(network: Network) -> Model:
    """The lowered network."""
    return Model(network, lower(network))


def constants(network: Network, values: Values) -> dict[str, float]:
    """Parameters and derived constants by name, by direct evaluation of their expressions."""
    table: dict[str, float] = network.with_values(values).defaults()
    for d in network.derived:
        table[d.name] = evaluate(d.expr, table)
    return table


def equations(
    laws: Mapping[str, Number | str], start: Mapping[str, Number | str], parameters: Values | None = None
) -> Network:
    """The network of dx/dt = laws[x] with x(0) = start[x]: one reaction a species."""
    return check(
        Network(
            "equations",
            (Compartment("box", 3),),
            tuple(Species(name, "box", as_expr(start[name])) for name in laws),
            tuple(Parameter(name, value, COUNT) for name, value in (parameters or {}).items()),
            reactions=tuple(Reaction(f"d{name}", {name: 1}, as_expr(law)) for name, law in laws.items()),
        )
    )


def values_at(network: Network, y: np.ndarray, values: Values) -> dict[str, float]:
    """Everything that an expression of the network can name, at one state `y`."""
    return constants(network, values) | dict(zip(network.species_names, map(float, y), strict=True))


def slope(sizes: Sequence[float], errors: Sequence[float]) -> float:
    """Order of convergence: the slope of log error against log size."""
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])
