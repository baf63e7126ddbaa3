"""The tether of molecules with several heads as a free number, with measured binding of rings as data.

Rings of 1 to 8 equal heads bind one kind of chain; the networks are those of `il2.receptor.avidity`, solved until they
are at equilibrium. This is a check of the prior of the tether: what the rings would choose is reported and not adopted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from il2.engine.solve import Tolerances
from il2.errors import Il2Error, did_you_mean
from il2.fit.block import Block, Points, Use, block
from il2.fit.free import DYNAMIC, NOISE, OBSERVATION, Free
from il2.fit.identify import Verdict, verdicts
from il2.fit.problem import Problem
from il2.fit.profile import Profile, profile
from il2.fit.search import Start, search
from il2.knowledge.quantity import quantity
from il2.knowledge.table import keyed, measurements, number
from il2.network.expression import log, num, power, substitute, sym
from il2.network.network import Network, Observable, Parameter
from il2.receptor.avidity import BOUND, CHAIN, CONSTANT, NAME, LONG_min, avidity
from il2.receptor.model import dose
from il2.receptor.trafficking import count

TETHER, REACH, LOG_BOUND = "tether_factor", "reach", "log10_bound_molecules"
CANDIDATES = (REACH,)
SCALE, NOISE_OF = "log10 scale", "noise"
BEYOND = 1e4  # bounds of the tether beyond its range
NORMAL_95 = 1.959964
TOLERANCES = Tolerances(rtol=1e-8, atol=1e-8)
Row = dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """The fit of one problem: starts, the best first; profile of the tether; verdicts on every free number."""

    problem: Problem
    starts: tuple[Start, ...]
    tether: Profile
    verdicts: tuple[Verdict, ...]

    @property
    def best(self) -> Start:
        return self.starts[0]

    @property
    def values(self) -> dict[str, float]:
        """Free numbers at the optimum, in their units."""
        at = zip(self.problem.free, self.best.x, strict=True)
        return {f.name: float(10.0**x if f.scale == "log10" else x) for f, x in at}


def rings(
    clones: Iterable[str] = (), *, candidates: Iterable[str] = (), prior: bool = True, threads: int | None = None,
    wells: Iterable[Row] | None = None,
) -> Problem:  # fmt: skip
    """The fit problem of measured rings, in log10 of fluorescence.

    clones: binding domains, default all. candidates: mechanisms on top, of `CANDIDATES`. prior: whether the
    prior of the tether enters. wells: rows of `multivalent_binding`, default those of the table. Free are the tether,
    the error of each KD, and the scale and noise of each clone. A reading no higher than that without rings is a bound.
    """
    rows = list(measurements("multivalent_binding") if wells is None else wells)
    known = tuple(dict.fromkeys(row["clone"] for row in rows))
    chosen = tuple(clones) or known
    for name, names in (*((c, known) for c in chosen), *((c, CANDIDATES) for c in candidates)):
        if name not in names:
            raise Il2Error(f"unknown clone or candidate {name!r}", where="rings", how=did_you_mean(name, names))
    rows = [row for row in rows if row["clone"] in chosen]
    several = {int(row["valency"]) for row in rows if float(row["dose_nM"]) > 0}
    extra = tuple(_free(name, name) for name in candidates)
    free = (_tether(prior), *extra, *(f for clone in chosen for f in _of_clone(clone)))
    blocks = tuple(_block(heads, rows, [f.name for f in (free[0], *extra)]) for heads in sorted(several))
    return Problem("rings " + ", ".join(chosen), free, blocks, threads)


def _tether(prior: bool) -> Free:
    known = quantity(TETHER)
    assert known.low is not None and known.high is not None
    spread = math.log10(known.high / known.low) / (2 * NORMAL_95) if prior else math.inf
    return Free(TETHER, known.unit, known.low / BEYOND, known.high * BEYOND, known.value, spread, note=known.note)


def _of_clone(clone: str) -> tuple[Free, ...]:
    scale = _free("scale", f"{SCALE} {clone}", OBSERVATION)
    ends = (math.log10(scale.low), math.log10(scale.high))
    scale = replace(scale, low=ends[0], high=ends[1], centre=sum(ends) / 2, scale="lin")
    return _free("error of KD", f"KD error {clone}"), scale, _free("noise", f"{NOISE_OF} {clone}", NOISE)


def _free(row_name: str, name: str, kind: str = DYNAMIC) -> Free:
    row = keyed("ring_priors", "name")[row_name]
    spread = number(row["spread"])
    low, high, centre = (float(row[key]) for key in ("low", "high", "centre"))
    return Free(
        name, row["unit"], low, high, centre, math.inf if spread is None else spread, kind=kind, note=row["note"]
    )


@cache
def network(heads: int) -> Network:
    """Rings with `heads` heads, and the log10 of bound rings per cell.

    `reach` weakens each further bridge: a ring of j bound heads meets chains `reach ** (j - 1)` times as often.
    """
    whole, _ = avidity(heads)
    reactions = []
    for reaction in whole.reactions:
        held = sum(name.count(f".{CHAIN}") for name, n in reaction.change.items() if n < 0)
        near = {"tether_concentration": sym("tether_concentration") * power(sym(REACH), float(held - 1))}
        reactions.append(replace(reaction, forward=substitute(reaction.forward, near)) if held > 1 else reaction)
    bound = next(o.expr for o in whole.observables if o.name == BOUND)
    shown = Observable(LOG_BOUND, log(bound * sym("one_cell")) * num(1 / math.log(10)), "dimensionless")
    return replace(
        whole, name=f"rings_{heads}", reactions=tuple(reactions), observables=(*whole.observables, shown),
        parameters=(
            *whole.parameters, Parameter(REACH, 1.0, "dimensionless"), Parameter("one_cell", 1.0, "cell/molecule"),
        ),
    )  # fmt: skip


def _block(heads: int, rows: list[Row], shared: list[str]) -> Block:
    own = [row for row in rows if int(row["valency"]) == heads]
    dark = {row["clone"]: float(row["fluorescence_au"]) for row in own if float(row["dose_nM"]) == 0}
    own = [row for row in own if float(row["dose_nM"]) > 0]
    m, clone = len(own), np.array([row["clone"] for row in own])
    read = np.array([float(row["fluorescence_au"]) for row in own])

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in own])

    values = {CONSTANT: column("kd_nM"), count(CHAIN): column("receptors_per_cell"), dose(NAME): column("dose_nM")}
    uses = [Use(CONSTANT, f"KD error {name}", np.flatnonzero(clone == name)) for name in dict.fromkeys(clone)]
    if heads > 1:
        uses += [Use(name, name, np.arange(m)) for name in shared]
        values |= {name: np.ones(m) for name in shared}
    none = np.zeros(m, int)
    scale, noise = (np.array([f"{kind} {c}" for c in clone], object) for kind in (SCALE, NOISE_OF))
    censored = np.where(read <= [dark.get(c, 0.0) for c in clone], -1, 0)
    points = Points(
        np.arange(m), none, none, np.log10(read), np.full(m, "", object), scale, noise, censored, np.ones(m)
    )  # fmt: skip
    return block(network(heads), [LONG_min], [LOG_BOUND], values, uses, points, tolerances=TOLERANCES)


def chosen(problem: Problem, *, starts: int = 4, seed: int = 1, points: int = 15) -> Outcome:
    """What the rings would choose: the best of several starts, the profile of the tether, and verdicts in words.

    points: most values of the profile on each side. Raises Il2Error where no start can be solved.
    """
    found = search(problem, starts, seed)
    if not math.isfinite(found[0].cost):
        raise Il2Error("no start could be solved", where=problem.name, why=found[0].message)
    shape = profile(problem, found[0].x, TETHER, points=points)
    return Outcome(problem, found, shape, verdicts(problem, found[0].x, [shape]))
