"""The full form: every kind of cell of a patient with its receptors and STAT5, each a state of its own.

It is the form that the terms of `il2.patient.answer` shorten, kept to check them: binding, uptake, recycling and
feedback then have their own times. It serves IL-2 without antibodies and muteins. All cells of a kind are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from il2.errors import Il2Error
from il2.network.expression import Expr, add, num, substitute, sym, symbols
from il2.network.network import Network, Parameter, Reaction
from il2.network.part import with_quantities
from il2.patient.signal import Ligand, Senses
from il2.receptor.model import dose, system
from il2.receptor.trafficking import count
from il2.signalling.response import response_of
from il2.signalling.stat import phosphorylated

OWN = "IL2"
SEPARATOR = ":"
PER_DAY = "minutes_per_day"


def named(kind: str, name: str) -> str:
    """Name of a state or count of a kind of cell."""
    return f"{kind}{SEPARATOR}{name}"


def uptake_at_rest(kind: str) -> str:
    """Name of the uptake (molecule/(cell*h)) under the IL-2 of tissue before treatment."""
    return f"IL2_uptake_at_rest_{kind}"


def pstat5_at_rest(kind: str) -> str:
    return f"pSTAT5_at_rest_{kind}"


@dataclass(frozen=True)
class _Sensed:
    """Uptake and pSTAT5 by kind of cell; uptake is shared out between the ligands by concentration."""

    uptakes: Mapping[str, Expr]
    signals: Mapping[str, Expr]
    shares: Mapping[str, Expr]

    def uptake(self, item: Ligand, kind: str) -> Expr:
        return self.uptakes[kind] * self.shares[item.name]

    def pstat5(self, kind: str) -> Expr:
        return self.signals[kind]


def receptors(
    kinds: tuple[str, ...], ligands: tuple[Ligand, ...], free: Expr | None
) -> tuple[Senses, Senses, list[Network]]:
    """What the cells sense now and at rest, and their networks; Il2Error for what the full form does not hold."""
    if free is not None or any(item.terms != OWN for item in ligands):
        why = "antibodies and muteins are in the short form alone"
        raise Il2Error("the full form holds IL-2 alone", where="patient", why=why, how="Leave `full` out.")
    level = add(*(item.concentration for item in ligands))
    parts, uptakes, signals = [], {}, {}
    for kind in kinds:
        part, uptakes[kind], signals[kind] = _cell(kind, level)
        parts.append(part)
    rest = Network(
        "at rest",
        parameters=(
            *(Parameter(uptake_at_rest(k), 0.0, "molecule/(cell*h)") for k in kinds),
            *(Parameter(pstat5_at_rest(k), 0.0, "dimensionless") for k in kinds),
        ),
    )
    now = _Sensed(uptakes, signals, {item.name: item.concentration / level for item in ligands})
    before = _Sensed(
        {k: sym(uptake_at_rest(k)) for k in kinds},
        {k: sym(pstat5_at_rest(k)) for k in kinds},
        {item.name: num(1.0) for item in ligands},
    )
    return now, before, [*parts, rest]


def _cell(kind: str, level: Expr) -> tuple[Network, Expr, Expr]:
    """The receptor network of a kind of cell in d, its uptake in molecule/(cell*h), and its pSTAT5."""
    of = system(OWN)
    n = response_of(of)
    own = {*n.species_names, *(count(c) for c in of.chains)}
    for d in n.derived:
        if symbols(d.expr) & own:
            own.add(d.name)
    table = {name: sym(named(kind, name)) for name in own} | {dose(OWN): level}

    def sub(e: Expr) -> Expr:
        return substitute(e, table)

    def new(name: str) -> str:
        return named(kind, name) if name in own else name

    taken = add(*(r.rate for r in n.reactions if dose(OWN) in symbols(r.rate)))
    part = replace(
        n,
        name=kind,
        species=tuple(replace(s, name=new(s.name), initial=sub(s.initial)) for s in n.species),
        parameters=tuple(replace(p, name=new(p.name)) for p in n.parameters if p.name != dose(OWN)),
        derived=tuple(replace(d, name=new(d.name), expr=sub(d.expr)) for d in n.derived),
        reactions=tuple(_daily(r, kind, new, sub) for r in n.reactions),
        observables=(),
    )
    return with_quantities(part), sub(taken) * sym("minutes_per_hour"), sub(n.observable(phosphorylated("STAT5")))


def _daily(r: Reaction, kind: str, new, sub) -> Reaction:
    """A reaction of the receptor layer, whose time is min, in d."""
    unit = r.unit.replace("min", "d")
    forward, reverse = (sub(e) * sym(PER_DAY) for e in (r.forward, r.reverse))
    return Reaction(named(kind, r.name), {new(k): v for k, v in r.change.items()}, forward, reverse, unit)
