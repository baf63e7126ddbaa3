"""Prediction of what was left out: refit without a ligand, a cell, a date or an assay, then judge on it.

Of what was left out only the scale and the background of its fluorescence are fitted, by the same rule for every model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from il2.fit.binding import SET
from il2.fit.free import NOISE, OBSERVATION, native
from il2.fit.joint import BACKGROUND, LINE, Choice, Joint, joint
from il2.fit.problem import DEGREES, Problem
from il2.fit.search import climb
from il2.knowledge.cell import cell

if TYPE_CHECKING:
    import pandas

KINDS = ("ligand", "cell", "date", "assay")
ROUNDS = 30  # of reweighting


@dataclass(frozen=True)
class LeftOut:
    """points: rows that were left out, with `predicted` (share of STAT5), `expected` (with the best scale and
    background) and `log_density`; x: of the fit to the rest, by name."""

    kind: str
    name: str
    points: pandas.DataFrame
    x: dict[str, float]


def folds(points: pandas.DataFrame, kinds: tuple[str, ...] = KINDS) -> dict[tuple[str, str], np.ndarray]:
    """What is left out at a time, (kind, name) to a mask of rows: a ligand, a population with its parts, a plate of
    wild-type cytokines, and an assay or format."""
    flow = ~points["set"].isin((LINE, SET)).to_numpy()
    fused = points["format"].str.startswith("Fc fusion").to_numpy()
    whole = np.array([cell(name).parent or name if own else "" for name, own in zip(points["cell"], flow, strict=True)])
    out: dict[tuple[str, str], np.ndarray] = {}
    for name in dict.fromkeys(points["ligand"][flow]):
        out["ligand", name] = flow & (points["ligand"] == name).to_numpy()
    for name in dict.fromkeys(whole[flow]):
        out["cell", name] = flow & (whole == name)
    for name in dict.fromkeys(points["replicate"][flow & ~fused]):
        out["date", f"run {name}"] = flow & ~fused & (points["replicate"] == name).to_numpy()
    out["assay", "Fc fusions"] = fused
    out["assay", "cell line"] = (points["set"] == LINE).to_numpy()
    return {key: mask for key, mask in out.items() if key[0] in kinds}


def leave(
    choice: Choice, points: pandas.DataFrame, start: dict[str, float], kinds: tuple[str, ...] = KINDS, *,
    most_evaluations: int = 25, threads: int | None = None, on_done: Callable[[LeftOut], None] | None = None,
) -> list[LeftOut]:  # fmt: skip
    """Every fold in turn. start: position on the scales by name, where each refit begins; what has no data left goes
    back to its prior."""
    out = []
    for (kind, name), mask in folds(points, kinds).items():
        rest = joint(choice, points[~mask], threads)
        found = climb(rest.problem, 0, placed(rest.problem, start), most_evaluations)
        x = dict(zip(rest.problem.names, found.x.tolist(), strict=True))
        out.append(judged(kind, name, joint(choice, points[mask], threads), x))
        if on_done:
            on_done(out[-1])
    return out


def placed(problem: Problem, by_name: dict[str, float]) -> np.ndarray:
    """Positions (n,) from values by name; prior medians for the rest."""
    return np.array([by_name.get(f.name, f.to_scale(f.centre)) for f in problem.free])


def judged(kind: str, name: str, unseen: Joint, x: dict[str, float]) -> LeftOut:
    """Predictions of points from a position by name, and their log density at the best scale and background."""
    dynamic = {f.name for f in unseen.problem.free if f.kind != OBSERVATION}
    known = {key: value for key, value in x.items() if key in dynamic}
    known |= {f.name: _usual(x) for f in unseen.problem.free if f.kind == NOISE and f.name not in x}
    at = placed(unseen.problem, known)
    values = native(unseen.problem.free, at)
    signals = unseen.problem.signals(at)
    expected, density = [], []
    for of, signal in zip(unseen.problem.blocks, signals, strict=True):
        noise = values[[unseen.problem.place[n] for n in of.points.noise]]
        told = np.full(len(signal), np.nan)
        for scale in dict.fromkeys(of.points.scale):
            own = of.points.scale == scale
            told[own] = _scaled(signal[own], of.points.value[own], of.points.background[own], noise[own])
        z = (told - of.points.value) / noise
        expected.append(told)
        density.append(of.points.weight * (_t(z) - np.log(noise)))
    points = unseen.points.assign(
        predicted=np.concatenate(signals), expected=np.concatenate(expected), log_density=np.concatenate(density)
    )
    return LeftOut(kind, name, points, x)


def _usual(x: dict[str, float]) -> float:
    """The noise of a kind of data that was left out whole: the median of the other sets of responses, on
    the scale."""
    known = (key for key in x if key.startswith("noise ") and not key.startswith(f"noise {SET} "))
    return float(np.median([x[key] for key in known]))


def _t(z: np.ndarray) -> np.ndarray:
    from scipy import stats

    return stats.t.logpdf(z, DEGREES)


def _scaled(signal: np.ndarray, value: np.ndarray, backgrounds: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Expected values with one scale and a background per group, by reweighted least squares with the prior of the
    backgrounds; a scale is never below zero."""
    groups = list(dict.fromkeys(name for name in backgrounds if name))
    design = np.stack([signal, *((backgrounds == name).astype(float) for name in groups)], axis=1)
    prior = np.diag([1e-12, *(BACKGROUND.spread**-2 for _ in groups)])
    weight = noise**-2.0
    told = np.zeros_like(value)
    for _ in range(ROUNDS):
        matrix = design.T @ (design * weight[:, None]) + prior
        best = np.linalg.solve(matrix, design.T @ (weight * value))
        best[0] = max(best[0], 0.0)
        told = design @ best
        weight = (DEGREES + 1) / (DEGREES + ((told - value) / noise) ** 2) / noise**2
    return told


def curve(points: pandas.DataFrame) -> np.ndarray:
    """Number of the curve of each point."""
    found: np.ndarray = points.groupby(["set", "plate", "ligand", "time_min"], sort=False).ngroup().to_numpy()
    return found
