"""The named networks that can be exported, printed and benchmarked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from il2.errors import Il2Error, did_you_mean
from il2.gene.collective import collective
from il2.network.network import Network
from il2.receptor.head import cytokines, head
from il2.receptor.model import receptor, system
from il2.receptor.molecule import Molecule, too_many_forms
from il2.signalling.response import response, response_of


@dataclass(frozen=True)
class Model:
    """like: a model with the same parameters and kinds of reactions, which is told in its place."""

    name: str
    summary: str
    build: Callable[[], Network]
    like: str = ""


def several(name: str, heads: int) -> Molecule:
    """A molecule of equal heads."""
    sites, numbers = (head(name),), (heads,)
    return Molecule(name, sites, numbers, too_many_forms(sites, numbers))


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
            "response-IL4-IL7", "IL-4 and IL-7 that compete for IL2RG, with their STATs", lambda: response("IL4", "IL7")
        ),
        Model(
            "response-IL2-bivalent", "a molecule with two IL-2 heads", lambda: response_of(system(several("IL2", 2)))
        ),
        Model(
            "response-IL2-tetravalent",
            "a molecule with four IL-2 heads, followed as pairs",
            lambda: response_of(system(several("IL2", 4))),
            like="response-IL2-bivalent",
        ),
        Model(
            "response-IL2-complex",
            "IL-2 with the antibody JES6-1 in the medium",
            lambda: response("IL2", partners=("JES6_1",)),
        ),
        Model(
            "response-family",
            "six cytokines and two antibodies (against IL2RA and IL2RB) on one cell, with their STATs",
            lambda: response_of(system(*cytokines(), several("daclizumab", 2), several("anti_IL2RB", 2))),
        ),
        Model(
            "receptor-IL2-IL15", "IL-2 and IL-15 on one cell, 34 states: the benchmark", lambda: receptor("IL2", "IL15")
        ),
        Model("collective-IL2", "T cells of one well that share antigen and IL-2 (tkach2014), 12 cohorts", collective),
    )
}


def model(name: str) -> Model:
    """A named network; an unknown name is an error that suggests the nearest."""
    if name not in MODELS:
        raise Il2Error(f"unknown model {name!r}", how=did_you_mean(name, MODELS))
    return MODELS[name]
