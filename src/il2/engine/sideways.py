"""Transposed derivatives of the rates and of their Jacobian as tapes: what the backward pass is made of."""

from __future__ import annotations

from dataclasses import dataclass

from il2.engine import rodas5p
from il2.network.program import Program
from il2.network.reverse import copied, gradient
from il2.network.tape import Tape


@dataclass(frozen=True)
class Back:
    """A tape that loads `arrays`; `states` and `constants` are what is to be stored in ybar and kbar."""

    tape: Tape
    arrays: tuple[str, ...]
    states: tuple[int, ...]
    constants: tuple[int, ...]


def through_rates(program: Program) -> Back:
    """Adds the transposed derivatives of the rates, times v (states), to ybar and kbar."""
    tape = copied(program.rates)
    seeds: dict[int, int] = {}
    for i, value in enumerate(program.derivative):
        _seed(tape, seeds, value, tape.load("v", i))
    return _added(program, tape, seeds, ("y", "k", "v", "ybar", "kbar"))


def through_jacobian(program: Program) -> Back:
    """Adds the derivatives of the sum over stages of v_s^T J u_s to ybar and kbar; u and v are (stages, states)."""
    tape, n = copied(program.rates), program.n_states
    seeds: dict[int, int] = {}
    for (i, j), value in program.jacobian.items():
        part = tape.const(0.0)
        for s in range(rodas5p.STAGES):
            part = tape.add(part, tape.mul(tape.load("v", s * n + i), tape.load("u", s * n + j)))
        _seed(tape, seeds, value, part)
    return _added(program, tape, seeds, ("y", "k", "u", "v", "ybar", "kbar"))


def through_prepare(program: Program) -> Back:
    """Transposed derivatives of constants and initial state: loads p, kbar and ybar; `constants` are those of p."""
    tape = copied(program.prepare)
    seeds: dict[int, int] = {}
    for array, values in (("kbar", program.constants), ("ybar", program.initial)):
        for i, value in enumerate(values):
            _seed(tape, seeds, value, tape.load(array, i))
    return Back(tape, ("p", "kbar", "ybar"), (), gradient(tape, seeds, "p", len(program.parameters)))


def _seed(tape: Tape, seeds: dict[int, int], value: int, part: int) -> None:
    if tape.value(value) is None:
        seeds[value] = tape.add(seeds[value], part) if value in seeds else part


def _added(program: Program, tape: Tape, seeds: dict[int, int], arrays: tuple[str, ...]) -> Back:
    states = gradient(tape, seeds, "y", program.n_states)
    constants = gradient(tape, seeds, "k", len(program.constants))
    return Back(
        tape, arrays,
        tuple(tape.add(tape.load("ybar", i), v) for i, v in enumerate(states)),
        tuple(tape.add(tape.load("kbar", i), v) for i, v in enumerate(constants)),
    )  # fmt: skip
