"""Rejection of a kidney graft by a clone of T cells that needs IL-2 to grow.

Alloantigen activates naive alloreactive cells; those that are activated bear IL2RA and grow while they see antigen, in
part by the IL-2 of plasma and of their own making (`il2.patient.expansion`); effector cells come out of them, and the
hazard of rejection follows the effector cells:

    dN/dt = r (1 - N) - a D N            dA/dt = a D N + g D (w + (1 - w) signal) A - m A
    dE/dt = m A - d E                    hazard = k E

D is alloantigen, which falls as the donor's presenting cells leave the graft. Numbers are shares of the alloreactive
cells at the day of the graft, which is day 0. What growth is left without IL-2 (w) is CALIBRATED to the relative risk
of rejection under antibodies to IL2RA, and k to the risk without them: neither risk is a prediction. That an antibody
lowers the risk, and lowers nothing where cells bear no IL2RA, is the mechanism.
"""

from __future__ import annotations

from il2.network.expression import Expr, exp, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species
from il2.network.part import with_quantities
from il2.patient.expansion import growth_signal

PLACE, SHARE, PER_DAY = "graft", "dimensionless", "1/d"
NAIVE, ACTIVATED, EFFECTOR = "alloreactive_naive", "alloreactive_activated", "alloreactive_effector"
ANTIGEN, SUMMED = "donor_antigen", "rejection_hazard_summed"
HAZARD, REJECTION, SIGNAL = "rejection_hazard", "rejection", "alloreactive_IL2_signal"
BEARING = "alloreactive_IL2RA"
CALIBRATED = ("clonal_growth_without_IL2", "rejection_hazard_per_effector")
"""Quantities that are set on the trials that the module would be judged by."""


def graft(il2: Expr, free: Expr) -> Network:
    """The part. il2: free IL-2 (nM) that reaches the graft. free: share of IL2RA that no antibody covers.

    Observables: `rejection`, the share of patients with a rejection so far; `rejection_hazard` (1/d);
    `alloreactive_IL2_signal`. The parameter `alloreactive_IL2RA` is the share of IL2RA that the clone bears: 0 takes
    the chain away.
    """
    antigen, naive, activated, effector = (sym(name) for name in (ANTIGEN, NAIVE, ACTIVATED, EFFECTOR))
    own = sym("graft_local_IL2") / sym("pM_per_nM") * antigen
    signal = growth_signal(il2 + own, free * sym(BEARING))
    other = sym("clonal_growth_without_IL2")
    growth = sym("clonal_growth_rate") * antigen * (other + (1 - other) * signal)
    found = sym("alloreactive_activation_rate") * antigen * naive
    turning = sym("activated_to_effector_rate") * activated
    dying = sym("alloreactive_effector_loss") * effector
    returning, leaving = sym("CD4_naive_death_rate"), sym("graft_presenting_cell_loss")
    hazard = sym("rejection_hazard_per_effector") * effector
    return with_quantities(
        Network(
            "graft",
            (Compartment(PLACE, 3),),
            (
                Species(ANTIGEN, PLACE, num(1.0), SHARE),
                Species(NAIVE, PLACE, num(1.0), SHARE),
                *(Species(name, PLACE, num(0.0), SHARE) for name in (ACTIVATED, EFFECTOR, SUMMED)),
            ),
            (Parameter(BEARING, 1.0, SHARE, "0 is a clone without IL2RA"),),
            reactions=(
                Reaction(
                    "cells of the donor leave the graft", {ANTIGEN: -1},
                    leaving * antigen, leaving * sym("graft_antigen_left"), PER_DAY,
                ),
                Reaction("naive cells come back", {NAIVE: 1}, returning, returning * naive, PER_DAY),
                Reaction("alloantigen activates", {NAIVE: -1, ACTIVATED: 1}, found, num(0.0), PER_DAY),
                Reaction("the clone grows", {ACTIVATED: 1}, growth * activated, num(0.0), PER_DAY),
                Reaction("the clone turns effector", {ACTIVATED: -1, EFFECTOR: 1}, turning, num(0.0), PER_DAY),
                Reaction("effector cells die", {EFFECTOR: -1}, dying, num(0.0), PER_DAY),
                Reaction("hazard sums up", {SUMMED: 1}, hazard, num(0.0), PER_DAY),
            ),
            observables=(
                Observable(SIGNAL, signal, SHARE),
                Observable(HAZARD, hazard, PER_DAY),
                Observable(REJECTION, 1 - exp(-sym(SUMMED)), SHARE),
            ),
        )
    )  # fmt: skip
