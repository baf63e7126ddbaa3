"""Lymphocytes of a person who lacks a gene of IL-2 or of its receptors, as shares of the normal numbers.

Each cell sits in the IL-7, IL-15 and IL-2 of a healthy tissue (`DOSES`) until its receptors and STAT5 come to rest;
the defect takes away chains, a kinase or the cytokine. What is left of pSTAT5 (x, over that of a normal cell) sets a
balance of output and loss:

    dN/dt = d (o + (1 - o) U(x_output)) - d N (1 - s U(x_survival)) / (1 - s)      U(x) = (1 + h) x / (x + h)

New T cells need IL-7, new NK cells IL-15; survival reads all cytokines together. B cells need none of them. Treg per T
cell, and what each suppresses, come from the long-term balance of `il2.cell.treg`; they leave the same thymus, so that
their number is that times the number of T cells. Doses are held: what a lost receptor leaves over feeds nobody else,
but for IL-2 among Treg.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from il2.cell import treg
from il2.cell.simulate import simulate
from il2.cell.spread import Range, count_name, count_ranges, network_ranges, quantity_ranges
from il2.cell.treg import SUPPRESSION, TREG
from il2.cell.treg_course import TOLERANCES, balance_ranges
from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run as evaluated
from il2.engine.solve import solve
from il2.engine.steady import STEADY, steady
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import cell
from il2.knowledge.quantity import quantities, quantity
from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species, compose
from il2.network.part import with_quantities
from il2.network.program import Program, lower, lower_expressions
from il2.receptor.head import head
from il2.receptor.model import dose, system
from il2.receptor.trafficking import count
from il2.signalling.response import response_of
from il2.signalling.stat import JAK1, JAK3

GENES = ("IL2", "IL2RA", "IL2RB", "IL2RG", "JAK3", "IL7R")
DOSES = {"IL7": "tissue_IL7_at_rest", "IL15": "tissue_IL15_at_rest", "IL2": "tissue_IL2_at_rest"}
FELT = {"Th": ("IL7", "IL15", "IL2"), "CD8": ("IL7", "IL15", "IL2"), "NK": ("IL15", "IL2")}
OUTPUT = {"Th": "IL7", "CD8": "IL7", "NK": "IL15"}
TURNOVER = {"Th": "CD4_naive_death_rate", "CD8": "CD8_memory_turnover", "NK": "NK_turnover", "B": "B_return_rate"}
T, B, FUNCTION = "T", "B", "Treg_function"
SETTLED_d = 10 * 1000  # Treg that die out have gone by then, and the others have come to rest
SHARE, PER_DAY, BLOOD = "dimensionless", "1/d", "blood"
COUNTED = (T, *TURNOVER)
NUMBERS = (*COUNTED, TREG, FUNCTION)
"""Readouts of `numbers`."""

Defect = Mapping[str, np.ndarray | float]
"""Share that is left (0 to 1; a number or one for each variant) by gene: a chain, JAK1, JAK3 or a cytokine."""


def lost(gene: str) -> Defect:
    """A person without any of a gene."""
    return {gene: 0.0}


def numbers(
    defects: Mapping[str, Defect], values: Mapping[str, np.ndarray] | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """Numbers of lymphocytes, by defect and readout of `NUMBERS`, (variants,), as shares of those of a normal person.

    values: (variants,) by the name of a range (`ranges`); the default set alone without them. NaN where a lane failed.
    Raises Il2Error for a gene that no cell of the model has.
    """
    values = dict(values or {})
    left = signals({"": {}, **defects}, values)
    felt = {name: np.concatenate([left[d][name] for d in defects]) for name in left[""]}
    size = len(next(iter(left[""].values())))
    normal = {f"{name}_normal": np.tile(v, len(defects)) for name, v in left[""].items()}
    own = {name: np.tile(np.broadcast_to(v, (size,)), len(defects)) for name, v in values.items()}
    read = _read(balance(), own | felt | normal, COUNTED, _at_rest)
    read |= _treg(defects, values, size)
    read[TREG] = np.maximum(read[TREG], 0.0) * read[T]
    read[FUNCTION] = read[TREG] * read.pop(SUPPRESSION)
    return {d: {n: read[n].reshape(len(defects), size)[i] for n in NUMBERS} for i, d in enumerate(defects)}


def _treg(defects: Mapping[str, Defect], values: Mapping[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """Treg per T cell, and suppression by each, (defects * variants,), as shares of the normal ones."""
    values = {count(c) if (c := _chain_of_treg(name)) else name: v for name, v in values.items()}
    rows = {n: np.tile(np.broadcast_to(v, (size,)), len(defects)) for n, v in treg.at_rest(values).items()}
    shares = {treg.share(c): c for c in head("IL2").chains} | {treg.MADE: "IL2", treg.IL15: "IL15"}
    shares |= {kinase: kinase for kinase in (JAK1, JAK3)}
    rows |= {name: _left(defects, gene, size) for name, gene in shares.items()}
    return _read(treg.balance(), rows, (TREG, SUPPRESSION), _settled)


def _chain_of_treg(name: str) -> str:
    """The chain of a range that is a count of Treg; none for any other."""
    kind, _, chain = name.partition(" ")
    return chain if kind == TREG and chain in head("IL2").chains else ""


def _at_rest(network: Network, parameters: np.ndarray) -> np.ndarray:
    """States (lanes, states) of T, NK and B cells at rest; NaN where there are none."""
    found = steady(network, parameters, program=_lowered())
    return np.where((found.status == STEADY)[:, None], found.y, np.nan)


def _settled(network: Network, parameters: np.ndarray) -> np.ndarray:
    """States (lanes, states) of the balance of Treg after `SETTLED_d`; the search for a steady state would not end
    where Treg die out."""
    time = np.array([SETTLED_d * quantity("minutes_per_day").value])
    return solve(lower(network), parameters, time, tolerances=TOLERANCES).y[:, 0]


def _read(
    network: Network, rows: Mapping[str, np.ndarray], wanted: Sequence[str], states: Callable
) -> dict[str, np.ndarray]:
    """Readouts (lanes,) of the states that `states` finds; NaN where a value is missing."""
    every = {o.name: o.expr for o in network.observables} | {s: sym(s) for s in network.species_names}
    parameters = parameter_rows(network, rows)
    good = np.flatnonzero(np.isfinite(parameters).all(axis=-1))
    tape, places = lower_expressions(network, [every[name] for name in wanted])
    read = np.full((len(parameters), len(wanted)), np.nan)
    read[good] = evaluated(tape, {"y": states(network, parameters[good]), "p": parameters[good]}, places)
    return {name: read[:, k] for k, name in enumerate(wanted)}


@cache
def _lowered() -> Program:
    return lower(balance())


def _left(defects: Mapping[str, Defect], gene: str, size: int) -> np.ndarray:
    """What is left of a gene, (defects * size,)."""
    return np.concatenate([np.broadcast_to(np.asarray(d.get(gene, 1.0), float), (size,)) for d in defects.values()])


def signals(
    defects: Mapping[str, Defect], values: Mapping[str, np.ndarray] | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """pSTAT5 (variants,), share of all STAT5, by defect and `signal_name`, after a day at the doses of a tissue."""
    values = dict(values or {})
    sizes = {np.size(v) for v in values.values()} | {np.size(v) for d in defects.values() for v in d.values()}
    size = max(sizes, default=1)
    known = {c for m in DOSES for c in head(m).chains} | {JAK1, JAK3, *DOSES}
    for gene in (g for d in defects.values() for g in d):
        if gene not in known:
            raise Il2Error(f"no cell of the person reads {gene!r}", where="deficiency", how=did_you_mean(gene, known))
    day, out = quantity("minutes_per_day").value, {d: dict[str, np.ndarray]() for d in defects}
    for cytokine, level in DOSES.items():
        of = system(cytokine)
        kinds = [kind for kind, felt in FELT.items() if cytokine in felt]

        def given(name: str, default: float) -> np.ndarray:
            return np.tile(np.broadcast_to(values.get(name, default), (size,)), len(defects))

        own = (n for n in values if n in response_of(of).parameter_names)
        lanes = {n: np.tile(given(n, 0.0), len(kinds)) for n in own}
        held = given(level, quantity(level).value) / quantity("pM_per_nM").value
        lanes[dose(cytokine)] = np.tile(held * _left(defects, cytokine, size), len(kinds))
        lanes |= {kinase: np.tile(_left(defects, kinase, size), len(kinds)) for kinase in (JAK1, JAK3)}
        for chain in of.chains:
            counts = [given(count_name(k, chain), cell(k).counts[chain].value) for k in kinds]
            lanes[count(chain)] = np.concatenate([n * _left(defects, chain, size) for n in counts])
        shares = simulate(of, lanes, np.array([day])).pstat5[:, 0].reshape(len(kinds), len(defects), size)
        for i, kind in enumerate(kinds):
            for j, d in enumerate(defects):
                out[d][signal_name(kind, cytokine)] = shares[i, j]
    return out


def signal_name(kind: str, cytokine: str) -> str:
    return f"pSTAT5_{kind}_{cytokine}"


@cache
def balance() -> Network:
    """The balance of T, NK and B cells. Its signals, and those of a normal person, are parameters (`signal_name`)."""
    th, cd8 = sym("blood_CD4_count"), sym("blood_CD8_count")
    every = (th * sym(_cells("Th")) + cd8 * sym(_cells("CD8"))) / (th + cd8)
    felt = tuple(
        Parameter(signal_name(kind, c) + more, 1.0, SHARE)
        for kind, cytokines in FELT.items() for c in cytokines for more in ("", "_normal")
    )  # fmt: skip
    seen = (*(Observable(kind, sym(_cells(kind)), SHARE) for kind in TURNOVER), Observable(T, every, SHARE))
    parts = (Network("signals", parameters=felt), *map(_kept, TURNOVER), Network("numbers", observables=seen))
    return compose("deficiency", *map(with_quantities, parts))


def _cells(kind: str) -> str:
    return f"{kind}_cells"


def _total(kind: str, more: str) -> Expr:
    first, *rest = (sym(signal_name(kind, c) + more) for c in FELT[kind])
    for x in rest:
        first = first + x
    return first


def _felt(left: Expr, normal: Expr) -> Expr:
    """The signal that is left over the normal one, told as what it does: 1 at the normal signal."""
    level = sym("cytokine_signal_half") * normal
    return (1 + sym("cytokine_signal_half")) * left / (left + level)


def _kept(kind: str) -> Network:
    """Output and loss of one kind of cell; both are equal at the normal number."""
    rate, name, by_signal = sym(TURNOVER[kind]), _cells(kind), sym("survival_by_cytokine_signal")
    made, saved = num(1.0), by_signal
    if kind in OUTPUT:
        own, basic = signal_name(kind, OUTPUT[kind]), sym("lymphocyte_output_without_cytokine")
        made = basic + (1 - basic) * _felt(sym(own), sym(f"{own}_normal"))
        saved = by_signal * _felt(_total(kind, ""), _total(kind, "_normal"))
    lost_ = (1 - saved) / (1 - by_signal)
    return Network(
        kind,
        (Compartment(BLOOD, 3),),
        (Species(name, BLOOD, num(1.0), SHARE),),
        reactions=(
            Reaction(f"new {kind}", {name: 1}, rate * made, num(0.0), PER_DAY),
            Reaction(f"{kind} die", {name: -1}, rate * lost_ * sym(name), num(0.0), PER_DAY),
        ),
    )


def ranges() -> tuple[Range, ...]:
    """Ranges of all that `numbers` takes from tables, each name once."""
    names = {*balance().parameter_names, *DOSES.values()}
    found = [
        *balance_ranges(),
        *(r for m in DOSES for r in network_ranges(m)),
        *(r for kind, felt in FELT.items() for m in felt for r in count_ranges(kind, m)),
        *quantity_ranges(*sorted(names & quantities().keys())),
    ]
    return tuple({r.name: r for r in found}.values())
