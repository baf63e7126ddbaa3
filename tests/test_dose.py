"""Doses: every conversion, what a body makes of them, and what is refused."""

import math

import pytest
from helpers import examples
from hypothesis import given
from hypothesis import strategies as st

from il2.errors import Il2Error
from il2.knowledge.drug import drug
from il2.knowledge.quantity import quantity
from il2.knowledge.table import keyed
from il2.patient.body import Body
from il2.patient.dose import Dose, LARGEST_nmol, amount_in, dose, level_nM

ADULT = Body()
IL2 = drug("aldesleukin")


def nmol(text, of=IL2, body=ADULT):
    return dose(text).nmol(of, body)


def target(name):
    row = keyed("targets", "id")[name]
    return {key: float(row[key]) for key in ("value", "low", "high")}


# ---- conversions ---------------------------------------------------------------------------------------------------


def test_label_T001_T002():
    assert IL2.MIU_per_mg == pytest.approx(18 / 1.1, rel=1e-6)
    assert target("T001")["low"] <= IL2.MIU_per_mg <= target("T001")["high"]
    assert 1000 * IL2.mass_kDa == target("T002")["value"]
    assert amount_in(nmol("18 MIU"), "mg", IL2) == pytest.approx(1.1, rel=1e-6)
    assert amount_in(nmol("1 mg"), "MIU", IL2) == pytest.approx(16.36, abs=0.005)
    assert IL2.MIU_per_mg == pytest.approx(quantity("aldesleukin_specific_activity").value, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18 MIU", 71.895),  # 1.1 mg over 15.3 kDa
        ("1.1 mg", 71.895),
        ("1 MIU", 3.9942),
        ("1000000 IU", 3.9942),
        ("1e6IU", 3.9942),
        ("1000 kIU", 3.9942),
        ("42 MIU", 167.756),
        ("600000 IU/kg", 167.756),  # 70 kg
        ("6e5 IU / kg", 167.756),
        ("0.6 MIU/kg", 167.756),
        ("61.111 ug", 3.9942),
        ("61.111 µg", 3.9942),
        ("15.3 ug", 1.0),
        ("0.0153 mg", 1.0),
        ("3 nmol", 3.0),
        ("3000 pmol", 3.0),
        ("0.003 µmol", 3.0),
        ("0.006 mg/kg", 27.451),
        ("28 ug/kg", 128.105),
        ("1 nmol/kg", 70.0),
    ],
)
def test_amounts_of_IL2(text, expected):
    assert nmol(text) == pytest.approx(expected, rel=2e-5)


def test_target_T003_of_one_MIU_and_one_IU_per_mL():
    limits = target("T003")
    assert limits["low"] <= nmol("1 MIU") <= limits["high"]
    assert 1000 * level_nM("1 IU/mL", IL2) == pytest.approx(
        quantity("aldesleukin_molarity_per_activity").value, rel=1e-4
    )


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("250 IU/mL", "aldesleukin", 0.9985),
        ("15.3 ng/mL", "aldesleukin", 1.0),
        ("20 pM", "aldesleukin", 0.02),
        ("3 nmol/L", "aldesleukin", 3.0),
        ("0.2 ug/mL", "basiliximab", 1.3986),  # 1.4 nM
        ("1 mg/L", "daclizumab", 6.7114),
        ("0 nM", "daclizumab", 0.0),
    ],
)
def test_levels(text, name, expected):
    assert level_nM(text, drug(name)) == pytest.approx(expected, rel=1e-4)


def test_per_m2_is_times_the_surface():
    for spelling in ("m2", "m^2", "m²", "m**2"):
        assert nmol(f"1 MIU/{spelling}") == pytest.approx(nmol("1 MIU") * ADULT.surface_m2)
    assert nmol("20 mg", drug("basiliximab")) == pytest.approx(20 / 143 * 1000)
    assert nmol("150 mg", drug("daclizumab")) == pytest.approx(150 / 149 * 1000)


@examples(60)
@given(
    amount=st.floats(1e-3, 1e3),
    unit=st.sampled_from(("MIU", "kIU", "ug", "nmol")),
    per=st.sampled_from(("", "kg", "m2")),
)
def test_a_dose_is_read_back_from_its_text(amount, unit, per):
    one = Dose(amount, unit, per)
    assert dose(str(one)) == one


@examples(60)
@given(
    amount=st.floats(1e-3, 1),
    unit=st.sampled_from(("MIU", "IU", "ug", "mg", "nmol")),
    weight=st.floats(40, 120),
    factor=st.floats(0.1, 10),
)
def test_doses_are_proportional_and_turn_back(amount, unit, weight, factor):
    body = Body(weight_kg=weight)
    flat = Dose(amount, unit).nmol(IL2, body)
    assert amount_in(flat, unit, IL2) == pytest.approx(amount)
    assert Dose(amount * factor, unit).nmol(IL2, body) == pytest.approx(flat * factor)
    assert Dose(amount, unit, "kg").nmol(IL2, body) == pytest.approx(flat * weight)
    assert Dose(amount, unit, "m2").nmol(IL2, body) == pytest.approx(flat * body.surface_m2)


# ---- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1 MU", "3e6 U/m2", "5 units", "1 Unit/kg", "2 million units", "3 kU", "1 µU"])
def test_units_without_a_name_are_refused_T004(text):
    with pytest.raises(Il2Error, match=r"is a unit of no name .*Cetus units of about 6 IU.* Give IU or MIU"):
        dose(text)
    assert quantity("Cetus_unit_activity").value == target("T004")["value"]


def test_a_level_in_bare_units_is_refused():
    with pytest.raises(Il2Error, match="Cetus"):
        level_nM("650 U/mL", IL2)


@pytest.mark.parametrize("name", ["daclizumab", "basiliximab", "bempegaldesleukin", "rezpegaldesleukin"])
def test_international_units_need_a_drug_that_is_counted_in_them(name):
    with pytest.raises(Il2Error, match=f"{name} is not given in IU .*Give the dose in mg or nmol"):
        nmol("5 IU", drug(name))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-1 mg", "a dose of -1 mg cannot be given. Give an amount above zero"),
        ("0 nmol", "a dose of 0 nmol cannot be given"),
        ("nan mg", "a dose of nan mg cannot be given"),
        ("inf MIU", "a dose of inf MIU cannot be given"),
        ("1e300 mg", r"a dose of 1e\+300 mg cannot be given"),
        ("1e9 mg", "the largest dose is 100000 nmol"),
        ("600,000 IU/kg", "a comma may part thousands or decimals"),
        ("1 mg/d", "Leave '/d' away: how often it is given"),
        ("1 mg/kg/day", "Leave '/day' away"),
        ("1 mg/L", "no dose is per 'L'"),
        ("5 mcg", "Write ug for a microgram"),
        ("5 nM", "'nM' measures no dose"),
        ("5 m", "'m' measures no dose"),
        ("5", "'5' is no dose. Write it like '1 MIU'"),
        ("mg", "'mg' is no dose"),
        ("", "'' is no dose"),
        ("1 mg²", "measures no dose"),
        ("1 <b>x</b>", "is not a unit|no dose"),
    ],
)
def test_impossible_doses_are_refused(text, message):
    with pytest.raises(Il2Error, match=message):
        nmol(text)


def test_made_doses_are_checked_like_those_that_are_read():
    for amount in (0, -1.0, math.nan, math.inf, 1e16):
        with pytest.raises(Il2Error, match="cannot be given"):
            Dose(amount, "mg")
    with pytest.raises(Il2Error, match="no dose is per 'lb'"):
        Dose(1.0, "mg", "lb")
    with pytest.raises(Il2Error, match="largest dose"):
        Dose(1.01 * LARGEST_nmol, "nmol").nmol(IL2, ADULT)
    assert Dose(LARGEST_nmol, "nmol").nmol(IL2, ADULT) == LARGEST_nmol


@pytest.mark.parametrize("text", ["-1 nM", "nan nM", "inf IU/mL", "1 ng", "3 IU/h", "high", ""])
def test_levels_that_are_none(text):
    with pytest.raises(Il2Error):
        level_nM(text, IL2)


# ---- the body ------------------------------------------------------------------------------------------------------


def test_the_reference_adult_has_the_surface_of_the_table():
    assert ADULT.weight_kg == 70
    assert ADULT.surface_m2 == pytest.approx(quantity("adult_body_surface_area").value, rel=2e-3)


def test_surface_agrees_with_the_formula_of_Du_Bois():
    for weight, height in ((50, 155), (70, 170), (90, 185)):
        other = 0.007184 * weight**0.425 * height**0.725
        assert Body(weight, height).surface_m2 == pytest.approx(other, rel=0.03)


def test_filtration_of_a_body_of_the_reference_surface_is_as_given():
    height = 1.73**2 * 3600 / 70
    assert Body(70, height, 60).GFR_mL_min == pytest.approx(60)
    assert Body(100, 190, 60).GFR_mL_min > 60 > Body(50, 160, 60).GFR_mL_min


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"weight_kg": -70}, "weight_kg: -70 is no size of a body. Give 1 to 500 kg."),
        ({"weight_kg": 0}, "weight_kg: 0 is no size of a body. Give 1 to 500 kg."),
        ({"weight_kg": math.nan}, "weight_kg: nan is no size of a body. Give 1 to 500 kg."),
        ({"weight_kg": 70_000}, "weight_kg: 70000 is no size of a body. Give 1 to 500 kg."),
        ({"weight_kg": "70"}, "weight_kg: '70' is no size of a body. Give 1 to 500 kg."),
        ({"height_cm": 1.7}, "height_cm: 1.7 is no size of a body. Give 30 to 300 cm."),
        ({"height_cm": math.inf}, "height_cm: inf is no size of a body. Give 30 to 300 cm."),
        (
            {"weight_kg": 170, "height_cm": 70},
            "weight_kg, height_cm: no body weighs 170 kg at 70 cm. Check the units, and which is which.",
        ),
        ({"eGFR_mL_min": -1}, "eGFR_mL_min: -1 is no size of a body. Give 0 to 300 mL/min per 1.73 m2."),
    ],
)
def test_bodies_that_are_none(sizes, message):
    with pytest.raises(Il2Error) as error:
        Body(**sizes)
    assert str(error.value) == message


def test_bodies_of_the_young_and_the_heavy_are_read():
    assert Body(3.5, 50, 40).surface_m2 == pytest.approx(0.22, abs=0.01)
    assert Body(250, 180).surface_m2 > 3
    assert Body(eGFR_mL_min=0).GFR_mL_min == 0
