"""A person's body as far as doses and clearance ask for it: weight, height, kidneys."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Real

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity

HUMAN, MOUSE = "human", "mouse"
# Guards against slips (m for cm, lb and kg, weight and height exchanged); no statement on who is healthy.
WEIGHTS_KG = {HUMAN: (1, 5 * 100), MOUSE: (1 / 100, 1 / 10)}
HEIGHTS_CM = {HUMAN: (30, 3 * 100), MOUSE: (5, 15)}
BUILDS = {HUMAN: (5, 100), MOUSE: (1, 10)}  # kg/m^2
MOST_FILTRATION = 3 * 100  # mL/min
CM_PER_M = 100


def _default(name: str):
    return field(default_factory=lambda: quantity(name).value)


@dataclass(frozen=True)
class Body:
    """A body; by default that of the reference adult.

    weight_kg, height_cm: kg and cm. eGFR_mL_min: glomerular filtration as laboratories give it, mL/min per 1.73 m2 of
    surface; `GFR_mL_min` is that of the body itself. species: human or mouse. Il2Error for a size that no body has.
    """

    weight_kg: float = _default("adult_body_weight")
    height_cm: float = _default("adult_height")
    eGFR_mL_min: float = _default("adult_glomerular_filtration")
    species: str = HUMAN

    def __post_init__(self) -> None:
        if self.species not in WEIGHTS_KG:
            raise Il2Error(
                f"unknown species {self.species!r}", where="species", how=did_you_mean(self.species, WEIGHTS_KG)
            )
        _within("weight_kg", self.weight_kg, *WEIGHTS_KG[self.species], "kg")
        _within("height_cm", self.height_cm, *HEIGHTS_CM[self.species], "cm")
        _within("eGFR_mL_min", self.eGFR_mL_min, 0, MOST_FILTRATION, "mL/min per 1.73 m2")
        build = self.weight_kg / (self.height_cm / CM_PER_M) ** 2
        least, most = BUILDS[self.species]
        if not least <= build <= most:
            what = f"no body weighs {self.weight_kg:g} kg at {self.height_cm:g} cm"
            raise Il2Error(what, where="weight_kg, height_cm", how="Check the units, and which is which.")

    @property
    def surface_m2(self) -> float:
        """Surface area in m2 by the formula of Mosteller: the root of height (cm) times weight (kg) over 3600."""
        return math.sqrt(self.height_cm * self.weight_kg / quantity("body_surface_divisor").value)

    @property
    def GFR_mL_min(self) -> float:
        """Glomerular filtration of the body itself, mL/min."""
        return self.eGFR_mL_min * self.surface_m2 / quantity("filtration_reference_surface").value


def _within(name: str, value: float, low: float, high: float, unit: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) <= high:
        raise Il2Error(f"{value!r} is no size of a body", where=name, how=f"Give {low:g} to {high:g} {unit}.")
