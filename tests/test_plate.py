"""Plates: rows are wells, a bad row never stops the others, a bad file is refused whole."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import il2
from il2.cell import plate_file
from il2.cell import simulate as simulation
from il2.cell.plate import predict_plate
from il2.cell.plate_file import predict_file
from il2.errors import Il2Error
from il2.receptor.affinity import interface_factors
from il2.receptor.ligand import ALPHA_ONLY, Heads, ligand

GOOD = {"ligand": "IL2", "cell": "Treg", "dose_nM": "0.1", "time_min": "30"}
OWN = {"cell": "YT-1 new", "IL2RA": "4000", "IL2RB": "500", "IL2RG": "5000"}


def answer(*rows: dict) -> pd.DataFrame:
    return predict_plate(pd.DataFrame([GOOD | row for row in rows]).fillna(""))


def one(**row) -> pd.Series:
    return answer(row).iloc[0]


def test_a_well_equals_respond():
    well = one(dose_nM="1", time_min="60", cell="NK")
    data = il2.respond("IL2", "NK", [1.0], [60.0])
    assert well.pstat5 == float(data.pstat5.squeeze()) and well.status == "ok" and well.warning == ""


def test_rows_and_extra_columns_keep_their_order():
    rows = [{"dose_nM": str(d), "well": f"A{i}", "note": 'ü, "x"'} for i, d in enumerate((3, 0.1, -1, 10))]
    out = answer(*rows)
    assert list(out["well"]) == ["A0", "A1", "A2", "A3"] and list(out["note"]) == ['ü, "x"'] * 4
    assert list(out["status"] == "ok") == [True, True, False, True]
    assert np.isnan(out["pstat5"][2]) and out["pstat5"][1] < out["pstat5"][0] < out["pstat5"][3]


def test_a_row_is_the_same_alone_and_among_others():
    rows = [{"dose_nM": str(d), "cell": c} for d in (0.01, 1, 50) for c in ("Treg", "NK", "CD8")]
    together = answer(*rows)
    for i, row in enumerate(rows):
        assert one(**row).pstat5 == together["pstat5"][i]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"dose_nM": "-1"}, "dose_nM is '-1'"),
        ({"dose_nM": "nan"}, "dose_nM is 'nan'"),
        ({"dose_nM": "inf"}, "dose_nM is 'inf'"),
        ({"dose_nM": ""}, "dose_nM is missing"),
        ({"dose_nM": "1 nM"}, "dose_nM is '1 nM'"),
        ({"time_min": "-5"}, "time_min"),
        ({"ligand": ""}, "ligand is missing"),
        ({"ligand": "IL3"}, "unknown ligand 'IL3'"),
        ({"cell": ""}, "cell is missing"),
        ({"cell": "Tregg"}, "Did you mean 'Treg'"),
        ({**OWN, "IL2RB": ""}, "no IL2RB count"),
        ({**OWN, "IL2RB": "-3"}, "IL2RB is '-3'"),
        ({"kd_il2ra_nM": "0"}, "kd_il2ra_nM is '0'"),
        ({"kd_il2ra_nM": "-1"}, "kd_il2ra_nM is '-1'"),
        ({"kd_il2ra_nM": "inf"}, "kd_il2ra_nM is 'inf'"),
        ({"kd_il2rbg_nM": "x"}, "kd_il2rbg_nM is 'x'"),
        ({"kd_il15ra_nM": "1"}, "IL2 does not bind IL15RA"),
        ({"kd_assay": "elisa"}, "unknown kd_assay 'elisa'"),
        ({"format": "Fc-fusion"}, "unknown format 'Fc-fusion'"),
        ({"valency": "1.5"}, "not a whole number"),
        ({"valency": "0"}, "valency is '0'"),
        ({"valency": "1", "format": "Fc fusion, bivalent"}, "contradicts"),
        ({"cells_per_mL": "0"}, "cells_per_mL is '0'"),
        ({"with": "daclizumabb=1 nM"}, "Did you mean 'daclizumab'"),
        ({"with": "daclizumab"}, "no name=amount"),
        ({"with": "daclizumab=10"}, "has no unit"),
        ({"with": "daclizumab=1 h"}, "no unit of the same kind"),
        ({"with": "IL9=1 ng/mL"}, "without a molar mass"),
        ({"with": "IL7=-1 nM"}, "IL7=-1"),
        ({"with": "IL7=nan nM"}, "not finite"),
        ({"with": "IL7=1 M"}, "at most 1 mM"),
        ({"with": "anti-Tac=1 nM"}, "cannot be simulated"),
        ({"with": "IL7=1 nM; IL-7=1 nM"}, "added twice"),
        ({"with": "neighbour_IL15RA=10/cell"}, "no IL-15 is there"),
        ({"ligand": "IL15", "with": "S4B6=1 nM"}, "nothing to bind"),
        ({"with": "anti-IL-2=1 nM", "valency": "3"}, "can combine in too many ways"),
        ({"with": "daclizumab=1 nM", "with_before_min": "-1"}, "with_before_min is '-1'"),
        ({"with": "daclizumab=1 nM", "with_before_min": "1 h"}, "with_before_min is '1 h'"),
        ({"dial": "IL2RX=0"}, "Did you mean 'IL2RG'"),
        ({"dial": "IL2RG"}, "no name=share"),
        ({"dial": "IL2RG=-1"}, "no name=share"),
        ({"dial": "IL2RG=nan"}, "no name=share"),
        ({"n_alpha_only_heads": "-1"}, "n_alpha_only_heads is '-1'"),
        ({"n_alpha_only_heads": "1.5"}, "not a whole number"),
        ({"n_alpha_only_heads": "101"}, "valency is 101"),
        ({"n_alpha_only_heads": "1", "kd_alpha_only_nM": "0"}, "kd_alpha_only_nM is '0'"),
        ({"n_alpha_only_heads": "1", "kd_alpha_only_nM": "x"}, "kd_alpha_only_nM is 'x'"),
        ({"kd_alpha_only_nM": "3"}, "given without n_alpha_only_heads"),
        ({"n_alpha_only_heads": "0", "kd_alpha_only_nM": "3"}, "given without n_alpha_only_heads"),
        ({"ligand": "IL7", "n_alpha_only_heads": "1", "kd_alpha_only_nM": "3"}, "does not bind IL2RA"),
        ({"ligand": "IL7", "n_alpha_only_heads": "1"}, "IL2RA"),
        ({"ligand": "IL15", "n_alpha_only_heads": "1"}, "IL2RA"),
    ],
)
def test_a_bad_row_has_its_reason_and_the_others_are_answered(row, reason):
    out = answer(row, {})
    assert reason in out["status"][0] and np.isnan(out["pstat5"][0])
    assert out["status"][1] == "ok" and out["pstat5"][1] > 0


def test_nothing_depends_on_the_name_of_a_ligand_with_kds():
    kds = {"kd_il2ra_nM": "10", "kd_il2rbg_nM": "2", "format": "Fc fusion, monovalent"}
    names = ("alpha", "IL-2 like <b>", "WT N-term", "R38Q N-term", "IL2")
    answers = [one(ligand=name, **kds) for name in names]
    assert {a.pstat5 for a in answers} == {answers[0].pstat5} and {a.status for a in answers} == {"ok"}


def test_case_of_assay_and_format_does_not_matter():
    given = {"ligand": "m", "kd_il2ra_nM": "3", "kd_assay": "SPR", "format": "fc fusion, Monovalent"}
    assert one(**given).pstat5 == one(**(given | {"kd_assay": "spr", "format": "Fc fusion, monovalent"})).pstat5


def test_given_values_override_with_a_warning_and_unknown_cells_are_answered():
    assert "override those known for IL2" in one(kd_il2ra_nM="20").warning
    assert "override those known for this cell" in one(IL2RA="9000").warning
    well = one(**OWN)
    assert well.status == "ok" and "pooled cell parameters" in well.warning


def test_a_given_heterodimer_and_beta_kd_hold_both():
    """The product of both steps is the same, and with it the free energy of every complex that signals; complexes with
    one of the two chains differ, so that other numbers of chains are left and the answers are near, not equal."""
    loose = one(ligand="m", kd_il2rbg_nM="10")
    split = one(ligand="m", kd_il2rbg_nM="10", kd_il2rb_nM="144")  # all of the change in the gamma step
    assert split.status == "ok" and split.pstat5 < 0.5 * one(ligand="m", kd_il2rb_nM="144").pstat5
    both = {"IL2RBG": 10.0}, {"IL2RBG": 10.0, "IL2RB": 144.0}
    given = [il2.Ligand("m", kds=tuple(kds.items())) for kds in both]
    assert [loose.pstat5, split.pstat5] == [respond(molecule) for molecule in given]
    beta, gamma = zip(*((f["IL2RB"], f["IL2RG"]) for f in (interface_factors(m)[0] for m in given)), strict=True)
    assert beta == pytest.approx((10, 1)) and gamma == pytest.approx((1, 10))
    assert 0.5 < split.pstat5 / loose.pstat5 < 2


def respond(ligand, cell="Treg", **options) -> float:
    return float(il2.respond(ligand, cell, [0.1], [30.0], **options).pstat5.squeeze())


def test_more_heads_are_answered_as_respond_does_and_say_so():
    dimer, fusion = one(valency="2"), one(format="Fc fusion, bivalent")
    assert dimer.pstat5 == respond(replace(ligand("IL2"), valency=2)) > 1.02 * one().pstat5
    assert fusion.pstat5 == respond(replace(ligand("IL2"), valency=2, format="Fc fusion, bivalent"))
    assert fusion.pstat5 != one(format="Fc fusion").pstat5
    assert "avidity" in dimer.warning and "avidity" in fusion.warning and "avidity" not in one(valency="1").warning


def test_heads_that_reach_il2ra_only_are_answered_as_respond_does():
    def with_heads(*kds: tuple[str, float]) -> il2.Ligand:
        return replace(ligand("IL2"), others=(Heads(1, kds, ALPHA_ONLY),))

    well, weak = one(n_alpha_only_heads="1"), one(n_alpha_only_heads="1", kd_alpha_only_nM="1000")
    assert well.pstat5 == respond(with_heads()) > 1.05 * one().pstat5 and "avidity" in well.warning
    assert weak.pstat5 == respond(with_heads(("IL2RA", 1000.0))) < well.pstat5
    own = one(n_alpha_only_heads="1", kd_il2ra_nM="1000")  # one KD of IL2RA is that of every head
    assert own.pstat5 == one(n_alpha_only_heads="1", kd_il2ra_nM="1000", kd_alpha_only_nM="1000").pstat5 < well.pstat5
    assert one(n_alpha_only_heads="0").pstat5 == one().pstat5


@pytest.mark.parametrize("text", ["daclizumab=2 nM", "IL15=0.1 nM; tofacitinib=20 nM", "soluble_IL2RA=50 nM", ""])
@pytest.mark.parametrize("before", ["", "60"])
def test_additions_of_a_well_act_as_those_of_respond(text: str, before: str):
    well = one(**{"with": text, "with_before_min": before})
    assert well.status == "ok" and well.pstat5 == respond("IL2", added=text, before_min=float(before or 0))
    assert (well.pstat5 == pytest.approx(one().pstat5, rel=1e-6)) == (text == "")


@pytest.mark.parametrize("order", [1, -1])
def test_an_inhibitor_acts_in_its_own_wells_only(order: int):
    rows = [{}, {"with": "tofacitinib=40 nM"}]
    free, inhibited = answer(*rows[::order])["pstat5"][::order]
    assert (free, inhibited) == (one().pstat5, respond("IL2", added="tofacitinib=40 nM")) and inhibited < 0.6 * free


def test_dials_of_a_well_act_as_those_of_respond():
    half, kinase = one(dial="IL2RA=0.5"), one(dial="JAK3=0.5; IL2RB=0.9")
    assert half.pstat5 == respond("IL2", dial="IL2RA=0.5") < one().pstat5
    assert kinase.pstat5 == respond("IL2", dial="JAK3=0.5; IL2RB=0.9") < one().pstat5
    assert one(dial="IL2RG=0").pstat5 == 0 == one(dial="JAK1=0").pstat5 and one(dial="JAK3=1").pstat5 == one().pstat5


def test_other_cytokines_have_columns_of_their_own():
    il4, il2 = one(ligand="IL4", cell="CD4_naive_Gonnord"), one()
    assert il4.pstat6 > 0.01 and np.isnan(il4.pstat3) and "see pstat6" in il4.warning
    assert np.isnan(il2.pstat6) and np.isnan(il2.pstat3)


MIXED = [
    {},
    {"with": "tofacitinib=40 nM"},
    {"with": "tofacitinib=400 nM"},
    {"with": "daclizumab=2 nM"},
    {"with": "daclizumab=20 nM; tofacitinib=40 nM"},
    {"with": "daclizumab=2 nM", "with_before_min": "30"},
    {"with": "IL15=0.1 nM"},
    {"with": "anti-IL-2=1 nM", "cells_per_mL": "1e6"},
    {"dial": "JAK3=0.4"},
    {"dial": "IL2RA=0", "with": "tofacitinib=40 nM"},
    {"n_alpha_only_heads": "1"},
    {"n_alpha_only_heads": "1", "kd_alpha_only_nM": "50"},
    {"with": "no such thing=1 nM"},
    {"ligand": "IL15", "with": "neighbour_IL15RA=500/cell"},
    {"ligand": "IL-2/JES6-1"},
]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("lanes", [2, 20_000])
def test_order_and_batches_of_mixed_wells_do_not_matter(order: int, lanes: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(simulation, "LANES_AT_ONCE", lanes)
    rows = [row | {"dose_nM": dose} for row in MIXED for dose in ("0.1", "2")]
    together = answer(*rows[::order]).iloc[::order].reset_index(drop=True)
    for i, row in enumerate(rows):
        alone = one(**row)
        assert (alone.status, alone.warning) == (together["status"][i], together["warning"][i])
        np.testing.assert_array_equal(alone.pstat5, together["pstat5"][i], err_msg=str(row))
    assert together["pstat5"].nunique() == len(rows) - 2


def test_an_untreated_well_and_one_that_cannot_signal_are_zero_and_say_so():
    assert one(dose_nM="0").pstat5 == 0 and "untreated" in one(dose_nM="0").warning
    silent = one(**{**OWN, "IL2RG": "0"})
    assert silent.pstat5 == 0 and "without IL2RG" in silent.warning


def test_wells_outside_the_calibrated_domain_warn():
    assert "outside the calibrated domain" in one(dose_nM="500").warning
    assert "outside the calibrated domain" in one(time_min="1000").warning


def test_ligand_is_used_up_where_a_density_is_given():
    assert one(dose_nM="0.01", time_min="240", cells_per_mL="1e7").pstat5 < one(dose_nM="0.01", time_min="240").pstat5


def write(path, text: str, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


HEAD = "ligand,cell,dose_nM,time_min\n"


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("", "utf-8", "empty"),
        (HEAD, "utf-8", "no wells"),
        ("ligand,cel,dose_nM,time_min\nIL2,Treg,1,30\n", "utf-8", "'cell' is missing"),
        ("ligand,cell,dose_nM,time_min,cell\nIL2,Treg,1,30,NK\n", "utf-8", "stands twice"),
        ("ligand;cell;dose_nM;time_min\nIL2;Treg;1;30\n", "utf-8", "separated by commas"),
        ("ligand,cell,dose_nM,time_min,IL2Ra\nIL2,Treg,1,30,5\n", "utf-8", "Did you mean 'IL2RA'"),
        ("ligand,cell,dose_nM,time_min,withs\nIL2,Treg,1,30,IL7=1 nM\n", "utf-8", "Did you mean 'with'"),
        ("ligand,cell,dose_nM,time_min,with_before\nIL2,Treg,1,30,60\n", "utf-8", "Did you mean 'with_before_min'"),
        ("ligand,cell,dose_nM,time_min,valence\nIL2,Treg,1,30,2\n", "utf-8", "Did you mean 'valency'"),
        ("ligand,cell,dose_nM,time_min,pstat5\nIL2,Treg,1,30,0.1\n", "utf-8", "the output adds"),
        (HEAD + "IL2,Treg,1\n", "utf-8", "3 fields"),
        (HEAD + "IL2,Trég,1,30\n", "latin-1", "not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_whole_and_leaves_nothing(tmp_path, text, encoding, message):
    out = tmp_path / "out.csv"
    with pytest.raises(Il2Error, match=message):
        predict_file(write(tmp_path / "plate.csv", text, encoding), out)
    assert [p.name for p in tmp_path.iterdir()] == ["plate.csv"]


def test_a_missing_file_and_an_unwritable_folder_are_one_message(tmp_path):
    with pytest.raises(Il2Error, match="cannot be read"):
        predict_file(tmp_path / "none.csv", tmp_path / "out.csv")
    plate = write(tmp_path / "plate.csv", HEAD + "IL2,Treg,1,30\n")
    with pytest.raises(Il2Error, match="cannot be written"):
        predict_file(plate, tmp_path / "no folder" / "out.csv")


def test_an_earlier_result_survives_a_bad_plate(tmp_path):
    out = write(tmp_path / "out.csv", "kept")
    with pytest.raises(Il2Error):
        predict_file(write(tmp_path / "plate.csv", HEAD + "IL2,Trég,1,30\n", "latin-1"), out)
    assert out.read_text() == "kept"


def test_pieces_join_without_a_seam(tmp_path, monkeypatch):
    rows = [f"IL2,Treg,{d},30" for d in (0.01, 0.1, 1, 10, 50)]
    plate = write(tmp_path / "plate.csv", "\ufeff" + HEAD + "\n".join(rows) + "\n")
    predict_file(plate, tmp_path / "whole.csv")
    monkeypatch.setattr(plate_file, "ROWS_AT_ONCE", 2)
    assert predict_file(plate, tmp_path / "pieces.csv") == (5, 0)
    assert (tmp_path / "pieces.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_memory_does_not_grow_with_the_plate(tmp_path):
    """Each plate in a process of its own; 40,000 rows in pieces of 2,000 beside 4,000 rows."""
    program = """
import resource, sys
from pathlib import Path
from il2.cell import plate_file
from il2.cell import simulate as simulation
plate_file.ROWS_AT_ONCE = 2_000
plate_file.predict_file(Path(sys.argv[1]), Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

    def peak(rows: int) -> int:
        plate = write(tmp_path / f"{rows}.csv", HEAD + "IL2,Treg,1,1\n" * rows)
        done = subprocess.run(
            [sys.executable, "-c", program, str(plate), str(tmp_path / "out.csv")],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    assert peak(40_000) < peak(4_000) * 1.1


def test_links_are_followed_and_only_regular_files_are_replaced(tmp_path):
    plate = write(tmp_path / "plate.csv", HEAD + "IL2,Treg,1,30\n")
    target = write(tmp_path / "target.csv", "old")
    target.chmod(0o600)
    (tmp_path / "link.csv").symlink_to(target)
    predict_file(plate, tmp_path / "link.csv")
    assert (
        (tmp_path / "link.csv").is_symlink()
        and "pstat5" in target.read_text()
        and target.stat().st_mode & 0o777 == 0o600
    )
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(Il2Error, match="no regular file"):
        predict_file(plate, tmp_path / "pipe.csv")
    with pytest.raises(Il2Error, match="one file"):
        predict_file(plate, plate)
