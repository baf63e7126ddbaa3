"""Checks on the rows of tables: keys, sources, units, ranges, grades, plain text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from il2.atlas.lint import ERROR, KEYS, WARNING, Check, Problem, Tables
from il2.errors import Il2Error
from il2.knowledge.quantity import GRADES
from il2.knowledge.source import ASSUMED, READ
from il2.knowledge.table import listed
from il2.units import parse_unit

NOWHERE = re.compile(r"from memory|own computation|this review|this write-?up|scratch|general knowledge", re.I)
MARKUP = re.compile(r"<[/a-zA-Z!]|&#|javascript:", re.I)
SOURCES = {"document", "source", "sources"}
DEFINITION = "definition"  # exact by what its words mean, so that nothing had to be read
NUMERIC = (  # table, and its columns of value, low and high
    ("quantities", ("value", "low", "high")),
    ("targets", ("value", "low", "high")),
    ("affinities", ("kd", "low", "high")),
    ("partners", ("kd_nM", "low", "high")),
    ("receptor_counts", ("count_per_cell", "low", "high")),
    ("criteria", ("threshold", "threshold", "threshold")),
    ("target_runs", ("value", "low", "high")),
    ("bands", ("start", "start", "end")),
    ("coordinates", ("start", "start", "end")),
    ("loci", ("start", "start", "end")),
    ("sequence_features", ("start", "start", "end")),
    ("cell_traits", ("value", "low", "high")),
    ("output_inputs", ("weight", "weight_low", "weight_high")),
    ("output_inputs", ("half", "half_low", "half_high")),
    ("output_inputs", ("Hill", "Hill", "Hill")),
    ("outputs", ("half_life_h", "half_life_low", "half_life_high")),
    ("outputs", ("at_rest", "at_rest", "at_rest")),
    ("peptides", ("relative_potency", "low", "high")),
    ("promoters", ("strength", "low", "high")),
    ("species", ("value", "low", "high")),
)
VALUED = (
    "affinities", "bands", "cell_traits", "coordinates", "criteria", "output_inputs", "outputs", "partners", "peptides",
    "promoters", "quantities", "receptor_counts", "species",
)  # fmt: skip
EVIDENCED = (
    "affinities", "assay_references", "bands", "cell_traits", "cells", "coordinates", "heads", "loci", "molecules",
    "output_inputs", "outputs", "partners", "peptides", "promoters", "quantities", "receptor_counts", "residues",
    "sequence_features", "sequences", "species", "targets",
)  # fmt: skip


def duplicates(t: Tables) -> Iterator[Problem]:
    for name, columns in KEYS.items():
        seen: dict[tuple[str, ...], int] = {}
        for row in t[name]:
            key = tuple(row.fields[c] for c in columns)
            if key in seen:
                yield (
                    t.where(name, row),
                    f"{', '.join(key)!r} stands on line {seen[key]} already",
                    "Rename or remove one.",
                )
            seen.setdefault(key, row.line)


def orphan_claims(t: Tables) -> Iterator[Problem]:
    for row in t["claims"]:
        if row.fields["check"] != "fact" and not row.fields["experiment"]:
            yield (
                t.where("claims", row),
                f"{row.fields['id']} asks for a simulation and names no experiment",
                "Name one.",
            )


def without_source(t: Tables) -> Iterator[Problem]:
    for name, rows in t.rows.items():
        for row in rows:
            for column in SOURCES & row.fields.keys():
                if not listed(row.fields[column]):
                    yield t.where(name, row), f"the row names no {column}", "Say who states it."


def units_and_grades(t: Tables) -> Iterator[Problem]:
    for name, rows in t.rows.items():
        for row in rows:
            if name != "columns" and not row.fields.get("unit", "dimensionless"):
                yield t.where(name, row), "the number has no unit", "Give one; `dimensionless` is one."
            if "grade" in row.fields and row.fields["grade"] not in GRADES:
                yield t.where(name, row), f"{row.fields['grade']!r} is no grade", f"Use {', '.join(GRADES)}."


def unknown_units(t: Tables) -> Iterator[Problem]:
    for name, rows in t.rows.items():
        for row in rows:
            try:
                parse_unit(row.fields.get("unit") or "dimensionless")
            except Il2Error as error:
                yield t.where(name, row), str(error), "Write a unit that il2 knows."


def outside_range(t: Tables) -> Iterator[Problem]:
    for name, columns in NUMERIC:
        for row in t[name]:
            try:
                value, low, high = (float(row.fields[c]) if row.fields[c].strip() else None for c in columns)
            except ValueError as error:
                yield t.where(name, row), str(error), "Write a number, or leave the field empty."
                continue
            ladder = [v for v in (low, value, high) if v is not None]
            if any(map(math.isnan, ladder)) or (name in VALUED and value is not None and math.isinf(value)):
                yield t.where(name, row), "not a number", "Write a number, or leave the field empty."
            elif value is None and name in VALUED:
                yield t.where(name, row), f"no {columns[0]}", "Write a number."
            elif ladder != sorted(ladder):
                yield t.where(name, row), f"{value} lies outside {low} to {high}", "Mend the value or its range."


def unreadable_sources(t: Tables) -> Iterator[Problem]:
    """Rows graded above `assumed` whose every source is one that nobody read, or that nobody can look up."""
    known = {row.fields["id"]: row.fields for row in t["sources"]}
    bad = {i for i, s in known.items() if NOWHERE.search(s["citation"]) or not s["citation"].strip()}
    unread = {i for i, s in known.items() if s["retrieved"] == "no"}
    for row in t["sources"]:
        if row.fields["id"] in bad:
            yield t.where("sources", row), f"{row.fields['citation']!r} cannot be looked up", "Cite `assumed` instead."
        if row.fields["retrieved"] not in READ:
            yield t.where("sources", row), f"retrieved is {row.fields['retrieved']!r}", f"Use {', '.join(READ)}."
    for name, rows in t.rows.items():
        for row in rows:
            if said := NOWHERE.search(row.fields.get("note", "")):
                yield t.where(name, row), f"the note rests on {said[0]!r}", "Cite a source, or `assumed`."
    for name in EVIDENCED:
        for row in t[name]:
            if row.fields.get("range_kind") == DEFINITION:
                continue
            if row.fields["grade"] != ASSUMED and set(listed(row.fields["sources"])) <= unread | bad:
                yield (
                    t.where(name, row),
                    f"graded {row.fields['grade']} on sources that were not read",
                    "Grade it assumed.",
                )


def markup(t: Tables) -> Iterator[Problem]:
    for name, rows in t.rows.items():
        for row in rows:
            for column, text in row.fields.items():
                if MARKUP.search(text):
                    yield t.where(name, row), f"{column} holds markup: {text[:40]!r}", "Write plain text."


CHECKS = (
    Check("duplicate", ERROR, "a key stands twice", duplicates),
    Check("orphan-claim", ERROR, "a claim that asks for a simulation names no experiment", orphan_claims),
    Check("no-source", ERROR, "a row without a source", without_source),
    Check("no-unit-or-grade", ERROR, "a number without unit or grade", units_and_grades),
    Check("unknown-unit", ERROR, "a unit that cannot be read", unknown_units),
    Check("outside-range", ERROR, "a value outside its own range, or no number", outside_range),
    Check("unread-source", ERROR, "a grade above assumed on what nobody read or can look up", unreadable_sources),
    Check("markup", WARNING, "markup in a text", markup),
)
