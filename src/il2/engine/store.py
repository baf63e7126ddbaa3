"""Object code on disk: private files, written atomically, checked before use.

A file is `MAGIC`, the SHA-256 of the rest, and a payload: a JSON line and the object code. Anything that is
corrupt, foreign (another owner, or writable by others) or unreadable is treated as absent, with one note.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from pathlib import Path

from il2.errors import Il2Error
from il2.files import whole_file

MAGIC = b"il2-object-1\n"


def folder() -> Path:
    """Where object code is kept: IL2_CACHE, or the user's cache folder of the platform."""
    if os.environ.get("IL2_CACHE"):
        return Path(os.environ["IL2_CACHE"])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "il2" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "il2"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "il2"


def place() -> str:
    """The folder as text, empty where no home folder is known."""
    try:
        return str(folder())
    except RuntimeError:
        return ""


def read(key: str) -> tuple[dict | None, bytes, str]:
    """(facts, object code, note); facts is None where there is nothing usable, and note says why if odd."""
    path = Path(f"{key}.o")
    try:
        path = folder() / path
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if hasattr(os, "getuid") and (
                status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            ):
                return None, b"", f"{path} belongs to, or can be written by, someone else"
            blob = file.read()
    except FileNotFoundError:
        return None, b"", ""
    except (OSError, RuntimeError) as error:
        return None, b"", f"{path} cannot be read: {error}"
    start = len(MAGIC) + 32
    if not blob.startswith(MAGIC) or hashlib.sha256(blob[start:]).digest() != blob[len(MAGIC) : start]:
        return None, b"", f"{path} is damaged"
    head, _, code = blob[start:].partition(b"\n")
    return json.loads(head), code, ""


def write(key: str, facts: dict, code: bytes) -> str:
    """Keep object code; returns a note where that was not possible."""
    payload = json.dumps(facts).encode() + b"\n" + code
    blob = MAGIC + hashlib.sha256(payload).digest() + payload
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(folder() / f"{key}.o", private=True) as temporary:
            temporary.write_bytes(blob)
    except (OSError, RuntimeError, Il2Error) as error:
        return f"object code cannot be written: {error}"
    return ""
