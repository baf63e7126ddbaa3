"""Persons without a gene: the table of lymphocytes, graded loss, and the mitogen response of cells without IL-2."""

import numpy as np
import pytest

from il2.cell.simulate import simulate
from il2.cell.treg import KNOCKOUTS as TREG_KNOCKOUTS
from il2.cell.treg import TREG
from il2.cell.treg_course import Turn, follow
from il2.cell.well import KNOCKOUTS
from il2.errors import Il2Error
from il2.experiments import e40_IL2_deficiency
from il2.experiments.experiment import experiment, perform
from il2.experiments.sample import draw
from il2.knowledge.cell import cell
from il2.knowledge.quantity import quantity
from il2.network.dimensions import check_units
from il2.patient.deficiency import (
    DOSES,
    FELT,
    FUNCTION,
    GENES,
    NUMBERS,
    B,
    SETTLED_d,
    T,
    balance,
    lost,
    numbers,
    ranges,
    signal_name,
    signals,
)
from il2.patient.mitogen import division_rates, mitogen_well, pulse
from il2.receptor.head import head
from il2.receptor.model import dose, system
from il2.receptor.trafficking import count

GONE, KEPT = 0.05, 0.5
TABLE = {
    "IL2": {T: 1, "NK": 1, B: 1},
    "IL2RA": {T: 1, "NK": 1, B: 1},
    "IL2RB": {T: 1, "NK": 0, B: 1, TREG: 0},
    "IL2RG": {T: 0, "NK": 0, B: 1, TREG: 0},
    "JAK3": {T: 0, "NK": 0, B: 1, TREG: 0},
    "IL7R": {T: 0, "NK": 1, B: 1},
}


@pytest.fixture(scope="module")
def people() -> dict[str, dict[str, np.ndarray]]:
    return numbers({gene: lost(gene) for gene in GENES} | {"none": {}})


def test_units() -> None:
    check_units(balance())


def test_a_person_with_every_gene_is_normal(people) -> None:
    for name in NUMBERS:
        assert people["none"][name][0] == pytest.approx(1.0, rel=1e-3), name


@pytest.mark.parametrize("gene", GENES)
def test_lymphocytes_by_gene(people, gene: str) -> None:
    """The phenotypes of the textbook; that without IL2RB NK cells are lost is what this model says of them."""
    for name, there in TABLE[gene].items():
        left = people[gene][name][0]
        assert left >= KEPT if there else left <= GONE, (gene, name, left)


def test_loss_of_treg_falls_in_the_order_il2rb_il2_il2ra(people) -> None:
    left = [people[gene][TREG][0] for gene in ("IL2RB", "IL2", "IL2RA")]
    assert left[0] < left[1] < left[2] < 1
    assert people["IL2RA"][FUNCTION][0] < people["IL2RA"][TREG][0]


def test_treg_are_those_of_the_long_term_balance(people) -> None:
    found = follow({g: (Turn(TREG_KNOCKOUTS[g]),) for g in ("IL2", "IL2RA")}, np.array([0.0, SETTLED_d]), (TREG,))
    for gene in ("IL2", "IL2RA"):
        assert people[gene][TREG][0] == pytest.approx(found[gene][TREG][0, -1] * people[gene][T][0], rel=1e-4)


def test_a_lost_gene_is_the_knock_out_of_a_culture() -> None:
    """Signals from the response network with what `well.KNOCKOUTS` sets, by a call of its own."""
    for gene in ("IL2RG", "IL2RB", "IL7R", "JAK3"):
        here = signals({"": lost(gene)})[""]
        for kind, felt in FELT.items():
            for cytokine in felt:
                of = system(cytokine)
                given = {count(c): cell(kind).counts[c].value for c in of.chains} | KNOCKOUTS[gene]
                own = {n: v for n, v in given.items() if n in {count(c) for c in of.chains} | {"JAK3"}}
                held = quantity(DOSES[cytokine]).value / quantity("pM_per_nM").value
                day = np.array([quantity("minutes_per_day").value])
                expected = simulate(of, own | {dose(cytokine): np.array([held])}, day).pstat5[0, 0]
                assert here[signal_name(kind, cytokine)][0] == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_only_cells_that_bear_the_chain_lose_their_signal() -> None:
    found = signals({"": {}, **{gene: lost(gene) for gene in GENES}})
    for gene in GENES:
        for kind, felt in FELT.items():
            for cytokine in felt:
                name = signal_name(kind, cytokine)
                touched = gene in (*head(cytokine).chains, cytokine, "JAK3")
                assert (found[gene][name][0] < found[""][name][0]) == touched, (gene, name)


def test_less_of_il2rg_leaves_fewer_cells() -> None:
    shares = (0.0, 0.01, 0.1, 0.5, 1.0)
    found = numbers({f"{s:g}": {"IL2RG": s} for s in shares})
    for name in (T, "NK", TREG, FUNCTION):
        left = np.array([found[f"{s:g}"][name][0] for s in shares])
        assert (np.diff(left) > -1e-6).all(), name
    assert all(f[B][0] == pytest.approx(1.0) for f in found.values())


def test_without_need_of_cytokines_t_and_nk_stay() -> None:
    found = numbers(
        {"IL2RG": lost("IL2RG")},
        {"lymphocyte_output_without_cytokine": np.ones(1), "survival_by_cytokine_signal": np.full(1, 1e-9)},
    )["IL2RG"]
    assert found[T][0] == pytest.approx(1.0) and found["NK"][0] == pytest.approx(1.0)


def test_what_is_left_without_a_signal_is_output_times_shorter_life(people) -> None:
    output = quantity("lymphocyte_output_without_cytokine").value
    expected = output * (1 - quantity("survival_by_cytokine_signal").value)
    assert people["IL2RG"][T][0] == pytest.approx(expected, rel=1e-6)


def test_draws_are_lanes_of_their_own() -> None:
    sample = draw(ranges(), 4, 0, probe=False)
    together = numbers({"IL2RG": lost("IL2RG"), "IL2": lost("IL2")}, sample.values)
    alone = numbers({"IL2": lost("IL2")}, {n: v[3:4] for n, v in sample.values.items()})
    assert together["IL2"][T].shape == (5,)
    for name in NUMBERS:
        assert together["IL2"][name][3] == pytest.approx(alone["IL2"][name][0], rel=1e-5), name


def test_a_share_may_differ_between_variants() -> None:
    found = numbers({"some": {"IL2RG": np.array([0.0, 1.0])}}, {"NK_turnover": np.full(1, 0.1)})["some"]
    assert found["NK"][0] <= GONE and found["NK"][1] == pytest.approx(1.0)


def test_an_unknown_gene_is_an_error_with_a_hint() -> None:
    with pytest.raises(Il2Error, match="IL2RX") as caught:
        numbers({"x": lost("IL2RX")})
    assert "IL2R" in caught.value.how


def test_cells_without_il2_answer_a_mitogen_less_and_il2_mends_it() -> None:
    times = np.array([0.0, 24, 48, 56, 64, 72])
    wells = {
        "normal": mitogen_well("Th", 1e5, 1e9),
        "without": mitogen_well("Th", 1e5, 1e9, without=("IL2",)),
        "given": mitogen_well("Th", 1e5, 1e9, without=("IL2",), IL2_nM=1.0),
        "rest": mitogen_well("Th", 1e5, 0.0),
    }
    rates = division_rates(wells, times)
    found = {name: float(pulse(rate, times, 56.0)[0]) for name, rate in rates.items()}
    assert found["rest"] < 0.01 * found["without"] and found["without"] < 0.5 * found["normal"] <= found["given"]


def test_pulse_counts_from_its_start() -> None:
    times = np.array([0.0, 10, 20, 30])
    assert pulse(np.array([[9.0, 9.0, 2.0, 4.0]]), times, 20.0) == pytest.approx(30.0)


def test_e40_says_what_it_misses() -> None:
    """T cells are there and IL-2 restores the response; without it more is left than the claim allows."""
    found = perform(experiment("E40"), draws=2)
    values = {m.name: m for m in found.measurements}
    assert values["T_without_IL2"].holds and values["NK_without_IL2"].holds and values["proliferation_restored"].holds
    response = values["proliferation_without_IL2"]
    assert response.holds == (response.value <= 0.1) and response.value < 0.5
    assert response.ablated == pytest.approx(1.0, abs=0.05)
    assert values["T_without_IL2"].name in e40_IL2_deficiency.TESTED
