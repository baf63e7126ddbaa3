"""Additions and dials: what they do to a response, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import constants, model

import il2
from il2.cell.simulate import lane_values, simulate
from il2.errors import Il2Error
from il2.knowledge.cell import CHAINS, cell
from il2.network.expression import evaluate
from il2.receptor.addition import Addition, additions, dials, mixture
from il2.receptor.head import head
from il2.receptor.ligand import ALPHA_ONLY, PRODRUG, Heads, Ligand, ligand
from il2.receptor.medium import release_rate
from il2.receptor.model import build
from il2.signalling.response import response_of
from il2.signalling.stat import phosphorylated

CYTOKINES = ("IL2", "IL4", "IL7", "IL9", "IL15", "IL21")
COUNTS = {"IL2RA": 2000.0, "IL2RB": 1000.0, "IL2RG": 1500.0, "IL15RA": 200.0, "IL4R": 254.0, "IL7R": 2591.0,
          "IL9R": 300.0, "IL21R": 300.0}  # fmt: skip


def share(name: str | Ligand = "IL2", dose_nM: float = 0.1, min: float = 30.0, counts: dict | None = None, **options):
    """Phosphorylated share of the STAT of a ligand on a cell with all chains."""
    base = ligand(name).base if isinstance(name, str) else name.base
    data = il2.respond(name, {"own": COUNTS | (counts or {})}, [dose_nM], [min], **options)
    return float(data[phosphorylated(head(base).stat)].squeeze())


# --- what they do ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CYTOKINES)
@pytest.mark.parametrize("gone", ["IL2RG", "JAK3", "JAK1"])
def test_no_cytokine_of_the_family_signals_without_the_common_chain_or_a_kinase(name: str, gone: str):
    whole, half, none = (share(name, 10.0, dial=f"{gone}={left}") for left in (1, 0.5, 0))
    assert whole == share(name, 10.0) and 1.01 * whole > half > 0.01 * whole and none == 0  # uptake falls too


@pytest.mark.parametrize("name", CYTOKINES)
def test_tofacitinib_lowers_every_response_and_its_absence_changes_nothing(name: str):
    free, none, some, much = (share(name, 10.0, added=f"tofacitinib={x} nM") for x in (0, 0, 40, 1e5))
    assert free == none == share(name, 10.0) > some > much and much < 0.05 * free


def gonnord(name: str, added: str = "", times_more: float = 1.0) -> float:
    counts = {c: n.value for c, n in cell("CD4_naive_Gonnord").counts.items()}
    counts |= {"IL2RG": counts["IL2RG"] * times_more}
    data = il2.respond(name, {"own": counts}, [0.1], [30.0], added=added)
    return float(data[phosphorylated(head(name).stat)].squeeze())


def test_il7_takes_il2rg_from_il4_and_not_the_reverse():
    assert gonnord("IL4", "IL7=10 nM") < 0.7 * gonnord("IL4")
    assert gonnord("IL7", "IL4=10 nM") == pytest.approx(gonnord("IL7"), rel=0.05)
    assert gonnord("IL4", "IL7=10 nM", 100.0) > 0.95 * gonnord("IL4", times_more=100.0)


@pytest.mark.parametrize("blocker", ["daclizumab", "basiliximab"])
def test_an_antibody_against_il2ra_competes_for_il2ra_only(blocker: str):
    added = f"{blocker}=10 nM"
    assert share(added=added) < 0.5 * share()
    bare = {"IL2RA": 0.0}
    assert share(dose_nM=10.0, counts=bare, added=added) == pytest.approx(share(dose_nM=10.0, counts=bare), rel=1e-4)
    for other in ("IL15", "IL7"):
        assert share(other, added=added) == pytest.approx(share(other), rel=1e-4)


@pytest.mark.parametrize(("blocker", "hit", "spared"), [("anti-IL2RB", "IL15", "IL7"), ("anti-IL2RG", "IL7", "")])
def test_an_antibody_against_a_shared_chain_lowers_those_that_share_it(blocker: str, hit: str, spared: str):
    """At a dose that leaves room: with much more ligand the chains that are left suffice."""
    dose = 0.001
    added = f"{blocker}=100 nM"
    assert share(hit, dose, added=added, before_min=60.0) < 0.5 * share(hit, dose)
    if spared:
        assert share(spared, dose, added=added, before_min=60.0) == pytest.approx(share(spared, dose), rel=1e-4)


def test_what_is_given_before_acts_more():
    together, before = (share(min=5.0, added="daclizumab=1 nM", before_min=t) for t in (0.0, 120.0))
    assert before < 0.8 * together < share(min=5.0)


def test_soluble_il2ra_lowers_free_il2():
    """In a large medium the free share is 1 / (1 + S / KD)."""
    mix = mixture(ligand("IL2"), additions("soluble_IL2RA=100 nM"))
    m, dosed = model(build(mix.system)), mix.values | {"IL2_dose": 0.1, "cells_per_mL": 1.0}
    values = dosed | {"IL2RA_count": 2000.0}
    at, y = constants(m.network, values), m.solve([values], [600.0]).y[0, 0]
    free = m.state(y, "IL2@medium") / at["avogadro"] / at["medium_volume"]
    assert free == pytest.approx(0.1 / (1 + 100 / at["KD_soluble_IL2RA"]), rel=1e-3)
    none, little, much = (share(added=f"soluble_IL2RA={x} nM") for x in (0, 10, 1000))
    assert none > little > much and much < 0.3 * none


def test_a_neighbour_presents_il15_to_cells_without_il15ra():
    bare = {"IL15RA": 0.0}
    without = share("IL15", 0.01, counts=bare)
    few, many = (share("IL15", 0.01, counts=bare, added=f"neighbour_IL15RA={n}/cell") for n in (100, 3000))
    assert many > few > without > 0 and many > 2 * without
    assert share("IL15", 0.01, counts=bare, added="neighbour_IL15RA=0/cell") == pytest.approx(without, rel=1e-4)
    assert share("IL2", added="neighbour_IL15RA=3000/cell; IL15=0 nM") == pytest.approx(share(), rel=1e-4)


def test_a_prodrug_is_inert_until_it_is_released():
    fast, slow = (Ligand("drug", format=PRODRUG, inert_forms=2, release_half_life_min=t) for t in (1e-5, 100.0))
    assert share(fast) == pytest.approx(share(), rel=1e-3)
    assert 0 < share(slow) < 0.5 * share()
    mix = mixture(slow)
    values = lane_values(mix, np.array([10.0]), COUNTS)
    assert mix.values[release_rate("IL2")] == pytest.approx(np.log(2) / 100)
    held = simulate(mix.system, values | {release_rate("IL2"): 0.0}, np.array([30.0, 240.0]))
    assert not held.pstat5.any() and not held.active.any() and held.reasons == ("",)


def test_the_dose_of_a_complex_is_that_of_the_complex():
    mix = mixture(ligand("IL-2/JES6-1"))
    network = response_of(mix.system)
    at = constants(network, {"IL2_dose": 2.0})
    start = {s.name: evaluate(s.initial, at) for s in network.species}
    assert start["IL2.JES6_1@medium"] == pytest.approx(2.0 * at["avogadro"] * at["medium_volume"])
    assert start["IL2@medium"] == start["JES6_1@medium"] == 0


def test_a_complex_comes_to_the_mixture_of_its_parts():
    """After an hour, when less free IL-2 still means less pSTAT5; after four it may mean more, as less is taken up."""
    mixed = share("IL2", 10.0, 60.0, added="JES6-1=5 nM")  # two arms
    assert share("IL-2/JES6-1", 10.0, 60.0) == pytest.approx(mixed, rel=0.02) and mixed < 0.98 * share("IL2", 10, 60)
    assert share("IL-2/JES6-1", 10.0, 5.0) < 0.95 * share("IL2", 10.0, 5.0, added="JES6-1=5 nM")


def test_complexes_turn_il2_towards_or_away_from_il2ra():
    rich, bare = {"IL2RA": 20000.0}, {"IL2RA": 0.0}

    def kept(antibody: str, counts: dict) -> float:
        return share(dose_nM=0.3, counts=counts, added=f"{antibody}=100 nM") / share(dose_nM=0.3, counts=counts)

    assert kept("JES6-1", rich) > 2 * kept("JES6-1", bare)
    assert kept("S4B6", bare) > 1 > kept("S4B6", rich)
    assert kept("anti-IL-2", rich) < 0.1


@pytest.mark.parametrize("name", ["daclizumab", "anti-IL-2", "JES6-1", "IL7", "IL15", "IL2", "IL-2/JES6-1"])
def test_nothing_of_an_addition_changes_nothing(name: str):
    assert share(added=f"{name}=0 nM") == pytest.approx(share(), rel=1e-4)


def test_order_and_aliases_of_additions_do_not_matter():
    one = share(added="daclizumab=1 nM; IL7=0.1 nM")
    assert one == pytest.approx(share(added=" IL-7 = 100 pM ;Zenapax=1 nM;"), rel=1e-4) and one != share()
    assert share(added=[Addition("Zenapax", 1.0), Addition("IL7", 0.1)]) == pytest.approx(one, rel=1e-4)


def test_more_of_the_same_ligand_adds_up():
    assert share(dose_nM=0.04, added="IL2=0.06 nM") == pytest.approx(share(dose_nM=0.1), rel=1e-4)


# --- amounts ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "name", "amount"),
    [
        ("daclizumab=10 ug/mL", "daclizumab", 1e4 / 149),
        ("HYP=1 nM", "daclizumab", 1.0),
        ("IL-7=17.4 ng/mL", "IL7", 1.0),
        ("neighbour_IL15RA=100/cell", "neighbour_IL15RA", 100.0),
        ("neighbour_IL15RA=100 molecule/cell", "neighbour_IL15RA", 100.0),
        ("neighbour_IL15RA=100 molecules/cell", "neighbour_IL15RA", 100.0),
        ("IL7 = 0 nM", "IL7", 0.0),
        ("IL7=1 mM", "IL7", 1e6),
    ],
)
def test_amounts_are_read_in_their_units(text: str, name: str, amount: float):
    (found,) = additions(text)
    assert (found.name, found.amount) == (name, pytest.approx(amount))


def test_dials_are_read_whatever_their_case():
    assert dials("il2rg=0; JAK3 = 0.5;", CHAINS) == {"IL2RG": 0.0, "JAK3": 0.5} and dials("", CHAINS) == {}


# --- what is refused -------------------------------------------------------------------------------------------
TRIMER = replace(ligand("IL2"), valency=3)
REFUSED = [
    ("IL2", "Daclizumap=1 nM", "unknown molecule 'Daclizumap'. Did you mean 'daclizumab'"),
    ("IL2", "daclizumab", "with: 'daclizumab' is no name=amount. Write it like 'daclizumab=10 ug/mL'."),
    ("IL2", "daclizumab=", "with: 'daclizumab=' is no name=amount. Write it like 'daclizumab=10 ug/mL'."),
    ("IL2", "=1 nM", "with: '=1 nM' is no name=amount. Write it like 'daclizumab=10 ug/mL'."),
    ("IL2", "daclizumab=10", "with daclizumab: '10' has no unit. Write the unit, for example '10 nM'."),
    ("IL2", "daclizumab=1 h", "with daclizumab: 'h' is no unit of the same kind as 'nM'. Give it in nM."),
    ("IL2", "IL7=1 IU/mL", "with IL7: 'IU/mL' cannot be read in 'nM'"),
    ("IL2", "IL9=1 ng/mL", "with IL9: 'ng/mL' cannot be read in 'nM' without a molar mass"),
    ("IL2", "IL7=-1 nM", "IL7=-1"),
    ("IL2", "IL7=nan nM", "'nan nM' is not finite"),
    ("IL2", "IL7=inf nM", "'inf nM' is not finite"),
    ("IL2", "IL7=2 mM", "IL7=2e+06"),
    ("IL15", "neighbour_IL15RA=10", "with neighbour_IL15RA: '10' has no unit"),
    ("IL15", "neighbour_IL15RA=1 nM", "'nM' is no unit of the same kind as 'molecule/cell'. Give it in molecule/cell."),
    ("IL15", "neighbour_IL15RA=1e8/cell", "neighbour_IL15RA=1e+08"),
    ("IL2", "anti-Tac=1 nM", "anti-Tac cannot be simulated (no measured affinity or potency of it is known here)"),
    ("IL2", "IL7=1 nM; IL-7=2 nM", "with: 'IL7' is added twice. Give its whole amount once."),
    ("IL7", "anti-IL-2=1 nM", "has nothing to bind (no IL2 is there)"),
    ("IL7", "soluble_IL2RA=1 nM", "has nothing to bind (no IL2 is there)"),
    ("IL2", "neighbour_IL15RA=10/cell", "with: no IL-15 is there to be presented. Add IL15, or leave the neighbour"),
    (TRIMER, "anti-IL-2=1 nM", "can combine in too many ways"),
]


@pytest.mark.parametrize(("name", "text", "message"), REFUSED, ids=[text for _, text, _ in REFUSED])
def test_a_bad_addition_is_one_message_that_says_where_and_how(name, text: str, message: str):
    with pytest.raises(Il2Error) as found:
        share(name, added=text)
    assert message in str(found.value)
    assert found.value.where.startswith("with") and found.value.how


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf"), 2e6])
def test_an_addition_is_checked_when_made(amount: float):
    with pytest.raises(Il2Error, match="daclizumab="):
        Addition("daclizumab", amount)


@pytest.mark.parametrize("pair", [("daclizumab", "daclizumab"), ("daclizumab", "Zenapax"), ("IL7", "IL7")])
def test_additions_of_one_name_are_refused_in_python_too(pair: tuple[str, str]):
    with pytest.raises(Il2Error, match="twice"):
        share(added=[Addition(name, 1.0) for name in pair])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("IL2RX=0", "dial: unknown chain or kinase 'IL2RX'. Did you mean 'IL2RG'"),
        ("=0", "dial: unknown chain or kinase ''"),
        ("IL2RG", "dial: 'IL2RG' is no name=share. Give a number from 0 up; 1 leaves it as is."),
        ("IL2RG=x", "dial: 'IL2RG=x' is no name=share. Give a number from 0 up; 1 leaves it as is."),
        ("IL2RG=-1", "dial: 'IL2RG=-1' is no name=share. Give a number from 0 up; 1 leaves it as is."),
        ("IL2RG=nan", "dial: 'IL2RG=nan' is no name=share. Give a number from 0 up; 1 leaves it as is."),
        ("IL2RG=inf", "dial: 'IL2RG=inf' is no name=share. Give a number from 0 up; 1 leaves it as is."),
        ("IL2RG=0; il2rg=1", "twice"),
    ],
)
def test_a_bad_dial_is_one_message_that_says_where_and_how(text: str, message: str):
    with pytest.raises(Il2Error) as found:
        share(dial=text)
    assert message in str(found.value) and found.value.where == "dial" and found.value.how


@pytest.mark.parametrize("before", [-1.0, float("nan"), float("inf")])
def test_a_bad_time_before_is_refused(before: float):
    with pytest.raises(Il2Error, match="before_min"):
        share(added="daclizumab=1 nM", before_min=before)


@pytest.mark.parametrize(
    "make",
    [
        lambda: mixture(replace(ligand("IL7"), others=(Heads(1, (), ALPHA_ONLY),))),
        lambda: mixture(replace(ligand("IL2"), others=(Heads(1, (), ("IL7R",)),))),
        lambda: mixture(Ligand("own", complexed="no such partner")),
        lambda: mixture(Ligand("own", base="IL7", complexed="JES6_1")),
        lambda: mixture(Ligand("own", valency=1.5)),
        lambda: Ligand("own", format=PRODRUG),
        lambda: Ligand("own", inert_forms=2),
        lambda: Ligand("own", format=PRODRUG, inert_forms=-1),
        lambda: Ligand("own", format=PRODRUG, inert_forms=1.5),
        lambda: Ligand("own", format=PRODRUG, inert_forms=1, release_half_life_min=-1.0),
        lambda: Ligand("own", format=PRODRUG, inert_forms=1, release_half_life_min=float("nan")),
        lambda: Ligand("own", others=(Heads(0),)),
        lambda: Ligand("own", others=(Heads(101),)),
        lambda: Ligand("own", others=(Heads(1, (("IL2RA", 0.0),)),)),
        lambda: ligand("daclizumab"),
        lambda: ligand("H16L N-term"),
    ],
    ids=["heads that reach nothing", "heads of a foreign chain", "complexed with nothing", "complexed without IL-2",
         "half a head", "no inert form", "inert forms of no prodrug", "negative inert forms", "half an inert form",
         "negative half-life", "half-life NaN", "no other head", "too many other heads", "KD of zero", "antibody",
         "no affinity"],
)  # fmt: skip
def test_a_molecule_that_makes_no_sense_is_refused(make):
    with pytest.raises(Il2Error) as found:
        make()
    assert found.value.how or found.value.why
