"""The joint calibration: which points enter, what candidates change, what is left out, and its objective."""

import numpy as np
import pandas
import pytest
from scipy.optimize import brentq

from il2.engine.solve import solve
from il2.errors import Il2Error
from il2.fit import binding
from il2.fit.block import rows as lane_rows
from il2.fit.candidate import MECHANISMS, mechanism
from il2.fit.free import DYNAMIC, NOISE, OBSERVATION, native
from il2.fit.joint import FUSED, LINE, Choice, Joint, joint, measured, measured_count
from il2.fit.leave import KINDS, curve, folds, judged, leave, placed
from il2.fit.measured import PERCENT, RFU, frame
from il2.fit.prior import FREE, HELD, UPTAKES, prior, table
from il2.fit.score import PERCENTILE
from il2.knowledge.cell import cell, is_cell
from il2.knowledge.quantity import quantities
from il2.knowledge.table import rows
from il2.network.program import lower
from il2.receptor.ligand import ligand
from il2.receptor.trafficking import count
from il2.signalling.response import response_of

KEY = ["set", "date", "replicate", "ligand", "cell", "time_min", "dose_nM", "value"]
RIGHT = ("pbmc_pstat5", "fc_fusion_pstat5", "yt1_pstat5")
OFFSET = 0.08  # largest, of every free number from its prior, on its scale


@pytest.fixture(scope="module")
def points() -> pandas.DataFrame:
    return measured()


@pytest.fixture(scope="module")
def few(points) -> pandas.DataFrame:
    """Some wells of every kind: wild types and a fusion on three cells, and the cell line."""
    doses = points.groupby("set")["dose_nM"].transform(lambda d: d.rank(method="dense") % 4 == 0)
    kept = points["cell"].isin(("Treg", "NK", "Th_naive", "YT-1 IL2Ra+", "YT-1 IL2Ra-")) & doses.astype(bool)
    kept &= points["ligand"].isin(("IL2", "IL15", "WT N-term")) & points["time_min"].isin((30.0, 240.0, 500.0))
    one = points["replicate"].isin(("", "1", "a", points["replicate"][points["set"] == "fc_fusion_pstat5"].iloc[0]))
    return points[kept & one].reset_index(drop=True)


@pytest.fixture(scope="module")
def small(few) -> Joint:
    return joint(points=few, threads=1)


def off_centre(made: Joint) -> np.ndarray:
    return made.problem.start() + OFFSET * np.random.default_rng(1).uniform(-1.0, 1.0, len(made.problem.free))


# Points


def test_the_points_are_those_of_the_frame_that_are_not_flagged(points):
    whole = frame()
    flow = whole[(whole.unit == RFU) & (whole.flag == "") & (whole.dose_nM > 0)]
    line = whole[
        (whole.set == LINE) & (whole.unit == PERCENT) & (whole.flag == "") & whole.ligand.isin(("IL2", "IL15"))
    ]
    expected = pandas.concat([flow, line])[[c for c in KEY if c != "time_min"]]
    found = points[points.set != binding.SET][[c for c in KEY if c != "time_min"]]
    order = list(expected.columns)
    one, other = (f.sort_values(order).reset_index(drop=True) for f in (found, expected))
    pandas.testing.assert_frame_equal(one, other)
    assert not found.assign(t=points.time_min).duplicated().any()


def test_flagged_wells_and_what_was_kept_apart_never_enter(points):
    data = points[points.set != binding.SET]
    assert set(data.set) == set(RIGHT) and set(data.flag) == {""} and (data.dose_nM > 0).all()
    assert set(data.use) == {"calibration"}
    assert not points.ligand.str.contains("H16L").any()
    assert not points.ligand.isin(("IL4", "IL7", "C5 nanoring", "B22 nanoring")).any()
    assert set(points.readout[points.set.isin(RIGHT)]) == {"pSTAT5"}
    assert all(is_cell(name) for name in data.cell) and np.isfinite(points.y).all()


def test_values_are_in_units_of_their_plate_without_background(points):
    flow = points[points.set.isin(RIGHT[:2])]
    for _, plate in flow.groupby(["set", "date", "replicate", "cell"]):
        assert np.percentile(plate.y, PERCENTILE) == pytest.approx(1.0)
        for _, own in plate.groupby("ligand"):  # one background and one reference: a straight line
            fitted = np.polyval(np.polyfit(own.value, own.y, 1), own.value)
            assert own.y.to_numpy() == pytest.approx(fitted, abs=1e-9)
            dark = own[own.time_min.isin((30.0, 60.0))].sort_values("dose_nM").y.iloc[:4]
            assert abs(np.median(dark)) < 0.1
    line = points[points.set == LINE]
    assert (line.y == line.value / 100).all()


def test_a_population_that_shares_cells_with_another_counts_half(points):
    weights = points[points.set.isin(RIGHT[:2])].groupby("cell").weight.agg(["min", "max"])
    assert (weights["min"] == weights["max"]).all()
    for name, weight in weights["min"].items():
        parts = any(cell(other).parent == name for other in weights.index)
        assert weight == (0.5 if parts or cell(name).parent else 1.0), name
    assert {"Treg", "Th", "CD8", "NK"} <= set(weights.index)


def test_the_problem_holds_every_point_once_with_its_own_lane(points):
    made = joint(points=points, threads=1)
    assert made.problem.n_points == len(made.points) == (points.set != binding.SET).sum()
    assert sorted(made.points[["set", "ligand", "cell"]].drop_duplicates().itertuples(index=False)) == sorted(
        points[points.set != binding.SET][["set", "ligand", "cell"]].drop_duplicates().itertuples(index=False)
    )
    start = 0
    for of in made.problem.blocks:
        part = made.points.iloc[start : start + len(of.points)]
        start += len(part)
        names = of.network.parameter_names
        (slot,) = [n for n in names if n in ("IL2_dose", "IL15_dose")]
        assert (of.base[of.points.lane, names.index(slot)] == part.dose_nM.to_numpy()).all()
        assert (of.times_min[of.points.time] == part.time_min.to_numpy()).all()
        assert (of.points.value == part.y.to_numpy()).all() and (of.points.weight == part.weight.to_numpy()).all()
        assert {name.split(" ", 1)[1] for name in of.points.noise} == set(part.block)
        assert (of.points.censored == 0).all()


def test_counts_and_affinities_begin_where_the_tables_stand(points):
    made = joint(points=points, threads=1)
    start = native(made.problem.free, made.problem.start())
    for of in made.problem.blocks:
        values, names = lane_rows(of, made.problem.place, start), of.network.parameter_names
        part = made.points[made.points.block == of.points.noise[0].removeprefix("noise ")]
        lanes = part[["ligand", "cell", "dose_nM"]].drop_duplicates().reset_index(drop=True)
        base = part.base.iloc[0]
        for chain in ("IL2RA", "IL2RB", "IL2RG"):
            if count(chain) in names and not lanes.cell.str.startswith("YT-1").any():
                expected = [measured_count(kind, chain) for kind in lanes.cell]
                assert values[:, names.index(count(chain))] == pytest.approx(expected)
        if base == "IL2" and lanes.cell.str.startswith("YT-1").any():
            none = (lanes.cell == "YT-1 IL2Ra-").to_numpy()
            assert (values[none, names.index(count("IL2RA"))] == 0).all()
            assert (values[~none, names.index(count("IL2RA"))] > 0).all()
        for chain in FUSED if base == "IL2" else ():
            factors = values[:, names.index(f"IL2_factor_{chain}")]
            fused = np.array([ligand(name).is_fc for name in lanes.ligand])
            assert (factors[~fused] == 1.0).all()
            wild = {
                r["interface"]: float(r["kd_nM"]) for r in rows("assay_references")
                if r["assay"] == "octet_bli" and r["reference"] == "default"
            }  # fmt: skip
            interface = {"IL2RA": "IL2RA", "IL2RB": "IL2RBG"}[chain]
            for name, factor in zip(lanes.ligand[fused], factors[fused], strict=True):
                ratio = dict(ligand(name).kds)[interface] / wild[interface]
                assert factor == pytest.approx(ratio * prior(FUSED[chain], FREE).centre), (name, chain)


# Priors and choices


@pytest.mark.parametrize("uptake", UPTAKES)
def test_every_constant_with_a_prior_is_a_parameter_and_lies_in_its_bounds(uptake):
    known = set(quantities()) | set(response_of_all())
    for name, row in table(uptake).items():
        if name not in MECHANISMS and not name.startswith(("error of", "count", "scale", "noise", "YT-1", "batch")):
            assert name in known or name.split("_")[0] in ("IL2RA", "Fc", "masking"), name
        assert float(row["low"]) <= float(row["centre"]) <= float(row["high"]) and float(row["spread"]) > 0
    with pytest.raises(Il2Error, match="no prior"):
        prior("recyling_rate", uptake)


def response_of_all() -> set[str]:
    from il2.receptor.model import system

    return {name for base in ("IL2", "IL15") for name in response_of(system(base)).parameter_names}


def test_held_uptake_is_narrower_and_is_asked_to_meet_the_bench(points, few):
    one, other = (joint(Choice(uptake), few, 1) for uptake in (FREE, HELD))
    assert one.problem.names == other.problem.names
    changed = [(f, g) for f, g in zip(one.problem.free, other.problem.free, strict=True) if f != g]
    assert changed and all(f.low <= g.low < g.high <= f.high and g.high / g.low < f.high / f.low for f, g in changed)
    spreads = {f.name: (f.spread, g.spread) for f, g in changed}
    for name in ("internalisation_signalling", "degradation_rate"):  # what labelled IL-2 tells
        assert spreads[name][1] < 0.2 * spreads[name][0]
    held = joint(Choice(HELD), points, 1)
    asked = held.points[held.points.set == binding.SET]
    assert set(asked.cell) == {"T019"} and held.problem.n_points == joint(points=points).problem.n_points + len(asked)
    with pytest.raises(Il2Error, match="unknown set of priors"):
        joint(Choice("fixed"), few, 1)


def test_without_assay_errors_ligands_share_one_scale(few):
    made = joint(Choice(assay_errors=False), few, 1)
    assert set(joint(points=few, threads=1).problem.names) - set(made.problem.names) == {
        "WT N-term IL2RA", "WT N-term IL2RBG",
    }  # fmt: skip
    wide = joint(Choice(count_spread=0.77), few, 1)
    spreads = {f.name: f.spread for f in wide.problem.free}
    assert spreads["Treg IL2RA"] == spreads["NK IL2RG"] == 0.77 != spreads["YT-1 IL2RB"]


# Candidates


def parameters(made: Joint, x: dict[str, float]) -> list[dict[str, np.ndarray]]:
    """Values of every lane by name, of each block."""
    at = native(made.problem.free, placed(made.problem, x))
    found = [(of, lane_rows(of, made.problem.place, at)) for of in made.problem.blocks]
    return [dict(zip(of.network.parameter_names, p.T, strict=True)) for of, p in found]


def lanes_of(made: Joint) -> list[pandas.DataFrame]:
    keep = ["ligand", "cell", "dose_nM"]
    parts = [part for _, part in made.points.groupby("block", sort=True)]
    return [part[keep].drop_duplicates().reset_index(drop=True) for part in parts]


CHANGES = {
    "lineage gain": ({"lineage gain Treg", "lineage gain NK", "lineage gain Th"}, set(), {"STAT5_half_activation"}),
    "no feedback": (set(), {"SOCS_strength"}, {"SOCS_strength"}),
    "no endosomal signalling": (set(), {"endosomal_signalling_weight"}, {"endosomal_signalling_weight"}),
    "full endosomal signalling": (set(), {"endosomal_signalling_weight"}, {"endosomal_signalling_weight"}),
    "common sorting": (
        set(),
        {f"{kind}_{chain}" for kind in ("internalisation", "sorting") for chain in ("IL2RA", "IL2RG", "IL15RA")},
        {f"{kind}_{chain}" for kind in ("internalisation", "sorting") for chain in ("IL2RA", "IL2RG", "IL15RA")},
    ),
    "IL2RA induction": ({"IL2RA_induction"}, set(), {"IL2RA_induction"}),
    "IL2RA shedding": ({"IL2RA_loss"}, set(), {"IL2RA_loss"}),
    "slow fusions": ({"Fc_fusion_association"}, set(), {"ligand_association_rate"}),
    "batch of cells": (
        {"batch IL2RA", "batch IL2RB", "batch IL2RG"}, set(), {count(c) for c in ("IL2RA", "IL2RB", "IL2RG")},
    ),
}  # fmt: skip


def test_every_candidate_is_looked_at():
    assert CHANGES.keys() == MECHANISMS.keys()
    with pytest.raises(Il2Error, match="unknown mechanism"):
        mechanism("shedding")


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_candidate_changes_what_it_says_and_nothing_else(few, small, name):
    made = joint(Choice(mechanisms=(name,)), few, 1)
    brings, takes, touches = CHANGES[name]
    assert set(made.problem.names) - set(small.problem.names) == brings
    assert set(small.problem.names) - set(made.problem.names) == takes & set(small.problem.names)
    x = dict(zip(small.problem.names, off_centre(small), strict=True)) | dict.fromkeys(brings, 0.3)
    differing = set()
    for own, plain, lanes in zip(parameters(made, x), parameters(small, x), lanes_of(made), strict=True):
        fused = np.array([ligand(item).is_fc for item in lanes.ligand])
        for parameter, values in own.items():
            if parameter not in plain:
                assert parameter in brings and values == pytest.approx(10**0.3)
                differing.add(parameter)
                continue
            changed = values != plain[parameter]
            differing |= {parameter} if changed.any() else set()
            if name in ("slow fusions", "batch of cells"):
                assert (changed == (fused if parameter in touches else False)).all()
            if name == "lineage gain" and parameter in touches:
                line = lanes.cell.str.startswith("YT-1").to_numpy()
                assert (values[~line] / plain[parameter][~line]) == pytest.approx(10**0.3) and not changed[line].any()
    assert differing == touches


def test_candidates_fix_and_share_the_numbers_that_they_say(few):
    x = {"sorting_IL2RB": -0.4, "internalisation_IL2RB": -2.1}
    for own in parameters(joint(Choice(mechanisms=("common sorting",)), few, 1), x):
        for parameter, values in own.items():
            kind = parameter.split("_")[0]
            if kind in ("sorting", "internalisation") and parameter.split("_")[1].startswith("IL"):
                assert values == pytest.approx(10 ** x[f"{kind}_IL2RB"])
    for name, parameter, value in (
        ("no feedback", "SOCS_strength", 0.0), ("no endosomal signalling", "endosomal_signalling_weight", 0.0),
        ("full endosomal signalling", "endosomal_signalling_weight", 1.0),
    ):  # fmt: skip
        assert all((own[parameter] == value).all() for own in parameters(joint(Choice(mechanisms=(name,)), few, 1), {}))


def test_induction_raises_and_shedding_lowers_what_is_there_of_il2ra(few):
    part = few[(few.set == "pbmc_pstat5") & (few.ligand == "IL2") & (few.cell == "Treg")]
    plain = joint(points=part, threads=1)
    before = plain.problem.signals(plain.problem.start())[0]
    late = plain.points.time_min.to_numpy() == 240.0
    late &= (plain.points.dose_nM == plain.points.dose_nM.min()).to_numpy()  # where IL2RA counts and feedback is weak
    assert late.any()
    for name, number, sign in (("IL2RA induction", "IL2RA_induction", 1), ("IL2RA shedding", "IL2RA_loss", -1)):
        made = joint(Choice(mechanisms=(name,)), part, 1)
        strong = made.problem.signals(placed(made.problem, {number: -1.5}))[0]
        assert (sign * (strong - before)[late] > 0).all()
        weak = made.problem.signals(placed(made.problem, {number: -9.0}))[0]
        assert weak == pytest.approx(before, rel=1e-3)


# What is left out


def test_folds_leave_out_what_they_name_and_nothing_else(points):
    parts = folds(points)
    flow = points.set.isin(RIGHT[:2]).to_numpy()
    seen = {kind: np.zeros(len(points), int) for kind in KINDS}
    for (kind, name), mask in parts.items():
        assert mask.any() and not mask.all()
        seen[kind] += mask
        out, rest = points[mask], points[~mask & flow]
        if kind == "ligand":
            assert set(out.ligand) == {name} and name not in set(rest.ligand) and flow[mask].all()
        if kind == "cell":
            assert {cell(c).parent or c for c in out.cell} == {name}
            assert not any(name in (c, cell(c).parent) for c in rest.cell) and flow[mask].all()
        if kind == "date":
            run = name.removeprefix("run ")
            assert set(out.replicate) == {run} and set(out.set) == {"pbmc_pstat5"}
            assert run not in set(rest.replicate[rest.set == "pbmc_pstat5"])
    assert (seen["ligand"] == flow).all() and (seen["cell"] == flow).all()
    assert (seen["date"] == (points.set == "pbmc_pstat5")).all()
    assert (seen["assay"] == (points.set.isin(("fc_fusion_pstat5", LINE)))).all()
    assert not any(mask[(points.set == binding.SET).to_numpy()].any() for mask in parts.values())
    assert {kind for kind, _ in folds(points, ("cell",))} == {"cell"}


def test_a_refit_does_not_see_what_is_left_out(few, monkeypatch):
    asked: list[Joint] = []

    def climb(problem, index, x0, most_evaluations=60):
        from il2.fit.search import Start

        asked.append(problem)
        return Start(index, x0, x0, 0.0, 0, "")

    monkeypatch.setattr("il2.fit.leave.climb", climb)
    told = []
    found = leave(Choice(), few, {}, ("ligand",), threads=1, on_done=told.append)
    assert found == told and [(f.kind, f.name) for f in found] == list(folds(few, ("ligand",)))
    for problem, out in zip(asked, found, strict=True):
        assert problem.n_points + len(out.points) == len(few)
        assert set(out.points.ligand) == {out.name} and np.isfinite(out.points.log_density).all()
        assert not any(use.free.startswith(f"{out.name} ") for of in problem.blocks for use in of.uses)
        assert not any(name.endswith(f" {out.name}") for of in problem.blocks for name in of.points.background)


@pytest.fixture(scope="module")
def synthetic(few) -> tuple[pandas.DataFrame, dict[str, float]]:
    """Wells as the model makes them at a position, with scale, background and noise, and that position by name."""
    made = joint(points=few, threads=1)
    x = dict(zip(made.problem.names, off_centre(made), strict=True))
    x |= {f.name: np.log10(0.03) for f in made.problem.free if f.kind == NOISE}
    random = np.random.default_rng(3)
    y = np.concatenate(made.problem.predictions(placed(made.problem, x)))
    return made.points.assign(y=y + 0.03 * random.standard_t(4, len(y))), x


def test_judged_prefers_the_truth(synthetic):
    points, truth = synthetic
    unseen = joint(points=points, threads=1)
    best = judged("ligand", "all", unseen, truth)
    assert (best.kind, best.name, len(best.points)) == ("ligand", "all", len(points))
    for name, shift in (("Treg IL2RA", 0.7), ("KD_IL2_IL2RA", -0.8), ("STAT5_half_activation", 0.6)):
        worse = judged("ligand", "all", unseen, truth | {name: truth[name] + shift})
        gains = np.bincount(curve(points), best.points["log_density"] - worse.points["log_density"])
        assert gains.sum() > 2 * gains.std() * np.sqrt(len(gains)) > 0, name


def test_judged_takes_only_scale_and_background_from_what_was_left_out(synthetic):
    points, truth = synthetic
    unseen = joint(points=points, threads=1)
    found = judged("ligand", "all", unseen, truth).points
    changed = {f.name for f in unseen.problem.free if f.kind == OBSERVATION}
    off = judged("ligand", "all", unseen, truth | dict.fromkeys(changed, 0.5)).points
    assert (found.expected == off.expected).all() and (found.log_density == off.log_density).all()
    for _, plate in found.groupby("plate"):
        for _, own in plate.groupby("ligand") if plate.set.iloc[0] != LINE else ():
            fitted = np.polyval(np.polyfit(own.predicted, own.expected, 1), own.predicted)
            assert own.expected.to_numpy() == pytest.approx(fitted, abs=1e-9)
    residual = (found.expected - found.y).to_numpy()
    assert np.median(np.abs(residual)) < 2 * 0.03
    lost = {name: value for name, value in truth.items() if name != "noise pbmc_pstat5 IL2"}
    assert (judged("ligand", "all", unseen, lost).points.log_density == found.log_density).all()  # all were equal


def test_curves_are_told_apart_by_plate_ligand_and_time(few):
    number = curve(few)
    key = few[["set", "plate", "ligand", "time_min"]].astype(str).agg("|".join, axis=1)
    assert pandas.Series(number).groupby(key.to_numpy()).nunique().eq(1).all() and len(set(number)) == key.nunique()


# The objective


def test_the_gradient_agrees_with_differences(small):
    problem, x, step = small.problem, off_centre(small), 1e-3
    value, slope = problem.log_density(x)
    asked = [
        "recycling_rate", "KD_IL2_IL2RA", "KD_IL15_IL2RB_IL2RG", "STAT5_half_activation", "Treg IL2RB", "YT-1 IL2RG",
        "Fc_fusion_IL2RB_factor", "WT N-term IL2RBG",
        *(next(f.name for f in problem.free if f.kind == OBSERVATION and f.name.startswith(k)) for k in ("sc", "back")),
        next(f.name for f in problem.free if f.kind == NOISE),
    ]  # fmt: skip
    assert np.isfinite(value)
    for name in asked:
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[problem.place[name]] += sign * step
            ends.append(problem.log_density(moved)[0])
        assert slope[problem.place[name]] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=5e-3, abs=0.05), name


def test_a_position_is_found_by_name_and_the_rest_stays_at_its_prior(small):
    x = placed(small.problem, {"recycling_rate": -1.7, "no such number": 3.0})
    assert x[small.problem.place["recycling_rate"]] == -1.7
    rest = [k for k, name in enumerate(small.problem.names) if name != "recycling_rate"]
    assert (x[rest] == small.problem.start()[rest]).all()
    assert {f.kind for f in small.problem.free} == {DYNAMIC, OBSERVATION, NOISE}


def test_the_fit_and_predictions_with_the_calibrated_set_are_one_model(few):
    """Every constant, count, error of an assay and effect of a format reaches a prediction as it stood in the fit."""
    from il2.cell.plate import predict_plate
    from il2.knowledge.calibrated import calibrated

    made = joint(points=few, threads=1)
    values = {name: np.log10(found.value) for name, found in calibrated().items()}
    values |= {f"YT-1 {name.rpartition(' ')[2]}": value for name, value in values.items() if name.startswith("YT-1")}
    known = [f.name for f in made.problem.free if f.kind == DYNAMIC]
    assert set(known) <= values.keys()
    x = placed(made.problem, {name: values[name] for name in known})
    plate = made.points[["ligand", "cell", "dose_nM", "time_min"]]
    found = predict_plate(plate)
    assert (found.status == "ok").all() and set(plate.ligand) >= {"IL2", "IL15", "WT N-term"}
    assert np.concatenate(made.problem.signals(x)) == pytest.approx(found.pstat5.to_numpy(), rel=2e-3, abs=1e-5)


# Bench protocols


def share(protocol: str, held: str, counts: dict[str, float], dose: float, times: list[float]) -> np.ndarray:
    """The read-out of a protocol over time at the default constants."""
    from il2.engine.observe import readouts

    network = binding.bench(protocol, held)
    values = {count(c): counts.get(c, 0.0) for c in ("IL2RA", "IL2RB", "IL2RG")} | {"IL2_dose": dose}
    p = np.array([list(network.with_values(values | binding.fixed(protocol, network)).defaults().values())])
    found = solve(lower(network), p, np.array(times))
    assert not found.status.any()
    return readouts(network, [binding.READOUTS[protocol]], found.y, p)[0, :, 0]


def test_the_share_at_equilibrium_is_that_of_mass_action():
    total = {"IL2RB": 1000.0, "IL2RG": 4000.0}
    network = binding.bench(binding.EQUILIBRIUM, "IL2RB+IL2RG")
    values = network.defaults()
    first, second = values["KD_IL2_IL2RB"], values["KD_IL2_IL2RB_IL2RG"]
    for dose in (0.1, 1.0, 30.0):
        bound = dose / first  # complexes with IL2RB alone, per free IL2RB

        def balance(free: float, bound: float = bound) -> float:
            gamma = total["IL2RG"] / (1 + free * bound / second)
            return free * (1 + bound + bound * gamma / second) - total["IL2RB"]

        free = brentq(balance, 0.0, total["IL2RB"])
        expected = 1 - free * (1 + bound) / total["IL2RB"]
        assert share(binding.EQUILIBRIUM, "IL2RB+IL2RG", total, dose, [5000.0])[-1] == pytest.approx(expected, rel=1e-3)


def test_a_wash_out_begins_whole_and_falls_and_a_chase_takes_in():
    counts, times = {"IL2RA": 10000.0, "IL2RB": 10000.0, "IL2RG": 3600.0}, [0.0, 1.0, 10.0, 60.0, 300.0]
    left = share(binding.WASHOUT, "IL2RA+IL2RB+IL2RG", counts, 0.0, times)
    assert left[0] == pytest.approx(1.0) and (np.diff(left) < 0).all() and left[-1] > 0
    assert (share(binding.WASHOUT, "IL2RA+IL2RB", counts | {"IL2RG": 0.0}, 0.0, times)[1:] < left[1:]).all()
    inside = share(binding.CHASE, "IL2RA+IL2RB+IL2RG", counts, 0.0, times)
    assert inside[0] == 0.0 and (np.diff(inside[:3]) > 0).all() and (inside <= 1 + 1e-9).all()


def test_the_table_of_binding_is_whole():
    found = binding.points()
    assert set(found.protocol) == set(binding.READOUTS) and found.share.between(0, 1).all() and (found.noise > 0).all()
    assert {row["target"] for row in rows("binding")} == set(found.target)
