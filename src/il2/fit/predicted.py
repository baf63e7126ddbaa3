"""What the default parameter set predicts for measured points: from affinities, formats and counts alone, no scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.solve import solve
from il2.fit.measured import BOUND, IL2RB, IL2RG
from il2.knowledge.cell import CHAINS, cell, is_cell
from il2.knowledge.table import number, rows
from il2.receptor.affinity import values as affinities
from il2.receptor.avidity import bound_molecules
from il2.receptor.ligand import KDS, describe, is_ligand, ligand
from il2.receptor.membrane import SURFACE
from il2.receptor.model import dose
from il2.receptor.protocols import audited, counted

if TYPE_CHECKING:
    import pandas

SURFACE_OF = {IL2RB: "IL2RB", IL2RG: "IL2RG"}
PLATE = ["ligand", "cell", "dose_nM", "time_min", "valency", "format", "kd_assay", *KDS, *CHAINS]
READING = "YT1_pstat5_time"  # where a table does not say when it was read


def default_set(frame: pandas.DataFrame, *, threads: int | None = None) -> np.ndarray:
    """Predictions (rows,) for a frame of `il2.fit.measured.frame`, NaN where none can be made: the share of the STAT
    that is phosphorylated, the percentage of a chain left on the surface, or molecules bound per cell."""
    out = np.full(len(frame), np.nan)
    readout = frame["readout"].to_numpy()
    for name, chain in SURFACE_OF.items():
        _fill(out, readout == name, frame, lambda part, chain=chain: _surface(part, chain, threads))
    _fill(out, readout == BOUND, frame, _bound)
    _fill(out, ~np.isin(readout, [*SURFACE_OF, BOUND]), frame, lambda part: _wells(part, threads))
    return out


def by_name(frame: pandas.DataFrame, *, threads: int | None = None) -> np.ndarray:
    """As `default_set`, with what the calibration found the assay to err; NaN for ligands that it does not know."""
    known = frame["ligand"].map(lambda name: is_ligand(name) and bool(ligand(name).errors)).to_numpy(bool)
    out = np.full(len(frame), np.nan)
    if known.any():
        out[known] = default_set(frame[known].assign(**dict.fromkeys(KDS, np.nan), kd_assay=""), threads=threads)
    return out


def _fill(out: np.ndarray, where: np.ndarray, frame: pandas.DataFrame, answer) -> None:
    if where.any():
        out[where] = answer(frame[where])


def reading_min() -> float:
    """The time at which a table without times is taken to be read."""
    found = next(number(row["value"]) for row in rows("published_model") if row["name"] == READING)
    assert found is not None
    return found


def _wells(frame: pandas.DataFrame, threads: int | None) -> np.ndarray:
    """Phosphorylated share per row; equal wells are solved once."""
    from il2.cell.plate import predict_plate

    plate = frame[PLATE].assign(time_min=frame["time_min"].fillna(reading_min()))
    catalogued = plate[list(KDS)].isna().all(axis=1) & (plate["valency"] == 1)
    plate["valency"] = plate["valency"].mask(catalogued)  # what the catalogue says of its own molecules stands
    which = plate.groupby(PLATE, dropna=False, sort=False).ngroup().to_numpy()
    first = np.unique(which, return_index=True)[1]
    answered = predict_plate(plate.iloc[first].reset_index(drop=True), threads=threads)
    column = frame["readout"].str.lower().to_numpy()
    known = [name for name in np.unique(column) if name in answered.columns]
    out = np.full(len(frame), np.nan)
    for name in known:
        own = column == name
        out[own] = answered[name].to_numpy(float)[which[own]]
    return out


def _surface(frame: pandas.DataFrame, chain: str, threads: int | None) -> np.ndarray:
    """Percent of a chain left on the surface, free or bound, under molecules with one head."""
    out = np.full(len(frame), np.nan)
    doses, times = frame["dose_nM"].to_numpy(), frame["time_min"].to_numpy()
    keys = ["ligand", "cell", "valency", "format", "kd_assay", *KDS]
    which = frame.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
    for kind in np.unique(which):
        where = np.flatnonzero(which == kind)
        row = frame.iloc[where[0]]
        kds = {interface: float(row[column]) for column, interface in KDS.items() if row[column] > 0}
        if not (is_cell(row["cell"]) and row["valency"] == 1 and (kds or is_ligand(row["ligand"]))):
            continue
        given, _ = describe(row["ligand"], kds, row["kd_assay"] if kds else "", row["format"])
        network, program = audited(given.base)
        levels, lane = np.unique(doses[where], return_inverse=True)
        stops, stop = np.unique(np.append(times[where], 0.0), return_inverse=True)
        counts = {c: n.value for c, n in cell(row["cell"]).counts.items()}
        table = counted(counts) | affinities(given, given.base) | {dose(given.base): levels}
        own = {name: value for name, value in table.items() if name in network.parameter_names}
        y = solve(program, parameter_rows(network, own), stops, threads=threads).y
        held = [chain in state.split("@")[0].split(".") and state.endswith("@" + SURFACE) for state in program.states]
        total = y[:, :, held].sum(axis=2)
        out[where] = 100.0 * (total / total[:, :1])[lane, stop[:-1]]
    return out


def _bound(frame: pandas.DataFrame) -> np.ndarray:
    out = np.full(len(frame), np.nan)
    which = frame.groupby(["kd_nM", "valency", "receptors_per_cell"], sort=False).ngroup().to_numpy()
    for kind in np.unique(which[which >= 0]):
        where = np.flatnonzero(which == kind)
        kd, heads, per_cell = frame[["kd_nM", "valency", "receptors_per_cell"]].iloc[where[0]]
        out[where] = bound_molecules(kd, int(heads), per_cell, frame["dose_nM"].to_numpy()[where])
    return out
