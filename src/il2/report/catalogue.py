"""The catalogue of molecules in words: what each is, what it is in the network, and which constants it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.calibrated import chosen
from il2.knowledge.quantity import quantity
from il2.knowledge.source import sources
from il2.knowledge.table import number, rows
from il2.receptor.addition import ARMS, INHIBITOR, NEIGHBOUR_CHAIN
from il2.receptor.head import BLOCKED, head, partner_effect
from il2.receptor.ligand import KDS, catalogued, is_ligand, ligand

NOT_SIMULATED = "nothing: no measured affinity or potency of it is known here"


@dataclass(frozen=True)
class Constant:
    """A dissociation constant, or an IC50, of a molecule in the network with its range, None where unknown."""

    of: str
    step: str
    kd: float
    unit: str
    low: float | None
    high: float | None
    grade: str
    sources: tuple[str, ...]
    note: str
    parameter: str = ""  # of the network


def listing(kind: str = "") -> list[dict[str, object]]:
    """One record per molecule of the catalogue, or of one kind."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows("molecules")))
    if kind and kind not in kinds:
        raise Il2Error(f"unknown kind {kind!r}", where="--kind", how=did_you_mean(kind, kinds))
    return [
        {
            "name": row["name"],
            "kind": row["kind"],
            "format": row["format"],
            "valency": int(row["valency"]) if row["valency"] else "",
            "status": row["status"],
            "simulated": "yes" if row["network"] else "no",
            "aliases": ", ".join(filter(None, row["aliases"].split(";"))),
        }
        for row in rows("molecules")
        if kind in ("", row["kind"])
    ]


def entry(name: str) -> dict[str, str]:
    """The row of the catalogue for a name or alias; an unknown one is an error that suggests the nearest."""
    row = catalogued(name)
    if row is None:
        known = [r["name"] for r in rows("molecules")]
        raise Il2Error(f"unknown molecule {name!r}", where="il2 molecules", how=did_you_mean(name, known))
    return row


def network(row: dict[str, str]) -> str:
    """What a molecule is in the network, in words."""
    name, slot = row["name"], row["network"]
    if not slot:
        return NOT_SIMULATED
    if slot == INHIBITOR:
        return "divides the rate of phosphorylation of every STAT by 1 + its concentration over its IC50"
    if slot == NEIGHBOUR_CHAIN:
        return "IL15RA of a neighbouring cell, which presents IL-15 to the cell"
    if is_ligand(name):
        one = ligand(name)
        if one.complexed:
            return f"{one.base} that starts out bound to {partner_name(one.complexed)}, which may let go"
        what = f"an Fc fusion of {one.base}, by the ratios of its KDs" if one.is_fc else f"wild-type {one.base}"
        return f"{what}; signals through {head(one.base).stat}"
    if partner := next((r for r in rows("partners") if r["name"] == slot), None):
        effects = {c: partner_effect(partner, c) for c in head(partner["target"]).chains}
        blocked = ", ".join(c for c, effect in effects.items() if effect == BLOCKED)
        span = f" ({partner['factor_low']} to {partner['factor_high']})" if partner.get("factor_low") else ""
        changed = "".join(
            f"; KD of {c} times {float(e):.2g}{span}" for c, e in effects.items() if e not in ("", BLOCKED)
        )
        arms = "one site" if partner["arms"] == "1" else f"{partner['arms']} arms"
        return f"holds {partner['target']} in solution with {arms} and keeps it from {blocked}{changed}"
    return f"{ARMS} arms, each of which takes {' and '.join(head(slot).chains)} from the cytokine"


def partner_name(slot: str) -> str:
    """The name in the catalogue of a partner in solution."""
    return next((row["name"] for row in rows("molecules") if row["network"] == slot and not row["base"]), slot)


def constants(row: dict[str, str]) -> list[Constant]:
    """The dissociation constants that a molecule rests on in the network."""
    slot, out = row["network"], []
    if slot == INHIBITOR:
        q = quantity("JAK_inhibitor_IC50")
        return [Constant(slot, "IC50", q.value, q.unit, q.low, q.high, q.grade, q.sources, q.note)]
    bases = {row["base"] or ("IL15" if slot == NEIGHBOUR_CHAIN else slot)} if slot else set()
    for step in rows("affinities"):
        if step["ligand"] in bases:
            name = f"KD_{step['ligand']}_{step['product'].replace('+', '_')}"
            out.append(_constant(step["ligand"], step["step"], step["kd"], step["unit"], step, name))
    for partner in rows("partners"):
        if partner["name"] == slot:
            step_name = f"{partner['target']} > {slot}"
            out.append(_constant(slot, step_name, partner["kd_nM"], "nM", partner, f"KD_{slot}"))
    return out


def own_kds(row: dict[str, str]) -> str:
    """KDs of the catalogue with their assay, as text."""
    kds = [f"{interface} {kd:g} nM" for key, interface in KDS.items() if (kd := number(row[key])) is not None]
    return f"{', '.join(kds)} ({row['kd_assay']})" if kds else ""


def use(row: dict[str, str]) -> str:
    """How to ask for a molecule on the command line; empty where it cannot be simulated."""
    if not row["network"]:
        return ""
    amount = "1000/cell" if row["network"] == NEIGHBOUR_CHAIN else "10 nM"
    added = f"--with '{row['name']}={amount}'"
    return f"--ligand '{row['name']}' or {added}" if is_ligand(row["name"]) else added


def described(name: str) -> dict[str, object]:
    """Everything that is known of one molecule."""
    row = entry(name)
    cited = {s for s in row["sources"].split(";") if s} | {s for c in constants(row) for s in c.sources}
    citations = {name: source.citation for name, source in sources().items() if name in cited}
    plain = {key: row[key] for key in ("name", "aliases", "kind", "base", "format", "valency", "mass_kDa", "status")}
    return plain | {
        "aliases": ", ".join(filter(None, row["aliases"].split(";"))),
        "simulated": "yes" if row["network"] else "no",
        "network": network(row),
        "use": use(row),
        "KDs": own_kds(row),
        "grade": row["grade"],
        "note": row["note"],
        "constants": [f"{c.step}: {c.kd:g} {c.unit}{_range(c)}, {c.grade}" for c in constants(row)],
        "sources": [f"{key}: {citation}" for key, citation in citations.items()],
    }


def _range(c: Constant) -> str:
    return "" if c.low is None or c.high is None else f" ({c.low:g} to {c.high:g})"


def _constant(of: str, step: str, kd: str, unit: str, row: dict[str, str], parameter: str) -> Constant:
    """A constant with its calibrated value where there is one, which the range then holds."""
    sources, value = tuple(row["sources"].split(";")), chosen(parameter, float(kd))
    low, high = number(row["low"]), number(row["high"])
    low, high = low if low is None else min(low, value), high if high is None else max(high, value)
    return Constant(of, step, value, unit, low, high, row["grade"], sources, row["note"], parameter)
