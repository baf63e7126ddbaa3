"""`respond`: how cells answer doses of ligands over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from il2 import __version__
from il2.cell.domain import cell_outside, ligand_outside, outside, warned_counts
from il2.cell.ec50 import ec50
from il2.cell.inputs import checked_dials, distinct, known_counts, listed, numbers, overriding
from il2.cell.inputs import inventory as read_inventory
from il2.cell.override import key, parameters_with
from il2.cell.simulate import lane_values, simulate
from il2.cell.spread import count_draws, ligand_draws, parameter_draws
from il2.errors import Il2Error
from il2.knowledge.cell import CHAINS, is_cell
from il2.knowledge.parameters import CURRENT
from il2.knowledge.quantity import quantities, quantity, weakest
from il2.knowledge.table import rows
from il2.receptor.addition import Addition, Mixture, additions, dials, kinases, mixture, turned_down
from il2.receptor.affinity import interface_factors
from il2.receptor.head import head, partner_row
from il2.receptor.ligand import Ligand, ligand
from il2.receptor.ligand import ligands as known_ligands
from il2.receptor.model import DEFAULT_STAT
from il2.signalling.response import response_of
from il2.signalling.stat import phosphorylated

if TYPE_CHECKING:
    import xarray

DEFAULT_DOSES_nM = tuple(quantity("calibrated_dose_highest").value / 3.0**k for k in range(11, -1, -1))
DEFAULT_TIMES_min = (30.0, 60.0, 120.0, 240.0)
MOST_VALUES = 20_000_000
BAND = (5.0, 95.0)
HEIGHTS = "EC50s and shapes were compared with measurements, heights were not: do not rank cells by them"


def respond(
    ligands: str | Ligand | Sequence[str | Ligand] = "IL2",
    cells: str | Sequence[str] | Mapping[str, Mapping[str, float]] | None = None,
    doses_nM: Sequence[float] = DEFAULT_DOSES_nM,
    times_min: Sequence[float] = DEFAULT_TIMES_min,
    *,
    spread_draws: int = 0,
    seed: int = 0,
    cells_per_mL: float | None = None,
    added: str | Sequence[Addition] = (),
    before_min: float = 0.0,
    dial: str | Mapping[str, float] = "",
    parameters: Mapping[str, float] | None = None,
    parameter_set: str = CURRENT,
    threads: int | None = None,
) -> xarray.Dataset:
    """Phosphorylated STAT and active complexes of cells under single ligands, alone or with additions.

    ligands: names, or `Ligand` values with KDs of your own. cells: names, or a mapping of a name to counts
    of IL2RA, IL2RB, IL2RG (and IL15RA) per cell; default the ten PBMC populations. doses_nM: molecules, above
    zero. times_min: rising. spread_draws: number of draws from the ranges of counts and parameters for the
    bands. cells_per_mL: take up the ligand by so many cells of each kind alone; default clamped. added: other
    molecules, `daclizumab=10 ug/mL; IL7=1 nM` or `Addition` values in nM, given `before_min` before the ligand.
    dial: shares of chains and of JAK1 and JAK3 that are left, `IL2RG=0; JAK3=0.5`. parameters: values that stand in for
    those of the default set (`il2.cell.override`), which `parameter_set` names; draws leave them as they are.

    Returns a Dataset with dims ligand, cell, dose_nM, time_min and variables `pstat5` (fraction of STAT5), `pstat6`
    or `pstat3` where a ligand signals through them, `active_complexes` (molecules per cell) and, with draws, the
    band of a ligand's own readout (`pstat5_low`, `pstat5_high`); units, sources, grade, parameter set, warnings
    in attrs; the base and the readout of each ligand as coordinates. Raises Il2Error for what cannot be answered.
    """
    import xarray

    given = dict(parameters or {})
    chosen = [ligand(item) if isinstance(item, str) else item for item in listed(ligands)]
    inventory = read_inventory(cells, given)
    distinct("ligand", [item.name for item in chosen])
    doses = numbers(doses_nM, "doses_nM", positive=True)
    times = numbers(times_min, "times_min", positive=False)
    if (np.diff(times) <= 0).any():
        raise Il2Error("times_min are not rising", where="respond", how="Give each time once, in rising order.")
    if cells_per_mL is not None and not (np.isfinite(cells_per_mL) and cells_per_mL > 0):
        raise Il2Error(
            f"cells_per_mL is {cells_per_mL:g}", how="Give a number above zero, or none to clamp the ligand."
        )
    lanes = len(chosen) * len(inventory) * len(doses) * max(1, spread_draws)
    if lanes * len(times) > MOST_VALUES:
        raise Il2Error(
            f"{lanes * len(times):,} values asked for",
            why=f"the limit of one call is {MOST_VALUES:,}",
            how="Ask for fewer doses, times, cells or draws, or use a plate.",
        )
    if not (np.isfinite(before_min) and before_min >= 0):
        raise Il2Error(f"before_min is {before_min:g}", where="respond", how="Give a number from 0 up.")
    extras = additions(added) if isinstance(added, str) else tuple(added)
    shares_left = dials(dial, CHAINS) if isinstance(dial, str) else checked_dials(dial)
    extra = kinases(shares_left) | ({} if cells_per_mL is None else {"cells_per_mL": cells_per_mL})
    shape = (len(chosen), len(inventory), len(doses), len(times))
    mixes = [mixture(item, extras, cells_per_mL is not None) for item in chosen]
    stats = list(dict.fromkeys((DEFAULT_STAT, *(stat for mix in mixes for stat in mix.system.stats))))
    shares = {stat: np.full(shape, np.nan) for stat in stats}
    active, low, high = (np.full(shape, np.nan) for _ in range(3))
    ec50_low, ec50_high = (np.full((*shape[:2], len(times)), np.nan) for _ in range(2))
    warnings = list(overriding(cells, given))
    if given and spread_draws:
        warnings.append(f"bands leave out what is uncertain of the numbers of the parameter set {parameter_set}")
    for what, values in (("dose", doses), ("time", times)):
        warnings += [text for beyond, text in outside(what, values) if beyond.any()]
    warnings += [text for name in inventory if (text := cell_outside(name))]
    warnings += [f"{item.name} is added: its effect was compared with no measurement" for item in extras]
    in_play = {chain for mix in mixes for chain in mix.system.chains}
    warnings += [f"turning down {n} changes nothing" for n in shares_left if n in CHAINS and n not in in_play]
    told = {n: c for n, c in inventory.items() if isinstance(cells, Mapping) or shares_left or not is_cell(n)}
    for name, counts in told.items():
        left = turned_down({c: n.value for c, n in counts.items()}, shares_left)
        warnings += [f"{name}: {text}" for text in warned_counts(left, sorted(in_play))]
    for i, (item, mix) in enumerate(zip(chosen, mixes, strict=True)):
        warnings += [f"{item.name}: {note}" for note in (*interface_factors(item)[1], *ligand_outside(item))]
        own = head(item.base).stat
        fixed = parameters_with(mix, given)

        def answer(values: dict, mix: Mixture = mix, fixed: dict = fixed):
            return simulate(
                mix.system, values | fixed | extra, times, before_min=before_min, slot=mix.slot, threads=threads
            )

        for j, (name, counts) in enumerate(inventory.items()):
            known = known_counts(name, counts, mix, item)
            unknown = [c for c in known if c not in counts and c != "IL15RA"]
            warnings += [f"{c} of {name} is not known and taken as none" for c in unknown]
            out = answer(lane_values(mix, doses, turned_down({c: n.value for c, n in known.items()}, shares_left)))
            for stat, found in out.shares.items():
                shares[stat][i, j] = found
            active[i, j] = out.active
            warnings += [f"{item.name} on {name} at {doses[k]:g} nM: {r}" for k, r in enumerate(out.reasons) if r]
            if spread_draws:
                drawn = answer(_spread(mix, name, known, shares_left, doses, spread_draws, seed)).shares[own]
                drawn = drawn.reshape(spread_draws, len(doses), len(times))
                low[i, j], high[i, j] = _band(drawn)
                halves = [[ec50(doses, curve) for curve in draw.T] for draw in drawn]
                ec50_low[i, j], ec50_high[i, j] = _band(np.array(halves))
    dims = ("ligand", "cell", "dose_nM", "time_min")
    variables: dict[str, tuple] = {
        phosphorylated(stat): (
            dims, shares[stat],
            {"units": f"fraction of {stat}", "long_name": f"phosphorylated {stat}", "note": HEIGHTS},
        )
        for stat in stats
    }  # fmt: skip
    variables |= {
        "active_complexes": (dims, active, {"units": "molecules per cell", "long_name": "active receptor complexes"}),
        "receptors_per_cell": (
            ("cell", "receptor"),
            [[counts[c].value if c in counts else np.nan for c in CHAINS] for counts in inventory.values()],
            {"units": "molecules per cell", "long_name": "receptors per cell"},
        ),
    }
    if spread_draws:
        by_time = ("ligand", "cell", "time_min")
        for name, over, values, unit, quantile in (
            ("pstat5_low", dims, low, "fraction of the STAT of the ligand", BAND[0]),
            ("pstat5_high", dims, high, "fraction of the STAT of the ligand", BAND[1]),
            ("EC50_low_nM", by_time, ec50_low, "nM", BAND[0]),
            ("EC50_high_nM", by_time, ec50_high, "nM", BAND[1]),
        ):
            facts = {
                "units": unit,
                "long_name": f"{quantile:g} % quantile over draws",
                "draws": spread_draws,
                "seed": seed,
            }
            variables[name] = (over, values, facts)
    return xarray.Dataset(
        variables,
        coords={
            "ligand": [item.name for item in chosen],
            "base": ("ligand", [item.base for item in chosen]),
            "readout": ("ligand", [phosphorylated(head(item.base).stat) for item in chosen]),
            "cell": list(inventory),
            "dose_nM": ("dose_nM", doses, {"units": "nM", "long_name": "dose, molecules"}),
            "time_min": ("time_min", times, {"units": "min", "long_name": "time"}),
            "receptor": list(CHAINS),
        },
        attrs=_attributes(chosen, inventory, warnings, cells_per_mL, mixes, bool(shares_left))
        | {
            "parameter_set": parameter_set,
            "parameter_hash": key(given),
            "stand_ins": "; ".join(f"{name}={value!r}" for name, value in given.items() if " " not in name),
            "own_cells": [name for name in inventory if isinstance(cells, Mapping) or not is_cell(name)],
            "added": "; ".join(f"{a.name}={a.amount:g}{' per cell' if a.on_neighbour else ' nM'}" for a in extras),
            "before_min": before_min if extras else 0.0,
            "dial": "; ".join(f"{name}={share:g}" for name, share in shares_left.items()),
        },
    )


def _band(values: np.ndarray) -> np.ndarray:
    """Lower and upper quantile over the first axis, NaN where nothing is known."""
    out = np.full((2, *values.shape[1:]), np.nan)
    known = np.isfinite(values).any(axis=0)
    out[:, known] = np.nanpercentile(values[:, known], BAND, axis=0)
    return out


def _spread(mix: Mixture, name, counts, shares_left, doses, draws, seed):
    """Values of lanes (draw, dose): every draw of counts, affinities and parameters at every dose."""
    n = len(doses)
    chains = {c: np.repeat(v, n) for c, v in turned_down(count_draws(name, counts, draws, seed), shares_left).items()}
    drawn = parameter_draws(mix.system, draws, seed) | ligand_draws(mix.ligands, draws, seed)
    values = lane_values(mix, np.tile(doses, draws), chains)
    return values | {key: np.repeat(np.broadcast_to(v, (draws,)), n) for key, v in drawn.items()}


def _status(chosen: list[Ligand], mixes: list[Mixture], dialled: bool) -> str:
    """`band` for what was compared with measurements of its kind: one head of IL-2 or IL-15 alone; else `direction`."""
    compared = all(item.base in ("IL2", "IL15") and item.heads == 1 for item in chosen)
    special = dialled or any(item.complexed or item.inert_forms for item in chosen) or any(mix.added for mix in mixes)
    return "band" if compared and not special else "direction"


def _attributes(
    chosen: list[Ligand], inventory, warnings: list[str], cells_per_mL, mixes, dialled
) -> dict[str, object]:
    used = [c for counts in inventory.values() for c in counts.values()]
    names = {p for mix in mixes for p in response_of(mix.system).parameter_names}
    known = [q for name, q in quantities().items() if name in names]
    sites = {site.name for mix in mixes for m in mix.system.molecules for site in m.sites}
    tables = [row for row in rows("affinities") if row["ligand"] in sites]
    named = {item.name for item in chosen} | {name for mix in mixes for name in mix.names}
    tables += [row for row in rows("molecules") if row["name"] in named]
    tables += [partner_row(name) for name in {p for mix in mixes for p in mix.system.partners}]
    tables += [row for row in rows("assay_references") if row["assay"] in {item.assay for item in chosen if item.kds}]
    sources = {s for x in (*used, *known) for s in x.sources} | {s for row in tables for s in row["sources"].split(";")}
    return {
        "title": "STAT response predicted by il2",
        "il2_version": __version__,
        "ligand_supply": "clamped" if cells_per_mL is None else f"depleted by {cells_per_mL:g} cells/mL of one kind",
        "weakest_grade": weakest([x.grade for x in (*used, *known)] + [row["grade"] for row in tables]),
        "status": _status(chosen, mixes, dialled),
        "heights": HEIGHTS,
        "sources": "; ".join(sorted(sources - {"assumed", "user"})),
        "quantities": "; ".join(q.name for q in known),
        "own_ligands": [item.name for item in chosen if known_ligands().get(item.name) != item],
        "warnings": list(dict.fromkeys(warnings)),
    }
