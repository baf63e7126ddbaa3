"""Values that stand in for those of the default set: another parameter set, or numbers of a user's own fit.

Names are parameters of the networks, counts `CELL CHAIN` (molecules per cell), affinity factors `LIGAND CHAIN factor`,
calibrated errors `LIGAND INTERFACE` and effects of a format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from il2.errors import Il2Error
from il2.knowledge.calibrated import calibrated
from il2.knowledge.cell import CHAINS, Count, is_cell, quantified
from il2.knowledge.parameters import fingerprint
from il2.knowledge.quantity import quantity
from il2.knowledge.table import keyed, rows
from il2.receptor.addition import Mixture
from il2.receptor.affinity import fusion_factors, molecule, told_of
from il2.receptor.head import factor
from il2.signalling.response import response_of


def earlier() -> dict[str, float]:
    """What the tables held before the calibration, for every number that it changed."""
    known = {f"KD_{row['ligand']}_{row['product'].replace('+', '_')}": float(row["kd"]) for row in rows("affinities")}
    known |= {name: float(row["value"]) for name, row in keyed("quantities", "name").items()}
    out = {}
    for name in calibrated():
        kind, _, chain = name.rpartition(" ")
        out[name] = known[name] if name in known else _count_before(kind, chain) if is_cell(kind) else 1.0
    return out


def _count_before(kind: str, chain: str) -> float:
    """The count of the tables; none where they had none."""
    try:
        return quantified(kind, chain).value
    except Il2Error:
        return 0.0


def key(values: Mapping[str, float]) -> str:
    """The hash of the default set, or twelve letters that change with any value that stands in."""
    if not values:
        return fingerprint()
    text = repr((fingerprint(), sorted((name, float(value)) for name, value in values.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def counts_of(name: str, values: Mapping[str, float]) -> dict[str, Count]:
    """Counts (molecules per cell) that the set has of a cell."""
    found = {chain: values[key] for chain in CHAINS if (key := f"{name} {chain}") in values}
    return {chain: Count(value, value, value, "low", ("user",)) for chain, value in found.items()}


def counts_with(name: str, counts: Mapping[str, Count], values: Mapping[str, float]) -> dict[str, Count]:
    """Counts of a known cell with those of the set put in."""
    own = counts_of(name, values)
    sources = {chain: count.sources for chain, count in counts.items()}
    return {**counts, **{c: replace(n, sources=sources.get(c, n.sources)) for c, n in own.items()}}


def parameters_with(mix: Mixture, values: Mapping[str, float]) -> dict[str, float]:
    """Parameters of the network of a mixture that the set gives, and affinity factors of its ligands."""
    if not values:
        return {}
    names = set(response_of(mix.system).parameter_names)
    out = {name: value for name, value in values.items() if name in names}
    for item, slot in mix.ligands:
        of = molecule(item, slot)
        kinds = (item.kds, *(kind.kds for kind in item.others))
        for label, site, kds in zip(of.labels, of.sites, kinds, strict=True):
            changes = {
                chain: values[name] / quantity(name).value
                for chain, name in fusion_factors(replace(item, kds=kds, others=())).items()
                if name in values and chain in site.chains
            }
            for chain, change in changes.items():
                place = factor(label, chain)
                out[place] = mix.values[place] * change
        first = of.labels[0]
        for interface, error in item.errors:
            place, name = factor(first, told_of(interface)), f"{item.name} {interface}"
            if name in values:
                out[place] = out.get(place, mix.values[place]) * values[name] / error
        given = {factor(first, c): values[name] for c in CHAINS if (name := f"{item.name} {c} factor") in values}
        out |= {place: value for place, value in given.items() if place in names}
    return out
