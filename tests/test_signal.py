"""From engaged receptors to secreted IL-2: signals, promoters as rows, alleles and mRNA against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers import Model, examples
from hypothesis import given
from hypothesis import strategies as st

from il2.errors import Il2Error
from il2.gene import promoter, transcription
from il2.gene.promoter import CLOSES, OPENS, activity, remodelling, strength, strengths
from il2.gene.signal import (
    ABSENT,
    AMOUNTS,
    BOOST,
    COMPETENT,
    PRIMED,
    SIGNAL,
    VDR_DELAY,
    VDR_READY,
    WINDOW,
    signal,
    stability,
)
from il2.gene.transcription import methylation, mrna, off, on, secretion
from il2.knowledge.quantity import quantity
from il2.knowledge.table import rows
from il2.network.dimensions import check_units
from il2.network.expression import Expr, evaluate, num, sym, symbols
from il2.network.network import Network, Parameter, compose
from il2.network.part import known, with_quantities
from il2.network.program import lower

ROWS = tuple(
    {"gene": gene, "factor": factor, "effect": effect, "strength": str(value), "note": ""}
    for gene, factor, effect, value in (
        ("G", "A", "needs", 0.2), ("G", "B", "boosts", 4), ("G", "C", "represses", 3), ("G", "D", "drives", 0.5),
        ("G", "A", OPENS, 2), ("G", "C", CLOSES, 0.25), ("H", "A", "needs", 0.1), ("H", "B", "needs", 0.5),
        ("K", "A", "drives", 1),
    )
)  # fmt: skip
INPUTS = ("A", "B", "C", "D")
FACTORS = {name: sym(name) for name in INPUTS}
HAND = [  # factors A, B, C and D, and the activity of G: needs * boosts * represses + drives
    ((1, 1, 0, 0), 1.0),
    ((0, 1, 0, 0), 0.2),
    ((0.5, 1, 0, 0), 0.6),
    ((1, 0, 0, 0), 0.2),
    ((1, 0.5, 0, 0), 0.6),
    ((1, 1, 1, 0), 0.25),
    ((1, 1, 10, 0), 1 / 31),
    ((0, 0, 1, 0), 0.2 * 0.2 * 0.25),
    ((1, 1, 0, 1), 1.5),
    ((0, 0, 1, 1), 0.01 + 0.5),
    ((2, 1, 0, 0), 1.8),
]
SIGNAL_INPUTS = {
    "engaged": "molecule/cell", "help": "dimensionless", "pSTAT5": "dimensionless", "blimp": "dimensionless",
}  # fmt: skip
LONG_MIN = 1e6


def value(name: str) -> float:
    return quantity(name).value


def half(x: float, level: float, steep: float = 1.0) -> float:
    return x**steep / (x**steep + level**steep)


def numbers(expr: Expr, **given_: float) -> float:
    """An expression at given values, quantities at their own."""
    table = {name: value(name) for name in symbols(expr) - given_.keys()}
    return float(evaluate(expr, table | given_))


def model(*parts: Network, units: dict[str, str] | None = None) -> Model:
    """Parts with what they take from elsewhere as parameters."""
    inlets = Network("inlets", parameters=tuple(Parameter(n, 0.0, u) for n, u in (units or {}).items()))
    network = with_quantities(compose("test", inlets, *parts))
    return Model(network, lower(network))


@pytest.fixture
def own_rows(monkeypatch):
    monkeypatch.setattr(promoter, "rows", lambda table: {"promoters": ROWS}[table])


# Promoters


@pytest.mark.parametrize(("levels", "expected"), HAND)
def test_the_activity_of_a_promoter_is_that_of_a_computation_by_hand(own_rows, levels, expected):
    told = {p.name: p.value for p in strengths("G")}
    found = numbers(activity("G", FACTORS), **told, **dict(zip(INPUTS, levels, strict=True)))
    assert found == pytest.approx(expected, rel=1e-12)


def test_what_opens_and_what_closes_the_DNA_adds_up_by_its_own_rows(own_rows):
    told = {p.name: p.value for p in strengths("G")}
    at = told | {"A": 0.5, "C": 3.0}
    assert evaluate(remodelling("G", FACTORS, OPENS), at) == pytest.approx(1.0)
    assert evaluate(remodelling("G", FACTORS, CLOSES), at) == pytest.approx(0.75)
    assert evaluate(remodelling("H", FACTORS, OPENS), at) == 0.0


def test_a_gene_reads_its_own_rows_alone(own_rows):
    assert promoter.genes() == ("G", "H", "K")
    told = {p.name: p.value for p in strengths("H")}
    assert set(told) == {"promoter_H_A", "promoter_H_B"}
    assert numbers(activity("H", FACTORS), **told, A=0.0, B=0.0) == pytest.approx(0.05)
    assert numbers(activity("K", FACTORS), promoter_K_A=1.0, A=0.3) == pytest.approx(0.3)


def test_a_promoter_of_drives_alone_is_silent_without_them(own_rows):
    assert numbers(activity("K", FACTORS), promoter_K_A=1.0, A=0.0) == 0.0


def test_rows_that_cannot_be_read_are_refused(monkeypatch, own_rows):
    with pytest.raises(Il2Error, match="no promoter of 'J'"):
        activity("J", FACTORS)
    with pytest.raises(Il2Error, match="no factor 'B'"):
        activity("G", {"A": sym("A")})
    monkeypatch.setattr(promoter, "rows", lambda table: ({**ROWS[0], "effect": "helps"},))
    with pytest.raises(Il2Error, match="no effect 'helps'"):
        activity("G", FACTORS)


def test_strengths_of_the_table_have_names_of_their_own():
    names = [strength(r["gene"], r["factor"], r["effect"]) for r in rows("promoters")]
    assert len(set(names)) == len(names)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.sampled_from(["A", "B"]))
@examples(40)
def test_activity_lies_between_nothing_and_one_and_rises_with_what_helps(levels, helped):
    told = {strength(r["gene"], r["factor"], r["effect"]): float(r["strength"]) for r in ROWS}
    at = dict(zip("ABC", levels, strict=True)) | {"D": 0.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promoter, "rows", lambda table: ROWS)
        expr = activity("G", FACTORS)
    found, more = (evaluate(expr, told | at | {helped: x}) for x in (at[helped], 1.0))
    assert 0 < found <= more <= 1 + 1e-12
    assert evaluate(expr, told | at | {"C": 1.0}) <= found


# Signals


@pytest.fixture(scope="module")
def signals():
    of = signal(*(sym(name) for name in SIGNAL_INPUTS))
    return of, model(of.network, units={**SIGNAL_INPUTS, "contact_time": "h"})


def at_rest(signals, hours: float = LONG_MIN / 60, **inputs: float) -> dict[str, float]:
    """States after a long time at constant inputs, and the factors that promoters read."""
    of, m = signals
    given_ = m.network.with_values(inputs).defaults()
    y = m.solve([inputs], [hours * 60]).y[0, 0]
    states = dict(zip(m.program.states, y, strict=True))
    return states | {name: numbers(e, **{**given_, **states}) for name, e in of.factors.items()}


def test_units_of_signals_genes_and_secretion_agree(signals):
    check_units(signals[1].network)
    of = signals[0]
    longer = {g: stability(g, sym("help"), sym("pSTAT5")) for g in ("IL2", "CSF2", "IL4", "IFNG", "IL10")}
    genes = [transcription.transcription(g, of.factors, x) for g, x in longer.items()]
    check_units(with_quantities(compose("all", signals[1].network, *genes, secretion())))


@pytest.mark.parametrize("engaged", [100.0, 1000.0, 1e4])
@pytest.mark.parametrize("pstat5", [0.0, 0.3])
def test_lasting_antigen_gives_the_factors_of_the_closed_form(signals, engaged, pstat5):
    found = at_rest(signals, engaged=engaged, help=0.4, pSTAT5=pstat5, contact_time=1.0)
    threshold, steep = value("NFAT_threshold"), value("NFAT_steepness")
    raised = threshold + value("pSTAT5_raised_threshold") * pstat5
    primed = engaged / (engaged + value("TCR_detection_limit"))
    kappa = half(engaged, value("NFkB_half_activation"))  # of a primed cell, as all that is not digital
    expected = {
        SIGNAL: engaged, PRIMED: primed, WINDOW: 0.0, BOOST: 1.0,
        "NFATC2": primed * half(engaged, threshold, steep),
        "JUNB": half(engaged, value("AP1_half_activation")),
        "NFKB1": kappa,
        "REL": kappa * (value("NFkB_without_CD28") + (1 - value("NFkB_without_CD28")) * 0.4),
        "RE_AP": 0.4, "primed": primed, "STAT5": half(pstat5, value("STAT5_output_half")), "VDR": 0.0, "FOXP3": 0.0,
        "competence": value("IL2_producer_share_highest"),
    }  # fmt: skip
    for name, one in expected.items():
        assert found[name] == pytest.approx(one, rel=1e-6, abs=1e-6), name
    both = found["NFATC2"] * found["STAT5_feedback"]  # IL-2 raises the threshold of its own gene
    assert both == pytest.approx(primed * half(engaged, raised, steep), rel=1e-6)
    assert found["STAT5_feedback"] == 1.0 if pstat5 == 0 else found["STAT5_feedback"] < 0.5


def test_a_cell_without_antigen_stays_as_it_is(signals):
    found = at_rest(signals, engaged=0.0, help=1.0, contact_time=1.0)
    assert all(found[name] == 0 for name in (SIGNAL, PRIMED, "NFATC2", "JUNB", "NFKB1", "REL", "always"))
    assert found[WINDOW] == 1.0


def test_cells_meet_antigen_one_by_one_and_signals_follow_with_their_own_time(signals):
    engaged, contact, hours = 1e5, 6.0, 3.0
    found = at_rest(signals, hours, engaged=engaged, contact_time=contact)
    present = engaged / (engaged + value("TCR_detection_limit"))
    assert found[PRIMED] == pytest.approx(present * (1 - math.exp(-present * hours / contact)), rel=1e-6)
    lag = value("TCR_signal_time")
    assert quantity("TCR_signal_time").unit == "min"
    assert found[SIGNAL] == pytest.approx(engaged * (1 - math.exp(-hours * 60 / lag)), rel=1e-6)


def test_ciclosporin_at_its_IC50_halves_what_NFAT_reads_and_nothing_else(signals):
    drug = {"ciclosporin_dose": value("ciclosporin_IC50")}
    whole, treated = (at_rest(signals, engaged=2000.0, contact_time=1.0, **d) for d in ({}, drug))
    n, k = value("NFAT_steepness"), value("NFAT_threshold")
    assert treated["NFATC2"] / whole["NFATC2"] == pytest.approx(half(1000, k, n) / half(2000, k, n), rel=1e-6)
    assert all(treated[name] == pytest.approx(whole[name]) for name in ("JUNB", "NFKB1", "REL", PRIMED, SIGNAL))


def test_calcitriol_acts_on_cells_that_antigen_gave_the_receptor(signals):
    dose = {"calcitriol_dose": value("calcitriol_half_repression")}
    with_antigen, without = (at_rest(signals, engaged=e, contact_time=1.0, **dose) for e in (1e6, 0.0))
    assert with_antigen["VDR"] == pytest.approx(0.5, rel=1e-3) and without["VDR"] == 0.0


def test_calcitriol_acts_once_most_of_its_receptor_is_there(signals):
    """The receptor comes up as 1 - exp(-t/T); what it does on promoters is its fourth power, so that it lags."""
    inputs = {"engaged": 1e6, "contact_time": 0.001, "calcitriol_dose": 1e6}
    time = value("VDR_induction_time")
    early, late = (at_rest(signals, hours, **inputs) for hours in (time / 3, 3 * time))
    for found, hours in ((early, time / 3), (late, 3 * time)):
        assert found[VDR_READY] == pytest.approx(1 - math.exp(-hours / time), rel=1e-3)
        assert found["VDR"] == pytest.approx(found[VDR_READY] ** 4, rel=1e-3)
    assert early["VDR"] < 0.05 * early[VDR_READY] and late["VDR"] > 0.8


READ_AS = {COMPETENT: "competence"}
POWER = {"VDR": VDR_DELAY}


@pytest.mark.parametrize("name", [n for n in AMOUNTS if n not in {"CD28RE", "MAP3K1"}])
def test_a_factor_that_a_cell_lacks_is_none_and_twice_as_much_is_twice(signals, name):
    inputs = {"engaged": 5000.0, "help": 1.0, "contact_time": 1.0, "calcitriol_dose": 10.0}
    factor = READ_AS.get(name, name)
    none, one, two = (at_rest(signals, **inputs, **{name: amount})[factor] for amount in (0.0, 1.0, 2.0))
    assert none == 0.0 < one and two == pytest.approx(2 ** POWER.get(name, 1) * one, rel=1e-6)


def test_a_cell_is_able_to_make_IL2_or_not_and_a_share_of_many_is():
    for single, expected in ((True, 1.0), (False, value("IL2_producer_share_highest"))):
        factors = signal(*(sym(name) for name in SIGNAL_INPUTS), single=single).factors
        assert numbers(factors["competence"], **{COMPETENT: 1.0}) == expected
    assert value("IL2_producer_share_highest") < 1


def test_the_answer_of_one_cell_is_sharp_and_that_of_many_is_not():
    threshold = value("NFAT_threshold")

    def nfat(x: float, single: bool) -> float:
        of = signal(*(sym(name) for name in SIGNAL_INPUTS), single=single)
        return numbers(of.factors["NFATC2"], TCR_signal=x, primed=1.0, pSTAT5=0.0, ciclosporin_dose=0.0, NFATC2=1.0)

    for single, least in ((True, 0.99), (False, 0.0)):
        low, middle, high = (nfat(f * threshold, single) for f in (0.5, 1.0, 2.0))
        assert middle == pytest.approx(0.5) and high > least and low == pytest.approx(1 - high)
    assert nfat(2 * threshold, True) > nfat(2 * threshold, False) + 0.05


@given(st.floats(0, 1e6), st.floats(0, 1e6), *(st.floats(0, 1) for _ in range(7)), st.floats(0, 1e5), st.floats(0, 1e5))
@examples(60)
def test_factors_of_a_normal_cell_lie_between_none_and_one(x, engaged, primed, help_, pstat5, blimp, rel, vdr, _, c, d):
    of = signal(*(sym(name) for name in SIGNAL_INPUTS))
    at = {
        SIGNAL: x, PRIMED: primed, "engaged": engaged, "help": help_, "pSTAT5": pstat5, "blimp": blimp,
        "REL@nucleus": rel, "VDR_activity": vdr, "ciclosporin_dose": c, "calcitriol_dose": d,
        **dict.fromkeys(ABSENT, 0.0), **dict.fromkeys(AMOUNTS, 1.0),
    }  # fmt: skip
    for name, expr in of.factors.items():
        assert -1e-12 <= numbers(expr, **at) <= 1 + 1e-12, name


@pytest.mark.parametrize("gene", ["IL2", "CSF2"])
def test_CD28_makes_mRNA_last_for_a_while_and_pSTAT5_shortens_the_life_of_that_of_IL2(gene):
    def longer(help_: float, pstat5: float, window: float, x: float = 0.0) -> float:
        return numbers(stability(gene, num(help_), num(pstat5)), CD28_window=window, TCR_signal=x)

    assert longer(0, 0, 1) == longer(1, 0, 0) == 1.0
    assert longer(1, 0, 1) == pytest.approx(value("CD28_mRNA_stabilisation"))
    shorter = 1 / value("pSTAT5_effect_on_mRNA_decay") if gene == "IL2" else 1.0
    assert longer(0, 1e9, 1) == pytest.approx(shorter, rel=1e-6)
    assert longer(1, 1e9, 1) == pytest.approx(shorter * longer(1, 0, 1), rel=1e-6)
    assert longer(0, 1e9, 1, x=1e12) == pytest.approx(1.0)  # not while the T cell receptor signals
    assert longer(1, 0, 0.5) == pytest.approx((1 + longer(1, 0, 1)) / 2)


# Alleles, mRNA, secretion


def gene(closed: float = 0.0, alleles: float = 2.0, longer: float = 1.0, **levels: float):
    """The gene G with its factors held, its network and its values."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promoter, "rows", lambda table: ROWS)
        part = transcription.transcription("G", FACTORS, sym("longer"))
    m = model(part, units={**dict.fromkeys((*INPUTS, "longer"), "dimensionless")})
    values = {"G_methylation_at_start": closed, "G_alleles": alleles, "longer": longer} | levels
    return m, values, dict(zip(m.program.states, np.zeros(4), strict=True))


@pytest.mark.parametrize("a", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("longer", [1.0, 4.0])
def test_open_alleles_and_mRNA_at_rest_are_those_of_two_states(a, longer):
    """Without methylation: kon / (kon + koff) of two alleles, and the mRNA that its synthesis and decay leave."""
    m, values, _ = gene(A=a, B=1.0, longer=longer)
    (y,) = m.solve([values], [LONG_MIN]).y[:, 0]
    opens, closes = value("IL2_promoter_on_rate") * (0.2 + 0.8 * a), value("IL2_promoter_off_rate")
    expected = 2 * opens / (opens + closes)
    assert m.state(y, on("G")) == pytest.approx(expected, rel=1e-6)
    assert m.state(y, on("G"), off("G")) == pytest.approx(2.0, rel=1e-9)
    made, lost = value("IL2_transcription_rate"), value("IL2_mRNA_decay") / longer
    assert m.state(y, mrna("G")) == pytest.approx(expected * made / lost, rel=1e-6)


@pytest.mark.parametrize("alleles", [0.0, 1.0, 2.0])
def test_mRNA_goes_with_the_number_of_working_alleles(alleles):
    m, values, _ = gene(A=1.0, B=1.0, alleles=alleles)
    one = m.solve([values | {"G_alleles": 1.0}], [LONG_MIN]).y[:, 0]
    found = m.solve([values], [LONG_MIN]).y[:, 0]
    assert m.state(found, mrna("G")) == pytest.approx(alleles * m.state(one, mrna("G")), rel=1e-9)


def test_methylation_halves_in_its_half_time_and_returns_where_something_closes():
    hours = value("IL2_demethylation_half_time")
    m, values, _ = gene(closed=1.0, A=0.5)
    y = m.solve([values], [hours * 60]).y[:, 0]
    assert m.state(y, methylation("G")) == pytest.approx(0.5, rel=1e-6)  # rate 2 * 0.5
    m, values, _ = gene(closed=0.0, A=0.5, C=4.0)
    y = m.solve([values], [LONG_MIN]).y[:, 0]
    assert m.state(y, methylation("G")) == pytest.approx(0.5, rel=1e-6)  # 0.25 * 4 against 2 * 0.5


def test_a_methylated_promoter_opens_at_its_share_of_the_rate():
    m, values, _ = gene(closed=1.0, A=0.0, B=1.0)
    y = m.solve([values], [LONG_MIN]).y[:, 0]
    opens = value("IL2_promoter_on_rate") * 0.2 * value("methylated_activity")
    assert m.state(y, on("G")) == pytest.approx(2 * opens / (opens + value("IL2_promoter_off_rate")), rel=1e-6)


@pytest.mark.parametrize("boost", [0.0, 0.5, 1.0])
def test_secretion_at_rest_is_what_is_translated_and_the_boost_leads_to_the_highest_rate(boost):
    part = secretion()
    m = model(part, units={mrna("IL2"): "molecule/cell", BOOST: "dimensionless"})
    opened = value("IL2_promoter_on_rate") / (value("IL2_promoter_on_rate") + value("IL2_promoter_off_rate"))
    driven = 2 * opened * value("IL2_transcription_rate") / value("IL2_mRNA_decay")
    values = {mrna("IL2"): value("IL2_mRNA_reference") * driven, BOOST: boost}
    y = m.solve([values], [LONG_MIN]).y
    slow, fast = value("IL2_secretion_rate"), value("IL2_secretion_rate_highest")
    found = m.observe(y, [values])["IL2_secretion"][0, 0]
    assert found * 60 == pytest.approx(slow + (fast - slow) * boost, rel=1e-6)
    assert known("IL2_secretion_rate").unit == "molecule/(cell*h)"
