"""Networks as SBML Level 3 Version 2 core, with units for everything.

One SBML model is one cell: `molecule` is the SBML unit item, and `cell` is one, so that molecule/cell becomes
item and cell/mL becomes 1/mL. Species are amounts; sizes of compartments enter only where a rate law names
them. A state that is no amount (a transit step without unit, a concentration) is a parameter with a rate rule.
Zero is written without an initial assignment; all other initial values and derived constants are assigned from
parameters.

A simulator must evaluate these assignments again after a parameter was changed. In libroadrunner that is done
by setting the initial value, here of a dose of 1 nM, before the first run; `reset()` returns to that start:

    runner = roadrunner.RoadRunner(to_sbml(network))
    runner["init(" + sbml_ids(network)["constant", "IL2_dose"] + ")"] = 1.0
    runner.timeCourseSelections = ["time", sbml_ids(network)["species", "IL2.IL2RA@surface"]]
    runner.simulate(times=[0, 30, 60])

Setting the plain identifier instead, with or without `reset()`, leaves the derived constants as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from il2.errors import Il2Error
from il2.network.dimensions import same, time_unit
from il2.network.expression import Expr, num, power
from il2.network.network import Network, Reaction, Species, right_hand_side
from il2.network.show import modifiers, reversible, sides
from il2.units import Unit, base_form, parse_unit

KINDS = {"meter": "METRE", "second": "SECOND", "gram": "GRAM", "mole": "MOLE", "kelvin": "KELVIN", "molecule": "ITEM"}
# Words of the formula languages of simulators, which read them as constants whatever the case.
RESERVED = frozenset("avogadro exponentiale false inf infinity nan notanumber pi time true".split())  # noqa: SIM905
UNIT_WORDS = frozenset(
    "ampere avogadro becquerel candela celsius coulomb dimensionless farad gram gray henry hertz item joule katal "  # noqa: SIM905
    "kelvin kilogram liter litre lumen lux meter metre mole newton ohm pascal radian second siemens sievert "
    "steradian tesla volt watt weber".split()
)
BINDING, PRODUCTION, DEGRADATION, TRANSLOCATION = "SBO:0000177", "SBO:0000393", "SBO:0000179", "SBO:0000185"


def to_sbml(network: Network) -> str:
    """The network as an SBML L3V2 document; original names are in the `name` attributes.

    Raises `Il2Error` where python-libsbml is missing, and `UnitError` for a unit that is not known.
    """
    return _Writer(network).write()


def validate(sbml: str) -> list[str]:
    """What libSBML finds wrong with a document: errors and warnings, units included; empty is good."""
    libsbml = _libsbml()
    document = libsbml.readSBMLFromString(sbml)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    found = [document.getError(i) for i in range(document.getNumErrors())]
    return [f"{e.getSeverityAsString()} {e.getErrorId()}, line {e.getLine()}: {e.getMessage().strip()}" for e in found]


def sbml_ids(network: Network) -> dict[tuple[str, str], str]:
    """SBML identifiers by (kind, name); kinds are compartment, species, constant, reaction and observable.

    No two things share an identifier: what would, gets a number.
    """
    named: list[tuple[str, Iterable[Any]]] = [
        ("compartment", network.compartments),
        ("species", network.species),
        ("constant", (*network.parameters, *network.derived)),
        ("reaction", network.reactions),
        ("observable", network.observables),
    ]
    keys = [(kind, item.name) for kind, items in named for item in items]
    return _identifiers(keys, [name for _, name in keys], RESERVED)


def _identifiers(keys: list[Any], texts: list[str], reserved: frozenset[str]) -> dict[Any, str]:
    """A different identifier for each key, made from its text."""
    table: dict[Any, str] = {}
    used: set[str] = set()
    for key, text in zip(keys, texts, strict=True):
        plain = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "x"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        name, n = plain, 1
        while name in used or name.casefold() in reserved:
            n += 1
            name = f"{plain}_{n}"
        used.add(name)
        table[key] = name
    return table


def _libsbml() -> Any:
    try:
        import libsbml
    except ImportError:
        raise Il2Error(
            "SBML needs the package python-libsbml", how='Install the extra: pip install "il2[sbml]".'
        ) from None
    return libsbml


class _Writer:
    """Fills one libSBML document; `write` is called once."""

    def __init__(self, network: Network) -> None:
        self.lib, self.network, self.ids = _libsbml(), network, sbml_ids(network)
        names = {n: i for (kind, n), i in self.ids.items() if kind in ("species", "constant")}
        self.names = names
        self.document = self.lib.SBMLDocument(3, 2)
        self.model = self.document.createModel()
        self.units: dict[str, str] = {}
        self.time = time_unit(network)
        amounts = [s for s in network.species if _is_amount(parse_unit(s.unit))]
        first = parse_unit(amounts[0].unit) if amounts else {}
        self.substance = amounts[0].unit if amounts else "molecule"
        self.amounts = {s.name for s in amounts if same(parse_unit(s.unit), first)}

    def write(self) -> str:
        model, network = self.model, self.network
        _identify(model, _identifiers([0], [network.name], RESERVED)[0], network.name)
        self.define_units()
        for setter in (model.setSubstanceUnits, model.setExtentUnits):
            _ok(setter(self.unit(self.substance)), "substance units")
        _ok(model.setTimeUnits("time_unit"), "time units")
        self.compartments()
        self.states()
        self.constants()
        rates = {name: law for name, law in right_hand_side(network).items() if name not in self.amounts}
        for name, law in rates.items():
            rule = model.createRateRule()
            rule.setVariable(self.names[name])
            _ok(rule.setMath(self.math(law)), f"rate rule of {name}")
        for r in network.reactions:
            if self.amounts & r.change.keys():
                self.reaction(r)
        self.observables()
        return str(self.lib.writeSBMLToString(self.document))

    def define_units(self) -> None:
        """One definition for each unit text in use; dimensionless ones of scale 1 need none."""
        n = self.network
        items: list[Any] = [*n.species, *n.parameters, *n.derived, *n.observables]
        texts = list(dict.fromkeys([self.substance, *(x.unit for x in items)]))
        words = [re.sub(r"^1_", "", re.sub(r"\W+", "_", t.replace("/", " per "))) for t in texts]
        ids = _identifiers(["time", *texts], ["time_unit", *(w.strip() for w in words)], UNIT_WORDS)
        self.define(ids["time"], self.time)
        for text in texts:
            unit = parse_unit(text)
            scale, base = base_form(unit)
            plain = scale == 1 and base.keys() <= {"cell"}
            self.units[text] = "dimensionless" if plain else ids[text]
            if not plain:
                self.define(ids[text], unit, text)

    def define(self, id: str, unit: Unit, text: str = "") -> None:
        definition = self.model.createUnitDefinition()
        _identify(definition, id, text)
        for word, power_of_word in unit.items():
            scale, base = base_form({word: Fraction(1)})
            carrier = next(iter(base), "")
            for kind, n in (base or {"": Fraction(1)}).items():
                if kind == "cell":
                    continue
                part = definition.createUnit()
                part.setKind(getattr(self.lib, f"UNIT_KIND_{KINDS.get(kind, 'DIMENSIONLESS')}"))
                part.setExponent(float(n * power_of_word))
                part.setScale(0)
                part.setMultiplier(float(scale) ** (1 / float(n)) if kind == carrier else 1.0)

    def unit(self, text: str) -> str:
        return self.units[text]

    def compartments(self) -> None:
        constants: list[Any] = [*self.network.parameters, *self.network.derived]
        units = {x.name: x.unit for x in constants}
        for c in self.network.compartments:
            place = self.model.createCompartment()
            _identify(place, self.ids["compartment", c.name], c.name)
            place.setConstant(True)
            place.setSpatialDimensions(c.dimensions)
            if c.volume in units:
                place.setUnits(self.unit(units[c.volume]))
                self.assign(self.ids["compartment", c.name], self.math(Expr("sym", (c.volume,))))
            else:  # no rate names its size
                place.setSize(1.0)
                place.setUnits("dimensionless")

    def states(self) -> None:
        for s in self.network.species:
            id = self.ids["species", s.name]
            value = s.initial.args[0] if s.initial.kind == "num" else None
            if s.name in self.amounts:
                self.species(s, id, value)
            else:
                self.parameter(id, s.name, value, s.unit, constant=False)
            if value is None:
                self.assign(id, self.math(s.initial))

    def species(self, s: Species, id: str, amount: float | None) -> None:
        item = self.model.createSpecies()
        _identify(item, id, s.name)
        item.setCompartment(self.ids["compartment", s.compartment])
        item.setSubstanceUnits(self.unit(self.substance))
        item.setHasOnlySubstanceUnits(True)
        item.setBoundaryCondition(False)
        item.setConstant(False)
        if amount is not None:
            item.setInitialAmount(amount)

    def constants(self) -> None:
        for p in self.network.parameters:
            self.parameter(self.ids["constant", p.name], p.name, p.value, p.unit, note=p.note)
        for d in self.network.derived:
            id = self.ids["constant", d.name]
            self.parameter(id, d.name, None, d.unit)
            self.assign(id, self.math(d.expr, d.unit))

    def parameter(
        self, id: str, name: str, value: float | None, unit: str, constant: bool = True, note: str = ""
    ) -> None:
        item = self.model.createParameter()
        _identify(item, id, name)
        item.setUnits(self.unit(unit))
        item.setConstant(constant)
        if value is not None:
            item.setValue(value)
        if note:
            _ok(item.setNotes(f'<p xmlns="http://www.w3.org/1999/xhtml">{_escape(note)}</p>'), f"note of {name}")

    def assign(self, id: str, math: Any) -> None:
        item = self.model.createInitialAssignment()
        item.setSymbol(id)
        _ok(item.setMath(math), f"initial value of {id}")

    def reaction(self, r: Reaction) -> None:
        item = self.model.createReaction()
        _identify(item, self.ids["reaction", r.name], r.name)
        item.setReversible(reversible(r))
        reactants, products = ({s: n for s, n in side.items() if s in self.amounts} for side in sides(r))
        for species, create, term in (
            (reactants, item.createReactant, "SBO:0000010"), (products, item.createProduct, "SBO:0000011"),
        ):  # fmt: skip
            for name, n in species.items():
                reference = create()
                reference.setSpecies(self.names[name])
                reference.setStoichiometry(n)
                reference.setConstant(True)
                reference.setSBOTerm(term)
        for name in modifiers(self.network, r):
            if name in self.amounts:
                item.createModifier().setSpecies(self.names[name])
        if term := _term(reactants, products):
            item.setSBOTerm(term)
        law = self.math(r.forward, r.unit)
        if reversible(r):
            law = self.node(self.lib.AST_MINUS, law, self.math(r.reverse))
        _ok(item.createKineticLaw().setMath(law), f"rate of {r.name}")

    def observables(self) -> None:
        for o in self.network.observables:
            id = self.ids["observable", o.name]
            self.parameter(id, o.name, None, o.unit, constant=False)
            rule = self.model.createAssignmentRule()
            rule.setVariable(id)
            _ok(rule.setMath(self.math(o.expr, o.unit)), f"observable {o.name}")

    def math(self, expr: Expr, unit: str = "") -> Any:
        """The expression as a libSBML tree; a lone number takes `unit`, all others are dimensionless."""
        lib = self.lib
        if expr.kind == "num":
            node = lib.ASTNode(lib.AST_REAL)
            node.setValue(expr.args[0])
            node.setUnits(self.units.get(unit, "dimensionless"))
            return node
        if expr.kind == "sym":
            node = lib.ASTNode(lib.AST_NAME)
            node.setName(self.names[expr.args[0]])
            return node
        if expr.kind == "pow":
            base, exponent = expr.args
            if exponent < 0:
                return self.node(lib.AST_DIVIDE, self.math(num(1.0)), self.math(power(base, -exponent)))
            return self.node(lib.AST_FUNCTION_POWER, self.math(base), self.math(num(exponent)))
        if expr.kind == "mul":
            above = [c for c in expr.args if not (c.kind == "pow" and c.args[1] < 0)]
            below = [power(c.args[0], -c.args[1]) for c in expr.args if c.kind == "pow" and c.args[1] < 0]
            top = self.chain(lib.AST_TIMES, above or [num(1.0)])
            return self.node(lib.AST_DIVIDE, top, self.chain(lib.AST_TIMES, below)) if below else top
        if expr.kind == "add":
            return self.chain(lib.AST_PLUS, list(expr.args))
        kind = lib.AST_FUNCTION_EXP if expr.kind == "exp" else lib.AST_FUNCTION_LN
        return self.node(kind, self.math(expr.args[0]))

    def chain(self, kind: int, parts: list[Expr]) -> Any:
        return self.math(parts[0]) if len(parts) == 1 else self.node(kind, *(self.math(p) for p in parts))

    def node(self, kind: int, *children: Any) -> Any:
        node = self.lib.ASTNode(kind)
        for child in children:
            node.addChild(child)
        return node


def _is_amount(unit: Unit) -> bool:
    """Molecules, moles or a mass, of a cell or of the whole."""
    _, base = base_form(unit)
    base.pop("cell", None)
    return list(base.items()) in ([("molecule", 1)], [("mole", 1)], [("gram", 1)])


def _term(reactants: dict[str, int], products: dict[str, int]) -> str:
    """The SBO term of a reaction, only where its sides leave no doubt."""
    if not reactants:
        return PRODUCTION
    if not products:
        return DEGRADATION
    if sum(reactants.values()) == 2 and sum(products.values()) == 1:
        return BINDING
    entities = [{(name.split("@")[0], n) for name, n in side.items()} for side in (reactants, products)]
    moved = len(reactants) == len(products) == 1 and entities[0] == entities[1] and reactants.keys() != products.keys()
    return TRANSLOCATION if moved else ""


def _identify(item: Any, id: str, name: str) -> None:
    _ok(item.setId(id), f"identifier {id}")
    if name:
        # libSBML leaves what looks like an entity as it is, so that & has to be escaped before.
        _ok(item.setName(_xml(name).replace("&", "&amp;")), f"name {name}")


def _xml(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def _escape(text: str) -> str:
    return _xml(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ok(status: int, what: str) -> None:
    if status != 0:
        raise Il2Error(f"libSBML refused the {what}", where="SBML", why=f"status {status}")
