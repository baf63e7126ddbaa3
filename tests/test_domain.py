"""Warnings outside the calibrated domain: each fires outside and not inside, and names what is outside."""

import numpy as np
import pandas
import pytest

from il2.cell.domain import (
    OUTSIDE,
    affinity_domain,
    cell_outside,
    count_domain,
    counts_outside,
    ligand_outside,
    outside,
)
from il2.cell.override import earlier
from il2.cell.plate import predict_plate
from il2.cell.respond import DEFAULT_DOSES_nM, DEFAULT_TIMES_min, respond
from il2.knowledge.calibrated import calibrated
from il2.knowledge.cell import cell, cells, default_cells, is_cell
from il2.knowledge.quantity import quantity
from il2.receptor.affinity import interface_factors
from il2.receptor.ligand import ALPHA_ONLY, Heads, describe, ligand, ligands

TOP = quantity("calibrated_dose_highest").value
EARLY, LATE = quantity("calibrated_time_lowest").value, quantity("calibrated_time_highest").value
FUSIONS = [item.name for item in ligands().values() if item.errors]
WELL = {"ligand": "IL2", "cell": "Treg", "dose_nM": 0.1, "time_min": 30.0}
OTHER_CELL = next(name for name in cells() if not any(key.startswith(f"{name} ") for key in calibrated()))


def on_a_call(**changes) -> list[str]:
    """What a call warns of, of what lies outside."""
    asked = WELL | changes
    counts = {c: asked.pop(c) for c in list(asked) if c.startswith("IL") and c != "ligand"}
    item = asked["ligand"] if "described" not in asked else asked["described"]
    kind = {asked["cell"]: counts} if counts else asked["cell"]
    data = respond(item, kind, [asked["dose_nM"]], [asked["time_min"]], dial=asked.get("dial", ""))
    return [text for text in data.attrs["warnings"] if OUTSIDE in text]


def on_a_plate(**changes) -> list[str]:
    """What a plate warns of, of what lies outside, of a well beside one that is inside."""
    frame = pandas.DataFrame([WELL, {k: v for k, v in (WELL | changes).items() if k != "described"}]).astype(object)
    found = predict_plate(frame)
    assert found.status.tolist() == ["ok", "ok"] and OUTSIDE not in found.warning[0]
    return [text for text in found.warning[1].split("; ") if OUTSIDE in text]


ASK = pytest.mark.parametrize("ask", [on_a_call, on_a_plate])


def test_the_default_run_and_the_calibrated_fusions_lie_inside():
    assert FUSIONS
    for item in ("IL2", "IL15", *FUSIONS):
        data = respond(item, default_cells(), DEFAULT_DOSES_nM[::11], DEFAULT_TIMES_min)
        assert not [text for text in data.attrs["warnings"] if OUTSIDE in text], item
    plate = pandas.DataFrame(
        [WELL | {"ligand": i, "cell": c, "dose_nM": TOP, "time_min": LATE} for i in FUSIONS for c in default_cells()]
    )
    assert not predict_plate(plate).warning.str.contains(OUTSIDE).any()


@ASK
@pytest.mark.parametrize(
    ("column", "inside", "beyond", "named"),
    [
        ("dose_nM", TOP, TOP * 1.01, f"dose above {TOP:g} nM"),
        ("time_min", EARLY, EARLY * 0.9, f"time below {EARLY:g} min"),
        ("time_min", LATE, LATE * 1.1, f"time above {LATE:g} min"),
    ],
)
def test_doses_and_times(ask, column, inside, beyond, named):
    assert ask(**{column: inside}) == []
    (text,) = ask(**{column: beyond})
    assert named in text


def test_rounding_and_no_time_at_all_lie_inside():
    values = np.array([0.0, EARLY * (1 - 1e-12), LATE * (1 + 1e-12)])
    assert not any(beyond.any() for beyond, _ in outside("time", values))
    assert not outside("dose", np.array([0.0, TOP * (1 + 1e-12)]))[0][0].any()


@ASK
@pytest.mark.parametrize("chain", ["IL2RA", "IL2RB", "IL2RG"])
@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_counts_of_ones_own(ask, chain, factor):
    counts = {c: cell("Treg").counts[c].value for c in ("IL2RA", "IL2RB", "IL2RG")}
    assert ask(cell="mine", **counts) == []
    end = count_domain()[chain][factor > 1]
    assert ask(cell="mine", **counts | {chain: end}) == []
    (text,) = ask(cell="mine", **counts | {chain: end * factor})
    assert f"{chain} per cell" in text


@ASK
def test_counts_of_chains_that_nothing_binds_do_not_matter_and_none_is_inside(ask):
    counts = {c: cell("Treg").counts[c].value for c in ("IL2RA", "IL2RB", "IL2RG")}
    assert ask(cell="mine", **counts | {"IL15RA": 1e6}) == []
    assert ask(cell="mine", **counts | {"IL2RA": 0.0}) == []
    (text,) = ask(ligand="IL15", cell="mine", **counts | {"IL15RA": 1e6})
    assert "IL15RA per cell" in text


@ASK
def test_chains_that_are_turned_down(ask):
    assert ask(dial="IL2RB=1") == ask(dial="IL2RB=0") == ask(dial="JAK3=0.1") == []
    (text,) = ask(dial="IL2RB=0.001")
    assert "IL2RB per cell" in text


def test_the_domain_of_counts_is_spanned_by_the_calibrated_cells():
    for name, found in calibrated().items():
        kind, _, chain = name.rpartition(" ")
        if is_cell(kind):
            low, high = count_domain()[chain]
            assert low <= found.value <= high and not counts_outside(chain, np.array([found.value]))[0].any()
    assert not counts_outside("IL7R", np.array([1e9]))[0].any()  # of which there is no calibration


@ASK
def test_cells_that_no_calibration_data_are_of(ask):
    found = [text for text in ask(cell=OTHER_CELL) if "no cell of the calibration data" in text]
    assert len(found) == 1 and OTHER_CELL in found[0]
    assert not any(cell_outside(name) for name in (*default_cells(), "YT-1 IL2Ra+", "a cell of mine"))


@ASK
@pytest.mark.parametrize(("chain", "column"), [("IL2RA", "kd_il2ra_nM"), ("IL2RB", "kd_il2rb_nM")])
@pytest.mark.parametrize("side", [0, 1])
def test_affinities(ask, chain, column, side):
    wild = {"IL2RA": 10.0, "IL2RB": 144.0}[chain]  # nM, in solution
    end = affinity_domain()[chain][side]

    def asked(factor: float) -> list[str]:
        item, _ = describe("A7", {chain: wild * factor})
        assert interface_factors(item)[0][chain] == pytest.approx(factor)
        return ask(ligand="A7", described=item, **({column: wild * factor} if ask is on_a_plate else {}))

    inside = end * (0.999 if side else 1.001) if end != 1.0 else 1.0
    assert asked(inside) == []
    (text,) = asked(end * (1.1 if side else 0.9))
    assert f"affinity to {chain}" in text


def test_the_other_chains_that_a_ligand_may_bind_otherwise():
    tight, _ = describe("B1", {"IL15RA": 0.0065}, base="IL15")
    (text,) = ligand_outside(tight)
    assert "affinity to IL15RA" in text
    gamma, _ = describe("B2", {"IL2RB": 144.0, "IL2RBG": 10.0})
    (text,) = ligand_outside(gamma)
    assert "affinity to IL2RG" in text


def test_wild_types_and_calibrated_ligands_span_the_domain_of_affinities():
    assert all(low <= 1.0 <= high for low, high in affinity_domain().values())
    for name in FUSIONS:
        for chain, value in interface_factors(ligand(name))[0].items():
            assert affinity_domain()[chain][0] <= value <= affinity_domain()[chain][1]


@ASK
def test_heads(ask):
    one, _ = describe("WT N-term", {}, valency=1)
    two, _ = describe("WT N-term", {}, valency=2)
    assert ask(ligand="WT N-term", described=one, valency=1) == []
    (text,) = ask(ligand="WT N-term", described=two, valency=2)
    assert text.removeprefix("WT N-term: ").startswith("2 heads")


def test_further_heads_count_and_their_affinities_are_looked_at():
    loose = 10.0 * affinity_domain()["IL2RA"][1] * 2
    item, _ = describe("A9", {}, base="IL2", others=(Heads(1, (("IL2RA", loose),), ALPHA_ONLY),))
    found = ligand_outside(item)
    assert any(text.startswith("2 heads") for text in found) and any("affinity to IL2RA" in text for text in found)


def test_every_warning_of_a_call_names_its_own_ligand_or_cell():
    loose, _ = describe("A7", {"IL2RA": 1e6})
    data = respond([loose, "IL2"], {"mine": {"IL2RA": 1e6, "IL2RB": 900.0, "IL2RG": 4000.0}}, [1.0], [30.0])
    found = [text for text in data.attrs["warnings"] if OUTSIDE in text]
    assert sorted(text.split(":")[0] for text in found) == ["A7", "mine"]


def test_another_set_does_not_put_the_calibrated_cells_outside():
    data = respond(["IL2", *FUSIONS[:1]], None, [0.1], [30.0], parameters=earlier())
    assert not [text for text in data.attrs["warnings"] if OUTSIDE in text]
    found = predict_plate(pandas.DataFrame([WELL | {"cell": name} for name in default_cells()]), parameters=earlier())
    assert not found.warning.str.contains(OUTSIDE).any()
