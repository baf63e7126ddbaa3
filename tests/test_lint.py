"""Every check of `il2 lint` fires on the smallest change that breaks its rule, and says file and line."""

import csv
import shutil
from dataclasses import replace

import pytest

import il2.atlas.lint as linting
from il2.atlas import link_checks, model_checks, table_checks
from il2.atlas.lint import ERROR, KEYS, Finding, Tables, lint, opened
from il2.atlas.usage import network
from il2.experiments.record import Record, recorded
from il2.gene import promoter
from il2.knowledge.table import Row, tables_folder
from il2.network.network import Parameter
from il2.signalling import output

CHECKS = {c.id: c for c in (*table_checks.CHECKS, *link_checks.CHECKS, *model_checks.CHECKS)}
KNOWN = {(f.id, f.where.split("/")[-1]) for f in lint(tables_folder())}  # none, or one test fails, not all
NEW = "+"  # a copy of the first row, at the end of the table
SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
BREAKS = [  # check that fires alone, table, first field of a row that is unique by it, and what is changed in that row
    ("duplicate", "claims", NEW, {}),
    ("duplicate", "entities", NEW, {}),
    ("duplicate", "quantities", NEW, {}),
    ("orphan-claim", "claims", "S002-013", {"experiment": ""}),
    ("no-source", "claims", "S000-001", {"document": ""}),
    ("no-source", "entities", "IL2", {"sources": " ; "}),
    ("no-source", "criteria", "E12", {"source": ""}),
    ("no-unit-or-grade", "quantities", "ligand_association_rate", {"unit": ""}),
    ("no-unit-or-grade", "quantities", "ligand_association_rate", {"grade": ""}),
    ("no-unit-or-grade", "cells", "Treg", {"grade": "excellent"}),
    ("no-unit-or-grade", "targets", "T001", {"unit": ""}),
    ("unknown-unit", "quantities", "ligand_association_rate", {"unit": "1/(nMM*min)"}),
    ("unknown-unit", "targets", "T001", {"unit": "U/mg"}),
    ("outside-range", "quantities", "ligand_association_rate", {"value": "3.1"}),
    ("outside-range", "quantities", "ligand_association_rate", {"value": "fast"}),
    ("outside-range", "quantities", "ligand_association_rate", {"value": "nan"}),
    ("outside-range", "quantities", "ligand_association_rate", {"value": "inf", "high": "inf"}),
    ("outside-range", "quantities", "ligand_association_rate", {"value": ""}),
    ("outside-range", "targets", "T001", {"value": "", "low": "2", "high": "1"}),
    ("outside-range", "affinities", "IL2", {"kd": "5000"}),
    ("outside-range", "receptor_counts", "Treg", {"count_per_cell": "-1"}),
    ("outside-range", "coordinates", "IL2", {"end": "1"}),
    ("outside-range", "criteria", "E12", {"threshold": "ten"}),
    ("duplicate", "promoters", NEW, {}),
    ("outside-range", "promoters", "IL2", {"strength": "9"}),
    ("outside-range", "outputs", "BCL2", {"half_life_h": "0.1"}),
    ("outside-range", "output_inputs", "BCL2", {"weight": "99"}),
    ("outside-range", "output_inputs", "BCL2", {"half": ""}),
    ("outside-range", "cell_traits", "Th", {"value": "many"}),
    ("outside-range", "species", "mouse", {"low": "1e9"}),
    ("outside-range", "peptides", "N4", {"high": "0.1"}),
    ("unread-source", "outputs", "BCL2", {"grade": "high"}),
    ("dangling-link", "cell_traits", "Th", {"cell": "Thh"}),
    ("dangling-link", "output_inputs", "BCL2", {"product": "BCL3"}),
    ("unread-source", "sources", "rickert2004", {"citation": "From memory"}),
    ("unread-source", "sources", "rickert2004", {"citation": "own computation, 2026"}),
    ("unread-source", "sources", "rickert2004", {"citation": ""}),
    ("unread-source", "sources", "rickert2004", {"retrieved": "perhaps"}),
    ("unread-source", "quantities", "ligand_association_rate", {"sources": "assumed"}),
    ("unread-source", "affinities", "IL2", {"sources": "levin2012"}),
    ("unread-source", "claims", "S000-001", {"note": "Completed from general knowledge"}),
    ("markup", "claims", "S000-001", {"statement": SCRIPT}),
    ("markup", "entities", "IL2", {"definition": IMAGE}),
    ("markup", "primer", "1", {"text": f"A cytokine. {SCRIPT}"}),
    ("markup", "sources", "rickert2004", {"url_or_pmid": "javascript:alert(1)"}),
    ("unknown-prefix", "entities", "IL2", {"id": "HGCN:6001"}),
    ("unknown-prefix", "entities", "IL2RA", {"xrefs": "3559"}),
    ("unknown-prefix", "entities", "IL2RA", {"xrefs": "NCBIGene:"}),
    ("dangling-link", "claims", "S000-001", {"document": "nobody"}),
    ("dangling-link", "quantities", "ligand_association_rate", {"sources": "wang_smith1987;nobody1999"}),
    ("dangling-link", "entities", "IL2RA", {"parents": "is_a:nothing"}),
    ("dangling-link", "entities", "IL2RA", {"parents": "cousin_of:cytokine"}),
    ("dangling-link", "entities", "IL2", {"model": "molecule:IL3"}),
    ("dangling-link", "primer", "1", {"rests_on": "S999-001"}),
    ("dangling-link", "primer", "1", {"rests_on": "quantity:nothing"}),
    ("open-conflict", "conflicts", "C01", {"canonical": ""}),
    ("open-conflict", "conflicts", "C01", {"resolution": ""}),
    ("open-conflict", "conflicts", "C01", {"reason": ""}),
    ("open-conflict", "conflicts", "C01", {"positions": "4q26 [S000-004] | 4q27 [S001-019]"}),
    ("open-conflict", "conflicts", "C02", {"positions": "one place [S001-020,S002-036]"}),
    ("flagged-canonical", "pathway", "antigen", {"claims": "S000-003"}),
    ("shared-word", "entities", "IL2RA", {"synonyms": "CD25;interleukin‑2"}),
    ("shared-word", "entities", "IL2RA", {"id": "HGNC:6001"}),
    ("unresolved", "claims", "S002-013", {"object": "receptor of nothing"}),
]  # fmt: skip
BREAKS_SEEN_ELSEWHERE = [  # the same, where the check names (also) another row: its table and first field
    ("flagged-canonical", "entities", "IL2", {"xrefs": "NCBIGene:3559"}, "claims", "S000-003"),
    ("flagged-canonical", "entities", "IL2", {"synonyms": "aldesleukin"}, "claims", "S001-021"),
    ("flagged-canonical", "sources", "rickert2004", {"doi": "10.1016/J.jad.2019.06.003"}, "claims", "S000-109"),
    ("flagged-canonical", "conflicts", "C01", {"canonical": "4q26"}, "claims", "S000-004"),
    ("cycle", "entities", "IL-2 family", {"parents": "is_a:IL2"}, "entities", "IL-2 family"),
    ("cycle", "entities", "IL2", {"parents": "is_a:IL-2 family;has_part:cytokine"}, "entities", "IL2"),
    ("cycle", "cells", "Treg", {"parent": "Treg_naive"}, "cells", "Treg"),
    ("cycle", "pathway", "antigen", {"end": "antigen"}, "pathway", "antigen"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(tables_folder(), tmp_path / "tables")


@pytest.fixture(scope="module")
def tables() -> Tables:
    return opened(tables_folder())[0]


def change(folder, table: str, key: str, fields: dict[str, str]) -> str:
    """Change the row whose first field is `key`, and return its place."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert set(fields) <= set(header)
    if key == NEW:
        rows.append(list(rows[0]))
    n = len(rows) - 1 if key == NEW else [row[0] for row in rows].index(key)
    rows[n] = [fields.get(column, text) for column, text in zip(header, rows[n], strict=True)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    assert not any("\n" in text for row in rows for text in row)  # so that rows are lines
    return f"{path}:{n + 2}"


def fresh(folder) -> list[Finding]:
    """Findings that the change has made."""
    return [f for f in lint(folder) if (f.id, f.where.split("/")[-1]) not in KNOWN]


def firsts(tables: Tables, table: str) -> list[str]:
    return [next(iter(row.fields.values())) for row in tables[table]]


def altered(tables: Tables, table: str, line: int, **fields: str) -> Tables:
    """The tables with other fields in one row, in memory."""
    rows = tuple(Row(r.line, r.fields | fields) if r.line == line else r for r in tables[table])
    return replace(tables, rows={**tables.rows, table: rows})


def test_the_tables_of_the_package_give_no_finding():
    assert [f for f in lint() if f.severity == ERROR or f.id != "stale-verdict"] == []


def test_no_recorded_verdict_is_stale():
    if not recorded():
        pytest.skip("no verdicts are recorded")
    assert [f for f in lint() if f.id == "stale-verdict"] == []


def test_every_table_has_a_key(tables):
    assert {path.stem for path in tables_folder().glob("*.csv")} == set(KEYS) == set(tables.rows)


@pytest.mark.parametrize(("check", "table", "key", "fields"), BREAKS)
def test_a_check_fires_alone_and_names_the_line(folder, check, table, key, fields):
    where = change(folder, table, key, fields)
    found = fresh(folder)
    assert {f.id for f in found} == {check}
    assert where in {f.where for f in found}
    assert all(f.why and f.fix and f.severity == CHECKS[check].severity for f in found)


@pytest.mark.parametrize(("check", "table", "key", "fields", "seen", "row"), BREAKS_SEEN_ELSEWHERE)
def test_a_check_names_the_row_that_disagrees(folder, tables, check, table, key, fields, seen, row):
    change(folder, table, key, fields)
    found = [f for f in fresh(folder) if f.id == check]
    line = firsts(tables, seen).index(row) + 2
    assert f"{folder / seen}.csv:{line}" in {f.where for f in found}
    assert all(f.why and f.fix for f in found)


@pytest.mark.parametrize("link", link_checks.LINKS, ids=lambda link: f"{link[0]}.{link[1]}")
def test_every_link_is_followed(tables, link):
    table, column, other, key = link
    assert all(column in row.fields for row in tables[table]) and tables.column(other, key)
    line = next(row.line for row in tables[table] if row.fields[column])
    broken = altered(tables, table, line, **{column: "nowhere"})
    wheres = [where for where, why, _ in link_checks.dangling_links(broken) if "nowhere" in why]
    assert wheres == [f"{tables_folder() / table}.csv:{line}"]


@pytest.mark.parametrize("table", sorted(KEYS))
def test_a_source_a_grade_and_a_key_are_asked_of_every_table(tables, table):
    row = tables[table][0]
    place = tables.where(table, row)
    for column, check in (("sources", table_checks.without_source), ("grade", table_checks.units_and_grades)):
        if column in row.fields:
            problems = [p[0] for p in check(altered(tables, table, row.line, **{column: ""}))]
            assert problems == [place]
    twice = replace(tables, rows={**tables.rows, table: (*tables[table], Row(10**6, row.fields))})
    assert [p[0] for p in table_checks.duplicates(twice)] == [f"{tables_folder() / table}.csv:1000000"]


@pytest.mark.parametrize("table", sorted(KEYS))
def test_what_depends_on_an_unreadable_table_goes_unchecked(tables, table):
    without = replace(tables, rows={name: rows for name, rows in tables.rows.items() if name != table})
    checks = (*table_checks.CHECKS, *link_checks.CHECKS)
    found = [(check.id, where.split("/")[-1]) for check in checks for where, _, _ in check.run(without)]
    assert set(found) <= KNOWN


def in_response(monkeypatch, parameter: Parameter) -> None:
    """Let every model have this parameter alone."""
    one = replace(network("response-IL2"), parameters=(parameter,))
    monkeypatch.setattr(model_checks, "network", lambda _: one)


def a_number_without_a_row(monkeypatch, tables, tmp_path):
    in_response(monkeypatch, Parameter("invented_rate", 1.0, "1/min"))
    return tables, "response-IL2: invented_rate"


def another_unit_than_the_table(monkeypatch, tables, tmp_path):
    in_response(monkeypatch, Parameter("ligand_association_rate", 0.6, "1/(pM*min)"))
    line = firsts(tables, "quantities").index("ligand_association_rate") + 2
    return tables, f"{tables_folder() / 'quantities'}.csv:{line}"


def a_reaction_that_is_not_there(monkeypatch, tables, tmp_path):
    return altered(tables, "mechanisms", 2, reaction="IL2 binds nothing"), f"{tables_folder() / 'mechanisms'}.csv:2"


def a_model_that_is_not_there(monkeypatch, tables, tmp_path):
    return altered(tables, "mechanisms", 2, model="response-IL3"), f"{tables_folder() / 'mechanisms'}.csv:2"


def a_number_in_code(monkeypatch, tables, tmp_path):
    (tmp_path / "cell").mkdir()
    (tmp_path / "cell" / "answers.py").write_text("HALF = 0.5\nKD = -27.6\nLEAST = 1e-05\n")
    monkeypatch.setattr(model_checks, "files", lambda _: tmp_path)
    known = [r for r in tables["numbers_in_code"] if r.fields["file"] == "cell/answers.py"][:1]
    return replace(tables, rows={**tables.rows, "numbers_in_code": tuple(known)}), "cell/answers.py:2"


def an_explained_number_that_is_gone(monkeypatch, tables, tmp_path):
    row = tables["numbers_in_code"][0]
    rows = (*tables["numbers_in_code"], Row(99, row.fields | {"number": "27.6"}))
    tables = replace(tables, rows={**tables.rows, "numbers_in_code": rows})
    return tables, f"{tables_folder() / 'numbers_in_code'}.csv:99"


def one_row_for_numbers_that_are_no_set_up(monkeypatch, tables, tmp_path):
    """Of a file of an experiment one row explains all numbers; of its neighbour, and of a file without any, none."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "e12_affinity_ladder.py").write_text("DOSES = 27.6, 1e-05\n")
    (tmp_path / "experiments" / "e13_chain_inventory.py").write_text("HALF = 0.5\n")
    (tmp_path / "experiments" / "lanes.py").write_text("HALF = 0.5\nKD = 27.6\n")
    monkeypatch.setattr(model_checks, "files", lambda _: tmp_path)
    names = ("e12_affinity_ladder", "e13_chain_inventory", "lanes")
    rows = tuple(
        Row(n, {"file": f"experiments/{name}.py", "number": "*", "why": "set-up"}) for n, name in enumerate(names, 2)
    )
    path = tables_folder() / "numbers_in_code"
    places = {f"{path}.csv:3", f"{path}.csv:4", "experiments/lanes.py:2"}
    return replace(tables, rows={**tables.rows, "numbers_in_code": rows}), places


def a_trait_that_no_cohort_has(monkeypatch, tables, tmp_path):
    return altered(tables, "cell_traits", 2, trait="PTENN"), f"{tables_folder() / 'cell_traits'}.csv:2"


def a_factor_that_no_cell_has(monkeypatch, tables, tmp_path):
    changed = [r | {"factor": "NFATC9"} if r["gene"] == "CSF2" else r for r in promoter.rows("promoters")]
    monkeypatch.setattr(promoter, "rows", lambda table: changed)
    return tables, "promoters.csv: CSF2"


def an_input_that_no_product_can_follow(monkeypatch, tables, tmp_path):
    changed = [r | {"input": "AKTT"} if r["product"] == "GZMB" else r for r in output.rows("output_inputs")]
    monkeypatch.setattr(output, "rows", lambda table: changed)
    return tables, "output_inputs.csv: GZMB"


def an_old_verdict(monkeypatch, tables, tmp_path):
    old = Record("E12", "shown", "", 1.0, 200, 0, "low", "", {}, "0", "0", "another key")
    monkeypatch.setattr(model_checks, "recorded", lambda: {"E12": old, "E13": replace(old, id="E13", key="")})
    monkeypatch.setattr("il2.experiments.record.key", lambda: "")  # that of E13
    return tables, "E12"


MODEL_BREAKS = {
    a_number_without_a_row: "unsourced-number",
    another_unit_than_the_table: "unit-mismatch",
    a_reaction_that_is_not_there: "broken-mechanism",
    a_model_that_is_not_there: "broken-mechanism",
    a_number_in_code: "number-in-code",
    an_explained_number_that_is_gone: "number-in-code",
    one_row_for_numbers_that_are_no_set_up: "number-in-code",
    a_trait_that_no_cohort_has: "unread-row",
    a_factor_that_no_cell_has: "unread-row",
    an_input_that_no_product_can_follow: "unread-row",
    an_old_verdict: "stale-verdict",
}


@pytest.mark.parametrize("broken", MODEL_BREAKS, ids=lambda f: f.__name__)
def test_a_check_of_models_fires(monkeypatch, tables, tmp_path, broken):
    check = CHECKS[MODEL_BREAKS[broken]]
    altered_tables, place = broken(monkeypatch, tables, tmp_path)
    found = list(check.run(altered_tables))
    assert all(why and fix for _, why, fix in found)
    places, wanted = {where for where, _, _ in found}, {place} if isinstance(place, str) else place
    assert wanted <= places and (places == wanted or check.id == "unsourced-number")  # which names every model


def test_literals_are_floats_that_are_not_plain_and_large_whole_numbers():
    code = "x = 0.5 + 27.6\ny = -1e-3 * 100.0  # 3.14\n'''7.7'''\nz = True, 25, 1000, 153, 122_451_470\n"
    assert sorted(model_checks.literals(code)) == [(1, "27.6"), (2, "0.001"), (4, "122451470"), (4, "153")]


def test_models_are_checked_with_the_tables_of_the_package_where_these_hold(monkeypatch, folder):
    ran = []
    spy = replace(model_checks.CHECKS[0], run=lambda t: ran.append(t) or iter(()))
    monkeypatch.setattr(model_checks, "CHECKS", (spy,))
    monkeypatch.setattr(linting, "tables_folder", lambda: folder)
    assert fresh(folder) == [] and not ran
    assert len(lint()) == len(KNOWN) and (len(ran) == 1 or KNOWN)
    runs, where = len(ran), change(folder, "quantities", "ligand_association_rate", {"value": "fast"})
    assert ("outside-range", where) in {(f.id, f.where) for f in lint()} and len(ran) == runs


def test_every_check_is_made_to_fire():
    made = {b[0] for b in (*BREAKS, *BREAKS_SEEN_ELSEWHERE)} | set(MODEL_BREAKS.values())
    assert made == set(CHECKS)
    assert len(CHECKS) == sum(len(m.CHECKS) for m in (table_checks, link_checks, model_checks))
    assert all(c.what for c in CHECKS.values())
