"""The page of a treatment: question, figure, exposure, effects, where the dose goes, numbers with their grades."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from il2.knowledge.person import GIVEN, Person
from il2.knowledge.quantity import GRADES, quantities
from il2.patient.course import lowered
from il2.patient.patient import Plan
from il2.patient.regimen import Course, Regimen
from il2.patient.regimen_file import time_text
from il2.patient.treat import plan_for
from il2.patient.treat_evidence import person_values, treat_ranges
from il2.patient.treat_exposure import exposures
from il2.patient.treat_summary import effects, fates, mechanism
from il2.report.evidence import Sources, number_text, span, unit
from il2.report.figure import render
from il2.report.markup import Markup, Piece, table, tag, void
from il2.report.page import page, section
from il2.report.treat_figure import treat_figure

if TYPE_CHECKING:
    import xarray

NONE = "–"


def treat_html(data: xarray.Dataset, regimens: Sequence[Regimen], person: Person, command: str = "") -> str:
    """A self-contained page on what `treat` returned; it loads nothing, and every text is escaped."""
    sources = Sources()
    title = _title(regimens, person)
    grade = f"The weakest evidence that it rests on is graded “{data.attrs['weakest_grade']}”."
    use = tag("div", tag("p", tag("strong", str(data.attrs["research_use"]))), class_="notice")
    body = [
        tag("header", tag("h1", title), use, tag("p", _question(data, regimens, person), " ", grade, class_="lede")),
        _facts(data, command),
        section("Regimens", _regimens(regimens, sources)),
        section("Courses", _figure(data)),
        section("Exposure", *_exposure(data)),
        section("Where the dose goes", *_mechanism(data)),
        section("Effects and harm", *_effects(data)),
        section("Warnings", _warnings(data)),
        section("The patient", _person(data, person, sources)),
        section("Numbers and their grades", *_numbers(data, regimens, person, sources)),
        section("References", sources.listing([s for s in str(data.attrs["sources"]).split("; ") if s])),
        tag("footer", tag("p", tag("strong", str(data.attrs["research_use"])))),
    ]
    return page(title, body)


def _title(regimens: Sequence[Regimen], person: Person) -> str:
    said = regimens[0].title if len(regimens) == 1 else " against ".join(r.name for r in regimens)
    return f"{said}: virtual patient {person.name}"


def _question(data: xarray.Dataset, regimens: Sequence[Regimen], person: Person) -> str:
    many = "do these regimens, each from day 0," if len(regimens) > 1 else "does this regimen"
    return (
        f"What {many} do to a virtual patient ({person.name}) over {float(data.time_d.values[-1]):g} days: drug in "
        "plasma, receptors, cells in blood, and harm?"
    )


def _facts(data: xarray.Dataset, command: str) -> Markup:
    attrs = data.attrs
    facts: list[tuple[str, Piece]] = [
        ("Command", tag("code", command) if command else "not recorded"),
        ("Version", f"il2 {attrs['il2_version']}"),
        ("Parameter set", f"{attrs['parameter_set']}, hash {attrs['parameter_hash']}"),
        (
            "Bands",
            f"{attrs['band']}: {attrs['draws']} draws, seed {attrs['seed']}" if attrs["band"] else "none: default set",
        ),
    ]
    facts += [("Changed", attrs["changes"])] if attrs["changes"] else []
    facts += [("Modules", attrs["modules"])] if attrs["modules"] else []
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in facts])


def _regimens(regimens: Sequence[Regimen], sources: Sources) -> list[Markup]:
    body: list[tuple[Piece, ...]] = []
    for r in regimens:
        notes: list[Piece] = [tag("div", r.about, class_="note")] if r.about else []
        notes += [tag("div", f"Assumed: {text}", class_="note") for text in r.assumed]
        said: list[Piece] = [tag("div", _course(c)) for c in r.courses] or ["nothing is given"]
        name: list[Piece] = [r.name, *([tag("div", r.title, class_="note")] if r.title != r.name else [])]
        body.append((name, said, notes or NONE, sources.cite(r.sources) if r.sources else NONE))
    return [table("What is given", ["Regimen", "Doses", "About", "Sources"], body)]


def _course(c: Course) -> str:
    text = f"{c.drug} {c.dose} {c.route}" + (f" over {time_text(c.duration_h, 'h')}" if c.duration_h else "")
    text += f", {c.doses} times every {time_text(c.every_h, 'h')}" if c.doses > 1 else ", once"
    text += f", from day {c.start_d:g}" if c.start_d else ""
    text += f", {c.cycles} cycles of {time_text(c.cycle_d, 'd')}" if c.cycles > 1 else ""
    return text + (f", {c.percent:g} % of it given" if c.percent < 100 else "")


def _figure(data: xarray.Dataset) -> Markup:
    drawing = treat_figure(data)
    address = "data:image/svg+xml;base64," + b64encode(render(drawing, "svg")).decode()
    alt = (
        "Curves over time of drug level, signal, cells, eosinophils and indices. The tables of exposure and of effects "
        "have the values."
    )
    wide = drawing.get_figwidth()
    image = void("img", src=address, alt=alt, style=f"min-width: {60 * wide:.0f}px; max-width: {95 * wide:.0f}px")
    return tag("figure", tag("div", image, class_="wide", tabindex="0", role="region", aria_label="Courses"))


def _exposure(data: xarray.Dataset) -> list[Markup]:
    rows = exposures(data)
    if not rows:
        return [tag("p", "No drug is given.")]
    header = [
        "Regimen", "Drug", "Doses", "First dose (nmol)", "Peak after first (nM)", "at (h)", "Area of first (nM*h)",
        "Trough (nM)", "Peak after last (nM)", "Area of last (nM*h)", "Last over first", "Half-life at end (h)",
        "Highest (IU/mL)",
    ]  # fmt: skip
    keys = (
        "first_dose_nmol", "first_peak_nM", "first_peak_h", "first_AUC_nM_h", "first_trough_nM", "last_peak_nM",
        "last_AUC_nM_h", "accumulation", "half_life_h", "peak_IU_per_mL",
    )  # fmt: skip
    body = [(r["regimen"], r["drug"], str(r["doses"]), *(_text(r[k]) for k in keys)) for r in rows]
    text = (
        "Non-compartmental analysis of the default set. The area of a first dose is that of its interval, and after a "
        "single dose that to infinity; the last is the last whole interval. Areas and half-life leave out what lies "
        "below a ten-thousandth of the highest level."
    )
    return [tag("p", text), table("Exposure to the drug in plasma", header, body, numbers=range(2, len(header)))]


def _mechanism(data: xarray.Dataset) -> list[Markup]:
    rows = fates(data)
    if not rows:
        return [tag("p", "No drug is given.")]
    banded = "eaten_by_receptors_low" in rows[0]
    header = [
        "Regimen", "Drug", "Given (nmol)", "Lost at the site (%)", "Eaten by receptors (%)",
        *(["5 to 95 %"] if banded else []), "Cleared otherwise (%)", "Left (%)", "Eaten, of what comes into blood (%)",
        "EC50 of Treg (nM)", "Gain of Treg (fold*d)",
    ]  # fmt: skip
    body = []
    for r in rows:
        ends = [r.get(f"eaten_by_receptors_{end}", math.nan) for end in ("low", "high")]
        body.append(
            (
                r["regimen"], r["drug"], _text(r["given_nmol"]), _share(r["not_absorbed"]),
                _share(r["eaten_by_receptors"]), *([f"{_share(ends[0])} to {_share(ends[1])}"] if banded else []),
                _share(r["cleared"]), _share(r["left"]), _share(r["eaten_of_absorbed"]), _text(r["Treg_EC50_nM"]),
                _text(r["Treg_gain_fold_d"]),
            )
        )  # fmt: skip
    text = (
        "IL-2 is eaten by the receptors that it acts through. A drug that binds them less is eaten less: where that is "
        "the main loss, the weaker drug lasts longer and can give more Treg."
    )
    listed = tag("ul", [tag("li", said) for said in mechanism(data)])
    return [tag("p", text), listed, table("What becomes of the dose", header, body, numbers=range(2, len(header)))]


def _effects(data: xarray.Dataset) -> list[Markup]:
    rows = effects(data)
    banded = "highest_low" in rows[0]
    header = ["Regimen", "Readout", "Unit", "Start", "Lowest", "on day", "Highest", *(["5 to 95 %"] if banded else []),
              "on day", "End"]  # fmt: skip
    body = []
    for r in rows:
        band = [f"{_text(r['highest_low'])} to {_text(r['highest_high'])}"] if banded else []
        body.append(
            (
                r["regimen"], r["readout"], r["unit"], _text(r["start"]), _text(r["lowest"]), _day(r["lowest_d"]),
                _text(r["highest"]), *band, _day(r["highest_d"]), _text(r["end"]),
            )
        )  # fmt: skip
    text = (
        "Counts fall within hours of a high level since cells leave blood, and rise later as they divide. Leak is an "
        "index of direction: more of it is worse, and its size means nothing."
    )
    return [tag("p", text), table("Readouts with their days", header, body, numbers=range(3, len(header)))]


def _warnings(data: xarray.Dataset) -> Markup:
    return tag("div", tag("ul", [tag("li", str(text)) for text in data.attrs["warnings"]]), class_="notice")


def _person(data: xarray.Dataset, person: Person, sources: Sources) -> Markup:
    plan = Plan(cells=tuple(map(str, data.cell.values)))
    body = [
        (
            v.name.replace("_", " "), number_text(v.value, 4), unit(v.unit), span(v.low, v.high),
            "given" if v.note == GIVEN else v.grade,
            [sources.cite(v.sources), tag("div", v.note, class_="note")],
        )
        for v in person_values(plan, person)
    ]  # fmt: skip
    header = ["Value", "At the start", "Unit", "Range", "Grade", "Sources and note"]
    return table("Size and counts of the patient", header, body, numbers=(1, 3))


def _numbers(data: xarray.Dataset, regimens: Sequence[Regimen], person: Person, sources: Sources) -> list[Markup]:
    asked = tuple(m for m in str(data.attrs["modules"]).split("; ") if m)
    plan, ill = plan_for(regimens, asked)
    known = quantities()
    changed = dict(item.split("=") for item in str(data.attrs["changes"]).split("; ") if item)
    found = treat_ranges(plan, lowered(plan)[0], person, ill.values())
    order = sorted(found, key=lambda r: -GRADES.index(r.grade) if r.grade in GRADES else 0)
    body = []
    for r in order:
        q = known.get(r.name)
        notes = [n for n in (q.context, q.note) if n] if q else []
        said: Piece = [sources.cite(q.sources), tag("div", "; ".join(notes), class_="note")] if q else NONE
        value = f"{changed[r.name]} (set here)" if r.name in changed else number_text(r.value, 4)
        of = unit(q.unit) if q else _unit(r.name)
        body.append((r.name.replace("_", " "), value, of, span(r.low, r.high), r.grade, said))
    header = ["Number", "Value", "Unit", "Range", "Grade", "Sources and context"]
    text = f"{len(found)} numbers, and those of the patient; by grade: {data.attrs['grades']}."
    listed = table("Numbers, the weakest first", header, body, numbers=(1, 3))
    return [tag("p", text), tag("details", tag("summary", "All numbers"), listed)]


def _unit(name: str) -> str:
    """Unit of a number that is no quantity: counts of chains, dissociation constants."""
    return "molecule/cell" if " " in name else "" if "factor" in name else "nM"


def _text(value: float) -> str:
    return NONE if math.isnan(value) else number_text(value)


def _share(value: float) -> str:
    return NONE if math.isnan(value) else f"{100 * value:.1f}"


def _day(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.1f}".removesuffix(".0")
