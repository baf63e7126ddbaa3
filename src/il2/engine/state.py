"""The state of a run, which can be saved, restored and gone on from."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from il2.errors import Il2Error
from il2.files import whole_file

FORMAT, VERSION = "il2-state", 1
LARGEST = 2**31  # bytes of one array that is read
DAMAGE = (
    OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, NotImplementedError, RuntimeError,
    SyntaxError, MemoryError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip  # what reading a file of another kind raises


@dataclass(frozen=True, eq=False)
class State:
    """All that a run keeps at one time of each lane, before it goes on.

    species, names: of states and parameters; time (lanes,) and y (lanes, states): where it is. anchor_time, anchor:
    the last event before and the state after it; stops (lanes, stops): outputs since then. A run that goes on with the
    same parameters repeats the steps since the last event, so that it has the bits of a run without a pause.
    parameters (lanes, parameters): in force; switched: which of them events have set. triggers: their names and
    how often they act; fired (lanes, triggers, most): when they acted; due (lanes, items): when what they do is due.
    """

    species: np.ndarray
    names: np.ndarray
    time: np.ndarray
    y: np.ndarray
    anchor_time: np.ndarray
    anchor: np.ndarray
    stops: np.ndarray
    parameters: np.ndarray
    switched: np.ndarray
    triggers: np.ndarray
    fired: np.ndarray
    due: np.ndarray

    def save(self, path: str | Path) -> None:
        """Write it to a file (NumPy .npz), whole or not at all."""
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        with whole_file(Path(path)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, format=np.array(FORMAT), version=np.array(VERSION), **held)

    @classmethod
    def load(cls, path: str | Path) -> State:
        """Read a saved state; what is missing, foreign, damaged or of another version is an `Il2Error`."""
        try:
            with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                for info in file.zip.infolist():
                    if info.file_size > LARGEST:
                        raise ValueError(f"{info.filename} is too large")
                if str(file["format"]) != FORMAT:
                    raise ValueError("it has another format")
                version = int(file["version"])
                if version != VERSION:
                    raise Il2Error(
                        f"has version {version} of the format", where=str(path), how=f"This is for version {VERSION}."
                    )
                state = cls(**{f.name: file[f.name] for f in fields(cls)})
            state._check()
        except FileNotFoundError:
            raise Il2Error("there is no such file", where=str(path)) from None
        except DAMAGE as error:
            raise Il2Error("is no saved state, or is damaged", where=str(path), why=str(error)) from error
        return state

    def _check(self) -> None:
        """Shapes and kinds of all arrays must agree."""
        lanes, n, m = len(self.time), len(self.species), len(self.names)
        shapes = {
            "species": (n,), "names": (m,), "time": (lanes,), "y": (lanes, n), "anchor_time": (lanes,),
            "anchor": (lanes, n), "parameters": (lanes, m), "switched": (lanes, m), "stops": (lanes, -1),
            "triggers": (-1,), "fired": (lanes, len(self.triggers), -1), "due": (lanes, -1),
        }  # fmt: skip
        for name, shape in shapes.items():
            found = getattr(self, name)
            kind = "U" if name in ("species", "names", "triggers") else "b" if name == "switched" else "f"
            same = len(shape) == found.ndim and all(a in (-1, b) for a, b in zip(shape, found.shape, strict=True))
            if not same or (found.dtype.kind != kind and found.size):
                raise ValueError(f"{name} has shape {found.shape} and kind {found.dtype}")
        times = self.time, self.anchor_time, self.stops
        if not (all(np.isfinite(t).all() for t in times) and (self.anchor_time >= 0).all()):
            raise ValueError("a time is not finite")
        line = np.concatenate([self.anchor_time[:, None], self.stops, self.time[:, None]], axis=1)
        if (np.diff(line, axis=1) < 0).any():
            raise ValueError("its times are not in order")
