"""Spread of pSTAT5 over the cells of a population: moments against theory, and against what was measured."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from il2.errors import Il2Error
from il2.fit import population, variability
from il2.fit.population import ENDS, Spread, factors, spread
from il2.fit.variability import MOMENTS, PLATE, aligned, compare, measured_moments, predict_moments
from il2.knowledge.cell import cell
from il2.knowledge.table import measurements
from il2.report.figure import render
from il2.report.variability import figure

CORE = ("Treg", "Th", "CD8", "NK")
CHAINS = ("IL2RA", "IL2RB", "IL2RG")
DOSES = 84 / 3.0 ** np.arange(12)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return aligned(cells=32, threads=1)


def wells(kind="Treg", ligand="IL2", times=(30.0, 240.0)) -> pd.DataFrame:
    return pd.DataFrame([(ligand, kind, t, d) for t in times for d in DOSES], columns=list(variability.NEEDED))


def flat(*deviations: float) -> Spread:
    k = len(deviations)
    return Spread(tuple(CHAINS[:k]), np.array(deviations), np.eye(k), np.ones(k, bool))


@pytest.mark.parametrize("cells", [64, 1024])
def test_factors_are_lognormal_with_the_spread_and_correlation_asked_for(cells):
    together = np.array([[1.0, 0.4, 0.0], [0.4, 1.0, -0.3], [0.0, -0.3, 1.0]])
    deviations = np.array([0.8, 0.5, 0.3])
    logs = np.log(factors(Spread(CHAINS, deviations, together, np.ones(3, bool)), cells))
    assert logs.shape == (cells, 3)
    assert np.median(logs, axis=0) == pytest.approx(0.0, abs=0.05)
    assert logs.std(axis=0) == pytest.approx(deviations, rel=0.05)
    assert np.corrcoef(logs.T) == pytest.approx(together, abs=0.05)
    for column, deviation in zip(logs.T, deviations, strict=True):
        assert stats.kstest(column, "norm", args=(0, deviation)).statistic < 0.05


def test_measured_moments_of_a_lognormal_give_its_spread_back(monkeypatch):
    """Moments by the formulas of SciPy for two chains whose logarithms have known deviations and covariance."""
    law = [stats.lognorm(0.8, scale=3000.0), stats.lognorm(0.5, scale=900.0)]
    covariance = law[0].mean() * law[1].mean() * np.expm1(0.3 * 0.8 * 0.5)

    def row(i, j, together):
        return {
            "cell": "Treg", "receptor": CHAINS[i], "other_receptor": CHAINS[j], "mean_per_cell": str(law[i].mean()),
            "other_mean_per_cell": str(law[j].mean()), "covariance_count2": str(together), "skewness": "3",
        }  # fmt: skip

    given = [row(0, 0, law[0].var()), row(1, 1, law[1].var()), row(0, 1, covariance)]
    monkeypatch.setattr(population, "measurements", lambda name: given)
    found = spread("Treg", CHAINS)
    assert found.deviations[:2] == pytest.approx([0.8, 0.5])
    assert found.correlations[0, 1] == pytest.approx(0.3)
    assert found.measured.tolist() == [True, True, False]


def test_moments_made_by_a_few_cells_do_not_enter():
    """IL2RG has variances up to 600 times the mean squared; none of its rows may set a spread."""
    for kind in CORE:
        found = spread(kind, CHAINS)
        assert not found.measured[2]
        assert (found.deviations < 1.3).all()
        assert np.linalg.eigvalsh(found.correlations).min() > 0
    assert spread("Treg", CHAINS).measured[:2].all()
    low, high = (spread("NK", CHAINS, end).deviations for end in ("low", "high"))
    assert (low[[0, 2]] < high[[0, 2]]).all() and low[1] == high[1]


def test_errors():
    with pytest.raises(Il2Error, match="power of two"):
        factors(flat(0.5), 48)
    with pytest.raises(Il2Error, match="no spread of IL4R"):
        spread("Treg", ("IL4R",))
    with pytest.raises(Il2Error, match="unknown end"):
        spread("Treg", CHAINS, "middle")
    with pytest.raises(Il2Error, match="dose_nM"):
        predict_moments(wells().drop(columns="dose_nM"))
    assert "spread" in ENDS


def test_equal_cells_have_no_variance(monkeypatch):
    monkeypatch.setattr(variability, "spread", lambda kind, chains, end: flat(*[1e-9] * len(chains)))
    found = predict_moments(wells(), cells=4, threads=1)
    assert found["variance"].to_numpy() == pytest.approx(0.0, abs=1e-12)
    assert found["mean"].to_numpy() == pytest.approx(found["of_median_cell"].to_numpy(), rel=1e-5)


@pytest.mark.parametrize("chain", [0, 1])
def test_the_median_over_cells_is_that_of_the_median_cell_if_one_chain_differs(monkeypatch, chain):
    """pSTAT5 at 30 min rises with the chain, so that the order of cells is that of their receptors."""
    alone = [1e-9] * 3
    alone[chain] = 0.8
    monkeypatch.setattr(variability, "spread", lambda kind, chains, end: flat(*alone))
    found = predict_moments(wells(times=(30.0,)), cells=128, threads=1)
    assert found["variance"].max() > 1e-4
    assert found["median"].to_numpy() == pytest.approx(found["of_median_cell"].to_numpy(), rel=0.02, abs=1e-4)


def test_a_small_spread_gives_the_variance_of_the_slope(monkeypatch):
    """Delta method: variance is deviation squared times the slope by the log count, from two further cells."""
    small, step = 0.05, 0.02
    monkeypatch.setattr(variability, "spread", lambda kind, chains, end: flat(1e-9, small, 1e-9))
    found = predict_moments(wells("CD8"), cells=256, threads=1)
    ends = []
    for sign in (-1, 1):
        own = cell("CD8")
        counts = dict(own.counts)
        value = counts["IL2RB"].value * np.exp(sign * step)
        counts["IL2RB"] = type(counts["IL2RB"])(value, value, value, "high", ("user",))
        other = type(own)(own.name, own.parent, own.lineage, own.definition, own.in_default_run, own.note, counts)
        monkeypatch.setattr(variability, "cell", lambda name, other=other: other)
        ends.append(predict_moments(wells("CD8"), cells=2, threads=1)["of_median_cell"].to_numpy())
    slope = (ends[1] - ends[0]) / (2 * step)
    assert found["variance"].to_numpy() == pytest.approx((small * slope) ** 2, rel=0.1, abs=1e-7)


def test_wells_are_answered_in_their_order():
    many = pd.concat([wells("NK", "IL15"), wells("Treg")], ignore_index=True)
    whole = predict_moments(many, cells=4, threads=1)
    mixed = predict_moments(many.sample(frac=1.0, random_state=1), cells=4, threads=1)
    pd.testing.assert_frame_equal(whole, mixed.sort_index(), check_exact=False, rtol=1e-4, atol=1e-6)


def test_as_many_cells_as_are_taken_are_enough(table):
    some = table.sample(200, random_state=0)
    for name, most in (("mean", 0.02), ("variance", 0.02)):
        fine = predict_moments(some[list(variability.NEEDED)], cells=512, threads=1)[name]
        assert (some[name] - fine).abs().max() < most


def test_the_table_of_single_cells():
    rows = measurements("single_cell_pstat5")
    assert sum(row["excluded"] == "suspect well" for row in rows) == 4
    assert sum(row["excluded"] == "zero-treatment well" for row in rows) == 8
    found = measured_moments()
    assert len(found) == len(rows) - 12
    assert found["median_rfu"].notna().all()
    for _, own in found.groupby(["ligand", "cell", "replicate"]):
        assert np.corrcoef(own["mean_rfu"], own["median_rfu"])[0, 1] > 0.75


def test_the_scale_of_a_plate_is_that_of_least_squares_of_its_means(table):
    for _, plate in table.groupby(PLATE):
        seen, told = plate["seen_mean"].to_numpy(), plate["told_mean"].to_numpy()
        assert told @ (told - seen) == pytest.approx(0.0, abs=1e-6)
        ratio = (plate["told_variance"] - plate["noise"])[plate["told_mean"] > 0.2] / plate["variance"]
        assert (ratio.dropna() > 0).all()


def test_scale_of_the_instrument_does_not_matter(monkeypatch, table):
    given = measured_moments()
    brighter = given.assign(
        mean_rfu=7 * given["mean_rfu"], variance_rfu2=49 * given["variance_rfu2"], median_rfu=7 * given["median_rfu"]
    )
    monkeypatch.setattr(variability, "measured_moments", lambda: brighter)
    pd.testing.assert_frame_equal(compare(aligned(cells=32, threads=1)), compare(table), rtol=1e-6)


def test_a_perfect_prediction_scores_as_one(table):
    """The predicted moments as if they had been measured."""
    own = table.assign(seen_mean=table["told_mean"], seen_variance=table["told_variance"])
    found = compare(own.assign(seen_median=own["told_median"]))
    assert found[["r2_mean", "r2_sd", "r_sd", "cv_ratio", "height"]].to_numpy() == pytest.approx(1.0)
    peaked = found[found["peaks"].str[0] != "0"]
    assert peaked["peak_log10"].to_numpy() == pytest.approx(0.0)
    assert found["shift_seen"].to_numpy() == pytest.approx(found["shift_told"].to_numpy(), nan_ok=True)


def test_place_and_height_of_a_maximum():
    doses = np.array([0.01, 0.1, 1.0, 10.0, 100.0])
    assert variability._inside(doses, np.array([0.0, 0.5, 1.0, 0.6, 0.3])) == 1.0
    assert np.isnan(variability._inside(doses, np.array([0.0, 0.5, 1.0, 0.9, 0.9])))
    assert variability._smooth(np.array([0.0, 0.0, 9.0, 0.1, 0.2])).max() == 0.2  # one stray well


def test_spread_over_cells_follows_from_receptors_in_unfused_ligands(table):
    """Guard of what the documentation says; no progress is asked for."""
    found = compare(table).set_index(["ligand", "cell"])
    assert len(found) == 20
    assert found.loc[["IL2", "IL15"], "r_sd"].median() > 0.7
    assert found.loc[["IL2", "IL15"], "cv_ratio"].median() == pytest.approx(1.0, abs=0.35)
    assert set(MOMENTS) <= set(table.columns)


def test_figure(table):
    drawn = figure(table)
    assert len(drawn.axes) == 20
    assert render(drawn, dpi=40)[:4] == b"\x89PNG"
