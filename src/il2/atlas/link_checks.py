"""Checks on what tables say of one another: links, identifiers, conflicts, flags, and words that name entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from il2.atlas.lint import ERROR, Check, Problem, Tables
from il2.errors import Il2Error
from il2.knowledge.conflict import positions
from il2.knowledge.entity import RELATIONS, folded, parents
from il2.knowledge.table import listed

REFUTED = ("wrong", "corrupt", "outdated")
LINKS = (  # table, column, table and column that hold what it names
    ("affinities", "ligand", "heads", "name"),
    ("cell_traits", "cell", "cells", "name"),
    ("cells", "parent", "cells", "name"),
    ("claims", "document", "sources", "id"),
    ("claims", "experiment", "experiments", "id"),
    ("claims", "conflicts", "conflicts", "id"),
    ("claims", "predicate", "predicates", "name"),
    ("conflicts", "about", "entities", "name"),
    ("coordinates", "claim", "claims", "id"),
    ("criteria", "experiment", "experiments", "id"),
    ("criteria", "source", "sources", "id"),
    ("entities", "kind", "kinds", "kind"),
    ("heads", "association", "quantities", "name"),
    ("heads", "half_activation", "quantities", "name"),
    ("heads", "recruitment", "quantities", "name"),
    ("loci", "claim", "claims", "id"),
    ("mechanisms", "claim", "claims", "id"),
    ("misattributions", "claims", "claims", "id"),
    ("misattributions", "entity", "entities", "name"),
    ("molecules", "base", "heads", "name"),
    ("output_inputs", "product", "outputs", "product"),
    ("partners", "target", "heads", "name"),
    ("pathway", "start", "entities", "name"),
    ("pathway", "end", "entities", "name"),
    ("pathway", "claims", "claims", "id"),
    ("receptor_counts", "cell", "cells", "name"),
    ("sections", "predicates", "predicates", "name"),
    ("sequence_features", "claim", "claims", "id"),
    ("sequence_features", "sequence", "sequences", "name"),
    ("target_runs", "target", "targets", "id"),
    ("target_runs", "source", "sources", "id"),
    ("targets", "experiments", "experiments", "id"),
)
MODEL_LINKS = {
    "cell": ("cells", "name"),
    "molecule": ("molecules", "name"),
    "head": ("heads", "name"),
    "partner": ("partners", "name"),
}
RESTS = {
    "quantity": ("quantities", "name"),
    "target": ("targets", "id"),
    "conflict": ("conflicts", "id"),
    "": ("claims", "id"),
}


def unknown_prefixes(t: Tables) -> Iterator[Problem]:
    known = t.column("prefixes", "prefix")
    for row in t["entities"] if known else ():
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
                    yield (
                        t.where(name, row),
                        f"{column} {item!r} is not in {other}.csv",
                        "Mend the name, or add the row.",
                    )
    yield from _dangling_sources(t)
    yield from _dangling_parts(t)


def _dangling_sources(t: Tables) -> Iterator[Problem]:
    known = t.column("sources", "id")
    for name, rows in t.rows.items() if known else ():
        for row in rows:
            for item in listed(row.fields.get("sources", "")):
                if item not in known:
                    yield t.where(name, row), f"source {item!r} is not in sources.csv", "Add the source."


def _dangling_parts(t: Tables) -> Iterator[Problem]:
    entities, claims = t.column("entities", "name"), t.column("claims", "id")
    for row in t["entities"]:
        for relation, name in parents(row.fields["parents"]):
            if relation not in RELATIONS:
                yield t.where("entities", row), f"{relation!r} is no relation", f"Use {', '.join(RELATIONS)}."
            if name not in entities:
                yield t.where("entities", row), f"{relation} {name!r} is no entity", "Mend the name, or add the row."
        for link in listed(row.fields["model"]):
            kind, _, name = link.partition(":")
            if kind in MODEL_LINKS and name not in (t.column(*MODEL_LINKS[kind]) or {name}):
                yield t.where("entities", row), f"{link!r} is not in the model", "Mend the name."
    for row in t["conflicts"]:
        try:
            held = [c for p in positions(row.fields["positions"]) for c in p.claims]
        except Il2Error as error:
            yield t.where("conflicts", row), str(error), error.how
            continue
        for name in held:
            if claims and name not in claims:
                yield t.where("conflicts", row), f"claim {name!r} is not in claims.csv", "Mend the id."
    for row in t["primer"]:
        for item in listed(row.fields["rests_on"]):
            kind, _, name = item.rpartition(":")
            if kind not in RESTS or name not in (t.column(*RESTS[kind]) or {name}):
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
            stated = positions(row.fields["positions"])
        except Il2Error:
            continue
        held = {c for p in stated for c in p.claims}
        if len(stated) < 2:
            yield t.where("conflicts", row), f"{row.fields['id']} has one position", "Name both, or take it away."
        if t["claims"] and held != named.get(row.fields["id"], set()):
            odd = ", ".join(sorted(held ^ named.get(row.fields["id"], set())))
            yield t.where("conflicts", row), f"positions and claims.csv differ in {odd}", "Name the conflict in both."


def flagged_canonical(t: Tables) -> Iterator[Problem]:
    """Identifiers, names and references that a refuted claim states, and that stand as true elsewhere."""
    words = {
        row.fields["name"]: {
            folded(w)
            for w in (
                row.fields["name"],
                row.fields["id"],
                *listed(row.fields["xrefs"]),
                *listed(row.fields["synonyms"]),
            )
        }
        for row in t["entities"]
    }
    dois = {folded(d) for d in t.column("sources", "doi") if d}
    canonical = {folded(row.fields["canonical"]): row for row in t["conflicts"]}
    flags = {row.fields["id"]: row.fields["flag"] for row in t["claims"]}
    for row in t["pathway"]:
        if all(flags.get(c) in REFUTED for c in listed(row.fields["claims"])):
            yield t.where("pathway", row), "no claim behind it stands", "Name another, or take it away."
    for row in t["claims"]:
        f = row.fields
        if f["flag"] not in REFUTED:
            continue
        where, said = t.where("claims", row), folded(f["object"])
        if f["predicate"] in ("has_identifier", "has_synonym") and said in words.get(f["subject"], ()):
            yield (
                where,
                f"{f['subject']} bears {f['object']!r}, which {f['id']} states and is {f['flag']}",
                "Take it away.",
            )
        if f["predicate"] == "has_doi" and said in dois:
            yield where, f"a source bears the DOI {f['object']}, which is {f['flag']}", "Take it away."
        if said in canonical:
            yield where, f"{canonical[said].fields['id']} takes {f['object']!r}, which is {f['flag']}", "Take another."


def cycles(t: Tables) -> Iterator[Problem]:
    things: dict[str, list[str]] = {}
    for row in t["entities"]:
        for relation, name in parents(row.fields["parents"]):
            low, high = (name, row.fields["name"]) if relation == "has_part" else (row.fields["name"], name)
            things.setdefault(low, []).append(high)
    cells = {row.fields["name"]: listed(row.fields["parent"]) for row in t["cells"]}
    path: dict[str, list[str]] = {}
    for row in t["pathway"]:
        path.setdefault(row.fields["start"], []).append(row.fields["end"])
    for table, key, above in (("entities", "name", things), ("cells", "name", cells), ("pathway", "start", path)):
        for row in t[table]:
            if _is_above_itself(name := row.fields[key], above):
                yield t.where(table, row), f"{name} leads back to itself", "Break the cycle."


def _is_above_itself(start: str, above: Mapping[str, Sequence[str]]) -> bool:
    seen: set[str] = set()
    todo = list(above.get(start, ()))
    while todo and start not in seen:
        if (name := todo.pop()) not in seen:
            seen.add(name)
            todo += above.get(name, ())
    return start in seen


def shared_words(t: Tables) -> Iterator[Problem]:
    """Words of two entities; a synonym that is only folded like a name, IL-4R like IL4R, is left to the name."""
    owner: dict[tuple[str, str], str] = {}
    for row in t["entities"]:
        name, synonyms = row.fields["name"], listed(row.fields["synonyms"])
        words = {("as written", w.casefold()) for w in (name, *synonyms)} | {("synonym", folded(w)) for w in synonyms}
        words |= {("name", folded(name)), ("identifier", row.fields["id"].casefold())}
        for how, word in sorted(words):
            if owner.setdefault((how, word), name) != name:
                yield t.where("entities", row), f"{how} {word!r} also names {owner[how, word]}", "Leave it to one."


def unresolved_ends(t: Tables) -> Iterator[Problem]:
    words = {folded(w) for row in t["entities"] for w in (row.fields["name"], *listed(row.fields["synonyms"]))}
    must = {row.fields["name"] for row in t["predicates"] if row.fields["object"] == "entity"}
    for row in t["claims"] if words else ():
        for text in listed(row.fields["object"]):
            if row.fields["predicate"] in must and folded(text) not in words:
                yield t.where("claims", row), f"object {text!r} is no entity", "Add it as a name or a synonym."


CHECKS = (
    Check("unknown-prefix", ERROR, "an identifier without a known prefix", unknown_prefixes),
    Check("dangling-link", ERROR, "a name that no table holds", dangling_links),
    Check("open-conflict", ERROR, "a conflict without resolution, or with other claims than it names", open_conflicts),
    Check("flagged-canonical", ERROR, "a canonical value that rests on a refuted claim", flagged_canonical),
    Check("cycle", ERROR, "an entity, a cell or a step of the pathway above itself", cycles),
    Check("shared-word", ERROR, "a word that names two entities", shared_words),
    Check("unresolved", ERROR, "an object that must be an entity and is none", unresolved_ends),
)
