"""What a folder holds: the identity of its job, written before the first chunk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from il2.errors import Il2Error
from il2.runs.job import Job, key_of

NAME = "job.json"
HOW = "Choose another folder, go back to what it was, or remove the folder to begin anew."
NOTHING = "nothing"


def text(job: Job) -> str:
    """The manifest of a job."""
    return json.dumps({"job": job.identity(), "key": job.key}, indent=1, sort_keys=True) + "\n"


def read(folder: Path) -> dict[str, Any]:
    """The identity that the manifest in a folder states."""
    path = folder / NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        identity = found["job"]
        if key_of(identity) != found["key"]:
            raise ValueError("its key does not agree with its job")
        span(identity)
    except FileNotFoundError as error:
        raise Il2Error("no run is here", where=str(folder), how="Check the name of the folder.") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why, how = str(error)[:200], "Remove this file: the same run then takes up the chunks that are done."
        raise Il2Error("cannot be read", where=str(path), why=why, how=how) from error
    return identity


def span(identity: dict[str, Any]) -> tuple[int, int]:
    """Lanes and lanes of a chunk."""
    lanes, chunk = identity["lanes"], identity["chunk"]
    if not (isinstance(lanes, int) and isinstance(chunk, int) and lanes > 0 and chunk > 0):
        raise ValueError("its lanes are not numbers above zero")
    return lanes, chunk


def refuse_another(found: dict[str, Any], job: Job, folder: Path) -> None:
    """Refuse a folder whose job is another one, with what differs."""
    differ = list(differences(found, job.identity()))
    if differ:
        names = ", ".join(name for name, _, _ in differ[:3]) + (" and more" if len(differ) > 3 else "")
        why = "; ".join(f"{name} was {brief(old)} and is now {brief(new)}" for name, old, new in differ[:3])
        raise Il2Error(f"another run is here: {names} differs", where=str(folder), why=why, how=HOW)


def differences(old: Any, new: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Name, old and new value of all that differs between two JSON values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for part in (*new, *(p for p in old if p not in new)):
            path = f"{name}.{part}" if name else part
            yield from differences(old.get(part, NOTHING), new.get(part, NOTHING), path)
    elif _alike(old, new):
        for place, (one, other) in enumerate(zip(old, new, strict=True), start=1):
            yield from differences(one, other, f"{name}[{place}]")
    elif old != new or type(old) is not type(new):
        yield name, old, new


def _alike(old: Any, new: Any) -> bool:
    """Whether two values are lists of as many mappings each."""
    lists = isinstance(old, list) and isinstance(new, list) and len(old) == len(new)
    return lists and all(isinstance(item, dict) for item in (*old, *new))


def brief(value: Any) -> str:
    """A value in a few letters."""
    told = value if isinstance(value, str) else json.dumps(value)
    return told if len(told) <= 80 else f"{told[:60]} ... {told[-15:]}"
