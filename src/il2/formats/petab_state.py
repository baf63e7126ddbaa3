"""A block as PEtab can say it: a network of which each condition sets parameters to numbers or to free numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from il2.fit.block import Block
from il2.network.expression import mul, power, sym
from il2.network.network import Derived, Network, Parameter, check

Cell = str | float


@dataclass(frozen=True)
class Stated:
    """A network of which conditions set parameters: columns by parameter name, a number or a free number each lane."""

    network: Network
    columns: dict[str, list[Cell]]


def state(of: Block) -> Stated:
    """The network of a block, changed so that each condition need only set parameters to numbers or free numbers."""
    network, columns = of.network, dict[str, list[Cell]]()
    values: dict[str, float] = {}
    added: list[Parameter] = []
    derived: list[Derived] = []
    for j, p in enumerate(network.parameters):
        base = of.base[:, j]
        slots = _slots(of, p.name)
        if _plain(slots, base):
            columns[p.name] = [free or float(base[i]) for i, free in enumerate(slots[0][1])]
            continue
        target = f"{p.name} base" if slots else p.name
        if slots:
            added.append(Parameter(target, float(base[0]), p.unit))
            factors = []
            for n, (exponent, frees) in enumerate(slots, 1):
                factor = f"{p.name} factor {n}"
                added.append(Parameter(factor, 1.0, "dimensionless"))
                columns[factor] = [free or 1.0 for free in frees]
                factors.append(power(sym(factor), exponent))
            derived.append(Derived(p.name, mul(sym(target), *factors), p.unit))
        elif (base == base[0]).all():
            values[p.name] = float(base[0])
        if (base != base[0]).any():
            columns[target] = [float(v) for v in base]
    replaced = {d.name for d in derived}
    kept = tuple(p for p in network.with_values(values).parameters if p.name not in replaced)
    changed = replace(network, parameters=(*kept, *added), derived=(*derived, *network.derived))
    return Stated(check(changed), columns)


def _slots(of: Block, parameter: str) -> list[tuple[float, list[str]]]:
    """Uses of a parameter packed into as few factors as lanes allow: (power, free number or "" of each lane)."""
    slots: list[tuple[float, list[str]]] = []
    for use in of.uses:
        if use.parameter != parameter:
            continue
        lanes = np.arange(of.lanes)[use.lanes]
        for exponent, frees in slots:
            if exponent == use.power and not any(frees[i] for i in lanes):
                break
        else:
            frees = [""] * of.lanes
            slots.append((use.power, frees))
        for i in lanes:
            frees[i] = use.free
    return slots


def _plain(slots: list[tuple[float, list[str]]], base: np.ndarray) -> bool:
    """Whether each lane sets the parameter to a free number or to a number, with nothing to multiply."""
    return len(slots) == 1 and slots[0][0] == 1 and all(b == 1 for b, f in zip(base, slots[0][1], strict=True) if f)
