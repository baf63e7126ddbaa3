"""`il2.respond` as a user calls it from Python."""

import numpy as np
import pytest

import il2
from il2.cell.ec50 import ec50
from il2.cell.respond import DEFAULT_DOSES_nM
from il2.cell.spread import factor_draws
from il2.cell.table import ec50_table
from il2.errors import Il2Error
from il2.receptor.affinity import interface_factors, reference
from il2.receptor.ligand import ALPHA_ONLY, FC, Heads, describe

OWN = {"mine": {"IL2RA": 3000.0, "IL2RB": 1000.0, "IL2RG": 4000.0}}


@pytest.fixture(scope="module")
def default():
    return il2.respond()


def at_30(data, ligand, cell):
    return ec50(data.dose_nM.values, data.pstat5.sel(ligand=ligand, cell=cell, time_min=30).values)


@pytest.mark.parametrize(("cell", "published_nM"), [("Treg", 0.051), ("NK", 1.55), ("CD8", 2.5), ("Th", 1.8)])
def test_ec50_of_il2_at_30_min_is_within_2_5_fold_of_the_published_value(default, cell, published_nM):
    assert published_nM / 2.5 < at_30(default, "IL2", cell) < published_nM * 2.5


def test_il2_is_at_least_tenfold_selective_for_treg(default):
    treg = at_30(default, "IL2", "Treg")
    assert all(at_30(default, "IL2", cell) >= 10 * treg for cell in ("NK", "CD8", "Th"))


def test_il15_is_not_selective_for_treg():
    data = il2.respond("IL15", ["Treg", "NK"], times_min=[30])
    assert 0.3 < at_30(data, "IL15", "Treg") / at_30(data, "IL15", "NK") < 3


def test_default_run_has_the_stated_grid_and_says_what_it_rests_on(default):
    assert dict(default.pstat5.sizes) == {"ligand": 1, "cell": 10, "dose_nM": 12, "time_min": 4}
    assert default.dose_nM.values == pytest.approx(DEFAULT_DOSES_nM)
    assert default.pstat5.attrs["units"] and default.dose_nM.attrs["units"] == "nM"
    assert default.attrs["weakest_grade"] == "assumed" and "farhat2021" in default.attrs["sources"]
    table = ec50_table(default)
    assert len(table) == 40 and np.isfinite(table["measured_EC50_nM"]).all()


def test_the_response_falls_late_at_high_dose(default):
    top = default.pstat5.sel(ligand="IL2", cell="CD8").isel(dose_nM=-1)
    assert top.sel(time_min=240) < 0.8 * top.sel(time_min=30)


def test_own_counts_equal_to_a_known_cell_give_its_curve(default):
    from il2.knowledge.cell import cell

    counts = {chain: count.value for chain, count in cell("NK").counts.items()}
    own = il2.respond("IL2", {"clone": counts})
    assert np.array_equal(own.pstat5.sel(cell="clone"), default.pstat5.sel(cell="NK"))


def test_ligand_uptake_lowers_the_response_at_low_dose_and_high_density():
    clamped = il2.respond("IL2", "Treg", [0.01], [240])
    thin, dense = (il2.respond("IL2", "Treg", [0.01], [240], cells_per_mL=n) for n in (1e3, 1e7))
    assert float(thin.pstat5.squeeze()) == pytest.approx(float(clamped.pstat5.squeeze()), rel=0.01)
    assert float(dense.pstat5.squeeze()) < 0.5 * float(clamped.pstat5.squeeze())


def test_bands_hold_the_curve_and_repeat_with_their_seed():
    first, second = (il2.respond("IL2", "Treg", [0.1], [30], spread_draws=100, seed=3) for _ in range(2))
    assert np.array_equal(first.pstat5_low, second.pstat5_low)
    assert float(first.pstat5_low.squeeze()) < float(first.pstat5.squeeze()) < float(first.pstat5_high.squeeze())
    other = il2.respond("IL2", "Treg", [0.1], [30], spread_draws=100, seed=4)
    assert not np.array_equal(first.pstat5_low, other.pstat5_low)


def test_threads_do_not_change_a_bit():
    one, two = (il2.respond(threads=n) for n in (1, 2))
    assert np.array_equal(one.pstat5, two.pstat5)


def test_spread_moves_the_ec50_and_the_affinity_of_a_mutein():
    own, _ = describe("m", {"IL2RA": 30.0}, "spr")
    data = il2.respond(own, "Treg", times_min=[30], spread_draws=100)
    row = ec50_table(data).iloc[0]
    assert row["EC50_low_nM"] < row["EC50_nM"] < row["EC50_high_nM"]


def test_what_cannot_be_trusted_is_said():
    few = ec50_table(il2.respond("IL2", "Treg", [0.01, 0.1]))
    assert set(few["note"]) == {"too few doses"} and few["fold"].notna().sum() <= 4
    rising = ec50_table(il2.respond("IL2", "NK", [0.001, 0.01, 0.1, 1.0], [30]))
    assert rising["note"][0] == "still rising at the highest dose" and np.isnan(rising["fold"][0])
    own = il2.respond("IL2", {"Treg": {"IL2RA": 1.0, "IL2RB": 1000.0, "IL2RG": 1000.0}}, [1000.0], [30.0])
    assert any("override" in w for w in own.attrs["warnings"]) and any("domain" in w for w in own.attrs["warnings"])


@pytest.mark.parametrize(
    "values", [{"base": "IL3"}, {"assay": "zz"}, {"format": "zzz"}, {"valency": 0}, {"kds": (("IL2RA", -5.0),)}]
)
def test_a_ligand_is_checked_when_made(values):
    with pytest.raises(Il2Error):
        il2.Ligand("m", **values)


def test_a_fusion_kd_against_an_unfused_reference_holds_the_fusion_already():
    wild = reference("spr", True, "IL2", "IL2RBG").kd
    assert interface_factors(describe("m", {"IL2RBG": wild}, "spr", FC)[0])[0]["IL2RB"] == pytest.approx(1)
    bare = interface_factors(describe("m", {"IL2RA": 10.0}, "spr", FC)[0])[0]["IL2RB"]
    assert bare > 1 and bare == interface_factors(describe("IL2", {}, "", FC)[0])[0]["IL2RB"]


def test_an_il15_mutein_can_be_named_so():
    own, notes = describe("super", {"IL2RB": 40.0}, base="IL15")
    assert own.base == "IL15" and not notes
    assert any("IL-2 mutein" in note for note in describe("super", {"IL2RB": 40.0})[1])


def test_ec50_counts_the_rising_limb_only():
    doses = np.array([0.1, 1.0, 10.0, 100.0, 1000.0])
    assert ec50(doses, np.array([0.0, 0.0, 1.0, 1.0, 1.0])) == pytest.approx(10**0.5)
    assert ec50(doses, np.array([0.0, 0.0, 1.0, 0.4, 0.1])) == pytest.approx(10**0.5)
    assert ec50(doses[::-1], np.array([1.0, 1.0, 1.0, 0.0, 0.0])) == pytest.approx(10**0.5)
    assert np.isnan(ec50(doses, np.array([1.0, 0.5, 0.2, 0.1, 0.0])))


def test_a_heterodimer_kd_is_counted_once():
    wild = reference("spr", False, "IL2", "IL2RBG").kd
    alone, _ = describe("m", {"IL2RBG": 10 * wild}, "spr")
    assert interface_factors(alone)[0] == pytest.approx({"IL2RA": 1, "IL2RB": 10, "IL2RG": 1})
    both, _ = describe("m", {"IL2RBG": 10 * wild, "IL2RB": 5 * reference("spr", False, "IL2", "IL2RB").kd}, "spr")
    assert interface_factors(both)[0] == pytest.approx({"IL2RA": 1, "IL2RB": 5, "IL2RG": 2})


def test_wild_type_values_of_an_assay_are_wild_type():
    for assay, kind in (("solution", ""), ("spr", ""), ("cell", "")):
        kds = {i: reference(assay, False, "IL2", i).kd for i in ("IL2RA", "IL2RBG")}
        own, _ = describe("any name", kds, assay, kind)
        assert interface_factors(own)[0] == pytest.approx({"IL2RA": 1, "IL2RB": 1, "IL2RG": 1})


def test_fc_fusions_on_nk_are_predicted_within_threefold_at_30_min():
    """R38Q was not used to choose any value."""
    data = il2.respond("R38Q N-term", "NK", times_min=[30])
    assert 17.8 / 3 < at_30(data, "R38Q N-term", "NK") < 17.8 * 3


def test_weaker_beta_gamma_binding_raises_and_weaker_alpha_binding_lowers_selectivity():
    def selectivity(**factor):
        own = [describe("m", {k: v * reference("spr", False, "IL2", k).kd for k, v in factor.items()}, "spr")[0]]
        data = il2.respond(own, ["Treg", "NK"], [0.038], [60])
        return float(data.pstat5.sel(cell="Treg").squeeze() / data.pstat5.sel(cell="NK").squeeze())

    assert selectivity(IL2RBG=1, IL2RA=10) < selectivity(IL2RBG=1) < selectivity(IL2RBG=10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ligands": "IL3"}, "Did you mean"),
        ({"ligands": "IL4"}, "no IL4R count of Treg"),
        ({"added": "daclizumab"}, "no name=amount"),
        ({"added": "daclizumap=1 nM"}, "Did you mean 'daclizumab'"),
        ({"added": "IL7=1 nM", "before_min": -1.0}, "before_min is -1"),
        ({"dial": "IL2RX=0"}, "Did you mean"),
        ({"dial": {"IL2RG": -1.0}}, "no name=share"),
        ({"ligands": "IL-3"}, "Did you mean"),
        ({"cells": "Tregg"}, "Treg"),
        ({"doses_nM": [0.0]}, "doses_nM holds 0"),
        ({"doses_nM": [-1.0]}, "doses_nM holds -1"),
        ({"doses_nM": [float("nan")]}, "doses_nM holds nan"),
        ({"doses_nM": [float("inf")]}, "doses_nM holds inf"),
        ({"doses_nM": []}, "empty"),
        ({"cells": []}, "no cell is named"),
        ({"ligands": []}, "no ligand is named"),
        ({"ligands": ["IL2", "IL-2"]}, "named twice"),
        ({"cells": ["Treg", "Tregs"]}, "named twice"),
        ({"times_min": [30, 30]}, "rising"),
        ({"times_min": [-1]}, "times_min holds -1"),
        ({"cells": {"mine": {"IL2RA": 1.0}}}, "no IL2RB count"),
        ({"cells": {"mine": {"IL2RA": -1.0, "IL2RB": 1.0, "IL2RG": 1.0}}}, "IL2RA of 'mine' is -1"),
        ({"cells": {"mine": {"IL2RA": float("nan"), "IL2RB": 1.0, "IL2RG": 1.0}}}, "nan"),
        ({"cells_per_mL": 0.0}, "cells_per_mL is 0"),
        ({"doses_nM": np.geomspace(1e-3, 1, 10**6)}, "limit"),
    ],
)
def test_bad_input_is_one_clear_message(arguments, message):
    with pytest.raises(Il2Error, match=message):
        il2.respond(**arguments)


@pytest.mark.parametrize("kd", [0.0, -1.0, float("nan"), float("inf")])
def test_a_kd_must_be_a_positive_number(kd):
    with pytest.raises(Il2Error, match="KD of IL2RA"):
        describe("m", {"IL2RA": kd})


def test_ligands_answer_by_their_own_stat():
    data = il2.respond(["IL4", "IL7"], "CD4_naive_Gonnord", times_min=[10.0], spread_draws=10)
    table = ec50_table(data)
    assert list(table["readout"]) == ["pstat6", "pstat5"] and np.isfinite(table["measured_EC50_nM"]).all()
    for name, own, other in (("IL4", "pstat6", "pstat5"), ("IL7", "pstat5", "pstat6")):
        answer = data.sel(ligand=name)
        assert answer[own].max() > 0.001 and answer[other].isnull().all()
        assert (answer.pstat5_low <= answer.pstat5_high).all() and answer.pstat5_high.max() > 0.5 * answer[own].max()


def test_a_dataset_without_readouts_is_one_of_pstat5(default):
    bare = default.drop_attrs()
    assert (ec50_table(bare)["readout"] == "pstat5").all()
    assert ec50_table(bare)["EC50_nM"].equals(ec50_table(default)["EC50_nM"])


@pytest.mark.parametrize("change", [{"added": "soluble_IL2RA=1 nM"}, {"dial": "JAK3=0.5"}, {"dial": {"IL2RG": 0.5}}])
def test_nothing_is_compared_with_measurements_when_something_is_added_or_dialled(change):
    table = ec50_table(il2.respond("IL2", "Treg", times_min=[30.0], **change))
    assert np.isnan(table["measured_EC50_nM"]).all() and np.isfinite(table["EC50_nM"]).all()


def test_daclizumab_takes_the_high_affinity_receptor_away_and_acts_more_when_given_before():
    def at_low_dose(**more):
        return float(il2.respond("IL2", "Treg", [0.1], [30.0], **more).pstat5.squeeze())

    together, before = (at_low_dose(added="daclizumab=10 nM", before_min=t) for t in (0.0, 60.0))
    assert before < together < at_low_dose()
    assert before < 0.3 * at_low_dose()


def test_the_references_of_two_kds_share_no_draw():
    """With KDs of IL2RB and of the heterodimer, the heterodimer's reference alone decides the product of both."""
    both = il2.Ligand("m", kds=(("IL2RB", 100.0), ("IL2RBG", 2.0)))
    one = il2.Ligand("n", kds=(("IL2RBG", 2.0),))
    product, alone = (f["IL2RB"] * f["IL2RG"] for item in (both, one) for f in factor_draws(item, 50, 0))
    assert np.ptp(alone) > 0 and product == pytest.approx(alone)


def test_the_reference_of_a_further_head_is_warned_of():
    item = il2.Ligand("m", assay="spr", format="Fc fusion", others=(Heads(1, (("IL2RA", 3.0),), ALPHA_ONLY),))
    assert any("no wild-type IL2RA KD by spr" in note for note in interface_factors(item)[1])
