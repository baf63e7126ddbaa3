"""Plates: a row is a well with its own ligand, affinities, cell, counts, dose and time.

A bad row gets an empty `pstat5` and its reason in `status`; the others are answered. Row order and number
are kept and extra columns pass through. Nothing depends on the name of a ligand that comes with KDs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from il2.cell.inputs import outside_domain
from il2.cell.simulate import lane_values, simulate
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import CHAINS, cell, cells, is_cell
from il2.receptor.cytokine import cytokine, cytokines
from il2.receptor.ligand import KDS, describe, interface_factors

if TYPE_CHECKING:
    import pandas

REQUIRED = ("ligand", "cell", "dose_nM", "time_min")
OPTIONAL = ("valency", "format", *KDS, "kd_assay", *CHAINS, "cells_per_mL")
ADDED = ("pstat5", "active_complexes", "status", "warning")


def predict_plate(plate: pandas.DataFrame, *, threads: int | None = None) -> pandas.DataFrame:
    """The rows of `plate` with `pstat5` (fraction), `active_complexes` (molecules per cell), `status`, `warning`.

    Columns: ligand, cell, dose_nM, time_min; optional valency, format, kd_il2ra_nM, kd_il2rbg_nM,
    kd_il2rb_nM, kd_il15ra_nM, kd_assay, IL2RA, IL2RB, IL2RG, IL15RA (per cell), cells_per_mL. Empty means
    not given. Raises Il2Error for a plate whose columns are wrong or that has no rows.
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
        counts = self.counts()
        base, factors = self.ligands()
        self.domain(doses, times, counts)
        pstat5, active = np.full(self.n, np.nan), np.full(self.n, np.nan)
        good = self.problem == ""
        for name in cytokines():
            for depleted in (False, True):
                rows = np.flatnonzero(good & (base == name) & (np.isfinite(density) == depleted))
                if not len(rows):
                    continue
                chains = cytokine(name).chains
                values = lane_values(
                    name, doses[rows], {c: counts[c][rows] for c in chains}, {c: factors[c][rows] for c in chains}
                )
                if depleted:
                    values["cells_per_mL"] = density[rows]
                out = simulate(name, values, times[rows, None], depleted=depleted, threads=threads)
                pstat5[rows], active[rows] = out.pstat5[:, 0], out.active[:, 0]
                for row, reason in zip(rows, out.reasons, strict=True):
                    self.problem[row] = reason and f"not solved: {reason}"
        bad = self.problem != ""
        pstat5[bad] = active[bad] = np.nan
        status = np.where(bad, self.problem, "ok")
        return self.plate.assign(pstat5=pstat5, active_complexes=active, status=status, warning=self.warning)

    def numbers(self, name: str, least: float, *, required: bool = False, above: bool = False) -> np.ndarray:
        """A column as floats, NaN where empty; what is no number or out of range is the row's problem."""
        import pandas

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

    def counts(self) -> dict[str, np.ndarray]:
        """Receptors per cell: given, else known for the cell, else 0 for IL15RA alone."""
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
        out = {}
        for chain in CHAINS:
            value = np.where(np.isfinite(given[chain]), given[chain], table[chain])
            out[chain] = value if chain != "IL15RA" else np.where(np.isfinite(value), value, 0.0)
            missing = ~np.isfinite(out[chain]) & (self.problem == "")
            self.fail(missing, [self._unknown(name, chain) for name in self.text["cell"][missing]])
        return out

    def _unknown(self, name: str, chain: str) -> str:
        if not name:
            return "cell is missing"
        hint = did_you_mean(name, cells()) if not is_cell(name) else ""
        return f"no {chain} count is given or known for cell {name!r}. {hint}".strip()

    def ligands(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Base cytokine and affinity factors per row, worked out once per distinct ligand description."""
        kds = {name: self.numbers(name, least=0.0, above=True) for name in KDS}
        heads = self.numbers("valency", least=1.0)
        fractional = np.isfinite(heads) & (heads != np.floor(heads))
        self.fail(fractional, [f"valency is {v:g}, not a whole number" for v in heads[fractional]])
        keys = ("ligand", "format", "kd_assay", "valency", *KDS)
        _, which = _factorise(
            np.array(["\x1f".join(parts) for parts in zip(*(self.text[k] for k in keys), strict=True)])
        )
        base = np.full(self.n, "", dtype=object)
        factors = {chain: np.ones(self.n) for chain in CHAINS}
        order = np.argsort(which, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(which[order])) + 1):
            first = rows[0]
            if self.problem[first] and (self.problem[rows] != "").all():
                continue
            try:
                found, notes = self._describe(first, kds, heads)
                of, more = interface_factors(found)
            except Il2Error as error:
                self.fail(rows, str(error))
                continue
            base[rows] = found.base
            for chain, value in of.items():
                factors[chain][rows] = value
            for note in (*notes, *more):
                self.warn(rows, note)
        return base, factors

    def _describe(self, row: int, kds: dict[str, np.ndarray], heads: np.ndarray):
        text = {name: self.text[name][row] for name in ("ligand", "kd_assay", "format")}
        if not text["ligand"]:
            raise Il2Error("ligand is missing")
        given = {interface: float(kds[name][row]) for name, interface in KDS.items() if np.isfinite(kds[name][row])}
        valency = int(heads[row]) if np.isfinite(heads[row]) else None
        return describe(text["ligand"], given, text["kd_assay"], text["format"], valency)

    def domain(self, doses: np.ndarray, times: np.ndarray, counts: dict[str, np.ndarray]) -> None:
        """Warn where a well lies outside what the parameters were chosen on, or cannot signal."""
        for name, values in (("dose", doses), ("time", times)):
            self.warn(*outside_domain(name, values))
        self.warn(doses == 0, "untreated well")
        for chain in ("IL2RB", "IL2RG"):
            self.warn(counts[chain] == 0, f"a cell without {chain} cannot signal")

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
