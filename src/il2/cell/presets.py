"""Cultures that run as they are: files of `knowledge/presets`, by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from il2.cell.culture_file import Plate, read_plate
from il2.errors import Il2Error, did_you_mean

SUFFIXES = (".yaml", ".yml")


def presets_folder() -> Path:
    return Path(str(files("il2.knowledge") / "presets"))


def presets() -> tuple[str, ...]:
    """Names of the presets."""
    return tuple(sorted((path.stem for path in presets_folder().glob("*.yaml")), key=str.casefold))


def preset(name: str) -> Plate:
    """A preset by name, in any case; an unknown one is an error that suggests the nearest."""
    known = {n.casefold(): n for n in presets()}
    bare = name.casefold().replace("-", "_").replace(" ", "_")
    if bare not in known:
        holds = [n for folded, n in known.items() if bare and bare in folded]
        near = did_you_mean(holds[0] if holds else bare, known.values())
        how = f"{near} See `il2 culture --list`, or give a file that ends in .yaml."
        raise Il2Error(f"unknown preset {name!r}", where="il2 culture", how=how)
    return read_plate(presets_folder() / f"{known[bare]}.yaml")


def plate(text: str) -> Plate:
    """The plate of a file, where the text ends in .yaml or .yml, or of a preset."""
    return read_plate(Path(text)) if Path(text).suffix.lower() in SUFFIXES else preset(text)
