"""A well: cohorts that share one medium, the antigen on presenting cells, and the help that CD28 gets there.

Cytokines are concentrations; cells are numbers in the well. The ledgers of a cytokine (nM of the well, outside the
error control) count what was given, secreted, degraded in cells, decayed in the medium, lost with dead cells and taken
out with old medium. The observables `IL2_brought` and `IL2_found` are equal when the balance closes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from il2.cell.cohort import ENGAGED, HELP, HELP_AT_FIRST, INLETS, Cohort, cohort, named
from il2.cell.population import CELLS
from il2.gene.signal import PRIMED
from il2.network.expression import Expr, add, num, substitute, sym, symbols
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Reaction, Species, check, join
from il2.network.part import hourly, with_quantities
from il2.receptor.head import partner_row
from il2.receptor.membrane import MEDIUM, PARTNER_RATE, at
from il2.receptor.model import System, dose

ANTIGEN, NEUTRALISER = "antigen@APC", "anti_IL2"
GIVEN, REMOVED = "given", "removed"
LEDGERS = ("secreted", "degraded", "decayed", "with_dead_cells", REMOVED)
VOLUME, PRESENTING, COSTIMULATION = "well_volume", "presenting_cells", "costimulation"
PER_MIN = "nM/min"


def free(cytokine: str) -> str:
    return at(cytokine, MEDIUM)


def complexed(cytokine: str) -> str:
    return at(f"{cytokine}.{NEUTRALISER}", MEDIUM)


def ledger(cytokine: str, kind: str) -> str:
    return f"{cytokine}_{kind}"


@lru_cache(maxsize=16)
def well_network(of: System, names: tuple[str, ...], genes: tuple[str, ...], products: tuple[str, ...]) -> Network:
    """The network of a well with one cohort per name; the numbers of each come as parameters of its own."""
    model = cohort(of, genes, products)
    parts = [_named(model, name, names) for name in names]
    cytokines = tuple(model.taken)
    shared = with_quantities(_shared(model, cytokines, names))
    return check(with_quantities(join("well", shared, *parts)))


def _named(model: Cohort, name: str, names: tuple[str, ...]) -> Network:
    """The cohort under its name, with the medium, its antigen and its share of CD28 help put in."""
    n = model.network
    own = {*n.species_names, *model.own}
    for d in n.derived:
        if symbols(d.expr) & own:
            own.add(d.name)
    table = {old: sym(named(name, old)) for old in own}
    table |= {dose(c): sym(free(c)) for c in model.taken}
    table |= {ENGAGED: _engaged(name, names), HELP: _help(names), HELP_AT_FIRST: sym(COSTIMULATION)}

    def sub(e: Expr) -> Expr:
        return substitute(e, table)

    def new(old: str) -> str:
        return named(name, old) if old in own else old

    return replace(
        n,
        species=tuple(replace(s, name=new(s.name), initial=sub(s.initial)) for s in n.species),
        parameters=tuple(replace(p, name=new(p.name)) for p in n.parameters if p.name not in INLETS),
        derived=tuple(replace(d, name=new(d.name), expr=sub(d.expr)) for d in n.derived),
        reactions=tuple(
            replace(
                r, name=named(name, r.name), change={new(k): v for k, v in r.change.items()},
                forward=sub(r.forward), reverse=sub(r.reverse),
            )
            for r in n.reactions
        ),
        observables=tuple(replace(o, name=named(name, o.name), expr=sub(o.expr)) for o in n.observables),
    )  # fmt: skip


def _specific(names: tuple[str, ...]) -> Expr:
    return add(*(sym(named(n, "antigen_specific")) * sym(named(n, CELLS)) for n in names)) + sym("fewest_cells")


def _engaged(name: str, names: tuple[str, ...]) -> Expr:
    """Receptors of a cell that hold antigen, of which each specific cell has an equal share (molecule/cell)."""
    here, share = sym(named(name, "TCR_count")), sym(ANTIGEN) / _specific(names)
    total = here + share + sym("TCR_affinity")
    return sym(named(name, "antigen_specific")) * 2 * here * share / (total + (total**2 - 4 * here * share) ** 0.5)


def _help(names: tuple[str, ...]) -> Expr:
    """CD28 ligands that regulatory T cells leave on the presenting cells, 0 to 1."""
    strength = add(*(sym(named(n, CELLS)) * sym(named(n, "FOXP3")) * sym(named(n, "CTLA4")) for n in names))
    return sym(COSTIMULATION) / (1 + sym("Treg_contact_suppression") * strength / sym(PRESENTING))


def _shared(model: Cohort, cytokines: tuple[str, ...], names: tuple[str, ...]) -> Network:
    per_well = sym("avogadro") * sym("fL_per_uL") * sym(VOLUME)
    gone = hourly("antigen_loss") * add(
        *(sym(named(n, PRIMED)) * _engaged(n, names) * sym(named(n, CELLS)) for n in names)
    )  # fmt: skip
    observables = []
    species = [Species(ANTIGEN, MEDIUM, sym("antigen_at_start"), "molecule")]
    reactions = [Reaction("antigen is lost", {ANTIGEN: -1}, gone, num(0.0), "molecule/min")]
    if "IL2" in cytokines:
        species += [
            Species(free(NEUTRALISER), MEDIUM, sym("anti_IL2_arms") * sym(dose(NEUTRALISER)), "nM"),
            Species(complexed("IL2"), MEDIUM, num(0.0), "nM"),
        ]
        both = {free("IL2"): -1, free(NEUTRALISER): -1, complexed("IL2"): 1}
        on = sym(PARTNER_RATE) * sym(free("IL2")) * sym(free(NEUTRALISER))
        off = sym(PARTNER_RATE) * sym("KD_anti_IL2") * sym(complexed("IL2"))
        reactions.append(Reaction("IL2 is neutralised", both, on, off, PER_MIN))
    for c in cytokines:
        species.append(Species(free(c), MEDIUM, sym(dose(c)), "nM"))
        species += [Species(ledger(c, kind), "ledger", num(0.0), "nM", controlled=False) for kind in LEDGERS]
        species.append(Species(ledger(c, GIVEN), "ledger", sym(dose(c)), "nM", controlled=False))
        decay = hourly("cytokine_decay_in_medium") * sym(free(c))
        reactions.append(Reaction(f"{c} decays", {free(c): -1, ledger(c, "decayed"): 1}, decay, num(0.0), PER_MIN))
        found = sym(free(c)) + add(*(sym(ledger(c, kind)) for kind in LEDGERS if kind != "secreted"))
        found = found + sym(complexed(c)) if c == "IL2" else found
        for n in names:
            cells, here = sym(named(n, CELLS)) / per_well, _renaming(model, n)
            held, taken, lost = (substitute(part[c], here) for part in (model.held, model.taken, model.lost))
            deaths = substitute(model.deaths, here) * held
            found = found + cells * held
            capture = sym(named(n, "capture"))
            reactions.append(Reaction(f"{n} takes {c}", {free(c): -1}, cells * taken * capture, num(0.0), PER_MIN))
            spared = cells * taken * (1 - capture)
            reactions.append(Reaction(f"{n} spares {c}", {ledger(c, GIVEN): 1}, spared, num(0.0), PER_MIN))
            reactions.append(Reaction(f"{n} degrades {c}", {ledger(c, "degraded"): 1}, cells * lost, num(0.0), PER_MIN))
            reactions.append(
                Reaction(f"{n} dies with {c}", {ledger(c, "with_dead_cells"): 1}, cells * deaths, num(0.0), PER_MIN)
            )
            if c in model.made:
                made = cells * substitute(model.made[c], here)
                change = {free(c): 1, ledger(c, "secreted"): 1}
                reactions.append(Reaction(f"{n} secretes {c}", change, made, num(0.0), PER_MIN))
        observables.append(Observable(f"{c}_found", found, "nM"))
        observables.append(Observable(f"{c}_brought", sym(ledger(c, "secreted")) + sym(ledger(c, GIVEN)), "nM"))
    return Network(
        "medium",
        (Compartment(MEDIUM, 3), Compartment("ledger", 3)),
        tuple(species),
        (
            Parameter(VOLUME, 200.0, "uL"), Parameter(PRESENTING, 1.0, "cell"),
            Parameter(COSTIMULATION, 0.0, "dimensionless"),
            Parameter("antigen_at_start", 0.0, "molecule"),
            *(Parameter(dose(c), 0.0, "nM") for c in (*cytokines, NEUTRALISER)),
            Parameter("anti_IL2_arms", float(partner_row(NEUTRALISER)["arms"]), "dimensionless"),
            Parameter("KD_anti_IL2", float(partner_row(NEUTRALISER)["kd_nM"]), "nM"),
        ),
        (Derived("contact_time", sym("APC_contact_constant") * sym(VOLUME) / sym(PRESENTING), "h"),),
        tuple(reactions),
        tuple(observables),
    )  # fmt: skip


def _renaming(model: Cohort, name: str) -> dict[str, Expr]:
    n = model.network
    table = {old: sym(named(name, old)) for old in (*n.species_names, *model.own)}
    return table | {dose(c): sym(free(c)) for c in model.taken}
