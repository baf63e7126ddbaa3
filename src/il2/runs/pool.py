"""Chunks in processes of this machine. A process that dies costs the chunk that it had, which another one computes."""

from __future__ import annotations

import signal
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from il2.errors import Il2Error
from il2.runs.chunk import work
from il2.runs.job import Job
from il2.runs.stopped import Stopped

TRIES = 3  # processes that one chunk may cost before the run stops
GRACE_S = 5.0  # that a process has to end by itself


@dataclass
class Worker:
    """A process, this end of its pipe, and the chunk that it computes."""

    process: BaseProcess
    pipe: Connection
    index: int = -1


def in_processes(job: Job, missing: Sequence[int], workers: int, prefix: str) -> Iterator[tuple[int, bytes]]:
    """Chunks as they are done, each with its bytes; each process holds one at a time."""
    waiting, lost = deque(missing), Counter[int]()
    staff: dict[Connection, Worker] = {}
    try:
        while waiting or staff:
            while waiting and len(staff) < workers:
                worker = _hire(job, prefix)
                staff[worker.pipe] = worker
                _give(worker, waiting.popleft())
            for pipe in wait(list(staff)):
                worker = staff[pipe]  # type: ignore[index]
                index, answer = worker.index, _answer(worker)
                if waiting and answer is not None:
                    _give(worker, waiting.popleft())
                else:
                    _dismiss(staff.pop(worker.pipe))
                if isinstance(answer, Exception):
                    raise answer
                if answer is not None:
                    yield index, answer
                    continue
                lost[index] += 1
                waiting.appendleft(index)
                if lost[index] == TRIES:
                    why = f"{TRIES} processes died at it, maybe for want of memory"
                    how = "Use fewer workers or smaller chunks, or run it with one worker to see more."
                    raise Stopped(f"chunk {index} cannot be computed", where="run", why=why, how=how)
    finally:
        for worker in staff.values():
            worker.process.terminate()
            _dismiss(worker)


def serve(pipe: Connection, job: Job, key: str, prefix: str) -> None:
    """The life of a worker process: compute what the pipe names until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    with suppress(EOFError, OSError):
        while True:
            index = pipe.recv()
            try:
                answer: bytes | Exception = work(job, key, index, prefix)
            except Il2Error as error:
                answer = error
            except Exception:  # others may not survive the pipe
                answer = RuntimeError(f"chunk {index} failed\n{traceback.format_exc()}")
            pipe.send(answer)


def _hire(job: Job, prefix: str) -> Worker:
    context = get_context("spawn")  # a forked process would hold the lock of the folder
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, job, job.key, prefix), daemon=True)
    try:
        process.start()
    except OSError as error:
        here.close()
        how = "Use fewer workers, or free memory and processes."
        what = f"a worker process cannot be started: {error.strerror}"
        raise Stopped(what, where="run", how=how) from error
    finally:
        there.close()
    return Worker(process, here)


def _give(worker: Worker, index: int) -> None:
    worker.index = index
    with suppress(OSError):  # a process that has died says so when its answer is read
        worker.pipe.send(index)


def _answer(worker: Worker) -> bytes | Exception | None:
    """What a process sends; None where it died."""
    try:
        return worker.pipe.recv()
    except (EOFError, OSError):
        return None


def _dismiss(worker: Worker) -> None:
    worker.pipe.close()
    worker.process.join(GRACE_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.process.close()
