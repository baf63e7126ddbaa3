"""A regimen from a YAML file and back, and the regimens that come with the package, by name.

title: High-dose IL-2
about: What it is, in a sentence.
sources: [proleukin_label]       # ids of sources; `assumed` where something was not read
assumed: [The number of cycles]  # what was not read
courses:
  - drug: aldesleukin
    dose: 600000 IU/kg           # MIU, IU, mg, ug, nmol; as such, /kg or /m2
    route: iv                    # iv, sc or im
    start: 0 d                   # or start_d: 0
    every: 8 h                   # or every_h: 8
    doses: 14                    # in a cycle; default 1
    duration: 15 min             # of an infusion, or duration_h; default a bolus
    cycles: 2                    # default 1
    cycle: 14 d                  # from the start of a cycle to the next, or cycle_d
    percent: 100                 # of the dose that is given
    steady: no                   # yes: given like this for ever before the first dose
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from il2.cell.culture_item import amount, whether
from il2.cell.yaml_tree import Item, read_tree
from il2.errors import Il2Error, did_you_mean
from il2.files import write_text
from il2.knowledge.drug import drug
from il2.patient.body import Body
from il2.patient.dose import dose
from il2.patient.regimen import PERCENT, Course, Regimen
from il2.units import quantity_in

SUFFIXES = (".yaml", ".yml")
TOP = ("title", "about", "sources", "assumed", "courses")
TIMES = {"start": "d", "every": "h", "duration": "h", "cycle": "d"}
BARE = {f"{name}_{unit}": name for name, unit in TIMES.items()}
COURSE = ("drug", "dose", "route", *TIMES, *BARE, "doses", "cycles", "percent", "steady")
NEEDED = ("drug", "dose", "route")
LONGEST_COUNT = 9  # digits
HINTS = {  # what the reader of trees, which serves cultures too, advises
    "Describe one plate.": "Describe one regimen.",
    "Give at least the cells of a well.": "Give at least 'courses'.",
}


def regimens() -> tuple[str, ...]:
    """Names of the regimens that come with the package."""
    return tuple(sorted((path.stem for path in _folder().glob("*.yaml")), key=str.casefold))


def regimen(text: str) -> Regimen:
    """The regimen of a file, where the text ends in .yaml or .yml, or of the package, in any case."""
    if Path(text).suffix.lower() in SUFFIXES:
        return read_regimen(Path(text))
    known = {name.casefold(): name for name in regimens()}
    bare = text.strip().casefold().replace("-", "_").replace(" ", "_")
    if bare not in known:
        holds = [name for folded, name in known.items() if bare and bare in folded]
        near = did_you_mean(holds[0] if holds else bare, known.values())
        raise Il2Error(f"unknown regimen {text!r}", how=f"{near} Or give a file that ends in .yaml.")
    return read_regimen(_folder() / f"{known[bare]}.yaml")


def read_regimen(path: Path) -> Regimen:
    """The regimen of a YAML file; Il2Error with file, line and key for what cannot be given."""
    try:
        root = read_tree(path)
    except Il2Error as error:
        how = HINTS.get(error.how, error.how)
        raise Il2Error(error.what, where=error.where, why=error.why, how=how) from error
    return regimen_of(root, path.stem)


def regimen_of(root: Item, name: str) -> Regimen:
    """The regimen that a tree describes."""
    top = root.keys(TOP)
    if "courses" not in top:
        root.wrong("no courses are given", "Give 'courses', a list; an empty one, [], is no treatment.")
    if top["courses"].content == "":
        top["courses"].wrong("no courses are given", "Give a list; an empty one, [], is no treatment.")
    courses = tuple(_course(item) for item in top["courses"].items)
    title, about = (top[key].text if key in top else "" for key in ("title", "about"))
    sources, assumed = (tuple(i.text for i in top[k].items) if k in top else () for k in ("sources", "assumed"))
    try:
        return Regimen(name, title or name, courses, sources, about, assumed)
    except Il2Error as error:
        place = top.get(error.where, root)
        raise Il2Error(error.what, where=place.where, why=error.why, how=error.how) from error


def _course(item: Item) -> Course:
    keys = item.keys(COURSE)
    for name in NEEDED:
        if name not in keys:
            item.wrong(f"the {name} of a course is missing", f"Write '{name}: ...'.")
    try:
        given = dose(keys["dose"].text)
    except Il2Error as error:
        raise Il2Error(error.what, where=keys["dose"].where, why=error.why, how=error.how) from error
    times = {name: amount(keys, name, unit) or 0.0 for name, unit in TIMES.items()}
    counts = {name: _whole(keys[name]) if name in keys else 1 for name in ("doses", "cycles")}
    percent = _percent(keys["percent"]) if "percent" in keys else 100.0
    steady = whether(keys["steady"]) if "steady" in keys else False
    try:
        course = Course(
            keys["drug"].text, given, keys["route"].text, times["start"], times["every"], counts["doses"],
            times["duration"], counts["cycles"], times["cycle"], percent, steady,
        )  # fmt: skip
        _possible(course)
    except Il2Error as error:
        raise Il2Error(error.what, where=_place(item, keys, error.where).where, why=error.why, how=error.how) from error
    return course


def _possible(course: Course) -> None:
    """Refuse a drug that is not known and a dose that the reference adult cannot be given."""
    try:
        known = drug(course.drug)
    except Il2Error as error:
        raise Il2Error(error.what, where="drug", why=error.why, how=error.how) from error
    try:
        course.dose.nmol(known, Body())
    except Il2Error as error:
        raise Il2Error(error.what, where="dose", why=error.why, how=error.how) from error


def _place(item: Item, keys: Mapping[str, Item], field: str) -> Item:
    """Where a field of a course stands: under its own name, or under that without a unit."""
    return keys.get(field) or keys.get(BARE.get(field, field)) or item


def _whole(item: Item) -> int:
    if not (item.text.isascii() and item.text.isdigit() and len(item.text) <= LONGEST_COUNT):
        item.wrong(f"{item.text!r} is no whole number", "Give a whole number from 1 up.")
    return int(item.text)


def _percent(item: Item) -> float:
    return quantity_in(item.text.removesuffix("%").rstrip(), "percent", where=item.where, bare_ok=True)


def regimen_text(regimen: Regimen) -> str:
    """The YAML of a regimen: what `read_regimen` reads back as the same regimen, under the name of its file."""
    import yaml

    top: dict = {"title": regimen.title}
    if regimen.about:
        top["about"] = regimen.about
    for key in ("sources", "assumed"):
        if listed := list(getattr(regimen, key)):
            top[key] = listed
    top["courses"] = [_written(course) for course in regimen.courses]
    return yaml.safe_dump(top, sort_keys=False, allow_unicode=True, width=10**6)


def write_regimen(regimen: Regimen, path: Path) -> None:
    """Write the YAML of a regimen, whole or not at all."""
    write_text(path, regimen_text(regimen))


def _written(course: Course) -> dict[str, str | int | float]:
    found: dict[str, str | int | float] = {"drug": course.drug, "dose": str(course.dose), "route": course.route}
    found["start"] = time_text(course.start_d, "d")
    if course.every_h:
        found["every"] = time_text(course.every_h, "h")
    if course.doses > 1:
        found["doses"] = course.doses
    if course.duration_h:
        found["duration"] = time_text(course.duration_h, "h")
    if course.cycles > 1:
        found["cycles"] = course.cycles
    if course.cycle_d:
        found["cycle"] = time_text(course.cycle_d, "d")
    if course.percent != PERCENT:
        found["percent"] = course.percent
    if course.steady:
        found["steady"] = "yes"
    return found


def time_text(value: float, unit: str) -> str:
    """A time in the shortest words, days, hours or minutes, that are exactly this value."""
    words = []
    for other in (unit, "d", "h", "min"):
        converted = quantity_in(f"{value!r} {unit}", other)
        text = f"{plain(float(f'{converted:.12g}'))} {other}"
        if quantity_in(text, unit) == value:
            words.append(text)
    return min(words, key=len, default=f"{value!r} {unit}")


def plain(value: float) -> str:
    """A number as it is read back, without a zero behind the point."""
    return repr(float(value)).removesuffix(".0")


def _folder() -> Path:
    return Path(str(files("il2.knowledge") / "regimens"))
