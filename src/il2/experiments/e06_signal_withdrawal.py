"""E06: nuclear REL starts IL2 and CSF2, and its loss ends them once the signal is gone."""

from __future__ import annotations

from functools import partial

import numpy as np

from il2.cell.spread import Range
from il2.engine.event import Switch
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.genes import BOTH, area, expressed, gene_ranges, ungated
from il2.experiments.lanes import ratio
from il2.experiments.sample import Sample
from il2.gene.cells import ENGAGED, HOUR, gene_network
from il2.gene.signal import REL_IN
from il2.gene.transcription import mrna, on

GENES = ("IL2", "CSF2")
WASHED_h, LATER_h, REST = 12.0, 4.0, 0.1
TIMES_h = np.linspace(0.0, 36.0, 361)
AFTER = TIMES_h >= WASHED_h
network = partial(gene_network, GENES)


def run(sample: Sample) -> Outcome:
    conditions = {"stimulus": BOTH, "without REL": {**BOTH, "REL": 0.0}, "washed": BOTH, "REL held": BOTH}
    lanes = np.repeat(list(conditions), sample.size)
    washed = np.where(np.isin(lanes, ("washed", "REL held")), WASHED_h * HOUR, np.inf)
    held = np.where(lanes == "REL held", WASHED_h * HOUR, np.inf)
    # without export and with the signal gone, REL in the nucleus stays as it is
    events = [Switch(washed, ENGAGED, 0.0), Switch(held, "REL_export_rate", 0.0)]
    courses = expressed(sample, network(), conditions, TIMES_h, events)
    values: dict[str, np.ndarray] = {}
    rel_gone = gone(courses["washed"][REL_IN])
    for gene in GENES:
        made, without = (courses[name][mrna(gene)] for name in ("stimulus", "without REL"))
        ended, kept = (courses[name][on(gene)] for name in ("washed", "REL held"))
        values |= {
            f"AUC_{gene}_without_REL": ratio(area(TIMES_h, without), area(TIMES_h, made)),
            f"peak_{gene}_without_REL": ratio(without.max(axis=-1), made.max(axis=-1)),
            f"left_{gene}_4h": left(ended),
            f"REL_ahead_of_{gene}_h": later(gone(courses["washed"][mrna(gene)]), rel_gone),
            f"REL_ahead_of_{gene}_transcription_h": later(gone(ended), rel_gone),
            f"delay_{gene}_h": later(gone(kept), gone(ended)),
            f"gone_{gene}_h": gone(ended),
        }
    shown = {f"{gene}, {name}": courses[name][on(gene)] for gene in GENES for name in ("washed", "REL held")}
    curves = {name: (TIMES_h, ratio(y, y.max(axis=-1, keepdims=True))) for name, y in shown.items()}
    return Outcome({**values, "gone_REL_h": rel_gone}, curves)


def gone(course: np.ndarray) -> np.ndarray:
    """Hours from the wash until a course (variants, times) is at a tenth of its peak; infinite where it never is."""
    after, level = course[:, AFTER], REST * course.max(axis=-1)
    below = after <= level[:, None]
    k, rows = np.argmax(below, axis=-1), np.arange(len(course))
    before = np.maximum(k - 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(k == 0, 0.0, (after[rows, before] - level) / (after[rows, before] - after[rows, k]))
    step = TIMES_h[1] - TIMES_h[0]
    found = np.where(below.any(axis=-1), (before + share) * step, np.inf)
    return np.where(np.isnan(course).any(axis=-1), np.nan, found)


def later(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a - b; NaN where neither ever comes."""
    with np.errstate(invalid="ignore"):
        difference: np.ndarray = a - b
    return difference


def left(course: np.ndarray) -> np.ndarray:
    """Share of the peak four hours after the wash."""
    at = int(np.searchsorted(TIMES_h, WASHED_h + LATER_h))
    return ratio(course[:, at], course.max(axis=-1))


def ranges() -> tuple[Range, ...]:
    return gene_ranges(network())


EXPERIMENT = Experiment(
    id="E06",
    title="Signal withdrawal / REL shut-off",
    question="Does REL in the nucleus start IL2 and CSF2, and end them when the signal is taken away?",
    claims={
        "S001-120": ("AUC_IL2_without_REL", "peak_IL2_without_REL"),
        "S001-121": ("AUC_CSF2_without_REL", "peak_CSF2_without_REL"),
        "S001-122": tuple(
            name.format(gene) for gene in GENES for name in ("left_{}_4h", "REL_ahead_of_{}_h", "delay_{}_h")
        ),
    },
    setup="Gene network with 1000 engaged TCR and CD28, without REL, or washed free of antigen at 12 h; the same with "
    "REL that can no longer leave the nucleus. No IL-2, so no feedback of pSTAT5 helps to end it.",
    observable="Area and peak of mRNA without REL over those with it; after the wash REL in the nucleus and alleles "
    "that are transcribed, over their peaks.",
    criterion="Without REL at most 30 % of area and peak. After the wash REL falls to 10 % before the mRNA does, and "
    "transcription is at most 10 % of its peak at 4 h, and ends later where REL is held in the nucleus; any delay "
    "counts, since NFAT ends it as well.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "promoters that read no factor: without REL they start as well",
        lambda sample: ungated(sample, *GENES),
        breaks=tuple(f"{what}_{gene}_without_REL" for what in ("AUC", "peak") for gene in GENES),
    ),
    reported={"gone_REL_h": "h"}
    | {name.format(gene): "h" for gene in GENES for name in ("gone_{}_h", "REL_ahead_of_{}_transcription_h")},
    axes=("time (h)", "IL2 or CSF2 alleles that are transcribed, over the peak"),
)
