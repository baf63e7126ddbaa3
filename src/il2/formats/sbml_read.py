"""SBML Level 3 core (older levels by libSBML's own conversion) as networks.

Species are amounts throughout; one that the file gives as a concentration enters formulas as its amount over the size
of its compartment. Function definitions and assignment rules are written out where they are used; initial assignments
become derived constants or initial values; a variable with a rate rule becomes a species. Sizes of compartments are
parameters. Time in a formula is a clock, a species of its own. Numbers are as in the file, without their units.

Refused: events, algebraic rules, delays, conversion factors, fast reactions, sizes and stoichiometries that change, and
functions that an expression cannot hold (`il2.formats.formula`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from il2.errors import Il2Error, did_you_mean
from il2.formats.formula import of_sbml
from il2.formats.sbml_document import document, each, refuse, time_word
from il2.network.expression import Expr, as_expr, mul, num, power, sym
from il2.network.network import Compartment, Derived, Network, Parameter, Reaction, Species, check

CLOCK = "time"
PLAIN = "dimensionless"
ROOM = "everywhere"


@dataclass(frozen=True)
class Imported:
    """A network and how to speak of it in the names of its file.

    meaning: what each name of the file stands for, over names of the network. given: for each name that a caller sets,
    the parameter that takes the value, and the parameter to be put to zero for it, "" if none.
    """

    network: Network
    meaning: Mapping[str, Expr]
    given: Mapping[str, tuple[str, str]]


def read_sbml(
    text: str,
    values: Mapping[str, float] | None = None,
    changing: Collection[str] = (),
    given: Collection[str] = (),
    clock: bool = False,
) -> Imported:
    """A network from an SBML document.

    values: of parameters, in the place of those of the file. changing: names of parameters that will take other values;
    all others may settle exponents and conditions. given: names (parameters, species, compartments) of which lanes set
    the value or the initial value. clock: whether a clock is needed in any case.
    Raises `Il2Error` for a malformed document, for what cannot be read, and where python-libsbml is missing.
    """
    return _Reader(text, values or {}, changing, given, clock).read()


class _Reader:
    """Reads one document; `read` is called once."""

    def __init__(
        self, text: str, values: Mapping[str, float], changing: Collection[str], given: Collection[str], clock: bool
    ) -> None:
        self.document = document(text)
        self.model = self.document.getModel()
        m = self.model
        self.name = m.getName() or m.getId() or "model"
        self.parameters = {p.getId(): p for p in each(m, "Parameter")}
        self.species = {s.getId(): s for s in each(m, "Species")}
        self.rooms = {c.getId(): c for c in each(m, "Compartment")}
        self.reactions = {r.getId(): r for r in each(m, "Reaction")}
        self.starts = {a.getSymbol(): a.getMath() for a in each(m, "InitialAssignment")}
        self.rules = {r.getVariable(): r.getMath() for r in each(m, "Rule") if r.isAssignment()}
        self.slopes = {r.getVariable(): r.getMath() for r in each(m, "Rule") if r.isRate()}
        self.values, self.wanted, self.clock = values, set(given), clock
        known = {*self.parameters, *self.species, *self.rooms}
        if CLOCK in known | self.reactions.keys():
            raise Il2Error(f"something is named {CLOCK!r}", where=self.name, how="Give it another name.")
        for name in sorted(self.wanted - known):
            raise Il2Error(f"no {name!r} in the model", where=self.name, how=did_you_mean(name, known))
        for name in sorted(self.wanted & self.rules.keys()):
            raise Il2Error(f"{name!r} is set by a rule of the model and by a condition", where=self.name)
        refuse(m, self.name)
        own = {n: self._plain(n) for n in self.parameters if n not in self.starts and not self._moves(n)}
        self.fixed = {n: v for n, v in own.items() if n not in {*changing, *given} and v is not None}
        self.now: dict[str, Expr] = {}
        self.then: dict[str, Expr] = {}
        self.open: list[str] = []
        self.derived: list[Derived] = []
        self.extra: list[Parameter] = []
        self.given: dict[str, tuple[str, str]] = {}

    def read(self) -> Imported:
        states = [n for n, s in self.species.items() if n not in self.rules]
        states += [n for n in self.slopes if n in self.parameters]
        initial = {n: self._start(n) for n in states}
        for name in (*self.parameters, *self.rooms):
            self.at_start(name)
        reactions = self._reactions()
        meaning = {n: self.value(n) for n in (*self.parameters, *self.species, *self.rooms)}
        if self.clock:
            reactions.append(Reaction("clock", {CLOCK: 1}, num(1.0), unit=f"1/{time_word(self.model)}"))
        constants = [
            Parameter(n, v, PLAIN, self.parameters[n].getName())
            for n in self.parameters
            if n not in self.starts and not self._moves(n) and (v := self._plain(n)) is not None
        ]
        constants += [
            Parameter(self._size(n), v, PLAIN)
            for n in self.rooms
            if n not in self.starts and (v := self._plain(n)) is not None
        ]
        rooms = [Compartment(n, 3, self._size(n)) for n in self.rooms]
        free = [n for n in states if n not in self.species]
        if free or self.clock:
            rooms.append(Compartment(ROOM, 3))
        species = [
            Species(n, self.species[n].getCompartment() if n in self.species else ROOM, initial[n], PLAIN)
            for n in states
        ]
        if self.clock:
            species.append(Species(CLOCK, ROOM, num(0.0), PLAIN, controlled=False))
            meaning[CLOCK] = sym(CLOCK)
        network = Network(
            self.name, tuple(rooms), tuple(species), (*constants, *self.extra), tuple(self.derived), tuple(reactions)
        )
        return Imported(check(network), meaning, self.given)

    def value(self, name: str) -> Expr:
        """What a name stands for while time runs."""
        if name not in self.now:
            self._enter(name)
            self.now[name] = self._value(name)
            self.open.pop()
        return self.now[name]

    def _value(self, name: str) -> Expr:
        if name == CLOCK:
            self.clock = True
            return sym(CLOCK)
        if name in self.rules:
            return self._math(self.rules[name], f"rule of {name}")
        if name in self.species:
            return self._shown(name, sym(name))
        if name in self.rooms:
            return sym(self._size(name))
        if name in self.reactions:
            return self._law(name)
        return sym(self._known(name))

    def at_start(self, name: str) -> Expr:
        """What a name stands for at time zero, over parameters and derived constants."""
        if name not in self.then:
            self._enter(name)
            self.then[name] = self._at_start(name)
            self.open.pop()
        return self.then[name]

    def _at_start(self, name: str) -> Expr:
        if name == CLOCK:
            return num(0.0)
        if name in self.rules:
            return self._math(self.rules[name], f"rule of {name}", start=True)
        if name in self.species:
            return self._shown(name, self._start(name))
        if name in self.reactions:
            return self._law(name, start=True)
        own = self._size(name) if name in self.rooms else self._known(name)
        if name in self.slopes:
            return self._start(name)
        if name in self.starts:
            self.derived.append(Derived(own, self._switched(name, self._assigned(name)), PLAIN))
        elif self._plain(name) is None:
            raise Il2Error(f"{name!r} has no value", where=self.name)
        elif name in self.wanted:
            self.given[name] = own, ""
        return sym(own)

    def _start(self, name: str) -> Expr:
        """The amount, or value, of a state at time zero."""
        if name in self.species:
            return self._amount(name)
        value = self._plain(name)
        if value is None and name not in self.starts:
            raise Il2Error(f"{name!r} has no initial value", where=self.name)
        return self._switched(name, self._assigned(name) if name in self.starts else num(value or 0.0))

    def _amount(self, name: str) -> Expr:
        item = self.species[name]
        size = self.at_start(item.getCompartment())
        per_size = not item.getHasOnlySubstanceUnits()
        if name in self.starts:
            own = self._assigned(name)
        elif item.isSetInitialAmount():
            if name not in self.wanted:
                return num(item.getInitialAmount())
            own = item.getInitialAmount() / size if per_size else num(item.getInitialAmount())
        elif item.isSetInitialConcentration():
            own = num(item.getInitialConcentration()) if per_size else item.getInitialConcentration() * size
        elif name in self.wanted:
            own = num(0.0)
        else:
            raise Il2Error(f"the species {name!r} has no initial value", where=self.name)
        given = self._switched(name, own)
        return mul(given, size) if per_size else given

    def _switched(self, name: str, own: Expr) -> Expr:
        """The value of the file, or in lanes that set it the value given."""
        if name not in self.wanted:
            return own
        if name not in self.given:
            takes, keeps = f"{name}_given", f"{name}_own"
            self.extra += [Parameter(takes, 0.0, PLAIN), Parameter(keeps, 1.0, PLAIN)]
            self.given[name] = takes, keeps
        takes, keeps = self.given[name]
        return sym(takes) + sym(keeps) * own

    def _assigned(self, name: str) -> Expr:
        return self._math(self.starts[name], f"initial value of {name}", start=True)

    def _shown(self, name: str, amount: Expr) -> Expr:
        """A species as formulas of the file speak of it: an amount, or a concentration."""
        item = self.species[name]
        if item.getHasOnlySubstanceUnits() or self.rooms[item.getCompartment()].getSpatialDimensions() == 0:
            return amount
        return mul(amount, power(sym(self._size(item.getCompartment())), -1.0))

    def _reactions(self) -> list[Reaction]:
        unit = f"1/{time_word(self.model)}"
        out = []
        for name, item in self.reactions.items():
            change: dict[str, float] = {}
            for side, sign in (("Reactant", -1.0), ("Product", 1.0)):
                for reference in each(item, side):
                    kind = reference.getSpecies()
                    if not (self.species[kind].getBoundaryCondition() or self.species[kind].getConstant()):
                        change[kind] = change.get(kind, 0.0) + sign * self._stoichiometry(name, reference)
            change = {kind: n for kind, n in change.items() if n}
            if not change:
                continue
            law = self.value(name)
            if all(float(n).is_integer() for n in change.values()):
                out.append(Reaction(name, {kind: int(n) for kind, n in change.items()}, law, unit=unit))
            else:
                out += [Reaction(f"{name} of {k}", {k: 1}, as_expr(n) * law, unit=unit) for k, n in change.items()]
        for name, math in self.slopes.items():
            rate = self._math(math, f"rate rule of {name}")
            if name in self.species and not self.species[name].getHasOnlySubstanceUnits():
                rate = rate * sym(self._size(self.species[name].getCompartment()))
            out.append(Reaction(f"rate of {name}", {name: 1}, rate, unit=unit))
        return out

    def _law(self, name: str, start: bool = False) -> Expr:
        law = self.reactions[name].getKineticLaw()
        if law is None or law.getMath() is None:
            raise Il2Error(f"the reaction {name!r} has no kinetic law", where=self.name)
        return self._math(law.getMath(), f"rate of {name}", start)

    def _stoichiometry(self, name: str, reference: Any) -> float:
        id = reference.getId()
        if (id and id in {*self.starts, *self.rules, *self.slopes}) or reference.isSetStoichiometryMath():
            raise Il2Error(f"a stoichiometry of {name!r} is a formula", where=self.name, how="Give it as a number.")
        return float(reference.getStoichiometry()) if reference.isSetStoichiometry() else 1.0

    def _math(self, math: Any, what: str, start: bool = False) -> Expr:
        if math is None:
            raise Il2Error(f"the {what} is empty", where=self.name)
        return of_sbml(math, self.at_start if start else self.value, self.fixed, f"{self.name}: {what}")

    def _known(self, name: str) -> str:
        if name not in self.parameters:
            raise Il2Error(f"unknown name {name!r}", where=self.name, how=did_you_mean(name, self.parameters))
        return name

    def _enter(self, name: str) -> None:
        if name in self.open:
            raise Il2Error(f"{name!r} is defined by itself", where=self.name, why=" -> ".join([*self.open, name]))
        self.open.append(name)

    def _moves(self, name: str) -> bool:
        return name in self.rules or name in self.slopes

    def _plain(self, name: str) -> float | None:
        """The number that the file, or the caller, gives to a parameter or to the size of a compartment."""
        if name in self.values:
            return float(self.values[name])
        if name in self.rooms:
            item = self.rooms[name]
            return float(item.getSize()) if item.isSetSize() else 1.0
        item = self.parameters[name]
        return float(item.getValue()) if item.isSetValue() else 0.0 if name in self.wanted else None

    def _size(self, room: str) -> str:
        name = f"{room}_size"
        while name in self.parameters or name in self.species:
            name += "_"
        return name
