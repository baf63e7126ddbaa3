"""Doses that many bodies get of one regimen: the same times for all, amounts by weight or surface for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from il2.engine.event import Action, Bolus, Infusion
from il2.errors import Il2Error
from il2.knowledge.person import Person
from il2.patient.course import body_of, events_of
from il2.patient.dose import LARGEST_nmol
from il2.patient.regimen import Given, Regimen, doses


def given(regimen: Regimen, of: Person, drawn: Mapping[str, np.ndarray]) -> list[tuple[Given, float | np.ndarray]]:
    """Every dose by time as the typical person gets it, and its amount in nmol: a number where it is flat, (n,) where
    it goes by weight or surface.

    drawn: factors (n,) by parameter (`il2.patient.people`). Il2Error for an amount that cannot be given, and for doses
    that were given for ever before.
    """
    body, out = body_of(of), []
    size = {"": 1.0, "kg": drawn["weight_kg"], "m2": np.sqrt(drawn["weight_kg"] * drawn["height_cm"])}
    for course in regimen.courses:
        if course.steady:
            how = "Give the doses before as a course of their own."
            raise Il2Error("a population starts without drug", where=regimen.name, why="a course is steady", how=how)
        for one in doses(replace(regimen, courses=(course,)), body):
            amount = one.amount_nmol * size[course.dose.per]
            if np.max(amount) > LARGEST_nmol:
                what = f"{course.dose} are {np.max(amount):.3g} nmol for the largest patient"
                raise Il2Error(what, where=regimen.name, why=f"the largest dose is {LARGEST_nmol} nmol")
            out.append((one, amount))
    return sorted(out, key=lambda pair: pair[0].time_d)


def events(doses_given: list[tuple[Given, float | np.ndarray]]) -> list[Action]:
    """Events of the doses of many bodies."""
    out: list[Action] = []
    for one, amount in doses_given:
        (event,) = events_of([one])
        if isinstance(event, (Bolus, Infusion)):
            out.append(replace(event, amount=amount))
    return out
