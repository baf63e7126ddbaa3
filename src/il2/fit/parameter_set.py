"""A reusable parameter set: what a fit found, as a file that a person can read and a prediction can start from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from il2.errors import Il2Error, did_you_mean
from il2.files import write_text
from il2.knowledge.cell import CHAINS
from il2.knowledge.quantity import quantities
from il2.knowledge.table import rows
from il2.receptor.head import head
from il2.units import parse_unit

FORMAT = "il2 parameter set 1"
SUFFIXES = (".yaml", ".yml", ".json")
LARGEST_MB = 20
LONGEST_NAME = 200
TEXTS = ("name", "based_on", "based_on_hash", "data", "data_hash", "il2_version", "command", "note")


@dataclass(frozen=True)
class ParameterSet:
    """Values by name: parameters of the networks, counts `CELL CHAIN` (molecules per cell) and affinity factors
    `LIGAND CHAIN factor`.

    units, intervals (95 %): of the values. covariance: of the log10 of the values, in their order, or nothing.
    observation: scales, backgrounds and noise of the data, which only serve that data. based_on, based_on_hash: the
    set whose other values hold. determined: names that the data determine.
    """

    name: str
    values: dict[str, float]
    units: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    determined: tuple[str, ...] = ()
    observation: dict[str, float] = field(default_factory=dict)
    covariance: tuple[tuple[float, ...], ...] = ()
    based_on: str = ""
    based_on_hash: str = ""
    data: str = ""
    data_hash: str = ""
    il2_version: str = ""
    command: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            _check_name(name, self.name)
            if not (math.isfinite(value) and value > 0):
                raise Il2Error(f"{name} is {value:g}", where=self.name, how="Give a finite number above zero.")
        for name in (*self.units, *self.intervals, *self.determined):
            if name not in self.values:
                raise Il2Error(f"{name!r} has no value", where=self.name, how=did_you_mean(name, self.values))
        for name, unit in self.units.items():
            _check_unit(name, unit, self.name)
        for name, (low, high) in self.intervals.items():
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise Il2Error(f"the interval of {name} is {low:g} to {high:g}", where=self.name)
        if self.covariance and {len(self.covariance), *map(len, self.covariance)} != {len(self.values)}:
            raise Il2Error("the covariance has not a row and a column for each value", where=self.name)

    @property
    def hash(self) -> str:
        """Twelve letters that change with any value, or with what the set is based on."""
        text = repr((sorted((n, repr(float(v))) for n, v in self.values.items()), self.based_on, self.based_on_hash))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _check_name(name: str, where: str) -> None:
    """Refuse a name that is no parameter, count or factor."""
    words = name.split(" ")
    chain = words[-2] if words[-1] == "factor" and len(words) > 2 else words[-1] if len(words) > 1 else ""
    if chain in CHAINS and name.isprintable() and len(name) <= LONGEST_NAME:
        return
    known = {*quantities(), *_constants()}
    if name not in known:
        how = did_you_mean(name, known) + " Counts are written 'Treg IL2RA', affinities 'LIGAND IL2RA factor'."
        raise Il2Error(f"unknown parameter {name[:LONGEST_NAME]!r}", where=where, how=how)


def _check_unit(name: str, unit: str, where: str) -> None:
    """Refuse a unit that is not the one of the parameter: values are not converted."""
    known = {q.name: q.unit for q in quantities().values()} | _constants()
    own = known.get(name) or ("dimensionless" if name.endswith(" factor") else "molecule/cell")
    if parse_unit(unit) != parse_unit(own):
        raise Il2Error(f"the unit of {name} is {unit!r}", where=where, how=f"Give it in {own}; nothing is converted.")


def _constants() -> dict[str, str]:
    """Dissociation constants and their units."""
    steps = {step.name: step.unit for row in rows("heads") for step in head(row["name"]).steps.values()}
    return steps | {f"KD_{row['name']}": "nM" for row in rows("partners")}


def save(of: ParameterSet, path: Path) -> None:
    """Write a set as YAML or JSON, as the ending says, whole or not at all."""
    content = _content(of)
    if path.suffix.lower() == ".json":
        write_text(path, json.dumps(content, indent=1) + "\n")
        return
    _check_suffix(path)
    import yaml

    write_text(path, yaml.dump(content, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=120))


def _content(of: ParameterSet) -> dict[str, Any]:
    texts = {key: getattr(of, key) for key in TEXTS if getattr(of, key)}
    numbers: dict[str, dict[str, Any]] = {name: {"value": value} for name, value in of.values.items()}
    for name, number in numbers.items():
        if name in of.units:
            number["unit"] = of.units[name]
        if name in of.intervals:
            number["interval_95"] = list(of.intervals[name])
        number["determined"] = name in of.determined
    more: dict[str, Any] = {"observation": of.observation} if of.observation else {}
    more |= {"covariance_log10": [list(row) for row in of.covariance]} if of.covariance else {}
    return {"format": FORMAT, **texts, "hash": of.hash, "values": numbers, **more}


def _dumper() -> type:
    import yaml

    class Dumper(yaml.SafeDumper):
        def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
            plain = all(isinstance(item, (int, float)) for item in sequence)
            return super().represent_sequence(tag, sequence, flow_style=plain or flow_style)

    return Dumper


def load(path: Path) -> ParameterSet:
    """Read and check a set. Raises Il2Error for what is no such file, and where the values do not fit the hash."""
    _check_suffix(path)
    content = _parsed(path)
    if content.get("format") != FORMAT:
        raise Il2Error("is no parameter set", where=str(path), how=f"Its first line is 'format: {FORMAT}'.")
    known = {"format", "hash", "values", "observation", "covariance_log10", *TEXTS}
    if unknown := sorted(map(str, content.keys() - known)):
        raise Il2Error(f"unknown key {unknown[0]!r}", where=str(path), how=did_you_mean(unknown[0], known))
    entries = content.get("values")
    if not isinstance(entries, dict) or not all(isinstance(e, dict) and "value" in e for e in entries.values()):
        raise Il2Error("values are no table of name and value", where=str(path))
    try:
        found = ParameterSet(
            values={str(n): float(e["value"]) for n, e in entries.items()},
            units={str(n): str(e["unit"]) for n, e in entries.items() if "unit" in e},
            intervals={str(n): _pair(e["interval_95"]) for n, e in entries.items() if "interval_95" in e},
            determined=tuple(str(n) for n, e in entries.items() if e.get("determined")),
            observation={str(n): float(v) for n, v in (content.get("observation") or {}).items()},
            covariance=tuple(tuple(map(float, row)) for row in content.get("covariance_log10") or ()),
            **{key: str(content.get(key, "")) for key in TEXTS},
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise Il2Error("holds something that is no number", where=str(path), why=str(error)[:200]) from error
    except Il2Error as error:
        raise Il2Error(error.what, where=str(path), why=error.why, how=error.how) from error
    told = content.get("hash")
    if told is not None and str(told) != found.hash:
        why = f"the file says {str(told)[:20]}, its values give {found.hash}"
        how = "Fetch the file again; if you changed values yourself, remove the line of the hash."
        raise Il2Error("the values do not fit the hash", where=str(path), why=why, how=how)
    return found


def _pair(value: Any) -> tuple[float, float]:
    low, high = value
    return float(low), float(high)


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise Il2Error(f"unknown ending {path.suffix!r}", where=str(path), how=f"Use {' or '.join(SUFFIXES)}.")


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST_MB * 1e6:
            raise Il2Error(f"is larger than {LARGEST_MB} MB", where=str(path))
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(path), how="Check the path.") from error
    except UnicodeDecodeError as error:
        raise Il2Error("is not UTF-8 text", where=str(path)) from error
    try:
        if path.suffix.lower() == ".json":
            content = json.loads(text)
        else:
            import yaml

            content = yaml.safe_load(text)
    except RecursionError as error:
        raise Il2Error("cannot be parsed: it is nested too deep", where=str(path)) from error
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("yaml", "json"):
            raise
        raise Il2Error("cannot be parsed", where=str(path), why=str(error)[:200]) from error
    if not isinstance(content, dict):
        raise Il2Error("is no parameter set", where=str(path), how="Give a file that `il2 fit` wrote.")
    return content
