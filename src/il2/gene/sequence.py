"""Protein chains: masses, the mature chain, variants, and the length of what codes for them.

A chain is a text of one-letter residues. Positions count from 1, in the chain that is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import keyed, rows

CODON_nt = 3
STOP = 1  # codons that a coding sequence has beyond its residues
WATER, DISULPHIDE = "H2O", "S-S"
CHANGE = re.compile(r"([A-Z])(\d+)([A-Z]|-)")  # C125S: cysteine 125 becomes serine; A1-: alanine 1 is missing
FROM_PRECURSOR, FROM_MATURE = "precursor", "mature"
SIGNAL, CHAIN, BRIDGE = "signal_peptide", "mature_chain", "disulphide"


@dataclass(frozen=True)
class Feature:
    """A part of a chain, `start` to `end` in the numbering of the precursor or of the mature chain.

    form: the variant that has it, empty where the natural chain does. detail: a change such as C125S, or a kind.
    """

    kind: str
    form: str
    numbering: str
    start: int
    end: int
    detail: str


@cache
def chain(name: str) -> str:
    """A chain of sequences.csv, checked against the length that stands beside it."""
    table = keyed("sequences", "name")
    if name not in table:
        raise Il2Error(f"unknown sequence {name!r}", where="sequences.csv", how=did_you_mean(name, table))
    letters = table[name]["sequence"]
    if len(letters) != int(table[name]["length"]):
        raise Il2Error(f"{name} has {len(letters)} residues, {table[name]['length']} are stated", where="sequences.csv")
    return checked(letters)


@cache
def features(name: str, kind: str = "", form: str = "") -> tuple[Feature, ...]:
    """Features of a chain, of one kind or all, of the natural chain or of a variant by name."""
    return tuple(
        Feature(row["feature"], row["form"], row["numbering"], int(row["start"]), int(row["end"]), row["detail"])
        for row in rows("sequence_features")
        if row["sequence"] == name and kind in ("", row["feature"]) and row["form"] == form
    )


def mass_Da(letters: str, disulphides: int = 0) -> float:
    """Average mass of a chain with free ends (Da); a disulphide takes two hydrogens away."""
    masses = _masses()
    return sum(masses[r] for r in checked(letters)) + masses[WATER] + disulphides * masses[DISULPHIDE]


def checked(letters: str) -> str:
    """The chain itself; an empty one, or a letter that is none of the twenty residues, is an error."""
    if not letters:
        raise Il2Error("the chain is empty", how="Give one-letter residues, such as APTSS.")
    known = {row["symbol"] for row in rows("residues") if row["kind"] == "residue"}
    for position, letter in enumerate(letters, start=1):
        if letter not in known:
            raise Il2Error(
                f"unknown residue {letter!r} at position {position}", where="residues.csv",
                how=f"Known: {''.join(sorted(known))}, as capitals.",
            )  # fmt: skip
    return letters


def part(letters: str, start: int, end: int) -> str:
    """Residues `start` to `end`, both included."""
    if not 1 <= start <= end <= len(letters):
        raise Il2Error(f"{start} to {end} is no part of a chain of {len(letters)} residues")
    return letters[start - 1 : end]


def mature(name: str, form: str = "") -> str:
    """The chain of a sequence without its signal peptide; of a variant such as aldesleukin if one is named."""
    (whole,) = features(name, CHAIN)
    found = part(chain(name), whole.start, whole.end)
    if not form:
        return found
    changes = [f.detail for f in features(name, form=form)]
    if not changes:
        forms = {row["form"] for row in rows("sequence_features") if row["sequence"] == name} - {""}
        raise Il2Error(f"unknown form {form!r} of {name}", how=did_you_mean(form, forms))
    return variant(found, *changes)


def variant(letters: str, *changes: str) -> str:
    """The chain with changes such as C125S or A1-, all in the numbering of the chain that is given."""
    found = list(letters)
    for change in changes:
        read = CHANGE.fullmatch(change)
        if read is None:
            raise Il2Error(f"{change!r} is no change of a residue", how="Write C125S, or A1- for one that is missing.")
        old, position, new = read[1], int(read[2]), read[3]
        if part(letters, position, position) != old:
            raise Il2Error(f"{change}: residue {position} is {letters[position - 1]}, not {old}")
        found[position - 1] = "" if new == "-" else checked(new)
    return "".join(found)


def cds_nt(residues: int) -> int:
    """Length of the coding sequence of so many residues, with its stop codon (nt)."""
    if residues < 1:
        raise Il2Error(f"a chain of {residues} residues has no coding sequence")
    return CODON_nt * (residues + STOP)


def residues_of(coding_nt: int) -> int:
    """Residues that a coding sequence with its stop codon holds; what is no whole number of codons is an error."""
    if coding_nt % CODON_nt or coding_nt // CODON_nt <= STOP:
        raise Il2Error(f"{coding_nt} nt are no coding sequence", why="it is not a whole number of codons with a stop")
    return coding_nt // CODON_nt - STOP


@cache
def _masses() -> dict[str, float]:
    return {symbol: float(row["mass_Da"]) for symbol, row in keyed("residues", "symbol").items()}
