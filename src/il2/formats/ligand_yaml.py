"""A ligand of your own from a YAML file.

name: my mutein
format: Fc fusion, monovalent    # default unfused
valency: 1
kd_assay: spr                    # solution, spr, octet_bli or cell; default solution
kd_il2ra: 12 nM
kd_il2rbg: 300 pM
"""

from __future__ import annotations

from pathlib import Path

from il2.errors import Il2Error, did_you_mean
from il2.receptor.ligand import KDS, Ligand, describe
from il2.units import quantity_in

LARGEST_BYTES = 100_000
_KD_KEYS = {key.removesuffix("_nM"): interface for key, interface in KDS.items()}
_KEYS = ("name", "base", "format", "valency", "kd_assay", *_KD_KEYS)


def read_ligand(path: Path) -> tuple[Ligand, list[str]]:
    """The ligand of a YAML file and its warnings; KDs are texts with a unit (`12 nM`)."""
    import yaml

    where = str(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise Il2Error("the file is too large for a ligand", where=where)
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=where, how="Check the path.") from error
    except UnicodeDecodeError as error:
        raise Il2Error("the file is not UTF-8", where=where, how="Save it as UTF-8.") from error
    except yaml.YAMLError as error:
        raise Il2Error("the file is no valid YAML", where=where, why=" ".join(str(error).split())) from error
    if not isinstance(content, dict):
        raise Il2Error("the file holds no keys", where=where, how=f"Give {', '.join(_KEYS)}.")
    for key in content:
        if key not in _KEYS:
            raise Il2Error(f"unknown key {key!r}", where=where, how=did_you_mean(str(key), _KEYS))
    valency = content.get("valency")
    if valency is not None and (not isinstance(valency, int) or isinstance(valency, bool)):
        raise Il2Error(f"valency is {valency!r}", where=f"{where}: valency", how="Give a whole number from 1 up.")
    name = content.get("name", path.stem)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise Il2Error(f"name is {name!r}", where=f"{where}: name", how="Give a text of one line.")
    kds = {
        interface: quantity_in(str(content[key]), "nM", where=f"{where}: {key}")
        for key, interface in _KD_KEYS.items()
        if key in content
    }
    try:
        assay, form, base = (str(content.get(key, "")) for key in ("kd_assay", "format", "base"))
        return describe(name.strip(), kds, assay, form, valency, base)
    except Il2Error as error:
        raise Il2Error(error.what, where=where, why=error.why, how=error.how) from error
