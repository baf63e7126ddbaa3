"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from il2.errors import Il2Error


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value


_UMASK = _umask()  # read once: it can only be read by setting it, for the whole process


@contextmanager
def whole_file(path: Path, *, private: bool = False) -> Iterator[Path]:
    """A temporary path in the same folder that takes the name `path` when the block ends without an error.

    Links are followed, and an existing file keeps its mode. If the block fails, or the folder cannot be written,
    `path` is left as it was. private: readable by its owner alone.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise Il2Error("is no regular file", where=str(path), how="Choose another name.")
    mode = 0o600 if private else path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_UMASK
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-", suffix=path.suffix)
    except OSError as error:
        raise _unwritable(path, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _unwritable(path: Path, error: OSError) -> Il2Error:
    return Il2Error(f"cannot be written: {error.strerror}", where=str(path), how="Choose another file or folder.")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
