"""Entities: the things that claims are about, each under one name with its identifiers and synonyms.

A gene and its protein are one entity. A word lands on an entity only where it is a name, a synonym or an identifier
of it; near words are offered and never taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import keyed, listed, rows

GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "κ": "kappa"}
RELATIONS = ("is_a", "part_of", "has_part", "derived_from", "occurs_in")
_APART = re.compile(r"(?<=[a-z])[-_ ]+(?=\d)|[-_ ]+(?=(?:alpha|beta|gamma|delta|kappa)(?![a-z]{3}))")
_AFTER = re.compile(r"(?<=alpha|gamma|delta|kappa)[-_ ]+(?=[a-z](?![a-z]))|'s\b")
_DASHES = re.compile("[‐‑‒–—−]")
_DATABASE = re.compile(
    r"(ncbi ?gene|entrez(?: gene)?|uniprot(?:kb)?|hgnc|ensembl|omim|mesh)(?: id)?\s*[: ]\s*(\S*\d\S*)"
)
_PREFIXES = {"ncbi gene": "ncbigene", "entrez gene": "ncbigene", "entrez": "ncbigene", "uniprot": "uniprotkb"}


@dataclass(frozen=True)
class Entity:
    """id and xrefs: CURIEs. parents: (relation, name). model: what it is called there, such as `cell:Treg`."""

    name: str
    kind: str
    id: str
    xrefs: tuple[str, ...]
    synonyms: tuple[str, ...]
    parents: tuple[tuple[str, str], ...]
    definition: str
    model: tuple[str, ...]
    flag: str
    note: str
    sources: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that lands on it: name, synonyms, CURIEs, and what stands behind their colon."""
        curies = (self.id, *self.xrefs)
        return (self.name, *self.synonyms, *curies, *(c.partition(":")[2] for c in curies if c))


@dataclass(frozen=True)
class Found:
    """An entity, and what has to be said of the word that was looked up."""

    entity: Entity
    warnings: tuple[str, ...] = ()


@cache
def entities() -> dict[str, Entity]:
    """All entities by name."""
    lists = ("xrefs", "synonyms", "model", "sources")
    return {
        name: Entity(**row | {key: listed(row[key]) for key in lists} | {"parents": parents(row["parents"])})  # type: ignore[arg-type]
        for name, row in keyed("entities", "name").items()
    }


def parents(text: str) -> tuple[tuple[str, str], ...]:
    """Read `is_a:name;part_of:name`."""
    found = [item.partition(":") for item in listed(text)]
    return tuple((relation.strip(), name.strip()) for relation, _, name in found)


def folded(text: str) -> str:
    """A word as it is compared: `IL 2`, `IL-2` and `il2` are one, so are letters and names of Greek letters, singular
    and plural of cells, and the ways to write the name of a database."""
    text = _DASHES.sub("-", " ".join(text.replace("’", "'").split())).casefold()
    for letter, word in GREEK.items():
        text = text.replace(letter, word)
    if named := _DATABASE.fullmatch(text):
        return f"{_PREFIXES.get(named[1], named[1])}:{named[2]}"
    return re.sub(r"\bcells\b", "cell", _AFTER.sub("", _APART.sub("", text)))


@cache
def words() -> dict[str, tuple[str, ...]]:
    """Folded words, and the names of the entities on which each lands: names before synonyms before identifiers."""
    table: dict[str, tuple[str, ...]] = {}
    for of in (lambda e: (e.name,), lambda e: e.synonyms, lambda e: e.words):
        spoken = set(table)
        for entity in entities().values():
            for word in map(folded, of(entity)):
                if word not in spoken:
                    table[word] = tuple(dict.fromkeys((*table.get(word, ()), entity.name)))
    return table


def named(text: str) -> Entity | None:
    """The one entity that a name, synonym or identifier stands for, or None."""
    names = words().get(folded(text), ())
    return entities()[names[0]] if len(names) == 1 else None


def find(text: str) -> Found:
    """The entity of a word, with warnings; an unknown or ambiguous word is an error that offers the nearest."""
    names = words().get(folded(text), ())
    if len(names) > 1:
        raise Il2Error(f"{text!r} is ambiguous", how="Say which: " + " or ".join(map(repr, names)) + ".")
    if not names:
        said = " ".join(warnings(text))
        how = said or near(text) or "For example IL2, CD25 or Treg."
        raise Il2Error(f"no entity is called {text!r}" if said else f"unknown entity {text!r}", how=how)
    return Found(entities()[names[0]], warnings(text))


def warnings(text: str) -> tuple[str, ...]:
    """What documents say of a word that is not so."""
    return tuple(
        f"{row['warning']} [{row['claims'].replace(';', ', ')}]"
        for row in rows("misattributions")
        if folded(text) in map(folded, listed(row["term"]))
    )


def near(text: str, more: Iterable[str] = ()) -> str:
    """A sentence that offers known words near `text`, or nothing."""
    known = [word for e in entities().values() for word in (e.name, *e.synonyms)]
    found = (did_you_mean(text, words) for words in (known, list(more)))
    return next((text for text in found if text.startswith("Did")), "")
