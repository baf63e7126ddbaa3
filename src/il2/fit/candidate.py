"""Candidate mechanisms on top of the default model, to be judged by what they predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.fit.prior import prior
from il2.knowledge.cell import cell
from il2.network.expression import num, sym
from il2.network.network import Network, Parameter, Reaction, compose
from il2.receptor.ligand import ligand
from il2.receptor.trafficking import count

if TYPE_CHECKING:
    import pandas

Take = Callable[..., None]
"""take(free, parameter, lanes, power): let a free number multiply a parameter of lanes."""
Uses = Callable[["pandas.DataFrame", str, str, Take], None]
SURFACE_IL2RA, NUCLEAR = "IL2RA@surface", "pSTAT5.pSTAT5@nucleus"
OTHERS = ("IL2RA", "IL2RG", "IL15RA")


@dataclass(frozen=True)
class Mechanism:
    """network: the network with what the mechanism adds; uses: free numbers that it brings; fixed: parameters that it
    takes out of the fit, with their values; shared: parameters that follow the free number of another."""

    name: str
    says: str
    network: Callable[[Network], Network]
    uses: Uses
    fixed: dict[str, float] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)


def _same(network: Network) -> Network:
    return network


def _nothing(lanes: pandas.DataFrame, base: str, uptake: str, take: Take) -> None:
    return None


def _lineage(lanes: pandas.DataFrame, base: str, uptake: str, take: Take) -> None:
    kinds = np.array([cell(name).parent or cell(name).name for name in lanes["cell"]])
    for kind in dict.fromkeys(kinds):
        if not kind.startswith("YT-1"):
            number = prior("lineage gain", uptake, name=f"lineage gain {kind}")
            take(number, "STAT5_half_activation", np.flatnonzero(kinds == kind))


def _fused(row: str, parameter: str) -> Uses:
    def uses(lanes: pandas.DataFrame, base: str, uptake: str, take: Take) -> None:
        where = np.flatnonzero([ligand(name).is_fc for name in lanes["ligand"]])
        if len(where):
            take(prior(row, uptake), parameter, where)

    return uses


def _batch(lanes: pandas.DataFrame, base: str, uptake: str, take: Take) -> None:
    where = np.flatnonzero([ligand(name).is_fc for name in lanes["ligand"]])
    for chain in ("IL2RA", "IL2RB", "IL2RG") if len(where) else ():
        take(prior("batch of counts", uptake, name=f"batch {chain}"), count(chain), where)


def _induced(network: Network) -> Network:
    """STAT5 makes IL2RA."""
    if count("IL2RA") not in network.parameter_names:
        return network
    rate = sym("IL2RA_induction") * sym(count("IL2RA")) * sym(NUCLEAR) / sym("STAT5_total")
    made = Reaction("IL2RA induction", {SURFACE_IL2RA: 1}, rate, num(0.0))
    return compose(network.name, network, _part("IL2RA_induction", made))


def _shed(network: Network) -> Network:
    """Free IL2RA leaves the surface for good."""
    if count("IL2RA") not in network.parameter_names:
        return network
    lost = Reaction("IL2RA loss", {SURFACE_IL2RA: -1}, sym("IL2RA_loss") * sym(SURFACE_IL2RA), num(0.0))
    return compose(network.name, network, _part("IL2RA_loss", lost))


def _part(parameter: str, reaction: Reaction) -> Network:
    return Network(parameter, parameters=(Parameter(parameter, 1.0, "1/min"),), reactions=(reaction,))


MECHANISMS = {
    m.name: m
    for m in (
        Mechanism("lineage gain", "each lineage has a half-activation of its own", _same, _lineage),
        Mechanism("no feedback", "SOCS does not act", _same, _nothing, fixed={"SOCS_strength": 0.0}),
        Mechanism(
            "no endosomal signalling", "complexes in endosomes do not signal", _same, _nothing,
            fixed={"endosomal_signalling_weight": 0.0},
        ),
        Mechanism(
            "full endosomal signalling", "complexes in endosomes signal as on the surface", _same, _nothing,
            fixed={"endosomal_signalling_weight": 1.0},
        ),
        Mechanism(
            "common sorting", "all chains are taken up and sorted alike", _same, _nothing,
            shared={f"{kind}_{chain}": f"{kind}_IL2RB" for kind in ("internalisation", "sorting") for chain in OTHERS},
        ),
        Mechanism("IL2RA induction", "nuclear STAT5 makes IL2RA", _induced, _nothing),
        Mechanism("IL2RA shedding", "free IL2RA is lost from the surface", _shed, _nothing),
        Mechanism(
            "slow fusions", "fusions bind more slowly at the same affinity", _same,
            _fused("Fc_fusion_association", "ligand_association_rate"),
        ),
        Mechanism("batch of cells", "counts in the fusion experiments differ by chain", _same, _batch),
    )
}  # fmt: skip


def mechanism(name: str) -> Mechanism:
    """A candidate by name; an unknown one is an error that suggests the nearest."""
    if name not in MECHANISMS:
        raise Il2Error(f"unknown mechanism {name!r}", how=did_you_mean(name, MECHANISMS))
    return MECHANISMS[name]
