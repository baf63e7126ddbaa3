"""A model as plain data: compartments, species, parameters, derived constants, reactions, observables.

A `Network` is built by pure functions, joined with `compose`, and checked when built: names are unique
and known, derived constants are defined before use and depend on parameters only. Units and conservation
have their own checks (`units`, `conserve`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from il2.errors import ModelError, did_you_mean
from il2.network.expression import Expr, Number, as_expr, diff, substitute, sym, symbols

COUNT = "molecule/cell"
FLUX = "molecule/(cell*min)"


@dataclass(frozen=True)
class Compartment:
    """A place; `surface` has no volume of its own, others name the parameter that holds theirs (fL)."""

    name: str
    dimensions: int
    volume: str = ""


@dataclass(frozen=True)
class Species:
    """A state variable. `controlled` False keeps it outside the error control of the integrator."""

    name: str
    compartment: str
    initial: Expr
    unit: str = COUNT
    controlled: bool = True


@dataclass(frozen=True)
class Parameter:
    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Derived:
    """A constant computed once per lane from parameters and earlier derived constants."""

    name: str
    expr: Expr
    unit: str


@dataclass(frozen=True)
class Reaction:
    """`change` is the net stoichiometry; `forward - reverse` is the net rate in `unit`."""

    name: str
    change: Mapping[str, int]
    forward: Expr
    reverse: Expr = field(default_factory=lambda: as_expr(0.0))
    unit: str = FLUX

    @property
    def rate(self) -> Expr:
        return self.forward - self.reverse


@dataclass(frozen=True)
class Observable:
    name: str
    expr: Expr
    unit: str


@dataclass(frozen=True)
class Network:
    """A complete or partial model; all parts are tuples, so a network is a value."""

    name: str
    compartments: tuple[Compartment, ...] = ()
    species: tuple[Species, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    derived: tuple[Derived, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    observables: tuple[Observable, ...] = ()

    @property
    def species_names(self) -> tuple[str, ...]:
        return tuple(s.name for s in self.species)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters)

    def defaults(self) -> dict[str, float]:
        """Parameter values by name, in their own units."""
        return {p.name: p.value for p in self.parameters}

    def observable(self, name: str) -> Expr:
        """The expression of an observable; an unknown name is an error."""
        found = {o.name: o.expr for o in self.observables}
        if name not in found:
            raise ModelError(f"the network {self.name} has no observable {name!r}", how=did_you_mean(name, found))
        return found[name]

    def with_values(self, values: Mapping[str, float]) -> Network:
        """The same network with other default values; an unknown name is an error."""
        unknown = set(values) - set(self.parameter_names)
        if unknown:
            name = sorted(unknown)[0]
            raise ModelError(
                f"the network {self.name} has no parameter {name!r}",
                how=did_you_mean(name, self.parameter_names),
            )
        return replace(
            self,
            parameters=tuple(replace(p, value=float(values.get(p.name, p.value))) for p in self.parameters),
        )


def reaction(
    name: str,
    reactants: Iterable[str],
    products: Iterable[str],
    forward: Number | str,
    reverse: Number | str = 0.0,
    unit: str = FLUX,
) -> Reaction:
    """Mass action: the rate constants are multiplied by the reactants and the products."""
    reactants, products = list(reactants), list(products)
    return Reaction(
        name,
        net_change(reactants, products),
        _times(as_expr(forward), reactants),
        _times(as_expr(reverse), products),
        unit,
    )


def net_change(reactants: Iterable[str], products: Iterable[str]) -> dict[str, int]:
    """Net stoichiometry of a list of reactants and a list of products; zeros are dropped."""
    change: dict[str, int] = {}
    for names, sign in ((reactants, -1), (products, 1)):
        for name in names:
            change[name] = change.get(name, 0) + sign
    return {name: n for name, n in change.items() if n}


def _times(rate: Expr, names: list[str]) -> Expr:
    for name in names:
        rate = rate * sym(name)
    return rate


def compose(name: str, *parts: Network) -> Network:
    """Join networks into a complete one, checked: equal parts are shared, unequal ones of a name are an error."""
    return check(join(name, *parts))


def join(name: str, *parts: Network) -> Network:
    """Join networks into a part that may still name what another part defines."""
    joined = {}
    for kind in ("compartments", "species", "parameters", "derived", "reactions", "observables"):
        table: dict = {}
        for part in parts:
            for item in getattr(part, kind):
                if table.setdefault(item.name, item) != item:
                    raise ModelError(
                        f"two parts of {name} define {item.name!r} differently",
                        where=kind,
                        how="Rename one, or make the definitions equal.",
                    )
        joined[kind] = tuple(table.values())
    return Network(name, **joined)


def check(network: Network) -> Network:
    """Return the network if every name is unique and known; raise `ModelError` otherwise."""
    seen: set[str] = set()
    for name in (
        *(c.name for c in network.compartments),
        *network.species_names,
        *network.parameter_names,
        *(d.name for d in network.derived),
    ):
        if name in seen:
            raise ModelError(f"{network.name}: the name {name!r} is used twice")
        seen.add(name)
    constants = set(network.parameter_names)
    for d in network.derived:
        _known(network, f"derived {d.name}", symbols(d.expr), constants)
        constants.add(d.name)
    for s in network.species:
        _known(network, f"initial value of {s.name}", symbols(s.initial), constants)
        _known(network, f"species {s.name}", {s.compartment}, {c.name for c in network.compartments})
    everything = constants | set(network.species_names)
    for r in network.reactions:
        _known(network, f"rate of {r.name}", symbols(r.rate), everything)
        _known(network, f"reaction {r.name}", set(r.change), set(network.species_names))
    for o in network.observables:
        _known(network, f"observable {o.name}", symbols(o.expr), everything)
    return network


def _known(network: Network, where: str, names: Set[str], known: Set[str]) -> None:
    for name in sorted(names - known):
        raise ModelError(f"unknown name {name!r}", where=f"{network.name}: {where}", how=did_you_mean(name, known))


def right_hand_side(network: Network) -> dict[str, Expr]:
    """dy/dt per species as expressions."""
    total: dict[str, Expr] = {s: as_expr(0.0) for s in network.species_names}
    for r in network.reactions:
        for name, n in r.change.items():
            total[name] = total[name] + n * r.rate
    return total


def rename(network: Network, table: Mapping[str, str]) -> Network:
    """The same network under other names (species, parameters, derived constants)."""
    symbols_table = {old: sym(new) for old, new in table.items()}

    def new(name: str) -> str:
        return table.get(name, name)

    def sub(expr: Expr) -> Expr:
        return substitute(expr, symbols_table)

    return check(
        replace(
            network,
            compartments=tuple(replace(c, volume=new(c.volume)) for c in network.compartments),
            species=tuple(replace(s, name=new(s.name), initial=sub(s.initial)) for s in network.species),
            parameters=tuple(replace(p, name=new(p.name)) for p in network.parameters),
            derived=tuple(replace(d, name=new(d.name), expr=sub(d.expr)) for d in network.derived),
            reactions=tuple(
                replace(
                    r,
                    change={new(k): v for k, v in r.change.items()},
                    forward=sub(r.forward),
                    reverse=sub(r.reverse),
                )
                for r in network.reactions
            ),
            observables=tuple(replace(o, expr=sub(o.expr)) for o in network.observables),
        )
    )


def jacobian(network: Network) -> dict[tuple[str, str], Expr]:
    """Non-zero entries d(dy_i/dt)/dy_j as expressions."""
    entries: dict[tuple[str, str], Expr] = {}
    names = set(network.species_names)
    for r in network.reactions:
        rate = r.rate
        for column in sorted(symbols(rate) & names):
            partial = diff(rate, column)
            for row, n in r.change.items():
                entries[row, column] = entries.get((row, column), as_expr(0.0)) + n * partial
    return {key: e for key, e in entries.items() if e.kind != "num" or e.args[0] != 0.0}
