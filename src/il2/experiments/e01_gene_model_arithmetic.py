"""E01: what the sequence and the exons of IL2 add up to."""

from __future__ import annotations

import numpy as np

from il2.cell.spread import Range
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.lanes import setting
from il2.experiments.sample import Sample
from il2.gene.locus import CODING_PART, EXON, STATED, parts, place
from il2.gene.sequence import BRIDGE, cds_nt, chain, features, mass_Da, mature, residues_of
from il2.knowledge.table import rows

SEQUENCE, TRANSCRIPT, DRUG = "IL2_precursor", "IL2-201", "aldesleukin"
CUT, SECOND = "signal peptide cut off", "second exon kept"
Da_per_kDa = 1000.0


def run(sample: Sample) -> Outcome:
    whole, bridges = chain(SEQUENCE), len(features(SEQUENCE, BRIDGE))
    kept = np.where(sample[CUT] > 0, len(mature(SEQUENCE)), len(whole))
    masses = {True: mass_Da(mature(SEQUENCE), bridges), False: mass_Da(whole, bridges)}
    coding, exons = parts(TRANSCRIPT, CODING_PART), parts(TRANSCRIPT, EXON)
    second = np.where(sample[SECOND] > 0, 1, 0)
    coding_nt = sum(p.length for p in coding) - (1 - second) * coding[1].length
    stated = place("IL2", "GRCh38", STATED)
    values: dict[str, np.ndarray | float] = {
        "mass_mature_kDa": np.where(sample[CUT] > 0, masses[True], masses[False]) / Da_per_kDa,
        "mass_precursor_kDa": mass_Da(whole) / Da_per_kDa,
        "mass_aldesleukin_kDa": mass_Da(mature(SEQUENCE, DRUG), bridges) / Da_per_kDa,
        "exons": len(exons) - 1 + second,
        "coding_parts_nt": coding_nt,
        "cds_nt": cds_nt(len(whole)),
        "residues_of_coding_parts": np.array([residues_of(int(n)) for n in coding_nt]),
        "residues_precursor": len(whole),
        "residues_mature": kept,
        "exons_nt": sum(p.length for p in exons),
        "exons_in_stated_span_nt": sum(min(p.end, stated.end) - max(p.start, stated.start) + 1 for p in exons),
    }
    return Outcome(
        {name: np.asarray(value, float) for name, value in values.items()},
        {"chain without disulphide": _growth(whole, sample.size)},
    )


def _growth(letters: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Mass of the first residues of a chain, as a curve that is the same in every lane."""
    lengths = np.arange(1, len(letters) + 1)
    masses = np.array([mass_Da(letters[:n]) for n in lengths]) / Da_per_kDa
    return lengths.astype(float), np.broadcast_to(masses, (size, len(masses)))


def ranges() -> tuple[Range, ...]:
    return setting(CUT, 1.0), setting(SECOND, 1.0)


def grades() -> tuple[str, ...]:
    tables = ("residues", "sequences", "sequence_features")
    used = [row["grade"] for name in tables for row in rows(name)]
    return *used, *(row["grade"] for row in rows("coordinates") if row["entity"] in ("IL2", TRANSCRIPT))


GAP = "the 822 nt themselves: the exons of today's canonical transcript sum to 1,029 nt, 799 of them in the stated span"

EXPERIMENT = Experiment(
    id="E01",
    title="Gene-model and sequence arithmetic",
    question="Do the stated mass, length, transcript and exons of IL2 belong to one gene?",
    claims={
        "S000-006": ("mass_mature_kDa", "mass_precursor_kDa"),
        "S001-029": ("exons", "coding_parts_nt"),
        "S001-077": ("cds_nt", "coding_parts_nt"),
        "S001-078": ("residues_precursor", "residues_of_coding_parts", "residues_mature"),
    },
    setup="Arithmetic on tables, without a parameter to draw: every draw gives the same number, and a share of 100 % "
    "says nothing about uncertainty. Residue masses; the precursor of 153 residues, whose sequence was not read from "
    f"its entry; exons and coding parts of {TRANSCRIPT}, the canonical transcript of Ensembl 110. Average masses "
    "without glycans; the mature chain and aldesleukin with their disulphide.",
    observable="Masses of precursor, mature chain and aldesleukin; length of the coding sequence by the residues, and "
    "by the exons alone; length of all exons, whole and inside the stated span.",
    criterion="Mature chain 14.5 to 16.0 kDa and 133 residues, precursor 17.6 kDa and 153 residues; 4 exons with "
    "coding parts of 462 nt in all, which fits into 822 nt. That the transcript is 822 nt long is not tested further: "
    "the length of its tail is not in the exons.",
    run=run,
    ranges=ranges,
    grades=grades,
    ablation=Ablation(
        "the signal peptide stays on the chain and the second exon is skipped",
        lambda sample: sample.changed({CUT: 0.0, SECOND: 0.0}),
        breaks=("mass_mature_kDa", "exons", "coding_parts_nt", "residues_of_coding_parts", "residues_mature"),
    ),
    reported={"exons_nt": "nt", "exons_in_stated_span_nt": "nt"},
    axes=("residue of the precursor", "mass of the chain up to it (kDa)"),
    not_built={"S001-077": GAP},
)
