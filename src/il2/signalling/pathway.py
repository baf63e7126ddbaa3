"""The branches beside STAT5: PI3K, AKT and MTOR, ERK, and calcium. Semi-quantitative: outputs from 0 to 1.

IL-2 and the T cell receptor share them. The constants are of assumed grade; signs and the order of the cells are what
is known. IL-2 gives no calcium signal unless `IL2_to_calcium` is set above zero: direct tests found none.
"""

from __future__ import annotations

from dataclasses import dataclass

from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species, join
from il2.network.part import CELL, follows, half, lasting, with_quantities

PIP3, ERK, CALCIUM, BRAKE = "PIP3", "pERK", "calcium", "IFNA_brake"
INHIBITORS = ("PI3K_inhibitor", "MEK_inhibitor", "rapamycin")


@dataclass(frozen=True)
class Pathway:
    network: Network
    akt: Expr
    mtor: Expr
    erk: Expr
    calcium: Expr


def left(drug: str) -> Expr:
    """The share of an activity that a dose of its inhibitor leaves."""
    return num(1.0) / (1 + sym(f"{drug}_dose") / sym(f"{drug}_IC50"))


def _lipid(made: Expr, lost: Expr) -> Network:
    """PIP3: made by PI3K, lost by PTEN; without PTEN it only rises."""
    change = Reaction(f"{PIP3} turnover", {PIP3: 1}, made, lost * sym(PIP3), "1/min")
    species = Species(PIP3, CELL, num(0.0), "dimensionless")
    return Network(PIP3, (Compartment(CELL, 3),), (species,), reactions=(change,))


def pathway(active: Expr, tcr: Expr, costimulation: Expr) -> Pathway:
    """active: IL-2 receptor complexes that signal (molecule/cell). tcr: TCR signal, 0 to 1. costimulation: 0 to 1."""
    by_il2, brake = half(active, "PI3K_half_activation"), sym(BRAKE)
    kinase = (by_il2 + tcr * costimulation - by_il2 * tcr * costimulation) * left("PI3K_inhibitor")
    braked = kinase / (1 + sym("IFNA_effect_on_PI3K") * brake)
    lipid = sym(PIP3)
    akt = lipid**2 / (lipid**2 + sym("PIP3_half_activation") ** 2)
    mtor = akt * left("rapamycin")
    by_receptor = half(active, "ERK_half_activation")
    mapk = (by_receptor + tcr - by_receptor * tcr) * left("MEK_inhibitor")
    rise = tcr + sym("IL2_to_calcium") * by_receptor
    decay = num(1.0) / sym("AKT_time_constant")
    parts = (
        Network(
            "inhibitors",
            (Compartment(CELL, 3),),
            parameters=(
                *(Parameter(f"{drug}_dose", 0.0, "nM") for drug in (*INHIBITORS, "IFNA1")),
                Parameter("PTEN", 1.0, "dimensionless"),
                Parameter("IL2_to_calcium", 0.0, "dimensionless", "off: direct tests found no calcium signal"),
            ),
            observables=(
                Observable("pAKT", akt, "dimensionless"),
                Observable("MTOR_activity", mtor, "dimensionless"),
            ),
        ),
        _lipid(decay * braked, decay * sym("PTEN")),
        follows(ERK, mapk, num(1.0) / sym("ERK_time_constant")),
        follows(CALCIUM, rise, num(1.0) / sym("Ca_time_constant")),
        follows(BRAKE, half(sym("IFNA1_dose"), "IFNA1_EC50"), lasting("IFNA_brake_time")),
    )
    return Pathway(with_quantities(join("pathway", *parts)), akt, mtor, sym(ERK), sym(CALCIUM))
