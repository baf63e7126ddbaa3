"""The collective of T cells in one well that share antigen and IL-2 (tkach2014): a published model to compare with.

Cells come upon antigen one after the other and are followed as cohorts of equal size by the time at which they do.
Antigen is shared by those that are active and used up by their receptors; engaged receptors switch secretion on, IL-2
through pSTAT5 switches it off, antigen holds pSTAT5 down, and secretion speeds up with lasting antigen (the boost).
IL-2 and antigen are molecules per cell of the whole culture; receptors and the boost are those of a cell of the cohort.
Time is in hours. Thresholds, in time too, are steep smooth switches, so that every solver and SBML can take them.
"""

from __future__ import annotations

from dataclasses import dataclass

from il2.engine.inputs import with_clock
from il2.errors import Il2Error
from il2.network.expression import Expr, add, exp, num, power, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Reaction, Species
from il2.network.part import with_quantities

WELL, SURFACE, LEDGER = "well", "surface", "ledger"
IL2, SECRETED, TAKEN_UP, ANTIGEN, CLOCK, JAK1 = "IL2", "IL2_secreted", "IL2_taken_up", "antigen", "time", "JAK1"
MET, ACTIVATED = "met", "cohorts_activated"
PRODUCERS, PSTAT5, BOOST, ENGAGED = "IL2_producers", "pstat5", "boost", "TCR_engaged"
CONCENTRATION = "IL2_nM"
COHORTS = 12
PER_HOUR, HOURLY = "molecule/(cell*h)", "1/h"


@dataclass(frozen=True)
class Cohort:
    """What one cohort holds and does: names of its species, and expressions per cell of the cohort."""

    number: int
    share: Expr
    engaged: Expr
    crosstalk: bool
    boosted: bool

    def of(self, name: str) -> str:
        return f"{name}_{self.number}"

    @property
    def bound(self) -> Expr:
        """IL-2 on a cell; the species counts it per cell of the culture."""
        return sym(self.of("IL2_bound")) / self.share

    @property
    def receptors(self) -> Expr:
        """IL2RA paired with IL2RB and IL2RG."""
        return paired(sym(self.of("IL2RA")), sym(self.of("IL2RB")), sym("IL2RA_IL2RB_preassembly_KD"))

    @property
    def active(self) -> Expr:
        return above(self.engaged, sym("collective_TCR_threshold"))

    @property
    def pstat5(self) -> Expr:
        answer = sym(JAK1) * self.bound / (self.bound + sym("STAT5_half_activation_mouse_blast"))
        return answer / (1 + sym("TCR_inhibition_of_pSTAT5") * self.engaged) if self.crosstalk else answer

    @property
    def producing(self) -> Expr:
        feedback = 1 + sym("pSTAT5_inhibition_of_IL2") * self.pstat5
        return above(self.engaged, sym("collective_TCR_threshold") * feedback)

    @property
    def boost(self) -> Expr:
        return sym(self.of(BOOST)) if self.boosted else num(0.0)

    @property
    def secretion(self) -> Expr:
        """IL-2 that a producer secretes (molecules per hour)."""
        slow, fast = sym("IL2_secretion_rate"), sym("IL2_secretion_rate_highest")
        return slow + (fast - slow) * self.boost if self.boosted else slow


def collective(cohorts: int = COHORTS, crosstalk: bool = True, boost: bool = True) -> Network:
    """One well. crosstalk: antigen holds pSTAT5 down; boost: secretion speeds up. JAK1 is the share that works."""
    if cohorts < 1:
        raise Il2Error(f"the number of cohorts is {cohorts}", where="collective", how="Give a whole number from 1 up.")
    share = num(1.0 / cohorts)
    activated = share * sym(ACTIVATED)
    engaged = _engaged(activated)
    members = [Cohort(k, share, sym(f"{MET}_{k}") * engaged, crosstalk, boost) for k in range(1, cohorts + 1)]
    used = sym("antigen_loss") * activated * engaged
    parts = [_species_and_reactions(c) for c in members]
    network = Network(
        "collective-IL2",
        compartments=(Compartment(WELL, 3, "medium_volume"), Compartment(SURFACE, 2), Compartment(LEDGER, 3)),
        species=(
            Species(IL2, WELL, num(0.0)),
            Species(ANTIGEN, WELL, sym("collective_antigen") / sym("collective_cells")),
            Species(ACTIVATED, SURFACE, num(0.0), "dimensionless"),
            *(s for species, _ in parts for s in species),
            *(Species(name, LEDGER, num(0.0), controlled=False) for name in (SECRETED, TAKEN_UP)),
        ),
        parameters=(Parameter(JAK1, 1.0, "dimensionless"),),
        derived=(
            Derived("medium_volume", sym("collective_volume") / sym("collective_cells"), "fL/cell"),
            *_activation_times(cohorts),
        ),
        reactions=(Reaction("antigen loss", {ANTIGEN: -1}, used, unit=PER_HOUR), *(r for _, rs in parts for r in rs)),
        observables=(
            Observable(CONCENTRATION, _concentration(), "nM"),
            Observable(PRODUCERS, share * add(*(c.producing for c in members)), "dimensionless"),
            Observable(PSTAT5, share * add(*(c.pstat5 for c in members)), "dimensionless"),
            Observable(BOOST, share * add(num(0.0), *(c.boost for c in members)), "dimensionless"),
            Observable(ENGAGED, share * add(*(c.engaged for c in members)), "molecule/cell"),
        ),
    )
    return with_clock(with_quantities(network), CLOCK)


def _activation_times(cohorts: int) -> tuple[Derived, ...]:
    """When each cohort meets antigen: the middles of equal shares of the time from the first cell to the last."""
    first, last = sym("collective_first_activation"), sym("collective_last_activation")
    return tuple(
        Derived(f"activation_time_{k}", first + (last - first) * ((k - 0.5) / cohorts), "h")
        for k in range(1, cohorts + 1)
    )


def switch(argument: Expr) -> Expr:
    """From 0 to 1 as the argument goes from -1 to 1; steep at 0. The bounds keep the exponential finite."""
    return num(1.0) / (1 + exp(-sym("collective_switch_steepness") * argument))


def above(value: Expr, level: Expr) -> Expr:
    """1 where value > level >= 0: near the level a Hill function of half the steepness."""
    return switch((value - level) / (value + level))


def paired(x: Expr, y: Expr, kd: Expr) -> Expr:
    """Pairs of x and y at equilibrium, in a form that stays exact where one is far in excess."""
    total = x + y + kd
    return 2 * x * y / (total + power(total * total - 4 * x * y, 0.5))


def _meeting(number: int) -> Expr:
    """Rate (1/h) at which a cohort meets antigen: none before its time, at once after it."""
    late, width = sym(CLOCK) - sym(f"activation_time_{number}"), sym("collective_activation_width")
    due = switch(late / power(late * late + width * width, 0.5))
    return sym("collective_activation_rate") * due * (1 - sym(f"{MET}_{number}"))


def _engaged(activated: Expr) -> Expr:
    """Engaged receptors of an active cell: `paired` with antigen over the activated share, times that share."""
    antigen, receptors = sym(ANTIGEN), sym("collective_TCR")
    total = activated * (receptors + sym("collective_TCR_affinity")) + antigen
    return 2 * receptors * antigen / (total + power(total * total - 4 * activated * receptors * antigen, 0.5))


def _concentration() -> Expr:
    return sym(IL2) / (sym("avogadro") * sym("medium_volume"))


def _species_and_reactions(c: Cohort) -> tuple[tuple[Species, ...], tuple[Reaction, ...]]:
    met, alpha, beta, bound, boost = (c.of(name) for name in (MET, "IL2RA", "IL2RB", "IL2_bound", BOOST))
    turnover, binding = sym("collective_receptor_turnover"), sym("collective_association_rate") * _concentration()
    # A cell without IL2RA stays so until it meets antigen. Without `met`, rounding errors would grow into receptors.
    by_il2 = sym(met) * sym("collective_IL2RA_by_pSTAT5") * c.pstat5
    made_alpha = sym("collective_IL2RA_by_TCR") * c.active + by_il2
    made_beta = sym("collective_IL2RB_rest") + sym("collective_IL2RB_by_TCR") * c.active
    species = [
        Species(met, SURFACE, num(0.0), "dimensionless"),
        Species(alpha, SURFACE, num(0.0)),
        Species(beta, SURFACE, sym("collective_IL2RB_rest")),
        Species(bound, SURFACE, num(0.0)),
    ]
    reactions = [
        Reaction(f"cohort {c.number} meets antigen", {met: 1, ACTIVATED: 1}, _meeting(c.number), unit=HOURLY),
        Reaction(f"{alpha} turnover", {alpha: 1}, turnover * made_alpha, turnover * sym(alpha), PER_HOUR),
        Reaction(f"{beta} turnover", {beta: 1}, turnover * made_beta, turnover * sym(beta), PER_HOUR),
        Reaction(
            f"IL2 binding to cohort {c.number}", {IL2: -1, bound: 1},
            binding * c.share * c.receptors, binding * sym(bound), PER_HOUR,
        ),
        Reaction(
            f"IL2 uptake by cohort {c.number}", {bound: -1, TAKEN_UP: 1},
            sym("collective_internalisation") * sym(bound), unit=PER_HOUR,
        ),
        Reaction(
            f"IL2 secretion by cohort {c.number}", {IL2: 1, SECRETED: 1},
            c.share * c.secretion * c.producing, unit=PER_HOUR,
        ),
    ]  # fmt: skip
    if c.boosted:
        signal = sym("IL2_boost_by_TCR") * c.engaged / sym("IL2_boost_pool") + sym("collective_boost_self") * c.boost
        species.append(Species(boost, SURFACE, num(0.0), "dimensionless"))
        reactions.append(Reaction(f"{boost} rise", {boost: 1}, signal * (1 - c.boost), unit=HOURLY))
    return tuple(species), tuple(reactions)
