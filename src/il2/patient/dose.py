"""Doses: an amount in the words of the field, as such, per kg of weight or per m2 of surface, and in nmol.

`dose("600000 IU/kg")`, `dose("1 MIU/m2")`, `dose("20 mg")`, `dose("3 nmol")`. International units count only where the
drug says how many weigh a milligram. A unit without a name (U, MU, units) is refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, UnitError
from il2.knowledge.drug import Drug
from il2.knowledge.quantity import quantity
from il2.patient.body import Body
from il2.units import base_form, parse_unit, quantity_in

LARGEST_nmol = 10**5  # 1.5 g of IL-2, 15 g of an antibody
LARGEST_AMOUNT = 10**15  # in any unit; a guard
PER = {"": "", "kg": "kg", "m2": "m2", "m^2": "m2", "m²": "m2", "m**2": "m2"}
TIMES = ("d", "day", "h", "hr", "hour", "week", "month", "min", "dose")
MASS, SUBSTANCE, ACTIVITY = "gram", "mole", "international_unit"
HOW = "Write it like '1 MIU', '600000 IU/kg', '1 MIU/m2', '20 mg' or '3 nmol'."
_NAMELESS = re.compile(r"(?:k|m|µ|μ|u|million\s+)?(?:u|units?)", re.IGNORECASE)
_NUMBER = re.compile(r"\s*([+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|nan|inf(?:inity)?\b))\s*([^\s\d.].*?)\s*", re.I)


@dataclass(frozen=True)
class Dose:
    """unit: of mass, substance or activity (mg, nmol, MIU). per: "", "kg" (of weight) or "m2" (of surface)."""

    amount: float
    unit: str
    per: str = ""

    def __post_init__(self) -> None:
        if _NAMELESS.fullmatch(self.unit):
            raise _nameless(self.unit)
        _kind(self.unit)
        if self.per not in PER.values():
            raise Il2Error(f"no dose is per {self.per!r}", how="Give it as such, per kg or per m2.")
        if not (isinstance(self.amount, (int, float)) and 0 < self.amount <= LARGEST_AMOUNT):
            how = "Give an amount above zero."
            if isinstance(self.amount, (int, float)) and self.amount > LARGEST_AMOUNT:
                how = f"Give at most {LARGEST_AMOUNT:g}: check amount and unit."
            raise Il2Error(f"a dose of {self.amount:g} {self.unit} cannot be given", how=how)

    def __str__(self) -> str:
        number = repr(float(self.amount)).removesuffix(".0")
        return f"{number} {self.unit}" + (f"/{self.per}" if self.per else "")

    def nmol(self, drug: Drug, body: Body) -> float:
        """The dose that this body gets of this drug, nmol; Il2Error where the drug does not say what a unit weighs."""
        size = {"": 1.0, "kg": body.weight_kg, "m2": body.surface_m2}[self.per]
        given = self.amount * size * _nmol_per(self.unit, drug)
        if not 0 < given <= LARGEST_nmol:
            what = f"{self} of {drug.name} are {given:.3g} nmol"
            raise Il2Error(what, why=f"the largest dose is {LARGEST_nmol} nmol", how="Check amount and unit.")
        return given


def dose(text: str) -> Dose:
    """The dose that a text says; Il2Error for what is none."""
    if "," in text:
        raise Il2Error(f"{text!r} is no dose", why="a comma may part thousands or decimals", how=HOW)
    found = _NUMBER.fullmatch(text)
    if not found:
        raise Il2Error(f"{text!r} is no dose", how=HOW)
    unit, _, per = (part.strip() for part in found[2].partition("/"))
    if per not in PER:
        time = next((word for word in re.split(r"[/*]", per) if word.strip() in TIMES), "")
        how = f"Leave '/{time}' away: how often it is given is said beside it." if time else HOW
        raise Il2Error(f"no dose is per {per!r}", how=how)
    return Dose(float(found[1]), unit, PER[per])


def amount_in(nmol: float, unit: str, drug: Drug) -> float:
    """An amount (nmol) of a drug in a unit of mass, substance or activity."""
    Dose(1.0, unit)
    return nmol / _nmol_per(unit, drug)


def level_nM(text: str, drug: Drug) -> float:
    """A level in plasma, '10 IU/mL', '1 ug/mL' or '20 pM', in nM of the drug."""
    found = _NUMBER.fullmatch(text)
    if not found:
        raise Il2Error(f"{text!r} is no level", how="Write it like '10 IU/mL', '1 ug/mL' or '20 pM'.")
    unit, _, volume = (part.strip() for part in found[2].partition("/"))
    if _NAMELESS.fullmatch(unit):
        raise _nameless(unit)
    if not 0 <= float(found[1]) < math.inf:
        raise Il2Error(f"{text!r} is no level", how="Give a level from zero up.")
    if not volume:
        return quantity_in(text, "nM")
    return float(found[1]) * _nmol_per(unit, drug) * quantity_in(f"1 /{volume}", "1/L")


def _nameless(unit: str) -> Il2Error:
    """A unit that names no product."""
    cetus = quantity("Cetus_unit_activity").value
    return Il2Error(
        f"{unit!r} is a unit of no name",
        why=f"papers of the 1980s counted Cetus units of about {cetus:g} IU, and others their own",
        how="Give IU or MIU if international units are meant, else mg or nmol.",
    )


@cache
def _kind(unit: str) -> str:
    """What a unit counts: MASS, SUBSTANCE or ACTIVITY."""
    try:
        dimensions = base_form(parse_unit(unit))[1]
    except UnitError as error:  # the nearest unit may be a thousand times another: mg for mcg
        how = "Write ug for a microgram." if unit.casefold() == "mcg" else HOW
        raise UnitError(error.what, why=error.why, how=how) from None
    if list(dimensions.values()) == [1] and (kind := next(iter(dimensions))) in (MASS, SUBSTANCE, ACTIVITY):
        return kind
    raise Il2Error(f"{unit!r} measures no dose", why="a dose is a mass, a substance or an activity", how=HOW)


def _nmol_per(unit: str, drug: Drug) -> float:
    """nmol of the drug in one of a unit."""
    kind = _kind(unit)
    if kind == SUBSTANCE:
        return _in(unit, "nmol")
    if kind == MASS:
        return _in(unit, "ug") / drug.mass_kDa  # kDa are ug/nmol
    if drug.MIU_per_mg is None:
        what, why = f"{drug.name} is not given in {unit}", "international units are counted of aldesleukin and its like"
        raise Il2Error(what, why=why, how="Give the dose in mg or nmol.")
    return _in(unit, "MIU") / drug.MIU_per_mg * _in("mg", "ug") / drug.mass_kDa


@cache
def _in(unit: str, other: str) -> float:
    """One of a unit in another of the same kind."""
    return quantity_in(f"1 {unit}", other)
