"""Cultures: mass balance in every preset, a second opinion, donors that are the same in any company, and files."""

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from il2.cell import culture as module
from il2.cell import lanes
from il2.cell.culture import culture
from il2.cell.culture_file import plate_of, read_plate
from il2.cell.culture_readout import BALANCE
from il2.cell.culture_store import bands
from il2.cell.culture_summary import frame, summary
from il2.cell.donors import factors
from il2.cell.presets import presets, presets_folder
from il2.cell.well import Addition, Antigen, Cells, Change, Well
from il2.cell.yaml_tree import tree_of
from il2.engine.evaluate import equations, prepare
from il2.errors import Il2Error
from il2.knowledge.quantity import quantity
from il2.knowledge.source import sources

THERE = {
    "mixed_lymphocyte_culture", "treg_suppression", "CTLL2_bioassay", "PHA_blasts", "restimulation_AICD", "NK_LAK",
    "daclizumab_block", "JAK_inhibitor", "calcitriol",
}  # fmt: skip
WELL = Well(cells=(Cells("Th", 5e4), Cells("Treg", 1e4)), antigen=(Antigen(1e8),), costimulation=1.0)
TIMES = range(0, 73, 6)


@pytest.fixture(scope="module")
def several():
    wells = {"A1": WELL, "A2": Well(cells=WELL.cells, antigen=(Antigen(1e9),))}
    return wells, culture(wells, TIMES, donors=19, threads=1)


def test_presets_are_there_and_say_what_they_rest_on():
    assert set(presets()) == THERE
    for name in presets():
        plate = read_plate(presets_folder() / f"{name}.yaml")
        assert plate.about.endswith(".") and len(plate.about) > 60
        assert plate.sources and set(plate.sources) <= set(sources())
        assert len(plate.wells) >= 2 and len(set(plate.labels.values())) == len(plate.wells)


@pytest.mark.parametrize("name", sorted(THERE))
def test_mass_balance_of_every_cytokine_closes_in_every_preset(name):
    plate = read_plate(presets_folder() / f"{name}.yaml")
    data = culture(plate.wells, plate.times_h, genes=plate.genes, products=plate.products, threads=1)
    errors = {str(v): float(data[v].max()) for v in data if str(v).endswith(BALANCE)}
    assert set(errors) == {f"{c}{BALANCE}" for w in plate.wells.values() for c in w.molecules if c.startswith("IL")}
    assert all(e < 1e-6 for e in errors.values()), errors
    assert not any("failed" in text for text in data.attrs["warnings"])
    assert (data.cells.min() >= -1e-6).item() and data.IL2_nM.max() > 0


def test_mass_balance_with_two_cytokines_a_neutraliser_and_changes_of_medium():
    well = Well(
        cells=(Cells("CD8", 5e4),),
        antigen=(Antigen(1e9), Antigen(0, 30)),
        costimulation=0.5,
        additions=(Addition("IL7", 1, 0), Addition("IL2", 0.5, 10), Addition("anti_IL2", 2, 20)),
        medium_changes=(Change(24, 0.5, {"IL2": 0.2}), Change(48, 1.0)),
    )
    data = culture(well, TIMES, threads=1)
    for c in ("IL2", "IL7"):
        assert 0 < data[f"{c}{BALANCE}"].item() < 1e-6


def test_scipy_gives_the_same_culture():
    """A second opinion: rates by NumPy, integration by SciPy, cut at the switch of the inhibitor."""
    plate = read_plate(presets_folder() / "JAK_inhibitor.yaml")
    well, times = plate.wells["A3"], np.arange(0.0, 31.0, 6.0)
    ours = culture(well, times, threads=1)
    found = lanes.setup(well)
    network, program = lanes.lowered(found)
    values = network.defaults() | {
        k: v for k, v in lanes.values_of(well, found).items() if k in network.parameter_names
    }
    values["antigen_at_start"] = well.antigen[0].molecules
    start, rows = None, []
    for given, (first, last) in ((0.0, (0.0, 24.0)), (well.additions[0].dose_nM, (24.0, 30.0))):
        row = np.array([values[n] if n != "JAK_inhibitor_dose" else given for n in network.parameter_names])
        k, y = prepare(program, row)
        f, j = equations(program, k)
        inside = times[(times >= first) & (times <= last)] * 60
        solved = solve_ivp(f, (first * 60, last * 60), y if start is None else start, "BDF", inside, jac=j, rtol=1e-6,
                           atol=1e-9)  # fmt: skip
        start = solved.y[:, -1]
        rows.append(solved.y.T if not rows else solved.y.T[1:])
    theirs = np.concatenate(rows)
    for name, own in (("Th:cells", ours.cells[0, 0, :, 0]), ("IL2@medium", ours.IL2_nM[0, 0])):
        reference = theirs[:, program.states.index(name)]
        np.testing.assert_allclose(own, reference, rtol=2e-4, atol=1e-7 * reference.max())


def test_bits_do_not_depend_on_threads_chunks_or_company(several, monkeypatch):
    wells, one = several
    two = culture(wells, TIMES, donors=19, threads=2)
    monkeypatch.setattr(module, "LANES_AT_ONCE", 7)
    pieces = culture(wells, TIMES, donors=19, threads=2)
    alone = culture({"A2": wells["A2"]}, TIMES, donors=4, threads=1)
    for name in one.data_vars:
        assert one[name].equals(two[name]) and one[name].equals(pieces[name]), name
        np.testing.assert_array_equal(alone[name].values[0], one[name].sel(well="A2").values[:5], err_msg=str(name))


def test_bands_are_the_quantiles_of_donors(several):
    wells, every = several
    kept = culture(wells, TIMES, donors=19, bands=True, threads=1)
    after = bands(every)
    assert "donor" not in kept.dims and set(kept.data_vars) == set(after.data_vars)
    for name in kept.data_vars:
        np.testing.assert_allclose(kept[name].values, after[name].values, rtol=1e-12, err_msg=str(name))
    np.testing.assert_allclose(kept.cells_low.values, np.percentile(every.cells.values, 5, axis=1), rtol=1e-12)
    assert (kept.cells_low <= kept.cells_high).all()
    assert frame(kept).shape[0] == 2 * len(TIMES) * 2
    assert frame(every).shape[0] == 2 * 20 * len(TIMES) * 2


def test_donors_vary_as_the_table_says(several):
    _, every = several
    start = every.cells.sel(well="A1", cohort="Th").values[:, 0]
    assert start[0] == 5e4
    drawn = factors("Th cells", "donor_number_spread", 4000, 0)
    assert np.std(np.log(drawn[1:])) == pytest.approx(quantity("donor_number_spread").value, rel=0.05)
    np.testing.assert_allclose(start, 5e4 * factors("Th cells", "donor_number_spread", 19, 0), rtol=1e-12)
    assert every.IL2RA_per_cell.sel(well="A1", cohort="Treg").values[1:, 0].std() > 0
    line = culture(Well(cells=(Cells("CTLL2", 5e3),), additions=(Addition("IL2", 0.1),)), [0, 6], donors=3)
    assert line.sizes["donor"] == 1 and any("line has no donors" in w for w in line.attrs["warnings"])


def test_the_default_set_comes_first_among_draws(several):
    _, every = several
    drawn = culture({"A1": WELL}, TIMES, donors=1, draws=1, threads=1)
    assert drawn.cells.dims == ("well", "draw", "donor", "time_h", "cohort")
    np.testing.assert_allclose(
        drawn.cells.sel(draw=0, donor=0).values[0], every.cells.sel(well="A1", donor=0).values, rtol=1e-9
    )
    assert not np.allclose(drawn.cells.sel(draw=1, donor=0).values, drawn.cells.sel(draw=0, donor=0).values)


def test_readouts_belong_together(several):
    _, every = several
    data = every.sel(well="A2")
    generations = data.cells_by_generation
    np.testing.assert_allclose(generations.sum("generation"), data.cells, rtol=1e-4)
    index = generations.generation
    np.testing.assert_allclose((generations * index).sum("generation") / generations.sum("generation"), data.divisions)
    assert ((data.dye <= 1 + 1e-9) & (data.dye >= 2.0**-8)).all()
    assert (data.division_index <= data.divisions + 1e-9).all()
    assert data.dye.values[0, -1, 0] < 0.9
    for name in every.data_vars:
        assert every[name].attrs["units"] and every[name].attrs["long_name"]
    attrs = {"parameter_set", "parameter_hash", "seed", "species", "warnings", "weakest_grade", "sources"}
    assert attrs <= set(every.attrs)


def test_summary_reads_the_peak(several):
    _, every = several
    rows = summary(bands(every), {"A1": "first"})
    assert [(r["well"], r["cells"]) for r in rows] == [("A1", "Th"), ("A1", "Treg"), ("A2", "Th"), ("A2", "Treg")]
    free = every.IL2_nM.sel(well="A1", donor=0).values
    assert rows[0]["IL2_peak_nM"] == free.max() and rows[0]["IL2_peak_h"] == every.time_h.values[free.argmax()]
    assert rows[0]["label"] == "first" and rows[2]["label"] == "A2"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"donors": -1}, "donors is -1"),
        ({"donors": 10**9}, "donors is 1000000000"),
        ({"donors": 1000, "draws": 1000}, "1,002,001 cultures asked for"),
        ({"donors": 9000, "times_h": np.arange(0, 2000.0)}, "values asked for"),
        ({"times_h": [0, float("nan")]}, "times_h do not rise"),
        ({"times_h": [5, 6]}, "times_h do not rise"),
        ({"times_h": [0, 1e6]}, "1e+06 h asked for"),
        ({"genes": ("CSF3",)}, "unknown gene 'CSF3'"),
        ({"products": ("CD68",)}, "Did you mean 'CD86'"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, words):
    with pytest.raises(Il2Error) as caught:
        culture(WELL, **({"times_h": TIMES} | options))
    assert words in str(caught.value)


def test_wells_of_two_species_are_refused():
    with pytest.raises(Il2Error, match="one species"):
        culture([WELL, Well(cells=WELL.cells, species="mouse")], TIMES)


def test_units_of_a_file_are_converted():
    text = """
time: 2 d
step_h: 6
base:
  volume: 0.1 mL
  cells: {Th: 1e5, other: {kind: T helper, number: 2e4, specific: no, without: [IL2]}}
  antigen: [{molecules: 1e9}, {molecules: 0, time: 1 d}]
  costimulation: 0.5
  add: [IL-2 = 100 IU/mL, tofacitinib = 1 uM @ 90 min, {what: daclizumab, dose: 14.9 ug/mL, time_h: 3}]
  medium_changes: [{time: 24 h, fraction: 0.5, fresh: {IL2: 2 pM}}]
wells:
  A1:
  H12: {label: more, volume_uL: 50, cells: {Th: 5, other: {number: 7}}, add: IL15 = 2 nM, without: [JAK3]}
"""
    plate = plate_of(tree_of(text, "f.yaml"), "f")
    one, two = plate.wells["A1"], plate.wells["H12"]
    assert one.volume_uL == pytest.approx(100) and two.volume_uL == 50
    assert one.antigen == (Antigen(1e9), Antigen(0, 24)) == two.antigen
    assert [(a.what, a.time_h) for a in one.additions] == [("IL2", 0), ("JAK_inhibitor", 1.5), ("daclizumab", 3)]
    per_IU = quantity("aldesleukin_molarity_per_activity").value
    assert [a.dose_nM for a in one.additions] == pytest.approx([100 * per_IU / 1000, 1000, 100])
    assert one.medium_changes == (Change(24, 0.5, {"IL2": pytest.approx(0.002)}),)
    assert one.cells[1] == Cells("Th", 2e4, "other", False, ("IL2",))
    assert two.cells == (Cells("Th", 5, "Th", True, ("JAK3",)), Cells("Th", 7, "other", False, ("IL2", "JAK3")))
    assert two.additions == (Addition("IL15", 2.0),) and two.costimulation == 0.5
    assert plate.labels == {"A1": "A1", "H12": "more"}
    np.testing.assert_allclose(plate.times_h, np.arange(0, 49, 6))


BASE = "base:\n  cells: {Th: 100}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "f.yaml: the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("base: {cells: {Th: -5}}", "f.yaml:1: base.cells.Th: '-5' is no number from 0"),
        ("base: {cells: {Th: .nan}}", "'.nan' is no number"),
        ("base: {cells: {Th: inf}}", "'inf' is no number"),
        ("base: {cells: {Th: 1e99}}", "'1e99' is no number from 0 to 1e+10"),
        ("base: {cells: {}}", "the well holds no cells"),
        ("base:\n  cells:\n    Tregg: 5\n", "f.yaml:3: base.cells.Tregg: unknown cell 'Tregg'. Did you mean 'Treg'"),
        ("base: {cells: {x: {kind: Th}}}", "the number of cells is missing"),
        (BASE + "  add: IL2 = 5 mg\n", "f.yaml:3: base.add: 'mg' is no unit of the same kind as 'nM'"),
        (BASE + "  add: IL2 = 20 U/mL\n", "'U' is a unit of activity"),
        (BASE + "  add: IL2 = 20\n", "'20' has no unit"),
        (BASE + "  add: IL2 = -1 nM\n", "below zero"),
        (BASE + "  add: IL2 = nan nM\n", "not finite"),
        (BASE + "  add: IL2 = 1 M\n", "more than 1 mM"),
        (BASE + "  add: IL15 = 20 IU/mL\n", "what one unit of activity weighs depends on the product"),
        (BASE + "  add: IL-22 = 1 nM\n", "nothing named 'IL-22' can be added"),
        (BASE + "  add: R38Q N-term = 1 nM\n", "nothing named 'R38Q N-term' can be added"),
        (BASE + "  add: [{what: IL2}]\n", "the dose of IL2 is missing"),
        (BASE + "  add: IL2 = 1 nM @ 1 kg\n", "f.yaml:3: base.add: 'kg' is no unit"),
        (BASE + "  volume: 200\n", "f.yaml:3: base.volume: '200' has no unit"),
        (BASE + "  volume: 0 uL\n", "the volume is 0 uL"),
        (BASE + "  volume: 1 uL\n  volume_uL: 1\n", "both volume and volume_uL"),
        (BASE + "  CD28: 2\n", "'2' is no number from 0 to 1"),
        (BASE + "  without: [IL2RX]\n", "no knock-out of 'IL2RX'"),
        (BASE + "  medium_changes: [{time: 4 h, fresh: {daclizumab: 1 nM}}]\n", "nothing named 'daclizumab' can be"),
        (BASE + "  medium_changes: [{fraction: 1}]\n", "the time of the change is missing"),
        (BASE + "  volum: 5 uL\n", "f.yaml:3: base.volum: unknown key 'volum'. Did you mean 'volume'"),
        (BASE + "hours: 5\n", "f.yaml:3: hours: unknown key 'hours'"),
        (BASE + "wells: {A13: {}}\n", "f.yaml:3: wells.A13: no well is named 'A13'"),
        (BASE + "wells:\n  A1: {}\n  A1: {}\n", "f.yaml:5: wells.A1: the key 'A1' stands twice"),
        (BASE + "time: 0 h\n", "the time is 0 h"),
        (BASE + "time: 1 year\n", "at most 2000 h"),
        (BASE + "step: 1 s\n", "Give 1 to 2000 steps"),
        (BASE + "species: rat\n", "f.yaml:3: species: unknown species 'rat'"),
        ("title: x\n", "no cells are given"),
        ("- 1\n", "a value stands where keys are expected"),
        ("base: 5\n", "f.yaml:1: base: a value stands where keys"),
        ("base: {cells: &a {Th: 5}}\nwells: {A1: {cells: *a}}\n", "anchors and aliases are not read"),
        ("base: !!python/object/apply:os.system ['true']\n", "the tag 'tag:yaml.org,2002:python/object"),
        ("a: [" * 400 + "]" * 400, "nested too deeply"),
        ("base: {cells: {Th: 5}\n", "no valid YAML"),
        ("? [1, 2]\n: 3\n", "a key is no plain text"),
        (BASE + "---\na: 1\n", "no valid YAML"),
    ],
)
def test_files_that_are_wrong_are_refused_with_file_line_and_key(text, words):
    with pytest.raises(Il2Error) as caught:
        plate_of(tree_of(text, "f.yaml"), "f")
    assert words in str(caught.value)
    assert str(caught.value).startswith("f.yaml")


def test_a_large_file_and_another_encoding_are_refused(tmp_path: Path):
    large, other = tmp_path / "large.yaml", tmp_path / "other.yaml"
    large.write_text("# x\n" * 60_000)
    other.write_bytes("title: µ".encode("latin-1"))
    for path, words in ((large, "more than 200,000 bytes"), (other, "not UTF-8"), (tmp_path / "no.yaml", "cannot be")):
        with pytest.raises(Il2Error) as caught:
            read_plate(path)
        assert words in str(caught.value) and path.name in str(caught.value)
