"""Wells times variants of the model as lanes of one batch: parameters, events, and readouts as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from il2.cell.cohort import named
from il2.cell.happenings import HOUR, events_of
from il2.cell.medium import COSTIMULATION, PRESENTING, VOLUME, well_network
from il2.cell.spread import count_name
from il2.cell.well import KNOCKOUTS, RECEPTOR_ANTIBODIES, Well, chains, traits
from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run as evaluated
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import cell
from il2.knowledge.species import species_values
from il2.network.expression import Expr, sym
from il2.network.network import Network
from il2.network.program import Program, lower, lower_expressions
from il2.receptor.model import System, system
from il2.receptor.trafficking import count
from il2.signalling.models import several

LANES_AT_ONCE = 2_000  # bounds memory; lanes do not depend on one another
TOLERANCES = Tolerances(rtol=1e-6, atol=1e-8, first_step=1e-4)
ARMS = 2


@dataclass(frozen=True)
class Setup:
    """What decides the equations of a well; wells that share it are solved together."""

    molecules: tuple[str, ...]
    cohorts: tuple[str, ...]
    genes: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


@dataclass(frozen=True)
class Courses:
    """Readouts of one well by name, (variants, times); `reasons`: why a variant failed, empty for a good one."""

    values: Mapping[str, np.ndarray]
    reasons: tuple[str, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.values:
            raise Il2Error(f"no readout {name!r}", where="culture", how=did_you_mean(name, self.values))
        return self.values[name]


def setup(well: Well, genes: tuple[str, ...] = (), products: tuple[str, ...] = ()) -> Setup:
    return Setup(well.molecules, tuple(c.label for c in well.cells), genes, products)


def receptors(molecules: tuple[str, ...]) -> System:
    """The receptor system of a well: cytokines with one head, antibodies with two arms."""
    return system(*(several(m, ARMS) if m in RECEPTOR_ANTIBODIES else m for m in molecules))


@lru_cache(maxsize=8)
def lowered(found: Setup) -> tuple[Network, Program]:
    """The network of a set-up and its program; large ones take seconds to lower."""
    network = network_of(found)
    return network, lower(network)


def network_of(found: Setup) -> Network:
    return well_network(receptors(found.molecules), found.cohorts, found.genes, found.products)


def solve_wells(
    wells: Sequence[Well],
    times_h: np.ndarray,
    wanted: Iterable[str],
    *,
    variants: Mapping[str, np.ndarray] | None = None,
    genes: tuple[str, ...] = (),
    products: tuple[str, ...] = (),
    on_done: Callable[[int], None] | None = None,
    threads: int | None = None,
) -> list[Courses]:
    """Courses of each well at `times_h` (times,), rising from 0 up.

    wanted: names of observables or species; a name without a cohort is read of every cohort that has it, or of the
    medium. variants: values (size,) by name of a range (`il2.cell.ranges`): a quantity, a dissociation constant, a
    count `CELL CHAIN`, a trait `CELL trait`; the default set alone without them. on_done: told how many lanes are done.
    """
    wanted, variants = tuple(wanted), variants or {}
    sizes = {len(v) for v in variants.values()} or {1}
    if len(sizes) > 1:
        raise Il2Error(f"variants of {sorted(sizes)} values", where="culture", how="Give each name as many values.")
    (size,) = sizes
    out: dict[int, Courses] = {}
    groups: dict[Setup, list[int]] = {}
    for i, well in enumerate(wells):
        groups.setdefault(setup(well, genes, products), []).append(i)
    for found, members in groups.items():
        network, program = lowered(found)
        readouts = _readouts(network, found, wanted)
        tape, places = lower_expressions(network, list(readouts.values()))
        here = [wells[i] for i in members]
        for well in here:
            _check_changes(well, network, variants)
        tables = [values_of(well, found, variants) for well in here]
        lane_well, lane_variant = (a.ravel() for a in np.indices((len(here), size)))
        pieces, reasons = [], []
        for start in range(0, len(lane_well), LANES_AT_ONCE):
            piece = slice(start, start + LANES_AT_ONCE)
            w, v = lane_well[piece], lane_variant[piece]
            parameters = _parameters(network, tables, variants, w, v)
            solved = run(
                network, parameters, np.asarray(times_h) * HOUR, events_of(here, found.molecules, w),
                tolerances=TOLERANCES, program=program, threads=threads,
            )  # fmt: skip
            pieces.append(evaluated(tape, {"y": solved.y, "p": parameters[:, None, :]}, places))
            reasons += [solved.reason(k) for k in range(len(w))]
            if on_done:
                on_done(len(w))
        every = np.concatenate(pieces).reshape(len(here), size, len(times_h), len(readouts))
        for k, i in enumerate(members):
            values = {name: every[k, :, :, j] for j, name in enumerate(readouts)}
            out[i] = Courses(values, tuple(reasons[k * size : (k + 1) * size]))
    return [out[i] for i in range(len(wells))]


def values_of(well: Well, found: Setup, variants: Mapping[str, np.ndarray] | None = None) -> dict[str, float | str]:
    """What a well sets, by parameter name: a number, or the name of the variant that holds it."""
    variants = variants or {}
    own = species_values(well.species)
    out: dict[str, float | str] = {name: v.value for name, v in own.items() if name not in variants}
    out |= {VOLUME: well.volume_uL, PRESENTING: well.presenting_cells, COSTIMULATION: well.costimulation}
    for c in well.cells:
        kind = cell(c.kind)
        for chain in chains(well.molecules):
            name = count_name(kind.name, chain)
            known = kind.counts.get(chain)
            value = own[name].value if name in own else known.value if known else 0.0
            out[named(c.label, count(chain))] = name if name in variants else value
        for trait, row in traits(c.kind).items():
            name = count_name(row["cell"], trait)
            out[named(c.label, trait)] = name if name in variants else float(row["value"])
        out[named(c.label, "cells_at_start")] = c.number
        receptors_known = "TCR_count" in traits(c.kind) or "TCR_count" in c.changes
        out[named(c.label, "antigen_specific")] = float(c.specific and receptors_known)
        for gene in c.without:
            out |= {named(c.label, name): value for name, value in KNOCKOUTS[gene].items()}
        out |= {named(c.label, name): value for name, value in c.changes.items()}
    return out | dict(well.changes)


def _check_changes(well: Well, network: Network, variants: Mapping[str, np.ndarray]) -> None:
    """A change of a number that the network lacks, or to a variant that is not given, is an Il2Error."""
    known = set(network.parameter_names)
    for where, start, changes in (
        ("Well", "", well.changes),
        *((c.label, named(c.label, ""), c.changes) for c in well.cells),
    ):
        for name, value in changes.items():
            if start + name not in known:
                own = [n.removeprefix(start) for n in known if n.startswith(start)]
                raise Il2Error(f"no number {name!r} to change", where=where, how=did_you_mean(name, sorted(own)))
            if isinstance(value, str) and value not in variants:
                how = did_you_mean(value, variants) or "Give its values as a variant."
                raise Il2Error(f"no variant {value!r} for {name}", where=where, how=how)


def _parameters(
    network: Network,
    tables: list[dict[str, float | str]],
    variants: Mapping[str, np.ndarray],
    w: np.ndarray,
    v: np.ndarray,
) -> np.ndarray:
    names = dict.fromkeys(name for table in tables for name in table)
    values: dict[str, np.ndarray | float] = {n: x[v] for n, x in variants.items() if n in network.parameter_names}
    defaults = network.defaults()
    for name in names:
        if name not in defaults:
            continue
        first = values.get(name, defaults[name])
        column = np.broadcast_to(np.asarray(first, float), w.shape).copy()
        for k, table in enumerate(tables):
            if name in table:
                given, lanes = table[name], w == k
                column[lanes] = variants[given][v[lanes]] if isinstance(given, str) else given
        values[name] = column
    rows_ = parameter_rows(network, values)
    return np.repeat(rows_, len(w), axis=0) if len(rows_) == 1 and len(w) > 1 else rows_


def _readouts(network: Network, found: Setup, wanted: tuple[str, ...]) -> dict[str, Expr]:
    """Expressions by name of the readout; a name of a cohort is read of each."""
    every = {o.name: o.expr for o in network.observables} | {s: sym(s) for s in network.species_names}
    out: dict[str, Expr] = {}
    for name in wanted:
        names = [n for n in (name, *(named(c, name) for c in found.cohorts)) if n in every]
        if not names:
            raise Il2Error(f"no readout {name!r}", where="culture", how=did_you_mean(name, every))
        out |= {n: every[n] for n in names}
    return out
