"""From a user's plate to a fit problem: what is read, what is refused and how, and what the problem computes."""

from pathlib import Path

import numpy as np
import pandas
import pytest
from synthetic_plate import synthetic, write

from il2.cell.plate import predict_plate
from il2.cell.spread import count_ranges
from il2.errors import Il2Error
from il2.fit.free import native
from il2.fit.tidy import tidy
from il2.fit.wells import read_wells

HEADER = "ligand,cell,dose_nM,time_min,value"


@pytest.fixture(scope="module")
def plate(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("plate") / "plate.csv", cells=("Treg", "NK"), doses=4, times=(30, 60))


def rows(*more: str) -> list[str]:
    """Lines of a plate that can be fitted, and more."""
    values = {0: 100, 0.01: 160, 0.1: 480, 1: 800}
    return [HEADER, *(f"IL2,Treg,{dose},30,{value}" for dose, value in values.items()), *more]


def put(folder: Path, *lines: str) -> Path:
    path = folder / "own.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def replaced(old: str, new: str) -> list[str]:
    return [line.replace(old, new) for line in rows()]


def valued(value: str) -> list[str]:
    """Lines with the same value in every well."""
    return [HEADER, *(line.rsplit(",", 1)[0] + f",{value}" for line in rows()[1:])]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([""], "the file is empty"),
        ([HEADER], "the file has no wells"),
        (replaced("dose_nM", "dose"), "header: the column 'dose' has no unit. Name it dose_nM, or for example 'dose"),
        (replaced("time_min", "time"), "the column 'time' has no unit. Name it time_min, or for example 'time [h]'"),
        (replaced("dose_nM", "dose [ng/mL]"), "'dose [ng/mL]': 'ng/mL' cannot be read in 'nM' without a molar mass"),
        (replaced("dose_nM", "dose [nm]"), "Did you mean 'nM'?"),
        (rows("IL2,Treg,0.1,30,500"), "own.csv:6: the well IL2, Treg, 0.1 nM, 30 min stands twice (first in line 4)"),
        (rows("IL2,Treg,-1,30,500"), "own.csv:6: dose_nM is '-1', not a finite number from 0 up"),
        (rows("IL2,Treg,10,30,n/a"), "own.csv:6: the value is 'n/a', not a finite number"),
        (rows("IL2,Treg,10,30,nan"), "own.csv:6: the value is 'nan', not a finite number"),
        (rows("IL2,Treg,10,30,", "IL2,Treg,20,30,"), "own.csv:6: the value is '', not a finite number: mark a lost "
         "well in a column excluded, or leave its row out (1 more row cannot be read)"),
        (rows("IL2,Treg,10,30,1e200"), "own.csv:6: the value 1e200 is too large"),
        ([f"{line},{n and 5}".replace("value,0", "value,value") for n, line in enumerate(rows())],
         "header: the column 'value' stands twice"),
        (rows("IL2,Treg,,30,4"), "own.csv:6: dose_nM is missing"),
        (rows("IL22,Treg,10,30,4"), "own.csv:6: unknown ligand 'IL22'. Did you mean 'IL2'"),
        (rows("IL2,Tregs2,10,30,4"), "own.csv:6: no IL2RA count is given or known for cell 'Tregs2'. Did you mean"),
        (rows("IL2,treg,0.1,30,500"), "own.csv:6: the well IL2, Treg, 0.1 nM, 30 min stands twice (first in line 4)"),
        (rows("my IL,Treg,10,30,4", "My-IL,Treg,1,30,4"), "own.csv:7: the ligand 'My-IL' is spelt in two ways"),
        (rows("IL2,Treg,10,30"), "own.csv:6: the row has 4 fields, the header 5"),
        (valued("0"), "the column of the value holds zeros"),
        (valued("7"), "own.csv:2: the signal of Treg is constant at 7 (in all of its 4 wells)"),
        (replaced(",30,", ",0,"), "the column of the time holds zeros only"),
        (rows()[:4], "own.csv:2: Treg has 2 doses. Give at least 3 doses above zero"),
        ([line.replace(",", ";") for line in rows()], "own.csv:1: the fields are not separated by commas"),
        (replaced("value", "signal"), "no column holds the measured values (found: ligand, cell, dose_nM, time_min"),
        (replaced("cell", "kind"), "header: the column 'cell' is missing"),
        ([f"{line},{n and 0}".replace("value,0", "value,IL2RB") for n, line in enumerate(rows())],
         "the column IL2RB holds zeros only (IL2 signals through it)"),
    ],
)  # fmt: skip
def test_bad_data_are_refused_with_place_and_remedy(tmp_path, lines, told):
    with pytest.raises(Il2Error) as caught:
        tidy(put(tmp_path, *lines), threads=1)
    assert told in str(caught.value)


def test_units_of_the_header_are_converted(tmp_path):
    plain = read_wells(put(tmp_path, *rows()))
    lines = [line.split(",") for line in rows()]
    lines[0][2:] = ["Dose [pM]", "time (h)", "pSTAT5_MFI"]
    for line in lines[1:]:
        line[2], line[3] = f"{1000 * float(line[2]):g}", "0.5"
    other = read_wells(put(tmp_path, *map(",".join, lines)))
    assert other.dose == pytest.approx(plain.dose) and other.time == pytest.approx(plain.time)
    assert other.unit == "MFI" and plain.unit == "arbitrary unit"
    assert other.value.tolist() == plain.value.tolist() and other.key != plain.key


def test_lost_and_untreated_wells(tmp_path):
    lines = [f"{line},{'excluded' if not n else ''}" for n, line in enumerate(rows())]
    wells = read_wells(put(tmp_path, *lines, ",Treg,0,30,120,", "IL2,Treg,5,30,oops,x"))
    assert len(wells) == 5 and wells.ligand.tolist() == ["IL2"] * 5  # an untreated well needs no ligand
    assert any("1 excluded" in note for note in wells.notes)
    assert any("one replicate only" in note for note in wells.notes)
    assert read_wells(put(tmp_path, *rows("IL2,Treg,0,30,90"))).dose.tolist().count(0.0) == 2


def test_signals_are_those_of_the_plate_mode(tmp_path):
    """A second way to the same numbers: each well answered by `il2 respond --plate`."""
    frame = synthetic(cells=("Treg", "NK"), doses=3, times=(0, 30, 60), replicates=1)
    frame["with"] = np.where(frame.cell == "NK", "daclizumab=10 nM", "")
    frame["dial"] = np.where(frame.ligand == "IL15", "JAK3=0.5; IL2RG=0.7", "")
    frame["IL2RA"] = np.where(frame.cell == "Treg", "9000", "")
    frame = frame[~((frame.ligand == "A7") & (frame.time_min == 60))]  # lanes with fewer times
    frame.to_csv(tmp_path / "plate.csv", index=False)
    made = tidy(tmp_path / "plate.csv", threads=1)
    told = np.full(len(made.wells), np.nan)
    for rows_, found in zip(made.rows, made.problem.signals(made.problem.start()), strict=True):
        told[rows_] = found
    answer = predict_plate(frame.drop(columns=["value", "replicate"]), threads=1)
    assert (answer.status == "ok").all()
    assert told == pytest.approx(answer.pstat5.to_numpy(), rel=2e-4, abs=1e-6)
    assert answer.pstat5.max() > 0.02


def test_free_numbers_and_their_priors(plate):
    made = tidy(plate, threads=1)
    free = {f.name: f for f in made.problem.free}
    (known,) = (r for r in count_ranges("Treg", "IL2") if r.name == "Treg IL2RB")
    assert free["Treg IL2RB"].centre == known.value
    assert free["Treg IL2RB"].spread == pytest.approx(np.log10(known.high / known.low) / 3.92)
    assert free["Treg IL2RB"].low < known.low and free["Treg IL2RB"].high > known.high
    assert free["A7 IL2RA factor"].centre == pytest.approx(3.0) and 0 < free["A7 IL2RA factor"].spread < 0.5
    assert "IL2 IL2RA factor" not in free and "A7 IL2RG factor" not in free and "recycling_rate" not in free
    assert {"STAT5_half_activation", "scale NK replicate 1", "scale NK replicate 2", "noise NK"} <= free.keys()
    assert np.isinf(free["scale NK replicate 1"].spread) and free["noise NK"].spread < 1
    # scatter of the replicates finds the noise that was put in: 4 % of the largest signal
    wells = made.wells
    for cell in ("Treg", "NK"):
        largest = np.ptp(wells.value[(wells.cell == cell) & (wells.replicate == "1")])
        assert free[f"noise {cell}"].centre == pytest.approx(0.04 * largest, rel=0.6)


def test_free_and_fix(plate):
    names = set(tidy(plate, threads=1).problem.names)
    more = set(tidy(plate, free=["recycling_rate", "KD_IL2_IL2RB"], threads=1).problem.names)
    assert more - names == {"recycling_rate", "KD_IL2_IL2RB"}
    assert "SOCS_delay" in tidy(plate, free=["all"], threads=1).problem.names
    made = tidy(plate, fix=["counts", "A7 IL2RA factor=2.5", "recycling_rate=0.1"], threads=1)
    assert not any("IL2R" in name for name in made.problem.names if name not in ("A7 IL2RB factor",))
    assert made.held == {"A7 IL2RA factor": 2.5, "recycling_rate": 0.1}
    for of in made.problem.blocks:
        column = of.base[:, of.network.parameter_names.index("recycling_rate")]
        assert set(column.tolist()) == {0.1}
    for bad, told in ((["Treg IL2RX"], "Did you mean 'Treg IL2R"), (["recycling_rate=-1"], "finite number above zero")):
        with pytest.raises(Il2Error, match=told):
            tidy(plate, fix=bad, threads=1)
    with pytest.raises(Il2Error, match="unknown number 'recycling'"):
        tidy(plate, free=["recycling"], threads=1)


def test_a_named_model_refuses_other_ligands(plate, tmp_path):
    with pytest.raises(Il2Error, match="IL15 is not of the model response-IL2"):
        tidy(plate, model="response-IL2", threads=1)
    with pytest.raises(Il2Error, match="unknown model"):
        tidy(plate, model="response-IL22", threads=1)
    assert tidy(put(tmp_path, *rows()), model="response-IL2", threads=1).problem.blocks


def test_ligands_of_unknown_affinity_and_cells_of_your_own(tmp_path):
    lines = [f"{line},base,IL2RA,IL2RB,IL2RG" if not n else f"{line},,,," for n, line in enumerate(rows())]
    lines += [f"M1,own,{dose},30,{value},IL2,3000,500,4000" for dose, value in ((0.01, 5), (0.1, 30), (1, 90), (9, 99))]
    made = tidy(put(tmp_path, *lines), threads=1)
    free = {f.name: f for f in made.problem.free}
    assert np.isinf(free["M1 IL2RA factor"].spread) and free["M1 IL2RB factor"].low < 0.01
    assert free["own IL2RA"].centre == 3000 and np.isfinite(free["own IL2RA"].spread)
    assert any("background follows from the lowest doses" in note for note in made.notes)


def test_the_gradient_is_that_of_finite_differences(plate):
    made = tidy(plate, free=["recycling_rate"], threads=1)
    problem = made.problem
    x = problem.start()
    value, slope = problem.log_density(x)
    assert np.isfinite(value) and (native(problem.free, x) > 0).all()
    for name in ("Treg IL2RB", "A7 IL2RA factor", "recycling_rate", "scale NK replicate 2", "noise Treg"):
        step = np.zeros_like(x)
        step[problem.place[name]] = 1e-4
        estimate = (problem.log_density(x + step)[0] - problem.log_density(x - step)[0]) / 2e-4
        assert slope[problem.place[name]] == pytest.approx(estimate, rel=0.02, abs=0.3), name


def test_one_name_with_several_kds_is_two_ligands(tmp_path):
    frame = pandas.read_csv(
        write(tmp_path / "p.csv", ligands=("A7",), cells=("NK",), doses=4, times=(30,)), dtype=object
    )
    frame.loc[frame.replicate == "2", "kd_il2ra_nM"] = "60"
    frame.to_csv(tmp_path / "p.csv", index=False)
    names = tidy(tmp_path / "p.csv", threads=1).problem.names
    assert {"A7 1 IL2RA factor", "A7 2 IL2RA factor"} <= set(names)
