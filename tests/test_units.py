"""Reading of quantities: what is accepted, what is refused, and what the refusal says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from il2.errors import Il2Error, UnitError
from il2.units import COMMON, base_form, parse_many, parse_unit, quantity_in, registry, unit_text


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("10 pM", "nM", 0.01), ("10pM", "nM", 0.01), ("1 µM", "nM", 1000.0), ("1 μM", "nM", 1000.0),
        ("30 min", "h", 0.5), ("2 h", "min", 120.0), ("1 d", "h", 24.0), ("5 ms", "s", 0.005),
        ("1e6 cells/mL", "cell/mL", 1e6), ("3 molecules/cell", "molecule/cell", 3.0), ("-.5 nM", "nM", -0.5),
        ("0.5 1/min", "1/h", 30.0), ("1/min", "1/h", 60.0), ("1 mL", "fL", 1e12), ("300 um^2", "µm²", 300.0),
        ("1 mol/(L*s)", "M/min", 60.0), ("5 percent", "dimensionless", 0.05), ("0.1 nM", "nM", 0.1),
    ],
)  # fmt: skip
def test_reads(text: str, unit: str, value: float):
    assert quantity_in(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [
        ("5", "nM", "unit"), (5.0, "nM", "5 nM"), ("5 U", "mg", "activity"), ("18 MIU", "mg", "product"),
        ("3 units", "nM", "activity"), ("nan nM", "nM", "finite"), ("inf nM", "nM", "finite"),
        (float("nan"), "nM", "finite"), ("1e999 nM", "nM", "finite"), ("5 nMM", "nM", "Did you mean"),
        ("10 nm", "nM", "'nM'"), ("5 min", "nM", "same kind"), ("0.5 ng/mL", "nM", "molar mass"),
        ("1 molecule", "mol", "same kind"), ("1 molecule/cell", "molecule", "same kind"), ("", "nM", "number"),
        ("nM", "nM", "number"), ("1,5 nM", "nM", "not a unit"), ("5 nM nM", "nM", "not a unit"),
        ("5 2*nM", "nM", "not a unit"), ("5 nM**9**9**9**9", "nM", "not a unit"),
        ("5 ((((nM)**9)**9)**9)**9", "nM", "not a unit"), ("5 __import__('os')", "nM", "not a unit"),
        ("5 " + "nM*" * 5000 + "nM", "nM", "not a unit"), (None, "nM", "number"),
    ],
)  # fmt: skip
def test_refuses(text: str, unit: str, said: str):
    with pytest.raises(UnitError, match=r"^--dose: ") as caught:
        quantity_in(text, unit, where="--dose")
    assert said in str(caught.value)
    assert isinstance(caught.value, Il2Error)


def test_bare_numbers_only_when_asked_for():
    assert quantity_in(5, "nM", bare_ok=True) == 5.0
    assert quantity_in(" 5 ", "nM", bare_ok=True) == 5.0
    assert quantity_in("5 pM", "nM", bare_ok=True) == 0.005
    with pytest.raises(UnitError, match="finite"):
        quantity_in(float("inf"), "nM", bare_ok=True)


def test_molar_mass_joins_mass_and_amount_both_ways():
    assert quantity_in("1 ng/mL", "nM", molar_mass_g_per_mol=10_000) == pytest.approx(0.1, rel=1e-15)
    assert quantity_in("0.1 nM", "ng/mL", molar_mass_g_per_mol=10_000) == pytest.approx(1.0, rel=1e-15)
    with pytest.raises(UnitError, match="same kind"):
        quantity_in("1 ng", "nM", molar_mass_g_per_mol=10_000)


def test_lists_and_ranges():
    assert parse_many("0.1,1, 10 nM", "nM") == [0.1, 1.0, 10.0]
    assert parse_many("1 pM, 2 nM", "nM") == [0.001, 2.0]
    assert parse_many("1 pM..100 nM", "nM", count=6) == pytest.approx([1e-3, 1e-2, 0.1, 1, 10, 100], rel=1e-14)
    ends = parse_many("3..70 pM", "nM", count=5)
    assert (ends[0], ends[-1]) == (0.003, 0.07)


@pytest.mark.parametrize(
    "text", ["1,2", "1 pM..", "1 pM..2 nM..3 nM", "5 nM..1 nM", "0 nM..1 nM", "1 nM..2 nM,3 nM", ""]
)
def test_refuses_lists_and_ranges(text: str):
    with pytest.raises(UnitError):
        parse_many(text, "nM", count=4)


def test_a_range_needs_a_count():
    with pytest.raises(UnitError, match="at least 2"):
        parse_many("1 pM..1 nM", "nM")


def test_molecules_are_not_moles_and_cells_not_numbers():
    assert base_form(parse_unit("molecule/cell"))[1] == {"molecule": 1, "cell": -1}
    assert base_form(parse_unit("nM"))[1] == {"mole": 1, "meter": -3}


@pytest.mark.parametrize(
    "unit", [*COMMON, "nM*molecule/cell*molecule/cell", "1/(nM*min)", "molecule/(nM*fL)", "nM^0.5"]
)
def test_unit_text_reads_back(unit: str):
    assert parse_unit(unit_text(parse_unit(unit))) == parse_unit(unit)


def test_one_registry_and_pint_only_on_use():
    assert registry() is registry()
    code = "import sys, il2.units; sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
