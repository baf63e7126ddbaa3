"""A fit problem: blocks of data and free numbers with priors, and the log density that joins them.

A point is `background + scale * readout` plus noise. Noise is Student's t, of `DEGREES` degrees of freedom where none
are given, so that a stray well pulls little; infinitely many are normal noise. A censored point counts with the
probability that lies beyond it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.fit.block import Block, chained, predicted, rows, sensitivities, weighed
from il2.fit.free import Free, centres, native, slopes, spreads
from il2.fit.noise import DEGREES, log_density


@dataclass(frozen=True)
class Residuals:
    """Residuals in units of the noise (m,) of data then priors, and their derivatives by the scaled free numbers."""

    values: np.ndarray
    jacobian: np.ndarray
    data: int


@dataclass(frozen=True)
class Problem:
    """Blocks and free numbers. Positions `x` (n,) are on the scales of the free numbers throughout.

    degrees: of freedom of the noise, infinity for normal noise.
    """

    name: str
    free: tuple[Free, ...]
    blocks: tuple[Block, ...]
    threads: int | None = None
    degrees: float = DEGREES

    def __post_init__(self) -> None:
        if not self.degrees > 0:
            raise Il2Error(f"the noise has {self.degrees:g} degrees", where=self.name, how="Give a number above zero.")
        names = [f.name for f in self.free]
        if len(set(names)) < len(names):
            raise Il2Error(f"{max(names, key=names.count)!r} is free twice", where=self.name)
        for of in self.blocks:
            used = {use.free for use in of.uses} | {
                n for kind in (of.points.scale, of.points.background, of.points.noise) for n in kind.tolist() if n
            }
            for name in sorted(used - set(names)):
                raise Il2Error(f"{name!r} is not free", where=self.name, how=did_you_mean(name, names))

    @cached_property
    def place(self) -> dict[str, int]:
        return {f.name: i for i, f in enumerate(self.free)}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.free)

    @property
    def n_points(self) -> int:
        return sum(len(of.points) for of in self.blocks)

    def start(self) -> np.ndarray:
        """Prior medians, on the scales."""
        return centres(self.free)

    def signals(self, x: np.ndarray) -> list[np.ndarray]:
        """Readout at each point of each block, before scale and background."""
        values = native(self.free, x)
        out = []
        for of in self.blocks:
            shown = predicted(of, rows(of, self.place, values), self.threads)
            out.append(shown[of.points.lane, of.points.time, of.points.readout])
        return out

    def predictions(self, x: np.ndarray) -> list[np.ndarray]:
        """What is expected to be measured at each point of each block."""
        values = native(self.free, x)
        return [_told(values, where, f)[0] for where, f in zip(self._places, self.signals(x), strict=True)]

    def residuals(self, x: np.ndarray) -> Residuals:
        """Residuals over noise with all derivatives but those by the noise, for least squares."""
        values, parts, slopes_ = native(self.free, x), [], []
        for of, where in zip(self.blocks, self._places, strict=True):
            shown, by_free = sensitivities(of, self.place, values, self.threads)
            signal = shown[of.points.lane, of.points.time, of.points.readout]
            told, scale, noise = _told(values, where, signal)
            jacobian = by_free * scale[:, None]
            _add(jacobian, where[0], signal)
            _add(jacobian, where[1], np.ones_like(signal))
            off = told - of.points.value
            idle = ((of.points.censored < 0) & (off < 0)) | ((of.points.censored > 0) & (off > 0))
            weight = np.sqrt(of.points.weight) * ~idle / noise
            parts.append(off * weight)
            slopes_.append(jacobian * weight[:, None])
        known = np.isfinite(spreads(self.free))
        prior = (x - centres(self.free))[known] / spreads(self.free)[known]
        every = np.concatenate([*parts, prior])
        matrix = np.concatenate(slopes_) * slopes(self.free, x)
        return Residuals(
            every, np.concatenate([matrix, (np.eye(len(x)) / spreads(self.free))[known]]), len(every) - len(prior)
        )

    def log_density(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Log posterior density up to a constant, and its gradient (n,); minus infinity where a lane failed."""
        values = native(self.free, x)
        parts = [self._likelihood(of, where, values) for of, where in zip(self.blocks, self._places, strict=True)]
        total, by_value = sum(part[0] for part in parts), sum((part[1] for part in parts), np.zeros(len(x)))
        known = np.isfinite(spreads(self.free))
        z = np.where(known, (x - centres(self.free)) / np.where(known, spreads(self.free), 1.0), 0.0)
        found = total - 0.5 * float(z @ z)
        slope = by_value * slopes(self.free, x) - z / np.where(known, spreads(self.free), 1.0)
        if not (math.isfinite(found) and np.isfinite(slope).all()):
            return -math.inf, np.zeros_like(x)
        return found, slope

    def pointwise(self, x: np.ndarray) -> list[np.ndarray]:
        """Log density of each point of each block."""
        values, out = native(self.free, x), []
        for of, where, signal in zip(self.blocks, self._places, self.signals(x), strict=True):
            told, _, noise = _told(values, where, signal)
            density, _ = log_density((told - of.points.value) / noise, of.points.censored, self.degrees)
            out.append(density - np.log(noise) * (of.points.censored == 0))
        return out

    @cached_property
    def _places(self) -> list[np.ndarray]:
        """Of each block the places (3, m) of the scale, background and noise of its points, -1 for none."""
        kinds = [(of.points.scale, of.points.background, of.points.noise) for of in self.blocks]
        return [np.array([[self.place.get(n, -1) for n in kind.tolist()] for kind in of], int) for of in kinds]

    def _likelihood(self, of: Block, where: np.ndarray, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Log likelihood of a block and its derivatives (n,) by the values of the free numbers."""
        points, total, by_value = of.points, 0.0, np.zeros(len(values))

        def weigh(shown: np.ndarray, lanes: slice) -> np.ndarray:
            nonlocal total
            own = np.flatnonzero((points.lane >= lanes.start) & (points.lane < lanes.stop))
            cell = points.lane[own] - lanes.start, points.time[own], points.readout[own]
            signal, weight, censored = shown[cell], points.weight[own], points.censored[own]
            told, scale, noise = _told(values, where[:, own], signal)
            z, measured = (told - points.value[own]) / noise, censored == 0
            density, by_z = log_density(z, censored, self.degrees)
            total += float((weight * (density - np.log(noise) * measured)).sum())
            by_told = weight * by_z / noise
            _sum(by_value, where[0, own], by_told * signal)
            _sum(by_value, where[1, own], by_told)
            _sum(by_value, where[2, own], weight * (-by_z * z - measured) / noise)
            weights = np.zeros_like(shown)
            np.add.at(weights, cell, by_told * scale)
            return weights

        p = rows(of, self.place, values)
        _, p_bar = weighed(of, p, weigh, self.threads)
        return total, by_value + chained(of, self.place, values, p, p_bar).sum(axis=0)


def _told(values: np.ndarray, where: np.ndarray, signal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected values, scales and noises of points (m,) whose scale, background and noise are at `where` (3, m)."""
    scale, background, noise = np.where(where < 0, [[1.0], [0.0], [1.0]], values[where])
    return scale * signal + background, scale, noise


def _add(jacobian: np.ndarray, places: np.ndarray, amount: np.ndarray) -> None:
    own = np.flatnonzero(places >= 0)
    jacobian[own, places[own]] += amount[own]


def _sum(out: np.ndarray, places: np.ndarray, amount: np.ndarray) -> None:
    own = places >= 0
    np.add.at(out, places[own], amount[own])


def variable(problem: Problem, kinds: tuple[str, ...]) -> np.ndarray:
    """Which free numbers are of these kinds (n,)."""
    return np.array([f.kind in kinds for f in problem.free])


__all__ = ["DEGREES", "Problem", "Residuals", "variable"]
