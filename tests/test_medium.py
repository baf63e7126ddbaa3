"""Wells of cells that share a medium: balances, symmetries, second opinions by the receptor model and by SciPy."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from il2.cell.cohort import cohort, named
from il2.cell.lanes import network_of, receptors, setup, solve_wells, values_of
from il2.cell.medium import ANTIGEN, GIVEN, NEUTRALISER, REMOVED, complexed, free, ledger
from il2.cell.ranges import culture_ranges
from il2.cell.simulate import simulate
from il2.cell.well import CYTOKINES, KNOCKOUTS, Addition, Antigen, Cells, Change, Well
from il2.engine.batch import parameter_rows
from il2.engine.reference import solve_reference
from il2.errors import Il2Error
from il2.gene.promoter import genes
from il2.knowledge.cell import cell
from il2.knowledge.quantity import quantities, quantity
from il2.knowledge.species import species_values
from il2.network.conserve import conservation_laws
from il2.network.dimensions import check_units
from il2.network.network import Network
from il2.network.program import lower
from il2.receptor.model import dose
from il2.receptor.trafficking import count
from il2.signalling.output import products

HOURS = np.array([0.0, 12.0, 24.0, 48.0])
PAIR = (Cells("Th", 1e5, "Th"), Cells("Treg", 2e4, "other"))
FAMILY = (Addition("IL15", 0.0), Addition("daclizumab", 0.0))
ACTIVE = Well(cells=PAIR, antigen=(Antigen(1e9),), costimulation=1.0, additions=FAMILY)
ALONE = replace(ACTIVE, cells=PAIR[:1], additions=())
"""One cohort with IL-2, and two with a second cytokine and an antibody: two networks have to be compiled."""


def solved(*wells: Well, wanted=("IL2@medium",), times=HOURS, **options):
    courses = solve_wells(wells, times, wanted, **options)
    assert not any(reason for c in courses for reason in c.reasons)
    return courses


def close(a, b, rtol: float, atol: float = 0.0) -> bool:
    return bool(np.allclose(a, b, rtol=rtol, atol=atol))


# Structure


@pytest.mark.parametrize("molecules", [("IL2",), ("IL2", "IL15", "daclizumab"), CYTOKINES])
def test_units_of_a_cohort_and_of_a_well_agree(molecules):
    of, every = receptors(molecules), tuple(g for g in genes() if g != "TNFRSF17")
    check_units(cohort(of, every, products()).network)
    check_units(network_of(replace(setup(ACTIVE, every, products()), molecules=molecules)))


def test_every_reaction_of_a_cohort_keeps_the_chains_or_says_where_they_go():
    """Bound forms only change into forms of the same chains; chains come and go by their own synthesis and loss."""
    of = receptors(("IL2", "IL15"))
    model = cohort(of)
    held = {c: {} for c in of.chains}
    for c in of.chains:
        held[c] |= {f"{c}@surface": 1, f"{c}@endosome": 1}
    for m in of.molecules:
        for form in m.on_membrane:
            for place in ("surface", "endosome"):
                for c, n in m.contents(form).items():
                    held[c][m.species(form, place)] = n
    for r in model.network.reactions:
        for c in of.chains:
            change = sum(n * held[c].get(name, 0) for name, n in r.change.items())
            born = r.name in {f"{c} synthesis", f"{c} programme"}
            lost = change < 0 and "degradation" in r.name
            assert change == 0 or (born and change == 1) or lost, (r.name, c, change)


def test_a_well_conserves_what_is_told_and_nothing_else():
    """STAT5 and alleles of a cell, the antibody, cells as the sum of their stages; what is removed waits for events."""
    laws = conservation_laws(network_of(setup(ALONE)))
    stages = [law for law in laws if law.get("Th:cells") == -1]
    assert len(stages) == 1 and len(laws) == 5
    others = {frozenset(law) for law in laws if law not in stages}
    assert {
        frozenset({"Th:IL2_alleles_on", "Th:IL2_alleles_off"}), frozenset({ledger("IL2", REMOVED)}),
        frozenset({free(NEUTRALISER), complexed("IL2")}),
    } <= others  # fmt: skip
    assert any({"Th:STAT5@cytoplasm", "Th:STAT5@nucleus"} < law for law in others)


# Balances


def random_well(seed: int) -> Well:
    """A well with events of every kind; all have one network."""
    draw = np.random.default_rng(seed)

    def dose_nM(low: float = -3.0, high: float = 2.0) -> float:
        return float(10 ** draw.uniform(low, high))

    def hour() -> float:
        return float(draw.uniform(0.0, 90.0))

    return Well(
        cells=(
            Cells("Th", 10 ** draw.uniform(2, 6), without=() if draw.random() < 0.8 else ("IL2",)),
            Cells("Treg", 10 ** draw.uniform(1, 6), "other", changes={"capture": float(draw.integers(2))}),
        ),
        volume_uL=float(10 ** draw.uniform(1, 3.5)),
        antigen=(Antigen(10 ** draw.uniform(5, 11)), Antigen(0.0, hour())),
        presenting_cells=10 ** draw.uniform(3, 6),
        costimulation=float(draw.random()),
        additions=(
            Addition("IL2", dose_nM()), Addition("IL2", dose_nM(), hour()), Addition("IL15", dose_nM(), hour()),
            Addition("anti_IL2", dose_nM(-2, 2), hour()), Addition("daclizumab", dose_nM(-1, 2), hour()),
            Addition("JAK_inhibitor", dose_nM(0, 3), hour()),
        ),
        medium_changes=(Change(hour(), draw.uniform(0.1, 1.0), {"IL2": dose_nM()}), Change(hour(), 1.0, {})),
        species="mouse" if draw.random() < 0.5 else "human",
    )  # fmt: skip


@pytest.fixture(scope="module")
def random_courses():
    wells = [random_well(seed) for seed in range(24)]
    names = network_of(setup(wells[0])).species_names
    assert len({setup(w) for w in wells}) == 1
    wanted = (*names, "IL2_found", "IL2_brought", "IL15_found", "IL15_brought", "deaths", "births")
    return wells, solved(*wells, wanted=wanted, times=np.array([0.0, 1.0, 10.0, 40.0, 90.0, 120.0]))


@pytest.mark.parametrize("cytokine", ["IL2", "IL15"])
def test_what_is_found_of_a_cytokine_is_what_was_brought(random_courses, cytokine):
    """Through secretion, uptake, decay, division, death, neutralisation, additions and changes of the medium."""
    for k, c in enumerate(random_courses[1]):
        brought, found = c[f"{cytokine}_brought"], c[f"{cytokine}_found"]
        assert close(found, brought, 1e-6, 1e-12), (k, found / brought - 1)
        assert brought[0, -1] > 0


def test_every_way_of_the_balance_is_taken(random_courses):
    """Or the balance would hold for want of traffic."""
    for kind in (GIVEN, REMOVED, "secreted", "degraded", "decayed", "with_dead_cells"):
        share = [c[ledger("IL2", kind)][0, -1] / c["IL2_brought"][0, -1] for c in random_courses[1]]
        assert max(share) > 1e-3, kind
    assert max(c[complexed("IL2")].max() for c in random_courses[1]) > 1e-3


def test_no_state_falls_below_zero(random_courses):
    for c in random_courses[1]:
        for name, values in c.values.items():
            assert values.min() >= -1e-6 * max(1.0, values.max()), (name, values.min())


def test_cells_are_the_sum_of_their_generations_and_those_that_rest(random_courses):
    """Living cells of all stages; each division makes one cell, each death takes one."""
    stages = ("resting", "entering", "dividing", "stopped")
    for c in random_courses[1]:
        for label in ("Th", "other"):
            parts = [v for n, v in c.values.items() if n.startswith(tuple(f"{label}:{s}" for s in stages))]
            assert close(sum(parts), c[f"{label}:cells"], 1e-6, 1e-6)


# Symmetries


def test_a_cohort_parted_in_two_equal_ones_changes_nothing():
    halves = tuple(replace(PAIR[0], number=5e4, name=name) for name in ("Th", "other"))
    whole, parted = (
        solved(w, wanted=("IL2@medium", ANTIGEN, "cells", "pstat5"))[0] for w in (ALONE, replace(ACTIVE, cells=halves))
    )
    assert close(parted["IL2@medium"], whole["IL2@medium"], 1e-5, 1e-9)
    assert close(parted[ANTIGEN], whole[ANTIGEN], 1e-5)
    assert close(parted["Th:cells"] + parted["other:cells"], whole["Th:cells"], 1e-5)
    assert close(parted["Th:pstat5"], whole["Th:pstat5"], 1e-5, 1e-9)
    assert close(parted["Th:cells"], parted["other:cells"], 1e-9)
    assert whole["IL2@medium"].max() > 1e-4


def test_a_larger_culture_of_the_same_density_is_the_same():
    factor = 7.0
    large = replace(
        ACTIVE, cells=tuple(replace(c, number=factor * c.number) for c in PAIR), volume_uL=factor * ACTIVE.volume_uL,
        antigen=(Antigen(factor * 1e9),), presenting_cells=factor * ACTIVE.presenting_cells,
    )  # fmt: skip
    one, other = solved(ACTIVE, large, wanted=("IL2@medium", "cells", "pstat5", "MTOR_activity"))
    for name in ("IL2@medium", "Th:pstat5", "other:pstat5", "Th:MTOR_activity"):
        assert close(other[name], one[name], 1e-5, 1e-9), name
    assert close(other["Th:cells"], factor * one["Th:cells"], 1e-5)
    twice = solved(replace(ACTIVE, volume_uL=2 * ACTIVE.volume_uL))[0]
    assert not close(twice["IL2@medium"], one["IL2@medium"], 1e-2, 1e-6)  # so that the factor is no dead letter


def test_the_order_of_cohorts_and_of_wells_and_what_stands_beside_them_change_nothing():
    wanted = ("IL2@medium", "cells")
    weak = replace(ACTIVE, antigen=(Antigen(1e6),), additions=(*FAMILY, Addition("IL2", 0.05, 6.0)))
    a, b = solved(ACTIVE, weak, wanted=wanted)
    swapped_b, swapped_a = solved(weak, ACTIVE, wanted=wanted)
    (alone,) = solved(ACTIVE, wanted=wanted)
    for name in a.values:
        assert np.array_equal(a[name], swapped_a[name]) and np.array_equal(b[name], swapped_b[name])
        assert np.array_equal(a[name], alone[name])
    one, other = (replace(c, kind=kind) for c, kind in zip(PAIR, ("Treg", "Th"), strict=True))
    (turned,) = solved(replace(ACTIVE, cells=(replace(one, number=2e4), replace(other, number=1e5))), wanted=wanted)
    for name, swapped in (("IL2@medium", "IL2@medium"), ("Th:cells", "other:cells"), ("other:cells", "Th:cells")):
        assert close(turned[swapped], a[name], 1e-5, 1e-8), name


def test_the_same_bits_for_any_number_of_threads():
    spread = {"IL2_secretion_rate": quantity("IL2_secretion_rate").value * np.linspace(0.5, 2, 9)}
    one, two = (solved(ACTIVE, variants=spread, threads=n)[0]["IL2@medium"] for n in (1, 2))
    assert np.array_equal(one, two) and len({*one[:, -1]}) == 9


def test_a_cohort_without_cells_changes_nothing():
    (with_none,) = solved(
        replace(ACTIVE, cells=(PAIR[0], replace(PAIR[1], number=0.0))), wanted=("IL2@medium", "cells")
    )
    (alone,) = solved(ALONE, wanted=("IL2@medium", "cells"))
    assert close(with_none["IL2@medium"], alone["IL2@medium"], 1e-5, 1e-9)
    assert close(with_none["Th:cells"], alone["Th:cells"], 1e-5) and not with_none["other:cells"].any()


# Second opinions


def test_few_cells_in_a_large_volume_answer_as_the_receptor_model_alone():
    """Without antigen, induced chains and division, and at a dose that the cells cannot lower."""
    kind, doses = "Th", (0.01, 1.0, 100.0)
    quiet = {"IL2RA_induced": 0.0, "IL2RB_made_activated": 0.0, "IL2RG_made_activated": 0.0, "DUSP4": 0.0}
    wells = [
        Well(
            cells=(Cells(kind, 1.0, changes=quiet),), volume_uL=1e9, additions=(Addition("IL2", d),),
            changes={"cycle_entry_threshold": 1e12, "IL2RA_turnover": 0.0, "cytokine_decay_in_medium": 0.0},
        )
        for d in doses
    ]  # fmt: skip
    times_min = np.array([0.0, 5.0, 20.0, 60.0])
    here = solved(*wells, wanted=("pstat5",), times=times_min / 60)
    of = receptors(("IL2",))
    values = {count(c): cell(kind).counts[c].value for c in of.chains} | {dose("IL2"): np.array(doses)}
    there = simulate(of, values, times_min).pstat5
    for k, course in enumerate(here):
        assert close(course["Th:pstat5"][0], there[k], 1e-4, 1e-7)
    assert there[-1].max() > 0.1


def test_scipy_agrees_on_a_well_with_events():
    at, until, share = 4.0, 5.5, 0.5
    well = replace(
        ALONE, additions=(Addition("IL2", 0.02),), medium_changes=(Change(at, share, {"IL2": 0.3}),),
    )  # fmt: skip
    found = setup(well)
    network = network_of(found)
    program = lower(network)
    values = values_of(replace(well, additions=(), medium_changes=()), found)
    p = parameter_rows(network, {**values, dose("IL2"): 0.02, "antigen_at_start": 1e9})
    wanted = ["IL2@medium", "Th:cells", ANTIGEN, "Th:IL2_mRNA", "Th:PIP3", "Th:IL2RA@surface"]
    options = {"rtol": 1e-7, "atol": 1e-11}
    first = solve_reference(program, p, np.array([0.0, at * 60]), **options)[0, -1]
    for name, fresh in ((free("IL2"), 0.3), (free(NEUTRALISER), 0.0), (complexed("IL2"), 0.0)):
        k = program.states.index(name)
        first[k] += share * (fresh - first[k])
    last = solve_reference(program, p, np.array([0.0, (until - at) * 60]), initial=first[None], **options)[0, -1]
    (here,) = solved(well, wanted=wanted, times=np.array([0.0, until]))
    for name in wanted:
        assert here[name][0, -1] == pytest.approx(last[program.states.index(name)], rel=1e-4), name


# Biology that holds for any numbers


@pytest.mark.parametrize("gene", ["JAK1", "JAK3"])
def test_without_either_kinase_IL2_gives_no_signal(gene):
    well = replace(ALONE, additions=(Addition("IL2", 10.0),))
    without = (replace(PAIR[0], without=(gene,)),)
    quiet, lacking = replace(well, antigen=()), replace(well, cells=without)
    wanted = ("pstat5", "pAKT", "pERK", "summed_IL2")
    alone, normal, course = solved(replace(quiet, cells=without), quiet, lacking, wanted=wanted)
    assert not course["Th:pstat5"].any()
    for name in normal.values:
        assert not alone[name].any() and normal[name].max() > 0.1, name


def test_Treg_take_away_CD28_help_as_far_as_a_cell_is_open_to_it():
    shares = (0.0, 0.5, 1.0)
    wells = [replace(ACTIVE, cells=(replace(PAIR[0], changes={"help_open_to_Treg": x}), PAIR[1])) for x in shares]
    found = solved(*wells, wanted=("costimulation_felt",))
    felt = [c["Th:costimulation_felt"][0] for c in found]
    left = [c["other:costimulation_felt"][0] for c in found]  # of the Treg themselves, who are open to it
    assert (felt[0] == ACTIVE.costimulation).all() and (np.diff(left[2]) < 0).all() and left[2][-1] < 0.6
    for share, one, rest in zip(shares, felt, left, strict=True):
        assert close(one, (1 - share) * ACTIVE.costimulation + share * rest, 1e-9)


def test_without_antigen_or_help_there_is_little_IL2_and_without_the_gene_none():
    wanted = ("IL2_brought", "IL2_secretion")
    full, none, without = solved(
        ALONE, replace(ALONE, antigen=()), replace(ALONE, cells=(replace(PAIR[0], without=("IL2",)),)), wanted=wanted
    )
    assert full["IL2_brought"].max() > 0
    assert none["IL2_brought"].max() <= 0.01 * full["IL2_brought"].max()
    assert not without["IL2_brought"].any()


def test_cells_that_do_not_know_the_antigen_hold_none_and_leave_it_to_those_that_do():
    cells = (PAIR[0], replace(PAIR[0], name="other", specific=False))
    wanted = ("TCR_signal", "IL2_mRNA")
    (both,) = solved(replace(ACTIVE, cells=cells), wanted=wanted)
    (one,) = solved(ALONE, wanted=wanted)
    assert not both["other:TCR_signal"].any() and both["other:IL2_mRNA"].max() < 1e-3 * both["Th:IL2_mRNA"].max()
    assert close(both["Th:TCR_signal"][:, 1], one["Th:TCR_signal"][:, 1], 1e-2)


def test_cells_without_T_cell_receptors_leave_the_antigen_to_those_that_have_them():
    with_nk = replace(ACTIVE, cells=(PAIR[0], Cells("NK", 1e6, "other")))
    (both,), (one,) = (solved(w, wanted=(ANTIGEN, "TCR_signal")) for w in (with_nk, ALONE))
    assert close(both["Th:TCR_signal"][:, 1], one["Th:TCR_signal"][:, 1], 1e-2) and not both["other:TCR_signal"].any()


def test_antigen_goes_and_comes_as_the_well_says():
    taken = replace(ALONE, antigen=(Antigen(1e9), Antigen(0.0, 12.0), Antigen(5e8, 24.0)))
    times = np.array([0.0, np.nextafter(12.0, 0), 12.0, 23.0, 24.0])
    (c,) = solved(taken, wanted=(ANTIGEN,), times=times)
    start, before, at, later, again = c[ANTIGEN][0]
    assert start == 1e9 > before > 0 == at == later and again == 5e8


def test_a_full_change_of_medium_leaves_what_is_fresh_and_what_cells_hold():
    well = replace(ALONE, additions=(Addition("IL2", 5.0), Addition("anti_IL2", 1.0)), medium_changes=(Change(10.0),))
    times = np.array([0.0, np.nextafter(10.0, 0), 10.0])
    (c,) = solved(well, wanted=(free("IL2"), complexed("IL2"), free(NEUTRALISER), "cells"), times=times)
    for name in (free("IL2"), complexed("IL2"), free(NEUTRALISER)):
        assert c[name][0, 2] == 0.0, name
    assert c[complexed("IL2")][0, 1] > 0.1 and c["Th:cells"][0, 2] == pytest.approx(c["Th:cells"][0, 1])


@pytest.fixture(scope="module")
def whole() -> Network:
    """One cohort with all cytokines and products."""
    return network_of(setup(replace(ALONE, additions=tuple(Addition(c, 1.0) for c in CYTOKINES)), (), products()))


@pytest.mark.parametrize("gene", sorted(KNOCKOUTS))
def test_a_knock_out_sets_numbers_that_cohorts_have(whole, gene):
    assert {named("Th", name) for name in KNOCKOUTS[gene]} <= set(whole.parameter_names)


def test_knock_outs_can_be_solved():
    without = [g for g in KNOCKOUTS if g not in {"IL4R", "IL7R", "IL9R", "IL21R", "IL15RA", "CD86", "CCND2", "GZMB"}]
    wells = [replace(ALONE, cells=(replace(PAIR[0], without=(gene,)),)) for gene in without]
    for gene, c in zip(without, solved(*wells, wanted=("IL2_found", "cells")), strict=True):
        assert all(np.isfinite(v).all() for v in c.values.values()), gene


# Ranges


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_each_range_is_named_once_lies_around_its_value_and_moves_a_parameter(species):
    cells = (Cells("Th", 1e5), Cells("T_blast", 1e5), Cells("Treg", 1e4))
    well = Well(cells=cells, additions=(Addition("IL15", 1.0),), species=species)
    more, of_genes = ("CD86", "GZMB"), ("CSF2",)
    ranges = culture_ranges([well], of_genes, more)
    found = setup(well, of_genes, more)
    network = network_of(found)
    assert len({r.name for r in ranges}) == len(ranges)
    assert all(r.low <= r.value <= r.high for r in ranges)
    plain = row(well, found, network, {})
    moved = {r.name: row(well, found, network, {r.name: r.value + 1.0}) for r in ranges}
    dead = [name for name, other in moved.items() if np.array_equal(plain, other)]
    assert dead == []


def row(well: Well, found, network: Network, variant: dict[str, float]) -> np.ndarray:
    """Parameters of one lane, by the names that a well sets and those that a variant sets."""
    values = values_of(well, found, {name: np.array([v]) for name, v in variant.items()})
    plain = {name: variant[v] if isinstance(v, str) else v for name, v in values.items()}
    return parameter_rows(network, {**variant, **plain})


def test_ranges_of_a_mouse_are_those_of_the_mouse():
    well = Well(cells=(Cells("T_blast", 1e5),), species="mouse")
    ranges = {r.name: r for r in culture_ranges([well])}
    mouse = species_values("mouse")
    for name in ("T_blast IL2RB", "STAT5_half_activation"):
        assert (ranges[name].value, ranges[name].low, ranges[name].high) == (
            mouse[name].value, mouse[name].low, mouse[name].high,
        )  # fmt: skip


def test_a_variant_of_the_default_is_the_default():
    ranges = culture_ranges([ALONE])
    (plain,) = solved(ALONE, wanted=("IL2@medium", "cells"))
    (again,) = solved(ALONE, wanted=("IL2@medium", "cells"), variants={r.name: np.full(2, r.value) for r in ranges})
    for name in plain.values:
        assert again[name].shape[0] == 2 and close(again[name], plain[name], 1e-9, 1e-12)


# Errors

WRONG = {
    "no cells": (lambda: Well(cells=()), "Well: the well holds no cells"),
    "negative number": (lambda: Well(cells=(Cells("Th", -1.0),)), "Well: number of Th is -1.0"),
    "number that is none": (lambda: Well(cells=(Cells("Th", math.nan),)), "Well: number of Th is nan"),
    "unknown cell": (lambda: Well(cells=(Cells("Tregg", 1.0),)), "Tregg"),
    "unknown cell with a name": (lambda: Well(cells=(Cells("Tregg", 1.0, "mine"),)), "Tregg"),
    "two of one name": (lambda: Well(cells=(Cells("Th", 1.0), Cells("Th", 2.0))), "two cohorts are named 'Th'"),
    "name with the separator": (lambda: Well(cells=(Cells("Th", 1.0, "a:b"),)), "'a:b' is no name of a cohort"),
    "unknown addition": (lambda: replace(ALONE, additions=(Addition("IL-22", 1.0),)), "unknown addition 'IL-22'"),
    "negative dose": (lambda: replace(ALONE, additions=(Addition("IL2", -1.0),)), "dose_nM of IL2 is -1.0"),
    "time before the start": (lambda: replace(ALONE, additions=(Addition("IL2", 1.0, -1.0),)), "time_h of IL2 is -1.0"),
    "no change": (lambda: replace(ALONE, medium_changes=(Change(1.0, 0.0),)), "medium change: fraction is 0.0"),
    "unknown in fresh medium": (
        lambda: replace(ALONE, medium_changes=(Change(1.0, 1.0, {"IL22": 1.0}),)), "no cytokine 'IL22'",
    ),
    "negative in fresh medium": (
        lambda: replace(ALONE, medium_changes=(Change(1.0, 1.0, {"IL2": -1.0}),)), "fresh_nM of IL2 is -1.0",
    ),
    "costimulation": (lambda: replace(ALONE, costimulation=2.0), "costimulation is 2.0"),
    "costimulation that is none": (lambda: replace(ALONE, costimulation=math.nan), "costimulation is nan"),
    "volume": (lambda: replace(ALONE, volume_uL=0.0), "volume_uL is 0.0"),
    "presenting cells": (lambda: replace(ALONE, presenting_cells=math.inf), "presenting_cells is inf"),
    "antigen": (lambda: replace(ALONE, antigen=(Antigen(-1.0),)), "antigen is -1.0"),
    "unknown knock-out": (
        lambda: replace(ALONE, cells=(Cells("Th", 1.0, without=("IL2RX",)),)), "no knock-out of 'IL2RX'",
    ),
    "unknown species": (lambda: replace(ALONE, species="rat"), "unknown species 'rat'"),
    "change that is none": (lambda: replace(ALONE, changes={"TCR_signal_time": math.nan}), "TCR_signal_time is nan"),
    "unknown change": (lambda: solved(replace(ALONE, changes={"TCR_signal_tim": 1.0})), "no number 'TCR_signal_tim'"),
    "unknown change of a cohort": (
        lambda: solved(replace(ALONE, cells=(Cells("Th", 1.0, changes={"PTENN": 1.0}),))), "Th: no number 'PTENN'",
    ),
    "variant that is not given": (
        lambda: solved(replace(ALONE, cells=(replace(PAIR[0], changes={"PTEN": "mine"}),))), "no variant 'mine'",
    ),
    "variants of two sizes": (
        lambda: solved(ALONE, variants={"TCR_affinity": np.ones(2), "antigen_loss": np.ones(3)}), "variants of [2, 3]",
    ),
    "unknown readout": (lambda: solved(ALONE, wanted=("IL2@mediun",)), "no readout 'IL2@mediun'"),
    "readout that was not asked for": (lambda: solved(ALONE)[0]["Th:cells"], "no readout 'Th:cells'"),
    "falling times": (lambda: solved(ALONE, times=np.array([2.0, 1.0])), "rising"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_no_well_can_be_is_one_clear_message(wrong):
    make, says = WRONG[wrong]
    with pytest.raises(Il2Error) as caught:
        make()
    assert says in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.how or caught.value.why or wrong == "falling times"


# The guide


def test_the_example_of_the_guide_shows_what_it_says(capsys):
    guide = (Path(__file__).parents[1] / "docs" / "gene_to_cell.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    exec(compile(example, "gene_to_cell.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    secreted = [float(re.search(r"([\d.]+)\s*\], cells", line)[1]) for line in lines]
    assert [line[:17].strip() for line in lines] == ["antigen and CD28", "antigen alone", "JAK inhibitor"]
    assert secreted[1] < secreted[0] < secreted[2]  # CD28 helps, and without pSTAT5 there is no brake


def test_the_guide_names_quantities_that_exist():
    guide = (Path(__file__).parents[1] / "docs" / "gene_to_cell.md").read_text("utf-8")
    named_there = {n for n in re.findall(r"`([A-Za-z0-9_]+)`", guide) if "_" in n}
    network = network_of(setup(ALONE))
    known = {*quantities(), *cohort(receptors(("IL2",))).network.parameter_names, *network.species_names}
    known |= {o.name for o in network.observables} | {"TCR_signal"}
    assert named_there <= known, named_there - known
