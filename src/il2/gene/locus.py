"""Places on a chromosome: spans, bands, the shift between two assemblies around IL2, and the order of genes.

Positions count from 1 and both ends of a span belong to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import rows

ANCHOR, GENE, STATED = "anchor", "gene", "stated"
EXON, CODING_PART = "exon", "coding part"
CODING = "coding"


@dataclass(frozen=True)
class Place:
    """A span on a chromosome of an assembly, and what it is: a gene, an exon, a span that a document states."""

    entity: str
    assembly: str
    chromosome: str
    start: int
    end: int
    what: str

    @property
    def length(self) -> int:
        return self.end - self.start + 1


@dataclass(frozen=True)
class Locus:
    """An entry of the printed map; symbol and span are empty and None where none is known."""

    slot: int
    stated_name: str
    symbol: str
    biotype: str
    stated_band: str
    start: int | None
    end: int | None


@cache
def places() -> tuple[Place, ...]:
    """All rows of coordinates.csv."""
    return tuple(
        Place(r["entity"], r["assembly"], r["chromosome"], int(r["start"]), int(r["end"]), r["what"])
        for r in rows("coordinates")
    )


def place(entity: str, assembly: str, what: str = GENE) -> Place:
    """One row of coordinates.csv; what is not there is an error."""
    for one in places():
        if (one.entity, one.assembly, one.what) == (entity, assembly, what):
            return one
    known = {p.entity for p in places()} if entity not in {p.entity for p in places()} else set()
    raise Il2Error(
        f"no {what} of {entity!r} on {assembly!r}", where="coordinates.csv",
        how=did_you_mean(entity, known) or "There: " + ", ".join(sorted({f"{p.assembly} {p.what}" for p in places()})),
    )  # fmt: skip


def parts(transcript: str, what: str) -> tuple[Place, ...]:
    """Exons or coding parts of a transcript, in its own order."""
    found = tuple(p for p in places() if p.entity == transcript and p.what.rsplit(" ", 1)[0] == what)
    if not found:
        raise Il2Error(f"no {what} of {transcript!r} is known", where="coordinates.csv")
    return found


def band_of(assembly: str, chromosome: str, position: int) -> str:
    """The cytogenetic band of a position; one outside the bands of the table is an error."""
    for row in _bands(assembly, chromosome):
        if int(row["start"]) <= position <= int(row["end"]):
            return row["band"]
    first, last = (_bands(assembly, chromosome)[i] for i in (0, -1))
    raise Il2Error(
        f"{position:,} of chromosome {chromosome} is outside the table", where="bands.csv",
        why=f"it holds {first['start']} ({first['band']}) to {last['end']} ({last['band']}) of {assembly}",
    )  # fmt: skip


def covers(stated: str, band: str) -> bool:
    """Whether a band as printed, such as 4q26-q27, 4q28 or 4, holds a band of the table."""
    ends = stated.split("-")
    arm = ends[0][: ends[0].find("q") + 1]
    first, last = ends[0], arm + ends[-1].removeprefix(arm).removeprefix("q") if arm else ends[-1]
    return first <= band and (band <= last or band.startswith(last))


@cache
def shifts(of: str, to: str) -> dict[str, tuple[int, int]]:
    """Shift of the start and of the end of every anchor gene from one assembly to another (bp)."""
    found = {p.entity: p for p in places() if p.what == ANCHOR and p.assembly == of}
    there = {p.entity: p for p in places() if p.what == ANCHOR and p.assembly == to}
    if not found or not there:
        known = {p.assembly for p in places()}
        wrong = to if found else of
        raise Il2Error(f"unknown assembly {wrong!r}", where="coordinates.csv", how=did_you_mean(wrong, known))
    return {n: (there[n].start - p.start, there[n].end - p.end) for n, p in found.items() if n in there}


def lift(position: int, of: str, to: str) -> int:
    """A position of one assembly on another: one shift, which holds between the two anchor genes around IL2 only."""
    every = {shift for both in shifts(of, to).values() for shift in both}
    if len(every) > 1:
        raise Il2Error(f"the anchors shift by {sorted(every)} bp: no one shift holds", where="coordinates.csv")
    anchors = [p for p in places() if p.what == ANCHOR and p.assembly == of]
    low, high = min(p.start for p in anchors), max(p.end for p in anchors)
    if not low <= position <= high:
        raise Il2Error(
            f"{position:,} cannot be lifted from {of} to {to}",
            why=f"the shift is known between {low:,} and {high:,} of chromosome {anchors[0].chromosome} alone",
        )
    return position + every.pop()


@cache
def loci() -> tuple[Locus, ...]:
    """The printed map, in its order."""
    return tuple(
        Locus(
            int(r["slot"]), r["stated_name"], r["symbol"], r["biotype"], r["stated_band"],
            int(r["start"]) if r["start"] else None, int(r["end"]) if r["end"] else None,
        )
        for r in rows("loci")
    )  # fmt: skip


def coding_loci() -> tuple[Locus, ...]:
    """Entries of the map that are coding genes with a known position, in the printed order."""
    return tuple(one for one in loci() if one.biotype == CODING and one.start is not None)


def neighbours(symbol: str, assembly: str = "GRCh38") -> tuple[str, str]:
    """The coding genes of the map on both sides of one, by position; empty where there is none."""
    if assembly not in {row["assembly"] for row in rows("loci")} - {""}:
        raise Il2Error(f"the map has no positions on {assembly!r}", where="loci.csv", how="Ask for GRCh38.")
    order = [one.symbol for one in sorted(coding_loci(), key=lambda one: one.start or 0)]
    if symbol not in order:
        raise Il2Error(f"{symbol!r} is no coding gene of the map", where="loci.csv", how=did_you_mean(symbol, order))
    padded = ["", *order, ""]
    at = padded.index(symbol)
    return padded[at - 1], padded[at + 1]


def kendall_tau(values: Sequence[float]) -> float:
    """Kendall's tau (a) of values against the order in which they stand: 1 where they rise, -1 where they fall."""
    pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
    if not pairs:
        raise Il2Error("an order needs two values or more")
    return sum((b > a) - (b < a) for a, b in pairs) / len(pairs)


@cache
def _bands(assembly: str, chromosome: str) -> tuple[dict[str, str], ...]:
    table = rows("bands")
    found = tuple(r for r in table if (r["assembly"], r["chromosome"]) == (assembly, chromosome))
    if not found:
        known = {f"{r['assembly']} chromosome {r['chromosome']}" for r in table}
        wrong = f"{assembly} chromosome {chromosome}"
        raise Il2Error(f"no bands of {wrong}", where="bands.csv", how=did_you_mean(wrong, known))
    return found
