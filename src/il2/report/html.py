"""The HTML report of `respond`: one file that needs nothing else, with every text escaped."""

from __future__ import annotations

import math
from base64 import b64encode
from itertools import groupby
from typing import TYPE_CHECKING

from il2.cell.measured import origin
from il2.files import write_text
from il2.knowledge.quantity import quantities
from il2.knowledge.table import rows
from il2.patient.targets import BESIDE, INPUT, accepted
from il2.report.agreement import CALIBRATION, CLOSE, PREDICTION, Comparison, comparisons, misses, summary
from il2.report.conditions import added, amounts, assumed, dialled, labels, readouts, shares, unread
from il2.report.evidence import Sources, molecules, parameters, receptors, unit
from il2.report.figure import comparison_figure, render, response_figure
from il2.report.markup import Markup, Piece, table, tag, void
from il2.report.page import page, section
from il2.report.panel import concentration

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.figure import Figure

__all__ = ["response_html", "write_text"]

MOST_FIGURES = 6
MEASUREMENTS = ("farhat2021", "gc_cytokines")
CONFIDENCE = {
    "quantitative": "calibrated, and validated on data it has not seen",
    "band": "right within a stated factor",
    "direction": "right in sign only",
}
RESEARCH_USE = (
    "For research use only: a model of cells in culture, not a medical device, and no basis for decisions on patients."
)


def response_html(data: xarray.Dataset, table: pandas.DataFrame, command: str = "") -> str:
    """A self-contained page on what `respond` returned; `table` is what `ec50_table` made of it.

    command: what was typed, to be shown. The page loads nothing, and every text of others is escaped.
    """
    found, sources = comparisons(table), Sources()
    title = f"{labels(readouts(data))} response to {_asked(data)}"
    body = [
        tag("header", tag("h1", title), _statement(data, found), _facts(data, command)),
        section("Dose-response curves", _figures(data, found)),
        section("EC50, model and measured", _ec50s(found)),
        section("What this parameter set does not explain", _unexplained(found)),
        section("What was calibrated to what", _calibration(found, sources)),
        section("Molecules", molecules(data, sources)),
        section("Receptor counts", receptors(data, sources)),
        section("Parameters", parameters(data, sources)),
        section("Warnings", _warnings(data)),
        section(
            "References",
            sources.listing([*MEASUREMENTS, *_origins(found), *str(data.attrs.get("sources", "")).split("; ")]),
        ),
        tag("footer", tag("p", tag("strong", RESEARCH_USE))),
    ]
    return page(title, body)


def _origins(found: list[Comparison]) -> list[str]:
    """Sources of the measured EC50s."""
    return sorted({origin(c.ligand, c.cell) for c in found if math.isfinite(c.measured)})


def _statement(data: xarray.Dataset, found: list[Comparison]) -> Markup:
    status = str(data.attrs.get("status", "unknown"))
    measured = (
        f"measured EC50s: {summary(found)}"
        if any(c.known for c in found)
        else "no EC50 here has a measured one beside it"
    )
    cells = f"{len(data.cell)} cell types" if len(data.cell) > 1 else _few(data.cell.values)
    stats = labels(readouts(data))
    beside = "beside published measurements where there are any"
    if amounts(data) or shares(data):
        beside = "with no measurements beside it, since they were made without these additions and changes"
    return tag(
        "p",
        f"This page shows what il2, a model, predicts for phosphorylated {stats.replace('p', '')} ({stats}) in {cells} "
        f"under {_asked(data)}, {beside}. Its confidence is “{status}”, "
        f"{CONFIDENCE.get(status, 'not stated')} ({measured}), and the weakest evidence that it "
        f"rests on is graded “{data.attrs.get('weakest_grade', 'unknown')}”.",
        *(f" {text}" for text in assumed(data)),
        class_="lede",
    )


def _facts(data: xarray.Dataset, command: str) -> Markup:
    attrs, doses, times = data.attrs, data.dose_nM.values, data.time_min.values
    ends = f"{len(doses)} from {concentration(doses.min())} to {concentration(doses.max())}, molecules"
    facts: list[tuple[str, Piece]] = [
        ("Command", tag("code", command) if command else "not recorded"),
        ("Version", f"il2 {attrs.get('il2_version', '?')}"),
        ("Parameter set", f"{attrs.get('parameter_set', '?')}, hash {attrs.get('parameter_hash', '?')}"),
        ("Doses", ends if len(doses) > 1 else concentration(doses[0])),
        ("Times", ", ".join(f"{t:g}" for t in times) + " min"),
        ("Ligand supply", str(attrs.get("ligand_supply", "not recorded"))),
    ]
    facts += [(name, text) for name, text in (("Added", added(data)), ("Changed", dialled(data))) if text]
    if others := unread(data):
        text = f"{labels(others)}, by which additions signal, is in the table of results and not shown here"
        facts.append(("Other readout", text))
    if "pstat5_low" in data:
        text = data.pstat5_low.attrs
        draws = f"{text.get('draws', '?')} draws from the ranges of counts and parameters, seed {text.get('seed', '?')}"
        facts.append(("Bands", draws))
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in facts])


def _figures(data: xarray.Dataset, found: list[Comparison]) -> list[Markup]:
    names = [str(name) for name in data.ligand.values]
    out = []
    if len(names) > 1:
        time = float(data.time_min.values[0])
        now = [c for c in found if c.time_min == time]
        out.append(_figure(comparison_figure(data), f"All ligands at {time:g} min. {_key(now)}", now))
    for name in names[:MOST_FIGURES]:
        own = [c for c in found if c.ligand == name]
        out.append(_figure(response_figure(data, ligand=name), f"{name}: one line per time. {_key(own)}", own))
    if len(names) > MOST_FIGURES:
        out.append(tag("p", f"Only the first {MOST_FIGURES} of {len(names)} ligands have a figure of their own."))
    return out


def _key(shown: list[Comparison]) -> str:
    """What lines and markers are."""
    markers = ", markers are measurements" if any(math.isfinite(c.measured) for c in shown) else ""
    return f"Lines are the model{markers}."


def _figure(figure: Figure, caption: str, shown: list[Comparison]) -> Markup:
    values = "; ".join(
        f"{c.ligand} on {c.cell}, {c.time_min:g} min: {concentration(c.model)}"
        + (f", measured {concentration(c.measured)}" if math.isfinite(c.measured) else "")
        for c in shown[:40]
    )
    address = "data:image/svg+xml;base64," + b64encode(render(figure, "svg")).decode()
    stats = labels(c.readout for c in shown)
    alt = f"Dose-response curves of {stats} in percent over dose, one panel per cell. {caption} EC50s: {values}."
    wide = figure.get_figwidth()
    image = void("img", src=address, alt=alt, style=f"min-width: {60 * wide:.0f}px; max-width: {100 * wide:.0f}px")
    scroll = tag("div", image, class_="wide", tabindex="0", role="region", aria_label=caption)
    return tag("figure", scroll, tag("figcaption", caption))


def _ec50s(found: list[Comparison]) -> list[Markup]:
    several, stats = len({c.ligand for c in found}) > 1, labels(c.readout for c in found)
    mixed = len({c.readout for c in found}) > 1
    body = [
        (
            (f"{c.cell}, {c.ligand}" if several else c.cell) + (f", {labels([c.readout])}" if mixed else ""),
            f"{c.time_min:g}",
            _model(c),
            _value(c.measured, "not measured"),
            f"{c.fold:.2g}" if c.known else "–",
            tag("span", c.words, class_=c.level),
            _replicates(c),
            c.use,
        )
        for c in found
    ]
    first = "Cell, ligand" if several else "Cell"
    header = [first, "Time (min)", "Model", "Measured", "Model ÷ measured", "Agreement", "Replicates", "Use"]
    text = (
        "EC50 is the dose at half of maximum minus minimum on the rising limb, read in the same way from the model and "
        "from the measurement. Measured values are geometric means over replicates."
    )
    return [tag("p", text), table(f"EC50 of {stats} by cell, ligand and time", header, body, numbers=(1, 2, 3, 4, 6))]


def _model(c: Comparison) -> Piece:
    """The EC50 of the model with its band and its note."""
    band = f"{concentration(c.model_low)} to {concentration(c.model_high)}" if math.isfinite(c.model_low) else ""
    more = "; ".join(filter(None, [band, c.note]))
    return [_value(c.model, "no EC50"), tag("div", more, class_="note")] if more else _value(c.model, "no EC50")


def _unexplained(found: list[Comparison]) -> list[Markup]:
    known = sorted((c for c in found if c.known), key=lambda c: c.time_min)
    if not known:
        return [tag("p", "No EC50 on this page stands beside a measured one, so nothing on it could be tested.")]
    wrong = [c for c in known if c.error > CLOSE]
    sensitive = sum(c.fold < 1 for c in wrong)
    count = (
        f"{len(wrong)} of {len(known)} measured EC50s are missed by more than {CLOSE:g}-fold; the model is too "
        f"sensitive in {sensitive} of these and not sensitive enough in {len(wrong) - sensitive}."
    )
    largest = [
        f"{c.ligand} on {c.cell} at {c.time_min:g} min: {concentration(c.model)} where {concentration(c.measured)} was "
        f"measured, {c.error:.2g}-fold {c.side}."
        for c in misses(known)
    ]
    times = [f"{time:g} min: {summary(group)}." for time, group in groupby(known, key=lambda c: c.time_min)]
    limits = (
        "EC50s say nothing about heights: fluorescence has no absolute scale here, so amplitudes are not tested. Where "
        "lines and markers part in the figures although the EC50s agree, the shape is not explained."
    )
    return [
        tag("p", count, " The largest misses:" if largest else ""),
        *([_list(largest)] if largest else []),
        tag("p", "By time:"),
        _list(times),
        tag("p", limits),
    ]


def _calibration(found: list[Comparison], sources: Sources) -> list[Markup]:
    known = sorted((c for c in found if c.known), key=lambda c: c.use)
    uses = [f"{use}: {summary(group)}." for use, group in groupby(known, key=lambda c: c.use)]
    body = [
        (
            row["id"],
            row["quantity"],
            row["condition"],
            f"{row['value']} {unit(row['unit'])}",
            accepted(float(row["low"]), float(row["high"])),
            row["use"],
            sources.cite(row["source"].split(";")),
        )
        for use in (CALIBRATION, "validation", "report", BESIDE, INPUT)
        for row in rows("target_runs")
        if row["use"] == use
    ]
    header = ["Id", "Quantity", "Condition", "Published", "Accepted range", "Use", "Sources"]
    chosen = [q.name for q in quantities().values() if q.layer in ("receptor", "signalling") and "calibrat" in q.note]
    text = (
        f"Parameters were chosen within their ranges on the IL-2 responses of ten PBMC populations at 30 to 240 min "
        f"and on the results of use “{CALIBRATION}”; agreement with them is no test. A "
        f"subset of a calibrated population is not independent of it. Everything else measured on these cells is "
        f"“{PREDICTION}” or “validation”: no calibration to it is on record, though it may come from the same plates. "
        f"“report” was not asked for, “beside” is not judged, “input” was put in. "
        f"Notes of the parameters name as calibrated: {', '.join(chosen) or 'none'}. "
        f"The command il2 targets computes what the model gives for each published result."
    )
    return [
        tag("p", text),
        _list(uses) if uses else tag("p", "No EC50 on this page stands beside a measured one."),
        table("Published results and their use", header, body, numbers=(3, 4)),
    ]


def _warnings(data: xarray.Dataset) -> Markup:
    found = [str(text) for text in data.attrs["warnings"]]
    return tag("div", _list(found), class_="notice") if found else tag("p", "None.")


def _list(items: list[str]) -> Markup:
    return tag("ul", [tag("li", item) for item in items])


def _value(nM: float, otherwise: str) -> Piece:
    return concentration(nM) if math.isfinite(nM) else tag("span", f"– {otherwise}", class_="none")


def _replicates(c: Comparison) -> str:
    if not math.isfinite(c.low):
        return "–"
    return "one" if c.low == c.high else f"{concentration(c.low)} to {concentration(c.high)}"


def _asked(data: xarray.Dataset) -> str:
    """The ligands and what was added and turned down, in a few words."""
    more = f" with {_few(amounts(data))}" if amounts(data) else ""
    left = f" ({_few(f'{name}={share}' for name, share in shares(data).items())})" if shares(data) else ""
    return _few(data.ligand.values) + more + left


def _few(values) -> str:
    names = [str(value) for value in values]
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
