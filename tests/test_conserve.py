"""Conservation laws: exact, complete and readable."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from helpers import examples
from hypothesis import given
from hypothesis import strategies as st

from il2.network.conserve import conservation_laws, law_text
from il2.network.expression import num
from il2.network.network import Compartment, Network, Reaction, Species, check, reaction
from il2.receptor.model import receptor


def network(names: list[str], *reactions: Reaction) -> Network:
    species = tuple(Species(n, "c", num(0.0)) for n in names)
    return check(Network("n", (Compartment("c", 3),), species, (), (), reactions))


def matrix(n: Network) -> np.ndarray:
    """Net stoichiometry, species by reactions."""
    return np.array([[r.change.get(s, 0) for r in n.reactions] for s in n.species_names], dtype=int)


def test_binding():
    n = network(["A", "B", "AB"], reaction("bind", ["A", "B"], ["AB"], 1.0, 1.0))
    assert sorted(map(law_text, conservation_laws(n))) == ["A + AB", "B + AB"]


def test_dimer_and_bystander():
    n = network(["AA", "A", "E"], reaction("pair", ["A", "A"], ["AA"], 1.0))
    assert conservation_laws(n) == [{"AA": 2, "A": 1}, {"E": 1}]


def test_nothing_conserved_and_nothing_at_all():
    assert conservation_laws(network(["A"], reaction("loss", ["A"], [], 1.0))) == []
    assert conservation_laws(network([])) == []
    assert law_text({}) == "0"


def test_negative_coefficients_only_where_needed():
    n = network(
        ["A", "made", "lost"], Reaction("in", {"A": 1, "made": 1}, num(1.0)), reaction("out", ["A"], ["lost"], 1)
    )
    (law,) = conservation_laws(n)
    assert law == {"A": 1, "made": -1, "lost": 1}
    assert law_text(law) == "A + lost - made"


def test_enzyme_cycle_is_non_negative():
    steps = [("E", "S", "ES"), ("F", "P", "FP")]
    back = [reaction("cat", ["ES"], ["E", "P"], 1.0), reaction("uncat", ["FP"], ["F", "S"], 1.0)]
    n = network(["S", "P", "E", "F", "ES", "FP"], *(reaction(c, [a, b], [c], 1.0, 1.0) for a, b, c in steps), *back)
    laws = conservation_laws(n)
    assert {"E": 1, "ES": 1} in laws and {"F": 1, "FP": 1} in laws and {"S": 1, "P": 1, "ES": 1, "FP": 1} in laws
    assert len(laws) == 3


@examples(60)
@given(st.lists(st.lists(st.integers(-2, 2), min_size=5, max_size=5), max_size=6))
def test_complete_exact_and_independent(columns: list[list[int]]):
    names = list("ABCDE")
    changes = [{k: v for k, v in zip(names, column, strict=True) if v} for column in columns]
    n = network(names, *(Reaction(f"r{i}", c, num(1.0)) for i, c in enumerate(changes)))
    laws = conservation_laws(n)
    assert all(sum(law.get(s, 0) * k for s, k in c.items()) == 0 for law in laws for c in changes)
    rank = np.linalg.matrix_rank(np.array(columns, dtype=float)) if columns else 0
    assert len(laws) == 5 - rank
    rows = np.array([[law.get(s, 0) for s in names] for law in laws], dtype=float)
    assert not laws or np.linalg.matrix_rank(rows) == len(laws)
    assert all(isinstance(k, int) and not isinstance(k, Fraction) for law in laws for k in law.values())


def test_audit_network_conserves_every_chain():
    n = receptor("IL2", "IL15", audit=True)
    laws = conservation_laws(n)
    assert not np.any(np.array([[law.get(s, 0) for s in n.species_names] for law in laws]) @ matrix(n))
    chains = ("IL2RA", "IL2RB", "IL2RG", "IL15RA")
    assert laws == [_pool(n, chain) | {f"{chain}_made": -1} for chain in chains]


def test_depleted_audit_network_conserves_ligand_too():
    n = receptor("IL2", "IL15", audit=True, depleted=True)
    laws = conservation_laws(n)
    assert len(laws) == 6
    assert _pool(n, "IL2") in laws and _pool(n, "IL15") in laws


def _pool(n: Network, entity: str) -> dict[str, int]:
    """Every species that holds an entity once, and its ledger of loss."""
    held = [s for s in n.species_names if entity in s.split("@")[0].split(".") or s == f"{entity}_degraded"]
    return dict.fromkeys(held, 1)


def test_clamped_open_network_conserves_nothing():
    assert conservation_laws(receptor("IL2")) == []
