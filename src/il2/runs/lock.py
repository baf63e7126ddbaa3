"""One writer of a folder at a time. The system frees the lock of a process that ends, however it ends."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from il2.errors import Il2Error

BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
FAR = 1 << 30  # Windows locks bytes against reading too: one that the file does not have


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the lock file `path`, made where there is none; yields its open handle. A lock that is held is refused."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        how = "Choose a folder that can be written."
        raise Il2Error(f"cannot be written: {error.strerror}", where=str(path.parent), how=how) from error
    try:
        _take(handle, path)
        with suppress(OSError):  # the holder's name is for the message alone; a full disk does not matter here
            os.ftruncate(handle, 0)
            os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        try:
            yield handle
        finally:
            with suppress(OSError):
                os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def still_there(handle: int, path: Path) -> bool:
    """Whether the lock file that is held is the one at `path`, so that the folder is the one that was locked."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _take(handle: int, path: Path) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, FAR, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        folder = str(path.parent)
        if error.errno not in BUSY:
            how = "Choose a folder on another disk."
            raise Il2Error(f"cannot be locked: {error.strerror}", where=folder, how=how) from error
        holder = os.read(handle, 200).decode(errors="replace").strip()
        how = "Wait until it ends, or choose another folder."
        raise Il2Error("another run writes this folder", where=folder, why=holder, how=how) from error
