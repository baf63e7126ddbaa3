"""The branches beside STAT5, and the products of fates, against closed forms computed from the tables alone."""

from __future__ import annotations

import csv
from functools import cache

import numpy as np
import pytest
from helpers import Model, examples, log_uniform, model
from hypothesis import given
from hypothesis import strategies as st

from il2.errors import Il2Error
from il2.knowledge.quantity import quantity
from il2.knowledge.table import tables_folder
from il2.network.dimensions import check_units
from il2.network.expression import num, sym
from il2.network.network import Network, Observable, Parameter, check, join
from il2.signalling import output
from il2.signalling.output import outputs, products
from il2.signalling.pathway import BRAKE, CALCIUM, ERK, INHIBITORS, PIP3, pathway

ACTIVE, TCR, HELP = "active", "tcr", "costimulation"
LONG_min = 1e6
READ = {"PI3K_inhibitor": "pAKT", "MEK_inhibitor": "pERK_read", "rapamycin": "MTOR_activity", "IFNA1": "pAKT"}
INPUTS = ("pSTAT5", "AKT", "MTOR", "ERK", "calcium", "TCR", "NFAT", "costimulation", "FOXP3", "calcitriol", "CREM",
          "pstat3", "pstat6")  # fmt: skip
shares = st.floats(0.0, 1.0)
complexes = log_uniform(-2, 6)


def _rows(table: str) -> list[dict[str, str]]:
    with (tables_folder() / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def branches() -> Model:
    """The pathways with what drives them as parameters, and every state that fates read as an observable."""
    found = pathway(sym(ACTIVE), sym(TCR), sym(HELP))
    given = Network(
        "given",
        parameters=(
            Parameter(ACTIVE, 0.0, "molecule/cell"),
            *(Parameter(n, 0.0, "dimensionless") for n in (TCR, HELP)),
        ),
        observables=(
            Observable("pERK_read", found.erk, "dimensionless"),
            Observable("calcium_read", found.calcium, "dimensionless"),
            Observable("AKT_read", found.akt, "dimensionless"),
        ),
    )
    return model(check(join("branches", found.network, given)))


@cache
def fates() -> Model:
    """Every product of the table, with its inputs as parameters."""
    given = Network("given", parameters=tuple(Parameter(n, 0.0, "dimensionless") for n in INPUTS))
    return model(check(join("fates", outputs(products(), {n: sym(n) for n in INPUTS}), given)))


def levels(of: Model, values: list[dict[str, float]], time: float = LONG_min) -> dict[str, np.ndarray]:
    """Every state and observable (lanes,) at a time."""
    y = of.solve(values, [0.0, time]).y
    shown = of.observe(y, values) if of.network.observables else {}
    return {name: found[:, -1] for name, found in shown.items()} | {
        name: of.state(y, name)[:, -1] for name in of.program.states
    }


def hill(x: float, half: float, n: float = 1.0) -> float:
    return x**n / (x**n + half**n)


def test_units_agree() -> None:
    check_units(branches().network)
    check_units(fates().network)


@given(complexes, shares, shares, log_uniform(-1, 1), log_uniform(-3, 3))
@examples(12)
def test_branches_come_to_their_closed_forms(active: float, tcr: float, help_: float, pten: float, drug: float) -> None:
    q = {n: quantity(n).value for n in ("PI3K_half_activation", "PIP3_half_activation", "ERK_half_activation")}
    ic50 = {n: quantity(f"{n}_IC50").value for n in INHIBITORS}
    given = {ACTIVE: active, TCR: tcr, HELP: help_, "PTEN": pten, **{f"{n}_dose": drug for n in INHIBITORS}}
    found = levels(branches(), [given])
    kinase = 1 - (1 - hill(active, q["PI3K_half_activation"])) * (1 - tcr * help_)
    lipid = kinase * ic50["PI3K_inhibitor"] / (ic50["PI3K_inhibitor"] + drug) / pten
    akt = hill(lipid, q["PIP3_half_activation"], 2.0)
    mapk = 1 - (1 - hill(active, q["ERK_half_activation"])) * (1 - tcr)
    assert found[PIP3] == pytest.approx(lipid, rel=1e-6, abs=1e-9)
    assert found["pAKT"] == pytest.approx(akt, rel=1e-6, abs=1e-9)
    assert found["AKT_read"] == pytest.approx(found["pAKT"])
    assert found["MTOR_activity"] == pytest.approx(akt * ic50["rapamycin"] / (ic50["rapamycin"] + drug), abs=1e-9)
    assert found[ERK] == pytest.approx(mapk * ic50["MEK_inhibitor"] / (ic50["MEK_inhibitor"] + drug), abs=1e-9)
    assert found[CALCIUM] == pytest.approx(tcr, abs=1e-9)


def test_every_branch_stays_between_none_and_full() -> None:
    rng = np.random.default_rng(1)
    doses = (*(f"{n}_dose" for n in INHIBITORS), "IFNA1_dose")
    values = [
        {ACTIVE: 10 ** rng.uniform(-3, 6), TCR: rng.uniform(), HELP: rng.uniform(), "PTEN": 10 ** rng.uniform(-1, 1)}
        | {name: rng.choice([0.0, 1.0, 1e4]) for name in doses}
        for _ in range(60)
    ]
    y = branches().solve(values, [0.0, 1.0, 10.0, 100.0, 1e4]).y
    found = branches().observe(y, values)
    for name, course in found.items():
        assert course.min() >= -1e-9, name
        assert course.max() <= 1 + 1e-9, name
    assert found["pERK_read"].max() > 0.5, "the sample has to reach the upper part"


@pytest.mark.parametrize("drug", READ)
def test_an_inhibitor_lowers_its_branch_with_the_dose_and_leaves_what_lies_before_it(drug: str) -> None:
    doses = [0.0, *np.logspace(-4, 4, 9)]
    found = levels(branches(), [{ACTIVE: 1000.0, TCR: 0.2, HELP: 1.0, f"{drug}_dose": d} for d in doses])
    assert (np.diff(found[READ[drug]]) < 0).all()
    reached = {"PI3K_inhibitor": ("MTOR_activity", PIP3), "IFNA1": ("MTOR_activity", PIP3)}.get(drug, ())
    for name in {"pAKT", "pERK_read", "calcium_read", PIP3, "MTOR_activity"} - {READ[drug], *reached}:
        assert np.ptp(found[name]) == pytest.approx(0.0, abs=1e-9), name


@pytest.mark.parametrize("drug", INHIBITORS)
def test_the_IC50_halves_what_the_inhibitor_acts_on(drug: str) -> None:
    acted_on = {"PI3K_inhibitor": PIP3, "MEK_inhibitor": ERK, "rapamycin": "MTOR_activity"}[drug]
    given = {ACTIVE: 1000.0, TCR: 0.2, HELP: 1.0}
    none, half = levels(branches(), [given, given | {f"{drug}_dose": quantity(f"{drug}_IC50").value}])[acted_on]
    assert half == pytest.approx(none / 2, rel=1e-6)


def test_PTEN_lowers_AKT_and_cells_without_it_keep_all() -> None:
    found = levels(branches(), [{ACTIVE: 300.0, "PTEN": p} for p in (0.0, 0.1, 1.0, 10.0)], 1e3)["pAKT"]
    assert (np.diff(found) < 0).all()
    assert found[0] > 0.99
    assert found[3] < 0.1 * found[2], "a tenth of PIP3 is far below what AKT needs"


def test_interferon_acts_late() -> None:
    time = quantity("IFNA_brake_time").value * 60
    values = [{ACTIVE: 300.0, "IFNA1_dose": d} for d in (0.0, 100.0)]
    y = branches().solve(values, [0.0, 30.0, time]).y
    akt, brake = branches().observe(y, values)["pAKT"], branches().state(y, BRAKE)
    fall = 1 - akt[1] / np.maximum(akt[0], 1e-9)
    assert fall[1] < 0.1 and fall[2] > 5 * fall[1]
    assert brake[1, 1:] == pytest.approx(1 - np.exp(-np.array([30.0, time]) / time), rel=1e-3)


def test_IL2_raises_calcium_only_when_the_branch_is_on() -> None:
    given = {ACTIVE: 1e5}
    off, on, tcr = levels(branches(), [given, given | {"IL2_to_calcium": 1.0}, {TCR: 1.0}])[CALCIUM]
    assert off == 0.0
    assert on > 0.5
    assert tcr == pytest.approx(1.0)


def test_a_cell_without_any_signal_shows_none() -> None:
    found = levels(branches(), [{}], 1e3)
    assert all(value == 0.0 for value in np.concatenate(list(found.values())))


def level_of(product: str, given: dict[str, float], every: dict[str, float]) -> float:
    """What a product comes to, by the rows of the tables; products among its inputs are looked up in `every`."""
    (row,) = (r for r in _rows("outputs") if r["product"] == product)
    total, share = float(row["at_rest"]), 1.0
    for r in (r for r in _rows("output_inputs") if r["product"] == product):
        x = given[r["input"]] if r["input"] in given else every[r["input"]]
        h, w = hill(x, float(r["half"]), float(r["Hill"])), float(r["weight"])
        if r["effect"] == "adds":
            total += w * h
        else:
            share *= {"needs": w + (1 - w) * h, "represses": 1 / (1 + w * h)}[r["effect"]]
    return total * share


@given(st.lists(st.floats(1e-4, 1.0), min_size=len(INPUTS), max_size=len(INPUTS)))
@examples(15)
def test_products_come_to_what_their_rows_say(levels_of_inputs: list[float]) -> None:
    given = dict(zip(INPUTS, levels_of_inputs, strict=True))
    found = levels(fates(), [given])
    every = {name: float(found[name][0]) for name in products()}
    for name in products():
        assert every[name] == pytest.approx(level_of(name, given, every), rel=1e-5), name


def test_a_cell_without_inputs_stays_as_it_starts() -> None:
    y = fates().solve([{}], [0.0, 10.0, 1e4]).y[0]
    assert y[1] == pytest.approx(y[0], rel=1e-9)
    assert y[2] == pytest.approx(y[0], rel=1e-9)


def test_the_way_to_the_new_level_is_halved_in_a_half_life() -> None:
    """For products whose inputs are no products themselves."""
    direct = [n for n in products() if all(r["input"] in INPUTS for r in _rows("output_inputs") if r["product"] == n)]
    assert len(direct) > 8
    full = dict.fromkeys(INPUTS, 1.0)
    end = levels(fates(), [full])
    for row in (r for r in _rows("outputs") if r["product"] in direct):
        name, life = row["product"], float(row["half_life_h"]) * 60
        start, half = fates().state(fates().solve([full], [0.0, life]).y, name)[0]
        assert half - start == pytest.approx((end[name][0] - start) / 2, rel=1e-6), name


def test_a_gene_that_is_missing_makes_nothing() -> None:
    knocked = {**dict.fromkeys(INPUTS, 1.0), **{f"{name}_gene": 0.0 for name in products()}}
    y = fates().solve([knocked], [0.0, 10.0, 1e4]).y
    assert not y.any()


def test_an_input_moves_its_product_to_the_side_that_the_table_says() -> None:
    direct = [r for r in _rows("output_inputs") if r["input"] in INPUTS]
    rest = dict.fromkeys(INPUTS, 0.3)
    found = levels(fates(), [rest | {r["input"]: x} for r in direct for x in (0.01, 1.0)])
    for k, row in enumerate(direct):
        low, high = found[row["product"]][2 * k : 2 * k + 2]
        assert (high < low) if row["effect"] == "represses" else (high > low), row


def test_an_unknown_product_is_one_clear_error() -> None:
    with pytest.raises(Il2Error, match=r"^outputs\.csv: no product 'BCL3'\. Did you mean 'BCL2'\?$"):
        outputs(("BCL3",), {n: num(0.0) for n in INPUTS})


def test_an_input_that_is_missing_is_one_clear_error() -> None:
    with pytest.raises(Il2Error, match=r"^output_inputs\.csv: BCL2: no input 'pSTAT5'\. Did you mean 'STAT5'\?$"):
        outputs(("BCL2",), {"STAT5": num(0.0)})
    with pytest.raises(Il2Error, match=r"no input 'PRDM1'\. Ask for the product PRDM1 too\.$"):
        outputs(("effector",), {n: num(0.0) for n in INPUTS})


def test_an_unknown_effect_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [r | {"effect": "add"} for r in _rows("output_inputs")]
    monkeypatch.setattr(output, "rows", lambda table: broken)
    with pytest.raises(Il2Error, match=r"^output_inputs\.csv: BCL2: unknown effect 'add'\. Did you mean 'adds'\?$"):
        outputs(("BCL2",), {n: num(0.0) for n in INPUTS})
