"""How the cells of the body answer a drug: uptake and pSTAT5 over concentration, read from the receptor layer.

The receptor network of each cell is solved at constant concentrations, with its IL2RA and without. What it gives is
written as sums of saturable terms with shared half-saturations, so that a patient holds few states and ligands that
share receptors compete: uptake = sum u x / (K + x), pSTAT5 = sum e x^s / (K^s + x^s) with s = 1 and 2, where x is the
concentration over how much weaker the ligand binds IL2RB. The terms are found by least squares without negative terms;
how far they are off is kept beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from il2.cell.simulate import TOLERANCES
from il2.cell.spread import count_name
from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run
from il2.engine.solve import solve
from il2.errors import Il2Error
from il2.knowledge.cell import cell
from il2.knowledge.drug import Drug
from il2.knowledge.quantity import quantity
from il2.network.expression import Expr, add, symbols
from il2.network.network import Network, right_hand_side
from il2.network.program import lower_expressions
from il2.receptor.addition import Mixture, mixture
from il2.receptor.head import factor
from il2.receptor.ligand import ligand
from il2.receptor.membrane import MEDIUM
from il2.receptor.model import dose
from il2.receptor.trafficking import count
from il2.signalling.response import program_of, response_of
from il2.signalling.stat import phosphorylated

CELLS = ("Treg", "Th", "CD8", "NK", "NK_CD56bright", "B", "ILC2")
IL2RA = "IL2RA"
WHOLE, BARE = "", "_bare"
UPTAKE_nM = tuple(10.0**k for k in (-2, -1, 0, 1))
SIGNAL_nM = tuple(10.0**k for k in (-2.3, -1.5, -0.7, 0.1, 0.9))
STEPS = (1, 2)
CURVE_nM = np.logspace(-4, 2.5, 21)
LEAST_WEIGHT = 0.02  # of the largest value, beside which smaller ones count alike


@dataclass(frozen=True)
class Answer:
    """Terms of one kind of cell. uptake: (variants, len(UPTAKE_nM)) molecule/(cell*h); pstat5: (variants,
    len(STEPS) * len(SIGNAL_nM)). error: largest deviation over the largest value of uptake and of pSTAT5 at
    `CURVE_nM`, (variants, 2)."""

    uptake: np.ndarray
    pstat5: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Curves:
    """What the receptor layer gives: uptake (variants, doses) in molecule/(cell*h) and pSTAT5, at `CURVE_nM` times how
    much weaker the ligand binds (`weakness`)."""

    uptake: np.ndarray
    pstat5: np.ndarray


def uptake_basis(c: np.ndarray) -> np.ndarray:
    """Saturable terms (..., classes) at concentrations c (nM)."""
    return c[..., None] / (np.array(UPTAKE_nM) + c[..., None])


def signal_basis(c: np.ndarray) -> np.ndarray:
    return np.concatenate([c[..., None] ** s / (np.array(SIGNAL_nM) ** s + c[..., None] ** s) for s in STEPS], axis=-1)


def answers(
    of: Drug, kinds: Sequence[str] = CELLS, variants: Mapping[str, np.ndarray] | None = None
) -> dict[tuple[str, str], Answer]:
    """Terms by kind of cell and by whether it has its IL2RA (`WHOLE`, `BARE`).

    variants: values (size,) by name: quantities, dissociation constants, counts `CELL CHAIN`; the default set alone
    without them.
    """
    different, place = _different(of, kinds, variants or {})
    found = {key: _terms(curve) for key, curve in curves(of, kinds, different).items()}
    return {key: Answer(a.uptake[place], a.pstat5[place], a.error[place]) for key, a in found.items()}


def _different(
    of: Drug, kinds: Sequence[str], variants: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The variants that differ in what a cell's answer rests on, and which of them each variant is."""
    mix = mixture(ligand(of.ligand))
    own = {*response_of(mix.system).parameter_names, "quasi_steady_time", *of.kinetics.values()}
    own |= {count_name(kind, chain) for kind in kinds for chain in mix.system.chains}
    size = max((np.size(v) for v in variants.values()), default=1)
    held = {name: np.broadcast_to(np.asarray(v, float), (size,)) for name, v in variants.items() if name in own}
    if not held:
        return {}, np.zeros(size, dtype=int)
    rows, place = np.unique(np.stack(list(held.values()), axis=-1), axis=0, return_inverse=True)
    return dict(zip(held, rows.T, strict=True)), place.ravel()


def curves(
    of: Drug,
    kinds: Sequence[str] = CELLS,
    variants: Mapping[str, np.ndarray] | None = None,
    levels_nM: np.ndarray = CURVE_nM,
    hours: float | None = None,
) -> dict[tuple[str, str], Curves]:
    """Uptake and pSTAT5 of every kind of cell with and without IL2RA at each level, after
    `quasi_steady_time` or after `hours`."""
    variants = dict(variants or {})
    size = max((len(v) for v in variants.values()), default=1)
    mix = mixture(ligand(of.ligand))
    network, program = response_of(mix.system), program_of(mix.system)
    tape, places = lower_expressions(network, [_uptake(network, mix), network.observable(phosphorylated("STAT5"))])
    keys = [(kind, share) for kind in kinds for share in (WHOLE, BARE)]
    shape = (len(keys), size, len(levels_nM))

    def lanes(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, shape).ravel()

    table: dict[str, np.ndarray | float] = {
        name: lanes(np.asarray(v, float)[None, :, None]) for name, v in variants.items()
    }
    table |= {count(c): 0.0 for c in mix.system.chains} | mix.values
    for chain in mix.system.chains:
        own = [_count(kind, chain, variants, size) * (chain != IL2RA or share == WHOLE) for kind, share in keys]
        table[count(chain)] = lanes(np.array(own)[:, :, None])
    for interface in (IL2RA, "IL2RB"):
        name = of.kinetics.get(f"{interface}_weaker")
        if name:
            fold = np.asarray(variants.get(name, quantity(name).value), float)
            label = factor(mix.slot, interface)
            table[label] = lanes(np.atleast_1d(fold)[None, :, None]) * float(mix.values.get(label, 1.0))
    table[dose(mix.slot)] = lanes(levels_nM * weakness(of, variants)[None, :, None])
    if mix.system.depleted:
        table["cells_per_mL"] = quantity("dilute_culture").value
    rows = parameter_rows(network, table)
    default = variants.get("quasi_steady_time", quantity("quasi_steady_time").value)
    read = np.asarray(default if hours is None else hours, float)
    minutes = lanes(np.atleast_1d(read)[None, :, None] * quantity("minutes_per_hour").value)[:, None]
    solved = solve(program, rows, minutes, tolerances=TOLERANCES)
    if (solved.status != 0).any():
        lane = int(np.flatnonzero(solved.status)[0])
        raise Il2Error(f"the receptors of a cell cannot be solved: {solved.reason(lane)}", where=of.name)
    out = run(tape, {"y": solved.y, "p": rows[:, None, :]}, places)[:, 0].reshape(*shape, 2)
    hourly = out[..., 0] * quantity("minutes_per_hour").value
    return {key: Curves(hourly[i], out[i, ..., 1]) for i, key in enumerate(keys)}


def weakness(of: Drug, variants: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """How much weaker a drug binds IL2RB than its ligand, (variants,) or (1,)."""
    name = of.kinetics.get("IL2RB_weaker")
    return np.atleast_1d(np.asarray((variants or {}).get(name, quantity(name).value) if name else 1.0, float))


def _count(kind: str, chain: str, variants: Mapping[str, np.ndarray], size: int) -> np.ndarray:
    known = cell(kind).counts.get(chain)
    default = known.value if known else 0.0
    return np.broadcast_to(np.asarray(variants.get(count_name(kind, chain), default), float), (size,))


def _uptake(network: Network, mix: Mixture) -> Expr:
    """Ligand that a cell takes out of the medium, net, in molecule/(cell*min)."""
    if not mix.system.depleted:
        return add(*(r.rate for r in network.reactions if dose(mix.slot) in symbols(r.rate)))
    falls = right_hand_side(network)
    ending = "@" + MEDIUM
    held = [n for n in falls if n.endswith(ending) and mix.slot in n.removesuffix(ending).split(".")]
    return add(*(-falls[name] for name in held))


def _terms(found: Curves) -> Answer:
    uptake, off_uptake = _least_squares(uptake_basis(CURVE_nM), found.uptake)
    pstat5, off_pstat5 = _least_squares(signal_basis(CURVE_nM), found.pstat5)
    return Answer(uptake, pstat5, np.stack([off_uptake, off_pstat5], axis=-1))


def _least_squares(basis: np.ndarray, curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Terms without negative ones (variants, classes) and the largest deviation over the largest value."""
    found, off = np.zeros((len(curves), basis.shape[1])), np.zeros(len(curves))
    for i, y in enumerate(np.maximum(curves, 0.0)):
        top = float(y.max())
        if top > 0:
            weight = 1 / (y + LEAST_WEIGHT * top)
            found[i], _ = nnls(basis * weight[:, None], y * weight)
            off[i] = float(np.abs(basis @ found[i] - y).max()) / top
    return found, off
