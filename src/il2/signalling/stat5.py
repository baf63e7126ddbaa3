"""JAK-STAT5: active receptor complexes phosphorylate STAT5, which dimerises, cycles through the nucleus,
and induces SOCS/CIS, which lowers the phosphorylation rate with a delay.

All states are molecules per cell, so that the volumes of cytoplasm and nucleus drop out. The readout is
the phosphorylated fraction of all STAT5.
"""

from __future__ import annotations

from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Network, Observable, Reaction, Species, reaction
from il2.receptor.model import known

CYTOPLASM, NUCLEUS = "cytoplasm", "nucleus"
FREE, MONOMER, DIMER = "STAT5", "pSTAT5", "pSTAT5.pSTAT5"
PSTAT5, HALF_ACTIVATION = "pstat5", "STAT5_half_activation"
STEPS = 4  # transit species of the SOCS delay
QUANTITIES = (
    "STAT5_total", "STAT5_phosphorylation_rate", HALF_ACTIVATION, "STAT5_dephosphorylation_cytoplasm",
    "STAT5_dimerisation_rate", "STAT5_undimerisation_rate", "STAT5_dephosphorylation_nucleus",
    "STAT5_nuclear_import", "STAT5_nuclear_export", "SOCS_delay", "SOCS_induction", "SOCS_strength",
)  # fmt: skip


def at(name: str, place: str) -> str:
    return f"{name}@{place}"


def stat5(active: Expr) -> Network:
    """The pathway driven by `active` complexes (molecule/cell), as a part to compose with a receptor network."""
    p = {name: sym(name) for name in QUANTITIES}
    free, monomer, dimer = (at(name, CYTOPLASM) for name in (FREE, MONOMER, DIMER))
    nuclear_dimer, nuclear_free = at(DIMER, NUCLEUS), at(FREE, NUCLEUS)
    delay = [f"SOCS_{i}" for i in range(1, STEPS + 1)]
    kinase = p["STAT5_phosphorylation_rate"] * active / (active + p[HALF_ACTIVATION])
    brake = num(1.0) / (1 + p["SOCS_strength"] * sym(delay[-1]))
    phosphorylated = sym(monomer) + 2 * sym(dimer) + 2 * sym(nuclear_dimer)
    return Network(
        "stat5",
        compartments=(Compartment(CYTOPLASM, 3), Compartment(NUCLEUS, 3)),
        species=(
            Species(free, CYTOPLASM, p["STAT5_total"]),
            Species(monomer, CYTOPLASM, num(0.0)),
            Species(dimer, CYTOPLASM, num(0.0)),
            Species(nuclear_dimer, NUCLEUS, num(0.0)),
            Species(nuclear_free, NUCLEUS, num(0.0)),
            *(Species(name, CYTOPLASM, num(0.0), "dimensionless") for name in delay),
        ),
        parameters=tuple(known(name) for name in QUANTITIES),
        reactions=(
            reaction("STAT5 phosphorylation", [free], [monomer], kinase * brake),
            reaction("STAT5 dephosphorylation", [monomer], [free], p["STAT5_dephosphorylation_cytoplasm"]),
            reaction(
                "STAT5 dimerisation", [monomer, monomer], [dimer],
                p["STAT5_dimerisation_rate"], p["STAT5_undimerisation_rate"],
            ),
            reaction("STAT5 import", [dimer], [nuclear_dimer], p["STAT5_nuclear_import"]),
            reaction(
                "STAT5 dephosphorylation in the nucleus", [nuclear_dimer], [nuclear_free, nuclear_free],
                p["STAT5_dephosphorylation_nucleus"],
            ),
            reaction("STAT5 export", [nuclear_free], [free], p["STAT5_nuclear_export"]),
            *_delay(delay, p["SOCS_induction"] * sym(nuclear_dimer) / p["STAT5_total"], p["SOCS_delay"]),
        ),
        observables=(Observable(PSTAT5, phosphorylated / p["STAT5_total"], "dimensionless"),),
    )  # fmt: skip


def _delay(names: list[str], source: Expr, mean_time: Expr) -> tuple[Reaction, ...]:
    """A chain of first-order steps whose output follows `source` after `mean_time`."""
    rate = len(names) / mean_time
    sources = [source, *(sym(name) for name in names)]
    return tuple(
        Reaction(f"{name} follows", {name: 1}, rate * before, rate * sym(name), "1/min")
        for name, before in zip(names, sources[:-1], strict=True)
    )
