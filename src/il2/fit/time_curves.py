"""Curves of a fit over time, with bands, for each observable and condition of a problem whose points have no doses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from il2.fit.block import Block, Points
from il2.fit.made import Made, native
from il2.fit.predictive import BAND, noises, with_noise

TIMES = 40  # of a drawn curve, besides those that were measured


@dataclass(frozen=True)
class TimeCurve:
    """One curve, in the unit of the measurement. points: places of the points that it is compared with. time, signal,
    bands of what is expected and of what would be measured (k,); a time whose signal has no logarithm is left out."""

    points: np.ndarray
    time: np.ndarray
    signal: np.ndarray
    low: np.ndarray
    high: np.ndarray
    low_measured: np.ndarray
    high_measured: np.ndarray


def time_curves(of: Made, x: np.ndarray, positions: np.ndarray) -> tuple[TimeCurve, ...]:
    """A curve for points of one lane, readout, scale, background and noise, with bands from positions (draws, n)."""
    parts = [_dense(of, k) for k in range(len(of.problem.blocks))]
    dense = replace(of.problem, blocks=tuple(block for block, _ in parts))
    best, drawn = dense.predictions(x), [(dense.predictions(at), noises(dense, at)) for at in positions]
    out = []
    for k, (block, groups) in enumerate(parts):
        shape = (len(groups), len(block.times_min))
        told = np.array([signal[k].reshape(shape) for signal, _ in drawn])
        width = np.array([noise[k].reshape(shape) for _, noise in drawn])
        for i, points in enumerate(groups):
            out.append(_curve(of, points, block.times_min, best[k].reshape(shape)[i], told[:, i], width[:, i]))
    return tuple(out)


def _curve(
    of: Made, points: np.ndarray, times: np.ndarray, best: np.ndarray, told: np.ndarray, noise: np.ndarray
) -> TimeCurve:
    kept = np.isfinite(best) & (times <= of.time[points].max())
    good = np.isfinite(told[:, kept]).all(axis=1)
    told, noise = told[np.ix_(good, kept)], noise[np.ix_(good, kept)]
    if not good.any():
        told, noise = np.full((1, kept.sum()), np.nan), np.ones((1, kept.sum()))
    parts = (best[kept], *np.percentile(told, BAND, axis=0), *with_noise(told, noise, BAND, of.problem.degrees))
    first = points[0]
    shown = [native(part, of.transformation[first], of.width[first]) for part in parts]
    return TimeCurve(points, times[kept], *shown)


def _dense(of: Made, k: int) -> tuple[Block, list[np.ndarray]]:
    """A block with many times for each curve, and the places of the points of each."""
    block, rows = of.problem.blocks[k], of.rows[k]
    old = block.points
    names = (old.lane, old.readout, old.scale, old.background, old.noise, of.transformation[rows], of.width[rows])
    keys = list(zip(*(column.tolist() for column in names), strict=True))
    same: dict[tuple, list[int]] = {}
    for i, key in enumerate(keys):
        same.setdefault(key, []).append(i)
    groups = [rows[places] for places in same.values()]
    times = np.union1d(block.times_min, np.linspace(0.0, block.times_min.max(), TIMES))
    pick = np.repeat([places[0] for places in same.values()], len(times))
    time = np.tile(np.arange(len(times)), len(same))
    points = Points(
        old.lane[pick], time, old.readout[pick], np.zeros(len(pick)), old.scale[pick], old.background[pick],
        old.noise[pick], np.zeros(len(pick), int), np.ones(len(pick)),
    )  # fmt: skip
    return replace(block, times_min=times, points=points), groups
