"""Wells of a user's tidy table: a row is one measured value; what cannot be fitted is refused with its line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from il2.cell.columns import clean, factorise
from il2.cell.plate import OPTIONAL, REQUIRED, PlateWells
from il2.errors import Il2Error
from il2.fit.well_file import OWN, frame_of, text_of
from il2.knowledge.cell import CHAINS, cell, is_cell
from il2.receptor.addition import Addition, additions, dials
from il2.receptor.head import cytokines, head
from il2.receptor.ligand import KDS, Ligand, catalogued, is_ligand

if TYPE_CHECKING:
    import pandas

PANEL = ("date", "plate", "panel")
CENSORED = {"": 0, "<": -1, ">": 1}
FEWEST_DOSES = 3
LARGEST_VALUE = 1e100


@dataclass(frozen=True)
class Wells:
    """Measured wells, arrays (n,) but for `kinds`, `extras` and `shares`, of which `which`, `extra` and `dial` name
    one a row. dose in nM, time in min, value in `unit`; counts per cell by chain, NaN where none is known; given:
    where they come from the file. lines: of the file. key: a hash of the file."""

    path: str
    key: str
    unit: str
    lines: np.ndarray
    ligand: np.ndarray
    cell: np.ndarray
    replicate: np.ndarray
    panel: np.ndarray
    dose: np.ndarray
    time: np.ndarray
    value: np.ndarray
    censored: np.ndarray
    counts: dict[str, np.ndarray]
    given: dict[str, np.ndarray]
    density: np.ndarray
    which: np.ndarray
    kinds: tuple[Ligand, ...]
    unknown: np.ndarray
    extra: np.ndarray
    extras: tuple[tuple[Addition, ...], ...]
    dial: np.ndarray
    shares: tuple[dict[str, float], ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.value)

    def groups(self) -> tuple[np.ndarray, list[str]]:
        """Which group of wells that share a scale a row belongs to, and names of the groups: cell, then replicate
        and panel where there are several."""
        parts = [self.cell.astype(str)]
        if len(set(self.replicate)) > 1:
            parts.append(np.array([f" replicate {r}" for r in self.replicate], dtype=object))
        if len(set(self.panel)) > 1:
            parts.append(np.array([f" {p}" for p in self.panel], dtype=object))
        names, codes = factorise(np.array(["".join(map(str, row)) for row in zip(*parts, strict=True)], dtype=object))
        return codes, names


def read_wells(path: Path, value: str = "") -> Wells:
    """Wells of a CSV file (UTF-8). value: the column of measured values, by default `value` or the one of pSTAT.

    Raises Il2Error, with file and line, for what is no table, lacks a unit, stands twice or cannot be fitted.
    """
    text = text_of(path)
    frame, lines, unit = frame_of(text, path, value)
    return _checked(frame, lines, path, unit, hashlib.sha256(text.encode()).hexdigest()[:16])


def _checked(frame: pandas.DataFrame, lines: np.ndarray, path: Path, unit: str, key: str) -> Wells:
    used = [c for c in frame.columns if c in {*REQUIRED, *OPTIONAL, *OWN, "value"}]
    unused = [c for c in frame.columns if c not in used and c]
    frame = frame[used]
    own = {name: np.array([clean(v) for v in frame[name]], dtype=object) for name in frame.columns}
    empty = np.full(len(frame), "", dtype=object)
    kept = own.get("excluded", empty) == ""
    if not kept.any():
        raise Il2Error("every well is excluded", where=str(path), how="Empty the column excluded for wells to fit.")
    frame, lines = frame[kept].reset_index(drop=True), lines[kept]
    own = {name: column[kept] for name, column in own.items()}
    empty = empty[kept]
    notes = [f"columns that are not used: {', '.join(unused)}"] if unused else []
    notes += [f"{(~kept).sum()} excluded wells are left out"] if not kept.all() else []
    for name, known in (("ligand", _known_ligand), ("cell", _known_cell)):
        if name in own:
            own[name] = _one_spelling(name, np.array([known(str(t)) for t in own[name]], object), lines, path)
    frame, label, unknown = _labels(frame, own, empty)
    wells = PlateWells(frame, (*REQUIRED, *OPTIONAL, "value"))
    numbers = {
        "dose": wells.numbers("dose_nM", least=0.0, required=True),
        "time": wells.numbers("time_min", least=0.0, required=True),
        "value": _measured(wells),
        "density": wells.numbers("cells_per_mL", least=0.0, above=True),
    }
    wells.fail(np.nan_to_num(wells.numbers("with_before_min", least=0.0)) > 0, "with_before_min cannot be fitted")
    marks = own.get("censored", empty)
    wells.fail(~np.isin(marks, list(CENSORED)), [f"censored is {m!r}, not < or >" for m in marks if m not in CENSORED])
    base, which, kinds = wells.ligands()
    counts = wells.counts(base)
    extra, extras = wells.distinct("with", additions, ())
    dial, shares = wells.distinct("dial", lambda text: dials(text, CHAINS), {})
    _refuse_rows(wells.problem, lines, path)
    notes += sorted({note for text in wells.warning if text for note in str(text).split("; ") if _tells(note)})
    panel = [[str(own[c][i]) for c in PANEL if c in own and own[c][i]] for i in range(len(frame))]
    found = Wells(
        str(path), key, _one_unit(own.get("unit", empty), unit, path), lines, label, own["cell"],
        own.get("replicate", empty), np.array([", ".join(p) for p in panel], dtype=object), numbers["dose"],
        numbers["time"], numbers["value"], np.array([CENSORED[m] for m in marks]), counts,
        {c: np.array([bool(t) for t in wells.text[c]]) for c in CHAINS}, numbers["density"], which, tuple(kinds),
        unknown, extra, tuple(extras), dial, tuple(shares), tuple(notes),
    )  # fmt: skip
    _refuse_zeros(found, base)
    _refuse_twice(found)
    return _usable(found)


def _known_cell(name: str) -> str:
    return cell(name).name if is_cell(name) else name


def _known_ligand(name: str) -> str:
    return str(row["name"]) if (row := catalogued(name)) else name


def _one_spelling(what: str, names: np.ndarray, lines: np.ndarray, path: Path) -> np.ndarray:
    """The names, unless two differ only in case, spaces and punctuation."""
    seen: dict[str, str] = {}
    for name, line in zip(names.tolist(), lines, strict=True):
        bare = "".join(ch for ch in name.casefold() if ch.isalnum())
        if bare and seen.setdefault(bare, name) != name:
            why = f"above it is {seen[bare]!r}"
            raise Il2Error(
                f"the {what} {name!r} is spelt in two ways", where=f"{path}:{line}", why=why, how="Write one."
            )
    return names


def _measured(wells: PlateWells) -> np.ndarray:
    import pandas

    text = wells.text["value"]
    values = pandas.to_numeric(pandas.Series(text), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~np.isfinite(values)
    how = "mark a lost well in a column excluded, or leave its row out"
    wells.fail(wrong, [f"the value is {t!r}, not a finite number: {how}" for t in text[wrong]])
    huge = ~wrong & (np.abs(np.where(wrong, 0.0, values)) > LARGEST_VALUE)
    wells.fail(huge, [f"the value {t} is too large: {how}" for t in text[huge]])
    return values


def _tells(note: str) -> bool:
    return note not in ("untreated well", "the given counts override those known for this cell")


def _labels(frame: pandas.DataFrame, own: dict, empty: np.ndarray) -> tuple[pandas.DataFrame, np.ndarray, np.ndarray]:
    """The table with ligands that can be described, the user's names of them, and which have unknown affinities.

    An untreated well without a ligand gets one of its cell, since it is the same for all. A ligand that has only a
    `base` is described as that.
    """
    if "ligand" not in own or "cell" not in own or "dose_nM" not in own:
        return frame, empty, empty != ""
    label = own["ligand"].copy()
    for i in np.flatnonzero(label == ""):
        if _is_zero(own["dose_nM"][i]):
            same = (own["cell"] == own["cell"][i]) & (own["ligand"] != "")
            label[i] = own["ligand"][same][0] if same.any() else ""
    base = own.get("base", empty)
    kds = np.zeros(len(frame), dtype=bool)
    for name in KDS:
        kds |= own.get(name, empty) != ""
    known = np.array([is_ligand(str(name)) for name in label])
    unknown = (base != "") & ~kds & ~known & np.isin(base, cytokines())
    return frame.assign(ligand=np.where(unknown, base, label)), label, unknown


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False


def _refuse_rows(problem: np.ndarray, lines: np.ndarray, path: Path) -> None:
    bad = np.flatnonzero(problem != "")
    if len(bad):
        others = len(bad) - 1
        more = f"{others} more row{'s' * (others > 1)} cannot be read" if others else ""
        raise Il2Error(str(problem[bad[0]]).rstrip("."), where=f"{path}:{lines[bad[0]]}", why=more)


def _one_unit(told: np.ndarray, unit: str, path: Path) -> str:
    found = sorted({str(u) for u in told if u})
    if len(found) > 1:
        raise Il2Error(
            f"the values have the units {found[0]} and {found[1]}", where=str(path), how="Convert them to one."
        )
    return found[0] if found else unit or "arbitrary unit"


def _refuse_zeros(wells: Wells, base: np.ndarray) -> None:
    for name, column in (("dose", wells.dose), ("value", wells.value)):
        if (column == 0).all():
            raise Il2Error(f"the column of the {name} holds zeros only", where=wells.path, how="Check the export.")
    if (wells.time == 0).all():
        raise Il2Error("the column of the time holds zeros only", where=wells.path, how="Give the time of stimulation.")
    for name in sorted(set(base)):
        for chain in sorted(head(name).signalling):
            here = base == name
            if (wells.given[chain] & here).any() and (wells.counts[chain][here] == 0).all():
                why = f"{name} signals through it"
                raise Il2Error(f"the column {chain} holds zeros only", where=wells.path, why=why, how="Empty it.")


def _refuse_twice(wells: Wells) -> None:
    """Refuse a treated well that stands twice; untreated ones may, since all of them measure the background."""
    seen: dict[tuple, int] = {}
    for i in np.flatnonzero(wells.dose > 0):
        key = (
            wells.ligand[i], wells.which[i], wells.cell[i], wells.dose[i], wells.time[i], wells.replicate[i],
            wells.panel[i], wells.extra[i], wells.dial[i], wells.density[i] if np.isfinite(wells.density[i]) else None,
            *(column[i] if wells.given[c][i] else None for c, column in wells.counts.items()),
        )  # fmt: skip
        if key in seen:
            told = f"{wells.ligand[i]}, {wells.cell[i]}, {wells.dose[i]:g} nM, {wells.time[i]:g} min"
            told += f", replicate {wells.replicate[i]}" if wells.replicate[i] else ""
            raise Il2Error(
                f"the well {told} stands twice", where=f"{wells.path}:{wells.lines[i]}",
                why=f"first in line {wells.lines[seen[key]]}",
                how="Number replicates in a column replicate, name days and plates in date and plate, or remove one.",
            )  # fmt: skip
        seen[key] = int(i)


def _usable(wells: Wells) -> Wells:
    """Refuse groups that show nothing; note what weakens a fit."""
    codes, names = wells.groups()
    notes, without = list(wells.notes), []
    for k, name in enumerate(names):
        here = codes == k
        first = wells.lines[here][0]
        doses = len(set(wells.dose[here & (wells.dose > 0)]))
        if doses < FEWEST_DOSES:
            how = f"Give at least {FEWEST_DOSES} doses above zero of a cell on one plate, or leave it out."
            raise Il2Error(
                f"{name} has {doses or 'no'} dose{'s' * (doses != 1)}", where=f"{wells.path}:{first}", how=how
            )
        if np.ptp(wells.value[here]) == 0:
            raise Il2Error(
                f"the signal of {name} is constant at {wells.value[here][0]:g}", where=f"{wells.path}:{first}",
                why=f"in all of its {here.sum()} wells", how="Check the gate and the export, or leave it out.",
            )  # fmt: skip
        if not (wells.dose[here] == 0).any():
            without.append(name)
    if without:
        shown = f"{without[0]} has" if len(without) == 1 else f"{len(without)} of {len(names)} sets of wells have"
        notes.append(f"{shown} no untreated wells: the background follows from the lowest doses")
    notes += _thin(wells) + _several(wells)
    if not _has_replicates(wells):
        notes.append("one replicate only: the noise is estimated from the residuals alone")
    return Wells(**{**wells.__dict__, "notes": tuple(notes)})


def _thin(wells: Wells) -> list[str]:
    pairs, which = factorise(np.array([f"{a} on {b}" for a, b in zip(wells.ligand, wells.cell, strict=True)], object))
    doses = {pair: len(set(wells.dose[(which == k) & (wells.dose > 0)])) for k, pair in enumerate(pairs)}
    return [f"{pair} has only {n} doses" for pair, n in doses.items() if 0 < n < FEWEST_DOSES]


def _several(wells: Wells) -> list[str]:
    kinds: dict[str, set[int]] = {}
    for name, which in zip(wells.ligand.tolist(), wells.which.tolist(), strict=True):
        kinds.setdefault(name, set()).add(which)
    return [
        f"{name} is described in {len(found)} ways (KDs, assay, format, valency): each is fitted as a ligand of its own"
        for name, found in kinds.items()
        if len(found) > 1
    ]


def _has_replicates(wells: Wells) -> bool:
    keys = zip(wells.ligand, wells.cell, wells.dose, wells.time, wells.which, strict=True)
    treated = [key for key, dose in zip(keys, wells.dose, strict=True) if dose > 0]
    return len(set(treated)) < len(treated)
