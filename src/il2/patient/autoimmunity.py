"""One rule for diseases of escaped effector cells: effector activity over what regulatory T cells hold down.

    index -> drive A (1 + w) / (1 + w T),   with the time constant of the disease
    A = (1 - c) pool_Th exp(a x_Th) + c pool_CD8 exp((a + b alloantigen) x_CD8)
    T = Treg_share Treg_function pool_Treg exp(a_Treg x_Treg)

x_j is the programme of cells j over that at rest, w the weight of Treg, c the share of CD8 cells in the damage. The
index of a healthy person is 1. A disease differs from another by numbers alone (`diseases.csv`). Low doses reach Treg
and lower the index; doses that reach effectors raise it; with alloantigen at hand CD8 cells that IL-2 drives do more
harm. Where neurons are lost, they are lost at a rate in proportion to the index. Time is in d.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.quantity import quantity
from il2.knowledge.table import keyed, listed
from il2.network.expression import Expr, exp, num, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Reaction, Species
from il2.network.part import with_quantities

PLACE, INDEX, CHANGE, NEURONS = "diseased_tissue", "disease_index", "disease_index_change", "neurons_left"
EFFECTORS, SUPPRESSION, RATIO = "effector_activity", "Treg_suppression", "Treg_over_Th"
ALLOANTIGEN, FUNCTION = "alloantigen", "Treg_function"
SHARE, PER_DAY = "dimensionless", "1/d"
SET = {  # parameter of the part: column of diseases.csv that names its quantity
    "autoantigen_drive": "drive",
    "Treg_weight": "Treg_weight",
    "Treg_share_of_normal": "Treg_share",
    "CD8_share_of_damage": "CD8_share",
    "disease_time": "time",
    "neuron_loss": "neuron_loss",
}
EVIDENCE = ("trial", "direction")


@dataclass(frozen=True)
class Disease:
    """A row of diseases.csv: names of quantities by parameter of the part; an empty one means none of it.

    evidence: "trial" where IL-2 was given to patients and the sign of the answer is known, else "direction".
    """

    name: str
    quantities: Mapping[str, str]
    evidence: str
    sources: tuple[str, ...]
    note: str

    @property
    def values(self) -> dict[str, float]:
        """Values of the parameters of the part."""
        return {p: quantity(q).value if q else 0.0 for p, q in self.quantities.items()}


@cache
def diseases() -> dict[str, Disease]:
    """All diseases by name."""
    out = {}
    for name, row in keyed("diseases", "name").items():
        if row["evidence"] not in EVIDENCE:
            raise Il2Error(
                f"evidence is {row['evidence']!r}", where=f"diseases.csv: {name}", how=f"Use {' or '.join(EVIDENCE)}."
            )
        named = {parameter: row[column] for parameter, column in SET.items()}
        out[name] = Disease(name, named, row["evidence"], listed(row["sources"]), row["note"])
    return out


def disease(name: str) -> Disease:
    """A disease by name; an unknown one is an error that suggests the nearest."""
    if name not in diseases():
        raise Il2Error(f"unknown disease {name!r}", where="il2 treat", how=did_you_mean(name, diseases()))
    return diseases()[name]


def autoimmunity(excess: Mapping[str, Expr]) -> Network:
    """The part of a healthy person; lanes become diseases by `disease(name).values`.

    It names `pool_Th`, `pool_CD8` and `pool_Treg` freely. excess: programme over that at rest, by cell, of Th, CD8 and
    Treg. Parameters to change: `alloantigen` (0 to 1), `Treg_function` (share of normal).
    """
    gain, weight, CD8 = sym("effector_activity_per_programme"), sym("Treg_weight"), sym("CD8_share_of_damage")
    by_CD8 = gain + sym("alloreactivity_per_programme") * sym(ALLOANTIGEN)
    effectors = (1 - CD8) * sym("pool_Th") * exp(gain * excess["Th"]) + CD8 * sym("pool_CD8") * exp(
        by_CD8 * excess["CD8"]
    )
    normal_pool = sym("Treg_share_of_normal") * sym(FUNCTION)
    treg = normal_pool * sym("pool_Treg") * exp(sym("Treg_activity_per_programme") * excess["Treg"])
    at_rest = sym("autoantigen_drive") * (1 + weight) / (1 + weight * normal_pool)
    target = sym("autoantigen_drive") * effectors * (1 + weight) / (1 + weight * treg)
    index, rate = sym(INDEX), 1 / sym("disease_time")
    healthy = {
        "autoantigen_drive": (1.0, SHARE),
        "Treg_share_of_normal": (1.0, SHARE),
        "disease_time": (quantity("disease_time").value, "d"),
        "neuron_loss": (0.0, PER_DAY),
        ALLOANTIGEN: (0.0, SHARE),
        FUNCTION: (1.0, SHARE),
    }
    return with_quantities(
        Network(
            "autoimmunity",
            (Compartment(PLACE, 3),),
            (
                Species(INDEX, PLACE, sym("disease_index_at_start"), SHARE),
                Species(NEURONS, PLACE, num(1.0), SHARE),
            ),
            tuple(Parameter(name, value, unit) for name, (value, unit) in healthy.items()),
            (Derived("disease_index_at_start", at_rest, SHARE),),
            (
                Reaction("disease follows effectors and Treg", {INDEX: 1}, rate * target, rate * index, PER_DAY),
                Reaction("neurons die", {NEURONS: -1}, sym("neuron_loss") * index * sym(NEURONS), num(0.0), PER_DAY),
            ),
            (
                Observable(EFFECTORS, effectors, SHARE),
                Observable(SUPPRESSION, (1 + weight * treg) / (1 + weight), SHARE),
                Observable(RATIO, sym("pool_Treg") / sym("pool_Th"), SHARE),
                Observable(CHANGE, 1 - index / sym("disease_index_at_start"), SHARE),
            ),
        )
    )
