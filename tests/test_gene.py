"""Chains against Biopython, places against each other, and E01 and E02 as they stand."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from Bio.SeqUtils import molecular_weight
from Bio.SeqUtils.ProtParam import ProteinAnalysis
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from il2.errors import Il2Error
from il2.experiments.experiment import experiment, perform
from il2.experiments.result import Result
from il2.gene.locus import (
    CODING_PART,
    EXON,
    STATED,
    band_of,
    coding_loci,
    covers,
    kendall_tau,
    lift,
    loci,
    neighbours,
    parts,
    place,
    places,
    shifts,
)
from il2.gene.sequence import (
    CHAIN,
    SIGNAL,
    cds_nt,
    chain,
    checked,
    features,
    mass_Da,
    mature,
    part,
    residues_of,
    variant,
)
from il2.knowledge.quantity import GRADES
from il2.knowledge.table import rows

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
IL2 = "IL2_precursor"
Da_PER_RESIDUE = 0.0006  # Biopython rounds other atomic weights
NEW_TABLES = ("loci", "bands", "coordinates", "sequences", "sequence_features", "residues")
chains = st.text(RESIDUES, min_size=1, max_size=60)
inside = st.integers(123_300_121, 125_633_887)


@cache
def result(name: str) -> Result:
    return perform(experiment(name))


@given(chains)
def test_masses_agree_with_biopython(letters: str) -> None:
    assert mass_Da(letters) == pytest.approx(molecular_weight(letters, "protein"), abs=Da_PER_RESIDUE * len(letters))
    assert mass_Da(letters) == pytest.approx(
        ProteinAnalysis(letters).molecular_weight(), abs=Da_PER_RESIDUE * len(letters)
    )


@given(chains, chains)
def test_joining_two_chains_loses_one_water(one: str, other: str) -> None:
    water = mass_Da(one) + mass_Da(other) - mass_Da(one + other)
    assert water == pytest.approx(18.0153, abs=1e-6)
    assert mass_Da("".join(sorted(one))) == pytest.approx(mass_Da(one))


@given(chains, st.data())
def test_a_change_moves_the_mass_by_its_two_residues(letters: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(letters)))
    new = data.draw(st.sampled_from(RESIDUES))
    changed = variant(letters, f"{letters[at - 1]}{at}{new}")
    assert len(changed) == len(letters) and changed[at - 1] == new
    assert mass_Da(changed) - mass_Da(letters) == pytest.approx(mass_Da(new) - mass_Da(letters[at - 1]), abs=1e-6)
    assert variant(letters, f"{letters[at - 1]}{at}-") == letters[: at - 1] + letters[at:]


@given(st.integers(1, 10_000))
def test_coding_sequence_and_residues_are_inverse(residues: int) -> None:
    assert residues_of(cds_nt(residues)) == residues
    with pytest.raises(Il2Error, match="whole number of codons"):
        residues_of(cds_nt(residues) + 1)


def test_il2_and_its_features() -> None:
    whole, secreted, drug = chain(IL2), mature(IL2), mature(IL2, "aldesleukin")
    (signal,), (rest,) = features(IL2, SIGNAL), features(IL2, CHAIN)
    assert whole == part(whole, signal.start, signal.end) + secreted and rest.start == signal.end + 1
    assert (len(whole), len(secreted), len(drug)) == (153, 133, 132)
    assert secreted.startswith("APTSSSTKKT") and drug.startswith("PTSSSTKKT")
    cysteines = [i for i, r in enumerate(secreted, start=1) if r == "C"]
    told = {p for kind in ("disulphide", "free_cysteine") for f in features(IL2, kind) for p in (f.start, f.end)}
    assert cysteines == sorted(told) == [58, 105, 125]
    (sugar,) = features(IL2, "glycosylation")
    assert part(secreted, sugar.start, sugar.end) == "T"
    assert drug.count("C") == 2 and drug[123] == "S"


def test_mass_of_aldesleukin_is_that_of_its_label() -> None:
    label = next(float(row["mass_kDa"]) for row in rows("molecules") if row["name"] == "aldesleukin")
    assert mass_Da(mature(IL2, "aldesleukin"), disulphides=1) / 1000 == pytest.approx(label, abs=0.05)


def test_exons_hold_the_coding_sequence_of_the_chain() -> None:
    exons, coding = parts("IL2-201", EXON), parts("IL2-201", CODING_PART)
    assert [p.length for p in coding] == [147, 60, 144, 111] and sum(p.length for p in coding) == cds_nt(153)
    assert all(e.start <= c.start <= c.end <= e.end for e, c in zip(exons, coding, strict=True))
    gene = place("IL2", "GRCh38")
    assert (exons[0].end, exons[-1].start) == (gene.end, gene.start)
    assert [p.start for p in exons] == sorted((p.start for p in exons), reverse=True)  # the minus strand


def test_bands_follow_each_other_without_a_gap() -> None:
    for assembly in ("GRCh37", "GRCh38"):
        table = [row for row in rows("bands") if row["assembly"] == assembly]
        for one, following in pairwise(table):
            assert int(following["start"]) == int(one["end"]) + 1
        for row in table:
            assert {band_of(assembly, "4", int(row[k])) for k in ("start", "end")} == {row["band"]}
    assert band_of("GRCh37", "4", 123_372_629) == band_of("GRCh38", "4", 122_451_470) == "4q27"
    assert band_of("GRCh38", "4", 123_372_629) == "4q28.1"


@pytest.mark.parametrize(
    ("stated", "band", "expected"),
    [
        ("4q27", "4q27", True), ("4q26-q27", "4q27", True), ("4q26-4q27", "4q26", True), ("4", "4q28.1", True),
        ("4q28", "4q28.1", True), ("4q26", "4q27", False), ("4q28.1", "4q27", False), ("4q25-q27", "4q28.1", False),
    ],
)  # fmt: skip
def test_a_printed_band_covers_a_band(stated: str, band: str, expected: bool) -> None:
    assert covers(stated, band) is expected


@given(inside)
def test_lifting_there_and_back_changes_nothing(position: int) -> None:
    there = lift(position, "GRCh37", "GRCh38")
    assert there - position == -921_155 and lift(there, "GRCh38", "GRCh37") == position


def test_lift_has_a_domain_and_the_ends_of_its_anchors_agree() -> None:
    assert set(shifts("GRCh37", "GRCh38")) == {"ADAD1", "ANKRD50"}
    for position in (123_300_120, 125_633_888):
        with pytest.raises(Il2Error, match=r"between 123,300,121 and 125,633,887 of chromosome 4"):
            lift(position, "GRCh37", "GRCh38")
    gene, stated = place("IL2", "GRCh37"), place("IL2", "GRCh38", STATED)
    assert (lift(gene.start, "GRCh37", "GRCh38"), lift(gene.end, "GRCh37", "GRCh38")) == (stated.start, stated.end)


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=12, unique=True))
def test_tau_agrees_with_scipy(values: list[int]) -> None:
    assert kendall_tau(values) == pytest.approx(kendalltau(range(len(values)), values).statistic)
    assert kendall_tau(values) == pytest.approx(-kendall_tau(values[::-1]))
    assert kendall_tau(sorted(values)) == 1


def test_the_map_is_that_of_the_claims() -> None:
    claims = {row["id"]: row for row in rows("claims")}
    assert [one.slot for one in loci()] == list(range(1, 35))
    for row in rows("loci"):
        stated = dict(item.split("=") for item in claims[row["claim"]]["qualifier"].split("; ") if "=" in item)
        assert (stated["slot"], stated["name as stated"]) == (f"{row['slot']}/34", row["stated_name"])
        assert stated["band as stated"] == row["stated_band"]
        assert row["symbol"] in (claims[row["claim"]]["subject"], "")
        assert (row["biotype"] == "unresolved") == (row["symbol"] == "") == (row["hgnc"] == "")
    assert len(coding_loci()) == 22 and neighbours("IL2") == ("ADAD1", "IL21")
    assert neighbours("PDE5A")[0] == "" == neighbours("ANKRD50")[1]
    told = {one.symbol: (one.start, one.end) for one in coding_loci()}
    for one in places():
        if one.assembly == "GRCh38" and one.what in ("gene", "anchor"):
            assert told[one.entity] == (one.start, one.end)


@pytest.mark.parametrize("table", NEW_TABLES)
def test_rows_have_known_sources_and_grades(table: str) -> None:
    known = {row["id"]: row for row in rows("sources")}
    for row in rows(table):
        cited = set(row["sources"].split(";"))
        assert cited <= set(known) and row["grade"] in GRADES, row
        if all(known[s]["retrieved"] == "no" for s in cited):
            assert row["grade"] == "assumed", row
        assert not row.get("start") or int(row["start"]) <= int(row["end"])


def test_e01_adds_up() -> None:
    found = result("E01")
    values = {m.name: m for m in found.measurements}
    verdicts = {c.id: c.verdict for c in found.claims}
    assert verdicts.pop("S001-077") == "partial" and set(verdicts.values()) == {"shown"}  # 822 nt are not in the exons
    assert (found.origin, found.weakest_grade) == ("built in", "assumed")
    assert values["mass_mature_kDa"].value == pytest.approx(15.4, abs=0.05)
    assert values["mass_precursor_kDa"].value == pytest.approx(17.6, abs=0.05)
    assert values["exons_nt"].value == 1029 and values["exons_in_stated_span_nt"].value == 799 <= 822
    assert values["exons"].ablated == 3 and values["residues_mature"].ablated == 153
    assert all(m.structural for m in found.measurements if m.holds is not None)


def test_e02_is_one_place() -> None:
    found = result("E02")
    values = {m.name: m for m in found.measurements}
    assert found.verdict == "shown" and {c.verdict for c in found.claims} == {"shown"}
    assert (values["end_residual_bp"].value, values["start_residual_bp"].value) == (0, 4)
    assert values["end_residual_bp"].ablated == 921_155 and values["in_4q27_GRCh37"].ablated == 0
    assert values["kendall_tau"].value == 1 and abs(values["kendall_tau"].ablated) < 0.1
    assert values["canonical_transcript_bp"].value == 5256 and values["printed_bands_wrong"].value == 7
    wrong = {one.symbol for one in coding_loci() if not covers(one.stated_band, band_of("GRCh38", "4", one.start or 0))}
    assert wrong == {"BLTP1", "ADAD1", "BBS12", "FGF2", "NUDT6", "AFG2A", "SPRY1"}
    assert found.weakest_grade == "low" and found.ablation_reverses


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: checked("APTX"), "'X' at position 4"),
        (lambda: checked("apt"), "'a' at position 1"),
        (lambda: mass_Da(""), "empty"),
        (lambda: chain("IL2_precursr"), "Did you mean 'IL2_precursor'"),
        (lambda: mature(IL2, "aldesleukn"), "Did you mean 'aldesleukin'"),
        (lambda: variant("APT", "C2S"), "residue 2 is P, not C"),
        (lambda: variant("APT", "C9S"), "9 to 9 is no part of a chain of 3"),
        (lambda: variant("APT", "P2X"), "unknown residue 'X'"),
        (lambda: variant("APT", "P2"), "no change"),
        (lambda: part("APT", 0, 2), "no part"),
        (lambda: cds_nt(0), "no coding sequence"),
        (lambda: residues_of(3), "no coding sequence"),
        (lambda: band_of("GRCh36", "4", 122_451_470), "GRCh36 chromosome 4.*Did you mean"),
        (lambda: band_of("GRCh38", "4", 1), "outside the table"),
        (lambda: band_of("GRCh38", "X", 122_451_470), "no bands"),
        (lambda: lift(122_451_470, "hg19", "GRCh38"), "unknown assembly 'hg19'"),
        (lambda: lift(123_372_629, "GRCh37", "GRCh39"), "unknown assembly 'GRCh39'"),
        (lambda: place("IL2", "GRCh36"), "no gene of 'IL2' on 'GRCh36'"),
        (lambda: place("IL22", "GRCh38"), "Did you mean"),
        (lambda: parts("IL2-999", EXON), "no exon"),
        (lambda: neighbours("IL3"), "no coding gene"),
        (lambda: neighbours("IL2", "GRCh37"), "no positions"),
        (lambda: kendall_tau([1.0]), "two values"),
    ],
)
def test_mistakes_are_named(call, match: str) -> None:
    with pytest.raises(Il2Error, match=match):
        call()
