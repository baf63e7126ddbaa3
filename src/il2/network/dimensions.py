"""Check the units of a network: every sum, rate, constant, initial value and observable.

Units are compared strictly: they must have one dimension and one scale, because values are stripped of their
units before they are computed with. A literal number is dimensionless; the literal zero fits every unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from il2.errors import ModelError, UnitError
from il2.network.expression import Expr, show
from il2.network.network import Network
from il2.units import Unit, base_form, parse_unit, unit_text

Units = dict[str, Unit]


def check_units(network: Network) -> None:
    """Raise `ModelError` at the first place where two units disagree; it names the place and both units.

    Checked are: derived constants, initial values, forward and reverse rates and observables against the
    unit they state; the terms of every sum; arguments of exp and log; and that every reaction changes its
    species by their own unit per time, with one unit of time in the whole network.
    An unknown or malformed unit is a `UnitError`.
    """
    table: Units = {p.name: _parse(network, f"parameter {p.name}", p.unit) for p in network.parameters}
    for d in network.derived:
        table[d.name] = _parse(network, f"derived {d.name}", d.unit)
        _match(network, f"derived {d.name}", d.expr, table, d.unit)
    for s in network.species:
        table[s.name] = _parse(network, f"species {s.name}", s.unit)
        _match(network, f"initial value of species {s.name}", s.initial, table, s.unit)
    for r in network.reactions:
        _parse(network, f"reaction {r.name}", r.unit)
        _match(network, f"forward rate of reaction {r.name}", r.forward, table, r.unit)
        _match(network, f"reverse rate of reaction {r.name}", r.reverse, table, r.unit)
    for o in network.observables:
        _parse(network, f"observable {o.name}", o.unit)
        _match(network, f"observable {o.name}", o.expr, table, o.unit)
    time_unit(network)


def time_unit(network: Network) -> Unit:
    """The unit of time of a network: species unit over reaction unit, the same for every change; else min.

    Raises `ModelError` where a reaction's unit is not the unit of a species it changes per one unit of time.
    """
    species = {s.name: parse_unit(s.unit) for s in network.species}
    found: Unit = {}
    seen: set[tuple[str, str]] = set()
    units = {s.name: s.unit for s in network.species}
    for r in network.reactions:
        for name in r.change:
            if (units[name], r.unit) in seen:
                continue
            seen.add((units[name], r.unit))
            time = _times(species[name], _power(parse_unit(r.unit), Fraction(-1)))
            if base_form(time)[1] != {"second": 1} or (found and not same(found, time)):
                raise ModelError(
                    f"the rate is in {r.unit}, but it changes {name}, which is in {units[name]}",
                    where=f"{network.name}: reaction {r.name}",
                    why=f"a rate is the unit of the species per {unit_text(found) if found else 'time'}",
                )
            found = found or time
    return found or parse_unit("min")


def same(a: Unit, b: Unit) -> bool:
    """Whether two units have the same dimension and the same scale."""
    if a == b:
        return True
    (scale_a, base_a), (scale_b, base_b) = base_form(a), base_form(b)
    return base_a == base_b and math.isclose(scale_a, scale_b, rel_tol=1e-9)


def unit_of(expr: Expr, units: Mapping[str, Unit]) -> Unit | None:
    """The unit of an expression over names with known units; None for zero, which fits every unit.

    Raises `UnitError` where the terms of a sum disagree or an argument of exp or log has a unit.
    """
    if expr.kind == "num":
        return None if expr.args[0] == 0.0 else {}
    if expr.kind == "sym":
        return units[expr.args[0]]
    if expr.kind == "mul":
        factors = [unit_of(c, units) for c in expr.args]
        return None if None in factors else _times(*(f for f in factors if f is not None))
    if expr.kind == "add":
        return _sum(expr, units)
    inner = unit_of(expr.args[0], units)
    if expr.kind == "pow":
        return None if inner is None else _power(inner, Fraction(expr.args[1]).limit_denominator(1000))
    if inner is not None and not same(inner, {}):
        raise UnitError(
            f"the argument of {expr.kind} is in {unit_text(inner)}, not dimensionless", why=shorten(expr.args[0])
        )
    return {}


def _sum(expr: Expr, units: Mapping[str, Unit]) -> Unit | None:
    first: tuple[Expr, Unit] | None = None
    for term in expr.args:
        unit = unit_of(term, units)
        if unit is None:
            continue
        if first is None:
            first = term, unit
        elif not same(first[1], unit):
            raise UnitError(
                f"a sum adds {unit_text(first[1])} and {unit_text(unit)}",
                why=f"{shorten(first[0])} and {shorten(term)}",
            )
    return first[1] if first else None


def _times(*units: Unit) -> Unit:
    total: dict[str, Fraction] = {}
    for unit in units:
        for word, n in unit.items():
            total[word] = total.get(word, Fraction(0)) + n
    return {word: n for word, n in total.items() if n}


def _power(unit: Unit, exponent: Fraction) -> Unit:
    return {word: n * exponent for word, n in unit.items()}


def shorten(expr: Expr) -> str:
    """The expression as text of at most 100 characters."""
    text = show(expr)
    return text if len(text) <= 100 else text[:97] + "..."


def _parse(network: Network, item: str, unit: str) -> Unit:
    try:
        return parse_unit(unit)
    except UnitError as error:
        raise UnitError(error.what, where=f"{network.name}: {item}", why=error.why, how=error.how) from None


def _match(network: Network, item: str, expr: Expr, units: Units, stated: str) -> None:
    where = f"{network.name}: {item}"
    try:
        unit = unit_of(expr, units)
    except UnitError as error:
        raise ModelError(error.what, where=where, why=error.why) from None
    if unit is None or same(unit, parse_unit(stated)):
        return
    scaled = base_form(unit)[1] == base_form(parse_unit(stated))[1]
    raise ModelError(
        f"the unit is {unit_text(unit)}, but {stated} is stated",
        where=where,
        why="they differ by a factor" if scaled else shorten(expr),
        how="Mend the expression, or a unit of what it is made of.",
    )
