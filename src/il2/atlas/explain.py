"""What a term is: an entity, number, reaction, model, claim, experiment, conflict, published result, source or column.

Every fact ends in its sources, and names what can be explained in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from il2.atlas import modelled, stated
from il2.atlas.fact import Fact, Told
from il2.atlas.usage import homes, numbers, reaction_names, resolved, uses
from il2.errors import Il2Error
from il2.knowledge.claim import claims
from il2.knowledge.conflict import conflicts
from il2.knowledge.entity import folded, near, warnings, words
from il2.knowledge.planned import planned
from il2.knowledge.result import published
from il2.knowledge.source import sources
from il2.knowledge.table import rows
from il2.signalling.models import MODELS


@dataclass(frozen=True)
class Explanation:
    term: str
    kind: str
    title: str
    facts: tuple[Fact, ...]


def explain(term: str) -> tuple[Explanation, ...]:
    """Everything known of a term, once for each kind of thing that bears the name.

    An unknown term is an Il2Error that offers the nearest and takes none.
    """
    text = term.strip()
    told = [teller(name) for known, teller in TELLERS if (name := known(text)) is not None]
    if told:
        return tuple(Explanation(text, kind, title, tuple(f for f in facts if f.text)) for kind, title, facts in told)
    raise Il2Error(f"nothing is known of {term!r}", where="il2 explain", how=_offered(text))


def _among(names: Callable[[], Iterable[str]]) -> Callable[[str], str | None]:
    """A reader of names that are equal but for case."""

    def known(text: str) -> str | None:
        if text in (every := names()):
            return text
        return next((n for n in every if n.casefold() == text.casefold()), None)

    return known


def _entity_word(text: str) -> str | None:
    return text if folded(text) in words() else None


def _input(text: str) -> str | None:
    return text if isinstance(resolved(text), str) and text in uses() else None


def _reaction(text: str) -> str | None:
    """Only words with a space name reactions, so that others need not build the models."""
    return text if " " in text and homes(text) else None


def _misused(text: str) -> str | None:
    """A word that stands for no entity, and of which a document says what is not so."""
    return text if _entity_word(text) is None and warnings(text) else None


TELLERS: tuple[tuple[Callable[[str], str | None], Callable[[str], Told]], ...] = (
    (_among(claims), stated.tell_claim),
    (_among(planned), stated.tell_experiment),
    (_among(conflicts), stated.tell_conflict),
    (_among(published), stated.tell_result),
    (_entity_word, stated.tell_entity),
    (_misused, stated.tell_misused),
    (_among(numbers), modelled.tell_number),
    (_among(MODELS.keys), modelled.tell_model),
    (_input, modelled.tell_parameter),
    (_reaction, modelled.tell_reaction),
    (_among(sources), stated.tell_source),
    (_among(lambda: {row["column"]: "" for row in rows("columns")}), stated.tell_column),
)


def _offered(text: str) -> str:
    names = [*numbers(), *MODELS, *reaction_names(), *sources(), *(row["column"] for row in rows("columns"))]
    return near(text, names) or "Name an entity, a number, a reaction, a claim, an experiment or a column."
