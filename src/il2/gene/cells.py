"""Cells of one gene network under held signals: as means, as single cells that jump, and as populations.

The network is that of a cohort without receptors: antigen, CD28 help, pSTAT5 and PRDM1 are inlets. A population is one
lane a cell, each with its own threshold of NFAT, so that the share of cells above it is the Hill function of the mean
network. Alleles of single cells open and close one by one (`il2.engine.hybrid`); what they make follows its equations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.event import Event
from il2.engine.hybrid import simulate_hybrid
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.engine.ssa import simulate
from il2.errors import Il2Error, did_you_mean
from il2.gene.promoter import BOOSTS, NEEDS
from il2.gene.signal import COMPETENT, signal, stability
from il2.gene.transcription import alleles, methylation, mrna, off, on, secretion, transcription
from il2.knowledge.quantity import quantity
from il2.knowledge.table import rows
from il2.network.expression import num, substitute, sym
from il2.network.network import Network, Parameter, check, compose
from il2.network.part import follows, lasting, with_quantities
from il2.network.program import lower

ENGAGED, HELP, CONTACT, PSTAT5, BLIMP1 = "TCR_engaged", "CD28_ligands", "contact_time", "pSTAT5_held", "PRDM1_held"
INLETS = {
    ENGAGED: "molecule/cell", HELP: "dimensionless", CONTACT: "h", PSTAT5: "dimensionless", BLIMP1: "dimensionless",
}  # fmt: skip
THRESHOLD = "NFAT_threshold"
FUSION, PARTNER = "IL2_TNFRSF17", "TNFRSF17"
HOUR = 60.0
MEANS = Tolerances(rtol=1e-6, atol=1e-8, first_step=1e-4)
JUMPS = Tolerances(rtol=1e-4, atol=1e-6, first_step=1e-4)

Values = Mapping[str, float | np.ndarray]
"""Numbers by parameter name, one for all lanes or one a lane (lanes,)."""


@dataclass(frozen=True)
class Lanes:
    """Readouts by name of a species, (lanes, times); `reasons`: why a lane failed, empty for a good one."""

    values: Mapping[str, np.ndarray]
    reasons: tuple[str, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.values:
            raise Il2Error(f"no readout {name!r}", where="gene network", how=did_you_mean(name, self.values))
        return self.values[name]


@cache
def gene_network(genes: tuple[str, ...] = ("IL2",), single: bool = False, fusion: bool = False) -> Network:
    """Signals, promoters and mRNA of `genes`, and of IL2 the protein.

    single: one cell, whose NFAT is in the nucleus or not; else the mean of cells whose thresholds differ. fusion: an
    allele that joins IL2 to TNFRSF17, none by default. A gene without promoter is an Il2Error.
    """
    help_ = sym(HELP)
    found = signal(sym(ENGAGED), help_, sym(PSTAT5), sym(BLIMP1), single)
    parts = [transcription(gene, found.factors, stability(gene, help_, sym(PSTAT5))) for gene in dict.fromkeys(genes)]
    if "IL2" in genes:
        parts.append(secretion())
    if fusion:
        parts += fused(transcription("IL2", found.factors, num(1.0)))
    inlets = Network("inlets", parameters=tuple(Parameter(name, 0.0, unit) for name, unit in INLETS.items()))
    return compose("gene", inlets, found.network, *parts)


def fused(gene: Network) -> tuple[Network, Network]:
    """The allele of t(4;16): it reads the promoter of `gene`, IL2, by the rows of IL2, and makes TNFRSF17.

    Its mRNA lacks the end of IL2 that CD28 protects, so give `gene` without protection. TNFRSF17 is relative: 1 where
    the mRNA is that of IL2 in a driven cell without CD28.
    """
    own = {name("IL2"): name(FUSION) for name in (off, on, mrna, methylation, alleles)}
    own["IL2_methylation_at_start"] = f"{FUSION}_methylation_at_start"
    table = {old: sym(new) for old, new in own.items()}
    network = replace(
        gene,
        name=FUSION,
        species=tuple(
            replace(s, name=own.get(s.name, s.name), initial=substitute(s.initial, table)) for s in gene.species
        ),
        parameters=tuple(
            replace(p, name=own.get(p.name, p.name), value=0.0 if p.name == alleles("IL2") else p.value)
            for p in gene.parameters
        ),
        reactions=tuple(
            replace(
                r, name=f"{FUSION}: {r.name}", change={own.get(k, k): n for k, n in r.change.items()},
                forward=substitute(r.forward, table), reverse=substitute(r.reverse, table),
            )
            for r in gene.reactions
        ),
    )  # fmt: skip
    opened = sym("IL2_promoter_on_rate") / (sym("IL2_promoter_on_rate") + sym("IL2_promoter_off_rate"))
    level = sym(mrna(FUSION)) * sym("IL2_mRNA_decay") / (2 * opened * sym("IL2_transcription_rate"))
    return network, with_quantities(follows(PARTNER, level, sym("ln_2") * lasting("TNFRSF17_half_life")))


@cache
def held_network(gene: str = "IL2") -> Network:
    """Alleles and mRNA of a gene under a promoter that is held: all species are counts, so that each may jump.

    Parameters are the factors of its rows by name, by default 1 where the gene needs them or they boost it and 0 where
    they do something else, and its methylation, by default 0.
    """
    own = [row for row in rows("promoters") if row["gene"] == gene]
    factors = {row["factor"]: float(row["effect"] in (NEEDS, BOOSTS)) for row in own}
    part = transcription(gene, {name: sym(name) for name in factors}, num(1.0))
    fixed = Parameter(methylation(gene), 0.0, "dimensionless")
    return check(
        replace(
            part,
            name=f"{gene} held",
            species=tuple(s for s in part.species if s.name != fixed.name),
            parameters=(*part.parameters, fixed, *(Parameter(n, v, "dimensionless") for n, v in factors.items())),
            reactions=tuple(r for r in part.reactions if fixed.name not in r.change),
        )
    )


def counted(gene: str, values: Values, times_h: np.ndarray, *, cells: int, seed: int = 0) -> Lanes:
    """`cells` single cells of every row of values, (rows * cells, times), by exact simulation of `held_network`."""
    network = held_network(gene)
    lanes = np.repeat(parameter_rows(network, values), _checked(cells), axis=0)
    found = simulate(network, lanes, np.asarray(times_h) * HOUR, seed=seed, lanes=len(lanes))
    return Lanes({n: found.of(n) for n in found.species}, tuple(found.reason(k) for k in range(len(lanes))))


def followed(network: Network, values: Values, times_h: np.ndarray, events: Sequence[Event] = ()) -> Lanes:
    """Every lane as a mean, by the rate equations; times of `events` are in minutes."""
    lanes = parameter_rows(network, values)
    found = run(network, lanes, np.asarray(times_h) * HOUR, events, tolerances=MEANS, program=lower(network))
    courses = {name: found.y[..., i] for i, name in enumerate(network.species_names)}
    return Lanes(courses, tuple(found.reason(k) for k in range(len(lanes))))


def jumped(network: Network, values: Values, times_h: np.ndarray, *, cells: int, seed: int = 0) -> Lanes:
    """`cells` single cells of every row of values, (rows * cells, times): alleles jump, each cell by its own stream."""
    lanes = np.repeat(parameter_rows(network, values), _checked(cells), axis=0)
    jumping = [s for s in network.species_names if s.endswith(_ENDINGS)]
    times = np.asarray(times_h) * HOUR
    found = simulate_hybrid(network, jumping, lanes, times, seed=seed, lanes=len(lanes), tolerances=JUMPS)
    return Lanes({n: found.of(n) for n in found.species}, tuple(found.reason(k) for k in range(len(lanes))))


def thresholds(cells: int) -> np.ndarray:
    """Thresholds (cells,) over the middle one, at the middles of equal shares of the cells.

    They are log-logistic with the steepness `NFAT_steepness`, so that the share of cells whose threshold lies below a
    signal is the Hill function of it.
    """
    share = (np.arange(_checked(cells)) + 0.5) / cells  # the middle of each share
    found: np.ndarray = (share / (1 - share)) ** (1 / quantity("NFAT_steepness").value)
    return found


def population(network: Network, values: Values, cells: int) -> dict[str, np.ndarray]:
    """Values of a population, (rows * cells,) each: every row of `values` for `cells` cells with their
    thresholds, of which some make no IL-2."""
    size = max((np.size(v) for v in values.values()), default=1)
    middle = {THRESHOLD: network.defaults()[THRESHOLD], **values}
    wide = {name: np.repeat(np.broadcast_to(np.asarray(v, float), (size,)), cells) for name, v in middle.items()}
    order = np.arange(cells + 1) * quantity("IL2_producer_share_highest").value + 0.5
    competent = np.diff(np.floor(order))  # spread evenly over the thresholds
    return wide | {
        THRESHOLD: wide[THRESHOLD] * np.tile(thresholds(cells), size), COMPETENT: np.tile(competent, size)
    }  # fmt: skip


def answers(amounts: np.ndarray, level: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Share of cells (..., cells) above `level`, and their mean amount; NaN where no cell is above it."""
    above = amounts > np.asarray(level)[..., None]
    share: np.ndarray = above.mean(axis=-1)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.where(above, amounts, 0.0).sum(axis=-1) / above.sum(axis=-1)
    failed = np.isnan(amounts).any(axis=-1)
    return np.where(failed, np.nan, share), np.where(failed, np.nan, mean)


_ENDINGS = (off(""), on(""))


def _checked(cells: int) -> int:
    if cells < 1:
        raise Il2Error(f"the number of cells is {cells}", where="gene network", how="Give a whole number from 1 up.")
    return cells
