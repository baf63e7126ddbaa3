"""The named networks that can be exported, printed and benchmarked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from il2.errors import Il2Error, did_you_mean
from il2.network.network import Network
from il2.receptor.model import receptor
from il2.signalling.response import response


@dataclass(frozen=True)
class Model:
    name: str
    summary: str
    build: Callable[[], Network]


MODELS = {
    m.name: m
    for m in (
        Model("response-IL2", "IL-2 receptor and STAT5, ligand clamped", lambda: response("IL2")),
        Model("response-IL15", "IL-15 receptor and STAT5, ligand clamped", lambda: response("IL15")),
        Model(
            "response-IL2-depleted", "IL-2 receptor and STAT5, ligand taken up", lambda: response("IL2", depleted=True)
        ),
        Model(
            "response-IL15-depleted",
            "IL-15 receptor and STAT5, ligand taken up",
            lambda: response("IL15", depleted=True),
        ),
        Model(
            "receptor-IL2-IL15", "IL-2 and IL-15 on one cell, 34 states: the benchmark", lambda: receptor("IL2", "IL15")
        ),
    )
}


def model(name: str) -> Model:
    """A named network; an unknown name is an error that suggests the nearest."""
    if name not in MODELS:
        raise Il2Error(f"unknown model {name!r}", how=did_you_mean(name, MODELS))
    return MODELS[name]
