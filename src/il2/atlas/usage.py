"""Where the models use a number: parameters, the reactions that hold them, and the rows that they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.calibrated import chosen
from il2.knowledge.quantity import Quantity, quantities
from il2.knowledge.table import keyed, listed, number, rows
from il2.network.expression import symbols
from il2.network.network import Network, Reaction
from il2.signalling.models import MODELS

INPUTS = {  # parameters that no row holds, because each run sets them: ending of the name, and who sets it
    "_dose": "the dose that a run is given",
    "_count": "receptors per cell: receptor_counts of the chosen cell, or counts of your own",
    "JAK1": "share of JAK1 that works, 1 in a normal cell; --dial",
    "JAK3": "share of JAK3 that works, 1 in a normal cell; --dial",
    "cells_per_mL": "density of cells; the default is the quantity culture_density",
}
FACTOR = "_factor_"
FACTOR_TEXT = "quotient of affinities of the molecule and the wild type at one interface: molecules, assay_references"


@dataclass(frozen=True)
class Use:
    """Where a number enters: reactions of a model, by name."""

    model: str
    reactions: tuple[str, ...]


@cache
def network(model: str) -> Network:
    return MODELS[model].build()


@cache
def numbers() -> dict[str, Quantity]:
    """Every number that a network may use, by the name of its parameter: quantities and dissociation constants."""
    return {**quantities(), **{q.name: q for q in (*_steps(), *_partners())}}


def resolved(parameter: str) -> Quantity | str | None:
    """The row behind a parameter, or in words who sets it, or None where nothing is known of it."""
    if parameter in numbers():
        return numbers()[parameter]
    if FACTOR in parameter:
        return FACTOR_TEXT
    return next((text for end, text in INPUTS.items() if parameter.endswith(end)), None)


def parameters(model: str, reaction: Reaction) -> tuple[str, ...]:
    """Parameters on which the rate of a reaction of a model depends, through derived constants too, in their order."""
    below, order = _derived(model), network(model).parameter_names
    found: set[str] = set()
    for name in symbols(reaction.forward) | symbols(reaction.reverse):
        found |= below.get(name, {name})
    return tuple(name for name in order if name in found)


@cache
def _derived(model: str) -> dict[str, set[str]]:
    """What every derived constant of a model depends on; they are defined before use."""
    table: dict[str, set[str]] = {}
    for d in network(model).derived:
        table[d.name] = set().union(*(table.get(name, {name}) for name in symbols(d.expr)))
    return table


def told() -> list[str]:
    """Models whose reactions are told: all but those that are like another."""
    return [name for name, model in MODELS.items() if not model.like]


@cache
def uses() -> dict[str, tuple[Use, ...]]:
    """Uses of every parameter of the models that are told."""
    found: dict[str, list[Use]] = {}
    for model in told():
        by_name: dict[str, list[str]] = {}
        for reaction in network(model).reactions:
            for name in parameters(model, reaction):
                by_name.setdefault(name, []).append(reaction.name)
        for name, reactions in by_name.items():
            found.setdefault(name, []).append(Use(model, tuple(reactions)))
    return {name: tuple(u) for name, u in found.items()}


def homes(name: str) -> list[tuple[str, Reaction]]:
    """Models that hold a reaction of this name, `model: reaction` for one of them."""
    model, colon, rest = name.partition(": ")
    if colon and model in MODELS:
        return [(model, r) for r in network(model).reactions if r.name == rest]
    return [(m, r) for m in told() for r in network(m).reactions if r.name == name]


def reaction_names() -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.name for m in told() for r in network(m).reactions))


@dataclass(frozen=True)
class Mechanism:
    """Reactions of a model that carry what a claim states."""

    claim: str
    model: str
    reactions: tuple[str, ...]
    role: str


@cache
def mechanisms() -> tuple[Mechanism, ...]:
    """Which reactions carry which claims; a pattern that matches no reaction is an error."""
    return tuple(
        Mechanism(row["claim"], row["model"], _matching(row["model"], row["reaction"]), row["role"])
        for row in rows("mechanisms")
    )


def _matching(model: str, pattern: str) -> tuple[str, ...]:
    if model not in MODELS:
        raise Il2Error(f"unknown model {model!r}", where="mechanisms.csv", how=did_you_mean(model, MODELS))
    names = [r.name for r in network(model).reactions]
    start = pattern.removesuffix("*")
    found = [n for n in names if (n.startswith(start) if pattern.endswith("*") else n == pattern)]
    if not found:
        raise Il2Error(f"{model} has no reaction {pattern!r}", where="mechanisms.csv", how=did_you_mean(pattern, names))
    return tuple(found)


def _steps() -> list[Quantity]:
    return [
        _constant(
            f"KD_{row['ligand']}_{row['product'].replace('+', '_')}", f"{row['ligand']}: {row['step']}", row["kd"], row
        )
        for row in rows("affinities")
    ]


def _partners() -> list[Quantity]:
    return [
        _constant(f"KD_{name}", f"{row['target']} > {name}", row["kd_nM"], row | {"unit": "nM"})
        for name, row in keyed("partners", "name").items()
    ]


def _constant(name: str, step: str, kd: str, row: dict[str, str]) -> Quantity:
    value, low, high = chosen(name, float(kd)), number(row["low"]), number(row["high"])
    return Quantity(
        name, "receptor", "KD", value, row["unit"], None if low is None else min(low, value),
        None if high is None else max(high, value),
        f"dissociation constant, {step}", row["grade"], listed(row["sources"]), "", row["note"],
    )  # fmt: skip
