"""The receptor network: molecules that share chains, on the plasma membrane and in the endosome."""

from __future__ import annotations

from dataclasses import dataclass, replace

from il2.knowledge.quantity import quantity
from il2.network.expression import Expr, add, num, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Species, compose
from il2.network.part import known
from il2.receptor import lumped, medium
from il2.receptor.head import formations, head, in_solution, parameters, partner_row, presented, recruitment_rate
from il2.receptor.membrane import ENDOSOME, MEDIUM, SURFACE, Membrane, binding
from il2.receptor.membrane import in_solution as solution_binding
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import chain_turnover, turnover

QUANTITIES = (
    "confinement_volume", "confinement_volume_reference",
    "endosomal_dissociation_factor", "endosome_volume", "endosome_area_ratio", "internalisation_signalling",
    "recycling_rate", "degradation_rate", "endosomal_signalling_weight", "avogadro",
)  # fmt: skip
SURFACE_ACTIVE, ENDOSOME_ACTIVE, ACTIVE = "active_surface", "active_endosome", "active_complexes"
DEFAULT_STAT = "STAT5"


@dataclass(frozen=True)
class System:
    """What is in a network; numbers are its parameters.

    partners: names of molecules that bind a cytokine in solution. depleted: free molecules are species, taken up
    by `cells_per_mL` cells, instead of held at the dose; partners and prodrugs need it. audit: cumulative pools
    of what was made and degraded, for exact mass balance.
    """

    molecules: tuple[Molecule, ...]
    partners: tuple[str, ...] = ()
    depleted: bool = False
    audit: bool = False

    @property
    def chains(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for m in self.molecules for c in m.chains))

    @property
    def stats(self) -> tuple[str, ...]:
        """The STATs that its molecules signal through, STAT5 first."""
        found = {site.stat for m in self.molecules for site in m.sites if site.stat}
        return tuple(sorted(found, key=lambda stat: (stat != DEFAULT_STAT, stat)))

    @property
    def needs_medium(self) -> bool:
        return bool(self.partners) or any(m.release for m in self.molecules)

    @property
    def name(self) -> str:
        marks = ("_depleted" if self.depleted else "") + ("_audit" if self.audit else "")
        return "_".join(["receptor", *(m.name for m in self.molecules), *self.partners]) + marks


def dose(name: str) -> str:
    """Name of the parameter that holds the dose of a molecule or partner (nM)."""
    return f"{name}_dose"


def system(
    *molecules: str | Molecule,
    partners: tuple[str, ...] = (),
    neighbour: bool = False,
    depleted: bool = False,
    audit: bool = False,
) -> System:
    """A system from names of heads (one head each) or molecules; every partner may hold every head of its target.

    neighbour: IL-15 may also be presented by IL15RA of a neighbouring cell.
    """
    made = [Molecule(m, (head(m),)) if isinstance(m, str) else m for m in molecules]
    out = []
    for m in made:
        sites = list(m.sites)
        for k, site in enumerate(sites):
            if neighbour and site.name == "IL15":
                sites[k] = site = presented(site)
            for partner in partners:
                if partner_row(partner)["target"] == site.name:
                    sites[k] = site = in_solution(site, partner)
        out.append(replace(m, sites=tuple(sites)))
    found = System(tuple(out), partners, depleted, audit)
    return replace(found, depleted=depleted or found.needs_medium)


def receptor(*molecules: str | Molecule, **options) -> Network:
    """The receptor network of a system (see `system`); muteins are affinity factors of the same network."""
    return build(system(*molecules, **options))


def build(of: System) -> Network:
    """The receptor network of a system."""
    plasma, endosome = _membranes(of)
    shed = {c for c in of.chains if medium.soluble(c) in of.partners}
    parts = [_frame(of)]
    parts += [tether()] if any(len(m.slots) > 1 for m in of.molecules) else []
    parts += [chain_turnover(chain, of.audit, chain in shed) for chain in of.chains]
    for molecule in of.molecules:
        parts.append(_molecule(molecule, of))
        if molecule.lumped:
            rules = (*lumped.binding(molecule, plasma), *lumped.binding(molecule, endosome))
            parts.append(lumped.turnover(molecule, of.audit))
        else:
            rules = (*binding(molecule, plasma), *binding(molecule, endosome))
            rules += solution_binding(molecule, endosome)
            rules += solution_binding(molecule, plasma) if of.depleted else ()
            parts.append(turnover(molecule, of.audit))
        parts.append(Network(molecule.name, reactions=rules))
        if of.depleted:
            parts.append(medium.release(molecule, dose(molecule.name)))
    parts += [medium.partner(name, dose(name), of.audit) for name in of.partners]
    return compose(of.name, *parts, _active(of))


def tether() -> Network:
    """The concentration at which one chain of the cell stands for a free head of a bound molecule."""
    names = ("tether_factor", "confinement_volume", "avogadro")
    near = num(1.0) / (sym("avogadro") * sym("confinement_volume") * sym("tether_factor"))
    derived = Derived("tether_concentration", near, "nM*cell/molecule")
    return Network("tether", parameters=tuple(known(name) for name in names), derived=(derived,))


def _membranes(of: System) -> tuple[Membrane, Membrane]:
    room = {MEDIUM: sym("avogadro") * sym("medium_volume"), ENDOSOME: sym("avogadro") * sym("endosome_volume")}

    def outside(name: str) -> Expr:
        return sym(name) / room[MEDIUM] if of.depleted else sym(dose(name.split("@")[0]))

    def inside(name: str) -> Expr:
        return sym(name) / room[ENDOSOME]

    plasma = Membrane(SURFACE, num(1.0), num(1.0), outside, MEDIUM if of.depleted else None)
    density = num(1.0) / sym("endosome_area_ratio")
    return plasma, Membrane(ENDOSOME, density, sym("endosomal_dissociation_factor"), inside, ENDOSOME)


def _frame(of: System) -> Network:
    rates = {site.association for m in of.molecules for site in m.sites}
    rates |= {site.recruitment for m in of.molecules for site in m.sites if site.recruitment}
    rates |= {medium.RATE} if of.partners else set()
    names = [
        *sorted(rates),
        *QUANTITIES,
        *(f"{kind}_{c}" for c in of.chains for kind in ("internalisation", "sorting")),
    ]
    places = [Compartment(SURFACE, 2), Compartment(ENDOSOME, 3, "endosome_volume")]
    extra: tuple[Parameter, ...] = ()
    derived: list[Derived] = []
    if of.depleted:
        places.append(Compartment(MEDIUM, 3, "medium_volume"))
        extra = (Parameter("cells_per_mL", quantity("culture_density").value, "cell/mL"), known("fL_per_mL"))
        volume = num(1.0) / sym("cells_per_mL")
        derived.append(Derived("medium_volume", volume * sym("fL_per_mL"), "fL/cell"))
    if of.audit:
        places.append(Compartment("ledger", 3))
    crowding = sym("confinement_volume") / sym("confinement_volume_reference")
    derived.append(Derived("crowding", crowding, "dimensionless"))
    sites = {recruitment_rate(site): site for m in of.molecules for site in m.sites if site.recruitment}
    for name, site in sorted(sites.items()):
        derived.append(Derived(name, sym(site.recruitment) / sym("crowding"), "cell/(molecule*min)"))
    if any(medium.soluble(c) in of.partners for c in of.chains):
        extra = (*extra, *(known(f"{c}_shedding") for c in of.chains if medium.soluble(c) in of.partners))
    return Network("frame", tuple(places), (), (*(known(n) for n in names), *extra), tuple(derived))


def _molecule(molecule: Molecule, of: System) -> Network:
    extra: tuple[Parameter, ...] = ()
    shown: tuple[Observable, ...] = ()
    if molecule.lumped:
        bound = lumped.species(molecule)
        extra = (known(lumped.FLOOR),)
        shown = (lumped.on_surface(molecule),)
    else:
        places = (SURFACE, ENDOSOME)
        bound = tuple(Species(molecule.species(f, p), p, num(0.0)) for p in places for f in molecule.on_membrane)
    inside = tuple(Species(molecule.species(f, ENDOSOME), ENDOSOME, num(0.0)) for f in molecule.dissolved)
    outside: tuple[Species, ...] = ()
    if of.depleted:
        outside = medium.dissolved(molecule, dose(molecule.name))
    sites = list(zip(molecule.labels, molecule.sites, strict=True))
    return Network(
        molecule.name,
        species=(*bound, *inside, *outside),
        parameters=(
            Parameter(dose(molecule.name), 0.0, "nM"),
            *(p for label, site in sites for p in parameters(label, site)),
            *extra,
        ),
        derived=tuple(d for label, site in sites for d in formations(label, site, sym("crowding"))),
        observables=shown,
    )


def active(stat: str) -> str:
    """Name of the observable of active complexes, weighted by place, that signal through a STAT."""
    return ACTIVE if stat == DEFAULT_STAT else f"{ACTIVE}_{stat}"


def _active(of: System) -> Network:
    shown = []
    for stat in of.stats:
        total = {place: _signalling(of, stat, place) for place in (SURFACE, ENDOSOME)}
        weighted = total[SURFACE] + sym("endosomal_signalling_weight") * total[ENDOSOME]
        if stat == DEFAULT_STAT:
            shown.append(Observable(SURFACE_ACTIVE, total[SURFACE], "molecule/cell"))
            shown.append(Observable(ENDOSOME_ACTIVE, total[ENDOSOME], "molecule/cell"))
        shown.append(Observable(active(stat), weighted, "molecule/cell"))
    return Network("active", observables=tuple(shown))


def _signalling(of: System, stat: str, place: str, half: str = "") -> Expr:
    """Signalling heads at a place that drive a STAT; with `half`, those of this half-activation alone."""
    terms = []
    for m in of.molecules:
        if half and half not in {site.half_activation for site in m.sites}:
            continue
        if m.lumped:
            terms.append(lumped.signalling(m, stat, place))
        else:
            terms += [float(n) * sym(m.species(f, place)) for f in m.on_membrane if (n := m.signalling(f, stat))]
    return add(*terms)


def half_activations(of: System, stat: str) -> tuple[str, ...]:
    """Names of the quantities that scale the complexes which drive a STAT."""
    sites = [site for m in of.molecules for site in m.sites]
    return tuple(sorted({site.half_activation for site in sites if site.stat == stat}))


def drive(of: System, stat: str) -> Expr:
    """Active complexes over their half-activation, summed over the kinds that share a STAT."""
    terms = []
    for half in half_activations(of, stat):
        surface, inside = (_signalling(of, stat, place, half) for place in (SURFACE, ENDOSOME))
        terms.append((surface + sym("endosomal_signalling_weight") * inside) / sym(half))
    return add(*terms)
