"""The model of 2021 under the rules of this package: what was recorded with its posterior comes out again."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from il2.errors import Il2Error
from il2.fit import published as fit
from il2.fit.published import counts, draws, predict, run, sums_of_squares
from il2.network.dimensions import check_units
from il2.receptor import published as receptor
from il2.receptor.head import head
from il2.receptor.published import RATES, constant, dissociation_constants, dissociation_rate, published

CHOSEN = draws()[::8]
NAMES = [f"chain {d['chain']:.0f} draw {d['draw']:.0f}" for d in CHOSEN]
DOSES = 84 / 3.0 ** np.arange(12)


def wells(ligands=("IL2", "IL15"), cells=("Treg", "NK"), times=(30, 240), **kds) -> pd.DataFrame:
    places = [(ligand, c, t, d) for ligand in ligands for c in cells for t in times for d in DOSES]
    return pd.DataFrame(places, columns=["ligand", "cell", "time_min", "dose_nM"]).assign(**kds)


@pytest.mark.parametrize("draw", CHOSEN, ids=NAMES)
def test_recorded_sums_of_squares(draw):
    again = sums_of_squares(draw)
    print({name: f"recorded {draw[name]:.6f}, re-run {value:.6f}" for name, value in again.items()})
    assert again == {name: pytest.approx(draw[name], rel=1e-4) for name in fit.RECORDED}


@pytest.mark.parametrize(("name", "factor"), [("endosomal_signalling_weight", 0.5), ("endosome_volume", 2.0)])
def test_another_reading_of_the_endosome_misses_what_was_recorded(monkeypatch, name, factor):
    """Densities or molecules: the sums of squares tell them apart by more than the 1 % asked for."""

    def other(ligand, draw):
        values = receptor.parameters(ligand, draw)
        return values | {name: factor * values[name]}

    monkeypatch.setattr(fit, "parameters", other)
    off = [abs(sums_of_squares(draw)["Y_15"] / draw["Y_15"] - 1) for draw in CHOSEN]
    assert min(off) > 0.01


@pytest.mark.parametrize("ligand", RATES)
def test_detailed_balance_as_the_authors_write_it(ligand):
    """k12 = k1 k11 / k2, k8 = k10 k12 / k5, k9 = k10 k11 / k4; for IL-15 k24, k20 and k21 likewise."""
    draw = CHOSEN[0]
    k1, k2, k11, k4, k5, k10 = (dissociation_rate(symbol, draw) for symbol in RATES[ligand])
    kds = {held: dissociation_constants(ligand, draw)[step.name] for held, step in head(ligand).steps.items()}
    a, b, g = head(ligand).private, "IL2RB", "IL2RG"
    formed: dict[frozenset, float] = {frozenset(): 1.0}
    for held, step in head(ligand).steps.items():
        formed[held] = formed[step.before] * kds[held]

    def leaves(held: str, without: str) -> float:
        named = {"a": a, "b": b, "g": g}
        before, after = (frozenset(named[c] for c in text) for text in (held, without))
        return formed[before] / formed[after] * (draw["kfwd"] if after else constant("kfbnd"))

    k12 = k1 * k11 / k2
    expected = {
        ("a", ""): k1, ("b", ""): k2, ("ab", "a"): k11, ("ag", "a"): k4, ("bg", "b"): k5, ("abg", "ab"): k10,
        ("ab", "b"): k12, ("abg", "bg"): k10 * k12 / k5, ("abg", "ag"): k10 * k11 / k4,
    }  # fmt: skip
    assert {key: leaves(*key) for key in expected} == pytest.approx(expected)


@pytest.mark.parametrize("ligand", RATES)
def test_units(ligand):
    check_units(published(ligand))


@pytest.mark.parametrize(("ligand", "cell"), [("IL2", "Treg"), ("IL15", "NK")])
def test_written_out_in_densities(ligand, cell):
    """The published equations, written out with densities in the endosome and solved by SciPy, on blood cells."""
    draw, times = CHOSEN[1], np.array([30.0, 240.0])
    k1, k2, k11, k4, k5, k10 = (dissociation_rate(symbol, draw) for symbol in RATES[ligand])
    k12 = k1 * k11 / k2
    k8, k9 = k10 * k12 / k5, k10 * k11 / k4
    own = counts()[cell][head(ligand).private]
    start = np.array([own, counts()[cell]["IL2RB"], counts()[cell]["IL2RG"]])
    on, join, area = constant("kfbnd"), draw["kfwd"], constant("internalFrac")
    returned, lost = draw["kRec"] * (1 - draw["sortF"]), draw["kDeg"] * draw["sortF"]
    active = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1], dtype=bool)
    made = draw["endo"] * start / (1 + returned / lost)

    def binding(y, dose, faster):
        a, b, g, la, lb, lab, lag, lbg, labg = y
        v = [
            on * dose * a - faster * k1 * la,
            on * dose * b - faster * k2 * lb,
            join * la * b - faster * k11 * lab,
            join * lb * a - faster * k12 * lab,
            join * la * g - faster * k4 * lag,
            join * lb * g - faster * k5 * lbg,
            join * lab * g - faster * k10 * labg,
            join * lag * b - faster * k9 * labg,
            join * lbg * a - faster * k8 * labg,
        ]
        return np.array([
            -v[0] - v[3] - v[8], -v[1] - v[2] - v[7], -v[4] - v[5] - v[6], v[0] - v[2] - v[4], v[1] - v[3] - v[5],
            v[2] + v[3] - v[6], v[4] - v[7], v[5] - v[8], v[6] + v[7] + v[8],
        ])  # fmt: skip

    def rates(_, y):
        surface, inside, free = y[:9], y[9:18], y[18]
        bound = binding(inside, free, constant("endosomal_off_rate_factor"))
        taken = (draw["endo"] + draw["activeEndo"] * active) * surface
        back = np.where(active, 0.0, returned) * inside
        outer = binding(surface, dose, 1.0) - taken + area * back
        outer[:3] += made
        inner = bound + taken / area - back - np.where(active, draw["kDeg"], lost) * inside
        return [*outer, *inner, -bound[3:].sum() / constant("internalV") - draw["kDeg"] * free]

    at_rest = np.concatenate([start, np.zeros(6), made / lost / area, np.zeros(7)])
    for dose in (0.01, 10.0):
        second = solve_ivp(rates, (0, 240), at_rest, "LSODA", times, rtol=1e-9, atol=1e-10)
        total = second.y[7:9].sum(axis=0) + constant("internalStrength") * second.y[16:18].sum(axis=0)
        values = receptor.parameters(ligand, draw) | {f"{ligand}_dose": dose}
        values |= {f"{c}_count": counts()[cell][c] for c in head(ligand).chains}
        assert run(ligand, values, times)[0] == pytest.approx(total, rel=1e-5)


def test_counts_are_the_geometric_means_of_the_authors():
    assert counts()["NK"]["IL2RB"] == pytest.approx(8502.94)
    assert {table["IL15RA"] for table in counts().values()} == {0.0}


def test_prediction_is_the_mean_over_draws(monkeypatch):
    several = predict(wells(), 3)
    single = []
    for i in (0, 20, 39):
        monkeypatch.setattr(fit, "draws", lambda i=i: draws()[i : i + 1])
        single.append(predict(wells()))
    assert several == pytest.approx(np.mean(single, axis=0))
    assert (several > 0).all()


def test_rows_keep_their_places():
    frame = wells()
    order = np.random.default_rng(1).permutation(len(frame))
    shuffled = frame.iloc[order]
    assert predict(shuffled, 2) == pytest.approx(predict(frame, 2)[order])


def test_a_fusion_with_the_KDs_of_the_model_is_IL2():
    on = constant("kfbnd")
    kds = {"kd_il2ra_nM": constant("k1rev") / on, "kd_il2rbg_nM": draws()[0]["k5rev"] / on}
    assert predict(wells(["anything"], **kds), 1) == pytest.approx(predict(wells(["IL2"]), 1))


def test_KDs_become_rates_as_the_authors_do_it():
    draw = CHOSEN[2]
    factors = receptor.fusion_factors(draw, 0.7, 4.0)
    assert factors["IL2_factor_IL2RA"] * constant("k1rev") == pytest.approx(0.6 * 0.7)
    assert factors["IL2_factor_IL2RG"] * draw["k5rev"] == pytest.approx(0.6 * 4.0)
    assert factors["IL2_factor_IL2RB"] == factors["IL2_factor_IL2RG"]


def test_only_the_interface_that_changed_matters():
    """Without IL2RA on the cell, its KD changes nothing; the heterodimer's does."""
    nearly = wells(["x"], ["NK"], kd_il2ra_nM=0.2, kd_il2rbg_nM=4.0)
    weaker = nearly.assign(kd_il2rbg_nM=8.0)
    assert (predict(weaker, 1) < predict(nearly, 1)).all()
    treg = wells(["x"], ["Treg"], kd_il2ra_nM=[0.2] * 12 + [0.4] * 12, kd_il2rbg_nM=4.0, times=(30, 30))
    first, second = predict(treg, 1).reshape(2, 12)
    assert (first[DOSES < 1] > second[DOSES < 1]).all()


def test_saturation_is_that_of_the_draw():
    plain, bent = predict(wells(), 1), predict(wells(), 1, saturated=True)
    assert bent == pytest.approx(plain / (plain + draws()[0]["scale_C5"]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cell": "Tregs"}, "no receptor counts of 'Tregs'"),
        ({"ligand": "H16L N-term"}, "no affinities of 'H16L N-term'"),
        ({"kd_il2ra_nM": 1.0}, "no affinities of 'IL2'"),
    ],
)
def test_what_the_model_has_no_numbers_for(change, says):
    with pytest.raises(Il2Error, match=says):
        predict(wells(["IL2"], ["Treg"]).assign(**change))


def test_more_draws_than_there_are():
    with pytest.raises(Il2Error, match="41 draws"):
        predict(wells(), 41)


def test_another_ligand():
    with pytest.raises(Il2Error, match="no 'IL7'"):
        published("IL7")
