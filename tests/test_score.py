"""The scoring rules: second opinions by SciPy and by hand, exact answers, invariances, published figures."""

import numpy as np
import pandas
import pytest
from scipy.optimize import curve_fit

from il2.errors import Il2Error
from il2.fit.baseline import dose_ramp, other_run
from il2.fit.hill import fit, rising
from il2.fit.measured import frame
from il2.fit.score import cell_groups, score, shape

DOSES = 84.0 / 3.0 ** np.arange(11, -1, -1)
TIMES = (30.0, 60.0, 120.0, 240.0)


def hill(dose, ec50, top=1.0, slope=1.0):
    return top / (1 + (ec50 / dose) ** slope)


def plate(ligand="A", cell="Treg", ec50=0.5, top=1000.0, floor=0.0, date="day", replicate="1", seen=None, **more):
    """Wells of one ligand on one cell; predicted is the Hill curve of height 1, measured `seen` or the same, scaled."""
    wells = pandas.DataFrame([(t, d) for t in TIMES for d in DOSES], columns=["time_min", "dose_nM"])
    told = hill(wells["dose_nM"], ec50)
    value = floor + top * (told if seen is None else hill(wells["dose_nM"], seen))
    fixed = {"set": "made", "date": date, "replicate": replicate, "ligand": ligand, "cell": cell, "valency": 1.0}
    fixed |= {"unit": "rfu", "readout": "pSTAT5", "flag": "", "use": "prediction", "format": ""}
    return wells.assign(value=value, predicted=told, **fixed | more)


@pytest.fixture(scope="module")
def measured():
    return frame()


@pytest.fixture(scope="module")
def runs(measured):
    return score(measured.assign(predicted=other_run(measured)))


def test_hill_fits_agree_with_scipy():
    rng = np.random.default_rng(1)
    x = np.tile(np.log10(DOSES), (40, 1))
    ec50, top, slope = 10 ** rng.uniform(-2, 1, 40), rng.uniform(0.3, 2, 40), rng.uniform(0.6, 2.5, 40)
    y = hill(10**x, ec50[:, None], top[:, None], slope[:, None]) + rng.normal(0, 0.04, x.shape)
    ours = fit(x, y)
    for k in range(40):

        def curve(log_dose, log_ec50, height, steep):
            return hill(10**log_dose, 10**log_ec50, height, steep)

        start = [np.log10(ec50[k]), top[k], slope[k]]
        theirs, _ = curve_fit(
            curve, x[k], y[k], p0=start, bounds=([-5, 0, 0.3], [4, np.inf, 4]), ftol=1e-12, xtol=1e-12
        )
        rest = ((y[k] - curve(x[k], *theirs)) ** 2).sum()
        own = ((y[k] - curve(x[k], ours.log10_ec50[k], ours.top[k], ours.slope[k])) ** 2).sum()
        assert own <= rest * (1 + 1e-4)
        assert ours.log10_ec50[k] == pytest.approx(theirs[0], abs=5e-3)
        assert ours.r2[k] == pytest.approx(1 - own / ((y[k] - y[k].mean()) ** 2).sum(), abs=1e-9)


def test_hill_fits_leave_out_what_was_not_measured():
    x = np.tile(np.log10(DOSES), (2, 1))
    y = hill(10**x, 0.3)
    y[1, [2, 7]] = np.nan
    x[1, 2] = np.nan
    assert fit(x, y).log10_ec50 == pytest.approx(np.log10([0.3, 0.3]), abs=1e-3)
    few = np.where(np.arange(12) < 3, y[:1], np.nan)
    assert np.isnan(fit(x[:1], few).log10_ec50).all()


def test_rising_part_by_hand():
    y = np.array([[0.0, 1.0, 5.0, 6.0, 9.0, 4.0, 3.0, np.nan]])
    # medians of three: 0.5, 1, 5, 6, 6, 4, 3.5; the first largest stands at the fourth point
    assert rising(y)[0] == pytest.approx([0, 1, 5, 6, 6, 6, 6, np.nan], nan_ok=True)


def test_a_perfect_prediction_scores_perfectly_and_scale_and_background_do_not_matter():
    for top, floor in ((1.0, 0.0), (5000.0, 700.0)):
        found = score(plate(top=top, floor=floor))
        row = found.table().iloc[0]
        assert row["r2"] == pytest.approx(1.0) and row["counted"] == len(TIMES) and row["within_2_fold"] == 1.0
        assert row["median_abs_log10_ec50"] < 1e-3


def test_errors_of_ec50_have_their_size_and_sign():
    found = score(plate(ec50=1.0, seen=0.25))
    row = found.table().iloc[0]
    assert row["bias_log10_ec50"] == pytest.approx(np.log10(4), abs=0.01)
    assert (row["within_2_fold"], row["within_3_fold"]) == (0.0, 0.0)
    near = score(plate(ec50=1.0, seen=0.4)).table().iloc[0]
    assert (near["within_2_fold"], near["within_3_fold"]) == (0.0, 1.0)


def test_background_is_the_median_of_four_wells_and_the_same_wells_of_the_prediction():
    wells = plate(ec50=0.01, top=100.0, floor=40.0)
    points = score(wells).points
    dark = wells[wells["time_min"].isin([30.0, 60.0]) & wells["dose_nM"].isin(np.sort(DOSES)[:2])]
    assert len(dark) == 4
    over = wells.sort_values(["time_min", "dose_nM"])["value"].to_numpy() - dark["value"].median()
    assert points["measured"].to_numpy() == pytest.approx(over / np.percentile(over, 97))
    told = points["expected"] / points["measured"]
    assert np.ptp(told[np.abs(points["measured"]) > 1e-6]) < 1e-9


def test_one_scale_for_all_ligands_of_a_plate_and_one_each_for_the_shape():
    wells = pandas.concat([plate("A", top=1000.0), plate("B", top=200.0)])
    assert shape(wells).table()["r2"].min() == pytest.approx(1.0)
    found = score(wells)
    factor = found.points.groupby("ligand")["expected"].max()
    assert factor["A"] == pytest.approx(factor["B"]) and found.table()["r2"].min() < 0.9


def test_plates_cells_and_dates_have_scales_of_their_own():
    parts = [plate(date="1"), plate(date="2", top=9.0), plate(replicate="2", top=0.1), plate(cell="NK", top=77.0)]
    assert score(pandas.concat(parts)).table()["r2"].min() == pytest.approx(1.0)


def test_which_curves_count():
    weak = plate("weak", top=100.0)  # below a fifth of the reference, which the strong one sets
    weak.loc[weak["ligand"] == "weak", "predicted"] = hill(weak["dose_nM"], 0.5)
    outside = plate("outside", seen=3000.0, top=40000.0)
    noisy = plate("noisy")
    noisy["value"] = 1000 * np.tile([1.0, 0.3], len(noisy) // 2)
    found = score(pandas.concat([plate("strong"), weak, noisy])).curves.groupby("ligand")["counted"].sum()
    assert (found["strong"], found["weak"], found["noisy"]) == (4, 0, 0)
    assert score(outside).curves["counted"].sum() == 0


def test_a_flat_prediction_counts_as_three_times_the_top_dose():
    wells = plate().assign(predicted=0.3)
    found = score(wells).curves
    assert found["flat"].all() and found["counted"].all()
    assert found["ec50_predicted_nM"].to_numpy() == pytest.approx(np.full(4, 3 * 84.0))


def test_early_and_late_and_cell_groups():
    wells = pandas.concat([plate(cell=c, seen=0.5) for c in ("Treg", "Th_mem", "own cells")])
    late = wells["time_min"] > 60
    wells.loc[late, "value"] = 1000 * hill(wells.loc[late, "dose_nM"], 5.0)
    table = score(wells).table().set_index(["cells", "times"])
    assert table.loc[("ten", "early"), "median_abs_log10_ec50"] < 0.01
    assert table.loc[("ten", "late"), "bias_log10_ec50"] == pytest.approx(-1.0, abs=0.02)
    assert [table.loc[(c, "all"), "curves"] for c in ("core", "ten", "other")] == [4, 8, 4]
    assert cell_groups()["core"] == ("Treg", "Th", "CD8", "NK") and len(cell_groups()["ten"]) == 10


def test_flagged_untreated_and_unpredicted_rows_do_not_enter():
    wells = plate()
    spoilt = pandas.concat(
        [
            wells,
            wells.assign(flag="suspect well", value=1e9),
            wells.assign(dose_nM=0.0, value=1e9),
            plate().assign(value=np.nan),
        ]
    )
    pandas.testing.assert_frame_equal(score(wells).table(), score(spoilt).table())
    with pytest.raises(Il2Error, match="no row can be scored"):
        score(wells.assign(predicted=np.nan))
    with pytest.raises(Il2Error, match="'predicted' is missing"):
        score(wells.drop(columns="predicted"))


def test_order_of_rows_and_names_of_ligands_do_not_matter(measured):
    wells = measured.assign(predicted=dose_ramp(measured))
    shuffled = wells.sample(frac=1, random_state=3).assign(ligand=lambda f: "x " + f["ligand"])
    keys = ["cells", "times", "points", "r2", "counted", "median_abs_log10_ec50"]
    one, two = (score(f).table().sort_values(["points", "r2"])[keys].reset_index(drop=True) for f in (wells, shuffled))
    pandas.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("ligand", "cells", "r2", "error", "three"),
    [("IL2", "core", 0.82, 0.12, 0.84), ("IL15", "core", 0.84, 0.10, 1.0)],
)
def test_one_run_predicts_the_other_as_published_for_these_data(runs, ligand, cells, r2, error, three):
    """Figures quoted for one run against the other of the same data by the same rules."""
    table = runs.table().set_index(["ligands", "cells", "times"]).loc[(ligand, cells, "all")]
    assert table["r2"] == pytest.approx(r2, abs=0.02)
    assert table["median_abs_log10_ec50"] == pytest.approx(error, abs=0.02)
    assert table["within_3_fold"] == pytest.approx(three, abs=0.02)


def test_a_ramp_without_biology_explains_most_of_the_variance(measured):
    table = score(measured.assign(predicted=dose_ramp(measured))).table()
    found = table[(table["ligands"] == "IL2") & (table["times"] == "all") & (table["cells"] == "core")].iloc[0]
    assert found["r2"] == pytest.approx(0.63, abs=0.04) and found["median_abs_log10_ec50"] > 0.4


def test_other_run_is_the_same_well_of_the_other_replicate(measured):
    well = measured.assign(told=other_run(measured))
    assert well["told"][well["set"] != "pbmc_pstat5"].isna().all()  # one run only
    well = well[(well["ligand"] == "IL2") & (well["cell"] == "NK") & (well["time_min"] == 30) & (well["dose_nM"] == 84)]
    well = well.set_index("replicate")
    assert well.loc["1", "told"] == pytest.approx(well.loc["2", "value"])
    assert well.loc["2", "told"] == pytest.approx(well.loc["1", "value"])
