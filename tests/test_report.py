"""Reports: everything is escaped, nothing is fetched, measurements appear, odd runs work, files are whole or absent."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure

import il2
from il2.errors import Il2Error
from il2.report.agreement import Comparison, comparisons, misses, summary, uses
from il2.report.figure import comparison_figure, render, response_figure, save, scaled_points
from il2.report.html import response_html, write_text
from il2.report.markup import Markup, html, tag
from il2.report.panel import concentration, plain

HOSTILE = "<script>alert(1)</script> \"q\" 'a' & é 細胞 $\\frac{ \x00\n _x"
OWN = {HOSTILE: {"IL2RA": 500, "IL2RB": 800, "IL2RG": 3000}, "_under": {"IL2RA": 0, "IL2RB": 800, "IL2RG": 3000}}
ATTRS = ("src", "srcset", "poster", "data", "action", "background")
VOID = {"meta", "img", "wbr"}


class Page(HTMLParser):
    """Tags, their balance, and every attribute that would load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open += [] if tag in VOID else [tag]
        table = dict(attrs)
        self.loads += [table[name] or "" for name in ATTRS if name in table]
        self.ids += [table["id"] or ""] if "id" in table else []
        if tag == "a":
            self.targets.append(table["href"] or "")
        assert not any(name.startswith("on") for name in table)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def default() -> xarray.Dataset:
    return il2.respond()


@pytest.fixture(scope="module")
def two() -> xarray.Dataset:
    return il2.respond(["IL2", "IL15"], ["Treg", "NK", "NKT"], spread_draws=8)


@pytest.fixture(scope="module")
def own() -> xarray.Dataset:
    kds = (("IL2RA", 30.0),)
    return il2.respond(il2.Ligand(HOSTILE, "IL2", kds=kds), OWN, doses_nM=[1.0], times_min=[30.0])


def page(data: xarray.Dataset, command: str = "il2 respond") -> str:
    return response_html(data, il2.ec50_table(data), command)


def texts(figure: Figure) -> str:
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "\n".join([t.get_text() for t in figure.texts] + legends)


def test_default_figure_has_units_measurements_and_legends(default: xarray.Dataset) -> None:
    figure = response_figure(default)
    assert len(figure.axes) == 10
    assert [axes.get_title("left") for axes in figure.axes] == list(default.cell.values)
    assert {axes.get_ylabel() for axes in figure.axes} == {"", "pSTAT5 (% of STAT5)"}
    assert {axes.get_xlabel() for axes in figure.axes} == {"", "IL2 dose (pM to nM, log scale)"}
    for axes in figure.axes:
        labels = [label.get_text() for label in axes.get_xticklabels()]
        assert labels == ["10 pM", "1 nM", "100 nM"]
        assert sum(line.get_linestyle() != "None" for line in axes.lines) == 4
        assert sum(line.get_linestyle() == "None" for line in axes.lines) in (4, 8)
        assert re.match(r"EC50 30 min: .+ [pn]M, measured .+ [pn]M", axes.texts[0].get_text())
    shown = texts(figure)
    assert all(text in shown for text in ("30 min", "240 min", "line: model", "replicate 1", "one factor per cell"))


def test_nothing_is_clipped_or_overlaps_below_the_panels(default: xarray.Dataset, two: xarray.Dataset) -> None:
    for figure in (response_figure(default), response_figure(two), comparison_figure(two)):
        renderer = figure.canvas.get_renderer()
        panels = min(axes.get_tightbbox(renderer).y0 for axes in figure.axes)
        boxes = [legend.get_window_extent(renderer) for legend in figure.legends]
        boxes.append(figure.texts[-1].get_window_extent(renderer))
        for above, box in zip([panels, *(b.y0 for b in boxes)], boxes, strict=False):
            assert box.y1 <= above + 1
            assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0


def test_one_factor_per_replicate_over_all_times_and_doses(default: xarray.Dataset) -> None:
    from il2.cell.measured import points

    scaled = scaled_points(default, 0, 0)
    for replicate in ("1", "2"):
        factors = [
            y / points("IL2", "Treg")[key][1] for key, (_, y) in scaled.items() if key[0] == replicate
        ]  # fmt: skip
        assert len(factors) == 4
        assert np.allclose(np.concatenate(factors), factors[0][0])


def test_bands_and_comparison(two: xarray.Dataset) -> None:
    assert [len(axes.lines) for axes in comparison_figure(two).axes] == [6, 6, 2]
    assert all(len(axes.collections) == 4 for axes in response_figure(two, ligand="IL15").axes)
    assert "5 to 95 % of 8 draws" in texts(response_figure(two))
    with pytest.raises(Il2Error, match="IL7"):
        response_figure(two, ligand="IL7")
    with pytest.raises(Il2Error, match="no time 7 min"):
        comparison_figure(two, time_min=7.0)


def test_same_figure_same_bytes(own: xarray.Dataset) -> None:
    for kind in ("png", "svg"):
        assert render(response_figure(own), kind) == render(response_figure(own), kind)


def test_hostile_names_are_text(own: xarray.Dataset) -> None:
    text = page(own, f"il2 respond --cells {HOSTILE}")
    found = Page(text)
    assert "script" not in found.tags
    assert "<script" not in text.replace("&lt;script", "") and "\x00" not in text
    assert "<script>alert(1)</script> \"q\" 'a' & é 細胞" in found.text
    assert "not measured" in found.text and "given by the user" in found.text
    assert found.text.count("– no EC50") == 2  # one dose has none
    assert "nan" not in found.text.lower().split()


def test_page_is_whole_and_fetches_nothing(default: xarray.Dataset, two: xarray.Dataset) -> None:
    for data, figures in ((default, 1), (two, 3)):
        text = page(data)
        found = Page(text)
        assert len(found.loads) == figures and all(load.startswith("data:image/svg+xml") for load in found.loads)
        assert not {"link", "script", "iframe", "object", "embed", "base", "form"} & set(found.tags)
        assert "url(" not in text and "@import" not in text
        assert found.tags.count("caption") == found.tags.count("table") and found.tags.count("h1") == 1
        assert len(set(found.ids)) == len(found.ids)
        inside = {target[1:] for target in found.targets if target.startswith("#")}
        assert inside <= set(found.ids)
        for word in ("research use only", "2026.2", data.attrs["parameter_hash"], "il2 respond", "Farhat AM"):
            assert word in found.text, word
    assert "– not measured" in Page(page(two)).text


def test_use_of_measurements_comes_from_the_table(default: xarray.Dataset) -> None:
    found = {(c.cell, c.time_min): c.use for c in comparisons(il2.ec50_table(default))}
    assert uses()["IL2", "Treg"] == found["Treg", 30.0] == found["Treg", 240.0] == "calibration"
    assert found["Treg_mem", 30.0] == "calibration"
    assert {c.use for c in comparisons(il2.ec50_table(il2.respond("IL15", "NK")))} == {"calibration"}
    elsewhere = replace(comparisons(il2.ec50_table(default))[0], ligand="IL15", cell="T_blast")
    assert elsewhere.use == "prediction" and replace(elsewhere, measured=np.nan).use == "–"


def test_a_users_own_cell_is_not_compared_with_measurements_of_its_name() -> None:
    data = il2.respond("IL2", {"NK": {"IL2RA": 10.0, "IL2RB": 10.0, "IL2RG": 10.0}})
    assert all(np.isnan(c.measured) for c in comparisons(il2.ec50_table(data)))
    assert "given by the user" in Page(page(data)).text


def test_page_says_where_an_ec50_is_only_a_bound_and_shows_its_band() -> None:
    data = il2.respond("IL2", "NK", [0.001, 0.01, 0.1, 1.0], [30.0], spread_draws=20)
    text = Page(page(data)).text
    assert "still rising at the highest dose" in text and "measured outside these doses" in text
    row = il2.ec50_table(data).iloc[0]
    assert f"{concentration(row['EC50_low_nM'])} to {concentration(row['EC50_high_nM'])}" in text


def test_agreement_in_words() -> None:
    one = Comparison("IL2", "NK", 30.0, 2.0, 1.0, 1.0, 1.0)
    words = {model: replace(one, model=model).words for model in (2.0, 0.4, 0.1, 7.0, np.nan)}
    assert list(words.values()) == [
        "within 2-fold", "2 to 5-fold, too sensitive", "more than 5-fold, too sensitive",
        "more than 5-fold, not sensitive enough", "no EC50 of the model",
    ]  # fmt: skip
    assert replace(one, measured=np.nan).words == "not measured"
    assert summary([]) == "none measured"
    assert [c.model for c in misses(replace(one, model=m) for m in (1.0, 0.1, 3.0, np.nan))] == [0.1, 3.0]


@pytest.mark.parametrize("cells", [1, 3, 7, 20])
@pytest.mark.parametrize("times", [(30.0,), (5.0, 30.0)])
def test_any_number_of_panels(cells: int, times: tuple[float, ...]) -> None:
    inventory = {f"cell {n}": {"IL2RA": n, "IL2RB": 900, "IL2RG": 3000} for n in range(cells)}
    figure = response_figure(il2.respond("IL2", inventory, doses_nM=[10.0, 0.1], times_min=times))
    assert len(figure.axes) == cells
    boxes = [axes.get_position() for axes in figure.axes]
    assert all(0 < b.x0 < b.x1 < 1 and 0 < b.y0 < b.y1 < 1 for b in boxes)
    assert "No measurements" in texts(figure).replace("\n", " ")


def test_one_dose_is_drawn_as_bars(default: xarray.Dataset) -> None:
    figure = response_figure(default.isel(dose_nM=[8], cell=[0, 9]))
    assert all(sum(line.get_marker() == "_" for line in axes.lines) == 4 for axes in figure.axes)
    assert "bar: model" in texts(figure)


def test_a_failed_lane_leaves_the_rest(default: xarray.Dataset) -> None:
    broken = default.copy(deep=True)
    broken.pstat5[0, 0] = np.nan
    broken.pstat5[0, 1, 3] = np.nan
    render(response_figure(broken))
    Page(page(broken))


def test_save_is_all_or_nothing(own: xarray.Dataset, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = response_figure(own)
    save(figure, tmp_path / "a.PNG")
    save(figure, str(tmp_path / "b.svg"))
    write_text(tmp_path / "c.html", page(own))
    assert (tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "b.svg").read_text(encoding="utf-8").startswith("<?xml")
    for name in ("d.pdf", "d", "missing/d.png", "a.PNG/d.png"):
        with pytest.raises(Il2Error):
            save(figure, tmp_path / name)
    with pytest.raises(Il2Error):
        write_text(tmp_path / "missing" / "d.html", "text")
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(figure, tmp_path / "a.PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.PNG", "b.svg", "c.html"]


def test_concentrations_and_plain_text() -> None:
    values = (84, 0.0512, 1e-3, 0.9996, 1500.0, 4.7e-4, 0.0)
    expected = ["84 nM", "51 pM", "1 pM", "1 nM", "1.5 µM", "470 fM", "0 aM"]
    assert [concentration(v) for v in values] == expected
    assert concentration(float("nan")) == "–"
    assert plain("a\n$b$ \x00 c") == r"a \$b\$ c"
    assert len(plain("x" * 90)) == 28


def test_markup_escapes_all_but_itself() -> None:
    assert html(["<", Markup("<b>")]) == "&lt;<b>"
    assert tag("a", "<", [tag("b", "&")], href='"', class_="x") == '<a href="&quot;" class="x">&lt;<b>&amp;</b></a>'


@pytest.fixture(scope="module")
def family() -> xarray.Dataset:
    return il2.respond(["IL4", "IL7"], "CD4_naive_Gonnord", times_min=[10.0, 30.0], spread_draws=4)


@pytest.fixture(scope="module")
def changed() -> xarray.Dataset:
    added = "daclizumab=10 ug/mL; IL4=1 nM; JES6-1=2 nM; tofacitinib=5 nM"
    return il2.respond("IL2", ["Treg", "NK"], times_min=[30.0], added=added, before_min=60.0, dial="IL2RG=0.5; JAK3=0")


def test_a_ligand_is_shown_by_its_own_readout(family: xarray.Dataset) -> None:
    for name, stat in (("IL4", "STAT6"), ("IL7", "STAT5")):
        figure = response_figure(family, ligand=name)
        (axes,) = figure.axes
        assert axes.get_ylabel() == f"p{stat} (% of {stat})" and f"{name}: p{stat} by cell" in texts(figure)
        drawn = axes.lines[0].get_ydata()
        assert np.array_equal(drawn, 100 * family[f"p{stat.lower()}"].sel(ligand=name, time_min=10.0).values[0])
        assert re.match(r"EC50 10 min: .+ pM, measured .+ pM", axes.texts[0].get_text())
        assert "Gonnord 2018" in texts(figure) and "Farhat" not in texts(figure)
    both = comparison_figure(family)
    assert both.axes[0].get_ylabel() == "pSTAT6 or pSTAT5 (%)"
    assert "IL4, pSTAT6" in texts(both) and "IL7, pSTAT5" in texts(both)
    text = Page(page(family)).text
    for word in ("pSTAT6 or pSTAT5 response to IL4, IL7", "IL4, pSTAT6", "phosphorylated STAT6 or STAT5"):
        assert word in text, word
    assert "active complexes of IL4 or IL7" in text and "IL4R > IL2RG" in text
    assert "Gonnord P" in text and "IL2RA > IL2RB" not in text
    alone = Page(page(family.isel(ligand=[0]))).text
    assert "pSTAT6 response to IL4" in alone and "EC50 of pSTAT6 by" in alone


def test_what_was_added_and_changed_is_said_and_nothing_is_compared(changed: xarray.Dataset) -> None:
    figure = response_figure(changed)
    shown = texts(figure).replace("\n", " ")
    for word in ("daclizumab 67 nM", "tofacitinib 5 nM", "60 min before the ligand", "IL2RG to 0.5 of normal, no JAK3"):
        assert word in shown and word in Page(page(changed)).text, word
    assert "IL2 with 4 additions (IL2RG=0.5, JAK3=0): pSTAT5 by cell" in shown
    assert "Measurements were made without" in shown and "measured" not in figure.axes[0].texts[0].get_text()
    assert [axes.get_ylim()[1] < 1 for axes in figure.axes] == [True, True]  # no answer without JAK3, and no offset
    text = Page(page(changed)).text
    for word in ("takes IL2RA from the cytokine", "daclizumab: ligand > IL2RA", "JES6_1: IL2 > JES6_1", "IL4: ligand"):
        assert word in text, word
    assert "not known, taken as none" in text and "pSTAT6, by which additions signal" in text
    assert "markers are measurements" not in text
    assert "Spangler" in text  # the source of JES6-1


def test_pages_of_data_without_attributes_on_readouts_work(default: xarray.Dataset) -> None:
    bare = default.drop_vars(["base", "readout"])
    for name in ("added", "before_min", "dial"):
        del bare.attrs[name]
    assert page(bare) == page(default)
