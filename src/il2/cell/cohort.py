"""One kind of cell in a shared medium: receptors, STATs, genes, pathways, products and numbers, joined.

In a well every state of a cohort, and every number of its own, stands under its name (`Treg:IL2RA@surface`). What a
cohort takes from the medium and gives to it is told in molecules per cell and min; the well adds up cells times that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from il2.cell.population import START, Cues, population
from il2.cell.well import SEPARATOR
from il2.gene.signal import ABSENT, AMOUNTS, PRIMED, SIGNAL, signal, stability
from il2.gene.transcription import secretion, transcription
from il2.network.expression import Expr, add, num, sym, symbols
from il2.network.network import FLUX, Network, Observable, Parameter, Reaction, compose
from il2.network.part import half, hourly, with_quantities
from il2.receptor.membrane import ENDOSOME, SURFACE, at
from il2.receptor.model import ACTIVE, SURFACE_ACTIVE, System, build, dose, drive, half_activations
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import count
from il2.signalling.output import outputs
from il2.signalling.pathway import pathway
from il2.signalling.response import response_of
from il2.signalling.stat import attainable, kinases, phosphorylated, stat

PRODUCTS = ("IL2RA_programme", "IL2RB_programme", "BCL2", "MYC", "PRDM1", "FASLG", "CFLAR", "CTLA4")
ENGAGED, HELP, HELP_AT_FIRST = "TCR_engaged", "CD28_ligands", "CD28_ligands_at_first"
INLETS = {ENGAGED: "molecule/cell", HELP: "dimensionless", HELP_AT_FIRST: "dimensionless", "contact_time": "h"}
SINGLE = ("PTEN", "JAK1", "JAK3", "IL2_capacity", START, "IL2_to_calcium")


@dataclass(frozen=True)
class Cohort:
    """network: without the names of the cohort. taken, made: by cytokine, molecules/(cell*min) out of and into the
    medium. lost: by cytokine, degraded in the cell. held: by cytokine, molecules per cell. own: parameters that are
    its own. deaths: per cell and min."""

    network: Network
    taken: Mapping[str, Expr]
    made: Mapping[str, Expr]
    lost: Mapping[str, Expr]
    held: Mapping[str, Expr]
    own: tuple[str, ...]
    deaths: Expr


def named(cohort: str, name: str) -> str:
    return f"{cohort}{SEPARATOR}{name}"


def cohort(of: System, genes: tuple[str, ...] = (), products: tuple[str, ...] = ()) -> Cohort:
    """A cohort with inlets: doses of the cytokines, receptors that hold antigen, CD28 ligands, time to meet them.

    of: the receptor system, with cytokines and antibodies held at their doses. genes: besides IL2. products: besides
    those that the cohort itself needs. The inlets are parameters, so that the cohort can be solved alone.
    """
    engaged, costimulation = sym(ENGAGED), sym(HELP)
    open_to_Treg = sym("help_open_to_Treg")
    within = costimulation * open_to_Treg + sym(HELP_AT_FIRST) * (1 - open_to_Treg)
    x, primed = sym(SIGNAL), sym(PRIMED)
    crosstalk = 1 - primed + primed / (1 + sym("TCR_inhibition_of_pSTAT5") * x)
    phosphatase = 1 + (sym("DUSP4_effect_on_STAT5_dephosphorylation") - 1) * sym("DUSP4")
    plain = response_of(of)
    base = build(of)
    stats = {s: stat(s, drive(of, s), half_activations(of, s), crosstalk, phosphatase) for s in of.stats}
    pstat5 = stats["STAT5"].observable(phosphorylated("STAT5")) / attainable() + sym("STAT5_constitutive")
    tcr = primed * half(x, "TCR_half_activation")
    paths = pathway(kinases() * plain.observable(ACTIVE), tcr, within)
    signals = signal(engaged, within, pstat5, sym("PRDM1"))
    inputs = {
        "pSTAT5": pstat5, "AKT": paths.akt, "MTOR": paths.mtor, "ERK": paths.erk, "calcium": paths.calcium, "TCR": tcr,
        "NFAT": signals.factors["NFATC2"], "costimulation": within, "FOXP3": sym("FOXP3"),
        "calcitriol": signals.factors["VDR"], "CREM": signals.factors["CREM"],
    }  # fmt: skip
    inputs |= {phosphorylated(s): stats[s].observable(phosphorylated(s)) for s in of.stats if s != "STAT5"}
    cues = Cues(
        kinases() * sym("internalisation_signalling") * plain.observable(SURFACE_ACTIVE),
        sym("antigen_response") * tcr,
        within,
        half(sym("MYC"), "MYC_half_activation"),
        half(sym("BCL2"), "BCL2_half_activation"),
        sym("FASLG") * sym("FAS") * tcr / (1 + sym("CFLAR")),
    )
    people = population(cues)
    wanted = tuple(dict.fromkeys((*PRODUCTS, *products)))
    parts = (
        Network("inlets", parameters=tuple(Parameter(name, 0.0, unit) for name, unit in INLETS.items())),
        base, *stats.values(), signals.network, paths.network, outputs(wanted, inputs), people.network,
        *(transcription(g, signals.factors, stability(g, within, pstat5)) for g in dict.fromkeys(("IL2", *genes))),
        secretion(), *_receptor_programmes(of),
        Network("traits", parameters=tuple(Parameter(n, v, u) for n, (v, u) in TRAITS.items())),
    )  # fmt: skip
    network = compose("cohort", *(with_quantities(p) for p in parts))
    cytokines = [m for m in of.molecules if m.sites[0].kind == "cytokine"]
    ledgers = {m.name: _ledger(m, base) for m in cytokines}
    spread = _spread(of, people.births)
    network = with_quantities(replace(network, reactions=(*network.reactions, *spread)))
    network = replace(
        network,
        observables=(
            *network.observables,
            Observable("births", people.births, "1/min"),
            Observable("deaths", people.deaths, "1/min"),
            Observable("costimulation_felt", within, "dimensionless"),
        ),
    )
    return Cohort(
        network,
        {name: part[0] for name, part in ledgers.items()},
        {"IL2": network.observable("IL2_secretion")},
        {name: part[1] for name, part in ledgers.items()},
        {name: part[2] for name, part in ledgers.items()},
        _own(of, network),
        people.deaths,
    )


TRAITS = {
    "TCR_count": (0.0, "molecule/cell"),
    "antigen_response": (1.0, "dimensionless"),
    "help_open_to_Treg": (1.0, "dimensionless"),
    "STAT5_constitutive": (0.0, "dimensionless"),
    "DUSP4": (0.0, "dimensionless"),
    "FAS": (1.0, "dimensionless"),
    "IL2RA_induced": (0.0, "molecule/cell"),
    "IL2RB_made_activated": (0.0, FLUX),
    "IL2RG_made_activated": (0.0, FLUX),
    "capture": (1.0, "dimensionless"),
    "destiny_added": (0.0, "dimensionless"),
    "first_division_factor": (1.0, "dimensionless"),
    "antigen_specific": (1.0, "dimensionless"),
}
"""Numbers of a cohort beside its receptor counts, with what a cell without the trait has."""


def _receptor_programmes(of: System) -> tuple[Network, ...]:
    """IL2RA that activation adds to the resting count; IL2RB and IL2RG that it makes beyond their resting synthesis."""
    parts = []
    if "IL2RA" in of.chains:
        turnover = hourly("IL2RA_turnover")
        made = turnover * (sym(count("IL2RA")) + sym("IL2RA_induced") * sym("IL2RA_programme"))
        lost = turnover * sym(at("IL2RA", SURFACE))
        parts.append(Reaction("IL2RA programme", {at("IL2RA", SURFACE): 1}, made, lost, FLUX))
    for chain in ("IL2RB", "IL2RG"):
        if chain in of.chains:
            made = sym(f"{chain}_made_activated") * sym("IL2RB_programme")
            parts.append(Reaction(f"{chain} programme", {at(chain, SURFACE): 1}, made, num(0.0), FLUX))
    return tuple(with_quantities(Network(r.name, reactions=(r,))) for r in parts)


def _ledger(molecule: Molecule, base: Network) -> tuple[Expr, Expr, Expr]:
    """What a cell takes out of the medium, degrades (molecules per min), and holds (molecules) of a cytokine."""
    given = dose(molecule.name)
    forms = [(f, p) for p in (SURFACE, ENDOSOME) for f in molecule.on_membrane]
    forms += [(f, ENDOSOME) for f in molecule.dissolved]
    held = {molecule.species(f, p) for f, p in forms}
    taken, lost = [], []
    for r in base.reactions:
        change = sum(n for name, n in r.change.items() if name in held)
        if change and given in symbols(r.rate):
            taken.append(float(change) * r.rate)
        elif change:
            lost.append(float(-change) * r.rate)
    return add(num(0.0), *taken), add(num(0.0), *lost), add(*(sym(name) for name in sorted(held)))


def _spread(of: System, births: Expr) -> list[Reaction]:
    """Division shares out what is bound: each daughter holds half of it, and makes up the free chains."""
    out = []
    for m in of.molecules:
        for place in (SURFACE, ENDOSOME):
            for form in m.on_membrane:
                name = m.species(form, place)
                freed = {at(c, place): n for c, n in m.contents(form).items()}
                out.append(Reaction(f"{name} is shared out", {name: -1, **freed}, births * sym(name), num(0.0), FLUX))
        for form in m.dissolved:
            name = m.species(form, ENDOSOME)
            out.append(Reaction(f"{name} is shared out", {name: -1}, births * sym(name), num(0.0), FLUX))
    return out


def _own(of: System, network: Network) -> tuple[str, ...]:
    """Parameters that each cohort has for itself: counts, traits, amounts of factors, genes that may be missing."""
    own = {*(count(c) for c in of.chains), *TRAITS, *AMOUNTS, *ABSENT, *SINGLE}
    endings = ("_gene", "_methylation_at_start", "_alleles")
    return tuple(n for n in network.parameter_names if n in own or n.endswith(endings))
