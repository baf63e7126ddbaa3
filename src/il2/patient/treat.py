"""`treat`: a person under one regimen or several, from doses to levels, cells, effects and harm, with bands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from il2 import __version__
from il2.cell.culture_store import BAND, ENDS
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.drug import ANTIBODY, drug
from il2.knowledge.parameters import CURRENT, fingerprint
from il2.knowledge.person import Person
from il2.knowledge.person import person as person_named
from il2.knowledge.quantity import quantities
from il2.network.network import Network
from il2.patient.course import body_of, events_of, lowered, plan_of, solved
from il2.patient.dose import amount_in
from il2.patient.fate import FATES, at_work, fate, half_signal, places
from il2.patient.module import modules as known_modules
from il2.patient.notice import RESEARCH_USE
from il2.patient.numbers import Values, numbers
from il2.patient.patient import Plan, half_occupied
from il2.patient.regimen import Given, Regimen, doses
from il2.patient.regimen_file import regimen as regimen_named
from il2.patient.treat_evidence import ground, person_values, treat_ranges, warnings_after, warnings_before
from il2.patient.treat_times import read_times

if TYPE_CHECKING:
    import xarray

AFTER_LAST_d, SHORTEST_d, STEP_d = 28, 28, 0.25  # by default
LANES_AT_ONCE, MOST_LANES, MOST_VALUES, MOST_REGIMENS = 50, 10_000, 10**8, 12
ONE = "1"
OF_CELL = {
    "pSTAT5": (ONE, "share of STAT5 that is phosphorylated"),
    "receptors_at_work": (ONE, "share of receptors that hold IL-2 or a drug: uptake over the most that the cell can do"),
    "programme": (ONE, "programme of growth and survival that IL-2 drives, 0 to 1"),
    "count_per_uL": ("cell/uL", "cells in blood"),
    "fold": (ONE, "cells in blood over those at the start"),
}
OF_PERSON = {
    "tissue_IL2_nM": ("nM", "free IL-2 of the body's own in tissue"),
    "IL2RA_covered": (ONE, "share of IL2RA that an antibody covers"),
    "Treg_per_Th": (ONE, "Treg over conventional CD4 T cells in blood"),
    "eosinophils_per_uL": ("cell/uL", "eosinophils in blood"),
    "IL5_fold": (ONE, "IL-5 over normal"),
    "soluble_IL2RA_nM": ("nM", "soluble IL2RA in plasma"),
    "capillary_leak_index": (ONE, "index of capillary leak; a direction, no size"),
}
OF_DRUG = {
    "level_nM": ("nM", "level in plasma, bound and free"),
    "level_IU_per_mL": ("IU/mL", "level in plasma in international units"),
    "uptake_nmol_per_d": ("nmol/d", "taken up by receptors of all cells"),
}


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
    diseases. changes: quantities with other values, by name, in their units. on_done: told how many courses are ready.

    Returns a Dataset with dims regimen, time_d, cell and drug (and dose, for when doses are given); each variable of
    a course X is that of the default set, beside X_low and X_high (5 and 95 % of draws) where there are draws. Levels
    are nM in plasma, and IU/mL of drugs that are counted so; cells are per uL of blood; shares go from 0 to 1. What
    became of each drug stands in `not_absorbed`, `eaten_by_receptors`, `cleared` and `left`, shares of what was given.
    attrs hold grades, sources, warnings and RESEARCH_USE. Raises Il2Error for what cannot be answered.
    """
    import xarray

    chosen = _regimens(regimens)
    who = person_named(person) if isinstance(person, str) else person
    plan = _plan(chosen, tuple(modules))
    network = lowered(plan)[0]
    given = {r.name: doses(r, body_of(who)) for r in chosen}
    length = float(days if days is not None else max(SHORTEST_d, *(r.end_d + AFTER_LAST_d for r in chosen)))
    times = read_times(length, step, list(given.values()))
    ranges = treat_ranges(plan, network, who)
    sets = _sets(draws, len(times) * (len(OF_CELL) * len(plan.cells) + len(OF_PERSON) + 2), len(chosen))
    variants = _variants(ranges, dict(changes or {}), sets, seed)
    wanted = _wanted(plan, network)
    events = {r.name: events_of(given[r.name]) for r in chosen}
    first: Values = numbers(plan, who, {n: v[:1] for n, v in variants.items()})
    found: dict[str, list[dict[str, np.ndarray]]] = {r.name: [] for r in chosen}
    reasons: dict[str, tuple[str, ...]] = {r.name: () for r in chosen}
    for piece in _pieces(variants, sets):
        values = numbers(plan, who, piece) if sets > 1 else first
        for name, doses_given in given.items():
            course = solved(plan, values, events[name], times, wanted, threads=threads)
            found[name].append(_derived(plan, network, times, course.values, doses_given, values))
            reasons[name] += course.reasons
            if on_done:
                on_done(len(course.reasons))
    variables: dict[str, list[np.ndarray]] = {}
    for parts in found.values():
        for name in parts[0]:
            for label, kept in _banded(name, np.concatenate([part[name] for part in parts])):
                variables.setdefault(label, []).append(kept)
    names = [d.name for d in plan.drugs]
    coords: dict[str, Any] = {
        "regimen": [r.name for r in chosen],
        "time_d": ("time_d", times, {"units": "d", "long_name": "time from the start"}),
        "cell": list(plan.cells),
        "drug": names,
    }
    data = xarray.Dataset(
        {label: _labelled(label, np.stack(v), plan, network) for label, v in variables.items()} | _given(plan, given)
        | _constants(plan, first), coords=coords,
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
        if any(c.steady for c in r.courses):
            raise Il2Error(
                f"{r.name} begins with doses that were given for ever before", where="treat",
                why="a treatment starts from a person without a drug", how="Give the doses from the first one.",
            )  # fmt: skip
    return found


def _plan(regimens: Sequence[Regimen], modules: tuple[str, ...]) -> Plan:
    for name in modules:
        if name not in known_modules():
            raise Il2Error(f"unknown module {name!r}", where="treat", how=did_you_mean(name, known_modules()))
    plan = plan_of(regimens, modules)
    names = [d.name for d in plan.drugs]
    for d in plan.drugs:
        if names.count(d.name) > 1:
            sets = " and ".join(other.set for other in plan.drugs if other.name == d.name)
            raise Il2Error(f"{d.name} stands with the sets of constants {sets}", where="treat", how="Compare them in two runs.")
    return plan


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


def _parts(plan: Plan) -> list[Network]:
    return [known_modules()[name](plan) for name in plan.modules]


def _wanted(plan: Plan, network: Network) -> list[str]:
    out = ["IL2_nM", "IL2RA_free", "IL2_bound_to_soluble_IL2RA", "eosinophils", "IL5", "soluble_IL2RA"]
    out += ["capillary_leak_index", *(o.name for part in _parts(plan) for o in part.observables)]
    out += [f"{what}_{kind}" for kind in plan.cells for what in ("pSTAT5", "programme", "count")]
    for d in plan.drugs:
        out += [f"{d.name}_nM", *places(d, network), *([] if d.kind == ANTIBODY else [f"{d.name}_uptake"])]
    return out


def _derived(
    plan: Plan, network: Network, times: np.ndarray, read: Mapping[str, np.ndarray], given: Sequence[Given], values
) -> dict[str, np.ndarray]:
    """Variables (lanes, ...) of one regimen."""
    busy = at_work(plan, read, values)
    cells = {
        "pSTAT5": [read[f"pSTAT5_{k}"] for k in plan.cells],
        "receptors_at_work": [np.broadcast_to(busy[k], read["IL2_nM"].shape) for k in plan.cells],
        "programme": [read[f"programme_{k}"] for k in plan.cells],
        "count_per_uL": [read[f"count_{k}"] for k in plan.cells],
    }
    out = {name: np.stack(v, axis=-1) for name, v in cells.items()}
    counts = out["count_per_uL"]
    with np.errstate(all="ignore"):
        out["fold"] = counts / counts[:, :1]
        out["Treg_per_Th"] = read["count_Treg"] / read["count_Th"]
    out |= {
        "tissue_IL2_nM": read["IL2_nM"],
        "IL2RA_covered": 1 - read["IL2RA_free"],
        "eosinophils_per_uL": read["eosinophils"],
        "IL5_fold": read["IL5"],
        "soluble_IL2RA_nM": read["soluble_IL2RA"],
        "capillary_leak_index": read["capillary_leak_index"],
    }
    out |= {o.name: read[o.name] for part in _parts(plan) for o in part.observables}
    if not plan.drugs:
        return out
    lanes = read["IL2_nM"].shape
    per = [amount_in(1.0, "IU", d) / 1000 if d.MIU_per_mg else np.nan for d in plan.drugs]  # IU/mL for 1 nM
    out["level_nM"] = np.stack([read[f"{d.name}_nM"] for d in plan.drugs], axis=1)
    out["level_IU_per_mL"] = out["level_nM"] * np.array(per)[:, None]
    none = np.full(lanes, np.nan)
    out["uptake_nmol_per_d"] = np.stack([read.get(f"{d.name}_uptake", none) for d in plan.drugs], axis=1)
    fates = [
        fate(d, times, read, [g for g in given if drug(g.drug).name == d.name], values, network)
        for d in plan.drugs
    ]
    return out | {name: np.stack([f[name] for f in fates], axis=-1) for name in (*FATES, "missed")}


def _banded(name: str, whole: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The default lane, and the quantiles over the lanes that are solved."""
    yield name, whole[0]
    if len(whole) > 1 and name != "missed":
        import warnings

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="All-NaN slice")
            ends = np.nanpercentile(whole, BAND, axis=0)
        yield from ((f"{name}_{end}", quantile) for end, quantile in zip(ENDS, ends, strict=True))


def _labelled(label: str, values: np.ndarray, plan: Plan, network: Network) -> tuple:
    """Dims, values and attributes of a variable."""
    stem, _, end = label.rpartition("_")
    name = stem if end in ENDS else label
    if name in OF_CELL:
        dims, (unit, long) = ("time_d", "cell"), OF_CELL[name]
    elif name in OF_DRUG:
        dims, (unit, long) = ("drug", "time_d"), OF_DRUG[name]
    elif name in FATES or name == "missed":
        dims, (unit, long) = ("drug",), (ONE, FATES.get(name, "share of the dose that is not accounted for"))
    elif name in OF_PERSON:
        dims, (unit, long) = ("time_d",), OF_PERSON[name]
    else:
        known = next(o for o in network.observables if o.name == name)
        dims, (unit, long) = ("time_d",), (known.unit, name.replace("_", " "))
    if name != label:
        long += f", {BAND[ENDS.index(end)]} % quantile over draws"
    return ("regimen", *dims), values, {"units": unit, "long_name": long}


def _given(plan: Plan, given: Mapping[str, Sequence[Given]]) -> dict[str, tuple]:
    """When and how much is given: (regimen, drug, dose), NaN beyond the last dose."""
    most = max((len(g) for g in given.values()), default=0)
    if not plan.drugs:
        return {}
    shape = (len(given), len(plan.drugs), most)
    times, amounts, lengths = (np.full(shape, np.nan) for _ in range(3))
    for i, every in enumerate(given.values()):
        for j, d in enumerate(plan.drugs):
            own = [g for g in every if drug(g.drug).name == d.name]
            times[i, j, : len(own)] = [g.time_d for g in own]
            amounts[i, j, : len(own)] = [g.amount_nmol for g in own]
            lengths[i, j, : len(own)] = [g.duration_d for g in own]
    dims = ("regimen", "drug", "dose")
    return {
        "dose_time_d": (dims, times, {"units": "d", "long_name": "when a dose is given"}),
        "dose_nmol": (dims, amounts, {"units": "nmol", "long_name": "amount of a dose"}),
        "dose_lasts_d": (dims, lengths, {"units": "d", "long_name": "length of an infusion, 0 of a bolus"}),
    }


def _constants(plan: Plan, values: Values) -> dict[str, tuple]:
    """Levels to read a course against."""
    if not plan.drugs:
        return {}
    halves = np.array([[half_signal(d, kind, values) for kind in plan.cells] for d in plan.drugs])
    cover = [
        float(np.ravel(values[half_occupied(d)])[0]) if d.kind == ANTIBODY else np.nan for d in plan.drugs
    ]  # fmt: skip
    return {
        "EC50_nM": (("drug", "cell"), halves, {"units": "nM", "long_name": "level for half of the most pSTAT5"}),
        "half_cover_nM": (("drug",), np.array(cover), {"units": "nM", "long_name": "level that covers half of IL2RA"}),
    }
