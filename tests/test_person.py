"""Persons, the cells of their bodies, and how people differ."""

import math

import numpy as np
import pytest

from il2.errors import Il2Error
from il2.knowledge.body import body_cell, body_cells
from il2.knowledge.cell import CHAINS, cells
from il2.knowledge.parameters import generator
from il2.knowledge.person import HEALTHY, SIZE, person, persons, read_persons
from il2.knowledge.quantity import GRADES, quantities, quantity
from il2.knowledge.table import listed, rows
from il2.knowledge.variation import TABLE, correlation_matrix, variation
from il2.units import parse_unit

CELLS = ("Treg", "Th", "CD8", "NK", "NK_CD56bright", "B", "ILC2")
GENES = ("IL2", "IL2RA", "IL2RB", "IL2RG", "IL7R", "JAK3")
NAMED = (
    "healthy", "cGVHD", "HSCT_prophylaxis", "T1D", "SLE", "HCV_vasculitis", "renal_cell_carcinoma", "melanoma",
    "kidney_graft", "liver_graft", "HIV_ESPRIT", "HIV_SILCAAT", "asthma", "MS", "AD", "PD", "ALS", "mouse",
    *(f"{gene}_null" for gene in GENES),
)  # fmt: skip
SOURCES = {row["id"]: row for row in rows("sources")}


def test_every_cell_of_the_patient_has_a_number_in_blood_and_body():
    assert tuple(body_cells()) == (*CELLS, "eosinophil")
    for c in body_cells().values():
        assert 0 < c.blood.low <= c.blood.value <= c.blood.high, c.name
        assert 0 < c.low <= c.body <= c.high, c.name
        assert c.body > c.blood.value * 5e6, f"{c.name}: more in 5 L of blood than in the body"
        assert c.grade in GRADES and set(c.sources) <= SOURCES.keys() and c.note


def test_cells_of_blood_are_counted_once():
    """CD4 T cells are Treg and Th, NK are dim and bright."""
    blood = {name: c.blood.value for name, c in body_cells().items()}
    assert blood["Treg"] + blood["Th"] == pytest.approx(quantity("blood_CD4_count").value)
    assert blood["NK"] + blood["NK_CD56bright"] == pytest.approx(quantity("blood_NK_count").value)


def test_the_rival_number_comes_from_blood_and_lies_in_the_range():
    found = {name: c.by_blood / c.body for name, c in body_cells().items() if c.by_blood is not None}
    assert set(found) == set(CELLS)
    # worked by hand: 50 cell/uL * 5e6 uL / 0.02 = 1.25e10
    assert body_cell("Treg").by_blood == pytest.approx(1.25e10)
    stated = {"Treg": 0.84, "Th": 0.82, "CD8": 0.74, "NK": 2.8, "NK_CD56bright": 2.8, "B": 0.2}
    assert {name: found[name] for name in stated} == pytest.approx(stated, rel=0.03)
    for name in CELLS:
        c = body_cell(name)
        assert c.low <= c.by_blood <= c.high, name


def test_the_split_of_T_cells_and_NK_is_that_of_mononuclear_cells():
    body = {name: c.body for name, c in body_cells().items()}
    assert body["Treg"] / (body["Treg"] + body["Th"]) == pytest.approx(2507 / 41001, rel=0.01)
    assert body["CD8"] / (body["Treg"] + body["Th"]) == pytest.approx(25469 / 41001, rel=0.01)
    assert body["NK_CD56bright"] / (body["NK"] + body["NK_CD56bright"]) == pytest.approx(943 / 18664, rel=0.01)
    # the share of Treg in blood by counts agrees with that by sequencing
    blood = {name: c.blood.value for name, c in body_cells().items()}
    assert blood["Treg"] / (blood["Treg"] + blood["Th"]) == pytest.approx(2507 / 41001, rel=0.1)


def test_an_unknown_cell_of_the_body_is_refused():
    with pytest.raises(Il2Error, match="Did you mean 'Treg'") as caught:
        body_cell("Tregs")
    assert "no number of 'Tregs'" in str(caught.value)


def test_the_persons_are_there_and_complete():
    assert set(persons()) == set(NAMED) and next(iter(persons())) == HEALTHY
    wanted = {*SIZE, *(f"{c}_per_uL" for c in body_cells()), *(f"{g}_gene" for g in GENES)}
    for one in persons().values():
        assert set(one.values) == wanted, one.name
        for item in one.values.values():
            assert item.low is not None and item.low <= item.value <= item.high, (one.name, item.name)
            parse_unit(item.unit)
            assert item.grade in GRADES and item.sources and set(item.sources) <= SOURCES.keys() and item.note


def test_a_row_differs_from_health():
    healthy = persons()[HEALTHY]
    for name, one in persons().items():
        for item in one.differs:
            assert item.person == name and item.value != healthy[item.name].value, (name, item.name)
        assert name == HEALTHY or one.differs


def test_what_was_not_read_is_assumed():
    for item in (v for one in persons().values() for v in one.differs):
        read = [s for s in item.sources if SOURCES[s]["retrieved"] != "no"]
        assert item.grade == "assumed" or read, (item.person, item.name)


def test_sizes_are_those_of_people():
    """Body mass index and surface area (Mosteller), the latter that of the default set in health."""
    for one in persons().values():
        weight, height = one["weight_kg"].value, one["height_cm"].value
        assert one.species == "mouse" or 18 < weight / (height / 100) ** 2 < 30, one.name
    healthy = persons()[HEALTHY]
    surface = math.sqrt(healthy["weight_kg"].value * healthy["height_cm"].value / 3600)
    assert surface == pytest.approx(quantity("adult_body_surface_area").value, rel=0.02)


def test_patients_differ_from_health_as_their_trials_need():
    count = {name: one.counts for name, one in persons().items()}
    assert 5 <= count["cGVHD"]["Treg"] <= 15
    assert sum(count["cGVHD"].values()) < 0.5 * sum(count[HEALTHY].values())
    few = count["HSCT_prophylaxis"]
    assert few["Treg"] / (few["Treg"] + few["Th"]) == pytest.approx(0.048, rel=0.01)  # kennedy_nasser2014
    first, second = (count[name]["Treg"] + count[name]["Th"] for name in ("HIV_ESPRIT", "HIV_SILCAAT"))
    assert first > 300 > second > 50
    assert count["asthma"]["eosinophil"] > 2 * count[HEALTHY]["eosinophil"]
    assert persons()["kidney_graft"]["eGFR"].value < persons()[HEALTHY]["eGFR"].value / 2


@pytest.mark.parametrize("gene", GENES)
def test_a_lost_gene_is_the_only_difference(gene):
    """Counts are not entered: what the loss does to cells is for the model to find."""
    one = person(f"{gene}_null")
    assert one.lost_genes == (gene,) and [item.name for item in one.differs] == [f"{gene}_gene"]
    assert persons()[HEALTHY].lost_genes == ()


def test_the_body_follows_the_blood_of_the_person():
    assert persons()[HEALTHY].body_cells("Treg") == body_cell("Treg").body
    share = person("cGVHD").counts["Treg"] / person(HEALTHY).counts["Treg"]
    assert person("cGVHD").body_cells("Treg") == pytest.approx(share * body_cell("Treg").body)


def test_a_user_may_give_other_values():
    heavy = person("SLE").having(weight_kg=92.0, Treg_per_uL=12.0)
    assert heavy["weight_kg"].value == 92 and heavy.counts["Treg"] == 12 and heavy["weight_kg"].note == "as given"
    assert heavy["eGFR"] == person("SLE")["eGFR"] and person("SLE")["weight_kg"].value != 92


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"weight_kg": 0.0}, "SLE: weight_kg: 0 kg is impossible. Give a number above 0."),
        ({"eGFR": -5.0}, "SLE: eGFR: -5 mL/min is impossible. Give a number above 0."),
        ({"Treg_per_uL": -1.0}, "SLE: Treg_per_uL: -1 cell/uL is impossible. Give 0 or more."),
        ({"IL2_gene": 1.5}, "SLE: IL2_gene: 1.5 is more than the whole gene. Give a share from 0 to 1."),
        ({"B_per_uL": math.nan}, "SLE: B_per_uL: nan is not finite. Give a finite number."),
        ({"weigth_kg": 70.0}, "SLE: a person has no 'weigth_kg'. Did you mean 'weight_kg' or 'height_cm'?"),
    ],
)
def test_impossible_values_are_refused(values, what):
    with pytest.raises(Il2Error) as caught:
        person("SLE").having(**values)
    assert str(caught.value) == what


@pytest.mark.parametrize(("asked", "hint"), [("cgvhd", "'cGVHD'"), ("helthy", "'healthy'"), ("", "Known: AD, ALS")])
def test_an_unknown_person_is_refused_with_a_suggestion(asked, hint):
    with pytest.raises(Il2Error, match="unknown person") as caught:
        person(asked)
    assert hint in str(caught.value)


ROW = {
    "patient": "me", "name": "eGFR", "value": "60", "low": "", "high": "", "unit": "mL/min", "grade": "assumed",
    "sources": "assumed", "note": "x",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ([{"name": "eGRF"}], "patients.csv: me eGRF: a person has no 'eGRF'. Did you mean 'eGFR'?"),
        ([{"unit": "L/h"}], "patients.csv: me eGFR: the unit is 'L/h'. Give it in mL/min."),
        ([{"value": "-60"}], "patients.csv: me eGFR: -60 mL/min is impossible. Give a number above 0."),
        ([{}, {"value": "50"}], "patients.csv: me eGFR: the value stands here twice. Remove one."),
        ([{"value": "many"}], "patients.csv: me eGFR: is no number (could not convert string to float: 'many')"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(changes, what):
    with pytest.raises(Il2Error) as caught:
        read_persons((*rows("patients"), *(ROW | change for change in changes)))
    assert str(caught.value).startswith(what)


def test_every_parameter_varies_something_that_exists():
    found, table = variation(), rows("variation")
    assert found.names == tuple(row["parameter"] for row in table) and len(set(found.names)) == len(found.names)
    people = persons()[HEALTHY].values
    counts = {f"{cell} {chain}" for cell in cells() for chain in CHAINS}
    assert set(found.varies) <= {*people, *quantities(), *counts}
    assert {*SIZE, *(f"{c}_per_uL" for c in body_cells()), "V1", "CL", "F", "ka", "EC50", "IL2RA"} == set(found.names)
    for row, sd in zip(table, found.sd, strict=True):
        assert (
            quantity(row["variation"]).value == sd and 0 < sd < 1 and quantity(row["variation"]).unit == "dimensionless"
        )


def test_baselines_vary_as_wide_as_their_ranges():
    """95 % of healthy adults lie in the range of a count: ln(high/low) is 3.92 standard deviations."""
    sd = dict(zip(variation().names, variation().sd, strict=True))
    for name, c in body_cells().items():
        assert sd[f"{name}_per_uL"] == pytest.approx(math.log(c.blood.high / c.blood.low) / 3.92, abs=0.02), name


def test_correlations_are_those_of_the_table_and_come_out_of_draws():
    found = variation()
    stated = {frozenset((r["parameter"], r["other"])): float(r["correlation"]) for r in rows("correlations")}
    assert stated[frozenset(("V1", "CL"))] == 0.5 and stated[frozenset(("IL2RA", "Treg_per_uL"))] == 0.3
    z = generator(1, "people").standard_normal((40_000, len(found.names))) @ np.linalg.cholesky(found.correlation).T
    logs = z * found.sd
    assert np.std(logs, axis=0) == pytest.approx(found.sd, rel=0.03)
    drawn = np.corrcoef(logs, rowvar=False)
    for i, one in enumerate(found.names):
        for j, other in enumerate(found.names[:i]):
            assert drawn[i, j] == pytest.approx(stated.get(frozenset((one, other)), 0), abs=0.03), (one, other)


def test_correlations_have_ranges_and_sources():
    for row in rows("correlations"):
        assert -1 < float(row["low"]) <= float(row["correlation"]) <= float(row["high"]) < 1
        assert row["grade"] in GRADES and set(listed(row["sources"])) <= SOURCES.keys()


def test_the_table_is_shared_and_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        variation().sd[0] = 1


def test_a_part_keeps_its_correlations():
    part = variation().only(("Treg_per_uL", "CL", "V1"))
    assert part.correlation.tolist() == [[1, 0, 0], [0, 1, 0.5], [0, 0.5, 1]]
    assert part.varies == ("Treg_per_uL", "aldesleukin_clearance", "aldesleukin_central_volume")
    assert part.sd[1] == quantity("aldesleukin_clearance_variation").value
    with pytest.raises(Il2Error, match="'V2' does not vary"):
        variation().only(("V2",))


ABC = ("a", "b", "c")


@pytest.mark.parametrize(
    ("pairs", "what"),
    [
        ([("a", "b", 0.9), ("b", "c", 0.9), ("a", "c", -0.9)], f"{TABLE}: a and c: a correlation of -0.9 cannot be"),
        ([("a", "b", 1.0)], "correlations.csv: a and b: 1.0 is no correlation"),
        ([("a", "b", math.nan)], "correlations.csv: a and b: nan is no correlation"),
        ([("a", "a", 0.1)], "correlations.csv: a and a: a parameter is paired with itself"),
        ([("a", "b", 0.0), ("b", "a", 0.2)], "correlations.csv: b and a: the pair stands here twice"),
        ([("a", "d", 0.1)], "correlations.csv: a and d: 'd' does not vary between people"),
    ],
)  # fmt: skip
def test_what_is_no_correlation_matrix_is_refused_and_the_pair_named(pairs, what):
    with pytest.raises(Il2Error) as caught:
        correlation_matrix(ABC, pairs)
    assert str(caught.value).startswith(what)


def test_a_matrix_at_the_edge_is_kept():
    """Where two correlations of a triangle are r, the third must be above 2 r^2 - 1, here 0.28."""
    pairs = [("a", "b", 0.8), ("b", "c", 0.8)]
    assert correlation_matrix(ABC, [*pairs, ("a", "c", 0.29)])[0, 2] == 0.29
    for third in ([("a", "c", 0.27)], []):
        with pytest.raises(Il2Error, match="not positive definite"):
            correlation_matrix(ABC, [*pairs, *third])


def test_the_pair_named_is_one_of_those_at_odds():
    """Not the strongest, which harms nothing."""
    pairs = [("a", "b", 0.8), ("b", "c", 0.8), ("a", "c", -0.2), ("d", "e", 0.95), ("a", "d", 0.1)]
    with pytest.raises(Il2Error, match="not positive definite") as caught:
        correlation_matrix("abcde", pairs)
    assert caught.value.where in {f"{TABLE}: a and b", f"{TABLE}: b and c", f"{TABLE}: a and c"}
