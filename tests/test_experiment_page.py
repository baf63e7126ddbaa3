"""Pages of experiments as a reader sees them: nothing is missing, numbers are those of the run, all text is escaped."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from typer.testing import CliRunner

from il2.cli import experiment as _verbs  # noqa: F401  adds its verbs
from il2.cli.app import app
from il2.errors import Il2Error
from il2.experiments.experiment import experiment, experiments, perform
from il2.experiments.outline import NOT_RUN, outline
from il2.experiments.record import Record, recorded
from il2.experiments.result import ClaimStatus, Curve, Measurement, Parameter, Result
from il2.experiments.show import as_dict, as_text, figure
from il2.experiments.tally import tally
from il2.knowledge.planned import planned
from il2.knowledge.table import keyed, rows
from il2.report.experiment_html import experiment_html
from il2.report.experiment_index import index_html
from il2.report.experiment_words import MEANING, ORIGINS

HOSTILE = "<script>alert(1)</script> \"q\" 'a' & é 細胞 $\\frac{ \x00 _x"
SHOWN_AS = "".join(c if c.isprintable() else "\ufffd" for c in HOSTILE)
GUIDE = Path(__file__).parents[1] / "docs" / "experiments.md"
LOADS = ("src", "srcset", "poster", "data", "action", "background", "xlink:href")
VOID = {"meta", "img", "wbr"}


class Page(HTMLParser):
    """Sections by heading, table rows as lists of texts, values of data elements, links and ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.alts: list[str] = []
        self.rows: list[list[str]] = []
        self.values: list[list[float]] = []
        self.sections: dict[str, str] = {"": ""}
        self.heading = ""
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        table = {name: value or "" for name, value in attrs}
        assert not any(name.startswith("on") for name in table)
        self.tags.add(tag)
        self.open += [] if tag in VOID else [tag]
        self.loads += [table[name] for name in LOADS if name in table]
        self.ids += [table["id"]] if "id" in table else []
        self.targets += [table["href"]] if "href" in table else []
        self.alts += [table["alt"]] if "alt" in table else []
        if tag == "tr":
            self.rows.append([])
            self.values.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "data":
            self.values[-1].append(float(table["value"]))
        if tag == "h2":
            self.heading = ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            assert "url(" not in data and "@import" not in data
            return
        self.text += data
        if "h2" in self.open:
            self.heading += data
        else:
            self.sections[self.heading] = self.sections.get(self.heading, "") + data
        if "tr" in self.open:
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row[0] == first)

    def numbers(self, first: str) -> list[float]:
        return next(values for row, values in zip(self.rows, self.values, strict=True) if row[0] == first)


@cache
def result(name: str) -> Result:
    return perform(experiment(name), draws=20, seed=3)


@cache
def page(name: str) -> Page:
    return Page(experiment_html(result(name)))


def run(*words: str, fails: bool = False) -> str:
    done = CliRunner().invoke(app, list(words))
    if fails:
        assert isinstance(done.exception, Il2Error), done.output
        return str(done.exception)
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


NAMES = ("E01", "E10", "E12", "E14")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_every_part_in_order(name: str) -> None:
    found, shown = result(name), page(name)
    parts = ["Verdict", "Claims", "Set-up", "Figure", "Criteria", "What decides it", "Parameters", "References"]
    assert list(shown.sections)[1:] == [*parts, "Repeat it"]
    assert f"{found.experiment} {found.title}" in shown.text and found.question in shown.sections[""]
    assert found.verdict in shown.sections["Verdict"] and found.reason in shown.sections["Verdict"]
    assert found.setup in shown.sections["Set-up"] and found.observable in shown.sections["Set-up"]
    assert found.criterion in shown.sections["Criteria"]
    assert found.origin in shown.sections["What decides it"] and found.ablation in shown.sections["What decides it"]
    repeat = shown.sections["Repeat it"]
    assert f"il2 experiment {name} --draws 20 --seed 3 --html {name}.html" in repeat
    assert all(text in repeat for text in (found.parameter_set, found.parameter_hash, found.il2_version))
    assert "For research use only" in shown.text


@pytest.mark.parametrize("name", NAMES)
def test_claims_stand_with_statement_document_and_their_own_status(name: str) -> None:
    shown, sources = page(name), keyed("sources", "id")
    for row in (row for row in rows("claims") if row["experiment"] == name):
        said = shown.row(row["id"])
        status = next(c for c in result(name).claims if c.id == row["id"])
        assert row["statement"] in said[1] and row["note"] in said[1] and row["document"] in said[2]
        assert said[3].startswith(status.verdict) and status.reason in said[3]
        assert said[4] == (status.origin or "–") and all(c in said[5] for c in status.criteria)
        assert row["id"] in shown.ids and f"#source-{row['document']}" in shown.targets
        assert sources[row["document"]]["citation"].rstrip(".") in shown.sections["References"]


@pytest.mark.parametrize("name", NAMES)
def test_criteria_and_their_numbers_are_those_of_the_table_and_the_run(name: str) -> None:
    shown = page(name)
    listed = {row["name"]: row for row in rows("criteria") if row["experiment"] == name}
    for m in result(name).measurements:
        assert shown.numbers(m.name) == [v for v in (m.value, m.ablated) if not np.isnan(v)], m.name
        if m.name in listed:
            said = shown.row(m.name)
            assert m.criterion in said[1] and listed[m.name]["note"] in said[1]
            assert all(source in said[1] for source in listed[m.name]["source"].split(";"))
            assert f"{float(listed[m.name]['threshold']):g}" in said[1]
            assert said[4] == ("holds" if m.holds else "fails") and said[5] == f"{100 * m.share:.0f} %"
            assert all(p in said[7] for p in m.decided_by) and (said[7] == "wiring") == m.structural
    assert {m.name for m in result(name).measurements if m.criterion} == set(listed)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_its_grade_range_and_sources(name: str) -> None:
    shown = page(name)
    ranges = {r.name: r for r in experiment(name).ranges()}
    assert {p.name for p in result(name).parameters} == set(ranges)
    for p in result(name).parameters:
        said, r = shown.row(p.name), ranges[p.name]
        assert (p.value, p.low, p.high) == (r.value, r.low, r.high)
        if p.kind == "set-up":
            assert p.grade == "" and not p.sources and r.low == r.high
            continue
        assert shown.numbers(p.name) == [p.value]
        assert said[4].startswith(r.grade) and all(source in said[6] for source in p.sources) and p.sources
        assert set(p.decides) == {m.name for m in result(name).measurements if p.name in m.decided_by}
        assert all(c in said[5] for c in p.decides)


def test_units_and_sources_of_parameters_are_those_of_their_tables() -> None:
    found = {p.name: p for name in ("E12", "E14", "E37") for p in outline(name).parameters}
    quantities = keyed("quantities", "name")
    kinds = {p.kind for p in found.values()}
    assert kinds == {"quantity", "affinity", "count", "partner", "product", "set-up"}
    for p in found.values():
        if p.kind == "quantity":
            row = quantities[p.name]
            assert (p.unit, ";".join(p.sources), p.grade) == (row["unit"], row["sources"], row["grade"])
    row = next(r for r in rows("affinities") if (r["ligand"], r["product"]) == ("IL2", "IL2RA"))
    alpha = found["KD_IL2_IL2RA"]
    assert (alpha.unit, ";".join(alpha.sources)) == (row["unit"], row["sources"])
    counts = [r for r in rows("receptor_counts") if (r["cell"], r["receptor"]) == ("T_blast", "IL2RG")]
    assert set(found["T_blast IL2RG"].sources) <= {s for r in counts for s in r["sources"].split(";")}
    assert found["T_blast IL2RG"].unit == "molecule/cell" and found["KD_S4B6"].unit == "nM"


@pytest.mark.parametrize("name", sorted(experiments()))
def test_no_number_that_is_varied_goes_without_its_table(name: str) -> None:
    """Traits, promoters and products have the units and sources of their rows, as quantities have."""
    for p in outline(name).parameters:
        assert p.kind != "other", p.name
        assert p.kind == "set-up" or (p.unit and p.sources and p.grade), p.name


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere_and_nothing_is_loaded(name: str) -> None:
    shown = page(name)
    assert len(shown.ids) == len(set(shown.ids))
    assert {t[1:] for t in shown.targets if t.startswith("#")} <= set(shown.ids)
    assert all(load.startswith("data:image/svg+xml;base64,") for load in shown.loads) and len(shown.loads) == 1
    assert not shown.tags & {"script", "link", "iframe", "object"}
    others = [t for t in shown.targets if not t.startswith("#")]
    assert all(t.startswith("https://") for t in others)


def test_the_figure_has_its_text() -> None:
    (alt,) = page("E12").alts
    found = result("E12")
    assert all(m.name in alt for m in found.measurements if m.criterion) and found.axes[0] in alt
    words = page("E12").sections["Figure"]
    for curve in found.curves:
        assert curve.label in words
        assert page("E12").row(curve.label)[1].endswith(f"at {curve.x[0]:.3g}")


def hostile() -> Result:
    name = HOSTILE
    curve = Curve(name, (1.0, 2.0), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0))
    tested = Measurement(name, 1.0, name, 0.5, np.inf, name, name, True, 0.5, np.nan, (name,), note=name)
    number = Parameter(name, 1.0, name, 0.5, 2.0, name, "other", (name,), name, (name,))
    return Result(
        name, name, name, name, name, name, name, name, 0.5, 3, 0, (tested, replace(tested, name=f"{name}2")),
        (ClaimStatus(name, name, (name,), name, 0.5, name, name),), name, origin=name, weakest_grade=name,
        parameter_set=name, parameter_hash=name, axes=(name, name), curves=(curve,), read=((name, 1),),
        parameters=(number, replace(number, name=f"{name}3", kind="set-up")),
    )  # fmt: skip


def test_hostile_text_is_text() -> None:
    shown = Page(experiment_html(hostile(), index=HOSTILE))
    assert "script" not in shown.tags and SHOWN_AS in shown.text
    assert shown.text.count("<script>") > 20


def overlaps(boxes: list) -> Iterator[tuple]:
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            if a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 - 0.5 and b.y0 < a.y1 - 0.5:
                yield a, b


def printed(drawing: Figure) -> list[Text]:
    """All texts of a figure, without labels of ticks beyond the ends of an axis."""
    found = list(drawing.texts)
    for axes in drawing.axes:
        (left, right), (low, high) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
        found += [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        found += [t for t in axes.get_xticklabels() if left <= t.get_position()[0] <= right]
        found += [t for t in axes.get_yticklabels() if low <= t.get_position()[1] <= high]
        legend = axes.get_legend()
        found += legend.get_texts() if legend else []
    return found


@pytest.mark.parametrize("curves", [0, 1, 12])
@pytest.mark.parametrize("criteria", [1, 20])
def test_no_label_of_a_figure_touches_another(curves: int, criteria: int) -> None:
    x = (1.0, 10.0, 100.0)
    tested = tuple(
        Measurement(f"the_long_name_of_a_measurement_{i}", 1.0, "nM", 0.5, 2.0, ">= 1 molecule/cell per minute", "",
                    i % 2 > 0, i / 20, 0.1)
        for i in range(criteria)
    )  # fmt: skip
    drawn = tuple(Curve(f"a curve with the long label of its cell, {i}", x, x, x, x) for i in range(curves))
    axes = ("dose of interleukin 2 (nM)", "phosphorylated share of STAT5 at 30 min, with the chain")
    found = Result("E00", "A title " * 12, "", "undecided", "", measurements=tested, curves=drawn, axes=axes)
    drawing = figure(found)
    canvas = FigureCanvasAgg(drawing)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in printed(drawing) if t.get_text()]
    assert len(boxes) > 2 * criteria + curves and not list(overlaps(boxes))
    assert all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= drawing.bbox.x1 and b.y1 <= drawing.bbox.y1 for b in boxes)


def test_without_a_run_a_page_tells_the_plan_or_the_recorded_verdict() -> None:
    record = replace(next(iter(recorded().values())), id="E12", verdict="contradicted", reason="as doctored")
    record = replace(record, claims={"S000-049": ("partial", "so; and so; built in"), "S000-050": ("shown", "why")})
    found = outline("e12", record)
    statuses = {c.id: (c.verdict, c.reason, c.origin) for c in found.claims}
    assert statuses["S000-049"] == ("partial", "so; and so", "built in")
    assert statuses["S000-050"] == ("shown", "why", "")
    shown = Page(experiment_html(found, stale=True))
    assert not shown.loads and "Figure" not in shown.sections and len(shown.row("kd_IL2RA_nM")) == 2
    assert "contradicted as doctored" in shown.sections["Verdict"] and "have changed" in shown.sections["Verdict"]
    assert "have changed" not in Page(experiment_html(found)).text
    assert outline("E12").verdict == NOT_RUN
    plan = next(p for p in planned().values() if p.id not in experiments())
    shown = Page(experiment_html(outline(plan.id)))
    assert "not built" in shown.sections["Verdict"] and plan.observable in shown.sections["Set-up"]
    assert plan.expected in shown.sections["Criteria"] and all(shown.row(c) for c in plan.claims)
    with pytest.raises(Il2Error, match="E12"):
        outline("E12x")


def test_decided_experiments_are_counted_by_origin() -> None:
    base = next(iter(recorded().values()))

    def of(verdict: str, origin: str, *claims: str) -> Record:
        return replace(base, verdict=verdict, origin=origin, claims={f"S{i}": (v, "") for i, v in enumerate(claims)})

    records = {
        "E01": of("shown", "built in", "shown", "shown"), "E02": of("shown", "emergent", "shown"),
        "E03": of("contradicted", "emergent", "contradicted", "shown"),
        "E04": of("partial", "built in", "shown", "partial"), "E05": of("undecided", "emergent"),
    }  # fmt: skip
    counts = tally(planned(), records)
    assert (counts.decided, counts.emergent, counts.built_in) == (3, 2, 1)
    assert counts.verdicts == {"shown": 2, "contradicted": 1, "partial": 1, "undecided": 1, "not built": 37}
    assert counts.text.startswith("42 experiments: 2 shown, 1 contradicted")
    assert "Decided 3: 2 emergent, 1 built in." in counts.text
    assert counts.settled == 3 and "Every claim is decided in 3." in counts.text
    tested = "7 claims of those that were run: 5 shown, 1 contradicted, 1 partial, 0 undecided, 0 not built."
    assert counts.text.endswith(tested)
    assert tally(planned(), {}).decided == 0 and "emergent" not in tally(planned(), {}).text
    listed = run("experiments")
    assert tally(planned(), recorded()).text in listed and "origin" in listed


def test_the_index_lists_every_experiment_and_every_page_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pages"
    run("experiments", "--html", str(folder))
    assert {p.name for p in folder.iterdir()} == {"index.html", *(f"{name}.html" for name in planned())}
    shown = Page((folder / "index.html").read_text("utf-8"))
    body = [row for row in shown.rows if re.fullmatch(r"E\d\d", row[0])]
    assert [row[0] for row in body] == [f"E{i:02d}" for i in range(1, 43)]
    assert tally(planned(), recorded()).text in shown.text and not shown.loads
    for row, plan in zip(body, planned().values(), strict=True):
        record = recorded().get(plan.id)
        built = experiments().get(plan.id, plan)
        assert built.title in row[1] and all(layer in row[2] for layer in plan.layers)
        assert row[3] == (record.verdict if record else outline(plan.id).verdict)
        assert (row[4], row[5]) == ((record.origin, record.grade) if record else ("–", "–"))
        assert row[6].startswith(f"{len(plan.claims)}: ") and all(c in row[6] for c in plan.claims)
    for target in set(shown.targets):
        name, _, anchor = target.partition("#")
        other = Page((folder / name).read_text("utf-8"))
        assert "index.html" in other.targets and (not anchor or anchor in other.ids)


def test_a_stale_index_says_so() -> None:
    found = [outline("E12")]
    assert "E12. il2 experiments --run" in Page(index_html(found, tally(["E12"], {}), ["E12"])).text
    assert "computes" not in Page(index_html(found, tally(["E12"], {}))).text


def test_places_that_cannot_be_written_are_refused_before_the_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("il2.experiments.experiment.perform", lambda *a, **k: pytest.fail("it ran"))
    assert ".html" in run("experiment", "E12", "--html", str(tmp_path / "page.pdf"), fails=True)
    assert ".png" in run("experiment", "E12", "--figure", str(tmp_path / "page.html"), fails=True)
    assert "no such folder" in run("experiment", "E12", "--html", str(tmp_path / "no" / "page.html"), fails=True)
    there = tmp_path / "file"
    there.write_text("mine")
    assert "a file stands there" in run("experiments", "--html", str(there), fails=True)
    assert "a file stands there" in run("experiments", "--html", str(there / "pages"), fails=True)
    assert there.read_text() == "mine" and list(tmp_path.iterdir()) == [there]
    assert "not built" in run("experiment", "E34", "--html", str(tmp_path / "page.html"), fails=True)


def test_results_tell_their_parameters_in_text_and_json() -> None:
    found = result("E12")
    plain = as_dict(found)
    assert [p["name"] for p in plain["parameters"]] == [p.name for p in found.parameters]
    assert all(p["sources"] and p["unit"] for p in plain["parameters"])
    assumed = sum(p.grade == "assumed" for p in found.parameters)
    assert f"{len(found.parameters)} parameters are varied" in as_text(found) and f"{assumed} assumed" in as_text(found)
    assert sum(n for _, n in result("E01").read) == len(experiment("E01").grades())


def test_the_guide_says_what_the_pages_say_and_its_commands_run(tmp_path: Path, monkeypatch) -> None:
    text = GUIDE.read_text("utf-8")
    for word, meaning in (*MEANING.items(), *ORIGINS.items()):
        assert f"| {word} | {meaning} |" in text
    (block,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.split("  #")[0].strip() for line in block.splitlines()]
    assert len(lines) == 3
    monkeypatch.chdir(tmp_path)
    for line in lines:
        run(*shlex.split(line)[1:])
    assert Page((tmp_path / "E12.html").read_text("utf-8")).sections["Figure"]
    assert (tmp_path / "pages" / "index.html").is_file()
    for section in re.findall(r"^\| ([A-Z][\w -]+) \|", text.split("## How to read a page")[1], re.MULTILINE)[1:]:
        assert section in page("E12").sections, section
