"""How the highest IL-2 of a culture scales with antigen and with the number of T cells, by the collective model.

Published (tkach2014): it rises with antigen to the power 0.76 and hardly changes with cells (-0.10); a model in which
antigen does not hold pSTAT5 down and secretion does not speed up scales with cells to the power 0.25 and stays low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from il2.engine.event import Event, Switch
from il2.engine.observe import readouts
from il2.engine.schedule import run
from il2.errors import Il2Error
from il2.gene.collective import COHORTS, CONCENTRATION, JAK1, PRODUCERS, collective
from il2.knowledge.quantity import quantity
from il2.network.network import Network
from il2.network.program import lower

ANTIGEN, CELLS = "collective_antigen", "collective_cells"
VARIANTS = {  # name: crosstalk, boost
    "full": (True, True), "no crosstalk": (False, True), "no boost": (True, False), "neither": (False, False),
}  # fmt: skip
ANTIGENS, NUMBERS = 7, 5  # points of the default grid, evenly in the logarithm
EXCESS = 1000  # antigen per receptor that stands for a saturating amount
POINTS_PER_HOUR = 4
LOSSES = 40  # times of the loss of antigen over which producers are followed


@dataclass(frozen=True, eq=False)
class Course:
    """Readouts of a network in lanes over time. times_h: (times,); y: (lanes, times, states)."""

    network: Network
    parameters: np.ndarray
    times_h: np.ndarray
    y: np.ndarray

    def read(self, observable: str) -> np.ndarray:
        """An observable (lanes, times), in its unit."""
        return readouts(self.network, [observable], self.y, self.parameters)[..., 0]


@dataclass(frozen=True, eq=False)
class Exponents:
    """log10 peak = constant + antigen * log10(antigen) + cells * log10(cells), by least squares.

    spread: standard deviation of log10 about the fit; points: how many conditions it rests on.
    """

    antigen: float
    cells: float
    spread: float
    points: int


@dataclass(frozen=True, eq=False)
class Scaling:
    """Highest IL-2 over a grid of cultures.

    antigen (antigens,): molecules per well; cells (cells,); peaks_nM (cells, antigens); ceilings_nM (cells,): the peak
    under saturating antigen. A condition is below saturation where its peak is under half of its ceiling.
    """

    variant: str
    antigen: np.ndarray
    cells: np.ndarray
    peaks_nM: np.ndarray
    ceilings_nM: np.ndarray
    every: Exponents
    unsaturated: Exponents


def il2_course(
    antigen: float | np.ndarray,
    cells: float | np.ndarray,
    times_h: np.ndarray,
    *,
    cohorts: int = COHORTS,
    crosstalk: bool = True,
    boost: bool = True,
    values: Mapping[str, float | np.ndarray] | None = None,
    events: Sequence[Event] = (),
) -> Course:
    """One lane a culture. antigen: molecules per well; cells: per well; other parameters by name in `values`."""
    network = collective(cohorts, crosstalk, boost)
    given: dict[str, float | np.ndarray] = {ANTIGEN: antigen, CELLS: cells, **(values or {})}
    network.with_values(dict.fromkeys(given, 0.0))  # an unknown name is an error that suggests the nearest
    columns = np.broadcast_arrays(*(given.get(p.name, p.value) for p in network.parameters))
    parameters = np.stack([np.atleast_1d(np.asarray(column, float)) for column in columns], axis=-1)
    done = run(network, parameters, times_h, events, program=lower(network))
    failed = [done.reason(lane) for lane in range(len(parameters)) if done.reason(lane)]
    if failed:
        raise Il2Error("a culture of the collective model could not be solved", where="il2_course", why=failed[0])
    return Course(network, parameters, np.asarray(times_h, float), done.y)


def scaling(
    variant: str = "full",
    *,
    cohorts: int = COHORTS,
    antigen: np.ndarray | None = None,
    cells: np.ndarray | None = None,
    hours: float | None = None,
    values: Mapping[str, float] | None = None,
) -> Scaling:
    """Exponents of the highest IL-2 of one of `VARIANTS`; all cultures are solved at once.

    antigen, cells: the grid, by default over the ranges of their quantities; hours: how long the cultures last.
    """
    if variant not in VARIANTS:
        raise Il2Error(f"unknown variant {variant!r}", where="scaling", how=f"Give one of: {', '.join(VARIANTS)}.")
    antigen, cells = _grid(ANTIGEN, antigen, ANTIGENS), _grid(CELLS, cells, NUMBERS)
    hours = quantity("collective_culture_time").value if hours is None else hours
    crosstalk, boost = VARIANTS[variant]
    excess = EXCESS * quantity("collective_TCR").value * cells
    doses = np.concatenate([np.broadcast_to(antigen, (len(cells), len(antigen))), excess[:, None]], axis=1)
    numbers = np.broadcast_to(cells[:, None], doses.shape)
    times = np.linspace(0.0, hours, round(hours * POINTS_PER_HOUR) + 1)
    course = il2_course(
        doses.ravel(), numbers.ravel(), times, cohorts=cohorts, crosstalk=crosstalk, boost=boost, values=values
    )
    peaks = course.read(CONCENTRATION).max(axis=1).reshape(doses.shape)
    inside, ceilings = peaks[:, :-1], peaks[:, -1]
    below = inside < ceilings[:, None] / 2
    every = exponents(doses[:, :-1], numbers[:, :-1], inside)
    unsaturated = exponents(doses[:, :-1][below], numbers[:, :-1][below], inside[below])
    return Scaling(variant, antigen, cells, inside, ceilings, every, unsaturated)


def exponents(antigen: np.ndarray, cells: np.ndarray, peaks: np.ndarray) -> Exponents:
    """The power law through peaks, arrays of one shape; NaN where there are too few conditions to fit one."""
    logs = [np.log10(np.ravel(v)) for v in (antigen, cells, peaks)]
    design = np.stack([np.ones_like(logs[0]), logs[0], logs[1]], axis=-1)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return Exponents(np.nan, np.nan, np.nan, len(design))
    found = np.linalg.lstsq(design, logs[2], rcond=None)[0]
    return Exponents(float(found[1]), float(found[2]), float((logs[2] - design @ found).std()), len(design))


def producer_decay(
    antigen: float, at_h: float, loss_per_h: float, *, cells: float | None = None, cohorts: int = COHORTS
) -> tuple[float, float]:
    """Hours in which producers fall to 1/e, when antigen is lost from `at_h` on at `loss_per_h` per engaged receptor.

    With the feedback of IL-2, and without it, as JAK is blocked at the same moment; counted from those just after it.
    NaN where less than half a cohort secretes then; infinite where they do not fall that far in `LOSSES` over the rate.
    """
    number = quantity(CELLS).value if cells is None else cells
    after = np.linspace(0.0, LOSSES / loss_per_h, LOSSES * LOSSES + 1)
    never_and_then = np.array([np.inf, at_h])
    events = [Switch(at_h, "antigen_loss", loss_per_h), Switch(never_and_then, JAK1, 0.0)]
    course = il2_course(np.full(2, antigen), number, at_h + after, cohorts=cohorts, events=events)
    blocked = course.parameters.copy()
    blocked[1, course.network.parameter_names.index(JAK1)] = 0.0
    producers = replace(course, parameters=blocked).read(PRODUCERS)
    with_feedback, without = (_fall(after, p) if p[0] > 1 / (2 * cohorts) else np.nan for p in producers)
    return with_feedback, without


def _fall(times: np.ndarray, values: np.ndarray) -> float:
    """When values first come down to 1/e of the first one."""
    low = np.flatnonzero(values <= values[0] / np.e)
    return float(times[low[0]]) if len(low) else np.inf


def _grid(name: str, given: np.ndarray | None, points: int) -> np.ndarray:
    if given is not None:
        return np.asarray(given, float)
    q = quantity(name)
    return np.geomspace(float(q.low or q.value), float(q.high or q.value), points)
