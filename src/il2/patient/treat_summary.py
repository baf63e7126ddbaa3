"""A treatment in rows and words: effects and harm with their times, why levels last, and the whole as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from il2.cell.culture_store import ENDS
from il2.patient.fate import FATES
from il2.patient.treat_readout import OF_PERSON, called

if TYPE_CHECKING:
    import pandas
    import xarray

CELL_NAMES = {"Th": "Tconv (Th)", "NK_CD56bright": "NK CD56bright"}
NOTICE_COLUMN, NOTICE = "research_use_only", "no medical advice"
PERCENT = ("pSTAT5", "receptors_at_work", "programme", "IL2RA_covered")
INDICES = (  # variable, what it is called, unit
    ("Treg_per_Th", "Treg : Tconv", ""),
    ("eosinophils_per_uL", "eosinophils", "cell/uL"),
    ("IL5_fold", "IL-5 over normal", ""),
    ("soluble_IL2RA_nM", "soluble IL2RA", "nM"),
    ("capillary_leak_index", "capillary leak (direction)", ""),
    ("tissue_IL2_nM", "own IL-2 in tissue", "nM"),
)


def effects(data: xarray.Dataset) -> list[dict[str, Any]]:
    """A row per regimen and readout: at the start, lowest and highest with their days, at the end, in `unit`.

    highest_low and highest_high are the band at the time of the highest value, where there is one.
    """
    out = []
    for name in map(str, data.regimen.values):
        one = data.sel(regimen=name)
        for kind in map(str, data.cell.values):
            out.append(_effect(one.sel(cell=kind), name, "count_per_uL", CELL_NAMES.get(kind, kind), "cell/uL"))
        shown = [*INDICES]
        if float(np.nanmax(data.IL2RA_covered.values)) > 0:
            shown.append(("IL2RA_covered", "share of IL2RA covered", ""))
        for variable in of_diseases(data):
            unit = str(data[variable].attrs["units"])
            shown.append((variable, called(variable), "" if unit == "dimensionless" else unit))
        out += [_effect(one, name, variable, said, unit) for variable, said, unit in shown]
    return out


def of_diseases(data: xarray.Dataset) -> list[str]:
    """Names of the readouts that modules of diseases add."""
    names = [str(n) for n, v in data.data_vars.items() if v.dims == ("regimen", "time_d")]
    return [n for n in names if n not in OF_PERSON and not _split(n, data)[1]]


def _effect(one: xarray.Dataset, regimen: str, variable: str, said: str, unit: str) -> dict[str, Any]:
    times, values = one.time_d.values, one[variable].values
    row: dict[str, Any] = {"regimen": regimen, "readout": said, "unit": unit, "start": float(values[0])}
    if not np.isfinite(values).any():
        return row | dict.fromkeys(("lowest", "lowest_d", "highest", "highest_d", "end"), float("nan"))
    for which, at in (("lowest", int(np.nanargmin(values))), ("highest", int(np.nanargmax(values)))):
        row |= {which: float(values[at]), f"{which}_d": float(times[at])}
        if which == "highest" and f"{variable}_low" in one:
            row |= {f"highest_{end}": float(one[f"{variable}_{end}"].values[at]) for end in ENDS}
    return row | {"end": float(values[-1])}


def fates(data: xarray.Dataset) -> list[dict[str, Any]]:
    """A row per regimen and drug that it gives: what was given (nmol) and the shares of it that took each way.

    eaten_of_absorbed: share of what came into blood that receptors took. Treg_gain_fold_d: area of the fold of Treg
    above that at the start.
    """
    if "level_nM" not in data:
        return []
    out = []
    for name in map(str, data.regimen.values):
        fold = data.fold.sel(regimen=name, cell="Treg").values if "Treg" in data.cell.values else np.array([np.nan])
        gain = float(np.trapezoid(fold - 1, data.time_d.values)) if len(fold) > 1 else float("nan")
        for drug in map(str, data.drug.values):
            one = data.sel(regimen=name, drug=drug)
            shares = {way: float(one[way]) for way in FATES}
            if not np.isfinite(one.dose_nmol.values).any() or not np.isfinite(list(shares.values())).all():
                continue
            given = one.dose_nmol.values[one.dose_time_d.values <= data.time_d.values[-1]]
            blood = 1 - shares["not_absorbed"]
            row = {"regimen": name, "drug": drug, "given_nmol": float(np.nansum(given)), **shares}
            row["eaten_of_absorbed"] = shares["eaten_by_receptors"] / blood if blood > 0 else float("nan")
            if "eaten_by_receptors_low" in data:
                row |= {f"eaten_by_receptors_{end}": float(one[f"eaten_by_receptors_{end}"]) for end in ENDS}
            row["Treg_EC50_nM"] = float(one.EC50_nM.sel(cell="Treg")) if "Treg" in data.cell.values else float("nan")
            out.append(row | {"Treg_gain_fold_d": gain})
    return out


def mechanism(data: xarray.Dataset) -> list[str]:
    """Sentences on where the dose goes, and what that does to Treg where regimens are compared."""
    rows = [r for r in fates(data) if np.isfinite(r["Treg_EC50_nM"])]
    days = float(data.time_d.values[-1])
    out = []
    for r in rows:
        out.append(
            f"{r['regimen']}: of {r['given_nmol']:.3g} nmol {r['drug']} given in {days:g} d, "
            f"{_percent(r['not_absorbed'])} are lost where they were injected, {_percent(r['eaten_by_receptors'])} are "
            f"eaten by IL-2 receptors ({_percent(r['eaten_of_absorbed'])} of what comes into blood), "
            f"{_percent(r['cleared'])} are cleared otherwise and {_percent(r['left'])} are left. Half of the most "
            f"pSTAT5 of Treg takes {r['Treg_EC50_nM']:.3g} nM."
        )
    single = [r for r in rows if sum(other["regimen"] == r["regimen"] for other in rows) == 1]
    if len(single) < 2:
        return out
    single.sort(key=lambda r: -r["Treg_gain_fold_d"])
    most = single[0]
    for other in single[1:]:
        if most["drug"] == other["drug"]:
            continue
        weaker = most["Treg_EC50_nM"] / other["Treg_EC50_nM"]
        said = (
            f"Treg gain {most['Treg_gain_fold_d']:.3g} fold*d under {most['regimen']} and "
            f"{other['Treg_gain_fold_d']:.3g} under {other['regimen']} (area of their fold above the start). "
        )
        spared = most["eaten_of_absorbed"] < other["eaten_of_absorbed"]
        if weaker > 1 and spared:
            said += (
                f"The drug that gives more is the weaker one: Treg need {weaker:.3g} times as much of it. Receptors "
                f"eat {_percent(most['eaten_of_absorbed'])} of it and {_percent(other['eaten_of_absorbed'])} of the "
                f"other, so more of it stays to act, and longer."
            )
        else:
            said += (
                f"Receptors eat {_percent(most['eaten_of_absorbed'])} and {_percent(other['eaten_of_absorbed'])} of "
                f"what comes into blood; Treg need {most['Treg_EC50_nM']:.3g} and {other['Treg_EC50_nM']:.3g} nM."
            )
        out.append(said)
    return out


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if abs(share) < 0.995 else f"{100 * share:.0f} %"


def frame(data: xarray.Dataset) -> pandas.DataFrame:
    """A row per regimen, time and cell, a column per variable with its unit in the name, and what it must not be used
    for in the last column. Shares are in percent; levels have a column per drug."""
    import xarray

    variables = {}
    for label, values in data.data_vars.items():
        name, ending = _split(str(label), data)
        if "time_d" not in values.dims:
            continue
        if "drug" in values.dims:
            for drug in map(str, data.drug.values):
                own = values.sel(drug=drug, drop=True)
                if np.isfinite(own.values).any():
                    column = {"level_nM": f"{drug}_nM", "level_IU_per_mL": f"{drug}_IU_per_mL"}.get(name)
                    variables[(column or f"{drug}_{name}") + ending] = own
        elif name in PERCENT:
            variables[f"{name}_percent{ending}"] = 100 * values
        else:
            variables[str(label)] = values
    table = xarray.Dataset(variables).to_dataframe().reset_index()
    keys = ["regimen", "time_d", "cell"]
    order = {str(n): i for i, n in enumerate(data.regimen.values)}
    kinds = {str(n): i for i, n in enumerate(data.cell.values)}
    table = table.sort_values(
        keys, key=lambda c: c.map(order if c.name == "regimen" else kinds) if c.name != "time_d" else c, kind="stable"
    )
    table = table[[*keys, *variables]].reset_index(drop=True)
    table[NOTICE_COLUMN] = NOTICE
    table.attrs = {"research_use": data.attrs["research_use"], "parameter_hash": data.attrs["parameter_hash"]}
    return table


def _split(label: str, data: xarray.Dataset) -> tuple[str, str]:
    """Name and ending of a variable or of an end of its band."""
    stem, _, end = label.rpartition("_")
    return (stem, f"_{end}") if end in ENDS and stem in data else (label, "")
