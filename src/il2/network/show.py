"""A network for people: readable text, a Mermaid flow chart, a LaTeX fragment."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from il2.network.conserve import conservation_laws, law_text
from il2.network.expression import Expr, num, power, show, symbols
from il2.network.network import Network, Reaction


def sides(r: Reaction) -> tuple[dict[str, int], dict[str, int]]:
    """Reactants and products with their numbers, both positive."""
    return {s: -n for s, n in r.change.items() if n < 0}, {s: n for s, n in r.change.items() if n > 0}


def reversible(r: Reaction) -> bool:
    return not (r.reverse.kind == "num" and r.reverse.args[0] == 0.0)


def as_text(network: Network) -> str:
    """Everything a network holds, in the order in which it is computed; reactions as arrows with rate laws."""
    laws = conservation_laws(network)
    blocks = {
        "compartments": [
            f"{c.name}: {c.dimensions}-D" + (f", volume {c.volume}" if c.volume else "") for c in network.compartments
        ],
        "species": [f"{s.name} [{s.unit}] in {s.compartment}, initially {show(s.initial)}" for s in network.species],
        "parameters": [
            f"{p.name} = {p.value:g} {p.unit}" + (f"  ({p.note})" if p.note else "") for p in network.parameters
        ],
        "derived constants": [f"{d.name} = {show(d.expr)} [{d.unit}]" for d in network.derived],
        "reactions": [line for r in network.reactions for line in _reaction_text(r)],
        "observables": [f"{o.name} = {show(o.expr)} [{o.unit}]" for o in network.observables],
        "conserved": [law_text(law) for law in laws],
    }
    lines = [f"network {_one_line(network.name)}"]
    for title, items in blocks.items():
        count = sum(not item.startswith("  ") for item in items)
        lines += ["", f"{title} ({count})", *(f"  {_one_line(item)}" for item in items)]
    return "\n".join(lines) + "\n"


def _reaction_text(r: Reaction) -> list[str]:
    arrow = "<->" if reversible(r) else "->"
    law = f"  rate {show(r.forward)}" + (f"  minus {show(r.reverse)}" if reversible(r) else "")
    left, right = (_sum(side.items()) for side in sides(r))
    return [f"{r.name}: {left or '0'} {arrow} {right or '0'}", f"{law} [{r.unit}]"]


def _sum(items: Iterable[tuple[str, int]]) -> str:
    return " + ".join(name if n == 1 else f"{n} {name}" for name, n in items)


def _one_line(text: str) -> str:
    """Text without control characters, so that a name cannot forge a line."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)


def as_mermaid(network: Network) -> str:
    """A Mermaid flow chart: species grouped by compartment, reactions as small circles, regulators dotted."""
    species = {name: f"s{i}" for i, name in enumerate(network.species_names)}
    lines = ["flowchart LR"]
    for i, c in enumerate(network.compartments):
        lines.append(f'  subgraph c{i}["{_mermaid(c.name)}"]')
        lines += [f'    {species[s.name]}["{_mermaid(s.name)}"]' for s in network.species if s.compartment == c.name]
        lines.append("  end")
    for i, r in enumerate(network.reactions):
        reactants, products = sides(r)
        lines.append(f'  r{i}(("{_mermaid(r.name)}"))')
        tail = "<-->" if reversible(r) else "---"
        lines += [f"  {species[s]} {_count(tail, n)} r{i}" for s, n in reactants.items()]
        lines += [f"  r{i} {_count('-->', n)} {species[s]}" for s, n in products.items()]
        lines += [f"  {species[s]} -.-> r{i}" for s in modifiers(network, r)]
    return "\n".join(lines) + "\n"


def _count(arrow: str, n: int) -> str:
    return arrow if n == 1 else f'{arrow}|"{n}"|'


def modifiers(network: Network, r: Reaction) -> list[str]:
    """Species that a rate depends on and the reaction does not change."""
    names = symbols(r.forward) | symbols(r.reverse)
    return [s for s in network.species_names if s in names and s not in r.change]


def _mermaid(text: str) -> str:
    """Entity codes for all but plain characters: quotes, brackets and hashes would end or change the label."""
    return re.sub(r"[^\w .@:+,-]", lambda m: f"#{ord(m[0])};", _one_line(text))


def as_latex(network: Network) -> str:
    r"""A LaTeX fragment: a table of reactions with rates v_i, and the equations of the species.

    The document needs the packages amsmath and longtable.
    """
    lines = [
        r"\begin{longtable}{rp{0.42\textwidth}p{0.48\textwidth}}",
        r"$i$ & reaction & rate $v_i$ \\ \hline",
        r"\endhead",
    ]
    for i, r in enumerate(network.reactions, start=1):
        arrow = r"\rightleftharpoons" if reversible(r) else r"\rightarrow"
        left, right = (
            " + ".join((f"{n}\\," if n != 1 else "") + _name(s) for s, n in side.items()) or r"\emptyset"
            for side in sides(r)
        )
        law = _math(r.forward) + (f" - {_bracket(r.reverse)}" if reversible(r) else "")
        lines.append(rf"{i} & ${left} {arrow} {right}$ & \raggedright $\displaystyle {law}$ \tabularnewline")
    lines += [r"\end{longtable}", ""]
    rows = []
    for s in network.species:
        terms = [(i, r.change[s.name]) for i, r in enumerate(network.reactions, start=1) if s.name in r.change]
        rows.append(rf"\frac{{\mathrm{{d}}}}{{\mathrm{{d}}t}}\,{_name(s.name)} &= {_balance(terms)}")
    if rows:
        lines += [r"{\allowdisplaybreaks", r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}}"]
    return "\n".join(lines) + "\n"


def _balance(terms: list[tuple[int, int]]) -> str:
    """Signed rates, eight a line."""
    parts = []
    for position, (i, n) in enumerate(terms):
        sign = "-" if n < 0 else "+" if position else ""
        parts.append(sign + (f"{abs(n)}\\," if abs(n) != 1 else "") + f"v_{{{i}}}")
    lines = [" ".join(parts[i : i + 8]) for i in range(0, len(parts), 8)]
    return " \\\\\n&\\quad ".join(lines) or "0"


_SPECIAL: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "`": r"\textasciigrave{}", '"': "''",
    "µ": r"\ensuremath{\mu}", "μ": r"\ensuremath{\mu}", **{c: "\\" + c for c in "&%$#_{}"},
}  # fmt: skip


def _latex(text: str) -> str:
    """Escaped for text mode; other than ASCII and micro is written as its code point."""
    shown = (_SPECIAL.get(c, c if " " <= c <= "~" else f"(U+{ord(c):04X})") for c in text)
    return "".join(shown)


def _name(name: str) -> str:
    return rf"\text{{{_latex(name)}}}"


def _math(expr: Expr) -> str:
    if expr.kind == "num":
        mantissa, _, exponent = f"{expr.args[0]:.10g}".partition("e")
        return mantissa if not exponent else rf"{mantissa}\cdot 10^{{{int(exponent)}}}"
    if expr.kind == "sym":
        return _name(expr.args[0])
    if expr.kind == "add":
        signed = [_sign(c) for c in sorted(expr.args, key=lambda c: _sign(c)[0] == "-")]
        text = " ".join(f"{sign} {_bracket(term)}" for sign, term in signed)
        return text.removeprefix("+ ")
    if expr.kind == "mul":
        above = [_bracket(c) for c in expr.args if not (c.kind == "pow" and c.args[1] < 0)]
        below = [_bracket(power(c.args[0], -c.args[1])) for c in expr.args if c.kind == "pow" and c.args[1] < 0]
        top, bottom = (r" \cdot ".join(side) for side in (above, below))
        return rf"\frac{{{top or '1'}}}{{{bottom}}}" if bottom else top
    if expr.kind == "pow":
        base, exponent = expr.args
        if exponent < 0:
            return rf"\frac{{1}}{{{_math(power(base, -exponent))}}}"
        inner = _math(base)
        return (inner if base.kind == "sym" else rf"\left({inner}\right)") + f"^{{{exponent:g}}}"
    return rf"\{expr.kind}\left({_math(expr.args[0])}\right)"


def _sign(expr: Expr) -> tuple[str, Expr]:
    """The sign of a term and the term without it."""
    lead = expr.args[0] if expr.kind == "mul" else expr
    return ("-", num(-1.0) * expr) if lead.kind == "num" and lead.args[0] < 0 else ("+", expr)


def _bracket(expr: Expr) -> str:
    return rf"\left({_math(expr)}\right)" if expr.kind == "add" else _math(expr)
