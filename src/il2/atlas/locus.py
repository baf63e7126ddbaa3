"""Lines of a card on where a gene lies, what lies beside it, and what it encodes, with computed masses."""

from __future__ import annotations

from il2.atlas.line import Line
from il2.gene.locus import CODING, CODING_PART, EXON, GENE, STATED, Place, band_of, coding_loci, loci, places
from il2.gene.locus import neighbours as beside
from il2.gene.sequence import BRIDGE, cds_nt, chain, features, mass_Da, mature
from il2.knowledge.table import listed, rows

NUMBERED = {"mature": "mature chain", "precursor": "precursor"}


def located(name: str) -> list[Line]:
    """Spans of a gene on each assembly, with the band that the table of bands gives for them."""
    found = [(p, row) for p, row in zip(places(), rows("coordinates"), strict=True) if p.entity == name]
    return [
        Line(_span(p), listed(row["sources"]), listed(row["claim"]), remark=row["note"])
        for p, row in found
        if p.what in (GENE, STATED)
    ]


def _span(p: Place) -> str:
    where = f"{p.assembly} chr{p.chromosome}:{p.start:,}-{p.end:,}"
    what = "as stated" if p.what == STATED else "the gene"
    return f"{where} ({p.length:,} bp, band {p.chromosome}{_bare(p)}), {what}."


def _bare(p: Place) -> str:
    return band_of(p.assembly, p.chromosome, p.start).removeprefix(p.chromosome)


def beside_it(name: str) -> list[Line]:
    """The map around a gene in its printed order, with current symbols."""
    table = loci()
    own = next((one.slot for one in table if one.symbol == name), None)
    if own is None:
        return []
    lines = []
    if name in [one.symbol for one in coding_loci()]:
        left, right = beside(name)
        lines.append(
            Line(
                f"Next coding genes of the map: {left or 'none'} and {right or 'none'}.",
                ("ensembl_110", "genatlas_il2"),
            )
        )
    for one, row in zip(table, rows("loci"), strict=True):
        at = f"{one.start:,}-{one.end:,} on {row['assembly']}" if one.start else "no position known"
        was = "" if one.symbol == one.stated_name or not one.symbol else f", printed as {one.stated_name}"
        kind = "" if one.biotype == CODING else f" ({one.biotype})"
        text = f"{one.slot}. {one.symbol or one.stated_name}{kind}{was}: {at}; printed band {one.stated_band}."
        lines.append(Line(text, listed(row["sources"]), listed(row["claim"]), remark=row["note"]))
    return lines


def made(name: str) -> list[Line]:
    """Exons and coding sequence of a gene, and masses of its chains, computed from the sequence."""
    row = next((r for r in rows("sequences") if r["symbol"] == name), None)
    if row is None:
        return []
    precursor, whole = chain(row["name"]), mature(row["name"])
    bridges = len(features(row["name"], BRIDGE))
    cited = listed(row["sources"])
    lines = [_exons(transcript) for transcript in _transcripts(name)]
    lines += [
        Line(
            f"Precursor: {len(precursor)} residues, {mass_Da(precursor) / 1000:.2f} kDa; coding sequence "
            f"{cds_nt(len(precursor))} nt with stop.",
            cited,
            remark=row["note"],
        ),
        Line(
            f"Mature chain: {len(whole)} residues, {mass_Da(whole, bridges) / 1000:.2f} kDa (average mass, no sugar, "
            f"{bridges} disulphide).",
            cited,
        ),
    ]
    for form in dict.fromkeys(
        r["form"] for r in rows("sequence_features") if r["sequence"] == row["name"] and r["form"]
    ):
        changed = mature(row["name"], form)
        details = ", ".join(f.detail for f in features(row["name"], form=form))
        lines.append(
            Line(
                f"{form}: {len(changed)} residues ({details}), {mass_Da(changed, bridges) / 1000:.2f} kDa.",
                (*cited, "proleukin_label"),
            )
        )
    for r in rows("sequence_features"):
        if r["sequence"] == row["name"] and not r["form"]:
            span = r["start"] if r["start"] == r["end"] else f"{r['start']} to {r['end']}"
            detail = f", {r['detail']}" if r["detail"] else ""
            text = f"{r['feature'].replace('_', ' ').capitalize()}: {span} of the {NUMBERED[r['numbering']]}{detail}."
            lines.append(Line(text, listed(r["sources"]), remark=f"Grade {r['grade']}. {r['note']}".strip()))
    return lines


def _transcripts(name: str) -> list[str]:
    return list(
        dict.fromkeys(p.entity for p in places() if p.what.startswith(EXON) and p.entity.startswith(f"{name}-"))
    )


def _exons(transcript: str) -> Line:
    def lengths(what: str) -> list[int]:
        return [p.length for p in places() if p.entity == transcript and p.what.startswith(what)]

    exons, coding = lengths(EXON), lengths(CODING_PART)
    text = (
        f"Transcript {transcript}: {len(exons)} exons of {', '.join(map(str, exons))} nt ({sum(exons)} nt); coding "
        f"parts {' + '.join(map(str, coding))} = {sum(coding)} nt."
    )
    return Line(text, ("ensembl_110",))
