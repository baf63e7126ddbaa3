"""Checks on the tables alone: keys, links, units, ranges, flags, sources."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from il2.atlas.lint import ERROR, KEYS, WARNING, Check, Problem, Tables
from il2.errors import Il2Error
from il2.knowledge.conflict import positions
from il2.knowledge.entity import folded, parents
from il2.knowledge.quantity import GRADES
from il2.knowledge.source import ASSUMED
from il2.knowledge.table import listed
from il2.units import parse_unit

NOWHERE = re.compile(r"from memory|own computation|this review|this write-?up|scratch|general knowledge", re.I)
MARKUP = re.compile(r"<[/a-zA-Z!]|&#|javascript:", re.I)
DEFINITION = "definition"  # exact by what its words mean, so that nothing had to be read
REFUTED = ("wrong", "corrupt", "outdated")
NUMERIC = {
    "quantities": ("value", "low", "high"), "targets": ("value", "low", "high"), "affinities": ("kd", "low", "high"),
    "partners": ("kd_nM", "low", "high"), "receptor_counts": ("count_per_cell", "low", "high"),
}  # fmt: skip
LINKS = (  # table, column, table and column that hold what it names
    ("claims", "document", "sources", "id"),
    ("claims", "experiment", "experiments", "id"),
    ("claims", "conflicts", "conflicts", "id"),
    ("claims", "predicate", "predicates", "name"),
    ("conflicts", "about", "entities", "name"),
    ("criteria", "experiment", "experiments", "id"),
    ("criteria", "source", "sources", "id"),
    ("entities", "kind", "kinds", "kind"),
    ("mechanisms", "claim", "claims", "id"),
    ("misattributions", "claims", "claims", "id"),
    ("misattributions", "entity", "entities", "name"),
    ("loci", "claim", "claims", "id"),
    ("coordinates", "claim", "claims", "id"),
    ("pathway", "start", "entities", "name"),
    ("pathway", "end", "entities", "name"),
    ("pathway", "claims", "claims", "id"),
    ("targets", "experiments", "experiments", "id"),
    ("target_runs", "target", "targets", "id"),
    ("target_runs", "source", "sources", "id"),
)
MODEL_LINKS = {"cell": ("cells", "name"), "molecule": ("molecules", "name"), "head": ("heads", "name"), "partner": ("partners", "name")}
RESTS = {"quantity": ("quantities", "name"), "target": ("targets", "id"), "conflict": ("conflicts", "id"), "": ("claims", "id")}


def duplicates(t: Tables) -> Iterator[Problem]:
    for name, columns in KEYS.items():
        seen: dict[tuple[str, ...], int] = {}
        for row in t[name]:
            key = tuple(row.fields[c] for c in columns)
            if key in seen:
                yield t.where(name, row), f"{', '.join(key)} stands on line {seen[key]} already", "Rename or remove one."
            seen.setdefault(key, row.line)


def orphan_claims(t: Tables) -> Iterator[Problem]:
    for row in t["claims"]:
        if row.fields["check"] != "fact" and not row.fields["experiment"]:
            yield t.where("claims", row), f"{row.fields['id']} asks for a simulation and names no experiment", "Name one."


def claims_without_source(t: Tables) -> Iterator[Problem]:
    for row in t["claims"]:
        if not row.fields["document"]:
            yield t.where("claims", row), f"{row.fields['id']} names no document", "Say who states it."


def units_and_grades(t: Tables) -> Iterator[Problem]:
    for name, rows in t.rows.items():
        for row in rows:
            if "unit" in row.fields and name in ("quantities", "affinities") and not row.fields["unit"]:
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
    for name, columns in NUMERIC.items():
        for row in t[name]:
            try:
                value, low, high = (float(row.fields[c]) if row.fields[c].strip() else None for c in columns)
            except ValueError as error:
                yield t.where(name, row), str(error), "Write a number, or leave the field empty."
                continue
            if any(v is not None and math.isnan(v) for v in (value, low, high)):
                yield t.where(name, row), "not a number", "Write a number, or leave the field empty."
            elif value is not None and not (low if low is not None else value) <= value <= (high if high is not None else value):
                yield t.where(name, row), f"{value:g} lies outside {low} to {high}", "Mend the value or its range."


def unknown_prefixes(t: Tables) -> Iterator[Problem]:
    known = t.column("prefixes", "prefix")
    for row in t["entities"]:
        for curie in (row.fields["id"], *listed(row.fields["xrefs"])):
            prefix, colon, rest = curie.partition(":")
            if not colon or not rest or prefix not in known:
                yield t.where("entities", row), f"{curie!r} has no known prefix", "Add it to prefixes.csv, or mend it."


def dangling_links(t: Tables) -> Iterator[Problem]:
    for name, column, other, key in LINKS:
        known = t.column(other, key)
        for row in t[name]:
            for item in listed(row.fields.get(column, "")):
                if known and item not in known:
                    yield t.where(name, row), f"{column} {item!r} is not in {other}.csv", "Mend the name, or add the row."
    yield from _dangling_sources(t)
    yield from _dangling_parts(t)


def _dangling_sources(t: Tables) -> Iterator[Problem]:
    known = t.column("sources", "id")
    for name, rows in t.rows.items():
        for row in rows:
            for item in listed(row.fields.get("sources", "")):
                if item not in known:
                    yield t.where(name, row), f"source {item!r} is not in sources.csv", "Add the source."


def _dangling_parts(t: Tables) -> Iterator[Problem]:
    entities, claims = t.column("entities", "name"), t.column("claims", "id")
    for row in t["entities"]:
        for relation, name in parents(row.fields["parents"]):
            if name not in entities:
                yield t.where("entities", row), f"{relation} {name!r} is no entity", "Mend the name, or add the row."
        for link in listed(row.fields["model"]):
            kind, _, name = link.partition(":")
            if kind in MODEL_LINKS and name not in t.column(*MODEL_LINKS[kind]):
                yield t.where("entities", row), f"{link!r} is not in the model", "Mend the name."
    for row in t["conflicts"]:
        try:
            held = [c for p in positions(row.fields["positions"]) for c in p.claims]
        except Il2Error as error:
            yield t.where("conflicts", row), str(error), error.how
            continue
        for name in held:
            if name not in claims:
                yield t.where("conflicts", row), f"claim {name!r} is not in claims.csv", "Mend the id."
    for row in t["primer"]:
        for item in listed(row.fields["rests_on"]):
            kind, _, name = item.rpartition(":")
            if kind not in RESTS or name not in t.column(*RESTS[kind]):
                yield t.where("primer", row), f"rests on {item!r}, which is not there", "Mend the name."


def open_conflicts(t: Tables) -> Iterator[Problem]:
    named: dict[str, set[str]] = {}
    for row in t["claims"]:
        for name in listed(row.fields["conflicts"]):
            named.setdefault(name, set()).add(row.fields["id"])
    for row in t["conflicts"]:
        for column in ("canonical", "resolution", "reason"):
            if not row.fields[column]:
                yield t.where("conflicts", row), f"{row.fields['id']} has no {column}", "Say what is taken, and why."
        try:
            held = {c for p in positions(row.fields["positions"]) for c in p.claims}
        except Il2Error:
            continue
        if held != named.get(row.fields["id"], set()):
            odd = ", ".join(sorted(held ^ named.get(row.fields["id"], set())))
            yield t.where("conflicts", row), f"positions and claims.csv differ in {odd}", "Name the conflict in both."


def flagged_canonical(t: Tables) -> Iterator[Problem]:
    """Identifiers, names and references that a refuted claim states, and that stand as true elsewhere."""
    words = {
        row.fields["name"]: {folded(w) for w in (row.fields["name"], row.fields["id"], *listed(row.fields["xrefs"]), *listed(row.fields["synonyms"]))}
        for row in t["entities"]
    }
    dois = {folded(d) for d in t.column("sources", "doi") if d}
    canonical = {folded(row.fields["canonical"]): row for row in t["conflicts"]}
    for row in t["claims"]:
        f = row.fields
        if f["flag"] not in REFUTED:
            continue
        where, said = t.where("claims", row), folded(f["object"])
        if f["predicate"] in ("has_identifier", "has_synonym") and said in words.get(f["subject"], ()):
            yield where, f"{f['subject']} bears {f['object']!r}, which {f['id']} states and is {f['flag']}", "Take it away."
        if f["predicate"] == "has_doi" and said in dois:
            yield where, f"a source bears the DOI {f['object']}, which is {f['flag']}", "Take it away."
        if said in canonical:
            yield where, f"{canonical[said].fields['id']} takes {f['object']!r}, which is {f['flag']}", "Take another."


def unreadable_sources(t: Tables) -> Iterator[Problem]:
    """Rows graded above `assumed` whose every source is one that nobody read, or that nobody can look up."""
    known = {row.fields["id"]: row.fields for row in t["sources"]}
    bad = {i for i, s in known.items() if NOWHERE.search(s["citation"])}
    unread = {i for i, s in known.items() if s["retrieved"] == "no"}
    for row in t["sources"]:
        if row.fields["id"] in bad:
            yield t.where("sources", row), f"{row.fields['citation']!r} cannot be looked up", "Cite `assumed` instead."
    for name, rows in t.rows.items():
        for row in rows:
            cited = listed(row.fields.get("sources", ""))
            if row.fields.get("range_kind") == DEFINITION:
                continue
            if row.fields.get("grade", ASSUMED) != ASSUMED and name in ("quantities", "targets") and set(cited) <= unread:
                yield t.where(name, row), f"graded {row.fields['grade']} on sources that were not read", "Grade it assumed."


def cycles(t: Tables) -> Iterator[Problem]:
    above = {row.fields["name"]: [n for r, n in parents(row.fields["parents"]) if r != "has_part"] for row in t["entities"]}
    for row in t["entities"]:
        start = row.fields["name"]
        seen, todo = set(), list(above[start])
        while todo:
            name = todo.pop()
            if name == start:
                yield t.where("entities", row), f"{start} is above itself", "Break the cycle in `parents`."
                break
            if name not in seen:
                seen.add(name)
                todo += above.get(name, [])


def shared_words(t: Tables) -> Iterator[Problem]:
    owner: dict[str, str] = {}
    for row in t["entities"]:
        for word in {folded(w) for w in (row.fields["name"], *listed(row.fields["synonyms"]))}:
            if owner.setdefault(word, row.fields["name"]) != row.fields["name"]:
                yield t.where("entities", row), f"{word!r} also names {owner[word]}", "Leave it to one of them."


def unresolved_ends(t: Tables) -> Iterator[Problem]:
    words = {folded(w) for row in t["entities"] for w in (row.fields["name"], *listed(row.fields["synonyms"]))}
    must = {row.fields["name"] for row in t["predicates"] if row.fields["object"] == "entity"}
    for row in t["claims"]:
        for text in listed(row.fields["object"]):
            if row.fields["predicate"] in must and folded(text) not in words:
                yield t.where("claims", row), f"object {text!r} is no entity", "Add it as a name or a synonym."


def markup(t: Tables) -> Iterator[Problem]:
    for name, rows in t.rows.items():
        for row in rows:
            for column, text in row.fields.items():
                if MARKUP.search(text):
                    yield t.where(name, row), f"{column} holds markup: {text[:40]!r}", "Write plain text."


CHECKS = (
    Check("duplicate", ERROR, "a key stands twice", duplicates),
    Check("orphan-claim", ERROR, "a claim that asks for a simulation names no experiment", orphan_claims),
    Check("no-source", ERROR, "a claim without a document", claims_without_source),
    Check("no-unit-or-grade", ERROR, "a number without unit or grade", units_and_grades),
    Check("unknown-unit", ERROR, "a unit that cannot be read", unknown_units),
    Check("outside-range", ERROR, "a value outside its own range, or no number", outside_range),
    Check("unknown-prefix", ERROR, "an identifier without a known prefix", unknown_prefixes),
    Check("dangling-link", ERROR, "a name that no table holds", dangling_links),
    Check("open-conflict", ERROR, "a conflict without resolution, or with other claims than it names", open_conflicts),
    Check("flagged-canonical", ERROR, "a canonical value that rests on a refuted claim", flagged_canonical),
    Check("unread-source", ERROR, "a grade above assumed on what nobody read or can look up", unreadable_sources),
    Check("cycle", ERROR, "an entity above itself", cycles),
    Check("shared-word", ERROR, "a word that names two entities", shared_words),
    Check("unresolved", ERROR, "an object that must be an entity and is none", unresolved_ends),
    Check("markup", WARNING, "markup in a text", markup),
)
