"""The tables hold together: sources exist, units parse, values lie in their ranges, names are unique."""

import math
from itertools import product
from pathlib import Path

import pytest

from il2.experiments.experiment import experiments
from il2.knowledge.calibrated import calibrated
from il2.knowledge.cell import CHAINS, cell, cells, default_cells, quantified
from il2.knowledge.quantity import GRADES, quantities, quantity
from il2.knowledge.table import number, rows
from il2.receptor.addition import INHIBITOR, NEIGHBOUR_CHAIN
from il2.receptor.head import BLOCKED, cytokines, head
from il2.signalling.models import MODELS
from il2.units import parse_unit

CITING = ("quantities", "affinities", "assay_references", "heads", "molecules", "partners", "receptor_counts", "cells")
MEASURED = ("IL2RA", "IL2RB", "IL2RG", "IL15RA")  # on every default cell
KEYS = {
    "quantities": ("name",), "affinities": ("ligand", "product"), "heads": ("name",), "cells": ("name",),
    "molecules": ("name",), "partners": ("name",),
    "receptor_counts": ("cell", "receptor", "quantification"), "sources": ("id",), "targets": ("id",),
    "target_runs": ("id",),
    "claims": ("id",),
    "assay_references": ("assay", "format", "ligand", "interface", "reference"), "criteria": ("experiment", "name"),
    "data_use": ("measurements", "ligand", "cell"),
}  # fmt: skip


@pytest.mark.parametrize("table", KEYS)
def test_keys_are_unique(table):
    keys = [tuple(row[k] for k in KEYS[table]) for row in rows(table)]
    assert len(keys) == len(set(keys)) > 0


@pytest.mark.parametrize("table", CITING)
def test_every_row_has_a_known_source_and_grade(table):
    known = {row["id"] for row in rows("sources")}
    for row in rows(table):
        assert set(row["sources"].split(";")) <= known, row
        assert row["grade"] in GRADES, row


def test_targets_cite_known_sources():
    known = {row["id"] for row in rows("sources")}
    assert all(set(row["source"].split(";")) <= known for row in rows("target_runs"))


def test_values_lie_in_their_ranges_and_units_are_units():
    for q in quantities().values():
        parse_unit(q.unit)
        assert math.isfinite(q.value)
        assert (q.low or q.value) <= q.value <= (q.high or q.value), q.name
    for row in rows("affinities"):
        low, kd, high = (number(row[k]) for k in ("low", "kd", "high"))
        assert low <= kd <= high, row
        parse_unit(row["unit"])
    for row in rows("partners"):
        low, kd, high = (number(row[k]) for k in ("low", "kd_nM", "high"))
        assert 0 < low <= kd <= high, row


def test_what_is_assumed_or_not_retrieved_is_graded_so():
    unread = {row["id"] for row in rows("sources") if row["retrieved"] == "no" and row["kind"] != "assumption"}
    for q in quantities().values():
        if set(q.sources) <= unread | {"assumed"} and q.layer != "units":
            assert q.grade == "assumed", q.name


def test_default_cells_are_the_ten_pbmc_populations_with_all_chains():
    assert len(default_cells()) == 10
    for name, chain in product(default_cells(), MEASURED):
        count = cell(name).counts[chain]
        assert 0 < count.low <= count.value <= count.high, (name, chain)


def test_counts_keep_the_disagreement_of_the_quantifications():
    counted, used = quantified("Th", "IL2RB"), cell("Th").counts["IL2RB"]
    assert counted.value == pytest.approx((158.447 * 2626.64 * 2376.36) ** (1 / 3), rel=1e-3)
    assert used.low <= counted.low < 160 and used.high >= counted.high > 2600
    assert used.value == calibrated()["Th IL2RB"].value != counted.value


def test_a_subset_keeps_its_share_of_the_parent_until_it_is_calibrated():
    share = 624.581 / 657.009
    counted = quantified("Treg_naive", "IL2RB")
    assert counted.value == pytest.approx(quantified("Treg", "IL2RB").value * share, rel=1e-3)
    assert cell("Treg_naive").counts["IL2RB"].value == calibrated()["Treg_naive IL2RB"].value


def test_aliases_name_one_cell_and_unknown_names_are_refused_with_a_suggestion():
    assert cell("tconv") is cell("Th") and len(cells()) == len({c.name for c in cells().values()})
    with pytest.raises(Exception, match="Did you mean 'recycling_rate'"):
        quantity("recyling_rate")


@pytest.mark.parametrize("name", [row["name"] for row in rows("heads")])
def test_steps_of_a_head_form_a_tree_from_the_free_site(name):
    site = head(name)
    assert site.signalling <= set(site.chains) <= set(CHAINS)
    for held, step in site.steps.items():
        assert step.kd > 0 and len(held - step.before) == 1 and (not step.before or step.before in site.steps)
        assert held <= set(site.chains) and step.unit == ("molecule/cell" if step.before else "nM")
    if name in cytokines():
        assert {"IL2RG"} not in map(set, site.steps)  # the gamma chain alone binds nothing
        assert site.signalling in site.steps and site.stat


def test_there_are_six_cytokines():
    assert set(cytokines()) == {"IL2", "IL4", "IL7", "IL9", "IL15", "IL21"}


def test_every_affinity_is_of_a_head_and_every_partner_binds_a_cytokine():
    heads = {row["name"] for row in rows("heads")}
    assert {row["ligand"] for row in rows("affinities")} == heads
    for row in rows("partners"):
        assert row["target"] in cytokines()
        effects = [row[c] for c in ("IL2RA", "IL2RB", "IL2RG", "IL15RA")]
        assert all(e in ("", BLOCKED) or float(e) > 0 for e in effects) and BLOCKED in effects, row


def test_every_molecule_is_something_that_a_network_holds():
    known = {row["name"] for table in ("heads", "partners") for row in rows(table)} | {INHIBITOR, NEIGHBOUR_CHAIN}
    assert {row["network"] for row in rows("molecules")} - {""} == known


def test_a_name_or_alias_stands_for_one_molecule():
    names = [n.casefold() for row in rows("molecules") for n in {row["name"], *row["aliases"].split(";")} - {""}]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", MODELS)
def test_every_named_model_has_consistent_units(name):
    from il2.network.dimensions import check_units

    check_units(MODELS[name].build())


def test_every_built_experiment_has_criteria():
    assert set(experiments()) == {row["experiment"] for row in rows("criteria")}


def test_figures_of_the_readme_are_those_of_the_tables():
    root = Path(__file__).parents[1]
    readme, changes = ((root / name).read_text("utf-8") for name in ("README.md", "CHANGELOG.md"))
    sizes = {name: len(rows(name)) for name in ("claims", "conflicts", "entities", "quantities", "targets")}
    planned, built = len(rows("experiments")), len(experiments())
    assert f"any of {sizes['entities']} entities" in readme and f"({sizes['claims']} claims)" in readme
    assert f"the {planned} virtual experiments and their verdicts; {built} are built so far" in readme
    assert (
        f"{sizes['claims']} claims, {sizes['conflicts']} conflicts, {sizes['entities']} entities, "
        f"{sizes['quantities']} quantities, {sizes['targets']} published results, {planned} planned experiments"
    ) in " ".join(changes.split())


def test_the_page_of_the_gene_is_what_the_card_prints():
    """Write it anew with `il2 gene --out docs/IL2.md`."""
    from il2.atlas.card import card
    from il2.report.card_text import as_markdown

    assert (Path(__file__).parents[1] / "docs" / "IL2.md").read_text("utf-8") == as_markdown(card())
