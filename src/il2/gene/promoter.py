"""Promoters as rows of a table: which factors a gene needs, what boosts and what represses it.

The activity is a product over the rows, 1 where every factor is at its full normal amount and nothing represses:
needs   s + (1 - s) x        s is what is left without the factor
boosts  (1 + s x) / (1 + s)  s is the gain by the factor
represses  1 / (1 + s x)     s is how often lower it is with the factor at 1
Rows `demethylates` and `methylates` act on the DNA of the promoter instead, at s x times the rate at which a
stimulated cell loses its methylation.
"""

from __future__ import annotations

from collections.abc import Mapping

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import rows
from il2.network.expression import Expr, add, num, product, sym
from il2.network.network import Parameter

NEEDS, BOOSTS, REPRESSES, DRIVES = "needs", "boosts", "represses", "drives"
OPENS, CLOSES = "demethylates", "methylates"
EFFECTS = (NEEDS, BOOSTS, REPRESSES, DRIVES, OPENS, CLOSES)


def genes() -> tuple[str, ...]:
    """The genes that have a promoter in the table."""
    return tuple(dict.fromkeys(row["gene"] for row in rows("promoters")))


def strength(gene: str, factor: str, effect: str = "") -> str:
    """Name of the parameter that holds the strength of a row."""
    return f"promoter_{gene}_{factor}" + (f"_{effect}" if effect in (OPENS, CLOSES) else "")


def activity(gene: str, factors: Mapping[str, Expr]) -> Expr:
    """Activity of a promoter; a row `drives` adds to it whatever the others do, and alone it is all there is.

    An unknown gene, factor or effect is an Il2Error.
    """
    own = _rows(gene, factors)
    if not own:
        raise Il2Error(f"no promoter of {gene!r}", how=did_you_mean(gene, genes()))
    terms, beside = [], num(0.0)
    for row in own:
        x, s = factors[row["factor"]], sym(strength(gene, row["factor"]))
        if row["effect"] == NEEDS:
            terms.append(s + (1 - s) * x)
        elif row["effect"] == BOOSTS:
            terms.append((1 + s * x) / (1 + s))
        elif row["effect"] == REPRESSES:
            terms.append(num(1.0) / (1 + s * x))
        elif row["effect"] == DRIVES:
            beside = beside + s * x
    return (product(terms) if terms else num(0.0)) + beside


def remodelling(gene: str, factors: Mapping[str, Expr], effect: str) -> Expr:
    """Sum of what opens, or of what closes, the DNA of a promoter, over the rate of a stimulated cell."""
    own = [row for row in _rows(gene, factors) if row["effect"] == effect]
    return add(num(0.0), *(sym(strength(gene, row["factor"], effect)) * factors[row["factor"]] for row in own))


def _rows(gene: str, factors: Mapping[str, Expr]) -> list[dict[str, str]]:
    """The rows of a gene; one that names a factor or an effect that is not there is an Il2Error."""
    own = [row for row in rows("promoters") if row["gene"] == gene]
    for row in own:
        for kind, known in (("factor", factors), ("effect", EFFECTS)):
            if row[kind] not in known:
                how = did_you_mean(row[kind], known)
                raise Il2Error(f"no {kind} {row[kind]!r}", where=f"promoters.csv: {gene}", how=how)
    return own


def strengths(gene: str) -> tuple[Parameter, ...]:
    """The strengths of all rows of a gene as parameters."""
    return tuple(
        Parameter(strength(gene, row["factor"], row["effect"]), float(row["strength"]), "dimensionless", row["note"])
        for row in rows("promoters")
        if row["gene"] == gene
    )
