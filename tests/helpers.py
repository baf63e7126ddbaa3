"""What the tests of the core share: lowered models, lanes, small networks, and settings of hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.sparse import csc_array, csr_array

from il2.engine.evaluate import run
from il2.engine.solve import Solution, Tolerances, solve
from il2.network.expression import Number, as_expr, evaluate, symbols
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


def log_uniform(low: float, high: float) -> st.SearchStrategy[float]:
    """Powers of ten between 10^low and 10^high."""
    return st.floats(low, high).map(lambda x: 10.0**x)


def closed(network: Network) -> dict[str, float]:
    """Values that keep every chain where it is: no uptake, so no synthesis either, and nothing shed."""
    return {n: 0.0 for n in network.parameter_names if n.startswith("internalisation_") or n.endswith("_shedding")}


def by_mass_action(network: Network, values: Values, times: Sequence[float], rtol: float = 1e-6) -> np.ndarray:
    """States (times, states) by SciPy's BDF: products of a constant and up to two species as arrays, which is fast
    for thousands of reactions, and all other rates by the tape."""
    names, row = network.species_names, np.array(list(network.with_values(values).defaults().values()))
    index, one = {name: i for i, name in enumerate(names)}, len(names)
    rates = [(r, sign, expr) for r in network.reactions for sign, expr in ((1, r.forward), (-1, r.reverse))]
    tape, outputs = lower_expressions(network, [expr for _, _, expr in rates])
    at = [run(tape, {"y": np.full(one, y), "p": row}, outputs) for y in (1.0, 2.0)]
    terms, rest = [], []
    for (r, sign, expr), constant, twice in zip(rates, *at, strict=True):
        held = sorted(symbols(expr) & index.keys())
        if len(held) <= 2 and np.isclose(twice, constant * 2 ** len(held), rtol=1e-12, atol=0):
            terms.append((r.change, sign * constant, [index[s] for s in held] + [one] * (2 - len(held))))
        else:
            rest.append((r.change, sign, expr))
    slow, outputs = lower_expressions(network, [expr for _, _, expr in rest])
    columns = [(change, n) for change, n, _ in terms] + [(change, n) for change, n, _ in rest]
    change = np.array([[n * by.get(name, 0) for by, n in columns] for name in names])
    table, (a, b) = csr_array(change), np.array([places for _, _, places in terms]).T
    seen = sorted({s for _, _, expr in rest for s in symbols(expr)} & index.keys())
    every, last = np.arange(len(terms)), [index[s] for s in seen]

    def f(_t: float, y: np.ndarray) -> np.ndarray:
        whole = np.append(y, 1.0)
        return table @ np.concatenate([whole[a] * whole[b], run(slow, {"y": y, "p": row}, outputs)])

    def j(_t: float, y: np.ndarray) -> csc_array:
        whole, parts = np.append(y, 1.0), np.zeros((len(columns), one + 1))
        np.add.at(parts, (every, a), whole[b])
        np.add.at(parts, (every, b), whole[a])
        size = 1e-6 * (1 + np.abs(y[last]))
        moved = np.tile(y, (len(last), 1))
        moved[np.arange(len(last)), last] += size
        found = run(slow, {"y": np.vstack([y, moved]), "p": row}, outputs)
        parts[len(terms) :, last] = ((found[1:] - found[0]) / size[:, None]).T
        return csc_array(table @ csr_array(parts[:, :one]))

    start = [evaluate(s.initial, constants(network, values)) for s in network.species]
    found = solve_ivp(f, (0.0, times[-1]), start, "BDF", t_eval=times, jac=j, rtol=rtol, atol=1e-6)
    assert found.success, found.message
    return found.y.T
