"""Networks as text, Mermaid and LaTeX: complete, and safe for names that try to break the form."""

from __future__ import annotations

import re

import pytest

from il2.network.expression import exp, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species, check, reaction
from il2.network.show import as_latex, as_mermaid, as_text, modifiers, reversible, sides
from il2.receptor.model import receptor

HOSTILE = (
    "end", 'a"b', "<script>alert(1)</script>", "x]y", "#quot;", "`md`", "a--b|c", r"\end{align*}%$&_^~", "µ α 中",
    "line\nbreak", "{}", "graph TD; a-->b", "a + -1*b", "\u2028",
)  # fmt: skip


def hostile() -> Network:
    species = tuple(Species(n, 'cell "1"', num(1.0)) for n in HOSTILE)
    reactions = tuple(reaction(n, ["end", "end"], [n], 1.0, 2.0) for n in HOSTILE[1:])
    return check(Network("h\nx", (Compartment('cell "1"', 3),), species, (), (), reactions))


def small() -> Network:
    return check(
        Network(
            "small",
            (Compartment("dish", 3, "room"),),
            (Species("A", "dish", sym("count")), Species("AA", "dish", num(0.0)), Species("E", "dish", num(3.0))),
            (
                Parameter("on", 2e-9, "1/min", "a note"),
                Parameter("room", 1.0, "fL"),
                Parameter("count", 1.0, "molecule"),
            ),
            (),
            (
                reaction("pair", ["A", "A"], ["AA"], "on", 0.5),
                Reaction("loss", {"A": -1}, sym("E") * (1 - sym("A")) / (sym("on") + sym("A")) ** 2 * 2e-9),
            ),
            (Observable("share", exp(sym("A") ** 0.5), "dimensionless"),),
        )
    )


def test_text_says_everything():
    lines = as_text(small()).splitlines()
    for expected in (
        "network small", "  dish: 3-D, volume room", "  A [molecule/cell] in dish, initially count",
        "  on = 2e-09 1/min  (a note)", "  pair: 2 A <-> AA", "    rate on*A*A  minus 0.5*AA [molecule/(cell*min)]",
        "  loss: A -> 0", "  share = exp(A^0.5) [dimensionless]", "conserved (1)", "  E", "reactions (2)",
    ):  # fmt: skip
        assert expected in lines or any(line.startswith(expected) for line in lines), expected


def test_text_names_all_parts_of_the_receptor():
    network = receptor("IL2", "IL15", audit=True)
    text = as_text(network)
    parts = (*network.species, *network.parameters, *network.derived, *network.reactions, *network.observables)
    assert all(p.name in text for p in parts)
    assert "conserved (4)" in text


def test_text_keeps_one_line_for_each_name():
    text = as_text(hostile())
    assert "line?break" in text
    assert all(
        line.startswith(("  ", "network ")) or re.match(r"^[a-z ]+\(\d+\)$", line) for line in text.split("\n") if line
    )


def test_parts():
    pair, loss = small().reactions
    assert sides(pair) == ({"A": 2}, {"AA": 1})
    assert reversible(pair) and not reversible(loss)
    assert modifiers(small(), loss) == ["E"]


def test_mermaid_shows_every_species_and_reaction():
    chart = as_mermaid(small()).splitlines()
    assert chart[0] == "flowchart LR"
    assert '  subgraph c0["dish"]' in chart and '    s0["A"]' in chart and '  r0(("pair"))' in chart
    assert (
        '  s0 <-->|"2"| r0' in chart and "  r0 --> s1" in chart and "  s0 --- r1" in chart and "  s2 -.-> r1" in chart
    )


@pytest.mark.parametrize("network", [hostile(), small(), receptor("IL2", depleted=True)], ids=lambda n: n.name[:5])
def test_mermaid_lines_are_of_known_forms(network: Network):
    label = r'"(?:[\w .@:+,-]|#\d+;)*"'
    forms = "|".join([
        "flowchart LR", rf"  subgraph c\d+\[{label}\]", rf"    s\d+\[{label}\]", "  end", rf"  r\d+\(\({label}\)\)",
        r'  s\d+ (?:<-->|---)(?:\|"\d+"\|)? r\d+', r'  r\d+ -->(?:\|"\d+"\|)? s\d+', r"  s\d+ -\.-> r\d+",
    ])  # fmt: skip
    lines = as_mermaid(network).split("\n")[:-1]
    assert [line for line in lines if not re.fullmatch(forms, line)] == []
    assert sum(bool(re.match(r"    s\d+\[", line)) for line in lines) == len(network.species)
    assert sum(bool(re.match(r"  r\d+\(", line)) for line in lines) == len(network.reactions)


def test_latex_of_a_small_network():
    text = as_latex(small())
    assert r"$2\,\text{A} \rightleftharpoons \text{AA}$" in text
    assert r"$\displaystyle \text{on} \cdot \text{A} \cdot \text{A} - 0.5 \cdot \text{AA}$" in text
    assert r"\frac{2\cdot 10^{-9} \cdot \text{E} \cdot \left(1 - \text{A}\right)}" in text
    assert r"{\left(\text{on} + \text{A}\right)^{2}}" in text
    assert r"\frac{\mathrm{d}}{\mathrm{d}t}\,\text{A} &= -2\,v_{1} -v_{2}" in text
    assert r"\text{E} &= 0" in text


@pytest.mark.parametrize("network", [hostile(), small(), receptor("IL2", "IL15")], ids=lambda n: n.name[:5])
def test_latex_is_balanced_and_escaped(network: Network):
    text = as_latex(network)
    assert text.isascii()
    plain = re.sub(r"\\[\\&%$#_{}]", "", text)
    depth = 0
    for c in plain:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    opened = re.findall(r"\\(begin|end)\{([a-z*]+)\}", plain)
    assert opened == [("begin", "longtable"), ("end", "longtable"), ("begin", "align*"), ("end", "align*")]
    assert plain.count("$") % 2 == 0 and "#" not in plain and "%" not in plain and "~" not in plain
    rows = [line for line in plain.splitlines() if line.endswith(r"\tabularnewline")]
    assert len(rows) == len(network.reactions) and all(row.count("&") == 2 for row in rows)
    assert text.count("&=") == len(network.species)


def test_empty_network():
    empty = Network("empty")
    assert as_mermaid(empty) == "flowchart LR\n"
    assert "species (0)" in as_text(empty) and "align" not in as_latex(empty)
