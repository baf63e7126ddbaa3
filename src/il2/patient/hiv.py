"""CD4 T cells of blood in treated HIV infection, with courses of IL-2.

Under antiretroviral therapy the count C moves slowly to a set-point. IL-2 turns naive and central memory cells into
cells that live long, L, in proportion to the programme x of Th cells over that at rest and to the cells there are:

    dC/dt = (set-point C0 - C) / tau,    dL/dt = k x C - ln 2 / half-life L,    CD4 count = blood_Th C + L

blood_Th carries what a course does within days, such as cells that leave the blood. k is the one number that is set on
a trial (ESPRIT, a calibration); the other trial, at a lower dose and a lower count, is then a prediction. No clinical
outcome follows from the count: two trials gained cells and no benefit. Regulatory T cells, which are CD4 cells too, are
not counted here. Time is in d.
"""

from __future__ import annotations

import math

from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species
from il2.network.part import known, with_quantities

PLACE, UNDER_THERAPY, LONG_LIVED = "CD4_blood", "CD4_under_therapy", "CD4_long_lived"
COUNT, GAINED, AT_START, MADE = "CD4_count", "CD4_gained", "CD4_at_start", "CD4_long_lived_making"
CELLS, FLUX = "cell/uL", "cell/(uL*d)"


def hiv(excess: Expr) -> Network:
    """The part; it names `blood_Th` freely. excess: programme of Th cells over that at rest.

    L is what IL-2 adds, so that it falls below zero where IL-2 of the body is taken away. Parameter `CD4_at_start`
    (cell/uL). Observables (cell/uL): `CD4_count`, and `CD4_gained` over antiretroviral therapy alone.
    """
    under, lived = sym(UNDER_THERAPY), sym(LONG_LIVED)
    rate = 1 / sym("CD4_recovery_time")
    return with_quantities(
        Network(
            "hiv",
            (Compartment(PLACE, 3),),
            (
                Species(UNDER_THERAPY, PLACE, sym(AT_START), CELLS),
                Species(LONG_LIVED, PLACE, num(0.0), CELLS),
            ),
            (Parameter(AT_START, known("CD4_at_start_ESPRIT").value, CELLS),),
            reactions=(
                Reaction(
                    "CD4 cells recover",
                    {UNDER_THERAPY: 1},
                    rate * sym("CD4_set_point_share") * sym(AT_START),
                    rate * under,
                    FLUX,
                ),
                Reaction("IL-2 makes long-lived cells", {LONG_LIVED: 1}, sym(MADE) * excess * under, num(0.0), FLUX),
                Reaction(
                    "long-lived cells die",
                    {LONG_LIVED: -1},
                    math.log(2.0) / sym("CD4_long_lived_half_life") * lived,
                    num(0.0),
                    FLUX,
                ),
            ),
            observables=(
                Observable(COUNT, sym("blood_Th") * under + lived, CELLS),
                Observable(GAINED, (sym("blood_Th") - 1) * under + lived, CELLS),
            ),
        )
    )
