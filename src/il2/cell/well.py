"""A well as plain data: which cells, how many, in what volume, with what antigen and help, and what is added when."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import cell
from il2.knowledge.species import species_values
from il2.knowledge.table import rows
from il2.receptor.head import head
from il2.receptor.trafficking import count

SEPARATOR = ":"  # between the name of a cohort and what it has
CYTOKINES = ("IL2", "IL4", "IL7", "IL9", "IL15", "IL21")
MEDIUM_DRUGS = ("anti_IL2",)
RECEPTOR_ANTIBODIES = ("daclizumab", "basiliximab", "anti_IL2RB", "anti_IL2RG")
CELL_DRUGS = ("JAK_inhibitor", "ciclosporin", "calcitriol", "PI3K_inhibitor", "MEK_inhibitor", "rapamycin", "IFNA1")
EVERYTHING = (*CYTOKINES, *MEDIUM_DRUGS, *RECEPTOR_ANTIBODIES, *CELL_DRUGS)
KNOCKOUTS = {
    "IL2": {"IL2_alleles": 0.0},
    "IL2RA": {count("IL2RA"): 0.0, "IL2RA_induced": 0.0},
    "IL2RB": {count("IL2RB"): 0.0, "IL2RB_made_activated": 0.0},
    "IL2RG": {count("IL2RG"): 0.0, "IL2RG_made_activated": 0.0},
    **{c: {count(c): 0.0} for c in ("IL4R", "IL7R", "IL9R", "IL21R", "IL15RA")},
    **{g: {g: 0.0} for g in ("JAK1", "JAK3", "DUSP4", "FAS", "FOXP3", "CD28RE", "PTEN")},
    **{
        g: {g: 0.0}
        for g in ("NFATC2", "ETS1", "JUNB", "REL", "NFKB1", "IRF4", "MAP3K1", "FOXK2", "CREM", "IKZF1", "VDR")
    },
    **{g: {f"{g}_gene": 0.0} for g in ("PRDM1", "FASLG", "CFLAR", "BCL2", "MYC", "CTLA4", "CD86", "CCND2", "GZMB")},
}
"""What a knock-out sets, by gene."""


@dataclass(frozen=True)
class Cells:
    """A kind of cell in a well. name: of the cohort, by default the kind. specific: whether its T cell receptors, where
    it has any, know the antigen. without: genes knocked out. changes: numbers of the cohort by parameter name, or the
    names of the variants that hold them."""

    kind: str
    number: float
    name: str = ""
    specific: bool = True
    without: tuple[str, ...] = ()
    changes: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return self.name or cell(self.kind).name


@dataclass(frozen=True)
class Addition:
    """Something given to the well: a cytokine or a neutralising antibody is added to what is there, any other drug is
    at this dose from then on. dose_nM counts molecules."""

    what: str
    dose_nM: float
    time_h: float = 0.0


@dataclass(frozen=True)
class Change:
    """A share of the medium replaced by fresh medium with the cytokines given (nM)."""

    time_h: float
    fraction: float = 1.0
    fresh_nM: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Antigen:
    """Antigen at a time: peptide-MHC or plate-bound ligands in the well (molecules); 0 takes it away."""

    molecules: float
    time_h: float = 0.0


@dataclass(frozen=True)
class Well:
    """presenting_cells: cells (or beads) per well that carry antigen and CD28 ligands. costimulation: CD28 engaged, 0
    to 1. changes: numbers of the well by parameter name; those of a cohort stand in its Cells."""

    cells: tuple[Cells, ...]
    volume_uL: float = 200.0
    antigen: tuple[Antigen, ...] = ()
    presenting_cells: float = 1e5
    costimulation: float = 0.0
    additions: tuple[Addition, ...] = ()
    medium_changes: tuple[Change, ...] = ()
    changes: Mapping[str, float] = field(default_factory=dict)
    species: str = "human"

    def __post_init__(self) -> None:
        if not self.cells:
            raise Il2Error("the well holds no cells", where="Well", how="Give one or more Cells.")
        labels = [c.label for c in self.cells]
        for label in labels:
            if labels.count(label) > 1:
                raise Il2Error(f"two cohorts are named {label!r}", where="Well", how="Give each a name of its own.")
        _positive("volume_uL", self.volume_uL)
        _positive("presenting_cells", self.presenting_cells)
        species_values(self.species)  # an unknown species is an error
        for c in self.cells:
            cell(c.kind)  # and so is an unknown cell
            if not c.label.strip() or SEPARATOR in c.label:
                how = f"Name it without {SEPARATOR!r}."
                raise Il2Error(f"{c.label!r} is no name of a cohort", where="Well", how=how)
            _least(f"number of {c.label}", c.number)
            _finite(c.label, c.changes)
        _finite("Well", self.changes)
        for a in self.antigen:
            _least("antigen", a.molecules)
            _least("time_h of antigen", a.time_h)
        for x in self.additions:
            if x.what not in EVERYTHING:
                raise Il2Error(f"unknown addition {x.what!r}", where="Well", how=did_you_mean(x.what, EVERYTHING))
            _least(f"dose_nM of {x.what}", x.dose_nM)
            _least(f"time_h of {x.what}", x.time_h)
        for m in self.medium_changes:
            _least("time_h of a medium change", m.time_h)
            if not 0 < m.fraction <= 1:
                raise Il2Error(
                    f"fraction is {m.fraction}", where="medium change", how="Give a share above 0, at most 1."
                )
            for name, dose in m.fresh_nM.items():
                if name not in CYTOKINES:
                    how = did_you_mean(name, CYTOKINES)
                    raise Il2Error(f"no cytokine {name!r} for fresh medium", where="medium change", how=how)
                _least(f"fresh_nM of {name}", dose)
        if not 0 <= self.costimulation <= 1:
            raise Il2Error(f"costimulation is {self.costimulation}", where="Well", how="Give a share from 0 to 1.")
        for c in self.cells:
            for gene in c.without:
                if gene not in KNOCKOUTS:
                    raise Il2Error(f"no knock-out of {gene!r}", where=c.label, how=did_you_mean(gene, KNOCKOUTS))

    @property
    def molecules(self) -> tuple[str, ...]:
        """Cytokines and receptor antibodies of the well, IL-2 first; every T cell may make IL-2."""
        fresh = {name for m in self.medium_changes for name in m.fresh_nM}
        named = {a.what for a in self.additions} | fresh
        return ("IL2", *(n for n in (*CYTOKINES, *RECEPTOR_ANTIBODIES) if n in named and n != "IL2"))


def traits(kind: str) -> dict[str, dict[str, str]]:
    """Rows of cell_traits.csv of a kind by trait, those of its parent where it has none."""
    own = cell(kind)
    found = traits(own.parent) if own.parent else {}
    return found | {row["trait"]: row for row in rows("cell_traits") if row["cell"] == own.name}


def chains(molecules: tuple[str, ...]) -> tuple[str, ...]:
    """Receptor chains that cytokines and antibodies bind."""
    return tuple(dict.fromkeys(c for name in molecules for c in head(name).chains))


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise Il2Error(f"{name} is {value}", where="Well", how="Give a finite number above zero.")


def _finite(where: str, changes: Mapping[str, float | str]) -> None:
    for name, value in changes.items():
        if not isinstance(value, str) and not math.isfinite(value):
            raise Il2Error(f"{name} is {value}", where=where, how="Give a finite number.")


def _least(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise Il2Error(f"{name} is {value}", where="Well", how="Give a finite number from zero up.")
