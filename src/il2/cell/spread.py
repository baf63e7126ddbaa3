"""Uncertainty of counts and parameters, drawn from their ranges: the same draws serve every cell and dose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from il2.errors import Il2Error
from il2.knowledge.calibrated import drawn
from il2.knowledge.cell import Count, cell
from il2.knowledge.parameters import generator, rows_drawn, split_lognormal
from il2.knowledge.quantity import quantities, quantity
from il2.knowledge.table import number, rows
from il2.receptor.affinity import all_factors, fusion_factors, reference, told_of, values
from il2.receptor.head import affinity_effect, head
from il2.receptor.ligand import Heads, Ligand
from il2.receptor.medium import release_rate
from il2.receptor.model import System, system
from il2.signalling.response import response_of


@dataclass(frozen=True)
class Range:
    """A parameter with its default, its range and its grade; `stream` names its random stream."""

    name: str
    value: float
    low: float
    high: float
    grade: str
    stream: str

    @property
    def probed(self) -> bool:
        return self.grade == "assumed" and 0 < self.low < self.high

    def drawn(self, draws: int, seed: int) -> np.ndarray:
        """Draws (draws,): of the calibrated set, jointly with all other numbers of it, or else from the range, keyed by
        (seed, stream)."""
        joint = drawn(self.name, self.value, rows_drawn(seed, draws))
        if joint is not None:
            return joint
        z = generator(seed, self.stream).standard_normal(draws)
        return split_lognormal(self.value, self.low, self.high, z)


def quantity_ranges(*names: str) -> tuple[Range, ...]:
    """Ranges of quantities by name; a missing bound is the value itself."""
    found = (quantity(name) for name in names)
    return tuple(_range(q.name, q.value, q.low, q.high, q.grade, q.name) for q in found)


def network_ranges(of: str | System) -> tuple[Range, ...]:
    """Ranges of the response network of a cytokine or system: quantities, dissociation constants, partners."""
    of = system(of) if isinstance(of, str) else of
    names = quantities()
    sites = {site.name: site for m in of.molecules for site in m.sites}
    affinities = tuple(
        _range(
            step.name, step.kd, number(row["low"]), number(row["high"]), row["grade"],
            f"{row['ligand']} {row['product']}",
        )
        for row in rows("affinities")
        if row["ligand"] in sites
        and (step := sites[row["ligand"]].steps.get(frozenset(row["product"].split("+")))) is not None
    )  # fmt: skip
    partners = tuple(
        _range(
            f"KD_{row['name']}", float(row["kd_nM"]), number(row["low"]), number(row["high"]), row["grade"], row["name"]
        )
        for row in rows("partners")
        if row["name"] in of.partners
    )
    own = (n for n in response_of(of).parameter_names if n in names)
    return (*quantity_ranges(*own), *affinities, *partners, *_effects(of))


def _effects(of: System) -> tuple[Range, ...]:
    """Ranges of what partners in solution change of the affinity to a chain."""
    out = []
    for row in rows("partners"):
        for chain in of.chains if row["name"] in of.partners else ():
            if (value := affinity_effect(row, chain)) is not None:
                name = f"{row['name']}_factor_{chain}"
                low, high = number(row["factor_low"]), number(row["factor_high"])
                out.append(_range(name, value, low, high, row["grade"], name))
    return tuple(out)


def count_name(kind: str, chain: str) -> str:
    """Name under which a sample holds the count of a chain on a cell type."""
    return f"{kind} {chain}"


def count_ranges(kind: str, base: str) -> tuple[Range, ...]:
    """Ranges of the counts (molecules per cell) of the chains that a cytokine binds."""
    counts, out = cell(kind).counts, []
    for chain in head(base).chains:
        name = count_name(kind, chain)
        if chain not in counts:
            raise Il2Error(f"no count of {chain} on {kind} is known", how="Add a row to receptor_counts.csv.")
        count = counts[chain]
        out.append(_range(name, count.value, count.low, count.high, count.grade, name))
    return tuple(out)


def _range(name: str, value: float, low: float | None, high: float | None, grade: str, stream: str) -> Range:
    low, high = value if low is None else low, value if high is None else high
    return Range(name, value, min(low, value), max(high, value), grade, stream)


def parameter_draws(of: str | System, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Values (draws,) of every parameter of a response network that has a range: quantities and affinities."""
    return {r.name: r.drawn(draws, seed) for r in network_ranges(of)}


def count_draws(kind: str, counts: dict[str, Count], draws: int, seed: int) -> dict[str, np.ndarray]:
    """Counts (draws,) per chain from the range over quantifications."""
    names = {chain: count_name(kind, chain) for chain in counts}
    return {
        chain: _range(names[chain], c.value, c.low, c.high, c.grade, names[chain]).drawn(draws, seed)
        if c.low < c.high  # given counts have no range, even where they equal those of a known cell
        else np.full(draws, c.value)
        for chain, c in counts.items()
    }


def factor_draws(item: Ligand, draws: int, seed: int) -> list[dict[str, np.ndarray]]:
    """Affinity factors (draws,) per chain of every kind of head: uncertain by the wild-type references and the
    effect of a fusion."""
    kinds = (Heads(item.valency, item.kds), *item.others)
    out = [_drawn(item, kind.kds, of, draws, seed) for kind, of in zip(kinds, all_factors(item), strict=True)]
    for interface, error in item.errors:
        joint = drawn(count_name(item.name, interface), error, rows_drawn(seed, draws))
        if joint is not None:
            out[0][told_of(interface)] *= joint / error
    for factors, kind in zip(out, kinds, strict=True):
        if kind.kds and not (item.errors and kind is kinds[0]):
            for chain, drawn_error in _assay_errors(item, dict(kind.kds), draws, seed).items():
                factors[chain] *= drawn_error
    return out


def _assay_errors(item: Ligand, kds: dict[str, float], draws: int, seed: int) -> dict[str, np.ndarray]:
    """What the assay may err, by the chain of the factor; the heterodimer KD holds the product of both chains."""
    found = {interface: _assay_error(item, interface, draws, seed) for interface in kds}
    if "IL2RB" in found and "IL2RBG" in found:
        found["IL2RG"] = found.pop("IL2RBG") / found["IL2RB"]
    return {told_of(interface): error for interface, error in found.items()}


def _assay_error(item: Ligand, interface: str, draws: int, seed: int) -> np.ndarray:
    """What the assay may err on a ligand that the calibration did not see, as it was found to on those that it saw."""
    name = f"error of {item.assay} {interface}"
    spread = next((float(row["spread"]) for row in rows("priors") if row["name"] == name), 0.0)
    z = generator(seed, f"{item.name} {name}").standard_normal(draws)
    factors: np.ndarray = 10.0 ** (spread * z)
    return factors


def _drawn(item: Ligand, kds, of: dict[str, float], draws: int, seed: int) -> dict[str, np.ndarray]:
    factors = {chain: np.full(draws, value) for chain, value in of.items()}
    for interface, _ in kds:
        wild = reference(item.assay, item.is_fc, item.base, interface)
        if _told_by_fusions(item, interface):
            continue
        name = f"reference {item.assay} {interface}"
        drawn = _range(name, wild.kd, wild.low, wild.high, "", name).drawn(draws, seed)
        chain = "IL2RB" if interface == "IL2RBG" and "IL2RB" not in dict(kds) else interface
        factors["IL2RG" if chain == "IL2RBG" else chain] *= wild.kd / drawn
        if interface == "IL2RB" and "IL2RBG" in dict(kds):
            factors["IL2RG"] *= drawn / wild.kd  # the heterodimer KD holds the product of both
    for chain, quantity_name in fusion_factors(replace(item, kds=tuple(kds))).items():
        if chain in factors:
            (fusion,) = quantity_ranges(quantity_name)
            factors[chain] *= fusion.drawn(draws, seed) / fusion.value
    return factors


def _told_by_fusions(item: Ligand, interface: str) -> bool:
    """Whether draws of the effect of a fusion hold what the reference of this assay errs: they were fitted together."""
    fusion = fusion_factors(item).get(told_of(interface))
    fitted = any(row["name"] == f"error of {item.assay} {interface}" for row in rows("priors"))
    return bool(fusion and fitted and drawn(fusion, quantity(fusion).value, np.zeros(1, int)) is not None)


def ligand_draws(given: Iterable[tuple[Ligand, str]], draws: int, seed: int) -> dict[str, np.ndarray]:
    """Parameters (draws,) of ligands in a network where they have these names: affinity factors, rate of release."""
    out: dict[str, np.ndarray] = {}
    for item, slot in given:
        out |= values(item, slot, factor_draws(item, draws, seed))
        if item.inert_forms and not item.release_half_life_min:
            (half,) = quantity_ranges("PEG_release_half_life")
            out[release_rate(slot)] = np.log(2) / half.drawn(draws, seed)
    return out
