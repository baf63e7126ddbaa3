"""`culture`: wells of cells that share a medium, over days, with bands over donors and draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from il2 import __version__
from il2.cell.cohort import PRODUCTS
from il2.cell.culture_evidence import evidence, warnings_before
from il2.cell.culture_readout import COHORT, derived, notes_after, wanted_names
from il2.cell.culture_store import WORDS, Store
from il2.cell.donors import is_line, variants
from il2.cell.lanes import Courses, setup, solve_wells
from il2.cell.population import GENERATIONS
from il2.cell.well import CYTOKINES, Well
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.parameters import CURRENT, fingerprint
from il2.knowledge.table import rows

if TYPE_CHECKING:
    import xarray

DEFAULT_TIMES_h = tuple(range(0, 121, 2))
LANES_AT_ONCE = 800  # bounds memory; a lane does not depend on the others
MOST_LANES, MOST_VALUES, MOST_DONORS, MOST_WELLS, MOST_COHORTS = 200_000, 250_000_000, 10_000, 384, 12
LONGEST_h = 2_000


def culture(
    wells: Well | Sequence[Well] | Mapping[str, Well],
    times_h: Sequence[float] | np.ndarray = DEFAULT_TIMES_h,
    *,
    donors: int = 0,
    draws: int = 0,
    seed: int = 0,
    genes: Sequence[str] = (),
    products: Sequence[str] = (),
    bands: bool = False,
    threads: int | None = None,
    on_done: Callable[[int], None] | None = None,
) -> xarray.Dataset:
    """Time courses of wells at `times_h` (times,), which start at 0 and rise.

    wells: by name, or one or several, which are then named A1, A2 ... donors: people beside the typical one, with
    receptors and cell numbers of their own. draws: parameter sets beside the default one, each with every donor.
    genes: of promoters.csv besides IL2. products: of outputs.csv besides those that cells need. bands: keep the 5 and
    95 % quantiles over donors and draws alone. on_done: told how many cultures are ready.

    Returns a Dataset with dims well, donor, time_h, cohort and generation, and draw where there are draws. Donor 0
    is the typical one and draw 0 the default set. Cytokines are in nM, cells in numbers per well, receptors on the
    surface and active complexes in molecules per cell, IL-2 secretion in molecules per cell and min, pathways and
    products relative. `divisions` is the mean over living cells, `division_index` the mean over the cells that they
    stem from, `dye` what is left of a dye that divisions halve. `IL2_balance_error` is the largest share of IL-2
    that the mass balance misses. With bands there are no donors and draws; each variable X is that of the typical
    donor, beside X_low and X_high. What a well lacks, or a failed lane, is NaN. Raises Il2Error for what cannot be
    answered.
    """
    import xarray

    named = _named(wells)
    times = _times(times_h)
    genes, products = _known(genes, "promoters", "gene"), _known(products, "outputs", "product")
    asked = _count("donors", donors)
    donors = 0 if all(is_line(c.kind) for w in named.values() for c in w.cells) else asked
    people, sets = 1 + donors, 1 + _count("draws", draws)
    cohorts = list(dict.fromkeys(c.label for w in named.values() for c in w.cells))
    store = Store(list(named), cohorts, times, people * sets, bands)
    _bounded(named, cohorts, times, people * sets, bands, len(COHORT) + len(PRODUCTS) + len(products) + 2 * len(genes))
    several, values = variants(named, donors, draws, seed, genes, products)
    reasons: dict[str, tuple[str, ...]] = {}
    for key, found in _solved(several, times, values, people * sets, genes, products, threads, on_done):
        store.put(key, derived(named[key], found, genes, products), found.reasons)
        reasons[key] = found.reasons
    warnings = warnings_before(named, asked, float(times[-1])) + notes_after(named, store.typical, reasons)
    ground = evidence(named, genes, products)
    facts = {
        "title": "Culture predicted by il2",
        "il2_version": __version__,
        "parameter_set": CURRENT,
        "parameter_hash": fingerprint(),
        "species": next(iter(named.values())).species,
        "seed": seed,
        "donors": donors,
        "draws": draws,
        "band": WORDS if bands and people * sets > 1 else "",
        "weakest_grade": ground.weakest,
        "grades": "; ".join(f"{n} {grade}" for grade, n in ground.grades.items()),
        "sources": "; ".join(ground.sources),
        "warnings": warnings,
    }
    coords: dict[str, Any] = {
        "well": list(named),
        "time_h": ("time_h", times, {"units": "h", "long_name": "time"}),
        "cohort": cohorts,
        "generation": ("generation", np.arange(GENERATIONS + 1), {"long_name": "divisions done"}),
    }
    if not bands:
        coords |= {"donor": np.arange(people)} | ({"draw": np.arange(sets)} if draws else {})
    return xarray.Dataset(store.variables(sets if draws else 0, people), coords=coords, attrs=facts)


def _solved(wells, times, values, size, genes, products, threads, on_done) -> Iterator[tuple[str, Courses]]:
    """Each well with all its lanes; wells that share equations are solved together, in pieces that bound memory."""
    groups: dict = {}
    for key, well in wells.items():
        groups.setdefault(setup(well, genes, products), []).append(key)
    for keys in groups.values():
        wanted = wanted_names(wells[keys[0]], genes, products)
        together = max(1, LANES_AT_ONCE // size)
        for start in range(0, len(keys), together):
            part = keys[start : start + together]
            pieces: list[list[Courses]] = []
            for first in range(0, size, LANES_AT_ONCE):
                own = {name: v[first : first + LANES_AT_ONCE] for name, v in values.items()}
                chosen = [wells[k] for k in part]
                pieces.append(
                    solve_wells(
                        chosen, times, wanted, variants=own, genes=genes, products=products, threads=threads,
                        on_done=on_done,
                    )
                )  # fmt: skip
            for i, key in enumerate(part):
                yield key, _joined([piece[i] for piece in pieces])


def _joined(pieces: list[Courses]) -> Courses:
    if len(pieces) == 1:
        return pieces[0]
    values = {name: np.concatenate([p.values[name] for p in pieces]) for name in pieces[0].values}
    return Courses(values, tuple(r for p in pieces for r in p.reasons))


def _named(wells: Well | Sequence[Well] | Mapping[str, Well]) -> dict[str, Well]:
    if isinstance(wells, Well):
        wells = [wells]
    if not isinstance(wells, Mapping):
        wells = {f"{'ABCDEFGHIJKLMNOP'[i // 24]}{i % 24 + 1}": w for i, w in enumerate(wells[: MOST_WELLS + 1])}
    if not wells or len(wells) > MOST_WELLS:
        raise Il2Error(f"{len(wells)} wells", where="culture", how=f"Give 1 to {MOST_WELLS}.")
    species = {w.species for w in wells.values()}
    if len(species) > 1:
        raise Il2Error(f"wells of {' and '.join(sorted(species))}", where="culture", how="Give one species a plate.")
    return dict(wells)


def _times(times_h: Sequence[float] | np.ndarray) -> np.ndarray:
    times = np.asarray(times_h, dtype=float)
    rises = times.ndim == 1 and len(times) > 0 and np.isfinite(times).all() and (np.diff(times) > 0).all()
    if not rises or times[0] != 0:
        raise Il2Error("times_h do not rise from 0", where="culture", how="Give finite times, 0 first.")
    if times[-1] > LONGEST_h:
        raise Il2Error(f"{times[-1]:g} h asked for", where="culture", how=f"Give at most {LONGEST_h} h.")
    return times


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_DONORS:
        raise Il2Error(f"{name} is {value}", where="culture", how=f"Give a whole number from 0 to {MOST_DONORS:,}.")
    return value


def _known(names: Sequence[str], table: str, column: str) -> tuple[str, ...]:
    known = dict.fromkeys(row[column] for row in rows(table))
    for name in names:
        if name not in known:
            raise Il2Error(f"unknown {column} {name!r}", where="culture", how=did_you_mean(name, known))
    return tuple(dict.fromkeys(names))


def _bounded(wells, cohorts, times, lanes, bands, readouts) -> None:
    """Refuse what would take hours, or more memory than a desk has."""
    if len(cohorts) > MOST_COHORTS:
        raise Il2Error(f"{len(cohorts)} cohorts of cells", where="culture", how=f"Give at most {MOST_COHORTS}.")
    if len(wells) * lanes > MOST_LANES:
        raise Il2Error(
            f"{len(wells) * lanes:,} cultures asked for", where="culture", why=f"the limit is {MOST_LANES:,}",
            how="Ask for fewer wells, donors or draws.",
        )  # fmt: skip
    each = len(times) * len(cohorts) * (readouts + GENERATIONS + len(CYTOKINES))
    kept = 3 * len(wells) if bands else len(wells) * lanes
    if each * max(kept, lanes) > MOST_VALUES:
        more = "Ask for fewer times, donors or wells." if bands else "Ask for bands, or for fewer times or donors."
        raise Il2Error(
            f"{each * max(kept, lanes):,} values asked for", where="culture", why=f"the limit is {MOST_VALUES:,}",
            how=more,
        )  # fmt: skip
