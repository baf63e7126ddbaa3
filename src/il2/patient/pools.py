"""Numbers of cells under IL-2: a saturable programme that starts fast and ends slowly, the pool of the body, blood.

For each kind of cell, relative to the normal state of the person,

    dS/dt = drive (1 - S)/tau_on - S/tau_off,   drive = p / (p + half),  p: share of STAT5 phosphorylated
    dN/dt = return (1 - N) + growth (S - S_rest) N (1 - N/highest)
    blood follows N after a transit, and empties faster while high IL-2 acts (margination)

S_rest is the programme at rest, under the IL-2 of tissue. Time is d.
"""

from __future__ import annotations

from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Reaction, Species
from il2.network.part import with_quantities

BODY = "body"
PER_DAY = "1/d"
MARGINATION = "NK"  # the cell whose drive stands for what high IL-2 does to all lymphocytes of blood
COUNT = "cell/uL"


def programme(kind: str) -> str:
    return f"programme_{kind}"


def pool(kind: str) -> str:
    return f"pool_{kind}"


def blood(kind: str) -> str:
    return f"blood_{kind}"


def at_rest(kind: str) -> str:
    return f"programme_at_rest_{kind}"


def started(kind: str) -> str:
    """Name of the count (cell/uL) at rest."""
    return f"count_at_start_{kind}"


def drive(pstat5: Expr) -> Expr:
    return pstat5 / (pstat5 + sym("programme_half_pSTAT5"))


def excess(kind: str) -> Expr:
    """The programme above that at rest."""
    return sym(programme(kind)) - sym(at_rest(kind))


def pools(kind: str, pstat5: Expr, pstat5_at_rest: Expr, high: Expr) -> Network:
    """The part of one kind of cell. high: drive of margination over that at rest, up to 1."""
    s, n, b, transit = programme(kind), pool(kind), blood(kind), f"transit_{kind}"
    hours = sym("hours_per_day")
    on, off = (hours / sym(f"Treg_programme_{way}_time") for way in ("on", "off"))
    rest = drive(pstat5_at_rest) * on / (drive(pstat5_at_rest) * on + off)
    growth = sym(f"{kind}_proliferation_highest") * excess(kind) * sym(n) * (1 - sym(n) / sym("pool_highest"))
    delay, back = num(1.0) / sym("Treg_transit_time"), sym(f"{kind}_return_rate")
    leaving = hours * sym("lymphocyte_egress_from_blood") * (1 + sym("margination_strength") * high)
    return with_quantities(
        Network(
            kind,
            (Compartment(BODY, 3),),
            (
                Species(s, BODY, sym(at_rest(kind)), "dimensionless"),
                *(Species(name, BODY, num(1.0), "dimensionless") for name in (n, transit, b)),
            ),
            (Parameter(started(kind), 0.0, COUNT),),
            (Derived(at_rest(kind), rest, "dimensionless"),),
            (
                Reaction(f"{s} goes on", {s: 1}, drive(pstat5) * (1 - sym(s)) * on, sym(s) * off, PER_DAY),
                Reaction(f"{n} grows", {n: 1}, growth, num(0.0), PER_DAY),
                Reaction(f"{n} returns", {n: 1}, back, back * sym(n), PER_DAY),
                Reaction(f"{kind} on the way to blood", {transit: 1}, delay * sym(n), delay * sym(transit), PER_DAY),
                Reaction(
                    f"{kind} of blood", {b: 1},
                    hours * sym("lymphocyte_egress_from_blood") * sym(transit), leaving * sym(b), PER_DAY,
                ),
            ),
            (
                Observable(f"pSTAT5_{kind}", pstat5, "dimensionless"),
                Observable(f"count_{kind}", sym(started(kind)) * sym(b), COUNT),
            ),
        )
    )  # fmt: skip
