"""Plates: a row is a well with its own ligand, affinities, cell, counts, dose and time.

A bad row gets an empty `pstat5` and its reason in `status`; the others are answered. Row order and number
are kept and extra columns pass through. Nothing depends on the name of a ligand that comes with KDs.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from il2.cell.columns import Columns, factorise
from il2.cell.domain import cell_outside, counts_outside, ligand_outside, outside
from il2.cell.inputs import NOTHING
from il2.cell.override import counts_of, counts_with, parameters_with
from il2.cell.simulate import simulate
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.cell import CHAINS, cell, cells, is_cell
from il2.receptor.addition import KINASES, Mixture, additions, dials, mixture
from il2.receptor.affinity import interface_factors
from il2.receptor.head import head
from il2.receptor.ligand import ALPHA_ONLY, KDS, Heads, describe
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
MISSPELT = 0.85  # likeness above which an unknown column is taken for a known one
DESCRIPTION = ("ligand", "format", "kd_assay", "valency", *KDS, *HEADS)


def predict_plate(
    plate: pandas.DataFrame, *, parameters: Mapping[str, float] | None = None, threads: int | None = None
) -> pandas.DataFrame:
    """The rows of `plate` with `pstat5` (fraction), `active_complexes` (molecules per cell), `status`, `warning`;
    and `pstat6` and `pstat3`, empty where no ligand of the row signals through them.

    Columns: ligand, cell, dose_nM, time_min; optional valency, format, kd_il2ra_nM, kd_il2rbg_nM, kd_il2rb_nM,
    kd_il15ra_nM, n_alpha_only_heads, kd_alpha_only_nM, kd_assay, IL2RA, IL2RB, IL2RG, IL15RA, IL4R, IL7R, IL9R,
    IL21R (per cell), cells_per_mL, with (`name=amount;name=amount`), with_before_min, dial (`IL2RG=0;JAK3=0.5`).
    Empty means not given. parameters: values that stand in for those of the default set (`il2.cell.override`).
    Raises Il2Error for a plate whose columns are wrong or that has no rows.
    """
    check_columns(list(plate.columns))
    if not len(plate):
        raise Il2Error("the plate has no wells", how="Give at least one row below the header.")
    return PlateWells(plate, (*REQUIRED, *OPTIONAL)).answer(threads, parameters or {})


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
    missing = {_bare(known): known for known in (*REQUIRED, *OPTIONAL) if known not in columns}
    for name in sorted(set(columns) - {*REQUIRED, *OPTIONAL}):
        for near in get_close_matches(_bare(name), missing, n=1, cutoff=MISSPELT):
            how = f"Did you mean {missing[near]!r}? Rename it if it is a column of your own."
            raise Il2Error(f"the column {name!r} is not known", where="plate header", how=how)
    repeated = {c for c in columns if columns.count(c) > 1}
    if repeated:
        raise Il2Error(f"the column {sorted(repeated)[0]!r} stands twice", where="plate header", how="Rename one.")
    for name in ADDED:
        if name in columns:
            raise Il2Error(f"the column {name!r} is one that the output adds", where="plate header", how="Rename it.")


def _bare(column: str) -> str:
    """A column name without case, unit and punctuation."""
    return "".join(ch for ch in column.casefold().removesuffix("_nm") if ch.isalnum())


class PlateWells(Columns):
    """The wells of one plate."""

    def answer(self, threads: int | None, parameters: Mapping[str, float]) -> pandas.DataFrame:
        doses = self.numbers("dose_nM", least=0.0, required=True)
        times = self.numbers("time_min", least=0.0, required=True)
        density = self.numbers("cells_per_mL", least=0.0, above=True)
        before = self.numbers("with_before_min", least=0.0)
        base, which, kinds = self.ligands()
        counts = self.counts(base, parameters)
        extra, extras = self.distinct("with", additions, ())
        dial, shares = self.distinct("dial", lambda text: dials(text, CHAINS), {})
        self.warn(self.text["with"] != "", "what is added was compared with no measurement")
        self.warn(np.isfinite(before) & (self.text["with"] == ""), "with_before_min has no effect without additions")
        turned = {c: np.array([share.get(c, 1.0) for share in shares])[dial] for c in (*CHAINS, *KINASES)}
        lanes = {count(c): np.nan_to_num(counts[c]) * turned[c] for c in CHAINS} | {k: turned[k] for k in KINASES}
        left = {c: counts[c] * turned[c] for c in CHAINS}
        self.domain(doses, times, left, {c: turned[c] != 1 for c in CHAINS}, base)
        before = np.nan_to_num(before)
        found = {name: np.full(self.n, np.nan) for name in ("STAT5", *OTHER_STATS, "active")}
        for mixes, rows, code in self._groups(kinds, which, extras, extra, density, before):
            of, slot = mixes[0].system, mixes[0].slot
            values = {name: column[rows] for name, column in lanes.items()}
            for chain in CHAINS:
                if chain not in of.chains:
                    self.warn(rows[turned[chain][rows] != 1], f"turning down {chain} changes nothing")
                elif chain != "IL15RA":
                    self.warn(rows[~np.isfinite(counts[chain][rows])], f"{chain} is not known and taken as none")
            tables = [mix.values | parameters_with(mix, parameters) for mix in mixes]
            for name in {name: 0 for table in tables for name in table}:  # one without an inhibitor has none of it
                values[name] = np.array([table.get(name, 0.0) for table in tables])[code]
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

    def counts(self, base: np.ndarray, parameters: Mapping[str, float] = NOTHING) -> dict[str, np.ndarray]:
        """Receptors per cell: given, else of the parameters, else known for the cell; the chains of the row's ligand
        must be, but IL15RA."""
        given = {chain: self.numbers(chain, least=0.0) for chain in CHAINS}
        names, which = factorise(self.text["cell"])
        known = [
            counts_with(cell(name).name, cell(name).counts, parameters)
            if is_cell(name)
            else counts_of(name, parameters) or None
            for name in names
        ]
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
        every, which = factorise(np.array(["\x1f".join(parts) for parts in zip(*texts, strict=True)]))
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
            for note in (*notes, *more, *ligand_outside(found)):
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

    def _binding(self, chain: str, base: np.ndarray) -> np.ndarray:
        """Rows whose ligand binds a chain."""
        return np.isin(base, [name for name in filter(None, set(base)) if chain in head(name).chains])

    def domain(self, doses: np.ndarray, times: np.ndarray, counts: dict, turned: dict, base: np.ndarray) -> None:
        """Warn where a well lies outside what the parameters were chosen on, or cannot signal. turned: the wells whose
        chains are turned down."""
        for name, values in (("dose", doses), ("time", times)):
            for beyond, text in outside(name, values):
                self.warn(beyond, text)
        names, which = factorise(self.text["cell"])
        own = np.array([not is_cell(name) for name in names])[which]
        for chain, values in counts.items():
            beyond, text = counts_outside(chain, values)
            told = own | (self.text[chain] != "") | turned[chain]
            self.warn(beyond & told & self._binding(chain, base), text)
        for k, text in enumerate(map(cell_outside, names)):
            if text:
                self.warn(which == k, text)
        self.warn(doses == 0, "untreated well")
        for name in filter(None, set(base)):
            for chain in sorted(head(name).signalling):
                self.warn((base == name) & (counts[chain] == 0), f"a cell without {chain} cannot signal")
