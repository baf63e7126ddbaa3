"""E02: two spans of IL2 on two assemblies, one band, and the order of its neighbours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from il2.cell.spread import Range
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import setting
from il2.experiments.sample import Sample
from il2.gene.locus import (
    STATED,
    Place,
    band_of,
    coding_loci,
    covers,
    kendall_tau,
    lift,
    neighbours,
    place,
    shifts,
)
from il2.knowledge.table import rows

OLD, NEW = "GRCh37", "GRCh38"
GENE, BAND, FLANKS = "IL2", "4q27", ("ADAD1", "IL21")
TOLD, BY_POSITION = "assemblies told apart", "loci ordered by position"
bp_per_Mb = 1e6


def run(sample: Sample) -> Outcome:
    told, by_position = sample[TOLD] > 0, sample[BY_POSITION] > 0
    stated = {assembly: place(GENE, assembly, STATED) for assembly in (OLD, NEW)}
    genes = coding_loci()
    every = [shift for both in shifts(OLD, NEW).values() for shift in both]
    starts = [one.start or 0 for one in genes]
    chromosome = stated[NEW].chromosome
    bands = [band_of(NEW, chromosome, start) for start in starts]
    printed = [one.stated_band for one in genes]
    values: dict[str, np.ndarray | float] = {
        "shift_bp": every[0],
        "shift_spread_bp": max(every) - min(every),
        "end_residual_bp": _either(told, lambda a: abs(_on(a, stated[OLD].end) - stated[NEW].end)),
        "start_residual_bp": _either(told, lambda a: abs(_on(a, stated[OLD].start) - stated[NEW].start)),
        "gene_residual_bp": _either(told, lambda a: _residual(a, place(GENE, OLD), stated[NEW])),
        "in_4q27_GRCh37": _either(told, lambda a: _inside(OLD if a else NEW, stated[OLD])),
        "in_4q27_GRCh38": _inside(NEW, stated[NEW]),
        "length_GRCh37_bp": stated[OLD].length,
        "length_GRCh38_bp": stated[NEW].length,
        "length_as_stated_bp": stated[NEW].length,
        "coding_loci": len(genes),
        "kendall_tau": np.where(by_position, kendall_tau(starts), _tau_of_bands(printed)),
        "flanked": float(neighbours(GENE) == FLANKS),
        "canonical_transcript_bp": place(GENE, NEW).length,
        "printed_bands_wrong": sum(not covers(p, b) for p, b in zip(printed, bands, strict=True)),
    }
    return Outcome(
        {name: np.asarray(value, float) for name, value in values.items()},
        {"start on GRCh38": _curve([one.slot for one in genes], starts, sample.size)},
    )


def _either(told: np.ndarray, measure: Callable[[bool], float]) -> np.ndarray:
    """A measurement where the assemblies are told apart, and where hg19 is read as if it were GRCh38."""
    return np.where(told, measure(True), measure(False)).astype(float)


def _on(told: bool, position: int) -> int:
    return lift(position, OLD, NEW) if told else position


def _residual(told: bool, gene: Place, other: Place) -> int:
    return abs(_on(told, gene.start) - other.start) + abs(_on(told, gene.end) - other.end)


def _inside(assembly: str, span: Place) -> float:
    return float(all(band_of(assembly, span.chromosome, at) == BAND for at in (span.start, span.end)))


def _tau_of_bands(printed: list[str]) -> float:
    """The order that the printed bands give, read as numbers."""
    order = sorted(set(printed))
    return kendall_tau([order.index(band) for band in printed])


def _curve(slots: list[int], starts: list[int], size: int) -> tuple[np.ndarray, np.ndarray]:
    found = np.array(starts) / bp_per_Mb
    return np.array(slots, float), np.broadcast_to(found, (size, len(found)))


def ranges() -> tuple[Range, ...]:
    return setting(TOLD, 1.0), setting(BY_POSITION, 1.0)


def grades() -> tuple[str, ...]:
    coding = {one.slot for one in coding_loci()}
    found = [row["grade"] for name in ("bands", "coordinates") for row in rows(name)]
    return *found, *(row["grade"] for row in rows("loci") if int(row["slot"]) in coding)


EXPERIMENT = Experiment(
    id="E02",
    title="Locus consistency",
    question="Are the two stated spans of IL2 one place, and are its neighbours in the stated order?",
    claims={
        "S001-019": ("in_4q27_GRCh37", "in_4q27_GRCh38"),
        "S001-020": (
            "shift_bp", "shift_spread_bp", "end_residual_bp", "start_residual_bp", "length_GRCh37_bp",
            "in_4q27_GRCh37",
        ),
        "S001-028": ("length_as_stated_bp",),
        "S001-074": ("coding_loci", "kendall_tau", "flanked"),
        "S002-036": (
            "shift_bp", "shift_spread_bp", "gene_residual_bp", "end_residual_bp", "length_GRCh38_bp",
            "in_4q27_GRCh38",
        ),
    },
    setup="Look-ups in tables, without a parameter to draw: every draw gives the same number, and a share of 100 % "
    "says nothing about uncertainty. The shift from GRCh37 (hg19) to GRCh38 is read from ADAD1 and ANKRD50, the genes "
    "on both sides of IL2 whose two ends shift alike, and never from IL2. Positions count from 1, both ends included.",
    observable="Distance of the lifted span from the other; the band of both ends on either assembly; lengths; "
    "Kendall's tau of the starts on GRCh38 in the printed order of the coding genes; the genes next to IL2.",
    criterion="Shift -921,155 bp at all four ends, residual 0 at the end of the gene and 4 bp at its start; 4q27 on "
    "both assemblies; 5,022 and 5,026 bp, the latter being the stated 5.03 kb; tau = 1 for 22 coding genes, IL2 "
    "between ADAD1 and IL21. The other 12 of the 34 entries, pseudogenes and withdrawn loci, have no known position.",
    run=run,
    ranges=ranges,
    grades=grades,
    ablation=Ablation(
        "positions on hg19 are read as if they were on GRCh38, and the loci are ordered by their printed bands",
        lambda sample: sample.changed({TOLD: 0.0, BY_POSITION: 0.0}),
        breaks=(
            "end_residual_bp", "start_residual_bp", "gene_residual_bp", "in_4q27_GRCh37", "kendall_tau",
        ),
    ),
    reported={"canonical_transcript_bp": "bp", "printed_bands_wrong": "dimensionless"},
    axes=("place in the printed map", "start on GRCh38 (Mb)"),
)  # fmt: skip
