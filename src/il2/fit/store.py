"""What a fit has done so far, on disk: each finished piece is a file, so that a stopped run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from il2.errors import Il2Error
from il2.files import whole_file, write_text
from il2.fit.posterior import Posterior
from il2.fit.profile import Profile
from il2.fit.search import Start

MANIFEST, STATE = "fit.json", "state"


@dataclass(frozen=True)
class Store:
    """A folder that holds one fit."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / STATE

    def starts(self, free: int) -> tuple[Start, ...]:
        """Starts that are done, of so many free numbers."""
        return tuple(_start(path, free) for path in sorted(self.state.glob("start-*.json")))

    def keep_start(self, start: Start) -> None:
        write_text(self.state / f"start-{start.index:05d}.json", _text(start.__dict__))

    def profiles(self, x: np.ndarray) -> dict[str, Profile]:
        """Profiles from this optimum that are done, by name."""
        out = {}
        for path in sorted(self.state.glob("profile-*.json")):
            told = _read(path)
            try:
                if told.pop("optimum") == key_of(x):
                    arrays = {k: np.array(told[k], dtype=float) for k in ("x", "values", "costs")}
                    out[told["name"]] = Profile(**(told | arrays))
            except (KeyError, TypeError, ValueError) as error:
                raise _broken(path, error) from error
        return out

    def keep_profile(self, place: int, x: np.ndarray, found: Profile) -> None:
        """place: of the number among the free ones; names of files never come from data."""
        write_text(self.state / f"profile-{place:05d}.json", _text({**found.__dict__, "optimum": key_of(x)}))

    def posterior(self, x: np.ndarray, draws: int) -> Posterior | None:
        """The posterior from this optimum with so many draws, if it is done."""
        path = self.state / "posterior.npz"
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as held:
                if str(held["optimum"]) != key_of(x) or int(held["asked"]) != draws:
                    return None
                return Posterior(
                    tuple(map(str, held["names"])), held["draws"], held["log_density"], int(held["divergences"]),
                    held["rhat"], held["ess"], float(held["seconds"]),
                )  # fmt: skip
        except (OSError, ValueError, KeyError) as error:
            raise _broken(path, error) from error

    def keep_posterior(self, x: np.ndarray, asked: int, found: Posterior) -> None:
        with whole_file(self.state / "posterior.npz") as temporary, temporary.open("wb") as file:
            np.savez(file, optimum=key_of(x), asked=asked, **(found.__dict__ | {"names": np.array(found.names)}))


def open_store(folder: Path, manifest: Mapping[str, Any], *, resume: bool = False, fresh: bool = False) -> Store:
    """The store of a fit, made where there is none; one with another manifest is refused with what differs.

    resume: refuse a folder without a fit. fresh: drop what an earlier fit left.
    """
    store, path = Store(folder), folder / MANIFEST
    if resume and not path.exists():
        raise Il2Error("no fit to resume is here", where=str(folder), how="Leave out --resume, or check --out.")
    if folder.exists() and not folder.is_dir():
        raise Il2Error("is no folder", where=str(folder), how="Choose another --out.")
    if fresh and path.exists():
        path.unlink()
        shutil.rmtree(store.state, ignore_errors=True)
    if path.exists():
        _same(_manifest(path), json.loads(_text(dict(manifest))), folder)
    elif folder.exists() and any(folder.iterdir()):
        raise Il2Error("the folder is not empty and holds no fit", where=str(folder), how="Choose another --out.")
    try:
        store.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Il2Error(f"cannot be made: {error.strerror}", where=str(folder), how="Choose another --out.") from error
    if not path.exists():
        write_text(path, _text(dict(manifest)))
    return store


def _same(old: Mapping[str, Any], new: Mapping[str, Any], folder: Path) -> None:
    for name in (*new, *(old.keys() - new.keys())):
        before, now = old.get(name), new.get(name)
        if before != now:
            how = "Give another --out, go back to what it was, or start anew with --fresh."
            if name == "data":
                raise Il2Error("the data differ from those of the fit in this folder", where=str(folder), how=how)
            why = f"it was {_brief(before)} and is now {_brief(now)}"
            raise Il2Error(f"{name} differs from the fit in this folder", where=str(folder), why=why, how=how)


def _brief(value: Any) -> str:
    return (", ".join(map(str, value)) or "nothing" if isinstance(value, list) else str(value) or "nothing")[:200]


def key_of(x: np.ndarray) -> str:
    return hashlib.sha256(np.asarray(x, float).tobytes()).hexdigest()[:16]


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, default=lambda v: v.tolist() if isinstance(v, np.ndarray) else str(v)) + "\n"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(path, error) from error
    if not isinstance(found, dict):
        raise _broken(path, ValueError("it holds no object"))
    return found


def _manifest(path: Path) -> dict[str, Any]:
    try:
        return _read(path)
    except Il2Error as error:
        raise Il2Error(error.what, where=error.where, why=error.why, how="Start anew with --fresh.") from error


def _start(path: Path, free: int) -> Start:
    told = _read(path)
    try:
        numbers = {"index": int(told["index"]), "cost": float(told["cost"])}
        arrays = {k: np.array(told[k], dtype=float).reshape(free) for k in ("x0", "x")}
        return Start(**(told | numbers | arrays))
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> Il2Error:
    return Il2Error("cannot be read", where=str(path), why=str(error)[:200], how="Remove it; it is computed again.")
