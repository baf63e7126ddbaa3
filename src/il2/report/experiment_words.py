"""What the words of an experiment mean: its verdict, and the origin of its result."""

from __future__ import annotations

from il2.experiments.criterion import CONTRADICTED, ENOUGH_DRAWS, ENOUGH_SHARE, NOT_BUILT, PARTIAL, SHOWN, UNDECIDED
from il2.experiments.experiment import BUILT_IN, EMERGENT
from il2.experiments.outline import NOT_RUN
from il2.report.markup import Markup, tag

RESEARCH_USE = "For research use only: a model, not a medical device, and no basis for decisions on patients."
SHARE = f"{ENOUGH_SHARE:.0%}".replace("%", " %")
MEANING = {
    SHOWN: f"Every criterion holds with the default set, all at once in at least {SHARE} of {ENOUGH_DRAWS} or more "
    "draws of the uncertain numbers, and the ablation undoes them.",
    CONTRADICTED: f"No criterion holds with the default set, and they fail in at least {SHARE} of {ENOUGH_DRAWS} or "
    "more draws.",
    PARTIAL: "Some criteria are met and others are not, or all that is built is met and a part has no model yet.",
    UNDECIDED: "Neither shown nor contradicted: the uncertain numbers let it hold and fail, the ablation does not undo "
    f"it, or there were fewer than {ENOUGH_DRAWS} draws.",
    NOT_BUILT: "There is no model of it yet, so that nothing was tested.",
    NOT_RUN: "There is a model of it, and no verdict is on record.",
}
ORIGINS = {
    EMERGENT: "No assumed number decides it alone: none changes whether a criterion holds when it is moved through "
    "its range with the rest at the default.",
    BUILT_IN: "The result was put in rather than found: one assumed number decides a criterion alone, or no number "
    "does and the wiring of the model decides all.",
}
LOOKS = {SHOWN: "good", CONTRADICTED: "poor", PARTIAL: "fair", UNDECIDED: "fair"}


def badge(verdict: str) -> Markup:
    """A verdict in its word, with a colour besides."""
    return tag("span", verdict, class_=LOOKS.get(verdict, "status"))


def meanings() -> Markup:
    """What the words mean, to be opened."""
    words = [[tag("dt", word), tag("dd", text)] for word, text in (*MEANING.items(), *ORIGINS.items())]
    return tag("details", tag("summary", "What the verdicts and origins mean"), tag("dl", words))
