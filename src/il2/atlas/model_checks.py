"""Checks that join tables with models and code: every number of a network has a row, and none stands in code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from importlib.resources import files
from pathlib import Path

from il2.atlas.lint import ERROR, WARNING, Check, Problem, Tables
from il2.atlas.usage import network, resolved
from il2.cell.cohort import Cohort, cohort
from il2.cell.lanes import receptors
from il2.cell.well import CYTOKINES
from il2.errors import Il2Error, did_you_mean
from il2.experiments.record import recorded
from il2.gene.promoter import genes
from il2.knowledge.quantity import Quantity
from il2.knowledge.species import SPECIES, species_values
from il2.signalling.models import MODELS
from il2.signalling.output import products
from il2.units import parse_unit

LAYERS = ("gene", "receptor", "signalling", "cell", "patient", "experiments")  # where numbers of biology could hide
PLAIN = {0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 10.0, 100.0}  # structure, halves, percents
SET_UP, ALL = "experiments/e[0-9][0-9]_*.py", "*"  # where one row may explain every number, and what it says
COUNTED, THOUSAND = 100, 1000  # whole numbers up to the first count things in code; the second turns units


def unsourced_numbers(_: Tables) -> Iterator[Problem]:
    for model in MODELS:
        for p in network(model).parameters:
            if resolved(p.name) is None:
                yield f"{model}: {p.name}", "no row says where the number comes from", "Add it to quantities.csv."


def unit_mismatches(t: Tables) -> Iterator[Problem]:
    places = {row.fields["name"]: t.where("quantities", row) for row in t["quantities"]}
    for model in MODELS:
        for p in network(model).parameters:
            row = resolved(p.name)
            if isinstance(row, Quantity) and parse_unit(row.unit) != parse_unit(p.unit):
                where, why = places.get(p.name, "affinities.csv, partners.csv"), f"{p.name} of {model} is in {p.unit}"
                yield where, f"{why}, the table has {row.unit}", "Convert one of them."


def broken_mechanisms(t: Tables) -> Iterator[Problem]:
    for row in t["mechanisms"]:
        model, pattern = row.fields["model"], row.fields["reaction"]
        names = [r.name for r in network(model).reactions] if model in MODELS else []
        if pattern not in names and not any(pattern.endswith("*") and n.startswith(pattern[:-1]) for n in names):
            how = did_you_mean(pattern, names) if names else did_you_mean(model, MODELS)
            yield t.where("mechanisms", row), f"{model} has no reaction {pattern!r}", how


def stale_verdicts(_: Tables) -> Iterator[Problem]:
    for r in recorded().values():
        if r.stale:
            yield r.id, "its verdict was recorded with other code or numbers", "Run il2 experiments --run --save FILE."


def unread_rows(t: Tables) -> Iterator[Problem]:
    """Rows of promoters, products, traits and species that name what no cohort has."""
    for gene in genes():
        yield from _refused("promoters", partial(_cohort, genes=(gene,)))
    inputs: dict[str, list[str]] = {}
    for row in t["output_inputs"]:
        inputs.setdefault(row.fields["product"], []).append(row.fields["input"])
    for product in products():
        yield from _refused("output_inputs", partial(_cohort, products=_above(product, inputs)))
    for species in SPECIES:
        yield from _refused("species", partial(species_values, species))
    own = _own()
    for row in t["cell_traits"] if own else ():
        if (trait := row.fields["trait"]) not in own:
            yield t.where("cell_traits", row), f"{trait!r} is no number of a cohort", did_you_mean(trait, own)


def _cohort(**wanted: tuple[str, ...]) -> Cohort:
    return cohort(receptors(CYTOKINES), **wanted)


def _above(product: str, inputs: dict[str, list[str]]) -> tuple[str, ...]:
    """A product with all products that it follows."""
    found, every = [product], set(products())
    for name in found:
        found += [i for i in inputs.get(name, ()) if i in every and i not in found]
    return tuple(found)


def _own() -> tuple[str, ...]:
    """Numbers that a cohort with all genes and products has for itself; none where it cannot be built."""
    try:
        return _cohort(genes=genes(), products=products()).own
    except Il2Error:
        return ()


def _refused(table: str, make: Callable[[], object]) -> Iterator[Problem]:
    try:
        make()
    except Il2Error as error:
        yield error.where or f"{table}.csv", error.what, error.how or "Mend the name."


def numbers_in_code(t: Tables) -> Iterator[Problem]:
    """Literal numbers in the layers of biology, but plain ones and those that numbers_in_code.csv explains.

    The numbers of an experiment are its doses, times and cells, so that one row may explain them all. An explanation
    of a number that is no longer there is a finding too.
    """
    root = Path(str(files("il2")))
    explained = {(row.fields["file"], row.fields["number"]): row for row in t["numbers_in_code"]}
    there: set[tuple[str, str]] = set()
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            for line, text in literals(path.read_text("utf-8")):
                ways = {(name, text), (name, ALL)} if fnmatchcase(name, SET_UP) else {(name, text)}
                there |= ways
                if not ways & explained.keys():
                    yield (
                        f"{name}:{line}",
                        f"the number {text} stands in code",
                        "Move it to quantities.csv, or explain it.",
                    )
    for name, text in explained.keys() - there:
        what = "numbers of a set-up" if text == ALL else text
        yield t.where("numbers_in_code", explained[name, text]), f"{name} has no {what}", "Take the row away."


def literals(code: str) -> Iterator[tuple[int, str]]:
    """Line and text of every float in code that is not plain, and of every whole number that is large."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(value := node.value, (int, float)):
            plain = value <= COUNTED or value == THOUSAND if isinstance(value, int) else value in PLAIN
            if not plain:
                yield node.lineno, repr(value)


CHECKS = (
    Check("unsourced-number", ERROR, "a parameter of a network without a row", unsourced_numbers),
    Check("unit-mismatch", ERROR, "a parameter in another unit than its row", unit_mismatches),
    Check("broken-mechanism", ERROR, "a claim carried by a reaction that is not there", broken_mechanisms),
    Check("unread-row", ERROR, "a row that names what no cohort of cells has", unread_rows),
    Check("number-in-code", ERROR, "a number of biology in code", numbers_in_code),
    Check("stale-verdict", WARNING, "a verdict recorded with other code or numbers", stale_verdicts),
)
