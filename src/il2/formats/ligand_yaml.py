"""A ligand of your own from a YAML file.

name: my mutein
base: IL2                        # the cytokine it is made from; default IL2
format: Fc fusion, monovalent    # default unfused
valency: 1
kd_assay: spr                    # solution, spr, octet_bli or cell; default solution
kd_il2ra: 12 nM
kd_il2rbg: 300 pM
with: daclizumab=10 ug/mL        # given with it; several with semicolons or as a list

Heads that differ take the place of valency and KDs; the first item binds all chains:

heads:
  - {number: 1, kd_il2rbg: 300 pM}
  - {number: 2, kd_il2ra: 1 nM, binds: IL2RA only}

A prodrug has the format PEG prodrug, inert_forms: 4 and, if known, release_half_life: 20 h.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from il2.errors import Il2Error, did_you_mean
from il2.receptor.addition import Addition, additions
from il2.receptor.head import cytokines, head, restricted
from il2.receptor.ligand import FORMATS, KDS, Heads, Ligand, describe, is_ligand, ligand
from il2.units import quantity_in

LARGEST_BYTES = 100_000
MOST_INERT = 20
_KD_KEYS = {key.removesuffix("_nM"): interface for key, interface in KDS.items()}
_KEYS = (
    "name", "base", "format", "valency", "kd_assay", *_KD_KEYS, "heads", "inert_forms", "release_half_life", "with",
)  # fmt: skip
_HEAD_KEYS = ("number", *_KD_KEYS, "binds")


def read_ligand(path: Path) -> tuple[Ligand, tuple[Addition, ...], list[str]]:
    """The ligand of a YAML file, what is added with it, and warnings; KDs are texts with a unit (`12 nM`)."""
    where = str(path)
    content = _content(path)
    _known_keys(content, _KEYS, where)
    name = content.get("name", path.stem)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise Il2Error(f"name is {name!r}", where=f"{where}: name", how="Give a text of one line.")
    assay, form, base = (str(content.get(key, "")) for key in ("kd_assay", "format", "base"))
    valency, kds = _whole(content, "valency", where), _kds(content, where)
    others: tuple[Heads, ...] = ()
    if "heads" in content:
        if clash := next((key for key in ("valency", *_KD_KEYS) if key in content), ""):
            raise Il2Error(f"both heads and {clash} are given", where=where, how=f"Move {clash} into heads.")
        if FORMATS.get(form, 1) > 1:
            raise Il2Error(f"both heads and the format {form!r} are given", where=where, how="Write 'Fc fusion'.")
        valency, kds, others = _heads(content["heads"], f"{where}: heads", lambda kds: _base(name, base, kds))
    try:
        given, warnings = describe(
            name.strip(), kds, assay, form, valency, base,
            others=others, inert_forms=_inert(content, where), release_half_life_min=_half_life(content, where),
        )  # fmt: skip
    except Il2Error as error:
        raise _placed(error, where) from error
    return given, _added(content.get("with", ""), f"{where}: with"), warnings


def _content(path: Path) -> dict:
    import yaml

    where = str(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise Il2Error("the file is too large for a ligand", where=where)
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_unique_keys())
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=where, how="Check the path.") from error
    except UnicodeDecodeError as error:
        raise Il2Error("the file is not UTF-8", where=where, how="Save it as UTF-8.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that is none; brackets without end
        raise Il2Error("the file is no valid YAML", where=where, why=" ".join(str(error).split())) from error
    if not isinstance(content, dict):
        raise Il2Error("the file holds no keys", where=where, how=f"Give {', '.join(_KEYS)}.")
    return content


def _known_keys(content: dict, keys: tuple[str, ...], where: str) -> None:
    for key in content:
        if key not in keys:
            raise Il2Error(f"unknown key {key!r}", where=where, how=did_you_mean(str(key), keys))


def _placed(error: Il2Error, where: str) -> Il2Error:
    """The same error with the file that it stands in."""
    return Il2Error(error.what, where=where, why=error.why, how=error.how)


def _whole(content: dict, key: str, where: str, most: int | None = None) -> int | None:
    value = content.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1 or (most and value > most):
        limit = f"from 1 to {most}" if most else "from 1 up"
        raise Il2Error(f"{key} is {value!r}", where=f"{where}: {key}", how=f"Give a whole number {limit}.")
    return value


def _kds(content: dict, where: str) -> dict[str, float]:
    return {
        interface: quantity_in(str(content[key]), "nM", where=f"{where}: {key}")
        for key, interface in _KD_KEYS.items()
        if key in content
    }


def _heads(items: Any, where: str, base_of) -> tuple[int, dict[str, float], tuple[Heads, ...]]:
    """Number and KDs of the main heads, and the other heads."""
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise Il2Error("heads is no list of heads", where=where, how="Write each as '- {number: 1, kd_il2ra: 12 nM}'.")
    found: list[Heads] = []
    main: dict[str, float] = {}
    for n, item in enumerate(items, start=1):
        place = f"{where}, item {n}"
        _known_keys(item, _HEAD_KEYS, place)
        kds = _kds(item, place)
        chains: tuple[str, ...] = ()
        main = main if found else kds
        if "binds" in item:
            if not found:
                how = "Put a head that binds all chains first."
                raise Il2Error("the first head binds some chains only", where=place, how=how)
            chains = _binds(item["binds"], base_of(main), place)
            for key, interface in _KD_KEYS.items():
                if interface in kds and not _chains(interface) <= {*chains}:
                    how = "Remove it, or name the chain."
                    raise Il2Error(f"{key} of a head that does not bind it", where=place, how=how)
        found.append(Heads(_whole(item, "number", place) or 1, tuple(kds.items()), chains))
    return found[0].number, main, tuple(found[1:])


def _chains(interface: str) -> set[str]:
    return {"IL2RB", "IL2RG"} if interface == "IL2RBG" else {interface}


def _binds(text: Any, base: str, where: str) -> tuple[str, ...]:
    """The chains in 'IL2RA only' or 'IL2RB, IL2RG only'."""
    site = head(base)
    words = re.split(r"[\s,;+]+|\band\b", str(text).strip().removesuffix("only").strip())
    names = {c.casefold(): c for c in site.chains}
    for word in filter(None, words):
        if word.casefold() not in names:
            raise Il2Error(f"unknown chain {word!r}", where=f"{where}: binds", how=did_you_mean(word, site.chains))
    chains = tuple(c for c in site.chains if c.casefold() in {w.casefold() for w in words})
    if not chains or {c for held in restricted(site, chains).steps for c in held} != set(chains):
        first = ", ".join(sorted(c for held in site.steps if len(held) == 1 for c in held))
        raise Il2Error(
            f"binds is {text!r}", where=where, why="a head meets the cell by one of its first chains",
            how=f"Name at least one of {first}.",
        )  # fmt: skip
    return chains


def _base(name: str, base: str, kds: dict[str, float]) -> str:
    """The cytokine whose chains the heads bind, as `describe` finds it."""
    if base in cytokines():
        return base
    if is_ligand(name):
        return ligand(name).base
    return "IL15" if "IL15RA" in kds else "IL2"


def _inert(content: dict, where: str) -> int:
    forms = _whole(content, "inert_forms", where, MOST_INERT) or 0
    if "release_half_life" in content and not forms:
        raise Il2Error("release_half_life without inert_forms", where=where, how="Give the number of inert forms.")
    return forms


def _half_life(content: dict, where: str) -> float:
    """Half-life in minutes; 0 where none is given."""
    if "release_half_life" not in content:
        return 0.0
    text = content["release_half_life"]
    value = quantity_in(str(text), "min", where=f"{where}: release_half_life")
    if value <= 0:
        raise Il2Error(f"release_half_life is {text!r}", where=where, how="Give a time above zero.")
    return value


def _added(content: Any, where: str) -> tuple[Addition, ...]:
    items = content if isinstance(content, list) else [content or ""]
    if not all(isinstance(item, str) for item in items):
        raise Il2Error(f"{content!r} is no text", where=where, how="Write it like 'daclizumab=10 ug/mL'.")
    try:
        return additions("; ".join(items))
    except Il2Error as error:
        raise _placed(error, where) from error


def _unique_keys():
    """The safe loader, but a key that stands twice is an error."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node, deep=False):
            keys = [key.value for key, _ in node.value]
            for key in keys:
                if keys.count(key) > 1:
                    raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice")
            return super().construct_mapping(node, deep)

    return Loader
