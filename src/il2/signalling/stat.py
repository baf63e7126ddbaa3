"""JAK-STAT: active receptor complexes phosphorylate a STAT, which dimerises, cycles through the nucleus, and
induces SOCS/CIS, which lowers the phosphorylation rate with a delay.

All states are molecules per cell, so that the volumes of cytoplasm and nucleus drop out. The readout is the
phosphorylated fraction of all STAT of the kind. The constants are those of STAT5; another STAT has its own
half-activation and borrows the rest.
"""

from __future__ import annotations

from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species, reaction
from il2.network.part import known

CYTOPLASM, NUCLEUS = "cytoplasm", "nucleus"
JAK1, JAK3 = "JAK1", "JAK3"
INHIBITOR, INHIBITOR_IC50 = "JAK_inhibitor_dose", "JAK_inhibitor_IC50"
ONE = num(1.0)
STEPS = 4  # transit species of the SOCS delay
QUANTITIES = (
    "STAT5_total", "STAT5_phosphorylation_rate", "STAT5_dephosphorylation_cytoplasm",
    "STAT5_dimerisation_rate", "STAT5_undimerisation_rate", "STAT5_dephosphorylation_nucleus",
    "STAT5_nuclear_import", "STAT5_nuclear_export", "SOCS_delay", "SOCS_induction", "SOCS_strength",
    INHIBITOR_IC50,
)  # fmt: skip


def phosphorylated(name: str) -> str:
    """Name of the readout of a STAT: `pstat5` for STAT5."""
    return "p" + name.lower()


def at(name: str, place: str) -> str:
    return f"{name}@{place}"


def kinases() -> Expr:
    """The share of the work of JAK1 and JAK3 that is done; both are needed."""
    return sym(JAK1) * sym(JAK3) / (1 + sym(INHIBITOR) / sym(INHIBITOR_IC50))


def attainable() -> Expr:
    """The share of STAT5 that phosphorylation and dephosphorylation alone would leave phosphorylated at saturation.

    pSTAT5 is measured up to a scale, so that effects on genes are told in this unit. It is no ceiling: dimers in the
    nucleus are sheltered, and pSTAT5 can come to 1.5 of it.
    """
    rate = sym("STAT5_phosphorylation_rate")
    return rate / (rate + sym("STAT5_dephosphorylation_cytoplasm"))


def stat(name: str, drive: Expr, halves: tuple[str, ...], amplitude: Expr = ONE, phosphatase: Expr = ONE) -> Network:
    """The pathway as a part to compose with a receptor network.

    drive: active complexes over their half-activation, whose quantities `halves` names. amplitude: the share
    of the STAT that can answer, by which readout and feedback are lower at an unchanged EC50. phosphatase multiplies
    the rate of dephosphorylation in the cytoplasm. Both are 1 in a resting cell.
    JAK1 and JAK3 are the shares of the kinases that work (1 in a normal cell); both are needed.
    """
    p = {q: sym(q) for q in QUANTITIES}
    dimerised = f"p{name}.p{name}"
    free, monomer, dimer = at(name, CYTOPLASM), at(f"p{name}", CYTOPLASM), at(dimerised, CYTOPLASM)
    nuclear_dimer, nuclear_free = at(dimerised, NUCLEUS), at(name, NUCLEUS)
    prefix = "" if name == "STAT5" else f"{name}_"
    delay = [f"{prefix}SOCS_{i}" for i in range(1, STEPS + 1)]
    kinase = p["STAT5_phosphorylation_rate"] * kinases() * drive / (1 + drive)
    brake = num(1.0) / (1 + p["SOCS_strength"] * sym(delay[-1]))
    every = sym(monomer) + 2 * sym(dimer) + 2 * sym(nuclear_dimer)
    return Network(
        name,
        compartments=(Compartment(CYTOPLASM, 3), Compartment(NUCLEUS, 3)),
        species=(
            Species(free, CYTOPLASM, p["STAT5_total"]),
            Species(monomer, CYTOPLASM, num(0.0)),
            Species(dimer, CYTOPLASM, num(0.0)),
            Species(nuclear_dimer, NUCLEUS, num(0.0)),
            Species(nuclear_free, NUCLEUS, num(0.0)),
            *(Species(step, CYTOPLASM, num(0.0), "dimensionless") for step in delay),
        ),
        parameters=(
            *(known(q) for q in (*QUANTITIES, *halves)),
            Parameter(JAK1, 1.0, "dimensionless"),
            Parameter(JAK3, 1.0, "dimensionless"),
            Parameter(INHIBITOR, 0.0, "nM"),
        ),
        reactions=(
            reaction(f"{name} phosphorylation", [free], [monomer], kinase * brake),
            reaction(
                f"{name} dephosphorylation", [monomer], [free], p["STAT5_dephosphorylation_cytoplasm"] * phosphatase
            ),
            reaction(
                f"{name} dimerisation", [monomer, monomer], [dimer],
                p["STAT5_dimerisation_rate"], p["STAT5_undimerisation_rate"],
            ),
            reaction(f"{name} import", [dimer], [nuclear_dimer], p["STAT5_nuclear_import"]),
            reaction(
                f"{name} dephosphorylation in the nucleus", [nuclear_dimer], [nuclear_free, nuclear_free],
                p["STAT5_dephosphorylation_nucleus"],
            ),
            reaction(f"{name} export", [nuclear_free], [free], p["STAT5_nuclear_export"]),
            *_delay(delay, p["SOCS_induction"] * amplitude * sym(nuclear_dimer) / p["STAT5_total"], p["SOCS_delay"]),
        ),
        observables=(Observable(phosphorylated(name), amplitude * every / p["STAT5_total"], "dimensionless"),),
    )  # fmt: skip


def _delay(names: list[str], source: Expr, mean_time: Expr) -> tuple[Reaction, ...]:
    """A chain of first-order steps whose output follows `source` after `mean_time`."""
    rate = len(names) / mean_time
    sources = [source, *(sym(name) for name in names)]
    return tuple(
        Reaction(f"{name} follows", {name: 1}, rate * before, rate * sym(name), "1/min")
        for name, before in zip(names, sources[:-1], strict=True)
    )
