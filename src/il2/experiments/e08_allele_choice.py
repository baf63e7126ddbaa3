"""E08: one allele or two: who answers, and how much a cell makes, where one copy of IL2 is lost."""

from __future__ import annotations

import numpy as np

from il2.cell.spread import Range, quantity_ranges
from il2.experiments.experiment import Ablation, Experiment, Outcome
from il2.experiments.genes import gene_ranges
from il2.experiments.lanes import ratio, setting
from il2.experiments.sample import Sample
from il2.gene.cells import answers, counted, held_network
from il2.gene.transcription import alleles, mrna, on

CELLS, TIMES_h = 200, np.array([6.0, 8.0, 10.0, 12.0])
GRID = np.logspace(0, 3, 25)
POSITIVE = 0.1  # of the mRNA at which a producer secretes at its basal rate
SILENT = "silenced_alleles"
DECAY, PROTECTION, REFERENCE = "IL2_mRNA_decay", "CD28_mRNA_stabilisation", "IL2_mRNA_reference"
OPENS, CLOSES, MAKES = "IL2_promoter_on_rate", "IL2_promoter_off_rate", "IL2_transcription_rate"


def run(sample: Sample) -> Outcome:
    """Cells of mode `one` have so many alleles silenced, at random, as the set-up says; those of `two` have none."""
    working = 2.0 - sample[SILENT]
    hit = sample[SILENT] > 0  # the lost copy is the one in use in half of the cells, or one of two in use in all
    groups = {
        "one": (working, working),
        "one, copy lost": (np.where(hit, 1.0, working - 1), np.where(hit, 0.0, working - 1)),
        "two": (np.full(sample.size, 2.0), np.full(sample.size, 2.0)),
        "two, copy lost": (np.full(sample.size, 1.0), np.full(sample.size, 1.0)),
    }
    copies = np.concatenate([half for halves in groups.values() for half in halves])
    own = {name: np.tile(values, 2 * len(groups)) for name, values in sample.values.items() if name != SILENT}
    own[DECAY] = own[DECAY] / own[PROTECTION]
    found = counted("IL2", {**own, alleles("IL2"): copies}, TIMES_h, cells=CELLS // 2)

    def cells(name: str) -> np.ndarray:
        """(groups, variants, cells, times) of both halves together."""
        by_half = found[name].reshape(len(groups), 2, sample.size, CELLS // 2, len(TIMES_h))
        return np.concatenate([by_half[:, 0], by_half[:, 1]], axis=2)

    level = POSITIVE * sample[REFERENCE] * driven(sample)
    amounts = cells(mrna("IL2"))[..., -1]
    shares, means = answers(amounts, np.tile(level, (len(groups), 1)))
    active = cells(on("IL2"))
    alone = ratio((active == 1).sum(axis=(-2, -1)), (active >= 1).sum(axis=(-2, -1)))
    share, mean, single = (dict(zip(groups, x, strict=True)) for x in (shares, means, alone))
    return Outcome(
        {
            "single_allele_one": single["one"],
            "responders_one": ratio(share["one, copy lost"], share["one"]),
            "responders_two": ratio(share["two, copy lost"], share["two"]),
            "output_two": ratio(mean["two, copy lost"], mean["two"]),
            "output_one": ratio(mean["one, copy lost"], mean["one"]),
            "single_allele_two": single["two"],
            "share_of_responders_two": share["two"],
        },
        {
            f"mode {name}": (GRID, (group[..., None] > GRID).mean(axis=1))
            for name, group in zip(groups, amounts, strict=True)
        },
    )


def driven(sample: Sample) -> np.ndarray:
    """Mean mRNA of a driven cell without CD28, by the moments of two alleles with two states each."""
    opened = sample[OPENS] / (sample[OPENS] + sample[CLOSES])
    mean: np.ndarray = 2 * opened * sample[MAKES] / sample[DECAY]
    return mean


def ranges() -> tuple[Range, ...]:
    return (*gene_ranges(held_network("IL2")), *quantity_ranges(PROTECTION, REFERENCE), setting(SILENT, 1.0))


EXPERIMENT = Experiment(
    id="E08",
    title="Allele choice",
    question="What does a cell with one copy of IL2 tell of the number of alleles in use?",
    claims={"S002-015": ("single_allele_one", "responders_one", "responders_two", "output_two")},
    setup="200 cells a population by exact simulation, the promoter held at full activity with the protection of CD28 "
    "for 12 h. Mode one: one of the two alleles is silent, at random. Mode two: both work on their own. Each with and "
    "without the loss of one copy. The mode is a switch and no default: it is disputed, and two is what the model "
    "uses elsewhere.",
    observable="Share of cells above a tenth of the mRNA that basal secretion needs (12 molecules by default) and the "
    "mean mRNA of these; cells with one allele transcribed, of all with any.",
    criterion="Mode one: at least 90 % of active cells on one allele; half the responders without a copy. Mode two: as "
    "many responders, each with half the output.",
    run=run,
    ranges=ranges,
    ablation=Ablation(
        "no allele is silent in mode one: the loss of a copy no longer halves the responders",
        lambda sample: sample.changed({SILENT: 0.0}),
        breaks=("responders_one",),
    ),
    reported=dict.fromkeys(("output_one", "single_allele_two", "share_of_responders_two"), "dimensionless"),
    axes=("IL2 mRNA (molecules per cell)", "share of cells with more"),
)
