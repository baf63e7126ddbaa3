"""The receptor network: cytokines that share IL2RB and IL2RG, on the plasma membrane and in the endosome."""

from __future__ import annotations

from il2.knowledge.quantity import quantity
from il2.network.expression import num, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Species, compose
from il2.receptor.cytokine import Cytokine, cytokine, formations, parameters
from il2.receptor.membrane import ENDOSOME, MEDIUM, SURFACE, Membrane, binding, ligand_at
from il2.receptor.trafficking import chain_turnover, ligand_turnover

QUANTITIES = (
    "ligand_association_rate", "surface_association_rate", "confinement_volume", "confinement_volume_reference",
    "endosomal_dissociation_factor", "endosome_volume", "endosome_area_ratio", "internalisation_signalling",
    "recycling_rate", "degradation_rate", "endosomal_signalling_weight", "avogadro",
)  # fmt: skip
SURFACE_ACTIVE, ENDOSOME_ACTIVE, ACTIVE = "active_surface", "active_endosome", "active_complexes"


def dose(ligand: str) -> str:
    """Name of the parameter that holds the dose of a ligand (nM)."""
    return f"{ligand}_dose"


def receptor(*ligands: str, depleted: bool = False, audit: bool = False) -> Network:
    """The receptor network of wild-type ligands (muteins are affinity factors of the same network).

    depleted: free ligand is a species, taken up by `cells_per_mL` cells, instead of clamped at the dose.
    audit: cumulative pools of what was made and degraded, for exact mass balance.
    """
    family = [cytokine(name) for name in ligands]
    chains = list(dict.fromkeys(c for ligand in family for c in ligand.chains))
    parts = [
        _frame(chains, depleted, audit),
        *(chain_turnover(chain, audit) for chain in chains),
        *(_ligand(ligand, depleted, audit) for ligand in family),
        *(ligand_turnover(ligand, audit) for ligand in family),
        _active(family),
    ]
    name = "receptor_" + "_".join(ligands) + ("_depleted" if depleted else "") + ("_audit" if audit else "")
    return compose(name, *parts)


def known(name: str) -> Parameter:
    """A parameter with the value and unit of a quantity."""
    q = quantity(name)
    return Parameter(name, q.value, q.unit, q.context)


def _frame(chains: list[str], depleted: bool, audit: bool) -> Network:
    names = [*QUANTITIES, *(f"{kind}_{c}" for c in chains for kind in ("internalisation", "sorting"))]
    places = [Compartment(SURFACE, 2), Compartment(ENDOSOME, 3, "endosome_volume")]
    extra: tuple[Parameter, ...] = ()
    derived: list[Derived] = []
    if depleted:
        places.append(Compartment(MEDIUM, 3, "medium_volume"))
        extra = (Parameter("cells_per_mL", quantity("culture_density").value, "cell/mL"), known("fL_per_mL"))
        volume = num(1.0) / sym("cells_per_mL")
        derived.append(Derived("medium_volume", volume * sym("fL_per_mL"), "fL/cell"))
    if audit:
        places.append(Compartment("ledger", 3))
    derived.append(
        Derived("crowding", sym("confinement_volume") / sym("confinement_volume_reference"), "dimensionless")
    )
    derived.append(
        Derived("recruitment_rate", sym("surface_association_rate") / sym("crowding"), "cell/(molecule*min)")
    )
    return Network("frame", tuple(places), (), (*(known(n) for n in names), *extra), tuple(derived))


def _ligand(ligand: Cytokine, depleted: bool, audit: bool) -> Network:
    endosomal = sym(ligand_at(ligand, ENDOSOME)) / (sym("avogadro") * sym("endosome_volume"))
    added = sym(dose(ligand.name))
    species = [
        Species(ligand.species(s, place), place, num(0.0)) for place in (SURFACE, ENDOSOME) for s in ligand.complexes
    ]
    species.append(Species(ligand_at(ligand, ENDOSOME), ENDOSOME, num(0.0)))
    outside, pool = added, None
    if depleted:
        free = ligand_at(ligand, MEDIUM)
        room = sym("avogadro") * sym("medium_volume")
        species.append(Species(free, MEDIUM, added * room))
        outside, pool = sym(free) / room, free
    plasma = Membrane(SURFACE, num(1.0), num(1.0))
    endosome = Membrane(ENDOSOME, num(1.0) / sym("endosome_area_ratio"), sym("endosomal_dissociation_factor"))
    return Network(
        ligand.name,
        species=tuple(species),
        parameters=(Parameter(dose(ligand.name), 0.0, "nM"), *parameters(ligand)),
        derived=formations(ligand, sym("crowding")),
        reactions=(
            *binding(ligand, plasma, outside, pool),
            *binding(ligand, endosome, endosomal, ligand_at(ligand, ENDOSOME)),
        ),
    )


def _active(family: list[Cytokine]) -> Network:
    total = {
        place: sum(
            (sym(ligand.species(s, place)) for ligand in family for s in ligand.complexes if ligand.signals(s)),
            num(0.0),
        )
        for place in (SURFACE, ENDOSOME)
    }
    weighted = total[SURFACE] + sym("endosomal_signalling_weight") * total[ENDOSOME]
    return Network(
        "active",
        observables=(
            Observable(SURFACE_ACTIVE, total[SURFACE], "molecule/cell"),
            Observable(ENDOSOME_ACTIVE, total[ENDOSOME], "molecule/cell"),
            Observable(ACTIVE, weighted, "molecule/cell"),
        ),
    )
