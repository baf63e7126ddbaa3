"""The page of a population: who was drawn, figures, tables, and what all of it rests on."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence

from il2 import __version__
from il2.knowledge.drug import drug
from il2.knowledge.parameters import CURRENT, fingerprint
from il2.knowledge.quantity import quantity
from il2.knowledge.table import rows as table_rows
from il2.knowledge.variation import variation
from il2.patient.arm import Arm
from il2.patient.cohort import STATUSES
from il2.patient.notice import RESEARCH_USE
from il2.patient.outcome import LABEL, Outcome
from il2.patient.population import Record
from il2.patient.results import Results
from il2.report.evidence import Sources, number_text, span
from il2.report.figure import render
from il2.report.markup import Markup, Piece, table, tag, void
from il2.report.page import page, section
from il2.report.population_figure import figures

ALT = {
    "bands": "Medians and bands of cell counts and other readouts over time. The table of percentiles has the values.",
    "dose_response": "Shares of responders and peaks of cells over the dose. The tables have the values.",
    "exposure_response": "Shares of responders over exposure. The table of exposure-response has the values.",
    "predictive_check": "Percentiles of measurements beside bands of virtual trials. The table has the values.",
    "trial": "Estimates of each endpoint in each arm. The table of the trial has the values.",
}
HEADINGS = {
    "patients": "Patients who were solved", "responders": "Responders", "spread": "Peaks, ends and exposure",
    "exposure_response": "Exposure-response", "predictive_check": "Visual predictive check", "trial": "Trial",
    "percentiles": "Percentiles over time",
}  # fmt: skip


def population_html(found: Results, arms: Sequence[Arm], command: str = "") -> str:
    """A self-contained page on a population; it loads nothing, and every text is escaped."""
    sources = Sources()
    trial = found.asked.trial
    title = trial.title if trial else f"Virtual patients: {', '.join(dict.fromkeys(a.regimen.title for a in arms))}"
    use = tag("div", tag("p", tag("strong", RESEARCH_USE)), class_="notice")
    body = [
        tag("header", tag("h1", title), use, _facts(found, command)),
        section("Arms", _arms(arms, sources)),
        section("Figures", [_figure(name, drawing) for name, drawing in figures(found).items()]),
        section("Tables", _said(found), [_table(name, rows) for name, rows in found.tables().items()]),
        section("How patients differ", *_variation(sources)),
        section("Where this may mislead", _limits(found)),
        section("References", sources.listing(sorted({s for a in arms for s in a.regimen.sources}))),
        tag("footer", tag("p", tag("strong", RESEARCH_USE))),
    ]
    return page(title, body)


def _facts(found: Results, command: str) -> Markup:
    settings = found.settings
    total, arms = sum(one["number"] for one in settings["arms"]), len(settings["arms"])
    facts: list[tuple[str, Piece]] = [
        ("Command", tag("code", command) if command else "not recorded"),
        ("Version", f"il2 {__version__}"),
        ("Parameter set", f"{CURRENT}, hash {fingerprint()}"),
        ("Patients", f"{total:,} in {arms} arm{'s' if arms > 1 else ''}, seed {settings['seed']}"),
        ("Followed", f"{settings['days']:g} days"),
    ]
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in facts])


def _arms(arms: Sequence[Arm], sources: Sources) -> list[Markup]:
    body = []
    for arm in arms:
        given = [
            f"{c.drug} {c.dose} {c.route}, {c.doses} doses" + (f" every {c.every_h:g} h" if c.every_h else "")
            + (f", {c.cycles} cycles" if c.cycles > 1 else "")
            for c in arm.regimen.courses
        ]  # fmt: skip
        drugs = [drug(name) for name in arm.regimen.drugs]
        cited = list(dict.fromkeys([*arm.regimen.sources, *(s for d in drugs for s in d.sources)]))
        who = arm.person.name + "".join(
            f", {v.name} {v.value:g}" for v in arm.person.values.values() if v.note == "as given"
        )
        body.append(
            (arm.name, [tag("div", g) for g in given] or "no treatment", who, f"{arm.number:,}",
             ", ".join(arm.modules) or "–", sources.cite(cited) if cited else "–")
        )  # fmt: skip
    header = ["Arm", "Given", "Typical person", "Patients", "Parts of diseases", "Sources"]
    return [table("Arms", header, body, numbers=(3,))]


def _figure(name: str, drawing) -> Markup:
    address = "data:image/svg+xml;base64," + b64encode(render(drawing, "svg")).decode()
    wide = drawing.get_figwidth()
    image = void(
        "img", src=address, alt=ALT[name], style=f"min-width: {60 * wide:.0f}px; max-width: {100 * wide:.0f}px"
    )
    return tag("figure", tag("div", image, class_="wide", tabindex="0", role="region", aria_label=name))


def _table(name: str, rows: Sequence[Record]) -> Markup:
    header = [key for key in rows[0] if not _constant(key, rows)]
    numeric = [n for n, key in enumerate(header) if isinstance(rows[0][key], (int, float))]
    body = [[_cell(key, row[key]) for key in header] for row in rows]
    own = table(HEADINGS[name], [key.replace("_", " ") for key in header], body, numbers=numeric)
    return tag("details", tag("summary", HEADINGS[name]), own, open=len(rows) <= 30)


def _constant(key: str, rows: Sequence[Record]) -> bool:
    """Columns that say the same in every row, and little."""
    if key in STATUSES:
        return not any(r[key] for r in rows)
    return key in ("level_percent", "share_expected", "same_people", "label") and len({r[key] for r in rows}) == 1 and (
        key != "label" or not rows[0][key]
    )  # fmt: skip


def _cell(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:g}" if key == "time_d" else number_text(value)
    return str(value)


def _said(found: Results) -> list[Markup]:
    """What the tables say, in words."""
    out = [
        f"Shares of responders have exact (Clopper and Pearson) {found.asked.level:g} % intervals: they hold the "
        "chance of the draw alone, and nothing of what is not known of the model."
    ]
    if found.curve is not None:
        odds = found.curve.odds_per_doubling(found.asked.level) if math.isfinite(found.curve.slope) else None
        out.append(
            f"Odds of response change by a factor of {odds[0]:.3g} ({odds[1]:.3g} to {odds[2]:.3g}) a doubled "
            "exposure. The curve can only rise or only fall: where the bins do both, believe the bins."
            if odds
            else "No logistic curve is given: all respond, none does, or exposure parts them."
        )
    if found.coverage:
        c = found.coverage
        share, low, high, expected = (100 * c[name] for name in ("share", "low", "high", "share_expected"))
        out.append(
            f"Of {c['measured']:,} measurements {share:.3g} % ({low:.3g} to {high:.3g} %) lie within what "
            f"{expected:g} % of virtual patients show."
        )
    return [tag("p", text) for text in out]


def _variation(sources: Sources) -> list[Markup]:
    body = []
    for row in table_rows("variation"):
        q = quantity(row["variation"])
        said = [sources.cite(q.sources), tag("div", q.note or q.context, class_="note")]
        body.append((row["parameter"], row["varies"], number_text(q.value), span(q.low, q.high), q.grade, said))
    pairs = [
        (f"{r['parameter']} and {r['other']}", r["correlation"], r["grade"], r["note"])
        for r in table_rows("correlations")
    ]
    text = (
        f"{len(variation().names)} numbers differ between people, as lognormal factors around the typical person. "
        "All else, such as the affinities of receptors, is the same in all."
    )
    return [
        tag("p", text),
        table(
            "Standard deviations of the logarithm", ["Number", "Varies", "SD", "Range", "Grade", "Sources"], body, (2,)
        ),
        table("Correlations of the logarithms; others are 0", ["Pair", "Correlation", "Grade", "Note"], pairs, (1,)),
    ]


def _limits(found: Results) -> Markup:
    out = [
        "Most of the variation between people is assumed, and so are the shares of responders that follow from it.",
        "Patients miss no dose, and leave no trial. Nobody is treated otherwise besides.",
        "Levels, counts and folds are those of the model without an error of measurement"
        + (f"; {found.asked.error_percent:g} % was added for the check." if found.asked.error_percent else "."),
        "Peaks are the highest of daily values and of dense times after the first and the last dose.",
    ]
    if found.exposure_response:
        out.append("Exposure is no free choice: cells that take up a drug and grow lower the exposure to later doses.")
    failed = sum(row["failed"] for row in found.failures)
    if failed:
        out.append(f"{failed:,} patients could not be solved to the end and count nowhere.")
    trial = found.asked.trial
    if trial is not None and any(isinstance(e.of, Outcome) for e in trial.endpoints):
        out.append(f"Links to clinical outcomes are {LABEL}s on the trials they name: they predict nothing.")
    if trial is not None and trial.common:
        out.append("The same people are in every arm, pair by pair: intervals are narrower than those of a real trial.")
    return tag("ul", [tag("li", text) for text in out])
