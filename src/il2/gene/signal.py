"""From engaged T cell receptors and CD28 to the factors that the promoters of cytokine genes read.

NFAT is digital: a cell has it in the nucleus or not, by its own threshold, so that the mean of many cells is their
share, of those that have met antigen. NF-kB, REL and AP-1 are graded, and told of such a cell. With `single` the
threshold is sharp and the network is one cell.
"""

from __future__ import annotations

from dataclasses import dataclass

from il2.knowledge.quantity import quantity
from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Network, Parameter, join
from il2.network.part import CELL, follows, half, hourly, lasting, with_quantities

SIGNAL, PRIMED, REL_IN, VDR_READY, WINDOW, BOOST = (
    "TCR_signal", "primed", "REL@nucleus", "VDR_activity", "CD28_window", "secretion_boost",
)  # fmt: skip
AMOUNTS = (
    "NFATC2", "ETS1", "JUNB", "REL", "NFKB1", "IRF4", "MAP3K1", "CD28RE", "FOXK2", "CREM", "IKZF1", "VDR",
    "IL2_competent",
)  # fmt: skip
COMPETENT = "IL2_competent"
ABSENT = ("FOXP3", "constitutive_drive", "B_cell_programme")  # what a T cell has none of, but some kinds do
DOSES = ("ciclosporin", "calcitriol")
VDR_DELAY = 4  # the receptor acts on promoters once most of it is there, and not before


@dataclass(frozen=True)
class Signal:
    """The part of a network, and what promoters read of it by factor, each 0 to 1 at normal amounts."""

    network: Network
    factors: dict[str, Expr]


def signal(engaged: Expr, costimulation: Expr, pstat5: Expr, prdm1: Expr, single: bool = False) -> Signal:
    """Signals of a cell.

    engaged: T cell receptors that hold antigen (molecule/cell) once the cell has met it. costimulation: CD28
    engaged, 0 to 1. pstat5: phosphorylated share of STAT5. prdm1: its protein, 1 at full induction.
    """
    x, primed = sym(SIGNAL), sym(PRIMED)
    steep = quantity("NFAT_steepness_cell" if single else "NFAT_steepness").value
    calcineurin = x / (1 + sym("ciclosporin_dose") / sym("ciclosporin_IC50"))
    threshold = sym("NFAT_threshold")
    raised = threshold + sym("pSTAT5_raised_threshold") * pstat5
    digital = primed * half(calcineurin, threshold, steep)
    kept = (calcineurin**steep + threshold**steep) / (calcineurin**steep + raised**steep)
    kappa = half(x, "NFkB_half_activation")
    with_cd28 = sym("NFkB_without_CD28") + (1 - sym("NFkB_without_CD28")) * costimulation
    target = sym("REL") * kappa * with_cd28
    present = engaged / (engaged + sym("TCR_detection_limit"))
    rel = sym(REL_IN)
    factors = {
        "NFATC2": sym("NFATC2") * digital,
        "STAT5_feedback": kept,
        "competence": sym(COMPETENT) * (num(1.0) if single else sym("IL2_producer_share_highest")),
        "ETS1": sym("ETS1"),
        "JUNB": sym("JUNB") * half(x, "AP1_half_activation"),
        "NFKB1": sym("NFKB1") * kappa,
        "REL": rel,
        "IRF4": sym("IRF4"),
        "RE_AP": costimulation * sym("CD28RE") * sym("MAP3K1"),
        "FOXK2": sym("FOXK2"),
        "PRDM1": prdm1,
        "IKZF1": sym("IKZF1"),
        "FOXP3": sym("FOXP3"),
        "VDR": sym(VDR_READY) ** VDR_DELAY * half(sym("calcitriol_dose"), "calcitriol_half_repression"),
        "STAT5": half(pstat5, "STAT5_output_half"),
        "CREM": sym("CREM"),
        "primed": primed,
        "always": sym("constitutive_drive"),
        "B_cell_programme": sym("B_cell_programme"),
    }
    boost = sym(BOOST)
    growth = hourly("IL2_boost_by_TCR") * primed * x / sym("IL2_boost_pool") + hourly("IL2_boost_self") * boost
    parts = (
        Network(
            "amounts",
            (Compartment(CELL, 3), Compartment("nucleus", 3)),
            parameters=(
                *(Parameter(name, 1.0, "dimensionless") for name in AMOUNTS),
                *(Parameter(name, 0.0, "dimensionless") for name in ABSENT),
                *(Parameter(f"{name}_dose", 0.0, "nM") for name in DOSES),
            ),
        ),
        follows(SIGNAL, engaged, num(1.0) / sym("TCR_signal_time"), "molecule/cell"),
        follows(PRIMED, present, present * lasting("contact_time")),
        follows(REL_IN, target, hourly("REL_export_rate")),
        follows(VDR_READY, sym("VDR") * primed, lasting("VDR_induction_time")),
        follows(WINDOW, num(0.0), primed * lasting("CD28_protection_time"), start=num(1.0)),
        follows(BOOST, num(1.0), growth),
    )
    return Signal(with_quantities(join("signal", *parts)), factors)


def stability(gene: str, costimulation: Expr, pstat5: Expr) -> Expr:
    """How many times longer the mRNA lasts: CD28 protects it for hours. pSTAT5 shortens the life of that of IL2 once
    the TCR signal is gone."""
    longer = 1 + (sym("CD28_mRNA_stabilisation") - 1) * costimulation * sym(WINDOW)
    if gene != "IL2":
        return longer
    gone = 1 - half(sym(SIGNAL), "TCR_half_activation")
    return longer / (1 + (sym("pSTAT5_effect_on_mRNA_decay") - 1) * half(pstat5, "STAT5_output_half") * gone)
