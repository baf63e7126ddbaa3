"""IL-4 and IL-7 on CD4 T cells: dose-responses, and how each lowers the other's response through IL2RG."""

from __future__ import annotations

import numpy as np
from table import Table

import il2
from il2.cell.ec50 import ec50
from il2.cell.table import readout
from il2.knowledge.table import measurements
from il2.receptor.addition import Addition

CELL = "CD4_naive_Gonnord"
DOSES_nM = np.geomspace(1e-6, 100, 65)
NEVER = 1e-12  # nM of the other cytokine: none


def response(ligand: str, doses: np.ndarray, time: float, other: str, amount: float, before: float) -> np.ndarray:
    """Phosphorylated share of the ligand's STAT by dose, after the other cytokine alone for `before` min."""
    data = il2.respond(ligand, CELL, doses, [time], added=[Addition(other, amount)], before_min=before)
    return data[readout(data, ligand)].values.squeeze(axis=(0, 1, 3))


def dose_responses() -> list[tuple[str, ...]]:
    rows = []
    for ligand in ("IL4", "IL7"):
        curves: dict[str, list] = {}
        for row in measurements("il4_il7_dose_response"):
            if row["ligand"] == ligand:
                curves.setdefault(row["curve"], []).append((float(row["dose_nM"]), float(row["signal_au"])))
        measured = [ec50(*np.array(sorted(points)).T) for points in curves.values()]
        time = float(measurements("il4_il7_dose_response")[0]["time_min"])
        data = il2.respond(ligand, CELL, DOSES_nM, [time])
        found = ec50(DOSES_nM, data[readout(data, ligand)].values.squeeze())
        mean = np.exp(np.mean(np.log(measured)))
        rows.append((f"EC50 of {ligand}, nM", f"{mean:.3g}", f"{found:.3g}", f"{found / mean:.2g}-fold"))
    return rows


def crosstalk() -> list[tuple[str, ...]]:
    table: dict[tuple, list[float]] = {}
    keys = ("pretreatment_ligand", "pretreatment_dose_nM", "pretreatment_time_min", "ligand", "dose_nM", "time_min")
    for row in measurements("il4_il7_crosstalk"):
        table.setdefault(tuple(row[k] for k in keys), []).append(float(row["inhibition_percent"]))
    rows = []
    for (other, amount, before, ligand, dose, time), measured in sorted(table.items(), key=_order):
        doses, when, wait = np.array([float(dose)]), float(time), float(before)
        alone, with_other = (response(ligand, doses, when, other, a, wait)[0] for a in (NEVER, float(amount)))
        found = 100 * (1 - with_other / alone)
        title = f"inhibition of {ligand} by {float(amount):.2g} nM {other}, %"
        rows.append((title, f"{np.mean(measured):.0f}", f"{found:.0f}", f"{found - np.mean(measured):+.0f}"))
    return rows


def _order(item: tuple) -> tuple:
    return item[0][0], float(item[0][1])


def table() -> Table:
    title = "IL-4 and IL-7 on CD4 T cells (Gonnord 2018, figures S3B to S3D), 10 min"
    note = "The constants of IL-4 and IL-7 were fitted to these figures by farhat2021; nothing was fitted here."
    return Table(title, ("", "measured", "predicted", "error"), [*dose_responses(), *crosstalk()], note)
