"""Every column that a user meets is explained, and nothing is explained that is not there."""

import math
from collections import Counter

import pandas
import pytest

from il2.cell.plate import ADDED, OPTIONAL, REQUIRED, predict_plate
from il2.cell.respond import respond
from il2.cell.table import ec50_table
from il2.cli.respond import write_table
from il2.formats.event_line import EVENTS
from il2.formats.ligand_yaml import _HEAD_KEYS, _KEYS
from il2.knowledge.cell import CHAINS
from il2.knowledge.table import data_folder, listed, read, rows, tables_folder
from il2.receptor.head import BLOCKED
from il2.units import parse_unit

FILES = {path.stem: path for folder in (tables_folder(), data_folder()) for path in sorted(folder.glob("*.csv"))}
FIXED = {
    "event table": set(EVENTS),
    "plate": {*REQUIRED, *OPTIONAL, *ADDED},
    "counts": {"cell", *CHAINS},
    "ligand YAML": {*_KEYS, *_HEAD_KEYS},
}
RUN = ("response", "EC50 table")
OWN = {"own": dict.fromkeys(("IL2RA", "IL2RB", "IL2RG", "IL4R", "IL21R"), 1000.0)}


@pytest.fixture(scope="module")
def explained() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows("columns"):
        found.setdefault(row["table"], set()).add(row["column"])
    return found


@pytest.fixture(scope="module")
def answered():
    """Ligands of all three readouts, with bands."""
    return respond(["IL2", "IL4", "IL21"], OWN, doses_nM=[0.001, 0.1, 1, 10], times_min=[30], spread_draws=2)


def test_every_table_is_explained_and_no_other(explained):
    assert set(explained) == {*FILES, *FIXED, *RUN}


@pytest.mark.parametrize("table", FILES)
def test_columns_of_files(explained, table):
    with FILES[table].open(encoding="utf-8") as file:
        header = file.readline().rstrip("\n").split(",")
    assert explained[table] == set(header)


@pytest.mark.parametrize("table", FIXED)
def test_columns_of_inputs(explained, table):
    assert explained[table] == FIXED[table]


def test_columns_of_an_answered_plate(explained):
    plate = pandas.DataFrame({"ligand": ["IL2"], "cell": ["NK"], "dose_nM": [1.0], "time_min": [30.0]})
    assert explained["plate"] >= set(predict_plate(plate).columns) >= {*REQUIRED, *ADDED}


def test_columns_of_a_response(explained, answered, tmp_path):
    write_table(answered, tmp_path / "out.csv")
    assert explained["response"] == set(pandas.read_csv(tmp_path / "out.csv").columns)


def test_columns_of_the_EC50_table(explained, answered):
    assert explained["EC50 table"] == set(ec50_table(answered).columns)


def test_a_column_is_explained_once():
    assert set(Counter((row["table"], row["column"]) for row in rows("columns")).values()) == {1}


def test_units_are_units_and_fit_the_names():
    ends = {"_nM": "nM", "_min": "min", "_percent": "percent", "_kDa": "kDa", "_Da": "Da", "_per_cell": "molecule/cell"}
    for row in rows("columns"):
        if row["unit"]:
            parse_unit(row["unit"])
        for end, unit in ends.items():
            assert row["unit"] == unit or not row["column"].endswith(end), row


@pytest.mark.parametrize("table", FILES)
def test_columns_with_a_unit_hold_numbers(table):
    unit = {row["column"]: row["unit"] for row in rows("columns") if row["table"] == table}
    for row in read(FILES[table]):
        for column, text in row.items():
            if unit[column] and text != BLOCKED:
                assert all(math.isfinite(float(item)) for item in listed(text)), (row, column)


def test_meanings_are_short_and_plain():
    for row in rows("columns"):
        assert 3 <= len(row["meaning"]) <= 140 and not row["meaning"].endswith("."), row
