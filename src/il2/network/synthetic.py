"""Random mass-action networks of any size: what the engine is measured and tested on beyond the named models."""

from __future__ import annotations

from random import Random

from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Network, Parameter, Species, check, reaction

SURFACE = "surface"


def synthetic(
    species: int, reactions: int, *, seed: int = 1, conserved: bool = True, reach: int | None = None
) -> Network:
    """A network of `species` states (at least 6) and about as many `reactions` as asked, reproducible from the seed.

    Every third species is a complex of two units. Reversible binding of two monomers to a complex alternates with
    reversible changes of form, which conserves the number of units; unless `conserved`, every fourth reaction is a
    synthesis with a loss (two reactions). Partners are at most `reach` places apart on a ring (None: anywhere), as
    the modules of a real model are. Rate constants are log-uniform over two decades around 1 per min; the parameters
    `k0` to `k3` scale those of a quarter of the reactions each, and `start` scales the initial values, which are
    log-uniform over two decades too.
    """
    draw = Random(f"{species} {reactions} {seed} {conserved} {reach}")
    span = max(6, min(species, reach or species))

    def near(at: int, units: int, count: int) -> list[str]:
        """Names of `count` different species of `units` units within reach of `at`, other than `at`."""
        places = {(at + d) % species for d in range(-(span // 2), span - span // 2)} - {at}
        found = sorted(i for i in places if _units(i) == units)
        return [f"s{i}" for i in draw.sample(found, count)]

    def constant(scale: str) -> Expr:
        return num(10 ** draw.uniform(-1, 1)) * sym(scale)

    made = []
    for r in range(reactions):
        at, name, scale = r % species, f"r{r}", f"k{4 * r // reactions}"
        own = [f"s{at}"]
        if not conserved and r % 4 == 3:
            made.append(reaction(name, [], own, constant(scale)))
            made.append(reaction(f"{name}_loss", own, [], constant(scale)))
        elif (r // species + r) % 2:
            made.append(reaction(name, own, near(at, _units(at), 1), constant(scale), constant(scale)))
        else:
            free = near(at, 1, 2) if _units(at) == 2 else own + near(at, 1, 1)
            bound = own if _units(at) == 2 else near(at, 2, 1)
            made.append(reaction(name, free, bound, constant(scale), constant(scale)))
    states = tuple(Species(f"s{i}", SURFACE, constant("start")) for i in range(species))
    parameters = (Parameter("start", 1.0, "1"), *(Parameter(f"k{i}", 1.0, "1/min") for i in range(4)))
    return check(Network(f"synthetic-{species}", (Compartment(SURFACE, 2),), states, parameters, (), tuple(made)))


def _units(i: int) -> int:
    return 2 if i % 3 == 2 else 1
