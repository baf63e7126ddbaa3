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
from scipy import stats

from il2.errors import Il2Error, did_you_mean
from il2.fit.block import Block, chained, predicted, rows, sensitivities, weighed
from il2.fit.free import Free, centres, logarithmic, native, slopes, spreads

DEGREES = 4.0


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
        return [self._told(of, values, f)[0] for of, f in zip(self.blocks, self.signals(x), strict=True)]

    def residuals(self, x: np.ndarray) -> Residuals:
        """Residuals over noise with all derivatives but those by the noise, for least squares."""
        values, parts, slopes_ = native(self.free, x), [], []
        for of in self.blocks:
            shown, by_free = sensitivities(of, self.place, values, self.threads)
            signal = shown[of.points.lane, of.points.time, of.points.readout]
            told, scale, where = self._told(of, values, signal)
            noise = self._noise(of, values)
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
        values, total, by_value = native(self.free, x), 0.0, np.zeros(len(x))
        for of in self.blocks:
            p = rows(of, self.place, values)
            cell = (of.points.lane, of.points.time, of.points.readout)
            told, scale, where = self._told(of, values, predicted(of, p, self.threads)[cell])
            noise = self._noise(of, values)
            density, by_z = _student((told - of.points.value) / noise, of.points.censored, self.degrees)
            measured = of.points.censored == 0
            total += float((of.points.weight * (density - np.log(noise) * measured)).sum())
            by_told = of.points.weight * by_z / noise
            weights = np.zeros((of.lanes, len(of.times_min), len(of.readouts)))
            np.add.at(weights, cell, by_told * scale)
            shown, p_bar = weighed(of, p, weights, self.threads)
            signal = shown[cell]
            by_value += chained(of, self.place, values, p, p_bar).sum(axis=0)
            _sum(by_value, where[0], by_told * signal)
            _sum(by_value, where[1], by_told)
            z = (told - of.points.value) / noise
            _sum(by_value, where[2], of.points.weight * (-by_z * z - measured) / noise)
        known = np.isfinite(spreads(self.free))
        z = np.where(known, (x - centres(self.free)) / np.where(known, spreads(self.free), 1.0), 0.0)
        found = total - 0.5 * float(z @ z)
        slope = by_value * slopes(self.free, x) - z / np.where(known, spreads(self.free), 1.0)
        if not (math.isfinite(found) and np.isfinite(slope).all()):
            return -math.inf, np.zeros_like(x)
        return found, slope

    def pointwise(self, x: np.ndarray) -> list[np.ndarray]:
        """Log density of each point of each block."""
        values = native(self.free, x)
        out = []
        for of, told in zip(self.blocks, self.predictions(x), strict=True):
            noise = self._noise(of, values)
            density, _ = _student((told - of.points.value) / noise, of.points.censored, self.degrees)
            out.append(density - np.log(noise) * (of.points.censored == 0))
        return out

    def _told(self, of: Block, values: np.ndarray, signal: np.ndarray):
        """Expected values, scales of the points, and the places of scale, background and noise (-1 for none)."""
        where = [self._places(kind) for kind in (of.points.scale, of.points.background, of.points.noise)]
        scale = np.where(where[0] < 0, 1.0, values[where[0]])
        return scale * signal + np.where(where[1] < 0, 0.0, values[where[1]]), scale, where

    def _noise(self, of: Block, values: np.ndarray) -> np.ndarray:
        where = self._places(of.points.noise)
        return np.where(where < 0, 1.0, values[where])

    def _places(self, names: np.ndarray) -> np.ndarray:
        return np.array([self.place.get(name, -1) for name in names.tolist()], dtype=int)


def _student(z: np.ndarray, censored: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Log density of residuals in units of the noise, or log probability beyond a bound, and derivatives by z.

    z is expected minus measured; a point at or below its value (-1) has the probability that the noise is below -z.
    """
    normal = math.isinf(degrees)
    law, shape = (stats.norm, ()) if normal else (stats.t, (degrees,))
    density = law.logpdf(z, *shape)
    by_z = -z if normal else -(degrees + 1) * z / (degrees + z**2)
    for side in (-1, 1):
        here = censored == side
        if here.any():
            tail = law.logcdf(side * z[here], *shape)
            density[here] = tail
            by_z[here] = side * np.exp(law.logpdf(z[here], *shape) - tail)
    return density, by_z


def _add(jacobian: np.ndarray, places: np.ndarray, amount: np.ndarray) -> None:
    own = np.flatnonzero(places >= 0)
    jacobian[own, places[own]] += amount[own]


def _sum(out: np.ndarray, places: np.ndarray, amount: np.ndarray) -> None:
    own = places >= 0
    np.add.at(out, places[own], amount[own])


def variable(problem: Problem, kinds: tuple[str, ...]) -> np.ndarray:
    """Which free numbers are of these kinds (n,)."""
    return np.array([f.kind in kinds for f in problem.free])


__all__ = ["DEGREES", "Problem", "Residuals", "logarithmic", "variable"]
