"""Units: one registry of the words the field uses, and the reading of quantities that people type.

The registry holds what cell biology and dosing need and nothing else. `molecule` and `cell` are dimensions
of their own, so that molecules are never taken for moles and a number per cell is never taken for a number.
International units (IU) are a dimension of their own: what one weighs depends on the product and its assay. A bare
unit (U) is refused, since it names no product at all.
Factors are exact fractions. Pint is imported on first use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from numbers import Real
from typing import TYPE_CHECKING

from il2.errors import UnitError, did_you_mean

if TYPE_CHECKING:
    import pint

Unit = Mapping[str, Fraction]
"""A unit as written: canonical words (nanomolar, minute, cell) and their exponents; {} is dimensionless."""

DEFINITIONS = """
femto- = 1e-15 = f-
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = µ- = μ- = u-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
deci- = 1e-1 = d-
kilo- = 1e3 = k-
mega- = 1e6 = M-
meter = [length] = m = metre
second = [time] = s = sec
gram = [mass] = g
mole = [substance] = mol
kelvin = [temperature] = K
molecule = [molecule]
cell = [cell]
international_unit = [activity] = IU
nucleotide = [nucleotide] = nt
base_pair = [base_pair] = bp
minute = 60 * second = min
hour = 60 * minute = h = hr
day = 24 * hour = d
week = 7 * day
year = 365.25 * day
liter = 1e-3 * meter ** 3 = L = l = litre
molar = mole / liter = M
dalton = gram / mole = Da
joule = kilogram * meter ** 2 / second ** 2 = J
calorie = 4.184 * joule = cal
percent = 1e-2
"""
COMMON = """
dimensionless percent fM pM nM µM mM M nM/min 1/min 1/h 1/d s min h d molecule molecule/cell cell cell/mL
fL pL nL µL mL L pg ng µg mg g kg ng/mL mg/kg pmol nmol µmol mol nm µm mm cm m Da kDa K kJ/mol
""".split()  # noqa: SIM905
_NUMBER = re.compile(r"([+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:nan|inf(?:inity)?)\b))(.*)", re.DOTALL)
_ACTIVITY = re.compile(r"[kKmMµμu]?U|[Uu]nits?")
_PRODUCT = "what one unit of activity weighs depends on the product and its assay"
# Words, '1/', and powers of one digit: what is longer is no unit, and could keep the parser busy for ever.
_POWER = r"(?:(?:\^|\*\*)\s*(?:-?\d(?:\.\d{1,2})?|\(-?\d(?:/\d)?\))(?![\w.])|[²³])?"
_WORDS = rf"[^\W\d_]+\s*{_POWER}(?:\s*[*/]\s*[^\W\d_]+\s*{_POWER})*"
_UNIT = re.compile(rf"\s*(?:1|(?:1\s*/\s*)?(?:{_WORDS}|\({_WORDS}\))(?:\s*[*/]\s*\({_WORDS}\))*)?\s*")


@cache
def registry() -> pint.UnitRegistry:
    """The one registry of the package; its factors are `fractions.Fraction`."""
    import pint

    return pint.UnitRegistry(DEFINITIONS.strip().splitlines(), non_int_type=Fraction)  # type: ignore[arg-type]


@cache
def parse_unit(text: str) -> Unit:
    """The words and exponents of a unit, e.g. '1/(nM*min)'; an unknown word is a `UnitError`."""
    import pint

    for word in re.findall(r"[^\W\d_]+", text):
        if _ACTIVITY.fullmatch(word):
            raise UnitError(
                f"{word!r} is a unit of activity",
                why=_PRODUCT,
                how="Convert it to mg, nmol or nM for the product at hand.",
            )
    if len(text) > 120 or not _UNIT.fullmatch(text):
        raise UnitError(f"{text[:80]!r} is not a unit", how="Write it like nM, 1/(nM*min) or molecule/cell.")
    try:
        return dict(registry().parse_units(text)._units)
    except pint.UndefinedUnitError as error:
        names = error.unit_names
        word = names if isinstance(names, str) else next(iter(names))
        raise UnitError(f"unknown unit {word!r}", how=did_you_mean(word, COMMON)) from None


@cache
def _base_of_word(word: str) -> tuple[Fraction, dict[str, Fraction]]:
    scale, unit = registry().get_base_units(word)
    return Fraction(scale), {str(k): Fraction(v) for k, v in unit._units.items()}


def base_form(unit: Unit) -> tuple[Fraction | float, dict[str, Fraction]]:
    """Scale and exponents of the base words (meter, second, gram, mole, kelvin, molecule, cell).

    The scale is exact where the exponents are whole numbers.
    """
    scale: Fraction | float = Fraction(1)
    total: dict[str, Fraction] = {}
    for word, exponent in unit.items():
        one, dimensions = _base_of_word(word)
        scale *= one ** int(exponent) if exponent.denominator == 1 else float(one) ** float(exponent)
        for base, n in dimensions.items():
            total[base] = total.get(base, Fraction(0)) + n * exponent
    return scale, {base: n for base, n in total.items() if n}


def unit_text(unit: Unit) -> str:
    """A unit in symbols, e.g. molecule/(cell*min)."""

    def side(sign: int) -> list[str]:
        items = [(registry().get_symbol(word), abs(n)) for word, n in unit.items() if n * sign > 0]
        return [name if n == 1 else f"{name}^{n}" if n.denominator == 1 else f"{name}^({n})" for name, n in items]

    above, below = side(1), side(-1)
    if not below:
        return "*".join(above) or "dimensionless"
    text = below[0] if len(below) == 1 else f"({'*'.join(below)})"
    return ("*".join(above) or "1") + "/" + text


def quantity_in(
    value: str | float,
    unit: str,
    *,
    where: str = "",
    bare_ok: bool = False,
    molar_mass_g_per_mol: float | None = None,
) -> float:
    """Read '10 pM', '2 h' or '1e6 cells/mL' and return it in `unit`.

    bare_ok: a number without a unit is taken to be in `unit` already; else it is an error.
    molar_mass_g_per_mol: lets a mass stand for an amount (ng/mL for nM) and the reverse.
    Raises `UnitError`, which names `where`, for a missing, unknown or incompatible unit and for NaN and infinity.
    """
    try:
        number, given = _split(value)
        if not given:
            if not bare_ok:
                raise UnitError(f"{value!r} has no unit", how=f"Write the unit, for example '{number:g} {unit}'.")
            return number
        return float(Fraction(repr(number)) * Fraction(_factor(given, unit, molar_mass_g_per_mol)))
    except UnitError as error:
        raise UnitError(error.what, where=error.where or where, why=error.why, how=error.how) from None


def _split(value: str | float) -> tuple[float, str]:
    """Number and unit text; the unit is empty where none is given."""
    match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None and (isinstance(value, str) or not isinstance(value, Real)):
        raise UnitError(f"{value!r} is not a number with a unit", how="Write it like '10 pM' or '30 min'.")
    number = float(match[1] if match else value)
    if not math.isfinite(number):
        raise UnitError(f"{value!r} is not finite", how="Give a finite number.")
    unit = match[2].strip() if match else ""
    return number, "1" + unit if unit.startswith("/") else unit


def _factor(given: str, wanted: str, molar_mass: float | None) -> Fraction | float:
    """What a number in `given` is multiplied by to be in `wanted`."""
    from_scale, from_dimensions = base_form(parse_unit(given))
    to_scale, to_dimensions = base_form(parse_unit(wanted))
    names = {*from_dimensions, *to_dimensions}
    excess = {n: from_dimensions.get(n, Fraction(0)) - to_dimensions.get(n, Fraction(0)) for n in names}
    excess = {n: e for n, e in excess.items() if e}
    if not excess:
        return from_scale / to_scale
    if excess.keys() == {"gram", "mole"} and excess["gram"] == -excess["mole"] and abs(excess["gram"]) == 1:
        if molar_mass is not None:
            return from_scale / to_scale * Fraction(molar_mass) ** -int(excess["gram"])
        raise UnitError(
            f"{given!r} cannot be read in {wanted!r} without a molar mass",
            why="one counts mass and the other molecules",
            how="Give the molar mass (1 ng/mL of a 10 kDa protein is 0.1 nM), or the amount itself.",
        )
    if "international_unit" in excess:
        raise UnitError(f"{given!r} cannot be read in {wanted!r}", why=_PRODUCT, how=f"Give it in {wanted}.")
    alike = [u for u in COMMON if u.casefold() == given.casefold() and u != given]
    fits = [u for u in alike if base_form(parse_unit(u))[1] == to_dimensions]
    how = f"Did you mean {fits[0]!r}?" if fits else f"Give it in {wanted}."
    raise UnitError(f"{given!r} is no unit of the same kind as {wanted!r}", how=how)


def parse_many(text: str, unit: str, *, count: int = 0, where: str = "") -> list[float]:
    """Read a list '0.1,1,10 nM' or a range '1 pM..100 nM' of `count` values, evenly spaced on a log scale.

    An item without a unit takes the unit of the next item that has one. The values are returned in `unit`.
    """
    items = re.split(r",|\.\.", text)
    carried = ""
    for i in reversed(range(len(items))):
        number = re.fullmatch(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?", items[i].strip())
        if number:
            items[i] = f"{items[i]} {carried}"
        else:
            match = _NUMBER.fullmatch(items[i].strip())
            carried = match[2] if match else ""
    values = [quantity_in(item.strip(), unit, where=where) for item in items]
    if ".." not in text:
        return values
    if len(values) != 2 or "," in text or not 0 < values[0] < values[1] or count < 2:
        raise UnitError(
            f"{text!r} is not a range of {count} values",
            where=where,
            how="Write LOW..HIGH with 0 < LOW < HIGH, for example '1 pM..100 nM', and ask for at least 2 values.",
        )
    low, high = values
    start, width = math.log10(low), math.log10(high) - math.log10(low)
    return [low, *(10.0 ** (start + width * i / (count - 1)) for i in range(1, count - 1)), high]
