"""Courses of the long-term balance of Treg (`il2.cell.treg`): from the normal state, through what is changed when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from il2.cell.ranges import output_ranges
from il2.cell.spread import Range, count_name, count_ranges, network_ranges, quantity_ranges
from il2.cell.treg import DOSES, KIND, at_rest, balance
from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run as evaluated
from il2.engine.event import Switch
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantities, quantity
from il2.network.expression import sym
from il2.network.program import lower, lower_expressions
from il2.receptor.model import system
from il2.receptor.trafficking import count

SETTLING_d = 10.0  # the receptors of a cell come to rest within hours
TOLERANCES = Tolerances(rtol=1e-7, atol=1e-10)


@dataclass(frozen=True)
class Turn:
    """Parameters of `balance` set from a day on: shares of chains, `IL2_making`, `Treg_depletion` (1/d) and others."""

    changes: Mapping[str, float]
    day: float = 0.0


Plan = Sequence[Turn]


def follow(
    plans: Mapping[str, Plan],
    days: np.ndarray,
    wanted: Iterable[str],
    values: Mapping[str, np.ndarray] | None = None,
) -> dict[str, dict[str, np.ndarray]]:
    """Readouts (variants, times) by plan and name, at `days` (times,), rising from 0 up; day 0 is the normal state.

    wanted: species or observables of `balance`. values: (variants,) by the name of a range (`balance_ranges`); the
    default set alone without them. NaN where a lane failed. Raises Il2Error for an unknown name.
    """
    network, values = balance(), dict(values or {})
    labels, wanted = list(plans), tuple(wanted)
    every = {o.name: o.expr for o in network.observables} | {s: sym(s) for s in network.species_names}
    for name in wanted:
        if name not in every:
            raise Il2Error(f"no readout {name!r}", where="Treg balance", how=did_you_mean(name, every))
    known = network.parameter_names
    for name in (n for plan in plans.values() for turn in plan for n in turn.changes):
        if name not in known:
            raise Il2Error(f"no parameter {name!r}", where="Treg balance", how=did_you_mean(name, known))
    for chain in system("IL2").chains:
        if count_name(KIND, chain) in values:
            values[count(chain)] = values.pop(count_name(KIND, chain))
    normal = at_rest(values)
    size = max((np.size(v) for v in normal.values()), default=1)
    good = np.flatnonzero(np.logical_and.reduce([np.isfinite(np.broadcast_to(v, (size,))) for v in normal.values()]))
    rows = np.broadcast_to(parameter_rows(network, normal), (size, len(network.parameters)))[good]
    parameters = np.tile(rows, (len(labels), 1))
    minutes = quantity("minutes_per_day").value
    found = run(
        network, parameters, (np.asarray(days, float) + SETTLING_d) * minutes,
        _switches([plans[k] for k in labels], len(good), minutes), tolerances=TOLERANCES, program=lower(network),
    )  # fmt: skip
    tape, places = lower_expressions(network, [every[n] for n in wanted])
    read = evaluated(tape, {"y": found.y, "p": parameters[:, None, :]}, places)
    out = np.full((len(labels), size, len(days), len(wanted)), np.nan)
    out[:, good] = read.reshape(len(labels), len(good), len(days), len(wanted))
    return {k: {n: out[i, ..., j] for j, n in enumerate(wanted)} for i, k in enumerate(labels)}


def _switches(plans: Sequence[Plan], lanes: int, minutes: float) -> list[Switch]:
    """One switch per parameter and turn, for the lanes of the plans that have it; never for the others."""
    out = []
    for i in range(max((len(p) for p in plans), default=0)):
        for name in dict.fromkeys(n for p in plans if i < len(p) for n in p[i].changes):
            has = [i < len(p) and name in p[i].changes for p in plans]
            times = [(p[i].day + SETTLING_d) * minutes if h else np.inf for p, h in zip(plans, has, strict=True)]
            new = [p[i].changes[name] if h else 0.0 for p, h in zip(plans, has, strict=True)]
            out.append(Switch(np.repeat(times, lanes), name, np.repeat(new, lanes)))
    return out


def balance_ranges() -> tuple[Range, ...]:
    """Ranges of all that the balance takes from tables, each name once."""
    names = {*balance().parameter_names, *DOSES.values()}
    found = [
        *network_ranges("IL2"),
        *count_ranges(KIND, "IL2"),
        *quantity_ranges(*sorted(names & quantities().keys())),
        *(r for r in output_ranges() if r.name in names),
    ]
    return tuple({r.name: r for r in found}.values())
