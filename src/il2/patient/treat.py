"""`treat`: a person under one regimen or several, from doses to levels, cells, effects and harm, with bands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from il2 import __version__
from il2.cell.culture_store import BAND
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.parameters import CURRENT, fingerprint
from il2.knowledge.person import Person
from il2.knowledge.person import person as person_named
from il2.knowledge.quantity import quantity
from il2.patient.arm import refuse_two_sets
from il2.patient.autoimmunity import disease, diseases
from il2.patient.course import body_of, events_of, lowered, plan_of, solved
from il2.patient.module import modules as known_modules
from il2.patient.notice import RESEARCH_USE
from il2.patient.numbers import Values, numbers
from il2.patient.patient import Plan
from il2.patient.regimen import Regimen, doses, refuse_infusions
from il2.patient.regimen_file import regimen as regimen_named
from il2.patient.treat_evidence import ground, person_values, treat_ranges, warnings_after, warnings_before
from il2.patient.treat_readout import (
    OF_CELL,
    OF_PERSON,
    banded,
    constants,
    derived,
    doses_given,
    labelled,
    wanted,
)
from il2.patient.treat_times import read_times

if TYPE_CHECKING:
    import xarray

AUTOIMMUNE = "autoimmunity"
AFTER_LAST_d, SHORTEST_d, STEP_d = 28, 28, 0.25  # by default
LARGEST_SEED = 2**64 - 1
LANES_AT_ONCE, MOST_LANES, MOST_VALUES, MOST_REGIMENS = 50, 10_000, 10**8, 12


def treat(
    regimens: str | Regimen | Sequence[str | Regimen],
    person: str | Person = "healthy",
    days: float | None = None,
    step: float = STEP_d,
    *,
    draws: int = 0,
    seed: int = 0,
    modules: Sequence[str] = (),
    changes: Mapping[str, float] | None = None,
    threads: int | None = None,
    on_done: Callable[[int], None] | None = None,
) -> xarray.Dataset:
    """A person under regimens, each from day 0, all in one network with every drug of the comparison.

    days: default four weeks beyond the last dose. step: days between the times that are read; times after doses are
    added. draws: parameter sets beside the default one, from the ranges of knowledge, for bands. modules: parts of
    diseases, or one of diseases.csv. changes: quantities with other values, by name, in their units. on_done: told how
    many courses are ready.

    Returns a Dataset with dims regimen, time_d, cell and drug (and dose, for when doses are given); each variable of
    a course X is that of the default set, beside X_low and X_high (5 and 95 % of draws) where there are draws. Levels
    are nM in plasma, and IU/mL of drugs that are counted so; cells are per uL of blood; shares go from 0 to 1. What
    became of each drug stands in `not_absorbed`, `eaten_by_receptors`, `cleared` and `left`, shares of what was given.
    attrs hold grades, sources, warnings and RESEARCH_USE. Raises Il2Error for what cannot be answered.
    """
    import xarray

    chosen = _regimens(regimens)
    who = person_named(person) if isinstance(person, str) else person
    plan, ill = plan_for(chosen, tuple(modules))
    network = lowered(plan)[0]
    given = {r.name: doses(r, body_of(who)) for r in chosen}
    length = float(days if days is not None else max(SHORTEST_d, *(r.end_d + AFTER_LAST_d for r in chosen)))
    times = read_times(length, step, list(given.values()))
    ranges = treat_ranges(plan, network, who, ill.values())
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise Il2Error(f"the seed is {seed}", where="treat", how="Give a whole number from 0 to 2^64 - 1.")
    sets = _sets(draws, len(times) * (len(OF_CELL) * len(plan.cells) + len(OF_PERSON) + 2), len(chosen))
    variants = _variants(ranges, dict(changes or {}), sets, seed)
    readouts = wanted(plan, network)
    events = {r.name: events_of(given[r.name]) for r in chosen}
    first: Values = _numbers(plan, who, {n: v[:1] for n, v in variants.items()}, ill)
    found: dict[str, list[dict[str, np.ndarray]]] = {r.name: [] for r in chosen}
    reasons: dict[str, tuple[str, ...]] = {r.name: () for r in chosen}
    for piece in _pieces(variants, sets):
        values = _numbers(plan, who, piece, ill) if sets > 1 else first
        for name, every in given.items():
            course = solved(plan, values, events[name], times, readouts, threads=threads)
            found[name].append(derived(plan, network, times, course.values, every, values))
            reasons[name] += course.reasons
            if on_done:
                on_done(len(course.reasons))
    variables: dict[str, list[np.ndarray]] = {}
    for parts in found.values():
        for name in parts[0]:
            for label, kept in banded(name, np.concatenate([part[name] for part in parts])):
                variables.setdefault(label, []).append(kept)
    names = [d.name for d in plan.drugs]
    coords: dict[str, Any] = {
        "regimen": [r.name for r in chosen],
        "time_d": ("time_d", times, {"units": "d", "long_name": "time from the start"}),
        "cell": list(plan.cells),
        "drug": names,
    }
    data = xarray.Dataset(
        {label: labelled(label, np.stack(v), network) for label, v in variables.items()} | doses_given(plan, given)
        | constants(plan, first), coords=coords,
    )  # fmt: skip
    basis = ground(ranges, plan, who, chosen)
    warnings = warnings_before(plan, who, chosen, length, draws) + warnings_after(data, plan.drugs, reasons)
    data.attrs = {
        "title": "Treatment of a virtual patient, computed by il2",
        "research_use": RESEARCH_USE,
        "il2_version": __version__,
        "parameter_set": CURRENT,
        "parameter_hash": fingerprint(),
        "person": who.name,
        "person_values": "; ".join(f"{v.name} {v.value:g} {v.unit}" for v in person_values(plan, who)),
        "titles": [r.title for r in chosen],
        "modules": "; ".join(modules),
        "changes": "; ".join(f"{n}={v:g}" for n, v in (changes or {}).items()),
        "seed": seed,
        "draws": draws,
        "band": f"{BAND[0]} to {BAND[1]} % of draws" if draws else "",
        "weakest_grade": basis.weakest,
        "weakest_numbers": "; ".join(basis.names),
        "grades": "; ".join(f"{n} {grade}" for grade, n in basis.grades.items()),
        "sources": "; ".join(basis.sources),
        "warnings": warnings + _beyond(ranges, changes or {}),
    }
    return data


def _regimens(asked: str | Regimen | Sequence[str | Regimen]) -> list[Regimen]:
    several = [asked] if isinstance(asked, (str, Regimen)) else list(asked)
    found = [regimen_named(r) if isinstance(r, str) else r for r in several]
    if not 1 <= len(found) <= MOST_REGIMENS:
        raise Il2Error(f"{len(found)} regimens", where="treat", how=f"Give 1 to {MOST_REGIMENS}.")
    names = [r.name for r in found]
    for name in names:
        if names.count(name) > 1:
            raise Il2Error(f"the regimen {name!r} is given twice", where="treat", how="Give it once, or rename a file.")
    for r in found:
        refuse_infusions(r)
        if any(c.steady for c in r.courses):
            raise Il2Error(
                f"{r.name} begins with doses that were given for ever before", where="treat",
                why="a treatment starts from a person without a drug", how="Give the doses from the first one.",
            )  # fmt: skip
    return found


def plan_for(regimens: Sequence[Regimen], asked: tuple[str, ...]) -> tuple[Plan, dict[str, str]]:
    """The plan, and quantities by parameter of the disease that is asked for by name."""
    names, of_disease = list(asked), [n for n in asked if n in diseases()]
    if len(of_disease) > 1:
        raise Il2Error(f"{' and '.join(of_disease)} in one person", where="treat", how="Give one of them.")
    names = list(dict.fromkeys(AUTOIMMUNE if n in of_disease else n for n in names))
    for name in names:
        if name not in known_modules():
            known = (*known_modules(), *diseases())
            raise Il2Error(f"unknown module {name!r}", where="treat", how=did_you_mean(name, known))
    plan = plan_of(regimens, tuple(names))
    refuse_two_sets(plan, "treat", "Compare them in two runs.")
    return plan, dict(disease(of_disease[0]).quantities) if of_disease else {}


def _numbers(plan: Plan, who: Person, piece: Mapping[str, np.ndarray], ill: Mapping[str, str]) -> Values:
    """Values by parameter, with those of the disease."""
    own = {p: piece.get(q, quantity(q).value) if q else 0.0 for p, q in ill.items()}
    return numbers(plan, who, piece) | own


def _sets(draws: int, readouts: int, regimens: int) -> int:
    if isinstance(draws, bool) or not isinstance(draws, int) or not 0 <= draws < MOST_LANES:
        raise Il2Error(f"draws is {draws}", where="treat", how=f"Give a whole number from 0 to {MOST_LANES - 1:,}.")
    if (1 + draws) * readouts > MOST_VALUES:
        raise Il2Error(
            f"{(1 + draws) * readouts:,} values asked for", where="treat", why=f"the limit is {MOST_VALUES:,}",
            how="Ask for fewer draws or days, or a longer step.",
        )  # fmt: skip
    return 1 + draws


def _variants(ranges, changes: dict[str, float], sets: int, seed: int) -> dict[str, np.ndarray]:
    """Values (sets,) by name, the default first; empty where nothing differs from it."""
    known = {r.name: r for r in ranges}
    for name in changes:
        if name not in known:
            raise Il2Error(f"a treatment rests on no number {name!r}", where="treat", how=did_you_mean(name, known))
    out = {}
    for r in ranges:
        if r.name in changes:
            out[r.name] = np.full(sets, float(changes[r.name]))
        elif sets > 1 and r.low < r.high:
            out[r.name] = np.concatenate([[r.value], r.drawn(sets - 1, seed)])
    return out


def _pieces(variants: Mapping[str, np.ndarray], sets: int) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, sets, LANES_AT_ONCE):
        yield {name: v[start : start + LANES_AT_ONCE] for name, v in variants.items()}


def _beyond(ranges, changes: Mapping[str, float]) -> list[str]:
    return [
        f"{r.name} was set to {changes[r.name]:g}, outside its range of {r.low:g} to {r.high:g}"
        for r in ranges
        if r.name in changes and not r.low <= changes[r.name] <= r.high
    ]
