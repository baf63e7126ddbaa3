"""Measured sets in one frame, predictions side by side, folders of a user's own, a guard for the default set."""

import json

import numpy as np
import pandas
import pytest
from typer.testing import CliRunner

from il2.cell.respond import respond
from il2.errors import Il2Error
from il2.fit import baseline
from il2.fit.measured import COLUMNS, frame, recognised
from il2.fit.predicted import default_set
from il2.fit.score import score
from il2.fit.validate import BASELINES, CEILING, DEFAULT, best_baselines, validate, wide
from il2.knowledge.table import measurements

CHEAP = {DEFAULT: default_set, **BASELINES, CEILING: baseline.other_run}


@pytest.fixture(scope="module")
def measured():
    return frame()


@pytest.fixture(scope="module")
def found():
    return validate(predictions=CHEAP)


@pytest.fixture
def fusions(tmp_path):
    """A folder as another laboratory might give it: other names, two heads, KDs in a table of their own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    source = pandas.DataFrame(measurements("fc_fusion_pstat5")).astype({"time_min": float, "dose_nM": float})
    source = source[source["ligand"].isin(["WT N-term", "R38Q N-term"])]
    table = source.rename(columns={"cell": "cell_type", "pstat5_rfu": "median_pstat5_rfu"}).assign(valency=2)
    table["ligand"] = table["ligand"].map({"WT N-term": "alpha", "R38Q N-term": "beta"})
    kds = {"ligand": ["alpha", "beta"], "kd_il2ra_nM": ["0.19", "0.71"], "kd_il2rbg_nM": ["5.296", "3.9949"]}
    kds |= {"fc_terminus": ["N", "N"], "basis": ["Octet BLI", "by Octet, two days"]}
    table.to_csv(folder / "responses.csv", index=False)
    pandas.DataFrame(kds).to_csv(folder / "affinities.csv", index=False)
    return folder


def test_the_frame_holds_every_compiled_point(measured):
    names = ("pbmc_pstat5", "fc_fusion_pstat5", "yt1_pstat5", "yt1_surface_il2rb", "yt1_surface_il2rg",
             "il4_il7_dose_response", "multivalent_binding")  # fmt: skip
    assert tuple(measured.columns) == COLUMNS
    assert measured["set"].value_counts().to_dict() == {name: len(measurements(name)) for name in names}
    flags = measured.groupby(["set", "flag"]).size()
    assert flags["pbmc_pstat5", "suspect well"] == 12 and flags["pbmc_pstat5", "zero-treatment well"] == 20
    assert set(measured[measured["flag"] == "no measured affinity"]["ligand"]) == {"H16L N-term", "IL15:IL15RA"}
    fused = measured[(measured["set"] == "fc_fusion_pstat5") & (measured["flag"] == "")]
    assert (fused["kd_assay"] == "octet_bli").all() and (fused["kd_il2rbg_nM"] > 0).all()


def test_plates_have_dates():
    """Of replicate 1 the T helper cells and Treg were read on another day than the rest; replicate 2 on one day."""
    days = {(r["replicate"], r["cell"] in ("NK", "CD8"), r["experiment_date"]) for r in measurements("pbmc_pstat5")
            if r["cell"] in ("Treg", "Th", "NK", "CD8")}  # fmt: skip
    assert days == {
        ("1", True, "2019-03-19"),
        ("1", False, "2019-03-15"),
        ("2", True, "2019-03-27"),
        ("2", False, "2019-03-27"),
    }


def test_predictions_are_those_of_respond(measured):
    own = measured[(measured["ligand"] == "IL2") & (measured["cell"] == "NK") & (measured["time_min"] == 60)].iloc[-1:]
    data = respond("IL2", ["NK"], doses_nM=[float(own["dose_nM"].iloc[0])], times_min=[60])
    assert default_set(own)[0] == pytest.approx(float(data.pstat5.squeeze()), rel=1e-3)


def test_names_of_ligands_do_not_matter_where_kds_are_given(measured):
    fused = measured[measured["set"] == "fc_fusion_pstat5"]
    fused = fused[fused["flag"] == ""].iloc[::40]
    assert (default_set(fused.assign(ligand="a name")) == default_set(fused)).all()
    weaker = default_set(fused.assign(kd_il2rbg_nM=100 * fused["kd_il2rbg_nM"]))
    assert (weaker < default_set(fused)).all()


def test_surface_chains_follow_the_kds_of_a_molecule(measured):
    own = measured[(measured["readout"] == "surface IL2RB") & (measured["ligand"] == "IL2")]
    own = own[(own["dose_nM"] == 1) & (own["cell"] == "YT-1 IL2Ra-") & (own["time_min"] > 0)]
    wild, named = default_set(own), default_set(own.assign(ligand="a name", kd_il2rb_nM=144.0, kd_il2ra_nM=10.0))
    assert named == pytest.approx(wild, rel=1e-6)
    assert (default_set(own.assign(ligand="a name", kd_il2rb_nM=1.44)) < wild).all()


def test_every_row_that_is_not_left_out_is_predicted(measured):
    told = default_set(measured)
    assert np.isfinite(told[(measured["flag"] == "").to_numpy()]).all()
    assert np.isnan(told[(measured["ligand"] == "H16L N-term").to_numpy()]).all()
    start = (
        measured["readout"].str.startswith("surface") & (measured["time_min"] == 0) & (measured["flag"] == "")
    ).to_numpy()
    assert start.any() and told[start] == pytest.approx(100.0)


def test_the_default_set_has_not_become_worse(found):
    """Loose bounds: a guard against mistakes, not against progress."""
    table = found.table[(found.table["prediction"] == DEFAULT) & (found.table["times"] == "all")]
    table = table.set_index(["ligands", "cells"])
    for (ligands, cells), (r2, error, three) in {
        ("IL2", "core"): (0.78, 0.30, 0.65), ("IL2", "ten"): (0.76, 0.32, 0.65),
        ("IL15", "core"): (0.74, 0.42, 0.60), ("IL15", "ten"): (0.72, 0.42, 0.60),
        ("Fc fusions", "core"): (0.72, 0.35, 0.60), ("Fc fusions", "ten"): (0.70, 0.48, 0.50),
    }.items():  # fmt: skip
        row = table.loc[(ligands, cells)]
        assert row["r2"] > r2 and row["median_abs_log10_ec50"] < error and row["within_3_fold"] > three, (
            ligands,
            cells,
        )


def test_everything_stands_side_by_side(found):
    table = wide(found.table)
    assert set(table["prediction"]) == {*CHEAP, "default set, shape"}
    rows = table[(table["ligands"] == "IL2") & (table["cells"] == "core")]
    assert next(iter(rows["prediction"])) == DEFAULT and set(rows["use"]) == {"calibration"}
    better = best_baselines(found.table).set_index(["ligands", "cells"])
    assert better.loc[("IL2", "core"), ["beats_r2", "beats_ec50"]].all()
    assert set(found.detail["ligands"]) == {"IL2", "IL15", "WT N-term", "WT C-term", "R38Q N-term"}
    assert "H16L N-term" in set(found.left_out["ligand"]) and "H16L N-term" not in set(
        found.scores[DEFAULT].points["ligand"]
    )


def test_small_sets_are_scored_by_hand(found, measured):
    row = found.small[(found.small["set"] == "yt1_surface_il2rg")].iloc[0]
    own = (measured["set"] == "yt1_surface_il2rg").to_numpy()
    off = default_set(measured[own]) - measured["value"].to_numpy()[own]
    assert row["points"] == 12 and row["rms_percent"] == pytest.approx(np.sqrt((off**2).mean()))


def test_baselines_read_the_parent(measured):
    pick = measured[(measured["cell"] == "Treg") & (measured["time_min"] == 30) & (measured["flag"] == "")]
    pick = pick[pick["ligand"].isin(["WT N-term", "R38Q N-term"])].reset_index(drop=True)
    mutant = (pick["ligand"] == "R38Q N-term").to_numpy()
    reused, shifted = baseline.wild_type_reused(pick), baseline.shifted_by_private_chain(pick)
    wild = score(measured.assign(predicted=measured["value"])).points
    wild = wild[(wild["ligand"] == "WT N-term") & (wild["cell"] == "Treg") & (wild["time_min"] == 30)]
    assert reused[mutant] == pytest.approx(wild["measured"].to_numpy())
    x, y = np.log(wild["dose_nM"].to_numpy()), wild["measured"].to_numpy()
    assert shifted[mutant] == pytest.approx(np.interp(x - np.log(0.71 / 0.19), x, y))


def test_a_folder_of_unseen_ligands_is_scored(fusions):
    found = validate(fusions.parent, {DEFAULT: default_set})
    mine = found.table[found.table["set"] == "mine"]
    assert set(mine["ligands"]) == {"Fc fusions, valency 2"} and set(mine["use"]) == {"prediction"}
    points = found.frame[found.frame["set"] == "mine"]
    assert set(points["kd_assay"]) == {"octet_bli"} and set(points["format"]) == {"Fc fusion"}
    assert set(found.detail["ligands"]) >= {"alpha, valency 2", "beta, valency 2"}
    one = frame(fusions).assign(valency=1.0)
    assert default_set(one).mean() < found.frame.loc[points.index, DEFAULT].mean()  # two heads bind better


def test_a_kd_that_is_a_bound_or_no_number(fusions):
    table = pandas.read_csv(fusions / "affinities.csv", dtype=str)
    table["kd_il2ra_nM"] = [">1000", "n.d."]
    table.to_csv(fusions / "affinities.csv", index=False)
    points = frame(fusions)
    assert set(points[points["ligand"] == "alpha"]["kd_il2ra_nM"]) == {1000.0}
    assert set(points[points["ligand"] == "beta"]["flag"]) == {"KD that is no number"}


def test_tables_are_recognised_by_their_columns():
    assert recognised(["ligand", "cell_type", "time_min", "dose_nM", "median_pstat5_rfu"]).readout == "pSTAT5"
    assert (
        recognised(["ligand", "cell_line", "il2ra_status", "time_min", "dose_nM", "surface_gc_pct"]).readout
        == "surface IL2RG"
    )
    assert recognised(["ligand", "cell_type", "time_min", "nominal_dose_nM", "median_pstat5_rfu"]) is None
    assert recognised(["ligand", "kd_il2ra_nM"]) is None


def test_folders_that_cannot_be_used_give_one_message(tmp_path, fusions):
    with pytest.raises(Il2Error, match="does not exist"):
        frame(tmp_path / "none")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(Il2Error, match="no table of measurements is recognised"):
        frame(empty)
    (empty / "x.csv").write_bytes(b"\xff\xfe\x00ligand")
    with pytest.raises(Il2Error, match="no regular CSV"):
        frame(empty)
    table = pandas.read_csv(fusions / "responses.csv", dtype=str)
    table.loc[4, "dose_nM"] = "84 nM"
    table.to_csv(fusions / "responses.csv", index=False)
    with pytest.raises(Il2Error, match="dose_nM is '84 nM', not a number") as caught:
        frame(fusions)
    assert "responses.csv:6" in str(caught.value)
    table.assign(dose_nM="-1").to_csv(fusions / "responses.csv", index=False)
    with pytest.raises(Il2Error, match=r"dose_nM is '-1', not a finite number from 0 up"):
        frame(fusions)
    table[:0].to_csv(fusions / "responses.csv", index=False)
    with pytest.raises(Il2Error, match="no rows below the header"):
        frame(fusions)
    table.assign(dose_nM="84 nM").to_csv(fusions / "responses.csv", index=False)
    twice = pandas.read_csv(fusions / "affinities.csv", dtype=str)
    pandas.concat([twice, twice[:1]]).to_csv(fusions / "affinities.csv", index=False)
    with pytest.raises(Il2Error, match="the affinities of 'alpha' stand here twice"):
        frame(fusions)


def test_the_command_writes_tables(found, tmp_path, monkeypatch):
    from il2.cli import validate as verb
    from il2.cli.app import app
    from il2.fit import validate as module

    assert "validate" in {command.name or command.callback.__name__ for command in app.registered_commands}
    monkeypatch.setattr(module, "validate", lambda folder: found)
    out = tmp_path / "scores.csv"
    done = CliRunner().invoke(app, ["validate", "--out", str(out), "--format", "json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert {row["view"] for row in rows} == {"groups", "populations", "small sets"}
    assert len(pandas.read_csv(out)) == len(rows) == len(verb.records(found))
    page = CliRunner().invoke(app, ["validate", "--markdown"])
    assert page.exit_code == 0 and "### pbmc_pstat5: IL2, core" in page.stdout and "| default set |" in page.stdout
    assert "beats" in page.stdout or "as good or better" in page.stdout
    told = CliRunner().invoke(app, ["validate"])
    assert told.exit_code == 0 and "other run (ceiling)" in told.stdout
    assert isinstance(CliRunner().invoke(app, ["validate", "--out", "x.txt"]).exception, Il2Error)


def test_figures_are_drawn_for_every_set(found, tmp_path):
    from il2.report.validation import figures

    names = [name for name, _ in figures(found.scores[DEFAULT])]
    assert len(names) == len(set(names)) == 11 and "pbmc-pstat5-ec50-ladder" in names
