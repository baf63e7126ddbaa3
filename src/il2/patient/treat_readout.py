"""Readouts of a treatment: what is read of a patient, what follows from it, and in what units."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from il2.cell.culture_store import BAND, ENDS
from il2.knowledge.drug import ANTIBODY, drug
from il2.network.network import Network, Observable
from il2.patient.dose import amount_in
from il2.patient.fate import FATES, at_work, fate, half_signal, places
from il2.patient.numbers import Values
from il2.patient.patient import Plan, half_occupied, patient
from il2.patient.regimen import Given

ONE = "1"
OF_CELL = {
    "pSTAT5": (ONE, "share of STAT5 that is phosphorylated"),
    "receptors_at_work": (
        ONE,
        "share of receptors that hold IL-2 or a drug: uptake over the most that the cell can do",
    ),
    "programme": (ONE, "programme of growth and survival that IL-2 drives, 0 to 1"),
    "count_per_uL": ("cell/uL", "cells in blood"),
    "fold": (ONE, "cells in blood over those at the start"),
}
OF_PERSON = {
    "tissue_IL2_nM": ("nM", "free IL-2 of the body's own in tissue"),
    "IL2RA_covered": (ONE, "share of IL2RA that an antibody covers"),
    "Treg_per_Th": (ONE, "Treg over conventional CD4 T cells in blood"),
    "Treg_per_Th_fold": (ONE, "Treg over conventional CD4 T cells in blood, over that at the start"),
    "eosinophils_per_uL": ("cell/uL", "eosinophils in blood"),
    "IL5_fold": (ONE, "IL-5 over normal"),
    "soluble_IL2RA_nM": ("nM", "soluble IL2RA in plasma"),
    "soluble_IL2RA_fold": (ONE, "soluble IL2RA in plasma over that at the start"),
    "capillary_leak_index": (ONE, "index of capillary leak; a direction, no size"),
}
OF_DISEASE = {  # readouts whose name alone would be misread
    "disease_index_change": "fall of the disease index (above 0 is better)",
}
OF_DRUG = {
    "level_nM": ("nM", "level in plasma, bound and free"),
    "level_IU_per_mL": ("IU/mL", "level in plasma in international units"),
    "uptake_nmol_per_d": ("nmol/d", "taken up by receptors of all cells"),
}


def called(name: str) -> str:
    """What a readout of a disease is called where people read it."""
    return OF_DISEASE.get(name, name.replace("_", " "))


def of_modules(plan: Plan, network: Network) -> tuple[Observable, ...]:
    """What the diseases of a plan add to the readouts of a patient."""
    if not plan.modules:
        return ()
    plain = {o.name for o in patient(replace(plan, modules=())).observables}
    return tuple(o for o in network.observables if o.name not in plain)


def wanted(plan: Plan, network: Network) -> list[str]:
    out = ["IL2_nM", "IL2RA_free", "IL2_bound_to_soluble_IL2RA", "eosinophils", "IL5", "soluble_IL2RA"]
    out += ["capillary_leak_index", *(o.name for o in of_modules(plan, network))]
    out += [f"{what}_{kind}" for kind in plan.cells for what in ("pSTAT5", "programme", "count")]
    for d in plan.drugs:
        out += [f"{d.name}_nM", *places(d, network), *([] if d.kind == ANTIBODY else [f"{d.name}_uptake"])]
    return out


def derived(
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
        out["Treg_per_Th_fold"] = out["Treg_per_Th"] / out["Treg_per_Th"][:, :1]
        out["soluble_IL2RA_fold"] = read["soluble_IL2RA"] / read["soluble_IL2RA"][:, :1]
    out |= {
        "tissue_IL2_nM": read["IL2_nM"],
        "IL2RA_covered": 1 - read["IL2RA_free"],
        "eosinophils_per_uL": read["eosinophils"],
        "IL5_fold": read["IL5"],
        "soluble_IL2RA_nM": read["soluble_IL2RA"],
        "capillary_leak_index": read["capillary_leak_index"],
    }
    out |= {o.name: read[o.name] for o in of_modules(plan, network)}
    if not plan.drugs:
        return out
    lanes = read["IL2_nM"].shape
    per = [amount_in(1.0, "IU", d) / 1000 if d.MIU_per_mg else np.nan for d in plan.drugs]  # IU/mL for 1 nM
    out["level_nM"] = np.stack([read[f"{d.name}_nM"] for d in plan.drugs], axis=1)
    out["level_IU_per_mL"] = out["level_nM"] * np.array(per)[:, None]
    none = np.full(lanes, np.nan)
    out["uptake_nmol_per_d"] = np.stack([read.get(f"{d.name}_uptake", none) for d in plan.drugs], axis=1)
    fates = [
        fate(d, times, read, [g for g in given if drug(g.drug).name == d.name], values, network) for d in plan.drugs
    ]
    return out | {name: np.stack([f[name] for f in fates], axis=-1) for name in (*FATES, "missed")}


def banded(name: str, whole: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The default lane, and the quantiles over the lanes that are solved."""
    yield name, whole[0]
    if len(whole) > 1 and name != "missed":
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="All-NaN slice")
            ends = np.nanpercentile(whole, BAND, axis=0)
        yield from ((f"{name}_{end}", quantile) for end, quantile in zip(ENDS, ends, strict=True))


def labelled(label: str, values: np.ndarray, network: Network) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
    """Dims, values and attributes of a variable."""
    stem, _, end = label.rpartition("_")
    name = stem if end in ENDS else label
    dims: tuple[str, ...]
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
        dims, (unit, long) = ("time_d",), (known.unit, called(name))
    if name != label:
        long += f", {BAND[ENDS.index(end)]} % quantile over draws"
    return ("regimen", *dims), values, {"units": unit, "long_name": long}


def doses_given(plan: Plan, given: Mapping[str, Sequence[Given]]) -> dict[str, tuple]:
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


def constants(plan: Plan, values: Values) -> dict[str, tuple]:
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
