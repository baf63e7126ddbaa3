"""Curves of a fit over the doses, with bands, for each ligand, cell and condition of a table of wells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from il2.fit.block import Block, Points, Use
from il2.fit.free import native
from il2.fit.predictive import BAND, with_noise
from il2.fit.tidy import Tidy
from il2.receptor.model import dose

DOSES = 40  # of a drawn curve
BEYOND = 1.5  # a curve goes beyond the doses by this factor


@dataclass(frozen=True)
class Curves:
    """Curves of one block: dose (k,) in nM; signal, and bands of the signal and of what would be measured, over scale
    and without background (lanes, k, times); wells: a well of each curve."""

    dose: np.ndarray
    times: np.ndarray
    wells: np.ndarray
    signal: np.ndarray
    low: np.ndarray
    high: np.ndarray
    low_measured: np.ndarray
    high_measured: np.ndarray


def dose_curves(of: Tidy, x: np.ndarray, positions: np.ndarray) -> tuple[Curves, ...]:
    """Curves over the doses with bands from positions (draws, n), a Curves a block."""
    parts = [_dense(of, k) for k in range(len(of.problem.blocks))]
    dense = replace(of.problem, blocks=tuple(part[0] for part in parts))
    best, drawn = dense.signals(x), [dense.signals(at) for at in positions]
    out = []
    for k, (block, levels, wells) in enumerate(parts):
        shape = (len(wells), len(levels), len(block.times_min))
        place = of.problem.place
        scale, background, noise = (
            np.array([place[name] for name in kind.tolist()])
            for kind in (block.points.scale, block.points.background, block.points.noise)
        )
        own = native(of.problem.free, x)
        signal, width = [], []
        for at, found in zip(positions, drawn, strict=True):
            values = native(of.problem.free, at)
            told = values[background] + values[scale] * found[k]
            if np.isfinite(told).all():
                signal.append(((told - own[background]) / own[scale]).reshape(shape))
                width.append((values[noise] / own[scale]).reshape(shape))
        low, high = np.percentile(signal, BAND, axis=0)
        drawn_signal, drawn_width, degrees = np.array(signal), np.array(width), of.problem.degrees
        bands = [with_noise(drawn_signal[:, i], drawn_width[:, i], BAND, degrees) for i in range(len(wells))]
        out.append(
            Curves(
                levels, block.times_min, wells, best[k].reshape(shape), low, high,
                np.array([band[0] for band in bands]), np.array([band[1] for band in bands]),
            )
        )  # fmt: skip
    return tuple(out)


def _dense(of: Tidy, k: int) -> tuple[Block, np.ndarray, np.ndarray]:
    """A block with many doses for each ligand, cell and condition, its doses, and a well of each."""
    block, wells, first = of.problem.blocks[k], of.wells, of.lanes[k]
    column = next(j for j, n in enumerate(block.network.parameter_names) if n == _dose_of(of, k))
    given = wells.dose[of.rows[k]]
    levels = np.geomspace(given[given > 0].min() / BEYOND, given.max() * BEYOND, DOSES)
    without = np.delete(block.base, column, axis=1)
    keys: dict[tuple, int] = {}
    for lane, i in enumerate(first):
        if wells.dose[i] > 0:
            keys.setdefault((of.ligands[i], wells.cell[i], *without[lane].tolist()), lane)
    source = np.repeat(list(keys.values()), len(levels))
    base = block.base[source].copy()
    base[:, column] = np.tile(levels, len(keys))
    uses = tuple(Use(u.parameter, u.free, np.flatnonzero(np.isin(source, u.lanes)), u.power) for u in block.uses)
    point_of = {int(lane): j for j, lane in reversed(list(enumerate(block.points.lane)))}
    from_point = np.array([point_of[int(lane)] for lane in source])
    times = len(block.times_min)
    place, time = (part.ravel() for part in np.indices((len(source), times)))
    pick = from_point[place]
    old = block.points
    points = Points(
        place, time, old.readout[pick], np.zeros(len(place)), old.scale[pick], old.background[pick], old.noise[pick],
        np.zeros(len(place), int), np.ones(len(place)),
    )  # fmt: skip
    return replace(block, base=base, uses=uses, points=points), levels, first[list(keys.values())]


def _dose_of(of: Tidy, k: int) -> str:
    """The parameter that holds the dose: that of the base of the block's ligands."""
    return dose(of.wells.kinds[of.wells.which[of.lanes[k][0]]].base)
