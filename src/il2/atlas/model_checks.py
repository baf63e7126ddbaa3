"""Checks that join tables with models and code: every number of a network has a row, and none stands in code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from il2.atlas.lint import ERROR, WARNING, Check, Problem, Tables
from il2.atlas.usage import mechanisms, network, resolved
from il2.errors import Il2Error
from il2.experiments.record import recorded
from il2.knowledge.quantity import Quantity
from il2.signalling.models import MODELS
from il2.units import parse_unit

LAYERS = ("gene", "receptor", "signalling", "cell", "experiments")  # where numbers of biology could hide
PLAIN = {0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 10.0, 100.0}  # structure, halves, percents


def unsourced_numbers(_: Tables) -> Iterator[Problem]:
    for model in MODELS:
        for p in network(model).parameters:
            if resolved(p.name) is None:
                yield f"{model}: {p.name}", "no row says where the number comes from", "Add it to quantities.csv."


def unit_mismatches(_: Tables) -> Iterator[Problem]:
    for model in MODELS:
        for p in network(model).parameters:
            row = resolved(p.name)
            if isinstance(row, Quantity) and parse_unit(row.unit) != parse_unit(p.unit):
                yield f"{model}: {p.name}", f"the network has {p.unit}, the table {row.unit}", "Convert one of them."


def broken_mechanisms(_: Tables) -> Iterator[Problem]:
    try:
        mechanisms()
    except Il2Error as error:
        yield "mechanisms.csv", str(error), error.how


def stale_verdicts(_: Tables) -> Iterator[Problem]:
    for r in recorded().values():
        if r.stale:
            yield r.id, "its verdict was recorded with other code or numbers", "Run il2 experiments --run --save FILE."


def numbers_in_code(t: Tables) -> Iterator[Problem]:
    """Literal numbers in the layers of biology, but plain ones and those that numbers_in_code.csv explains."""
    root = Path(str(files("il2")))
    explained = {(row.fields["file"], row.fields["number"]) for row in t["numbers_in_code"]}
    for layer in LAYERS:
        for path in sorted((root / layer).glob("*.py")):
            name = f"{layer}/{path.name}"
            for line, text in literals(path.read_text("utf-8")):
                if (name, text) not in explained:
                    yield (
                        f"{name}:{line}",
                        f"the number {text} stands in code",
                        "Move it to quantities.csv, or explain it.",
                    )


def literals(code: str) -> Iterator[tuple[int, str]]:
    """Line and text of every float in code that is not plain."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and abs(node.value) not in PLAIN:
            yield node.lineno, repr(node.value)


CHECKS = (
    Check("unsourced-number", ERROR, "a parameter of a network without a row", unsourced_numbers),
    Check("unit-mismatch", ERROR, "a parameter in another unit than its row", unit_mismatches),
    Check("broken-mechanism", ERROR, "a claim carried by a reaction that is not there", broken_mechanisms),
    Check("number-in-code", ERROR, "a number of biology in code", numbers_in_code),
    Check("stale-verdict", WARNING, "a verdict recorded with other code or numbers", stale_verdicts),
)
