"""Compute what a folder lacks of a job: here, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from il2.errors import Il2Error
from il2.runs.chunk import work
from il2.runs.cluster import on_cluster, refuse_unknown
from il2.runs.job import PREFIX, Job, function
from il2.runs.pool import in_processes
from il2.runs.stopped import Stopped
from il2.runs.store import AGAIN, open_store

Progress = Callable[[int, int], None]
Chunks = Iterator[tuple[int, bytes]]


def to_stderr(note: str) -> None:
    """Say a note to the user."""
    print(f"il2: {note}", file=sys.stderr)


def run(
    job: Job,
    folder: Path,
    *,
    workers: int = 1,
    cluster: str = "",
    on_done: Progress | None = None,
    on_note: Callable[[str], None] = to_stderr,
    prefix: str = PREFIX,
) -> None:
    """Compute the chunks of a job that a folder lacks; they have the same bytes wherever and however often it is run.

    workers: processes of this machine; with 1, chunks are computed in this process, by the threads of the engine.
    cluster: "" for this machine, tcp://host:port of a Dask scheduler, or local:N to start one with N workers.
    on_done: called with how many chunks are done, and of how many; first before anything is computed.
    on_note: told of chunks that were found damaged, moved aside and are computed again.
    prefix: what the name of the task must begin with.

    Raises `Il2Error` where the folder holds another job, is written by another run, or cannot be written, where
    workers or scheduler are lost, and where the task itself does. Chunks that are done stay; the same call goes on.
    """
    _refuse(workers, cluster)
    function(job.task, prefix)
    folder = folder.absolute()
    with open_store(job, folder) as store:
        missing, note = store.missing()
        if note:
            on_note(note)
        done = job.chunks - len(missing)
        try:
            _tell(on_done, done, job.chunks)
            with closing(_computed(job, missing, workers, cluster, prefix)) as chunks:
                for index, blob in chunks:
                    store.write(index, blob)
                    done += 1
                    _tell(on_done, done, job.chunks)
        except Stopped as stop:
            raise _error(stop, folder, done, job.chunks) from stop


def _computed(
    job: Job, missing: Sequence[int], workers: int, cluster: str, prefix: str
) -> Generator[tuple[int, bytes], None, None]:
    if not missing:
        return
    if cluster:
        yield from on_cluster(job, missing, cluster, prefix)
    elif workers > 1:
        yield from in_processes(job, missing, workers, prefix)
    else:
        key = job.key
        for index in missing:
            yield index, work(job, key, index, prefix)


def _refuse(workers: int, cluster: str) -> None:
    if not isinstance(workers, int) or workers < 1:
        raise Il2Error(f"workers is {workers!r}", where="run", how="Give a whole number from 1 up.")
    if cluster:
        refuse_unknown(cluster)
        if workers > 1:
            how = "Give one of them: a cluster has its own workers."
            raise Il2Error("workers and a cluster contradict each other", where="run", how=how)


def _error(stop: Stopped, folder: Path, done: int, total: int) -> Il2Error:
    kept = f"{done} of {total} chunks are done and kept in {folder}" if stop.kept else "its chunks are gone with it"
    why = "; ".join(part for part in (stop.why, kept) if part)
    how = stop.how if AGAIN in stop.how or not stop.kept else f"{stop.how} {AGAIN}"
    return Il2Error(stop.what, where=stop.where, why=why, how=how)


def _tell(on_done: Progress | None, done: int, total: int) -> None:
    if on_done:
        on_done(done, total)
