"""The calibrated set: what it stands before, its draws, the earlier set, and sets of a user's own."""

import json
import math
import sys

import numpy as np
import pandas
import pytest

import il2
from il2.cell.override import counts_with, earlier, key, parameters_with
from il2.cell.plate import predict_plate
from il2.cell.respond import respond
from il2.cell.simulate import simulate
from il2.cell.spread import count_draws, count_ranges, factor_draws, ligand_draws, parameter_draws
from il2.cli import respond_input
from il2.cli.app import main
from il2.errors import Il2Error
from il2.fit.parameter_set import ParameterSet, save
from il2.knowledge import calibrated as module
from il2.knowledge import parameters
from il2.knowledge.calibrated import EARLIER, NAME, calibrated, chosen, drawn
from il2.knowledge.cell import CHAINS, Count, cell, default_cells, is_cell, pooled, quantified
from il2.knowledge.parameters import CURRENT, fingerprint, rows_drawn
from il2.knowledge.quantity import quantities, quantity
from il2.knowledge.table import keyed, rows
from il2.receptor.addition import additions, mixture
from il2.receptor.affinity import interface_factors
from il2.receptor.head import head
from il2.receptor.ligand import ERRING, FC, describe, ligand, ligands
from il2.receptor.model import dose, system
from il2.receptor.trafficking import count

DRAWN = 7
ASKED = {"doses_nM": [0.01, 1.0], "times_min": [30.0, 60.0]}


def kds() -> dict[str, dict[str, str]]:
    return {f"KD_{row['ligand']}_{row['product'].replace('+', '_')}": row for row in rows("affinities")}


def counts() -> list[tuple[str, str, str]]:
    """Name, cell and chain of the calibrated counts."""
    parts = [(name, *name.rpartition(" ")[::2]) for name in calibrated()]
    return [part for part in parts if is_cell(part[1])]


def errors() -> list[tuple[str, str, str]]:
    """Name, ligand and interface of the calibrated errors of an assay."""
    parts = [(name, *name.rpartition(" ")[::2]) for name in calibrated()]
    return [part for part in parts if part[1] in ligands()]


def forget() -> None:
    """Empty every cache that may hold a calibrated number."""
    layers = tuple(f"il2.{name}" for name in ("knowledge", "receptor", "signalling", "cell"))
    for name, found in list(sys.modules.items()):
        if name.startswith(layers):
            for item in list(vars(found).values()):
                if hasattr(item, "cache_clear"):
                    item.cache_clear()


@pytest.fixture
def table(monkeypatch):
    """Put rows of a calibrated table in the place of those of the package."""

    def put(made: list[dict[str, str]]) -> None:
        def read(name: str):
            return tuple(made) if name == "calibrated" else rows(name)

        monkeypatch.setattr(module, "rows", read)
        monkeypatch.setattr(parameters, "rows", read)
        forget()

    yield put
    monkeypatch.undo()
    forget()


def row(name: str, value: float, unit: str = "dimensionless", low=None, high=None, draws=()) -> dict[str, str]:
    ends = (value if low is None else low, value if high is None else high)
    told = dict(zip(("value", "low", "high"), map(repr, (value, *ends)), strict=True))
    return {"name": name, "unit": unit, **told, "draws": ";".join(map(repr, draws))}


@pytest.fixture
def numbered(table):
    """The set of the package, where draw k of every number is 1 + k / 100 times its value."""
    steps = 1 + np.arange(DRAWN) / 100
    table([row(c.name, c.value, c.unit, c.low, c.high, (c.value * steps).tolist()) for c in calibrated().values()])


def steps_of(values: np.ndarray, value: float) -> np.ndarray:
    """Which row of the draws each value was taken from."""
    return np.rint((values / value - 1) * 100).astype(int)


# What the set holds


def test_every_calibrated_name_is_a_parameter_a_count_or_an_error_and_stands_once():
    known = {*quantities(), *kds(), *(c[0] for c in counts()), *(e[0] for e in errors())}
    assert calibrated() and not calibrated().keys() - known
    assert len(calibrated()) == len(rows("calibrated"))
    assert all(chain in CHAINS and cell(kind).name == kind for _, kind, chain in counts())
    assert all(interface in ERRING and interface in dict(ligand(name).kds) for _, name, interface in errors())


def test_values_lie_in_their_intervals_and_units_are_those_of_the_tables():
    for found in calibrated().values():
        assert 0 < found.low <= found.value <= found.high < math.inf, found.name
        assert np.isfinite(found.draws).all() and (found.draws > 0).all(), found.name
    units = {name: quantity(name).unit for name in quantities()} | {name: k["unit"] for name, k in kds().items()}
    units |= {name: "molecule/cell" for name, *_ in counts()} | {name: "dimensionless" for name, *_ in errors()}
    assert {name: found.unit for name, found in calibrated().items()} == {name: units[name] for name in calibrated()}


def test_every_number_has_as_many_draws_which_its_interval_describes():
    lengths = {len(found.draws) for found in calibrated().values()}
    assert len(lengths) == 1
    for found in calibrated().values() if lengths.pop() >= 100 else ():
        inside = ((found.low <= found.draws) & (found.draws <= found.high)).mean()
        assert 0.85 <= inside <= 1.0, found.name


def test_calibrated_values_stand_before_those_of_the_tables():
    for name, found in calibrated().items():
        if name in quantities():
            of = quantity(name)
            assert of.value == found.value == chosen(name, math.nan)
            assert (of.low is None or of.low <= of.value) and (of.high is None or of.value <= of.high), name
    steps = {step.name: step.kd for item in rows("heads") for step in head(item["name"]).steps.values()}
    assert all(steps[name] == calibrated()[name].value for name in kds() if name in calibrated())
    for name, kind, chain in counts():
        of = cell(kind).counts[chain]
        assert of.low <= of.value == calibrated()[name].value <= of.high, name
    for name, of, interface in errors():
        assert dict(ligand(of).errors)[interface] == calibrated()[name].value, name


def test_what_is_not_calibrated_stays_as_the_tables_have_it():
    for name, of in keyed("quantities", "name").items():
        if name not in calibrated():
            assert quantity(name).value == float(of["value"])
    for name, of in kds().items():
        (step,) = {s.kd for s in head(of["ligand"]).steps.values() if s.name == name}
        assert name in calibrated() or step == float(of["kd"])
    assert chosen("no such number", 3.0) == 3.0


def test_the_fingerprint_changes_with_any_calibrated_value(table):
    before, numbers = fingerprint(), [dict(found) for found in rows("calibrated")]
    table(numbers)
    assert fingerprint() == before
    for k in (0, len(numbers) // 2, len(numbers) - 1):
        changed = [dict(found) for found in numbers]
        changed[k]["value"] = repr(float(changed[k]["value"]) * 1.001)
        table(changed)
        assert fingerprint() != before
    table([])
    assert fingerprint() != before


def test_a_small_table_reaches_quantity_head_cell_and_ligand(table):
    plain = interface_factors(ligand("WT N-term"))[0]
    error = dict(ligand("WT N-term").errors).get("IL2RBG", 1.0)
    fused = quantity("Fc_fusion_IL2RB_factor").value
    table([
        row("recycling_rate", 0.0123, "1/min"), row("KD_IL2_IL2RA", 3.21, "nM"), row("Treg IL2RA", 777.0),
        row("WT N-term IL2RBG", 2.0), row("Fc_fusion_IL2RB_factor", 2 * fused),
    ])  # fmt: skip
    assert quantity("recycling_rate").value == 0.0123
    assert head("IL2").steps[frozenset({"IL2RA"})].kd == 3.21
    assert cell("Treg").counts["IL2RA"].value == 777.0 and pooled("Treg", "", "IL2RA").value == 777.0
    assert quantified("Treg", "IL2RA").value != 777.0
    own = ligand("WT N-term")
    assert own.errors == (("IL2RBG", 2.0),)
    factors = interface_factors(own)[0]  # the assay of the heterodimer tells the step to IL2RB
    assert factors["IL2RB"] == pytest.approx(plain["IL2RB"] * 2 * 2 / error) and factors["IL2RG"] == 1.0


def test_an_error_belongs_to_the_kds_of_the_catalogue(table):
    table([row("WT N-term IL2RA", 2.0)])
    assert describe("WT N-term", {})[0].errors == (("IL2RA", 2.0),)
    own, _ = describe("WT N-term", {"IL2RA": 0.19}, "octet_bli")
    assert own.errors == ()
    bare = describe("other", {"IL2RA": 0.19}, "octet_bli", FC)[0]
    assert interface_factors(ligand("WT N-term"))[0]["IL2RA"] == pytest.approx(2 * interface_factors(bare)[0]["IL2RA"])


# Draws


def test_draws_of_counts_constants_and_affinities_are_rows_that_belong_together(numbered):
    n, seed = 40, 5
    expected = rows_drawn(seed, n) % DRAWN
    assert len(set(expected.tolist())) > 3
    for base in ("IL2", "IL15"):
        own = parameter_draws(base, n, seed)
        drawn_too = [name for name in own if name in calibrated()]
        assert len(drawn_too) > 10
        for name in drawn_too:
            assert (steps_of(own[name], calibrated()[name].value) == expected).all(), name
    for kind in {kind for _, kind, _ in counts()}:
        known = cell(kind).counts
        for chain, values in count_draws(kind, known, n, seed).items():
            if f"{kind} {chain}" in calibrated():
                assert (steps_of(values, known[chain].value) == expected).all(), (kind, chain)
    item = ligand("WT N-term")
    plain = interface_factors(item)[0]
    drawn_of = factor_draws(item, n, seed)[0]
    shift = 1 + expected / 100
    for chain, interface in (("IL2RA", "IL2RA"), ("IL2RB", "IL2RBG")):
        powers = sum(name in calibrated() for name in (f"Fc_fusion_{chain}_factor", f"WT N-term {interface}"))
        assert powers == 2 and drawn_of[chain] == pytest.approx(plain[chain] * shift**powers)


def test_experiments_draw_counts_with_the_rest(numbered):
    expected = rows_drawn(3, 20) % DRAWN
    for found in count_ranges("Treg", "IL2"):
        assert found.name in calibrated() and (steps_of(found.drawn(20, 3), found.value) == expected).all()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(numbered):
    one, same, other = (parameter_draws("IL2", 30, seed) for seed in (1, 1, 2))
    assert all(one[name].tobytes() == same[name].tobytes() for name in one)
    assert any((one[name] != other[name]).any() for name in one)
    first, again = (factor_draws(describe("A7", {"IL2RA": 1.0}, "octet_bli", FC)[0], 9, 4)[0] for _ in range(2))
    assert all(first[c].tobytes() == again[c].tobytes() for c in first)
    longer = parameter_draws("IL2", 60, 1)
    assert all((longer[name][:30] == one[name]).all() for name in one)


def test_given_counts_do_not_take_the_draws_of_a_known_cell(numbered):
    known = cell("Treg").counts
    near = {c: Count(v, v, v, "high", ("user",)) for c, v in (("IL2RA", 1000.0), ("IL2RB", known["IL2RB"].value))}
    for chain, values in count_draws("Treg", near, 25, 0).items():
        assert (values == near[chain].value).all()
    assert np.ptp(count_draws("Treg", dict(known), 25, 0)["IL2RB"]) > 0


def test_a_value_that_is_not_the_calibrated_one_has_no_calibrated_draws(numbered):
    found = next(iter(calibrated().values()))
    assert drawn(found.name, found.value, np.arange(3)) == pytest.approx(found.draws[:3])
    assert drawn(found.name, found.value * 1.01, np.arange(3)) is None
    assert drawn("no such number", 1.0, np.arange(3)) is None


def test_without_draws_numbers_come_from_their_ranges(table):
    low, high = quantity("recycling_rate").low, quantity("recycling_rate").high
    table([row("recycling_rate", quantity("recycling_rate").value, "1/min")])
    assert drawn("recycling_rate", quantity("recycling_rate").value, np.arange(4)) is None
    values = parameter_draws("IL2", 200, 0)["recycling_rate"]
    assert low * (1 - 1e-9) <= values.min() < values.max() <= high * (1 + 1e-9)


def test_the_assay_errs_on_ligands_that_the_calibration_did_not_see(numbered):
    spreads = {r["name"]: float(r["spread"]) for r in rows("priors") if r["name"].startswith("error of ")}
    item, _ = describe("A7", {"IL2RA": 0.5, "IL2RBG": 4.0}, "octet_bli", FC)
    n = 4000
    found, plain = factor_draws(item, n, 0)[0], interface_factors(item)[0]
    shift = 1 + (rows_drawn(0, n) % DRAWN) / 100  # of the effect of a fusion
    for chain, interface in (("IL2RA", "IL2RA"), ("IL2RB", "IL2RBG")):
        logs = np.log10(found[chain] / plain[chain] / shift)
        assert logs.mean() == pytest.approx(0, abs=0.02)
        assert logs.std() == pytest.approx(spreads[f"error of octet_bli {interface}"], rel=0.05)
    both, _ = describe("A8", {"IL2RB": 300.0, "IL2RBG": 4.0}, "octet_bli")
    product = factor_draws(both, n, 0)[0]
    logs = np.log10(product["IL2RB"] * product["IL2RG"])  # the heterodimer KD tells the product of both steps
    assert np.corrcoef(logs, np.log10(product["IL2RB"]))[0, 1] < 0.5


def test_wild_type_has_factors_of_one_in_every_draw(numbered):
    of = ligand_draws([(ligand("IL2"), "IL2")], 20, 0)
    assert of and all((values == 1).all() for values in of.values())


def test_bands_of_the_default_set_name_it():
    data = respond("WT N-term", "Treg", **ASKED, spread_draws=20, seed=1)
    assert (data.pstat5_low <= data.pstat5_high).all() and (data.pstat5_low < data.pstat5_high).any()
    assert data.attrs["parameter_set"] == NAME == CURRENT and data.attrs["parameter_hash"] == fingerprint()


# The earlier set


def test_the_earlier_set_has_every_calibrated_number_as_the_tables_had_it():
    old = earlier()
    assert old.keys() == calibrated().keys() and all(0 < value < math.inf for value in old.values())
    for name, value in old.items():
        of = keyed("quantities", "name").get(name)
        assert of is None or value == float(of["value"])
        assert name not in kds() or value == float(kds()[name]["kd"])
    assert all(old[name] == quantified(kind, chain).value for name, kind, chain in counts())
    assert all(old[name] == 1.0 for name, *_ in errors())


def by_hand(item: str, kind: str) -> np.ndarray:
    """pSTAT5 (doses, times) from the values of the tables alone, written into the network one by one."""
    of, base = system(ligand(item).base), ligand(item).base
    table = {name: float(row["value"]) for name, row in keyed("quantities", "name").items()}
    network = il2.signalling.response.response_of(of)
    values = {name: table[name] for name in network.parameter_names if name in table}
    values |= {name: float(row["kd"]) for name, row in kds().items() if row["ligand"] == base}
    values |= {count(c): quantified(kind, c).value for c in head(base).chains}
    if ligand(item).is_fc:
        wild = {
            r["interface"]: float(r["kd_nM"])
            for r in rows("assay_references")
            if r["assay"] == ligand(item).assay and r["format"] == FC and r["reference"] == "default"
        }
        own = dict(ligand(item).kds)
        for chain, interface in (("IL2RA", "IL2RA"), ("IL2RB", "IL2RBG")):
            values[f"{base}_factor_{chain}"] = (
                own[interface]
                / wild[interface]
                * float(keyed("quantities", "name")[f"Fc_fusion_{chain}_factor"]["value"])
            )
    values[dose(base)] = np.array(ASKED["doses_nM"])
    return simulate(of, values, np.array(ASKED["times_min"])).pstat5


@pytest.mark.parametrize(("item", "kind"), [("IL2", "Treg"), ("IL15", "NK"), ("R38Q N-term", "Treg"), ("IL2", "CD8")])
def test_the_earlier_set_gives_what_the_tables_give(item, kind):
    data = respond(item, kind, **ASKED, parameters=earlier(), parameter_set=EARLIER)
    assert data.pstat5.values[0, 0] == pytest.approx(by_hand(item, kind), rel=1e-6)
    assert data.attrs["parameter_set"] == EARLIER and data.attrs["parameter_hash"] == key(earlier()) != fingerprint()
    assert data.attrs["own_ligands"] == [] and data.attrs["own_cells"] == []
    changed = {name for name, value in earlier().items() if value != calibrated()[name].value}
    if changed:
        assert (data.pstat5.values != respond(item, kind, **ASKED).pstat5.values).any()


def test_the_earlier_set_is_honoured_for_a_ligand_that_is_added():
    mix = mixture(ligand("IL15"), additions("WT N-term=1 nM"))
    old = earlier()
    alone = parameters_with(mixture(ligand("WT N-term")), old)
    (slot,) = [slot for item, slot in mix.ligands if item.name == "WT N-term"]
    within = parameters_with(mix, old)
    for chain in ("IL2RA", "IL2RB"):
        assert within[f"{slot}_factor_{chain}"] == pytest.approx(alone[f"IL2_factor_{chain}"])


def test_own_counts_stand_before_those_of_a_set():
    own = {c: n.value * 2 for c, n in cell("Treg").counts.items()}
    data = respond("IL2", {"Treg": own}, **ASKED, parameters=earlier(), parameter_set=EARLIER)
    assert data.receptors_per_cell.sel(cell="Treg", receptor="IL2RA") == own["IL2RA"]


def test_bands_with_a_set_say_what_they_leave_out():
    words = {"doses_nM": [0.1], "times_min": [30.0], "spread_draws": 3}
    data = respond("IL2", "Treg", **words, parameters=earlier(), parameter_set=EARLIER)
    assert any("bands leave out" in text and EARLIER in text for text in data.attrs["warnings"])
    assert not any("bands leave out" in text for text in respond("IL2", "Treg", **words).attrs["warnings"])


# Plates


def wells(*records: dict) -> pandas.DataFrame:
    return pandas.DataFrame([{"dose_nM": 0.1, "time_min": 30, **record} for record in records]).astype(object)


def test_a_plate_answers_with_the_same_set_as_single_calls():
    asked = [("IL2", "Treg"), ("IL15", "NK"), ("WT C-term", "Treg"), ("R38Q N-term", "CD8")]
    plate = wells(*({"ligand": item, "cell": kind} for item, kind in asked))
    for given in (None, earlier()):
        found = predict_plate(plate, parameters=given)
        assert (found.status == "ok").all()
        for (item, kind), value in zip(asked, found.pstat5, strict=True):
            single = respond(item, kind, [0.1], [30.0], parameters=given).pstat5.item()
            assert value == pytest.approx(single, rel=1e-5)


def test_counts_of_a_plate_stand_before_those_of_the_set_which_knows_cells_of_its_own():
    values = {"mine IL2RA": 900.0, "mine IL2RB": 800.0, "mine IL2RG": 4000.0, "NK IL2RB": 1234.0}
    own = {"IL2RA": 900.0, "IL2RB": 800.0, "IL2RG": 4000.0}
    plate = wells({"ligand": "IL2", "cell": "mine"}, {"ligand": "IL2", "cell": "mine", "IL2RA": 50.0})
    found = predict_plate(plate, parameters=values)
    asked = {"doses_nM": [0.1], "times_min": [30.0]}
    assert found.pstat5[0] == pytest.approx(respond("IL2", {"a": own}, **asked).pstat5.item(), rel=1e-5)
    assert found.pstat5[1] == pytest.approx(
        respond("IL2", {"a": own | {"IL2RA": 50.0}}, **asked).pstat5.item(), rel=1e-5
    )
    assert (predict_plate(plate).status[0] != "ok") and "mine" in predict_plate(plate).status[0]
    named = respond("IL2", "mine", **asked, parameters=values)
    assert named.pstat5.item() == pytest.approx(found.pstat5[0], rel=1e-5)
    assert named.attrs["own_cells"] == ["mine"] and any("mine" in text for text in named.attrs["warnings"])
    other = respond("IL2", {"mine": own | {"IL2RA": 50.0}}, **asked, parameters=values)
    assert any("stand before those of the parameter set" in text for text in other.attrs["warnings"])
    with pytest.raises(Il2Error, match="unknown cell"):
        respond("IL2", "mine", **asked)


def test_counts_with_leaves_what_the_set_does_not_name():
    known = cell("NK").counts
    found = counts_with("NK", known, {"NK IL2RB": 1.5, "Treg IL2RA": 2.0})
    assert found["IL2RB"].value == found["IL2RB"].low == found["IL2RB"].high == 1.5
    assert all(found[c] == known[c] for c in known if c != "IL2RB")


# Sets from the command line


def run(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["il2", *words])
    with pytest.raises(SystemExit) as done:
        main()
        raise SystemExit(0)
    out, err = capsys.readouterr()
    return done.value.code or 0, out, err


SHORT = ("respond", "--cells", "Treg", "--doses", "0.01, 0.1, 1, 10 nM", "--times", "30 min", "--format", "json")


@pytest.mark.parametrize(("words", "name"), [((), NAME), (("--parameters", EARLIER), EARLIER)])
def test_the_command_line_says_which_set_it_used(monkeypatch, capsys, tmp_path, words, name):
    page = tmp_path / "page.html"
    code, out, err = run(monkeypatch, capsys, *SHORT, *words, "--report", str(page))
    assert code == 0, err
    (record,) = json.loads(out)
    assert record["parameter_set"] == name
    text = page.read_text("utf-8")
    assert f"Quantities of parameter set {name}" in text and key(earlier() if words else {}) in text
    other = EARLIER if name == NAME else NAME
    assert other not in text.replace(" ".join(words), "")


def test_a_table_names_the_set_and_a_plate_does(monkeypatch, capsys, tmp_path):
    words = [word for word in SHORT if word not in ("--format", "json")]
    _, out, _ = run(monkeypatch, capsys, *words, "--parameters", EARLIER)
    assert f"parameter set {EARLIER}" in out
    plate, out_file = tmp_path / "plate.csv", tmp_path / "out.csv"
    wells({"ligand": "IL2", "cell": "Treg"}).to_csv(plate, index=False)
    code, _, err = run(
        monkeypatch, capsys, "respond", "--plate", str(plate), "--out", str(out_file), "--parameters", EARLIER
    )
    assert code == 0 and f"Parameter set {EARLIER}" in err
    expected = respond("IL2", "Treg", [0.1], [30.0], parameters=earlier()).pstat5.item()
    assert pandas.read_csv(out_file).pstat5.item() == pytest.approx(expected, rel=1e-4)


BROKEN = {
    "2026.3": (None, "unknown parameter set"),
    "newest": (None, "unknown parameter set"),
    "missing.yaml": (None, "cannot be read"),
    "broken.yaml": ("values: [1, 2\n  : {", "cannot be parsed"),
    "broken.json": ("{", "cannot be parsed"),
    "other.yaml": ("name: A7\nkd_il2ra: 1 nM\n", "no parameter set"),
    "empty.yaml": ("", "no parameter set"),
    "text.yaml": ("format: il2 parameter set 1\nvalues: {recycling_rate: {value: fast}}\n", "no number"),
    "name.yaml": ("format: il2 parameter set 1\nvalues: {recyling_rate: {value: 1.0}}\n", "unknown parameter"),
    "zero.yaml": ("format: il2 parameter set 1\nvalues: {recycling_rate: {value: 0.0}}\n", "above zero"),
}


@pytest.mark.parametrize("name", [*BROKEN, "folder", "folder.yaml"])
def test_a_bad_set_is_one_clear_message(monkeypatch, capsys, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    content, said = BROKEN.get(name, (None, "cannot be read" if "." in name else "unknown parameter set"))
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    if name.startswith("folder"):
        (tmp_path / name).mkdir()
    code, out, err = run(monkeypatch, capsys, *SHORT, "--parameters", name)
    assert code == 2 and said in err and "Traceback" not in err and not out
    assert name in err


def made(values: dict[str, float], **more) -> ParameterSet:
    return ParameterSet("fit of plate.csv", values, based_on=NAME, based_on_hash=fingerprint(), **more)


@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_a_set_of_a_fit_is_honoured(tmp_path, ending):
    values = {"Treg IL2RA": 4321.0, "recycling_rate": 0.05, "KD_IL2_IL2RA": 20.0, "A7 IL2RB factor": 7.0}
    save(made(values), tmp_path / f"mine.{ending}")
    found = respond_input.parameters(str(tmp_path / f"mine.{ending}"))
    assert found.values == values and found.notes == () and found.name.startswith("fit of plate.csv (")
    item, _ = describe("A7", {"IL2RB": 500.0})
    data = respond(["IL2", item], "Treg", **ASKED, parameters=found.values, parameter_set=found.name)
    base = {count(c): n.value for c, n in cell("Treg").counts.items()}
    base |= {
        count("IL2RA"): 4321.0,
        "recycling_rate": 0.05,
        "KD_IL2_IL2RA": 20.0,
        dose("IL2"): np.array(ASKED["doses_nM"]),
    }
    base = {name: value for name, value in base.items() if name != count("IL15RA")}
    for name, factor in (("IL2", 1.0), ("A7", 7.0)):
        own = simulate(system("IL2"), base | {"IL2_factor_IL2RB": factor}, np.array(ASKED["times_min"])).pstat5
        assert data.pstat5.sel(ligand=name, cell="Treg").values == pytest.approx(own, rel=1e-6)
    assert data.attrs["parameter_set"] == found.name
    assert data.receptors_per_cell.sel(cell="Treg", receptor="IL2RA") == 4321.0
    without = respond(item, "Treg", **ASKED)
    assert (data.pstat5.sel(ligand="A7").values != without.pstat5.sel(ligand="A7").values).any()


def test_a_set_that_rests_on_the_earlier_one_takes_the_rest_from_there(tmp_path):
    path = tmp_path / "old.yaml"
    save(ParameterSet("old", {"recycling_rate": 0.05}, based_on=EARLIER, based_on_hash="a" * 12), path)
    assert respond_input.parameters(str(path)).values == earlier() | {"recycling_rate": 0.05}


@pytest.mark.parametrize(("name", "told"), [(NAME, "a" * 12), ("2031.1", "")])
def test_a_set_that_rests_on_numbers_that_are_not_here_warns(monkeypatch, capsys, tmp_path, name, told):
    path = tmp_path / "other.yaml"
    save(ParameterSet("other", {"recycling_rate": 0.05}, based_on=name, based_on_hash=told), path)
    code, _, err = run(monkeypatch, capsys, *SHORT, "--parameters", str(path))
    assert code == 0 and "rests on" in err and name in err


def test_the_default_names_and_no_name_are_the_same():
    assert respond_input.parameters("") == respond_input.parameters(NAME)
    assert respond_input.parameters("").values == {} and key({}) == fingerprint()


def test_the_older_name_of_the_option_works(monkeypatch, capsys):
    words = ("--draws", "3", "--seed", "2")
    one, other = (run(monkeypatch, capsys, *SHORT, flag, *words)[1] for flag in ("--uncertainty", "--receptor-spread"))
    assert one == other and json.loads(one)[0]["EC50_low_nM"] is not None
    code, _, err = run(monkeypatch, capsys, *SHORT, *words)
    assert code == 2 and "--uncertainty" in err


def test_the_default_cells_are_calibrated_for_the_chains_of_il2():
    assert all(f"{kind} {chain}" in calibrated() for kind in default_cells() for chain in head("IL2").chains)


@pytest.mark.parametrize(
    ("name", "unit", "own"),
    [("Treg IL2RA", "nM", "molecule/cell"), ("recycling_rate", "1/h", "1/min"), ("KD_IL2_IL2RA", "pM", "nM")],
)
def test_a_unit_that_is_not_the_parameters_own_is_refused(name, unit, own):
    ParameterSet("mine", {name: 1.0}, units={name: own})
    with pytest.raises(Il2Error, match=f"the unit of {name}"):
        ParameterSet("mine", {name: 1.0}, units={name: unit})


def test_recorded_verdicts_depend_on_the_calibrated_set():
    from il2.experiments.record import TABLES

    assert {"calibrated", "priors"} <= set(TABLES)  # values and draws; what an assay may err
