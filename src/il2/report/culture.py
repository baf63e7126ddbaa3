"""The page of a culture: set-up, figure, results, warnings, and the numbers with their grades."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import TYPE_CHECKING

from il2.cell.culture_file import Plate
from il2.cell.culture_summary import summary
from il2.cell.ranges import culture_ranges
from il2.cell.well import Well
from il2.knowledge.quantity import GRADES, quantities
from il2.report.culture_figure import culture_figure
from il2.report.evidence import Sources, number_text, span
from il2.report.figure import render
from il2.report.html import RESEARCH_USE
from il2.report.markup import Markup, Piece, table, tag, void
from il2.report.page import page, section

if TYPE_CHECKING:
    import xarray

SEMI = (
    "Cell numbers, divisions and IL-2 follow from assumed numbers for the most part: compare wells with one another, "
    "and read directions. Pathways and products are relative and semi-quantitative."
)


def culture_html(data: xarray.Dataset, asked: Plate, command: str = "") -> str:
    """A self-contained page on what `culture` returned with bands; it loads nothing, and every text is escaped."""
    sources = Sources()
    grade = f"The weakest evidence that it rests on is graded “{data.attrs['weakest_grade']}”."
    about = [tag("p", asked.about, class_="lede")] if asked.about else []
    body = [
        tag("header", tag("h1", asked.title), *about, tag("p", SEMI, " ", grade), _facts(data, asked, command)),
        section("Set-up", _setup(asked, sources)),
        section("Courses", _figure(data, asked)),
        section("Results", _results(data, asked)),
        section("Warnings", _warnings(data)),
        section("Numbers and their grades", *_numbers(data, asked, sources)),
        section("References", sources.listing([s for s in str(data.attrs["sources"]).split("; ") if s])),
        tag("footer", tag("p", tag("strong", RESEARCH_USE))),
    ]
    return page(asked.title, body)


def _facts(data: xarray.Dataset, asked: Plate, command: str) -> Markup:
    attrs = data.attrs
    bands = f"{attrs['band']}: {attrs['donors']} donors, {attrs['draws']} draws, seed {attrs['seed']}"
    facts: list[tuple[str, Piece]] = [
        ("Command", tag("code", command) if command else "not recorded"),
        ("Version", f"il2 {attrs['il2_version']}"),
        ("Parameter set", f"{attrs['parameter_set']}, hash {attrs['parameter_hash']}, {attrs['species']}"),
        ("Wells", f"{len(asked.wells)}, {data.time_h.values[-1]:g} h"),
        ("Bands", bands if attrs["band"] else "none: the typical donor of the default set"),
    ]
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in facts])


def _setup(asked: Plate, sources: Sources) -> list[Markup]:
    header = [
        "Well",
        "Cells at the start",
        "Antigen (molecules)",
        "CD28 help",
        "Given",
        "Fresh medium",
        "Volume (uL)",
    ]
    body = [_well(asked.labels.get(key, key), key, well) for key, well in asked.wells.items()]
    cited = tag("p", "Numbers of the set-up: ", sources.cite(asked.sources)) if asked.sources else tag("p")
    return [table("Wells", header, body, numbers=(3, 6)), cited]


def _well(label: str, key: str, well: Well) -> tuple[Piece, ...]:
    cells = []
    for c in well.cells:
        more = [c.kind] if c.kind != c.label else []
        more += [] if c.specific else ["does not know the antigen"]
        more += [f"without {', '.join(c.without)}"] if c.without else []
        cells.append(f"{c.number:,.0f} {c.label}" + (f" ({'; '.join(more)})" if more else ""))
    antigen = [f"{a.molecules:.3g}" + (f" at {a.time_h:g} h" if a.time_h else "") for a in well.antigen]
    if any(a.molecules for a in well.antigen):
        antigen.append(f"on {well.presenting_cells:,.0f} presenting cells")
    given = [f"{a.what} {a.dose_nM:.4g} nM" + (f" at {a.time_h:g} h" if a.time_h else "") for a in well.additions]
    changes = [
        f"{100 * m.fraction:g} % at {m.time_h:g} h"
        + "".join(f", with {name} {dose:.4g} nM" for name, dose in m.fresh_nM.items())
        for m in well.medium_changes
    ]
    name = [key, tag("div", label, class_="note")] if label != key else key
    return (
        name, _lines(cells), _lines(antigen), f"{well.costimulation:g}", _lines(given), _lines(changes),
        f"{well.volume_uL:g}",
    )  # fmt: skip


def _lines(items: list[str]) -> Piece:
    return [tag("div", item) for item in items] if items else "–"


def _figure(data: xarray.Dataset, asked: Plate) -> Markup:
    drawing = culture_figure(data, asked)
    address = "data:image/svg+xml;base64," + b64encode(render(drawing, "svg")).decode()
    alt = "Curves over time of free IL-2, living cells, mean divisions and pSTAT5. The table of results has the values."
    wide = drawing.get_figwidth()
    image = void("img", src=address, alt=alt, style=f"min-width: {60 * wide:.0f}px; max-width: {100 * wide:.0f}px")
    return tag("figure", tag("div", image, class_="wide", tabindex="0", role="region", aria_label="Courses"))


def _results(data: xarray.Dataset, asked: Plate) -> list[Markup]:
    records = summary(data, asked.labels)
    banded = "cells_end_low" in records[0]
    body = []
    for r in records:
        low, high = (r.get(f"cells_end_{end}", math.nan) for end in ("low", "high"))
        peaks = [1000 * r.get(f"IL2_peak_nM_{end}", math.nan) for end in ("low", "high")]
        first = f"{r['well']}, {r['label']}" if r["label"] != r["well"] else r["well"]
        body.append(
            (
                first, r["cells"], _text(1000 * r["IL2_peak_nM"]), *([_span(*peaks)] if banded else []),
                f"{r['IL2_peak_h']:g}", f"{r['cells_start']:,.0f}", f"{r['cells_end']:,.0f}",
                *([_span(low, high)] if banded else []), _text(r["fold"]), _text(r["divisions"]),
                f"{r['dead']:,.0f}", f"{r['balance_error']:.0e}",
            )
        )  # fmt: skip
    band = ["5 to 95 %"] if banded else []
    header = [
        "Well", "Cells", "IL-2 peak (pM)", *band, "at (h)", "At start", "At end", *band, "Fold", "Divisions", "Dead",
        "Mass balance",
    ]  # fmt: skip
    text = (
        "Divisions are the mean of living cells at the end. The mass balance is the largest share of a cytokine that "
        "the sum over medium, cells, degradation, dead cells and removed medium misses."
    )
    caption = f"After {data.time_h.values[-1]:g} h"
    return [tag("p", text), table(caption, header, body, numbers=range(2, len(header)))]


def _span(low: float, high: float) -> str:
    return "–" if math.isnan(low) else f"{_text(low)} to {_text(high)}"


def _text(value: float) -> str:
    return "–" if math.isnan(value) else number_text(value)


def _warnings(data: xarray.Dataset) -> Markup:
    found = [str(text) for text in data.attrs["warnings"]]
    return tag("div", tag("ul", [tag("li", text) for text in found]), class_="notice") if found else tag("p", "None.")


def _numbers(data: xarray.Dataset, asked: Plate, sources: Sources) -> list[Markup]:
    found = culture_ranges(asked.wells.values(), asked.genes, asked.products)
    order = sorted(found, key=lambda r: -GRADES.index(r.grade) if r.grade in GRADES else 0)
    known = quantities()
    body = []
    for r in order:
        q = known.get(r.name)
        said = [sources.cite(q.sources), tag("div", q.context, class_="note")] if q else "–"
        unit = q.unit if q and q.unit != "dimensionless" else ""
        body.append((r.name.replace("_", " "), number_text(r.value, 4), unit, span(r.low, r.high), r.grade, said))
    header = ["Number", "Value", "Unit", "Range", "Grade", "Sources and context"]
    listed = table("Numbers, the weakest first", header, body, numbers=(1, 3))
    text = f"{len(found)} numbers have a range, by grade: {data.attrs['grades']}."
    return [tag("p", text), tag("details", tag("summary", "All numbers"), listed)]
