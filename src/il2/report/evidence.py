"""The evidence behind a page: molecules, receptor counts, parameters, and the sources that they cite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from il2.knowledge import source as known
from il2.knowledge.cell import CHAINS, cell
from il2.knowledge.parameters import CURRENT
from il2.knowledge.quantity import Quantity, quantities
from il2.knowledge.table import rows
from il2.receptor.head import head
from il2.receptor.ligand import FC, catalogued, is_ligand, ligand
from il2.report.catalogue import Constant, constants, network, own_kds
from il2.report.conditions import amounts, dialled
from il2.report.markup import Markup, Piece, table, tag, void

if TYPE_CHECKING:
    import xarray


class Sources:
    """Cites sources by id, and lists at the end the ones that were cited."""

    def __init__(self) -> None:
        self.known = known.sources()
        self.used: set[str] = set()

    def cite(self, ids: Sequence[str]) -> Markup:
        self.used |= {i for i in ids if i in self.known and self.known[i].kind != "assumption"}
        links: list[Piece] = [tag("a", i, href=f"#source-{i}") if i in self.used else i for i in ids]
        return tag("span", [piece for link in links for piece in (", ", link)][1:], class_="cite")

    def listing(self, more: Sequence[str]) -> Markup:
        """The cited sources, and `more`."""
        self.cite(more)
        return tag("ul", [self._entry(self.known[i]) for i in sorted(self.used)])

    def _entry(self, s: known.Source) -> Markup:
        link: Piece = tag("a", s.url, href=s.url, rel="noreferrer") if s.url.startswith("https://") else s.url
        note = f" {s.note.rstrip('.')}." if s.note else ""
        name, citation = tag("strong", s.id), f": {s.citation.rstrip('.')}. "
        return tag("li", name, citation, link, f" ({s.read}).{note}", id=f"source-{s.id}")


def molecules(data: xarray.Dataset, sources: Sources) -> Markup:
    """Table of the ligands of the data and of what was added to them."""
    body: list[tuple[Piece, ...]] = []
    for name in map(str, data.ligand.values):
        if name in data.attrs["own_ligands"] or not is_ligand(name):
            body.append((name, "ligand", "given by the user", "", "", "", ""))
            continue
        body.append(_molecule(ligand(name).name, "ligand", sources))
    body += [_molecule(name, f"added, {amount}", sources) for name, amount in amounts(data).items()]
    header = ["Molecule", "Role", "Kind", "In the network", "KDs of its own", "Note", "Sources"]
    return table("Ligands and what was added to them", header, body)


def _molecule(name: str, role: str, sources: Sources) -> tuple[Piece, ...]:
    row = catalogued(name)
    assert row is not None
    kds = own_kds(row) if row["format"] == FC else ""
    note = tag("div", row["note"], class_="note")
    return name, role, row["kind"], network(row), kds or "–", note, sources.cite(row["sources"].split(";"))


def in_play(data: xarray.Dataset) -> list[dict[str, str]]:
    """Rows of the catalogue that the data rest on; a ligand of the user's own stands for its base."""
    names = [str(name) for name in data.ligand.values]
    bases = [str(base) for base in data.base.values] if "base" in data.coords else names
    known = [name if is_ligand(name) else base for name, base in zip(names, bases, strict=True)]
    found = (catalogued(name) for name in dict.fromkeys((*known, *amounts(data))))
    return [row for row in found if row is not None]


def chains_in_play(data: xarray.Dataset) -> list[str]:
    """The chains of cells that the molecules of the data bind."""
    slots = {row["base"] or row["network"] for row in in_play(data)}
    bound = {c for row in rows("heads") if row["name"] in slots for c in head(row["name"]).chains}
    return [c for c in CHAINS if c in bound]


def receptors(data: xarray.Dataset, sources: Sources) -> list[Markup]:
    """Table of the counts of the receptors that the molecules of the data bind."""
    chains = chains_in_play(data)
    body: list[tuple[Piece, ...]] = []
    for name in map(str, data.cell.values):
        own = name in data.attrs["own_cells"]
        known = {} if own else cell(name).counts
        for chain in chains:
            found = float(data.receptors_per_cell.sel(cell=name, receptor=chain))
            value = number_text(found)
            if math.isnan(found):
                body.append((name, chain, "–", "", "not known, taken as none", ""))
            elif own:
                body.append((name, chain, value, "", "given by the user", ""))
            elif count := known.get(chain):
                limits = span(count.low, count.high)
                body.append((name, chain, value, limits, count.grade, sources.cite(count.sources)))
    header = ["Cell", "Receptor", "Per cell", "Range", "Grade", "Sources"]
    turned = f" Changed from these counts in the model: {text}." if (text := dialled(data)) else ""
    text = f"The range spans the quantifications that disagree.{turned}"
    return [tag("p", text), table("Receptors per cell", header, body, numbers=(2, 3))]


def parameters(data: xarray.Dataset, sources: Sources) -> list[Markup]:
    """Tables of the quantities and of the dissociation constants that the molecules of the data rest on."""

    def line(name: str, value: float, of: str, low: float | None, high: float | None, grade: str, cited, *notes: str):
        note = tag("div", "; ".join(filter(None, notes)), class_="note")
        parts = [piece for part in name.split("_") for piece in ("_", void("wbr"), part)][
            2:
        ]  # may break at underscores
        return parts, number_text(value, 6), unit(of), span(low, high), grade, sources.cite(cited), note

    used = set(str(data.attrs["quantities"]).split("; "))
    given = stand_ins(data)
    body = [
        line(q.name, value, q.unit, q.low, q.high, q.grade, q.sources, q.context, q.note, rivals(q))
        for q in quantities().values()
        if q.name in used
        for value in (given.get(q.name, q.value),)
    ]
    every: dict[Constant, None] = dict.fromkeys(c for row in in_play(data) for c in constants(row))
    steps = [
        line(f"{c.of}: {c.step}", given.get(c.parameter, c.kd), c.unit, c.low, c.high, c.grade, c.sources, c.note)
        for c in every
        if c.step != "IC50"
    ]
    header = ["Name", "Value", "Unit", "Range", "Grade", "Sources", "Context and note"]
    return [
        table(f"Quantities of parameter set {data.attrs.get('parameter_set', CURRENT)}", header, body, numbers=(1, 3)),
        table("Dissociation constants of the molecules", ["Step", *header[1:]], steps, numbers=(1, 3)),
    ]


def stand_ins(data: xarray.Dataset) -> dict[str, float]:
    """Values by name that a parameter set put in the place of those of the default set."""
    items = filter(None, str(data.attrs.get("stand_ins", "")).split("; "))
    return {name: float(value) for name, _, value in (item.partition("=") for item in items)}


def rivals(q: Quantity) -> str:
    return f"rivals: {q.rivals}" if q.rivals else ""


def span(low: float | None, high: float | None) -> str:
    """A range in words; an en dash where there is none."""
    return "–" if low is None or high is None else f"{number_text(low)} to {number_text(high)}"


def number_text(value: float, digits: int = 3) -> str:
    """Whole numbers with separators from 100 to ten million, else so many significant digits."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e7 else f"{value:.{digits}g}"


def unit(name: str) -> str:
    return "" if name == "dimensionless" else name
