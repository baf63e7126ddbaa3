"""Errors that say what was wrong, where, why, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 2000  # letters of a message; what a user typed may be longer


class Il2Error(Exception):
    """A mistake that the user can mend; faces print it as one message, without a traceback."""

    def __init__(self, what: str, *, where: str = "", why: str = "", how: str = "") -> None:
        self.what, self.where, self.why, self.how = what, where, why, how
        super().__init__(what)

    def __str__(self) -> str:
        whole = self._whole()
        return whole if len(whole) <= LONGEST else f"{whole[: LONGEST // 2]} ... {whole[-LONGEST // 2 :]}"

    def _whole(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.why:
            text += f" ({self.why})"
        if self.how:
            text += f". {self.how}"
        return text


class UnitError(Il2Error):
    """A quantity has no unit, an unknown unit, or one of the wrong dimension."""


class ModelError(Il2Error):
    """A network is not well formed: units, names, conservation or detailed balance."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence that suggests the nearest known names, or lists them."""
    known = list(known)
    folded = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.55)
    if near:
        return "Did you mean " + " or ".join(repr(folded[n]) for n in near) + "?"
    return "Known: " + ", ".join(sorted(known)) + "." if known else ""
