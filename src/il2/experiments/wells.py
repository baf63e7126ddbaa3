"""Wells of a culture for the runner: every variant of a sample in every well, as one batch of the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from il2.cell.lanes import Courses, solve_wells
from il2.cell.well import Well
from il2.experiments.sample import Sample


def grown(
    sample: Sample,
    wells: Mapping[str, Well],
    times_h: np.ndarray,
    wanted: Iterable[str],
    genes: tuple[str, ...] = (),
    products: tuple[str, ...] = (),
) -> dict[str, Courses]:
    """Courses by label; each readout (variants, times), NaN where a lane failed. Arguments as in `solve_wells`."""
    found = solve_wells(
        list(wells.values()), times_h, wanted, variants=sample.values, genes=genes, products=products
    )  # fmt: skip
    return dict(zip(wells, found, strict=True))
