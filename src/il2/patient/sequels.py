"""What IL-2 does beside lymphocytes: IL-5 of ILC2 and eosinophils, soluble IL2RA, and an index of capillary leak.

IL-5 and eosinophil output are relative to normal. Eosinophils follow IL-5 after the transit through marrow. The index
of leak is a direction and no size: exposure of cells with IL2RA to what binds it.
"""

from __future__ import annotations

from itertools import pairwise

from il2.network.expression import Expr, add, exp, log, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species
from il2.network.part import half, with_quantities
from il2.patient.pools import BODY, PER_DAY, at_rest, blood, excess, pool, programme

IL5, EOSINOPHILS, LEAK, SOLUBLE = "IL5", "eosinophils", "capillary_leak", "soluble_IL2RA"
EOSINOPHILS_AT_START = "eosinophils_at_start"
SOURCE, TREG = "ILC2", "Treg"
STEPS = 3  # of the transit through marrow


def shedding_share(kind: str) -> str:
    """Name of the share of all IL2RA of the body that a kind of cell bears."""
    return f"IL2RA_share_{kind}"


def _raised(kind: str, gain: str) -> Expr:
    """What a kind of cell gives under its programme, over what it gives at rest."""
    return (1 + sym(gain) * sym(programme(kind))) / (1 + sym(gain) * sym(at_rest(kind)))


def _bright() -> tuple[Observable, ...]:
    """IL2RA per Treg over that at rest, and Treg of blood in a gate of those bright for IL2RA over those at rest.

    More Treg pass a fixed gate once each bears more of the chain.
    """
    borne = 1 + sym("Treg_IL2RA_by_programme") * excess(TREG)
    share, steep = sym("Treg_IL2RA_bright_share"), sym("Treg_IL2RA_gate_steepness")
    raised = exp(steep * log(borne))
    passing = raised / (raised + 1 / share - 1)
    return (
        Observable("IL2RA_per_Treg", borne, "dimensionless"),
        Observable("IL2RA_bright_Treg", sym(blood(TREG)) * passing / share, "dimensionless"),
    )


def sequels(kinds: tuple[str, ...], exposure: Expr) -> Network:
    """exposure: IL-2 that binds IL2RA, nM, over all ligands."""
    hours = sym("hours_per_day")
    made = _raised(SOURCE, "IL5_by_IL2") * sym(pool(SOURCE))
    gain, level = sym("eosinophils_by_IL5"), sym("eosinophil_half_IL5")
    output = (1 + gain * half(sym(IL5), level)) / (1 + gain / (1 + level))
    chain = [f"marrow_{i}" for i in range(1, STEPS + 1)]
    rate = STEPS / sym("eosinophil_delay")
    shed = add(*(sym(shedding_share(k)) * sym(pool(k)) * _raised(k, "soluble_IL2RA_by_IL2") for k in kinds))
    s_loss, e_loss, l_loss = sym("soluble_IL2RA_loss"), sym("eosinophil_loss"), hours / sym("capillary_leak_time")
    reactions = [
        Reaction("IL-5", {IL5: 1}, hours * sym("IL5_loss") * made, hours * sym("IL5_loss") * sym(IL5), PER_DAY),
        Reaction("marrow answers IL-5", {chain[0]: 1}, rate * output, rate * sym(chain[0]), PER_DAY),
        *(Reaction(f"{b} follows", {b: 1}, rate * sym(a), rate * sym(b), PER_DAY) for a, b in pairwise(chain)),
        Reaction(
            "eosinophils of blood", {EOSINOPHILS: 1},
            e_loss * sym(EOSINOPHILS_AT_START) * sym(chain[-1]), e_loss * sym(EOSINOPHILS), "cell/(uL*d)",
        ),
        Reaction(
            "soluble IL2RA", {SOLUBLE: 1}, s_loss * sym("soluble_IL2RA_at_rest") * shed, s_loss * sym(SOLUBLE), "nM/d"
        ),
        Reaction("leak", {LEAK: 1}, hours * sym("capillary_leak_score") * exposure, l_loss * sym(LEAK), PER_DAY),
    ]  # fmt: skip
    return with_quantities(
        Network(
            "sequels",
            (Compartment(BODY, 3),),
            (
                Species(IL5, BODY, num(1.0), "dimensionless"),
                *(Species(name, BODY, num(1.0), "dimensionless") for name in chain),
                Species(EOSINOPHILS, BODY, sym(EOSINOPHILS_AT_START), "cell/uL"),
                Species(SOLUBLE, BODY, sym("soluble_IL2RA_at_rest"), "nM"),
                Species(LEAK, BODY, num(0.0), "dimensionless"),
            ),
            (
                Parameter(EOSINOPHILS_AT_START, 0.0, "cell/uL"),
                *(Parameter(shedding_share(k), 0.0, "dimensionless") for k in kinds),
            ),
            reactions=tuple(reactions),
            observables=(Observable("capillary_leak_index", sym(LEAK), "dimensionless"), *_bright()),
        )
    )
