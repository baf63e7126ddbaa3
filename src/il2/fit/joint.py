"""The joint calibration: the response networks of IL-2 and IL-15 with all plate data that the package holds.

Wild-type cytokines, Fc fusions and a cell line share every constant of binding, trafficking and STAT5. Fluorescence is
told in units of its plate and population (`il2.fit.score`), with a scale of its own and a background per ligand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from il2.engine.solve import Tolerances
from il2.fit import binding
from il2.fit.block import Block, Points, Use, block
from il2.fit.candidate import Mechanism, mechanism
from il2.fit.free import NOISE, OBSERVATION, Free
from il2.fit.predicted import reading_min
from il2.fit.prior import FREE, HELD, prior, table
from il2.fit.problem import Problem
from il2.fit.score import PERCENTILE, backgrounds
from il2.knowledge.calibrated import calibrated
from il2.knowledge.cell import cell, quantified
from il2.knowledge.quantity import quantity
from il2.receptor.affinity import interface_factors
from il2.receptor.head import head
from il2.receptor.ligand import ligand
from il2.receptor.model import dose, system
from il2.receptor.trafficking import count
from il2.signalling.response import response_of

if TYPE_CHECKING:
    import pandas

TOLERANCES = Tolerances(rtol=1e-5, atol=1e-3)
BENCH = Tolerances(rtol=1e-5, atol=1e-9)  # for traces of ligand
READOUT = "pstat5"
LINE, YT1 = "yt1_pstat5", "YT-1 IL2Ra"  # the set of the cell line, and its name
FUSED = {"IL2RA": "Fc_fusion_IL2RA_factor", "IL2RB": "Fc_fusion_IL2RB_factor"}
ERROR_OF = {"IL2RA": "IL2RA", "IL2RB": "IL2RBG"}  # the assay that tells the factor of an interface
DEPENDENT = 0.5  # weight of a population that shares cells with another: a parent and its parts


@dataclass(frozen=True)
class Choice:
    """uptake: `held` keeps uptake and degradation within what was measured of labelled IL-2, `free` does not.
    mechanisms: candidates on top of the default (`il2.fit.candidate`). count_spread: of the prior of counts, log10.
    assay_errors: whether the measured KDs of each ligand may be off by what the assay errs. bench: published results
    of binding and uptake (`il2.fit.binding`) that a held fit is asked to meet as well."""

    uptake: str = FREE
    mechanisms: tuple[str, ...] = ()
    count_spread: float | None = None
    assay_errors: bool = True
    bench: tuple[str, ...] = ("T019",)


@dataclass(frozen=True)
class Joint:
    """The problem, and the measured points (rows of a frame) in the order of its blocks."""

    problem: Problem
    points: pandas.DataFrame
    choice: Choice


def joint(choice: Choice = Choice(), points: pandas.DataFrame | None = None, threads: int | None = None) -> Joint:
    """The calibration problem on the compiled tables, or on `points` as `measured()` returns them."""
    import pandas

    points = measured() if points is None else points
    asked = choice.bench if choice.uptake == HELD else ()
    points = points[(points["set"] != binding.SET) | points["cell"].isin(asked)]
    extras = [mechanism(name) for name in choice.mechanisms]
    free: dict[str, Free] = {}
    blocks, parts = [], []
    for _, part in points.groupby("block", sort=True):
        bench = part["set"].iloc[0] == binding.SET
        blocks.append(_bench(part, choice, free) if bench else _block(part, choice, extras, free))
        parts.append(part)
    problem = Problem("joint", tuple(free.values()), tuple(blocks), threads)
    return Joint(problem, pandas.concat(parts, ignore_index=True), choice)


def stored(problem: Problem) -> np.ndarray:
    """The calibrated set as a position (n,) on the scales of a joint problem; prior medians for scales and noise."""
    known = calibrated()
    values = {name: known[row].value for name in problem.names if (row := rows_of(name)[0]) in known}
    return np.array([f.to_scale(values.get(f.name, f.centre)) for f in problem.free])


def rows_of(name: str) -> list[str]:
    """Rows of the table of calibrated numbers that hold a free number: a count of the cell line holds for both of its
    variants, of which one has no IL2RA."""
    if not name.startswith("YT-1 "):
        return [name]
    chain = name.removeprefix("YT-1 ")
    return [f"{YT1}{sign} {chain}" for sign in "+-" if (sign, chain) != ("-", "IL2RA")]


def measured() -> pandas.DataFrame:
    """Points that enter, with the columns of `il2.fit.measured.frame` and: `base` of the ligand, `block`, `plate`,
    `y` (in units of the plate's reference, background subtracted), `weight`."""
    import pandas

    from il2.fit.measured import RFU, frame

    whole = frame()
    flow = whole[(whole["unit"] == RFU) & (whole["flag"] == "") & (whole["dose_nM"] > 0)]
    flow = flow.sort_values(["set", "ligand", "cell", "replicate", "time_min", "dose_nM"]).reset_index(drop=True)
    flow["y"] = _normalised(flow)
    parent = {name: cell(name).parent for name in flow["cell"].unique()}
    shared = [bool(parent[name]) or name in parent.values() for name in flow["cell"]]
    flow["weight"] = np.where(shared, DEPENDENT, 1.0)
    line = whole[(whole["set"] == LINE) & (whole["flag"] == "") & whole["ligand"].isin(("IL2", "IL15"))].copy()
    line["y"], line["weight"], line["time_min"] = line["value"] / 100.0, 1.0, reading_min()
    points = pandas.concat([flow, line], ignore_index=True)
    points["base"] = [ligand(name).base for name in points["ligand"]]
    points["block"] = points["set"] + " " + points["base"]
    parts = zip(points["date"], points["replicate"], points["cell"], strict=True)
    points["plate"] = [" ".join(filter(None, part)) for part in parts]
    lines = points["set"] == LINE
    points.loc[lines, "plate"] = "YT-1 " + points.loc[lines, "ligand"]
    return pandas.concat([points, _shares()], ignore_index=True)


def _shares() -> pandas.DataFrame:
    """Bench protocols as points of the same columns; each row is a block of its own."""
    table = binding.points()
    rows = [f"{binding.SET} {i} {row.target} {row.protocol}" for i, row in enumerate(table.itertuples())]
    return table.assign(
        set=binding.SET, block=rows, plate="", date="", replicate="", ligand=binding.BASE, base=binding.BASE,
        cell=table["target"], value=table["share"], y=table["share"], unit="share", readout=table["protocol"],
        flag="", format="", valency=1.0,
    )  # fmt: skip


def _normalised(flow: pandas.DataFrame) -> np.ndarray:
    """Values without background in units of their plate, as the scores take them."""
    y = flow["value"].to_numpy(float, copy=True)
    for sample, dark in backgrounds(flow):
        y[sample] -= np.median(y[dark])
    for plate in flow.groupby(["set", "date", "replicate", "cell"], sort=False).indices.values():
        y[plate] /= np.percentile(y[plate], PERCENTILE)
    return y


def _block(part: pandas.DataFrame, choice: Choice, extras: Iterable[Mechanism], free: dict[str, Free]) -> Block:
    base = part["base"].iloc[0]
    network = response_of(system(base))
    for extra in extras:
        network = extra.network(network)
    lanes = part[["ligand", "cell", "dose_nM"]].drop_duplicates().reset_index(drop=True)
    names = lanes["cell"].to_numpy(str)
    values: dict[str, np.ndarray | float] = {dose(base): lanes["dose_nM"].to_numpy(float)}
    uses: list[Use] = []

    def take(number: Free, parameter: str, where: np.ndarray, power: float = 1.0) -> None:
        free.setdefault(number.name, number)
        uses.append(Use(parameter, number.name, where, power))
        values.setdefault(parameter, 1.0)

    every = np.arange(len(lanes))
    fixed = {name: value for extra in extras for name, value in extra.fixed.items() if name in network.parameter_names}
    shared = {name: other for extra in extras for name, other in extra.shared.items()}
    values |= fixed
    for name in network.parameter_names:
        if name in table(choice.uptake) and name not in (*FUSED.values(), *fixed):
            take(prior(shared.get(name, name), choice.uptake), name, every)
    for kind in dict.fromkeys(names):
        where = np.flatnonzero(names == kind)
        for chain in head(base).chains:
            number = _count(kind, chain, choice)
            if number:
                take(number, count(chain), where)
            else:
                values[count(chain)] = np.where(names == kind, 0.0, values.get(count(chain), 1.0))
    _affinities(lanes, base, choice, values, take)
    for extra in extras:
        extra.uses(lanes, base, choice.uptake, take)
    times = sorted(part["time_min"].unique())
    return block(
        network, times, [READOUT], values, uses, _points(part, lanes, times, choice, free), tolerances=TOLERANCES
    )


def _bench(part: pandas.DataFrame, choice: Choice, free: dict[str, Free]) -> Block:
    """A row of the table of binding: the receptor network alone, with the constants of all other blocks."""
    row = part.iloc[0]
    network = binding.bench(row["protocol"], row["complex"])
    values: dict[str, np.ndarray | float] = {count(c): float(row[c]) for c in ("IL2RA", "IL2RB", "IL2RG")}
    values |= {dose(binding.BASE): float(row["dose_nM"])} | binding.fixed(row["protocol"], network)
    uses = []
    for name in network.parameter_names:
        if name in table(choice.uptake) and values.get(name) != 0.0:
            number = prior(name, choice.uptake)
            free.setdefault(name, number)
            uses.append(Use(name, name, np.arange(1)))
            values[name] = 1.0
    noise = f"noise {row['block']}"
    free.setdefault(noise, _known_noise(noise, float(row["noise"])))
    zero, none = np.zeros(1, int), np.array([""], object)
    points = Points(
        zero,
        zero,
        zero,
        np.array([row["y"]], float),
        none,
        none,
        np.array([noise], object),
        zero,
        np.array([row["weight"]], float),
    )
    readout = binding.READOUTS[row["protocol"]]
    return block(network, [float(row["time_min"])], [readout], values, uses, points, tolerances=BENCH)


def _known_noise(name: str, value: float) -> Free:
    """A noise that the table gives: free in name only."""
    return Free(name, "dimensionless", 0.9 * value, 1.1 * value, value, 0.001, kind=NOISE)


def _count(kind: str, chain: str, choice: Choice) -> Free | None:
    """The free count of a chain on a cell; None where the cell was made without it."""
    if kind.startswith(YT1):
        return None if kind.endswith("-") and chain == "IL2RA" else prior(f"YT-1 {chain}", choice.uptake)
    name = f"{kind} {chain}"
    if chain == "IL15RA":
        return prior("count of IL15RA", choice.uptake, name=name)
    number = prior("count", choice.uptake, name=name, times=measured_count(kind, chain))
    return number if choice.count_spread is None else replace(number, spread=choice.count_spread)


def measured_count(kind: str, chain: str) -> float:
    """The count before any calibration."""
    return quantified(kind, chain).value


def _affinities(lanes: pandas.DataFrame, base: str, choice: Choice, values: dict, take: Callable) -> None:
    """Affinity factors: the ratio of KDs within the assay, times what the format does and what the assay errs."""
    names = lanes["ligand"].to_numpy(str)
    for name in dict.fromkeys(names):
        item = ligand(name)
        where = np.flatnonzero(names == name)
        if not item.kds:
            continue
        factors = interface_factors(replace(item, errors=()))[0]
        for chain in (c for c in FUSED if c in factors):
            key = f"{base}_factor_{chain}"
            plain = factors[chain] / (quantity(FUSED[chain]).value if item.is_fc else 1.0)
            values[key] = np.where(names == name, plain, values.get(key, np.ones(len(names))))
            if item.is_fc:
                take(prior(FUSED[chain], choice.uptake), key, where)
            error = f"error of {item.assay} {ERROR_OF[chain]}"
            if choice.assay_errors:
                take(prior(error, choice.uptake, name=f"{name} {ERROR_OF[chain]}"), key, where)


def _points(
    part: pandas.DataFrame, lanes: pandas.DataFrame, times: list[float], choice: Choice, free: dict[str, Free]
) -> Points:
    place = {key: i for i, key in enumerate(lanes.itertuples(index=False, name=None))}
    lane = np.array([place[key] for key in part[["ligand", "cell", "dose_nM"]].itertuples(index=False, name=None)])
    flow = part["set"].iloc[0] != LINE
    scale, background, noise = [], [], []
    for row in part.itertuples(index=False):
        scale.append(f"scale {row.plate}")
        background.append(f"background {row.plate} {row.ligand}" if flow else "")
        noise.append(f"noise {row.block}")
        free.setdefault(scale[-1], prior("scale", choice.uptake, name=scale[-1], kind=OBSERVATION))
        free.setdefault(noise[-1], prior("noise", choice.uptake, name=noise[-1], kind=NOISE))
        if flow:
            free.setdefault(background[-1], replace(BACKGROUND, name=background[-1]))
    none = np.zeros(len(part), int)
    return Points(
        lane, np.array([times.index(t) for t in part["time_min"]]), none, part["y"].to_numpy(float),
        np.array(scale, object), np.array(background, object), np.array(noise, object), none,
        part["weight"].to_numpy(float),
    )  # fmt: skip


BACKGROUND = Free("background", "dimensionless", -1.0, 1.0, 0.0, 0.1, scale="lin", kind=OBSERVATION)
