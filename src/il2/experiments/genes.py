"""Gene networks for the runner: every variant of a sample under every condition, as one batch of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from il2.cell.ranges import promoter_ranges
from il2.cell.spread import Range, quantity_ranges
from il2.engine.event import Event
from il2.experiments.sample import Sample
from il2.gene.cells import CONTACT, ENGAGED, HELP, Values, followed
from il2.gene.promoter import BOOSTS, NEEDS, REPRESSES, strength
from il2.knowledge.quantity import quantities
from il2.knowledge.table import rows
from il2.network.network import Network

TCR: Mapping[str, float] = {ENGAGED: 1000.0, HELP: 0.0, CONTACT: 0.1}
"""TCR held at 1000 engaged receptors, some hundred times what NFAT needs; cells meet antigen within minutes."""
BOTH: Mapping[str, float] = {**TCR, HELP: 1.0}
REST: Mapping[str, float] = {**TCR, ENGAGED: 0.0}


def gene_ranges(network: Network) -> tuple[Range, ...]:
    """Ranges of the quantities and promoter strengths that a gene network has."""
    names = network.parameter_names
    strengths = (r for r in promoter_ranges() if r.name in names)
    return (*quantity_ranges(*(n for n in names if n in quantities())), *strengths)


def expressed(
    sample: Sample,
    network: Network,
    conditions: Mapping[str, Values],
    times_h: np.ndarray,
    events: Sequence[Event] = (),
) -> dict[str, dict[str, np.ndarray]]:
    """Courses by condition and species, each (variants, times); NaN where a lane failed.

    What a condition sets is one number or one a variant, over the numbers of the variants. Lanes are in the order
    (condition, variant), also in `events`.
    """
    named = {name for condition in conditions.values() for name in condition}
    defaults = network.defaults()
    values = {
        name: np.concatenate(
            [
                np.broadcast_to(condition.get(name, sample.values.get(name, defaults[name])), (sample.size,))
                for condition in conditions.values()
            ]
        )
        for name in {*named, *(n for n in sample.values if n in defaults)}
    }
    found = followed(network, values, times_h, events)
    shape = (len(conditions), sample.size, len(times_h))
    return {
        key: {name: course.reshape(shape)[i] for name, course in found.values.items()}
        for i, key in enumerate(conditions)
    }


def area(times_h: np.ndarray, courses: np.ndarray) -> np.ndarray:
    """Area under each course (variants,), by trapezoids."""
    found: np.ndarray = np.trapezoid(courses, times_h, axis=-1)
    return found


def ungated(sample: Sample, *genes: str) -> Sample:
    """The same variants with promoters that read nothing: they need, are boosted and are repressed by no factor."""
    own = [row for row in rows("promoters") if row["gene"] in genes]
    flat = {
        strength(row["gene"], row["factor"], row["effect"]): float(row["effect"] == NEEDS)
        for row in own
        if row["effect"] in (NEEDS, BOOSTS, REPRESSES)
    }
    return sample.changed({**flat, "methylated_activity": 1.0})
