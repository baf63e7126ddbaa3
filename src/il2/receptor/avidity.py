"""Equilibrium binding of molecules with several equal heads to one kind of chain, without trafficking."""

from __future__ import annotations

from functools import cache

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.evaluate import run
from il2.engine.solve import Tolerances, solve
from il2.network.expression import add, num, sym
from il2.network.network import Compartment, Derived, Network, Observable, Parameter, Species, compose
from il2.network.part import known
from il2.network.program import Program, lower, lower_expressions
from il2.receptor.head import Constant, Head, formations, parameters
from il2.receptor.membrane import SURFACE, Membrane, at, binding
from il2.receptor.model import dose, tether
from il2.receptor.molecule import Molecule
from il2.receptor.trafficking import count

NAME, CHAIN, CONSTANT, BOUND = "molecule", "target", "KD_target", "bound_molecules"
LONG_min = 1e6  # binding is at equilibrium long before


@cache
def avidity(heads: int) -> tuple[Network, Program]:
    """Network and program of a molecule with `heads` heads in solution at a constant dose."""
    step = Constant(frozenset(), CONSTANT, 1.0, "nM")
    site = Head(
        NAME, "antibody", (CHAIN,), frozenset(), "", "", "ligand_association_rate", "", {frozenset({CHAIN}): step}
    )
    molecule = Molecule(NAME, (site,), (heads,))
    surface = Membrane(SURFACE, num(1.0), num(1.0), lambda name: sym(dose(name.split("@")[0])), None)
    names = [molecule.species(form, SURFACE) for form in molecule.on_membrane]
    network = Network(
        "avidity",
        (Compartment(SURFACE, 2),),
        (Species(at(CHAIN, SURFACE), SURFACE, sym(count(CHAIN))), *(Species(n, SURFACE, num(0.0)) for n in names)),
        (
            Parameter(count(CHAIN), 0.0, "molecule/cell"),
            Parameter(dose(NAME), 0.0, "nM"),
            known("ligand_association_rate"),
            *parameters(NAME, site),
        ),
        tuple[Derived, ...](formations(NAME, site, num(1.0))),
        binding(molecule, surface),
        (Observable(BOUND, add(*map(sym, names)), "molecule/cell"),),
    )
    whole = compose("avidity", tether(), network)
    return whole, lower(whole)


def bound_molecules(
    kd_nM: float, heads: int, per_cell: float, doses_nM: np.ndarray, tether_factor: float | None = None
) -> np.ndarray:
    """Molecules per cell bound by any number of heads at equilibrium, per dose (nM of molecules).

    tether_factor: the default quantity, or a value of one's own.
    """
    network, program = avidity(heads)
    values: dict[str, np.ndarray | float] = {
        CONSTANT: kd_nM,
        count(CHAIN): per_cell,
        dose(NAME): np.asarray(doses_nM, float),
    }
    values |= {} if tether_factor is None else {"tether_factor": tether_factor}
    rows = parameter_rows(network, values)
    y = solve(program, rows, np.array([LONG_min]), tolerances=Tolerances(rtol=1e-8, atol=1e-8)).y[:, 0]
    tape, places = lower_expressions(network, [next(o.expr for o in network.observables)])
    return run(tape, {"y": y, "p": rows}, places)[..., 0]
