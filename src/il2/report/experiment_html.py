"""The page of an experiment: question, verdict, claims, set-up, figure, criteria, what decides them, and parameters."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable

from il2.experiments.criterion import ENOUGH_DRAWS, NOT_BUILT
from il2.experiments.parameter import SET_UP
from il2.experiments.result import ClaimStatus, Curve, Measurement, Parameter, Result
from il2.experiments.show import figure
from il2.knowledge.claim import claims
from il2.knowledge.quantity import GRADES
from il2.knowledge.table import listed
from il2.report.evidence import Sources, number_text, unit
from il2.report.experiment_words import MEANING, ORIGINS, RESEARCH_USE, SHARE, badge, meanings
from il2.report.figure import render
from il2.report.markup import Markup, Piece, table, tag, void
from il2.report.page import page, section

BAND = tag("span", "5 to 95 %", class_="whole")
SHORT = 120  # letters of a note that is shown without being opened
RECORDED = "The verdict of an earlier run, without values and figure: the command at the end of this page gives both."
STALE = "Code or numbers have changed since this verdict was recorded."
CAPTION = (
    "Left: the default set as lines, and 5 to 95 % of the draws as bands. Right: the share of draws in which each "
    f"criterion holds; the dashed line is at {SHARE}, and hatched bars are criteria that are not met."
)


def experiment_html(result: Result, index: str = "", stale: bool = False) -> str:
    """A self-contained page; what was not measured has no figure and no values.

    index: address of the page that lists all experiments. stale: the verdict was recorded with other code or numbers.
    """
    sources, title = Sources(), f"{result.experiment} {result.title}"
    parts: dict[str, Piece] = {"Verdict": _verdict(result, stale), "Claims": _claims(result, sources)}
    parts["Set-up"] = _described(result)
    if _measured(result):
        parts["Figure"] = _figure(result)
    parts["Criteria"] = _criteria(result, sources)
    if result.ablation or result.origin:
        parts["What decides it"] = _decides(result)
    if result.parameters or result.read:
        parts["Parameters"] = _parameters(result, sources)
    parts["References"] = sources.listing([])
    parts["Repeat it"] = _repeat(result)
    links = [tag("li", tag("a", name, href=f"#{_anchor(name)}")) for name in parts]
    back = [tag("p", tag("a", "All experiments", href=index))] if index else []
    head = tag("header", back, tag("h1", title), tag("p", result.question, class_="lede") if result.question else "")
    contents = tag("nav", tag("ul", links), aria_label="Contents", class_="contents")
    body = [head, contents, *(section(name, piece, anchor=_anchor(name)) for name, piece in parts.items())]
    return page(title, [*body, tag("footer", tag("p", tag("strong", RESEARCH_USE)))])


def _anchor(name: str) -> str:
    return name.casefold().replace(" ", "-")


def _measured(r: Result) -> bool:
    return any(m.holds is not None for m in r.measurements)


def _verdict(r: Result, stale: bool) -> list[Markup]:
    grade = f" The weakest evidence that it rests on is graded “{r.weakest_grade}”." if r.weakest_grade else ""
    drawn = f" {r.draws} draws, {r.failed_draws} of them failed." if _measured(r) else ""
    notice = [RECORDED] if r.measurements and not _measured(r) else []
    notice += [STALE] if stale else []
    if not math.isnan(r.share):
        drawn += f" All criteria hold at once in {_share(r.share)} of the draws."
    return [
        tag("p", badge(r.verdict), f" {r.reason}.", class_="lede"),
        *(tag("div", tag("p", text), class_="notice") for text in notice),
        tag("p", MEANING.get(r.verdict, ""), drawn, grade),
        *([tag("p", "Origin: ", tag("strong", r.origin), ".")] if r.origin else []),
        meanings(),
    ]


def _claims(r: Result, sources: Sources) -> Markup:
    header = ["Claim", "Statement", "Document", "Status and why", "Origin", "Tested by"]
    return table("The claims that it tests", header, [_claim(c, sources) for c in r.claims])


def _claim(status: ClaimStatus, sources: Sources) -> tuple[Piece, ...]:
    known = claims().get(status.id)
    flagged = f"flagged {known.flag}: not used as canonical" if known and known.flag else ""
    notes = "; ".join(filter(None, (flagged, known.note if known else "")))
    statement = [tag("div", status.statement, class_="statement"), tag("div", notes, class_="note") if notes else ""]
    document = [sources.cite([known.document]), tag("div", known.section, class_="note")] if known else "–"
    verdict = [badge(status.verdict), tag("div", status.reason, class_="note")]
    name = tag("span", status.id, id=status.id, class_="whole")
    return name, statement, document, verdict, status.origin or "–", _names(status.criteria)


def _described(r: Result) -> Markup:
    said = (("Set-up", r.setup), ("Observable", r.observable))
    return tag("dl", [[tag("dt", name), tag("dd", text)] for name, text in said if text])


def _figure(r: Result) -> Markup:
    drawing = figure(r)
    address = "data:image/svg+xml;base64," + b64encode(render(drawing, "svg")).decode()
    tested = [m for m in r.measurements if m.holds is not None]
    criteria = "; ".join(f"{m.name} {m.criterion}: {_share(m.share)}" for m in tested)
    alt = f"Curves of {r.axes[1]} over {r.axes[0]}, and bars of the share of draws by criterion. {criteria}."
    wide = drawing.get_figwidth()
    image = void("img", src=address, alt=alt, style=f"min-width: {70 * wide:.0f}px; max-width: {100 * wide:.0f}px")
    scroll = tag("div", image, class_="wide", tabindex="0", role="region", aria_label="Figure")
    return tag("figure", scroll, tag("figcaption", CAPTION), _in_words(r) if r.curves else "")


def _in_words(r: Result) -> Markup:
    """The curves as a table, for those who do not see the figure."""
    header = ["Curve", "First", "Lowest", "Highest", "Last"]
    body = [(curve.label, *_points(curve)) for curve in r.curves]
    caption = f"{r.axes[1]} at {r.axes[0]}, with 5 to 95 % of the draws"
    return tag("details", tag("summary", "The curves in words"), table(caption, header, body, numbers=(1, 2, 3, 4)))


def _points(curve: Curve) -> list[str]:
    known = [i for i, y in enumerate(curve.y) if not math.isnan(y)]
    if not known:
        return ["–"] * 4
    low, high = (choose(known, key=lambda i: curve.y[i]) for choose in (min, max))
    return [
        f"{_number(curve.y[i])} ({_number(curve.low[i])} to {_number(curve.high[i])}) at {_number(curve.x[i])}"
        for i in (known[0], low, high, known[-1])
    ]


def _criteria(r: Result, sources: Sources) -> list[Markup]:
    tested = [m for m in r.measurements if m.criterion]
    others = [m for m in r.measurements if not m.criterion]
    expected = "Expected: " if r.verdict == NOT_BUILT else ""
    out = [tag("p", expected, r.criterion)] if r.criterion else []
    header = ["Criterion", "Threshold and why", "Default", BAND, "Holds", "Draws", "Ablated", "Decided by"]
    if tested:
        columns = len(header) if _measured(r) else 2
        body = [_tested(m, sources)[:columns] for m in tested]
        numbers = (2, 3, 5, 6) if _measured(r) else ()
        out.append(table("Criteria", header[:columns], body, numbers=numbers))
    if others:
        rows = [(_names([m.name]), _value(m.value, m.unit), _band(m)) for m in others]
        out.append(table("Other numbers, which no criterion judges", ["Number", *header[2:4]], rows, numbers=(1, 2)))
    return out


def _tested(m: Measurement, sources: Sources) -> tuple[Piece, ...]:
    holds: Piece = "–" if m.holds is None else tag("span", "holds", class_="good")
    if m.holds is False:
        holds = tag("span", "fails", class_="poor")
    why = [m.criterion, " ", sources.cite(listed(m.source)), tag("div", m.note, class_="note")]
    decided: Piece = "wiring" if m.structural else _names(m.decided_by)
    share = "–" if math.isnan(m.share) else _share(m.share)
    value, ablated = _value(m.value, m.unit), _value(m.ablated)
    return _names([m.name]), why, value, _band(m), holds, share, ablated, decided


def _decides(r: Result) -> list[Markup]:
    deciding = [p for p in r.parameters if p.decides]
    said = [tag("p", tag("strong", r.origin), f". {ORIGINS[r.origin]}")] if r.origin in ORIGINS else []
    if deciding:
        items = [tag("li", tag("strong", p.name), ": ", ", ".join(p.decides)) for p in deciding]
        said += [tag("p", "Assumed numbers, and the criteria that each turns alone:"), tag("ul", items)]
    elif r.measurements and all(m.structural for m in r.measurements if m.criterion):
        said.append(tag("p", "No draw moves any measurement: the wiring, or arithmetic on tables, decides it."))
    if not r.ablation:
        return [*said, tag("p", "There is no ablation, so that it cannot be shown.")]
    fails = "" if math.isnan(r.ablation_share) else f" What must fail fails in {_share(r.ablation_share)} of the draws."
    word = "undoes" if r.ablation_reverses else "does not undo"
    effect = f" It {word} the result.{fails}" if fails else ""
    return [*said, tag("p", tag("strong", "Ablation"), f": {r.ablation}.{effect}")]


def _parameters(r: Result, sources: Sources) -> list[Markup]:
    varied = [p for p in r.parameters if p.kind != SET_UP]
    chosen = [p for p in r.parameters if p.kind == SET_UP]
    out = []
    if varied:
        grades = [p.grade for p in varied]
        text = ", ".join(f"{grades.count(g)} {g}" for g in reversed(GRADES) if g in grades)
        joint = sum(p.calibrated for p in varied)
        drawn = f" {joint} are calibrated: their draws belong together, and come from the fit." if joint else ""
        out.append(tag("p", f"{len(varied)} numbers are drawn from their ranges, by grade {text}.{drawn}"))
        header = ["Parameter", "Value", "Unit", "Range", "Grade", "Decides", "Sources, context and note"]
        body = [_parameter(p, sources) for p in _ordered(varied)]
        out.append(table("Parameters: what decides a criterion first, then by grade", header, body, numbers=(1, 3)))
    if chosen:
        rows = [(p.name, number_text(p.value, 6), unit(p.unit) or "–", _names(p.decides)) for p in chosen]
        out.append(table("Values that the set-up fixes", ["Name", "Value", "Unit", "Decides"], rows, numbers=(1,)))
    if r.read:
        read = ", ".join(f"{n} {grade}" for grade, n in r.read)
        out.append(tag("p", f"Numbers that are read from tables and not drawn, by grade: {read}."))
    return out


def _ordered(found: Iterable[Parameter]) -> list[Parameter]:
    return sorted(found, key=lambda p: (not p.decides, -GRADES.index(p.grade) if p.grade in GRADES else 0))


def _parameter(p: Parameter, sources: Sources) -> tuple[Piece, ...]:
    span = f"{number_text(p.low)} to {number_text(p.high)}" if p.low < p.high else "–"
    said = [sources.cite(p.sources), _note(p.note)]
    grade = [p.grade or "–", tag("div", "calibrated", class_="none") if p.calibrated else ""]
    value = tag("data", number_text(p.value, 6), value=repr(p.value))
    return _names([p.name]), value, unit(p.unit), span, grade, _names(p.decides), said


def _note(text: str) -> Piece:
    """A note, to be opened where it is long."""
    if len(text) <= SHORT:
        return tag("div", text, class_="note") if text else ""
    return tag("details", tag("summary", "context and note"), text, class_="note")


def _repeat(r: Result) -> Markup:
    command = f"il2 experiment {r.experiment} --draws {r.draws or ENOUGH_DRAWS} --seed {r.seed}"
    facts: list[tuple[str, Piece]] = [
        ("Command", tag("code", f"{command} --html {r.experiment}.html")),
        ("Version", f"il2 {r.il2_version}"),
        ("Parameter set", r.parameter_set + (f", hash {r.parameter_hash}" if r.parameter_hash else "")),
        ("Draws and seed", f"{r.draws or ENOUGH_DRAWS}, {r.seed}"),
    ]
    if r.verdict == NOT_BUILT:
        facts[0] = ("Command", [tag("code", f"il2 explain {r.experiment}"), " says what it is to show."])
        del facts[-1]
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in facts])


def _value(value: float, of: str = "") -> Piece:
    if math.isnan(value):
        return "–"
    return [tag("data", _number(value), value=repr(value)), f" {unit(of)}" if unit(of) else ""]


def _band(m: Measurement) -> str:
    return "–" if math.isnan(m.low) else f"{_number(m.low)} to {_number(m.high)}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "failed"
    return number_text(value) if math.isfinite(value) else ("∞" if value > 0 else "−∞")


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def _names(names: Iterable[str]) -> Piece:
    """Names in a list; each may break at its underscores."""
    parts: list[Piece] = []
    for name in names:
        broken = [piece for part in name.split("_") for piece in ("_", void("wbr"), part)][2:]
        parts += [", ", *broken] if parts else broken
    return tag("div", parts, class_="names") if parts else "–"
