"""A job: one function over numbered lanes, cut into chunks; and what makes two jobs the same."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from il2 import __version__
from il2.errors import Il2Error
from il2.knowledge import parameters

PREFIX = "il2."
Task = Callable[[dict[str, Any], int, int], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Job:
    """Lanes 0 to `lanes` of a task, `chunk` of them at a time.

    task: "package.module:function", called as function(settings, first, last); it returns arrays by name, whose
    leading axis is last - first. It depends on nothing else, so that a chunk has the same bits wherever it is computed.
    settings: what JSON can hold; kept as JSON reads it back (lists for tuples, names sorted).
    """

    task: str
    settings: dict[str, Any]
    lanes: int
    chunk: int

    def __post_init__(self) -> None:
        for name in ("lanes", "chunk"):
            number = getattr(self, name)
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise Il2Error(f"{name} is {number!r}", where="job", how="Give a whole number from 1 up.")
        object.__setattr__(self, "settings", _plain(self.settings))

    @property
    def chunks(self) -> int:
        """How many chunks there are; the last may be shorter than the others."""
        return math.ceil(self.lanes / self.chunk)

    def span(self, index: int) -> tuple[int, int]:
        """First lane of a chunk, and the lane after its last."""
        return index * self.chunk, min(self.lanes, (index + 1) * self.chunk)

    def identity(self) -> dict[str, Any]:
        """All that the bits of the results rest on."""
        return {
            "task": self.task, "settings": self.settings, "lanes": self.lanes, "chunk": self.chunk,
            "il2 version": __version__, "parameters": parameters.fingerprint(),
        }  # fmt: skip

    @property
    def key(self) -> str:
        """SHA-256 of the identity."""
        return key_of(self.identity())


def key_of(identity: dict[str, Any]) -> str:
    """SHA-256 (hex) of what JSON makes of an identity."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True, allow_nan=False).encode()).hexdigest()


def function(task: str, prefix: str = PREFIX) -> Task:
    """The function that a task names: a public one, written in a module of this package.

    prefix: what the name must begin with. Nothing is imported before the name is found good.
    """
    module, _, name = task.partition(":")
    parts = [*module.split("."), name]
    if not task.startswith(prefix) or not all(p.isidentifier() and not p.startswith("_") for p in parts):
        raise Il2Error(f"{task[:200]!r} is no task", where="job", how=f"A task is named {prefix}module:function.")
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        found = None
    if not inspect.isfunction(found) or found.__module__ != module:
        raise Il2Error(f"the task {task!r} is not here", where="job", how="Is this the version of il2 that wrote it?")
    return found


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    try:
        plain = json.loads(json.dumps(settings, sort_keys=True, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        how = "Settings are text, finite numbers, true, false, null, and lists and objects of these."
        raise Il2Error("the settings cannot be kept as JSON", where="job", why=str(error)[:200], how=how) from error
    if not isinstance(plain, dict):
        raise Il2Error("the settings are no object of names and values", where="job")
    return plain
