"""A chunk as bytes: arrays by name that have the same bytes whenever they have the same bits.

A file is `MAGIC`, the SHA-256 of the rest, a JSON line (key of the job, lanes, and name, type and shape of each array)
and the numbers of the arrays, little-endian and in C order.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping

import numpy as np

from il2.errors import Il2Error
from il2.runs.job import PREFIX, Job, function

MAGIC = b"il2-chunk-1\n"
KINDS = "biufcSU"  # types that are plain bytes: booleans, numbers and text of fixed width
START = len(MAGIC) + 32


class Damaged(Exception):
    """Bytes that are not the chunk they should be; says why."""


def work(job: Job, key: str, index: int, prefix: str = PREFIX) -> bytes:
    """Compute a chunk, in whatever process: the bytes of its file.

    key: of the job where it was started; another one here means that il2 or its numbers differ.
    """
    if job.key != key:
        how = "Install the same version of il2 on every machine."
        raise Il2Error("a worker has another version of il2, or other parameters", where="run", how=how)
    first, last = job.span(index)
    return encode(key, first, last, function(job.task, prefix)(job.settings, first, last))


def encode(key: str, first: int, last: int, arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of the lanes [first, last) of the job `key`."""
    plain = {name: _plain(name, array, last - first) for name, array in arrays.items()}
    head = {
        "job": key, "first": first, "last": last,
        "arrays": [[name, array.dtype.str, array.shape] for name, array in plain.items()],
    }  # fmt: skip
    parts = [json.dumps(head).encode(), b"\n", *(array.tobytes() for array in plain.values())]
    rest = b"".join(parts)
    return MAGIC + hashlib.sha256(rest).digest() + rest


def check(blob: bytes, key: str, first: int, last: int) -> dict:
    """The JSON line of a whole chunk of these lanes of the job `key`; `Damaged` says what is wrong."""
    if not blob.startswith(MAGIC) or len(blob) < START:
        raise Damaged("it is no chunk, or cut off at its start")
    if hashlib.sha256(memoryview(blob)[START:]).digest() != blob[len(MAGIC) : START]:
        raise Damaged("its SHA-256 does not agree: it is cut off or altered")
    try:
        head = json.loads(blob[START : blob.index(b"\n", START)])
        told = head["job"], head["first"], head["last"]
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("its head cannot be read") from error
    if told != (key, first, last):
        raise Damaged("it belongs to another job" if told[0] != key else f"it holds the lanes {told[1]} to {told[2]}")
    return head


def decode(blob: bytes, key: str, first: int, last: int) -> dict[str, np.ndarray]:
    """Arrays by name of a checked chunk, leading axis last - first."""
    head = check(blob, key, first, last)
    at, arrays = blob.index(b"\n", START) + 1, {}
    try:
        for name, kind, shape in head["arrays"]:
            dtype, count = np.dtype(kind), math.prod(shape)
            if dtype.kind not in KINDS or shape[0] != last - first:
                raise Damaged(f"its array {name} is of type {kind} and shape {shape}")
            arrays[name] = np.frombuffer(blob, dtype, count, at).reshape(shape).copy()
            at += count * dtype.itemsize
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Damaged("its arrays cannot be read") from error
    if at != len(blob):
        raise Damaged("it holds more than its arrays")
    return arrays


def seal(blob: bytes) -> bytes:
    """The SHA-256 that a chunk carries (32 bytes)."""
    return blob[len(MAGIC) : START]


def _plain(name: str, array: np.ndarray, lanes: int) -> np.ndarray:
    array = np.asarray(array)
    if not isinstance(name, str) or array.dtype.kind not in KINDS or array.shape[:1] != (lanes,):
        what = f"the task gave {name!r} of type {array.dtype} and shape {array.shape} for {lanes} lanes"
        raise Il2Error(what, where="run", how="A task returns arrays of numbers or text, with a row for each lane.")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)
