"""Plates: a row is a well with its own ligand, affinities, cell, counts, dose and time.

A bad row gets an empty `pstat5` and its reason in `status`; the others are answered. Row order and number
are kept and extra columns pass through. Nothing depends on the name of a ligand that comes with KDs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from il2.cell.inputs import outside_domain
from il2.cell.simulate import simulate
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import CHAINS, cell, cells, is_cell
from il2.receptor.addition import KINASES, Mixture, additions, dials, mixture
from il2.receptor.head import head
from il2.receptor.ligand import ALPHA_ONLY, KDS, Heads, describe, interface_factors
from il2.receptor.model import dose
from il2.receptor.trafficking import count
from il2.signalling.stat import phosphorylated

if TYPE_CHECKING:
    import pandas

REQUIRED = ("ligand", "cell", "dose_nM", "time_min")
HEADS = ("n_alpha_only_heads", "kd_alpha_only_nM")
MIXED = ("with", "with_before_min", "dial")
OPTIONAL = ("valency", "format", *KDS, *HEADS, "kd_assay", *CHAINS, "cells_per_mL", *MIXED)
OTHER_STATS = ("STAT6", "STAT3")
ADDED = ("pstat5", *map(phosphorylated, OTHER_STATS), "active_complexes", "status", "warning")
DESCRIPTION = ("ligand", "format", "kd_assay", "valency", *KDS, *HEADS)


def predict_plate(plate: pandas.DataFrame, *, threads: int | None = None) -> pandas.DataFrame:
    """The rows of `plate` with `pstat5` (fraction), `active_complexes` (molecules per cell), `status`, `warning`;
    and `pstat6` and `pstat3`, empty where no ligand of the row signals through them.

    Columns: ligand, cell, dose_nM, time_min; optional valency, format, kd_il2ra_nM, kd_il2rbg_nM, kd_il2rb_nM,
    kd_il15ra_nM, n_alpha_only_heads, kd_alpha_only_nM, kd_assay, IL2RA, IL2RB, IL2RG, IL15RA, IL4R, IL7R, IL9R,
    IL21R (per cell), cells_per_mL, with (`name=amount;name=amount`), with_before_min, dial (`IL2RG=0;JAK3=0.5`).
    Empty means not given. Raises Il2Error for a plate whose columns are wrong or that has no rows.
    """
    check_columns(list(plate.columns))
    if not len(plate):
        raise Il2Error("the plate has no wells", how="Give at least one row below the header.")
    return _Wells(plate).answer(threads)


def check_columns(columns: list[str]) -> None:
    """Refuse a plate without the required columns, with repeated ones, or with names that the output adds."""
    for name in REQUIRED:
        if name not in columns:
            raise Il2Error(
                f"the column {name!r} is missing",
                where="plate header",
                why=f"found: {', '.join(columns)[:200]}",
                how="Columns are separated by commas.",
            )
    for name in set(columns) - {*REQUIRED, *OPTIONAL}:
        for known in (*REQUIRED, *OPTIONAL):
            if _bare(name) == _bare(known) and known not in columns:
                raise Il2Error(
                    f"the column {name!r} is not known", where="plate header", how=f"Did you mean {known!r}?"
                )
    repeated = {c for c in columns if columns.count(c) > 1}
    if repeated:
        raise Il2Error(f"the column {sorted(repeated)[0]!r} stands twice", where="plate header", how="Rename one.")
    for name in ADDED:
        if name in columns:
            raise Il2Error(f"the column {name!r} is one that the output adds", where="plate header", how="Rename it.")


def _bare(column: str) -> str:
    """A column name without case, unit and punctuation."""
    return "".join(ch for ch in column.casefold().removesuffix("_nm") if ch.isalnum())


class _Wells:
    """The columns of one plate as text and numbers, with a problem and warnings per row."""

    def __init__(self, plate: pandas.DataFrame) -> None:
        self.plate = plate
        self.n = len(plate)
        self.problem = np.full(self.n, "", dtype=object)
        self.warning = np.full(self.n, "", dtype=object)
        self.text = {
            name: np.array([_clean(v) for v in plate[name]], dtype=object)
            if name in plate.columns
            else np.full(self.n, "", dtype=object)
            for name in (*REQUIRED, *OPTIONAL)
        }

    def answer(self, threads: int | None) -> pandas.DataFrame:
        doses = self.numbers("dose_nM", least=0.0, required=True)
        times = self.numbers("time_min", least=0.0, required=True)
        density = self.numbers("cells_per_mL", least=0.0, above=True)
        before = self.numbers("with_before_min", least=0.0)
        base, which, kinds = self.ligands()
        counts = self.counts(base)
        extra, extras = self.distinct("with", additions, ())
        dial, shares = self.distinct("dial", lambda text: dials(text, CHAINS), {})
        self.domain(doses, times, counts, base)
        turned = {c: np.array([share.get(c, 1.0) for share in shares])[dial] for c in (*CHAINS, *KINASES)}
        lanes = {count(c): np.nan_to_num(counts[c]) * turned[c] for c in CHAINS} | {k: turned[k] for k in KINASES}
        before = np.nan_to_num(before)
        found = {name: np.full(self.n, np.nan) for name in ("STAT5", *OTHER_STATS, "active")}
        for mixes, rows, code in self._groups(kinds, which, extras, extra, density, before):
            of, slot = mixes[0].system, mixes[0].slot
            values = {name: column[rows] for name, column in lanes.items()}
            for name in {name: 0 for mix in mixes for name in mix.values}:  # one without an inhibitor has none of it
                values[name] = np.array([mix.values.get(name, 0.0) for mix in mixes])[code]
            values[dose(slot)] = doses[rows]
            if np.isfinite(density[rows[0]]):
                values["cells_per_mL"] = density[rows]
            delay = before[rows[0]]
            out = simulate(of, values, times[rows, None], before_min=delay, slot=slot, threads=threads)
            found["active"][rows] = out.active[:, 0]
            for stat in of.stats:
                found[stat][rows] = out.shares[stat][:, 0]
            for row, reason in zip(rows, out.reasons, strict=True):
                if reason:
                    self.problem[row] = f"not solved: {reason}"
        bad = self.problem != ""
        for column in found.values():
            column[bad] = np.nan
        shown = {phosphorylated(stat): found[stat] for stat in ("STAT5", *OTHER_STATS)}
        status = np.where(bad, self.problem, "ok")
        return self.plate.assign(**shown, active_complexes=found["active"], status=status, warning=self.warning)

    def _groups(self, kinds: list, which, extras: list, extra, density, before):
        """Rows that share a network, a supply of ligand and a delay: the distinct mixtures, the rows, and which of
        the mixtures each row is."""
        good = np.flatnonzero(self.problem == "")
        supply = np.isfinite(density)
        keys = np.stack([which[good], extra[good], supply[good], *np.unique(before[good], return_inverse=True)[1:]])
        distinct, code = np.unique(keys, axis=1, return_inverse=True)
        made: list[Mixture | None] = []
        for k, (kind, more, depleted, _) in enumerate(distinct.T):
            try:
                made.append(mixture(kinds[kind], extras[more], bool(depleted)))
            except Il2Error as error:
                made.append(None)
                self.fail(good[code == k], str(error))
        groups: dict[tuple, list[int]] = {}
        for k, mix in enumerate(made):
            if mix is not None:
                groups.setdefault((mix.system, mix.slot, *distinct[2:, k]), []).append(k)
        for members in groups.values():
            inside = np.isin(code, members)
            position = np.zeros(len(made), dtype=int)
            position[members] = np.arange(len(members))
            yield [made[k] for k in members], good[inside], position[code[inside]]

    def distinct(self, name: str, read, nothing) -> tuple[np.ndarray, list]:
        """A column of small texts, each distinct text read once: which one a row holds, and what they say; what
        cannot be read is its rows' problem."""
        texts, which = _factorise(self.text[name])
        out = []
        for k, text in enumerate(texts):
            try:
                out.append(read(text))
            except Il2Error as error:
                out.append(nothing)
                self.fail(which == k, str(error))
        return which, out

    def numbers(self, name: str, least: float, *, required: bool = False, above: bool = False) -> np.ndarray:
        """A column as floats, NaN where empty; what is no number or out of range is the row's problem."""
        import pandas

        if name not in self.plate.columns:
            return np.full(self.n, np.nan)
        text = self.text[name]
        given = text != ""
        values = pandas.to_numeric(pandas.Series(text), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        limit = f"a finite number {'above' if above else 'from'} {least:g}{'' if above else ' up'}"
        low = (values <= least) if above else (values < least)
        wrong = given & (~np.isfinite(values) | low)
        self.fail(wrong, [f"{name} is {t!r}, not {limit}" for t in text[wrong]])
        if required:
            self.fail(~given, f"{name} is missing")
        return np.where(given, values, np.nan)

    def counts(self, base: np.ndarray) -> dict[str, np.ndarray]:
        """Receptors per cell: given, else known for the cell; the chains of the row's ligand must be, but IL15RA."""
        given = {chain: self.numbers(chain, least=0.0) for chain in CHAINS}
        names, which = _factorise(self.text["cell"])
        known = [cell(name).counts if is_cell(name) else None for name in names]
        own = np.array([k is None for k in known])[which]
        table = {c: np.array([k[c].value if k and c in k else np.nan for k in known])[which] for c in CHAINS}
        overrides = np.zeros(self.n, dtype=bool)
        for chain in CHAINS:
            overrides |= np.isfinite(given[chain]) & np.isfinite(table[chain]) & (given[chain] != table[chain])
        self.warn(overrides, "the given counts override those known for this cell")
        self.warn(own & (self.text["cell"] != ""), "cell not in the knowledge base: pooled cell parameters")
        out = {c: np.where(np.isfinite(given[c]), given[c], table[c]) for c in CHAINS}
        for name in filter(None, set(base)):
            for chain in head(name).chains:
                if chain != "IL15RA":
                    missing = (base == name) & ~np.isfinite(out[chain]) & (self.problem == "")
                    self.fail(missing, [self._unknown(cell, chain) for cell in self.text["cell"][missing]])
        return out

    def _unknown(self, name: str, chain: str) -> str:
        if not name:
            return "cell is missing"
        hint = did_you_mean(name, cells()) if not is_cell(name) else ""
        return f"no {chain} count is given or known for cell {name!r}. {hint}".strip()

    def ligands(self) -> tuple[np.ndarray, np.ndarray, list]:
        """Base cytokine per row, which distinct description a row holds, and the ligand of each description."""
        columns = {name: self.numbers(name, least=0.0, above=True) for name in (*KDS, HEADS[1])}
        whole = {name: self.numbers(name, least=least) for name, least in (("valency", 1.0), (HEADS[0], 0.0))}
        for name, values in whole.items():
            fractional = np.isfinite(values) & (values != np.floor(values))
            self.fail(fractional, [f"{name} is {v:g}, not a whole number" for v in values[fractional]])
        texts = [self.text[k] for k in DESCRIPTION if k in self.plate.columns]
        every, which = _factorise(np.array(["\x1f".join(parts) for parts in zip(*texts, strict=True)]))
        base = np.full(self.n, "", dtype=object)
        kinds: list = [None] * len(every)
        order = np.argsort(which, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(which[order])) + 1):
            first = rows[0]
            if self.problem[first] and (self.problem[rows] != "").all():
                continue
            try:
                found, notes = self._describe(first, columns, whole)
                _, more = interface_factors(found)
            except Il2Error as error:
                self.fail(rows, str(error))
                continue
            base[rows] = found.base
            kinds[which[first]] = found
            for note in (*notes, *more):
                self.warn(rows, note)
            if (stat := head(found.base).stat) != "STAT5":
                self.warn(rows, f"{found.base} signals through {stat}: see {phosphorylated(stat)}")
        return base, which, kinds

    def _describe(self, row: int, columns: dict[str, np.ndarray], whole: dict[str, np.ndarray]):
        text = {name: self.text[name][row] for name in ("ligand", "kd_assay", "format")}
        if not text["ligand"]:
            raise Il2Error("ligand is missing")
        given = {interface: float(columns[k][row]) for k, interface in KDS.items() if np.isfinite(columns[k][row])}
        valency, alpha = (int(v[row]) if np.isfinite(v[row]) else None for v in whole.values())
        kd = columns[HEADS[1]][row] if np.isfinite(columns[HEADS[1]][row]) else given.get("IL2RA")
        if np.isfinite(columns[HEADS[1]][row]) and not alpha:
            raise Il2Error(f"{HEADS[1]} is given without {HEADS[0]}")
        others = (Heads(alpha, (("IL2RA", float(kd)),) if kd else (), ALPHA_ONLY),) if alpha else ()
        return describe(text["ligand"], given, text["kd_assay"], text["format"], valency, others=others)

    def domain(self, doses: np.ndarray, times: np.ndarray, counts: dict[str, np.ndarray], base: np.ndarray) -> None:
        """Warn where a well lies outside what the parameters were chosen on, or cannot signal."""
        for name, values in (("dose", doses), ("time", times)):
            self.warn(*outside_domain(name, values))
        self.warn(doses == 0, "untreated well")
        for name in filter(None, set(base)):
            for chain in sorted(head(name).signalling):
                self.warn((base == name) & (counts[chain] == 0), f"a cell without {chain} cannot signal")

    def fail(self, where: np.ndarray, reason) -> None:
        """Set the problem of the rows in `where` (a mask or row numbers) that have none yet."""
        rows = _rows(where)
        reasons = [reason] * len(rows) if isinstance(reason, str) else reason
        for row, text in zip(rows, reasons, strict=True):
            self.problem[row] = self.problem[row] or text

    def warn(self, where: np.ndarray, text: str) -> None:
        rows = _rows(where)
        self.warning[rows] = [f"{old}; {text}" if old else text for old in self.warning[rows]]


def _rows(where: np.ndarray) -> np.ndarray:
    return np.flatnonzero(where) if where.dtype == bool else where


def _clean(value) -> str:
    """A field as text; missing values of any kind are empty."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if text == "<NA>" else text


def _factorise(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Distinct values in order of appearance, and which one each row holds."""
    import pandas

    codes, names = pandas.factorize(values)
    return [str(n) for n in names], codes
