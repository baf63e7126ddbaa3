"""Chunks on the workers of a Dask cluster. The package `distributed` is imported here alone.

A worker that is lost costs the chunks that it had, which the scheduler gives to others. Whoever reaches the port of a
scheduler can run code on its workers: it belongs in a private network.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from il2.errors import Il2Error
from il2.runs.chunk import work
from il2.runs.job import Job
from il2.runs.stopped import Stopped

ADDRESS = re.compile(r"(tcp|tls)://[^\s/:]+:\d{1,5}|(tcp|tls)://\[[0-9a-fA-F:]+\]:\d{1,5}")
LOCAL = re.compile(r"local:([1-9]\d{0,3})")
PATIENCE_S = 30.0  # that a cluster may be without workers, at the start or later
CONNECT_S = 10.0
LOOK_S = 1.0  # between looks at the workers while no chunk comes
AHEAD = 2  # chunks on the way for each thread of the workers
LOGGERS = ("distributed", "distributed.client", "distributed.nanny", "distributed.worker", "distributed.scheduler")


def refuse_unknown(cluster: str) -> None:
    """Refuse what is neither the address of a scheduler nor local:N."""
    if not ADDRESS.fullmatch(cluster) and not LOCAL.fullmatch(cluster):
        how = "Give tcp://host:port of a Dask scheduler, or local:N for N worker processes here."
        raise Il2Error(f"{cluster[:200]!r} is no cluster", where="cluster", how=how)


def on_cluster(job: Job, missing: Sequence[int], cluster: str, prefix: str) -> Iterator[tuple[int, bytes]]:
    """Chunks as they are done, each with its bytes; a few for each thread of the workers are on their way at once."""
    distributed = _distributed()
    waiting, key = deque(missing), job.key
    sent: dict[Any, int] = {}
    with _client(distributed, cluster) as client:
        while waiting or sent:
            with _reached(distributed, cluster):
                room = AHEAD * _threads(client, cluster)
                while waiting and len(sent) < room:
                    index = waiting.popleft()
                    sent[client.submit(work, job, key, index, prefix, pure=False)] = index
                done = _next(distributed, list(sent))
            for future in done:
                if future.status == "error":
                    raise _failed(distributed, future.exception(), sent[future], cluster)
                with _reached(distributed, cluster):
                    try:
                        blob = future.result(PATIENCE_S)
                    except TimeoutError:  # its worker is lost: it is computed again
                        continue
                    index = sent.pop(future)
                    future.release()
                yield index, blob


def _next(distributed: Any, futures: list[Any]) -> list[Any]:
    """Futures that are done; after a while without any, none."""
    try:
        return list(distributed.wait(futures, timeout=LOOK_S, return_when="FIRST_COMPLETED").done)
    except TimeoutError:
        return []


@contextmanager
def _reached(distributed: Any, cluster: str) -> Iterator[None]:
    """Errors of the connection to the scheduler, as one message."""
    try:
        yield
    except (OSError, distributed.CancelledError) as error:
        how = "Start the scheduler again, or give another cluster."
        raise Stopped("the scheduler is lost", where=cluster, why=str(error)[:200], how=how) from error


def _failed(distributed: Any, error: BaseException, index: int, cluster: str) -> BaseException:
    """What to raise for a chunk that failed: an error of the task as it is."""
    if isinstance(error, distributed.scheduler.KilledWorker):
        how = "Give the workers more memory, or make smaller chunks."
        why = "the workers that took it died one after another"
        return Stopped(f"chunk {index} cannot be computed", where=cluster, why=why, how=how)
    unread = isinstance(error, RuntimeError) and "deserializ" in str(error).lower()
    if unread or (isinstance(error, ModuleNotFoundError) and str(error.name).startswith("il2")):
        how = "Install the same version of il2 where the scheduler and the workers run."
        return Stopped("the cluster does not have il2", where=cluster, why=str(error)[:200], how=how)
    return error


def _threads(client: Any, cluster: str) -> int:
    """Threads of all workers; `Stopped` where there are no workers for longer than PATIENCE_S."""
    threads = sum(client.nthreads().values())
    if threads:
        return threads
    try:
        client.wait_for_workers(1, timeout=PATIENCE_S)
    except TimeoutError as error:
        why = f"for {PATIENCE_S:g} s there was none"
        how = f"Start workers: dask worker {cluster}" if ADDRESS.fullmatch(cluster) else "Use fewer workers."
        raise Stopped("the cluster has no workers", where=cluster, why=why, how=how) from error
    return max(1, sum(client.nthreads().values()))


@contextmanager
def _client(distributed: Any, cluster: str) -> Iterator[Any]:
    """A client of the cluster, and the cluster itself where it is local; both end with the block."""
    local = LOCAL.fullmatch(cluster)
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        try:
            address = stack.enter_context(_cluster(distributed, int(local[1]))) if local else cluster
            client = stack.enter_context(distributed.Client(address, timeout=CONNECT_S))
        except (OSError, TimeoutError, RuntimeError) as error:
            how = "Is the number of workers too high?" if local else "Check the address; start one with: dask scheduler"
            what = "the cluster cannot be started" if local else "no Dask scheduler answers"
            raise Il2Error(what, where=cluster, why=str(error)[:200], how=how) from error
        yield client


def _cluster(distributed: Any, workers: int) -> Any:
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", memory_limit=0,
        silence_logs=logging.CRITICAL,
    )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """What the cluster would log here is said in one message."""
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ModuleNotFoundError as error:
        how = "Install it: pip install 'il2[cluster]'"
        raise Il2Error("a cluster needs the package distributed", where="cluster", how=how) from error
