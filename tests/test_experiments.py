"""The runner of virtual experiments on small made-up ones, and the experiments as they stand.

Every experiment is run on the default set and two draws; those that take seconds also on more draws and on probes. What
all of them find on 200 draws is on record, and a record that is older than the code is refused (`il2 lint`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from il2.cell.spread import Range, count_draws, count_ranges, network_ranges, parameter_draws
from il2.errors import Il2Error
from il2.experiments import e01_gene_model_arithmetic, e14_common_gamma_knockout, e15_CD25_blockade
from il2.experiments.criterion import Criterion, Evidence, criteria, verdict
from il2.experiments.experiment import Ablation, Experiment, Outcome, experiment, experiments, perform
from il2.experiments.lanes import alone, bound, half_dose, inventory, reaching, signal
from il2.experiments.record import recorded
from il2.experiments.result import Result
from il2.experiments.sample import LEVELS, Sample, draw
from il2.experiments.show import as_dict, as_text, figure
from il2.knowledge.cell import cell
from il2.knowledge.table import rows
from il2.receptor.head import head

BIG = Criterion("big", ">=", 1.0, "nM")
SUM = Criterion("sum", ">=", 2.0, "nM")
QUICK = ("E01", "E02", "E04", "E06", "E08", "E09", "E10", "E12", "E13", "E14", "E37")
EVERY = tuple(experiments())
WITHOUT_UNIT = ("E01", "E02", "E18")  # over places and over a share


def known(name: str, value: float, low: float, high: float, grade: str = "high") -> Range:
    return Range(name, value, low, high, grade, name)


def fake(*ranges: Range, tests: tuple[Criterion, ...] = (BIG,), **more) -> Experiment:
    """Measures `big` = a and `sum` = a + b; the ablation sets a to 0."""

    def run(sample: Sample) -> Outcome:
        values = {"big": sample["a"], "sum": sample["a"] + sample["b"]}
        x = np.array([1.0, 2.0])
        return Outcome({t.name: values[t.name] for t in tests}, {"line": (x, np.outer(sample["a"], x))})

    table = {"b": known("b", 1.0, 1.0, 1.0)} | {r.name: r for r in ranges}
    ablation = Ablation("a is taken away", lambda sample: sample.changed({"a": 0.0}), (tests[0].name,))
    settings = {"run": run, "ranges": lambda: tuple(table.values()), "ablation": ablation, "axes": ("dose (nM)", "y")}
    return Experiment("E00", "fake", "Is a big?", {}, "", "", "", tests=tests, **(settings | more))


@cache
def result(name: str) -> Result:
    assert name in QUICK
    return perform(experiment(name), draws=60, seed=3)


@cache
def glance(name: str) -> Result:
    """The default set, two draws and the ablation, without probes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("il2.experiments.experiment.draw", partial(draw, probe=False))
        return perform(experiment(name), draws=2, seed=3)


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (3.0, 2.0, 5.0, "shown"),
        (0.2, 0.1, 0.5, "contradicted"),
        (1.1, 0.5, 2.0, "undecided"),
        (0.9, 0.4, 2.0, "undecided"),
    ],
)
def test_verdict_follows_the_share_of_draws(value: float, low: float, high: float, expected: str) -> None:
    found = perform(fake(known("a", value, low, high)))
    assert found.verdict == expected
    drawn = draw([known("a", value, low, high)], 200, 0).values["a"][1:]
    assert found.share == found.measurements[0].share == np.mean(drawn >= 1.0)
    assert found.measurements[0].holds == (value >= 1.0)


def test_fewer_draws_than_200_decide_nothing() -> None:
    found = perform(fake(known("a", 3.0, 2.0, 5.0)), draws=199)
    assert (found.verdict, found.share) == ("undecided", 1.0)
    assert "200" in found.reason


def test_shown_needs_eighty_percent() -> None:
    for share, expected in ((0.8, "shown"), (0.795, "undecided")):
        one = Evidence("x", True, share, 1 - share)
        assert verdict([one], one, 200, True)[0] == expected


def test_without_an_ablation_that_reverses_it_nothing_is_shown() -> None:
    a = known("a", 3.0, 2.0, 5.0)
    assert perform(fake(a)).ablation_reverses
    harmless = Ablation("nothing is taken away", lambda sample: sample, ("big",))
    for ablation in (harmless, None):
        found = perform(fake(a, ablation=ablation))
        assert (found.verdict, found.ablation_reverses) == ("undecided", False)
        assert "ablation" in found.reason


def test_part_of_the_criteria_is_partial_and_says_which_part_failed() -> None:
    far = replace(SUM, threshold=50.0)
    found = perform(fake(known("a", 3.0, 2.0, 5.0), tests=(BIG, far)))
    assert found.verdict == "partial"
    assert "sum" in found.reason and "big" not in found.reason
    assert found.share == 0.0


def test_parts_that_are_met_one_by_one_and_not_at_once_are_partial() -> None:
    parts = [Evidence("x", True, 0.85, 0.15), Evidence("y", True, 0.85, 0.15)]
    assert verdict(parts, Evidence("x", True, 0.7, 0.3), 200, True)[0] == "partial"


def test_one_assumed_parameter_that_flips_the_criterion_makes_it_built_in() -> None:
    assumed, measured = known("a", 3.0, 0.5, 5.0, "assumed"), known("a", 3.0, 0.5, 5.0, "low")
    found = perform(fake(assumed))
    assert (found.origin, found.decided_by, found.weakest_grade) == ("built in", ("a",), "assumed")
    assert perform(fake(measured)).origin == "emergent"
    assert perform(fake(replace(assumed, low=1.5))).origin == "emergent"
    both = perform(fake(assumed, known("b", 1.0, 0.9, 1.1, "assumed"), tests=(BIG, SUM)))
    assert both.decided_by == ("a",)


def test_what_no_parameter_moves_is_built_into_the_wiring() -> None:
    def run(sample: Sample) -> Outcome:
        return Outcome({"big": np.full(sample.size, 2.0)})

    found = perform(fake(known("a", 3.0, 2.0, 5.0), run=run))
    assert found.measurements[0].structural and found.origin == "built in"
    free = perform(fake(run=lambda sample: Outcome({"big": 2.0}), ranges=tuple, ablation=None))
    assert not free.measurements[0].structural and free.origin == "emergent"


def test_a_failed_draw_neither_supports_nor_contradicts() -> None:
    def run(sample: Sample) -> Outcome:
        values = np.array(sample["a"])
        values[1:51] = np.nan
        return Outcome({"big": values})

    found = perform(fake(known("a", 3.0, 2.0, 5.0), run=run))
    assert (found.failed_draws, found.share, found.verdict) == (50, 0.75, "undecided")


def test_probes_span_the_range_of_assumed_parameters_alone() -> None:
    sample = draw([known("a", 3.0, 1.0, 9.0, "assumed"), known("b", 1.0, 0.5, 2.0)], 4, 0)
    assert sample.probes == ("a",) * LEVELS and sample.size == 5 + LEVELS
    assert np.allclose(sample["a"][5:], np.geomspace(1.0, 9.0, LEVELS))
    assert (sample["b"][5:] == 1.0).all() and sample["b"][0] == 1.0


def test_draws_are_those_of_respond() -> None:
    sample = draw((*network_ranges("IL2"), *count_ranges("NK", "IL2")), 7, 5)
    expected = parameter_draws("IL2", 7, 5)
    expected |= {f"NK {c}": v for c, v in count_draws("NK", cell("NK").counts, 7, 5).items() if c in ("IL2RA", "IL2RG")}
    for name, values in expected.items():
        assert np.array_equal(sample[name][1:8], values), name


@pytest.mark.parametrize("name", EVERY)
def test_criteria_come_from_the_table(name: str) -> None:
    listed = [row for row in rows("criteria") if row["experiment"] == name]
    found = criteria(name)
    assert [(c.name, c.threshold, c.unit) for c in found] == [
        (row["name"], float(row["threshold"]), row["unit"]) for row in listed
    ]
    tested = [m for m in glance(name).measurements if m.holds is not None]
    assert [(m.name, m.criterion) for m in tested] == [(c.name, c.text) for c in found]
    assert all(not np.isnan(m.value) for m in tested) and glance(name).failed_draws == 0


def test_criteria_have_sources_and_an_experiment() -> None:
    assert {row["experiment"] for row in rows("criteria")} == set(EVERY)
    known_sources = {row["id"] for row in rows("sources")}
    assert {s for row in rows("criteria") for s in row["source"].split(";")} <= known_sources


def test_comparisons() -> None:
    values = np.array([0.5, 1.9, 2.0, 50.0, 51.0, np.inf, np.nan])
    within = Criterion("x", "within 5x", 10.0, "nM")
    assert within.holds(values).tolist() == [False, False, True, True, False, False, False]
    assert Criterion("x", ">", 2.0, "nM").holds(values).tolist() == [False, False, False, True, True, True, False]
    with pytest.raises(Il2Error, match="comparison"):
        Criterion("x", "near", 1.0, "nM")


def test_half_dose_tells_no_rise_from_failure() -> None:
    doses = np.array([1.0, 10.0, 100.0])
    curves = np.array([[0.0, 0.5, 1.0], [0.0, 0.0, 0.0], [0.0, np.nan, 1.0]])
    assert np.array_equal(half_dose(doses, curves), [10.0, np.inf, np.nan], equal_nan=True)


@pytest.mark.parametrize("name", EVERY)
def test_every_claim_of_an_experiment_has_a_status(name: str) -> None:
    one = experiment(name)
    assert set(one.claims) == {row["id"] for row in rows("claims") if row["experiment"] == name}
    assert [c.id for c in glance(name).claims] == list(one.claims)
    assert all(c.reason and c.statement for c in glance(name).claims)


def test_every_experiment_has_a_verdict_on_record_on_enough_draws() -> None:
    found = recorded()
    assert set(found) == set(EVERY)
    assert all(r.draws >= 200 and set(r.claims) == set(experiment(r.id).claims) for r in found.values())


def test_mistakes_are_named() -> None:
    with pytest.raises(Il2Error, match="E12"):
        experiment("E12x")
    assert experiment("e12").id == "E12"
    a = known("a", 3.0, 2.0, 5.0)
    with pytest.raises(Il2Error, match="big"):
        perform(fake(a, run=lambda sample: Outcome({"bog": 1.0})))
    with pytest.raises(Il2Error, match="unknown criterion 'bug'"):
        perform(fake(a, ablation=Ablation("", lambda sample: sample, ("bug",))))
    with pytest.raises(Il2Error, match="unknown claim"):
        perform(replace(fake(a), claims={"S999-001": ("big",)}))
    with pytest.raises(Il2Error, match="no criterion"):
        perform(replace(fake(a), tests=()))
    with pytest.raises(Il2Error, match="draws"):
        perform(fake(a), draws=0)


def test_an_experiment_without_a_model_is_not_built() -> None:
    found = perform(replace(experiment("E12"), run=None))
    assert found.verdict == "not built" and {c.verdict for c in found.claims} == {"not built"}
    assert "not built" in as_text(found) and json.dumps(as_dict(found))


@pytest.mark.parametrize("name", QUICK)
def test_same_seed_same_bits(name: str) -> None:
    again = perform(experiment(name), draws=60, seed=3)
    assert json.dumps(as_dict(again)) == json.dumps(as_dict(result(name)))


def test_another_seed_is_another_result() -> None:
    assert perform(fake(known("a", 1.1, 0.5, 2.0)), seed=1) != perform(fake(known("a", 1.1, 0.5, 2.0)), seed=2)


@pytest.mark.parametrize(("name", "run"), [(n, glance) for n in EVERY] + [(n, result) for n in QUICK])
def test_results_survive_json_and_can_be_read(name: str, run: Callable[[str], Result]) -> None:
    found = run(name)
    assert found.failed_draws == 0 and found.parameter_hash and found.seed == 3
    plain = as_dict(found)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    text = as_text(found)
    assert all(m.name in text for m in found.measurements) and all(c.id in text for c in found.claims)
    left, right = figure(found).axes
    assert left.get_xlabel().replace("\n", " ") == found.axes[0]
    assert re.search(r"\([\w ]+\)", found.axes[0]) or name in WITHOUT_UNIT
    assert left.get_ylabel() and "%" in right.get_xlabel()
    assert len(left.lines) == len(found.curves) > 0


def test_e12_reads_the_ladder_of_the_binding_polynomial() -> None:
    """Half-occupancy from the engine against the equilibrium algebra: alpha alone, and the dimer by mass balance."""
    values = {m.name: m.value for m in result("E12").measurements}
    table = {"+".join(sorted(held)): step.kd for held, step in head("IL2").steps.items()}
    assert values["kd_IL2RA_nM"] == pytest.approx(table["IL2RA"], rel=0.02)
    counts = cell("T_blast").counts
    beta, gamma, k = counts["IL2RB"].value, counts["IL2RG"].value, table["IL2RB+IL2RG"]

    def dimers(dose: np.ndarray) -> np.ndarray:
        """Roots of x = s (b - x)(g - x), s = d / (k (1 + d)) with d the dose over the KD of IL2RB."""
        d = dose / table["IL2RB"]
        effective = k * (1 + d) / d
        total = beta + gamma + effective
        return (total - np.sqrt(total**2 - 4 * beta * gamma)) / 2

    doses = np.geomspace(1e-4, 1e4, 4001)
    half = doses[np.searchsorted(dimers(doses), dimers(doses[-1:])[0] / 2)]
    assert values["kd_dimer_nM"] == pytest.approx(half, rel=0.05)


def test_e12_ablation_takes_the_top_step_away() -> None:
    found = result("E12")
    by_name = {m.name: m for m in found.measurements}
    assert found.ablation_reverses
    assert by_name["dimer_over_trimer"].value > 50 > 2 > by_name["dimer_over_trimer"].ablated
    assert by_name["pstat5_IL2RA_alone"].value == 0.0 and by_name["pstat5_IL2RA_alone"].structural


def test_e13_swaps_curves_with_inventories_and_needs_il2ra() -> None:
    found = result("E13")
    by_name = {m.name: m for m in found.measurements}
    assert by_name["swap_distance"].value == 0.0 and by_name["swap_distance"].structural
    assert by_name["ec50_Treg_nM"].value < 1 < by_name["ec50_NK_nM"].value
    assert found.ablation_reverses and by_name["CD8_over_Treg"].ablated < 10 <= by_name["CD8_over_Treg"].value
    ec50 = {name: by_name[f"ec50_{name}_nM"].value for name in ("Treg", "CD8")}
    assert by_name["CD8_over_Treg"].value == ec50["CD8"] / ec50["Treg"]


def test_e14_is_the_wiring_and_ends_in_a_patient_without_T_and_NK_cells() -> None:
    found = result("E14")
    tested = [m for m in found.measurements if m.holds is not None]
    wired = [m for m in tested if m.name.startswith("left_")]
    assert len(tested) == 9 and len(wired) == 6 and all(m.value == 0.0 and m.structural for m in wired)
    assert found.ablation_reverses and all(m.ablated > 0.1 for m in wired)
    by_name = {m.name: m.value for m in found.measurements}
    assert all(by_name[f"normal_{c}"] > 0 == by_name[f"left_without_JAK3_{c}"] for c in e14_common_gamma_knockout.CELLS)
    statuses = {c.id: c for c in found.claims}
    assert statuses["S003-018"].criteria == ("T_left", "NK_left", "B_left")
    assert by_name["T_left"] <= 0.05 and by_name["NK_left"] <= 0.05 and by_name["B_left"] > 0.9
    assert all(c.origin == "built in" for c in found.claims if c.id != "S003-018")


def test_e14_stands_il7r_in_for_the_chains_that_were_not_counted() -> None:
    sample = draw(e14_common_gamma_knockout.ranges(), 3, 0)
    for name in ("IL9", "IL21"):
        counts = e14_common_gamma_knockout.chains(sample, name)
        assert set(counts) == {f"{name}R", "IL2RG"}
        assert np.array_equal(counts[f"{name}R"], sample["Th IL7R"])
    assert set(e14_common_gamma_knockout.chains(sample, "IL2")) == {"IL2RA", "IL2RB", "IL2RG"}


def test_e15_a_blocked_cell_answers_like_one_without_il2ra() -> None:
    found = glance("E15")
    values = {m.name: m.value for m in found.measurements}
    for name in e15_CD25_blockade.ANTIBODIES:
        assert values[f"occupancy_{name}"] > 0.99 and 0.5 < values[f"blocked_over_without_IL2RA_{name}"] <= 1.0
        assert values[f"shift_{name}_1nM"] < values[f"shift_{name}_10nM"] < values[f"shift_{name}"]
    assert found.ablation_reverses
    assert all(m.ablated == pytest.approx(1.0, abs=0.05) for m in found.measurements if m.name.startswith("divisions"))


def test_e15_a_blocked_culture_lies_between_its_own_IL2_and_none() -> None:
    """Divisions in pM IL-2 end; cytokines of cells that make IL-2 fall, not below those of cells without it."""
    values = {m.name: m.value for m in glance("E15").measurements}
    for name in e15_CD25_blockade.ANTIBODIES:
        assert values[f"divisions_{name}"] < 0.01
        for gene in e15_CD25_blockade.GENES:
            assert values[f"{gene}_without_IL2"] < values[f"{gene}_{name}"] < 1


def test_e15_occupancy_of_one_arm_is_the_langmuir_curve() -> None:
    """Where a second arm finds no chain, half of IL2RA is taken at the KD, once slow binding is at rest."""
    of = e15_CD25_blockade
    sample = draw(of.ranges(), 1, 0, probe=False)
    sample = sample.changed({"internalisation_IL2RA": 0.0, "tether_factor": 1e12})
    doses = np.array([0.0, *np.geomspace(0.01, 100.0, 9)])
    counts = inventory(sample, "T_blast")
    for name in of.ANTIBODIES:
        conditions = {"": {**counts, f"{name}_dose": doses[None, :]}}
        species = {"": "IL2RA@surface"}
        unbound = bound(sample, conditions, np.zeros_like(doses), 1e6, species, of.with_antibody(name))[""][0]
        kd = sample[f"KD_{name}_IL2RA"][0]
        two_arms = 2 * doses / kd  # either arm may bind
        assert np.allclose(1 - unbound / unbound[0], two_arms / (1 + two_arms), atol=2e-3)


def test_e37_moves_with_the_contact_and_with_the_antibody() -> None:
    found = result("E37")
    values = {m.name: m.value for m in found.measurements}
    assert values["shift_weak_IL2RA"] < values["shift_weak_IL2RA_10x"] < 1
    assert values["shift_S4B6"] < values["shift_S4B6_1_arms"] < 1 < values["shift_JES6_1_1_arms"]
    assert values["NK_maximum_JES6_1"] < 0.5 < values["Treg_maximum_JES6_1"]
    shifts = [m for m in found.measurements if m.holds is not None and m.name.startswith("shift_")]
    assert len(shifts) == 4 and all(m.ablated == pytest.approx(1.0, rel=0.05) for m in shifts)
    assert found.ablation_reverses and all(c.criteria for c in found.claims)


def test_a_claim_without_a_model_is_not_built_and_holds_the_rest_at_partial() -> None:
    claims = {"S000-049": ("big",), "S000-050": ("big",), "S000-051": ()}
    gaps = {"S000-050": "the second half", "S000-051": "all of it"}
    one = replace(fake(known("a", 3.0, 2.0, 5.0)), claims=claims, not_built=gaps)
    found = perform(one)
    assert [c.verdict for c in found.claims] == ["shown", "partial", "not built"]
    assert found.verdict == "partial" and all(gap in found.reason for gap in gaps.values())
    assert "the second half" in found.claims[1].reason and "all of it" in found.claims[2].reason
    assert np.isnan(found.claims[2].share) and json.dumps(as_dict(found))
    with pytest.raises(Il2Error, match="S000-051 has no criterion"):
        perform(replace(one, not_built={}))
    with pytest.raises(Il2Error, match="no claim of it"):
        perform(replace(one, not_built={**gaps, "S000-052": "x"}))
    against = perform(replace(one, ranges=fake(known("a", 0.2, 0.1, 0.5)).ranges))
    assert [c.verdict for c in against.claims] == ["contradicted", "contradicted", "not built"]


def test_conditions_set_numbers_by_variant_and_by_dose() -> None:
    sample = draw((*network_ranges("IL2"), *count_ranges("Treg", "IL2")), 2, 0, probe=False)
    counts = inventory(sample, "Treg")
    doses = np.array([0.01, 0.1, 1.0])
    blocked = np.array([1.0, 0.0, 0.0])[None, :]
    conditions = {
        "whole": counts,
        "by dose": {**counts, "JAK3": blocked},
        "by variant": {**counts, "IL2RA": np.array([0.0, *sample["Treg IL2RA"][1:]])},
    }
    found = signal(sample, conditions, doses, 30.0)
    assert np.array_equal(found["by dose"][:, 0], found["whole"][:, 0]) and (found["by dose"][:, 1:] == 0.0).all()
    assert np.array_equal(found["by variant"][1:], found["whole"][1:])
    assert (found["by variant"][0, :2] < found["whole"][0, :2]).all()
    again = signal(sample, {"whole": counts}, doses, 30.0, alone("IL2"))
    assert np.array_equal(again["whole"], found["whole"])
    with pytest.raises(Il2Error, match="JAK7"):
        signal(sample, {"": {**counts, "JAK7": 1.0}}, doses, 30.0)


def test_reaching_interpolates_and_tells_never_from_failure() -> None:
    doses = np.array([1.0, 10.0, 100.0])
    curves = np.array([[0.0, 0.5, 1.0], [0.6, 0.7, 0.8], [0.0, 0.1, 0.2], [0.0, np.nan, 1.0], [0.0, 0.6, 0.1]])
    found = reaching(doses, curves, np.array([0.75, 0.5, 0.5, 0.5, 0.3]))
    assert np.allclose(found, [10**1.5, 1.0, np.inf, np.nan, 10**0.5], equal_nan=True)


def test_modules_hold_their_experiments() -> None:
    """Every file e??_*.py of the folder is found, in order, and holds the experiment of its name."""
    files = sorted(path.stem for path in Path(e01_gene_model_arithmetic.__file__).parent.glob("e[0-9][0-9]_*.py"))
    assert list(experiments()) == [name[:3].upper() for name in files]
    for name, one in zip(files, experiments().values(), strict=True):
        assert import_module(f"il2.experiments.{name}").EXPERIMENT is one
