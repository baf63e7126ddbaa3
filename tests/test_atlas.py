"""Claims, search, verdicts, explanations, chains and references: every statement has a source, every walk goes back."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import il2
from il2.atlas.explain import explain
from il2.atlas.path import evidence, phrase
from il2.atlas.status import STATUSES, experiment_table, status
from il2.atlas.usage import mechanisms, network, numbers, parameters, reaction_names, resolved, uses
from il2.cli import claims, experiment, gene  # noqa: F401  each adds its verb
from il2.cli import explain as _explain  # noqa: F401
from il2.cli import export as _export  # noqa: F401
from il2.cli.app import app
from il2.experiments.record import Record, key, recorded
from il2.knowledge.claim import claims as all_claims
from il2.knowledge.conflict import conflicts
from il2.knowledge.entity import entities, find, named, words
from il2.knowledge.planned import planned
from il2.knowledge.quantity import GRADES, Quantity
from il2.knowledge.source import sources
from il2.signalling.models import MODELS

HEAVY = {"pandas", "scipy", "matplotlib", "xarray", "llvmlite", "pint"}
CLAIMS, ENTITIES = all_claims(), entities()


def run(*words: str, fails: bool = False) -> str:
    """What a verb prints; a refusal is returned as its message."""
    done = CliRunner().invoke(app, list(words))
    if fails:
        assert isinstance(done.exception, il2.Il2Error), done.output
        return str(done.exception)
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.stdout


def as_json(*words: str) -> list[dict]:
    found = json.loads(run(*words, "--format", "json"))
    assert isinstance(found, list)
    return found


def told(term: str, kind: str) -> dict[str, list]:
    """Facts of the explanation of one kind, by label."""
    found = [e for e in explain(term) if e.kind.split(" (")[0] == kind]
    assert len(found) == 1, (term, kind, [e.kind for e in explain(term)])
    table: dict[str, list] = {}
    for fact in found[0].facts:
        table.setdefault(fact.label, []).append(fact)
    return table


def test_all_claims_are_in_with_their_source():
    found = as_json("claims")
    assert len(found) == 405 == len({row["id"] for row in found})
    for row in found:
        assert {"id", "text", "status", "experiments", "source"} <= row.keys()
        assert row["text"] and row["status"] in STATUSES and row["source"] in sources(), row
    assert {row["source"] for row in found} == {s.id for s in sources().values() if s.kind == "document"}
    assert {row["id"]: row["experiments"] for row in found} == {
        c.id: [c.experiment] if c.check in ("model", "both") else [] for c in CLAIMS.values()
    }
    assert all(c.experiment in planned() for c in CLAIMS.values() if c.check != "fact")


def test_filters_of_claims_take_part_of_them_and_refuse_what_they_do_not_know():
    assert {row["source"] for row in as_json("claims", "--seed", "004")} == {"vendor_il2"}
    assert {row["status"] for row in as_json("claims", "--status", "fact")} == {"fact"}
    about = as_json("claims", "--about", "CD25")
    assert about == as_json("claims", "--about", "P01589") and "S000-050" in {row["id"] for row in about}
    for option, value in (("--kind", "recepter"), ("--seed", "9"), ("--status", "showed"), ("--about", "CD52")):
        assert value in run("claims", option, value, fails=True)


def test_the_twenty_conflicts_are_told_with_who_holds_what():
    assert len(conflicts()) == 20
    table = il2.conflict_table({row["id"] for row in il2.claim_table(conflicting=True)})
    assert {row["id"] for row in table} == set(conflicts())
    for c in conflicts().values():
        assert c.about and set(c.about) <= set(ENTITIES) and c.canonical and c.reason and len(c.positions) > 1
        facts = told(c.id, "conflict")
        assert [f.sources for f in facts["position"]] == [
            tuple(dict.fromkeys(CLAIMS[i].document for i in p.claims)) for p in c.positions
        ]
        assert all(c.id in CLAIMS[i].conflicts for i in c.claims), c.id
    assert "4q26-q27" in run("claims", "--conflicts")


LANDS = {
    "aldesleukin": "aldesleukin", "Proleukin": "aldesleukin", "Zenapax": "daclizumab", "Simulect": "basiliximab",
    "TCGF": "IL2", "T cell growth factor": "IL2", "Interleukin-2": "IL2", "HGNC:6001": "IL2", "3558": "IL2",
    "NCBI Gene:3558": "IL2", "P60568": "IL2", "CD25": "IL2RA", "cd25": "IL2RA", "TAC antigen": "IL2RA",
    "IL‐2Rα": "IL2RA", "P01589": "IL2RA", "3559": "IL2RA", "CD122": "IL2RB", "CD132": "IL2RG", "BLTP1": "BLTP1",
    "KIAA1109": "BLTP1", "Tenr": "ADAD1", "Treg": "regulatory T cell",
}  # fmt: skip


@pytest.mark.parametrize("word", LANDS)
def test_a_word_of_the_documents_lands_on_its_entity(word):
    assert find(word).entity.name == LANDS[word]


def test_names_that_documents_get_wrong_carry_a_warning():
    assert "IL2RA" in find("3559").warnings[0] and "S000-003" in find("3559").warnings[0]
    assert find("aldesleukin").warnings and find("KIAA1109").warnings and not find("CD25").warnings
    assert "warning: " in run("gene", "3559")


def test_every_name_that_a_document_gives_resolves_to_its_subject():
    given = [c for c in CLAIMS.values() if c.predicate in ("has_synonym", "has_identifier", "has_symbol", "has_name")]
    assert len(given) > 20
    lost = {
        (c.id, text): found.name if (found := named(text)) else None
        for c in given
        for text in c.objects
        if not c.flag and named(text) != named(c.subject)
    }
    assert not lost
    for e in ENTITIES.values():
        assert all(words()[w] == (e.name,) for w in map(str.casefold, (e.name, e.id)) if w in words()), e.name
    assert all(len(names) == 1 for names in words().values())


@pytest.mark.parametrize(("word", "near"), [("CD52", "CD"), ("daclizumub", "daclizumab"), ("IL-2RAA", "IL-2RA")])
def test_a_near_word_is_offered_and_never_taken(word, near):
    for asks in (find, il2.card, explain, lambda w: il2.claim_table(about=w), lambda w: il2.paths(w, "IL2")):
        with pytest.raises(il2.Il2Error) as refused:
            asks(word)
        assert "Did you mean" in str(refused.value) and near in str(refused.value)


def test_the_experiments_hold_exactly_the_claims_that_ask_for_one():
    found = as_json("experiments")
    assert len(found) == 42 == len({row["id"] for row in found})
    for row in found:
        assert {"id", "title", "claims", "grade", "status"} <= row.keys() and row["title"] and row["expected"]
        assert row["status"] in ("shown", "contradicted", "undecided", "partial", "not built")
        assert (row["grade"] in GRADES) == (row["status"] != "not built")
    held = [c for row in found for c in row["claims"]]
    assert len(held) == len(set(held))
    assert set(held) == {c.id for c in CLAIMS.values() if c.check in ("model", "both")}


def a_record(claim: str, verdict: str, made_with: str = "") -> dict[str, Record]:
    name = CLAIMS[claim].experiment
    verdicts = {} if verdict == "none" else {claim: (verdict, "as doctored")}
    return {name: Record(name, "partial", "why", 0.5, 200, 0, "low", "", verdicts, "0", "0", made_with or key())}


@pytest.mark.parametrize(
    ("verdict", "word"),
    [("shown", "shown"), ("contradicted", "contradicted"), ("undecided", "undecided"), ("partial", "undecided"),
     ("not built", "unmodelled"), ("none", "unmodelled")],
)  # fmt: skip
def test_the_status_of_a_claim_follows_from_the_record(verdict, word):
    found = status(CLAIMS["S000-050"], a_record("S000-050", verdict))
    assert found.word == word and found.reason and not found.stale
    assert status(CLAIMS["S000-050"], a_record("S000-050", verdict, "other code")).stale
    assert status(CLAIMS["S000-050"], {}).word == "unmodelled"
    assert status(CLAIMS["S000-001"], a_record("S000-050", verdict)).word == "fact"
    table = experiment_table(a_record("S000-050", verdict, "other code"))
    (row,) = [row for row in table if row["status"] == "partial"]
    assert row["stale"] and row["grade"] == "low" and "S000-050" in row["claims"]


def test_a_verdict_of_other_code_or_tables_is_marked_stale(monkeypatch):
    monkeypatch.setattr("il2.experiments.record.key", lambda: "changed")
    assert recorded()
    assert {row["id"] for row in as_json("experiments") if row["stale"]} == set(recorded())
    assert "(stale)" in run("experiments") and "stale" in run("claims", "--status", "shown")
    first = next(iter(recorded()))
    assert "(stale)" in told(first, "experiment")["status"][0].text


def test_statuses_of_claims_are_those_of_the_recorded_verdicts():
    for row in il2.claim_table():
        (name,) = row["experiments"] or [""]
        verdict = recorded()[name].claims.get(row["id"], ("not built",))[0] if name in recorded() else "not built"
        said = {"partial": "undecided", "not built": "unmodelled"}.get(verdict, verdict)
        assert row["status"] == (said if name else "fact"), row["id"]


def test_every_number_of_every_network_has_a_row_with_source_and_grade():
    for name in MODELS:
        for parameter in network(name).parameter_names:
            row = resolved(parameter)
            assert row, (name, parameter)
            if isinstance(row, Quantity):
                assert row.grade in GRADES and row.sources and set(row.sources) <= set(sources()), parameter
        facts = told(name, "model")
        assert facts["rests on"][0].sources, name


def test_explain_lists_the_numbers_of_every_reaction_and_walks_back_from_them():
    for r in network("response-IL2").reactions:
        used = parameters("response-IL2", r)
        facts = told(r.name, "reaction")
        assert [f.text.split(" = ")[0].split(": ")[0] for f in facts["rests on"]] == list(used), r.name
        for parameter, fact in zip(used, facts["rests on"], strict=True):
            row = resolved(parameter)
            assert fact.sources == (row.sources if isinstance(row, Quantity) else ()), (r.name, parameter)
            assert any(u.model == "response-IL2" and r.name in u.reactions for u in uses()[parameter])
    assert len(reaction_names()) == len(set(reaction_names())) and all(" " in name for name in reaction_names())


def test_a_claim_leads_to_reactions_numbers_and_sources_and_back():
    assert {m.claim for m in mechanisms()} <= {c.id for c in CLAIMS.values() if c.experiment}
    for m in mechanisms():
        facts = told(m.claim, "claim")
        assert facts["says"][0].sources == (CLAIMS[m.claim].document,)
        assert m.claim in told(CLAIMS[m.claim].experiment, "experiment")["claims"][0].text
        for reaction in m.reactions:
            assert any(reaction in f.text for f in facts["carried by"]), (m.claim, reaction)
            assert any(f.text.startswith(m.claim) for f in told(f"{m.model}: {reaction}", "reaction")["carries"])
            (found,) = [r for r in network(m.model).reactions if r.name == reaction]
            for name in (p for p in parameters(m.model, found) if p in numbers()):
                assert m.claim in told(name, "number")["carries"][0].text, (m.claim, name)


def test_a_source_leads_to_all_that_rests_on_it():
    for s in sources().values():
        held = [c for c in CLAIMS.values() if c.document == s.id]
        facts = told(s.id, "source")
        if held:
            assert facts["claims"][0].text.startswith(f"{len(held)}: ")
            verb, *rest = facts["all claims"][0].text.split()[1:]
            assert [row["id"] for row in as_json(verb, *rest)] == [c.id for c in held]
        used = [q for q in numbers().values() if s.id in q.sources]
        assert facts["numbers"][0].text.startswith(f"{len(used)}: ") if used else "numbers" not in facts


def test_explain_knows_columns_options_and_published_results():
    assert "dose" in told("EC50_nM", "column")["in"][0].text
    assert told("T005", "published result")["published"][0].sources
    assert "il2 claims" in run("explain", "--", "--about")
    assert "Did you mean" in run("explain", "--", "--abut", fails=True)


def test_paths_known_from_the_documents():
    (direct,) = il2.paths("calcitriol", "IL10")
    assert [phrase(step) for step in direct] == ["calcitriol decreases IL10"] and "S004-032" in evidence(direct[0])
    assert il2.paths("IL2", "STAT5")[0][-1].end == "STAT5"
    assert [s.end for s in il2.paths("Zenapax", "IL2")[0]] == ["IL2RA", "IL2"]
    assert "S004-032 vendor_il2" in run("path", "calcitriol", "IL10")


def test_paths_are_chains_with_evidence_and_as_long_both_ways():
    names = [name for name in ENTITIES if not ENTITIES[name].flag]
    joined = 0
    for a, b in random.Random(0).sample(list(itertools.combinations(names, 2)), 400):
        try:
            there = il2.paths(a, b, count=5)
        except il2.Il2Error as refused:
            assert "no chain" in str(refused)
            with pytest.raises(il2.Il2Error, match="no chain"):
                il2.paths(b, a)
            continue
        joined += 1
        assert {len(p) for p in there} == {len(p) for p in il2.paths(b, a)}
        assert len({tuple(s.end for s in p) for p in there}) == len(there) <= 5
        for chain in there:
            assert (chain[0].start, chain[-1].end) == (a, b)
            assert all(one.end == two.start for one, two in itertools.pairwise(chain))
            for step in chain:
                assert step.edges and all(e.sources and set(e.sources) <= set(sources()) for e in step.edges)
                assert evidence(step) and "no source" not in evidence(step) and phrase(step)
    assert joined > 100


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [("IL2", "TCGF", "one thing"), ("IL2", "CD52", "Did you mean"), ("zzzz", "IL2", "unknown entity")],
)
def test_path_refuses_what_has_no_ends(a, b, said):
    message = run("path", a, b, fails=True)
    assert said in message and "\n" not in message


@pytest.mark.parametrize("words", ["explain IL2", "path IL2 STAT5", "claims", "experiments", "gene", "cite IL2"])
def test_look_ups_load_nothing_heavy(words):
    code = "import sys; from il2.cli.app import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True)
    loaded = set(done.stderr.split())
    assert "il2.cli.app" in loaded and done.stdout and not loaded & HEAVY


def test_export_of_the_graph_asks_for_what_it_needs(tmp_path):
    assert "knowledge" in {row["name"] for row in as_json("export")}
    for options, asked in (((), "--kgx"), (("--mermaid",), "--about"), (("--kgx",), "--out"), (("--sbml",), "--rdf")):
        assert asked in run("export", "knowledge", *options, fails=True)
    for model in ("knowledge", "response-IL2"):
        assert run("export", model, "--about", "CD52", "--mermaid", fails=True)
    assert "calcitriol" in run("export", "knowledge", "--about", "calcitriol", "--mermaid")


def test_the_python_calls_exist():
    calls = ("card", "claim_table", "conflict_table", "explain", "paths", "cite", "experiment_table", "lint")
    assert all(callable(getattr(il2, name)) for name in calls) and set(calls) <= set(il2.__all__)
