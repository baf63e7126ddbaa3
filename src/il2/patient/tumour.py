"""A tumour under T and NK cells of the tumour bed: growth, killing, exhaustion, and virtual patients who differ in it.

The burden N (cell) grows logistically towards K and is killed at a rate that is told against that at the start:

    d ln N/dt = g (1 - N/K) - f g (1 - N0/K) E C F S
    E = (1 - w) A_CD8 (1 - X (1 - r PD1_block)) / (1 - X0) + w A_NK        effectors
    C = (1 + s) / (1 + s A_Treg / ((1 - w) A_CD8 + w A_NK))                 Treg against effectors
    F = (h + N0) / (h + N)                                                  few cells kill a small tumour faster
    S = 1 - (1 cell) / N                                                    no burden below one cell

A_j is the number of cells j in the tumour, which follows the pool of the body, times exp(gain programme). X, the
exhaustion, follows the antigen, so the burden, and knows no IL-2; checkpoint block lifts the share r of it. f, below 1,
is the share of growth that a patient's immunity takes away at the start, so that every tumour grows untreated. IL-2
raises effectors and Treg alike: whether it helps, alone or beside checkpoint block, is settled by numbers, not by form.
The state is ln(K/N), which is never below zero. Time is in d. What the burden does near one cell tells nothing of cure.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from il2.errors import Il2Error
from il2.knowledge.parameters import generator
from il2.knowledge.quantity import quantity
from il2.network.expression import Expr, exp, log, num, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Reaction, Species
from il2.network.part import half, with_quantities

PLACE, ROOM, EXHAUSTION = "tumour", "tumour_log_room", "tumour_exhaustion"
BURDEN, DIAMETER, KILLING, CONTROL = "tumour_cells", "tumour_diameter_share", "tumour_killing", "tumour_immune_control"
NORMAL, BLOCK = "tumour_control_normal", "PD1_block"
INFILTRATE = ("CD8", "NK", "Treg")
LOGNORMAL = ("tumour_growth_rate", "tumour_burden_at_start", "tumour_exhaustion_half")
DIMENSIONS = 3.0
SHARE, PER_DAY = "dimensionless", "1/d"


def in_tumour(cell: str) -> str:
    """Name of the species: cells of a kind in the tumour, as a share of those at the start."""
    return f"tumour_{cell}"


def tumour(excess: Mapping[str, Expr]) -> Network:
    """The part; it names `pool_CD8`, `pool_NK` and `pool_Treg` freely.

    excess: programme over that at rest, by cell, of CD8, NK and Treg. Parameter to change: `PD1_block` (0 to 1).
    Observables: `tumour_cells` (cell), `tumour_diameter_share` (of that at the start), `tumour_killing` (1/d).
    """
    room, capacity, start = sym(ROOM), sym("tumour_capacity"), sym("tumour_burden_at_start")
    fewest, growth = sym("fewest_tumour_cells"), sym("tumour_growth_rate")
    burden, at_start = capacity * exp(-room), sym("tumour_log_room_at_start")
    gains = {
        "CD8": sym("killing_per_programme"),
        "NK": sym("killing_per_programme"),
        "Treg": sym("Treg_activity_per_programme"),
    }
    active = {j: sym(in_tumour(j)) * exp(gains[j] * excess[j]) for j in INFILTRATE}
    by_NK, weight = sym("tumour_killing_by_NK"), sym("tumour_Treg_weight")
    working = 1 - sym(EXHAUSTION) * (1 - sym("exhaustion_lifted_by_PD1_block") * sym(BLOCK))
    fresh = 1 - half(start, "tumour_exhaustion_half")
    effectors = (1 - by_NK) * active["CD8"] * working / fresh + by_NK * active["NK"]
    present = (1 - by_NK) * active["CD8"] + by_NK * active["NK"]
    competition = (1 + weight) / (1 + weight * active["Treg"] / present)
    crowd = (sym("tumour_killing_half") + start) / (sym("tumour_killing_half") + burden)
    floor = 1 - fewest / burden
    at_rest = sym(CONTROL) * growth * (1 - start / capacity)
    killing = at_rest * effectors * competition * crowd * floor
    place = num(1.0) / (1 + exp(-(sym("tumour_control_intercept") + sym("tumour_control_spread") * sym(NORMAL))))
    into, tiring = 1 / sym("tumour_infiltration_time"), 1 / sym("tumour_exhaustion_time")
    return with_quantities(
        Network(
            "tumour",
            (Compartment(PLACE, 3),),
            (
                Species(ROOM, PLACE, at_start, SHARE),
                Species(EXHAUSTION, PLACE, half(start, "tumour_exhaustion_half"), SHARE),
                *(Species(in_tumour(j), PLACE, num(1.0), SHARE) for j in INFILTRATE),
            ),
            (
                Parameter(NORMAL, 0.0, SHARE, "place of the patient among patients, standard normal"),
                Parameter(BLOCK, 0.0, SHARE),
            ),
            (
                Derived("tumour_log_room_at_start", log(capacity / start), SHARE),
                Derived(CONTROL, place, SHARE),
            ),
            (
                Reaction("tumour is killed and grows", {ROOM: 1}, killing, growth * (1 - exp(-room)), PER_DAY),
                Reaction(
                    "antigen exhausts CD8 cells",
                    {EXHAUSTION: 1},
                    tiring * half(burden, "tumour_exhaustion_half"),
                    tiring * sym(EXHAUSTION),
                    PER_DAY,
                ),
                *(
                    Reaction(
                        f"{j} enter the tumour",
                        {in_tumour(j): 1},
                        into * sym(f"pool_{j}"),
                        into * sym(in_tumour(j)),
                        PER_DAY,
                    )
                    for j in INFILTRATE
                ),
            ),
            (
                Observable(BURDEN, burden, "cell"),
                Observable(DIAMETER, exp((at_start - room) / DIMENSIONS), SHARE),
                Observable(KILLING, killing, PER_DAY),
            ),
        )
    )


def tumour_patients(number: int, seed: int) -> dict[str, np.ndarray]:
    """Values (number,) of what differs between the tumours of patients, by parameter; a patient's do not depend on
    the number of others."""
    if number < 1:
        raise Il2Error(f"{number} patients", where="tumour_patients", how="Ask for one or more.")
    return tumour_values(
        {name: generator(seed, f"patient {name}").standard_normal(number) for name in (*LOGNORMAL, NORMAL)}
    )


def tumour_values(normals: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Values by parameter for standard normals (patients,) by parameter; lognormal but for the place NORMAL."""
    values = {
        name: quantity(name).value * np.exp(quantity(f"{name}_variation").value * normals[name]) for name in LOGNORMAL
    }
    # a tumour starts below its capacity; the spread alone could put it above
    most = quantity("tumour_capacity").value * quantity("tumour_largest_start").value
    values["tumour_burden_at_start"] = np.minimum(values["tumour_burden_at_start"], most)
    return values | {NORMAL: np.asarray(normals[NORMAL], float)}


def responded(diameters: np.ndarray) -> np.ndarray:
    """Whether (patients,) the diameter (patients, times), a share of that at the start, came to fall by 30 % or more.

    Raises Il2Error for values that are not finite or below zero.
    """
    diameters = np.asarray(diameters, float)
    if diameters.ndim != 2 or not (np.isfinite(diameters) & (diameters >= 0)).all():
        raise Il2Error(
            "diameters must be finite shares, (patients, times)",
            where="responded",
            how="Leave out patients whose run failed, and say how many.",
        )
    return diameters.min(axis=1) <= 1 - quantity("RECIST_fall").value
