"""Two alleles that open, burst and close, mRNA, and for IL2 the protein on its way out.

All counts are per cell. Without drive an allele only closes. The promoter works as its DNA loses methylation. The
network is the same whether it is solved as means, or alleles (and mRNA) jump one by one.
"""

from __future__ import annotations

from collections.abc import Mapping

from il2.gene.promoter import CLOSES, OPENS, activity, remodelling, strengths
from il2.gene.signal import BOOST
from il2.network.expression import Expr, num, sym
from il2.network.network import (
    COUNT,
    FLUX,
    Compartment,
    Network,
    Observable,
    Parameter,
    Reaction,
    Species,
    reaction,
)
from il2.network.part import CELL, hourly, lasting, with_quantities

NUCLEUS = "nucleus"


def off(gene: str) -> str:
    return f"{gene}_alleles_off"


def on(gene: str) -> str:
    return f"{gene}_alleles_on"


def mrna(gene: str) -> str:
    return f"{gene}_mRNA"


def methylation(gene: str) -> str:
    return f"{gene}_methylation"


def alleles(gene: str) -> str:
    """Name of the parameter that holds how many working alleles a cell has."""
    return f"{gene}_alleles"


def transcription(gene: str, factors: Mapping[str, Expr], longer: Expr) -> Network:
    """A gene whose promoter reads `factors`; its mRNA lasts `longer` times its own life."""
    closed, shut, open_ = sym(methylation(gene)), off(gene), on(gene)
    share = sym("methylated_activity") + (1 - sym("methylated_activity")) * (1 - closed)
    pace = lasting("IL2_demethylation_half_time") * sym("ln_2")
    opening, closing = (pace * remodelling(gene, factors, effect) for effect in (OPENS, CLOSES))
    start = Parameter(f"{gene}_methylation_at_start", 1.0, "dimensionless", "share of methylated sites")
    made = hourly("IL2_transcription_rate") * sym(open_)
    lost = hourly("IL2_mRNA_decay") / longer
    opens = hourly("IL2_promoter_on_rate") * activity(gene, factors) * share
    return with_quantities(
        Network(
            gene,
            (Compartment(NUCLEUS, 3), Compartment(CELL, 3)),
            (
                Species(methylation(gene), NUCLEUS, sym(start.name), "dimensionless"),
                Species(shut, NUCLEUS, sym(alleles(gene)), "dimensionless"),
                Species(open_, NUCLEUS, num(0.0), "dimensionless"),
                Species(mrna(gene), CELL, num(0.0), COUNT),
            ),
            (start, Parameter(alleles(gene), 2.0, "dimensionless", "working alleles"), *strengths(gene)),
            reactions=(
                Reaction(f"{gene} DNA", {methylation(gene): 1}, closing * (1 - closed), opening * closed, "1/min"),
                reaction(f"{gene} opens", [shut], [open_], opens, unit="1/min"),
                reaction(f"{gene} closes", [open_], [shut], hourly("IL2_promoter_off_rate"), unit="1/min"),
                Reaction(f"{gene} is transcribed", {mrna(gene): 1}, made),
                reaction(f"{gene} mRNA decays", [mrna(gene)], [], lost),
            ),
        )
    )


def secretion() -> Network:
    """IL-2 is translated, waits in the cell, and is secreted; what leaves is the observable `IL2_secretion`."""
    inside = "IL2@secretory"
    opened = sym("IL2_promoter_on_rate") / (sym("IL2_promoter_on_rate") + sym("IL2_promoter_off_rate"))
    mean = 2 * opened * sym("IL2_transcription_rate") / sym("IL2_mRNA_decay")
    rate = hourly("IL2_secretion_rate") * sym(mrna("IL2")) / (sym("IL2_mRNA_reference") * mean)
    faster = 1 + (sym("IL2_secretion_rate_highest") / sym("IL2_secretion_rate") - 1) * sym(BOOST)
    out = hourly("IL2_export_rate") * sym(inside)
    return with_quantities(
        Network(
            "secretion",
            (Compartment(CELL, 3),),
            (Species(inside, CELL, num(0.0), COUNT),),
            reactions=(
                Reaction("IL2 is translated", {inside: 1}, rate * faster * sym("IL2_capacity")),
                Reaction("IL2 is secreted", {inside: -1}, out),
            ),
            parameters=(Parameter("IL2_capacity", 1.0, "dimensionless", "secretion over that of a CD4 T cell"),),
            observables=(Observable("IL2_secretion", out, FLUX),),
        )
    )
