"""The folder of a run: a manifest, one file for each finished chunk, and what was found damaged.

Each file is there whole or not at all, and on the disk before the run goes on, so that a kill or a power cut loses no
more than the chunks that are being computed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from il2.errors import Il2Error
from il2.files import whole_file
from il2.runs import manifest
from il2.runs.chunk import Damaged, check
from il2.runs.job import Job
from il2.runs.lock import locked, still_there
from il2.runs.stopped import Stopped

CHUNKS, DAMAGED, LOCK, TEMPORARY, SUFFIX = "chunks", "damaged", ".il2-lock", ".new-*", ".chunk"
AGAIN = "The same run then goes on from there."


@dataclass(frozen=True)
class Store:
    """A folder that this process alone writes. key: of the job; handle: of the lock."""

    folder: Path
    job: Job
    key: str
    handle: int

    def missing(self) -> tuple[list[int], str]:
        """Chunks that are not done, and a note on those that were found damaged and moved aside ("" without any)."""
        missing, damaged = [], []
        for index in range(self.job.chunks):
            path = chunk_path(self.folder, index)
            blob = read(path)
            if blob is None:
                missing.append(index)
                continue
            try:
                check(blob, self.key, *self.job.span(index))
            except Damaged as why:
                missing.append(index)
                self._move_aside(path)
                damaged.append(f"{path.name} ({why})")
        return missing, self._note(damaged)

    def write(self, index: int, blob: bytes) -> None:
        """Keep a chunk. Raises `Stopped` where the disk or the folder does not allow it, or it came damaged."""
        path = chunk_path(self.folder, index)
        try:
            check(blob, self.key, *self.job.span(index))
        except Damaged as why:
            how = f"Compute the chunk on another machine. {AGAIN}"
            raise Stopped("a worker gave a damaged chunk", where=path.name, why=str(why), how=how) from why
        if not still_there(self.handle, self.folder / LOCK):
            what, how = "the folder was removed or replaced during the run", "Begin the run anew."
            raise Stopped(what, where=str(self.folder), how=how, kept=False)
        try:
            write_durably(path, blob)
        except (Il2Error, OSError) as error:
            what = error.what if isinstance(error, Il2Error) else f"cannot be written: {error.strerror}"
            how = f"Make room, or make the folder writable. {AGAIN}"
            raise Stopped(what, where=str(path), how=how) from error

    def _move_aside(self, path: Path) -> None:
        aside = self.folder / DAMAGED
        try:
            aside.mkdir(exist_ok=True)
            free = next(n for n in range(1, 1_000_000) if not (aside / f"{path.name}-{n}").exists())
            path.replace(aside / f"{path.name}-{free}")
        except OSError as error:
            what = f"is damaged and cannot be moved aside: {error.strerror}"
            raise Il2Error(what, where=str(path), how=f"Remove it. {AGAIN}") from error

    def _note(self, damaged: list[str]) -> str:
        if not damaged:
            return ""
        more = f" and {len(damaged) - 5} more" if len(damaged) > 5 else ""
        which = f"{len(damaged)} damaged chunk{'s' if len(damaged) > 1 else ''}"
        return f"{which} moved to {self.folder / DAMAGED} and computed again: {', '.join(damaged[:5])}{more}"


@contextmanager
def open_store(job: Job, folder: Path) -> Iterator[Store]:
    """The folder of a job, made where there is none, locked, and cleared of what a killed run left half written.

    A folder that holds another job, or something else, is refused.
    """
    _made(folder)
    _refuse_foreign(folder)
    with locked(folder / LOCK) as handle:
        if (folder / manifest.NAME).exists():
            manifest.refuse_another(manifest.read(folder), job, folder)
        else:
            write_durably(folder / manifest.NAME, manifest.text(job).encode())
        _made(folder / CHUNKS)
        for place in (folder, folder / CHUNKS):
            for left in place.glob(TEMPORARY):
                _removed(left)
        yield Store(folder, job, job.key, handle)


def chunk_path(folder: Path, index: int) -> Path:
    """The file of a chunk."""
    return folder / CHUNKS / f"{index:08d}{SUFFIX}"


def read(path: Path) -> bytes | None:
    """The bytes of a chunk, None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        how = "Make it readable, or remove it: it is then computed again."
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(path), how=how) from error


def write_durably(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and wait until it is on the disk under its name."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise Il2Error("is no folder", where=str(folder), how="Choose another folder.") from error
    except OSError as error:
        how = "Choose another folder, or make room."
        raise Il2Error(f"cannot be made: {error.strerror}", where=str(folder), how=how) from error


def _refuse_foreign(folder: Path) -> None:
    own = {manifest.NAME, CHUNKS, DAMAGED, LOCK}
    try:
        names = [path.name for path in folder.iterdir()]
        alien = [path for path in names if path not in own and not Path(path).match(TEMPORARY)]
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(folder), how="Choose another folder.") from error
    if alien and manifest.NAME not in names:
        why = f"it holds {min(alien)}"
        raise Il2Error("the folder is not empty and holds no run", where=str(folder), why=why, how="Choose another.")


def _removed(left: Path) -> None:
    try:
        left.unlink(missing_ok=True)
    except OSError as error:
        what = f"is left of a run that was stopped and cannot be removed: {error.strerror}"
        raise Il2Error(what, where=str(left), how="Make the folder writable, or remove the file.") from error
