"""Values of a species: only where evidence of it is known, in the units of what they replace."""

import pytest

from il2.errors import Il2Error
from il2.knowledge import species as module
from il2.knowledge.cell import CHAINS, cell, cells
from il2.knowledge.quantity import GRADES, quantity
from il2.knowledge.species import SPECIES, species_values
from il2.knowledge.table import aliases, listed, rows

ADDED = (
    "B", "B_activated", "monocyte", "macrophage", "glioma_IL2RA", "glioma_IL2R_negative", "CTLL2", "CD8_blast", "Th2",
    "LAK", "T_lymphoma",
)  # fmt: skip
WITHOUT_COUNTS = ("plasma_cell", "neuron", "astrocyte", "APC")
NEEDED = ("IL2RA", "IL2RB", "IL2RG")


def test_human_is_the_default_set_and_replaces_nothing():
    assert species_values("human") == {}


def test_every_row_is_of_a_known_species_with_a_source_that_is_read():
    read = {row["id"] for row in rows("sources") if row["retrieved"] != "no"}
    assert {row["species"] for row in rows("species")} <= set(SPECIES)
    for item in (v for name in SPECIES for v in species_values(name).values()):
        assert item.grade in GRADES and item.note
        assert item.grade == "assumed" or set(item.sources) & read, item.name
        assert item.low is not None and item.high is not None and 0 < item.low <= item.value <= item.high, item.name


def test_the_mouse_has_the_values_of_its_papers():
    mouse = species_values("mouse")
    assert mouse["STAT5_half_activation"].value == quantity("STAT5_half_activation_mouse_blast").value
    # tkach2014: IL2RB rises tenfold on activation
    assert mouse["T_blast IL2RB"].value == 10 * mouse["Th IL2RB"].value == 1e4
    # half-lives of 5 h and 75 min
    assert 0.693 / mouse["tissue_IL2R_turnover"].value == pytest.approx(5, rel=0.01)
    assert 0.693 / mouse["tissue_dissociation_rate"].value * 60 == pytest.approx(75, rel=0.02)


def test_a_species_is_not_another_copy_of_the_default_set():
    """What is shared has no row: a row differs from the default in value or in range."""
    for item in species_values("mouse").values():
        kind, _, chain = item.name.rpartition(" ")
        other = cell(kind).counts.get(chain) if chain in CHAINS else quantity(item.name)
        assert other is None or (other.value, other.low, other.high, other.sources) != (
            item.value, item.low, item.high, item.sources,
        )  # fmt: skip


@pytest.mark.parametrize(("asked", "hint"), [("mous", "'mouse'"), ("Human", "'human'"), ("", "Known: human, mouse")])
def test_an_unknown_species_is_refused_with_a_suggestion(asked, hint):
    with pytest.raises(Il2Error, match="unknown species") as caught:
        species_values(asked)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("name", "unit", "says"),
    [
        ("STAT5_half_activatoin", "molecule/cell", "'STAT5_half_activation'"),
        ("T_blast IL2RQ", "molecule/cell", "'T_blast IL2R"),
        ("T_blast IL2RB", "nM", "Give it in molecule/cell"),
        ("tissue_IL2R_turnover", "1/min", "Give it in 1/h"),
    ],
)
def test_a_row_that_replaces_nothing_is_refused(monkeypatch, name, unit, says):
    row = {**rows("species")[0], "species": "mouse", "name": name, "unit": unit}
    monkeypatch.setattr(module, "rows", lambda table: (row,))
    species_values.cache_clear()
    try:
        with pytest.raises(Il2Error) as caught:
            species_values("mouse")
    finally:
        species_values.cache_clear()
    assert says in str(caught.value) and "species.csv" in str(caught.value)


@pytest.mark.parametrize("name", ADDED)
def test_cells_of_a_culture_have_what_IL2_binds_and_say_that_it_is_assumed(name):
    counts = cell(name).counts
    assert set(NEEDED) <= set(counts) and not cell(name).in_default_run
    for chain, count in counts.items():
        assert count.grade == "assumed" and count.sources == ("assumed",)
        assert count.value == 0 or count.high / count.low >= 15.9, (name, chain)


def test_receptors_of_the_cells_of_a_culture_stand_in_the_order_that_is_known():
    alpha, beta = ({n: cell(n).counts[c].value for n in (*ADDED, "NK", "T_blast")} for c in ("IL2RA", "IL2RB"))
    assert alpha["B"] < alpha["B_activated"] < alpha["T_blast"] == alpha["CD8_blast"] == alpha["T_lymphoma"]
    assert alpha["NK"] < alpha["LAK"] and beta["LAK"] == pytest.approx(beta["NK"], rel=0.02)
    assert alpha["monocyte"] < beta["monocyte"] and alpha["macrophage"] < beta["macrophage"]
    assert alpha["glioma_IL2R_negative"] == 0 < alpha["glioma_IL2RA"] and alpha["CTLL2"] >= alpha["T_blast"]
    for chain, count in cell("Th2").counts.items():
        assert count.value == pytest.approx(cell("Th_mem").counts[chain].value, rel=0.02)


@pytest.mark.parametrize("name", WITHOUT_COUNTS)
def test_producers_and_presenters_have_no_counts(name):
    assert cell(name).counts == {}


def test_no_word_names_two_cells():
    for row in rows("cells"):
        for word in (row["name"], *listed(row["aliases"])):
            assert aliases("cells")[word.casefold()] == row["name"], word
    assert cell("PHA_blast") is cells()["T_blast"] and cell("CTLL-2").name == "CTLL2"
