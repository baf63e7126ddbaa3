"""Lower a network to a `Program`: what the engine compiles, free of names, units and expressions.

Sub-expressions of rates that hold no species are hoisted into constants `k`, computed once per lane from
the parameters `p` together with the initial state. What is left per step is arithmetic on `y` and `k`.
Needs the standard library alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from il2.network.expression import Expr, add, children, diff, mul, num, sym, symbols
from il2.network.network import Network
from il2.network.tape import Tape


@dataclass(frozen=True)
class Program:
    """Tapes and their outputs.

    prepare: loads ("p", j); `constants` and `initial` are value numbers on it.
    rates:   loads ("y", i) and ("k", j); `derivative[i]` is dy_i/dt; `jacobian[i, j]` its derivative.
    controlled: per state, whether it takes part in error control.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    prepare: Tape
    constants: tuple[int, ...]
    initial: tuple[int, ...]
    rates: Tape
    derivative: tuple[int, ...]
    jacobian: dict[tuple[int, int], int]
    controlled: tuple[bool, ...]

    @property
    def n_states(self) -> int:
        return len(self.states)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the equations, without the names."""
        parts = (
            self.prepare.ops, self.constants, self.initial, self.rates.ops, self.derivative,
            sorted(self.jacobian.items()), self.controlled, len(self.parameters),
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def lower(network: Network) -> Program:
    """Lower a checked network; the result does not depend on names, only on order and structure."""
    species = {name: i for i, name in enumerate(network.species_names)}
    prepare = Tape()
    constants_of = {n: prepare.load("p", j) for j, n in enumerate(network.parameter_names)}
    for d in network.derived:
        constants_of[d.name] = prepare.expression(d.expr, constants_of)

    hoisted: dict[Expr, str] = {}

    def hoist(expr: Expr) -> Expr:
        names = symbols(expr)
        if expr.kind != "num" and not names & species.keys():
            return sym(hoisted.setdefault(expr, f"#{len(hoisted)}"))
        if expr.kind == "mul":
            fixed = [c for c in expr.args if not symbols(c) & species.keys()]
            free = [hoist(c) for c in expr.args if symbols(c) & species.keys()]
            lead = mul(num(1.0), *fixed)
            return mul(lead if lead.kind == "num" else hoist(lead), *free)
        if expr.kind == "add":
            return add(num(0.0), *(hoist(c) for c in expr.args))
        if not children(expr):
            return expr
        return type(expr)(expr.kind, (hoist(expr.args[0]), *expr.args[1:]))

    rates = Tape()
    laws = [hoist(r.rate) for r in network.reactions]
    names_of = {name: rates.load("y", i) for name, i in species.items()}
    names_of |= {name: rates.load("k", j) for j, name in enumerate(hoisted.values())}

    zero = rates.const(0.0)
    derivative = [zero] * len(species)
    jacobian: dict[tuple[int, int], int] = {}
    for reaction, law in zip(network.reactions, laws, strict=True):
        flux = rates.expression(law, names_of)
        change = {species[name]: n for name, n in reaction.change.items()}
        for row, n in change.items():
            derivative[row] = _accumulate(rates, derivative[row], flux, n)
        for column_name in sorted(symbols(law) & species.keys(), key=species.__getitem__):
            partial = rates.expression(diff(law, column_name), names_of)
            for row, n in change.items():
                at = row, species[column_name]
                jacobian[at] = _accumulate(rates, jacobian.get(at, zero), partial, n)

    return Program(
        states=network.species_names,
        parameters=network.parameter_names,
        prepare=prepare,
        constants=tuple(prepare.expression(e, constants_of) for e in hoisted),
        initial=tuple(prepare.expression(s.initial, constants_of) for s in network.species),
        rates=rates,
        derivative=tuple(derivative),
        jacobian={at: v for at, v in jacobian.items() if rates.value(v) != 0.0},
        controlled=tuple(s.controlled for s in network.species),
    )


def _accumulate(tape: Tape, total: int, value: int, n: int) -> int:
    if abs(n) != 1:
        value = tape.mul(tape.const(abs(n)), value)
    return tape.sub(total, value) if n < 0 else tape.add(total, value)


def lower_expressions(network: Network, expressions: list[Expr]) -> tuple[Tape, list[int]]:
    """Expressions over states and parameters (observables) as a tape with ("y", i) and ("p", j)."""
    tape = Tape()
    names = {n: tape.load("y", i) for i, n in enumerate(network.species_names)}
    names |= {n: tape.load("p", j) for j, n in enumerate(network.parameter_names)}
    for d in network.derived:
        names[d.name] = tape.expression(d.expr, names)
    return tape, [tape.expression(e, names) for e in expressions]
