"""Uncertainty of counts and parameters, drawn from their ranges: the same draws serve every cell and dose."""

from __future__ import annotations

import numpy as np

from il2.knowledge.cell import Count
from il2.knowledge.parameters import drawn_quantities, generator, split_lognormal
from il2.knowledge.quantity import quantities, quantity
from il2.knowledge.table import number, rows
from il2.receptor.cytokine import constant, cytokine
from il2.receptor.ligand import Ligand, fusion_factor_applies, interface_factors, reference
from il2.signalling.response import response


def parameter_draws(base: str, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Values (draws,) of every parameter of the response network that has a range: quantities and affinities."""
    names = response(base).parameter_names
    out = drawn_quantities([n for n in names if n in quantities()], draws, seed)
    family = cytokine(base)
    for row in rows("affinities"):
        if row["ligand"] == base:
            z = generator(seed, f"{base} {row['product']}").standard_normal(draws)
            name = constant(family, frozenset(row["product"].split("+")))
            out[name] = split_lognormal(float(row["kd"]), number(row["low"]), number(row["high"]), z)
    return out


def factor_draws(item: Ligand, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Affinity factors (draws,) per chain: uncertain by the wild-type references and the effect of a fusion."""
    factors = {chain: np.full(draws, value) for chain, value in interface_factors(item)[0].items()}
    for interface, _ in item.kds:
        wild = reference(item.assay, item.is_fc, item.base, interface)
        z = generator(seed, f"reference {item.assay} {interface}").standard_normal(draws)
        chain = "IL2RB" if interface == "IL2RBG" and "IL2RB" not in dict(item.kds) else interface
        factors["IL2RG" if chain == "IL2RBG" else chain] *= wild.kd / split_lognormal(wild.kd, wild.low, wild.high, z)
    if fusion_factor_applies(item):
        name = "Fc_fusion_IL2RB_factor"
        factors["IL2RB"] *= drawn_quantities([name], draws, seed)[name] / quantity(name).value
    return factors


def count_draws(cell: str, counts: dict[str, Count], draws: int, seed: int) -> dict[str, np.ndarray]:
    """Counts (draws,) per chain from the range over quantifications."""
    return {
        chain: split_lognormal(c.value, c.low, c.high, generator(seed, f"{cell} {chain}").standard_normal(draws))
        for chain, c in counts.items()
    }
