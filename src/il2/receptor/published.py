"""The receptor model of Farhat et al. 2021 (Cell Reports 35:109044): the rules of this package under its constants.

Its equations are those of `il2.receptor.model` with one uptake and one sorting fraction for all chains, and one rate of
recruitment. It counts the endosome in densities, molecules over its share of the area, where this package counts
molecules: the volume of the endosome and the weight of its active complexes are converted accordingly.

A draw of its posterior is a mapping from the published symbols (`kfwd`, `endo`, ..., `Rexpr_IL2RA`) to numbers or to
arrays (lanes,): rates in 1/min, `kfwd` in cell/(molecule*min), expression in molecule/(cell*min).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity
from il2.knowledge.table import keyed
from il2.network.expression import add, num, sym
from il2.network.network import Network, Observable, compose
from il2.receptor.head import COMMON, factor, head
from il2.receptor.membrane import SURFACE, at
from il2.receptor.model import build, dose, system
from il2.receptor.trafficking import count

Number = float | np.ndarray
Draw = Mapping[str, Number]

BETA = "IL2RB"
# What leaves: the private chain, IL2RB; IL2RB and IL2RG from the private chain; IL2RG from IL2RB and from both.
# Detailed balance gives the rest.
RATES = {
    "IL2": ("k1rev", "k2rev", "k11rev", "k4rev", "k5rev", "k10rev"),
    "IL15": ("k13rev", "k14rev", "k23rev", "k16rev", "k17rev", "k22rev"),
}


def constant(name: str) -> float:
    """A fixed constant of the published model, in the unit of its row."""
    return float(keyed("published_model", "name")[name]["value"])


@cache
def published(ligand: str) -> Network:
    """The network of one ligand, `IL2` or `IL15`, clamped outside; parameters come from `parameters`.

    Observables besides those of `il2.receptor.model`: `surface_CHAIN`, all of a chain on the surface, bound or free.
    """
    if ligand not in RATES:
        raise Il2Error(f"the published model has no {ligand!r}", how=did_you_mean(ligand, RATES))
    of = system(ligand)
    (molecule,) = of.molecules
    shown = []
    for chain in of.chains:
        bound = (
            float(n) * sym(molecule.species(form, SURFACE))
            for form in molecule.on_membrane
            if (n := molecule.contents(form)[chain])
        )
        shown.append(Observable(on_surface(chain), add(num(0.0), sym(at(chain, SURFACE)), *bound), "molecule/cell"))
    return compose(f"published_{ligand}", build(of), Network("surface", observables=tuple(shown)))


def on_surface(chain: str) -> str:
    """Name of the observable of all that a cell carries of a chain on its surface."""
    return f"{SURFACE}_{chain}"


def parameters(ligand: str, draw: Draw) -> dict[str, Number]:
    """Parameters of `published(ligand)` under a draw, with the counts that it gives to YT-1 cells and a dose of 0."""
    chains = head(ligand).chains
    area = constant("internalFrac")
    confined = quantity("confinement_volume_reference").value
    return {
        head(ligand).association: constant("kfbnd"),
        head(ligand).recruitment: draw["kfwd"],
        "confinement_volume": confined,
        "confinement_volume_reference": confined,
        "endosomal_dissociation_factor": constant("endosomal_off_rate_factor"),
        "endosome_volume": constant("internalV") * area / quantity("avogadro").value,
        "endosome_area_ratio": area,
        "endosomal_signalling_weight": constant("internalStrength") / area,
        "internalisation_signalling": draw["activeEndo"],
        "recycling_rate": draw["kRec"],
        "degradation_rate": draw["kDeg"],
        dose(ligand): 0.0,
        **{f"internalisation_{chain}": draw["endo"] for chain in chains},
        **{f"sorting_{chain}": draw["sortF"] for chain in chains},
        **{count(chain): yt1_count(chain, draw) for chain in chains},
        **{factor(ligand, chain): 1.0 for chain in chains},
        **dissociation_constants(ligand, draw),
    }


def yt1_count(chain: str, draw: Draw) -> Number:
    """Unstimulated surface count (molecule/cell) that a draw gives to YT-1 cells: synthesis balances loss."""
    returned = draw["kRec"] * (1 - draw["sortF"])
    return draw[f"Rexpr_{chain}"] / draw["endo"] * (1 + returned / (draw["kDeg"] * draw["sortF"]))


def dissociation_constants(ligand: str, draw: Draw) -> dict[str, Number]:
    """KD of every step: nM from solution, molecule/cell on the surface."""
    site = head(ligand)
    a, b, g = site.private, BETA, COMMON
    formed: dict[frozenset, Number] = {frozenset(): 1.0}
    for chains, symbol in zip(((a,), (b,), (a, b), (a, g), (b, g), (a, b, g)), RATES[ligand], strict=True):
        before = frozenset(chains[:-1])
        on = draw["kfwd"] if before else constant("kfbnd")
        formed[frozenset(chains)] = formed[before] * dissociation_rate(symbol, draw) / on
    return {step.name: formed[held] / formed[step.before] for held, step in site.steps.items()}


def dissociation_rate(symbol: str, draw: Draw) -> Number:
    """A dissociation rate (1/min) by its published symbol: of the draw, tied to k5rev, or fixed."""
    if symbol in draw:
        return draw[symbol]
    tied = f"{symbol}_over_k5rev"
    return constant(tied) * draw["k5rev"] if tied in keyed("published_model", "name") else constant(symbol)


def fusion_factors(draw: Draw, kd_il2ra_nM: Number, kd_il2rbg_nM: Number) -> dict[str, Number]:
    """Affinity factors of an IL-2 fusion from its KDs (nM), as the authors turn them into rates.

    k1rev is `kfbnd` times the KD of IL2RA. k5rev is `kfbnd` times the KD of the IL2RB:IL2RG heterodimer, and every
    other loss of IL2RB or IL2RG is scaled alike. Two weaknesses are part of the published model and kept: a KD in
    solution is equated with a rate between membrane chains, and the one heterodimer ratio counts twice, for IL2RB and
    for IL2RG.
    """
    both = constant("kfbnd") * kd_il2rbg_nM / draw["k5rev"]
    own = constant("kfbnd") * kd_il2ra_nM / constant("k1rev")
    return {factor("IL2", "IL2RA"): own, factor("IL2", BETA): both, factor("IL2", COMMON): both}
