"""Lower a network to jumps: what the stochastic engine compiles.

The forward and the reverse direction of a reaction become jumps of their own, each with its change of counts
and its propensity, the probability per unit of time that it fires (Gillespie 1977, J Phys Chem 81:2340).

A rate law of mass action, as written, is a product of constants and of whole powers of species, or a sum of
such products without a minus sign. There x^n becomes the number of ordered choices x (x - 1) ... (x - n + 1).
The constant is kept, so that large counts follow the deterministic equations. Every other law (a quotient, a
fractional power, exp, log, a product that already says x (x - 1), a sum with a minus sign) is used as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from il2.errors import ModelError
from il2.network.expression import Expr, add, mul, num, sym, symbols
from il2.network.network import Network, Reaction, Species
from il2.network.program import Program, lower
from il2.network.reverse import copied
from il2.network.tape import Tape

COUNTS = ("molecule/cell", "molecule", "cell", "dimensionless")


@dataclass(frozen=True)
class Jump:
    """One direction of a reaction; `name` is the reaction's, or 'reverse of' it."""

    name: str
    change: dict[str, int]
    propensity: Expr


@dataclass(frozen=True)
class Jumps:
    """Jumps of a network, and its program with one further state per jump that counts how often it fired.

    program: the derivative of state `n_species + j` is the propensity of jump j; constants, and initial counts.
    change[j]: pairs (species, count) of jump j. unguarded: species that a jump may take below zero, because
    its propensity does not vanish by its form where too few are left.
    """

    species: tuple[str, ...]
    names: tuple[str, ...]
    change: tuple[tuple[tuple[int, int], ...], ...]
    unguarded: tuple[int, ...]
    program: Program

    @property
    def propensities(self) -> tuple[int, ...]:
        """Value numbers of the propensities on the tape `program.rates`."""
        return self.program.derivative[len(self.species) :]

    @property
    def initial(self) -> tuple[int, ...]:
        """Value numbers of the initial counts on the tape `program.prepare`."""
        return self.program.initial[: len(self.species)]

    def cumulative(self) -> tuple[Tape, tuple[int, ...], int]:
        """Rates tape with the running sums of the propensities and the least propensity: (tape, sums, least)."""
        tape = copied(self.program.rates)
        sums, total, least = [], tape.const(0.0), self.propensities[0]
        for v in self.propensities:
            total = tape.add(total, v)
            sums.append(total)
            least = least if v == least else tape.emit("min", v, least)
        return tape, tuple(sums), least


def lower_jumps(network: Network) -> Jumps:
    """Lower a checked network to its jumps, in the order of its reactions.

    Raises `ModelError` where a species is not a number of molecules or cells, or nothing ever changes.
    """
    for s in network.species:
        if s.unit not in COUNTS:
            raise ModelError(
                f"species {s.name!r} is in {s.unit}, not a count",
                where=network.name,
                why="stochastic simulation moves whole molecules",
                how=f"Write it in {COUNTS[0]}, with the volume in the rate constants.",
            )
    found = jumps_of(network)
    if not found:
        raise ModelError("no reaction changes a species", where=network.name, how="Add a reaction.")
    index = {name: i for i, name in enumerate(network.species_names)}
    return Jumps(
        species=network.species_names,
        names=tuple(j.name for j in found),
        change=tuple(tuple(sorted((index[s], n) for s, n in j.change.items())) for j in found),
        unguarded=tuple(sorted({index[s] for j in found for s in _unguarded(j)})),
        program=lower(with_counters(network, found)),
    )


def jumps_of(network: Network, counted: set[str] | None = None) -> list[Jump]:
    """The jumps of a network; directions whose rate is the number zero, and changes of nothing, are left out.

    counted: species that are whole numbers, of which powers become falling factorials; None: all.
    """
    species = set(network.species_names) if counted is None else counted
    found = []
    for r in network.reactions:
        change = {name: n for name, n in r.change.items() if n}
        for name, law, sign in ((r.name, r.forward, 1), (f"reverse of {r.name}", r.reverse, -1)):
            if change and law != num(0.0):
                found.append(Jump(name, {s: sign * n for s, n in change.items()}, propensity(law, species)))
    return found


def with_counters(network: Network, jumps: list[Jump]) -> Network:
    """The network with one species per jump that counts its firings, and no other change."""
    place = network.species[0].compartment
    names = [f"#fired {j}" for j in range(len(jumps))]
    return replace(
        network,
        species=network.species + tuple(Species(name, place, num(0.0)) for name in names),
        reactions=tuple(Reaction(j.name, {name: 1}, j.propensity) for j, name in zip(jumps, names, strict=True)),
        observables=(),
    )


def propensity(law: Expr, species: set[str]) -> Expr:
    """The propensity of a rate law: falling factorials in laws of mass action, else the law as it stands."""
    terms = law.args if law.kind == "add" else (law,)
    powers = [_powers(term, species) for term in terms]
    if len(terms) > 1 and any(_negative(t) for t in terms):
        return law
    if any(p is None for p in powers):
        return law
    return add(*(_falling(t, p, species) for t, p in zip(terms, powers, strict=True) if p is not None))


def _powers(term: Expr, species: set[str]) -> dict[str, int] | None:
    """Exponent of each species in a product of constants and whole powers of species; None for another form."""
    found: dict[str, int] = {}
    for factor in term.args if term.kind == "mul" else (term,):
        if not symbols(factor) & species:
            continue
        base, exponent = factor.args if factor.kind == "pow" else (factor, 1.0)
        if base.kind != "sym" or exponent < 1 or not float(exponent).is_integer():
            return None
        found[base.args[0]] = found.get(base.args[0], 0) + int(exponent)
    return found


def _negative(term: Expr) -> bool:
    return any(f.kind == "num" and f.args[0] < 0 for f in (term.args if term.kind == "mul" else (term,)))


def _falling(term: Expr, powers: dict[str, int], species: set[str]) -> Expr:
    fixed = [f for f in (term.args if term.kind == "mul" else (term,)) if not symbols(f) & species]
    choices = [add(sym(name), num(-i)) for name, n in powers.items() for i in range(n)]
    return mul(num(1.0), *fixed, *choices)


def _unguarded(jump: Jump) -> set[str]:
    """Species that the jump takes and of which its propensity, as a falling factorial, does not need as many."""
    taken = {name: -n for name, n in jump.change.items() if n < 0}
    terms = jump.propensity.args if jump.propensity.kind == "add" else (jump.propensity,)
    lacking = set()
    for term in terms:
        factors = term.args if term.kind == "mul" else (term,)
        for name, n in taken.items():
            if any(add(sym(name), num(-i)) not in factors for i in range(n)):
                lacking.add(name)
    return lacking
