"""A drug on its way through the body: depot under the skin, lymph, plasma, periphery; release of prodrugs; loss.

Amounts are nmol, time is d. Of the loss without receptors, the part that the kidneys filter, which falls with molar
mass, goes with their filtration, and the rest with body weight; constants of a mouse are those of its own size. What
receptors take up is added by `il2.patient.patient`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from il2.errors import Il2Error
from il2.knowledge.drug import Drug
from il2.knowledge.quantity import quantity
from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Reaction, Species
from il2.network.part import with_quantities
from il2.patient.body import Body
from il2.units import quantity_in

DEPOT, LYMPH, PLASMA, PERIPHERY = "depot", "lymph", "plasma", "periphery"
BODY = "body"
HUMAN = "human"
EXCHANGE = ("to_peripheral", "from_peripheral")
WEIGHT, KIDNEY = "weight", "kidney_function"
PER_DAY = "nmol/d"


def at(name: str, place: str) -> str:
    """Name of the amount (nmol) of a drug at a place."""
    return f"{name}@{place}"


def inert(name: str, form: int) -> str:
    """Name of the amount of a prodrug before release, counted from the form that is given."""
    return f"{name}_inert_{form}@{PLASMA}"


def own(name: str, what: str) -> str:
    """Name of a parameter of one drug."""
    return f"{name} {what}"


def weight() -> Parameter:
    """Body weight, by default that of the reference adult."""
    return Parameter(WEIGHT, quantity("adult_body_weight").value, "kg")


def volume(name: str) -> Expr:
    """Central volume of this person, L."""
    return sym(own(name, "volume"))


def concentration(name: str) -> Expr:
    """nM in plasma, bound or free."""
    return sym(at(name, PLASMA)) / volume(name)


def pharmacokinetics(of: Drug) -> Network:
    """The part of one drug. Its numbers are parameters under its name, with the values of `kinetic_values`."""
    n = of.name
    hours = sym("hours_per_day")

    def p(what: str) -> Expr:
        return sym(own(n, what))

    size = sym(WEIGHT) / sym("adult_body_weight")
    exponent = quantity("allometric_exponent_clearance").value if of.species == HUMAN else 1.0
    derived = [
        Derived(own(n, "volume"), p("central_volume") * size, "L"),
        Derived(
            own(n, "clearance"),
            p("reference_clearance") * (1 - p("renal_share")) * size**exponent
            + p("reference_clearance") * p("renal_share") * sym(KIDNEY),
            "L/h",
        ),
    ]
    first = inert(n, 1) if of.inert_forms else at(n, PLASMA)
    absorbed = hours * p("absorption") * sym(at(n, DEPOT))
    share = p("bioavailability")
    reactions = [
        _move(f"{n} enters lymph", at(n, DEPOT), at(n, LYMPH), absorbed * share),
        Reaction(f"{n} is lost at the site", {at(n, DEPOT): -1}, absorbed * (1 - share), num(0.0), PER_DAY),
        _move(f"{n} enters blood", at(n, LYMPH), first, hours * sym(at(n, LYMPH)) / p("delay")),
    ]
    forms = [inert(n, i) for i in range(1, of.inert_forms + 1)]
    for before, after in pairwise([*forms, at(n, PLASMA)]):
        rate = hours * sym("ln_2") / p("release_half_life") * sym(before)
        reactions.append(_move(f"{before} loses a chain", before, after, rate))
    out = hours * p("clearance") * concentration(n)
    reactions.append(Reaction(f"{n} is cleared", {at(n, PLASMA): -1}, out, num(0.0), PER_DAY))
    places = [DEPOT, LYMPH, PLASMA]
    if two_compartments(of):
        places.append(PERIPHERY)
        there, back = (
            hours * p(k) * sym(at(n, x)) for k, x in (("to_peripheral", PLASMA), ("from_peripheral", PERIPHERY))
        )
        change = {at(n, PLASMA): -1, at(n, PERIPHERY): 1}
        reactions.append(Reaction(f"{n} is shared with the periphery", change, there, back, PER_DAY))
    return with_quantities(
        Network(
            n,
            (Compartment(BODY, 3),),
            (
                *(Species(at(n, place), BODY, num(0.0), "nmol") for place in places),
                *(Species(form, BODY, num(0.0), "nmol") for form in forms),
            ),
            (
                *(Parameter(own(n, what), float(value), unit) for what, (value, unit) in kinetic_values(of).items()),
                weight(),
                Parameter(KIDNEY, 1.0, "dimensionless", "filtration over that of healthy kidneys"),
            ),
            tuple(derived),
            tuple(reactions),
            (Observable(f"{n}_nM", concentration(n), "nM"),),
        )
    )


def _move(name: str, before: str, after: str, rate: Expr) -> Reaction:
    return Reaction(name, {before: -1, after: 1}, rate, num(0.0), PER_DAY)


Numbers = float | np.ndarray


def kinetic_values(of: Drug, values: Mapping[str, Numbers] | None = None) -> dict[str, tuple[Numbers, str]]:
    """Numbers of a drug and their units, by what they are; `values`, numbers or arrays (size,), stand before the
    quantities of those names.

    A half-life gives the clearance from the volume. Raises Il2Error where the numbers contradict one another: rates
    that are not positive, a bioavailability above 1, or a central volume too small for the clearance.
    """
    values = values or {}

    where = f"{of.name}, set {of.set}"

    def value(what: str, unit: str) -> np.ndarray:
        name = of.kinetics[what]
        found = np.asarray(values.get(name, quantity(name).value), float)
        found = found * quantity_in(f"1 {quantity(name).unit}", unit)
        if not (found > 0).all():
            why = f"{what} must be above zero"
            raise Il2Error(f"{name} is {found.min():g} {unit}", where=where, why=why, how=HOW)
        return found

    v1 = value("central_volume", "L")
    if "clearance" in of.kinetics:
        clearance = value("clearance", "L/h")
    else:
        clearance = v1 * quantity("ln_2").value / value("half_life", "h")
    filtered = passing(of.size_kDa) * quantity_in(f"{Body().GFR_mL_min} mL/min", "L/h")
    out: dict[str, tuple[Numbers, str]] = {
        "central_volume": (v1, "L"),
        "reference_clearance": (clearance, "L/h"),
        "renal_share": (np.minimum(1.0, filtered / clearance), "dimensionless"),
        "bioavailability": (value("bioavailability", "dimensionless"), "dimensionless"),
        "absorption": (value("absorption", "1/h"), "1/h"),
        "delay": (value("delay", "h"), "h"),
    }
    if (highest := float(np.max(out["bioavailability"][0]))) > 1:
        name = of.kinetics["bioavailability"]
        raise Il2Error(f"{name} is {100 * highest:g} %", where=where, how="Give a share from 0 to 1.")
    if "fast_half_life" in of.kinetics:
        rates = from_half_lives(v1, clearance, value("fast_half_life", "h"), value("slow_half_life", "h"), where)
        out |= dict(zip(EXCHANGE, ((rate, "1/h") for rate in rates), strict=True))
    elif two_compartments(of):
        out |= {what: (value(what, "1/h"), "1/h") for what in EXCHANGE}
    if of.inert_forms:
        out["release_half_life"] = (value("release_half_life", "h"), "h")
    return out


HOW = "Check volume, clearance and half-lives against one another, or name another set of constants."


def passing(size_kDa: float) -> float:
    """Share of a protein that the glomerulus passes, 1 for a small one."""
    n = quantity("filtration_steepness").value
    return 1 / (1 + (size_kDa / quantity("filtration_half_mass").value) ** n)


def two_compartments(of: Drug) -> bool:
    """Whether a periphery is known."""
    return bool({"to_peripheral", "fast_half_life"} & set(of.kinetics))


def from_half_lives(
    v1_L: Numbers, clearance_L_per_h: Numbers, fast_h: Numbers, slow_h: Numbers, where: str = "two compartments"
) -> tuple[np.ndarray, np.ndarray]:
    """Rates (1/h) to and from the periphery of two compartments with these half-lives; numbers or arrays (size,).

    Refuses numbers that contradict one another: CL/V1 must lie between the slopes of the two phases, or the rate to the
    periphery is negative.
    """
    ln_2 = quantity("ln_2").value
    every = np.broadcast_arrays(*(np.asarray(x, float) for x in (v1_L, clearance_L_per_h, fast_h, slow_h)))
    v1, clearance, fast, slow = every
    a, b, k10 = ln_2 / fast, ln_2 / slow, clearance / v1
    back = a * b / k10
    there = a + b - k10 - back
    if not (there > 0).all():
        n = np.unravel_index(int(np.argmin(there)), there.shape)
        least, most = clearance[n] / a[n], clearance[n] / b[n]
        raise Il2Error(
            f"k12 is {there[n]:.3g} 1/h",
            where=where,
            why=f"a clearance of {clearance[n]:g} L/h with half-lives of {fast[n]:.3g} and {slow[n]:.3g} h needs a "
            f"central volume from {least:.3g} to {most:.3g} L, and it is {v1[n]:g} L",
            how="Take volume, clearance and half-lives from one source.",
        )
    return there, back
