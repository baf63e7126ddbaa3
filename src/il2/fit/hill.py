"""Hill curves through zero, fitted to many dose-response curves at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SLOPES = (0.3, 4.0)
BEYOND = 1.0  # decades beyond the doses in which an EC50 is looked for
GRID, ZOOM, ROUNDS = (41, 13), 5, 14
SHRINK = 0.55  # of the window from round to round; the next optimum stays inside for any fit with one valley


@dataclass(frozen=True)
class Hills:
    """Fits of curves: log10 EC50, top, slope and R2, each (curves,); NaN where a curve has fewer than four points."""

    log10_ec50: np.ndarray
    top: np.ndarray
    slope: np.ndarray
    r2: np.ndarray


def rising(response: np.ndarray) -> np.ndarray:
    """The responses (curves, doses) by rising dose with what lies past the maximum of the median of three neighbours
    replaced by that maximum; NaN, where nothing was measured, stand at the end. At the ends the median is of two."""
    y = np.asarray(response, float)
    wall = np.full((len(y), 1), np.nan)
    near = np.stack([np.concatenate([wall, y[:, :-1]], axis=1), y, np.concatenate([y[:, 1:], wall], axis=1)])
    middle = np.where(np.isfinite(y), _median(near), -np.inf)
    place = middle.argmax(axis=1)
    top = middle[np.arange(len(y)), place]
    beyond = (np.arange(y.shape[1]) > place[:, None]) & np.isfinite(y)
    return np.where(beyond, top[:, None], y)


def _median(near: np.ndarray) -> np.ndarray:
    """Median over the first axis of three with up to two NaN."""
    ordered = np.sort(near, axis=0)
    number = np.isfinite(ordered).sum(axis=0)
    pair = 0.5 * (ordered[0] + ordered[1])
    return np.where(number == 3, ordered[1], np.where(number == 2, pair, ordered[0]))


def fit(log10_dose: np.ndarray, response: np.ndarray) -> Hills:
    """Least-squares `top / (1 + (EC50 / dose) ** slope)` with top from 0 up.

    log10_dose, response: (curves, doses), NaN where nothing was measured. The top is linear and solved for; EC50 and
    slope are searched on a grid whose best point becomes the middle of a finer one.
    """
    x, y = np.asarray(log10_dose, float), np.asarray(response, float)
    known = np.isfinite(x) & np.isfinite(y)
    x, y, weight = np.where(known, x, 0.0), np.where(known, y, 0.0), known.astype(float)
    low = np.where(known, x, np.inf).min(axis=1, initial=np.inf) - BEYOND
    high = np.where(known, x, -np.inf).max(axis=1, initial=-np.inf) + BEYOND
    enough = known.sum(axis=1) >= 4
    low, high = np.where(enough, low, -1.0), np.where(enough, high, 1.0)
    edges = (
        np.stack([low, np.full_like(low, np.log(SLOPES[0]))]),
        np.stack([high, np.full_like(low, np.log(SLOPES[1]))]),
    )
    middle, half = 0.5 * (edges[0] + edges[1]), 0.5 * (edges[1] - edges[0])
    size = GRID
    top = misfit = np.full(len(x), np.nan)
    for _ in range(ROUNDS):
        axes = [middle[i][:, None] + half[i][:, None] * np.linspace(-1, 1, size[i]) for i in range(2)]
        axes = [np.clip(axis, edges[0][i][:, None], edges[1][i][:, None]) for i, axis in enumerate(axes)]
        ec50 = np.repeat(axes[0], size[1], axis=1)
        slope = np.tile(axes[1], (1, size[0]))
        top, misfit, best = _best(x, y, weight, ec50, np.exp(slope))
        rows = np.arange(len(x))
        middle = np.stack([ec50[rows, best], slope[rows, best]])
        step = np.array([[2.0 / (n - 1)] for n in size]) * half
        half = 2.0 * step if size == GRID else SHRINK * half
        size = (ZOOM, ZOOM)
    mean = (weight * y).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)
    spread = (weight * (y - mean[:, None]) ** 2).sum(axis=1)
    r2 = np.where(spread > 0, 1.0 - misfit / np.where(spread > 0, spread, 1.0), 0.0)
    found = (middle[0], top, np.exp(middle[1]), r2)
    return Hills(*(np.where(enough, values, np.nan) for values in found))


def _best(x, y, weight, ec50, slope) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Top, sum of squares and place of the best of the trials (curves, trials) of EC50 and slope."""
    power = slope[:, :, None] * (ec50[:, :, None] - x[:, None, :])
    shape = weight[:, None, :] / (1.0 + 10.0 ** np.clip(power, -300, 300))
    along = np.einsum("ctd,cd->ct", shape, y)
    size = np.einsum("ctd,ctd->ct", shape, shape)
    top = np.maximum(along, 0.0) / np.where(size > 0, size, 1.0)
    misfit = (y**2).sum(axis=1)[:, None] - top * along
    best = misfit.argmin(axis=1)
    rows = np.arange(len(x))
    return top[rows, best], misfit[rows, best], best
