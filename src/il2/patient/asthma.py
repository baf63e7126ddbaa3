"""Asthma under block of IL2RA: Th2 cells of the airways with IL2RA, lung function and exacerbations.

Th2 cells of the airways come in, and divide there on IL-2 (`il2.patient.expansion`); both balance their loss before
treatment. FEV1 follows the load of Th2 cells late, and so does the hazard of an exacerbation:

    dTh2/dt = d (1 - e) + d e (signal / signal at rest) Th2 (1 - Th2/highest) / (1 - 1/highest) - d Th2

Sizes are assumed: the module tells directions alone. A person without a drug stays as he is, so that a placebo does
nothing here. What the same drug costs in Treg is that of `pool_Treg`; the module reports it.
"""

from __future__ import annotations

from il2.network.expression import Expr, exp, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species
from il2.network.part import with_quantities
from il2.patient.expansion import growth_signal

PLACE, SHARE, PER_DAY = "airways", "dimensionless", "1/d"
TH2, FEV1, SUMMED, FREE_TIME = "Th2_airway", "FEV1", "exacerbation_hazard_summed", "exacerbation_free_time"
SIGNAL, WITH_IL2RA, HAZARD = "Th2_IL2_signal", "Th2_with_free_IL2RA", "exacerbation_hazard"
WITHOUT, TREG_LOST, CHANGE = "exacerbation_free", "Treg_lost", "FEV1_change"
BEARING = "Th2_IL2RA"


def asthma(il2: Expr, free: Expr, at_rest: Expr | None = None) -> Network:
    """The part. il2: free IL-2 (nM) that reaches the airways; at_rest: the same before treatment, by default that of
    tissue. free: share of IL2RA that no antibody covers. It reads the species `pool_Treg`.

    Observables: `Th2_with_free_IL2RA`, `FEV1_change` (share of that at start), `exacerbation_free` (share of patients
    without one so far), `Treg_lost` (share of Treg at start); the species `exacerbation_free_time` (d) is the mean time
    without one so far. The parameter `Th2_IL2RA` is the share of IL2RA that Th2 cells bear: 0 takes the chain away.
    """
    rest = sym("tissue_IL2_at_rest") / sym("pM_per_nM") if at_rest is None else at_rest
    own, borne = sym("airway_IL2") / sym("pM_per_nM"), sym(BEARING)
    signal, normal = growth_signal(il2 + own, free * borne), growth_signal(rest + own, borne)
    th2, highest, kept = sym(TH2), sym("pool_highest"), sym("Th2_kept_by_IL2")
    room = (1 - th2 / highest) / (1 - 1 / highest)
    turnover = sym("Th2_airway_turnover")
    divided = turnover * kept * signal / normal * th2
    start, pace = sym("FEV1_at_start_asthma"), num(1.0) / sym("FEV1_lag")
    target = start * (1 + sym("FEV1_gain_without_Th2") * (1 - th2))
    driven = sym("exacerbation_by_Th2")
    hazard = sym("exacerbation_rate") * (1 - driven + driven * th2)
    unharmed = exp(-sym(SUMMED))
    return with_quantities(
        Network(
            "asthma",
            (Compartment(PLACE, 3),),
            (
                Species(TH2, PLACE, num(1.0), SHARE),
                Species(FEV1, PLACE, start, "L"),
                Species(SUMMED, PLACE, num(0.0), SHARE),
                Species(FREE_TIME, PLACE, num(0.0), "d"),
            ),
            (Parameter(BEARING, 1.0, SHARE, "0 is Th2 cells without IL2RA"),),
            reactions=(
                Reaction("Th2 cells come in", {TH2: 1}, turnover * (1 - kept), num(0.0), PER_DAY),
                Reaction("Th2 cells divide", {TH2: 1}, divided * room, num(0.0), PER_DAY),
                Reaction("Th2 cells are lost", {TH2: -1}, turnover * th2, num(0.0), PER_DAY),
                Reaction("FEV1 follows", {FEV1: 1}, pace * target, pace * sym(FEV1), "L/d"),
                Reaction("hazard of exacerbations sums up", {SUMMED: 1}, hazard, num(0.0), PER_DAY),
                Reaction("time without exacerbation", {FREE_TIME: 1}, unharmed, num(0.0), SHARE),
            ),
            observables=(
                Observable(SIGNAL, signal, SHARE),
                Observable(WITH_IL2RA, th2 * free * borne, SHARE),
                Observable(HAZARD, hazard, PER_DAY),
                Observable(WITHOUT, unharmed, SHARE),
                Observable(CHANGE, sym(FEV1) / start - 1, SHARE),
                Observable(TREG_LOST, 1 - sym("pool_Treg"), SHARE),
            ),
        )
    )  # fmt: skip
