"""Read what a finished run left: chunk by chunk, whole arrays, or one hash over all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from il2.errors import Il2Error
from il2.runs import manifest, store
from il2.runs.chunk import Damaged, check, decode, seal
from il2.runs.job import Job, key_of

HOW = "Run it again: what is done stays, and the rest is computed."


@dataclass(frozen=True)
class Finished:
    """A folder all of whose chunks are there."""

    folder: Path
    key: str
    lanes: int
    chunk: int

    def __iter__(self) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
        """First lane, lane after the last, and arrays by name, chunk after chunk; one is in memory at a time."""
        for index in range(_chunks(self.lanes, self.chunk)):
            blob, first, last = self._read(index)
            try:
                yield first, last, decode(blob, self.key, first, last)
            except Damaged as why:
                raise self._damaged(index, why) from why

    def arrays(self, names: Collection[str] = ()) -> dict[str, np.ndarray]:
        """Arrays over all lanes, of the given names or of all; memory for these, and for one chunk."""
        whole: dict[str, np.ndarray] = {}
        for first, last, part in self:
            chosen = {name: part[name] for name in names or part if name in part}
            if first == 0:
                whole = {name: np.empty((self.lanes, *a.shape[1:]), a.dtype) for name, a in chosen.items()}
            _refuse_unlike(whole, chosen, names, f"lanes {first} to {last}", self.folder)
            for name, array in chosen.items():
                if array.dtype != whole[name].dtype:  # text of another width
                    whole[name] = whole[name].astype(np.promote_types(whole[name].dtype, array.dtype))
                whole[name][first:last] = array
        return whole

    def digest(self) -> str:
        """SHA-256 (hex) over the SHA-256 of every chunk in order, each checked against its file."""
        total = hashlib.sha256(self.key.encode())
        for index in range(_chunks(self.lanes, self.chunk)):
            blob, first, last = self._read(index)
            try:
                check(blob, self.key, first, last)
            except Damaged as why:
                raise self._damaged(index, why) from why
            total.update(seal(blob))
        return total.hexdigest()

    def _read(self, index: int) -> tuple[bytes, int, int]:
        blob = store.read(store.chunk_path(self.folder, index))
        if blob is None:
            raise Il2Error(f"chunk {index} was removed", where=str(self.folder), how=HOW)
        return blob, index * self.chunk, min(self.lanes, (index + 1) * self.chunk)

    def _damaged(self, index: int, why: Damaged) -> Il2Error:
        path = store.chunk_path(self.folder, index)
        return Il2Error("is damaged", where=str(path), why=str(why), how=HOW)


def finished(folder: Path, job: Job | None = None) -> Finished:
    """The run in a folder. Refused where it is not complete, or is another than `job`."""
    identity = manifest.read(folder)
    if job is not None:
        manifest.refuse_another(identity, job, folder)
    lanes, chunk = manifest.span(identity)
    total = _chunks(lanes, chunk)
    missing = sum(not store.chunk_path(folder, index).exists() for index in range(total))
    if missing:
        raise Il2Error(f"{missing} of {total} chunks are missing", where=str(folder), how=HOW)
    return Finished(folder, key_of(identity), lanes, chunk)


def _chunks(lanes: int, chunk: int) -> int:
    return -(-lanes // chunk)


def _refuse_unlike(
    whole: dict[str, np.ndarray], part: dict[str, np.ndarray], names: Collection[str], lanes: str, folder: Path
) -> None:
    if absent := [name for name in names if name not in part]:
        raise Il2Error(f"no array {absent[0]!r} is here", where=str(folder), how="Give a name of the run.")
    for name in {**whole, **part}:
        one, other = whole.get(name), part.get(name)
        if one is None or other is None or one.shape[1:] != other.shape[1:] or one.dtype.kind != other.dtype.kind:
            what = f"array {name!r} of {lanes} has another form than that of the lanes before"
            raise Il2Error(what, where=str(folder), how="The task must give each lane the same form.")
