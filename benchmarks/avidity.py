"""Molecules with 1, 2, 4 and 8 heads on cells: binding predicted from KD, valency and receptor number alone.

Fluorescence has one free scale per clone. The baseline counts heads and knows no avidity: each head binds by itself.
"""

from __future__ import annotations

import numpy as np
from table import Table

from il2.knowledge.quantity import quantity
from il2.knowledge.table import measurements
from il2.receptor.avidity import bound_molecules

WITHIN = 3.0


def errors(tether_factor: float | None) -> dict[tuple[str, str], np.ndarray]:
    """log10 of predicted over measured per (clone, valency), with the best single scale per clone; None tether: the
    default; infinite: no avidity."""
    out: dict[tuple[str, str], np.ndarray] = {}
    for clone in sorted({row["clone"] for row in measurements("multivalent_binding")}):
        curves = {}
        for row in measurements("multivalent_binding"):
            if row["clone"] == clone and float(row["dose_nM"]) > 0:
                curves.setdefault(row["valency"], []).append(row)
        found = {v: np.log10(_predicted(wells, tether_factor) / _measured(wells)) for v, wells in curves.items()}
        scale = np.mean(np.concatenate(list(found.values())))
        out |= {(clone, v): error - scale for v, error in found.items()}
    return out


def _predicted(wells: list[dict[str, str]], tether_factor: float | None) -> np.ndarray:
    kd, cells = float(wells[0]["kd_nM"]), float(wells[0]["receptors_per_cell"])
    return bound_molecules(kd, int(wells[0]["valency"]), cells, _doses(wells), tether_factor)


def _doses(wells: list[dict[str, str]]) -> np.ndarray:
    return np.array([float(well["dose_nM"]) for well in wells])


def _measured(wells: list[dict[str, str]]) -> np.ndarray:
    return np.array([float(well["fluorescence_au"]) for well in wells])


def table() -> Table:
    """Errors by clone and valency: the default, the ends of the range of the tether, and no avidity."""
    tether = quantity("tether_factor")
    models = {
        f"tether {tether.value:g}": errors(None),
        f"tether {tether.low:g}": errors(tether.low),
        f"tether {tether.high:g}": errors(tether.high),
        "no avidity": errors(1e12),
    }
    rows = []
    for clone in dict.fromkeys(c for c, _ in models["no avidity"]):
        mine = {name: {v: e for (c, v), e in found.items() if c == clone} for name, found in models.items()}
        for valency in mine["no avidity"]:
            rows.append((f"{clone}, {valency}", *(f"{np.mean(found[valency]):+.2f}" for found in mine.values())))
        every = [np.concatenate(list(found.values())) for found in mine.values()]
        rows.append((f"{clone}, root mean square", *(f"{np.sqrt(np.mean(e**2)):.2f}" for e in every)))
        rows.append((f"{clone}, within {WITHIN:g}-fold", *(_share(e) for e in every)))
    title = "Multivalent binding (Csizmar 2019): mean log10 of predicted over measured, by clone and valency"
    return Table(title, ("clone, valency", *models), rows, "Predicted from KD, valency and receptors per cell alone.")


def _share(errors: np.ndarray) -> str:
    return f"{(np.abs(errors) <= np.log10(WITHIN)).sum()} of {errors.size}"
