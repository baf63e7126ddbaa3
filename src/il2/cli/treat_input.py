"""What `il2 treat` is asked for: regimens by name or from files, a person with what options change, other numbers."""

from __future__ import annotations

from pathlib import Path

from il2.errors import Il2Error, did_you_mean
from il2.formats.events import read_events
from il2.knowledge.person import Person, person
from il2.knowledge.quantity import quantity
from il2.patient.course import body_of
from il2.patient.regimen import Regimen
from il2.patient.regimen_file import regimen
from il2.units import quantity_in

EVENTS = ".csv"
WHERE = "il2 treat"
PER_SURFACE = "/1.73m2"  # what laboratories write behind an eGFR
COUNT = "_per_uL"
MOST_COUNT = 10**6  # in a uL: a guard against slips of units; more white cells than blood holds


def regimens_of(names: list[str], drug: str, route: str) -> list[Regimen]:
    """Regimens by name or from files; an event table gives one for each ID."""
    out: list[Regimen] = []
    tables = [name for name in names if Path(name).suffix.lower() == EVENTS]
    for option, value in (("--drug", drug), ("--route", route)):
        if value and not tables:
            raise Il2Error(
                f"{option} has no effect without an event table", where=WHERE, how="Give a .csv, or leave it."
            )
    for name in names:
        if name in tables:
            out += read_events(Path(name), drug=drug, route=route).values()
        else:
            out.append(regimen(name))
    return out


def person_of(name: str, sizes: dict[str, tuple[str, str]], counts: list[str]) -> Person:
    """The patient with what the options change."""
    values = {}
    try:
        who = person(name)
    except Il2Error as error:
        raise Il2Error(error.what, where="--patient", how=error.how) from error
    for option, (text, key) in sizes.items():
        if text:
            if key == "eGFR":
                bare = text.replace("m^2", "m2").replace("m²", "m2").replace(" ", "")
                text = bare.removesuffix(PER_SURFACE) if bare.endswith(PER_SURFACE) else text
            values[key] = quantity_in(text, who[key].unit, where=f"--{option}")
    for text in counts:
        kind, _, amount = (part.strip() for part in text.partition("="))
        if not amount:
            raise Il2Error(f"{text!r} is no count", where="--count", how="Write it like 'Treg=20 cell/uL'.")
        key = kind + COUNT
        if key not in who.values:
            kinds = [k.removesuffix(COUNT) for k in who.values if k.endswith(COUNT)]
            raise Il2Error(f"no count of {kind!r}", where="--count", how=did_you_mean(kind, kinds))
        if key in values:
            raise Il2Error(f"{kind} is given twice", where="--count", how="Give each once.")
        values[key] = quantity_in(amount, who[key].unit, where="--count")
        if values[key] > MOST_COUNT:
            how = f"Give at most {MOST_COUNT:,}: check amount and unit."
            raise Il2Error(f"{values[key]:g} cells of {kind} stand in one uL", where="--count", how=how)
    who = who.having(**values) if values else who
    body_of(who)  # refuses a size that no body has, before any work
    return who


def changes_of(texts: list[str]) -> dict[str, float]:
    """Values by name of quantities, in their units."""
    out = {}
    for text in texts:
        name, _, amount = (part.strip() for part in text.partition("="))
        if not amount:
            raise Il2Error(f"{text!r} is no name=value", where="--set", how="Write it like 'eosinophil_loss=2 1/d'.")
        try:
            known = quantity(name)
        except Il2Error as error:
            raise Il2Error(error.what, where="--set", how=error.how) from error
        if name in out:
            raise Il2Error(f"{name} is given twice", where="--set", how="Give each once.")
        out[name] = quantity_in(amount, known.unit, where=f"--set {name}", bare_ok=known.unit == "dimensionless")
    return out
