"""What cell fates read: products that follow the pathways with their own half-lives, as rows of two tables.

outputs.csv has one row a product: its half-life and its level before anything adds to it. output_inputs.csv has one row
an input: `adds` w H(x), `needs` w + (1 - w) H(x) of all of it, `represses` 1 / (1 + w H(x)); H is a Hill function
with one half at `half`. A cell starts as it stays without any input. Levels are relative: 1 is what full input gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import keyed, rows
from il2.network.expression import Expr, add, num, product, sym
from il2.network.network import Network, Parameter, join
from il2.network.part import follows, with_quantities

ADDS, NEEDS = "adds", "needs"
EFFECTS = (ADDS, NEEDS, "represses")


def products() -> tuple[str, ...]:
    """The products of the table."""
    return tuple(keyed("outputs", "product"))


def outputs(names: Iterable[str], inputs: Mapping[str, Expr]) -> Network:
    """Products as species; an input may be a product itself. An unknown product or input is an Il2Error."""
    names = tuple(names)
    every = {**inputs, **{name: sym(name) for name in names}}
    return with_quantities(join("outputs", *(_output(name, every) for name in names)))


def _output(name: str, inputs: Mapping[str, Expr]) -> Network:
    table = keyed("outputs", "product")
    if name not in table:
        raise Il2Error(f"no product {name!r}", where="outputs.csv", how=did_you_mean(name, table))
    row, own = table[name], [r for r in rows("output_inputs") if r["product"] == name]
    for r in own:
        _check(r, inputs)
    life, base, gene = f"{name}_half_life", f"{name}_at_rest", f"{name}_gene"
    given = [
        Parameter(life, float(row["half_life_h"]), "h"),
        Parameter(base, float(row["at_rest"]), "dimensionless"),
        Parameter(gene, 1.0, "dimensionless", "0 is a knock-out"),
    ]
    terms, factors, missing = [sym(base)], [], []
    for r in own:
        weight, level = f"{name}_by_{r['input']}", f"{name}_half_{r['input']}"
        given += [Parameter(weight, float(r["weight"]), "dimensionless"), Parameter(level, float(r["half"]), r["unit"])]
        x, k, n = inputs[r["input"]], sym(level), float(r["Hill"])
        share = x / (x + k) if n == 1 else x**n / (x**n + k**n)
        if r["effect"] == ADDS:
            terms.append(sym(weight) * share)
        elif r["effect"] == NEEDS:
            factors.append(sym(weight) + (1 - sym(weight)) * share)
            missing.append(sym(weight))
        else:
            factors.append(num(1.0) / (1 + sym(weight) * share))
    target = sym(gene) * add(*terms) * product(factors)
    rate = sym("ln_2") / (sym(life) * sym("minutes_per_hour"))
    part = follows(name, target, rate, start=sym(gene) * sym(base) * product(missing))
    return Network(name, part.compartments, part.species, tuple(given), reactions=part.reactions)


def _check(row: Mapping[str, str], inputs: Mapping[str, Expr]) -> None:
    """Raise an Il2Error for a row whose input is not there, or whose effect is none."""
    where, wanted = f"output_inputs.csv: {row['product']}", row["input"]
    if wanted not in inputs:
        hint = f"Ask for the product {wanted} too." if wanted in products() else did_you_mean(wanted, inputs)
        raise Il2Error(f"no input {wanted!r}", where=where, how=hint)
    if row["effect"] not in EFFECTS:
        raise Il2Error(f"unknown effect {row['effect']!r}", where=where, how=did_you_mean(row["effect"], EFFECTS))
