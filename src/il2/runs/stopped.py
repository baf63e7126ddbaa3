"""Why a run cannot go on."""

from __future__ import annotations


class Stopped(Exception):
    """Something outside the task stops a run; `run` tells the user how far it came.

    what: that stops it; where: file, folder or address; how: to mend it; kept: whether finished chunks are still there.
    """

    def __init__(self, what: str, *, where: str, why: str = "", how: str = "", kept: bool = True) -> None:
        self.what, self.where, self.why, self.how, self.kept = what, where, why, how, kept
        super().__init__(what)
