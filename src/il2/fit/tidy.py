"""From a user's tidy table of wells to a fit problem: networks in lanes, free numbers, scales, backgrounds, noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from il2.errors import Il2Error
from il2.fit import choice
from il2.fit.block import Block, Points, Use, block
from il2.fit.free import DYNAMIC, NOISE, OBSERVATION, Free
from il2.fit.made import LIN, Made
from il2.fit.noise import law
from il2.fit.problem import Problem
from il2.fit.wells import Wells, read_wells
from il2.knowledge.cell import CHAINS
from il2.receptor.addition import Mixture, mixture
from il2.receptor.head import factor, head
from il2.receptor.model import dose
from il2.receptor.trafficking import count
from il2.signalling.models import MODELS, model
from il2.signalling.response import program_of, response_of
from il2.signalling.stat import phosphorylated

AUTO = "auto"
NOISE_SPREAD = 0.3  # decades: what replicates tell of the noise, since residuals also hold what the model leaves out
FEWEST_SHARED = 4  # wells that two replicates must share to tell their noise


@dataclass(frozen=True)
class Tidy(Made):
    """A fit problem with the wells that it came from; a point is a well.

    lanes: of each block, a representative well of each lane. ligands: names of the ligand of each well. held: numbers
    that are held at another value than their default. options: what was freed and held, the model and the column.
    """

    wells: Wells
    lanes: tuple[np.ndarray, ...]
    ligands: np.ndarray
    held: dict[str, float]
    candidates: tuple[choice.Candidate, ...]
    options: dict[str, object] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[bool, ...]:
        return tuple(f.kind == DYNAMIC for f in self.problem.free)

    @property
    def asked(self) -> dict[str, object]:
        from il2.knowledge.parameters import CURRENT, fingerprint

        return self.options | {"parameter set": f"{CURRENT} {fingerprint()}"}


def tidy(
    path: Path, *, free: Iterable[str] = (), fix: Iterable[str] = (), model: str = AUTO, value: str = "",
    threads: int | None = None,
) -> Tidy:  # fmt: skip
    """The fit problem of a CSV file of wells.

    free, fix: what is estimated besides the default and what is held, see `il2.fit.choice`. model: `auto` builds the
    network of each ligand; a name of `il2 export` refuses ligands of another network. value: the measured column.
    Raises Il2Error, with file and line, for data that cannot be fitted.
    """
    free, fix = list(free), list(fix)
    wells = read_wells(path, value)
    mixtures = _mixtures(wells, model)
    systems = list(dict.fromkeys(mix.system for mix in mixtures))
    used: dict[str, set[str]] = {}
    for kind, mix in zip(wells.cell, mixtures, strict=True):
        used.setdefault(kind, set()).update(mix.system.chains)
    candidates = (
        *choice.count_candidates(wells, used), *choice.factor_candidates(wells), *choice.network_candidates(systems),
    )  # fmt: skip
    defaults = {
        p.name: p.value for of in systems for p in response_of(of).parameters
        if not p.name.endswith(("_count", "_dose")) and "_factor_" not in p.name
    }  # fmt: skip
    made = choice.chosen(candidates, free, fix, defaults)
    names = choice.ligand_names(wells)
    ligands = np.array([names[key] for key in zip(wells.ligand.tolist(), wells.which.tolist(), strict=True)], object)
    groups = _blocks_of(wells, mixtures)
    parts = [_block(wells, mixtures, ligands, rows, made) for rows in groups]
    blocks = tuple(part[0] for part in parts)
    bare = Problem(path.stem, made.free, blocks, threads)
    problem = _observed(bare, wells, groups)
    labels = {
        "line": wells.lines, "ligand": ligands, "cell": wells.cell, "dose_nM": wells.dose, "time_min": wells.time,
        "replicate": wells.replicate, "panel": wells.panel,
    }  # fmt: skip
    options: dict[str, object] = {"--model": model, "--free": sorted(free), "--fix": sorted(fix), "--value": value}
    return Tidy(
        problem, path.name, wells.key, tuple(groups), labels, wells.cell, np.full(len(wells), LIN),
        np.ones(len(wells)), wells, tuple(part[1] for part in parts), ligands, made.held, candidates, options,
        notes=wells.notes,
    )  # fmt: skip


def _mixtures(wells: Wells, name: str) -> list[Mixture]:
    """The network and its values of each well."""
    if name != AUTO and name not in MODELS:
        model(name)
    found: dict[tuple, Mixture] = {}
    keys = list(
        zip(wells.which.tolist(), wells.extra.tolist(), np.isfinite(wells.density).tolist(), strict=True)
    )  # fmt: skip
    wanted = model(name).build().name if name != AUTO else ""
    for i, key in enumerate(keys):
        if key in found:
            continue
        where = f"{wells.path}:{wells.lines[i]}"
        try:
            found[key] = mixture(wells.kinds[key[0]], wells.extras[key[1]], key[2])
        except Il2Error as error:
            raise Il2Error(error.what, where=where, why=error.why, how=error.how) from error
        if wanted and response_of(found[key].system).name != wanted:
            how = "Leave out --model, so that each ligand gets its own network."
            raise Il2Error(f"{wells.ligand[i]} is not of the model {name}", where=where, how=how)
    return [found[key] for key in keys]


def _blocks_of(wells: Wells, mixtures: Sequence[Mixture]) -> list[np.ndarray]:
    """Rows of each block: one system and one set of times; lanes with fewer times join a block that has them all."""
    lanes: dict[tuple, list[int]] = {}
    for i, key in enumerate(_lane_keys(wells)):
        lanes.setdefault((mixtures[i].system, *key), []).append(i)
    groups: dict[tuple, list[int]] = {}
    for (system, *_), rows in lanes.items():
        groups.setdefault((system, frozenset(wells.time[rows].tolist())), []).extend(rows)
    largest = sorted(groups, key=lambda key: -len(key[1]))
    merged: dict[tuple, list[int]] = {}
    for system, times in largest:
        home = next((key for key in merged if key[0] == system and times <= key[1]), (system, times))
        merged.setdefault(home, []).extend(groups[system, times])
    return [np.array(sorted(rows)) for rows in merged.values()]


def _lane_keys(wells: Wells) -> list[tuple]:
    given = np.stack([np.where(np.isfinite(wells.counts[c]), wells.counts[c], -1.0) for c in CHAINS], axis=-1)
    density = np.where(np.isfinite(wells.density), wells.density, -1.0)
    columns = (wells.ligand, wells.which, wells.cell, wells.dose, wells.extra, wells.dial, density)
    return [(*row, *own) for row, own in zip(zip(*columns, strict=True), given.tolist(), strict=True)]


def _block(
    wells: Wells, mixtures: Sequence[Mixture], ligands: np.ndarray, rows: np.ndarray, made: choice.Choice
) -> tuple[Block, np.ndarray]:
    """A block without scales, and a representative well of each lane."""
    keys = _lane_keys(wells)
    place: dict[tuple, int] = {}
    lane = np.array([place.setdefault(keys[i], len(place)) for i in rows])
    first = rows[np.unique(lane, return_index=True)[1]]
    network, program = response_of(mixtures[first[0]].system), program_of(mixtures[first[0]].system)
    times = np.unique(wells.time[rows])
    stats = sorted({phosphorylated(head(wells.kinds[wells.which[i]].base).stat) for i in first})
    values, uses = _values(wells, mixtures, ligands, first, made)
    readout = [stats.index(phosphorylated(head(wells.kinds[wells.which[i]].base).stat)) for i in rows]
    empty = np.full(len(rows), "", dtype=object)
    points = Points(
        lane, np.searchsorted(times, wells.time[rows]), np.array(readout), wells.value[rows], empty, empty, empty,
        wells.censored[rows], np.ones(len(rows)),
    )  # fmt: skip
    return block(network, times, stats, values, uses, points, program), first


def _values(
    wells: Wells, mixtures: Sequence[Mixture], ligands: np.ndarray, first: np.ndarray, made: choice.Choice
) -> tuple[dict[str, np.ndarray], list[Use]]:
    """Values of lanes by parameter, and what multiplies them; a free parameter starts from 1."""
    network = response_of(mixtures[first[0]].system)
    free = {f.name for f in made.free}
    default = network.defaults()
    own = {name for i in first for name in mixtures[i].values if name in default}
    values = {name: np.array([mixtures[i].values.get(name, default[name]) for i in first]) for name in own}
    shares = [wells.shares[k] for k in wells.dial[first]]
    values |= {name: np.array([s.get(name, 1.0) for s in shares]) for name in ("JAK1", "JAK3") if name in default}
    values[dose(mixtures[first[0]].slot)] = wells.dose[first]
    if np.isfinite(wells.density[first]).all() and "cells_per_mL" in default:
        values["cells_per_mL"] = wells.density[first]
    uses = []
    for chain in (c for c in CHAINS if count(c) in default and count(c) not in own):
        amount = np.nan_to_num(wells.counts[chain][first])
        for kind in dict.fromkeys(wells.cell[first].tolist()):
            name, here = choice.count_name(kind, chain), np.flatnonzero(wells.cell[first] == kind)
            every = wells.counts[chain][wells.cell == kind]
            centre = next((v for v in every if v > 0), 1.0)
            if name in free or name in made.held:
                amount[here] *= made.held.get(name, 1.0) / centre
            if name in free:
                uses.append(Use(count(chain), name, here))
        values[count(chain)] = amount * np.array([s.get(chain, 1.0) for s in shares])
    for label in dict.fromkeys(ligands[first].tolist()):
        here = np.flatnonzero(ligands[first] == label)
        for chain in head(wells.kinds[wells.which[first[here[0]]]].base).chains:
            name, parameter = choice.factor_name(label, chain), factor(mixtures[first[0]].slot, chain)
            if name in free or name in made.held:
                values[parameter][here] = made.held.get(name, 1.0)
            if name in free:
                uses.append(Use(parameter, name, here))
    every_lane = np.arange(len(first))
    for name in default.keys() & (free | made.held.keys()):
        values[name] = np.full(len(first), made.held.get(name, 1.0))
        if name in free:
            uses.append(Use(name, name, every_lane))
    return values, uses


def _observed(bare: Problem, wells: Wells, groups: Sequence[np.ndarray]) -> Problem:
    """The problem with a scale and a background per cell, replicate and panel, and a noise per cell and panel."""
    codes, names = wells.groups()
    signal = np.full(len(wells), np.nan)
    for rows, found in zip(groups, bare.signals(bare.start()), strict=True):
        signal[rows] = found
    noises = np.array([" ".join(filter(None, ("noise", str(c), str(p) if len(set(wells.panel)) > 1 else "")))
                       for c, p in zip(wells.cell, wells.panel, strict=True)], dtype=object)  # fmt: skip
    observation: list[Free] = []
    for k, name in enumerate(names):
        here = codes == k
        observation += _scale(name, wells.unit, wells.value[here], signal[here], wells.dose[here] == 0)
    scatter = _scatter(wells, codes, bare.degrees)
    for name in dict.fromkeys(noises.tolist()):
        observation.append(_noise(name, wells.unit, wells.value[noises == name], scatter[noises == name]))
    blocks = []
    for of, rows in zip(bare.blocks, groups, strict=True):
        scale = np.array([f"scale {names[k]}" for k in codes[rows]], dtype=object)
        background = np.array([f"background {names[k]}" for k in codes[rows]], dtype=object)
        points = replace(of.points, scale=scale, background=background, noise=noises[rows])
        blocks.append(replace(of, points=points))
    return replace(bare, free=(*bare.free, *observation), blocks=tuple(blocks))


def _scale(name: str, unit: str, value: np.ndarray, signal: np.ndarray, untreated: np.ndarray) -> list[Free]:
    """Scale and background of a group; they begin where a straight line through the model's signals puts them."""
    amplitude = float(np.ptp(value))
    low = float(np.median(value[untreated])) if untreated.any() else float(np.min(value))
    known = np.isfinite(signal) & (signal > 0)
    slope = float((signal[known] @ (value[known] - low)) / (signal[known] @ signal[known])) if known.any() else 0.0
    ends = amplitude / 3, 1000 * amplitude
    scale = Free(f"scale {name}", unit, *ends, float(np.clip(slope, 1.5 * ends[0], ends[1] / 3)), kind=OBSERVATION)
    ends = float(np.min(value)) - amplitude, float(np.max(value))
    return [scale, Free(f"background {name}", unit, *ends, low, scale="lin", kind=OBSERVATION)]


def _scatter(wells: Wells, codes: np.ndarray, degrees: float) -> np.ndarray:
    """Noise (n,) that replicates tell of the wells of each cell and panel; NaN where none do.

    Two replicates are compared after a straight line, since each has a scale of its own.
    """
    keys = list(
        zip(wells.ligand, wells.which, wells.cell, wells.dose, wells.time, wells.extra, wells.dial, strict=True)
    )
    groups = {k: {keys[i]: wells.value[i] for i in np.flatnonzero(codes == k)} for k in set(codes.tolist())}
    middle = float(law(degrees).ppf(0.75))  # median of the absolute noise, in units of the noise
    told: dict[int, list[float]] = {}
    for a, b in combinations(groups, 2):
        shared = [key for key in groups[a] if key in groups[b]]
        if len(shared) < FEWEST_SHARED:
            continue
        x, y = (np.array([groups[k][key] for key in shared]) for k in (a, b))
        if not (np.ptp(x) and np.ptp(y)):
            continue
        ratio = float(np.std(y) / np.std(x))  # both are noisy, so that neither is regressed on the other
        off = (y - np.median(y)) - ratio * (x - np.median(x))
        spread = float(np.median(np.abs(off - np.median(off)))) / middle / math.hypot(1.0, ratio)
        told.setdefault(a, []).append(spread)
        told.setdefault(b, []).append(spread * ratio)
    out = np.full(len(wells), np.nan)
    for k, found in told.items():
        out[codes == k] = np.median(found)
    return out


def _noise(name: str, unit: str, value: np.ndarray, scatter: np.ndarray) -> Free:
    amplitude = float(np.ptp(value))
    low, high = 1e-4 * amplitude, 3 * amplitude
    told = scatter[np.isfinite(scatter) & (scatter > 0)]
    if not len(told):
        return Free(name, unit, low, high, math.sqrt(low * high), kind=NOISE, note="from the residuals alone")
    centre = float(np.clip(np.median(told), 2 * low, high / 2))
    return Free(name, unit, low, high, centre, NOISE_SPREAD, kind=NOISE, note="from replicates and residuals")
