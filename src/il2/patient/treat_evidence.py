"""What a treatment rests on: ranges, grades and sources of its numbers, and what a reader should be warned of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from il2.cell.domain import OUTSIDE
from il2.cell.spread import Range, count_ranges, network_ranges, quantity_ranges
from il2.knowledge.drug import ANTIBODY, Drug
from il2.knowledge.person import GIVEN, SIZE, Person, PersonValue
from il2.knowledge.quantity import GRADES, quantities, quantity, weakest
from il2.knowledge.species import species_values
from il2.knowledge.table import listed, number, rows
from il2.network.network import Network
from il2.patient.patient import HELD, Plan
from il2.patient.regimen import Regimen
from il2.receptor.addition import ARMS, mixture
from il2.receptor.head import head, partner_row
from il2.receptor.ligand import ligand
from il2.receptor.model import System, system
from il2.receptor.molecule import Molecule

MISSED = 0.02  # share of a dose; more is worth a word
WORN = "the index of capillary leak is a direction: compare regimens by it, and read no risk from its size"
BANDS = (
    "bands are what is not known of rates, affinities and receptors; the person, with size and counts, is held fixed, "
    "and people differ by more; the default set is no median of the draws and may lie at the edge of a band"
)


@dataclass(frozen=True)
class Ground:
    """Numbers by grade, the weakest grade with the names that bear it, and sources by id."""

    grades: Mapping[str, int]
    weakest: str
    names: tuple[str, ...]
    sources: tuple[str, ...]


def treat_ranges(plan: Plan, network: Network, person: Person, more: Iterable[str] = ()) -> tuple[Range, ...]:
    """Every number of a treatment that comes from the knowledge base, once, but for what describes the person.

    more: further quantities, of a disease.
    """
    known = quantities()
    names = [n for n in network.parameter_names if n in known]
    names += [n for d in plan.drugs for n in d.kinetics.values()] + [n for n in more if n]
    found = [*quantity_ranges(*dict.fromkeys(names))]
    for of in _systems(plan):
        found += network_ranges(of)
    for kind in plan.cells:
        found += count_ranges(kind, "IL2")
    held = partner_row("soluble_IL2RA")
    kd = float(held["kd_nM"])
    low, high = (kd if end is None else end for end in (number(held["low"]), number(held["high"])))
    found.append(Range(HELD, kd, low, high, held["grade"], "soluble_IL2RA"))
    own = species_values(person.species)
    out = {r.name: _of_species(r, own) if r.name in own else r for r in found if r.name not in SIZE.values()}
    return tuple(out.values())


def _systems(plan: Plan) -> list[System]:
    """Receptor networks that the answers of the cells and the cover of antibodies come from."""
    out = [mixture(ligand("IL2")).system]
    for d in plan.drugs:
        if d.kind == ANTIBODY:
            out.append(system(Molecule(d.ligand, (head(d.ligand),), (ARMS,))))
        else:
            out.append(mixture(ligand(d.ligand)).system)
    return out


def _of_species(shared: Range, own: Mapping) -> Range:
    v = own[shared.name]
    low, high = (v.value if end is None else end for end in (v.low, v.high))
    return Range(shared.name, v.value, low, high, v.grade, shared.name)


def person_values(plan: Plan, person: Person) -> tuple[PersonValue, ...]:
    """Values of the person that a treatment reads."""
    names = [*SIZE, *(f"{kind}_per_uL" for kind in plan.cells), "eosinophil_per_uL"]
    genes = [n for n, v in person.values.items() if n.endswith("_gene") and v.value < 1]
    return tuple(person[name] for name in (*names, *genes))


def ground(ranges: Sequence[Range], plan: Plan, person: Person, regimens: Sequence[Regimen]) -> Ground:
    of_person = person_values(plan, person)
    graded = [(r.name.replace("@", " "), r.grade) for r in ranges] + [(v.name, v.grade) for v in of_person]
    grades = Counter(grade for _, grade in graded if grade in GRADES)
    by_grade = {g: grades[g] for g in GRADES if grades[g]}
    least = weakest(list(by_grade))
    known, named = quantities(), {r.name for r in ranges}
    sources = {s for name in named & known.keys() for s in known[name].sources}
    sources |= {s for d in plan.drugs for s in d.sources} | {s for v in of_person for s in v.sources}
    sources |= {s for r in regimens for s in r.sources}
    bound = {"IL2", *(d.ligand for d in plan.drugs)}
    sources |= {s for row in rows("affinities") if row["ligand"] in bound for s in listed(row["sources"])}
    names = tuple(name for name, grade in graded if grade == least)
    return Ground(by_grade, least, names, tuple(sorted(sources - {"assumed", ""})))


def warnings_before(plan: Plan, person: Person, regimens: Sequence[Regimen], days: float, draws: int) -> list[str]:
    """Warnings that the question alone gives rise to."""
    out = [WORN]
    out += [BANDS] if draws else []
    for d in plan.drugs:
        if d.species != person.species:
            out.append(f"{d.name}: its constants are those of a {d.species}, and the person is {person.species}")
    late = [r.name for r in regimens if r.end_d > days]
    out += [f"{', '.join(late)}: doses due after day {days:g}, the end, are not given"] if late else []
    own = [v for v in person_values(plan, person) if v.person == person.name and v.note != GIVEN]
    guessed = [v.name for v in own if v.grade == "assumed"]
    out += [f"{person.name}: {', '.join(guessed)} are assumed"] if guessed else []
    if person.lost_genes:
        out.append(f"{', '.join(person.lost_genes)} is lost: counts are those that the person is given, from day 0")
    return out


def warnings_after(data, drugs: Sequence[Drug], reasons: Mapping[str, Sequence[str]]) -> list[str]:
    """Warnings that the courses give rise to: levels outside the domain, failed lanes, doses that are not accounted."""
    out = []
    highest = quantity("calibrated_dose_highest")
    for name in map(str, data.regimen.values):
        for d in drugs:
            peak = float(np.nan_to_num(data.level_nM.sel(regimen=name, drug=d.name).values).max(initial=0.0))
            if d.kind != ANTIBODY and peak > highest.value:
                out.append(f"{name}: {d.name} up to {peak:.3g} nM, above {highest.value:g} nM, {OUTSIDE}")
            missed = float(data.missed.sel(regimen=name, drug=d.name))
            if abs(missed) > MISSED:
                out.append(f"{name}: {100 * missed:.1f} % of the dose of {d.name} is not accounted for")
        failed = [r for r in reasons[name] if r]
        if failed:
            out.append(f"{name}: {len(failed)} of {len(reasons[name])} courses could not be solved: {failed[0]}")
        for variable in ("soluble_IL2RA_nM", "IL5_fold", "eosinophils_per_uL"):
            if float(np.nanmin(data[variable].sel(regimen=name).values, initial=0.0)) < 0:
                out.append(f"{name}: {variable.rpartition('_')[0]} falls below zero, which it cannot: do not read it")
    return out
